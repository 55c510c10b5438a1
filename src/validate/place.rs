//! Where in a resource a walk stands.

use crate::json::Node;
use std::ops::ControlFlow;

/// Where the walk is: a list on the stack, read only when there is something to tell.
#[derive(Clone, Copy)]
pub struct At<'p> {
    pub parent: Option<&'p At<'p>>,
    pub name: &'p str,
    pub index: Option<usize>,
}

impl At<'_> {
    /// `Patient.name[0].given[1]`
    pub fn expression(&self) -> String {
        let mut out = String::new();
        self.render(&mut out);
        out
    }

    fn render(&self, out: &mut String) {
        match self.parent {
            Some(parent) => {
                parent.render(out);
                if !out.is_empty() && !self.name.is_empty() {
                    out.push('.');
                }
                out.push_str(clip(self.name));
            }
            // the name of a type, or where a resource stands in another
            None => out.push_str(self.name),
        }
        if let Some(index) = self.index {
            out.push_str(&format!("[{index}]"));
        }
    }
}

/// Names and codes are told back to the sender, but not at any length.
pub fn clip(text: &str) -> &str {
    text.char_indices().nth(64).map_or(text, |(end, _)| &text[..end])
}

/// Each item of an array with its place, or the value itself.
pub fn each<'a>(value: Node<'a>, at: &At, mut f: impl FnMut(Node<'a>, &At) -> ControlFlow<()>) -> ControlFlow<()> {
    match value {
        Node::Array(array) => array.iter().enumerate().try_for_each(|(i, item)| f(item, &At { index: Some(i), ..*at })),
        value => f(value, at),
    }
}

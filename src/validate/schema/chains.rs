//! How many schemas may ask one another about the same value.
//!
//! The crate recurses along `allOf`, `$ref` and their like without a look at the value, so that the budget of a check does not see it.
//! Here the longest such chain is bounded from above, before anything is compiled.

use super::error::SchemaError;
use serde_json::Value;
use std::collections::HashMap;

/// Schemas in a chain. The longest of the official schema of FHIR R4 has 3.
const MAX_CHAIN: usize = 400;

/// Keywords whose schemas look at the same value.
const IN_PLACE: [&str; 9] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"];
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
const NAMES: [&str; 4] = ["$id", "id", "$anchor", "$dynamicAnchor"];

/// Refuses a schema whose chains are too long.
pub(super) fn check(schema: &Value) -> Result<(), SchemaError> {
    let mut graph = Graph { edges: vec![Vec::new()], known: HashMap::new(), root: schema };
    let root = graph.node(schema);
    graph.edges[NAMED].push(root);
    graph.collect(schema);
    if graph.longest() > MAX_CHAIN {
        return Err(SchemaError::new(format!("more than {MAX_CHAIN} schemas refer one after the other to the same value"))
            .hint("this counts allOf, anyOf, oneOf, not, if, and references; schemas of properties and items begin anew"));
    }
    Ok(())
}

/// Stands for whatever has a name; references by name go there.
const NAMED: usize = 0;

/// Which schemas ask which about the same value.
struct Graph<'s> {
    edges: Vec<Vec<usize>>,
    /// By the address of the object.
    known: HashMap<*const Value, usize>,
    root: &'s Value,
}

impl<'s> Graph<'s> {
    fn node(&mut self, schema: &'s Value) -> usize {
        let next = self.edges.len();
        let node = *self.known.entry(schema).or_insert(next);
        if node == next {
            self.edges.push(Vec::new());
        }
        node
    }

    /// Takes every object for a schema: an edge too many only makes the bound higher. The depth is that of the schema, which is bounded.
    fn collect(&mut self, value: &'s Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Object(members) => {
                let from = self.node(value);
                if NAMES.iter().any(|name| members.contains_key(*name)) {
                    self.edges[NAMED].push(from);
                }
                for (key, inner) in members {
                    if IN_PLACE.contains(&key.as_str()) {
                        let listed = matches!(key.as_str(), "dependentSchemas" | "dependencies");
                        match inner {
                            Value::Array(items) => items.iter().for_each(|item| self.edge(from, item)),
                            Value::Object(inner) if listed => inner.values().for_each(|item| self.edge(from, item)),
                            inner => self.edge(from, inner),
                        }
                    } else if let (true, Value::String(reference)) = (REFERENCES.contains(&key.as_str()), inner) {
                        match reference.strip_prefix('#').and_then(|pointer| self.root.pointer(&unescaped(pointer))) {
                            Some(target) => self.edge(from, target),
                            None => self.edges[from].push(NAMED),
                        }
                    }
                    self.collect(inner);
                }
            }
            _ => {}
        }
    }

    fn edge(&mut self, from: usize, to: &'s Value) {
        if to.is_object() {
            let to = self.node(to);
            self.edges[from].push(to);
        }
    }

    /// The longest path, where schemas in a circle count as if a path went through all of them (Tarjan's algorithm, without recursion).
    fn longest(&self) -> usize {
        const NEW: usize = usize::MAX;
        let count = self.edges.len();
        let (mut order, mut low, mut length) = (vec![NEW; count], vec![0; count], vec![0usize; count]);
        let mut on_stack = vec![false; count];
        let (mut stack, mut next, mut longest) = (Vec::new(), 0, 0);
        for start in 0..count {
            let mut path = if order[start] == NEW { vec![(start, 0)] } else { Vec::new() };
            while let Some((node, edge)) = path.pop() {
                if edge == 0 {
                    order[node] = next;
                    low[node] = next;
                    next += 1;
                    stack.push(node);
                    on_stack[node] = true;
                }
                if let Some(&to) = self.edges[node].get(edge) {
                    path.push((node, edge + 1));
                    if order[to] == NEW {
                        path.push((to, 0));
                    } else if on_stack[to] {
                        low[node] = low[node].min(order[to]);
                    }
                    continue;
                }
                if let Some((parent, _)) = path.last() {
                    low[*parent] = low[*parent].min(low[node]);
                }
                if low[node] == order[node] {
                    let begin = stack.iter().rposition(|other| *other == node).unwrap_or(0);
                    let circle = stack.split_off(begin);
                    let after = circle.iter().flat_map(|inner| &self.edges[*inner]).map(|to| length[*to]).max().unwrap_or(0);
                    for inner in &circle {
                        on_stack[*inner] = false;
                    }
                    for inner in &circle {
                        length[*inner] = after + circle.len();
                    }
                    longest = longest.max(after + circle.len());
                }
            }
        }
        longest
    }
}

/// A fragment as a JSON Pointer.
fn unescaped(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

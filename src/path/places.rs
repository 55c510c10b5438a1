//! Many places of one document, found together: what leads to several of them is walked once.

use super::eval::{Plain, Step};
use crate::json::{Node, Object, container_at, object_within, root};

/// A place to be looked up again and again. Made by [`Places::add`], for the same `Places` only.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where the object is in which it stands.
    object: u32,
    last: Step,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug)]
pub enum Found<'d> {
    Nothing,
    Node(Node<'d>),
    /// The document is not as the definitions have it, so that only an evaluation can tell.
    Odd,
}

/// The places that somebody looks up in a document, then in the next.
#[derive(Debug)]
pub struct Places {
    /// Objects on the way; the first is the whole document.
    objects: Vec<Stop>,
    /// The number of the document.
    document: u64,
}

/// An object on the way to places.
#[derive(Debug)]
struct Stop {
    parent: u32,
    step: Option<Step>,
    /// The document for which `known` is right.
    document: u64,
    known: Known,
}

#[derive(Clone, Copy, Debug)]
enum Known {
    Nothing,
    /// Where the object begins and ends.
    Object(u32, u32),
    Odd,
}

/// Objects that all places together may pass.
const MOST: usize = 1_000;

impl Default for Places {
    fn default() -> Places {
        Places { objects: vec![Stop { parent: 0, step: None, document: 0, known: Known::Odd }], document: 0 }
    }
}

impl Places {
    /// Remembers a place; `None` where there are too many.
    pub fn add(&mut self, plain: &Plain) -> Option<Place> {
        let (last, before) = plain.steps.split_last()?;
        let mut object = 0;
        for step in before {
            object = match self.objects.iter().skip(1).position(|stop| stop.parent == object && stop.step == Some(*step)) {
                Some(known) => known as u32 + 1,
                None if self.objects.len() < MOST => {
                    self.objects.push(Stop { parent: object, step: Some(*step), document: 0, known: Known::Odd });
                    self.objects.len() as u32 - 1
                }
                None => return None,
            };
        }
        Some(Place { object, last: *last })
    }

    /// Turns to the next document. From now on `find` must be given its bytes, until the next one.
    pub fn turn(&mut self, document: &[u8]) {
        self.document += 1;
        if let Some(whole) = self.objects.first_mut() {
            whole.document = self.document;
            whole.known = match (root(document), u32::try_from(document.len())) {
                (Some(Node::Object(_)), Ok(length)) => Known::Object(0, length),
                _ => Known::Odd,
            };
        }
    }

    /// What stands at a place of the document that was turned to.
    #[inline]
    pub fn find<'d>(&mut self, place: &Place, document: &'d [u8]) -> Found<'d> {
        match self.object(place.object, document) {
            Known::Nothing => Found::Nothing,
            Known::Odd => Found::Odd,
            Known::Object(start, end) => match object_within(document, start, end) {
                Some(object) => step(object, &place.last),
                None => Found::Odd,
            },
        }
    }

    /// Where an object is. As deep as paths are long.
    fn object(&mut self, number: u32, document: &[u8]) -> Known {
        let Some(Stop { parent, step: Some(way), document: of, known }) = self.objects.get(number as usize) else {
            return self.objects.first().map_or(Known::Odd, |whole| whole.known);
        };
        if *of == self.document {
            return *known;
        }
        let (parent, way) = (*parent, *way);
        let found = match self.object(parent, document) {
            Known::Object(start, end) => match object_within(document, start, end).map(|object| step(object, &way)) {
                Some(Found::Node(Node::Object(object))) => container_at(document, &object).map_or(Known::Odd, |(start, end)| Known::Object(start, end)),
                Some(Found::Nothing) => Known::Nothing,
                _ => Known::Odd,
            },
            other => other,
        };
        if let Some(stop) = self.objects.get_mut(number as usize) {
            stop.document = self.document;
            stop.known = found;
        }
        found
    }
}

/// What a property has.
#[inline]
fn step<'d>(object: Object<'d>, step: &Step) -> Found<'d> {
    match (object.get(step.property), step.first) {
        (None | Some(Node::Null), _) => Found::Nothing,
        (Some(Node::Array(_)), false) => Found::Odd,
        (Some(Node::Array(array)), true) => match array.get(0) {
            None if array.is_empty() => Found::Nothing,
            // an empty place in an array of primitives, or another array
            None | Some(Node::Null | Node::Array(_)) => Found::Odd,
            Some(node) => Found::Node(node),
        },
        (Some(node), _) => Found::Node(node),
    }
}

//! The difference of two documents as a JSON Patch.
//!
//! Objects are compared member by member. Arrays are aligned first, so that one item put in front is one `add` and not a change
//! of every item; between what both have in common, items are paired by place.

use super::error::PatchError;
use super::tree::{self, Budget, MAX_DEPTH};
use super::{MAX_BYTES, MAX_OPERATIONS};
use crate::json::{self, Array, Item, Node, Object};
use std::borrow::Cow;

/// The patch as a container.
pub fn diff(from: Node<'_>, to: Node<'_>) -> Result<Vec<u8>, PatchError> {
    let mut comparison = Comparison { operations: Vec::new(), path: String::new(), paths: 0, is_too_long: false, budget: Budget::default() };
    comparison.values(from, to, MAX_DEPTH)?;
    let mut operations = comparison.operations;
    if comparison.is_too_long {
        // a patch that could not be applied
        operations = vec![operation("replace", String::new(), Some(to))];
    }
    Ok(json::write(&Item::Array(operations))?)
}

type Aligned<'a> = (Vec<Node<'a>>, Vec<Node<'a>>, Vec<(usize, usize)>);

/// Most pairs of items that an alignment of two arrays looks at.
const MAX_PAIRS: usize = 250_000;

struct Comparison<'a> {
    operations: Vec<Item<'a>>,
    /// Where the comparison is: a JSON Pointer.
    path: String,
    /// Bytes of the paths of all operations.
    paths: usize,
    is_too_long: bool,
    budget: Budget,
}

fn operation<'a>(name: &'static str, path: String, value: Option<Node<'a>>) -> Item<'a> {
    let mut members = vec![(Cow::Borrowed("op"), Item::String(Cow::Borrowed(name))), (Cow::Borrowed("path"), Item::String(Cow::Owned(path)))];
    if let Some(value) = value {
        members.push((Cow::Borrowed("value"), Item::Node(value)));
    }
    Item::Object(members)
}

// Recursion is bounded by `depth`.
impl<'a> Comparison<'a> {
    #[inline(never)]
    fn tell(&mut self, name: &'static str, value: Option<Node<'a>>) {
        self.paths += self.path.len();
        self.is_too_long |= self.operations.len() == MAX_OPERATIONS || self.paths > MAX_BYTES;
        if !self.is_too_long {
            self.operations.push(operation(name, self.path.clone(), value));
        }
    }

    /// One step further down; gives what [`Comparison::leave`] goes back to.
    fn enter(&mut self, step: &str) -> usize {
        let length = self.path.len();
        self.path.push('/');
        for c in step.chars() {
            match c {
                '~' => self.path.push_str("~0"),
                '/' => self.path.push_str("~1"),
                c => self.path.push(c),
            }
        }
        length
    }

    #[inline(never)]
    fn enter_item(&mut self, index: usize) -> usize {
        self.enter(&index.to_string())
    }

    fn leave(&mut self, length: usize) {
        self.path.truncate(length);
    }

    /// An operation on the item of that index.
    fn tell_item(&mut self, index: usize, name: &'static str, value: Option<Node<'a>>) {
        let above = self.enter_item(index);
        self.tell(name, value);
        self.leave(above);
    }

    fn values(&mut self, from: Node<'a>, to: Node<'a>, depth: usize) -> Result<(), PatchError> {
        let depth = match depth.checked_sub(1) {
            Some(depth) => depth,
            None if matches!((from, to), (Node::Object(_), Node::Object(_)) | (Node::Array(_), Node::Array(_))) => return Err(PatchError::too_deep()),
            None => 0,
        };
        match (from, to) {
            (Node::Object(from), Node::Object(to)) => self.objects(from, to, depth),
            (Node::Array(from), Node::Array(to)) => self.arrays(from, to, depth),
            _ => {
                // one of them is a scalar
                if !tree::is_same(from, to, &mut Budget::default())? {
                    self.tell("replace", Some(to));
                }
                Ok(())
            }
        }
    }

    fn objects(&mut self, from: Object<'a>, to: Object<'a>, depth: usize) -> Result<(), PatchError> {
        for (key, before) in from.iter() {
            let above = self.enter(key);
            match to.get(key) {
                Some(after) => self.values(before, after, depth)?,
                None => self.tell("remove", None),
            }
            self.leave(above);
        }
        for (key, after) in to.iter() {
            if from.get(key).is_none() {
                let above = self.enter(key);
                self.tell("add", Some(after));
                self.leave(above);
            }
        }
        Ok(())
    }

    fn arrays(&mut self, from: Array<'a>, to: Array<'a>, depth: usize) -> Result<(), PatchError> {
        let (from, to, common) = self.aligned(from, to)?;
        let (mut i, mut j) = (0, 0);
        // `j` is also the place in the array as the operations so far have left it
        for (next_i, next_j) in common {
            while i < next_i && j < next_j {
                let above = self.enter_item(j);
                self.values(from[i], to[j], depth)?;
                self.leave(above);
                (i, j) = (i + 1, j + 1);
            }
            while i < next_i {
                self.tell_item(j, "remove", None);
                i += 1;
            }
            while j < next_j {
                self.tell_item(j, "add", Some(to[j]));
                j += 1;
            }
            (i, j) = (i + 1, j + 1);
        }
        Ok(())
    }

    /// The items of both, and the places of those in common, with the ends behind them.
    #[inline(never)]
    fn aligned(&mut self, from: Array<'a>, to: Array<'a>) -> Result<Aligned<'a>, PatchError> {
        let (from, to): (Vec<Node>, Vec<Node>) = (from.iter().collect(), to.iter().collect());
        let mut common = self.common(&from, &to)?;
        common.push((from.len(), to.len()));
        Ok((from, to, common))
    }

    /// Places of the items that both arrays have in common, in order: their ends, and between these the longest common part.
    fn common(&mut self, from: &[Node<'a>], to: &[Node<'a>]) -> Result<Vec<(usize, usize)>, PatchError> {
        let shorter = from.len().min(to.len());
        let mut first = 0;
        while first < shorter && self.same(from[first], to[first])? {
            first += 1;
        }
        let mut last = 0;
        while last < shorter - first && self.same(from[from.len() - 1 - last], to[to.len() - 1 - last])? {
            last += 1;
        }
        let mut places: Vec<(usize, usize)> = (0..first).map(|i| (i, i)).collect();
        let (rows, columns) = (from.len() - first - last, to.len() - first - last);
        if rows.saturating_mul(columns) <= MAX_PAIRS {
            let middle = self.longest(&from[first..first + rows], &to[first..first + columns])?;
            places.extend(middle.into_iter().map(|(i, j)| (first + i, first + j)));
        }
        places.extend((0..last).rev().map(|back| (from.len() - 1 - back, to.len() - 1 - back)));
        Ok(places)
    }

    /// The longest common subsequence.
    fn longest(&mut self, from: &[Node<'a>], to: &[Node<'a>]) -> Result<Vec<(usize, usize)>, PatchError> {
        let width = to.len() + 1;
        let mut equal = vec![false; from.len() * width];
        let mut length = vec![0u32; (from.len() + 1) * width];
        for i in (0..from.len()).rev() {
            for j in (0..to.len()).rev() {
                let at = i * width + j;
                equal[at] = self.same(from[i], to[j])?;
                length[at] = if equal[at] { length[at + width + 1] + 1 } else { length[at + width].max(length[at + 1]) };
            }
        }
        let (mut i, mut j, mut places) = (0, 0, Vec::new());
        while i < from.len() && j < to.len() {
            let at = i * width + j;
            if equal[at] {
                places.push((i, j));
                (i, j) = (i + 1, j + 1);
            } else if length[at + width] >= length[at + 1] {
                i += 1;
            } else {
                j += 1;
            }
        }
        Ok(places)
    }

    /// Whether two items are the same. Where the budget is used up they count as different: the patch gets longer, not wrong.
    fn same(&mut self, a: Node<'a>, b: Node<'a>) -> Result<bool, PatchError> {
        match tree::is_same(a, b, &mut self.budget) {
            Err(error) if error.is_limit() => Ok(false),
            result => result,
        }
    }
}

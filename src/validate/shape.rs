//! The model laid out for the walk: for each type a hash table from JSON property to rule, made when the type is first met.

use super::primitive::Primitive;
use crate::model::{ELEMENT, Field, Kind, TYPES, TypeId, ValueSetId};
use std::sync::{LazyLock, OnceLock};

/// One bit for each element of a type.
pub type Elements = u128;

/// What may stand in objects of one type.
pub struct Shape {
    pub ty: TypeId,
    pub is_resource: bool,
    rules: Vec<Rule>,
    /// The length is a power of two.
    table: Vec<Slot>,
    pub required: Elements,
}

/// A place in the hash table of a shape.
#[derive(Clone, Copy, Default)]
struct Slot {
    name: Ends,
    /// Index into the rules plus one, 0 where the place is empty.
    rule: u16,
}

/// What may stand in one JSON property.
pub struct Rule {
    pub name: &'static str,
    /// `_name`
    pub sibling: String,
    pub field: &'static Field,
    /// The name of the element: `value` for `valueQuantity`.
    pub element: &'static str,
    pub bit: Elements,
    pub is_choice: bool,
    /// Whether it is an array.
    pub repeats: bool,
    pub max: u16,
    pub content: Content,
    pub required: Option<ValueSetId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Primitive(Primitive),
    Complex(TypeId),
    /// Any resource.
    Resource,
}

impl Shape {
    /// The shape of that type.
    pub fn of(ty: TypeId) -> &'static Shape {
        static SHAPES: LazyLock<Vec<OnceLock<Shape>>> = LazyLock::new(|| TYPES.iter().map(|_| OnceLock::new()).collect());
        // One for each type, and a TypeId is an index into the types.
        SHAPES[usize::from(ty.0)].get_or_init(|| Shape::build(ty))
    }

    fn build(ty: TypeId) -> Shape {
        let t = ty.get();
        let rules: Vec<Rule> = t.fields.iter().map(|field| Rule::build(ty, field)).collect();
        let mut table = vec![Slot::default(); (rules.len() * 2 + 1).next_power_of_two()];
        let mask = table.len() - 1;
        for (i, rule) in rules.iter().enumerate() {
            let name = Ends::of(rule.name);
            let mut slot = name.hash() & mask;
            while table[slot].rule != 0 {
                slot = (slot + 1) & mask;
            }
            table[slot] = Slot { name, rule: i as u16 + 1 };
        }
        let required = t.elements.iter().enumerate().filter(|(_, e)| e.min > 0).fold(0, |bits, (i, _)| bits | bit(i));
        Shape { ty, is_resource: t.kind == Kind::Resource, rules, table, required }
    }

    /// The rule of the property `name`.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        let ends = Ends::of(name);
        let mask = self.table.len() - 1;
        let mut slot = ends.hash() & mask;
        loop {
            let Slot { name: there, rule } = self.table[slot];
            let rule = self.rules.get(usize::from(rule).checked_sub(1)?)?;
            if there == ends && (ends.is_whole() || rule.name == name) {
                return Some(rule);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The bit of the element of that name.
    pub fn element(&self, name: &str) -> Elements {
        self.ty.get().elements.iter().position(|e| e.name == name).map_or(0, bit)
    }
}

impl Rule {
    fn build(ty: TypeId, field: &'static Field) -> Rule {
        let element = &ty.get().elements[usize::from(field.element)];
        let target = field.ty.get();
        let content = match target.kind {
            Kind::Resource => Content::Resource,
            Kind::Primitive => Content::Primitive(Primitive::named(target.name).unwrap_or(Primitive::String)),
            Kind::Complex | Kind::Backbone => Content::Complex(field.ty),
        };
        Rule {
            name: field.name,
            sibling: format!("_{}", field.name),
            field,
            element: element.name,
            bit: bit(usize::from(field.element)),
            is_choice: element.is_choice,
            repeats: element.max > 1,
            max: element.max,
            content,
            required: field.required,
        }
    }

    /// The type that objects in the `_name` sibling have.
    pub fn sibling_type(&self) -> Option<TypeId> {
        matches!(self.content, Content::Primitive(_)).then_some(ELEMENT)
    }
}

/// The bit of an element by its number. A test holds that no type has more elements than there are bits.
fn bit(element: usize) -> Elements {
    1u128.checked_shl(element as u32).unwrap_or(0)
}

/// The first and last bytes of a name, and its length.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Ends {
    head: u64,
    tail: u64,
    length: usize,
}

impl Ends {
    fn of(name: &str) -> Ends {
        let bytes = name.as_bytes();
        let (head, tail) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
                (Some(head), Some(tail)) => (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail))),
                _ => (bytes.iter().fold(0, |h, b| h << 8 | u64::from(*b)), 0),
            },
        };
        Ends { head, tail, length: bytes.len() }
    }

    /// Whether these are all bytes of the name, so that names with the same ends are the same.
    fn is_whole(self) -> bool {
        self.length <= 16
    }

    /// Good enough to tell the properties of one type apart.
    fn hash(self) -> usize {
        let mixed = (self.head ^ self.tail.rotate_left(29) ^ self.length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_of_every_type_is_found() {
        for (i, ty) in TYPES.iter().enumerate() {
            let shape = Shape::of(TypeId(i as u16));
            assert!(ty.elements.len() <= Elements::BITS as usize, "{}", ty.name);
            for field in ty.fields {
                assert_eq!(shape.rule(field.name).map(|r| r.name), Some(field.name));
            }
            for unknown in ["", "_", "x", "aPropertyThatNoTypeHas"] {
                assert!(shape.rule(unknown).is_none(), "{} {unknown}", ty.name);
            }
            // one character changed, wherever it stands
            for field in ty.fields {
                for at in 0..field.name.len() {
                    let other = format!("{}~{}", &field.name[..at], &field.name[at + 1..]);
                    assert!(shape.rule(&other).is_none(), "{} {other}", ty.name);
                }
            }
        }
    }

    #[test]
    fn every_primitive_has_a_check() {
        for t in TYPES.iter().filter(|t| t.kind == Kind::Primitive) {
            assert!(Primitive::named(t.name).is_some(), "{}", t.name);
        }
    }
}

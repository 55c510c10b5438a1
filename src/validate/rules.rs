//! What the base definitions say beyond structure, laid out by type: invariants, compiled when a type is first met, and the
//! bindings that need terminology.

use super::shape::Shape;
use crate::model::{self, Binding, CODEABLE_CONCEPT, CODING, Invariant, Kind, QUANTITY, TYPES, TypeId, is_a};
use crate::path::eval::Program;
use std::sync::{LazyLock, OnceLock};

/// One invariant, ready to be asked.
pub struct Constraint {
    pub invariant: &'static Invariant,
    pub program: Program,
    /// Whether the one before it has the same expression, as txt-2 has that of txt-1.
    pub is_as_before: bool,
}

/// What is asked about the values of one type.
#[derive(Default)]
pub struct Rules {
    /// Of the type and its bases.
    pub constraints: Vec<Constraint>,
    /// Of all values of the type, such as the units of an Age.
    pub binding: Option<&'static Binding>,
    /// In the order of the type's elements.
    pub elements: Vec<ElementRules>,
}

/// What is asked about the values of one element, besides what their type asks.
#[derive(Default)]
pub struct ElementRules {
    pub constraints: Vec<Constraint>,
    pub binding: Option<&'static Binding>,
    /// Whether anything is asked about what the element holds, or about what lies below it.
    pub is_asked: bool,
}

/// Invariants that the structure level decides, faster and with a better place: each element has a value or children, an
/// extension has a value or extensions.
const STRUCTURAL: &[&str] = &["ele-1", "ext-1"];

impl Rules {
    /// The rules for values of that type.
    pub fn of(ty: TypeId) -> &'static Rules {
        static RULES: LazyLock<Vec<OnceLock<Rules>>> = LazyLock::new(|| TYPES.iter().map(|_| OnceLock::new()).collect());
        RULES[usize::from(ty.0)].get_or_init(|| Rules::build(ty))
    }

    fn build(ty: TypeId) -> Rules {
        let lineage = || std::iter::successors(Some(ty), |ty| ty.get().base);
        let constraints = lineage().flat_map(|ancestor| compiled(ancestor.name(), Some(ty))).collect();
        let elements = ty.get().elements.iter().enumerate().map(|(number, element)| {
            let fields = || ty.get().fields.iter().filter(move |field| usize::from(field.element) == number);
            let path = |ancestor: TypeId| format!("{}.{}", ancestor.name(), element.name);
            // A backbone element's own type has its path for a name, so its constraints are those of the type.
            let own = lineage().flat_map(|ancestor| {
                let path = path(ancestor);
                let is_type = fields().any(|field| field.ty.name() == path);
                // what a choice holds is known when it is asked
                let ty = fields().next().filter(|_| fields().count() == 1).map(|field| field.ty);
                if is_type { Vec::new() } else { compiled(&path, ty).collect() }
            });
            let constraints: Vec<Constraint> = own.collect();
            let binding = lineage().find_map(|ancestor| model::binding_at(&path(ancestor)));
            let is_asked = !constraints.is_empty() || binding.is_some() || fields().any(|field| ASKED[usize::from(field.ty.0)]);
            ElementRules { constraints, binding, is_asked }
        });
        let binding = if ty.get().kind == Kind::Backbone { None } else { model::binding_at(ty.name()) };
        Rules { constraints, binding, elements: elements.collect() }
    }
}

/// The invariants at a path, for values of that type. A test compiles them all, so none is left out here.
fn compiled(path: &str, ty: Option<TypeId>) -> impl Iterator<Item = Constraint> {
    let judged = model::invariants_at(path).filter(|i| !STRUCTURAL.contains(&i.key) && !i.expression.is_empty());
    let mut before = "";
    judged.filter_map(move |invariant| {
        let program = Program::compile_lenient(invariant.expression, ty).ok()?;
        let is_as_before = std::mem::replace(&mut before, invariant.expression) == invariant.expression;
        Some(Constraint { invariant, program, is_as_before })
    })
}

/// By type: whether its values, or what lies below them, have anything to ask about. Nothing is asked about most data types, so
/// whole branches of a resource are passed over.
static ASKED: LazyLock<Vec<bool>> = LazyLock::new(|| {
    let own = |ty: TypeId| {
        std::iter::successors(Some(ty), |ty| ty.get().base).any(|ancestor| {
            let is_judged = |path: &str| model::invariants_at(path).any(|i| !STRUCTURAL.contains(&i.key));
            let path = |name: &str| format!("{}.{name}", ancestor.name());
            is_judged(ancestor.name())
                || model::binding_at(ancestor.name()).is_some()
                || ancestor.get().elements.iter().any(|e| is_judged(&path(e.name)) || model::binding_at(&path(e.name)).is_some())
        })
    };
    let mut asked: Vec<bool> = (0..TYPES.len()).map(|n| own(TypeId(n as u16))).collect();
    loop {
        let below = |n: usize| TYPES[n].fields.iter().any(|field| field.ty.get().kind == Kind::Resource || asked[usize::from(field.ty.0)]);
        let more: Vec<usize> = (0..TYPES.len()).filter(|n| !asked[*n] && TYPES[*n].kind != Kind::Primitive && below(*n)).collect();
        if more.is_empty() {
            return asked;
        }
        more.into_iter().for_each(|n| asked[n] = true);
    }
});

/// Whether values of that type carry codes that a binding can judge.
pub fn is_coded(ty: TypeId) -> bool {
    matches!(ty.name(), "code" | "string" | "uri") || is_a(ty, CODING) || is_a(ty, CODEABLE_CONCEPT) || is_a(ty, QUANTITY)
}

/// The shape and the rules of one type, looked up together.
pub fn of(ty: TypeId) -> (&'static Shape, &'static Rules) {
    (Shape::of(ty), Rules::of(ty))
}

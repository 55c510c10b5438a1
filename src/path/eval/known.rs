//! What an expression says of its result before there is a document: of which type the items are, and whether there can be several.

use super::code::{Code, Function, Kind, MatchKind};
use super::compile::{Static, member_of, static_of};
use super::item::System;
use crate::model::{Element, TypeId};
use crate::path::ast::Operator;

/// Whether code gives one item at most, for a focus of one item of a type.
pub(super) fn is_single(code: &Code, this: Static) -> bool {
    use Function::*;
    match &code.kind {
        Kind::Empty | Kind::Literal(_) | Kind::This | Kind::Index | Kind::Resource | Kind::Root | Kind::Context | Kind::Typed(_) => true,
        Kind::At { .. } | Kind::Sign { .. } | Kind::Is { .. } | Kind::Match { kind: MatchKind::Part | MatchKind::Full, .. } => true,
        Kind::Binary { operator, .. } => *operator != Operator::Union,
        Kind::Path { of, members } => {
            let mut ty = given_by(of, this);
            is_single(of, this)
                && members.iter().all(|member| {
                    let single = at_most_one(ty, &member.name);
                    ty = ty.member(&member.name);
                    single
                })
        }
        Kind::As { of, strict, .. } => *strict || is_single(of, this),
        Kind::OfType { of, .. } => is_single(of, this),
        Kind::Call { function, of, .. } => match function {
            First | Last | Single | Count | Join | Sum | Min | Max | Avg | Now | Today | TimeOfDay | GetValue => true,
            Where | Tail | Skip | Take | Distinct | Trace | CheckModifiers | Resolve | GetResourceKey | GetReferenceKey | Type => is_single(of, this),
            function => function.is_decision() || (function.takes_one() && !matches!(function, ToChars | Split)),
        },
        Kind::Set(_) | Kind::Total | Kind::Constant(_) | Kind::Bound { .. } | Kind::Match { .. } | Kind::Sort { .. } | Kind::Let { .. } => false,
    }
}

/// The type of the items that code gives, as far as paths tell.
fn given_by(code: &Code, this: Static) -> Static {
    use Function::*;
    match &code.kind {
        Kind::This => this,
        Kind::Typed(ty) => match this {
            Static::Fhir(this) if crate::model::is_a(this, *ty) => Static::Fhir(this),
            _ => Static::Fhir(*ty),
        },
        Kind::Path { of, members } => members.iter().fold(given_by(of, this), |ty, member| ty.member(&member.name)),
        Kind::OfType { of, named } | Kind::As { of, named, .. } => static_of(*named, given_by(of, this)),
        Kind::At { of, .. } => given_by(of, this),
        Kind::Call { function: First | Last | Single | Where | Tail | Skip | Take | Distinct | Trace, of, .. } => given_by(of, this),
        Kind::Binary { operator: Operator::Union, left, right } => match given_by(left, this) {
            ty if ty == given_by(right, this) => ty,
            _ => Static::Unknown,
        },
        Kind::Call { function: Extension, .. } => Static::Fhir(crate::model::EXTENSION),
        _ => Static::Unknown,
    }
}

fn at_most_one(of: Static, name: &str) -> bool {
    let element = |ty: TypeId| ty.get().elements.iter().find(|element| element.name == name);
    let one = |element: &Element| element.max <= 1;
    match of {
        Static::Fhir(ty) if ty.get().kind == crate::model::Kind::Primitive => matches!(name, "id" | "value"),
        Static::Fhir(ty) => element(ty).is_some_and(one),
        Static::Choice(ty, number) => {
            let mut fields = ty.get().fields.iter().filter(|field| field.element == number).peekable();
            fields.peek().is_some() && fields.all(|field| element(field.ty).is_none_or(one))
        }
        Static::System(System::Quantity) => true,
        Static::System(_) | Static::Unknown => false,
    }
}

impl Static {
    fn member(self, name: &str) -> Static {
        match self {
            Static::Fhir(ty) => member_of(ty, name).unwrap_or(Static::Unknown),
            _ => Static::Unknown,
        }
    }

    /// Whether values of the type `system` may be among items of this type.
    pub fn may_be(self, system: System) -> bool {
        match self {
            Static::Unknown => true,
            Static::System(own) => own == system,
            Static::Fhir(ty) => System::of(ty) == Some(system) || ty.get().is_abstract || ty == crate::model::ELEMENT,
            Static::Choice(ty, number) => {
                ty.get().fields.iter().filter(|field| field.element == number).any(|field| Static::Fhir(field.ty).may_be(system))
            }
        }
    }
}

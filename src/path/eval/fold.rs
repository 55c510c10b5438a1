//! What is the same for every document is worked out once.

use super::code::{Code, Kind};
use super::compare::{equal, unmetered};
use super::item::Item;
use super::run::Run;
use super::services::Scope;
use crate::json::Node;
use crate::path::ast::Operator;

/// Most literals of one set.
const MAX_SET: usize = 1_000;

/// The same code, or the literals that it gives.
pub(super) fn constant(code: Code) -> Code {
    let at = code.at;
    match code.kind {
        Kind::Binary { operator: Operator::Union, left, right } => match (literals(*left), literals(*right)) {
            (Ok(mut items), Ok(more)) if items.len() + more.len() <= MAX_SET => {
                for item in more {
                    if !items.iter().any(|known| matches!(equal(known, &item, &unmetered), Ok(Some(true)))) {
                        items.push(item);
                    }
                }
                Code { kind: Kind::Set(items.into()), at }
            }
            (left, right) => {
                let code = |side: Result<Vec<Item<'static>>, Code>| side.map_or_else(Box::new, |items| Code { kind: Kind::Set(items.into()), at }.into());
                Code { kind: Kind::Binary { operator: Operator::Union, left: code(left), right: code(right) }, at }
            }
        },
        kind => {
            let code = Code { kind, at };
            let is_constant = match &code.kind {
                Kind::Sign { of, .. } => is_literal(of),
                Kind::Binary { left, right, .. } => is_literal(left) && is_literal(right),
                _ => false,
            };
            match is_constant.then(|| value(&code)).flatten() {
                Some(item) => Code { kind: Kind::Literal(item), at },
                None => code,
            }
        }
    }
}

fn is_literal(code: &Code) -> bool {
    matches!(code.kind, Kind::Literal(_))
}

fn literals(code: Code) -> Result<Vec<Item<'static>>, Code> {
    match code.kind {
        Kind::Literal(item) => Ok(vec![item]),
        Kind::Set(items) => Ok(items.into_vec()),
        kind => Err(Code { kind, at: code.at }),
    }
}

/// The one value; an error is left for the evaluation.
fn value(code: &Code) -> Option<Item<'static>> {
    let scope = Scope::of(Node::Null);
    let run = Run::new(&scope, None);
    run.single(code, &run.frame()).ok().flatten().and_then(Item::into_owned)
}

//! FHIRPath: any bytes as an expression, on any resource. It is refused with its place, or it ends within its limits.

use fhirlake::json::{Limits as JsonLimits, parse, root};
use fhirlake::path::eval::{Item, Limits, Program, Scope};
use fhirlake::path::parse as parse_expression;

/// Any bytes as an expression: refused with a place in it, or compiled.
pub fn path_text(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    if let Err(error) = parse_expression(text) {
        assert!(error.position() <= text.len().max(64 * 1024), "{error}");
    }
    for lenient in [false, true] {
        let compiled = if lenient { Program::compile_lenient(text, None) } else { Program::compile(text, None) };
        match compiled {
            Ok(_) => return true,
            Err(error) => assert!(!error.to_string().ends_with('.') && error.position() <= text.len().max(64 * 1024), "{error}"),
        }
    }
    false
}

/// An expression, a newline, and a resource as JSON text. Whether it gives anything.
pub fn path(bytes: &[u8]) -> bool {
    let Some(newline) = bytes.iter().position(|byte| *byte == b'\n') else { return false };
    let Ok(document) = parse(&bytes[newline + 1..], &JsonLimits::default()) else { return false };
    path_container(&bytes[..newline], &document)
}

/// The same on a container, which may be damaged.
pub fn path_container(expression: &[u8], document: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(expression) else { return false };
    let (Ok(program), Some(node)) = (Program::compile(text, None), root(document)) else { return false };
    let constants = [("x", Item::any(node))];
    let limits = Limits { steps: 20_000, items: 2_000, text: 1 << 16 };
    let scope = Scope { constants: &constants, limits, ..Scope::of(node) };
    let all = program.evaluate(Item::any(node), &scope);
    match &all {
        Ok(items) => {
            assert!(items.len() <= limits.items, "{} items", items.len());
            for item in items {
                let _ = (item.to_text(), item.to_container(), item.to_number(), item.to_days(), item.to_microseconds(), item.type_name());
            }
            if !program.needs_clock() {
                let exists = program.exists(Item::any(node), &scope);
                assert_eq!(exists, Ok(!items.is_empty()), "{text}");
            }
        }
        Err(error) => {
            assert!(error.at <= text.len() && error.sqlstate().len() == 5, "{error}");
            assert!(error.to_string().len() < 3_000 + text.len(), "{error}");
        }
    }
    let _ = program.truth(Item::any(node), &scope);
    all.is_ok_and(|items| !items.is_empty())
}

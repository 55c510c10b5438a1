//! Validation as SQL functions.

use super::level::Level;
use super::{Issue, lake, validation};
use crate::json::{self, Node};
use crate::pg::arrays::texts;
use crate::pg::error::{self, Error};
use crate::pg::function::{Call, Value};
use crate::sql_function;

sql_function!(fhir_is_valid, |call| Ok(is_valid(json::root(call.jsonb(0)?))?.into()));
sql_function!(fhir_is_valid_of, |call| {
    let Some(node) = json::root(call.jsonb(0)?) else { return Ok(false.into()) };
    let second = call.text(1)?;
    if let Some(level) = Level::named(second) {
        // No type is called like a level. What depends on a lake is no matter of a CHECK or an index.
        if !level.is_immutable() {
            return Err(Error::new(error::INVALID_PARAMETER, format!("level {} asks a lake", level.name()))
                .hint("fhir.is_valid(resource, level, profiles) does; profiles may be '{}'"));
        }
        return Ok(lake::refused("", node, level, &[], 1)?.is_empty().into());
    }
    let is_of_type = node.get("resourceType").and_then(Node::as_str) == Some(second);
    Ok((is_of_type && is_valid(Some(node))?).into())
});
sql_function!(fhir_issues, |call| {
    let found = json::root(call.jsonb(0)?).map(|node| lake::issues_of("", node, Level::Structure, &[]));
    list(call, found.transpose()?.unwrap_or_default(), Columns::Base)
});
sql_function!(fhir_issues_at, |call| list(call, asked(call)?, Columns::All));
sql_function!(fhir_validate, |call| Ok(Value::Jsonb(validation(&asked(call)?))));
sql_function!(fhir_is_valid_at, |call| Ok(asking(call, |lake, resource, level, profiles| lake::refused(lake, resource, level, profiles, 1))?.is_empty().into()));
sql_function!(fhir_must_support, |call| {
    let found = lake::supported(call.text(2)?, json::root(call.jsonb(0)?), call.text(1)?)?;
    let mut rows = call.rows()?;
    for support in found {
        rows.add([support.element.into(), (support.count as i64).into()]);
    }
    Ok(Value::Null)
});

/// Whether the structure has no error.
fn is_valid(resource: Option<Node<'_>>) -> Result<bool, Error> {
    Ok(match resource {
        Some(resource) => lake::refused("", resource, Level::Structure, &[], 1)?.is_empty(),
        None => false,
    })
}

fn asked(call: &Call) -> Result<Vec<Issue>, Error> {
    asking(call, lake::issues_of)
}

/// `ask(lake, resource, level, profiles)`
type Ask = fn(&str, Node<'_>, Level, &[String]) -> Result<Vec<Issue>, Error>;

/// `(resource, level, profiles, lake)`
fn asking(call: &Call, ask: Ask) -> Result<Vec<Issue>, Error> {
    let level = level(call.text(1)?)?;
    let profiles = match call.datum(2) {
        // SAFETY: the SQL declaration says that this argument is a text[].
        Some(array) => unsafe { texts(array) }.into_iter().map(str::to_owned).collect::<Vec<String>>(),
        None => Vec::new(),
    };
    if !profiles.is_empty() && level != Level::Profile {
        return Err(Error::new(error::INVALID_PARAMETER, format!("level {} checks no profiles", level.name())).hint("level => 'profile' does"));
    }
    let unreadable = || Issue::fatal("not a JSON object");
    json::root(call.jsonb(0)?).map_or_else(|| Ok(vec![unreadable()]), |resource| ask(call.text(3)?, resource, level, &profiles))
}

/// The level of that name.
pub fn level(name: &str) -> Result<Level, Error> {
    Level::named(name).ok_or_else(|| {
        let shown: String = name.chars().take(64).collect();
        Error::new(error::INVALID_PARAMETER, format!("validation has no level \"{shown}\"")).hint("levels are structure, invariants, bindings and profile")
    })
}

enum Columns {
    Base,
    /// Also the rule and the profile.
    All,
}

fn list(call: &Call, issues: Vec<Issue>, columns: Columns) -> Result<Value, Error> {
    let mut rows = call.rows()?;
    for issue in issues {
        let base = [issue.severity.code().into(), issue.code.into(), issue.expression.into(), issue.details.into()];
        match columns {
            Columns::Base => rows.add(base),
            Columns::All => rows.add(base.into_iter().chain([Value::Text(issue.rule.into_owned()), issue.profile.as_deref().into()])),
        }
    }
    Ok(Value::Null)
}

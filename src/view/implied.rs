//! What a condition on a column of a view says of the keys of a resource, so that the index can serve it.
//!
//! `fhir.path_text(resource, 'code.coding.first().code') = '8480-6'` holds only of resources that `code=8480-6` finds. The search is
//! implied: it may find more, never less. The JSON properties that an expression goes through are those that a search parameter
//! reads, or lie below them; what stands between, such as `first()` or `where()`, only leaves some of the values away.

use crate::index::known::Known;
use crate::index::query::{Query, escape};
use crate::index::sound::PHONETIC;
use crate::index::{keys, time};
use crate::model::{self, Kind, ParameterType, SearchParameter, TypeId, is_a, type_named};
use crate::path::ast::{Expr, ExprKind, Invocation, Literal, Operator, TypeOperator};
use crate::path::eval::System;
use crate::path::{self, Branch, Compiled, Condition, Step, reference};
use std::fmt::Write;
use std::sync::Arc;

/// The SQL function that makes the column.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Function {
    Text,
    Date,
    Timestamp,
}

impl Function {
    /// By its name in SQL.
    pub fn named(name: &str) -> Option<Function> {
        Some(match name {
            "path_text" => Function::Text,
            "path_date" => Function::Date,
            "path_timestamp" => Function::Timestamp,
            _ => return None,
        })
    }
}

/// What the keys know of a column.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    ty: TypeId,
    parameter: &'static str,
    form: Form,
}

/// How the values of the column stand in the values of the parameter.
#[derive(Clone, PartialEq, Debug)]
enum Form {
    /// As a code, where it is known in that system.
    Code(Option<String>),
    System,
    /// As a whole string.
    Exact,
    Uri,
    /// As the text of a reference.
    Reference,
    /// As the id in a reference, to that type.
    Id(Option<TypeId>),
    /// As the first instant of a date or of a period.
    Start { zoned: bool, period: bool },
    /// As the first instant of the date on which a period ends.
    End { zoned: bool },
    /// As the first instant of a date somewhere in what is kept.
    Within { zoned: bool },
}

/// The path of JSON properties that the items of an expression come by.
#[derive(Clone, PartialEq, Debug)]
struct Way {
    ty: TypeId,
    fields: Vec<Field>,
    /// The id in a reference, to that type.
    id: Option<Option<TypeId>>,
}

#[derive(Clone, PartialEq, Debug)]
struct Field {
    name: &'static str,
    ty: TypeId,
    /// Members that are single texts there.
    filters: Vec<(&'static str, String)>,
}

/// Ways beyond this are not looked at.
const MAX_WAYS: usize = 64;
/// Nor lists of more values than this.
pub const MAX_VALUES: usize = 1_000;
/// Nor values longer than this.
const MAX_VALUE: usize = 4_096;

impl Way {
    /// Whether it leads to the bounds of a timing.
    fn is_bound(&self) -> bool {
        self.fields.windows(2).any(|two| two[0].ty == model::TIMING && two[1].name == "repeat")
    }
}

/// How many times an expression `(… | X.event.first() | … | X.repeat.bounds.ofType(Period).start).first()` asks for the bounds of a timing
/// where that has no event; 0 where it also asks for others.
fn bounds_behind_events(expression: &str) -> usize {
    let Some(inner) = expression.strip_prefix('(').and_then(|text| text.strip_suffix(").first()")) else { return 0 };
    let parts: Vec<&str> = inner.split(" | ").collect();
    if parts.iter().any(|part| path::parse(part).is_err()) {
        return 0; // they are no parts
    }
    let is_behind = |(number, part): (usize, &&str)| {
        let timing = part.strip_suffix(".repeat.bounds.ofType(Period).start")?;
        Some(parts[..number].iter().any(|before| before.strip_suffix(".event.first()") == Some(timing)))
    };
    let found: Vec<bool> = parts.iter().enumerate().filter_map(is_behind).collect();
    if found.iter().all(|is_behind| *is_behind) { found.len() } else { 0 }
}

/// What the keys of resources of the type know of a column, if anything.
pub fn column(ty: TypeId, function: Function, expression: &str) -> Option<Column> {
    let ways = ways(&path::parse(expression).ok()?, ty)?;
    // the bounds of a timing are lost among its events where they are no period, so they may only stand for one without any
    if ways.iter().filter(|way| way.is_bound()).count() > bounds_behind_events(expression) {
        return None;
    }
    // what can be no value of the column does not matter: a text that is equal to none of JSON, a date
    let ways: Vec<Way> = ways.into_iter().filter(|way| function == Function::Text || way.id.is_some() || is_moment(way.ty)).collect();
    let wanted = |way: &Way| way.id.is_some() || way.ty.get().kind == Kind::Primitive;
    let ways: Vec<&Way> = ways.iter().filter(|way| wanted(way)).collect();
    if ways.is_empty() || ways.iter().any(|way| way.id.is_some() && function != Function::Text) {
        return None;
    }
    let mut best: Option<((usize, usize, &str), Column)> = None;
    for (parameter, branches) in parameters(ty) {
        let found: Option<Vec<(Form, usize)>> = ways.iter().map(|way| covered(parameter, branches, way, function)).collect();
        let Some(found) = found else { continue };
        let Some(form) = united(found.iter().map(|(form, _)| form)) else { continue };
        let rest = found.iter().map(|(_, rest)| *rest).max().unwrap_or(0);
        let rank = (branches.len(), rest, parameter.code);
        if best.as_ref().is_none_or(|(known, _)| rank < *known) {
            best = Some((rank, Column { ty, parameter: parameter.code, form }));
        }
    }
    best.map(|(_, column)| column)
}

/// As [`column`], remembered for the life of the process where it is asked for again. There are as many answers as views have columns.
pub fn known_column(ty: TypeId, function: Function, expression: &str) -> Option<Arc<Column>> {
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex};
    type Answers = HashMap<(TypeId, Function, String), Option<Arc<Column>>>;
    const MAX: usize = 10_000;
    static KNOWN: LazyLock<Mutex<Answers>> = LazyLock::new(Mutex::default);
    let key = (ty, function, expression.to_owned());
    let Ok(mut known) = KNOWN.lock() else { return None };
    if let Some(found) = known.get(&key) {
        return found.clone();
    }
    if known.len() >= MAX {
        known.clear();
    }
    let found = column(ty, function, expression).map(Arc::new);
    known.insert(key, found.clone());
    found
}

const HOUR: i64 = 3_600_000_000;
/// Microseconds in a day.
pub const DAY: i64 = 24 * HOUR;
/// How far the day of a time in its own zone may lie from the day in UTC: zones reach to 14:59.
const ZONES: i64 = 15 * HOUR;

/// What a date is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// A date, as the instant at which it begins in UTC.
    Day,
    /// A timestamp without time zone, as if in UTC.
    Local,
    Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

/// Between which instants a column lies, both included, in microseconds since 2000-01-01 UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    pub low: Option<i64>,
    pub high: Option<i64>,
}

/// How far a local time may lie from UTC in the time zone of a session.
const SESSION_ZONES: i64 = 16 * HOUR;

/// Between which instants a column lies that stands so to a value. A date is the instant at which it begins in UTC, on both sides; where
/// one side is an instant and the other none, what they are compared by depends on the time zone of the session.
pub fn bound(function: Function, value: Moment, comparison: Comparison, at: i64) -> Bound {
    let (slack, unit) = match (function, value) {
        (Function::Date, Moment::Day) => (0, DAY),
        (Function::Date, Moment::Local) | (Function::Timestamp, Moment::Instant) => (0, 1),
        _ => (SESSION_ZONES, 0),
    };
    let low = |unit: i64| Some(at.saturating_sub(slack).saturating_add(unit));
    let high = |unit: i64| Some(at.saturating_add(slack).saturating_sub(unit));
    match comparison {
        Comparison::Less => Bound { low: None, high: high(unit) },
        Comparison::LessOrEqual => Bound { low: None, high: high(0) },
        Comparison::Equal => Bound { low: low(0), high: high(0) },
        Comparison::GreaterOrEqual => Bound { low: low(0), high: None },
        Comparison::Greater => Bound { low: low(unit), high: None },
    }
}

impl Column {
    /// The search that finds all resources in which the column is one of these texts; `None` where the keys cannot tell.
    pub fn any_of<'v>(&self, values: impl IntoIterator<Item = &'v str>) -> Option<String> {
        let (mut searched, mut count) = (Vec::new(), 0);
        for value in values {
            count += 1;
            if count > MAX_VALUES {
                return None;
            }
            let one = self.one(value)?;
            if !searched.contains(&one) {
                searched.push(one);
            }
        }
        let modifier = match self.form {
            Form::Exact => ":exact",
            Form::Id(_) => ":$to",
            _ => "",
        };
        (!searched.is_empty()).then(|| format!("{}!?{}{modifier}={}", self.ty.name(), self.parameter, searched.join(",")))
    }

    /// Whether texts can be searched for at all.
    pub fn takes_texts(&self) -> bool {
        !matches!(self.form, Form::Start { .. } | Form::End { .. } | Form::Within { .. })
    }

    fn one(&self, value: &str) -> Option<String> {
        // a value with parts is given as JSON, and an empty one has no key
        if value.is_empty() || value.len() > MAX_VALUE || value.starts_with(['{', '[']) || value.contains('\0') {
            return None;
        }
        let plain = || encode(&escape(value));
        Some(match &self.form {
            Form::Code(None) | Form::Exact => plain(),
            Form::Uri => plain(),
            Form::Code(Some(system)) => format!("{}|{}", encode(&escape(system)), plain()),
            Form::System => format!("{}|", plain()),
            // one into the resource itself has no key
            Form::Reference => keys::Target::read(value).map(|_| plain())?,
            Form::Id(_) if !reference::is_id(value) => return None,
            Form::Id(Some(ty)) => format!("{}/{value}", ty.name()),
            Form::Id(None) => value.to_owned(),
            Form::Start { .. } | Form::End { .. } | Form::Within { .. } => return None,
        })
    }

    /// The search that finds all resources in which the column lies between two instants, both included, in microseconds since
    /// 2000-01-01 UTC. Where the column is a date, the instants are those at which the days begin in UTC.
    pub fn between(&self, function: Function, low: Option<i64>, high: Option<i64>) -> Option<String> {
        let zoned = match self.form {
            Form::Start { zoned, .. } | Form::End { zoned } | Form::Within { zoned } => zoned,
            _ => return None,
        };
        // the day of a column is that of its own zone, and the instant lies somewhere in it
        let (before, after) = match function {
            Function::Date => (if zoned { ZONES } else { 0 }, DAY - 1 + if zoned { ZONES } else { 0 }),
            _ => (0, 0),
        };
        let low = low.map(|low| low.saturating_sub(before)).filter(|low| *low > time::FIRST).map(|low| low.min(time::LAST));
        let high = high.map(|high| high.saturating_add(after)).filter(|high| *high < time::LAST).map(|high| high.max(time::FIRST));
        // one range instead of two: a period that begins between the bounds overlaps what lies between them
        if let (Some(low), Some(high), Form::Start { period: true, .. } | Form::Within { .. }) = (low, high, &self.form)
            && low <= high
        {
            return Some(format!("{}!?{}:$if-any=ap{}/{}", self.ty.name(), self.parameter, time::instant_text(low), time::instant_text(high + 1)));
        }
        let (modifier, low, high) = match self.form {
            Form::Start { period, .. } => (
                if period { ":$if-any" } else { "" },
                low.map(|low| format!("ge{}", time::shown(low))),
                high.map(|high| format!("lt{}", time::shown(high + 1))),
            ),
            // what is kept ends behind the date, and does not begin behind it
            Form::Within { .. } => (":$if-any", low.map(|low| format!("gt{}", exactly(low - 1))), high.map(|high| format!("lt{}", time::shown(high + 1)))),
            // The date that it ends on is the one that the searched instant lies before. The period may begin within that date.
            _ => (
                ":$if-any",
                low.map(|low| format!("gt{}", exactly(low - 1))),
                high.and_then(|high| high.checked_add(367 * DAY).filter(|high| *high < time::LAST)).map(|high| format!("lt{}", time::shown(high))),
            ),
        };
        let bounds: Vec<String> = low.into_iter().chain(high).map(|bound| format!("{}{modifier}={bound}", self.parameter)).collect();
        (!bounds.is_empty()).then(|| format!("{}!?{}", self.ty.name(), bounds.join("&")))
    }
}

/// An instant told to the microsecond, which as a search value covers no more.
fn exactly(at: i64) -> String {
    let text = time::instant_text(at);
    match text.strip_suffix('Z').filter(|text| !text.contains('.')) {
        Some(text) => format!("{text}.000000Z"),
        None => text,
    }
}

/// The searches that find all resources of which a boolean expression is true.
pub fn conditions(ty: TypeId, expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(expression) = path::parse(expression) {
        truths(&expression, ty, &mut found);
    }
    found
}

// The recursion of these is bounded by the height of the tree, which the parser bounds.
fn truths(expr: &Expr, ty: TypeId, found: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::Binary { operator: Operator::And, left, right } => {
            truths(left, ty, found);
            truths(right, ty, found);
        }
        ExprKind::Binary { operator: Operator::Equal, left, right } => {
            let (Some(of), Some(text)) = (text_of(left).map_or_else(|| ways(left, ty), |_| ways(right, ty)), text_of(right).or_else(|| text_of(left))) else { return };
            found.extend(of.first().filter(|way| of.len() == 1 && is_text(way)).and_then(|way| equal(ty, way, text)));
        }
        ExprKind::Invoke { of: Some(of), what: Invocation::Function { name, arguments } } if name == "exists" => {
            let Some(ways) = ways(of, ty) else { return };
            let [mut way] = ways.try_into().unwrap_or_else(|_| [Way { ty, fields: Vec::new(), id: None }]);
            if let [criteria] = arguments.as_slice() {
                filter(&mut way, criteria);
            }
            for depth in 1..=way.fields.len() {
                filtered(ty, &way.fields[..depth], found);
            }
        }
        _ => {}
    }
}

/// The searches for what the members of the last field are said to be.
fn filtered(ty: TypeId, fields: &[Field], found: &mut Vec<String>) {
    let Some((last, before)) = fields.split_last() else { return };
    let search = |name: &'static str, text: &String| {
        let member = last.ty.get().field(name)?;
        let mut fields = before.to_vec();
        fields.push(last.clone());
        fields.push(Field { name, ty: member.ty, filters: Vec::new() });
        equal(ty, &Way { ty: member.ty, fields, id: None }, text)
    };
    let all: Vec<String> = last.filters.iter().filter_map(|(name, text)| search(name, text)).collect();
    // a system alone says less than a code in that system
    let best = all.iter().filter(|search| !search.ends_with('|')).min_by_key(|search| !search.contains('|')).or(all.first());
    found.extend(best.cloned());
}

fn equal(ty: TypeId, way: &Way, text: &str) -> Option<String> {
    let mut best: Option<((usize, &str), Column)> = None;
    for (parameter, branches) in parameters(ty) {
        if let Some((form, _)) = covered(parameter, branches, way, Function::Text) {
            let rank = (branches.len(), parameter.code);
            if best.as_ref().is_none_or(|(known, _)| rank < *known) {
                best = Some((rank, Column { ty, parameter: parameter.code, form }));
            }
        }
    }
    best?.1.any_of([text])
}

fn text_of(expr: &Expr) -> Option<&str> {
    if let ExprKind::Literal(Literal::String(text)) = &expr.kind { Some(text) } else { None }
}

/// Whether values that are equal to a literal have the same text.
fn is_text(way: &Way) -> bool {
    way.id.is_some() || System::of(way.ty) == Some(System::String)
}

fn is_moment(ty: TypeId) -> bool {
    matches!(ty, model::DATE | model::DATE_TIME | model::INSTANT)
}

/// The ways by which the items of an expression come; `None` where it makes other items than it finds.
fn ways(expr: &Expr, root: TypeId) -> Option<Vec<Way>> {
    let found = match &expr.kind {
        ExprKind::Invoke { of: None, what: Invocation::Member(name) } => {
            let start = Way { ty: root, fields: Vec::new(), id: None };
            match type_named(name).filter(|_| name.starts_with(|c: char| c.is_ascii_uppercase())) {
                Some(ty) => is_a(root, ty).then(|| vec![start])?,
                None => members(&[start], name)?,
            }
        }
        ExprKind::Invoke { of: Some(of), what: Invocation::Member(name) } => members(&ways(of, root)?, name)?,
        ExprKind::Invoke { of: Some(of), what: Invocation::Function { name, arguments } } => {
            let mut found = ways(of, root)?;
            match (name.as_str(), arguments.as_slice()) {
                ("first" | "last" | "single" | "tail" | "distinct", []) | ("skip" | "take", [_]) => found,
                ("where", [criteria]) => {
                    found.iter_mut().for_each(|way| filter(way, criteria));
                    found
                }
                ("ofType" | "as", [ty]) => of_type(found, &ty.as_type_specifier()?.name)?,
                ("getReferenceKey", arguments) => {
                    let ty = match arguments {
                        [] => None,
                        [ty] => Some(type_named(&ty.as_type_specifier()?.name)?),
                        _ => return None,
                    };
                    found.retain(|way| way.ty == model::REFERENCE);
                    found.iter_mut().for_each(|way| way.id = Some(ty));
                    found
                }
                _ => return None,
            }
        }
        ExprKind::Index { of, .. } => ways(of, root)?,
        ExprKind::Type { operator: TypeOperator::As, of, specifier } => of_type(ways(of, root)?, &specifier.name)?,
        ExprKind::Binary { operator: Operator::Union, left, right } => {
            let mut found = ways(left, root)?;
            found.extend(ways(right, root)?);
            found
        }
        _ => return None,
    };
    (found.len() <= MAX_WAYS).then_some(found)
}

fn members(ways: &[Way], name: &str) -> Option<Vec<Way>> {
    let mut found = Vec::new();
    for way in ways {
        let ty = way.ty.get();
        let Some(element) = ty.elements.iter().position(|element| element.name == name).filter(|_| way.id.is_none()) else {
            // what the definitions do not have, an expression may yet find
            return None;
        };
        for field in ty.fields.iter().filter(|field| usize::from(field.element) == element) {
            let mut fields = way.fields.clone();
            fields.push(Field { name: field.name, ty: field.ty, filters: Vec::new() });
            found.push(Way { ty: field.ty, fields, id: None });
        }
        if found.len() > MAX_WAYS {
            return None;
        }
    }
    Some(found)
}

fn of_type(mut ways: Vec<Way>, name: &str) -> Option<Vec<Way>> {
    let ty = type_named(name)?;
    ways.retain(|way| way.id.is_none() && is_a(way.ty, ty));
    Some(ways)
}

/// Notes what a `where` says of single texts.
fn filter(way: &mut Way, criteria: &Expr) {
    let ExprKind::Binary { operator, left, right } = &criteria.kind else { return };
    match operator {
        Operator::And => {
            filter(way, left);
            filter(way, right);
        }
        Operator::Equal => {
            let (of, text) = match (text_of(left), text_of(right)) {
                (None, Some(text)) => (left, text),
                (Some(text), None) => (right, text),
                _ => return,
            };
            let ExprKind::Invoke { of: None, what: Invocation::Member(name) } = &of.kind else { return };
            let Some(last) = way.fields.last_mut().filter(|_| way.id.is_none()) else { return };
            let ty = last.ty.get();
            let Some(field) = ty.field(name).filter(|field| System::of(field.ty) == Some(System::String)) else { return };
            let element = &ty.elements[usize::from(field.element)];
            if !element.is_choice && element.max == 1 {
                last.filters.push((field.name, text.to_owned()));
            }
        }
        _ => {}
    }
}

/// The search parameters of a type whose keys tell of single values.
fn parameters(ty: TypeId) -> impl Iterator<Item = (&'static SearchParameter, &'static [Branch])> {
    static KNOWN: Known<TypeId, &[(&SearchParameter, &[Branch])]> = Known::new();
    let all = KNOWN.of(ty, || {
        let known = model::search_parameters(ty).filter(|parameter| !keys::is_column(parameter.key) && parameter.code != PHONETIC);
        let compiled = known.filter_map(|parameter| match path::compile(parameter.expression, ty) {
            Ok(Compiled::Values(branches)) => Some((parameter, &*branches.leak())),
            _ => None,
        });
        compiled.collect::<Vec<_>>().leak()
    });
    all.iter().copied()
}

/// How the values that come by a way stand in those of the parameter, and how far below them.
fn covered(parameter: &SearchParameter, branches: &[Branch], way: &Way, function: Function) -> Option<(Form, usize)> {
    branches.iter().find_map(|branch| {
        let rest = below(branch, way)?;
        let above = &way.fields[..way.fields.len() - rest.len()];
        Some((form(parameter.ty, branch.ty, above, rest, way, function)?, rest.len()))
    })
}

/// The fields of the way behind those of the branch, if all values at the end of the way come by the branch.
fn below<'w>(branch: &Branch, way: &'w Way) -> Option<&'w [Field]> {
    let mut rest = way.fields.as_slice();
    for (number, step) in branch.steps.iter().enumerate() {
        match step {
            Step::Field { name, ty } => {
                let (first, behind) = rest.split_first()?;
                if first.name != *name || first.ty != *ty {
                    return None;
                }
                rest = behind;
            }
            // a reference that shows another type has no id of this one
            Step::Where(Condition::Resolves(ty)) if number + 1 == branch.steps.len() && way.id == Some(Some(*ty)) && rest.is_empty() => {}
            _ => return None,
        }
    }
    Some(rest)
}

fn form(kind: ParameterType, ty: TypeId, above: &[Field], rest: &[Field], way: &Way, function: Function) -> Option<Form> {
    let names: Vec<&str> = rest.iter().map(|field| field.name).collect();
    let names = names.as_slice();
    if function != Function::Text {
        let zoned = way.ty != model::DATE;
        return match (kind, ty, names) {
            (ParameterType::Date, ty, []) if is_moment(ty) => Some(Form::Start { zoned, period: false }),
            (ParameterType::Date, model::PERIOD, ["start"]) => Some(Form::Start { zoned, period: true }),
            (ParameterType::Date, model::PERIOD, ["end"]) => Some(Form::End { zoned }),
            (ParameterType::Date, model::TIMING, ["event"] | ["repeat", "boundsPeriod", "start"]) => Some(Form::Within { zoned }),
            _ => None,
        };
    }
    if let Some(target) = way.id {
        return (kind == ParameterType::Reference && ty == model::REFERENCE && names.is_empty()).then_some(Form::Id(target));
    }
    if System::of(way.ty) != Some(System::String) {
        return None;
    }
    let system_of = |holder: Option<&Field>| {
        let filters = holder.map_or(&[][..], |field| field.filters.as_slice());
        filters.iter().find(|(name, text)| *name == "system" && !text.is_empty()).map(|(_, system)| system.clone())
    };
    Some(match (kind, ty, names) {
        (ParameterType::Token, model::CODEABLE_CONCEPT, ["coding", "code"]) => Form::Code(system_of(rest.first())),
        (ParameterType::Token, model::CODEABLE_CONCEPT, ["coding", "system"]) => Form::System,
        (ParameterType::Token, model::CODING, ["code"]) | (ParameterType::Token, model::IDENTIFIER, ["value"]) => Form::Code(system_of(above.last())),
        (ParameterType::Token, model::CODING | model::IDENTIFIER, ["system"]) => Form::System,
        (ParameterType::Token, model::CONTACT_POINT, ["value"]) => Form::Code(None),
        (ParameterType::Token, ty, []) if ty.get().kind == Kind::Primitive => Form::Code(None),
        (ParameterType::String, ty, []) if ty.get().kind == Kind::Primitive => Form::Exact,
        // each string of a name or an address, but for its id
        (ParameterType::String, ty, [name]) if ty.get().kind == Kind::Complex && way.ty == model::STRING && *name != "id" => Form::Exact,
        (ParameterType::Uri, ty, []) if ty.get().kind == Kind::Primitive => Form::Uri,
        (ParameterType::Reference, model::REFERENCE, ["reference"]) => Form::Reference,
        (ParameterType::Reference, ty, []) if ty.get().kind == Kind::Primitive => Form::Reference,
        _ => return None,
    })
}

/// One form for values that come by several ways.
fn united<'f>(forms: impl Iterator<Item = &'f Form>) -> Option<Form> {
    let mut united: Option<Form> = None;
    for form in forms {
        united = Some(match (united, form) {
            (None, form) => form.clone(),
            (Some(known), form) if known == *form => known,
            (Some(Form::Start { zoned: a, period: p }), Form::Start { zoned: b, period: q }) => Form::Start { zoned: a || *b, period: p || *q },
            (Some(Form::Start { zoned: a, .. } | Form::Within { zoned: a }), Form::Start { zoned: b, .. } | Form::Within { zoned: b }) => Form::Within { zoned: a || *b },
            _ => return None,
        });
    }
    united
}

/// A value as it stands in the text of a search.
fn encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut buffer = [0; 4];
    for c in value.chars() {
        let is_plain = c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '/' | ':' | '\\' | ',' | '|' | '$' | '@');
        if is_plain {
            out.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut buffer).bytes() {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Whether the text of a search can be read, so that it can be asked at all.
pub fn is_readable(search: &str) -> bool {
    Query::parse(search).is_ok()
}

#[cfg(test)]
#[path = "implied_tests.rs"]
mod tests;

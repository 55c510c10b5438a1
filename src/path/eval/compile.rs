//! The tree of an expression to code.
//!
//! Where the type of the focus is known, so are the types of what a path leads to, and a name that none of them has is refused:
//! <http://hl7.org/fhirpath/N1/#type-safety-and-strict-evaluation>.

use super::code::{Code, FUNCTIONS, Function, Kind, MatchKind, Member, Pattern, Place};
use super::fold;
use super::item::{Item, Named, System};
use super::moment::Moment;
use super::quantity::{Quantity, Unit};
use super::run::Stack;
use crate::model::{self, TypeId, is_a, type_named};
use crate::path::PathError;
use crate::pattern::{MAX_TOGETHER, Matcher, Refused};
use crate::path::ast::{self, Expr, ExprKind, Invocation, Literal, Operator, TypeOperator, TypeSpecifier};
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::sync::Mutex;

/// Largest compiled regular expression, in bytes.
const MAX_REGEX: usize = 4 << 20;

/// What each computed one keeps at most, in bytes, and counts among those of the whole expression.
pub(super) const MAX_KEPT: usize = 128 << 10;

/// What is known of items before there is a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Static {
    Unknown,
    Fhir(TypeId),
    /// The choices of an element of a type.
    Choice(TypeId, u16),
    System(System),
}

pub(super) struct Compiler {
    pub lenient: bool,
    pub needs_clock: bool,
    pub needs_services: bool,
    pub constants: Vec<String>,
    /// Names that `defineVariable` bound, with their slots, innermost last.
    variables: Vec<(String, u16, Static)>,
    slots: u16,
    stack: Stack,
    /// Bytes that further regular expressions may take.
    left: usize,
}

/// What stands around an expression.
#[derive(Clone, Copy)]
struct Around {
    this: Static,
    total: Static,
}

/// A `defineVariable` on the way to the end of its path.
struct Pending {
    slot: u16,
    input: Code,
    value: Option<Code>,
    at: u32,
}

type Typed = (Code, Static);

fn code(kind: Kind, at: usize) -> Code {
    Code { kind, at: at as u32 }
}

fn unsupported<T>(at: usize, what: impl Into<String>) -> Result<T, PathError> {
    Err(PathError::Syntax { at, problem: what.into() })
}

impl Compiler {
    pub fn new(lenient: bool) -> Self {
        Compiler {
            lenient,
            needs_clock: false,
            needs_services: false,
            constants: Vec::new(),
            variables: Vec::new(),
            slots: 0,
            stack: Stack::here(),
            left: MAX_TOGETHER,
        }
    }

    pub fn program(&mut self, expr: &Expr, context: Static) -> Result<Typed, PathError> {
        self.expression(expr, Around { this: context, total: Static::Unknown })
    }

    /// A whole path: variables that it defines live until its end.
    fn expression(&mut self, expr: &Expr, around: Around) -> Result<Typed, PathError> {
        let mut pending = Vec::new();
        let known = self.variables.len();
        let (mut body, ty) = self.path(expr, around, &mut pending)?;
        self.variables.truncate(known);
        for Pending { slot, input, value, at } in pending.into_iter().rev() {
            let kind = Kind::Let { slot, input: input.into(), value: value.map(Box::new), body: body.into() };
            body = Code { kind, at };
        }
        Ok((body, ty))
    }

    fn path(&mut self, expr: &Expr, around: Around, pending: &mut Vec<Pending>) -> Result<Typed, PathError> {
        let at = expr.at;
        if self.stack.is_spent() {
            return Err(PathError::TooDeep { at });
        }
        Ok(match &expr.kind {
            ExprKind::Literal(literal) => self.literal(literal, at)?,
            ExprKind::Constant(name) => self.constant(name, at),
            ExprKind::Invoke { of: None, what } => self.start(what, at, around, pending)?,
            ExprKind::Invoke { of: Some(of), what } => {
                let of = self.path(of, around, pending)?;
                self.invoke(of, what, at, around, pending)?
            }
            ExprKind::Index { of, index } => {
                let (of, ty) = self.path(of, around, pending)?;
                let (index, _) = self.expression(index, around)?;
                (code(Kind::At { of: of.into(), index: index.into() }, at), ty)
            }
            ExprKind::Sign { minus, of } => {
                let (of, ty) = self.expression(of, around)?;
                (fold::constant(code(Kind::Sign { minus: *minus, of: of.into() }, at)), ty)
            }
            ExprKind::Type { operator, of, specifier } => {
                let of = self.expression(of, around)?;
                let named = self.named(specifier, at)?;
                self.typed(*operator, of, named, at)
            }
            ExprKind::Binary { operator, left, right } => {
                let (left, a) = self.expression(left, around)?;
                let (right, b) = self.expression(right, around)?;
                let ty = result(*operator, a, b);
                (fold::constant(code(Kind::Binary { operator: *operator, left: left.into(), right: right.into() }, at)), ty)
            }
        })
    }

    fn literal(&self, literal: &Literal, at: usize) -> Result<Typed, PathError> {
        let (item, system) = match literal {
            Literal::Empty => return Ok((code(Kind::Empty, at), Static::Unknown)),
            Literal::Boolean(value) => (Item::Boolean(*value), System::Boolean),
            Literal::String(text) => (Item::String(Cow::Owned(text.clone())), System::String),
            Literal::Number(text) => match text.parse::<i32>() {
                Ok(value) => (Item::Integer(value.into()), System::Integer),
                Err(_) => (Item::Decimal(self.decimal(text, at)?), System::Decimal),
            },
            Literal::Date(text) => (Item::Date(self.moment(Moment::date(text), text, at)?), System::Date),
            Literal::DateTime(text) => (Item::DateTime(self.moment(Moment::date_time(text), text, at)?), System::DateTime),
            Literal::Time(text) => (Item::Time(self.moment(Moment::time(text), text, at)?), System::Time),
            Literal::Quantity { value, unit } => {
                let unit = match unit {
                    ast::Unit::Ucum(text) => Unit::code(Cow::Owned(text.clone())),
                    ast::Unit::Calendar(word) => Unit::code(Cow::Borrowed(word)),
                };
                (Item::Quantity(Quantity { value: self.decimal(value, at)?, unit }), System::Quantity)
            }
        };
        Ok((code(Kind::Literal(item), at), Static::System(system)))
    }

    fn decimal(&self, text: &str, at: usize) -> Result<Decimal, PathError> {
        match Decimal::from_str_exact(text) {
            Ok(value) => Ok(value),
            Err(_) => unsupported(at, "number has more than 28 digits"),
        }
    }

    fn moment(&self, moment: Option<Moment>, text: &str, at: usize) -> Result<Moment, PathError> {
        match moment {
            Some(moment) => Ok(moment),
            None => unsupported(at, format!("\"@{text}\" is not in the calendar")),
        }
    }

    fn constant(&mut self, name: &str, at: usize) -> Typed {
        if let Some((_, slot, ty)) = self.variables.iter().rev().find(|(known, ..)| known == name) {
            return (code(Kind::Bound { slot: *slot, is_value: true }, at), *ty);
        }
        let text = |text: String| (code(Kind::Literal(Item::String(Cow::Owned(text))), at), Static::System(System::String));
        match name {
            "resource" => (code(Kind::Resource, at), Static::Unknown),
            "rootResource" => (code(Kind::Root, at), Static::Unknown),
            "context" => (code(Kind::Context, at), Static::Unknown),
            "ucum" => text("http://unitsofmeasure.org".into()),
            "sct" => text("http://snomed.info/sct".into()),
            "loinc" => text("http://loinc.org".into()),
            _ => match (name.strip_prefix("vs-"), name.strip_prefix("ext-")) {
                (Some(id), _) => text(format!("http://hl7.org/fhir/ValueSet/{id}")),
                (_, Some(id)) => text(format!("http://hl7.org/fhir/StructureDefinition/{id}")),
                _ => {
                    self.constants.push(name.to_owned());
                    (code(Kind::Constant(name.into()), at), Static::Unknown)
                }
            },
        }
    }

    /// What stands first in a path, on the focus.
    fn start(&mut self, what: &Invocation, at: usize, around: Around, pending: &mut Vec<Pending>) -> Result<Typed, PathError> {
        let this = (code(Kind::This, at), around.this);
        match what {
            Invocation::This => Ok(this),
            Invocation::Index => Ok((code(Kind::Index, at), Static::System(System::Integer))),
            Invocation::Total => Ok((code(Kind::Total, at), around.total)),
            Invocation::Member(name) => {
                if name.starts_with(|c: char| c.is_ascii_uppercase())
                    && let Some(ty) = type_named(name)
                    && !matches!(self.member_type(around.this, name), Some(found) if found != Static::Unknown)
                {
                    let fits = match around.this {
                        Static::Fhir(this) => is_a(this, ty) || is_a(ty, this),
                        Static::Unknown => true,
                        _ => false,
                    };
                    if !fits && !self.lenient {
                        return self.unknown_element(around.this, name, at);
                    }
                    let known = if matches!(around.this, Static::Fhir(this) if is_a(this, ty)) { around.this } else { Static::Fhir(ty) };
                    return Ok((code(Kind::Typed(ty), at), known));
                }
                self.member(this, name, at)
            }
            Invocation::Function { .. } => self.invoke(this, what, at, around, pending),
        }
    }

    fn unknown_element<T>(&self, of: Static, name: &str, at: usize) -> Result<T, PathError> {
        let of = match of {
            Static::Fhir(ty) => ty.name(),
            Static::Choice(ty, number) => ty.get().elements.get(usize::from(number)).map_or("", |element| element.name),
            Static::System(system) => system.name(),
            Static::Unknown => "",
        };
        Err(PathError::UnknownElement { at, name: name.to_owned(), of })
    }

    /// The type of a member; `None` where the type is known and has no such member.
    fn member_type(&self, of: Static, name: &str) -> Option<Static> {
        match of {
            Static::Unknown => Some(Static::Unknown),
            Static::System(System::Quantity) => matches!(name, "value" | "unit" | "code").then_some(Static::Unknown),
            Static::System(_) => None,
            Static::Fhir(ty) => member_of(ty, name),
            Static::Choice(ty, number) => {
                let mut found = None;
                for field in ty.get().fields.iter().filter(|field| field.element == number) {
                    match (member_of(field.ty, name), found) {
                        (Some(ty), None) => found = Some(ty),
                        (Some(ty), Some(before)) if ty != before => return Some(Static::Unknown),
                        _ => {}
                    }
                }
                found
            }
        }
    }

    fn member(&self, of: Typed, name: &str, at: usize) -> Result<Typed, PathError> {
        let ty = match self.member_type(of.1, name) {
            Some(ty) => ty,
            None if self.lenient => Static::Unknown,
            None => return self.unknown_element(of.1, name, at),
        };
        let member = Member::new(name);
        if let Static::Fhir(ty) = of.1 {
            member.place(ty);
        }
        let kind = match of.0 {
            Code { kind: Kind::Path { of, mut members }, .. } => {
                members.push(member);
                Kind::Path { of, members }
            }
            of => Kind::Path { of: of.into(), members: vec![member] },
        };
        Ok((code(kind, at), ty))
    }

    fn invoke(&mut self, of: Typed, what: &Invocation, at: usize, around: Around, pending: &mut Vec<Pending>) -> Result<Typed, PathError> {
        match what {
            Invocation::Member(name) => self.member(of, name, at),
            Invocation::This | Invocation::Index | Invocation::Total => unsupported(at, "a name must follow the dot"),
            Invocation::Function { name, arguments } => match (name.as_str(), arguments.as_slice()) {
                ("is", [argument]) => {
                    let named = self.named_by(argument)?;
                    Ok(self.typed(TypeOperator::Is, of, named, at))
                }
                ("as", [argument]) => {
                    let named = self.named_by(argument)?;
                    Ok(self.typed(TypeOperator::As, of, named, at))
                }
                ("ofType", [argument]) => {
                    let named = self.named_by(argument)?;
                    let ty = static_of(named, of.1);
                    Ok((code(Kind::OfType { of: of.0.into(), named }, at), ty))
                }
                ("matches", [pattern] | [pattern, _]) => self.matches(MatchKind::Part, of, pattern, None, at, around),
                ("matchesFull", [pattern] | [pattern, _]) => self.matches(MatchKind::Full, of, pattern, None, at, around),
                ("replaceMatches", [pattern, by]) => self.matches(MatchKind::Replace, of, pattern, Some(by), at, around),
                ("sort", keys) => self.sort(of, keys, at),
                ("defineVariable", [name] | [name, _]) => self.define(of, name, arguments.get(1), at, pending),
                _ => self.call(of, name, arguments, at, around),
            },
        }
    }

    fn matches(&mut self, kind: MatchKind, of: Typed, pattern: &Expr, by: Option<&Expr>, at: usize, around: Around) -> Result<Typed, PathError> {
        let (pattern, _) = self.expression(pattern, around)?;
        let pattern = match &pattern.kind {
            Kind::Literal(Item::String(text)) => match regex(text, kind, self.left) {
                Ok(matcher) => {
                    self.left = self.left.saturating_sub(matcher.size());
                    Pattern::Constant(matcher.into())
                }
                Err(problem) => return unsupported(pattern.at as usize, problem),
            },
            _ => match self.left.checked_sub(MAX_KEPT) {
                Some(left) => {
                    self.left = left;
                    Pattern::Computed(Box::new(pattern), Mutex::new(None).into())
                }
                None => return unsupported(pattern.at as usize, TOGETHER),
            },
        };
        let arguments = by.map(|by| self.expression(by, around).map(|(code, _)| code)).transpose()?.into_iter().collect();
        let ty = Static::System(if kind == MatchKind::Replace { System::String } else { System::Boolean });
        Ok((code(Kind::Match { kind, of: of.0.into(), pattern, arguments }, at), ty))
    }

    fn sort(&mut self, of: Typed, keys: &[Expr], at: usize) -> Result<Typed, PathError> {
        let within = Around { this: of.1, total: Static::Unknown };
        let mut compiled = Vec::new();
        for key in keys {
            // A minus before a key turns its order; it need not be a number.
            let (is_descending, key) = match &key.kind {
                ExprKind::Sign { minus: true, of } => (true, of.as_ref()),
                _ => (false, key),
            };
            compiled.push((is_descending, self.expression(key, within)?.0));
        }
        Ok((code(Kind::Sort { of: of.0.into(), keys: compiled.into() }, at), of.1))
    }

    fn define(&mut self, of: Typed, name: &Expr, value: Option<&Expr>, at: usize, pending: &mut Vec<Pending>) -> Result<Typed, PathError> {
        let ExprKind::Literal(Literal::String(name)) = &name.kind else {
            return unsupported(at, "the name of a variable must be a string");
        };
        if matches!(name.as_str(), "resource" | "rootResource" | "context" | "ucum" | "sct" | "loinc")
            || name.starts_with("vs-")
            || name.starts_with("ext-")
            || self.variables.iter().any(|(known, ..)| known == name)
        {
            return unsupported(at, format!("%{name} is defined already"));
        }
        let value = value.map(|value| self.expression(value, Around { this: of.1, total: Static::Unknown })).transpose()?;
        let Some(next) = self.slots.checked_add(1) else { return Err(PathError::TooBroad { at }) };
        let slot = std::mem::replace(&mut self.slots, next);
        self.variables.push((name.clone(), slot, value.as_ref().map_or(of.1, |(_, ty)| *ty)));
        pending.push(Pending { slot, input: of.0, value: value.map(|(code, _)| code), at: at as u32 });
        Ok((code(Kind::Bound { slot, is_value: false }, at), of.1))
    }

    fn call(&mut self, of: Typed, name: &str, arguments: &[Expr], at: usize, around: Around) -> Result<Typed, PathError> {
        let Some((_, function, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            return unsupported(at, format!("unknown function \"{name}\""));
        };
        if !(*least..=*most).contains(&arguments.len()) {
            let count = if least == most { least.to_string() } else { format!("{least} to {most}") };
            return unsupported(at, format!("{name}() takes {count} arguments, not {}", arguments.len()));
        }
        let function = *function;
        self.needs_clock |= function.needs_clock();
        self.needs_services |= function.needs_services();
        let within = match function {
            Function::Aggregate => Around { this: of.1, total: Static::Unknown },
            _ if function.is_per_item() => Around { this: of.1, total: around.total },
            _ => around,
        };
        let mut compiled = Vec::new();
        let mut types = Vec::new();
        for (number, argument) in arguments.iter().enumerate() {
            // What aggregation begins with, and the name of a trace, stand outside.
            let around = if matches!((function, number), (Function::Aggregate, 1) | (Function::Trace, 0)) { around } else { within };
            // What is repeated is asked of what it gave, too.
            let around = match function {
                Function::Repeat | Function::RepeatAll => self.repeated(argument, around),
                _ => around,
            };
            if function == Function::GetReferenceKey {
                let Some(TypeSpecifier { namespace: None, name }) = argument.as_type_specifier() else {
                    return unsupported(argument.at, "name of a type expected");
                };
                compiled.push(code(Kind::Literal(Item::String(Cow::Owned(name))), argument.at));
                continue;
            }
            let (code, ty) = self.expression(argument, around)?;
            compiled.push(code);
            types.push(ty);
        }
        let ty = self.result_of(function, of.1, &types);
        Ok((code(Kind::Call { function, of: of.0.into(), arguments: compiled.into() }, at), ty))
    }

    /// What `$this` is in a repeated expression: the same type where a plain path leads back to it.
    fn repeated(&self, argument: &Expr, around: Around) -> Around {
        fn plain(compiler: &Compiler, expr: &Expr, this: Static) -> Option<Static> {
            match &expr.kind {
                ExprKind::Invoke { of: None, what: Invocation::Member(name) } => compiler.member_type(this, name),
                ExprKind::Invoke { of: Some(of), what: Invocation::Member(name) } => compiler.member_type(plain(compiler, of, this)?, name),
                _ => None,
            }
        }
        if plain(self, argument, around.this) == Some(around.this) { around } else { Around { this: Static::Unknown, ..around } }
    }

    fn result_of(&self, function: Function, of: Static, arguments: &[Static]) -> Static {
        use Function::*;
        match function {
            Empty | Exists | All | AllTrue | AnyTrue | AllFalse | AnyFalse | SubsetOf | SupersetOf | IsDistinct | Not | ToBoolean
            | ConvertsToBoolean | ConvertsToInteger | ConvertsToDecimal | ConvertsToString | ConvertsToDate | ConvertsToDateTime
            | ConvertsToTime | ConvertsToQuantity | StartsWith | EndsWith | Contains | Comparable | HasExtension | HasValue | MemberOf
            | Subsumes | SubsumedBy | ConformsTo | HtmlChecks => Static::System(System::Boolean),
            Count | ToInteger | IndexOf | LastIndexOf | Length | Precision | YearOf | MonthOf | DayOf | HourOf | MinuteOf | SecondOf
            | MillisecondOf => Static::System(System::Integer),
            ToStringValue | Substring | Upper | Lower | Replace | ToChars | Encode | Decode | Escape | Unescape | Trim | Split | Join
            | GetResourceKey | GetReferenceKey => Static::System(System::String),
            ToDecimal | TimezoneOffsetOf => Static::System(System::Decimal),
            ToDate | Today | DateOf => Static::System(System::Date),
            ToDateTime | Now => Static::System(System::DateTime),
            ToTime | TimeOfDay | TimeOf => Static::System(System::Time),
            ToQuantity => Static::System(System::Quantity),
            Where | Single | First | Last | Tail | Skip | Take | Intersect | Exclude | Distinct | Trace | CheckModifiers => of,
            Select => arguments.first().copied().unwrap_or(Static::Unknown),
            Union | Combine => arguments.first().copied().filter(|ty| *ty == of).unwrap_or(Static::Unknown),
            Iif => match arguments {
                [_, a, b] if a == b => *a,
                _ => Static::Unknown,
            },
            Extension => Static::Fhir(model::EXTENSION),
            _ => Static::Unknown,
        }
    }

    fn typed(&self, operator: TypeOperator, of: Typed, named: Named, at: usize) -> Typed {
        match operator {
            TypeOperator::Is => {
                (code(Kind::Is { of: of.0.into(), named, lenient: self.lenient }, at), Static::System(System::Boolean))
            }
            TypeOperator::As => (code(Kind::As { of: of.0.into(), named, strict: !self.lenient }, at), static_of(named, of.1)),
        }
    }

    fn named_by(&self, argument: &Expr) -> Result<Named, PathError> {
        match argument.as_type_specifier() {
            Some(specifier) => self.named(&specifier, argument.at),
            None => unsupported(argument.at, "name of a type expected"),
        }
    }

    fn named(&self, specifier: &TypeSpecifier, at: usize) -> Result<Named, PathError> {
        let name = specifier.name.as_str();
        let found = match specifier.namespace.as_deref() {
            Some("System") => Some(System::named(name).map_or(Named::None, Named::System)),
            Some("FHIR") => type_named(name).map(Named::Fhir),
            Some(_) => None,
            None => match (type_named(name), System::named(name)) {
                (Some(ty), Some(system)) => Some(Named::Both(ty, system)),
                (Some(ty), None) => Some(Named::Fhir(ty)),
                (None, Some(system)) => Some(Named::System(system)),
                (None, None) => None,
            },
        };
        let full = || specifier.namespace.iter().map(|n| format!("{n}.")).chain([name.to_owned()]).collect();
        found.ok_or_else(|| PathError::UnknownType { at, name: full() })
    }
}

/// What is known of items of a type among items of which `of` is known.
pub(super) fn static_of(named: Named, of: Static) -> Static {
    match (named, of) {
        (Named::Fhir(ty), _) | (Named::Both(ty, _), Static::Fhir(_) | Static::Choice(..)) => Static::Fhir(ty),
        (Named::System(system), _) | (Named::Both(_, system), Static::System(_)) => Static::System(system),
        (Named::Both(..), Static::Unknown) | (Named::None, _) => Static::Unknown,
    }
}

/// The type of a member of a type; `None` where it has no such member.
pub(super) fn member_of(ty: TypeId, name: &str) -> Option<Static> {
    let definition = ty.get();
    if definition.is_abstract || ty == model::ELEMENT {
        // What derives from it has more.
        return Some(match Member::new(name).place(ty) {
            Place::Field(field) => Static::Fhir(field.ty).known(),
            _ => Static::Unknown,
        });
    }
    if definition.kind == model::Kind::Primitive {
        return match name {
            "id" => Some(Static::Fhir(model::STRING)),
            "extension" => Some(Static::Fhir(model::EXTENSION)),
            "value" => Some(System::of(ty).map_or(Static::Unknown, Static::System)),
            _ => None,
        };
    }
    match Member::new(name).place(ty) {
        Place::Field(field) => Some(Static::Fhir(field.ty).known()),
        Place::Choice(number) => Some(Static::Choice(ty, number)),
        Place::Missing if name == "resourceType" => Some(Static::Unknown),
        Place::Missing => None,
    }
}

impl Static {
    /// Of a type from which others derive nothing is known for certain.
    fn known(self) -> Static {
        match self {
            Static::Fhir(ty) if ty.get().is_abstract || ty == model::ELEMENT => Static::Unknown,
            known => known,
        }
    }
}

fn result(operator: Operator, a: Static, b: Static) -> Static {
    use Operator::*;
    match operator {
        Less | LessOrEqual | Greater | GreaterOrEqual | Equal | Equivalent | NotEqual | NotEquivalent | In | Contains | And | Or
        | Xor | Implies => Static::System(System::Boolean),
        Concatenate => Static::System(System::String),
        Union if a == b => a,
        _ => Static::Unknown,
    }
}

/// That there are too many.
const TOGETHER: &str = "regular expressions of the expression are too large together";

/// A regular expression that is matched in linear time, of up to `left` bytes.
pub(super) fn regex(text: &str, kind: MatchKind, left: usize) -> Result<Matcher, &'static str> {
    Matcher::new(text, kind == MatchKind::Full, left.min(MAX_REGEX)).map_err(|refused| match refused {
        Refused::TooLarge if left < MAX_REGEX => TOGETHER,
        Refused::TooLarge => "regular expression is too large",
        Refused::Wrong => "not a regular expression, or one that cannot be matched in linear time",
    })
}

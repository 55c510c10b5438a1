//! Static compilation of the FHIRPath that search parameters use.
//!
//! Where the full language asks a value for its type at run time, here the definitions answer beforehand: a path becomes
//! one [`Branch`] for each JSON property that can hold its result. Three habits of R4's published expressions
//! go past the language and are let through (see [`Leniency`]).

use super::PathError;
use super::ast::{self, Expr, ExprKind, Invocation, Operator, TypeOperator, TypeSpecifier};
use super::parse::parse;
use super::select::MAX_INDEXES;
use super::compare::{Operand, Pattern, Relation, TextTest};
use crate::model::{BOOLEAN, ELEMENT, EXTENSION, Field, Kind, STRING, TypeId, is_a, type_named};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What an expression leads to.
#[derive(Clone, PartialEq, Debug)]
pub enum Compiled {
    Values(Vec<Branch>),
    /// A boolean expression, evaluated on the resource.
    Truth(Condition),
}

/// One way through the JSON of a resource.
#[derive(Clone, PartialEq, Debug)]
pub struct Branch {
    pub steps: Vec<Step>,
    /// The static type of what the steps lead to.
    pub ty: TypeId,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Into a JSON property and, where that holds an array, into its items.
    Field { name: &'static str, ty: TypeId },
    /// Only the item of that number, counted over all that the steps before lead to.
    Index(usize),
    /// Only where the condition holds.
    Where(Condition),
}

/// A condition on one node, with the three-valued logic of FHIRPath.
#[derive(Clone, PartialEq, Debug)]
pub enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Xor(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Exists(Vec<Branch>),
    Equals(Vec<Branch>, Literal),
    NotEquals(Vec<Branch>, Literal),
    /// Two single values stand so to each other.
    Compare(Operand, Relation, Operand),
    /// The one string passes the test.
    Text(Vec<Branch>, TextTest),
    /// The number of values stands so to that one.
    Count(Vec<Branch>, Relation, u32),
    /// False, or not known.
    NotTrue(Box<Condition>),
    /// This Reference points at a resource of that type.
    Resolves(TypeId),
    /// This resource is of that type.
    Is(TypeId),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    String(String),
    Bool(bool),
    /// As written.
    Number(String),
    /// A date, with or without a time.
    Moment(String),
    Time(String),
    /// Its unit is a UCUM code.
    Quantity { value: String, unit: String },
}

/// Something that is not strictly FHIRPath but has one sensible meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Leniency {
    /// `as(DateTime)` where the type is `dateTime`.
    TypeName { written: String, meant: &'static str },
    /// `valueQuantity` where the element is `value`.
    ChoiceProperty(&'static str),
    /// `as` on an element that may repeat, where the language allows one item; it is read as `ofType`.
    AsOnMany(&'static str),
}

/// Compiles `expression` for resources of the type `root`. Of a union only those paths stay that start at `root` or a base of it;
/// a path that starts with an element starts at `root`, which may then be any type.
pub fn compile(expression: &str, root: TypeId) -> Result<Compiled, PathError> {
    compile_noting(expression, root, &mut |_| {})
}

/// The same, telling what needed leniency.
pub fn compile_noting(expression: &str, root: TypeId, note: &mut dyn FnMut(Leniency)) -> Result<Compiled, PathError> {
    let expr = parse(expression)?;
    let start = [Path { branch: Branch { steps: Vec::new(), ty: root }, many: false }];
    let mut compiler = Compiler { note, left: MAX_PATHS };
    match compiler.outcome(&expr, &Focus { paths: &start, is_root: true })? {
        Outcome::Values(paths) => Ok(Compiled::Values(paths.into_iter().flat_map(with_extension_values).map(|p| p.branch).collect())),
        Outcome::Truth(condition) => Ok(Compiled::Truth(condition)),
        Outcome::Resolved(_) => unsupported(&expr, "the content of another resource"),
        Outcome::Literal(_) => unsupported(&expr, "a literal"),
        Outcome::Count(_) => unsupported(&expr, "a number of values"),
    }
}

/// Compiles `expression` to whether it is true of a resource of the type `root`, or leads to anything in it: what is `false` is
/// not anything.
pub fn compile_condition(expression: &str, root: TypeId) -> Result<Condition, PathError> {
    let expr = parse(expression)?;
    let start = [Path { branch: Branch { steps: Vec::new(), ty: root }, many: false }];
    let mut compiler = Compiler { note: &mut |_| {}, left: MAX_PATHS };
    match compiler.outcome(&expr, &Focus { paths: &start, is_root: true })? {
        Outcome::Truth(condition) => Ok(condition),
        Outcome::Values(paths) => {
            let is_true = Condition::Equals(vec![Branch { steps: Vec::new(), ty: BOOLEAN }], Literal::Bool(true));
            let mut found = branches(paths);
            found.iter_mut().filter(|b| b.ty == BOOLEAN).for_each(|b| b.steps.push(Step::Where(is_true.clone())));
            Ok(Condition::Exists(found))
        }
        Outcome::Resolved(_) => unsupported(&expr, "the content of another resource"),
        Outcome::Literal(_) => unsupported(&expr, "a literal"),
        Outcome::Count(_) => unsupported(&expr, "a number of values"),
    }
}

/// Compiles the criteria of a `where` on values of the type `ty`.
pub fn criteria(expr: &Expr, ty: TypeId) -> Result<Condition, PathError> {
    let this = [Path { branch: Branch { steps: Vec::new(), ty }, many: false }];
    let mut compiler = Compiler { note: &mut |_| {}, left: MAX_PATHS };
    truth(expr, compiler.outcome(expr, &Focus { paths: &this, is_root: false })?)
}

#[derive(Clone)]
struct Path {
    branch: Branch,
    /// Whether it can lead to more than one value.
    many: bool,
}

/// What a relative path starts from.
struct Focus<'p> {
    paths: &'p [Path],
    /// Whether that is the input of the whole expression: only there a path may start with a type.
    is_root: bool,
}

enum Outcome {
    Values(Vec<Path>),
    Truth(Condition),
    /// The resources that these references point at; all that can be asked is their type.
    Resolved(Vec<Path>),
    Literal(Literal),
    /// How many values there are.
    Count(Vec<Path>),
}

struct Compiler<'n> {
    note: &'n mut dyn FnMut(Leniency),
    /// How many more paths may be made.
    left: usize,
}

/// Most paths that compiling makes on its way: an element with a choice of types multiplies them.
const MAX_PATHS: usize = 10_000;

fn unsupported<T>(expr: &Expr, what: &str) -> Result<T, PathError> {
    Err(PathError::Unsupported { at: expr.at, what: what.to_owned() })
}

// The recursion of these is bounded by the height of the tree, which the parser bounds.
impl Compiler<'_> {
    fn outcome(&mut self, expr: &Expr, focus: &Focus) -> Result<Outcome, PathError> {
        match &expr.kind {
            ExprKind::Literal(ast::Literal::Boolean(b)) => Ok(Outcome::Literal(Literal::Bool(*b))),
            ExprKind::Literal(ast::Literal::String(s)) => Ok(Outcome::Literal(Literal::String(s.clone()))),
            ExprKind::Literal(ast::Literal::Number(n)) => Ok(Outcome::Literal(Literal::Number(n.clone()))),
            ExprKind::Literal(ast::Literal::Date(d) | ast::Literal::DateTime(d)) => Ok(Outcome::Literal(Literal::Moment(d.clone()))),
            ExprKind::Literal(ast::Literal::Time(t)) => Ok(Outcome::Literal(Literal::Time(t.clone()))),
            ExprKind::Literal(ast::Literal::Quantity { value, unit: ast::Unit::Ucum(unit) }) => {
                Ok(Outcome::Literal(Literal::Quantity { value: value.clone(), unit: unit.clone() }))
            }
            ExprKind::Literal(ast::Literal::Empty) => Ok(Outcome::Values(Vec::new())),
            ExprKind::Literal(_) => unsupported(expr, "a length of time"),
            ExprKind::Constant(name) if matches!(name.as_str(), "resource" | "context") && focus.is_root => {
                Ok(Outcome::Values(focus.paths.to_vec()))
            }
            ExprKind::Constant(name) => unsupported(expr, &format!("%{name}")),
            ExprKind::Invoke { of: None, what: Invocation::This } => {
                self.charge(expr, focus.paths.len())?;
                Ok(Outcome::Values(focus.paths.to_vec()))
            }
            ExprKind::Invoke { of: None, what: Invocation::Member(name) } if focus.is_root => self.start(expr, name, focus.paths),
            ExprKind::Invoke { of, what } => {
                let of = match of {
                    Some(of) => self.outcome(of, focus)?,
                    None => Outcome::Values(focus.paths.to_vec()),
                };
                match what {
                    Invocation::Member(name) => match of {
                        Outcome::Values(paths) => Ok(Outcome::Values(self.members(expr, name, &paths)?)),
                        _ => unsupported(expr, "an element of this"),
                    },
                    Invocation::Function { name, arguments } => self.function(expr, of, name, arguments),
                    _ => unsupported(expr, "this variable"),
                }
            }
            ExprKind::Index { of, index } => match (self.outcome(of, focus)?, &index.kind) {
                (Outcome::Values(paths), ExprKind::Literal(ast::Literal::Number(n))) => match n.parse() {
                    Ok(n) => nth(expr, paths, n),
                    Err(_) => unsupported(index, "this index"),
                },
                _ => unsupported(index, "a computed index"),
            },
            ExprKind::Sign { minus, of } => match self.outcome(of, focus)? {
                Outcome::Literal(Literal::Number(n)) => Ok(Outcome::Literal(Literal::Number(if *minus { format!("-{n}") } else { n }))),
                _ => unsupported(expr, "arithmetic"),
            },
            ExprKind::Type { operator, of, specifier } => {
                let of = self.outcome(of, focus)?;
                let ty = self.named_type(expr, specifier)?;
                match operator {
                    TypeOperator::Is => is(expr, of, ty),
                    TypeOperator::As => self.as_type(expr, of, ty, true),
                }
            }
            ExprKind::Binary { operator: Operator::In, left, right } => {
                let left = self.outcome(left, focus)?;
                self.is_in(expr, left, right)
            }
            ExprKind::Binary { operator, left, right } => {
                let (a, b) = (self.outcome(left, focus)?, self.outcome(right, focus)?);
                binary(expr, *operator, a, b)
            }
        }
    }

    /// `x in ('a' | 'b')`
    #[inline(never)]
    fn is_in(&mut self, expr: &Expr, left: Outcome, right: &Expr) -> Result<Outcome, PathError> {
        let Outcome::Values(paths) = left else { return unsupported(expr, "membership of this") };
        let of = branches(paths);
        let mut any = None;
        for literal in self.listed(right)? {
            self.charge(expr, of.len())?;
            let one = Condition::Equals(of.clone(), literal);
            any = Some(match any {
                Some(any) => Condition::Or(Box::new(any), Box::new(one)),
                None => one,
            });
        }
        Ok(Outcome::Truth(any.unwrap_or(Condition::Exists(Vec::new()))))
    }

    /// The literals of a union.
    fn listed(&mut self, expr: &Expr) -> Result<Vec<Literal>, PathError> {
        if let ExprKind::Binary { operator: Operator::Union, left, right } = &expr.kind {
            let mut all = self.listed(left)?;
            all.append(&mut self.listed(right)?);
            return Ok(all);
        }
        match self.outcome(expr, &Focus { paths: &[], is_root: false })? {
            Outcome::Literal(literal @ (Literal::String(_) | Literal::Bool(_) | Literal::Number(_))) => Ok(vec![literal]),
            _ => unsupported(expr, "anything but a list of strings and numbers here"),
        }
    }

    fn charge(&mut self, expr: &Expr, paths: usize) -> Result<(), PathError> {
        match self.left.checked_sub(paths) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(PathError::TooBroad { at: expr.at }),
        }
    }

    /// A name at the very start: a type, or an element of the input.
    fn start(&mut self, expr: &Expr, name: &str, paths: &[Path]) -> Result<Outcome, PathError> {
        if name.starts_with(|c: char| c.is_ascii_uppercase()) {
            let Some(ty) = type_named(name) else {
                return Err(PathError::UnknownType { at: expr.at, name: name.to_owned() });
            };
            return Ok(Outcome::Values(paths.iter().filter(|p| is_a(p.branch.ty, ty)).cloned().collect()));
        }
        Ok(Outcome::Values(self.members(expr, name, paths)?))
    }

    /// The element `name` of each path that has it. It is an error when there are paths but none has.
    fn members(&mut self, expr: &Expr, name: &str, paths: &[Path]) -> Result<Vec<Path>, PathError> {
        let mut found = Vec::new();
        for path in paths {
            found.extend(beside_primitive(path, name));
            let (fields, lenient) = fields_of(path.branch.ty, name);
            if let (true, Some(field)) = (lenient, fields.first()) {
                (self.note)(Leniency::ChoiceProperty(field.name));
            }
            self.charge(expr, fields.len())?;
            found.extend(fields.into_iter().map(|field| into_field(path, field)));
        }
        match paths.first() {
            Some(path) if found.is_empty() => {
                Err(PathError::UnknownElement { at: expr.at, name: name.to_owned(), of: path.branch.ty.name() })
            }
            _ => Ok(found),
        }
    }

    fn function(&mut self, expr: &Expr, of: Outcome, name: &str, arguments: &[Expr]) -> Result<Outcome, PathError> {
        let unknown = || unsupported(expr, &format!("{name}() with {} arguments here", arguments.len()));
        Ok(match (of, name, arguments) {
            (of, "as" | "ofType" | "is", [argument]) => {
                let Some(specifier) = argument.as_type_specifier() else {
                    return unsupported(argument, "anything but a type here");
                };
                let ty = self.named_type(argument, &specifier)?;
                return if name == "is" { is(expr, of, ty) } else { self.as_type(expr, of, ty, name == "as") };
            }
            (Outcome::Values(paths), "where", [criteria]) => Outcome::Values(self.filtered(paths, criteria)?),
            (Outcome::Values(paths), "exists", [criteria]) => Outcome::Truth(exists(self.filtered(paths, criteria)?)),
            (Outcome::Values(paths), "exists" | "hasValue", []) => Outcome::Truth(exists(paths)),
            (Outcome::Values(paths), "empty", []) => Outcome::Truth(Condition::Not(Box::new(exists(paths)))),
            (Outcome::Values(paths), "all", [criteria]) => {
                let others = self.met(paths, criteria, |condition| Condition::NotTrue(Box::new(condition)))?;
                Outcome::Truth(Condition::Not(Box::new(exists(others))))
            }
            (Outcome::Values(paths), "select", [projection]) => self.outcome(projection, &Focus { paths: &paths, is_root: false })?,
            (Outcome::Values(paths), "count", []) => Outcome::Count(paths),
            (Outcome::Values(paths), "startsWith" | "endsWith" | "contains" | "matches", [argument]) => return self.text_test(paths, name, argument),
            (Outcome::Values(paths), "first", []) => return nth(expr, paths, 0),
            (Outcome::Values(paths), "resolve", []) => Outcome::Resolved(paths),
            (Outcome::Values(paths), "extension" | "hasExtension", [url]) => return self.extension(expr, paths, name, url),
            (of, "not", []) => Outcome::Truth(Condition::Not(Box::new(truth(expr, of)?))),
            _ => return unknown(),
        })
    }

    #[inline(never)]
    fn extension(&mut self, expr: &Expr, paths: Vec<Path>, name: &str, url: &Expr) -> Result<Outcome, PathError> {
        let Outcome::Literal(url @ Literal::String(_)) = self.outcome(url, &Focus { paths: &[], is_root: false })? else {
            return unsupported(expr, "a computed url");
        };
        let mut found = self.members(expr, "extension", &paths)?;
        let this = [Path { branch: Branch { steps: Vec::new(), ty: EXTENSION }, many: false }];
        let condition = Condition::Equals(branches(self.members(expr, "url", &this)?), url);
        found.iter_mut().for_each(|p| p.branch.steps.push(Step::Where(condition.clone())));
        Ok(if name == "extension" { Outcome::Values(found) } else { Outcome::Truth(exists(found)) })
    }

    #[inline(never)]
    fn text_test(&mut self, paths: Vec<Path>, name: &str, argument: &Expr) -> Result<Outcome, PathError> {
        let Outcome::Literal(Literal::String(text)) = self.outcome(argument, &Focus { paths: &[], is_root: false })? else {
            return unsupported(argument, "anything but a string here");
        };
        let test = match name {
            "startsWith" => TextTest::StartsWith(text),
            "endsWith" => TextTest::EndsWith(text),
            "contains" => TextTest::Contains(text),
            _ => match Pattern::new(&text) {
                Some(pattern) => TextTest::Matches(pattern),
                None => return Err(PathError::Syntax { at: argument.at, problem: "no regular expression, or too large a one".into() }),
            },
        };
        Ok(Outcome::Truth(Condition::Text(branches(paths), test)))
    }

    /// The paths, each with the condition behind it, compiled for its type; those to whose type it cannot apply fall away.
    fn filtered(&mut self, paths: Vec<Path>, criteria: &Expr) -> Result<Vec<Path>, PathError> {
        self.met(paths, criteria, |condition| condition)
    }

    /// The same with what is made of the condition.
    fn met(&mut self, paths: Vec<Path>, criteria: &Expr, made: fn(Condition) -> Condition) -> Result<Vec<Path>, PathError> {
        let mut kept = Vec::with_capacity(paths.len());
        let mut refused = None;
        self.charge(criteria, paths.len())?;
        for mut path in paths {
            let this = [Path { branch: Branch { steps: Vec::new(), ty: path.branch.ty }, many: false }];
            match self.outcome(criteria, &Focus { paths: &this, is_root: false }).and_then(|o| truth(criteria, o)) {
                Ok(condition) => {
                    path.branch.steps.push(Step::Where(made(condition)));
                    kept.push(path);
                }
                Err(e @ PathError::UnknownElement { .. }) => refused = Some(e),
                Err(e) => return Err(e),
            }
        }
        match refused {
            Some(e) if kept.is_empty() => Err(e),
            _ => Ok(kept),
        }
    }

    /// `as` and `ofType` want that very type, as the official suite has it (`is` takes derived ones too); a resource is asked at run time.
    fn as_type(&mut self, expr: &Expr, of: Outcome, ty: TypeId, strict: bool) -> Result<Outcome, PathError> {
        let Outcome::Values(paths) = of else { return unsupported(expr, "a cast of this") };
        let mut kept = Vec::new();
        for mut path in paths {
            if path.branch.ty == ty || (ty.get().is_abstract && is_a(path.branch.ty, ty)) {
            } else if ty.get().kind == Kind::Resource && is_a(ty, path.branch.ty) {
                path.branch.steps.push(Step::Where(Condition::Is(ty)));
                path.branch.ty = ty;
            } else {
                continue;
            }
            if strict && path.many {
                (self.note)(Leniency::AsOnMany(ty.name()));
            }
            kept.push(path);
        }
        Ok(Outcome::Values(kept))
    }

    /// A type by its name. Of the namespaces both FHIR's and System's types are taken for FHIR's, whose values JSON holds.
    fn named_type(&mut self, expr: &Expr, specifier: &TypeSpecifier) -> Result<TypeId, PathError> {
        let name = specifier.name.as_str();
        let known = matches!(specifier.namespace.as_deref(), None | Some("FHIR" | "System"));
        if let Some(ty) = type_named(name).filter(|_| known) {
            return Ok(ty);
        }
        let mut lower = name.to_owned();
        if let Some(first) = lower.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        match type_named(&lower).filter(|ty| known && ty.get().kind == Kind::Primitive) {
            Some(ty) => {
                (self.note)(Leniency::TypeName { written: name.to_owned(), meant: ty.name() });
                Ok(ty)
            }
            None => Err(PathError::UnknownType { at: expr.at, name: name.to_owned() }),
        }
    }
}

/// The JSON properties of an element, and whether it was named by one of them instead of by its own name.
fn fields_of(ty: TypeId, name: &str) -> (Vec<&'static Field>, bool) {
    let ty = ty.get();
    match ty.elements.iter().position(|e| e.name == name) {
        Some(element) => (ty.fields.iter().filter(|f| usize::from(f.element) == element).collect(), false),
        None => (ty.field(name).into_iter().collect(), true),
    }
}

fn into_field(path: &Path, field: &'static Field) -> Path {
    let mut branch = path.branch.clone();
    let repeats = branch.ty.get().elements.get(usize::from(field.element)).is_some_and(|e| e.max > 1);
    branch.steps.push(Step::Field { name: field.name, ty: field.ty });
    branch.ty = field.ty;
    Path { branch, many: path.many || repeats }
}

/// The extensions or the id of a primitive, which stand in the property with an underscore before its name.
/// <https://hl7.org/fhir/R4/json.html#primitive>
fn beside_primitive(path: &Path, name: &str) -> Option<Path> {
    let (own, ty) = match name {
        "extension" => ("extension", EXTENSION),
        "id" => ("id", STRING),
        _ => return None,
    };
    if path.branch.ty.get().kind != Kind::Primitive {
        return None;
    }
    let mut steps = path.branch.steps.clone();
    let Some(Step::Field { name, ty: primitive }) = steps.last_mut() else { return None };
    *name = underscored(name);
    *primitive = ELEMENT;
    steps.push(Step::Field { name: own, ty });
    Some(Path { branch: Branch { steps, ty }, many: true })
}

/// The name of the property beside a primitive's. There are as many as the model has properties, so they may stay.
fn underscored(name: &'static str) -> &'static str {
    static NAMES: Mutex<BTreeMap<&'static str, &'static str>> = Mutex::new(BTreeMap::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.entry(name).or_insert_with(|| Box::leak(format!("_{name}").into_boxed_str()))
}

/// The search value of an extension is its value.
fn with_extension_values(path: Path) -> Vec<Path> {
    if path.branch.ty != EXTENSION {
        return vec![path];
    }
    fields_of(EXTENSION, "value").0.into_iter().map(|field| into_field(&path, field)).collect()
}

fn branches(paths: Vec<Path>) -> Vec<Branch> {
    paths.into_iter().map(|p| p.branch).collect()
}

fn exists(paths: Vec<Path>) -> Condition {
    Condition::Exists(branches(paths))
}

fn nth(expr: &Expr, mut paths: Vec<Path>, n: usize) -> Result<Outcome, PathError> {
    for path in &mut paths {
        let steps = &mut path.branch.steps;
        if steps.iter().filter(|s| matches!(s, Step::Index(_))).count() >= MAX_INDEXES {
            return unsupported(expr, "so many indexes in one path");
        }
        steps.push(Step::Index(n));
        path.many = false;
    }
    Ok(Outcome::Values(paths))
}

fn is(expr: &Expr, of: Outcome, ty: TypeId) -> Result<Outcome, PathError> {
    Ok(Outcome::Truth(match of {
        Outcome::Resolved(mut paths) => match paths.as_mut_slice() {
            [path] if path.branch.steps.is_empty() => Condition::Resolves(ty),
            _ => {
                paths.iter_mut().for_each(|p| p.branch.steps.push(Step::Where(Condition::Resolves(ty))));
                exists(paths)
            }
        },
        Outcome::Values(paths) => {
            let mut kept = Vec::new();
            for mut path in paths {
                if is_a(path.branch.ty, ty) {
                    kept.push(path);
                } else if ty.get().kind == Kind::Resource && is_a(ty, path.branch.ty) {
                    path.branch.steps.push(Step::Where(Condition::Is(ty)));
                    kept.push(path);
                }
            }
            exists(kept)
        }
        _ => return unsupported(expr, "the type of this"),
    }))
}

/// The singleton evaluation of collections: <http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections>.
fn truth(expr: &Expr, outcome: Outcome) -> Result<Condition, PathError> {
    match outcome {
        Outcome::Truth(condition) => Ok(condition),
        Outcome::Values(paths) if paths.iter().all(|p| p.branch.ty == BOOLEAN) => {
            Ok(Condition::Equals(branches(paths), Literal::Bool(true)))
        }
        Outcome::Literal(Literal::Bool(b)) => {
            let never = Condition::Exists(Vec::new());
            Ok(if b { Condition::Not(Box::new(never)) } else { never })
        }
        _ => unsupported(expr, "anything but a boolean here"),
    }
}

fn binary(expr: &Expr, operator: Operator, a: Outcome, b: Outcome) -> Result<Outcome, PathError> {
    let not = |c| Condition::Not(Box::new(c));
    let and = |a, b| Condition::And(Box::new(a), Box::new(b));
    let or = |a, b| Condition::Or(Box::new(a), Box::new(b));
    Ok(match operator {
        Operator::Union => match (a, b) {
            (Outcome::Values(mut a), Outcome::Values(b)) => {
                for path in b {
                    if !a.iter().any(|p| p.branch == path.branch) {
                        a.push(path);
                    }
                }
                Outcome::Values(a)
            }
            _ => return unsupported(expr, "a union of this"),
        },
        Operator::And => Outcome::Truth(and(truth(expr, a)?, truth(expr, b)?)),
        Operator::Or => Outcome::Truth(or(truth(expr, a)?, truth(expr, b)?)),
        Operator::Implies => Outcome::Truth(or(not(truth(expr, a)?), truth(expr, b)?)),
        Operator::Xor => {
            Outcome::Truth(Condition::Xor(Box::new(truth(expr, a)?), Box::new(truth(expr, b)?)))
        }
        Operator::Less => compared(expr, Relation::Less, a, b)?,
        Operator::LessOrEqual => compared(expr, Relation::LessOrEqual, a, b)?,
        Operator::Greater => compared(expr, Relation::Greater, a, b)?,
        Operator::GreaterOrEqual => compared(expr, Relation::GreaterOrEqual, a, b)?,
        Operator::Equal | Operator::NotEqual => {
            let equal = operator == Operator::Equal;
            let by_atoms = |outcome: &Outcome| matches!(outcome, Outcome::Count(_) | Outcome::Literal(Literal::Moment(_) | Literal::Time(_) | Literal::Quantity { .. }));
            if by_atoms(&a) || by_atoms(&b) || matches!((&a, &b), (Outcome::Values(_), Outcome::Values(_))) {
                return compared(expr, if equal { Relation::Equal } else { Relation::NotEqual }, a, b);
            }
            Outcome::Truth(match (a, b) {
                (Outcome::Values(paths), Outcome::Literal(l)) | (Outcome::Literal(l), Outcome::Values(paths)) if equal => {
                    Condition::Equals(branches(paths), l)
                }
                (Outcome::Values(paths), Outcome::Literal(l)) | (Outcome::Literal(l), Outcome::Values(paths)) => {
                    Condition::NotEquals(branches(paths), l)
                }
                (Outcome::Truth(c), Outcome::Literal(Literal::Bool(b))) | (Outcome::Literal(Literal::Bool(b)), Outcome::Truth(c)) => {
                    if b == equal { c } else { not(c) }
                }
                _ => return unsupported(expr, "a comparison of this"),
            })
        }
        _ => return unsupported(expr, &format!("\"{}\"", operator.text())),
    })
}

/// Comparisons of two single values, or of a number of values.
#[inline(never)]
fn compared(expr: &Expr, relation: Relation, a: Outcome, b: Outcome) -> Result<Outcome, PathError> {
    let number = |text: &str| text.parse::<u32>();
    let operand = |outcome| match outcome {
        Outcome::Values(paths) => Some(Operand::Values(branches(paths))),
        Outcome::Literal(literal) => Some(Operand::Literal(literal)),
        _ => None,
    };
    Ok(Outcome::Truth(match (a, b) {
        (Outcome::Count(paths), Outcome::Literal(Literal::Number(n))) => match number(&n) {
            Ok(n) => Condition::Count(branches(paths), relation, n),
            Err(_) => return unsupported(expr, "a comparison of this"),
        },
        (Outcome::Literal(Literal::Number(n)), Outcome::Count(paths)) => match number(&n) {
            Ok(n) => Condition::Count(branches(paths), relation.turned(), n),
            Err(_) => return unsupported(expr, "a comparison of this"),
        },
        (a, b) => match (operand(a), operand(b)) {
            (Some(a), Some(b)) => Condition::Compare(a, relation, b),
            _ => return unsupported(expr, "a comparison of this"),
        },
    }))
}

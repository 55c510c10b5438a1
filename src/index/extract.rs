//! Resource → values: the search parameters of a resource type compiled into one tree of JSON properties,
//! so that all of them are read in a single walk of the stored jsonb.
//!
//! What a value of each datatype gives follows the tables of <https://hl7.org/fhir/R4/search.html#ptypes>.

use super::decimal::{Bound, Decimal, Span};
use super::keys::{Entry, Value, Writer};
use super::near::{self, Position};
use super::time::{self, Interval};
use super::sound;
use super::text::fold;
use crate::json::reader::key_order;
use crate::json::{Node, Object};
use crate::model::{self, Kind, ParameterKey, ParameterType, SearchParameter, TypeId, ValueSetId};
use crate::path::{self, Compiled, Condition, Step};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::{LazyLock, OnceLock};

/// The compartment that a record is kept and ordered by. <https://hl7.org/fhir/R4/compartmentdefinition-patient.html>
pub const HOME: &str = "Patient";

/// What one resource type is searched by.
pub struct Plan {
    nodes: Vec<TreeNode>,
    truths: Vec<(ParameterKey, Condition)>,
    /// The ways to the clinical start, best first.
    occurred: Vec<Compiled>,
    /// Parameters whose references make the resource part of a patient's compartment.
    patient: Vec<ParameterKey>,
    /// Whether the resource is itself the focus of a patient's compartment.
    is_patient: bool,
}

#[derive(Default)]
struct TreeNode {
    /// In the order of jsonb keys.
    fields: Vec<Edge<&'static str>>,
    indices: Vec<Edge<usize>>,
    filters: Vec<Edge<Condition>>,
    leaves: Vec<Leaf>,
}

struct Edge<L> {
    label: L,
    to: usize,
    /// Its items are numbered: a repeating part of the resource, which composites match within.
    numbered: bool,
}

struct Leaf {
    parameter: ParameterKey,
    kind: ParameterType,
    ty: TypeId,
    required: Option<ValueSetId>,
    form: Form,
}

/// How strings are kept.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Whole,
    /// And their later words by themselves.
    Words,
    /// By their sound alone.
    Sounds,
}

/// The field of a name whose parts are searched by themselves: <https://hl7.org/fhir/R4/search.html#string>.
const FAMILY: &str = "family";

/// The plan of a concrete resource type; compiled once in the life of the process.
pub fn plan(ty: TypeId) -> &'static Plan {
    static PLANS: OnceLock<Vec<OnceLock<Plan>>> = OnceLock::new();
    let plans = PLANS.get_or_init(|| model::TYPES.iter().map(|_| OnceLock::new()).collect());
    plans[ty.0 as usize].get_or_init(|| Plan::compile(ty))
}

/// Whether a parameter of the kind special asks for places.
pub fn reads_positions(parameter: &SearchParameter) -> bool {
    parameter.bases.iter().any(|base| match path::compile(parameter.expression, *base) {
        Ok(Compiled::Values(branches)) => branches.iter().any(|b| near::is_position(b.ty)),
        _ => false,
    })
}

/// Whether a token parameter reads mime types.
pub fn reads_mime_types(parameter: &SearchParameter) -> bool {
    let is_mime = |branch: &path::Branch| {
        let mut fields = branch.steps.iter().rev().filter_map(|step| if let Step::Field { name, ty } = step { Some((*name, *ty)) } else { None });
        matches!((fields.next(), fields.next()), (Some(("contentType", _)), Some((_, model::ATTACHMENT))))
    };
    parameter.bases.iter().any(|base| matches!(path::compile(parameter.expression, *base), Ok(Compiled::Values(found)) if found.iter().any(is_mime)))
}

/// Whether a token parameter also reads elements of type string, which are kept and compared without case.
pub fn reads_strings(parameter: &'static SearchParameter) -> bool {
    static KNOWN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
        let tokens = model::SEARCH_PARAMETERS.iter().filter(|p| p.ty == ParameterType::Token);
        let reads = |p: &&SearchParameter| {
            p.bases.iter().any(|base| match path::compile(p.expression, *base) {
                Ok(Compiled::Values(branches)) => branches.iter().any(|b| b.ty == model::STRING),
                _ => false,
            })
        };
        tokens.filter(reads).map(|p| p.url).collect()
    });
    KNOWN.contains(parameter.url)
}

impl Plan {
    fn compile(ty: TypeId) -> Plan {
        let mut plan =
            Plan { nodes: vec![TreeNode::default()], truths: Vec::new(), occurred: Vec::new(), patient: Vec::new(), is_patient: false };
        for parameter in model::search_parameters(ty) {
            if parameter.ty == ParameterType::Composite {
                continue; // matched on the values of its components
            }
            match path::compile(parameter.expression, ty) {
                Ok(Compiled::Values(branches)) => {
                    for branch in branches.into_iter().filter(|b| parameter.ty != ParameterType::Special || near::is_position(b.ty)) {
                        plan.add(ty, parameter.key, parameter.ty, branch);
                    }
                }
                Ok(Compiled::Truth(condition)) => plan.truths.push((parameter.key, condition)),
                Err(_) => {} // a test lists the expressions that do not compile
            }
        }
        for node in &mut plan.nodes {
            node.fields.sort_by(|a, b| key_order(a.label.as_bytes(), b.label.as_bytes()));
        }
        let name = ty.name();
        for element in model::occurred_paths(ty) {
            plan.occurred.extend(path::compile(&format!("{name}.{element}"), ty).ok());
        }
        for rule in model::compartment_rules(ty).filter(|rule| rule.compartment.name() == HOME) {
            for code in rule.parameters {
                match model::search_parameter(ty, code) {
                    Some(parameter) => plan.patient.push(parameter.key),
                    None => plan.is_patient |= *code == "{def}",
                }
            }
        }
        plan
    }

    fn add(&mut self, root: TypeId, parameter: ParameterKey, kind: ParameterType, branch: path::Branch) {
        let mut at = 0;
        let mut holder = root;
        let (mut required, mut is_family) = (None, false);
        for step in branch.steps {
            at = match step {
                Step::Field { name, ty } => {
                    required = holder.get().field(name).and_then(|f| f.required);
                    let numbered = at == 0 && (ty.get().kind == Kind::Backbone || ty == model::USAGE_CONTEXT);
                    is_family = holder == model::HUMAN_NAME && name == FAMILY;
                    holder = ty;
                    self.edge(at, |n| &mut n.fields, name, numbered)
                }
                Step::Index(i) => self.edge(at, |n| &mut n.indices, i, false),
                Step::Where(condition) => self.edge(at, |n| &mut n.filters, condition, false),
            };
        }
        let form = match model::known_parameter_key(parameter) {
            Some((sound::PHONETIC, _)) => Form::Sounds,
            _ if is_family => Form::Words,
            _ => Form::Whole,
        };
        self.nodes[at].leaves.push(Leaf { parameter, kind, ty: branch.ty, required, form });
    }

    fn edge<L: PartialEq>(&mut self, at: usize, edges: fn(&mut TreeNode) -> &mut Vec<Edge<L>>, label: L, numbered: bool) -> usize {
        let next = self.nodes.len();
        let edges = edges(&mut self.nodes[at]);
        if let Some(edge) = edges.iter().find(|e| e.label == label) {
            return edge.to;
        }
        edges.push(Edge { label, to: next, numbered });
        self.nodes.push(TreeNode::default());
        next
    }

    /// Calls `emit` for every value of every search parameter.
    fn walk<'a>(&self, at: usize, node: Node<'a>, element: u32, resource: Node<'a>, emit: &mut dyn FnMut(&Leaf, Node<'a>, u32)) {
        // the depth is that of the longest expression, not of the data
        let tree = &self.nodes[at];
        for leaf in &tree.leaves {
            emit(leaf, node, element);
        }
        for filter in &tree.filters {
            if filter.label.holds(node, resource) == Some(true) {
                self.walk(filter.to, node, element, resource, emit);
            }
        }
        if let [field] = tree.fields.as_slice() {
            if let Some(value) = node.get(field.label) {
                self.follow(field, value, element, resource, emit);
            }
            return;
        }
        // both sides are in the order of jsonb keys, so that one pass over the object finds all
        let mut wanted = tree.fields.iter();
        let Some(mut field) = wanted.next() else { return };
        for (key, value) in node.as_object().iter().flat_map(Object::iter) {
            let mut order = key_order(field.label.as_bytes(), key.as_bytes());
            while order == Ordering::Less {
                let Some(next) = wanted.next() else { return };
                field = next;
                order = key_order(field.label.as_bytes(), key.as_bytes());
            }
            if order == Ordering::Equal {
                self.follow(field, value, element, resource, emit);
            }
        }
    }

    /// Into a property's value and, where that is an array, into its items.
    fn follow<'a>(&self, field: &Edge<&'static str>, value: Node<'a>, element: u32, resource: Node<'a>, emit: &mut dyn FnMut(&Leaf, Node<'a>, u32)) {
        let Node::Array(items) = value else { return self.walk(field.to, value, element, resource, emit) };
        let indices = &self.nodes[field.to].indices;
        for (i, item) in items.iter().enumerate() {
            let element = if field.numbered { i as u32 + 1 } else { element };
            for index in indices.iter().filter(|index| index.label == i) {
                self.walk(index.to, item, element, resource, emit);
            }
            self.walk(field.to, item, element, resource, emit);
        }
    }

    /// All values that the resource can be found by, with its patient compartments and its clinical start.
    pub fn stamp(&self, ty: TypeId, resource: Node) -> super::Stamp {
        let mut writer = Writer::new(ty.name());
        let mut compartments: Vec<String> = Vec::new();
        if self.is_patient {
            compartments.extend(resource.get("id").and_then(Node::as_str).map(|id| format!("{}/{id}", ty.name())));
        }
        let mut by_parameter: Vec<(usize, String)> = Vec::new();
        self.walk(0, resource, 0, resource, &mut |leaf, node, element| {
            let found = emit_values(leaf, node, element, &mut |entry| {
                if let Value::Reference(reference) = entry.value
                    && let Some(order) = self.patient.iter().position(|p| *p == entry.parameter)
                    && let Some((target, id)) = super::keys::Target::read(reference).and_then(super::keys::Target::local)
                    && target == HOME
                {
                    by_parameter.push((order, format!("{target}/{id}")));
                }
                writer.push(&entry);
            });
            // there, though nothing in it can be searched; the null of an array is a primitive with extensions only, which counts as missing
            if !found && !matches!(node, Node::Null) {
                writer.push(&Entry { parameter: leaf.parameter, element, value: Value::Present });
            }
        });
        for (parameter, condition) in &self.truths {
            let Some(truth) = condition.holds(resource, resource) else { continue };
            let code = if truth { "true" } else { "false" };
            writer.push(&Entry { parameter: *parameter, element: 0, value: Value::Token { system: None, code } });
        }
        by_parameter.sort_by_key(|(order, _)| *order);
        for (_, home) in by_parameter {
            if !compartments.contains(&home) {
                compartments.push(home);
            }
        }
        super::Stamp { keys: writer.finish(), compartments, occurred: self.occurred(resource) }
    }

    /// The parameters whose values it finds.
    #[cfg(test)]
    pub fn parameters(&self) -> impl Iterator<Item = ParameterKey> {
        let leaves = self.nodes.iter().flat_map(|node| &node.leaves).map(|leaf| leaf.parameter);
        leaves.chain(self.truths.iter().map(|(parameter, _)| *parameter))
    }

    fn occurred(&self, resource: Node) -> i64 {
        for way in &self.occurred {
            let mut first = None;
            way.for_each(resource, &mut |node, ty, _| {
                if let Some(interval) = interval(ty, node) {
                    first = Some(first.map_or(interval.low, |f: i64| f.min(interval.low)));
                }
            });
            if let Some(at) = first.filter(|at| *at != time::OPEN_HIGH) {
                return at;
            }
        }
        time::OPEN_LOW
    }
}

/// Emits what a value of type `ty` gives for a parameter of type `kind`; [`Value::Present`] if nothing in it can be searched.
/// `required` is the value set of its required binding.
pub fn emit_value(
    (parameter, kind): (ParameterKey, ParameterType),
    (ty, required): (TypeId, Option<ValueSetId>),
    node: Node,
    element: u32,
    emit: &mut dyn FnMut(Entry),
) {
    let found = emit_values(&Leaf { parameter, kind, ty, required, form: Form::Whole }, node, element, emit);
    if !found && !matches!(node, Node::Null) {
        emit(Entry { parameter, element, value: Value::Present });
    }
}

/// Emits what `node` gives for the parameter; false if it gives nothing.
fn emit_values<'a>(leaf: &Leaf, node: Node<'a>, element: u32, emit: &mut dyn FnMut(Entry)) -> bool {
    let mut found = false;
    let mut put = |value: Value| {
        found = true;
        emit(Entry { parameter: leaf.parameter, element, value });
    };
    match leaf.kind {
        ParameterType::Token => token(leaf.ty, leaf.required, node, &mut put),
        ParameterType::String => string(leaf.ty, leaf.form, node, &mut put),
        ParameterType::Reference => reference(leaf.ty, node, &mut put),
        ParameterType::Date => {
            if let Some(interval) = interval(leaf.ty, node) {
                put(Value::Date(interval));
            }
        }
        ParameterType::Number => {
            with_span(leaf.ty, node, &mut |span| put(Value::Number(span)));
        }
        ParameterType::Quantity => quantity(leaf.ty, node, &mut put),
        ParameterType::Uri => {
            if let Some(uri) = text(node) {
                put(Value::Uri(uri));
            }
        }
        ParameterType::Special => {
            if let Some(position) = Position::of(node) {
                put(Value::Position(position));
            }
        }
        ParameterType::Composite => {}
    }
    found
}

fn text(node: Node<'_>) -> Option<&'_ str> {
    node.as_str().filter(|s| !s.is_empty())
}

fn property<'a>(node: Node<'a>, name: &str) -> Option<&'a str> {
    node.get(name).and_then(text)
}

fn token<'a>(ty: TypeId, required: Option<ValueSetId>, node: Node<'a>, put: &mut dyn FnMut(Value)) {
    match ty {
        model::CODEABLE_CONCEPT => {
            let mut shown = None;
            for coding in node.get("coding").into_iter().flat_map(Node::items) {
                shown = coding_token(coding, put).or(shown);
            }
            if let Some(text) = property(node, "text").filter(|t| Some(*t) != shown) {
                put(Value::Display(text));
            }
        }
        model::CODING => {
            coding_token(node, put);
        }
        model::IDENTIFIER => {
            let (system, value) = (property(node, "system"), property(node, "value"));
            if system.is_some() || value.is_some() {
                put(Value::Token { system, code: value.unwrap_or("") });
            }
            let Some(kind) = node.get("type") else { return };
            for coding in value.and(kind.get("coding")).into_iter().flat_map(Node::items) {
                if let (Some(code), Some(value)) = (property(coding, "code"), value) {
                    put(Value::OfType { system: property(coding, "system"), code, value });
                }
            }
            if let Some(text) = property(kind, "text") {
                put(Value::Display(text));
            }
        }
        model::CONTACT_POINT => {
            if let Some(value) = property(node, "value") {
                put(Value::Token { system: None, code: value });
            }
        }
        _ => match node {
            Node::Bool(b) => put(Value::Token { system: None, code: if b { "true" } else { "false" } }),
            Node::Number(n) => put(Value::Token { system: None, code: &n.to_decimal_string() }),
            _ => {
                let Some(code) = text(node) else { return };
                if ty == model::STRING {
                    return put(Value::Token { system: None, code: &fold(code) }); // strings compare without case
                }
                match required.and_then(|set| model::value_set(set).system_of(code)) {
                    Some(system) => put(Value::Code { system, code }),
                    None => put(Value::Token { system: None, code }),
                }
            }
        },
    }
}

/// Emits the coding's token and display, and returns the display.
fn coding_token<'a>(coding: Node<'a>, put: &mut dyn FnMut(Value)) -> Option<&'a str> {
    let (system, code) = (property(coding, "system"), property(coding, "code"));
    if system.is_some() || code.is_some() {
        put(Value::Token { system, code: code.unwrap_or("") });
    }
    let display = property(coding, "display");
    if let Some(display) = display {
        put(Value::Display(display));
    }
    display
}

/// A string, or each string inside a name or an address.
fn string(ty: TypeId, form: Form, node: Node, put: &mut dyn FnMut(Value)) {
    if let Some(s) = text(node) {
        return one_string(s, form, put);
    }
    for field in ty.get().fields.iter().filter(|f| f.ty == model::STRING && f.name != "id") {
        let is_family = ty == model::HUMAN_NAME && field.name == FAMILY;
        let form = if form == Form::Whole && is_family { Form::Words } else { form };
        for part in node.get(field.name).into_iter().flat_map(Node::items) {
            if let Some(s) = text(part) {
                one_string(s, form, put);
            }
        }
    }
}

fn one_string(s: &str, form: Form, put: &mut dyn FnMut(Value)) {
    if form == Form::Sounds {
        return sound::sounds(s).iter().take(MAX_WORDS).for_each(|sound| put(Value::Sound(sound)));
    }
    put(Value::String(s));
    if form == Form::Words {
        let separators = s.char_indices().filter(|(_, c)| c.is_whitespace() || *c == '-');
        let starts = separators.map(|(at, c)| at + c.len_utf8()).filter(|at| s[*at..].starts_with(char::is_alphanumeric));
        starts.filter(|at| *at > 1).take(MAX_WORDS).for_each(|at| put(Value::Part(&s[at..])));
    }
}

/// Words of a name beyond these are found as parts of the whole alone.
const MAX_WORDS: usize = 16;

fn reference(ty: TypeId, node: Node, put: &mut dyn FnMut(Value)) {
    if ty == model::REFERENCE {
        if let Some(display) = property(node, "display") {
            put(Value::Display(display));
        }
        if let Some(reference) = property(node, "reference") {
            put(Value::Reference(reference));
        }
        if let Some(identifier) = node.get("identifier")
            && let Some(value) = property(identifier, "value")
        {
            put(Value::Identifier { system: property(identifier, "system"), value });
        }
    } else if let Some(canonical) = text(node) {
        put(Value::Reference(canonical));
    } else if let (Some(ty), Some(id)) = (property(node, "resourceType"), property(node, "id")) {
        // a resource that stands inside another is its own target
        put(Value::Reference(&format!("{ty}/{id}")));
    }
}

/// The interval that a date, a period or a timing covers.
/// The interval that a date, a period or a timing stands for; `None` where it is none.
pub fn interval(ty: TypeId, node: Node) -> Option<Interval> {
    match ty {
        model::PERIOD => {
            let end = |name| property(node, name).and_then(time::parse);
            let (start, end) = (end("start"), end("end"));
            if start.is_none() && end.is_none() {
                return None;
            }
            let period = Interval { low: start.map_or(time::OPEN_LOW, |i| i.low), high: end.map_or(time::OPEN_HIGH, |i| i.high) };
            (period.low < period.high).then_some(period) // one that ends before it starts says nothing
        }
        model::TIMING => {
            let events = node.get("event").into_iter().flat_map(Node::items).filter_map(|e| text(e).and_then(time::parse));
            let bounds = node.get("repeat").and_then(|r| r.get("boundsPeriod")).and_then(|b| interval(model::PERIOD, b));
            events.chain(bounds).reduce(|a, b| Interval { low: a.low.min(b.low), high: a.high.max(b.high) })
        }
        model::DATE | model::DATE_TIME | model::INSTANT => text(node).and_then(time::parse),
        _ => None,
    }
}

fn encoded(node: Option<Node>) -> Option<Vec<u8>> {
    match node? {
        Node::Number(n) => Decimal::parse(&n.to_decimal_string()).map(|d| d.encode()),
        _ => None,
    }
}

/// Calls `f` with the span of a number, a quantity or a range.
fn with_span(ty: TypeId, node: Node, f: &mut dyn FnMut(Span)) {
    if ty == model::RANGE {
        let end = |name| encoded(node.get(name).and_then(|q| q.get("value")));
        let (low, high) = (end("low"), end("high"));
        let span = Span { low: low.as_deref().map_or(Bound::Infinite, Bound::Closed), high: high.as_deref().map_or(Bound::Infinite, Bound::Closed) };
        if (low.is_some() || high.is_some()) && span.is_sound() {
            f(span);
        }
        return;
    }
    let value = if node.as_object().is_some() { node.get("value") } else { Some(node) };
    let Some(value) = encoded(value) else { return };
    f(match property(node, "comparator") {
        Some("<") => Span { low: Bound::Infinite, high: Bound::Open(&value) },
        Some("<=") => Span { low: Bound::Infinite, high: Bound::Closed(&value) },
        Some(">") => Span { low: Bound::Open(&value), high: Bound::Infinite },
        Some(">=") => Span { low: Bound::Closed(&value), high: Bound::Infinite },
        _ => Span { low: Bound::Closed(&value), high: Bound::Closed(&value) },
    });
}

/// The system of the currency codes in `Money`.
const CURRENCIES: &str = "urn:iso:std:iso:4217";

fn quantity(ty: TypeId, node: Node, put: &mut dyn FnMut(Value)) {
    let (system, code, unit) = match ty {
        model::MONEY => (Some(CURRENCIES), property(node, "currency"), None),
        model::RANGE => {
            let end = node.get("low").or_else(|| node.get("high"));
            let of = |name| end.and_then(|q| property(q, name));
            (of("system"), of("code"), of("unit"))
        }
        _ => (property(node, "system"), property(node, "code"), property(node, "unit")),
    };
    with_span(ty, node, &mut |span| put(Value::Quantity { span, system, code, unit }));
}

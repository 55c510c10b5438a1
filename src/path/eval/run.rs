//! Evaluation: items flow from the innermost step outwards, one by one.

use super::code::{Code, Function, Kind, MatchKind, Pattern};
use super::compare::{NoOrder, equal, equivalent, order, paired};
use super::distinct::Distinct;
use super::error::{Flow, Problem, Stop, absorbed};
use super::item::{Collection, Item};
use super::services::Scope;
use super::value::Value;
use crate::model::{TypeId, is_a};
use crate::path::ast::Operator;
use crate::pattern::Matcher;
use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::cmp::Ordering;

/// Where items go.
pub(super) type Emit<'e, 'a> = &'e mut dyn FnMut(Item<'a>) -> Flow;

/// Steps between two questions whether to go on.
const ROUND: u64 = 4_096;
/// Items that are held without a price, and the steps that each further one costs.
const FEW: usize = 16;
const HELD: u64 = 8;

/// One evaluation.
pub(super) struct Run<'a, 's> {
    pub scope: &'s Scope<'a, 's>,
    pub focus: Option<&'s Item<'a>>,
    /// Left of this round, and of all.
    left: Cell<u64>,
    all: Cell<u64>,
    /// When this evaluation takes place.
    pub now: OnceCell<i64>,
    stack: Stack,
}

/// Where the stack stood when something began that recurses.
#[derive(Clone, Copy)]
pub struct Stack(usize);

/// Bytes of the stack that one evaluation or compilation may take. A thread has two million.
const MAX_STACK: usize = 1_000_000;

impl Stack {
    #[inline(always)]
    pub fn here() -> Stack {
        let mark = 0u8;
        Stack(std::ptr::from_ref(std::hint::black_box(&mark)).addr())
    }

    /// Whether much has been taken since.
    #[inline(always)]
    pub fn is_spent(self) -> bool {
        self.0.abs_diff(Stack::here().0) > MAX_STACK
    }
}

/// What stands around one step.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a, 'f> {
    pub this: Option<&'f Item<'a>>,
    pub index: usize,
    pub total: Option<&'f Collection<'a>>,
    pub bound: Option<&'f Bound<'a, 'f>>,
}

/// A variable.
pub(super) struct Bound<'a, 'f> {
    slot: u16,
    value: &'f Collection<'a>,
    input: &'f Collection<'a>,
    next: Option<&'f Bound<'a, 'f>>,
}

impl<'a, 's> Run<'a, 's> {
    #[inline]
    pub fn new(scope: &'s Scope<'a, 's>, focus: Option<&'s Item<'a>>) -> Run<'a, 's> {
        let first = scope.limits.steps.min(ROUND);
        Run { scope, focus, left: Cell::new(first), all: Cell::new(scope.limits.steps - first), now: OnceCell::new(), stack: Stack::here() }
    }

    pub fn frame(&self) -> Frame<'a, 's> {
        Frame { this: self.focus, index: 0, total: None, bound: None }
    }

    /// Counts one.
    #[inline]
    pub fn step(&self) -> Flow {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => self.next_round(),
        }
    }

    /// Counts many at once.
    pub fn steps(&self, count: u64) -> Flow {
        match self.left.get().checked_sub(count) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => {
                let over = count - self.left.get();
                match self.all.get().checked_sub(over) {
                    Some(all) => self.all.set(all),
                    None => return Err(Stop::new(0, Problem::TooManySteps)),
                }
                self.next_round()
            }
        }
    }

    /// For what counts its steps by itself.
    pub fn meter(&self) -> impl Fn(u64) -> Flow {
        |count| self.steps(count)
    }

    #[cold]
    fn next_round(&self) -> Flow {
        let all = self.all.get();
        if all == 0 {
            return Err(Stop::new(0, Problem::TooManySteps));
        }
        if !self.scope.services.go_on() {
            return Err(Stop::new(0, Problem::Interrupted));
        }
        let round = all.min(ROUND);
        self.all.set(all - round);
        self.left.set(round);
        Ok(())
    }

    pub fn now(&self) -> i64 {
        *self.now.get_or_init(|| self.scope.services.now())
    }

    /// Gives the items of some code one by one.
    pub fn each(&self, code: &'a Code, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        self.step()?;
        if self.stack.is_spent() {
            return Err(Stop::new(code.at, Problem::TooDeep));
        }
        match &code.kind {
            Kind::Empty => Ok(()),
            Kind::Literal(item) => emit(item.borrowed()),
            Kind::Set(items) => items.iter().try_for_each(|item| emit(item.borrowed())),
            Kind::This => frame.this.map_or(Ok(()), |item| emit(item.clone())),
            Kind::Index => emit(Item::Integer(frame.index as i64)),
            Kind::Total => frame.total.map_or(Ok(()), |total| total.iter().try_for_each(|item| emit(item.clone()))),
            Kind::Resource => emit(Item::any(self.scope.resource)),
            Kind::Root => emit(Item::any(self.scope.root)),
            Kind::Context => self.focus.map_or(Ok(()), |item| emit(item.clone())),
            Kind::Constant(name) => self.constant(name, code.at, emit),
            Kind::Bound { slot, is_value } => self.bound(*slot, *is_value, frame, emit),
            Kind::Path { of, members } => match &of.kind {
                Kind::This => frame.this.map_or(Ok(()), |item| self.walk(item, members, emit)),
                Kind::Typed(ty) => typed(frame.this, *ty).map_or(Ok(()), |item| self.walk(item, members, emit)),
                _ => self.each(of, frame, &mut |item| self.walk(&item, members, emit)),
            },
            Kind::Typed(ty) => typed(frame.this, *ty).map_or(Ok(()), |item| emit(item.clone())),
            Kind::OfType { of, named } => self.each(of, frame, &mut |item| if named.has_exactly(&item) { emit(item) } else { Ok(()) }),
            Kind::At { of, index } => self.at(of, index, frame, emit),
            Kind::As { of, named, strict } => self.cast(of, *named, *strict, frame, emit),
            Kind::Sign { minus, of } => self.sign(*minus, of, frame, emit),
            Kind::Binary { operator: Operator::Union, left, right } => self.union(left, right, frame, emit),
            Kind::Binary { operator, left, right } if is_arithmetic(*operator) => self.arithmetic(*operator, left, right, frame, emit),
            Kind::Binary { .. } | Kind::Is { .. } | Kind::Match { kind: MatchKind::Part | MatchKind::Full, .. } => self.emit_truth(code, frame, emit),
            Kind::Match { of, pattern, arguments, .. } => self.replace_matches(of, pattern, arguments, code.at, frame, emit),
            Kind::Call { function, .. } if function.is_decision() => self.emit_truth(code, frame, emit),
            Kind::Call { function, of, arguments } => self.call(*function, of, arguments, code.at, frame, emit),
            Kind::Sort { of, keys } => self.sort(of, keys, code.at, frame, emit),
            Kind::Let { slot, input, value, body } => self.bind(*slot, input, value.as_deref(), body, frame, emit),
        }
    }

    fn emit_truth(&self, code: &'a Code, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        match self.truth(code, frame)? {
            Some(truth) => emit(Item::Boolean(truth)),
            None => Ok(()),
        }
    }

    fn constant(&self, name: &str, at: u32, emit: Emit<'_, 'a>) -> Flow {
        let mut found = false;
        for (_, item) in self.scope.constants.iter().filter(|(known, _)| *known == name) {
            found = true;
            emit(item.clone())?;
        }
        if found { Ok(()) } else { Err(Stop::new(at, Problem::UnknownConstant(name.to_owned()))) }
    }

    fn bound(&self, slot: u16, is_value: bool, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let mut next = frame.bound;
        while let Some(bound) = next {
            if bound.slot == slot {
                let items = if is_value { bound.value } else { bound.input };
                return items.iter().try_for_each(|item| emit(item.clone()));
            }
            next = bound.next;
        }
        Ok(())
    }

    #[inline(never)]
    fn bind(&self, slot: u16, input: &'a Code, value: Option<&'a Code>, body: &'a Code, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let input = self.gather(input, frame)?;
        let computed;
        let value = match value {
            None => &input,
            Some(value) => {
                // `$this` is the item where there is one; of many, the expression is asked of the whole focus.
                let this = if input.len() == 1 { input.first() } else { frame.this };
                computed = self.gather(value, &Frame { this, ..*frame })?;
                &computed
            }
        };
        let bound = Bound { slot, value, input: &input, next: frame.bound };
        self.each(body, &Frame { bound: Some(&bound), ..*frame }, emit)
    }

    #[inline(never)]
    fn at(&self, of: &'a Code, index: &'a Code, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let Some(wanted) = self.integer(index, frame)? else { return Ok(()) };
        let (mut found, mut passed) = (None, 0);
        absorbed(self.each(of, frame, &mut |item| {
            if passed == wanted {
                found = Some(item);
                return Err(Stop::Enough);
            }
            passed += 1;
            Ok(())
        }))?;
        found.map_or(Ok(()), emit)
    }

    #[inline(never)]
    fn cast(&self, of: &'a Code, named: super::item::Named, strict: bool, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        if !strict {
            return self.each(of, frame, &mut |item| if named.has_exactly(&item) { emit(item) } else { Ok(()) });
        }
        match self.single(of, frame)? {
            Some(item) if named.has_exactly(&item) => emit(item),
            _ => Ok(()),
        }
    }

    #[inline(never)]
    pub fn union(&self, left: &'a Code, right: &'a Code, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let mut seen = Distinct::default();
        let mut fresh = |item: Item<'a>| {
            self.step()?;
            self.hold(seen.len(), left.at)?;
            if seen.insert(&item, &self.meter())? { emit(item) } else { Ok(()) }
        };
        self.each(left, frame, &mut fresh)?;
        self.each(right, frame, &mut fresh)
    }

    /// Refuses to hold more items than may be.
    #[inline]
    pub fn hold(&self, count: usize, at: u32) -> Flow {
        if count < FEW { Ok(()) } else { self.hold_many(count, at) }
    }

    fn hold_many(&self, count: usize, at: u32) -> Flow {
        if count >= self.scope.limits.items { Err(Stop::new(at, Problem::TooManyItems)) } else { self.steps(HELD) }
    }

    /// Refuses to make longer strings than may be.
    pub fn make(&self, length: usize, at: u32) -> Flow {
        if length > self.scope.limits.text { Err(Stop::new(at, Problem::TooLong)) } else { self.steps(length as u64 / 8) }
    }

    /// All items.
    #[inline]
    pub fn gather(&self, code: &'a Code, frame: &Frame<'a, '_>) -> Result<Collection<'a>, Stop> {
        let mut items = Collection::new();
        self.each(code, frame, &mut |item| {
            self.hold(items.len(), code.at)?;
            items.push(item);
            Ok(())
        })?;
        Ok(items)
    }

    /// Whether there is any item.
    pub fn exists(&self, code: &'a Code, frame: &Frame<'a, '_>) -> Result<bool, Stop> {
        let mut found = false;
        absorbed(self.each(code, frame, &mut |_| {
            found = true;
            Err(Stop::Enough)
        }))?;
        Ok(found)
    }

    /// The one item, or none.
    pub fn single(&self, code: &'a Code, frame: &Frame<'a, '_>) -> Result<Option<Item<'a>>, Stop> {
        match &code.kind {
            Kind::This => return Ok(frame.this.cloned()),
            Kind::Literal(item) => return Ok(Some(item.borrowed())),
            _ => {}
        }
        let mut found = None;
        self.each(code, frame, &mut |item| {
            if found.is_some() {
                return Err(Stop::new(code.at, Problem::NotSingle));
            }
            found = Some(item);
            Ok(())
        })?;
        Ok(found)
    }

    /// The one whole number, or none.
    pub fn integer(&self, code: &'a Code, frame: &Frame<'a, '_>) -> Result<Option<i64>, Stop> {
        match self.single(code, frame)? {
            None => Ok(None),
            Some(item) => match item.value() {
                Value::Integer(value) => Ok(Some(value)),
                Value::Nothing => Ok(None),
                _ => Err(Stop::new(code.at, Problem::Mismatch("a whole number is expected".into()))),
            },
        }
    }

    /// The one string, or none.
    pub fn text(&self, code: &'a Code, frame: &Frame<'a, '_>) -> Result<Option<Cow<'a, str>>, Stop> {
        match self.single(code, frame)? {
            None => Ok(None),
            Some(item) => self.text_of(item, code.at),
        }
    }

    /// The text of an item; none of a primitive without value.
    pub fn text_of(&self, item: Item<'a>, at: u32) -> Result<Option<Cow<'a, str>>, Stop> {
        if let Item::Element(element) = &item
            && element.node.is_null()
            && element.is_primitive()
        {
            return Ok(None);
        }
        match item.into_text() {
            Some(text) => Ok(Some(text)),
            None => Err(Stop::new(at, Problem::Mismatch("a string is expected".into()))),
        }
    }

    /// What some code is as a condition.
    pub fn truth(&self, code: &'a Code, frame: &Frame<'a, '_>) -> Result<Option<bool>, Stop> {
        self.step()?;
        if self.stack.is_spent() {
            return Err(Stop::new(code.at, Problem::TooDeep));
        }
        match &code.kind {
            Kind::Binary { operator, left, right } => match operator {
                Operator::And | Operator::Or | Operator::Implies | Operator::Xor => self.logic(*operator, left, right, frame),
                Operator::Equal => self.equals(left, right, frame),
                Operator::NotEqual => Ok(self.equals(left, right, frame)?.map(|equal| !equal)),
                Operator::Equivalent => self.equivalent(left, right, frame).map(Some),
                Operator::NotEquivalent => Ok(Some(!self.equivalent(left, right, frame)?)),
                Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                    self.compare(*operator, left, right, code.at, frame)
                }
                Operator::In => self.is_among(left, right, frame),
                Operator::Contains => self.is_among(right, left, frame),
                _ => self.truth_of_items(code, frame),
            },
            Kind::Is { of, named, lenient } => Ok(self.single(of, frame)?.map(|item| {
                named.has(&item) || *lenient && matches!((named, &item), (super::item::Named::System(system), Item::Element(e)) if super::item::System::of(e.ty) == Some(*system))
            })),
            Kind::Match { kind: kind @ (MatchKind::Part | MatchKind::Full), of, pattern, .. } => self.matches(*kind, of, pattern, frame),
            Kind::Call { function, of, arguments } if function.is_decision() => self.decide(*function, of, arguments, code.at, frame),
            _ => self.truth_of_items(code, frame),
        }
    }

    fn truth_of_items(&self, code: &'a Code, frame: &Frame<'a, '_>) -> Result<Option<bool>, Stop> {
        Ok(self.single(code, frame)?.and_then(|item| truth_of(&item)))
    }

    fn logic(&self, operator: Operator, left: &'a Code, right: &'a Code, frame: &Frame<'a, '_>) -> Result<Option<bool>, Stop> {
        let a = self.truth(left, frame)?;
        Ok(match (operator, a) {
            (Operator::And, Some(false)) => Some(false),
            (Operator::Or, Some(true)) => Some(true),
            (Operator::Implies, Some(false)) => Some(true),
            (Operator::Xor, None) => None,
            _ => match (operator, a, self.truth(right, frame)?) {
                (Operator::And, Some(true), b) => b,
                (Operator::And, _, Some(false)) => Some(false),
                (Operator::Or, Some(false), b) => b,
                (Operator::Or, _, Some(true)) => Some(true),
                (Operator::Implies, Some(true), b) => b,
                (Operator::Implies, _, Some(true)) => Some(true),
                (Operator::Xor, Some(a), Some(b)) => Some(a != b),
                _ => None,
            },
        })
    }

    #[inline]
    fn equals(&self, left: &'a Code, right: &'a Code, frame: &Frame<'a, '_>) -> Result<Option<bool>, Stop> {
        if let Kind::Literal(literal) = &right.kind {
            if let (Item::String(text), Some(found)) = (literal, text_in_place(left, frame)) {
                self.step()?;
                return Ok(Some(found == text.as_bytes()));
            }
            let (mut count, mut outcome) = (0, None);
            absorbed(self.each(left, frame, &mut |item| {
                count += 1;
                outcome = if count == 1 { equal(&item, literal, &self.meter())? } else { Some(false) };
                if count > 1 { Err(Stop::Enough) } else { Ok(()) }
            }))?;
            return Ok(outcome);
        }
        let right = self.gather(right, frame)?;
        if right.is_empty() {
            // errors of the left side count as well
            self.each(left, frame, &mut |_| Ok(()))?;
            return Ok(None);
        }
        let right = right.as_slice();
        let (mut place, mut outcome) = (0, Some(true));
        absorbed(self.each(left, frame, &mut |item| {
            outcome = match right.get(place).map_or(Ok(Some(false)), |other| equal(&item, other, &self.meter()))? {
                Some(true) => outcome,
                other => outcome.and(other),
            };
            place += 1;
            if place > right.len() { Err(Stop::Enough) } else { Ok(()) }
        }))?;
        Ok(match place {
            0 => None,
            count if count == right.len() => outcome,
            _ => Some(false),
        })
    }

    fn equivalent(&self, left: &'a Code, right: &'a Code, frame: &Frame<'a, '_>) -> Result<bool, Stop> {
        let (left, right) = (self.gather(left, frame)?, self.gather(right, frame)?);
        if left.len() != right.len() {
            return Ok(false);
        }
        paired(left.iter(), right.iter(), &self.meter(), &|a, b| equivalent(a, b, &self.meter()))
    }

    /// Counts up to one more than a whole number, so that the count can be compared with it.
    fn count_beside(&self, of: &'a Code, number: i64, frame: &Frame<'a, '_>) -> Result<i64, Stop> {
        let mut count = 0;
        absorbed(self.each(of, frame, &mut |_| {
            count += 1;
            if count > number { Err(Stop::Enough) } else { Ok(()) }
        }))?;
        Ok(count)
    }

    fn compare(&self, operator: Operator, left: &'a Code, right: &'a Code, at: u32, frame: &Frame<'a, '_>) -> Result<Option<bool>, Stop> {
        if let Kind::Call { function: Function::Count, of, .. } = &left.kind {
            let Some(b) = self.single(right, frame)? else { return Ok(None) };
            if let Value::Integer(number) = b.value() {
                return Ok(Some(holds(operator, self.count_beside(of, number, frame)?.cmp(&number))));
            }
        }
        let (a, b) = (self.single(left, frame)?, self.single(right, frame)?);
        let (Some(a), Some(b)) = (a, b) else { return Ok(None) };
        match order(&a.value(), &b.value()) {
            Ok(order) => Ok(Some(holds(operator, order))),
            Err(NoOrder::Unknown) => Ok(None),
            Err(NoOrder::Mismatch) => {
                let problem = format!("{} and {} are in no order", told_type(&a), told_type(&b));
                Err(Stop::new(at, Problem::Mismatch(problem)))
            }
        }
    }

    fn is_among(&self, item: &'a Code, items: &'a Code, frame: &Frame<'a, '_>) -> Result<Option<bool>, Stop> {
        let Some(item) = self.single(item, frame)? else { return Ok(None) };
        self.has(items, &item, frame).map(Some)
    }

    fn has(&self, items: &'a Code, item: &Item<'a>, frame: &Frame<'a, '_>) -> Result<bool, Stop> {
        match &items.kind {
            Kind::Set(items) => {
                for other in items {
                    self.step()?;
                    if equal(item, other, &self.meter())? == Some(true) {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            // what stands in both sides need not be told apart
            Kind::Binary { operator: Operator::Union, left, right } => return Ok(self.has(left, item, frame)? || self.has(right, item, frame)?),
            _ => {}
        }
        let mut found = false;
        absorbed(self.each(items, frame, &mut |other| {
            found = equal(item, &other, &self.meter())? == Some(true);
            if found { Err(Stop::Enough) } else { Ok(()) }
        }))?;
        Ok(found)
    }

    fn matches(&self, kind: MatchKind, of: &'a Code, pattern: &'a Pattern, frame: &Frame<'a, '_>) -> Result<Option<bool>, Stop> {
        let Some(text) = self.text(of, frame)? else { return Ok(None) };
        self.with_pattern(kind, pattern, frame, |matcher| {
            self.search(matcher, &text, of.at)?;
            Ok(matcher.regex().is_match(&text))
        })
    }

    /// Counts what a search takes. It cannot be interrupted, so that one that would take long is refused.
    fn search(&self, matcher: &Matcher, text: &str, at: u32) -> Flow {
        match matcher.steps(text.len()) {
            Some(steps) => self.steps(steps),
            None => Err(Stop::new(at, Problem::TooManySteps)),
        }
    }

    fn replace_matches(&self, of: &'a Code, pattern: &'a Pattern, arguments: &'a [Code], at: u32, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let Some(text) = self.text(of, frame)? else { return Ok(()) };
        let Some(by) = arguments.first().map(|by| self.text(by, frame)).transpose()?.flatten() else { return Ok(()) };
        let replaced = self.with_pattern(MatchKind::Replace, pattern, frame, |matcher| {
            let regex = matcher.regex();
            if regex.as_str().is_empty() {
                return Ok(text.clone().into_owned());
            }
            self.search(matcher, &text, at)?;
            let (mut out, mut last) = (String::new(), 0);
            for found in regex.captures_iter(&text) {
                let Some(whole) = found.get(0) else { continue };
                // each goes on behind the one before, and may look at all the rest again
                self.step()?;
                if !self.scope.services.go_on() {
                    return Err(Stop::new(at, Problem::Interrupted));
                }
                out.push_str(&text[last..whole.start()]);
                found.expand(&by, &mut out);
                last = whole.end();
                if out.len() > self.scope.limits.text {
                    return Err(Stop::new(at, Problem::TooLong));
                }
            }
            out.push_str(&text[last..]);
            self.make(out.len(), at)?;
            Ok(out)
        })?;
        replaced.map_or(Ok(()), |text| emit(Item::String(Cow::Owned(text))))
    }

    /// `None` where the pattern is empty.
    fn with_pattern<R>(&self, kind: MatchKind, pattern: &'a Pattern, frame: &Frame<'a, '_>, f: impl FnOnce(&Matcher) -> Result<R, Stop>) -> Result<Option<R>, Stop> {
        match pattern {
            Pattern::Constant(matcher) => f(matcher).map(Some),
            Pattern::Computed(code, last) => {
                let Some(text) = self.text(code, frame)? else { return Ok(None) };
                if let Ok(last) = last.lock()
                    && let Some((known, matcher)) = last.as_ref()
                    && *known == text
                {
                    let matcher = matcher.clone();
                    drop(last);
                    return f(&matcher).map(Some);
                }
                // making one costs far more than using it
                self.steps(1_000 + 100 * text.len() as u64)?;
                let made = super::compile::regex(&text, kind, usize::MAX);
                let matcher = made.map_err(|problem| Stop::new(code.at, Problem::Pattern(problem.to_owned())))?;
                self.steps(matcher.size() as u64 / 16)?;
                if matcher.size() <= super::compile::MAX_KEPT
                    && let Ok(mut last) = last.lock()
                {
                    *last = Some((text.into_owned(), matcher.clone()));
                }
                f(&matcher).map(Some)
            }
        }
    }
}

/// The one text that a member of the focus is, to be compared as it stands: for all else the general way is asked.
#[inline]
pub(super) fn text_in_place<'a>(code: &Code, frame: &Frame<'a, '_>) -> Option<&'a [u8]> {
    let Kind::Path { of, members } = &code.kind else { return None };
    match (&of.kind, members.as_slice(), frame.this?) {
        (Kind::This, [member], Item::Element(element)) => element.text_of(member),
        _ => None,
    }
}

/// An item, where it is an element of the type.
#[inline]
fn typed<'i, 'a>(item: Option<&'i Item<'a>>, ty: TypeId) -> Option<&'i Item<'a>> {
    item.filter(|item| matches!(item, Item::Element(element) if is_a(element.ty, ty)))
}

fn holds(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }
}

fn is_arithmetic(operator: Operator) -> bool {
    use Operator::*;
    matches!(operator, Multiply | Divide | Div | Mod | Add | Subtract | Concatenate)
}

/// What a single item is as a condition.
pub(super) fn truth_of(item: &Item<'_>) -> Option<bool> {
    match item {
        Item::Boolean(truth) => Some(*truth),
        Item::Element(element) => match element.node {
            crate::json::Node::Bool(truth) => Some(truth),
            crate::json::Node::Null if element.ty == crate::model::BOOLEAN => None,
            _ => Some(true),
        },
        _ => Some(true),
    }
}

/// The type of an item, for messages.
pub(super) fn told_type(item: &Item<'_>) -> String {
    let name = item.type_name();
    format!("{}.{}", name.namespace, name.name)
}

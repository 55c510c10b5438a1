//! Functions that give items.

use super::code::{Code, Function};
use super::compare::{NoOrder, order};
use super::distinct::Distinct as Seen;
use super::error::{Flow, Problem, Stop, absorbed};
use super::item::{Collection, Item};
use super::moment::Moment;
use super::run::{Emit, Frame, Run, told_type};
use super::value::Value;
use std::cmp::Ordering;
use std::collections::VecDeque;

impl<'a> Run<'a, '_> {
    /// Gives what a function gives that decides nothing.
    #[inline(never)]
    pub fn call(&self, function: Function, of: &'a Code, arguments: &'a [Code], at: u32, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        use Function::*;
        match (function, arguments) {
            (Where, [criteria, ..]) => self.filter(of, criteria, frame, emit),
            (Select, [projection, ..]) => self.select(of, projection, frame, emit),
            (Extension, [url, ..]) => match self.text(url, frame)? {
                Some(url) => self.each(of, frame, &mut |item| self.extensions(&item, &url, emit)),
                None => Ok(()),
            },
            (Count, _) => {
                let mut count = 0;
                self.each(of, frame, &mut |_| {
                    count += 1;
                    Ok(())
                })?;
                emit(Item::Integer(count))
            }
            (First, _) => {
                let mut first = None;
                absorbed(self.each(of, frame, &mut |item| {
                    first = Some(item);
                    Err(Stop::Enough)
                }))?;
                first.map_or(Ok(()), emit)
            }
            (Last, _) => {
                let mut last = None;
                self.each(of, frame, &mut |item| {
                    last = Some(item);
                    Ok(())
                })?;
                last.map_or(Ok(()), emit)
            }
            (Single, _) => match self.single(of, frame) {
                Ok(item) => item.map_or(Ok(()), emit),
                Err(stop) => Err(stop),
            },
            (Tail, _) => self.part(of, 1, i64::MAX, frame, emit),
            (Skip, [count, ..]) => match self.integer(count, frame)? {
                Some(count) => self.part(of, count, i64::MAX, frame, emit),
                None => Ok(()),
            },
            (Take, [count, ..]) => match self.integer(count, frame)? {
                Some(count) => self.part(of, 0, count, frame, emit),
                None => Ok(()),
            },
            (Distinct, _) => self.distinct(of, at, frame)?.into_items().into_iter().try_for_each(emit),
            (Union, [other, ..]) => self.union(of, other, frame, emit),
            (Combine, [other, ..]) => {
                self.each(of, frame, emit)?;
                self.each(other, frame, emit)
            }
            (Intersect, [other, ..]) => {
                let (other, mut seen) = (self.distinct(other, at, frame)?, Seen::default());
                self.each(of, frame, &mut |item| {
                    self.step()?;
                    if other.contains(&item, &self.meter())? && seen.insert(&item, &self.meter())? { emit(item) } else { Ok(()) }
                })
            }
            (Exclude, [other, ..]) => {
                let other = self.distinct(other, at, frame)?;
                self.each(of, frame, &mut |item| {
                    self.step()?;
                    if other.contains(&item, &self.meter())? { Ok(()) } else { emit(item) }
                })
            }
            (Repeat | RepeatAll, [projection, ..]) => self.repeat(of, projection, function == Repeat, at, frame, emit),
            (Aggregate, [step, start @ ..]) => self.aggregate(of, step, start.first(), at, frame, emit),
            (Iif, [criteria, then, rest @ ..]) => self.iif(of, criteria, then, rest.first(), frame, emit),
            (Coalesce, choices) => {
                for choice in choices {
                    let found = self.gather(choice, frame)?;
                    if !found.is_empty() {
                        return found.into_iter().try_for_each(emit);
                    }
                }
                Ok(())
            }
            (Children, _) => self.each(of, frame, &mut |item| self.children(&item, emit)),
            (Descendants, _) => self.each(of, frame, &mut |item| self.descendants(&item, at, emit)),
            (Type, _) => self.each(of, frame, &mut |item| emit(Item::Type(item.type_name()))),
            (Trace | CheckModifiers, _) => self.each(of, frame, emit),
            (Resolve, _) => self.each(of, frame, &mut |item| self.resolve(&item, emit)),
            (GetResourceKey, _) => self.each(of, frame, &mut |item| self.resource_key(&item, emit)),
            (GetReferenceKey, types) => {
                let ty = types.first().map(|ty| self.text(ty, frame)).transpose()?.flatten();
                self.each(of, frame, &mut |item| self.reference_key(&item, ty.as_deref(), emit))
            }
            (GetValue, _) => match self.single(of, frame)? {
                Some(item) => item.into_system().map_or(Ok(()), emit),
                None => Ok(()),
            },
            (Now | Today | TimeOfDay, _) => {
                let Some(now) = Moment::of_instant(self.now()) else { return Ok(()) };
                match function {
                    Now => emit(Item::DateTime(now)),
                    Today => emit(Item::Date(now.date_part())),
                    _ => now.time_part().map_or(Ok(()), |time| emit(Item::Time(time))),
                }
            }
            (ToBoolean | ToInteger | ToDecimal | ToStringValue | ToDate | ToDateTime | ToTime | ToQuantity, arguments) => {
                let Some(item) = self.single(of, frame)? else { return Ok(()) };
                self.convert(function, item, arguments.first(), frame)?.map_or(Ok(()), emit)
            }
            (Sum | Min | Max | Avg, _) => self.reckon(function, of, at, frame, emit),
            (Join, separator) => self.join(of, separator.first(), at, frame, emit),
            (
                IndexOf | LastIndexOf | Substring | Upper | Lower | Replace | Length | ToChars | Encode | Decode | Escape | Unescape | Trim | Split,
                arguments,
            ) => self.text_function(function, of, arguments, at, frame, emit),
            (_, arguments) => match self.single(of, frame)? {
                Some(item) => self.number_function(function, item, arguments, at, frame, emit),
                None => Ok(()),
            },
        }
    }

    #[inline(never)]
    fn filter(&self, of: &'a Code, criteria: &'a Code, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let mut index = 0;
        self.each(of, frame, &mut |item| {
            let within = Frame { this: Some(&item), index, ..*frame };
            index += 1;
            if self.truth(criteria, &within)? == Some(true) { emit(item) } else { Ok(()) }
        })
    }

    #[inline(never)]
    fn select(&self, of: &'a Code, projection: &'a Code, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let mut index = 0;
        self.each(of, frame, &mut |item| {
            let within = Frame { this: Some(&item), index, ..*frame };
            index += 1;
            self.each(projection, &within, emit)
        })
    }

    /// All but the first few, and no more than so many.
    fn part(&self, of: &'a Code, skip: i64, take: i64, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        if take <= 0 {
            return Ok(());
        }
        let (mut passed, mut full) = (0i64, false);
        let flow = self.each(of, frame, &mut |item| {
            passed += 1;
            if passed <= skip {
                return Ok(());
            }
            emit(item)?;
            full = passed - skip.max(0) >= take;
            if full { Err(Stop::Enough) } else { Ok(()) }
        });
        // where the one who asked has enough, it goes on to say so
        if full { absorbed(flow) } else { flow }
    }

    #[inline(never)]
    fn repeat(&self, of: &'a Code, projection: &'a Code, unique: bool, at: u32, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let (mut seen, mut waiting) = (Seen::default(), VecDeque::new());
        let mut found = |item: Item<'a>, waiting: &mut VecDeque<Item<'a>>| {
            self.hold(seen.len() + waiting.len(), at)?;
            self.step()?;
            if unique && !seen.insert(&item, &self.meter())? {
                return Ok(());
            }
            waiting.push_back(item.clone());
            emit(item)
        };
        self.each(of, frame, &mut |item| {
            let within = Frame { this: Some(&item), index: 0, ..*frame };
            self.each(projection, &within, &mut |item| found(item, &mut waiting))
        })?;
        while let Some(item) = waiting.pop_front() {
            let within = Frame { this: Some(&item), index: 0, ..*frame };
            self.each(projection, &within, &mut |item| found(item, &mut waiting))?;
        }
        Ok(())
    }

    #[inline(never)]
    fn aggregate(&self, of: &'a Code, step: &'a Code, start: Option<&'a Code>, at: u32, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let mut total = start.map(|start| self.gather(start, frame)).transpose()?.unwrap_or_default();
        let mut index = 0;
        self.each(of, frame, &mut |item| {
            let within = Frame { this: Some(&item), index, total: Some(&total), ..*frame };
            index += 1;
            let next = self.gather(step, &within)?;
            self.hold(next.len(), at)?;
            total = next;
            Ok(())
        })?;
        total.into_iter().try_for_each(emit)
    }

    #[inline(never)]
    fn iif(&self, of: &'a Code, criteria: &'a Code, then: &'a Code, otherwise: Option<&'a Code>, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let item = self.single(of, frame)?;
        let within = Frame { this: item.as_ref(), ..*frame };
        let holds = match self.single(criteria, &within)? {
            None => false,
            Some(item) => match item.value() {
                Value::Boolean(holds) => holds,
                Value::Nothing if item.ty() == Some(crate::model::BOOLEAN) => false,
                _ => return Err(Stop::new(criteria.at, Problem::Mismatch(format!("{} is no boolean", told_type(&item))))),
            },
        };
        match (holds, otherwise) {
            (true, _) => self.each(then, &within, emit),
            (false, Some(otherwise)) => self.each(otherwise, &within, emit),
            (false, None) => Ok(()),
        }
    }

    #[inline(never)]
    pub fn sort(&self, of: &'a Code, keys: &'a [(bool, Code)], at: u32, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let items: Collection<'a> = self.gather(of, frame)?;
        let mut keyed: Vec<(Vec<Option<Item<'a>>>, Item<'a>)> = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let within = Frame { this: Some(&item), index, ..*frame };
            let mut own = Vec::with_capacity(keys.len().max(1));
            for (_, key) in keys {
                own.push(self.single(key, &within)?);
            }
            if keys.is_empty() {
                own.push(Some(item.clone()));
            }
            keyed.push((own, item));
        }
        let count = keyed.len() as u64;
        self.steps(count * u64::from(count.max(1).ilog2()))?;
        let mut mismatch = None;
        let keyed = sorted(keyed, &mut |(a, _), (b, _)| {
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                let order = match (a, b) {
                    // what has no key comes first, whatever the direction
                    (None, None) => Ordering::Equal,
                    (None, Some(_)) => return Ordering::Less,
                    (Some(_), None) => return Ordering::Greater,
                    (Some(a), Some(b)) => match order(&a.value(), &b.value()) {
                        Ok(order) => order,
                        Err(NoOrder::Unknown) => Ordering::Equal,
                        Err(NoOrder::Mismatch) => {
                            mismatch.get_or_insert_with(|| format!("{} and {} are in no order", told_type(a), told_type(b)));
                            Ordering::Equal
                        }
                    },
                };
                if order.is_ne() {
                    return if keys.get(place).is_some_and(|(is_descending, _)| *is_descending) { order.reverse() } else { order };
                }
            }
            Ordering::Equal
        });
        match mismatch {
            Some(problem) => Err(Stop::new(at, Problem::Mismatch(problem))),
            None => keyed.into_iter().try_for_each(|(_, item)| emit(item)),
        }
    }
}

/// Sorted, equals in their order. The sort of the standard library may panic where the order is not total, as that of dates of different
/// precision is not.
fn sorted<T>(items: Vec<T>, order: &mut impl FnMut(&T, &T) -> Ordering) -> Vec<T> {
    let mut runs: Vec<Vec<T>> = items.into_iter().map(|item| vec![item]).collect();
    while runs.len() > 1 {
        let mut pairs = runs.into_iter();
        let mut merged = Vec::with_capacity(pairs.len().div_ceil(2));
        while let Some(first) = pairs.next() {
            merged.push(match pairs.next() {
                Some(second) => merge(first, second, order),
                None => first,
            });
        }
        runs = merged;
    }
    runs.pop().unwrap_or_default()
}

fn merge<T>(first: Vec<T>, second: Vec<T>, order: &mut impl FnMut(&T, &T) -> Ordering) -> Vec<T> {
    let mut out = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    while let (Some(a), Some(b)) = (first.peek(), second.peek()) {
        out.extend(if order(a, b).is_gt() { second.next() } else { first.next() });
    }
    out.extend(first);
    out.extend(second);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_total_order_is_sorted_somehow() {
        let numbers: Vec<u32> = (0..5_000u32).map(|n| n.wrapping_mul(2_654_435_761) % 1_000).collect();
        let mut right = numbers.clone();
        right.sort();
        assert_eq!(sorted(numbers.clone(), &mut u32::cmp), right);
        // every third is equal to all others
        let somehow = sorted(numbers, &mut |a, b| if a % 3 == 0 || b % 3 == 0 { Ordering::Equal } else { a.cmp(b) });
        assert_eq!(somehow.len(), 5_000);
        let pairs: Vec<(u32, u32)> = (0..100).map(|n| (n % 3, n)).collect();
        assert!(sorted(pairs, &mut |a, b| a.0.cmp(&b.0)).is_sorted());
    }
}

//! Numbers and what can be reckoned with: <http://hl7.org/fhirpath/N1/#math-2>. What overflows is empty.

use super::boundary;
use super::code::{Code, Function};
use super::compare::{NoOrder, order};
use super::error::{Flow, Problem, Stop};
use super::item::Item;
use super::moment::Moment;
use super::quantity::{Quantity, Unit};
use super::run::{Emit, Frame, Run, told_type};
use super::value::Value;
use crate::path::ast::Operator;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// A result, nothing where it overflows, or a mismatch.
type Reckoned<'a> = Result<Option<Item<'a>>, ()>;

fn integer<'a>(value: Option<i64>) -> Option<Item<'a>> {
    value.filter(|value| i32::try_from(*value).is_ok()).map(Item::Integer)
}

fn decimal<'a>(value: Option<Decimal>) -> Option<Item<'a>> {
    value.map(Item::Decimal)
}

impl<'a> Run<'a, '_> {
    #[inline(never)]
    pub fn sign(&self, minus: bool, of: &'a Code, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let Some(item) = self.single(of, frame)? else { return Ok(()) };
        let negated = match item.value() {
            Value::Integer(value) => if minus { value.checked_neg() } else { Some(value) }.map(Item::Integer),
            Value::Decimal(value) => Some(Item::Decimal(if minus { -value } else { value })),
            Value::Quantity(Quantity { value, unit }) => {
                Some(Item::Quantity(Quantity { value: if minus { -value } else { value }, unit: unit.into_owned() }))
            }
            Value::Large(_) if !minus => Some(item),
            Value::Large(_) | Value::Nothing => None,
            _ => return Err(Stop::new(of.at, Problem::Mismatch(format!("{} has no sign", told_type(&item))))),
        };
        negated.map_or(Ok(()), emit)
    }

    #[inline(never)]
    pub fn arithmetic(&self, operator: Operator, left: &'a Code, right: &'a Code, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        if operator == Operator::Concatenate {
            let (a, b) = (self.text(left, frame)?, self.text(right, frame)?);
            return emit(Item::String(self.concatenated(a, b, left.at)?));
        }
        let (a, b) = (self.single(left, frame)?, self.single(right, frame)?);
        let (Some(a), Some(b)) = (a, b) else { return Ok(()) };
        let result = match (a.value(), b.value()) {
            (Value::Nothing, _) | (_, Value::Nothing) => Ok(None),
            (Value::String(x), Value::String(y)) if operator == Operator::Add => {
                Ok(Some(Item::String(self.concatenated(Some(x.to_owned().into()), Some(y.into()), left.at)?.into_owned().into())))
            }
            (a, b) => reckon(operator, &a, &b),
        };
        match result {
            Ok(item) => item.map_or(Ok(()), emit),
            Err(()) => {
                let problem = format!("\"{}\" does not join {} and {}", operator.text(), told_type(&a), told_type(&b));
                Err(Stop::new(left.at, Problem::Mismatch(problem)))
            }
        }
    }

    /// Functions of one number, quantity, date or time.
    #[inline(never)]
    pub fn number_function(&self, function: Function, item: Item<'a>, arguments: &'a [Code], at: u32, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        use Function::*;
        let value = item.value();
        if let Value::Nothing = value {
            return Ok(());
        }
        let argument = match arguments.first() {
            Some(code) => match self.single(code, frame)? {
                Some(item) => Some(item),
                None => return Ok(()),
            },
            None => None,
        };
        let digits = || match argument.as_ref().map(Item::value) {
            None => Ok(None),
            Some(Value::Integer(digits)) => Ok(Some(digits)),
            Some(_) => Err(Stop::new(at, Problem::Mismatch(format!("{}() takes a whole number", function.name())))),
        };
        let result = match function {
            LowBoundary | HighBoundary => boundary::boundary(&value, function == HighBoundary, digits()?),
            Precision => match &value {
                Value::Integer(_) => Ok(Some(Item::Integer(0))),
                Value::Decimal(value) => Ok(Some(Item::Integer(value.scale().into()))),
                Value::Large(number) => Ok(Some(Item::Integer(number.scale().into()))),
                Value::Date(moment) | Value::DateTime(moment) | Value::Time(moment) => Ok(Some(Item::Integer(moment.digits()))),
                _ => Err(()),
            },
            YearOf | MonthOf | DayOf | HourOf | MinuteOf | SecondOf | MillisecondOf | TimezoneOffsetOf | DateOf | TimeOf => match &value {
                Value::Date(moment) | Value::DateTime(moment) | Value::Time(moment) => Ok(part(function, *moment)),
                _ => Err(()),
            },
            Round => {
                let digits = digits()?.unwrap_or(0);
                match (value.decimal(), u32::try_from(digits)) {
                    (_, Err(_)) => return Err(Stop::new(at, Problem::Other("round() takes no negative count of digits".into()))),
                    (Some(value), Ok(digits)) => {
                        Ok(decimal(Some(value.round_dp_with_strategy(digits.min(28), RoundingStrategy::MidpointAwayFromZero))))
                    }
                    (None, _) => Err(()),
                }
            }
            _ => number(function, &value, argument.as_ref().map(Item::value)),
        };
        match result {
            Ok(result) => result.map_or(Ok(()), emit),
            Err(()) if matches!(value, Value::Large(_)) => Ok(()),
            Err(()) => Err(Stop::new(at, Problem::Mismatch(format!("{}() is not for {}", function.name(), told_type(&item))))),
        }
    }

    /// `sum`, `min`, `max` and `avg`.
    #[inline(never)]
    pub fn reckon(&self, function: Function, of: &'a Code, at: u32, frame: &Frame<'a, '_>, emit: Emit<'_, 'a>) -> Flow {
        let (mut total, mut count): (Option<Item<'a>>, i64) = (None, 0);
        let mut overflown = false;
        self.each(of, frame, &mut |item| {
            count += 1;
            let mismatch = |item: &Item<'_>| Stop::new(at, Problem::Mismatch(format!("{}() is not for {}", function.name(), told_type(item))));
            let Some(before) = total.take() else {
                let own = if matches!(function, Function::Sum | Function::Avg) { item.clone().into_system() } else { Some(item.clone()) };
                total = Some(own.ok_or_else(|| mismatch(&item))?);
                return Ok(());
            };
            total = match function {
                Function::Sum | Function::Avg => match reckon(Operator::Add, &before.value(), &item.value()) {
                    Ok(None) => {
                        overflown = true;
                        Some(Item::Integer(0))
                    }
                    Ok(sum) => sum,
                    Err(()) => return Err(mismatch(&item)),
                },
                _ => match order(&item.value(), &before.value()) {
                    Ok(order) if order.is_lt() == (function == Function::Min) && order.is_ne() => Some(item),
                    Ok(_) | Err(NoOrder::Unknown) => Some(before),
                    Err(NoOrder::Mismatch) => return Err(mismatch(&item)),
                },
            };
            Ok(())
        })?;
        let Some(total) = total.filter(|_| !overflown) else { return Ok(()) };
        match function {
            Function::Avg => match reckon(Operator::Divide, &total.value(), &Value::Integer(count)) {
                Ok(average) => average.map_or(Ok(()), emit),
                Err(()) => Err(Stop::new(at, Problem::Mismatch(format!("avg() is not for {}", told_type(&total))))),
            },
            _ => emit(total),
        }
    }
}

fn reckon<'r>(operator: Operator, a: &Value<'_>, b: &Value<'_>) -> Reckoned<'r> {
    use Operator::*;
    Ok(match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => match operator {
            Add => integer(a.checked_add(*b)),
            Subtract => integer(a.checked_sub(*b)),
            Multiply => integer(a.checked_mul(*b)),
            Div => integer(a.checked_div(*b)),
            Mod => integer(a.checked_rem(*b)),
            _ => decimal(Decimal::from(*a).checked_div(Decimal::from(*b))),
        },
        (Value::Date(moment) | Value::DateTime(moment) | Value::Time(moment), Value::Quantity(span)) => {
            let sign = match operator {
                Add => 1,
                Subtract => -1,
                _ => return Err(()),
            };
            match (moved(*moment, span, sign)?, a) {
                (None, _) => None,
                (Some(moment), Value::Date(_)) => Some(Item::Date(moment)),
                (Some(moment), Value::DateTime(_)) => Some(Item::DateTime(moment)),
                (Some(moment), _) => Some(Item::Time(moment)),
            }
        }
        (Value::Quantity(a), Value::Quantity(b)) => match operator {
            Add | Subtract => {
                let Some(other) = b.converted(&a.unit) else { return Ok(None) };
                let value = if operator == Add { a.value.checked_add(other) } else { a.value.checked_sub(other) };
                value.map(|value| Item::Quantity(Quantity { value, unit: a.unit.clone().into_owned() }))
            }
            Multiply => a.times(b).map(Item::Quantity),
            Divide => a.over(b).map(Item::Quantity),
            _ => return Err(()),
        },
        (Value::Quantity(quantity), number) | (number, Value::Quantity(quantity)) if number.decimal().is_some() => {
            let one = Quantity { value: number.decimal().unwrap_or_default(), unit: Unit::one() };
            let is_first = matches!(a, Value::Quantity(_));
            match operator {
                Multiply => quantity.times(&one).map(Item::Quantity),
                Divide if is_first => quantity.over(&one).map(Item::Quantity),
                Divide => one.over(quantity).map(Item::Quantity),
                Add | Subtract if quantity.unit.is_one() => {
                    let (a, b) = if is_first { (quantity.value, one.value) } else { (one.value, quantity.value) };
                    let value = if operator == Add { a.checked_add(b) } else { a.checked_sub(b) };
                    value.map(|value| Item::Quantity(Quantity { value, unit: Unit::one() }))
                }
                _ => return Err(()),
            }
        }
        (Value::Large(_), Value::Large(_) | Value::Integer(_) | Value::Decimal(_)) | (Value::Integer(_) | Value::Decimal(_), Value::Large(_)) => None,
        (a, b) => {
            let (Some(a), Some(b)) = (a.decimal(), b.decimal()) else { return Err(()) };
            match operator {
                Add => decimal(a.checked_add(b)),
                Subtract => decimal(a.checked_sub(b)),
                Multiply => decimal(a.checked_mul(b)),
                Divide => decimal(a.checked_div(b)),
                Div => a.checked_div(b).and_then(|q| q.trunc().to_i64()).and_then(|q| integer(Some(q))),
                Mod => decimal(a.checked_rem(b)),
                _ => return Err(()),
            }
        }
    })
}

/// A moment moved by a span of time: <http://hl7.org/fhirpath/N1/#datetime-arithmetic>.
fn moved(moment: Moment, span: &Quantity<'_>, sign: i64) -> Result<Option<Moment>, ()> {
    use super::moment::Calendar;
    let unit = span.unit.calendar().ok_or(())?;
    if !moment.has_date && matches!(unit, Calendar::Year | Calendar::Month) {
        return Err(());
    }
    // Only seconds may have decimals.
    let (count, unit) = if unit == Calendar::Second {
        (span.value.checked_mul(Decimal::ONE_THOUSAND).and_then(|v| v.trunc().to_i64()), Calendar::Millisecond)
    } else {
        (span.value.trunc().to_i64(), unit)
    };
    Ok(count.and_then(|count| moment.plus(count.checked_mul(sign)?, unit)))
}

fn part<'r>(function: Function, moment: Moment) -> Option<Item<'r>> {
    use super::moment::Precision::*;
    let known = |precision, value: u32| (moment.precision >= precision).then_some(Item::Integer(value.into()));
    match function {
        Function::DateOf => moment.has_date.then(|| Item::Date(moment.date_part())),
        Function::TimeOf => moment.time_part().map(Item::Time),
        Function::TimezoneOffsetOf => moment.zone.and_then(|zone| Decimal::from(zone).checked_div(Decimal::from(60))).map(Item::Decimal),
        Function::YearOf | Function::MonthOf | Function::DayOf if !moment.has_date => None,
        Function::YearOf => Some(Item::Integer(moment.year.into())),
        Function::MonthOf => known(Month, moment.month.into()),
        Function::DayOf => known(Day, moment.day.into()),
        Function::HourOf => known(Hour, moment.hour.into()),
        Function::MinuteOf => known(Minute, moment.minute.into()),
        Function::SecondOf => known(Second, moment.second.into()),
        _ if moment.digits == 0 => None,
        _ => known(Second, moment.nanos / 1_000_000),
    }
}

fn number<'r>(function: Function, value: &Value<'_>, argument: Option<Value<'_>>) -> Reckoned<'r> {
    use Function::*;
    if let (Abs, Value::Quantity(Quantity { value, unit })) = (function, value) {
        return Ok(Some(Item::Quantity(Quantity { value: value.abs(), unit: unit.clone().into_owned() })));
    }
    if let (Abs | Ceiling | Floor | Truncate, Value::Integer(value)) = (function, value) {
        return Ok(integer(if function == Abs { value.checked_abs() } else { Some(*value) }));
    }
    let x = value.decimal().ok_or(())?;
    let whole = |value: Decimal| value.to_i64().and_then(|value| integer(Some(value)));
    // Digits of a double that is sure: what a function gives has no end anyway.
    let double = |f: f64| if f.is_finite() { Decimal::from_scientific(&format!("{f:e}")).ok().and_then(|d| d.round_sf(15)).map(|d| d.normalize()) } else { None };
    let float = |value: Decimal| value.to_f64().unwrap_or(f64::NAN);
    Ok(match function {
        Abs => decimal(Some(x.abs())),
        Ceiling => whole(x.ceil()),
        Floor => whole(x.floor()),
        Truncate => whole(x.trunc()),
        Sqrt if x.is_sign_negative() && !x.is_zero() => None,
        Sqrt => decimal(double(float(x).sqrt())),
        Exp => decimal(double(float(x).exp())),
        Ln if x <= Decimal::ZERO => None,
        Ln => decimal(double(float(x).ln())),
        Log => {
            let base = argument.and_then(|a| a.decimal()).ok_or(())?;
            if x <= Decimal::ZERO || base <= Decimal::ZERO || base == Decimal::ONE {
                return Ok(None);
            }
            decimal(double(float(x).ln() / float(base).ln()))
        }
        Power => {
            let argument = argument.ok_or(())?;
            let exponent = argument.decimal().ok_or(())?;
            match (value, exponent.is_integer().then(|| exponent.to_i64()).flatten()) {
                (_, Some(exponent)) if (0..=1_000).contains(&exponent) => {
                    let power = raised(x, exponent as u32);
                    match (value, argument) {
                        (Value::Integer(_), Value::Integer(_)) => power.and_then(whole),
                        _ => decimal(power),
                    }
                }
                _ => decimal(double(float(x).powf(float(exponent)))),
            }
        }
        _ => return Err(()),
    })
}

/// By squaring, so that no digit is lost.
fn raised(base: Decimal, exponent: u32) -> Option<Decimal> {
    let (mut result, mut square, mut left) = (Decimal::ONE, base, exponent);
    while left > 0 {
        if left & 1 == 1 {
            result = result.checked_mul(square)?;
        }
        left >>= 1;
        if left > 0 {
            square = square.checked_mul(square)?;
        }
    }
    Some(result)
}

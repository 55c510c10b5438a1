//! The least and greatest value that is meant: <https://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time>.

use super::item::Item;
use super::quantity::Quantity;
use super::value::Value;
use rust_decimal::{Decimal, RoundingStrategy};

/// Decimals where no count is given, and most of them.
const USUAL: i64 = 8;
const MOST: i64 = 28;

/// `Err` for a value that has no boundary.
pub(super) fn boundary<'r>(value: &Value<'_>, is_high: bool, digits: Option<i64>) -> Result<Option<Item<'r>>, ()> {
    Ok(match value {
        Value::Integer(value) => of_number(Decimal::from(*value), is_high, digits).map(Item::Decimal),
        Value::Decimal(value) => of_number(*value, is_high, digits).map(Item::Decimal),
        Value::Quantity(Quantity { value, unit }) => {
            of_number(*value, is_high, digits).map(|value| Item::Quantity(Quantity { value, unit: unit.clone().into_owned() }))
        }
        Value::Date(moment) => moment.boundary(is_high, digits.unwrap_or(8)).map(Item::Date),
        Value::DateTime(moment) => moment.boundary(is_high, digits.unwrap_or(17)).map(Item::DateTime),
        Value::Time(moment) => moment.boundary(is_high, digits.unwrap_or(9)).map(Item::Time),
        _ => return Err(()),
    })
}

/// Half a unit of the last place away, rounded away from the value; `None` for a count of digits that no number has.
fn of_number(value: Decimal, is_high: bool, digits: Option<i64>) -> Option<Decimal> {
    let digits = digits.unwrap_or(USUAL);
    if !(0..=MOST).contains(&digits) || value.scale() + 1 > MOST as u32 {
        return None;
    }
    let half = Decimal::try_new(5, value.scale() + 1).ok()?;
    let strategy = if is_high { RoundingStrategy::ToPositiveInfinity } else { RoundingStrategy::ToNegativeInfinity };
    let edge = if is_high { value.checked_add(half)? } else { value.checked_sub(half)? };
    let mut rounded = edge.round_dp_with_strategy(digits as u32, strategy);
    rounded.rescale(digits as u32);
    (rounded.scale() == digits as u32).then_some(rounded)
}

//! Quantities and what they are in base units: <http://hl7.org/fhirpath/N1/#quantity>.

use super::moment::Calendar;
use octofhir_ucum::get_canonical_units;
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, RwLock};

/// A number of a unit.
#[derive(Clone, Debug)]
pub struct Quantity<'a> {
    pub value: Decimal,
    pub unit: Unit<'a>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Unit<'a> {
    /// A UCUM code; `1` is none.
    Ucum(Cow<'a, str>),
    /// `days`, `years`
    Calendar(Calendar),
    /// The human text of a quantity without a code: equal to itself only.
    Text(Cow<'a, str>),
}

/// What a unit is in base units.
#[derive(Debug)]
struct Base {
    measure: String,
    factor: Decimal,
    offset: Decimal,
}

/// Longer codes are compared as they stand.
const MAX_CODE: usize = 128;
/// Codes remembered; beyond them each is worked out anew.
const MAX_KNOWN: usize = 2_000;
/// Significant digits in which converted numbers are compared, so that a factor such as 5/9 loses nothing.
const DIGITS: u32 = 18;

fn ucum(code: &str) -> Option<Arc<Base>> {
    type Known = HashMap<String, Option<Arc<Base>>>;
    static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(RwLock::default);
    if code.len() > MAX_CODE {
        return None;
    }
    if let Some(found) = KNOWN.read().ok().and_then(|known| known.get(code).cloned()) {
        return found;
    }
    let base = Base::of(code).map(Arc::new);
    if let Ok(mut known) = KNOWN.write()
        && known.len() < MAX_KNOWN
    {
        known.insert(code.to_owned(), base.clone());
    }
    base
}

impl Base {
    fn of(code: &str) -> Option<Base> {
        let canonical = get_canonical_units(code).ok()?;
        // a number of something: what is counted stands in braces alone, and does not convert
        if canonical.unit == "1" && code.contains('{') || canonical.unit.len() > 4 * MAX_CODE {
            return None;
        }
        let decimal = |number: octofhir_ucum::Number| Decimal::from_scientific(&format!("{number:e}")).ok();
        let factor = decimal(canonical.factor)?;
        if factor <= Decimal::ZERO {
            return None;
        }
        Some(Base { measure: canonical.unit, factor, offset: decimal(canonical.offset)? })
    }
}

impl<'a> Unit<'a> {
    /// The unit that a code stands for; the words of the calendar are taken as such.
    pub fn code(code: Cow<'a, str>) -> Unit<'a> {
        match Calendar::named(&code) {
            Some(calendar) => Unit::Calendar(calendar),
            None => Unit::Ucum(code),
        }
    }

    pub fn one() -> Unit<'static> {
        Unit::Ucum(Cow::Borrowed("1"))
    }

    pub fn is_one(&self) -> bool {
        matches!(self, Unit::Ucum(code) if code == "1")
    }

    /// A span of time that dates can be moved by. Years and months of UCUM are means, and no date moves by a mean.
    pub fn calendar(&self) -> Option<Calendar> {
        match self {
            Unit::Calendar(calendar) => Some(*calendar),
            Unit::Ucum(code) => Calendar::of_ucum(code),
            Unit::Text(_) => None,
        }
    }

    /// The name or code.
    pub fn text(&self) -> &str {
        match self {
            Unit::Calendar(calendar) => calendar.name(),
            Unit::Ucum(code) | Unit::Text(code) => code,
        }
    }

    pub fn into_owned(self) -> Unit<'static> {
        match self {
            Unit::Calendar(calendar) => Unit::Calendar(calendar),
            Unit::Ucum(code) => Unit::Ucum(Cow::Owned(code.into_owned())),
            Unit::Text(text) => Unit::Text(Cow::Owned(text.into_owned())),
        }
    }

    /// Whether it is of UCUM or the calendar.
    pub fn is_known(&self) -> bool {
        match self {
            Unit::Calendar(_) => true,
            Unit::Ucum(code) => ucum(code).is_some(),
            Unit::Text(_) => false,
        }
    }

    fn base(&self) -> Option<(Cow<'_, str>, Decimal, Decimal)> {
        match self {
            Unit::Text(_) => None,
            Unit::Calendar(Calendar::Year) => Some(("months".into(), Decimal::from(12), Decimal::ZERO)),
            Unit::Calendar(Calendar::Month) => Some(("months".into(), Decimal::ONE, Decimal::ZERO)),
            Unit::Calendar(calendar) => Some(("s".into(), Decimal::new(calendar.milliseconds()?, 3), Decimal::ZERO)),
            Unit::Ucum(code) => ucum(code).map(|base| (base.measure.clone().into(), base.factor, base.offset)),
        }
    }

    /// What it measures, where it converts to other units of that.
    pub(super) fn measure(&self) -> Option<Cow<'_, str>> {
        self.base().map(|(measure, ..)| measure)
    }

    /// Whether amounts of both can be told in one unit.
    pub fn is_comparable(&self, other: &Unit<'_>) -> bool {
        self == other || matches!((self.base(), other.base()), (Some(a), Some(b)) if a.0 == b.0)
    }
}

/// A number in base units, to the digits that are compared.
fn in_base(value: Decimal, factor: Decimal, offset: Decimal) -> Option<Decimal> {
    value.checked_mul(factor).and_then(|v| v.checked_add(offset)).and_then(|v| v.round_sf(DIGITS))
}

impl<'a> Quantity<'a> {
    /// The same number for amounts that [`Self::order`] finds equal.
    pub(super) fn rounded(&self) -> Decimal {
        let base = self.unit.base().and_then(|(_, factor, offset)| in_base(self.value, factor, offset));
        base.unwrap_or(self.value).normalize()
    }

    /// The order of two amounts; `None` where the units do not convert.
    pub fn order(&self, other: &Quantity<'_>) -> Option<Ordering> {
        if self.unit == other.unit {
            return Some(self.value.cmp(&other.value));
        }
        let ((measure, factor, offset), (other_measure, other_factor, other_offset)) = (self.unit.base()?, other.unit.base()?);
        if measure != other_measure {
            return None;
        }
        Some(in_base(self.value, factor, offset)?.cmp(&in_base(other.value, other_factor, other_offset)?))
    }

    /// Whether they are the same, rounded to the coarser of both: <http://hl7.org/fhirpath/N1/#equivalent>.
    pub fn is_equivalent(&self, other: &Quantity<'_>) -> bool {
        if self.unit == other.unit {
            return equivalent(self.value, other.value);
        }
        let (Some(a), Some(b)) = (self.loose_base(), other.loose_base()) else { return false };
        if a.0 != b.0 {
            return false;
        }
        // in the larger of both units, where fewer digits matter
        let (large, small, factor) = if a.1 >= b.1 { (self, other, b.1.checked_div(a.1)) } else { (other, self, a.1.checked_div(b.1)) };
        if !(a.2.is_zero() && b.2.is_zero()) {
            return self.order(other) == Some(Ordering::Equal);
        }
        let scale = significant_scale(large.value).min(significant_scale(small.value));
        factor.and_then(|f| small.value.checked_mul(f)).is_some_and(|v| v.round_dp(scale) == large.value.round_dp(scale))
    }

    /// As [`Unit::base`], with the years and months of the calendar as those of UCUM.
    fn loose_base(&self) -> Option<(Cow<'_, str>, Decimal, Decimal)> {
        match self.unit {
            Unit::Calendar(Calendar::Year) => Unit::Ucum("a".into()).base().map(|(m, f, o)| (m.into_owned().into(), f, o)),
            Unit::Calendar(Calendar::Month) => Unit::Ucum("mo".into()).base().map(|(m, f, o)| (m.into_owned().into(), f, o)),
            _ => self.unit.base(),
        }
    }

    /// An amount of this in another unit.
    pub fn converted(&self, unit: &Unit<'_>) -> Option<Decimal> {
        if self.unit == *unit {
            return Some(self.value);
        }
        let ((measure, factor, offset), (other_measure, other_factor, other_offset)) = (self.unit.base()?, unit.base()?);
        if measure != other_measure {
            return None;
        }
        let base = self.value.checked_mul(factor)?.checked_add(offset)?.checked_sub(other_offset)?;
        base.checked_div(other_factor)?.round_sf(DIGITS).map(|v| v.normalize())
    }

    /// The product, with the product of the units.
    pub fn times(&self, other: &Quantity<'_>) -> Option<Quantity<'static>> {
        let value = self.value.checked_mul(other.value)?;
        let unit = match (self.unit.is_one(), other.unit.is_one()) {
            (_, true) => self.unit.clone().into_owned(),
            (true, _) => other.unit.clone().into_owned(),
            _ => joined(self.unit.code_of_ucum()?, ".", other.unit.code_of_ucum()?)?,
        };
        Some(Quantity { value, unit })
    }

    /// The quotient, with the quotient of the units.
    pub fn over(&self, other: &Quantity<'_>) -> Option<Quantity<'static>> {
        let value = self.value.checked_div(other.value)?;
        let unit = if other.unit.is_one() {
            self.unit.clone().into_owned()
        } else if self.unit == other.unit {
            Unit::one()
        } else {
            let of = if self.unit.is_one() { "" } else { self.unit.code_of_ucum()? };
            joined(of, "/", other.unit.code_of_ucum()?)?
        };
        Some(Quantity { value, unit })
    }
}

impl Unit<'_> {
    fn code_of_ucum(&self) -> Option<&str> {
        Some(match self {
            Unit::Ucum(code) => code,
            Unit::Calendar(Calendar::Week) => "wk",
            Unit::Calendar(Calendar::Day) => "d",
            Unit::Calendar(Calendar::Hour) => "h",
            Unit::Calendar(Calendar::Minute) => "min",
            Unit::Calendar(Calendar::Second) => "s",
            Unit::Calendar(Calendar::Millisecond) => "ms",
            Unit::Calendar(_) | Unit::Text(_) => return None,
        })
    }
}

fn joined(a: &str, operator: &str, b: &str) -> Option<Unit<'static>> {
    let bracket = |code: &str| if code.contains(['.', '/']) { format!("({code})") } else { code.to_owned() };
    let code = format!("{}{operator}{}", bracket(a), bracket(b));
    (code.len() <= MAX_CODE && ucum(&code).is_some()).then_some(Unit::Ucum(code.into()))
}

/// Decimals behind the point, without zeros at the end.
fn significant_scale(value: Decimal) -> u32 {
    value.normalize().scale()
}

/// Whether two numbers are the same, rounded to the coarser of both.
pub(super) fn equivalent(a: Decimal, b: Decimal) -> bool {
    let scale = significant_scale(a).min(significant_scale(b));
    a.round_dp(scale) == b.round_dp(scale)
}

/// `4 'mg'`, `4 days`
impl fmt::Display for Quantity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            Unit::Calendar(calendar) if self.value.abs() == Decimal::ONE => write!(f, "{} {}", self.value, calendar.name()),
            Unit::Calendar(calendar) => write!(f, "{} {}s", self.value, calendar.name()),
            unit => write!(f, "{} '{}'", self.value, unit.text()),
        }
    }
}

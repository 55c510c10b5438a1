//! Quantities in units of UCUM, brought to base units, so that 5.4 mg is found as 0.0054 g.
//!
//! <https://hl7.org/fhir/R4/search.html#quantity>: a search with system and code may be for any unit that converts to it.
//! Factors come from `octofhir-ucum` with 28 digits; what is compared has [`DIGITS`], so that a factor such as 5/9 loses nothing.

use super::decimal::{Bound, Decimal, Span};
use super::query::Range;
use octofhir_ucum::{Number, get_canonical_units};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The system of UCUM codes in FHIR.
pub const SYSTEM: &str = "http://unitsofmeasure.org";

/// Significant digits in which converted numbers are compared.
pub const DIGITS: usize = 18;

/// Longer codes are compared as they stand.
const MAX_CODE: usize = 48;
/// Codes remembered; beyond them each is worked out anew.
const MAX_KNOWN: usize = 2_000;

/// What a unit is in base units.
#[derive(Debug, PartialEq)]
pub struct Unit {
    /// The product of base units, `g.m-3`, by which units that convert into each other are known.
    pub measure: String,
    factor: Decimal,
    /// Of a temperature in other degrees than kelvin.
    offset: Decimal,
}

/// The unit of that code; `None` if it is not UCUM, or on a scale that no factor converts (pH, decibel).
pub fn unit(system: Option<&str>, code: Option<&str>) -> Option<Rc<Unit>> {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Option<Rc<Unit>>>> = RefCell::default();
    }
    let code = code.filter(|code| system == Some(SYSTEM) && code.len() <= MAX_CODE)?;
    KNOWN.with_borrow_mut(|known| {
        if let Some(unit) = known.get(code) {
            return unit.clone();
        }
        let unit = Unit::of(code).map(Rc::new);
        if known.len() < MAX_KNOWN {
            known.insert(code.to_owned(), unit.clone());
        }
        unit
    })
}

impl Unit {
    fn of(code: &str) -> Option<Unit> {
        let canonical = get_canonical_units(code).ok()?;
        // a number of something: what is counted stands in braces alone, and does not convert
        if canonical.unit == "1" && code.contains('{') || canonical.unit.len() > 2 * MAX_CODE {
            return None;
        }
        let decimal = |number: Number| Decimal::parse(&format!("{number:e}"));
        Some(Unit { measure: canonical.unit, factor: decimal(canonical.factor)?, offset: decimal(canonical.offset)? })
    }

    /// How many of the base units one of this is; about, as far as it has no end in binary.
    pub fn factor(&self) -> f64 {
        self.factor.to_string().parse().unwrap_or(f64::NAN)
    }

    /// A number of this unit (encoded) in base units.
    fn in_base(&self, encoded: &[u8]) -> Option<Vec<u8>> {
        Some(Decimal::decode(encoded)?.times(&self.factor)?.plus(&self.offset)?.rounded(DIGITS).encode())
    }

    /// Calls `f` with what a span of this unit is in base units; the order of numbers stays.
    pub fn with_span<R>(&self, span: Span, f: impl FnOnce(Span) -> R) -> Option<R> {
        let mut ends = [Vec::new(), Vec::new()];
        for (end, bound) in ends.iter_mut().zip([span.low, span.high]) {
            if let Bound::Open(b) | Bound::Closed(b) = bound {
                *end = self.in_base(b)?;
            }
        }
        let bound = |bound: Bound, end| match bound {
            Bound::Infinite => Bound::Infinite,
            Bound::Open(_) => Bound::Open(end),
            Bound::Closed(_) => Bound::Closed(end),
        };
        let (low, high) = (bound(span.low, ends[0].as_slice()), bound(span.high, ends[1].as_slice()));
        Some(f(Span { low, high }))
    }

    /// What is searched for, with the range that its precision implies in this unit.
    pub fn range(&self, range: &Range) -> Option<Range> {
        Some(Range { value: self.in_base(&range.value)?, low: self.in_base(&range.low)?, high: self.in_base(&range.high)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_base(number: &str, code: &str) -> Option<String> {
        let unit = unit(Some(SYSTEM), Some(code))?;
        let base = unit.in_base(&Decimal::parse(number)?.encode())?;
        Some(format!("{} {}", Decimal::decode(&base)?, unit.measure))
    }

    #[test]
    fn equal_amounts_are_equal_in_base_units() {
        for (a, b) in [
            (("5.4", "mg"), ("0.0054", "g")),
            (("5.4", "mg"), ("5400", "ug")),
            (("90", "mg/dL"), ("0.9", "g/L")),
            (("60", "/min"), ("1", "Hz")),
            (("60", "{beats}/min"), ("1", "/s")),
            (("1", "h"), ("3600", "s")),
            (("98.6", "[degF]"), ("37", "Cel")),
            (("32", "[degF]"), ("273.15", "K")),
            (("-40", "Cel"), ("-40", "[degF]")),
            (("1", "[in_i]"), ("2.54", "cm")),
            (("10", "[lb_av]"), ("4.5359237", "kg")),
            (("120", "mm[Hg]"), ("0.12", "m[Hg]")),
            (("5", "10*3/uL"), ("5", "10*9/L")),
            (("50", "%"), ("0.5", "1")),
            (("1", "[iU]/L"), ("0.001", "[iU]/mL")),
            (("1", "L"), ("1", "dm3")),
            (("7", "mmol/L"), ("0.007", "mol/L")),
            (("23", "mm/h"), ("0.023", "m/h")),
        ] {
            let base = in_base(a.0, a.1);
            assert!(base.is_some() && base == in_base(b.0, b.1), "{a:?} {base:?} {b:?} {:?}", in_base(b.0, b.1));
        }
        assert_eq!(in_base("37", "Cel").unwrap(), "310.15 K");
        assert_eq!(in_base("5.4", "kg").unwrap(), "5400 g");
    }

    #[test]
    fn what_does_not_convert_is_left_as_it_stands() {
        let deep = "(".repeat(40);
        for code in ["", "nonsense", "[pH]", "dB", "{score}", "{a}.{b}", "mg/", "m//s", "µg", "💊", deep.as_str(), "m999999999999", "10*999999", "10*-999999"] {
            assert_eq!(unit(Some(SYSTEM), Some(code)), None, "{code}");
        }
        assert_eq!(unit(Some(SYSTEM), Some(&"m.".repeat(60))), None);
        assert_eq!(unit(Some("http://other"), Some("mg")), None);
        assert_eq!(unit(None, Some("mg")), None);
        assert_eq!(unit(Some(SYSTEM), None), None);
    }

    #[test]
    fn units_of_different_measures_are_told_apart() {
        let measure = |code| unit(Some(SYSTEM), Some(code)).unwrap().measure.clone();
        assert_ne!(measure("mg"), measure("mg/dL"));
        assert_ne!(measure("[iU]/L"), measure("[arb'U]/L"));
        assert_ne!(measure("mg/dL"), measure("mmol/L"));
        assert_eq!(measure("J"), measure("N.m"));
    }
}

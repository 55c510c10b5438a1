//! Units of results: mmol/L, mg/dL, K/uL, x10^3/µL, mm Hg, °F, beats per minute.

use std::sync::LazyLock;

use crate::nlp::note::Note;
use crate::nlp::token::Class;
use crate::nlp::words::Words;

/// Units as they are written without spaces, in small letters, `u` for µ and `/` for "per"; and as UCUM has them.
const UNITS: &[(&str, &str)] = &[
    ("%", "%"), ("percent", "%"), ("mmol/l", "mmol/L"), ("mmol", "mmol/L"), ("meq/l", "meq/L"), ("meq", "meq/L"), ("mg/dl", "mg/dL"), ("mg%", "mg/dL"),
    ("g/dl", "g/dL"), ("gm/dl", "g/dL"), ("gms/dl", "g/dL"), ("g%", "g/dL"), ("g/l", "g/L"), ("mg/l", "mg/L"), ("ug/l", "ug/L"), ("mcg/l", "ug/L"),
    ("ug/dl", "ug/dL"), ("mcg/dl", "ug/dL"), ("ug/ml", "ug/mL"), ("mcg/ml", "ug/mL"), ("mg/ml", "mg/mL"), ("ng/ml", "ng/mL"), ("ng/dl", "ng/dL"), ("ng/l", "ng/L"),
    ("pg/ml", "pg/mL"), ("pg/dl", "pg/dL"), ("pg", "pg"), ("umol/l", "umol/L"), ("nmol/l", "nmol/L"), ("pmol/l", "pmol/L"), ("mmol/mol", "mmol/mol"), ("umol", "umol/L"),
    ("mg/g", "mg/g"), ("mg/mmol", "mg/mmol"), ("mcg/mg", "ug/mg"), ("ug/mg", "ug/mg"), ("g/g", "g/g"), ("mosm/kg", "mosm/kg"), ("mosm/l", "mosm/L"), ("mosm", "mosm/kg"),
    ("iu/l", "[iU]/L"), ("u/l", "U/L"), ("units/l", "U/L"), ("iu/ml", "[iU]/mL"), ("u/ml", "U/mL"), ("miu/l", "m[iU]/L"), ("mu/l", "mU/L"), ("uiu/ml", "u[iU]/mL"),
    ("miu/ml", "m[iU]/mL"), ("mu/ml", "mU/mL"), ("units/ml", "U/mL"), ("kat/l", "kat/L"),
    ("k/ul", "10*3/uL"), ("k/mm3", "10*3/uL"), ("k/cumm", "10*3/uL"), ("th/ul", "10*3/uL"), ("thou/ul", "10*3/uL"), ("thousand/ul", "10*3/uL"),
    ("x10^3/ul", "10*3/uL"), ("10^3/ul", "10*3/uL"), ("x103/ul", "10*3/uL"), ("x10e3/ul", "10*3/uL"), ("10e3/ul", "10*3/uL"), ("10*3/ul", "10*3/uL"), ("x10*3/ul", "10*3/uL"), ("x10(3)/ul", "10*3/uL"),
    ("x10^9/l", "10*9/L"), ("10^9/l", "10*9/L"), ("x109/l", "10*9/L"), ("10*9/l", "10*9/L"), ("x10*9/l", "10*9/L"), ("x10e9/l", "10*9/L"), ("10e9/l", "10*9/L"), ("g/ml", "g/mL"),
    ("m/ul", "10*6/uL"), ("mil/ul", "10*6/uL"), ("x10^6/ul", "10*6/uL"), ("10^6/ul", "10*6/uL"), ("x10e6/ul", "10*6/uL"), ("10e6/ul", "10*6/uL"), ("10*6/ul", "10*6/uL"), ("x10*6/ul", "10*6/uL"), ("x106/ul", "10*6/uL"), ("m/mm3", "10*6/uL"), ("million/ul", "10*6/uL"),
    ("x10^12/l", "10*12/L"), ("10^12/l", "10*12/L"), ("x1012/l", "10*12/L"), ("10*12/l", "10*12/L"),
    ("/ul", "/uL"), ("cells/ul", "/uL"), ("/mm3", "/uL"), ("cells/mm3", "/uL"), ("/cumm", "/uL"), ("cells/mcl", "/uL"), ("/mcl", "/uL"), ("k/mcl", "10*3/uL"),
    ("/hpf", "/[HPF]"), ("/lpf", "/[LPF]"), ("hpf", "/[HPF]"), ("copies/ml", "/mL"), ("cfu/ml", "[CFU]/mL"),
    ("mmhg", "mm[Hg]"), ("torr", "mm[Hg]"), ("kpa", "kPa"), ("cmh2o", "cm[H2O]"), ("bpm", "/min"), ("beats/min", "/min"), ("beats/minute", "/min"), ("/min", "/min"), ("/minute", "/min"), ("breaths/min", "/min"), ("breaths/minute", "/min"), ("breath/min", "/min"), ("bpmin", "/min"),
    ("f", "[degF]"), ("°f", "[degF]"), ("ºf", "[degF]"), ("degf", "[degF]"), ("degreesf", "[degF]"), ("degreesfahrenheit", "[degF]"), ("fahrenheit", "[degF]"), ("c", "Cel"), ("°c", "Cel"), ("ºc", "Cel"), ("degc", "Cel"), ("degreesc", "Cel"), ("degreescelsius", "Cel"), ("celsius", "Cel"), ("°", "deg"), ("degrees", "deg"),
    ("kg", "kg"), ("kgs", "kg"), ("kilograms", "kg"), ("kilos", "kg"), ("lb", "[lb_av]"), ("lbs", "[lb_av]"), ("pounds", "[lb_av]"), ("#", "[lb_av]"), ("g", "g"), ("gm", "g"), ("grams", "g"), ("oz", "[oz_av]"),
    ("cm", "cm"), ("mm", "mm"), ("m", "m"), ("meters", "m"), ("in", "[in_i]"), ("inches", "[in_i]"), ("ft", "[ft_i]"), ("feet", "[ft_i]"), ("\"", "[in_i]"), ("kg/m2", "kg/m2"), ("kg/m^2", "kg/m2"), ("kg/m²", "kg/m2"), ("kg/msq", "kg/m2"),
    ("s", "s"), ("sec", "s"), ("secs", "s"), ("seconds", "s"), ("ms", "ms"), ("msec", "ms"), ("milliseconds", "ms"), ("mm/hr", "mm/h"), ("mm/h", "mm/h"), ("mm/hour", "mm/h"), ("fl", "fL"),
    ("ml/min", "mL/min"), ("ml/min/1.73m2", "mL/min/{1.73_m2}"), ("ml/min/1.73m^2", "mL/min/{1.73_m2}"), ("ml/min/1.73m²", "mL/min/{1.73_m2}"), ("ml/min/1.73", "mL/min/{1.73_m2}"), ("l/min", "L/min"), ("ml", "mL"), ("cc", "mL"), ("cc/hr", "mL/h"), ("ml/hr", "mL/h"), ("ml/h", "mL/h"), ("l", "L"), ("liters", "L"), ("mg", "mg"), ("mg/24h", "mg/(24.h)"), ("mg/24hr", "mg/(24.h)"), ("g/24h", "g/(24.h)"), ("ng", "ng"),
    ("k", "10*3/uL"), ("thousand", "10*3/uL"), ("million", "10*6/uL"), ("l/l", "L/L"), ("ratio", "{ratio}"), ("points", "{score}"),
];

/// Units that are something else more often: only with a test that has them.
const OWN: &[&str] = &[
    "f", "c", "s", "l", "m", "k", "g", "in", "#", "\"", "°", "degrees", "mg", "ml", "cc", "thousand", "million", "ms", "mm", "cm", "feet", "ft", "pg", "liters", "ng",
    "grams", "gm", "oz", "points", "ratio", "mmol", "meq", "umol", "hpf", "sec", "secs", "seconds", "ml/hr", "ml/h", "cc/hr", "percent", "l/min", "meters",
];

static TABLE: LazyLock<Words<(&'static str, bool)>> = LazyLock::new(|| {
    let mut words = Words::default();
    for &(text, ucum) in UNITS {
        words.entry(text, || (ucum, OWN.contains(&text)));
    }
    words
});

/// The unit that begins at a token: where it ends, and as UCUM. `units` are the usual ones of the test, parted by commas.
pub fn unit(note: &Note<'_>, at: u32, units: &str) -> Option<(u32, &'static str)> {
    let mut letters = String::with_capacity(24);
    let mut best = None;
    let mut next = at;
    while next < at + 9 && letters.len() < 24 {
        let Some(class) = note.class(next) else { break };
        if class == Class::Line {
            break;
        }
        let word = note.word(next);
        // spaces stand only within "mm Hg", "degrees F", around a stroke
        if class == Class::Mark && !matches!(word, "/" | "%" | "^" | "*" | "°" | "º" | "#" | "\"" | "(" | ")" | "\u{b2}" | "×") {
            break;
        }
        if word.len() > 12 {
            break;
        }
        if word.eq_ignore_ascii_case("per") {
            letters.push('/');
        } else {
            for c in word.chars() {
                match c {
                    'µ' | 'μ' => letters.push('u'),
                    '×' => letters.push('x'),
                    '²' => letters.push('2'),
                    '³' => letters.push('3'),
                    '⁹' => letters.push('9'),
                    c => letters.extend(c.to_lowercase()),
                }
            }
        }
        next += 1;
        if let Some(&(ucum, own)) = TABLE.get(&letters) {
            let usual = units.split(',').any(|u| u == ucum || u == word)
                || (ucum == "deg" && units.contains("degF"))
                || (letters == "k" && units.contains("10*3"))
                || (letters == "f" && units.contains("degF"))
                || (letters == "percent" && units.contains('%'))
                || (letters == "mmol" || letters == "meq" || letters == "umol") && units.contains("mol/L");
            if !own || usual {
                best = Some((next, ucum));
            }
        }
    }
    best
}

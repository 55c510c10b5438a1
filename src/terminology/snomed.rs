//! Which texts can be codes of SNOMED CT: identifiers of concepts, and expressions over them
//! (<https://hl7.org/fhir/R4/snomedct.html>). The codes of its forerunners (`T-15460`) are none.

/// Whether a text can be a code; whether there is such a concept is not known here.
pub fn is_possible(code: &str) -> bool {
    if code.bytes().all(|b| b.is_ascii_digit()) {
        return is_concept(code.as_bytes());
    }
    // An expression begins with a concept, or with what it means to be to it; concepts may have their terms behind them.
    let expression = code.trim_start();
    let expression = expression.strip_prefix("===").or_else(|| expression.strip_prefix("<<<")).unwrap_or(expression).trim_start();
    let expression = expression.trim_start_matches('(').trim_start();
    let digits = expression.bytes().take_while(u8::is_ascii_digit).count();
    let next = expression.get(digits..).and_then(|rest| rest.trim_start().chars().next());
    expression.as_bytes().get(..digits).is_some_and(is_concept) && matches!(next, Some('|' | ':' | '+' | '{' | ')'))
}

/// Six to eighteen digits, of which the last is a check digit (Verhoeff) and the two before it say that it is a concept.
fn is_concept(digits: &[u8]) -> bool {
    let is_of_concepts = matches!(digits, [.., b'0' | b'1', b'0', _]);
    (6..=18).contains(&digits.len()) && digits.first() != Some(&b'0') && is_of_concepts && is_checked(digits)
}

/// The product of the dihedral group of order ten.
const PRODUCT: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];

/// What a digit stands for one place further to the left.
const NEXT: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

fn is_checked(digits: &[u8]) -> bool {
    let mut check = 0u8;
    for (place, digit) in digits.iter().rev().enumerate() {
        let mut digit = digit.wrapping_sub(b'0');
        for _ in 0..place % 8 {
            let Some(next) = NEXT.get(usize::from(digit)) else { return false };
            digit = *next;
        }
        let Some(next) = PRODUCT.get(usize::from(check)).and_then(|row| row.get(usize::from(digit))) else { return false };
        check = *next;
    }
    check == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concepts_have_a_check_digit_and_expressions_begin_with_a_concept() {
        for (code, expected) in [
            ("73211009", true),
            ("276885007", true),
            ("322236009", true),
            // of an extension
            ("35901911000001104", true),
            ("249943000:363698007=72098002,260868000=6934004", true),
            ("=== 73211009 |Diabetes mellitus|", true),
            ("73211009 |Diabetes mellitus|", true),
            ("(73211009 + 276885007)", true),
            ("276885007x", false),
            ("73211008", false),
            ("1", false),
            ("", false),
            ("T-15460", false),
            ("look up value", false),
            // a description
            ("124479013", false),
            ("073211009", false),
            ("34552-0", false),
        ] {
            assert_eq!(is_possible(code), expected, "{code}");
        }
    }
}

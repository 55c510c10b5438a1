use crate::nlp::entity::Category;
use crate::nlp::signature_tests::{check, found};

fn conditions(cases: &[(&str, &[&str])]) {
    check(&[Category::MedicalCondition], cases);
}

#[test]
fn of_conditions() {
    conditions(&[
        ("pain in the left shoulder", &["pain: DIRECTION left = left; SYSTEM_ORGAN_SITE shoulder"]),
        ("rash on arms", &["rash: SYSTEM_ORGAN_SITE arms"]),
        ("severe headache", &["headache: SEVERITY severe = severe"]),
        ("mild to moderate swelling", &["swelling: SEVERITY mild to moderate = mild to moderate"]),
        ("bilateral edema", &["edema: DIRECTION bilateral = bilateral"]),
        ("headache is throbbing", &["headache: QUALITY throbbing = throbbing"]),
        ("headache, 8/10", &["headache: SEVERITY 8/10 = 8/10"]),
        ("new-onset diabetes", &["diabetes: ACUITY new-onset = new onset"]),
        ("He left the room with fever.", &["fever: "]),
    ]);
}

/// Words of notes in any order, and bytes of any kind: nothing panics, all spans slice the text (which `found` looks at).
#[test]
fn any_soup() {
    let words = [
        "metoprolol", "25", "mg", "PO", "BID", "q", "4", "-", "6", "h", ".", "/", "for", "10", "days", "x", "x7d", "1/2", "½", "tab", "(", ")", ",", "\n", "\r\n", "K",
        "5.2", "mmol", "L", "H", "BP", "120", "µg", "°", "F", "->", "→", "é", "👩‍⚕️", "\u{200b}", "pain", "left", "knee", "severe", "and", "of", "every", "other", "day", "prn",
        "Sig:", "#", "3", "%", "|", ":", "<", ">", "=", "+", "'", "\"", "T98.6", "HR88", "q.h.s.", "p.o.", "one", "a", "half", "to", "aspirin", "hydrocodone", "APAP",
        "glucose", "elevated", "AST", "ALT", "Monday", "B", "8", "10", "once", "acute", "on", "chronic", "000000000000000000000000000000", "\u{661}", "²", "Ht", "5", "10",
        "ref", "positive", "CXR", "troponin", "at", "bedtime", "\u{a0}", "TSH", "[", "]", "~", "1,000", "1.2.3", "kg", "hr", "units", "per",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..random() % 40 {
            text.push_str(words[(random() % words.len() as u64) as usize]);
            if random() % 4 > 0 {
                text.push(' ');
            }
        }
        found(&text);
    }
}

/// Long hostile texts take time in proportion to their length.
#[test]
fn long_texts() {
    for piece in ["metoprolol ", "25 mg ", "q4-", "K ", "K 5 -> ", "pain in the ", "left ", "1/", "aspirin/", "AST/", "metoprolol 25 mg, ", "every ", "(", "p.o.", "for "] {
        found(&piece.repeat(60_000 / piece.len()));
    }
}

use std::sync::OnceLock;

use super::*;
use crate::nlp::lexicon::source::Record;
use crate::nlp::lexicon::{Compiler, shipped};

fn lexicon() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(|| {
        let mut compiler = Compiler::new();
        for (name, text) in shipped::LISTS {
            compiler.add(Record::List { name, text }).unwrap();
        }
        Lexicon::open(compiler.finish("test").unwrap().leak()).unwrap()
    })
}

fn cut(text: &str) -> Vec<(String, Sentence)> {
    let mut tokens = Vec::new();
    lexicon().tokens(text, 0, text.len(), &mut tokens);
    let found = sentences(text, &tokens, lexicon(), &mut Carry::default());
    let mut last = 0;
    found
        .into_iter()
        .map(|s| {
            assert!(s.tokens.start >= last && s.tokens.end > s.tokens.start, "{text:?}");
            last = s.tokens.end;
            let (begin, end) = (tokens[s.tokens.start as usize].begin as usize, tokens[s.tokens.end as usize - 1].end as usize);
            (text[begin..end].to_owned(), s)
        })
        .collect()
}

/// The text with a bar where it is cut.
fn pieces(text: &str) -> String {
    cut(text).into_iter().map(|(piece, _)| piece.replace(['\r', '\n'], "~")).collect::<Vec<_>>().join(" | ")
}

/// The sentences with the names of their sections.
fn sections(text: &str) -> String {
    cut(text)
        .into_iter()
        .map(|(piece, s)| format!("{}={}", lexicon().headings.get(s.section).unwrap().name, piece.replace(['\r', '\n'], "~")))
        .collect::<Vec<_>>()
        .join(" | ")
}

#[test]
fn full_stops() {
    for (text, expected) in [
        ("She has a cough. No fever.", "She has a cough. | No fever."),
        ("pt denies cp. has sob. no fever", "pt denies cp. | has sob. | no fever"),
        ("Seen by Dr. Smith vs. nobody.", "Seen by Dr. Smith vs. nobody."),
        ("Metoprolol 25 mg b.i.d. p.o. with food. Well.", "Metoprolol 25 mg b.i.d. p.o. with food. | Well."),
        ("Lasix 40 mg q.d. Denies pain.", "Lasix 40 mg q.d. | Denies pain."),
        ("K 4.5. Na 140.", "K 4.5. | Na 140."),
        ("John B. Smith came.", "John B. Smith came."),
        ("Hepatitis C. He is well.", "Hepatitis C. | He is well."),
        ("e.g. Tylenol and i.e. Advil", "e.g. Tylenol and i.e. Advil"),
        ("stable.Patient left", "stable. | Patient left"),
        ("She felt... dizzy", "She felt... | dizzy"),
        ("approx. 5 cm, temp. 38", "approx. 5 cm, temp. 38"),
        ("He said \"no.\" Then left!", "He said \"no.\" | Then left!"),
        ("?pneumonia. Colon ca? Unclear", "?pneumonia. | Colon ca? | Unclear"),
    ] {
        assert_eq!(pieces(text), expected, "{text:?}");
    }
}

#[test]
fn lines() {
    for (text, expected) in [
        ("fever\nchills\ncough", "fever | chills | cough"),
        ("Fever: no\r\nCough: yes\r\n", "Fever: no | Cough: yes"),
        ("- fever\n- chills,\n  mild\n1. Cough\n2) Pain", "- fever | - chills,~  mild | 1. Cough | 2) Pain"),
        ("He denies chest\npain and has no\nFever.", "He denies chest~pain and has no~Fever."),
        ("\u{2022} Asthma\n\u{2022} COPD", "\u{2022} Asthma | \u{2022} COPD"),
        ("One\n\ntwo", "One | two"),
        ("-----\nText\n=====", "Text"),
        ("Na | 140\nK | 4.1", "Na | 140 | K | 4.1"),
    ] {
        assert_eq!(pieces(text), expected, "{text:?}");
    }
    let text = "THE PATIENT IS A SIXTY YEAR OLD MAN WITH A LONG HISTORY OF SEVERE\nCORONARY DISEASE, WHO CAME TO US BECAUSE OF THE CHEST PAIN THAT HE\nHAD FOR DAYS AND THAT DID NOT GO AWAY WITH ANY OF HIS MEDICATIONS\nAT HOME.";
    assert_eq!(cut(text).len(), 1);
    let items = cut("A/P:\n- fever\nNext");
    assert!(items[1].1.item && !items[2].1.item);
}

#[test]
fn headings() {
    for (text, expected) in [
        ("PMH: HTN\nFH: CAD", "past-medical-history=PMH: HTN | family-history=FH: CAD"),
        ("Past Medical History\nHTN", "past-medical-history=Past Medical History | past-medical-history=HTN"),
        ("**Allergies:**\nnone", "allergies=**Allergies:** | allergies=none"),
        ("## Family History\nnone", "family-history=## Family History | family-history=none"),
        ("SOCIAL HISTORY\n==============\nSmokes", "social-history=SOCIAL HISTORY | social-history=Smokes"),
        ("A/P: Pneumonia", "assessment-and-plan=A/P: Pneumonia"),
        ("Medications (home):\nAspirin", "medications=Medications (home): | medications=Aspirin"),
        ("PE:\nHEENT: normal\nLungs: clear", "physical-examination=PE: | physical-examination=HEENT: normal | physical-examination=Lungs: clear"),
        ("FH: CAD\nHEENT: normal", "family-history=FH: CAD | =HEENT: normal"),
        ("PE:?CV: No r/m/g. RRR.?Pulm: CTAB.", "physical-examination=PE:? | physical-examination=CV: No r/m/g. | physical-examination=RRR.? | physical-examination=Pulm: CTAB."),
        ("He is well. PAST MEDICAL HISTORY: Asthma.", "=He is well. | past-medical-history=PAST MEDICAL HISTORY: Asthma."),
        ("Favourite food: liver", "=Favourite food: liver"),
        ("FH: CAD\n\nHe has fever.", "family-history=FH: CAD | =He has fever."),
        ("FH:\nCAD\n\nDM", "family-history=FH: | family-history=CAD | family-history=DM"),
        ("FAMILY HISTORY:\nCAD\n\nSPECIAL SURVEY RESULT:\nfine", "family-history=FAMILY HISTORY: | family-history=CAD | =SPECIAL SURVEY RESULT: | =fine"),
        ("the plan is rest", "=the plan is rest"),
        ("Hospital Course:\nfine\nDischarge Medications:\n1. Aspirin", "hospital-course=Hospital Course: | hospital-course=fine | discharge-medications=Discharge Medications: | discharge-medications=1. Aspirin"),
    ] {
        assert_eq!(sections(text), expected, "{text:?}");
    }
}

#[test]
fn odd_text() {
    for text in ["", "\n\n\n", ".", ":::", "...", "\u{200b}", "👩\u{200d}⚕️. x", "\r\r\n\n", "a\u{301}. B", "(", "- ", "1.", "#", "?", "-\n-\n-"] {
        pieces(text);
    }
    for piece in ["word ", "a. ", ": ", "PMH: ", "- x\n", "( ", "x\n"] {
        let text = piece.repeat(60_000);
        let begun = std::time::Instant::now();
        let found = cut(&text);
        assert!(found.iter().all(|(_, s)| s.tokens.len() <= LONGEST + 1));
        assert!(begun.elapsed().as_secs() < 60, "{piece:?}");
    }
}

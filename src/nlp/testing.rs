//! A small lexicon and a way to read a sentence, for the unit tests of the steps.

use std::sync::LazyLock;

use chrono::NaiveDate;

use super::entity::Entity;
use super::lexicon::{Compiler, Lexicon};
use super::note::Note;
use super::{mention, sentence};

const TERMS: &str = "\
C\tx\t1\tMEDICAL_CONDITION\tDX_NAME\tcough
T\tpreferred\t-\tcough
C\tx\t2\tMEDICAL_CONDITION\tSYMPTOM\tfever
T\tpreferred\t-\tfever
C\tx\t3\tMEDICAL_CONDITION\tSYMPTOM\tchest pain
T\tpreferred\t-\tchest pain
C\tx\t4\tMEDICAL_CONDITION\tDX_NAME\tmyocardial infarction
T\tpreferred\t-\tMI
C\tx\t5\tMEDICAL_CONDITION\tSYMPTOM\trash
T\tpreferred\t-\trash
C\tx\t6\tMEDICAL_CONDITION\tSYMPTOM\tpain
T\tpreferred\t-\tpain
T\tsynonym\t-\tpayne
C\tx\t7\tMEDICAL_CONDITION\tDX_NAME\tCrohn disease
T\tpreferred\t-\tCrohn's disease
C\tx\t8\tMEDICAL_CONDITION\tDX_NAME\tParkinson disease
T\tpreferred\t-\tParkinson's disease
C\tx\t9\tMEDICAL_CONDITION\tSYMPTOM\tnausea
T\tpreferred\t-\tnausea
C\tx\t10\tMEDICAL_CONDITION\tSYMPTOM\tvomiting
T\tpreferred\t-\tvomiting
C\tx\t11\tMEDICAL_CONDITION\tDX_NAME\tfall
T\tpreferred\t-\tfall
C\tx\t12\tMEDICAL_CONDITION\tDX_NAME\tCOPD
T\tpreferred\t-\tCOPD
C\tx\t13\tMEDICAL_CONDITION\tDX_NAME\talcohol withdrawal
T\tpreferred\t-\talcohol withdrawal
C\tx\t14\tMEDICAL_CONDITION\tDX_NAME\ttobacco use
T\tpreferred\t-\ttobacco use
C\tx\t20\tMEDICATION\tGENERIC_NAME\taspirin
T\tpreferred\t-\taspirin
C\tx\t21\tMEDICATION\tSUBSTANCE\tethanol
T\tpreferred\t-\tethanol
T\tsynonym\t-\talcohol
C\tx\t22\tMEDICATION\tSUBSTANCE\tcocaine
T\tpreferred\t-\tcocaine
C\tx\t30\tTEST_TREATMENT_PROCEDURE\tTEST_NAME\turine protein
T\tpreferred\t-\t24-hour urine protein
C\tx\t31\tTEST_TREATMENT_PROCEDURE\tPROCEDURE_NAME\tCABG
T\tpreferred\t-\tCABG
C\tx\t32\tTEST_TREATMENT_PROCEDURE\tTREATMENT_NAME\tFoley catheter
T\tpreferred\t-\tFoley catheter
C\tx\t33\tTEST_TREATMENT_PROCEDURE\tTEST_NAME\tcolonoscopy
T\tpreferred\t-\tcolonoscopy
C\tx\t34\tMEDICAL_CONDITION\tDX_NAME\tdrug allergy
T\tpreferred\t-\tdrug allergies
";

/// The lexicon of the tests.
pub static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut compiler = Compiler::new();
    compiler.add_text(TERMS).unwrap();
    // abbreviations are words of their own: the terms above are all there are
    for (name, text) in super::lexicon::shipped::LISTS.into_iter().filter(|(name, _)| *name != "abbreviations") {
        compiler.add(super::lexicon::source::Record::List { name, text }).unwrap();
    }
    Lexicon::open(compiler.finish("test").unwrap().leak()).unwrap()
});

/// Tuesday, 2 February 2010: when the notes of the tests are written.
pub fn written() -> NaiveDate {
    NaiveDate::from_ymd_opt(2010, 2, 2).unwrap()
}

/// Reads a text: the terms of the lexicon, then what `steps` find.
pub fn read(text: &str, date: Option<NaiveDate>, steps: impl Fn(&Note<'_>, &mut Vec<Entity>)) -> Vec<Entity> {
    let lexicon = &*LEXICON;
    let mut tokens = Vec::new();
    lexicon.tokens(text, 0, text.len(), &mut tokens);
    let sentences = sentence::sentences(text, &tokens, lexicon, &mut sentence::Carry::default());
    let note = Note { text, tokens: &tokens, sentences: &sentences, lexicon, date, research: mention::is_research(&tokens) };
    let mut entities = Vec::new();
    mention::find(&note, &mut mention::Carry::default(), &mut entities);
    steps(&note, &mut entities);
    entities.sort_by_key(|e| (e.begin, std::cmp::Reverse(e.end), e.category));
    for entity in &entities {
        assert!(text.get(entity.begin..entity.end).is_some_and(|t| !t.is_empty()), "{:?} of {text:?}", entity);
        for attribute in &entity.attributes {
            assert!(text.get(attribute.begin..attribute.end).is_some_and(|t| !t.is_empty()), "{:?} of {text:?}", attribute);
        }
    }
    entities
}

/// Texts that no hospital wrote, the same each time: words, numbers and marks of the steps in any order.
pub fn soups(words: &[&str], each: impl Fn(&str)) {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    const MARKS: &[&str] = &[" ", " ", " ", "", "-", "/", ":", ".", ", ", "\n", "\r\n", "#", "(", ")", "[", "]", "**", "@", "'", "’", "–", "\u{200f}", "👩‍⚕️", "ש", "é", "½", "٣", "x"];
    for _ in 0..4000 {
        let mut text = String::new();
        for _ in 0..random() % 30 {
            match random() % 3 {
                0 => text.push_str(&(random() % [10, 32, 100, 3000, 100_000_000][random() % 5]).to_string()),
                _ => text.push_str(words[random() % words.len()]),
            }
            text.push_str(MARKS[random() % MARKS.len()]);
        }
        each(&text);
    }
    each(&"1".repeat(1_000_000));
    each(&"1 ".repeat(50_000));
    each(&"1/".repeat(50_000));
    each(&"[**".repeat(30_000));
    each(&"2 days ".repeat(20_000));
    each(&"[".repeat(50_000));
    each(&"John ".repeat(20_000));
    each(&"\u{202e}\u{200f}".repeat(1000));
}

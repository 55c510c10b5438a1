use std::sync::OnceLock;

use super::*;
use crate::nlp::entity::Origin;
use crate::nlp::lexicon::source::Record;
use crate::nlp::lexicon::{Compiler, Lexicon, shipped};
use crate::nlp::sentence;

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

/// A text in which `<c:fever>` is a condition, `<m:…>` a medication, `<t:…>` a test; what each is asserted to be: the words that
/// are not the usual ones, and `allergy`.
fn said(marked: &str) -> Vec<String> {
    said_in(marked, None)
}

fn said_in(marked: &str, date: Option<chrono::NaiveDate>) -> Vec<String> {
    let (mut text, mut spans, mut rest) = (String::new(), Vec::new(), marked);
    while let Some((before, behind)) = rest.split_once('<') {
        text.push_str(before);
        let (inner, after) = behind.split_once('>').unwrap();
        let (letter, name) = inner.split_once(':').unwrap();
        spans.push((text.len(), text.len() + name.len(), letter));
        text.push_str(name);
        rest = after;
    }
    text.push_str(rest);
    let lexicon = lexicon();
    let mut tokens = Vec::new();
    lexicon.tokens(&text, 0, text.len(), &mut tokens);
    let sentences = sentence::sentences(&text, &tokens, lexicon, &mut sentence::Carry::default());
    let note = Note { text: &text, tokens: &tokens, sentences: &sentences, lexicon, date, research: false };
    let mut entities: Vec<Entity> = spans
        .iter()
        .map(|&(begin, end, letter)| {
            let (category, kind) = match letter {
                "m" => (Category::Medication, Kind::GenericName),
                "t" => (Category::TestTreatmentProcedure, Kind::TestName),
                "s" => (Category::BehavioralEnvironmentalSocial, Kind::TobaccoUse),
                _ => (Category::MedicalCondition, Kind::Diagnosis),
            };
            let first = tokens.iter().position(|t| t.end as usize > begin).unwrap() as u32;
            let last = tokens.iter().rposition(|t| (t.begin as usize) < end).unwrap() as u32;
            Entity::new(&note, category, kind, first..last + 1, Origin::Term)
        })
        .collect();
    assert(&note, &mut entities);
    entities
        .iter()
        .map(|entity| {
            let a = entity.assertion;
            let mut words = Vec::new();
            if a.certainty != Certainty::Positive {
                words.push(a.certainty.name());
            }
            if a.temporality != Temporality::Current {
                words.push(a.temporality.name());
            }
            if a.subject != Subject::Patient {
                words.push(a.subject.name());
            }
            if a.conditionality != Conditionality::Unconditional {
                words.push(a.conditionality.name());
            }
            if entity.kind == Kind::Allergies {
                assert_eq!(entity.category, Category::BehavioralEnvironmentalSocial);
                words.push("allergy");
            }
            words.join(" ")
        })
        .collect()
}

/// Each text with what its entities are, in order, parted by `|`.
fn all(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, expected)| {
            let found = said(text).join("|");
            (found != *expected).then(|| format!("{text:?}\n    is     {found:?}\n    not    {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn negation_goes_over_a_list() {
    all(&[
        ("Denies <c:n>/<c:v>/<c:cp>/<c:sob>/<c:f>/<c:c>/<c:ns>.", "negative|negative|negative|negative|negative|negative|negative"),
        ("No <c:fever>, <c:chills>, or <c:night sweats> but has <c:cough>", "negative|negative|negative|"),
        ("Negative for <c:hepatitis>, <c:HIV infection> or <c:syphilis>.", "negative|negative|negative"),
        ("She denies any <c:fevers>; reports <c:cough>.", "negative|"),
        ("No <c:fever>; <c:chills>; <c:sweats>.", "negative|negative|negative"),
        ("DENIES <c:FEVER>, REPORTS <c:COUGH>", "negative|"),
        ("No\r\n<c:fever> or\r\n<c:chills>", "negative|negative"),
        ("No <c:edema>, cyanosis, or <c:clubbing>. Has <c:rash>.", "negative|negative|"),
        ("Denies <c:chest pain>, has <c:palpitations>", "negative|"),
        ("No murmurs (<c:systolic>) and <c:edema>", "negative|negative"),
        ("<c:Pain> (no <c:radiation>) and <c:nausea>", "|negative|"),
    ]);
}

#[test]
fn negation_has_many_words() {
    all(&[
        ("No evidence of <c:pneumonia>.", "negative"),
        ("no definite CT evidence of <c:appendicitis>", "negative"),
        ("without <c:effusion>", "negative"),
        ("w/o <c:effusion>", "negative"),
        ("<c:DVT> was ruled out", "negative"),
        ("<c:DVT> has been definitively ruled out.", "negative"),
        ("ruled out for <c:MI>", "negative"),
        ("free of <c:disease>", "negative"),
        ("absence of <c:fever>", "negative"),
        ("Biopsy did not reveal <c:malignancy>.", "negative"),
        ("The scan doesn't show any <c:fracture>.", "negative"),
        ("The scan doesn’t show any <c:fracture>.", "negative"),
        ("She is not <c:jaundiced>.", "negative"),
        ("<c:Jaundice> is absent.", "negative"),
        ("<c:Fracture> not seen.", "negative"),
        ("neither <c:fever> nor <c:chills>", "negative|negative"),
        ("<c:Hepatomegaly> is not clearly appreciated", "negative"),
        ("in no <c:acute distress>", "negative"),
        ("no longer has <c:pain>", "negative"),
        ("<c:Influenza> negative.", "negative"),
        ("Blood culture for <c:MRSA> came back negative", "negative"),
    ]);
}

#[test]
fn what_only_looks_like_negation() {
    all(&[
        ("cannot rule out <c:PE>", "possible"),
        ("<c:PE> cannot be ruled out", "possible"),
        ("not only <c:pain> but <c:fever>", "|"),
        ("no increase in <c:edema>", ""),
        ("no significant interval change in <c:effusion>", ""),
        ("Walks without difficulty, <c:pain> in the leg.", ""),
        ("gram negative <c:sepsis>", ""),
        ("<c:Pain> not relieved by rest", ""),
        ("No <c:fever> except after <c:chemotherapy>", "negative|"),
        ("ROS: negative except <c:cough>", ""),
        ("Negative except for mild <c:nausea> as above", ""),
        ("with or without <c:aura>", ""),
        ("did not go because of <c:pain>", ""),
        ("<c:Cough>, no relief with <m:benzonatate>", "|"),
    ]);
}

#[test]
fn labels_and_boxes() {
    all(&[
        ("[ ] <c:fever> [x] <c:cough>", "negative|"),
        ("( ) <c:fever> (x) <c:cough>", "negative|"),
        ("☐ <c:fever> ☒ <c:cough>", "negative|"),
        ("<c:Fever>: no\n<c:Cough>: yes", "negative|"),
        ("<c:Fever>: No  <c:Cough>: Yes  <c:Rash>: no", "negative||negative"),
        ("<c:Fever> - none", "negative"),
        ("HEENT: no <c:icterus>. <c:Edema>: no <c:pitting>", "negative||negative"),
        ("(-) <c:fever>, (+) <c:cough>", "negative|"),
        ("(-) <c:fever> + <c:cough>", "negative|"),
        ("+<c:cough> -<c:fever> -<c:chills>", "|negative|negative"),
        ("Denies:\n- <c:fever>\n- <c:chills>\n\n- <c:cough>", "negative|negative|"),
        ("Negative for the following:\n* <c:fever>\n* <c:chills>", "negative|negative"),
    ]);
}

#[test]
fn grades_of_certainty() {
    all(&[
        ("possible <c:pneumonia>", "possible"),
        ("?<c:pneumonia>", "possible"),
        ("r/o <c:MI>", "possible"),
        ("<c:pneumonia> vs <c:atelectasis>", "possible|possible"),
        ("concern for <c:sepsis>, <c:anemia>", "possible|"),
        ("possible <c:pneumonia>, <c:edema>, or <c:hemorrhage>", "possible|possible|possible"),
        ("likely <c:viral syndrome>", "probable"),
        ("consistent with <c:CHF>", "probable"),
        ("<c:PE> is unlikely", "unlikely"),
        ("low suspicion for <c:PE>", "unlikely"),
        ("<c:Sepsis> is suspected.", "possible"),
        ("possible <c:pneumonia> was ruled out", "negative"),
        ("no suspected <c:abscess>", "negative"),
        ("denies having <c:pain>", "negative"),
        ("No <c:lesion> suspicious for <c:melanoma>", "negative|negative"),
        ("DDx: <c:pancreatitis>, <c:cholangitis>", "possible|possible"),
        ("<c:azotemia> most likely; <c:ATN> possible", "probable|possible"),
        ("No <c:murmur>, hips stable, mild <c:plagiocephaly>", "negative|"),
    ]);
}

#[test]
fn time() {
    all(&[
        ("history of <c:CHF> and <c:COPD>, presents with <c:dyspnea>", "past|past|"),
        ("70 yo man with a history of <c:gout> who presents with <c:fever>", "past|"),
        ("two-week history of <c:cough>", ""),
        ("<t:CABG> in 2010", "past"),
        ("<c:hernia> 17 years ago", "past"),
        ("s/p <t:appendectomy>, <c:pain> controlled", "past|"),
        ("s/p <t:appendectomy>, <t:cholecystectomy>", "past|past"),
        ("<c:Hyponatremia> has resolved.", "past"),
        ("<c:Cough> has not resolved.", ""),
        ("<c:pain> started 3 months ago", ""),
        ("No history of <c:stroke>", "negative past"),
        ("Past Medical History: <c:HTN>, <c:DM>", "past|past"),
        ("PMH:\n1. <c:HTN>\n2. <c:DM>\n\nMeds:\n<m:lisinopril>", "past|past|"),
        ("PMH: <c:HTN>\n\nShe has <c:fever> today.", "past|"),
        ("scheduled for <t:colonoscopy>", "future"),
        ("will undergo <t:MRI> for <c:back pain>", "future|"),
        ("Plan: check <t:CBC>", "future"),
        ("<t:CT> is pending", "future"),
    ]);
    let date = chrono::NaiveDate::from_ymd_opt(2024, 5, 1);
    assert_eq!(said_in("<c:MI> in 2010, <c:stroke> in 2024", date), ["past", ""]);
}

#[test]
fn persons() {
    all(&[
        ("His mother had <c:breast cancer>.", "family"),
        ("<c:Diabetes> in his father.", "family"),
        ("FAMILY HISTORY: <c:CAD>, <c:DM>", "family|family"),
        ("FH: no <c:cancer>", "negative family"),
        ("family history of <c:CAD>; he has <c:DM>", "family|"),
        ("No family history of <c:cancer>.", "negative family"),
        ("denies family history of <c:cancer>", "negative family"),
        ("Roommate with <c:TB>.", "other"),
        ("Per mother, he has <c:fever>.", ""),
        ("Mother reports <c:fever> and <c:rash>.", "|"),
        ("Lives with mother, <c:asthma>.", ""),
        ("Father died of <c:MI> at 50, he has <c:asthma>", "family|"),
    ]);
}

#[test]
fn conditions() {
    all(&[
        ("Return if <c:fever> or <c:chills>", "hypothetical|hypothetical"),
        ("Should he develop <c:rash>, stop.", "hypothetical"),
        ("at risk of <c:falls>", "hypothetical"),
        ("<c:Dyspnea> on exertion", "conditional"),
        ("<m:Tylenol> prn <c:pain>", "|conditional"),
        ("<m:Naproxen> 500 mg and <m:morphine> 10 mg as needed", "|"),
        ("<m:Ibuprofen> 100 mg/5 mL, 5 mL every 6 hours as needed", ""),
        ("<c:dyspnea on exertion>", "conditional"),
        ("<c:history of falls>", "past"),
        ("<t:CT> if no better", "hypothetical"),
        ("<m:nitroglycerin> if <c:chest pain>", "conditional|hypothetical"),
        ("Discharge instructions:\nWatch the wound. <c:Redness>, <c:swelling>.", "hypothetical|hypothetical"),
        ("screening for <c:colon cancer>", "hypothetical"),
    ]);
}

#[test]
fn medications_and_tests() {
    all(&[
        ("Patient was not prescribed <m:Advil>.", "negative"),
        ("not prescribed <m:Advil>", "negative"),
        ("<m:Metformin> was discontinued", "past"),
        ("discontinued <m:metformin>", "past"),
        ("He stopped taking <m:aspirin>.", "past"),
        ("No evidence of <c:PE> on <t:CT>", "negative|"),
        ("denies <c:pain> with <m:ibuprofen>", "negative|"),
        ("refused <t:colonoscopy>", "negative"),
        ("<t:Colonoscopy> was not performed.", "negative"),
        ("history of <m:aspirin> use", "past"),
        ("avoid <m:NSAIDs>", "negative"),
    ]);
}

#[test]
fn allergies() {
    all(&[
        ("Allergies: <m:penicillin> (<c:rash>), <m:sulfa>", "allergy|past|allergy"),
        ("allergic to <m:penicillin>", "allergy"),
        ("<m:Penicillin> allergy", "allergy"),
        ("not allergic to <m:penicillin>", "negative allergy"),
        ("ALLERGIES:\n<m:Codeine>\n<m:Latex>\n\nMEDICATIONS:\n<m:Aspirin>", "allergy|allergy|"),
        ("intolerant of <m:statins>, takes <m:ezetimibe>", "allergy|"),
    ]);
}

#[test]
fn much_text_takes_little_time() {
    for piece in ["no ", "no, ", "(", "? ", "denies <x: ", "fever: no ", "is ", "mother in ", "history of ", "[ ] ", ": "] {
        let text = piece.replace('<', "").repeat(200_000 / piece.len());
        let lexicon = lexicon();
        let begun = std::time::Instant::now();
        let mut tokens = Vec::new();
        lexicon.tokens(&text, 0, text.len(), &mut tokens);
        let sentences = sentence::sentences(&text, &tokens, lexicon, &mut sentence::Carry::default());
        let note = Note { text: &text, tokens: &tokens, sentences: &sentences, lexicon, date: None, research: false };
        let mut entities: Vec<Entity> = (0..tokens.len() as u32)
            .map(|t| Entity::new(&note, Category::MedicalCondition, Kind::Diagnosis, t..t + 1, Origin::Term))
            .collect();
        assert(&note, &mut entities);
        assert!(begun.elapsed().as_secs() < 60, "{piece:?} {:?}", begun.elapsed());
        assert!(sentences.iter().all(|s| s.tokens.len() <= 401));
    }
}

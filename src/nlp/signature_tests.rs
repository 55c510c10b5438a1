//! A small lexicon and a short way to write what is expected, for the tests of doses, results and attributes.

use super::detect::{Options, detect};
use super::entity::{Category, Entity};
use super::lexicon::source::Record;
use super::lexicon::{Compiler, Lexicon, shipped};

const DRUGS: &str = "metoprolol tartrate|metoprolol succinate|metoprolol|aspirin|ASA|lisinopril|insulin glargine|vancomycin|furosemide|Lasix|albuterol|heparin|\
warfarin|prednisone|hydrocodone|APAP|acetaminophen|Tylenol|oxygen|metformin|amoxicillin|lorazepam|ceftriaxone|potassium chloride|potassium|glucose|\
magnesium|calcium|sodium|clopidogrel|Plavix|insulin|latanoprost|fluticasone|nitroglycerin|ondansetron|morphine|levothyroxine|NaCl|timolol|hydrocortisone|\
enoxaparin|amoxicillin-clavulanate|Augmentin|gabapentin|omeprazole|simvastatin|dopamine|norepinephrine|propofol|vitamin D|iron|Advair";
const CONDITIONS: &str = "pain|chest pain|headache|hypertension|pneumonia|urinary tract infection|UTI|nausea|vomiting|wheezing|fever|rash|cough|edema|dyspnea|\
diabetes|fracture|heart failure|renal failure|weakness|anxiety|abdominal pain|swelling|infection|murmur|pleural effusion|ulcer|cellulitis|stenosis|hernia";
const TESTS: &str = "hemoglobin|potassium level|CT|chest x-ray|CXR|blood culture|troponin|urinalysis|echocardiogram|serum creatinine|ferritin";
const PROCEDURES: &str = "knee replacement|mastectomy|appendectomy|amputation";
const ANATOMY: &str = "knee|arm|leg|chest|abdomen|shoulder|hip|lung|ankle|foot|breast|head|platelets|eye|left lower lobe|lower extremity|neck|back";

fn add(out: &mut String, names: &str, category: &str, kind: &str) {
    for name in names.split('|') {
        out.push_str(&format!("C\t-\t{kind} {name}\t{category}\t{kind}\t{name}\nT\tpreferred\t-\t{name}\n"));
    }
}

/// The lexicon, compiled once.
pub fn lexicon() -> &'static Lexicon {
    static LEXICON: std::sync::OnceLock<Lexicon> = std::sync::OnceLock::new();
    LEXICON.get_or_init(|| {
        let mut text = String::new();
        add(&mut text, DRUGS, "MEDICATION", "GENERIC_NAME");
        add(&mut text, CONDITIONS, "MEDICAL_CONDITION", "DX_NAME");
        add(&mut text, TESTS, "TEST_TREATMENT_PROCEDURE", "TEST_NAME");
        add(&mut text, PROCEDURES, "TEST_TREATMENT_PROCEDURE", "PROCEDURE_NAME");
        add(&mut text, ANATOMY, "ANATOMY", "SYSTEM_ORGAN_SITE");
        let mut compiler = Compiler::new();
        compiler.add_text(&text).unwrap();
        for (name, list) in shipped::LISTS {
            if name != "abbreviations" && name != "stop" {
                compiler.add(Record::List { name, text: list }).unwrap();
            }
        }
        let bytes = compiler.finish("test").unwrap();
        Lexicon::open(bytes.leak()).unwrap()
    })
}

/// What is found in a text; all offsets are checked.
pub fn found(text: &str) -> Vec<Entity> {
    let entities = detect(text, lexicon(), &Options::default()).unwrap();
    for entity in &entities {
        assert!(text.get(entity.begin..entity.end).is_some_and(|t| !t.is_empty()), "{text:?} {entity:?}");
        for attribute in &entity.attributes {
            assert!(text.get(attribute.begin..attribute.end).is_some_and(|t| !t.is_empty()), "{text:?} {attribute:?}");
        }
    }
    entities
}

/// Entities of some categories with their attributes, as one line each: `metoprolol: STRENGTH 25 mg = 25 mg; …`.
pub fn lines(text: &str, categories: &[Category]) -> Vec<String> {
    found(text)
        .iter()
        .filter(|e| categories.contains(&e.category))
        .map(|e| {
            let mut attributes = e.attributes.clone();
            attributes.retain(|a| a.kind != super::entity::AttributeKind::Time);
            attributes.sort_by_key(|a| (a.begin, a.kind));
            let attributes: Vec<String> = attributes
                .iter()
                .map(|a| {
                    let value = a.value.as_ref().map_or(String::new(), |v| format!(" = {v}"));
                    format!("{} {}{value}", a.kind.name(), &text[a.begin..a.end])
                })
                .collect();
            format!("{}: {}", &text[e.begin..e.end], attributes.join("; "))
        })
        .collect()
}

/// Compares what is found with what is expected, for each text; tells all that differs.
pub fn check(categories: &[Category], cases: &[(&str, &[&str])]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let got = lines(text, categories);
        if got != *expected {
            wrong.push_str(&format!("{text:?}\n  got  {got:#?}\n  want {expected:#?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

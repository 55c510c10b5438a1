//! The lexicon that comes with the extension; `fhir-schemas/lexicon/SOURCES.md` names its sources and their licences.

use super::compile::{CompileError, Compiler};
use super::hash;
use super::source::Record;

/// Findings name this as their lexicon. It changes with each change of the files.
pub const VERSION: &str = "fhirlake-2026.11.2";

/// Our own terms, in the form of [`super::source`].
const CLINICAL: &str = include_str!("../../../fhir-schemas/lexicon/clinical.txt");

/// ICD-10-CM, UNII, MeSH, DOID and MONDO, in the form of [`super::source`], compressed with zstd.
const TERMINOLOGIES: &[u8] = include_bytes!("../../../fhir-schemas/lexicon/terminologies.txt.zst");

/// What annotated texts taught: words that the terminologies lack.
const LEARNT: &str = include_str!("../../../fhir-schemas/lexicon/learnt.txt");

/// The lists: a name and its lines.
pub const LISTS: [(&str, &str); 6] = [
    ("abbreviations", include_str!("../../../fhir-schemas/lexicon/abbreviations.tsv")),
    ("context", include_str!("../../../fhir-schemas/lexicon/context.tsv")),
    ("sections", include_str!("../../../fhir-schemas/lexicon/sections.tsv")),
    ("stop", include_str!("../../../fhir-schemas/lexicon/stop.tsv")),
    ("tests", include_str!("../../../fhir-schemas/lexicon/tests.tsv")),
    ("words", include_str!("../../../fhir-schemas/lexicon/words.tsv")),
];

/// The records of the terminologies as text: our own first, so that its categories stand.
pub fn records() -> Result<[String; 3], std::io::Error> {
    let text = zstd::decode_all(TERMINOLOGIES)?;
    Ok([CLINICAL.to_owned(), String::from_utf8(text).map_err(std::io::Error::other)?, LEARNT.to_owned()])
}

/// Adds its records to those of a compiler.
pub fn add(compiler: &mut Compiler) -> Result<(), CompileError> {
    for text in records().map_err(|_| CompileError::Unreadable)? {
        compiler.add_text(&text)?;
    }
    for (name, text) in LISTS {
        compiler.add(Record::List { name, text })?;
    }
    Ok(())
}

/// Compiles it: some seconds.
pub fn compile() -> Result<Vec<u8>, CompileError> {
    let mut compiler = Compiler::new();
    add(&mut compiler)?;
    compiler.finish(VERSION)
}

/// What tells this content from any other.
pub fn checksum() -> u64 {
    let mut sums = vec![hash::checksum(CLINICAL.as_bytes()), hash::checksum(TERMINOLOGIES), hash::checksum(LEARNT.as_bytes()), hash::checksum(VERSION.as_bytes())];
    sums.extend(LISTS.iter().flat_map(|(name, text)| [hash::checksum(name.as_bytes()), hash::checksum(text.as_bytes())]));
    hash::checksum(&sums.iter().flat_map(|sum| sum.to_le_bytes()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::super::Image;
    use super::*;
    use crate::nlp::token;

    const ICD: &str = "http://hl7.org/fhir/sid/icd-10-cm";
    const UNII: &str = "http://fdasis.nlm.nih.gov";
    const MESH: &str = "https://www.nlm.nih.gov/mesh";

    fn image() -> Image {
        static BYTES: OnceLock<&'static [u8]> = OnceLock::new();
        Image::open(BYTES.get_or_init(|| compile().unwrap().leak())).unwrap()
    }

    /// Codes of a system that the meanings of a term have, their own and those they are mapped to.
    fn codes(term: &str, system: &str) -> Vec<&'static str> {
        let image = image();
        let mut tokens = Vec::new();
        token::tokens(term, 0, term.len(), &mut tokens, |form| image.word(form));
        let Some(found) = image.longest_at(&tokens, 0).filter(|m| m.end as usize == tokens.len()) else { return Vec::new() };
        let own = image.outputs(found.node).filter(|o| !o.case_sensitive || o.surface == term).map(|o| o.concept);
        let all: Vec<u32> = own.flat_map(|c| std::iter::once(c).chain(image.mapped(c))).collect();
        all.into_iter().map(|c| image.concept(c)).filter(|c| c.system == system).map(|c| c.code).collect()
    }

    #[test]
    fn compiles_from_its_sources() {
        let image = image();
        for source in ["ICD-10-CM", "FDA UNII", "MeSH", "Disease Ontology", "Mondo", "fhirlake"] {
            assert!(image.sources().contains(source), "{source}");
        }
        assert!(image.concepts() > 100_000);
        for concept in (0..image.concepts()).map(|c| image.concept(c)) {
            let known = ["", ICD, UNII, MESH, "http://purl.obolibrary.org/obo/doid.owl", "http://purl.obolibrary.org/obo/mondo.owl"];
            assert!(known.contains(&concept.system), "{} {}", concept.system, concept.code);
            // concepts of UMLS have a C and seven digits; so have some of MeSH's supplementary ones, but with another system
            let digits = concept.code.strip_prefix('C').is_some_and(|d| d.len() == 7 && d.bytes().all(|b| b.is_ascii_digit()));
            assert!(!digits, "{}", concept.code);
        }
    }

    #[test]
    fn everyday_terms_have_their_codes() {
        for (term, system, code) in [
            ("hypertension", ICD, "I10"),
            ("high blood pressure", ICD, "I10"),
            ("HTN", ICD, "I10"),
            ("diabetes", ICD, "E11.9"),
            ("type 2 diabetes mellitus", ICD, "E11.9"),
            ("type 1 diabetes", ICD, "E10.9"),
            ("heart attack", ICD, "I21.9"),
            ("stroke", ICD, "I63.9"),
            ("congestive heart failure", ICD, "I50.9"),
            ("atrial fibrillation", ICD, "I48.91"),
            ("coronary artery disease", ICD, "I25.10"),
            ("asthma", ICD, "J45.909"),
            ("COPD", ICD, "J44.9"),
            ("pneumonia", ICD, "J18.9"),
            ("influenza", ICD, "J11.1"),
            ("GERD", ICD, "K21.9"),
            ("appendicitis", ICD, "K35.80"),
            ("urinary tract infection", ICD, "N39.0"),
            ("acute kidney injury", ICD, "N17.9"),
            ("chronic kidney disease", ICD, "N18.9"),
            ("hypothyroidism", ICD, "E03.9"),
            ("hyperlipidemia", ICD, "E78.5"),
            ("obesity", ICD, "E66.9"),
            ("anemia", ICD, "D64.9"),
            ("gout", ICD, "M10.9"),
            ("osteoarthritis", ICD, "M19.90"),
            ("rheumatoid arthritis", ICD, "M06.9"),
            ("migraine", ICD, "G43.909"),
            ("epilepsy", ICD, "G40.909"),
            ("Parkinson's disease", ICD, "G20.A1"),
            ("depression", ICD, "F32.A"),
            ("anxiety", ICD, "F41.9"),
            ("sepsis", ICD, "A41.9"),
            ("cellulitis", ICD, "L03.90"),
            ("deep vein thrombosis", ICD, "I82.409"),
            ("chest pain", ICD, "R07.9"),
            ("shortness of breath", ICD, "R06.02"),
            ("SOB", ICD, "R06.02"),
            ("nausea", ICD, "R11.0"),
            ("fever", ICD, "R50.9"),
            ("headache", ICD, "R51.9"),
            ("syncope", ICD, "R55"),
            ("cough", ICD, "R05.9"),
            ("hypertension", MESH, "D006973"),
            ("breast cancer", MESH, "D001943"),
            ("aspirin", UNII, "R16CO5Y76E"),
            ("ASA", UNII, "R16CO5Y76E"),
            ("acetaminophen", UNII, "362O9ITL9D"),
            ("Tylenol", UNII, "362O9ITL9D"),
            ("metoprolol", UNII, "GEB06NHM23"),
            ("Lasix", UNII, "7LXU5N7ZO5"),
            ("furosemide", UNII, "7LXU5N7ZO5"),
            ("metformin", UNII, "9100L32L2N"),
            ("lisinopril", UNII, "E7199S1YWR"),
            ("atorvastatin", UNII, "A0JWA85V8F"),
            ("Coumadin", UNII, "5Q7ZVV76EI"),
            ("warfarin", UNII, "5Q7ZVV76EI"),
            ("omeprazole", UNII, "KG60484QX9"),
            ("albuterol", UNII, "QF8SVZ843E"),
            ("ibuprofen", UNII, "WK2XYI10QM"),
            ("Advil", UNII, "WK2XYI10QM"),
            ("furosemide", MESH, "D005665"),
        ] {
            let found = codes(term, system);
            assert!(found.contains(&code), "{term}: {code} is not in {found:?}");
        }
    }

    #[test]
    fn general_words_are_no_terms() {
        for word in ["condition", "history", "normal", "patient", "today", "the", "disease", "life", "drug", "procedure", "sat", "has", "met", "faint"] {
            let all: Vec<_> = [ICD, UNII, MESH].iter().flat_map(|system| codes(word, system)).collect();
            assert!(all.is_empty(), "{word}: {all:?}");
        }
    }
}

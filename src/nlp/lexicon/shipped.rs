//! The lexicon that comes with the extension; `fhir-schemas/lexicon/SOURCES.md` names its sources and their licences.

use super::compile::{CompileError, Compiler};
use super::hash;
use super::source::Record;

/// Findings name this as their lexicon. It changes with each change of the files.
pub const VERSION: &str = "fhirlake-2026.11";

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

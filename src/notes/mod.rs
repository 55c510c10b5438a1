//! Resources that carry text → what the text says.
//!
//! [`terms`] reads terminologies into the lexicon; [`finding`] shows what [`crate::nlp`] found: as rows, as marked text, in the shapes of Amazon Comprehend Medical.

pub mod finding;
pub mod terms;

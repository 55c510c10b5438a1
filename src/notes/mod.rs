//! Resources that carry text → what the text says.
//!
//! [`text`] finds the texts of a resource, [`enrich`] puts what they say into it;
//! [`terms`] reads terminologies into the lexicon; [`finding`] shows what [`crate::nlp`] found: as rows, as marked text, in the shapes of Amazon Comprehend Medical.

pub mod enrich;
pub mod finding;
#[cfg(feature = "pg")]
mod sql;
pub mod terms;
pub mod text;

//! Resources that carry text → what the text says.
//!
//! [`finding`] shows what [`crate::nlp`] found: as rows, as marked text, in the shapes of Amazon Comprehend Medical.

pub mod finding;

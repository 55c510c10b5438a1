//! Clinical text → what it says: conditions, medications with their doses, tests with their results, anatomy, times, persons'
//! data and habits, each with the certainty, time and person that the text gives it, and with codes.
//!
//! Takes a text and a compiled [`Lexicon`]; gives [`Entity`]s with byte offsets. Pure: no Postgres, no files, no clock.
//! The way of a text: [`token`] (with [`known`]) → [`sentence`] (with [`section`]) → [`mention`] → [`result`], [`medication`], [`time`],
//! [`social`], [`phi`], [`attribute`] → [`context`] → [`score`].

pub mod attribute;
pub mod context;
pub mod cover;
pub mod detect;
pub mod entity;
pub mod known;
pub mod lexicon;
pub mod medication;
pub mod mention;
pub mod note;
pub mod number;
pub mod phi;
pub mod phrases;
pub mod points;
pub mod result;
pub mod score;
pub mod section;
pub mod sentence;
pub mod social;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod testing;
pub mod time;
pub mod token;
pub mod vocabulary;
pub mod words;

pub use detect::{Interrupted, Options, detect, detect_each};
pub use entity::{Category, Entity, Kind};
pub use lexicon::Lexicon;

#[cfg(test)]
pub(crate) mod signature_tests;

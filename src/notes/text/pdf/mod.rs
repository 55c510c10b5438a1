//! PDF → text.

use super::Problem;
use crate::nlp::Interrupted;

/// What could be read.
pub struct Read {
    pub text: String,
    pub problem: Option<Problem>,
}

pub fn text(_bytes: &[u8], _limit: usize, _interrupted: &dyn Fn() -> bool) -> Result<Read, Interrupted> {
    Ok(Read { text: String::new(), problem: Some(Problem::ContentType) })
}

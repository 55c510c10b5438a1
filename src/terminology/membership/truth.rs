//! Three-valued answers.

use super::Membership;
use crate::terminology::error::DefinitionError;
use std::rc::Rc;

/// Yes, no, or why it cannot be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    Yes,
    No,
    Unknown(Rc<str>),
}

impl Truth {
    pub fn unknown(error: DefinitionError) -> Truth {
        Truth::Unknown(error.to_string().into())
    }

    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            (Truth::Unknown(why), _) | (_, Truth::Unknown(why)) => Truth::Unknown(why),
            _ => Truth::Yes,
        }
    }

    pub fn or(self, other: Truth) -> Truth {
        self.not().and(other.not()).not()
    }

    pub fn not(self) -> Truth {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            unknown => unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Truth {
        if yes { Truth::Yes } else { Truth::No }
    }
}

impl From<Truth> for Membership {
    fn from(truth: Truth) -> Membership {
        match truth {
            Truth::Yes => Membership::Member,
            Truth::No => Membership::NotMember,
            Truth::Unknown(why) => Membership::Unknown(why.to_string()),
        }
    }
}

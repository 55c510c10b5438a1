//! What an evaluation fails with.

use std::fmt;

/// Why there is no result. The position is a byte offset into the expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EvaluationError {
    pub at: usize,
    pub problem: Problem,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// More than [`super::Limits::steps`].
    TooManySteps,
    /// More than [`super::Limits::items`] at once.
    TooManyItems,
    /// A string would be longer than [`super::Limits::text`].
    TooLong,
    /// The expression is nested deeper than the stack allows.
    TooDeep,
    /// [`super::Services::go_on`] said no.
    Interrupted,
    /// More items where one at most can stand.
    NotSingle,
    /// An operand or argument of a type for which this is not defined.
    Mismatch(String),
    /// `%name` that nobody gave.
    UnknownConstant(String),
    /// A computed regular expression that is none.
    Pattern(String),
    /// A profile or value set of which nothing is known.
    Unanswered(String),
    /// `single()` on many, an undefined variable, …
    Other(String),
}

impl EvaluationError {
    /// The code of the condition: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    pub fn sqlstate(&self) -> &'static str {
        match self.problem {
            Problem::TooManySteps | Problem::TooManyItems | Problem::TooLong | Problem::TooDeep => "54000",
            Problem::Interrupted => "57014",
            Problem::NotSingle => "21000",
            Problem::Mismatch(_) => "42804",
            Problem::UnknownConstant(_) => "42703",
            Problem::Pattern(_) => "2201B",
            Problem::Unanswered(_) | Problem::Other(_) => "22023",
        }
    }

    /// What can be done about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self.problem {
            Problem::TooManySteps => "narrow the expression, for instance with a path instead of descendants()",
            Problem::TooManyItems | Problem::TooLong => "narrow the expression, so that it gathers less at once",
            Problem::NotSingle => "take one with first(), or ask each with where(), select(), all() or exists()",
            Problem::Mismatch(_) => "convert it first, for instance with toString() or toInteger()",
            Problem::UnknownConstant(_) => "give its value among the variables",
            Problem::Pattern(_) => "look-around and back references are not known",
            _ => return None,
        })
    }
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::TooManySteps => f.write_str("expression takes too many steps"),
            Problem::TooManyItems => f.write_str("expression gathers too many items"),
            Problem::TooLong => f.write_str("expression makes too long a string"),
            Problem::TooDeep => f.write_str("expression is nested too deep"),
            Problem::Interrupted => f.write_str("evaluation was interrupted"),
            Problem::NotSingle => f.write_str("more than one item where one at most can stand"),
            Problem::UnknownConstant(name) => write!(f, "unknown constant \"%{name}\""),
            Problem::Mismatch(what) | Problem::Pattern(what) | Problem::Unanswered(what) | Problem::Other(what) => f.write_str(what),
        }?;
        write!(f, " at offset {}", self.at)
    }
}

impl std::error::Error for EvaluationError {}

/// Why items stop flowing.
#[derive(Debug)]
pub(super) enum Stop {
    /// Who asked has what it needs.
    Enough,
    Failed(Box<EvaluationError>),
}

pub(super) type Flow = Result<(), Stop>;

impl Stop {
    pub fn new(at: u32, problem: Problem) -> Stop {
        Stop::Failed(Box::new(EvaluationError { at: at as usize, problem }))
    }

    pub fn into_error(self) -> EvaluationError {
        match self {
            Stop::Failed(error) => *error,
            // nobody outside can have asked for it
            Stop::Enough => EvaluationError { at: 0, problem: Problem::Other("evaluation ended early".into()) },
        }
    }
}

/// That there was enough is no failure to who said so.
pub(super) fn absorbed(flow: Flow) -> Flow {
    match flow {
        Err(Stop::Enough) => Ok(()),
        other => other,
    }
}

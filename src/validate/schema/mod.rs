//! JSON Schema (<https://json-schema.org/>, drafts 4 to 2020-12) through the crate `jsonschema`: a site's own rules beside FHIR's.
//!
//! A schema is text of a stranger. It is compiled apart from everything else, reads no other document, its patterns run on an
//! engine without backtracking, and a check has a budget of steps and of stack.

mod budget;
mod chains;
mod compile;
mod drill;
mod error;
mod patterns;
mod place;
#[cfg(feature = "pg")]
mod sql;
mod stored;
#[cfg(test)]
mod tests;
mod value;

pub use budget::Stopped;
pub use error::SchemaError;
pub use stored::Stored;

use crate::json::Node;

/// Most mismatches that are told of one value.
pub const MAX_MISMATCHES: usize = 1000;

/// A compiled schema.
pub struct Schema {
    validator: jsonschema::Validator<Stored>,
    /// Too many to be cleared away on any stack.
    is_large: bool,
    prices: patterns::Prices,
}

/// One rule of a schema that a value breaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// The keyword of the schema that says so: `required`, `pattern`, …
    pub keyword: String,
    /// As in [`Issue::expression`](super::Issue): `Patient.name[0].given[1]`; without a type in front where the value is no resource.
    pub expression: String,
    /// Where in the value, as a JSON Pointer (RFC 6901).
    pub path: String,
    pub details: String,
    /// Where in the schema, as a JSON Pointer.
    pub schema_path: String,
}

impl Schema {
    /// Compiles a schema; the draft is the one that its `$schema` names, 2020-12 without one.
    ///
    /// It starts a thread and waits for it: in a server the signals must be blocked meanwhile.
    ///
    /// # Errors
    /// What is not a schema, with the place in it; a reference to another document; a pattern that needs backtracking; a size (also of the
    /// compiled patterns) or a depth beyond the bounds.
    pub fn compile(schema: Node<'_>) -> Result<Schema, SchemaError> {
        let (validator, is_large, prices) = compile::compile(schema)?;
        Ok(Schema { validator, is_large, prices })
    }

    /// Clears it away. The crate does so by recursion over all definitions that refer to one another, so a large schema gets a stack
    /// of its own, in a thread as in [`Schema::compile`].
    pub fn free(self) {
        if self.is_large {
            // Without a thread it is not cleared away: a leak in a process that is out of resources.
            let schema = std::mem::ManuallyDrop::new(self);
            let _ = compile::on_a_stack_of_its_own(|| {
                drop(std::mem::ManuallyDrop::into_inner(schema));
                Ok(())
            });
        }
    }

    /// Whether a value matches. `go_on` is called every few thousand steps and may unwind.
    ///
    /// # Errors
    /// [`Stopped`] where the budget does not suffice.
    pub fn matches(&self, value: Node<'_>, go_on: fn()) -> Result<bool, Stopped> {
        budget::within(go_on, self.prices, || self.validator.is_valid(Stored::node(value)))
    }

    /// What does not match, at most [`MAX_MISMATCHES`], in the order of the schema. `go_on` as in [`Schema::matches`].
    ///
    /// # Errors
    /// [`Stopped`] where the budget does not suffice.
    pub fn mismatches(&self, value: Node<'_>, go_on: fn()) -> Result<Vec<Mismatch>, Stopped> {
        budget::within(go_on, self.prices, || {
            let mut told = Vec::new();
            // The first question needs no memory, and most values match.
            if !self.validator.is_valid(Stored::node(value)) {
                for error in self.validator.iter_errors(Stored::node(value)) {
                    drill::tell(&error, value, 0, &mut told);
                }
            }
            told
        })
    }
}

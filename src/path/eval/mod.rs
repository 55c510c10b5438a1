//! The whole of FHIRPath N1 with what FHIR R4 and SQL on FHIR v2 add, over documents in place.
//!
//! A [`Program`] is compiled once and evaluated on many documents. Items flow from step to step one by one: what only asks
//! whether there is something stops at the first, and nothing is collected that is not asked for as a whole.
//!
//! <http://hl7.org/fhirpath/N1/>, <https://hl7.org/fhir/R4/fhirpath.html>

mod boundary;
mod call;
mod code;
mod compare;
mod compile;
mod convert;
mod decide;
mod distinct;
mod error;
mod fold;
mod html;
mod item;
mod known;
mod math;
mod moment;
mod navigate;
mod output;
mod plain;
mod quantity;
mod references;
mod run;
mod services;
mod strings;
mod value;

#[cfg(test)]
mod tests;

pub use compile::Static;
pub use error::{EvaluationError, Problem};
pub use item::{Collection, Element, Item, System, TypeName};
pub use moment::{Calendar, Moment, Precision};
pub use plain::{Plain, Step};
pub(crate) use run::Stack;
pub use quantity::{Quantity, Unit};
pub use services::{Limits, NoServices, Scope, Services};

use super::{PathError, parse};
use crate::model::TypeId;
use compile::Compiler;
use run::Run;

/// A compiled expression. It never changes, and threads may share it.
#[derive(Debug)]
pub struct Program {
    code: code::Code,
    gives: Static,
    is_single: bool,
    needs_clock: bool,
    needs_services: bool,
    constants: Vec<String>,
}

impl Program {
    /// Compiles an expression for a focus of the type, or of any where `context` is `None`.
    ///
    /// Fails where the text is no FHIRPath, names a type, function or element that does not exist, or has a regular
    /// expression that cannot be matched in linear time.
    pub fn compile(text: &str, context: Option<TypeId>) -> Result<Program, PathError> {
        Program::compile_on(text, context.map_or(Static::Unknown, Static::Fhir))
    }

    /// As [`Self::compile`], for a focus of what another program gives.
    pub fn compile_on(text: &str, focus: Static) -> Result<Program, PathError> {
        Program::compiled(text, focus, false)
    }

    /// As [`Self::compile`], for the invariants of definitions: an element that does not exist is empty, `as()` takes any count of
    /// items, and `is Boolean` means a FHIR boolean as well.
    pub fn compile_lenient(text: &str, context: Option<TypeId>) -> Result<Program, PathError> {
        Program::compiled(text, context.map_or(Static::Unknown, Static::Fhir), true)
    }

    fn compiled(text: &str, context: Static, lenient: bool) -> Result<Program, PathError> {
        let expr = parse(text)?;
        let mut compiler = Compiler::new(lenient);
        let (code, gives) = compiler.program(&expr, context)?;
        let Compiler { needs_clock, needs_services, constants, .. } = compiler;
        Ok(Program { is_single: known::is_single(&code, context), code, gives, needs_clock, needs_services, constants })
    }

    /// What is known of its items.
    pub fn gives(&self) -> Static {
        self.gives
    }

    /// Whether it gives one item at most, whatever the document.
    pub fn is_single(&self) -> bool {
        self.is_single
    }

    /// Whether it asks for the time, so that the same document may give something else tomorrow.
    pub fn needs_clock(&self) -> bool {
        self.needs_clock
    }

    /// Whether it asks for what only [`Services`] know: other resources, terminology, profiles.
    pub fn needs_services(&self) -> bool {
        self.needs_services
    }

    /// The `%names` that [`Scope::constants`] must have.
    pub fn constants(&self) -> &[String] {
        &self.constants
    }

    /// All items that it gives, in order.
    pub fn evaluate<'a>(&'a self, focus: impl Into<Option<Item<'a>>>, scope: &Scope<'a, '_>) -> Result<Collection<'a>, EvaluationError> {
        let focus = focus.into();
        let run = Run::new(scope, focus.as_ref());
        run.gather(&self.code, &run.frame()).map_err(error::Stop::into_error)
    }

    /// Gives items one by one until `f` says no.
    pub fn for_each<'a>(
        &'a self,
        focus: impl Into<Option<Item<'a>>>,
        scope: &Scope<'a, '_>,
        f: &mut dyn FnMut(Item<'a>) -> bool,
    ) -> Result<(), EvaluationError> {
        let focus = focus.into();
        let run = Run::new(scope, focus.as_ref());
        let flow = run.each(&self.code, &run.frame(), &mut |item| if f(item) { Ok(()) } else { Err(error::Stop::Enough) });
        error::absorbed(flow).map_err(error::Stop::into_error)
    }

    /// Whether it gives anything.
    pub fn exists<'a>(&'a self, focus: impl Into<Option<Item<'a>>>, scope: &Scope<'a, '_>) -> Result<bool, EvaluationError> {
        let focus = focus.into();
        let run = Run::new(scope, focus.as_ref());
        run.exists(&self.code, &run.frame()).map_err(error::Stop::into_error)
    }

    /// What it gives as a condition: `None` where that is nothing, and a single item that is no boolean counts as true
    /// (<http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections>).
    pub fn truth<'a>(&'a self, focus: impl Into<Option<Item<'a>>>, scope: &Scope<'a, '_>) -> Result<Option<bool>, EvaluationError> {
        let focus = focus.into();
        let run = Run::new(scope, focus.as_ref());
        run.truth(&self.code, &run.frame()).map_err(error::Stop::into_error)
    }
}

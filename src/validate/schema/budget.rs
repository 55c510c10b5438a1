//! What one check may use of time and of stack.
//!
//! The crate recurses with the value and with the schema, and neither ends where we could count. But it asks our nodes on every level,
//! so there the check is measured, and where it takes too much it is unwound.

use super::patterns::Prices;
use crate::pattern::Weight;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The stack that a check may take until it asks again. Postgres promises half a megabyte beyond what it counts itself
/// (`STACK_DEPTH_SLOP`).
const MAX_STACK: usize = if cfg!(debug_assertions) { 1024 * 1024 } else { 256 * 1024 };

/// Steps that a check may take. What it gathers of errors on the way is bounded by them too.
pub(super) const MAX_STEPS: u64 = if cfg!(test) { 2_000_000 } else { 50_000_000 };

/// Steps between two calls of `go_on`.
const ROUND: u64 = 4096;

/// Why a check came to no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// The value, or the schema, or both together are nested too deep.
    TooDeep,
    /// More than fifty million steps, or a pattern that would take too long with a text of that length.
    TooLong,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stopped::TooDeep => "the JSON Schema and the value are nested too deep for a check",
            Stopped::TooLong => "the check of the JSON Schema takes more than 50 million steps",
        })
    }
}

#[derive(Clone, Copy)]
struct Budget {
    /// Where the stack was when the check began.
    start: usize,
    steps: u64,
    go_on: fn(),
}

thread_local! {
    static BUDGET: Cell<Option<Budget>> = const { Cell::new(None) };
    static PRICES: Cell<Prices> = const { Cell::new(Prices { texts: None, names: None }) };
}

/// Runs a check, which calls [`step`], [`text`] and [`name`].
pub(super) fn within<T>(go_on: fn(), prices: Prices, check: impl FnOnce() -> T) -> Result<T, Stopped> {
    /// Puts back what was there before, also where the check unwinds.
    struct Before(Option<Budget>, Prices);
    impl Drop for Before {
        fn drop(&mut self) {
            BUDGET.set(self.0);
            PRICES.set(self.1);
        }
    }
    let _before = Before(BUDGET.replace(Some(Budget { start: here(), steps: 0, go_on })), PRICES.replace(prices));
    // The compiled schema is not changed by a check, and the value is only read.
    catch_unwind(AssertUnwindSafe(check)).map_err(|payload| match payload.downcast::<Stopped>() {
        Ok(stopped) => *stopped,
        Err(other) => resume_unwind(other),
    })
}

/// One step of a check. Unwinds where the budget is used up.
#[inline]
pub(super) fn step() {
    steps(1);
}

/// A text that may be matched with any pattern of texts.
pub(super) fn text(text: &str) {
    step();
    PRICES.get().texts.inspect(|weight| search(weight, text));
}

/// A name that may be matched with all patterns of names.
pub(super) fn name(name: &str) {
    PRICES.get().names.inspect(|weight| search(weight, name));
}

fn search(weight: &Weight, text: &str) {
    match weight.steps(text.len()) {
        Some(count) => steps(count),
        None => stop(Stopped::TooLong),
    }
}

#[inline]
fn steps(count: u64) {
    let Some(mut budget) = BUDGET.get() else { return };
    if here().abs_diff(budget.start) > MAX_STACK {
        stop(Stopped::TooDeep);
    }
    let rounds = budget.steps / ROUND;
    budget.steps = budget.steps.saturating_add(count);
    if budget.steps / ROUND != rounds {
        if budget.steps > MAX_STEPS {
            stop(Stopped::TooLong);
        }
        (budget.go_on)();
    }
    BUDGET.set(Some(budget));
}

/// Ends the check that runs.
#[cold]
pub(super) fn stop(why: Stopped) -> ! {
    resume_unwind(Box::new(why))
}

/// About where the stack ends.
#[inline]
fn here() -> usize {
    let mark = 0u8;
    std::hint::black_box(&raw const mark) as usize
}

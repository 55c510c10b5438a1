//! What a function keeps between its calls within one query: compiled once where it is called from, not once a row.

use super::error::Error;
use super::function::Call;
use pgrx::pg_sys;

struct Kept<T> {
    source: Vec<u8>,
    made: T,
    /// The source is written into the expression, so it stays the same.
    is_constant: bool,
}

impl Call {
    /// What `make` makes of `source`, remembered for this place of the query as long as the source stays the same.
    pub fn remembered<T: 'static>(&self, source: &[u8], make: impl FnOnce() -> T) -> &T {
        // SAFETY: fn_extra belongs to this function alone; what it points at lives in fn_mcxt, which outlives the calls,
        // and is dropped with it.
        unsafe {
            let site = (*self.info).flinfo;
            let kept = (*site).fn_extra.cast::<Kept<T>>();
            if !kept.is_null() && (*kept).source == source {
                return &(*kept).made;
            }
            let fresh = Kept { source: source.to_vec(), made: make(), is_constant: false };
            if kept.is_null() {
                let place = pgrx::PgMemoryContexts::For((*site).fn_mcxt).leak_and_drop_on_delete(fresh);
                (*site).fn_extra = place.cast();
                &(*place).made
            } else {
                *kept = fresh;
                &(*kept).made
            }
        }
    }

    /// What `make` makes of a text argument, remembered as [`Call::remembered`] does. One that is written into the expression is not even
    /// compared: it may be long, and rows many. A function remembers in one of both ways.
    pub fn remembered_of<T: 'static>(&self, index: usize, make: impl FnOnce(&str) -> T) -> Result<&T, Error> {
        // SAFETY: as in `remembered`; the flag was set for this very place of the query.
        unsafe {
            let kept = (*(*self.info).flinfo).fn_extra.cast::<Kept<T>>();
            if !kept.is_null() && (*kept).is_constant {
                return Ok(&(*kept).made);
            }
        }
        let text = self.text(index)?;
        let mut is_new = false;
        let found = self.remembered(text.as_bytes(), || {
            is_new = true;
            make(text)
        });
        if is_new {
            // SAFETY: it was made above.
            unsafe { (*(*(*self.info).flinfo).fn_extra.cast::<Kept<T>>()).is_constant = self.is_constant(index) };
        }
        Ok(found)
    }

    /// Whether an argument is a constant of the expression that the call stands in.
    fn is_constant(&self, index: usize) -> bool {
        // SAFETY: a node of the plan.
        self.argument(index).is_some_and(|argument| unsafe { (*argument).type_ == pg_sys::NodeTag::T_Const })
    }

    /// An argument in the expression that the call stands in.
    fn argument(&self, index: usize) -> Option<*mut pg_sys::Node> {
        // SAFETY: the expression is NULL or a node that lives as long as the place of the call; a list has as many cells as it says.
        unsafe {
            let node = (*(*self.info).flinfo).fn_expr.cast::<pg_sys::Node>();
            if node.is_null() {
                return None;
            }
            let arguments = match (*node).type_ {
                pg_sys::NodeTag::T_OpExpr => (*node.cast::<pg_sys::OpExpr>()).args,
                pg_sys::NodeTag::T_FuncExpr => (*node.cast::<pg_sys::FuncExpr>()).args,
                _ => return None,
            };
            if arguments.is_null() || index >= (*arguments).length as usize {
                return None;
            }
            let argument = (*(*arguments).elements.add(index)).ptr_value.cast::<pg_sys::Node>();
            (!argument.is_null()).then_some(argument)
        }
    }
}

/// What a call keeps that was made of a constant argument, see [`Call::remembered_of`].
///
/// # Safety
/// The call frame is the server's, and this function keeps a `T` or nothing.
pub unsafe fn constant<'c, T: 'static>(info: pg_sys::FunctionCallInfo) -> Option<&'c T> {
    // SAFETY: as in `remembered`.
    unsafe {
        let kept = (*(*info).flinfo).fn_extra.cast::<Kept<T>>();
        (!kept.is_null() && (*kept).is_constant).then(|| &(*kept).made)
    }
}

/// The table and column of the query that an argument is, by their numbers in the plan.
pub fn column(call: &Call, index: usize) -> Option<(i64, i64)> {
    let argument = call.argument(index)?;
    // SAFETY: a node of the plan.
    unsafe {
        if (*argument).type_ != pg_sys::NodeTag::T_Var {
            return None;
        }
        let column = argument.cast::<pg_sys::Var>();
        Some((i64::from((*column).varno), i64::from((*column).varattno)))
    }
}

//! What a function keeps between its calls within one query: compiled once where it is called from, not once a row.

use super::function::Call;

struct Kept<T> {
    source: Vec<u8>,
    made: T,
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
            let fresh = Kept { source: source.to_vec(), made: make() };
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
}

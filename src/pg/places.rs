//! Places of a row's document that several functions of a query look up: the document is taken out of the row and walked once for all.
//!
//! A call whose path names one place (see [`crate::path::places`]) joins those of the same query that ask the same column of the same
//! table. What they share is found again by the very bytes that the row has, so that an answer is right whatever row it is for; a pointer into
//! the TOAST table stands for its content, as it is kept no longer than the query that may see it. Such a call
//! runs without the guards around other functions of ours: it calls nothing that could raise but the allocation of its result, which is last.

use super::call_site;
use super::function::{Call, Ready};
use crate::json::{self, Node};
use crate::model::TypeId;
use crate::path::eval::{Item, Program};
use crate::path::places::{Found, Place, Places};
use crate::path::reference::{Target, resource_type, target};
use crate::path::scalar::Scalar;
use pgrx::pg_sys;
use std::cell::{OnceCell, RefCell, UnsafeCell};
use std::rc::{Rc, Weak};

/// One call of a query.
pub struct Site {
    shared: Rc<UnsafeCell<Row>>,
    place: Place,
    /// What the place has, by the definitions.
    ty: TypeId,
    /// Whether the key of a reference is asked for, and of which type alone.
    key: Option<Option<TypeId>>,
}

/// A program, and where its call stands once that is known: `None` where it has to be evaluated.
pub struct Placed<P> {
    pub program: P,
    pub site: OnceCell<Option<Site>>,
}

/// The document that was asked last.
struct Row {
    /// The datum, as the row has it; empty where nothing is known.
    stored: Vec<u8>,
    /// Its container where that is compressed or elsewhere.
    opened: Vec<u8>,
    /// The type for which places were made.
    ty: TypeId,
    /// Whether the document is of that type.
    fits: bool,
    places: Places,
}

/// The query, the table in it, the column and the type of resources.
type Key = (pg_sys::MemoryContext, i64, i64, TypeId);

thread_local! {
    static SHARED: RefCell<Vec<(Key, Weak<UnsafeCell<Row>>)>> = const { RefCell::new(Vec::new()) };
}

impl Site {
    /// Where a call stands that asks `program` of documents like this one, in its first argument.
    pub fn of(call: &Call, program: &Program, document: Node<'_>) -> Option<Site> {
        let ty = resource_type(document.as_object()?.text("resourceType")?)?;
        let plain = program.plain(ty)?;
        let (table, column) = call_site::column(call, 0)?;
        // SAFETY: the call frame is the server's; the context is compared only.
        let key = (unsafe { (*(*call.info).flinfo).fn_mcxt }, table, column, ty);
        let shared = SHARED.with_borrow_mut(|all| {
            all.retain(|(_, row)| row.strong_count() > 0);
            match all.iter().find(|(known, _)| *known == key).and_then(|(_, row)| row.upgrade()) {
                Some(row) => row,
                None => {
                    let row = Row { stored: Vec::new(), opened: Vec::new(), ty, fits: false, places: Places::default() };
                    let row = Rc::new(UnsafeCell::new(row));
                    all.push((key, Rc::downgrade(&row)));
                    row
                }
            }
        });
        // SAFETY: nobody else looks at it: the backend has one thread, and no reference to a row outlives the functions here.
        let place = unsafe { (*shared.get()).places.add(&plain)? };
        Some(Site { shared, place, ty: plain.steps.last()?.ty, key: plain.key })
    }
}

/// The answer to a call, where its place is known and nothing has to be asked of the server; `None` for [`Site`]s and documents that
/// need more.
///
/// # Safety
/// The call frame is the server's, of a function that keeps a [`Placed`] of [`Call::remembered_of`], whose first argument is a jsonb, and
/// whose result is of the scalar type.
pub unsafe fn ready<P: 'static>(info: pg_sys::FunctionCallInfo, scalar: Scalar) -> Option<Ready> {
    // SAFETY: by contract; the row is not looked at by anybody else while this runs, and what is given out points into it until the next
    // call, when the result has been copied.
    unsafe {
        let placed = call_site::constant::<Placed<P>>(info)?;
        let site = placed.site.get()?.as_ref()?;
        let argument = *(*info).args.as_ptr();
        if argument.isnull {
            return None;
        }
        let value = argument.value.cast_mut_ptr::<pg_sys::varlena>();
        let row = &mut *site.shared.get();
        if !row.has(value) {
            if !pgrx::varatt_is_4b_u(value) {
                return None;
            }
            row.take(value);
        }
        row.answer(site, scalar)
    }
}

impl Call {
    /// As [`ready`], after the document was taken out of the form in which it is stored.
    ///
    /// # Safety
    /// As [`ready`].
    pub unsafe fn opened(&self, site: &Site, container: &[u8], scalar: Scalar) -> Option<Ready> {
        // SAFETY: by contract.
        unsafe {
            let value = self.datum(0)?.cast_mut_ptr::<pg_sys::varlena>();
            let row = &mut *site.shared.get();
            if !row.has(value) {
                row.take(value);
                row.opened.extend_from_slice(container);
                row.turn();
            }
            row.answer(site, scalar)
        }
    }
}

impl Row {
    /// Whether this is the document that was asked last.
    ///
    /// # Safety
    /// A valid varlena.
    unsafe fn has(&self, value: *const pg_sys::varlena) -> bool {
        // SAFETY: by contract.
        unsafe { *self.stored == *std::slice::from_raw_parts(value.cast::<u8>(), pgrx::varsize_any(value)) }
    }

    /// Turns to another document.
    ///
    /// # Safety
    /// A valid varlena of a jsonb.
    unsafe fn take(&mut self, value: *const pg_sys::varlena) {
        self.stored.clear();
        self.opened.clear();
        // SAFETY: by contract.
        unsafe {
            self.stored.extend_from_slice(std::slice::from_raw_parts(value.cast::<u8>(), pgrx::varsize_any(value)));
            if pgrx::varatt_is_4b_u(value) {
                self.turn();
            }
        }
    }

    fn turn(&mut self) {
        let Row { stored, opened, ty, fits, places } = self;
        let document = container(stored, opened);
        *fits = matches!(json::root(document), Some(Node::Object(object)) if object.text("resourceType") == Some(ty.name().as_bytes()));
        places.turn(document);
    }

    fn answer(&mut self, site: &Site, scalar: Scalar) -> Option<Ready> {
        if !self.fits {
            return None;
        }
        let Row { stored, opened, places, .. } = self;
        let node = match places.find(&site.place, container(stored, opened)) {
            // an element without a value is no boolean, but it is there
            Found::Nothing if scalar != Scalar::Boolean => return Some(Ready::Null),
            Found::Node(node) => node,
            _ => return None,
        };
        if let Some(of_type) = site.key {
            return match (scalar, node.get("reference")) {
                (Scalar::Text, Some(Node::String(reference))) => Some(key(reference, of_type).map_or(Ready::Null, |key| Ready::of(key.as_bytes()))),
                _ => None,
            };
        }
        let item = || Item::element(node, site.ty, None);
        Some(match (scalar, node) {
            (Scalar::Text, Node::String(text)) => Ready::of(text.as_bytes()),
            (Scalar::Boolean, Node::Bool(value)) => Ready::Word(usize::from(value)),
            (Scalar::Numeric, Node::Number(number)) => Ready::of(number.bytes()),
            (Scalar::Integer, Node::Number(_)) => match item().to_integer() {
                Some(value) => Ready::Word(i32::try_from(value).ok()? as usize),
                None => Ready::Null,
            },
            (Scalar::Date, Node::String(_)) => item().to_days().map_or(Ready::Null, |days| Ready::Word(days as usize)),
            (Scalar::Timestamp, Node::String(_)) => item().to_microseconds().map_or(Ready::Null, |at| Ready::Word(at as usize)),
            (Scalar::Time, Node::String(_)) => item().to_time_of_day().map_or(Ready::Null, |at| Ready::Word(at as usize)),
            _ => return None,
        })
    }
}

/// The bytes behind the length word, or those that were opened.
fn container<'r>(stored: &'r [u8], opened: &'r [u8]) -> &'r [u8] {
    if opened.is_empty() { stored.get(4..).unwrap_or_default() } else { opened }
}

fn key(reference: &str, of_type: Option<TypeId>) -> Option<&str> {
    match target(reference) {
        Target::Literal { ty, id, .. } if of_type.is_none_or(|wanted| wanted == ty) => Some(id),
        _ => None,
    }
}

//! The extension's settings, all under `fhir.`.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};
use pgrx::pg_sys;
use std::ffi::CString;

/// How much of validation a write has to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PostgresGucEnum)]
#[allow(non_camel_case_types)]
pub enum Validation {
    /// Only what the store itself needs: a resource of the right type.
    off,
    /// Elements, cardinalities, formats, choices, reference targets, required codes.
    structure,
}

/// What becomes of lines that hold no valid resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PostgresGucEnum)]
#[allow(non_camel_case_types)]
pub enum OnError {
    /// The first ends the statement.
    stop,
    /// They go to `load_error`, and the others are loaded.
    reject,
}

static LAKE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c"lake"));
static VALIDATION: GucSetting<Validation> = GucSetting::<Validation>::new(Validation::structure);
static LOAD_ON_ERROR: GucSetting<OnError> = GucSetting::<OnError>::new(OnError::stop);

const MAX_LOAD_WORKERS: i32 = 64;
static LOAD_WORKERS: GucSetting<i32> = GucSetting::<i32>::new(-1);
static PUSHDOWN: GucSetting<bool> = GucSetting::<bool>::new(true);
static PATH_STEPS: GucSetting<i32> = GucSetting::<i32>::new(20_000_000);

/// Any user may set them: they decide about the user's own statements. A lake's owner who wants validation whatever the
/// writer says declares it: `ALTER TABLE lake.resource ADD CHECK (fhir.is_valid(resource))`.
pub fn define() {
    GucRegistry::define_string_guc(
        c"fhir.lake",
        c"The lake that functions of schema fhir read and write.",
        c"The name of a schema made by fhir.create_lake.",
        &LAKE,
        GucContext::Userset,
        GucFlags::IS_NAME,
    );
    GucRegistry::define_enum_guc(
        c"fhir.validation",
        c"What a resource has to pass before it is stored.",
        c"structure: elements, cardinalities, formats, choice types, reference targets and required codes. off: only its type and id.",
        &VALIDATION,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_enum_guc(
        c"fhir.load_on_error",
        c"What becomes of lines sent to a view ndjson that hold no valid resource.",
        c"stop: the first ends the statement. reject: they go to load_error of the lake, and the others are loaded.",
        &LOAD_ON_ERROR,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"fhir.load_workers",
        c"Threads of a load that read, check and index resources before they are written.",
        c"-1: one for each processor, at most 8. 0: none, the backend does everything itself.",
        &LOAD_WORKERS,
        -1,
        MAX_LOAD_WORKERS,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"fhir.path_steps",
        c"Steps that one evaluation of a FHIRPath expression may take.",
        c"An evaluation on one resource that takes more is refused.",
        &PATH_STEPS,
        1,
        i32::MAX,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"fhir.pushdown",
        c"Whether conditions on columns of views are looked up in the index.",
        c"The planner writes the search that such a condition implies beside it.",
        &PUSHDOWN,
        GucContext::Userset,
        GucFlags::default(),
    );
    // Postgres 14 can only warn about names that it does not know; from 15 on they are refused.
    // SAFETY: the name is a constant.
    unsafe {
        #[cfg(feature = "pg14")]
        pg_sys::EmitWarningsOnPlaceholders(c"fhir".as_ptr());
        #[cfg(not(feature = "pg14"))]
        pg_sys::MarkGUCPrefixReserved(c"fhir".as_ptr());
    }
}

/// The name of the current lake.
pub fn lake() -> String {
    LAKE.get().map(|name| name.to_string_lossy().into_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "lake".into())
}

/// How many threads a load may start.
pub fn load_workers() -> usize {
    let automatic = || std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
    usize::try_from(LOAD_WORKERS.get()).unwrap_or_else(|_| automatic())
}

/// How many steps one evaluation of a FHIRPath expression may take.
pub fn path_steps() -> u64 {
    u64::try_from(PATH_STEPS.get()).unwrap_or(1)
}

/// Whether conditions on columns of views are looked up in the index.
pub fn pushdown() -> bool {
    PUSHDOWN.get()
}

pub fn validation() -> Validation {
    VALIDATION.get()
}

pub fn load_on_error() -> OnError {
    LOAD_ON_ERROR.get()
}

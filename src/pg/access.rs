//! Who may do what: roles, and work done as the owner of a table.

use super::error::{Error, INSUFFICIENT_PRIVILEGE};
use pgrx::pg_sys;
use pgrx::pg_sys::Oid;

/// Whether the current user has the privileges of `pg_read_server_files` (superusers do).
pub fn may_read_server_files() -> bool {
    // SAFETY: look-ups in the catalogue of roles.
    unsafe { pg_sys::has_privs_of_role(pg_sys::GetUserId(), Oid::from(pg_sys::ROLE_PG_READ_SERVER_FILES)) }
}

/// Whether the current user has the privileges of `pg_write_server_files` (superusers do).
pub fn may_write_server_files() -> bool {
    // SAFETY: look-ups in the catalogue of roles.
    unsafe { pg_sys::has_privs_of_role(pg_sys::GetUserId(), Oid::from(pg_sys::ROLE_PG_WRITE_SERVER_FILES)) }
}

/// The current user becomes `owner` until this is dropped, in the way of a `SECURITY DEFINER` function: it cannot change the
/// role back, and what its tables trigger cannot do lasting things to the session.
///
/// The server puts the user back when the transaction or subtransaction fails, so an error that jumps does no harm.
pub struct AsOwner {
    user: Oid,
    context: i32,
}

impl AsOwner {
    /// Only the owner of what fired may be acted for, and only on what the same role owns.
    pub fn of(fired: Oid, target: Oid) -> Result<AsOwner, Error> {
        AsOwner::with(fired, target, 0)
    }

    /// As [`AsOwner::of`], and no policy hides rows even where row-level security is forced on owners: for checks that must know
    /// what is there, as the server's checks of foreign keys do.
    pub fn for_check(fired: Oid, target: Oid) -> Result<AsOwner, Error> {
        AsOwner::with(fired, target, pg_sys::SECURITY_NOFORCE_RLS)
    }

    fn with(fired: Oid, target: Oid, more: u32) -> Result<AsOwner, Error> {
        let owner = owner(fired);
        if owner.is_none() || owner != self::owner(target) {
            return Err(Error::new(INSUFFICIENT_PRIVILEGE, "the tables of a lake belong to different roles")
                .hint("give every table of the lake to one role with ALTER TABLE … OWNER TO"));
        }
        let (mut user, mut context) = (Oid::INVALID, 0);
        let flags = (pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION | more) as i32;
        // SAFETY: both set plain variables of the session.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&mut user, &mut context);
            pg_sys::SetUserIdAndSecContext(owner.unwrap_or(user), context | flags);
        }
        Ok(AsOwner { user, context })
    }
}

impl Drop for AsOwner {
    fn drop(&mut self) {
        // SAFETY: what `of` read.
        unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) };
    }
}

/// The owner of a table; `None` if there is no such table.
fn owner(relation: Oid) -> Option<Oid> {
    // SAFETY: the tuple is valid until released, and rows of pg_class have the form that its type says.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::RELOID as i32, pg_sys::Datum::from(relation));
        if tuple.is_null() {
            return None;
        }
        let class = pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_class>();
        let owner = (*class).relowner;
        pg_sys::ReleaseSysCache(tuple);
        Some(owner)
    }
}

/// The table of that name in a schema.
pub fn table(schema: Oid, name: &std::ffi::CStr) -> Option<Oid> {
    // SAFETY: a look-up in the catalogue.
    let found = unsafe { pg_sys::get_relname_relid(name.as_ptr(), schema) };
    (found != Oid::INVALID).then_some(found)
}

/// Whether a table has no pages at all: then nothing has to be looked up in it.
pub fn is_empty(relation: Oid) -> bool {
    // SAFETY: a relation opened with a lock that readers take, and closed.
    unsafe {
        let opened = pg_sys::relation_open(relation, pg_sys::AccessShareLock as i32);
        let is_table = (*(*opened).rd_rel).relkind as u8 == pg_sys::RELKIND_RELATION;
        let empty = is_table && pg_sys::RelationGetNumberOfBlocksInFork(opened, pg_sys::ForkNumber::MAIN_FORKNUM) == 0;
        pg_sys::relation_close(opened, pg_sys::NoLock as i32);
        empty
    }
}

/// The schema's name.
pub fn schema_name(schema: Oid) -> Option<String> {
    // SAFETY: a zero-ended name in the current memory context, or null.
    unsafe {
        let name = pg_sys::get_namespace_name(schema);
        (!name.is_null()).then(|| std::ffi::CStr::from_ptr(name).to_string_lossy().into_owned())
    }
}

/// `quote_ident`.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether a schema has a table of that name.
pub fn has_table(schema: &str, name: &str) -> bool {
    table_named(schema, name).is_some()
}

/// The table of that name in the schema of that name.
pub fn table_named(schema: &str, name: &str) -> Option<Oid> {
    let name = std::ffi::CString::new(name).ok()?;
    table(schema_of(schema)?, &name)
}

/// The schema of that name.
pub fn schema_of(name: &str) -> Option<Oid> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: a look-up in the catalogue by a zero-ended name.
    let schema = unsafe { pg_sys::get_namespace_oid(name.as_ptr(), true) };
    (schema != Oid::INVALID).then_some(schema)
}

/// Whether a table has a column of that name.
pub fn has_column(table: Oid, name: &std::ffi::CStr) -> bool {
    // SAFETY: a look-up in the catalogue by a zero-ended name.
    unsafe { pg_sys::get_attnum(table, name.as_ptr()) != 0 }
}

/// A type of the extension.
pub fn own_type(name: &std::ffi::CStr) -> Option<Oid> {
    // SAFETY: look-ups in the catalogue by zero-ended names.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"fhir".as_ptr(), true);
        let found = pg_sys::GetSysCacheOid(
            pg_sys::SysCacheIdentifier::TYPENAMENSP as i32,
            pg_sys::Anum_pg_type_oid as pg_sys::AttrNumber,
            pg_sys::Datum::from(name.as_ptr()),
            pg_sys::Datum::from(schema),
            pg_sys::Datum::null(),
            pg_sys::Datum::null(),
        );
        (found != Oid::INVALID).then_some(found)
    }
}

/// Whether policies decide which rows of a table the current user sees.
pub fn has_policies(table: Oid) -> bool {
    // SAFETY: look-ups in the catalogue; nothing is raised.
    unsafe { pg_sys::check_enable_rls(table, Oid::INVALID, true) == pg_sys::CheckEnableRlsResult::RLS_ENABLED as i32 }
}

/// The current user.
pub fn user() -> Oid {
    // SAFETY: a plain variable.
    unsafe { pg_sys::GetUserId() }
}

/// Whether the current user may read every column of a table.
pub fn may_read(table: Oid) -> bool {
    // SAFETY: a look-up in the catalogue.
    unsafe { pg_sys::pg_class_aclcheck(table, pg_sys::GetUserId(), pg_sys::AclMode::from(pg_sys::ACL_SELECT)) == pg_sys::AclResult::ACLCHECK_OK }
}

/// Whether the current user may look up names in the schema of a table.
pub fn may_use_schema_of(table: Oid) -> bool {
    // SAFETY: look-ups in the catalogue; the schema of a table is there as long as the table.
    unsafe {
        let schema = pg_sys::get_rel_namespace(table);
        if schema == Oid::INVALID {
            return false;
        }
        let (user, usage) = (pg_sys::GetUserId(), pg_sys::AclMode::from(pg_sys::ACL_USAGE));
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let result = pg_sys::pg_namespace_aclcheck(schema, user, usage);
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let result = pg_sys::object_aclcheck(pg_sys::NamespaceRelationId, schema, user, usage);
        result == pg_sys::AclResult::ACLCHECK_OK
    }
}

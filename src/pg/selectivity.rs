//! How many rows a search will find, told by the index itself while the query is planned.
//!
//! `ANALYZE` collects nothing useful about values as wide as these, so the estimator looks the searched keys up in the
//! GIN index: the answer is exact or nearly so, and never stale.
//!
//! An exact estimate is also an oracle. Where row-level security hides rows from this user, or the user may read the table
//! only through a view of another, nothing is probed and the estimate depends on the shape of the search alone.

use crate::index::Query;
use crate::index::query::{Leaf, Test};
use crate::index::scan::{Group, Scan};
use crate::pg::function::{Call, Value};
use crate::pg::error::Error;
use crate::pg::guard::attempt;
use crate::pg::{arrays, jsonb};
use crate::sql_function;
use pgrx::pg_sys;
use std::ffi::CStr;

unsafe extern "C-unwind" {
    fn fhirlake_probe(index: pg_sys::Relation, attnum: i32, nkeys: i32, keys: *mut pg_sys::Datum, partial: *mut bool, rows: *mut f64);
    fn fhirlake_pending_rows(index: pg_sys::Relation) -> f64;
}

/// Keys looked up for one search; what is beyond is taken to be like them.
const MAX_PROBES: usize = 64;

/// What one condition is taken to find where nothing may be looked up.
const UNKNOWN: f64 = 0.005;

sql_function!(fhir_match_selectivity, |call| {
    let estimate = estimate(call)?.clamp(0.0, 1.0);
    Ok(Value::Datum(pg_sys::Datum::from(estimate.to_bits())))
});

/// `(internal, oid, internal, integer) → double precision`
fn estimate(call: &Call) -> Result<f64, Error> {
    let argument = |n| call.datum(n).unwrap_or(pg_sys::Datum::null());
    let root: *mut pg_sys::PlannerInfo = argument(0).cast_mut_ptr();
    let operator = pg_sys::Oid::from(argument(1).value() as u32);
    let arguments: *mut pg_sys::List = argument(2).cast_mut_ptr();
    let relation = argument(3).value() as i32;
    // SAFETY: the planner passes its own structures, valid for the call
    unsafe {
        let mut variable = pg_sys::VariableStatData::default();
        let mut other: *mut pg_sys::Node = std::ptr::null_mut();
        let mut on_left = false;
        if !pg_sys::get_restriction_variable(root, arguments, relation, &mut variable, &mut other, &mut on_left) {
            return Ok(UNKNOWN);
        }
        let estimate = of_variable(root, operator, &variable, other);
        if let Some(free) = variable.freefunc.filter(|_| !variable.statsTuple.is_null()) {
            free(variable.statsTuple);
        }
        estimate
    }
}

unsafe fn of_variable(root: *mut pg_sys::PlannerInfo, operator: pg_sys::Oid, variable: &pg_sys::VariableStatData, other: *mut pg_sys::Node) -> Result<f64, Error> {
    // SAFETY: `other` is an expression node; a Const that is not null holds a fhir.query
    let query = unsafe {
        if (*other).type_ != pg_sys::NodeTag::T_Const {
            return Ok(UNKNOWN); // a parameter: plan with constants, or `plan_cache_mode = force_custom_plan`
        }
        let constant = other.cast::<pg_sys::Const>();
        if (*constant).constisnull {
            return Ok(0.0); // the operator is strict
        }
        if pg_sys::get_typlen((*constant).consttype) != -1 {
            return Ok(UNKNOWN); // not ours: somebody else's operator borrows the estimator
        }
        Query::parse(std::str::from_utf8(jsonb::bytes((*constant).constvalue)).unwrap_or_default())
    };
    let Ok(query) = query else { return Ok(0.0) };
    let scan = Scan::of(&query);
    // SAFETY: as above
    let index = unsafe { if may_probe(root, variable) { searchable_index(operator, variable) } else { None } };
    let Some((index, column)) = index else {
        return combine(&scan, |group| Ok(if group.keys.is_empty() { 0.0 } else { UNKNOWN * (group.keys.len() as f64).min(4.0) }));
    };
    // SAFETY: the planner holds a lock on the table, and the index is among those it listed
    unsafe {
        let relation = pg_sys::index_open(index, pg_sys::AccessShareLock as i32);
        let estimate = fraction_in(relation, column, &scan, (*variable.rel).tuples);
        pg_sys::index_close(relation, pg_sys::AccessShareLock as i32);
        Ok(estimate? / repeated(root, variable, &query))
    }
}

/// A statement may say beside `subject=Patient/x` that `compartment = 'Patient/x'`, so that a btree can serve it, or of several
/// `compartment IN (…)`. This is the
/// selectivity of that clause, which must not count twice; 1 where there is none.
unsafe fn repeated(root: *mut pg_sys::PlannerInfo, variable: &pg_sys::VariableStatData, query: &Query) -> f64 {
    // SAFETY: planner structures, valid for the call; constants of type text hold one
    unsafe {
        for info in pgrx::PgList::<pg_sys::RestrictInfo>::from_pg((*variable.rel).baserestrictinfo).iter_ptr() {
            let clause = (*info).clause.cast::<pg_sys::Node>();
            let (operator, operands, is_list) = match (*clause).type_ {
                pg_sys::NodeTag::T_OpExpr => ((*clause.cast::<pg_sys::OpExpr>()).opno, (*clause.cast::<pg_sys::OpExpr>()).args, false),
                pg_sys::NodeTag::T_ScalarArrayOpExpr => {
                    let list = clause.cast::<pg_sys::ScalarArrayOpExpr>();
                    if !(*list).useOr {
                        continue;
                    }
                    ((*list).opno, (*list).args, true)
                }
                _ => continue,
            };
            let operands = pgrx::PgList::<pg_sys::Node>::from_pg(operands);
            let (Some(left), Some(right)) = (operands.get_ptr(0), operands.get_ptr(1)) else { continue };
            let is_equality = pg_sys::get_oprrest(operator) == pg_sys::Oid::from(pg_sys::F_EQSEL);
            if !is_equality || (*left).type_ != pg_sys::NodeTag::T_Var || (*right).type_ != pg_sys::NodeTag::T_Const {
                continue;
            }
            let (column, constant) = (left.cast::<pg_sys::Var>(), right.cast::<pg_sys::Const>());
            let wanted = if is_list { pg_sys::TEXTARRAYOID } else { pg_sys::TEXTOID };
            if (*constant).constisnull || (*constant).consttype != wanted || (*column).varno as u32 != (*variable.rel).relid {
                continue;
            }
            let entry = *(*root).simple_rte_array.add((*variable.rel).relid as usize);
            let name = pg_sys::get_attname((*entry).relid, (*column).varattno, true);
            if name.is_null() || CStr::from_ptr(name) != COMPARTMENT {
                continue;
            }
            let homes = if is_list { arrays::texts((*constant).constvalue) } else { vec![jsonb::text((*constant).constvalue)] };
            if refers_to(query, &homes) {
                let part = pg_sys::clause_selectivity(root, clause, 0, pg_sys::JoinType::JOIN_INNER, std::ptr::null_mut());
                return part.clamp(1e-9, 1.0);
            }
        }
        1.0
    }
}

/// The column of a lake's tables that holds the home of a row.
const COMPARTMENT: &CStr = c"compartment";

/// Whether some condition asks for rows that point at one of these resources; a few of them tell.
fn refers_to(query: &Query, homes: &[&str]) -> bool {
    let names = |leaf: &Leaf, home: &str| match leaf {
        Leaf::One { test: Test::Reference { target, .. }, .. } => target == home,
        Leaf::Member(member) => member.focus == home,
        _ => false,
    };
    let conditions = query.conditions.iter().filter(|condition| !condition.negated);
    conditions.into_iter().any(|condition| homes.iter().take(4).all(|home| condition.any_of.iter().any(|leaf| names(leaf, home))))
}

/// The fraction of a table's `rows` that a search finds, told by the index.
///
/// # Safety
/// `index` is an open GIN index whose column of that number has our operator class.
pub(super) unsafe fn fraction_in(index: pg_sys::Relation, column: i32, scan: &Scan, rows: f64) -> Result<f64, Error> {
    let rows = rows.max(1.0);
    let mut budget = Budget { probes: MAX_PROBES, groups: scan.groups.len() + scan.excluded.len() };
    // SAFETY: as the caller says
    unsafe {
        let pending = attempt(|| fhirlake_pending_rows(index))?;
        combine(scan, |group| Ok((probe(index, column, group, &mut budget)? + pending) / rows))
    }
}

/// The probes left, and the groups that are still to share them.
struct Budget {
    probes: usize,
    groups: usize,
}

impl Budget {
    fn take(&mut self, wanted: usize) -> usize {
        let taken = wanted.min((self.probes / self.groups.max(1)).max(1));
        self.probes = self.probes.saturating_sub(taken);
        self.groups = self.groups.saturating_sub(1);
        taken
    }
}

/// The rows of one group: the sum over its keys, as far as the budget goes.
unsafe fn probe(index: pg_sys::Relation, column: i32, group: &Group, budget: &mut Budget) -> Result<f64, Error> {
    let total = group.keys.len();
    let taken = budget.take(total);
    if taken == 0 {
        return Ok(0.0);
    }
    // spread over the group, so that a sorted list is sampled from end to end
    let chosen = (0..taken).map(|i| &group.keys[i * total / taken]);
    let mut keys: Vec<pg_sys::Datum> = chosen.clone().map(|k| jsonb::varlena(&k.bytes)).collect();
    let mut partial: Vec<bool> = chosen.map(|k| k.partial).collect();
    let mut rows = vec![0f64; taken];
    // SAFETY: three arrays of the same length
    unsafe {
        let (keys, partial, rows) = (keys.as_mut_ptr(), partial.as_mut_ptr(), rows.as_mut_ptr());
        attempt(|| fhirlake_probe(index, column, taken as i32, keys, partial, rows))?;
    }
    Ok(rows.iter().sum::<f64>() * total as f64 / taken as f64)
}

/// Conditions count as independent, but for what says nearly the same twice: of several references the rarest counts, for
/// who points at an encounter points at its patient, and a unit beside its number by the square root.
fn combine(scan: &Scan, mut fraction: impl FnMut(&Group) -> Result<f64, Error>) -> Result<f64, Error> {
    // each partition and most user tables hold one type: its key would only cost a probe
    let skip_type = scan.groups.len() > 1;
    let wanted = scan.groups.iter().filter(|g| !(g.is_type && skip_type)).map(|g| (g, false));
    let mut groups: Vec<(&Group, bool)> = wanted.chain(scan.excluded.iter().map(|g| (g, true))).collect();
    groups.sort_by_key(|(group, _)| group.keys.len()); // what the small ones leave is for the large
    let (mut product, mut references) = (1.0, 1.0f64);
    for (group, excluded) in groups {
        let part = fraction(group)?.min(1.0);
        let holds = |kinds: &[u8]| !excluded && !group.keys.is_empty() && group.keys.iter().all(|k| k.bytes.get(2).is_some_and(|kind| kinds.contains(kind)));
        if holds(b"r") {
            references = references.min(part);
        } else if holds(b"uw") {
            product *= part.sqrt();
        } else {
            product *= if excluded { 1.0 - part } else { part };
        }
    }
    Ok(product * references)
}

/// Whether this user may learn what the index knows: all rows of the table are open to them without any view's help.
unsafe fn may_probe(root: *mut pg_sys::PlannerInfo, variable: &pg_sys::VariableStatData) -> bool {
    // SAFETY: planner structures, valid for the call
    unsafe {
        // quals of row-level security on any table of the query: partitions do not repeat the policy of their parent
        if variable.rel.is_null() || (*root).qual_security_level > 0 {
            return false;
        }
        let entry = *(*root).simple_rte_array.add((*variable.rel).relid as usize);
        if entry.is_null() || (*entry).rtekind != pg_sys::RTEKind::RTE_RELATION {
            return false;
        }
        // Asked of the user who plans, not of the owner of a view: a view may hide rows from those it is granted to.
        let user = pg_sys::GetUserId();
        let open = |relation| {
            let readable = pg_sys::pg_class_aclcheck(relation, user, u64::from(pg_sys::ACL_SELECT) as _) == pg_sys::AclResult::ACLCHECK_OK;
            let policies = pg_sys::check_enable_rls(relation, pg_sys::InvalidOid, true);
            readable && policies != pg_sys::CheckEnableRlsResult::RLS_ENABLED as i32
        };
        if open((*entry).relid) {
            return true;
        }
        // a partition reached through its parent is read with the rights on the parent
        let top = (*variable.rel).top_parent_relids;
        if top.is_null() {
            return false;
        }
        let parent = *(*root).simple_rte_array.add(pg_sys::bms_next_member(top, -1) as usize);
        !parent.is_null() && open((*parent).relid)
    }
}

/// The GIN index over the searched column or expression that has our operator: its OID and the number of its column.
unsafe fn searchable_index(operator: pg_sys::Oid, variable: &pg_sys::VariableStatData) -> Option<(pg_sys::Oid, i32)> {
    // SAFETY: planner structures, valid for the call
    unsafe {
        let indexes = pgrx::PgList::<pg_sys::IndexOptInfo>::from_pg((*variable.rel).indexlist);
        for index in indexes.iter_ptr() {
            let usable = (*index).relam == pg_sys::Oid::from(pg_sys::GIN_AM_OID)
                && !(*index).hypothetical
                && ((*index).indpred.is_null() || (*index).predOK)
                && pg_sys::get_rel_relkind((*index).indexoid) == pg_sys::RELKIND_INDEX as std::ffi::c_char;
            if !usable {
                continue;
            }
            let mut expressions = pgrx::PgList::<pg_sys::Node>::from_pg((*index).indexprs).iter_ptr().collect::<Vec<_>>().into_iter();
            for column in 0..(*index).nkeycolumns as usize {
                let key = *(*index).indexkeys.add(column);
                let expression = if key == 0 { expressions.next() } else { None };
                if !pg_sys::op_in_opfamily(operator, *(*index).opfamily.add(column)) {
                    continue;
                }
                let same = match expression {
                    Some(expression) => pg_sys::equal(expression.cast(), variable.var.cast()),
                    None => {
                        let node = variable.var;
                        (*node).type_ == pg_sys::NodeTag::T_Var && i32::from((*node.cast::<pg_sys::Var>()).varattno) == key
                    }
                };
                if same {
                    return Some(((*index).indexoid, column as i32 + 1));
                }
            }
        }
        None
    }
}

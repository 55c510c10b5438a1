/*
 * Whether a table of a lake may be loaded past the executor, and what is open while it is.
 *
 * Only where nothing of the user's is passed by: on a table as fhir.create_lake makes it, for somebody who may read and write all
 * of it. Everything else is for INSERT to do, with its own errors.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "rewrite/prs2lock.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"

#include "bulk.h"

/* Loads that have rows whose index entries are not written yet. */
static Bulk *unfinished = NULL;

void
fhirlake_bulk_forget(Bulk *bulk)
{
	for (Bulk **at = &unfinished; *at; at = &(*at)->next)
		if (*at == bulk)
		{
			*at = bulk->next;
			return;
		}
}

/* A commit without the entries would leave rows that the indexes do not know. */
static void
at_transaction(XactEvent event, void *nothing)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (unfinished)
				ereport(ERROR,
						(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						 errmsg("a load into table \"%s\" was not finished", NameStr(unfinished->name)),
						 errhint("the triggers that fhir.create_lake makes belong together; fhir.upgrade_lake restores them")));
			break;
		default:
			unfinished = NULL;
	}
}

static void
at_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *nothing)
{
	for (Bulk **at = &unfinished; *at;)
	{
		if (event == SUBXACT_EVENT_ABORT_SUB && (*at)->subtransaction >= mine)
		{
			*at = (*at)->next;
			continue;
		}
		if (event == SUBXACT_EVENT_COMMIT_SUB && (*at)->subtransaction == mine)
			(*at)->subtransaction = parent;
		at = &(*at)->next;
	}
}

static void
remember(Bulk *bulk)
{
	static bool registered = false;

	if (!registered)
	{
		RegisterXactCallback(at_transaction, NULL);
		RegisterSubXactCallback(at_subtransaction, NULL);
		registered = true;
	}
	bulk->name = bulk->table.table->rd_rel->relname;
	bulk->subtransaction = GetCurrentSubTransactionId();
	bulk->next = unfinished;
	unfinished = bulk;
}

/* The number of the column of that name and exactly that type, that its writer fills; 0 if there is none. */
static AttrNumber
column(Relation table, const char *name, Oid type)
{
	TupleDesc	row = RelationGetDescr(table);

	for (int i = 0; i < row->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row, i);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
			return attribute->atttypid == type && attribute->attgenerated == '\0' && attribute->attidentity == '\0' ? i + 1 : 0;
	}
	return 0;
}

static int
columns_of(Relation table)
{
	int			columns = 0;

	for (int i = 0; i < RelationGetDescr(table)->natts; i++)
		if (!TupleDescAttr(RelationGetDescr(table), i)->attisdropped)
			columns++;
	return columns;
}

/* A table that holds rows itself, in the heap, with no rule, no check and nothing computed by the server. */
static bool
is_plain(Relation table)
{
	TupleConstr *constraints = RelationGetDescr(table)->constr;

	return table->rd_rel->relkind == RELKIND_RELATION &&
		table->rd_rel->relam == HEAP_TABLE_AM_OID &&
		(table->rd_rel->relpersistence == RELPERSISTENCE_PERMANENT || table->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED) &&
		table->rd_rules == NULL &&
		(constraints == NULL || constraints->num_check == 0);
}

static Oid
own_function(const char *name)
{
	return LookupFuncName(list_make2(makeString("fhir"), makeString(unconstify(char *, name))), 0, NULL, true);
}

/*
 * Whether the triggers that an INSERT fires are the stamp and the keeper of a lake and no others; with neither, whether there
 * are none at all. What a lake demands, the loader has asked of each row before it comes here.
 */
static bool
fires_only(Relation table, Oid stamp, Oid keep)
{
	Oid			validity = own_function("check_validity");
	int			stamps = 0;
	int			keeps = 0;

	for (int i = 0; table->trigdesc && i < table->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &table->trigdesc->triggers[i];
		bool		plain_row = TRIGGER_FOR_ROW(trigger->tgtype) && trigger->tgqual == NULL && !trigger->tgdeferrable;

		if (!TRIGGER_FOR_INSERT(trigger->tgtype) || trigger->tgenabled == TRIGGER_DISABLED ||
			trigger->tgenabled == TRIGGER_FIRES_ON_REPLICA)
			continue;
		if (trigger->tgfoid == stamp && plain_row && TRIGGER_FOR_BEFORE(trigger->tgtype))
			stamps++;
		else if (trigger->tgfoid == keep && plain_row && TRIGGER_FOR_AFTER(trigger->tgtype))
			keeps++;
		else if (!OidIsValid(trigger->tgfoid) || trigger->tgfoid != validity || !plain_row || !TRIGGER_FOR_BEFORE(trigger->tgtype))
			return false;
	}
	return OidIsValid(stamp) && OidIsValid(keep) ? stamps == 1 && keeps == 1 : stamps + keeps == 0;
}

/* A valid btree over exactly these columns first, which is unique at once for all rows. */
static bool
is_key_over(Relation index, const AttrNumber *columns, int ncolumns)
{
	Form_pg_index form = index->rd_index;

	if (index->rd_rel->relam != BTREE_AM_OID || !form->indisvalid || !form->indisready || !form->indimmediate ||
		form->indnkeyatts < ncolumns || !heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return false;
	for (int i = 0; i < ncolumns; i++)
		if (columns[i] == 0 || form->indkey.values[i] != columns[i])
			return false;
	return true;
}

/* Opens the indexes; false if one of them may refuse a row for another reason than the primary key. */
static bool
open_indexes(Bulk *bulk, BulkTarget *target, const AttrNumber *key, int nkey)
{
	target->info = makeNode(ResultRelInfo);
	InitResultRelInfo(target->info, target->table, 0, NULL, 0);
	ExecOpenIndices(target->info, false);
	target->nindexes = target->info->ri_NumIndices;
	target->indexes = palloc0(sizeof(BulkIndex) * Max(target->nindexes, 1));
	for (int i = 0; i < target->nindexes; i++)
	{
		BulkIndex  *entry = &target->indexes[i];

		entry->index = target->info->ri_IndexRelationDescs[i];
		entry->info = target->info->ri_IndexRelationInfo[i];
		if (entry->index->rd_index->indisprimary && entry->index->rd_index->indnkeyatts == nkey &&
			is_key_over(entry->index, key, nkey))
			target->primary = entry;
		else if (entry->index->rd_index->indisunique || entry->index->rd_index->indisexclusion)
			return false;
		if (entry->info->ii_Predicate != NIL)
			entry->predicate = ExecPrepareQual(entry->info->ii_Predicate, bulk->estate);
		fhirlake_bulk_prepare_index(entry, bulk->context);
	}
	return target->primary != NULL;
}

static bool
find_columns(Relation table, Oid keys_type, BulkColumns *columns)
{
	columns->compartment = column(table, "compartment", TEXTOID);
	columns->type = column(table, "type", TEXTOID);
	columns->id = column(table, "id", TEXTOID);
	columns->version = column(table, "version", INT8OID);
	columns->last_updated = column(table, "last_updated", TIMESTAMPTZOID);
	columns->xid = column(table, "xid", XID8OID);
	columns->occurred = column(table, "occurred", TIMESTAMPTZOID);
	columns->resource = column(table, "resource", JSONBOID);
	columns->search = column(table, "search", keys_type);
	return columns->compartment && columns->type && columns->id && columns->version && columns->last_updated &&
		columns->xid && columns->occurred && columns->resource && columns->search && columns_of(table) == 9;
}

/* History of the lake, which is only read here, by its primary key. */
static bool
open_history(Bulk *bulk, Oid schema, Oid owner)
{
	Oid			oid = get_relname_relid("history", schema);
	AttrNumber	key[2];
	Oid			primary;

	if (!OidIsValid(oid) || (bulk->history = try_relation_open(oid, AccessShareLock)) == NULL)
		return false;
	if (bulk->history->rd_rel->relkind != RELKIND_RELATION || bulk->history->rd_rel->relam != HEAP_TABLE_AM_OID ||
		bulk->history->rd_rel->relowner != owner)
		return false;
	key[0] = column(bulk->history, "type", TEXTOID);
	key[1] = column(bulk->history, "id", TEXTOID);
#if PG_VERSION_NUM >= 180000
	primary = RelationGetPrimaryKeyIndex(bulk->history, false);
#else
	primary = RelationGetPrimaryKeyIndex(bulk->history);
#endif
	if (!OidIsValid(primary))
		return false;
	bulk->history_key = index_open(primary, AccessShareLock);
	return is_key_over(bulk->history_key, key, 2);
}

static bool
open_membership(Bulk *bulk, Oid schema, Oid owner)
{
	Oid			oid = get_relname_relid("membership", schema);
	Relation	table;
	AttrNumber	key[3];

	if (!OidIsValid(oid) || (table = bulk->membership.table = try_relation_open(oid, RowExclusiveLock)) == NULL)
		return false;
	/* the keeper writes it as its owner, whom policies bind only if they are forced on them */
	if (!is_plain(table) || table->rd_rel->relowner != owner || table->rd_rel->relispartition ||
		(table->rd_rel->relrowsecurity && table->rd_rel->relforcerowsecurity) || !fires_only(table, InvalidOid, InvalidOid))
		return false;
	key[0] = column(table, "type", TEXTOID);
	key[1] = column(table, "id", TEXTOID);
	key[2] = column(table, "compartment", TEXTOID);
	return columns_of(table) == 4 && column(table, "occurred", TIMESTAMPTZOID) != 0 &&
		open_indexes(bulk, &bulk->membership, key, 3);
}

static bool
open_table(Bulk *bulk, Oid oid, Oid keys_type)
{
	const AclMode needed = ACL_SELECT | ACL_INSERT | ACL_UPDATE;
	Relation	table;
	AttrNumber	key[2];
	Oid			schema;

	if (get_rel_relkind(oid) != RELKIND_RELATION || pg_class_aclmask(oid, GetUserId(), needed, ACLMASK_ALL) != needed)
		return false;
	table = bulk->table.table = try_relation_open(oid, RowExclusiveLock);
	if (table == NULL)
		return false;
	schema = RelationGetNamespace(table);
#if PG_VERSION_NUM >= 160000
	if (object_aclcheck(NamespaceRelationId, schema, GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		return false;
#else
	if (pg_namespace_aclcheck(schema, GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		return false;
#endif
	if (!is_plain(table) || check_enable_rls(oid, InvalidOid, true) == RLS_ENABLED || !find_columns(table, keys_type, &bulk->columns) ||
		!fires_only(table, own_function("stamp"), own_function("keep")))
		return false;
	key[0] = bulk->columns.type;
	key[1] = bulk->columns.id;
	return open_indexes(bulk, &bulk->table, key, 2) && open_history(bulk, schema, table->rd_rel->relowner) &&
		open_membership(bulk, schema, table->rd_rel->relowner);
}

static void
close_target(BulkTarget *target)
{
	if (target->state)
		FreeBulkInsertState(target->state);
	for (int i = 0; i < BULK_ROWS; i++)
		if (target->slots[i])
			ExecDropSingleTupleTableSlot(target->slots[i]);
	if (target->info)
		ExecCloseIndices(target->info);
	if (target->table)
		relation_close(target->table, NoLock);
}

/* The locks stay until the transaction ends, as those of any statement do. */
static void
close_all(Bulk *bulk)
{
	if (bulk->found)
		ExecDropSingleTupleTableSlot(bulk->found);
	if (bulk->found_history)
		ExecDropSingleTupleTableSlot(bulk->found_history);
	close_target(&bulk->table);
	close_target(&bulk->membership);
	if (bulk->history_key)
		index_close(bulk->history_key, NoLock);
	if (bulk->history)
		relation_close(bulk->history, NoLock);
	FreeExecutorState(bulk->estate);
	MemoryContextDelete(bulk->context);
}

/*
 * Opens a table of a lake for a load; NULL, with nothing open, where that would pass by anything that an INSERT does. Must be
 * finished before the subtransaction ends, under the resource owner that is current now.
 */
Bulk *
fhirlake_bulk_open(Oid table, Oid keys_type)
{
	MemoryContext context;
	MemoryContext before;
	Bulk	   *bulk;
	bool		possible;

	if (RecoveryInProgress() || XactReadOnly || IsInParallelMode() || SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		return NULL;
	context = AllocSetContextCreate(CurTransactionContext, "fhirlake bulk load", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(context);
	bulk = palloc0(sizeof(Bulk));
	bulk->context = context;
	bulk->rows_context = AllocSetContextCreate(context, "fhirlake rows", ALLOCSET_DEFAULT_SIZES);
	bulk->estate = CreateExecutorState();
	possible = open_table(bulk, table, keys_type);
	if (possible)
	{
		bulk->found = table_slot_create(bulk->table.table, NULL);
		bulk->found_history = table_slot_create(bulk->history, NULL);
	}
	MemoryContextSwitchTo(before);
	if (!possible)
	{
		close_all(bulk);
		return NULL;
	}
	remember(bulk);
	return bulk;
}

/* Writes all that is still to be written to the indexes, and closes everything. */
void
fhirlake_bulk_finish(Bulk *bulk)
{
	fhirlake_bulk_write_gathered(&bulk->table);
	fhirlake_bulk_write_gathered(&bulk->membership);
	fhirlake_bulk_write_sorted(&bulk->table);
	fhirlake_bulk_write_sorted(&bulk->membership);
	fhirlake_bulk_forget(bulk);
	close_all(bulk);
}

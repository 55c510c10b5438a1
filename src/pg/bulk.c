/*
 * Rows of a load: into the heap many at a time, into the primary key at once, and into the other indexes later (bulk_index.c).
 *
 * What the triggers of a lake do is done here or was done before: the rows come stamped, they are new, so there is no history to
 * write, and the further compartments go into membership. A row whose id is there already, or was once, is refused: INSERT … ON
 * CONFLICT knows how to wait for others, to keep the old version and to count on from the last one.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "bulk.h"

/* A row that is written: its number in the caller's list. */
typedef struct Candidate
{
	const BulkRow *row;
	int			number;
	bool		refused;
	TupleTableSlot *slot;
} Candidate;

static int
by_id(const void *a, const void *b)
{
	const Candidate *left = *(Candidate *const *) a;
	const Candidate *right = *(Candidate *const *) b;
	int			order = memcmp(left->row->id.start, right->row->id.start, Min(left->row->id.length, right->row->id.length));

	if (order == 0)
		order = left->row->id.length - right->row->id.length;
	return order != 0 ? order : left->number - right->number;
}

static bool
same_id(const Candidate *a, const Candidate *b)
{
	return a->row->id.length == b->row->id.length && memcmp(a->row->id.start, b->row->id.start, a->row->id.length) == 0;
}

static Datum
varlena(BulkText text)
{
	struct varlena *copy = palloc(VARHDRSZ + text.length);

	SET_VARSIZE(copy, VARHDRSZ + text.length);
	memcpy(VARDATA(copy), text.start, text.length);
	return PointerGetDatum(copy);
}

static TupleTableSlot *
slot_for(Bulk *bulk, BulkTarget *target, int number)
{
	if (target->slots[number] == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(bulk->context);

		target->slots[number] = table_slot_create(target->table, NULL);
		MemoryContextSwitchTo(before);
	}
	ExecClearTuple(target->slots[number]);
	return target->slots[number];
}

/* A look-up by type and id in a primary key that begins with them. */
typedef struct Lookup
{
	SnapshotData dirty;
	IndexScanDesc scan;
	ScanKeyData keys[2];
	TupleTableSlot *slot;
} Lookup;

static void
begin_lookup(Lookup *lookup, Relation table, Relation index, TupleTableSlot *slot, Datum type)
{
	InitDirtySnapshot(lookup->dirty);
	lookup->slot = slot;
	for (int i = 0; i < 2; i++)
	{
		Oid			operator = get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i], index->rd_opcintype[i], BTEqualStrategyNumber);

		if (!OidIsValid(operator))
			elog(ERROR, "the primary key of table \"%s\" has no equality", RelationGetRelationName(table));
		ScanKeyEntryInitialize(&lookup->keys[i], 0, i + 1, BTEqualStrategyNumber, InvalidOid, index->rd_indcollation[i],
							   get_opcode(operator), type);
	}
#if PG_VERSION_NUM >= 180000
	lookup->scan = index_beginscan(table, index, &lookup->dirty, NULL, 2, 0);
#else
	lookup->scan = index_beginscan(table, index, &lookup->dirty, 2, 0);
#endif
}

/*
 * Whether there is a row of that id, or one that some transaction in progress has written or deleted. In doubt yes: who inserts
 * it the long way will wait and see.
 */
static bool
is_there(Lookup *lookup, Datum id)
{
	bool		found;

	lookup->keys[1].sk_argument = id;
	index_rescan(lookup->scan, lookup->keys, 2, NULL, 0);
	found = index_getnext_slot(lookup->scan, ForwardScanDirection, lookup->slot);
	ExecClearTuple(lookup->slot);
	return found;
}

static void
end_lookup(Lookup *lookup)
{
	index_endscan(lookup->scan);
}

/* Refuses candidates whose id stands in the index. */
static void
refuse_known(Relation table, Relation index, TupleTableSlot *slot, Datum type, Candidate **candidates, int n)
{
	Lookup		lookup;

	begin_lookup(&lookup, table, index, slot, type);
	for (int i = 0; i < n; i++)
		if (!candidates[i]->refused)
		{
			CHECK_FOR_INTERRUPTS();
			candidates[i]->refused = is_there(&lookup, varlena(candidates[i]->row->id));
		}
	end_lookup(&lookup);
}

static void
fill(Bulk *bulk, TupleTableSlot *slot, Datum type, const BulkRow *row, uint64 xid)
{
	const BulkColumns *at = &bulk->columns;

	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
#define SET(column, datum) \
	(slot->tts_values[at->column - 1] = (datum), slot->tts_isnull[at->column - 1] = false)
	SET(compartment, varlena(row->home));
	SET(type, type);
	SET(id, varlena(row->id));
	SET(version, Int64GetDatum(row->version));
	SET(last_updated, Int64GetDatum(row->last_updated));
	SET(xid, UInt64GetDatum(xid));
	SET(occurred, Int64GetDatum(row->occurred));
	SET(resource, varlena(row->resource));
	SET(search, varlena(row->keys));
#undef SET
	ExecStoreVirtualTuple(slot);
}

static void
write_heap(Bulk *bulk, BulkTarget *target, TupleTableSlot **slots, int n)
{
	if (target->state == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(bulk->context);

		target->state = GetBulkInsertState();
		MemoryContextSwitchTo(before);
	}
	table_multi_insert(target->table, slots, n, GetCurrentCommandId(true), 0, target->state);
	/* no page stays pinned between two calls */
	ReleaseBulkInsertStatePin(target->state);
}

/* Entries in all indexes but the primary key. */
static void
index_others(Bulk *bulk, BulkTarget *target, TupleTableSlot *slot)
{
	for (int i = 0; i < target->nindexes; i++)
		if (&target->indexes[i] != target->primary)
			fhirlake_bulk_index_row(bulk, target, &target->indexes[i], slot, UNIQUE_CHECK_NO);
	ResetPerTupleExprContext(bulk->estate);
}

static void
write_membership_rows(Bulk *bulk, TupleTableSlot **slots, int n)
{
	BulkTarget *target = &bulk->membership;

	if (n == 0)
		return;
	write_heap(bulk, target, slots, n);
	for (int i = 0; i < n; i++)
	{
		fhirlake_bulk_index_row(bulk, target, target->primary, slots[i], UNIQUE_CHECK_YES);
		index_others(bulk, target, slots[i]);
	}
}

static void
write_membership(Bulk *bulk, Datum type, Candidate *candidates, int ncandidates)
{
	Relation	table = bulk->membership.table;
	TupleTableSlot *slots[BULK_ROWS];
	int			n = 0;

	for (int i = 0; i < ncandidates; i++)
	{
		const BulkRow *row = candidates[i].row;

		for (int other = 0; !candidates[i].refused && other < row->nothers; other++)
		{
			TupleTableSlot *slot = slot_for(bulk, &bulk->membership, n);

			for (int column = 0; column < slot->tts_tupleDescriptor->natts; column++)
			{
				const char *name = NameStr(TupleDescAttr(RelationGetDescr(table), column)->attname);

				slot->tts_isnull[column] = TupleDescAttr(RelationGetDescr(table), column)->attisdropped;
				if (slot->tts_isnull[column])
					slot->tts_values[column] = (Datum) 0;
				else if (strcmp(name, "compartment") == 0)
					slot->tts_values[column] = varlena(row->others[other]);
				else if (strcmp(name, "occurred") == 0)
					slot->tts_values[column] = Int64GetDatum(row->occurred);
				else if (strcmp(name, "type") == 0)
					slot->tts_values[column] = type;
				else
					slot->tts_values[column] = varlena(row->id);
			}
			ExecStoreVirtualTuple(slot);
			slots[n++] = slot;
			if (n == BULK_ROWS)
			{
				write_membership_rows(bulk, slots, n);
				n = 0;
			}
		}
	}
	write_membership_rows(bulk, slots, n);
}

/* Takes back the rows that were refused after they had been written. */
static void
take_back(Bulk *bulk, Candidate **written, int n)
{
	bool		any = false;

	for (int i = 0; i < n; i++)
		if (written[i]->refused)
		{
			/* nobody may delete what the same command has written */
			if (!any)
				CommandCounterIncrement();
			any = true;
			simple_heap_delete(bulk->table.table, &written[i]->slot->tts_tid);
		}
}

static void
write_rows(Bulk *bulk, Datum type, Candidate *candidates, int ncandidates)
{
	BulkTarget *target = &bulk->table;
	Candidate  *sorted[BULK_ROWS];
	Candidate  *written[BULK_ROWS];
	TupleTableSlot *slots[BULK_ROWS];
	uint64		xid = U64FromFullTransactionId(GetTopFullTransactionId());
	bool		has_history = RelationGetNumberOfBlocks(bulk->history) > 0;
	int			n = 0;

	for (int i = 0; i < ncandidates; i++)
		sorted[i] = &candidates[i];
	qsort(sorted, ncandidates, sizeof(Candidate *), by_id);
	for (int i = 1; i < ncandidates; i++)
		sorted[i]->refused = same_id(sorted[i - 1], sorted[i]);
	refuse_known(target->table, target->primary->index, bulk->found, type, sorted, ncandidates);
	if (has_history)
		refuse_known(bulk->history, bulk->history_key, bulk->found_history, type, sorted, ncandidates);

	/* the heap in the order given */
	for (int i = 0; i < ncandidates; i++)
		if (!candidates[i].refused)
		{
			TupleTableSlot *slot = slot_for(bulk, target, n);

			fill(bulk, slot, type, candidates[i].row, xid);
			if (target->table->rd_rel->relispartition)
				ExecPartitionCheck(target->info, slot, bulk->estate, true);
			candidates[i].slot = slots[n++] = slot;
		}
	if (n == 0)
		return;
	write_heap(bulk, target, slots, n);

	/* the primary key in its own; somebody else may have been faster since we looked */
	n = 0;
	for (int i = 0; i < ncandidates; i++)
		if (!sorted[i]->refused)
		{
			CHECK_FOR_INTERRUPTS();
			written[n++] = sorted[i];
			sorted[i]->refused = !fhirlake_bulk_index_row(bulk, target, target->primary, sorted[i]->slot, UNIQUE_CHECK_PARTIAL);
		}
	/* or have written and deleted it; from now on nobody can without waiting for us */
	if (RelationGetNumberOfBlocks(bulk->history) > 0)
		refuse_known(bulk->history, bulk->history_key, bulk->found_history, type, written, n);
	take_back(bulk, written, n);

	for (int i = 0; i < ncandidates; i++)
		if (!candidates[i].refused)
			index_others(bulk, target, candidates[i].slot);
	write_membership(bulk, type, candidates, ncandidates);
}

/* How many of the rows, but at least one, make the next batch. */
static int
batch_of(const BulkRow *rows, int nrows)
{
	int64		bytes = 0;
	int			n = 0;

	while (n < nrows && n < BULK_ROWS && (n == 0 || bytes < BULK_BYTES))
	{
		bytes += rows[n].resource.length + rows[n].keys.length;
		n++;
	}
	return n;
}

/*
 * Writes rows of one type. Those whose id is there already, or in history, are left out: their numbers go into `refused`, which
 * has room for all, in their order; returns how many they are. Until fhirlake_bulk_finish only the primary key finds the others.
 */
int
fhirlake_bulk_insert(Bulk *bulk, BulkText type, const BulkRow *rows, int nrows, int *refused)
{
	MemoryContext before = MemoryContextSwitchTo(bulk->rows_context);
	int			nrefused = 0;

	if (bulk->subtransaction != GetCurrentSubTransactionId())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a load into table \"%s\" goes on in another subtransaction", RelationGetRelationName(bulk->table.table))));
	for (int done = 0; done < nrows;)
	{
		Candidate	candidates[BULK_ROWS];
		int			n = batch_of(rows + done, nrows - done);

		for (int i = 0; i < n; i++)
			candidates[i] = (Candidate) {&rows[done + i], done + i, false, NULL};
		write_rows(bulk, varlena(type), candidates, n);
		for (int i = 0; i < n; i++)
			if (candidates[i].refused)
				refused[nrefused++] = candidates[i].number;
		for (int i = 0; i < BULK_ROWS && bulk->table.slots[i]; i++)
			ExecClearTuple(bulk->table.slots[i]);
		for (int i = 0; i < BULK_ROWS && bulk->membership.slots[i]; i++)
			ExecClearTuple(bulk->membership.slots[i]);
		MemoryContextReset(bulk->rows_context);
		done += n;
	}
	/* what follows in this transaction sees the rows */
	CommandCounterIncrement();
	MemoryContextSwitchTo(before);
	return nrefused;
}

/* Bytes that wait for fhirlake_bulk_flush. */
int64
fhirlake_bulk_memory(Bulk *bulk)
{
	return fhirlake_bulk_gathered(&bulk->table) + fhirlake_bulk_gathered(&bulk->membership);
}

void
fhirlake_bulk_flush(Bulk *bulk)
{
	fhirlake_bulk_write_gathered(&bulk->table);
	fhirlake_bulk_write_gathered(&bulk->membership);
}

/*
 * Index entries of a bulk load.
 *
 * An entry of a btree or GIN index may come later than its row, for nobody else sees the row before the transaction commits.
 * So they are gathered: those of a btree sorted, so that each goes next to the one before; those of GIN by their key, so that
 * a key that many rows have is looked up and written once for all of them, as GIN itself does with its pending list. They go
 * into the index as any others do, logged and beside readers and writers: no lock on the table or the index is needed, and an
 * abort leaves nothing to clean up but what VACUUM always does.
 *
 * What must not happen is that a row dies, and VACUUM gives its place to another, before its entries are written. Only an abort
 * could do that, and the gathered entries go with the same subtransaction (see bulk_open.c).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/itup.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/predicate.h"
#include "utils/memutils.h"

#include "bulk.h"

/* Keys written between two looks at the memory that GIN leaves behind. */
#define KEYS_PER_RESET 1000

/* Forgets what is gathered. The accumulator is in the memory of what it holds, whoever calls. */
static void
begin_gathering(BulkIndex *entry)
{
	MemoryContext before;

	MemoryContextReset(entry->gathered_context);
	before = MemoryContextSwitchTo(entry->gathered_context);
	entry->gathered.ginstate = &entry->gin;
	ginInitBA(&entry->gathered);
	MemoryContextSwitchTo(before);
}

void
fhirlake_bulk_prepare_index(BulkIndex *entry, MemoryContext parent)
{
	Oid			method = entry->index->rd_rel->relam;

	if (entry->index->rd_index->indisunique)
		entry->when = BULK_AT_ONCE;
	else if (method == BTREE_AM_OID)
		entry->when = BULK_SORTED;
	else if (method == GIN_AM_OID)
	{
		entry->when = BULK_GATHERED;
		initGinState(&entry->gin, entry->index);
		entry->gathered_context = AllocSetContextCreate(parent, "fhirlake gathered keys", ALLOCSET_DEFAULT_SIZES);
		entry->extracted_context = AllocSetContextCreate(parent, "fhirlake extracted keys", ALLOCSET_DEFAULT_SIZES);
		begin_gathering(entry);
		if (fhirlake_bulk_has_byte_keys(&entry->gin))
			entry->keys = fhirlake_bulk_new_keys();
	}
	else
		entry->when = BULK_AT_ONCE;
}

static void
gather(BulkIndex *entry, Datum *values, bool *isnull, ItemPointer tid)
{
	MemoryContext before = MemoryContextSwitchTo(entry->extracted_context);

	if (entry->keys && !isnull[0] && fhirlake_bulk_take_keys(entry->keys, &entry->gin, entry->gathered_context, values[0], tid))
	{
		MemoryContextSwitchTo(before);
		MemoryContextReset(entry->extracted_context);
		return;
	}
	for (int i = 0; i < entry->gin.origTupdesc->natts; i++)
	{
		GinNullCategory *categories;
		int32		nkeys;
		Datum	   *keys = ginExtractEntries(&entry->gin, (OffsetNumber) (i + 1), values[i], isnull[i], &nkeys, &categories);

		MemoryContextSwitchTo(entry->gathered_context);
		ginInsertBAEntries(&entry->gathered, tid, (OffsetNumber) (i + 1), keys, categories, nkeys);
		MemoryContextSwitchTo(entry->extracted_context);
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(entry->extracted_context);
}

static void
put_aside(BulkTarget *target, BulkIndex *entry, Datum *values, bool *isnull, ItemPointer tid, MemoryContext context)
{
	if (entry->sort == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(context);

#if PG_VERSION_NUM >= 150000
		entry->sort = tuplesort_begin_index_btree(target->table, entry->index, false, false, work_mem, NULL, TUPLESORT_NONE);
#else
		entry->sort = tuplesort_begin_index_btree(target->table, entry->index, false, work_mem, NULL, false);
#endif
		MemoryContextSwitchTo(before);
	}
	tuplesort_putindextuplevalues(entry->sort, entry->index, tid, values, isnull);
}

/*
 * The entry of a row in an index, now or put aside. False only for UNIQUE_CHECK_PARTIAL, if there is another row, or may be,
 * that has the same key; the entry is made all the same.
 */
bool
fhirlake_bulk_index_row(Bulk *bulk, BulkTarget *target, BulkIndex *entry, TupleTableSlot *slot, IndexUniqueCheck check)
{
	ExprContext *context = GetPerTupleExprContext(bulk->estate);
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];

	if (!entry->info->ii_ReadyForInserts)
		return true;
	context->ecxt_scantuple = slot;
	if (entry->predicate && !ExecQual(entry->predicate, context))
		return true;
	FormIndexDatum(entry->info, slot, bulk->estate, values, isnull);
	switch (entry->when)
	{
		case BULK_AT_ONCE:
			return index_insert(entry->index, values, isnull, &slot->tts_tid, target->table, check, false, entry->info);
		case BULK_SORTED:
			put_aside(target, entry, values, isnull, &slot->tts_tid, bulk->context);
			break;
		case BULK_GATHERED:
			gather(entry, values, isnull, &slot->tts_tid);
			break;
	}
	return true;
}

static bool
has_gathered(BulkIndex *entry)
{
	return entry->when == BULK_GATHERED &&
		(entry->gathered.allocatedMemory > 0 || (entry->keys && fhirlake_bulk_has_keys(entry->keys)));
}

/* Bytes that the gathered keys take; 0 if there are none. */
int64
fhirlake_bulk_gathered(BulkTarget *target)
{
	int64		bytes = 0;

	for (int i = 0; i < target->nindexes; i++)
		if (has_gathered(&target->indexes[i]))
			bytes += MemoryContextMemAllocated(target->indexes[i].gathered_context, true);
	return bytes;
}

void
fhirlake_bulk_write_gathered(BulkTarget *target)
{
	for (int i = 0; i < target->nindexes; i++)
	{
		BulkIndex  *entry = &target->indexes[i];
		MemoryContext before;
		ItemPointerData *items;
		Datum		key;
		GinNullCategory category;
		OffsetNumber column;
		uint32		nitems;
		int			written = 0;

		if (!has_gathered(entry))
			continue;
		/* what readers in SERIALIZABLE have locked where there is a pending list */
		CheckForSerializableConflictIn(entry->index, NULL, GIN_METAPAGE_BLKNO);
		if (entry->keys)
			fhirlake_bulk_write_keys(entry->keys, &entry->gin, entry->gathered_context, entry->extracted_context);
		before = MemoryContextSwitchTo(entry->extracted_context);
		ginBeginBAScan(&entry->gathered);
		while ((items = ginGetBAEntry(&entry->gathered, &column, &key, &category, &nitems)) != NULL)
		{
			CHECK_FOR_INTERRUPTS();
			ginEntryInsert(&entry->gin, column, key, category, items, nitems, NULL);
			if (++written % KEYS_PER_RESET == 0)
				MemoryContextReset(entry->extracted_context);
		}
		MemoryContextSwitchTo(before);
		MemoryContextReset(entry->extracted_context);
		begin_gathering(entry);
	}
}

void
fhirlake_bulk_write_sorted(BulkTarget *target)
{
	for (int i = 0; i < target->nindexes; i++)
	{
		BulkIndex  *entry = &target->indexes[i];
		Datum		values[INDEX_MAX_KEYS];
		bool		isnull[INDEX_MAX_KEYS];
		IndexTuple	tuple;

		if (entry->sort == NULL)
			continue;
		tuplesort_performsort(entry->sort);
		while ((tuple = tuplesort_getindextuple(entry->sort, true)) != NULL)
		{
			CHECK_FOR_INTERRUPTS();
			index_deform_tuple(tuple, RelationGetDescr(entry->index), values, isnull);
			index_insert(entry->index, values, isnull, &tuple->t_tid, target->table, UNIQUE_CHECK_NO, false, entry->info);
		}
		tuplesort_end(entry->sort);
		entry->sort = NULL;
	}
}

/*
 * Counting the rows of a search from its GIN index, without the heap pages that the visibility map vouches for.
 *
 * In C for the same reason as probe.c: scans, bitmaps and visibility differ between majors.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/gin_private.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/visibilitymapdefs.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/tidbitmap.h"
#include "optimizer/plancat.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/smgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

extern bool fhirlake_open_searched(Oid table, Oid query_type, Relation *opened, Relation *index, double *rows);
extern void fhirlake_close_searched(Relation table, Relation index);
extern int64 fhirlake_count(Oid table, Oid query_type, Datum query, int nclauses, Datum *clauses, int nkeys, Datum *keys, bool *exact);

#include "gin_versions.h"

/* How visibilitymap.c lays out a page of the map. */
#define MAP_BYTES (BLCKSZ - MAXALIGN(SizeOfPageHeaderData))
#define BLOCKS_PER_BYTE (BITS_PER_BYTE / BITS_PER_HEAPBLOCK)
#define BLOCKS_PER_MAP_PAGE (MAP_BYTES * BLOCKS_PER_BYTE)

/*
 * The one valid index of the table with our operator class, on a plain column. InvalidOid if there is none, or if there
 * are several columns that the search could mean.
 */
static Oid
searchable_index(Relation table, Oid family)
{
	Oid			found = InvalidOid;
	AttrNumber	column = InvalidAttrNumber;
	List	   *indexes = RelationGetIndexList(table);
	ListCell   *cell;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		Form_pg_index form = index->rd_index;
		bool		ours = index->rd_rel->relam == GIN_AM_OID && index->rd_opfamily[0] == family;

		if (ours)
		{
			/* as the planner: an index made beside broken HOT chains is not for snapshots older than it */
			bool		usable = form->indisvalid && form->indisready && form->indislive && form->indnatts == 1 &&
				heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL) &&
				(!form->indcheckxmin ||
				 TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin));
			AttrNumber	key = form->indkey.values[0];

			if (key == InvalidAttrNumber || (column != InvalidAttrNumber && key != column))
			{
				index_close(index, AccessShareLock);
				found = InvalidOid;
				break;
			}
			column = key;
			if (usable && !OidIsValid(found))
				found = RelationGetRelid(index);
		}
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	return found;
}

/*
 * Opens the table and its index, and says how many rows the planner takes the table to have; false, with nothing open, unless
 * this user may know all about the rows of this one table, and it can be searched. fhirlake_close_searched closes both.
 */
bool
fhirlake_open_searched(Oid table, Oid query_type, Relation *opened, Relation *index, double *rows)
{
	Relation	relation;
	Oid			family;
	Oid			found = InvalidOid;
	BlockNumber pages;
	double		all_visible;

	if (get_rel_relkind(table) != RELKIND_RELATION ||
		pg_class_aclcheck(table, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return false;
	relation = try_relation_open(table, AccessShareLock);
	if (relation == NULL)
		return false;
	family = get_opfamily_oid(GIN_AM_OID, list_make2(makeString("fhir"), makeString("keys_ops")), true);
	if (relation->rd_rel->relkind == RELKIND_RELATION &&
		relation->rd_rel->relam == HEAP_TABLE_AM_OID &&
		!relation->rd_rel->relhassubclass &&	/* the name of a parent means its children too */
		!RELATION_IS_OTHER_TEMP(relation) &&
		check_enable_rls(table, InvalidOid, true) != RLS_ENABLED &&
		OidIsValid(family))
		found = searchable_index(relation, family);
	if (!OidIsValid(found))
	{
		relation_close(relation, AccessShareLock);
		return false;
	}
	*opened = relation;
	*index = index_open(found, AccessShareLock);
	estimate_rel_size(relation, NULL, &pages, rows, &all_visible);
	return true;
}

/* The locks stay until the transaction ends, as those of any query do. */
void
fhirlake_close_searched(Relation table, Relation index)
{
	index_close(index, NoLock);
	relation_close(table, NoLock);
}

/*
 * The visibility map may speak for a page that it calls all-visible only if nothing came and went while the index was read.
 *
 * Reading the map after the index is not enough: a row could be inserted and enter our bitmap, its transaction abort, and VACUUM
 * remove row and index entry and set the bit again; we would count a row that never was. (For this, PostgreSQL 18 gave up the
 * like in its bitmap heap scan.) So the bit must have been set all the time from before the index was read until after. Bits are
 * set by VACUUM, which logs it and leaves the place in the log on the map's page; clearing leaves no such trace. Hence, if the
 * page of the map bears the same LSN before and after, bits only went from set to clear, and one that is set after was set
 * throughout. While it is set nothing is inserted, updated or deleted on the heap page, for each of these clears it first, before
 * any index entry is made; there are no dead line pointers, so that every index entry to it leads to exactly one live row; and
 * that row is visible to every snapshot held, ours too, because VACUUM sets the bit only when all rows on the page are older than
 * the xmin of each (under REPEATABLE READ also; on a standby, replaying the bit first cancels queries with older snapshots).
 * What our own transaction or a prepared one wrote has cleared the bit. A relation without WAL has no such LSN: its pages are
 * all visited, as are those whose page of the map was changed.
 */
typedef struct VisibilityMap
{
	Relation	table;
	BlockNumber npages;			/* pages of the map before the index was read */
	XLogRecPtr *before;			/* and their LSNs then */
	BlockNumber current;		/* the page that `bits` holds */
	bool		unchanged;		/* no bit was set there since */
	uint8		bits[MAP_BYTES];
} VisibilityMap;

/* The bits and the LSN at one moment. */
static XLogRecPtr
read_map(Relation table, BlockNumber number, uint8 *bits)
{
	Buffer		buffer = ReadBufferExtended(table, VISIBILITYMAP_FORKNUM, number, RBM_ZERO_ON_ERROR, NULL);
	Page		page;
	XLogRecPtr	lsn;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	lsn = PageGetLSN(page);
	if (bits)
		memcpy(bits, (char *) page + MAXALIGN(SizeOfPageHeaderData), MAP_BYTES);
	UnlockReleaseBuffer(buffer);
	return lsn;
}

static void
watch_map(VisibilityMap *map, Relation table)
{
	map->table = table;
	map->npages = 0;
	map->before = NULL;
	map->current = InvalidBlockNumber;
	if (!RelationNeedsWAL(table) || !smgrexists(RelationGetSmgr(table), VISIBILITYMAP_FORKNUM))
		return;
	map->npages = smgrnblocks(RelationGetSmgr(table), VISIBILITYMAP_FORKNUM);
	map->before = palloc_extended(Max(map->npages, 1) * sizeof(XLogRecPtr), MCXT_ALLOC_HUGE);
	for (BlockNumber number = 0; number < map->npages; number++)
		map->before[number] = read_map(table, number, NULL);
}

static bool
is_all_visible(VisibilityMap *map, BlockNumber block)
{
	BlockNumber number = block / BLOCKS_PER_MAP_PAGE;
	uint32		at = block % BLOCKS_PER_MAP_PAGE;

	if (number >= map->npages)
		return false;
	if (number != map->current)
	{
		CHECK_FOR_INTERRUPTS();
		map->unchanged = read_map(map->table, number, map->bits) == map->before[number];
		map->current = number;
	}
	return map->unchanged &&
		((map->bits[at / BLOCKS_PER_BYTE] >> (at % BLOCKS_PER_BYTE * BITS_PER_HEAPBLOCK)) & VISIBILITYMAP_ALL_VISIBLE) != 0;
}

typedef struct Search
{
	Relation	table;
	AttrNumber	column;
	Snapshot	snapshot;
	Datum		query;
	FmgrInfo	matches;
	MemoryContext scratch;
} Search;

/* Those of the tuples that the snapshot sees and, if they are to be tested, that match. */
static int64
rows_in_heap(Search *search, BlockNumber block, int ntuples, OffsetNumber *offsets, bool recheck)
{
	HeapTupleData visible[MaxHeapTuplesPerPage];
	int			nvisible = 0;
	int64		rows;
	Buffer		buffer;

	CHECK_FOR_INTERRUPTS();
	buffer = ReadBuffer(search->table, block);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	for (int i = 0; i < ntuples; i++)
	{
		ItemPointerData tid;

		ItemPointerSet(&tid, block, offsets[i]);
		if (heap_hot_search_buffer(&tid, search->table, buffer, search->snapshot, &visible[nvisible], NULL, true))
			nvisible++;
	}
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	rows = nvisible;
	if (recheck)
	{
		MemoryContext before = MemoryContextSwitchTo(search->scratch);

		/* the pin keeps the tuples where they are; a lock is not held while TOAST may be read */
		for (int i = 0; i < nvisible; i++)
		{
			bool		isnull;
			Datum		keys = heap_getattr(&visible[i], search->column, RelationGetDescr(search->table), &isnull);

			if (isnull || !DatumGetBool(FunctionCall2Coll(&search->matches, InvalidOid, keys, search->query)))
				rows--;
		}
		MemoryContextSwitchTo(before);
		MemoryContextReset(search->scratch);
	}
	ReleaseBuffer(buffer);
	return rows;
}

/* The rows of a bitmap; -1 if it has forgotten which they were. */
static int64
rows_of_bitmap(TIDBitmap *bitmap, Search *search, VisibilityMap *map)
{
	int64		rows = 0;
#if PG_VERSION_NUM >= 180000
	TBMPrivateIterator *iterator = tbm_begin_private_iterate(bitmap);
	TBMIterateResult page;
	OffsetNumber offsets[TBM_MAX_TUPLES_PER_PAGE];

	while (tbm_private_iterate(iterator, &page))
	{
		BlockNumber block = page.blockno;
		bool		recheck = page.recheck;
		int			ntuples = page.lossy ? -1 : tbm_extract_page_tuple(&page, offsets, TBM_MAX_TUPLES_PER_PAGE);
#else
	TBMIterator *iterator = tbm_begin_iterate(bitmap);
	TBMIterateResult *page;

	while ((page = tbm_iterate(iterator)) != NULL)
	{
		BlockNumber block = page->blockno;
		bool		recheck = page->recheck;
		int			ntuples = page->ntuples;
		OffsetNumber *offsets = page->offsets;
#endif
		if (ntuples < 0)
		{
			rows = -1;
			break;
		}
		if (!recheck && is_all_visible(map, block))
			rows += ntuples;
		else
			rows += rows_in_heap(search, block, ntuples, offsets, recheck);
	}
#if PG_VERSION_NUM >= 180000
	tbm_end_private_iterate(iterator);
#else
	tbm_end_iterate(iterator);
#endif
	return rows;
}

/* What stands in front of the triconsistent function of one scan. */
typedef struct Decision
{
	GinScanOpaque scan;
	FmgrInfo	decide;
} Decision;

/*
 * GIN sets the flag "recheck" of a scan key when triconsistent is not sure of a row, and never clears it: every row behind would
 * be rechecked. That costs little where the heap is read anyway, but here it decides whether it is.
 */
static Datum
decide_afresh(PG_FUNCTION_ARGS)
{
	Decision   *decision = (Decision *) fcinfo->flinfo->fn_extra;
	FmgrInfo   *ours = fcinfo->flinfo;
	Datum		result;

	for (uint32 i = 0; i < decision->scan->nkeys; i++)
		decision->scan->keys[i].recheckCurItem &= (void *) decision->scan->keys[i].entryRes != PG_GETARG_POINTER(0);
	fcinfo->flinfo = &decision->decide;
	result = FunctionCallInvoke(fcinfo);
	fcinfo->flinfo = ours;
	return result;
}

/* Takes rows that the index has for a key, in their order. */
typedef void (*TakeItems) (void *to, ItemPointer items, int nitems, bool exact);

/*
 * Hands over the rows that the index has for a key, as GIN's own scan reads them (ginget.c), but many at a time. No page is locked
 * while they are taken, only pinned; so a page may be split or deleted before the next is read, and what was taken is left out.
 */
static void
read_key(Relation index, GinState *state, Datum key, bool exact, TakeItems take, void *to)
{
	GinBtreeData btree;
	GinBtreeStack *stack;
	ItemPointer items = NULL;
	ItemPointerData taken;
	int			nitems = 0;
	BlockNumber root = InvalidBlockNumber;
	Buffer		buffer;
	bool		is_last;

	ginPrepareEntryScan(&btree, 1, key, GIN_CAT_NORM_KEY, state);
	stack = FIND_LEAF(&btree);
	if (btree.findItem(&btree, stack))
	{
		Page		page = BufferGetPage(stack->buffer);
		IndexTuple	tuple = (IndexTuple) PageGetItem(page, PageGetItemId(page, stack->off));

		if (GinIsPostingTree(tuple))
			root = GinGetPostingTree(tuple);
		else
			items = ginReadTuple(state, 1, tuple, &nitems);
	}
	/* an entry is never deleted; VACUUM wants its lock to be gone before that on its tree */
	LockBuffer(stack->buffer, GIN_UNLOCK);
	freeGinBtreeStack(stack);
	if (nitems > 0)
		take(to, items, nitems, exact);
	if (!BlockNumberIsValid(root))
		return;

	ItemPointerSetMin(&taken);
	stack = BEGIN_POSTING(&btree, index, root);
	buffer = stack->buffer;
	IncrBufferRefCount(buffer);
	freeGinBtreeStack(stack);
	for (;;)
	{
		Page		page = BufferGetPage(buffer);
		int			first = 0;

		nitems = 0;
		is_last = GinPageRightMost(page);
		if (!GinPageIsDeleted(page))
			items = GinDataLeafPageGetItems(page, &nitems, taken);
		LockBuffer(buffer, GIN_UNLOCK);
		while (first < nitems && ginCompareItemPointers(&items[first], &taken) <= 0)
			first++;
		if (first < nitems)
		{
			take(to, items + first, nitems - first, exact);
			taken = items[nitems - 1];
		}
		if (nitems > 0)
			pfree(items);
		CHECK_FOR_INTERRUPTS();
		if (is_last)
			break;
		LockBuffer(buffer, GIN_SHARE);
		if (GinPageRightMost(BufferGetPage(buffer)))
		{
			LockBuffer(buffer, GIN_UNLOCK);
			break;
		}
		buffer = ginStepRight(buffer, index, GIN_SHARE);
	}
	ReleaseBuffer(buffer);
}

static void
add_to_bitmap(void *to, ItemPointer items, int nitems, bool exact)
{
	tbm_add_tuples((TIDBitmap *) to, items, nitems, !exact);
}

/* Rows counted as they are read. */
typedef struct Counter
{
	Search	   *search;
	VisibilityMap *map;
	int64		rows;
} Counter;

static void
count_items(void *to, ItemPointer items, int nitems, bool exact)
{
	Counter    *counter = (Counter *) to;

	counter->map->current = InvalidBlockNumber; /* to be read after the index */
	for (int i = 0; i < nitems;)
	{
		BlockNumber block = GinItemPointerGetBlockNumber(&items[i]);
		OffsetNumber offsets[MaxHeapTuplesPerPage];
		int			n = 0;

		for (; i < nitems && n < MaxHeapTuplesPerPage && GinItemPointerGetBlockNumber(&items[i]) == block; i++)
			offsets[n++] = GinItemPointerGetOffsetNumber(&items[i]);
		if (is_all_visible(counter->map, block))
			counter->rows += n;
		else
			counter->rows += rows_in_heap(counter->search, block, n, offsets, false);
	}
}

/* Rows that wait in the pending list are found by a scan only. */
static bool
has_pending(Relation index)
{
	Buffer		buffer = ReadBuffer(index, GIN_METAPAGE_BLKNO);
	bool		pending;

	LockBuffer(buffer, GIN_SHARE);
	pending = GinPageGetMeta(BufferGetPage(buffer))->head != InvalidBlockNumber;
	UnlockReleaseBuffer(buffer);
	return pending;
}

/* The bitmap of a scan by the server. */
static TIDBitmap *
scanned(Relation index, Snapshot snapshot, Oid query_type, Oid operator, int nclauses, Datum *clauses)
{
	ScanKey		keys = palloc(sizeof(ScanKeyData) * nclauses);
	IndexScanDesc scan;
	Decision   *decision = palloc(sizeof(Decision));
	TIDBitmap  *bitmap = tbm_create(get_hash_memory_limit(), NULL);

	for (int i = 0; i < nclauses; i++)
		ScanKeyEntryInitialize(&keys[i], 0, 1, 1, query_type, InvalidOid, get_opcode(operator), clauses[i]);
#if PG_VERSION_NUM >= 180000
	scan = index_beginscan_bitmap(index, snapshot, NULL, nclauses);
#else
	scan = index_beginscan_bitmap(index, snapshot, nclauses);
#endif
	decision->scan = (GinScanOpaque) scan->opaque;
	decision->decide = decision->scan->ginstate.triConsistentFn[0];
	decision->scan->ginstate.triConsistentFn[0].fn_addr = decide_afresh;
	decision->scan->ginstate.triConsistentFn[0].fn_extra = decision;
	index_rescan(scan, keys, nclauses, NULL, 0);
	index_getbitmap(scan, bitmap);
	index_endscan(scan);
	return bitmap;
}

/* The bitmap of the rows that have one of the keys. */
static TIDBitmap *
united(Relation index, int nkeys, Datum *keys, bool *exact)
{
	GinState	state;
	TIDBitmap  *bitmap = tbm_create(get_hash_memory_limit(), NULL);

	initGinState(&state, index);
	for (int i = 0; i < nkeys; i++)
		read_key(index, &state, keys[i], exact[i], add_to_bitmap, bitmap);
	return bitmap;
}

/* Whether the active snapshot is one that the reasoning above holds for. */
static bool
can_count(void)
{
	/* the scan takes predicate locks on index pages only; the executor knows what else is to be locked */
	if (IsolationIsSerializable() || IsParallelWorker() || GinFuzzySearchLimit > 0)
		return false;
#if PG_VERSION_NUM < 170000
	/* then rows may vanish from under a snapshot */
	if (OldSnapshotThresholdActive())
		return false;
#endif
	return ActiveSnapshotSet() && GetActiveSnapshot()->snapshot_type == SNAPSHOT_MVCC;
}

/*
 * The number of rows of the table that match and that the active snapshot sees; -1 where the executor must count. The clauses
 * are the query in parts. The caller has
 * made sure that the query has keys to scan for. If one condition is all, `keys` are those of which a row must have one, whole;
 * they are looked up directly, which is many times faster than a scan that decides on each row. Else there are none.
 */
int64
fhirlake_count(Oid table, Oid query_type, Datum query, int nclauses, Datum *clauses, int nkeys, Datum *keys, bool *exact)
{
	Relation	relation;
	Relation	index;
	double		tuples;
	Oid			operator;
	int64		rows;
	MemoryContext context;
	MemoryContext before;
	Search		search;
	VisibilityMap *map;

	if (!can_count() || !fhirlake_open_searched(table, query_type, &relation, &index, &tuples))
		return -1;
	operator = get_opfamily_member(index->rd_opfamily[0], index->rd_opcintype[0], query_type, 1);
	if (!OidIsValid(operator))
	{
		fhirlake_close_searched(relation, index);
		return -1;
	}
	context = AllocSetContextCreate(CurrentMemoryContext, "fhirlake count", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(context);
	search.table = relation;
	search.column = index->rd_index->indkey.values[0];
	search.snapshot = GetActiveSnapshot();
	search.query = query;
	fmgr_info(get_opcode(operator), &search.matches);
	search.scratch = AllocSetContextCreate(context, "fhirlake count of a page", ALLOCSET_DEFAULT_SIZES);

	map = palloc(sizeof(VisibilityMap));
	watch_map(map, relation);
	if (nkeys > 0 && has_pending(index))
		nkeys = 0;
	if (nkeys > 0)
		pgstat_count_index_scan(index);
	if (nkeys == 1 && exact[0])
	{
		GinState	state;
		Counter		counter = {&search, map, 0};

		initGinState(&state, index);
		read_key(index, &state, keys[0], true, count_items, &counter);
		rows = counter.rows;
	}
	else if (nkeys > 0)
		rows = rows_of_bitmap(united(index, nkeys, keys, exact), &search, map);
	else
		rows = rows_of_bitmap(scanned(index, search.snapshot, query_type, operator, nclauses, clauses), &search, map);

	/* the bitmap goes with its context */
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	fhirlake_close_searched(relation, index);
	return rows;
}

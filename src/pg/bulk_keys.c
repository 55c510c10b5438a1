/*
 * Keys of a GIN index on one column of byte strings, as those of fhir.keys are, with the rows that have them.
 *
 * GIN's own accumulator (ginbulk.c) is a tree, and sorts the keys of each row before: some twenty comparisons for every key of every row.
 * Most rows share most of their keys, so here a key is found by its hash, and only different keys are sorted, once, when they are
 * written.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "storage/itemptr.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

#include "bulk.h"

/* Bytes of keys that are allocated at a time. */
#define ARENA (64 * 1024)
#define KEYS_PER_RESET 1000

typedef struct Bytes
{
	const char *start;			/* behind the header of a bytea */
	uint32		length;
} Bytes;

typedef struct Key
{
	Bytes		bytes;
	ItemPointerData only;		/* while there is one */
	ItemPointerData *items;		/* from the second on, all of them */
	uint32		nitems;
	uint32		room;
	uint32		hash;
	bool		unordered;
	char		status;
} Key;

#define SH_PREFIX keys
#define SH_ELEMENT_TYPE Key
#define SH_KEY_TYPE Bytes
#define SH_KEY bytes
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) (key).start, (int) (key).length)
#define SH_EQUAL(table, a, b) ((a).length == (b).length && memcmp((a).start, (b).start, (a).length) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(table, element) ((element)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct BulkKeys
{
	keys_hash  *table;			/* NULL while there are none */
	char	   *arena;
	Size		left;
};

/* Whether this is an index that can be served so. */
bool
fhirlake_bulk_has_byte_keys(GinState *gin)
{
	return gin->origTupdesc->natts == 1 && gin->compareFn[0].fn_oid == F_BYTEACMP &&
		TupleDescAttr(gin->origTupdesc, 0)->atttypid == BYTEAOID;
}

BulkKeys *
fhirlake_bulk_new_keys(void)
{
	return palloc0(sizeof(BulkKeys));
}

/* A bytea that stays in the arena; where its bytes begin. */
static const char *
kept(BulkKeys *keys, MemoryContext context, Bytes bytes)
{
	Size		size = INTALIGN(VARHDRSZ + bytes.length);
	char	   *place;

	if (size > ARENA / 8)
		place = MemoryContextAlloc(context, size);
	else
	{
		if (size > keys->left)
		{
			keys->arena = MemoryContextAlloc(context, ARENA);
			keys->left = ARENA;
		}
		place = keys->arena;
		keys->arena += size;
		keys->left -= size;
	}
	SET_VARSIZE(place, VARHDRSZ + bytes.length);
	memcpy(VARDATA(place), bytes.start, bytes.length);
	return VARDATA(place);
}

static void
add(BulkKeys *keys, MemoryContext context, Bytes bytes, ItemPointer tid)
{
	bool		found;
	Key		   *key = keys_insert(keys->table, bytes, &found);
	ItemPointer last;
	int32		order;

	if (!found)
	{
		key->bytes.start = kept(keys, context, bytes);
		key->only = *tid;
		key->items = NULL;
		key->nitems = 1;
		key->room = 1;
		key->unordered = false;
		return;
	}
	last = key->items ? &key->items[key->nitems - 1] : &key->only;
	order = ItemPointerCompare(last, tid);
	if (order == 0)
		return;					/* twice in one row */
	if (order > 0)
		key->unordered = true;
	if (key->nitems == key->room)
	{
		key->room = key->room == 1 ? 4 : key->room * 2;
		if (key->items)
			key->items = repalloc_huge(key->items, key->room * sizeof(ItemPointerData));
		else
		{
			key->items = MemoryContextAlloc(context, key->room * sizeof(ItemPointerData));
			key->items[0] = key->only;
		}
	}
	key->items[key->nitems++] = *tid;
}

/*
 * Takes the keys of a row. False, and nothing is taken, where the row has none or a null among them: GIN has entries of its own for these.
 * What the extraction leaves behind is in the current memory context.
 */
bool
fhirlake_bulk_take_keys(BulkKeys *keys, GinState *gin, MemoryContext context, Datum value, ItemPointer tid)
{
	int32		n = 0;
	bool	   *nulls = NULL;
	Datum	   *found = (Datum *) DatumGetPointer(FunctionCall3Coll(&gin->extractValueFn[0], gin->supportCollation[0], value,
																   PointerGetDatum(&n), PointerGetDatum(&nulls)));

	if (found == NULL || n <= 0 || nulls != NULL)
		return false;
	if (keys->table == NULL)
		keys->table = keys_create(context, 1024, NULL);
	for (int i = 0; i < n; i++)
	{
		struct varlena *bytes = PG_DETOAST_DATUM_PACKED(found[i]);

		add(keys, context, (Bytes) {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)}, tid);
	}
	return true;
}

bool
fhirlake_bulk_has_keys(BulkKeys *keys)
{
	return keys->table != NULL;
}

/* A key in the order of byteacmp; its first bytes as a number decide most comparisons. */
typedef struct Sorted
{
	uint64		first;
	Key		   *key;
} Sorted;

static uint64
first_bytes(Bytes bytes)
{
	uint64		first = 0;

	memcpy(&first, bytes.start, Min(bytes.length, sizeof(first)));
#ifdef WORDS_BIGENDIAN
	return first;
#else
	return pg_bswap64(first);
#endif
}

static int
by_bytes(const void *a, const void *b)
{
	const Sorted *left = a;
	const Sorted *right = b;
	const Bytes *x = &left->key->bytes;
	const Bytes *y = &right->key->bytes;
	int			order;

	if (left->first != right->first)
		return left->first < right->first ? -1 : 1;
	order = memcmp(x->start, y->start, Min(x->length, y->length));
	if (order != 0)
		return order;
	return x->length < y->length ? -1 : x->length > y->length;
}

static int
by_tid(const void *a, const void *b)
{
	return ItemPointerCompare((ItemPointer) unconstify(void *, a), (ItemPointer) unconstify(void *, b));
}

/* Writes all keys to the index, in its order. The caller resets `context`, which holds them; `scratch` is reset here. */
void
fhirlake_bulk_write_keys(BulkKeys *keys, GinState *gin, MemoryContext context, MemoryContext scratch)
{
	keys_iterator iterator;
	uint32		n = 0;
	Sorted	   *sorted;
	Key		   *key;
	MemoryContext before;

	if (keys->table == NULL)
		return;
	sorted = MemoryContextAllocHuge(context, sizeof(Sorted) * Max(keys->table->members, 1));
	keys_start_iterate(keys->table, &iterator);
	while ((key = keys_iterate(keys->table, &iterator)) != NULL)
		sorted[n++] = (Sorted) {first_bytes(key->bytes), key};
	qsort(sorted, n, sizeof(Sorted), by_bytes);

	before = MemoryContextSwitchTo(scratch);
	for (uint32 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		key = sorted[i].key;
		if (key->unordered)
			qsort(key->items, key->nitems, sizeof(ItemPointerData), by_tid);
		ginEntryInsert(gin, FirstOffsetNumber, PointerGetDatum(key->bytes.start - VARHDRSZ), GIN_CAT_NORM_KEY,
					   key->items ? key->items : &key->only, key->nitems, NULL);
		if (i % KEYS_PER_RESET == KEYS_PER_RESET - 1)
			MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(before);
	MemoryContextReset(scratch);
	memset(keys, 0, sizeof(BulkKeys));
}

/*
 * Writing many rows into a table of a lake without the executor: what bulk_open.c, bulk_index.c and bulk.c share.
 */
#ifndef FHIRLAKE_BULK_H
#define FHIRLAKE_BULK_H

#include "access/gin_private.h"
#include "access/heapam.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"
#include "utils/tuplesort.h"

#include "gin_versions.h"

/* Rows, and bytes of them, that are written at a time. */
#define BULK_ROWS 500
#define BULK_BYTES (16 * 1024 * 1024)

/* Gathered keys of a GIN index on byte strings (bulk_keys.c). */
typedef struct BulkKeys BulkKeys;

/* When an index gets its entries. */
typedef enum BulkWhen
{
	BULK_AT_ONCE,				/* with the row: the primary key, and access methods that we know nothing better for */
	BULK_SORTED,				/* at the end, in the order of the index: btree */
	BULK_GATHERED				/* key by key, when memory is full and at the end: GIN */
} BulkWhen;

typedef struct BulkIndex
{
	Relation	index;
	IndexInfo  *info;
	ExprState  *predicate;		/* of a partial index, else NULL */
	BulkWhen	when;
	Tuplesortstate *sort;		/* BULK_SORTED, from the first row on */
	GinState	gin;			/* BULK_GATHERED, with all below */
	BulkKeys   *keys;			/* where all keys are byte strings, else NULL */
	BuildAccumulator gathered;	/* the others, and rows without keys */
	MemoryContext gathered_context;
	MemoryContext extracted_context;
} BulkIndex;

/* A table and its indexes, open for writing. */
typedef struct BulkTarget
{
	Relation	table;
	ResultRelInfo *info;
	BulkInsertState state;
	BulkIndex  *indexes;
	int			nindexes;
	BulkIndex  *primary;
	TupleTableSlot *slots[BULK_ROWS];	/* made when first used */
} BulkTarget;

/* Places of the columns of a lake's table in the partition at hand. */
typedef struct BulkColumns
{
	AttrNumber	compartment;
	AttrNumber	type;
	AttrNumber	id;
	AttrNumber	version;
	AttrNumber	last_updated;
	AttrNumber	xid;
	AttrNumber	occurred;
	AttrNumber	resource;
	AttrNumber	search;
} BulkColumns;

/* One load of one table. */
typedef struct Bulk
{
	MemoryContext context;		/* all of it; goes with the subtransaction */
	MemoryContext rows_context; /* of the rows being written */
	NameData	name;				/* of the table, for errors when it may be closed */
	SubTransactionId subtransaction;
	struct Bulk *next;			/* of those that are not finished */
	EState	   *estate;
	BulkTarget	table;
	BulkTarget	membership;
	BulkColumns columns;
	Relation	history;
	Relation	history_key;	/* its primary key */
	TupleTableSlot *found;		/* a row that is there already */
	TupleTableSlot *found_history;
} Bulk;

/* A piece of text or bytes, not ended by a zero. */
typedef struct BulkText
{
	const char *start;
	int32		length;
} BulkText;

typedef struct BulkRow
{
	BulkText	id;
	BulkText	home;
	BulkText	resource;
	BulkText	keys;
	int64		version;
	int64		last_updated;
	int64		occurred;
	const BulkText *others;		/* further compartments */
	int32		nothers;
} BulkRow;

extern Bulk *fhirlake_bulk_open(Oid table, Oid keys_type);
extern int	fhirlake_bulk_insert(Bulk *bulk, BulkText type, const BulkRow *rows, int nrows, int *refused);
extern int64 fhirlake_bulk_memory(Bulk *bulk);
extern void fhirlake_bulk_flush(Bulk *bulk);
extern void fhirlake_bulk_finish(Bulk *bulk);

/* bulk_open.c */
extern void fhirlake_bulk_forget(Bulk *bulk);

/* bulk_index.c */
extern void fhirlake_bulk_prepare_index(BulkIndex *entry, MemoryContext parent);
extern bool fhirlake_bulk_index_row(Bulk *bulk, BulkTarget *target, BulkIndex *entry, TupleTableSlot *slot, IndexUniqueCheck check);
extern int64 fhirlake_bulk_gathered(BulkTarget *target);
extern void fhirlake_bulk_write_gathered(BulkTarget *target);
extern void fhirlake_bulk_write_sorted(BulkTarget *target);

/* bulk_keys.c */
extern bool fhirlake_bulk_has_byte_keys(GinState *gin);
extern BulkKeys *fhirlake_bulk_new_keys(void);
extern bool fhirlake_bulk_take_keys(BulkKeys *keys, GinState *gin, MemoryContext context, Datum value, ItemPointer tid);
extern bool fhirlake_bulk_has_keys(BulkKeys *keys);
extern void fhirlake_bulk_write_keys(BulkKeys *keys, GinState *gin, MemoryContext context, MemoryContext scratch);

#endif

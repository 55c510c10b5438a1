/*
 * The keys of a GIN index in their order, as they stand in its entry tree: no row is looked at.
 *
 * In C for the same reason as probe.c.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/gin_private.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "gin_versions.h"

extern Relation fhirlake_open_texts(Oid oid);
extern int fhirlake_keys_behind(Relation index, Datum from, bool inclusive, const char *prefix, int length, Datum *keys, int max);

/* Opens an index; NULL, with nothing open, unless it is a usable GIN index whose only keys are texts. */
Relation
fhirlake_open_texts(Oid oid)
{
	Relation	index = index_open(oid, AccessShareLock);

	if (index->rd_rel->relam == GIN_AM_OID && index->rd_index->indisvalid && index->rd_index->indnatts == 1 &&
		TupleDescAttr(RelationGetDescr(index), 0)->atttypid == TEXTOID)
		return index;
	index_close(index, AccessShareLock);
	return NULL;
}

/*
 * Copies keys that begin with the prefix and come behind `from` (or are `from`), from one leaf: at least one if there are any,
 * at most `max`. No page stays locked between two calls; each finds its place anew, so that splits do no harm. A key whose rows
 * are all gone may stand in the tree for ever.
 */
int
fhirlake_keys_behind(Relation index, Datum from, bool inclusive, const char *prefix, int length, Datum *keys, int max)
{
	GinState	state;
	GinBtreeData btree;
	GinBtreeStack *stack;
	OffsetNumber off;
	bool		done = false;
	int			n = 0;

	CHECK_FOR_INTERRUPTS();
	initGinState(&state, index);
	ginPrepareEntryScan(&btree, 1, from, GIN_CAT_NORM_KEY, &state);
	stack = FIND_LEAF(&btree);
	if (btree.findItem(&btree, stack) && !inclusive)
		off = stack->off + 1;
	else
		off = stack->off;		/* the first key that is not below */
	for (;;)
	{
		Page		page = BufferGetPage(stack->buffer);
		OffsetNumber last = PageGetMaxOffsetNumber(page);

		for (; off <= last && n < max; off++)
		{
			IndexTuple	tuple = (IndexTuple) PageGetItem(page, PageGetItemId(page, off));
			GinNullCategory category;
			Datum		key = gintuple_get_key(&state, tuple, &category);
			struct varlena *bytes = (struct varlena *) DatumGetPointer(key);
			struct varlena *copy;
			Size		size;

			if (category != GIN_CAT_NORM_KEY || VARSIZE_ANY_EXHDR(bytes) < (Size) length ||
				memcmp(VARDATA_ANY(bytes), prefix, length) != 0)
			{
				done = true;
				break;
			}
			if (!GinIsPostingTree(tuple) && GinGetNPosting(tuple) == 0)
				continue;
			size = VARSIZE_ANY_EXHDR(bytes);
			copy = palloc(VARHDRSZ + size);
			SET_VARSIZE(copy, VARHDRSZ + size);
			memcpy(VARDATA(copy), VARDATA_ANY(bytes), size);
			keys[n++] = PointerGetDatum(copy);
		}
		if (done || n > 0 || GinPageRightMost(page))
			break;
		stack->buffer = ginStepRight(stack->buffer, index, GIN_SHARE);
		stack->blkno = BufferGetBlockNumber(stack->buffer);
		off = FirstOffsetNumber;
	}
	LockBuffer(stack->buffer, GIN_UNLOCK);
	freeGinBtreeStack(stack);
	return n;
}

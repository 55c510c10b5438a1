/*
 * How many rows hold a key of a GIN index, read from the index itself while planning.
 *
 * In C because GinState and the btree descriptors differ between majors; here the server's own headers lay them out.
 * Exact for a key with an inline posting list; for one with a posting tree, pages predicted times the items of its first
 * leaf. Keys come in the order of the index where they can, so that neighbours are found on the page that is at hand.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/gin_private.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "gin_versions.h"

/* A prefix is followed over so many leaf pages and posting trees, and extrapolated beyond. */
#define PREFIX_PAGES 8
#define PREFIX_TREES 32

extern void fhirlake_probe(Relation index, int attnum, int nkeys, Datum *keys, bool *partial, double *rows);
extern double fhirlake_pending_rows(Relation index);

/* Items on a leaf, told by the bytes of every eighth of its segments: to unpack them all costs more than the look-up. */
static double
leaf_items(Page page)
{
	GinPostingList *segment = GinDataLeafPageGetPostingList(page);
	Size		bytes = GinDataLeafPageGetPostingListSize(page);
	char	   *end = (char *) segment + bytes;
	double		items = 0;
	Size		sampled = 0;

	if (!GinPageIsCompressed(page))
		return GinPageGetOpaque(page)->maxoff;
	for (int i = 0; (char *) segment < end; i++, segment = GinNextPostingListSegment(segment))
	{
		int			nitems;

		if (i % 8 != 0)
			continue;
		pfree(ginPostingListDecode(segment, &nitems));
		items += nitems;
		sampled += SizeOfGinPostingList(segment);
	}
	return sampled > 0 ? items * bytes / sampled : 0;
}

static double
posting_tree_items(Relation index, BlockNumber root)
{
	GinBtreeData btree;
	GinBtreeStack *stack;
	double		items;

	stack = BEGIN_POSTING(&btree, index, root);
	items = leaf_items(BufferGetPage(stack->buffer)) * stack->predictNumber;
	LockBuffer(stack->buffer, GIN_UNLOCK);
	freeGinBtreeStack(stack);
	return items;
}

static void
release(GinBtreeStack **stack)
{
	if (*stack == NULL)
		return;
	LockBuffer((*stack)->buffer, GIN_UNLOCK);
	freeGinBtreeStack(*stack);
	*stack = NULL;
}

/*
 * Finds a key, on the page where the one before was found if it is there. Its rows, or the tree that holds them, which is
 * not touched while a page of keys is locked.
 */
static double
probe_exact(GinBtree btree, GinBtreeStack **stack, BlockNumber *tree)
{
	if (*stack != NULL && btree->isMoveRight(btree, BufferGetPage((*stack)->buffer)))
		release(stack);
	if (*stack == NULL)
		*stack = FIND_LEAF(btree);
	if (btree->findItem(btree, *stack))
	{
		Page		page = BufferGetPage((*stack)->buffer);
		IndexTuple	tuple = (IndexTuple) PageGetItem(page, PageGetItemId(page, (*stack)->off));

		if (!GinIsPostingTree(tuple))
			return GinGetNPosting(tuple);
		*tree = GinGetPostingTree(tuple);
	}
	return 0;
}

/* Whether a key of a string holds what is searched for, or is cut (MAX_PREFIX in src/index/keys.rs) and may hold it. */
static bool
contains(const char *key, Size length, const char *needle, Size needed)
{
	if (length >= 96)
		return true;
	for (Size at = 3; at + needed <= length; at++)
	{
		if (memcmp(key + at, needle, needed) == 0)
			return true;
	}
	return false;
}

static double
probe_prefix(Relation index, GinState *state, GinBtree btree, int attnum, struct varlena *prefix)
{
	GinBtreeStack *stack = FIND_LEAF(btree);
	OffsetNumber off;
	double		rows = 0;
	BlockNumber trees[PREFIX_TREES];
	int			ntrees = 0;
	int			more_trees = 0;
	int			pages = 1;
	bool		done = false;
	const char *asked = VARDATA_ANY(prefix);
	Size		length = VARSIZE_ANY_EXHDR(prefix);
	const char *needle = NULL;
	Size		needed = 0;

	/* is_containing() in src/index/keys.rs: all strings of the parameter are looked through */
	if (length > 4 && asked[2] == 'n' && asked[3] == 0)
	{
		needle = asked + 4;
		needed = length - 4;
		length = 3;
	}

	/* is_addresses() there: all references from the first whole address on */
	if (length == 4 && asked[2] == 'r' && asked[3] == 4)
		length = 3;

	btree->findItem(btree, stack);	/* sets off to the first key not below the prefix */
	off = stack->off;
	for (;;)
	{
		Page		page = BufferGetPage(stack->buffer);
		OffsetNumber max = PageGetMaxOffsetNumber(page);

		for (; off <= max; off++)
		{
			IndexTuple	tuple = (IndexTuple) PageGetItem(page, PageGetItemId(page, off));
			GinNullCategory category;
			Datum		key;
			struct varlena *bytes;

			if (gintuple_get_attrnum(state, tuple) != attnum)
			{
				done = true;
				break;
			}
			key = gintuple_get_key(state, tuple, &category);
			if (category != GIN_CAT_NORM_KEY)
			{
				done = true;
				break;
			}
			bytes = (struct varlena *) DatumGetPointer(key);
			if (VARSIZE_ANY_EXHDR(bytes) < length || memcmp(VARDATA_ANY(bytes), asked, length) != 0)
			{
				done = true;
				break;
			}
			if (needle != NULL && !contains(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), needle, needed))
				continue;
			if (!GinIsPostingTree(tuple))
				rows += GinGetNPosting(tuple);
			else if (ntrees < PREFIX_TREES)
				trees[ntrees++] = GinGetPostingTree(tuple);
			else
				more_trees++;
		}
		if (done || GinPageRightMost(page) || pages >= PREFIX_PAGES)
		{
			if (!done && !GinPageRightMost(page))
				rows *= 4;
			break;
		}
		stack->buffer = ginStepRight(stack->buffer, index, GIN_SHARE);
		stack->blkno = BufferGetBlockNumber(stack->buffer);
		off = FirstOffsetNumber;
		pages++;
	}
	LockBuffer(stack->buffer, GIN_UNLOCK);
	freeGinBtreeStack(stack);

	if (ntrees > 0)
	{
		double		items = 0;

		for (int i = 0; i < ntrees; i++)
			items += posting_tree_items(index, trees[i]);
		rows += items + items / ntrees * more_trees;
	}
	return rows;
}

void
fhirlake_probe(Relation index, int attnum, int nkeys, Datum *keys, bool *partial, double *rows)
{
	GinState	state;
	GinBtreeStack *stack = NULL;
	BlockNumber *trees = palloc(sizeof(BlockNumber) * nkeys);

	initGinState(&state, index);
	for (int i = 0; i < nkeys; i++)
	{
		GinBtreeData btree;

		trees[i] = InvalidBlockNumber;
		/* What comes before the last key is not on its page, nor what is behind a range of keys. */
		if (partial[i] || (i > 0 && ginCompareEntries(&state, attnum, keys[i - 1], GIN_CAT_NORM_KEY, keys[i], GIN_CAT_NORM_KEY) > 0))
			release(&stack);
		CHECK_FOR_INTERRUPTS();
		ginPrepareEntryScan(&btree, attnum, keys[i], GIN_CAT_NORM_KEY, &state);
		rows[i] = partial[i]
			? probe_prefix(index, &state, &btree, attnum, (struct varlena *) DatumGetPointer(keys[i]))
			: probe_exact(&btree, &stack, &trees[i]);
	}
	release(&stack);
	for (int i = 0; i < nkeys; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (BlockNumberIsValid(trees[i]))
			rows[i] = posting_tree_items(index, trees[i]);
	}
	pfree(trees);
}

/* Rows that wait in the pending list, where no key can be looked up. */
double
fhirlake_pending_rows(Relation index)
{
	Buffer		buffer = ReadBuffer(index, GIN_METAPAGE_BLKNO);
	double		rows;

	LockBuffer(buffer, GIN_SHARE);
	rows = GinPageGetMeta(BufferGetPage(buffer))->nPendingHeapTuples;
	UnlockReleaseBuffer(buffer);
	return rows;
}

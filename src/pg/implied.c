/*
 * What a condition on a column of a view implies, beside the condition, so that the indexes of a lake serve it.
 *
 * A view over a lake's table says fhir.path_text(resource, '…') for a column. Where src/view/implied.rs knows a search that finds all
 * rows of such a condition, `search |= …` is written beside it, in the same list of conditions: what they all let through stays the
 * same. This happens when the planner has read what there is to know of a table and before it distributes the conditions: views are
 * flattened and constants folded by then.
 *
 * In C because it takes trees of the planner apart and makes new ones.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/* btree's datetime_ops, which compares dates and both kinds of timestamps with each other; it has no name in the headers */
#define DATETIME_FAMILY 434

extern void fhirlake_imply(void);
extern Node *fhirlake_no_estimate(Node *request);

/* src/pg/implied.rs; they give a text, or 0 */
extern bool fhirlake_pushdown(void);
extern int	fhirlake_column(const char *type, const char *function, const char *expression);
extern Datum fhirlake_implied_texts(const char *type, const char *expression, int nvalues, char **values);
extern Datum fhirlake_implied_range(const char *type, const char *function, const char *expression, const int64 *low, const int64 *high);
extern Datum fhirlake_implied_condition(const char *type, const char *expression, int number);
extern int	fhirlake_bounds(const char *function, Oid valuetype, int strategy, int64 value, int64 *low, int64 *high);

/* What fhirlake_column says. */
#define TEXTS 1
#define MOMENTS 2

/* What fhirlake_bounds sets. */
#define LOW 1
#define HIGH 2

static get_relation_info_hook_type next_hook = NULL;

/* A table of a lake that holds one type of resources. */
typedef struct Lake
{
	int			relid;
	Oid			table;
	Oid			schema;			/* of the extension */
	AttrNumber	resource;
	AttrNumber	search;
	AttrNumber	id;
	AttrNumber	type;
	Oid			type_collation;
	Oid			keys;
	Oid			query;
	Oid			satisfies;		/* the operator |= */
	Oid			recheck;		/* the function that stands around what is implied */
	char	   *name;			/* of the type of resources */
	List	   *indexed;		/* expressions that the user has indexes on */
} Lake;

/* A column of a view: a function of the resource. */
typedef struct Column
{
	FuncExpr   *call;
	Var		   *resource;
	char	   *function;
	char	   *expression;
} Column;

/* Constant bounds of one column, gathered from several conditions. */
typedef struct Range
{
	Column		column;
	int			set;
	int64		low;
	int64		high;
} Range;

#define MAX_RANGES 16

typedef struct Work
{
	PlannerInfo *root;
	Lake		lake;
	List	   *joined;			/* columns that are compared with those of other tables */
} Work;

static Node *
stripped(Node *node)
{
	while (node != NULL && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

/* Whether it is a trigger that stamps each row, and is not switched off. */
static bool
stamps(const Trigger *trigger, Oid schema)
{
	char	   *name;

	if ((trigger->tgenabled != TRIGGER_FIRES_ON_ORIGIN && trigger->tgenabled != TRIGGER_FIRES_ALWAYS) || trigger->tgqual != NULL ||
		trigger->tgnattr != 0 || !TRIGGER_FOR_ROW(trigger->tgtype) || !TRIGGER_FOR_BEFORE(trigger->tgtype) ||
		!TRIGGER_FOR_INSERT(trigger->tgtype) || !TRIGGER_FOR_UPDATE(trigger->tgtype) || get_func_namespace(trigger->tgfoid) != schema)
		return false;
	name = get_func_name(trigger->tgfoid);
	return name != NULL && strcmp(name, "stamp") == 0;
}

/* The one value that the column may have by the bounds of the partition. */
static char *
only_value(Relation table, AttrNumber column)
{
	ListCell   *cell;

	foreach(cell, RelationGetPartitionQual(table))
	{
		OpExpr	   *bound = (OpExpr *) lfirst(cell);

		if (IsA(bound, OpExpr) && list_length(bound->args) == 2 && bound->opno == TextEqualOperator &&
			get_collation_isdeterministic(bound->inputcollid))
		{
			Var		   *left = (Var *) stripped(linitial(bound->args));
			Const	   *right = (Const *) stripped(lsecond(bound->args));

			if (IsA(left, Var) && left->varattno == column && IsA(right, Const) && !right->constisnull && right->consttype == TEXTOID)
				return TextDatumGetCString(right->constvalue);
		}
	}
	return NULL;
}

/* Whether the table is one of a lake for one type, and what has to be known of it. The planner holds a lock on it. */
static bool
is_lake(Oid oid, Lake *lake)
{
	Relation	table = table_open(oid, NoLock);
	TupleDesc	columns = RelationGetDescr(table);
	bool		stamped = false;

	lake->table = oid;
	lake->schema = InvalidOid;
	lake->resource = lake->search = lake->id = lake->type = InvalidAttrNumber;
	lake->name = NULL;
	if (table->rd_rel->relkind == RELKIND_RELATION && table->rd_rel->relispartition && table->trigdesc != NULL)
	{
		for (int i = 0; i < columns->natts; i++)
		{
			Form_pg_attribute column = TupleDescAttr(columns, i);

			if (column->attisdropped)
				continue;
			if (column->atttypid == JSONBOID && strcmp(NameStr(column->attname), "resource") == 0)
				lake->resource = column->attnum;
			else if (strcmp(NameStr(column->attname), "search") == 0)
			{
				lake->search = column->attnum;
				lake->keys = column->atttypid;
			}
			else if (column->atttypid == TEXTOID && strcmp(NameStr(column->attname), "id") == 0)
				lake->id = column->attnum;
			else if (column->atttypid == TEXTOID && strcmp(NameStr(column->attname), "type") == 0)
			{
				lake->type = column->attnum;
				lake->type_collation = column->attcollation;
			}
		}
		if (lake->resource && lake->search && lake->id && lake->type)
			lake->schema = get_namespace_oid("fhir", true);
	}
	if (OidIsValid(lake->schema) &&
		lake->keys == GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("keys"), ObjectIdGetDatum(lake->schema)))
	{
		for (int i = 0; i < table->trigdesc->numtriggers && !stamped; i++)
			stamped = stamps(&table->trigdesc->triggers[i], lake->schema);
		if (stamped)
			lake->name = only_value(table, lake->type);
	}
	table_close(table, NoLock);
	if (lake->name == NULL)
		return false;
	lake->query = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("query"), ObjectIdGetDatum(lake->schema));
	if (OidIsValid(lake->query))
	{
		Oid			boolean = BOOLOID;

		lake->satisfies = OpernameGetOprid(list_make2(makeString("fhir"), makeString("|=")), lake->keys, lake->query);
		lake->recheck = LookupFuncName(list_make2(makeString("fhir"), makeString("recheck")), 1, &boolean, true);
		return OidIsValid(lake->satisfies) && OidIsValid(lake->recheck);
	}
	return false;
}

/* Whether the node is fhir.path_…(resource of the table, 'constant'). */
static bool
is_column(const Lake *lake, Node *node, Column *column)
{
	FuncExpr   *call = (FuncExpr *) stripped(node);
	Var		   *resource;
	Const	   *expression;

	if (call == NULL || !IsA(call, FuncExpr) || list_length(call->args) != 2)
		return false;
	resource = linitial(call->args);
	expression = lsecond(call->args);
	if (!IsA(resource, Var) || resource->varno != lake->relid || resource->varattno != lake->resource || resource->varlevelsup != 0 ||
		!IsA(expression, Const) || expression->constisnull || expression->consttype != TEXTOID ||
		get_func_namespace(call->funcid) != lake->schema)
		return false;
	column->call = call;
	column->resource = resource;
	/* an index of the user's own serves it, as it stands */
	if (list_member(lake->indexed, call))
		return false;
	column->function = get_func_name(call->funcid);
	column->expression = TextDatumGetCString(expression->constvalue);
	return column->function != NULL && strncmp(column->function, "path_", 5) == 0;
}

/* The column of the table that stands where that of the resource does. */
static Var *
sibling(const Var *resource, AttrNumber number, Oid type, Oid collation)
{
	Var		   *other = copyObject((Var *) resource);

	other->varattno = number;
	other->vartype = type;
	other->vartypmod = -1;
	other->varcollid = collation;
	other->varnosyn = other->varno;
	other->varattnosyn = number;
	return other;
}

static Expr *
made(Oid operator, Expr *left, Expr *right, Oid collation)
{
	Expr	   *clause = make_opclause(operator, BOOLOID, false, left, right, InvalidOid, collation);

	set_opfuncid((OpExpr *) clause);
	return clause;
}

/* `search |= query` */
static Expr *
satisfies(const Lake *lake, const Var *resource, Expr *query)
{
	return made(lake->satisfies, (Expr *) sibling(resource, lake->search, lake->keys, InvalidOid), query, InvalidOid);
}

static Expr *
satisfies_text(const Lake *lake, const Var *resource, Datum text)
{
	return satisfies(lake, resource, (Expr *) makeConst(lake->query, -1, InvalidOid, -1, text, false, false));
}

/* Whether a value can be had before a row is looked at. */
static bool
is_outside(Node *value)
{
	return !contain_var_clause(value) && !contain_volatile_functions(value) && !contain_subplans(value);
}

static Expr *
text_constant(const char *text)
{
	return (Expr *) makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1, CStringGetTextDatum(text), false, false);
}

/* `search |= fhir.path_query(…, value)`, for a value that is known when the query runs. */
static Expr *
satisfies_later(const Lake *lake, const Column *column, int strategy, Node *value)
{
	static const char *const operators[] = {"<", "<=", "=", ">=", ">"};
	Oid			types[5] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, exprType(value)};
	Oid			function = LookupFuncName(list_make2(makeString("fhir"), makeString("path_query")), 5, types, true);
	List	   *arguments;

	if (!OidIsValid(function))
		return NULL;
	arguments = list_make4(text_constant(lake->name), text_constant(column->function), text_constant(column->expression),
						   text_constant(operators[strategy - BTLessStrategyNumber]));
	arguments = lappend(arguments, copyObject(value));
	return satisfies(lake, column->resource,
					 (Expr *) makeFuncExpr(function, lake->query, arguments, InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL));
}

/* A finite constant as microseconds since 2000-01-01; a date as its beginning in UTC. Far off years stand for all that are farther. */
static bool
is_moment(const Const *value, int64 *at)
{
	if (value->consttype == DATEOID)
	{
		DateADT		day = DatumGetDateADT(value->constvalue);

		if (DATE_NOT_FINITE(day))
			return false;
		*at = (int64) Min(Max(day, -800000), 3000000) * USECS_PER_DAY;
		return true;
	}
	*at = DatumGetTimestamp(value->constvalue);
	return !TIMESTAMP_NOT_FINITE(*at);
}

/* The strategy of a comparison of texts or moments; 0 for any other, or where equal texts may differ. */
static int
strategy_of(Oid operator, Oid collation, bool *texts)
{
	int			strategy = get_op_opfamily_strategy(operator, TEXT_BTREE_FAM_OID);

	*texts = strategy != 0;
	if (strategy == 0)
		return get_op_opfamily_strategy(operator, DATETIME_FAMILY);
	return strategy == BTEqualStrategyNumber && OidIsValid(collation) && get_collation_isdeterministic(collation) ? strategy : 0;
}

/* The sides of a comparison. */
static bool
is_comparison(Node *clause, Node **left, Node **right, int *strategy, bool *texts)
{
	OpExpr	   *comparison = (OpExpr *) clause;

	if (!IsA(clause, OpExpr) || list_length(comparison->args) != 2)
		return false;
	*left = stripped(linitial(comparison->args));
	*right = stripped(lsecond(comparison->args));
	*strategy = strategy_of(comparison->opno, comparison->inputcollid, texts);
	return *strategy != 0;
}

static int
turned(int strategy)
{
	return BTGreaterStrategyNumber + BTLessStrategyNumber - strategy;
}

/* A comparison of a column with anything else: the column, and the other side. */
static bool
compares_column(const Lake *lake, Node *clause, Column *column, Node **value, int *strategy, bool *texts)
{
	Node	   *left,
			   *right;

	if (!is_comparison(clause, &left, &right, strategy, texts))
		return false;
	if (is_column(lake, left, column))
	{
		*value = right;
		return true;
	}
	*value = left;
	*strategy = turned(*strategy);
	return is_column(lake, right, column);
}

/* Gathers the columns that are compared with those of other tables: such a comparison makes classes of what is equal. */
static void
find_joined(Work *work, Node *node)
{
	check_stack_depth();
	if (IsA(node, FromExpr) || IsA(node, JoinExpr))
	{
		List	   *clauses = IsA(node, FromExpr) ? (List *) ((FromExpr *) node)->quals : (List *) ((JoinExpr *) node)->quals;
		ListCell   *cell;

		foreach(cell, clauses)
		{
			Column		column;
			Node	   *value;
			int			strategy;
			bool		texts;

			if (compares_column(&work->lake, lfirst(cell), &column, &value, &strategy, &texts) && strategy == BTEqualStrategyNumber &&
				contain_var_clause(value))
				work->joined = lappend(work->joined, column.call);
		}
		if (IsA(node, FromExpr))
		{
			foreach(cell, ((FromExpr *) node)->fromlist)
				find_joined(work, lfirst(cell));
		}
		else
		{
			find_joined(work, ((JoinExpr *) node)->larg);
			find_joined(work, ((JoinExpr *) node)->rarg);
		}
	}
}

/* The constant text that the expression is equal to in every row of the result. */
static Const *
constant_of(Node *node, Node *expression)
{
	List	   *clauses;
	Const	   *found = NULL;
	ListCell   *cell;

	check_stack_depth();
	if (IsA(node, FromExpr))
		clauses = (List *) ((FromExpr *) node)->quals;
	else if (IsA(node, JoinExpr) && ((JoinExpr *) node)->jointype == JOIN_INNER)
		clauses = (List *) ((JoinExpr *) node)->quals;
	else
		return NULL;
	foreach(cell, clauses)
	{
		Node	   *left,
				   *right;
		int			strategy;
		bool		texts;

		if (!is_comparison(lfirst(cell), &left, &right, &strategy, &texts) || !texts)
			continue;
		if (IsA(left, Const) && equal(right, expression))
			found = (Const *) left;
		else if (IsA(right, Const) && equal(left, expression))
			found = (Const *) right;
		if (found != NULL && found->consttype == TEXTOID && !found->constisnull)
			return found;
	}
	if (IsA(node, FromExpr))
	{
		foreach(cell, ((FromExpr *) node)->fromlist)
		{
			found = constant_of(lfirst(cell), expression);
			if (found != NULL)
				return found;
		}
		return NULL;
	}
	found = constant_of(((JoinExpr *) node)->larg, expression);
	return found != NULL ? found : constant_of(((JoinExpr *) node)->rarg, expression);
}

static Expr *
implied_by_texts(const Lake *lake, const Column *column, int nvalues, char **values)
{
	Datum		text = 0;

	if (strcmp(column->function, "path_text") == 0)
		text = fhirlake_implied_texts(lake->name, column->expression, nvalues, values);
	return text != 0 ? satisfies_text(lake, column->resource, text) : NULL;
}

/* `column = ANY (constant array)` */
static Expr *
implied_by_list(const Lake *lake, ScalarArrayOpExpr *list)
{
	Column		column;
	Const	   *array;
	Datum	   *elements;
	bool	   *nulls;
	int			nelements;
	int			nvalues = 0;
	char	  **values;
	bool		texts;

	if (!list->useOr || list_length(list->args) != 2 || !is_column(lake, linitial(list->args), &column))
		return NULL;
	array = (Const *) stripped(lsecond(list->args));
	if (!IsA(array, Const) || array->constisnull || get_element_type(array->consttype) != TEXTOID ||
		strategy_of(list->opno, list->inputcollid, &texts) != BTEqualStrategyNumber || !texts)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(array->constvalue), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &nelements);
	values = palloc(sizeof(char *) * (nelements + 1));
	for (int i = 0; i < nelements; i++)
	{
		if (!nulls[i])
			values[nvalues++] = TextDatumGetCString(elements[i]);
	}
	return nvalues > 0 ? implied_by_texts(lake, &column, nvalues, values) : NULL;
}

/* Notes the column of the id where the condition can find a row by it, and whether there is a condition on the type. */
static void
note_id(const Work *work, Node *clause, bool *has_type, Var **id)
{
	List	   *arguments = NIL;
	Oid			operator = InvalidOid;
	ListCell   *cell;

	if (IsA(clause, OpExpr))
	{
		arguments = ((OpExpr *) clause)->args;
		operator = ((OpExpr *) clause)->opno;
	}
	else if (IsA(clause, ScalarArrayOpExpr) && ((ScalarArrayOpExpr *) clause)->useOr)
	{
		arguments = ((ScalarArrayOpExpr *) clause)->args;
		operator = ((ScalarArrayOpExpr *) clause)->opno;
	}
	if (list_length(arguments) != 2 || get_op_opfamily_strategy(operator, TEXT_BTREE_FAM_OID) != BTEqualStrategyNumber)
		return;
	foreach(cell, arguments)
	{
		Var		   *side = (Var *) stripped(lfirst(cell));

		if (!IsA(side, Var) || side->varno != work->lake.relid || side->varlevelsup != 0)
			continue;
		if (side->varattno == work->lake.type)
			*has_type = true;
		if (side->varattno == work->lake.id)
		{
			Node	   *other = cell == list_head(arguments) ? lsecond(arguments) : linitial(arguments);

			/* where nothing is known of types, the planner would take few rows to be of this one */
			if (is_outside(other) ||
				SearchSysCacheExists3(STATRELATTINH, ObjectIdGetDatum(work->lake.table), Int16GetDatum(work->lake.type), BoolGetDatum(false)))
				*id = side;
		}
	}
}

/* A list of conditions, all of which must hold, with what they imply for the table. */
static List *
improved(Work *work, List *clauses)
{
	const Lake *lake = &work->lake;
	Range		ranges[MAX_RANGES];
	int			nranges = 0;
	List	   *added = NIL;
	bool		has_type = false;
	Var		   *id = NULL;
	ListCell   *cell;

	foreach(cell, clauses)
	{
		Node	   *clause = lfirst(cell);
		Node	   *condition = clause;
		Expr	   *implied = NULL;
		bool		is_implied = false;
		Column		column;
		Node	   *value;
		int			strategy = InvalidStrategy;
		bool		texts;

		note_id(work, clause, &has_type, &id);
		if (IsA(condition, BooleanTest) && ((BooleanTest *) condition)->booltesttype == IS_TRUE)
			condition = (Node *) ((BooleanTest *) condition)->arg;
		if (is_column(lake, condition, &column))
		{
			if (strcmp(column.function, "path_boolean") == 0)
			{
				Datum		text;

				for (int number = 0; (text = fhirlake_implied_condition(lake->name, column.expression, number)) != 0; number++)
				{
					added = lappend(added, satisfies_text(lake, column.resource, text));
					is_implied = true;
				}
			}
		}
		else if (IsA(clause, ScalarArrayOpExpr))
			implied = implied_by_list(lake, (ScalarArrayOpExpr *) clause);
		else if (compares_column(lake, clause, &column, &value, &strategy, &texts))
		{
			Const	   *constant = IsA(value, Const) ? (Const *) value : NULL;
			int			known = fhirlake_column(lake->name, column.function, column.expression);

			if (texts && known == TEXTS)
			{
				bool		is_join = constant == NULL && contain_var_clause(value);

				if (is_join)
					constant = constant_of((Node *) work->root->parse->jointree, value);
				if (constant != NULL && constant->consttype == TEXTOID && !constant->constisnull)
				{
					char	   *wanted = TextDatumGetCString(constant->constvalue);

					implied = implied_by_texts(lake, &column, 1, &wanted);
				}
				else if (constant == NULL && is_outside(value) && exprType(value) == TEXTOID)
					implied = satisfies_later(lake, &column, strategy, value);
				if (is_join && implied != NULL)
				{
					/* that condition stays as it is: it joins */
					added = lappend(added, implied);
					continue;
				}
			}
			else if (!texts && known == MOMENTS)
			{
				Oid			type = exprType(value);
				int64		at,
							low,
							high;

				if (type != DATEOID && type != TIMESTAMPOID && type != TIMESTAMPTZOID)
					continue;
				if (constant == NULL)
				{
					if (is_outside(value))
						implied = satisfies_later(lake, &column, strategy, value);
				}
				else if (!constant->constisnull && is_moment(constant, &at))
				{
					int			set = fhirlake_bounds(column.function, type, strategy, at, &low, &high);
					int			n = 0;

					while (n < nranges && !equal(ranges[n].column.call, column.call))
						n++;
					if (set != 0 && n < MAX_RANGES &&
						fhirlake_implied_range(lake->name, column.function, column.expression, set & LOW ? &low : NULL, set & HIGH ? &high : NULL) != 0)
					{
						Range	   *range = &ranges[n];

						if (n == nranges)
						{
							range->column = column;
							range->set = 0;
							nranges++;
						}
						if (set & LOW)
							range->low = range->set & LOW ? Max(range->low, low) : low;
						if (set & HIGH)
							range->high = range->set & HIGH ? Min(range->high, high) : high;
						range->set |= set;
						is_implied = true;
					}
				}
			}
		}
		if (implied != NULL)
		{
			added = lappend(added, implied);
			is_implied = true;
		}
		/* How many rows there will be is what the index says; the condition itself would count again. */
		if (is_implied && !(IsA(clause, OpExpr) && strategy == BTEqualStrategyNumber && list_member(work->joined, column.call)))
			lfirst(cell) = makeFuncExpr(lake->recheck, BOOLOID, list_make1(clause), InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	}
	for (int n = 0; n < nranges; n++)
	{
		Range	   *range = &ranges[n];
		Datum		text = fhirlake_implied_range(lake->name, range->column.function, range->column.expression,
												  range->set & LOW ? &range->low : NULL, range->set & HIGH ? &range->high : NULL);

		if (text != 0)
			added = lappend(added, satisfies_text(lake, range->column.resource, text));
	}
	/* The primary key begins with the type, which is the same in all rows. */
	if (id != NULL && !has_type)
		added = lappend(added, made(TextEqualOperator, (Expr *) sibling(id, lake->type, TEXTOID, lake->type_collation),
									text_constant(lake->name), lake->type_collation));
	return list_concat(clauses, added);
}

static bool
is_within(Node *node, int relid)
{
	ListCell   *cell;

	check_stack_depth();
	if (IsA(node, RangeTblRef))
		return ((RangeTblRef *) node)->rtindex == relid;
	if (IsA(node, JoinExpr))
		return is_within(((JoinExpr *) node)->larg, relid) || is_within(((JoinExpr *) node)->rarg, relid);
	if (IsA(node, FromExpr))
	{
		foreach(cell, ((FromExpr *) node)->fromlist)
		{
			if (is_within(lfirst(cell), relid))
				return true;
		}
	}
	return false;
}

/* Whether a table can be searched by what the condition of the join says of it: not one all of whose rows the join keeps. */
static bool
chooses(const JoinExpr *join, int relid)
{
	switch (join->jointype)
	{
		case JOIN_INNER:
		case JOIN_SEMI:
			return true;
		case JOIN_LEFT:
		case JOIN_ANTI:
			return is_within(join->rarg, relid);
		default:
			return false;
	}
}

static void
improve(Work *work, Node *node)
{
	check_stack_depth();
	if (IsA(node, FromExpr))
	{
		FromExpr   *from = (FromExpr *) node;
		ListCell   *cell;

		from->quals = (Node *) improved(work, (List *) from->quals);
		foreach(cell, from->fromlist)
			improve(work, lfirst(cell));
	}
	else if (IsA(node, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) node;

		if (chooses(join, work->lake.relid))
			join->quals = (Node *) improved(work, (List *) join->quals);
		improve(work, join->larg);
		improve(work, join->rarg);
	}
}

/* Whether there are conditions that are lists, as the planner makes them. */
static bool
has_lists(Node *node)
{
	ListCell   *cell;

	check_stack_depth();
	if (IsA(node, FromExpr))
	{
		FromExpr   *from = (FromExpr *) node;

		if (from->quals != NULL && !IsA(from->quals, List))
			return false;
		foreach(cell, from->fromlist)
		{
			if (!has_lists(lfirst(cell)))
				return false;
		}
	}
	else if (IsA(node, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) node;

		return (join->quals == NULL || IsA(join->quals, List)) && has_lists(join->larg) && has_lists(join->rarg);
	}
	return true;
}

static void
hook(PlannerInfo *root, Oid table, bool inhparent, RelOptInfo *rel)
{
	Work		work;
	ListCell   *cell;

	if (next_hook != NULL)
		next_hook(root, table, inhparent, rel);
	/* a child of an inheritance tree has no conditions of its own yet */
	if (rel->reloptkind != RELOPT_BASEREL || inhparent || root->parse == NULL || root->parse->jointree == NULL ||
		!fhirlake_pushdown() || !is_lake(table, &work.lake) || !has_lists((Node *) root->parse->jointree))
		return;
	work.root = root;
	work.lake.relid = (int) rel->relid;
	work.lake.indexed = NIL;
	foreach(cell, rel->indexlist)
		work.lake.indexed = list_concat(work.lake.indexed, lfirst_node(IndexOptInfo, cell)->indexprs);
	work.joined = NIL;
	find_joined(&work, (Node *) root->parse->jointree);
	improve(&work, (Node *) root->parse->jointree);
}

void
fhirlake_imply(void)
{
	next_hook = get_relation_info_hook;
	get_relation_info_hook = hook;
}

/* For a condition that another one implies: it leaves no row away. NULL to any other request. */
Node *
fhirlake_no_estimate(Node *request)
{
	if (IsA(request, SupportRequestSelectivity))
	{
		((SupportRequestSelectivity *) request)->selectivity = 1.0;
		return request;
	}
	return NULL;
}

-- Ready-made flat views. With the rights of the caller.

CREATE FUNCTION fhir.view_definition(type text, element text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_view_definition';
COMMENT ON FUNCTION fhir.view_definition(text, text) IS
    'the ViewDefinition that follows from the definition of a resource type: one row for each resource, coded elements as code, display and system, references as id and type, choices as a column for each type. element: one that repeats, such as component or component.referenceRange, then one row for each of its values, with the id of the resource and a number; errors: 22023 for a type or element that does not exist or does not repeat';

CREATE FUNCTION fhir.side_views(type text) RETURNS SETOF text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 8 AS 'MODULE_PATHNAME', 'fhir_side_views';
COMMENT ON FUNCTION fhir.side_views(text) IS
    'the elements of a resource type that fhir.create_views makes side views of, as fhir.view_definition takes them; it takes others too';

CREATE FUNCTION fhir.view_relationships()
    RETURNS TABLE (table_name text, column_name text, kind text, "position" integer, references_table text, references_column text,
        only_where text, only_where_is text)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100000 ROWS 6000 AS 'MODULE_PATHNAME', 'fhir_view_relationships';
COMMENT ON FUNCTION fhir.view_relationships() IS
    'primary and foreign keys of the ready-made views, one row for each column of a key; position: its place in a key of several. only_where: of a reference to several types, the column that tells which, and what it holds for this one';

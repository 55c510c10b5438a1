-- Search beyond the parameters of the specification: parameters that a lake defines for itself, and FHIRPath.

-- Never raises, so a row-security barrier need not hold it back; a definition is checked where it is made.
CREATE FUNCTION fhir.keys_of(resource jsonb, definition jsonb) RETURNS fhir.keys
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 100 AS 'MODULE_PATHNAME', 'fhir_keys_of';
COMMENT ON FUNCTION fhir.keys_of(jsonb, jsonb) IS
    'the keys of a resource by one search parameter that a lake defines, named by its type: fhir.keys_of(resource, definition) |= ''$token=a|b''; the definition is one of fhir.search_parameter_definitions()';

CREATE FUNCTION fhir.search_parameter_definitions(code_or_url text, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, code text, definition jsonb)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 3 AS 'MODULE_PATHNAME', 'fhir_search_parameter_definitions';
COMMENT ON FUNCTION fhir.search_parameter_definitions(text, text) IS
    'what fhir.keys_of takes for a SearchParameter that is stored in the lake, one row for each resource type that it applies to; errors: 42704 if there is none, 22023 or 0A000 if it cannot be used';

-- CREATE INDEX CONCURRENTLY cannot run inside a function, so the commands are given to the client, as by \gexec of psql.
-- The name ends in a digest of the definition: a changed one makes another index, and the old one can be dropped after.
CREATE FUNCTION fhir.index_search_parameter(code_or_url text, lake text DEFAULT fhir.current_lake()) RETURNS SETOF text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 3
    AS $$
        WITH wanted AS (
            SELECT d.type, d.definition, pg_catalog.lower(d.type) AS tab,
                pg_catalog.left(pg_catalog.lower(d.type) OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) pg_catalog.regexp_replace(d.code, '[^A-Za-z0-9_]', '_', 'g'), 50)
                    OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) pg_catalog.left(pg_catalog.md5(d.definition::text), 8) AS index
            FROM fhir.search_parameter_definitions(code_or_url, lake) d
        )
        SELECT command FROM wanted w, LATERAL (
            -- left behind by a build that was cancelled
            SELECT 1, pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I', lake, w.index)
            FROM pg_catalog.pg_index i
            WHERE i.indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(pg_catalog.format('%I.%I', lake, w.index)) AND NOT i.indisvalid
            UNION ALL
            SELECT 2, pg_catalog.format('CREATE INDEX CONCURRENTLY IF NOT EXISTS %I ON %I.%I USING gin (fhir.keys_of(resource, %L::jsonb)) WITH (fastupdate = off)',
                w.index, lake, w.tab, w.definition)
        ) c (step, command)
        ORDER BY w.type, c.step
    $$;
COMMENT ON FUNCTION fhir.index_search_parameter(text, text) IS
    'the commands that index a SearchParameter which is stored in the lake, without blocking writers; run them with \gexec, each by itself';

CREATE FUNCTION fhir.path_holds(resource jsonb, expression text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_path_holds';
COMMENT ON FUNCTION fhir.path_holds(jsonb, text) IS
    'whether a FHIRPath expression is true of the resource or leads to anything in it; errors: 22023 if it is none, 0A000 if it goes beyond what search supports';

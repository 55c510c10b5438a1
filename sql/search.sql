-- Searching a lake: requests as a client sends them, answered as a Bundle, as rows or as a number.
-- All run with the rights of the caller, so that grants and row-level security hold.

CREATE FUNCTION fhir.search(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000 AS 'MODULE_PATHNAME', 'fhir_search';
COMMENT ON FUNCTION fhir.search(text, text, text, timestamptz) IS
    'a page of a FHIR search as a Bundle of type searchset; follow its link "next" with the same function for more. handling: strict | lenient; as_of: the state at a past moment';

CREATE FUNCTION fhir.search_sql(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_search_sql';
COMMENT ON FUNCTION fhir.search_sql(text, text, text, timestamptz) IS
    'the SQL that a page of a FHIR search runs: for reading, and for EXPLAIN. Chains with few hits, lists and value sets stand in it as what they were when it was made';

CREATE FUNCTION fhir.search_rows_sql(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_search_rows_sql';
COMMENT ON FUNCTION fhir.search_rows_sql(text, text, text, timestamptz) IS 'the SQL that finds all rows of a FHIR search';

CREATE FUNCTION fhir.search_total_sql(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_search_total_sql';
COMMENT ON FUNCTION fhir.search_total_sql(text, text, text, timestamptz) IS 'the SQL that counts the rows of a FHIR search';

CREATE FUNCTION fhir.search_rows(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (type text, id text, version bigint, last_updated timestamptz, resource jsonb)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
    AS $function$
BEGIN
    RETURN QUERY EXECUTE fhir.search_rows_sql(search, lake, handling, as_of);
END
$function$;
COMMENT ON FUNCTION fhir.search_rows(text, text, text, timestamptz) IS
    'all resources that a FHIR search finds, in no order; what shapes a page (_count, _sort, _include, _elements) does not apply';

CREATE FUNCTION fhir.search_count(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL) RETURNS bigint
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_count';
COMMENT ON FUNCTION fhir.search_count(text, text, text, timestamptz) IS
    'the number of resources that a FHIR search finds; from the index alone where that decides it';

CREATE FUNCTION fhir.explain_search(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (part text, line text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 ROWS 20 AS 'MODULE_PATHNAME', 'fhir_explain_search';
COMMENT ON FUNCTION fhir.explain_search(text, text, text, timestamptz) IS
    'how a FHIR search will be answered: what was understood, the keys of each condition and about how many rows have them, the statement, its plan, and which index would help';

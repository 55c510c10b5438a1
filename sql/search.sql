-- Searching a lake: requests as a client sends them, answered as a Bundle, as rows or as a number.
-- All run with the rights of the caller, so that grants and row-level security hold.

CREATE FUNCTION fhir.search_sql(search text, lake text DEFAULT fhir.current_lake()) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_search_sql';
COMMENT ON FUNCTION fhir.search_sql(text, text) IS 'the SQL that a page of a FHIR search runs: for reading, and for EXPLAIN';

CREATE FUNCTION fhir.search_rows_sql(search text, lake text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_search_rows_sql';
COMMENT ON FUNCTION fhir.search_rows_sql(text, text) IS 'the SQL that finds all rows of a FHIR search';

CREATE FUNCTION fhir.search_total_sql(search text, lake text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_search_total_sql';
COMMENT ON FUNCTION fhir.search_total_sql(text, text) IS 'the SQL that counts the rows of a FHIR search';

CREATE FUNCTION fhir.search_plan(search text, OUT understood text, OUT count bigint, OUT total boolean, OUT only_total boolean) RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'fhir_search_plan';
COMMENT ON FUNCTION fhir.search_plan(text) IS 'what was understood of a FHIR search, its page size, and whether it is to be counted';

CREATE FUNCTION fhir.search_next(understood text, last_updated bigint, id text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_search_next';
COMMENT ON FUNCTION fhir.search_next(text, bigint, text) IS 'the search for the page behind a row (last_updated in microseconds since 2000-01-01 UTC)';

CREATE FUNCTION fhir.search_rows(search text, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, id text, version bigint, last_updated timestamptz, resource jsonb)
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 100
    AS $function$
BEGIN
    RETURN QUERY EXECUTE fhir.search_rows_sql(search, lake);
END
$function$;
COMMENT ON FUNCTION fhir.search_rows(text, text) IS 'all resources that a FHIR search finds, in no order; _count, _sort and paging do not apply';

CREATE FUNCTION fhir.count(search text, lake text DEFAULT fhir.current_lake()) RETURNS bigint
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $function$
DECLARE
    found bigint;
BEGIN
    EXECUTE fhir.search_total_sql(search, lake) INTO found;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION fhir.count(text, text) IS 'the number of resources that a FHIR search finds';

CREATE FUNCTION fhir.search(search text, lake text DEFAULT fhir.current_lake()) RETURNS jsonb
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $function$
DECLARE
    plan record;
    found record;
    entries pg_catalog.jsonb[] := '{}';
    links jsonb;
    following text;
    bundle jsonb;
    last record;
BEGIN
    SELECT * INTO plan FROM fhir.search_plan(search);
    IF NOT plan.only_total THEN
        FOR found IN EXECUTE fhir.search_sql(search, lake) LOOP
            IF pg_catalog.cardinality(entries) OPERATOR(pg_catalog.=) plan.count THEN
                following := fhir.search_next(plan.understood,
                    (extract(epoch FROM last.last_updated) OPERATOR(pg_catalog.*) 1000000)::bigint OPERATOR(pg_catalog.-) 946684800000000, last.id);
                EXIT;
            END IF;
            entries := pg_catalog.array_append(entries, pg_catalog.jsonb_build_object(
                'resource', found.resource, 'search', '{"mode": "match"}'::jsonb));
            last := found;
        END LOOP;
    END IF;
    links := pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('relation', 'self', 'url', plan.understood));
    IF following IS NOT NULL THEN
        links := links OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('relation', 'next', 'url', following));
    END IF;
    bundle := pg_catalog.jsonb_build_object('resourceType', 'Bundle', 'type', 'searchset', 'link', links);
    IF plan.total THEN
        bundle := bundle OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('total', fhir.count(plan.understood, lake));
    END IF;
    IF pg_catalog.cardinality(entries) OPERATOR(pg_catalog.>) 0 THEN
        bundle := bundle OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('entry', pg_catalog.to_jsonb(entries));
    END IF;
    RETURN bundle;
END
$function$;
COMMENT ON FUNCTION fhir.search(text, text) IS
    'a page of a FHIR search as a Bundle of type searchset; follow its link "next" with the same function for more';

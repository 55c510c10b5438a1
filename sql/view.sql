-- Flat tables: SQL on FHIR v2. All run with the rights of the caller.

CREATE FUNCTION fhir.view_rows(resource jsonb, selects jsonb) RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 ROWS 3 AS 'MODULE_PATHNAME', 'fhir_view_rows';
COMMENT ON FUNCTION fhir.view_rows(jsonb, jsonb) IS
    'the rows that selects of a ViewDefinition make of a resource, in columns that the query names: fhir.view_rows(resource, ''{"resource": "Patient", "select": [{"forEach": "name", "column": [{"name": "family", "path": "family"}]}]}'') AS f(family text). Columns may be text, boolean, integer, bigint, numeric, date, timestamptz, time, jsonb and arrays of them. fhir.view_sql writes calls of it';

CREATE FUNCTION fhir.view_sql(view jsonb, lake text DEFAULT fhir.current_lake(), as_json boolean DEFAULT false, stored boolean DEFAULT false) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_view_sql';
COMMENT ON FUNCTION fhir.view_sql(jsonb, text, boolean, boolean) IS
    'the SELECT that a ViewDefinition of SQL on FHIR v2 means on a lake. as_json: one column with a JSON object for each row, and each value as it stands in the resource. stored: with the columns in front that table stored of the lake has. Errors: 22023 with the place in the definition, 42P01 where there is no such lake';

CREATE FUNCTION fhir.view_columns(view jsonb) RETURNS TABLE ("position" bigint, name text, type text, description text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 20 AS 'MODULE_PATHNAME', 'fhir_view_columns';
COMMENT ON FUNCTION fhir.view_columns(jsonb) IS
    'the columns of a ViewDefinition with their types in SQL, in order; errors as fhir.view_sql';

CREATE FUNCTION fhir.run_view(view jsonb, lake text DEFAULT fhir.current_lake(), count bigint DEFAULT NULL) RETURNS SETOF json
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 ROWS 1000
    AS $function$
BEGIN
    IF count OPERATOR(pg_catalog.<) 0 THEN
        RAISE EXCEPTION 'count is less than 0' USING ERRCODE = '22023', HINT = 'leave it out for all rows';
    END IF;
    IF view IS NULL THEN
        RAISE EXCEPTION 'view must not be null' USING ERRCODE = '22004';
    END IF;
    RETURN QUERY EXECUTE pg_catalog.concat(fhir.view_sql(view, lake, true), E'\nLIMIT ', coalesce(count::pg_catalog.text, 'ALL'));
END
$function$;
COMMENT ON FUNCTION fhir.run_view(jsonb, text, bigint) IS
    'the rows of a ViewDefinition, each a JSON object with the columns in their order and values as they stand in the resources. count: only so many. fhir.create_view makes a view with typed columns. Errors as fhir.view_sql, and 21000 where a column that is no collection has several values';

CREATE FUNCTION fhir.create_view(view jsonb, schema text DEFAULT NULL, name text DEFAULT NULL, materialized boolean DEFAULT false,
        lake text DEFAULT fhir.current_lake(), replace boolean DEFAULT false) RETURNS regclass
    LANGUAGE plpgsql
    AS $function$
DECLARE
    -- as names fold in SQL that are not quoted
    own_name text := coalesce(name, pg_catalog.lower(view OPERATOR(pg_catalog.->>) 'name'));
    own_schema text := coalesce(schema, pg_catalog.current_schema());
    full_name text;
    told text := pg_catalog.concat_ws(': ', view OPERATOR(pg_catalog.->>) 'title', view OPERATOR(pg_catalog.->>) 'description');
    statement text;
    standing pg_catalog.regclass;
    grants pg_catalog.jsonb;
    shown record;
BEGIN
    IF view IS NULL THEN
        RAISE EXCEPTION 'view must not be null' USING ERRCODE = '22004';
    END IF;
    IF coalesce(own_name, '') OPERATOR(pg_catalog.=) '' THEN
        RAISE EXCEPTION 'the view has no name' USING ERRCODE = '22023', HINT = 'give name => …, or a name in the definition';
    END IF;
    IF pg_catalog.octet_length(own_name) OPERATOR(pg_catalog.>) 63 THEN
        RAISE EXCEPTION 'the name of a view has at most 63 bytes' USING ERRCODE = '42622', HINT = 'give name => …';
    END IF;
    IF own_schema IS NULL THEN
        RAISE EXCEPTION 'there is no schema to make the view in' USING ERRCODE = '3F000', HINT = 'give schema => …';
    END IF;
    IF pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.<) 150000 THEN
        RAISE EXCEPTION 'views with the rights of who asks need PostgreSQL 15' USING ERRCODE = '0A000',
            HINT = 'fhir.view_sql gives the SELECT';
    END IF;
    full_name := pg_catalog.format('%I.%I', own_schema, own_name);
    standing := pg_catalog.to_regclass(full_name);
    IF replace AND NOT fhir.is_flat_view(standing) THEN
        RAISE EXCEPTION '% is no view of a lake', full_name USING ERRCODE = '42809', HINT = 'give another name, or remove what stands there';
    END IF;
    IF materialized THEN
        PERFORM fhir.store_view(view, own_schema, own_name, lake, replace);
    ELSE
        statement := fhir.view_sql(view, lake);
        IF replace AND fhir.lake_of_stored(standing) IS NOT NULL THEN
            grants := fhir.grants_of(standing);
            PERFORM fhir.drop_view(standing);
        END IF;
        BEGIN
            EXECUTE pg_catalog.format(E'CREATE %sVIEW %s WITH (security_invoker) AS\n%s', CASE WHEN replace THEN 'OR REPLACE ' END, full_name, statement);
        EXCEPTION
            WHEN duplicate_table THEN
                RAISE EXCEPTION USING ERRCODE = '42P07', MESSAGE = SQLERRM, HINT = 'replace => true replaces a view';
            WHEN invalid_table_definition THEN
                RAISE EXCEPTION USING ERRCODE = '42P16', MESSAGE = SQLERRM,
                    HINT = pg_catalog.format('a view that is replaced keeps its columns in their order; DROP VIEW %s first', full_name);
        END;
        PERFORM fhir.grant_again(grants, full_name::pg_catalog.regclass);
    END IF;
    EXECUTE pg_catalog.format('COMMENT ON VIEW %s IS %L', full_name, nullif(told, ''));
    FOR shown IN SELECT c.name, c.description FROM fhir.view_columns(view) c LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', full_name, shown.name, shown.description);
    END LOOP;
    RETURN full_name::pg_catalog.regclass;
END
$function$;
COMMENT ON FUNCTION fhir.create_view(jsonb, text, text, boolean, text, boolean) IS
    'makes a view of a ViewDefinition of SQL on FHIR v2: typed columns, comments, and the rights of who asks. schema: by default the first of search_path; name: by default that of the definition, in lower case; materialized: with its rows in a table that fhir.refresh_views brings up to date, for the owner of the lake; replace: in the place of such a view of that name, with its grants. Errors as fhir.view_sql; 42P07 where the name is taken, 42809 where what is to be replaced is no view of a lake, 42P16 where the columns do not fit those of the view that is replaced';

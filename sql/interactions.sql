-- The interactions of the RESTful API, https://hl7.org/fhir/R4/http.html, on the current lake, with the rights of the caller.
-- Every write goes through the triggers of the lake's tables, like a user's own INSERT, UPDATE and DELETE.
-- SQLSTATEs of their own: FH404 there is no such resource or version, FH410 it was deleted, FH412 a precondition failed,
-- FH409 another writer came first.

-- Reading ----------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.read(type text, id text) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_read';
COMMENT ON FUNCTION fhir.read(text, text) IS 'a resource; raises FH404 if there is none and FH410 if it was deleted';

CREATE FUNCTION fhir.vread(type text, id text, version bigint) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_vread';
COMMENT ON FUNCTION fhir.vread(text, text, bigint) IS
    'a version of a resource, current or superseded; raises FH404 if there is none and FH410 if it is a deletion';

-- Writing ----------------------------------------------------------------------------------------------------------------
-- if_match: a version number, an entity tag such as W/"3", or * for any version that there is.

CREATE FUNCTION fhir.create(resource jsonb, if_none_exist text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_create';
COMMENT ON FUNCTION fhir.create(jsonb, text) IS
    'stores a new resource under an id of the server; returns it as stored. With if_none_exist, search criteria, only if nothing meets them: returns the one resource that does, and raises FH412 for several';

CREATE FUNCTION fhir.update(resource jsonb, if_match text DEFAULT NULL, condition text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_update';
COMMENT ON FUNCTION fhir.update(jsonb, text, text) IS
    'stores a resource under the id that it has, as a new version or, where there is none, a new resource; returns it as stored. With if_match only over that version, else raises FH412. With condition, search criteria, over the one resource that meets them; none is a new resource, several raise FH412';

CREATE FUNCTION fhir.delete(type text, id text, if_match text DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_delete';
COMMENT ON FUNCTION fhir.delete(text, text, text) IS
    'deletes a resource; false if there was none. Its versions stay in history. With if_match only that version, else raises FH412';

CREATE FUNCTION fhir.delete_where(search text, multiple boolean DEFAULT false) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_delete_where';
COMMENT ON FUNCTION fhir.delete_where(text, boolean) IS
    'deletes what a search such as Patient?identifier=… finds, and returns how many; raises FH412 for several, unless multiple';

-- History ----------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.history(type text, id text)
    RETURNS TABLE (version bigint, last_updated timestamptz, method text, resource jsonb)
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 5
    AS $function$
BEGIN
    RETURN QUERY EXECUTE pg_catalog.concat(
        'SELECT r.version, r.last_updated, CASE WHEN r.version OPERATOR(pg_catalog.=) 1 THEN ''POST'' ELSE ''PUT'' END, r.resource',
        ' FROM ', fhir.table_of(type), ' AS r WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2',
        ' UNION ALL SELECT h.version, h.last_updated, h.method, h.resource',
        pg_catalog.format(' FROM %I.history AS h', fhir.current_lake()),
        ' WHERE h.type OPERATOR(pg_catalog.=) $1 AND h.id OPERATOR(pg_catalog.=) $2 ORDER BY 1 DESC')
        USING type, id;
END
$function$;
COMMENT ON FUNCTION fhir.history(text, text) IS
    'all versions of a resource, the latest first; a deletion is a version without resource';

-- The interactions of the RESTful API, https://hl7.org/fhir/R4/http.html, on the current lake, with the rights of the caller.
-- Every write goes through the triggers of the lake's tables, like a user's own INSERT, UPDATE and DELETE.
-- SQLSTATEs of their own: FH404 there is no such resource or version, FH410 it was deleted, FH412 a precondition failed,
-- FH409 another writer came first, FH422 a patch does not apply to the resource.

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

CREATE FUNCTION fhir.patch(type text, id text, patch jsonb, if_match text DEFAULT NULL, kind text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_patch';
COMMENT ON FUNCTION fhir.patch(text, text, jsonb, text, text) IS
    'stores what a patch makes of a resource; returns it as stored. kind: json-patch, merge-patch or fhirpath-patch; without it an array is the first, a Parameters resource the last, any other object the second. With if_match only of that version, else raises FH412';

CREATE FUNCTION fhir.patch_where(search text, patch jsonb, if_match text DEFAULT NULL, kind text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_patch_where';
COMMENT ON FUNCTION fhir.patch_where(text, jsonb, text, text) IS
    'patches the one resource that a search such as Patient?identifier=… finds; raises FH404 for none and FH412 for several';

CREATE FUNCTION fhir.delete(type text, id text, if_match text DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_delete';
COMMENT ON FUNCTION fhir.delete(text, text, text) IS
    'deletes a resource; false if there was none. Its versions stay in history. With if_match only that version, else raises FH412';

CREATE FUNCTION fhir.delete_where(search text, multiple boolean DEFAULT false) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_delete_where';
COMMENT ON FUNCTION fhir.delete_where(text, boolean) IS
    'deletes what a search such as Patient?identifier=… finds, and returns how many; raises FH412 for several, unless multiple';

-- History ----------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.history(
        type text DEFAULT NULL, id text DEFAULT NULL, since timestamptz DEFAULT NULL,
        at timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, count bigint DEFAULT NULL, after text DEFAULT NULL)
    RETURNS TABLE (resource_type text, resource_id text, version bigint, last_updated timestamptz, method text, resource jsonb, cursor text)
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 100 AS 'MODULE_PATHNAME', 'fhir_history';
COMMENT ON FUNCTION fhir.history(text, text, timestamptz, timestamptz, timestamptz, bigint, text) IS
    'the versions of a resource, of all of a type or of all, the latest first; a deletion is a version without resource. since: made then or later; at: current then, or with until at some moment from at to before until; count and after, the cursor of a row: a page behind that row';

CREATE FUNCTION fhir.history_bundle(path text) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_history_bundle';
COMMENT ON FUNCTION fhir.history_bundle(text) IS
    'a page of history as a Bundle, from a path such as Patient/1/_history?_since=…&_at=…&_count=…, Patient/_history or _history; follow its link "next" for more';

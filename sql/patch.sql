-- Patches of a resource, and the difference of two as a patch. They compute only: fhir.patch and fhir.update write.
-- SQLSTATE FH422: the patch is one, but cannot be applied to this resource.

CREATE FUNCTION fhir.json_patch(resource jsonb, patch jsonb) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_json_patch';
COMMENT ON FUNCTION fhir.json_patch(jsonb, jsonb) IS
    'the resource after a JSON Patch (RFC 6902), an array of operations; it may not change resourceType or id';

CREATE FUNCTION fhir.merge_patch(resource jsonb, patch jsonb) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_merge_patch';
COMMENT ON FUNCTION fhir.merge_patch(jsonb, jsonb) IS
    'the resource after a JSON Merge Patch (RFC 7396), an object of what changes with null for what goes; it may not change resourceType or id';

CREATE FUNCTION fhir.fhirpath_patch(resource jsonb, parameters jsonb) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_fhirpath_patch';
COMMENT ON FUNCTION fhir.fhirpath_patch(jsonb, jsonb) IS
    'the resource after a FHIRPath Patch, a Parameters resource of add, insert, delete, replace and move; it may not change resourceType or id';

CREATE FUNCTION fhir.diff(before jsonb, after jsonb) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_diff';
COMMENT ON FUNCTION fhir.diff(jsonb, jsonb) IS
    'what changed, as the JSON Patch that makes the second of the first';

CREATE FUNCTION fhir.diff(type text, id text, v1 bigint, v2 bigint) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    AS $$ SELECT fhir.diff(fhir.vread($1, $2, $3), fhir.vread($1, $2, $4)) $$;
COMMENT ON FUNCTION fhir.diff(text, text, bigint, bigint) IS
    'what changed from one version of a resource to another, as a JSON Patch; meta.versionId and meta.lastUpdated did change and are in it';

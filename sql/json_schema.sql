-- JSON Schema: a site's own rules beside those of FHIR.

-- A schema costs milliseconds to compile; it is kept for the place of the query that asks, as long as the argument stays the same.
CREATE FUNCTION fhir.matches_schema(resource jsonb, schema jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_matches_schema';
COMMENT ON FUNCTION fhir.matches_schema(jsonb, jsonb) IS
    'whether a resource, or any other JSON value, matches a JSON Schema (drafts 4 to 2020-12); raises 22023 for what is no schema';

CREATE FUNCTION fhir.schema_issues(resource jsonb, schema jsonb)
    RETURNS TABLE (expression text, keyword text, details text, path text, schema_path text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 ROWS 5 AS 'MODULE_PATHNAME', 'fhir_schema_issues';
COMMENT ON FUNCTION fhir.schema_issues(jsonb, jsonb) IS
    'what of a resource does not match a JSON Schema: the place in FHIR''s words, the keyword that says so, and both places as JSON Pointers; no row where it matches';

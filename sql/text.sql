-- The words of a resource: what _text and _content search.

CREATE FUNCTION fhir.narrative(resource jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 200 AS 'MODULE_PATHNAME', 'fhir_narrative';
COMMENT ON FUNCTION fhir.narrative(jsonb) IS
    'the narrative of a resource as plain text: what _text searches; with CREATE INDEX ON lake.patient USING gin (to_tsvector(''simple'', fhir.narrative(resource))) that is fast';

CREATE FUNCTION fhir.content(resource jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 400 AS 'MODULE_PATHNAME', 'fhir_content';
COMMENT ON FUNCTION fhir.content(jsonb) IS
    'all text of a resource, one line for each string, without ids, urls and binary data: what _content searches; with CREATE INDEX ON lake.documentreference USING gin (to_tsvector(''simple'', fhir.content(resource))) that is fast';

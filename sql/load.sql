-- Loading files of many resources.

CREATE FUNCTION fhir.load(path text)
    RETURNS TABLE (file text, loaded bigint, unchanged bigint, rejected bigint)
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 100000 ROWS 10 AS 'MODULE_PATHNAME', 'fhir_load';
COMMENT ON FUNCTION fhir.load(text) IS
    'loads NDJSON, plain or gzip, of any resource types into the current lake: a file of the server, all of a folder, or a pattern. '
    'Resources whose id is there already are updated. Bad lines go to load_error of the lake. Takes pg_read_server_files.';

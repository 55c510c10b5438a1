-- Loading files of many resources.

CREATE FUNCTION fhir.load(path text, validation text DEFAULT NULL, on_error text DEFAULT 'reject', max_errors bigint DEFAULT NULL,
        dry_run boolean DEFAULT false, conflict text DEFAULT 'upsert', keep_versions boolean DEFAULT false, format text DEFAULT 'auto',
        resolve_references boolean DEFAULT true, check_references boolean DEFAULT true)
    RETURNS TABLE (file text, loaded bigint, unchanged bigint, rejected bigint, deleted bigint, unresolved bigint, dangling bigint,
        bytes bigint, seconds double precision, rows_per_second double precision, mb_per_second double precision)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 10 AS 'MODULE_PATHNAME', 'fhir_load';
COMMENT ON FUNCTION fhir.load(text, text, text, bigint, boolean, text, boolean, text, boolean, boolean) IS
    'loads files of the server into the current lake, in one transaction: NDJSON, Bundles and other JSON, plain, gzip or zstd; a file, all of a '
    'folder, a pattern, or what the manifest of a bulk export lists. Resources whose id is there already are updated. Bad lines go to '
    'load_error of the lake. Takes pg_read_server_files.';

CREATE FUNCTION fhir.load_package(path text, examples boolean DEFAULT false)
    RETURNS TABLE (package text, version text, loaded bigint, unchanged bigint, rejected bigint)
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 100000 ROWS 1 AS 'MODULE_PATHNAME', 'fhir_load_package';
COMMENT ON FUNCTION fhir.load_package(text, boolean) IS
    'loads the definitions of a FHIR package (a .tgz of the server) into the current lake, in one transaction: profiles, value sets, code systems, '
    'search parameters; its examples too where asked. Several versions of a package stand beside each other. Takes pg_read_server_files.';

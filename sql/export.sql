-- Resources out of the current lake as files, with the rights of the caller.

CREATE FUNCTION fhir.export(
    directory text,
    types text[] DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    of text DEFAULT NULL,
    format text DEFAULT 'ndjson',
    compression text DEFAULT NULL,
    history boolean DEFAULT false,
    after pg_catalog.pg_snapshot DEFAULT NULL,
    overwrite boolean DEFAULT false)
    RETURNS TABLE (file text, type text, resources bigint, bytes bigint)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'fhir_export';
COMMENT ON FUNCTION fhir.export(text, text[], timestamptz, text, text, text, boolean, pg_catalog.pg_snapshot, boolean) IS
    'writes the current lake into a folder of the server: a file for each type, and manifest.json as FHIR Bulk Data has it. '
    'since: only what changed then or later, and what was deleted; of: Patient for what belongs to patients, Patient/id, Group/id; '
    'compression: gzip or zstd; history: superseded versions too; after: only what that snapshot did not show. '
    'All files appear when all are complete. Takes pg_write_server_files.';

CREATE FUNCTION fhir.export_query(query text, path text, compression text DEFAULT 'zstd', overwrite boolean DEFAULT false)
    RETURNS TABLE (exported bigint, bytes bigint)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1 AS 'MODULE_PATHNAME', 'fhir_export_query';
COMMENT ON FUNCTION fhir.export_query(text, text, text, boolean) IS
    'writes what a query gives, or all of a table or view if that is its name, into a Parquet file of the server, and tells how many '
    'rows and bytes. compression: zstd or none. The file appears when it is complete. Takes pg_write_server_files.';

-- The caller's search_path decides what the text of a name means, before it is read again with the same.
CREATE FUNCTION fhir.export_query(query regclass, path text, compression text DEFAULT 'zstd', overwrite boolean DEFAULT false)
    RETURNS TABLE (exported bigint, bytes bigint)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 1
    BEGIN ATOMIC
        SELECT * FROM fhir.export_query('TABLE ' || query::text, path, compression, overwrite);
    END;
COMMENT ON FUNCTION fhir.export_query(regclass, text, text, boolean) IS 'writes a table or view into a Parquet file of the server';

CREATE FUNCTION fhir.export_sql(
    types text[] DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    of text DEFAULT NULL,
    history boolean DEFAULT false,
    after pg_catalog.pg_snapshot DEFAULT NULL)
    RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_export_sql';
COMMENT ON FUNCTION fhir.export_sql(text[], timestamptz, text, boolean, pg_catalog.pg_snapshot) IS
    'the query that gives what fhir.export with these arguments writes, one resource a row: for a client''s own COPY (…) TO STDOUT';

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

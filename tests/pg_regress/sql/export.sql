-- Question: does fhir.export write what the caller may see, once, with a manifest, and nothing when it fails?
\pset null '<null>'
SELECT fhir.create_lake();

-- Folders of the server, made and emptied by the server.
SELECT current_setting('data_directory') || '/fhir_export' AS folder \gset
CREATE FUNCTION pg_temp.fresh() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    folder text := current_setting('data_directory') || '/fhir_export';
BEGIN
    EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('rm -rf "%1$s" && mkdir "%1$s" && cat', folder));
END $$;
CREATE FUNCTION pg_temp.files() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT f FROM pg_ls_dir(current_setting('data_directory') || '/fhir_export') f ORDER BY f COLLATE "C"
$$;
-- Lines without what the clock has written.
CREATE FUNCTION pg_temp.lines(name text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(l, '"lastUpdated":"[^"]*"', '"lastUpdated":…')
    FROM regexp_split_to_table(rtrim(pg_read_file(current_setting('data_directory') || '/fhir_export/' || name), E'\n'), E'\n') l ORDER BY l COLLATE "C"
$$;
CREATE FUNCTION pg_temp.manifest() RETURNS jsonb LANGUAGE sql AS $$
    SELECT pg_read_file(current_setting('data_directory') || '/fhir_export/manifest.json')::jsonb
$$;

INSERT INTO lake.patient (resource) VALUES
    ('{"resourceType":"Patient","id":"p1","name":[{"family":"O''Brien \"\\ é\t"}]}'), ('{"resourceType":"Patient","id":"p2"}'),
    ('{"resourceType":"Patient","id":"p3"}'), ('{"resourceType":"Patient","id":"gone"}'), ('{"resourceType":"Patient","id":"back"}');
INSERT INTO lake.appointment (resource) VALUES
    ('{"resourceType":"Appointment","id":"both","status":"proposed","participant":[{"actor":{"reference":"Patient/p1"},"status":"accepted"},{"actor":{"reference":"Patient/p2"},"status":"accepted"}]}');
INSERT INTO lake.observation (resource) VALUES
    ('{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"},"valueQuantity":{"value":1.10}}'),
    ('{"resourceType":"Observation","id":"o3","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p3"}}');
INSERT INTO lake.organization (resource) VALUES ('{"resourceType":"Organization","id":"org","name":"x"}');
INSERT INTO lake."group" (resource) VALUES
    ('{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p2"}},{"entity":{"reference":"Group/inner"}},{"entity":{"reference":"Patient/p3"},"inactive":true}]}'),
    ('{"resourceType":"Group","id":"inner","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p1"}},{"entity":{"reference":"Group/g"}}]}');
UPDATE lake.patient SET resource = resource || '{"active":true}' WHERE id = 'p1';
DELETE FROM lake.patient WHERE id IN ('gone', 'back');
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"back"}');

-- Everything: a file for each type, none for types without resources.
SELECT pg_temp.fresh();
SELECT substr(file, length(:'folder') + 2) AS file, type, resources, bytes = (pg_stat_file(file)).size AS size FROM fhir.export(:'folder');
SELECT * FROM pg_temp.files();
SELECT * FROM pg_temp.lines('Patient.ndjson');
SELECT * FROM pg_temp.lines('Observation.ndjson');
SELECT pg_temp.manifest() - 'transactionTime' - 'extension' AS manifest;
SELECT (pg_temp.manifest() ->> 'transactionTime')::timestamptz BETWEEN now() - interval '1 hour' AND clock_timestamp() AS time,
    pg_temp.manifest() #>> '{extension,snapshot}' LIKE '%:%:%' AS snapshot;
-- The same bytes come back as the same jsonb.
SELECT count(*) FROM regexp_split_to_table(rtrim(pg_read_file(:'folder' || '/Patient.ndjson'), E'\n'), E'\n') l
    JOIN lake.patient p ON p.resource = l::jsonb AND p.id = l::jsonb ->> 'id';

-- What is there is not written over, unless that is asked for; then what was there is gone.
SELECT regexp_replace(file, '.*/', '') FROM fhir.export(:'folder', types => '{Patient}', overwrite => true);
SELECT * FROM pg_temp.files();
\set VERBOSITY sqlstate
SELECT * FROM fhir.export(:'folder');
\set VERBOSITY default
SELECT * FROM pg_temp.files();

-- Whose.
SELECT regexp_replace(file, '.*/', '') AS file, resources FROM fhir.export(:'folder', of => 'Patient', overwrite => true);
SELECT pg_temp.manifest() ->> 'request' AS request;
SELECT regexp_replace(file, '.*/', '') AS file, resources FROM fhir.export(:'folder', of => 'Patient/p1', overwrite => true);
SELECT regexp_replace(file, '.*/', '') AS file, resources FROM fhir.export(:'folder', of => 'Patient/p1,Patient/p2', overwrite => true);
SELECT regexp_replace(file, '.*/', '') AS file, resources FROM fhir.export(:'folder', of => 'Group/g', overwrite => true);
SELECT pg_temp.manifest() ->> 'request' AS request;
SELECT regexp_replace(file, '.*/', '') AS file, resources FROM fhir.export(:'folder', of => 'Group/g', types => '{Observation,Appointment,Organization}', overwrite => true);

-- What changed, and what was deleted and is not back.
SELECT clock_timestamp() AS since \gset
SELECT resources FROM fhir.export(:'folder', since => :'since', overwrite => true);
SELECT * FROM pg_temp.files();
SELECT regexp_replace(file, '.*/', '') AS file, type, resources FROM fhir.export(:'folder', since => '2000-01-01', types => '{Patient,Observation}', overwrite => true);
SELECT * FROM pg_temp.lines('deleted.ndjson');
SELECT pg_temp.manifest() -> 'deleted' AS deleted;
SELECT regexp_replace(file, '.*/', '') AS file, type, resources FROM fhir.export(:'folder', since => '2000-01-01', of => 'Patient/p1', overwrite => true);
-- Or told by a snapshot: what it did not show, whatever the clock says.
SELECT pg_temp.manifest() #>> '{extension,snapshot}' AS snapshot \gset
UPDATE lake.patient SET resource = resource || '{"active":false}' WHERE id = 'p2';
DELETE FROM lake.observation WHERE id = 'o3';
SELECT regexp_replace(file, '.*/', '') AS file, resources FROM fhir.export(:'folder', after => :'snapshot', overwrite => true);
SELECT * FROM pg_temp.lines('Patient.ndjson') UNION ALL SELECT * FROM pg_temp.lines('deleted.ndjson') ORDER BY 1;

-- Superseded versions stand in the file of their type.
SELECT regexp_replace(file, '.*/', '') AS file, resources FROM fhir.export(:'folder', types => '{Patient}', history => true, overwrite => true);
SELECT l::jsonb ->> 'id' AS id, l::jsonb #>> '{meta,versionId}' AS version FROM pg_temp.lines('Patient.ndjson') l ORDER BY 1, 2;

-- Packed.
SELECT regexp_replace(file, '.*/', '') AS file, type, resources FROM fhir.export(:'folder', compression => 'gzip', since => '2000-01-01', overwrite => true);
SELECT substr(pg_read_binary_file(:'folder' || '/Patient.ndjson.gz'), 1, 2);
SELECT regexp_replace(file, '.*/', '') AS file, type, resources FROM fhir.export(:'folder', types => '{Patient}', compression => 'zstd', overwrite => true);
SELECT substr(pg_read_binary_file(:'folder' || '/Patient.ndjson.zst'), 1, 4);
SELECT * FROM pg_temp.files();

-- More than a batch, and resources that are larger than one.
INSERT INTO lake.basic (resource) SELECT jsonb_build_object('resourceType', 'Basic', 'id', 'b' || n, 'code', jsonb_build_object('text', repeat('x', 1000)))
    FROM generate_series(1, 3000) n;
INSERT INTO lake.basic (resource) SELECT jsonb_build_object('resourceType', 'Basic', 'id', 'large' || n, 'code', jsonb_build_object('coding',
    jsonb_agg(jsonb_build_object('display', repeat(md5(n::text || m), 30000)))))
    FROM generate_series(1, 3) n, generate_series(1, 4) m GROUP BY n;
SELECT type, resources, bytes > 12000000 AS long FROM fhir.export(:'folder', types => '{Basic}', overwrite => true);
SELECT count(*), bool_and(b.resource = l::jsonb) FROM regexp_split_to_table(rtrim(pg_read_file(:'folder' || '/Basic.ndjson'), E'\n'), E'\n') l JOIN lake.basic b ON b.id = l::jsonb ->> 'id';

-- Parquet: a table for each type, and of any query or view.
SELECT regexp_replace(file, '.*/', '') AS file, type, resources FROM fhir.export(:'folder', types => '{Patient,Observation}', format => 'parquet', overwrite => true);
SELECT pg_temp.manifest() ->> 'request' AS request, pg_temp.manifest() -> 'output' AS output;
SELECT convert_from(substr(pg_read_binary_file(:'folder' || '/Patient.parquet'), 1, 4), 'UTF8') AS magic;
SELECT exported, bytes = (pg_stat_file(:'folder' || '/q.parquet')).size AS size FROM fhir.export_query('SELECT id, version FROM lake.patient', :'folder' || '/q.parquet');
SELECT exported FROM fhir.export_query('lake.patient', :'folder' || '/q.parquet', overwrite => true);
SELECT exported FROM fhir.export_query('lake.patient'::regclass, :'folder' || '/q.parquet', 'none', true);
SELECT exported FROM fhir.export_query('VALUES (NULL::int, ARRAY[]::text[]), (1, NULL), (2, ARRAY[NULL, ''a''])', :'folder' || '/q.parquet', overwrite => true);
SELECT * FROM fhir.export_query('SELECT 1 AS a', 'q.parquet');
SELECT * FROM fhir.export_query('SELECT 1 AS a', '/no/such/folder/q.parquet');
SELECT * FROM fhir.export_query('SELECT 1 AS a', '/tmp');
\set VERBOSITY sqlstate
SELECT * FROM fhir.export_query('SELECT 1 AS a', :'folder' || '/q.parquet');
\set VERBOSITY default
SELECT * FROM fhir.export_query('SELECT 1 AS a', :'folder' || '/r.parquet', 'gzip');
SELECT * FROM fhir.export_query('SELECT 1 AS a, 2 AS a', :'folder' || '/r.parquet');
SELECT * FROM fhir.export_query('SELECT', :'folder' || '/r.parquet');
SELECT * FROM fhir.export_query('SELECT FROM lake.patient', :'folder' || '/r.parquet');
SELECT * FROM fhir.export_query('SELECT 1; SELECT 2', :'folder' || '/r.parquet');
SELECT * FROM fhir.export_query('DELETE FROM lake.patient RETURNING id', :'folder' || '/r.parquet');
SELECT * FROM fhir.export_query('WITH d AS (DELETE FROM lake.patient RETURNING id) SELECT * FROM d', :'folder' || '/r.parquet');
SELECT * FROM fhir.export_query('CREATE TABLE t (a int)', :'folder' || '/r.parquet');
SELECT * FROM fhir.export_query('SELECT 1 / (n - 900) FROM generate_series(1, 1000) n', :'folder' || '/r.parquet');
SELECT * FROM pg_temp.files();

-- The query, for a client's own COPY.
\pset format unaligned
SELECT fhir.export_sql(types => '{Patient}');
SELECT fhir.export_sql(types => '{Observation,Appointment}', of => 'Patient/p1,Group/inner', since => '2020-02-03', after => '1:2:', history => true);
SELECT fhir.export_sql(types => '{Account}');
\pset format aligned
SELECT fhir.export_sql(of => 'Group/none');
SELECT fhir.export_sql(of => 'Patient/p1,Group/g') AS query \gset
SELECT e.resource ->> 'resourceType' AS type, e.resource ->> 'id' AS id FROM (:query) e ORDER BY 1, 2;

-- What is asked wrongly.
SELECT * FROM fhir.export('relative');
SELECT * FROM fhir.export('/no/such/folder');
SELECT * FROM fhir.export('/dev/null');
SELECT * FROM fhir.export(NULL);
SELECT * FROM fhir.export(:'folder', types => '{patient}');
SELECT * FROM fhir.export(:'folder', types => '{}');
SELECT * FROM fhir.export(:'folder', of => 'p1');
SELECT * FROM fhir.export(:'folder', of => 'Group/none', overwrite => true);
SELECT * FROM fhir.export(:'folder', format => 'csv');
SELECT * FROM fhir.export(:'folder', compression => 'rar');
SELECT * FROM fhir.export(:'folder', since => 'infinity', overwrite => true);
SET fhir.lake = 'nothing';
SELECT * FROM fhir.export(:'folder', overwrite => true);
RESET fhir.lake;

-- An error in the middle leaves what was there: here a policy that fails on the last type.
SELECT count(*) FROM fhir.export(:'folder', types => '{Patient}', overwrite => true);
CREATE ROLE regress_export_reader;
GRANT pg_write_server_files TO regress_export_reader;
SELECT fhir.grant_lake('lake', 'regress_export_reader', 'read');
ALTER TABLE lake.observation ENABLE ROW LEVEL SECURITY;
CREATE POLICY broken ON lake.observation USING (1 / (length(id) - 2) = 0);
SET ROLE regress_export_reader;
SELECT * FROM fhir.export(:'folder', types => '{Appointment,Observation,Patient}', overwrite => true);
RESET ROLE;
SELECT * FROM pg_temp.files();

-- The caller's rights: rows that a policy hides are not in the files, and it takes a role to write them.
DROP POLICY broken ON lake.observation;
CREATE POLICY own ON lake.observation USING (compartment = 'Patient/p1');
SET ROLE regress_export_reader;
SELECT regexp_replace(file, '.*/', '') AS file, resources FROM fhir.export(:'folder', types => '{Observation,Patient}', overwrite => true);
RESET ROLE;
REVOKE SELECT ON lake.patient FROM regress_export_reader;
SET ROLE regress_export_reader;
SELECT * FROM fhir.export(:'folder', overwrite => true);
SELECT exported FROM fhir.export_query('lake.observation', :'folder' || '/r.parquet', overwrite => true);
SELECT * FROM fhir.export_query('lake.patient', :'folder' || '/r.parquet', overwrite => true);
RESET ROLE;
REVOKE pg_write_server_files FROM regress_export_reader;
SET ROLE regress_export_reader;
SELECT * FROM fhir.export(:'folder', overwrite => true);
SELECT * FROM fhir.export_query('SELECT 1 AS a', :'folder' || '/s.parquet');
RESET ROLE;

-- The search_path is the caller's and decides nothing.
CREATE SCHEMA trap;
CREATE FUNCTION trap.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trap'; END $$;
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.eq);
SET search_path = trap, pg_catalog, pg_temp;
SELECT resources FROM fhir.export(:'folder', of => 'Group/g', types => '{Patient}', since => '2000-01-01', overwrite => true);
RESET search_path;

-- Under REPEATABLE READ: what its snapshot shows.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT regexp_replace(file, '.*/', '') AS file, resources FROM fhir.export(:'folder', types => '{Patient}', overwrite => true);
SELECT (pg_temp.manifest() ->> 'transactionTime')::timestamptz <= now() AS time;
ROLLBACK;

DROP SCHEMA trap CASCADE;
SELECT fhir.drop_lake('lake', true);
DROP OWNED BY regress_export_reader;
DROP ROLE regress_export_reader;
SELECT pg_temp.fresh();

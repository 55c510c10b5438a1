-- Question: does fhir.load take what is good, say what is bad and where, and count both?
\pset null '<null>'
SELECT fhir.create_lake();

-- Files of the server, written by the server.
CREATE FUNCTION pg_temp.write(name text, content bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lo oid := lo_from_bytea(0, content);
BEGIN
    PERFORM lo_export(lo, current_setting('data_directory') || '/fhir_load_' || name);
    PERFORM lo_unlink(lo);
END $$;
-- An empty one, which a former run may have left as well.
SELECT pg_temp.write('y.ndjson', '');
SELECT pg_temp.write('a.ndjson', convert_to($${"resourceType":"Patient","id":"p1"}
{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2020-05-06T07:08:09Z","valueQuantity":{"value":1.10}}

{"resourceType":"Patient","id":"p1","gender":"none"}
{"resourceType":"Patient","id":"p2",
{"resourceType":"Nothing"}
{"resourceType":"Patient","id":"p1","active":true}
{"resourceType":"Patient","active":"yes","birthDate":"soon"}
$$, 'UTF8'));
SELECT pg_temp.write('b.ndjson.gz', '\x1f8b0800000000000203ab562a4a2dce2f2d4a4e0da92c4855b2520a482cc94ccd2b51d251ca4c0172ab0c956ab90095fcf0aa250000001f8b0800000000000203ab562a4a2dce2f2d4a4e0da92c4855b2520a482cc94ccd2b51d251ca4c0172ab8c946ab9aa092bd2514a4c2ec92c034a961495a6d6720100b575a46058000000');
SELECT pg_temp.write('c.txt', E'\\xFF7B0A'::bytea);

CREATE FUNCTION pg_temp.load(name text) RETURNS TABLE (file text, loaded bigint, unchanged bigint, rejected bigint) LANGUAGE sql AS $$
    SELECT regexp_replace(l.file, '.*fhir_load_', ''), l.loaded, l.unchanged, l.rejected
    FROM fhir.load(current_setting('data_directory') || '/fhir_load_' || name) l
$$;

SELECT * FROM pg_temp.load('a.ndjson');
SELECT type, id, version, compartment, occurred AT TIME ZONE 'UTC' AS occurred, resource #- '{meta,lastUpdated}' AS resource FROM lake.resource ORDER BY 1, 2;
SELECT regexp_replace(file, '.*fhir_load_', '') AS file, line, byte_offset, expression, reason, text FROM lake.load_error ORDER BY load, line;
SELECT version, method FROM lake.history;
-- The same again changes nothing but what stands there twice.
SELECT * FROM pg_temp.load('a.ndjson');
SELECT type, id, version FROM lake.resource ORDER BY 1, 2;
-- Packed, in two members.
SELECT * FROM pg_temp.load('b.ndjson.gz');
SELECT id, version FROM lake.patient WHERE id LIKE 'z%' ORDER BY 1;
-- A pattern; not JSON at all.
SELECT * FROM pg_temp.load('*.n*');
SELECT * FROM pg_temp.load('c.txt');
SELECT line, reason, text FROM lake.load_error ORDER BY load DESC, line LIMIT 1;
SELECT count(*), sum(loaded), sum(unchanged), sum(rejected), bool_and(finished >= started), bool_and(by = current_user) FROM lake.load;
-- Nothing to load.
SELECT * FROM fhir.load('/nowhere/*.ndjson');
SELECT * FROM fhir.load('data.ndjson');
SELECT * FROM fhir.load('/[');
SELECT * FROM fhir.load(NULL);
SELECT * FROM fhir.load('/dev');
-- Without validation.
SET fhir.validation = off;
SELECT loaded, rejected FROM pg_temp.load('a.ndjson');
RESET fhir.validation;
-- A line that a table's own rules refuse is rejected like any other.
ALTER TABLE lake.patient ADD CONSTRAINT no_z CHECK (id NOT LIKE 'y%');
SELECT pg_temp.write('y.ndjson', '{"resourceType":"Patient","id":"y"}'::bytea);
\set VERBOSITY terse
SELECT * FROM pg_temp.load('y.ndjson');
\set VERBOSITY default
SELECT count(*) FROM lake.patient WHERE id = 'y';
-- What a load has accepted does not vouch for later writes.
SET fhir.validation = structure;
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p9","gender":"none"}');
SELECT count(*) FROM (SELECT pg_temp.write(n, '') FROM unnest('{a.ndjson,b.ndjson.gz,c.txt,y.ndjson}'::text[]) n) w;

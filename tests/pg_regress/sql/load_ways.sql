-- Question: do the options, formats and references of fhir.load do what docs/load.md says?
\pset null '<null>'
SET timezone = 'UTC';
SET client_min_messages = warning;

CREATE FUNCTION pg_temp.write(name text, content text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lo oid := lo_from_bytea(0, convert_to(content, 'UTF8'));
BEGIN
    PERFORM lo_export(lo, current_setting('data_directory') || '/fhir_ways_' || name);
    PERFORM lo_unlink(lo);
END $$;
CREATE FUNCTION pg_temp.place(name text) RETURNS text LANGUAGE sql AS $$
    SELECT current_setting('data_directory') || '/fhir_ways_' || name
$$;
CREATE FUNCTION pg_temp.lake() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DROP VIEW IF EXISTS pg_temp.now;
    IF EXISTS (SELECT FROM fhir.lakes()) THEN
        PERFORM fhir.drop_lake('lake', true);
    END IF;
    PERFORM fhir.create_lake('lake');
    CREATE VIEW pg_temp.now AS
        SELECT type, id, version, resource #- '{meta,lastUpdated}' #- '{resourceType}' #- '{id}' AS resource FROM lake.resource;
END $$;
SELECT pg_temp.lake();
CREATE FUNCTION pg_temp.said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    code text;
    message text;
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN NULL;
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN regexp_replace(concat_ws(E'\n', code, message, detail, hint), '"[^"]*fhir_ways_', '"', 'g');
END $$;

-- Options that are none -----------------------------------------------------------------------------------------------
SELECT pg_temp.write('a.ndjson', $${"resourceType":"Patient","id":"a","active":true}
{"resourceType":"Patient","id":"b","gender":"none"}
{"resourceType":"Patient","id":"c"}
{"resourceType":"Patient","id":"d","managingOrganization":{"reference":"Organization/nowhere"}}
$$);
SELECT * FROM fhir.load(pg_temp.place('a.ndjson'), on_error => 'ignore');
SELECT * FROM fhir.load(pg_temp.place('a.ndjson'), conflict => 'merge');
SELECT * FROM fhir.load(pg_temp.place('a.ndjson'), format => 'xml');
SELECT * FROM fhir.load(pg_temp.place('a.ndjson'), validation => 'strict');
SELECT * FROM fhir.load(pg_temp.place('a.ndjson'), max_errors => -1);

-- Bad lines -----------------------------------------------------------------------------------------------------------
SELECT pg_temp.said($$SELECT FROM fhir.load(pg_temp.place('a.ndjson'), on_error => 'stop')$$);
SELECT pg_temp.said($$SELECT FROM fhir.load(pg_temp.place('a.ndjson'), max_errors => 0)$$);
SELECT count(*) FROM lake.resource;
SELECT count(*) FROM lake.load;
-- Only told.
SELECT loaded, unchanged, rejected, dangling FROM fhir.load(pg_temp.place('a.ndjson'), dry_run => true);
SELECT (SELECT count(*) FROM lake.resource) AS resources, l.loaded, l.rejected, l.dry_run, e.line, e.reason
FROM lake.load l JOIN lake.load_error e ON e.load = l.id;
-- Done, without threads; the columns of what is measured.
SET fhir.load_workers = 0;
SELECT loaded, unchanged, rejected, deleted, unresolved, dangling, bytes, seconds > 0 AS s, rows_per_second > 0 AS r, mb_per_second > 0 AS m
FROM fhir.load(pg_temp.place('a.ndjson'), max_errors => 1);
RESET fhir.load_workers;
SELECT loaded, rejected, deleted, unresolved, dangling, bytes, rows_per_second > 0 AS r, mb_per_second > 0 AS m FROM lake.load ORDER BY id DESC LIMIT 1;
SELECT loaded, unchanged FROM fhir.load(pg_temp.place('a.ndjson'), dry_run => true);
-- Invalid, and taken all the same.
SELECT loaded, rejected FROM fhir.load(pg_temp.place('a.ndjson'), validation => 'off');

-- Ids that are there --------------------------------------------------------------------------------------------------
SELECT pg_temp.write('b.ndjson', $${"resourceType":"Patient","id":"a","active":false}
{"resourceType":"Patient","id":"c"}
{"resourceType":"Patient","id":"e"}
{"resourceType":"Patient","id":"e","active":true}
$$);
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('b.ndjson'), conflict => 'skip', dry_run => true);
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('b.ndjson'), conflict => 'skip');
SELECT id, version, resource FROM pg_temp.now WHERE id IN ('a', 'c', 'e') ORDER BY 1;
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('b.ndjson'), conflict => 'error');
SELECT line, reason FROM lake.load_error WHERE load = (SELECT max(id) FROM lake.load) ORDER BY 1;
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('b.ndjson'), conflict => 'version');
SELECT id, version, resource FROM pg_temp.now WHERE id IN ('a', 'c', 'e') ORDER BY 1;
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('b.ndjson'));
SELECT type, id, version, method FROM lake.history ORDER BY 1, 2, 3;

-- Versions of the file ------------------------------------------------------------------------------------------------
SELECT pg_temp.lake();
SELECT pg_temp.write('v.ndjson', $${"resourceType":"Patient","id":"v","meta":{"versionId":"3","lastUpdated":"2020-03-03T00:00:00Z"},"active":true}
{"resourceType":"Patient","id":"v","meta":{"versionId":"1","lastUpdated":"2020-01-01T00:00:00.000001+01:00"}}
{"resourceType":"Patient","id":"w","meta":{"versionId":"7","lastUpdated":"2020-07-07T00:00:00Z"}}
{"resourceType":"Patient","id":"x"}
{"resourceType":"Patient","id":"v","meta":{"versionId":"2","lastUpdated":"2020-02-02T00:00:00Z"},"active":false}
{"resourceType":"Patient","id":"y","meta":{"versionId":"first"}}
$$);
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('v.ndjson'), keep_versions => true);
SELECT reason FROM lake.load_error;
CREATE VIEW pg_temp.versions AS
    SELECT id, version, nullif(last_updated, (SELECT last_updated FROM lake.patient WHERE id = 'x')) AS last_updated, NULL AS superseded, NULL AS method, resource->'active' AS active FROM lake.patient
    UNION ALL
    SELECT id, version, CASE WHEN method <> 'DELETE' THEN last_updated END, superseded, method, resource->'active' FROM lake.history ORDER BY 1, 2;
SELECT * FROM pg_temp.versions;
SELECT bool_and(resource #>> '{meta,versionId}' = version::text AND (resource #>> '{meta,lastUpdated}')::timestamptz = last_updated) FROM lake.history;
-- Once more: nothing, but for what had no time of its own.
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('v.ndjson'), keep_versions => true);
-- A version before, between, behind; one that is there and differs.
SELECT pg_temp.write('u.ndjson', $${"resourceType":"Patient","id":"v","meta":{"versionId":"5","lastUpdated":"2020-05-05T00:00:00Z"}}
{"resourceType":"Patient","id":"w","meta":{"versionId":"2","lastUpdated":"2020-02-02T00:00:00Z"}}
{"resourceType":"Patient","id":"v","meta":{"versionId":"4","lastUpdated":"2020-04-04T00:00:00Z"}}
{"resourceType":"Patient","id":"v","meta":{"versionId":"2","lastUpdated":"2020-02-02T00:00:00Z"},"gender":"male"}
$$);
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('u.ndjson'), keep_versions => true, dry_run => true);
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('u.ndjson'), keep_versions => true);
SELECT line, reason FROM lake.load_error WHERE load = (SELECT max(id) FROM lake.load);
SELECT * FROM pg_temp.versions;
-- What was deleted here stays so for versions before it.
DELETE FROM lake.patient WHERE id = 'v';
SELECT pg_temp.write('u.ndjson', $${"resourceType":"Patient","id":"v","meta":{"versionId":"8","lastUpdated":"2039-08-08T00:00:00Z"},"active":true}$$);
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('v.ndjson'), keep_versions => true);
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('u.ndjson'), keep_versions => true);
SELECT version, method FROM pg_temp.versions WHERE id = 'v';
-- Without, the lake counts.
SELECT loaded FROM fhir.load(pg_temp.place('v.ndjson')) ;
SELECT id, version FROM lake.patient ORDER BY 1;

-- Bundles -------------------------------------------------------------------------------------------------------------
SELECT pg_temp.lake();
SELECT pg_temp.write('bundle.json', $${
  "entry": [
    {
      "fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
      "resource": {"resourceType": "Observation", "status": "final", "code": {"text": "x \"}]"},
        "subject": {"reference": "urn:uuid:9E3151BD-1CBF-4D64-B04D-CD9187A4C6E1"},
        "performer": [{"reference": "http://x.org/fhir/Practitioner/p"}, {"reference": "http://x.org/fhir/Practitioner/q"}]},
      "request": {"method": "POST", "url": "Observation"}
    },
    {
      "fullUrl": "urn:uuid:9E3151BD-1CBF-4D64-B04D-CD9187A4C6E1",
      "resource": {"resourceType": "Patient", "active": true},
      "request": {"method": "POST", "url": "Patient"}
    },
    {"fullUrl": "http://x.org/fhir/Practitioner/p", "resource": {"resourceType": "Practitioner", "id": "p"}, "request": {"method": "PUT", "url": "Practitioner/p"}},
    {"resource": {"resourceType": "Patient", "gender": "none"}},
    {"request": {"method": "GET", "url": "Patient"}}
  ],
  "type": "transaction",
  "resourceType": "Bundle"
}
{"resourceType": "Patient", "id": "alone"}
$$);
SELECT loaded, unchanged, rejected, dangling FROM fhir.load(pg_temp.place('bundle.json'));
SELECT type, id, resource FROM pg_temp.now ORDER BY 1, 2;
SELECT line, byte_offset, expression, reason, text FROM lake.load_error ORDER BY line;
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('bundle.json'));
-- A document is one resource; so is a Bundle that is a line.
SELECT pg_temp.write('document.json', $${"resourceType": "Bundle", "id": "doc", "type": "document", "identifier": {"value": "1"}, "timestamp": "2020-01-01T00:00:00Z",
    "entry": [{"fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e5", "resource": {"resourceType": "Patient", "id": "inside"}}]}$$);
SELECT pg_temp.write('lines.ndjson', $${"resourceType": "Bundle", "id": "line", "type": "collection", "entry": [{"resource": {"resourceType": "Patient", "id": "inside"}}]}$$);
SELECT loaded, rejected FROM fhir.load(pg_temp.place('document.json'));
SELECT loaded, rejected FROM fhir.load(pg_temp.place('lines.ndjson'));
SELECT id FROM lake.bundle ORDER BY 1;
SELECT loaded, rejected FROM fhir.load(pg_temp.place('lines.ndjson'), format => 'json');
SELECT count(*) FROM lake.patient WHERE id = 'inside';
SELECT loaded, rejected FROM fhir.load(pg_temp.place('document.json'), format => 'ndjson');
-- One that breaks off.
SELECT pg_temp.write('broken.json', $${"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient", "id": "whole"}}, {"resource": {"res$$);
SELECT loaded, rejected FROM fhir.load(pg_temp.place('broken.json'));
SELECT line, reason, text FROM lake.load_error WHERE load = (SELECT max(id) FROM lake.load);

-- References that are searches ----------------------------------------------------------------------------------------
SELECT pg_temp.write('search.ndjson', $${"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"encounter":{"reference":"Encounter?identifier=http://e|1"},"subject":{"reference":"Patient?identifier=http://p|1"}}
{"resourceType":"Encounter","id":"e1","identifier":[{"system":"http://e","value":"1"}],"status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient?identifier=http://p|1"}}
{"resourceType":"Observation","id":"o2","status":"final","code":{"text":"x"},"subject":{"reference":"Patient?identifier=http://p|2"}}
{"resourceType":"Observation","id":"o3","status":"final","code":{"text":"x"},"subject":{"reference":"Patient?identifier=http://p|3"},"performer":[{"reference":"Practitioner?nonsense=1"}]}
{"resourceType":"Patient","id":"p1","identifier":[{"system":"http://p","value":"1"}]}
{"resourceType":"Patient","id":"p3a","identifier":[{"system":"http://p","value":"3"}]}
{"resourceType":"Patient","id":"p3b","identifier":[{"system":"http://p","value":"3"}]}
$$);
SELECT loaded, unchanged, rejected, unresolved FROM fhir.load(pg_temp.place('search.ndjson'), resolve_references => false);
SELECT id, resource #>> '{subject,reference}' AS subject FROM lake.observation WHERE id LIKE 'o_' ORDER BY 1;
SELECT loaded, unchanged, rejected, unresolved FROM fhir.load(pg_temp.place('search.ndjson'));
SELECT id, version, compartment, resource #>> '{subject,reference}' AS subject, resource #>> '{encounter,reference}' AS encounter FROM lake.observation WHERE id LIKE 'o_' ORDER BY 1;
SELECT id, compartment FROM lake.encounter;
SELECT line, is_loaded, reason FROM lake.load_error WHERE load = (SELECT max(id) FROM lake.load) ORDER BY line;
SELECT loaded, unchanged, rejected, unresolved FROM fhir.load(pg_temp.place('search.ndjson'));

-- A manifest ----------------------------------------------------------------------------------------------------------
SELECT pg_temp.write('deleted.ndjson', $${"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Patient/p3a"}},{"request":{"method":"DELETE","url":"Patient/nobody"}}]}
$$);
SELECT pg_temp.write('manifest.json', format('{"transactionTime":"2020-01-01T00:00:00Z","request":"x","requiresAccessToken":false,"output":[{"type":"Patient","url":"fhir_ways_a.ndjson"},{"type":"Patient","url":"file://%s"}],"deleted":[{"type":"Bundle","url":"fhir_ways_deleted.ndjson"}],"error":[]}', pg_temp.place('b.ndjson')));
SELECT regexp_replace(file, '.*fhir_ways_', '') AS file, loaded, unchanged, rejected, deleted FROM fhir.load(pg_temp.place('manifest.json'));
SELECT id, method FROM lake.history WHERE method = 'DELETE';
SELECT pg_temp.write('manifest.json', '{"output":[{"type":"Patient","url":"https://x.org/1.ndjson"}]}');
SELECT pg_temp.said($$SELECT FROM fhir.load(pg_temp.place('manifest.json'))$$);

-- What a table of the user refuses ------------------------------------------------------------------------------------
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.resource ? 'active' THEN
        RAISE EXCEPTION 'not here' USING DETAIL = 'nor there';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON lake.patient FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse();
SELECT pg_temp.write('t.ndjson', string_agg(format('{"resourceType":"Patient","id":"t%s"%s}', i, CASE WHEN i IN (3, 50, 51, 99) THEN ',"active":true' ELSE '' END), E'\n')) FROM generate_series(1, 100) i;
SELECT loaded, unchanged, rejected FROM fhir.load(pg_temp.place('t.ndjson'));
SELECT line, reason, text::jsonb #- '{meta,lastUpdated}' AS text FROM lake.load_error WHERE load = (SELECT max(id) FROM lake.load) ORDER BY line;
SELECT count(*) FROM lake.patient WHERE id ~ '^t\d';
DROP TRIGGER refuse ON lake.patient;

-- Rights --------------------------------------------------------------------------------------------------------------
CREATE ROLE load_ways_reader;
GRANT pg_read_server_files TO load_ways_reader;
SELECT fhir.grant_lake('lake', 'load_ways_reader', 'read');
SET ROLE load_ways_reader;
\set VERBOSITY terse
SELECT loaded FROM fhir.load('/tmp/../' || 'dev/null');
RESET ROLE;
SELECT set_config('ways.dir', current_setting('data_directory'), false) IS NOT NULL;
SET ROLE load_ways_reader;
SELECT loaded FROM fhir.load(current_setting('ways.dir') || '/fhir_ways_t.ndjson');
RESET ROLE;
\set VERBOSITY default
SELECT fhir.drop_lake('lake', true);
DROP OWNED BY load_ways_reader;
DROP ROLE load_ways_reader;
SELECT count(*) FROM (SELECT pg_temp.write(n, '') FROM unnest('{a.ndjson,b.ndjson,v.ndjson,u.ndjson,t.ndjson,bundle.json,document.json,lines.ndjson,broken.json,search.ndjson,deleted.ndjson,manifest.json}'::text[]) n) w;

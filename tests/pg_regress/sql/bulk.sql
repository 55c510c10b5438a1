-- Question: do rows that a load writes in bulk become what INSERT makes of the same resources, in the tables and in every index; and is
-- the bulk way left where there is anything of the user's that an INSERT obeys?
\pset null '<null>'
SELECT fhir.create_lake();
SELECT fhir.create_lake('other');
-- Little memory: keys are written often, sorts go to disk.
SET maintenance_work_mem = '1MB';
SET work_mem = '64kB';

-- Lines as a file has them.
CREATE TABLE lines (n serial, line text);
INSERT INTO lines (line)
SELECT format('{"resourceType":"Patient","id":"p%s","gender":"%s","name":[{"family":"f%s","given":["\"g\\%s"]}],"birthDate":"19%s-01-01"}', i, (ARRAY['male', 'female'])[1 + i % 2], i % 7, i, 50 + i % 50)
FROM generate_series(1, 300) i;
INSERT INTO lines (line)
SELECT format('{"resourceType":"Observation","id":"o%s","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"%s-4"}]},"subject":{"reference":"Patient/p%s"},"effectiveDateTime":"20%s-02-03T04:05:06Z","valueQuantity":{"value":%s.10,"unit":"/min"},"note":[{"text":"%s"}]}', i, i % 50, 1 + i % 300, 10 + i % 10, i, (SELECT string_agg(md5(i || '-' || g), '') FROM generate_series(0, i % 200) g))
FROM generate_series(1, 1200) i;
INSERT INTO lines (line)
SELECT format('{"resourceType":"Appointment","id":"a%s","status":"booked","start":"2024-01-01T10:00:00Z","participant":[{"actor":{"reference":"Patient/p1"},"status":"accepted"},{"actor":{"reference":"Patient/p%s"},"status":"accepted"},{"actor":{"reference":"Patient/p%s"},"status":"accepted"}]}', i, i, i + 1)
FROM generate_series(1, 40) i;

-- One the one way, one the other.
INSERT INTO lake.ndjson SELECT line FROM lines ORDER BY n;
INSERT INTO other.patient (resource) SELECT line::jsonb FROM lines WHERE line LIKE '%"Patient","id"%';
INSERT INTO other.observation (resource) SELECT line::jsonb FROM lines WHERE line LIKE '%"Observation"%';
INSERT INTO other.appointment (resource) SELECT line::jsonb FROM lines WHERE line LIKE '%"Appointment"%';
CREATE FUNCTION pg_temp.rows(lake text) RETURNS TABLE (t text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT jsonb_build_array(compartment, type, id, version, occurred, resource #- '{meta,lastUpdated}',
            fhir.keys_send(search) = fhir.keys_send(fhir.keys(resource)),
            (resource #>> '{meta,lastUpdated}')::timestamptz = last_updated, pg_column_size(resource) > 0)::text
        FROM %1$I.resource
        UNION ALL SELECT m::text FROM %1$I.membership m$q$, lake);
END $$;
CREATE FUNCTION pg_temp.differ(a text, b text) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM ((SELECT pg_temp.rows(a) EXCEPT ALL SELECT pg_temp.rows(b)) UNION ALL (SELECT pg_temp.rows(b) EXCEPT ALL SELECT pg_temp.rows(a))) d
$$;
SELECT pg_temp.differ('lake', 'other'), count(*), count(DISTINCT xid) FROM lake.resource;
SELECT count(*) FROM lake.membership;
SELECT file, loaded, unchanged, rejected, finished >= started AS finished FROM lake.load;

-- Every index finds what a sequential scan finds, no more and no less, each row once.
CREATE FUNCTION pg_temp.by(way text, statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found text[];
BEGIN
    PERFORM set_config('enable_seqscan', (way = 'scan')::text, true), set_config('enable_bitmapscan', (way = 'bitmap')::text, true),
        set_config('enable_indexscan', (way = 'index')::text, true), set_config('enable_indexonlyscan', 'off', true);
    EXECUTE 'SELECT array_agg(x ORDER BY x) FROM (' || statement || ') s (x)' INTO found;
    RETURN hashtextextended(found::text, 0);
END $$;
CREATE FUNCTION pg_temp.wrong() RETURNS SETOF text LANGUAGE sql AS $$
    WITH searches AS (
        SELECT format('SELECT id FROM lake.%s WHERE search OPERATOR(fhir.|=) %L', lower(split_part(q, '?', 1)), q) AS s
        FROM (SELECT 'Observation?code=http://loinc.org|' || i || '-4' FROM generate_series(0, 50, 10) i
              UNION ALL SELECT 'Observation?subject=Patient/p' || i FROM generate_series(1, 301, 30) i
              UNION ALL SELECT 'Observation?date=ge20' || i FROM generate_series(10, 20, 5) i
              UNION ALL SELECT 'Observation?value-quantity=gt' || i || '00' FROM generate_series(0, 10, 5) i
              UNION ALL SELECT 'Patient?family=f' || i FROM generate_series(0, 7, 3) i
              UNION ALL SELECT 'Appointment?patient=Patient/p' || i FROM generate_series(1, 42, 10) i
              UNION ALL VALUES ('Observation?status=final'), ('Patient?gender=male'), ('Patient?_id=p1')) x (q)),
    columns AS (
        SELECT format('SELECT id FROM lake.%s WHERE %s', t, c) AS s
        FROM unnest('{patient,observation,appointment}'::text[]) t,
            unnest(ARRAY['compartment = ''Patient/p1''', 'compartment > ''P'' AND occurred > ''-infinity''', 'occurred < ''2015-01-01''', 'occurred > ''2010-01-01''',
                'last_updated > ''2000-01-01''', 'id > ''''  AND type > ''A''', 'type = ''Observation'' AND id = ''o77''']) c
        UNION ALL SELECT format('SELECT id FROM lake.membership WHERE compartment = ''Patient/p%s''', i) FROM generate_series(1, 42, 5) i)
    SELECT s FROM searches WHERE pg_temp.by('scan', s) <> pg_temp.by('bitmap', s)
    UNION ALL SELECT s FROM columns WHERE pg_temp.by('scan', s) <> pg_temp.by('index', s) OR pg_temp.by('scan', s) <> pg_temp.by('bitmap', s)
$$;
SELECT * FROM pg_temp.wrong();
SELECT fhir.index_count('lake.observation', 'code=http://loinc.org|7-4'), fhir.index_count('lake.patient', 'gender=female');

-- The same again changes nothing. What is there is updated, what is new is added; a later line supersedes an earlier.
INSERT INTO lake.ndjson SELECT line FROM lines ORDER BY n;
SELECT loaded, unchanged, rejected FROM lake.load ORDER BY id DESC LIMIT 1;
DELETE FROM lake.patient WHERE id IN ('p298', 'p299', 'p300');
COPY lake.ndjson FROM STDIN WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
{"resourceType":"Patient","id":"p1","name":[{"text":"a \"quoted\" \\ back\u00e9, slash\n"}]}
{"resourceType":"Patient","id":"new1","gender":"male"}

{"resourceType":"Patient","id":"new1","gender":"female"}
{"resourceType":"Patient","id":"new2"}
{"resourceType":"Patient","id":"p300","active":true}
{"resourceType":"Patient","id":"new1","gender":"other"}
{"resourceType":"Appointment","id":"a1","status":"booked","participant":[{"actor":{"reference":"Patient/p2"},"status":"accepted"},{"actor":{"reference":"Patient/new1"},"status":"accepted"}]}
{"resourceType":"Basic","code":{"text":"no id"}}
\.
SELECT type, CASE WHEN type = 'Basic' THEN length(id)::text ELSE id END AS id, version, resource #- '{meta}' #- '{id}' AS resource FROM lake.resource
WHERE id IN ('p1', 'new1', 'new2', 'p300', 'a1') OR type = 'Basic' ORDER BY 1, 2;
SELECT type, id, version, method FROM lake.history ORDER BY 1, 2, 3;
SELECT type, id, compartment FROM lake.membership WHERE id = 'a1';
SELECT loaded, unchanged, rejected FROM lake.load ORDER BY id DESC LIMIT 1;
SELECT * FROM pg_temp.wrong();

-- Bad lines: the first ends the statement, or they are kept aside.
COPY lake.ndjson FROM STDIN WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
{"resourceType":"Patient","id":"q1"}
{"resourceType":"Patient","id":"q2","gender":"none"}
\.
SELECT count(*) FROM lake.patient WHERE id LIKE 'q%';
SET fhir.load_on_error = reject;
COPY lake.ndjson FROM STDIN WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
{"resourceType":"Patient","id":"q1"}
{"resourceType":"Patient","id":"q2","gender":"none"}

{"resourceType":"Patient","id":"q3"
{"resourceType":"Patient","id":"q4"}
\.
RESET fhir.load_on_error;
SELECT id FROM lake.patient WHERE id LIKE 'q%' ORDER BY 1;
SELECT line, byte_offset, file, expression, reason, text FROM lake.load_error;
SELECT loaded, unchanged, rejected FROM lake.load ORDER BY id DESC LIMIT 1;
SET fhir.validation = off;
INSERT INTO lake.ndjson VALUES ('{"resourceType":"Patient","id":"q2","gender":"none"}');
RESET fhir.validation;
SELECT id, version FROM lake.patient WHERE id = 'q2';
TABLE lake.ndjson;
-- A row for each statement that took a line.
SELECT count(*) FROM lake.load;

-- Rolled back, in a savepoint and in a block: nothing is left, and the places are used again.
BEGIN;
SAVEPOINT one;
INSERT INTO lake.ndjson SELECT replace(line, '"id":"', '"id":"s-') FROM lines ORDER BY n;
ROLLBACK TO one;
INSERT INTO lake.ndjson SELECT replace(line, '"id":"', '"id":"t-') FROM lines WHERE n < 500 ORDER BY n;
DO $$
BEGIN
    INSERT INTO lake.ndjson SELECT CASE WHEN n = 1300 THEN 'bad' ELSE replace(line, '"id":"', '"id":"u-') END FROM lines ORDER BY n;
EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%', SQLERRM;
END $$;
COMMIT;
SELECT left(id, 2) AS id, count(*) FROM lake.resource WHERE id LIKE '_-%' GROUP BY 1;
VACUUM lake.patient, lake.observation, lake.appointment, lake.membership;
INSERT INTO lake.ndjson SELECT replace(line, '"id":"', '"id":"v-') FROM lines ORDER BY n;
SELECT * FROM pg_temp.wrong();

-- A statement within a statement, also in the same transaction, also one that fails.
CREATE FUNCTION pg_temp.inner(i int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lake.ndjson VALUES (format('{"resourceType":"Organization","id":"in%s","name":"%s"}', i, i));
    BEGIN
        INSERT INTO lake.ndjson VALUES (format('{"resourceType":"Organization","id":"no%s"}', i)), ('{');
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    INSERT INTO other.ndjson VALUES (format('{"resourceType":"Organization","id":"in%s","name":"%s"}', i, i));
    RETURN format('{"resourceType":"Organization","id":"out%s","name":"%s"}', i, i);
END $$;
INSERT INTO lake.ndjson SELECT pg_temp.inner(i) FROM generate_series(1, 3) i;
WITH a AS (INSERT INTO lake.ndjson VALUES ('{"resourceType":"Organization","id":"cte1"}') RETURNING 1),
    b AS (INSERT INTO lake.ndjson VALUES ('{"resourceType":"Organization","id":"cte2"}') RETURNING 1)
SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b);
SELECT 'lake' AS lake, id FROM lake.organization UNION ALL SELECT 'other', id FROM other.organization ORDER BY 1, 2;
SELECT fhir.search_count('Organization?name=2');

-- Further indexes of the user's, of any kind, are served; those that could refuse a row are for INSERT.
CREATE INDEX own_hash ON lake.location USING hash (id);
CREATE INDEX own_brin ON lake.location USING brin (last_updated);
CREATE INDEX own_expression ON lake.location ((resource->>'name')) INCLUDE (id) WHERE resource->>'status' = 'active';
CREATE INDEX own_gin ON lake.location USING gin (resource, search);
CREATE INDEX own_desc ON lake.location (version DESC NULLS LAST, id COLLATE "C" DESC);
SELECT fhir.loads_in_bulk('lake.location');
INSERT INTO lake.ndjson SELECT format('{"resourceType":"Location","id":"l%s","name":"n%s","status":"%s"}', i, i % 10, (ARRAY['active', 'inactive'])[1 + i % 2]) FROM generate_series(1, 500) i;
SELECT s FROM (VALUES ('index', 'SELECT id FROM lake.location WHERE id = ''l77'''), ('bitmap', 'SELECT id FROM lake.location WHERE last_updated > ''2000-01-01'''),
    ('index', 'SELECT id FROM lake.location WHERE resource->>''name'' = ''n4'' AND resource->>''status'' = ''active'''), ('bitmap', 'SELECT id FROM lake.location WHERE resource @> ''{"name":"n3"}'''),
    ('index', 'SELECT id FROM lake.location WHERE version = 1 AND id COLLATE "C" > ''l4''')) v (way, s)
WHERE pg_temp.by('scan', s) <> pg_temp.by(way, s) OR pg_temp.by('scan', s) = hashtextextended(NULL, 0);
CREATE UNIQUE INDEX own_unique ON lake.location ((resource->>'alias'));
SELECT fhir.loads_in_bulk('lake.location');

-- What else is for INSERT.
CREATE FUNCTION pg_temp.with_it(change text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    device regclass := 'lake.device';
    answer boolean;
BEGIN
    BEGIN
        EXECUTE change;
        answer := fhir.loads_in_bulk(device);
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN RETURN answer;
    END;
END $$;
CREATE FUNCTION notice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% % %', TG_NAME, TG_WHEN, TG_LEVEL; RETURN NEW; END $$;
CREATE ROLE bulk_writer;
SELECT fhir.grant_lake('lake', 'bulk_writer', 'write');
SELECT change, pg_temp.with_it(change) AS in_bulk FROM unnest(ARRAY[
    '',
    'CREATE TRIGGER mine BEFORE INSERT ON lake.device FOR EACH ROW EXECUTE FUNCTION notice()',
    'CREATE TRIGGER mine AFTER INSERT ON lake.device FOR EACH STATEMENT EXECUTE FUNCTION notice()',
    'CREATE TRIGGER mine AFTER INSERT ON lake.resource FOR EACH ROW EXECUTE FUNCTION notice()',
    'CREATE TRIGGER mine AFTER DELETE ON lake.device FOR EACH ROW EXECUTE FUNCTION notice()',
    'CREATE TRIGGER mine BEFORE INSERT ON lake.device FOR EACH ROW EXECUTE FUNCTION notice(); ALTER TABLE lake.device DISABLE TRIGGER mine',
    'ALTER TABLE lake.device DISABLE TRIGGER zz_stamp',
    'ALTER TABLE lake.device DISABLE TRIGGER zz_keep',
    'ALTER TABLE lake.device ADD CHECK (fhir.is_valid(resource))',
    'ALTER TABLE lake.resource ADD CHECK (version > 0)',
    'ALTER TABLE lake.resource ALTER occurred DROP NOT NULL',
    'ALTER TABLE lake.resource ADD extra text',
    'ALTER TABLE lake.resource ADD extra text; ALTER TABLE lake.resource DROP extra',
    'ALTER TABLE lake.resource ADD status text GENERATED ALWAYS AS (resource->>''status'') STORED',
    'ALTER TABLE lake.device ADD EXCLUDE USING btree (version WITH =)',
    'CREATE RULE mine AS ON INSERT TO lake.device DO ALSO NOTHING',
    'ALTER TABLE lake.resource DETACH PARTITION lake.device',
    'ALTER TABLE lake.device SET UNLOGGED',
    'ALTER TABLE lake.device ENABLE ROW LEVEL SECURITY',
    'ALTER TABLE lake.device ENABLE ROW LEVEL SECURITY; ALTER TABLE lake.device FORCE ROW LEVEL SECURITY',
    'SET LOCAL session_replication_role = replica',
    'SET LOCAL transaction_read_only = on',
    'SELECT fhir.set_integrity(''warn'')',
    'CREATE TRIGGER mine AFTER INSERT ON lake.membership FOR EACH ROW EXECUTE FUNCTION notice()',
    'ALTER TABLE lake.membership OWNER TO bulk_writer',
    'DROP TABLE lake.history',
    'ALTER TABLE lake.resource DROP CONSTRAINT resource_pkey',
    'SET LOCAL ROLE bulk_writer',
    'ALTER TABLE lake.device ENABLE ROW LEVEL SECURITY; SET LOCAL ROLE bulk_writer',
    'REVOKE UPDATE ON lake.device FROM bulk_writer; SET LOCAL ROLE bulk_writer',
    'REVOKE USAGE ON SCHEMA lake FROM bulk_writer; SET LOCAL ROLE bulk_writer'
    ]) WITH ORDINALITY u (change, n) ORDER BY n;
SELECT fhir.loads_in_bulk('lake.resource'), fhir.loads_in_bulk('lake.history'), fhir.loads_in_bulk('pg_class'), fhir.loads_in_bulk('lines'), fhir.loads_in_bulk(NULL);

-- A trigger of the user's fires, a check and a policy refuse.
CREATE TRIGGER mine BEFORE INSERT ON lake.device FOR EACH ROW EXECUTE FUNCTION notice();
INSERT INTO lake.ndjson VALUES ('{"resourceType":"Device","id":"d1"}');
ALTER TABLE lake.group ADD CONSTRAINT mine CHECK (id <> 'g1');
\set VERBOSITY terse
INSERT INTO lake.ndjson VALUES ('{"resourceType":"Group","id":"g1","type":"person","actual":true}');
\set VERBOSITY default
ALTER TABLE lake.medication ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON lake.medication TO bulk_writer USING (id <> 'm1');
SET ROLE bulk_writer;
INSERT INTO lake.ndjson VALUES ('{"resourceType":"Medication","id":"m2"}'), ('{"resourceType":"Substance","id":"s1","code":{"text":"x"}}');
INSERT INTO lake.ndjson VALUES ('{"resourceType":"Medication","id":"m1"}');
RESET ROLE;
REVOKE INSERT ON lake.substance FROM bulk_writer;
SET ROLE bulk_writer;
INSERT INTO lake.ndjson VALUES ('{"resourceType":"Substance","id":"s2","code":{"text":"x"}}');
RESET ROLE;
SELECT type, id FROM lake.resource WHERE type IN ('Device', 'Group', 'Medication', 'Substance') ORDER BY 1, 2;
CREATE ROLE bulk_nobody;
GRANT USAGE ON SCHEMA lake TO bulk_nobody;
SET ROLE bulk_nobody;
INSERT INTO lake.ndjson VALUES ('{"resourceType":"Basic","id":"b1","code":{"text":"x"}}');
RESET ROLE;

-- An unlogged type, and one with columns in another order.
ALTER TABLE lake.slot SET UNLOGGED;
ALTER TABLE lake.resource DETACH PARTITION lake.account;
DROP TABLE lake.account;
CREATE TABLE lake.account (search fhir.keys NOT NULL, gone int, resource jsonb NOT NULL, id text COLLATE "C" NOT NULL, xid xid8 NOT NULL, occurred timestamptz NOT NULL,
    type text NOT NULL DEFAULT 'Account', version bigint NOT NULL, last_updated timestamptz NOT NULL, compartment text COLLATE "C" NOT NULL);
ALTER TABLE lake.account DROP gone;
ALTER TABLE lake.resource ATTACH PARTITION lake.account FOR VALUES IN ('Account');
SELECT fhir.loads_in_bulk('lake.slot'), fhir.loads_in_bulk('lake.account');
INSERT INTO lake.ndjson VALUES ('{"resourceType":"Account","id":"x","status":"active","subject":[{"reference":"Patient/p1"},{"reference":"Patient/p2"}]}'),
    ('{"resourceType":"Slot","id":"x","status":"free","schedule":{"reference":"Schedule/1"},"start":"2024-01-01T10:00:00Z","end":"2024-01-01T11:00:00Z"}');
SELECT compartment, type, id, version, occurred AT TIME ZONE 'UTC' AS occurred, fhir.keys_send(search) = fhir.keys_send(fhir.keys(resource)) AS keys FROM lake.resource WHERE id = 'x' ORDER BY type;
SELECT * FROM lake.membership WHERE id = 'x';

-- What is not through is not committed.
DROP TRIGGER zz_end ON lake.ndjson;
INSERT INTO lake.ndjson VALUES ('{"resourceType":"Basic","id":"lost","code":{"text":"x"}}');
DROP TRIGGER zz_begin ON lake.ndjson;
INSERT INTO lake.ndjson VALUES ('{"resourceType":"Basic","id":"lost","code":{"text":"x"}}');
SELECT fhir.upgrade_lake();
SELECT fhir.upgrade_lake();
INSERT INTO lake.ndjson VALUES ('{"resourceType":"Basic","id":"found","code":{"text":"x"}}');
SELECT id FROM lake.basic WHERE id IN ('lost', 'found');
SELECT fhir.take_lines();
CREATE TABLE strange (line int);
CREATE TRIGGER strange BEFORE INSERT ON strange FOR EACH STATEMENT EXECUTE FUNCTION fhir.take_lines();
INSERT INTO strange VALUES (1);
DROP TABLE strange, lines;
SELECT fhir.drop_lake('other');
DROP OWNED BY bulk_writer, bulk_nobody;
DROP ROLE bulk_writer, bulk_nobody;

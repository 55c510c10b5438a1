-- Question: does a plain user do and see in a lake what the owner granted, and nothing else?
\set VERBOSITY terse
SET client_min_messages = error;
CREATE ROLE regress_lake_owner;
CREATE ROLE regress_lake_writer;
CREATE ROLE regress_lake_reader;
CREATE ROLE regress_lake_stranger;
RESET client_min_messages;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lake_owner', current_database()); END $$;

-- The lake belongs to who makes it.
SET ROLE regress_lake_owner;
SELECT fhir.create_lake('guarded');
SELECT relowner::regrole, count(*) > 500 AS all_of_it FROM pg_class WHERE relnamespace = 'guarded'::regnamespace GROUP BY 1;
SELECT fhir.grant_lake('guarded', 'regress_lake_reader', 'read');
SELECT fhir.grant_lake('guarded', 'regress_lake_reader', 'everything');
SELECT fhir.grant_lake('nothing', 'regress_lake_reader', 'read');
-- No more than the resources themselves: nothing on history, membership and load.
GRANT USAGE ON SCHEMA guarded TO regress_lake_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON guarded.patient, guarded.appointment TO regress_lake_writer;

SET ROLE regress_lake_writer;
SET fhir.lake = 'guarded';
INSERT INTO guarded.patient (resource) VALUES ('{"resourceType":"Patient","id":"p1"}');
UPDATE guarded.patient SET resource = resource || '{"active":true}';
DELETE FROM guarded.patient;
INSERT INTO guarded.patient (resource) VALUES ('{"resourceType":"Patient","id":"p1"}'), ('{"resourceType":"Patient","id":"p2"}');
INSERT INTO guarded.appointment (resource) VALUES ('{"resourceType":"Appointment","id":"a","status":"booked","start":"2020-01-02T03:04:05Z","end":"2020-01-02T04:04:05Z","participant":[
  {"actor":{"reference":"Patient/p1"},"status":"accepted"},{"actor":{"reference":"Patient/p2"},"status":"accepted"}]}');
SELECT id, version FROM guarded.patient ORDER BY 1;
SELECT current_user;
SELECT count(*) FROM guarded.history;
INSERT INTO guarded.history VALUES ('x', 'Patient', 'x', 1, now(), now(), '1', 'POST', '{}');
DELETE FROM guarded.membership;
SELECT fhir.update('{"resourceType":"Patient","id":"p1","gender":"male"}')->>'gender';
SELECT fhir.read('Patient', 'p1')->>'gender', fhir.delete('Patient', 'p2');
-- Deleted, but that is for those who may read history.
SELECT fhir.read('Patient', 'p2');
SELECT fhir.create('{"resourceType":"Encounter"}');
SELECT fhir.drop_lake('guarded');
SELECT * FROM fhir.load('/tmp');

SET ROLE regress_lake_reader;
SELECT count(*) FROM guarded.resource;
SELECT count(*) FROM guarded.patient;
SELECT count(*), count(*) FILTER (WHERE method = 'DELETE') FROM guarded.history;
SELECT count(*) FROM guarded.membership;
SELECT fhir.read('Patient', 'p1')->>'gender';
SELECT fhir.read('Patient', 'p2');
SELECT fhir.delete('Patient', 'p1');
SELECT fhir.update('{"resourceType":"Patient","id":"p1"}');

SET ROLE regress_lake_stranger;
SELECT fhir.is_valid('{"resourceType":"Patient"}');
SELECT count(*) FROM guarded.patient;
SELECT fhir.read('Patient', 'p1');
SELECT fhir.create('{"resourceType":"Patient"}');
SELECT fhir.grant_lake('guarded', 'regress_lake_stranger', 'read');
SELECT fhir.drop_lake('guarded');
-- The trigger functions act for the owner only where owner and history agree: not on a stranger's table.
SELECT pg_my_temp_schema() = 0 AS none;
CREATE TEMP TABLE history (LIKE pg_class);
CREATE TEMP TABLE own (compartment text, type text, id text, version bigint, last_updated timestamptz, xid xid8, occurred timestamptz, resource jsonb, search fhir.keys);
CREATE TRIGGER k AFTER DELETE ON own FOR EACH ROW EXECUTE FUNCTION fhir.keep();
INSERT INTO own VALUES ('c', 'Patient', 'x', 1, now(), '1', now(), '{}', fhir.keys('{}'::jsonb));
DELETE FROM own;
CREATE TRIGGER s BEFORE DELETE ON own FOR EACH STATEMENT EXECUTE FUNCTION fhir.stamp();
DELETE FROM own;
-- Nor on columns that are called the same but hold something else.
CREATE TEMP TABLE membership (id int);
CREATE TEMP TABLE odd (compartment int, type int, id int, version int, last_updated int, xid int, occurred int, resource int, search int);
CREATE TRIGGER s BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION fhir.stamp();
CREATE TRIGGER k AFTER INSERT ON odd FOR EACH ROW EXECUTE FUNCTION fhir.keep();
INSERT INTO odd VALUES (1, 2, 3, 4, 5, 6, 7, 8, 9);
DROP TRIGGER s ON odd;
INSERT INTO odd VALUES (1, 2, 3, 4, 5, 6, 7, 8, 9);
DROP TRIGGER s ON own;
CREATE TRIGGER k2 AFTER INSERT OR UPDATE ON own FOR EACH ROW EXECUTE FUNCTION fhir.keep();
CREATE TRIGGER s BEFORE INSERT OR UPDATE ON own FOR EACH ROW EXECUTE FUNCTION fhir.stamp();
INSERT INTO own (resource) VALUES ('{"resourceType":"Patient","id":"x"}') RETURNING version;
UPDATE own SET resource = resource || '{"active":true}';
DROP TABLE own, odd, history, membership;
CREATE VIEW pg_temp.history AS SELECT 1 AS id;
CREATE VIEW pg_temp.membership AS SELECT 1 AS id;
CREATE TEMP TABLE own (compartment text, type text, id text, version bigint, last_updated timestamptz, xid xid8, occurred timestamptz, resource jsonb, search fhir.keys);
CREATE TRIGGER s BEFORE INSERT OR UPDATE ON own FOR EACH ROW EXECUTE FUNCTION fhir.stamp();
INSERT INTO own (resource) VALUES ('{"resourceType":"Patient","id":"x"}');
DROP TABLE own;
DROP VIEW pg_temp.history, pg_temp.membership;

-- A table that was given away.
RESET ROLE;
ALTER TABLE guarded.history OWNER TO regress_lake_stranger;
SET ROLE regress_lake_writer;
DELETE FROM guarded.patient WHERE id = 'p1';
RESET ROLE;
ALTER TABLE guarded.history OWNER TO regress_lake_owner;

-- Row security: a policy on the parent does not reach a partition that is named itself, so each has its own.
SET ROLE regress_lake_owner;
INSERT INTO guarded.patient (resource) VALUES ('{"resourceType":"Patient","id":"hidden"}');
INSERT INTO guarded.observation (resource) VALUES
    ('{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}'),
    ('{"resourceType":"Observation","id":"o2","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/hidden"}}');
DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN SELECT relid FROM pg_partition_tree('guarded.resource') UNION ALL SELECT 'guarded.history' UNION ALL SELECT 'guarded.membership' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
        EXECUTE format('CREATE POLICY home ON %s USING (compartment = current_setting(''lake.patient'', true))', relation);
    END LOOP;
END $$;
SET ROLE regress_lake_reader;
SET lake.patient = 'Patient/p1';
SELECT type, id FROM guarded.resource ORDER BY 1, 2;
SELECT id FROM guarded.patient;
SELECT id FROM guarded.observation;
SELECT id, version FROM guarded.history ORDER BY 1, 2;
SELECT fhir.read('Patient', 'hidden');
SELECT fhir.read('Observation', 'o1')->>'id';
SELECT id FROM guarded.resource WHERE search OPERATOR(fhir.|=) '_id=hidden';
-- A writer's row goes where the policy says, history follows as the owner.
SET ROLE regress_lake_writer;
SET lake.patient = 'Patient/p1';
UPDATE guarded.patient SET resource = resource || '{"gender":"female"}' RETURNING id, version;
INSERT INTO guarded.patient (resource) VALUES ('{"resourceType":"Patient","id":"other"}');

RESET ROLE;
SET client_min_messages = error;
SELECT fhir.drop_lake('guarded', true);
DROP OWNED BY regress_lake_owner, regress_lake_writer, regress_lake_reader, regress_lake_stranger;
DROP ROLE regress_lake_owner, regress_lake_writer, regress_lake_reader, regress_lake_stranger;

-- Question: does every write get id, version, meta and history, whichever way it comes, and is bad input refused with its reason?
\set VERBOSITY default
\pset null '<null>'
SELECT fhir.create_lake();

-- What is stored, with the parts that differ from run to run masked.
CREATE VIEW pg_temp.patients AS
SELECT compartment = 'Patient/' || id AS home, type, version, occurred, xid = pg_current_xact_id_if_assigned() AS mine,
       (resource->'meta'->>'lastUpdated')::timestamptz = last_updated AS same_time,
       resource #- '{meta,lastUpdated}' #- '{id}' AS resource,
       resource->>'id' = id AS same_id
FROM lake.patient;

-- An id of the server: a UUID of version 7, later ones sort later.
INSERT INTO lake.patient (resource) SELECT '{"resourceType":"Patient"}' FROM generate_series(1, 3);
SELECT bool_and(id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'), count(DISTINCT id) FROM lake.patient;
DELETE FROM lake.patient;

-- Whatever a user writes into the other columns is overwritten; digits and the rest of meta are kept.
BEGIN;
INSERT INTO lake.patient (compartment, type, id, version, last_updated, xid, occurred, resource, search)
VALUES ('x', 'Patient', 'mine', 99, 'epoch', '5', 'epoch',
        '{"resourceType":"Patient","extension":[{"url":"http://x","valueDecimal":1.10}],"meta":{"versionId":"7","tag":[{"code":"t"}],"lastUpdated":"1999-01-01T00:00:00Z"}}',
        fhir.keys('{}'::jsonb));
SELECT * FROM pg_temp.patients;
COMMIT;
DELETE FROM lake.patient;

-- Versions and history.
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p1","active":true}');
UPDATE lake.patient SET resource = jsonb_set(resource, '{active}', 'false') WHERE id = 'p1' RETURNING version, resource->'active';
-- The id may be left out of an update, but not changed.
UPDATE lake.patient SET resource = '{"resourceType":"Patient","gender":"male"}' WHERE id = 'p1' RETURNING version, id;
UPDATE lake.patient SET resource = '{"resourceType":"Patient","id":"p2"}' WHERE id = 'p1';
-- What changes nothing makes no version, and is still counted and returned.
UPDATE lake.patient SET version = 70, search = fhir.keys('{}'::jsonb), occurred = 'epoch' WHERE id = 'p1' RETURNING version, occurred;
UPDATE lake.patient SET resource = jsonb_set(resource, '{meta,versionId}', '"9"') WHERE id = 'p1' RETURNING version, resource->'meta'->'versionId';
SELECT search::text = fhir.keys(resource)::text AS keys_are_current FROM lake.patient WHERE id = 'p1';
DELETE FROM lake.patient WHERE id = 'p1';
SELECT type, id, version, method, resource IS NULL AS gone, superseded FROM lake.history WHERE id = 'p1' AND method = 'DELETE';
SELECT h.version, h.method, h.resource->'meta'->>'versionId' AS meta, h.superseded = n.last_updated AS adjoining
FROM lake.history h LEFT JOIN lake.history n ON (n.type, n.id, n.version) = (h.type, h.id, h.version + 1)
WHERE h.id = 'p1' ORDER BY 1;
-- After a deletion the count goes on.
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p1"}') RETURNING version;
SELECT version, method, resource IS NULL AS gone FROM fhir.history('Patient', 'p1');

-- Times of versions grow, also within a transaction and within a statement.
BEGIN;
UPDATE lake.patient SET resource = resource || '{"gender":"female"}' WHERE id = 'p1';
UPDATE lake.patient SET resource = resource || '{"gender":"other"}' WHERE id = 'p1';
COMMIT;
SELECT bool_and(last_updated < superseded) FROM lake.history WHERE id = 'p1';

-- Through the parent, and upserts.
INSERT INTO lake.resource (type, resource) VALUES ('Patient', '{"resourceType":"Patient","id":"p3"}') RETURNING tableoid::regclass, version;
INSERT INTO lake.patient AS r (resource) VALUES ('{"resourceType":"Patient","id":"p3","active":true}'), ('{"resourceType":"Patient","id":"p4"}')
ON CONFLICT (type, id) DO UPDATE SET resource = EXCLUDED.resource RETURNING id, version;
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p3","active":false}') ON CONFLICT DO NOTHING;
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p3"}');
UPDATE lake.resource SET resource = resource || '{"active":false}' WHERE type = 'Patient' AND id = 'p3' RETURNING version;
COPY lake.patient (resource) FROM stdin;
{"resourceType":"Patient","id":"copied"}
\.
SELECT version FROM lake.patient WHERE id = 'copied';

-- What is refused.
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","gender":"none","nickname":"x"}');
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Observation","status":"final","code":{"text":"x"}}');
INSERT INTO lake.resource (type, resource) VALUES ('Patient', '{"resourceType":"Observation","status":"final","code":{"text":"x"}}');
INSERT INTO lake.resource (resource) VALUES ('{"resourceType":"Patient"}');
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Person"}');
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"patient"}');
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Nothing"}');
INSERT INTO lake.patient (resource) VALUES ('{"id":"x"}');
INSERT INTO lake.patient (resource) VALUES ('[]');
INSERT INTO lake.patient (resource) VALUES ('7');
INSERT INTO lake.patient (resource) VALUES (NULL);
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"a/b"}');
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":7}');
INSERT INTO lake.patient (resource) VALUES (jsonb_build_object('resourceType', 'Patient', 'id', repeat('x', 65)));
TRUNCATE lake.patient;
TRUNCATE lake.resource;
TRUNCATE lake.history;
SELECT fhir.stamp();

-- Without validation the store still wants a type and an id.
SET fhir.validation = off;
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"loose","gender":"none"}') RETURNING version;
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"a/b"}');
RESET fhir.validation;
UPDATE lake.patient SET version = 1 WHERE id = 'loose' RETURNING version;
UPDATE lake.patient SET resource = resource || '{"active":true}' WHERE id = 'loose';

-- More than one compartment.
INSERT INTO lake.appointment (resource) VALUES ('{"resourceType":"Appointment","id":"a","status":"booked","start":"2020-01-02T03:04:05Z","end":"2020-01-02T04:04:05Z","participant":[
  {"actor":{"reference":"Patient/p1"},"status":"accepted"},{"actor":{"reference":"Patient/p2"},"status":"accepted"},{"actor":{"reference":"Patient/p3"},"status":"accepted"}]}');
SELECT compartment, occurred AT TIME ZONE 'UTC' FROM lake.appointment;
SELECT compartment, occurred AT TIME ZONE 'UTC', type, id FROM lake.membership ORDER BY 1;
UPDATE lake.appointment SET resource = resource #- '{participant,1}';
SELECT compartment FROM lake.membership ORDER BY 1;
DELETE FROM lake.appointment;
SELECT count(*) FROM lake.membership;

-- A user's own trigger comes before the stamp, whatever it is called, so that the stamp sees what it wrote.
CREATE FUNCTION pg_temp.tag() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.resource := jsonb_set(NEW.resource, '{gender}', '"other"');
    RETURN NEW;
END $$;
CREATE TRIGGER tag BEFORE INSERT ON lake.patient FOR EACH ROW EXECUTE FUNCTION pg_temp.tag();
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"tagged"}') RETURNING resource->>'gender', search OPERATOR(fhir.|=) 'gender=other' AS found;
DROP TRIGGER tag ON lake.patient;
-- An error of a user's trigger keeps its code.
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no more' USING ERRCODE = 'XY123', CONSTRAINT = 'none';
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON lake.history FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse();
DO $$
DECLARE
    code text; name text; context text;
BEGIN
    DELETE FROM lake.patient WHERE id = 'tagged';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, name = CONSTRAINT_NAME;
    RAISE NOTICE '% % %', SQLERRM, code, name;
END $$;
DROP TRIGGER refuse ON lake.history;
SELECT count(*) FROM lake.patient WHERE id = 'tagged';

-- Functions.
SELECT fhir.create('{"resourceType":"Patient","id":"ignored","active":true}') - 'id' #- '{meta,lastUpdated}';
SELECT fhir.update('{"resourceType":"Patient","id":"f1"}') #- '{meta,lastUpdated}';
SELECT fhir.update('{"resourceType":"Patient","id":"f1","active":true}') #- '{meta,lastUpdated}';
SELECT fhir.update('{"resourceType":"Patient"}');
SELECT fhir.read('Patient', 'f1') #- '{meta,lastUpdated}';
SELECT fhir.vread('Patient', 'f1', 1) #- '{meta,lastUpdated}', fhir.vread('Patient', 'f1', 2)->'active';
SELECT fhir.vread('Patient', 'f1', 3);
SELECT fhir.delete('Patient', 'f1'), fhir.delete('Patient', 'f1');
SELECT fhir.vread('Patient', 'f1', 3);
SELECT fhir.read('Patient', 'f1');
SELECT fhir.read('Patient', 'never');
SELECT fhir.read('patient', 'f1');
SELECT fhir.read('Nothing', 'f1');
SELECT fhir.read('Patient', NULL);
\set VERBOSITY sqlstate
SELECT fhir.read('Patient', 'f1');
SELECT fhir.read('Patient', 'never');
\set VERBOSITY default
SELECT version, method, resource->'active' AS active FROM fhir.history('Patient', 'f1');
SELECT fhir.update('{"resourceType":"Patient","id":"f1"}')->'meta'->>'versionId';
-- Not what replication or a restore writes.
SET session_replication_role = replica;
INSERT INTO lake.patient SELECT (r).* FROM (SELECT r FROM lake.patient r WHERE id = 'f1') s ON CONFLICT DO NOTHING;
UPDATE lake.patient SET version = 44 WHERE id = 'f1' RETURNING version;
RESET session_replication_role;

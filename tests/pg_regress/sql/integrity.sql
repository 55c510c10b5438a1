-- References that lead nowhere: off, warn, enforce; https://hl7.org/fhir/R4/references.html
\set VERBOSITY verbose
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = warning;
SET search_path = public, fhir;
SELECT fhir.create_lake();

-- error messages without the line of the library
CREATE FUNCTION attempt(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE command;
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
    RETURN 'done';
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''));
END
$$;
CREATE FUNCTION encounter(id text, subject text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('resourceType', 'Encounter', 'id', id, 'status', 'finished', 'class', '{"code": "AMB"}'::jsonb,
        'subject', jsonb_build_object('reference', subject)) || more
$$;

-- off is the default: nothing is asked
SELECT fhir.integrity();
INSERT INTO lake.encounter (resource) VALUES (encounter('old', 'Patient/gone'));
SELECT * FROM fhir.dangling_references();

-- enforce
SELECT attempt($$SELECT fhir.set_integrity('strict')$$);
SELECT attempt($$SELECT fhir.set_integrity('warn', 'nowhere')$$);
SELECT fhir.set_integrity('enforce');
SELECT fhir.integrity();
SELECT attempt($$INSERT INTO lake.encounter (resource) VALUES (encounter('e', 'Patient/p'))$$);
SELECT attempt($$INSERT INTO lake.encounter (resource) VALUES (encounter('e', 'Patient/p/_history/3', '{"hospitalization": {"origin": {"reference": "Location/l"}}}'))$$);
SELECT attempt($$SELECT fhir.update(encounter('e', 'Patient/p'))$$);
-- any order within a transaction
BEGIN;
INSERT INTO lake.encounter (resource) VALUES (encounter('e', 'Patient/p'));
INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient", "id": "p"}');
COMMIT;
-- what was written in between and is gone again does not count
BEGIN;
INSERT INTO lake.encounter (resource) VALUES (encounter('f', 'Patient/nobody'));
UPDATE lake.encounter SET resource = encounter('f', 'Patient/p') WHERE id = 'f';
INSERT INTO lake.encounter (resource) VALUES (encounter('g', 'Patient/nobody'));
DELETE FROM lake.encounter WHERE id = 'g';
COMMIT;
-- but what a transaction writes twice is asked for what it leaves
SELECT attempt($$
    INSERT INTO lake.encounter (resource) VALUES (encounter('g', 'Patient/nobody'));
    UPDATE lake.encounter SET resource = encounter('g', 'Patient/nobody', '{"priority": {"text": "x"}}') WHERE id = 'g'$$);
-- what was wrong before may stay so
SELECT attempt($$UPDATE lake.encounter SET resource = resource || '{"priority": {"text": "x"}}' WHERE id = 'old'$$);
SELECT attempt($$UPDATE lake.encounter SET resource = encounter('old', 'Patient/other') WHERE id = 'old'$$);
-- not of this server, or not of this kind
SELECT attempt($$INSERT INTO lake.encounter (resource) VALUES
    (encounter('1', 'http://elsewhere.org/fhir/Patient/x')),
    (encounter('2', 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0')),
    (encounter('3', '#c', '{"contained": [{"resourceType": "Patient", "id": "c"}]}')),
    (encounter('4', '#c', '{"subject": {"identifier": {"value": "x"}, "display": "Patient/no"}}'))$$);
SELECT attempt($$INSERT INTO lake.bundle (resource) VALUES
    (jsonb_build_object('resourceType', 'Bundle', 'id', 'b', 'type', 'collection', 'entry', jsonb_build_array(jsonb_build_object('resource', encounter('x', 'Patient/x')))))$$);
-- in what a contained resource says
SELECT attempt($$INSERT INTO lake.encounter (resource) VALUES (encounter('5', 'Patient/p', '{"contained": [{"resourceType": "PractitionerRole", "id": "r", "organization": {"reference": "Organization/o"}}]}'))$$);

-- deleting
SELECT attempt($$DELETE FROM lake.patient WHERE id = 'p'$$);
SELECT attempt($$SELECT fhir.delete('Patient', 'p')$$);
-- held by an extension alone, which no search parameter finds
INSERT INTO lake.device (resource) VALUES ('{"resourceType": "Device", "id": "d"}');
INSERT INTO lake.basic (resource) VALUES ('{"resourceType": "Basic", "id": "b", "code": {"text": "x"}, "extension": [{"url": "http://x.org", "valueReference": {"reference": "Device/d"}}]}');
SELECT attempt($$DELETE FROM lake.device$$);
SELECT * FROM fhir.referring('{Device/d,Patient/p}');
-- away and back, or with all that points at it
BEGIN;
DELETE FROM lake.patient WHERE id = 'p';
INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient", "id": "p", "active": true}');
COMMIT;
BEGIN;
DELETE FROM lake.device;
DELETE FROM lake.basic;
COMMIT;
-- a resource that refers to itself may go
INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient", "id": "self", "link": [{"other": {"reference": "Patient/self"}, "type": "seealso"}]}');
DELETE FROM lake.patient WHERE id = 'self';
-- existence is not remembered across a deletion
SELECT attempt($$
    INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient", "id": "q"}');
    INSERT INTO lake.encounter (resource) VALUES (encounter('q', 'Patient/q'));
    SET CONSTRAINTS ALL IMMEDIATE;
    DELETE FROM lake.encounter WHERE id = 'q';
    DELETE FROM lake.patient WHERE id = 'q';
    INSERT INTO lake.encounter (resource) VALUES (encounter('q', 'Patient/q'))$$);
SELECT attempt($$TRUNCATE lake.patient$$);

-- Many at once. First all that refers to them stays, then some, then none.
INSERT INTO lake.patient (resource) SELECT jsonb_build_object('resourceType', 'Patient', 'id', 'm' || n) FROM generate_series(1, 250) n;
INSERT INTO lake.encounter (resource) SELECT encounter('m' || n, 'Patient/m' || n) FROM generate_series(1, 250) n;
INSERT INTO lake.basic (resource) VALUES ('{"resourceType": "Basic", "id": "m", "code": {"text": "x"}, "extension": [{"url": "http://x.org", "valueReference": {"reference": "Patient/m249"}}]}');
SELECT attempt($$DELETE FROM lake.patient WHERE id LIKE 'm%'$$) LIKE '23503 | Patient/m% is still referred to from type % | at %';
SELECT attempt($$DELETE FROM lake.encounter WHERE id LIKE 'm%' AND id <> 'm222'; DELETE FROM lake.basic WHERE id = 'm'; DELETE FROM lake.patient WHERE id LIKE 'm%'$$);
SELECT attempt($$DELETE FROM lake.patient WHERE id LIKE 'm%' AND id <> 'm249'; DELETE FROM lake.encounter WHERE id LIKE 'm%' AND id <> 'm222'$$);
SELECT attempt($$DELETE FROM lake.patient WHERE id LIKE 'm%'; DELETE FROM lake.encounter WHERE id LIKE 'm%'$$);
-- at once after each statement too
SELECT attempt($$SET CONSTRAINTS ALL IMMEDIATE; DELETE FROM lake.encounter WHERE id LIKE 'm%' AND id <> 'm7'; DELETE FROM lake.patient WHERE id LIKE 'm%' AND id <> 'm249'$$);
-- also what a trigger of the user removes row by row, where those behind it still have theirs
CREATE FUNCTION cascade() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM lake.encounter WHERE id = OLD.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER cascade AFTER DELETE ON lake.patient FOR EACH ROW EXECUTE FUNCTION cascade();
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
DELETE FROM lake.patient WHERE id LIKE 'm11%';
SELECT count(*) FROM lake.encounter WHERE id LIKE 'm%';
ROLLBACK;
DROP TRIGGER cascade ON lake.patient;
DROP FUNCTION cascade();
-- an answer does not outlive the savepoint in which it was given
BEGIN;
DELETE FROM lake.patient WHERE id IN ('m1', 'm2');
SAVEPOINT s;
DELETE FROM lake.encounter WHERE id IN ('m1', 'm2');
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK TO s;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
-- nor the id that comes back with what refers to it
BEGIN;
DELETE FROM lake.encounter WHERE id IN ('m1', 'm2', 'm3');
DELETE FROM lake.patient WHERE id IN ('m1', 'm2', 'm3');
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient", "id": "m2"}');
INSERT INTO lake.encounter (resource) VALUES (encounter('m2', 'Patient/m2'));
DELETE FROM lake.patient WHERE id IN ('m2', 'm4');
DELETE FROM lake.encounter WHERE id = 'm4';
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
-- 500 resources go, and the table of what refers to patients is not asked for each
BEGIN;
DELETE FROM lake.basic WHERE id = 'm';
DELETE FROM lake.encounter WHERE id LIKE 'm%';
DELETE FROM lake.patient WHERE id LIKE 'm%';
SELECT idx_scan AS before FROM pg_stat_xact_user_tables WHERE relid = 'lake.encounter'::regclass \gset
SET CONSTRAINTS ALL IMMEDIATE;
SELECT idx_scan - :before < 50 FROM pg_stat_xact_user_tables WHERE relid = 'lake.encounter'::regclass;
COMMIT;
SELECT count(*) FROM lake.resource WHERE id LIKE 'm%';
-- the trigger is for deletions alone
CREATE TRIGGER wrong BEFORE INSERT ON lake.patient FOR EACH ROW EXECUTE FUNCTION fhir.note_deletion();
SELECT attempt($$INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient"}')$$);
DROP TRIGGER wrong ON lake.patient;

-- A plain writer, from whom policies hide patients: existence is asked as the owner, and nobody can turn it off for himself.
CREATE ROLE regress_integrity;
SELECT fhir.grant_lake('lake', 'regress_integrity', 'write');
GRANT USAGE ON SCHEMA public TO regress_integrity;
ALTER TABLE lake.patient ENABLE ROW LEVEL SECURITY;
ALTER TABLE lake.patient FORCE ROW LEVEL SECURITY;
SET ROLE regress_integrity;
SELECT count(*) FROM lake.patient;
SELECT attempt($$INSERT INTO lake.encounter (resource) VALUES (encounter('plain', 'Patient/p'))$$);
SELECT attempt($$INSERT INTO lake.encounter (resource) VALUES (encounter('plain2', 'Patient/none'))$$);
SELECT attempt($$SELECT fhir.set_integrity('off')$$);
SELECT attempt($$ALTER TABLE lake.encounter DISABLE TRIGGER ALL$$);
SELECT attempt($$SELECT * FROM fhir.dangling_references()$$);
SELECT attempt($$SELECT * FROM fhir.referenced('Patient')$$);
SELECT * FROM fhir.referring('{Patient/p}');
RESET ROLE;
ALTER TABLE lake.patient DISABLE ROW LEVEL SECURITY;
ALTER TABLE lake.patient NO FORCE ROW LEVEL SECURITY;
-- who may not see who refers learns that somebody does, and of which type
ALTER TABLE lake.encounter ENABLE ROW LEVEL SECURITY;
SET ROLE regress_integrity;
SELECT count(*) FROM lake.encounter;
SELECT attempt($$DELETE FROM lake.patient WHERE id = 'p'$$);
SELECT * FROM fhir.referring('{Patient/p}');
RESET ROLE;
ALTER TABLE lake.encounter DISABLE ROW LEVEL SECURITY;

-- warn: one warning when the transaction commits
SELECT fhir.set_integrity('warn');
SELECT fhir.integrity();
\set VERBOSITY default
BEGIN;
INSERT INTO lake.encounter (resource) SELECT encounter('w' || n, 'Patient/w' || n) FROM generate_series(1, 7) n;
DELETE FROM lake.patient WHERE id = 'p';
SAVEPOINT s;
INSERT INTO lake.encounter (resource) VALUES (encounter('w8', 'Patient/w8'));
ROLLBACK TO s;
COMMIT;
BEGIN;
INSERT INTO lake.encounter (resource) VALUES (encounter('w9', 'Patient/w9'));
ROLLBACK;
INSERT INTO lake.encounter (resource) VALUES (encounter('w10', 'Patient/w10', '{"hospitalization": {"origin": {"reference": "Location/l"}}}'));

-- of many that go together too
INSERT INTO lake.patient (resource) SELECT jsonb_build_object('resourceType', 'Patient', 'id', 'v' || n) FROM generate_series(1, 4) n;
INSERT INTO lake.encounter (resource) SELECT encounter('v' || n, 'Patient/v' || n) FROM generate_series(1, 4) n;
BEGIN;
DELETE FROM lake.encounter WHERE id IN ('v1', 'v3');
DELETE FROM lake.patient WHERE id LIKE 'v%';
COMMIT;
BEGIN;
DELETE FROM lake.encounter WHERE id LIKE 'v%';
COMMIT;

-- what leads nowhere
SELECT * FROM fhir.dangling_references() ORDER BY 1, 2, 3;
SELECT count(*) FROM fhir.dangling_references('Patient');
SELECT attempt($$SELECT * FROM fhir.dangling_references(NULL, 'nowhere')$$);
SELECT attempt($$SELECT * FROM fhir.referring('{Patient/a/b}')$$);
SELECT attempt($$SELECT * FROM fhir.referring('{"Nothing/a"}')$$);
-- as all resources read one by one say
SELECT count(*) FROM (
    (SELECT r.type, r.id, l.path, l.type || '/' || l.id FROM lake.resource r, fhir.literal_references(r.resource) l
     WHERE NOT EXISTS (SELECT FROM lake.resource t WHERE t.type = l.type AND t.id = l.id)
     EXCEPT SELECT * FROM fhir.dangling_references())
    UNION ALL
    (SELECT * FROM fhir.dangling_references()
     EXCEPT SELECT r.type, r.id, l.path, l.type || '/' || l.id FROM lake.resource r, fhir.literal_references(r.resource) l)) d;

-- off leaves nothing behind
SELECT fhir.set_integrity('off');
SELECT fhir.integrity();
SELECT to_regclass('lake.resource_unindexed_references'), (SELECT count(*) FROM pg_trigger WHERE tgfoid IN ('fhir.check_references()'::regprocedure, 'fhir.note_deletion()'::regprocedure));
INSERT INTO lake.encounter (resource) VALUES (encounter('last', 'Patient/last'));

SELECT fhir.drop_lake('lake');
DROP FUNCTION attempt(text), encounter(text, text, jsonb);
REVOKE USAGE ON SCHEMA public FROM regress_integrity;
DROP ROLE regress_integrity;

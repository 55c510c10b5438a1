-- Back to what was, and away without a trace.
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = warning;
SET search_path = public, fhir;
SELECT fhir.create_lake();
CREATE FUNCTION attempt(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE command;
    RETURN 'done';
EXCEPTION WHEN others THEN
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM);
END
$$;
-- every row of every table of the lake whose text holds the word
CREATE FUNCTION traces(word text) RETURNS TABLE (relation text, rows bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOR relation IN SELECT c.relname FROM pg_class c
                    WHERE c.relnamespace = 'lake'::regnamespace AND c.relkind = 'r' ORDER BY 1 LOOP
        EXECUTE format('SELECT count(*) FROM lake.%I x WHERE strpos(x::text, $1) > 0', relation) INTO rows USING word;
        IF rows > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;

-- Reverting one resource -------------------------------------------------------------------------------------------------
INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient", "id": "p", "birthDate": "1974", "meta": {"tag": [{"code": "t"}]}}');
SELECT pg_sleep(0.002); SELECT clock_timestamp() AS first \gset
SELECT pg_sleep(0.002);
UPDATE lake.patient SET resource = resource || '{"birthDate": "1975", "active": true}' WHERE id = 'p';
SELECT pg_sleep(0.002); SELECT clock_timestamp() AS second \gset
SELECT attempt($$SELECT fhir.revert('Patient', 'p')$$);
SELECT attempt($$SELECT fhir.revert('Patient', 'p', 1, now())$$);
SELECT attempt($$SELECT fhir.revert('Patient', 'p', 9)$$);
SELECT attempt($$SELECT fhir.revert('Patient', 'nobody', as_of => now())$$);
SELECT attempt($$SELECT fhir.revert('Nobody', 'p', 1)$$);
SELECT fhir.revert('Patient', 'p', 1);
SELECT fhir.revert('Patient', 'p', as_of => :'first');
SELECT fhir.revert('Patient', 'p', as_of => :'second');
SELECT fhir.revert('Patient', 'p', as_of => '2000-01-01');
SELECT version FROM lake.patient;
-- the preview is what is done
SELECT fhir.json_patch(resource, fhir.revert('Patient', 'p', 1)) #- '{meta,versionId}' #- '{meta,lastUpdated}'
     = fhir.revert('Patient', 'p', 1, preview => false) #- '{meta,versionId}' #- '{meta,lastUpdated}' AS same FROM lake.patient;
SELECT version, resource #- '{meta,lastUpdated}' FROM lake.patient;
-- nothing to do: no version
SELECT fhir.revert('Patient', 'p', 1);
SELECT fhir.revert('Patient', 'p', 1, preview => false)->'meta'->'versionId';
-- back from a deletion
DELETE FROM lake.patient;
SELECT attempt($$SELECT fhir.revert('Patient', 'p', 4)$$);
SELECT fhir.revert('Patient', 'p', 2) #- '{0,value,meta,lastUpdated}';
SELECT fhir.revert('Patient', 'p', 2, preview => false)->'active';
SELECT version, method FROM fhir.history('Patient', 'p');
-- and away, where it was not there yet
SELECT fhir.revert('Patient', 'p', as_of => '2000-01-01', preview => false);
SELECT version, method FROM fhir.history('Patient', 'p', count => 1);

-- nothing is written but by who says so, and nothing is of nothing
SELECT fhir.revert('Patient', 'p', 2, preview => NULL) -> 0 -> 'op' AS shown, (SELECT max(version) FROM fhir.history('Patient', 'p')) AS version;
SELECT fhir.revert(NULL, 'p', 2) AS no_type, fhir.revert('Patient', NULL, 2, preview => false) AS no_id;

-- Reverting what a search finds, and a record -----------------------------------------------------------------------------
CREATE FUNCTION observation(id text, patient text, status text, performer text DEFAULT NULL) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('resourceType', 'Observation', 'id', id, 'status', status, 'code', '{"text": "x"}'::jsonb,
        'subject', jsonb_build_object('reference', 'Patient/' || patient)))
        || CASE WHEN performer IS NULL THEN '{}' ELSE jsonb_build_object('performer', jsonb_build_array(jsonb_build_object('reference', performer))) END
$$;
SELECT fhir.revert('Patient', 'p', 2, preview => false)->'id';
INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient", "id": "q", "name": [{"family": "Quux"}]}');
INSERT INTO lake.observation (resource) SELECT observation(id, patient, 'final')
    FROM (VALUES ('same', 'p'), ('changed', 'p'), ('deleted', 'p'), ('moved', 'p'), ('other', 'q')) v (id, patient);
SELECT pg_sleep(0.002); SELECT clock_timestamp() AS then \gset
SELECT pg_sleep(0.002);
UPDATE lake.observation SET resource = observation('changed', 'p', 'amended') WHERE id = 'changed';
UPDATE lake.observation SET resource = observation('changed', 'p', 'corrected') WHERE id = 'changed';
UPDATE lake.observation SET resource = observation('same', 'p', 'amended') WHERE id = 'same';
UPDATE lake.observation SET resource = observation('same', 'p', 'final') WHERE id = 'same';
UPDATE lake.observation SET resource = observation('moved', 'q', 'final') WHERE id = 'moved';
UPDATE lake.observation SET resource = observation('other', 'q', 'amended') WHERE id = 'other';
DELETE FROM lake.observation WHERE id = 'deleted';
INSERT INTO lake.observation (resource) VALUES (observation('new', 'p', 'final'));
SELECT * FROM fhir.revert_where('Observation?status=corrected', :'then');
SELECT * FROM fhir.revert_where('Observation?subject=Patient/p', :'then');
SELECT * FROM fhir.revert_where('Patient/p', :'then');
SELECT * FROM fhir.revert_where('Patient/p', clock_timestamp());
SELECT count(*) FROM lake.observation WHERE version > 1;
SELECT * FROM fhir.revert_where('Patient/p', :'then', preview => false);
SELECT id, version, compartment, resource->>'status' AS status FROM lake.observation ORDER BY id;
SELECT * FROM fhir.revert_where('Patient/p', :'then');
-- what it was before is in history: so the revert can be reverted
SELECT version, method FROM fhir.history('Observation', 'deleted');
SELECT attempt($$SELECT * FROM fhir.revert_where('Observation?nothing=1', now())$$);

-- Erasing -----------------------------------------------------------------------------------------------------------------
INSERT INTO lake.entity (compartment, type, id, version, lexicon, number, path, first, last, text, category, kind, section, score, certainty, temporality, subject, conditionality, attributes, concepts, codes, origin, status, search)
    VALUES ('Patient/p', 'Observation', 'changed', 1, 'l', 1, 'Observation.note[0].text', 0, 3, 'abc', 'problem', 'SYMPTOM', '', 1, 'positive', 'current', 'patient', 'unconditional', '[]', '[]', fhir.entity_codes('[]'), 'term', 'current', fhir.entity_keys('abc', '[]'));
INSERT INTO lake.entity_run (compartment, type, id, version, lexicon, min_score, found) VALUES ('Patient/p', 'Observation', 'changed', 1, 'l', 0, 1);
INSERT INTO lake.load (file) VALUES ('f');
INSERT INTO lake.load_error SELECT 1, n, 0, 'f', NULL, 'broken', line FROM (VALUES
    (1, '{"resourceType": "Observation", "id": "changed", "status": 7'),
    (2, '{"resourceType":"Encounter","id":"x","reason":{"reference":"Observation/changed"}'),
    (3, '{"resourceType":"Observation","id":"changed2"}'),
    (4, '{"resourceType":"Patient","id":"p","name":[{"family":"Secretname"'),
    (5, 'nothing')) v (n, line);
SELECT * FROM fhir.erase('Observation', 'changed');
SELECT * FROM traces('"changed"');
SELECT * FROM fhir.erase('Observation', 'changed');
SELECT line FROM lake.load_error ORDER BY 1;
SELECT attempt($$SELECT fhir.read('Observation', 'changed')$$), (SELECT count(*) FROM fhir.history('Observation', 'changed')),
    (SELECT count(*) FROM fhir.search_rows('Observation?_id=changed', as_of => :'then'));
SELECT attempt($$SELECT fhir.revert('Observation', 'changed', 1)$$);
-- as if it had never been
SELECT fhir.update(observation('changed', 'p', 'final'))->'meta'->'versionId';
-- only history is left of it
DELETE FROM lake.observation WHERE id = 'changed';
SELECT * FROM fhir.erase('Observation', 'changed');

-- Purging a patient -------------------------------------------------------------------------------------------------------
UPDATE lake.patient SET resource = resource || '{"name": [{"family": "Secretname"}], "identifier": [{"system": "http://x.org", "value": "SECRET-1"}]}' WHERE id = 'p';
UPDATE lake.patient SET resource = resource || '{"id": "p", "gender": "female"}' WHERE id = 'p';
INSERT INTO lake.appointment (resource) VALUES ('{"resourceType": "Appointment", "id": "both", "status": "booked", "participant": [
    {"actor": {"reference": "Patient/p"}, "status": "accepted"}, {"actor": {"reference": "Patient/q"}, "status": "accepted"}]}');
INSERT INTO lake.appointment (resource) VALUES ('{"resourceType": "Appointment", "id": "own", "status": "booked", "participant": [
    {"actor": {"reference": "Patient/p"}, "status": "accepted"}]}');
INSERT INTO lake.basic (resource) VALUES ('{"resourceType": "Basic", "id": "outside", "code": {"text": "x"}, "extension": [{"url": "http://x.org", "valueReference": {"reference": "Observation/new2"}}]}');
INSERT INTO lake.observation (resource) VALUES (observation('new2', 'p', 'final', 'Patient/p'));
INSERT INTO lake.observation (resource) VALUES (observation('of-q', 'q', 'final', 'Patient/q') || '{"focus": [{"reference": "Patient/p"}]}');
INSERT INTO lake.observation (resource) VALUES (observation('shared', 'p', 'final', 'Patient/q'));
INSERT INTO lake.entity (compartment, type, id, version, lexicon, number, path, first, last, text, category, kind, section, score, certainty, temporality, subject, conditionality, attributes, concepts, codes, origin, status, search)
    VALUES ('Patient/p', 'Observation', 'new2', 1, 'l', 1, 'Observation.note[0].text', 0, 3, 'Secretname', 'name', 'SYMPTOM', '', 1, 'positive', 'current', 'patient', 'unconditional', '[]', '[]', fhir.entity_codes('[]'), 'term', 'current', fhir.entity_keys('Secretname', '[]'));
INSERT INTO lake.entity_run (compartment, type, id, version, lexicon, min_score, found) VALUES ('Patient/p', 'Observation', 'new2', 1, 'l', 0, 1);
SELECT attempt($$SELECT * FROM fhir.purge('')$$), attempt($$SELECT * FROM fhir.purge('Group/p')$$);
SELECT * FROM fhir.purge('nobody');
SELECT fhir.set_integrity('warn');
SELECT * FROM fhir.purge('Patient/p');
SELECT count(*) FROM lake.observation;
SELECT * FROM fhir.purge('p', preview => false);
SELECT type, id, reference FROM fhir.dangling_references();
-- what stays is others' and says so
SELECT * FROM traces('Patient/p');
SELECT * FROM traces('Secretname');
SELECT * FROM fhir.purge('p', preview => false, shared => true);
SELECT type, id, reference FROM fhir.dangling_references();
SELECT fhir.set_integrity('off');
SELECT * FROM traces('Secretname');
SELECT * FROM traces('SECRET');
SELECT * FROM traces('Patient/p');
SELECT * FROM traces('"p"');
SELECT * FROM fhir.referring('{Patient/p}');
SELECT (SELECT count(*) FROM fhir.search_rows('Patient?name=Secretname')) AS search, (SELECT count(*) FROM fhir.search_rows('Patient?identifier=SECRET-1')) AS identifier,
    (SELECT count(*) FROM fhir.search_rows('Patient?_id=p', as_of => :'then')) AS past, (SELECT count(*) FROM fhir.history('Patient', 'p')) AS history;
SELECT fhir.search_count('Patient?name=Secretname'), attempt($$SELECT fhir.read('Patient', 'p')$$), attempt($$SELECT fhir.vread('Patient', 'p', 1)$$);
-- others' is as it was
SELECT id FROM lake.observation ORDER BY 1;
SELECT id FROM lake.patient;

-- Who may -----------------------------------------------------------------------------------------------------------------
CREATE ROLE regress_writer;
CREATE ROLE regress_eraser BYPASSRLS;
SELECT fhir.grant_lake('lake', 'regress_writer', 'write'), fhir.grant_lake('lake', 'regress_eraser', 'write');
GRANT USAGE ON SCHEMA public TO regress_writer, regress_eraser;
SET ROLE regress_writer;
SELECT attempt($$SELECT * FROM fhir.erase('Patient', 'q')$$);
SELECT attempt($$SELECT * FROM fhir.purge('q')$$);
SELECT attempt($$DELETE FROM lake.history$$);
SELECT count(*) FROM fhir.revert_where('Patient/q', :'then');
RESET ROLE;
-- all the rights on tables, but policies apply: what they hide must not be left
GRANT DELETE ON lake.history, lake.membership, lake.entity, lake.entity_run, lake.entity_review TO regress_writer, regress_eraser;
GRANT SELECT, DELETE ON lake.load_error, lake.issue, lake.stored TO regress_writer, regress_eraser;
ALTER TABLE lake.history ENABLE ROW LEVEL SECURITY;
SET ROLE regress_writer;
SELECT attempt($$SELECT * FROM fhir.erase('Patient', 'q')$$);
SELECT attempt($$SELECT * FROM fhir.purge('q', preview => false)$$);
RESET ROLE;
SELECT count(*) FROM lake.patient WHERE id = 'q';
SET ROLE regress_eraser;
SELECT * FROM fhir.erase('Patient', 'q');
RESET ROLE;
SELECT count(*) FROM fhir.history('Patient', 'q');
-- Under policies one reverts what one sees.
ALTER TABLE lake.observation ENABLE ROW LEVEL SECURITY;
CREATE POLICY most ON lake.observation USING (id <> 'of-q');
UPDATE lake.observation SET resource = resource || '{"status": "corrected"}';
SET ROLE regress_writer;
-- what history hides is not taken for what was not
SELECT attempt($$SELECT fhir.revert('Observation', 'other', as_of => $$ || quote_literal(:'then') || $$)$$);
SELECT attempt($$SELECT fhir.revert_where('Patient/q', $$ || quote_literal(:'then') || $$)$$);
RESET ROLE;
CREATE POLICY most ON lake.history USING (id <> 'of-q');
ALTER TABLE lake.resource ENABLE ROW LEVEL SECURITY;
CREATE POLICY most ON lake.resource USING (id <> 'of-q');
SET ROLE regress_writer;
SELECT attempt($$SELECT fhir.revert('Observation', 'of-q', 1)$$);
SELECT id, action FROM fhir.revert_where('Patient/q', :'then') ORDER BY 1;
RESET ROLE;

-- With integrity enforced nobody erases what others need, unless they let go of it in the same transaction.
ALTER TABLE lake.history DISABLE ROW LEVEL SECURITY;
ALTER TABLE lake.observation DISABLE ROW LEVEL SECURITY;
ALTER TABLE lake.resource DISABLE ROW LEVEL SECURITY;
DELETE FROM lake.observation;
DELETE FROM lake.basic;
DELETE FROM lake.appointment;
SELECT fhir.set_integrity('enforce');
INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient", "id": "r"}');
INSERT INTO lake.basic (resource) VALUES ('{"resourceType": "Basic", "id": "holds", "code": {"text": "x"}, "extension": [{"url": "http://x.org", "valueReference": {"reference": "Patient/r"}}]}');
INSERT INTO lake.observation (resource) VALUES (observation('r', 'r', 'final'));
SELECT action, "table", id, count FROM fhir.purge('r', preview => false);
BEGIN;
SELECT action, "table", id, count FROM fhir.purge('r', preview => false);
UPDATE lake.basic SET resource = resource - 'extension' WHERE id = 'holds';
COMMIT;
SELECT count(*) FROM fhir.dangling_references();
SELECT count(*) FROM lake.patient;

SELECT fhir.drop_lake('lake');
DROP FUNCTION attempt(text), traces(text), observation(text, text, text, text);
REVOKE USAGE ON SCHEMA public FROM regress_writer, regress_eraser;
DROP ROLE regress_writer, regress_eraser;

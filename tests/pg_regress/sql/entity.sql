-- Question: are notes read when they should be, by every way of writing, and is what was found kept by version and lexicon?
\set VERBOSITY terse
SET client_min_messages = error;
-- What is in a note is told by the note here: each line is what a lexicon finds, so that words and scores are those of this test.
CREATE OR REPLACE FUNCTION fhir.resource_texts(resource jsonb) RETURNS TABLE (path text, content_type text, language text, text text, problem text)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT 'DocumentReference.content[0].attachment', 'text/plain', NULL, convert_from(decode(resource #>> '{content,0,attachment,data}', 'base64'), 'UTF8'), NULL
    WHERE resource #>> '{content,0,attachment,data}' IS NOT NULL $$;
CREATE TABLE lexicon_of_test (version text);
INSERT INTO lexicon_of_test VALUES ('one');
CREATE OR REPLACE FUNCTION fhir.lexicon_version() RETURNS text LANGUAGE sql STABLE AS $$ SELECT version FROM public.lexicon_of_test $$;
GRANT SELECT ON lexicon_of_test TO PUBLIC;
CREATE OR REPLACE FUNCTION fhir.resource_entities(resource jsonb, categories text[] DEFAULT NULL, min_score real DEFAULT 0)
    RETURNS TABLE (path text, id integer, category text, type text, text text, "begin" integer, "end" integer, section text, score real, certainty text,
        temporality text, subject text, conditionality text, value text, attributes jsonb, concepts jsonb, origin text)
    LANGUAGE sql STABLE AS $$
    SELECT t.path, l.place::int, f[2], f[3], f[1], strpos(t.text, l.line) - 1, strpos(t.text, l.line) - 1 + length(f[1]), 'plan', f[4]::real, f[5],
           'current', f[6], 'unconditional', NULL, '[]'::jsonb,
           CASE WHEN f[7] = '' THEN '[]' ELSE jsonb_build_array(jsonb_build_object('system', split_part(f[7], '|', 1), 'code', split_part(f[7], '|', 2)
               || CASE WHEN fhir.lexicon_version() = 'two' AND f[7] LIKE '%changed' THEN '2' ELSE '' END, 'display', f[1], 'score', 0.9)) END, 'term'
    FROM fhir.resource_texts(resource) t, string_to_table(t.text, E'\n') WITH ORDINALITY l(line, place), string_to_array(l.line, '/') f
    WHERE cardinality(f) > 1 AND f[4]::real >= min_score AND (categories IS NULL OR f[2] = ANY (categories))
      AND (f[1] NOT LIKE 'only two%' OR fhir.lexicon_version() = 'two') $$;
CREATE FUNCTION note(id text, patient text, text text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('resourceType', 'DocumentReference', 'id', id, 'status', 'current', 'date', '2024-05-01T10:00:00Z', 'subject', jsonb_build_object('reference', 'Patient/' || patient),
        'content', jsonb_build_array(jsonb_build_object('attachment', jsonb_build_object('contentType', 'text/plain', 'data', translate(encode(convert_to(text, 'UTF8'), 'base64'), E'\n', ''))))) $$;
SELECT fhir.create_lake();
CREATE FUNCTION read() RETURNS TABLE (note text, version bigint, lexicon text, found text, status text) LANGUAGE sql AS $$
    SELECT e.id, e.version, e.lexicon, e.text || ' ' || e.certainty || ' ' || array_to_string(e.codes, ','), e.status FROM lake.entity e ORDER BY e.id, e.version, e.lexicon, e.number $$;
RESET client_min_messages;

-- Nothing is read unless asked for.
SELECT * FROM fhir.notes();
INSERT INTO lake.documentreference (resource) VALUES (note('old', 'p', 'chest pain/MEDICAL_CONDITION/SYMPTOM/0.9/positive/patient/urn:s|pain'));
SELECT count(*) FROM lake.entity;
SELECT * FROM fhir.read_notes();

-- On write: INSERT, UPDATE, create, update, bundles, loads, COPY; only what has text of these types.
SELECT fhir.set_notes('on-write', min_score => 0.4, certainty => '{positive,probable,possible,negative}');
SELECT * FROM fhir.notes();
SELECT fhir.set_notes('sometimes');
SELECT fhir.set_notes('on-write', '{Note}');
SELECT fhir.set_notes('on-write', min_score => 2);
SELECT fhir.set_notes('on-write', categories => '{DRUGS}');
SELECT fhir.set_notes('on-write', certainty => '{sure}');
SELECT fhir.set_notes('on-write', lake => 'none');
INSERT INTO lake.documentreference (resource) VALUES
    (note('a', 'p', E'hypertension/MEDICAL_CONDITION/DX_NAME/0.9/positive/patient/icd|I10\nAdvil/MEDICATION/BRAND_NAME/0.8/negative/patient/urn:drug|ibuprofen\nunsure/MEDICAL_CONDITION/DX_NAME/0.3/positive/patient/\nodd/MEDICAL_CONDITION/DX_NAME/0.9/unlikely/patient/'));
INSERT INTO lake.documentreference (resource) VALUES (note('empty', 'p', 'nothing'));
SELECT fhir.create(note('x', 'p', 'asthma/MEDICAL_CONDITION/DX_NAME/0.7/possible/family/urn:s|asthma')) ->> 'resourceType';
SELECT fhir.update(note('b', 'q', 'asthma/MEDICAL_CONDITION/DX_NAME/0.7/positive/patient/urn:s|asthma')) ->> 'id';
SELECT fhir.bundle(jsonb_build_object('resourceType', 'Bundle', 'type', 'transaction', 'entry', jsonb_build_array(jsonb_build_object('resource', note('c', 'q', 'gout/MEDICAL_CONDITION/DX_NAME/0.7/positive/patient/urn:s|gout'),
    'request', '{"method":"PUT","url":"DocumentReference/c"}'::jsonb)))) #>> '{entry,0,response,status}';
SELECT note('loaded', 'q', 'loaded/MEDICAL_CONDITION/DX_NAME/0.7/positive/patient/urn:s|loaded') AS line \gset
CREATE TEMP TABLE line AS SELECT :'line'::text AS line;
DO $$
DECLARE
    path text := current_setting('data_directory') || '/entity_note';
BEGIN
    EXECUTE format('COPY (SELECT replace(line, ''"loaded"'', ''"copied"'') FROM line) TO %L (FORMAT csv, QUOTE E''\x01'', DELIMITER E''\x02'')', path);
    EXECUTE format('COPY lake.ndjson FROM %L (FORMAT csv, QUOTE E''\x01'', DELIMITER E''\x02'')', path);
    EXECUTE format('COPY (SELECT line FROM line) TO %L (FORMAT csv, QUOTE E''\x01'', DELIMITER E''\x02'')', path);
END $$;
SELECT loaded, rejected FROM fhir.load(current_setting('data_directory') || '/entity_note');
SELECT note, found FROM read() WHERE note ~ '^[a-z]' AND length(note) < 20;
SELECT count(*) FROM read() WHERE length(note) > 20;
-- that nothing was found differs from that nothing was read
SELECT id, version, lexicon, min_score, found, is_current FROM lake.entity_run WHERE id IN ('a', 'empty', 'old') ORDER BY 1;

-- A new version is read anew; findings of the old one stay, under its version. An update that changes nothing reads nothing.
UPDATE lake.documentreference SET resource = note('b', 'q', 'copd/MEDICAL_CONDITION/DX_NAME/0.7/positive/patient/urn:s|copd') WHERE id = 'b';
UPDATE lake.documentreference SET resource = resource WHERE id = 'b';
SELECT * FROM read() WHERE note = 'b';
SELECT id, version, found FROM lake.entity_run WHERE id = 'b' ORDER BY 2;
-- what is not committed is not found
BEGIN;
UPDATE lake.documentreference SET resource = note('b', 'q', 'x/MEDICAL_CONDITION/DX_NAME/0.7/positive/patient/urn:s|x') WHERE id = 'b';
SELECT count(*) FROM read() WHERE note = 'b';
ROLLBACK;
SELECT count(*) FROM read() WHERE note = 'b';

-- On demand: what is not read yet, in portions.
SELECT * FROM fhir.read_notes();
SELECT * FROM fhir.read_notes();
SELECT fhir.set_notes('off');
SELECT count(*) FROM fhir.notes();
SELECT fhir.set_notes('on-demand', '{DocumentReference}', min_score => 0.4);
SELECT * FROM fhir.notes();
INSERT INTO lake.documentreference (resource) SELECT note('d' || i, 'q', 'gout/MEDICAL_CONDITION/DX_NAME/0.7/positive/patient/urn:s|gout') FROM generate_series(1, 5) i;
SELECT count(*) FROM lake.entity_run WHERE id LIKE 'd_';
SELECT * FROM fhir.read_notes(max => 2);
SELECT * FROM fhir.read_notes('DocumentReference', batch => 2);
SELECT * FROM fhir.read_notes('DocumentReference');
SELECT * FROM fhir.read_notes('Patient');
SELECT * FROM fhir.read_notes(batch => 0);
CALL fhir.read_all_notes();

-- Another lexicon: both are kept, the newer counts, and it can be taken back.
INSERT INTO lake.documentreference (resource) VALUES (note('l', 'p', E'same/MEDICAL_CONDITION/DX_NAME/0.9/positive/patient/urn:s|same\ncode/MEDICAL_CONDITION/DX_NAME/0.9/positive/patient/urn:s|changed\nonly two/MEDICAL_CONDITION/DX_NAME/0.9/positive/patient/urn:s|new'));
SELECT * FROM fhir.read_notes();
UPDATE lexicon_of_test SET version = 'two';
SELECT * FROM fhir.read_notes();
SELECT * FROM read() WHERE note = 'l';
SELECT lexicon, is_current, found FROM lake.entity_run WHERE id = 'l' ORDER BY 1;
SELECT change, id, version, text, differs FROM fhir.entity_diff('DocumentReference', 'l', 'one', 'two');
SELECT change, count(*) FROM fhir.entity_diff('DocumentReference', NULL, 'one', 'two') GROUP BY 1 ORDER BY 1;
SELECT change, text FROM fhir.entity_diff('DocumentReference', 'l', 'two', 'one');
SELECT * FROM fhir.entity_diff('DocumentReference', NULL, 'one', NULL);
SELECT * FROM fhir.undo_notes('two');
SELECT * FROM read() WHERE note = 'l';
SELECT * FROM fhir.undo_notes('two');
SELECT * FROM fhir.undo_notes(NULL);

-- Review: what is rejected stays so, also for the next lexicon, and in later versions where the same words stand there.
SELECT fhir.review_entity('DocumentReference', 'l', 1, 'reject', 'not this patient');
SELECT fhir.review_entity('DocumentReference', 'l', 2, 'accept');
SELECT fhir.review_entity('DocumentReference', 'l', 9, 'accept');
SELECT fhir.review_entity('DocumentReference', 'l', 1, 'perhaps');
SELECT fhir.search_count('DocumentReference?entity-code=same'), fhir.search_count('DocumentReference?entity-code=changed');
SELECT * FROM fhir.read_notes();
SELECT * FROM read() WHERE note = 'l';
UPDATE lexicon_of_test SET version = 'three';
UPDATE lake.documentreference SET resource = jsonb_set(resource, '{description}', '"again"') WHERE id = 'l';
SELECT count(*) FROM (SELECT fhir.read_notes()) x;
SELECT note, version, found, status FROM read() WHERE note = 'l' AND lexicon = 'three';
SELECT verdict, text, before, behind, version, lexicon, score, certainty, note, by = CURRENT_USER AS mine FROM fhir.entity_feedback(around => 20);
DELETE FROM lake.entity_review WHERE verdict = 'reject';
SELECT text, status FROM lake.entity WHERE id = 'l' AND version = 2 ORDER BY number;

-- Rights: who writes a note needs none on findings; who reads them is told by grants and policies.
SELECT fhir.set_notes('on-write', '{DocumentReference}', min_score => 0.4);
SET client_min_messages = error;
CREATE ROLE regress_note_writer;
CREATE ROLE regress_note_reader;
RESET client_min_messages;
SELECT fhir.grant_lake('lake', 'regress_note_reader', 'read');
GRANT USAGE ON SCHEMA lake TO regress_note_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON lake.documentreference TO regress_note_writer;
SET ROLE regress_note_writer;
INSERT INTO lake.documentreference (resource) VALUES (note('w', 'p', 'fever/MEDICAL_CONDITION/SYMPTOM/0.9/positive/patient/urn:s|fever'));
SELECT count(*) FROM lake.entity;
SELECT count(*) FROM fhir.search_rows('DocumentReference?entity-code=fever');
SELECT fhir.review_entity('DocumentReference', 'w', 1, 'reject');
SET ROLE regress_note_reader;
SELECT id FROM fhir.search_rows('DocumentReference?entity-code=fever');
SELECT fhir.review_entity('DocumentReference', 'w', 1, 'reject');
SELECT * FROM fhir.read_notes();
SELECT fhir.set_notes('off');
SELECT * FROM fhir.undo_notes('one');
RESET ROLE;
SELECT fhir.grant_lake('lake', 'regress_note_reader', 'write');
SET ROLE regress_note_reader;
SELECT fhir.review_entity('DocumentReference', 'w', 1, 'reject');
RESET ROLE;
SELECT text, status FROM lake.entity WHERE id = 'w';
-- Under policies nobody judges a finding of a note that is not theirs to see, whatever compartment they name.
DELETE FROM lake.entity_review WHERE id = 'w';
ALTER TABLE lake.entity ENABLE ROW LEVEL SECURITY;
ALTER TABLE lake.entity_review ENABLE ROW LEVEL SECURITY;
CREATE POLICY home ON lake.entity USING (compartment = current_setting('regress.home'));
CREATE POLICY home ON lake.entity_review USING (compartment = current_setting('regress.home'));
SET ROLE regress_note_reader;
SET regress.home = 'Patient/other';
INSERT INTO lake.entity_review (compartment, type, id, path, first, last, category, kind, text, codes, version, lexicon, verdict)
    VALUES ('Patient/other', 'DocumentReference', 'w', 'content[0].attachment', 0, 5, 'MEDICAL_CONDITION', 'SYMPTOM', 'fever', '{urn:s|fever}', 1, 'x', 'reject');
SET regress.home = 'Patient/p';
SELECT fhir.review_entity('DocumentReference', 'w', 1, 'reject');
SELECT text, verdict, compartment FROM lake.entity_review;
RESET ROLE;
SELECT text, status FROM lake.entity WHERE id = 'w';
ALTER TABLE lake.entity DISABLE ROW LEVEL SECURITY;
ALTER TABLE lake.entity_review DISABLE ROW LEVEL SECURITY;
DROP POLICY home ON lake.entity;
DROP POLICY home ON lake.entity_review;

-- Away without a trace
SELECT * FROM fhir.erase('DocumentReference', 'l');
SELECT "table", count FROM fhir.purge('p', preview => false) WHERE action = 'erase';
SELECT count(*) FROM lake.entity WHERE compartment = 'Patient/p';
DROP OWNED BY regress_note_writer, regress_note_reader;
DROP ROLE regress_note_writer;
DROP ROLE regress_note_reader;
SELECT fhir.drop_lake('lake');

-- Question: do findings become facts only where they are facts about the patient, once, tied to their words, and can that be taken back?
\set VERBOSITY terse
SET client_min_messages = error;
-- What is in a note is told by the note here: its text is JSON, with what a lexicon finds.
CREATE OR REPLACE FUNCTION fhir.resource_entities(resource jsonb, categories text[] DEFAULT NULL, min_score real DEFAULT 0)
    RETURNS TABLE (path text, id integer, category text, type text, text text, "begin" integer, "end" integer, section text, score real, certainty text,
        temporality text, subject text, conditionality text, value text, attributes jsonb, concepts jsonb, origin text)
    LANGUAGE sql STABLE AS $$
    SELECT 'DocumentReference.content[0].attachment', l.place::int, f ->> 'category', f ->> 'type', f ->> 'text', l.place::int * 100, l.place::int * 100 + length(f ->> 'text'), 'plan',
           coalesce((f ->> 'score')::real, 0.95), coalesce(f ->> 'certainty', 'positive'), coalesce(f ->> 'temporality', 'current'), coalesce(f ->> 'subject', 'patient'),
           coalesce(f ->> 'conditionality', 'unconditional'), NULL, coalesce(f -> 'attributes', '[]'), coalesce(f -> 'concepts', '[]'), 'term'
    FROM jsonb_array_elements(convert_from(decode(resource #>> '{content,0,attachment,data}', 'base64'), 'UTF8')::jsonb) WITH ORDINALITY l(f, place)
    WHERE coalesce((f ->> 'score')::real, 0.95) >= min_score $$;
CREATE OR REPLACE FUNCTION fhir.lexicon_version() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'of the test' $$;
CREATE FUNCTION note(id text, patient text, findings text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('resourceType', 'DocumentReference', 'id', id, 'status', 'current', 'date', '2024-05-01T10:00:00Z', 'subject', jsonb_build_object('reference', patient),
        'content', jsonb_build_array(jsonb_build_object('attachment', jsonb_build_object('contentType', 'text/plain', 'data', translate(encode(convert_to(findings::jsonb::text, 'UTF8'), 'base64'), E'\n', ''))))) $$;
SELECT fhir.create_lake();
RESET client_min_messages;
SELECT fhir.set_notes('on-write', min_score => 0);
SELECT fhir.set_validation('enforce', 'invariants');
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p"}');
INSERT INTO lake.documentreference (resource) VALUES (note('n', 'Patient/p', $$[
  {"text": "hypertension", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "concepts": [
    {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10", "display": "Essential (primary) hypertension", "score": 0.9},
    {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I15.9", "display": "Secondary hypertension, unspecified", "score": 0.6},
    {"system": "http://id.nlm.nih.gov/mesh", "code": "D006973", "score": 0.9}]},
  {"text": "ankle fracture", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "temporality": "past", "attributes": [{"type": "DIRECTION", "text": "left"}, {"type": "SYSTEM_ORGAN_SITE", "text": "ankle"}],
    "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "S82.899A", "score": 0.8}]},
  {"text": "fever", "category": "MEDICAL_CONDITION", "type": "SYMPTOM", "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R50.9", "score": 0.8}]},
  {"text": "K", "category": "TEST_TREATMENT_PROCEDURE", "type": "TEST_NAME", "attributes": [{"type": "TEST_VALUE", "text": "5.2"}, {"type": "TEST_UNIT", "text": "mmol/L"}, {"type": "INTERPRETATION", "text": "H"}, {"type": "REFERENCE_RANGE", "text": "3.5-5.0"}]},
  {"text": "culture", "category": "TEST_TREATMENT_PROCEDURE", "type": "TEST_NAME", "attributes": [{"type": "TEST_VALUE", "text": "no growth"}]},
  {"text": "ECG", "category": "TEST_TREATMENT_PROCEDURE", "type": "TEST_NAME"},
  {"text": "metoprolol", "category": "MEDICATION", "type": "GENERIC_NAME", "concepts": [{"system": "http://fdasis.nlm.nih.gov", "code": "GEB06NHM23", "display": "METOPROLOL", "score": 1}],
    "attributes": [{"type": "STRENGTH", "text": "25 mg", "begin": 11}, {"type": "DOSAGE", "text": "1 tablet", "begin": 17}, {"type": "ROUTE_OR_MODE", "text": "PO", "begin": 27}, {"type": "FREQUENCY", "text": "BID", "begin": 30}]},
  {"text": "penicillin", "category": "BEHAVIORAL_ENVIRONMENTAL_SOCIAL", "type": "ALLERGIES", "concepts": [{"system": "http://fdasis.nlm.nih.gov", "code": "Q42T66VG0C", "score": 1}]}
]$$));
-- What is no fact: negated ("Tom is not prescribed Advil"), below the gate (a heart involvement of syphilis at 0.45, its code at 0.11), somebody else's,
-- under a condition, a past medication, without any code, of nobody
INSERT INTO lake.documentreference (resource) VALUES (note('wrong', 'Patient/p', $$[
  {"text": "Advil", "category": "MEDICATION", "type": "BRAND_NAME", "certainty": "negative", "concepts": [{"system": "http://fdasis.nlm.nih.gov", "code": "WK2XYI10QM", "score": 1}]},
  {"text": "heart trouble", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "score": 0.45, "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "A52.06", "score": 0.11}]},
  {"text": "heart", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "score": 0.95, "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "A52.06", "score": 0.11}]},
  {"text": "asthma", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "subject": "family", "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "J45.909", "score": 1}]},
  {"text": "bleeding", "category": "MEDICAL_CONDITION", "type": "SYMPTOM", "conditionality": "hypothetical", "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R58", "score": 1}]},
  {"text": "pneumonia", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "certainty": "possible", "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "J18.9", "score": 1}]},
  {"text": "warfarin", "category": "MEDICATION", "type": "GENERIC_NAME", "temporality": "past", "concepts": [{"system": "http://fdasis.nlm.nih.gov", "code": "5Q7ZVV76EI", "score": 1}]},
  {"text": "disorder", "category": "MEDICAL_CONDITION", "type": "DX_NAME"},
  {"text": "Boston", "category": "PROTECTED_HEALTH_INFORMATION", "type": "ADDRESS"}
]$$)), (note('nobody', 'Group/g', '[{"text": "gout", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M10.9", "score": 1}]}]'));

SELECT action, split_part(derived, '/', 1) AS of, note, number, text, score FROM fhir.derive_resources('DocumentReference', 'n', preview => true);
SELECT count(*) FROM lake.condition;
SELECT action, split_part(derived, '/', 1) AS of, text FROM fhir.derive_resources('DocumentReference');
SELECT action, count(*) FROM fhir.derive_resources('DocumentReference', 'n') GROUP BY 1;
SELECT count(*) FROM fhir.derive_resources('DocumentReference', 'wrong', min_score => 0);
SELECT action, text FROM fhir.derive_resources('DocumentReference', 'nobody');
SELECT * FROM fhir.derive_resources('Note');
SELECT * FROM fhir.derive_resources('DocumentReference', min_score => 7);
SELECT * FROM fhir.derive_resources('DocumentReference', lake => 'none');

-- valid, found by the official codes, tied to the note both ways
SELECT type, count(*), count(*) FILTER (WHERE i.severity IS NOT NULL) AS with_issues, min(i.details)
FROM lake.resource r LEFT JOIN LATERAL (SELECT * FROM fhir.issues(r.resource, 'invariants') x WHERE x.severity IN ('error', 'fatal') LIMIT 1) i ON true
WHERE type IN ('Condition', 'Observation', 'MedicationStatement', 'AllergyIntolerance', 'Provenance') GROUP BY 1 ORDER BY 1;
SELECT fhir.search_count('Condition?code=http://hl7.org/fhir/sid/icd-10-cm|I10&verification-status=provisional&clinical-status=active&_tag=machine-made');
SELECT jsonb_pretty(resource - 'id' - 'meta') FROM lake.condition WHERE resource #>> '{code,text}' = 'hypertension';
SELECT resource -> 'clinicalStatus', resource -> 'bodySite' FROM lake.condition WHERE resource #>> '{code,text}' = 'ankle fracture';
SELECT resource #>> '{code,text}' AS code, resource ->> 'status' AS status, coalesce(resource -> 'valueQuantity', resource -> 'valueString', resource -> 'valueBoolean') AS value,
       resource #>> '{interpretation,0,text}' AS flag, resource #>> '{referenceRange,0,text}' AS range, resource ->> 'effectiveDateTime' AS at, resource #>> '{derivedFrom,0,reference}' AS source
FROM lake.observation ORDER BY 1;
SELECT jsonb_pretty((resource - 'id' - 'meta' - 'extension')) FROM lake.medicationstatement;
SELECT resource -> 'patient', resource #>> '{verificationStatus,coding,0,code}' FROM lake.allergyintolerance;
SELECT jsonb_array_length(resource -> 'target') AS targets, resource -> 'entity' AS entity, resource -> 'agent' AS agent FROM lake.provenance;
SELECT fhir.search_count('Provenance?entity=DocumentReference/n'), fhir.search_count('Condition?evidence-detail=DocumentReference/n');

-- A later version of the note with the same words makes nothing again.
UPDATE lake.documentreference SET resource = resource || '{"description": "again"}' WHERE id = 'n';
SELECT action, count(*) FROM fhir.derive_resources('DocumentReference', 'n') GROUP BY 1;

-- A reviewer's word counts: rejected is no fact, accepted needs no score.
INSERT INTO lake.documentreference (resource) VALUES (note('r', 'Patient/p', $$[
  {"text": "copd", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "J44.9", "score": 1}]},
  {"text": "gout", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "score": 0.6, "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M10.9", "score": 1}]}]$$));
SELECT fhir.review_entity('DocumentReference', 'r', 1, 'reject'), fhir.review_entity('DocumentReference', 'r', 2, 'accept');
SELECT action, text, score FROM fhir.derive_resources('DocumentReference', 'r');

-- What no finding says any more is taken back: rejected since, not in the note any more, or the note is deleted. Not before that version is read.
SELECT fhir.set_integrity('enforce');
INSERT INTO lake.documentreference (resource) VALUES (note('t', 'Patient/p', $$[
  {"text": "lupus", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M32.9", "score": 1}]},
  {"text": "angina", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I20.9", "score": 1}]},
  {"text": "cough", "category": "MEDICAL_CONDITION", "type": "SYMPTOM"},
  {"text": "nausea", "category": "MEDICAL_CONDITION", "type": "SYMPTOM"},
  {"text": "asthma", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "J45.909", "score": 1}]}]$$));
SELECT action, text FROM fhir.derive_resources('DocumentReference', 't');
SELECT action, text FROM fhir.derive_resources('DocumentReference', 't', min_score => 1);
SELECT fhir.review_entity('DocumentReference', 't', 1, 'reject');
SELECT action, split_part(derived, '/', 1) AS of, note, number, text FROM fhir.derive_resources('DocumentReference', 't', preview => true) WHERE action <> 'unchanged';
SELECT action, text FROM fhir.derive_resources('DocumentReference', 't') WHERE action <> 'unchanged';
SELECT fhir.set_notes('on-demand', min_score => 0);
UPDATE lake.documentreference SET resource = note('t', 'Patient/p', $$[{"text": "2024", "category": "TIME_EXPRESSION", "type": "DATE"},
  {"text": "angina", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "certainty": "negative", "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I20.9", "score": 1}]},
  {"text": "cough", "category": "MEDICAL_CONDITION", "type": "SYMPTOM"},
  {"text": "nausea", "category": "MEDICAL_CONDITION", "type": "SYMPTOM"},
  {"text": "asthma", "category": "MEDICAL_CONDITION", "type": "DX_NAME", "concepts": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "J45.909", "score": 1}]}]$$) WHERE id = 't';
SELECT count(*) FROM fhir.derive_resources('DocumentReference', 't');
SELECT resources FROM fhir.read_notes('DocumentReference', 1);
SELECT action, text FROM fhir.derive_resources('DocumentReference', 't');
UPDATE lake.observation SET resource = jsonb_set(resource, '{status}', '"final"') WHERE resource #>> '{code,text}' = 'nausea';
SELECT jsonb_array_length(resource -> 'target') FROM lake.provenance WHERE resource::text ~ 'DocumentReference/t/';
SELECT fhir.set_integrity('off');
DELETE FROM lake.documentreference WHERE id = 't';
SELECT action, text FROM fhir.derive_resources('DocumentReference', 't');
SELECT action, text FROM fhir.derive_resources('DocumentReference') WHERE action <> 'unchanged';
-- Erased with the note: what was derived, also of what was taken back since; not what somebody has changed.
SELECT * FROM fhir.erase('DocumentReference', 't');
SELECT type, resource #>> '{code,text}' AS text FROM lake.resource WHERE resource::text ~ 'DocumentReference/t/' ORDER BY 1;
SELECT type, count(*) FROM lake.history WHERE resource::text ~ 'DocumentReference/t/' GROUP BY 1 ORDER BY 1;
DELETE FROM lake.observation WHERE resource #>> '{code,text}' = 'nausea';
-- and with the patient
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"q"}');
SELECT fhir.set_notes('on-write', min_score => 0);
INSERT INTO lake.documentreference (resource) VALUES (note('u', 'Patient/q', '[{"text": "cough", "category": "MEDICAL_CONDITION", "type": "SYMPTOM"}]'));
SELECT action FROM fhir.derive_resources('DocumentReference', 'u');
SELECT action, "table", count FROM fhir.purge('q', preview => false);
SELECT count(*) FROM lake.resource WHERE resource::text ~ '/[qu]["/]';

-- Back: all of a note in one call; what somebody has changed is theirs. Then it can be derived again.
UPDATE lake.condition SET resource = jsonb_set(resource, '{verificationStatus,coding,0,code}', '"confirmed"') WHERE resource #>> '{code,text}' = 'hypertension';
SELECT fhir.set_integrity('enforce');
SELECT action, split_part(derived, '/', 1) AS of, count(*) FROM fhir.undo_derived('DocumentReference', 'n') GROUP BY 1, 2 ORDER BY 1, 2;
SELECT fhir.set_integrity('off');
SELECT count(*) FROM lake.condition;
SELECT action, count(*) FROM fhir.derive_resources('DocumentReference', 'n') GROUP BY 1 ORDER BY 1;
SELECT action, count(*) FROM fhir.undo_derived() GROUP BY 1 ORDER BY 1;
SELECT type, count(*) FROM lake.resource GROUP BY 1 ORDER BY 1;

-- The timeline and the view of findings
SELECT occurred, type, system, code, display, value, unit, status, id, source FROM fhir.timeline('p') WHERE source IS NOT NULL ORDER BY id, source;
SELECT count(*) FILTER (WHERE source IS NOT NULL) AS findings, count(*) FROM fhir.timeline('p', findings => false);
SELECT count(*) FILTER (WHERE source IS NOT NULL) AS findings FROM fhir.timeline('p', "from" => '2024-05-02');
SELECT type, display FROM fhir.timeline('p', count => 3);
SELECT name, action FROM fhir.create_views('bi', ARRAY['DocumentReference'], side_views => false) WHERE name = 'note_entity';
SELECT patient_id, id, number, text, code, icd10cm, certainty, temporality, subject, section, score, lexicon = fhir.lexicon_version() AS now FROM bi.note_entity WHERE id IN ('r', 'nobody') ORDER BY 2, 3;
SET client_min_messages = error;
DROP SCHEMA bi CASCADE;
SELECT fhir.drop_lake('lake');

-- Question: does a note that is written in words become what it says, and nothing that it does not say?
\set VERBOSITY terse
SELECT fhir.create_lake();
SELECT fhir.set_notes('on-write');
SELECT fhir.set_validation('enforce', 'invariants');
CREATE FUNCTION note(id text, text text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('resourceType', 'DocumentReference', 'id', id, 'status', 'current', 'date', '2024-05-01T10:00:00Z', 'subject', '{"reference": "Patient/p"}'::jsonb,
        'content', jsonb_build_array(jsonb_build_object('attachment', jsonb_build_object('contentType', 'text/plain', 'data', translate(encode(convert_to(text, 'UTF8'), 'base64'), E'\n', ''))))) $$;
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p"}');
INSERT INTO lake.documentreference (resource) VALUES
    (note('visit', E'Chief complaint: chest pain\n\nPAST MEDICAL HISTORY:\nType 2 diabetes mellitus\n\nFAMILY HISTORY:\nMother with breast cancer\n\nALLERGIES: penicillin\n\nMEDICATIONS:\nmetoprolol 25 mg PO BID\n\nLABS:\nPotassium 5.2 mmol/L (H)\n\nASSESSMENT:\nEssential hypertension. No evidence of pneumonia. Return if fever develops.\n')),
    -- what HealthLake gets wrong in the examples of its guide: a drug that is not taken, and a word that is no disease
    (note('advil', 'Tom is not prescribed Advil.')),
    (note('throat', 'Streptococcal sore throat (disorder)')),
    (note('nothing', 'See you on Tuesday.'));

-- offsets slice the text
SELECT bool_and(substr(t.text, e.first + 1, e.last - e.first) = e.text) AS right_places, count(*) > 5 AS some
FROM lake.entity e JOIN lake.documentreference r USING (type, id, version), fhir.resource_texts(r.resource) t WHERE t.path = e.path;
SELECT id FROM lake.entity_run WHERE found >= 0 ORDER BY 1;
SELECT s AS search, (SELECT string_agg(r.id, ' ' ORDER BY r.id) FROM fhir.search_rows('DocumentReference?' || s) r) FROM unnest(ARRAY[
    'entity-code=http://hl7.org/fhir/sid/icd-10-cm|I10&entity-certainty=positive',
    'entity-text=pneumonia&entity-certainty=negative', 'entity-text=pneumonia&entity-certainty=positive',
    'entity-text=breast cancer&entity-subject=family', 'entity-text=breast cancer&entity-subject=patient',
    'entity-type=ALLERGIES&entity-text=penicillin', 'detectEntities-entity-category=MEDICATION&detectEntities-entity-text=metop',
    'entity-text=advil&entity-certainty=negative', 'entity-text=advil&entity-certainty=positive']) WITH ORDINALITY u(s, n) ORDER BY n;

SELECT split_part(derived, '/', 1) AS of, note, lower(text) AS text FROM fhir.derive_resources('DocumentReference', min_score => 0.5)
WHERE lower(text) IN ('streptococcal sore throat', 'penicillin', 'essential hypertension', 'type 2 diabetes mellitus', 'metoprolol', 'chest pain', 'potassium', 'pneumonia', 'fever', 'breast cancer', 'advil')
ORDER BY note, 1, 3;
SELECT count(*) FROM lake.medicationstatement WHERE resource::text ILIKE '%advil%' OR resource::text ILIKE '%ibuprofen%';
SELECT count(*) FROM lake.resource WHERE type IN ('Condition', 'Observation') AND (resource::text LIKE '%"G20%' OR resource::text ILIKE '%pneumonia%' OR resource::text ILIKE '%breast%' OR resource::text ILIKE '%"fever"%');
SELECT resource #> '{dosage,0}' AS dosage, resource ->> 'status' AS status FROM lake.medicationstatement;
SELECT resource -> 'valueQuantity' AS value, resource #>> '{interpretation,0,text}' AS flag FROM lake.observation WHERE resource ? 'valueQuantity';
SELECT count(*) > 7 AS undone FROM fhir.undo_derived();
SELECT type, count(*) FROM lake.resource GROUP BY 1 ORDER BY 1;
SELECT fhir.drop_lake('lake');

-- Ready-made views: what they show of small records that were worked out by hand.
\set SHOW_CONTEXT never
SET datestyle = 'ISO';
\pset null '∅'
SET timezone = 'UTC';
SELECT fhir.create_lake();

INSERT INTO lake.patient (resource) VALUES
('{"resourceType":"Patient","id":"a","gender":"female","birthDate":"1950-06-15","name":[{"use":"nickname","given":["Annie"]},{"use":"official","family":"Berg","given":["Anna","Maria"]}],"address":[{"use":"work","city":"Ulm"},{"use":"home","city":"Bonn","postalCode":"53111"}],"telecom":[{"system":"phone","value":"1"}],"deceasedBoolean":false}'),
('{"resourceType":"Patient","id":"b","gender":"male","birthDate":"1940","name":[{"family":"Stone","given":["Bob"]}],"deceasedDateTime":"2020-03-01"}'),
('{"resourceType":"Patient","id":"c","active":false,"birthDate":"1930-01-01","deceasedBoolean":true}');

-- a stay, another one fifteen days later, one that goes on; what was cancelled, and what is part of a stay, is no stay
INSERT INTO lake.encounter (resource) VALUES
('{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"IMP","display":"inpatient"},"subject":{"reference":"Patient/a"},"period":{"start":"2020-01-01T10:00:00Z","end":"2020-01-05T10:00:00Z"},"hospitalization":{"dischargeDisposition":{"coding":[{"code":"home"}]}}}'),
('{"resourceType":"Encounter","id":"e2","status":"finished","class":{"code":"IMP"},"subject":{"reference":"Patient/a"},"period":{"start":"2020-01-20T10:00:00Z","end":"2020-01-21T16:00:00Z"},"reasonCode":[{"text":"fever"}]}'),
('{"resourceType":"Encounter","id":"e3","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/a"},"type":[{"coding":[{"code":"185349003","display":"check up"}]}],"period":{"start":"2020-02-01T23:45:00Z","end":"2020-02-02T00:15:00Z"}}'),
('{"resourceType":"Encounter","id":"e4","status":"in-progress","class":{"code":"IMP"},"subject":{"reference":"Patient/a"},"period":{"start":"2020-06-01T08:00:00Z"}}'),
('{"resourceType":"Encounter","id":"e5","status":"cancelled","class":{"code":"IMP"},"subject":{"reference":"Patient/a"},"period":{"start":"2020-01-06T08:00:00Z","end":"2020-01-07T08:00:00Z"}}'),
('{"resourceType":"Encounter","id":"e6","status":"finished","class":{"code":"IMP"},"subject":{"reference":"Patient/a"},"partOf":{"reference":"Encounter/e1"},"period":{"start":"2020-01-05T10:00:00Z","end":"2020-01-05T12:00:00Z"}}'),
('{"resourceType":"Encounter","id":"e7","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/a"},"period":{"start":"2019-05"}}'),
('{"resourceType":"Encounter","id":"e8","status":"finished","class":{"code":"ACUTE"},"subject":{"reference":"Patient/b"},"period":{"start":"2020-02-10","end":"2020-02-20"}}'),
('{"resourceType":"Encounter","id":"e9","status":"planned","class":{"code":"AMB"},"subject":{"reference":"Patient/b"},"period":{"start":"2030-01-01"}}');

INSERT INTO lake.condition (resource) VALUES
('{"resourceType":"Condition","id":"c1","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed"}]},"category":[{"coding":[{"code":"problem-list-item"}]},{"coding":[{"code":"encounter-diagnosis"}]}],"code":{"coding":[{"system":"http://snomed.info/sct","code":"44054006","display":"Diabetes type 2"}]},"subject":{"reference":"Patient/a"},"onsetDateTime":"2012-03"}'),
('{"resourceType":"Condition","id":"c2","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"resolved"}]},"code":{"coding":[{"system":"http://snomed.info/sct","code":"44054006","display":"Diabetes type 2"}]},"subject":{"reference":"Patient/a"},"onsetDateTime":"2010-01-05"}'),
('{"resourceType":"Condition","id":"c3","verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"entered-in-error"}]},"code":{"coding":[{"code":"38341003"}]},"subject":{"reference":"Patient/a"}}'),
('{"resourceType":"Condition","id":"c4","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"differential"}]},"code":{"coding":[{"code":"195967001"}]},"subject":{"reference":"Patient/a"}}'),
('{"resourceType":"Condition","id":"c5","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"inactive"}]},"code":{"coding":[{"system":"http://snomed.info/sct","code":"44054006","display":"Diabetes type 2"}]},"subject":{"reference":"Patient/b"}}'),
('{"resourceType":"Condition","id":"c6","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"relapse"}]},"code":{"text":"Rash"},"subject":{"reference":"Patient/a"},"onsetAge":{"value":40,"unit":"a","system":"http://unitsofmeasure.org","code":"a"}}'),
('{"resourceType":"Condition","id":"c7","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"code":{"text":"Rash"},"subject":{"reference":"Patient/gone"}}');

INSERT INTO lake.observation (resource) VALUES
('{"resourceType":"Observation","id":"o1","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"718-7","display":"Hemoglobin"}]},"subject":{"reference":"Patient/a"},"encounter":{"reference":"Encounter/e1"},"effectiveDateTime":"2020-01-02T08:00:00Z","valueQuantity":{"value":13.50,"unit":"g/dL","code":"g/dL"},"referenceRange":[{"low":{"value":12,"unit":"g/dL","code":"g/dL"},"high":{"value":16,"unit":"g/dL","code":"g/dL"},"text":"12 to 16"}]}'),
('{"resourceType":"Observation","id":"o2","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"code":{"text":"Potassium"},"subject":{"reference":"Patient/a"},"effectivePeriod":{"start":"2020-01-03","end":"2020-01-04"},"valueQuantity":{"value":6.1,"unit":"mmol/L"},"interpretation":[{"coding":[{"code":"HH"}]}],"referenceRange":[{"low":{"value":3.5},"high":{"value":5.1}}]}'),
('{"resourceType":"Observation","id":"o3","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"code":{"text":"CRP"},"subject":{"reference":"Patient/a"},"valueQuantity":{"value":5,"comparator":"<","unit":"mg/L"},"referenceRange":[{"high":{"value":10,"unit":"mg/L"}}]}'),
('{"resourceType":"Observation","id":"o4","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"code":{"coding":[{"code":"24326-1"}],"text":"Panel"},"subject":{"reference":"Patient/b"},"effectiveDateTime":"2020","component":[{"code":{"text":"Sodium"},"valueQuantity":{"value":130,"unit":"mmol/L"},"referenceRange":[{"low":{"value":135,"unit":"mmol/L"},"high":{"value":145,"unit":"mmol/L"}}]},{"code":{"text":"Look"},"valueString":"cloudy"},{"code":{"text":"Glucose"},"valueQuantity":{"value":400,"comparator":">","unit":"mg/dL"},"referenceRange":[{"low":{"value":70,"unit":"mg/dL"},"high":{"value":100,"unit":"mg/dL"}}]}]}'),
('{"resourceType":"Observation","id":"o5","status":"cancelled","category":[{"coding":[{"code":"laboratory"}]}],"code":{"text":"Lost"},"subject":{"reference":"Patient/a"}}'),
('{"resourceType":"Observation","id":"o6","status":"final","category":[{"coding":[{"code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}],"text":"Blood pressure"},"subject":{"reference":"Patient/a"},"effectiveDateTime":"2020-01-02","component":[{"code":{"coding":[{"code":"8480-6"}]},"valueQuantity":{"value":120,"unit":"mmHg"}},{"code":{"coding":[{"code":"8462-4"}]},"valueQuantity":{"value":80,"unit":"mmHg"}}]}'),
('{"resourceType":"Observation","id":"o7","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"code":{"text":"Albumin"},"subject":{"reference":"Patient/a"},"valueQuantity":{"value":40,"unit":"g/L"},"referenceRange":[{"low":{"value":3.5,"unit":"g/dL"},"high":{"value":5,"unit":"g/dL"}}]}'),
('{"resourceType":"Observation","id":"o8","status":"amended","category":[{"coding":[{"code":"laboratory"}]}],"code":{"text":"Ferritin"},"subject":{"reference":"Patient/a"},"valueQuantity":{"value":9,"unit":"ng/mL"},"referenceRange":[{"low":{"value":30},"appliesTo":[{"text":"men"}]},{"low":{"value":10},"appliesTo":[{"text":"women"}]}]}'),
('{"resourceType":"Observation","id":"o9","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"code":{"text":"Culture"},"subject":{"reference":"Patient/a"},"valueCodeableConcept":{"coding":[{"code":"10828004","display":"Positive"}]}}');

INSERT INTO lake.medication (resource) VALUES
('{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"6809","display":"Metformin"}]}}');
INSERT INTO lake.medicationrequest (resource) VALUES
('{"resourceType":"MedicationRequest","id":"m1","status":"active","intent":"order","medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"1191","display":"Aspirin"}]},"subject":{"reference":"Patient/a"},"authoredOn":"2020-01-05","requester":{"reference":"Practitioner/p"},"reasonCode":[{"text":"pain"}],"dosageInstruction":[{"text":"one a day"},{"text":"with water"}]}'),
('{"resourceType":"MedicationRequest","id":"m2","status":"active","intent":"plan","medicationCodeableConcept":{"text":"planned"},"subject":{"reference":"Patient/a"}}'),
('{"resourceType":"MedicationRequest","id":"m3","status":"active","intent":"order","doNotPerform":true,"medicationCodeableConcept":{"text":"never"},"subject":{"reference":"Patient/a"}}'),
('{"resourceType":"MedicationRequest","id":"m4","status":"active","intent":"order","doNotPerform":false,"medicationReference":{"reference":"Medication/m"},"subject":{"reference":"Patient/a"},"dosageInstruction":[{"timing":{"repeat":{"boundsPeriod":{"end":"2999"}}}}]}'),
('{"resourceType":"MedicationRequest","id":"m5","status":"stopped","intent":"order","medicationCodeableConcept":{"text":"stopped"},"subject":{"reference":"Patient/a"}}'),
('{"resourceType":"MedicationRequest","id":"m6","status":"active","intent":"order","medicationCodeableConcept":{"text":"over"},"subject":{"reference":"Patient/a"},"dosageInstruction":[{"timing":{"repeat":{"boundsPeriod":{"end":"2020"}}}}]}'),
('{"resourceType":"MedicationRequest","id":"m7","status":"active","intent":"order","contained":[{"resourceType":"Medication","id":"x","code":{"text":"Ointment"}}],"medicationReference":{"reference":"#x"},"subject":{"reference":"Patient/b"}}');
INSERT INTO lake.medicationstatement (resource) VALUES
('{"resourceType":"MedicationStatement","id":"s1","status":"active","medicationCodeableConcept":{"text":"past"},"subject":{"reference":"Patient/a"},"effectivePeriod":{"start":"2019","end":"2020-05"}}'),
('{"resourceType":"MedicationStatement","id":"s2","status":"active","medicationCodeableConcept":{"coding":[{"code":"1191"}],"text":"Aspirin"},"subject":{"reference":"Patient/a"},"effectivePeriod":{"start":"2020-05"},"dosage":[{"timing":{"code":{"text":"in the morning"}}}]}');

INSERT INTO lake.immunization (resource) VALUES
('{"resourceType":"Immunization","id":"i1","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140","display":"Influenza"}]},"patient":{"reference":"Patient/a"},"occurrenceDateTime":"2019-10-01"}'),
('{"resourceType":"Immunization","id":"i2","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140","display":"Influenza"}]},"patient":{"reference":"Patient/a"},"occurrenceDateTime":"2020-10"}'),
('{"resourceType":"Immunization","id":"i3","status":"not-done","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"140"}]},"patient":{"reference":"Patient/a"},"occurrenceDateTime":"2021-10-01"}'),
('{"resourceType":"Immunization","id":"i4","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"208"}],"text":"Covid"},"patient":{"reference":"Patient/b"},"occurrenceDateTime":"2021-01-10T10:00:00Z","protocolApplied":[{"doseNumberPositiveInt":1,"seriesDosesPositiveInt":2}]}'),
('{"resourceType":"Immunization","id":"i5","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"208"}],"text":"Covid"},"patient":{"reference":"Patient/b"},"occurrenceDateTime":"2021-01-10","protocolApplied":[{"doseNumberPositiveInt":1,"seriesDosesPositiveInt":2}]}'),
('{"resourceType":"Immunization","id":"i6","status":"completed","isSubpotent":true,"vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"208"}],"text":"Covid"},"patient":{"reference":"Patient/b"},"occurrenceDateTime":"2021-02-10"}'),
('{"resourceType":"Immunization","id":"i7","status":"completed","vaccineCode":{"text":"Tetanus"},"patient":{"reference":"Patient/b"},"occurrenceString":"as a child"}');
INSERT INTO lake.allergyintolerance (resource) VALUES
('{"resourceType":"AllergyIntolerance","id":"al1","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},"code":{"text":"Nuts"},"patient":{"reference":"Patient/a"}}'),
('{"resourceType":"AllergyIntolerance","id":"al2","verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-verification","code":"refuted"}]},"code":{"text":"Milk"},"patient":{"reference":"Patient/a"}}');
INSERT INTO lake.procedure (resource) VALUES
('{"resourceType":"Procedure","id":"p1","status":"completed","code":{"text":"Stitch"},"subject":{"reference":"Patient/a"},"performedDateTime":"2020-01-02T09:00:00Z"}'),
('{"resourceType":"Procedure","id":"p2","status":"not-done","code":{"text":"Scan"},"subject":{"reference":"Patient/a"},"performedDateTime":"2020-01-02T09:00:00Z"}');

-- all types, no side views: the whole of it
SELECT kind, action, count(*) FROM fhir.create_views('wide', side_views => false) GROUP BY kind, action ORDER BY kind;
-- a few types with theirs
SELECT kind, action, count(*), sum(columns) FROM fhir.create_views('bi', ARRAY['Patient', 'Encounter', 'Observation', 'Condition', 'MedicationRequest']) GROUP BY kind, action ORDER BY kind;
-- only what the lake has
SELECT name FROM fhir.create_views('few', empty => false, side_views => false, analysts => false) ORDER BY name;

-- Views of analysts ------------------------------------------------------------------------------------------------------

SELECT patient_id, family_name, given_name, gender, birth_date, age = date_part('year', age(birth_date))::int AS age_today, is_deceased, is_active, city, postal_code FROM bi.patient_summary ORDER BY patient_id;
SELECT patient_id, CASE WHEN is_deceased THEN age END AS age, deceased_date, encounters, last_encounter, conditions, active_conditions, active_medications, allergies, procedures, immunizations, observations FROM bi.patient_summary ORDER BY patient_id;
SELECT encounter_id, patient_id, status, class, is_inpatient, started, ended, is_open, CASE WHEN NOT is_open THEN hours END AS hours, CASE WHEN NOT is_open THEN days END AS days, CASE WHEN NOT is_open THEN nights END AS nights FROM bi.encounter_stay ORDER BY encounter_id;
SELECT encounter_id, next_inpatient_id, next_inpatient_started, days_to_next_inpatient, is_readmitted_in_30_days, discharge_disposition, type, type_display, reason, reason_display FROM bi.encounter_stay ORDER BY encounter_id;
SELECT hours > 24 AND days > 1 AND nights > 1 AS goes_on FROM bi.encounter_stay WHERE is_open;
SELECT * FROM bi.condition_prevalence ORDER BY code, display;
SELECT observation_id, component_number, patient_id, encounter_id, status, effective, code, display, panel_code, panel_display FROM bi.lab_result ORDER BY observation_id, component_number;
SELECT observation_id, component_number, value, comparator, unit, unit_code, value_code, value_text, reference_low, reference_high, reference_text, flag, flag_from FROM bi.lab_result ORDER BY observation_id, component_number;
SELECT type, id, patient_id, code, display, system, medication_id, dosage, started, ended, reason_display, prescriber_id, prescriber_type FROM bi.medication_active ORDER BY type, id;
SELECT * FROM bi.immunization_status ORDER BY patient_id, code;
SELECT occurred, "precision", ended, type, id, code, display, value, unit, status FROM bi.timeline WHERE patient_id = 'a' ORDER BY occurred, id;
-- the same records as fhir.timeline has, without what did not happen
SELECT id, type FROM fhir.timeline('a') t WHERE NOT EXISTS (SELECT FROM bi.timeline b WHERE b.patient_id = 'a' AND b.type = t.type AND b.id = t.id) ORDER BY id;

-- Generated views --------------------------------------------------------------------------------------------------------

SELECT id, name_family, name_given, name_text, telecom_phone, telecom_email, gender, birth_date, deceased_boolean, deceased_date_time, address_city FROM bi.patient ORDER BY id;
SELECT * FROM bi.patient_name ORDER BY patient_id, name_number;
SELECT id, patient_id, encounter_id, category, code, code_display, effective, effective_end, value_quantity, value_quantity_unit, value_code, subject_type FROM bi.observation ORDER BY id;
SELECT observation_id, patient_id, component_number, code, code_text, value_quantity, value_quantity_unit, value_string FROM bi.observation_component ORDER BY observation_id, component_number;
SELECT observation_id, component_number, reference_range_number, low, high FROM bi.observation_component_reference_range ORDER BY observation_id, component_number;
SELECT condition_id, category_number, category FROM bi.condition_category ORDER BY 1, 2;
SELECT id, clinical_status, onset, onset_age, onset_age_unit FROM bi.condition WHERE patient_id = 'a' ORDER BY id;
SELECT id, medication_code, medication_code_display, medication_id, dosage_instruction_text, requester_id, requester_type FROM bi.medication_request ORDER BY id;
-- joined as the relationships say
SELECT table_name, column_name, kind, "position", references_table, references_column, only_where, only_where_is FROM bi.relationships WHERE table_name IN ('patient_name', 'observation_component_reference_range', 'encounter_stay') ORDER BY table_name, kind DESC, references_table, "position";
SELECT c.component_number, o.effective::date, p.name_family FROM bi.observation_component c JOIN bi.observation o ON o.id = c.observation_id JOIN bi.patient p ON p.id = c.patient_id ORDER BY o.id, 1;
-- each row is what it says it is
SELECT count(*), count(DISTINCT id) FROM bi.observation UNION ALL SELECT count(*), count(DISTINCT (observation_id, component_number)) FROM bi.observation_component UNION ALL SELECT count(*), count(DISTINCT (observation_id, component_number)) FROM bi.lab_result;

-- Every view and every column says what it is, and runs with the rights of who asks
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relnamespace = 'bi'::regnamespace AND col_description(c.oid, a.attnum) IS NULL;
SELECT c.relname FROM pg_class c WHERE c.relnamespace IN ('bi'::regnamespace, 'wide'::regnamespace) AND (obj_description(c.oid) IS NULL OR NOT coalesce('security_invoker=true' = ANY (c.reloptions), false));
SELECT obj_description('bi.observation_component'::regclass), col_description('bi.observation'::regclass, 2);

-- Again, and what is in the way ------------------------------------------------------------------------------------------

CREATE VIEW public.mine AS SELECT id, name_family FROM bi.patient;
GRANT SELECT ON bi.patient_name TO PUBLIC;
SELECT kind, action, count(*) FROM fhir.create_views('bi', ARRAY['Patient']) GROUP BY kind, action ORDER BY kind;
SELECT * FROM public.mine ORDER BY id;
-- of another version: fewer columns are made more, others are made anew where nothing depends on them
CREATE SCHEMA old;
CREATE VIEW old.patient WITH (security_invoker) AS SELECT 'x'::text COLLATE "C" AS id;
COMMENT ON VIEW old.patient IS 'Made by fhir.create_views.';
CREATE VIEW old.group AS SELECT 1 AS number;
COMMENT ON VIEW old.group IS 'Made by fhir.create_views.';
GRANT SELECT ON old.group TO PUBLIC;
SELECT name, action FROM fhir.create_views('old', ARRAY['Patient', 'Group'], side_views => false, analysts => false);
SELECT has_table_privilege('public', 'old.group', 'SELECT');
CREATE VIEW old.device AS SELECT 1 AS number;
COMMENT ON VIEW old.device IS 'Made by fhir.create_views.';
CREATE VIEW public.yours AS SELECT * FROM old.device;
SELECT * FROM fhir.create_views('old', ARRAY['Device'], side_views => false, analysts => false);
CREATE TABLE old.patient_name (mine text);
SELECT * FROM fhir.create_views('old', ARRAY['Patient'], analysts => false);
CREATE VIEW old.slot AS SELECT 1 AS number;
SELECT * FROM fhir.create_views('old', ARRAY['Slot'], side_views => false, analysts => false);
SELECT * FROM fhir.create_views('lake');
SELECT * FROM fhir.create_views('bi', lake => 'none');
SELECT * FROM fhir.create_views('bi', ARRAY['Patient', 'Patent']);
SELECT * FROM fhir.create_views(NULL);
SELECT fhir.view_definition('Patent');
SELECT fhir.view_definition('Patient', 'maritalStatus');
SELECT fhir.view_definition('Patient', 'name.nothing');
SELECT fhir.view_definition(NULL);

-- Rights -----------------------------------------------------------------------------------------------------------------

CREATE ROLE ready_reader;
CREATE ROLE ready_stranger;
GRANT USAGE ON SCHEMA bi, lake TO ready_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA bi TO ready_reader;
GRANT SELECT ON lake.patient, lake.encounter TO ready_reader;
ALTER TABLE lake.patient ENABLE ROW LEVEL SECURITY;
CREATE POLICY only_b ON lake.patient TO ready_reader USING (compartment = 'Patient/b');
SET ROLE ready_reader;
SELECT id FROM bi.patient;
SELECT id FROM bi.observation;
SELECT patient_id, last_encounter FROM bi.patient_summary;
SELECT * FROM fhir.create_views('bi', ARRAY['Patient'], side_views => false);
SET ROLE ready_stranger;
-- the message names the database
\set VERBOSITY sqlstate
SELECT * FROM fhir.create_views('other', ARRAY['Patient'], side_views => false);
\set VERBOSITY default
RESET ROLE;

-- findings in notes, once there are some
INSERT INTO lake.entity (compartment, type, id, version, lexicon, number, path, first, last, text, category, kind, section, score, certainty, temporality, subject, conditionality, attributes, concepts, codes, origin, status, search)
    SELECT compartment, type, id, version, 'l', 1, 'Condition.code.text', 0, 4, 'Rash', 'MEDICAL_CONDITION', 'SYMPTOM', '', 1, 'positive', 'current', 'patient', 'unconditional', '[]', '[{"system": "http://snomed.info/sct", "code": "271807003"}, {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R21"}]', fhir.entity_codes('[{"system": "http://snomed.info/sct", "code": "271807003"}, {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R21"}]'), 'term', 'current', fhir.entity_keys('Rash', '[{"system": "http://snomed.info/sct", "code": "271807003"}, {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R21"}]') FROM lake.condition WHERE id = 'c6';
SELECT name, action FROM fhir.create_views('bi', ARRAY[]::text[]);
SELECT * FROM bi.note_entity;
SELECT encounter_id, patient_id FROM bi.encounter_stay WHERE patient_id = 'b';

-- a lake of another name
SELECT fhir.create_lake('my "lake"');
SELECT name, action FROM fhir.create_views('my bi', ARRAY['Patient'], side_views => false, lake => 'my "lake"');
SELECT count(*) FROM "my bi".patient_summary;

-- Numbers with comparators, other values, and ranges --------------------------------------------------------------------
INSERT INTO "my ""lake""".observation (resource)
SELECT jsonb_build_object('resourceType', 'Observation', 'id', id, 'status', 'final', 'code', '{"text": "x"}'::jsonb, 'category', '[{"coding": [{"code": "laboratory"}]}]'::jsonb) || body::jsonb
FROM (VALUES
    ('below-low', '{"valueQuantity": {"value": 4, "comparator": "<"}, "referenceRange": [{"low": {"value": 4}, "high": {"value": 10}}]}'),
    ('below-middle', '{"valueQuantity": {"value": 5, "comparator": "<"}, "referenceRange": [{"low": {"value": 4}, "high": {"value": 10}}]}'),
    ('above-low-only', '{"valueQuantity": {"value": 60, "comparator": ">"}, "referenceRange": [{"low": {"value": 60}}]}'),
    ('at-high', '{"valueQuantity": {"value": 10}, "referenceRange": [{"low": {"value": 4}, "high": {"value": 10}}]}'),
    ('over-high', '{"valueQuantity": {"value": 10.1}, "referenceRange": [{"high": {"value": 10}}]}'),
    ('for-everybody', '{"valueQuantity": {"value": 9}, "referenceRange": [{"low": {"value": 30}, "appliesTo": [{"text": "men"}]}, {"low": {"value": 10}}]}'),
    ('therapeutic', '{"valueQuantity": {"value": 9}, "referenceRange": [{"low": {"value": 10}, "type": {"coding": [{"code": "therapeutic"}]}}]}'),
    ('integer', '{"valueInteger": 3, "referenceRange": [{"low": {"value": 1}, "high": {"value": 2}}]}'),
    ('ratio', '{"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}'),
    ('range', '{"valueRange": {"low": {"value": 5}, "high": {"value": 10}}}'),
    ('absent', '{"dataAbsentReason": {"coding": [{"code": "unknown"}]}}'),
    ('both', '{"valueString": "see parts", "component": [{"code": {"text": "y"}, "valueBoolean": true, "interpretation": [{"text": "odd"}]}]}')) o (id, body);
SELECT observation_id, component_number AS n, display, comparator AS c, value, value_text, reference_low AS low, reference_high AS high, flag, flag_from FROM "my bi".lab_result ORDER BY 1, 2;
-- Thirty days that are not over, a stay on the thirtieth day, one a second later
INSERT INTO "my ""lake""".encounter (resource)
SELECT jsonb_build_object('resourceType', 'Encounter', 'id', id, 'status', 'finished', 'class', '{"code": "IMP"}'::jsonb, 'subject', jsonb_build_object('reference', 'Patient/' || patient),
    'period', jsonb_build_object('start', to_char(start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'end', to_char(start + interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
FROM (VALUES ('recent', 'r', now() - interval '5 days'), ('first', 's', '2021-01-01 00:00+00'), ('thirtieth', 's', '2021-02-01 00:00+00'), ('later', 's', '2021-03-04 00:00:01+00')) e (id, patient, start);
SELECT encounter_id, next_inpatient_id, days_to_next_inpatient, is_readmitted_in_30_days FROM "my bi".encounter_stay ORDER BY patient_id, started;

-- What is easily got wrong ------------------------------------------------------------------------------------------------
SELECT fhir.create_lake('hard');
INSERT INTO hard.patient (resource) VALUES
('{"resourceType":"Patient","id":"p","gender":"male","birthDate":"1950"}'),
('{"resourceType":"Patient","id":"unborn","birthDate":"2999-01-01"}'),
('{"resourceType":"Patient","id":"odd","birthDate":"2000-01-01","deceasedDateTime":"1999"}');
-- orders: until the last dosage ends; a length counts from the order
INSERT INTO hard.medicationrequest (resource)
SELECT jsonb_build_object('resourceType', 'MedicationRequest', 'id', id, 'status', 'active', 'intent', 'order', 'subject', '{"reference": "Patient/p"}'::jsonb, 'medicationCodeableConcept', jsonb_build_object('text', id)) || body::jsonb
FROM (VALUES
    ('evening-over', '{"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": "2940-01-01"}}}}, {"timing": {"repeat": {"boundsPeriod": {"end": "2021-01-01"}}}}]}'),
    ('all-over', '{"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": "2022"}}}}, {"timing": {"repeat": {"boundsPeriod": {"end": "2021-01-01"}}}}]}'),
    ('one-without-end', '{"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": "2021"}}}}, {"text": "at need"}]}'),
    ('week-of-2015', '{"authoredOn": "2015-01-01", "dosageInstruction": [{"timing": {"repeat": {"boundsDuration": {"value": 7, "code": "d"}}}}]}'),
    ('week-no-date', '{"dosageInstruction": [{"timing": {"repeat": {"boundsDuration": {"value": 7, "code": "d"}}}}]}'),
    ('some-time', '{"authoredOn": "2015-01-01", "dosageInstruction": [{"timing": {"repeat": {"boundsDuration": {"value": 7, "unit": "whiles"}}}}]}'),
    ('range-of-2015', '{"authoredOn": "2015-01-01", "dosageInstruction": [{"timing": {"repeat": {"boundsRange": {"low": {"value": 1, "code": "wk"}, "high": {"value": 2, "code": "wk"}}}}}]}'),
    ('week-of-2940', '{"authoredOn": "2940-01-01T10:00:00Z", "dosageInstruction": [{"timing": {"repeat": {"boundsDuration": {"value": 7, "code": "d"}}}}, {"timing": {"repeat": {"boundsDuration": {"value": 12, "code": "h"}}}}]}'),
    ('taper-of-2940', '{"authoredOn": "2940-01-01T10:00:00Z", "dosageInstruction": [{"sequence": 1, "timing": {"repeat": {"boundsDuration": {"value": 5, "code": "d"}}}}, {"sequence": 2, "timing": {"repeat": {"boundsDuration": {"value": 1, "code": "wk"}}}}]}'),
    ('endless', '{"authoredOn": "2015", "dosageInstruction": [{"timing": {"repeat": {"boundsDuration": {"value": 1e300, "code": "a"}}}}]}')) o (id, body);
INSERT INTO hard.medicationstatement (resource)
SELECT jsonb_build_object('resourceType', 'MedicationStatement', 'id', id, 'status', 'active', 'subject', '{"reference": "Patient/p"}'::jsonb, 'medicationCodeableConcept', jsonb_build_object('text', id)) || body::jsonb
FROM (VALUES ('later', '{"effectivePeriod": {"start": "2940"}}'), ('later-day', '{"effectiveDateTime": "2940-02-01"}'), ('now', '{"effectivePeriod": {"start": "2020", "end": "2940-02"}}'),
    ('not-taken', '{"status": "not-taken"}')) o (id, body);
-- values and ranges in units
INSERT INTO hard.observation (resource)
SELECT jsonb_build_object('resourceType', 'Observation', 'id', id, 'status', 'final', 'code', '{"text": "x"}'::jsonb, 'category', '[{"coding": [{"code": "laboratory"}]}]'::jsonb, 'subject', '{"reference": "Patient/p"}'::jsonb) || body::jsonb
FROM (VALUES
    ('unit-for-code', '{"valueQuantity": {"value": 90, "code": "mg/dL"}, "referenceRange": [{"low": {"value": 3.9, "unit": "mmol/L"}, "high": {"value": 6, "unit": "mmol/L"}}]}'),
    ('unit-as-code', '{"valueQuantity": {"value": 90, "code": "mg/dL"}, "referenceRange": [{"low": {"value": 70, "unit": "mg/dL"}, "high": {"value": 80, "unit": "mg/dL"}}]}'),
    ('one-end-other', '{"valueQuantity": {"value": 90, "unit": "mg/dL"}, "referenceRange": [{"low": {"value": 70, "unit": "mg/dL"}, "high": {"value": 6, "unit": "mmol/L"}}]}'),
    ('same-code-other-word', '{"valueQuantity": {"value": 90, "unit": "g/L", "code": "g/L"}, "referenceRange": [{"high": {"value": 6, "unit": "g/dL", "code": "g/L"}}]}'),
    ('other-system', '{"valueQuantity": {"value": 90, "code": "u", "system": "urn:a"}, "referenceRange": [{"high": {"value": 6, "code": "u", "system": "urn:b"}}]}'),
    ('no-unit', '{"valueQuantity": {"value": 90}, "referenceRange": [{"high": {"value": 6, "unit": "mmol/L"}}]}'),
    ('range-no-unit', '{"valueQuantity": {"value": 90, "unit": "mmol/L"}, "referenceRange": [{"high": {"value": 6}}]}'),
    ('for-infants', '{"valueQuantity": {"value": 10, "unit": "mg"}, "referenceRange": [{"age": {"high": {"value": 1, "unit": "a"}}, "low": {"value": 1, "unit": "mg"}, "high": {"value": 2, "unit": "mg"}}]}'),
    ('for-pregnant', '{"valueQuantity": {"value": 3, "unit": "mmol/L"}, "referenceRange": [{"appliesTo": [{"text": "pregnant"}], "low": {"value": 3.5, "unit": "mmol/L"}}]}'),
    ('two-for-all', '{"valueQuantity": {"value": 3}, "referenceRange": [{"text": "fasting", "low": {"value": 4}}, {"text": "after a meal", "low": {"value": 2}}]}'),
    ('critical-beside', '{"valueQuantity": {"value": 4}, "referenceRange": [{"low": {"value": 3.5}, "high": {"value": 5}}, {"type": {"coding": [{"code": "critical"}]}, "high": {"value": 1}}]}'),
    ('ends-crossed', '{"valueQuantity": {"value": 4}, "referenceRange": [{"low": {"value": 5}, "high": {"value": 3}}]}'),
    ('pos-high', '{"valueQuantity": {"value": 5}, "interpretation": [{"coding": [{"code": "POS"}]}, {"coding": [{"code": "own"}, {"code": "H"}]}]}'),
    ('pos-words', '{"valueQuantity": {"value": 5}, "interpretation": [{"coding": [{"code": "POS"}]}, {"text": "as before"}]}'),
    ('members', '{"hasMember": [{"reference": "Observation/no-unit"}]}'),
    ('members-absent', '{"hasMember": [{"reference": "Observation/no-unit"}], "dataAbsentReason": {"text": "clotted"}}'),
    ('parts', '{"component": [{"code": {"text": "a"}, "valueSampledData": {"data": "1 2", "origin": {"value": 1}, "period": 1, "dimensions": 1}}, {"code": {"text": "b"}, "valuePeriod": {"start": "2020"}}]}')) o (id, body);
-- what is said to be active, but was refuted, forbidden, missed or refused
INSERT INTO hard.condition (resource)
SELECT jsonb_build_object('resourceType', 'Condition', 'id', id, 'clinicalStatus', '{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}'::jsonb, 'code', jsonb_build_object('text', name), 'subject', '{"reference": "Patient/p"}'::jsonb) || body::jsonb
FROM (VALUES
    ('refuted', 'Cancer', '{"verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "refuted"}]}}'),
    ('differential', 'Asthma', '{"verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "differential"}]}}'),
    ('only-over', 'Cough', '{"abatementDateTime": "2001"}'),
    ('at-age', 'Cough', '{"onsetAge": {"value": 30, "code": "a"}, "abatementDateTime": "2001", "recordedDate": "2019-01-01"}'),
    ('only-recorded', 'Gout', '{"recordedDate": "2019-01-01"}'),
    ('onset', 'Cold', '{"onsetPeriod": {"start": "2018-03"}, "verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"}]}}')) o (id, name, body);
INSERT INTO hard.allergyintolerance (resource) VALUES
('{"resourceType":"AllergyIntolerance","id":"no-allergy","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-verification","code":"refuted"}]},"code":{"text":"Nuts"},"patient":{"reference":"Patient/p"}}');
INSERT INTO hard.medicationrequest (resource) VALUES
('{"resourceType":"MedicationRequest","id":"never","status":"active","intent":"order","doNotPerform":true,"medicationCodeableConcept":{"text":"never give"},"subject":{"reference":"Patient/p"}}');
INSERT INTO hard.appointment (resource) VALUES
('{"resourceType":"Appointment","id":"missed","status":"noshow","start":"2020-01-01T10:00:00Z","end":"2020-01-01T11:00:00Z","participant":[{"actor":{"reference":"Patient/p"},"status":"accepted"}]}'),
('{"resourceType":"Appointment","id":"kept","status":"fulfilled","start":"2020-01-02T10:00:00Z","end":"2020-01-02T11:00:00Z","participant":[{"actor":{"reference":"Patient/p"},"status":"accepted"}]}');
-- stays with days only, in the future, and one after the other
INSERT INTO hard.encounter (resource)
SELECT jsonb_build_object('resourceType', 'Encounter', 'id', id, 'status', status, 'class', '{"code": "IMP"}'::jsonb, 'subject', jsonb_build_object('reference', 'Patient/' || patient),
    'period', jsonb_strip_nulls(jsonb_build_object('start', "from", 'end', until)))
FROM (VALUES
    ('a1', 'a', 'finished', '2020-01-05T08:00:00Z', '2020-01-05'), ('a2', 'a', 'finished', '2020-01-05', '2020-01-05'),
    ('b1', 'b', 'finished', '2002-05-10', '2002-05'), ('b2', 'b', 'finished', '2002-06-02', '2002-06-05'), ('b3', 'b', 'finished', '2002-07-05', '2002-07-06'), ('b4', 'b', 'finished', '2002-07', '2002-08'),
    ('c1', 'c', 'in-progress', '2935', NULL), ('c2', 'c', 'unknown', '2010-01-01', NULL), ('c3', 'c', 'finished', '2011-01-02T10:00:00Z', '2011-01-01T10:00:00Z'), ('c4', 'c', 'finished', NULL, '2012-01-01'),
    ('d1', 'd', 'finished', '2021-01-01T00:00:00Z', '2021-01-10T10:00:00Z'), ('d2', 'd', 'finished', '2021-01-10T10:00:00Z', '2021-01-20T10:00:00Z'), ('d3', 'd', 'finished', '2021-02-10T10:00:00Z', '2021-02-11T10:00:00Z'),
    ('e1', 'e', 'finished', '2021-05-01T00:00:00Z', '2021-05-10T00:00:00Z'), ('e2', 'e', 'finished', '2021-05-09T23:00:00Z', '2021-05-20T00:00:00Z'), ('e3', 'e', 'finished', '2021-05-20T00:00:01Z', '2021-05-21T00:00:00Z'),
    ('f1', 'f', 'finished', '2021-01-01T00:00:00Z', '2021-01-20T00:00:00Z'), ('f2', 'f', 'finished', '2021-01-05T00:00:00Z', '2021-01-06T00:00:00Z'), ('f3', 'f', 'finished', '2021-02-10T00:00:00Z', '2021-02-11T00:00:00Z'),
    ('g1', 'g', 'finished', '2021-01-01', '2021-01-02'), ('g2', 'g', 'in-progress', '2021-01-02T12:00:00Z', '2935-01-01')) o (id, patient, status, "from", until);
-- doses with numbers, without, and some of each
INSERT INTO hard.immunization (resource)
SELECT jsonb_build_object('resourceType', 'Immunization', 'id', 'i' || row_number() OVER (), 'status', 'completed', 'vaccineCode', jsonb_build_object('text', name), 'patient', '{"reference": "Patient/p"}'::jsonb, 'occurrenceDateTime', day)
    || CASE WHEN series IS NULL THEN '{}' ELSE jsonb_build_object('protocolApplied', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('doseNumberPositiveInt', dose, 'doseNumberString', word, 'seriesDosesPositiveInt', series)))) END
FROM (VALUES
    ('first twice', '2010-01-01', 1, NULL, 2), ('first twice', '2020-01-01', 1, NULL, 2),
    ('last only', '2020-01-01', 3, NULL, 3),
    ('no numbers', '2020-01-01', NULL, NULL, NULL), ('no numbers', '2020-02-01', NULL, NULL, NULL),
    ('first and another', '2020-01-01', 1, NULL, 2), ('first and another', '2020-02-01', NULL, NULL, NULL),
    ('first of three and another', '2020-01-01', 1, NULL, 3), ('first of three and another', '2020-02-01', NULL, NULL, NULL),
    ('digits', '2020-01-01', NULL, '1', 2), ('digits', '2020-02-01', NULL, '2', 2),
    ('words', '2020-01-01', NULL, 'first', 2), ('words', '2020-02-01', NULL, 'first', 2),
    ('two series', '2020-01-01', 2, NULL, 2), ('two series', '2020-02-01', 1, NULL, 3)) o (name, day, dose, word, series);

SELECT count(*) FROM fhir.create_views('hard_bi', ARRAY[]::text[], lake => 'hard');
SELECT id, started, ended FROM hard_bi.medication_active ORDER BY type, id;
SELECT patient_id, age = date_part('year', age(birth_date)) AS age_today, active_medications FROM hard_bi.patient_summary ORDER BY patient_id;
SELECT observation_id, component_number AS n, value, value_text, reference_low AS low, reference_high AS high, flag, flag_from, interpretations FROM hard_bi.lab_result ORDER BY 1, 2;
SELECT type, id, status FROM hard_bi.timeline WHERE type NOT IN ('Observation', 'Immunization') ORDER BY 1, 2;
SELECT display, patients, first_onset, last_onset FROM hard_bi.condition_prevalence ORDER BY display;
SELECT encounter_id, ended, is_open, hours, days, nights FROM hard_bi.encounter_stay WHERE patient_id IN ('a', 'b', 'c') ORDER BY 1;
SELECT encounter_id, is_transfer, next_inpatient_id AS next, days_to_next_inpatient AS days, is_readmitted_in_30_days FROM hard_bi.encounter_stay ORDER BY 1;
SELECT display, doses, dose_number, series_doses, is_complete FROM hard_bi.immunization_status ORDER BY display;

DROP VIEW public.mine, public.yours;
REVOKE ALL ON ALL TABLES IN SCHEMA bi, lake FROM ready_reader;
REVOKE ALL ON SCHEMA bi, lake FROM ready_reader;
DROP POLICY only_b ON lake.patient;
DROP ROLE ready_reader, ready_stranger;

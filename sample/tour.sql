CREATE EXTENSION fhirlake;
ALTER DATABASE demo SET search_path = public, fhir;
SET search_path = public, fhir;

-- A lake is a schema of ordinary tables, one for each resource type, that belong to you.
SELECT fhir.create_lake('lake');

-- Load the sample: one file of resources for each type.
SELECT * FROM fhir.load(:'sample' || '/*.ndjson');
ANALYZE lake.resource;

-- What is in the lake?
SELECT type, count(*) FROM lake.resource GROUP BY type ORDER BY count(*) DESC, type;

-- People: women born before 1980. `search |= …` takes what a FHIR server takes after the question mark.
SELECT id, resource #>> '{name,0,given,0}' AS given, resource #>> '{name,0,family}' AS family, resource ->> 'birthDate' AS born
FROM lake.patient
WHERE search |= 'gender=female&birthdate=lt1980';

-- A patient's record in the order of time: the last of Tameka Bosco's. fhir.timeline_svg draws it.
SELECT occurred::date AS day, type, display AS what, value, unit
FROM fhir.timeline((SELECT id FROM lake.patient WHERE search |= 'name=bosco'), count => 12,
                   types => '{Encounter,Condition,MedicationRequest,Immunization}');

-- Systolic blood pressures above 150 mmHg since 2015, and the plan that finds them: one GIN index answers all three.
EXPLAIN (ANALYZE, BUFFERS, TIMING off)
SELECT resource #>> '{subject,reference}' AS patient, occurred::date AS day, resource #>> '{valueQuantity,value}' AS mmhg
FROM lake.observation
WHERE search |= 'code=http://loinc.org|8480-6&value-quantity=gt150&date=ge2015';

-- What does a note say? Negated, somebody else's, with doses and results; nothing leaves the database.
SELECT category, text, certainty, subject, attributes #>> '{0,text}' AS attribute, concepts #>> '{0,code}' AS code
FROM fhir.detect_entities('66 yo with HTN, on metoprolol 25 mg PO BID. Denies chest pain. Mother had breast cancer. K 5.2 mmol/L (H).');

-- Question: do the validation functions and the domains tell a valid resource from an invalid one, and say what is wrong?
\pset null '<null>'

SELECT fhir.is_valid('{"resourceType":"Patient"}');
SELECT fhir.is_valid('{"resourceType":"Patient","gender":"none"}');
SELECT fhir.is_valid('{"resourceType":"Patient"}', 'Patient'), fhir.is_valid('{"resourceType":"Patient"}', 'Observation');
SELECT fhir.is_valid(NULL), fhir.is_valid('{}', NULL);
-- Whatever it is, it is only not a resource.
SELECT j, fhir.is_valid(j), fhir.is_valid(j, 'Patient')
FROM (VALUES ('null'::jsonb), ('true'), ('1'), ('"Patient"'), ('[]'), ('{}'), ('{"resourceType":1}'), ('{"resourceType":"patient"}'),
             ('{"resourceType":"Resource"}'), ('{"resourceType":"HumanName"}')) AS v (j);

SELECT * FROM fhir.issues('{"resourceType":"Patient"}');
SELECT severity, code, expression
FROM fhir.issues('{"resourceType":"Patient","gender":"none","birthDate":"1970-13-01","nickname":"x","active":"yes"}')
ORDER BY expression COLLATE "C";

-- A domain for every type, and one for any; Bundle's has another name, for fhir.bundle('…') is a call.
SELECT count(*) FROM fhir.resource_types() t
WHERE NOT EXISTS (SELECT FROM pg_type d WHERE d.typnamespace = 'fhir'::regnamespace AND d.typtype = 'd' AND d.typname = replace(lower(t), 'bundle', 'bundle_resource'));
SELECT '{"resourceType":"Patient","active":true}'::fhir.patient;
SELECT '{"resourceType":"Group","type":"person","actual":true}'::fhir.group;
SELECT NULL::fhir.patient;
SELECT '{"resourceType":"Patient","active":true}'::fhir.resource;
SELECT '{"resourceType":"Patient","gender":"none"}'::fhir.patient;
SELECT '{"resourceType":"Observation"}'::fhir.patient;
SELECT '{"resourceType":"observation"}'::fhir.resource;
SELECT '[]'::fhir.resource;

-- In a table of a user's own; drivers see jsonb.
CREATE TABLE mine (resource fhir.patient);
INSERT INTO mine VALUES ('{"resourceType":"Patient","birthDate":"1970-01-01"}');
INSERT INTO mine VALUES ('{"resourceType":"Patient","birthDate":"01.01.1970"}');
SELECT resource->>'birthDate' FROM mine;

-- The domains belong to the extension.
DROP DOMAIN fhir.patient CASCADE;

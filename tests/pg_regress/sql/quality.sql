-- Question: does fhir.revalidate check again what a change of concepts can have made right or wrong?
SELECT fhir.create_lake('lake');
CREATE TABLE codes (code text, display text);
INSERT INTO codes VALUES ('x', 'X'), ('y', 'Y');
SELECT concepts FROM fhir.load_code_system('urn:q', 'SELECT * FROM public.codes', 'query');
INSERT INTO lake.valueset (resource) VALUES ('{"resourceType":"ValueSet","id":"q","url":"urn:vq","status":"active","compose":{"include":[{"system":"urn:q"}]}}');
INSERT INTO lake.structuredefinition (resource) VALUES ('{"resourceType":"StructureDefinition","id":"q","url":"urn:pq","name":"Q","status":"active","kind":"resource","abstract":false,
    "type":"Observation","derivation":"constraint","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Observation",
    "differential":{"element":[{"id":"Observation","path":"Observation"},{"id":"Observation.code","path":"Observation.code","binding":{"strength":"required","valueSet":"urn:vq"}}]}}');
INSERT INTO lake.observation (resource) VALUES ('{"resourceType":"Observation","id":"o","meta":{"profile":["urn:pq"]},"status":"final","code":{"coding":[{"system":"urn:q","code":"x"}]}}');
SELECT checked, with_errors FROM fhir.revalidate('profile', 'Observation');
SELECT checked, with_errors FROM fhir.revalidate('profile', 'Observation');
-- Loaded anew, with as many codes: the CodeSystem stays as it is, and x is gone.
UPDATE codes SET code = 'w' WHERE code = 'x';
SELECT concepts FROM fhir.load_code_system('urn:q', 'SELECT * FROM public.codes', 'query');
SELECT version FROM lake.codesystem;
SELECT fhir.is_valid(resource, 'profile', '{}') FROM lake.observation;
SELECT checked, with_errors FROM fhir.revalidate('profile', 'Observation');
SELECT details FROM lake.issue WHERE severity = 'error' ORDER BY details COLLATE "C";
-- The same codes once more: nothing has changed.
SELECT concepts FROM fhir.load_code_system('urn:q', 'SELECT * FROM public.codes', 'query');
SELECT checked FROM fhir.revalidate('profile', 'Observation');
-- What a code is shown as counts, too.
UPDATE codes SET display = 'Z' WHERE code = 'y';
SELECT concepts FROM fhir.load_code_system('urn:q', 'SELECT * FROM public.codes', 'query');
SELECT checked, with_errors FROM fhir.revalidate('profile', 'Observation');
SET client_min_messages = error;
SELECT fhir.drop_lake('lake', true);

-- Question: do patches and differences work from SQL, keep digits, stay out of type and id, and raise what the docs say?
\pset null NULL

-- JSON Patch
SELECT fhir.json_patch('{"resourceType":"Patient","id":"p","name":[{"family":"Frei"}]}',
  '[{"op":"test","path":"/name/0/family","value":"Frei"},{"op":"replace","path":"/name/0/family","value":"Fry"},{"op":"add","path":"/active","value":true}]');
SELECT fhir.json_patch('{"resourceType":"Observation","valueQuantity":{"value":1.10},"component":[{"valueQuantity":{"value":2.00}}]}',
  '[{"op":"test","path":"/valueQuantity/value","value":1.1},{"op":"copy","from":"/valueQuantity","path":"/component/0/valueQuantity"},{"op":"add","path":"/status","value":"final"}]');
SELECT fhir.json_patch('{"a":1}', '[]'), fhir.json_patch(NULL, '[]'), fhir.json_patch('{}', NULL);

-- merge patch
SELECT fhir.merge_patch('{"resourceType":"Patient","id":"p","gender":"male","maritalStatus":{"text":"x","id":"m"}}', '{"gender":null,"active":true,"maritalStatus":{"text":"y"}}');

-- FHIRPath Patch
CREATE FUNCTION pg_temp.operation(type text, path text, VARIADIC parts jsonb[] DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('name', 'operation', 'part',
    jsonb_build_array(jsonb_build_object('name', 'type', 'valueCode', type), jsonb_build_object('name', 'path', 'valueString', path)) || to_jsonb(parts)) $$;
CREATE FUNCTION pg_temp.parameters(VARIADIC operations jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('resourceType', 'Parameters', 'parameter', to_jsonb(operations)) $$;
SELECT fhir.fhirpath_patch('{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:a","value":"1"},{"system":"urn:b","value":"2"}],"birthDate":"1970"}', pg_temp.parameters(
  pg_temp.operation('replace', 'Patient.birthDate', '{"name":"value","valueDate":"1971"}'),
  pg_temp.operation('delete', 'Patient.identifier.where(system = ''urn:a'')'),
  pg_temp.operation('insert', 'Patient.identifier', '{"name":"index","valueInteger":0}', '{"name":"value","valueIdentifier":{"value":"3"}}'),
  pg_temp.operation('move', 'Patient.identifier', '{"name":"source","valueInteger":1}', '{"name":"destination","valueInteger":0}'),
  pg_temp.operation('add', 'Patient', '{"name":"name","valueString":"deceased"}', '{"name":"value","valueBoolean":true}'),
  pg_temp.operation('add', 'Patient', '{"name":"name","valueString":"contact"}', '{"name":"value","part":[{"name":"gender","valueCode":"male"},{"name":"name","valueHumanName":{"text":"x"}}]}')));
SELECT fhir.fhirpath_patch('{"resourceType":"Patient"}', '{"resourceType":"Parameters"}');

-- differences
SELECT fhir.diff('{"a":[1,2,3],"b":1.0}'::jsonb, '{"a":[0,1,2,3],"b":1.00,"c":null}'::jsonb);
SELECT fhir.diff('{"a":1}', '{"a":1}'), fhir.diff(NULL::jsonb, '{}'::jsonb);

-- what is raised
\set VERBOSITY sqlstate
SELECT fhir.json_patch('{"a":1}', '{}');
SELECT fhir.json_patch('{"a":1}', '[{"op":"add","path":"/~2","value":1}]');
SELECT fhir.json_patch('{"a":[]}', '[{"op":"add","path":"/a/-1","value":1}]');
SELECT fhir.json_patch('{"a":[]}', '[{"op":"remove","path":"/a/99999999999999999999"}]');
SELECT fhir.json_patch('{"a":1}', '[{"op":"test","path":"/a","value":2}]');
SELECT fhir.json_patch('{"resourceType":"Patient"}', '[{"op":"replace","path":"/resourceType","value":"Group"}]');
SELECT fhir.merge_patch('{"resourceType":"Patient","id":"p"}', '{"id":"q"}');
SELECT fhir.merge_patch('{}', (repeat('{"a":', 600) || '1' || repeat('}', 600))::jsonb);
SELECT fhir.json_patch(jsonb_build_object('a', jsonb_build_array(repeat('x', 1000000))), (SELECT jsonb_agg('{"op":"copy","from":"/a","path":"/a/-"}'::jsonb) FROM generate_series(1, 100)));
SELECT fhir.fhirpath_patch('{"resourceType":"Patient"}', '[]');
SELECT fhir.fhirpath_patch('{"resourceType":"Patient","name":[{"family":"a"},{"family":"b"}]}', pg_temp.parameters(pg_temp.operation('delete', 'Patient.name')));
\set VERBOSITY default
SELECT fhir.json_patch('{"resourceType":"Patient","id":"p"}', '[{"op":"replace","path":"/id","value":"q"}]');
SELECT fhir.fhirpath_patch('{"resourceType":"Patient","name":[{"family":"a"},{"family":"b"}]}', pg_temp.parameters(
  pg_temp.operation('delete', 'Patient.birthDate'), pg_temp.operation('delete', 'Patient.name')));
SELECT fhir.fhirpath_patch('{"resourceType":"Patient"}', pg_temp.parameters(pg_temp.operation('add', 'Patient', '{"name":"name","valueString":"gender"}', '{"name":"value","valueBoolean":true}')));
SELECT fhir.fhirpath_patch('{"resourceType":"Patient","deceasedBoolean":true}', pg_temp.parameters(pg_temp.operation('delete', 'Patient.deceasedBoolean')));

-- versions of a resource in a lake: the difference leads from one to the other
SELECT fhir.create_lake('patches');
SET fhir.lake = 'patches';
INSERT INTO patches.patient (resource) VALUES ('{"resourceType":"Patient","id":"p","name":[{"family":"Frei"}],"gender":"female"}');
UPDATE patches.patient SET resource = fhir.json_patch(resource, '[{"op":"add","path":"/name/0","value":{"family":"Fry"}},{"op":"remove","path":"/gender"}]') WHERE id = 'p';
SELECT o ->> 'op' AS op, o ->> 'path' AS path, CASE WHEN o ->> 'path' <> '/meta/lastUpdated' THEN o -> 'value' END AS value
  FROM jsonb_array_elements(fhir.diff('Patient', 'p', 1, 2)) o;
SELECT fhir.json_patch(fhir.vread('Patient', 'p', 1), fhir.diff('Patient', 'p', 1, 2)) = fhir.vread('Patient', 'p', 2) AS forward,
       fhir.json_patch(fhir.vread('Patient', 'p', 2), fhir.diff('Patient', 'p', 2, 1)) = fhir.vread('Patient', 'p', 1) AS backward,
       fhir.diff('Patient', 'p', 2, 2) AS none;
\set VERBOSITY sqlstate
SELECT fhir.diff('Patient', 'p', 1, 3);
SELECT fhir.diff('Patient', 'q', 1, 2);
\set VERBOSITY default
-- no name of the caller's search_path is taken for ours
CREATE SCHEMA trap;
CREATE FUNCTION trap.vread(text, text, bigint) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"trapped":true}'::jsonb $$;
SET search_path = trap, pg_catalog, fhir;
SELECT jsonb_array_length(fhir.diff('Patient', 'p', 1, 2)) AS operations;
RESET search_path;
SELECT proname, provolatile, proisstrict, proparallel FROM pg_proc WHERE pronamespace = 'fhir'::regnamespace AND proname IN ('json_patch', 'merge_patch', 'fhirpath_patch', 'diff') ORDER BY proname, pronargs;
SET client_min_messages = warning;
DROP SCHEMA trap CASCADE;
SELECT fhir.drop_lake('patches');

-- Question: do the search functions find, count, page and refuse as a client of a FHIR server expects?
\set VERBOSITY default
SELECT fhir.create_lake('found');
SET fhir.lake = 'found';
INSERT INTO found.patient (resource) VALUES
  ('{"resourceType":"Patient","id":"a","name":[{"family":"Smith","given":["Ann"]}],"birthDate":"1970-01-01","gender":"female"}'),
  ('{"resourceType":"Patient","id":"b","name":[{"family":"Smithers","given":["Bob"]}],"birthDate":"1969-12-31","gender":"male"}'),
  ('{"resourceType":"Patient","id":"c","name":[{"family":"O''Neill"}],"birthDate":"1980","active":true}'),
  ('{"resourceType":"Patient","id":"d","name":[{"text":"back\\slash, comma|bar"}]}');
INSERT INTO found.observation (resource) VALUES
  ('{"resourceType":"Observation","id":"a","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/a"},"valueQuantity":{"value":1.10,"unit":"g"}}');

CREATE FUNCTION pg_temp.ids(bundle jsonb) RETURNS text LANGUAGE sql AS
  $$ SELECT string_agg(e->'resource'->>'id', ' ') FROM jsonb_array_elements(bundle->'entry') e $$;
SELECT q, pg_temp.ids(fhir.search(q)) AS found, fhir.search_count(q), (SELECT count(*) FROM fhir.search_rows(q)) AS rows FROM unnest(ARRAY[
  'Patient?name=smith', 'Patient?name=smith&birthdate=ge1970-01-01', 'Patient?family:exact=Smith', 'Patient?name=o''neill', 'Patient?name=O%27NEILL',
  'Patient?gender=male,female', 'Patient?gender:missing=true', 'Patient?gender:not=male', 'Patient?_id=a,c', 'Patient?birthdate=1980', 'Patient',
  'Patient?name=back\\slash\, comma\|bar', 'Patient?active=true', 'Patient?_lastUpdated=gt2001&_id=b', 'Patient?_lastUpdated=lt2001', 'Observation?subject=a',
  'Observation?subject=Patient/a', 'Observation?subject:Patient=a', 'Observation?patient=Patient/b', 'Observation?value-quantity=1.1||g', '?_id=a']) q;
-- A number keeps its digits, and the Bundle is a valid resource.
SELECT fhir.search('Observation')->'entry'->0->'resource'->'valueQuantity'->>'value' AS digits, fhir.is_valid(fhir.search('Patient?_total=accurate')) AS valid;
SELECT fhir.search('Patient?_summary=count');
SELECT fhir.search('Patient?name=nobody&_total=accurate');

-- Pages: each one starts where the one before ended, also when rows come and go between.
SELECT pg_temp.ids(b) AS page, b->'link'->1->>'url' AS next FROM (SELECT fhir.search('Patient?_count=2&_sort=-_id') b) s \gset
SELECT :'page' AS page;
DELETE FROM found.patient WHERE id = 'd';
SELECT pg_temp.ids(fhir.search(:'next')) AS page, fhir.search(:'next')->'link'->1 AS next;
-- In the order of change, ties by id.
SELECT pg_temp.ids(fhir.search('Patient?_sort=_lastUpdated&_count=1')) AS first, regexp_replace(fhir.search('Patient?_sort=_lastUpdated&_count=1')->'link'->1->>'url', '\d+~', 'n~') AS next;
SELECT pg_temp.ids(fhir.search(fhir.search('Patient?_sort=_lastUpdated&_count=1')->'link'->1->>'url')) AS second;

-- What a client can send wrong.
SELECT fhir.search('Patient?name=a&nam=b');
SELECT fhir.search('Nothing?x=1');
SELECT fhir.search('Patient?_count=-1');
SELECT fhir.search('Patient?_include=Patient:name');
SELECT fhir.search('Patient?_sort=nothing');
SELECT fhir.search('Patient?_cursor=x~y');
SELECT fhir.search('Patient?_elements=nothing');
SELECT fhir.search('Patient?_has:Observation:code:status=final');
SELECT fhir.search('Patient?name='';DROP TABLE found.patient;--');
SELECT fhir.search('Patient', 'no such lake');
SELECT fhir.search('Patient', handling => 'loose');
SELECT fhir.search(NULL);
-- Leniently: what is not known is left out and said, what is wrong stays an error.
SELECT jsonb_path_query_array(fhir.search('Patient?gender=male&nam=b', handling => 'lenient'), '$.entry[*].search.mode') AS modes,
  jsonb_path_query(fhir.search('Patient?gender=male&nam=b', handling => 'lenient'), '$.link[0].url') AS self,
  jsonb_path_query(fhir.search('Patient?gender=male&nam=b', handling => 'lenient'), '$.entry[*].resource.issue[*].diagnostics') AS why;
SELECT fhir.search('Patient?birthdate=soon', handling => 'lenient');
SELECT count(*) FROM found.patient;
SET client_min_messages = error;
SELECT fhir.drop_lake('found');

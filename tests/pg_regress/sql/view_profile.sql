-- Question: does fhir.profile_data tell what is stored, with the rights of the caller, and does fhir.propose_view make a view of it?
SELECT fhir.create_lake('lake');
INSERT INTO lake.resource (type, resource) SELECT r->>'resourceType', r FROM unnest(ARRAY[
    '{"resourceType":"Patient","id":"1","gender":"female","birthDate":"1970-02-03","name":[{"family":"Solo","given":["Jaina","J."]},{"text":"JS"}],
      "extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex","valueCode":"F"}]}',
    '{"resourceType":"Patient","id":"2","birthDate":"1969"}',
    '{"resourceType":"Observation","id":"1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure"}]},
      "subject":{"reference":"Patient/1"},"effectiveDateTime":"2020-01-02T03:04:05Z",
      "component":[{"code":{"coding":[{"code":"8480-6"}]},"valueQuantity":{"value":120,"unit":"mmHg"}},{"code":{"coding":[{"code":"8462-4"}]},"valueQuantity":{"value":80.5,"unit":"mmHg"}}]}',
    '{"resourceType":"Observation","id":"2","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8302-2"}]},"subject":{"reference":"Patient/2"},
      "valueQuantity":{"value":180,"unit":"cm"}}']::jsonb[]) r;
SELECT path, expression, fhir_type, resources, share, occurrences, most FROM fhir.profile_data('Observation') WHERE path NOT LIKE 'meta%';
SELECT path, distinct_values, is_exact, smallest, largest, examples FROM fhir.profile_data('Observation') WHERE distinct_values IS NOT NULL AND path NOT LIKE 'meta%';
-- The expressions find as many as were counted.
SELECT p.path, p.occurrences, f.found
FROM (VALUES ('Patient'), ('Observation')) t(type), fhir.profile_data(t.type) p,
    LATERAL (SELECT count(*) AS found FROM lake.resource r, fhir.path(r.resource, p.expression) WHERE r.type = t.type) f
WHERE p.occurrences <> f.found;
-- Many values are estimated, and a sample is one.
INSERT INTO lake.basic (resource) SELECT format('{"resourceType":"Basic","id":"%s","code":{"text":"%s"}}', n, n % 1000)::jsonb FROM generate_series(1, 5000) n;
SELECT path, occurrences, distinct_values BETWEEN occurrences * 0.9 AND occurrences * 1.1 AS is_near, is_exact FROM fhir.profile_data('Basic') WHERE path IN ('id', 'code.text');
SELECT resources FROM fhir.profile_data('Basic', 10) WHERE path = 'Basic';
ANALYZE lake.basic;
SELECT resources BETWEEN 1 AND 1000 AS is_sample FROM fhir.profile_data('Basic', sample => 1000) WHERE path = 'Basic';
SELECT path, resources, share FROM fhir.profile_data('Group');
-- A view of what occurs.
SELECT v->>'name' AS name, v->>'resource' AS resource, v->>'status' AS status FROM fhir.propose_view('Observation') v;
SELECT c->>'name' AS name, c->>'type' AS type, c->>'path' AS path, c->>'description' AS description
FROM fhir.propose_view('Observation') v, jsonb_array_elements(v->'select'->0->'column') c;
SELECT c->>'name' AS name, c->>'path' AS path FROM fhir.propose_view('Patient', 0.6) v, jsonb_array_elements(v->'select'->0->'column') c;
SELECT s->>'forEach' AS for_each, c->>'name' AS name, c->>'path' AS path
FROM fhir.propose_view('Observation', for_each => 'component') v, jsonb_array_elements(v->'select') s, jsonb_array_elements(s->'column') c;
-- What cannot be done.
SELECT fhir.propose_view('Observation', for_each => 'nothing');
SELECT fhir.propose_view('Observation', for_each => 'status');
SELECT fhir.propose_view('Observation', 2);
SELECT fhir.profile_data('patient');
SELECT fhir.profile_data(NULL);
SELECT fhir.profile_data('Patient', 0);
SELECT fhir.profile_data('Patient', lake => 'nowhere');
-- A user's profile is that of the rows that he may see.
CREATE ROLE profile_reader;
SET ROLE profile_reader;
SELECT fhir.profile_data('Patient');
RESET ROLE;
SELECT fhir.grant_lake('lake', 'profile_reader', 'read');
ALTER TABLE lake.patient ENABLE ROW LEVEL SECURITY;
CREATE POLICY one ON lake.patient USING (id = '2');
SET ROLE profile_reader;
SELECT path, resources, smallest FROM fhir.profile_data('Patient') WHERE path NOT LIKE 'meta%';
RESET ROLE;
SET client_min_messages = error;
SELECT fhir.drop_lake('lake', true);
DROP OWNED BY profile_reader;
DROP ROLE profile_reader;

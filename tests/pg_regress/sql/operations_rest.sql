-- $meta, $lastn, $document and $match over HTTP.
\pset format unaligned
SET client_min_messages = warning;
SELECT fhir.create_lake('operations_rest_lake');
SET fhir.lake = 'operations_rest_lake';
INSERT INTO operations_rest_lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p","meta":{"tag":[{"code":"a"}]},"name":[{"family":"Smith","given":["John"]}],"birthDate":"1970-03-04"}');
INSERT INTO operations_rest_lake.observation (resource) VALUES
    ('{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://l","code":"a"}]},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2020"}'),
    ('{"resourceType":"Observation","id":"o2","status":"final","code":{"coding":[{"system":"http://l","code":"a"}]},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2021"}');
INSERT INTO operations_rest_lake.composition (resource) VALUES ('{"resourceType":"Composition","id":"doc","status":"final","type":{"text":"note"},"date":"2020-01-01","title":"t","subject":{"reference":"Patient/p"},"author":[{"reference":"Patient/p"}],"section":[{"title":"1","entry":[{"reference":"Observation/o1"}]}]}');
CREATE FUNCTION pg_temp.status(method text, url text, body text DEFAULT NULL) RETURNS integer LANGUAGE sql AS $$ SELECT status FROM fhir.rest(method, url, '{}', body) $$;
CREATE FUNCTION pg_temp.tags(method text, url text, body text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT concat(status, ' ', answer ->> 'resourceType', ' ', answer #> '{parameter,0,valueMeta,tag}') FROM fhir.rest(method, url, '{}', body)
$$;
CREATE FUNCTION pg_temp.urls(method text, url text, body text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT concat(status, ' ', answer ->> 'type', ' ', jsonb_path_query_array(answer, '$.entry[*].fullUrl')) FROM fhir.rest(method, url, '{}', body)
$$;

SELECT pg_temp.tags('GET', '/Patient/p/$meta');
SELECT pg_temp.tags('GET', '/Patient/$meta');
SELECT pg_temp.tags('POST', '/$meta');
SELECT pg_temp.tags('GET', '/Observation/$meta');
SELECT pg_temp.tags('POST', '/Patient/p/$meta-add', '{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"code":"b"}]}}]}');
SELECT pg_temp.tags('POST', '/Patient/p/$meta-delete', '{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"code":"a"}]}}]}');
SELECT pg_temp.status('POST', '/Patient/p/$meta-add', '{"resourceType":"Parameters"}'), pg_temp.status('GET', '/Patient/gone/$meta');
-- What changes something is called by POST.
SELECT pg_temp.status('GET', '/Patient/p/$meta-add'), pg_temp.status('GET', '/Patient/p/$meta-delete'), pg_temp.status('GET', '/Composition/doc/$document?persist=true');
SELECT pg_temp.urls('GET', 'http://x.org/fhir/Observation/$lastn?patient=p&code=http://l%7Ca&_format=json');
SELECT pg_temp.urls('GET', 'http://x.org/fhir/Observation/$lastn?patient=p&code=http://l%7Ca&max=2');
SELECT pg_temp.status('GET', '/Observation/$lastn?code=a'), pg_temp.status('GET', '/Observation/$lastn?patient=p&code=a&max=x');
SELECT pg_temp.urls('GET', 'http://x.org/fhir/Composition/doc/$document');
SELECT pg_temp.urls('GET', 'http://x.org/fhir/Composition/$document?id=Composition/doc');
SELECT pg_temp.status('GET', '/Composition/doc/$document?id=doc'), pg_temp.status('GET', '/Composition/$document'), pg_temp.status('GET', '/Composition/$document?id=http://y.org/Composition/doc');
SELECT pg_temp.urls('POST', 'http://x.org/fhir/Composition/doc/$document?persist=true'), (SELECT count(*) FROM operations_rest_lake.bundle) AS before;
SELECT count(*) FROM operations_rest_lake.bundle;
SELECT pg_temp.urls('POST', 'http://x.org/fhir/Patient/$match', '{"resourceType":"Patient","name":[{"family":"Smith","given":["John"]}],"birthDate":"1970-03-04"}');
SELECT pg_temp.urls('POST', 'http://x.org/fhir/Patient/$match', '{"resourceType":"Parameters","parameter":[{"name":"resource","resource":{"resourceType":"Patient","name":[{"family":"Smith","given":["John"]}],"birthDate":"1970-04-03"}},{"name":"onlyCertainMatches","valueBoolean":true}]}');
SELECT pg_temp.status('POST', '/Patient/$match', '{"resourceType":"Patient","gender":"male"}'), pg_temp.status('GET', '/Patient/$match');
SELECT r ->> 'type', jsonb_path_query_array(r, '$.operation[*].name') FROM jsonb_array_elements(fhir.capability_statement() #> '{rest,0,resource}') r WHERE r ->> 'type' IN ('Composition', 'Patient', 'Observation');
SELECT fhir.drop_lake('operations_rest_lake', true);

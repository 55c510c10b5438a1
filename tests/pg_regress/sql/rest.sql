-- The RESTful API as one function.
SET client_min_messages = warning;
SELECT fhir.create_lake('rest');
SET fhir.lake = 'rest';

-- A request, and what of its answer does not change from run to run.
CREATE FUNCTION ask(method text, url text, headers jsonb DEFAULT '{}', body text DEFAULT NULL) RETURNS TABLE (status integer, headers text, body text)
LANGUAGE sql AS $$
    SELECT r.status,
           regexp_replace(r.answer_headers::text, '(\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT)', '<date>', 'g'),
           CASE r.answer ->> 'resourceType'
               WHEN 'OperationOutcome' THEN (SELECT string_agg(concat_ws(' ', i ->> 'severity', i ->> 'code', i ->> 'diagnostics', i -> 'expression' ->> 0), E'\n')
                   FROM jsonb_array_elements(r.answer -> 'issue') i)
               WHEN 'Bundle' THEN concat_ws(' ', r.answer ->> 'type', jsonb_array_length(coalesce(r.answer -> 'entry', '[]')))
               WHEN 'CapabilityStatement' THEN 'CapabilityStatement'
               ELSE (r.answer #- '{meta,lastUpdated}')::text END
    FROM fhir.rest(method, url, headers, body) r
$$;

-- create on update, read, versions
SELECT * FROM ask('PUT', 'http://x.org/fhir/Patient/a', '{}', '{"resourceType":"Patient","id":"a","name":[{"family":"One"}]}');
SELECT * FROM ask('PUT', 'http://x.org/fhir/Patient/a', '{"If-Match": "W/\"1\""}', '{"resourceType":"Patient","id":"a","name":[{"family":"Two"}]}');
SELECT * FROM ask('PUT', 'http://x.org/fhir/Patient/a', '{"if-match": "W/\"1\""}', '{"resourceType":"Patient","id":"a"}');
SELECT * FROM ask('GET', '/Patient/a');
SELECT * FROM ask('HEAD', '/Patient/a');
SELECT * FROM ask('GET', '/Patient/a', '{"If-None-Match": "W/\"2\""}');
SELECT * FROM ask('GET', '/Patient/a/_history/1');
SELECT * FROM ask('GET', '/Patient/a/_history');
SELECT * FROM ask('GET', '/Patient/a?_elements=name');
SELECT * FROM ask('GET', '/Patient/b');

-- create
SELECT status, headers ~ '"Location": "http://x.org/Patient/[0-9a-f-]{36}/_history/1"' AS located, body ~ 'Three' AS returned
FROM ask('POST', 'http://x.org/Patient', '{}', '{"resourceType":"Patient","identifier":[{"system":"http://s","value":"3"}],"name":[{"family":"Three"}]}');
SELECT status, body FROM ask('POST', '/Patient', '{"If-None-Exist": "identifier=http://s|3", "Prefer": "return=OperationOutcome"}', '{"resourceType":"Patient"}');
SELECT status, body FROM ask('POST', '/Patient', '{"Prefer": "return=minimal"}', '{"resourceType":"Patient"}');
SELECT status, body FROM ask('PUT', '/Patient?identifier=http://s|3', '{"Prefer": "return=OperationOutcome"}', '{"resourceType":"Patient","identifier":[{"system":"http://s","value":"3"}],"active":true}');

-- patch, in its three kinds
SELECT status, body FROM ask('PATCH', '/Patient/a', '{"Content-Type": "application/json-patch+json"}', '[{"op":"add","path":"/gender","value":"female"}]');
SELECT status, body FROM ask('PATCH', '/Patient/a', '{"Content-Type": "application/merge-patch+json", "If-Match": "W/\"3\""}', '{"gender":null}');
SELECT status, body FROM ask('PATCH', '/Patient?family=two', '{"Content-Type": "application/fhir+json"}',
    '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"active"},{"name":"value","valueBoolean":true}]}]}');
SELECT status, body FROM ask('PATCH', '/Patient/a', '{"Content-Type": "application/json-patch+json"}', '[{"op":"test","path":"/gender","value":"female"}]');
SELECT status, body FROM ask('PATCH', '/Patient/none', '{}', '[]');
-- what names no kind of patch is refused, and told which there are
SELECT * FROM ask('PATCH', '/Patient/a', '{"Content-Type": "application/json"}', '[{"op":"add","path":"/gender","value":"female"}]');
SELECT status FROM ask('PATCH', '/Patient/a', '{"Content-Type": "application/fhir+json"}', '{"gender":"female"}');
SELECT * FROM ask('PATCH', '/Patient/a', '{"Content-Type": "application/xml-patch+xml"}', '<diff/>');
SELECT status FROM ask('PATCH', '/Patient/a', '{"Content-Type": "application/vnd.x+json"}', '{"gender":"female"}');
SELECT status, body FROM ask('PATCH', '/Patient/a', '{"Content-Type": "application/json; charset=utf-8", "If-Match": "W/\"9\""}',
    '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.active"}]}]}');
SELECT e -> 'response' ->> 'status' AS status, e -> 'response' #>> '{outcome,issue,0,diagnostics}' LIKE '%application/json-patch+json%' AS told
FROM jsonb_array_elements(fhir.bundle('{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"PATCH","url":"Patient/a"},"resource":{"resourceType":"Binary","contentType":"application/xml-patch+xml","data":"W10="}},
    {"request":{"method":"PATCH","url":"Patient/a"},"resource":{"resourceType":"Binary","contentType":"application/json-patch+json","data":"W10="}}]}') -> 'entry') e;

-- search, by GET and by POST
SELECT * FROM ask('GET', 'http://x.org/Patient?family=two');
SELECT fhir.search('Patient?family=two') -> 'link' -> 0 ->> 'url', r.answer -> 'link' -> 0 ->> 'url', r.answer -> 'entry' -> 0 ->> 'fullUrl'
FROM fhir.rest('GET', 'http://x.org/Patient?family=two') r;
SELECT status, body FROM ask('POST', '/Patient/_search', '{"Content-Type": "application/x-www-form-urlencoded"}', 'family=two&_count=5');
-- what would leave the criteria out, or is no type, does not find everything
SELECT status, body FROM ask('POST', '/Patient/_search', '{"Content-Type": "application/json"}', '{"family":"two"}');
SELECT status, body FROM ask('POST', '/Patient/_search', '{"Content-Type": "application/json"}', ' ');
SELECT status, body FROM ask('GET', '/Patient?family=two', '{"Content-Type": "application/fhir+json"}', '');
SELECT status, body FROM ask('GET', '/patient/a');
-- nothing of an address ends a header
BEGIN;
SELECT status, headers LIKE '%"Location": "/x%0d%0aEvil:1/Patient/hx/_history/1"%' AS as_written FROM ask('PUT', '/x%0d%0aEvil:1/Patient/hx', '{"Prefer": "return=minimal"}', '{"resourceType":"Patient","id":"hx"}');
ROLLBACK;
SELECT * FROM ask('GET', E'http://x\r\nEvil: 1/Patient/hx');
SELECT status, body FROM ask('GET', '/Patient?nonsense=1');
SELECT status, body FROM ask('GET', '/Patient?nonsense=1', '{"Prefer": "handling=lenient"}');
SELECT status, body FROM ask('GET', '/?_type=Patient');

-- delete, and what is left
SELECT * FROM ask('DELETE', '/Patient/a');
SELECT * FROM ask('GET', '/Patient/a');
SELECT * FROM ask('DELETE', '/Patient/a');
SELECT status, body FROM ask('PUT', '/Patient/a', '{}', '{"resourceType":"Patient","id":"a"}');
SELECT status, body FROM ask('DELETE', '/Patient?active:missing=true');

-- what is wrong is told, and changes nothing
SELECT * FROM ask('POST', '/Patient', '{}', '{"resourceType":"Patient","gender":"x","nonsense":1}');
SELECT * FROM ask('POST', '/Patient', '{}', '{"resourceType":"Observation"}');
SELECT * FROM ask('POST', '/Patient', '{}', '{');
SELECT * FROM ask('POST', '/Patient', '{"Content-Type": "application/fhir+xml"}', '<Patient/>');
SELECT * FROM ask('GET', '/Patient/a', '{"Accept": "application/fhir+xml"}');
SELECT * FROM ask('GET', '/Patient/a?_format=xml');
SELECT * FROM ask('PUT', '/Patient/a', '{}', '{"resourceType":"Patient","id":"b"}');
SELECT * FROM ask('PUT', '/Patient/a', '{}', '{"resourceType":"Patient"}');
SELECT * FROM ask('POST', '/Patient/a', '{}', '{}');
SELECT * FROM ask('GET', '/Nonsense/a');
SELECT * FROM ask('BREW', '/Patient/a');
SELECT * FROM ask('GET', '/Patient/a/$meta-add');
BEGIN READ ONLY;
SELECT status, headers FROM ask('PUT', '/Patient/a', '{}', '{"resourceType":"Patient","id":"a","active":true}');
ROLLBACK;
SELECT status, body FROM ask('GET', '/_history?_list=nothing');

-- operations and metadata
SELECT status, body FROM ask('GET', '/metadata');
SELECT fhir.is_valid(fhir.capability_statement('http://x.org/fhir'));
SELECT status, body FROM ask('GET', '/Patient/a/$everything');
SELECT status, body FROM ask('POST', '/Patient/$validate', '{}', '{"resourceType":"Patient","gender":"x"}');
SELECT status, body FROM ask('POST', '/Patient/$validate', '{}', '{"resourceType":"Parameters","parameter":[{"name":"resource","resource":{"resourceType":"Patient"}}]}');
SELECT status, body FROM ask('POST', '/Observation/$validate', '{}', '{"resourceType":"Patient","text":{"status":"empty","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}}');
SELECT status, body FROM ask('POST', '/Observation/o/$validate', '{}', '{"resourceType":"Parameters","parameter":[{"name":"resource","resource":{"resourceType":"Nothing"}}]}');
SELECT status, body FROM ask('GET', '/Patient/$nonsense');

-- the transaction around it goes on after a failure
BEGIN;
SELECT status FROM ask('PUT', '/Patient/kept', '{}', '{"resourceType":"Patient","id":"kept"}');
SELECT status FROM ask('PUT', '/Patient/refused', '{}', '{"resourceType":"Patient","id":"refused","gender":7}');
COMMIT;
SELECT id FROM rest.patient WHERE id IN ('kept', 'refused');

-- Where a lake enforces integrity, an answer knows of it.
SELECT fhir.set_integrity('enforce', 'rest');
SELECT status, body FROM ask('PUT', '/Observation/o', '{}', '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/nobody"}}');
SELECT status FROM ask('PUT', '/Observation/o', '{"Prefer":"return=minimal"}', '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/kept"}}');
SELECT status, body FROM ask('DELETE', '/Patient/kept');
SELECT count(*) FROM rest.patient WHERE id = 'kept';

-- a rule of the lake's own
ALTER TABLE rest.patient ADD CONSTRAINT named CHECK (resource ? 'name') NOT VALID;
SELECT * FROM ask('PUT', '/Patient/nameless', '{}', '{"resourceType":"Patient","id":"nameless"}');

-- a plain user
CREATE ROLE regress_rest_reader;
SELECT fhir.grant_lake('rest', 'regress_rest_reader', 'read');
SET ROLE regress_rest_reader;
SELECT status, answer ->> 'resourceType' FROM fhir.rest('GET', '/Patient/kept');
SELECT status, answer -> 'issue' -> 0 ->> 'code' FROM fhir.rest('PUT', '/Patient/kept', '{}', '{"resourceType":"Patient","id":"kept","active":true}');
RESET ROLE;

SELECT fhir.drop_lake('rest', true);
DROP OWNED BY regress_rest_reader;
DROP ROLE regress_rest_reader;

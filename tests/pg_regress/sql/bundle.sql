-- Batches and transactions.
SET client_min_messages = warning;
SELECT fhir.create_lake('bundles');
SET fhir.lake = 'bundles';

CREATE FUNCTION bundle(type text, VARIADIC entries jsonb[]) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_build_object('resourceType', 'Bundle', 'type', type, 'entry', to_jsonb(entries)) $$;
CREATE FUNCTION entry(method text, url text, resource jsonb DEFAULT NULL, full_url text DEFAULT NULL, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_strip_nulls(jsonb_build_object('fullUrl', full_url, 'resource', resource, 'request', jsonb_build_object('method', method, 'url', url) || more)) $$;
CREATE FUNCTION answers(bundle jsonb) RETURNS TABLE (status text, etag text, resource text, outcome text) LANGUAGE sql AS $$
    SELECT e -> 'response' ->> 'status', e -> 'response' ->> 'etag', e -> 'resource' ->> 'resourceType',
           e -> 'response' -> 'outcome' -> 'issue' -> 0 ->> 'diagnostics'
    FROM jsonb_array_elements(bundle -> 'entry') WITH ORDINALITY AS t(e, n) ORDER BY n
$$;

-- Two resources that point at each other, in one transaction; the answers stand in the order of the entries.
SELECT * FROM answers(fhir.bundle(bundle('transaction',
    entry('GET', 'Patient?family=circle'),
    entry('POST', 'Observation', '{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}}', 'urn:uuid:11111111-1cbf-4d64-b04d-cd9187a4c6e0'),
    entry('POST', 'Patient', '{"resourceType":"Patient","name":[{"family":"Circle"}],"extension":[{"url":"http://x","valueReference":{"reference":"urn:uuid:11111111-1cbf-4d64-b04d-cd9187a4c6e0"}}],
        "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"urn:uuid:11111111-1cbf-4d64-b04d-cd9187a4c6e0\">x</a></div>"}}', 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0'),
    entry('PUT', 'Organization/o', '{"resourceType":"Organization","id":"o","name":"O"}', 'http://x.org/Organization/o'))));
SELECT o.resource -> 'subject' ->> 'reference' = 'Patient/' || p.id AS forward,
       p.resource -> 'extension' -> 0 -> 'valueReference' ->> 'reference' = 'Observation/' || o.id AS backward,
       p.resource -> 'text' ->> 'div' LIKE '%href="Observation/' || o.id || '"%' AS narrative,
       o.compartment = 'Patient/' || p.id AS home, (SELECT method FROM fhir.history('Patient', p.id)) AS method
FROM bundles.patient p, bundles.observation o;

-- Conditional references: of the lake, and of the transaction itself.
SELECT * FROM answers(fhir.bundle(bundle('transaction',
    entry('POST', 'Practitioner', '{"resourceType":"Practitioner","identifier":[{"system":"http://npi","value":"1"}]}'))));
SELECT * FROM answers(fhir.bundle(bundle('transaction',
    entry('POST', 'Practitioner', '{"resourceType":"Practitioner","identifier":[{"system":"http://npi","value":"2"}]}'),
    entry('PUT', 'Encounter/e', '{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},"participant":[{"individual":{"reference":"Practitioner?identifier=http://npi|1"}},{"individual":{"reference":"Practitioner?identifier=http://npi|2"}}]}'))));
SELECT i -> 'individual' ->> 'reference' = 'Practitioner/' || p.id AS resolved
FROM bundles.encounter e, jsonb_array_elements(e.resource -> 'participant') WITH ORDINALITY AS t(i, n)
JOIN bundles.practitioner p ON p.search OPERATOR(fhir.|=) ('identifier=http://npi|' || n)::fhir.query ORDER BY n;
SELECT fhir.bundle(bundle('transaction',
    entry('POST', 'Patient', '{"resourceType":"Patient","name":[{"family":"Not"}]}'),
    entry('PUT', 'Encounter/e', '{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},"participant":[{"individual":{"reference":"Practitioner?identifier=http://npi|3"}}]}')));

-- Conditional create and update: what is found is used, and referred to.
SELECT * FROM answers(fhir.bundle(bundle('transaction',
    entry('POST', 'Practitioner', '{"resourceType":"Practitioner"}', 'urn:uuid:22222222-1cbf-4d64-b04d-cd9187a4c6e0', '{"ifNoneExist":"identifier=http://npi|1"}'),
    entry('PUT', 'Patient?family=circle', '{"resourceType":"Patient","name":[{"family":"Circle"}],"generalPractitioner":[{"reference":"urn:uuid:22222222-1cbf-4d64-b04d-cd9187a4c6e0"}]}'),
    entry('PUT', 'Patient?family=newcomer', '{"resourceType":"Patient","id":"newcomer","name":[{"family":"Newcomer"}]}'))));
SELECT count(*) FROM bundles.practitioner;
SELECT p.resource -> 'generalPractitioner' -> 0 ->> 'reference' = 'Practitioner/' || d.id FROM bundles.patient p, bundles.practitioner d
WHERE p.search OPERATOR(fhir.|=) 'family=circle' AND d.search OPERATOR(fhir.|=) 'identifier=http://npi|1';

-- All or nothing, with the entry named.
SELECT fhir.bundle(bundle('transaction',
    entry('PUT', 'Organization/p', '{"resourceType":"Organization","id":"p","name":"P"}'),
    entry('PUT', 'Organization/o', '{"resourceType":"Organization","id":"o","name":7}')));
SELECT fhir.bundle(bundle('transaction',
    entry('PUT', 'Organization/p', '{"resourceType":"Organization","id":"p","name":"P"}'),
    entry('PUT', 'Organization/o', '{"resourceType":"Organization","id":"o","name":"Q"}', NULL, '{"ifMatch":"W/\"7\""}')));
SELECT fhir.bundle(bundle('transaction', entry('PUT', 'Organization/p', '{"resourceType":"Organization","id":"p"}'), entry('DELETE', 'Organization/p')));
SELECT fhir.bundle(bundle('transaction', entry('POST', 'Organization', '{"resourceType":"Patient"}')));
SELECT count(*) FROM bundles.organization;

-- A batch: each for itself.
SELECT * FROM answers(fhir.bundle(bundle('batch',
    entry('PUT', 'Organization/p', '{"resourceType":"Organization","id":"p","name":"P"}'),
    entry('PUT', 'Organization/q', '{"resourceType":"Organization","id":"q","name":7}'),
    entry('GET', 'Organization/p'),
    entry('DELETE', 'Organization/p'),
    entry('GET', 'Organization/p'),
    entry('GET', 'Nonsense/p'),
    entry('POST', 'Organization'))));
SELECT fhir.is_valid(fhir.bundle(bundle('batch', entry('GET', 'Organization/o'), entry('GET', 'Organization/none'))));

-- Deletions come first, so that an identifier can be given away in one transaction.
SELECT * FROM answers(fhir.bundle(bundle('transaction',
    entry('POST', 'Practitioner', '{"resourceType":"Practitioner","identifier":[{"system":"http://npi","value":"2"}]}', NULL, '{"ifNoneExist":"identifier=http://npi|2"}'),
    entry('DELETE', 'Practitioner?identifier=http://npi|2')), 'return=representation'));

-- Patches: a Parameters resource, or a JSON Patch in a Binary.
SELECT * FROM answers(fhir.bundle(bundle('transaction',
    entry('PATCH', 'Organization/o', jsonb_build_object('resourceType', 'Binary', 'contentType', 'application/json-patch+json',
        'data', encode(convert_to('[{"op":"replace","path":"/name","value":"New"}]', 'UTF8'), 'base64')))), 'return=representation'));
SELECT fhir.read('Organization', 'o') ->> 'name';

-- What is no Bundle of requests.
SELECT fhir.bundle('{"resourceType":"Bundle","type":"searchset"}');
SELECT fhir.bundle('[]');
SELECT fhir.bundle('{"resourceType":"Bundle","type":"transaction"}');
SELECT fhir.bundle('{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Bundle"},"resource":{"resourceType":"Bundle","type":"collection"}}]}') -> 'entry' -> 0 -> 'response' ->> 'status';

-- Many resources in one transaction.
SELECT jsonb_array_length(fhir.bundle(jsonb_build_object('resourceType', 'Bundle', 'type', 'transaction', 'entry', jsonb_agg(
    entry('POST', 'Observation', jsonb_build_object('resourceType', 'Observation', 'status', 'final', 'code', jsonb_build_object('text', n::text), 'subject', jsonb_build_object('reference', 'urn:uuid:p')),
        'urn:uuid:o' || n)) || entry('POST', 'Patient', '{"resourceType":"Patient"}', 'urn:uuid:p'))) -> 'entry') FROM generate_series(1, 1000) n;
SELECT count(*), count(DISTINCT compartment) FROM bundles.observation WHERE resource -> 'code' ->> 'text' <> 'x';

SELECT fhir.drop_lake('bundles', true);

-- The texts of resources, and what they say.
\set VERBOSITY terse
\set report '{"resourceType":"DiagnosticReport","id":"r1","status":"final","code":{"text":"x"},"effectiveDateTime":"2021-03-04T23:30:00-05:00","conclusion":"Hypertension. No diabetes mellitus.","presentedForm":[{"contentType":"text/html","data":"PHA+UGxhbjo8L3A+PHVsPjxsaT5hc3BpcmluIDgxIG1nIGRhaWx5PC9saT48L3VsPg=="},{"contentType":"application/rtf","data":"e1xydGYxIEh5cGVydGVuc2lvblxwYXJ9"},{"contentType":"image/png","data":"iVBORw0K"},{"contentType":"text/plain","data":"!"}]}'

SELECT path, content_type, language, text, problem FROM fhir.resource_texts(:'report');
SELECT path, category, type, text, "begin", "end", certainty, subject FROM fhir.resource_entities(:'report', ARRAY['MEDICAL_CONDITION'], 0.3)
WHERE lower(text) IN ('hypertension', 'diabetes mellitus') ORDER BY id;
-- offsets slice the text that is shown
SELECT bool_and(substr(t.text, e."begin" + 1, e."end" - e."begin") = e.text)
FROM fhir.resource_texts(:'report') t JOIN fhir.resource_entities(:'report') e USING (path);

-- all that was there is there, with its digits
\set digits '{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.100},"extension":[{"url":"http://example.org/e","valueDecimal":2.50}],"note":[{"text":"Hypertension"}]}'
SELECT (e #- '{extension,1}')::text = (:'digits'::jsonb)::text AS unchanged, e->'extension'->1->>'url' AS url, fhir.is_valid(e) AS valid,
       fhir.enrich(e)::text = e::text AS once, fhir.enrich(e, 'healthlake')->'extension'->2->>'url' AS second
FROM fhir.enrich(:'digits') e;
SELECT p->>'url' AS part, p->>'valueString' LIKE 'fhirlake %' AS engine, p->>'valueString' = fhir.lexicon_version() AS lexicon
FROM fhir.enrich(:'digits') e, jsonb_array_elements(e->'extension'->1->'extension') p;
SELECT p->>'url' AS url, p - 'url' - 'extension' AS value
FROM fhir.enrich(:'digits', categories => '{MEDICAL_CONDITION}') e, jsonb_path_query(e, '$.extension[1].extension[*] ? (@.url == "text").extension[*] ? (@.url == "finding").extension[*]') p
WHERE p->>'url' IN ('category', 'type', 'text', 'begin', 'end', 'certainty', 'temporality', 'subject', 'conditionality');
SELECT DISTINCT p->>'url' AS url FROM fhir.enrich(:'digits', 'healthlake') e, jsonb_path_query(e, '$.extension[1].extension[*]') p ORDER BY 1;

-- what has no text, or no place for an extension, comes back as it is
SELECT fhir.enrich('{"resourceType":"Patient","id":"p"}'), fhir.enrich('{"resourceType":"Binary","contentType":"text/plain","data":"aGVsbG8="}'), fhir.enrich('[1]'), fhir.enrich(NULL);
SELECT count(*) FROM fhir.resource_texts(NULL);
SELECT count(*) FROM fhir.resource_entities(NULL);
SELECT fhir.enrich(:'digits', 'other');
SELECT fhir.enrich(:'digits', categories => '{NOTHING}');

-- another language is not read
SELECT count(*) FROM fhir.resource_entities('{"resourceType":"Condition","language":"de","note":[{"text":"kein Diabetes mellitus"}]}');
SELECT text, language FROM fhir.resource_texts('{"resourceType":"Condition","language":"de","note":[{"text":"kein Diabetes mellitus"}]}');

-- queries over many resources run in parallel
CREATE TABLE note (resource jsonb);
INSERT INTO note SELECT jsonb_build_object('resourceType', 'Condition', 'id', n::text, 'note', jsonb_build_array(jsonb_build_object('text', 'Hypertension ' || n))) FROM generate_series(1, 2000) n;
ANALYZE note;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT fhir.enrich(resource) FROM note;
SELECT count(*) FILTER (WHERE fhir.enrich(resource)::text LIKE '%findings%') FROM note;

-- Titles of sections are headings, and what an item of a questionnaire asks.
SELECT path, text, type, subject, temporality, section FROM fhir.resource_entities('{"resourceType":"Composition","section":[
  {"title":"Family history","text":{"div":"<div>Breast cancer</div>"}}, {"title":"Allergies","text":{"div":"<div><p>Penicillin</p><p>Sulfa</p></div>"}},
  {"title":"Plan","section":[{"title":"Today","text":{"div":"<div>Lisinopril 10 mg daily</div>"}}]}, {"title":"Other","text":{"div":"<div>Asthma</div>"}}]}');
SELECT path, text, type, subject, section FROM fhir.resource_entities('{"resourceType":"QuestionnaireResponse","item":[
  {"linkId":"1","text":"Family history:","answer":[{"valueString":"diabetes"}]}, {"linkId":"2","text":"How are you?","answer":[{"valueString":"no fever"}]}]}');
-- titles of sections, questions and the type of the resource say what a text is about
SELECT r ->> 'resourceType' AS of, e.section, e.text, e.type, e.subject
FROM unnest(ARRAY[
    '{"resourceType": "Composition", "section": [{"title": "Allergies", "text": {"status": "generated", "div": "<div>penicillin</div>"}}, {"title": "Family history:", "text": {"status": "generated", "div": "<div>breast cancer</div>"}}]}',
    '{"resourceType": "QuestionnaireResponse", "item": [{"text": "Family history?", "item": [{"text": "Mother", "answer": [{"valueString": "asthma"}]}]}]}',
    '{"resourceType": "FamilyMemberHistory", "note": [{"text": "breast cancer"}]}']::jsonb[]) r, fhir.resource_entities(r) e
ORDER BY 1, 2;
SELECT count(*) FROM fhir.detect_entities(NULL);
SELECT fhir.highlight(NULL) IS NULL;

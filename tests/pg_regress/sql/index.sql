-- Question: are the types, the operator and the operator class what the planner, drivers and dumps expect of them?
\set VERBOSITY default
SELECT opcname, amvalidate(oid) FROM pg_opclass WHERE opcnamespace = 'fhir'::regnamespace;
-- Row-level security would leave the index unused if any of these could tell what it saw.
SELECT p.oid::regprocedure, proleakproof, provolatile, proparallel
FROM pg_proc p WHERE pronamespace = 'fhir'::regnamespace AND proname IN ('keys', 'matches', 'reference_id', 'reference_ids', 'sort_key') AND prolang <> (SELECT oid FROM pg_language WHERE lanname = 'sql')
ORDER BY 1;

SET search_path = public, fhir;
SELECT parameter, type, element, value FROM fhir.show_keys(fhir.keys($${"resourceType":"Observation","id":"o","status":"final",
  "code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}],"text":"Blood pressure"},"subject":{"reference":"Patient/p"},
  "effectivePeriod":{"start":"2020-02-28T10:00:00Z"},
  "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120.50,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
               {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80,"comparator":"<"}}]}$$::jsonb))
WHERE parameter NOT LIKE '%concept%' AND parameter NOT LIKE 'combo-code' ORDER BY 1, 2, 3, 4;

-- What is no resource has no keys and raises nothing.
SELECT doc, fhir.keys(doc)::text, doc |= 'Patient' AS patient FROM (VALUES
  ('null'::jsonb), ('1'), ('"x"'), ('[]'), ('{}'), ('{"resourceType":1}'), ('{"resourceType":"Nonsense"}'), ('{"resourceType":"HumanName"}'),
  ('{"resourceType":"Patient","name":7,"birthDate":{},"identifier":[[],null,{"value":[]}],"gender":["x"]}')) v(doc);

-- Keys travel as text and bytes, and nothing else is taken for keys.
SELECT fhir.keys('{"resourceType":"Patient","gender":"male"}'::jsonb)::text::fhir.keys |= 'gender=male' AS travelled;
-- An untyped literal is read as the type, not as the function's argument: the same.
SELECT fhir.keys('{"resourceType":"Patient","gender":"male"}') |= 'gender=male' AS literal;
SELECT fhir.keys('{"resourceType":');
SELECT '\x'::fhir.keys;
SELECT '\x01'::fhir.keys;
SELECT '\x0107'::fhir.keys;
SELECT 'nonsense'::fhir.keys;
SELECT '\x0107506174'::fhir.keys;

-- What a row points at and is sorted by; no value is null, and nothing raises.
WITH r(k) AS (VALUES (fhir.keys('{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/a/_history/3"},"effectivePeriod":{"start":"2020-02-28"},
  "performer":[{"reference":"Practitioner/b"},{"reference":"Practitioner/c"},{"reference":"http://x.org/Practitioner/d"}],"valueQuantity":{"value":1.5}}'::jsonb)))
SELECT fhir.reference_id(k, 'subject', 'Patient') AS subject, fhir.reference_id(k, 'performer', 'Patient') AS none, fhir.reference_ids(k, 'performer', 'Practitioner') AS performers,
  fhir.reference_ids(k, 'nonsense', 'Patient') AS nothing, fhir.sort_key(k, 'status', false) AS status, fhir.sort_key(k, 'date', true) AS date,
  fhir.sort_key(k, 'value-quantity', false) AS value, fhir.sort_key(k, 'nonsense', false) AS unknown
FROM r \gx
SELECT array_agg(d ORDER BY fhir.sort_key(fhir.keys(d), 'birthdate', false)) AS sorted FROM (SELECT format('{"resourceType":"Patient","birthDate":"%s"}', b)::jsonb FROM unnest('{2001,1970-02,1999-12-31,1970-01-31}'::text[]) b) v(d);

-- Literals, text, varchar and bound parameters all are queries.
CREATE TABLE doc (d jsonb);
INSERT INTO doc VALUES ('{"resourceType":"Patient","name":[{"family":"Öztürk","given":["Ana María"]}],"birthDate":"1980-02-29","gender":"female"}');
SELECT d |= 'name=ozt' AS literal, d |= 'name=OZT'::text AS text, d |= 'name=ana mar'::varchar AS varchar, d |= 'Patient?name:exact=Öztürk' AS exact FROM doc;
PREPARE p AS SELECT d |= $1 FROM doc;
EXECUTE p('birthdate=1980');
PREPARE pt(text) AS SELECT d |= $1 FROM doc;
EXECUTE pt('birthdate=lt1980');
PREPARE pv(varchar) AS SELECT d |= $1 FROM doc;
EXECUTE pv('gender:not=male');
SELECT d |= NULL::text IS NULL AS null_query FROM doc;

-- Other operators on jsonb stay what they were.
SELECT d @> '{"gender":"female"}' AS contains, d ? 'name' AS has, d @? '$.name' AS path FROM doc;

-- Errors say what is wrong and what to do.
SELECT d |= 'Patient?nam=x' FROM doc;
SELECT d |= 'Pateint?name=x' FROM doc;
SELECT d |= 'birthdate=yesterday' FROM doc;
SELECT d |= 'Patient?organization.name=x' FROM doc;
SELECT d |= 'Patient?_has:Observation:subject:code=x' FROM doc;
SELECT d |= 'Patient?gender:in=http://x' FROM doc;
SELECT d |= 'Patient?_count=1' FROM doc;
SELECT d |= 'name=%zz' FROM doc;
SELECT d |= 'Observation?value-quantity=a' FROM doc;
SELECT length(repeat('x', 2000000)) > 0 AND d |= ('name=' || repeat('x', 2000000)) FROM doc;
DROP TABLE doc;

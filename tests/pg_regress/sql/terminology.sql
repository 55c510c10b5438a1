-- Question: do value sets and code systems stored in a lake say what a search for :in, :above and :below needs?
\set VERBOSITY default
SELECT fhir.create_lake('terms');
SET fhir.lake = 'terms';
INSERT INTO terms.codesystem (resource) VALUES
  ('{"resourceType":"CodeSystem","id":"metals","url":"http://example.org/metals","status":"active","content":"complete","hierarchyMeaning":"is-a",
     "property":[{"code":"magnetic","type":"boolean"},{"code":"abs","uri":"http://hl7.org/fhir/concept-properties#notSelectable","type":"boolean"}],
     "concept":[{"code":"metal","property":[{"code":"abs","valueBoolean":true}],"concept":[
        {"code":"iron","property":[{"code":"magnetic","valueBoolean":true}],"concept":[{"code":"steel"}]},
        {"code":"lead"}]},{"code":"glass"}]}'),
  ('{"resourceType":"CodeSystem","id":"old","url":"http://example.org/versioned","version":"1.0","status":"active","content":"complete","concept":[{"code":"one"}]}'),
  ('{"resourceType":"CodeSystem","id":"new","url":"http://example.org/versioned","version":"2.0","status":"active","content":"complete","concept":[{"code":"two"}]}'),
  ('{"resourceType":"CodeSystem","id":"odd","url":"http://example.org/odd,$|\\&url=x%20y+z","status":"active","content":"complete","concept":[{"code":"o''dd"}]}');
INSERT INTO terms.valueset (resource) VALUES
  ('{"resourceType":"ValueSet","id":"iron","url":"http://example.org/vs/iron","status":"active","compose":{"include":[{"system":"http://example.org/metals","filter":[{"property":"concept","op":"is-a","value":"iron"}]}]}}'),
  ('{"resourceType":"ValueSet","id":"metal","url":"http://example.org/vs/metal","status":"active","compose":{"include":[{"system":"http://example.org/metals","filter":[{"property":"concept","op":"is-a","value":"metal"}]}],
     "exclude":[{"valueSet":["http://example.org/vs/iron"]}]}}'),
  ('{"resourceType":"ValueSet","id":"both","url":"http://example.org/vs/both","status":"active","compose":{"include":[{"valueSet":["http://example.org/vs/iron"]},{"system":"http://loinc.org"},
     {"system":"http://example.org/versioned"},{"system":"http://example.org/versioned","version":"1.0"},{"system":"http://example.org/odd,$|\\&url=x%20y+z"}]}}'),
  ('{"resourceType":"ValueSet","id":"round","url":"http://example.org/vs/round","status":"active","compose":{"include":[{"valueSet":["http://example.org/vs/trip"]}]}}'),
  ('{"resourceType":"ValueSet","id":"trip","url":"http://example.org/vs/trip","status":"active","compose":{"include":[{"valueSet":["http://example.org/vs/round"]}]}}'),
  ('{"resourceType":"ValueSet","id":"snomed","url":"http://example.org/vs/snomed","status":"active","compose":{"include":[{"system":"http://snomed.info/sct","filter":[{"property":"concept","op":"is-a","value":"73211009"}]}]}}'),
  ('{"resourceType":"ValueSet","id":"v1","url":"http://example.org/vs/v","version":"1","status":"active","compose":{"include":[{"system":"http://example.org/x","concept":[{"code":"one"}]}]}}'),
  ('{"resourceType":"ValueSet","id":"v2","url":"http://example.org/vs/v","version":"2","status":"active","compose":{"include":[{"system":"http://example.org/x","concept":[{"code":"two"}]}]}}'),
  ('{"resourceType":"ValueSet","id":"stored","url":"http://example.org/vs/stored","status":"active","expansion":{"timestamp":"2020-01-01","total":2,"contains":[{"system":"http://example.org/x","code":"a"},{"system":"http://example.org/x","code":"b"}]}}'),
  ('{"resourceType":"ValueSet","id":"page","url":"http://example.org/vs/page","status":"active","expansion":{"timestamp":"2020-01-01","total":3,"contains":[{"system":"http://example.org/x","code":"a"}]}}');

SELECT u.url, e.* FROM unnest(ARRAY['http://example.org/vs/iron', 'http://example.org/vs/metal', 'http://example.org/vs/both', 'ValueSet/iron',
  'http://example.org/vs/v', 'http://example.org/vs/v|1', 'http://example.org/vs/stored', 'http://snomed.info/sct?fhir_vs']) WITH ORDINALITY u (url, n),
  LATERAL fhir.expand(u.url) e ORDER BY u.n, e.system COLLATE "C", e.code COLLATE "C";
-- The value sets of required bindings are there without being stored; one that is stored goes before.
SELECT * FROM fhir.expand('http://hl7.org/fhir/ValueSet/administrative-gender');
SELECT count(*) FROM fhir.expand('http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1');
INSERT INTO terms.valueset (resource) VALUES ('{"resourceType":"ValueSet","id":"gender","url":"http://hl7.org/fhir/ValueSet/administrative-gender","status":"active",
  "compose":{"include":[{"system":"http://hl7.org/fhir/administrative-gender","concept":[{"code":"female"}]}]}}');
SELECT code FROM fhir.expand('http://hl7.org/fhir/ValueSet/administrative-gender');

SELECT * FROM fhir.subsumed('http://example.org/metals', 'iron');
SELECT * FROM fhir.subsuming('http://example.org/metals', 'steel');
SELECT * FROM fhir.subsumed('http://example.org/metals', 'tin');
SELECT * FROM fhir.subsumed('http://example.org/nothing', 'x');
SELECT * FROM fhir.subsumed('http://example.org/versioned', 'two');

-- What cannot be told is refused, and says what would help.
SELECT * FROM fhir.expand('http://example.org/vs/unknown');
SELECT * FROM fhir.expand('http://example.org/vs/v|3');
SELECT * FROM fhir.expand('ValueSet/unknown');
SELECT * FROM fhir.expand('');
SELECT * FROM fhir.expand('http://example.org/vs/round');
SELECT * FROM fhir.expand('http://example.org/vs/snomed');
SELECT * FROM fhir.expand('http://example.org/vs/page');
SELECT * FROM fhir.expand('x''; DROP TABLE terms.valueset; --');
SELECT * FROM fhir.expand('x', 'no such lake');

-- Definitions are read as the caller.
CREATE ROLE terms_reader;
GRANT USAGE ON SCHEMA terms TO terms_reader;
SET ROLE terms_reader;
SELECT * FROM fhir.expand('http://example.org/vs/iron');
RESET ROLE;
GRANT SELECT ON terms.valueset, terms.codesystem TO terms_reader;
ALTER TABLE terms.valueset ENABLE ROW LEVEL SECURITY;
CREATE POLICY only_iron ON terms.valueset FOR SELECT TO terms_reader USING (id = 'iron');
SET ROLE terms_reader;
SELECT * FROM fhir.expand('http://example.org/vs/iron');
SELECT * FROM fhir.expand('http://example.org/vs/metal');
RESET ROLE;
-- The index finds them.
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT resource FROM terms.valueset WHERE search OPERATOR(fhir.|=) 'ValueSet?url=http://example.org/vs/iron';
RESET enable_seqscan;
SET client_min_messages = error;
SELECT fhir.drop_lake('terms');
DROP ROLE terms_reader;

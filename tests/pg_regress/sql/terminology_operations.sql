-- Question: do the operations on terminology answer as the specification says, in SQL and by HTTP, and do loaded code systems work like stored ones?
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT fhir.create_lake('operations_of_terms');
SET fhir.lake = 'operations_of_terms';
SET search_path = operations_of_terms, public, fhir;
INSERT INTO codesystem (resource) VALUES
  ('{"resourceType":"CodeSystem","id":"metals","url":"http://example.org/metals","version":"1","name":"Metals","status":"active","content":"complete",
     "property":[{"code":"symbol","type":"string"},{"code":"inactive","uri":"http://hl7.org/fhir/concept-properties#inactive","type":"boolean"}],
     "concept":[{"code":"metal","display":"Metal","concept":[
        {"code":"iron","display":"Iron","definition":"Element 26","designation":[{"language":"de","value":"Eisen"}],"property":[{"code":"symbol","valueString":"Fe"}],
         "concept":[{"code":"steel","display":"Steel"}]},
        {"code":"lead","display":"Lead","property":[{"code":"inactive","valueBoolean":true}]}]}]}');
INSERT INTO valueset (resource) VALUES
  ('{"resourceType":"ValueSet","id":"metals","url":"http://example.org/vs/metals","name":"AllMetals","status":"active","compose":{"include":[{"system":"http://example.org/metals"}]}}'),
  ('{"resourceType":"ValueSet","id":"named","url":"http://example.org/vs/named","status":"active","compose":{"include":[{"system":"http://example.org/metals","concept":[{"code":"iron","display":"Ferrum"}]},{"system":"http://loinc.org"}]}}');
INSERT INTO conceptmap (resource) VALUES
  ('{"resourceType":"ConceptMap","id":"m","url":"http://example.org/map","status":"active","sourceUri":"http://example.org/vs/metals","group":[{"source":"http://example.org/metals","target":"http://example.org/symbols",
     "element":[{"code":"iron","target":[{"code":"Fe","display":"Ferrum","equivalence":"equal"}]},{"code":"steel","target":[{"code":"Fe","equivalence":"wider","comment":"with carbon"}]},{"code":"metal","target":[{"equivalence":"unmatched"}]}],
     "unmapped":{"mode":"other-map","url":"http://example.org/fallback"}}]}'),
  ('{"resourceType":"ConceptMap","id":"f","url":"http://example.org/fallback","status":"active","group":[{"source":"http://example.org/metals","target":"http://example.org/symbols","element":[{"code":"gold","target":[{"code":"Au","equivalence":"equal"}]}],
     "unmapped":{"mode":"fixed","code":"??","display":"not known"}}]}'),
  ('{"resourceType":"ConceptMap","id":"round","url":"http://example.org/round","status":"active","group":[{"source":"urn:r","target":"urn:s","element":[{"code":"a"}],"unmapped":{"mode":"other-map","url":"http://example.org/round"}}]}');

-- Expansion
SELECT code, display, is_inactive, designations FROM fhir.expand('http://example.org/vs/metals', include_designations => true);
SELECT code FROM fhir.expand('http://example.org/vs/metals', filter => 'E TA');
SELECT code FROM fhir.expand('http://example.org/vs/metals', "offset" => 1, count => 2);
SELECT code FROM fhir.expand('http://example.org/vs/metals', active_only => true);
SELECT code FROM fhir.expand('http://example.org/vs/metals', "offset" => -1);
SELECT * FROM fhir.expand(NULL);
SELECT jsonb_pretty(fhir.expand_value_set('http://example.org/vs/named') #- '{expansion,timestamp}'::text[]);
SELECT fhir.expand_value_set('http://example.org/vs/metals', filter => 'lead', count => 1) #> '{expansion,contains}';
SELECT fhir.expand_value_set(NULL, '{"resourceType":"ValueSet","status":"active","compose":{"include":[{"valueSet":["http://example.org/vs/metals"]}],"exclude":[{"system":"http://example.org/metals","concept":[{"code":"metal"}]}]}}') #> '{expansion,total}';

-- Codes
SELECT * FROM fhir.validate_code('http://example.org/vs/metals', 'http://example.org/metals', 'iron');
SELECT * FROM fhir.validate_code('http://example.org/vs/metals', 'http://example.org/metals', 'iron', ' iRON');
SELECT * FROM fhir.validate_code('http://example.org/vs/metals', 'http://example.org/metals', 'iron', 'Eisen');
SELECT * FROM fhir.validate_code('http://example.org/vs/metals', 'http://example.org/metals', 'tin');
SELECT * FROM fhir.validate_code('http://example.org/vs/metals', NULL, 'steel');
SELECT * FROM fhir.validate_code('http://example.org/vs/named', 'http://loinc.org', '1-8');
SELECT * FROM fhir.validate_code('http://example.org/vs/nothing', 'http://loinc.org', '1-8');
SELECT * FROM fhir.validate_code(NULL, 'http://example.org/metals', 'tin');
SELECT * FROM fhir.validate_code(NULL, 'http://snomed.info/sct', '73211009');
SELECT * FROM fhir.validate_code(NULL, NULL, 'tin');
SELECT * FROM fhir.lookup('http://example.org/metals', 'iron');
SELECT * FROM fhir.lookup('http://example.org/metals', 'tin');
SELECT fhir.subsumes('http://example.org/metals', a, b) FROM (VALUES ('iron', 'iron'), ('metal', 'steel'), ('steel', 'metal'), ('iron', 'lead'), ('iron', 'tin'), (NULL, 'iron')) v (a, b);

-- Translation
SELECT equivalence, to_system, to_code, to_display, comment, map FROM unnest(ARRAY['iron', 'steel', 'metal', 'gold', 'tin']) c, fhir.translate(c, 'http://example.org/metals', 'http://example.org/map');
SELECT c, equivalence, to_code FROM unnest(ARRAY['Fe', 'Au']) c, fhir.translate(c, 'http://example.org/symbols', reverse => true);
SELECT equivalence, to_code, map FROM fhir.translate('iron', 'http://example.org/metals', source_value_set => 'http://example.org/vs/metals');
SELECT * FROM fhir.translate('iron', 'http://example.org/metals', 'http://example.org/nothing');
SELECT * FROM fhir.translate('x', 'urn:r', 'http://example.org/round');
SELECT * FROM fhir.translate('x');

-- HTTP, both ways of asking
SELECT status, answer FROM fhir.rest('GET', '/CodeSystem/$lookup?system=http://example.org/metals&code=iron');
SELECT status, answer #>> '{issue,0,diagnostics}' FROM fhir.rest('GET', '/CodeSystem/$lookup?system=http://example.org/metals&code=tin');
SELECT status, answer FROM fhir.rest('GET', '/ValueSet/$validate-code?url=http://example.org/vs/metals&system=http://example.org/metals&code=steel&display=Steel');
SELECT status, answer FROM fhir.rest('POST', '/ValueSet/metals/$validate-code', '{}', '{"resourceType":"Parameters","parameter":[{"name":"codeableConcept","valueCodeableConcept":{"coding":[{"system":"http://example.org/metals","code":"tin"},{"system":"http://loinc.org","code":"1-8"}]}}]}');
SELECT status, answer FROM fhir.rest('GET', '/CodeSystem/metals/$validate-code?code=lead');
SELECT status, answer FROM fhir.rest('GET', '/CodeSystem/metals/$subsumes?codeA=metal&codeB=lead');
SELECT status, answer FROM fhir.rest('GET', '/ConceptMap/m/$translate?system=http://example.org/metals&code=steel');
SELECT status, answer FROM fhir.rest('POST', '/ConceptMap/$translate', '{}', '{"resourceType":"Parameters","parameter":[{"name":"url","valueUri":"http://example.org/map"},{"name":"coding","valueCoding":{"system":"http://example.org/metals","code":"metal"}}]}');
SELECT status, answer #> '{expansion,total}' FROM fhir.rest('GET', '/ValueSet/metals/$expand?filter=ir');
SELECT status, answer #> '{expansion,contains}' FROM fhir.rest('POST', '/ValueSet/$expand', '{}', '{"resourceType":"ValueSet","status":"active","compose":{"include":[{"system":"http://example.org/metals","filter":[{"property":"concept","op":"descendent-of","value":"metal"}]}]}}');
SELECT status, answer #>> '{issue,0,diagnostics}' FROM fhir.rest('GET', '/ValueSet/$expand');
SELECT status, answer #>> '{issue,0,diagnostics}' FROM fhir.rest('GET', '/ValueSet/$expand?url=http://example.org/vs/nothing');

-- Loading: a query, its errors, and the next version in place of the last
CREATE TABLE codes AS SELECT 'c' || n AS code, 'Number ' || n AS display, CASE WHEN n > 1 THEN 'c' || n / 10 END AS parent, n % 2 = 0 AS even FROM generate_series(1, 3000) n WHERE n < 10 OR n / 10 > 0;
SELECT concepts, roots FROM fhir.load_code_system('http://example.org/numbers', 'SELECT * FROM operations_of_terms.codes WHERE parent IS DISTINCT FROM ''c0''', 'query');
UPDATE codes SET parent = NULL WHERE parent = 'c0';
SELECT concepts, roots FROM fhir.load_code_system('http://example.org/numbers', 'SELECT * FROM operations_of_terms.codes', 'query', resource => '{"title":"Numbers"}');
SELECT resource - 'id' - 'meta' FROM codesystem WHERE resource ->> 'url' = 'http://example.org/numbers';
SELECT count(*) FROM fhir.subsumed('http://example.org/numbers', 'c12');
SELECT * FROM fhir.subsuming('http://example.org/numbers', 'c1234');
SELECT fhir.subsumes('http://example.org/numbers', 'c12', 'c1234');
SELECT parents, children, properties FROM fhir.lookup('http://example.org/numbers', 'c123');
INSERT INTO valueset (resource) VALUES
  ('{"resourceType":"ValueSet","id":"twelve","url":"http://example.org/vs/twelve","status":"active","compose":{"include":[{"system":"http://example.org/numbers","filter":[{"property":"concept","op":"is-a","value":"c12"},{"property":"even","op":"=","value":"true"}]}]}}');
SELECT count(*) FROM fhir.expand('http://example.org/vs/twelve');
SELECT c, v.result, v.message FROM unnest(ARRAY['c12', 'c121', 'c1230', 'c13', 'c99999']) c, fhir.validate_code('http://example.org/vs/twelve', 'http://example.org/numbers', c) v;
INSERT INTO condition (resource) SELECT format('{"resourceType":"Condition","id":"%s","subject":{"reference":"Patient/1"},"code":{"coding":[{"system":"http://example.org/numbers","code":"%1$s"}]}}', c)::jsonb FROM unnest(ARRAY['c12', 'c123', 'c1234', 'c13']) c;
SELECT id FROM condition WHERE search |= 'code=http://example.org/numbers|c12' ORDER BY 1;
SELECT id FROM fhir.search_rows('Condition?code:below=http://example.org/numbers|c12') ORDER BY 1;
SELECT id FROM fhir.search_rows('Condition?code:above=http://example.org/numbers|c1234') ORDER BY 1;
SELECT id FROM fhir.search_rows('Condition?code:in=http://example.org/vs/twelve') ORDER BY 1;
SELECT id FROM fhir.search_rows('Condition?code:not-in=http://example.org/vs/twelve') ORDER BY 1;
-- what the resource says of the whole changes without its concepts
UPDATE codesystem SET resource = jsonb_set(resource, '{title}', '"Digits"') WHERE resource ->> 'url' = 'http://example.org/numbers';
SELECT count(*) FROM concept c JOIN codesystem s ON s.id = c.code_system WHERE s.resource ->> 'title' = 'Digits';
DELETE FROM codesystem WHERE resource ->> 'url' = 'http://example.org/numbers';
SELECT count(*) FROM concept WHERE code_system <> 'metals';
-- who may read files
CREATE ROLE terms_loader;
SELECT fhir.grant_lake('operations_of_terms', 'terms_loader', 'write');
GRANT SELECT ON codes TO terms_loader;
SET ROLE terms_loader;
SELECT * FROM fhir.load_code_system('http://example.org/file', '/etc/passwd', 'csv');
SELECT concepts FROM fhir.load_code_system('http://example.org/loaded', 'SELECT code FROM operations_of_terms.codes LIMIT 5', 'query');
SELECT * FROM fhir.load_code_system('http://example.org/loaded', 'SELECT 1', 'xml');
RESET ROLE;
SELECT * FROM fhir.load_code_system('http://example.org/file', 'relative.csv', 'csv');
SELECT * FROM fhir.load_code_system('', 'SELECT 1 AS code', 'query');
SELECT * FROM fhir.load_code_system('http://example.org/none', 'SELECT 1 AS code WHERE false', 'query');
SELECT * FROM fhir.load_code_system('http://example.org/none', 'SELECT 1 AS code', 'query', lake => 'no such lake');
-- an older lake gets the table
DROP TABLE concept;
DROP TRIGGER zz_terms ON codesystem;
DROP TRIGGER zz_terms ON valueset;
DROP TRIGGER zz_terms ON conceptmap;
DROP TRIGGER zz_terms ON structuredefinition;
SELECT code FROM fhir.expand('http://example.org/vs/metals');
SELECT * FROM fhir.upgrade_lake() WHERE upgrade_lake LIKE '%concept';
SELECT has_table_privilege('terms_loader', 'concept', 'INSERT'), count(*) FROM concept;
DROP TABLE codes;
SELECT fhir.drop_lake('operations_of_terms');
DROP OWNED BY terms_loader;
DROP ROLE terms_loader;

-- $meta, $lastn, $document and $match.
\pset format unaligned
\pset null ∅
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SELECT fhir.create_lake('operations_lake');
SET fhir.lake = 'operations_lake';
-- without what is new each time
CREATE FUNCTION pg_temp.plain(meta jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT meta - 'lastUpdated' $$;
CREATE FUNCTION pg_temp.raised(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'nothing';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

-- $meta ------------------------------------------------------------------------------------------------------------------
SELECT fhir.meta();
INSERT INTO operations_lake.patient (resource) VALUES
    ('{"resourceType":"Patient","id":"p","meta":{"profile":["http://x.org/p"],"tag":[{"system":"http://x.org/t","code":"a","display":"A"}]}}'),
    ('{"resourceType":"Patient","id":"q","meta":{"tag":[{"system":"http://x.org/t","code":"a","display":"A"},{"code":"plain"}]}}'),
    ('{"resourceType":"Patient","id":"none"}');
INSERT INTO operations_lake.condition (resource) VALUES
    ('{"resourceType":"Condition","id":"c","meta":{"security":[{"system":"http://x.org/s","code":"R"}],"profile":["http://x.org/c","http://x.org/d"]},"subject":{"reference":"Patient/p"}}');
SELECT pg_temp.plain(fhir.meta('Patient', 'p'));
SELECT fhir.meta('Patient');
SELECT fhir.meta();
SELECT fhir.meta('Observation');
SELECT pg_temp.raised($$SELECT fhir.meta('Patient', 'gone')$$), pg_temp.raised($$SELECT fhir.meta(NULL, 'p')$$), pg_temp.raised($$SELECT fhir.meta('Patients')$$);

-- Added in their order, each once; version and display do not make another tag; a tag without system is not that of a system.
SELECT pg_temp.plain(fhir.meta_add('Patient', 'p', '{"tag":[{"system":"http://x.org/t","code":"b"},{"system":"http://x.org/t","code":"b","display":"twice"},{"code":"a"}],"security":[{"code":"R"}],"profile":["http://x.org/p","http://x.org/p2"]}'));
SELECT pg_temp.plain(fhir.meta_add('Patient', 'p', '{"tag":[{"system":"http://x.org/t","code":"a","version":"2","display":"other"}],"profile":["http://x.org/p"]}'));
SELECT pg_temp.plain(fhir.meta_add('Patient', 'p', '{}'));
SELECT pg_temp.plain(fhir.meta_add('Patient', 'none', '{"tag":[{"code":"new"}]}'));
SELECT pg_temp.plain(fhir.meta_delete('Patient', 'p', '{"tag":[{"system":"http://x.org/t","code":"a","display":"any"},{"code":"absent"}],"security":[{"code":"R"}]}'));
SELECT pg_temp.plain(fhir.meta_delete('Patient', 'p', '{"tag":[{"code":"absent"}]}'));
SELECT pg_temp.plain(fhir.meta_delete('Patient', 'none', '{"tag":[{"code":"new"}]}'));
SELECT fhir.read('Patient', 'none') #- '{meta,lastUpdated}';
SELECT id FROM fhir.search_rows('Patient?_tag=b') UNION ALL SELECT 'by a: ' || id FROM fhir.search_rows('Patient?_tag=http://x.org/t|a');
SELECT pg_temp.raised(format('SELECT fhir.meta_add(%L, %L, %L)', 'Patient', id, meta)) FROM (VALUES
    ('p', '{"tag":{}}'), ('p', '{"tag":["a"]}'), ('p', '{"profile":[{}]}'), ('p', '[]'), ('p', 'null'), ('gone', '{}')) v (id, meta);
SELECT pg_temp.raised($$SELECT fhir.meta_add('Patient', 'p', NULL)$$), pg_temp.raised($$SELECT fhir.meta_add('Patient', NULL, '{}')$$);
SELECT fhir.meta_parameters('{"tag":[{"code":"a"}]}'), fhir.meta_parameters('{}'), fhir.is_valid(fhir.meta_parameters(fhir.meta()));

-- $lastn -----------------------------------------------------------------------------------------------------------------
INSERT INTO operations_lake.observation (resource)
SELECT jsonb_build_object('resourceType', 'Observation', 'id', id, 'status', 'final', 'subject', '{"reference":"Patient/p"}'::jsonb, 'code', code::jsonb,
    'category', '[{"coding":[{"code":"vital"}]}]'::jsonb) || CASE WHEN day IS NULL THEN '{}' ELSE jsonb_build_object('effectiveDateTime', day) END
FROM (VALUES
    ('a1', '{"coding":[{"system":"http://l","code":"a"}]}', '2020-01-01'),
    ('a2', '{"coding":[{"system":"http://l","code":"a"}]}', '2020-01-02'),
    ('a3', '{"coding":[{"system":"http://l","code":"a"}]}', '2020-01-03'),
    ('a3tie', '{"coding":[{"system":"http://l","code":"a"}]}', '2020-01-03'),
    -- another system: another code
    ('other', '{"coding":[{"system":"http://m","code":"a"}]}', '2019-01-01'),
    -- m and n belong together because a third has both, n and o because of a fourth
    ('m', '{"coding":[{"system":"http://l","code":"m"}]}', '2018-01-01'),
    ('n', '{"coding":[{"system":"http://l","code":"n"}]}', '2018-01-02'),
    ('mn', '{"coding":[{"system":"http://l","code":"m"},{"system":"http://l","code":"n"}],"text":"text"}', '2018-01-03'),
    ('no', '{"coding":[{"system":"http://l","code":"o"},{"system":"http://l","code":"n"}]}', '2018-01-04'),
    ('o', '{"coding":[{"system":"http://l","code":"o"}]}', '2018-01-05'),
    -- texts as they are written
    ('text1', '{"text":"text"}', '2017-01-01'), ('text2', '{"text":"text"}', '2017-01-02'), ('Text', '{"text":"Text"}', '2017-01-03'), ('t-e-x-t', '{"text":"t e x t"}', '2017-01-04'),
    ('undated1', '{"text":"undated"}', NULL), ('undated2', '{"text":"undated"}', NULL)) v (id, code, day);
INSERT INTO operations_lake.observation (resource) VALUES
    ('{"resourceType":"Observation","id":"of-q","status":"final","code":{"coding":[{"system":"http://l","code":"a"}]},"subject":{"reference":"Patient/q"},"category":[{"coding":[{"code":"vital"}]}],"effectiveDateTime":"2021"}'),
    ('{"resourceType":"Observation","id":"lab","status":"final","code":{"coding":[{"system":"http://l","code":"a"}]},"subject":{"reference":"Patient/p"},"category":[{"coding":[{"code":"lab"}]}],"effectiveDateTime":"2021"}');
SELECT "group", effective, id FROM fhir.lastn_rows('patient=p&category=vital');
SELECT "group", effective, id FROM fhir.lastn_rows('Observation?subject=Patient/p&category=vital&date=lt2020', 2);
-- the third and the fourth have one time
SELECT id FROM fhir.lastn_rows('patient=p&code=http://l|a&category=vital', 1);
SELECT id FROM fhir.lastn_rows('patient=p&code=http://l|a&category=vital', 3);
SELECT id FROM fhir.lastn_rows('patient=p&combo-code=m', 10);
SELECT bundle - 'entry', jsonb_path_query_array(bundle, '$.entry[*].resource.id'), bundle #> '{entry,0,search}', fhir.is_valid(bundle)
    FROM fhir.lastn('patient=p&code=http://l|a', 1) bundle;
SELECT fhir.lastn('patient=nobody&code=a');
SELECT pg_temp.raised(format('SELECT fhir.lastn(%L, %s)', search, max)) FROM (VALUES
    ('category=vital', 1), ('patient=p', 1), ('', 1), (NULL, 1), ('patient=p&date=2020', 1), ('patient=p&code=a', 0), ('patient=p&code=a', -1), ('patient=p&code=a&nonsense=1', 1)) v (search, max);
SELECT pg_temp.raised($$SELECT fhir.lastn('patient=p&code=a', NULL)$$);

-- $document --------------------------------------------------------------------------------------------------------------
INSERT INTO operations_lake.practitioner (resource) VALUES ('{"resourceType":"Practitioner","id":"dr"}'), ('{"resourceType":"Practitioner","id":"unrelated"}');
INSERT INTO operations_lake.organization (resource) VALUES ('{"resourceType":"Organization","id":"org","name":"o"}');
INSERT INTO operations_lake.encounter (resource) VALUES ('{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p"},"participant":[{"individual":{"reference":"Practitioner/unrelated"}}]}');
INSERT INTO operations_lake.composition (resource) VALUES
    ('{"resourceType":"Composition","id":"doc","status":"final","type":{"text":"note"},"date":"2020-01-01","title":"t","subject":{"reference":"Patient/p"},"encounter":{"reference":"Encounter/e"},"author":[{"reference":"Practitioner/dr"}],"attester":[{"mode":"legal","party":{"reference":"Practitioner/dr"}}],"custodian":{"reference":"Organization/org"},"event":[{"detail":[{"reference":"Observation/a1"}]}],"section":[{"title":"1","entry":[{"reference":"Condition/c"},{"reference":"http://elsewhere.org/Condition/x"}],"section":[{"title":"1.1","entry":[{"reference":"Observation/a2"},{"reference":"Observation/a1"}]}]}]}'),
    ('{"resourceType":"Composition","id":"broken","status":"final","type":{"text":"note"},"date":"2020-01-01","title":"t","subject":{"reference":"Patient/gone"},"author":[{"reference":"Practitioner/dr"}],"section":[{"title":"1","entry":[{"reference":"Condition/gone"}]}]}');
CREATE TEMP TABLE document AS SELECT fhir.document('doc') AS bundle;
SELECT bundle - 'entry' - 'identifier' - 'timestamp', bundle #>> '{identifier,system}', bundle #>> '{identifier,value}' ~ '^urn:uuid:[0-9a-f-]{36}$' AS has_value,
    (bundle ->> 'timestamp')::timestamptz BETWEEN now() - interval '1 hour' AND now() + interval '1 hour' AS is_now, fhir.is_valid(bundle) FROM document;
SELECT n, e ->> 'fullUrl', e #>> '{resource,resourceType}' FROM document, jsonb_array_elements(bundle -> 'entry') WITH ORDINALITY l (e, n);
SELECT fhir.document('doc', base => 'http://x.org/fhir') #>> '{entry,1,fullUrl}';
SELECT count(*) FROM operations_lake.bundle;
SELECT pg_temp.raised($$SELECT fhir.document('broken')$$), pg_temp.raised($$SELECT fhir.document('gone')$$), pg_temp.raised($$SELECT fhir.document(NULL)$$);
-- By a GraphDefinition: the example of the specification, what a search adds, and what it requires.
BEGIN;
INSERT INTO operations_lake.list (resource) VALUES
    ('{"resourceType":"List","id":"l","status":"current","mode":"working","subject":{"reference":"Patient/p"},"entry":[{"item":{"reference":"Condition/listed"}},{"item":{"reference":"Condition/listed"}}]}'),
    ('{"resourceType":"List","id":"of-other","status":"current","mode":"working","subject":{"reference":"Patient/p"},"entry":[{"item":{"reference":"Condition/other"}}]}');
INSERT INTO operations_lake.patient (resource) SELECT jsonb_build_object('resourceType', 'Patient', 'id', id) FROM unnest('{p,other}'::text[]) id ON CONFLICT DO NOTHING;
INSERT INTO operations_lake.condition (resource) SELECT jsonb_build_object('resourceType', 'Condition', 'id', id, 'subject', jsonb_build_object('reference', 'Patient/' || patient))
FROM (VALUES ('listed', 'p'), ('other', 'other')) c (id, patient);
INSERT INTO operations_lake.composition (resource) SELECT jsonb_build_object('resourceType', 'Composition', 'id', id, 'status', 'final', 'type', '{"text":"t"}'::jsonb, 'date', '2020', 'title', 't',
    'subject', '{"reference":"Patient/p"}'::jsonb, 'author', '[{"display":"a"}]'::jsonb, 'section', jsonb_build_array(jsonb_build_object('title', 's', 'entry', jsonb_build_array(jsonb_build_object('reference', 'List/' || list)))))
FROM (VALUES ('c', 'l'), ('c-other', 'of-other')) c (id, list);
CREATE FUNCTION pg_temp.graph(url text, links text, version text DEFAULT NULL, start text DEFAULT 'Composition') RETURNS void LANGUAGE sql AS $$
    INSERT INTO operations_lake.graphdefinition (resource) VALUES (jsonb_strip_nulls(jsonb_build_object('resourceType', 'GraphDefinition', 'url', url, 'version', version, 'name', 'g', 'status', 'draft', 'start', start, 'link', links::jsonb)))
$$;
CREATE FUNCTION pg_temp.parts(id text, graph text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT string_agg(e ->> 'fullUrl', ' ' ORDER BY n) FROM jsonb_array_elements(fhir.document(id, graph => parts.graph) -> 'entry') WITH ORDINALITY l (e, n));
EXCEPTION WHEN others THEN RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT pg_temp.graph('http://g/example', '[{"path":"Composition.section.entry","target":[{"type":"List","compartment":[{"use":"requirement","code":"Patient","rule":"identical"}],
    "link":[{"path":"List.entry.item","target":[{"type":"Resource","compartment":[{"use":"requirement","code":"Patient","rule":"identical"}]}]}]}]}]');
SELECT pg_temp.graph('http://g/condition', '[{"path":"section.entry","target":[{"type":"List","link":[{"path":"entry.item","target":[{"type":"Condition","compartment":[{"use":"condition","code":"Patient","rule":"identical"}]}]}]}]}]');
SELECT pg_temp.graph('http://g/search', '[{"path":"subject","target":[{"type":"Patient","link":[{"target":[{"type":"Condition","params":"patient={ref}&_sort=_id"}]}]}]}]', '1');
SELECT pg_temp.graph('http://g/search', '[{"path":"subject","min":2,"target":[{"type":"Patient"}]}]', '2');
SELECT pg_temp.graph('http://g/most', '[{"path":"section.entry","target":[{"type":"List","link":[{"path":"entry.item","max":"0"}]}]}]');
SELECT pg_temp.graph('http://g/start', 'null', start => 'Patient');
SELECT pg_temp.graph('http://g/odd', '[{"path":"section.nonsense"}]');
SELECT pg_temp.graph('http://g/no-ref', '[{"target":[{"type":"Condition","params":"code=x"}]}]');
SELECT pg_temp.graph('http://g/custom', '[{"path":"section.entry","target":[{"type":"List","compartment":[{"use":"condition","code":"Patient","rule":"custom","expression":"true"}]}]}]');
SELECT pg_temp.graph('http://g/unknown', '[{"target":[{"type":"Condition","params":"nonsense={ref}"}]}]');
SELECT pg_temp.parts('c', NULL);
SELECT graph, pg_temp.parts('c', graph), pg_temp.parts('c-other', graph) FROM unnest('{http://g/example,http://g/condition,http://g/search|1,http://g/search|2,http://g/most}'::text[]) graph;
SELECT graph, pg_temp.parts('c', graph) FROM unnest('{http://g/search|3,http://g/none,"",|,http://g/start,http://g/odd,http://g/no-ref,http://g/custom,http://g/unknown}'::text[]) graph;
SELECT status, jsonb_path_query_array(answer, '$.entry[*].fullUrl') FROM fhir.rest('GET', 'http://x/Composition/c/$document?graph=http://g/condition');
SELECT * FROM fhir.references('{"resourceType":"Composition","section":[{"entry":[{"reference":"List/l"},{"reference":"http://x/List/m"}]}]}', 'section.entry');
SELECT * FROM fhir.references('7', 'x');
SELECT * FROM fhir.references('{"resourceType":"Composition"}', 'section.nonsense');
ROLLBACK;
WITH d AS MATERIALIZED (SELECT fhir.document('doc', true) AS bundle)
    SELECT bundle #>> '{meta,versionId}', bundle ->> 'id' IS NOT NULL AS has_id, jsonb_array_length(bundle -> 'entry') FROM d;
SELECT count(*), bool_and(fhir.is_valid(resource)) FROM operations_lake.bundle;

-- $match -----------------------------------------------------------------------------------------------------------------
INSERT INTO operations_lake.patient (resource) VALUES
    ('{"resourceType":"Patient","id":"smith","identifier":[{"system":"http://mrn","value":"1"}],"name":[{"family":"Smith","given":["John","Paul"]}],"birthDate":"1970-03-04","gender":"male","telecom":[{"system":"phone","value":"+1 555 123 4567"}],"address":[{"line":["1 Main St"],"city":"Boston","postalCode":"02101"}]}'),
    ('{"resourceType":"Patient","id":"twin","identifier":[{"system":"http://mrn","value":"2"}],"name":[{"family":"Smith","given":["Jane"]}],"birthDate":"1970-03-04","gender":"female","address":[{"line":["1 Main St"],"city":"Boston","postalCode":"02101"}]}'),
    ('{"resourceType":"Patient","id":"namesake","identifier":[{"system":"http://mrn","value":"3"}],"name":[{"family":"Smith","given":["John"]}],"birthDate":"1999-11-30","gender":"male"}'),
    ('{"resourceType":"Patient","id":"garcia","name":[{"family":"García","given":["José"]}],"birthDate":"1980-01-12"}');
CREATE TABLE operations_lake.asked (n integer, patient jsonb);
INSERT INTO operations_lake.asked VALUES
    (1, '{"resourceType":"Patient","name":[{"family":"Smith","given":["John"]}],"birthDate":"1970-03-04"}'),
    (2, '{"resourceType":"Patient","name":[{"family":"Smyth","given":["Jon"]}],"birthDate":"1970-03-04"}'),
    (3, '{"resourceType":"Patient","name":[{"family":"Smith","given":["John"]}],"birthDate":"1970-04-03"}'),
    (4, '{"resourceType":"Patient","name":[{"family":"Smith","given":["J."]}],"birthDate":"1970"}'),
    (5, '{"resourceType":"Patient","identifier":[{"system":"http://mrn","value":"1"}]}'),
    (6, '{"resourceType":"Patient","identifier":[{"system":"http://mrn","value":"9"}],"name":[{"family":"Smith","given":["John"]}],"birthDate":"1970-03-04"}'),
    (7, '{"resourceType":"Patient","name":[{"family":"GARCIA","given":["jose"]}],"birthDate":"1980-01-12"}'),
    (8, '{"resourceType":"Patient","name":[{"family":"John","given":["Smith"]}],"birthDate":"1970-03-04"}'),
    (9, '{"resourceType":"Patient","name":[{"family":"Nobody","given":["Known"]}],"birthDate":"1900-01-01"}'),
    (10, '{"resourceType":"Patient","name":[{"family":"a,b|c & d=e;f%","given":["\\"]}],"birthDate":"2011-02-30","identifier":[{"value":"x$y"}]}'),
    (11, '{"resourceType":"Patient","name":[{"family":"Smith"}],"address":[{"city":"Boston","postalCode":"02101"}]}');
SELECT n, id, score, grade, identifier, round(family::numeric, 2) AS family, round(given::numeric, 2) AS given, birthdate, gender, telecom, round(address::numeric, 2) AS address
    FROM operations_lake.asked, fhir.match_rows(patient) ORDER BY n, score DESC, id;
SELECT fhir.match_searches(patient) FROM operations_lake.asked WHERE n IN (1, 10);
-- telecom as it is written finds; then it compares by its digits
SELECT id, score, grade, telecom FROM fhir.match_rows('{"resourceType":"Patient","name":[{"family":"Smith","given":["John"]}],"telecom":[{"value":"(555) 123-4567"}]}', 1);
SELECT bundle - 'entry', jsonb_path_query_array(bundle, '$.entry[*].resource.id'), bundle #> '{entry,0,search}', fhir.is_valid(bundle)
    FROM operations_lake.asked, fhir.match(patient) bundle WHERE n = 1;
SELECT fhir.match(patient) FROM operations_lake.asked WHERE n = 9;
CREATE FUNCTION pg_temp.certain(number integer) RETURNS jsonb LANGUAGE sql AS $$
    SELECT fhir.match(jsonb_build_object('resourceType', 'Parameters', 'parameter', jsonb_build_array(
        jsonb_build_object('name', 'resource', 'resource', patient), '{"name":"onlyCertainMatches","valueBoolean":true}'::jsonb))) FROM operations_lake.asked WHERE n = number
$$;
SELECT jsonb_path_query_array(pg_temp.certain(1), '$.entry[*].resource.id'), pg_temp.certain(3);
INSERT INTO operations_lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"double","name":[{"family":"Smith","given":["John"]}],"birthDate":"1970-03-04"}');
SELECT pg_temp.certain(1);
SELECT jsonb_array_length(fhir.match(jsonb_build_object('resourceType', 'Parameters', 'parameter', jsonb_build_array(
    jsonb_build_object('name', 'resource', 'resource', patient), '{"name":"count","valueInteger":1}'::jsonb))) -> 'entry') FROM operations_lake.asked WHERE n = 1;
SELECT pg_temp.raised(format('SELECT fhir.match(%L)', asked)) FROM (VALUES
    ('{"resourceType":"Patient","gender":"male"}'), ('{"resourceType":"Patient","name":3,"birthDate":[]}'), ('{"resourceType":"Observation"}'),
    ('{"resourceType":"Parameters"}'), ('[]'), (NULL)) v (asked);
SELECT pg_temp.raised(format('SELECT fhir.match_rows(%L, %s)', patient, 0)) FROM operations_lake.asked WHERE n = 1;

-- With the rights of the caller: what a policy hides is in none of the answers.
CREATE ROLE operations_reader;
SELECT fhir.grant_lake('operations_lake', 'operations_reader', 'read');
GRANT SELECT ON operations_lake.asked TO operations_reader;
ALTER TABLE operations_lake.patient ENABLE ROW LEVEL SECURITY;
ALTER TABLE operations_lake.resource ENABLE ROW LEVEL SECURITY;
CREATE POLICY not_smith ON operations_lake.patient USING (id NOT IN ('smith', 'p'));
CREATE POLICY not_p ON operations_lake.resource USING (NOT (type = 'Patient' AND id IN ('smith', 'p')));
SET ROLE operations_reader;
SELECT id FROM operations_lake.asked, fhir.match_rows(patient) WHERE n = 1;
SELECT fhir.meta('Patient');
SELECT fhir.meta();
SELECT pg_temp.raised($$SELECT fhir.document('doc')$$), pg_temp.raised($$SELECT fhir.meta('Patient', 'p')$$), pg_temp.raised($$SELECT fhir.meta_add('Patient', 'q', '{"tag":[{"code":"z"}]}')$$);
RESET ROLE;
DROP OWNED BY operations_reader;
DROP ROLE operations_reader;

-- Whatever the search_path of the caller holds.
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'taken over'; END $$;
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.eq);
CREATE FUNCTION hostile.jsonb_agg(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'taken over'; END $$;
SET search_path = hostile, pg_catalog;
SELECT fhir.meta('Patient'), fhir.meta_add('Patient', 'q', '{"tag":[{"code":"plain"}]}') OPERATOR(pg_catalog.->>) 'versionId';
SELECT id FROM fhir.lastn_rows('patient=p&code=http://l|a&category=vital', 1);
SELECT pg_catalog.jsonb_array_length(fhir.document('doc') OPERATOR(pg_catalog.->) 'entry');
SELECT id, grade FROM fhir.match_rows('{"resourceType":"Patient","name":[{"family":"Smith","given":["John"]}],"birthDate":"1970-03-04"}', 2);
RESET search_path;
DROP SCHEMA hostile CASCADE;
SELECT fhir.drop_lake('operations_lake', true);

-- Question: does a stored SearchParameter search at once, and does its index serve the search? Do _filter and _fhirpath?
\set SHOW_CONTEXT never
SET search_path = public, fhir;
SELECT fhir.create_lake('own');
SET fhir.lake = 'own';
INSERT INTO own.patient (resource)
SELECT jsonb_build_object('resourceType', 'Patient', 'id', 'p' || i, 'gender', CASE i % 2 WHEN 0 THEN 'male' ELSE 'female' END,
  'birthDate', to_char(date '1950-01-01' + i * 10, 'YYYY-MM-DD'), 'name', jsonb_build_array(jsonb_build_object('family', 'Family' || i)),
  'extension', jsonb_build_array(
    jsonb_build_object('url', 'http://x.org/ward', 'valueCoding', jsonb_build_object('system', 'http://x.org/wards', 'code', 'w' || i % 50)),
    jsonb_build_object('url', 'http://x.org/weight', 'valueQuantity', jsonb_build_object('value', i, 'unit', 'kg', 'system', 'http://unitsofmeasure.org', 'code', 'kg')),
    jsonb_build_object('url', 'http://x.org/clinic', 'valueReference', jsonb_build_object('reference', 'Organization/o' || i % 10)),
    jsonb_build_object('url', 'http://x.org/seen', 'valueDate', to_char(date '2020-01-01' + i, 'YYYY-MM-DD'))))
FROM generate_series(1, 1000) i;
INSERT INTO own.observation (resource)
SELECT jsonb_build_object('resourceType', 'Observation', 'id', 'o' || i, 'status', 'final', 'code', '{"text":"pressure"}'::jsonb, 'component', jsonb_build_array(
    jsonb_build_object('code', '{"coding":[{"system":"http://loinc.org","code":"8480-6"}]}'::jsonb, 'valueQuantity', jsonb_build_object('value', 100 + i)),
    jsonb_build_object('code', '{"coding":[{"system":"http://loinc.org","code":"8462-4"}]}'::jsonb, 'valueQuantity', jsonb_build_object('value', 50 + i))))
FROM generate_series(1, 30) i;
INSERT INTO own.observation (resource)
SELECT jsonb_build_object('resourceType', 'Observation', 'id', 'x' || i, 'status', 'final', 'code', '{"text":"other"}'::jsonb) FROM generate_series(1, 1000) i;

-- Nobody knows it yet.
SELECT fhir.search_count('Patient?ward=w7');
CREATE FUNCTION pg_temp.parameter(code text, type text, base text, expression text, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
  INSERT INTO own.searchparameter (resource)
  SELECT jsonb_build_object('resourceType', 'SearchParameter', 'id', code, 'url', 'http://x.org/SearchParameter/' || code, 'name', code, 'status', 'active',
    'description', code, 'code', code, 'base', jsonb_build_array(base), 'type', type, 'expression', expression) || more
$$;
SELECT pg_temp.parameter('ward', 'token', 'Patient', $$Patient.extension('http://x.org/ward').value$$);
SELECT pg_temp.parameter('weight', 'quantity', 'Patient', $$Patient.extension('http://x.org/weight')$$);
SELECT pg_temp.parameter('clinic', 'reference', 'Patient', $$Patient.extension('http://x.org/clinic').value$$, '{"target":["Organization"]}');
SELECT pg_temp.parameter('seen', 'date', 'Patient', $$Patient.extension('http://x.org/seen').value$$);
SELECT pg_temp.parameter('surname', 'string', 'Patient', $$Patient.name.family$$);
SELECT pg_temp.parameter('grown', 'token', 'Patient', $$Patient.birthDate < @1970-01-01$$);
SELECT pg_temp.parameter('part-value', 'quantity', 'Observation', $$Observation.component.value.as(Quantity)$$);
SELECT pg_temp.parameter('part', 'composite', 'Observation', $$Observation.component$$,
  '{"component":[{"definition":"http://hl7.org/fhir/SearchParameter/clinical-code","expression":"code"},
                 {"definition":"http://x.org/SearchParameter/part-value","expression":"value.as(Quantity)"}]}');

-- It works at once, with the forms and modifiers of its type.
SELECT q, fhir.search_count(q) FROM unnest(ARRAY[
  'Patient?ward=w7', 'Patient?ward=http://x.org/wards|w7,w8', 'Patient?ward=http://y.org|w7', 'Patient?ward:not=w7', 'Patient?ward:missing=true',
  'Patient?ward=w7&gender=female', 'Patient?weight=gt990', 'Patient?weight=le10||kg', 'Patient?weight=5|http://unitsofmeasure.org|kg', 'Patient?weight=5||g',
  'Patient?clinic=o3', 'Patient?clinic=Organization/o3', 'Patient?clinic:Organization=o3', 'Patient?clinic=Practitioner/o3', 'Patient?seen=2020-02',
  'Patient?seen=ge2022', 'Patient?surname=family99', 'Patient?surname:exact=Family99', 'Patient?surname:contains=y100', 'Patient?grown=true', 'Patient?grown=false',
  'Observation?part=8480-6$gt120', 'Observation?part=http://loinc.org|8462-4$gt120', 'Observation?part=8462-4$le55,8480-6$130', 'Observation?part-value=80']) q;
SELECT fhir.search_count('Observation?subject:Patient.ward=w7');
SELECT fhir.search('Patient?ward=w7&_count=1&_elements=id&_sort=_id') #>> '{link,0,url}' AS self;

-- What cannot be asked of it, and what it cannot be.
SELECT fhir.search_count('Patient?ward:exact=w7');
SELECT fhir.search_count('Patient?seen=yesterday');
SELECT fhir.search_count('Observation?part=8480-6');
SELECT fhir.search_count('Observation?ward=w7');
SELECT pg_temp.parameter('broken', 'token', 'Patient', 'Patient.nothing');
SELECT fhir.search_count('Patient?broken=x');
SELECT pg_temp.parameter('unfinished', 'token', 'Patient', 'Patient.name.');
SELECT fhir.search_count('Patient?unfinished=x');
SELECT pg_temp.parameter('beyond', 'token', 'Patient', $$Patient.name.family.replace('a', 'b')$$);
SELECT fhir.search_count('Patient?beyond=x');
SELECT pg_temp.parameter('xpath', 'token', 'Patient', 'x');
UPDATE own.searchparameter SET resource = resource - 'expression' WHERE id = 'xpath';
SELECT fhir.search_count('Patient?xpath=x');
SELECT pg_temp.parameter('parts', 'composite', 'Observation', 'Observation.component', '{"component":[{"definition":"http://x.org/none","expression":"code"}]}');
SELECT fhir.search_count('Observation?parts=x');
-- The specification's own cannot be replaced.
SELECT pg_temp.parameter('gender', 'token', 'Patient', 'Patient.name.family');
SELECT fhir.search_count('Patient?gender=male');
SELECT fhir.index_search_parameter('gender');
SELECT fhir.index_search_parameter('nobody');
UPDATE own.searchparameter SET resource = resource || '{"status":"retired"}' WHERE id = 'surname';
SELECT fhir.search_count('Patient?surname=x');

-- Its index: built beside the writers, found by the planner, with the right estimate.
SELECT type, code, definition FROM fhir.search_parameter_definitions('http://x.org/SearchParameter/ward');
SELECT fhir.index_search_parameter('ward');
SELECT fhir.index_search_parameter('ward') \gexec
SELECT fhir.index_search_parameter('part') \gexec
ANALYZE own.patient, own.observation;
CREATE FUNCTION pg_temp.plan(search text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || fhir.search_sql(search) LOOP
    IF line ~ 'Scan|Index Cond' THEN
      RETURN NEXT regexp_replace(line, '^ *(->)? *', '');
    END IF;
  END LOOP;
END $$;
SET enable_seqscan = off;
SELECT pg_temp.plan('Patient?ward=w7');
SELECT pg_temp.plan('Observation?part=8480-6$130');
SELECT fhir.search_count('Patient?ward=w7'), fhir.search_count('Observation?part=8480-6$130');
RESET enable_seqscan;
SELECT definition FROM fhir.search_parameter_definitions('ward') \gset
CREATE FUNCTION pg_temp.estimate(query text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
  RETURN plan->0->'Plan'->'Plan Rows';
END $$;
SELECT pg_temp.estimate(format('SELECT FROM own.patient WHERE fhir.keys_of(resource, %L::jsonb) |= %L', :'definition', '$token=w7')) AS of_20;
-- Writes go on into it.
INSERT INTO own.patient (resource) VALUES ('{"resourceType":"Patient","id":"new","extension":[{"url":"http://x.org/ward","valueCoding":{"code":"w7"}}]}');
SELECT fhir.search_count('Patient?ward=w7');
SELECT count(*) FROM pg_indexes WHERE schemaname = 'own' AND indexname ~ '^patient_ward';

-- As a plain user, under row-level security: the rows of the policy, by the same index; and no parameter that may not be read.
CREATE ROLE regress_own_reader;
SELECT fhir.grant_lake('own', 'regress_own_reader', 'read');
ALTER TABLE own.patient ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON own.patient TO regress_own_reader USING (id < 'p2');
SET ROLE regress_own_reader;
SELECT count(*) FROM own.patient WHERE fhir.keys_of(resource, :'definition'::jsonb) |= '$token=w7';
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM own.patient WHERE fhir.keys_of(resource, :'definition'::jsonb) |= '$token=w7';
RESET enable_seqscan;
RESET ROLE;
REVOKE SELECT ON own.searchparameter FROM regress_own_reader;
SET ROLE regress_own_reader;
SELECT fhir.search_count('Patient?ward=w7');
RESET ROLE;
DROP OWNED BY regress_own_reader;
DROP ROLE regress_own_reader;
ALTER TABLE own.patient DISABLE ROW LEVEL SECURITY;

-- _fhirpath: any element or extension, without a parameter.
SELECT q, fhir.search_count('Patient?_fhirpath=' || q) FROM unnest(ARRAY[
  $$extension('http://x.org/weight').value.value > 990$$, $$birthDate < @1960-01-01$$, $$name.family.endsWith('99')$$, 'deceased',
  $$name.where(family = 'Family5').exists()$$, $$gender in ('male'|'other')$$, $$extension.count() = 4 and gender = 'male'$$]) q;
SELECT fhir.search_count('Patient?gender=male&_fhirpath=birthDate < @1960-01-01');
SELECT fhir.search_count('Patient?_fhirpath=birthDate <');
SELECT fhir.search_count('Patient?_fhirpath=nothing.here');
SELECT fhir.search_count($$Patient?_fhirpath=name.family.replace('a','b')$$);
SELECT fhir.path_holds('{"resourceType":"Patient","active":false}', 'active'), fhir.path_holds('[]', 'active'), fhir.path_holds('{"resourceType":"Patient","active":true}', 'active');
SELECT fhir.path_holds('{"resourceType":"Patient"}', 'active =');

-- _filter: a logical expression over parameters.
SELECT q, fhir.search_count('Patient?_filter=' || q) FROM unnest(ARRAY[
  'family eq family99', 'family ew "99"', 'family co "y99" and gender eq MALE', 'gender eq male or gender eq female', 'not (gender eq male) and birthdate lt 1951',
  'birthdate po 1950-01', 'birthdate pr false', 'family gt e and family lt g', 'gender ne male', 'ward eq w7 or ward eq w8', 'weight ge 999', '_id eq p1 or _id eq p2']) q;
SELECT fhir.search_count('Patient?_filter=family eq');
SELECT fhir.search_count('Patient?_filter=gender sw m');
SELECT fhir.search_count('Patient?_filter=nosuch eq m');

-- Question: are requests that need more than one row (chains, includes, compartments, lists, terminology, order, the past)
-- answered as the specification says?
\set VERBOSITY default
SELECT fhir.create_lake('asked');
SET fhir.lake = 'asked';
CREATE TEMP TABLE given (resource jsonb);
INSERT INTO given VALUES
  ('{"resourceType":"Organization","id":"o1","name":"North Clinic","partOf":{"reference":"Organization/o2"}}'),
  ('{"resourceType":"Organization","id":"o2","name":"Health Group"}'),
  ('{"resourceType":"Practitioner","id":"d1","name":[{"family":"Doolittle"}]}'),
  ('{"resourceType":"Patient","id":"p1","name":[{"family":"Smith","given":["Ann"]}],"birthDate":"1970-01-01","gender":"female","managingOrganization":{"reference":"Organization/o1"},"generalPractitioner":[{"reference":"Practitioner/d1"}]}'),
  ('{"resourceType":"Patient","id":"p2","name":[{"family":"Smith","given":["Bob"]}],"birthDate":"1980-05-05","gender":"male","managingOrganization":{"reference":"Organization/o2"},"generalPractitioner":[{"reference":"Organization/o1"},{"reference":"Practitioner/d1"}]}'),
  ('{"resourceType":"Patient","id":"p3","name":[{"family":"Ångström"}],"gender":"male"}'),
  ('{"resourceType":"Group","id":"g1","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p1"}},{"entity":{"reference":"Patient/p3"}}]}'),
  ('{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p1"},"period":{"start":"2020-01-01","end":"2020-01-02"},"participant":[{"individual":{"reference":"Practitioner/d1"}}],"serviceProvider":{"reference":"Organization/o1"}}'),
  ('{"resourceType":"Observation","id":"b1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8302-2","display":"Body height"}]},"category":[{"coding":[{"code":"vital-signs"}]}],"subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},"effectiveDateTime":"2020-01-01","valueQuantity":{"value":170,"unit":"cm","system":"http://unitsofmeasure.org","code":"cm"}}'),
  ('{"resourceType":"Observation","id":"b2","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"category":[{"coding":[{"code":"vital-signs"}]}],"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2021-06-01","valueQuantity":{"value":70.5,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}'),
  ('{"resourceType":"Observation","id":"b3","status":"amended","code":{"coding":[{"system":"http://loinc.org","code":"8302-2"}]},"subject":{"reference":"Patient/p2"},"performer":[{"reference":"Patient/p1"}],"effectiveDateTime":"2021-01-01"}'),
  ('{"resourceType":"Observation","id":"b4","status":"final","code":{"text":"no date"},"subject":{"reference":"Group/g1"}}'),
  ('{"resourceType":"MedicationRequest","id":"m1","status":"active","intent":"order","subject":{"reference":"Patient/p2"},"medicationReference":{"reference":"#c1"},"contained":[{"resourceType":"Medication","id":"c1","code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"5640"}]}}]}'),
  ('{"resourceType":"Provenance","id":"v1","target":[{"reference":"Observation/b1"}],"recorded":"2020-01-01T00:00:00Z","agent":[{"who":{"reference":"Practitioner/d1"}}]}'),
  ('{"resourceType":"List","id":"l1","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/p3"}},{"item":{"reference":"Observation/b1"}},{"item":{"reference":"Patient/p1"},"deleted":true}]}'),
  ('{"resourceType":"ValueSet","id":"s1","url":"http://example.org/vs/height","status":"active","compose":{"include":[{"system":"http://loinc.org","concept":[{"code":"8302-2"},{"code":"8301-4"}]}]}}'),
  ('{"resourceType":"CodeSystem","id":"s2","url":"http://example.org/cs","status":"active","content":"complete","concept":[{"code":"a","concept":[{"code":"b"},{"code":"c"}]}]}'),
  ('{"resourceType":"Condition","id":"n1","subject":{"reference":"Patient/p1"},"code":{"coding":[{"system":"http://example.org/cs","code":"b"}]},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>chronic cough &amp; fever</p></div>"},"onsetString":"childhood asthma"}');
DO $$ DECLARE r jsonb; BEGIN FOR r IN SELECT resource FROM given LOOP PERFORM fhir.update(r); END LOOP; END $$;
-- Those that a search finds, and those that come along in brackets.
CREATE FUNCTION pg_temp.ids(search text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(CASE e->'search'->>'mode' WHEN 'match' THEN e->'resource'->>'id' WHEN 'include' THEN '[' || (e->'resource'->>'id') || ']' ELSE '!' END, ' ')
  FROM jsonb_array_elements(fhir.search(search)->'entry') e $$;
-- All pages of a search.
CREATE FUNCTION pg_temp.pages(search text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer jsonb; pages text := '';
BEGIN
  FOR i IN 1..20 LOOP
    answer := fhir.search(search);
    pages := pages || coalesce((SELECT string_agg(e->'resource'->>'id', ' ') FROM jsonb_array_elements(answer->'entry') e), '') || ' | ';
    search := jsonb_path_query_first(answer, '$.link[*] ? (@.relation == "next").url') #>> '{}';
    EXIT WHEN search IS NULL;
  END LOOP;
  RETURN pages;
END $$;

-- Chains, and chains in reverse.
SELECT q, pg_temp.ids(q), fhir.search_count(q) FROM unnest(ARRAY[
  'Observation?subject:Patient.name=smith', 'Observation?patient.gender=male', 'Observation?subject.name=smith', 'Observation?patient.organization.name=north',
  'Observation?patient.organization.partof.name=health', 'Observation?encounter.participant:Practitioner.family=Doolittle', 'Patient?general-practitioner:Practitioner.family=doo',
  'Patient?general-practitioner.name=north', 'Observation?patient.name=nobody', 'Patient?_has:Observation:patient:code=8302-2', 'Patient?_has:Observation:patient:code=8302-2&_has:Observation:patient:status=amended',
  'Patient?_has:Group:member:actual=true', 'Observation?patient._has:Group:member:_id=g1', 'Practitioner?_has:Encounter:participant:patient.name=smith',
  'Organization?_has:Patient:organization:_has:Observation:patient:code=8302-2', 'Practitioner?_has:Provenance:agent:target=Observation/b1', 'Observation?_has:Provenance:target:agent=Practitioner/d1',
  'Observation?subject:Group._id=g1', 'Observation?patient.birthdate=lt1975&code=29463-7']) q;
-- A chain with more hits than a list holds is a join.
INSERT INTO asked.patient (resource) SELECT format('{"resourceType":"Patient","id":"x%s","name":[{"family":"Many"}]}', i)::jsonb FROM generate_series(1, 600) i;
INSERT INTO asked.observation (resource) SELECT format('{"resourceType":"Observation","id":"x%s","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/x%s"},"performer":[{"reference":"Practitioner/d1"},{"reference":"Patient/x%s"}]}', i, i, i)::jsonb FROM generate_series(1, 600, 3) i;
SELECT fhir.search_count('Observation?patient.name=many') AS single, fhir.search_count('Observation?performer:Patient.name=many') AS several, fhir.search_count('Patient?name=many&_has:Observation:patient:status=final') AS reverse;
DELETE FROM asked.observation WHERE id LIKE 'x%';
DELETE FROM asked.patient WHERE id LIKE 'x%';

-- What comes along.
SELECT q, pg_temp.ids(q) FROM unnest(ARRAY[
  'Observation?_id=b1&_include=Observation:subject', 'Observation?_id=b1&_include=Observation:encounter&_include:iterate=Encounter:service-provider&_include:iterate=Organization:partof',
  'Observation?_id=b1,b2&_include=Observation:*', 'Observation?_id=b1&_include=*', 'Observation?_id=b1&_revinclude=Provenance:target', 'Patient?_id=p1&_revinclude=Observation:subject&_revinclude:iterate=Provenance:target',
  'Patient?_id=p2&_include=Patient:general-practitioner:Organization', 'Patient?_id=p1&_revinclude=Group:member:Patient', 'Organization?_id=o1&_include:iterate=Organization:partof&_revinclude:iterate=Organization:partof']) q;

-- Compartments, types, lists.
SELECT q, pg_temp.ids(q) FROM unnest(ARRAY[
  'Patient/p1/Observation', 'Patient/p1/Observation?status=final', 'Patient/p2/*', 'Patient/p2/*?_type=Observation', 'Encounter/e1/Observation', '?_type=Patient,Practitioner&name=smith', '?_type=Observation,Encounter&patient=p1',
  'Patient?_list=l1', '?_type=Patient,Observation&_list=l1', '?_id=p1', '?_type=Patient,Practitioner&_has:Observation:performer:status=amended']) q;
SELECT fhir.search('Patient?_list=nothing');
SELECT pg_temp.ids('Practitioner/d1/*?_type=Patient');
SELECT fhir.search('Practitioner/d1/*?_type=Location');

-- Terminology.
SELECT q, pg_temp.ids(q) FROM unnest(ARRAY[
  'Observation?code:in=http://example.org/vs/height', 'Observation?code:not-in=http://example.org/vs/height', 'Observation?code:in=ValueSet/s1', 'Condition?code:below=http://example.org/cs|a', 'Condition?code:above=http://example.org/cs|b', 'Condition?code:below=http://example.org/cs|c']) q;
SELECT fhir.search('Observation?code:in=http://example.org/vs/none');

-- Order and pages: those without a value stand last (without a clinical date: where the oldest are); ties do not get lost.
SELECT q, pg_temp.pages(q) FROM unnest(ARRAY[
  'Observation?_sort=-date&_count=2', 'Observation?_sort=date&_count=1', 'Patient?_sort=family&_count=1', 'Patient?_sort=-family,birthdate&_count=1', 'Patient?_sort=birthdate&_count=1', 'Patient?_sort=-birthdate,_id&_count=2',
  'Observation?_sort=status,-_id&_count=3', 'Observation?_sort=value-quantity&_count=2', '?_type=Patient,Practitioner&_sort=_lastUpdated&_count=2', '?_type=Patient,Practitioner,Organization&_count=2', 'Observation?_sort=-patient,code&_count=1']) q;

-- Parts.
SELECT (fhir.search('Patient?_id=p1&_elements=gender')->'entry'->0->'resource') - 'meta' AS elements;
SELECT (fhir.search('Observation?_id=b1&_summary=true')->'entry'->0->'resource') ? 'code' AS code, jsonb_path_query_array(fhir.search('Observation?_id=b1&_summary=true'), '$.entry[0].resource.meta.tag[*].code') AS tag;
SELECT (fhir.search('Condition?_summary=text')->'entry'->0->'resource') - 'meta' AS text;

-- Words.
SELECT q, pg_temp.ids(q) FROM unnest(ARRAY['Condition?_text=cough', 'Condition?_text=asthma', 'Condition?_content=asthma', 'Condition?_content="cough fever"', 'Condition?_text=cough -fever', 'Condition?_content=fever&_sort=_score']) q;
SELECT (fhir.search('Condition?_content=fever')->'entry'->0->'search'->>'score')::numeric > 0 AS score;

-- What is contained.
SELECT q, pg_temp.ids(q) FROM unnest(ARRAY['Medication?code=5640', 'Medication?code=5640&_contained=true', 'Medication?code=5640&_contained=both&_containedType=contained', 'Medication?code=1&_contained=true']) q;

-- Any element, and the filter language.
SELECT q, pg_temp.ids(q) FROM unnest(ARRAY['Condition?_fhirpath=onset.exists()', 'Patient?_fhirpath=generalPractitioner.exists() and gender = ''male''',
  'Patient?_filter=gender eq male and not (birthdate ge 1975-01-01)', 'Observation?_filter=patient.name co "mit" or status eq "amended"']) q;

-- The past.
SELECT clock_timestamp() AS before \gset
SELECT FROM fhir.update('{"resourceType":"Patient","id":"p1","name":[{"family":"Jones","given":["Ann"]}],"gender":"female"}');
SELECT FROM fhir.delete('Patient', 'p3');
SELECT fhir.search_count('Patient?family=smith') AS now, fhir.search_count('Patient?family=smith', as_of => :'before') AS then, fhir.search_count('Patient', as_of => :'before') AS all_then,
  fhir.search_count('Observation?patient.family=smith') AS chain_now, fhir.search_count('Observation?patient.family=smith', as_of => :'before') AS chain_then, fhir.search_count('Patient', as_of => '2000-01-01') AS long_ago;
SELECT jsonb_path_query_array(fhir.search('Observation?_sort=-date&_count=2', as_of => :'before'), '$.entry[*].resource.id') AS newest_then;
SELECT string_agg(e->'resource'->'name'->0->>'family', ' ') FROM jsonb_array_elements(fhir.search('Patient?_sort=_id', as_of => :'before')->'entry') e;

-- Counts.
SELECT fhir.search('Observation?_total=accurate&_count=1')->>'total' AS accurate, (fhir.search('Observation?_total=estimate&_count=1')->>'total')::int > 0 AS estimate, fhir.search('Observation?_count=0') - 'link' AS none;
-- How it will be answered.
SELECT * FROM fhir.explain_search('Observation?patient=p1&code=8302-2,x&date=ge2015&nothing=1&_sort=-date', handling => 'lenient') WHERE part <> 'plan';
SELECT * FROM fhir.explain_search('Patient?_sort=family&_text=a&_has:Observation:patient:code=x') WHERE part NOT IN ('plan', 'statement');
SELECT count(*) > 1 AS plan FROM fhir.explain_search('Patient') WHERE part = 'plan';
-- A lake of one type, searched without naming it: the order is the same on every page.
SELECT fhir.create_lake('small');
SET fhir.lake = 'small';
SELECT pg_temp.pages('?_count=2'), fhir.search_count('');
INSERT INTO small.patient (resource) SELECT format('{"resourceType":"Patient","id":"q%s","name":[{"family":"a"}]}', i)::jsonb FROM generate_series(1, 3) i;
SELECT pg_temp.pages('?_count=2'), pg_temp.ids('Observation?_contained=both&code=x');
SET client_min_messages = error;
-- Operators of the caller's own do not get into the statements.
SET fhir.lake = 'asked';
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.seize(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'seized'; END $$;
CREATE OPERATOR hostile.= (FUNCTION = hostile.seize, LEFTARG = text, RIGHTARG = text);
SET search_path = hostile, pg_catalog;
SELECT count(*) FROM fhir.search_rows('Observation?patient=p1');
SELECT count(*) FROM fhir.search_rows('Patient?_id=p1,p2&_has:Observation:patient:_id=o1');
SELECT pg_catalog.jsonb_typeof(fhir.search('Observation?subject:Patient.birthdate=gt1900&_include=Observation:subject'));
RESET search_path;
DROP SCHEMA hostile CASCADE;

SELECT fhir.drop_lake('small'), fhir.drop_lake('asked');

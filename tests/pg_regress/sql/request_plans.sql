-- Question: which index answers which kind of request, for the owner and for a plain user under row-level security?
\set VERBOSITY terse
SELECT fhir.create_lake('shapes');
SET fhir.lake = 'shapes';
INSERT INTO shapes.patient (resource) SELECT format('{"resourceType":"Patient","id":"p%s","name":[{"family":"Family%s"}],"gender":"%s","birthDate":"%s"}', i, i,
  CASE i % 2 WHEN 0 THEN 'male' ELSE 'female' END, 1920 + i % 90)::jsonb FROM generate_series(1, 1200) i;
INSERT INTO shapes.observation (resource) SELECT format($$ {"resourceType":"Observation","id":"o%s","status":"final","subject":{"reference":"Patient/p%s"},
  "category":[{"coding":[{"code":"%s"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"c%s"}]},"effectiveDateTime":"%s","valueQuantity":{"value":%s,"unit":"mg"}} $$,
  i, 1 + i % 1200, CASE i % 4 WHEN 0 THEN 'laboratory' ELSE 'vital-signs' END, CASE WHEN i % 4000 = 17 THEN 'rare' ELSE (i % 5)::text END,
  to_char(date '2000-01-01' + i / 2, 'YYYY-MM-DD'), i % 997)::jsonb FROM generate_series(1, 12000) i;
VACUUM ANALYZE shapes.patient;
VACUUM ANALYZE shapes.observation;

-- The indexes of a plan, in the order of their names.
CREATE FUNCTION indexes(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (COSTS OFF, FORMAT json) ' || sql INTO plan;
  RETURN coalesce((SELECT string_agg(DISTINCT i #>> '{}', ', ' ORDER BY i #>> '{}') FROM jsonb_path_query(plan, '$.**."Index Name"') i), 'none: every row is read');
END $$;
CREATE TABLE asked (n serial, request text);
INSERT INTO asked (request) VALUES ('Observation?code=rare'), ('Observation?code=http://loinc.org|rare&value-quantity=gt10'), ('Observation?code=rare&date=ge2005-01-01&date=lt2006-01-01'),
  ('Observation?patient=p7'), ('Observation?patient=p7&_sort=-date'), ('Observation?patient=p7&category=laboratory&_sort=-date'), ('Patient/p7/Observation?_sort=-date'), ('Observation?_sort=-date'), ('Observation?status=final&_sort=-date'),
  ('Observation?code=rare&_sort=-date'), ('Observation?_lastUpdated=gt2100-01-01&_sort=-_lastUpdated'), ('Observation?_id=o1,o2'), ('Observation?status=final'), ('Observation?subject:Patient.family=family77'), ('Observation?patient.gender=male'),
  ('Patient?_has:Observation:patient:code=rare'), ('Patient?family=family1199'), ('Patient?family:contains=1199'), ('?_type=Patient,Observation&_lastUpdated=gt2100-01-01&_sort=-_lastUpdated'), ('Patient?_content=x');
SELECT request, indexes(fhir.search_sql(request)) FROM asked ORDER BY n;
-- The second page goes on in the same index.
SELECT indexes(fhir.search_sql(jsonb_path_query_first(fhir.search('Observation?status=final&_sort=-date'), '$.link[*] ? (@.relation == "next").url') #>> '{}'));

SET client_min_messages = error;
CREATE ROLE regress_shapes_reader;
RESET client_min_messages;
SELECT fhir.grant_lake('shapes', 'regress_shapes_reader', 'read');
GRANT SELECT ON asked TO regress_shapes_reader;
DO $$
DECLARE relation regclass;
BEGIN
  FOREACH relation IN ARRAY ARRAY['shapes.resource', 'shapes.observation', 'shapes.patient']::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY few ON %s USING (compartment IN (''Patient/p7'', ''Patient/p8''))', relation);
  END LOOP;
END $$;
SET ROLE regress_shapes_reader;
SELECT request, indexes(fhir.search_sql(request)), fhir.search_count(request) FROM asked ORDER BY n;
SELECT fhir.search('Observation?_total=estimate');
RESET ROLE;
SET client_min_messages = error;
DROP TABLE asked;
DROP FUNCTION indexes;
SELECT fhir.drop_lake('shapes');
DROP OWNED BY regress_shapes_reader;
DROP ROLE regress_shapes_reader;

-- What the shapes search for, one JSON object. The patient is the one with the median number of laboratory results.
WITH p AS (
  SELECT subject, row_number() OVER (ORDER BY n, subject) AS at, count(*) OVER () AS of
  FROM (SELECT resource #>> '{subject,reference}' AS subject, count(*) AS n FROM bench.observation
        WHERE resource @> '{"category":[{"coding":[{"code":"laboratory"}]}]}' GROUP BY 1) s
), patient AS (SELECT substr(subject, 9) AS id FROM p WHERE at = of / 2), encounter AS (
  SELECT substr(resource #>> '{encounter,reference}', 11) AS id FROM bench.observation
  WHERE resource #>> '{subject,reference}' = (SELECT 'Patient/' || id FROM patient) GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1
)
SELECT jsonb_build_object(
  'patient', (SELECT id FROM patient),
  'mrn', (SELECT i ->> 'value' FROM bench.patient r, jsonb_array_elements(r.resource -> 'identifier') i
    WHERE r.id = (SELECT id FROM patient) AND i ->> 'system' = 'http://hospital.smarthealthit.org'),
  'ssn', (SELECT i ->> 'value' FROM bench.patient r, jsonb_array_elements(r.resource -> 'identifier') i
    WHERE r.id = (SELECT id FROM patient) AND i ->> 'system' = 'http://hl7.org/fhir/sid/us-ssn'),
  'encounter', (SELECT id FROM encounter),
  'year', (SELECT left(resource ->> 'effectiveDateTime', 4)::integer FROM bench.observation
    WHERE resource #>> '{subject,reference}' = (SELECT 'Patient/' || id FROM patient) GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1),
  'ids', (SELECT jsonb_agg(id ORDER BY id) FROM (SELECT id FROM bench.observation TABLESAMPLE bernoulli (10) REPEATABLE (1) ORDER BY md5(id) LIMIT 10) s),
  -- one percent of the observations
  'updated_low', (SELECT to_char(percentile_disc(0.60) WITHIN GROUP (ORDER BY last_updated) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM bench.observation),
  'updated_high', (SELECT to_char(percentile_disc(0.61) WITHIN GROUP (ORDER BY last_updated) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM bench.observation),
  'day', (SELECT left(d, 10) FROM (SELECT resource ->> 'effectiveDateTime' AS d FROM bench.observation) s WHERE d LIKE '2015-06%' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1),
  'all_codes', (SELECT jsonb_agg(code ORDER BY code) FROM (SELECT DISTINCT resource #>> '{code,coding,0,code}' AS code FROM bench.observation) s),
  'deep_id', (SELECT id FROM bench.observation WHERE resource @> '{"category":[{"coding":[{"code":"laboratory"}]}]}' ORDER BY id OFFSET 19979 LIMIT 1),
  'deep_date', (SELECT jsonb_build_array(at, id) FROM (SELECT bench.moment(coalesce(resource ->> 'effectiveDateTime', resource #>> '{effectivePeriod,start}')) AS at, id FROM bench.observation
    WHERE resource @> '{"category":[{"coding":[{"code":"laboratory"}]}]}') s ORDER BY at DESC, id OFFSET 19979 LIMIT 1),
  'parameters', (SELECT jsonb_object_agg(type || '.' || name, p) FROM bench.c_parameter)
);

-- Question: does a search use the index, in a lake and in a user's own table, also under row-level security, and does
-- the planner know how much it will find, without telling those who may not know?
\set VERBOSITY terse
SELECT fhir.create_lake('plans');
SET fhir.lake = 'plans';
SET search_path = public, fhir;
-- 4,000 observations of 40 patients; code c2 is in a third of them, c99 in two.
CREATE TABLE own (doc jsonb);
INSERT INTO own SELECT format($$ {"resourceType":"Observation","id":"o%s","status":"final","subject":{"reference":"Patient/p%s"},
  "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"%s"}]}],
  "code":{"coding":[{"system":"http://loinc.org","code":"%s"}]},"effectiveDateTime":"%s","valueQuantity":{"value":%s,"unit":"mg"}} $$,
  i, i % 40, CASE i % 4 WHEN 0 THEN 'laboratory' ELSE 'vital-signs' END,
  CASE WHEN i IN (17, 1700) THEN 'c99' ELSE 'c' || (1 + length(ltrim(to_hex(i & 15), '0')) + (i >> 1) % 3) END,
  to_char(date '2015-01-01' + i, 'YYYY-MM-DD'), i::numeric / 10)::jsonb
FROM generate_series(1, 4000) i;
INSERT INTO plans.observation (resource) SELECT doc FROM own;
INSERT INTO plans.patient (resource) SELECT format('{"resourceType":"Patient","id":"p%s","name":[{"family":"Family%s"}],"birthDate":"%s"}', i, i, 1950 + i)::jsonb FROM generate_series(0, 39) i;
CREATE INDEX own_keys ON own USING gin (fhir.keys(doc));
VACUUM ANALYZE own;
VACUUM ANALYZE plans.observation;
VACUUM ANALYZE plans.patient;

CREATE FUNCTION shape(sql text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || sql LOOP RETURN NEXT line; END LOOP;
END $$;
-- How far the estimate lies from the truth: 1 is exact.
CREATE FUNCTION estimate(relation text, condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json; truth bigint; guess numeric;
BEGIN
  EXECUTE format('EXPLAIN (FORMAT json) SELECT 1 FROM %s WHERE %s', relation, condition) INTO plan;
  EXECUTE format('SELECT count(*) FROM %s WHERE %s', relation, condition) INTO truth;
  guess := (plan->0->'Plan'->>'Plan Rows')::numeric;
  RETURN CASE WHEN greatest(guess, 1) <= 2 * greatest(truth, 1) AND greatest(truth, 1) <= 2 * greatest(guess, 1)
    THEN 'within 2 times' ELSE format('%s estimated, %s found', guess, truth) END;
END $$;

-- A lake's column and a user's expression index.
SELECT shape($$ SELECT * FROM plans.observation WHERE search |= 'code=c99' $$);
SELECT shape($$ SELECT * FROM own WHERE doc |= 'Observation?code=http://loinc.org|c99' $$);
SELECT shape($$ SELECT * FROM plans.resource WHERE type = 'Observation' AND search |= 'code=c99' $$);
SELECT shape($$ SELECT * FROM own WHERE doc |= 'Observation?date=2020-05-17' $$);
SELECT shape($$ SELECT * FROM own WHERE doc |= 'Observation?value-quantity=gt399' $$);
SELECT shape($$ SELECT * FROM own WHERE doc |= 'Observation?subject=Patient/p7&date=ge2020' $$);
-- The record of a patient comes from a btree in its order.
SELECT shape($$ SELECT * FROM plans.observation WHERE compartment = 'Patient/p7' ORDER BY occurred DESC, id LIMIT 10 $$);
-- A frequent key with an order: the btree that has the order, and the keys as a filter. A rare one: the keys, then sorted.
SELECT shape($$ SELECT * FROM plans.observation WHERE search |= 'status=final' ORDER BY occurred DESC, id LIMIT 10 $$);
SELECT shape($$ SELECT * FROM plans.observation WHERE search |= 'code=c99' ORDER BY occurred DESC, id LIMIT 10 $$);
-- The functions run what search_sql says.
SELECT shape(fhir.search_sql('Observation?code=c99'));
SELECT shape(fhir.search_sql('Observation?_id=o17'));

SELECT q, estimate('plans.observation', format('search |= %L', q)) FROM unnest(ARRAY[
  'code=c99', 'code=c2', 'status=final', 'category=laboratory', 'subject=Patient/p7', 'date=2020-05-17', 'date=ge2020', 'date=lt2016-03-01',
  'value-quantity=gt350', 'value-quantity=10.5', 'code=nothing', 'code:missing=true', 'status:not=final']) q;
SELECT q, estimate('own', format('doc |= %L', q)) FROM unnest(ARRAY['Observation?code=c2', 'Observation?code=c99,c2', 'Observation?date=ge2020']) q;
SELECT q, estimate('plans.patient', format('search |= %L', q)) FROM unnest(ARRAY['name=family1', 'birthdate=ge1960', 'name=f']) q;

-- What the compartment says again beside a reference does not count twice; of another patient it is a condition of its own.
SELECT q, estimate('plans.observation', format('search |= %L AND compartment = ''Patient/p7''', q)) FROM unnest(ARRAY[
  'subject=Patient/p7', 'Observation?patient=p7', '_compartment=Patient/p7', 'subject=Patient/p7&status=final', 'subject=Patient/p8']) q;
-- What a string contains is looked for among all strings of the parameter.
SELECT q, estimate('plans.patient', format('search |= %L', q)) FROM unnest(ARRAY['family:contains=amily', 'family:contains=y1', 'family:contains=nothing']) q;
SELECT count(*) FROM plans.patient WHERE search |= 'family:contains=Y1';

-- Same answers with and without the index.
SET enable_indexscan = off; SET enable_bitmapscan = off;
CREATE TABLE slow AS SELECT q, (SELECT count(*) FROM own WHERE doc |= q) AS n FROM unnest(ARRAY['code=c2', 'code:not=c2', 'date=ge2020-02-03T10:00:00Z',
  'date=sa2016', 'date=ne2016', 'value-quantity=10.5', 'value-quantity=le10.5', 'value-quantity=10.5||mg', 'subject=p7', 'category=laboratory,vital-signs', 'code=c2&category=laboratory&date=lt2018-06-15']) q;
RESET enable_indexscan; RESET enable_bitmapscan; SET enable_seqscan = off;
SELECT s.q, s.n, s.n = (SELECT count(*) FROM own WHERE doc |= s.q) AS same FROM slow s ORDER BY 1;
RESET enable_seqscan;

-- Row-level security: the index still serves a plain user, and no estimate depends on what the policy hides.
SET client_min_messages = error;
CREATE ROLE regress_plans_reader;
RESET client_min_messages;
GRANT USAGE ON SCHEMA plans TO regress_plans_reader;
GRANT SELECT ON plans.resource, plans.observation, own TO regress_plans_reader;
DO $$
DECLARE relation regclass;
BEGIN
  FOREACH relation IN ARRAY ARRAY['plans.resource', 'plans.observation']::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY one_patient ON %s USING (compartment = ''Patient/p7'')', relation);
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION shape(text), estimate(text, text) TO regress_plans_reader;
SET ROLE regress_plans_reader;
SET enable_seqscan = off;
SELECT count(*) FROM plans.observation;
SELECT count(*) FROM plans.resource WHERE type = 'Observation';
SELECT count(*) FROM plans.observation WHERE search |= 'code=c99';
SET enable_indexscan = off;
SELECT shape($$ SELECT * FROM plans.observation WHERE search |= 'code=c99' $$);
SELECT shape($$ SELECT * FROM plans.resource WHERE type = 'Observation' AND search |= 'code=c99' $$);
RESET enable_indexscan; RESET enable_seqscan;
CREATE FUNCTION pg_temp.guess(condition text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE format('EXPLAIN (FORMAT json) SELECT 1 FROM plans.observation WHERE search |= %L', condition) INTO plan;
  RETURN (plan->0->'Plan'->>'Plan Rows')::numeric;
END $$;
SELECT pg_temp.guess('code=c99') = pg_temp.guess('code=nothing') AND pg_temp.guess('code=c99') = pg_temp.guess('code=c2') AS tells_nothing;
RESET ROLE;
-- Nor through a view that hides rows, be it from a user without any right on the table or from one under its policy.
CREATE VIEW hides WITH (security_barrier) AS SELECT * FROM plans.observation WHERE length(compartment) < 0;
CREATE VIEW plain AS SELECT * FROM plans.observation;
GRANT SELECT ON hides, plain TO regress_plans_reader;
CREATE FUNCTION guess(relation text, condition text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE format('EXPLAIN (FORMAT json) SELECT 1 FROM %s WHERE search |= %L', relation, condition) INTO plan;
  RETURN (plan->0->'Plan'->>'Plan Rows')::numeric;
END $$;
SELECT guess('plain', 'code=c99') = guess('plain', 'code=c2') AS same_for_the_owner;
SET ROLE regress_plans_reader;
SELECT r, guess(r, 'code=c99') = guess(r, 'code=nothing') AND guess(r, 'code=c99') = guess(r, 'code=c2') AS tells_nothing FROM unnest('{hides,plain}'::text[]) r;
RESET ROLE;
REVOKE ALL ON plans.observation, plans.resource FROM regress_plans_reader;
SET ROLE regress_plans_reader;
SELECT r, guess(r, 'code=c99') = guess(r, 'code=nothing') AND guess(r, 'code=c99') = guess(r, 'code=c2') AS tells_nothing FROM unnest('{hides,plain}'::text[]) r;
RESET ROLE;
DROP VIEW hides, plain;
DROP FUNCTION guess;
-- Nor does it tell a user who may not read the table at all: the right is asked before the plan is shown.
SET client_min_messages = error;
CREATE ROLE regress_plans_stranger;
RESET client_min_messages;
SET ROLE regress_plans_stranger;
EXPLAIN SELECT 1 FROM own WHERE doc |= 'code=c99';
RESET ROLE;
DROP TABLE own, slow;
SELECT fhir.drop_lake('plans');
DROP FUNCTION shape, estimate;
DROP OWNED BY regress_plans_reader;
DROP ROLE regress_plans_reader, regress_plans_stranger;

-- Question: do conditions on columns of views reach the indexes, with estimates that hold, and never at the price of a row?
\set VERBOSITY terse
SELECT fhir.create_lake('push');
SET fhir.lake = 'push';
SET search_path = public, fhir;
-- 1,200 observations of 40 patients, 400 encounters.
INSERT INTO push.observation (resource) SELECT format($$ {"resourceType":"Observation","id":"o%s","status":"%s","subject":{"reference":"Patient/p%s"},"encounter":{"reference":"Encounter/e%s"},
  "code":{"coding":[{"system":"http://loinc.org","code":"%s"},{"system":"urn:local","code":"%s"}]},%s} $$,
  i, CASE i % 50 WHEN 0 THEN 'amended' ELSE 'final' END, i % 40, i % 400, 'c' || (i % 37), 'l' || (i % 5),
  CASE i % 3 WHEN 0 THEN format('"effectivePeriod":{"start":"%s","end":"%s"}', to_char(date '2015-01-01' + i, 'YYYY-MM-DD'), to_char(date '2015-01-03' + i, 'YYYY-MM-DD'))
    ELSE format('"effectiveDateTime":"%sT%s:30:00%s"', to_char(date '2015-01-01' + i, 'YYYY-MM-DD'), lpad((i % 24)::text, 2, '0'), (ARRAY['Z', '+14:00', '-12:00', '+05:30'])[1 + i % 4]) END)::jsonb
FROM generate_series(1, 1200) i;
INSERT INTO push.patient (resource) SELECT format('{"resourceType":"Patient","id":"p%s","gender":"%s","active":%s,"name":[{"use":"official","family":"Family %s","given":["G%s","H"]}],"birthDate":"%s","identifier":[{"system":"urn:mrn","value":"%s"}]}',
  i, CASE i % 2 WHEN 0 THEN 'male' ELSE 'female' END, (i % 3 = 0)::text, i, i % 7, CASE i % 3 WHEN 0 THEN (1950 + i)::text WHEN 1 THEN (1950 + i) || '-05' ELSE (1950 + i) || '-05-17' END, 1000 + i)::jsonb FROM generate_series(0, 39) i;
INSERT INTO push.encounter (resource) SELECT format('{"resourceType":"Encounter","id":"e%s","status":"finished","class":{"code":"%s"},"subject":{"reference":"%sPatient/p%s%s"},"period":{"start":"%s","end":"%s"}}',
  i, CASE i % 9 WHEN 0 THEN 'IMP' ELSE 'AMB' END, CASE i % 11 WHEN 0 THEN 'http://other.org/fhir/' ELSE '' END, i % 40, CASE i % 13 WHEN 0 THEN '/_history/2' ELSE '' END,
  to_char(date '2015-01-01' + i, 'YYYY-MM-DD'), to_char(date '2015-01-01' + i + CASE i % 17 WHEN 0 THEN -40 ELSE 3 END, 'YYYY-MM-DD'))::jsonb FROM generate_series(1, 400) i;
-- What is not valid may be stored where its writer says so.
SET fhir.validation = off;
INSERT INTO push.observation (resource) SELECT format('{"resourceType":"Observation","id":"odd%s"%s}', n, odd)::jsonb FROM unnest(ARRAY[
  ',"status":"final","code":{"coding":[{"code":7}]}', ',"status":["final"],"code":{"coding":{"code":"c1"}}', ',"code":{"coding":[{"code":["c1"]}]}', ',"code":[{"coding":[{"code":"c1"}]}]',
  ',"code":{"coding":[{"system":["http://loinc.org"],"code":"c1"}]}', ',"effectiveDateTime":"2016-02-04T10"', ',"effectiveDateTime":"2016-02-04T"', ',"effectiveDateTime":"2016-02-04T10:00"',
  ',"effectiveDateTime":"2016","effectivePeriod":{"start":"2030","end":"2000"}', ',"effectivePeriod":{"start":"2016-02-04T10","end":"2001"}', ',"effectivePeriod":{"end":"2016"}', ',"effectivePeriod":{"start":"2016-06","end":"2016"}',
  ',"subject":{"reference":"Patient/p1|2"}', ',"subject":[{"reference":"Patient/p1"}]', ',"subject":{"reference":"#p1"}', ',"subject":{"reference":"urn:x/Patient/p1"}', ',"status":"","code":{"text":"c1"}']) WITH ORDINALITY t (odd, n);
RESET fhir.validation;
VACUUM ANALYZE push.observation; VACUUM ANALYZE push.patient; VACUUM ANALYZE push.encounter;

CREATE SCHEMA flat;
CREATE VIEW flat.observation WITH (security_invoker) AS SELECT r.id, path_text(r.resource, 'status') AS status, path_text(r.resource, 'code.coding.first().code') AS code,
  path_text(r.resource, 'code.coding.where(system = ''urn:local'').code.first()') AS local, path_timestamp(r.resource, 'effective.ofType(dateTime)') AS effective,
  path_date(r.resource, 'effective.ofType(dateTime)') AS day, path_timestamp(r.resource, 'effective.ofType(Period).start') AS started, path_timestamp(r.resource, 'effective.ofType(Period).end') AS ended,
  path_text(r.resource, 'subject.getReferenceKey(Patient)') AS patient_id, path_text(r.resource, 'encounter.reference') AS encounter FROM push.observation r;
CREATE VIEW flat.patient WITH (security_invoker) AS SELECT r.id, path_text(r.resource, 'gender') AS gender, path_text(r.resource, 'name.first().family') AS family, path_text(r.resource, '(name.given).first()') AS given,
  path_date(r.resource, 'birthDate') AS born, path_text(r.resource, 'identifier.where(system = ''urn:mrn'').value.first()') AS mrn FROM push.patient r;
CREATE VIEW flat.encounter WITH (security_invoker) AS SELECT r.id, path_text(r.resource, 'class.code') AS class, path_timestamp(r.resource, 'period.start') AS started, path_date(r.resource, 'period.end') AS ended,
  path_text(r.resource, 'subject.getReferenceKey(Patient)') AS patient_id, path_text(r.resource, 'subject.getReferenceKey()') AS subject_id FROM push.encounter r;
CREATE VIEW flat.local_1 WITH (security_invoker) AS SELECT r.id, path_timestamp(r.resource, 'effective') AS effective FROM push.observation r
  WHERE path_boolean(r.resource, 'code.coding.exists(system = ''urn:local'' and code = ''l1'') and status = ''amended''');

CREATE FUNCTION shape(sql text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || sql LOOP RETURN NEXT line; END LOOP;
END $$;
-- The first statement of a session loads what it needs.
\c
SET search_path = public, fhir;
SET DateStyle = 'ISO';
SET TimeZone = 'UTC';
EXPLAIN (COSTS OFF) SELECT * FROM flat.observation WHERE code = 'c7';
SELECT shape($$ SELECT * FROM flat.observation WHERE patient_id = 'p7' AND effective >= '2016-01-01' AND effective < '2017-01-01' $$);
SELECT shape($$ SELECT * FROM flat.observation WHERE day BETWEEN '2016-01-01' AND '2016-01-31' $$);
SELECT shape($$ SELECT * FROM flat.observation WHERE status IN ('amended', 'entered-in-error') AND local = 'l1' $$);
-- As the ready-made views have it: a date, an instant, a period or a timing.
SET enable_seqscan = off;
SELECT shape($$ SELECT 1 FROM push.observation r WHERE path_timestamp(r.resource, '(effective.ofType(dateTime) | effective.ofType(instant) | effective.ofType(Period).start | effective.ofType(Timing).event.first() | effective.ofType(Timing).repeat.bounds.ofType(Period).start).first()') BETWEEN '2016-01-01' AND '2016-02-01' $$);
RESET enable_seqscan;
SELECT shape($$ SELECT * FROM flat.observation WHERE effective >= timestamptz '2018-04-01' - interval '30 days' $$);
SET enable_seqscan = off;
SELECT shape($$ SELECT * FROM flat.encounter WHERE started >= '2016-12-01' AND class = 'IMP' $$);
RESET enable_seqscan;
SELECT shape($$ SELECT * FROM flat.patient WHERE mrn = '1007' OR mrn = '1008' $$);
SELECT shape($$ SELECT * FROM flat.local_1 $$);
-- An id needs the type beside it, with which the primary key begins.
SELECT shape($$ SELECT * FROM flat.observation WHERE id = 'o17' $$);
-- What a join says is equal to a constant.
SELECT shape($$ SELECT o.code FROM flat.observation o JOIN flat.patient p ON o.patient_id = p.id WHERE p.id = 'p7' $$);
SELECT shape($$ SELECT p.id, o.effective FROM flat.patient p LEFT JOIN flat.observation o ON o.patient_id = p.id AND o.code = 'c7' WHERE p.id = 'p7' $$);
SELECT shape($$ UPDATE push.observation r SET resource = resource WHERE path_text(r.resource, 'code.coding.first().code') = 'c7' $$);
-- Not where it does not follow, or where the user does not want it.
SELECT shape($$ SELECT 1 FROM flat.observation WHERE code <> 'c7' $$) UNION ALL SELECT shape($$ SELECT 1 FROM flat.observation WHERE upper(code) = 'C7' $$);
SET fhir.pushdown = off;
SELECT shape($$ SELECT 1 FROM flat.observation WHERE code = 'c7' $$);
RESET fhir.pushdown;
-- Nor where no trigger keeps the keys.
ALTER TABLE push.observation DISABLE TRIGGER zz_stamp;
SELECT shape($$ SELECT 1 FROM flat.observation WHERE code = 'c7' $$);
ALTER TABLE push.observation ENABLE TRIGGER zz_stamp;
-- A plan for any value.
SET plan_cache_mode = force_generic_plan;
PREPARE of_code(text) AS SELECT count(*) FROM flat.observation WHERE code = $1;
EXPLAIN (COSTS OFF) EXECUTE of_code('c7');
EXECUTE of_code('c7');
EXECUTE of_code('');
EXECUTE of_code('{');
EXECUTE of_code(NULL);
PREPARE since(timestamptz) AS SELECT count(*) FROM flat.observation WHERE effective >= $1;
EXECUTE since('2018-01-01');
EXECUTE since('-infinity');
EXECUTE since('infinity');
PREPARE on_day(date) AS SELECT count(*) FROM flat.observation WHERE day = $1;
EXECUTE on_day('2016-02-04');
EXECUTE on_day('-infinity');
EXECUTE on_day('5874897-01-01');
RESET plan_cache_mode;

CREATE FUNCTION estimate(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json; truth bigint; guess numeric;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) SELECT 1 ' || sql INTO plan;
  EXECUTE 'SELECT count(*) ' || sql INTO truth;
  guess := (plan->0->'Plan'->>'Plan Rows')::numeric;
  RETURN CASE WHEN greatest(guess, 1) <= 2 * greatest(truth, 1) AND greatest(truth, 1) <= 2 * greatest(guess, 1)
    THEN 'within 2 times' ELSE format('%s estimated, %s found', guess, truth) END;
END $$;
SELECT q, estimate('FROM flat.' || q) FROM unnest(ARRAY['observation WHERE code = ''c7''', 'observation WHERE status = ''final''', 'observation WHERE patient_id = ''p7''',
  'observation WHERE day >= ''2018-01-01''', 'observation WHERE patient_id = ''p7'' AND status = ''final''', 'encounter WHERE class = ''IMP''', 'patient WHERE gender = ''male''']) q;

-- The same answers with and without, over all columns and many values.
CREATE TABLE answers (condition text, indexed bigint, plain bigint);
CREATE FUNCTION answer(sql text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE sql INTO n;
  RETURN n;
END $$;
CREATE FUNCTION asked() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  c record;
  v text;
BEGIN
  FOR c IN SELECT v.relname AS name, a.attname, a.atttypid = 'text'::regtype AS is_text FROM pg_attribute a JOIN pg_class v ON v.oid = a.attrelid
      WHERE v.relnamespace = 'flat'::regnamespace AND a.attname <> 'id' ORDER BY v.relname, a.attnum LOOP
    FOR v IN EXECUTE format('SELECT v FROM (SELECT DISTINCT %1$I::text AS v FROM flat.%2$I WHERE %1$I IS NOT NULL) s ORDER BY hashtext(v) LIMIT 3', c.attname, c.name) LOOP
      IF c.is_text THEN
        RETURN QUERY SELECT format('%I WHERE %s', c.name, format(t, c.attname, v)) FROM unnest(ARRAY['%1$I = %2$L', '%2$L::varchar = %1$I', '%1$I IN (%2$L, ''x'', NULL)', '%1$I <> %2$L', 'NOT %1$I = %2$L',
          '%1$I = %2$L OR id < ''e3''', '(%1$I = %2$L) IS TRUE', '%1$I = upper(%2$L)', '%1$I = %2$L || ''''', '%1$I > %2$L', '%1$I = ANY (ARRAY[%2$L, ''c1''])', '%1$I = (SELECT %2$L::text OFFSET 0)', '%1$I = %2$L AND %1$I <> ''c1''']) t;
      ELSE
        RETURN QUERY SELECT format('%I WHERE %s', c.name, format(t, c.attname, op, v, left(v, 10))) FROM unnest(ARRAY['=', '<', '<=', '>', '>=']) op, unnest(ARRAY['%1$I %2$s %3$L', '%1$I %2$s date %4$L',
          '%1$I %2$s timestamp %3$L', 'timestamptz %3$L %2$s %1$I', '%1$I %2$s timestamptz %3$L + interval ''1 day''', '%1$I BETWEEN date %4$L - 20 AND %3$L', '%1$I %2$s ''infinity''',
          '%1$I %2$s (timestamptz %3$L AT TIME ZONE ''Asia/Tokyo'')', '%1$I %2$s date %4$L + 1']) t
          WHERE hashtext(op || t || v) % 2 = 0;
      END IF;
    END LOOP;
  END LOOP;
END $$;
CREATE TABLE conditions AS SELECT asked() AS condition;
INSERT INTO answers (condition) SELECT zone || ' ' || condition FROM conditions, unnest(ARRAY['UTC', 'Pacific/Kiritimati', 'Pacific/Niue']) zone WHERE zone = 'UTC' OR condition ~ 'date|stamp' AND hashtext(condition) % 2 = 0;
SET enable_seqscan = off;
SET TimeZone = 'UTC';
UPDATE answers SET indexed = answer('SELECT count(*) FROM flat.' || substr(condition, strpos(condition, ' ') + 1)) WHERE condition LIKE 'UTC%';
SET TimeZone = 'Pacific/Kiritimati';
UPDATE answers SET indexed = answer('SELECT count(*) FROM flat.' || substr(condition, strpos(condition, ' ') + 1)) WHERE condition LIKE 'Pacific/K%';
SET TimeZone = 'Pacific/Niue';
UPDATE answers SET indexed = answer('SELECT count(*) FROM flat.' || substr(condition, strpos(condition, ' ') + 1)) WHERE condition LIKE 'Pacific/N%';
RESET enable_seqscan;
SET fhir.pushdown = off;
SET TimeZone = 'UTC';
UPDATE answers SET plain = answer('SELECT count(*) FROM flat.' || substr(condition, strpos(condition, ' ') + 1)) WHERE condition LIKE 'UTC%';
SET TimeZone = 'Pacific/Kiritimati';
UPDATE answers SET plain = answer('SELECT count(*) FROM flat.' || substr(condition, strpos(condition, ' ') + 1)) WHERE condition LIKE 'Pacific/K%';
SET TimeZone = 'Pacific/Niue';
UPDATE answers SET plain = answer('SELECT count(*) FROM flat.' || substr(condition, strpos(condition, ' ') + 1)) WHERE condition LIKE 'Pacific/N%';
RESET fhir.pushdown;
SET TimeZone = 'UTC';
SELECT count(*), count(*) FILTER (WHERE plain > 0) AS found, count(*) FILTER (WHERE indexed IS DISTINCT FROM plain) AS wrong FROM answers;
SELECT * FROM answers WHERE indexed IS DISTINCT FROM plain ORDER BY 1 LIMIT 10;
-- Joins of all kinds.
CREATE TABLE joins AS SELECT q, NULL::text AS indexed, NULL::text AS plain FROM unnest(ARRAY[
  'flat.patient p LEFT JOIN flat.observation o ON o.patient_id = p.id AND o.code = ''c7''',
  'flat.patient p LEFT JOIN flat.observation o ON o.patient_id = p.id WHERE o.code = ''c7''',
  'flat.patient p LEFT JOIN flat.observation o ON o.patient_id = p.id AND p.gender = ''male''',
  'flat.patient p LEFT JOIN flat.observation o ON o.patient_id = p.id AND p.id = ''p7''',
  'flat.patient p LEFT JOIN flat.observation o ON o.patient_id = p.id WHERE p.id = ''p7''',
  'flat.patient p LEFT JOIN flat.observation o ON o.patient_id = p.id AND o.code = ''c7'' WHERE o.id IS NULL OR o.status = ''final''',
  'flat.observation o RIGHT JOIN flat.patient p ON o.patient_id = p.id AND o.local = ''l1'' AND p.gender = ''male''',
  'flat.patient p FULL JOIN (SELECT * FROM flat.observation WHERE code = ''c7'') o ON o.patient_id = p.id',
  'flat.patient p JOIN flat.observation o ON o.patient_id = p.id JOIN flat.encounter e ON e.patient_id = o.patient_id WHERE e.patient_id = ''p7'' AND o.code = ''c7''',
  'flat.patient p JOIN LATERAL (SELECT * FROM flat.observation o WHERE o.patient_id = p.id AND o.effective > ''2017-01-01'' ORDER BY effective LIMIT 2) o ON true',
  'flat.patient p JOIN flat.observation o ON EXISTS (SELECT FROM flat.encounter e WHERE e.patient_id = p.id AND o.encounter = ''Encounter/'' || e.id AND e.class = ''IMP'')',
  '(SELECT DISTINCT ON (patient_id) * FROM flat.observation ORDER BY patient_id, id) o JOIN flat.patient p ON p.id = o.patient_id WHERE o.code = ''c7''',
  '(SELECT id, family FROM flat.patient WHERE gender = ''male'' UNION ALL SELECT id, code FROM flat.observation) p CROSS JOIN (SELECT 1 AS id) o WHERE p.family = ''c7''',
  'flat.patient p CROSS JOIN flat.patient o WHERE p.id = o.id AND p.gender = o.gender AND o.gender = ''male'' AND p.born < o.born + 1 AND o.born >= ''1960-05-01'''
  ]) q;
UPDATE joins SET indexed = answer(format('SELECT sum(hashtext((p.id, o.id)::text)) FROM %s', q));
SET fhir.pushdown = off;
UPDATE joins SET plain = answer(format('SELECT sum(hashtext((p.id, o.id)::text)) FROM %s', q));
RESET fhir.pushdown;
SELECT count(*), count(*) FILTER (WHERE indexed IS DISTINCT FROM plain) AS wrong, count(indexed) AS found FROM joins;
SELECT q FROM joins WHERE indexed IS DISTINCT FROM plain;
SELECT min(patient_id), max(code) FROM flat.observation WHERE code = 'c7';
WITH gone AS (DELETE FROM push.observation r WHERE path_text(r.resource, 'code.coding.first().code') = 'c7' AND id = 'o7' RETURNING id) SELECT * FROM gone;

-- An index of the user's own is used as it was.
CREATE INDEX own_index ON push.patient (path_date(resource, 'birthDate'));
ANALYZE push.patient;
SET enable_seqscan = off;
SELECT shape($$ SELECT id FROM push.patient WHERE path_date(resource, 'birthDate') = '1970-05-01' $$);
RESET enable_seqscan;
DROP INDEX push.own_index;

-- Row-level security: the index serves who may not see all, and nothing of what is hidden shows.
SET client_min_messages = error;
CREATE ROLE regress_push_reader;
RESET client_min_messages;
GRANT USAGE ON SCHEMA push, flat, public TO regress_push_reader;
GRANT SELECT ON push.observation, push.patient, flat.observation, flat.patient TO regress_push_reader;
ALTER TABLE push.observation ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON push.observation USING (compartment = 'Patient/p7');
CREATE FUNCTION leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'leaks %', $1; RETURN true; END $$;
SET ROLE regress_push_reader;
SELECT shape($$ SELECT * FROM flat.observation WHERE code = 'c7' $$);
SELECT count(*) FROM flat.observation WHERE code = 'c7';
SELECT count(*), count(DISTINCT patient_id) FROM flat.observation WHERE status = 'final';
SELECT count(*) FROM flat.observation WHERE patient_id = 'p8';
SELECT count(*) FROM flat.observation WHERE patient_id = 'p8' AND leak(code);
SELECT count(*) FROM flat.observation o JOIN flat.patient p ON p.id = o.patient_id WHERE p.id = 'p7' AND o.status = 'amended';
RESET ROLE;

SET client_min_messages = error;
DROP SCHEMA flat CASCADE;
SELECT fhir.drop_lake('push', true);
DROP OWNED BY regress_push_reader;
DROP ROLE regress_push_reader;

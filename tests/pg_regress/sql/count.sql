-- Question: does fhir.index_count give what count(*) gives, whatever has been written and by whom, or NULL? And does it leave the
-- heap alone where VACUUM has been?
\set VERBOSITY terse
SET search_path = public, fhir;
SET plan_cache_mode = force_custom_plan;

CREATE TABLE kept (id int, note text, search fhir.keys) WITH (autovacuum_enabled = off);
CREATE INDEX kept_search ON kept USING gin (search) WITH (fastupdate = off);
CREATE FUNCTION keys_of(i int) RETURNS fhir.keys LANGUAGE sql IMMUTABLE AS $$
  SELECT fhir.keys(jsonb_build_object('resourceType', 'Observation', 'id', 'o' || i, 'status', CASE WHEN i % 10 = 0 THEN 'amended' ELSE 'final' END,
    'code', jsonb_build_object('coding', jsonb_build_array(jsonb_build_object('system', 'http://loinc.org', 'code', 'c' || i % 7), jsonb_build_object('code', 'd' || i % 100))),
    'subject', jsonb_build_object('reference', 'Patient/p' || i % 40),
    'effectiveDateTime', to_char(date '2015-01-01' + i % 3000, 'YYYY-MM-DD'),
    'valueQuantity', jsonb_build_object('value', i::numeric / 10, 'unit', 'mg')))
$$;
CREATE TABLE query (text text);
INSERT INTO query VALUES ('code=c3'), ('code=http://loinc.org|c3'), ('code=d3,c4'), ('code=c3&status=final'), ('Observation?code=c3'),
  ('Patient?gender=male'), ('Observation!?subject=Patient/p7&code=c1'), ('date=ge2020'), ('date=ge2017-05-14T12:00:00Z'), ('date=2016-02'), ('value-quantity=gt150.05'),
  ('value-quantity=lt77.7&code=c2'), ('code=nothing'), ('status=final,amended');

-- What is not so: 'all agree', or the queries and both numbers.
CREATE FUNCTION differences(relation regclass) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE q text; counted bigint; truth bigint; agree int := 0;
BEGIN
  FOR q IN SELECT text FROM query LOOP
    EXECUTE format('SELECT fhir.index_count(%L, %L), (SELECT count(*) FROM %s WHERE search |= %2$L)', relation, q, relation) INTO counted, truth;
    IF counted = truth THEN agree := agree + 1; ELSE RETURN NEXT format('%s: %s, not %s', q, coalesce(counted::text, 'NULL'), truth); END IF;
  END LOOP;
  RETURN NEXT format('%s of %s agree', agree, (SELECT count(*) FROM query));
END $$;
-- Pages that a count touches, and those of the table.
CREATE FUNCTION pages(relation regclass, q text) RETURNS TABLE (touched int, heap int) LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT fhir.index_count(%L, %L)', relation, q) INTO plan;
  RETURN QUERY SELECT (plan->0->'Plan'->>'Shared Hit Blocks')::int + (plan->0->'Plan'->>'Shared Read Blocks')::int,
    (pg_relation_size(relation) / current_setting('block_size')::int)::int;
END $$;

SELECT * FROM differences('kept');
INSERT INTO kept SELECT i, repeat('x', 200), keys_of(i) FROM generate_series(1, 8000) i;
SELECT * FROM differences('kept');
SELECT touched > heap AS heap_was_read FROM pages('kept', 'code=c3');
VACUUM kept;
SELECT * FROM differences('kept');
SELECT heap > 400 AS large, touched < 30 AS heap_was_left FROM pages('kept', 'code=c3');
-- A bucket that a date shares with what was not searched is looked at in the rows, the others are not.
SELECT touched < heap / 2 AS little_was_read FROM pages('kept', 'date=ge2017-05-14T12:00:00Z');

-- Written and not vacuumed.
UPDATE kept SET search = keys_of(id + 1) WHERE id % 500 = 3;
DELETE FROM kept WHERE id % 700 = 4;
INSERT INTO kept SELECT i, 'later', keys_of(i) FROM generate_series(8001, 8100) i;
SELECT * FROM differences('kept');
SELECT touched BETWEEN 10 AND heap / 2 AS some_was_read FROM pages('kept', 'code=c3');
-- An update that leaves the keys alone may leave the index alone.
UPDATE kept SET note = 'short' WHERE id % 400 = 3;
SELECT * FROM differences('kept');

-- In a transaction that has written, also what it took back.
BEGIN;
INSERT INTO kept SELECT i, 'mine', keys_of(i) FROM generate_series(9001, 9100) i;
UPDATE kept SET search = keys_of(3) WHERE id BETWEEN 10 AND 20;
DELETE FROM kept WHERE id BETWEEN 30 AND 40;
SAVEPOINT a;
INSERT INTO kept SELECT i, 'mine', keys_of(i) FROM generate_series(9101, 9200) i;
DELETE FROM kept WHERE id BETWEEN 50 AND 60;
SELECT * FROM differences('kept');
ROLLBACK TO a;
SELECT * FROM differences('kept');
-- A cursor sees what was there when it was opened.
DECLARE before CURSOR FOR SELECT fhir.index_count('kept', 'code=c3') - (SELECT count(*) FROM kept WHERE search |= 'code=c3') AS difference;
DELETE FROM kept WHERE search |= 'code=c3';
FETCH before;
ROLLBACK;
SELECT * FROM differences('kept');
VACUUM kept;
SELECT * FROM differences('kept');
SELECT touched < 30 AS heap_was_left FROM pages('kept', 'code=c3');
-- The places of dead rows, used again.
DELETE FROM kept WHERE id % 3 = 0;
VACUUM kept;
INSERT INTO kept SELECT i, 'later', keys_of(i) FROM generate_series(10001, 11000) i;
SELECT * FROM differences('kept');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM differences('kept');
COMMIT;

-- Little memory: the bitmap forgets rows, and there is no answer or the right one.
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
CREATE TABLE wide (search fhir.keys) WITH (fillfactor = 10, autovacuum_enabled = off);
INSERT INTO wide SELECT keys_of(i) FROM generate_series(1, 6000) i;
CREATE INDEX ON wide USING gin (search);
VACUUM wide;
SELECT fhir.index_count('wide', 'status=final,amended') AS forgotten, fhir.index_count('wide', 'status=final') AS one_key, fhir.index_count('wide', 'code=d3,d4') AS known;
RESET work_mem;
RESET hash_mem_multiplier;
SELECT fhir.index_count('wide', 'status=final,amended') AS known;
-- Entries that wait in the pending list.
INSERT INTO wide SELECT keys_of(i) FROM generate_series(6001, 6100) i;
SELECT * FROM differences('wide');

-- Tables without WAL.
CREATE UNLOGGED TABLE loose AS SELECT * FROM kept;
CREATE INDEX ON loose USING gin (search);
CREATE TEMP TABLE passing AS SELECT * FROM kept;
CREATE INDEX ON passing USING gin (search);
VACUUM loose;
VACUUM passing;
SELECT * FROM differences('loose');
SELECT * FROM differences('passing');

-- Refused: what keys do not decide, and conditions that are none.
SELECT q, fhir.index_count('kept', q::fhir.query) FROM unnest(ARRAY['status:not=final', 'code:missing=true', 'Observation?', 'code:text=body',
  'code-value-quantity=c3$gt5', 'value-quantity=gt5||mg']) q;
-- Refused: relations that are more or less than a table with one index.
CREATE VIEW shown AS SELECT * FROM kept;
CREATE TABLE parent (search fhir.keys);
CREATE INDEX ON parent USING gin (search);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE parted (id int, search fhir.keys) PARTITION BY RANGE (id);
CREATE INDEX ON parted USING gin (search);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE bare (search fhir.keys);
CREATE TABLE partial (id int, search fhir.keys);
CREATE INDEX ON partial USING gin (search) WHERE id > 0;
CREATE TABLE doc (doc jsonb);
CREATE INDEX ON doc USING gin (fhir.keys(doc));
CREATE TABLE twice (a fhir.keys, b fhir.keys);
CREATE INDEX ON twice USING gin (a);
CREATE INDEX ON twice USING gin (b);
CREATE TABLE pair (a fhir.keys, b fhir.keys);
CREATE INDEX ON pair USING gin (a, b);
SELECT r, fhir.index_count(r, 'code=c3'), fhir.index_estimate(r, 'code=c3')
FROM unnest(ARRAY['shown', 'parent', 'parted', 'part', 'bare', 'partial', 'doc', 'twice', 'pair', 'kept_search']::regclass[]) r;
SELECT fhir.index_count(0, 'code=c3') AS none, fhir.index_count(4294967295, 'code=c3') AS none, fhir.index_count(NULL, 'code=c3') AS none;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT fhir.index_count('kept', 'code=c3') IS NULL AS refused;
COMMIT;

-- Refused: rows or a table that this user may not read.
CREATE ROLE regress_count_reader;
CREATE ROLE regress_count_column;
GRANT USAGE ON SCHEMA public, fhir TO regress_count_reader, regress_count_column;
GRANT SELECT (search) ON kept TO regress_count_column;
SET ROLE regress_count_reader;
SELECT fhir.index_count('kept', 'code=c3'), fhir.index_estimate('kept', 'code=c3');
SET ROLE regress_count_column;
SELECT fhir.index_count('kept', 'code=c3'), fhir.index_estimate('kept', 'code=c3');
RESET ROLE;
GRANT SELECT ON kept TO regress_count_reader;
SET ROLE regress_count_reader;
SELECT fhir.index_count('kept', 'code=c3') > 0 AS counted, fhir.index_estimate('kept', 'code=c3') > 0 AS estimated;
RESET ROLE;
ALTER TABLE kept ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON kept USING (id < 100);
SET ROLE regress_count_reader;
SELECT fhir.index_count('kept', 'code=c3'), fhir.index_estimate('kept', 'code=c3');
SET row_security = off;
SELECT fhir.index_count('kept', 'code=c3'), fhir.index_estimate('kept', 'code=c3');
RESET row_security;
RESET ROLE;
SELECT fhir.index_count('kept', 'code=c3') > 0 AS owner_is_exempt;
ALTER TABLE kept FORCE ROW LEVEL SECURITY;
SELECT fhir.index_count('kept', 'code=c3') > 0 AS superuser_is_exempt;
ALTER TABLE kept DISABLE ROW LEVEL SECURITY;

-- Estimates.
ANALYZE kept;
SELECT text, (SELECT e BETWEEN n / 2 AND 2 * n FROM fhir.index_estimate('kept', text::fhir.query) e, (SELECT count(*) AS n FROM kept WHERE search |= text) c) AS near FROM query WHERE text !~ '&';

DROP OWNED BY regress_count_reader, regress_count_column;
DROP ROLE regress_count_reader, regress_count_column;

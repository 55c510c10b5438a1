-- Runs every query of pg_temp.query twice, by index over examples(doc) and by scan over stored keys.
-- search.mjs sends this file through psql and puts the queries in at the marked line.
SET client_min_messages = warning;
CREATE TEMP TABLE query (n int PRIMARY KEY, q text NOT NULL);
-- queries
ANALYZE pg_temp.query;

CREATE TEMP TABLE answer (n int PRIMARY KEY, by_index text[], by_scan text[], error text);
CREATE TEMP TABLE keyed AS
  SELECT (doc->>'resourceType') || '/' || coalesce(doc->>'id', '-') AS name, fhir.keys(doc) AS keys FROM examples;

DO $$
BEGIN
  CREATE INDEX IF NOT EXISTS examples_keys ON examples USING gin (fhir.keys(doc));
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'no index: %', SQLERRM;
END $$;
ANALYZE examples;

DO $$
DECLARE
  row record;
  indexed text[];
  scanned text[];
  message text;
BEGIN
  FOR row IN SELECT n, q FROM pg_temp.query ORDER BY n LOOP
    indexed := NULL;
    scanned := NULL;
    message := NULL;
    -- one bad query must not end the run
    BEGIN
      SET LOCAL enable_seqscan = off;
      EXECUTE $q$
        SELECT array_agg(name ORDER BY name COLLATE "C")
        FROM (SELECT (doc->>'resourceType') || '/' || coalesce(doc->>'id', '-') AS name
              FROM examples WHERE fhir.keys(doc) OPERATOR(fhir.|=) $1::fhir.query) AS hit $q$
        INTO indexed USING row.q;
      EXECUTE $q$
        SELECT array_agg(name ORDER BY name COLLATE "C")
        FROM pg_temp.keyed WHERE keys OPERATOR(fhir.|=) $1::fhir.query $q$
        INTO scanned USING row.q;
    EXCEPTION WHEN OTHERS THEN
      message := SQLSTATE || ' ' || SQLERRM;
    END;
    INSERT INTO pg_temp.answer VALUES (row.n, coalesce(indexed, '{}'), coalesce(scanned, '{}'), message);
  END LOOP;
END $$;

CREATE TEMP TABLE plan (line text);
DO $$
DECLARE
  line text;
BEGIN
  SET LOCAL enable_seqscan = off;
  FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT FROM examples WHERE fhir.keys(doc) OPERATOR(fhir.|=) %L::fhir.query',
                             (SELECT q FROM pg_temp.query WHERE q !~ ':' ORDER BY n LIMIT 1)) LOOP
    INSERT INTO pg_temp.plan VALUES (line);
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  INSERT INTO pg_temp.plan VALUES (SQLERRM);
END $$;

SELECT json_build_object('examples', (SELECT count(*) FROM examples),
                         'plan', (SELECT string_agg(trim(line), ' ') FROM pg_temp.plan));
SELECT json_build_object('n', n, 'index', by_index, 'scan', by_scan, 'error', error) FROM pg_temp.answer ORDER BY n;

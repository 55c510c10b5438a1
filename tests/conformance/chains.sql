-- Runs every search of pg_temp.query on a lake; chains.mjs and uscore.mjs send this file and put the queries in at the marked line.
-- What is asked: `rows` the set that fhir.search_rows finds, `pages` all pages of fhir.search, one after the other.
SET client_min_messages = warning;
CREATE TEMP TABLE query (n int PRIMARY KEY, kind text NOT NULL, q text NOT NULL);
-- queries
CREATE TEMP TABLE answer (n int PRIMARY KEY, answer jsonb, error text, ms double precision);

-- [[[mode, Type/id, lastUpdated]]] a page; follows the links "next" to the end.
CREATE FUNCTION pg_temp.pages(q text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  bundle jsonb;
  pages jsonb := '[]';
  next text := q;
BEGIN
  WHILE next IS NOT NULL LOOP
    bundle := fhir.search(next);
    pages := pages || jsonb_build_array(coalesce((
      SELECT jsonb_agg(jsonb_build_array(e->'search'->>'mode', concat_ws('/', e->'resource'->>'resourceType', e->'resource'->>'id'),
                                         e->'resource'->'meta'->>'lastUpdated') ORDER BY n)
      FROM jsonb_array_elements(bundle->'entry') WITH ORDINALITY AS e(e, n)), '[]'));
    IF jsonb_array_length(pages) > 3000 THEN
      RAISE EXCEPTION 'more than 3000 pages';
    END IF;
    next := (SELECT l->>'url' FROM jsonb_array_elements(bundle->'link') l WHERE l->>'relation' = 'next');
  END LOOP;
  RETURN pages;
END $$;

DO $$
DECLARE
  row record;
  answer jsonb;
  message text;
  begun timestamptz;
BEGIN
  FOR row IN SELECT n, kind, q FROM pg_temp.query ORDER BY n LOOP
    answer := NULL;
    message := NULL;
    begun := clock_timestamp();
    -- one bad query must not end the run, nor one slow query hold it up
    BEGIN
      SET LOCAL statement_timeout = '60s';
      IF row.kind = 'rows' THEN
        SELECT coalesce(jsonb_agg(r.type || '/' || r.id), '[]') INTO answer FROM fhir.search_rows(row.q) r;
      ELSE
        answer := pg_temp.pages(row.q);
      END IF;
    EXCEPTION WHEN OTHERS THEN
      message := SQLSTATE || ' ' || SQLERRM;
    END;
    INSERT INTO pg_temp.answer VALUES (row.n, answer, message, extract(epoch FROM clock_timestamp() - begun) * 1000);
  END LOOP;
END $$;

SELECT json_build_object('n', n, 'answer', answer, 'error', error, 'ms', ms) FROM pg_temp.answer ORDER BY n;

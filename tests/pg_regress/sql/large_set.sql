-- Question: does a search for a value set of many codes find the same, whether or not only the codes that the index has are asked for?
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT fhir.create_lake('large');
SELECT fhir.create_lake('other_large');
SET fhir.lake = 'large';
SET search_path = large, public, fhir;
CREATE TABLE public.large_lines AS SELECT n, 'c' || n AS code, CASE WHEN n >= 10 THEN 'c' || n / 10 END AS parent FROM generate_series(1, 2000) n;
SELECT l, concepts FROM unnest(ARRAY['large', 'other_large']) l, fhir.load_code_system('urn:digits', 'SELECT code, parent FROM public.large_lines ORDER BY n', 'query', '1', lake => l);
INSERT INTO valueset (resource) VALUES ('{"resourceType":"ValueSet","url":"urn:all","status":"active","compose":{"include":[{"system":"urn:digits"},{"system":"urn:upper","concept":[{"code":"X"}]},{"system":"urn:whole"}]}}');
INSERT INTO other_large.valueset (resource) SELECT resource FROM valueset;
INSERT INTO condition (resource)
SELECT jsonb_build_object('resourceType', 'Condition', 'id', id, 'subject', '{"reference":"Patient/1"}'::jsonb, 'code', code::jsonb) FROM (VALUES
  ('a', '{"coding":[{"system":"urn:digits","code":"c5"}]}'),
  ('b', '{"coding":[{"system":"urn:digits","code":"c51"},{"system":"urn:elsewhere","code":"c5"}]}'),
  ('c', '{"coding":[{"system":"urn:elsewhere","code":"c5"}]}'),
  ('d', '{"coding":[{"code":"c5"}]}'),
  ('e', '{"coding":[{"system":"urn:digits","code":"c2000"}]}'),
  ('f', '{"coding":[{"system":"urn:digits","code":"c2001"}]}'),
  ('g', '{"coding":[{"system":"urn:upper","code":"X"}]}'),
  ('h', '{"coding":[{"system":"urn:upper","code":"x"}]}'),
  ('i', '{"coding":[{"system":"urn:whole","code":"anything"}]}'),
  ('j', '{"text":"c5"}'),
  ('k', '{"coding":[{"system":"urn:digits","code":"c1"}]}'),
  ('l', '{"coding":[{"system":"urn:digits","code":"c77"}]}')) v (id, code);
INSERT INTO other_large.condition (resource) SELECT resource || '{"id":"z"}' FROM condition WHERE id = 'a';
DELETE FROM condition WHERE id = 'l';

-- What a search finds, and whether its statement names all codes
CREATE FUNCTION public.found(search text, lake text DEFAULT 'large') RETURNS text LANGUAGE sql AS $$ SELECT string_agg(id, ' ' ORDER BY id) FROM fhir.search_rows(search, lake) $$;
CREATE FUNCTION public.asked(search text) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN length(fhir.search_sql(search)) < 2000 THEN 'few' ELSE 'all' END $$;
SELECT public.found('Condition?code:in=urn:all'), public.found('Condition?code:not-in=urn:all'), public.found('Condition?code:in=urn:all', 'other_large');
SELECT public.found('Condition?code:below=urn:digits|c1'), public.found('Condition?code:below=urn:digits|c5'), public.found('Condition?code:below=urn:digits|c3');
SELECT fhir.search_count('Condition?code:in=urn:all'), fhir.search_count('Condition?code:not-in=urn:all'), fhir.search_count('Condition?code:in=urn:all&subject=Patient/1');
SELECT public.asked('Condition?code:in=urn:all'), public.asked('Condition?code:below=urn:digits|c1');
-- in a chain, and of a type that has no rows
INSERT INTO observation (resource) VALUES ('{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"focus":[{"reference":"Condition/a"}]}');
SELECT public.found('Observation?focus:Condition.code:in=urn:all'), public.found('Procedure?code:in=urn:all'), public.found('Condition?code:in=urn:all&_id=a,c');

-- What this transaction has written, and what is updated
BEGIN;
INSERT INTO condition (resource) VALUES ('{"resourceType":"Condition","id":"m","subject":{"reference":"Patient/1"},"code":{"coding":[{"system":"urn:digits","code":"c88"}]}}');
UPDATE condition SET resource = jsonb_set(resource, '{code,coding,0,code}', '"c99"') WHERE id = 'a';
SELECT public.found('Condition?code:in=urn:all'), public.found('Condition?code:below=urn:digits|c5');
ROLLBACK;
SELECT public.found('Condition?code:in=urn:all');

-- Rows in a pending list, and SERIALIZABLE: all codes are asked for
SELECT indexrelid::regclass AS index FROM pg_index WHERE indrelid = 'large.condition'::regclass AND indclass[0] IN (SELECT oid FROM pg_opclass WHERE opcname = 'keys_ops') \gset
ALTER INDEX :index SET (fastupdate = on);
INSERT INTO condition (resource) VALUES ('{"resourceType":"Condition","id":"p","subject":{"reference":"Patient/1"},"code":{"coding":[{"system":"urn:digits","code":"c66"}]}}');
SELECT public.found('Condition?code:in=urn:all'), public.asked('Condition?code:in=urn:all');
SELECT gin_clean_pending_list(:'index'::regclass) > 0 AS cleaned;
SELECT public.found('Condition?code:in=urn:all'), public.asked('Condition?code:in=urn:all');
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT public.found('Condition?code:in=urn:all'), public.asked('Condition?code:in=urn:all');
COMMIT;

-- Row-level security: what is hidden is not looked at
CREATE ROLE regress_large_reader;
GRANT USAGE ON SCHEMA large TO regress_large_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA large TO regress_large_reader;
ALTER TABLE condition ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON condition TO regress_large_reader USING (id < 'c');
SET ROLE regress_large_reader;
SELECT public.found('Condition?code:in=urn:all'), public.found('Condition?code:not-in=urn:all'), public.asked('Condition?code:in=urn:all');
RESET ROLE;
ALTER TABLE condition DISABLE ROW LEVEL SECURITY;
DROP TABLE public.large_lines;
DROP FUNCTION public.found, public.asked;
DROP SCHEMA large, other_large CASCADE;
DROP ROLE regress_large_reader;

-- Question: what are the words of a resource, does the index that the comments advise serve a search for them, and can any
-- text make to_tsvector raise?
\pset null NULL
SELECT fhir.narrative('{"resourceType":"Patient","text":{"status":"generated","div":"<div>Jos&eacute; <b>M</b>üller,<br/>aged&#160;50</div>"}}');
SELECT fhir.content('{"resourceType":"Patient","id":"p","text":{"div":"<p>a</p>"},"name":[{"family":"Smith","given":["Ann","Eve"]}],"photo":[{"data":"AAAA","title":"me"}]}');
SELECT fhir.narrative(NULL), fhir.content(NULL), fhir.narrative('1') = '', fhir.content('[]') = '';

CREATE TABLE note (id int, resource jsonb);
INSERT INTO note SELECT n, jsonb_build_object('resourceType', 'DocumentReference', 'description', 'note ' || n || ' of ward ' || n % 7,
  'text', jsonb_build_object('status', 'generated', 'div', '<div><p>Story ' || n || '</p></div>')) FROM generate_series(1, 2000) n;
CREATE INDEX note_content ON note USING gin (to_tsvector('simple', fhir.content(resource)));
CREATE INDEX note_narrative ON note USING gin (to_tsvector('simple', fhir.narrative(resource)));
ANALYZE note;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM note r WHERE to_tsvector('simple'::regconfig, fhir.content(r.resource)) @@ websearch_to_tsquery('simple'::regconfig, 'ward 77');
SELECT id FROM note r WHERE to_tsvector('simple'::regconfig, fhir.content(r.resource)) @@ websearch_to_tsquery('simple'::regconfig, '"note 77"');
EXPLAIN (COSTS OFF) SELECT id FROM note r WHERE to_tsvector('simple'::regconfig, fhir.narrative(r.resource)) @@ websearch_to_tsquery('simple'::regconfig, 'story 78');
SELECT id FROM note r WHERE to_tsvector('simple'::regconfig, fhir.narrative(r.resource)) @@ websearch_to_tsquery('simple'::regconfig, 'story 78');
RESET enable_seqscan;

-- A tsvector holds 1 MiB. Texts of up to 5 MB of which the server's parser makes much.
-- What counts as a letter, and so how long a word is, depends on the locale's tables.
SET client_min_messages = error;
CREATE TEMP TABLE hostile AS
  SELECT what, string_agg(word, '' ORDER BY n) AS body FROM generate_series(1, 150000) n, LATERAL (VALUES
    ('words', md5(n::text) || ' '), ('hosts', n || 'a.de/' || n || 'b '), ('addresses', 'a' || n || '@b' || n || '.de '),
    ('hyphens', 'a' || n || '-b' || n || '-c' || n || ' '), ('hyphens in a row', 'a' || n || '-'), ('numbers', '+' || n || '-' || n + 1),
    ('letters that grow in lower case', repeat('Ⱥ', 2) || n || ' '), ('ideographs', chr(19968 + n % 20000) || chr(19968 + n / 8) || '。'),
    ('punctuation', n || '.' || n || '/' || n || '_' || n || ':'), ('one word', md5(n::text)), ('one letter', 'x'), ('tags', '<' || n || ' '), ('entities', '&#' || n || ';')
  ) v(what, word) GROUP BY what;
SELECT what, octet_length(c) BETWEEN 50000 AND 1048576 AS content_is_bounded, to_tsvector('simple', c) IS NOT NULL AS content, octet_length(n) <= 1048576 AND to_tsvector('simple', n) IS NOT NULL AS narrative
FROM hostile, LATERAL (SELECT fhir.content(jsonb_build_object('a', body)) c, fhir.narrative(jsonb_build_object('text', jsonb_build_object('div', body))) n OFFSET 0) x ORDER BY what;
-- What would happen to them as they are.
CREATE FUNCTION pg_temp.raises(body text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN PERFORM to_tsvector('simple', body); RETURN false; EXCEPTION WHEN program_limit_exceeded THEN RETURN true; END $$;
SELECT what, pg_temp.raises(body) FROM hostile WHERE what IN ('words', 'hosts', 'numbers') ORDER BY what;

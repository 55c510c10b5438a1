-- The lexicon: tables, what they are loaded from, compiled values and which of them is active.
\set SHOW_CONTEXT never
SELECT version = fhir.shipped_lexicon_version() AS is_shipped, is_active FROM fhir.lexicons();
SELECT fhir.lexicon_version() = fhir.shipped_lexicon_version() AS is_shipped;
SELECT source FROM fhir.lexicon_sources() ORDER BY source COLLATE "C";
SELECT DISTINCT list FROM fhir.lexicon_lists() ORDER BY 1;
SELECT count(*) > 0 AS finds FROM fhir.detect_entities('hypertension');

-- from a query
SELECT * FROM fhir.load_lexicon('ours', 'query', $$
    SELECT * FROM (VALUES ('a', 'Zorg disease', NULL, NULL, NULL), ('a', 'Zorg disease', 'zorgitis', NULL, NULL),
                          ('b', 'blargin', NULL, 'MEDICATION', 'GENERIC_NAME')) t (code, display, term, category, type)$$, system => 'urn:ours', licence => 'ours');
TABLE fhir.lexicon_term ORDER BY code, term;
SELECT fhir.compile_lexicon('ours 1', with_shipped => false);
SELECT fhir.lexicon_version();
SELECT text, category, type, concepts FROM fhir.detect_entities('Zorgitis, hypertension; started Blargin.');

-- in a transaction, and back
BEGIN;
INSERT INTO fhir.lexicon_term (source, system, code, term) VALUES ('ours', 'urn:ours', 'b', 'Blargaway');
SELECT fhir.compile_lexicon('ours 2', with_shipped => false);
SELECT text FROM fhir.detect_entities('blargaway');
ROLLBACK;
SELECT fhir.lexicon_version();
SELECT text FROM fhir.detect_entities('blargaway');

-- words that mean nothing, whatever other sources say
INSERT INTO fhir.lexicon_term (source, system, code, term, is_stop) VALUES ('ours', 'urn:ours', 'a', 'zorg', true)
    ON CONFLICT DO NOTHING;
UPDATE fhir.lexicon_term SET is_stop = true WHERE term = 'zorgitis';
SELECT fhir.compile_lexicon('ours 3', with_shipped => false);
SELECT text FROM fhir.detect_entities('zorgitis and zorg disease');

-- words that mean something only in texts about research
SELECT terms FROM fhir.load_lexicon('codes', 'query', $$SELECT 'b' AS code, 'blargin' AS display, 'BLG-101' AS term, 'MEDICATION' AS category, true AS research$$,
                                    system => 'urn:ours');
SELECT term, is_research FROM fhir.lexicon_term WHERE source = 'codes';

-- with what is shipped
SELECT fhir.compile_lexicon('all');
SELECT text FROM fhir.detect_entities('Took BLG-101 in room BLG-102.');
SELECT text, concepts -> 0 ->> 'code' AS code FROM fhir.detect_entities('In this study we compared BLG-101 with placebo in rats; efficacy was significantly higher.', categories => '{MEDICATION}');
SELECT text FROM fhir.detect_entities('zorg disease and hypertension') ORDER BY "begin";
SELECT source FROM fhir.lexicon_sources() WHERE source = 'ours';

-- names that are taken, that do not exist
SELECT fhir.compile_lexicon('all');
SELECT fhir.use_lexicon('nonsense');
SELECT fhir.drop_lexicon('nonsense');
SELECT fhir.load_lexicon('x', 'nonsense', '/x');
SELECT fhir.load_lexicon('x', 'csv', 'relative.csv');
SELECT fhir.load_lexicon('x', 'query', 'SELECT 1 AS code');
SELECT fhir.load_lexicon('x', 'query', $$SELECT 'x' AS term, 'FRUIT' AS category$$);
INSERT INTO fhir.lexicon (version, checksum, image) VALUES ('broken', 1, 'not a lexicon');
INSERT INTO fhir.lexicon (version, checksum, image) SELECT 'broken', checksum, overlay(image PLACING '\x00'::bytea FROM 300) FROM fhir.lexicon WHERE version = 'ours 1';

-- another one, and the shipped one
SELECT fhir.use_lexicon('ours 1');
SELECT fhir.lexicon_version();
SELECT version, is_active FROM fhir.lexicons() WHERE NOT is_shipped ORDER BY version;
SELECT fhir.use_lexicon(NULL);
SELECT fhir.lexicon_version() = fhir.shipped_lexicon_version() AS is_shipped;
SELECT fhir.drop_lexicon('ours 1'), fhir.drop_lexicon('ours 3'), fhir.drop_lexicon('all');
-- The version of a dropped one that a lake was read with is taken: other words under it would pass for read.
SET client_min_messages = error;
SELECT fhir.create_lake();
RESET client_min_messages;
INSERT INTO lake.entity_run (compartment, type, id, version, lexicon, min_score, found) VALUES ('Patient/p', 'DocumentReference', 'n', 1, 'ours 1', 0, 0);
SELECT fhir.compile_lexicon('ours 1', with_shipped => false);
SELECT fhir.compile_lexicon('');
SELECT resources FROM fhir.undo_notes('ours 1');
SELECT fhir.compile_lexicon('ours 1', with_shipped => false, activate => false);
SELECT fhir.drop_lexicon('ours 1');
SET client_min_messages = error;
SELECT fhir.drop_lake('lake');
RESET client_min_messages;

-- a role without rights reads notes, and changes nothing
CREATE ROLE regress_reader;
SET ROLE regress_reader;
SELECT count(*) > 0 AS finds FROM fhir.detect_entities('hypertension');
SELECT fhir.use_lexicon(NULL);
SELECT fhir.load_lexicon('x', 'csv', '/etc/passwd');
RESET ROLE;
DROP ROLE regress_reader;

-- Question: do create, read, update and delete, plain and conditional, behave as http.html of FHIR R4 has them?
\set VERBOSITY default
\pset null '<null>'
SELECT fhir.create_lake();
CREATE FUNCTION pg_temp.shown(resource jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT resource #- '{meta,lastUpdated}' $$;
CREATE FUNCTION pg_temp.patient(id text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_strip_nulls(jsonb_build_object('resourceType', 'Patient', 'id', id)) || more $$;
CREATE FUNCTION pg_temp.known_as(value text) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT jsonb_build_object('identifier', jsonb_build_array(jsonb_build_object('system', 'http://x.org', 'value', value))) $$;

-- create: an id of the server, whatever the client says.
SELECT fhir.create(pg_temp.patient('mine'))->>'id' = 'mine';
SELECT fhir.create(NULL), fhir.update(NULL), fhir.delete('Patient', NULL), fhir.vread('Patient', 'x', NULL);
SELECT fhir.create('{"resourceType":"Patient","gender":"none"}');
SELECT fhir.create('[]');
DELETE FROM lake.patient;

-- Conditional create: none, one, several.
SELECT fhir.create(pg_temp.patient(NULL, pg_temp.known_as('1')), 'identifier=http://x.org|1')->'meta'->>'versionId' AS made;
SELECT fhir.create(pg_temp.patient(NULL, pg_temp.known_as('1') || '{"active":true}'), '?identifier=http://x.org|1') = resource AS found FROM lake.patient;
SELECT fhir.create(pg_temp.patient(NULL, pg_temp.known_as('1')))->'meta'->>'versionId' AS second;
SELECT fhir.create(pg_temp.patient(NULL, pg_temp.known_as('1')), 'Patient?identifier=http://x.org|1');
-- It sees what the same transaction, and the same statement, wrote.
SELECT count(DISTINCT fhir.create(pg_temp.patient(NULL, pg_temp.known_as('2')), 'identifier=http://x.org|2')) FROM generate_series(1, 3);
SELECT version, count(*) FROM lake.patient GROUP BY 1;
-- A chain as condition.
SELECT fhir.update(pg_temp.patient('chained', '{"name":[{"family":"Chained"}]}'))->>'id';
SELECT fhir.create('{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/chained"}}', 'subject:Patient.family=chained')->'meta'->>'versionId';
SELECT count(*), count(DISTINCT fhir.create('{"resourceType":"Observation","status":"final","code":{"text":"y"}}', 'subject:Patient.family=chained')->>'id') FROM generate_series(1, 2);
SELECT count(*) FROM lake.observation;

-- A condition that is not understood, or asks for nothing, would match the wrong resource.
SELECT fhir.create('{"resourceType":"Patient"}', '');
SELECT fhir.create('{"resourceType":"Patient"}', 'identifier=');
SELECT fhir.create('{"resourceType":"Patient"}', 'nickname=x');
SELECT fhir.create('{"resourceType":"Patient"}', '_count=1');
SELECT fhir.create('{"resourceType":"Patient"}', 'Observation?code=x');
SELECT fhir.create('{"resourceType":"Patient"}', 'birthdate=soon');

-- update: a new version, none where nothing changes, and a new resource where there is none.
SELECT pg_temp.shown(fhir.update(pg_temp.patient('u')));
SELECT pg_temp.shown(fhir.update(pg_temp.patient('u', '{"active":true}')));
SELECT pg_temp.shown(fhir.update(pg_temp.patient('u', '{"active":true}')));
SELECT count(*) FROM lake.history WHERE id = 'u';
SELECT fhir.update('{"resourceType":"Patient"}');
SELECT fhir.update('{"resourceType":"Patient","id":"a/b"}');
SELECT fhir.update('{"resourceType":"Patient","id":"new","gender":"none"}');

-- if_match.
SELECT pg_temp.shown(fhir.update(pg_temp.patient('u', '{"active":false}'), '2'));
SELECT pg_temp.shown(fhir.update(pg_temp.patient('u', '{"gender":"male"}'), 'W/"3"'));
SELECT fhir.update(pg_temp.patient('u', '{"gender":"female"}'), 'W/"3"');
SELECT fhir.update(pg_temp.patient('u', '{"gender":"female"}'), '99999999999999999999');
SELECT fhir.update(pg_temp.patient('never'), 'W/"1"');
SELECT fhir.update(pg_temp.patient('never'), '*');
SELECT fhir.update(pg_temp.patient('u', '{"gender":"other"}'), '*')->'meta'->>'versionId';
SELECT fhir.update(pg_temp.patient('u'), 'latest');
SELECT fhir.delete('Patient', 'u', 'W/"1"');
SELECT fhir.delete('Patient', 'never', '1');
SELECT fhir.delete('Patient', 'u', 'W/"5"'), fhir.delete('Patient', 'u');
SELECT fhir.read('Patient', 'u');
SELECT fhir.update(pg_temp.patient('u'), 'W/"6"');
-- Undeleted by an update, the versions go on; read by their numbers they are all there.
SELECT pg_temp.shown(fhir.update(pg_temp.patient('u')));
SELECT array_agg(version ORDER BY version) FROM fhir.history('Patient', 'u');
SELECT pg_temp.shown(fhir.vread('Patient', 'u', 4)), pg_temp.shown(fhir.vread('Patient', 'u', 7));
SELECT fhir.vread('Patient', 'u', 6);
SELECT fhir.vread('Patient', 'u', 8);

-- Conditional update, https://hl7.org/fhir/R4/http.html#cond-update.
DELETE FROM lake.patient;
-- No match and no id: a new one under an id of the server.
SELECT fhir.update(pg_temp.patient(NULL, pg_temp.known_as('c')), NULL, 'identifier=http://x.org|c')->'meta'->>'versionId';
-- One match: over it, with or without its id.
SELECT fhir.update(pg_temp.patient(NULL, pg_temp.known_as('c') || '{"active":true}'), NULL, 'identifier=http://x.org|c')->'meta'->>'versionId';
SELECT fhir.update(pg_temp.patient(id, pg_temp.known_as('c')), 'W/"2"', 'identifier=http://x.org|c')->'meta'->>'versionId' FROM lake.patient;
SELECT fhir.update(pg_temp.patient('another', pg_temp.known_as('c')), NULL, 'identifier=http://x.org|c');
\set VERBOSITY sqlstate
SELECT fhir.update(pg_temp.patient(NULL, pg_temp.known_as('c')), 'W/"2"', 'identifier=http://x.org|c');
SELECT fhir.update(pg_temp.patient(NULL, pg_temp.known_as('d')), 'W/"2"', 'identifier=http://x.org|d');
\set VERBOSITY default
-- No match and an id: a resource of that id, if there is none yet.
SELECT pg_temp.shown(fhir.update(pg_temp.patient('own', pg_temp.known_as('o')), NULL, 'identifier=http://x.org|o'));
SELECT fhir.update(pg_temp.patient('own', pg_temp.known_as('p')), NULL, 'identifier=http://x.org|p');
-- Several.
SELECT fhir.create(pg_temp.patient(NULL, pg_temp.known_as('o')))->'meta'->>'versionId';
SELECT fhir.update(pg_temp.patient(NULL, pg_temp.known_as('o')), NULL, 'identifier=http://x.org|o');
SELECT fhir.update(pg_temp.patient(NULL), NULL, 'nickname=x');

-- Conditional delete.
SELECT fhir.delete_where('Patient?identifier=http://x.org|none');
SELECT fhir.delete_where('Patient?identifier=http://x.org|o');
SELECT fhir.delete_where('Patient?identifier=http://x.org|c');
SELECT fhir.delete_where('Patient?identifier=http://x.org|o', multiple => true);
SELECT fhir.delete_where('Patient');
SELECT fhir.delete_where('Patient?');
SELECT fhir.delete_where('Patient?', true);
SELECT fhir.delete_where('?_id=x', true);
SELECT fhir.delete_where('Patient?nickname=x', true);
SELECT count(*) FROM lake.patient;

-- patch, of each kind, known by its shape.
SELECT pg_temp.shown(fhir.update(pg_temp.patient('t', pg_temp.known_as('t') || '{"active":true}')));
SELECT pg_temp.shown(fhir.patch('Patient', 't', '[{"op":"test","path":"/active","value":true},{"op":"replace","path":"/active","value":false}]'));
SELECT pg_temp.shown(fhir.patch('Patient', 't', '{"active":null,"gender":"male"}'));
SELECT pg_temp.shown(fhir.patch('Patient', 't', '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[
    {"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"birthDate"},{"name":"value","valueDate":"1970-01-01"}]}]}', '3'));
SELECT pg_temp.shown(fhir.patch('Patient', 't', '{"gender":"male"}', 'W/"4"', 'merge-patch'));
SELECT version, method FROM fhir.history('Patient', 't');
-- What does not apply, is not valid, or would make another resource of it.
SELECT fhir.patch('Patient', 't', '[{"op":"test","path":"/active","value":true}]');
SELECT fhir.patch('Patient', 't', '{"gender":"none"}');
SELECT fhir.patch('Patient', 't', '{"id":"other"}');
SELECT fhir.patch('Patient', 't', '{"resourceType":"Person"}');
SELECT fhir.patch('Patient', 't', '{"gender":"male"}', kind => 'json-patch');
SELECT fhir.patch('Patient', 't', '{"gender":"male"}', kind => 'xml');
SELECT fhir.patch('Patient', 't', '"gender"');
SELECT fhir.patch('Patient', 't', '{"gender":"female"}', '3');
SELECT fhir.patch('Patient', 'never', '{"gender":"female"}');
SELECT fhir.patch('Patient', 'never', '{"gender":"female"}', '1');
SELECT fhir.patch('Patient', 't', NULL), fhir.patch_where(NULL, '{}');
-- Conditional.
SELECT pg_temp.shown(fhir.patch_where('Patient?identifier=http://x.org|t', '{"gender":"female"}', '4'));
SELECT fhir.patch_where('Patient?identifier=http://x.org|t', '{"gender":"other"}', '4');
SELECT fhir.patch_where('Patient?identifier=http://x.org|none', '{"gender":"other"}');
SELECT fhir.create(pg_temp.patient(NULL, pg_temp.known_as('t')))->'meta'->>'versionId';
SELECT fhir.patch_where('Patient?identifier=http://x.org|t', '{"gender":"other"}');
SELECT fhir.patch_where('Patient?', '{"gender":"other"}');
SELECT fhir.patch_where('Patient', '{"gender":"other"}');
SELECT fhir.delete_where('Patient?identifier=http://x.org|t', true);
SELECT fhir.patch('Patient', 't', '{"gender":"female"}');

-- Codes that a client tells the cases apart by.
\set VERBOSITY sqlstate
SELECT fhir.update(pg_temp.patient('own'), 'W/"9"');
SELECT fhir.update(pg_temp.patient('own'))->>'id';
SELECT fhir.update(pg_temp.patient('own', pg_temp.known_as('x')), NULL, 'identifier=http://x.org|x');
\set VERBOSITY default

-- Under REPEATABLE READ a condition sees what the transaction sees.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT fhir.create(pg_temp.patient(NULL, pg_temp.known_as('rr')), 'identifier=http://x.org|rr')->'meta'->>'versionId';
SELECT fhir.create(pg_temp.patient(NULL, pg_temp.known_as('rr')), 'identifier=http://x.org|rr')->'meta'->>'versionId';
COMMIT;
BEGIN READ ONLY;
SELECT fhir.read('Patient', 'own')->>'id';
SELECT fhir.create(pg_temp.patient(NULL, pg_temp.known_as('ro')), 'identifier=http://x.org|ro');
ROLLBACK;

-- A trigger of a user may drop a row, which a writer must learn.
CREATE FUNCTION pg_temp.drop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER a BEFORE INSERT ON lake.patient FOR EACH ROW EXECUTE FUNCTION pg_temp.drop();
SELECT fhir.create('{"resourceType":"Patient"}');
DROP TRIGGER a ON lake.patient;

-- Hostile input is refused or taken as text; names of the caller's search_path are never meant.
SELECT fhir.create('{"resourceType":"Patient"}', repeat('identifier=x&', 200000));
SELECT fhir.create('{"resourceType":"Patient"}', 'identifier=%00');
SELECT fhir.create('{"resourceType":"Patient"}', 'identifier=x''; DROP SCHEMA lake CASCADE; --')->'meta'->>'versionId';
SELECT fhir.delete('Patient', E'x\' OR 1=1'), fhir.delete_where('Patient?_id=x'' OR 1=1', true);
SELECT fhir.read('Patient', repeat('x', 1000000));
SELECT fhir.vread('Patient', 'own', 9223372036854775807);
SELECT fhir.update('{"resourceType":"Patient","id":"own"}', repeat('x', 1000000));
SELECT fhir.history_bundle('_history?' || repeat('_count=1&', 200000));
SELECT fhir.patch('Patient', 'own', (repeat('[', 5000) || repeat(']', 5000))::jsonb);
CREATE FUNCTION pg_temp.evil(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
CREATE OPERATOR pg_temp.= (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_temp.evil);
SET search_path = pg_temp, pg_catalog, fhir;
SELECT fhir.update('{"resourceType":"Patient","id":"own","active":true}')->>'id', fhir.patch('Patient', 'own', '{"gender":"male"}')->>'gender',
       fhir.read('Patient', 'own')->>'id', fhir.delete('Patient', 'own');
SELECT fhir.create('{"resourceType":"Patient"}', 'identifier=y')->>'resourceType', fhir.delete_where('Patient?identifier=y', true);
SELECT count(*) FROM fhir.history('Patient', 'own');
RESET search_path;

-- However a resource is written, what is stored is the same: rows and history, column by column.
SELECT fhir.create_lake('dml'), fhir.create_lake('api'), fhir.create_lake('copied');
CREATE TABLE pg_temp.written (step int, resource jsonb);
INSERT INTO pg_temp.written VALUES
    (1, '{"resourceType":"Observation","id":"a","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2020-01-02T03:04:05Z","valueQuantity":{"value":1.10,"unit":"g"},"meta":{"versionId":"9","tag":[{"code":"t"}]}}'),
    (1, '{"resourceType":"Observation","id":"b","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1"}]}}'),
    (1, '{"resourceType":"Observation","id":"c","status":"final","code":{"text":"z"}}'),
    (2, '{"resourceType":"Observation","id":"a","status":"amended","code":{"text":"x"},"subject":{"reference":"Patient/q"},"effectivePeriod":{"start":"2021"}}'),
    (2, '{"resourceType":"Observation","id":"b","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1"}]}}');
INSERT INTO dml.observation (resource) SELECT resource FROM pg_temp.written WHERE step = 1;
UPDATE dml.observation o SET resource = w.resource FROM pg_temp.written w WHERE step = 2 AND w.resource->>'id' = o.id;
DELETE FROM dml.observation WHERE id = 'c';
SET fhir.lake = 'api';
SELECT count(fhir.update(resource)) FROM (SELECT resource FROM pg_temp.written ORDER BY step OFFSET 0) w;
SELECT fhir.delete('Observation', 'c');
COPY copied.observation (resource) FROM stdin;
{"resourceType":"Observation","id":"a","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2020-01-02T03:04:05Z","valueQuantity":{"value":1.10,"unit":"g"},"meta":{"versionId":"9","tag":[{"code":"t"}]}}
{"resourceType":"Observation","id":"b","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1"}]}}
{"resourceType":"Observation","id":"c","status":"final","code":{"text":"z"}}
\.
SET fhir.lake = 'copied';
SELECT count(fhir.update(resource)) FROM pg_temp.written WHERE step = 2;
SELECT fhir.delete_where('Observation?_id=c');
RESET fhir.lake;
-- What differs from run to run: times and transactions, which must agree with each other instead.
CREATE FUNCTION pg_temp.rows(lake text) RETURNS TABLE (kind text, content text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT 'row', (r.compartment, r.type, r.id, r.version, r.occurred, r.resource #- '{meta,lastUpdated}', r.search::text = fhir.keys(r.resource)::text,
                       (r.resource->'meta'->>'lastUpdated')::timestamptz = r.last_updated)::text FROM %1$I.observation r
        UNION ALL
        SELECT 'history', (h.compartment, h.type, h.id, h.version, h.method, h.resource #- '{meta,lastUpdated}',
                           (h.resource->'meta'->>'lastUpdated')::timestamptz = h.last_updated,
                           h.superseded = coalesce(n.last_updated, r.last_updated, 'infinity'))::text
        FROM %1$I.history h
        LEFT JOIN %1$I.history n ON (n.type, n.id, n.version) = (h.type, h.id, h.version + 1)
        LEFT JOIN %1$I.resource r ON (r.type, r.id, r.version) = (h.type, h.id, h.version + 1)
        UNION ALL
        SELECT 'membership', m::text FROM %1$I.membership m$q$, lake);
END $$;
SELECT kind, count(*) FROM pg_temp.rows('dml') GROUP BY 1 ORDER BY 1;
SELECT content FROM pg_temp.rows('dml') WHERE kind = 'history' ORDER BY 1;
SELECT a.lake, b.lake AS other, count(*) FILTER (WHERE a.kind IS NULL OR b.kind IS NULL) AS differences
FROM (SELECT 'dml' AS lake, * FROM pg_temp.rows('dml')) a
FULL JOIN (SELECT 'api' AS lake, * FROM pg_temp.rows('api')) b USING (kind, content) GROUP BY 1, 2;
SELECT a.lake, b.lake AS other, count(*) FILTER (WHERE a.kind IS NULL OR b.kind IS NULL) AS differences
FROM (SELECT 'dml' AS lake, * FROM pg_temp.rows('dml')) a
FULL JOIN (SELECT 'copied' AS lake, * FROM pg_temp.rows('copied')) b USING (kind, content) GROUP BY 1, 2;

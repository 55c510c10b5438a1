-- Question: does history list every version once, the latest first, at each level, page by page, and only to whom may read it?
\set VERBOSITY default
\pset null '<null>'
SELECT fhir.create_lake();
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"a"}'), ('{"resourceType":"Patient","id":"b"}');
INSERT INTO lake.group (resource) VALUES ('{"resourceType":"Group","id":"g","type":"person","actual":true}');
UPDATE lake.patient SET resource = resource || '{"active":true}' WHERE id = 'a';
DELETE FROM lake.patient WHERE id = 'b';
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"b","gender":"other"}');
UPDATE lake.patient SET resource = resource || '{"active":false}' WHERE id = 'a';
DELETE FROM lake.group;
SELECT fhir.create('{"resourceType":"Patient","gender":"male"}') IS NOT NULL AS made;
-- An id of the server, shown as "server".
CREATE VIEW pg_temp.all_of_it AS
SELECT resource_type, CASE WHEN length(resource_id) = 36 THEN 'server' ELSE resource_id END AS id, version, method,
       resource IS NULL AS gone, resource->'meta'->>'versionId' AS meta
FROM fhir.history();

SELECT * FROM pg_temp.all_of_it;
SELECT resource_id, version, method, resource->>'gender' AS gender FROM fhir.history('Patient', 'b');
SELECT count(*), min(version), max(version) FROM fhir.history('Patient');
SELECT count(*) FROM fhir.history('Patient', 'none');
SELECT count(*) FROM fhir.history('Observation');
-- Latest first, and nothing twice.
SELECT bool_and(last_updated <= before), count(DISTINCT (resource_type, resource_id, version)) = count(*)
FROM (SELECT *, lag(last_updated) OVER () AS before FROM fhir.history()) h;
SELECT fhir.history('patient');
SELECT fhir.history(id => 'a');
SELECT fhir.history(count => -1);
SELECT fhir.history(after => 'x');
SELECT count(*) FROM fhir.history(count => 0);

-- Page by page gives what the whole gives.
WITH RECURSIVE page AS (
    SELECT 1 AS number, p.* FROM (SELECT array_agg(h.cursor) AS versions FROM fhir.history(count => 2) h) p
    UNION ALL
    SELECT number + 1, (SELECT array_agg(h.cursor) FROM fhir.history(count => 2, after => page.versions[array_upper(page.versions, 1)]) h)
    FROM page WHERE versions IS NOT NULL AND number < 20)
SELECT count(*) AS pages, (SELECT array_agg(v) FROM page, unnest(versions) v) = (SELECT array_agg(h.cursor) FROM fhir.history() h) AS the_same FROM page WHERE versions IS NOT NULL;
-- Also where many versions have one time.
SELECT fhir.create_lake('same');
SET fhir.lake = 'same';
SET session_replication_role = replica;
INSERT INTO same.history SELECT 'c', type, id, 1, '2020-01-01', '2020-01-02', '1', 'PUT', '{}' FROM unnest(ARRAY['Patient', 'Group', 'List']) type, unnest(ARRAY['a', 'B', 'b', 'c']) id;
RESET session_replication_role;
WITH RECURSIVE page AS (
    SELECT 1 AS number, h.cursor FROM fhir.history(count => 1) h
    UNION ALL
    SELECT number + 1, h.cursor FROM page, LATERAL fhir.history(count => 1, after => page.cursor) h WHERE number < 20)
SELECT count(DISTINCT cursor), max(number) FROM page;
RESET fhir.lake;

-- since, and what was current at a moment or in a time.
SELECT last_updated AS third, last_updated - interval '1 microsecond' AS before_third FROM fhir.history('Patient', 'a', count => 1) \gset
SELECT version FROM fhir.history('Patient', 'a', since => :'third');
SELECT version FROM fhir.history('Patient', 'a', at => :'third');
SELECT version FROM fhir.history('Patient', 'a', at => :'before_third');
SELECT version FROM fhir.history('Patient', 'a', at => :'before_third', until => 'infinity');
SELECT version FROM fhir.history('Patient', 'a', at => '2000-01-01');
SELECT version FROM fhir.history('Patient', 'a', until => :'third');
SELECT version FROM fhir.history('Patient', 'a', since => 'infinity');
-- A deletion is an event: it is shown for the time in which it happened, and nothing is current after it.
SELECT last_updated AS deleted FROM fhir.history('Group', 'g') WHERE method = 'DELETE' \gset
SELECT version, method FROM fhir.history('Group', at => :'deleted');
SELECT version, method FROM fhir.history('Group', at => 'infinity');
SELECT version, method FROM fhir.history('Group', at => '-infinity', until => :'deleted');

-- Each kind of history reads indexes in their order, and sorts no more than what has one time.
INSERT INTO lake.patient (resource) SELECT jsonb_build_object('resourceType', 'Patient', 'id', 'p' || i) FROM generate_series(1, 2000) i;
UPDATE lake.patient SET resource = resource || '{"active":true}';
ANALYZE lake.patient;
ANALYZE lake.history;
CREATE FUNCTION pg_temp.plan(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
        IF line ~ 'Scan|Sort|Append' THEN RETURN NEXT regexp_replace(line, 'Sort Key.*', '…'); END IF;
    END LOOP;
END $$;
SELECT pg_temp.plan($$ SELECT * FROM (
    SELECT r.type, r.id, r.version, r.last_updated, NULL::text AS method, r.resource FROM lake.patient r
    UNION ALL SELECT h.type, h.id, h.version, h.last_updated, h.method, h.resource FROM lake.history h) v
    WHERE v.type = 'Patient' ORDER BY v.last_updated DESC, v.type, v.id LIMIT 21 $$);
SELECT pg_temp.plan($$ SELECT * FROM (
    SELECT r.type, r.id, r.version, r.last_updated, NULL::text AS method, r.resource FROM lake.patient r
    UNION ALL SELECT h.type, h.id, h.version, h.last_updated, h.method, h.resource FROM lake.history h) v
    WHERE v.last_updated <= now() ORDER BY v.last_updated DESC, v.type, v.id LIMIT 21 $$);
DELETE FROM lake.patient WHERE id LIKE 'p%';

-- As a Bundle.
CREATE FUNCTION pg_temp.entries(bundle jsonb) RETURNS TABLE (request text, response text, resource text) LANGUAGE sql AS $$
    SELECT regexp_replace(concat_ws(' ', e->'request'->>'method', e->'request'->>'url'), '[0-9a-f-]{36}', 'server'),
           concat_ws(' ', e->'response'->>'status', e->'response'->>'etag'), e->'resource'->'meta'->>'versionId'
    FROM jsonb_array_elements(bundle->'entry') e $$;
CREATE FUNCTION pg_temp.link(bundle jsonb, relation text) RETURNS text LANGUAGE sql AS $$
    SELECT l->>'url' FROM jsonb_array_elements(bundle->'link') l WHERE l->>'relation' = relation $$;
SELECT fhir.history_bundle('Patient/a/_history') - 'entry';
SELECT fhir.is_valid(fhir.history_bundle('_history'));
SELECT * FROM pg_temp.entries(fhir.history_bundle('Patient/b/_history'));
SELECT * FROM pg_temp.entries(fhir.history_bundle('Group/_history'));
SELECT bool_and((e->'response'->>'lastModified')::timestamptz = h.last_updated)
FROM ROWS FROM (jsonb_array_elements(fhir.history_bundle('Patient/b/_history')->'entry'), fhir.history('Patient', 'b')) h (e, resource_type, resource_id, version, last_updated);
-- Its pages.
SELECT fhir.history_bundle('Patient/a/_history?_count=2&_since=2000-01-01') AS bundle \gset
SELECT * FROM pg_temp.entries(:'bundle');
SELECT regexp_replace(pg_temp.link(:'bundle', 'next'), '[0-9]{10,}', '…'), pg_temp.link(:'bundle', 'self');
SELECT * FROM pg_temp.entries(fhir.history_bundle(pg_temp.link(:'bundle', 'next')));
SELECT pg_temp.link(fhir.history_bundle(pg_temp.link(:'bundle', 'next')), 'first'), pg_temp.link(fhir.history_bundle(pg_temp.link(:'bundle', 'next')), 'next');
SELECT fhir.history_bundle('Patient/a/_history?_count=0');
SELECT fhir.history_bundle('Group/_history?_count=0')->'total', fhir.history_bundle('_history?_count=0')->'total' = to_jsonb(count(*)) FROM fhir.history();
SELECT * FROM pg_temp.entries(fhir.history_bundle('Patient/a/_history?_at=' || extract(year FROM now())));
SELECT fhir.history_bundle('Patient/a/_history?_at=2001');
SELECT jsonb_array_length(fhir.history_bundle('_history')->'entry');
-- Any moment may be asked for.
SELECT day, (SELECT count(*) FROM fhir.history('Patient', at => at)) AS at_then, (SELECT count(*) > 0 FROM fhir.history('Patient', since => at)) AS since_then,
    fhir.search_count('Patient', as_of => at) = fhir.search_count('Patient') AS as_of_is_now, fhir.search('Patient?_count=1', as_of => at) ->> 'type' AS type
FROM unnest('{-infinity,4713-01-01 BC,0001-01-01,9999-12-31,294276-01-01,infinity}'::text[]) day, CAST(day AS timestamptz) at;
-- Of a List: the versions that its items name, and all of those that name none; not what was marked as deleted.
BEGIN;
SELECT count(fhir.update(jsonb_build_object('resourceType', 'Patient', 'id', id, 'active', active))) FROM unnest('{la,lb}'::text[]) id, unnest('{true,false}'::boolean[]) active;
SELECT FROM fhir.update('{"resourceType":"Group","id":"lc","type":"person","actual":true}');
SELECT FROM fhir.update('{"resourceType":"List","id":"l1","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/la"}},{"item":{"reference":"Patient/lb/_history/1"}},
    {"item":{"reference":"Patient/lb/_history/7"}},{"deleted":true,"item":{"reference":"Group/lc"}},{"item":{"reference":"http://x.org/Group/lc"}}]}');
SELECT FROM fhir.update('{"resourceType":"List","id":"l2","status":"current","mode":"working","entry":[{"item":{"reference":"Group/lc"}}]}');
SELECT FROM fhir.update('{"resourceType":"List","id":"none","status":"current","mode":"working"}');
SELECT q, (SELECT string_agg(concat_ws(' ', e #>> '{request,url}', e #>> '{response,etag}'), ', ' ORDER BY e #>> '{request,url}', e #>> '{response,etag}') FROM jsonb_array_elements(fhir.history_bundle(q) -> 'entry') e) AS found
FROM unnest(ARRAY['_history?_list=l1', 'Patient/_history?_list=List/l1', 'Patient/la/_history?_list=l1', 'Group/_history?_list=l1', '_history?_list=l1,l2', '_history?_list=none', '_history?_list=l1&_since=2999-01-01']) q;
SELECT fhir.history_bundle('_history?_list=l1,l2&_count=0');
SELECT jsonb_array_length(fhir.history_bundle(pg_temp.link(fhir.history_bundle('_history?_list=l1&_count=2'), 'next')) -> 'entry') AS rest;
ROLLBACK;
-- What is refused.
SELECT fhir.history_bundle('_history?_list=$current-problems');
SELECT fhir.history_bundle('Patient/never/_history');
SELECT fhir.history_bundle('Patient/a');
SELECT fhir.history_bundle('Patient/a/_history?_since=yesterday');
SELECT fhir.history_bundle('Patient/a/_history?_sort=x');
SELECT fhir.history_bundle('Patient/a/_history?_list=x');
SELECT fhir.history_bundle('Patient/a/_history?_count=x');
SELECT fhir.history_bundle('Patient/a''/_history');
SET fhir.lake = 'nowhere';
SELECT fhir.history_bundle('_history');
SELECT fhir.history();
RESET fhir.lake;

-- A plain user sees what he may read.
SET client_min_messages = error;
CREATE ROLE regress_history_reader;
CREATE ROLE regress_history_patients;
RESET client_min_messages;
SELECT fhir.grant_lake('lake', 'regress_history_reader', 'read');
GRANT USAGE ON SCHEMA lake TO regress_history_patients;
GRANT SELECT, INSERT, UPDATE, DELETE ON lake.patient TO regress_history_patients;
SET ROLE regress_history_patients;
\set VERBOSITY terse
-- No history at all, not even that there was something.
SELECT fhir.history('Patient', 'a');
SELECT fhir.history_bundle('Patient/a/_history');
SELECT fhir.history_bundle('Patient/never/_history');
SELECT fhir.read('Patient', 'b')->>'id', fhir.vread('Patient', 'a', 4)->>'id';
SELECT fhir.vread('Patient', 'a', 1);
SELECT fhir.vread('Patient', 'never', 1);
\set VERBOSITY sqlstate
SELECT fhir.delete('Patient', 'a');
SELECT fhir.read('Patient', 'a');
SELECT fhir.read('Patient', 'never');
SELECT fhir.update('{"resourceType":"Patient","id":"a"}', '5');
SELECT fhir.update('{"resourceType":"Patient","id":"never"}', '5');
\set VERBOSITY terse
RESET ROLE;
-- Under row-level security each sees his own.
ALTER TABLE lake.patient ENABLE ROW LEVEL SECURITY;
ALTER TABLE lake.history ENABLE ROW LEVEL SECURITY;
ALTER TABLE lake.group ENABLE ROW LEVEL SECURITY;
CREATE POLICY home ON lake.patient USING (compartment = 'Patient/b');
CREATE POLICY home ON lake.history USING (compartment = 'Patient/b');
GRANT SELECT, INSERT, UPDATE, DELETE ON lake.patient TO regress_history_reader;
SET ROLE regress_history_reader;
SELECT resource_type, resource_id, version, method FROM fhir.history();
SELECT count(*) FROM fhir.history('Patient', 'a');
SELECT * FROM pg_temp.entries(fhir.history_bundle('_history'));
SELECT fhir.history_bundle('Patient/a/_history');
SELECT fhir.history_bundle('Group/g/_history');
SELECT fhir.read('Patient', 'a');
SELECT fhir.vread('Patient', 'a', 1);
SELECT fhir.delete('Patient', 'a');
SELECT fhir.delete('Patient', 'a', '*');
SELECT fhir.update('{"resourceType":"Patient","id":"b","gender":"female"}', '3')->'meta'->>'versionId';
SELECT fhir.delete_where('Patient?gender=male,female', true);
SELECT fhir.create('{"resourceType":"Patient"}', 'gender=male');
RESET ROLE;
SET client_min_messages = error;
SELECT fhir.drop_lake('lake', true);
DROP OWNED BY regress_history_reader, regress_history_patients;
DROP ROLE regress_history_reader, regress_history_patients;

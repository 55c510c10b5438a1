-- Question: do stored views show what the live ones show, to each user what he may read, and does a refresh touch only what changed?
\set VERBOSITY terse
SET client_min_messages = error;
DROP ROLE IF EXISTS regress_analyst, regress_lake_owner;
CREATE ROLE regress_analyst;
CREATE ROLE regress_lake_owner;
RESET client_min_messages;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_lake_owner', current_database()); END $$;
CREATE SCHEMA bi AUTHORIZATION regress_lake_owner;
GRANT USAGE ON SCHEMA bi TO regress_analyst;
SET ROLE regress_lake_owner;
SELECT fhir.create_lake();
INSERT INTO lake.resource (type, resource)
SELECT 'Patient', format('{"resourceType":"Patient","id":"p%s","gender":"female","birthDate":"197%s-01-02","name":[{"family":"F%1$s","given":["A","B"]}]}', n, n)::jsonb FROM generate_series(1, 4) n
UNION ALL
SELECT 'Observation', format('{"resourceType":"Observation","id":"o%s","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/p%s"},"valueQuantity":{"value":%1$s.5}}', n, n % 4 + 1)::jsonb FROM generate_series(1, 8) n;

\set people '{"resourceType":"ViewDefinition","name":"people","title":"People","resource":"Patient","status":"draft","select":[{"column":[{"name":"id","path":"getResourceKey()","description":"key"},{"name":"family","path":"name.first().family"},{"name":"birth_date","path":"birthDate","type":"date"},{"name":"updated","path":"meta.lastUpdated"}]}]}'
\set given '{"resourceType":"ViewDefinition","name":"given","resource":"Patient","status":"draft","select":[{"column":[{"name":"id","path":"getResourceKey()"}]},{"forEach":"name.given","column":[{"name":"given","path":"$this"}]}],"where":[{"path":"active.not().empty() or active"}]}'
\set values '{"resourceType":"ViewDefinition","name":"lab","resource":"Observation","status":"draft","select":[{"column":[{"name":"id","path":"getResourceKey()"},{"name":"patient_id","path":"subject.getReferenceKey(Patient)"},{"name":"value","path":"value.ofType(Quantity).value","type":"decimal"}]}]}'
SELECT fhir.create_view(:'people', 'bi', materialized => true), fhir.create_view(:'given', 'bi', materialized => true), fhir.create_view(:'values', 'bi', materialized => true);
SELECT fhir.create_view(:'people', 'bi', 'people_now'), fhir.create_view(:'given', 'bi', 'given_now'), fhir.create_view(:'values', 'bi', 'lab_now');
SELECT relname, relkind, reloptions, obj_description(oid) FROM pg_class WHERE relnamespace = 'bi'::regnamespace AND relkind IN ('v', 'r') AND relname LIKE 'people%' ORDER BY 1;
SELECT attname, atttypid::regtype, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = 'bi.people'::regclass AND attnum > 0;
SELECT indexdef FROM pg_indexes WHERE tablename = 'people_stored' ORDER BY 1;
CREATE FUNCTION bi.differences() RETURNS TABLE (view text, which text, "row" text) LANGUAGE sql AS $$
    (SELECT 'people', 'stored', s::text FROM (TABLE bi.people EXCEPT ALL TABLE bi.people_now) s) UNION ALL (SELECT 'people', 'live', n::text FROM (TABLE bi.people_now EXCEPT ALL TABLE bi.people) n)
    UNION ALL (SELECT 'given', 'stored', s::text FROM (TABLE bi.given EXCEPT ALL TABLE bi.given_now) s) UNION ALL (SELECT 'given', 'live', n::text FROM (TABLE bi.given_now EXCEPT ALL TABLE bi.given) n)
    UNION ALL (SELECT 'lab', 'stored', s::text FROM (TABLE bi.lab EXCEPT ALL TABLE bi.lab_now) s) UNION ALL (SELECT 'lab', 'live', n::text FROM (TABLE bi.lab_now EXCEPT ALL TABLE bi.lab) n) $$;
SELECT * FROM bi.differences();
SELECT view, kind, type, pending, refreshed IS NOT NULL AS has_time FROM fhir.views();

-- After an insert, an update and a deletion only their rows are new.
CREATE TABLE bi.before AS SELECT tableoid::regclass AS relation, ctid AS place, _id FROM lake.stored;
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"new","name":[{"given":["N"]}]}');
UPDATE lake.patient SET resource = resource || '{"active":false}' WHERE id = 'p1';
DELETE FROM lake.patient WHERE id = 'p2';
SELECT count(*) FROM bi.people;
SELECT view, pending FROM fhir.views() WHERE kind = 'stored';
SELECT view, removed, inserted, took > '0' AS took, problem FROM fhir.refresh_views();
SELECT relation, _id AS gone FROM bi.before b WHERE NOT EXISTS (SELECT FROM lake.stored s WHERE s.tableoid = b.relation AND s.ctid = b.place AND s._id = b._id) ORDER BY 1, 2;
SELECT * FROM bi.differences() WHERE view <> 'people';
SELECT count(*) FROM bi.differences();
SELECT view, removed, inserted, problem FROM fhir.refresh_views();
-- Brought back, and without a change at all.
SELECT fhir.revert('Patient', 'p2', 1, preview => false) ->> 'id' AS reverted, fhir.revert('Patient', 'p1', 1, preview => false) ->> 'id' AS again;
SELECT view, removed, inserted, problem FROM fhir.refresh_views('bi');
SELECT * FROM bi.differences();
SELECT count(*) FROM fhir.refresh_views('public');
SELECT fhir.refresh_views('nope');
-- In one transaction with what it refreshes.
BEGIN;
UPDATE lake.patient SET resource = resource || '{"active":false}' WHERE id = 'p1';
SELECT view, removed, inserted FROM fhir.refresh_views();
UPDATE lake.patient SET resource = resource || '{"active":true}' WHERE id = 'p1';
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"late"}');
COMMIT;
SELECT view, removed, inserted FROM fhir.refresh_views();
SELECT * FROM bi.differences();
-- Made anew.
SELECT view, removed, inserted FROM fhir.refresh_views(anew => true);
SELECT * FROM bi.differences();

-- What is erased is gone from stored rows at once, and comes not back.
SELECT * FROM fhir.erase('Observation', 'o1');
SELECT "table", count FROM fhir.purge('Patient/p3', preview => true) WHERE "table" = 'stored';
SELECT "table", count FROM fhir.purge('Patient/p3', preview => false) WHERE "table" = 'stored';
SELECT count(*) FROM lake.stored WHERE _compartment = 'Patient/p3' OR _id IN ('p3', 'o1');
-- Also a row of a version that was at home there.
UPDATE lake.observation SET resource = jsonb_set(resource, '{subject,reference}', '"Patient/p1"') WHERE id = 'o3';
SELECT "table", count FROM fhir.purge('Patient/' || 'p4', preview => false) WHERE "table" = 'stored';
SELECT * FROM fhir.erase('Patient', 'late');
SELECT view, removed, inserted FROM fhir.refresh_views();
SELECT * FROM bi.differences();
SELECT _type, _id FROM lake.stored ORDER BY 1, 2;
-- Statistics forget it too, by what docs/erasure.md says.
SELECT count(*) > 0 AS known FROM pg_stats WHERE tablename ~ '_stored$' AND most_common_vals::text || coalesce(histogram_bounds::text, '') ~ '\mp3\M';
SELECT format('VACUUM (ANALYZE) %s', inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'lake.stored'::regclass ORDER BY 1 \gexec
ANALYZE lake.stored;
SELECT tablename, attname FROM pg_stats WHERE schemaname IN ('bi', 'lake') AND (tablename = 'stored' OR tablename ~ '_stored$') AND concat(most_common_vals, histogram_bounds) ~ '\mp3\M';

-- Each user sees what he may read in the lake now, whatever is granted on the tables.
GRANT SELECT ON ALL TABLES IN SCHEMA bi TO regress_analyst;
SET ROLE regress_analyst;
SELECT * FROM bi.people;
RESET ROLE; SET ROLE regress_lake_owner;
SELECT fhir.grant_lake('lake', 'regress_analyst', 'read');
SET ROLE regress_analyst;
SELECT id FROM bi.people ORDER BY id;
EXPLAIN (COSTS OFF) SELECT id FROM bi.people WHERE family = 'F1';
RESET ROLE; SET ROLE regress_lake_owner;
ALTER TABLE lake.patient ENABLE ROW LEVEL SECURITY;
CREATE POLICY most ON lake.patient USING (NOT resource @> '{"meta":{"tag":[{"code":"secret"}]}}' AND id <> 'new');
SET ROLE regress_analyst;
SELECT id FROM bi.people ORDER BY id;
SELECT _id FROM bi.people_stored ORDER BY 1;
SELECT count(*) FROM lake.stored;
-- nothing is learned from rows that are hidden
CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'seen: %', $1; RETURN true; END $$;
SELECT id FROM bi.people WHERE pg_temp.tell(id) ORDER BY id;
RESET ROLE; SET ROLE regress_lake_owner;
-- A resource that is hidden now is hidden in the old row, too; and an old version is not shown in place of a new one.
UPDATE lake.patient SET resource = resource || '{"meta":{"tag":[{"code":"secret"}]}}' WHERE id = 'p1';
UPDATE lake.patient SET resource = resource || '{"gender":"male"}' WHERE id = 'p2';
SELECT id FROM bi.people ORDER BY id;
SET ROLE regress_analyst;
SELECT id FROM bi.people ORDER BY id;
SELECT view, kind, pending FROM fhir.views();
-- Who is not the owner changes nothing.
SELECT fhir.refresh_views();
SELECT fhir.create_view(:'people', 'bi', 'mine', true);
SELECT fhir.drop_view('bi.people');
DELETE FROM bi.people_stored;
DELETE FROM lake.stored;
RESET ROLE; SET ROLE regress_lake_owner;
SELECT view, removed, inserted FROM fhir.refresh_views();
SET ROLE regress_analyst;
SELECT id FROM bi.people ORDER BY id;
RESET ROLE; SET ROLE regress_lake_owner;
-- Where policies bind the owner, he cannot store what he does not see, and tables that are made have it so as well.
ALTER TABLE lake.patient FORCE ROW LEVEL SECURITY;
SELECT view, removed, inserted, problem FROM fhir.refresh_views();
SELECT fhir.create_view(:'people', 'bi', 'mine', true);
RESET ROLE;
SELECT fhir.create_view(:'people', 'bi', 'forced', true);
SELECT relname, relrowsecurity, relforcerowsecurity, relowner::regrole FROM pg_class WHERE relname LIKE 'forced%' AND relkind IN ('r', 'v') ORDER BY 1;
SET ROLE regress_lake_owner;
SELECT id FROM bi.forced ORDER BY id;
RESET ROLE;
SELECT view, removed, inserted, problem FROM fhir.refresh_views();
SELECT fhir.drop_view('bi.forced');
SET ROLE regress_lake_owner;
ALTER TABLE lake.patient NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

-- What cannot be refreshed stays as it was, and the others go on.
SELECT fhir.create_view('{"resourceType":"ViewDefinition","name":"one_name","resource":"Patient","status":"draft","select":[{"column":[{"name":"family","path":"name.family"}]}]}', 'bi', materialized => true);
UPDATE lake.patient SET resource = resource || '{"name":[{"family":"X"},{"family":"Y"}]}' WHERE id = 'p1';
SELECT view, removed, inserted, problem FROM fhir.refresh_views();
SELECT family FROM bi.one_name ORDER BY 1;
SELECT * FROM bi.differences();
-- Only where each statement sees what is committed.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT fhir.refresh_views();
ROLLBACK;

-- Renamed, it is found all the same.
ALTER TABLE bi.lab_stored RENAME TO laboratory;
ALTER VIEW bi.lab RENAME TO results;
ALTER SCHEMA bi RENAME TO analysis;
SELECT view, removed, inserted FROM fhir.refresh_views('analysis') WHERE view = 'analysis.results'::regclass;
ALTER SCHEMA analysis RENAME TO bi;
-- Its former name is free, and each of the two keeps its own rows, also when they change names.
SELECT fhir.create_view(:'values', 'bi', materialized => true);
UPDATE lake.observation SET resource = resource || '{"valueQuantity":{"value":99}}' WHERE id = 'o5';
SELECT view, removed, inserted, problem FROM fhir.refresh_views() WHERE removed > 0;
ALTER VIEW bi.lab RENAME TO former;
ALTER TABLE bi.lab_stored RENAME TO former_stored;
ALTER TABLE bi.people_stored RENAME TO lab_stored;
SELECT view, removed, inserted, problem FROM fhir.refresh_views(anew => true);
SELECT (SELECT count(*) FROM (TABLE bi.former EXCEPT ALL TABLE bi.lab_now) r), (SELECT count(*) FROM (TABLE bi.results EXCEPT ALL TABLE bi.lab_now) r), (SELECT count(*) FROM (TABLE bi.people EXCEPT ALL TABLE bi.people_now) r);
ALTER TABLE bi.lab_stored RENAME TO people_stored;
SELECT fhir.drop_view('bi.former');
SELECT relname FROM pg_class WHERE relname LIKE 'former%' OR relname LIKE 'lab%' ORDER BY relname;
-- In the place of another.
SELECT fhir.create_view(:'people', 'bi', materialized => true);
GRANT SELECT ON bi.people TO PUBLIC;
GRANT SELECT (id) ON bi.people_now TO regress_analyst WITH GRANT OPTION;
SELECT fhir.create_view(:'people', 'bi', materialized => true, replace => true);
SELECT fhir.create_view(:'people', 'bi', 'people_now', materialized => true, replace => true);
\set grants 'SELECT c.relname, c.relacl, (SELECT attacl FROM pg_attribute WHERE attrelid = c.oid AND attname = \'id\') FROM pg_class c WHERE relkind IN (\'r\', \'v\') AND relname LIKE \'people%\' ORDER BY 1;'
:grants
SELECT fhir.create_view(:'people', 'bi', 'people_now', replace => true);
:grants
SET ROLE regress_analyst;
SELECT count(*) FROM bi.people;
RESET ROLE; SET ROLE regress_lake_owner;
-- but not of what is no view of a lake
CREATE VIEW bi.by_hand AS SELECT 1 AS id;
SELECT fhir.create_view(:'people', 'bi', 'by_hand', materialized => true, replace => true);
SELECT fhir.create_view(:'people', 'bi', 'by_hand', replace => true);
TABLE bi.by_hand;
CREATE VIEW bi.upon AS SELECT id FROM bi.people;
SELECT fhir.drop_view('bi.people');
SELECT fhir.drop_view('bi.people', cascade => true);
SELECT fhir.drop_view('bi.given_now'), fhir.drop_view('bi.results');
SELECT view, kind FROM fhir.views();
SELECT stored, shown FROM lake.stored_view ORDER BY stored::text;
-- Dropped by hand.
DROP TABLE bi.given_stored CASCADE;
SELECT view, removed, inserted FROM fhir.refresh_views();
SELECT fhir.create_view(:'given', 'bi', materialized => true);
SELECT stored, shown FROM lake.stored_view ORDER BY stored::text;
SELECT fhir.views('nowhere');
-- What cannot be stored: the time, and names that tables have for themselves.
SELECT fhir.create_view(format('{"name":"no","resource":"Patient","where":[{"path":%s}],"select":[{"column":[{"name":"id","path":"id"}]}]}', to_jsonb(path))::jsonb, 'bi', materialized => true)
FROM (VALUES ('birthDate < today()')) t(path);
SELECT fhir.create_view(format('{"name":"no","resource":"Patient","select":[{"column":[{"name":"id","path":"id"}]},{"forEach":"name","unionAll":[{"column":[{"name":"a","path":%s}]}]}]}', to_jsonb(path))::jsonb, 'bi', materialized => true)
FROM (VALUES ('/* ''*/ period.start < now () or ''now()'' = ''/*''')) t(path);
SELECT fhir.create_view(format('{"name":"no","resource":"Patient","select":[{"forEach":%s,"column":[{"name":"id","path":"id"}]}]}', to_jsonb(path))::jsonb, 'bi', materialized => true)
FROM (VALUES ('name.where(timeOfDay() > @T12)')) t(path);
SELECT fhir.create_view(format('{"name":"yes","resource":"Patient","select":[{"column":[{"name":"id","path":%s}]}]}', to_jsonb(path))::jsonb, 'bi', materialized => true)
FROM (VALUES ('''it\''s now()'' & id /* * today() **/ // timeOfDay()')) t(path);
SELECT fhir.create_view('{"name":"no","resource":"Patient","select":[{"column":[{"name":"id","path":"id"}],"select":[{"column":[{"name":"xmin","path":"gender"}]}]}]}', 'bi', materialized => true);
SELECT fhir.create_view('{"name":"xmin","resource":"Patient","select":[{"column":[{"name":"XMIN","path":"id"}]}]}', 'bi', materialized => true);
SELECT fhir.drop_view('bi.yes'), fhir.drop_view('bi.xmin');
-- A view of all types, and one of several.
CREATE VIEW bi.everything WITH (security_invoker) AS SELECT r.id FROM lake.resource r LEFT JOIN lake.patient USING (id);
CREATE VIEW bi.both WITH (security_invoker) AS SELECT r.id FROM lake.observation r LEFT JOIN lake.patient USING (id);
SELECT view, type FROM fhir.views() WHERE kind = 'live';
SELECT fhir.create_view('{"resourceType":"ViewDefinition","resource":"Patient"}', 'bi', 'x', true);
RESET ROLE;
SET client_min_messages = error;
SELECT fhir.drop_lake('lake', true);
DROP SCHEMA bi CASCADE;
DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM regress_lake_owner', current_database()); END $$;
DROP OWNED BY regress_analyst, regress_lake_owner;
DROP ROLE regress_analyst, regress_lake_owner;

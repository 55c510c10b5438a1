-- Patient/$everything.
\pset format unaligned
\pset null ∅
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SELECT fhir.create_lake('everything_lake');
SET fhir.lake = 'everything_lake';

INSERT INTO everything_lake.organization (resource) VALUES
    ('{"resourceType":"Organization","id":"o1","name":"one","partOf":{"reference":"Organization/o2"}}'),
    ('{"resourceType":"Organization","id":"o2","name":"two"}');
INSERT INTO everything_lake.practitioner (resource) VALUES
    ('{"resourceType":"Practitioner","id":"dr"}'), ('{"resourceType":"Practitioner","id":"unrelated"}');
INSERT INTO everything_lake."binary" (resource) VALUES ('{"resourceType":"Binary","id":"scan","contentType":"text/plain","data":"YQ=="}');
INSERT INTO everything_lake.patient (resource) VALUES
    ('{"resourceType":"Patient","id":"p","managingOrganization":{"reference":"Organization/o1"},"generalPractitioner":[{"reference":"Practitioner/dr"}]}'),
    ('{"resourceType":"Patient","id":"q"}');
INSERT INTO everything_lake.encounter (resource) VALUES
    ('{"resourceType":"Encounter","id":"e2014","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p"},"period":{"start":"2014-12-30","end":"2015-01-02"},"participant":[{"individual":{"reference":"Practitioner/dr"}}]}'),
    ('{"resourceType":"Encounter","id":"e2016","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p"},"period":{"start":"2016","end":"2016"},"serviceProvider":{"reference":"Organization/o1"}}'),
    ('{"resourceType":"Encounter","id":"ended","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p"},"period":{"end":"2012-06"}}');
INSERT INTO everything_lake.observation (resource) VALUES
    ('{"resourceType":"Observation","id":"year","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2015"}'),
    ('{"resourceType":"Observation","id":"undated","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/p"},"performer":[{"reference":"Practitioner/gone"}]}'),
    ('{"resourceType":"Observation","id":"of-q","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/q"}}'),
    -- who performed it has it in his own record as well
    ('{"resourceType":"Observation","id":"by-p","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/q"},"performer":[{"reference":"Patient/p"}],"effectiveDateTime":"2015-06-01"}');
INSERT INTO everything_lake.documentreference (resource) VALUES
    ('{"resourceType":"DocumentReference","id":"doc","status":"current","subject":{"reference":"Patient/p"},"date":"2017-01-01T00:00:00Z","content":[{"attachment":{"url":"Binary/scan"}}]}');
INSERT INTO everything_lake.appointment (resource) VALUES
    ('{"resourceType":"Appointment","id":"both","status":"booked","start":"2016-01-01T09:00:00Z","end":"2016-01-01T09:30:00Z","participant":[{"actor":{"reference":"Patient/q"},"status":"accepted"},{"actor":{"reference":"Patient/p"},"status":"accepted"}]}');

-- The compartment with what is shared, then what it points at: not what that points at in turn, nothing twice, nobody unrelated.
SELECT type, id, version, of_compartment FROM fhir.everything_rows('p');
SELECT jsonb_pretty(fhir.everything('q') #- '{entry,0,resource,meta}' #- '{entry,1,resource,meta}' #- '{entry,2,resource,meta}' #- '{entry,3,resource,meta}' #- '{entry,4,resource,meta}');

-- The period of care: what reaches into it and what is undated; what only that points at goes with it.
SELECT type, id FROM fhir.everything_rows('p', '2015', '2015');
SELECT type, id FROM fhir.everything_rows('p', start => '2016-06');
SELECT type, id FROM fhir.everything_rows('p', "end" => '2012');
-- Types, also of what is pointed at.
SELECT type, id FROM fhir.everything_rows('p', types => '{Practitioner,Appointment}');

-- Pages: each resource once, whatever is written in between.
CREATE FUNCTION pg_temp.pages(page integer, meanwhile text) RETURNS TABLE (n integer, ids text) LANGUAGE plpgsql AS $$
DECLARE
    bundle jsonb := fhir.everything('p', count => page);
    at integer := 1;
    link text;
BEGIN
    LOOP
        n := at;
        SELECT string_agg(e #>> '{resource,resourceType}' || '/' || (e #>> '{resource,id}') || CASE e #>> '{search,mode}' WHEN 'include' THEN '+' ELSE '' END, ' ')
            INTO ids FROM jsonb_array_elements(bundle->'entry') e;
        RETURN NEXT;
        SELECT l->>'url' INTO link FROM jsonb_array_elements(bundle->'link') l WHERE l->>'relation' = 'next';
        EXIT WHEN link IS NULL;
        EXECUTE meanwhile;
        bundle := fhir.everything('p', count => page, cursor => link);
        at := at + 1;
    END LOOP;
END $$;
SELECT * FROM pg_temp.pages(3, 'SELECT 1');
SELECT * FROM pg_temp.pages(13, 'SELECT 1');
SELECT string_agg(ids, ' ') = (SELECT string_agg(ids, ' ') FROM pg_temp.pages(100, 'SELECT 1')) AS same FROM pg_temp.pages(1, 'SELECT 1');
SELECT jsonb_path_query_array(fhir.everything('p', start => '2014', since => '2001-02-03 04:05:06+00', types => '{Encounter,Observation}', count => 2), '$.link');
BEGIN;
-- new versions of what was and of what is to come, and new rows before and behind
SELECT * FROM pg_temp.pages(4, $$
    UPDATE everything_lake.encounter SET resource = jsonb_set(resource, '{language}', to_jsonb('x-' || substr(md5(random()::text), 1, 8)));
    UPDATE everything_lake.observation SET resource = jsonb_set(resource, '{language}', to_jsonb('x-' || substr(md5(random()::text), 1, 8)));
    INSERT INTO everything_lake.appointment (resource) VALUES ('{"resourceType":"Appointment","id":"new","status":"proposed","participant":[{"actor":{"reference":"Patient/p"},"status":"accepted"}]}') ON CONFLICT DO NOTHING;
    INSERT INTO everything_lake.procedure (resource) VALUES ('{"resourceType":"Procedure","id":"new","status":"completed","subject":{"reference":"Patient/p"}}') ON CONFLICT DO NOTHING;
$$);
ROLLBACK;

-- Since: what was written, and what is new to the record with it.
SELECT clock_timestamp() AS then \gset
INSERT INTO everything_lake.procedure (resource) VALUES ('{"resourceType":"Procedure","id":"late","status":"completed","subject":{"reference":"Patient/p"},"performer":[{"actor":{"reference":"Practitioner/unrelated"}}]}');
UPDATE everything_lake.organization SET resource = jsonb_set(resource, '{name}', '"renamed"') WHERE id = 'o1';
SELECT type, id, version FROM fhir.everything_rows('p', since => :'then');

-- More rows than one step reads.
INSERT INTO everything_lake.observation (resource)
SELECT jsonb_build_object('resourceType', 'Observation', 'id', 'many-' || n, 'status', 'final', 'code', '{"text":"c"}'::jsonb, 'subject', '{"reference":"Patient/q"}'::jsonb,
    'effectiveDateTime', to_char(date '2000-01-01' + n / 7, 'YYYY-MM-DD'), 'performer', jsonb_build_array(jsonb_build_object('reference', 'Organization/many-' || n)))
FROM generate_series(1, 1700) n;
INSERT INTO everything_lake.organization (resource)
SELECT jsonb_build_object('resourceType', 'Organization', 'id', 'many-' || n, 'name', 'n') FROM generate_series(1, 1700, 2) n;
SELECT of_compartment, count(*), count(DISTINCT (type, id)) AS different FROM fhir.everything_rows('q') GROUP BY 1 ORDER BY 1;
SELECT jsonb_array_length(fhir.everything('q')->'entry');

-- Mistakes.
SELECT fhir.everything('nobody');
SELECT count(*) FROM fhir.everything_rows('nobody');
SELECT fhir.delete('Patient', 'q');
SELECT fhir.everything('q');
SELECT fhir.everything('a b');
SELECT fhir.everything('p', 'soon');
SELECT fhir.everything('p', count => 0);
SELECT fhir.everything('p', cursor => 'Observation~x~y');
SELECT fhir.everything('p', types => '{Nothing}');
SELECT fhir.everything(NULL);
SELECT * FROM fhir.references('{"resourceType":"Basic","subject":{"reference":"Patient/1"}}');
SELECT * FROM fhir.references('7');

-- A plain user sees what the policies of the tables let through.
CREATE ROLE everything_reader;
SELECT fhir.grant_lake('everything_lake', 'everything_reader', 'read');
DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN SELECT relid FROM pg_partition_tree('everything_lake.resource')
                    UNION ALL SELECT unnest('{everything_lake.history,everything_lake.membership}'::regclass[]) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
        EXECUTE format('CREATE POLICY home ON %s USING (compartment = current_setting(''app.compartment'', true))', relation);
    END LOOP;
END $$;
SET ROLE everything_reader;
SELECT fhir.everything('p');
SET app.compartment = 'Patient/p';
SELECT type, id FROM fhir.everything_rows('p');
SELECT fhir.everything('q');
RESET ROLE;
SET client_min_messages = error;
SELECT fhir.drop_lake('everything_lake', true);
DROP ROLE everything_reader;

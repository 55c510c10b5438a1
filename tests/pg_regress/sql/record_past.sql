-- The record of a patient at a past moment: what was seen then is what is asked for later.
\pset format unaligned
\pset null ∅
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SELECT fhir.create_lake('past_lake');
SET fhir.lake = 'past_lake';

INSERT INTO past_lake.organization (resource) VALUES
    ('{"resourceType":"Organization","id":"o1","name":"one"}'), ('{"resourceType":"Organization","id":"o2","name":"two"}');
INSERT INTO past_lake.patient (resource) VALUES
    ('{"resourceType":"Patient","id":"p","name":[{"text":"Ann"}],"birthDate":"1950","managingOrganization":{"reference":"Organization/o1"}}'),
    ('{"resourceType":"Patient","id":"q","name":[{"text":"Bo"}],"managingOrganization":{"reference":"Organization/o2"}}');
INSERT INTO past_lake.medication (resource) VALUES ('{"resourceType":"Medication","id":"m","code":{"text":"old name"}}');
INSERT INTO past_lake.medicationrequest (resource) VALUES
    ('{"resourceType":"MedicationRequest","id":"mr","status":"active","intent":"order","subject":{"reference":"Patient/p"},"authoredOn":"2018-01-02","medicationReference":{"reference":"Medication/m"}}');
INSERT INTO past_lake.observation (resource)
SELECT jsonb_build_object('resourceType', 'Observation', 'id', id, 'status', 'final', 'code', jsonb_build_object('text', id),
    'subject', jsonb_build_object('reference', 'Patient/' || patient), 'effectiveDateTime', at)
FROM (VALUES ('unchanged', 'p', '2014'), ('moved', 'p', '2015'), ('deleted', 'p', '2016'), ('given', 'p', '2017'), ('taken', 'q', '2013'), ('twice', 'p', '2012')) AS o (id, patient, at);
-- who performed it has it in his own record as well
INSERT INTO past_lake.observation (resource) VALUES
    ('{"resourceType":"Observation","id":"by-p","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/q"},"performer":[{"reference":"Patient/p"}],"effectiveDateTime":"2015-06-01"}');
INSERT INTO past_lake.appointment (resource) VALUES
    ('{"resourceType":"Appointment","id":"left","status":"booked","start":"2016-01-01T09:00:00Z","end":"2016-01-01T09:30:00Z","participant":[{"actor":{"reference":"Patient/q"},"status":"accepted"},{"actor":{"reference":"Patient/p"},"status":"accepted"}]}'),
    ('{"resourceType":"Appointment","id":"joined","status":"booked","start":"2016-01-02T09:00:00Z","end":"2016-01-02T09:30:00Z","participant":[{"actor":{"reference":"Patient/q"},"status":"accepted"}]}');
DELETE FROM past_lake.observation WHERE id = 'twice';

CREATE TEMP TABLE seen AS
SELECT patient, (SELECT jsonb_agg(t) FROM fhir.timeline(patient) t) AS timeline, (SELECT jsonb_agg(e) FROM fhir.everything_rows(patient) e) AS everything,
    fhir.everything(patient) AS bundle, fhir.everything(patient, start => '2015', types => '{Observation,Organization}') AS part, fhir.timeline_svg(patient) AS svg,
    (SELECT jsonb_agg(t) FROM fhir.timeline(patient, '2015', '2016', newest_first => false, count => 2) t) AS first_two
FROM unnest('{p,q}'::text[]) patient;
SELECT id FROM fhir.timeline('p');
SELECT clock_timestamp() AS then \gset

-- Everything that can become of a resource, twice; the tables of some types end without a row.
DO $$
BEGIN
    FOR n IN 1 .. 2 LOOP
        UPDATE past_lake.observation SET resource = jsonb_set(resource, '{effectiveDateTime}', to_jsonb((2018 + n)::text)) WHERE id = 'moved';
        UPDATE past_lake.observation SET resource = jsonb_set(resource, '{subject,reference}', to_jsonb('Patient/' || (ARRAY['q', 'r'])[n])) WHERE id = 'given';
        UPDATE past_lake.observation SET resource = jsonb_set(resource, '{subject,reference}', to_jsonb('Patient/' || (ARRAY['p', 'r'])[n])) WHERE id = 'taken';
        UPDATE past_lake.observation SET resource = resource - 'performer' || jsonb_build_object('language', 'x-' || n) WHERE id = 'by-p';
        UPDATE past_lake.appointment SET resource = jsonb_set(resource, '{participant,1}', '{"actor":{"reference":"Patient/p"},"status":"accepted"}') || jsonb_build_object('language', 'x-' || n) WHERE id = 'joined';
        UPDATE past_lake.medication SET resource = jsonb_set(resource, '{code,text}', to_jsonb('new name ' || n));
        UPDATE past_lake.organization SET resource = jsonb_set(resource, '{name}', to_jsonb('new name ' || n));
        UPDATE past_lake.patient SET resource = jsonb_set(resource, '{name,0,text}', to_jsonb('New ' || n));
    END LOOP;
END $$;
INSERT INTO past_lake.observation (resource) VALUES
    ('{"resourceType":"Observation","id":"late","status":"final","code":{"text":"late"},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2011"}'),
    ('{"resourceType":"Observation","id":"twice","status":"final","code":{"text":"again"},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2012"}');
DELETE FROM past_lake.observation WHERE id = 'deleted';
DELETE FROM past_lake.appointment WHERE id = 'left';
DELETE FROM past_lake.medicationrequest;
DELETE FROM past_lake.medication;
VACUUM past_lake.medicationrequest, past_lake.medication;
SELECT count(*) FROM fhir.timeline('p') WHERE type = 'MedicationRequest';
SELECT clock_timestamp() AS before_deletion \gset
DELETE FROM past_lake.patient WHERE id = 'p';

SELECT patient, (SELECT jsonb_agg(t) FROM fhir.timeline(patient, as_of => :'then') t) = timeline AS timeline,
    (SELECT jsonb_agg(e) FROM fhir.everything_rows(patient, as_of => :'then') e) = everything AS everything,
    fhir.everything(patient, as_of => :'then') = bundle AS bundle, fhir.everything(patient, start => '2015', types => '{Observation,Organization}', as_of => :'then') = part AS part,
    fhir.timeline_svg(patient, as_of => :'then') = svg AS svg,
    (SELECT jsonb_agg(t) FROM fhir.timeline(patient, '2015', '2016', newest_first => false, count => 2, as_of => :'then') t) = first_two AS first_two
FROM seen;
-- And not what is there now.
SELECT patient, (SELECT jsonb_agg(t) FROM fhir.timeline(patient) t) = timeline AS timeline, (SELECT jsonb_agg(t) FROM fhir.timeline(patient, as_of => now()) t) = timeline AS as_of_now FROM seen;
SELECT id, display FROM fhir.timeline('p', as_of => 'infinity');
SELECT at, (SELECT count(*) FROM fhir.timeline('q', as_of => at)) = (SELECT count(*) FROM fhir.timeline('q')) AS is_now, (SELECT count(*) FROM fhir.timeline('q', as_of => at)) AS lines
FROM unnest('{-infinity,4713-01-01 BC,0001-01-01,9999-12-31,294276-01-01,infinity}'::timestamptz[]) at;
SELECT fhir.everything('q', as_of => '294276-01-01', since => '4713-01-01 BC') = fhir.everything('q') AS all_of_now;

-- Pages of the past.
DO $$
DECLARE
    at timestamptz := (SELECT max(last_updated) FROM past_lake.history WHERE id = 'deleted' AND method = 'DELETE') - interval '1 microsecond';
    bundle jsonb := fhir.everything('p', count => 3, as_of => at);
    ids text[] := '{}';
    link text;
BEGIN
    LOOP
        ids := ids || ARRAY(SELECT (e #>> '{resource,resourceType}') || '/' || (e #>> '{resource,id}') FROM jsonb_array_elements(bundle->'entry') e);
        SELECT l->>'url' INTO link FROM jsonb_array_elements(bundle->'link') l WHERE l->>'relation' = 'next';
        EXIT WHEN link IS NULL;
        bundle := fhir.everything('p', count => 3, cursor => link, as_of => at);
    END LOOP;
    IF ids <> ARRAY(SELECT type || '/' || id FROM fhir.everything_rows('p', as_of => at)) THEN
        RAISE EXCEPTION 'pages differ: %', ids;
    END IF;
END $$;

-- Who was there when.
SELECT fhir.everything('p');
SELECT jsonb_array_length(fhir.everything('p', as_of => :'before_deletion')->'entry') > 5 AS there;
SELECT fhir.everything('p', as_of => clock_timestamp());
SELECT fhir.everything('p', as_of => '2001-02-03');
SELECT fhir.timeline_svg('p', as_of => '-infinity');
SELECT fhir.everything('q', as_of => 'infinity') = fhir.everything('q') AS now;

-- Who may not read history learns nothing of it; whom a policy shows one patient sees only that one's past.
CREATE ROLE past_reader;
SELECT fhir.grant_lake('past_lake', 'past_reader', 'read');
REVOKE SELECT ON past_lake.history FROM past_reader;
SET ROLE past_reader;
\set VERBOSITY terse
SELECT count(*) FROM fhir.timeline('q', as_of => :'then');
SELECT fhir.everything('q', as_of => :'then');
\set VERBOSITY default
RESET ROLE;
GRANT SELECT ON past_lake.history TO past_reader;
DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN SELECT relid FROM pg_partition_tree('past_lake.resource')
                    UNION ALL SELECT unnest('{past_lake.history,past_lake.membership}'::regclass[]) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
        EXECUTE format('CREATE POLICY home ON %s USING (compartment = current_setting(''app.compartment'', true))', relation);
    END LOOP;
END $$;
SET ROLE past_reader;
SELECT count(*) FROM fhir.timeline('p', as_of => :'then');
SELECT fhir.everything('p', as_of => :'then');
SET app.compartment = 'Patient/q';
SELECT count(*) FROM fhir.timeline('p', as_of => :'then');
SELECT id FROM fhir.timeline('q', as_of => :'then');
SET app.compartment = 'Patient/p';
-- what is at home with another patient stays hidden, as it does today
SELECT id FROM fhir.timeline('p', as_of => :'then');
SELECT type, id FROM fhir.everything_rows('p', as_of => :'then');
RESET ROLE;
SET client_min_messages = error;
SELECT fhir.drop_lake('past_lake', true);
DROP ROLE past_reader;

-- What clients were told was written, and what is there.
CREATE TABLE tests.ack (type text, id text, version bigint, token text);
CREATE TABLE tests.batch_ack (token text, size bigint);

-- The token that a writer put into each version.
CREATE FUNCTION tests.token(resource jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(resource->'name'->0->>'family', resource->'code'->>'text', 'none') $$;
CREATE VIEW tests.version AS
    SELECT type, id, version, tests.token(resource) AS token, true AS current FROM lake.resource
    UNION ALL SELECT type, id, version, tests.token(resource), false FROM lake.history;

CREATE FUNCTION tests.patient(id text, token text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('resourceType', 'Patient', 'id', id, 'gender', 'male', 'name', jsonb_build_array(jsonb_build_object('family', token))) $$;
CREATE FUNCTION tests.appointment(id text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('resourceType', 'Appointment', 'id', id, 'status', 'booked', 'participant', jsonb_build_array(
        '{"actor":{"reference":"Patient/s1"},"status":"accepted"}'::jsonb, '{"actor":{"reference":"Patient/s2"},"status":"accepted"}'::jsonb)) $$;
CREATE FUNCTION tests.observations(token text, count bigint) RETURNS SETOF jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('resourceType', 'Observation', 'status', 'final', 'code', jsonb_build_object('text', token), 'subject', '{"reference":"Patient/s1"}'::jsonb, 'valueInteger', i)
    FROM generate_series(1, count) i $$;
CREATE FUNCTION tests.bundle(token text, count bigint) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('resourceType', 'Bundle', 'type', 'transaction', 'entry', jsonb_agg(jsonb_build_object(
        'fullUrl', 'urn:uuid:' || gen_random_uuid(), 'resource', o, 'request', '{"method":"POST","url":"Observation"}'::jsonb)))
    FROM tests.observations(token, count) o $$;

-- A lake of records that come, are written over, and go without a trace or back to what they were.
SELECT fhir.create_lake('removals');
SELECT fhir.set_integrity('enforce', 'removals');
INSERT INTO removals.patient (resource) VALUES (tests.patient('shared', 'shared'));
CREATE TABLE tests.told (what text, token text);

CREATE FUNCTION tests.fill(token text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO removals.patient (resource) VALUES (tests.patient(token, token));
    INSERT INTO removals.observation (resource) SELECT jsonb_build_object('resourceType', 'Observation', 'id', token || '-' || i, 'status', 'registered', 'code', '{"text":"x"}'::jsonb,
        'subject', jsonb_build_object('reference', 'Patient/' || token)) FROM generate_series(1, 200) i;
    INSERT INTO removals.appointment (resource) VALUES (jsonb_build_object('resourceType', 'Appointment', 'id', token, 'status', 'booked', 'participant', (
        SELECT jsonb_agg(jsonb_build_object('actor', jsonb_build_object('reference', 'Patient/' || p), 'status', 'accepted')) FROM unnest(ARRAY[token, 'shared']) p)));
    INSERT INTO removals.entity (compartment, type, id, version, lexicon, number, path, first, last, text, category, kind, section, score, certainty, temporality, subject, conditionality, attributes, concepts, codes, origin, status, search)
        SELECT compartment, type, id, version, 'l', 1, 'Observation.note[0].text', 0, 4, 'pain', 'problem', 'SYMPTOM', '', 1, 'positive', 'current', 'patient', 'unconditional', '[]', '[]', fhir.entity_codes('[]'), 'term', 'current', fhir.entity_keys('pain', '[]')
        FROM removals.observation WHERE id = token || '-7';
    UPDATE removals.observation SET resource = resource || '{"status":"final"}' WHERE compartment = 'Patient/' || token;
END $$;

-- What there is of each record in all tables.
CREATE VIEW tests.record AS
    SELECT token, count(*) FILTER (WHERE source = 'resource') AS resources, count(*) FILTER (WHERE source = 'history') AS versions,
        count(*) FILTER (WHERE source NOT IN ('resource', 'history')) AS others,
        array_agg(DISTINCT version || state) FILTER (WHERE source = 'resource' AND type = 'Observation') AS current
    FROM (SELECT regexp_replace(id, '-[0-9]+$', '') AS token, 'resource' AS source, type, version, ' ' || (resource->>'status') AS state FROM removals.observation
        UNION ALL SELECT id, 'resource', type, version, '' FROM removals.patient WHERE id <> 'shared'
        UNION ALL SELECT id, 'resource', type, version, '' FROM removals.appointment
        UNION ALL SELECT regexp_replace(id, '-[0-9]+$', ''), 'history', type, version, '' FROM removals.history
        UNION ALL SELECT id, 'membership', type, NULL, '' FROM removals.membership
        UNION ALL SELECT regexp_replace(id, '-[0-9]+$', ''), 'entity', type, NULL, '' FROM removals.entity) found
    GROUP BY token;

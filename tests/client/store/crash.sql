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

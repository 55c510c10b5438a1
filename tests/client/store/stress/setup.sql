-- A lake that many write to, and what tells afterwards what they were promised.
SELECT fhir.create_lake();
CREATE SCHEMA stress;
CREATE UNLOGGED TABLE stress.increment (counter text, version bigint);
CREATE UNLOGGED TABLE stress.condition (kind text, value text);

INSERT INTO lake.patient (resource) SELECT jsonb_build_object('resourceType', 'Patient', 'id', 's' || i, 'gender', 'unknown') FROM generate_series(1, 20) i;
INSERT INTO lake.observation (resource) SELECT format('{"resourceType":"Observation","id":"%s","status":"final","subject":{"reference":"Patient/s1"},"code":{"text":"count"},"valueInteger":0}', name)::jsonb
FROM unnest(ARRAY['counter-1', 'counter-2', 'counter-3', 'pair-1', 'pair-2']) name;

CREATE FUNCTION stress.patient(id text, family text, identifier text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('resourceType', 'Patient', 'id', id, 'name', jsonb_build_array(jsonb_build_object('family', family)),
        'gender', (ARRAY['male', 'female', 'other'])[1 + floor(random() * 3)::int], 'birthDate', (date '1960-01-01' + floor(random() * 20000)::int)::text,
        'identifier', jsonb_build_array(jsonb_build_object('system', split_part(identifier, '|', 1), 'value', split_part(identifier, '|', 2)))))
    - CASE WHEN identifier IS NULL THEN 'identifier' ELSE '' END $$;

CREATE FUNCTION stress.observation(id text, patient text, value numeric) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('resourceType', 'Observation', 'id', id, 'status', 'final', 'subject', jsonb_build_object('reference', 'Patient/' || patient),
        'code', '{"coding":[{"system":"http://loinc.org","code":"8867-4"}]}'::jsonb, 'effectiveDateTime', (date '2020-01-01' + floor(random() * 1000)::int)::text,
        'valueQuantity', jsonb_build_object('value', value, 'unit', '/min', 'system', 'http://unitsofmeasure.org', 'code', '/min'))) $$;

CREATE FUNCTION stress.appointment(id text, patients text[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE WHEN id IS NULL THEN '{}' ELSE jsonb_build_object('id', id) END || jsonb_build_object('resourceType', 'Appointment', 'status', (ARRAY['booked', 'arrived'])[1 + floor(random() * 2)::int],
        'start', '2024-01-01T10:00:00Z', 'end', '2024-01-01T10:30:00Z', 'participant', (SELECT jsonb_agg(jsonb_build_object('actor', jsonb_build_object('reference', 'Patient/' || p), 'status', 'accepted')) FROM unnest(patients) p)) $$;

-- One more, over the version that was read. Who comes second is told so, and nothing is written.
CREATE FUNCTION stress.increment(counter text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    seen jsonb := fhir.read('Observation', counter);
    written jsonb;
BEGIN
    written := fhir.update(jsonb_set(seen, '{valueInteger}', to_jsonb((seen->>'valueInteger')::int + 1)), if_match => 'W/"' || (seen->'meta'->>'versionId') || '"');
    INSERT INTO stress.increment VALUES (counter, (written->'meta'->>'versionId')::bigint);
    RETURN true;
EXCEPTION WHEN SQLSTATE 'FH412' OR SQLSTATE 'FH409' THEN
    RETURN false;
END $$;

-- A read of what may not be there, or be deleted.
CREATE FUNCTION stress.read(type text, id text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN fhir.read(type, id)->>'id';
EXCEPTION WHEN SQLSTATE 'FH404' OR SQLSTATE 'FH410' THEN
    RETURN SQLSTATE;
END $$;

CREATE FUNCTION stress.vread(type text, id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
    FOR one IN SELECT * FROM fhir.history(type, id, count => 5) LOOP
        IF one.method <> 'DELETE' AND fhir.vread(type, id, one.version) IS DISTINCT FROM one.resource THEN
            RAISE EXCEPTION '%/% version %: history and vread differ', type, id, one.version;
        END IF;
    END LOOP;
    RETURN 'read';
EXCEPTION WHEN SQLSTATE 'FH404' OR SQLSTATE 'FH410' THEN
    RETURN SQLSTATE;
END $$;

-- A condition that everybody has at this moment: a new one several times a second.
CREATE FUNCTION stress.moment() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 5)::bigint::text $$;

CREATE FUNCTION stress.conditional_create(value text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM fhir.create(stress.patient(NULL, 'a', 'urn:c|' || value), 'identifier=urn:c|' || value);
    INSERT INTO stress.condition VALUES ('urn:c', value);
END $$;

CREATE FUNCTION stress.conditional_update(value text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM fhir.update(stress.patient(NULL, 'u', 'urn:u|' || value), condition => 'identifier=urn:u|' || value);
    INSERT INTO stress.condition VALUES ('urn:u', value);
    RETURN true;
EXCEPTION WHEN SQLSTATE 'FH409' OR SQLSTATE 'FH412' THEN
    RETURN false;
END $$;

-- A transaction as a Bundle: a conditional create of what everybody makes, a create that refers to it, an update of one row.
CREATE FUNCTION stress.bundle(id text, value text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM fhir.bundle(jsonb_build_object('resourceType', 'Bundle', 'type', 'transaction', 'entry', jsonb_build_array(
        jsonb_build_object('fullUrl', 'urn:uuid:7e1c0d9a-3b52-4c4e-9a53-0f5f0a6f7a01', 'resource', stress.patient(NULL, 'a', 'urn:c|' || value),
            'request', jsonb_build_object('method', 'POST', 'url', 'Patient', 'ifNoneExist', 'identifier=urn:c|' || value)),
        jsonb_build_object('resource', jsonb_set(stress.observation(NULL, 'x', 5), '{subject,reference}', '"urn:uuid:7e1c0d9a-3b52-4c4e-9a53-0f5f0a6f7a01"'),
            'request', '{"method":"POST","url":"Observation"}'::jsonb),
        jsonb_build_object('resource', stress.observation(id, 's1', 6), 'request', jsonb_build_object('method', 'PUT', 'url', 'Observation/' || id)))));
    INSERT INTO stress.condition VALUES ('urn:c', value);
    RETURN true;
EXCEPTION WHEN SQLSTATE 'FH409' OR SQLSTATE 'FH412' THEN
    RETURN false;
END $$;

-- Two resources that are only ever written together, seen by one statement.
CREATE FUNCTION stress.assert_pair() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found jsonb;
BEGIN
    found := (SELECT jsonb_agg(e->'resource'->'valueInteger') FROM jsonb_array_elements(fhir.search('Observation?_id=pair-1,pair-2')->'entry') e);
    IF jsonb_array_length(found) <> 2 OR found->0 <> found->1 THEN
        RAISE EXCEPTION 'a search saw half of a transaction: %', found;
    END IF;
END $$;

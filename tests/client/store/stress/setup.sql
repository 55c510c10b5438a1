-- A lake that many write to, and what tells afterwards what they were promised.
SELECT fhir.create_lake();
SELECT fhir.set_integrity('enforce');
CREATE SCHEMA stress;
CREATE UNLOGGED TABLE stress.increment (counter text, version bigint);
CREATE UNLOGGED TABLE stress.answer (method text, status int);
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

-- Bundles and REST -------------------------------------------------------------------------------------------------------

-- A batch answers each entry by itself. Only what was told to be written counts.
CREATE FUNCTION stress.batch(counter text, appointment text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    seen jsonb := fhir.read('Observation', counter);
    told record;
    response jsonb;
BEGIN
    SELECT * INTO told FROM fhir.rest('POST', '/', body => jsonb_build_object('resourceType', 'Bundle', 'type', 'batch', 'entry', jsonb_build_array(
        jsonb_build_object('request', jsonb_build_object('method', 'DELETE', 'url', 'Appointment/' || appointment)),
        jsonb_build_object('request', '{"method":"POST","url":"Observation"}'::jsonb, 'resource', stress.observation(NULL, 's1', 3)),
        jsonb_build_object('request', '{"method":"POST","url":"Observation"}'::jsonb, 'resource', stress.observation(NULL, 'nobody', 3)),
        jsonb_build_object('request', jsonb_build_object('method', 'PUT', 'url', 'Appointment/' || appointment), 'resource', stress.appointment(appointment, ARRAY['s1', 's5'])),
        jsonb_build_object('request', jsonb_build_object('method', 'GET', 'url', 'Observation?subject=Patient/s1&_count=3')),
        jsonb_build_object('request', jsonb_build_object('method', 'PUT', 'url', 'Observation/' || counter, 'ifMatch', 'W/"' || (seen->'meta'->>'versionId') || '"'),
            'resource', jsonb_set(seen, '{valueInteger}', to_jsonb((seen->>'valueInteger')::int + 1)))))::text);
    IF told.status <> 200 OR jsonb_array_length(told.answer->'entry') <> 6 THEN
        RAISE EXCEPTION 'a batch was answered with % %', told.status, told.answer;
    END IF;
    FOR response IN SELECT e->'response' FROM jsonb_array_elements(told.answer->'entry') e LOOP
        IF response->>'status' !~ '^(200|201|204|404|409|410|412) ' AND response->'outcome'->'issue'->0->>'diagnostics' !~ 'Patient/nobody' THEN
            RAISE EXCEPTION 'an entry of a batch was answered with %', response;
        END IF;
    END LOOP;
    IF told.answer->'entry'->2->'response'->>'status' !~ '^(422|409) ' THEN
        RAISE EXCEPTION 'a reference to nobody was answered with %', told.answer->'entry'->2;
    END IF;
    response := told.answer->'entry'->5->'response';
    IF response->>'status' ~ '^200' THEN
        INSERT INTO stress.increment VALUES (counter, substring(response->>'etag' FROM '[0-9]+')::bigint);
        RETURN true;
    END IF;
    RETURN false;
END $$;

-- A transaction over many that others write at the same time, in another order each time, with one more of a counter.
CREATE FUNCTION stress.many(counter text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    seen jsonb := fhir.read('Observation', counter);
    written jsonb;
BEGIN
    written := fhir.bundle((SELECT jsonb_build_object('resourceType', 'Bundle', 'type', 'transaction', 'entry', jsonb_agg(e ORDER BY random())) FROM (
        SELECT jsonb_build_object('request', jsonb_build_object('method', 'PUT', 'url', 'Observation/m' || i), 'resource', stress.observation('m' || i, 's' || i % 5 + 1, i)) e
        FROM generate_series(1, 12) i
        UNION ALL SELECT jsonb_build_object('request', jsonb_build_object('method', 'DELETE', 'url', 'Appointment/a' || i)) FROM generate_series(1, 4) i
        UNION ALL SELECT jsonb_build_object('request', jsonb_build_object('method', 'PUT', 'url', 'Appointment/a' || i), 'resource', stress.appointment('a' || i, ARRAY['s1', 's3']))
        FROM generate_series(5, 8) i
        UNION ALL SELECT jsonb_build_object('fullUrl', 'urn:uuid:00000000-0000-4000-8000-00000000000' || i, 'request', '{"method":"POST","url":"Observation"}'::jsonb,
            'resource', stress.observation(NULL, 's2', i) || jsonb_build_object('hasMember', jsonb_build_array(jsonb_build_object('reference', 'urn:uuid:00000000-0000-4000-8000-00000000000' || (i + 1) % 4))))
        FROM generate_series(0, 3) i
        UNION ALL SELECT jsonb_build_object('request', jsonb_build_object('method', 'PUT', 'url', 'Observation/' || counter, 'ifMatch', 'W/"' || (seen->'meta'->>'versionId') || '"'),
            'resource', jsonb_set(seen, '{valueInteger}', to_jsonb((seen->>'valueInteger')::int + 1)))) entries));
    INSERT INTO stress.increment SELECT counter, substring(e->'response'->>'etag' FROM '[0-9]+')::bigint
        FROM jsonb_array_elements(written->'entry') e WHERE e->'response'->>'location' LIKE 'Observation/' || counter || '/_history/%';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a transaction does not tell of the counter: %', written;
    END IF;
    RETURN true;
EXCEPTION WHEN SQLSTATE 'FH412' OR SQLSTATE 'FH409' THEN
    RETURN false;
END $$;

-- One refers to what another deletes; whoever comes second is told so. A transaction for each, for two that refer and then both delete
-- would wait for each other.
CREATE FUNCTION stress.ask(method text, url text, body jsonb DEFAULT NULL) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    told record;
BEGIN
    SELECT * INTO told FROM fhir.rest(method, url, body => body::text);
    IF told.status NOT IN (200, 201, 204, 404, 409, 410, 412) AND NOT (method = 'PUT' AND told.status = 422) THEN
        RAISE EXCEPTION '% % was answered with % %', method, url, told.status, told.answer;
    END IF;
    INSERT INTO stress.answer VALUES (method, told.status);
    RETURN told.status;
END $$;

-- A patient comes with a record, is written over, and goes without a trace; what others own is brought back to what it was.
CREATE FUNCTION stress.erase(patient text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM fhir.update(stress.patient(patient, 'z'));
    INSERT INTO lake.observation (resource) SELECT stress.observation(patient || '-' || i, patient, i) FROM generate_series(1, 5) i;
    UPDATE lake.observation SET resource = resource || '{"status":"amended"}' WHERE compartment = 'Patient/' || patient;
    PERFORM fhir.erase('Observation', patient || '-1');
    PERFORM fhir.purge('Patient/' || patient, preview => false);
END $$;

CREATE FUNCTION stress.revert(type text, id text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    earlier bigint;
BEGIN
    SELECT h.version INTO earlier FROM fhir.history(type, id, count => 3) h WHERE h.method <> 'DELETE' ORDER BY h.version LIMIT 1;
    IF earlier IS NOT NULL THEN
        PERFORM fhir.revert(type, id, version => earlier, preview => false);
    END IF;
    RETURN true;
EXCEPTION WHEN SQLSTATE 'FH412' OR SQLSTATE 'FH409' OR SQLSTATE 'FH404' OR SQLSTATE 'FH410' THEN
    RETURN false;
END $$;

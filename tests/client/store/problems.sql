-- What is wrong with a lake, a line each; none for a lake in order. Everything is read by sequential scans, and the indexes
-- are compared with what these find.
CREATE SCHEMA tests;

CREATE FUNCTION tests.problems(lake text) RETURNS SETOF text LANGUAGE plpgsql AS $function$
DECLARE
    query text;
    type text;
    by_scan text[];
    by_index text[];
    plan text;
    index regclass;
BEGIN
    PERFORM set_config('search_path', quote_ident(lake) || ', pg_catalog', true);
    PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_indexonlyscan', 'off', true);

    CREATE TEMP TABLE versions ON COMMIT DROP AS
        SELECT h.type, h.id, h.version, h.last_updated, h.superseded, h.method, h.resource FROM history h
        UNION ALL SELECT r.type, r.id, r.version, r.last_updated, NULL, 'current', r.resource FROM resource r;

    RETURN QUERY SELECT format('%s/%s: versions are %s', v.type, v.id, string_agg(v.version::text, ' ' ORDER BY v.version)) FROM versions v
        GROUP BY v.type, v.id HAVING min(v.version) <> 1 OR max(v.version) <> count(*) OR count(DISTINCT v.version) <> count(*) LIMIT 5;
    RETURN QUERY SELECT format('%s/%s: version %s (%s) ends at %s, the next begins at %s', v.type, v.id, v.version, v.method, v.superseded, v.next)
        FROM (SELECT *, lead(last_updated) OVER one AS next, lead(method) OVER one AS after FROM versions WINDOW one AS (PARTITION BY versions.type, id ORDER BY version)) v
        WHERE v.superseded IS DISTINCT FROM CASE v.method WHEN 'DELETE' THEN 'infinity' WHEN 'current' THEN NULL ELSE v.next END
           OR v.next <= v.last_updated OR (v.next IS NULL AND v.method NOT IN ('DELETE', 'current'))
           OR (v.next IS NOT NULL AND v.method = 'current') OR (v.method = 'DELETE' AND v.after = 'DELETE') LIMIT 5;
    RETURN QUERY SELECT format('%s/%s: version %s says of itself %s', v.type, v.id, v.version, v.resource->'meta') FROM versions v
        WHERE v.method <> 'DELETE' AND (v.resource->'meta'->>'versionId', v.resource->>'id', v.resource->>'resourceType', (v.resource->'meta'->>'lastUpdated')::timestamptz)
            IS DISTINCT FROM (v.version::text, v.id, v.type, v.last_updated) LIMIT 5;
    RETURN QUERY SELECT format('%s/%s: it is not valid', v.type, v.id) FROM versions v WHERE v.method <> 'DELETE' AND NOT fhir.is_valid(v.resource, v.type) LIMIT 5;

    RETURN QUERY SELECT format('%s/%s: its stamp is not that of its resource', r.type, r.id) FROM resource r
        WHERE fhir.keys_send(r.search) <> fhir.keys_send(fhir.keys(r.resource)) OR r.occurred <> fhir.occurred(r.resource) LIMIT 5;

    -- An appointment of several patients belongs to each; the first of them is its home.
    RETURN QUERY
        WITH belongs AS (
            SELECT 'Appointment' AS type, a.id, p.patient, min(p.place) AS place
            FROM appointment a, LATERAL (
                SELECT p->'actor'->>'reference' AS patient, n AS place FROM jsonb_array_elements(a.resource->'participant') WITH ORDINALITY e (p, n)) p
            WHERE p.patient LIKE 'Patient/%' GROUP BY 2, 3),
        ranked AS (SELECT *, row_number() OVER (PARTITION BY belongs.id ORDER BY belongs.place) AS rank FROM belongs),
        expected AS (SELECT ranked.type, ranked.id, ranked.patient, rank = 1 AS home FROM ranked),
        found AS (
            SELECT m.type, m.id, m.compartment AS patient, false AS home FROM membership m
            UNION ALL SELECT 'Appointment', a.id, a.compartment, true FROM appointment a WHERE a.compartment NOT LIKE 'Appointment/%')
        SELECT format('%s: in compartment %s%s', d.what, d.row, '') FROM (
            (SELECT 'missing' AS what, e::text AS row FROM (TABLE expected EXCEPT TABLE found) e)
            UNION ALL (SELECT 'too much', f::text FROM (TABLE found EXCEPT TABLE expected) f)) d LIMIT 5;
    RETURN QUERY SELECT format('membership of %s/%s has another time', m.type, m.id) FROM membership m JOIN resource r USING (type, id)
        WHERE m.occurred <> r.occurred LIMIT 5;

    -- GIN against the rows.
    FOREACH query IN ARRAY ARRAY['Patient?gender=male', 'Patient?gender=female', 'Patient?family=a', 'Patient?family=f3', 'Patient?identifier=urn:c|',
            'Patient?active=true', 'Patient?birthdate=ge1980', 'Patient?identifier:missing=true', 'Observation?code=http://loinc.org|8867-4',
            'Observation?subject=Patient/s1', 'Observation?patient=Patient/s2', 'Observation?value-quantity=gt5', 'Observation?date=ge2020',
            'Observation?status=final', 'Appointment?patient=Patient/s1', 'Appointment?patient=Patient/s2', 'Appointment?status=booked',
            'Appointment?actor=Patient/s3'] LOOP
        type := lower(split_part(query, '?', 1));
        PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'off', true);
        EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %I WHERE search OPERATOR(fhir.|=) %L', type, query) INTO by_scan;
        PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'on', true);
        EXECUTE format('EXPLAIN (FORMAT JSON) SELECT id FROM %I WHERE search OPERATOR(fhir.|=) %L', type, query) INTO plan;
        IF plan !~ '_search_idx' THEN RETURN NEXT format('%s: the index is not used', query); END IF;
        EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %I WHERE search OPERATOR(fhir.|=) %L', type, query) INTO by_index;
        IF by_scan IS DISTINCT FROM by_index THEN
            RETURN NEXT format('%s: %s rows by the index, %s by a scan', query, cardinality(by_index), cardinality(by_scan));
        END IF;
    END LOOP;

    -- The server's own checks of heaps and btrees, where its extension amcheck is installed.
    IF to_regproc('public.bt_index_check') IS NOT NULL THEN
        PERFORM set_config('enable_seqscan', 'on', true);
        FOR index IN SELECT i.indexrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
                WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relnamespace = quote_ident(lake)::regnamespace AND c.relpages > 1 LOOP
            BEGIN
                PERFORM public.bt_index_check(index, true);
            EXCEPTION WHEN OTHERS THEN RETURN NEXT format('%s: %s', index, SQLERRM);
            END;
        END LOOP;
        RETURN QUERY SELECT format('%s: %s', c.oid::regclass, v.msg) FROM pg_class c, LATERAL public.verify_heapam(c.oid) v
            WHERE c.relkind = 'r' AND c.relpages > 0 AND c.relnamespace = quote_ident(lake)::regnamespace LIMIT 5;
    END IF;
    DROP TABLE versions;
END
$function$;

-- Part of the server's package, and trusted nowhere: a superuser runs the tests.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'amcheck') THEN CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA public; END IF;
END $$;

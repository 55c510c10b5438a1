-- Bringing back what was, and removing without a trace.
-- Everything here runs with the rights of the caller, on the current lake.

-- Back to what was -------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.revert(type text, id text, version bigint DEFAULT NULL, as_of timestamptz DEFAULT NULL, preview boolean DEFAULT true)
    RETURNS jsonb
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    source text := fhir.table_of(revert.type);
    history text := quote_ident(fhir.current_lake()) || '.history';
    now jsonb;
    now_version bigint;
    past jsonb;
    was_absent boolean;
BEGIN
    IF revert.type IS NULL OR revert.id IS NULL THEN
        RETURN NULL;
    END IF;
    IF (revert.version IS NULL) = (revert.as_of IS NULL) THEN
        RAISE EXCEPTION 'fhir.revert takes either a version or a moment'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'fhir.revert(''Patient'', ''1'', version => 3), or as_of => ''2024-01-01''.';
    END IF;
    EXECUTE format('SELECT r.resource, r.version FROM %s r WHERE r.type = $1 AND r.id = $2', source)
        INTO now, now_version USING revert.type, revert.id;
    IF revert.version IS NOT NULL THEN
        past := fhir.vread(revert.type, revert.id, revert.version);
    ELSE
        EXECUTE format($$
            SELECT r.resource FROM %1$s r WHERE r.type = $1 AND r.id = $2 AND r.last_updated <= $3
            UNION ALL
            SELECT h.resource FROM %2$s h
            WHERE h.type = $1 AND h.id = $2 AND h.last_updated <= $3 AND h.superseded > $3 AND h.superseded < 'infinity'$$, source, history) INTO past USING revert.type, revert.id, revert.as_of;
    END IF;
    IF past IS NULL AND now IS NOT NULL THEN
        -- The first version after that moment must tell that there was none before it: what cannot be seen is not what was not.
        EXECUTE format($$
            SELECT EXISTS (
                SELECT FROM (SELECT r.version FROM %1$s r WHERE r.type = $1 AND r.id = $2 AND r.last_updated > $3
                             UNION ALL SELECT h.version FROM %2$s h WHERE h.type = $1 AND h.id = $2 AND h.last_updated > $3) v
                WHERE v.version = 1 OR EXISTS (
                    SELECT FROM %2$s t WHERE t.type = $1 AND t.id = $2 AND t.version = v.version - 1
                        AND t.resource IS NULL AND t.last_updated <= $3))$$, source, history)
            INTO was_absent USING revert.type, revert.id, revert.as_of;
        IF NOT was_absent THEN
            RAISE EXCEPTION 'what %/% was at that moment is not known', revert.type, revert.id
                USING ERRCODE = 'insufficient_privilege', HINT = 'Row-level security hides its history, or its history was removed.';
        END IF;
    END IF;
    IF past IS NULL AND now IS NULL THEN
        RAISE EXCEPTION 'there is no %/%, nor was there then', revert.type, revert.id USING ERRCODE = 'FH404';
    END IF;
    -- only who says so writes
    IF revert.preview IS NOT false THEN
        RETURN CASE
            WHEN past IS NULL THEN '[{"op": "remove", "path": ""}]'::jsonb
            WHEN now IS NULL THEN jsonb_build_array(jsonb_build_object('op', 'add', 'path', '', 'value', past))
            -- the store sets these two itself
            ELSE fhir.diff(now, jsonb_set(past, '{meta}', coalesce(past->'meta', '{}')
                || jsonb_build_object('versionId', now->'meta'->'versionId', 'lastUpdated', now->'meta'->'lastUpdated')))
        END;
    END IF;
    IF past IS NULL THEN
        PERFORM fhir.delete(revert.type, revert.id, now_version::text);
        RETURN NULL;
    END IF;
    -- Another writer since then makes this fail.
    RETURN fhir.update(past, now_version::text);
END
$function$;
COMMENT ON FUNCTION fhir.revert(text, text, bigint, timestamptz, boolean) IS
    'writes what a resource was, in a version or at a moment, as its new version: back also from a deletion, and away where it was not there yet. Returns it as stored, NULL for a deletion; with preview, which is the default, writes nothing and returns the JSON Patch that it would make. Raises FH412 where somebody else writes in between';

CREATE FUNCTION fhir.revert_where(search text, as_of timestamptz, preview boolean DEFAULT true)
    RETURNS TABLE (type text, id text, action text, from_version bigint, to_version bigint)
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 100000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
DECLARE
    lake text := quote_ident(fhir.current_lake());
    types text[];
    ids text[];
    one record;
BEGIN
    IF search !~ '[?]' AND search ~ '^Patient/[A-Za-z0-9.-]{1,64}$' THEN
        EXECUTE format($$
            SELECT array_agg(f.type), array_agg(f.id) FROM (
                SELECT r.type, r.id FROM %1$s.resource r WHERE r.compartment = $1
                UNION SELECT m.type, m.id FROM %1$s.membership m WHERE m.compartment = $1
                UNION SELECT h.type, h.id FROM %1$s.history h WHERE h.compartment = $1 AND h.last_updated <= $2 AND h.superseded > $2) f$$,
            lake) INTO types, ids USING search, as_of;
    ELSE
        SELECT array_agg(f.type), array_agg(f.id) INTO types, ids FROM (
            SELECT r.type, r.id FROM fhir.search_rows(search) r
            UNION SELECT r.type, r.id FROM fhir.search_rows(search, as_of => revert_where.as_of) r) f;
    END IF;
    -- What comes back comes before what goes.
    FOR one IN EXECUTE format($$
            SELECT k.type, k.id, n.version AS from_version, t.version AS to_version, t.resource,
                   -- The first version after that moment must tell that there was none before it: what cannot be seen is not what was not.
                   t.version IS NOT NULL OR EXISTS (
                       SELECT FROM (SELECT r.version FROM %1$s.resource r WHERE r.type = k.type AND r.id = k.id AND r.last_updated > $3
                                    UNION ALL SELECT h.version FROM %1$s.history h WHERE h.type = k.type AND h.id = k.id AND h.last_updated > $3) v
                       WHERE v.version = 1 OR EXISTS (
                           SELECT FROM %1$s.history d WHERE d.type = k.type AND d.id = k.id AND d.version = v.version - 1
                               AND d.resource IS NULL AND d.last_updated <= $3)) AS is_known,
                   CASE WHEN t.version IS NULL THEN 'delete' WHEN n.version IS NULL THEN 'create' ELSE 'update' END AS action
            FROM unnest($1, $2) k(type, id)
            LEFT JOIN %1$s.resource n ON n.type = k.type AND n.id = k.id
            LEFT JOIN LATERAL (
                SELECT c.version, c.resource FROM %1$s.resource c WHERE c.type = k.type AND c.id = k.id AND c.last_updated <= $3
                UNION ALL
                SELECT h.version, h.resource FROM %1$s.history h
                WHERE h.type = k.type AND h.id = k.id AND h.last_updated <= $3 AND h.superseded > $3 AND h.superseded < 'infinity'
            ) t ON true
            WHERE (n.version IS NOT NULL OR t.version IS NOT NULL)
              AND (n.version IS NULL OR t.version IS NULL OR NOT fhir.same_resource(n.resource, t.resource))
            ORDER BY t.version IS NULL, k.type, k.id$$, lake) USING types, ids, as_of
    LOOP
        IF NOT one.is_known THEN
            RAISE EXCEPTION 'what %/% was at that moment is not known', one.type, one.id
                USING ERRCODE = 'insufficient_privilege', HINT = 'Row-level security hides its history, or its history was removed.';
        END IF;
        IF NOT preview THEN
            IF one.action = 'delete' THEN
                PERFORM fhir.delete(one.type, one.id, one.from_version::text);
            ELSE
                PERFORM fhir.update(one.resource, one.from_version::text);
            END IF;
        END IF;
        type := one.type;
        id := one.id;
        action := one.action;
        from_version := one.from_version;
        to_version := one.to_version;
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.revert_where(text, timestamptz, boolean) IS
    'brings back to a moment what a search such as Observation?code=… finds now or found then, or the record of a patient, given as Patient/id. A row for each resource that differs: create, update or delete, from the version it has to the version that it was. With preview, which is the default, nothing is written';

-- Away without a trace ---------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.names_any(line text, targets text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
        SELECT EXISTS (
            SELECT FROM pg_catalog.regexp_matches($1, '([A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64})', 'g') m
            WHERE m[1] OPERATOR(pg_catalog.=) ANY ($2))
        OR EXISTS (
            SELECT FROM pg_catalog.regexp_matches($1, '"resourceType"\s*:\s*"([A-Za-z]+)"', 'g') t,
                        pg_catalog.regexp_matches($1, '"id"\s*:\s*"([A-Za-z0-9.-]{1,64})"', 'g') i
            WHERE (t[1] OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) i[1]) OPERATOR(pg_catalog.=) ANY ($2))
    $$;
COMMENT ON FUNCTION fhir.names_any(text, text[]) IS
    'whether a line that could not be loaded is of one of these resources, given as Type/id, or names one: as far as text that need not be JSON can tell';

CREATE FUNCTION fhir.assert_may_erase() RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    lake text := fhir.current_lake();
    relation text;
BEGIN
    IF to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'undefined_table', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    FOREACH relation IN ARRAY '{resource,history,membership,entity,entity_run,entity_review,issue,load_error,stored}'::text[] LOOP
        -- a lake that an older version made does not have them all
        CONTINUE WHEN to_regclass(format('%I.%I', lake, relation)) IS NULL;
        IF NOT has_table_privilege(format('%I.%I', lake, relation), 'SELECT')
            OR NOT has_table_privilege(format('%I.%I', lake, relation), 'DELETE') THEN
            RAISE EXCEPTION 'permission denied to erase: it takes SELECT and DELETE on table "%" of the lake', relation
                USING ERRCODE = 'insufficient_privilege',
                      HINT = 'It takes both on resource and each partition, history, membership, entity, entity_run, entity_review, issue, load_error and stored, and no row-level security that applies. The owner of the lake has them.';
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.assert_may_erase() IS
    'raises 42501 unless the caller has SELECT and DELETE on the tables of the lake that fhir.erase and fhir.purge remove from';

-- Called behind what removes the resources, in a statement of its own: a refresh that saw them has committed when this begins.
CREATE FUNCTION fhir.erase_stored(types text[], ids text[], home text DEFAULT NULL, kept_types text[] DEFAULT '{}', kept_ids text[] DEFAULT '{}',
                                  preview boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET row_security = off
    AS $function$
DECLARE
    stored text := quote_ident(fhir.current_lake()) || '.stored';
    statement text := CASE WHEN preview THEN 'SELECT count(*) FROM %1$s x WHERE %2$s'
        ELSE 'WITH gone AS (DELETE FROM %1$s x WHERE %2$s RETURNING 1) SELECT count(*) FROM gone' END;
    condition text := '(x._type = $1 AND x._id = ANY ($2))';
    one text;
    count bigint;
    total bigint := 0;
BEGIN
    -- a lake that an older version made
    IF to_regclass(stored) IS NULL THEN
        RETURN 0;
    END IF;
    IF NOT preview THEN
        EXECUTE format('LOCK TABLE ONLY %s IN ROW EXCLUSIVE MODE', stored);
        -- An old snapshot does not have the rows that a refresh made since: then this fails, to be tried again.
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            EXECUTE format('SELECT FROM %I.stored_view v FOR SHARE', fhir.current_lake());
        END IF;
    END IF;
    FOR one IN SELECT DISTINCT t FROM unnest(types) t ORDER BY 1 LOOP
        EXECUTE format(statement, stored, condition) INTO count
            USING one, ARRAY(SELECT k.id FROM unnest(types, ids) k(type, id) WHERE k.type = one);
        total := total + count;
    END LOOP;
    -- Rows of versions that were this patient's, of resources that are others' now.
    IF home IS NOT NULL THEN
        EXECUTE format(statement, stored, 'x._compartment = $1 AND NOT EXISTS (
            SELECT FROM unnest($2 || $4, $3 || $5) k(type, id) WHERE k.type = x._type AND k.id = x._id)')
            INTO count USING home, types, ids, kept_types, kept_ids;
        total := total + count;
    END IF;
    RETURN total;
END
$function$;
COMMENT ON FUNCTION fhir.erase_stored(text[], text[], text, text[], text[], boolean) IS
    'removes what stored views have of resources, and of former versions that were at home there; returns how many rows. fhir.erase and fhir.purge call it';

CREATE FUNCTION fhir.erase(type text, id text) RETURNS TABLE ("table" text, count bigint)
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 10000 ROWS 5
    SET search_path = pg_catalog, pg_temp
    -- What a policy hides would be left: then it is an error.
    SET row_security = off
    AS $function$
#variable_conflict use_column
DECLARE
    lake text := quote_ident(fhir.current_lake());
    source text := fhir.table_of(erase.type);
    derived_types text[] := '{}';
    derived_ids text[] := '{}';
    gone bigint;
BEGIN
    PERFORM fhir.assert_may_erase();
    -- What was made of its words has them, too. What somebody has changed since is theirs, and stays with its Provenance.
    IF to_regclass(lake || '.entity_run') IS NOT NULL THEN
        SELECT coalesce(array_agg(d.type) FILTER (WHERE is_gone), '{}'), coalesce(array_agg(d.id) FILTER (WHERE is_gone), '{}') INTO derived_types, derived_ids
        FROM (SELECT f.type, f.id, NOT f.is_changed AND NOT (f.type = 'Provenance' AND f.is_stored AND bool_or(f.is_changed) OVER ()) AS is_gone
              FROM fhir.derived_from(erase.type, erase.id) f) d;
    END IF;
    FOR "table", count IN
        SELECT e."table", sum(e.count)::bigint FROM unnest(derived_types, derived_ids) d(type, id) CROSS JOIN LATERAL fhir.erase(d.type, d.id) e GROUP BY 1 ORDER BY 1
    LOOP
        RETURN NEXT;
    END LOOP;
    EXECUTE format('SELECT count(*) FROM %s.membership m WHERE m.type = $1 AND m.id = $2', lake) INTO count USING erase.type, erase.id;
    IF count > 0 THEN
        "table" := 'membership';
        RETURN NEXT;
    END IF;
    -- As any deletion: triggers keep the last version and a tombstone, which then go with the rest of history.
    EXECUTE format('DELETE FROM %s r WHERE r.type = $1 AND r.id = $2', source) USING erase.type, erase.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        "table" := lower(erase.type);
        count := gone;
        RETURN NEXT;
    END IF;
    EXECUTE format('DELETE FROM %s.history h WHERE h.type = $1 AND h.id = $2', lake) USING erase.type, erase.id;
    GET DIAGNOSTICS count = ROW_COUNT;
    count := count - 2 * gone;
    IF count > 0 THEN
        "table" := 'history';
        RETURN NEXT;
    END IF;
    EXECUTE format('DELETE FROM %s.membership m WHERE m.type = $1 AND m.id = $2', lake) USING erase.type, erase.id;
    FOREACH "table" IN ARRAY '{entity,entity_run,entity_review,issue}'::text[] LOOP
        CONTINUE WHEN to_regclass(format('%s.%I', lake, "table")) IS NULL;
        EXECUTE format('DELETE FROM %s.%I e WHERE e.type = $1 AND e.id = $2', lake, "table") USING erase.type, erase.id;
        GET DIAGNOSTICS count = ROW_COUNT;
        IF count > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
    count := fhir.erase_stored(ARRAY[erase.type], ARRAY[erase.id]);
    IF count > 0 THEN
        "table" := 'stored';
        RETURN NEXT;
    END IF;
    EXECUTE format('DELETE FROM %s.load_error e WHERE fhir.names_any(e.text, ARRAY[$1])', lake) USING erase.type || '/' || erase.id;
    GET DIAGNOSTICS count = ROW_COUNT;
    IF count > 0 THEN
        "table" := 'load_error';
        RETURN NEXT;
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.erase(text, text) IS
    'removes a resource with all its versions, what was found in its text and derived from that, and lines that could not be loaded and name it; returns how many rows went from which table. Needs DELETE on history as well. References to it stay: fhir.referring lists them';

CREATE FUNCTION fhir.purge(patient text, preview boolean DEFAULT true, shared boolean DEFAULT false)
    RETURNS TABLE (action text, "table" text, type text, id text, count bigint)
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 100000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    SET row_security = off
    AS $function$
#variable_conflict use_column
DECLARE
    lake text := quote_ident(fhir.current_lake());
    home text := 'Patient/' || regexp_replace(patient, '^Patient/', '');
    -- what goes, what stays because it is others' as well, and which types that is of
    types text[];
    ids text[];
    kept_types text[];
    kept_ids text[];
    gone bigint := 0;
    statement text := CASE WHEN preview THEN 'SELECT count(*) FROM %s x WHERE %s'
        ELSE 'WITH gone AS (DELETE FROM %s x WHERE %s RETURNING 1) SELECT count(*) FROM gone' END;
    condition text;
    targets text[];
    one text;
BEGIN
    IF home !~ '^Patient/[A-Za-z0-9.-]{1,64}$' THEN
        RAISE EXCEPTION 'fhir.purge takes a patient, as Patient/id or id' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM fhir.assert_may_erase();
    EXECUTE format($$
        WITH whole AS (
            SELECT r.type, r.id, r.type || '/' || r.id <> $1 AND EXISTS (
                SELECT FROM %1$s.membership m WHERE m.type = r.type AND m.id = r.id) AS is_shared
            FROM %1$s.resource r WHERE r.compartment = $1 OR (r.type = 'Patient' AND r.id = $3)
            UNION
            SELECT m.type, m.id, true FROM %1$s.membership m WHERE m.compartment = $1%2$s)
        SELECT coalesce(array_agg(w.type) FILTER (WHERE NOT w.is_shared OR $2), '{}'),
               coalesce(array_agg(w.id) FILTER (WHERE NOT w.is_shared OR $2), '{}'),
               coalesce(array_agg(w.type ORDER BY w.type, w.id) FILTER (WHERE w.is_shared AND NOT $2), '{}'),
               coalesce(array_agg(w.id ORDER BY w.type, w.id) FILTER (WHERE w.is_shared AND NOT $2), '{}')
        FROM whole w$$, lake,
        -- Provenances of what was derived from the notes, which are at home nowhere
        CASE WHEN to_regclass(lake || '.entity_run') IS NOT NULL THEN format($$
            UNION
            SELECT p.type, p.id, false FROM %1$s.entity_run n JOIN %1$s.provenance p ON p.type = 'Provenance'
                AND p.id = fhir.derived_id(n.type || '/' || n.id || '/_history/' || n.version, n.lexicon, 'Provenance', 0, 0, '')
            WHERE n.compartment = $1$$, lake) END) INTO types, ids, kept_types, kept_ids USING home, shared, substr(home, 9);

    action := 'erase';
    EXECUTE format('SELECT count(*) FROM %s.membership m WHERE (m.type, m.id) IN (SELECT * FROM unnest($1, $2))', lake)
        INTO count USING types, ids;
    IF count > 0 THEN
        "table" := 'membership';
        RETURN NEXT;
    END IF;
    FOR one IN SELECT DISTINCT t FROM unnest(types) t ORDER BY 1 LOOP
        EXECUTE format(statement, fhir.table_of(one), 'x.type = $1 AND x.id = ANY ($2)')
            INTO count USING one, ARRAY(SELECT k.id FROM unnest(types, ids) k(type, id) WHERE k.type = one);
        gone := gone + count;
        "table" := lower(one);
        type := one;
        RETURN NEXT;
    END LOOP;
    type := NULL;
    -- Versions that were this patient's, whatever became of the resource; and all versions of what goes.
    targets := ARRAY(SELECT k.type || '/' || k.id FROM unnest(types, ids) k(type, id) UNION SELECT home);
    FOREACH one IN ARRAY '{history,entity,entity_run,entity_review,issue,load_error}'::text[] LOOP
        CONTINUE WHEN to_regclass(format('%s.%I', lake, one)) IS NULL;
        condition := CASE one WHEN 'load_error' THEN 'fhir.names_any(x.text, $6)'
            ELSE format('x.ctid = ANY (ARRAY(
                SELECT y.ctid FROM %1$s.%2$I y WHERE y.compartment = $1 AND NOT EXISTS (
                    SELECT FROM unnest($4, $5) k(type, id) WHERE k.type = y.type AND k.id = y.id)
                UNION SELECT y.ctid FROM unnest($2, $3) k(type, id) JOIN %1$s.%2$I y ON y.type = k.type AND y.id = k.id))', lake, one) END;
        EXECUTE format(statement, format('%s.%I', lake, one), condition) INTO count USING home, types, ids, kept_types, kept_ids, targets;
        -- each deletion above has added the last version and a tombstone
        IF one = 'history' AND NOT preview THEN
            count := count - 2 * gone;
        END IF;
        IF count > 0 THEN
            "table" := one;
            RETURN NEXT;
        END IF;
    END LOOP;
    count := fhir.erase_stored(types, ids, home, kept_types, kept_ids, preview);
    IF count > 0 THEN
        "table" := 'stored';
        RETURN NEXT;
    END IF;

    -- What stays: resources that are others' as well, and whatever else refers to what went.
    count := NULL;
    action := 'keep';
    FOR type, id IN SELECT * FROM unnest(kept_types, kept_ids) LOOP
        "table" := lower(type);
        RETURN NEXT;
    END LOOP;
    action := 'refers';
    FOR type, id, count IN
        SELECT r.type, r.id, count(*)
        FROM fhir.referring(targets, fhir.current_lake()) r
        WHERE NOT EXISTS (SELECT FROM unnest(types, ids) k(type, id) WHERE k.type = r.type AND k.id = r.id)
        GROUP BY 1, 2 ORDER BY 1, 2
    LOOP
        "table" := lower(type);
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.purge(text, boolean, boolean) IS
    'removes a patient and everything of that compartment, with all versions, as fhir.erase does. A row with action erase for each table: how many; keep for each resource that stays because it belongs to another patient as well, unless shared; refers for each resource that still refers to what went, and how often. With preview, which is the default, nothing is removed';

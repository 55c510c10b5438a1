-- The quality of what a lake holds: what validation finds in stored resources, counted, and how that changes.

CREATE FUNCTION fhir.create_quality(name text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    EXECUTE format($$
        CREATE TABLE %1$I.revalidation (
            run           bigint      NOT NULL,
            type          text        NOT NULL,
            level         text        NOT NULL,
            started       timestamptz NOT NULL DEFAULT clock_timestamp(),
            finished      timestamptz,
            by            name        NOT NULL DEFAULT CURRENT_USER,
            snapshot      pg_snapshot NOT NULL,
            definitions   text        NOT NULL,
            checked       bigint      NOT NULL DEFAULT 0,
            resources     bigint      NOT NULL DEFAULT 0,
            with_errors   bigint      NOT NULL DEFAULT 0,
            with_warnings bigint      NOT NULL DEFAULT 0,
            PRIMARY KEY (run, type)
        );
        COMMENT ON TABLE %1$I.revalidation IS 'runs of fhir.revalidate, a row for each resource type';
        COMMENT ON COLUMN %1$I.revalidation.snapshot IS 'the transactions that the run saw';
        COMMENT ON COLUMN %1$I.revalidation.definitions IS 'what the profiles, value sets, code systems and concepts of the lake were';
        COMMENT ON COLUMN %1$I.revalidation.checked IS 'resources that were new or changed since the last run, or all where the level or the definitions had changed';
        COMMENT ON COLUMN %1$I.revalidation.resources IS 'resources of the type that there were';

        CREATE TABLE %1$I.issue (
            compartment text   COLLATE "C" NOT NULL,
            type        text   NOT NULL,
            id          text   COLLATE "C" NOT NULL,
            version     bigint NOT NULL,
            severity    text   NOT NULL,
            code        text   NOT NULL,
            expression  text   NOT NULL,
            details     text   NOT NULL,
            rule        text   NOT NULL,
            profile     text,
            run         bigint NOT NULL
        );
        CREATE INDEX issue_resource ON %1$I.issue (type, id);
        CREATE INDEX issue_compartment ON %1$I.issue (compartment);
        COMMENT ON TABLE %1$I.issue IS 'what the last fhir.revalidate of each type found';
        COMMENT ON COLUMN %1$I.issue.rule IS 'key of an invariant, binding, extension, element or slice of a profile, structure';
        COMMENT ON COLUMN %1$I.issue.run IS 'the run that found it';

        CREATE TABLE %1$I.quality (
            run       bigint NOT NULL,
            type      text   NOT NULL,
            severity  text   NOT NULL,
            rule      text   NOT NULL,
            profile   text   NOT NULL,
            resources bigint NOT NULL,
            issues    bigint NOT NULL,
            PRIMARY KEY (run, type, severity, rule, profile)
        );
        COMMENT ON TABLE %1$I.quality IS 'issues of stored resources as each run of fhir.revalidate left them, counted by type, severity, rule and profile';
        COMMENT ON COLUMN %1$I.quality.profile IS 'empty for what FHIR itself demands'$$, name);
    IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(quote_ident(name) || '.load') AND a.attname = 'xid') THEN
        EXECUTE format($$
            ALTER TABLE %1$I.load ADD xid xid8;
            ALTER TABLE %1$I.load ALTER xid SET DEFAULT pg_current_xact_id();
            COMMENT ON COLUMN %1$I.load.xid IS 'transaction of the load, which is that of the versions that it wrote'$$, name);
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.create_quality(text) IS
    'makes the tables of fhir.revalidate in a lake; fhir.create_lake and fhir.upgrade_lake call it';

-- Which definitions a lake has, as a short text that changes when they do.
CREATE FUNCTION fhir.definitions_of(lake text) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    result text := '';
    one text;
    part text;
BEGIN
    FOREACH one IN ARRAY '{structuredefinition,valueset,codesystem}'::text[] LOOP
        EXECUTE format('SELECT count(*) || '':'' || coalesce(sum(hashtextextended(d.id || d.version, 0)::numeric), 0) FROM %I.%I d', lake, one) INTO part;
        result := result || part || ' ';
    END LOOP;
    -- Concepts that are loaded beside their code system leave it as it is. A lake that an older version made has no table of them.
    IF to_regclass(format('%I.concept', lake)) IS NOT NULL THEN
        EXECUTE format('SELECT count(*) || '':'' || coalesce(sum(hash_record_extended(c, 0)::numeric), 0) FROM %I.concept c', lake) INTO part;
        result := result || part;
    END IF;
    RETURN md5(result);
END
$function$;
COMMENT ON FUNCTION fhir.definitions_of(text) IS
    'a text that is the same as long as a lake has the same versions of profiles, value sets and code systems, and the same concepts';

CREATE FUNCTION fhir.revalidate(level text DEFAULT 'profile', of_type text DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, resources bigint, checked bigint, with_errors bigint, with_warnings bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 20
    SET search_path = pg_catalog, pg_temp
    -- What a policy hides would be left out: then it is an error.
    SET row_security = off
    AS $function$
#variable_conflict use_column
DECLARE
    name text := quote_ident(lake);
    number bigint;
    definitions text;
    seen pg_snapshot;
    began timestamptz;
    -- Restored into another cluster, numbers of transactions begin anew: so the time counts as well.
    changed text := '($%1$s IS NULL OR NOT pg_visible_in_snapshot(r.xid, $%1$s) OR r.last_updated >= $%2$s)';
    source text;
BEGIN
    IF revalidate.level IS NULL OR revalidate.level NOT IN ('structure', 'invariants', 'bindings', 'profile') THEN
        RAISE EXCEPTION 'validation has no level "%"', revalidate.level
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Levels are structure, invariants, bindings and profile.';
    END IF;
    IF lake IS NULL OR to_regclass(name || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    IF to_regclass(name || '.revalidation') IS NULL THEN
        RAISE EXCEPTION 'lake "%" was made by an older version', lake
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'ALTER EXTENSION fhirlake UPDATE, then SELECT fhir.upgrade_lake() adds what is missing.';
    END IF;
    IF of_type IS NOT NULL AND NOT EXISTS (SELECT FROM fhir.resource_types() r(name) WHERE r.name = of_type) THEN
        RAISE EXCEPTION 'there is no resource type "%"', of_type
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT fhir.resource_types() lists the types of FHIR R4.';
    END IF;
    -- one run at a time; readers go on
    EXECUTE format('LOCK TABLE %s.revalidation IN SHARE ROW EXCLUSIVE MODE', name);
    EXECUTE format('SELECT coalesce(max(r.run), 0) + 1 FROM %s.revalidation r', name) INTO number;
    -- what depends on the resource alone does not depend on definitions
    definitions := CASE WHEN revalidate.level IN ('bindings', 'profile') THEN fhir.definitions_of(lake) ELSE '' END;
    FOR type IN SELECT r.name FROM fhir.resource_types() r(name) WHERE of_type IS NULL OR r.name = of_type ORDER BY 1 LOOP
        source := name || '.' || quote_ident(lower(type));
        EXECUTE format('SELECT count(*) FROM %s', source) INTO resources;
        EXECUTE format('SELECT s.snapshot, s.started FROM (SELECT * FROM %s.revalidation r WHERE r.type = $1 ORDER BY r.run DESC LIMIT 1) s
                WHERE s.level = $2 AND s.definitions = $3 AND s.finished IS NOT NULL', name)
            INTO seen, began USING type, revalidate.level, definitions;
        -- what is gone, or has changed
        EXECUTE format('DELETE FROM %s.issue i WHERE i.type = $1
                AND NOT EXISTS (SELECT FROM %s r WHERE r.id = i.id AND r.version = i.version AND NOT %s)', name, source, format(changed, 2, 3))
            USING type, seen, began;
        CONTINUE WHEN resources = 0 AND seen IS NULL AND of_type IS NULL;
        EXECUTE format('INSERT INTO %s.revalidation (run, type, level, snapshot, definitions, resources) VALUES ($1, $2, $3, $4, $5, $6)', name)
            USING number, type, revalidate.level, pg_current_snapshot(), definitions, resources;
        EXECUTE format('SELECT count(*) FROM %s r WHERE %s', source, format(changed, 1, 2)) INTO checked USING seen, began;
        IF checked > 0 THEN
            EXECUTE format('INSERT INTO %s.issue
                SELECT r.compartment, r.type, r.id, r.version, i.severity, i.code, i.expression, i.details, i.rule, i.profile, $1
                FROM %s r, fhir.issues(r.resource, $2, ''{}'', $3) i WHERE %s', name, source, format(changed, 4, 5))
                USING number, revalidate.level, lake, seen, began;
        END IF;
        EXECUTE format($$
            INSERT INTO %1$s.quality
            SELECT $1, i.type, i.severity, i.rule, coalesce(i.profile, ''), count(DISTINCT i.id), count(*)
            FROM %1$s.issue i WHERE i.type = $2 GROUP BY 2, 3, 4, 5$$, name) USING number, type;
        EXECUTE format($$
            UPDATE %1$s.revalidation v SET finished = clock_timestamp(), checked = $3,
                with_errors = (SELECT count(DISTINCT i.id) FROM %1$s.issue i WHERE i.type = $2 AND i.severity IN ('fatal', 'error')),
                with_warnings = (SELECT count(DISTINCT i.id) FROM %1$s.issue i WHERE i.type = $2 AND i.severity = 'warning')
            WHERE v.run = $1 AND v.type = $2 RETURNING v.with_errors, v.with_warnings$$, name)
            INTO with_errors, with_warnings USING number, type, checked;
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.revalidate(text, text, text) IS
    'validates stored resources at a level, of one type or of all, and keeps what it finds in table issue of the lake: only what is new or changed since the last run at that level with the same definitions, else everything. For the owner of the lake';

CREATE FUNCTION fhir.quality(lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, severity text, rule text, profile text, file text, resources bigint, issues bigint, example text, details text)
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
DECLARE
    name text := quote_ident(lake);
BEGIN
    IF to_regclass(name || '.issue') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%" that fhir.revalidate has tables in', lake
            USING ERRCODE = 'undefined_table', HINT = 'SELECT * FROM fhir.lakes() lists lakes; fhir.upgrade_lake adds what an older one does not have.';
    END IF;
    RETURN QUERY EXECUTE format($$
        SELECT i.type, i.severity, i.rule, i.profile, l.file, count(DISTINCT i.id), count(*),
               min(i.type || '/' || i.id), min(i.expression || ': ' || i.details)
        FROM %1$s.issue i
        LEFT JOIN %1$s.resource r ON r.type = i.type AND r.id = i.id AND r.version = i.version
        LEFT JOIN (SELECT l.xid, CASE count(*) WHEN 1 THEN min(l.file) ELSE min(l.file) || ' and others' END AS file
                   FROM %1$s.load l WHERE l.xid IS NOT NULL GROUP BY l.xid) l ON l.xid = r.xid
        GROUP BY 1, 2, 3, 4, 5
        UNION ALL
        SELECT NULL, 'error', 'rejected', NULL, e.file, count(*), count(*), NULL, min(coalesce(e.expression || ': ', '') || e.reason)
        FROM %1$s.load_error e WHERE NOT e.is_loaded GROUP BY e.file
        ORDER BY 7 DESC, 1, 2, 3, 4, 5$$, name);
END
$function$;
COMMENT ON FUNCTION fhir.quality(text) IS
    'what is wrong with what a lake holds, as the last fhir.revalidate of each type found it: by type, severity, rule, profile and the file it was loaded from, with the number of resources, an example and what it says; and lines that loads rejected';

CREATE FUNCTION fhir.quality_changes(lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, severity text, rule text, profile text, before timestamptz, after timestamptz, resources_before bigint, resources_after bigint)
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
DECLARE
    name text := quote_ident(lake);
BEGIN
    IF to_regclass(name || '.quality') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%" that fhir.revalidate has tables in', lake
            USING ERRCODE = 'undefined_table', HINT = 'SELECT * FROM fhir.lakes() lists lakes; fhir.upgrade_lake adds what an older one does not have.';
    END IF;
    RETURN QUERY EXECUTE format($$
        WITH runs AS (
            SELECT v.type, v.run, v.started, lag(v.run) OVER w AS previous, lag(v.started) OVER w AS previously,
                   row_number() OVER (PARTITION BY v.type ORDER BY v.run DESC) AS place
            FROM %1$s.revalidation v WHERE v.finished IS NOT NULL WINDOW w AS (PARTITION BY v.type ORDER BY v.run)),
        last AS (SELECT * FROM runs WHERE place = 1 AND previous IS NOT NULL)
        SELECT l.type, c.severity, c.rule, nullif(c.profile, ''), l.previously, l.started, c.was, c.is
        FROM last l, LATERAL (
            SELECT q.severity, q.rule, q.profile,
                   coalesce(sum(q.resources) FILTER (WHERE q.run = l.previous), 0)::bigint AS was,
                   coalesce(sum(q.resources) FILTER (WHERE q.run = l.run), 0)::bigint AS is
            FROM %1$s.quality q WHERE q.type = l.type AND q.run IN (l.run, l.previous)
            GROUP BY 1, 2, 3) c
        WHERE c.was <> c.is
        ORDER BY abs(c.is - c.was) DESC, 1, 2, 3, 4$$, name);
END
$function$;
COMMENT ON FUNCTION fhir.quality_changes(text) IS
    'how the number of resources that break a rule changed between the last two runs of fhir.revalidate of each type';

-- Flat views that are stored: a table of their rows, a view in front of it, and what brings it up to date.

-- All stored rows of a lake are found through one table, so that erasure reaches them whatever the tables are called.
CREATE FUNCTION fhir.create_stored(name text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    EXECUTE format($$
        CREATE TABLE %1$I.stored (
            _compartment  text        COLLATE "C" NOT NULL,
            _type         text        NOT NULL,
            _id           text        COLLATE "C" NOT NULL,
            _version      bigint      NOT NULL,
            _last_updated timestamptz NOT NULL,
            _xid          xid8        NOT NULL,
            CHECK (false) NO INHERIT
        );
        -- each table has a policy of its own; through this one, only the owner reads
        ALTER TABLE %1$I.stored ENABLE ROW LEVEL SECURITY;
        COMMENT ON TABLE %1$I.stored IS 'what the tables of stored views inherit, to be found by; it has no rows of its own';
        COMMENT ON COLUMN %1$I.stored._compartment IS 'home of the resource that the row was made of';
        COMMENT ON COLUMN %1$I.stored._type IS 'its type';
        COMMENT ON COLUMN %1$I.stored._id IS 'its id';
        COMMENT ON COLUMN %1$I.stored._version IS 'its version';
        COMMENT ON COLUMN %1$I.stored._last_updated IS 'when that version was made';
        COMMENT ON COLUMN %1$I.stored._xid IS 'transaction that made that version';

        CREATE TABLE %1$I.stored_view (
            -- they are whatever they are called now, and in a dump they are names
            stored     regclass    PRIMARY KEY,
            shown      regclass    NOT NULL,
            definition jsonb       NOT NULL,
            by         name        NOT NULL DEFAULT CURRENT_USER,
            refreshed  timestamptz NOT NULL,
            snapshot   pg_snapshot NOT NULL,
            xid        xid8        NOT NULL
        );
        COMMENT ON TABLE %1$I.stored_view IS 'views that fhir.create_view made with materialized; fhir.views() shows them';
        COMMENT ON COLUMN %1$I.stored_view.stored IS 'the table of its rows';
        COMMENT ON COLUMN %1$I.stored_view.shown IS 'the view';
        COMMENT ON COLUMN %1$I.stored_view.definition IS 'the ViewDefinition';
        COMMENT ON COLUMN %1$I.stored_view.refreshed IS 'when its rows were last brought up to date';
        COMMENT ON COLUMN %1$I.stored_view.snapshot IS 'the transactions that this saw';
        COMMENT ON COLUMN %1$I.stored_view.xid IS 'the transaction in which it was done'$$, name);
END
$function$;
COMMENT ON FUNCTION fhir.create_stored(text) IS
    'makes the tables of stored views in a lake; fhir.create_lake and fhir.upgrade_lake call it';

CREATE FUNCTION fhir.assert_may_store(lake text, type text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    IF NOT EXISTS (SELECT FROM fhir.lakes() l WHERE l.lake = assert_may_store.lake) THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'undefined_table', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    IF to_regclass(quote_ident(lake) || '.stored_view') IS NULL THEN
        RAISE EXCEPTION 'lake "%" was made by an older version', lake
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'ALTER EXTENSION fhirlake UPDATE, then SELECT fhir.upgrade_lake() adds what is missing.';
    END IF;
    IF NOT EXISTS (SELECT FROM fhir.lakes() l WHERE l.lake = assert_may_store.lake AND pg_has_role(l.owner, 'USAGE')) THEN
        RAISE EXCEPTION 'must be owner of lake "%" to store rows of its views', lake USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- What a policy hides would be missing for those whom it does not concern.
    IF type IS NOT NULL AND row_security_active(format('%I.%I', lake, lower(type))) THEN
        RAISE EXCEPTION 'row-level security of table "%" hides rows from you', lower(type)
            USING ERRCODE = 'insufficient_privilege', HINT = 'A role with BYPASSRLS sees them all.';
    END IF;
    -- A snapshot from before an erasure would bring back what it removed.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'rows of views are stored in transactions at READ COMMITTED only' USING ERRCODE = 'feature_not_supported';
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.assert_may_store(text, text) IS
    'raises an error unless the caller may store rows of views of a lake: its owner, whom no policy hides a row from, at READ COMMITTED';

CREATE FUNCTION fhir.assert_can_store(view jsonb) RETURNS void
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    -- strings, quoted names and comments
    quoted CONSTANT text := $$'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|//[^\n]*|/\*(?:[^*]|\*+[^*/])*\*+/$$;
    one record;
BEGIN
    FOR one IN
        WITH RECURSIVE part(place, item) AS (
            SELECT 'ViewDefinition', view
            UNION ALL
            SELECT format('%s.%s[%s]', p.place, k, e.number - 1), e.item
            FROM part p, unnest('{select,unionAll,column,repeat,where}'::text[]) k,
                jsonb_array_elements(CASE jsonb_typeof(p.item->k) WHEN 'array' THEN p.item->k ELSE '[]' END) WITH ORDINALITY e(item, number))
        SELECT concat_ws('.', p.place, v.key) AS place, v.key, v.value
        FROM part p, LATERAL (
            SELECT k AS key, p.item->>k AS value FROM unnest('{name,path,forEach,forEachOrNull}'::text[]) k WHERE p.place <> 'ViewDefinition'
            UNION ALL SELECT NULL, p.item #>> '{}' WHERE jsonb_typeof(p.item) = 'string') v
        WHERE v.value IS NOT NULL
        ORDER BY 1
    LOOP
        IF one.key = 'name' THEN
            IF one.value IN ('tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid') THEN
                RAISE EXCEPTION '%: no table can have a column "%"', one.place, one.value
                    USING ERRCODE = 'invalid_parameter_value', HINT = 'A view that is not stored can; or choose another name.';
            END IF;
        ELSIF regexp_replace(one.value, quoted, ' ', 'g') ~ '\m(now|today|timeOfDay)\s*\(' THEN
            RAISE EXCEPTION '%: what asks the time cannot be stored', one.place
                USING ERRCODE = 'feature_not_supported', DETAIL = 'A row that does not change would keep the answer of the day when it was stored.',
                      HINT = 'Store the date, and compare it with now() in SQL.';
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.assert_can_store(jsonb) IS
    'raises an error, with the place, where rows of a ViewDefinition cannot be stored: 0A000 where it asks the time, 22023 where a column is called as a system column';

CREATE FUNCTION fhir.is_flat_view(relation regclass) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT EXISTS (
            SELECT FROM fhir.lakes() l
            JOIN pg_class v ON v.oid = $1 AND v.relkind = 'v' AND v.reloptions @> '{security_invoker=true}'
            JOIN pg_rewrite r ON r.ev_class = v.oid
            JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
            WHERE d.refobjid = to_regclass(quote_ident(l.lake) || '.resource') OR EXISTS (
                SELECT FROM pg_inherits i WHERE i.inhrelid = d.refobjid
                    AND i.inhparent IN (to_regclass(quote_ident(l.lake) || '.resource'), to_regclass(quote_ident(l.lake) || '.stored'))))
    $$;
COMMENT ON FUNCTION fhir.is_flat_view(regclass) IS
    'whether it is a view that stands on a lake with the rights of who asks, as those of fhir.create_view do';

CREATE FUNCTION fhir.grants_of(relation regclass) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT jsonb_agg(jsonb_build_array(format('GRANT %s%s ON', a.privilege_type, ' (' || quote_ident(g.attname) || ')'),
            format('TO %s%s', CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)))
        FROM pg_class c
        CROSS JOIN LATERAL (
            SELECT NULL::name, c.relacl UNION ALL
            SELECT attname, attacl FROM pg_attribute WHERE attrelid = c.oid AND NOT attisdropped) g(attname, acl)
        CROSS JOIN LATERAL aclexplode(g.acl) a
        WHERE c.oid = $1 AND a.grantee <> c.relowner
    $$;
COMMENT ON FUNCTION fhir.grants_of(regclass) IS
    'what others than its owner may do with a table or view and its columns: the beginnings and ends of GRANT statements. NULL for nothing';

CREATE FUNCTION fhir.grant_again(grants jsonb, relation regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    one jsonb;
BEGIN
    FOR one IN SELECT jsonb_array_elements(grants) LOOP
        BEGIN
            EXECUTE concat_ws(' ', one->>0, relation, one->>1);
        EXCEPTION WHEN undefined_column THEN
            -- it has this column no more
        END;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.grant_again(jsonb, regclass) IS
    'grants what fhir.grants_of told of what stood there before';

CREATE FUNCTION fhir.store_view(view jsonb, schema text, name text, lake text, replace boolean DEFAULT false) RETURNS regclass
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    AS $function$
DECLARE
    type text := view->>'resource';
    source text := format('%I.%I', lake, lower(view->>'resource'));
    -- as long as names may be
    stored_name name := left(name, 56) || '_stored';
    stored text := format('%I.%I', schema, (left(name, 56) || '_stored')::name);
    shown text := format('%I.%I', schema, name);
    owner name;
    began timestamptz;
    seen pg_snapshot;
    columns text;
    standing regclass;
    old regclass;
    grants jsonb;
    stored_grants jsonb;
BEGIN
    -- errors of the definition come first
    PERFORM fhir.view_sql(view, lake);
    PERFORM fhir.assert_can_store(view);
    PERFORM fhir.assert_may_store(lake, type);
    -- Refreshes and erasures wait for us, and we for them: none may miss rows that we make. So does whoever makes another view, as
    -- it is to become a child of the same table.
    EXECUTE format('LOCK TABLE ONLY %I.stored IN SHARE ROW EXCLUSIVE MODE', lake);
    standing := to_regclass(shown);
    IF replace AND fhir.is_flat_view(standing) THEN
        SELECT v.stored INTO old FROM fhir.lake_of_stored(standing) l(lake), fhir.stored_views(l.lake) v WHERE v.shown = standing;
        grants := fhir.grants_of(standing);
        -- Where there was no table, who could read the view needs the new one.
        stored_grants := CASE WHEN old IS NOT NULL THEN fhir.grants_of(old)
            ELSE (SELECT jsonb_agg(g) FROM jsonb_array_elements(grants) g WHERE starts_with(g->>0, 'GRANT SELECT ')) END;
        PERFORM fhir.drop_view(standing);
    END IF;
    IF to_regclass(shown) IS NOT NULL THEN
        RAISE EXCEPTION 'relation "%" already exists', name
            USING ERRCODE = 'duplicate_table', HINT = format('SELECT fhir.drop_view(%L) removes a view.', shown);
    END IF;
    IF to_regclass(stored) IS NOT NULL THEN
        RAISE EXCEPTION 'relation "%", which is to hold the rows, already exists', stored_name USING ERRCODE = 'duplicate_table';
    END IF;
    seen := pg_current_snapshot();
    began := clock_timestamp();
    EXECUTE format('CREATE TABLE %s AS %s', stored, fhir.view_sql(view, lake, stored => true));
    EXECUTE format('ALTER TABLE %s ALTER _compartment SET NOT NULL, ALTER _type SET NOT NULL, ALTER _id SET NOT NULL,
        ALTER _version SET NOT NULL, ALTER _last_updated SET NOT NULL, ALTER _xid SET NOT NULL', stored);
    EXECUTE format('ALTER TABLE %s INHERIT %I.stored', stored, lake);
    EXECUTE format('CREATE INDEX ON %s (_id)', stored);
    EXECUTE format('CREATE INDEX ON %s (_compartment)', stored);
    EXECUTE format('ANALYZE %s', stored);
    -- Whoever reads a row may read, now, the version of the resource that it was made of. The subqueries run with his rights;
    -- whom no policy concerns pays for the first only, once.
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', stored);
    IF (SELECT c.relforcerowsecurity FROM pg_class c WHERE c.oid = source::regclass) THEN
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', stored);
    END IF;
    EXECUTE format('CREATE POLICY as_in_lake ON %s USING ((SELECT NOT row_security_active(%L::regclass))
        OR EXISTS (SELECT FROM %s r WHERE r.type = %L AND r.id = _id AND r.version = _version))', stored, source, source, type);
    EXECUTE format('COMMENT ON TABLE %s IS %L', stored, format('rows of view %s; fhir.refresh_views() brings them up to date', shown));
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns
    FROM pg_attribute a WHERE a.attrelid = stored::regclass AND a.attnum > 0 AND NOT a.attisdropped AND NOT starts_with(a.attname, '_');
    EXECUTE format('CREATE VIEW %s WITH (security_invoker, security_barrier) AS SELECT %s FROM %s', shown, columns, stored);
    -- Whoever owns the lake refreshes it, and drops it.
    SELECT l.owner INTO owner FROM fhir.lakes() l WHERE l.lake = store_view.lake;
    IF owner <> CURRENT_USER THEN
        EXECUTE format('ALTER TABLE %s OWNER TO %I', stored, owner);
        EXECUTE format('ALTER VIEW %s OWNER TO %I', shown, owner);
    END IF;
    PERFORM fhir.grant_again(grants, shown::regclass);
    PERFORM fhir.grant_again(stored_grants, stored::regclass);
    -- with what has been dropped by hand
    EXECUTE format('DELETE FROM %I.stored_view v WHERE v.stored = $1 OR NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = v.stored)', lake)
        USING stored::regclass;
    EXECUTE format('INSERT INTO %I.stored_view (stored, shown, definition, refreshed, snapshot, xid)
        VALUES ($1, $2, $3, $4, $5, pg_current_xact_id())', lake) USING stored::regclass, shown::regclass, view, began, seen;
    RETURN shown::regclass;
END
$function$;
COMMENT ON FUNCTION fhir.store_view(jsonb, text, text, text, boolean) IS
    'what fhir.create_view does with materialized: a table of the rows with the compartment, type, id and version of their resources, with a policy that shows a row to who may read that version in the lake, and the view in front of it. replace: in the place of a view of that name, with its grants';

CREATE FUNCTION fhir.stored_views(lake text)
    RETURNS TABLE (shown regclass, stored regclass, definition jsonb, refreshed timestamptz, snapshot pg_snapshot, xid xid8)
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    parent regclass := to_regclass(quote_ident(lake) || '.stored');
BEGIN
    -- A lake that an older version made has none before fhir.upgrade_lake.
    IF parent IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format($$
        SELECT w.shown, s.stored, v.definition, v.refreshed, v.snapshot, v.xid
        FROM %I.stored_view v
        LEFT JOIN LATERAL (
            SELECT i.inhrelid::regclass AS stored FROM pg_inherits i WHERE i.inhparent = $1 AND i.inhrelid = v.stored) s ON true
        LEFT JOIN LATERAL (
            SELECT r.ev_class::regclass AS shown FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
            WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = s.stored
            ORDER BY r.ev_class = v.shown DESC, r.ev_class LIMIT 1) w ON true
        ORDER BY coalesce(w.shown, v.stored)::text$$, lake) USING parent;
END
$function$;
COMMENT ON FUNCTION fhir.stored_views(text) IS
    'the stored views of a lake: the view, the table of its rows, the definition, and the state that the rows are of; NULL for what has been dropped by hand';

CREATE FUNCTION fhir.lake_of_stored(view regclass) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT l.lake::text
        FROM fhir.lakes() l
        JOIN pg_inherits i ON i.inhparent = to_regclass(quote_ident(l.lake) || '.stored')
        WHERE i.inhrelid = $1 OR EXISTS (
            SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            WHERE r.ev_class = $1 AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.inhrelid)
        LIMIT 1
    $$;
COMMENT ON FUNCTION fhir.lake_of_stored(regclass) IS
    'the lake that the stored rows of a view are of; NULL for any other view';

CREATE FUNCTION fhir.refresh_views(schema text DEFAULT NULL, lake text DEFAULT fhir.current_lake(), anew boolean DEFAULT false)
    RETURNS TABLE (view regclass, removed bigint, inserted bigint, took interval, problem text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
DECLARE
    one record;
    source text;
    began timestamptz;
    seen pg_snapshot;
    last_seen pg_snapshot;
    last_xid xid8;
    last_time timestamptz;
BEGIN
    PERFORM fhir.assert_may_store(lake, NULL);
    IF to_regnamespace(quote_ident(schema)) IS NULL AND schema IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" does not exist', schema
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.views() lists the views.';
    END IF;
    -- Erasures wait for us, and we for them: none may miss rows that we make.
    EXECUTE format('LOCK TABLE ONLY %I.stored IN SHARE MODE', lake);
    FOR one IN
        SELECT * FROM fhir.stored_views(lake) v WHERE refresh_views.schema IS NULL
            OR (SELECT c.relnamespace::regnamespace::text FROM pg_class c WHERE c.oid = v.shown) = quote_ident(refresh_views.schema)
    LOOP
        CONTINUE WHEN one.stored IS NULL;
        view := coalesce(one.shown, one.stored);
        removed := NULL;
        inserted := NULL;
        problem := NULL;
        began := clock_timestamp();
        -- What fails leaves what was there, and the other views go on.
        BEGIN
            PERFORM fhir.assert_may_store(lake, one.definition->>'resource');
            source := format('%I.%I', lake, lower(one.definition->>'resource'));
            -- one at a time
            EXECUTE format('SELECT v.snapshot, v.xid, v.refreshed FROM %I.stored_view v WHERE v.stored = $1 FOR UPDATE', lake)
                INTO last_seen, last_xid, last_time USING one.stored;
            -- In one statement, so that all rows are of one moment. Gone is each row whose version is no longer the one of the lake. A
            -- resource is new where its transaction was not visible the last time. Restored into another cluster, numbers of
            -- transactions begin anew: so the time counts as well. What gives no rows is not asked again.
            EXECUTE format($$
                WITH gone AS (
                    DELETE FROM %1$s s WHERE $4 OR NOT EXISTS (
                        SELECT FROM %2$s r WHERE r.id = s._id AND r.version = s._version AND r.xid = s._xid)
                    RETURNING 1),
                made AS (
                    INSERT INTO %1$s SELECT v.* FROM (%3$s) v
                    WHERE $4 OR ((NOT pg_visible_in_snapshot(v._xid, $1) OR v._xid = $2 OR v._last_updated >= $3)
                        AND NOT EXISTS (SELECT FROM %1$s s WHERE s._id = v._id AND s._version = v._version AND s._xid = v._xid))
                    RETURNING 1)
                SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM made), pg_current_snapshot()$$,
                one.stored, source, fhir.view_sql(one.definition, lake, stored => true))
                INTO removed, inserted, seen USING last_seen, last_xid, last_time, anew;
            EXECUTE format('UPDATE %I.stored_view v SET (refreshed, snapshot, xid) = ($2, $3, pg_current_xact_id())
                WHERE v.stored = $1', lake) USING one.stored, began, seen;
        EXCEPTION WHEN others THEN
            problem := SQLERRM;
            RAISE WARNING 'view % is as it was: %', view, SQLERRM USING ERRCODE = SQLSTATE;
        END;
        took := clock_timestamp() - began;
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.refresh_views(text, text, boolean) IS
    'brings the stored views of a lake, or of a schema, up to date: rows of resources that were changed or deleted go, and only new and changed resources are read. A row for each view: how many rows went and came, how long it took, and the problem of one that could not be refreshed, which stays as it was. Readers go on, and see the new rows when the transaction commits. anew: makes all rows anew. For the owner of the lake';

CREATE FUNCTION fhir.drop_view(view regclass, cascade boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    one record;
    behaviour text := CASE WHEN cascade THEN 'CASCADE' ELSE 'RESTRICT' END;
BEGIN
    SELECT l.lake, v.stored INTO one FROM fhir.lake_of_stored(view) l(lake), fhir.stored_views(l.lake) v
    WHERE v.shown = view OR v.stored = view;
    IF NOT FOUND THEN
        EXECUTE format('DROP VIEW %s %s', view, behaviour);
        RETURN;
    END IF;
    IF view <> one.stored THEN
        EXECUTE format('DROP VIEW %s %s', view, behaviour);
    END IF;
    EXECUTE format('DROP TABLE %s %s', one.stored, behaviour);
    EXECUTE format('DELETE FROM %I.stored_view v WHERE v.stored = $1', one.lake) USING one.stored;
END
$function$;
COMMENT ON FUNCTION fhir.drop_view(regclass, boolean) IS
    'removes a view that fhir.create_view made, with its rows where they are stored; with cascade also what is built on it';

CREATE FUNCTION fhir.views(lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (view regclass, kind text, type text, refreshed timestamptz, pending bigint, table_size bigint)
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 100000 ROWS 20
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
DECLARE
    one record;
    parent regclass := to_regclass(quote_ident(lake) || '.resource');
BEGIN
    IF parent IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'undefined_table', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    -- Views that are always current are known by what they stand on.
    kind := 'live';
    FOR view, type IN
        SELECT DISTINCT u.view, u.type, u.view::text
        FROM (
            SELECT r.ev_class::regclass AS view, o.type, bool_or(o.type IS NULL) OVER (PARTITION BY r.ev_class) AS is_of_all
            FROM (
                SELECT i.inhrelid AS relation, t.name AS type
                FROM pg_inherits i
                JOIN pg_class c ON c.oid = i.inhrelid
                JOIN fhir.resource_types() t(name) ON lower(t.name) = c.relname
                WHERE i.inhparent = parent
                UNION ALL SELECT parent, NULL) o
            JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.relation AND d.classid = 'pg_rewrite'::regclass
            JOIN pg_rewrite r ON r.oid = d.objid
            JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v' AND v.reloptions @> '{security_invoker=true}') u
        WHERE u.type IS NULL OR NOT u.is_of_all
        ORDER BY u.view::text, u.type
    LOOP
        RETURN NEXT;
    END LOOP;
    kind := 'stored';
    IF NOT has_table_privilege(CURRENT_USER, to_regclass(quote_ident(lake) || '.stored_view'), 'SELECT') THEN
        RETURN;
    END IF;
    FOR one IN SELECT * FROM fhir.stored_views(lake) v WHERE v.stored IS NOT NULL LOOP
        view := coalesce(one.shown, one.stored);
        type := one.definition->>'resource';
        refreshed := one.refreshed;
        table_size := pg_total_relation_size(one.stored);
        pending := NULL;
        IF has_table_privilege(one.stored, 'SELECT') AND has_table_privilege(format('%I.%I', lake, lower(type)), 'SELECT') THEN
            EXECUTE format($$
                SELECT (SELECT count(*) FROM %1$s r WHERE NOT pg_visible_in_snapshot(r.xid, $1) OR r.xid = $2 OR r.last_updated >= $3)
                     + (SELECT count(DISTINCT s._id) FROM %2$s s WHERE NOT EXISTS (SELECT FROM %1$s r WHERE r.id = s._id))$$,
                format('%I.%I', lake, lower(type)), one.stored) INTO pending USING one.snapshot, one.xid, one.refreshed;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.views(text) IS
    'the flat views of a lake, a row for each type that one stands on, and of one that stands on all a row with NULL: live ones, which are always current, and stored ones with the time of their last refresh, how many resources were changed or deleted since, as far as the caller sees them, and the size of their tables with indexes';

-- Ready-made flat views. With the rights of the caller.

CREATE FUNCTION fhir.view_definition(type text, element text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_view_definition';
COMMENT ON FUNCTION fhir.view_definition(text, text) IS
    'the ViewDefinition that follows from the definition of a resource type: one row for each resource, coded elements as code, display and system, references as id and type, choices as a column for each type. element: one that repeats, such as component or component.referenceRange, then one row for each of its values, with the id of the resource and a number; errors: 22023 for a type or element that does not exist or does not repeat';

CREATE FUNCTION fhir.side_views(type text) RETURNS SETOF text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 8 AS 'MODULE_PATHNAME', 'fhir_side_views';
COMMENT ON FUNCTION fhir.side_views(text) IS
    'the elements of a resource type that fhir.create_views makes side views of, as fhir.view_definition takes them; it takes others too';

CREATE FUNCTION fhir.view_relationships()
    RETURNS TABLE (table_name text, column_name text, kind text, "position" integer, references_table text, references_column text,
        only_where text, only_where_is text)
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100000 ROWS 6000 AS 'MODULE_PATHNAME', 'fhir_view_relationships';
COMMENT ON FUNCTION fhir.view_relationships() IS
    'primary and foreign keys of the ready-made views, one row for each column of a key; position: its place in a key of several. only_where: of a reference to several types, the column that tells which, and what it holds for this one';

CREATE FUNCTION fhir.analyst_views(lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (name text, description text, query text, columns text[], comments text[])
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 8 AS 'MODULE_PATHNAME', 'fhir_analyst_views';
COMMENT ON FUNCTION fhir.analyst_views(text) IS
    'the views that analysts always build, which fhir.create_views makes beside those of the resource types: what each is, its query over a lake, and what its columns are';

-- Making them ------------------------------------------------------------------------------------------------------------

-- What it has made it knows by the end of the comment, which is part of every dump and goes where the view goes.
CREATE FUNCTION fhir.put_view(schema text, name text, query text, description text, columns text[], comments text[])
    RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    AS $function$
DECLARE
    mark CONSTANT text := 'Made by fhir.create_views.';
    full_name text := format('%I.%I', schema, name);
    old record;
    again text;
    because text;
    who text;
    action text := 'created';
BEGIN
    SELECT c.oid, c.relkind, c.relacl, c.relowner, obj_description(c.oid, 'pg_class') AS told INTO old
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = schema AND c.relname = name;
    IF FOUND THEN
        IF old.relkind <> 'v' OR old.told IS NULL OR right(old.told, length(mark)) <> mark THEN
            RAISE EXCEPTION '% is there already, and fhir.create_views did not make it', full_name
                USING ERRCODE = 'duplicate_table', HINT = 'choose another schema, or rename what stands there';
        END IF;
        action := 'replaced';
    END IF;
    BEGIN
        EXECUTE format(E'CREATE OR REPLACE VIEW %s WITH (security_invoker) AS\n%s', full_name, query);
    EXCEPTION WHEN invalid_table_definition THEN
        -- a view that is replaced keeps its columns, so one whose columns are others now is made anew, with its grants
        BEGIN
            EXECUTE format('DROP VIEW %s', full_name);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            GET STACKED DIAGNOSTICS because = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION '% has other columns now, and other objects depend on it', full_name
                USING ERRCODE = 'dependent_objects_still_exist', DETAIL = because,
                      HINT = 'drop them, run fhir.create_views again, and make them anew';
        END;
        EXECUTE format(E'CREATE VIEW %s WITH (security_invoker) AS\n%s', full_name, query);
        FOR again, who IN
            SELECT format('GRANT %s ON %s TO %s%s', a.privilege_type, full_name,
                    CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), a.grantee
                FROM aclexplode(old.relacl) a WHERE a.grantee <> old.relowner
        LOOP
            EXECUTE again;
        END LOOP;
    END;
    -- in one go, as there may be thousands
    SELECT string_agg(format('COMMENT ON COLUMN %s.%I IS %L', full_name, c.name, c.told), '; ') INTO again
        FROM unnest(columns, comments) AS c(name, told);
    EXECUTE concat(again, '; ', format('COMMENT ON VIEW %s IS %L', full_name, concat(description, ' ', mark)));
    RETURN action;
END
$function$;
COMMENT ON FUNCTION fhir.put_view(text, text, text, text, text[], text[]) IS
    'for fhir.create_views: makes or replaces one view with its comments, and tells which. Raises 42P07 where something stands that it did not make, 2BP01 where the columns are others than before and other objects depend on them';

CREATE FUNCTION fhir.create_views(schema text DEFAULT 'bi', types text[] DEFAULT NULL, empty boolean DEFAULT true,
        side_views boolean DEFAULT true, lake text DEFAULT fhir.current_lake(), analysts boolean DEFAULT true)
    RETURNS TABLE (name text, kind text, columns integer, action text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1300
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    type text;
    element text;
    view jsonb;
    made record;
    wanted text[];
    holds boolean;
BEGIN
    IF current_setting('server_version_num')::integer < 150000 THEN
        RAISE EXCEPTION 'views with the rights of who asks need PostgreSQL 15' USING ERRCODE = 'feature_not_supported',
            HINT = 'fhir.view_sql(fhir.view_definition(type)) gives the SELECT of one';
    END IF;
    IF schema IS NULL OR lake IS NULL OR empty IS NULL OR side_views IS NULL OR analysts IS NULL THEN
        RAISE EXCEPTION 'only types may be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT EXISTS (SELECT FROM fhir.lakes() l WHERE l.lake = create_views.lake) THEN
        RAISE EXCEPTION 'there is no lake "%"', lake USING ERRCODE = 'undefined_table',
            HINT = 'SELECT fhir.create_lake() makes one, fhir.lakes() lists them, SET fhir.lake chooses one';
    END IF;
    IF schema = 'fhir' OR EXISTS (SELECT FROM fhir.lakes() l WHERE l.lake = schema) THEN
        RAISE EXCEPTION 'schema "%" is not for views', schema USING ERRCODE = 'invalid_parameter_value',
            HINT = 'choose a schema of its own, such as bi';
    END IF;
    SELECT array_agg(t) INTO wanted FROM unnest(types) t WHERE t NOT IN (SELECT fhir.resource_types()) OR t IS NULL;
    IF wanted IS NOT NULL THEN
        RAISE EXCEPTION '"%" is no resource type of FHIR R4', wanted[1] USING ERRCODE = 'invalid_parameter_value',
            HINT = 'SELECT fhir.resource_types() lists them';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = schema) THEN
        EXECUTE format('CREATE SCHEMA %I', schema);
        EXECUTE format('COMMENT ON SCHEMA %I IS %L', schema, 'flat views of the lake ' || lake || ', for analysts and their tools');
    END IF;

    FOR type IN SELECT t FROM fhir.resource_types() t WHERE types IS NULL OR t = ANY (types) ORDER BY t LOOP
        IF NOT empty THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', lake, lower(type)) INTO holds;
            CONTINUE WHEN NOT holds;
        END IF;
        FOR element IN SELECT NULL UNION ALL SELECT s FROM fhir.side_views(type) s WHERE side_views LOOP
            view := fhir.view_definition(type, element);
            SELECT array_agg(c.name ORDER BY c."position") AS columns, array_agg(c.description ORDER BY c."position") AS comments
                INTO made FROM fhir.view_columns(view) c;
            name := view ->> 'name';
            kind := CASE WHEN element IS NULL THEN 'resource' ELSE 'side view' END;
            columns := cardinality(made.columns);
            action := fhir.put_view(schema, name, fhir.view_sql(view, lake), view ->> 'description', made.columns, made.comments);
            RETURN NEXT;
        END LOOP;
    END LOOP;

    IF analysts THEN
        FOR made IN SELECT v.* FROM fhir.analyst_views(lake) v LOOP
            IF made.name = 'note_entity' THEN
                EXECUTE format('SELECT EXISTS (SELECT FROM %I.entity)', lake) INTO holds;
                IF NOT holds THEN
                    RAISE NOTICE 'note_entity is left out: nothing was found in notes yet'
                        USING HINT = 'run fhir.create_views again when the table entity of the lake has rows';
                    CONTINUE;
                END IF;
            END IF;
            name := made.name;
            kind := 'analysts';
            columns := cardinality(made.columns);
            action := fhir.put_view(schema, name, made.query, made.description, made.columns, made.comments);
            RETURN NEXT;
        END LOOP;
    END IF;

    name := 'relationships';
    kind := 'keys';
    columns := 8;
    action := fhir.put_view(schema, name, format($$
        SELECT k.table_name AS table_name, k.column_name AS column_name, k.kind AS kind, k."position" AS "position",
            k.references_table AS references_table, k.references_column AS references_column, k.only_where AS only_where, k.only_where_is AS only_where_is
        FROM fhir.view_relationships() k
        WHERE EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = %1$L::regnamespace AND c.relname = k.table_name)
          AND (k.references_table IS NULL OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = %1$L::regnamespace AND c.relname = k.references_table))
        $$, quote_ident(schema)),
        'What joins with what: primary and foreign keys of the views of this schema, one row for each column of a key.',
        ARRAY['table_name', 'column_name', 'kind', 'position', 'references_table', 'references_column', 'only_where', 'only_where_is'],
        ARRAY['view that has the key', 'column of the key', 'primary key: it identifies a row, together with the other columns of that kind; foreign key: it points at a row of another view',
            'place in a key of several columns, from 1', 'of a foreign key: the view that it points at', 'of a foreign key: the column that it points at',
            'of a reference to several types: the column that tells which', 'what that column then holds']);
    RETURN NEXT;
END
$function$;
COMMENT ON FUNCTION fhir.create_views(text, text[], boolean, boolean, text, boolean) IS
    'makes the ready-made views of a lake in a schema, or replaces those that it made there: a flat view of each resource type, side views of what repeats in them, the views of analysts, and relationships, which tells what joins with what. types: only of these; empty: also of types that the lake has nothing of. All have the rights of who asks. Tells name, kind and number of columns of each. Errors: 42P07 where something else stands under a name, 2BP01 where columns changed and other objects depend on them, 42P01 where there is no such lake';

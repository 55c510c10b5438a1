-- Referential integrity of a lake: off (the default), warn or enforce; and what points where.
-- The setting is a trigger on the lake's table "resource": part of every dump, changed by the owner of the table alone, the
-- same for every writer, and where it is off it costs nothing.

CREATE FUNCTION fhir.check_references() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_check_references';
COMMENT ON FUNCTION fhir.check_references() IS
    'constraint trigger of a lake, made by fhir.set_integrity: what a written resource refers to must be there, and nothing may refer to what is deleted';

CREATE FUNCTION fhir.note_deletion() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_note_deletion';
COMMENT ON FUNCTION fhir.note_deletion() IS
    'BEFORE DELETE trigger of a lake, made by fhir.set_integrity: notes what a transaction deletes, so that references to many are looked for at once';

CREATE FUNCTION fhir.literal_references(resource jsonb) RETURNS TABLE (path text, type text, id text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 5 AS 'MODULE_PATHNAME', 'fhir_literal_references';
COMMENT ON FUNCTION fhir.literal_references(jsonb) IS
    'the references of a resource of the form Type/id, and where they stand; not those of resources inside a Bundle or Parameters';

CREATE FUNCTION fhir.unindexed_references(resource jsonb, search fhir.keys) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_unindexed_references';
COMMENT ON FUNCTION fhir.unindexed_references(jsonb, fhir.keys) IS
    'the targets of those references that no search parameter finds: in extensions, and in elements without one';

CREATE FUNCTION fhir.integrity(lake text DEFAULT fhir.current_lake()) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    IF to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    RETURN coalesce((
        SELECT convert_from(substr(t.tgargs, 1, length(t.tgargs) - 1), 'UTF8')
        FROM pg_trigger t
        WHERE t.tgrelid = to_regclass(quote_ident(lake) || '.resource')
          AND t.tgfoid = 'fhir.check_references()'::regprocedure AND t.tgenabled <> 'D'), 'off');
END
$function$;
COMMENT ON FUNCTION fhir.integrity(text) IS 'what becomes of references of a lake that lead nowhere: off, warn or enforce';

CREATE FUNCTION fhir.set_integrity(mode text, lake text DEFAULT fhir.current_lake()) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    AS $function$
BEGIN
    IF mode NOT IN ('off', 'warn', 'enforce') THEN
        RAISE EXCEPTION 'integrity "%" is not known', mode
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is off, warn or enforce.';
    END IF;
    IF mode = fhir.integrity(lake) THEN
        RETURN;
    END IF;
    EXECUTE format('DROP TRIGGER IF EXISTS zz_references ON %I.resource', lake);
    EXECUTE format('DROP TRIGGER IF EXISTS zz_deletion ON %I.resource', lake);
    IF mode = 'off' THEN
        EXECUTE format('DROP INDEX IF EXISTS %I.resource_unindexed_references', lake);
        RETURN;
    END IF;
    -- What the search parameters do not find. Few resources have such references, so the index is small.
    EXECUTE format($$
        CREATE INDEX IF NOT EXISTS resource_unindexed_references ON %I.resource
            USING gin (fhir.unindexed_references(resource, search)) WITH (fastupdate = off)
            WHERE fhir.unindexed_references(resource, search) <> '{}'::text[]$$, lake);
    EXECUTE format($$
        CREATE CONSTRAINT TRIGGER zz_references AFTER INSERT OR UPDATE OR DELETE ON %I.resource
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fhir.check_references(%L)$$, lake, mode);
    EXECUTE format('CREATE TRIGGER zz_deletion BEFORE DELETE ON %I.resource FOR EACH ROW EXECUTE FUNCTION fhir.note_deletion()', lake);
END
$function$;
COMMENT ON FUNCTION fhir.set_integrity(text, text) IS
    'sets what becomes of references that lead nowhere: off, warn, or enforce, which refuses with 23503, when the transaction commits, what would make one. Holds for what is written from then on; fhir.dangling_references lists what is there';

CREATE FUNCTION fhir.referring(targets text[], lake text DEFAULT fhir.current_lake(), of_type text DEFAULT NULL)
    RETURNS TABLE (type text, id text, path text, reference text)
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 ROWS 100 AS 'MODULE_PATHNAME', 'fhir_referring';
COMMENT ON FUNCTION fhir.referring(text[], text, text) IS
    'what refers to any of the targets, given as Type/id: by the search index, and with integrity warn or enforce also by references that no search parameter finds';

CREATE FUNCTION fhir.referenced(of_type text, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (parameter text, type text, id text)
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 100000 ROWS 10000 AS 'MODULE_PATHNAME', 'fhir_referenced';
COMMENT ON FUNCTION fhir.referenced(text, text) IS
    'what the resources of a type refer to, each once for a search parameter, read from the entries of the search index alone; with integrity warn or enforce also, with parameter NULL, what none of them finds. What no resource refers to any more may still be among it. Needs SELECT on the table of the type, and no row-level security that applies';

CREATE FUNCTION fhir.dangling_references(of_type text DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, id text, path text, reference text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    -- Targets are looked up by primary keys; where that looks dear it must not end in reading all resources.
    SET enable_seqscan = off
    -- A hidden row is no missing row: who may not see all gets an error.
    SET row_security = off
    AS $function$
#variable_conflict use_column
DECLARE
    holder text;
    target text;
    ids text[];
    missing text[];
    relation regclass;
BEGIN
    IF to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    FOR holder IN SELECT t FROM fhir.resource_types() t WHERE of_type IS NULL OR t = of_type LOOP
        relation := to_regclass(format('%I.%I', lake, lower(holder)));
        CONTINUE WHEN relation IS NULL OR pg_relation_size(relation) = 0;
        missing := '{}';
        FOR target, ids IN SELECT r.type, array_agg(DISTINCT r.id) FROM fhir.referenced(holder, lake) r GROUP BY 1 ORDER BY 1 LOOP
            EXECUTE format($$
                SELECT $1 || coalesce(array_agg(%1$L || u.id), '{}') FROM unnest($2) u(id)
                WHERE NOT EXISTS (SELECT FROM %2$I.%3$I r WHERE r.type = %4$L AND r.id = u.id)$$,
                target || '/', lake, lower(target), target) INTO missing USING missing, ids;
        END LOOP;
        IF missing <> '{}' THEN
            RETURN QUERY SELECT r.type, r.id, r.path, r.reference FROM fhir.referring(missing, lake, holder) r;
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.dangling_references(text, text) IS
    'the references of a lake, or of the resources of one type, that lead to no resource. Reads the entries of the index, the primary keys of what they name, and of the resources only those it lists; with integrity off not what no search parameter finds. Who may not read all rows gets an error';

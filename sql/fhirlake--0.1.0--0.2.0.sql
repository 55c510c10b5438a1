\echo Use "ALTER EXTENSION fhirlake UPDATE TO '0.2.0'" to load this file. \quit

-- Made by sql/upgrade/make from 0.1.0 to 0.2.0.

-- fhir.bundle(jsonb) is a function now.
ALTER DOMAIN fhir.bundle RENAME TO bundle_resource;

-- Gone, or made anew below with other arguments or another result.
DROP FUNCTION fhir.index_count(regclass, fhir.query);
DROP FUNCTION fhir.raise_missing(text, text);
DROP FUNCTION fhir.history(text, text);
DROP FUNCTION fhir.delete(text, text);
DROP FUNCTION fhir.update(jsonb);
DROP FUNCTION fhir.create(jsonb);

-- store.sql

CREATE OR REPLACE FUNCTION fhir.create_lake(name text DEFAULT 'lake') RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    lake text := quote_ident(name);
    compression text := '';
    type text;
    partition text;
BEGIN
    IF octet_length(name) > 63 OR name = '' THEN
        RAISE EXCEPTION 'the name of a lake has 1 to 63 bytes' USING ERRCODE = 'invalid_name';
    END IF;
    IF to_regnamespace(lake) IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" already exists', name
            USING ERRCODE = 'duplicate_schema',
                  HINT = CASE WHEN EXISTS (SELECT FROM fhir.lakes() l WHERE l.lake = name)
                      THEN 'It is a lake already: load into it, or remove it with fhir.drop_lake.'
                      ELSE 'Choose another name: a lake is a schema of its own.' END;
    END IF;
    IF EXISTS (SELECT FROM pg_settings s WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals)) THEN
        compression := 'COMPRESSION lz4';
    END IF;

    EXECUTE format('CREATE SCHEMA %s', lake);
    EXECUTE format('COMMENT ON SCHEMA %s IS %L', lake, 'FHIR R4 lake: one table for each resource type, their history, and what was loaded');

    -- Parent and indexes first, so that each partition is made with them.
    EXECUTE format($$
        CREATE TABLE %1$s.resource (
            compartment  text        COLLATE "C" NOT NULL,
            type         text        NOT NULL,
            id           text        COLLATE "C" NOT NULL,
            version      bigint      NOT NULL,
            last_updated timestamptz NOT NULL,
            xid          xid8        NOT NULL,
            occurred     timestamptz NOT NULL,
            resource     jsonb       %2$s NOT NULL,
            search       fhir.keys   NOT NULL,
            PRIMARY KEY (type, id)
        ) PARTITION BY LIST (type)$$, lake, compression);
    -- In the row, compressed if it must be: a search may never have to look into TOAST.
    EXECUTE format('ALTER TABLE %s.resource ALTER search SET STORAGE main', lake);
    EXECUTE format('CREATE INDEX resource_search ON %s.resource USING gin (search) WITH (fastupdate = off)', lake);
    EXECUTE format('CREATE INDEX resource_compartment ON %s.resource (compartment, occurred DESC, id)', lake);
    EXECUTE format('CREATE INDEX resource_occurred ON %s.resource (occurred DESC, id)', lake);
    EXECUTE format('CREATE INDEX resource_last_updated ON %s.resource (last_updated DESC, id)', lake);
    -- Triggers of one kind fire in the order of their names. The stamp is the last, so that it sees what the others wrote.
    EXECUTE format('CREATE TRIGGER zz_stamp BEFORE INSERT OR UPDATE ON %s.resource
        FOR EACH ROW EXECUTE FUNCTION fhir.stamp()', lake);
    EXECUTE format('CREATE TRIGGER zz_keep AFTER INSERT OR UPDATE OR DELETE ON %s.resource
        FOR EACH ROW EXECUTE FUNCTION fhir.keep()', lake);
    EXECUTE format('CREATE TRIGGER zz_refuse_truncate BEFORE TRUNCATE ON %s.resource
        FOR EACH STATEMENT EXECUTE FUNCTION fhir.refuse_truncate()', lake);
    EXECUTE format($$
        COMMENT ON TABLE %1$s.resource IS 'all resources; one partition for each type, through which they are written';
        COMMENT ON COLUMN %1$s.resource.compartment IS 'home: the first patient it belongs to, as Patient/id, else its own Type/id';
        COMMENT ON COLUMN %1$s.resource.type IS 'resource type';
        COMMENT ON COLUMN %1$s.resource.id IS 'Resource.id; a UUID of version 7 where the client gave none';
        COMMENT ON COLUMN %1$s.resource.version IS 'meta.versionId';
        COMMENT ON COLUMN %1$s.resource.last_updated IS 'meta.lastUpdated';
        COMMENT ON COLUMN %1$s.resource.xid IS 'transaction that wrote this version';
        COMMENT ON COLUMN %1$s.resource.occurred IS 'clinical start; -infinity if the resource does not say';
        COMMENT ON COLUMN %1$s.resource.resource IS 'the resource; the only column that a user writes';
        COMMENT ON COLUMN %1$s.resource.search IS 'what it can be found by: WHERE search |= ''name=smith&birthdate=ge1970'''$$, lake);

    FOR type IN SELECT fhir.resource_types() LOOP
        partition := lake || '.' || quote_ident(lower(type));
        EXECUTE format('CREATE TABLE %s PARTITION OF %s.resource (type DEFAULT %L) FOR VALUES IN (%3$L) WITH (fillfactor = 90)',
            partition, lake, type);
        EXECUTE format('CREATE TRIGGER zz_refuse_truncate BEFORE TRUNCATE ON %s
            FOR EACH STATEMENT EXECUTE FUNCTION fhir.refuse_truncate()', partition);
        EXECUTE format('COMMENT ON TABLE %s IS %L', partition, 'FHIR R4 ' || type || ' resources');
    END LOOP;

    EXECUTE format($$
        CREATE TABLE %1$s.membership (
            compartment text        COLLATE "C" NOT NULL,
            occurred    timestamptz NOT NULL,
            type        text        NOT NULL,
            id          text        COLLATE "C" NOT NULL,
            PRIMARY KEY (type, id, compartment)
        );
        CREATE INDEX membership_compartment ON %1$s.membership (compartment, occurred DESC, type, id);
        COMMENT ON TABLE %1$s.membership IS
            'second and later compartments of a resource, such as an appointment of two patients; written by triggers';

        CREATE TABLE %1$s.history (
            compartment  text        COLLATE "C" NOT NULL,
            type         text        NOT NULL,
            id           text        COLLATE "C" NOT NULL,
            version      bigint      NOT NULL,
            last_updated timestamptz NOT NULL,
            superseded   timestamptz NOT NULL,
            xid          xid8        NOT NULL,
            method       text        NOT NULL CHECK (method IN ('POST', 'PUT', 'PATCH', 'DELETE')),
            resource     jsonb       %2$s,
            PRIMARY KEY (type, id, version),
            CHECK ((resource IS NULL) = (method = 'DELETE'))
        );
        CREATE INDEX history_last_updated ON %1$s.history (last_updated DESC);
        CREATE INDEX history_type ON %1$s.history (type, last_updated DESC);
        CREATE INDEX history_compartment ON %1$s.history (compartment, last_updated DESC);
        CREATE TRIGGER zz_refuse_truncate BEFORE TRUNCATE ON %1$s.history
            FOR EACH STATEMENT EXECUTE FUNCTION fhir.refuse_truncate();
        COMMENT ON TABLE %1$s.history IS 'superseded versions, and a tombstone (resource NULL) for each deletion; append-only';
        COMMENT ON COLUMN %1$s.history.last_updated IS 'when this version began; for a tombstone, when the resource was deleted';
        COMMENT ON COLUMN %1$s.history.superseded IS
            'when the next version began; infinity for a tombstone, which holds until the same id is written again';
        COMMENT ON COLUMN %1$s.history.xid IS 'transaction that wrote this version';
        COMMENT ON COLUMN %1$s.history.method IS 'HTTP method of the interaction that made this version';

        CREATE TABLE %1$s.entity (
            compartment text    COLLATE "C" NOT NULL,
            type        text    NOT NULL,
            id          text    COLLATE "C" NOT NULL,
            path        text    NOT NULL,
            first       integer NOT NULL,
            last        integer NOT NULL,
            text        text    NOT NULL,
            category    text    NOT NULL,
            system      text,
            code        text    COLLATE "C",
            attributes  jsonb   NOT NULL DEFAULT '{}',
            PRIMARY KEY (type, id, path, first, last, category)
        );
        CREATE INDEX entity_code ON %1$s.entity (code, system);
        CREATE INDEX entity_compartment ON %1$s.entity (compartment);
        COMMENT ON TABLE %1$s.entity IS 'findings in the text of resources: where they stand, what they are, and how they are meant';

        CREATE TABLE %1$s.load (
            id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            file      text        NOT NULL,
            loaded    bigint      NOT NULL DEFAULT 0,
            unchanged bigint      NOT NULL DEFAULT 0,
            rejected  bigint      NOT NULL DEFAULT 0,
            started   timestamptz NOT NULL DEFAULT clock_timestamp(),
            finished  timestamptz,
            by        name        NOT NULL DEFAULT CURRENT_USER
        );
        COMMENT ON TABLE %1$s.load IS 'files loaded by fhir.load, and how many of their lines';

        CREATE TABLE %1$s.load_error (
            load        bigint  NOT NULL REFERENCES %1$s.load ON DELETE CASCADE,
            line        bigint  NOT NULL,
            byte_offset bigint  NOT NULL,
            file        text    NOT NULL,
            expression  text,
            reason      text    NOT NULL,
            text        text    NOT NULL,
            PRIMARY KEY (load, line)
        );
        COMMENT ON TABLE %1$s.load_error IS 'lines that fhir.load rejected, and why';
        COMMENT ON COLUMN %1$s.load_error.line IS 'number of the line, from 1';
        COMMENT ON COLUMN %1$s.load_error.byte_offset IS 'bytes of the (unpacked) file before the line';
        COMMENT ON COLUMN %1$s.load_error.expression IS 'where in the resource, where it could be read';
        COMMENT ON COLUMN %1$s.load_error.text IS 'the line, its first 4000 characters';

        -- Rejected lines are patients' data: who loads sees and changes what is of their own loads, the owner everything.
        ALTER TABLE %1$s.load ENABLE ROW LEVEL SECURITY;
        ALTER TABLE %1$s.load_error ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own_load ON %1$s.load USING (by = CURRENT_USER);
        CREATE POLICY own_load ON %1$s.load_error USING (load IN (SELECT l.id FROM %1$s.load l))$$, lake, compression);
END
$function$;

-- upgrade.sql

-- It adds what fhir.create_lake has learned since, and rewrites no table. New indexes are built while writers of the table
-- wait; where they may not, make them before with the commands in docs/operations.md, and this finds them.
CREATE FUNCTION fhir.upgrade_lake(name text DEFAULT fhir.current_lake()) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE ROWS 3
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    lake text := quote_ident(name);
BEGIN
    IF NOT EXISTS (SELECT FROM fhir.lakes() l WHERE l.lake = name) THEN
        RAISE EXCEPTION 'there is no lake "%"', name
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    IF NOT EXISTS (SELECT FROM fhir.lakes() l WHERE l.lake = name AND pg_has_role(l.owner, 'USAGE')) THEN
        RAISE EXCEPTION 'must be owner of lake "%"', name USING ERRCODE = 'insufficient_privilege';
    END IF;

    -- 0.2.0
    IF to_regclass(lake || '.history_type') IS NULL THEN
        EXECUTE format('CREATE INDEX history_type ON %s.history (type, last_updated DESC)', lake);
        RETURN NEXT format('made index %s.history_type', lake);
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.upgrade_lake(text) IS
    'adds to a lake what this version of fhir.create_lake makes beyond older ones, and tells what it added; nothing where the lake has it all. For the owner of the lake; no table is rewritten';

-- count.sql

CREATE FUNCTION fhir.index_count("table" regclass, query fhir.query, clauses fhir.query[] DEFAULT '{}') RETURNS bigint
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_index_count';
COMMENT ON FUNCTION fhir.index_count(regclass, fhir.query, fhir.query[]) IS
    'the number of rows of a table that satisfy the search, from its GIN index; NULL where only count(*) can tell. The clauses are the same search in parts, the narrow ones first, which GIN scans faster';

-- interactions.sql

-- Reading ----------------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION fhir.read(type text, id text) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_read';

CREATE OR REPLACE FUNCTION fhir.vread(type text, id text, version bigint) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_vread';

CREATE FUNCTION fhir.create(resource jsonb, if_none_exist text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_create';
COMMENT ON FUNCTION fhir.create(jsonb, text) IS
    'stores a new resource under an id of the server; returns it as stored. With if_none_exist, search criteria, only if nothing meets them: returns the one resource that does, and raises FH412 for several';

CREATE FUNCTION fhir.update(resource jsonb, if_match text DEFAULT NULL, condition text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_update';
COMMENT ON FUNCTION fhir.update(jsonb, text, text) IS
    'stores a resource under the id that it has, as a new version or, where there is none, a new resource; returns it as stored. With if_match only over that version, else raises FH412. With condition, search criteria, over the one resource that meets them; none is a new resource, several raise FH412';

CREATE FUNCTION fhir.patch(type text, id text, patch jsonb, if_match text DEFAULT NULL, kind text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_patch';
COMMENT ON FUNCTION fhir.patch(text, text, jsonb, text, text) IS
    'stores what a patch makes of a resource; returns it as stored. kind: json-patch, merge-patch or fhirpath-patch; without it an array is the first, a Parameters resource the last, any other object the second. With if_match only of that version, else raises FH412';

CREATE FUNCTION fhir.patch_where(search text, patch jsonb, if_match text DEFAULT NULL, kind text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_patch_where';
COMMENT ON FUNCTION fhir.patch_where(text, jsonb, text, text) IS
    'patches the one resource that a search such as Patient?identifier=… finds; raises FH404 for none and FH412 for several';

CREATE FUNCTION fhir.delete(type text, id text, if_match text DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_delete';
COMMENT ON FUNCTION fhir.delete(text, text, text) IS
    'deletes a resource; false if there was none. Its versions stay in history. With if_match only that version, else raises FH412';

CREATE FUNCTION fhir.delete_where(search text, multiple boolean DEFAULT false) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_delete_where';
COMMENT ON FUNCTION fhir.delete_where(text, boolean) IS
    'deletes what a search such as Patient?identifier=… finds, and returns how many; raises FH412 for several, unless multiple';

CREATE FUNCTION fhir.history(
        type text DEFAULT NULL, id text DEFAULT NULL, since timestamptz DEFAULT NULL,
        at timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, count bigint DEFAULT NULL, after text DEFAULT NULL)
    RETURNS TABLE (resource_type text, resource_id text, version bigint, last_updated timestamptz, method text, resource jsonb, cursor text)
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 100 AS 'MODULE_PATHNAME', 'fhir_history';
COMMENT ON FUNCTION fhir.history(text, text, timestamptz, timestamptz, timestamptz, bigint, text) IS
    'the versions of a resource, of all of a type or of all, the latest first; a deletion is a version without resource. since: made then or later; at: current then, or with until at some moment from at to before until; count and after, the cursor of a row: a page behind that row';

CREATE FUNCTION fhir.history_bundle(path text) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_history_bundle';
COMMENT ON FUNCTION fhir.history_bundle(text) IS
    'a page of history as a Bundle, from a path such as Patient/1/_history?_since=…&_at=…&_count=…, Patient/_history or _history; follow its link "next" for more';

-- integrity.sql

CREATE FUNCTION fhir.check_references() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_check_references';
COMMENT ON FUNCTION fhir.check_references() IS
    'constraint trigger of a lake, made by fhir.set_integrity: what a written resource refers to must be there, and nothing may refer to what is deleted';

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

-- patch.sql

CREATE FUNCTION fhir.json_patch(resource jsonb, patch jsonb) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_json_patch';
COMMENT ON FUNCTION fhir.json_patch(jsonb, jsonb) IS
    'the resource after a JSON Patch (RFC 6902), an array of operations; it may not change resourceType or id';

CREATE FUNCTION fhir.merge_patch(resource jsonb, patch jsonb) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_merge_patch';
COMMENT ON FUNCTION fhir.merge_patch(jsonb, jsonb) IS
    'the resource after a JSON Merge Patch (RFC 7396), an object of what changes with null for what goes; it may not change resourceType or id';

CREATE FUNCTION fhir.fhirpath_patch(resource jsonb, parameters jsonb) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_fhirpath_patch';
COMMENT ON FUNCTION fhir.fhirpath_patch(jsonb, jsonb) IS
    'the resource after a FHIRPath Patch, a Parameters resource of add, insert, delete, replace and move; it may not change resourceType or id';

CREATE FUNCTION fhir.diff(before jsonb, after jsonb) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_diff';
COMMENT ON FUNCTION fhir.diff(jsonb, jsonb) IS
    'what changed, as the JSON Patch that makes the second of the first';

CREATE FUNCTION fhir.diff(type text, id text, v1 bigint, v2 bigint) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    AS $$ SELECT fhir.diff(fhir.vread($1, $2, $3), fhir.vread($1, $2, $4)) $$;
COMMENT ON FUNCTION fhir.diff(text, text, bigint, bigint) IS
    'what changed from one version of a resource to another, as a JSON Patch; meta.versionId and meta.lastUpdated did change and are in it';

-- erase.sql

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
    IF revert.preview THEN
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
    FOREACH relation IN ARRAY '{resource,history,membership,entity,load_error}'::text[] LOOP
        IF NOT has_table_privilege(format('%I.%I', lake, relation), 'SELECT')
            OR NOT has_table_privilege(format('%I.%I', lake, relation), 'DELETE') THEN
            RAISE EXCEPTION 'permission denied to erase: it takes SELECT and DELETE on table "%" of the lake', relation
                USING ERRCODE = 'insufficient_privilege',
                      HINT = 'It takes both on resource and each partition, history, membership, entity and load_error, and no row-level security that applies. The owner of the lake has them.';
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.assert_may_erase() IS
    'raises 42501 unless the caller has SELECT and DELETE on the tables of the lake that fhir.erase and fhir.purge remove from';

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
    gone bigint;
BEGIN
    PERFORM fhir.assert_may_erase();
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
    EXECUTE format('DELETE FROM %s.entity e WHERE e.type = $1 AND e.id = $2', lake) USING erase.type, erase.id;
    GET DIAGNOSTICS count = ROW_COUNT;
    IF count > 0 THEN
        "table" := 'entity';
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
    'removes a resource with all its versions, what was found in its text, and lines that could not be loaded and name it; returns how many rows went from which table. Needs DELETE on history as well. References to it stay: fhir.referring lists them';

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
            FROM %1$s.resource r WHERE r.compartment = $1 OR (r.type = 'Patient' AND 'Patient/' || r.id = $1)
            UNION
            SELECT m.type, m.id, true FROM %1$s.membership m WHERE m.compartment = $1)
        SELECT coalesce(array_agg(w.type) FILTER (WHERE NOT w.is_shared OR $2), '{}'),
               coalesce(array_agg(w.id) FILTER (WHERE NOT w.is_shared OR $2), '{}'),
               coalesce(array_agg(w.type ORDER BY w.type, w.id) FILTER (WHERE w.is_shared AND NOT $2), '{}'),
               coalesce(array_agg(w.id ORDER BY w.type, w.id) FILTER (WHERE w.is_shared AND NOT $2), '{}')
        FROM whole w$$, lake) INTO types, ids, kept_types, kept_ids USING home, shared;

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
    FOREACH one IN ARRAY '{history,entity,load_error}'::text[] LOOP
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

-- view.sql

-- Of one resource --------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.event(resource jsonb)
    RETURNS TABLE ("precision" text, ended timestamptz, until timestamptz, system text, code text, display text, value text,
        unit text, status text, refers_type text, refers_id text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 1 AS 'MODULE_PATHNAME', 'fhir_event';
COMMENT ON FUNCTION fhir.event(jsonb) IS
    'a resource as one line of a record. ended: when it was over, for a date the end of its day, month or year; NULL for a point in time and for what goes on. until: the first moment that it does not reach, infinity where it goes on. refers: the other resource that tells what it is about';

CREATE FUNCTION fhir.until(resource jsonb) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'fhir_until';
COMMENT ON FUNCTION fhir.until(jsonb) IS
    'the first moment that the clinical time of a resource does not reach; infinity where it goes on, or does not say';

CREATE FUNCTION fhir.references(resource jsonb) RETURNS TABLE (type text, id text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 5 AS 'MODULE_PATHNAME', 'fhir_references';
COMMENT ON FUNCTION fhir.references(jsonb) IS
    'the resources that a resource points at by relative references, wherever in it, each once';

CREATE FUNCTION fhir.timeline_sql(patient text, "from" text DEFAULT NULL, "to" text DEFAULT NULL, types text[] DEFAULT NULL,
        newest_first boolean DEFAULT true, count integer DEFAULT NULL, lake text DEFAULT fhir.current_lake()) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_timeline_sql';
COMMENT ON FUNCTION fhir.timeline_sql(text, text, text, text[], boolean, integer, text) IS
    'the SQL that fhir.timeline runs: for reading, and for EXPLAIN';

CREATE FUNCTION fhir.timeline(patient text, "from" text DEFAULT NULL, "to" text DEFAULT NULL, types text[] DEFAULT NULL,
        newest_first boolean DEFAULT true, count integer DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (occurred timestamptz, "precision" text, ended timestamptz, type text, system text, code text, display text,
        value text, unit text, status text, id text, version bigint)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 ROWS 500
    -- the order is that of the index: where a sort looks cheaper it would still read the whole record before its first line
    SET enable_sort = off
    AS $function$
BEGIN
    RETURN QUERY EXECUTE fhir.timeline_sql(patient, "from", "to", types, newest_first, count, lake);
END
$function$;
COMMENT ON FUNCTION fhir.timeline(text, text, text, text[], boolean, integer, text) IS
    'the record of a patient in time order, one line for each resource. from and to: FHIR dates of any precision; what reaches into that time counts. count: only the first of that order. Undated resources are at its old end, and left out where from or to is given';

CREATE FUNCTION fhir.timeline_svg(patient text, "from" text DEFAULT NULL, "to" text DEFAULT NULL, types text[] DEFAULT NULL,
        width integer DEFAULT 1280, rows integer DEFAULT 12, lake text DEFAULT fhir.current_lake()) RETURNS text
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000
    SET enable_sort = off
    AS 'MODULE_PATHNAME', 'fhir_timeline_svg';
COMMENT ON FUNCTION fhir.timeline_svg(text, text, text, text[], integer, integer, text) IS
    'the record of a patient as a picture in SVG. width: in pixels; rows: most rows of a lane, what is beyond is drawn as one. Its size is bounded by these two, however long the record is';

CREATE FUNCTION fhir.everything(patient text, start text DEFAULT NULL, "end" text DEFAULT NULL, since timestamptz DEFAULT NULL,
        types text[] DEFAULT NULL, count integer DEFAULT NULL, cursor text DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'fhir_everything';
COMMENT ON FUNCTION fhir.everything(text, text, text, timestamptz, text[], integer, text, text) IS
    'Patient/$everything as a Bundle: the compartment of the patient, and what that points at. count: resources on a page; cursor: the link "next" of the page before. Raises FH404 if there is no such patient and FH410 if it was deleted';

CREATE FUNCTION fhir.everything_rows(patient text, start text DEFAULT NULL, "end" text DEFAULT NULL, since timestamptz DEFAULT NULL,
        types text[] DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, id text, version bigint, last_updated timestamptz, of_compartment boolean, resource jsonb)
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 ROWS 1000 AS 'MODULE_PATHNAME', 'fhir_everything_rows';
COMMENT ON FUNCTION fhir.everything_rows(text, text, text, timestamptz, text[], text) IS
    'what fhir.everything gives, as rows. of_compartment: whether the resource belongs to the patient, or is only pointed at';

-- rest.sql

CREATE FUNCTION fhir.bundle(bundle jsonb, prefer text DEFAULT NULL) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_bundle';
COMMENT ON FUNCTION fhir.bundle(jsonb, text) IS
    'processes a Bundle of type batch or transaction and returns the Bundle of answers. An entry of a batch that fails is answered with an OperationOutcome; of a transaction, it raises. prefer: return=minimal (default) or return=representation';

CREATE FUNCTION fhir.rest(method text, url text, headers jsonb DEFAULT '{}', body text DEFAULT NULL,
        OUT status integer, OUT answer_headers jsonb, OUT answer jsonb) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 ROWS 1 AS 'MODULE_PATHNAME', 'fhir_rest';
COMMENT ON FUNCTION fhir.rest(text, text, jsonb, text) IS
    'answers one request of the RESTful API: its status, headers and body. The address may be whole or relative; what stands before the first resource type is the base of the links in the answer. A request that fails changes nothing and is answered with an OperationOutcome';

CREATE FUNCTION fhir.capability_statement(base text DEFAULT '') RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_capability_statement';
COMMENT ON FUNCTION fhir.capability_statement(text) IS
    'the CapabilityStatement of a lake: interactions, search parameters and operations of every type, as they are supported';

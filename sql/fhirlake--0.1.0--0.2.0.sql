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

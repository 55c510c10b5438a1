\echo Use "ALTER EXTENSION fhirlake UPDATE TO '0.2.0'" to load this file. \quit

-- Made by sql/upgrade/make from 0.1.0 to 0.2.0.

-- fhir.bundle(jsonb) is a function now.
ALTER DOMAIN fhir.bundle RENAME TO bundle_resource;

-- Gone, or made anew below with other arguments or another result.
DROP FUNCTION fhir.load(text);
DROP FUNCTION fhir.count(text, text, text, timestamptz);
DROP FUNCTION fhir.expand(text, text);
DROP FUNCTION fhir.index_count(regclass, fhir.query);
DROP FUNCTION fhir.raise_missing(text, text);
DROP FUNCTION fhir.history(text, text);
DROP FUNCTION fhir.delete(text, text);
DROP FUNCTION fhir.update(jsonb);
DROP FUNCTION fhir.create(jsonb);

-- json_schema.sql

-- A schema costs milliseconds to compile; it is kept for the place of the query that asks, as long as the argument stays the same.
CREATE FUNCTION fhir.matches_schema(resource jsonb, schema jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_matches_schema';
COMMENT ON FUNCTION fhir.matches_schema(jsonb, jsonb) IS
    'whether a resource, or any other JSON value, matches a JSON Schema (drafts 4 to 2020-12); raises 22023 for what is no schema';

CREATE FUNCTION fhir.schema_issues(resource jsonb, schema jsonb)
    RETURNS TABLE (expression text, keyword text, details text, path text, schema_path text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200 ROWS 5 AS 'MODULE_PATHNAME', 'fhir_schema_issues';
COMMENT ON FUNCTION fhir.schema_issues(jsonb, jsonb) IS
    'what of a resource does not match a JSON Schema: the place in FHIR''s words, the keyword that says so, and both places as JSON Pointers; no row where it matches';

-- ndjson.sql

CREATE FUNCTION fhir.take_lines() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_take_lines';
COMMENT ON FUNCTION fhir.take_lines() IS
    'triggers of the view ndjson of a lake: takes NDJSON line by line and writes the resources in batches, with the rights of the caller';

CREATE FUNCTION fhir.create_ndjson(name text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    EXECUTE format($$
        CREATE OR REPLACE VIEW %1$I.ndjson AS SELECT NULL::text AS line WHERE false;
        COMMENT ON VIEW %1$I.ndjson IS 'takes NDJSON of any resource types, a line each, by COPY or INSERT; shows nothing';
        CREATE OR REPLACE TRIGGER zz_begin BEFORE INSERT ON %1$I.ndjson FOR EACH STATEMENT EXECUTE FUNCTION fhir.take_lines();
        CREATE OR REPLACE TRIGGER zz_line INSTEAD OF INSERT ON %1$I.ndjson FOR EACH ROW EXECUTE FUNCTION fhir.take_lines();
        CREATE OR REPLACE TRIGGER zz_end AFTER INSERT ON %1$I.ndjson FOR EACH STATEMENT EXECUTE FUNCTION fhir.take_lines()$$, name);
END
$function$;
COMMENT ON FUNCTION fhir.create_ndjson(text) IS
    'makes the view ndjson of a lake, or its triggers anew; fhir.create_lake and fhir.upgrade_lake call it';

CREATE FUNCTION fhir.loads_in_bulk(relation regclass) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_loads_in_bulk';
COMMENT ON FUNCTION fhir.loads_in_bulk(regclass) IS
    'whether loads by the current user write this table in bulk; else they go row by row through INSERT, for it has what an INSERT must obey: row-level security, triggers, checks or further unique indexes of the user''s';

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
        EXECUTE format('CREATE TABLE %s PARTITION OF %s.resource (type DEFAULT %L) FOR VALUES IN (%3$L)',
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

        CREATE TABLE %1$s.load (
            id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            file      text        NOT NULL,
            loaded    bigint      NOT NULL DEFAULT 0,
            unchanged bigint      NOT NULL DEFAULT 0,
            rejected  bigint      NOT NULL DEFAULT 0,
            started   timestamptz NOT NULL DEFAULT clock_timestamp(),
            finished  timestamptz,
            by        name        NOT NULL DEFAULT CURRENT_USER,
            dry_run         boolean NOT NULL DEFAULT false,
            deleted         bigint  NOT NULL DEFAULT 0,
            unresolved      bigint  NOT NULL DEFAULT 0,
            dangling        bigint,
            bytes           bigint,
            rows_per_second double precision,
            mb_per_second   double precision
        );
        COMMENT ON TABLE %1$s.load IS 'files loaded by fhir.load, and how many of their lines';
        COMMENT ON COLUMN %1$s.load.loaded IS 'resources that were new or changed';
        COMMENT ON COLUMN %1$s.load.unchanged IS 'resources that were there already';
        COMMENT ON COLUMN %1$s.load.rejected IS 'lines that are in load_error instead of the lake';
        COMMENT ON COLUMN %1$s.load.dry_run IS 'the load only told what it would do';
        COMMENT ON COLUMN %1$s.load.deleted IS 'resources that the file deleted';
        COMMENT ON COLUMN %1$s.load.unresolved IS 'resources stored with a reference that is a search and did not find one resource';
        COMMENT ON COLUMN %1$s.load.dangling IS 'resources that references of the file name and the lake did not have when the load was done; NULL if not counted';
        COMMENT ON COLUMN %1$s.load.bytes IS 'length of the file, unpacked';

        CREATE TABLE %1$s.load_error (
            load        bigint  NOT NULL REFERENCES %1$s.load ON DELETE CASCADE,
            line        bigint  NOT NULL,
            byte_offset bigint  NOT NULL,
            file        text    NOT NULL,
            expression  text,
            reason      text    NOT NULL,
            text        text    NOT NULL,
            is_loaded   boolean NOT NULL DEFAULT false,
            PRIMARY KEY (load, line)
        );
        COMMENT ON TABLE %1$s.load_error IS 'lines that fhir.load rejected, and why';
        COMMENT ON COLUMN %1$s.load_error.line IS 'number of the line, or of the entry of a Bundle, from 1';
        COMMENT ON COLUMN %1$s.load_error.byte_offset IS 'bytes of the (unpacked) file before it';
        COMMENT ON COLUMN %1$s.load_error.expression IS 'where in the resource, where it could be read';
        COMMENT ON COLUMN %1$s.load_error.text IS 'the line, its first 4000 characters';
        COMMENT ON COLUMN %1$s.load_error.is_loaded IS 'the resource is stored all the same, with what the reason says';

        -- Rejected lines are patients' data: who loads sees and changes what is of their own loads, the owner everything.
        ALTER TABLE %1$s.load ENABLE ROW LEVEL SECURITY;
        ALTER TABLE %1$s.load_error ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own_load ON %1$s.load USING (by = CURRENT_USER);
        CREATE POLICY own_load ON %1$s.load_error USING (load IN (SELECT l.id FROM %1$s.load l))$$, lake, compression);
    PERFORM fhir.create_entities(name);
    PERFORM fhir.create_ndjson(name);
    PERFORM fhir.create_concepts(name);
    PERFORM fhir.create_quality(name);
    PERFORM fhir.create_stored(name);
END
$function$;

CREATE OR REPLACE FUNCTION fhir.drop_lake(name text, cascade boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    AS $function$
DECLARE
    lake text := quote_ident(name);
BEGIN
    IF NOT EXISTS (SELECT FROM fhir.lakes() l WHERE l.lake = name) THEN
        RAISE EXCEPTION 'there is no lake "%"', name
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    IF cascade THEN
        EXECUTE format('DROP SCHEMA %s CASCADE', lake);
    ELSE
        EXECUTE format('DROP TABLE %1$s.resource, %1$s.membership, %1$s.history, %1$s.entity, %1$s.load_error, %1$s.load', lake);
        EXECUTE format('DROP TABLE IF EXISTS %s.concept', lake);
        -- what a lake of an older version does not have
        EXECUTE format('DROP TABLE IF EXISTS %1$s.entity_run, %1$s.entity_review, %1$s.issue, %1$s.quality, %1$s.revalidation, %1$s.stored_view, %1$s.stored', lake);
        EXECUTE format('DROP VIEW IF EXISTS %s.ndjson', lake);
        EXECUTE format('DROP SCHEMA %s', lake);
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION fhir.grant_lake(name text, role text, privilege text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    lake text := quote_ident(name);
    grantee text := CASE WHEN lower(role) = 'public' THEN 'PUBLIC' ELSE quote_ident(role) END;
    relation text;
BEGIN
    IF privilege NOT IN ('read', 'write') THEN
        RAISE EXCEPTION 'privilege "%" is not known', privilege
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is read or write (which includes read).';
    END IF;
    IF NOT EXISTS (SELECT FROM fhir.lakes() l WHERE l.lake = name) THEN
        RAISE EXCEPTION 'there is no lake "%"', name
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', lake, grantee);
    EXECUTE format('GRANT SELECT ON %1$s.membership, %1$s.history, %1$s.entity TO %2$s', lake, grantee);
    -- A grant on the parent does not reach a partition that is named itself.
    FOR relation IN SELECT format('%s', t.relid) FROM pg_partition_tree((lake || '.resource')::regclass) t LOOP
        EXECUTE format('GRANT %s ON %s TO %s',
            CASE privilege WHEN 'read' THEN 'SELECT' ELSE 'SELECT, INSERT, UPDATE, DELETE' END, relation, grantee);
    END LOOP;
    -- A lake that an older version made has none before fhir.upgrade_lake.
    IF to_regclass(lake || '.concept') IS NOT NULL THEN
        EXECUTE format('GRANT %s ON %s.concept TO %s',
            CASE privilege WHEN 'read' THEN 'SELECT' ELSE 'SELECT, INSERT, UPDATE, DELETE' END, lake, grantee);
    END IF;
    IF to_regclass(lake || '.stored_view') IS NOT NULL THEN
        EXECUTE format('GRANT SELECT ON %s.stored_view TO %s', lake, grantee);
    END IF;
    IF to_regclass(lake || '.entity_run') IS NOT NULL THEN
        EXECUTE format('GRANT SELECT ON %s.entity_run TO %s', lake, grantee);
        EXECUTE format('GRANT %s ON %s.entity_review TO %s',
            CASE privilege WHEN 'read' THEN 'SELECT' ELSE 'SELECT, INSERT, UPDATE, DELETE' END, lake, grantee);
    END IF;
    IF privilege = 'write' THEN
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %1$s.load TO %2$s', lake, grantee);
        EXECUTE format('GRANT SELECT, INSERT ON %1$s.load_error TO %2$s', lake, grantee);
        -- A lake that an older version made has none before fhir.upgrade_lake.
        IF to_regclass(lake || '.ndjson') IS NOT NULL THEN
            EXECUTE format('GRANT INSERT ON %1$s.ndjson TO %2$s', lake, grantee);
        END IF;
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.grant_lake(text, text, text) IS
    'grants a role read or write on a lake: the parent and every partition, concepts, reading of history, membership, entity and entity_run, and reviews of findings';

-- upgrade.sql

-- It adds what fhir.create_lake has learned since, and rewrites no table. New indexes are built while writers of the table
-- wait; where they may not, make them before with the commands in docs/operations.md, and this finds them.
CREATE FUNCTION fhir.upgrade_lake(name text DEFAULT fhir.current_lake()) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE ROWS 3
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    lake text := quote_ident(name);
    partition regclass;
    changed integer := 0;
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
    IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(lake || '.load_error') AND a.attname = 'is_loaded') THEN
        EXECUTE format($$
            ALTER TABLE %1$s.load
                ADD dry_run boolean NOT NULL DEFAULT false,
                ADD deleted bigint NOT NULL DEFAULT 0,
                ADD unresolved bigint NOT NULL DEFAULT 0,
                ADD dangling bigint,
                ADD bytes bigint,
                ADD rows_per_second double precision,
                ADD mb_per_second double precision;
            COMMENT ON COLUMN %1$s.load.loaded IS 'resources that were new or changed';
            COMMENT ON COLUMN %1$s.load.unchanged IS 'resources that were there already';
            COMMENT ON COLUMN %1$s.load.rejected IS 'lines that are in load_error instead of the lake';
            COMMENT ON COLUMN %1$s.load.dry_run IS 'the load only told what it would do';
            COMMENT ON COLUMN %1$s.load.deleted IS 'resources that the file deleted';
            COMMENT ON COLUMN %1$s.load.unresolved IS 'resources stored with a reference that is a search and did not find one resource';
            COMMENT ON COLUMN %1$s.load.dangling IS 'resources that references of the file name and the lake did not have when the load was done; NULL if not counted';
            COMMENT ON COLUMN %1$s.load.bytes IS 'length of the file, unpacked';
            ALTER TABLE %1$s.load_error ADD is_loaded boolean NOT NULL DEFAULT false;
            COMMENT ON COLUMN %1$s.load_error.line IS 'number of the line, or of the entry of a Bundle, from 1';
            COMMENT ON COLUMN %1$s.load_error.byte_offset IS 'bytes of the (unpacked) file before it';
            COMMENT ON COLUMN %1$s.load_error.is_loaded IS 'the resource is stored all the same, with what the reason says'$$, lake);
        RETURN NEXT format('added columns to %s.load and %1$s.load_error', lake);
    END IF;
    IF (SELECT count(*) <> 3 FROM pg_trigger t
        WHERE t.tgrelid = to_regclass(lake || '.ndjson') AND t.tgfoid = 'fhir.take_lines()'::regprocedure) THEN
        PERFORM fhir.create_ndjson(name);
        RETURN NEXT format('made view %s.ndjson', lake);
    END IF;
    IF to_regclass(lake || '.concept') IS NULL THEN
        PERFORM fhir.create_concepts(name);
        RETURN NEXT format('made table %s.concept', lake);
    END IF;
    IF to_regclass(lake || '.issue') IS NULL THEN
        PERFORM fhir.create_quality(name);
        RETURN NEXT format('made tables issue, quality and revalidation of %s', lake);
    END IF;
    IF to_regclass(lake || '.stored') IS NULL THEN
        PERFORM fhir.create_stored(name);
        RETURN NEXT format('made tables stored and stored_view of %s', lake);
    END IF;
    IF to_regclass(lake || '.entity_run') IS NULL THEN
        PERFORM fhir.create_entities(name);
        RETURN NEXT format('brought %s.entity to its new form and made tables entity_run and entity_review', lake);
    END IF;
    -- No version of a resource fits into the place of another, as an index has its time; and an index grows more cheaply at its end.
    FOR partition IN
        SELECT c.oid::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = (lake || '.resource')::regclass AND c.reloptions = '{fillfactor=90}' ORDER BY c.relname
    LOOP
        EXECUTE format('ALTER TABLE %s RESET (fillfactor)', partition);
        changed := changed + 1;
    END LOOP;
    IF changed > 0 THEN
        RETURN NEXT format('took fillfactor from %s tables of %s', changed, lake);
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

-- path.sql

CREATE FUNCTION fhir.path_support(internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_path_support';
COMMENT ON FUNCTION fhir.path_support(internal) IS
    'for the planner: makes it load the library, which then looks up in the index what conditions on these functions imply (fhir.pushdown)';

CREATE FUNCTION fhir.path(resource jsonb, expression text) RETURNS SETOF jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 3 AS 'MODULE_PATHNAME', 'fhir_path';
COMMENT ON FUNCTION fhir.path(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, one row each, elements as they stand in it; errors: 42601 if it is no FHIRPath, 42703 or 42704 for an element or type that does not exist, 42804 and 21000 for values that do not fit, 54000 beyond fhir.path_steps, 0A000 if it asks the time';

CREATE FUNCTION fhir.path(resource jsonb, expression text, variables jsonb) RETURNS SETOF jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 ROWS 3 AS 'MODULE_PATHNAME', 'fhir_path';
COMMENT ON FUNCTION fhir.path(jsonb, text, jsonb) IS
    'as fhir.path(resource, expression), with values for %names: fhir.path(resource, ''Patient.name.where(use = %use)'', ''{"use": "official"}''); now() and today() are those of the statement';

CREATE FUNCTION fhir.path_array(resource jsonb, expression text) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_array';
COMMENT ON FUNCTION fhir.path_array(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as one JSON array; errors as fhir.path';

CREATE FUNCTION fhir.path_array(resource jsonb, expression text, variables jsonb) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_array';
COMMENT ON FUNCTION fhir.path_array(jsonb, text, jsonb) IS
    'as fhir.path_array(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_exists(resource jsonb, expression text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_exists';
COMMENT ON FUNCTION fhir.path_exists(jsonb, text) IS
    'whether a FHIRPath expression gives anything on a resource, and be it false; fhir.path_boolean tells whether it is true; errors as fhir.path';

CREATE FUNCTION fhir.path_exists(resource jsonb, expression text, variables jsonb) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_exists';
COMMENT ON FUNCTION fhir.path_exists(jsonb, text, jsonb) IS
    'as fhir.path_exists(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_boolean(resource jsonb, expression text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 SUPPORT fhir.path_support AS 'MODULE_PATHNAME', 'fhir_path_boolean';
COMMENT ON FUNCTION fhir.path_boolean(jsonb, text) IS
    'a FHIRPath expression as a condition: NULL where it gives nothing, and a single value that is no boolean counts as true; errors as fhir.path';

CREATE FUNCTION fhir.path_boolean(resource jsonb, expression text, variables jsonb) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_boolean';
COMMENT ON FUNCTION fhir.path_boolean(jsonb, text, jsonb) IS
    'as fhir.path_boolean(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_text(resource jsonb, expression text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 SUPPORT fhir.path_support AS 'MODULE_PATHNAME', 'fhir_path_text';
COMMENT ON FUNCTION fhir.path_text(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, as text; what has parts as JSON; errors as fhir.path';

CREATE FUNCTION fhir.path_text(resource jsonb, expression text, variables jsonb) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_text';
COMMENT ON FUNCTION fhir.path_text(jsonb, text, jsonb) IS
    'as fhir.path_text(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_number(resource jsonb, expression text) RETURNS numeric
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_number';
COMMENT ON FUNCTION fhir.path_number(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, where it is a number or quantity, with every digit; else NULL; errors as fhir.path';

CREATE FUNCTION fhir.path_number(resource jsonb, expression text, variables jsonb) RETURNS numeric
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_number';
COMMENT ON FUNCTION fhir.path_number(jsonb, text, jsonb) IS
    'as fhir.path_number(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_date(resource jsonb, expression text) RETURNS date
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 SUPPORT fhir.path_support AS 'MODULE_PATHNAME', 'fhir_path_date';
COMMENT ON FUNCTION fhir.path_date(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, where it is a date or date-time: its day in its own zone, of a month or year the first; else NULL; errors as fhir.path';

CREATE FUNCTION fhir.path_date(resource jsonb, expression text, variables jsonb) RETURNS date
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_date';
COMMENT ON FUNCTION fhir.path_date(jsonb, text, jsonb) IS
    'as fhir.path_date(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_timestamp(resource jsonb, expression text) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 SUPPORT fhir.path_support AS 'MODULE_PATHNAME', 'fhir_path_timestamp';
COMMENT ON FUNCTION fhir.path_timestamp(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, where it is a date or date-time: its first instant, in UTC where it names no zone; else NULL; errors as fhir.path';

CREATE FUNCTION fhir.path_timestamp(resource jsonb, expression text, variables jsonb) RETURNS timestamptz
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_timestamp';
COMMENT ON FUNCTION fhir.path_timestamp(jsonb, text, jsonb) IS
    'as fhir.path_timestamp(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_integer(resource jsonb, expression text) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_integer';
COMMENT ON FUNCTION fhir.path_integer(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, where it is a whole number; else NULL; errors as fhir.path';

CREATE FUNCTION fhir.path_integer(resource jsonb, expression text, variables jsonb) RETURNS integer
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_integer';
COMMENT ON FUNCTION fhir.path_integer(jsonb, text, jsonb) IS
    'as fhir.path_integer(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_time(resource jsonb, expression text) RETURNS time
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_time';
COMMENT ON FUNCTION fhir.path_time(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, where it is a time of day; else NULL; errors as fhir.path';

CREATE FUNCTION fhir.path_time(resource jsonb, expression text, variables jsonb) RETURNS time
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_time';
COMMENT ON FUNCTION fhir.path_time(jsonb, text, jsonb) IS
    'as fhir.path_time(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_json(resource jsonb, expression text) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_json';
COMMENT ON FUNCTION fhir.path_json(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, as it stands in it; errors as fhir.path';

CREATE FUNCTION fhir.path_json(resource jsonb, expression text, variables jsonb) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_json';
COMMENT ON FUNCTION fhir.path_json(jsonb, text, jsonb) IS
    'as fhir.path_json(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_texts(resource jsonb, expression text) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_texts';
COMMENT ON FUNCTION fhir.path_texts(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of text; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_texts(resource jsonb, expression text, variables jsonb) RETURNS text[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_texts';
COMMENT ON FUNCTION fhir.path_texts(jsonb, text, jsonb) IS
    'as fhir.path_texts(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_booleans(resource jsonb, expression text) RETURNS boolean[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_booleans';
COMMENT ON FUNCTION fhir.path_booleans(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of booleans; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_booleans(resource jsonb, expression text, variables jsonb) RETURNS boolean[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_booleans';
COMMENT ON FUNCTION fhir.path_booleans(jsonb, text, jsonb) IS
    'as fhir.path_booleans(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_numbers(resource jsonb, expression text) RETURNS numeric[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_numbers';
COMMENT ON FUNCTION fhir.path_numbers(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of numbers; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_numbers(resource jsonb, expression text, variables jsonb) RETURNS numeric[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_numbers';
COMMENT ON FUNCTION fhir.path_numbers(jsonb, text, jsonb) IS
    'as fhir.path_numbers(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_integers(resource jsonb, expression text) RETURNS integer[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_integers';
COMMENT ON FUNCTION fhir.path_integers(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of whole numbers; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_integers(resource jsonb, expression text, variables jsonb) RETURNS integer[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_integers';
COMMENT ON FUNCTION fhir.path_integers(jsonb, text, jsonb) IS
    'as fhir.path_integers(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_dates(resource jsonb, expression text) RETURNS date[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_dates';
COMMENT ON FUNCTION fhir.path_dates(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of dates; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_dates(resource jsonb, expression text, variables jsonb) RETURNS date[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_dates';
COMMENT ON FUNCTION fhir.path_dates(jsonb, text, jsonb) IS
    'as fhir.path_dates(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_timestamps(resource jsonb, expression text) RETURNS timestamptz[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_timestamps';
COMMENT ON FUNCTION fhir.path_timestamps(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of instants; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_timestamps(resource jsonb, expression text, variables jsonb) RETURNS timestamptz[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_timestamps';
COMMENT ON FUNCTION fhir.path_timestamps(jsonb, text, jsonb) IS
    'as fhir.path_timestamps(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_times(resource jsonb, expression text) RETURNS time[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_times';
COMMENT ON FUNCTION fhir.path_times(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of times of day; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_times(resource jsonb, expression text, variables jsonb) RETURNS time[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_times';
COMMENT ON FUNCTION fhir.path_times(jsonb, text, jsonb) IS
    'as fhir.path_times(resource, expression), with values for %names';

CREATE FUNCTION fhir.recheck_support(internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_recheck_support';
COMMENT ON FUNCTION fhir.recheck_support(internal) IS 'for the planner: what is rechecked holds of nearly all rows that the index found';

CREATE FUNCTION fhir.recheck(boolean) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 0.1 SUPPORT fhir.recheck_support AS 'MODULE_PATHNAME', 'fhir_recheck';
COMMENT ON FUNCTION fhir.recheck(boolean) IS 'the condition itself; in plans it stands around one that a search in the same plan looks up in the index';

CREATE FUNCTION fhir.path_query(type text, function text, expression text, operator text, value text) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_path_query_text';
COMMENT ON FUNCTION fhir.path_query(text, text, text, text, text) IS
    'a search that finds all resources of the type of which function(resource, expression) operator value holds; it may find more';

CREATE FUNCTION fhir.path_query(type text, function text, expression text, operator text, value date) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_path_query_date';
COMMENT ON FUNCTION fhir.path_query(text, text, text, text, date) IS 'as fhir.path_query(…, value text)';

CREATE FUNCTION fhir.path_query(type text, function text, expression text, operator text, value timestamp) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_path_query_timestamp';
COMMENT ON FUNCTION fhir.path_query(text, text, text, text, timestamp) IS 'as fhir.path_query(…, value text)';

CREATE FUNCTION fhir.path_query(type text, function text, expression text, operator text, value timestamptz) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_path_query_timestamptz';
COMMENT ON FUNCTION fhir.path_query(text, text, text, text, timestamptz) IS 'as fhir.path_query(…, value text)';

-- terminology.sql

CREATE FUNCTION fhir.expand(value_set text, lake text DEFAULT fhir.current_lake(), filter text DEFAULT NULL, "offset" integer DEFAULT 0,
        count integer DEFAULT NULL, active_only boolean DEFAULT false, include_designations boolean DEFAULT false)
    RETURNS TABLE (system text, code text, display text, is_inactive boolean, designations jsonb)
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 100 AS 'MODULE_PATHNAME', 'fhir_expand';
COMMENT ON FUNCTION fhir.expand(text, text, text, integer, integer, boolean, boolean) IS
    'the codes of a value set, named by url, url|version or ValueSet/id, in the order of systems and codes; filter: words of which each is in the code or its display; a row without a code stands for every code of a system that the lake does not list';

CREATE FUNCTION fhir.expand_value_set(value_set text, resource jsonb DEFAULT NULL, lake text DEFAULT fhir.current_lake(), filter text DEFAULT NULL,
        "offset" integer DEFAULT 0, count integer DEFAULT NULL, active_only boolean DEFAULT false, include_designations boolean DEFAULT false)
    RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_expand_value_set';
COMMENT ON FUNCTION fhir.expand_value_set(text, jsonb, text, text, integer, integer, boolean, boolean) IS
    'ValueSet/$expand: a ValueSet with its expansion, of a value set in the lake or of one that is given; see fhir.expand';

CREATE FUNCTION fhir.validate_code(value_set text, resource jsonb, system text, code text, display text DEFAULT NULL, version text DEFAULT NULL,
        lake text DEFAULT fhir.current_lake()) RETURNS TABLE (result boolean, message text, known_display text, known_system text)
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 ROWS 1 AS 'MODULE_PATHNAME', 'fhir_validate_code';
COMMENT ON FUNCTION fhir.validate_code(text, jsonb, text, text, text, text, text) IS
    'as fhir.validate_code without the resource, which is a ValueSet that need not be in the lake';

CREATE FUNCTION fhir.validate_code(value_set text, system text, code text, display text DEFAULT NULL, version text DEFAULT NULL,
        lake text DEFAULT fhir.current_lake()) RETURNS TABLE (result boolean, message text, known_display text, known_system text)
    LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 1
    AS $$ SELECT v.result, v.message, v.known_display, v.known_system FROM fhir.validate_code($1, NULL::jsonb, $2, $3, $4, $5, $6) v $$;
COMMENT ON FUNCTION fhir.validate_code(text, text, text, text, text, text) IS
    '$validate-code: whether a code is in a value set, or where that is NULL in its code system; result is NULL where it cannot be told, and message says why. Without a system the code may be of any; a display that is not the known one makes the result false';

CREATE FUNCTION fhir.subsumes(system text, a text, b text, version text DEFAULT NULL, lake text DEFAULT fhir.current_lake()) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_subsumes';
COMMENT ON FUNCTION fhir.subsumes(text, text, text, text, text) IS
    'CodeSystem/$subsumes: how code a stands to code b: equivalent, subsumes, subsumed-by or not-subsumed; NULL where the system or a code is not known';

CREATE FUNCTION fhir.concepts(code_system jsonb) RETURNS TABLE (place integer, key text, code text, display text, definition text,
        is_abstract boolean, is_inactive boolean, parents integer[], below integer[], properties jsonb, designations jsonb)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 100 AS 'MODULE_PATHNAME', 'fhir_concepts';
COMMENT ON FUNCTION fhir.concepts(jsonb) IS
    'the concepts that a CodeSystem lists, numbered in a walk down its hierarchy: parents are places, below are the first and last places of each range that a concept subsumes, NULL where that is only itself';

CREATE FUNCTION fhir.keep_terms() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_keep_terms';
COMMENT ON FUNCTION fhir.keep_terms() IS
    'AFTER trigger of profiles, code systems, value sets, concept maps and concepts of a lake: keeps the table of concepts as the owner of the table, and tells sessions that remember definitions';

CREATE FUNCTION fhir.create_concepts(name text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    lake text := quote_ident(name);
    privilege text;
    grantee text;
BEGIN
    EXECUTE format($$
        CREATE TABLE %1$s.concept (
            code_system  text      COLLATE "C" NOT NULL,
            place        integer   NOT NULL,
            key          text      COLLATE "C" NOT NULL,
            code         text      COLLATE "C" NOT NULL,
            display      text,
            definition   text,
            is_abstract  boolean   NOT NULL DEFAULT false,
            is_inactive  boolean   NOT NULL DEFAULT false,
            parents      integer[] NOT NULL DEFAULT '{}',
            below        integer[],
            properties   jsonb,
            designations jsonb,
            PRIMARY KEY (code_system, key)
        );
        CREATE UNIQUE INDEX concept_place ON %1$s.concept (code_system, place);
        COMMENT ON TABLE %1$s.concept IS 'concepts of the code systems; written by triggers and by fhir.load_code_system';
        COMMENT ON COLUMN %1$s.concept.code_system IS 'id of the CodeSystem';
        COMMENT ON COLUMN %1$s.concept.place IS 'number in a walk down the hierarchy, from 0';
        COMMENT ON COLUMN %1$s.concept.key IS 'what it is found by: the code, in small letters where the system ignores case';
        COMMENT ON COLUMN %1$s.concept.is_abstract IS 'made to group others, not to be used';
        COMMENT ON COLUMN %1$s.concept.parents IS 'places of what it is directly below';
        COMMENT ON COLUMN %1$s.concept.below IS 'first and last place of each range that it subsumes; NULL where that is only itself';
        COMMENT ON COLUMN %1$s.concept.properties IS 'CodeSystem.concept.property';
        COMMENT ON COLUMN %1$s.concept.designations IS 'CodeSystem.concept.designation';
        INSERT INTO %1$s.concept
            SELECT s.id, c.* FROM %1$s.codesystem s CROSS JOIN LATERAL fhir.concepts(s.resource) c WHERE s.resource ? 'concept';
        CREATE TRIGGER zz_terms AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %1$s.concept
            FOR EACH STATEMENT EXECUTE FUNCTION fhir.keep_terms();
        CREATE TRIGGER zz_terms AFTER INSERT OR UPDATE OR DELETE ON %1$s.codesystem
            FOR EACH ROW EXECUTE FUNCTION fhir.keep_terms('concepts');
        CREATE TRIGGER zz_terms AFTER INSERT OR UPDATE OR DELETE ON %1$s.valueset
            FOR EACH ROW EXECUTE FUNCTION fhir.keep_terms();
        CREATE TRIGGER zz_terms AFTER INSERT OR UPDATE OR DELETE ON %1$s.conceptmap
            FOR EACH ROW EXECUTE FUNCTION fhir.keep_terms();
        CREATE TRIGGER zz_terms AFTER INSERT OR UPDATE OR DELETE ON %1$s.structuredefinition
            FOR EACH ROW EXECUTE FUNCTION fhir.keep_terms()$$, lake);
    -- Who may read or write code systems before may do so with what they list.
    FOR privilege, grantee IN
        SELECT x.privilege_type, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END
        FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) x
        WHERE c.oid = (lake || '.codesystem')::regclass AND x.grantee <> c.relowner
          AND x.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    LOOP
        EXECUTE format('GRANT %s ON %s.concept TO %s', privilege, lake, grantee);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.create_concepts(text) IS
    'makes the table of concepts of a lake from its code systems, and the triggers that keep it; fhir.create_lake and fhir.upgrade_lake call it';

CREATE FUNCTION fhir.code_system_of(system text, version text DEFAULT NULL, lake text DEFAULT fhir.current_lake()) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    found jsonb;
BEGIN
    IF coalesce(system, '') = '' THEN
        RETURN NULL;
    END IF;
    -- the value of a search that stands for exactly this text
    EXECUTE format($$
        SELECT d.resource - 'concept' FROM %I.codesystem d
        WHERE d.search OPERATOR(fhir.|=) ('CodeSystem?url=' || fhir.search_value($1))::fhir.query AND d.resource ->> 'url' = $1
          AND ($2 IS NULL OR d.resource ->> 'version' = $2)
        ORDER BY d.resource ->> 'version' COLLATE "C" DESC NULLS LAST, d.last_updated DESC LIMIT 1$$, lake) INTO found USING system, version;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION fhir.code_system_of(text, text, text) IS
    'the CodeSystem of a url without its concepts; of several the highest version. NULL where the lake has none';

CREATE FUNCTION fhir.search_value(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
        SELECT pg_catalog.string_agg(CASE
            WHEN c OPERATOR(pg_catalog.~) '^[[:alnum:]]$' AND pg_catalog.octet_length(c) OPERATOR(pg_catalog.=) 1 THEN c
            ELSE (CASE WHEN c IN (',', '|', '$', E'\\') THEN '%5C' ELSE '' END)
                OPERATOR(pg_catalog.||) pg_catalog.regexp_replace(pg_catalog.encode(pg_catalog.convert_to(c, 'UTF8'), 'hex'), '..', '%\&', 'g')
            END, '')
        FROM pg_catalog.string_to_table(value, NULL) c
    $$;
COMMENT ON FUNCTION fhir.search_value(text) IS 'a value as it is written in a search, so that it stands for exactly this text';

CREATE FUNCTION fhir.lookup(system text, code text, version text DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (name text, system_version text, display text, definition text, is_abstract boolean, is_inactive boolean,
        parents text[], children text[], properties jsonb, designations jsonb)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 ROWS 1
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    found jsonb := fhir.code_system_of(system, version, lake);
BEGIN
    RETURN QUERY EXECUTE format($$
        SELECT coalesce($1 ->> 'name', $1 ->> 'title', $1 ->> 'url'), $1 ->> 'version', c.display, c.definition, c.is_abstract, c.is_inactive,
            ARRAY(SELECT p.code FROM %1$I.concept p WHERE p.code_system = c.code_system AND p.place = ANY (c.parents) ORDER BY p.place),
            ARRAY(SELECT d.code FROM generate_series(1, coalesce(array_length(c.below, 1), 0), 2) i
                CROSS JOIN LATERAL (SELECT d.code, d.place FROM %1$I.concept d WHERE d.code_system = c.code_system
                    AND d.place BETWEEN c.below[i] AND c.below[i + 1] AND c.place = ANY (d.parents)) d ORDER BY d.place),
            coalesce(c.properties, '[]'), coalesce(c.designations, '[]')
        FROM %1$I.concept c
        WHERE c.code_system = $1 ->> 'id' AND c.key = CASE WHEN $1 -> 'caseSensitive' = 'false' THEN lower($2) ELSE $2 END$$, lake)
        USING found, code;
END
$function$;
COMMENT ON FUNCTION fhir.lookup(text, text, text, text) IS
    'CodeSystem/$lookup: what the code system of the lake says of a code; no row where the lake does not have it';

CREATE FUNCTION fhir.translate(code text, system text DEFAULT NULL, concept_map text DEFAULT NULL, target_system text DEFAULT NULL,
        source_value_set text DEFAULT NULL, target_value_set text DEFAULT NULL, reverse boolean DEFAULT false,
        lake text DEFAULT fhir.current_lake(), resource jsonb DEFAULT NULL, depth integer DEFAULT 8)
    RETURNS TABLE (equivalence text, to_system text, to_code text, to_display text, comment text, map text, products jsonb, depends_on jsonb)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 ROWS 5
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    given jsonb := resource;
    maps jsonb[];
    one jsonb;
    part jsonb;
    is_found boolean;
    asked text := code;
    url text := split_part(concept_map, '|', 1);
    version text := nullif(split_part(concept_map, '|', 2), '');
BEGIN
    IF given IS NOT NULL THEN
        maps := ARRAY[given];
    ELSIF concept_map LIKE 'ConceptMap/%' THEN
        EXECUTE format('SELECT array_agg(m.resource) FROM %I.conceptmap m WHERE m.type = ''ConceptMap'' AND m.id = $1', lake)
            INTO maps USING substr(concept_map, 12);
    ELSIF concept_map IS NOT NULL THEN
        EXECUTE format($$
            SELECT array_agg(m.resource) FROM (
                SELECT m.resource FROM %I.conceptmap m
                WHERE m.search OPERATOR(fhir.|=) ('ConceptMap?url=' || fhir.search_value($1))::fhir.query AND m.resource ->> 'url' = $1
                  AND ($2 IS NULL OR m.resource ->> 'version' = $2)
                ORDER BY m.resource ->> 'version' COLLATE "C" DESC NULLS LAST, m.last_updated DESC LIMIT 1) m$$, lake)
            INTO maps USING url, version;
    ELSIF coalesce(system, target_system) IS NULL THEN
        RAISE EXCEPTION 'neither a system nor a concept map is named' USING ERRCODE = 'invalid_parameter_value';
    ELSE
        EXECUTE format('SELECT array_agg(m.resource ORDER BY m.id) FROM %I.conceptmap m WHERE m.search OPERATOR(fhir.|=) $1::fhir.query', lake)
            INTO maps USING 'ConceptMap?' || CASE WHEN reverse = (system IS NOT NULL) THEN 'target-system=' ELSE 'source-system=' END
                || fhir.search_value(coalesce(system, target_system));
    END IF;
    IF maps IS NULL AND concept_map IS NOT NULL THEN
        RAISE EXCEPTION 'concept map % is not in the lake', left(concept_map, 200)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Load it with fhir.create or fhir.load.';
    END IF;
    FOREACH one IN ARRAY coalesce(maps, '{}') LOOP
        -- without a version on either side any version is meant
        CONTINUE WHEN source_value_set IS NOT NULL AND NOT coalesce(one ->> 'sourceUri', one ->> 'sourceCanonical', '')
                IN (source_value_set, split_part(source_value_set, '|', 1))
                AND split_part(coalesce(one ->> 'sourceUri', one ->> 'sourceCanonical', ''), '|', 1) <> source_value_set
            OR target_value_set IS NOT NULL AND NOT coalesce(one ->> 'targetUri', one ->> 'targetCanonical', '')
                IN (target_value_set, split_part(target_value_set, '|', 1))
                AND split_part(coalesce(one ->> 'targetUri', one ->> 'targetCanonical', ''), '|', 1) <> target_value_set;
        FOR part IN SELECT g FROM jsonb_array_elements(one -> 'group') g LOOP
            IF reverse THEN
                CONTINUE WHEN system IS NOT NULL AND part ->> 'target' IS DISTINCT FROM system
                    OR target_system IS NOT NULL AND part ->> 'source' IS DISTINCT FROM target_system;
                -- what is wider one way is narrower the other
                RETURN QUERY SELECT CASE t ->> 'equivalence' WHEN 'wider' THEN 'narrower' WHEN 'narrower' THEN 'wider'
                        WHEN 'subsumes' THEN 'specializes' WHEN 'specializes' THEN 'subsumes' ELSE t ->> 'equivalence' END,
                    part ->> 'source', e ->> 'code', e ->> 'display', t ->> 'comment', one ->> 'url', t -> 'dependsOn', t -> 'product'
                FROM jsonb_array_elements(part -> 'element') e CROSS JOIN LATERAL jsonb_array_elements(coalesce(e -> 'target', '[]')) t
                WHERE t ->> 'code' = asked;
                CONTINUE;
            END IF;
            CONTINUE WHEN system IS NOT NULL AND part ->> 'source' IS DISTINCT FROM system
                OR target_system IS NOT NULL AND part ->> 'target' IS DISTINCT FROM target_system;
            SELECT count(*) > 0 INTO is_found FROM jsonb_array_elements(part -> 'element') e WHERE e ->> 'code' = asked;
            IF is_found THEN
                RETURN QUERY SELECT t ->> 'equivalence', part ->> 'target', t ->> 'code', t ->> 'display', t ->> 'comment', one ->> 'url',
                    t -> 'product', t -> 'dependsOn'
                FROM jsonb_array_elements(part -> 'element') e CROSS JOIN LATERAL jsonb_array_elements(coalesce(e -> 'target', '[]')) t
                WHERE e ->> 'code' = asked;
            ELSE
                CASE part #>> '{unmapped,mode}'
                WHEN 'provided' THEN
                    RETURN QUERY SELECT 'equal', part ->> 'target', asked, NULL::text, NULL::text, one ->> 'url', NULL::jsonb, NULL::jsonb;
                WHEN 'fixed' THEN
                    RETURN QUERY SELECT 'inexact', part ->> 'target', part #>> '{unmapped,code}', part #>> '{unmapped,display}', NULL::text,
                        one ->> 'url', NULL::jsonb, NULL::jsonb;
                WHEN 'other-map' THEN
                    IF depth <= 0 THEN
                        RAISE EXCEPTION 'concept maps refer to each other too deeply' USING ERRCODE = 'program_limit_exceeded';
                    END IF;
                    RETURN QUERY SELECT * FROM fhir.translate(asked, coalesce(system, part ->> 'source'), part #>> '{unmapped,url}',
                        target_system, NULL, NULL, false, lake, NULL, depth - 1);
                ELSE
                END CASE;
            END IF;
        END LOOP;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.translate(text, text, text, text, text, text, boolean, text, jsonb, integer) IS
    'ConceptMap/$translate: what a code is in another system, by the concept map of that url, url|version or ConceptMap/id, by one that is given, or by all that have its system as their source; with reverse from target to source';

CREATE FUNCTION fhir.read_concepts(code_system jsonb, source text, format text) RETURNS TABLE (place integer, key text, code text, display text,
        definition text, is_abstract boolean, is_inactive boolean, parents integer[], below integer[], properties jsonb, designations jsonb)
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 100000 ROWS 10000 AS 'MODULE_PATHNAME', 'fhir_read_concepts';
COMMENT ON FUNCTION fhir.read_concepts(jsonb, text, text) IS
    'the concepts of a file of the server or of a query, as fhir.concepts gives them; format is csv, tsv, icd-10-cm, rxnorm or query';

CREATE FUNCTION fhir.load_code_system(system text, source text, format text, version text DEFAULT NULL, resource jsonb DEFAULT '{}',
        lake text DEFAULT fhir.current_lake(), OUT code_system text, OUT concepts bigint, OUT roots bigint) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    head jsonb;
    before jsonb;
BEGIN
    IF to_regclass(quote_ident(lake) || '.concept') IS NULL THEN
        IF NOT EXISTS (SELECT FROM fhir.lakes() l WHERE l.lake = load_code_system.lake) THEN
            RAISE EXCEPTION 'there is no lake "%"', lake
                USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
        END IF;
        RAISE EXCEPTION 'lake "%" has no table of concepts', lake
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT fhir.upgrade_lake() makes it.';
    END IF;
    IF coalesce(system, '') = '' OR system LIKE '%|%' THEN
        RAISE EXCEPTION 'the url of a code system is not empty and has no version' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- One load of a system at a time: both would make it.
    PERFORM pg_advisory_xact_lock(hashtextextended(format('fhirlake code system %s %s', lake, system), 0));
    EXECUTE format($$
        SELECT d.resource FROM %I.codesystem d
        WHERE d.search OPERATOR(fhir.|=) ('CodeSystem?url=' || fhir.search_value($1))::fhir.query AND d.resource ->> 'url' = $1
          AND d.resource ->> 'version' IS NOT DISTINCT FROM $2 ORDER BY d.last_updated DESC LIMIT 1$$, lake) INTO before USING system, version;
    head := jsonb_strip_nulls(jsonb_build_object('resourceType', 'CodeSystem', 'status', 'active', 'content', 'complete', 'caseSensitive', true)
        || (coalesce(before, '{}') - 'concept' - 'meta' - 'property' - 'count') || coalesce(resource, '{}')
        || jsonb_build_object('url', system, 'version', version, 'concept', NULL, 'id', before -> 'id'));
    CREATE TEMPORARY TABLE fhirlake_concepts ON COMMIT DROP AS SELECT c.* FROM fhir.read_concepts(head, source, format) c;
    SELECT count(*), count(*) FILTER (WHERE c.parents = '{}') INTO concepts, roots FROM pg_temp.fhirlake_concepts c;
    IF NOT head ? 'property' THEN
        head := jsonb_strip_nulls(head || jsonb_build_object('property', (
            SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('code', p.code, 'type', p.type,
                'uri', CASE WHEN p.code IN ('inactive', 'notSelectable') THEN 'http://hl7.org/fhir/concept-properties#' || p.code END)) ORDER BY p.code)
            FROM (SELECT v ->> 'code' AS code, CASE WHEN bool_and(v ? 'valueBoolean') THEN 'boolean' ELSE 'string' END AS type
                  FROM pg_temp.fhirlake_concepts c CROSS JOIN LATERAL jsonb_array_elements(c.properties) v GROUP BY 1) p)));
    END IF;
    head := head || jsonb_build_object('count', concepts);
    IF before IS NULL THEN
        EXECUTE format('INSERT INTO %I.codesystem (resource) VALUES ($1) RETURNING id', lake) INTO code_system USING head;
    ELSE
        EXECUTE format('UPDATE %I.codesystem c SET resource = $1 WHERE c.type = ''CodeSystem'' AND c.id = $2 RETURNING c.id', lake)
            INTO code_system USING head, before ->> 'id';
    END IF;
    IF code_system IS NULL THEN
        RAISE EXCEPTION 'the code system could not be written' USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('DELETE FROM %I.concept c WHERE c.code_system = $1', lake) USING code_system;
    EXECUTE format('INSERT INTO %I.concept SELECT $1, c.* FROM pg_temp.fhirlake_concepts c', lake) USING code_system;
    DROP TABLE pg_temp.fhirlake_concepts;
    IF EXISTS (SELECT FROM fhir.lakes() l WHERE l.lake = load_code_system.lake AND pg_has_role(l.owner, 'USAGE')) THEN
        EXECUTE format('ANALYZE %I.concept', lake);
    END IF;
    RETURN NEXT;
END
$function$;
COMMENT ON FUNCTION fhir.load_code_system(text, text, text, text, jsonb, text) IS
    'loads a code system from a file of the server (csv, tsv, icd-10-cm, rxnorm) or a query into the table of concepts, in place of what that version had; resource gives further elements of its CodeSystem. Gives its id, its concepts and how many of them have no parent';

-- terminology_rest.sql

CREATE FUNCTION fhir.parameter_text(parameters jsonb, name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT e.value OPERATOR(pg_catalog.#>>) '{}'
        FROM pg_catalog.jsonb_array_elements(parameters OPERATOR(pg_catalog.->) 'parameter') p CROSS JOIN LATERAL pg_catalog.jsonb_each(p) e
        WHERE p OPERATOR(pg_catalog.->>) 'name' OPERATOR(pg_catalog.=) $2 AND e.key OPERATOR(pg_catalog.~) '^value' LIMIT 1
    $$;
COMMENT ON FUNCTION fhir.parameter_text(jsonb, text) IS 'the first value of that name in a Parameters resource, as text';

CREATE FUNCTION fhir.parameter_codings(parameters jsonb, variadic names text[]) RETURNS TABLE (system text, version text, code text, display text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 1
    AS $$
        SELECT c OPERATOR(pg_catalog.->>) 'system', c OPERATOR(pg_catalog.->>) 'version', c OPERATOR(pg_catalog.->>) 'code', c OPERATOR(pg_catalog.->>) 'display'
        FROM pg_catalog.jsonb_array_elements(parameters OPERATOR(pg_catalog.->) 'parameter') p
        CROSS JOIN LATERAL (
            SELECT p OPERATOR(pg_catalog.->) 'valueCoding' AS c
            UNION ALL SELECT x FROM pg_catalog.jsonb_array_elements(p OPERATOR(pg_catalog.#>) '{valueCodeableConcept,coding}') x) v
        WHERE p OPERATOR(pg_catalog.->>) 'name' OPERATOR(pg_catalog.=) ANY (names) AND v.c IS NOT NULL
    $$;
COMMENT ON FUNCTION fhir.parameter_codings(jsonb, text[]) IS 'the codings of those names in a Parameters resource, those of CodeableConcepts among them';

CREATE FUNCTION fhir.parameters_of(parts jsonb[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT pg_catalog.jsonb_build_object('resourceType', 'Parameters', 'parameter', pg_catalog.to_jsonb(pg_catalog.array_remove(parts, NULL))) $$;
COMMENT ON FUNCTION fhir.parameters_of(jsonb[]) IS 'a Parameters resource of these parts; those that are NULL are left out';

CREATE FUNCTION fhir.part(name text, kind text, value text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT CASE WHEN value IS NOT NULL THEN pg_catalog.jsonb_build_object('name', name, 'value' OPERATOR(pg_catalog.||) kind,
            CASE WHEN kind OPERATOR(pg_catalog.=) 'Boolean' THEN pg_catalog.to_jsonb(value::pg_catalog.bool) ELSE pg_catalog.to_jsonb(value) END) END
    $$;
COMMENT ON FUNCTION fhir.part(text, text, text) IS 'one part of a Parameters resource with a value of that type; NULL where there is no value';

CREATE FUNCTION fhir.terminology_operation(operation text, type text, id text, parameters jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_variable
DECLARE
    lake text := fhir.current_lake();
    url text := fhir.parameter_text(parameters, 'url');
    system text := fhir.parameter_text(parameters, 'system');
    code text := fhir.parameter_text(parameters, 'code');
    version text := coalesce(fhir.parameter_text(parameters, 'systemVersion'), fhir.parameter_text(parameters, 'version'));
    given jsonb := jsonb_path_query_first(parameters, '$.parameter[*] ? (@.name == "valueSet" || @.name == "codeSystem" || @.name == "conceptMap").resource');
    parts jsonb[] := '{}';
    hit record;
    one record;
    is_any boolean;
BEGIN
    -- what the address names
    IF id IS NOT NULL AND type = 'CodeSystem' THEN
        EXECUTE format('SELECT c.resource ->> ''url'', c.resource ->> ''version'' AS version FROM %I.codesystem c WHERE c.type = $1 AND c.id = $2', lake)
            INTO system, version USING type, id;
        IF system IS NULL THEN
            RAISE EXCEPTION 'CodeSystem/% is not in the lake, or has no url', id USING ERRCODE = 'FH404';
        END IF;
    ELSIF id IS NOT NULL THEN
        url := type || '/' || id;
    ELSIF type = 'CodeSystem' THEN
        system := coalesce(system, url);
        url := NULL;
    END IF;

    CASE operation
    WHEN '$expand' THEN
        IF coalesce(url, given ->> 'resourceType') IS NULL THEN
            RAISE EXCEPTION 'no value set is named' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give url or valueSet, or ValueSet/[id]/$expand.';
        END IF;
        RETURN fhir.expand_value_set(coalesce(url || coalesce('|' || fhir.parameter_text(parameters, 'valueSetVersion'), ''), given ->> 'url'), given, lake,
            fhir.parameter_text(parameters, 'filter'), fhir.parameter_text(parameters, 'offset')::integer, fhir.parameter_text(parameters, 'count')::integer,
            fhir.parameter_text(parameters, 'activeOnly')::boolean, fhir.parameter_text(parameters, 'includeDesignations')::boolean);

    WHEN '$validate-code' THEN
        IF type = 'ValueSet' AND coalesce(url, given ->> 'resourceType') IS NULL THEN
            RAISE EXCEPTION 'no value set is named' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give url or valueSet, or ValueSet/[id]/$validate-code.';
        END IF;
        FOR one IN
            SELECT system AS system, version AS version, code AS code, fhir.parameter_text(parameters, 'display') AS display WHERE code IS NOT NULL
            UNION ALL SELECT coalesce(c.system, system), c.version, c.code, c.display FROM fhir.parameter_codings(parameters, 'coding', 'codeableConcept') c
        LOOP
            SELECT v.* INTO hit FROM fhir.validate_code(CASE WHEN type = 'ValueSet' THEN coalesce(url, given ->> 'url') END,
                CASE WHEN type = 'ValueSet' THEN given END, one.system, one.code, one.display, one.version, lake) v;
            is_any := coalesce(hit.result, false);
            parts := CASE WHEN is_any THEN '{}' ELSE parts END || ARRAY[fhir.part('result', 'Boolean', is_any::text),
                fhir.part('message', 'String', hit.message), fhir.part('display', 'String', hit.known_display)];
            EXIT WHEN is_any;
        END LOOP;
        IF is_any IS NULL THEN
            RAISE EXCEPTION 'no code is given' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give code and system, coding or codeableConcept.';
        END IF;
        -- of several codings none of which is valid, all messages
        IF NOT is_any THEN
            parts := ARRAY[fhir.part('result', 'Boolean', 'false'), fhir.part('message', 'String',
                (SELECT string_agg(DISTINCT p ->> 'valueString', '; ') FROM unnest(parts) p WHERE p ->> 'name' = 'message')),
                (SELECT p FROM unnest(parts) p WHERE p ->> 'name' = 'display' LIMIT 1)];
        END IF;
        RETURN fhir.parameters_of(parts);

    WHEN '$lookup' THEN
        SELECT coalesce(c.system, system) AS system, coalesce(c.version, version) AS version, c.code INTO one
            FROM (SELECT code AS code, NULL::text AS system, NULL::text AS version WHERE code IS NOT NULL
                  UNION ALL SELECT c.code, c.system, c.version FROM fhir.parameter_codings(parameters, 'coding') c) c LIMIT 1;
        IF one.code IS NULL OR one.system IS NULL THEN
            RAISE EXCEPTION 'no code with its system is given' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give code and system, or coding.';
        END IF;
        SELECT l.* INTO hit FROM fhir.lookup(one.system, one.code, one.version, lake) l;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'code % of % is not known here', left(one.code, 100), left(one.system, 200) USING ERRCODE = 'FH404';
        END IF;
        RETURN fhir.parameters_of(ARRAY[fhir.part('name', 'String', hit.name), fhir.part('version', 'String', hit.system_version),
                fhir.part('display', 'String', coalesce(hit.display, one.code)), fhir.part('definition', 'String', hit.definition),
                fhir.part('abstract', 'Boolean', CASE WHEN hit.is_abstract THEN 'true' END)]
            || ARRAY(SELECT jsonb_build_object('name', 'designation', 'part', to_jsonb(array_remove(ARRAY[fhir.part('language', 'Code', d ->> 'language'),
                    CASE WHEN d ? 'use' THEN jsonb_build_object('name', 'use', 'valueCoding', d -> 'use') END, fhir.part('value', 'String', d ->> 'value')], NULL)))
                FROM jsonb_array_elements(hit.designations) d)
            || ARRAY(SELECT jsonb_build_object('name', 'property', 'part', jsonb_build_array(fhir.part('code', 'Code', p.code), fhir.part('value', 'Code', p.value)))
                FROM (SELECT 'parent' AS code, unnest(hit.parents) AS value UNION ALL SELECT 'child', unnest(hit.children)) p)
            || ARRAY(SELECT jsonb_build_object('name', 'property', 'part', jsonb_build_array(fhir.part('code', 'Code', p ->> 'code'),
                    jsonb_build_object('name', 'value') || (p - 'code' - 'id' - 'extension')))
                FROM jsonb_array_elements(hit.properties) p WHERE p ->> 'code' NOT IN ('parent', 'child')));

    WHEN '$subsumes' THEN
        SELECT coalesce(system, a.system, b.system) AS system, coalesce(fhir.parameter_text(parameters, 'codeA'), a.code) AS a,
                coalesce(fhir.parameter_text(parameters, 'codeB'), b.code) AS b INTO one
            FROM (VALUES (1)) v LEFT JOIN fhir.parameter_codings(parameters, 'codingA') a ON true LEFT JOIN fhir.parameter_codings(parameters, 'codingB') b ON true;
        IF one.system IS NULL OR one.a IS NULL OR one.b IS NULL THEN
            RAISE EXCEPTION 'two codes and their system are not given' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give codeA, codeB and system, or codingA and codingB.';
        END IF;
        code := fhir.subsumes(one.system, one.a, one.b, version, lake);
        IF code IS NULL THEN
            RAISE EXCEPTION 'the system or a code is not known here' USING ERRCODE = 'FH404';
        END IF;
        RETURN fhir.parameters_of(ARRAY[fhir.part('outcome', 'Code', code)]);

    WHEN '$translate' THEN
        FOR one IN
            SELECT system AS system, code AS code WHERE code IS NOT NULL
            UNION ALL SELECT coalesce(c.system, system), c.code FROM fhir.parameter_codings(parameters, 'coding', 'codeableConcept') c
        LOOP
            is_any := coalesce(is_any, false);
            FOR hit IN
                SELECT t.* FROM fhir.translate(one.code, one.system, url, fhir.parameter_text(parameters, 'targetsystem'),
                    fhir.parameter_text(parameters, 'source'), fhir.parameter_text(parameters, 'target'),
                    coalesce(fhir.parameter_text(parameters, 'reverse')::boolean, false), lake, given) t
            LOOP
                is_any := is_any OR coalesce(hit.equivalence NOT IN ('unmatched', 'disjoint'), true);
                parts := parts || jsonb_build_object('name', 'match', 'part', to_jsonb(array_remove(ARRAY[fhir.part('equivalence', 'Code', hit.equivalence),
                    CASE WHEN hit.to_code IS NOT NULL THEN jsonb_build_object('name', 'concept', 'valueCoding', jsonb_strip_nulls(
                        jsonb_build_object('system', hit.to_system, 'code', hit.to_code, 'display', hit.to_display))) END,
                    fhir.part('source', 'Uri', hit.map)], NULL)));
            END LOOP;
        END LOOP;
        IF is_any IS NULL THEN
            RAISE EXCEPTION 'no code is given' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give code and system, coding or codeableConcept.';
        END IF;
        RETURN fhir.parameters_of(ARRAY[fhir.part('result', 'Boolean', is_any::text),
            CASE WHEN NOT is_any THEN fhir.part('message', 'String', 'no match was found') END] || parts);
    ELSE
        RAISE EXCEPTION 'operation % is not known', left(operation, 64) USING ERRCODE = 'feature_not_supported';
    END CASE;
END
$function$;
COMMENT ON FUNCTION fhir.terminology_operation(text, text, text, jsonb) IS
    '$expand, $validate-code, $lookup, $subsumes and $translate on the current lake: type and id are what the address names, parameters a Parameters resource';

-- validate.sql

-- Levels -------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.issues(resource jsonb, level text, profiles text[] DEFAULT '{}', lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (severity text, code text, expression text, details text, rule text, profile text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 5 AS 'MODULE_PATHNAME', 'fhir_issues_at';
COMMENT ON FUNCTION fhir.issues(jsonb, text, text[], text) IS
    'what is wrong with a resource, and where: at level structure, invariants, bindings or profile, each with the ones before; profiles are checked beside those that meta.profile names';

CREATE FUNCTION fhir.validate(resource jsonb, level text DEFAULT 'profile', profiles text[] DEFAULT '{}', lake text DEFAULT fhir.current_lake())
    RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_validate';
COMMENT ON FUNCTION fhir.validate(jsonb, text, text[], text) IS
    'what fhir.issues says of a resource, as an OperationOutcome';

CREATE FUNCTION fhir.is_valid(resource jsonb, level text, profiles text[], lake text DEFAULT fhir.current_lake()) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_is_valid_at';
COMMENT ON FUNCTION fhir.is_valid(jsonb, text, text[], text) IS
    'whether a resource has no error at that level: structure, invariants, bindings or profile';

CREATE FUNCTION fhir.must_support(resource jsonb, profile text, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (element text, present bigint)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 20 AS 'MODULE_PATHNAME', 'fhir_must_support';
COMMENT ON FUNCTION fhir.must_support(jsonb, text, text) IS
    'the elements that a profile marks mustSupport, and how often the resource has each';

CREATE FUNCTION fhir.check_validity() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_check_validity';
COMMENT ON FUNCTION fhir.check_validity() IS
    'BEFORE INSERT OR UPDATE trigger of a lake, made by fhir.set_validation: what is written must be valid at a level';

CREATE FUNCTION fhir.validation(lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, mode text, level text, profiles text[])
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 150
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    IF to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    RETURN QUERY
        SELECT r.type, coalesce(a.words[1], 'off'), coalesce(a.words[2], 'structure'), coalesce(a.words[3:], '{}')
        FROM fhir.resource_types() r(type)
        LEFT JOIN pg_trigger t ON t.tgrelid = to_regclass(quote_ident(lake) || '.' || quote_ident(lower(r.type)))
            AND t.tgfoid = 'fhir.check_validity()'::regprocedure AND t.tgenabled <> 'D'
        -- the arguments, each with a zero behind it
        LEFT JOIN LATERAL (SELECT array_agg(convert_from(decode(w.word, 'hex'), 'UTF8') ORDER BY w.place)
            FROM regexp_split_to_table(regexp_replace(encode(t.tgargs, 'hex'), '(..)', '\1 ', 'g'), '00 ') WITH ORDINALITY w(word, place)
            WHERE w.word <> '') a(words) ON t.oid IS NOT NULL
        ORDER BY r.type;
END
$function$;
COMMENT ON FUNCTION fhir.validation(text) IS
    'by resource type, what a lake demands of what is written into it: mode off, warn or enforce, the level, and profiles that every resource of the type must conform to';

CREATE FUNCTION fhir.set_validation(mode text, level text DEFAULT 'invariants', type text DEFAULT NULL, profiles text[] DEFAULT '{}',
        lake text DEFAULT fhir.current_lake()) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    AS $function$
DECLARE
    meant text;
    partition text;
BEGIN
    IF mode IS NULL OR mode NOT IN ('off', 'warn', 'enforce') THEN
        RAISE EXCEPTION 'validation "%" is not known', mode
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is off, warn or enforce.';
    END IF;
    IF level IS NULL OR level NOT IN ('structure', 'invariants', 'bindings', 'profile') THEN
        RAISE EXCEPTION 'validation has no level "%"', level
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Levels are structure, invariants, bindings and profile.';
    END IF;
    IF lake IS NULL OR to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    IF type IS NOT NULL AND NOT EXISTS (SELECT FROM fhir.resource_types() r(name) WHERE r.name = type) THEN
        RAISE EXCEPTION 'there is no resource type "%"', type
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT fhir.resource_types() lists the types of FHIR R4.';
    END IF;
    IF coalesce(cardinality(profiles), 0) > 0 AND (type IS NULL OR level <> 'profile') THEN
        RAISE EXCEPTION 'profiles are demanded of one type, at level profile'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'fhir.set_validation(''enforce'', ''profile'', type => ''Patient'', profiles => ''{http://…}'')';
    END IF;
    IF EXISTS (SELECT FROM unnest(profiles) p(url) WHERE p.url IS NULL OR p.url = '') THEN
        RAISE EXCEPTION 'a profile is named by its canonical url' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR meant IN SELECT r.name FROM fhir.resource_types() r(name) WHERE type IS NULL OR r.name = type LOOP
        partition := quote_ident(lake) || '.' || quote_ident(lower(meant));
        EXECUTE format('DROP TRIGGER IF EXISTS zz_validity ON %s', partition);
        IF mode <> 'off' THEN
            -- behind the stamp, as triggers of one kind fire in the order of their names
            EXECUTE format('CREATE TRIGGER zz_validity BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION fhir.check_validity(%s)',
                partition, (SELECT string_agg(quote_literal(a.word), ', ' ORDER BY a.place)
                            FROM unnest(ARRAY[mode, level] || profiles) WITH ORDINALITY a(word, place)));
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.set_validation(text, text, text, text[], text) IS
    'sets what a lake demands of what is written into it, of one type or of all: off, warn, or enforce, which refuses with 23514 what has an error at that level. Holds for what is written from then on';

-- quality.sql

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

-- search.sql

CREATE FUNCTION fhir.search_count(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL) RETURNS bigint
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_count';
COMMENT ON FUNCTION fhir.search_count(text, text, text, timestamptz) IS
    'the number of resources that a FHIR search finds; from the index alone where that decides it';

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

-- load.sql

CREATE FUNCTION fhir.load(path text, validation text DEFAULT NULL, on_error text DEFAULT 'reject', max_errors bigint DEFAULT NULL,
        dry_run boolean DEFAULT false, conflict text DEFAULT 'upsert', keep_versions boolean DEFAULT false, format text DEFAULT 'auto',
        resolve_references boolean DEFAULT true, check_references boolean DEFAULT true)
    RETURNS TABLE (file text, loaded bigint, unchanged bigint, rejected bigint, deleted bigint, unresolved bigint, dangling bigint,
        bytes bigint, seconds double precision, rows_per_second double precision, mb_per_second double precision)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 10 AS 'MODULE_PATHNAME', 'fhir_load';
COMMENT ON FUNCTION fhir.load(text, text, text, bigint, boolean, text, boolean, text, boolean, boolean) IS
    'loads files of the server into the current lake, in one transaction: NDJSON, Bundles and other JSON, plain, gzip or zstd; a file, all of a '
    'folder, a pattern, or what the manifest of a bulk export lists. Resources whose id is there already are updated. Bad lines go to '
    'load_error of the lake. Takes pg_read_server_files.';

CREATE FUNCTION fhir.load_package(path text, examples boolean DEFAULT false)
    RETURNS TABLE (package text, version text, loaded bigint, unchanged bigint, rejected bigint)
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 100000 ROWS 1 AS 'MODULE_PATHNAME', 'fhir_load_package';
COMMENT ON FUNCTION fhir.load_package(text, boolean) IS
    'loads the definitions of a FHIR package (a .tgz of the server) into the current lake, in one transaction: profiles, value sets, code systems, '
    'search parameters; its examples too where asked. Several versions of a package stand beside each other. Takes pg_read_server_files.';

-- record.sql

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

CREATE FUNCTION fhir.references(resource jsonb, path text) RETURNS TABLE (type text, id text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5 AS 'MODULE_PATHNAME', 'fhir_references_at';
COMMENT ON FUNCTION fhir.references(jsonb, text) IS
    'the resources that a resource points at by relative references, from where a FHIRPath expression leads to, such as Composition.section.entry';

CREATE FUNCTION fhir.timeline_sql(patient text, "from" text DEFAULT NULL, "to" text DEFAULT NULL, types text[] DEFAULT NULL,
        newest_first boolean DEFAULT true, count integer DEFAULT NULL, lake text DEFAULT fhir.current_lake(),
        as_of timestamptz DEFAULT NULL, findings boolean DEFAULT true) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_timeline_sql';
COMMENT ON FUNCTION fhir.timeline_sql(text, text, text, text[], boolean, integer, text, timestamptz, boolean) IS
    'the SQL that fhir.timeline runs: for reading, and for EXPLAIN';

CREATE FUNCTION fhir.timeline(patient text, "from" text DEFAULT NULL, "to" text DEFAULT NULL, types text[] DEFAULT NULL,
        newest_first boolean DEFAULT true, count integer DEFAULT NULL, lake text DEFAULT fhir.current_lake(),
        as_of timestamptz DEFAULT NULL, findings boolean DEFAULT true)
    RETURNS TABLE (occurred timestamptz, "precision" text, ended timestamptz, type text, system text, code text, display text,
        value text, unit text, status text, id text, version bigint, source text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 ROWS 500
    -- the order is that of the index: where a sort looks cheaper it would still read the whole record before its first line
    SET enable_sort = off
    AS $function$
BEGIN
    RETURN QUERY EXECUTE fhir.timeline_sql(patient, "from", "to", types, newest_first, count, lake, as_of, findings);
END
$function$;
COMMENT ON FUNCTION fhir.timeline(text, text, text, text[], boolean, integer, text, timestamptz, boolean) IS
    'the record of a patient in time order, one line for each resource, and one for each finding in a note that is so, or probably, and concerns the patient at that time: source then tells where its words stand, status how certain it is. findings => false leaves these out, and so does as_of. from and to: FHIR dates of any precision; what reaches into that time counts. count: only the first of that order. Undated resources are at its old end, and left out where from or to is given. as_of: the record at a past moment';

CREATE FUNCTION fhir.timeline_svg(patient text, "from" text DEFAULT NULL, "to" text DEFAULT NULL, types text[] DEFAULT NULL,
        width integer DEFAULT 1280, rows integer DEFAULT 12, lake text DEFAULT fhir.current_lake(),
        as_of timestamptz DEFAULT NULL, entries integer DEFAULT 20000) RETURNS text
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000
    SET enable_sort = off
    AS 'MODULE_PATHNAME', 'fhir_timeline_svg';
COMMENT ON FUNCTION fhir.timeline_svg(text, text, text, text[], integer, integer, text, timestamptz, integer) IS
    'the record of a patient as a picture in SVG. width: in pixels; rows: most rows of a lane, what is beyond is drawn as one. Its size is bounded by these two, however long the record is. as_of: the record at a past moment; entries: most entries of one type, the newest, what is beyond is only counted at the foot';

CREATE FUNCTION fhir.everything(patient text, start text DEFAULT NULL, "end" text DEFAULT NULL, since timestamptz DEFAULT NULL,
        types text[] DEFAULT NULL, count integer DEFAULT NULL, cursor text DEFAULT NULL, lake text DEFAULT fhir.current_lake(),
        as_of timestamptz DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'fhir_everything';
COMMENT ON FUNCTION fhir.everything(text, text, text, timestamptz, text[], integer, text, text, timestamptz) IS
    'Patient/$everything as a Bundle: the compartment of the patient, and what that points at. count: resources on a page; cursor: the link "next" of the page before; as_of: the record at a past moment, which pages of it have to be given again. Raises FH404 if there is no such patient and FH410 if it was deleted';

CREATE FUNCTION fhir.everything_rows(patient text, start text DEFAULT NULL, "end" text DEFAULT NULL, since timestamptz DEFAULT NULL,
        types text[] DEFAULT NULL, lake text DEFAULT fhir.current_lake(), as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (type text, id text, version bigint, last_updated timestamptz, of_compartment boolean, resource jsonb)
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 ROWS 1000 AS 'MODULE_PATHNAME', 'fhir_everything_rows';
COMMENT ON FUNCTION fhir.everything_rows(text, text, text, timestamptz, text[], text, timestamptz) IS
    'what fhir.everything gives, as rows. of_compartment: whether the resource belongs to the patient, or is only pointed at';

-- lexicon.sql

CREATE TABLE fhir.lexicon_source (
    source  text        PRIMARY KEY COLLATE "C",
    version text        NOT NULL DEFAULT '',
    licence text        NOT NULL DEFAULT '',
    url     text        NOT NULL DEFAULT '',
    loaded  timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    by      name        NOT NULL DEFAULT CURRENT_USER
);
COMMENT ON TABLE fhir.lexicon_source IS 'terminologies that fhir.load_lexicon has loaded, and on what terms they may be used';

CREATE TABLE fhir.lexicon_concept (
    source   text NOT NULL COLLATE "C" REFERENCES fhir.lexicon_source ON UPDATE CASCADE ON DELETE CASCADE,
    system   text NOT NULL COLLATE "C",
    code     text NOT NULL COLLATE "C",
    category text NOT NULL CHECK (category IN ('MEDICAL_CONDITION', 'MEDICATION', 'TEST_TREATMENT_PROCEDURE', 'ANATOMY',
                                               'BEHAVIORAL_ENVIRONMENTAL_SOCIAL')),
    type     text NOT NULL CHECK (type IN ('DX_NAME', 'SIGN', 'SYMPTOM', 'GENERIC_NAME', 'BRAND_NAME', 'SUBSTANCE', 'TEST_NAME',
                                           'TREATMENT_NAME', 'PROCEDURE_NAME', 'SYSTEM_ORGAN_SITE', 'ALCOHOL_CONSUMPTION', 'TOBACCO_USE',
                                           'REC_DRUG_USE', 'ALLERGIES', 'GENDER', 'RACE_ETHNICITY', 'EMPLOYMENT', 'LIVING_STATUS')),
    display  text NOT NULL,
    PRIMARY KEY (source, system, code)
);
COMMENT ON TABLE fhir.lexicon_concept IS 'meanings: a code of a code system, what it is, and its name';
COMMENT ON COLUMN fhir.lexicon_concept.system IS 'URL of the code system, as FHIR names it';
COMMENT ON COLUMN fhir.lexicon_concept.type IS 'what fhir.detect_entities tells as the type of a finding';

CREATE TABLE fhir.lexicon_term (
    source            text    NOT NULL COLLATE "C",
    system            text    NOT NULL COLLATE "C",
    code              text    NOT NULL COLLATE "C",
    term              text    NOT NULL COLLATE "C",
    type              text    NOT NULL DEFAULT 'synonym' CHECK (type IN ('preferred', 'synonym', 'brand', 'abbreviation', 'related')),
    is_case_sensitive boolean NOT NULL DEFAULT false,
    is_stop           boolean NOT NULL DEFAULT false,
    is_research       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (source, system, code, term),
    FOREIGN KEY (source, system, code) REFERENCES fhir.lexicon_concept ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE fhir.lexicon_term IS 'the words for a meaning; case, accents, plural and spelling (British, American) do not matter';
COMMENT ON COLUMN fhir.lexicon_term.is_case_sensitive IS 'a text must be written as the term is, as with abbreviations that are also words';
COMMENT ON COLUMN fhir.lexicon_term.is_stop IS 'the words do not mean this, whatever other sources say';
COMMENT ON COLUMN fhir.lexicon_term.is_research IS 'the words mean this only in texts about research: code names and acronyms that are something else in a note';

CREATE TABLE fhir.lexicon_mapping (
    source        text NOT NULL COLLATE "C",
    system        text NOT NULL COLLATE "C",
    code          text NOT NULL COLLATE "C",
    target_system text NOT NULL COLLATE "C",
    target_code   text NOT NULL COLLATE "C",
    PRIMARY KEY (source, system, code, target_system, target_code),
    FOREIGN KEY (source, system, code) REFERENCES fhir.lexicon_concept ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE fhir.lexicon_mapping IS 'codes of other systems that mean the same: findings carry them too';

CREATE TABLE fhir.lexicon_line (
    source text    NOT NULL COLLATE "C" REFERENCES fhir.lexicon_source ON UPDATE CASCADE ON DELETE CASCADE,
    list   text    NOT NULL COLLATE "C",
    place  integer NOT NULL,
    line   text    NOT NULL,
    PRIMARY KEY (source, list, place)
);
COMMENT ON TABLE fhir.lexicon_line IS
    'lines of lists, fields with a tab between: abbreviations, context (triggers of negation, history and the like), sections (headings), stop (words that are no finding); fhir.lexicon_lists shows those that are shipped, with their form';

CREATE TABLE fhir.lexicon (
    version   text        PRIMARY KEY COLLATE "C",
    is_active boolean     NOT NULL DEFAULT false,
    made      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    by        name        NOT NULL DEFAULT CURRENT_USER,
    checksum  bigint      NOT NULL,
    image     bytea       NOT NULL
);
COMMENT ON TABLE fhir.lexicon IS 'compiled lexicons; without an active one, the lexicon that is shipped is used';
COMMENT ON COLUMN fhir.lexicon.image IS 'the compiled value; each server keeps what it uses as a file below fhirlake/ of its data directory';

CREATE UNIQUE INDEX lexicon_active ON fhir.lexicon (is_active) WHERE is_active;

GRANT SELECT ON fhir.lexicon_source, fhir.lexicon_concept, fhir.lexicon_term, fhir.lexicon_mapping, fhir.lexicon_line, fhir.lexicon TO PUBLIC;

CREATE FUNCTION fhir.lexicon_changed() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'fhir_lexicon_changed';
COMMENT ON FUNCTION fhir.lexicon_changed() IS 'trigger on fhir.lexicon: tells all sessions that another lexicon may be active';

CREATE TRIGGER lexicon_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON fhir.lexicon
    FOR EACH STATEMENT EXECUTE FUNCTION fhir.lexicon_changed();

-- A concept stands before its terms and mappings; the names of the parts sort so.
CREATE VIEW fhir.lexicon_record AS
    SELECT s.source, ''::text COLLATE "C" AS system, ''::text COLLATE "C" AS code, 0 AS part,
           pg_catalog.concat_ws(E'\t', 'S', pg_catalog.translate(s.source, E'\t\n\r', '   '), pg_catalog.translate(s.version, E'\t\n\r', '   '),
                                pg_catalog.translate(s.licence, E'\t\n\r', '   '), pg_catalog.translate(s.url, E'\t\n\r', '   ')) AS record
    FROM fhir.lexicon_source s
    UNION ALL
    SELECT c.source, c.system, c.code, 1,
           pg_catalog.concat_ws(E'\t', 'C', pg_catalog.translate(c.system, E'\t\n\r', '   '),
                                CASE WHEN c.code LIKE 'urn:display:%' THEN '' ELSE pg_catalog.translate(c.code, E'\t\n\r', '   ') END,
                                c.category, c.type, pg_catalog.translate(c.display, E'\t\n\r', '   '))
    FROM fhir.lexicon_concept c
    UNION ALL
    SELECT t.source, t.system, t.code, 2,
           pg_catalog.concat_ws(E'\t', 'T', t.type,
                                CASE WHEN t.is_case_sensitive THEN 'c' ELSE '' END || CASE WHEN t.is_research THEN 'r' ELSE '' END
                                    || CASE WHEN t.is_stop THEN 'x' ELSE '' END,
                                pg_catalog.translate(t.term, E'\t\n\r', '   '))
    FROM fhir.lexicon_term t
    UNION ALL
    SELECT m.source, m.system, m.code, 3,
           pg_catalog.concat_ws(E'\t', 'M', pg_catalog.translate(m.target_system, E'\t\n\r', '   '), pg_catalog.translate(m.target_code, E'\t\n\r', '   '))
    FROM fhir.lexicon_mapping m;
COMMENT ON VIEW fhir.lexicon_record IS 'the tables of the lexicon in the form that is compiled: in the order of source, system, code and part';

GRANT SELECT ON fhir.lexicon_record TO PUBLIC;

CREATE FUNCTION fhir.lexicon_version() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_lexicon_version';
COMMENT ON FUNCTION fhir.lexicon_version() IS 'version of the lexicon that is active in this database';

CREATE FUNCTION fhir.shipped_lexicon_version() RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_shipped_lexicon_version';
COMMENT ON FUNCTION fhir.shipped_lexicon_version() IS 'version of the lexicon that comes with the library';

CREATE FUNCTION fhir.lexicon_sources() RETURNS TABLE (source text, version text, licence text, url text)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 10 AS 'MODULE_PATHNAME', 'fhir_lexicon_sources';
COMMENT ON FUNCTION fhir.lexicon_sources() IS 'the terminologies in the active lexicon, and on what terms they may be used';

CREATE FUNCTION fhir.lexicon_lists() RETURNS TABLE (list text, place integer, line text)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 5000 AS 'MODULE_PATHNAME', 'fhir_lexicon_lists';
COMMENT ON FUNCTION fhir.lexicon_lists() IS 'lines of all lists of the active lexicon; comments at the head of a list tell its form';

CREATE FUNCTION fhir.lexicon_image(version text, with_shipped boolean) RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 1000000 AS 'MODULE_PATHNAME', 'fhir_lexicon_image';
COMMENT ON FUNCTION fhir.lexicon_image(text, boolean) IS
    'the tables of the lexicon as one compiled value, with or without the lexicon that is shipped; fhir.compile_lexicon stores it';

CREATE FUNCTION fhir.lexicon_checksum(image bytea) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_lexicon_checksum';
COMMENT ON FUNCTION fhir.lexicon_checksum(bytea) IS 'checksum of a compiled lexicon; an error if the value is damaged';

CREATE FUNCTION fhir.compile_lexicon(version text DEFAULT NULL, with_shipped boolean DEFAULT true, activate boolean DEFAULT true)
    RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    name text := coalesce(version, to_char(clock_timestamp() AT TIME ZONE 'UTC', '"lexicon-"YYYYMMDD"T"HH24MISS.US"Z"'));
    made bytea;
    lake text;
    is_used boolean;
BEGIN
    IF name = '' THEN
        RAISE EXCEPTION 'a lexicon needs a version' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF EXISTS (SELECT FROM fhir.lexicon l WHERE l.version = name) OR name = fhir.shipped_lexicon_version() THEN
        RAISE EXCEPTION 'there is a lexicon "%" already', name
            USING ERRCODE = 'duplicate_object', HINT = 'Findings name their lexicon by its version: choose a new one.';
    END IF;
    -- A dropped one may have other words: what was read with it would pass for read with this one.
    FOR lake IN SELECT l.lake FROM fhir.lakes() l
                WHERE has_table_privilege(to_regclass(quote_ident(l.lake) || '.entity_run')::oid, 'SELECT') LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.entity_run r WHERE r.lexicon = $1)', lake) INTO is_used USING name;
        IF is_used THEN
            RAISE EXCEPTION 'lake "%" was read with a lexicon "%" already', lake, name
                USING ERRCODE = 'duplicate_object', HINT = 'Findings name their lexicon by its version: choose a new one, or take those away with fhir.undo_notes.';
        END IF;
    END LOOP;
    made := fhir.lexicon_image(name, with_shipped);
    INSERT INTO fhir.lexicon (version, checksum, image) VALUES (name, fhir.lexicon_checksum(made), made);
    IF activate THEN
        PERFORM fhir.use_lexicon(name);
    END IF;
    RETURN name;
END
$function$;
COMMENT ON FUNCTION fhir.compile_lexicon(text, boolean, boolean) IS
    'compiles the tables of the lexicon, with the one that is shipped unless that is not wanted, stores the value under a version, and makes it the active one unless told otherwise; returns the version. Takes effect when the transaction commits, in all sessions';

CREATE FUNCTION fhir.use_lexicon(version text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    IF version IS NOT NULL AND version <> fhir.shipped_lexicon_version()
       AND NOT EXISTS (SELECT FROM fhir.lexicon l WHERE l.version = use_lexicon.version) THEN
        RAISE EXCEPTION 'there is no lexicon "%"', version
            USING ERRCODE = 'undefined_object', HINT = 'SELECT version FROM fhir.lexicons() lists them.';
    END IF;
    UPDATE fhir.lexicon l SET is_active = false WHERE l.is_active AND l.version IS DISTINCT FROM use_lexicon.version;
    UPDATE fhir.lexicon l SET is_active = true WHERE NOT l.is_active AND l.version = use_lexicon.version;
END
$function$;
COMMENT ON FUNCTION fhir.use_lexicon(text) IS 'makes a lexicon the active one: a compiled version, or the one that is shipped (its version, or NULL)';

CREATE FUNCTION fhir.drop_lexicon(version text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    DELETE FROM fhir.lexicon l WHERE l.version = drop_lexicon.version;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no compiled lexicon "%"', version
            USING ERRCODE = 'undefined_object', HINT = 'SELECT version FROM fhir.lexicons() lists them.';
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.drop_lexicon(text) IS 'removes a compiled lexicon; what it has found stays, and names it';

CREATE FUNCTION fhir.lexicons() RETURNS TABLE (version text, is_active boolean, is_shipped boolean, made timestamptz, size bigint)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 5
    AS $$
        SELECT l.version, l.is_active, false, l.made, pg_catalog.octet_length(l.image)::bigint FROM fhir.lexicon l
        UNION ALL
        SELECT fhir.shipped_lexicon_version(), NOT EXISTS (SELECT FROM fhir.lexicon l WHERE l.is_active), true, NULL, NULL
        ORDER BY 3, 4
    $$;
COMMENT ON FUNCTION fhir.lexicons() IS 'the lexicons of this database: which is active, which comes with the library, and their size in bytes';

CREATE FUNCTION fhir.read_lexicon(format text, location text, system text, category text, type text)
    RETURNS TABLE (system text, code text, category text, type text, display text, term text, term_type text, is_case_sensitive boolean,
                   is_stop boolean, is_research boolean, target_system text, target_code text)
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 100000 ROWS 10000 AS 'MODULE_PATHNAME', 'fhir_read_lexicon';
COMMENT ON FUNCTION fhir.read_lexicon(text, text, text, text, text) IS
    'a terminology as rows for fhir.load_lexicon: a term or a mapping each; of lists, the name and the line in place of system and code';

CREATE FUNCTION fhir.load_lexicon(source text, format text, location text DEFAULT '', system text DEFAULT NULL, version text DEFAULT '',
                                  licence text DEFAULT '', url text DEFAULT '', category text DEFAULT 'MEDICAL_CONDITION',
                                  type text DEFAULT 'DX_NAME')
    RETURNS TABLE (concepts bigint, terms bigint, mappings bigint, lines bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
BEGIN
    IF source IS NULL OR source = '' THEN
        RAISE EXCEPTION 'a lexicon needs a name for its source' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    CREATE TEMPORARY TABLE fhirlake_lexicon ON COMMIT DROP AS
        SELECT pg_catalog.row_number() OVER () AS place, r.*
        FROM fhir.read_lexicon(load_lexicon.format, load_lexicon.location, coalesce(load_lexicon.system, 'urn:fhirlake:lexicon:' || load_lexicon.source),
                               load_lexicon.category, load_lexicon.type) r;
    IF NOT EXISTS (SELECT FROM fhirlake_lexicon) THEN
        RAISE EXCEPTION 'there are no terms in it' USING ERRCODE = 'bad_copy_file_format';
    END IF;
    DELETE FROM fhir.lexicon_source s WHERE s.source = load_lexicon.source;
    INSERT INTO fhir.lexicon_source (source, version, licence, url)
    VALUES (load_lexicon.source, load_lexicon.version, load_lexicon.licence, load_lexicon.url);
    -- what has no code is told from others by its display
    INSERT INTO fhir.lexicon_concept (source, system, code, category, type, display)
        SELECT DISTINCT ON (r.system, r.code, CASE r.code WHEN '' THEN r.display ELSE '' END)
               load_lexicon.source, r.system, CASE r.code WHEN '' THEN 'urn:display:' || r.display ELSE r.code END, r.category, r.type, r.display
        FROM fhirlake_lexicon r WHERE r.category IS NOT NULL
        ORDER BY r.system, r.code, CASE r.code WHEN '' THEN r.display ELSE '' END, r.place;
    GET DIAGNOSTICS concepts = ROW_COUNT;
    INSERT INTO fhir.lexicon_term (source, system, code, term, type, is_case_sensitive, is_stop, is_research)
        SELECT DISTINCT ON (r.system, c.code, r.term) load_lexicon.source, r.system, c.code, r.term, r.term_type, r.is_case_sensitive, r.is_stop,
               r.is_research
        FROM fhirlake_lexicon r, LATERAL (SELECT CASE r.code WHEN '' THEN 'urn:display:' || r.display ELSE r.code END AS code) c
        WHERE r.term IS NOT NULL ORDER BY r.system, c.code, r.term, r.place;
    GET DIAGNOSTICS terms = ROW_COUNT;
    INSERT INTO fhir.lexicon_mapping (source, system, code, target_system, target_code)
        SELECT DISTINCT load_lexicon.source, r.system, CASE r.code WHEN '' THEN 'urn:display:' || r.display ELSE r.code END, r.target_system, r.target_code
        FROM fhirlake_lexicon r WHERE r.target_code IS NOT NULL;
    GET DIAGNOSTICS mappings = ROW_COUNT;
    INSERT INTO fhir.lexicon_line (source, list, place, line)
        SELECT load_lexicon.source, r.system, pg_catalog.row_number() OVER (PARTITION BY r.system ORDER BY r.place), r.code
        FROM fhirlake_lexicon r WHERE r.category IS NULL;
    GET DIAGNOSTICS lines = ROW_COUNT;
    DROP TABLE pg_temp.fhirlake_lexicon;
    RETURN NEXT;
END
$function$;
COMMENT ON FUNCTION fhir.load_lexicon(text, text, text, text, text, text, text, text, text) IS
    'loads a terminology into the tables of the lexicon in place of what its source had before; fhir.compile_lexicon then puts it to use. format: rxnorm (folder with RXNCONSO.RRF), snomed (folder of a release in RF2), obo, csv or tsv (columns system, code, display, term, category, type, term_type, case_sensitive, stop, research, target_system, target_code), query (with such columns), records (the text form of the extension), shipped (what comes with the extension, to be edited). Files take pg_read_server_files. category and type are those of findings whose source does not tell them';

-- nlp.sql

CREATE FUNCTION fhir.detect_entities(note text, date date DEFAULT NULL, categories text[] DEFAULT NULL, min_score real DEFAULT 0)
    RETURNS TABLE (id integer, category text, type text, text text, "begin" integer, "end" integer, section text, score real,
                   certainty text, temporality text, subject text, conditionality text, value text, attributes jsonb, concepts jsonb,
                   origin text)
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 50 AS 'MODULE_PATHNAME', 'fhir_detect_entities';
COMMENT ON FUNCTION fhir.detect_entities(text, date, text[], real) IS
    'what a clinical text says, in the order of the text: category and type with the names of Amazon Comprehend Medical; the words and where they stand (code points, from 0, the end exclusive); the section; score, a probability; certainty (positive, probable, possible, unlikely, negative), temporality (current, past, future), subject (patient, family, other), conditionality (unconditional, hypothetical, conditional); value, where there is a normal form, such as a date in ISO 8601; attributes [{type, text, begin, end, value, score, relation_score}]; concepts [{system, code, display, score}], best first; origin, how it was found. date is when the note was written, for words such as yesterday; categories and min_score leave out others';

CREATE FUNCTION fhir.comprehend(note text, action text) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_comprehend';
COMMENT ON FUNCTION fhir.comprehend(text, text) IS
    'findings in the shape of an answer of Amazon Comprehend Medical; action is entities, phi, icd10cm, rxnorm or snomedct';

CREATE FUNCTION fhir.detect_entities_v2(note text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$ SELECT fhir.comprehend(note, 'entities') $$;
COMMENT ON FUNCTION fhir.detect_entities_v2(text) IS
    'findings as DetectEntitiesV2 of Amazon Comprehend Medical answers: {"Entities": [{Id, BeginOffset, EndOffset, Score, Text, Category, Type, Traits, Attributes}], "UnmappedAttributes", "ModelVersion"}';

CREATE FUNCTION fhir.detect_phi(note text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$ SELECT fhir.comprehend(note, 'phi') $$;
COMMENT ON FUNCTION fhir.detect_phi(text) IS 'protected health information as DetectPHI of Amazon Comprehend Medical answers';

CREATE FUNCTION fhir.infer_icd10cm(note text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$ SELECT fhir.comprehend(note, 'icd10cm') $$;
COMMENT ON FUNCTION fhir.infer_icd10cm(text) IS
    'conditions as InferICD10CM of Amazon Comprehend Medical answers, each with ICD10CMConcepts [{Code, Description, Score}]';

CREATE FUNCTION fhir.infer_rxnorm(note text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$ SELECT fhir.comprehend(note, 'rxnorm') $$;
COMMENT ON FUNCTION fhir.infer_rxnorm(text) IS
    'medications as InferRxNorm of Amazon Comprehend Medical answers; RxNormConcepts is empty until RxNorm is loaded into the lexicon (fhir.load_lexicon), as it is not shipped';

CREATE FUNCTION fhir.infer_snomedct(note text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$ SELECT fhir.comprehend(note, 'snomedct') $$;
COMMENT ON FUNCTION fhir.infer_snomedct(text) IS
    'conditions, tests, treatments, procedures and anatomy as InferSNOMEDCT of Amazon Comprehend Medical answers; SNOMEDCTConcepts is empty until SNOMED CT is loaded into the lexicon (fhir.load_lexicon), as it is not shipped';

CREATE FUNCTION fhir.highlight(note text, style text DEFAULT 'html', categories text[] DEFAULT NULL, min_score real DEFAULT 0) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_highlight';
COMMENT ON FUNCTION fhir.highlight(text, text, text[], real) IS
    'the text with its findings marked: html puts them into <mark class="medical-condition negative" title="…"> and escapes all else, ansi colours them for a terminal and strikes out what is negated';

-- notes.sql

CREATE FUNCTION fhir.resource_texts(resource jsonb)
    RETURNS TABLE (path text, content_type text, language text, text text, problem text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 3 AS 'MODULE_PATHNAME', 'fhir_resource_texts';
COMMENT ON FUNCTION fhir.resource_texts(jsonb) IS
    'the texts that a resource carries: attachments (plain text, HTML, RTF, PDF), narratives, notes, and strings that say something clinical, also of contained resources. path is FHIRPath; content_type what it was before it became text; language what the attachment or the resource states; problem why a text is not there, or not all of it';

CREATE FUNCTION fhir.resource_entities(resource jsonb, categories text[] DEFAULT NULL, min_score real DEFAULT 0)
    RETURNS TABLE (path text, id integer, category text, type text, text text, "begin" integer, "end" integer, section text, score real,
                   certainty text, temporality text, subject text, conditionality text, value text, attributes jsonb, concepts jsonb,
                   origin text)
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 ROWS 50 AS 'MODULE_PATHNAME', 'fhir_resource_entities';
COMMENT ON FUNCTION fhir.resource_entities(jsonb, text[], real) IS
    'what the texts of a resource say: the path of the text (see fhir.resource_texts) and the columns of fhir.detect_entities, whose begin and end count code points of that text. Relative times are reckoned from the date of the attachment or note, or else of the resource. Texts in languages other than English are left out';

CREATE FUNCTION fhir.enrich(resource jsonb, form text DEFAULT 'fhirlake', categories text[] DEFAULT NULL, min_score real DEFAULT 0.5)
    RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_enrich';
COMMENT ON FUNCTION fhir.enrich(jsonb, text, text[], real) IS
    'the resource with what its texts say in one extension, all else unchanged; an earlier extension of the same form is replaced. form fhirlake is the extension http://fhirlake.org/fhir/StructureDefinition/findings, which names the engine and the version of the lexicon; healthlake the tree that Amazon HealthLake appends. A resource without text, or whose type has no extensions (Bundle, Binary, Parameters), comes back as it is';

-- entity.sql

-- Pieces -------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.entity_keys(text text, concepts jsonb) RETURNS fhir.keys
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_entity_keys';
COMMENT ON FUNCTION fhir.entity_keys(text, jsonb) IS
    'what a finding can be found by: its words as $string, its codes and their displays as $token';

CREATE FUNCTION fhir.entity_codes(concepts jsonb) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_entity_codes';
COMMENT ON FUNCTION fhir.entity_codes(jsonb) IS 'the codes of a finding as system|code, best first';

CREATE FUNCTION fhir.keep_entities_sql(lake text, source text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_keep_entities_sql';
COMMENT ON FUNCTION fhir.keep_entities_sql(text, text) IS
    'the statement that reads the notes of the rows (compartment, type, id, version, resource) of a query and keeps what it finds; its parameters are min_score, categories and certainty';

CREATE FUNCTION fhir.restate_entities_sql(lake text, condition text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_restate_entities_sql';
COMMENT ON FUNCTION fhir.restate_entities_sql(text, text) IS
    'the statement that says anew which findings x of a lake are current, rejected or old';

CREATE FUNCTION fhir.read_note() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_read_note';
COMMENT ON FUNCTION fhir.read_note() IS
    'AFTER INSERT OR UPDATE trigger of a lake, made by fhir.set_notes: reads the notes in what is written, as the owner of the table';

CREATE FUNCTION fhir.heed_review() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_heed_review';
COMMENT ON FUNCTION fhir.heed_review() IS
    'AFTER INSERT OR UPDATE OR DELETE trigger on entity_review of a lake: what is rejected is no longer found';

CREATE FUNCTION fhir.check_review() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    entity text := quote_ident(TG_TABLE_SCHEMA) || '.entity';
    home text;
BEGIN
    -- As a verdict changes what all find, it takes that the writer sees the finding; that it is at home there, too, is not for the writer to say.
    IF row_security_active(entity) THEN
        EXECUTE format('SELECT e.compartment FROM %s e WHERE e.type = $1 AND e.id = $2 AND e.path = $3 AND e.first = $4 AND e.last = $5
            AND e.category = $6 AND e.kind = $7 ORDER BY e.version DESC LIMIT 1', entity)
            INTO home USING NEW.type, NEW.id, NEW.path, NEW.first, NEW.last, NEW.category, NEW.kind;
        IF home IS NULL THEN
            RAISE EXCEPTION '%/% has no such finding', NEW.type, NEW.id
                USING ERRCODE = 'insufficient_privilege', HINT = 'fhir.review_entity takes findings that you may read.';
        END IF;
        NEW.compartment := home;
    END IF;
    RETURN NEW;
END
$function$;
COMMENT ON FUNCTION fhir.check_review() IS
    'BEFORE INSERT OR UPDATE trigger on entity_review of a lake: where policies apply, only findings that the writer sees can be judged';

CREATE FUNCTION fhir.create_entities(name text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    lake text := quote_ident(name);
    is_old boolean := EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(lake || '.entity') AND a.attname = 'code' AND NOT a.attisdropped);
BEGIN
    IF is_old THEN
        -- What others have put there since 0.1.0 stays, under a lexicon of that name.
        EXECUTE format($$
            ALTER TABLE %1$s.entity
                ADD version bigint, ADD lexicon text COLLATE "C", ADD number integer, ADD kind text, ADD section text, ADD score real,
                ADD certainty text, ADD temporality text, ADD subject text, ADD conditionality text, ADD value text,
                ADD concepts jsonb, ADD codes text[], ADD origin text, ADD status text, ADD search fhir.keys;
            ALTER TABLE %1$s.entity DROP CONSTRAINT entity_pkey;
            DROP INDEX IF EXISTS %1$s.entity_code;
            UPDATE %1$s.entity e SET version = coalesce(r.version, 0), lexicon = 'before 0.2.0', number = r.number, kind = upper(e.category),
                section = '', score = 1, certainty = 'positive', temporality = 'current', subject = 'patient',
                conditionality = 'unconditional', concepts = r.concepts, codes = fhir.entity_codes(r.concepts), origin = 'term',
                status = CASE WHEN r.version IS NULL THEN 'old' ELSE 'current' END,
                search = fhir.entity_keys(e.text, r.concepts)
            FROM (SELECT x.ctid AS place, t.version, row_number() OVER (PARTITION BY x.type, x.id ORDER BY x.path, x.first, x.last, x.category)::integer AS number,
                      CASE WHEN x.code IS NULL THEN '[]'::jsonb
                          ELSE jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('system', x.system, 'code', x.code))) END AS concepts
                  FROM %1$s.entity x LEFT JOIN %1$s.resource t ON t.type = x.type AND t.id = x.id) r
            WHERE e.ctid = r.place;
            ALTER TABLE %1$s.entity DROP system, DROP code, ALTER attributes SET DEFAULT '[]', ALTER version SET NOT NULL, ALTER lexicon SET NOT NULL, ALTER number SET NOT NULL,
                ALTER kind SET NOT NULL, ALTER section SET NOT NULL, ALTER score SET NOT NULL, ALTER certainty SET NOT NULL,
                ALTER temporality SET NOT NULL, ALTER subject SET NOT NULL, ALTER conditionality SET NOT NULL,
                ALTER concepts SET NOT NULL, ALTER codes SET NOT NULL, ALTER origin SET NOT NULL, ALTER status SET NOT NULL,
                ALTER search SET NOT NULL,
                ADD CONSTRAINT entity_status_check CHECK (status IN ('current', 'rejected', 'old')),
                ADD PRIMARY KEY (type, id, version, lexicon, number)$$, lake);
    ELSE
        EXECUTE format($$
            CREATE TABLE %1$s.entity (
                compartment    text      COLLATE "C" NOT NULL,
                type           text      NOT NULL,
                id             text      COLLATE "C" NOT NULL,
                version        bigint    NOT NULL,
                lexicon        text      COLLATE "C" NOT NULL,
                number         integer   NOT NULL,
                path           text      NOT NULL,
                first          integer   NOT NULL,
                last           integer   NOT NULL,
                text           text      NOT NULL,
                category       text      NOT NULL,
                kind           text      NOT NULL,
                section        text      NOT NULL,
                score          real      NOT NULL,
                certainty      text      NOT NULL,
                temporality    text      NOT NULL,
                subject        text      NOT NULL,
                conditionality text      NOT NULL,
                value          text,
                attributes     jsonb     NOT NULL DEFAULT '[]',
                concepts       jsonb     NOT NULL,
                codes          text[]    NOT NULL,
                origin         text      NOT NULL,
                status         text      NOT NULL CHECK (status IN ('current', 'rejected', 'old')),
                search         fhir.keys NOT NULL,
                PRIMARY KEY (type, id, version, lexicon, number)
            );
            CREATE INDEX entity_compartment ON %1$s.entity (compartment)$$, lake);
    END IF;
    EXECUTE format($$
        ALTER TABLE %1$s.entity ALTER search SET STORAGE main;
        CREATE INDEX entity_search ON %1$s.entity USING gin (search) WITH (fastupdate = off);
        CREATE INDEX entity_kind ON %1$s.entity (kind, certainty);
        COMMENT ON TABLE %1$s.entity IS
            'findings in the text of resources: where they stand, what they are, and how they are meant. Those count that are current and of the version that the resource has';
        COMMENT ON COLUMN %1$s.entity.version IS 'the version of the resource that was read';
        COMMENT ON COLUMN %1$s.entity.lexicon IS 'version of the lexicon that it was read with';
        COMMENT ON COLUMN %1$s.entity.number IS 'its place among the findings of that reading, from 1';
        COMMENT ON COLUMN %1$s.entity.path IS 'the element that has the text';
        COMMENT ON COLUMN %1$s.entity.first IS 'characters of the text before it';
        COMMENT ON COLUMN %1$s.entity.last IS 'characters of the text up to its end';
        COMMENT ON COLUMN %1$s.entity.category IS 'MEDICAL_CONDITION, MEDICATION, TEST_TREATMENT_PROCEDURE, ANATOMY, TIME_EXPRESSION, PROTECTED_HEALTH_INFORMATION or BEHAVIORAL_ENVIRONMENTAL_SOCIAL';
        COMMENT ON COLUMN %1$s.entity.kind IS 'a more exact kind, such as DX_NAME, GENERIC_NAME or TEST_NAME';
        COMMENT ON COLUMN %1$s.entity.score IS 'how probable it is that the text says this';
        COMMENT ON COLUMN %1$s.entity.certainty IS 'positive, probable, possible, unlikely or negative';
        COMMENT ON COLUMN %1$s.entity.temporality IS 'current, past or future';
        COMMENT ON COLUMN %1$s.entity.subject IS 'patient, family or other';
        COMMENT ON COLUMN %1$s.entity.conditionality IS 'unconditional, hypothetical or conditional';
        COMMENT ON COLUMN %1$s.entity.value IS 'a normal form, such as an ISO date';
        COMMENT ON COLUMN %1$s.entity.attributes IS 'what belongs to it, such as dose or result: [{type, text, begin, end, value, score, relation_score}]';
        COMMENT ON COLUMN %1$s.entity.concepts IS 'what it may mean, best first: [{system, code, display, score}]';
        COMMENT ON COLUMN %1$s.entity.codes IS 'its concepts as system|code';
        COMMENT ON COLUMN %1$s.entity.status IS 'current; rejected by a reviewer; old, as the version was read again with another lexicon';
        COMMENT ON COLUMN %1$s.entity.search IS 'what it is found by: its codes as $token, its words as $string';

        CREATE TABLE %1$s.entity_run (
            compartment text        COLLATE "C" NOT NULL,
            type        text        NOT NULL,
            id          text        COLLATE "C" NOT NULL,
            version     bigint      NOT NULL,
            lexicon     text        COLLATE "C" NOT NULL,
            min_score   real        NOT NULL,
            found       integer     NOT NULL,
            is_current  boolean     NOT NULL DEFAULT true,
            at          timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (type, id, version, lexicon)
        );
        CREATE INDEX entity_run_compartment ON %1$s.entity_run (compartment);
        COMMENT ON TABLE %1$s.entity_run IS 'which version of which resource was read with which lexicon: what is not here was not read';
        COMMENT ON COLUMN %1$s.entity_run.found IS 'how many findings it had';
        COMMENT ON COLUMN %1$s.entity_run.is_current IS 'the newest reading of that version';

        CREATE TABLE %1$s.entity_review (
            compartment text        COLLATE "C" NOT NULL,
            type        text        NOT NULL,
            id          text        COLLATE "C" NOT NULL,
            path        text        NOT NULL,
            first       integer     NOT NULL,
            last        integer     NOT NULL,
            category    text        NOT NULL,
            kind        text        NOT NULL,
            text        text        NOT NULL,
            codes       text[]      NOT NULL,
            version     bigint      NOT NULL,
            lexicon     text        NOT NULL,
            verdict     text        NOT NULL CHECK (verdict IN ('accept', 'reject')),
            note        text,
            by          name        NOT NULL DEFAULT CURRENT_USER,
            at          timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (type, id, path, first, last, category, kind)
        );
        CREATE INDEX entity_review_compartment ON %1$s.entity_review (compartment);
        CREATE TRIGGER check_review BEFORE INSERT OR UPDATE ON %1$s.entity_review
            FOR EACH ROW EXECUTE FUNCTION fhir.check_review();
        CREATE TRIGGER zz_heed_review AFTER INSERT OR UPDATE OR DELETE ON %1$s.entity_review
            FOR EACH ROW EXECUTE FUNCTION fhir.heed_review();
        COMMENT ON TABLE %1$s.entity_review IS
            'what reviewers say of findings. It holds for the same words with the same meaning at the same place, whatever lexicon finds them';
        COMMENT ON COLUMN %1$s.entity_review.version IS 'the version that the reviewer saw';
        COMMENT ON COLUMN %1$s.entity_review.lexicon IS 'the lexicon whose finding the reviewer saw'$$, lake);
    IF is_old THEN
        EXECUTE format($$
            INSERT INTO %1$s.entity_run (compartment, type, id, version, lexicon, min_score, found, is_current)
            SELECT min(e.compartment), e.type, e.id, e.version, e.lexicon, 0, count(*), bool_and(e.status = 'current') FROM %1$s.entity e GROUP BY 2, 3, 4, 5$$, lake);
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.create_entities(text) IS
    'makes the tables of findings in a lake, or brings that of 0.1.0 to the form of now; fhir.create_lake and fhir.upgrade_lake call it';

CREATE FUNCTION fhir.note_types() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT '{ClinicalImpression,Communication,Composition,DiagnosticReport,DocumentReference,QuestionnaireResponse}'::text[] $$;
COMMENT ON FUNCTION fhir.note_types() IS 'the resource types that fhir.set_notes takes for notes where none are named';

CREATE FUNCTION fhir.notes(lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, mode text, min_score real, categories text[], certainty text[])
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    IF to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    RETURN QUERY
        SELECT r.type, CASE t.tgenabled WHEN 'D' THEN 'on-demand' ELSE 'on-write' END, a.words[1]::real,
               CASE WHEN a.words[2] <> '*' THEN a.words[2]::text[] END, CASE WHEN a.words[3] <> '*' THEN a.words[3]::text[] END
        FROM fhir.resource_types() r(type)
        JOIN pg_trigger t ON t.tgrelid = to_regclass(quote_ident(lake) || '.' || quote_ident(lower(r.type)))
            AND t.tgfoid = 'fhir.read_note()'::regprocedure
        -- the arguments, each with a zero behind it
        CROSS JOIN LATERAL (SELECT array_agg(convert_from(decode(w.word, 'hex'), 'UTF8') ORDER BY w.place)
            FROM regexp_split_to_table(regexp_replace(encode(t.tgargs, 'hex'), '(..)', '\1 ', 'g'), '00 ') WITH ORDINALITY w(word, place)
            WHERE w.word <> '') a(words)
        ORDER BY r.type;
END
$function$;
COMMENT ON FUNCTION fhir.notes(text) IS
    'the resource types whose notes a lake reads: mode on-write or on-demand, and which findings it keeps. NULL stands for all';

CREATE FUNCTION fhir.set_notes(mode text, types text[] DEFAULT NULL, min_score real DEFAULT 0.5, categories text[] DEFAULT NULL,
        certainty text[] DEFAULT NULL, lake text DEFAULT fhir.current_lake()) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    AS $function$
DECLARE
    one text;
    partition text;
BEGIN
    IF mode IS NULL OR mode NOT IN ('off', 'on-write', 'on-demand') THEN
        RAISE EXCEPTION 'notes cannot be read "%"', mode
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is off, on-write or on-demand.';
    END IF;
    IF lake IS NULL OR to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    IF to_regclass(quote_ident(lake) || '.entity_run') IS NULL THEN
        RAISE EXCEPTION 'lake "%" was made by an older version', lake
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'ALTER EXTENSION fhirlake UPDATE, then SELECT fhir.upgrade_lake() adds what is missing.';
    END IF;
    IF min_score IS NULL OR NOT min_score BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'a score is from 0 to 1' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT c INTO one FROM unnest(categories) c WHERE c IS NULL OR c NOT IN ('MEDICAL_CONDITION', 'MEDICATION', 'TEST_TREATMENT_PROCEDURE',
        'ANATOMY', 'TIME_EXPRESSION', 'PROTECTED_HEALTH_INFORMATION', 'BEHAVIORAL_ENVIRONMENTAL_SOCIAL') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'findings have no category "%"', one
            USING ERRCODE = 'invalid_parameter_value', HINT = 'MEDICAL_CONDITION, MEDICATION, TEST_TREATMENT_PROCEDURE, ANATOMY, TIME_EXPRESSION, PROTECTED_HEALTH_INFORMATION, BEHAVIORAL_ENVIRONMENTAL_SOCIAL';
    END IF;
    SELECT c INTO one FROM unnest(certainty) c WHERE c IS NULL OR c NOT IN ('positive', 'probable', 'possible', 'unlikely', 'negative') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'findings have no certainty "%"', one
            USING ERRCODE = 'invalid_parameter_value', HINT = 'positive, probable, possible, unlikely, negative';
    END IF;
    SELECT t INTO one FROM unnest(types) t WHERE t IS NULL OR NOT EXISTS (SELECT FROM fhir.resource_types() r(name) WHERE r.name = t) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no resource type "%"', one
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT fhir.resource_types() lists the types of FHIR R4.';
    END IF;
    FOR one IN SELECT r.name FROM fhir.resource_types() r(name)
               WHERE r.name = ANY (coalesce(types, CASE WHEN mode = 'off' THEN ARRAY[r.name] ELSE fhir.note_types() END)) LOOP
        partition := quote_ident(lake) || '.' || quote_ident(lower(one));
        EXECUTE format('DROP TRIGGER IF EXISTS zz_notes ON %s', partition);
        IF mode <> 'off' THEN
            -- behind the keeper, as triggers of one kind fire in the order of their names
            EXECUTE format('CREATE TRIGGER zz_notes AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION fhir.read_note(%L, %L, %L)',
                partition, min_score, coalesce(categories::text, '*'), coalesce(certainty::text, '*'));
        END IF;
        IF mode = 'on-demand' THEN
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER zz_notes', partition);
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.set_notes(text, text[], real, text[], text[], text) IS
    'sets whether a lake reads the notes in its resources: off, on-write (in the transaction that writes them) or on-demand (fhir.read_notes); of these types, else of fhir.note_types(). Kept are findings of that score at least, and where given of these categories and certainties';

CREATE FUNCTION fhir.read_batch(lake text, type text, after text, batch integer, min_score real, categories text[], certainty text[],
        OUT last text, OUT resources bigint, OUT findings bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
    SET search_path = pg_catalog, pg_temp
    -- What a policy hides would be left out: then it is an error.
    SET row_security = off
    AS $function$
DECLARE
    partition text := quote_ident(lake) || '.' || quote_ident(lower(type));
    ids text[];
BEGIN
    -- What another session reads now, it has locked.
    EXECUTE format($$
        SELECT coalesce(array_agg(w.id), '{}'), max(w.id) FROM (
            SELECT r.id FROM %s r
            WHERE r.type = $1 AND r.id > $2 AND NOT EXISTS (
                SELECT FROM %I.entity_run n WHERE n.type = r.type AND n.id = r.id AND n.version = r.version AND n.lexicon = fhir.lexicon_version())
            ORDER BY r.id LIMIT $3 FOR NO KEY UPDATE OF r SKIP LOCKED) w$$, partition, lake)
        INTO ids, last USING type, after, batch;
    resources := 0;
    findings := 0;
    IF ids <> '{}' THEN
        EXECUTE fhir.keep_entities_sql(lake, format(
            'SELECT r.compartment, r.type, r.id, r.version, r.resource FROM %s r WHERE r.type OPERATOR(pg_catalog.=) %L AND r.id OPERATOR(pg_catalog.=) ANY ($4)', partition, type))
            INTO resources, findings USING min_score, categories, certainty, ids;
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.read_batch(text, text, text, integer, real, text[], text[]) IS
    'reads the notes of the next resources behind an id that were not read with the active lexicon and that no other session is reading; last is the id of the last of them, NULL if there were none. fhir.read_notes calls it';

CREATE FUNCTION fhir.read_notes(of_type text DEFAULT NULL, max bigint DEFAULT NULL, batch integer DEFAULT 200, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, lexicon text, resources bigint, findings bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 6
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
DECLARE
    policy record;
    one record;
    after text;
    began timestamptz := clock_timestamp();
    told timestamptz := began;
    remaining bigint := max;
BEGIN
    IF lake IS NULL OR to_regclass(quote_ident(lake) || '.entity_run') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%" that notes can be read in', lake
            USING ERRCODE = 'undefined_table', HINT = 'SELECT * FROM fhir.lakes() lists lakes; fhir.upgrade_lake adds what an older one does not have.';
    END IF;
    IF batch IS NULL OR batch < 1 OR max < 1 THEN
        RAISE EXCEPTION 'a batch has at least one resource' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    lexicon := fhir.lexicon_version();
    IF of_type IS NOT NULL AND NOT EXISTS (SELECT FROM fhir.notes(lake) n WHERE n.type = of_type) THEN
        RAISE EXCEPTION 'lake "%" does not read notes of type "%"', lake, of_type
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'fhir.set_notes(''on-demand'', types => …) says which types have notes; fhir.notes() shows them.';
    END IF;
    IF of_type IS NULL AND NOT EXISTS (SELECT FROM fhir.notes(lake)) THEN
        RAISE EXCEPTION 'lake "%" does not read notes', lake
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'fhir.set_notes(''on-demand'') makes it read them when asked.';
    END IF;
    FOR policy IN SELECT * FROM fhir.notes(lake) n WHERE of_type IS NULL OR n.type = of_type LOOP
        type := policy.type;
        resources := 0;
        findings := 0;
        after := '';
        LOOP
            EXIT WHEN remaining <= 0;
            SELECT * INTO one FROM fhir.read_batch(lake, policy.type, after, least(batch, coalesce(remaining, batch))::integer, policy.min_score, policy.categories, policy.certainty);
            EXIT WHEN one.last IS NULL;
            after := one.last;
            resources := resources + one.resources;
            findings := findings + one.findings;
            remaining := remaining - one.resources;
            IF clock_timestamp() > told + interval '5 seconds' THEN
                told := clock_timestamp();
                RAISE NOTICE '%: % resources read, % findings, % a second', type, resources, findings,
                    round(resources / extract(epoch FROM told - began))::bigint;
            END IF;
        END LOOP;
        IF resources > 0 OR of_type IS NOT NULL THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.read_notes(text, bigint, integer, text) IS
    'reads the notes that were not read with the active lexicon yet, of one type or of all that fhir.set_notes names, in one transaction: at most max resources. Several sessions share the work. For the owner of the lake; CALL fhir.read_all_notes() commits as it goes';

CREATE PROCEDURE fhir.read_all_notes(of_type text DEFAULT NULL, batch integer DEFAULT 500, lake text DEFAULT fhir.current_lake())
    LANGUAGE plpgsql
    AS $procedure$
DECLARE
    policy record;
    one record;
    after text;
    resources bigint;
    findings bigint;
BEGIN
    -- says what is wrong
    PERFORM fhir.read_notes(of_type, 1, 1, lake);
    COMMIT;
    FOR policy IN SELECT * FROM fhir.notes(lake) n WHERE of_type IS NULL OR n.type OPERATOR(pg_catalog.=) of_type LOOP
        after := '';
        resources := 0;
        findings := 0;
        LOOP
            SELECT * INTO one FROM fhir.read_batch(lake, policy.type, after, batch, policy.min_score, policy.categories, policy.certainty);
            EXIT WHEN one.last IS NULL;
            after := one.last;
            resources := resources OPERATOR(pg_catalog.+) one.resources;
            findings := findings OPERATOR(pg_catalog.+) one.findings;
            COMMIT;
            RAISE NOTICE '%: % resources read, % findings', policy.type, resources, findings;
        END LOOP;
    END LOOP;
END
$procedure$;
COMMENT ON PROCEDURE fhir.read_all_notes(text, integer, text) IS
    'as fhir.read_notes, but commits each batch, so that what is read stays read whatever happens; call it again to go on';

CREATE FUNCTION fhir.undo_notes(lexicon text, of_type text DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, resources bigint, findings bigint, restored bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 6
    SET search_path = pg_catalog, pg_temp
    SET row_security = off
    AS $function$
#variable_conflict use_column
DECLARE
    name text := quote_ident(lake);
BEGIN
    IF lexicon IS NULL THEN
        RAISE EXCEPTION 'name the lexicon whose findings are to go' USING ERRCODE = 'null_value_not_allowed', HINT = 'SELECT DISTINCT lexicon FROM lake.entity_run lists them.';
    END IF;
    IF lake IS NULL OR to_regclass(name || '.entity_run') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%" that notes can be read in', lake
            USING ERRCODE = 'undefined_table', HINT = 'SELECT * FROM fhir.lakes() lists lakes; fhir.upgrade_lake adds what an older one does not have.';
    END IF;
    EXECUTE format('LOCK TABLE %s.entity_run IN SHARE ROW EXCLUSIVE MODE', name);
    FOR type, resources IN EXECUTE format('SELECT n.type, count(*) FROM %s.entity_run n WHERE n.lexicon = $1 AND ($2 IS NULL OR n.type = $2) GROUP BY 1 ORDER BY 1', name)
            USING undo_notes.lexicon, of_type LOOP
        EXECUTE format('DELETE FROM %s.entity e WHERE e.type = $1 AND e.lexicon = $2', name) USING type, undo_notes.lexicon;
        GET DIAGNOSTICS findings = ROW_COUNT;
        EXECUTE format('DELETE FROM %s.entity_run n WHERE n.type = $1 AND n.lexicon = $2', name) USING type, undo_notes.lexicon;
        EXECUTE format($$
            UPDATE %1$s.entity_run n SET is_current = true
            FROM (SELECT DISTINCT ON (o.id, o.version) o.id, o.version, o.lexicon FROM %1$s.entity_run o WHERE o.type = $1
                  ORDER BY o.id, o.version, o.is_current DESC, o.at DESC, o.lexicon) l
            WHERE n.type = $1 AND n.id = l.id AND n.version = l.version AND n.lexicon = l.lexicon AND NOT n.is_current$$, name) USING type;
        GET DIAGNOSTICS restored = ROW_COUNT;
        EXECUTE fhir.restate_entities_sql(lake, format('x.type OPERATOR(pg_catalog.=) %L', type));
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.undo_notes(text, text, text) IS
    'removes what was found with a lexicon, and makes what was found before it current again: how many resources, findings, and readings that are current again. For the owner of the lake';

CREATE FUNCTION fhir.entity_diff(of_type text, of_id text, old_lexicon text, new_lexicon text, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (change text, id text, version bigint, path text, first integer, last integer, text text, category text, differs text[], old jsonb, new jsonb)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    IF of_type IS NULL OR old_lexicon IS NULL OR new_lexicon IS NULL THEN
        RAISE EXCEPTION 'name a resource type and two lexicons' USING ERRCODE = 'null_value_not_allowed', HINT = 'SELECT DISTINCT type, lexicon FROM lake.entity_run lists them.';
    END IF;
    -- Only versions that both have read: what one has not read, it did not fail to find.
    RETURN QUERY EXECUTE format($$
        WITH both_read AS (
            SELECT o.id, o.version FROM %1$I.entity_run o JOIN %1$I.entity_run n ON n.type = o.type AND n.id = o.id AND n.version = o.version
            WHERE o.type = $1 AND o.lexicon = $3 AND n.lexicon = $4 AND ($2 IS NULL OR o.id = $2)),
        said AS (
            SELECT e.lexicon, e.id, e.version, e.path, e.first, e.last, e.category, e.text,
                   row_number() OVER (PARTITION BY e.lexicon, e.id, e.version, e.path, e.first, e.last, e.category ORDER BY e.number) AS place,
                   jsonb_build_object('type', e.kind, 'codes', e.codes, 'certainty', e.certainty, 'temporality', e.temporality, 'subject', e.subject,
                       'conditionality', e.conditionality, 'section', e.section, 'score', e.score, 'value', e.value, 'attributes', e.attributes) AS what
            FROM %1$I.entity e JOIN both_read b ON b.id = e.id AND b.version = e.version
            WHERE e.type = $1 AND e.lexicon IN ($3, $4)),
        pair AS (
            SELECT coalesce(n.id, o.id) AS id, coalesce(n.version, o.version) AS version, coalesce(n.path, o.path) AS path, coalesce(n.first, o.first) AS first,
                   coalesce(n.last, o.last) AS last, coalesce(n.text, o.text) AS text, coalesce(n.category, o.category) AS category, o.what AS old, n.what AS new
            FROM (SELECT * FROM said WHERE lexicon = $3) o
            FULL JOIN (SELECT * FROM said WHERE lexicon = $4) n ON n.id = o.id AND n.version = o.version AND n.path = o.path AND n.first = o.first
                AND n.last = o.last AND n.category = o.category AND n.place = o.place)
        SELECT CASE WHEN p.old IS NULL THEN 'added' WHEN p.new IS NULL THEN 'removed' ELSE 'changed' END, p.id, p.version, p.path, p.first, p.last, p.text, p.category,
               CASE WHEN p.old IS NOT NULL AND p.new IS NOT NULL
                   THEN ARRAY(SELECT k.key FROM jsonb_each(p.new) k WHERE p.old -> k.key IS DISTINCT FROM k.value ORDER BY 1) END, p.old, p.new
        FROM pair p WHERE p.old IS DISTINCT FROM p.new
        ORDER BY p.id, p.version, p.path, p.first, p.last, p.category$$, lake)
        USING of_type, of_id, old_lexicon, new_lexicon;
END
$function$;
COMMENT ON FUNCTION fhir.entity_diff(text, text, text, text, text) IS
    'what two lexicons find differently in the notes of one resource, or with NULL for its id of all resources of the type: added, removed or changed, and in what. Versions that both have read are compared';

CREATE FUNCTION fhir.review_entity(type text, id text, number integer, verdict text, note text DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    made bigint;
BEGIN
    IF verdict IS NULL OR verdict NOT IN ('accept', 'reject') THEN
        RAISE EXCEPTION 'a verdict cannot be "%"', verdict USING ERRCODE = 'invalid_parameter_value', HINT = 'It is accept or reject.';
    END IF;
    EXECUTE format($$
        INSERT INTO %1$I.entity_review AS v (compartment, type, id, path, first, last, category, kind, text, codes, version, lexicon, verdict, note)
        SELECT e.compartment, e.type, e.id, e.path, e.first, e.last, e.category, e.kind, e.text, e.codes, e.version, e.lexicon, $4, $5
        FROM %1$I.entity e JOIN %1$I.resource r ON r.type = e.type AND r.id = e.id AND r.version = e.version
        WHERE e.type = $1 AND e.id = $2 AND e.number = $3 AND e.status <> 'old'
        ON CONFLICT ON CONSTRAINT entity_review_pkey DO UPDATE SET verdict = EXCLUDED.verdict, note = EXCLUDED.note, text = EXCLUDED.text,
            codes = EXCLUDED.codes, version = EXCLUDED.version, lexicon = EXCLUDED.lexicon, by = CURRENT_USER, at = clock_timestamp()$$, lake)
        USING type, id, number, verdict, note;
    GET DIAGNOSTICS made = ROW_COUNT;
    IF made = 0 THEN
        RAISE EXCEPTION '%/% has no finding %', type, id, number
            USING ERRCODE = 'no_data_found', HINT = 'SELECT number, text, category FROM lake.entity WHERE type = … AND id = … AND status <> ''old'' lists them.';
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.review_entity(text, text, integer, text, text, text) IS
    'keeps what a reviewer says of a current finding, named by its number: accept or reject, with a remark. What is rejected is not found, not derived and not shown, by later lexicons neither. Takes INSERT and UPDATE on entity_review of the lake, which fhir.grant_lake gives with write';

CREATE FUNCTION fhir.entity_feedback(lake text DEFAULT fhir.current_lake(), around integer DEFAULT 60)
    RETURNS TABLE (verdict text, text text, category text, kind text, codes text[], before text, behind text, type text, id text, version bigint,
        path text, first integer, last integer, lexicon text, score real, certainty text, note text, by name, at timestamptz)
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 100000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    RETURN QUERY EXECUTE format($$
        SELECT v.verdict, v.text, v.category, v.kind, v.codes,
               substr(t.text, greatest(v.first - $1, 0) + 1, least(v.first, $1)), substr(t.text, v.last + 1, $1),
               v.type, v.id, v.version, v.path, v.first, v.last, v.lexicon, e.score, e.certainty, v.note, v.by, v.at
        FROM %1$I.entity_review v
        LEFT JOIN LATERAL (SELECT x.score, x.certainty FROM %1$I.entity x WHERE x.type = v.type AND x.id = v.id AND x.version = v.version
            AND x.lexicon = v.lexicon AND x.path = v.path AND x.first = v.first AND x.last = v.last AND x.category = v.category AND x.kind = v.kind LIMIT 1) e ON true
        LEFT JOIN LATERAL (SELECT r.resource FROM %1$I.resource r WHERE r.type = v.type AND r.id = v.id AND r.version = v.version
            UNION ALL SELECT h.resource FROM %1$I.history h WHERE h.type = v.type AND h.id = v.id AND h.version = v.version) s ON true
        LEFT JOIN LATERAL (SELECT n.text FROM fhir.resource_texts(s.resource) n WHERE n.path = v.path LIMIT 1) t ON true
        ORDER BY v.at, v.type, v.id, v.path, v.first$$, lake) USING around;
END
$function$;
COMMENT ON FUNCTION fhir.entity_feedback(text, integer) IS
    'what reviewers said of findings, each with the characters before and behind it: what a lexicon or a model is trained with';

-- entity_derive.sql

-- Pieces -------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.entity_concept(concepts jsonb, text text, min_score real DEFAULT 0.5) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        -- of each code system the best code: others are other meanings, not translations
        SELECT jsonb_strip_nulls(jsonb_build_object('coding', jsonb_agg(jsonb_strip_nulls(jsonb_build_object('system', b.system, 'code', b.code, 'display', b.display)) ORDER BY b.place), 'text', text))
        FROM (SELECT DISTINCT ON (c ->> 'system') c ->> 'system' AS system, c ->> 'code' AS code, c ->> 'display' AS display, x.place
              FROM jsonb_array_elements(concepts) WITH ORDINALITY x(c, place)
              WHERE coalesce(c ->> 'system', '') <> '' AND coalesce(c ->> 'code', '') <> '' AND coalesce((c ->> 'score')::real, 1) >= min_score
              ORDER BY c ->> 'system', x.place) b
    $$;
COMMENT ON FUNCTION fhir.entity_concept(jsonb, text, real) IS
    'a CodeableConcept of the concepts of a finding: the best code of each code system whose score reaches the least, and the words';

CREATE FUNCTION fhir.entity_attribute(attributes jsonb, type text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT x.a FROM jsonb_array_elements(attributes) WITH ORDINALITY x(a, place) WHERE x.a ->> 'type' = entity_attribute.type ORDER BY x.place LIMIT 1
    $$;
COMMENT ON FUNCTION fhir.entity_attribute(jsonb, text) IS 'the first attribute of that type of a finding, such as STRENGTH or TEST_VALUE';

CREATE FUNCTION fhir.entity_quantity(number text, unit text DEFAULT NULL) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT jsonb_strip_nulls(jsonb_build_object('value', m[2]::numeric, 'comparator', nullif(replace(replace(m[1], '≤', '<='), '≥', '>='), ''),
                   'unit', nullif(btrim(coalesce(nullif(btrim(m[3]), ''), unit)), '')))
        FROM regexp_match(btrim(number), '^(<=|>=|<|>|≤|≥)?\s*(-?\d{1,12}(?:\.\d{1,9})?)\s*([^\d\s][^\d]{0,30})?$') m WHERE m IS NOT NULL
    $$;
COMMENT ON FUNCTION fhir.entity_quantity(text, text) IS
    'a Quantity of words such as "25 mg" or "<0.5"; NULL where they are not one plain number with at most a unit';

CREATE FUNCTION fhir.derived_id(type text, id text, path text, first integer, last integer, text text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-8' || substr(h, 14, 3) || '-a' || substr(h, 18, 3) || '-' || substr(h, 21, 12)
          FROM encode(sha256(convert_to(concat_ws(E'\n', type, id, path, first, last, text), 'UTF8')), 'hex') h $$;
COMMENT ON FUNCTION fhir.derived_id(text, text, text, integer, integer, text) IS
    'the id of what is derived from words at a place: the same words give the same id, so nothing is derived twice';

CREATE FUNCTION fhir.derived_resource(finding jsonb, occurred timestamptz) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    category text := finding ->> 'category';
    kind text := finding ->> 'kind';
    attributes jsonb := finding -> 'attributes';
    concept jsonb := fhir.entity_concept(finding -> 'concepts', finding ->> 'text');
    note text := (finding ->> 'type') || '/' || (finding ->> 'id') || '/_history/' || (finding ->> 'version');
    -- seconds and a zone, as FHIR wants them
    moment text := CASE WHEN isfinite(occurred) THEN to_char(occurred AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END;
    subject jsonb := jsonb_build_object('reference', finding ->> 'compartment');
    site text;
    value jsonb;
    unit jsonb;
    quantity jsonb;
    resource jsonb;
BEGIN
    -- Who it is about must be known, and it must be so.
    IF finding ->> 'compartment' NOT LIKE 'Patient/%' OR finding ->> 'certainty' NOT IN ('positive', 'probable')
       OR finding ->> 'subject' <> 'patient' OR finding ->> 'conditionality' <> 'unconditional' THEN
        RETURN NULL;
    END IF;
    resource := jsonb_build_object(
        'id', fhir.derived_id(finding ->> 'type', finding ->> 'id', finding ->> 'path', (finding ->> 'first')::integer, (finding ->> 'last')::integer, finding ->> 'text'),
        'meta', jsonb_build_object('tag', jsonb_build_array(jsonb_build_object('system', 'http://fhirlake.org/fhir/CodeSystem/origin', 'code', 'machine-made', 'display', 'made by a machine of words in a note'))),
        'extension', jsonb_build_array(jsonb_build_object('url', 'http://fhirlake.org/fhir/StructureDefinition/source-text', 'extension', jsonb_build_array(
            jsonb_build_object('url', 'note', 'valueReference', jsonb_build_object('reference', note)),
            jsonb_build_object('url', 'path', 'valueString', finding ->> 'path'),
            jsonb_build_object('url', 'begin', 'valueInteger', (finding ->> 'first')::integer),
            jsonb_build_object('url', 'end', 'valueInteger', (finding ->> 'last')::integer),
            jsonb_build_object('url', 'text', 'valueString', finding ->> 'text'),
            jsonb_build_object('url', 'score', 'valueDecimal', round((finding ->> 'score')::numeric, 4)),
            jsonb_build_object('url', 'lexicon', 'valueString', finding ->> 'lexicon')))));
    CASE
    WHEN category = 'MEDICAL_CONDITION' AND kind = 'DX_NAME' THEN
        IF finding ->> 'temporality' = 'future' OR concept -> 'coding' IS NULL THEN
            RETURN NULL;
        END IF;
        site := nullif(concat_ws(' ', fhir.entity_attribute(attributes, 'DIRECTION') ->> 'text', fhir.entity_attribute(attributes, 'SYSTEM_ORGAN_SITE') ->> 'text'), '');
        RETURN resource || jsonb_strip_nulls(jsonb_build_object('resourceType', 'Condition', 'subject', subject, 'code', concept,
            -- a history does not tell whether it is over
            'clinicalStatus', CASE WHEN finding ->> 'temporality' = 'current' THEN '{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}'::jsonb END,
            'verificationStatus', '{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "provisional"}]}'::jsonb,
            'bodySite', CASE WHEN site IS NOT NULL THEN jsonb_build_array(jsonb_build_object('text', site)) END,
            'recordedDate', moment,
            'evidence', jsonb_build_array(jsonb_build_object('detail', jsonb_build_array(jsonb_build_object('reference', note))))));
    WHEN category = 'MEDICAL_CONDITION' AND kind IN ('SIGN', 'SYMPTOM') THEN
        IF finding ->> 'temporality' <> 'current' THEN
            RETURN NULL;
        END IF;
        RETURN resource || jsonb_strip_nulls(jsonb_build_object('resourceType', 'Observation', 'status', 'preliminary', 'subject', subject, 'code', concept,
            'effectiveDateTime', moment, 'valueBoolean', true, 'derivedFrom', CASE WHEN finding ->> 'type' = 'DocumentReference' OR finding ->> 'type' = 'QuestionnaireResponse'
                THEN jsonb_build_array(jsonb_build_object('reference', note)) END));
    WHEN category = 'TEST_TREATMENT_PROCEDURE' AND kind = 'TEST_NAME' THEN
        value := fhir.entity_attribute(attributes, 'TEST_VALUE');
        IF finding ->> 'temporality' <> 'current' OR coalesce(value ->> 'text', '') = '' THEN
            RETURN NULL;
        END IF;
        unit := fhir.entity_attribute(attributes, 'TEST_UNIT');
        quantity := fhir.entity_quantity(value ->> 'text', unit ->> 'text');
        RETURN resource || jsonb_strip_nulls(jsonb_build_object('resourceType', 'Observation', 'status', 'preliminary', 'subject', subject, 'code', concept,
            'effectiveDateTime', moment, 'valueQuantity', quantity,
            'valueString', CASE WHEN quantity IS NULL THEN concat_ws(' ', value ->> 'text', unit ->> 'text') END,
            'interpretation', CASE WHEN fhir.entity_attribute(attributes, 'INTERPRETATION') IS NOT NULL
                THEN jsonb_build_array(jsonb_build_object('text', fhir.entity_attribute(attributes, 'INTERPRETATION') ->> 'text')) END,
            'referenceRange', CASE WHEN fhir.entity_attribute(attributes, 'REFERENCE_RANGE') IS NOT NULL
                THEN jsonb_build_array(jsonb_build_object('text', fhir.entity_attribute(attributes, 'REFERENCE_RANGE') ->> 'text')) END,
            'derivedFrom', CASE WHEN finding ->> 'type' = 'DocumentReference' OR finding ->> 'type' = 'QuestionnaireResponse'
                THEN jsonb_build_array(jsonb_build_object('reference', note)) END));
    WHEN category = 'MEDICATION' AND kind IN ('GENERIC_NAME', 'BRAND_NAME') THEN
        IF finding ->> 'temporality' NOT IN ('current', 'future') OR concept -> 'coding' IS NULL THEN
            RETURN NULL;
        END IF;
        SELECT nullif(string_agg(a ->> 'text', ' ' ORDER BY (a ->> 'begin')::integer), '') INTO site
        FROM jsonb_array_elements(attributes) a WHERE a ->> 'type' IN ('DOSAGE', 'STRENGTH', 'FORM', 'ROUTE_OR_MODE', 'FREQUENCY', 'DURATION', 'RATE', 'REASON');
        quantity := fhir.entity_quantity(fhir.entity_attribute(attributes, 'DOSAGE') ->> 'text');
        RETURN resource || jsonb_strip_nulls(jsonb_build_object('resourceType', 'MedicationStatement',
            'status', CASE finding ->> 'temporality' WHEN 'future' THEN 'intended' ELSE 'active' END, 'subject', subject, 'medicationCodeableConcept', concept,
            'dateAsserted', moment, 'derivedFrom', jsonb_build_array(jsonb_build_object('reference', note)),
            'dosage', CASE WHEN site IS NOT NULL THEN jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('text', site,
                'timing', CASE WHEN fhir.entity_attribute(attributes, 'FREQUENCY') IS NOT NULL
                    THEN jsonb_build_object('code', jsonb_build_object('text', fhir.entity_attribute(attributes, 'FREQUENCY') ->> 'text')) END,
                'route', CASE WHEN fhir.entity_attribute(attributes, 'ROUTE_OR_MODE') IS NOT NULL
                    THEN jsonb_build_object('text', fhir.entity_attribute(attributes, 'ROUTE_OR_MODE') ->> 'text') END,
                'doseAndRate', CASE WHEN quantity IS NOT NULL AND quantity ->> 'comparator' IS NULL THEN jsonb_build_array(jsonb_build_object('doseQuantity', quantity)) END))) END));
    WHEN kind = 'ALLERGIES' THEN
        IF finding ->> 'temporality' = 'future' OR concept -> 'coding' IS NULL THEN
            RETURN NULL;
        END IF;
        RETURN resource || jsonb_strip_nulls(jsonb_build_object('resourceType', 'AllergyIntolerance', 'patient', subject, 'code', concept, 'recordedDate', moment,
            'clinicalStatus', '{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}'::jsonb,
            'verificationStatus', '{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "code": "unconfirmed"}]}'::jsonb));
    ELSE
        RETURN NULL;
    END CASE;
END
$function$;
COMMENT ON FUNCTION fhir.derived_resource(jsonb, timestamptz) IS
    'the resource that a finding (a row of entity as JSON) makes: a provisional Condition, an Observation of a symptom or of a result, a MedicationStatement, an AllergyIntolerance; NULL where it is no fact about the patient: negated, somebody else''s, hypothetical, a past medication, without a code';

-- Whatever a note has led to, in the lake or in history: by the ids that its findings give, and by Provenances, which also know of findings that are gone.
CREATE FUNCTION fhir.derived_from(note_type text, note_id text, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, id text, is_stored boolean, is_changed boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    name text := quote_ident(lake);
BEGIN
    RETURN QUERY EXECUTE format($$
        WITH made_by AS (
            SELECT p.id, p.resource FROM %1$s.provenance p
            WHERE p.type = 'Provenance' AND p.search OPERATOR(fhir.|=) (
                'Provenance!?_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made&entity=' || $1 || '/' || $2)::fhir.query),
        place AS (
            SELECT fhir.derived_id(e.type, e.id, e.path, e.first, e.last, e.text) AS id FROM %1$s.entity e WHERE e.type = $1 AND e.id = $2
            UNION SELECT t.id FROM made_by m, fhir.references(m.resource, 'Provenance.target') t),
        found AS (
            SELECT k.type, p.id FROM place p, unnest('{AllergyIntolerance,Condition,MedicationStatement,Observation}'::text[]) k(type)
            UNION SELECT 'Provenance', m.id FROM made_by m
            UNION SELECT 'Provenance', fhir.derived_id(n.type || '/' || n.id || '/_history/' || n.version, n.lexicon, 'Provenance', 0, 0, '')
            FROM %1$s.entity_run n WHERE n.type = $1 AND n.id = $2)
        SELECT f.type, f.id, r.id IS NOT NULL,
               -- what somebody has changed since is theirs; a Provenance grows by itself
               coalesce(f.type <> 'Provenance' AND (
                   NOT r.search OPERATOR(fhir.|=) '_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made'::fhir.query
                   OR EXISTS (SELECT FROM %1$s.history h WHERE h.type = r.type AND h.id = r.id AND h.version = r.version - 1 AND h.method <> 'DELETE')), false)
        FROM found f LEFT JOIN %1$s.resource r ON r.type = f.type AND r.id = f.id
        WHERE r.id IS NOT NULL OR EXISTS (SELECT FROM %1$s.history h WHERE h.type = f.type AND h.id = f.id)
        ORDER BY 1, 2$$, name) USING note_type, note_id;
END
$function$;
COMMENT ON FUNCTION fhir.derived_from(text, text, text) IS
    'what fhir.derive_resources has made of a note, Provenances too: whether it is stored now or only in history, and whether somebody has changed it since';

CREATE FUNCTION fhir.take_back(type text, id text, lake text DEFAULT fhir.current_lake()) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 10000
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    name text := quote_ident(lake);
    one record;
    targets jsonb;
BEGIN
    FOR one IN EXECUTE format($$
        SELECT p.id, p.resource FROM %s.provenance p
        WHERE p.type = 'Provenance' AND p.search OPERATOR(fhir.|=) (
            'Provenance!?_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made&target=' || $1 || '/' || $2)::fhir.query
        ORDER BY p.id FOR UPDATE$$, name) USING type, id
    LOOP
        SELECT jsonb_agg(t ORDER BY place) INTO targets FROM jsonb_array_elements(one.resource -> 'target') WITH ORDINALITY x(t, place)
        WHERE t ->> 'reference' <> take_back.type || '/' || take_back.id;
        IF targets IS NULL THEN
            EXECUTE format('DELETE FROM %s.provenance p WHERE p.type = ''Provenance'' AND p.id = $1', name) USING one.id;
        ELSE
            EXECUTE format('UPDATE %s.provenance p SET resource = jsonb_set(p.resource, ''{target}'', $2) WHERE p.type = ''Provenance'' AND p.id = $1', name)
                USING one.id, targets;
        END IF;
    END LOOP;
    EXECUTE format('DELETE FROM %s.%I d WHERE d.type = $1 AND d.id = $2', name, lower(type)) USING type, id;
END
$function$;
COMMENT ON FUNCTION fhir.take_back(text, text, text) IS
    'deletes what was derived from a note, and names it no longer in the Provenance of that note. fhir.derive_resources and fhir.undo_derived call it';

CREATE FUNCTION fhir.derive_resources(type text, id text DEFAULT NULL, min_score real DEFAULT 0.8, preview boolean DEFAULT false, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (action text, derived text, note text, number integer, text text, score real, resource jsonb)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
DECLARE
    name text := quote_ident(lake);
    one record;
    kind text;
    is_there boolean;
    provenance jsonb;
    known jsonb;
BEGIN
    IF lake IS NULL OR to_regclass(name || '.entity_run') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%" that keeps findings', lake
            USING ERRCODE = 'undefined_table', HINT = 'SELECT * FROM fhir.lakes() lists lakes; fhir.upgrade_lake adds what an older one does not have.';
    END IF;
    IF type IS NULL OR NOT EXISTS (SELECT FROM fhir.resource_types() r(name) WHERE r.name = derive_resources.type) THEN
        RAISE EXCEPTION 'there is no resource type "%"', type
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT fhir.resource_types() lists the types of FHIR R4.';
    END IF;
    IF min_score IS NULL OR NOT min_score BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'a score is from 0 to 1' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR one IN EXECUTE format($$
        SELECT e.type || '/' || e.id || '/_history/' || e.version AS note, e.lexicon, e.number, e.text, e.score, d.resource
        FROM %1$s.entity e
        JOIN %1$s.resource r ON r.type = e.type AND r.id = e.id AND r.version = e.version
        CROSS JOIN LATERAL fhir.derived_resource(to_jsonb(e) - 'search', r.occurred) d(resource)
        WHERE e.type = $1 AND ($2 IS NULL OR e.id = $2) AND e.status = 'current' AND d.resource IS NOT NULL
          -- what a reviewer has accepted needs no score
          AND (e.score >= $3 OR EXISTS (SELECT FROM %1$s.entity_review v WHERE v.verdict = 'accept' AND v.type = e.type AND v.id = e.id AND v.path = e.path
               AND v.first = e.first AND v.last = e.last AND v.text = e.text AND v.category = e.category AND (v.codes && e.codes OR v.codes = e.codes)))
        ORDER BY e.id, e.number$$, name) USING derive_resources.type, derive_resources.id, min_score
    LOOP
        kind := one.resource ->> 'resourceType';
        derived := kind || '/' || (one.resource ->> 'id');
        note := one.note;
        number := one.number;
        text := one.text;
        score := one.score;
        resource := one.resource;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s.%I d WHERE d.type = $1 AND d.id = $2)', name, lower(kind)) INTO is_there USING kind, one.resource ->> 'id';
        action := CASE WHEN is_there THEN 'unchanged' ELSE 'create' END;
        IF NOT preview AND NOT is_there THEN
            EXECUTE format('INSERT INTO %s.%I (resource) VALUES ($1)', name, lower(kind)) USING one.resource;
            -- One for each reading of a note: its targets are all that came of it.
            provenance := jsonb_build_object('resourceType', 'Provenance', 'id', fhir.derived_id(one.note, one.lexicon, 'Provenance', 0, 0, ''),
                'meta', one.resource -> 'meta', 'target', jsonb_build_array(jsonb_build_object('reference', derived)),
                'recorded', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                'activity', jsonb_build_object('text', 'derived from words in a note'),
                'agent', jsonb_build_array(jsonb_build_object('type', '{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "assembler"}]}'::jsonb,
                    'who', jsonb_build_object('display', 'fhirlake, lexicon ' || one.lexicon))),
                'entity', jsonb_build_array(jsonb_build_object('role', 'source', 'what', jsonb_build_object('reference', one.note))));
            EXECUTE format('SELECT p.resource FROM %s.provenance p WHERE p.type = ''Provenance'' AND p.id = $1 FOR UPDATE', name) INTO known USING provenance ->> 'id';
            IF known IS NULL THEN
                EXECUTE format('INSERT INTO %s.provenance (resource) VALUES ($1)', name) USING provenance;
            ELSIF NOT ((known -> 'target') @> (provenance -> 'target')) THEN
                EXECUTE format('UPDATE %s.provenance p SET resource = jsonb_set(p.resource, ''{target}'', (p.resource -> ''target'') || $2)
                    WHERE p.type = ''Provenance'' AND p.id = $1', name) USING provenance ->> 'id', provenance -> 'target';
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
    -- What no finding says any more goes: it was rejected, or the note says something else now, or is deleted. A version that was not read says nothing.
    FOR one IN EXECUTE format($$
        SELECT d.type, d.id, s.id AS note, r.resource, r.resource #>> '{code,text}' AS text
        FROM (SELECT DISTINCT x.id FROM %1$s.provenance p, fhir.references(p.resource, 'Provenance.entity.what') x
              WHERE p.type = 'Provenance' AND x.type = $1 AND ($2 IS NULL OR x.id = $2)
                AND p.search OPERATOR(fhir.|=) ('Provenance!?_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made' || coalesce('&entity=' || $1 || '/' || $2, ''))::fhir.query) s
        CROSS JOIN LATERAL fhir.derived_from($1, s.id, $3) d
        JOIN %1$s.resource r ON r.type = d.type AND r.id = d.id
        WHERE d.type <> 'Provenance' AND NOT d.is_changed
          AND CASE WHEN EXISTS (SELECT FROM %1$s.resource n WHERE n.type = $1 AND n.id = s.id)
              THEN EXISTS (SELECT FROM %1$s.resource n JOIN %1$s.entity_run u ON u.type = n.type AND u.id = n.id AND u.version = n.version WHERE n.type = $1 AND n.id = s.id)
              ELSE EXISTS (SELECT FROM %1$s.history h WHERE h.type = $1 AND h.id = s.id AND h.resource IS NULL) END
          AND NOT EXISTS (
              SELECT FROM %1$s.entity e JOIN %1$s.resource n ON n.type = e.type AND n.id = e.id AND n.version = e.version
              CROSS JOIN LATERAL fhir.derived_resource(to_jsonb(e) - 'search', n.occurred) f(resource)
              WHERE e.type = $1 AND e.id = s.id AND e.status = 'current' AND f.resource ->> 'resourceType' = d.type AND f.resource ->> 'id' = d.id)
        ORDER BY s.id, d.type, d.id$$, name) USING derive_resources.type, derive_resources.id, lake
    LOOP
        action := 'delete';
        derived := one.type || '/' || one.id;
        note := derive_resources.type || '/' || one.note;
        number := NULL;
        text := one.text;
        score := NULL;
        resource := one.resource;
        IF NOT preview THEN
            PERFORM fhir.take_back(one.type, one.id, lake);
        END IF;
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.derive_resources(text, text, real, boolean, text) IS
    'makes resources of the current findings in a note, or with NULL for its id in all notes of the type, that reach the score: Condition, Observation, MedicationStatement, AllergyIntolerance, provisional and tagged as machine-made, each tied to its words; and a Provenance from the version of the note to all that came of it. What is there already stays as it is, and what no current finding says any more is deleted, unless somebody has changed it. With preview nothing is written. Runs with the rights of the caller';

CREATE FUNCTION fhir.undo_derived(type text DEFAULT NULL, id text DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (action text, derived text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
DECLARE
    name text := quote_ident(lake);
    one record;
    made record;
    gone bigint;
    kept integer;
    gone_types text[];
    gone_ids text[];
BEGIN
    IF lake IS NULL OR to_regclass(name || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    IF id IS NOT NULL AND type IS NULL THEN
        RAISE EXCEPTION 'an id needs a resource type' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR one IN EXECUTE format($$
        SELECT p.id, p.resource FROM %s.provenance p
        WHERE p.search OPERATOR(fhir.|=) 'Provenance!?_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made'::fhir.query
          AND EXISTS (SELECT FROM fhir.references(p.resource, 'Provenance.entity.what') s WHERE ($1 IS NULL OR s.type = $1) AND ($2 IS NULL OR s.id = $2))
        ORDER BY p.id$$, name) USING undo_derived.type, undo_derived.id
    LOOP
        kept := 0;
        gone_types := '{}';
        gone_ids := '{}';
        FOR made IN SELECT t.type, t.id FROM fhir.references(one.resource, 'Provenance.target') t ORDER BY 1, 2 LOOP
            derived := made.type || '/' || made.id;
            -- what somebody has changed since is theirs
            EXECUTE format($$SELECT count(*) FROM %s.%I d WHERE d.type = $1 AND d.id = $2
                AND d.search OPERATOR(fhir.|=) '_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made'::fhir.query
                AND NOT EXISTS (SELECT FROM %1$s.history h WHERE h.type = d.type AND h.id = d.id AND h.version = d.version - 1 AND h.method <> 'DELETE')$$, name, lower(made.type))
                INTO gone USING made.type, made.id;
            IF gone > 0 THEN
                action := 'delete';
                gone_types := gone_types || made.type;
                gone_ids := gone_ids || made.id;
                RETURN NEXT;
                CONTINUE;
            END IF;
            EXECUTE format('SELECT count(*) FROM %s.%I d WHERE d.type = $1 AND d.id = $2', name, lower(made.type)) INTO gone USING made.type, made.id;
            IF gone > 0 THEN
                kept := kept + 1;
                action := 'keep';
                RETURN NEXT;
            END IF;
        END LOOP;
        -- A Provenance that stays names only what stays.
        FOR made IN SELECT k.type, k.id FROM unnest(gone_types, gone_ids) k(type, id) LOOP
            IF kept > 0 THEN
                PERFORM fhir.take_back(made.type, made.id, lake);
            ELSE
                EXECUTE format('DELETE FROM %s.%I d WHERE d.type = $1 AND d.id = $2', name, lower(made.type)) USING made.type, made.id;
            END IF;
        END LOOP;
        IF kept = 0 THEN
            EXECUTE format('DELETE FROM %s.provenance p WHERE p.type = ''Provenance'' AND p.id = $1', name) USING one.id;
            derived := 'Provenance/' || one.id;
            action := 'delete';
            RETURN NEXT;
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.undo_derived(text, text, text) IS
    'deletes what fhir.derive_resources made of a note, of all notes of a type, or of all: a row for each resource, keep for what somebody has changed since, which stays. Needs reading of history';

-- view.sql

CREATE FUNCTION fhir.view_rows(resource jsonb, selects jsonb) RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 ROWS 3 AS 'MODULE_PATHNAME', 'fhir_view_rows';
COMMENT ON FUNCTION fhir.view_rows(jsonb, jsonb) IS
    'the rows that selects of a ViewDefinition make of a resource, in columns that the query names: fhir.view_rows(resource, ''{"resource": "Patient", "select": [{"forEach": "name", "column": [{"name": "family", "path": "family"}]}]}'') AS f(family text). Columns may be text, boolean, integer, bigint, numeric, date, timestamptz, time, jsonb and arrays of them. fhir.view_sql writes calls of it';

CREATE FUNCTION fhir.view_sql(view jsonb, lake text DEFAULT fhir.current_lake(), as_json boolean DEFAULT false, stored boolean DEFAULT false) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_view_sql';
COMMENT ON FUNCTION fhir.view_sql(jsonb, text, boolean, boolean) IS
    'the SELECT that a ViewDefinition of SQL on FHIR v2 means on a lake. as_json: one column with a JSON object for each row, and each value as it stands in the resource. stored: with the columns in front that table stored of the lake has. Errors: 22023 with the place in the definition, 42P01 where there is no such lake';

CREATE FUNCTION fhir.view_columns(view jsonb) RETURNS TABLE ("position" bigint, name text, type text, description text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 20 AS 'MODULE_PATHNAME', 'fhir_view_columns';
COMMENT ON FUNCTION fhir.view_columns(jsonb) IS
    'the columns of a ViewDefinition with their types in SQL, in order; errors as fhir.view_sql';

CREATE FUNCTION fhir.run_view(view jsonb, lake text DEFAULT fhir.current_lake(), count bigint DEFAULT NULL) RETURNS SETOF json
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 ROWS 1000
    AS $function$
BEGIN
    IF count OPERATOR(pg_catalog.<) 0 THEN
        RAISE EXCEPTION 'count is less than 0' USING ERRCODE = '22023', HINT = 'leave it out for all rows';
    END IF;
    IF view IS NULL THEN
        RAISE EXCEPTION 'view must not be null' USING ERRCODE = '22004';
    END IF;
    RETURN QUERY EXECUTE pg_catalog.concat(fhir.view_sql(view, lake, true), E'\nLIMIT ', coalesce(count::pg_catalog.text, 'ALL'));
END
$function$;
COMMENT ON FUNCTION fhir.run_view(jsonb, text, bigint) IS
    'the rows of a ViewDefinition, each a JSON object with the columns in their order and values as they stand in the resources. count: only so many. fhir.create_view makes a view with typed columns. Errors as fhir.view_sql, and 21000 where a column that is no collection has several values';

CREATE FUNCTION fhir.create_view(view jsonb, schema text DEFAULT NULL, name text DEFAULT NULL, materialized boolean DEFAULT false,
        lake text DEFAULT fhir.current_lake(), replace boolean DEFAULT false) RETURNS regclass
    LANGUAGE plpgsql
    AS $function$
DECLARE
    -- as names fold in SQL that are not quoted
    own_name text := coalesce(name, pg_catalog.lower(view OPERATOR(pg_catalog.->>) 'name'));
    own_schema text := coalesce(schema, pg_catalog.current_schema());
    full_name text;
    told text := pg_catalog.concat_ws(': ', view OPERATOR(pg_catalog.->>) 'title', view OPERATOR(pg_catalog.->>) 'description');
    statement text;
    standing pg_catalog.regclass;
    grants pg_catalog.jsonb;
    shown record;
BEGIN
    IF view IS NULL THEN
        RAISE EXCEPTION 'view must not be null' USING ERRCODE = '22004';
    END IF;
    IF coalesce(own_name, '') OPERATOR(pg_catalog.=) '' THEN
        RAISE EXCEPTION 'the view has no name' USING ERRCODE = '22023', HINT = 'give name => …, or a name in the definition';
    END IF;
    IF pg_catalog.octet_length(own_name) OPERATOR(pg_catalog.>) 63 THEN
        RAISE EXCEPTION 'the name of a view has at most 63 bytes' USING ERRCODE = '42622', HINT = 'give name => …';
    END IF;
    IF own_schema IS NULL THEN
        RAISE EXCEPTION 'there is no schema to make the view in' USING ERRCODE = '3F000', HINT = 'give schema => …';
    END IF;
    IF pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.<) 150000 THEN
        RAISE EXCEPTION 'views with the rights of who asks need PostgreSQL 15' USING ERRCODE = '0A000',
            HINT = 'fhir.view_sql gives the SELECT';
    END IF;
    full_name := pg_catalog.format('%I.%I', own_schema, own_name);
    standing := pg_catalog.to_regclass(full_name);
    IF replace AND NOT fhir.is_flat_view(standing) THEN
        RAISE EXCEPTION '% is no view of a lake', full_name USING ERRCODE = '42809', HINT = 'give another name, or remove what stands there';
    END IF;
    IF materialized THEN
        PERFORM fhir.store_view(view, own_schema, own_name, lake, replace);
    ELSE
        statement := fhir.view_sql(view, lake);
        IF replace AND fhir.lake_of_stored(standing) IS NOT NULL THEN
            grants := fhir.grants_of(standing);
            PERFORM fhir.drop_view(standing);
        END IF;
        BEGIN
            EXECUTE pg_catalog.format(E'CREATE %sVIEW %s WITH (security_invoker) AS\n%s', CASE WHEN replace THEN 'OR REPLACE ' END, full_name, statement);
        EXCEPTION
            WHEN duplicate_table THEN
                RAISE EXCEPTION USING ERRCODE = '42P07', MESSAGE = SQLERRM, HINT = 'replace => true replaces a view';
            WHEN invalid_table_definition THEN
                RAISE EXCEPTION USING ERRCODE = '42P16', MESSAGE = SQLERRM,
                    HINT = pg_catalog.format('a view that is replaced keeps its columns in their order; DROP VIEW %s first', full_name);
        END;
        PERFORM fhir.grant_again(grants, full_name::pg_catalog.regclass);
    END IF;
    EXECUTE pg_catalog.format('COMMENT ON VIEW %s IS %L', full_name, nullif(told, ''));
    FOR shown IN SELECT c.name, c.description FROM fhir.view_columns(view) c LOOP
        EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', full_name, shown.name, shown.description);
    END LOOP;
    RETURN full_name::pg_catalog.regclass;
END
$function$;
COMMENT ON FUNCTION fhir.create_view(jsonb, text, text, boolean, text, boolean) IS
    'makes a view of a ViewDefinition of SQL on FHIR v2: typed columns, comments, and the rights of who asks. schema: by default the first of search_path; name: by default that of the definition, in lower case; materialized: with its rows in a table that fhir.refresh_views brings up to date, for the owner of the lake; replace: in the place of such a view of that name, with its grants. Errors as fhir.view_sql; 42P07 where the name is taken, 42809 where what is to be replaced is no view of a lake, 42P16 where the columns do not fit those of the view that is replaced';

-- view_ready.sql

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

-- view_profile.sql

CREATE FUNCTION fhir.profile_data(type text, sample bigint DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (path text, expression text, fhir_type text, resources bigint, share real, occurrences bigint, most bigint,
                   distinct_values bigint, is_exact boolean, smallest text, largest text, examples text[])
    LANGUAGE c STABLE PARALLEL SAFE COST 1000000 ROWS 100 AS 'MODULE_PATHNAME', 'fhir_profile_data';
COMMENT ON FUNCTION fhir.profile_data(text, bigint, text) IS
    'which elements occur in the stored resources of a type, or in about as many as sample says: the path as stored and in FHIRPath, its type, in how many resources and which share of them, how often in all and most often in one, how many different values (is_exact tells whether they were counted or estimated, within a few percent), smallest and largest of numbers and times, a few of all others. The first row is the resource itself; elements that FHIR does not have are without expression and type; extensions are told apart by url. In one pass, with bounded memory';

CREATE FUNCTION fhir.propose_view(type text, threshold real DEFAULT 0.01, for_each text DEFAULT NULL, sample bigint DEFAULT NULL,
                                  lake text DEFAULT fhir.current_lake()) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE COST 1000000 AS 'MODULE_PATHNAME', 'fhir_propose_view';
COMMENT ON FUNCTION fhir.propose_view(text, real, text, bigint, text) IS
    'a ViewDefinition (SQL on FHIR v2) for the stored resources of a type: a column for each element that at least the threshold, a share from 0 to 1, of them have; code, display and system of what is coded, a key for each type that a reference points at, the first of what repeats. for_each is the path of a repeating element, such as component, that then has a row each. Meant to be edited, then for fhir.create_view';

-- view_stored.sql

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

-- export.sql

CREATE FUNCTION fhir.export(
    directory text,
    types text[] DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    of text DEFAULT NULL,
    format text DEFAULT 'ndjson',
    compression text DEFAULT NULL,
    history boolean DEFAULT false,
    after pg_catalog.pg_snapshot DEFAULT NULL,
    overwrite boolean DEFAULT false)
    RETURNS TABLE (file text, type text, resources bigint, bytes bigint)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'fhir_export';
COMMENT ON FUNCTION fhir.export(text, text[], timestamptz, text, text, text, boolean, pg_catalog.pg_snapshot, boolean) IS
    'writes the current lake into a folder of the server: a file for each type, and manifest.json as FHIR Bulk Data has it. '
    'since: only what changed then or later, and what was deleted; of: Patient for what belongs to patients, Patient/id, Group/id; '
    'compression: gzip or zstd; history: superseded versions too; after: only what that snapshot did not show. '
    'All files appear when all are complete. Takes pg_write_server_files.';

CREATE FUNCTION fhir.export_query(query text, path text, compression text DEFAULT 'zstd', overwrite boolean DEFAULT false)
    RETURNS TABLE (exported bigint, bytes bigint)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1 AS 'MODULE_PATHNAME', 'fhir_export_query';
COMMENT ON FUNCTION fhir.export_query(text, text, text, boolean) IS
    'writes what a query gives, or all of a table or view if that is its name, into a Parquet file of the server, and tells how many '
    'rows and bytes. compression: zstd or none. The file appears when it is complete. Takes pg_write_server_files.';

-- The caller's search_path decides what the text of a name means, before it is read again with the same.
CREATE FUNCTION fhir.export_query(query regclass, path text, compression text DEFAULT 'zstd', overwrite boolean DEFAULT false)
    RETURNS TABLE (exported bigint, bytes bigint)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 1
    BEGIN ATOMIC
        SELECT * FROM fhir.export_query('TABLE ' || query::text, path, compression, overwrite);
    END;
COMMENT ON FUNCTION fhir.export_query(regclass, text, text, boolean) IS 'writes a table or view into a Parquet file of the server';

CREATE FUNCTION fhir.export_sql(
    types text[] DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    of text DEFAULT NULL,
    history boolean DEFAULT false,
    after pg_catalog.pg_snapshot DEFAULT NULL)
    RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_export_sql';
COMMENT ON FUNCTION fhir.export_sql(text[], timestamptz, text, boolean, pg_catalog.pg_snapshot) IS
    'the query that gives what fhir.export with these arguments writes, one resource a row: for a client''s own COPY (…) TO STDOUT';

-- operations.sql

-- $meta: https://hl7.org/fhir/R4/resource-operations.html ---------------------------------------------------------------

-- Bodies without quotes are read when they are made, so that no search_path changes what they mean.
CREATE FUNCTION fhir.meta_key(label jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE pg_catalog.jsonb_typeof(label)
        WHEN 'object' THEN pg_catalog.jsonb_build_array(label -> 'system', label -> 'code')::text
        ELSE label::text END;
COMMENT ON FUNCTION fhir.meta_key(jsonb) IS
    'what a profile, tag or security label is the same by: the url, or system and code; version and display do not count';

CREATE FUNCTION fhir.meta_labels(kept jsonb, changed jsonb, remove boolean) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        WITH listed AS (
            SELECT false AS is_new, k.label, k.n FROM pg_catalog.jsonb_array_elements(coalesce(kept, '[]')) WITH ORDINALITY k (label, n)
            UNION ALL
            SELECT true, c.label, c.n FROM pg_catalog.jsonb_array_elements(coalesce(changed, '[]')) WITH ORDINALITY c (label, n)
        ), first AS (
            SELECT l.label, l.is_new, l.n, pg_catalog.row_number() OVER (PARTITION BY fhir.meta_key(l.label) ORDER BY l.is_new, l.n) AS nth,
                pg_catalog.bool_or(l.is_new) OVER (PARTITION BY fhir.meta_key(l.label)) AS is_named
            FROM listed l
        )
        SELECT coalesce(pg_catalog.jsonb_agg(f.label ORDER BY f.is_new, f.n)
            FILTER (WHERE CASE WHEN remove THEN NOT f.is_named ELSE NOT f.is_new OR f.nth = 1 END), '[]')
        FROM first f);
COMMENT ON FUNCTION fhir.meta_labels(jsonb, jsonb, boolean) IS
    'a list of profiles, tags or security labels with others added to it or, with remove, taken from it; what is there stays as it is';

CREATE FUNCTION fhir.meta_checked(meta jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    list text;
    wanted text;
BEGIN
    IF meta IS NULL OR jsonb_typeof(meta) <> 'object' THEN
        RAISE EXCEPTION 'no Meta came along' USING ERRCODE = '22023',
            HINT = 'It is an object with the profile, security and tag to add or to delete.';
    END IF;
    FOREACH list IN ARRAY ARRAY['profile', 'security', 'tag'] LOOP
        wanted := CASE list WHEN 'profile' THEN 'string' ELSE 'object' END;
        IF meta ? list AND (jsonb_typeof(meta -> list) <> 'array'
                OR EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(meta -> list) WHEN 'array' THEN meta -> list ELSE '[]' END) l
                    WHERE jsonb_typeof(l) <> wanted)) THEN
            RAISE EXCEPTION 'meta.% is not a list of %', list, CASE list WHEN 'profile' THEN 'urls' ELSE 'Codings' END
                USING ERRCODE = '22023', HINT = 'https://hl7.org/fhir/R4/resource.html#Meta';
        END IF;
    END LOOP;
    RETURN meta;
END
$function$;
COMMENT ON FUNCTION fhir.meta_checked(jsonb) IS 'a Meta whose profile, security and tag are lists as they should be; raises 22023 for another';

CREATE FUNCTION fhir.meta(type text DEFAULT NULL, id text DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000
    AS $function$
DECLARE
    place text;
    found jsonb;
BEGIN
    IF id IS NOT NULL THEN
        IF type IS NULL THEN
            RAISE EXCEPTION 'an id without a type' USING ERRCODE = '22023', HINT = 'fhir.meta(type, id), fhir.meta(type) or fhir.meta().';
        END IF;
        RETURN fhir.read(type, id) OPERATOR(pg_catalog.->) 'meta';
    END IF;
    place := CASE WHEN type IS NULL THEN pg_catalog.format('%I.resource', fhir.current_lake()) ELSE fhir.table_of(type) END;
    -- The distinct values come from the keys; of each of them one resource is read, for what the keys do not hold.
    EXECUTE pg_catalog.format($q$
        WITH named AS (
            SELECT k.parameter, k.value, (pg_catalog.array_agg(r.type))[1] AS type, (pg_catalog.array_agg(r.id))[1] AS id
            FROM (
                SELECT s.type, s.id, s.search FROM %1$s s
                WHERE s.search OPERATOR(fhir.|=) '_tag:missing=false'::fhir.query
                   OR s.search OPERATOR(fhir.|=) '_security:missing=false'::fhir.query
                   OR s.search OPERATOR(fhir.|=) '_profile:missing=false'::fhir.query
            ) r CROSS JOIN LATERAL fhir.show_keys(r.search) k
            WHERE k.parameter OPERATOR(pg_catalog.=) ANY (ARRAY['_tag', '_security', '_profile'])
            GROUP BY k.parameter, k.value
        ), one AS (
            SELECT DISTINCT n.type, n.id FROM named n
        ), labels AS (
            SELECT DISTINCT ON (l.list, fhir.meta_key(v.label)) l.list, v.label
            FROM one o
            JOIN %1$s s ON s.type OPERATOR(pg_catalog.=) o.type AND s.id OPERATOR(pg_catalog.=) o.id
            CROSS JOIN (VALUES ('profile'), ('security'), ('tag')) l (list)
            CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(
                s.resource OPERATOR(pg_catalog.->) 'meta' OPERATOR(pg_catalog.->) l.list) v (label)
            ORDER BY l.list, fhir.meta_key(v.label), v.label
        ), lists AS (
            SELECT l.list, pg_catalog.jsonb_agg(l.label ORDER BY l.label) AS labels FROM labels l GROUP BY l.list
        )
        SELECT coalesce(pg_catalog.jsonb_object_agg(l.list, l.labels), '{}') FROM lists l$q$, place) INTO found;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION fhir.meta(text, text) IS
    'the meta of a resource; or, of a type or of the whole lake, all profiles, tags and security labels in use. The latter reads the keys of every resource that has one of them, and a few resources';

CREATE FUNCTION fhir.meta_changed(type text, id text, meta jsonb, remove boolean) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
    AS $function$
DECLARE
    stored jsonb;
    patch jsonb;
    tries integer := 0;
BEGIN
    meta := fhir.meta_checked(meta);
    IF type IS NULL OR id IS NULL THEN
        RAISE EXCEPTION 'no resource is named' USING ERRCODE = '22023', HINT = 'Give its type and id.';
    END IF;
    LOOP
        stored := fhir.read(type, id) OPERATOR(pg_catalog.->) 'meta';
        -- only the lists that change
        patch := (
            SELECT pg_catalog.jsonb_object_agg(l.list, CASE WHEN l.labels OPERATOR(pg_catalog.=) '[]' THEN 'null' ELSE l.labels END)
            FROM (
                SELECT k.list, stored OPERATOR(pg_catalog.->) k.list AS kept,
                    fhir.meta_labels(stored OPERATOR(pg_catalog.->) k.list, meta OPERATOR(pg_catalog.->) k.list, remove) AS labels
                FROM (VALUES ('profile'), ('security'), ('tag')) k (list)
            ) l
            WHERE l.labels OPERATOR(pg_catalog.<>) coalesce(l.kept, '[]'));
        IF patch IS NULL THEN
            RETURN stored;
        END IF;
        BEGIN
            stored := fhir.patch(type, id, pg_catalog.jsonb_build_object('meta', patch),
                stored OPERATOR(pg_catalog.->>) 'versionId', 'merge-patch');
            RETURN stored OPERATOR(pg_catalog.->) 'meta';
        EXCEPTION WHEN SQLSTATE 'FH412' OR SQLSTATE 'FH409' THEN
            -- another writer came first: once more, on what it wrote
            tries := tries OPERATOR(pg_catalog.+) 1;
            IF tries OPERATOR(pg_catalog.>=) 10 THEN
                RAISE;
            END IF;
        END;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.meta_changed(text, text, jsonb, boolean) IS 'what fhir.meta_add and, with remove, fhir.meta_delete do';

CREATE FUNCTION fhir.meta_add(type text, id text, meta jsonb) RETURNS jsonb
    LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 1000
    RETURN fhir.meta_changed(type, id, meta, false);
COMMENT ON FUNCTION fhir.meta_add(text, text, jsonb) IS
    'adds the profiles, tags and security labels of a Meta to a resource, and returns its meta. What it has already makes no new version';

CREATE FUNCTION fhir.meta_delete(type text, id text, meta jsonb) RETURNS jsonb
    LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 1000
    RETURN fhir.meta_changed(type, id, meta, true);
COMMENT ON FUNCTION fhir.meta_delete(text, text, jsonb) IS
    'takes the profiles, tags and security labels of a Meta from a resource, and returns its meta. What it does not have makes no new version';

CREATE FUNCTION fhir.meta_parameters(meta jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN coalesce(meta, '{}') = '{}' THEN '{"resourceType": "Parameters"}'::jsonb
        ELSE pg_catalog.jsonb_build_object('resourceType', 'Parameters', 'parameter',
            pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('name', 'return', 'valueMeta', meta))) END;
COMMENT ON FUNCTION fhir.meta_parameters(jsonb) IS 'a Meta as a server returns it; FHIR has no empty Meta, so for none the Parameters are empty';

CREATE FUNCTION fhir.lastn_keys(code jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        (SELECT pg_catalog.array_agg(DISTINCT pg_catalog.jsonb_build_array(c -> 'system', c -> 'code')::text)
            FROM pg_catalog.jsonb_array_elements(CASE pg_catalog.jsonb_typeof(code -> 'coding') WHEN 'array' THEN code -> 'coding' ELSE '[]' END) c
            WHERE c ? 'code'),
        ARRAY[coalesce(code ->> 'text', '')]);
COMMENT ON FUNCTION fhir.lastn_keys(jsonb) IS
    'what a CodeableConcept is grouped by: system and code of each of its codings, or of one without codings the text';

CREATE FUNCTION fhir.lastn_groups(keys text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    parent jsonb := '{}';
    root text;
    roots text[];
    least text;
    one jsonb;
    key text;
    named text;
BEGIN
    -- each element: the keys of one concept, as a JSON array. Keys of one concept have one root.
    FOREACH key IN ARRAY keys LOOP
        one := key::jsonb;
        CONTINUE WHEN jsonb_array_length(one) < 2;
        roots := '{}';
        FOR root IN SELECT jsonb_array_elements_text(one) LOOP
            WHILE parent ? root LOOP
                root := parent ->> root;
            END LOOP;
            roots := roots || root;
        END LOOP;
        SELECT min(r COLLATE "C") INTO least FROM unnest(roots) r;
        FOREACH root IN ARRAY roots LOOP
            IF root <> least THEN
                parent := parent || jsonb_build_object(root, least);
            END IF;
        END LOOP;
    END LOOP;
    -- now straight to the root
    FOR named IN SELECT jsonb_object_keys(parent) LOOP
        root := named;
        WHILE parent ? root LOOP
            root := parent ->> root;
        END LOOP;
        parent := parent || jsonb_build_object(named, root);
    END LOOP;
    RETURN parent;
END
$function$;
COMMENT ON FUNCTION fhir.lastn_groups(text[]) IS
    'from sets of keys, each a JSON array, which keys belong to the group of another one because a concept has both: transitive';

CREATE FUNCTION fhir.lastn_search(search text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    names text[];
BEGIN
    search := regexp_replace(coalesce(search, ''), '^/?(Observation)?(/\$lastn)?\??', '');
    names := ARRAY(SELECT split_part(split_part(split_part(p, '=', 1), ':', 1), '.', 1) FROM unnest(string_to_array(search, '&')) p);
    IF NOT names && ARRAY['patient', 'subject'] THEN
        RAISE EXCEPTION 'the search names no subject' USING ERRCODE = '22023', HINT = 'Give patient=… or subject=….';
    END IF;
    -- code, combo-code, component-code, code-value-concept …
    IF NOT EXISTS (SELECT FROM unnest(names) n WHERE n = 'category' OR n ~ '(^|-)code(-|$)') THEN
        RAISE EXCEPTION 'the search names neither a category nor a code' USING ERRCODE = '22023', HINT = 'Give category=… or code=….';
    END IF;
    RETURN 'Observation?' || search;
END
$function$;
COMMENT ON FUNCTION fhir.lastn_search(text) IS
    'the search of $lastn; raises 22023 where it has no patient or subject, or neither category nor code';

CREATE FUNCTION fhir.lastn_rows(search text, max integer DEFAULT 1)
    RETURNS TABLE ("group" integer, effective timestamptz, id text, version bigint, last_updated timestamptz, resource jsonb)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000 ROWS 50
    -- the statement of a search is written for people, without qualified operators
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    most CONSTANT integer := 100000;
    statement text := fhir.search_rows_sql(fhir.lastn_search(search));
    ids text[];
    starts timestamptz[];
    written timestamptz[];
    keys text[];
    parent jsonb;
BEGIN
    IF max IS NULL OR max OPERATOR(pg_catalog.<) 1 THEN
        RAISE EXCEPTION 'max is not a positive number' USING ERRCODE = '22023', HINT = 'It is how many observations of each code are wanted.';
    END IF;
    EXECUTE pg_catalog.format($q$
        SELECT pg_catalog.array_agg(f.id), pg_catalog.array_agg(f.starts), pg_catalog.array_agg(f.last_updated), pg_catalog.array_agg(f.keys)
        FROM (
            SELECT r.id, fhir.occurred(r.resource) AS starts, r.last_updated,
                pg_catalog.to_jsonb(fhir.lastn_keys(r.resource OPERATOR(pg_catalog.->) 'code'))::text AS keys
            FROM (%s) r LIMIT %s
        ) f$q$, statement, most OPERATOR(pg_catalog.+) 1) INTO ids, starts, written, keys;
    IF pg_catalog.cardinality(ids) OPERATOR(pg_catalog.>) most THEN
        RAISE EXCEPTION 'the search finds more than % observations', most USING ERRCODE = '54000', HINT = 'Narrow it, by date for example.';
    END IF;
    parent := fhir.lastn_groups(ARRAY(SELECT DISTINCT k FROM pg_catalog.unnest(keys) k));
    RETURN QUERY EXECUTE pg_catalog.format($q$
        WITH found AS (
            SELECT f.id, f.starts, f.written, coalesce($5 OPERATOR(pg_catalog.->>) k.key, k.key) AS root
            FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) f (id, starts, written, keys)
            CROSS JOIN LATERAL (SELECT f.keys::pg_catalog.jsonb OPERATOR(pg_catalog.->>) 0 AS key) k
        ), ranked AS (
            -- equal times are a tie; of what has no time the last written comes first
            SELECT f.*, pg_catalog.rank() OVER (PARTITION BY f.root ORDER BY f.starts DESC,
                    CASE WHEN f.starts OPERATOR(pg_catalog.=) '-infinity' THEN f.written END DESC,
                    CASE WHEN f.starts OPERATOR(pg_catalog.=) '-infinity' THEN f.id END) AS nth,
                pg_catalog.max(f.starts) OVER (PARTITION BY f.root) AS newest
            FROM found f
        ), numbered AS (
            SELECT r.*, pg_catalog.dense_rank() OVER (ORDER BY r.newest DESC, r.root)::integer AS number FROM ranked r
            WHERE r.nth OPERATOR(pg_catalog.<=) $6
        )
        SELECT n.number, n.starts, o.id, o.version, o.last_updated, o.resource
        FROM numbered n JOIN %s o ON o.id OPERATOR(pg_catalog.=) n.id
        ORDER BY n.number, n.nth, o.id$q$, fhir.table_of('Observation')) USING ids, starts, written, keys, parent, max;
END
$function$;
COMMENT ON FUNCTION fhir.lastn_rows(text, integer) IS
    'what fhir.lastn gives, as rows: the group with the newest first, in it the newest first. effective: where the clinical time begins, -infinity if it does not say';

CREATE FUNCTION fhir.lastn(search text, max integer DEFAULT 1) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000
    AS $function$
DECLARE
    entries jsonb;
    link jsonb := pg_catalog.jsonb_build_object('relation', 'self', 'url', pg_catalog.concat('Observation/$lastn?max=', max, '&',
        pg_catalog.substr(fhir.lastn_search(search), 13)));
BEGIN
    entries := (
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('resource', r.resource, 'search', '{"mode": "match"}'::pg_catalog.jsonb) ORDER BY r.nth)
        FROM fhir.lastn_rows(search, max) WITH ORDINALITY r ("group", effective, id, version, last_updated, resource, nth));
    RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('resourceType', 'Bundle', 'type', 'searchset',
        'total', coalesce(pg_catalog.jsonb_array_length(entries), 0), 'link', pg_catalog.jsonb_build_array(link)))
        OPERATOR(pg_catalog.||) CASE WHEN entries IS NULL THEN '{}' ELSE pg_catalog.jsonb_build_object('entry', entries) END;
END
$function$;
COMMENT ON FUNCTION fhir.lastn(text, integer) IS
    'Observation/$lastn as a Bundle: of what a search finds, the last max of each code, more where the last of them have the same time. The search names a patient or subject, and a category or code: patient=p1&category=vital-signs';

CREATE FUNCTION fhir.graph_members(focus text, graph text, most integer) RETURNS TABLE (type text, id text)
    LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED COST 100000 ROWS 20
    AS $function$
#variable_conflict use_variable
DECLARE
    lake text := pg_catalog.quote_ident(fhir.current_lake());
    home text;
    definition jsonb;
    -- resources whose links are still to be followed
    names text[] := ARRAY[focus];
    links jsonb[];
    seen jsonb := '{}';
    at integer := 1;
    resource jsonb;
    link jsonb;
    target jsonb;
    rule jsonb;
    name text;
    path text;
    targets text[];
    count integer := 0;
    holds boolean;
    followed integer;
BEGIN
    EXECUTE pg_catalog.format($q$
        SELECT g.resource FROM %s.graphdefinition g
        WHERE g.resource OPERATOR(pg_catalog.->>) 'url' OPERATOR(pg_catalog.=) pg_catalog.split_part($1, '|', 1)
            AND ($1 OPERATOR(pg_catalog.!~~) '%%|%%' OR g.resource OPERATOR(pg_catalog.->>) 'version' OPERATOR(pg_catalog.=) pg_catalog.split_part($1, '|', 2))
        ORDER BY g.last_updated DESC LIMIT 1$q$, lake) INTO definition USING graph;
    IF definition IS NULL THEN
        RAISE EXCEPTION 'there is no GraphDefinition with that address' USING ERRCODE = 'FH404', HINT = 'It is stored in the lake and named by its url, or url|version.';
    END IF;
    IF definition OPERATOR(pg_catalog.->>) 'start' OPERATOR(pg_catalog.<>) pg_catalog.split_part(focus, '/', 1) THEN
        RAISE EXCEPTION 'the GraphDefinition does not start at a %', pg_catalog.split_part(focus, '/', 1) USING ERRCODE = '22023';
    END IF;
    EXECUTE pg_catalog.format('SELECT r.compartment FROM %s.resource r WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2', lake)
        INTO home USING pg_catalog.split_part(focus, '/', 1), pg_catalog.split_part(focus, '/', 2);
    links := ARRAY[coalesce(definition OPERATOR(pg_catalog.->) 'link', '[]')];
    WHILE at OPERATOR(pg_catalog.<=) pg_catalog.cardinality(names) LOOP
        EXECUTE pg_catalog.format('SELECT r.resource FROM %s.resource r WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2', lake)
            INTO resource USING pg_catalog.split_part(names[at], '/', 1), pg_catalog.split_part(names[at], '/', 2);
        FOR link IN SELECT l FROM pg_catalog.jsonb_array_elements(links[at]) l LOOP
            path := link OPERATOR(pg_catalog.->>) 'path';
            followed := 0;
            FOR target IN SELECT t FROM pg_catalog.jsonb_array_elements(coalesce(link OPERATOR(pg_catalog.->) 'target', '[{"type": "Resource"}]')) t LOOP
                IF path IS NOT NULL THEN
                    targets := ARRAY(SELECT r.type OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) r.id FROM fhir.references(resource, path) r
                        WHERE target OPERATOR(pg_catalog.->>) 'type' OPERATOR(pg_catalog.=) ANY (ARRAY['Resource', 'DomainResource', r.type]));
                ELSIF target OPERATOR(pg_catalog.->>) 'params' OPERATOR(pg_catalog.~~) '%{ref}%' THEN
                    targets := ARRAY(SELECT r.type OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) r.id
                        FROM fhir.search_rows(pg_catalog.concat(target OPERATOR(pg_catalog.->>) 'type', '?',
                            pg_catalog.replace(target OPERATOR(pg_catalog.->>) 'params', '{ref}', names[at]))) r
                        ORDER BY r.type, r.id LIMIT most OPERATOR(pg_catalog.+) 1);
                ELSE
                    RAISE EXCEPTION 'a link of the GraphDefinition has neither a path nor parameters with {ref}' USING ERRCODE = '22023';
                END IF;
                FOREACH name IN ARRAY targets LOOP
                    holds := true;
                    FOR rule IN SELECT c FROM pg_catalog.jsonb_array_elements(coalesce(target OPERATOR(pg_catalog.->) 'compartment', '[]')) c LOOP
                        IF rule OPERATOR(pg_catalog.->>) 'code' OPERATOR(pg_catalog.<>) 'Patient' OR rule OPERATOR(pg_catalog.->>) 'rule' OPERATOR(pg_catalog.=) 'custom' THEN
                            RAISE EXCEPTION 'rules of a GraphDefinition other than of the Patient compartment are not supported' USING ERRCODE = '0A000';
                        END IF;
                        EXECUTE pg_catalog.format($q$
                            SELECT r.search OPERATOR(fhir.|=) fhir.query('_compartment=' OPERATOR(pg_catalog.||) $3) FROM %s.resource r
                            WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2 AND $3 OPERATOR(pg_catalog.~~) 'Patient/%%'$q$, lake)
                            INTO holds USING pg_catalog.split_part(name, '/', 1), pg_catalog.split_part(name, '/', 2), home;
                        holds := coalesce(holds, false) OPERATOR(pg_catalog.<>) (rule OPERATOR(pg_catalog.->>) 'rule' OPERATOR(pg_catalog.=) 'different');
                        IF NOT holds AND rule OPERATOR(pg_catalog.->>) 'use' OPERATOR(pg_catalog.=) 'requirement' THEN
                            RAISE EXCEPTION '% is not in the compartment that the GraphDefinition requires', name USING ERRCODE = 'FH422';
                        END IF;
                        EXIT WHEN NOT holds;
                    END LOOP;
                    CONTINUE WHEN NOT holds;
                    followed := followed OPERATOR(pg_catalog.+) 1;
                    IF NOT seen OPERATOR(pg_catalog.?) name AND name OPERATOR(pg_catalog.<>) focus THEN
                        type := pg_catalog.split_part(name, '/', 1);
                        id := pg_catalog.split_part(name, '/', 2);
                        RETURN NEXT;
                        seen := seen OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object(name, true);
                        count := count OPERATOR(pg_catalog.+) 1;
                    END IF;
                    IF target OPERATOR(pg_catalog.?) 'link' THEN
                        names := names OPERATOR(pg_catalog.||) name;
                        links := links OPERATOR(pg_catalog.||) (target OPERATOR(pg_catalog.->) 'link');
                    END IF;
                    IF pg_catalog.cardinality(names) OPERATOR(pg_catalog.>) most OR count OPERATOR(pg_catalog.>) most THEN
                        RAISE EXCEPTION 'the GraphDefinition leads to more than % resources', most USING ERRCODE = '54000';
                    END IF;
                END LOOP;
            END LOOP;
            IF followed OPERATOR(pg_catalog.<) coalesce((link OPERATOR(pg_catalog.->>) 'min')::integer, 0)
                OR link OPERATOR(pg_catalog.->>) 'max' OPERATOR(pg_catalog.<>) '*' AND followed OPERATOR(pg_catalog.>) (link OPERATOR(pg_catalog.->>) 'max')::integer THEN
                RAISE EXCEPTION '% has % of what the GraphDefinition wants % to % of', names[at], followed,
                        coalesce(link OPERATOR(pg_catalog.->>) 'min', '0'), coalesce(link OPERATOR(pg_catalog.->>) 'max', '*')
                    USING ERRCODE = 'FH422', DETAIL = pg_catalog.concat('the link ', coalesce(path, link OPERATOR(pg_catalog.->>) 'description'));
            END IF;
        END LOOP;
        at := at OPERATOR(pg_catalog.+) 1;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.graph_members(text, text, integer) IS
    'the resources that a stored GraphDefinition, named by url or url|version, adds to the one that it starts at, given as Type/id. Raises FH404 if there is none, FH422 where a link has fewer or more than it must or a required compartment differs, 54000 beyond so many';

CREATE FUNCTION fhir.document(id text, persist boolean DEFAULT false, base text DEFAULT '', graph text DEFAULT NULL) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
    AS $function$
DECLARE
    most CONSTANT integer := 10000;
    composition jsonb;
    types text[];
    ids text[];
    missing text[];
    entries jsonb;
    document jsonb;
    prefix text := CASE WHEN coalesce(base, '') OPERATOR(pg_catalog.=) '' THEN '' ELSE pg_catalog.rtrim(base, '/') OPERATOR(pg_catalog.||) '/' END;
BEGIN
    IF id IS NULL THEN
        RAISE EXCEPTION 'no Composition is named' USING ERRCODE = '22023', HINT = 'Give its id.';
    END IF;
    composition := fhir.read('Composition', id);
    SELECT pg_catalog.array_agg(r.type ORDER BY r.n), pg_catalog.array_agg(r.id ORDER BY r.n) INTO types, ids
        FROM fhir.references(composition) WITH ORDINALITY r (type, id, n)
        WHERE NOT (r.type OPERATOR(pg_catalog.=) 'Composition' AND r.id OPERATOR(pg_catalog.=) document.id);
    IF graph IS NOT NULL THEN
        SELECT types OPERATOR(pg_catalog.||) pg_catalog.array_agg(g.type), ids OPERATOR(pg_catalog.||) pg_catalog.array_agg(g.id) INTO types, ids
            FROM fhir.graph_members('Composition/' OPERATOR(pg_catalog.||) document.id, graph, most) g
            WHERE NOT EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest(types), pg_catalog.unnest(ids)) k (type, id)
                    WHERE k.type OPERATOR(pg_catalog.=) g.type AND k.id OPERATOR(pg_catalog.=) g.id);
    END IF;
    IF pg_catalog.cardinality(ids) OPERATOR(pg_catalog.>) most THEN
        RAISE EXCEPTION 'the Composition references more than % resources', most USING ERRCODE = '54000';
    END IF;
    EXECUTE pg_catalog.format($q$
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('fullUrl', pg_catalog.concat($3, w.type, '/', w.id), 'resource', s.resource) ORDER BY w.n),
            pg_catalog.array_agg(pg_catalog.concat(w.type, '/', w.id) ORDER BY w.n) FILTER (WHERE s.resource IS NULL)
        FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) WITH ORDINALITY w (type, id, n)
        LEFT JOIN LATERAL (SELECT r.resource FROM %I.resource r
            WHERE r.type OPERATOR(pg_catalog.=) w.type AND r.id OPERATOR(pg_catalog.=) w.id) s ON true$q$, fhir.current_lake())
        INTO entries, missing USING types, ids, prefix;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'the Composition references % that % not there', pg_catalog.array_to_string(missing[1:10], ', '),
                CASE WHEN pg_catalog.cardinality(missing) OPERATOR(pg_catalog.=) 1 THEN 'is' ELSE 'are' END
            USING ERRCODE = 'FH404', HINT = 'A document holds all that its Composition references: store it, or take the reference away.';
    END IF;
    document := pg_catalog.jsonb_build_object(
        'resourceType', 'Bundle',
        'type', 'document',
        'identifier', pg_catalog.jsonb_build_object('system', 'urn:ietf:rfc:3986', 'value', 'urn:uuid:' OPERATOR(pg_catalog.||) pg_catalog.gen_random_uuid()::text),
        'timestamp', pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'entry', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('fullUrl', pg_catalog.concat(prefix, 'Composition/', id), 'resource', composition))
            OPERATOR(pg_catalog.||) coalesce(entries, '[]'));
    IF persist THEN
        document := fhir.create(document);
    END IF;
    RETURN document;
END
$function$;
COMMENT ON FUNCTION fhir.document(text, boolean, text, text) IS
    'Composition/$document: the Composition and every resource that it references, as a Bundle of type document. persist: stores it, under the id that it then has. base: what stands before the addresses. graph: the canonical address of a GraphDefinition that tells what else it holds. Raises FH404 if one of them is not there; references to other servers stay references';

-- match.sql

CREATE FUNCTION fhir.match_texts(patient jsonb, path jsonpath, words boolean) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 500
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    texts text[];
BEGIN
    texts := ARRAY(SELECT lower(left(v #>> '{}', 100)) FROM jsonb_path_query(patient, path) v WHERE jsonb_typeof(v) = 'string' LIMIT 10);
    IF getdatabaseencoding() = 'UTF8' THEN
        -- accents apart from their letters, and gone
        texts := ARRAY(SELECT regexp_replace(normalize(t, NFKD), '[\u0300-\u036f]', '', 'g') FROM unnest(texts) t);
    END IF;
    IF words THEN
        texts := ARRAY(SELECT w FROM unnest(texts) t, regexp_split_to_table(t, '[\s\-]+') w LIMIT 20);
    END IF;
    RETURN ARRAY(SELECT DISTINCT left(regexp_replace(t, '[^[:alnum:]@]', '', 'g'), 40) FROM unnest(texts) t WHERE t ~ '[[:alnum:]]');
END
$function$;
COMMENT ON FUNCTION fhir.match_texts(jsonb, jsonpath, boolean) IS
    'the texts at a path as $match compares them: without case, accents and punctuation; with words, each word apart';

CREATE FUNCTION fhir.match_similarity(a text, b text) RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 2000
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    x text[] := string_to_array(left(a, 40), NULL);
    y text[] := string_to_array(left(b, 40), NULL);
    n integer := cardinality(x);
    m integer := cardinality(y);
    reach integer := greatest(greatest(n, m) / 2 - 1, 0);
    used boolean[];
    hits text[] := '{}';
    others text[] := '{}';
    swapped integer := 0;
    common integer;
    prefix integer := 0;
    jaro double precision;
BEGIN
    IF a = b THEN
        RETURN 1;
    ELSIF n = 0 OR m = 0 THEN
        RETURN 0;
    END IF;
    used := array_fill(false, ARRAY[m]);
    FOR i IN 1 .. n LOOP
        FOR j IN greatest(1, i - reach) .. least(m, i + reach) LOOP
            IF NOT used[j] AND x[i] = y[j] THEN
                used[j] := true;
                hits := hits || x[i];
                EXIT;
            END IF;
        END LOOP;
    END LOOP;
    common := cardinality(hits);
    IF common = 0 THEN
        RETURN 0;
    END IF;
    FOR j IN 1 .. m LOOP
        IF used[j] THEN
            others := others || y[j];
        END IF;
    END LOOP;
    FOR i IN 1 .. common LOOP
        swapped := swapped + (hits[i] <> others[i])::integer;
    END LOOP;
    jaro := (common::double precision / n + common::double precision / m + (common - swapped / 2.0) / common) / 3;
    WHILE prefix < least(4, n, m) AND x[prefix + 1] = y[prefix + 1] LOOP
        prefix := prefix + 1;
    END LOOP;
    jaro := jaro + prefix * 0.1 * (1 - jaro);
    -- words that have nothing to do with each other share letters too
    RETURN greatest(0, (jaro - 0.7) / 0.3);
END
$function$;
COMMENT ON FUNCTION fhir.match_similarity(text, text) IS
    'how alike two words are: 1 the same, 0 for a Jaro-Winkler similarity of 0.7 or less, linear between';

CREATE FUNCTION fhir.match_best(a text[], b text[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5000
    RETURN (
        SELECT pg_catalog.max(CASE
            -- an initial
            WHEN pg_catalog.length(x) = 1 AND x <> y AND pg_catalog.starts_with(y, x)
                OR pg_catalog.length(y) = 1 AND x <> y AND pg_catalog.starts_with(x, y) THEN 0.7
            ELSE fhir.match_similarity(x, y) END)
        FROM pg_catalog.unnest(a) x, pg_catalog.unnest(b) y);
COMMENT ON FUNCTION fhir.match_best(text[], text[]) IS 'the similarity of the most similar two; NULL where one has none';

CREATE FUNCTION fhir.match_date(a text, b text) RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 200
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    x text[];
    y text[];
    differing integer;
BEGIN
    IF a !~ '^\d{4}(-\d\d(-\d\d)?)?$' OR b !~ '^\d{4}(-\d\d(-\d\d)?)?$' THEN
        RETURN NULL;
    ELSIF a = b THEN
        RETURN CASE length(a) WHEN 10 THEN 1 WHEN 7 THEN 0.75 ELSE 0.5 END;
    ELSIF starts_with(a, b) OR starts_with(b, a) THEN
        -- as exact as the less exact one
        RETURN CASE least(length(a), length(b)) WHEN 7 THEN 0.75 ELSE 0.5 END;
    ELSIF length(a) < 10 OR length(b) < 10 THEN
        RETURN 0;
    END IF;
    x := string_to_array(a, '-');
    y := string_to_array(b, '-');
    IF x[1] = y[1] AND x[2] = y[3] AND x[3] = y[2] THEN
        RETURN 0.85;
    END IF;
    SELECT count(*) INTO differing FROM generate_series(1, 10) i WHERE substr(a, i, 1) <> substr(b, i, 1);
    RETURN CASE
        WHEN differing = 1 THEN 0.8
        WHEN x[1] = y[1] AND (x[2] = y[2] OR x[3] = y[3]) THEN 0.6
        WHEN x[2] = y[2] AND x[3] = y[3] THEN 0.6
        ELSE 0 END;
END
$function$;
COMMENT ON FUNCTION fhir.match_date(text, text) IS
    'how alike two dates of birth are: 1 the same day; 0.85 day and month swapped; 0.8 one digit differs; 0.75 the same month where no day is known; 0.6 two of year, month and day the same; 0.5 the same year where no more is known; else 0';

CREATE FUNCTION fhir.match_score(a jsonb, b jsonb,
        OUT score numeric, OUT grade text, OUT identifier double precision, OUT family double precision, OUT given double precision,
        OUT birthdate double precision, OUT gender double precision, OUT telecom double precision, OUT address double precision)
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 50000
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    families text[] := fhir.match_texts(a, 'lax $.name[*].family', false);
    families_b text[] := fhir.match_texts(b, 'lax $.name[*].family', false);
    givens text[] := fhir.match_texts(a, 'lax $.name[*].given[*]', true);
    givens_b text[] := fhir.match_texts(b, 'lax $.name[*].given[*]', true);
    crossed double precision;
    weight double precision;
    total double precision;
BEGIN
    -- 1: one is the same; 0: both have one of the same system, and none is the same
    SELECT max((x ->> 'value' = y ->> 'value')::integer) INTO identifier
        FROM jsonb_path_query(a, 'lax $.identifier[*] ? (exists(@.value))') x, jsonb_path_query(b, 'lax $.identifier[*] ? (exists(@.value))') y
        WHERE x ->> 'system' = y ->> 'system';
    family := fhir.match_best(families, families_b);
    given := fhir.match_best(givens, givens_b);
    -- a given name in the place of the family name
    crossed := 0.85 * least(fhir.match_best(families, givens_b), fhir.match_best(givens, families_b));
    IF family IS NOT NULL AND given IS NOT NULL AND crossed > (family + given) / 2 THEN
        family := crossed;
        given := crossed;
    END IF;
    birthdate := fhir.match_date(a ->> 'birthDate', b ->> 'birthDate');
    gender := CASE WHEN a ->> 'gender' IN ('male', 'female') AND b ->> 'gender' IN ('male', 'female')
        THEN (a ->> 'gender' = b ->> 'gender')::integer END;
    SELECT max((x.v = y.v OR length(x.v) >= 7 AND length(y.v) >= 7 AND x.v !~ '@' AND y.v !~ '@'
            AND right(x.v, 10) = right(y.v, 10))::integer) INTO telecom
        FROM unnest(fhir.match_texts(a, 'lax $.telecom[*].value', false)) x (v), unnest(fhir.match_texts(b, 'lax $.telecom[*].value', false)) y (v)
        WHERE (x.v ~ '@') = (y.v ~ '@');
    -- the mean of the parts that both have
    SELECT avg(p) INTO address FROM unnest(ARRAY[
        fhir.match_best(fhir.match_texts(a, 'lax $.address[*].line[*]', false), fhir.match_texts(b, 'lax $.address[*].line[*]', false)),
        fhir.match_best(fhir.match_texts(a, 'lax $.address[*].city', false), fhir.match_texts(b, 'lax $.address[*].city', false)),
        fhir.match_best(fhir.match_texts(a, 'lax $.address[*].postalCode', false), fhir.match_texts(b, 'lax $.address[*].postalCode', false))]) p;

    -- What differs weighs less in an identifier than what is the same: a system may have several for one person.
    SELECT coalesce(sum(w * s), 0), coalesce(sum(w), 0) INTO total, weight
        FROM unnest(ARRAY[CASE identifier WHEN 1 THEN 10 ELSE 2 END, 3, 2.5, 4, 0.5, 1.5, 1.5],
                    ARRAY[identifier, family, given, birthdate, gender, telecom, address]) c (w, s)
        WHERE s IS NOT NULL;
    -- who tells less than a name and a date of birth weigh is not certain of anybody
    score := round((total / greatest(weight, 9.5))::numeric, 4);
    grade := CASE
        WHEN score >= 0.93 AND (identifier = 1 OR identifier IS NULL AND birthdate = 1 AND family >= 0.9 AND given >= 0.7) THEN 'certain'
        WHEN score >= 0.75 THEN 'probable'
        WHEN score >= 0.45 THEN 'possible'
        ELSE 'certainly-not' END;
END
$function$;
COMMENT ON FUNCTION fhir.match_score(jsonb, jsonb) IS
    'how likely two Patient resources are the same person: the weighted mean of what both say (identifier 10, or 2 where it differs; birthdate 4, family 3, given 2.5, telecom 1.5, address 1.5, gender 0.5; at least 9.5 in all), each 0 to 1 and NULL if not compared. certain: from 0.93, with a common identifier, or name and date of birth and no identifier that differs; probable from 0.75, possible from 0.45';

CREATE FUNCTION fhir.match_value(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 50
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    value := regexp_replace(left(value, 200), '([\\,$|])', '\\\1', 'g');
    value := replace(replace(replace(value, '%', '%25'), '&', '%26'), '#', '%23');
    RETURN replace(replace(replace(replace(value, '+', '%2B'), ';', '%3B'), '=', '%3D'), ' ', '%20');
END
$function$;
COMMENT ON FUNCTION fhir.match_value(text) IS 'a text as a value in a search, escaped';

CREATE FUNCTION fhir.match_searches(resource jsonb) RETURNS SETOF text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    families text[] := ARRAY(SELECT DISTINCT fhir.match_value(v #>> '{}')
        FROM jsonb_path_query(resource, 'lax $.name[0 to 4].family') v WHERE jsonb_typeof(v) = 'string' AND v #>> '{}' ~ '[[:alnum:]]' LIMIT 3);
    givens text[] := ARRAY(SELECT DISTINCT fhir.match_value(split_part(v #>> '{}', ' ', 1))
        FROM jsonb_path_query(resource, 'lax $.name[0 to 4].given[0]') v WHERE jsonb_typeof(v) = 'string' AND split_part(v #>> '{}', ' ', 1) ~ '[[:alnum:]]{2}' LIMIT 3);
    -- a name of several words by its longest
    sounds text[];
    family_sounds text[] := ARRAY(SELECT DISTINCT (SELECT fhir.match_value(w) FROM regexp_split_to_table(left(v #>> '{}', 100), '[\s\-]+') w WHERE w ~ '[[:alnum:]]' ORDER BY length(w) DESC, w LIMIT 1)
        FROM jsonb_path_query(resource, 'lax $.name[0 to 4].family') v WHERE jsonb_typeof(v) = 'string' AND v #>> '{}' ~ '[[:alnum:]]' LIMIT 3);
    given_sounds text[] := ARRAY(SELECT DISTINCT (SELECT fhir.match_value(w) FROM regexp_split_to_table(left(v #>> '{}', 100), '[\s\-]+') w WHERE w ~ '[[:alnum:]]' ORDER BY length(w) DESC, w LIMIT 1)
        FROM jsonb_path_query(resource, 'lax $.name[0 to 4].given[0]') v WHERE jsonb_typeof(v) = 'string' AND v #>> '{}' ~ '[[:alnum:]]{2}' LIMIT 3);
    postcodes text[] := ARRAY(SELECT DISTINCT fhir.match_value(v #>> '{}')
        FROM jsonb_path_query(resource, 'lax $.address[0 to 4].postalCode') v WHERE jsonb_typeof(v) = 'string' AND v #>> '{}' ~ '[[:alnum:]]' LIMIT 2);
    born text := substring(resource ->> 'birthDate' FROM '^\d{4}(?:-\d\d(?:-\d\d)?)?$');
    days text[] := '{}';
    swapped text;
BEGIN
    BEGIN
        -- a 30th of February is no date to search by
        IF make_date(substr(born, 1, 4)::integer, coalesce(nullif(substr(born, 6, 2), ''), '1')::integer,
                coalesce(nullif(substr(born, 9, 2), ''), '1')::integer) IS NULL THEN
            born := NULL;
        END IF;
    EXCEPTION WHEN datetime_field_overflow THEN
        born := NULL;
    END;
    IF born IS NOT NULL THEN
        days := ARRAY[born];
        swapped := substr(born, 1, 4) || '-' || substr(born, 9, 2) || '-' || substr(born, 6, 2);
        IF length(born) = 10 AND swapped <> born AND substr(born, 9, 2) <= '12' THEN
            days := days || swapped;
        END IF;
    END IF;
    sounds := family_sounds || given_sounds;
    RETURN QUERY
    SELECT DISTINCT 'identifier=' || CASE WHEN jsonb_typeof(i -> 'system') = 'string' THEN fhir.match_value(i ->> 'system') || '|' ELSE '' END || fhir.match_value(i ->> 'value')
        FROM jsonb_path_query(resource, 'lax $.identifier[0 to 9]') i WHERE jsonb_typeof(i -> 'value') = 'string' AND i ->> 'value' <> ''
    UNION ALL
    SELECT DISTINCT 'telecom=' || fhir.match_value(t #>> '{}')
        FROM jsonb_path_query(resource, 'lax $.telecom[0 to 4].value') t WHERE jsonb_typeof(t) = 'string' AND t #>> '{}' <> ''
    UNION ALL
    SELECT 'birthdate=' || d || '&phonetic=' || n FROM unnest(days) d, unnest(sounds) n
    UNION ALL
    -- both names misspelt
    SELECT 'birthdate=' || born || CASE WHEN resource ->> 'gender' IN ('male', 'female') THEN '&gender=' || (resource ->> 'gender') ELSE '' END WHERE length(born) = 10
    UNION ALL
    SELECT 'family=' || f || '&given=' || g FROM unnest(families) f, unnest(givens) g
    UNION ALL
    SELECT 'phonetic=' || f || '&phonetic=' || g || coalesce('&birthdate=' || substr(born, 1, 4), '') FROM unnest(family_sounds) f, unnest(given_sounds) g
    UNION ALL
    SELECT 'phonetic=' || f || '&phonetic=' || g FROM unnest(family_sounds) f, unnest(given_sounds) g WHERE born IS NOT NULL
    UNION ALL
    SELECT 'address-postalcode=' || p || '&birthdate=' || d FROM unnest(postcodes) p, unnest(days) d
    UNION ALL
    SELECT 'address-postalcode=' || p || '&phonetic=' || n FROM unnest(postcodes) p, unnest(sounds) n;
END
$function$;
COMMENT ON FUNCTION fhir.match_searches(jsonb) IS
    'the searches that find the candidates of $match: by identifier, telecom, sound of a name and date of birth (also with day and month swapped), date of birth, family and given name (as written, or as they sound), postal code and date of birth or sound of a name';

CREATE FUNCTION fhir.match_rows(resource jsonb, count integer DEFAULT 10)
    RETURNS TABLE (id text, score numeric, grade text, identifier double precision, family double precision, given double precision,
        birthdate double precision, gender double precision, telecom double precision, address double precision, candidate jsonb)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
    -- a lake may be large, and the candidates are few
    SET enable_seqscan = off
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    statement text;
BEGIN
    IF resource IS NULL OR coalesce(resource OPERATOR(pg_catalog.->>) 'resourceType', '') OPERATOR(pg_catalog.<>) 'Patient' THEN
        RAISE EXCEPTION 'no Patient came along to match' USING ERRCODE = '22023', HINT = 'It has what is known of the person, and need not be complete.';
    ELSIF count IS NULL OR count OPERATOR(pg_catalog.<) 1 OR count OPERATOR(pg_catalog.>) 1000 THEN
        RAISE EXCEPTION 'count is not from 1 to 1000' USING ERRCODE = '22023', HINT = 'It is how many matches are wanted at most.';
    END IF;
    statement := (SELECT pg_catalog.string_agg(pg_catalog.format('(SELECT q.id, q.resource FROM (%s) q LIMIT 100)',
        fhir.search_rows_sql('Patient?' OPERATOR(pg_catalog.||) s)), ' UNION ALL ') FROM fhir.match_searches(resource) s);
    IF statement IS NULL THEN
        RAISE EXCEPTION 'the Patient says too little to match by' USING ERRCODE = '22023',
            HINT = 'It takes an identifier, a telecom, a whole birthDate, or two of family name, given name, birthDate and postal code.';
    END IF;
    RETURN QUERY EXECUTE pg_catalog.format($q$
        SELECT c.id, m.score, m.grade, m.identifier, m.family, m.given, m.birthdate, m.gender, m.telecom, m.address, c.resource
        FROM (SELECT DISTINCT ON (u.id) u.id, u.resource FROM (%s) u ORDER BY u.id) c
        CROSS JOIN LATERAL fhir.match_score($1, c.resource) m
        ORDER BY m.score DESC, c.id LIMIT $2$q$, statement) USING resource, count;
END
$function$;
COMMENT ON FUNCTION fhir.match_rows(jsonb, integer) IS
    'the patients that a Patient resource may be, the most likely first, and how alike they are in each of what fhir.match_score compares. Of each of the searches that fhir.match_searches lists the first 100 are compared, found by the index';

CREATE FUNCTION fhir.match(parameters jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000
    AS $function$
DECLARE
    wanted jsonb := parameters;
    is_certain boolean := false;
    most integer := 10;
    parts jsonb := CASE WHEN pg_catalog.jsonb_typeof(parameters OPERATOR(pg_catalog.->) 'parameter') OPERATOR(pg_catalog.=) 'array'
        THEN parameters OPERATOR(pg_catalog.->) 'parameter' ELSE '[]' END;
    entries jsonb;
    certain integer;
    advice jsonb;
BEGIN
    IF parameters OPERATOR(pg_catalog.->>) 'resourceType' OPERATOR(pg_catalog.=) 'Parameters' THEN
        wanted := pg_catalog.jsonb_path_query_first(parts, 'lax $[*] ? (@.name == "resource").resource');
        is_certain := coalesce(pg_catalog.jsonb_path_query_first(parts, 'lax $[*] ? (@.name == "onlyCertainMatches").valueBoolean') OPERATOR(pg_catalog.=) 'true', false);
        most := coalesce((pg_catalog.jsonb_path_query_first(parts, 'lax $[*] ? (@.name == "count").valueInteger') OPERATOR(pg_catalog.#>>) '{}')::integer, 10);
    END IF;
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('resource', m.candidate, 'search', pg_catalog.jsonb_build_object(
                'extension', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
                    'url', 'http://hl7.org/fhir/StructureDefinition/match-grade', 'valueCode', m.grade)),
                'mode', 'match', 'score', m.score)) ORDER BY m.score DESC, m.id)
            FILTER (WHERE m.grade OPERATOR(pg_catalog.=) 'certain' OR NOT is_certain AND m.grade OPERATOR(pg_catalog.<>) 'certainly-not'),
            pg_catalog.count(*) FILTER (WHERE m.grade OPERATOR(pg_catalog.=) 'certain')
        INTO entries, certain
        FROM fhir.match_rows(wanted, CASE WHEN is_certain THEN 100 ELSE most END) m;
    IF is_certain AND certain OPERATOR(pg_catalog.>) 1 THEN
        entries := NULL;
        advice := pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('search', '{"mode": "outcome"}'::pg_catalog.jsonb, 'resource',
            pg_catalog.jsonb_build_object('resourceType', 'OperationOutcome', 'issue', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
                'severity', 'warning', 'code', 'multiple-matches', 'diagnostics', pg_catalog.concat(certain, ' patients match with certainty, so none is returned'))))));
    END IF;
    RETURN pg_catalog.jsonb_build_object('resourceType', 'Bundle', 'type', 'searchset', 'total', coalesce(pg_catalog.jsonb_array_length(entries), 0))
        OPERATOR(pg_catalog.||) CASE WHEN coalesce(entries, advice) IS NULL THEN '{}' ELSE pg_catalog.jsonb_build_object('entry', coalesce(entries, advice)) END;
END
$function$;
COMMENT ON FUNCTION fhir.match(jsonb) IS
    'Patient/$match: the patients that a Patient resource may be, as a Bundle with scores and grades, the most likely first. Takes the Patient, or Parameters with resource, count and onlyCertainMatches: of these the one patient that is certain, none where several are';

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

-- Lakes: making them, and the triggers that stamp and keep.
-- A lake's tables belong to the user who makes it; nothing here runs with other rights than the caller's, except that the
-- triggers write history and membership as the owner of the table that fired.

-- Triggers ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.stamp() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_stamp';
COMMENT ON FUNCTION fhir.stamp() IS
    'BEFORE INSERT OR UPDATE trigger of a lake: validates the resource and computes every other column from it';

CREATE FUNCTION fhir.keep() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_keep';
COMMENT ON FUNCTION fhir.keep() IS
    'AFTER INSERT OR UPDATE OR DELETE trigger of a lake: writes history and membership as the owner of the table';

CREATE FUNCTION fhir.refuse_truncate() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_refuse_truncate';
COMMENT ON FUNCTION fhir.refuse_truncate() IS 'BEFORE TRUNCATE trigger of a lake: refuses, because no history would be left';

CREATE FUNCTION fhir.same_resource(jsonb, jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 10 AS 'MODULE_PATHNAME', 'fhir_same_resource';
COMMENT ON FUNCTION fhir.same_resource(jsonb, jsonb) IS
    'whether two resources differ in nothing but id, meta.versionId and meta.lastUpdated';

-- The current lake -------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.current_lake() RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_current_lake';
COMMENT ON FUNCTION fhir.current_lake() IS 'the lake that functions of this schema use: the setting fhir.lake';

CREATE FUNCTION fhir.table_of(type text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_table_of';
COMMENT ON FUNCTION fhir.table_of(text) IS 'the table of a resource type in the current lake, qualified and quoted';

CREATE FUNCTION fhir.table_of(resource jsonb) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_table_of_resource';
COMMENT ON FUNCTION fhir.table_of(jsonb) IS 'the table in the current lake that a resource belongs into, qualified and quoted';

-- Lakes ------------------------------------------------------------------------------------------------------------------

-- A lake is known by its stamp: the trigger on its table "resource". That is part of every dump and cannot go stale.
CREATE FUNCTION fhir.lakes() RETURNS TABLE (lake name, owner name)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 2
    AS $$
        SELECT n.nspname, pg_catalog.pg_get_userbyid(c.relowner)
        FROM pg_catalog.pg_trigger t
        JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid
        JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE t.tgfoid OPERATOR(pg_catalog.=) 'fhir.stamp()'::pg_catalog.regprocedure
          AND t.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
          AND c.relname OPERATOR(pg_catalog.=) 'resource'::name
        ORDER BY 1
    $$;
COMMENT ON FUNCTION fhir.lakes() IS 'the lakes of this database and their owners';

CREATE FUNCTION fhir.create_lake(name text DEFAULT 'lake') RETURNS void
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
COMMENT ON FUNCTION fhir.create_lake(text) IS
    'makes a lake: a schema with a table for each FHIR R4 resource type, owned by the caller';

CREATE FUNCTION fhir.drop_lake(name text, cascade boolean DEFAULT false) RETURNS void
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
COMMENT ON FUNCTION fhir.drop_lake(text, boolean) IS
    'removes a lake and all that is in it; with cascade also what a user has put there or built on it';

CREATE FUNCTION fhir.stats(name text DEFAULT NULL)
    RETURNS TABLE (type text, resources bigint, table_size bigint, toast_size bigint, index_size bigint)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 150
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    lake text := coalesce(name, fhir.current_lake());
BEGIN
    IF to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    RETURN QUERY EXECUTE format($$
        SELECT r.type, r.resources, pg_relation_size(p.oid), coalesce(pg_total_relation_size(nullif(p.reltoastrelid, 0)), 0),
               pg_indexes_size(p.oid)
        FROM (SELECT s.tableoid, s.type, count(*) AS resources FROM %I.resource s GROUP BY 1, 2) r
        JOIN pg_class p ON p.oid = r.tableoid
        ORDER BY r.type$$, lake);
END
$function$;
COMMENT ON FUNCTION fhir.stats(text) IS
    'for each type that a lake has: the number of resources that the caller may read, and the size of table, TOAST and indexes in bytes';

CREATE FUNCTION fhir.grant_lake(name text, role text, privilege text) RETURNS void
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

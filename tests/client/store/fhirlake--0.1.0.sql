\echo Use "CREATE EXTENSION fhirlake" to load this file. \quit

-- schema.sql
-- The schema, its version, and what a database must be for it.

DO $$
BEGIN
    IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION 'fhirlake needs a database in UTF8, this one is in %', pg_catalog.getdatabaseencoding()
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'FHIR is UTF-8; other encodings cannot hold every resource.',
                  HINT = 'CREATE DATABASE … ENCODING ''UTF8'' TEMPLATE template0';
    END IF;
END
$$;

COMMENT ON SCHEMA fhir IS 'FHIR R4 data lake: functions, types and operators of extension fhirlake';

-- What it may do is decided by each function and by the grants on a lake.
GRANT USAGE ON SCHEMA fhir TO PUBLIC;

CREATE FUNCTION fhir.library_version() RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_library_version';
COMMENT ON FUNCTION fhir.library_version() IS 'version of the library that this server has loaded';

CREATE FUNCTION fhir.version(OUT extension text, OUT library text, OUT fhir text, OUT postgres text)
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname OPERATOR(pg_catalog.=) 'fhirlake'),
               fhir.library_version(),
               '4.0.1'::text,
               pg_catalog.current_setting('server_version')
    $$;
COMMENT ON FUNCTION fhir.version() IS
    'versions of the SQL objects, of the library, of FHIR and of the server; where the first two differ: ALTER EXTENSION fhirlake UPDATE';

-- types.sql
-- Validation, and a domain over jsonb for each resource type.

CREATE FUNCTION fhir.resource_types() RETURNS SETOF text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 150 AS 'MODULE_PATHNAME', 'fhir_resource_types';
COMMENT ON FUNCTION fhir.resource_types() IS 'the concrete resource types of FHIR R4';

-- Never raise, so a row-security barrier need not hold them back.
CREATE FUNCTION fhir.is_valid(resource jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 50 AS 'MODULE_PATHNAME', 'fhir_is_valid';
COMMENT ON FUNCTION fhir.is_valid(jsonb) IS
    'whether it is a FHIR R4 resource with a valid structure: elements, cardinality, formats, choice types, reference targets, required codes';

CREATE FUNCTION fhir.is_valid(resource jsonb, type text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 50 AS 'MODULE_PATHNAME', 'fhir_is_valid_of';
COMMENT ON FUNCTION fhir.is_valid(jsonb, text) IS 'whether it is a resource of that type with a valid structure';

CREATE FUNCTION fhir.issues(resource jsonb)
    RETURNS TABLE (severity text, code text, expression text, details text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5 AS 'MODULE_PATHNAME', 'fhir_issues';
COMMENT ON FUNCTION fhir.issues(jsonb) IS
    'what is wrong with the structure of a resource and where, in the terms of an OperationOutcome; no row for a valid one';

-- What the domains check. It raises instead of returning false because a domain can only say which constraint failed, while
-- this says which element is wrong. The price: pg_input_is_valid() and COPY … ON_ERROR of later servers cannot catch it;
-- ask fhir.is_valid() of a plain jsonb there.
CREATE FUNCTION fhir.assert_valid(resource jsonb, type text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_assert_valid';
COMMENT ON FUNCTION fhir.assert_valid(jsonb, text) IS
    'true for a valid resource of that type (of any, where it is NULL), NULL for NULL; else raises 23514 with the first issues';

CREATE DOMAIN fhir.resource AS jsonb
    CONSTRAINT resource_is_valid CHECK (fhir.assert_valid(VALUE, NULL));
COMMENT ON DOMAIN fhir.resource IS 'a structurally valid FHIR R4 resource of any type';

-- One domain for each type. What a DO block makes while an extension is created belongs to the extension as well.
DO $$
DECLARE
    type text;
    domain text;
BEGIN
    FOR type IN SELECT fhir.resource_types() LOOP
        domain := pg_catalog.format('fhir.%I', pg_catalog.lower(type));
        EXECUTE pg_catalog.format('CREATE DOMAIN %s AS jsonb CONSTRAINT %I CHECK (fhir.assert_valid(VALUE, %L))',
            domain, pg_catalog.lower(type) OPERATOR(pg_catalog.||) '_is_valid', type);
        EXECUTE pg_catalog.format('COMMENT ON DOMAIN %s IS %L', domain,
            pg_catalog.format('a structurally valid FHIR R4 %s', type));
    END LOOP;
END
$$;

-- index.sql
-- Keys and queries: what a resource can be found by, the operator |= ("satisfies"), and the GIN operator class.
-- fhir.keys is to a resource what tsvector is to a document, fhir.query what tsquery is to a search.

CREATE TYPE fhir.keys;

CREATE FUNCTION fhir.keys_in(cstring) RETURNS fhir.keys
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_keys_in';
CREATE FUNCTION fhir.keys_out(fhir.keys) RETURNS cstring
    LANGUAGE c STABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'fhir_keys_out';
CREATE FUNCTION fhir.keys_recv(internal) RETURNS fhir.keys
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_keys_recv';
CREATE FUNCTION fhir.keys_send(fhir.keys) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'fhir_keys_send';

CREATE TYPE fhir.keys (
    INPUT = fhir.keys_in,
    OUTPUT = fhir.keys_out,
    RECEIVE = fhir.keys_recv,
    SEND = fhir.keys_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = main
);
COMMENT ON TYPE fhir.keys IS 'what a FHIR resource can be found by: the values of its search parameters';
COMMENT ON FUNCTION fhir.keys_in(cstring) IS 'I/O';
COMMENT ON FUNCTION fhir.keys_out(fhir.keys) IS 'I/O';
COMMENT ON FUNCTION fhir.keys_recv(internal) IS 'I/O';
COMMENT ON FUNCTION fhir.keys_send(fhir.keys) IS 'I/O';

CREATE TYPE fhir.query;

CREATE FUNCTION fhir.query_in(cstring) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_query_in';
CREATE FUNCTION fhir.query_out(fhir.query) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'fhir_query_out';

CREATE TYPE fhir.query (
    INPUT = fhir.query_in,
    OUTPUT = fhir.query_out,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON TYPE fhir.query IS 'a FHIR search that one resource can answer by itself: [Type?]parameter[:modifier]=value&…';
COMMENT ON FUNCTION fhir.query_in(cstring) IS 'I/O';
COMMENT ON FUNCTION fhir.query_out(fhir.query) IS 'I/O';

CREATE FUNCTION fhir.query(text) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_query_from_text';
COMMENT ON FUNCTION fhir.query(text) IS 'reads a FHIR search; errors: 22023 if it is not one, 0A000 if a row cannot answer it by itself';

-- Implicit, so that parameters bound as text or varchar by a driver work beside the operator.
CREATE CAST (text AS fhir.query) WITH FUNCTION fhir.query(text) AS IMPLICIT;
CREATE CAST (varchar AS fhir.query) WITH FUNCTION fhir.query(text) AS IMPLICIT;
COMMENT ON CAST (text AS fhir.query) IS 'for parameters bound as text';
COMMENT ON CAST (varchar AS fhir.query) IS 'for parameters bound as varchar';

CREATE FUNCTION fhir.keys(jsonb) RETURNS fhir.keys
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 200 AS 'MODULE_PATHNAME', 'fhir_keys';
COMMENT ON FUNCTION fhir.keys(jsonb) IS 'the keys of a FHIR resource; never raises: what is malformed gives no keys';

CREATE FUNCTION fhir.occurred(jsonb) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 200 AS 'MODULE_PATHNAME', 'fhir_occurred';
COMMENT ON FUNCTION fhir.occurred(jsonb) IS 'where the clinical time of a resource begins, as the column occurred has it; -infinity if it does not say';

CREATE FUNCTION fhir.show_keys(fhir.keys) RETURNS TABLE (parameter text, type text, element integer, value text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 30 AS 'MODULE_PATHNAME', 'fhir_show_keys';
COMMENT ON FUNCTION fhir.show_keys(fhir.keys) IS 'the values inside keys, one row each, for people to read';

CREATE FUNCTION fhir.reference_id(keys fhir.keys, parameter text, type text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 3 AS 'MODULE_PATHNAME', 'fhir_reference_id';
COMMENT ON FUNCTION fhir.reference_id(fhir.keys, text, text) IS 'id of the first resource of that type to which the search parameter points by a relative reference';

CREATE FUNCTION fhir.reference_ids(keys fhir.keys, parameter text, type text) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 4 AS 'MODULE_PATHNAME', 'fhir_reference_ids';
COMMENT ON FUNCTION fhir.reference_ids(fhir.keys, text, text) IS 'ids of all resources of that type to which the search parameter points by relative references';

CREATE FUNCTION fhir.sort_key(keys fhir.keys, parameter text, descending boolean) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 3 AS 'MODULE_PATHNAME', 'fhir_sort_key';
COMMENT ON FUNCTION fhir.sort_key(fhir.keys, text, boolean) IS
    'what to order by for _sort: the lowest value of the search parameter, or for descending the highest, as bytes; NULL where it has none';

CREATE FUNCTION fhir.matches(fhir.keys, fhir.query) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 50 AS 'MODULE_PATHNAME', 'fhir_matches';
COMMENT ON FUNCTION fhir.matches(fhir.keys, fhir.query) IS 'whether the resource of these keys satisfies the search';

CREATE FUNCTION fhir.match_selectivity(internal, oid, internal, integer) RETURNS double precision
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_match_selectivity';
COMMENT ON FUNCTION fhir.match_selectivity(internal, oid, internal, integer) IS 'restriction estimator of |=: looks the keys up in the index while planning';

CREATE OPERATOR fhir.|= (
    LEFTARG = fhir.keys,
    RIGHTARG = fhir.query,
    FUNCTION = fhir.matches,
    RESTRICT = fhir.match_selectivity,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR fhir.|= (fhir.keys, fhir.query) IS 'satisfies the FHIR search';

-- Inlined by the planner into fhir.keys(doc) |= query, so that an expression index on fhir.keys(doc) serves it.
CREATE FUNCTION fhir.matches(jsonb, fhir.query) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 25
    AS 'SELECT fhir.keys($1) OPERATOR(fhir.|=) $2';
COMMENT ON FUNCTION fhir.matches(jsonb, fhir.query) IS 'whether the resource satisfies the search';

CREATE OPERATOR fhir.|= (
    LEFTARG = jsonb,
    RIGHTARG = fhir.query,
    FUNCTION = fhir.matches,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR fhir.|= (jsonb, fhir.query) IS 'satisfies the FHIR search';

CREATE FUNCTION fhir.gin_extract_value(fhir.keys, internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_gin_extract_value';
COMMENT ON FUNCTION fhir.gin_extract_value(fhir.keys, internal, internal) IS 'GIN support';

CREATE FUNCTION fhir.gin_extract_query(fhir.keys, internal, smallint, internal, internal, internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_gin_extract_query';
COMMENT ON FUNCTION fhir.gin_extract_query(fhir.keys, internal, smallint, internal, internal, internal, internal) IS 'GIN support';

CREATE FUNCTION fhir.gin_triconsistent(internal, smallint, fhir.keys, integer, internal, internal, internal) RETURNS "char"
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_gin_triconsistent';
COMMENT ON FUNCTION fhir.gin_triconsistent(internal, smallint, fhir.keys, integer, internal, internal, internal) IS 'GIN support';

CREATE FUNCTION fhir.gin_compare_partial(bytea, bytea, smallint, internal) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_gin_compare_partial';
COMMENT ON FUNCTION fhir.gin_compare_partial(bytea, bytea, smallint, internal) IS 'GIN support';

CREATE OPERATOR CLASS fhir.keys_ops
    DEFAULT FOR TYPE fhir.keys USING gin AS
    OPERATOR 1 fhir.|= (fhir.keys, fhir.query),
    FUNCTION 1 byteacmp(bytea, bytea),
    FUNCTION 2 fhir.gin_extract_value(fhir.keys, internal, internal),
    FUNCTION 3 fhir.gin_extract_query(fhir.keys, internal, smallint, internal, internal, internal, internal),
    FUNCTION 5 fhir.gin_compare_partial(bytea, bytea, smallint, internal),
    FUNCTION 6 fhir.gin_triconsistent(internal, smallint, fhir.keys, integer, internal, internal, internal),
    STORAGE bytea;
COMMENT ON OPERATOR CLASS fhir.keys_ops USING gin IS 'one index for every FHIR search parameter';
COMMENT ON OPERATOR FAMILY fhir.keys_ops USING gin IS 'one index for every FHIR search parameter';

-- store.sql
-- Lakes: making them, the triggers that stamp and keep, and the plain read and write functions.
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
    IF privilege = 'write' THEN
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %1$s.load TO %2$s', lake, grantee);
        EXECUTE format('GRANT SELECT, INSERT ON %1$s.load_error TO %2$s', lake, grantee);
    END IF;
END
$function$;
COMMENT ON FUNCTION fhir.grant_lake(text, text, text) IS
    'grants a role read or write on a lake: the parent and every partition, and reading of history, membership and entity';

-- Reading and writing one resource ---------------------------------------------------------------------------------------
-- In the current lake, with the rights of the caller. The search_path stays the caller's, because triggers of his on the
-- lake may need it; so every name and operator here is qualified.
-- SQLSTATEs of their own: FH404 there is no such resource or version, FH410 it was deleted.

CREATE FUNCTION fhir.create(resource jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    AS $function$
DECLARE
    stored jsonb;
BEGIN
    -- https://hl7.org/fhir/R4/http.html#create: an id that the client sends is ignored.
    EXECUTE pg_catalog.concat('INSERT INTO ', fhir.table_of(resource), ' AS r (resource) VALUES ($1) RETURNING r.resource')
        INTO stored
        USING resource OPERATOR(pg_catalog.-) 'id'::text;
    RETURN stored;
END
$function$;
COMMENT ON FUNCTION fhir.create(jsonb) IS 'stores a new resource under an id of the server; returns it as stored';

CREATE FUNCTION fhir.update(resource jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    AS $function$
DECLARE
    stored jsonb;
BEGIN
    IF resource OPERATOR(pg_catalog.->) 'id'::text IS NULL THEN
        RAISE EXCEPTION 'the resource has no id'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'fhir.create assigns one.';
    END IF;
    EXECUTE pg_catalog.concat('INSERT INTO ', fhir.table_of(resource), ' AS r (resource) VALUES ($1)',
            ' ON CONFLICT (type, id) DO UPDATE SET resource = EXCLUDED.resource RETURNING r.resource')
        INTO stored
        USING resource;
    RETURN stored;
END
$function$;
COMMENT ON FUNCTION fhir.update(jsonb) IS
    'stores a resource under the id that it has, as a new version or, where there is none, a new resource; returns it as stored';

CREATE FUNCTION fhir.delete(type text, id text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    AS $function$
DECLARE
    deleted bigint;
BEGIN
    EXECUTE pg_catalog.concat('DELETE FROM ', fhir.table_of(type), ' AS r',
            ' WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2')
        USING type, id;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted OPERATOR(pg_catalog.>) 0::bigint;
END
$function$;
COMMENT ON FUNCTION fhir.delete(text, text) IS 'deletes a resource; false if there was none. Its versions stay in history';

CREATE FUNCTION fhir.read(type text, id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $function$
DECLARE
    found jsonb;
BEGIN
    EXECUTE pg_catalog.concat('SELECT r.resource FROM ', fhir.table_of(type), ' AS r',
            ' WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2')
        INTO found
        USING type, id;
    IF found IS NULL THEN
        PERFORM fhir.raise_missing(type, id);
    END IF;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION fhir.read(text, text) IS 'a resource; raises FH404 if there is none and FH410 if it was deleted';

CREATE FUNCTION fhir.vread(type text, id text, version bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $function$
DECLARE
    found jsonb;
    deleted boolean;
BEGIN
    EXECUTE pg_catalog.concat('SELECT r.resource FROM ', fhir.table_of(type), ' AS r WHERE r.type OPERATOR(pg_catalog.=) $1',
            ' AND r.id OPERATOR(pg_catalog.=) $2 AND r.version OPERATOR(pg_catalog.=) $3')
        INTO found
        USING type, id, version;
    IF found IS NULL THEN
        EXECUTE pg_catalog.format('SELECT h.resource, h.resource IS NULL FROM %I.history AS h'
                ' WHERE h.type OPERATOR(pg_catalog.=) $1 AND h.id OPERATOR(pg_catalog.=) $2'
                ' AND h.version OPERATOR(pg_catalog.=) $3', fhir.current_lake())
            INTO found, deleted
            USING type, id, version;
        IF deleted THEN
            RAISE EXCEPTION '%/% was deleted with version %', type, id, version USING ERRCODE = 'FH410';
        ELSIF found IS NULL THEN
            RAISE EXCEPTION '%/% has no version %', type, id, version
                USING ERRCODE = 'FH404', HINT = pg_catalog.format('SELECT * FROM fhir.history(%L, %L)', type, id);
        END IF;
    END IF;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION fhir.vread(text, text, bigint) IS
    'a version of a resource, current or superseded; raises FH404 if there is none and FH410 if it is a deletion';

CREATE FUNCTION fhir.history(type text, id text)
    RETURNS TABLE (version bigint, last_updated timestamptz, method text, resource jsonb)
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 5
    AS $function$
BEGIN
    RETURN QUERY EXECUTE pg_catalog.concat(
        'SELECT r.version, r.last_updated, CASE WHEN r.version OPERATOR(pg_catalog.=) 1 THEN ''POST'' ELSE ''PUT'' END, r.resource',
        ' FROM ', fhir.table_of(type), ' AS r WHERE r.type OPERATOR(pg_catalog.=) $1 AND r.id OPERATOR(pg_catalog.=) $2',
        ' UNION ALL SELECT h.version, h.last_updated, h.method, h.resource',
        pg_catalog.format(' FROM %I.history AS h', fhir.current_lake()),
        ' WHERE h.type OPERATOR(pg_catalog.=) $1 AND h.id OPERATOR(pg_catalog.=) $2 ORDER BY 1 DESC')
        USING type, id;
END
$function$;
COMMENT ON FUNCTION fhir.history(text, text) IS
    'all versions of a resource, the latest first; a deletion is a version without resource';

CREATE FUNCTION fhir.raise_missing(type text, id text) RETURNS void
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $function$
DECLARE
    history text := pg_catalog.format('%I.history', fhir.current_lake());
    deleted boolean;
BEGIN
    -- Who may not read history learns no more than that there is nothing.
    IF pg_catalog.has_table_privilege(history, 'SELECT') THEN
        EXECUTE pg_catalog.concat('SELECT h.resource IS NULL FROM ', history, ' AS h',
                ' WHERE h.type OPERATOR(pg_catalog.=) $1 AND h.id OPERATOR(pg_catalog.=) $2',
                ' ORDER BY h.version DESC LIMIT 1')
            INTO deleted
            USING type, id;
    END IF;
    IF deleted THEN
        RAISE EXCEPTION '%/% was deleted', type, id
            USING ERRCODE = 'FH410', HINT = pg_catalog.format('SELECT * FROM fhir.history(%L, %L)', type, id);
    END IF;
    RAISE EXCEPTION 'there is no %/%', type, id USING ERRCODE = 'FH404';
END
$function$;
COMMENT ON FUNCTION fhir.raise_missing(text, text) IS 'raises what fhir.read raises for a resource that is not there';

-- count.sql
-- Counting from the index: parts of fhir.count and of _total=estimate.

CREATE FUNCTION fhir.index_count("table" regclass, query fhir.query) RETURNS bigint
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_index_count';
COMMENT ON FUNCTION fhir.index_count(regclass, fhir.query) IS
    'the number of rows of a table that satisfy the search, from its GIN index; NULL where only count(*) can tell';

CREATE FUNCTION fhir.index_estimate("table" regclass, query fhir.query) RETURNS bigint
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_index_estimate';
COMMENT ON FUNCTION fhir.index_estimate(regclass, fhir.query) IS
    'about how many rows of a table satisfy the search, by a few look-ups in its GIN index; NULL where that may not be told';

-- custom.sql
-- Search beyond the parameters of the specification: parameters that a lake defines for itself, and FHIRPath.

-- Never raises, so a row-security barrier need not hold it back; a definition is checked where it is made.
CREATE FUNCTION fhir.keys_of(resource jsonb, definition jsonb) RETURNS fhir.keys
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 100 AS 'MODULE_PATHNAME', 'fhir_keys_of';
COMMENT ON FUNCTION fhir.keys_of(jsonb, jsonb) IS
    'the keys of a resource by one search parameter that a lake defines, named by its type: fhir.keys_of(resource, definition) |= ''$token=a|b''; the definition is one of fhir.search_parameter_definitions()';

CREATE FUNCTION fhir.search_parameter_definitions(code_or_url text, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, code text, definition jsonb)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 3 AS 'MODULE_PATHNAME', 'fhir_search_parameter_definitions';
COMMENT ON FUNCTION fhir.search_parameter_definitions(text, text) IS
    'what fhir.keys_of takes for a SearchParameter that is stored in the lake, one row for each resource type that it applies to; errors: 42704 if there is none, 22023 or 0A000 if it cannot be used';

-- CREATE INDEX CONCURRENTLY cannot run inside a function, so the commands are given to the client, as by \gexec of psql.
-- The name ends in a digest of the definition: a changed one makes another index, and the old one can be dropped after.
CREATE FUNCTION fhir.index_search_parameter(code_or_url text, lake text DEFAULT fhir.current_lake()) RETURNS SETOF text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 3
    AS $$
        WITH wanted AS (
            SELECT d.type, d.definition, pg_catalog.lower(d.type) AS tab,
                pg_catalog.left(pg_catalog.lower(d.type) OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) pg_catalog.regexp_replace(d.code, '[^A-Za-z0-9_]', '_', 'g'), 50)
                    OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) pg_catalog.left(pg_catalog.md5(d.definition::text), 8) AS index
            FROM fhir.search_parameter_definitions(code_or_url, lake) d
        )
        SELECT command FROM wanted w, LATERAL (
            -- left behind by a build that was cancelled
            SELECT 1, pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I', lake, w.index)
            FROM pg_catalog.pg_index i
            WHERE i.indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(pg_catalog.format('%I.%I', lake, w.index)) AND NOT i.indisvalid
            UNION ALL
            SELECT 2, pg_catalog.format('CREATE INDEX CONCURRENTLY IF NOT EXISTS %I ON %I.%I USING gin (fhir.keys_of(resource, %L::jsonb)) WITH (fastupdate = off)',
                w.index, lake, w.tab, w.definition)
        ) c (step, command)
        ORDER BY w.type, c.step
    $$;
COMMENT ON FUNCTION fhir.index_search_parameter(text, text) IS
    'the commands that index a SearchParameter which is stored in the lake, without blocking writers; run them with \gexec, each by itself';

CREATE FUNCTION fhir.path_holds(resource jsonb, expression text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_path_holds';
COMMENT ON FUNCTION fhir.path_holds(jsonb, text) IS
    'whether a FHIRPath expression is true of the resource or leads to anything in it; errors: 22023 if it is none, 0A000 if it goes beyond what search supports';

-- terminology.sql
-- Terminology: what value sets hold and what codes subsume, by the definitions in a lake. Read with the rights of the caller.

CREATE FUNCTION fhir.expand(value_set text, lake text DEFAULT fhir.current_lake()) RETURNS TABLE (system text, code text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 100 AS 'MODULE_PATHNAME', 'fhir_expand';
COMMENT ON FUNCTION fhir.expand(text, text) IS
    'the codes of a value set, named by url, url|version or ValueSet/id; a row without a code stands for every code of a system that the lake does not list';

CREATE FUNCTION fhir.subsumed(system text, code text, lake text DEFAULT fhir.current_lake()) RETURNS TABLE (subsumed text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 10 AS 'MODULE_PATHNAME', 'fhir_subsumed';
COMMENT ON FUNCTION fhir.subsumed(text, text, text) IS
    'the code and all that it subsumes by the code system in the lake; the code alone where the lake does not have the system';

CREATE FUNCTION fhir.subsuming(system text, code text, lake text DEFAULT fhir.current_lake()) RETURNS TABLE (subsuming text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 10 AS 'MODULE_PATHNAME', 'fhir_subsuming';
COMMENT ON FUNCTION fhir.subsuming(text, text, text) IS
    'the code and all that subsume it by the code system in the lake; the code alone where the lake does not have the system';

-- text.sql
-- The words of a resource: what _text and _content search.

CREATE FUNCTION fhir.narrative(resource jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 200 AS 'MODULE_PATHNAME', 'fhir_narrative';
COMMENT ON FUNCTION fhir.narrative(jsonb) IS
    'the narrative of a resource as plain text: what _text searches; with CREATE INDEX ON lake.patient USING gin (to_tsvector(''simple'', fhir.narrative(resource))) that is fast';

CREATE FUNCTION fhir.content(resource jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 400 AS 'MODULE_PATHNAME', 'fhir_content';
COMMENT ON FUNCTION fhir.content(jsonb) IS
    'all text of a resource, one line for each string, without ids, urls and binary data: what _content searches; with CREATE INDEX ON lake.documentreference USING gin (to_tsvector(''simple'', fhir.content(resource))) that is fast';

-- search.sql
-- Searching a lake: requests as a client sends them, answered as a Bundle, as rows or as a number.
-- All run with the rights of the caller, so that grants and row-level security hold.

CREATE FUNCTION fhir.search(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 1000 AS 'MODULE_PATHNAME', 'fhir_search';
COMMENT ON FUNCTION fhir.search(text, text, text, timestamptz) IS
    'a page of a FHIR search as a Bundle of type searchset; follow its link "next" with the same function for more. handling: strict | lenient; as_of: the state at a past moment';

CREATE FUNCTION fhir.search_sql(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_search_sql';
COMMENT ON FUNCTION fhir.search_sql(text, text, text, timestamptz) IS
    'the SQL that a page of a FHIR search runs: for reading, and for EXPLAIN. Chains with few hits, lists and value sets stand in it as what they were when it was made';

CREATE FUNCTION fhir.search_rows_sql(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_search_rows_sql';
COMMENT ON FUNCTION fhir.search_rows_sql(text, text, text, timestamptz) IS 'the SQL that finds all rows of a FHIR search';

CREATE FUNCTION fhir.search_total_sql(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_search_total_sql';
COMMENT ON FUNCTION fhir.search_total_sql(text, text, text, timestamptz) IS 'the SQL that counts the rows of a FHIR search';

CREATE FUNCTION fhir.search_rows(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (type text, id text, version bigint, last_updated timestamptz, resource jsonb)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
    AS $function$
BEGIN
    RETURN QUERY EXECUTE fhir.search_rows_sql(search, lake, handling, as_of);
END
$function$;
COMMENT ON FUNCTION fhir.search_rows(text, text, text, timestamptz) IS
    'all resources that a FHIR search finds, in no order; what shapes a page (_count, _sort, _include, _elements) does not apply';

CREATE FUNCTION fhir.count(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL) RETURNS bigint
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_count';
COMMENT ON FUNCTION fhir.count(text, text, text, timestamptz) IS
    'the number of resources that a FHIR search finds; from the index alone where that decides it';

CREATE FUNCTION fhir.explain_search(search text, lake text DEFAULT fhir.current_lake(), handling text DEFAULT 'strict', as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (part text, line text)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 ROWS 20 AS 'MODULE_PATHNAME', 'fhir_explain_search';
COMMENT ON FUNCTION fhir.explain_search(text, text, text, timestamptz) IS
    'how a FHIR search will be answered: what was understood, the keys of each condition and about how many rows have them, the statement, its plan, and which index would help';

-- load.sql
-- Loading files of many resources.

CREATE FUNCTION fhir.load(path text)
    RETURNS TABLE (file text, loaded bigint, unchanged bigint, rejected bigint)
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 100000 ROWS 10 AS 'MODULE_PATHNAME', 'fhir_load';
COMMENT ON FUNCTION fhir.load(text) IS
    'loads NDJSON, plain or gzip, of any resource types into the current lake: a file of the server, all of a folder, or a pattern. '
    'Resources whose id is there already are updated. Bad lines go to load_error of the lake. Takes pg_read_server_files.';

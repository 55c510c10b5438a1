-- Bringing a lake that an older version made up to this one.

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

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
    IF (SELECT count(*) <> 3 FROM pg_trigger t
        WHERE t.tgrelid = to_regclass(lake || '.ndjson') AND t.tgfoid = 'fhir.take_lines()'::regprocedure) THEN
        PERFORM fhir.create_ndjson(name);
        RETURN NEXT format('made view %s.ndjson', lake);
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

-- Loading from a client: COPY into the view ndjson of a lake.

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

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

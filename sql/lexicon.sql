-- The lexicon: what words in clinical notes mean. The truth is in tables; fhir.compile_lexicon makes a flat value of them.

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
ALTER TABLE fhir.lexicon ALTER COLUMN image SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX lexicon_active ON fhir.lexicon (is_active) WHERE is_active;

-- One statement each: the server refuses two changes of one row of its catalogue in a statement.
SELECT pg_catalog.pg_extension_config_dump('fhir.lexicon_source', '');
SELECT pg_catalog.pg_extension_config_dump('fhir.lexicon_concept', '');
SELECT pg_catalog.pg_extension_config_dump('fhir.lexicon_term', '');
SELECT pg_catalog.pg_extension_config_dump('fhir.lexicon_mapping', '');
SELECT pg_catalog.pg_extension_config_dump('fhir.lexicon_line', '');
SELECT pg_catalog.pg_extension_config_dump('fhir.lexicon', '');
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

ALTER TABLE fhir.lexicon ADD CHECK (checksum = fhir.lexicon_checksum(image));

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

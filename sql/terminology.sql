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

-- Concepts ---------------------------------------------------------------------------------------------------------------

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

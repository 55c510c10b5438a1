-- Terminology: what value sets hold and what codes subsume, by the definitions in a lake. Read with the rights of the caller.

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

-- Looking up and translating ---------------------------------------------------------------------------------------------

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

-- Loading ----------------------------------------------------------------------------------------------------------------

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

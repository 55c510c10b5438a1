-- Operations on terminology as the RESTful API has them: Parameters in, a resource out. On the current lake, with the rights of the caller.

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

-- Validation beyond structure: invariants, terminology, profiles; and what a lake demands of what is written into it.

-- Levels -------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.issues(resource jsonb, level text, profiles text[] DEFAULT '{}', lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (severity text, code text, expression text, details text, rule text, profile text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 5 AS 'MODULE_PATHNAME', 'fhir_issues_at';
COMMENT ON FUNCTION fhir.issues(jsonb, text, text[], text) IS
    'what is wrong with a resource, and where: at level structure, invariants, bindings or profile, each with the ones before; profiles are checked beside those that meta.profile names';

CREATE FUNCTION fhir.validate(resource jsonb, level text DEFAULT 'profile', profiles text[] DEFAULT '{}', lake text DEFAULT fhir.current_lake())
    RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_validate';
COMMENT ON FUNCTION fhir.validate(jsonb, text, text[], text) IS
    'what fhir.issues says of a resource, as an OperationOutcome';

CREATE FUNCTION fhir.is_valid(resource jsonb, level text, profiles text[], lake text DEFAULT fhir.current_lake()) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_is_valid_at';
COMMENT ON FUNCTION fhir.is_valid(jsonb, text, text[], text) IS
    'whether a resource has no error at that level: structure, invariants, bindings or profile';

CREATE FUNCTION fhir.must_support(resource jsonb, profile text, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (element text, present bigint)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 20 AS 'MODULE_PATHNAME', 'fhir_must_support';
COMMENT ON FUNCTION fhir.must_support(jsonb, text, text) IS
    'the elements that a profile marks mustSupport, and how often the resource has each';

-- What a lake demands --------------------------------------------------------------------------------------------------------
-- The demand is a trigger on each table, as with integrity: part of every dump, changed by the owner alone, the same for every writer.

CREATE FUNCTION fhir.check_validity() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'fhir_check_validity';
COMMENT ON FUNCTION fhir.check_validity() IS
    'BEFORE INSERT OR UPDATE trigger of a lake, made by fhir.set_validation: what is written must be valid at a level';

CREATE FUNCTION fhir.validation(lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, mode text, level text, profiles text[])
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 150
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    IF to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    RETURN QUERY
        SELECT r.type, coalesce(a.words[1], 'off'), coalesce(a.words[2], 'structure'), coalesce(a.words[3:], '{}')
        FROM fhir.resource_types() r(type)
        LEFT JOIN pg_trigger t ON t.tgrelid = to_regclass(quote_ident(lake) || '.' || quote_ident(lower(r.type)))
            AND t.tgfoid = 'fhir.check_validity()'::regprocedure AND t.tgenabled <> 'D'
        -- the arguments, each with a zero behind it
        LEFT JOIN LATERAL (SELECT array_agg(convert_from(decode(w.word, 'hex'), 'UTF8') ORDER BY w.place)
            FROM regexp_split_to_table(regexp_replace(encode(t.tgargs, 'hex'), '(..)', '\1 ', 'g'), '00 ') WITH ORDINALITY w(word, place)
            WHERE w.word <> '') a(words) ON t.oid IS NOT NULL
        ORDER BY r.type;
END
$function$;
COMMENT ON FUNCTION fhir.validation(text) IS
    'by resource type, what a lake demands of what is written into it: mode off, warn or enforce, the level, and profiles that every resource of the type must conform to';

CREATE FUNCTION fhir.set_validation(mode text, level text DEFAULT 'invariants', type text DEFAULT NULL, profiles text[] DEFAULT '{}',
        lake text DEFAULT fhir.current_lake()) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = warning
    AS $function$
DECLARE
    meant text;
    partition text;
BEGIN
    IF mode IS NULL OR mode NOT IN ('off', 'warn', 'enforce') THEN
        RAISE EXCEPTION 'validation "%" is not known', mode
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is off, warn or enforce.';
    END IF;
    IF level IS NULL OR level NOT IN ('structure', 'invariants', 'bindings', 'profile') THEN
        RAISE EXCEPTION 'validation has no level "%"', level
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Levels are structure, invariants, bindings and profile.';
    END IF;
    IF lake IS NULL OR to_regclass(quote_ident(lake) || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    IF type IS NOT NULL AND NOT EXISTS (SELECT FROM fhir.resource_types() r(name) WHERE r.name = type) THEN
        RAISE EXCEPTION 'there is no resource type "%"', type
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT fhir.resource_types() lists the types of FHIR R4.';
    END IF;
    IF coalesce(cardinality(profiles), 0) > 0 AND (type IS NULL OR level <> 'profile') THEN
        RAISE EXCEPTION 'profiles are demanded of one type, at level profile'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'fhir.set_validation(''enforce'', ''profile'', type => ''Patient'', profiles => ''{http://…}'')';
    END IF;
    IF EXISTS (SELECT FROM unnest(profiles) p(url) WHERE p.url IS NULL OR p.url = '') THEN
        RAISE EXCEPTION 'a profile is named by its canonical url' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR meant IN SELECT r.name FROM fhir.resource_types() r(name) WHERE type IS NULL OR r.name = type LOOP
        partition := quote_ident(lake) || '.' || quote_ident(lower(meant));
        EXECUTE format('DROP TRIGGER IF EXISTS zz_validity ON %s', partition);
        IF mode <> 'off' THEN
            -- behind the stamp, as triggers of one kind fire in the order of their names
            EXECUTE format('CREATE TRIGGER zz_validity BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION fhir.check_validity(%s)',
                partition, (SELECT string_agg(quote_literal(a.word), ', ' ORDER BY a.place)
                            FROM unnest(ARRAY[mode, level] || profiles) WITH ORDINALITY a(word, place)));
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.set_validation(text, text, text, text[], text) IS
    'sets what a lake demands of what is written into it, of one type or of all: off, warn, or enforce, which refuses with 23514 what has an error at that level. Holds for what is written from then on';

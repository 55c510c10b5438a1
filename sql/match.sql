-- Patient/$match, https://hl7.org/fhir/R4/patient-operation-match.html, on the current lake, with the rights of the caller.

CREATE FUNCTION fhir.match_texts(patient jsonb, path jsonpath, words boolean) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 500
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    texts text[];
BEGIN
    texts := ARRAY(SELECT lower(left(v #>> '{}', 100)) FROM jsonb_path_query(patient, path) v WHERE jsonb_typeof(v) = 'string' LIMIT 10);
    IF getdatabaseencoding() = 'UTF8' THEN
        -- accents apart from their letters, and gone
        texts := ARRAY(SELECT regexp_replace(normalize(t, NFKD), '[\u0300-\u036f]', '', 'g') FROM unnest(texts) t);
    END IF;
    IF words THEN
        texts := ARRAY(SELECT w FROM unnest(texts) t, regexp_split_to_table(t, '[\s\-]+') w LIMIT 20);
    END IF;
    RETURN ARRAY(SELECT DISTINCT left(regexp_replace(t, '[^[:alnum:]@]', '', 'g'), 40) FROM unnest(texts) t WHERE t ~ '[[:alnum:]]');
END
$function$;
COMMENT ON FUNCTION fhir.match_texts(jsonb, jsonpath, boolean) IS
    'the texts at a path as $match compares them: without case, accents and punctuation; with words, each word apart';

CREATE FUNCTION fhir.match_similarity(a text, b text) RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 2000
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    x text[] := string_to_array(left(a, 40), NULL);
    y text[] := string_to_array(left(b, 40), NULL);
    n integer := cardinality(x);
    m integer := cardinality(y);
    reach integer := greatest(greatest(n, m) / 2 - 1, 0);
    used boolean[];
    hits text[] := '{}';
    others text[] := '{}';
    swapped integer := 0;
    common integer;
    prefix integer := 0;
    jaro double precision;
BEGIN
    IF a = b THEN
        RETURN 1;
    ELSIF n = 0 OR m = 0 THEN
        RETURN 0;
    END IF;
    used := array_fill(false, ARRAY[m]);
    FOR i IN 1 .. n LOOP
        FOR j IN greatest(1, i - reach) .. least(m, i + reach) LOOP
            IF NOT used[j] AND x[i] = y[j] THEN
                used[j] := true;
                hits := hits || x[i];
                EXIT;
            END IF;
        END LOOP;
    END LOOP;
    common := cardinality(hits);
    IF common = 0 THEN
        RETURN 0;
    END IF;
    FOR j IN 1 .. m LOOP
        IF used[j] THEN
            others := others || y[j];
        END IF;
    END LOOP;
    FOR i IN 1 .. common LOOP
        swapped := swapped + (hits[i] <> others[i])::integer;
    END LOOP;
    jaro := (common::double precision / n + common::double precision / m + (common - swapped / 2.0) / common) / 3;
    WHILE prefix < least(4, n, m) AND x[prefix + 1] = y[prefix + 1] LOOP
        prefix := prefix + 1;
    END LOOP;
    jaro := jaro + prefix * 0.1 * (1 - jaro);
    -- words that have nothing to do with each other share letters too
    RETURN greatest(0, (jaro - 0.7) / 0.3);
END
$function$;
COMMENT ON FUNCTION fhir.match_similarity(text, text) IS
    'how alike two words are: 1 the same, 0 for a Jaro-Winkler similarity of 0.7 or less, linear between';

CREATE FUNCTION fhir.match_best(a text[], b text[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5000
    RETURN (
        SELECT pg_catalog.max(CASE
            -- an initial
            WHEN pg_catalog.length(x) = 1 AND x <> y AND pg_catalog.starts_with(y, x)
                OR pg_catalog.length(y) = 1 AND x <> y AND pg_catalog.starts_with(x, y) THEN 0.7
            ELSE fhir.match_similarity(x, y) END)
        FROM pg_catalog.unnest(a) x, pg_catalog.unnest(b) y);
COMMENT ON FUNCTION fhir.match_best(text[], text[]) IS 'the similarity of the most similar two; NULL where one has none';

CREATE FUNCTION fhir.match_date(a text, b text) RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 200
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    x text[];
    y text[];
    differing integer;
BEGIN
    IF a !~ '^\d{4}(-\d\d(-\d\d)?)?$' OR b !~ '^\d{4}(-\d\d(-\d\d)?)?$' THEN
        RETURN NULL;
    ELSIF a = b THEN
        RETURN CASE length(a) WHEN 10 THEN 1 WHEN 7 THEN 0.75 ELSE 0.5 END;
    ELSIF starts_with(a, b) OR starts_with(b, a) THEN
        -- as exact as the less exact one
        RETURN CASE least(length(a), length(b)) WHEN 7 THEN 0.75 ELSE 0.5 END;
    ELSIF length(a) < 10 OR length(b) < 10 THEN
        RETURN 0;
    END IF;
    x := string_to_array(a, '-');
    y := string_to_array(b, '-');
    IF x[1] = y[1] AND x[2] = y[3] AND x[3] = y[2] THEN
        RETURN 0.85;
    END IF;
    SELECT count(*) INTO differing FROM generate_series(1, 10) i WHERE substr(a, i, 1) <> substr(b, i, 1);
    RETURN CASE
        WHEN differing = 1 THEN 0.8
        WHEN x[1] = y[1] AND (x[2] = y[2] OR x[3] = y[3]) THEN 0.6
        WHEN x[2] = y[2] AND x[3] = y[3] THEN 0.6
        ELSE 0 END;
END
$function$;
COMMENT ON FUNCTION fhir.match_date(text, text) IS
    'how alike two dates of birth are: 1 the same day; 0.85 day and month swapped; 0.8 one digit differs; 0.75 the same month where no day is known; 0.6 two of year, month and day the same; 0.5 the same year where no more is known; else 0';

CREATE FUNCTION fhir.match_score(a jsonb, b jsonb,
        OUT score numeric, OUT grade text, OUT identifier double precision, OUT family double precision, OUT given double precision,
        OUT birthdate double precision, OUT gender double precision, OUT telecom double precision, OUT address double precision)
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 50000
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    families text[] := fhir.match_texts(a, 'lax $.name[*].family', false);
    families_b text[] := fhir.match_texts(b, 'lax $.name[*].family', false);
    givens text[] := fhir.match_texts(a, 'lax $.name[*].given[*]', true);
    givens_b text[] := fhir.match_texts(b, 'lax $.name[*].given[*]', true);
    crossed double precision;
    weight double precision;
    total double precision;
BEGIN
    -- 1: one is the same; 0: both have one of the same system, and none is the same
    SELECT max((x ->> 'value' = y ->> 'value')::integer) INTO identifier
        FROM jsonb_path_query(a, 'lax $.identifier[*] ? (exists(@.value))') x, jsonb_path_query(b, 'lax $.identifier[*] ? (exists(@.value))') y
        WHERE x ->> 'system' = y ->> 'system';
    family := fhir.match_best(families, families_b);
    given := fhir.match_best(givens, givens_b);
    -- a given name in the place of the family name
    crossed := 0.85 * least(fhir.match_best(families, givens_b), fhir.match_best(givens, families_b));
    IF family IS NOT NULL AND given IS NOT NULL AND crossed > (family + given) / 2 THEN
        family := crossed;
        given := crossed;
    END IF;
    birthdate := fhir.match_date(a ->> 'birthDate', b ->> 'birthDate');
    gender := CASE WHEN a ->> 'gender' IN ('male', 'female') AND b ->> 'gender' IN ('male', 'female')
        THEN (a ->> 'gender' = b ->> 'gender')::integer END;
    SELECT max((x.v = y.v OR length(x.v) >= 7 AND length(y.v) >= 7 AND x.v !~ '@' AND y.v !~ '@'
            AND right(x.v, 10) = right(y.v, 10))::integer) INTO telecom
        FROM unnest(fhir.match_texts(a, 'lax $.telecom[*].value', false)) x (v), unnest(fhir.match_texts(b, 'lax $.telecom[*].value', false)) y (v)
        WHERE (x.v ~ '@') = (y.v ~ '@');
    -- the mean of the parts that both have
    SELECT avg(p) INTO address FROM unnest(ARRAY[
        fhir.match_best(fhir.match_texts(a, 'lax $.address[*].line[*]', false), fhir.match_texts(b, 'lax $.address[*].line[*]', false)),
        fhir.match_best(fhir.match_texts(a, 'lax $.address[*].city', false), fhir.match_texts(b, 'lax $.address[*].city', false)),
        fhir.match_best(fhir.match_texts(a, 'lax $.address[*].postalCode', false), fhir.match_texts(b, 'lax $.address[*].postalCode', false))]) p;

    -- What differs weighs less in an identifier than what is the same: a system may have several for one person.
    SELECT coalesce(sum(w * s), 0), coalesce(sum(w), 0) INTO total, weight
        FROM unnest(ARRAY[CASE identifier WHEN 1 THEN 10 ELSE 2 END, 3, 2.5, 4, 0.5, 1.5, 1.5],
                    ARRAY[identifier, family, given, birthdate, gender, telecom, address]) c (w, s)
        WHERE s IS NOT NULL;
    -- who tells less than a name and a date of birth weigh is not certain of anybody
    score := round((total / greatest(weight, 9.5))::numeric, 4);
    grade := CASE
        WHEN score >= 0.93 AND (identifier = 1 OR identifier IS NULL AND birthdate = 1 AND family >= 0.9 AND given >= 0.7) THEN 'certain'
        WHEN score >= 0.75 THEN 'probable'
        WHEN score >= 0.45 THEN 'possible'
        ELSE 'certainly-not' END;
END
$function$;
COMMENT ON FUNCTION fhir.match_score(jsonb, jsonb) IS
    'how likely two Patient resources are the same person: the weighted mean of what both say (identifier 10, or 2 where it differs; birthdate 4, family 3, given 2.5, telecom 1.5, address 1.5, gender 0.5; at least 9.5 in all), each 0 to 1 and NULL if not compared. certain: from 0.93, with a common identifier, or name and date of birth and no identifier that differs; probable from 0.75, possible from 0.45';

CREATE FUNCTION fhir.match_value(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 50
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    value := regexp_replace(left(value, 200), '([\\,$|])', '\\\1', 'g');
    value := replace(replace(replace(value, '%', '%25'), '&', '%26'), '#', '%23');
    RETURN replace(replace(replace(replace(value, '+', '%2B'), ';', '%3B'), '=', '%3D'), ' ', '%20');
END
$function$;
COMMENT ON FUNCTION fhir.match_value(text) IS 'a text as a value in a search, escaped';

CREATE FUNCTION fhir.match_searches(resource jsonb) RETURNS SETOF text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    families text[] := ARRAY(SELECT DISTINCT fhir.match_value(v #>> '{}')
        FROM jsonb_path_query(resource, 'lax $.name[0 to 4].family') v WHERE jsonb_typeof(v) = 'string' AND v #>> '{}' ~ '[[:alnum:]]' LIMIT 3);
    givens text[] := ARRAY(SELECT DISTINCT fhir.match_value(split_part(v #>> '{}', ' ', 1))
        FROM jsonb_path_query(resource, 'lax $.name[0 to 4].given[0]') v WHERE jsonb_typeof(v) = 'string' AND split_part(v #>> '{}', ' ', 1) ~ '[[:alnum:]]{2}' LIMIT 3);
    -- a name of several words by its longest
    sounds text[];
    family_sounds text[] := ARRAY(SELECT DISTINCT (SELECT fhir.match_value(w) FROM regexp_split_to_table(left(v #>> '{}', 100), '[\s\-]+') w WHERE w ~ '[[:alnum:]]' ORDER BY length(w) DESC, w LIMIT 1)
        FROM jsonb_path_query(resource, 'lax $.name[0 to 4].family') v WHERE jsonb_typeof(v) = 'string' AND v #>> '{}' ~ '[[:alnum:]]' LIMIT 3);
    given_sounds text[] := ARRAY(SELECT DISTINCT (SELECT fhir.match_value(w) FROM regexp_split_to_table(left(v #>> '{}', 100), '[\s\-]+') w WHERE w ~ '[[:alnum:]]' ORDER BY length(w) DESC, w LIMIT 1)
        FROM jsonb_path_query(resource, 'lax $.name[0 to 4].given[0]') v WHERE jsonb_typeof(v) = 'string' AND v #>> '{}' ~ '[[:alnum:]]{2}' LIMIT 3);
    postcodes text[] := ARRAY(SELECT DISTINCT fhir.match_value(v #>> '{}')
        FROM jsonb_path_query(resource, 'lax $.address[0 to 4].postalCode') v WHERE jsonb_typeof(v) = 'string' AND v #>> '{}' ~ '[[:alnum:]]' LIMIT 2);
    born text := substring(resource ->> 'birthDate' FROM '^\d{4}(?:-\d\d(?:-\d\d)?)?$');
    days text[] := '{}';
    swapped text;
BEGIN
    BEGIN
        -- a 30th of February is no date to search by
        IF make_date(substr(born, 1, 4)::integer, coalesce(nullif(substr(born, 6, 2), ''), '1')::integer,
                coalesce(nullif(substr(born, 9, 2), ''), '1')::integer) IS NULL THEN
            born := NULL;
        END IF;
    EXCEPTION WHEN datetime_field_overflow THEN
        born := NULL;
    END;
    IF born IS NOT NULL THEN
        days := ARRAY[born];
        swapped := substr(born, 1, 4) || '-' || substr(born, 9, 2) || '-' || substr(born, 6, 2);
        IF length(born) = 10 AND swapped <> born AND substr(born, 9, 2) <= '12' THEN
            days := days || swapped;
        END IF;
    END IF;
    sounds := family_sounds || given_sounds;
    RETURN QUERY
    SELECT DISTINCT 'identifier=' || CASE WHEN jsonb_typeof(i -> 'system') = 'string' THEN fhir.match_value(i ->> 'system') || '|' ELSE '' END || fhir.match_value(i ->> 'value')
        FROM jsonb_path_query(resource, 'lax $.identifier[0 to 9]') i WHERE jsonb_typeof(i -> 'value') = 'string' AND i ->> 'value' <> ''
    UNION ALL
    SELECT DISTINCT 'telecom=' || fhir.match_value(t #>> '{}')
        FROM jsonb_path_query(resource, 'lax $.telecom[0 to 4].value') t WHERE jsonb_typeof(t) = 'string' AND t #>> '{}' <> ''
    UNION ALL
    SELECT 'birthdate=' || d || '&phonetic=' || n FROM unnest(days) d, unnest(sounds) n
    UNION ALL
    -- both names misspelt
    SELECT 'birthdate=' || born || CASE WHEN resource ->> 'gender' IN ('male', 'female') THEN '&gender=' || (resource ->> 'gender') ELSE '' END WHERE length(born) = 10
    UNION ALL
    SELECT 'family=' || f || '&given=' || g FROM unnest(families) f, unnest(givens) g
    UNION ALL
    SELECT 'phonetic=' || f || '&phonetic=' || g || coalesce('&birthdate=' || substr(born, 1, 4), '') FROM unnest(family_sounds) f, unnest(given_sounds) g
    UNION ALL
    SELECT 'phonetic=' || f || '&phonetic=' || g FROM unnest(family_sounds) f, unnest(given_sounds) g WHERE born IS NOT NULL
    UNION ALL
    SELECT 'address-postalcode=' || p || '&birthdate=' || d FROM unnest(postcodes) p, unnest(days) d
    UNION ALL
    SELECT 'address-postalcode=' || p || '&phonetic=' || n FROM unnest(postcodes) p, unnest(sounds) n;
END
$function$;
COMMENT ON FUNCTION fhir.match_searches(jsonb) IS
    'the searches that find the candidates of $match: by identifier, telecom, sound of a name and date of birth (also with day and month swapped), date of birth, family and given name (as written, or as they sound), postal code and date of birth or sound of a name';

CREATE FUNCTION fhir.match_rows(resource jsonb, count integer DEFAULT 10)
    RETURNS TABLE (id text, score numeric, grade text, identifier double precision, family double precision, given double precision,
        birthdate double precision, gender double precision, telecom double precision, address double precision, candidate jsonb)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
    -- a lake may be large, and the candidates are few
    SET enable_seqscan = off
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    statement text;
BEGIN
    IF resource IS NULL OR coalesce(resource OPERATOR(pg_catalog.->>) 'resourceType', '') OPERATOR(pg_catalog.<>) 'Patient' THEN
        RAISE EXCEPTION 'no Patient came along to match' USING ERRCODE = '22023', HINT = 'It has what is known of the person, and need not be complete.';
    ELSIF count IS NULL OR count OPERATOR(pg_catalog.<) 1 OR count OPERATOR(pg_catalog.>) 1000 THEN
        RAISE EXCEPTION 'count is not from 1 to 1000' USING ERRCODE = '22023', HINT = 'It is how many matches are wanted at most.';
    END IF;
    statement := (SELECT pg_catalog.string_agg(pg_catalog.format('(SELECT q.id, q.resource FROM (%s) q LIMIT 100)',
        fhir.search_rows_sql('Patient?' OPERATOR(pg_catalog.||) s)), ' UNION ALL ') FROM fhir.match_searches(resource) s);
    IF statement IS NULL THEN
        RAISE EXCEPTION 'the Patient says too little to match by' USING ERRCODE = '22023',
            HINT = 'It takes an identifier, a telecom, a whole birthDate, or two of family name, given name, birthDate and postal code.';
    END IF;
    RETURN QUERY EXECUTE pg_catalog.format($q$
        SELECT c.id, m.score, m.grade, m.identifier, m.family, m.given, m.birthdate, m.gender, m.telecom, m.address, c.resource
        FROM (SELECT DISTINCT ON (u.id) u.id, u.resource FROM (%s) u ORDER BY u.id) c
        CROSS JOIN LATERAL fhir.match_score($1, c.resource) m
        ORDER BY m.score DESC, c.id LIMIT $2$q$, statement) USING resource, count;
END
$function$;
COMMENT ON FUNCTION fhir.match_rows(jsonb, integer) IS
    'the patients that a Patient resource may be, the most likely first, and how alike they are in each of what fhir.match_score compares. Of each of the searches that fhir.match_searches lists the first 100 are compared, found by the index';

CREATE FUNCTION fhir.match(parameters jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000
    AS $function$
DECLARE
    wanted jsonb := parameters;
    is_certain boolean := false;
    most integer := 10;
    parts jsonb := CASE WHEN pg_catalog.jsonb_typeof(parameters OPERATOR(pg_catalog.->) 'parameter') OPERATOR(pg_catalog.=) 'array'
        THEN parameters OPERATOR(pg_catalog.->) 'parameter' ELSE '[]' END;
    entries jsonb;
    certain integer;
    advice jsonb;
BEGIN
    IF parameters OPERATOR(pg_catalog.->>) 'resourceType' OPERATOR(pg_catalog.=) 'Parameters' THEN
        wanted := pg_catalog.jsonb_path_query_first(parts, 'lax $[*] ? (@.name == "resource").resource');
        is_certain := coalesce(pg_catalog.jsonb_path_query_first(parts, 'lax $[*] ? (@.name == "onlyCertainMatches").valueBoolean') OPERATOR(pg_catalog.=) 'true', false);
        most := coalesce((pg_catalog.jsonb_path_query_first(parts, 'lax $[*] ? (@.name == "count").valueInteger') OPERATOR(pg_catalog.#>>) '{}')::integer, 10);
    END IF;
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('resource', m.candidate, 'search', pg_catalog.jsonb_build_object(
                'extension', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
                    'url', 'http://hl7.org/fhir/StructureDefinition/match-grade', 'valueCode', m.grade)),
                'mode', 'match', 'score', m.score)) ORDER BY m.score DESC, m.id)
            FILTER (WHERE m.grade OPERATOR(pg_catalog.=) 'certain' OR NOT is_certain AND m.grade OPERATOR(pg_catalog.<>) 'certainly-not'),
            pg_catalog.count(*) FILTER (WHERE m.grade OPERATOR(pg_catalog.=) 'certain')
        INTO entries, certain
        FROM fhir.match_rows(wanted, CASE WHEN is_certain THEN 100 ELSE most END) m;
    IF is_certain AND certain OPERATOR(pg_catalog.>) 1 THEN
        entries := NULL;
        advice := pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('search', '{"mode": "outcome"}'::pg_catalog.jsonb, 'resource',
            pg_catalog.jsonb_build_object('resourceType', 'OperationOutcome', 'issue', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
                'severity', 'warning', 'code', 'multiple-matches', 'diagnostics', pg_catalog.concat(certain, ' patients match with certainty, so none is returned'))))));
    END IF;
    RETURN pg_catalog.jsonb_build_object('resourceType', 'Bundle', 'type', 'searchset', 'total', coalesce(pg_catalog.jsonb_array_length(entries), 0))
        OPERATOR(pg_catalog.||) CASE WHEN coalesce(entries, advice) IS NULL THEN '{}' ELSE pg_catalog.jsonb_build_object('entry', coalesce(entries, advice)) END;
END
$function$;
COMMENT ON FUNCTION fhir.match(jsonb) IS
    'Patient/$match: the patients that a Patient resource may be, as a Bundle with scores and grades, the most likely first. Takes the Patient, or Parameters with resource, count and onlyCertainMatches: of these the one patient that is certain, none where several are';

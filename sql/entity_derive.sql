-- Resources made of findings, on request: provisional, tied to the words that they come from, and taken back in one call.

-- Pieces -------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.entity_concept(concepts jsonb, text text, min_score real DEFAULT 0.5) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        -- of each code system the best code: others are other meanings, not translations
        SELECT jsonb_strip_nulls(jsonb_build_object('coding', jsonb_agg(jsonb_strip_nulls(jsonb_build_object('system', b.system, 'code', b.code, 'display', b.display)) ORDER BY b.place), 'text', text))
        FROM (SELECT DISTINCT ON (c ->> 'system') c ->> 'system' AS system, c ->> 'code' AS code, c ->> 'display' AS display, x.place
              FROM jsonb_array_elements(concepts) WITH ORDINALITY x(c, place)
              WHERE coalesce(c ->> 'system', '') <> '' AND coalesce(c ->> 'code', '') <> '' AND coalesce((c ->> 'score')::real, 1) >= min_score
              ORDER BY c ->> 'system', x.place) b
    $$;
COMMENT ON FUNCTION fhir.entity_concept(jsonb, text, real) IS
    'a CodeableConcept of the concepts of a finding: the best code of each code system whose score reaches the least, and the words';

CREATE FUNCTION fhir.entity_attribute(attributes jsonb, type text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT x.a FROM jsonb_array_elements(attributes) WITH ORDINALITY x(a, place) WHERE x.a ->> 'type' = entity_attribute.type ORDER BY x.place LIMIT 1
    $$;
COMMENT ON FUNCTION fhir.entity_attribute(jsonb, text) IS 'the first attribute of that type of a finding, such as STRENGTH or TEST_VALUE';

CREATE FUNCTION fhir.entity_quantity(number text, unit text DEFAULT NULL) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT jsonb_strip_nulls(jsonb_build_object('value', m[2]::numeric, 'comparator', nullif(replace(replace(m[1], '≤', '<='), '≥', '>='), ''),
                   'unit', nullif(btrim(coalesce(nullif(btrim(m[3]), ''), unit)), '')))
        FROM regexp_match(btrim(number), '^(<=|>=|<|>|≤|≥)?\s*(-?\d{1,12}(?:\.\d{1,9})?)\s*([^\d\s][^\d]{0,30})?$') m WHERE m IS NOT NULL
    $$;
COMMENT ON FUNCTION fhir.entity_quantity(text, text) IS
    'a Quantity of words such as "25 mg" or "<0.5"; NULL where they are not one plain number with at most a unit';

CREATE FUNCTION fhir.derived_id(type text, id text, path text, first integer, last integer, text text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-8' || substr(h, 14, 3) || '-a' || substr(h, 18, 3) || '-' || substr(h, 21, 12)
          FROM encode(sha256(convert_to(concat_ws(E'\n', type, id, path, first, last, text), 'UTF8')), 'hex') h $$;
COMMENT ON FUNCTION fhir.derived_id(text, text, text, integer, integer, text) IS
    'the id of what is derived from words at a place: the same words give the same id, so nothing is derived twice';

CREATE FUNCTION fhir.derived_resource(finding jsonb, occurred timestamptz) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    category text := finding ->> 'category';
    kind text := finding ->> 'kind';
    attributes jsonb := finding -> 'attributes';
    concept jsonb := fhir.entity_concept(finding -> 'concepts', finding ->> 'text');
    note text := (finding ->> 'type') || '/' || (finding ->> 'id') || '/_history/' || (finding ->> 'version');
    -- seconds and a zone, as FHIR wants them
    moment text := CASE WHEN isfinite(occurred) THEN to_char(occurred AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END;
    subject jsonb := jsonb_build_object('reference', finding ->> 'compartment');
    site text;
    value jsonb;
    unit jsonb;
    quantity jsonb;
    resource jsonb;
BEGIN
    -- Who it is about must be known, and it must be so.
    IF finding ->> 'compartment' NOT LIKE 'Patient/%' OR finding ->> 'certainty' NOT IN ('positive', 'probable')
       OR finding ->> 'subject' <> 'patient' OR finding ->> 'conditionality' <> 'unconditional' THEN
        RETURN NULL;
    END IF;
    resource := jsonb_build_object(
        'id', fhir.derived_id(finding ->> 'type', finding ->> 'id', finding ->> 'path', (finding ->> 'first')::integer, (finding ->> 'last')::integer, finding ->> 'text'),
        'meta', jsonb_build_object('tag', jsonb_build_array(jsonb_build_object('system', 'http://fhirlake.org/fhir/CodeSystem/origin', 'code', 'machine-made', 'display', 'made by a machine of words in a note'))),
        'extension', jsonb_build_array(jsonb_build_object('url', 'http://fhirlake.org/fhir/StructureDefinition/source-text', 'extension', jsonb_build_array(
            jsonb_build_object('url', 'note', 'valueReference', jsonb_build_object('reference', note)),
            jsonb_build_object('url', 'path', 'valueString', finding ->> 'path'),
            jsonb_build_object('url', 'begin', 'valueInteger', (finding ->> 'first')::integer),
            jsonb_build_object('url', 'end', 'valueInteger', (finding ->> 'last')::integer),
            jsonb_build_object('url', 'text', 'valueString', finding ->> 'text'),
            jsonb_build_object('url', 'score', 'valueDecimal', round((finding ->> 'score')::numeric, 4)),
            jsonb_build_object('url', 'lexicon', 'valueString', finding ->> 'lexicon')))));
    CASE
    WHEN category = 'MEDICAL_CONDITION' AND kind = 'DX_NAME' THEN
        IF finding ->> 'temporality' = 'future' OR concept -> 'coding' IS NULL THEN
            RETURN NULL;
        END IF;
        site := nullif(concat_ws(' ', fhir.entity_attribute(attributes, 'DIRECTION') ->> 'text', fhir.entity_attribute(attributes, 'SYSTEM_ORGAN_SITE') ->> 'text'), '');
        RETURN resource || jsonb_strip_nulls(jsonb_build_object('resourceType', 'Condition', 'subject', subject, 'code', concept,
            -- a history does not tell whether it is over
            'clinicalStatus', CASE WHEN finding ->> 'temporality' = 'current' THEN '{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}'::jsonb END,
            'verificationStatus', '{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "provisional"}]}'::jsonb,
            'bodySite', CASE WHEN site IS NOT NULL THEN jsonb_build_array(jsonb_build_object('text', site)) END,
            'recordedDate', moment,
            'evidence', jsonb_build_array(jsonb_build_object('detail', jsonb_build_array(jsonb_build_object('reference', note))))));
    WHEN category = 'MEDICAL_CONDITION' AND kind IN ('SIGN', 'SYMPTOM') THEN
        IF finding ->> 'temporality' <> 'current' THEN
            RETURN NULL;
        END IF;
        RETURN resource || jsonb_strip_nulls(jsonb_build_object('resourceType', 'Observation', 'status', 'preliminary', 'subject', subject, 'code', concept,
            'effectiveDateTime', moment, 'valueBoolean', true, 'derivedFrom', CASE WHEN finding ->> 'type' = 'DocumentReference' OR finding ->> 'type' = 'QuestionnaireResponse'
                THEN jsonb_build_array(jsonb_build_object('reference', note)) END));
    WHEN category = 'TEST_TREATMENT_PROCEDURE' AND kind = 'TEST_NAME' THEN
        value := fhir.entity_attribute(attributes, 'TEST_VALUE');
        IF finding ->> 'temporality' <> 'current' OR coalesce(value ->> 'text', '') = '' THEN
            RETURN NULL;
        END IF;
        unit := fhir.entity_attribute(attributes, 'TEST_UNIT');
        quantity := fhir.entity_quantity(value ->> 'text', unit ->> 'text');
        RETURN resource || jsonb_strip_nulls(jsonb_build_object('resourceType', 'Observation', 'status', 'preliminary', 'subject', subject, 'code', concept,
            'effectiveDateTime', moment, 'valueQuantity', quantity,
            'valueString', CASE WHEN quantity IS NULL THEN concat_ws(' ', value ->> 'text', unit ->> 'text') END,
            'interpretation', CASE WHEN fhir.entity_attribute(attributes, 'INTERPRETATION') IS NOT NULL
                THEN jsonb_build_array(jsonb_build_object('text', fhir.entity_attribute(attributes, 'INTERPRETATION') ->> 'text')) END,
            'referenceRange', CASE WHEN fhir.entity_attribute(attributes, 'REFERENCE_RANGE') IS NOT NULL
                THEN jsonb_build_array(jsonb_build_object('text', fhir.entity_attribute(attributes, 'REFERENCE_RANGE') ->> 'text')) END,
            'derivedFrom', CASE WHEN finding ->> 'type' = 'DocumentReference' OR finding ->> 'type' = 'QuestionnaireResponse'
                THEN jsonb_build_array(jsonb_build_object('reference', note)) END));
    WHEN category = 'MEDICATION' AND kind IN ('GENERIC_NAME', 'BRAND_NAME') THEN
        IF finding ->> 'temporality' NOT IN ('current', 'future') OR concept -> 'coding' IS NULL THEN
            RETURN NULL;
        END IF;
        SELECT nullif(string_agg(a ->> 'text', ' ' ORDER BY (a ->> 'begin')::integer), '') INTO site
        FROM jsonb_array_elements(attributes) a WHERE a ->> 'type' IN ('DOSAGE', 'STRENGTH', 'FORM', 'ROUTE_OR_MODE', 'FREQUENCY', 'DURATION', 'RATE', 'REASON');
        quantity := fhir.entity_quantity(fhir.entity_attribute(attributes, 'DOSAGE') ->> 'text');
        RETURN resource || jsonb_strip_nulls(jsonb_build_object('resourceType', 'MedicationStatement',
            'status', CASE finding ->> 'temporality' WHEN 'future' THEN 'intended' ELSE 'active' END, 'subject', subject, 'medicationCodeableConcept', concept,
            'dateAsserted', moment, 'derivedFrom', jsonb_build_array(jsonb_build_object('reference', note)),
            'dosage', CASE WHEN site IS NOT NULL THEN jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('text', site,
                'timing', CASE WHEN fhir.entity_attribute(attributes, 'FREQUENCY') IS NOT NULL
                    THEN jsonb_build_object('code', jsonb_build_object('text', fhir.entity_attribute(attributes, 'FREQUENCY') ->> 'text')) END,
                'route', CASE WHEN fhir.entity_attribute(attributes, 'ROUTE_OR_MODE') IS NOT NULL
                    THEN jsonb_build_object('text', fhir.entity_attribute(attributes, 'ROUTE_OR_MODE') ->> 'text') END,
                'doseAndRate', CASE WHEN quantity IS NOT NULL AND quantity ->> 'comparator' IS NULL THEN jsonb_build_array(jsonb_build_object('doseQuantity', quantity)) END))) END));
    WHEN kind = 'ALLERGIES' THEN
        IF finding ->> 'temporality' = 'future' OR concept -> 'coding' IS NULL THEN
            RETURN NULL;
        END IF;
        RETURN resource || jsonb_strip_nulls(jsonb_build_object('resourceType', 'AllergyIntolerance', 'patient', subject, 'code', concept, 'recordedDate', moment,
            'clinicalStatus', '{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}'::jsonb,
            'verificationStatus', '{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "code": "unconfirmed"}]}'::jsonb));
    ELSE
        RETURN NULL;
    END CASE;
END
$function$;
COMMENT ON FUNCTION fhir.derived_resource(jsonb, timestamptz) IS
    'the resource that a finding (a row of entity as JSON) makes: a provisional Condition, an Observation of a symptom or of a result, a MedicationStatement, an AllergyIntolerance; NULL where it is no fact about the patient: negated, somebody else''s, hypothetical, a past medication, without a code';

-- Whatever a note has led to, in the lake or in history: by the ids that its findings give, and by Provenances, which also know of findings that are gone.
CREATE FUNCTION fhir.derived_from(note_type text, note_id text, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (type text, id text, is_stored boolean, is_changed boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    name text := quote_ident(lake);
BEGIN
    RETURN QUERY EXECUTE format($$
        WITH made_by AS (
            SELECT p.id, p.resource FROM %1$s.provenance p
            WHERE p.type = 'Provenance' AND p.search OPERATOR(fhir.|=) (
                'Provenance!?_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made&entity=' || $1 || '/' || $2)::fhir.query),
        place AS (
            SELECT fhir.derived_id(e.type, e.id, e.path, e.first, e.last, e.text) AS id FROM %1$s.entity e WHERE e.type = $1 AND e.id = $2
            UNION SELECT t.id FROM made_by m, fhir.references(m.resource, 'Provenance.target') t),
        found AS (
            SELECT k.type, p.id FROM place p, unnest('{AllergyIntolerance,Condition,MedicationStatement,Observation}'::text[]) k(type)
            UNION SELECT 'Provenance', m.id FROM made_by m
            UNION SELECT 'Provenance', fhir.derived_id(n.type || '/' || n.id || '/_history/' || n.version, n.lexicon, 'Provenance', 0, 0, '')
            FROM %1$s.entity_run n WHERE n.type = $1 AND n.id = $2)
        SELECT f.type, f.id, r.id IS NOT NULL,
               -- what somebody has changed since is theirs; a Provenance grows by itself
               coalesce(f.type <> 'Provenance' AND (
                   NOT r.search OPERATOR(fhir.|=) '_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made'::fhir.query
                   OR EXISTS (SELECT FROM %1$s.history h WHERE h.type = r.type AND h.id = r.id AND h.version = r.version - 1 AND h.method <> 'DELETE')), false)
        FROM found f LEFT JOIN %1$s.resource r ON r.type = f.type AND r.id = f.id
        WHERE r.id IS NOT NULL OR EXISTS (SELECT FROM %1$s.history h WHERE h.type = f.type AND h.id = f.id)
        ORDER BY 1, 2$$, name) USING note_type, note_id;
END
$function$;
COMMENT ON FUNCTION fhir.derived_from(text, text, text) IS
    'what fhir.derive_resources has made of a note, Provenances too: whether it is stored now or only in history, and whether somebody has changed it since';

CREATE FUNCTION fhir.take_back(type text, id text, lake text DEFAULT fhir.current_lake()) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 10000
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    name text := quote_ident(lake);
    one record;
    targets jsonb;
BEGIN
    FOR one IN EXECUTE format($$
        SELECT p.id, p.resource FROM %s.provenance p
        WHERE p.type = 'Provenance' AND p.search OPERATOR(fhir.|=) (
            'Provenance!?_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made&target=' || $1 || '/' || $2)::fhir.query
        ORDER BY p.id FOR UPDATE$$, name) USING type, id
    LOOP
        SELECT jsonb_agg(t ORDER BY place) INTO targets FROM jsonb_array_elements(one.resource -> 'target') WITH ORDINALITY x(t, place)
        WHERE t ->> 'reference' <> take_back.type || '/' || take_back.id;
        IF targets IS NULL THEN
            EXECUTE format('DELETE FROM %s.provenance p WHERE p.type = ''Provenance'' AND p.id = $1', name) USING one.id;
        ELSE
            EXECUTE format('UPDATE %s.provenance p SET resource = jsonb_set(p.resource, ''{target}'', $2) WHERE p.type = ''Provenance'' AND p.id = $1', name)
                USING one.id, targets;
        END IF;
    END LOOP;
    EXECUTE format('DELETE FROM %s.%I d WHERE d.type = $1 AND d.id = $2', name, lower(type)) USING type, id;
END
$function$;
COMMENT ON FUNCTION fhir.take_back(text, text, text) IS
    'deletes what was derived from a note, and names it no longer in the Provenance of that note. fhir.derive_resources and fhir.undo_derived call it';

-- Making them, and taking them back ----------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.derive_resources(type text, id text DEFAULT NULL, min_score real DEFAULT 0.8, preview boolean DEFAULT false, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (action text, derived text, note text, number integer, text text, score real, resource jsonb)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
DECLARE
    name text := quote_ident(lake);
    one record;
    kind text;
    is_there boolean;
    provenance jsonb;
    known jsonb;
BEGIN
    IF lake IS NULL OR to_regclass(name || '.entity_run') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%" that keeps findings', lake
            USING ERRCODE = 'undefined_table', HINT = 'SELECT * FROM fhir.lakes() lists lakes; fhir.upgrade_lake adds what an older one does not have.';
    END IF;
    IF type IS NULL OR NOT EXISTS (SELECT FROM fhir.resource_types() r(name) WHERE r.name = derive_resources.type) THEN
        RAISE EXCEPTION 'there is no resource type "%"', type
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT fhir.resource_types() lists the types of FHIR R4.';
    END IF;
    IF min_score IS NULL OR NOT min_score BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'a score is from 0 to 1' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR one IN EXECUTE format($$
        SELECT e.type || '/' || e.id || '/_history/' || e.version AS note, e.lexicon, e.number, e.text, e.score, d.resource
        FROM %1$s.entity e
        JOIN %1$s.resource r ON r.type = e.type AND r.id = e.id AND r.version = e.version
        CROSS JOIN LATERAL fhir.derived_resource(to_jsonb(e) - 'search', r.occurred) d(resource)
        WHERE e.type = $1 AND ($2 IS NULL OR e.id = $2) AND e.status = 'current' AND d.resource IS NOT NULL
          -- what a reviewer has accepted needs no score
          AND (e.score >= $3 OR EXISTS (SELECT FROM %1$s.entity_review v WHERE v.verdict = 'accept' AND v.type = e.type AND v.id = e.id AND v.path = e.path
               AND v.first = e.first AND v.last = e.last AND v.text = e.text AND v.category = e.category AND (v.codes && e.codes OR v.codes = e.codes)))
        ORDER BY e.id, e.number$$, name) USING derive_resources.type, derive_resources.id, min_score
    LOOP
        kind := one.resource ->> 'resourceType';
        derived := kind || '/' || (one.resource ->> 'id');
        note := one.note;
        number := one.number;
        text := one.text;
        score := one.score;
        resource := one.resource;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s.%I d WHERE d.type = $1 AND d.id = $2)', name, lower(kind)) INTO is_there USING kind, one.resource ->> 'id';
        action := CASE WHEN is_there THEN 'unchanged' ELSE 'create' END;
        IF NOT preview AND NOT is_there THEN
            EXECUTE format('INSERT INTO %s.%I (resource) VALUES ($1)', name, lower(kind)) USING one.resource;
            -- One for each reading of a note: its targets are all that came of it.
            provenance := jsonb_build_object('resourceType', 'Provenance', 'id', fhir.derived_id(one.note, one.lexicon, 'Provenance', 0, 0, ''),
                'meta', one.resource -> 'meta', 'target', jsonb_build_array(jsonb_build_object('reference', derived)),
                'recorded', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                'activity', jsonb_build_object('text', 'derived from words in a note'),
                'agent', jsonb_build_array(jsonb_build_object('type', '{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "assembler"}]}'::jsonb,
                    'who', jsonb_build_object('display', 'fhirlake, lexicon ' || one.lexicon))),
                'entity', jsonb_build_array(jsonb_build_object('role', 'source', 'what', jsonb_build_object('reference', one.note))));
            EXECUTE format('SELECT p.resource FROM %s.provenance p WHERE p.type = ''Provenance'' AND p.id = $1 FOR UPDATE', name) INTO known USING provenance ->> 'id';
            IF known IS NULL THEN
                EXECUTE format('INSERT INTO %s.provenance (resource) VALUES ($1)', name) USING provenance;
            ELSIF NOT ((known -> 'target') @> (provenance -> 'target')) THEN
                EXECUTE format('UPDATE %s.provenance p SET resource = jsonb_set(p.resource, ''{target}'', (p.resource -> ''target'') || $2)
                    WHERE p.type = ''Provenance'' AND p.id = $1', name) USING provenance ->> 'id', provenance -> 'target';
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
    -- What no finding says any more goes: it was rejected, or the note says something else now, or is deleted. A version that was not read says nothing.
    FOR one IN EXECUTE format($$
        SELECT d.type, d.id, s.id AS note, r.resource, r.resource #>> '{code,text}' AS text
        FROM (SELECT DISTINCT x.id FROM %1$s.provenance p, fhir.references(p.resource, 'Provenance.entity.what') x
              WHERE p.type = 'Provenance' AND x.type = $1 AND ($2 IS NULL OR x.id = $2)
                AND p.search OPERATOR(fhir.|=) ('Provenance!?_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made' || coalesce('&entity=' || $1 || '/' || $2, ''))::fhir.query) s
        CROSS JOIN LATERAL fhir.derived_from($1, s.id, $3) d
        JOIN %1$s.resource r ON r.type = d.type AND r.id = d.id
        WHERE d.type <> 'Provenance' AND NOT d.is_changed
          AND CASE WHEN EXISTS (SELECT FROM %1$s.resource n WHERE n.type = $1 AND n.id = s.id)
              THEN EXISTS (SELECT FROM %1$s.resource n JOIN %1$s.entity_run u ON u.type = n.type AND u.id = n.id AND u.version = n.version WHERE n.type = $1 AND n.id = s.id)
              ELSE EXISTS (SELECT FROM %1$s.history h WHERE h.type = $1 AND h.id = s.id AND h.resource IS NULL) END
          AND NOT EXISTS (
              SELECT FROM %1$s.entity e JOIN %1$s.resource n ON n.type = e.type AND n.id = e.id AND n.version = e.version
              CROSS JOIN LATERAL fhir.derived_resource(to_jsonb(e) - 'search', n.occurred) f(resource)
              WHERE e.type = $1 AND e.id = s.id AND e.status = 'current' AND f.resource ->> 'resourceType' = d.type AND f.resource ->> 'id' = d.id)
        ORDER BY s.id, d.type, d.id$$, name) USING derive_resources.type, derive_resources.id, lake
    LOOP
        action := 'delete';
        derived := one.type || '/' || one.id;
        note := derive_resources.type || '/' || one.note;
        number := NULL;
        text := one.text;
        score := NULL;
        resource := one.resource;
        IF NOT preview THEN
            PERFORM fhir.take_back(one.type, one.id, lake);
        END IF;
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.derive_resources(text, text, real, boolean, text) IS
    'makes resources of the current findings in a note, or with NULL for its id in all notes of the type, that reach the score: Condition, Observation, MedicationStatement, AllergyIntolerance, provisional and tagged as machine-made, each tied to its words; and a Provenance from the version of the note to all that came of it. What is there already stays as it is, and what no current finding says any more is deleted, unless somebody has changed it. With preview nothing is written. Runs with the rights of the caller';

CREATE FUNCTION fhir.undo_derived(type text DEFAULT NULL, id text DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (action text, derived text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS $function$
#variable_conflict use_column
DECLARE
    name text := quote_ident(lake);
    one record;
    made record;
    gone bigint;
    kept integer;
    gone_types text[];
    gone_ids text[];
BEGIN
    IF lake IS NULL OR to_regclass(name || '.resource') IS NULL THEN
        RAISE EXCEPTION 'there is no lake "%"', lake
            USING ERRCODE = 'invalid_schema_name', HINT = 'SELECT * FROM fhir.lakes() lists them.';
    END IF;
    IF id IS NOT NULL AND type IS NULL THEN
        RAISE EXCEPTION 'an id needs a resource type' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR one IN EXECUTE format($$
        SELECT p.id, p.resource FROM %s.provenance p
        WHERE p.search OPERATOR(fhir.|=) 'Provenance!?_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made'::fhir.query
          AND EXISTS (SELECT FROM fhir.references(p.resource, 'Provenance.entity.what') s WHERE ($1 IS NULL OR s.type = $1) AND ($2 IS NULL OR s.id = $2))
        ORDER BY p.id$$, name) USING undo_derived.type, undo_derived.id
    LOOP
        kept := 0;
        gone_types := '{}';
        gone_ids := '{}';
        FOR made IN SELECT t.type, t.id FROM fhir.references(one.resource, 'Provenance.target') t ORDER BY 1, 2 LOOP
            derived := made.type || '/' || made.id;
            -- what somebody has changed since is theirs
            EXECUTE format($$SELECT count(*) FROM %s.%I d WHERE d.type = $1 AND d.id = $2
                AND d.search OPERATOR(fhir.|=) '_tag=http://fhirlake.org/fhir/CodeSystem/origin|machine-made'::fhir.query
                AND NOT EXISTS (SELECT FROM %1$s.history h WHERE h.type = d.type AND h.id = d.id AND h.version = d.version - 1 AND h.method <> 'DELETE')$$, name, lower(made.type))
                INTO gone USING made.type, made.id;
            IF gone > 0 THEN
                action := 'delete';
                gone_types := gone_types || made.type;
                gone_ids := gone_ids || made.id;
                RETURN NEXT;
                CONTINUE;
            END IF;
            EXECUTE format('SELECT count(*) FROM %s.%I d WHERE d.type = $1 AND d.id = $2', name, lower(made.type)) INTO gone USING made.type, made.id;
            IF gone > 0 THEN
                kept := kept + 1;
                action := 'keep';
                RETURN NEXT;
            END IF;
        END LOOP;
        -- A Provenance that stays names only what stays.
        FOR made IN SELECT k.type, k.id FROM unnest(gone_types, gone_ids) k(type, id) LOOP
            IF kept > 0 THEN
                PERFORM fhir.take_back(made.type, made.id, lake);
            ELSE
                EXECUTE format('DELETE FROM %s.%I d WHERE d.type = $1 AND d.id = $2', name, lower(made.type)) USING made.type, made.id;
            END IF;
        END LOOP;
        IF kept = 0 THEN
            EXECUTE format('DELETE FROM %s.provenance p WHERE p.type = ''Provenance'' AND p.id = $1', name) USING one.id;
            derived := 'Provenance/' || one.id;
            action := 'delete';
            RETURN NEXT;
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION fhir.undo_derived(text, text, text) IS
    'deletes what fhir.derive_resources made of a note, of all notes of a type, or of all: a row for each resource, keep for what somebody has changed since, which stays. Needs reading of history';

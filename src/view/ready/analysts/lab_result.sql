-- One row for each laboratory result: of an Observation of category laboratory its own value, and each of its components. Cancelled ones,
-- those entered in error and those that are only registered are left out, and so are panels, which only have components or members. The flag
-- is what the laboratory says (interpretation), or else how the number lies to the normal range, where there is only one, for everybody (no
-- age, no group of people), and in the same unit.
SELECT
    v.id AS observation_id, -- id of the Observation
    v.component_number AS component_number, -- counts components from 1; 0 is the value of the Observation itself
    v.patient_id AS patient_id, -- id of the Patient
    v.encounter_id AS encounter_id, -- id of the Encounter
    v.status AS status, -- preliminary, final, amended, corrected or unknown
    v.effective AS effective, -- when it was measured or the specimen taken, or when that began; the first moment where only the day, month or year is known
    v.issued AS issued, -- when the result was published
    v.code AS code, -- what was measured: first code
    v.display AS display, -- what was measured in words
    v.system AS system, -- system of the code
    v.panel_code AS panel_code, -- of a component: first code of the Observation
    v.panel_display AS panel_display, -- of a component: what the Observation is in words
    v.value AS value, -- the result where it is a number
    v.comparator AS comparator, -- how the number is to be read: < <= >= >
    v.unit AS unit, -- unit of the number in words
    v.unit_code AS unit_code, -- unit of the number as a code
    v.value_code AS value_code, -- code of a coded result
    v.value_text AS value_text, -- the result where it is no number: in words
    v.reference_low AS reference_low, -- lower end of the normal range that is for everybody
    v.reference_high AS reference_high, -- upper end of the normal range that is for everybody
    v.reference_text AS reference_text, -- that range in words
    coalesce(v.interpretation, f.computed) AS flag, -- L low, H high, N normal, and other codes of the interpretation, such as LL, HH, A; of several the one that says most: POS and H is H
    CASE WHEN v.interpretation IS NOT NULL THEN 'interpretation' WHEN f.computed IS NOT NULL THEN 'reference range' END AS flag_from, -- interpretation: said by the laboratory; reference range: computed
    nullif(array_to_string(v.interpretations, ', '), '') AS interpretations -- all codes of the interpretation
FROM (
    SELECT o.id, x.component_number, o.status, o.effective, o.issued, o.patient_id, o.encounter_id,
        x.part #>> '{code,coding,0,code}' AS code,
        x.part #>> '{code,coding,0,system}' AS system,
        coalesce(x.part #>> '{code,text}', x.part #>> '{code,coding,0,display}') AS display,
        CASE WHEN x.component_number > 0 THEN o.resource #>> '{code,coding,0,code}' END AS panel_code,
        CASE WHEN x.component_number > 0 THEN coalesce(o.resource #>> '{code,text}', o.resource #>> '{code,coding,0,display}') END AS panel_display,
        CASE WHEN jsonb_typeof(x.part #> '{valueQuantity,value}') = 'number' THEN (x.part #>> '{valueQuantity,value}')::numeric
             WHEN jsonb_typeof(x.part -> 'valueInteger') = 'number' THEN (x.part ->> 'valueInteger')::numeric END AS value,
        x.part #>> '{valueQuantity,comparator}' AS comparator,
        x.part #>> '{valueQuantity,unit}' AS unit,
        x.part #>> '{valueQuantity,code}' AS unit_code,
        x.part #>> '{valueCodeableConcept,coding,0,code}' AS value_code,
        coalesce(x.part #>> '{valueCodeableConcept,text}', x.part #>> '{valueCodeableConcept,coding,0,display}', x.part ->> 'valueString',
            x.part ->> 'valueBoolean', x.part ->> 'valueDateTime', x.part ->> 'valueTime',
            CASE WHEN x.part ? 'valueRange' THEN concat(x.part #>> '{valueRange,low,value}', ' - ', x.part #>> '{valueRange,high,value}') END,
            CASE WHEN x.part ? 'valueRatio' THEN concat(x.part #>> '{valueRatio,numerator,comparator}', x.part #>> '{valueRatio,numerator,value}', ':', x.part #>> '{valueRatio,denominator,value}') END,
            CASE WHEN x.part ? 'valuePeriod' THEN concat(x.part #>> '{valuePeriod,start}', ' - ', x.part #>> '{valuePeriod,end}') END,
            x.part #>> '{valueSampledData,data}',
            x.part #>> '{dataAbsentReason,text}', x.part #>> '{dataAbsentReason,coding,0,code}') AS value_text,
        CASE WHEN jsonb_typeof(g.range #> '{low,value}') = 'number' THEN (g.range #>> '{low,value}')::numeric END AS reference_low,
        CASE WHEN jsonb_typeof(g.range #> '{high,value}') = 'number' THEN (g.range #>> '{high,value}')::numeric END AS reference_high,
        g.range ->> 'text' AS reference_text,
        q.codes AS interpretations,
        -- what says how the number lies goes before what else is said, and the worse before the milder
        coalesce((SELECT w.code FROM unnest(ARRAY['LL', 'HH', 'LU', 'HU', 'L', 'H', 'AA', 'A', '<', '>']) WITH ORDINALITY w(code, rank) WHERE w.code = ANY (q.codes) ORDER BY w.rank LIMIT 1), q.codes[1]) AS interpretation,
        -- numbers can be compared if the range is the only normal one, and its ends name no unit, or the same as the value: code with code and word
        -- with word, where both have one, and else the one with the other
        g.is_only AND NOT EXISTS (
            SELECT FROM unnest(ARRAY[g.range -> 'low', g.range -> 'high']) b(bound)
            WHERE b.bound ?| ARRAY['unit', 'code']
              AND NOT (coalesce(b.bound ->> 'code' = x.part #>> '{valueQuantity,code}', b.bound ->> 'unit' = x.part #>> '{valueQuantity,unit}',
                      coalesce(b.bound ->> 'code', b.bound ->> 'unit') = coalesce(x.part #>> '{valueQuantity,code}', x.part #>> '{valueQuantity,unit}'), false)
                  AND coalesce(b.bound ->> 'unit' = x.part #>> '{valueQuantity,unit}', true)
                  AND coalesce(b.bound ->> 'system' = x.part #>> '{valueQuantity,system}', true))) AS is_comparable
    FROM (
        SELECT r.id, r.resource,
            fhir.path_text(r.resource, 'status') AS status,
            fhir.path_text(r.resource, 'subject.getReferenceKey(Patient)') AS patient_id,
            fhir.path_text(r.resource, 'encounter.getReferenceKey(Encounter)') AS encounter_id,
            fhir.path_timestamp(r.resource, '(effective.ofType(dateTime) | effective.ofType(instant) | effective.ofType(Period).start | effective.ofType(Timing).event.first()).first()') AS effective,
            fhir.path_timestamp(r.resource, 'issued') AS issued
        FROM {lake}.observation r
        WHERE r.search OPERATOR(fhir.|=) 'Observation?category=laboratory'
          AND fhir.path_text(r.resource, 'status') NOT IN ('registered', 'cancelled', 'entered-in-error')) o
    CROSS JOIN LATERAL (
        SELECT 0 AS component_number, o.resource AS part
        WHERE NOT o.resource ?| ARRAY['component', 'hasMember']
           OR fhir.path_exists(o.resource, 'value | dataAbsentReason')
        UNION ALL
        SELECT c.ordinality::integer, c.value
        FROM jsonb_array_elements(CASE WHEN jsonb_typeof(o.resource -> 'component') = 'array' THEN o.resource -> 'component' END) WITH ORDINALITY c) x
    -- of the normal ranges the one that is for everybody, and whether there is no other
    CROSS JOIN LATERAL (
        SELECT CASE WHEN jsonb_array_length(n.everybody) = 1 THEN n.everybody -> 0 END AS range, jsonb_array_length(n.normal) = 1 AS is_only
        FROM (SELECT jsonb_path_query_array(x.part, '$.referenceRange[*] ? (!exists (@.type) || @.type.coding[*].code == "normal")') AS normal,
            jsonb_path_query_array(x.part, '$.referenceRange[*] ? ((!exists (@.type) || @.type.coding[*].code == "normal") && !exists (@.appliesTo) && !exists (@.age))') AS everybody) n) g
    CROSS JOIN LATERAL (
        SELECT ARRAY(SELECT coalesce(c.code #>> '{code}', c.code #>> '{}')
            FROM jsonb_array_elements(jsonb_path_query_array(x.part, '$.interpretation[*] ? (exists (@.coding.code)).coding[*] ? (exists (@.code))')
                || jsonb_path_query_array(x.part, '$.interpretation[*] ? (!exists (@.coding.code)).text')) WITH ORDINALITY c(code, number)
            ORDER BY c.number) AS codes) q) v
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN v.is_comparable IS NOT TRUE OR v.value IS NULL OR v.reference_low IS NULL AND v.reference_high IS NULL OR v.reference_low > v.reference_high THEN NULL
        WHEN v.comparator IS NULL THEN CASE WHEN v.value < v.reference_low THEN 'L' WHEN v.value > v.reference_high THEN 'H' ELSE 'N' END
        WHEN v.comparator = '<' AND v.value <= v.reference_low OR v.comparator = '<=' AND v.value < v.reference_low THEN 'L'
        WHEN v.comparator = '>' AND v.value >= v.reference_high OR v.comparator = '>=' AND v.value > v.reference_high THEN 'H'
        WHEN v.comparator IN ('<', '<=') AND v.reference_low IS NULL AND v.value <= v.reference_high THEN 'N'
        WHEN v.comparator IN ('>', '>=') AND v.reference_high IS NULL AND v.value >= v.reference_low THEN 'N' END AS computed) f

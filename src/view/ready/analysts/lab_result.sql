-- One row for each laboratory result: of an Observation of category laboratory its own value, and each of its components. Cancelled ones,
-- those entered in error and those that are only registered are left out. The flag is what the laboratory says (interpretation), or else
-- how the number lies to the reference range, where that is one for everybody (or the only one) and in the same unit.
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
    v.reference_low AS reference_low, -- lower end of the reference range
    v.reference_high AS reference_high, -- upper end of the reference range
    v.reference_text AS reference_text, -- the reference range in words
    coalesce(v.interpretation, f.computed) AS flag, -- L low, H high, N normal, and other codes of the interpretation, such as LL, HH, A
    CASE WHEN v.interpretation IS NOT NULL THEN 'interpretation' WHEN f.computed IS NOT NULL THEN 'reference range' END AS flag_from -- interpretation: said by the laboratory; reference range: computed
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
            x.part #>> '{dataAbsentReason,text}', x.part #>> '{dataAbsentReason,coding,0,code}') AS value_text,
        CASE WHEN jsonb_typeof(g.range #> '{low,value}') = 'number' THEN (g.range #>> '{low,value}')::numeric END AS reference_low,
        CASE WHEN jsonb_typeof(g.range #> '{high,value}') = 'number' THEN (g.range #>> '{high,value}')::numeric END AS reference_high,
        g.range ->> 'text' AS reference_text,
        coalesce(x.part #>> '{interpretation,0,coding,0,code}', x.part #>> '{interpretation,0,text}') AS interpretation,
        -- an end of the range that names another unit than the value cannot be compared
        coalesce(g.range #>> '{low,code}', x.part #>> '{valueQuantity,code}', '') = coalesce(x.part #>> '{valueQuantity,code}', g.range #>> '{low,code}', '')
            AND coalesce(g.range #>> '{high,code}', x.part #>> '{valueQuantity,code}', '') = coalesce(x.part #>> '{valueQuantity,code}', g.range #>> '{high,code}', '')
            AND coalesce(g.range #>> '{low,unit}', x.part #>> '{valueQuantity,unit}', '') = coalesce(x.part #>> '{valueQuantity,unit}', g.range #>> '{low,unit}', '')
            AND coalesce(g.range #>> '{high,unit}', x.part #>> '{valueQuantity,unit}', '') = coalesce(x.part #>> '{valueQuantity,unit}', g.range #>> '{high,unit}', '') AS is_comparable
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
        WHERE NOT o.resource ? 'component'
           OR fhir.path_exists(o.resource, 'value')
        UNION ALL
        SELECT c.ordinality::integer, c.value
        FROM jsonb_array_elements(CASE WHEN jsonb_typeof(o.resource -> 'component') = 'array' THEN o.resource -> 'component' END) WITH ORDINALITY c) x
    -- the normal range that is for everybody, or the only range there is
    CROSS JOIN LATERAL (
        SELECT coalesce(
            jsonb_path_query_first(x.part, '$.referenceRange[*] ? ((!exists (@.type) || @.type.coding[*].code == "normal") && !exists (@.appliesTo) && !exists (@.age))'),
            jsonb_path_query_first(x.part, '$ ? (@.referenceRange.size() == 1).referenceRange[*] ? (!exists (@.type) || @.type.coding[*].code == "normal")')) AS range) g) v
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN NOT v.is_comparable OR v.value IS NULL OR v.reference_low IS NULL AND v.reference_high IS NULL THEN NULL
        WHEN v.comparator IS NULL THEN CASE WHEN v.value < v.reference_low THEN 'L' WHEN v.value > v.reference_high THEN 'H' ELSE 'N' END
        WHEN v.comparator = '<' AND v.value <= v.reference_low OR v.comparator = '<=' AND v.value < v.reference_low THEN 'L'
        WHEN v.comparator = '>' AND v.value >= v.reference_high OR v.comparator = '>=' AND v.value > v.reference_high THEN 'H'
        WHEN v.comparator IN ('<', '<=') AND v.reference_low IS NULL AND v.value <= v.reference_high THEN 'N'
        WHEN v.comparator IN ('>', '>=') AND v.reference_high IS NULL AND v.value >= v.reference_low THEN 'N' END AS computed) f

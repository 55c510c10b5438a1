-- One row for each patient and vaccine, by its first code, or by its text where it has none: the doses that were given. Doses not given,
-- entered in error, or below the full strength do not count; two records of the same day are one dose.
SELECT
    i.patient_id AS patient_id, -- id of the Patient
    i.code AS code, -- first code of the vaccine; NULL where it has only text
    i.system AS system, -- system of the code
    mode() WITHIN GROUP (ORDER BY i.display) AS display, -- the vaccine in words
    count(DISTINCT i.day) + count(*) FILTER (WHERE i.day IS NULL) AS doses, -- how many doses were given
    min(i.day) AS first_date, -- day of the first dose; the first day where only the month or year is known
    max(i.day) AS last_date, -- day of the last dose
    max(i.dose_number) AS dose_number, -- highest number of a dose in its series, where that is said
    max(i.series_doses) AS series_doses, -- how many doses make the series complete, where that is said
    CASE WHEN max(i.series_doses) IS NOT NULL
        THEN greatest(max(i.dose_number), count(DISTINCT i.day) + count(*) FILTER (WHERE i.day IS NULL)) >= max(i.series_doses) END AS is_complete -- whether the series is complete; NULL where its length is not said
FROM (
    SELECT
        fhir.path_text(r.resource, 'patient.getReferenceKey(Patient)') AS patient_id,
        fhir.path_text(r.resource, 'vaccineCode.coding.first().code') AS code,
        fhir.path_text(r.resource, 'vaccineCode.coding.first().system') AS system,
        fhir.path_text(r.resource, '(vaccineCode.text | vaccineCode.coding.first().display).first()') AS display,
        fhir.path_date(r.resource, 'occurrence.ofType(dateTime)') AS day,
        fhir.path_number(r.resource, 'protocolApplied.first().doseNumber.ofType(positiveInt)')::integer AS dose_number,
        fhir.path_number(r.resource, 'protocolApplied.first().seriesDoses.ofType(positiveInt)')::integer AS series_doses
    FROM {lake}.immunization r
    WHERE fhir.path_text(r.resource, 'status') = 'completed'
      AND coalesce(fhir.path_boolean(r.resource, 'isSubpotent'), false) = false) i
WHERE i.patient_id IS NOT NULL AND (i.code IS NOT NULL OR i.display IS NOT NULL)
GROUP BY i.patient_id, i.system, i.code, CASE WHEN i.code IS NULL THEN i.display END

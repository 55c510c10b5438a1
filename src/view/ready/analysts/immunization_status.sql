-- One row for each patient and vaccine, by its first code, or by its text where it has none: the doses that were given. Doses not given,
-- entered in error, or below the full strength do not count; two records of the same day are one dose. A series is complete when its last
-- dose is recorded by number; days are counted only where no dose has a number.
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
    CASE WHEN max(i.series_doses) IS NULL THEN NULL
        WHEN max(i.dose_number) >= max(i.series_doses) THEN true
        WHEN coalesce(max(i.dose_number), 0) >= min(i.series_doses) THEN NULL
        WHEN bool_and(i.dose_number IS NOT NULL) THEN false
        WHEN count(DISTINCT i.day) + count(*) FILTER (WHERE i.day IS NULL) < min(i.series_doses) THEN false
        WHEN NOT bool_or(i.is_numbered) AND count(DISTINCT i.day) + count(*) FILTER (WHERE i.day IS NULL) >= max(i.series_doses) THEN true END AS is_complete -- whether the series is complete; NULL where its length is not said, or numbered and other doses leave it open
FROM (
    SELECT
        fhir.path_text(r.resource, 'patient.getReferenceKey(Patient)') AS patient_id,
        fhir.path_text(r.resource, 'vaccineCode.coding.first().code') AS code,
        fhir.path_text(r.resource, 'vaccineCode.coding.first().system') AS system,
        fhir.path_text(r.resource, '(vaccineCode.text | vaccineCode.coding.first().display).first()') AS display,
        fhir.path_date(r.resource, 'occurrence.ofType(dateTime)') AS day,
        fhir.path_integer(r.resource, 'protocolApplied.first().doseNumber.toInteger()') AS dose_number,
        fhir.path_integer(r.resource, 'protocolApplied.first().seriesDoses.toInteger()') AS series_doses,
        fhir.path_exists(r.resource, 'protocolApplied.first().doseNumber') AS is_numbered
    FROM {lake}.immunization r
    WHERE fhir.path_text(r.resource, 'status') = 'completed'
      AND coalesce(fhir.path_boolean(r.resource, 'isSubpotent'), false) = false) i
WHERE i.patient_id IS NOT NULL AND (i.code IS NOT NULL OR i.display IS NOT NULL)
GROUP BY i.patient_id, i.system, i.code, CASE WHEN i.code IS NULL THEN i.display END

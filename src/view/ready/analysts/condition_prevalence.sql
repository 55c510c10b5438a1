-- One row for each condition, by its first code, or by its text where it has none: how many patients have or had it. Refuted conditions,
-- those entered in error and differential diagnoses do not count, nor do conditions of patients who are not in the lake. Of a patient with
-- the same condition several times, each column counts one. Patients are those whom the reader may see.
SELECT
    c.code AS code, -- first code of the condition; NULL where it has only text
    c.system AS system, -- system of the code
    mode() WITHIN GROUP (ORDER BY c.display) AS display, -- the condition in words, as most records have it
    count(DISTINCT c.compartment) AS patients, -- how many patients have or had it
    count(DISTINCT c.compartment) FILTER (WHERE c.is_active) AS active_patients, -- how many have it now: active, recurrent or relapsed
    round(count(DISTINCT c.compartment)::numeric / nullif((SELECT count(*) FROM {lake}.patient), 0), 4) AS share, -- patients as a share of all patients, from 0 to 1
    round((count(DISTINCT c.compartment) FILTER (WHERE c.is_active))::numeric / nullif((SELECT count(*) FROM {lake}.patient), 0), 4) AS active_share, -- active_patients as a share of all patients, from 0 to 1
    min(c.began)::date AS first_onset, -- earliest day (UTC) that a record gives as its onset; the first one where only the month or year is known. An age at onset does not count
    max(c.began)::date AS last_onset -- latest day (UTC) that a record gives as its onset
FROM (
    SELECT r.compartment,
        fhir.path_text(r.resource, 'code.coding.first().code') AS code,
        fhir.path_text(r.resource, 'code.coding.first().system') AS system,
        fhir.path_text(r.resource, '(code.coding.first().display | code.text).first()') AS display,
        coalesce(fhir.path_boolean(r.resource, 'clinicalStatus.coding.where(code = ''active'' or code = ''recurrence'' or code = ''relapse'').exists()'), false) AS is_active,
        fhir.path_timestamp(r.resource, '(onset.ofType(dateTime) | onset.ofType(Period).start).first()') AS began
    FROM {lake}.condition r
    JOIN {lake}.patient p ON p.compartment = r.compartment
    WHERE fhir.path_boolean(r.resource, 'verificationStatus.coding.where(code = ''refuted'' or code = ''entered-in-error'' or code = ''differential'').empty()')) c
WHERE c.code IS NOT NULL OR c.display IS NOT NULL
GROUP BY c.system, c.code, CASE WHEN c.code IS NULL THEN c.display END

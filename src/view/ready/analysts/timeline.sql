-- The record of every patient of the lake as lines, one for each resource; ORDER BY occurred brings them into the order of time. What was
-- entered in error, cancelled, refused, missed or not done is left out, as are differential diagnoses, what was refuted, and orders not to do
-- something. What belongs to several patients stands with the first of them. fhir.timeline('id') gives the same of one patient with all of that.
SELECT
    p.id AS patient_id, -- id of the Patient
    nullif(r.occurred, '-infinity') AS occurred, -- when it happened or began; NULL where that is not said
    e."precision" AS "precision", -- how exactly that is known: year, month, day, minute, second or instant
    e.ended AS ended, -- when it was over, for a date the end of its day, month or year; NULL for a point in time and for what goes on
    r.type AS type, -- resource type
    r.id AS id, -- id of the resource
    e.system AS system, -- system of the code
    e.code AS code, -- what it is about, as a code
    coalesce(e.display, (SELECT t.display FROM {lake}.resource m CROSS JOIN LATERAL fhir.event(m.resource) t
        WHERE m.type = e.refers_type AND m.id = e.refers_id)) AS display, -- what it is about, in words
    e.value AS value, -- its value
    e.unit AS unit, -- unit of the value
    e.status AS status -- its status
FROM {lake}.patient p
JOIN {lake}.resource r ON r.compartment = p.compartment
CROSS JOIN LATERAL fhir.event(r.resource) e
WHERE r.type IN ({patient_types})
  AND coalesce(e.status, '') NOT IN ('entered-in-error', 'cancelled', 'not-done', 'not-taken', 'noshow', 'declined', 'rejected', 'refuted')
  AND fhir.path_boolean(r.resource, '(doNotPerform = true or verificationStatus.coding.where(code = ''refuted'' or code = ''entered-in-error'' or code = ''differential'').exists()).exists($this = true).not()')

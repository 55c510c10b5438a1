-- One row for each order of a drug that is active (MedicationRequest: an order, not a plan or proposal, and not one to leave the drug away),
-- and for each statement that a drug is taken (MedicationStatement). What has a known end in the past is left out, whatever its status, and
-- so are statements that begin in the future. An order ends with the last of its dosages, if each has an end, or a length, which counts from
-- the order; lengths of dosages that follow one another are added up.
-- The drug is told by the resource itself, by a Medication contained in it, or by the Medication that it points at.
SELECT
    m.type AS type, -- MedicationRequest or MedicationStatement
    m.id AS id, -- id of that resource
    m.patient_id AS patient_id, -- id of the Patient
    coalesce(m.code, fhir.path_text(d.resource, 'code.coding.first().code')) AS code, -- first code of the drug
    coalesce(m.display, fhir.path_text(d.resource, '(code.text | code.coding.first().display).first()'), m.referred) AS display, -- the drug in words
    coalesce(m.system, fhir.path_text(d.resource, 'code.coding.first().system')) AS system, -- system of the code
    m.medication_id AS medication_id, -- id of the Medication, where the drug is told by one
    m.dosage AS dosage, -- instructions in words
    m.started AS started, -- when it was ordered, or when taking it began; the first moment where only the day, month or year is known
    m.ended AS ended, -- known end in the future; the last moment (UTC) where only the day, month or year is known
    m.reason AS reason, -- code of the first reason
    m.reason_display AS reason_display, -- the first reason in words
    m.prescriber_id AS prescriber_id, -- id of who ordered it
    m.prescriber_type AS prescriber_type, -- type of that resource
    m.encounter_id AS encounter_id -- id of the Encounter in which it was ordered or stated
FROM (
    SELECT 'MedicationRequest' AS type, r.id,
        fhir.path_text(r.resource, 'subject.getReferenceKey(Patient)') AS patient_id,
        {drug},
        fhir.path_text(r.resource, 'dosageInstruction.select(iif(text.exists(), text, timing.code.text)).join(''; '').where($this != '''')') AS dosage,
        fhir.path_timestamp(r.resource, 'authoredOn') AS started,
        {request_end} AS ended,
        fhir.path_text(r.resource, 'requester.getReferenceKey()') AS prescriber_id,
        fhir.path_text(r.resource, 'requester.resolve().type().name') AS prescriber_type,
        fhir.path_text(r.resource, 'encounter.getReferenceKey(Encounter)') AS encounter_id
    FROM {lake}.medicationrequest r
    WHERE {request_is_active}
    UNION ALL
    SELECT 'MedicationStatement', r.id,
        fhir.path_text(r.resource, 'subject.getReferenceKey(Patient)'),
        {drug},
        fhir.path_text(r.resource, 'dosage.select(iif(text.exists(), text, timing.code.text)).join(''; '').where($this != '''')'),
        {statement_start},
        {statement_end},
        NULL,
        NULL,
        fhir.path_text(r.resource, 'context.getReferenceKey(Encounter)')
    FROM {lake}.medicationstatement r
    WHERE {statement_is_active}) m
LEFT JOIN {lake}.medication d ON d.id = m.medication_id

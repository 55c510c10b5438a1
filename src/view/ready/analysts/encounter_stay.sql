-- One row for each encounter that takes or took place: planned, cancelled and entered in error ones are left out. An encounter without an
-- end goes on, unless its status is finished or unknown: then its length is not known. Readmission: the next inpatient stay of the same
-- patient, in this lake, that begins at or after the end of an inpatient stay; an encounter that is part of another one is no stay of its own.
SELECT
    s.id AS encounter_id, -- id of the Encounter
    s.patient_id AS patient_id, -- id of the Patient
    s.status AS status, -- arrived, triaged, in-progress, onleave, finished or unknown
    s.class AS class, -- class of the encounter: IMP, AMB, EMER and so on
    s.class_display AS class_display, -- what its system calls the class
    s.is_inpatient AS is_inpatient, -- whether the class is IMP, ACUTE or NONAC and it is not part of another encounter
    s.type AS type, -- code of the first type
    s.type_display AS type_display, -- the first type in words
    s.reason AS reason, -- code of the first reason
    s.reason_display AS reason_display, -- the first reason in words
    s.service_provider_id AS service_provider_id, -- id of the Organization
    s.discharge_disposition AS discharge_disposition, -- code of where the patient went afterwards
    s.started AS started, -- begin; the first moment of it where only the day, month or year is known
    s.ended AS ended, -- end; NULL if it goes on or is not known
    s.is_open AS is_open, -- whether it goes on
    round(date_part('epoch', s.until - s.started)::numeric / 3600, 2) AS hours, -- length in hours, up to now for one that goes on
    round(date_part('epoch', s.until - s.started)::numeric / 86400, 2) AS days, -- length in days of 24 hours, up to now for one that goes on
    (s.until AT TIME ZONE 'UTC')::date - (s.started AT TIME ZONE 'UTC')::date AS nights, -- midnights (UTC) between begin and end, up to now for one that goes on
    n.id AS next_inpatient_id, -- of an inpatient stay: id of the next one of the patient
    n.started AS next_inpatient_started, -- when that began
    round(date_part('epoch', n.started - s.ended)::numeric / 86400, 2) AS days_to_next_inpatient, -- days from the end of this one to the begin of that
    CASE WHEN NOT s.is_inpatient OR s.ended IS NULL THEN NULL
         WHEN n.started <= s.ended + interval '30 days' THEN true
         WHEN s.ended + interval '30 days' < CURRENT_TIMESTAMP THEN false END AS is_readmitted_in_30_days -- whether that began within 30 days; NULL if this is no inpatient stay that ended, or the 30 days are not over
FROM (
    SELECT e.id, e.compartment, e.status, e.class, e.class_display, e.type, e.type_display, e.reason, e.reason_display, e.service_provider_id,
        e.discharge_disposition, e.patient_id, e.started, e.ended,
        e.class IN ('IMP', 'ACUTE', 'NONAC') AND NOT e.is_part AS is_inpatient,
        e.ended IS NULL AND e.started IS NOT NULL AND e.status NOT IN ('finished', 'unknown') AS is_open,
        CASE WHEN e.ended IS NOT NULL THEN e.ended WHEN e.status NOT IN ('finished', 'unknown') THEN CURRENT_TIMESTAMP END AS until
    FROM (
        SELECT r.id, r.compartment,
            fhir.path_text(r.resource, 'subject.getReferenceKey(Patient)') AS patient_id,
            fhir.path_text(r.resource, 'status') AS status,
            fhir.path_text(r.resource, 'class.code') AS class,
            fhir.path_text(r.resource, 'class.display') AS class_display,
            fhir.path_text(r.resource, 'type.first().coding.first().code') AS type,
            fhir.path_text(r.resource, 'type.first().select((coding.first().display | text).first())') AS type_display,
            fhir.path_text(r.resource, 'reasonCode.first().coding.first().code') AS reason,
            fhir.path_text(r.resource, 'reasonCode.first().select((coding.first().display | text).first())') AS reason_display,
            fhir.path_text(r.resource, 'serviceProvider.getReferenceKey(Organization)') AS service_provider_id,
            fhir.path_text(r.resource, 'hospitalization.dischargeDisposition.coding.first().code') AS discharge_disposition,
            fhir.path_timestamp(r.resource, 'period.start') AS started,
            fhir.path_timestamp(r.resource, 'period.end') AS ended,
            fhir.path_exists(r.resource, 'partOf') AS is_part
        FROM {lake}.encounter r
        WHERE fhir.path_text(r.resource, 'status') NOT IN ('planned', 'cancelled', 'entered-in-error')) e) s
LEFT JOIN LATERAL (
    SELECT r.id, r.occurred AS started
    FROM {lake}.encounter r
    WHERE s.is_inpatient
      AND r.compartment = s.compartment
      AND r.occurred >= s.ended
      AND r.id <> s.id
      AND fhir.path_text(r.resource, 'status') NOT IN ('planned', 'cancelled', 'entered-in-error')
      AND fhir.path_text(r.resource, 'class.code') IN ('IMP', 'ACUTE', 'NONAC')
      AND NOT fhir.path_exists(r.resource, 'partOf')
    ORDER BY r.occurred, r.id
    LIMIT 1) n ON true

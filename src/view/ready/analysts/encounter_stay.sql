-- One row for each encounter that takes or took place: planned, cancelled and entered in error ones are left out. An encounter without an
-- end goes on, unless its status is finished or unknown: then its length is not known. Lengths of what is not known to the day are NULL.
-- An inpatient stay that another one of the same patient takes over, one that goes on after its end, is a transfer and no discharge.
-- Readmission: the next inpatient stay of the patient, in this lake, that begins after a discharge. An encounter that is part of another one
-- is no stay of its own, and stays whose begin is not known to the day are not looked for.
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
    s.started AS started, -- begin; the first moment of it (UTC) where only the day, month or year is known
    s.ended AS ended, -- end; the last moment of it (UTC) where only the day, month or year is known; NULL if it goes on or is not known
    s.is_open AS is_open, -- whether it goes on; NULL where that is not known, as of one in progress that begins in the future
    CASE WHEN s.until >= s.started AND s.is_exact THEN round(date_part('epoch', s.until - s.started)::numeric / 3600, 2) END AS hours, -- length in hours, up to now for one that goes on; NULL where begin or end have no time
    CASE WHEN s.until >= s.started AND s.is_exact THEN round(date_part('epoch', s.until - s.started)::numeric / 86400, 2)
        WHEN s.until >= s.started AND s.is_to_the_day THEN round(((s.until AT TIME ZONE 'UTC')::date - (s.started AT TIME ZONE 'UTC')::date)::numeric, 2) END AS days, -- length in days of 24 hours, up to now for one that goes on; the same as nights where begin or end have no time
    CASE WHEN s.until >= s.started AND s.is_to_the_day THEN (s.until AT TIME ZONE 'UTC')::date - (s.started AT TIME ZONE 'UTC')::date END AS nights, -- midnights (UTC) between begin and end, up to now for one that goes on
    n.id AS next_inpatient_id, -- of an inpatient stay that ended: id of the one that takes it over, or else of the next one of the patient
    n.started AS next_inpatient_started, -- when that began
    CASE WHEN NOT n.takes_over THEN round(n.days, 2) END AS days_to_next_inpatient, -- days from the end of this one to the begin of that; NULL for a transfer
    CASE WHEN s.left_at IS NULL OR n.takes_over THEN NULL
         WHEN n.days <= 30 THEN true
         WHEN n.days > 30 OR s.left_at + interval '30 days' < CURRENT_TIMESTAMP THEN false END AS is_readmitted_in_30_days, -- whether that began within 30 days; NULL if this is no inpatient stay that ended, is a transfer, or the 30 days are not over
    CASE WHEN s.left_at IS NOT NULL THEN coalesce(n.takes_over, false) END AS is_transfer -- of an inpatient stay that ended: whether another one, which began before or at its end, goes on after it
FROM (
    SELECT e.*,
        CASE WHEN e.is_open THEN CURRENT_TIMESTAMP ELSE e.ended END AS until,
        length(e.start_text) > 10 AND (e.is_open OR length(e.end_text) > 10) AS is_exact,
        length(e.start_text) >= 10 AND (e.is_open OR length(e.end_text) >= 10) AS is_to_the_day,
        CASE WHEN e.is_inpatient AND NOT e.is_open AND length(e.end_text) >= 10 AND e.ended >= coalesce(e.started, '-infinity') THEN e.ended END AS left_at
    FROM (
        SELECT t.*,
            t.class IN ('IMP', 'ACUTE', 'NONAC') AND NOT t.is_part AS is_inpatient,
            CASE WHEN t.status = 'finished' OR t.ended <= CURRENT_TIMESTAMP THEN false
                 WHEN t.status = 'unknown' OR t.started > CURRENT_TIMESTAMP THEN NULL
                 ELSE true END AS is_open
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
                fhir.path_text(r.resource, 'period.start') AS start_text,
                fhir.path_text(r.resource, 'period.end') AS end_text,
                fhir.path_timestamp(r.resource, 'period.start') AS started,
                fhir.path_timestamp(r.resource, 'period.end{last_moment}') AS ended,
                fhir.path_exists(r.resource, 'partOf') AS is_part
            FROM {lake}.encounter r
            WHERE fhir.path_text(r.resource, 'status') NOT IN ('planned', 'cancelled', 'entered-in-error')) t) e) s
LEFT JOIN LATERAL (
    SELECT o.id, o.started, o.takes_over,
        -- where a time is missing, the days of the calendar
        CASE WHEN length(s.end_text) > 10 AND length(o.start_text) > 10 THEN date_part('epoch', o.started - s.left_at)::numeric / 86400
             ELSE ((o.started AT TIME ZONE 'UTC')::date - (s.left_at AT TIME ZONE 'UTC')::date)::numeric END AS days
    FROM (
        SELECT b.*,
            b.started <= s.left_at AND CASE
                WHEN b.ended IS NULL THEN b.status NOT IN ('finished', 'unknown') OR b.started >= coalesce(s.started, 'infinity')
                WHEN b.ended = s.left_at THEN (b.started, b.id) > (coalesce(s.started, '-infinity'), s.id)
                ELSE b.ended > s.left_at END AS takes_over
        FROM (
            SELECT r.id,
                fhir.path_text(r.resource, 'status') AS status,
                fhir.path_text(r.resource, 'period.start') AS start_text,
                fhir.path_timestamp(r.resource, 'period.start') AS started,
                fhir.path_timestamp(r.resource, 'period.end{last_moment}') AS ended
            FROM {lake}.encounter r
            WHERE s.left_at IS NOT NULL
              AND r.compartment = s.compartment
              AND r.id <> s.id
              AND fhir.path_text(r.resource, 'status') NOT IN ('planned', 'cancelled', 'entered-in-error')
              AND fhir.path_text(r.resource, 'class.code') IN ('IMP', 'ACUTE', 'NONAC')
              AND NOT fhir.path_exists(r.resource, 'partOf')) b
        WHERE length(b.start_text) >= 10) o
    WHERE o.takes_over OR o.started > s.left_at
    ORDER BY o.takes_over DESC, o.started, o.id
    LIMIT 1) n ON true

-- One row for each patient, with counts over the record. What was entered in error, cancelled or refuted does not count, nor do
-- differential diagnoses; what belongs to several patients counts for the first of them.
SELECT
    p.id AS patient_id, -- id of the Patient
    fhir.path_text(p.resource, '(name.where(use = ''official'') | name).first().family') AS family_name, -- of the official name, or else the first
    fhir.path_text(p.resource, '(name.where(use = ''official'') | name).first().given.join('' '').where($this != '''')') AS given_name, -- of the official name, or else the first
    fhir.path_text(p.resource, 'gender') AS gender, -- male, female, other or unknown, for administration
    fhir.path_date(p.resource, 'birthDate') AS birth_date, -- the first day of it where only the month or year is known
    CASE WHEN fhir.path_boolean(p.resource, 'deceased.ofType(boolean) = true') THEN NULL
        WHEN fhir.path_date(p.resource, 'birthDate') > coalesce(fhir.path_date(p.resource, 'deceased.ofType(dateTime)'), CURRENT_DATE) THEN NULL
        ELSE date_part('year', age(coalesce(fhir.path_date(p.resource, 'deceased.ofType(dateTime)'), CURRENT_DATE)::timestamp,
            fhir.path_date(p.resource, 'birthDate')::timestamp))::integer END AS age, -- whole years today, or at death; NULL where the day of death is not known, or the birth date lies in the future
    coalesce(fhir.path_boolean(p.resource, 'deceased.ofType(dateTime).exists() or deceased.ofType(boolean) = true'), false) AS is_deceased, -- whether the record says so
    fhir.path_date(p.resource, 'deceased.ofType(dateTime)') AS deceased_date, -- day of death, where known
    coalesce(fhir.path_boolean(p.resource, 'active'), true) AS is_active, -- false where the record of the patient is no longer in use, such as one that was replaced by another
    fhir.path_text(p.resource, '(address.where(use = ''home'') | address).first().city') AS city, -- of the home address, or else the first
    fhir.path_text(p.resource, '(address.where(use = ''home'') | address).first().state') AS state, -- of the home address, or else the first
    fhir.path_text(p.resource, '(address.where(use = ''home'') | address).first().postalCode') AS postal_code, -- of the home address, or else the first
    (SELECT count(*) FROM {lake}.encounter e
        WHERE e.compartment = p.compartment
          AND fhir.path_text(e.resource, 'status') NOT IN ('planned', 'cancelled', 'entered-in-error')) AS encounters, -- how many took or take place
    (SELECT nullif(max(e.occurred), '-infinity') FROM {lake}.encounter e
        WHERE e.compartment = p.compartment
          AND fhir.path_text(e.resource, 'status') NOT IN ('planned', 'cancelled', 'entered-in-error')) AS last_encounter, -- when the latest of them began
    (SELECT count(DISTINCT coalesce(fhir.path_text(c.resource, 'code.coding.first().code'), fhir.path_text(c.resource, 'code.text'), c.id)) FROM {lake}.condition c
        WHERE c.compartment = p.compartment
          AND fhir.path_boolean(c.resource, 'verificationStatus.coding.where(code = ''refuted'' or code = ''entered-in-error'' or code = ''differential'').empty()')) AS conditions, -- how many different ones, by code
    (SELECT count(DISTINCT coalesce(fhir.path_text(c.resource, 'code.coding.first().code'), fhir.path_text(c.resource, 'code.text'), c.id)) FROM {lake}.condition c
        WHERE c.compartment = p.compartment
          AND fhir.path_boolean(c.resource, 'clinicalStatus.coding.where(code = ''active'' or code = ''recurrence'' or code = ''relapse'').exists()')
          AND fhir.path_boolean(c.resource, 'verificationStatus.coding.where(code = ''refuted'' or code = ''entered-in-error'' or code = ''differential'').empty()')) AS active_conditions, -- how many different ones are active, recurrent or relapsed
    (SELECT count(DISTINCT m.drug) FROM (
            SELECT coalesce(fhir.path_text(r.resource, 'medication.ofType(CodeableConcept).coding.first().code'), fhir.path_text(r.resource, 'medication.ofType(Reference).getReferenceKey()'),
                    fhir.path_text(r.resource, 'medication.ofType(CodeableConcept).text'), r.id) AS drug
                FROM {lake}.medicationrequest r
                WHERE r.compartment = p.compartment AND {request_is_active}
            UNION ALL
            SELECT coalesce(fhir.path_text(r.resource, 'medication.ofType(CodeableConcept).coding.first().code'), fhir.path_text(r.resource, 'medication.ofType(Reference).getReferenceKey()'),
                    fhir.path_text(r.resource, 'medication.ofType(CodeableConcept).text'), r.id)
                FROM {lake}.medicationstatement r
                WHERE r.compartment = p.compartment AND {statement_is_active}) m) AS active_medications, -- how many different drugs are ordered or stated as active: the rows of medication_active
    (SELECT count(*) FROM {lake}.allergyintolerance a
        WHERE a.compartment = p.compartment
          AND fhir.path_boolean(a.resource, 'clinicalStatus.coding.where(code = ''inactive'' or code = ''resolved'').empty()')
          AND fhir.path_boolean(a.resource, 'verificationStatus.coding.where(code = ''refuted'' or code = ''entered-in-error'').empty()')) AS allergies, -- how many allergies and intolerances are not inactive or resolved
    (SELECT count(*) FROM {lake}.procedure x
        WHERE x.compartment = p.compartment AND fhir.path_text(x.resource, 'status') IN ('in-progress', 'on-hold', 'stopped', 'completed', 'unknown')) AS procedures, -- how many were done, begun or broken off
    (SELECT count(*) FROM {lake}.immunization i
        WHERE i.compartment = p.compartment AND fhir.path_text(i.resource, 'status') = 'completed') AS immunizations, -- how many records of doses that were given
    (SELECT count(*) FROM {lake}.observation o
        WHERE o.compartment = p.compartment AND fhir.path_text(o.resource, 'status') NOT IN ('registered', 'cancelled', 'entered-in-error')) AS observations, -- how many have a result
    p.last_updated AS last_updated -- when the Patient was last stored; the rest of the record has its own times
FROM {lake}.patient p

-- Stands in for fhir.create_views('bi').
CREATE SCHEMA bi;
CREATE VIEW bi.condition WITH (security_invoker) AS SELECT r.id AS id,
 fhir.path_text(r.resource, 'subject.getReferenceKey(Patient)') AS patient_id,
 fhir.path_text(r.resource, 'meta.versionId') AS version_id,
 r.last_updated AS last_updated,
 fhir.path_text(r.resource, 'identifier.first().value') AS identifier,
 fhir.path_text(r.resource, 'identifier.first().system') AS identifier_system,
 fhir.path_text(r.resource, 'clinicalStatus.coding.first().code') AS clinical_status,
 fhir.path_text(r.resource, 'clinicalStatus.coding.first().display') AS clinical_status_display,
 fhir.path_text(r.resource, 'clinicalStatus.coding.first().system') AS clinical_status_system,
 fhir.path_text(r.resource, 'clinicalStatus.text') AS clinical_status_text,
 fhir.path_text(r.resource, 'verificationStatus.coding.first().code') AS verification_status,
 fhir.path_text(r.resource, 'verificationStatus.coding.first().display') AS verification_status_display,
 fhir.path_text(r.resource, 'verificationStatus.coding.first().system') AS verification_status_system,
 fhir.path_text(r.resource, 'verificationStatus.text') AS verification_status_text,
 fhir.path_text(r.resource, 'category.first().coding.first().code') AS category,
 fhir.path_text(r.resource, 'category.first().coding.first().display') AS category_display,
 fhir.path_text(r.resource, 'category.first().coding.first().system') AS category_system,
 fhir.path_text(r.resource, 'category.first().text') AS category_text,
 fhir.path_text(r.resource, 'severity.coding.first().code') AS severity,
 fhir.path_text(r.resource, 'severity.coding.first().display') AS severity_display,
 fhir.path_text(r.resource, 'severity.coding.first().system') AS severity_system,
 fhir.path_text(r.resource, 'severity.text') AS severity_text,
 fhir.path_text(r.resource, 'code.coding.first().code') AS code,
 fhir.path_text(r.resource, 'code.coding.first().display') AS code_display,
 fhir.path_text(r.resource, 'code.coding.first().system') AS code_system,
 fhir.path_text(r.resource, 'code.text') AS code_text,
 fhir.path_text(r.resource, 'bodySite.first().coding.first().code') AS body_site,
 fhir.path_text(r.resource, 'bodySite.first().coding.first().display') AS body_site_display,
 fhir.path_text(r.resource, 'bodySite.first().coding.first().system') AS body_site_system,
 fhir.path_text(r.resource, 'bodySite.first().text') AS body_site_text,
 fhir.path_text(r.resource, 'subject.getReferenceKey()') AS subject_id,
 fhir.path_text(r.resource, 'subject.display') AS subject_display,
 fhir.path_text(r.resource, 'encounter.getReferenceKey(Encounter)') AS encounter_id,
 fhir.path_text(r.resource, 'encounter.display') AS encounter_display,
 fhir.path_timestamp(r.resource, '(onset.ofType(dateTime) | onset.ofType(Period).start).first()') AS onset,
 fhir.path_timestamp(r.resource, 'onset.ofType(Period).end') AS onset_end,
 fhir.path_number(r.resource, 'onset.ofType(Age).value') AS onset_age,
 fhir.path_text(r.resource, 'onset.ofType(Age).unit') AS onset_age_unit,
 fhir.path_text(r.resource, 'onset.ofType(Age).code') AS onset_age_code,
 fhir.path_text(r.resource, 'onset.ofType(Age).comparator') AS onset_age_comparator,
 fhir.path_number(r.resource, 'onset.ofType(Range).low.value') AS onset_range_low,
 fhir.path_number(r.resource, 'onset.ofType(Range).high.value') AS onset_range_high,
 fhir.path_text(r.resource, 'onset.ofType(Range).select((low.unit | high.unit).first())') AS onset_range_unit,
 fhir.path_text(r.resource, 'onset.ofType(string)') AS onset_string,
 fhir.path_timestamp(r.resource, '(abatement.ofType(dateTime) | abatement.ofType(Period).start).first()') AS abatement,
 fhir.path_timestamp(r.resource, 'abatement.ofType(Period).end') AS abatement_end,
 fhir.path_number(r.resource, 'abatement.ofType(Age).value') AS abatement_age,
 fhir.path_text(r.resource, 'abatement.ofType(Age).unit') AS abatement_age_unit,
 fhir.path_text(r.resource, 'abatement.ofType(Age).code') AS abatement_age_code,
 fhir.path_text(r.resource, 'abatement.ofType(Age).comparator') AS abatement_age_comparator,
 fhir.path_number(r.resource, 'abatement.ofType(Range).low.value') AS abatement_range_low,
 fhir.path_number(r.resource, 'abatement.ofType(Range).high.value') AS abatement_range_high,
 fhir.path_text(r.resource, 'abatement.ofType(Range).select((low.unit | high.unit).first())') AS abatement_range_unit,
 fhir.path_text(r.resource, 'abatement.ofType(string)') AS abatement_string,
 fhir.path_timestamp(r.resource, 'recordedDate') AS recorded_date,
 fhir.path_text(r.resource, 'recorder.getReferenceKey()') AS recorder_id,
 fhir.path_text(r.resource, 'recorder.display') AS recorder_display,
 fhir.path_text(r.resource, 'asserter.getReferenceKey()') AS asserter_id,
 fhir.path_text(r.resource, 'asserter.display') AS asserter_display,
 fhir.path_text(r.resource, 'note.text.join('' | '')') AS note FROM lake.condition r;
COMMENT ON VIEW bi.condition IS 'One row for each Condition';
COMMENT ON COLUMN bi.condition.id IS 'Identifies the resource among those of its type';
COMMENT ON COLUMN bi.condition.patient_id IS 'The patient whom it is about: id of the Patient';
COMMENT ON COLUMN bi.condition.version_id IS 'Version of the resource';
COMMENT ON COLUMN bi.condition.last_updated IS 'When this version was stored';
COMMENT ON COLUMN bi.condition.identifier IS 'External Ids for this condition: value, of the first';
COMMENT ON COLUMN bi.condition.identifier_system IS 'External Ids for this condition: system of the value, of the first';
COMMENT ON COLUMN bi.condition.clinical_status IS 'active | recurrence | relapse | inactive | remission | resolved: code';
COMMENT ON COLUMN bi.condition.clinical_status_display IS 'active | recurrence | relapse | inactive | remission | resolved: what its system calls the code';
COMMENT ON COLUMN bi.condition.clinical_status_system IS 'active | recurrence | relapse | inactive | remission | resolved: system of the code';
COMMENT ON COLUMN bi.condition.clinical_status_text IS 'active | recurrence | relapse | inactive | remission | resolved: in words';
COMMENT ON COLUMN bi.condition.verification_status IS 'unconfirmed | provisional | differential | confirmed | refuted | entered-in-error: code';
COMMENT ON COLUMN bi.condition.verification_status_display IS 'unconfirmed | provisional | differential | confirmed | refuted | entered-in-error: what its system calls the code';
COMMENT ON COLUMN bi.condition.verification_status_system IS 'unconfirmed | provisional | differential | confirmed | refuted | entered-in-error: system of the code';
COMMENT ON COLUMN bi.condition.verification_status_text IS 'unconfirmed | provisional | differential | confirmed | refuted | entered-in-error: in words';
COMMENT ON COLUMN bi.condition.category IS 'problem-list-item | encounter-diagnosis: code, of the first';
COMMENT ON COLUMN bi.condition.category_display IS 'problem-list-item | encounter-diagnosis: what its system calls the code, of the first';
COMMENT ON COLUMN bi.condition.category_system IS 'problem-list-item | encounter-diagnosis: system of the code, of the first';
COMMENT ON COLUMN bi.condition.category_text IS 'problem-list-item | encounter-diagnosis: in words, of the first';
COMMENT ON COLUMN bi.condition.severity IS 'Subjective severity of condition: code';
COMMENT ON COLUMN bi.condition.severity_display IS 'Subjective severity of condition: what its system calls the code';
COMMENT ON COLUMN bi.condition.severity_system IS 'Subjective severity of condition: system of the code';
COMMENT ON COLUMN bi.condition.severity_text IS 'Subjective severity of condition: in words';
COMMENT ON COLUMN bi.condition.code IS 'Identification of the condition, problem or diagnosis: code';
COMMENT ON COLUMN bi.condition.code_display IS 'Identification of the condition, problem or diagnosis: what its system calls the code';
COMMENT ON COLUMN bi.condition.code_system IS 'Identification of the condition, problem or diagnosis: system of the code';
COMMENT ON COLUMN bi.condition.code_text IS 'Identification of the condition, problem or diagnosis: in words';
COMMENT ON COLUMN bi.condition.body_site IS 'Anatomical location, if relevant: code, of the first';
COMMENT ON COLUMN bi.condition.body_site_display IS 'Anatomical location, if relevant: what its system calls the code, of the first';
COMMENT ON COLUMN bi.condition.body_site_system IS 'Anatomical location, if relevant: system of the code, of the first';
COMMENT ON COLUMN bi.condition.body_site_text IS 'Anatomical location, if relevant: in words, of the first';
COMMENT ON COLUMN bi.condition.subject_id IS 'Who has the condition?: id of the resource';
COMMENT ON COLUMN bi.condition.subject_display IS 'Who has the condition?: in words';
COMMENT ON COLUMN bi.condition.encounter_id IS 'Encounter created as part of: id of the Encounter';
COMMENT ON COLUMN bi.condition.encounter_display IS 'Encounter created as part of: in words';
COMMENT ON COLUMN bi.condition.onset IS 'Estimated or actual date, date-time, or age: when, or when it began';
COMMENT ON COLUMN bi.condition.onset_end IS 'Estimated or actual date, date-time, or age: when it ended, of a period';
COMMENT ON COLUMN bi.condition.onset_age IS 'Estimated or actual date, date-time, or age: number';
COMMENT ON COLUMN bi.condition.onset_age_unit IS 'Estimated or actual date, date-time, or age: unit in words';
COMMENT ON COLUMN bi.condition.onset_age_code IS 'Estimated or actual date, date-time, or age: unit as a code';
COMMENT ON COLUMN bi.condition.onset_age_comparator IS 'Estimated or actual date, date-time, or age: how the number is to be read: < <= >= >';
COMMENT ON COLUMN bi.condition.onset_range_low IS 'Estimated or actual date, date-time, or age: lower limit';
COMMENT ON COLUMN bi.condition.onset_range_high IS 'Estimated or actual date, date-time, or age: upper limit';
COMMENT ON COLUMN bi.condition.onset_range_unit IS 'Estimated or actual date, date-time, or age: unit of the limits';
COMMENT ON COLUMN bi.condition.onset_string IS 'Estimated or actual date, date-time, or age';
COMMENT ON COLUMN bi.condition.abatement IS 'When in resolution/remission: when, or when it began';
COMMENT ON COLUMN bi.condition.abatement_end IS 'When in resolution/remission: when it ended, of a period';
COMMENT ON COLUMN bi.condition.abatement_age IS 'When in resolution/remission: number';
COMMENT ON COLUMN bi.condition.abatement_age_unit IS 'When in resolution/remission: unit in words';
COMMENT ON COLUMN bi.condition.abatement_age_code IS 'When in resolution/remission: unit as a code';
COMMENT ON COLUMN bi.condition.abatement_age_comparator IS 'When in resolution/remission: how the number is to be read: < <= >= >';
COMMENT ON COLUMN bi.condition.abatement_range_low IS 'When in resolution/remission: lower limit';
COMMENT ON COLUMN bi.condition.abatement_range_high IS 'When in resolution/remission: upper limit';
COMMENT ON COLUMN bi.condition.abatement_range_unit IS 'When in resolution/remission: unit of the limits';
COMMENT ON COLUMN bi.condition.abatement_string IS 'When in resolution/remission';
COMMENT ON COLUMN bi.condition.recorded_date IS 'Date record was first recorded';
COMMENT ON COLUMN bi.condition.recorder_id IS 'Who recorded the condition: id of the resource';
COMMENT ON COLUMN bi.condition.recorder_display IS 'Who recorded the condition: in words';
COMMENT ON COLUMN bi.condition.asserter_id IS 'Person who asserts this condition: id of the resource';
COMMENT ON COLUMN bi.condition.asserter_display IS 'Person who asserts this condition: in words';
COMMENT ON COLUMN bi.condition.note IS 'Additional information about the Condition: all of them';
CREATE VIEW bi.encounter WITH (security_invoker) AS SELECT r.id AS id,
 fhir.path_text(r.resource, 'subject.getReferenceKey(Patient)') AS patient_id,
 fhir.path_text(r.resource, 'meta.versionId') AS version_id,
 r.last_updated AS last_updated,
 fhir.path_text(r.resource, 'identifier.first().value') AS identifier,
 fhir.path_text(r.resource, 'identifier.first().system') AS identifier_system,
 fhir.path_text(r.resource, 'status') AS status,
 fhir.path_text(r.resource, 'class.code') AS class,
 fhir.path_text(r.resource, 'class.display') AS class_display,
 fhir.path_text(r.resource, 'class.system') AS class_system,
 fhir.path_text(r.resource, 'type.first().coding.first().code') AS type,
 fhir.path_text(r.resource, 'type.first().coding.first().display') AS type_display,
 fhir.path_text(r.resource, 'type.first().coding.first().system') AS type_system,
 fhir.path_text(r.resource, 'type.first().text') AS type_text,
 fhir.path_text(r.resource, 'serviceType.coding.first().code') AS service_type,
 fhir.path_text(r.resource, 'serviceType.coding.first().display') AS service_type_display,
 fhir.path_text(r.resource, 'serviceType.coding.first().system') AS service_type_system,
 fhir.path_text(r.resource, 'serviceType.text') AS service_type_text,
 fhir.path_text(r.resource, 'priority.coding.first().code') AS priority,
 fhir.path_text(r.resource, 'priority.coding.first().display') AS priority_display,
 fhir.path_text(r.resource, 'priority.coding.first().system') AS priority_system,
 fhir.path_text(r.resource, 'priority.text') AS priority_text,
 fhir.path_text(r.resource, 'subject.getReferenceKey()') AS subject_id,
 fhir.path_text(r.resource, 'subject.display') AS subject_display,
 fhir.path_text(r.resource, 'episodeOfCare.first().getReferenceKey(EpisodeOfCare)') AS episode_of_care_id,
 fhir.path_text(r.resource, 'basedOn.first().getReferenceKey(ServiceRequest)') AS based_on_id,
 fhir.path_text(r.resource, 'appointment.first().getReferenceKey(Appointment)') AS appointment_id,
 fhir.path_timestamp(r.resource, 'period.start') AS period_start,
 fhir.path_timestamp(r.resource, 'period.end') AS period_end,
 fhir.path_number(r.resource, 'length.value') AS length,
 fhir.path_text(r.resource, 'length.unit') AS length_unit,
 fhir.path_text(r.resource, 'length.code') AS length_code,
 fhir.path_text(r.resource, 'reasonCode.first().coding.first().code') AS reason_code,
 fhir.path_text(r.resource, 'reasonCode.first().coding.first().display') AS reason_code_display,
 fhir.path_text(r.resource, 'reasonCode.first().coding.first().system') AS reason_code_system,
 fhir.path_text(r.resource, 'reasonCode.first().text') AS reason_code_text,
 fhir.path_text(r.resource, 'reasonReference.first().getReferenceKey()') AS reason_reference_id,
 fhir.path_text(r.resource, 'account.first().getReferenceKey(Account)') AS account_id,
 fhir.path_text(r.resource, 'hospitalization.preAdmissionIdentifier.value') AS hospitalization_pre_admission_identifier,
 fhir.path_text(r.resource, 'hospitalization.origin.getReferenceKey()') AS hospitalization_origin_id,
 fhir.path_text(r.resource, 'hospitalization.admitSource.coding.first().code') AS hospitalization_admit_source,
 fhir.path_text(r.resource, 'hospitalization.admitSource.select((coding.first().display | text).first())') AS hospitalization_admit_source_display,
 fhir.path_text(r.resource, 'hospitalization.reAdmission.coding.first().code') AS hospitalization_re_admission,
 fhir.path_text(r.resource, 'hospitalization.reAdmission.select((coding.first().display | text).first())') AS hospitalization_re_admission_display,
 fhir.path_text(r.resource, 'hospitalization.dietPreference.first().coding.first().code') AS hospitalization_diet_preference,
 fhir.path_text(r.resource, 'hospitalization.dietPreference.first().select((coding.first().display | text).first())') AS hospitalization_diet_preference_display,
 fhir.path_text(r.resource, 'hospitalization.specialCourtesy.first().coding.first().code') AS hospitalization_special_courtesy,
 fhir.path_text(r.resource, 'hospitalization.specialCourtesy.first().select((coding.first().display | text).first())') AS hospitalization_special_courtesy_display,
 fhir.path_text(r.resource, 'hospitalization.specialArrangement.first().coding.first().code') AS hospitalization_special_arrangement,
 fhir.path_text(r.resource, 'hospitalization.specialArrangement.first().select((coding.first().display | text).first())') AS hospitalization_special_arrangement_display,
 fhir.path_text(r.resource, 'hospitalization.destination.getReferenceKey()') AS hospitalization_destination_id,
 fhir.path_text(r.resource, 'hospitalization.dischargeDisposition.coding.first().code') AS hospitalization_discharge_disposition,
 fhir.path_text(r.resource, 'hospitalization.dischargeDisposition.select((coding.first().display | text).first())') AS hospitalization_discharge_disposition_display,
 fhir.path_text(r.resource, 'serviceProvider.getReferenceKey(Organization)') AS service_provider_id,
 fhir.path_text(r.resource, 'serviceProvider.display') AS service_provider_display,
 fhir.path_text(r.resource, 'partOf.getReferenceKey(Encounter)') AS part_of_id,
 fhir.path_text(r.resource, 'partOf.display') AS part_of_display FROM lake.encounter r;
COMMENT ON VIEW bi.encounter IS 'One row for each Encounter';
COMMENT ON COLUMN bi.encounter.id IS 'Identifies the resource among those of its type';
COMMENT ON COLUMN bi.encounter.patient_id IS 'The patient whom it is about: id of the Patient';
COMMENT ON COLUMN bi.encounter.version_id IS 'Version of the resource';
COMMENT ON COLUMN bi.encounter.last_updated IS 'When this version was stored';
COMMENT ON COLUMN bi.encounter.identifier IS 'Identifier(s) by which this encounter is known: value, of the first';
COMMENT ON COLUMN bi.encounter.identifier_system IS 'Identifier(s) by which this encounter is known: system of the value, of the first';
COMMENT ON COLUMN bi.encounter.status IS 'planned | arrived | triaged | in-progress | onleave | finished | cancelled +';
COMMENT ON COLUMN bi.encounter.class IS 'Classification of patient encounter: code';
COMMENT ON COLUMN bi.encounter.class_display IS 'Classification of patient encounter: what its system calls the code';
COMMENT ON COLUMN bi.encounter.class_system IS 'Classification of patient encounter: system of the code';
COMMENT ON COLUMN bi.encounter.type IS 'Specific type of encounter: code, of the first';
COMMENT ON COLUMN bi.encounter.type_display IS 'Specific type of encounter: what its system calls the code, of the first';
COMMENT ON COLUMN bi.encounter.type_system IS 'Specific type of encounter: system of the code, of the first';
COMMENT ON COLUMN bi.encounter.type_text IS 'Specific type of encounter: in words, of the first';
COMMENT ON COLUMN bi.encounter.service_type IS 'Specific type of service: code';
COMMENT ON COLUMN bi.encounter.service_type_display IS 'Specific type of service: what its system calls the code';
COMMENT ON COLUMN bi.encounter.service_type_system IS 'Specific type of service: system of the code';
COMMENT ON COLUMN bi.encounter.service_type_text IS 'Specific type of service: in words';
COMMENT ON COLUMN bi.encounter.priority IS 'Indicates the urgency of the encounter: code';
COMMENT ON COLUMN bi.encounter.priority_display IS 'Indicates the urgency of the encounter: what its system calls the code';
COMMENT ON COLUMN bi.encounter.priority_system IS 'Indicates the urgency of the encounter: system of the code';
COMMENT ON COLUMN bi.encounter.priority_text IS 'Indicates the urgency of the encounter: in words';
COMMENT ON COLUMN bi.encounter.subject_id IS 'The patient or group present at the encounter: id of the resource';
COMMENT ON COLUMN bi.encounter.subject_display IS 'The patient or group present at the encounter: in words';
COMMENT ON COLUMN bi.encounter.episode_of_care_id IS 'Episode(s) of care that this encounter should be recorded against: id of the EpisodeOfCare, of the first';
COMMENT ON COLUMN bi.encounter.based_on_id IS 'The ServiceRequest that initiated this encounter: id of the ServiceRequest, of the first';
COMMENT ON COLUMN bi.encounter.appointment_id IS 'The appointment that scheduled this encounter: id of the Appointment, of the first';
COMMENT ON COLUMN bi.encounter.period_start IS 'The start and end time of the encounter: start';
COMMENT ON COLUMN bi.encounter.period_end IS 'The start and end time of the encounter: end';
COMMENT ON COLUMN bi.encounter.length IS 'Quantity of time the encounter lasted (less time absent): number';
COMMENT ON COLUMN bi.encounter.length_unit IS 'Quantity of time the encounter lasted (less time absent): unit in words';
COMMENT ON COLUMN bi.encounter.length_code IS 'Quantity of time the encounter lasted (less time absent): unit as a code';
COMMENT ON COLUMN bi.encounter.reason_code IS 'Coded reason the encounter takes place: code, of the first';
COMMENT ON COLUMN bi.encounter.reason_code_display IS 'Coded reason the encounter takes place: what its system calls the code, of the first';
COMMENT ON COLUMN bi.encounter.reason_code_system IS 'Coded reason the encounter takes place: system of the code, of the first';
COMMENT ON COLUMN bi.encounter.reason_code_text IS 'Coded reason the encounter takes place: in words, of the first';
COMMENT ON COLUMN bi.encounter.reason_reference_id IS 'Reason the encounter takes place (reference): id of the resource, of the first';
COMMENT ON COLUMN bi.encounter.account_id IS 'The set of accounts that may be used for billing for this Encounter: id of the Account, of the first';
COMMENT ON COLUMN bi.encounter.hospitalization_pre_admission_identifier IS 'Pre-admission identifier: value';
COMMENT ON COLUMN bi.encounter.hospitalization_origin_id IS 'The location/organization from which the patient came before admission: id of the resource';
COMMENT ON COLUMN bi.encounter.hospitalization_admit_source IS 'From where patient was admitted (physician referral, transfer): code';
COMMENT ON COLUMN bi.encounter.hospitalization_admit_source_display IS 'From where patient was admitted (physician referral, transfer): what its system calls the code, or else in words';
COMMENT ON COLUMN bi.encounter.hospitalization_re_admission IS 'The type of hospital re-admission that has occurred (if any). If the value is absent, then this is not identified as a readmission: code';
COMMENT ON COLUMN bi.encounter.hospitalization_re_admission_display IS 'The type of hospital re-admission that has occurred (if any). If the value is absent, then this is not identified as a readmission: what its system calls the code, or else in words';
COMMENT ON COLUMN bi.encounter.hospitalization_diet_preference IS 'Diet preferences reported by the patient: code, of the first';
COMMENT ON COLUMN bi.encounter.hospitalization_diet_preference_display IS 'Diet preferences reported by the patient: what its system calls the code, or else in words, of the first';
COMMENT ON COLUMN bi.encounter.hospitalization_special_courtesy IS 'Special courtesies (VIP, board member): code, of the first';
COMMENT ON COLUMN bi.encounter.hospitalization_special_courtesy_display IS 'Special courtesies (VIP, board member): what its system calls the code, or else in words, of the first';
COMMENT ON COLUMN bi.encounter.hospitalization_special_arrangement IS 'Wheelchair, translator, stretcher, etc.: code, of the first';
COMMENT ON COLUMN bi.encounter.hospitalization_special_arrangement_display IS 'Wheelchair, translator, stretcher, etc.: what its system calls the code, or else in words, of the first';
COMMENT ON COLUMN bi.encounter.hospitalization_destination_id IS 'Location/organization to which the patient is discharged: id of the resource';
COMMENT ON COLUMN bi.encounter.hospitalization_discharge_disposition IS 'Category or kind of location after discharge: code';
COMMENT ON COLUMN bi.encounter.hospitalization_discharge_disposition_display IS 'Category or kind of location after discharge: what its system calls the code, or else in words';
COMMENT ON COLUMN bi.encounter.service_provider_id IS 'The organization (facility) responsible for this encounter: id of the Organization';
COMMENT ON COLUMN bi.encounter.service_provider_display IS 'The organization (facility) responsible for this encounter: in words';
COMMENT ON COLUMN bi.encounter.part_of_id IS 'Another Encounter this encounter is part of: id of the Encounter';
COMMENT ON COLUMN bi.encounter.part_of_display IS 'Another Encounter this encounter is part of: in words';
CREATE VIEW bi.observation WITH (security_invoker) AS SELECT r.id AS id,
 fhir.path_text(r.resource, 'subject.getReferenceKey(Patient)') AS patient_id,
 fhir.path_text(r.resource, 'meta.versionId') AS version_id,
 r.last_updated AS last_updated,
 fhir.path_text(r.resource, 'identifier.first().value') AS identifier,
 fhir.path_text(r.resource, 'identifier.first().system') AS identifier_system,
 fhir.path_text(r.resource, 'basedOn.first().getReferenceKey()') AS based_on_id,
 fhir.path_text(r.resource, 'partOf.first().getReferenceKey()') AS part_of_id,
 fhir.path_text(r.resource, 'status') AS status,
 fhir.path_text(r.resource, 'category.first().coding.first().code') AS category,
 fhir.path_text(r.resource, 'category.first().coding.first().display') AS category_display,
 fhir.path_text(r.resource, 'category.first().coding.first().system') AS category_system,
 fhir.path_text(r.resource, 'category.first().text') AS category_text,
 fhir.path_text(r.resource, 'code.coding.first().code') AS code,
 fhir.path_text(r.resource, 'code.coding.first().display') AS code_display,
 fhir.path_text(r.resource, 'code.coding.first().system') AS code_system,
 fhir.path_text(r.resource, 'code.text') AS code_text,
 fhir.path_text(r.resource, 'subject.getReferenceKey()') AS subject_id,
 fhir.path_text(r.resource, 'subject.display') AS subject_display,
 fhir.path_text(r.resource, 'focus.first().getReferenceKey()') AS focus_id,
 fhir.path_text(r.resource, 'encounter.getReferenceKey(Encounter)') AS encounter_id,
 fhir.path_text(r.resource, 'encounter.display') AS encounter_display,
 fhir.path_timestamp(r.resource, '(effective.ofType(dateTime) | effective.ofType(instant) | effective.ofType(Period).start | effective.ofType(Timing).event.first() | effective.ofType(Timing).repeat.bounds.ofType(Period).start).first()') AS effective,
 fhir.path_timestamp(r.resource, '(effective.ofType(Period).end | effective.ofType(Timing).repeat.bounds.ofType(Period).end).first()') AS effective_end,
 fhir.path_timestamp(r.resource, 'issued') AS issued,
 fhir.path_text(r.resource, 'performer.first().getReferenceKey()') AS performer_id,
 fhir.path_boolean(r.resource, 'value.ofType(boolean)') AS value_boolean,
 fhir.path_text(r.resource, 'value.ofType(CodeableConcept).coding.first().code') AS value_code,
 fhir.path_text(r.resource, 'value.ofType(CodeableConcept).coding.first().display') AS value_code_display,
 fhir.path_text(r.resource, 'value.ofType(CodeableConcept).coding.first().system') AS value_code_system,
 fhir.path_text(r.resource, 'value.ofType(CodeableConcept).text') AS value_code_text,
 fhir.path_timestamp(r.resource, 'value.ofType(dateTime)') AS value_date_time,
 fhir.path_text(r.resource, 'value.ofType(integer)')::integer AS value_integer,
 fhir.path_timestamp(r.resource, 'value.ofType(Period).start') AS value_start,
 fhir.path_timestamp(r.resource, 'value.ofType(Period).end') AS value_end,
 fhir.path_number(r.resource, 'value.ofType(Quantity).value') AS value_quantity,
 fhir.path_text(r.resource, 'value.ofType(Quantity).unit') AS value_quantity_unit,
 fhir.path_text(r.resource, 'value.ofType(Quantity).code') AS value_quantity_code,
 fhir.path_text(r.resource, 'value.ofType(Quantity).comparator') AS value_quantity_comparator,
 fhir.path_number(r.resource, 'value.ofType(Range).low.value') AS value_range_low,
 fhir.path_number(r.resource, 'value.ofType(Range).high.value') AS value_range_high,
 fhir.path_text(r.resource, 'value.ofType(Range).select((low.unit | high.unit).first())') AS value_range_unit,
 fhir.path_number(r.resource, 'value.ofType(Ratio).numerator.value') AS value_ratio_numerator,
 fhir.path_text(r.resource, 'value.ofType(Ratio).numerator.unit') AS value_ratio_numerator_unit,
 fhir.path_number(r.resource, 'value.ofType(Ratio).denominator.value') AS value_ratio_denominator,
 fhir.path_text(r.resource, 'value.ofType(Ratio).denominator.unit') AS value_ratio_denominator_unit,
 fhir.path_text(r.resource, 'value.ofType(string)') AS value_string,
 fhir.path_text(r.resource, 'value.ofType(time)') AS value_time,
 fhir.path_text(r.resource, 'dataAbsentReason.coding.first().code') AS data_absent_reason,
 fhir.path_text(r.resource, 'dataAbsentReason.coding.first().display') AS data_absent_reason_display,
 fhir.path_text(r.resource, 'dataAbsentReason.coding.first().system') AS data_absent_reason_system,
 fhir.path_text(r.resource, 'dataAbsentReason.text') AS data_absent_reason_text,
 fhir.path_text(r.resource, 'interpretation.first().coding.first().code') AS interpretation,
 fhir.path_text(r.resource, 'interpretation.first().coding.first().display') AS interpretation_display,
 fhir.path_text(r.resource, 'interpretation.first().coding.first().system') AS interpretation_system,
 fhir.path_text(r.resource, 'interpretation.first().text') AS interpretation_text,
 fhir.path_text(r.resource, 'note.text.join('' | '')') AS note,
 fhir.path_text(r.resource, 'bodySite.coding.first().code') AS body_site,
 fhir.path_text(r.resource, 'bodySite.coding.first().display') AS body_site_display,
 fhir.path_text(r.resource, 'bodySite.coding.first().system') AS body_site_system,
 fhir.path_text(r.resource, 'bodySite.text') AS body_site_text,
 fhir.path_text(r.resource, 'method.coding.first().code') AS method,
 fhir.path_text(r.resource, 'method.coding.first().display') AS method_display,
 fhir.path_text(r.resource, 'method.coding.first().system') AS method_system,
 fhir.path_text(r.resource, 'method.text') AS method_text,
 fhir.path_text(r.resource, 'specimen.getReferenceKey(Specimen)') AS specimen_id,
 fhir.path_text(r.resource, 'specimen.display') AS specimen_display,
 fhir.path_text(r.resource, 'device.getReferenceKey()') AS device_id,
 fhir.path_text(r.resource, 'device.display') AS device_display,
 fhir.path_text(r.resource, 'hasMember.first().getReferenceKey()') AS has_member_id,
 fhir.path_text(r.resource, 'derivedFrom.first().getReferenceKey()') AS derived_from_id FROM lake.observation r;
COMMENT ON VIEW bi.observation IS 'One row for each Observation';
COMMENT ON COLUMN bi.observation.id IS 'Identifies the resource among those of its type';
COMMENT ON COLUMN bi.observation.patient_id IS 'The patient whom it is about: id of the Patient';
COMMENT ON COLUMN bi.observation.version_id IS 'Version of the resource';
COMMENT ON COLUMN bi.observation.last_updated IS 'When this version was stored';
COMMENT ON COLUMN bi.observation.identifier IS 'Business Identifier for observation: value, of the first';
COMMENT ON COLUMN bi.observation.identifier_system IS 'Business Identifier for observation: system of the value, of the first';
COMMENT ON COLUMN bi.observation.based_on_id IS 'Fulfills plan, proposal or order: id of the resource, of the first';
COMMENT ON COLUMN bi.observation.part_of_id IS 'Part of referenced event: id of the resource, of the first';
COMMENT ON COLUMN bi.observation.status IS 'registered | preliminary | final | amended +';
COMMENT ON COLUMN bi.observation.category IS 'Classification of type of observation: code, of the first';
COMMENT ON COLUMN bi.observation.category_display IS 'Classification of type of observation: what its system calls the code, of the first';
COMMENT ON COLUMN bi.observation.category_system IS 'Classification of type of observation: system of the code, of the first';
COMMENT ON COLUMN bi.observation.category_text IS 'Classification of type of observation: in words, of the first';
COMMENT ON COLUMN bi.observation.code IS 'Type of observation (code / type): code';
COMMENT ON COLUMN bi.observation.code_display IS 'Type of observation (code / type): what its system calls the code';
COMMENT ON COLUMN bi.observation.code_system IS 'Type of observation (code / type): system of the code';
COMMENT ON COLUMN bi.observation.code_text IS 'Type of observation (code / type): in words';
COMMENT ON COLUMN bi.observation.subject_id IS 'Who and/or what the observation is about: id of the resource';
COMMENT ON COLUMN bi.observation.subject_display IS 'Who and/or what the observation is about: in words';
COMMENT ON COLUMN bi.observation.focus_id IS 'What the observation is about, when it is not about the subject of record: id of the resource, of the first';
COMMENT ON COLUMN bi.observation.encounter_id IS 'Healthcare event during which this observation is made: id of the Encounter';
COMMENT ON COLUMN bi.observation.encounter_display IS 'Healthcare event during which this observation is made: in words';
COMMENT ON COLUMN bi.observation.effective IS 'Clinically relevant time/time-period for observation: when, or when it began';
COMMENT ON COLUMN bi.observation.effective_end IS 'Clinically relevant time/time-period for observation: when it ended, of a period';
COMMENT ON COLUMN bi.observation.issued IS 'Date/Time this version was made available';
COMMENT ON COLUMN bi.observation.performer_id IS 'Who is responsible for the observation: id of the resource, of the first';
COMMENT ON COLUMN bi.observation.value_boolean IS 'Actual result';
COMMENT ON COLUMN bi.observation.value_code IS 'Actual result: code';
COMMENT ON COLUMN bi.observation.value_code_display IS 'Actual result: what its system calls the code';
COMMENT ON COLUMN bi.observation.value_code_system IS 'Actual result: system of the code';
COMMENT ON COLUMN bi.observation.value_code_text IS 'Actual result: in words';
COMMENT ON COLUMN bi.observation.value_date_time IS 'Actual result';
COMMENT ON COLUMN bi.observation.value_integer IS 'Actual result';
COMMENT ON COLUMN bi.observation.value_start IS 'Actual result: start';
COMMENT ON COLUMN bi.observation.value_end IS 'Actual result: end';
COMMENT ON COLUMN bi.observation.value_quantity IS 'Actual result: number';
COMMENT ON COLUMN bi.observation.value_quantity_unit IS 'Actual result: unit in words';
COMMENT ON COLUMN bi.observation.value_quantity_code IS 'Actual result: unit as a code';
COMMENT ON COLUMN bi.observation.value_quantity_comparator IS 'Actual result: how the number is to be read: < <= >= >';
COMMENT ON COLUMN bi.observation.value_range_low IS 'Actual result: lower limit';
COMMENT ON COLUMN bi.observation.value_range_high IS 'Actual result: upper limit';
COMMENT ON COLUMN bi.observation.value_range_unit IS 'Actual result: unit of the limits';
COMMENT ON COLUMN bi.observation.value_ratio_numerator IS 'Actual result: numerator';
COMMENT ON COLUMN bi.observation.value_ratio_numerator_unit IS 'Actual result: unit of the numerator';
COMMENT ON COLUMN bi.observation.value_ratio_denominator IS 'Actual result: denominator';
COMMENT ON COLUMN bi.observation.value_ratio_denominator_unit IS 'Actual result: unit of the denominator';
COMMENT ON COLUMN bi.observation.value_string IS 'Actual result';
COMMENT ON COLUMN bi.observation.value_time IS 'Actual result';
COMMENT ON COLUMN bi.observation.data_absent_reason IS 'Why the result is missing: code';
COMMENT ON COLUMN bi.observation.data_absent_reason_display IS 'Why the result is missing: what its system calls the code';
COMMENT ON COLUMN bi.observation.data_absent_reason_system IS 'Why the result is missing: system of the code';
COMMENT ON COLUMN bi.observation.data_absent_reason_text IS 'Why the result is missing: in words';
COMMENT ON COLUMN bi.observation.interpretation IS 'High, low, normal, etc.: code, of the first';
COMMENT ON COLUMN bi.observation.interpretation_display IS 'High, low, normal, etc.: what its system calls the code, of the first';
COMMENT ON COLUMN bi.observation.interpretation_system IS 'High, low, normal, etc.: system of the code, of the first';
COMMENT ON COLUMN bi.observation.interpretation_text IS 'High, low, normal, etc.: in words, of the first';
COMMENT ON COLUMN bi.observation.note IS 'Comments about the observation: all of them';
COMMENT ON COLUMN bi.observation.body_site IS 'Observed body part: code';
COMMENT ON COLUMN bi.observation.body_site_display IS 'Observed body part: what its system calls the code';
COMMENT ON COLUMN bi.observation.body_site_system IS 'Observed body part: system of the code';
COMMENT ON COLUMN bi.observation.body_site_text IS 'Observed body part: in words';
COMMENT ON COLUMN bi.observation.method IS 'How it was done: code';
COMMENT ON COLUMN bi.observation.method_display IS 'How it was done: what its system calls the code';
COMMENT ON COLUMN bi.observation.method_system IS 'How it was done: system of the code';
COMMENT ON COLUMN bi.observation.method_text IS 'How it was done: in words';
COMMENT ON COLUMN bi.observation.specimen_id IS 'Specimen used for this observation: id of the Specimen';
COMMENT ON COLUMN bi.observation.specimen_display IS 'Specimen used for this observation: in words';
COMMENT ON COLUMN bi.observation.device_id IS '(Measurement) Device: id of the resource';
COMMENT ON COLUMN bi.observation.device_display IS '(Measurement) Device: in words';
COMMENT ON COLUMN bi.observation.has_member_id IS 'Related resource that belongs to the Observation group: id of the resource, of the first';
COMMENT ON COLUMN bi.observation.derived_from_id IS 'Related measurements the observation is made from: id of the resource, of the first';
CREATE VIEW bi.patient WITH (security_invoker) AS SELECT r.id AS id,
 fhir.path_text(r.resource, 'meta.versionId') AS version_id,
 r.last_updated AS last_updated,
 fhir.path_text(r.resource, 'identifier.first().value') AS identifier,
 fhir.path_text(r.resource, 'identifier.first().system') AS identifier_system,
 fhir.path_boolean(r.resource, 'active') AS active,
 fhir.path_text(r.resource, '(name.where(use = ''official'') | name).first().family') AS name_family,
 fhir.path_text(r.resource, '(name.where(use = ''official'') | name).first().given.join('' '')') AS name_given,
 fhir.path_text(r.resource, '(name.where(use = ''official'') | name).first().select(iif(text.exists(), text, iif(given.exists() or family.exists(), given.combine(family).join('' ''))))') AS name_text,
 fhir.path_text(r.resource, 'telecom.where(system = ''phone'').first().value') AS telecom_phone,
 fhir.path_text(r.resource, 'telecom.where(system = ''email'').first().value') AS telecom_email,
 fhir.path_text(r.resource, 'gender') AS gender,
 fhir.path_date(r.resource, 'birthDate') AS birth_date,
 fhir.path_boolean(r.resource, 'deceased.ofType(boolean)') AS deceased_boolean,
 fhir.path_timestamp(r.resource, 'deceased.ofType(dateTime)') AS deceased_date_time,
 fhir.path_text(r.resource, '(address.where(use = ''home'') | address).first().line.join('', '')') AS address_line,
 fhir.path_text(r.resource, '(address.where(use = ''home'') | address).first().city') AS address_city,
 fhir.path_text(r.resource, '(address.where(use = ''home'') | address).first().district') AS address_district,
 fhir.path_text(r.resource, '(address.where(use = ''home'') | address).first().state') AS address_state,
 fhir.path_text(r.resource, '(address.where(use = ''home'') | address).first().postalCode') AS address_postal_code,
 fhir.path_text(r.resource, '(address.where(use = ''home'') | address).first().country') AS address_country,
 fhir.path_text(r.resource, 'maritalStatus.coding.first().code') AS marital_status,
 fhir.path_text(r.resource, 'maritalStatus.coding.first().display') AS marital_status_display,
 fhir.path_text(r.resource, 'maritalStatus.coding.first().system') AS marital_status_system,
 fhir.path_text(r.resource, 'maritalStatus.text') AS marital_status_text,
 fhir.path_boolean(r.resource, 'multipleBirth.ofType(boolean)') AS multiple_birth_boolean,
 fhir.path_text(r.resource, 'multipleBirth.ofType(integer)')::integer AS multiple_birth_integer,
 fhir.path_text(r.resource, 'photo.first().contentType') AS photo_content_type,
 fhir.path_text(r.resource, 'photo.first().url') AS photo_url,
 fhir.path_text(r.resource, 'photo.first().title') AS photo_title,
 fhir.path_text(r.resource, 'generalPractitioner.first().getReferenceKey()') AS general_practitioner_id,
 fhir.path_text(r.resource, 'managingOrganization.getReferenceKey(Organization)') AS managing_organization_id,
 fhir.path_text(r.resource, 'managingOrganization.display') AS managing_organization_display,
 fhir.path_text(r.resource, 'extension(''http://hl7.org/fhir/us/core/StructureDefinition/us-core-race'').extension(''ombCategory'').value.ofType(Coding).first().code') AS race,
 fhir.path_text(r.resource, 'extension(''http://hl7.org/fhir/us/core/StructureDefinition/us-core-race'').extension(''ombCategory'').value.ofType(Coding).first().display') AS race_display,
 fhir.path_text(r.resource, 'extension(''http://hl7.org/fhir/us/core/StructureDefinition/us-core-race'').extension(''text'').value.ofType(string).first()') AS race_text,
 fhir.path_text(r.resource, 'extension(''http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity'').extension(''ombCategory'').value.ofType(Coding).first().code') AS ethnicity,
 fhir.path_text(r.resource, 'extension(''http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity'').extension(''ombCategory'').value.ofType(Coding).first().display') AS ethnicity_display,
 fhir.path_text(r.resource, 'extension(''http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity'').extension(''text'').value.ofType(string).first()') AS ethnicity_text,
 fhir.path_text(r.resource, 'extension(''http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex'').value.ofType(code).first()') AS birth_sex FROM lake.patient r;
COMMENT ON VIEW bi.patient IS 'One row for each Patient';
COMMENT ON COLUMN bi.patient.id IS 'Identifies the resource among those of its type';
COMMENT ON COLUMN bi.patient.version_id IS 'Version of the resource';
COMMENT ON COLUMN bi.patient.last_updated IS 'When this version was stored';
COMMENT ON COLUMN bi.patient.identifier IS 'An identifier for this patient: value, of the first';
COMMENT ON COLUMN bi.patient.identifier_system IS 'An identifier for this patient: system of the value, of the first';
COMMENT ON COLUMN bi.patient.active IS 'Whether this patient''s record is in active use';
COMMENT ON COLUMN bi.patient.name_family IS 'A name associated with the patient: family name, of the official name or else the first';
COMMENT ON COLUMN bi.patient.name_given IS 'A name associated with the patient: given names, of the official name or else the first';
COMMENT ON COLUMN bi.patient.name_text IS 'A name associated with the patient: whole name, the official one or else the first';
COMMENT ON COLUMN bi.patient.telecom_phone IS 'A contact detail for the individual: first phone number';
COMMENT ON COLUMN bi.patient.telecom_email IS 'A contact detail for the individual: first email address';
COMMENT ON COLUMN bi.patient.gender IS 'male | female | other | unknown';
COMMENT ON COLUMN bi.patient.birth_date IS 'The date of birth for the individual';
COMMENT ON COLUMN bi.patient.deceased_boolean IS 'Indicates if the individual is deceased or not';
COMMENT ON COLUMN bi.patient.deceased_date_time IS 'Indicates if the individual is deceased or not';
COMMENT ON COLUMN bi.patient.address_line IS 'An address for the individual: street, of the home or else the first';
COMMENT ON COLUMN bi.patient.address_city IS 'An address for the individual: city, of the home or else the first';
COMMENT ON COLUMN bi.patient.address_district IS 'An address for the individual: district or county, of the home or else the first';
COMMENT ON COLUMN bi.patient.address_state IS 'An address for the individual: state, of the home or else the first';
COMMENT ON COLUMN bi.patient.address_postal_code IS 'An address for the individual: postal code, of the home or else the first';
COMMENT ON COLUMN bi.patient.address_country IS 'An address for the individual: country, of the home or else the first';
COMMENT ON COLUMN bi.patient.marital_status IS 'Marital (civil) status of a patient: code';
COMMENT ON COLUMN bi.patient.marital_status_display IS 'Marital (civil) status of a patient: what its system calls the code';
COMMENT ON COLUMN bi.patient.marital_status_system IS 'Marital (civil) status of a patient: system of the code';
COMMENT ON COLUMN bi.patient.marital_status_text IS 'Marital (civil) status of a patient: in words';
COMMENT ON COLUMN bi.patient.multiple_birth_boolean IS 'Whether patient is part of a multiple birth';
COMMENT ON COLUMN bi.patient.multiple_birth_integer IS 'Whether patient is part of a multiple birth';
COMMENT ON COLUMN bi.patient.photo_content_type IS 'Image of the patient: kind of content, of the first';
COMMENT ON COLUMN bi.patient.photo_url IS 'Image of the patient: where it is found, of the first';
COMMENT ON COLUMN bi.patient.photo_title IS 'Image of the patient: title, of the first';
COMMENT ON COLUMN bi.patient.general_practitioner_id IS 'Patient''s nominated primary care provider: id of the resource, of the first';
COMMENT ON COLUMN bi.patient.managing_organization_id IS 'Organization that is the custodian of the patient record: id of the Organization';
COMMENT ON COLUMN bi.patient.managing_organization_display IS 'Organization that is the custodian of the patient record: in words';
COMMENT ON COLUMN bi.patient.race IS 'Race (US Core): code of the first OMB category';
COMMENT ON COLUMN bi.patient.race_display IS 'Race (US Core): first OMB category';
COMMENT ON COLUMN bi.patient.race_text IS 'Race (US Core): in words';
COMMENT ON COLUMN bi.patient.ethnicity IS 'Ethnicity (US Core): code of the OMB category';
COMMENT ON COLUMN bi.patient.ethnicity_display IS 'Ethnicity (US Core): OMB category';
COMMENT ON COLUMN bi.patient.ethnicity_text IS 'Ethnicity (US Core): in words';
COMMENT ON COLUMN bi.patient.birth_sex IS 'Birth sex (US Core): F | M | UNK';

//! What the published definitions say, asked through the look-ups.

use super::*;

fn id(name: &str) -> TypeId {
    type_named(name).unwrap_or_else(|| panic!("no type {name}"))
}

fn field(ty: &str, name: &str) -> &'static Field {
    id(ty).get().field(name).unwrap_or_else(|| panic!("no field {ty}.{name}"))
}

fn names(ids: &[TypeId]) -> Vec<&'static str> {
    ids.iter().map(|t| t.name()).collect()
}

#[test]
fn r4_has_146_concrete_resource_types() {
    // 148 with the abstract Resource and DomainResource.
    assert_eq!(resource_types().count(), 146);
    assert_eq!(TYPES.iter().filter(|t| t.kind == Kind::Resource).count(), 148);
    assert_eq!(TYPES.iter().filter(|t| t.kind == Kind::Primitive).count(), 20);
}

#[test]
fn tables_are_sorted_without_duplicates() {
    assert!(TYPES.is_sorted_by(|a, b| a.name < b.name));
    assert!(VALUE_SETS.is_sorted_by(|a, b| a.url < b.url));
    assert!(SEARCH_PARAMETERS.is_sorted_by(|a, b| (a.code, a.url) < (b.code, b.url)));
    assert!(COMPARTMENTS.is_sorted_by(|a, b| (a.ty, a.compartment) < (b.ty, b.compartment)));
    assert!(INVARIANTS.is_sorted_by(|a, b| (a.path, a.key) <= (b.path, b.key)));
    for ty in TYPES {
        assert!(ty.fields.is_sorted_by(|a, b| a.name < b.name), "{}", ty.name);
        for f in ty.fields {
            assert!(f.name.starts_with(ty.elements[usize::from(f.element)].name), "{}.{}", ty.name, f.name);
        }
    }
    for set in VALUE_SETS {
        assert!(set.codes.is_sorted_by(|(s, c), (t, d)| (c, s) < (d, t)), "{}", set.url);
    }
}

#[test]
fn every_name_is_found_again() {
    for (i, ty) in TYPES.iter().enumerate() {
        assert_eq!(type_named(ty.name), Some(TypeId(i as u16)));
        for f in ty.fields {
            assert_eq!(ty.field(f.name).map(|g| g.name), Some(f.name));
        }
    }
    assert_eq!(type_named("patient"), None);
    assert_eq!(type_named(""), None);
}

#[test]
fn constants_name_their_types() {
    for (constant, name) in [
        (RESOURCE, "Resource"),
        (DOMAIN_RESOURCE, "DomainResource"),
        (ELEMENT, "Element"),
        (BACKBONE_ELEMENT, "BackboneElement"),
        (EXTENSION, "Extension"),
        (REFERENCE, "Reference"),
        (CODEABLE_CONCEPT, "CodeableConcept"),
        (STRING, "string"),
        (DATE_TIME, "dateTime"),
        (BASE64_BINARY, "base64Binary"),
        (POSITIVE_INT, "positiveInt"),
        (XHTML, "xhtml"),
    ] {
        assert_eq!(constant.name(), name);
    }
}

#[test]
fn nested_elements_have_types_named_by_their_path() {
    let contact = field("Patient", "contact");
    assert_eq!(contact.ty.name(), "Patient.contact");
    assert_eq!(contact.ty.get().kind, Kind::Backbone);
    assert_eq!(contact.ty.get().base, Some(BACKBONE_ELEMENT));
    assert_eq!(field("Patient.contact", "name").ty, HUMAN_NAME);
    assert_eq!(field("Patient.contact", "modifierExtension").ty, EXTENSION);
    // Inside a datatype they derive from Element, which has no modifierExtension.
    assert_eq!(field("Timing", "repeat").ty.get().base, Some(ELEMENT));
    assert!(id("Timing.repeat").get().field("modifierExtension").is_none());
}

#[test]
fn a_choice_has_one_field_for_each_type() {
    let observation = id("Observation").get();
    let value: Vec<_> = observation
        .fields
        .iter()
        .filter(|f| observation.elements[usize::from(f.element)].name == "value")
        .map(|f| (f.name, f.ty.name()))
        .collect();
    assert_eq!(
        value,
        [
            ("valueBoolean", "boolean"),
            ("valueCodeableConcept", "CodeableConcept"),
            ("valueDateTime", "dateTime"),
            ("valueInteger", "integer"),
            ("valuePeriod", "Period"),
            ("valueQuantity", "Quantity"),
            ("valueRange", "Range"),
            ("valueRatio", "Ratio"),
            ("valueSampledData", "SampledData"),
            ("valueString", "string"),
            ("valueTime", "time"),
        ]
    );
    assert!(observation.field("value").is_none());
    assert_eq!(EXTENSION.get().fields.iter().filter(|f| f.name.starts_with("value")).count(), 50);
}

#[test]
fn cardinalities_are_those_of_the_definition() {
    let status = field("Observation", "status");
    let element = &id("Observation").get().elements[usize::from(status.element)];
    assert_eq!((element.min, element.max, element.is_choice), (1, 1, false));
    let name = &id("Patient").get().elements[usize::from(field("Patient", "name").element)];
    assert_eq!((name.min, name.max), (0, u16::MAX));
    // A profile-like specialisation keeps the elements of its base.
    assert_eq!(field("Age", "value").ty, DECIMAL);
}

#[test]
fn elements_say_whether_they_are_summary_or_modifier() {
    let flags = |ty: &str, name: &str| {
        let e = id(ty).get().elements.iter().find(|e| e.name == name).unwrap_or_else(|| panic!("no {ty}.{name}"));
        (e.is_summary, e.is_modifier)
    };
    assert_eq!(flags("Patient", "active"), (true, true));
    assert_eq!(flags("Patient", "name"), (true, false));
    assert_eq!(flags("Patient", "maritalStatus"), (false, false));
    // marked so on the resource, unlike on the nested elements
    assert_eq!(flags("Patient", "modifierExtension"), (false, true));
    assert_eq!(flags("Patient.link", "modifierExtension"), (true, true));
    assert_eq!(flags("Attachment", "data"), (false, false));
    assert_eq!(flags("Age", "value"), (true, false));
}

#[test]
fn elements_stand_in_the_order_of_the_definition() {
    let patient: Vec<_> = id("Patient").get().elements.iter().map(|e| e.name).take(11).collect();
    assert_eq!(
        patient,
        [
            "id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension", "identifier",
            "active", "name"
        ]
    );
}

#[test]
fn ids_and_urls_have_primitive_types() {
    assert_eq!(field("Patient", "id").ty, ID);
    assert_eq!(field("Bundle", "id").ty, ID);
    assert_eq!(field("HumanName", "id").ty, STRING);
    assert_eq!(field("Patient.contact", "id").ty, STRING);
    assert_eq!(field("Extension", "url").ty, URI);
    assert_eq!(field("Narrative", "div").ty, XHTML);
}

#[test]
fn any_resource_may_stand_in_a_bundle_entry() {
    assert_eq!(field("Bundle.entry", "resource").ty, RESOURCE);
    assert_eq!(field("Patient", "contained").ty, RESOURCE);
    assert!(RESOURCE.get().is_abstract && DOMAIN_RESOURCE.get().is_abstract);
    assert!(ELEMENT.get().is_abstract && BACKBONE_ELEMENT.get().is_abstract);
}

#[test]
fn a_content_reference_points_at_the_type_of_another_element() {
    assert_eq!(field("Observation.component", "referenceRange").ty, id("Observation.referenceRange"));
    assert_eq!(field("Questionnaire.item", "item").ty, id("Questionnaire.item"));
    assert_eq!(field("Bundle.entry", "link").ty, id("Bundle.link"));
}

#[test]
fn references_know_their_targets() {
    assert_eq!(names(field("Observation", "encounter").targets), ["Encounter"]);
    assert_eq!(names(field("Observation", "subject").targets), ["Device", "Group", "Location", "Patient"]);
    assert!(field("Observation", "focus").targets.is_empty());
    assert_eq!(names(field("QuestionnaireResponse", "questionnaire").targets), ["Questionnaire"]);
}

#[test]
fn derivation_is_followed_to_the_root() {
    let patient = id("Patient");
    assert!(is_a(patient, patient) && is_a(patient, DOMAIN_RESOURCE) && is_a(patient, RESOURCE));
    assert!(!is_a(RESOURCE, patient) && !is_a(patient, ELEMENT));
    assert!(is_a(id("Bundle"), RESOURCE) && !is_a(id("Bundle"), DOMAIN_RESOURCE));
    assert!(is_a(id("Age"), QUANTITY) && is_a(POSITIVE_INT, INTEGER) && is_a(CODE, STRING));
    assert!(is_a(id("Patient.contact"), ELEMENT));
}

#[test]
fn primitives_carry_their_published_pattern() {
    assert_eq!(ID.get().pattern, Some(r"[A-Za-z0-9\-\.]{1,64}"));
    assert_eq!(BOOLEAN.get().pattern, Some("true|false"));
    assert_eq!(XHTML.get().pattern, None);
    let without: Vec<_> =
        TYPES.iter().filter(|t| t.kind == Kind::Primitive && t.pattern.is_none()).map(|t| t.name).collect();
    assert_eq!(without, ["xhtml"]);
}

#[test]
fn required_bindings_list_their_codes() {
    let gender = value_set(field("Patient", "gender").required.unwrap());
    assert_eq!(gender.url, "http://hl7.org/fhir/ValueSet/administrative-gender");
    assert!(gender.contains("female") && !gender.contains("Female") && !gender.contains(""));
    assert!(gender.contains_coding("http://hl7.org/fhir/administrative-gender", "female"));
    assert!(!gender.contains_coding("http://loinc.org", "female"));
    // Not a required binding; a required one whose codes are not all known.
    assert!(field("Observation", "category").required.is_none());
    assert!(field("Attachment", "contentType").required.is_none());
    // A choice: only what can carry a code is bound.
    assert!(TYPES.iter().flat_map(|t| t.fields).filter(|f| f.ty == REFERENCE).all(|f| f.required.is_none()));
}

#[test]
fn search_parameters_are_found_by_type_and_code() {
    let patient = id("Patient");
    let name = search_parameter(patient, "name").unwrap();
    assert_eq!((name.ty, name.expression), (ParameterType::String, "Patient.name"));
    assert_eq!(parameter_key(name.key), ("name", ParameterType::String));
    let tag = search_parameter(patient, "_tag").unwrap();
    assert_eq!(names(tag.bases), ["Resource"]);
    assert!(search_parameter(patient, "_text").is_some());
    // Bundle is no DomainResource.
    assert!(search_parameter(id("Bundle"), "_text").is_none());
    assert!(search_parameter(patient, "effective").is_none());
    assert!(search_parameter(HUMAN_NAME, "_tag").is_none());
    assert!(search_parameter(RESOURCE, "_id").is_some());
    let subject = search_parameter(id("Observation"), "subject").unwrap();
    assert_eq!(names(subject.targets), ["Device", "Group", "Location", "Patient"]);
}

#[test]
fn each_search_parameter_is_found_on_each_base() {
    assert_eq!(SEARCH_PARAMETERS.len(), 1387);
    for p in SEARCH_PARAMETERS {
        assert_eq!(search_parameter_by_url(p.url).map(|q| q.url), Some(p.url));
        assert_eq!(parameter_key(p.key), (p.code, p.ty));
        for base in p.bases {
            assert_eq!(search_parameter(*base, p.code).map(|q| q.url), Some(p.url));
        }
    }
    let types = resource_types().map(|t| search_parameters(t).count()).sum::<usize>();
    assert!(types > 2000, "{types}");
}

#[test]
fn components_of_a_composite_are_defined() {
    let composite = search_parameter(id("Observation"), "code-value-quantity").unwrap();
    assert_eq!(composite.components.len(), 2);
    for p in SEARCH_PARAMETERS {
        assert_eq!(p.ty == ParameterType::Composite, !p.components.is_empty(), "{}", p.url);
        for (definition, _) in p.components {
            assert!(search_parameter_by_url(definition).is_some(), "{} of {}", definition, p.url);
        }
    }
}

#[test]
fn keys_of_a_code_cover_its_types() {
    let mut types: Vec<_> = keys_of_code("source").map(|(_, ty)| ty).collect();
    types.sort();
    assert_eq!(types, [ParameterType::String, ParameterType::Reference, ParameterType::Uri]);
    for (i, (code, ty)) in PARAMETER_KEYS.iter().enumerate() {
        assert!(keys_of_code(code).any(|found| found == (ParameterKey(i as u16), *ty)));
    }
    assert_eq!(keys_of_code("no-such-code").count(), 0);
    assert_eq!(keys_of_code("_compartment").count(), 1);
    assert_eq!(known_parameter_key(ParameterKey(u16::MAX)), None);
}

#[test]
fn system_numbers_round_trip() {
    for (i, url) in SYSTEMS.iter().enumerate() {
        assert_eq!(system_number(url), Some(i as u16));
        assert_eq!(system_url(i as u16), Some(*url));
    }
    assert_eq!(system_url(u16::MAX), None);
    assert_eq!(system_number("http://example.org/none"), None);
}

/// FNV-1a, 64 bits.
fn fingerprint(texts: impl Iterator<Item = String>) -> u64 {
    let bytes = texts.flat_map(|t| t.into_bytes().into_iter().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

/// These numbers are on disk in users' databases. Rows may be appended; then this test gains a line, and none changes.
#[test]
fn registered_numbers_never_change() {
    let keys = |n: usize| fingerprint(PARAMETER_KEYS[..n].iter().map(|(code, ty)| format!("{code} {ty:?}")));
    assert_eq!(keys(489), 0x7ca2_9223_9532_1067);
    let systems = |n: usize| fingerprint(SYSTEMS[..n].iter().map(|s| s.to_string()));
    assert_eq!(systems(1119), 0x9393_11e6_7612_5168);
}

#[test]
fn an_observation_belongs_to_five_kinds_of_compartment() {
    let rules: Vec<_> =
        compartment_rules(id("Observation")).map(|r| (r.compartment.name(), r.parameters)).collect();
    assert_eq!(
        rules,
        [
            ("Device", &["subject", "device"][..]),
            ("Encounter", &["encounter"]),
            ("Patient", &["subject", "performer"]),
            ("Practitioner", &["performer"]),
            ("RelatedPerson", &["performer"]),
        ]
    );
    let own = compartment_rules(id("Patient")).find(|r| r.compartment == id("Patient")).unwrap();
    assert_eq!(own.parameters, ["{def}", "link"]);
    for rule in COMPARTMENTS {
        for code in rule.parameters {
            assert!(*code == "{def}" || search_parameter(rule.ty, code).is_some(), "{} {code}", rule.ty.name());
        }
    }
}

#[test]
fn occurred_paths_lead_to_times() {
    assert_eq!(occurred_paths(id("Observation")), ["effective", "issued"]);
    assert_eq!(occurred_paths(id("Condition")), ["onset", "abatement", "recordedDate"]);
    assert_eq!(occurred_paths(id("Encounter")), ["period"]);
    assert_eq!(occurred_paths(id("MedicationRequest")), ["authoredOn"]);
    assert_eq!(occurred_paths(id("Claim")), ["billablePeriod", "created", "item.serviced"]);
    assert!(occurred_paths(id("Patient")).is_empty());
    let when = [DATE, DATE_TIME, INSTANT, PERIOD, TIMING];
    for ty in resource_types() {
        for path in occurred_paths(ty) {
            let mut current = vec![ty];
            for step in path.split('.') {
                current = current
                    .iter()
                    .flat_map(|t| t.get().fields.iter().filter(|f| t.get().elements[usize::from(f.element)].name == step))
                    .map(|f| f.ty)
                    .collect();
            }
            assert!(current.iter().any(|t| when.contains(t)), "{}.{path}", ty.name());
        }
    }
}

#[test]
fn invariants_stand_where_they_are_defined() {
    let keys: Vec<_> = invariants_at("Patient.contact").map(|i| (i.key, i.is_error)).collect();
    assert_eq!(keys, [("pat-1", true)]);
    assert!(invariants_at("Element").any(|i| i.key == "ele-1"));
    assert!(invariants_at("Observation.referenceRange.low").any(|i| i.key == "sqty-1"));
    assert_eq!(invariants_at("Patient.contact.nothing").count(), 0);
}

#[test]
fn headlines_lead_to_elements_of_their_types() {
    let observation = headline(id("Observation"));
    assert_eq!((observation.what, observation.value, observation.parts), (&["code"][..], &["value"][..], &["component"][..]));
    assert_eq!(headline(id("Condition")).ended, ["abatement"]);
    assert_eq!(headline(id("Encounter")).what, ["type", "class"]);
    assert!(headline(id("HumanName")).what.is_empty());
    for ty in resource_types() {
        let h = headline(ty);
        for path in [h.what, h.value, h.parts, h.status, h.ended].concat() {
            let compiled = crate::path::compile(&format!("{}.{path}", ty.name()), ty);
            assert!(matches!(compiled, Ok(crate::path::Compiled::Values(found)) if !found.is_empty()), "{}.{path}", ty.name());
        }
    }
}

#[test]
fn a_type_stands_in_one_lane() {
    let mut seen = std::collections::HashSet::new();
    for lane in LANES {
        assert!(lane.types.iter().all(|ty| ty.is_concrete_resource() && seen.insert(*ty)), "{}", lane.name);
    }
    assert_eq!(lane_of(id("Encounter")), Some(0));
    assert_eq!(lane_of(id("Patient")), None);
    assert_eq!(PANELS.len(), 1);
}

#[test]
fn bindings_that_need_terminology_are_listed() {
    let marital = binding_at("Patient.maritalStatus").map(|b| (b.strength, b.value_set, b.max));
    assert_eq!(marital, Some((Strength::Extensible, "http://hl7.org/fhir/ValueSet/marital-status", None)));
    let units = binding_at("Age").map(|b| (b.strength, b.max));
    assert_eq!(units, Some((Strength::Extensible, Some("http://hl7.org/fhir/ValueSet/all-time-units"))));
    assert_eq!(binding_at("Attachment.contentType").map(|b| b.strength), Some(Strength::Required));
    // its codes are in VALUE_SETS
    assert!(binding_at("Patient.gender").is_none());
    assert!(binding_at("Resource.language").is_some_and(|b| b.max.is_some()) && binding_at("Patient.language").is_none());
}

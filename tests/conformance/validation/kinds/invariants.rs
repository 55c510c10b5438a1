//! Constraints that the definitions write in FHIRPath: each kind is named by the key of the constraint that it breaks.

use super::{Kind, Level, within};
use crate::places::Place;
use fhirlake::model::{self, DOMAIN_RESOURCE, Kind as Of, QUANTITY};
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

fn is_type(place: &Place, name: &str) -> bool {
    place.field.is_none() && place.is(name)
}

/// Sets properties of the object at a place.
fn set(root: &mut Value, place: &Place, properties: Value) -> bool {
    within(root, place, |object| put(object, properties))
}

fn put(object: &mut Object, properties: Value) -> bool {
    let Value::Object(properties) = properties else { return false };
    object.extend(properties);
    true
}

/// Takes properties away; false where the first is not there.
fn without(root: &mut Value, place: &Place, names: &[&str]) -> bool {
    within(root, place, |object| {
        let there = names.first().is_some_and(|name| object.contains_key(*name));
        object.retain(|key, _| !names.contains(&key.as_str()));
        there
    })
}

fn with(root: &mut Value, place: &Place, when: impl Fn(&Object) -> bool, properties: Value) -> bool {
    within(root, place, |object| when(object) && put(object, properties))
}

fn contain(root: &mut Value, place: &Place, resource: Value, refer: bool) -> bool {
    within(root, place, |object| {
        if refer {
            let extension = json!({"url": "http://example.org/refers", "valueReference": {"reference": "#mutant"}});
            match object.entry("extension").or_insert_with(|| json!([])) {
                Value::Array(array) => array.push(extension),
                _ => return false,
            }
        }
        match object.entry("contained").or_insert_with(|| json!([])) {
            Value::Array(array) => array.push(resource),
            _ => return false,
        }
        true
    })
}

fn narrative(root: &mut Value, place: &Place, inner: &str) -> bool {
    within(root, place, |object| put(object, json!({"div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inner}</div>")})))
}

/// Domain resources, also bundled ones, but not contained ones.
fn is_domain(place: &Place) -> bool {
    place.ty.get().kind == Of::Resource && model::is_a(place.ty, DOMAIN_RESOURCE) && place.name() != Some("contained")
}

fn quantity(place: &Place) -> bool {
    place.ty == QUANTITY
}

macro_rules! kind {
    ($name:literal, $on:expr, $make:expr) => {
        Kind { name: $name, level: Level::Invariants, on: $on, make: $make }
    };
}

pub const KINDS: &[Kind] = &[
    kind!("per-1: the end before the start", |p| p.is("Period"), |root, p| set(root, p, json!({"start": "2020-01-02", "end": "2020-01-01"}))),
    kind!("per-1: by zones", |p| p.is("Period"), |root, p| set(root, p, json!({"start": "2020-01-01T12:00:00+01:00", "end": "2020-01-01T12:00:00+02:00"}))),
    kind!("qty-3: a unit's code without its system", quantity, |root, p| within(root, p, |o| {
        o.remove("system");
        put(o, json!({"value": 1, "code": "mg"}))
    })),
    kind!("sqty-1: a comparator", |p| matches!(p.path().as_str(), "Range.low" | "Range.high" | "Observation.referenceRange.low" | "Observation.referenceRange.high" | "MedicationRequest.dispenseRequest.quantity" | "Dosage.doseAndRate.doseQuantity"), |root, p| set(root, p, json!({"comparator": "<"}))),
    kind!("rng-2: low above high", |p| p.is("Range"), |root, p| set(root, p, json!({"low": {"value": 2}, "high": {"value": 1}}))),
    kind!("rat-1: half a ratio", |p| p.is("Ratio"), |root, p| without(root, p, &["denominator"])),
    kind!("age-1: an age without a code", |p| p.is("Age"), |root, p| without(root, p, &["code"])),
    kind!("drt-1: a duration in another system", |p| p.is("Duration"), |root, p| set(root, p, json!({"value": 1, "code": "h", "system": "http://example.org/units"}))),
    kind!("cpt-2: a contact without a system", |p| p.is("ContactPoint"), |root, p| within(root, p, |o| o.contains_key("value") && o.remove("system").is_some())),
    kind!("att-1: data without a type", |p| p.is("Attachment"), |root, p| within(root, p, |o| {
        o.remove("contentType");
        put(o, json!({"data": "QUJD"}))
    })),
    kind!("tim-1: a duration without a unit", |p| p.is("Timing.repeat"), |root, p| within(root, p, |o| {
        o.remove("durationUnit");
        put(o, json!({"duration": 1}))
    })),
    kind!("tim-2: a period without a unit", |p| p.is("Timing.repeat"), |root, p| without(root, p, &["periodUnit"])),
    kind!("tim-5: a negative period", |p| p.is("Timing.repeat"), |root, p| set(root, p, json!({"period": -1, "periodUnit": "d"}))),
    kind!("tim-9: an offset from nothing", |p| p.is("Timing.repeat"), |root, p| within(root, p, |o| {
        o.remove("when");
        put(o, json!({"offset": 30}))
    })),
    kind!("tim-10: both a time and an event of the day", |p| p.is("Timing.repeat"), |root, p| set(root, p, json!({"timeOfDay": ["08:00:00"], "when": ["HS"]}))),
    kind!("dom-3: contained, but not referred to", is_domain, |root, p| contain(root, p, json!({"resourceType": "Basic", "id": "mutant", "code": {"text": "a"}}), false)),
    kind!("dom-4: contained with a version", is_domain, |root, p| contain(root, p, json!({"resourceType": "Basic", "id": "mutant", "meta": {"versionId": "1"}, "code": {"text": "a"}}), true)),
    kind!("dom-5: contained with a security label", is_domain, |root, p| contain(root, p, json!({"resourceType": "Basic", "id": "mutant", "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}, "code": {"text": "a"}}), true)),
    kind!("txt-1: a script", |p| p.is("Narrative"), |root, p| narrative(root, p, "<p>a</p><script>alert(1)</script>")),
    kind!("txt-1: an attribute that acts", |p| p.is("Narrative"), |root, p| narrative(root, p, "<p onclick=\"alert(1)\">a</p>")),
    kind!("txt-1: a form", |p| p.is("Narrative"), |root, p| narrative(root, p, "<form action=\"http://example.org\"><p>a</p></form>")),
    kind!("txt-1: an image by script", |p| p.is("Narrative"), |root, p| narrative(root, p, "<iframe src=\"http://example.org\"></iframe>a")),
    kind!("txt-1: tags that do not close", |p| p.is("Narrative"), |root, p| narrative(root, p, "<p>a<b>c</p></b>")),
    kind!("txt-2: nothing to read", |p| p.is("Narrative"), |root, p| narrative(root, p, " <p> </p> ")),
    kind!("obs-3: a reference range of nothing", |p| p.is("Observation.referenceRange"), |root, p| within(root, p, |o| {
        o.retain(|key, _| !matches!(key.as_str(), "low" | "high" | "text" | "_text"));
        put(o, json!({"appliesTo": [{"text": "a"}]}))
    })),
    kind!("obs-6: a value and why there is none", |p| p.is("Observation"), |root, p| {
        with(root, p, |o| o.keys().any(|key| key.starts_with("value")), json!({"dataAbsentReason": {"text": "a"}}))
    }),
    kind!("obs-7: a component that repeats the code", |p| p.is("Observation"), |root, p| within(root, p, |o| {
        let code = o.get("code").filter(|code| code.get("coding").is_some()).cloned();
        let Some(code) = code.filter(|_| o.keys().any(|key| key.starts_with("value"))) else { return false };
        put(o, json!({"component": [{"code": code, "valueString": "a"}]}))
    })),
    kind!("pat-1: a contact of nobody", |p| p.is("Patient.contact"), |root, p| within(root, p, |o| {
        o.retain(|key, _| !matches!(key.as_str(), "name" | "telecom" | "address" | "organization"));
        put(o, json!({"gender": "male"}))
    })),
    kind!("con-4: over, but active", |p| p.is("Condition"), |root, p| {
        with(root, p, |o| !o.keys().any(|key| key.starts_with("abatement")), json!({"abatementString": "a", "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}}))
    }),
    kind!("con-5: an error with a clinical status", |p| p.is("Condition"), |root, p| {
        with(root, p, |o| o.contains_key("clinicalStatus"), json!({"verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}]}}))
    }),
    kind!("ait-1: an allergy without a clinical status", |p| p.is("AllergyIntolerance"), |root, p| without(root, p, &["clinicalStatus"])),
    kind!("org-1: an organization without a name", |p| p.is("Organization"), |root, p| within(root, p, |o| {
        o.retain(|key, _| !matches!(key.as_str(), "name" | "_name" | "identifier"));
        true
    })),
    kind!("org-3: a home of an organization", |p| p.path() == "Organization.telecom", |root, p| set(root, p, json!({"use": "home"}))),
    kind!("bdl-1: a total where nothing is searched", |p| is_type(p, "Bundle"), |root, p| with(root, p, |o| !matches!(o.get("type").and_then(Value::as_str), Some("searchset" | "history")), json!({"total": 1}))),
    kind!("bdl-3: a request in a collection", |p| is_type(p, "Bundle"), |root, p| within(root, p, |o| {
        put(o, json!({"type": "collection"}));
        o.remove("total");
        o.get_mut("entry").and_then(|e| e.get_mut(0)).and_then(Value::as_object_mut).is_some_and(|entry| put(entry, json!({"request": {"method": "GET", "url": "Patient/1"}})))
    })),
    kind!("bdl-5: an entry of nothing", |p| is_type(p, "Bundle"), |root, p| within(root, p, |o| {
        o.get_mut("entry").and_then(Value::as_array_mut).is_some_and(|entries| {
            entries.push(json!({"fullUrl": "http://example.org/fhir/Basic/nothing"}));
            true
        })
    })),
    kind!("bdl-7: two entries of one fullUrl", |p| is_type(p, "Bundle"), |root, p| within(root, p, |o| {
        o.get("type").and_then(Value::as_str) != Some("history")
            && o.get_mut("entry").and_then(Value::as_array_mut).is_some_and(|entries| {
                let Some(twice) = entries.iter().find(|entry| entry.get("fullUrl").is_some()).cloned() else { return false };
                entries.push(twice);
                true
            })
    })),
    kind!("bdl-8: a fullUrl of a version", |p| p.is("Bundle.entry"), |root, p| within(root, p, |o| {
        let versioned = o.get("fullUrl").and_then(Value::as_str).map(|url| format!("{url}/_history/1"));
        versioned.is_some_and(|url| put(o, json!({"fullUrl": url})))
    })),
    kind!("bdl-10: a document without a time", |p| is_type(p, "Bundle"), |root, p| within(root, p, |o| o.get("type").and_then(Value::as_str) == Some("document") && o.remove("timestamp").is_some())),
    kind!("csd-1: a code that is defined twice", |p| is_type(p, "CodeSystem"), |root, p| within(root, p, |o| {
        o.get_mut("concept").and_then(Value::as_array_mut).is_some_and(|concepts| {
            let Some(first) = concepts.first().and_then(|c| c.get("code")).cloned() else { return false };
            concepts.push(json!({"code": first}));
            true
        })
    })),
    kind!("vsd-1: an include of nothing", |p| p.is("ValueSet.compose.include"), |root, p| within(root, p, |o| {
        o.retain(|key, _| !matches!(key.as_str(), "system" | "_system" | "valueSet" | "concept" | "filter"));
        put(o, json!({"version": "1"}))
    })),
    kind!("vsd-3: concepts and a filter", |p| p.is("ValueSet.compose.include"), |root, p| {
        with(root, p, |o| o.contains_key("system"), json!({"concept": [{"code": "a"}], "filter": [{"property": "concept", "op": "is-a", "value": "a"}]}))
    }),
    kind!("que-2: two questions of one linkId", |p| is_type(p, "Questionnaire"), |root, p| within(root, p, |o| {
        o.get_mut("item").and_then(Value::as_array_mut).is_some_and(|items| {
            let Some(first) = items.first().cloned() else { return false };
            items.push(first);
            true
        })
    })),
    kind!("que-1: a group without items", |p| p.is("Questionnaire.item"), |root, p| within(root, p, |o| o.get("type").and_then(Value::as_str) == Some("group") && o.remove("item").is_some())),
    kind!("que-7: whether there is no", |p| p.is("Questionnaire.item.enableWhen"), |root, p| within(root, p, |o| {
        o.retain(|key, _| !key.starts_with("answer"));
        put(o, json!({"operator": "exists", "answerString": "a"}))
    })),
    kind!("sdf-5: an extension of nowhere", |p| is_type(p, "StructureDefinition"), |root, p| {
        within(root, p, |o| o.get("type").and_then(Value::as_str) == Some("Extension") && o.get("derivation").and_then(Value::as_str) == Some("constraint") && o.remove("context").is_some())
    }),
    kind!("eld-2: more than at most", |p| p.path() == "StructureDefinition.snapshot.element", |root, p| set(root, p, json!({"min": 2, "max": "1"}))),
    kind!("inv-1: changed before it was written", |p| is_type(p, "Task"), |root, p| set(root, p, json!({"authoredOn": "2020-01-02", "lastModified": "2020-01-01"}))),
    kind!("imm-1, gol-1, exp-1: half of a pair", |p| matches!(p.ty.name(), "Immunization.education" | "Goal.target" | "Expression"), |root, p| match p.ty.name() {
        "Goal.target" => with(root, p, |o| o.keys().any(|key| key.starts_with("detail")), json!({})) && without(root, p, &["measure"]),
        _ => within(root, p, |o| {
            o.retain(|key, _| matches!(key.as_str(), "language" | "publicationDate"));
            put(o, json!({"id": "a"}))
        }),
    }),
];

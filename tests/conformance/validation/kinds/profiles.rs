//! Breaks of what a profile demands beyond FHIR: read from the snapshots of the profiles themselves.

use fhirlake::model::type_named;
use serde_json::{Value, json};

/// A mutant, and what was done to it.
pub struct Broken {
    pub kind: &'static str,
    pub place: String,
    pub resource: Value,
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

/// The properties by which an element of the resource itself appears: one, or for a choice those that are there.
fn properties(resource: &Value, name: &str) -> Vec<String> {
    match name.strip_suffix("[x]") {
        None => vec![name.to_owned()],
        Some(choice) => {
            let object = resource.as_object();
            object.map_or(Vec::new(), |o| o.keys().filter(|key| key.starts_with(choice) && key.len() > choice.len()).cloned().collect())
        }
    }
}

/// All breaks of a resource against one of its profiles.
pub fn broken(resource: &Value, profile: &Value) -> Vec<Broken> {
    let mut out = Vec::new();
    let Some(elements) = profile.pointer("/snapshot/element").and_then(Value::as_array) else { return out };
    let ty = text(profile, "type");
    for element in elements {
        let Some(path) = text(element, "path").strip_prefix(ty).and_then(|path| path.strip_prefix('.')) else { continue };
        let (min, base) = (element.get("min").and_then(Value::as_u64).unwrap_or(0), element.pointer("/base/min").and_then(Value::as_u64).unwrap_or(0));
        let is_slice = element.get("sliceName").is_some();
        let id = text(element, "id");
        let mut push = |kind, resource| out.push(Broken { kind, place: format!("{} {id}", text(profile, "id")), resource });
        let names: Vec<&str> = path.split('.').collect();
        // nested in a slice: where it stands in the resource is the slicing's to say
        if id.trim_end_matches(text(element, "sliceName")).trim_end_matches(':').contains(':') {
            continue;
        }
        match names.as_slice() {
            [name] if !is_slice => {
                for property in properties(resource, name).into_iter().filter(|property| resource.get(property).is_some()) {
                    if min > base {
                        let mut mutant = resource.clone();
                        remove(&mut mutant, &property);
                        push("an element that the profile demands is missing", mutant);
                    }
                    if text(element, "max") == "1" && element.pointer("/base/max").and_then(Value::as_str) == Some("*") {
                        let mut mutant = resource.clone();
                        if let Some(Value::Array(items)) = mutant.get_mut(&property) {
                            items.extend(items.clone());
                        }
                        push("more than the profile allows", mutant);
                    }
                    if let Some(fixed) = fixed(element) {
                        let mut mutant = resource.clone();
                        mutant[&property] = other(&fixed, resource.get(&property).is_some_and(Value::is_array));
                        push("another value than the profile fixes", mutant);
                    }
                    if text(element.get("binding").unwrap_or(&Value::Null), "strength") == "required" && element.pointer("/type/0/code").and_then(Value::as_str) == Some("CodeableConcept") {
                        let mut mutant = resource.clone();
                        let code = json!({"coding": [{"system": "http://example.org/none", "code": "no-such-code"}]});
                        mutant[&property] = if resource.get(&property).is_some_and(Value::is_array) { json!([code]) } else { code };
                        push("a concept outside the profile's required binding", mutant);
                    }
                    if let Some(other) = other_target(ty, &property, element)
                        && text(resource.get(&property).unwrap_or(&Value::Null), "reference") != ""
                    {
                        let mut mutant = resource.clone();
                        mutant[&property] = json!({"reference": format!("{other}/1")});
                        push("a reference to what the profile does not allow", mutant);
                    }
                }
            }
            // of elements of repeating elements the first
            [outer, name] if !is_slice && min > base => {
                let mut mutant = resource.clone();
                let inner = match mutant.get_mut(*outer) {
                    Some(Value::Array(items)) => items.first_mut(),
                    inner => inner,
                };
                let Some(inner) = inner.filter(|inner| inner.is_object()) else { continue };
                let mut gone = false;
                for property in properties(inner, name) {
                    gone |= remove(inner, &property);
                }
                if gone && inner.as_object().is_some_and(|o| !o.is_empty()) {
                    push("an inner element that the profile demands is missing", mutant);
                }
            }
            [name] if min > 0 => {
                // all items gone that could be of the slice
                let slice = text(element, "sliceName");
                if let (Some(Value::Array(_)), false) = (resource.get(*name), *name == "extension") {
                    let mut mutant = resource.clone();
                    mutant[*name] = json!([nothing(resource.get(*name).unwrap_or(&Value::Null))]);
                    if mutant != *resource && !slice.is_empty() {
                        push("a slice that the profile demands is missing", mutant);
                    }
                }
            }
            ["extension"] if is_slice => {
                let url = element.pointer("/type/0/profile/0").and_then(Value::as_str).unwrap_or("");
                let mine = |extension: &Value| text(extension, "url") == url;
                let Some(Value::Array(extensions)) = resource.get("extension") else { continue };
                let Some(at) = extensions.iter().position(mine) else { continue };
                if text(element, "max") == "1" {
                    let mut mutant = resource.clone();
                    let twice = mutant["extension"][at].clone();
                    if let Some(Value::Array(items)) = mutant.get_mut("extension") {
                        items.push(twice);
                    }
                    push("an extension more often than the profile allows", mutant);
                }
                let mut mutant = resource.clone();
                mutant["extension"][at] = json!({"url": url, "valueBase64Binary": "QUJD"});
                push("an extension with a value of a wrong type", mutant);
            }
            _ => {}
        }
    }
    out
}

fn remove(value: &mut Value, property: &str) -> bool {
    value.as_object_mut().is_some_and(|object| {
        object.remove(&format!("_{property}"));
        object.remove(property).is_some()
    })
}

fn fixed(element: &Value) -> Option<Value> {
    let (_, value) = element.as_object()?.iter().find(|(key, _)| key.starts_with("fixed") || key.starts_with("pattern"))?;
    Some(value.clone())
}

/// A value of the same kind that is another one.
fn other(fixed: &Value, is_array: bool) -> Value {
    let other = match fixed {
        Value::String(text) => json!(format!("{text}x")),
        Value::Bool(value) => json!(!value),
        _ => json!({"text": "another"}),
    };
    if is_array { json!([other]) } else { other }
}

/// An item that is of no slice: it keeps the form of the others, not their content.
fn nothing(items: &Value) -> Value {
    match items.get(0) {
        Some(Value::Object(item)) if item.contains_key("coding") => json!({"coding": [{"system": "http://example.org/none", "code": "none"}]}),
        _ => json!({"text": "another"}),
    }
}

/// A resource type that FHIR lets a reference point at, and the profile does not.
fn other_target(ty: &str, property: &str, element: &Value) -> Option<&'static str> {
    let types = element.get("type").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let allowed: Vec<&str> = types
        .iter()
        .flat_map(|ty| ty.get("targetProfile").and_then(Value::as_array).map_or(&[][..], Vec::as_slice))
        .filter_map(|target| target.as_str()?.rsplit('/').next())
        .collect();
    let names = |target: &str| allowed.iter().any(|allowed| allowed.replace("us-core-", "").eq_ignore_ascii_case(target));
    let field = type_named(ty)?.get().field(property)?;
    let other = field.targets.iter().map(|target| target.name()).find(|target| !names(target))?;
    (!allowed.is_empty() && !names("Resource")).then_some(other)
}

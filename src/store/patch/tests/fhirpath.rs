//! <https://hl7.org/fhir/R4/fhirpatch.html>: what each type of operation does, to which element, and what is refused.

use super::*;

/// One operation; `parts` are the others than type and path.
fn operation(ty: &str, path: &str, parts: &str) -> String {
    let path = path.replace('\\', "\\\\").replace('"', "\\\"");
    let comma = if parts.is_empty() { "" } else { "," };
    format!(r#"{{"name":"operation","part":[{{"name":"type","valueCode":"{ty}"}},{{"name":"path","valueString":"{path}"}}{comma}{parts}]}}"#)
}

fn parameters(operations: &[String]) -> String {
    format!(r#"{{"resourceType":"Parameters","parameter":[{}]}}"#, operations.join(","))
}

fn add(path: &str, name: &str, value: &str) -> String {
    operation("add", path, &format!(r#"{{"name":"name","valueString":"{name}"}},{{"name":"value",{value}}}"#))
}

fn insert(path: &str, index: &str, value: &str) -> String {
    operation("insert", path, &format!(r#"{{"name":"index","valueInteger":{index}}},{{"name":"value",{value}}}"#))
}

fn replace(path: &str, value: &str) -> String {
    operation("replace", path, &format!(r#"{{"name":"value",{value}}}"#))
}

fn delete(path: &str) -> String {
    operation("delete", path, "")
}

fn shift(path: &str, source: &str, destination: &str) -> String {
    operation("move", path, &format!(r#"{{"name":"source","valueInteger":{source}}},{{"name":"destination","valueInteger":{destination}}}"#))
}

fn apply(resource: &str, operations: &[String]) -> Result<String, PatchError> {
    fhirpath_patch(&container(resource), &container(&parameters(operations))).map(|after| text(&after))
}

#[track_caller]
fn gives(resource: &str, operation: String, expected: &str) {
    match apply(resource, std::slice::from_ref(&operation)) {
        Ok(after) => assert_eq!(after, same(expected), "{operation}"),
        Err(error) => panic!("{error}: {operation}"),
    }
}

/// The state and the message, without the words that name the operation.
#[track_caller]
fn refuses(resource: &str, operation: String, sqlstate: &str, message: &str) {
    match apply(resource, std::slice::from_ref(&operation)) {
        Ok(after) => panic!("{operation} gave {after}"),
        Err(error) => {
            let prefix = error.message.find("\": ").map_or(0, |at| at + 3);
            assert_eq!((error.sqlstate, &error.message[prefix..]), (sqlstate, message), "{operation}");
        }
    }
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","name":[{"use":"official","family":"Frei","given":["Anna","Lea"]},{"use":"usual","given":["Ann"]}],
    "identifier":[{"system":"urn:a","value":"1"},{"system":"urn:b","value":"2"},{"system":"urn:b","value":"3"}],"birthDate":"1970-01-02","contact":[{"name":{"text":"x"}}]}"#;

/// The patient with one place changed.
fn patient(from: &str, to: &str) -> String {
    assert!(PATIENT.contains(from), "{from}");
    PATIENT.replacen(from, to, 1)
}

#[test]
fn add_sets_an_element_or_appends_to_a_list() {
    gives(PATIENT, add("Patient", "gender", r#""valueCode":"female""#), &patient(r#""id":"p""#, r#""id":"p","gender":"female""#));
    gives(PATIENT, add("Patient", "active", r#""valueBoolean":false"#), &patient(r#""id":"p""#, r#""id":"p","active":false"#));
    gives(PATIENT, add("Patient.name[1]", "given", r#""valueString":"Bea""#), &patient(r#"["Ann"]"#, r#"["Ann","Bea"]"#));
    gives(PATIENT, add("Patient.name[1]", "period", r#""valuePeriod":{"start":"2001"}"#), &patient(r#"["Ann"]"#, r#"["Ann"],"period":{"start":"2001"}"#));
    // the first of a list makes the list
    gives(PATIENT, add("Patient", "telecom", r#""valueContactPoint":{"value":"7"}"#), &patient(r#""id":"p""#, r#""id":"p","telecom":[{"value":"7"}]"#));
    gives(PATIENT, add("Patient.contact[0].name", "given", r#""valueString":"X""#), &patient(r#"{"text":"x"}"#, r#"{"text":"x","given":["X"]}"#));
    // a path may begin with the type, a base of it, or an element
    for path in ["DomainResource.name[1]", "name[1]", "%resource.name[1]", "Resource.name[1]"] {
        gives(PATIENT, add(path, "family", r#""valueString":"F""#), &patient(r#""use":"usual""#, r#""use":"usual","family":"F""#));
    }
}

#[test]
fn add_takes_the_property_of_a_choice_by_the_type_of_the_value() {
    for name in ["deceased", "deceased[x]"] {
        gives(PATIENT, add("Patient", name, r#""valueBoolean":true"#), &patient(r#""id":"p""#, r#""id":"p","deceasedBoolean":true"#));
        gives(PATIENT, add("Patient", name, r#""valueDateTime":"2020""#), &patient(r#""id":"p""#, r#""id":"p","deceasedDateTime":"2020""#));
    }
    gives(PATIENT, add("Patient", "deceasedBoolean", r#""valueBoolean":true"#), &patient(r#""id":"p""#, r#""id":"p","deceasedBoolean":true"#));
    let observation = r#"{"resourceType":"Observation","component":[{"code":{"text":"a"}}]}"#;
    gives(observation, add("Observation", "value", r#""valueQuantity":{"value":1.50}"#), r#"{"resourceType":"Observation","valueQuantity":{"value":1.50},"component":[{"code":{"text":"a"}}]}"#);
    gives(observation, add("Observation.component", "value", r#""valueInteger":7"#), r#"{"resourceType":"Observation","component":[{"code":{"text":"a"},"valueInteger":7}]}"#);
    refuses(PATIENT, add("Patient", "deceased", r#""valueString":"no""#), "22023", "the value is of the type string, where Patient.deceased takes boolean, dateTime");
    refuses(PATIENT, add("Patient", "deceasedBoolean", r#""valueDateTime":"2020""#), "22023", "the value is of the type dateTime, where Patient.deceasedBoolean takes boolean");
    let dead = r#"{"resourceType":"Patient","deceasedDateTime":"2020"}"#;
    refuses(dead, add("Patient", "deceased", r#""valueBoolean":true"#), "FH422", "deceasedDateTime is there already, and may not repeat");
}

#[test]
fn values_have_the_type_of_their_place() {
    // types of one family of primitives stand for each other, others do not
    gives(PATIENT, add("Patient", "gender", r#""valueString":"female""#), &patient(r#""id":"p""#, r#""id":"p","gender":"female""#));
    gives(PATIENT, add("Patient", "implicitRules", r#""valueUrl":"urn:x""#), &patient(r#""id":"p""#, r#""id":"p","implicitRules":"urn:x""#));
    gives(PATIENT, add("Patient", "text", r#""part":[{"name":"status","valueCode":"empty"},{"name":"div","valueString":"<div/>"}]"#), &patient(r#""id":"p""#, r#""id":"p","text":{"status":"empty","div":"<div/>"}"#));
    for (name, value, given, takes) in [
        ("gender", r#""valueBoolean":true"#, "boolean", "code"),
        ("gender", r#""valueUri":"urn:x""#, "uri", "code"),
        ("active", r#""valueString":"true""#, "string", "boolean"),
        ("telecom", r#""valueHumanName":{"text":"x"}"#, "HumanName", "ContactPoint"),
        ("telecom", r#""valueString":"7""#, "string", "ContactPoint"),
        ("multipleBirth", r#""valueDecimal":1"#, "decimal", "boolean, integer"),
    ] {
        refuses(PATIENT, add("Patient", name, value), "22023", &format!("the value is of the type {given}, where Patient.{name} takes {takes}"));
    }
    for (value, ty) in [(r#""valueCode":{"a":1}"#, "code"), (r#""valueCode":["a"]"#, "code"), (r#""valueCode":null"#, "code"), (r#""_valueCode":"x""#, "code")] {
        refuses(PATIENT, add("Patient", "gender", value), "22023", &format!("the value is not as JSON has a {ty}"));
    }
    refuses(PATIENT, add("Patient", "telecom", r#""valueContactPoint":"x""#), "22023", "the value is not as JSON has a ContactPoint");
    refuses(PATIENT, add("Patient", "gender", r#""valueCode":"a","valueString":"b""#), "22023", "a part has more than one value");
    refuses(PATIENT, add("Patient", "gender", r#""valueThing":"a""#), "22023", "unknown property \"valueThing\" of a part");
    refuses(PATIENT, add("Patient", "gender", r#""_valueQuantity":{"id":"x"}"#), "22023", "unknown property \"_valueQuantity\" of a part");
    refuses(PATIENT, add("Patient", "gender", r#""id":"x""#), "22023", "a part has no value");
    refuses(PATIENT, add("Patient", "colour", r#""valueCode":"red""#), "22023", "Patient has no element \"colour\"");
}

#[test]
fn values_without_a_type_of_their_own_are_given_by_parts() {
    // "anonymous elements … the content is defined by … a set of parts that are values"
    gives(
        PATIENT,
        add("Patient", "contact", r#""part":[{"name":"gender","valueCode":"male"},{"name":"name","valueHumanName":{"text":"y"}},{"name":"telecom","valueContactPoint":{"value":"1"}},{"name":"telecom","part":[{"name":"value","valueString":"2"}]}]"#),
        &patient(r#"{"name":{"text":"x"}}"#, r#"{"name":{"text":"x"}},{"gender":"male","name":{"text":"y"},"telecom":[{"value":"1"},{"value":"2"}]}"#),
    );
    let observation = r#"{"resourceType":"Observation","id":"o"}"#;
    gives(
        observation,
        add("Observation", "component", r#""part":[{"name":"code","valueCodeableConcept":{"text":"c"}},{"name":"value","valueQuantity":{"value":1}},{"name":"referenceRange","part":[{"name":"low","valueQuantity":{"value":0}},{"name":"text","valueString":"t"}]}]"#),
        r#"{"resourceType":"Observation","id":"o","component":[{"code":{"text":"c"},"valueQuantity":{"value":1},"referenceRange":[{"low":{"value":0},"text":"t"}]}]}"#,
    );
    // an Extension is not among the types of value[x]
    gives(
        PATIENT,
        add("Patient", "extension", r#""part":[{"name":"url","valueUri":"urn:e"},{"name":"value","valueString":"v"}]"#),
        &patient(r#""id":"p""#, r#""id":"p","extension":[{"url":"urn:e","valueString":"v"}]"#),
    );
    // of a primitive the parts are its id and extensions
    gives(
        PATIENT,
        add("Patient", "gender", r#""part":[{"name":"extension","part":[{"name":"url","valueUri":"urn:e"},{"name":"value","valueCode":"x"}]}]"#),
        &patient(r#""id":"p""#, r#""id":"p","_gender":{"extension":[{"url":"urn:e","valueCode":"x"}]}"#),
    );
    gives(PATIENT, add("Patient", "contained", r#""resource":{"resourceType":"Basic","id":"b"}"#), &patient(r#""id":"p""#, r#""id":"p","contained":[{"resourceType":"Basic","id":"b"}]"#));
    refuses(observation, add("Observation", "component", r#""part":[{"name":"code","valueString":"c"}]"#), "22023", "the value is of the type string, where Observation.component.code takes CodeableConcept");
    refuses(observation, add("Observation", "component", r#""part":[{"name":"cod","valueString":"c"}]"#), "22023", "Observation.component has no element \"cod\"");
    refuses(observation, add("Observation", "component", r#""part":[]"#), "22023", "no parts are given for Observation.component");
    refuses(observation, add("Observation", "component", r#""part":[{"valueString":"c"}]"#), "22023", "a part has no name");
    refuses(observation, add("Observation", "component", r#""part":[{"name":"value","valueString":"c"},{"name":"value","valueInteger":1}]"#), "22023", "Observation.component.value is given twice, and may not repeat");
    refuses(observation, add("Observation", "value", r#""part":[{"name":"value","valueDecimal":1}]"#), "22023", "Observation.value is a choice of types, which a value of parts leaves open");
    gives(observation, add("Observation", "valueQuantity", r#""part":[{"name":"value","valueDecimal":1}]"#), r#"{"resourceType":"Observation","id":"o","valueQuantity":{"value":1}}"#);
    refuses(PATIENT, add("Patient", "contained", r#""part":[{"name":"id","valueId":"x"}]"#), "22023", "a resource is given as \"resource\", not by parts");
    refuses(PATIENT, add("Patient", "contact", r#""resource":{"resourceType":"Basic"}"#), "22023", "the value is of the type Basic, where Patient.contact takes Patient.contact");
}

#[test]
fn add_wants_one_element_to_add_to_and_room_in_it() {
    refuses(PATIENT, add("Patient.name", "family", r#""valueString":"x""#), "FH422", "the path leads to 2 elements, not to one");
    refuses(PATIENT, add("Patient.name[7]", "family", r#""valueString":"x""#), "FH422", "the path leads to no element of this resource");
    refuses(PATIENT, add("Patient.maritalStatus", "text", r#""valueString":"x""#), "FH422", "the path leads to no element of this resource");
    refuses(PATIENT, add("Patient", "birthDate", r#""valueDate":"1980""#), "FH422", "birthDate is there already, and may not repeat");
    refuses(r#"{"resourceType":"Patient","_birthDate":{"id":"x"}}"#, add("Patient", "birthDate", r#""valueDate":"1980""#), "FH422", "birthDate is there already, and may not repeat");
}

#[test]
fn insert_puts_an_item_at_an_index_up_to_the_end() {
    let four = r#""valueIdentifier":{"value":"4"}"#;
    gives(PATIENT, insert("Patient.identifier", "0", four), &patient(r#""identifier":["#, r#""identifier":[{"value":"4"},"#));
    gives(PATIENT, insert("Patient.identifier", "2", four), &patient(r#"{"system":"urn:b","value":"3"}"#, r#"{"value":"4"},{"system":"urn:b","value":"3"}"#));
    gives(PATIENT, insert("Patient.identifier", "3", four), &patient(r#""value":"3"}"#, r#""value":"3"},{"value":"4"}"#));
    gives(PATIENT, insert("Patient.name[0].given", "1", r#""valueString":"Eva""#), &patient(r#""Anna","#, r#""Anna","Eva","#));
    gives(PATIENT, insert("telecom", "0", r#""valueContactPoint":{"value":"7"}"#), &patient(r#""id":"p""#, r#""id":"p","telecom":[{"value":"7"}]"#));
    for index in ["4", "-1", "99999999999999999999", "-99999999999999999999"] {
        let shown = if index.len() > 5 { "9223372036854775807" } else { index };
        refuses(PATIENT, insert("Patient.identifier", index, four), "FH422", &format!("index {shown} is outside of a list of 3"));
    }
    refuses(PATIENT, insert("Patient.telecom", "1", r#""valueContactPoint":{"value":"7"}"#), "FH422", "index 1 is outside of a list of 0");
    refuses(PATIENT, insert("Patient.identifier", "0.5", four), "22023", "part \"index\" is not a whole number");
    refuses(PATIENT, insert("Patient.identifier", "\"1\"", four), "22023", "part \"index\" is not an integer");
    refuses(PATIENT, operation("insert", "Patient.identifier", &format!(r#"{{"name":"value",{four}}}"#)), "22023", "part \"index\" is missing");
    refuses(PATIENT, insert("Patient.birthDate", "0", r#""valueDate":"1980""#), "22023", "Patient.birthDate does not repeat");
    refuses(PATIENT, insert("Patient.name.given", "0", r#""valueString":"x""#), "FH422", "the path leads to lists in 2 elements, not in one");
    refuses(PATIENT, insert("Patient.name[5].given", "0", r#""valueString":"x""#), "FH422", "nothing is there that could hold the list");
    refuses(PATIENT, insert("Patient", "0", r#""valueString":"x""#), "22023", "the path leads to the resource itself, not to a list");
    refuses(PATIENT, insert("Patient.identifier[0]", "0", four), "22023", "the path does not end in the name of a list");
}

#[test]
fn delete_removes_one_element_if_it_is_there() {
    gives(PATIENT, delete("Patient.birthDate"), &patient(r#","birthDate":"1970-01-02""#, ""));
    gives(PATIENT, delete("Patient.identifier[1]"), &patient(r#"{"system":"urn:b","value":"2"},"#, ""));
    gives(PATIENT, delete("Patient.name[0].given[0]"), &patient(r#""Anna","#, ""));
    gives(PATIENT, delete("Patient.gender"), PATIENT);
    gives(PATIENT, delete("Patient.identifier[9]"), PATIENT);
    gives(PATIENT, delete("Patient.telecom.where(system = 'phone')"), PATIENT);
    refuses(PATIENT, delete("Patient.identifier"), "FH422", "the path leads to 3 elements, not to one");
    refuses(PATIENT, delete("Patient"), "22023", "the path leads to the resource itself, which a patch cannot replace or delete");
}

#[test]
fn delete_leaves_no_empty_object_or_list() {
    gives(PATIENT, delete("Patient.contact[0].name.text"), &patient(r#","contact":[{"name":{"text":"x"}}]"#, ""));
    gives(PATIENT, delete("Patient.name[1].given[0]"), &patient(r#","given":["Ann"]"#, ""));
    gives(r#"{"resourceType":"Patient","photo":[{"title":"x"}]}"#, delete("Patient.photo.title"), r#"{"resourceType":"Patient"}"#);
}

#[test]
fn replace_changes_the_one_element() {
    gives(PATIENT, replace("Patient.birthDate", r#""valueDate":"1980""#), &patient("1970-01-02", "1980"));
    gives(PATIENT, replace("Patient.name[0].given[1]", r#""valueString":"Eva""#), &patient(r#""Lea""#, r#""Eva""#));
    gives(PATIENT, replace("Patient.identifier[1]", r#""valueIdentifier":{"value":"9"}"#), &patient(r#"{"system":"urn:b","value":"2"}"#, r#"{"value":"9"}"#));
    gives(PATIENT, replace("Patient.contact.name.text", r#""valueString":"y""#), &patient(r#""text":"x""#, r#""text":"y""#));
    gives(PATIENT, replace("Patient.contact[0]", r#""part":[{"name":"gender","valueCode":"male"}]"#), &patient(r#"{"name":{"text":"x"}}"#, r#"{"gender":"male"}"#));
    // the whole element, its id and extensions too
    let extended = r#"{"resourceType":"Patient","birthDate":"1970","_birthDate":{"id":"b"}}"#;
    gives(extended, replace("Patient.birthDate", r#""valueDate":"1980""#), r#"{"resourceType":"Patient","birthDate":"1980"}"#);
    gives(extended, replace("Patient.birthDate", r#""valueDate":"1980","_valueDate":{"id":"c"}"#), r#"{"resourceType":"Patient","birthDate":"1980","_birthDate":{"id":"c"}}"#);
    gives(extended, replace("Patient.birthDate", r#""_valueDate":{"id":"c"}"#), r#"{"resourceType":"Patient","_birthDate":{"id":"c"}}"#);
    // a choice may change its type
    let observation = r#"{"resourceType":"Observation","valueQuantity":{"value":1}}"#;
    gives(observation, replace("Observation.value", r#""valueString":"s""#), r#"{"resourceType":"Observation","valueString":"s"}"#);
    gives(observation, replace("(Observation.value as Quantity).value", r#""valueDecimal":2.0"#), r#"{"resourceType":"Observation","valueQuantity":{"value":2.0}}"#);
    refuses(PATIENT, replace("Patient.gender", r#""valueCode":"male""#), "FH422", "the path leads to no element of this resource");
    refuses(PATIENT, replace("Patient.name.given", r#""valueString":"x""#), "FH422", "the path leads to 3 elements, not to one");
    refuses(PATIENT, replace("Patient.birthDate", r#""valueString":"1980""#), "22023", "the value is of the type string, where Patient.birthDate takes date");
    refuses(PATIENT, replace("Patient", r#""resource":{"resourceType":"Patient"}"#), "22023", "the path leads to the resource itself, which a patch cannot replace or delete");
}

#[test]
fn move_changes_the_place_in_one_list() {
    let order = |expected: [&str; 3]| {
        let items: Vec<String> = expected.iter().map(|value| format!(r#"{{"value":"{value}"}}"#)).collect();
        format!(r#"{{"resourceType":"Patient","identifier":[{}]}}"#, items.join(","))
    };
    let start = order(["1", "2", "3"]);
    for (source, destination, expected) in [("0", "2", ["2", "3", "1"]), ("2", "0", ["3", "1", "2"]), ("1", "1", ["1", "2", "3"]), ("0", "1", ["2", "1", "3"])] {
        gives(&start, shift("Patient.identifier", source, destination), &order(expected));
    }
    for (source, destination, message) in [
        ("3", "0", "source 3 is outside of a list of 3"),
        ("0", "3", "destination 3 is outside of a list of 3"),
        ("-1", "0", "source -1 is outside of a list of 3"),
    ] {
        refuses(&start, shift("Patient.identifier", source, destination), "FH422", message);
    }
    refuses(&start, shift("Patient.telecom", "0", "0"), "FH422", "the list is empty");
    refuses(&start, operation("move", "Patient.identifier", r#"{"name":"source","valueInteger":0}"#), "22023", "part \"destination\" is missing");
}

#[test]
fn ids_and_extensions_of_primitives_stay_beside_their_values() {
    let given = r#"{"resourceType":"Patient","name":[{"given":["a","b",null],"_given":[null,{"id":"2"},{"id":"3"}]}]}"#;
    gives(given, insert("Patient.name[0].given", "0", r#""valueString":"z""#), r#"{"resourceType":"Patient","name":[{"given":["z","a","b",null],"_given":[null,null,{"id":"2"},{"id":"3"}]}]}"#);
    gives(given, delete("Patient.name[0].given[0]"), r#"{"resourceType":"Patient","name":[{"given":["b",null],"_given":[{"id":"2"},{"id":"3"}]}]}"#);
    gives(given, shift("Patient.name[0].given", "2", "0"), r#"{"resourceType":"Patient","name":[{"given":[null,"a","b"],"_given":[{"id":"3"},null,{"id":"2"}]}]}"#);
    gives(given, delete("Patient.name[0].given[1].id"), r#"{"resourceType":"Patient","name":[{"given":["a","b",null],"_given":[null,null,{"id":"3"}]}]}"#);
    // without its id nothing is left of the third
    gives(given, delete("Patient.name[0].given[2].id"), r#"{"resourceType":"Patient","name":[{"given":["a","b"],"_given":[null,{"id":"2"}]}]}"#);
    gives(given, replace("Patient.name[0].given.where($this = 'b')", r#""valueString":"c""#), r#"{"resourceType":"Patient","name":[{"given":["a","c",null],"_given":[null,null,{"id":"3"}]}]}"#);
    let plain = r#"{"resourceType":"Patient","birthDate":"1970","name":[{"given":["a","b"]}]}"#;
    let extension = r#""part":[{"name":"url","valueUri":"urn:e"},{"name":"value","valueCode":"c"}]"#;
    gives(plain, add("Patient.birthDate", "extension", extension), r#"{"resourceType":"Patient","birthDate":"1970","_birthDate":{"extension":[{"url":"urn:e","valueCode":"c"}]},"name":[{"given":["a","b"]}]}"#);
    gives(plain, add("Patient.name[0].given[1]", "extension", extension), r#"{"resourceType":"Patient","birthDate":"1970","name":[{"given":["a","b"],"_given":[null,{"extension":[{"url":"urn:e","valueCode":"c"}]}]}]}"#);
    let extended = r#"{"resourceType":"Patient","birthDate":"1970","_birthDate":{"extension":[{"url":"urn:d","valueCode":"d"},{"url":"urn:e","valueCode":"c"}]}}"#;
    gives(extended, replace("Patient.birthDate.extension('urn:e').value", r#""valueCode":"f""#), &extended.replace(r#""valueCode":"c""#, r#""valueCode":"f""#));
    gives(extended, delete("Patient.birthDate.extension('urn:d')"), &extended.replace(r#"{"url":"urn:d","valueCode":"d"},"#, ""));
    gives(extended, delete("Patient.birthDate"), r#"{"resourceType":"Patient"}"#);
    let only = r#"{"resourceType":"Patient","_birthDate":{"extension":[{"url":"urn:d","valueCode":"d"}]}}"#;
    gives(only, delete("Patient.birthDate.extension('urn:d')"), r#"{"resourceType":"Patient"}"#);
    gives(only, replace("Patient.birthDate", r#""valueDate":"1980""#), r#"{"resourceType":"Patient","birthDate":"1980"}"#);
}

#[test]
fn paths_choose_elements_as_fhirpath_does() {
    let first = patient(r#"{"system":"urn:a","value":"1"},"#, "");
    let last = patient(r#",{"system":"urn:b","value":"3"}"#, "");
    for (path, expected) in [
        ("Patient.identifier.first()", &first),
        ("Patient.identifier.last()", &last),
        ("Patient.identifier.tail().tail()", &last),
        ("Patient.identifier.skip(2)", &last),
        ("Patient.identifier.take(1)", &first),
        ("Patient.identifier.where(system = 'urn:a')", &first),
        ("Patient.identifier.where(system = 'urn:a').single()", &first),
        ("Patient.identifier.where(system = 'urn:b' and value = '3')", &last),
        ("Patient.identifier.where(system = 'urn:b').where(value != '2')", &last),
        ("Patient.identifier.where(system = 'urn:x' or value = '1')", &first),
        ("Patient.identifier.where(system = 'urn:b')[1]", &last),
        ("identifier.where(value.startsWith('3'))", &last),
        ("Patient.identifier.where((system = 'urn:a').not() and value in ('3' | '4'))", &last),
    ] {
        gives(PATIENT, delete(path), expected);
    }
    gives(PATIENT, delete("Patient.name.where(given.exists($this = 'Lea')).family"), &patient(r#""family":"Frei","#, ""));
    gives(PATIENT, delete("Patient.contact.where(name.text = 'x')"), &patient(r#","contact":[{"name":{"text":"x"}}]"#, ""));
    // a keyword, but no operator can stand behind a dot
    let narrative = r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div>a</div>"}}"#;
    for path in ["Patient.text.div", "Patient.text.`div`"] {
        gives(narrative, replace(path, r#""valueString":"<div>b</div>""#), &narrative.replace(">a<", ">b<"));
    }
    refuses(PATIENT, delete("Patient.identifier.where(system = 'urn:b')"), "FH422", "the path leads to 2 elements, not to one");
    refuses(PATIENT, delete("Patient.identifier.where(system = 'urn:b').single()"), "FH422", "single() of 2 elements");
    let observation = r#"{"resourceType":"Observation","component":[{"valueQuantity":{"value":1,"unit":"g"}},{"valueString":"x"}],"contained":[{"resourceType":"Patient","id":"c","gender":"male"},{"resourceType":"Group","id":"g","type":"person"}]}"#;
    for path in ["Observation.component.value.ofType(Quantity).unit", "Observation.component.where(value is Quantity).value.unit", "(Observation.component.value as FHIR.Quantity).unit", "Observation.component[0].value.unit"] {
        gives(observation, delete(path), &observation.replace(r#","unit":"g""#, ""));
    }
    gives(observation, delete("Observation.component.value.ofType(string)"), &observation.replace(r#",{"valueString":"x"}"#, ""));
    gives(observation, delete("Observation.contained.ofType(Patient).gender"), &observation.replace(r#","gender":"male""#, ""));
    gives(observation, replace("Observation.contained.where(id = 'g').type", r#""valueCode":"animal""#), &observation.replace("person", "animal"));
}

#[test]
fn paths_that_lead_nowhere_by_their_types_are_refused() {
    for (path, sqlstate, message) in [
        ("Patient.nam[0].family", "22023", "unknown element \"nam\" of Patient at offset 8"),
        ("Patient.maritalStatus.coding.kode", "22023", "unknown element \"kode\" of Coding at offset 29"),
        ("Patient.maritalStatus.coding.where(kode = 'x')", "22023", "unknown element \"kode\" of Coding at offset 35"),
        ("Patient.birthDate.day", "22023", "unknown element \"day\" of date at offset 18"),
        ("Patient.deceasedBoolean", "22023", "unknown element \"deceasedBoolean\" of Patient at offset 8"),
        ("Patient.deceased.ofType(Quantity)", "22023", "nothing at this place can be a Quantity"),
        ("Patient.deceased.ofType(Quantities)", "22023", "unknown type \"Quantities\" at offset 24"),
        ("Nothing.name", "22023", "unknown type \"Nothing\" at offset 0"),
        ("Observation.code", "FH422", "the path begins with Observation, but the resource is a Patient"),
        ("Patient.managingOrganization.resolve().name", "22023", "resolve() with 0 arguments is not supported in the path of a patch, at offset 29"),
        ("Patient.name.given + 'x'", "22023", "\"+\" is not supported in the path of a patch, at offset 19"),
        ("Patient.name.given | Patient.name.family", "22023", "\"|\" is not supported in the path of a patch, at offset 19"),
        ("'x'", "22023", "what is no path of elements is not supported in the path of a patch, at offset 0"),
        ("Patient.name[-1]", "22023", "an index that is no whole number is not supported in the path of a patch, at offset 13"),
        ("Patient.name['0']", "22023", "an index that is no whole number is not supported in the path of a patch, at offset 13"),
        ("Patient.name.extension(url)", "22023", "a computed url is not supported in the path of a patch, at offset 23"),
        ("Patient.name.children()", "22023", "children() with 0 arguments is not supported in the path of a patch, at offset 13"),
        ("Patient.", "22023", "name expected at offset 8"),
        ("", "22023", "expression expected at offset 0"),
    ] {
        refuses(PATIENT, delete(path), sqlstate, message);
    }
    let error = apply(PATIENT, &[delete("Patient.deceasedBoolean")]).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("in FHIRPath it is deceased.ofType(boolean)"));
}

#[test]
fn operations_apply_one_after_the_other_and_name_the_one_that_fails() {
    let operations = [delete("Patient.name[0]"), replace("Patient.name[0].use", r#""valueCode":"official""#), add("Patient.name[0]", "family", r#""valueString":"Frei""#)];
    let after = apply(PATIENT, &operations).unwrap();
    assert!(after.contains(r#""name": [{"use": "official", "given": ["Ann"], "family": "Frei"}]"#), "{after}");
    let error = apply(PATIENT, &[operations[0].clone(), delete("Patient.identifier")]).unwrap_err();
    assert_eq!(error.message, "operation 2 of 2, delete \"Patient.identifier\": the path leads to 3 elements, not to one");
    assert_eq!(apply(PATIENT, &[]).unwrap(), same(PATIENT));
    assert_eq!(text(&fhirpath_patch(&container(PATIENT), &container(r#"{"resourceType":"Parameters"}"#)).unwrap()), same(PATIENT));
}

#[test]
fn type_and_id_of_the_resource_stay() {
    let id = "a patch cannot change the id of a resource";
    for operation in [delete("Patient.id"), replace("Patient.id", r#""valueId":"q""#)] {
        refuses(PATIENT, operation, "22023", id);
    }
    refuses(r#"{"resourceType":"Patient"}"#, add("Patient", "id", r#""valueId":"q""#), "22023", id);
    refuses(PATIENT, add("Patient", "resourceType", r#""valueCode":"Group""#), "22023", "Patient has no element \"resourceType\"");
    refuses(PATIENT, replace("Patient.resourceType", r#""valueCode":"Group""#), "22023", "unknown element \"resourceType\" of Patient at offset 8");
}

#[test]
fn what_is_no_fhirpath_patch_is_told_so() {
    let refused = |parameters: &str| fhirpath_patch(&container(PATIENT), &container(parameters)).map(|after| text(&after)).unwrap_err();
    for (parameters, message) in [
        ("[]", "a FHIRPath Patch is a Parameters resource"),
        (r#"{"resourceType":"Patient"}"#, "a FHIRPath Patch is a Parameters resource"),
        (r#"{"resourceType":"Parameters","parameter":{}}"#, "Parameters.parameter is not an array"),
        (r#"{"resourceType":"Parameters","parameter":[{"name":"operations"}]}"#, "parameter 1 of 1 is not named \"operation\""),
        (r#"{"resourceType":"Parameters","parameter":[7]}"#, "parameter 1 of 1 is not named \"operation\""),
        (r#"{"resourceType":"Parameters","parameter":[{"name":"operation"}]}"#, "operation 1 of 1: an operation has no parts"),
        (r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[7]}]}"#, "operation 1 of 1: a part has no name"),
        (r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[]}]}"#, "operation 1 of 1: part \"type\" is missing"),
        (r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"typ"}]}]}"#, "operation 1 of 1: unknown part \"typ\""),
        (r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"}]}]}"#, "operation 1 of 1: part \"path\" is missing"),
        (r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"drop"}]}]}"#, "operation 1 of 1: unknown type of operation \"drop\""),
        (r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"path","valueInteger":1},{"name":"type","valueCode":"delete"}]}]}"#, "operation 1 of 1: part \"path\" is not a string"),
        (r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"path"},{"name":"path"}]}]}"#, "operation 1 of 1: part \"path\" is given twice"),
    ] {
        let error = refused(parameters);
        assert_eq!((error.sqlstate, error.message.as_str()), ("22023", message), "{parameters}");
    }
    for resource in ["7", "[]", "{}", r#"{"resourceType":7}"#] {
        let error = fhirpath_patch(&container(resource), &container(&parameters(&[delete("x")]))).unwrap_err();
        assert_eq!(error.message, "not a FHIR resource: a FHIRPath Patch needs a resourceType", "{resource}");
    }
    let error = fhirpath_patch(&container(r#"{"resourceType":"Nothing"}"#), &container(&parameters(&[]))).unwrap_err();
    assert_eq!(error.message, "\"Nothing\" is not a FHIR R4 resource type");
}

#[test]
fn untouched_numbers_keep_their_digits() {
    let observation = r#"{"resourceType":"Observation","valueQuantity":{"value":1.10},"component":[{"valueQuantity":{"value":0.00}}]}"#;
    gives(observation, add("Observation", "status", r#""valueCode":"final""#), &observation.replace(r#""valueQuantity":{"value":1.10}"#, r#""status":"final","valueQuantity":{"value":1.10}"#));
    gives(observation, replace("Observation.component.value.value", r#""valueDecimal":2.50"#), &observation.replace("0.00", "2.50"));
}

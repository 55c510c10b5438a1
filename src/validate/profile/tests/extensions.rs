//! Extensions: <https://hl7.org/fhir/R4/extensibility.html>.

use super::*;

fn extension(name: &str, context: &str, elements: &str) -> String {
    let contexts = format!(r#""context":[{context}],"#);
    let text = lines(name, "Extension", &format!("Extension.url {{\"fixedUri\":\"http://x/{name}\"}}\n{elements}"));
    text.replace(r#""kind":"resource","#, &format!(r#""kind":"complex-type",{contexts}"#))
}

fn on(expression: &str) -> String {
    format!(r#"{{"type":"element","expression":"{expression}"}}"#)
}

fn patient(more: &str) -> String {
    format!(r#"{{"resourceType":"Patient",{more}}}"#)
}

#[test]
fn an_unknown_extension_is_told_and_an_unknown_modifier_is_wrong() {
    let world = World::of(&[]);
    let one = |property: &str| patient(&format!(r#""{property}":[{{"url":"http://x/none","valueCode":"a"}}]"#));
    world.wrong("", &one("extension"), &[("w", "Patient.extension[0]", "not-found", "the extension http://x/none is not known")]);
    world.wrong("", &one("modifierExtension"), &[("e", "Patient.modifierExtension[0]", "extension", "the modifier extension http://x/none is not known")]);
    world.wrong("", &patient(r#""extension":[{"url":"none","valueCode":"a"}]"#), &[("e", "Patient.extension[0]", "extension", "must be absolute")]);
    // Wherever they stand.
    let deep = r#""_birthDate":{"extension":[{"url":"http://x/none","valueCode":"a"}]},"name":[{"_given":[null,{"extension":[{"url":"http://x/none","valueCode":"a"}]}],"given":["a","b"]}]"#;
    world.wrong("", &patient(deep), &[
        ("w", "Patient.name[0].given[1].extension[0]", "not-found", ""),
        ("w", "Patient.birthDate.extension[0]", "not-found", ""),
    ]);
}

#[test]
fn a_definition_says_what_an_extension_holds() {
    let world = World::of(&[&extension("e", &on("Element"), r#"Extension.value[x] {"min":1,"type":[{"code":"code"}]}"#)]);
    world.right("", &patient(r#""extension":[{"url":"http://x/e","valueCode":"a"}]"#));
    world.wrong("", &patient(r#""extension":[{"url":"http://x/e","valueString":"a"}]"#), &[("e", "Patient.extension[0].value", "structure", "only of code")]);
    world.wrong("", &patient(r#""extension":[{"url":"http://x/e","id":"a"}]"#), &[("e", "Patient.extension[0]", "required", "value")]);
}

#[test]
fn an_extension_stands_where_its_context_says() {
    let e = r#"{"url":"http://x/e","valueCode":"a"}"#;
    let on_patient = patient(&format!(r#""extension":[{e}]"#));
    let on_name = patient(&format!(r#""name":[{{"text":"x","extension":[{e}]}}]"#));
    let on_family = patient(&format!(r#""name":[{{"family":"x","_family":{{"extension":[{e}]}}}}]"#));
    let on_contact = patient(&format!(r#""contact":[{{"gender":"male","extension":[{e}]}}]"#));
    let on_choice = patient(&format!(r#""deceasedBoolean":true,"_deceasedBoolean":{{"extension":[{e}]}}"#));
    let all = [&on_patient, &on_name, &on_family, &on_contact, &on_choice];
    for (context, fits) in [
        ("Element", [true, true, true, true, true]),
        ("Patient", [true, false, false, false, false]),
        ("DomainResource", [true, false, false, false, false]),
        ("Resource", [true, false, false, false, false]),
        ("Person", [false; 5]),
        ("HumanName", [false, true, false, false, false]),
        ("Patient.name", [false, true, false, false, false]),
        ("HumanName.family", [false, false, true, false, false]),
        ("Patient.name.family", [false, false, true, false, false]),
        ("string", [false, false, true, false, false]),
        ("Patient.contact", [false, false, false, true, false]),
        ("BackboneElement", [false, false, false, true, false]),
        ("Patient.deceased[x]", [false, false, false, false, true]),
        ("Patient.deceasedBoolean", [false, false, false, false, true]),
        ("http://hl7.org/fhir/StructureDefinition/Patient#Patient.name", [false, true, false, false, false]),
        ("SomethingOfLater.name", [true; 5]),
    ] {
        let world = World::of(&[&extension("e", &on(context), "")]);
        let found = all.map(|text| errors(world.issues(&[], text)).is_empty());
        assert_eq!(found, fits, "{context}");
    }
    for (expression, fits) in [("Patient.name", [false, true, false, false, false]), ("Patient.contact.where(gender = 'male') | Patient", [true, false, false, true, false])] {
        let world = World::of(&[&extension("e", &format!(r#"{{"type":"fhirpath","expression":"{expression}"}}"#), "")]);
        let found = all.map(|text| errors(world.issues(&[], text)).is_empty());
        assert_eq!(found, fits, "{expression}");
    }
}

#[test]
fn what_r4_itself_misplaces_is_left_to_stand() {
    let url = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
    let world = World::of(&[&extension("e", &on("ElementDefinition.type.code"), "").replace("http://x/e", url)]);
    let definition = format!(
        r#"{{"resourceType":"StructureDefinition","url":"http://x/s","name":"s","status":"draft","kind":"resource","abstract":false,"type":"Patient",
            "differential":{{"element":[{{"path":"Patient.id","type":[{{"extension":[{{"url":"{url}","valueUrl":"id"}}],"code":"http://hl7.org/fhirpath/System.String"}}]}}]}}}}"#
    );
    world.right("", &definition);
    world.wrong("", &patient(&format!(r#""extension":[{{"url":"{url}","valueUrl":"id"}}]"#)), &[("e", "Patient.extension[0]", "extension", "may not stand here")]);
}

#[test]
fn an_extension_may_extend_another() {
    let inner = extension("inner", r#"{"type":"extension","expression":"http://x/outer"}"#, "");
    let world = World::of(&[&inner, &extension("outer", &on("Patient"), "")]);
    let inner = r#"{"url":"http://x/inner","valueCode":"a"}"#;
    world.right("", &patient(&format!(r#""extension":[{{"url":"http://x/outer","extension":[{inner}]}}]"#)));
    world.wrong("", &patient(&format!(r#""extension":[{inner}]"#)), &[("e", "Patient.extension[0]", "extension", "may not stand here")]);
}

#[test]
fn a_context_invariant_holds_where_the_extension_stands() {
    let text = extension("e", &on("Patient"), "").replace(r#""context":"#, r#""contextInvariant":["active = true","%extension.value = 'a'"],"context":"#);
    let world = World::of(&[&text]);
    let with = |active: bool, value: &str| patient(&format!(r#""active":{active},"extension":[{{"url":"http://x/e","valueCode":"{value}"}}]"#));
    world.right("", &with(true, "a"));
    world.wrong("", &with(false, "a"), &[("e", "Patient.extension[0]", "invariant", "contextInvariant where the extension http://x/e stands, this must hold: active = true")]);
    world.wrong("", &with(true, "b"), &[("e", "Patient.extension[0]", "invariant", "%extension")]);
}

#[test]
fn modifiers_are_what_their_definition_says() {
    let modifier = extension("m", &on("Patient"), "").replace(r#"{"id":"Extension","path":"Extension"}"#, r#"{"id":"Extension","path":"Extension","isModifier":true}"#);
    let world = World::of(&[&modifier, &extension("e", &on("Patient"), ""), &lines("p", "Patient", "")]);
    let one = |property: &str, name: &str| patient(&format!(r#""{property}":[{{"url":"http://x/{name}","valueCode":"a"}}]"#));
    world.right("", &one("modifierExtension", "m"));
    world.right("", &one("extension", "e"));
    world.wrong("", &one("extension", "m"), &[("e", "Patient.extension[0]", "extension", "defines a modifier extension")]);
    world.wrong("", &one("modifierExtension", "e"), &[("e", "Patient.modifierExtension[0]", "extension", "does not define a modifier extension")]);
    let found = world.issues(&[], &one("extension", "p"));
    assert!(found.iter().any(|issue| issue.details.contains("does not define an extension")), "{found:#?}");
}

#[test]
fn parts_of_an_extension_are_its_slices() {
    let world = World::of(&[&extension(
        "e",
        &on("Patient"),
        r#"Extension.extension:a {"min":1,"max":"1"}
        Extension.extension:a.url {"fixedUri":"a"}
        Extension.extension:a.value[x] {"type":[{"code":"boolean"}]}"#,
    )]);
    let with = |parts: &str| patient(&format!(r#""extension":[{{"url":"http://x/e","extension":[{parts}]}}]"#));
    world.right("", &with(r#"{"url":"a","valueBoolean":true}"#));
    world.wrong("", &with(r#"{"url":"a","valueCode":"x"}"#), &[("e", "Patient.extension[0].extension[0].value", "structure", "only of boolean")]);
    world.wrong("", &with(r#"{"url":"a","valueBoolean":true},{"url":"b","valueBoolean":true}"#), &[("e", "Patient.extension[0].extension[1]", "extension", "has no part \"b\"")]);
    // Parts of what is not known are not known either.
    let nested = patient(r#""extension":[{"url":"http://x/none","extension":[{"url":"b","valueBoolean":true}]}]"#);
    world.wrong("", &nested, &[("w", "Patient.extension[0]", "not-found", "")]);
}

#[test]
fn a_profile_asks_for_extensions_by_their_url() {
    let world = World::of(&[
        &extension("e", &on("Patient"), ""),
        &lines("p", "Patient", r#"Patient.extension:e {"min":1,"max":"1","type":[{"code":"Extension","profile":["http://x/e"]}]}"#),
    ]);
    let e = r#"{"url":"http://x/e","valueCode":"a"}"#;
    world.right("p", &patient(&format!(r#""extension":[{e}]"#)));
    world.wrong("p", &patient(r#""active":true"#), &[("e", "Patient", "required", "Patient.extension:e")]);
    world.wrong("p", &patient(&format!(r#""extension":[{e},{e}]"#)), &[("e", "Patient", "structure", "(Patient.extension:e)")]);
}

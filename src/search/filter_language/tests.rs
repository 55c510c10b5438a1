use super::*;
use crate::index::query::{Argument, Query};

/// Reads arguments as a search without other rows does, and chains by name.
struct Plain;

impl Arguments for Plain {
    fn read(&mut self, types: &[TypeId], name: &str, value: &str) -> Result<Filter> {
        if let Some((head, rest)) = name.split_once('.') {
            let parameter = model::search_parameter(types[0], head).unwrap();
            let chain = |target: &TypeId| Some(Filter::Chain { parameter: head.to_owned(), target: *target, inner: Box::new(self.read(&[*target], rest, value).ok()?) });
            return Ok(Filter::Any(parameter.targets.iter().filter_map(chain).collect()));
        }
        let (name, modifier) = name.split_once(':').map_or((name, None), |(n, m)| (n, Some(m.to_owned())));
        let argument = Argument { name: name.into(), modifier, value: value.into() };
        if matches!(argument.modifier.as_deref(), Some("in" | "not-in" | "below" | "above")) {
            return Ok(Filter::Codes(argument));
        }
        Query::from_arguments(Some(types[0]), std::slice::from_ref(&argument))?;
        Ok(Filter::Row(vec![argument]))
    }

    fn parameter_type(&mut self, ty: TypeId, code: &str) -> Result<Option<ParameterType>> {
        Ok(model::search_parameter(ty, code).map(|p| p.ty))
    }
}

fn of(ty: &str, text: &str) -> Result<Filter> {
    read(&[model::type_named(ty).unwrap()], text, &mut Plain)
}

#[test]
fn a_filter_is_an_argument_among_others() {
    use crate::search::request::{Handling, Request, Setting};
    let parse = |text: &str| Request::parse(text, Setting { now: 0, handling: Handling::Strict, catalog: &mut crate::search::criteria::Standard });
    let request = parse("Observation?status=final&_filter=subject:Patient.name co \"pet\" and date ge 2010").unwrap();
    assert_eq!(written(&request.filter), "(status=final & date=ge2010 & subject:Patient.name:contains=pet)");
    let request = parse("Observation?subject:Patient._filter=not (name eq a)").unwrap();
    assert_eq!(written(&request.filter), "subject:Patient.not name:$is=a");
    let request = parse("Patient?_filter=_has:Observation:patient:code ne a and _has:Observation:subject:encounter:Encounter.status pr true").unwrap();
    let Filter::All(parts) = &request.filter else { panic!() };
    let Filter::Has { inner, .. } = &parts[0] else { panic!() };
    assert_eq!(written(inner), "code:$other=a");
    let Filter::Has { inner, .. } = &parts[1] else { panic!() };
    assert_eq!(written(inner), "encounter:Encounter.status:missing=false");
    for text in ["name:exact eq a", "_has:Observation:patient:code:not eq a", "_has:Observation:patient eq a", "_text eq a", "_content co b"] {
        assert!(parse(&format!("Patient?_filter={text}")).is_err(), "{text}");
    }
    for bad in ["?_filter=_id eq a", "Observation?_filter=", "Observation?_filter:not=a eq b", "Observation?_filter=_filter eq \"status eq a\""] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}

/// The search that a filter stands for.
fn written(filter: &Filter) -> String {
    let argument = |a: &Argument| format!("{}{}={}", a.name, a.modifier.as_deref().map(|m| format!(":{m}")).unwrap_or_default(), a.value);
    let all = |parts: &[Filter], with: &str| parts.iter().map(written).collect::<Vec<_>>().join(with);
    match filter {
        Filter::Row(arguments) => arguments.iter().map(argument).collect::<Vec<_>>().join(" & "),
        Filter::Codes(a) => argument(a),
        Filter::All(parts) => format!("({})", all(parts, " & ")),
        Filter::Any(parts) => format!("({})", all(parts, " or ")),
        Filter::Not(part) => format!("not {}", written(part)),
        Filter::Chain { parameter, target, inner } => format!("{parameter}:{}.{}", target.name(), written(inner)),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_examples_of_the_specification_are_read() {
    for (ty, text, expected) in [
        ("Patient", r#"name co "pet""#, "name:contains=pet"),
        ("Patient", r#"given eq "peter" and birthdate ge 2014-10-10"#, "given:$is=peter & birthdate=ge2014-10-10"),
        ("Observation", "code eq http://loinc.org|1234-5", "code=http://loinc.org|1234-5"),
        ("Observation", r#"subject.name co "pet""#, "(subject:Location.name:contains=pet or subject:Patient.name:contains=pet)"),
        ("Observation", "code eq loinc|1234-5", "code=http://loinc.org|1234-5"),
        ("Observation", "code in http://loinc.org/vs/LP234", "code:in=http://loinc.org/vs/LP234"),
        ("Observation", "code ni http://loinc.org/vs/LP234", "code:not-in=http://loinc.org/vs/LP234"),
        ("Observation", "code ss snomed|diabetes-NIDDM-stage-1", "code:below=http://snomed.info/sct|diabetes-NIDDM-stage-1"),
        ("Observation", "code sb snomed|diabetes", "code:above=http://snomed.info/sct|diabetes"),
        ("Observation", "date ge 2010-10-10", "date=ge2010-10-10"),
        ("Observation", "date po 2010", "date=ap2010-01-01T00:00:00Z/2011-01-01T00:00:00Z"),
        ("Observation", "subject re Patient/1", "subject=Patient/1"),
        ("Observation", "value-quantity gt 5.4|ucum|mg", "value-quantity=gt5.4|http://unitsofmeasure.org|mg"),
        ("Patient", "birthdate pr true", "birthdate:missing=false"),
        ("Patient", "birthdate pr false", "birthdate:missing=true"),
        ("Patient", "gender eq male", "gender=male,MALE,Male"),
        ("Patient", "gender ne male", "gender:$other=male"),
        ("Patient", "birthdate co 1970-01-01", "birthdate:$covers=1970-01-01"),
        ("Patient", r#"family ew "son" and not (given sw A)"#, "(family:$ends=son & not given=A)"),
        ("Patient", r#"name eq "a,b|c\\d""#, r"name:$is=a\,b\|c\\d"),
        ("Patient", "general-practitioner[name eq x].address sw y", "(general-practitioner:Organization.name:$is=x & address=y or general-practitioner:Practitioner.name:$is=x & address=y)"),
    ] {
        let filter = of(ty, text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        assert_eq!(written(&filter), expected, "{text}");
    }
}

#[test]
fn logic_goes_from_left_to_right() {
    let name = |n: &str| format!("name:$is={n}");
    for (text, expected) in [
        ("name eq a or name eq b and name eq c", format!("({} & ({} or {}))", name("c"), name("a"), name("b"))),
        ("name eq a or (name eq b and name eq c)", format!("({} or {} & {})", name("a"), name("b"), name("c"))),
        ("not(name eq a) and (name eq b)", format!("({} & not {})", name("b"), name("a"))),
        ("((name eq a))", name("a")),
    ] {
        assert_eq!(written(&of("Patient", text).unwrap()), expected, "{text}");
    }
}

#[test]
fn what_is_no_filter_is_refused_with_its_place() {
    for text in [
        "", "name", "name eq", "name eq ", "name xx y", "name eq \"open", "(name eq a", "name eq a)", "name eq a b", "not name eq a", "[x] eq a",
        "name eq a and", "name. eq a", r#"name eq "\x""#, r#"name eq "\u00""#, r#"name eq "\ud800""#, "name[given eq a", "9 eq 1", r#"name eq"a""#,
    ] {
        let error = of("Patient", text).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{text}");
        assert!(error.message.contains("at offset"), "{text}: {}", error.message);
    }
    for (ty, text, kind) in [
        ("Patient", "nosuch eq a", ErrorKind::Unknown),
        ("Observation", "related[type eq \"has-component\"].target pr true", ErrorKind::Unknown), // R4 has no such parameter
        ("Group", "characteristic[value eq a].value eq b", ErrorKind::NotSupported),
        ("Patient", "name[given eq a] eq b", ErrorKind::Invalid),
        ("Patient", "birthdate eq x", ErrorKind::Invalid),
        ("Patient", "birthdate pr maybe", ErrorKind::Invalid),
        ("Patient", "gender co male", ErrorKind::NotSupported),
        ("Patient", "birthdate sw 19", ErrorKind::NotSupported),
        ("Patient", "name re x", ErrorKind::NotSupported),
    ] {
        assert_eq!(of(ty, text).map_err(|e| e.kind), Err(kind), "{text}");
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = |n: usize| format!("{}name eq a{}", "(".repeat(n), ")".repeat(n));
    assert!(of("Patient", &deep(MAX_DEPTH - 1)).is_ok());
    for text in [
        deep(MAX_DEPTH),
        deep(100_000),
        format!("{}name eq a", "not (".repeat(100_000)),
        format!("{}name eq a", "name[".repeat(100_000)),
        format!("name eq a{}", " and name eq b or name eq c".repeat(MAX_DEPTH)),
        format!("name eq a{}", " and name eq b".repeat(MAX_TESTS)),
        format!("{}name eq a", "subject.".repeat(1_000)),
    ] {
        assert_eq!(of("Patient", &text).map_err(|e| e.kind), Err(ErrorKind::TooLarge), "{}", &text[..40]);
    }
}

#[test]
fn operators_decide_as_their_table_says() {
    use crate::{index, json};
    let patient = r#"{"resourceType":"Patient","id":"p","gender":"male","birthDate":"1970-05","name":[{"family":"Peterson","given":["Ánna","Bo"]}],
        "identifier":[{"system":"http://s","value":"Ab1"}],"generalPractitioner":[{"reference":"Practitioner/1"}]}"#;
    let container = json::parse(patient.as_bytes(), &json::Limits::default()).unwrap();
    let stamp = index::stamp(json::root(&container).unwrap());
    let keys = index::Keys::read(&stamp.keys).unwrap();
    fn holds(filter: &Filter, keys: index::Keys) -> bool {
        match filter {
            Filter::Row(arguments) => Query::from_arguments(model::type_named("Patient"), arguments).unwrap().matches(keys),
            Filter::All(parts) => parts.iter().all(|part| holds(part, keys)),
            Filter::Any(parts) => parts.iter().any(|part| holds(part, keys)),
            Filter::Not(part) => !holds(part, keys),
            other => panic!("{other:?}"),
        }
    }
    for (text, expected) in [
        ("family eq PETERSON", true),
        ("family eq peter", false),
        ("family ne peterson", false),
        ("given ne anna", true),
        ("given ne zoe", true),
        ("family sw peter", true),
        ("family ew SON", true),
        ("family ew peter", false),
        ("family co ters", true),
        ("given eq anna", true),
        ("family gt o", true),
        ("family gt p", false),
        ("family ge p", true),
        ("family lt q", true),
        ("family le o", false),
        ("gender eq MALE", true),
        ("gender ne male", false),
        ("gender ne female", true),
        ("gender ne MALE", false),
        ("identifier eq http://s|ab1", true),
        ("identifier eq http://s|Ab1", true),
        ("identifier eq AB1", true),
        ("birthdate eq 1970", true),
        ("birthdate eq 1970-05-01", false),
        ("birthdate co 1970-05-01", true),
        ("birthdate po 1970-05-01", true),
        ("birthdate po 1970-06", false),
        ("birthdate lt 1971 and birthdate gt 1969", true),
        ("general-practitioner re Practitioner/1", true),
        ("general-practitioner ne Practitioner/1", false),
        ("general-practitioner ne Practitioner/2", true),
        ("deceased pr false or deceased pr true", true),
        ("death-date pr true", false),
        ("death-date ne 2000", false),
        ("not (family sw x) and not (given eq nobody)", true),
    ] {
        let filter = of("Patient", text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        assert_eq!(holds(&filter, keys), expected, "{text}");
    }
}

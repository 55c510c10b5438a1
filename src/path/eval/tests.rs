use super::*;
use crate::json;
use crate::model::{INVARIANTS, type_named};

fn container(text: &str) -> Vec<u8> {
    json::parse(text.as_bytes(), &json::Limits::default()).unwrap()
}

fn shown(item: &Item<'_>) -> String {
    match item {
        Item::Element(element) => format!("{:?}", element.node()),
        item => item_text(item),
    }
}

fn item_text(item: &Item<'_>) -> String {
    match item {
        Item::Boolean(value) => value.to_string(),
        Item::Integer(value) => value.to_string(),
        Item::Decimal(value) => value.to_string(),
        Item::String(text) => format!("'{text}'"),
        Item::Date(moment) | Item::DateTime(moment) | Item::Time(moment) => format!("@{moment}"),
        Item::Quantity(quantity) => quantity.to_string(),
        Item::Type(name) => format!("{}.{}", name.namespace, name.name),
        Item::Element(element) => format!("{:?}", element.node()),
    }
}

/// What an expression gives on a document, told briefly.
fn on(document: &str, expression: &str) -> Result<String, String> {
    let bytes = container(document);
    let node = json::root(&bytes).unwrap();
    let item = Item::any(node);
    let program = Program::compile(expression, item.ty().filter(|_| node.get("resourceType").is_some())).map_err(|e| e.to_string())?;
    let result = program.evaluate(item, &Scope::of(node)).map_err(|e| e.to_string())?;
    Ok(result.iter().map(shown).collect::<Vec<_>>().join(", "))
}


#[test]
fn every_invariant_of_r4_compiles() {
    for invariant in INVARIANTS {
        let strict = type_named(invariant.path.split('.').next().unwrap());
        assert!(strict.is_some() || invariant.path == "Element", "{}", invariant.path);
        if let Err(error) = Program::compile(invariant.expression, None) {
            panic!("{} {}: {error}: {}", invariant.path, invariant.key, invariant.expression);
        }
        if let Some(ty) = type_named(invariant.path)
            && let Err(error) = Program::compile_lenient(invariant.expression, Some(ty))
        {
            panic!("{} {}: {error}: {}", invariant.path, invariant.key, invariant.expression);
        }
    }
}

const PATIENT: &str = r##"{"resourceType":"Patient","id":"p","active":true,"birthDate":"1974-12-25","_birthDate":{"extension":[{"url":"x","valueDateTime":"1974-12-25T14:35:45-05:00"}]},
 "name":[{"use":"official","family":"Chalmers","given":["Peter","James"]},{"use":"usual","given":["Jim",null],"_given":[null,{"id":"g"}]}],
 "contained":[{"resourceType":"Organization","id":"o","name":"Org"}],"managingOrganization":{"reference":"#o"},
 "generalPractitioner":[{"reference":"Practitioner/1"},{"reference":"http://x.org/y","type":"Organization"}],"multipleBirthInteger":2}"##;

#[test]
fn paths_lead_to_elements() {
    let on = |expression| on(PATIENT, expression).unwrap();
    assert_eq!(on("name.given"), r#""Peter", "James", "Jim", null"#);
    assert_eq!(on("Patient.name.where(use = 'usual').given.first()"), r#""Jim""#);
    assert_eq!(on("name.given.select(hasValue())"), "true, true, true, false");
    assert_eq!(on("name.given.id"), r#""g""#);
    assert_eq!(on("birthDate.extension('x').value"), r#""1974-12-25T14:35:45-05:00""#);
    assert_eq!(on("multipleBirth is integer"), "true");
    assert_eq!(on("multipleBirth + 1"), "3");
    assert_eq!(on("name[0].family & ', ' & name[0].given.join(' ')"), "'Chalmers, Peter James'");
    assert_eq!(on("managingOrganization.resolve().name"), r#""Org""#);
    assert_eq!(on("generalPractitioner.resolve().select($this is Practitioner)"), "true, false");
    assert_eq!(on("generalPractitioner.getReferenceKey(Practitioner)"), "'1'");
    assert_eq!(on("contained.type().name"), "'Organization'");
    assert_eq!(on("name.defineVariable('n').given.first().select(%n.family)"), r#""Chalmers""#);
    assert_eq!(on("name.exists(family.startsWith('Chal'))"), "true");
    assert_eq!(on("name.count() > 1 and active"), "true");
    assert_eq!(on("birthDate + 1 month"), "@1975-01-25");
    assert_eq!(on("descendants().where($this is Extension).count()"), "1");
}

#[test]
fn what_does_not_exist_is_refused_at_its_place() {
    let refused = |expression| on(PATIENT, expression).unwrap_err();
    assert_eq!(refused("name.givn"), "unknown element \"givn\" of HumanName at offset 5");
    assert_eq!(refused("Encounter.name"), "unknown element \"Encounter\" of Patient at offset 0");
    assert_eq!(refused("name.frob()"), "unknown function \"frob\" at offset 5");
    assert_eq!(refused("name.where()"), "where() takes 1 arguments, not 0 at offset 5");
    assert_eq!(refused("name.given.matches('(')"), "not a regular expression, or one that cannot be matched in linear time at offset 19");
    assert_eq!(refused("name.family.ofType(strng)"), "unknown type \"strng\" at offset 19");
    assert_eq!(refused("name.given + 'x'"), "more than one item where one at most can stand at offset 5");
    assert_eq!(refused("active < 1"), "FHIR.boolean and System.Integer are in no order at offset 7");
    assert_eq!(refused("%nothing"), "unknown constant \"%nothing\" at offset 0");
}

/// A member that is compared with a text is compared in place where it is one text; turned round, the general way decides.
#[test]
fn texts_compared_in_place_are_compared_as_everywhere() {
    let document = r#"{"resourceType":"Patient","id":"p","language":null,"active":true,"gender":"male","_gender":{"id":"g"},"birthDate":"1974-12-25",
     "_deceasedBoolean":{"id":"d"},"maritalStatus":{"text":"m","coding":[{"code":"M"}]},"text":"no narrative",
     "name":[{"family":"male","given":["male"],"_use":{"id":"u"}},{"family":7,"given":["a","b"],"text":{"x":1}},{"given":[]}],"identifier":[{"value":""}],
     "contact":[{"name":{"text":"é"}}],"multipleBirthInteger":2}"#;
    for member in ["id", "language", "active", "gender", "birthDate", "deceased", "maritalStatus", "text", "name", "multipleBirth", "resourceType"] {
        for literal in ["p", "male", "true", "1974-12-25", "no narrative", "2", "Patient", ""] {
            let in_place = on(document, &format!("{member} = '{literal}'"));
            assert_eq!(in_place, on(document, &format!("'{literal}' = {member}")), "{member} = {literal}");
            assert_eq!(on(document, &format!("({member} = '{literal}').not()")), on(document, &format!("{member} != '{literal}'")), "{member}");
        }
    }
    for (path, member) in [("name", "family"), ("name", "given"), ("name", "use"), ("name", "text"), ("identifier", "value"), ("contact.name", "text"), ("maritalStatus.coding", "code")] {
        for literal in ["male", "a", "7", "é", "M", ""] {
            let in_place = on(document, &format!("{path}.select({member} = '{literal}')"));
            assert_eq!(in_place, on(document, &format!("{path}.select('{literal}' = {member})")), "{path}.{member} = {literal}");
        }
    }
    // of JSON that nobody defined, too
    for member in ["a", "b", "value"] {
        let document = r#"{"a":"x","b":["x"],"valueString":"x"}"#;
        assert_eq!(on(document, &format!("{member} = 'x'")), Ok("true".into()), "{member}");
    }
}

/// A path is walked in one go where its steps follow each other, and step by step where something stands between them.
#[test]
fn paths_lead_where_their_steps_lead() {
    let document = r#"{"resourceType":"Observation","code":{"text":"c"},"_status":{"extension":[{"url":"u","valueString":"s"}]},"valueQuantity":{"value":1.50,"unit":"mg"},
     "contained":[{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"id":"i","extension":[{"url":"e","valueCode":"v"}]}]}]},{"id":"x"}],
     "component":[{"valueString":"t","_valueString":{"id":"y"}},{"_valueDateTime":{"id":"z"}},null,{"valueRange":{"low":{"value":1}}}],"subject":{"reference":"Patient/1"}}"#;
    for path in [
        "code.text", "status.extension.value", "status.extension.value.value", "value.value", "value.value.value", "value.unit", "contained.name.given",
        "contained.name.given.id", "contained.name.given.extension.value", "contained.id", "contained.resourceType", "component.value", "component.value.id",
        "component.value.low.value", "subject.reference", "subject.nothing", "Observation.value.unit", "Patient.name", "%resource.code.text",
    ] {
        let apart = path.replace('.', ").select(").replacen(')', "", 1) + if path.contains('.') { ")" } else { "" };
        let lenient = |expression: &str| {
            let bytes = container(document);
            let node = json::root(&bytes).unwrap();
            let program = Program::compile_lenient(expression, None).unwrap();
            let found = program.evaluate(Item::any(node), &Scope::of(node)).unwrap();
            found.iter().map(shown).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(lenient(path), lenient(&apart), "{path} and {apart}");
    }
}

/// On a stack as small as a server's.
fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn nested_expressions_fit_the_stack() {
    on_small_stack(|| {
        for (open, close, start) in [
            ("name.where(", ")", "true"),
            ("name.select(", ")", "given"),
            ("iif(true, ", ", 1)", "2"),
            ("(", " + 1)", "1"),
            ("-", "", "1"),
            ("name.repeat(", ")", "given"),
            ("name.exists(", ")", "true"),
            ("name.all(", ")", "true"),
            ("(1 | 2).aggregate(", ", 0)", "$this"),
            ("not(", ")", "true"),
            ("name.defineVariable('x', 1).where(", ")", "true"),
        ] {
            let expression = open.repeat(60) + start + &close.repeat(60);
            let _ = on(PATIENT, &expression);
        }
        for step in [".where(true)", ".select($this)", ".first()", ".children()", ".descendants()", ".union({})", "[0]", ".not()", ".repeat(a)", ".sort()", ".distinct()"] {
            let _ = on(PATIENT, &("name".to_owned() + &step.repeat(250)));
        }
        for operator in [" | 1", " + 1", " and true", " & 'a'", " is Patient", " implies true", " = 1"] {
            let _ = on(PATIENT, &("1".to_owned() + &operator.repeat(250)));
        }
        let variables: String = (0..200).map(|n| format!(".defineVariable('v{n}')")).collect();
        let _ = on(PATIENT, &("name".to_owned() + &variables));
    });
}

#[test]
fn what_never_ends_is_stopped() {
    let limits = Limits { steps: 300_000, items: 10_000, text: 100_000 };
    for expression in [
        "1.repeatAll($this)",
        "'a'.repeatAll($this & 'a')",
        "1.repeat($this + 1)",
        "'abcdefgh'.repeatAll($this & $this).count()",
        "('a' | 'b').repeatAll($this & $this).distinct().isDistinct()",
        "descendants().select(%resource.descendants().select(%resource.descendants().select(%resource.descendants().count())))",
        "'a'.repeatAll($this.replace('', 'ab'))",
        "'a'.repeatAll($this.replaceMatches('(.)', '$1$1'))",
        "'a'.repeatAll($this.encode('hex'))",
        "('a' | 'b').repeatAll($this.split('').join('xx'))",
    ] {
        let bytes = container(PATIENT);
        let node = json::root(&bytes).unwrap();
        let program = Program::compile(expression, None).unwrap();
        let error = program.evaluate(Item::resource(node), &Scope { limits, ..Scope::of(node) }).unwrap_err();
        assert_eq!(error.sqlstate(), "54000", "{expression}: {error}");
    }
    struct Impatient;
    impl Services for Impatient {
        fn go_on(&self) -> bool {
            false
        }
    }
    let bytes = container(PATIENT);
    let node = json::root(&bytes).unwrap();
    let program = Program::compile("1.repeatAll($this)", None).unwrap();
    let error = program.evaluate(Item::resource(node), &Scope { services: &Impatient, ..Scope::of(node) }).unwrap_err();
    assert_eq!(error.problem, Problem::Interrupted);
}

#[test]
fn deep_documents_are_walked_and_compared() {
    on_small_stack(|| {
        let deep = format!(r#"{{"resourceType":"Patient","extension":[{}{}]}}"#, r#"{"url":"a","extension":["#.repeat(45), "]}".repeat(45));
        assert_eq!(on(&deep, "descendants().count()").unwrap(), "90");
        assert_eq!(on(&deep, "extension = extension and extension ~ extension").unwrap(), "true");
        assert_eq!(on(&deep, "repeat(extension).count()").unwrap(), "45");
    });
}

#[test]
fn numbers_keep_their_digits() {
    let document = r#"{"resourceType":"Observation","valueQuantity":{"value":1.10},"component":[{"valueInteger":99999999999999999999999999999999999999},{"valueQuantity":{"value":0.10000000000000000000000000000000000000001}}]}"#;
    let on = |expression| on(document, expression).unwrap();
    assert_eq!(on("value.value"), "1.10");
    assert_eq!(on("value.value + 1"), "2.10");
    assert_eq!(on("value.value = 1.1"), "true");
    assert_eq!(on("component[0].value > 5"), "true");
    assert_eq!(on("component[0].value + 1"), "");
    assert_eq!(on("component[0].value"), "99999999999999999999999999999999999999");
    assert_eq!(on("component[0].value.toString()"), "'99999999999999999999999999999999999999'");
    assert_eq!(on("component[1].value.value > 0.1"), "true");
    assert_eq!(on("component[1].value.value = 0.1"), "false");
    assert_eq!(on("79228162514264337593543950335 * 10"), "");
    assert_eq!(on("2147483647 + 1"), "");
    assert_eq!(on("1.20 * 3"), "3.60");
    assert_eq!(on("0.1 + 0.2 = 0.3"), "true");
}

/// What an expression gives with few steps.
fn within(steps: u64, document: &str, expression: &str) -> Result<String, EvaluationError> {
    let bytes = container(document);
    let node = json::root(&bytes).unwrap();
    let program = Program::compile(expression, None).unwrap();
    let limits = Limits { steps, ..Limits::default() };
    let result = program.evaluate(Item::any(node), &Scope { limits, ..Scope::of(node) })?;
    Ok(result.iter().map(shown).collect::<Vec<_>>().join(", "))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

#[test]
fn equivalence_costs_steps() {
    let up = list((0..3_000).map(|i| format!(r#"{{"a":{i}}}"#)));
    let down = list((0..3_000).rev().map(|i| format!(r#"{{"a":{i}}}"#)));
    let document = format!(r#"{{"p":{{"x":{up}}},"q":{{"x":{down}}},"r":{{"x":{up}}}}}"#);
    assert_eq!(within(100_000, &document, "p ~ q").unwrap_err().problem, Problem::TooManySteps);
    assert_eq!(within(100_000, &document, "p.x ~ q.x").unwrap_err().problem, Problem::TooManySteps);
    assert_eq!(within(100_000, &document, "p ~ r").unwrap(), "true", "in the same order it takes one look each");
    assert_eq!(within(100_000, &document, "p.x ~ r.x").unwrap(), "true");
    assert_eq!(within(10_000_000, &document, "p ~ q.where(false)").unwrap(), "false");
    assert_eq!(within(2_000, &document, "p = r").unwrap_err().problem, Problem::TooManySteps, "equality counts parts, too");
    let small = r#"{"p":{"x":[1,"A  b",{"c":[1.10,2]}]},"q":{"x":[{"c":[2.0,1.1]},"a B",1.0]}}"#;
    assert_eq!(within(1_000, small, "p ~ q").unwrap(), "true");
}

#[test]
fn items_are_told_apart_by_value() {
    let many = |f: fn(usize) -> String| format!(r#"{{"resourceType":"Parameters","parameter":{}}}"#, list((0..4_000).map(f)));
    for document in [
        many(|i| format!(r#"{{"name":"n","valueQuantity":{{"value":{i},"system":"http://unitsofmeasure.org","code":"mg"}}}}"#)),
        many(|i| format!(r#"{{"name":"n","valueDateTime":"{}-01-01T10:00:00Z"}}"#, 2000 + i)),
        many(|i| format!(r#"{{"name":"n","valueTime":"10:{:02}:{:02}"}}"#, i / 60, i % 60).replace(":60:", ":00:00.")),
        many(|i| format!(r#"{{"name":"n","valueDecimal":{i}.0000000000000000000000000000000000000001}}"#)),
        many(|i| format!(r#"{{"name":"n","valueCoding":{{"system":"s","code":"{i}"}}}}"#)),
    ] {
        let steps = 1_000_000;
        assert_eq!(within(steps, &document, "parameter.value.distinct().count() > 3000").unwrap(), "true");
        assert_eq!(within(steps, &document, "descendants().distinct().count() > 3000").unwrap(), "true");
        assert_eq!(within(steps, &document, "parameter.value.intersect(parameter.value).count() > 3000").unwrap(), "true");
        assert_eq!(within(steps, &document, "parameter.value.exclude(parameter.value).count()").unwrap(), "0");
        assert_eq!(within(steps, &document, "(parameter.value | parameter.value).count() > 3000").unwrap(), "true");
        assert_eq!(within(steps, &document, "parameter.value.subsetOf(parameter.value)").unwrap(), "true");
    }
}

#[test]
fn equal_items_are_one_however_many_there_are() {
    let few = "(1 | 2)";
    let many = "(1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15)";
    for set in [few, many] {
        assert_eq!(on(PATIENT, &format!("{set}.combine(1 '1').isDistinct()")).unwrap(), "false", "{set}");
        assert_eq!(on(PATIENT, &format!("(1 '1').subsetOf({set})")).unwrap(), "true", "{set}");
        assert_eq!(on(PATIENT, &format!("(100 '%').subsetOf({set})")).unwrap(), "true", "{set}");
        assert_eq!(on(PATIENT, &format!("1.000.subsetOf({set})")).unwrap(), "true", "{set}");
        assert_eq!(on(PATIENT, &format!("(1 'g').subsetOf({set})")).unwrap(), "false", "{set}");
        assert_eq!(on(PATIENT, &format!("{set}.select($this.toString() + ' \\'g\\'').select(toQuantity()).combine(1000 'mg').isDistinct()")).unwrap_or_default(), "false", "{set}");
        let noon = "@2015-02-04T12:00Z";
        assert_eq!(on(PATIENT, &format!("{set}.select({noon} + ($this.toString() + ' hours').toQuantity()).combine(@2015-02-04T15:00+02:00).isDistinct()")).unwrap(), "false", "{set}");
    }
    let document = r#"{"resourceType":"Basic","extension":[{"url":"a","valueDecimal":1.0000000000000000000000000000000000000000},{"url":"b","valueDecimal":1}]}"#;
    assert_eq!(on(document, &format!("{many}.exclude(extension.value).count()")).unwrap(), "14");
}

#[test]
fn quantities_are_numbers_with_every_digit() {
    let number = |document: &str| {
        let bytes = container(document);
        let node = json::root(&bytes).unwrap();
        let program = Program::compile("value", None).unwrap();
        let found = program.evaluate(Item::any(node), &Scope::of(node)).unwrap();
        found.first().unwrap().to_number()
    };
    let digits = "0.1000000000000000000000000000000000000001";
    let expected = crate::json::number::encode(digits).unwrap().unwrap();
    assert_eq!(number(&format!(r#"{{"resourceType":"Observation","valueQuantity":{{"value":{digits}}}}}"#)), Some(expected));
    assert_eq!(number(r#"{"resourceType":"Observation","valueQuantity":{"value":1,"comparator":"<"}}"#), None);
    assert_eq!(number(r#"{"resourceType":"Observation","valueString":"1"}"#), None);
}

#[test]
fn messages_hold_no_data() {
    let secret = r#"{"resourceType":"Patient","name":[{"family":"Secretname"}],"birthDate":"1974"}"#;
    for expression in [
        "name.family.encode(name.family.first())",
        "name.family.decode(name.family.first())",
        "name.family.escape(name.family.first())",
        "name.family.unescape(name.family.first())",
        "conformsTo(name.family.first())",
        "name.family.matches(name.family.first() & '(')",
        "name.family + 1",
        "name.family < 1",
        "name.family.abs()",
        "name.family.substring(name.family)",
        "iif(name.family, 1)",
        "name.family.allTrue()",
        "name.sum()",
        "name.family.avg()",
        "-name.family",
        "(name.family | 1).sort()",
        "name.family.comparable(1)",
        "name.family.round(name.family)",
        "name.family.toQuantity(name).value + 'a'",
        "name.family & name",
    ] {
        match on(secret, expression) {
            Ok(result) => panic!("{expression} gives {result}"),
            Err(message) => assert!(!message.contains("Secret"), "{expression}: {message}"),
        }
    }
}

#[test]
fn costly_regular_expressions_cost_steps() {
    let text: String = (0..200_000u32).map(|i| if i.wrapping_mul(2_654_435_761) >> 17 & 1 == 0 { 'a' } else { 'b' }).collect();
    let document = format!(r#"{{"t":"{text}"}}"#);
    for expression in [
        "t.matches('(a|b)*a(a|b){2000}c')",
        "t.matchesFull('(a|b)*a(a|b){2000}c')",
        "t.replaceMatches('(a|b)*a(a|b){2000}c', 'x')",
        "t.matches('(a|b)*a(a|b){' & '2000}c')",
    ] {
        let error = on(&document, expression).unwrap_err();
        assert!(error.starts_with("expression takes too many steps"), "{expression}: {error}");
    }
    assert_eq!(on(&document, "t.matches('^[a-c]{1,64}$')").unwrap(), "false");
    assert_eq!(on(&document, r"t.matches('^\\w+$')").unwrap(), "true");
    assert_eq!(on(&document, "t.replaceMatches('[ab]+', 'x')").unwrap(), "'x'");
    assert_eq!(within(1_000, &document, "t.matches('a+c')").unwrap_err().problem, Problem::TooManySteps);
}

#[test]
fn replacing_can_be_interrupted() {
    struct Twice(std::cell::Cell<u32>);
    impl Services for Twice {
        fn go_on(&self) -> bool {
            self.0.set(self.0.get() + 1);
            self.0.get() <= 2
        }
    }
    let bytes = container(r#"{"t":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#);
    let node = json::root(&bytes).unwrap();
    let program = Program::compile("t.replaceMatches('.*b|a', 'x')", None).unwrap();
    let services = Twice(std::cell::Cell::new(0));
    let error = program.evaluate(Item::any(node), &Scope { services: &services, ..Scope::of(node) }).unwrap_err();
    assert_eq!(error.problem, Problem::Interrupted);
}

#[test]
fn regular_expressions_of_one_expression_are_bounded_together() {
    let many = |pattern: &str, count: usize| {
        let group = |count: usize| format!("({})", vec![format!("'a'.matches({pattern})"); count].join(" or "));
        (0..count.div_ceil(50)).map(|n| group((count - 50 * n).min(50))).collect::<Vec<_>>().join(" and ")
    };
    let compiled = |text: String| Program::compile(&text, None).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(compiled(many(r"'^\\w{1,40}#'", 1)), Ok(()));
    assert!(compiled(many(r"'^\\w{1,40}#'", 40)).unwrap_err().starts_with("regular expressions of the expression are too large together"));
    assert_eq!(compiled(many("'^[a-z]+$'", 250)), Ok(()));
    assert_eq!(compiled(many("%context & 'a'", 60)), Ok(()));
    assert!(compiled(many("%context & 'a'", 100)).unwrap_err().contains("too large together"));
    assert!(compiled(many(r"'\\w{1000}'", 1)).unwrap_err().starts_with("regular expression is too large"));
}

//! The same entries without nightly: generated documents, damaged at random, for FUZZ_SECONDS (5 unless set) each.

use fhirlake::json::generate::{damaged, document};
use fhirlake::json::{Limits, parse};
use std::time::{Duration, Instant, SystemTime};

/// SplitMix64; the seed is printed, so that a failure can be repeated with FUZZ_SEED.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// Flips, sets, drops, repeats and splices.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(5) {
            let at = self.below(bytes.len());
            let end = (at + self.below(12)).min(bytes.len());
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = self.next() as u8,
                2 if at + 4 <= bytes.len() => {
                    let at = at & !3;
                    let word = [0, 1, 0x0FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, self.next() as u32][self.below(6)];
                    bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
                }
                3 if at < end => drop(bytes.drain(at..end)),
                4 if at < end => {
                    let piece = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                5 if at + 4 <= bytes.len() => {
                    // Near misses: an offset or a count that is off by a little.
                    let at = at & !3;
                    let word = u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
                    let near = word.wrapping_add(self.below(9) as u32).wrapping_sub(4);
                    bytes[at..at + 4].copy_from_slice(&near.to_ne_bytes());
                }
                _ => bytes.truncate(bytes.len() - self.below(4).min(bytes.len())),
            }
        }
    }
}

/// Calls `once` until the time is over, and says on what it failed.
fn hammer(name: &str, mut once: impl FnMut(&mut Random)) {
    let number = |variable: &str| std::env::var(variable).ok().and_then(|value| value.parse::<u64>().ok());
    let seconds = number("FUZZ_SECONDS").unwrap_or(5);
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    let first = number("FUZZ_SEED").unwrap_or(clock);
    let begin = Instant::now();
    let mut rounds = 0u64;
    while begin.elapsed() < Duration::from_secs(seconds) {
        let seed = first.wrapping_add(rounds);
        let round = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| once(&mut Random(seed))));
        assert!(round.is_ok(), "{name}: repeat with FUZZ_SEED={seed}");
        rounds += 1;
    }
    println!("{name}: {rounds} rounds in {seconds} s");
}

#[test]
fn json_text() {
    hammer("json_text", |random| {
        let seed = random.next();
        fhirlake_fuzz::json_text(document(seed).as_bytes());
        fhirlake_fuzz::json_text(&damaged(seed));
        let mut text = document(seed).into_bytes();
        random.damage(&mut text);
        fhirlake_fuzz::json_text(&text);
    });
}

#[test]
fn json_container() {
    hammer("json_container", |random| {
        let text = document(random.next());
        let mut bytes = parse(text.as_bytes(), &Limits::default()).expect("a generated document");
        if bytes.len() > 100_000 {
            return;
        }
        fhirlake_fuzz::json_container(&bytes);
        for _ in 0..20 {
            random.damage(&mut bytes);
            fhirlake_fuzz::json_container(&bytes);
        }
        let noise: Vec<u8> = (0..random.below(200)).map(|_| random.next() as u8).collect();
        fhirlake_fuzz::json_container(&noise);
    });
}

/// Searches to damage.
const SEARCHES: [&str; 14] = [
    "Patient?name=a&birthdate=ge1970-01-01T10:00:00.123%2B02:00",
    "Observation?code-value-quantity=http://loinc.org|8480-6$gt5.4|http://unitsofmeasure.org|mg,a$1",
    r"code=a\,b\|c\$d\\,e|f,|g,h|&code:not=1-8",
    "subject:Patient=1,2&subject=Patient/1,urn:uuid:1,http://x/Patient/1/_history/2",
    "subject:identifier=http://a|b,|c,d",
    "identifier:of-type=a|b|c&identifier=http://a|1,2",
    "name:contains=%C3%A9&family:exact=a+b&given=e",
    "url:above=http://a/b/c/d,/&url:below=/,a&url=http://a/b",
    "value-quantity=ap1e-5||mg,ne-1.5e+3,sa.5,eb5.,le7.5",
    "probability=gt0.000000000000000000000000000000000001,lt1e20",
    "birthdate:missing=true&gender:not=male,female&gender=http://hl7.org/fhir/administrative-gender|",
    "date=2013-01-14T10:00:60Z,ne2013-02-29,eb9999-12-31T23:59:59.9999999999-14:00,sa0001,le2013-01",
    "_id=a&_lastUpdated=ge2020&_tag=x|y&_profile=http://a&_source=b",
    "relationship=1$replaces&chromosome-variant-coordinate=1$2$3",
];

#[test]
fn query() {
    hammer("query", |random| {
        let mut text = SEARCHES[random.below(SEARCHES.len())].as_bytes().to_vec();
        for _ in 0..8 {
            fhirlake_fuzz::query(&text);
            random.damage(&mut text);
        }
        let alphabet = b"code=date&|,$\\%0123-T:Zgele.e+_ \xc3\xa9";
        let noise: Vec<u8> = (0..random.below(60)).map(|_| alphabet[random.below(alphabet.len())]).collect();
        fhirlake_fuzz::query(&noise);
    });
}

#[test]
fn keys() {
    hammer("keys", |random| {
        let bodies = fhirlake_fuzz::bodies();
        let mut body = bodies[random.below(bodies.len())].clone();
        for _ in 0..8 {
            fhirlake_fuzz::keys(&body);
            random.damage(&mut body);
        }
        // a right head, and lengths that can be
        let mut noise = vec![1, 0];
        noise.extend((0..random.below(80)).map(|_| random.below(15) as u8));
        fhirlake_fuzz::keys(&noise);
    });
}

/// Whole requests to damage: every way to ask for rows, and to shape the answer.
const REQUESTS: [&str; 22] = [
    "Patient?name=a&_sort=-birthdate,family,_id&_count=7&_total=accurate&_elements=name,Patient.birthDate,value[x]",
    "/Observation/_search?code=http://loinc.org|8480-6,a&_summary=true&_format=json&_pretty=true",
    "Patient/1/Observation?date=ge2015&date=lt2016-02&_include=Observation:subject:Patient&_include:iterate=Patient:organization",
    "Practitioner/a-b.c/*?_revinclude=Provenance:target&_count=0",
    "?_type=Patient,Observation&_lastUpdated=ge2020-01-01T00:00:00.000%2B01:00&_id=a,b,c",
    "Observation?subject:Patient.name=smith&patient.organization.name:contains=x&performer:Practitioner.family:exact=A",
    "Patient?_has:Observation:patient:_has:Provenance:target:recorded=gt2020&_has:Observation:subject:code=1-8",
    "Observation?code:in=http://a/vs&code:not-in=http://b&code:below=http://snomed.info/sct|73211009&code:above=a",
    "Patient?_filter=name eq \"a\" and (birthdate ge 1970 or not (gender eq male)) and organization.name co 'x'",
    "Observation?_text=\"heart attack\" or -fever&_content=a b&_list=42&_score=true&_sort=_score",
    "Location?near=42.25475478|-83.6945691|11.20|km&_count=10000",
    "Observation?_contained=both&_containedType=contained&code=a",
    "Medication?_contained=true&ingredient-code=x,y",
    "Observation?component-code-value-quantity=http://loinc.org|8480-6$gt5.4|http://unitsofmeasure.org|mg&value-quantity=ap100||kg",
    "ValueSet?url:below=http://a/b&url:missing=false&identifier:of-type=a|b|c&_profile:below=http://x&_tag:not=a|b&_security=|c",
    "Observation?$fhirpath=value.ofType(Quantity).value > 5 and status = 'final'",
    "Observation?_fhirpath=subject.reference.startsWith('Patient/')&nonsense=1&also:bad=2",
    "Encounter?date=sa2013-01-14&date=eb2014&date=ne2013&length=le5.50&_total=estimate&_sort=-_lastUpdated",
    "Patient?identifier=http://a|1\\,2,|b,c|&telecom:missing=true&given:text=a&_source=http://a",
    "Patient?_summary=text&_summary=count&_summary=data&_elements=active&_count=5&_cursor=abc",
    "Patient?general-practitioner:identifier=http://a|b&link:Patient=1&organization:Organization.partof.name=a",
    "Observation?_query=lastn&max=3&combo-code:code-text=abc&value-string:exact=%C3%A9%20x&_type=Patient",
];

#[test]
fn request() {
    let refused: Vec<&str> = REQUESTS.into_iter().filter(|text| !fhirlake_fuzz::request(text.as_bytes())).collect();
    assert!(refused.len() <= 8, "too little is understood to hammer at: {refused:#?}");
    println!("{} of {} requests are understood", REQUESTS.len() - refused.len(), REQUESTS.len());
    hammer("request", |random| {
        let mut text = REQUESTS[random.below(REQUESTS.len())].as_bytes().to_vec();
        if random.below(3) == 0 {
            // two requests in one
            let other = REQUESTS[random.below(REQUESTS.len())].split_once('?').map_or("", |(_, arguments)| arguments);
            text.push(b'&');
            text.extend_from_slice(other.as_bytes());
        }
        for _ in 0..8 {
            fhirlake_fuzz::request(&text);
            random.damage(&mut text);
        }
        let alphabet = b"_has:.codePatient?=date&|,$\\%0123-T:Zge()'\" +\xc3\xa9";
        let mut noise = b"Observation?".to_vec();
        noise.extend((0..random.below(60)).map(|_| alphabet[random.below(alphabet.len())]));
        fhirlake_fuzz::request(&noise);
    });
}

#[test]
fn parts() {
    hammer("parts", |random| {
        const RESOURCE: &str = r#"{"resourceType":"Observation","id":"o","meta":{"versionId":"1","tag":[{"code":"x","id":"y"}]},"_status":{"id":"s"},"status":"final",
            "text":{"div":"<div>a <b title='x>y'>c</b>&amp;d &#x41; <!-- e --></div>"},"code":{"coding":[{"code":"1","id":"z"}]},"valueQuantity":{"value":1.5},
            "subject":{"identifier":{"assigner":{"identifier":{"value":"a"}}}},"contained":[{"resourceType":"Patient","name":[{"given":["a",null]}]}]}"#;
        let text = if random.below(4) == 0 { document(random.next()) } else { RESOURCE.to_owned() };
        let mut bytes = parse(text.as_bytes(), &Limits::default()).expect("a whole document");
        if bytes.len() > 100_000 {
            return;
        }
        for _ in 0..12 {
            fhirlake_fuzz::parts(&bytes);
            random.damage(&mut bytes);
        }
        let mut text = text.into_bytes();
        random.damage(&mut text);
        if let Ok(bytes) = parse(&text, &Limits::default()) {
            fhirlake_fuzz::parts(&bytes);
        }
    });
}

/// Resources to patch, and patches of every kind.
const PATCHED: [&str; 3] = [
    r#"{"resourceType":"Patient","id":"p","name":[{"use":"official","given":["a","b",null],"_given":[null,{"id":"2"},{"id":"3"}]},{"text":"x"}],"birthDate":"1970","_birthDate":{"extension":[{"url":"urn:e","valueCode":"c"}]}}"#,
    r#"{"resourceType":"Observation","id":"o","valueQuantity":{"value":1.10},"component":[{"code":{"coding":[{"code":"1"}]},"valueString":"s"}],"contained":[{"resourceType":"Patient","id":"c","gender":"male"}]}"#,
    r#"{"resourceType":"Patient","identifier":[{"system":"a","value":"1"},{"system":"b","value":"2"},{"system":"b","value":"3"}],"contact":[{"name":{"given":["x"]}}]}"#,
];
const PATCHES: [&str; 8] = [
    r#"[{"op":"add","path":"/name/0/given/0","value":"z"},{"op":"move","from":"/name/0","path":"/name/-"},{"op":"copy","from":"/name","path":"/x"},{"op":"remove","path":"/birthDate"}]"#,
    r#"[{"op":"test","path":"/valueQuantity/value","value":1.1},{"op":"replace","path":"/component/0/code","value":{"text":"~1"}},{"op":"add","path":"","value":{"resourceType":"Observation","id":"o"}}]"#,
    r#"{"name":null,"birthDate":"1971","valueQuantity":{"value":2.50,"unit":null},"id":"p"}"#,
    r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.name[0].given[2].id"}]}]}"#,
    r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"move"},{"name":"path","valueString":"Patient.name.where(use = 'official').given"},{"name":"source","valueInteger":2},{"name":"destination","valueInteger":0}]},{"name":"operation","part":[{"name":"type","valueCode":"insert"},{"name":"path","valueString":"Patient.name.first().given"},{"name":"index","valueInteger":1},{"name":"value","valueString":"n"}]}]}"#,
    r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Observation.value.ofType(Quantity).value"},{"name":"value","valueDecimal":2.0}]},{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Observation.component[0].value"},{"name":"value","valueCodeableConcept":{"text":"t"}}]}]}"#,
    r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient.contact.single()"},{"name":"name","valueString":"telecom"},{"name":"value","part":[{"name":"value","valueString":"7"},{"name":"period","part":[{"name":"start","valueDateTime":"2020"}]}]}]}]}"#,
    r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.contact.name.given"}]},{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.identifier.where(system = 'b' and value != '2')"}]}]}"#,
];

#[test]
fn patch() {
    for patch in PATCHES {
        assert!(PATCHED.into_iter().any(|resource| fhirlake_fuzz::patch(format!("{resource}\n{patch}").as_bytes())), "applies nowhere: {patch}");
    }
    let container = |text: &str| parse(text.as_bytes(), &Limits::default()).expect("a whole document");
    hammer("patch", |random| {
        let resource = PATCHED[random.below(PATCHED.len())].to_owned();
        let resource = if random.below(8) == 0 { document(random.next()) } else { resource };
        let patch = PATCHES[random.below(PATCHES.len())];
        let (mut a, mut b) = (resource.clone().into_bytes(), patch.as_bytes().to_vec());
        for _ in 0..4 {
            fhirlake_fuzz::patch(&[a.as_slice(), b"\n", b.as_slice()].concat());
            let of = if random.below(3) == 0 { &mut a } else { &mut b };
            random.damage(of);
        }
        let (mut a, mut b) = (container(&resource), container(patch));
        if a.len() > 100_000 {
            return;
        }
        for _ in 0..4 {
            fhirlake_fuzz::patch_containers(&a, &b);
            let of = if random.below(2) == 0 { &mut a } else { &mut b };
            random.damage(of);
        }
        fhirlake_fuzz::patch(format!("{}\n{}", document(random.next()), document(random.next())).replace('\r', "").as_bytes());
    });
}

/// Expressions of every kind, and pieces that make others of them.
const EXPRESSIONS: [&str; 28] = [
    "Patient.name.where(use = 'official').given.first()",
    "name.given.select($this & ' ' & $index.toString()).join(', ')",
    "descendants().where($this is Extension).value.ofType(string)",
    "(1 | 2 | 3).aggregate($this + $total, 0) * 2.50 / 3 mod 2 div 1 - 7",
    "birthDate + 7 days > @2020-02-29T10:00:00.000+02:00 or birthDate.lowBoundary(8) = @1974-12-25",
    "4 'mg' + 2 'g' = 2004 'mg' and (2 'm' * 3 's') / 1 'km' > 0 's'",
    "name.given.matches('^[A-Z].*$') implies name.exists(family.startsWith('A'))",
    "'abc'.replaceMatches('([a-z])', '$1$1').substring(1, 2).toChars().distinct().count()",
    "iif(active, name.family, {}).upper().encode('base64').decode('base64')",
    "name.defineVariable('n', given).family.select(%n | $this)",
    "repeat(contact | name).sort(-family, given.first())",
    "%resource.contained.id.trace('x', length()) in ('a' | 'b')",
    "managingOrganization.resolve().name.exists() xor generalPractitioner.getReferenceKey(Practitioner).empty()",
    "'1.50'.toDecimal().round(1).toString() ~ '1.5' and true.toInteger() = 1 and '4 days'.toQuantity() = 4 days",
    "extension('u').value as string",
    "children().type().name.intersect('HumanName' | 'code').exclude({}).union('x').combine('y').tail().skip(1).take(3).last()",
    "-5.5.abs().floor() + 2.power(10) - 16.log(2).sqrt().exp().ln().ceiling()",
    "@T10:30:00.123 + 90 minutes < @T12:00 and @2016-02-29 - 1 year = @2015-02-28",
    "now() > today() or timeOfDay() < @T23:00",
    "contained.ofType(Patient).all(name.subsetOf(%x.name) and id.supersetOf(%x.id) and name.isDistinct())",
    "name[0].given[1 + 0].indexOf('e').toQuantity().value",
    "(true | false).allTrue() or (true | false).anyFalse().not()",
    "coalesce(photo, name.text, 'none').lower().trim().split(' ').escape('html').first().unescape('json')",
    "value.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender') or text.div.htmlChecks()",
    "1.587.highBoundary(2).precision() + @2014.lowBoundary().monthOf() + name.count().convertsToDecimal().toInteger()",
    "meta.lastUpdated.toDate().toDateTime().dateOf().yearOf().lowBoundary()",
    "`name`.`given`.hasValue() and name.getValue().empty() and (a.b.c is System.Any).not()",
    "%'x'.repeatAll(name).avg() | (1 | 2).sum() | ('a' | 'b').max() | (3 'mg' | 4 'g').min()",
];

#[test]
fn path_text() {
    for text in EXPRESSIONS {
        assert!(fhirlake_fuzz::path_text(text.as_bytes()), "is refused: {text}");
    }
    hammer("path_text", |random| {
        let mut text = spliced(random);
        for _ in 0..4 {
            fhirlake_fuzz::path_text(&text);
            random.damage(&mut text);
        }
    });
}

/// Two expressions, cut and put together.
fn spliced(random: &mut Random) -> Vec<u8> {
    let piece = |random: &mut Random| {
        let text = EXPRESSIONS[random.below(EXPRESSIONS.len())].as_bytes();
        let from = random.below(text.len());
        if random.below(3) == 0 { text.to_vec() } else { text[from..].to_vec() }
    };
    let (a, b) = (piece(random), piece(random));
    let with: &[u8] = [&b"."[..], b" and ", b" + ", b" | ", b".where(", b" = ", b".select("][random.below(7)];
    let mut out = [a.as_slice(), with, b.as_slice()].concat();
    if with.ends_with(b"(") {
        out.push(b')');
    }
    out
}

#[test]
fn path() {
    let patient = r##"{"resourceType":"Patient","id":"p","active":true,"birthDate":"1974-12-25","_birthDate":{"extension":[{"url":"u","valueString":"v"}]},"name":[{"use":"official","family":"Able","given":["Peter","James"]},{"given":["Jim",null],"_given":[null,{"id":"g"}]}],"contained":[{"resourceType":"Patient","id":"a","name":[{"family":"B"}]}],"managingOrganization":{"reference":"#a"},"extension":[{"url":"u","valueQuantity":{"value":1.50,"code":"mg","system":"http://unitsofmeasure.org"}}],"text":{"status":"generated","div":"<div>x</div>"}}"##;
    let container = |text: &str| parse(text.as_bytes(), &Limits::default()).expect("a whole document");
    hammer("path", |random| {
        let document = if random.below(4) == 0 { document(random.next()) } else { patient.to_owned() };
        let mut bytes = container(&document);
        if bytes.len() > 100_000 {
            return;
        }
        for _ in 0..4 {
            let mut expression = spliced(random);
            if random.below(2) == 0 {
                random.damage(&mut expression);
            }
            fhirlake_fuzz::path_container(&expression, &bytes);
            fhirlake_fuzz::path_container(EXPRESSIONS[random.below(EXPRESSIONS.len())].as_bytes(), &bytes);
            fhirlake_fuzz::path(&[expression.as_slice(), b"\n", document.as_bytes()].concat());
            random.damage(&mut bytes);
        }
    });
}

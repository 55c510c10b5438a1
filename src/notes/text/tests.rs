//! Which texts resources carry, and what is said of those that cannot be read.

use super::*;
use crate::json::{self, Limits};

fn each<T>(resource: &str, see: impl FnOnce(Vec<Text<'_>>) -> T) -> T {
    let bytes = json::parse(resource.as_bytes(), &Limits::default()).expect("JSON");
    see(texts(json::root(&bytes).expect("a container"), &|| false).expect("not interrupted"))
}

/// `path|content type|text`, or the problem in place of the text.
fn lines(resource: &str) -> Vec<String> {
    each(resource, |texts| {
        texts.iter().map(|t| format!("{}|{}|{}", t.path, t.content_type, t.problem.map_or(&*t.text, |p| p.message()))).collect()
    })
}

fn document(attachments: &str) -> String {
    format!(r#"{{"resourceType":"DocumentReference","status":"current","content":[{attachments}]}}"#)
}

fn attached(content_type: &str, data: &str) -> Vec<String> {
    lines(&document(&format!(r#"{{"attachment":{{"contentType":"{content_type}","data":"{data}"}}}}"#)))
}

#[test]
fn attachments_of_all_kinds() {
    assert_eq!(attached("text/plain", "aGVsbG8="), ["content[0].attachment.data|text/plain|hello"]);
    assert_eq!(attached("text/plain; charset=iso-8859-1", "Y2Fm6Q=="), ["content[0].attachment.data|text/plain|café"]);
    assert_eq!(attached("text/html", "PHA+YTxwPmI="), ["content[0].attachment.data|text/html|a\n\nb"]);
    assert_eq!(attached("application/rtf", "e1xydGYxIGFccGFyIGJ9"), ["content[0].attachment.data|application/rtf|a\nb"]);
    // declared as text, but RTF
    assert_eq!(attached("text/plain", "e1xydGYxIGFccGFyIGJ9"), ["content[0].attachment.data|application/rtf|a\nb"]);
    // an image has no text to be missed
    assert_eq!(attached("image/jpeg", "/9j/4AAQ"), [""; 0]);
    assert_eq!(attached("application/zip", "UEsDBA=="), ["content[0].attachment.data|application/zip|what is attached is of a kind that is not read"]);
    assert_eq!(attached("text/plain", "aGVsbG8"), ["content[0].attachment.data|text/plain|hello"]);
    assert_eq!(attached("text/plain", "aGVs!bG8="), ["content[0].attachment.data|text/plain|the data is not base64"]);
    assert_eq!(attached("application/rtf", "aGVsbG8="), ["content[0].attachment.data|application/rtf|the RTF is damaged"]);
    // without a type
    let untyped = document(r#"{"attachment":{"data":"aGVsbG8="}},{"attachment":{"data":"PGRpdj5hPC9kaXY+"}},{"attachment":{"data":"AAECAw=="}},{"attachment":{"url":"http://x"}}"#);
    assert_eq!(
        lines(&untyped),
        [
            "content[0].attachment.data|text/plain|hello",
            "content[1].attachment.data|text/html|a",
            "content[2].attachment.data|application/octet-stream|what is attached is of a kind that is not read"
        ]
    );
}

#[test]
fn a_pdf() {
    let pdf = "%PDF-1.4\n1 0 obj << /Pages 2 0 R >> endobj 2 0 obj << /Kids [3 0 R] >> endobj 3 0 obj << /Contents 4 0 R /Resources << /Font << /F << /Subtype /Type1 >> >> >> >> endobj\n\
4 0 obj << /Length 36 >> stream\nBT /F 9 Tf (No chest pain today) Tj ET\nendstream endobj /Root 1 0 R";
    let data: String = base64_of(pdf.as_bytes());
    assert_eq!(attached("application/pdf", &data), ["content[0].attachment.data|application/pdf|No chest pain today"]);
    assert_eq!(attached("application/octet-stream", &data), ["content[0].attachment.data|application/pdf|No chest pain today"]);
    let cut = base64_of(&pdf.as_bytes()[..20]);
    assert_eq!(attached("application/pdf", &cut), ["content[0].attachment.data|application/pdf|the PDF is damaged"]);
}

fn base64_of(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let all = (0..3).fold(0u32, |all, place| all << 8 | u32::from(three.get(place).copied().unwrap_or(0)));
        (0..4).map(|place| if place > three.len() { '=' } else { char::from(DIGITS[(all >> (18 - 6 * place) & 63) as usize]) }).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[test]
fn the_definitions_tell_where_texts_are() {
    assert_eq!(
        lines(
            r#"{"resourceType":"Composition","text":{"status":"generated","div":"<div>all</div>"},
            "section":[{"title":"x","text":{"status":"generated","div":"<div>one</div>"},"section":[{"text":{"status":"generated","div":"<div>two</div>"}}]}]}"#
        ),
        ["text.div|application/xhtml+xml|all", "section[0].text.div|application/xhtml+xml|one", "section[0].section[0].text.div|application/xhtml+xml|two"]
    );
    assert_eq!(
        lines(r#"{"resourceType":"Condition","note":[{"text":"first"},{"text":" "},{"text":"third"}],"code":{"text":"not read"}}"#),
        ["note[0].text|text/markdown|first", "note[2].text|text/markdown|third"]
    );
    assert_eq!(
        lines(r#"{"resourceType":"QuestionnaireResponse","item":[{"linkId":"1","item":[{"linkId":"2","answer":[{"valueString":"pain"},{"valueInteger":3}]}]}]}"#),
        ["item[0].item[0].answer[0].value|text/plain|pain"]
    );
    assert_eq!(
        lines(r#"{"resourceType":"Observation","valueString":"pus","contained":[{"resourceType":"Observation","note":[{"text":"in it"}]}]}"#),
        ["contained[0].note[0].text|text/markdown|in it", "value|text/plain|pus"]
    );
    assert_eq!(
        lines(r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"DiagnosticReport","conclusion":"normal"}}]}"#),
        ["entry[0].resource.conclusion|text/plain|normal"]
    );
    assert_eq!(lines(r#"{"resourceType":"Binary","contentType":"text/plain","data":"aGVsbG8="}"#), ["data|text/plain|hello"]);
    assert_eq!(lines(r#"{"resourceType":"Nothing","text":{"div":"<div>x</div>"}}"#), [""; 0]);
    assert_eq!(lines("[]"), [""; 0]);
    assert_eq!(lines(r#"{"resourceType":"Observation","note":"x","valueString":[["a"]],"text":{"div":7},"contained":{"resourceType":5}}"#), [""; 0]);
}

#[test]
fn language_and_date() {
    let resource = r#"{"resourceType":"DocumentReference","language":"en-US","date":"2021-03-04T23:30:00-05:00","context":{"period":{"start":"2021-03-01"}},
        "description":"a","content":[{"attachment":{"contentType":"text/plain","language":"de","creation":"2020-01-02","data":"aGVsbG8="}}]}"#;
    each(resource, |texts| {
        let told: Vec<_> = texts.iter().map(|t| (t.language, t.date.map(|d| d.to_string()), t.is_english())).collect();
        assert_eq!(told, [(Some("en-US"), Some("2021-03-04".to_owned()), true), (Some("de"), Some("2020-01-02".to_owned()), false)]);
    });
    let report = r#"{"resourceType":"DiagnosticReport","effectivePeriod":{"start":"2021-03-01T00:00:00Z"},"conclusion":"a"}"#;
    each(report, |texts| assert_eq!(texts[0].date.map(|d| d.to_string()).as_deref(), Some("2021-03-01")));
}

#[test]
fn what_is_read_is_bounded() {
    let long = "x".repeat(MAX_TEXT / 2 + 1);
    let resource = format!(r#"{{"resourceType":"Condition","note":[{{"text":"{long}"}},{{"text":"{long}"}},{{"text":"more"}}]}}"#);
    each(&resource, |texts| {
        let told: Vec<_> = texts.iter().map(|t| (t.text.len(), t.problem)).collect();
        assert_eq!(told, [(MAX_TEXT / 2 + 1, None), (MAX_TEXT / 2 - 1, Some(Problem::TooLong))]);
    });
    let deep = format!(r#"{{"resourceType":"QuestionnaireResponse"{}{}}}"#, r#","item":[{"linkId":"1""#.repeat(150), "}]".repeat(150));
    assert_eq!(lines(&deep), [""; 0]);
    let deeper = format!(r#"{{"resourceType":"QuestionnaireResponse"{}{}}}"#, r#","item":[{"linkId":"1""#.repeat(300), "}]".repeat(300));
    assert!(lines(&deeper).iter().all(|l| l.ends_with(Problem::TooDeep.message())));
}

#[test]
fn reading_can_be_stopped() {
    let bytes = json::parse(document(r#"{"attachment":{"data":"aGVsbG8="}}"#).as_bytes(), &Limits::default()).expect("JSON");
    assert_eq!(texts(json::root(&bytes).expect("a container"), &|| true), Err(Interrupted));
}

#[test]
fn titles_and_questions_tell_the_section() {
    let titles = |resource: &str| each(resource, |texts| texts.iter().map(|t| format!("{}|{}", t.titles.join(">"), t.text)).collect::<Vec<_>>());
    let composition = r#"{"resourceType":"Composition","section":[
        {"title":"Allergies","text":{"status":"generated","div":"<div>penicillin</div>"},"section":[{"title":"Food","text":{"status":"generated","div":"<div>nuts</div>"}}]},
        {"text":{"status":"generated","div":"<div>cough</div>"}}]}"#;
    assert_eq!(titles(composition), ["Allergies|penicillin", "Allergies>Food|nuts", "|cough"]);
    let answers = r#"{"resourceType":"QuestionnaireResponse","item":[{"text":"Family history?","item":[{"text":"Mother","answer":[{"valueString":"asthma"}]}]}]}"#;
    assert_eq!(titles(answers), ["Family history?>Mother|asthma"]);
    let family = r#"{"resourceType":"FamilyMemberHistory","note":[{"text":"breast cancer"}]}"#;
    assert_eq!(titles(family), ["Family history|breast cancer"]);
}

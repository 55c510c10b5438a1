//! The text of narratives and resources, and its bounds.

use super::*;
use crate::json::{Limits, parse, root};

fn with<T>(resource: &str, read: impl Fn(Node<'_>) -> T) -> T {
    let bytes = parse(resource.as_bytes(), &Limits::default()).unwrap();
    read(root(&bytes).unwrap())
}

/// The narrative of a resource with that div.
fn plain(div: &str) -> String {
    let quoted: String = div.chars().map(|c| if c.is_control() { format!("\\u{:04x}", c as u32) } else { c.to_string().replace('\\', "\\\\").replace('"', "\\\"") }).collect();
    with(&format!(r#"{{"text":{{"div":"{quoted}"}}}}"#), narrative)
}

#[test]
fn a_narrative_is_its_text() {
    for (div, text) in [
        (r#"<div xmlns="http://www.w3.org/1999/xhtml"><p>Hello</p><p>you</p></div>"#, "Hello you"),
        ("<div>\n  a\u{a0} b\t<br/>c&nbsp;d&#160;e\n</div>", "a b c d e"),
        ("one w<b>or</b>d, <i>two</i> <a href='x'>words</a>", "one word, two words"),
        ("<td>a</td><td>b</td>", "a b"),
        ("H<sub>2</sub>O", "H2O"),
        ("Jos&eacute; &amp; M&#252;ller &lt;b&gt; &#x41; &quot;q&apos;", "José & Müller <b> A \"q'"),
        ("&yuml;&nbsp;&Agrave;&divide;", "ÿ À÷"),
        ("&amp;lt; &unknown; & &; &#; &#xD800; &#1114112; &#99999999; &#0;x&#7;y", "&lt; &unknown; & &; &#; &#xD800; &#1114112; &#99999999; x y"),
        ("a<!-- no > <b> -->b <![CDATA[<c> & d]]> <?pi e?>f", "ab <c> & d f"),
        (r#"<p title="a > b" alt='c"d>'>e</p>"#, "e"),
        ("a < b and 1<2 <", "a < b and 1<2 <"),
        ("<p title=\"left open>a <b>c</b>", "c"),
        ("a<p", "a"),
        ("a<p title='", "a"),
        ("<!-- open", ""),
        ("<![CDATA[open", "open"),
        ("<P>a</P><SPAN>b</SPAN>c<spanner>d", "a bc d"),
        ("", ""),
        ("plain  text", "plain text"),
        ("é<é>ü&é;", "é<é>ü&é;"),
    ] {
        assert_eq!(plain(div), text, "{div}");
    }
}

#[test]
fn what_has_no_narrative_has_no_text() {
    for resource in ["{}", "[]", "1", r#"{"text":1}"#, r#"{"text":{"div":1}}"#, r#"{"text":[{"div":"a"}]}"#, r#"{"contained":[{"text":{"div":"a"}}]}"#] {
        assert_eq!(with(resource, narrative), "");
    }
}

#[test]
fn content_is_every_string_that_says_something() {
    let resource = r#"{"resourceType":"DocumentReference","id":"docid","meta":{"versionId":"7","lastUpdated":"2020-01-01T00:00:00Z","profile":["http://p"],"tag":[{"system":"http://s","code":"tagcode","display":"Tag"}]},
        "implicitRules":"http://rules","text":{"status":"generated","div":"<div>The <b>story</b></div>"},
        "contained":[{"resourceType":"Patient","id":"inner","name":[{"family":"Chalmers"}],"text":{"div":"<p>told</p>"}}],
        "status":"current","date":"2020-01-01T00:00:00Z","description":"two\n lines","_description":{"id":"x","extension":[{"url":"http://e","valueString":"extended"}]},
        "subject":{"reference":"Patient/1","display":"Eve"},"identifier":[{"system":"urn:x","value":"ABC-1"}],
        "content":[{"attachment":{"contentType":"text/plain","data":"c2VjcmV0","url":"http://u","title":"Report","size":7}}],
        "surprise":{"deep":["unknown",{"id":"u","more":"words"}]}}"#;
    let mut lines: Vec<String> = with(resource, content).lines().map(str::to_owned).collect();
    assert!(lines.iter().position(|l| l == "The story").unwrap() < lines.iter().position(|l| l == "current").unwrap());
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["ABC-1", "Chalmers", "Eve", "Report", "Tag", "The story", "current", "extended", "generated", "tagcode", "text/plain", "told", "two lines", "unknown", "words"]
    );
}

#[test]
fn what_is_no_resource_gives_its_strings() {
    assert_eq!(with(r#"["a",{"b":"c"},1,null]"#, content), "a\nc");
    assert_eq!(with(r#""a""#, content), "a");
    assert_eq!(with("{}", content), "");
    let deep = format!("{}\"x\"{}", "[".repeat(900), "]".repeat(900));
    assert_eq!(with(&deep, content), "");
}

#[test]
fn text_is_bounded_and_its_words_too() {
    let words = |n: usize, word: &dyn Fn(usize) -> String| (0..n).map(word).collect::<Vec<_>>().join(" ");
    let note = |text: &str| with(&format!(r#"{{"resourceType":"Basic","note":"{text}"}}"#), content);
    // repeated words cost nothing
    let plain = words(250_000, &|i| format!("w{}", i % 1000));
    let kept = note(&plain);
    assert!(plain.starts_with(&kept) && kept.len() > MAX_BYTES - 10, "{}", kept.len());
    // different ones do
    let different = words(200_000, &|i| format!("w{i}"));
    let kept = note(&different);
    assert!(kept.len() > 300_000 && kept.len() < 600_000 && different.starts_with(&kept), "{}", kept.len());
    assert!(note(&words(300_000, &|i| format!("a{i}.de/b{i}"))).len() < 300_000);
    for text in ["é".repeat(700_000), "x".repeat(1_200_000), "a-".repeat(300_000), "a & ".repeat(100_000)] {
        let kept = note(&text);
        assert!(kept.len() <= MAX_BYTES && kept.len() > 1_000, "{}", kept.len());
        assert!(kept.split_whitespace().all(|run| run.len() <= 600));
        assert!(narrative(parsed(&text).as_node()).len() <= MAX_BYTES);
    }
}

#[test]
fn punctuation_does_not_go_on_forever() {
    assert_eq!(plain("a - b &lt; * * * c &amp;&amp; d"), "a - b < * * * c && d");
    for blank in ["* ", "→", "- -- --- "] {
        let kept = plain(&format!("a {} b {}", blank.repeat(3_000), "c ; ".repeat(500)));
        assert!(kept.len() < 2_700 && kept.ends_with(&"c ; ".repeat(500).trim_end()) && kept.starts_with("a "), "{kept}");
    }
}

struct Parsed(Vec<u8>);

impl Parsed {
    fn as_node(&self) -> Node<'_> {
        root(&self.0).unwrap()
    }
}

fn parsed(div: &str) -> Parsed {
    Parsed(parse(format!(r#"{{"text":{{"div":"{div}"}}}}"#).as_bytes(), &Limits::default()).unwrap())
}

#[test]
fn hostile_markup_takes_one_pass() {
    for piece in ["<a \\\"", "<a '>", "<!--", "<![CDATA[", "&#", "&amp", "<p title='<", "< ", "<?", "</"] {
        let begin = std::time::Instant::now();
        let _ = narrative(parsed(&piece.repeat(100_000)).as_node());
        assert!(begin.elapsed().as_secs() < 10, "{piece}");
    }
}

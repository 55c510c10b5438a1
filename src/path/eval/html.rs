//! Whether a narrative is what FHIR allows: <https://hl7.org/fhir/R4/narrative.html#xhtml>.

const ELEMENTS: [&str; 58] = [
    "a", "abbr", "acronym", "address", "b", "bdo", "big", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "dfn", "div",
    "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "ul", "var", "kbd", "del", "ins", "u", "center", "font",
];
const ATTRIBUTES: [&str; 46] = [
    "abbr", "align", "alt", "axis", "bgcolor", "border", "cellhalign", "cellpadding", "cellspacing", "cellvalign", "char", "charoff", "charset",
    "cite", "class", "colspan", "compact", "coords", "dir", "frame", "headers", "height", "href", "hreflang", "hspace", "id", "lang", "longdesc",
    "name", "nowrap", "rel", "rev", "rowspan", "rules", "scope", "shape", "span", "src", "start", "style", "summary", "tabindex", "title", "type",
    "valign", "width",
];
const MORE_ATTRIBUTES: [&str; 9] = ["accesskey", "size", "value", "vspace", "color", "face", "xml:lang", "xmlns", "xml:id"];

/// Levels of elements.
const MAX_DEPTH: usize = 1_000;

/// Whether a text is one well-formed `div` that holds more than blanks, and nothing that could be active: no script, form or handler.
pub(super) fn is_narrative(text: &str) -> bool {
    let text = text.trim();
    let (mut rest, mut open, mut has_content) = (text, Vec::new(), false);
    loop {
        if open.is_empty() && rest.len() < text.len() {
            // behind the div
            return rest.is_empty() && has_content;
        }
        let Some(at) = rest.find('<') else { return false };
        let (before, tag) = rest.split_at(at);
        if open.is_empty() && !before.is_empty() || !entities_end(before) {
            return false;
        }
        has_content |= !before.trim().is_empty();
        if let Some(comment) = tag.strip_prefix("<!--") {
            let Some(end) = comment.find("-->") else { return false };
            rest = &comment[end + 3..];
            continue;
        }
        let Some(end) = tag_end(tag) else { return false };
        let (inside, after) = (&tag[1..end], &tag[end + 1..]);
        rest = after;
        if let Some(name) = inside.strip_prefix('/') {
            if open.pop() != Some(name.trim_end()) {
                return false;
            }
            continue;
        }
        let (inside, is_closed) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        let (name, attributes) = inside.split_at(inside.find(char::is_whitespace).unwrap_or(inside.len()));
        if open.is_empty() && name != "div" || !ELEMENTS.contains(&name) || !attributes_are_allowed(attributes) {
            return false;
        }
        has_content |= name == "img";
        if !is_closed {
            if open.len() == MAX_DEPTH {
                return false;
            }
            open.push(name);
        }
    }
}

/// Where a tag ends; a `>` within quotes does not end it.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate().skip(1) {
        match (quote, byte) {
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'>') => return Some(at),
            (None, b'<') => return None,
            _ => {}
        }
    }
    None
}

fn attributes_are_allowed(attributes: &str) -> bool {
    let mut rest = attributes.trim();
    while !rest.is_empty() {
        let Some((name, value)) = rest.split_once('=') else { return false };
        let (name, value) = (name.trim(), value.trim_start());
        if !(ATTRIBUTES.contains(&name) || MORE_ATTRIBUTES.contains(&name)) {
            return false;
        }
        let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else { return false };
        let Some(end) = value[1..].find(quote) else { return false };
        let content = &value[1..=end];
        let scheme: String = content.chars().filter(|c| !c.is_whitespace() && !c.is_control()).take(11).collect();
        if matches!(name, "href" | "src") && scheme.to_ascii_lowercase().starts_with("javascript:") {
            return false;
        }
        rest = value[end + 2..].trim_start();
    }
    true
}

/// Whether every `&` begins an entity.
fn entities_end(text: &str) -> bool {
    text.split('&').skip(1).all(|after| {
        after.split_once(';').is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#'))
    })
}

#[cfg(test)]
mod tests {
    use super::is_narrative;

    #[test]
    fn only_plain_well_formed_divs_pass() {
        for good in [
            r#"<div xmlns="http://www.w3.org/1999/xhtml">x</div>"#,
            r#" <div><p>a &amp; b<br/></p><!-- c --><img src="x>y.png" alt=''/></div> "#,
            "<div><img src='#a'/></div>",
        ] {
            assert!(is_narrative(good), "{good}");
        }
        for bad in [
            "", "x", "<div></div>", "<div> \n</div>", "<div>x", "<div>x</p></div>", "<p>x</p>", "<div>x</div><div>y</div>", "<div>x</div>y",
            "<div><script>x</script></div>", "<div onclick='x'>x</div>", "<div><a href=' java\tscript:x'>x</a></div>", "<div>a & b</div>",
            "<div>a < b</div>", "<div id=x>y</div>", "<div><form>x</form></div>",
        ] {
            assert!(!is_narrative(bad), "{bad}");
        }
    }
}

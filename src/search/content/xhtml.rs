//! Markup to text. One pass; what is not well-formed is read as far as it goes.

use std::borrow::Cow;

/// Elements that stand inside a word: everything else separates words.
const INLINE: [&str; 20] = [
    "a", "abbr", "acronym", "b", "big", "cite", "code", "dfn", "em", "font", "i", "kbd", "s", "samp", "small", "span", "strong", "sub", "sup", "u",
];

/// The text between the tags, entities decoded, up to about `limit` bytes.
pub fn text(markup: &str, limit: usize) -> Cow<'_, str> {
    let mut rest = markup;
    let Some(first) = memchr::memchr2(b'<', b'&', rest.as_bytes()) else { return Cow::Borrowed(markup) };
    let mut out = String::from(&rest[..first]);
    rest = &rest[first..];
    while !rest.is_empty() && out.len() < limit {
        rest = if rest.starts_with('<') { tag(rest, &mut out) } else { entity(rest, &mut out) };
        let next = memchr::memchr2(b'<', b'&', rest.as_bytes()).unwrap_or(rest.len());
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    Cow::Owned(out)
}

/// Behind what begins with `<`: a tag, a comment, a CDATA section, or just that character.
fn tag<'a>(markup: &'a str, out: &mut String) -> &'a str {
    let section = |open: &str, close: &str| markup.strip_prefix(open).map(|inner| inner.split_once(close).unwrap_or((inner, "")));
    if let Some((_, rest)) = section("<!--", "-->") {
        return rest;
    }
    if let Some((inner, rest)) = section("<![CDATA[", "]]>") {
        out.push_str(inner);
        return rest;
    }
    let inner = &markup[1..];
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        out.push('<');
        return inner;
    }
    let name = inner.strip_prefix('/').unwrap_or(inner);
    let name = &name[..name.bytes().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(name.len())];
    if !INLINE.iter().any(|inline| inline.eq_ignore_ascii_case(name)) {
        out.push(' ');
    }
    behind(inner)
}

/// Behind the end of a tag. `>` may stand in quotes; `<` nowhere, so there the tag has been left open.
pub(crate) fn behind(tag: &str) -> &str {
    let bytes = tag.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'>' => return &tag[at + 1..],
            b'<' => return &tag[at..],
            b'"' | b'\'' => match memchr::memchr2(*byte, b'<', &bytes[at + 1..]) {
                Some(end) if bytes[at + 1 + end] == b'<' => return &tag[at + 1 + end..],
                Some(end) => at += end + 2,
                None => return "",
            },
            _ => at += 1,
        }
    }
    ""
}

/// Behind what begins with `&`: a reference to a character, or just that character.
pub(crate) fn entity<'a>(markup: &'a str, out: &mut String) -> &'a str {
    let inner = &markup[1..];
    let end = inner.bytes().take(10).position(|b| b == b';');
    match end.and_then(|end| character(&inner[..end]).zip(inner.get(end + 1..))) {
        Some((c, rest)) => {
            out.push(c);
            rest
        }
        None => {
            out.push('&');
            inner
        }
    }
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        // no text of the server holds a zero byte
        return char::from_u32(code.ok()?).map(|c| if c.is_control() { ' ' } else { c });
    }
    let named = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match LATIN_1.split(' ').position(|latin| latin == name) {
            Some(place) => char::from_u32(0xA0 + place as u32)?,
            None => OTHERS.iter().find(|(other, _)| *other == name)?.1,
        },
    };
    Some(named)
}

/// The entities of HTML for the characters from U+00A0 to U+00FF. FHIR allows none of them, yet they occur.
const LATIN_1: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot \
cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc \
Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig \
ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute \
thorn yuml";

/// Other entities of HTML that clinical systems write.
const OTHERS: [(&str, char); 39] = [
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("bull", '•'),
    ("hellip", '…'),
    ("le", '≤'),
    ("ge", '≥'),
    ("ne", '≠'),
    ("asymp", '≈'),
    ("minus", '−'),
    ("infin", '∞'),
    ("radic", '√'),
    ("rarr", '→'),
    ("larr", '←'),
    ("uarr", '↑'),
    ("darr", '↓'),
    ("euro", '€'),
    ("trade", '™'),
    ("dagger", '†'),
    ("permil", '‰'),
    ("prime", '′'),
    ("Prime", '″'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("Delta", 'Δ'),
    ("kappa", 'κ'),
    ("lambda", 'λ'),
    ("mu", 'μ'),
    ("Omega", 'Ω'),
];

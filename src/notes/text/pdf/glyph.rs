//! Names of glyphs → characters, of those that text in Latin letters has.

use unicode_normalization::UnicodeNormalization;

const NAMES: &str = "space exclam quotedbl numbersign dollar percent ampersand quotesingle parenleft parenright asterisk plus comma hyphen period \
slash zero one two three four five six seven eight nine colon semicolon less equal greater question at";
const NAMES_BEHIND: &str = "bracketleft backslash bracketright asciicircum underscore grave";
const NAMES_LAST: &str = "braceleft bar braceright asciitilde";

const OTHERS: [(&str, &str); 55] = [
    ("quoteleft", "‘"), ("quoteright", "’"), ("quotedblleft", "“"), ("quotedblright", "”"), ("quotesinglbase", "‚"), ("quotedblbase", "„"),
    ("guillemotleft", "«"), ("guillemotright", "»"), ("endash", "–"), ("emdash", "—"), ("minus", "−"), ("bullet", "•"), ("ellipsis", "…"),
    ("fi", "fi"), ("fl", "fl"), ("ff", "ff"), ("ffi", "ffi"), ("ffl", "ffl"), ("degree", "°"), ("mu", "µ"), ("mu1", "µ"), ("plusminus", "±"),
    ("lessequal", "≤"), ("greaterequal", "≥"), ("notequal", "≠"), ("approxequal", "≈"), ("multiply", "×"), ("divide", "÷"), ("periodcentered", "·"),
    ("section", "§"), ("paragraph", "¶"), ("copyright", "©"), ("registered", "®"), ("trademark", "™"), ("dagger", "†"), ("daggerdbl", "‡"),
    ("perthousand", "‰"), ("Euro", "€"), ("sterling", "£"), ("cent", "¢"), ("yen", "¥"), ("germandbls", "ß"), ("ae", "æ"), ("AE", "Æ"), ("oe", "œ"),
    ("OE", "Œ"), ("oslash", "ø"), ("Oslash", "Ø"), ("dotlessi", "ı"), ("onehalf", "½"), ("onequarter", "¼"), ("threequarters", "¾"), ("arrowright", "→"),
    ("arrowup", "↑"), ("arrowdown", "↓"),
];

const MARKS: [(&str, char); 8] = [
    ("acute", '\u{301}'), ("grave", '\u{300}'), ("circumflex", '\u{302}'), ("dieresis", '\u{308}'), ("tilde", '\u{303}'), ("ring", '\u{30a}'),
    ("cedilla", '\u{327}'), ("caron", '\u{30c}'),
];

/// The text of a glyph; `None` where its name says nothing.
pub fn text(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    // "a.alt" is a form of "a"
    let name = name.split_once('.').map_or(name, |(base, _)| base);
    let mut letters = name.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        return Some(letter.to_string());
    }
    let place = |names: &str, from: u32| names.split(' ').position(|n| n == name).and_then(|at| char::from_u32(from + at as u32));
    if let Some(c) = place(NAMES, 0x20).or_else(|| place(NAMES_BEHIND, 0x5b)).or_else(|| place(NAMES_LAST, 0x7b)) {
        return Some(c.to_string());
    }
    if let Some((_, text)) = OTHERS.iter().find(|(other, _)| *other == name) {
        return Some((*text).to_owned());
    }
    let code = name.strip_prefix("uni").filter(|hex| hex.len() == 4).or_else(|| name.strip_prefix('u').filter(|hex| (4..=6).contains(&hex.len())));
    if let Some(c) = code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
        return Some(c.to_string());
    }
    let (mark, combining) = MARKS.iter().find(|(mark, _)| name.len() == mark.len() + 1 && name.ends_with(mark))?;
    let base = name.strip_suffix(mark)?;
    Some(base.chars().chain([*combining]).nfc().collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_of_glyphs() {
        for (name, text) in [("A", "A"), ("space", " "), ("at", "@"), ("grave", "`"), ("asciitilde", "~"), ("nine", "9"), ("eacute", "é"), ("Adieresis", "Ä"), ("fi", "fi"), ("uni00B5", "µ"), ("u1F600", "😀"), ("a.alt", "a")] {
            assert_eq!(super::text(name.as_bytes()).as_deref(), Some(text), "{name}");
        }
        assert_eq!(super::text(b"g123"), None);
        assert_eq!(super::text(b"\xff"), None);
    }
}

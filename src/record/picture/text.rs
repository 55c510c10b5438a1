//! Text in a picture: escaped, measured and cut.

use std::fmt::Write;

/// Text for content and attributes of XML 1.0; what no XML document may hold is left out.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {}
            // marks that turn the direction of what follows
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            letter => out.push(letter),
        }
    }
    out
}

/// About how wide a text is in a sans-serif font: rather too wide than too narrow.
pub fn width(text: &str, size: f64) -> f64 {
    let of = |letter: char| match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | 'I' | 'f' | 't' | '(' | ')' | '[' | ']' | '/' => 0.29,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '–' => 0.86,
        'A'..='Z' => 0.69,
        '\0'..='\u{2ff}' => 0.54,
        '\u{1100}'.. => 1.05,
        _ => 0.7,
    };
    text.chars().map(of).sum::<f64>() * size
}

/// The text, cut with an ellipsis where it is wider than `room`.
pub fn fitted(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut used = width("…", size);
    let mut out = String::new();
    for letter in text.chars() {
        used += width(letter.encode_utf8(&mut [0; 4]), size);
        if used > room {
            break;
        }
        out.push(letter);
    }
    format!("{}…", out.trim_end())
}

/// A number as people write it: four digits at most before they stop mattering.
pub fn short(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        v if v >= 0.001 || v == 0.0 => 3,
        _ => return format!("{value:.1e}"),
    };
    let mut out = String::new();
    let _ = write!(out, "{value:.digits$}");
    if out.contains('.') {
        out.truncate(out.trim_end_matches('0').trim_end_matches('.').len());
    }
    if out == "-0" { "0".into() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_becomes_markup() {
        assert_eq!(escaped("<b>\"A\" & 'B'</b>"), "&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;");
        assert_eq!(escaped("a\u{1}b\nc\u{fffe}\u{202e}d]]>"), "ab cd]]&gt;");
    }

    #[test]
    fn what_is_too_wide_is_cut() {
        assert_eq!(fitted("short", 10.0, 100.0), "short");
        let cut = fitted("a text that is much too long for its place", 10.0, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 10.0) <= 100.0, "{cut}");
        assert_eq!(fitted("漢字漢字", 10.0, 25.0), "漢…");
    }

    #[test]
    fn numbers_are_short() {
        for (value, expected) in [(80.912878, "80.9"), (172.08, "172"), (6.30, "6.3"), (0.5733, "0.573"), (0.0, "0"), (-12.0, "-12"), (12345.6, "12346"), (0.0000123, "1.2e-5"), (-0.0001, "-1.0e-4")] {
            assert_eq!(short(value), expected);
        }
    }
}

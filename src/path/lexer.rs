//! Text to tokens.

use super::PathError;
use std::borrow::Cow;

#[derive(Clone, PartialEq, Debug)]
pub enum Token<'a> {
    /// A bare word: an identifier, or a keyword where the grammar wants one.
    Word(&'a str),
    /// `` `name` ``
    Delimited(Cow<'a, str>),
    String(Cow<'a, str>),
    Number(&'a str),
    /// Without the `@`.
    Date(&'a str),
    DateTime(&'a str),
    Time(&'a str),
    Symbol(&'static str),
}

/// A token and the byte offset at which it begins.
#[derive(Clone, PartialEq, Debug)]
pub struct Spanned<'a> {
    pub token: Token<'a>,
    pub at: usize,
}

/// Longer ones first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 26] = [
    "<=", ">=", "!=", "!~", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "&", "|", "<", ">", "=", "~", "%",
    "$this", "$index", "$total",
];

/// All tokens of `text`, without white space and comments.
pub fn tokens(text: &str) -> Result<Vec<Spanned<'_>>, PathError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks()?;
        let at = lexer.at;
        match lexer.token()? {
            Some(token) => tokens.push(Spanned { token, at }),
            None => return Ok(tokens),
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn error<T>(&self, at: usize, problem: &str) -> Result<T, PathError> {
        Err(PathError::Syntax { at, problem: problem.to_owned() })
    }

    fn skip_blanks(&mut self) -> Result<(), PathError> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            self.at += rest.len() - trimmed.len();
            if let Some(comment) = trimmed.strip_prefix("/*") {
                match comment.find("*/") {
                    Some(end) => self.at += end + 4,
                    None => return self.error(self.at, "comment without an end"),
                }
            } else if trimmed.starts_with("//") {
                self.at += trimmed.find(['\r', '\n']).unwrap_or(trimmed.len());
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Option<Token<'a>>, PathError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let token = match first {
            'A'..='Z' | 'a'..='z' | '_' => {
                Token::Word(self.take(rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len())))
            }
            '0'..='9' => Token::Number(self.take(number_length(rest))),
            '\'' => Token::String(self.quoted('\'')?),
            '`' => Token::Delimited(self.quoted('`')?),
            '@' => self.moment()?,
            _ => match SYMBOLS.into_iter().find(|s| rest.starts_with(s)) {
                Some(symbol) => {
                    self.at += symbol.len();
                    Token::Symbol(symbol)
                }
                None => return self.error(self.at, &format!("unexpected character \"{}\"", first.escape_default())),
            },
        };
        Ok(Some(token))
    }

    fn take(&mut self, length: usize) -> &'a str {
        let taken = self.rest().get(..length).unwrap_or("");
        self.at += taken.len();
        taken
    }

    /// A string or delimited identifier; borrowed when nothing in it is escaped.
    fn quoted(&mut self, quote: char) -> Result<Cow<'a, str>, PathError> {
        let begin = self.at;
        self.at += 1;
        let rest = self.rest();
        let Some(stop) = rest.find([quote, '\\']) else { return self.error(begin, "string without an end") };
        if rest[stop..].starts_with(quote) {
            self.at += stop + 1;
            return Ok(Cow::Borrowed(&rest[..stop]));
        }
        let mut out = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else { return self.error(begin, "string without an end") };
            self.at += c.len_utf8();
            if c == quote {
                return Ok(Cow::Owned(out));
            }
            out.push(if c == '\\' { self.escape(begin)? } else { c });
        }
    }

    /// What stands after a backslash. An unknown escape is an error, except that the grammar lets any other character stand for itself.
    fn escape(&mut self, begin: usize) -> Result<char, PathError> {
        let Some(c) = self.rest().chars().next() else { return self.error(begin, "string without an end") };
        self.at += c.len_utf8();
        Ok(match c {
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = self.hex4()?;
                let code = if (0xd800..0xdc00).contains(&high) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    let low = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return self.error(self.at, "surrogate without its other half");
                    }
                    0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)
                } else {
                    high
                };
                match char::from_u32(code) {
                    Some(c) => c,
                    None => return self.error(self.at, "surrogate without its other half"),
                }
            }
            other => other,
        })
    }

    fn hex4(&mut self) -> Result<u32, PathError> {
        let at = self.at;
        match self.rest().get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit())).map(|d| u32::from_str_radix(d, 16)) {
            Some(Ok(code)) => {
                self.at += 4;
                Ok(code)
            }
            _ => self.error(at, "four hexadecimal digits expected"),
        }
    }

    /// `@2015-02-04`, `@2015T`, `@2015-02-04T14:34:28.123+10:00`, `@T14:34`
    fn moment(&mut self) -> Result<Token<'a>, PathError> {
        let begin = self.at;
        self.at += 1;
        let bytes = self.rest().as_bytes();
        if bytes.first() == Some(&b'T') {
            let length = time_length(&bytes[1..]);
            if length == 0 {
                return self.error(begin, "time expected after \"@T\"");
            }
            return Ok(Token::Time(self.take(1 + length)));
        }
        let date = date_length(bytes);
        if date == 0 {
            return self.error(begin, "date or time expected after \"@\"");
        }
        if bytes.get(date) != Some(&b'T') {
            return Ok(Token::Date(self.take(date)));
        }
        let time = time_length(&bytes[date + 1..]);
        let zone = if time == 0 { 0 } else { zone_length(&bytes[date + 1 + time..]) };
        Ok(Token::DateTime(self.take(date + 1 + time + zone)))
    }
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let whole = digits(bytes);
    match bytes.get(whole) {
        Some(b'.') => match digits(&bytes[whole + 1..]) {
            0 => whole,
            fraction => whole + 1 + fraction,
        },
        _ => whole,
    }
}

/// Length of a date at the front, 0 when there is none.
fn date_length(bytes: &[u8]) -> usize {
    if digits(bytes) < 4 {
        return 0;
    }
    let mut length = 4;
    while length < 10 && bytes.get(length) == Some(&b'-') && digits(&bytes[length + 1..]) >= 2 {
        length += 3;
    }
    length
}

fn time_length(bytes: &[u8]) -> usize {
    if digits(bytes) < 2 {
        return 0;
    }
    let mut length = 2;
    while length < 8 && bytes.get(length) == Some(&b':') && digits(&bytes[length + 1..]) >= 2 {
        length += 3;
    }
    if length == 8 && bytes.get(length) == Some(&b'.') {
        let fraction = digits(&bytes[length + 1..]);
        if fraction > 0 {
            length += 1 + fraction;
        }
    }
    length
}

fn zone_length(bytes: &[u8]) -> usize {
    match bytes {
        [b'Z', ..] => 1,
        [b'+' | b'-', rest @ ..] if digits(rest) == 2 && rest.get(2) == Some(&b':') && digits(&rest[3..]) >= 2 => 6,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Token<'_>> {
        tokens(text).unwrap().into_iter().map(|s| s.token).collect()
    }

    #[test]
    fn numbers_leave_the_dot_of_an_invocation() {
        assert_eq!(all("1.2.x"), [Token::Number("1.2"), Token::Symbol("."), Token::Word("x")]);
        assert_eq!(all("1.x"), [Token::Number("1"), Token::Symbol("."), Token::Word("x")]);
    }

    #[test]
    fn dates_keep_their_precision() {
        assert_eq!(all("@2015-02"), [Token::Date("2015-02")]);
        assert_eq!(all("@2015T"), [Token::DateTime("2015T")]);
        assert_eq!(all("@2015-02-04T14:34:28.123+10:00"), [Token::DateTime("2015-02-04T14:34:28.123+10:00")]);
        assert_eq!(all("@2015-02-04T14Z"), [Token::DateTime("2015-02-04T14Z")]);
        assert_eq!(all("@T14:34"), [Token::Time("T14:34")]);
        assert!(tokens("@15").is_err());
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(all(r"'a\'b\n\u0041\uD83D\uDE00\p'"), [Token::String("a'b\nA😀p".into())]);
        for bad in [r"'\uD83D'", r"'\u00'", r"'\u00g0'", "'open", r"'open\", "`open", "#", "/* open"] {
            assert!(tokens(bad).is_err(), "{bad}");
        }
    }
}

//! Text to a tree.

use super::{Expression, MAX_DEPTH, MAX_TESTS, Operator, Result, Segment, refuse};
use crate::index::query::{ErrorKind, QueryError};

/// Parses a whole filter.
pub fn parse(text: &str) -> Result<Expression> {
    let mut parser = Parser { text, at: 0, tests: 0 };
    let expression = parser.filter(0)?;
    parser.skip_blanks();
    if parser.at < text.len() { parser.error("\"and\", \"or\" or the end expected") } else { Ok(expression) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    tests: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn error<T>(&self, problem: &str) -> Result<T> {
        refuse(ErrorKind::Invalid, format!("_filter: {problem} at offset {}", self.at), "write path operator value, such as name co \"smith\"")
    }

    fn too_large<T>(&self, what: String) -> Result<T> {
        Err(QueryError { kind: ErrorKind::TooLarge, message: format!("_filter {what}"), hint: None })
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn accept(&mut self, symbol: char) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(symbol);
        self.at += if found { symbol.len_utf8() } else { 0 };
        found
    }

    /// A name of the grammar at this place, without taking it; a chain may also name a type, `subject:Patient`.
    fn name(&self) -> &'a str {
        let rest = self.rest();
        let starts = rest.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic());
        let end = rest.find(|c: char| !(c == '_' || c == '-' || c == ':' || c.is_ascii_alphanumeric())).unwrap_or(rest.len());
        if starts { &rest[..end] } else { "" }
    }

    /// From left to right; `depth` counts what this stands in.
    fn filter(&mut self, depth: usize) -> Result<Expression> {
        let mut left = self.term(depth)?;
        let mut changes = 0;
        loop {
            self.skip_blanks();
            let word = self.name();
            if word != "and" && word != "or" {
                return Ok(left);
            }
            self.at += word.len();
            let right = self.term(depth)?;
            left = match (word, left) {
                ("and", Expression::All(mut parts)) => {
                    parts.push(right);
                    Expression::All(parts)
                }
                ("or", Expression::Any(mut parts)) => {
                    parts.push(right);
                    Expression::Any(parts)
                }
                (word, left) => {
                    changes += 1;
                    if depth + changes > MAX_DEPTH {
                        return self.too_large(format!("is nested deeper than {MAX_DEPTH} levels"));
                    }
                    let parts = vec![left, right];
                    if word == "and" { Expression::All(parts) } else { Expression::Any(parts) }
                }
            };
        }
    }

    fn term(&mut self, depth: usize) -> Result<Expression> {
        if depth >= MAX_DEPTH {
            return self.too_large(format!("is nested deeper than {MAX_DEPTH} levels"));
        }
        if self.accept('(') {
            return self.inside(')', depth);
        }
        let before = self.at;
        if self.name() == "not" {
            self.at += "not".len();
            if self.accept('(') {
                return Ok(Expression::Not(Box::new(self.inside(')', depth)?)));
            }
            self.at = before;
        }
        self.test(depth)
    }

    /// A filter up to its closing bracket.
    fn inside(&mut self, close: char, depth: usize) -> Result<Expression> {
        let inner = self.filter(depth + 1)?;
        // what stands in brackets is one term, so that `(a or b) or c` keeps its shape
        if self.accept(close) { Ok(inner) } else { self.error(&format!("\"{close}\" expected")) }
    }

    fn test(&mut self, depth: usize) -> Result<Expression> {
        self.tests += 1;
        if self.tests > MAX_TESTS {
            return self.too_large(format!("has more than {MAX_TESTS} tests"));
        }
        let path = self.path(depth)?;
        self.skip_blanks();
        let word = self.name();
        let Some(operator) = Operator::named(word) else { return self.error("operator expected") };
        self.at += word.len();
        if !self.rest().starts_with(char::is_whitespace) {
            return self.error("blank expected");
        }
        self.skip_blanks();
        let value = if self.rest().starts_with('"') { self.string()? } else { self.token()? };
        Ok(Expression::Test { path, operator, value })
    }

    fn path(&mut self, depth: usize) -> Result<Vec<Segment>> {
        let mut path = Vec::new();
        loop {
            let name = self.name();
            if name.is_empty() {
                return self.error("name of a search parameter expected");
            }
            if path.len() >= MAX_DEPTH {
                return self.too_large(format!("has a path of more than {MAX_DEPTH} names"));
            }
            self.at += name.len();
            let mut filter = None;
            if self.rest().starts_with('[') {
                self.at += 1;
                filter = Some(Box::new(self.inside(']', depth)?));
            }
            path.push(Segment { name: name.to_owned(), filter });
            if !self.rest().starts_with('.') {
                return Ok(path);
            }
            self.at += 1;
        }
    }

    /// Anything up to a blank or a bracket that closes.
    fn token(&mut self) -> Result<String> {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || c == ')' || c == ']').unwrap_or(rest.len());
        if end == 0 {
            return self.error("value expected");
        }
        self.at += end;
        Ok(rest[..end].to_owned())
    }

    /// A JSON string.
    fn string(&mut self) -> Result<String> {
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += at + 1;
                    return Ok(out);
                }
                '\\' => match chars.next().map(|(_, c)| c) {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some('r') => out.push('\r'),
                    Some('b') => out.push('\u{8}'),
                    Some('f') => out.push('\u{c}'),
                    Some('u') => {
                        let mut hex = || (0..4).try_fold(0, |code, _| Some(code * 16 + chars.next()?.1.to_digit(16)?));
                        let Some(mut code) = hex() else { return self.error("four hexadecimal digits expected") };
                        if (0xd800..0xdc00).contains(&code) {
                            let (backslash, u) = (chars.next().map(|(_, c)| c), chars.next().map(|(_, c)| c));
                            let mut hex = || (0..4).try_fold(0, |code, _| Some(code * 16 + chars.next()?.1.to_digit(16)?));
                            match (backslash, u, hex()) {
                                (Some('\\'), Some('u'), Some(low)) if (0xdc00..0xe000).contains(&low) => code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00),
                                _ => return self.error("surrogate without its other half"),
                            }
                        }
                        match char::from_u32(code).filter(|c| *c != '\0') {
                            Some(c) => out.push(c),
                            None => return self.error("no character has that number"),
                        }
                    }
                    Some(c @ ('"' | '\\' | '/')) => out.push(c),
                    _ => return self.error("unknown escape in a string"),
                },
                c => out.push(c),
            }
        }
        self.error("string without an end")
    }
}

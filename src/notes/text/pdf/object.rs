//! Objects and how they are written: section 7.3 of ISO 32000-1. Also the tokens of content streams.

/// Objects in objects.
const MAX_DEPTH: usize = 64;
/// Objects that one may have within, or that stand before an operator.
const MAX_NODES: usize = 200_000;

#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    Null,
    Bool,
    Number(f64),
    Name(Box<[u8]>),
    String(Vec<u8>),
    Array(Vec<Object>),
    Dict(Dict),
    /// number of another object
    Reference(u32),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dict(Vec<(Box<[u8]>, Object)>);

impl Dict {
    pub fn get(&self, key: &str) -> Option<&Object> {
        self.0.iter().rev().find(|(name, _)| **name == *key.as_bytes()).map(|(_, value)| value)
    }
}

impl Object {
    pub fn number(&self) -> Option<f64> {
        if let Object::Number(number) = self { Some(*number) } else { None }
    }

    pub fn integer(&self) -> Option<usize> {
        self.number().filter(|n| *n >= 0.0 && *n < 1e15).map(|n| n as usize)
    }

    pub fn name(&self) -> Option<&[u8]> {
        if let Object::Name(name) = self { Some(name) } else { None }
    }

    pub fn array(&self) -> Option<&[Object]> {
        if let Object::Array(items) = self { Some(items) } else { None }
    }

    pub fn dict(&self) -> Option<&Dict> {
        if let Object::Dict(dict) = self { Some(dict) } else { None }
    }

    /// How many objects this is, with those within.
    pub fn nodes(&self) -> usize {
        match self {
            Object::Array(items) => 1 + items.iter().map(Object::nodes).sum::<usize>(),
            Object::Dict(dict) => 1 + dict.0.iter().map(|(_, value)| value.nodes()).sum::<usize>(),
            _ => 1,
        }
    }
}

/// What a content stream consists of.
#[derive(Debug)]
pub enum Token<'a> {
    Operand(Object),
    Operator(&'a [u8]),
}

pub struct Lexer<'a> {
    bytes: &'a [u8],
    pub at: usize,
    nodes: usize,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

impl<'a> Lexer<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Lexer<'a> {
        Lexer { bytes, at, nodes: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                let rest = self.bytes.get(self.at..).unwrap_or_default();
                self.at += memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            } else if is_space(byte) {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    /// Whether a word comes next, which is then behind.
    pub fn takes(&mut self, word: &[u8]) -> bool {
        self.skip_space();
        let is_next = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    /// An object, with references.
    pub fn object(&mut self) -> Option<Object> {
        self.nodes = 0;
        match self.token(MAX_DEPTH, true)? {
            Token::Operand(object) => Some(object),
            Token::Operator(_) => None,
        }
    }

    /// The next token of a content stream; `None` at its end. What cannot be read is skipped.
    pub fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.skip_space();
            self.peek()?;
            let before = self.at;
            if let Some(token) = self.token(MAX_DEPTH, false) {
                if matches!(token, Token::Operator(_)) {
                    self.nodes = 0;
                }
                return Some(token);
            }
            // of a string or array without end, only the begin is skipped if nothing was read
            self.at = self.at.max(before + 1);
        }
    }

    fn token(&mut self, depth: usize, references: bool) -> Option<Token<'a>> {
        self.skip_space();
        let depth = depth.checked_sub(1)?;
        let operand = match self.peek()? {
            b'/' => Object::Name(self.name()),
            b'(' => Object::String(self.string()),
            b'<' if self.bytes.get(self.at + 1) == Some(&b'<') => {
                self.at += 2;
                Object::Dict(self.dict(depth, references)?)
            }
            b'<' => Object::String(self.hex()),
            b'[' => {
                self.at += 1;
                Object::Array(self.array(depth, references)?)
            }
            b'0'..=b'9' | b'+' | b'-' | b'.' => self.number(references),
            byte if is_delimiter(byte) => return None,
            _ => {
                let rest = self.bytes.get(self.at..)?;
                let length = rest.iter().position(|b| is_space(*b) || is_delimiter(*b)).unwrap_or(rest.len());
                let word = rest.get(..length)?;
                self.at += length;
                match word {
                    b"true" | b"false" => Object::Bool,
                    b"null" => Object::Null,
                    word => return Some(Token::Operator(word)),
                }
            }
        };
        self.nodes += 1;
        (self.nodes <= MAX_NODES).then_some(Token::Operand(operand))
    }

    fn name(&mut self) -> Box<[u8]> {
        self.at += 1;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|b| is_space(*b) || is_delimiter(*b)).unwrap_or(rest.len());
        self.at += length;
        let raw = rest.get(..length).unwrap_or_default();
        if !raw.contains(&b'#') {
            return raw.into();
        }
        let mut name = Vec::with_capacity(raw.len());
        let mut at = 0;
        while let Some(byte) = raw.get(at) {
            let digit = |at: usize| raw.get(at).and_then(|b| char::from(*b).to_digit(16));
            match (byte, digit(at + 1), digit(at + 2)) {
                (b'#', Some(high), Some(low)) => {
                    name.push((high << 4 | low) as u8);
                    at += 3;
                }
                _ => {
                    name.push(*byte);
                    at += 1;
                }
            }
        }
        name.into()
    }

    fn number(&mut self, references: bool) -> Object {
        let number = self.digits();
        if references && number >= 0.0 && number.fract() == 0.0 && number < 1e9 {
            // "12 0 R"
            let behind = self.at;
            self.skip_space();
            if self.peek().is_some_and(|b| b.is_ascii_digit()) {
                self.digits();
                self.skip_space();
                let ends = self.bytes.get(self.at + 1).is_none_or(|b| is_space(*b) || is_delimiter(*b));
                if self.peek() == Some(b'R') && ends {
                    self.at += 1;
                    return Object::Reference(number as u32);
                }
            }
            self.at = behind;
        }
        Object::Number(number)
    }

    fn digits(&mut self) -> f64 {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().take(64).position(|b| !matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.')).unwrap_or(rest.len().min(64));
        self.at += length.max(1);
        let text = std::str::from_utf8(rest.get(..length).unwrap_or_default()).unwrap_or_default();
        // some write "--5" or "1.2.3"
        text.parse().or_else(|_| text.trim_start_matches(['-', '+']).parse().map(|n: f64| -n)).unwrap_or(0.0)
    }

    fn string(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut out = Vec::new();
        let mut open = 1usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                }
                b'\\' => {
                    let Some(escaped) = self.peek() else { break };
                    self.at += 1;
                    match escaped {
                        b'n' => out.push(b'\n'),
                        b'r' => out.push(b'\r'),
                        b't' => out.push(b'\t'),
                        b'b' => out.push(8),
                        b'f' => out.push(12),
                        b'0'..=b'7' => {
                            let mut code = u32::from(escaped - b'0');
                            for _ in 0..2 {
                                match self.peek() {
                                    Some(digit @ b'0'..=b'7') => {
                                        code = code << 3 | u32::from(digit - b'0');
                                        self.at += 1;
                                    }
                                    _ => break,
                                }
                            }
                            out.push(code as u8);
                        }
                        b'\r' if self.peek() == Some(b'\n') => self.at += 1,
                        b'\r' | b'\n' => {}
                        other => out.push(other),
                    }
                    continue;
                }
                _ => {}
            }
            out.push(byte);
        }
        out
    }

    fn hex(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut out = Vec::new();
        let mut half = None;
        while let Some(byte) = self.peek() {
            self.at += 1;
            if byte == b'>' {
                break;
            }
            let Some(digit) = char::from(byte).to_digit(16) else { continue };
            match half.take() {
                Some(high) => out.push((high << 4 | digit) as u8),
                None => half = Some(digit),
            }
        }
        out.extend(half.map(|high| (high << 4) as u8));
        out
    }

    fn array(&mut self, depth: usize, references: bool) -> Option<Vec<Object>> {
        let mut items = Vec::new();
        loop {
            self.skip_space();
            if self.peek()? == b']' {
                self.at += 1;
                return Some(items);
            }
            match self.token(depth, references)? {
                Token::Operand(object) => items.push(object),
                Token::Operator(_) => return None,
            }
        }
    }

    fn dict(&mut self, depth: usize, references: bool) -> Option<Dict> {
        let mut pairs = Vec::new();
        loop {
            self.skip_space();
            match self.peek()? {
                b'>' => {
                    self.at += 1;
                    if self.peek() == Some(b'>') {
                        self.at += 1;
                    }
                    return Some(Dict(pairs));
                }
                b'/' => {
                    let key = self.name();
                    match self.token(depth, references)? {
                        Token::Operand(value) => pairs.push((key, value)),
                        Token::Operator(_) => return None,
                    }
                }
                _ => return None,
            }
        }
    }
}

//! Tokens to a tree: the whole grammar of FHIRPath N1 (<http://hl7.org/fhirpath/N1/grammar.html>).

use super::PathError;
use super::ast::{Expr, ExprKind, Invocation, Literal, Operator, TypeOperator, TypeSpecifier, Unit};
use super::lexer::{Spanned, Token, tokens};

/// Longest expression that is read, in bytes. The longest of R4's search parameters has about 3,000.
pub const MAX_LENGTH: usize = 64 * 1024;

/// Highest tree that is built: `a.b.c` has a height of 3, so has `a | b | c`.
pub const MAX_DEPTH: usize = 256;

/// Most brackets, signs and right operands within each other. The parser recurses for these only.
const MAX_NESTING: usize = 64;

/// Parses a whole expression.
pub fn parse(text: &str) -> Result<Expr, PathError> {
    if text.len() > MAX_LENGTH {
        return Err(PathError::TooLong);
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, end: text.len() };
    let expr = parser.expression(0, 0)?;
    match parser.peek() {
        None => Ok(expr),
        Some(_) => parser.error("operator or end expected"),
    }
}

/// How tight an operator binds its operands; the loosest is 1. In the order of the grammar's alternatives.
const UNION: u8 = 7;
const TYPE: u8 = 8;
const SIGN: u8 = 11;

fn precedence(operator: Operator) -> u8 {
    use Operator::*;
    match operator {
        Implies => 1,
        Or | Xor => 2,
        And => 3,
        In | Contains => 4,
        Equal | Equivalent | NotEqual | NotEquivalent => 5,
        Less | LessOrEqual | Greater | GreaterOrEqual => 6,
        Union => UNION,
        Add | Subtract | Concatenate => 9,
        Multiply | Divide | Div | Mod => 10,
    }
}

enum Infix {
    Binary(Operator),
    Type(TypeOperator),
}

struct Parser<'a> {
    tokens: Vec<Spanned<'a>>,
    next: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.next).map(|s| &s.token)
    }

    /// Offset of the next token.
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |s| s.at)
    }

    fn error<T>(&self, problem: &str) -> Result<T, PathError> {
        Err(PathError::Syntax { at: self.at(), problem: problem.to_owned() })
    }

    fn accept(&mut self, symbol: &'static str) -> bool {
        let found = self.peek() == Some(&Token::Symbol(symbol));
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), PathError> {
        if self.accept(symbol) { Ok(()) } else { self.error(&format!("\"{symbol}\" expected")) }
    }

    fn node(&self, kind: ExprKind, at: usize, below: u16) -> Result<Expr, PathError> {
        if usize::from(below) >= MAX_DEPTH {
            return Err(PathError::TooDeep { at });
        }
        Ok(Expr { kind, at, height: below + 1 })
    }

    /// An expression whose operators all bind tighter than `floor`. `depth` counts the calls above this one.
    fn expression(&mut self, floor: u8, depth: usize) -> Result<Expr, PathError> {
        if depth >= MAX_NESTING {
            return Err(PathError::TooDeep { at: self.at() });
        }
        let mut left = self.prefixed(depth)?;
        while let Some((infix, tightness)) = self.infix() {
            if tightness <= floor {
                break;
            }
            let at = self.at();
            self.next += 1;
            let (kind, below) = match infix {
                Infix::Type(operator) => {
                    let below = left.height;
                    (ExprKind::Type { operator, of: Box::new(left), specifier: self.type_specifier()? }, below)
                }
                Infix::Binary(operator) => {
                    let right = self.expression(tightness, depth + 1)?;
                    let below = left.height.max(right.height);
                    (ExprKind::Binary { operator, left: Box::new(left), right: Box::new(right) }, below)
                }
            };
            left = self.node(kind, at, below)?;
        }
        Ok(left)
    }

    fn infix(&self) -> Option<(Infix, u8)> {
        use Operator::*;
        let operator = match self.peek()? {
            Token::Symbol(s) => match *s {
                "*" => Multiply,
                "/" => Divide,
                "+" => Add,
                "-" => Subtract,
                "&" => Concatenate,
                "|" => Union,
                "<" => Less,
                "<=" => LessOrEqual,
                ">" => Greater,
                ">=" => GreaterOrEqual,
                "=" => Equal,
                "~" => Equivalent,
                "!=" => NotEqual,
                "!~" => NotEquivalent,
                _ => return None,
            },
            Token::Word(w) => match *w {
                "is" => return Some((Infix::Type(TypeOperator::Is), TYPE)),
                "as" => return Some((Infix::Type(TypeOperator::As), TYPE)),
                "div" => Div,
                "mod" => Mod,
                "in" => In,
                "contains" => Contains,
                "and" => And,
                "or" => Or,
                "xor" => Xor,
                "implies" => Implies,
                _ => return None,
            },
            _ => return None,
        };
        Some((Infix::Binary(operator), precedence(operator)))
    }

    /// Signs bind tighter than any operator but looser than `.` and `[ ]`: `-1.abs()` is `-(1.abs())`.
    fn prefixed(&mut self, depth: usize) -> Result<Expr, PathError> {
        let at = self.at();
        let minus = match self.peek() {
            Some(Token::Symbol("-")) => true,
            Some(Token::Symbol("+")) => false,
            _ => return self.postfixed(depth),
        };
        self.next += 1;
        let of = self.expression(SIGN, depth + 1)?;
        let below = of.height;
        self.node(ExprKind::Sign { minus, of: Box::new(of) }, at, below)
    }

    fn postfixed(&mut self, depth: usize) -> Result<Expr, PathError> {
        let mut expr = self.term(depth)?;
        loop {
            let at = self.at();
            if self.accept(".") {
                let at = self.at();
                // After a dot only a name can follow, so `text.div`, which patches say, needs no backticks.
                if let Some(Spanned { token, .. }) = self.tokens.get_mut(self.next)
                    && let Token::Word(word) = *token
                {
                    *token = Token::Delimited(word.into());
                }
                let (what, arguments) = self.invocation(depth)?;
                let below = expr.height.max(arguments);
                expr = self.node(ExprKind::Invoke { of: Some(Box::new(expr)), what }, at, below)?;
            } else if self.accept("[") {
                let index = self.expression(0, depth + 1)?;
                self.expect("]")?;
                let below = expr.height.max(index.height);
                expr = self.node(ExprKind::Index { of: Box::new(expr), index: Box::new(index) }, at, below)?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn term(&mut self, depth: usize) -> Result<Expr, PathError> {
        let at = self.at();
        let literal = match self.peek() {
            None => return self.error("expression expected"),
            Some(Token::Symbol("(")) => {
                self.next += 1;
                let inner = self.expression(0, depth + 1)?;
                self.expect(")")?;
                return Ok(inner);
            }
            Some(Token::Symbol("{")) => {
                self.next += 1;
                self.expect("}")?;
                return self.node(ExprKind::Literal(Literal::Empty), at, 0);
            }
            Some(Token::Symbol("%")) => {
                self.next += 1;
                let name = match self.peek() {
                    Some(Token::String(name)) => {
                        let name = name.to_string();
                        self.next += 1;
                        name
                    }
                    _ => self.identifier()?,
                };
                return self.node(ExprKind::Constant(name), at, 0);
            }
            Some(Token::Word("true")) => Literal::Boolean(true),
            Some(Token::Word("false")) => Literal::Boolean(false),
            Some(Token::String(text)) => Literal::String(text.to_string()),
            Some(Token::Date(text)) => Literal::Date((*text).to_owned()),
            Some(Token::DateTime(text)) => Literal::DateTime((*text).to_owned()),
            Some(Token::Time(text)) => Literal::Time((*text).to_owned()),
            Some(Token::Number(text)) => {
                let value = (*text).to_owned();
                self.next += 1;
                let literal = match self.unit() {
                    Some(unit) => Literal::Quantity { value, unit },
                    None => Literal::Number(value),
                };
                return self.node(ExprKind::Literal(literal), at, 0);
            }
            Some(_) => {
                let (what, arguments) = self.invocation(depth)?;
                return self.node(ExprKind::Invoke { of: None, what }, at, arguments);
            }
        };
        self.next += 1;
        self.node(ExprKind::Literal(literal), at, 0)
    }

    /// The unit after a number, if one stands there.
    fn unit(&mut self) -> Option<Unit> {
        const CALENDAR: [&str; 8] = ["year", "month", "week", "day", "hour", "minute", "second", "millisecond"];
        let unit = match self.peek()? {
            Token::String(code) => Unit::Ucum(code.to_string()),
            Token::Word(word) => Unit::Calendar(CALENDAR.into_iter().find(|c| word.strip_suffix('s').unwrap_or(word) == *c)?),
            _ => return None,
        };
        self.next += 1;
        Some(unit)
    }

    /// A member, function or `$` variable, and the height of its arguments.
    fn invocation(&mut self, depth: usize) -> Result<(Invocation, u16), PathError> {
        let variable = match self.peek() {
            Some(Token::Symbol("$this")) => Some(Invocation::This),
            Some(Token::Symbol("$index")) => Some(Invocation::Index),
            Some(Token::Symbol("$total")) => Some(Invocation::Total),
            _ => None,
        };
        if let Some(variable) = variable {
            self.next += 1;
            return Ok((variable, 0));
        }
        let name = self.identifier()?;
        if !self.accept("(") {
            return Ok((Invocation::Member(name), 0));
        }
        let mut arguments = Vec::new();
        let mut height = 0;
        if !self.accept(")") {
            loop {
                let argument = self.expression(0, depth + 1)?;
                height = argument.height.max(height);
                arguments.push(argument);
                if !self.accept(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        Ok((Invocation::Function { name, arguments }, height))
    }

    /// Keywords need backticks to be names, except `as`, `contains`, `in` and `is`, and behind a dot.
    fn identifier(&mut self) -> Result<String, PathError> {
        let name = match self.peek() {
            Some(Token::Delimited(name)) => name.to_string(),
            Some(Token::Word(word)) if !matches!(*word, "and" | "or" | "xor" | "implies" | "div" | "mod" | "true" | "false") => {
                (*word).to_owned()
            }
            _ => return self.error("name expected"),
        };
        self.next += 1;
        Ok(name)
    }

    fn type_specifier(&mut self) -> Result<TypeSpecifier, PathError> {
        let first = self.identifier()?;
        if self.accept(".") {
            return Ok(TypeSpecifier { namespace: Some(first), name: self.identifier()? });
        }
        Ok(TypeSpecifier { namespace: None, name: first })
    }
}

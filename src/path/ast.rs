//! The tree of an expression, as in the grammar of FHIRPath N1 (<http://hl7.org/fhirpath/N1/grammar.html>).

/// An expression and where it begins in the text.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    /// Byte offset of the name, literal or operator that makes it.
    pub at: usize,
    /// Levels below and including this one; the parser keeps it within `MAX_DEPTH`, so a walk may recurse.
    pub(super) height: u16,
}

#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    Literal(Literal),
    /// `%name`, `%'name'`
    Constant(String),
    /// `of.what`; without `of` on the input itself.
    Invoke { of: Option<Box<Expr>>, what: Invocation },
    /// `of[index]`
    Index { of: Box<Expr>, index: Box<Expr> },
    /// `-of`, `+of`
    Sign { minus: bool, of: Box<Expr> },
    Binary { operator: Operator, left: Box<Expr>, right: Box<Expr> },
    /// `of is T`, `of as T`
    Type { operator: TypeOperator, of: Box<Expr>, specifier: TypeSpecifier },
}

#[derive(Clone, PartialEq, Debug)]
pub enum Invocation {
    /// An element, or at the start of a path a type.
    Member(String),
    Function { name: String, arguments: Vec<Expr> },
    This,
    Index,
    Total,
}

/// Dates and times keep their text, without the `@`: their precision is part of the value.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// `{}`
    Empty,
    Boolean(bool),
    String(String),
    /// As written: `1` and `1.0` differ.
    Number(String),
    Date(String),
    DateTime(String),
    /// Begins with `T`.
    Time(String),
    /// `4 'mg'`, `4 days`
    Quantity { value: String, unit: Unit },
}

#[derive(Clone, PartialEq, Debug)]
pub enum Unit {
    /// A UCUM code.
    Ucum(String),
    /// `year`, `months`, …, always in the singular.
    Calendar(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeOperator {
    Is,
    As,
}

/// `Quantity`, `FHIR.Quantity`, `System.String`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TypeSpecifier {
    pub namespace: Option<String>,
    pub name: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    Multiply,
    Divide,
    Div,
    Mod,
    Add,
    Subtract,
    Concatenate,
    Union,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Equivalent,
    NotEqual,
    NotEquivalent,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}

impl Operator {
    pub fn text(self) -> &'static str {
        use Operator::*;
        match self {
            Multiply => "*",
            Divide => "/",
            Div => "div",
            Mod => "mod",
            Add => "+",
            Subtract => "-",
            Concatenate => "&",
            Union => "|",
            Less => "<",
            LessOrEqual => "<=",
            Greater => ">",
            GreaterOrEqual => ">=",
            Equal => "=",
            Equivalent => "~",
            NotEqual => "!=",
            NotEquivalent => "!~",
            In => "in",
            Contains => "contains",
            And => "and",
            Or => "or",
            Xor => "xor",
            Implies => "implies",
        }
    }
}

impl Expr {
    /// The type that an argument such as the one of `ofType(FHIR.Quantity)` names: there the grammar sees a path.
    pub fn as_type_specifier(&self) -> Option<TypeSpecifier> {
        let ExprKind::Invoke { of, what: Invocation::Member(name) } = &self.kind else { return None };
        let namespace = match of.as_deref() {
            None => None,
            Some(Expr { kind: ExprKind::Invoke { of: None, what: Invocation::Member(namespace) }, .. }) => Some(namespace.clone()),
            Some(_) => return None,
        };
        Some(TypeSpecifier { namespace, name: name.clone() })
    }
}

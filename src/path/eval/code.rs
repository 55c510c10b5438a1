//! The compiled tree.

use super::item::{Item, Named};
use crate::model::{Field, Type, TypeId};
use crate::path::ast::Operator;
use crate::pattern::Matcher;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// One step of a program.
#[derive(Debug)]
pub(super) struct Code {
    pub kind: Kind,
    /// Where it stands in the text.
    pub at: u32,
}

#[derive(Debug)]
pub(super) enum Kind {
    Empty,
    Literal(Item<'static>),
    /// Literals that all differ.
    Set(Box<[Item<'static>]>),
    This,
    Index,
    Total,
    /// `%resource`
    Resource,
    /// `%rootResource`
    Root,
    /// `%context`
    Context,
    /// Any other `%name`.
    Constant(Box<str>),
    /// What [`Kind::Let`] of that number bound: its value, or the items that went in.
    Bound { slot: u16, is_value: bool },
    /// `a.b.c`
    Path { of: Box<Code>, members: Vec<Member> },
    /// `Patient` at the start of a path: the focus, where it is one.
    Typed(TypeId),
    At { of: Box<Code>, index: Box<Code> },
    Sign { minus: bool, of: Box<Code> },
    Binary { operator: Operator, left: Box<Code>, right: Box<Code> },
    Is { of: Box<Code>, named: Named, lenient: bool },
    /// One item at most where it is strict.
    As { of: Box<Code>, named: Named, strict: bool },
    OfType { of: Box<Code>, named: Named },
    Call { function: Function, of: Box<Code>, arguments: Box<[Code]> },
    Match { kind: MatchKind, of: Box<Code>, pattern: Pattern, arguments: Box<[Code]> },
    Sort { of: Box<Code>, keys: Box<[(bool, Code)]> },
    /// What `defineVariable` binds, for the rest of the path.
    Let { slot: u16, input: Box<Code>, value: Option<Box<Code>>, body: Box<Code> },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MatchKind {
    Part,
    Full,
    Replace,
}

/// A regular expression, compiled with the program where it is constant.
#[derive(Debug)]
pub(super) enum Pattern {
    Constant(Box<Matcher>),
    /// With the last one used, if that is not large.
    Computed(Box<Code>, Box<Mutex<Option<(String, Matcher)>>>),
}

/// A member by name. Which JSON property it is depends on the type it is asked of; the last answer is kept.
#[derive(Debug)]
pub(super) struct Member {
    pub name: Box<str>,
    last: AtomicU64,
    /// The field that was found last for a choice.
    chosen: AtomicUsize,
}

/// What a name means on a type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Field(&'static Field),
    /// One of several properties: the number of the element.
    Choice(u16),
    Missing,
}

const FIELD: u64 = 1;
const CHOICE: u64 = 2;
const MISSING: u64 = 3;

impl Member {
    pub fn new(name: &str) -> Member {
        Member { name: name.into(), last: AtomicU64::new(0), chosen: AtomicUsize::new(0) }
    }

    /// What the name means on `ty`.
    #[inline]
    pub fn place(&self, ty: TypeId) -> Place {
        let last = self.last.load(Ordering::Relaxed);
        if last >> 32 == u64::from(ty.0) && last & 0xff != 0 {
            return decoded(ty.get(), last);
        }
        let fresh = looked_up(ty.get(), &self.name) | u64::from(ty.0) << 32;
        self.last.store(fresh, Ordering::Relaxed);
        decoded(ty.get(), fresh)
    }
}

impl Member {
    /// The field that a property is, where it is one of those of an element of the type.
    #[inline]
    pub fn chosen(&self, ty: TypeId, element: u16, property: &[u8]) -> Option<&'static Field> {
        let is_it = |field: &&'static Field| field.name.as_bytes() == property && field.element == element;
        let fields = ty.get().fields;
        if let Some(field) = fields.get(self.chosen.load(Ordering::Relaxed)).filter(is_it) {
            return Some(field);
        }
        let number = ty.field_number(property)?;
        self.chosen.store(number, Ordering::Relaxed);
        fields.get(number).filter(is_it)
    }
}

#[inline]
fn decoded(ty: &'static Type, packed: u64) -> Place {
    let number = (packed >> 8 & 0xffff) as u16;
    match packed & 0xff {
        FIELD => ty.fields.get(usize::from(number)).map_or(Place::Missing, Place::Field),
        CHOICE => Place::Choice(number),
        _ => Place::Missing,
    }
}

fn looked_up(ty: &Type, name: &str) -> u64 {
    if let Ok(number) = ty.fields.binary_search_by(|field| field.name.cmp(name))
        && ty.elements.get(usize::from(ty.fields[number].element)).is_some_and(|element| !element.is_choice)
    {
        return FIELD | (number as u64) << 8;
    }
    match ty.elements.iter().position(|element| element.is_choice && element.name == name) {
        Some(number) => CHOICE | (number as u64) << 8,
        None => MISSING,
    }
}

macro_rules! functions {
    ($($variant:ident $name:literal $least:literal..=$most:literal,)*) => {
        /// A function that is called with code for arguments.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Function { $($variant,)* }

        /// Name, function, least and most arguments.
        pub(super) const FUNCTIONS: &[(&str, Function, usize, usize)] = &[$(($name, Function::$variant, $least, $most),)*];

        impl Function {
            pub fn name(self) -> &'static str {
                match self { $(Function::$variant => $name,)* }
            }
        }
    };
}

functions! {
    // existence
    Empty "empty" 0..=0,
    Exists "exists" 0..=1,
    All "all" 1..=1,
    AllTrue "allTrue" 0..=0,
    AnyTrue "anyTrue" 0..=0,
    AllFalse "allFalse" 0..=0,
    AnyFalse "anyFalse" 0..=0,
    SubsetOf "subsetOf" 1..=1,
    SupersetOf "supersetOf" 1..=1,
    Count "count" 0..=0,
    Distinct "distinct" 0..=0,
    IsDistinct "isDistinct" 0..=0,
    Not "not" 0..=0,
    // filtering and projection
    Where "where" 1..=1,
    Select "select" 1..=1,
    Repeat "repeat" 1..=1,
    RepeatAll "repeatAll" 1..=1,
    Aggregate "aggregate" 1..=2,
    Iif "iif" 2..=3,
    Coalesce "coalesce" 1..=16,
    // subsetting and combining
    Single "single" 0..=0,
    First "first" 0..=0,
    Last "last" 0..=0,
    Tail "tail" 0..=0,
    Skip "skip" 1..=1,
    Take "take" 1..=1,
    Intersect "intersect" 1..=1,
    Exclude "exclude" 1..=1,
    Union "union" 1..=1,
    Combine "combine" 1..=2,
    // conversion
    ToBoolean "toBoolean" 0..=0,
    ToInteger "toInteger" 0..=0,
    ToDecimal "toDecimal" 0..=0,
    ToStringValue "toString" 0..=0,
    ToDate "toDate" 0..=0,
    ToDateTime "toDateTime" 0..=0,
    ToTime "toTime" 0..=0,
    ToQuantity "toQuantity" 0..=1,
    ConvertsToBoolean "convertsToBoolean" 0..=0,
    ConvertsToInteger "convertsToInteger" 0..=0,
    ConvertsToDecimal "convertsToDecimal" 0..=0,
    ConvertsToString "convertsToString" 0..=0,
    ConvertsToDate "convertsToDate" 0..=0,
    ConvertsToDateTime "convertsToDateTime" 0..=0,
    ConvertsToTime "convertsToTime" 0..=0,
    ConvertsToQuantity "convertsToQuantity" 0..=1,
    // text
    IndexOf "indexOf" 1..=1,
    LastIndexOf "lastIndexOf" 1..=1,
    Substring "substring" 1..=2,
    StartsWith "startsWith" 1..=1,
    EndsWith "endsWith" 1..=1,
    Contains "contains" 1..=1,
    Upper "upper" 0..=0,
    Lower "lower" 0..=0,
    Replace "replace" 2..=2,
    Length "length" 0..=0,
    ToChars "toChars" 0..=0,
    Encode "encode" 1..=1,
    Decode "decode" 1..=1,
    Escape "escape" 1..=1,
    Unescape "unescape" 1..=1,
    Trim "trim" 0..=0,
    Split "split" 1..=1,
    Join "join" 0..=1,
    // numbers
    Abs "abs" 0..=0,
    Ceiling "ceiling" 0..=0,
    Floor "floor" 0..=0,
    Truncate "truncate" 0..=0,
    Round "round" 0..=1,
    Sqrt "sqrt" 0..=0,
    Exp "exp" 0..=0,
    Ln "ln" 0..=0,
    Log "log" 1..=1,
    Power "power" 1..=1,
    Sum "sum" 0..=0,
    Min "min" 0..=0,
    Max "max" 0..=0,
    Avg "avg" 0..=0,
    LowBoundary "lowBoundary" 0..=1,
    HighBoundary "highBoundary" 0..=1,
    Precision "precision" 0..=0,
    Comparable "comparable" 1..=1,
    // time
    Now "now" 0..=0,
    Today "today" 0..=0,
    TimeOfDay "timeOfDay" 0..=0,
    YearOf "yearOf" 0..=0,
    MonthOf "monthOf" 0..=0,
    DayOf "dayOf" 0..=0,
    HourOf "hourOf" 0..=0,
    MinuteOf "minuteOf" 0..=0,
    SecondOf "secondOf" 0..=0,
    MillisecondOf "millisecondOf" 0..=0,
    TimezoneOffsetOf "timezoneOffsetOf" 0..=0,
    DateOf "dateOf" 0..=0,
    TimeOf "timeOf" 0..=0,
    // the tree
    Children "children" 0..=0,
    Descendants "descendants" 0..=0,
    Type "type" 0..=0,
    Trace "trace" 1..=2,
    // FHIR
    Extension "extension" 1..=1,
    HasExtension "hasExtension" 1..=1,
    HasValue "hasValue" 0..=0,
    GetValue "getValue" 0..=0,
    Resolve "resolve" 0..=0,
    MemberOf "memberOf" 1..=1,
    Subsumes "subsumes" 1..=1,
    SubsumedBy "subsumedBy" 1..=1,
    ConformsTo "conformsTo" 1..=1,
    HtmlChecks "htmlChecks" 0..=0,
    CheckModifiers "checkModifiers" 0..=16,
    GetResourceKey "getResourceKey" 0..=0,
    GetReferenceKey "getReferenceKey" 0..=1,
}

impl Function {
    /// Whether arguments are asked of each item of the input, which is `$this` in them.
    pub fn is_per_item(self) -> bool {
        use Function::*;
        matches!(self, Exists | All | Where | Select | Repeat | RepeatAll | Aggregate | Iif | Trace)
    }

    /// Whether it decides something, so that [`super::run::Run::decide`] answers.
    pub fn is_decision(self) -> bool {
        use Function::*;
        matches!(
            self,
            Empty | Exists | All | AllTrue | AnyTrue | AllFalse | AnyFalse | SubsetOf | SupersetOf | IsDistinct | Not | StartsWith | EndsWith
                | Contains | Comparable | HasExtension | HasValue | MemberOf | Subsumes | SubsumedBy | ConformsTo | HtmlChecks
                | ConvertsToBoolean | ConvertsToInteger | ConvertsToDecimal | ConvertsToString | ConvertsToDate | ConvertsToDateTime
                | ConvertsToTime | ConvertsToQuantity
        )
    }

    /// Whether it asks for one item, and gives one at most where not said otherwise.
    pub fn takes_one(self) -> bool {
        use Function::*;
        matches!(
            self,
            ToBoolean | ToInteger | ToDecimal | ToStringValue | ToDate | ToDateTime | ToTime | ToQuantity | IndexOf | LastIndexOf | Substring
                | Upper | Lower | Replace | Length | ToChars | Encode | Decode | Escape | Unescape | Trim | Split | Abs | Ceiling | Floor
                | Truncate | Round | Sqrt | Exp | Ln | Log | Power | LowBoundary | HighBoundary | Precision | YearOf | MonthOf | DayOf | HourOf
                | MinuteOf | SecondOf | MillisecondOf | TimezoneOffsetOf | DateOf | TimeOf
        )
    }

    /// Whether the result depends on when it is asked.
    pub fn needs_clock(self) -> bool {
        matches!(self, Function::Now | Function::Today | Function::TimeOfDay)
    }

    /// Whether the result depends on what [`super::Services`] know.
    pub fn needs_services(self) -> bool {
        use Function::*;
        matches!(self, Resolve | MemberOf | Subsumes | SubsumedBy | ConformsTo)
    }
}

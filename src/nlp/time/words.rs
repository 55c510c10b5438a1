//! The words of which times are made, and a note read as such words.

use std::sync::LazyLock;

use crate::nlp::cover::Cover;
use crate::nlp::note::Note;
use crate::nlp::token::{Case, Class, Token};
use crate::nlp::vocabulary::Vocabulary;

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Decade,
}

/// What a word does in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cue {
    Nothing,
    /// a month; whether the word by itself can be nothing else
    Month(u8, bool),
    /// a day of the week, Monday is 0; whether the word by itself can be nothing else
    Weekday(u8, bool),
    /// Mondays
    Weekdays,
    Unit(Unit),
    /// a letter that is a unit only right behind a number: 3d
    Letter(Unit),
    /// one … nineteen, dozen
    Count(u8),
    /// twenty …, which may have another number behind
    Tens(u8),
    /// first … thirty
    Ordinal(u8),
    /// st, nd, rd, th
    OrdinalEnding,
    /// few, several
    Vague,
    Couple,
    Half,
    Article,
    Ago,
    /// prior, before, earlier
    Prior,
    /// later, hence
    Later,
    /// of a person's age: old, yo
    Old,
    /// past, previous, preceding
    Past,
    Last,
    Next,
    This,
    The,
    Of,
    And,
    /// between two numbers: to, or
    To,
    /// every, each
    Every,
    Other,
    Per,
    Times,
    Once,
    Twice,
    Thrice,
    /// says how often by itself, with its normal form: daily, BID
    Often(&'static str),
    /// daily, weekly … may have "twice" before
    Adverb(Unit),
    X,
    For,
    In,
    On,
    Since,
    At,
    /// by, until, during, over, within, from, through, around
    Preposition,
    /// days from today: yesterday
    Relative(i8),
    Tonight,
    /// morning, afternoon, evening, night
    Part,
    /// noon, midnight as hours
    Oclock(u8),
    /// early, mid, late; end, beginning, middle, start
    Portion,
    Season,
    /// Q1 … Q4
    Quarter(u8),
    Age,
    Pod,
    Post,
    /// postop, postoperative, hospital: before "day"
    DayOf,
    Op,
    /// am, pm; hours to add
    Half24(u8),
    /// hrs, hours behind 0830 are units; this is "o'clock"
    OclockWord,
    /// admission, arrival, presentation, surgery: what something is before or after
    Event,
    Pta,
    /// follow, return, recheck: what comes is ahead
    Ahead,
    /// started, diagnosed, quit, dated: a date stands near
    Happened,
    /// mg, ml, tablets: the number before it is no date
    Measure,
    /// pain, strength, scale: the fraction behind it is no date
    Scale,
    /// letters with digits: x3, q6h, POD2
    Coded,
    /// MWF
    Schedule,
}

use Cue::*;

/// Words, and the number of their line in the table, from 1.
static WORDS: LazyLock<Vocabulary<u8>> = LazyLock::new(|| {
    Vocabulary::new(TABLE.iter().zip(1..CODED).flat_map(|((words, _), number)| words.split(' ').map(move |word| (word, number))))
});

/// The number of [`Cue::Coded`], whose words no line has.
const CODED: u8 = u8::MAX;
const _: () = assert!(TABLE.len() < CODED as usize);

/// The number of what a word does; 0 for nothing.
pub fn cue_of(text: &str, token: &Token) -> u8 {
    if token.class != Class::Word {
        return 0;
    }
    if let Some(number) = WORDS.of(text, token) {
        return number;
    }
    let digit = |at: Option<u32>| at.and_then(|at| text.as_bytes().get(at as usize)).is_some_and(u8::is_ascii_digit);
    let coded = digit(token.end.checked_sub(1)) || digit(token.begin.checked_add(1));
    if coded && token.end - token.begin <= 10 { CODED } else { 0 }
}

fn cue(number: u8) -> Cue {
    match number {
        0 => Nothing,
        CODED => Coded,
        number => TABLE.get(usize::from(number) - 1).map_or(Nothing, |(_, cue)| *cue),
    }
}

static TABLE: &[(&str, Cue)] = &[
    ("january", Month(1, true)),
    ("jan", Month(1, false)),
    ("february", Month(2, true)),
    ("feb", Month(2, false)),
    ("march mar", Month(3, false)),
    ("april", Month(4, true)),
    ("apr", Month(4, false)),
    ("may", Month(5, false)),
    ("june", Month(6, true)),
    ("jun", Month(6, false)),
    ("july", Month(7, true)),
    ("jul", Month(7, false)),
    ("august", Month(8, true)),
    ("aug", Month(8, false)),
    ("september", Month(9, true)),
    ("sep sept", Month(9, false)),
    ("october", Month(10, true)),
    ("oct", Month(10, false)),
    ("november", Month(11, true)),
    ("nov", Month(11, false)),
    ("december", Month(12, true)),
    ("dec", Month(12, false)),
    ("monday", Weekday(0, true)),
    ("mon", Weekday(0, false)),
    ("tuesday tues", Weekday(1, true)),
    ("tue", Weekday(1, false)),
    ("wednesday", Weekday(2, true)),
    ("wed", Weekday(2, false)),
    ("thursday thurs", Weekday(3, true)),
    ("thu thur", Weekday(3, false)),
    ("friday", Weekday(4, true)),
    ("fri", Weekday(4, false)),
    ("saturday", Weekday(5, true)),
    ("sat", Weekday(5, false)),
    ("sunday", Weekday(6, true)),
    ("sun", Weekday(6, false)),
    ("mondays tuesdays wednesdays thursdays fridays saturdays sundays weekends", Weekdays),
    ("mwf tts tths tthsa tiw biw", Schedule),
    ("seconds sec secs", Unit(self::Unit::Second)),
    ("minute minutes min mins", Unit(self::Unit::Minute)),
    ("hour hours hr hrs", Unit(self::Unit::Hour)),
    ("day days", Unit(self::Unit::Day)),
    ("night nights", Part),
    ("week weeks wk wks", Unit(self::Unit::Week)),
    ("fortnight", Unit(self::Unit::Week)),
    ("month months mo mos mth mths", Unit(self::Unit::Month)),
    ("year years yr yrs", Unit(self::Unit::Year)),
    ("decade decades", Unit(self::Unit::Decade)),
    ("h", Letter(self::Unit::Hour)),
    ("d", Letter(self::Unit::Day)),
    ("w", Letter(self::Unit::Week)),
    ("y", Letter(self::Unit::Year)),
    ("one", Count(1)),
    ("two", Count(2)),
    ("three", Count(3)),
    ("four", Count(4)),
    ("five", Count(5)),
    ("six", Count(6)),
    ("seven", Count(7)),
    ("eight", Count(8)),
    ("nine", Count(9)),
    ("ten", Count(10)),
    ("eleven", Count(11)),
    ("twelve", Count(12)),
    ("thirteen", Count(13)),
    ("fourteen", Count(14)),
    ("fifteen", Count(15)),
    ("sixteen", Count(16)),
    ("seventeen", Count(17)),
    ("eighteen", Count(18)),
    ("nineteen", Count(19)),
    ("twenty", Tens(20)),
    ("thirty", Tens(30)),
    ("forty", Tens(40)),
    ("fifty", Tens(50)),
    ("sixty", Tens(60)),
    ("seventy", Tens(70)),
    ("eighty", Tens(80)),
    ("ninety", Tens(90)),
    ("first", Ordinal(1)),
    ("second", Ordinal(2)),
    ("third", Ordinal(3)),
    ("fourth", Ordinal(4)),
    ("fifth", Ordinal(5)),
    ("sixth", Ordinal(6)),
    ("seventh", Ordinal(7)),
    ("eighth", Ordinal(8)),
    ("ninth", Ordinal(9)),
    ("tenth", Ordinal(10)),
    ("st nd rd th", OrdinalEnding),
    ("few several many", Vague),
    ("couple", Couple),
    ("half", Half),
    ("a an", Article),
    ("ago back", Ago),
    ("prior before earlier preceding", Prior),
    ("later hence", Later),
    ("old yo yof yom yofs y/o", Old),
    ("past previous", Past),
    ("last", Last),
    ("next coming", Next),
    ("this", This),
    ("the", The),
    ("of", Of),
    ("and", And),
    ("to or thru through", To),
    ("every each q", Every),
    ("other", Other),
    ("per", Per),
    ("times time", Times),
    ("once", Once),
    ("twice", Twice),
    ("thrice", Thrice),
    ("daily", Adverb(self::Unit::Day)),
    ("weekly", Adverb(self::Unit::Week)),
    ("biweekly", Often("Q2W")),
    ("monthly", Adverb(self::Unit::Month)),
    ("quarterly", Often("Q3MO")),
    ("yearly annually", Adverb(self::Unit::Year)),
    ("hourly", Adverb(self::Unit::Hour)),
    ("nightly qhs", Often("QHS")),
    ("qd qday", Often("QD")),
    ("bid", Often("BID")),
    ("tid", Often("TID")),
    ("qid", Often("QID")),
    ("qod", Often("QOD")),
    ("qam", Often("QAM")),
    ("qpm", Often("QPM")),
    ("qwk qweek qwkly", Often("QWK")),
    ("qmonth", Often("QMO")),
    ("x", X),
    ("for", For),
    ("in", In),
    ("on", On),
    ("since", Since),
    ("at", At),
    ("by until till during over within from around approximately about", Preposition),
    ("yesterday", Relative(-1)),
    ("today", Relative(0)),
    ("tomorrow", Relative(1)),
    ("tonight", Tonight),
    ("morning afternoon evening", Part),
    ("noon", Oclock(12)),
    ("midnight", Oclock(0)),
    ("early mid late end beginning middle start", Portion),
    ("summer winter spring fall autumn", Season),
    ("q1", Quarter(1)),
    ("q2", Quarter(2)),
    ("q3", Quarter(3)),
    ("q4", Quarter(4)),
    ("age aged", Age),
    ("pod", Pod),
    ("post", Post),
    ("postop postoperative hospital postpartum", DayOf),
    ("op operative", Op),
    ("am", Half24(0)),
    ("pm", Half24(12)),
    ("o'clock", OclockWord),
    ("admission arrival presentation surgery discharge delivery operation transfer visit appointment procedure", Event),
    ("pta", Pta),
    ("follow followup return returns rtc recheck repeat schedule scheduled see appt again reassess reevaluate due", Ahead),
    ("started starting diagnosed dx dx'd c'd quit stopped placed performed done dated date ended began beginning discontinued", Happened),
    ("removed seen admitted discharged resected repaired surgery circa born onset resolved treated completed", Happened),
    ("mg mcg ml l cc g kg gram grams units unit tab tabs tablet tablets cap caps capsule capsules puff puffs drop drops", Measure),
    ("meq mmol cm mm lb lbs oz kcal bpm mmhg percent liters liter packs pack ppd beers drinks pills pill doses dose", Measure),
    ("pain strength scale grade score power bp murmur reflexes pulses dtrs gcs rated motor apgar apgars", Scale),
];

/// A note as a step sees it that looks for times.
pub struct Reader<'n, 'a> {
    pub note: &'n Note<'a>,
    pub cover: Cover,
}

impl<'n, 'a> Reader<'n, 'a> {
    pub fn new(note: &'n Note<'a>, cover: Cover) -> Reader<'n, 'a> {
        Reader { note, cover }
    }

    /// The cue of a token; [`Cue::Nothing`] beyond the note.
    pub fn cue(&self, token: u32) -> Cue {
        self.note.tokens.get(token as usize).map_or(Nothing, |t| cue(t.known.time))
    }

    /// The cue of the token before.
    pub fn cue_before(&self, token: u32) -> Cue {
        token.checked_sub(1).map_or(Nothing, |before| self.cue(before))
    }

    pub fn class(&self, token: u32) -> Class {
        self.note.tokens.get(token as usize).map_or(Class::Line, |t| t.class)
    }

    pub fn case(&self, token: u32) -> Case {
        self.note.tokens.get(token as usize).map_or(Case::Lower, |t| t.case)
    }

    pub fn is_mark(&self, token: u32, mark: u8) -> bool {
        self.note.tokens.get(token as usize).is_some_and(|t| t.is_mark(mark))
    }

    /// Whether the token before is this mark.
    pub fn is_mark_before(&self, token: u32, mark: u8) -> bool {
        token.checked_sub(1).is_some_and(|before| self.is_mark(before, mark))
    }

    /// Whether a token stands right behind the one before it.
    pub fn is_glued(&self, token: u32) -> bool {
        let Some(before) = token.checked_sub(1).and_then(|b| self.note.tokens.get(b as usize)) else { return false };
        self.note.tokens.get(token as usize).is_some_and(|t| t.begin == before.end && t.class != Class::Line)
    }

    /// Whether a token is the first of its line, or a mark of a list or quotation stands before it.
    pub fn begins_line(&self, token: u32) -> bool {
        token.checked_sub(1).is_none_or(|before| self.class(before) == Class::Line)
    }

    /// The token behind this one; one end of line within a sentence is passed over.
    pub fn next(&self, token: u32) -> u32 {
        let next = token + 1;
        let is_wrap = self.note.tokens.get(next as usize).is_some_and(|t| t.class == Class::Line)
            && self.class(next + 1) != Class::Line
            && self.note.sentence_of(token) == self.note.sentence_of(next + 1);
        if is_wrap { next + 1 } else { next }
    }

    /// A whole number of at most eight ASCII digits, and how many they are.
    pub fn whole(&self, token: u32) -> Option<(u32, usize)> {
        if self.class(token) != Class::Number {
            return None;
        }
        let digits = self.note.word(token);
        if digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().map(|number| (number, digits.len()))
    }

    /// A year of four digits.
    pub fn year(&self, token: u32) -> Option<i32> {
        self.whole(token).filter(|&(year, digits)| digits == 4 && (1900..2200).contains(&year)).map(|(year, _)| year as i32)
    }

    /// A year of two digits: the one nearest to the note that is not far ahead of it.
    pub fn century(&self, short: u32) -> i32 {
        use chrono::Datelike;
        let latest = self.note.date.map_or(2040, |date| date.year() + 2);
        let year = latest - latest.rem_euclid(100) + short as i32;
        if year > latest { year - 100 } else { year }
    }
}

//! The words of prescriptions: units, forms, routes, frequencies, times.

use std::sync::LazyLock;

use crate::nlp::note::Note;
use crate::nlp::token::Case;
use crate::nlp::words::Words;

/// What kind of amount a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// mg, mEq: with a number alone the strength
    Mass,
    /// units, international units
    Units,
    /// mL, drops
    Volume,
    /// tablets, puffs
    Count,
    /// kg, m2: only below a stroke
    Body,
    Percent,
}

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// What a word may be in a prescription.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sense {
    pub unit: Option<(&'static str, Measure)>,
    pub form: Option<&'static str>,
    /// the route and whether it must be written in capitals
    pub route: Option<(&'static str, bool)>,
    /// the frequency and whether it must be written in capitals
    pub frequency: Option<(&'static str, bool)>,
    pub span: Option<Span>,
    /// a day of the week, from 1 for Monday
    pub weekday: u8,
    /// it says nothing between a drug and what belongs to it
    pub filler: bool,
    /// a part of a prescription may begin with it
    pub begins: bool,
    pub role: Role,
}

/// What else a word does around a drug.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    None,
    /// of
    Of,
    /// and, then: what follows is told apart
    Parts,
    /// take, sig: what is taken at once follows
    Take,
    /// disp, refills: what the pharmacy gives out follows
    Dispensed,
    /// for, prn: the reason may follow
    Reason,
}

const ROLES: &[(Role, &str)] = &[
    (Role::Of, "of"),
    (Role::Parts, "and with plus then or"),
    (Role::Take, "take takes taking give given sig inject use total"),
    (Role::Dispensed, "disp dispense dispensed refill refills qty quantity"),
    (Role::Reason, "for prn needed treat treating indication p"),
];

const UNITS: &[(&str, &str, Measure)] = {
    use Measure::*;
    &[
        ("mg", "mg", Mass),
        ("mgs", "mg", Mass),
        ("milligram", "mg", Mass),
        ("milligrams", "mg", Mass),
        ("mcg", "ug", Mass),
        ("mcgs", "ug", Mass),
        ("ug", "ug", Mass),
        ("µg", "ug", Mass),
        ("μg", "ug", Mass),
        ("microgram", "ug", Mass),
        ("micrograms", "ug", Mass),
        ("g", "g", Mass),
        ("gm", "g", Mass),
        ("gms", "g", Mass),
        ("gram", "g", Mass),
        ("grams", "g", Mass),
        ("gr", "[gr]", Mass),
        ("grain", "[gr]", Mass),
        ("grains", "[gr]", Mass),
        ("ng", "ng", Mass),
        ("meq", "meq", Mass),
        ("meqs", "meq", Mass),
        ("mmol", "mmol", Mass),
        ("mmols", "mmol", Mass),
        ("mci", "mCi", Mass),
        ("kg", "kg", Body),
        ("kgs", "kg", Body),
        ("m2", "m2", Body),
        ("m²", "m2", Body),
        ("unit", "units", Units),
        ("units", "units", Units),
        ("u", "units", Units),
        ("un", "units", Units),
        ("iu", "[iU]", Units),
        ("ius", "[iU]", Units),
        ("munits", "mU", Units),
        ("milliunits", "mU", Units),
        ("mu", "mU", Units),
        ("ml", "mL", Volume),
        ("mls", "mL", Volume),
        ("cc", "mL", Volume),
        ("ccs", "mL", Volume),
        ("milliliter", "mL", Volume),
        ("milliliters", "mL", Volume),
        ("millilitre", "mL", Volume),
        ("millilitres", "mL", Volume),
        ("l", "L", Volume),
        ("liter", "L", Volume),
        ("liters", "L", Volume),
        ("litre", "L", Volume),
        ("litres", "L", Volume),
        ("lpm", "L/min", Volume),
        ("oz", "[foz_us]", Volume),
        ("ounce", "[foz_us]", Volume),
        ("ounces", "[foz_us]", Volume),
        ("tsp", "teaspoon", Volume),
        ("teaspoon", "teaspoon", Volume),
        ("teaspoons", "teaspoon", Volume),
        ("teaspoonful", "teaspoon", Volume),
        ("tbsp", "tablespoon", Volume),
        ("tablespoon", "tablespoon", Volume),
        ("tablespoons", "tablespoon", Volume),
        ("drop", "drop", Volume),
        ("drops", "drop", Volume),
        ("gtt", "drop", Volume),
        ("gtts", "drop", Volume),
        ("puff", "puff", Count),
        ("puffs", "puff", Count),
        ("inh", "puff", Count),
        ("inhalation", "puff", Count),
        ("inhalations", "puff", Count),
        ("actuation", "actuation", Count),
        ("actuations", "actuation", Count),
        ("act", "actuation", Count),
        ("spray", "spray", Count),
        ("sprays", "spray", Count),
        ("squirt", "spray", Count),
        ("squirts", "spray", Count),
        ("tab", "tablet", Count),
        ("tabs", "tablet", Count),
        ("tablet", "tablet", Count),
        ("tablets", "tablet", Count),
        ("cap", "capsule", Count),
        ("caps", "capsule", Count),
        ("capsule", "capsule", Count),
        ("capsules", "capsule", Count),
        ("caplet", "caplet", Count),
        ("caplets", "caplet", Count),
        ("pill", "pill", Count),
        ("pills", "pill", Count),
        ("lozenge", "lozenge", Count),
        ("lozenges", "lozenge", Count),
        ("troche", "troche", Count),
        ("gummy", "gummy", Count),
        ("gummies", "gummy", Count),
        ("softgel", "softgel", Count),
        ("softgels", "softgel", Count),
        ("patch", "patch", Count),
        ("patches", "patch", Count),
        ("suppository", "suppository", Count),
        ("suppositories", "suppository", Count),
        ("packet", "packet", Count),
        ("packets", "packet", Count),
        ("sachet", "sachet", Count),
        ("sachets", "sachet", Count),
        ("scoop", "scoop", Count),
        ("scoops", "scoop", Count),
        ("capful", "capful", Count),
        ("capfuls", "capful", Count),
        ("ampule", "ampule", Count),
        ("ampules", "ampule", Count),
        ("amp", "ampule", Count),
        ("amps", "ampule", Count),
        ("vial", "vial", Count),
        ("vials", "vial", Count),
        ("neb", "nebule", Count),
        ("nebs", "nebule", Count),
        ("enema", "enema", Count),
        ("enemas", "enema", Count),
        ("injection", "injection", Count),
        ("injections", "injection", Count),
        ("application", "application", Count),
        ("applications", "application", Count),
        ("applicatorful", "applicatorful", Count),
        ("strip", "strip", Count),
        ("strips", "strip", Count),
        ("dose", "dose", Count),
        ("doses", "dose", Count),
        ("bag", "bag", Count),
        ("bags", "bag", Count),
        ("syringe", "syringe", Count),
        ("syringes", "syringe", Count),
        ("pen", "pen", Count),
    ]
};

const FORMS: &[(&str, &str)] = &[
    ("tab", "tablet"),
    ("tabs", "tablet"),
    ("tablet", "tablet"),
    ("tablets", "tablet"),
    ("cap", "capsule"),
    ("caps", "capsule"),
    ("capsule", "capsule"),
    ("capsules", "capsule"),
    ("caplet", "caplet"),
    ("caplets", "caplet"),
    ("pill", "pill"),
    ("pills", "pill"),
    ("softgel", "capsule"),
    ("softgels", "capsule"),
    ("lozenge", "lozenge"),
    ("lozenges", "lozenge"),
    ("troche", "lozenge"),
    ("troches", "lozenge"),
    ("gummy", "gummy"),
    ("gummies", "gummy"),
    ("cream", "cream"),
    ("ointment", "ointment"),
    ("oint", "ointment"),
    ("gel", "gel"),
    ("lotion", "lotion"),
    ("foam", "foam"),
    ("shampoo", "shampoo"),
    ("paste", "paste"),
    ("solution", "solution"),
    ("soln", "solution"),
    ("suspension", "suspension"),
    ("susp", "suspension"),
    ("syrup", "syrup"),
    ("elixir", "elixir"),
    ("liquid", "liquid"),
    ("powder", "powder"),
    ("packet", "packet"),
    ("packets", "packet"),
    ("patch", "patch"),
    ("patches", "patch"),
    ("inhaler", "inhaler"),
    ("mdi", "inhaler"),
    ("hfa", "inhaler"),
    ("diskus", "inhaler"),
    ("neb", "nebulizer solution"),
    ("nebs", "nebulizer solution"),
    ("nebulizer", "nebulizer solution"),
    ("nebulizers", "nebulizer solution"),
    ("spray", "spray"),
    ("drops", "drops"),
    ("suppository", "suppository"),
    ("suppositories", "suppository"),
    ("supp", "suppository"),
    ("enema", "enema"),
    ("injection", "injection"),
    ("injections", "injection"),
    ("vial", "vial"),
    ("syringe", "syringe"),
    ("pen", "pen"),
    ("flexpen", "pen"),
    ("kwikpen", "pen"),
    ("film", "film"),
    ("wafer", "wafer"),
    ("mouthwash", "mouthwash"),
    ("aerosol", "aerosol"),
    ("odt", "orally disintegrating tablet"),
    ("chewable", "chewable tablet"),
];

/// Routes of one word; `true` needs capitals, since the word means something else in small letters.
const ROUTES: &[(&str, &str, bool)] = &[
    ("po", "oral", false),
    ("orally", "oral", false),
    ("oral", "oral", false),
    ("iv", "intravenous", false),
    ("ivp", "intravenous", false),
    ("ivpb", "intravenous", false),
    ("ivf", "intravenous", false),
    ("ivss", "intravenous", false),
    ("intravenous", "intravenous", false),
    ("intravenously", "intravenous", false),
    ("drip", "intravenous", false),
    ("gtt", "intravenous", false),
    ("infusion", "intravenous", false),
    ("im", "intramuscular", false),
    ("intramuscular", "intramuscular", false),
    ("intramuscularly", "intramuscular", false),
    ("sc", "subcutaneous", false),
    ("sq", "subcutaneous", false),
    ("subq", "subcutaneous", false),
    ("subcut", "subcutaneous", false),
    ("subcu", "subcutaneous", false),
    ("subcutaneous", "subcutaneous", false),
    ("subcutaneously", "subcutaneous", false),
    ("sl", "sublingual", false),
    ("sublingual", "sublingual", false),
    ("sublingually", "sublingual", false),
    ("buccal", "buccal", false),
    ("buccally", "buccal", false),
    ("pr", "rectal", true),
    ("rectal", "rectal", false),
    ("rectally", "rectal", false),
    ("pv", "vaginal", true),
    ("vaginal", "vaginal", false),
    ("vaginally", "vaginal", false),
    ("intravaginally", "vaginal", false),
    ("topical", "topical", false),
    ("topically", "topical", false),
    ("td", "transdermal", true),
    ("transdermal", "transdermal", false),
    ("transdermally", "transdermal", false),
    ("inhaled", "inhalation", false),
    ("inh", "inhalation", false),
    ("inhalation", "inhalation", false),
    ("nebulized", "inhalation", false),
    ("nebulised", "inhalation", false),
    ("nasal", "nasal", false),
    ("nasally", "nasal", false),
    ("intranasal", "nasal", false),
    ("intranasally", "nasal", false),
    ("nc", "nasal cannula", true),
    ("ou", "ophthalmic", true),
    ("os", "ophthalmic", true),
    ("ophthalmic", "ophthalmic", false),
    ("otic", "otic", false),
    ("au", "otic", true),
    ("ng", "nasogastric", true),
    ("ngt", "nasogastric", false),
    ("ogt", "orogastric", true),
    ("peg", "gastrostomy", true),
    ("gt", "gastrostomy", true),
    ("intrathecal", "intrathecal", false),
    ("intrathecally", "intrathecal", false),
    ("epidural", "epidural", false),
    ("intradermal", "intradermal", false),
    ("intradermally", "intradermal", false),
    ("intraarticular", "intra-articular", false),
    ("intravitreal", "intravitreal", false),
    ("intraosseous", "intraosseous", false),
    ("io", "intraosseous", true),
    ("parenteral", "parenteral", false),
    ("enteral", "enteral", false),
];

/// Frequencies of one word (points taken out); `true` needs capitals.
const FREQUENCIES: &[(&str, &str, bool)] = &[
    ("qd", "QD", false),
    ("qday", "QD", false),
    ("qdaily", "QD", false),
    ("daily", "QD", false),
    ("dly", "QD", false),
    ("od", "QD", true),
    ("bid", "BID", false),
    ("bd", "BID", true),
    ("tid", "TID", false),
    ("tds", "TID", false),
    ("qid", "QID", false),
    ("qds", "QID", false),
    ("qod", "QOD", false),
    ("qhs", "QHS", false),
    ("qbedtime", "QHS", false),
    ("nightly", "QHS", false),
    ("qnight", "QHS", false),
    ("nocte", "QHS", false),
    ("hs", "QHS", true),
    ("bedtime", "QHS", false),
    ("qam", "QAM", false),
    ("qmorning", "QAM", false),
    ("mane", "QAM", false),
    ("qpm", "QPM", false),
    ("qevening", "QPM", false),
    ("qac", "AC", false),
    ("ac", "AC", true),
    ("achs", "AC QHS", false),
    ("qachs", "AC QHS", false),
    ("pc", "PC", true),
    ("weekly", "QWK", false),
    ("qwk", "QWK", false),
    ("qweek", "QWK", false),
    ("qweekly", "QWK", false),
    ("biweekly", "Q2WK", false),
    ("biw", "2X/WK", true),
    ("tiw", "3X/WK", false),
    ("monthly", "QMO", false),
    ("qmonth", "QMO", false),
    ("qmo", "QMO", false),
    ("yearly", "QYR", false),
    ("annually", "QYR", false),
    ("hourly", "Q1H", false),
    ("qhour", "Q1H", false),
    ("qshift", "QSHIFT", false),
    ("prn", "PRN", false),
    ("stat", "STAT", false),
    ("mwf", "MO,WE,FR", true),
    ("tths", "TU,TH,SA", false),
    ("continuously", "CONTINUOUS", false),
    ("atc", "CONTINUOUS", true),
];

const SPANS: &[(&str, Span)] = {
    use Span::*;
    &[
        ("sec", Second),
        ("second", Second),
        ("seconds", Second),
        ("min", Minute),
        ("mins", Minute),
        ("minute", Minute),
        ("minutes", Minute),
        ("h", Hour),
        ("hr", Hour),
        ("hrs", Hour),
        ("hour", Hour),
        ("hours", Hour),
        ("hourly", Hour),
        ("d", Day),
        ("day", Day),
        ("days", Day),
        ("w", Week),
        ("wk", Week),
        ("wks", Week),
        ("week", Week),
        ("weeks", Week),
        ("mo", Month),
        ("mos", Month),
        ("month", Month),
        ("months", Month),
        ("yr", Year),
        ("yrs", Year),
        ("year", Year),
        ("years", Year),
    ]
};

const WEEKDAYS: &[(&str, u8)] = &[
    ("monday", 1),
    ("mondays", 1),
    ("mon", 1),
    ("tuesday", 2),
    ("tuesdays", 2),
    ("tue", 2),
    ("tues", 2),
    ("wednesday", 3),
    ("wednesdays", 3),
    ("wed", 3),
    ("thursday", 4),
    ("thursdays", 4),
    ("thu", 4),
    ("thur", 4),
    ("thurs", 4),
    ("friday", 5),
    ("fridays", 5),
    ("fri", 5),
    ("saturday", 6),
    ("saturdays", 6),
    ("sat", 6),
    ("sunday", 7),
    ("sundays", 7),
    ("sun", 7),
];

const FILLERS: &[&str] = &[
    "a", "an", "the", "of", "at", "to", "and", "or", "dose", "doses", "dosed", "dosage", "sig", "take", "takes", "taken", "taking", "give", "given",
    "gave", "received", "use", "uses", "using", "inject", "inhale", "apply", "applied", "place", "instill", "dissolve", "chew", "increase",
    "increased", "decrease", "decreased", "reduced", "reduce", "changed", "titrated", "titrate", "started", "start", "continue", "continued",
    "maintained", "maintenance", "then", "from", "up", "down", "total", "with", "er", "xr", "xl", "sr", "cr", "dr", "ec", "la", "hcl", "sodium",
    "tartrate", "succinate", "extended", "release", "delayed", "route", "frequency", "freq", "strength", "form", "course", "initial", "loading",
    "load", "bolus", "home", "current", "currently", "now", "by", "via", "is", "was", "in", "on", "for", "low", "high", "usual", "single",
    "additional", "another", "more", "taper", "tapered", "run", "running", "infused", "starting", "his", "her", "their", "she", "he", "patient",
];

static SENSES: LazyLock<Words<Sense>> = LazyLock::new(|| {
    let mut words = Words::default();
    let mut set = |word: &str, change: &dyn Fn(&mut Sense)| {
        if let Some(sense) = words.entry(word, Sense::default) {
            change(sense);
        }
    };
    for &(word, name, measure) in UNITS {
        set(word, &|s| s.unit = Some((name, measure)));
    }
    for &(word, name) in FORMS {
        set(word, &|s| s.form = Some(name));
    }
    for &(word, name, capitals) in ROUTES {
        set(word, &|s| s.route = Some((name, capitals)));
    }
    for &(word, name, capitals) in FREQUENCIES {
        set(word, &|s| s.frequency = Some((name, capitals)));
    }
    for &(word, span) in SPANS {
        set(word, &|s| s.span = Some(span));
    }
    for &(word, day) in WEEKDAYS {
        set(word, &|s| s.weekday = day);
    }
    for word in FILLERS {
        set(word, &|s| s.filler = true);
    }
    for word in BEGINNINGS.iter().chain(super::route::beginnings()).chain(super::form::beginnings()) {
        set(word, &|s| s.begins = true);
    }
    for (role, list) in ROLES {
        for word in list.split_whitespace() {
            set(word, &|s| s.role = *role);
        }
    }
    words
});

/// Words that begin a phrase of frequencies, durations or numbers.
const BEGINNINGS: &[&str] = &[
    "at", "before", "in", "after", "with", "w", "on", "as", "when", "if", "per", "a", "an", "once", "twice", "thrice", "one", "single", "alternate", "other", "all",
    "around", "every", "each", "q", "for", "x", "times", "over", "during", "indefinitely", "lifelong", "indefinite", "another", "two", "three", "four", "five", "six", "seven",
    "eight", "nine", "ten", "eleven", "twelve", "fourteen", "fifteen", "twenty", "thirty", "forty", "fifty", "sixty", "half", "am", "pm", "morning", "evening", "breakfast", "dinner",
];

static NOTHING: Sense = Sense { unit: None, form: None, route: None, frequency: None, span: None, weekday: 0, filler: false, begins: false, role: Role::None };

/// Whether a part of a prescription may begin with a word that may be this: asked first, since most words begin none.
pub fn may_begin(word: &str, sense: &Sense) -> bool {
    sense.begins
        || sense.unit.is_some()
        || sense.form.is_some()
        || sense.route.is_some()
        || sense.frequency.is_some()
        || sense.span.is_some()
        || sense.weekday > 0
        || word.len() == 1
        || matches!(word.as_bytes().first(), Some(b'q' | b'Q' | b'x' | b'X'))
}

/// The place of a word among those of prescriptions; 0 if it is none.
pub fn place(word: &str) -> u16 {
    SENSES.place(word)
}

/// What a word may be.
pub fn sense(word: &str) -> &'static Sense {
    SENSES.get(word).unwrap_or(&NOTHING)
}

/// What the word at a token may be; nothing if it is no word.
#[inline]
pub fn sense_at(note: &Note<'_>, at: u32) -> &'static Sense {
    match note.tokens.get(at as usize) {
        Some(token) if token.known.sense != 0 => SENSES.at(token.known.sense).unwrap_or(&NOTHING),
        _ => &NOTHING,
    }
}

/// Whether a token is written in capitals.
pub fn capitals(note: &Note<'_>, at: u32) -> bool {
    note.tokens.get(at as usize).is_some_and(|t| t.case == Case::Upper)
}

/// An abbreviation with points, without them: `b.i.d.` is `bid`. At most six letters.
#[derive(Clone, Copy, Debug)]
pub struct Dotted {
    letters: [u8; 6],
    length: usize,
    /// the token behind it
    pub end: u32,
}

impl Dotted {
    pub fn word(&self) -> &str {
        self.letters.get(..self.length).and_then(|l| std::str::from_utf8(l).ok()).unwrap_or("")
    }
}

/// The abbreviation with points that begins at a token.
pub fn dotted(note: &Note<'_>, at: u32) -> Option<Dotted> {
    let mut found = Dotted { letters: [0; 6], length: 0, end: at };
    let mut next = at;
    loop {
        let word = note.word(next);
        let letters = word.as_bytes();
        if letters.is_empty()
            || letters.len() > if found.length == 0 { 1 } else { 2 }
            || !letters.iter().all(u8::is_ascii_alphabetic)
            || (next > at && !note.glued(next))
        {
            break;
        }
        for letter in letters {
            *found.letters.get_mut(found.length)? = letter.to_ascii_lowercase();
            found.length += 1;
        }
        found.end = next + 1;
        if !(note.mark(next + 1, b'.') && note.glued(next + 1)) {
            break;
        }
        found.end = next + 2;
        next += 2;
        if !note.glued(next) {
            break;
        }
    }
    (found.length >= 2 && found.end > at + 2).then_some(found)
}

impl Span {
    /// The letter of ISO 8601, with `T` where it is part of a day.
    pub fn iso(self, count: &str) -> String {
        match self {
            Span::Second => format!("PT{count}S"),
            Span::Minute => format!("PT{count}M"),
            Span::Hour => format!("PT{count}H"),
            Span::Day => format!("P{count}D"),
            Span::Week => format!("P{count}W"),
            Span::Month => format!("P{count}M"),
            Span::Year => format!("P{count}Y"),
        }
    }

    /// As frequencies name it: `H`, `D`, `WK`.
    pub fn short(self) -> &'static str {
        match self {
            Span::Second => "S",
            Span::Minute => "MIN",
            Span::Hour => "H",
            Span::Day => "D",
            Span::Week => "WK",
            Span::Month => "MO",
            Span::Year => "YR",
        }
    }
}

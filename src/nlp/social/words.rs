//! The words by which a text tells of habits and circumstances.

use std::sync::LazyLock;

use crate::nlp::cover::Cover;
use crate::nlp::note::Note;
use crate::nlp::section::Role;
use crate::nlp::token::{Case, Class, Token};
use crate::nlp::vocabulary::Vocabulary;

/// What a word does for the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cue {
    Nothing,
    /// smoker, tobacco, cigarettes: tobacco without doubt
    Tobacco,
    /// smokes, smoking
    Smoke,
    /// smoked
    Smoked,
    Nonsmoker,
    Exsmoker,
    /// etoh, drinker: alcohol without doubt
    Etoh,
    Nondrinker,
    /// alcohol, which is a substance as well
    Alcohol,
    /// drinks, drinking
    Drink,
    Drank,
    /// beer, wine
    Beverage,
    /// IVDU, illicits: drugs without doubt
    Illicit,
    /// cocaine, marijuana, which are substances as well
    Drug,
    /// drug, drugs, substance: with "illicit" before or "use" behind
    Drugs,
    /// illicit, recreational, street, IV: before "drugs"
    Kind,
    /// use, user, consumption: goes with the word before
    Use,
    /// status, history: goes before the colon
    Status,
    /// units of what is smoked
    Pack,
    Ppd,
    Year,
    /// units of what is drunk: glasses, shots
    Glass,
    /// joints, bags
    Joint,
    Number,
    Half,
    Couple,
    /// never, not, no, none, denies
    Never,
    Not,
    None,
    Denies,
    /// former, ex, remote
    Former,
    Quit,
    /// uses, snorts, injects, admits: what follows is a habit
    Habit,
    /// occasionally, socially, rarely: how often
    Rarely,
    Per,
    Article,
    Day,
    Male,
    Female,
    /// M, F
    Letter,
    /// old, yo, year: an age stands before
    Old,
    /// YoF, yom: the sex is the last letter
    OldSex,
    Race,
    /// black, white: a race only before a person
    Colour,
    /// African, Native, Asian, Pacific: the first of two words
    RaceFirst,
    RaceSecond,
    Lives,
    Person,
    House,
    Homeless,
    /// nursing, group, assisted: before "home" or "living"
    Housed,
    /// disability, laid, homemaker
    Idle,
    /// works, worked, working
    Works,
    Employed,
    Unemployed,
    Retired,
    Nka,
    Allergies,
    Known,
    Allergen,
}

use Cue::*;

/// Words, and the number of their line in the table, from 1.
static WORDS: LazyLock<Vocabulary<u8>> =
    LazyLock::new(|| Vocabulary::new(TABLE.iter().zip(1..=u8::MAX).flat_map(|((words, _), number)| words.split(' ').map(move |word| (word, number)))));
const _: () = assert!(TABLE.len() <= u8::MAX as usize);

/// The number of what a word does; 0 for nothing.
pub fn cue_of(text: &str, token: &Token) -> u8 {
    WORDS.of(text, token).unwrap_or(0)
}

fn cue(number: u8) -> Cue {
    usize::from(number).checked_sub(1).and_then(|line| TABLE.get(line)).map_or(Nothing, |(_, cue)| *cue)
}

static TABLE: &[(&str, Cue)] = &[
    ("tobacco smoker smokers cigarette cigarettes cigs cig cigar cigars tob vape vapes vaping snuff cigarillos hookah", Tobacco),
    ("smokes smoking smoke", Smoke),
    ("smoked", Smoked),
    ("nonsmoker nonsmoking nonsmokers", Nonsmoker),
    ("exsmoker exsmokers", Exsmoker),
    ("etoh drinker drinkers", Etoh),
    ("nondrinker teetotaler teetotaller abstainer", Nondrinker),
    ("alcohol alcoholic", Alcohol),
    ("drinks drinking drink", Drink),
    ("drank", Drank),
    ("beer beers wine liquor vodka whiskey whisky rum gin tequila bourbon", Beverage),
    ("ivdu ivda idu illicits ivdus", Illicit),
    ("cocaine marijuana cannabis heroin methamphetamine methamphetamines meth amphetamines crack lsd ecstasy mdma thc weed pot opium", Drug),
    ("drug drugs substance substances", Drugs),
    ("illicit illicits recreational recreationally street iv intravenous injection", Kind),
    ("use user usage consumption", Use),
    ("status history hx habits exposure", Status),
    ("pack packs pk pks", Pack),
    ("ppd", Ppd),
    ("year years yr yrs", Year),
    ("glass glasses shot shots bottle bottles can cans pint pints fifth ounces oz sixpack handle drink", Glass),
    ("joint joints bag bags bowl bowls blunt blunts", Joint),
    ("one two three four five six seven eight nine ten twelve several few multiple many", Number),
    ("half", Half),
    ("couple", Couple),
    ("never", Never),
    ("not doesn't didn't don't isn't without non", Not),
    ("none no nil negative neg nonapplicable no-one", None),
    ("denies denied deny denying abstains", Denies),
    ("former formerly ex previous previously prior past remote remotely", Former),
    ("quit stopped sober ceased", Quit),
    ("uses snorts snorted injects injected admits endorses consumes abuses abused occasional rare social heavy binge recreationally chews", Habit),
    ("occasionally socially rarely sometimes weekends seldom nightly heavily moderately", Rarely),
    ("per each every", Per),
    ("a an the", Article),
    ("day days week weeks wk month months weekend night d", Day),
    ("male man boy gentleman", Male),
    ("female woman girl lady", Female),
    ("m f", Letter),
    ("old yo o age", Old),
    ("yom yof yoaf yowf yobf yowm yobm", OldSex),
    ("caucasian hispanic latino latina latinx asian biracial multiracial caucasians", Race),
    ("black white african indian chinese japanese korean vietnamese filipino filipina haitian arabic jewish aa", Colour),
    ("american american-indian alaska pacific native middle", RaceFirst),
    ("americans islander indians eastern", RaceSecond),
    ("lives lived living resides residing live", Lives),
    ("wife husband spouse son daughter sons daughters child children kids family parents parent mother father mom dad roommate roommates", Person),
    ("friend friends partner girlfriend boyfriend brother sister siblings grandmother grandfather grandparents grandson granddaughter", Person),
    ("caregiver caretaker aunt uncle cousin niece nephew fiance fiancee dog dogs cat cats grandchildren relatives guardian in-laws", Person),
    ("house apartment home condo shelter facility trailer dorm dormitory snf rehab alf townhouse basement motel hotel street streets car jail prison", House),
    ("homeless undomiciled homelessness incarcerated", Homeless),
    ("nursing group assisted", Housed),
    ("disability laid homemaker housewife", Idle),
    ("works worked working", Works),
    ("employed", Employed),
    ("unemployed jobless self-employed", Unemployed),
    ("retired", Retired),
    ("nkda nka nkma nkfa ndka nkdas", Nka),
    ("allergies allergy", Allergies),
    ("known any significant", Known),
    ("medication medications medicine medicines food foods environmental latex", Allergen),
];

/// A note as the step sees it.
pub struct Reader<'n, 'a> {
    pub note: &'n Note<'a>,
    pub cover: Cover,
}

impl<'n, 'a> Reader<'n, 'a> {
    pub fn new(note: &'n Note<'a>, cover: Cover) -> Reader<'n, 'a> {
        Reader { note, cover }
    }

    pub fn cue(&self, token: u32) -> Cue {
        self.note.tokens.get(token as usize).map_or(Nothing, |t| cue(t.known.social))
    }

    pub fn class(&self, token: u32) -> Class {
        self.note.tokens.get(token as usize).map_or(Class::Line, |t| t.class)
    }

    pub fn case(&self, token: u32) -> Case {
        self.note.tokens.get(token as usize).map_or(Case::Lower, |t| t.case)
    }

    pub fn is(&self, token: u32, word: &str) -> bool {
        self.note.is(token, word)
    }

    pub fn is_mark(&self, token: u32, mark: u8) -> bool {
        self.note.tokens.get(token as usize).is_some_and(|t| t.is_mark(mark))
    }

    /// Whether a token stands right behind the one before it.
    pub fn is_glued(&self, token: u32) -> bool {
        let Some(before) = token.checked_sub(1).and_then(|b| self.note.tokens.get(b as usize)) else { return false };
        self.note.tokens.get(token as usize).is_some_and(|t| t.begin == before.end && t.class != Class::Line)
    }

    /// The tokens before one in its sentence, nearest first, at most so many.
    pub fn before(&self, token: u32, most: u32) -> impl Iterator<Item = u32> {
        let begin = self.note.sentences.get(self.note.sentence_of(token) as usize).map_or(0, |s| s.tokens.start);
        (token.saturating_sub(most).max(begin.min(token))..token).rev()
    }

    /// The tokens from one on in its sentence, at most so many.
    pub fn from(&self, token: u32, most: u32) -> std::ops::Range<u32> {
        let end = self.note.sentences.get(self.note.sentence_of(token) as usize).map_or(token, |s| s.tokens.end);
        token..end.min(token + most).max(token)
    }

    /// What the section of a token says.
    pub fn role(&self, token: u32) -> Role {
        self.note.section(self.note.sentence_of(token)).role
    }
}

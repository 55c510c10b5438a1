//! The words that lead to what identifies a person.

use std::sync::LazyLock;

use super::names::{GIVEN, SURNAMES};
use crate::nlp::note::Note;
use crate::nlp::token::{Case, Class, Token, UNKNOWN};
use crate::nlp::vocabulary::Vocabulary;

/// What a word does for the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cue {
    Nothing,
    Given,
    Surname,
    /// a given name that is a surname as well
    Either,
    /// Dr, Mr
    Title,
    /// wife, brother: a name may follow
    Relative,
    /// MD, RN: a name may stand before
    Credential,
    /// patient, name, attending: a name may stand behind a colon
    Label,
    /// signed, dictated: a name may stand behind "by"
    Signed,
    /// year, month, week, day, of an age
    AgeUnit,
    /// yo, yof, yom
    AgeWord,
    Age,
    /// one … nineteen, twenty …
    Number(u8),
    /// mrn, ssn, account
    IdLabel,
    /// medical, record, number, no: may stand between or before
    IdWord,
    /// phone, fax, pager, cell
    PhoneLabel,
    /// extension
    Extension,
    Http,
    Www,
    /// com, org: ends the name of a site
    Domain,
    /// Street, Ave
    Street,
    Apartment,
    /// lives, resides, resident, moved
    Lives,
    /// Hospital, Clinic
    Hospital,
    /// two letters of a state
    State,
    /// the name of a state
    StateName,
    /// works, employed, retired, occupation
    Works,
    /// teacher, carpenter
    Profession,
    /// nurse, physician: a profession only if the words about say whose
    Staff,
    Article,
    Male,
    Female,
    Box,
    /// of "Medical Center"
    Center,
}

use Cue::*;

/// Words, and the number of their line in the table, from 1, or that of a name.
static WORDS: LazyLock<Vocabulary<u8>> = LazyLock::new(|| {
    let lines = TABLE.iter().zip(1..EITHER).flat_map(|((words, _), number)| words.split(' ').map(move |word| (word, number)));
    let surnames: std::collections::HashSet<&str> = SURNAMES.split(' ').collect();
    let given = GIVEN.split(' ').map(|name| (name, if surnames.contains(name) { EITHER } else { GIVEN_NAME }));
    Vocabulary::new(lines.chain(given).chain(SURNAMES.split(' ').map(|name| (name, SURNAME))))
});

const GIVEN_NAME: u8 = 255;
const SURNAME: u8 = 254;
const EITHER: u8 = 253;
const _: () = assert!(TABLE.len() < EITHER as usize);

/// The number of what a word does; 0 for nothing.
pub fn cue_of(text: &str, token: &Token) -> u8 {
    WORDS.of(text, token).unwrap_or(0)
}

fn cue(number: u8) -> Cue {
    match number {
        0 => Nothing,
        GIVEN_NAME => Given,
        SURNAME => Surname,
        EITHER => Either,
        number => TABLE.get(usize::from(number) - 1).map_or(Nothing, |(_, cue)| *cue),
    }
}

static TABLE: &[(&str, Cue)] = &[
    ("dr drs mr mrs ms miss mx prof professor doctor reverend", Title),
    ("wife husband son daughter brother sister mother father mom dad spouse partner fiance fiancee niece nephew friend aunt uncle cousin", Relative),
    ("grandson granddaughter grandmother grandfather girlfriend boyfriend stepson stepdaughter caregiver proxy hcp named", Relative),
    ("md rn np lpn dnp phd pharmd crna msw lcsw lmsw cnm dds dmd dpm facs facp mbbs", Credential),
    ("patient name attending physician provider surgeon pcp resident intern nurse author cardiologist assistant anesthesiologist", Label),
    ("oncologist radiologist neurologist pathologist therapist consultant cc pt contact guardian referring requesting clinician", Label),
    ("signed dictated authenticated transcribed cosigned reviewed verified interpreted approved attested entered", Signed),
    ("year years yr yrs month months mo mos mth mths week weeks wk wks day days hour hours hr hrs", AgeUnit),
    ("yo yof yom yomale yofemale", AgeWord),
    ("age aged ages", Age),
    ("one", Number(1)),
    ("two", Number(2)),
    ("three", Number(3)),
    ("four", Number(4)),
    ("five", Number(5)),
    ("six", Number(6)),
    ("seven", Number(7)),
    ("eight", Number(8)),
    ("nine", Number(9)),
    ("ten", Number(10)),
    ("eleven", Number(11)),
    ("twelve", Number(12)),
    ("thirteen", Number(13)),
    ("fourteen", Number(14)),
    ("fifteen", Number(15)),
    ("sixteen", Number(16)),
    ("seventeen", Number(17)),
    ("eighteen", Number(18)),
    ("nineteen", Number(19)),
    ("twenty", Number(20)),
    ("thirty", Number(30)),
    ("forty", Number(40)),
    ("fifty", Number(50)),
    ("sixty", Number(60)),
    ("seventy", Number(70)),
    ("eighty", Number(80)),
    ("ninety", Number(90)),
    ("mrn mrns ssn acct account npi dea policy member medicare medicaid csn fin encounter accession license licence passport visa serial id", IdLabel),
    ("ssan nhs mpi identifier claim subscriber plate vin lot specimen case", IdLabel),
    ("record number no num unit medical mr", IdWord),
    ("phone tel telephone fax pager cell mobile beeper ph facsimile call tele", PhoneLabel),
    ("ext extension", Extension),
    ("http https ftp", Http),
    ("www", Www),
    ("com org net edu gov mil info io", Domain),
    ("street st avenue ave av road rd boulevard blvd drive lane ln way court ct place pl terrace parkway pkwy highway hwy circle cir square", Street),
    ("turnpike tpke plaza route", Street),
    ("apt apartment suite ste", Apartment),
    ("lives lived living resides resident residing native address moved relocated", Lives),
    ("hospital clinic infirmary hospice sanatorium", Hospital),
    ("al ak az ar ca co ct de fl ga hi ia il in ks ky la ma me or mi mn mo ms mt nc nd ne nh nj nm nv ny oh ok ri sc sd tn tx ut va vt wa wi wv wy dc", State),
    ("alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana iowa kansas", StateName),
    ("kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska nevada ohio oklahoma oregon", StateName),
    ("pennsylvania tennessee texas utah vermont washington wisconsin wyoming", StateName),
    ("works worked working employed retired occupation profession job career", Works),
    ("teacher schoolteacher professor carpenter electrician plumber accountant lawyer attorney engineer mechanic farmer rancher driver trucker", Profession),
    ("machinist welder painter roofer mason chef cook waiter waitress bartender cashier salesman saleswoman salesperson secretary librarian", Profession),
    ("firefighter policeman policewoman soldier veteran pilot sailor fisherman miner logger janitor custodian housekeeper homemaker housewife", Profession),
    ("hairdresser barber musician actor actress artist writer journalist editor photographer architect programmer scientist chemist", Profession),
    ("biologist banker broker realtor manager supervisor foreman contractor landscaper gardener baker butcher tailor seamstress", Profession),
    ("construction factory laborer labourer longshoreman steelworker bricklayer paralegal judge priest pastor minister rabbi nun clergyman", Profession),
    ("businessman businesswoman executive consultant analyst developer designer clerk bookkeeper receptionist mailman postman detective", Profession),
    ("dancer singer coach athlete lifeguard flight nanny babysitter seaman plumbing student programmer economist dishwasher warehouse", Profession),
    ("nurse doctor physician surgeon pharmacist dentist therapist veterinarian paramedic technician optometrist psychologist", Staff),
    ("a an", Article),
    ("male man boy gentleman m", Male),
    ("female woman girl lady f", Female),
    ("box", Box),
    ("center centre", Center),
];

/// A note as the step sees it.
pub struct Reader<'n, 'a> {
    pub note: &'n Note<'a>,
}

impl<'n, 'a> Reader<'n, 'a> {
    pub fn new(note: &'n Note<'a>) -> Reader<'n, 'a> {
        Reader { note }
    }

    pub fn cue(&self, token: u32) -> Cue {
        self.note.tokens.get(token as usize).map_or(Nothing, |t| cue(t.known.phi))
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

    pub fn is_mark_before(&self, token: u32, mark: u8) -> bool {
        token.checked_sub(1).is_some_and(|before| self.is_mark(before, mark))
    }

    pub fn is_glued(&self, token: u32) -> bool {
        let Some(before) = token.checked_sub(1).and_then(|b| self.note.tokens.get(b as usize)) else { return false };
        self.note.tokens.get(token as usize).is_some_and(|t| t.begin == before.end && t.class != Class::Line)
    }

    /// Whether the lexicon has this word in any of its terms.
    pub fn is_clinical(&self, token: u32) -> bool {
        self.note.tokens.get(token as usize).is_some_and(|t| t.id != UNKNOWN)
    }

    /// Whether a word begins with a capital letter, or is all in capitals.
    pub fn is_capital(&self, token: u32) -> bool {
        self.class(token) == Class::Word
            && (matches!(self.case(token), Case::Title | Case::Upper)
                || self.case(token) == Case::Mixed && self.note.word(token).starts_with(char::is_uppercase))
    }

    /// A single capital letter: an initial.
    pub fn is_initial(&self, token: u32) -> bool {
        self.class(token) == Class::Word && self.note.word(token).chars().count() == 1 && self.case(token) == Case::Upper
    }

    /// A profession of those who care for patients.
    pub fn is_staff(&self, token: u32) -> bool {
        self.cue(token) == Staff || ["nurse", "physician", "surgeon", "therapist", "cardiologist"].iter().any(|w| self.note.is(token, w))
    }

    /// A number of ASCII digits alone, and how many they are.
    pub fn digits(&self, token: u32) -> Option<usize> {
        let text = self.note.word(token);
        (self.class(token) == Class::Number && text.bytes().all(|b| b.is_ascii_digit())).then_some(text.len())
    }

    /// A small number in digits or in a word.
    pub fn number(&self, token: u32) -> Option<u32> {
        match self.cue(token) {
            Number(n) => Some(n.into()),
            _ => self.digits(token).filter(|&digits| digits <= 3).and_then(|_| self.note.word(token).parse().ok()),
        }
    }
}

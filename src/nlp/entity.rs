//! What is found in a text: entities, what is said about them, and what belongs to them.

use std::ops::Range;

use super::note::Note;

/// What kind of thing an entity is, with the names of Amazon Comprehend Medical's categories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Category {
    MedicalCondition = 0,
    Medication = 1,
    TestTreatmentProcedure = 2,
    Anatomy = 3,
    TimeExpression = 4,
    ProtectedHealthInformation = 5,
    BehavioralEnvironmentalSocial = 6,
}

/// A more exact kind; the names are those of Amazon Comprehend Medical where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    // medical conditions: AWS has DX_NAME alone and tells the rest by traits
    Diagnosis = 0,
    Sign = 1,
    Symptom = 2,
    // medications
    GenericName = 3,
    BrandName = 4,
    /// a chemical or a class that is no product: ethanol, lead, NSAID
    Substance = 5,
    // tests, treatments, procedures
    TestName = 6,
    TreatmentName = 7,
    ProcedureName = 8,
    // anatomy
    SystemOrganSite = 9,
    // time
    Date = 10,
    Time = 11,
    Duration = 12,
    Frequency = 13,
    // protected health information
    Address = 14,
    Age = 15,
    /// a date that tells about a person (AWS reports a date in both categories)
    PhiDate = 16,
    Email = 17,
    Id = 18,
    Name = 19,
    PhoneOrFax = 20,
    Profession = 21,
    Url = 22,
    // behaviour, environment, social
    AlcoholConsumption = 23,
    TobaccoUse = 24,
    RecreationalDrugUse = 25,
    /// what a patient does not tolerate: no medication that is taken, so not of that category
    Allergies = 26,
    Gender = 27,
    RaceEthnicity = 28,
    Employment = 29,
    LivingStatus = 30,
}

/// How sure the text is of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    #[default]
    Positive,
    /// likely, consistent with
    Probable,
    /// may be, question of, rule out
    Possible,
    /// unlikely, doubtful
    Unlikely,
    Negative,
}

/// When it is so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Temporality {
    #[default]
    Current,
    Past,
    /// planned, scheduled
    Future,
}

/// Whom it concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    #[default]
    Patient,
    Family,
    Other,
}

/// Whether it is only so under a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conditionality {
    #[default]
    Unconditional,
    /// return if fever develops; risk of bleeding
    Hypothetical,
    /// dyspnoea on exertion; nitroglycerin if chest pain
    Conditional,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assertion {
    pub certainty: Certainty,
    pub temporality: Temporality,
    pub subject: Subject,
    pub conditionality: Conditionality,
}

/// How an entity was found; its score is calibrated for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Origin {
    /// a term of the lexicon, word for word
    Term = 0,
    /// the same but for plural, spelling or accents
    Variant = 1,
    /// an abbreviation of the lexicon's list
    Abbreviation = 2,
    /// an abbreviation that this document defines
    Defined = 3,
    /// one of several that share a word: "hepatitis B and C"
    Coordination = 4,
    /// a misspelled drug
    Misspelling = 5,
    /// built from a modifier or a body part and a general word: "left ankle pain"
    Composed = 6,
    /// a pattern: dates, doses, addresses, "5.2 mmol/L"
    Pattern = 7,
    /// a trained model
    Model = 8,
}

/// What an attribute tells of its entity. The names are those of Amazon Comprehend Medical's attributes where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AttributeKind {
    // of a medication
    /// how much at once: "2 tablets", "10 units"
    Dosage,
    /// how much in one unit: "25 mg"
    Strength,
    Form,
    Route,
    Frequency,
    Duration,
    Rate,
    /// "for pain", of a medication or a procedure
    Reason,
    // of a condition
    Acuity,
    Severity,
    /// left, right, bilateral
    Laterality,
    /// where in the body
    BodySite,
    Quality,
    // of a test
    TestValue,
    TestUnit,
    /// (H), high, low, abnormal
    Interpretation,
    ReferenceRange,
    // of a habit
    Amount,
    /// when: of anything
    Time,
}

/// A part of the text that tells more of an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub kind: AttributeKind,
    /// bytes of the text
    pub begin: usize,
    pub end: usize,
    /// The value in a normal form, where there is one: "2x a day" is `BID`, "25mg" is `25 mg`, a date is `2026-03-01`.
    pub value: Option<String>,
    /// how sure it is that this is such an attribute
    pub score: f32,
    /// how sure it is that it belongs to this entity
    pub relation_score: f32,
}

/// One of the meanings of an entity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConceptRef {
    /// number of the concept in the lexicon
    pub concept: u32,
    pub score: f32,
}

/// Something found in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    pub category: Category,
    pub kind: Kind,
    /// bytes of the text; both ends are on boundaries of characters
    pub begin: usize,
    pub end: usize,
    /// the tokens of the note that it covers
    pub tokens: Range<u32>,
    /// number of its sentence in the note
    pub sentence: u32,
    /// name of its section, such as `past-medical-history`; empty if there is none
    pub section: &'static str,
    pub origin: Origin,
    /// probability that it is one, calibrated
    pub score: f32,
    pub assertion: Assertion,
    /// The value in a normal form, where there is one: a date, a duration.
    pub value: Option<String>,
    pub attributes: Vec<Attribute>,
    /// best first
    pub concepts: Vec<ConceptRef>,
}

impl Entity {
    /// An entity over some tokens (at least one) of a note, with nothing said about it yet.
    pub fn new(note: &Note<'_>, category: Category, kind: Kind, tokens: Range<u32>, origin: Origin) -> Entity {
        let begin = note.tokens.get(tokens.start as usize).map_or(0, |t| t.begin as usize);
        let end = tokens.end.checked_sub(1).and_then(|last| note.tokens.get(last as usize)).map_or(begin, |t| t.end as usize);
        let sentence = note.sentence_of(tokens.start);
        Entity {
            category,
            kind,
            begin,
            end,
            tokens,
            sentence,
            section: note.section(sentence).name,
            origin,
            score: 1.0,
            assertion: Assertion::default(),
            value: None,
            attributes: Vec::new(),
            concepts: Vec::new(),
        }
    }
}

/// Gives an enum the names that it has in SQL and in JSON.
macro_rules! names {
    ($type:ident: $($variant:ident $name:literal),+ $(,)?) => {
        impl $type {
            pub const ALL: &'static [($type, &'static str)] = &[$(($type::$variant, $name)),+];

            pub fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)+
                }
            }

            pub fn from_name(name: &str) -> Option<$type> {
                Self::ALL.iter().find(|(_, n)| *n == name).map(|(value, _)| *value)
            }
        }
    };
}

names!(Category:
    MedicalCondition "MEDICAL_CONDITION",
    Medication "MEDICATION",
    TestTreatmentProcedure "TEST_TREATMENT_PROCEDURE",
    Anatomy "ANATOMY",
    TimeExpression "TIME_EXPRESSION",
    ProtectedHealthInformation "PROTECTED_HEALTH_INFORMATION",
    BehavioralEnvironmentalSocial "BEHAVIORAL_ENVIRONMENTAL_SOCIAL",
);

names!(Kind:
    Diagnosis "DX_NAME",
    Sign "SIGN",
    Symptom "SYMPTOM",
    GenericName "GENERIC_NAME",
    BrandName "BRAND_NAME",
    Substance "SUBSTANCE",
    TestName "TEST_NAME",
    TreatmentName "TREATMENT_NAME",
    ProcedureName "PROCEDURE_NAME",
    SystemOrganSite "SYSTEM_ORGAN_SITE",
    Date "DATE",
    Time "TIME",
    Duration "DURATION",
    Frequency "FREQUENCY",
    Address "ADDRESS",
    Age "AGE",
    PhiDate "PHI_DATE",
    Email "EMAIL",
    Id "ID",
    Name "NAME",
    PhoneOrFax "PHONE_OR_FAX",
    Profession "PROFESSION",
    Url "URL",
    AlcoholConsumption "ALCOHOL_CONSUMPTION",
    TobaccoUse "TOBACCO_USE",
    RecreationalDrugUse "REC_DRUG_USE",
    Allergies "ALLERGIES",
    Gender "GENDER",
    RaceEthnicity "RACE_ETHNICITY",
    Employment "EMPLOYMENT",
    LivingStatus "LIVING_STATUS",
);

names!(Certainty:
    Positive "positive",
    Probable "probable",
    Possible "possible",
    Unlikely "unlikely",
    Negative "negative",
);

names!(Temporality: Current "current", Past "past", Future "future");

names!(Subject: Patient "patient", Family "family", Other "other");

names!(Conditionality: Unconditional "unconditional", Hypothetical "hypothetical", Conditional "conditional");

names!(Origin:
    Term "term",
    Variant "variant",
    Abbreviation "abbreviation",
    Defined "defined-abbreviation",
    Coordination "coordination",
    Misspelling "misspelling",
    Composed "composed",
    Pattern "pattern",
    Model "model",
);

names!(AttributeKind:
    Dosage "DOSAGE",
    Strength "STRENGTH",
    Form "FORM",
    Route "ROUTE_OR_MODE",
    Frequency "FREQUENCY",
    Duration "DURATION",
    Rate "RATE",
    Reason "REASON",
    Acuity "ACUITY",
    Severity "SEVERITY",
    Laterality "DIRECTION",
    BodySite "SYSTEM_ORGAN_SITE",
    Quality "QUALITY",
    TestValue "TEST_VALUE",
    TestUnit "TEST_UNIT",
    Interpretation "INTERPRETATION",
    ReferenceRange "REFERENCE_RANGE",
    Amount "AMOUNT",
    Time "TIME_EXPRESSION",
);

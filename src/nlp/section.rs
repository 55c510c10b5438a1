//! Headings of sections and what a section says of all that stands in it.

/// What a section says of its contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    Other,
    ChiefComplaint,
    PresentIllness,
    PastHistory,
    SurgicalHistory,
    FamilyHistory,
    SocialHistory,
    Allergies,
    Medications,
    ReviewOfSystems,
    Examination,
    Vitals,
    Results,
    Assessment,
    Plan,
    Procedure,
    Instructions,
    Administrative,
}

/// A section that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    /// its name as findings tell it: `past-medical-history`
    pub name: &'static str,
    pub role: Role,
}

/// The headings of a lexicon.
#[derive(Debug, Default)]
pub struct Headings {
    pub known: Vec<Heading>,
}

impl Headings {
    /// Reads the list `sections`.
    pub fn new(_list: &'static str) -> Headings {
        Headings { known: vec![Heading { name: "", role: Role::Other }] }
    }

    pub fn get(&self, section: u16) -> Option<Heading> {
        self.known.get(section as usize).copied()
    }
}

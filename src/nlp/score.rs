//! Scores that are probabilities: how often entities found in such a way were right on annotated text.

use std::sync::LazyLock;

use super::entity::{Category, Entity, Origin};
use super::note::Note;

/// What was measured; `nlp-scores calibrate` makes it.
const MEASURED: &str = include_str!("../../fhir-schemas/lexicon/scores.tsv");

const CATEGORIES: usize = Category::ALL.len();
const ORIGINS: usize = Origin::ALL.len();

/// The score where nothing was measured.
const UNMEASURED: f32 = 0.5;

/// How long the words of an entity are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Size {
    /// up to three bytes
    Short = 0,
    One = 1,
    /// several tokens
    Several = 2,
}

impl Size {
    pub const ALL: [(Size, &'static str); 3] = [(Size::Short, "short"), (Size::One, "one"), (Size::Several, "several")];

    /// The size of an entity.
    pub fn of(entity: &Entity) -> Size {
        if entity.end.saturating_sub(entity.begin) <= 3 {
            Size::Short
        } else if entity.tokens.len() < 2 {
            Size::One
        } else {
            Size::Several
        }
    }
}

/// Scores by the sort of text, category, origin and size, with all gaps filled.
struct Table([[[[f32; 3]; ORIGINS]; CATEGORIES]; 2]);

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(MEASURED));

/// The columns of a line of the table that name what it is of, and its score.
fn columns(line: &str) -> Option<(bool, Category, &str, &str, f32)> {
    let mut columns = line.split('\t');
    let research = columns.next()? == "research";
    let category = Category::from_name(columns.next()?)?;
    let (origin, size) = (columns.next()?, columns.next()?);
    let score: f32 = columns.next()?.parse().ok()?;
    (score > 0.0 && score < 1.0).then_some((research, category, origin, size, score))
}

impl Table {
    /// Lines for a whole category (`*`) come first; what is not measured in texts about research is taken from notes.
    fn read(text: &str) -> Table {
        let mut table = Table([[[[UNMEASURED; 3]; ORIGINS]; CATEGORIES]; 2]);
        let lines = || text.lines().filter(|l| !l.starts_with('#')).filter_map(columns);
        for from_notes in [true, false] {
            for whole in [true, false] {
                for (research, category, origin, size, score) in lines().filter(|l| l.0 != from_notes && (l.2 == "*") == whole) {
                    let sorts = if research { 1..2 } else { 0..2 };
                    for sort in table.0.get_mut(sorts).into_iter().flatten() {
                        let origins = Origin::ALL.iter().filter(|(_, name)| origin == "*" || origin == *name);
                        for (at, _) in origins {
                            for (length, _) in Size::ALL.iter().filter(|(_, name)| size == "*" || size == *name) {
                                if let Some(place) = sort.get_mut(category as usize).and_then(|c| c.get_mut(*at as usize)?.get_mut(*length as usize)) {
                                    *place = score;
                                }
                            }
                        }
                    }
                }
            }
        }
        table
    }

    fn get(&self, research: bool, category: Category, origin: Origin, size: Size) -> f32 {
        let of = || self.0.get(usize::from(research))?.get(category as usize)?.get(origin as usize)?.get(size as usize).copied();
        of().unwrap_or(UNMEASURED)
    }
}

/// Sets the score of each entity.
pub fn calibrate(note: &Note<'_>, entities: &mut [Entity]) {
    if entities.is_empty() {
        return;
    }
    let research = note.research;
    for entity in entities {
        entity.score = TABLE.get(research, entity.category, entity.origin, Size::of(entity));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_probability() {
        for (category, _) in Category::ALL {
            for (origin, _) in Origin::ALL {
                for (size, _) in Size::ALL {
                    for research in [false, true] {
                        let score = TABLE.get(research, *category, *origin, size);
                        assert!(score > 0.0 && score < 1.0, "{category:?} {origin:?} {size:?}: {score}");
                    }
                }
            }
        }
    }

    #[test]
    fn all_lines_are_read() {
        for line in MEASURED.lines().filter(|l| !l.starts_with('#')) {
            let (research, category, origin, size, score) = columns(line).expect(line);
            let (Some(origin), Some((size, _))) = (Origin::from_name(origin), Size::ALL.iter().find(|(_, n)| *n == size)) else { continue };
            assert_eq!(TABLE.get(research, category, origin, *size), score, "{line}");
        }
    }

    #[test]
    fn gaps_are_filled() {
        let table = Table::read("# x\nnote\tMEDICATION\tterm\tone\t0.9\nnote\tMEDICATION\t*\t*\t0.7\nresearch\tMEDICATION\tterm\tshort\t0.4\nbroken\nnote\tMEDICATION\tterm\tshort\t7\n");
        let of = |research, origin, size| table.get(research, Category::Medication, origin, size);
        assert_eq!(of(false, Origin::Term, Size::One), 0.9);
        assert_eq!(of(false, Origin::Pattern, Size::One), 0.7);
        assert_eq!(of(false, Origin::Term, Size::Short), 0.7);
        assert_eq!(of(true, Origin::Term, Size::One), 0.9);
        assert_eq!(of(true, Origin::Term, Size::Short), 0.4);
        assert_eq!(table.get(false, Category::Anatomy, Origin::Term, Size::One), UNMEASURED);
    }
}

//! Terms of the lexicon in a text: conditions, drugs, tests, procedures and anatomy.

use super::entity::{ConceptRef, Entity, Origin};
use super::note::Note;

/// What goes over from one part of a long text to the next: abbreviations that the text defined.
#[derive(Clone, Debug, Default)]
pub struct Carry {}

/// Finds them.
pub fn find(note: &Note<'_>, _carry: &mut Carry, out: &mut Vec<Entity>) {
    let image = &note.lexicon.image;
    let mut at = 0;
    while (at as usize) < note.tokens.len() {
        let Some(found) = image.longest_at(note.tokens, at) else {
            at += 1;
            continue;
        };
        let concepts: Vec<ConceptRef> = image.outputs(found.node).map(|o| ConceptRef { concept: o.concept, score: 1.0 }).collect();
        if let Some(first) = concepts.first() {
            let (category, kind) = image.category(first.concept);
            let mut entity = Entity::new(note, category, kind, found.begin..found.end, Origin::Term);
            entity.concepts = concepts;
            out.push(entity);
        }
        at = found.end;
    }
}

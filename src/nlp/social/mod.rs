//! Habits and circumstances: tobacco, alcohol, drugs, allergies, employment.

use super::entity::Entity;
use super::note::Note;

/// Adds what it finds to `entities`.
pub fn find(_note: &Note<'_>, _entities: &mut Vec<Entity>) {}

//! Before the crate: the facts of `fhir-schemas/` become static tables.

#[path = "build/model.rs"]
mod model;

fn main() -> Result<(), String> {
    model::generate()
}

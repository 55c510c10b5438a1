//! Before the crate: the facts of `fhir-schemas/` become static tables, and the C part is compiled.

#[path = "build/model.rs"]
mod model;
#[cfg(feature = "pg")]
#[path = "build/server.rs"]
mod server;

fn main() -> Result<(), String> {
    #[cfg(feature = "pg")]
    server::compile()?;
    model::generate()
}

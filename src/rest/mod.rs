//! The RESTful API as one function: a method, an address, headers and a body in; a status, headers and a body out.
//! <https://hl7.org/fhir/R4/http.html>
//!
//! `request.rs` reads what is asked, `answer.rs` says what errors become, `links.rs` puts the client's base into Bundles,
//! `capability.rs` tells what there is: all pure. `dispatch.rs` does it on a lake, `operations.rs` calls functions by their FHIR names,
//! `bundle/` processes batches and transactions, `sql.rs` binds `fhir.rest` and `fhir.bundle`.

pub mod answer;
pub mod bundle;
pub mod capability;
pub mod links;
pub mod operations;
pub mod request;

#[cfg(feature = "pg")]
mod dispatch;
#[cfg(feature = "pg")]
mod sql;

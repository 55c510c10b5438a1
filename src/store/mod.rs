//! The store: what a resource gets when it is written, and what is kept when it is written again.
//!
//! Takes the jsonb of a resource and gives the row of a lake table: id, version, `meta`, validation, and what `index` computes.
//! [`stamp`] is the one step that every write passes through, [`stamped`] the whole row that comes of it; pure. [`patch`] makes a resource from one and a patch, and a patch
//! from two; pure. `sql.rs` holds the triggers that run it, write history and keep membership. [`interactions`] are create,
//! read, update, delete and history as HTTP has them. [`integrity`] asks where references lead, `demand.rs` what a lake
//! demands of what is written, `entities.rs` keeps what is found in notes.

pub mod accepted;
pub mod integrity;
pub mod interactions;
pub mod links;
pub mod membership;
pub mod patch;
pub mod stamp;
pub mod stamped;
pub mod time;

#[cfg(feature = "pg")]
mod demand;
#[cfg(feature = "pg")]
mod entities;
#[cfg(feature = "pg")]
mod sql;
#[cfg(feature = "pg")]
pub use demand::Demands;
#[cfg(feature = "pg")]
pub use sql::table_of;

pub use stamp::{Refusal, Submitted, Version};
pub use stamped::Stamped;

//! Validation against what others say is valid: see ../README.md.
//!
//!     cargo test --release --no-default-features --test validation -- schema|mutations|validator|examples
//!
//! The last line counts; the exit code is 1 where a difference is not listed.

mod data;
mod definitions;
mod examples;
mod kinds;
mod listed;
mod mutations;
mod places;
mod schema;
mod validator;

fn main() {
    let counts = match std::env::args().skip(1).find(|a| !a.starts_with('-')).as_deref() {
        Some("schema") => schema::run(),
        Some("mutations") => mutations::run(),
        Some("validator") => validator::run(),
        Some("examples") => examples::run(),
        _ => {
            eprintln!("usage: validation schema|mutations|validator|examples");
            std::process::exit(2);
        }
    };
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    std::process::exit(i32::from(counts.failed > 0));
}

/// What a run ends with.
#[derive(Default)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Counts {
    pub fn skipped(reason: &str) -> Counts {
        println!("skipped: {reason}");
        Counts { skipped: 1, ..Counts::default() }
    }
}

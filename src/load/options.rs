//! What a load is asked to do, as `fhir.load` takes it.

use std::fmt;

/// Which of a load's ways a caller chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub on_error: OnError,
    /// So many rejected lines are borne; one more ends the load.
    pub max_errors: Option<u64>,
    /// Read, check, compare and report, but store no resource.
    pub dry_run: bool,
    pub conflict: Conflict,
    /// Take `meta.versionId` and `meta.lastUpdated` as they are.
    pub keep_versions: bool,
    pub format: Format,
    /// Look conditional references up at the end.
    pub resolve: bool,
    /// Count references that lead nowhere.
    pub count_dangling: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            on_error: OnError::Reject,
            max_errors: None,
            dry_run: false,
            conflict: Conflict::Upsert,
            keep_versions: false,
            format: Format::Auto,
            resolve: true,
            count_dangling: true,
        }
    }
}

/// What a bad line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// Ends the load; nothing is stored.
    Stop,
    /// Becomes a row of `load_error`.
    Reject,
}

/// What a resource does whose id is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Becomes the next version, if it differs.
    Upsert,
    /// Is left out.
    Skip,
    /// Becomes the next version, also where it is the same.
    Version,
    /// Is an error of its line.
    Error,
}

/// What the files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// By the name of each file.
    Auto,
    /// A resource in each line, a Bundle too.
    Ndjson,
    /// JSON however it is laid out; what a Bundle holds is loaded, not the Bundle.
    Json,
}

/// An option has a value that it cannot have.
#[derive(Debug, PartialEq, Eq)]
pub struct OptionError {
    option: &'static str,
    value: String,
    values: &'static str,
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of a load cannot be \"{}\"", self.option, self.value)
    }
}

impl OptionError {
    pub fn hint(&self) -> String {
        format!("it is {}", self.values)
    }
}

fn choice<T: Copy>(option: &'static str, value: &str, values: &'static str, all: &[(&str, T)]) -> Result<T, OptionError> {
    let found = all.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice);
    found.ok_or_else(|| OptionError { option, value: value.chars().take(64).collect(), values })
}

impl OnError {
    pub fn named(value: &str) -> Result<OnError, OptionError> {
        choice("on_error", value, "reject or stop", &[("reject", OnError::Reject), ("stop", OnError::Stop)])
    }
}

impl Conflict {
    pub fn named(value: &str) -> Result<Conflict, OptionError> {
        let all = [("upsert", Conflict::Upsert), ("skip", Conflict::Skip), ("version", Conflict::Version), ("error", Conflict::Error)];
        choice("conflict", value, "upsert, skip, version or error", &all)
    }
}

impl Format {
    pub fn named(value: &str) -> Result<Format, OptionError> {
        choice("format", value, "auto, ndjson or json", &[("auto", Format::Auto), ("ndjson", Format::Ndjson), ("json", Format::Json)])
    }
}

/// The bound on rejected lines, as SQL has it.
pub fn max_errors(value: i64) -> Result<u64, OptionError> {
    u64::try_from(value).map_err(|_| OptionError { option: "max_errors", value: value.to_string(), values: "0 or more, or NULL for no bound" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_the_values_that_their_hints_name() {
        assert_eq!(OnError::named("stop"), Ok(OnError::Stop));
        assert_eq!(Conflict::named("skip"), Ok(Conflict::Skip));
        assert_eq!(Format::named("json"), Ok(Format::Json));
        let error = Conflict::named("Replace").unwrap_err();
        assert_eq!((error.to_string().as_str(), error.hint().as_str()), ("conflict of a load cannot be \"Replace\"", "it is upsert, skip, version or error"));
        assert_eq!((max_errors(0), max_errors(-1).is_err()), (Ok(0), true));
        assert_eq!(OnError::named(&"x".repeat(1000)).unwrap_err().to_string().len(), 64 + "on_error of a load cannot be \"\"".len());
    }
}

//! Names in SQL: words with underscores, such as can be written without quotes, none of them twice.

use std::collections::BTreeSet;

/// Most bytes of a name in SQL.
pub const MAX_BYTES: usize = 63;

/// Words that stand in SQL only between quotes where a column is meant:
/// <https://www.postgresql.org/docs/current/sql-keywords-appendix.html>, reserved ones, with those that may be functions or types.
const RESERVED: &[&str] = &[
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "binary", "both", "case", "cast",
    "check", "collate", "collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog", "current_date",
    "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "default", "deferrable", "desc", "distinct",
    "do", "else", "end", "except", "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike",
    "in", "initially", "inner", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left", "like", "limit", "localtime",
    "localtimestamp", "natural", "not", "notnull", "null", "offset", "on", "only", "or", "order", "outer", "overlaps", "placing",
    "primary", "references", "returning", "right", "select", "session_user", "similar", "some", "symmetric", "system_user", "table",
    "tablesample", "then", "to", "trailing", "true", "union", "unique", "user", "using", "variadic", "verbose", "when", "where",
    "window", "with",
];

/// `MedicationRequest` and `postalCode` as `medication_request` and `postal_code`.
pub fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (i, letter) in letters.iter().enumerate() {
        if letter.is_ascii_uppercase() && i > 0 {
            let after_word = !letters[i - 1].is_ascii_uppercase();
            let before_word = letters.get(i + 1).is_some_and(char::is_ascii_lowercase);
            if (after_word || before_word) && !out.ends_with('_') {
                out.push('_');
            }
        }
        out.push(if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' });
    }
    out
}

/// The words of a name, those that are empty left out.
pub fn joined(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().filter(|word| !word.is_empty()).map(|word| snake(word)).collect();
    words.join("_")
}

pub fn is_reserved(name: &str) -> bool {
    RESERVED.binary_search(&name).is_ok()
}

/// A name of at most [`MAX_BYTES`]: of one that is longer, the words behind the first are cut short, evenly.
pub fn fitting(name: String) -> String {
    let mut longest = name.split('_').map(str::len).max().unwrap_or_default();
    let mut name = name;
    while name.len() > MAX_BYTES && longest > 1 {
        longest -= 1;
        let cut = |(i, word): (usize, &str)| if i == 0 { word.to_owned() } else { word.chars().take(longest).collect() };
        name = name.split('_').enumerate().map(cut).collect::<Vec<String>>().join("_");
    }
    name.chars().take(MAX_BYTES).collect()
}

/// The names of the columns of one view.
#[derive(Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// The name for a column: `owner` goes in front of what is reserved or taken, then a number goes behind it.
    pub fn take(&mut self, owner: &str, name: &str) -> String {
        let plain = fitting(name.to_owned());
        let owned = fitting(format!("{owner}_{name}"));
        let short: String = owned.chars().take(MAX_BYTES - 4).collect();
        let numbered = (2..).map(|n| format!("{short}_{n}"));
        let free = [plain, owned].into_iter().chain(numbered).find(|name| !is_reserved(name) && !self.0.contains(name));
        let name = free.unwrap_or_default();
        self.0.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_names() {
        for (name, expected) in [
            ("MedicationRequest", "medication_request"),
            ("id", "id"),
            ("postalCode", "postal_code"),
            ("deviceUDI", "device_udi"),
            ("HTTPHeader", "http_header"),
            ("value_quantity", "value_quantity"),
            ("sha1Hash", "sha1_hash"),
        ] {
            assert_eq!(snake(name), expected);
        }
        assert_eq!(joined(&["valueRange", "", "low"]), "value_range_low");
    }

    #[test]
    fn the_list_is_sorted_so_that_words_are_found() {
        assert!(RESERVED.is_sorted());
        assert!(is_reserved("end") && is_reserved("all") && is_reserved("with") && !is_reserved("start"));
    }

    #[test]
    fn no_name_is_taken_twice_or_reserved() {
        let mut names = Names::default();
        let taken: Vec<String> = ["code", "code", "code", "end"].into_iter().map(|name| names.take("item", name)).collect();
        assert_eq!(taken, ["code", "item_code", "item_code_2", "item_end"]);
    }

    #[test]
    fn a_long_name_is_cut_within_its_words() {
        let name = fitting("medication_administration_hospitalization_destination_identifier_organization".into());
        assert!(name.len() <= MAX_BYTES && name.starts_with("medication_admin"), "{name}");
        assert_eq!(fitting("short".into()), "short");
        assert_eq!(fitting("x".repeat(100)).len(), MAX_BYTES);
    }
}

//! Files of known differences: lines of columns, a tab between, the last of which says why; `#` begins a remark.

use std::collections::BTreeMap;

/// By all columns but the last; how often each was met.
pub struct Listed {
    file: &'static str,
    known: BTreeMap<String, (String, usize)>,
}

impl Listed {
    pub fn read(file: &'static str) -> Listed {
        let path = format!("{}/tests/conformance/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let known = lines.filter_map(|line| line.rsplit_once('\t')).map(|(key, reason)| (key.to_owned(), (reason.to_owned(), 0))).collect();
        Listed { file, known }
    }

    /// Whether the difference is known.
    pub fn has(&mut self, key: &str) -> bool {
        self.known.get_mut(key).is_some_and(|(_, met)| {
            *met += 1;
            true
        })
    }

    /// Prints what was met; returns how many lines were not.
    pub fn tell(&self) -> usize {
        for (key, (reason, met)) in &self.known {
            println!("  {met} × {}: {reason}", key.replace('\t', " "));
        }
        let stale: Vec<_> = self.known.iter().filter(|(_, (_, met))| *met == 0).map(|(key, _)| key).collect();
        for key in &stale {
            println!("FAILED: {} lists what does not happen: {key:?}", self.file);
        }
        stale.len()
    }
}

//! What an export says about itself: the body of a
//! [complete status response](https://hl7.org/fhir/uv/bulkdata/STU2/export.html#response---complete-status).

use crate::json::write_string;

/// A file of the manifest.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    pub ty: String,
    /// Its name beside the manifest.
    pub name: String,
    pub count: u64,
}

/// The manifest.
#[derive(Debug)]
pub struct Manifest {
    /// What changed at that instant or later may not be in the files: where the next export begins.
    pub transaction_time: String,
    pub request: String,
    pub output: Vec<Listed>,
    pub deleted: Vec<Listed>,
    /// What the export saw, as `pg_snapshot` has it.
    pub snapshot: String,
}

impl Manifest {
    /// Its text, for people to read as well.
    pub fn text(&self) -> String {
        let text = |value: &str| {
            let mut out = String::new();
            // Writing to a string does not fail.
            let _ = write_string(value, &mut out);
            out
        };
        let list = |files: &[Listed]| {
            if files.is_empty() {
                return "[]".to_owned();
            }
            let lines: Vec<String> = files
                .iter()
                .map(|file| format!("    {{\"type\": {}, \"url\": {}, \"count\": {}}}", text(&file.ty), text(&file.name), file.count))
                .collect();
            format!("[\n{}\n  ]", lines.join(",\n"))
        };
        format!(
            "{{\n  \"transactionTime\": {},\n  \"request\": {},\n  \"requiresAccessToken\": false,\n  \"output\": {},\n  \"deleted\": {},\n  \
             \"error\": [],\n  \"extension\": {{\"snapshot\": {}}}\n}}\n",
            text(&self.transaction_time),
            text(&self.request),
            list(&self.output),
            list(&self.deleted),
            text(&self.snapshot)
        )
    }
}

/// Deletions in one Bundle.
pub const ENTRIES: usize = 500;

/// A [Bundle of deletions](https://hl7.org/fhir/uv/bulkdata/STU2/export.html#response---complete-status) as a line: a transaction
/// that deletes these.
pub fn deletions(ty: &str, ids: &[&str]) -> String {
    let mut out = String::from(r#"{"resourceType":"Bundle","type":"transaction","entry":["#);
    for (at, id) in ids.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { "," });
        out.push_str(r#"{"request":{"method":"DELETE","url":"#);
        // Writing to a string does not fail.
        let _ = write_string(&format!("{ty}/{id}"), &mut out);
        out.push_str("}}");
    }
    out.push_str("]}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_manifest_has_what_the_specification_demands() {
        let output = vec![Listed { ty: "Patient".into(), name: "Patient.ndjson".into(), count: 2 }];
        let deleted = vec![Listed { ty: "Bundle".into(), name: "deleted.ndjson".into(), count: 1 }];
        let manifest = Manifest { transaction_time: "2020-01-01T00:00:00Z".into(), request: "$export?a=\"".into(), output, deleted, snapshot: "1:1:".into() };
        let read: Value = serde_json::from_str(&manifest.text()).unwrap();
        assert_eq!(read["transactionTime"], "2020-01-01T00:00:00Z");
        assert_eq!(read["request"], "$export?a=\"");
        assert_eq!(read["requiresAccessToken"], false);
        assert_eq!(read["output"][0]["url"], "Patient.ndjson");
        assert_eq!(read["output"][0]["count"], 2);
        assert_eq!(read["deleted"][0]["type"], "Bundle");
        assert_eq!(read["error"], Value::Array(Vec::new()));
        assert_eq!(read["extension"]["snapshot"], "1:1:");
    }

    #[test]
    fn deletions_are_a_transaction() {
        let read: Value = serde_json::from_str(&deletions("Patient", &["a", "b"])).unwrap();
        assert_eq!((read["type"].as_str(), read["entry"].as_array().map(Vec::len)), (Some("transaction"), Some(2)));
        assert_eq!(read["entry"][1]["request"]["method"], "DELETE");
        assert_eq!(read["entry"][1]["request"]["url"], "Patient/b");
    }
}

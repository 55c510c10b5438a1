//! Have the examples of the specification errors at the level of the bindings, by the terminology of R4 itself? They may have only those
//! that are listed.

use crate::definitions::{Definitions, Standards};
use crate::kinds::Level;
use crate::listed::Listed;
use crate::{Counts, data};
use fhirlake::json::{self, Limits, Node};

const LIST: &str = "example-exceptions.tsv";
const CORE: &str = "r4/hl7.fhir.r4.core.tgz";

pub fn run() -> Counts {
    let (Some(examples), Some(core)) = (data::examples(), Definitions::of(&[CORE])) else {
        return Counts::skipped("no examples or no package of R4 in FHIRLAKE_DATA");
    };
    let standards = Standards::new(core);
    let mut listed = Listed::read(LIST);
    let mut counts = Counts::default();
    let mut broken = 0;
    for line in examples.lines() {
        let Some(bytes) = json::parse(line.as_bytes(), &Limits::default()).ok() else {
            println!("FAILED: an example is no JSON");
            counts.failed += 1;
            continue;
        };
        let Some(node) = json::root(&bytes) else { continue };
        let text = |name: &str| node.get(name).and_then(Node::as_str).unwrap_or_default();
        // each rule once for a resource
        let mut rules: Vec<(String, String)> = standards.errors(node, Level::Bindings, &[]).into_iter().map(|issue| (issue.rule.to_string(), issue.to_string())).collect();
        rules.dedup_by(|a, b| a.0 == b.0);
        broken += usize::from(!rules.is_empty());
        let unlisted: Vec<_> = rules.iter().filter(|(rule, _)| !listed.has(&format!("{}/{}\t{rule}", text("resourceType"), text("id")))).collect();
        if unlisted.is_empty() {
            counts.passed += 1;
        } else {
            counts.failed += 1;
        }
        for (rule, issue) in unlisted {
            println!("FAILED: {LIST} does not list {}/{}\t{rule}\t{issue}", text("resourceType"), text("id"));
        }
    }
    println!("{} examples at the level of bindings: {broken} have errors, for these reasons:", examples.lines().count());
    counts.failed += listed.tell();
    counts
}

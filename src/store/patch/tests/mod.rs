//! What patches do by their specifications, and that hostile ones are refused.

mod difference;
mod fhirpath;
mod hostile;
mod rfc;

use super::*;
use crate::json::{Limits, parse};

fn container(text: &str) -> Vec<u8> {
    parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn text(container: &[u8]) -> String {
    json::root(container).unwrap().to_json()
}

/// The same document as the server prints it.
fn same(document: &str) -> String {
    text(&container(document))
}

fn patched(resource: &str, patch: &str) -> String {
    text(&json_patch(&container(resource), &container(patch)).unwrap_or_else(|error| panic!("{error}")))
}

fn refused(resource: &str, patch: &str) -> (&'static str, String) {
    match json_patch(&container(resource), &container(patch)) {
        Ok(after) => panic!("{patch} gave {}", text(&after)),
        Err(error) => (error.sqlstate, error.message),
    }
}

fn merged(resource: &str, patch: &str) -> String {
    text(&merge_patch(&container(resource), &container(patch)).unwrap_or_else(|error| panic!("{error}")))
}

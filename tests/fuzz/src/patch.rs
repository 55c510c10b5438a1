//! Patches: any bytes as a document and a patch of it. A patch is refused or applied; what was applied leaves type and id alone,
//! is undone and done again by the difference, and leaves nothing empty behind that was not brought.

use fhirlake::json::{Limits, Node, parse, root};
use fhirlake::store::patch::{PatchError, diff, fhirpath_patch, json_patch, merge_patch};

/// A JSON text, a newline, and a patch as JSON text. Whether any kind of patch could be applied.
pub fn patch(bytes: &[u8]) -> bool {
    let Some(newline) = bytes.iter().position(|byte| *byte == b'\n') else { return false };
    let limits = Limits::default();
    let (Ok(before), Ok(patch)) = (parse(&bytes[..newline], &limits), parse(&bytes[newline + 1..], &limits)) else { return false };
    patch_containers(&before, &patch)
}

/// The same of containers, which may be damaged.
pub fn patch_containers(before: &[u8], patch: &[u8]) -> bool {
    let by_path = fhirpath_patch(before, patch);
    if let (Ok(after), true) = (&by_path, is_dense(before) && is_dense(patch)) {
        assert!(is_dense(after), "something empty is left: {:?}", root(after));
    }
    let mut applied = false;
    for result in [json_patch(before, patch), merge_patch(before, patch), by_path] {
        applied |= checked(before, result);
    }
    applied
}

fn checked(before: &[u8], result: Result<Vec<u8>, PatchError>) -> bool {
    let after = match result {
        Ok(after) => after,
        Err(error) => {
            assert!(["22023", "22003", "22021", "FH422", "54000", "54001"].contains(&error.sqlstate), "{error:?}");
            assert!(error.message.len() < 3_000 && !error.message.ends_with('.'), "{error:?}");
            return false;
        }
    };
    let (Some(a), Some(b)) = (root(before), root(&after)) else { panic!("what comes out is a container") };
    if a.get("resourceType").is_some() {
        for name in ["resourceType", "id"] {
            assert_eq!(a.get(name).map(|node| node.to_json()), b.get(name).map(|node| node.to_json()));
        }
    }
    for (from, to) in [(before, after.as_slice()), (after.as_slice(), before)] {
        // damaged bytes need not read the same way twice
        let Ok(difference) = diff(from, to) else { continue };
        if let (Ok(reached), true) = (json_patch(from, &difference), is_canonical(from) && is_canonical(to)) {
            assert_eq!(root(&reached).map(|node| node.to_json()), root(to).map(|node| node.to_json()));
        }
    }
    true
}

/// Whether the bytes are what their text would be parsed into.
fn is_canonical(container: &[u8]) -> bool {
    let text = root(container).and_then(|node| node.to_json_within(1 << 20).ok());
    text.and_then(|text| parse(text.as_bytes(), &Limits::default()).ok()).is_some_and(|again| again == container)
}

/// Whether no object or array is empty.
fn is_dense(container: &[u8]) -> bool {
    let mut open: Vec<Node<'_>> = root(container).into_iter().collect();
    while let Some(node) = open.pop() {
        match node {
            Node::Array(array) if array.iter().next().is_none() => return false,
            Node::Object(object) if object.iter().next().is_none() => return false,
            Node::Array(array) => open.extend(array.iter()),
            Node::Object(object) => open.extend(object.iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    true
}

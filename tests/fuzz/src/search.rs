//! Whole requests: any text is refused or understood, what was understood means the same when it is read again, and the text
//! of any resource has its bounds.

use fhirlake::json::{Node, root};
use fhirlake::search::content::{MAX_BYTES, content, narrative};
use fhirlake::search::criteria::Standard;
use fhirlake::search::project::{Shape, project};
use fhirlake::search::request::{Handling, Request, Setting};

fn read(text: &str, handling: Handling) -> Option<Request> {
    Request::parse(text, Setting { now: 0, handling, catalog: &mut Standard }).ok()
}

/// Any bytes as a request, read strictly and leniently.
pub fn request(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if text.contains('\0') {
        return; // no text of the server holds one
    }
    let strict = read(text, Handling::Strict);
    let Some(lenient) = read(text, Handling::Lenient) else {
        assert!(strict.is_none(), "refused only where more is forgiven: {text:?}");
        return;
    };
    // what was forgiven is left out of the link, so that it reads as the same request either way
    let again = read(&lenient.understood, Handling::Strict);
    let same = again.as_ref().is_some_and(|again| {
        (&again.types, &again.filter, &again.sort, again.count) == (&lenient.types, &lenient.filter, &lenient.sort, lenient.count)
            && (again.total, again.only_total, &again.includes) == (lenient.total, lenient.only_total, &lenient.includes)
            && (&again.shape, again.contained, &again.understood) == (&lenient.shape, lenient.contained, &lenient.understood)
            && again.ignored.is_empty()
    });
    assert!(same, "{text:?} is understood as {lenient:?}\nand that as {again:?}");
    if let Some(strict) = strict {
        assert!(strict == lenient && strict.ignored.is_empty(), "{text:?}");
    }
    let _ = (lenient.order(), lenient.scored());
}

/// Any bytes as a stored resource: its text is bounded, and each of its parts is a container.
pub fn parts(bytes: &[u8]) {
    let Some(node) = root(bytes) else { return };
    for text in [content(node), narrative(node)] {
        assert!(text.len() <= MAX_BYTES && !text.contains('\0'));
        assert!(text.split_whitespace().all(|run| run.len() <= 600));
    }
    for shape in [Shape::Whole, Shape::Summary, Shape::Text, Shape::Data, Shape::Elements(vec!["name".into(), "Observation.value".into()])] {
        let Ok(part) = project(node, &shape) else { continue };
        let again = root(&part).expect("a part is a container");
        if shape != Shape::Whole && matches!(node, Node::Object(_)) && part.len() != bytes.len() {
            assert!(again.get("meta").is_some_and(|meta| meta.get("tag").is_some()), "not marked: {again:?}");
        }
    }
}

//! <https://hl7.org/fhir/R4/datatypes.html#Attachment>

use super::{Flow, GO_ON, Walk, string};
use crate::json::{Node, Object};
use crate::validate::place::At;

/// `size` is the number of bytes of `data` before they were written as base64.
pub fn size(walk: &mut Walk, attachment: Object<'_>, at: &At) -> Flow {
    let (Some(data), Some(Node::Number(size))) = (string(attachment, "data"), attachment.get("size")) else { return GO_ON };
    let digits = data.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=').count();
    // four digits stand for three bytes; at the end two for one, three for two
    let bytes = digits / 4 * 3 + (digits % 4).saturating_sub(1);
    match size.to_string().parse::<usize>() {
        Ok(size) if size != bytes => {
            let at = At { parent: Some(at), name: "size", index: None };
            walk.error("value", &at, format!("the data has {bytes} bytes, not {size}"))
        }
        _ => GO_ON,
    }
}

//! The entries that both runners hammer. Each takes any bytes at all and panics when a promise is broken.

mod index;
mod patch;
mod path;
mod search;

pub use index::{bodies, keys, query};
pub use patch::{patch, patch_containers};
pub use path::{path, path_container, path_text};
pub use search::{parts, request};

use fhirlake::json::{Item, Limits, Node, parse, root, write};

/// Any bytes as a text: refused, or made into a container that reads, prints and writes as itself.
pub fn json_text(text: &[u8]) {
    let Ok(bytes) = parse(text, &Limits::default()) else { return };
    let node = root(&bytes).expect("what parse gives is a container");
    let copy = write(&item(node)).expect("what was read can be written");
    assert!(copy == bytes, "writing what was read gives other bytes");
    // A few bytes of exponent print as many.
    if let Ok(printed) = node.to_json_within(1 << 20) {
        let again = parse(printed.as_bytes(), &Limits::default()).expect("what is printed can be parsed");
        assert!(again == bytes, "parsing what was printed gives other bytes");
    }
}

/// Any bytes as a container: not one, or one whose walk ends.
pub fn json_container(bytes: &[u8]) {
    let Some(node) = root(bytes) else { return };
    // Two entries of four bytes at least go with each value but scalars without data.
    let mut left = bytes.len();
    walk(node, &mut left);
    let _ = node.to_json_within(1 << 16);
    let _ = write(&Item::Node(node));
}

/// Each value once in order, and by place and key.
fn walk(node: Node<'_>, left: &mut usize) {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        *left = left.checked_sub(1).expect("a walk visits no more values than there are bytes");
        match node {
            Node::Null | Node::Bool(_) => {}
            Node::String(text) => assert!(text.len() < 0x1000_0000),
            Node::Number(number) => {
                let _ = number.as_i64();
                assert!(number.to_decimal_string().len() < 150_000);
            }
            Node::Array(array) => {
                assert!(array.iter().count() <= array.len());
                let _ = (array.get(0).is_some(), array.get(array.len() / 2).is_some(), array.get(array.len()).is_some());
                open.extend(array.iter());
            }
            Node::Object(object) => {
                for (key, value) in object.iter() {
                    let _ = object.get(key);
                    open.push(value);
                }
                let _ = object.get("missing");
            }
        }
    }
}

/// A node taken apart, without recursion deeper than the limit of the parser.
fn item(node: Node<'_>) -> Item<'_> {
    match node {
        Node::Null => Item::Null,
        Node::Bool(value) => Item::Bool(value),
        Node::Number(number) => Item::Number(number.bytes().into()),
        Node::String(text) => Item::String(text.into()),
        Node::Array(array) => Item::Array(array.iter().map(item).collect()),
        Node::Object(object) => Item::Object(object.iter().map(|(key, value)| (key.into(), item(value))).collect()),
    }
}

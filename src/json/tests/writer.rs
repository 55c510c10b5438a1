//! Trees become what their text becomes.

use super::super::number::encode;
use super::*;

fn number(text: &str) -> Item<'static> {
    Item::Number(encode(text).and_then(Result::ok).expect(text).into())
}

#[test]
fn trees_equal_parsed_texts() {
    let tree = Item::Object(vec![
        ("bb".into(), Item::Array(vec![number("1.10"), Item::Null, Item::Bool(true), Item::Bool(false)])),
        ("a".into(), Item::String("lost".into())),
        ("c".into(), Item::Object(vec![])),
        ("a".into(), Item::String("é".into())),
        ("".into(), Item::Array(vec![])),
    ]);
    let text = r#"{"bb":[1.10,null,true,false],"a":"é","c":{},"":[]}"#;
    assert_eq!(write(&tree), Ok(bytes_of(text)));
}

#[test]
fn scalars_are_wrapped() {
    assert_eq!(write(&Item::Null), Ok(bytes_of("null")));
    assert_eq!(write(&number("-0.5")), Ok(bytes_of("-0.5")));
    assert_eq!(write(&Item::String("x".into())), Ok(bytes_of("\"x\"")));
}

#[test]
fn pieces_of_other_documents_are_copied() {
    let source = bytes_of(r#"{"abc":{"x":[1,"2",{"y":3.0}]},"n":1.50,"s":"t","z":null,"t":true}"#);
    let node = root(&source).expect("object");
    assert_eq!(write(&Item::Node(node)).as_ref(), Ok(&source));
    let piece = |key: &str| Item::Node(node.get(key).expect("member"));
    let tree = Item::Object(vec![
        ("k".into(), piece("s")),
        ("kk".into(), piece("abc")),
        ("kkk".into(), Item::Array(vec![piece("s"), piece("abc"), piece("n"), piece("z"), piece("t")])),
    ]);
    let text = r#"{"k":"t","kk":{"x":[1,"2",{"y":3.0}]},"kkk":["t",{"x":[1,"2",{"y":3.0}]},1.50,null,true]}"#;
    assert_eq!(write(&tree), Ok(bytes_of(text)));
    assert_eq!(write(&piece("n")), Ok(bytes_of("1.50")));
    assert_eq!(write(&piece("abc")), Ok(bytes_of(r#"{"x":[1,"2",{"y":3.0}]}"#)));
}

#[test]
fn what_a_text_could_not_say_is_refused() {
    assert_eq!(write(&Item::String("a\0".into())).map_err(|error| error.sqlstate), Err("22021"));
    assert_eq!(write(&Item::Number(vec![1].into())).map_err(|error| error.sqlstate), Err("22003"));
    let deep = (0..2_000).fold(Item::Null, |inner, _| Item::Array(vec![inner]));
    assert_eq!(write(&deep).map_err(|error| error.sqlstate), Err("54001"));
}

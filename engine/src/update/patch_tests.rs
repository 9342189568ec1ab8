//! Tests of PATCH: the examples of RFC 6902 and RFC 6901, and what they leave open.

use super::tests::made;

/// RFC 6902, appendix A, by its sections: a document that is an object, the patch, and the result or
/// the error.
const EXAMPLES: [(&str, &str, &str, &str); 15] = [
    (
        "A.1",
        r#"{"foo":"bar"}"#,
        r#"[{"op":"add","path":"/baz","value":"qux"}]"#,
        r#"{"foo":"bar","baz":"qux"}"#,
    ),
    (
        "A.2",
        r#"{"foo":["bar","baz"]}"#,
        r#"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
        r#"{"foo":["bar","qux","baz"]}"#,
    ),
    (
        "A.3",
        r#"{"baz":"qux","foo":"bar"}"#,
        r#"[{"op":"remove","path":"/baz"}]"#,
        r#"{"foo":"bar"}"#,
    ),
    (
        "A.4",
        r#"{"foo":["bar","qux","baz"]}"#,
        r#"[{"op":"remove","path":"/foo/1"}]"#,
        r#"{"foo":["bar","baz"]}"#,
    ),
    (
        "A.5",
        r#"{"baz":"qux","foo":"bar"}"#,
        r#"[{"op":"replace","path":"/baz","value":"boo"}]"#,
        r#"{"baz":"boo","foo":"bar"}"#,
    ),
    (
        "A.6",
        r#"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
        r#"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
        r#"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#,
    ),
    (
        "A.7",
        r#"{"foo":["all","grass","cows","eat"]}"#,
        r#"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
        r#"{"foo":["all","cows","eat","grass"]}"#,
    ),
    (
        "A.8",
        r#"{"baz":"qux","foo":["a",2,"c"]}"#,
        r#"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
        r#"{"baz":"qux","foo":["a",2,"c"]}"#,
    ),
    (
        "A.9",
        r#"{"baz":"qux"}"#,
        r#"[{"op":"test","path":"/baz","value":"bar"}]"#,
        "TEST operation 1: change 1 of PATCH: another value than the one tested for at '/baz'",
    ),
    (
        "A.10",
        r#"{"foo":"bar"}"#,
        r#"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
        r#"{"foo":"bar","child":{"grandchild":{}}}"#,
    ),
    (
        "A.11",
        r#"{"foo":"bar"}"#,
        r#"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#,
        r#"{"foo":"bar","baz":"qux"}"#,
    ),
    (
        "A.12",
        r#"{"foo":"bar"}"#,
        r#"[{"op":"add","path":"/baz/bat","value":"qux"}]"#,
        "PATH operation 1: change 1 of PATCH: there is nothing at '/baz'",
    ),
    (
        "A.13, where the last of two members counts",
        r#"{"foo":"bar"}"#,
        r#"[{"op":"add","path":"/baz","value":"qux","op":"remove"}]"#,
        "PATH operation 1: change 1 of PATCH: there is nothing at '/baz'",
    ),
    (
        "A.14",
        r#"{"/":9,"~1":10}"#,
        r#"[{"op":"test","path":"/~01","value":10}]"#,
        r#"{"/":9,"~1":10}"#,
    ),
    (
        "A.16",
        r#"{"foo":["bar"]}"#,
        r#"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
        r#"{"foo":["bar",["abc","def"]]}"#,
    ),
];

fn patched(doc: &str, patch: &str) -> String {
    made(doc, &[&format!("PATCH {patch}")])
}

#[test]
fn the_examples_of_rfc_6902() {
    for (section, doc, patch, result) in EXAMPLES {
        assert_eq!(patched(doc, patch), result, "{section}");
    }
    // A.15: numbers are not strings.
    let strings = patched(r#"{"/":9,"~1":10}"#, r#"[{"op":"test","path":"/~01","value":"10"}]"#);
    assert!(strings.starts_with("TEST operation 1: change 1 of PATCH: another value"), "{strings}");
}

#[test]
fn the_examples_of_rfc_6901() {
    // Section 5.
    let doc = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#;
    for (pointer, value) in [
        ("", doc),
        ("/foo", r#"["bar","baz"]"#),
        ("/foo/0", "\"bar\""),
        ("/", "0"),
        ("/a~1b", "1"),
        ("/c%d", "2"),
        ("/e^f", "3"),
        ("/g|h", "4"),
        (r"/i\\j", "5"),
        (r#"/k\"l"#, "6"),
        ("/ ", "7"),
        ("/m~0n", "8"),
    ] {
        let patch = format!(r#"[{{"op":"test","path":"{pointer}","value":{value}}}]"#);
        assert_eq!(patched(doc, &patch), doc, "{pointer}");
    }
}

#[test]
fn changes_are_one_after_the_other_and_all_or_none() {
    let doc = r#"{"a":[1,{"b":2.50}],"é":null}"#;
    let patch = r#"[{"op":"copy","from":"/a","path":"/c"},{"op":"remove","path":"/a/0"},
        {"op":"move","from":"/a/0/b","path":"/a/-"},{"op":"replace","path":"/é","value":[]},
        {"op":"add","path":"/é/0","value":"x"},{"op":"move","from":"/é","path":"/a/0/d"}]"#;
    assert_eq!(patched(doc, patch), r#"{"a":[{"d":["x"]},2.50],"c":[1,{"b":2.50}]}"#);
    let failing = r#"[{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}]"#;
    let error = "PATH operation 1: change 2 of PATCH: there is nothing at '/a'";
    assert_eq!(patched(doc, failing), error);
    assert_eq!(patched(doc, "[]"), doc);
}

#[test]
fn the_whole_document_can_be_replaced_by_an_object_alone() {
    for verb in ["add", "replace"] {
        let patch = |value: &str| format!(r#"[{{"op":"{verb}","path":"","value":{value}}}]"#);
        assert_eq!(patched(r#"{"a":1}"#, &patch(r#"{"b":2}"#)), r#"{"b":2}"#);
        let error =
            "PATH operation 1: change 1 of PATCH: a document is an object, found an array at ''";
        assert_eq!(patched(r#"{"a":1}"#, &patch("[]")), error);
    }
    let copy = r#"[{"op":"copy","from":"","path":"/b"}]"#;
    assert_eq!(patched(r#"{"a":1}"#, copy), r#"{"a":1,"b":{"a":1}}"#);
    let take_out = r#"[{"op":"move","from":"/a","path":""}]"#;
    assert_eq!(patched(r#"{"a":{"b":1}}"#, take_out), r#"{"b":1}"#);
    let remove = "PATH operation 1: change 1 of PATCH: the document itself cannot be removed at ''";
    assert_eq!(patched("{}", r#"[{"op":"remove","path":""}]"#), remove);
    let into = "PATH operation 1: change 1 of PATCH: a value cannot move into itself at '/a'";
    assert_eq!(patched("{}", r#"[{"op":"move","from":"","path":"/a"}]"#), into);
}

#[test]
fn values_move_where_they_may() {
    let step = |from: &str, to: &str| {
        patched(
            r#"{"a":{"b":1},"ab":[1,2,3]}"#,
            &format!(r#"[{{"op":"move","from":"{from}","path":"{to}"}}]"#),
        )
    };
    assert_eq!(step("/a", "/a"), r#"{"a":{"b":1},"ab":[1,2,3]}"#);
    assert_eq!(step("/a", "/ab/0"), r#"{"ab":[{"b":1},1,2,3]}"#);
    assert_eq!(step("/a/b", "/a"), r#"{"a":1,"ab":[1,2,3]}"#);
    assert_eq!(step("/ab/0", "/ab/2"), r#"{"a":{"b":1},"ab":[2,3,1]}"#);
    let error = "PATH operation 1: change 1 of PATCH:";
    assert_eq!(step("/a", "/a/b"), format!("{error} a value cannot move into itself at '/a/b'"));
    assert_eq!(step("/x", "/x/y"), format!("{error} there is nothing at '/x'"));
    assert_eq!(step("/ab/0", "/ab/3"), format!("{error} nothing can be added at '/ab/3'"));
}

#[test]
fn indexes_are_digits_and_a_dash() {
    let doc = r#"{"a":[1,2],"n":{"01":3,"-":4},"s":"x"}"#;
    for (verb, pointer) in [
        ("remove", "/a/2"),
        ("remove", "/a/-"),
        ("remove", "/a/01"),
        ("remove", "/a/-1"),
        ("remove", "/a/+1"),
        ("remove", "/a/1.0"),
        ("remove", "/a/"),
        ("remove", "/a/1e0"),
        ("remove", "/a/18446744073709551616"),
        ("remove", "/a/0/0"),
        ("remove", "/s/0"),
        ("replace", "/a/2"),
        ("replace", "/a/-"),
        ("replace", "/b"),
        ("add", "/a/3"),
        ("add", "/a/00"),
        ("add", "/s/0"),
        ("add", "/s/x"),
        ("test", "/a/-"),
        ("test", "/c"),
    ] {
        let change = format!(r#"[{{"op":"{verb}","path":"{pointer}","value":1}}]"#);
        let error = patched(doc, &change);
        assert!(
            error.starts_with("PATH operation 1: change 1 of PATCH: "),
            "{verb} {pointer}: {error}"
        );
        assert!(error.ends_with(&format!(" at '{pointer}'")), "{error}");
    }
    let names = r#"[{"op":"test","path":"/n/01","value":3},{"op":"remove","path":"/n/-"}]"#;
    assert_eq!(patched(doc, names), r#"{"a":[1,2],"n":{"01":3},"s":"x"}"#);
    let end = r#"[{"op":"add","path":"/a/2","value":3},{"op":"add","path":"/a/0","value":0}]"#;
    assert_eq!(patched(r#"{"a":[1,2]}"#, end), r#"{"a":[0,1,2,3]}"#);
}

#[test]
fn test_compares_values() {
    for (stored, same) in [
        ("1", "1.0"),
        ("1e2", "100"),
        ("-0.0", "0"),
        ("\"é\"", "\"\\u00e9\""),
        ("{\"x\":[1,{}],\"y\":null}", "{\"y\":null,\"x\":[1.0,{}]}"),
        ("9007199254740993", "9007199254740993.0"),
    ] {
        let (doc, patch) = (
            format!(r#"{{"a":{stored}}}"#),
            format!(r#"[{{"op":"test","path":"/a","value":{same}}}]"#),
        );
        assert_eq!(patched(&doc, &patch), doc);
    }
    for (stored, other) in [
        ("1", "\"1\""),
        ("[1,2]", "[2,1]"),
        ("null", "false"),
        ("{\"x\":1}", "{\"x\":1,\"y\":1}"),
        ("9007199254740993", "9007199254740992"),
        ("[]", "{}"),
    ] {
        let patch = format!(r#"[{{"op":"test","path":"/a","value":{other}}}]"#);
        let error = patched(&format!(r#"{{"a":{stored}}}"#), &patch);
        assert!(error.starts_with("TEST operation 1: "), "{stored} {other}: {error}");
    }
}

#[test]
fn what_is_no_patch_is_told() {
    let known = "op is one of add, remove, replace, move, copy, test";
    for (patch, message) in [
        ("{}", "PATCH takes an array of changes (RFC 6902), found an object".to_owned()),
        ("[1]", "a change is an object, found a number".to_owned()),
        ("[{}]", known.to_owned()),
        (r#"[{"op":1,"path":"/a"}]"#, known.to_owned()),
        (r#"[{"op":"Add","path":"/a","value":1}]"#, format!("unknown op 'Add': {known}")),
        (r#"[{"op":"add","path":"/a"}]"#, "add has no value".to_owned()),
        (r#"[{"op":"test","path":"/a"}]"#, "test has no value".to_owned()),
        (r#"[{"op":"remove"}]"#, "remove has no path".to_owned()),
        (r#"[{"op":"move","path":"/a"}]"#, "move has no from".to_owned()),
        (r#"[{"op":"copy","path":"/a"}]"#, "copy has no from".to_owned()),
        (r#"[{"op":"remove","path":1}]"#, "path is a JSON Pointer, found a number".to_owned()),
        (
            r#"[{"op":"remove","path":"a"}]"#,
            "path 'a' is no JSON Pointer: it begins with '/'".to_owned(),
        ),
        (
            r#"[{"op":"remove","path":"/a~2"}]"#,
            "path '/a~2' is no JSON Pointer: '~' stands before 0 or 1".to_owned(),
        ),
        (
            r#"[{"op":"move","path":"/a","from":"/~"}]"#,
            "from '/~' is no JSON Pointer: '~' stands before 0 or 1".to_owned(),
        ),
    ] {
        let told = patched("{}", patch);
        let change = if patch.starts_with('{') { "" } else { "change 1 of PATCH: " };
        assert_eq!(told, format!("ERR operation 1: {change}{message}"));
    }
}

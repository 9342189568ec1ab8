//! Tests of the parser.

use std::fmt::Write;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::doc::testing::{document, parsed};

fn text(json: &str) -> String {
    String::from_utf8(parsed(json).text().to_vec()).unwrap()
}

fn error(json: impl AsRef<[u8]>) -> String {
    let mut parsed = Parsed::default();
    let error = parsed.parse(json.as_ref(), &Limits::default()).unwrap_err().to_string();
    assert!(parsed.bytes().is_empty());
    error
}

#[test]
fn space_goes_and_all_else_stays() {
    assert_eq!(
        text(" {\n\t\"a\" :\r[ 1.50 , -0 , 1E+2,\"x y\\u0041\\/\" ] , \"b\":{ } } \n"),
        r#"{"a":[1.50,-0,1E+2,"x y\u0041\/"],"b":{}}"#
    );
}

#[test]
fn the_last_of_a_name_wins() {
    for (json, minified) in [
        (r#"{"a":1,"b":2,"a":3}"#, r#"{"b":2,"a":3}"#),
        (r#"{"a":1,"a":2,"a":3}"#, r#"{"a":3}"#),
        (r#"{ "a" : 1 , "\u0061" : 2 }"#, r#"{"\u0061":2}"#),
        (r#"{"\u0061":1,"a":{"x":[],"x":{}}}"#, r#"{"a":{"x":{}}}"#),
        (r#"{"a":{"x":1,"x":2},"b":3,"a":4}"#, r#"{"b":3,"a":4}"#),
        (r#"{"l":[{"k":1,"k":2},{"k":1}]}"#, r#"{"l":[{"k":2},{"k":1}]}"#),
        (r#"{"":1,"":2}"#, r#"{"":2}"#),
        (r#"{"😀":1,"\ud83d\ude00":2}"#, r#"{"\ud83d\ude00":2}"#),
        (r#"{"a":1e999,"b":1e998,"a":0}"#, r#"{"b":1e998,"a":0}"#),
    ] {
        assert_eq!(text(json), minified, "{json}");
    }
}

#[test]
fn many_names_are_judged_alike() {
    for count in [31, 32, 33, 34, 500] {
        let mut json = String::from("{");
        for at in 0..count {
            write!(json, "\"n{at}\":{at},\"\\u006e{}\":[{at}],", at / 2).unwrap();
        }
        json += "\"end\":0}";
        let minified = text(&json);
        let value: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&minified).unwrap(), value);
        assert_eq!(parsed(&json).view().members().count(), value.as_object().unwrap().len());
    }
}

#[test]
fn huge_numbers_are_noted_where_they_stand() {
    let nines = "9".repeat(400);
    let json =
        format!(r#"{{ "a": 1e400, "x": 1e9, "b": [ -{nines} ], "a": -1E+999, "c": 1e-999 }}"#);
    let parsed = parsed(&json);
    let numbers: Vec<&[u8]> =
        parsed.huge_numbers().iter().map(|&at| &parsed.text()[at as usize..][..7]).collect();
    assert_eq!(numbers, [&b"-999999"[..], b"-1E+999"]);
}

#[test]
fn errors_name_what_and_where() {
    for (json, message) in [
        ("", "JSON expected '{', found the end of the text at byte 0"),
        (" [1]", "JSON a document is an object, found an array at byte 1"),
        ("\"x\"", "JSON a document is an object, found a string at byte 0"),
        ("1", "JSON a document is an object, found a number at byte 0"),
        ("null", "JSON a document is an object, found null at byte 0"),
        ("{", "JSON expected a name in quotes, found the end of the text at byte 1"),
        ("{\"a\" 1}", "JSON expected ':', found '1' at byte 5"),
        ("{\"a\":}", "JSON expected a value, found '}' at byte 5"),
        ("{\"a\":1,}", "JSON expected a name in quotes, found '}' at byte 7"),
        ("{\"a\":[1,]}", "JSON expected a value, found ']' at byte 8"),
        ("{\"a\":[1}", "JSON expected ',' or ']', found '}' at byte 7"),
        ("{\"a\":1]", "JSON expected ',' or '}', found ']' at byte 6"),
        ("{\"a\":1 \"b\"}", "JSON expected ',' or '}', found '\"' at byte 7"),
        ("{} x", "JSON expected the end of the text, found 'x' at byte 3"),
        ("{}é", "JSON expected the end of the text, found 'é' at byte 2"),
        ("{\"a\":tru}", "JSON expected true, found 't' at byte 5"),
        ("{\"a\":01}", "JSON expected a number, found a leading zero at byte 5"),
        ("{\"a\":1.}", "JSON expected a digit, found '}' at byte 7"),
        ("{\"a\":-}", "JSON expected a digit, found '}' at byte 6"),
        ("{\"a\":1e}", "JSON expected a digit, found '}' at byte 7"),
        ("{\"a\":\"\n\"}", "JSON expected '\"', found the control character U+000A at byte 6"),
        ("{\"a\":\"b", "JSON expected '\"', found the end of the text at byte 7"),
        (
            "{\"a\":\"\\x\"}",
            "JSON expected one of \"\\/bfnrtu after a backslash, found 'x' at byte 7",
        ),
        (
            "{\"a\":\"\\",
            "JSON expected one of \"\\/bfnrtu after a backslash, found the end of the text at byte 7",
        ),
        ("{\"a\":\"\\u12G4\"}", "JSON expected four hexadecimal digits after \\u at byte 6"),
        ("{\"a\":\"\\u12", "JSON expected four hexadecimal digits after \\u at byte 6"),
        (
            "{\"a\":\"\\ud800\\n\"}",
            "JSON expected a pair of surrogates, found \\ud800 alone at byte 6",
        ),
        (
            "{\"a\":\"\\uDC00\"}",
            "JSON expected a pair of surrogates, found \\udc00 alone at byte 6",
        ),
        ("\u{feff}{}", "JSON expected JSON, found a byte order mark at byte 0"),
        ("{\u{a0}}", "JSON expected a name in quotes, found '\u{a0}' at byte 1"),
    ] {
        assert_eq!(error(json), message, "{json}");
    }
    assert_eq!(error(b"{\"a\":\"\xff\"}"), "JSON expected UTF-8, found other bytes at byte 6");
}

#[test]
fn limits_are_named() {
    let limits = Limits { document_bytes_max: 10, depth_max: 3, ..Limits::default() };
    let mut parsed = Parsed::default();
    assert!(parsed.parse(b"{\"a\":[[]]}", &limits).is_ok());
    assert_eq!(
        parsed.parse(b"{\"a\":[[]]} ", &limits).unwrap_err().to_string(),
        "TOOBIG a document of 11 bytes exceeds the limit of 10 bytes (folio.document-bytes-max)"
    );
    assert_eq!(
        parse_value(b"[[[[1]]]]", &limits).unwrap_err().to_string(),
        "TOOBIG depth 4 exceeds the limit of 3 (folio.depth-max) at byte 3"
    );
}

#[test]
fn depth_ends_at_its_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse_value(nested(128).as_bytes(), &Limits::default()).is_ok());
    let error = parse_value(nested(129).as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "TOOBIG depth 129 exceeds the limit of 128 (folio.depth-max) at byte 128"
    );
    for bomb in ["[".repeat(1_000_000), "{\"a\":".repeat(1_000_000)] {
        let error = parse_value(bomb.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(error.code, Code::TooBig);
    }
    // Without a limit, depth costs memory and no stack.
    let limits = Limits { depth_max: usize::MAX, ..Limits::default() };
    assert_eq!(parse_value(nested(1_000_000).as_bytes(), &limits).unwrap().len(), 2_000_000);
}

#[test]
fn a_million_names_take_bounded_time() {
    let same = "\"a\":1,".repeat(1_000_000);
    let mut distinct = String::new();
    let mut escaped = String::new();
    for at in 0..1_000_000 {
        write!(distinct, "\"{at}\":0,").unwrap();
    }
    for at in 0..500_000 {
        write!(escaped, "\"\\u0061{}\":0,", at % 1000).unwrap();
    }
    // Many objects of 33 names inside a large one: no closing may cost what the large one holds.
    let small = (0..33).map(|at| format!("\"{at}\":0")).collect::<Vec<_>>().join(",");
    let mut inner = String::new();
    for at in 0..20_000 {
        write!(inner, "\"o{at}\":{{{small}}},").unwrap();
    }
    let start = Instant::now();
    for (members, count) in [(same, 2), (distinct, 1_000_001), (escaped, 1001), (inner, 20_001)] {
        let parsed = parsed(&format!("{{{members}\"z\":0}}"));
        assert_eq!(parsed.view().members().count(), count);
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_scratch_forgets_what_it_held() {
    let mut parsed = Parsed::default();
    let limits = Limits::default();
    parsed.parse(br#"{"a":1e999,"b":2}"#, &limits).unwrap();
    assert!(parsed.parse(br#"{"a":1e999,"b":"#, &limits).is_err());
    assert!(parsed.text().is_empty() && parsed.huge_numbers().is_empty());
    parsed.parse(br#"{"c":3}"#, &limits).unwrap();
    assert!(parsed.view().member("a").is_none());
    assert_eq!(parsed.view().member("c").unwrap().bytes(), b"3");
}

#[test]
fn values_have_any_root() {
    let value = |json: &str| parse_value(json.as_bytes(), &Limits::default());
    assert_eq!(&*value(" [ 1 , {\"a\":1,\"a\":2} ] ").unwrap(), br#"[1,{"a":2}]"#);
    assert_eq!(&*value("\"x\"").unwrap(), b"\"x\"");
    assert_eq!(&*value(" 12 ").unwrap(), b"12");
    assert!(value("").is_err());
    assert!(value("1 2").is_err());
}

/// White space between the tokens of a minified text, as `seed` has it.
fn spaced(minified: &str, mut seed: u64) -> String {
    let mut out = String::new();
    let (mut is_string, mut is_escape) = (false, false);
    for character in minified.chars() {
        let is_token = !is_string && "[]{},:".contains(character);
        let mut space = |out: &mut String| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            out.push_str(["", " ", "\n\t", "", "\r\n  ", ""][(seed >> 33) as usize % 6]);
        };
        if is_token {
            space(&mut out);
        }
        out.push(character);
        if is_token {
            space(&mut out);
        }
        if character == '"' && !is_escape {
            is_string = !is_string;
        }
        is_escape = is_string && character == '\\' && !is_escape;
    }
    out
}

proptest! {
    #[test]
    fn space_makes_no_difference(value in document(), seed in any::<u64>()) {
        let minified = value.to_string();
        prop_assert_eq!(text(&spaced(&minified, seed)), minified);
    }

    #[test]
    fn repeated_names_are_read_as_serde_does(
        members in prop::collection::vec((crate::doc::testing::name(), document()), 0..60)
    ) {
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("{}:{value}", Value::from(&**name))).collect();
        let json = format!("{{{}}}", members.join(","));
        let value: Value = serde_json::from_str(&json).unwrap();
        let parsed = parsed(&json);
        prop_assert_eq!(&serde_json::from_slice::<Value>(parsed.text()).unwrap(), &value);
        for (name, value) in value.as_object().unwrap() {
            let found = parsed.view().member(name).unwrap();
            prop_assert_eq!(&serde_json::from_slice::<Value>(found.bytes()).unwrap(), value);
        }
        prop_assert_eq!(parsed.view().members().count(), value.as_object().unwrap().len());
    }

    #[test]
    fn any_damage_is_judged_as_serde_does(
        value in document(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()
    ) {
        let mut json = value.to_string().into_bytes();
        let at = at.index(json.len());
        if cut {
            json.remove(at);
        } else {
            json[at] = byte;
        }
        let is_valid = serde_json::from_slice::<Value>(&json).is_ok_and(|value| value.is_object());
        let mut parsed = Parsed::default();
        let result = parsed.parse(&json, &Limits::default());
        // serde_json refuses numbers beyond a double; they are documents here.
        prop_assert_eq!(result.is_ok() && parsed.huge_numbers().is_empty(), is_valid, "{:?}", result);
    }
}

//! Tests of constraints: what each refuses, at its edges, and which declarations make no sense.

use crate::Limits;
use crate::doc::Parsed;
use crate::schema::Definition;
use crate::schema::check::check;

/// What is said of a document in a collection of one field `x`; `constraints` are members of its JSON.
fn judged(ty: &str, constraints: &str, json: &str) -> String {
    let definition = format!(
        r#"{{"collection":"t","fields":[{{"path":"x","type":"{ty}","nullable":true,{constraints}}}]}}"#
    );
    let definition = match Definition::from_json(definition.as_bytes(), &Limits::default()) {
        Ok(definition) => definition,
        Err(error) => return error.to_string(),
    };
    let again = Definition::from_json(definition.to_json().as_bytes(), &Limits::default());
    assert_eq!(again.as_ref(), Ok(&definition));
    let mut parsed = Parsed::default();
    parsed.parse(json.as_bytes(), &Limits::default()).unwrap();
    match check(&definition, None, parsed.view(), parsed.huge_numbers()) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn refused(ty: &str, constraints: &str, value: &str, what: &str) {
    let found = judged(ty, constraints, &format!(r#"{{"x":{value}}}"#));
    assert_eq!(found, format!("SCHEMA field x {what}"), "{ty} {constraints} {value}");
}

#[track_caller]
fn taken(ty: &str, constraints: &str, values: &[&str]) {
    for value in values {
        let found = judged(ty, constraints, &format!(r#"{{"x":{value}}}"#));
        assert_eq!(found, "", "{ty} {constraints} {value}");
    }
    assert_eq!(judged(ty, constraints, "{}"), "");
    assert_eq!(judged(ty, constraints, r#"{"x":null}"#), "");
}

#[test]
fn bounds_are_inclusive_and_of_the_type() {
    let bounds = r#""min":0,"max":150"#;
    taken("int", bounds, &["0", "150", "1.5e2", "-0"]);
    refused("int", bounds, "151", "is 151, above the maximum of 150");
    refused("int", bounds, "-1", "is -1, below the minimum of 0");
    let large = r#""max":9007199254740992"#;
    refused(
        "int",
        large,
        "9007199254740993",
        "is 9007199254740993, above the maximum of 9007199254740992",
    );
    taken("float", r#""min":-1.5"#, &["-1.5", "-1.50", "1e300"]);
    refused("float", r#""min":-1.5"#, "-1.6", "is -1.6, below the minimum of -1.5");
    let price = r#""min":"0.10","max":1e400"#;
    taken("decimal", price, &[r#""0.1""#, "0.1000", r#""1e400""#]);
    refused("decimal", price, "0.0999", r#"is 0.0999, below the minimum of "0.10""#);
    let when = r#""min":"2026-01-01T00:00:00+01:00""#;
    taken("datetime", when, &[r#""2025-12-31T23:00:00Z""#, "1767222000000"]);
    refused(
        "datetime",
        when,
        r#""2025-12-31T22:59:59.999999999Z""#,
        r#"is "2025-12-31T22:59:59.999999999Z", below the minimum of "2026-01-01T00:00:00+01:00""#,
    );
}

#[test]
fn lengths_are_of_characters_and_of_elements() {
    let lengths = r#""minlen":2,"maxlen":3"#;
    taken("string", lengths, &[r#""éa""#, r#""😀😀😀""#, r#""\u00e9\n""#]);
    refused("string", lengths, r#""😀""#, "is 1 characters long, below the minimum of 2");
    refused("string", lengths, r#""abcd""#, "is 4 characters long, above the maximum of 3");
    taken("array<string>", lengths, &[r#"["a","abcdef"]"#]);
    refused("array<int>", lengths, "[]", "is 0 elements long, below the minimum of 2");
    refused("array<int>", lengths, "[1,2,3,4]", "is 4 elements long, above the maximum of 3");
    taken("string", r#""maxlen":0"#, &[r#""""#]);
}

#[test]
fn listed_values_are_equal_under_the_type() {
    let status = r#""enum":["open","Closed"]"#;
    taken("string", status, &[r#""open""#, r#""\u006fpen""#]);
    refused("string", status, r#""closed""#, r#"is "closed", and not one of "open", "Closed""#);
    taken("string", r#""nocase":true,"enum":["open"]"#, &[r#""OPEN""#]);
    taken("int", r#""enum":[1,2]"#, &["1.0", "2"]);
    taken("json", r#""enum":[1,"a",{"b":[1,2]}]"#, &["1.0", r#"{"b":[1.0,2]}"#]);
    refused("json", r#""enum":[1]"#, "[1]", "is [1], and not one of 1");
    refused("array<int>", r#""enum":[1,2]"#, "[1,3]", "holds 3, and not one of 1, 2");
    let many = r#""enum":[1,2,3,4,5,6,7,8,9]"#;
    refused("int", many, "0", "is 0, and not one of 1, 2, 3, 4, 5, 6, 7, 8, ..");
}

#[test]
fn patterns_search_and_are_asked_of_each_element() {
    let code = r#""pattern":"^[A-Z]{2}\\d+$""#;
    taken("string", code, &[r#""AB12""#, r#""\u0041B1""#]);
    refused("string", code, r#""ab12""#, r#"is "ab12", which does not match ^[A-Z]{2}\d+$"#);
    taken("string", r#""pattern":"b""#, &[r#""abc""#]);
    refused(
        "string",
        r#""nocase":true,"pattern":"b""#,
        r#""B""#,
        r#"is "B", which does not match b"#,
    );
    refused(
        "array<string>",
        r#""pattern":"^a""#,
        r#"["a","b"]"#,
        r#"holds "b", which does not match ^a"#,
    );
}

#[test]
fn strings_of_a_form_have_bounds_as_what_they_say() {
    taken(
        "date",
        r#""min":"2026-01-01","max":"2026-12-31""#,
        &[r#""2026-01-01""#, r#""2026-12-31""#],
    );
    let found = r#"is "2025-12-31", below the minimum of "2026-01-01""#;
    refused("date", r#""min":"2026-01-01""#, r#""2025-12-31""#, found);
    taken("time", r#""max":"17:00:00""#, &[r#""17:00:00.000""#]);
    let found = r#"is "17:00:00.000000001", above the maximum of "17:00:00""#;
    refused("time", r#""max":"17:00:00""#, r#""17:00:00.000000001""#, found);
    taken("duration", r#""min":0,"max":"1h""#, &["0", "3600000", r#""60m""#]);
    refused("duration", r#""min":0"#, r#""-1ns""#, r#"is "-1ns", below the minimum of 0"#);
    taken(
        "uuid",
        r#""enum":["67e55044-10b1-426f-9247-bb680e5fe0c8"]"#,
        &[r#""67E55044-10B1-426F-9247-BB680E5FE0C8""#],
    );
    taken("email", r#""maxlen":9,"pattern":"@x[.]org$""#, &[r#""ada@x.org""#]);
    let found = r#"is declared uuid, found "67e55044""#;
    refused("uuid", r#""required":true"#, r#""67e55044""#, found);
    for ty in ["ip", "email", "url", "uuid", "date", "time"] {
        refused(ty, r#""required":false"#, "5", &format!("is declared {ty}, found 5"));
    }
}

#[test]
fn declarations_that_make_no_sense_are_refused() {
    let error = |ty: &str, constraints: &str| judged(ty, constraints, "{}");
    let cases = [
        ("string", r#""min":1"#, "is declared string; MIN is of numbers and times"),
        ("bool", r#""max":true"#, "is declared bool; MAX is of numbers and times"),
        ("int", r#""min":1.5"#, "has MIN 1.5, which is no int"),
        ("int", r#""min":"a""#, r#"has MIN "a", which is no int"#),
        ("datetime", r#""max":"2026""#, r#"has MAX "2026", which is no datetime"#),
        ("int", r#""min":2,"max":1"#, "has MIN 2 above MAX 1"),
        ("int", r#""minlen":1"#, "is declared int; MINLEN is of strings and arrays"),
        ("json", r#""maxlen":1"#, "is declared json; MAXLEN is of strings and arrays"),
        ("string", r#""minlen":2,"maxlen":1"#, "has MINLEN 2 above MAXLEN 1"),
        ("string", r#""enum":[]"#, "has an ENUM of no values"),
        ("string", r#""enum":["a",null]"#, "has ENUM null, which is no string"),
        ("int", r#""enum":[1,1.0]"#, "has the value 1.0 twice in ENUM"),
        ("string", r#""nocase":true,"enum":["a","A"]"#, r#"has the value "A" twice in ENUM"#),
        ("json", r#""pattern":"a""#, "is declared json; PATTERN is of strings"),
        (
            "string",
            r#""pattern":"a(""#,
            "has a PATTERN that is no regular expression: unclosed group",
        ),
        ("int", r#""auto":"now""#, "is declared int; AUTO is of datetime"),
        ("array<datetime>", r#""auto":"now""#, "is declared array<datetime>; AUTO is of datetime"),
        (
            "datetime",
            r#""auto":"now","immutable":true"#,
            "is AUTO, which goes with neither DEFAULT nor IMMUTABLE",
        ),
    ];
    for (constraints, expected) in [
        (r#""default":1.5"#, "is declared int, found 1.5"),
        (r#""max":5,"default":6"#, "is 6, above the maximum of 5"),
    ] {
        assert_eq!(error("int", constraints), format!("SCHEMA DEFAULT: field x {expected}"));
    }
    for (ty, constraints, expected) in cases {
        assert_eq!(error(ty, constraints), format!("SCHEMA field x {expected}"));
    }
    let large = error("string", r#""pattern":"(?:a{1000}){1000}""#);
    let expected = "TOOBIG field x is declared too large: the pattern after PATTERN takes more than \
                    the limit of 1048576 bytes (folio.regex-bytes-max)";
    assert_eq!(large, expected);
    let many: Vec<String> = (0..1_025).map(|n| n.to_string()).collect();
    let found = error("int", &format!(r#""enum":[{}]"#, many.join(",")));
    assert_eq!(found, "SCHEMA field x has an ENUM of more values than 1024");
    let found = error("int", r#""minlen":-1"#);
    assert!(found.starts_with("SCHEMA definition: fields[0].minlen: invalid value"), "{found}");
}

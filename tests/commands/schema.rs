//! What DOC.CREATE declares of fields, held to on a server.

use folio_tests::{Client, Server, over_both};
use redis::Value;

fn ok(c: &mut Client, command: &[&str]) {
    assert_eq!(c.text(command).as_deref(), Some("OK"), "{command:?}");
}

/// A command of words between spaces.
fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

#[test]
fn nocase_folds_in_filters_orders_groups_and_unique() {
    over_both(|c| {
        let create = "DOC.CREATE u FIELD email string NOCASE UNIQUE FIELD tags array<string> INDEX SET NOCASE \
            INDEX both ON 2 email n UNIQUE";
        ok(c, &words(create));
        let schema = c.text(&["DOC.SCHEMA", "u"]).expect("it is declared");
        assert!(
            schema.contains(r#""path":"email","type":"string","nocase":true,"unique":true"#),
            "{schema}"
        );
        ok(c, &["DOC.CREATE", "u", "DEFINITION", &schema]);
        c.call(&["DOC.SET", "u:1", r#"{"email":"Ädä@X.org","tags":["A","b"]}"#]);
        c.call(&["DOC.SET", "u:2", r#"{"email":"B@x.org","tags":["a"]}"#]);
        let error = c.error(&["DOC.SET", "u:3", r#"{"email":"äDÄ@x.ORG"}"#]);
        assert_eq!(error, "UNIQUE the value at email is held by u:1");
        let find = |c: &mut Client, filter: &str| c.keys(&["DOC.FIND", "u", "WHERE", filter]);
        for filter in [
            "email = 'ÄDÄ@x.org'",
            "email IN ('äDä@x.ORG')",
            "email LIKE 'ÄD%G'",
            "email MATCHES '^äd'",
            "email ENDS WITH 'DÄ@X.ORG'",
            "email > 'C'",
            "tags HAS ALL ('a', 'B')",
        ] {
            assert_eq!(find(c, filter), ["u:1"], "{filter}");
        }
        assert_eq!(find(c, "tags HAS 'A'"), ["u:1", "u:2"]);
        assert_eq!(c.keys(&words("DOC.FIND u ORDER 1 email")), ["u:2", "u:1"]);
        assert_eq!(c.texts(&words("DOC.DISTINCT u tags[*]")), [r#""A""#, r#""b""#]);
        // The document is as it was written, after a change of case too.
        c.call(&["DOC.UPDATE", "u:2", "SET", "email", r#""b@X.org""#]);
        assert_eq!(c.text(&["DOC.GET", "u:2", "email"]).as_deref(), Some(r#""b@X.org""#));
        assert_eq!(c.call(&["DOC.VERIFY", "u"]), Value::Array(vec![]));
    });
}

#[test]
fn nocase_is_refused_of_what_is_no_string() {
    over_both(|c| {
        let refused = "SCHEMA field n is declared array<int>; NOCASE is for string, array<string>";
        assert_eq!(c.error(&words("DOC.CREATE u FIELD n array<int> NOCASE")), refused);
        let json =
            r#"{"collection":"u","fields":[{"path":"n","type":"array<int>","nocase":true}]}"#;
        assert_eq!(c.error(&["DOC.CREATE", "u", "DEFINITION", json]), refused);
        let json = json.replace("true", "1");
        let error = c.error(&["DOC.CREATE", "u", "DEFINITION", &json]);
        assert!(error.starts_with("SCHEMA definition: fields[0].nocase: invalid type"), "{error}");
        let error = c.error(&words("DOC.CREATE u FIELD n string NOCASE NOCASE"));
        assert_eq!(error, "ERR NOCASE is given twice for field n");
        assert_eq!(c.texts(&["DOC.LIST"]), [""; 0]);
    });
}

#[test]
fn a_restart_keeps_what_is_declared() {
    let mut server = Server::start();
    let mut c = server.resp3();
    ok(&mut c, &words("DOC.CREATE u FIELD email string NOCASE UNIQUE"));
    c.call(&["DOC.SET", "u:1", r#"{"email":"Ada"}"#]);
    let schema = c.text(&["DOC.SCHEMA", "u"]);
    server.restart();
    let mut c = server.resp3();
    assert_eq!(c.text(&["DOC.SCHEMA", "u"]), schema);
    assert_eq!(
        c.error(&["DOC.SET", "u:2", r#"{"email":"ADA"}"#]),
        "UNIQUE the value at email is held by u:1"
    );
    assert_eq!(c.keys(&["DOC.FIND", "u", "WHERE", "email = 'aDA'"]), ["u:1"]);
}

/// A collection of every type, and values that fit and that do not.
const TYPES: [(&str, &str, &str); 14] = [
    ("string", r#""a""#, "1"),
    ("int", "1.0", "1.5"),
    ("float", "1.5", r#""1.5""#),
    ("bool", "true", r#""true""#),
    ("decimal", r#""1.50""#, r#""1,5""#),
    ("datetime", r#""2026-01-31T00:00:00Z""#, r#""2026-01-31""#),
    ("date", r#""2026-01-31""#, r#""2026-02-30""#),
    ("time", r#""12:30:00""#, r#""24:00:00""#),
    ("duration", r#""1d 3h""#, "1.5"),
    ("uuid", r#""67e55044-10b1-426f-9247-bb680e5fe0c8""#, r#""67e5504410b1426f9247bb680e5fe0c8""#),
    ("email", r#""ada@example.org""#, r#""ada""#),
    ("url", r#""https://example.org""#, r#""example.org""#),
    ("ip", r#""::1""#, r#""1.2.3""#),
    ("json", r#"{"a":[1]}"#, ""),
];

#[test]
fn values_of_each_type_fit_and_others_are_refused() {
    over_both(|c| {
        for index in ["", " INDEX SET", " INDEX SORTED", " UNIQUE"] {
            for (ty, fits, wrong) in TYPES {
                ok(
                    c,
                    &words(&format!("DOC.CREATE t FIELD x {ty}{index} FIELD l array<{ty}>{index}")),
                );
                let document = |value: &str| format!(r#"{{"x":{value},"l":[{value}]}}"#);
                c.call(&["DOC.SET", "t:1", &document(fits)]);
                if !wrong.is_empty() {
                    let error = c.error(&["DOC.SET", "t:1", &format!(r#"{{"x":{wrong}}}"#)]);
                    assert_eq!(error, format!("SCHEMA field x is declared {ty}, found {wrong}"));
                    let error = c.error(&["DOC.SET", "t:1", &format!(r#"{{"l":[{wrong}]}}"#)]);
                    assert_eq!(
                        error,
                        format!("SCHEMA field l is declared array<{ty}>, found {wrong}")
                    );
                    // Redis brings what it likes; it is found, and no comparison holds of it.
                    c.call(&["DOC.SET", "o:1", &document(wrong)]);
                    c.call(&["RENAME", "o:1", "t:2"]);
                    assert_eq!(
                        c.keys(&["DOC.FIND", "t", "WHERE", "_valid IS FALSE"]),
                        ["t:2"],
                        "{ty}"
                    );
                    c.call(&["DEL", "t:2"]);
                }
                if ty != "json" {
                    let same =
                        ["DOC.FIND", "t", "WHERE", "x = $x AND l HAS $x", "PARAMS", "1", "x", fits];
                    assert_eq!(c.keys(&same), ["t:1"], "{ty}");
                    let range = [
                        "DOC.COUNT",
                        "t",
                        "WHERE",
                        "x >= $x AND NOT x < $x",
                        "PARAMS",
                        "1",
                        "x",
                        fits,
                    ];
                    assert_eq!(c.int(&range), 1, "{ty}");
                    assert_eq!(
                        c.int(&["DOC.COUNT", "t", "WHERE", "x = x AND NOT x < x"]),
                        1,
                        "{ty}"
                    );
                }
                assert_eq!(c.texts(&words("DOC.DISTINCT t x")), [fits], "{ty}");
                assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
                ok(c, &["DOC.DROP", "t", "DOCUMENTS"]);
            }
        }
    });
}

#[test]
fn constraints_are_declared_told_and_held_to() {
    over_both(|c| {
        let create = "DOC.CREATE t FIELD age int MIN 0 MAX 150 FIELD status string NOCASE ENUM 2 open closed DEFAULT \"open\" \
            FIELD code string PATTERN ^[A-Z]+$ MINLEN 2 MAXLEN 3 FIELD tags array<string> MAXLEN 2 ENUM 2 a b \
            FIELD owner string IMMUTABLE FIELD born datetime AUTO NOW FIELD changed datetime AUTO UPDATED";
        ok(c, &words(create));
        ok(c, &words(create));
        let schema = c.text(&["DOC.SCHEMA", "t"]).expect("it is declared");
        ok(c, &["DOC.CREATE", "t", "DEFINITION", &schema]);
        let other = c.error(&["DOC.CREATE", "t", "DEFINITION", &schema.replace("150", "151")]);
        assert!(other.starts_with("COLLECTIONEXISTS "), "{other}");
        for (json, error) in [
            (r#"{"age":151}"#, "age is 151, above the maximum of 150"),
            (r#"{"age":-1}"#, "age is -1, below the minimum of 0"),
            (r#"{"status":"ajar"}"#, r#"status is "ajar", and not one of "open", "closed""#),
            (r#"{"code":"a1"}"#, r#"code is "a1", which does not match ^[A-Z]+$"#),
            (r#"{"code":"A"}"#, "code is 1 characters long, below the minimum of 2"),
            (r#"{"tags":["a","c"]}"#, r#"tags holds "c", and not one of "a", "b""#),
            (r#"{"tags":["a","b","a"]}"#, "tags is 3 elements long, above the maximum of 2"),
        ] {
            assert_eq!(c.error(&["DOC.SET", "t:1", json]), format!("SCHEMA field {error}"));
        }
        assert_eq!(c.int(&words("DOC.COUNT t")), 0);
        c.call(&["DOC.SET", "t:1", r#"{"age":36,"owner":"ada","born":1}"#]);
        assert_eq!(c.text(&words("DOC.GET t:1 status")).as_deref(), Some(r#""open""#));
        assert_eq!(
            c.int(&[
                "DOC.COUNT",
                "t",
                "WHERE",
                "born = _created AND changed = _updated AND status = 'OPEN'"
            ]),
            1
        );
        assert_eq!(c.int(&["DOC.SET", "t:1", r#"{"age":36,"owner":"ada","born":2}"#]), 1);
        // An update is judged by what it changes.
        let error = c.error(&words("DOC.UPDATE t:1 INCR age 115"));
        assert_eq!(error, "SCHEMA field age is 151, above the maximum of 150");
        let error = c.error(&["DOC.UPDATE", "t:1", "SET", "owner", r#""bob""#]);
        assert_eq!(error, r#"SCHEMA field owner is IMMUTABLE, and stays "ada""#);
        assert_eq!(c.int(&words("DOC.UPDATE t:1 INCR age 114")), 2);
        assert_eq!(
            c.int(&["DOC.COUNT", "t", "WHERE", "born = _created AND changed = _updated"]),
            1
        );
        c.call(&["DOC.SET", "o:1", r#"{"age":200}"#]);
        c.call(&["RENAME", "o:1", "t:2"]);
        assert_eq!(c.keys(&["DOC.FIND", "t", "WHERE", "_valid IS FALSE"]), ["t:2"]);
        assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
    });
}

#[test]
fn hostile_definitions_are_refused() {
    over_both(|c| {
        let long = "a".repeat(100_000);
        let values = vec!["x"; 1_000].join(" ");
        let cases: [(&str, &str); 15] = [
            ("MIN", "ERR MIN is missing"),
            ("MIN x", "JSON "),
            ("MIN 9e999", "SCHEMA field f has MIN 9e999, which is no int"),
            ("MIN 1 MIN 1", "ERR MIN is given twice for field f"),
            ("MAXLEN 5", "SCHEMA field f is declared int; MAXLEN is of strings and arrays"),
            ("ENUM 0", "ERR ENUM is 0"),
            ("ENUM 9 1", "ERR ENUM is 9, and 1 follow"),
            ("ENUM -1", "ERR ENUM -1 is negative"),
            ("ENUM 2 1 1.0", "SCHEMA field f has the value 1.0 twice in ENUM"),
            ("PATTERN a", "SCHEMA field f is declared int; PATTERN is of strings"),
            ("DEFAULT {", "JSON "),
            ("DEFAULT null", "SCHEMA DEFAULT: field f is null, and not declared NULLABLE"),
            ("AUTO", "ERR AUTO takes NOW or UPDATED"),
            ("AUTO LATER", "ERR AUTO takes NOW or UPDATED, not 'LATER'"),
            ("AUTO NOW", "SCHEMA field f is declared int; AUTO is of datetime"),
        ];
        for (constraint, expected) in cases {
            let error = c.error(&words(&format!("DOC.CREATE t FIELD f int {constraint}")));
            assert!(error.starts_with(expected), "{constraint}: {error}");
        }
        for (constraint, expected) in [
            (
                format!("PATTERN ({}", "(".repeat(10_000)),
                "SCHEMA field f has a PATTERN that is no regular",
            ),
            (format!("PATTERN (?:{long}){{1000}}"), "TOOBIG field f is declared too large"),
            (format!("ENUM 1000 {values}"), r#"SCHEMA field f has the value "x" twice in ENUM"#),
            (
                "MINLEN 18446744073709551616".into(),
                "ERR MINLEN '18446744073709551616' is not an integer",
            ),
            ("ENUM 2 a A NOCASE".into(), r#"SCHEMA field f has the value "A" twice in ENUM"#),
            ("MINLEN -1".into(), "ERR MINLEN -1 is negative"),
        ] {
            let error = c.error(&words(&format!("DOC.CREATE t FIELD f string {constraint}")));
            assert!(error.starts_with(expected), "{error}");
        }
        let json = r#"{"collection":"t","fields":[{"path":"f","type":"int","auto":"never"}]}"#;
        let error = c.error(&["DOC.CREATE", "t", "DEFINITION", json]);
        assert!(error.starts_with("SCHEMA definition: fields[0].auto: unknown variant"), "{error}");
        assert_eq!(c.texts(&["DOC.LIST"]), [""; 0]);
    });
}

#[test]
fn a_restart_keeps_constraints_and_what_was_filled_in() {
    let mut server = Server::start();
    let mut c = server.resp3();
    let create = "DOC.CREATE t FIELD ip ip UNIQUE FIELD wait duration INDEX SORTED MIN 0 MAX 1h \
        FIELD code string PATTERN ^a ENUM 2 ab ac FIELD state string DEFAULT \"new\" FIELD at datetime AUTO UPDATED";
    ok(&mut c, &words(create));
    c.call(&["DOC.SET", "t:1", r#"{"ip":"::1","wait":"30m","code":"ab"}"#]);
    let answers = |c: &mut Client| {
        let questions = ["DOC.SCHEMA t", "DOC.GET t:1", "DOC.VERIFY t", "DOC.VERIFY t DIGEST"];
        questions.map(|question| c.call(&words(question)))
    };
    let before = answers(&mut c);
    server.restart();
    let mut c = server.resp3();
    assert_eq!(answers(&mut c), before);
    let error = c.error(&["DOC.SET", "t:2", r#"{"wait":"61m"}"#]);
    assert_eq!(error, r#"SCHEMA field wait is "61m", above the maximum of "1h""#);
    let error = c.error(&["DOC.SET", "t:2", r#"{"ip":"0:0:0:0:0:0:0:1"}"#]);
    assert_eq!(error, "UNIQUE the value at ip is held by t:1");
}

#[test]
fn a_default_below_what_is_no_object_is_left_out() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "FIELD", "a.b", "int", "DEFAULT", "5"]);
        c.call(&["DOC.SET", "t:1", r#"{"a":null}"#]);
        assert_eq!(c.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"a":null}"#));
        c.call(&["DOC.SET", "t:2", "{}"]);
        assert_eq!(c.text(&["DOC.GET", "t:2"]).as_deref(), Some(r#"{"a":{"b":5}}"#));
    });
}

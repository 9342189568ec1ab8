//! Each error's code, and that nothing changed.

use folio_tests::{Client, over_both};
use redis::Value;

fn code(c: &mut Client, command: &[&str]) -> String {
    c.error(command).split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn every_refusal_has_its_code() {
    over_both(|c| {
        let create = ["DOC.CREATE", "users", "FIELD", "age", "int", "FIELD", "email", "string"];
        let create = [&create[..], &["UNIQUE", "INDEX", "SET", "FIELD", "tags", "array<string>"]];
        c.call(&create.concat());
        let too_many = ["DOC.UPDATE", "users:1"].into_iter().map(str::to_owned);
        let too_many: Vec<String> = too_many
            .chain((0..1_001).flat_map(|n| ["INCR".into(), format!("n{n}"), "1".into()]))
            .collect();
        let too_many: Vec<&str> = too_many.iter().map(String::as_str).collect();
        c.call(&["DOC.SET", "users:1", r#"{"email":"a"}"#]);
        c.call(&["SET", "users:text", "x"]);
        let cases: &[(&str, &[&str])] = &[
            ("JSON", &["DOC.SET", "users:2", r#"{"age":}"#]),
            ("JSON", &["DOC.SET", "users:2", "[]"]),
            ("SCHEMA", &["DOC.SET", "users:2", r#"{"age":"old"}"#]),
            ("UNIQUE", &["DOC.SET", "users:2", r#"{"email":"a"}"#]),
            ("KEY", &["DOC.SET", "users", "{}"]),
            ("KEY", &["DOC.SET", "users:", "{}"]),
            ("KEY", &["DOC.SET", &format!("{}:1", "n".repeat(512)), "{}"]),
            ("SCHEMA", &["DOC.SET", "users:2", r#"{"tags":["a",null]}"#]),
            ("SCHEMA", &["DOC.SET", "users:2", &format!(r#"{{"age":"{}"}}"#, "x".repeat(100))]),
            (
                "SCHEMA",
                &["DOC.CREATE", "other", "DEFINITION", r#"{"collection":"users","fields":[]}"#],
            ),
            ("ERR", &too_many),
            ("WRONGTYPE", &["DOC.SET", "users:text", "{}"]),
            ("WRONGTYPE", &["DOC.GET", "users:text"]),
            ("PATH", &["DOC.GET", "users:1", "a..b"]),
            ("FILTER", &["DOC.COUNT", "users", "WHERE", "age >"]),
            ("FILTER", &["DOC.COUNT", "users", "WHERE", "age = 'x'"]),
            ("FILTER", &["DOC.COUNT", "users", "WHERE", "age = $n"]),
            ("FILTER", &["DOC.COUNT", "users", "WHERE", "age = 1", "PARAMS", "1", "n", "1"]),
            ("ERR", &["DOC.SET", "users:2"]),
            ("ERR", &["DOC.SET", "users:2", "{}", "BOGUS"]),
            ("ERR", &["DOC.COUNT", "users", "WHERE"]),
            ("NOCOLLECTION", &["DOC.SCHEMA", "nothing"]),
            ("NOCOLLECTION", &["DOC.COUNT", "nothing"]),
        ];
        for (wanted, command) in cases {
            assert_eq!(code(c, command), *wanted, "{}", command.join(" "));
        }
        assert_eq!(c.int(&["DBSIZE"]), 2);
        assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
    });
}

#[test]
fn an_increment_beyond_the_range_is_refused() {
    over_both(|c| {
        c.call(&["DOC.SET", "n:1", r#"{"n":18446744073709551615}"#]);
        assert_eq!(code(c, &["DOC.UPDATE", "n:1", "INCR", "n", "1"]), "OVERFLOW");
        assert_eq!(c.text(&["DOC.GET", "n:1", "n"]).as_deref(), Some("18446744073709551615"));
    });
}

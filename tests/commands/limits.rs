//! Each limit is a setting that is in force at once, and an error that names it.

use std::panic::catch_unwind;

use folio_tests::reply::text;
use folio_tests::{Client, Options, Server, over_both};

/// A setting, its default, what it is lowered to, and a command that then meets it.
struct Case {
    setting: &'static str,
    default: &'static str,
    lowered: &'static str,
    command: Vec<String>,
    error: &'static str,
}

fn case(
    setting: &'static str,
    default: &'static str,
    lowered: &'static str,
    command: &[&str],
    error: &'static str,
) -> Case {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    Case { setting, default, lowered, command, error }
}

fn cases() -> Vec<Case> {
    let long = format!(r#"{{"note":"{}"}}"#, "x".repeat(200));
    let filter = format!("n = 1 OR s = '{}'", "x".repeat(100));
    let count = ["DOC.COUNT", "things", "WHERE"];
    let create = ["DOC.CREATE", "wide", "FIELD", "a", "int", "FIELD", "b", "int"];
    let one = ["FIELD", "a", "int", "INDEX", "SET", "INDEX", "b", "ON", "1", "a"];
    let indexed = [&["DOC.CREATE", "indexed"], &one[..]].concat();
    let tags = r#"{"tags":[1,2,3,4]}"#;
    vec![
        case("document-bytes-max", "16777216", "100", &["DOC.SET", "things:9", &long], "TOOBIG"),
        case("depth-max", "128", "3", &["DOC.SET", "things:9", r#"{"a":[[[1]]]}"#], "TOOBIG"),
        case(
            "update-bytes-max",
            "1073741824",
            "64",
            &[
                "DOC.UPDATE",
                "things:1",
                "SET",
                "note",
                &format!("\"{}\"", "x".repeat(80)),
                "UNSET",
                "note",
            ],
            "LIMITED",
        ),
        case("filter-bytes-max", "65536", "64", &[&count[..], &[&filter]].concat(), "TOOBIG"),
        case(
            "regex-bytes-max",
            "1048576",
            "1024",
            &[&count[..], &["s MATCHES '[a-z]{200}'"]].concat(),
            "TOOBIG",
        ),
        case(
            "patterns-max",
            "64",
            "2",
            &[&count[..], &["s LIKE 'a%' OR s LIKE 'b%' OR s ILIKE 'c'"]].concat(),
            "LIMITED",
        ),
        case("filter-depth-max", "64", "2", &[&count[..], &["((((n = 1))))"]].concat(), "TOOBIG"),
        case("path-steps-max", "32", "2", &["DOC.GET", "things:1", "a.b.c.d"], "TOOBIG"),
        case("jsonpath-nodes-max", "1000000", "2", &["DOC.GET", "things:1", "$..*"], "LIMITED"),
        case("fields-max", "256", "1", &create, "LIMITED"),
        case("indexes-max", "64", "1", &indexed, "LIMITED"),
        case("index-entries-max", "10000", "3", &["DOC.SET", "things:9", tags], "LIMITED"),
        case("scan-max", "10000", "5", &[&count[..], &["n = 1"]].concat(), "NOINDEX"),
        case("rows-max", "100000", "5", &["DOC.FIND", "things"], "LIMITED"),
        case(
            "groups-max",
            "100000",
            "5",
            &["DOC.AGGREGATE", "things", "GROUP", "1", "n", "REDUCE", "1", "count()"],
            "LIMITED",
        ),
        case(
            "query-bytes-max",
            "268435456",
            "1024",
            &[
                "DOC.AGGREGATE",
                "things",
                "REDUCE",
                "3",
                "collect(n)",
                "distinct(n)",
                "distinct(_key)",
            ],
            "LIMITED",
        ),
        case(
            "function-source-bytes-max",
            "65536",
            "64",
            &["DOC.FUNCTION", "LOAD", "REPLACE", "f", &format!("return nil -- {}", "x".repeat(64))],
            "TOOBIG",
        ),
        case(
            "function-steps-max",
            "100000",
            "100",
            &["DOC.FUNCTION", "LOAD", "REPLACE", "STEPS", "101", "f", "return nil"],
            "LIMITED",
        ),
        case(
            "function-bytes-max",
            "4194304",
            "65536",
            &["DOC.FUNCTION", "LOAD", "REPLACE", "MEMORY", "65537", "f", "return nil"],
            "LIMITED",
        ),
    ]
}

fn held(c: &mut Client, setting: &str) -> String {
    text(&c.map(&["CONFIG", "GET", setting])[setting])
}

fn prepare(c: &mut Client) {
    c.call(&["DOC.CREATE", "things", "FIELD", "tags", "array<int>", "INDEX", "SET"]);
    for n in 0..10 {
        c.call(&["DOC.SET", &format!("things:{n}"), &format!(r#"{{"n":{n},"tags":[{n}]}}"#)]);
    }
    c.call(&["DOC.DEL", "things:9"]);
}

#[test]
fn every_limit_is_a_setting_with_a_default_and_an_error() {
    over_both(|c| {
        prepare(c);
        for case in cases() {
            let setting = format!("folio.{}", case.setting);
            let command: Vec<&str> = case.command.iter().map(String::as_str).collect();
            assert_eq!(held(c, &setting), case.default);
            c.call(&["CONFIG", "SET", &setting, case.lowered]);
            let error = c.error(&command);
            assert!(error.starts_with(&format!("{} ", case.error)), "{setting}: {error}");
            assert!(error.contains(case.lowered), "{setting}: {error}");
            c.call(&["CONFIG", "SET", &setting, case.default]);
            c.call(&command);
            c.call(&["DEL", "things:9"]);
        }
    });
}

#[test]
fn a_setting_beyond_its_bounds_is_refused() {
    over_both(|c| {
        for (setting, value) in
            [("folio.depth-max", "0"), ("folio.depth-max", "100000"), ("folio.rows-max", "x")]
        {
            c.error(&["CONFIG", "SET", setting, value]);
        }
        assert_eq!(held(c, "folio.depth-max"), "128");
    });
}

fn with_arguments(arguments: &[&str]) -> Server {
    Options::new().module_arguments(arguments).start()
}

#[test]
fn a_setting_may_be_an_argument_of_the_module() {
    let server = with_arguments(&["scan-max", "5", "FOLIO.depth-max", "3"]);
    let mut c = server.resp3();
    assert_eq!(held(&mut c, "folio.scan-max"), "5");
    assert_eq!(held(&mut c, "folio.depth-max"), "3");
    assert_eq!(held(&mut c, "folio.rows-max"), "100000");
    prepare(&mut c);
    let error = c.error(&["DOC.COUNT", "things", "WHERE", "n = 1"]);
    assert!(error.starts_with("NOINDEX "), "{error}");
}

#[test]
fn a_server_with_a_wrong_argument_does_not_start() {
    let cases: [(&[&str], &str); 4] = [
        (&["scan", "5"], "unknown setting 'scan'"),
        (&["scan-max"], "'scan-max' takes a number from 0 to 4294967296"),
        (&["scan-max", "x"], "'scan-max' takes a number from 0 to 4294967296"),
        (&["scan-max", "-1"], "'scan-max' takes a number from 0 to 4294967296"),
    ];
    for (arguments, what) in cases {
        let panic = catch_unwind(|| with_arguments(arguments)).expect_err("it is wrong");
        let said = panic.downcast_ref::<String>().expect("a panic with the server's log");
        assert!(said.contains(what), "{arguments:?}: {said}");
    }
}

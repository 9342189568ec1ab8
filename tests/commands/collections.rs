//! DOC.CREATE, DROP, LIST, SCHEMA, INFO, VERIFY.

use folio_tests::{Client, over_both};
use redis::Value;

const USERS: &[&str] = &[
    "DOC.CREATE",
    "users",
    "FIELD",
    "email",
    "string",
    "REQUIRED",
    "UNIQUE",
    "INDEX",
    "SET",
    "FIELD",
    "age",
    "int",
    "INDEX",
    "SORTED",
];

fn ok(c: &mut Client, command: &[&str]) {
    assert_eq!(c.text(command).as_deref(), Some("OK"));
}

#[test]
fn the_identical_declaration_again_is_ok_and_another_is_refused() {
    over_both(|c| {
        ok(c, USERS);
        ok(c, USERS);
        let error = c.error(&["DOC.CREATE", "users", "FIELD", "age", "string"]);
        assert!(error.starts_with("COLLECTIONEXISTS "), "{error}");
    });
}

#[test]
fn what_schema_prints_declares_the_same() {
    over_both(|c| {
        ok(c, USERS);
        let schema = c.text(&["DOC.SCHEMA", "users"]).expect("a declared collection has a schema");
        ok(c, &["DOC.CREATE", "users", "DEFINITION", &schema]);
        ok(c, &["DOC.DROP", "users"]);
        ok(c, &["DOC.CREATE", "users", "DEFINITION", &schema]);
        assert_eq!(c.text(&["DOC.SCHEMA", "users"]), Some(schema));
    });
}

#[test]
fn collections_are_listed_by_name_and_by_pattern() {
    over_both(|c| {
        ok(c, USERS);
        c.call(&["DOC.SET", "notes:1", "{}"]);
        let mut names = c.texts(&["DOC.LIST"]);
        names.sort();
        assert_eq!(names, ["notes", "users"]);
        assert_eq!(c.texts(&["DOC.LIST", "u*"]), ["users"]);
    });
}

#[test]
fn a_declaration_over_documents_indexes_those_that_are_there() {
    over_both(|c| {
        for n in 0..50 {
            let document = format!(r#"{{"email":"{n}@example.org","age":{n}}}"#);
            c.call(&["DOC.SET", &format!("users:{n}"), &document]);
        }
        ok(c, USERS);
        assert_eq!(c.int(&["DOC.COUNT", "users", "WHERE", "age >= 40"]), 10);
        assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
    });
}

#[test]
fn dropping_a_declaration_keeps_the_documents() {
    over_both(|c| {
        ok(c, USERS);
        c.call(&["DOC.SET", "users:1", r#"{"email":"a"}"#]);
        ok(c, &["DOC.DROP", "users"]);
        assert_eq!(c.int(&["DOC.COUNT", "users"]), 1);
        // Nothing is required any more.
        c.call(&["DOC.SET", "users:2", "{}"]);
        assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
    });
}

#[test]
fn info_counts_documents() {
    over_both(|c| {
        ok(c, USERS);
        c.call(&["DOC.SET", "users:1", r#"{"email":"a"}"#]);
        assert_eq!(c.map(&["DOC.INFO", "users"])["documents"], Value::Int(1));
    });
}

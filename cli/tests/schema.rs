//! `folio schema`.

use std::path::{Path, PathBuf};

use folio_tests::{Client, Server};
use serde_json::Value as Json;

use crate::tool::run;

const USERS: &str = r#"{"collection":"users","fields":[{"path":"email","type":"string","required":true,"unique":true},
    {"path":"age","type":"int","index":"sorted"},{"path":"nick","type":"string"}]}"#;

/// A folder with one file.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("users.schema.json");
    std::fs::write(&file, text).expect("a file");
    (folder, file)
}

fn schema(url: &str, what: &str, file: &Path, more: &[&str]) -> crate::tool::Ran {
    let mut words = vec!["schema", what, file.to_str().expect("a path of letters")];
    words.extend(more);
    run(url, &words)
}

fn held(client: &mut Client, collection: &str) -> Json {
    client.json(&["DOC.SCHEMA", collection])
}

/// Documents enough for a declaration to be built in slices.
fn fill(client: &mut Client, count: usize) {
    for chunk in (0..count).collect::<Vec<_>>().chunks(500) {
        let mut command = vec!["DOC.MSET".to_owned()];
        for number in chunk {
            command.push(format!("users:{number}"));
            command.push(format!(r#"{{"email":"u{number}@x","age":{}}}"#, number % 90));
        }
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        client.call(&words);
    }
}

#[test]
fn a_file_is_declared_once_and_stays_so() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    let (_folder, file) = file(USERS);
    let missing = schema(url, "diff", &file, &[]);
    assert_eq!(missing.code, 4, "{missing:?}");
    assert!(missing.out.starts_with("users: not declared; DOC.CREATE declares 3 fields"));

    let tried = schema(url, "apply", &file, &["--dry-run"]);
    assert_eq!(tried.code, 4, "{tried:?}");
    assert!(client.try_call(&["DOC.SCHEMA", "users"]).is_err(), "a dry run declares nothing");

    let applied = schema(url, "apply", &file, &[]);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert_eq!(held(&mut client, "users")["fields"][1]["index"], "sorted");
    for what in ["diff", "apply"] {
        let again = schema(url, what, &file, &[]);
        assert_eq!((again.code, again.out.as_str()), (0, "users: declared so\n"), "{what}");
    }

    // What `show` prints is a file that differs in nothing.
    let shown = run(url, &["schema", "show", "users"]);
    std::fs::write(&file, &shown.out).unwrap();
    assert_eq!(schema(url, "diff", &file, &[]).code, 0, "{}", shown.out);
    let all = run(url, &["schema", "show"]);
    std::fs::write(&file, &all.out).unwrap();
    assert_eq!(schema(url, "diff", &file, &[]).code, 0, "{}", all.out);
}

#[test]
fn what_differs_is_told_and_declared_over_documents() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    let (_folder, file) = file(USERS);
    assert_eq!(schema(url, "apply", &file, &[]).code, 0);
    fill(&mut client, 3_000);
    let wider = USERS.replace(
        r#"{"path":"nick","type":"string"}]"#,
        r#"{"path":"nick","type":"string","maxlen":9},{"path":"city","type":"string","index":"set"}],
           "indexes":[{"name":"by_age","on":[{"path":"age","order":"desc"},{"path":"email"}]}],"mode":"open","ttl":0"#,
    );
    std::fs::write(&file, &wider).unwrap();
    let told = schema(url, "diff", &file, &[]);
    let expected = "users: 3 differences; one DOC.ALTER does it\n  \
        ~ field nick: string -> string MAXLEN 9  (judges 3000 documents)\n  \
        + field city: string INDEX set  (builds over 3000 documents)\n  \
        + index by_age: ON [{\"order\":\"desc\",\"path\":\"age\"},{\"path\":\"email\"}]  (builds over 3000 documents)\n";
    assert_eq!((told.code, told.out.as_str()), (4, expected));
    let applied = schema(url, "apply", &file, &["--json"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    let outcome: Json = serde_json::from_str(&applied.out).unwrap();
    assert_eq!(outcome["collections"][0]["state"], "same");
    assert_eq!(held(&mut client, "users")["indexes"][0]["name"], "by_age");
    assert_eq!(schema(url, "diff", &file, &[]).code, 0);
}

#[test]
fn nothing_is_taken_away_unless_it_may_be() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    let (_folder, file) = file(USERS);
    assert_eq!(schema(url, "apply", &file, &[]).code, 0);
    let before = held(&mut client, "users");
    let narrower = r#"{"collection":"users","fields":[{"path":"email","type":"string"}]}"#;
    std::fs::write(&file, narrower).unwrap();
    let told = schema(url, "diff", &file, &["--json"]);
    let told: Json = serde_json::from_str(&told.out).unwrap();
    let changes = told["collections"][0]["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| change["effect"] == "destructive"), "{changes:?}");
    assert_eq!(changes.len(), 3);
    let refused = schema(url, "apply", &file, &["--yes"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("--allow-drop permits it"), "{}", refused.err);
    assert_eq!(held(&mut client, "users"), before);
    let applied = schema(url, "apply", &file, &["--allow-drop"]);
    assert_eq!(applied.code, 0, "{applied:?}");
    assert_eq!(held(&mut client, "users")["fields"].as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_declared_changes_nothing() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    let (folder, file) = file(USERS);
    assert_eq!(schema(url, "apply", &file, &[]).code, 0);
    let before = held(&mut client, "users");
    let other = USERS.replace(r#""users","#, r#""users","prefix":"u:","#);
    std::fs::write(&file, other).unwrap();
    // Nor is what stands beside it.
    let fresh = r#"{"collection":"orders","fields":[]}"#;
    std::fs::write(folder.path().join("orders.json"), fresh).unwrap();
    let refused = schema(url, "apply", folder.path(), &["--allow-drop"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("users: no declaration can do it"), "{}", refused.err);
    assert!(refused.out.contains("a prefix stays"), "{}", refused.out);
    assert_eq!(held(&mut client, "users"), before);
    assert!(client.try_call(&["DOC.SCHEMA", "orders"]).is_err());
}

#[test]
fn the_server_says_which_documents_are_in_the_way() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    client.call(&["DOC.SET", "users:1", r#"{"age":7}"#]);
    let (_folder, file) = file(USERS);
    let told = schema(url, "diff", &file, &[]);
    assert!(told.out.contains("over 1 documents that are there"), "{}", told.out);
    let refused = schema(url, "apply", &file, &[]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("users:1") && refused.err.contains("email"), "{}", refused.err);
    client.call(&["DOC.SET", "users:1", r#"{"age":7,"email":"a@x"}"#]);
    assert_eq!(schema(url, "apply", &file, &[]).code, 0);
}

#[test]
fn migrations_that_a_file_says_nothing_of_stay() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    client.call(&["DOC.FUNCTION", "LOAD", "up", "return {n = 1}"]);
    let (_folder, file) = file(USERS);
    assert_eq!(schema(url, "apply", &file, &[]).code, 0);
    client.call(&["DOC.ALTER", "users", "ADD", "MIGRATION", "1", "UP", "up"]);
    client.call(&["DOC.MIGRATE", "users", "TO", "1"]);
    assert_eq!(schema(url, "diff", &file, &[]).code, 0);
    let strict = USERS.replace(r#""users","#, r#""users","mode":"strict","#);
    std::fs::write(&file, strict).unwrap();
    assert_eq!(schema(url, "apply", &file, &[]).code, 0);
    let now = held(&mut client, "users");
    assert_eq!((&now["schema"], &now["migrations"][0]["up"]), (&1.into(), &"up".into()));
    // The version in force is not declared.
    let back = run(url, &["schema", "show", "users"]).out.replace("\"schema\": 1", "\"schema\": 0");
    let back = back.replace("\"mode\": \"strict\"", "\"mode\": \"open\"");
    std::fs::write(&file, back.replace("\"schema\": 0", "\"schema\": 2")).unwrap();
    let told = schema(url, "apply", &file, &[]);
    assert_eq!(told.code, 4, "{told:?}");
    assert!(told.out.contains("DOC.MIGRATE users TO 2"), "{}", told.out);
    let now = held(&mut client, "users");
    assert_eq!((&now["schema"], &now["mode"]), (&1.into(), &"open".into()));
}

#[test]
fn files_that_make_no_sense_are_told() {
    let (folder, file) = file("{");
    let nowhere = "redis://127.0.0.1:1";
    let refused = schema(nowhere, "diff", &file, &[]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("users.schema.json: EOF while parsing"), "{}", refused.err);
    std::fs::write(&file, format!("[{USERS},{USERS}]")).unwrap();
    let refused = schema(nowhere, "apply", folder.path(), &[]);
    assert!(refused.err.contains("collection users is declared in"), "{}", refused.err);
    std::fs::write(&file, USERS).unwrap();
    assert_eq!(schema(nowhere, "apply", &file, &[]).code, 3);
}

#[test]
fn a_build_need_not_be_waited_for() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    fill(&mut client, 5_000);
    client.call(&["CONFIG", "SET", "folio.build-slice-us", "0"]);
    let (_folder, file) = file(USERS);
    let begun = schema(url, "apply", &file, &["--no-wait"]);
    assert_eq!(begun.code, 0, "{begun:?}");
    assert!(begun.err.contains("users: being built"), "{}", begun.err);
    assert_eq!(schema(url, "diff", &file, &[]).code, 4, "it is not in force yet");
    client.call(&["CONFIG", "SET", "folio.build-slice-us", "1000"]);
    let is_done = || schema(url, "diff", &file, &[]).code == 0;
    assert!((0..100).any(|_| is_done()), "it is in force some day");
}

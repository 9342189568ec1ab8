//! `folio verify`.

use folio_engine::planted::Fault;
use folio_tests::Options;
use folio_tests::planted::with_fault;

use crate::query::users;
use crate::tool::run;

#[test]
fn a_sound_server_has_no_differences() {
    let server = users();
    let ran = run(server.url(), &["verify"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("│ users      ┆ 3         ┆ 0           │"), "{ran:?}");
    let ran = run(server.url(), &["verify", "nobody"]);
    assert_eq!(ran.code, 1, "{ran:?}");
}

#[test]
fn two_servers_are_compared() {
    let (server, other) = (users(), users());
    let words = ["verify", "--against", other.url(), "--json"];
    let ran = run(server.url(), &words);
    let found: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    // The same commands at other times.
    let differences = found[0]["differences"].as_array().expect("a list");
    assert!(differences.len() == 1 && ran.code == 4, "{ran:?}");
    assert!(differences[0].as_str().is_some_and(|it| it.starts_with("times: ")), "{ran:?}");

    other.resp3().call(&["DOC.UPDATE", "users:1", "SET", "age", "99"]);
    let ran = run(server.url(), &words);
    assert!(ran.out.contains("index age (sorted): ") && ran.out.contains("documents: "), "{ran:?}");
}

#[test]
fn a_defect_is_reported() {
    let server = with_fault(Options::new(), Fault::MultiValue).start();
    let mut client = server.resp3();
    client.call(&["DOC.CREATE", "posts", "FIELD", "tags", "array<string>", "INDEX", "SET"]);
    client.call(&["DOC.SET", "posts:1", r#"{"tags":["a","b","c"]}"#]);
    client.call(&["DOC.UPDATE", "posts:1", "SET", "tags", "[]"]);
    let ran = run(server.url(), &["verify"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let told = ran.out.lines().last().unwrap_or_default();
    assert!(told.starts_with("posts: ") && told.contains("tags"), "{ran:?}");
}

//! A build that is cut short leaves the old definition, in files and after a defect.

use folio_tests::builds::{Build, CREATE, DOCUMENTS, done, fill, pace};
use folio_tests::planted::faulty;
use folio_tests::{Client, Options, Server};
use redis::Value;

/// The old state, whole, of which nothing is being built.
fn is_old(c: &mut Client) {
    let schema = c.text(&["DOC.SCHEMA", "t"]).unwrap_or_default();
    assert!(!schema.contains("mail"), "{schema}");
    assert_eq!(c.int(&["DOC.COUNT", "t"]), DOCUMENTS as i64);
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
    assert_eq!(c.info_number("folio", "folio_builds"), 0);
    c.call(&["DOC.SET", "t:1", r#"{"n":"no build judges this"}"#]);
    c.call(&["DOC.SET", "t:1", r#"{"n":1,"mail":"1@example.org","tags":[],"s":""}"#]);
}

fn is_new(server: &Server) {
    let mut c = server.resp2();
    assert!(c.text(&["DOC.SCHEMA", "t"]).unwrap_or_default().contains("mail"));
    assert_eq!(c.int(&["DOC.COUNT", "t", "WHERE", "n = 7"]), DOCUMENTS as i64 / 100);
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
}

#[test]
fn a_crash_before_the_end_leaves_the_old_definition_and_one_after_it_the_new() {
    let mut server = Options::new().appendonly().config("appendfsync", "always").start();
    fill(&server);
    let build = Build::halfway(&server, CREATE);
    server.kill();
    assert!(build.answer().is_err());
    server.start_again();
    is_old(&mut server.resp2());
    assert_eq!(Build::send(&server, CREATE).answer(), Ok(Value::Okay));
    let digest = server.resp3().call(&["DOC.VERIFY", "t", "DIGEST"]);
    server.kill();
    server.start_again();
    is_new(&server);
    assert_eq!(server.resp3().call(&["DOC.VERIFY", "t", "DIGEST"]), digest);
}

#[test]
fn a_save_and_a_rewrite_during_a_build_have_the_old_definition() {
    for appendonly in [false, true] {
        let options = Options::new();
        let mut server = if appendonly { options.appendonly() } else { options }.start();
        fill(&server);
        let build = Build::halfway(&server, CREATE);
        server.restart();
        assert!(build.answer().is_err());
        is_old(&mut server.resp2());
        let build = Build::halfway(&server, CREATE);
        if appendonly {
            server.resp2().call(&["BGREWRITEAOF"]);
        }
        assert_eq!(build.end(&server), Ok(Value::Okay));
        is_new(&server);
        server.restart();
        is_new(&server);
    }
}

#[test]
fn loading_everything_anew_gives_a_build_up() {
    let server = Server::start();
    fill(&server);
    let build = Build::halfway(&server, CREATE);
    server.resp2().call(&["DEBUG", "RELOAD"]);
    let error = build.answer().expect_err("its documents are others");
    assert!(error.contains("BUILDING") && error.contains("loaded anew"), "{error}");
    is_old(&mut server.resp2());
    assert_eq!(Build::halfway(&server, CREATE).end(&server), Ok(Value::Okay));
    is_new(&server);
}

#[test]
fn a_defect_gives_a_build_up() {
    let server = faulty(Options::new()).start();
    let mut c = server.resp2();
    fill(&server);
    // In another command.
    let build = Build::halfway(&server, CREATE);
    c.error(&["DOC._PANIC", "INSIDE", "t:1", r#"{"n":1}"#]);
    let error = build.answer().expect_err("nothing but documents is believed");
    assert!(error.contains("BUILDING"), "{error}");
    is_old(&mut c);
    // In a slice.
    let build = Build::halfway(&server, CREATE);
    c.call(&["DOC._PANIC", "AT", "200"]);
    pace(&mut c, "1000");
    let error = build.answer().expect_err("a defect is no success");
    assert!(error.contains("INTERNAL"), "{error}");
    is_old(&mut c);
    assert!(done(&mut c, "t").is_none());
    assert_eq!(Build::send(&server, CREATE).answer(), Ok(Value::Okay));
    is_new(&server);
}

#[test]
fn a_changed_declaration_is_kept_and_one_that_was_not_yet_is_not() {
    for appendonly in [false, true] {
        let options = Options::new();
        let mut server = if appendonly { options.appendonly() } else { options }.start();
        fill(&server);
        assert_eq!(Build::send(&server, CREATE).answer(), Ok(Value::Okay));
        let alter = ["DOC.ALTER", "t", "ADD", "FIELD", "s", "string", "INDEX", "SUBSTRING"];
        assert_eq!(Build::send(&server, &alter).answer(), Ok(Value::Okay));
        let held = |server: &Server| {
            let mut c = server.resp3();
            assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
            [c.call(&["DOC.SCHEMA", "t"]), c.call(&["DOC.VERIFY", "t", "DIGEST"])]
        };
        let before = held(&server);
        for command in [&["DOC.ALTER", "t", "DROP", "FIELD", "s"][..], &["DOC.REINDEX", "t"]] {
            let build = Build::halfway(&server, command);
            server.restart();
            assert!(build.answer().is_err());
            assert_eq!(held(&server), before, "{appendonly}");
        }
    }
}

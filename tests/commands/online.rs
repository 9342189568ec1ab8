//! Declarations over many documents: built between other commands, or in one stop where a client cannot wait.

use folio_tests::builds::{Build, CREATE, DOCUMENTS, done, fill, pace, state};
use folio_tests::replica::wait_until;
use folio_tests::{Client, Server, reply};
use redis::Value;

/// Everything that one can ask about the documents, with its answer.
fn held(c: &mut Client) -> Vec<Value> {
    let questions = [
        "DOC.SCHEMA t",
        "DOC.VERIFY t",
        "DOC.COUNT t",
        "DOC.FIND t WHERE n=7 WITHVERSION",
        "DOC.FIND t ORDER 1 n LIMIT 0 40",
        "DOC.EXPLAIN t FIND WHERE n=7",
    ];
    let mut answers: Vec<Value> =
        questions.map(|it| c.call(&it.split(' ').collect::<Vec<_>>())).into();
    let digest = c.map(&["DOC.VERIFY", "t", "DIGEST"]);
    answers.extend([digest["documents"].clone(), digest["indexes"].clone()]);
    let info = c.map(&["DOC.INFO", "t"]);
    answers.extend(["version", "seq", "invalid", "declared"].map(|line| info[line].clone()));
    answers
}

/// Changes of every kind, which both declarations allow.
fn change(c: &mut Client) {
    for n in (0..DOCUMENTS).step_by(7) {
        c.call(&["DOC.UPDATE", &format!("t:{n}"), "SET", "n", "1000", "UNSET", "tags"]);
    }
    for n in (0..DOCUMENTS).step_by(11) {
        c.call(&["DEL", &format!("t:{n}")]);
    }
    for n in (1..DOCUMENTS).step_by(13) {
        c.call(&[
            "RENAME",
            &format!("t:{}", if n % 11 == 0 { n + 1 } else { n }),
            &format!("t:r{n}"),
        ]);
    }
    for n in 0..50 {
        let text = format!(r#"{{"n":{n},"mail":"new {n}"}}"#);
        c.call(&["DOC.SET", &format!("t:new{n}"), &text, "EX", "5000"]);
    }
    c.call(&["PEXPIRE", "t:new3", "1"]);
    wait_until("it has lapsed", || c.text(&["DOC.GET", "t:new3"]).is_none());
}

#[test]
fn what_is_built_between_commands_is_what_one_stop_makes() {
    let (server, stopped) = (Server::start(), Server::start());
    let (mut c, mut other) = (server.resp3(), stopped.resp3());
    fill(&server);
    fill(&stopped);
    let build = Build::halfway(&server, CREATE);
    let mut old = server.resp2();
    assert!(done(&mut old, "t").is_some_and(|done| done < DOCUMENTS as i64));
    assert_eq!(c.map(&["DOC.INFO", "t"])["declared"], Value::Int(0));
    assert_eq!(c.info_number("folio", "folio_builds"), 1);
    assert!(!c.text(&["DOC.SCHEMA", "t"]).unwrap_or_default().contains("mail"));
    let plan = format!("{:?}", c.call(&["DOC.EXPLAIN", "t", "COUNT", "WHERE", "n = 7"]));
    assert!(plan.contains("scan"), "{plan}");
    change(&mut c);
    change(&mut other);
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]), "of the build, too");
    assert!(!build.is_answered());
    assert_eq!(build.end(&server), Ok(Value::Okay));
    for command in [&["MULTI"][..], CREATE, &["EXEC"]] {
        other.call(command);
    }
    assert_eq!(held(&mut c), held(&mut other));
    assert_eq!(c.info_number("folio", "folio_builds"), 0);
    assert!(state(&mut old, "t").is_none());
    c.call(&["DOC.DROP", "t"]);
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
}

#[test]
fn writes_are_judged_by_the_new_declaration_from_the_start() {
    let server = Server::start();
    fill(&server);
    let mut c = server.resp3();
    let build = Build::halfway(&server, CREATE);
    let error = c.error(&["DOC.SET", "t:x", r#"{"n":"text"}"#]);
    assert_eq!(error, "SCHEMA field n is declared int, found \"text\"");
    let error = c.error(&["DOC.UPDATE", "t:2999", "SET", "n", "1.5"]);
    assert_eq!(error, "SCHEMA field n is declared int, found 1.5");
    let error = c.error(&["DOC.SET", "t:x", r#"{"mail":"3@example.org"}"#]);
    assert_eq!(error, "UNIQUE the value at mail is held by t:3");
    // A document that was not reached yet is found when it is.
    c.call(&["DOC.SET", "t:x", r#"{"mail":"2990@example.org"}"#]);
    let error = build.end(&server).expect_err("two documents have one address");
    assert!(error.contains("UNIQUE"), "{error}");
    assert!(error.contains("documents hold the same value at mail (t:2990, t:x)"), "{error}");
    assert_eq!(c.map(&["DOC.INFO", "t"])["declared"], Value::Int(0));
    c.call(&["DOC.SET", "t:y", r#"{"n":"text","mail":"3@example.org"}"#]);
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
}

#[test]
fn the_first_offenders_are_named_unless_they_are_mended_before_the_end() {
    let server = Server::start();
    fill(&server);
    let mut c = server.resp3();
    for n in 100..115 {
        c.call(&["DOC.UPDATE", &format!("t:{n}"), "SET", "n", "\"text\""]);
    }
    let refused = Build::send(&server, CREATE).answer().expect_err("fifteen break it");
    let named: Vec<String> = (100..110).map(|n| format!("t:{n}")).collect();
    let expected =
        format!("field n is declared int, found \"text\" ({} and 5 more)", named.join(", "));
    assert!(refused.contains("SCHEMA") && refused.contains(&expected), "{refused}");
    // In one stop it is said in the same words.
    let commands = format!("return redis.pcall('{}')", CREATE.join("','"));
    assert_eq!(c.error(&["EVAL", &commands, "0"]), format!("SCHEMA {expected}"));
    assert_eq!(c.map(&["DOC.INFO", "t"])["declared"], Value::Int(0));
    let build = Build::halfway(&server, CREATE);
    for n in 100..115 {
        c.call(&["DOC.UPDATE", &format!("t:{n}"), "SET", "n", "5"]);
    }
    assert_eq!(build.end(&server), Ok(Value::Okay));
}

#[test]
fn transactions_and_scripts_declare_in_one_stop() {
    let server = Server::start();
    let mut c = server.resp2();
    pace(&mut c, "0");
    for how in ["MULTI", "EVAL"] {
        fill(&server);
        if how == "MULTI" {
            for command in [&["MULTI"][..], CREATE, &["DOC.COUNT", "t", "WHERE", "n = 7"]] {
                c.call(command);
            }
            let answer = c.call(&["EXEC"]);
            assert_eq!(answer, Value::Array(vec![Value::Okay, Value::Int(DOCUMENTS as i64 / 100)]));
        } else {
            let script = format!(
                "redis.call('{}') return redis.call('DOC.COUNT', 't', 'WHERE', 'n = 7')",
                CREATE.join("','")
            );
            assert_eq!(c.int(&["EVAL", &script, "0"]), DOCUMENTS as i64 / 100, "{how}");
        }
        c.call(&["DOC.DROP", "t"]);
    }
}

#[test]
fn a_second_declaration_is_refused_and_a_drop_ends_the_build() {
    let server = Server::start();
    fill(&server);
    let mut c = server.resp3();
    let build = Build::halfway(&server, CREATE);
    let told = "BUILDING a declaration of collection 't' is being built";
    assert_eq!(c.error(CREATE), told);
    assert_eq!(c.error(&["DOC.CREATE", "t"]), told);
    assert_eq!(c.error(&["DOC.CREATE", "part", "PREFIX", "t:1"]), told);
    c.call(&["DOC.CREATE", "another", "PREFIX", "tt:"]);
    assert_eq!(c.text(&["DOC.DROP", "t"]).as_deref(), Some("OK"));
    let error = build.end(&server).expect_err("it was dropped");
    let told = "the declaration of collection 't' was given up: it was dropped or declared anew, or all data were loaded anew";
    assert!(error.contains("BUILDING") && error.contains(told), "{error}");
    assert_eq!(c.int(&["DOC.COUNT", "t"]), DOCUMENTS as i64);
    assert_eq!(Build::send(&server, CREATE).answer(), Ok(Value::Okay));
    fill(&server);
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
}

#[test]
fn a_build_over_documents_that_are_flushed_ends_over_none() {
    let server = Server::start();
    let mut c = server.resp3();
    for flush in ["FLUSHDB", "FLUSHALL"] {
        fill(&server);
        let build = Build::halfway(&server, CREATE);
        c.call(&[flush]);
        assert_eq!(build.answer(), Ok(Value::Okay), "{flush}");
        assert!(c.text(&["DOC.SCHEMA", "t"]).unwrap_or_default().contains("mail"), "{flush}");
        assert_eq!(c.int(&["DOC.COUNT", "t"]), 0);
        fill(&server);
        assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
        c.call(&["DOC.DROP", "t", "DOCUMENTS"]);
    }
}

#[test]
fn a_build_follows_its_collection_into_another_database() {
    let server = Server::start();
    let mut c = server.resp3();
    fill(&server);
    let build = Build::halfway(&server, CREATE);
    c.call(&["SWAPDB", "0", "1"]);
    fill(&server);
    c.call(&["COPY", "t:2999", "t:copied", "DB", "1"]);
    c.call(&["MOVE", "t:2", "1"]);
    let error = build.end(&server).expect_err("the copy has an address twice");
    assert!(error.contains("mail (t:2999, t:copied)"), "{error}");
    c.call(&["SELECT", "1"]);
    c.call(&["DEL", "t:copied"]);
    assert_eq!(c.text(CREATE).as_deref(), Some("OK"));
    assert_eq!(c.int(&["DOC.COUNT", "t", "WHERE", "n = 7"]), DOCUMENTS as i64 / 100);
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
    c.call(&["SELECT", "0"]);
    assert_eq!(c.map(&["DOC.INFO", "t"])["declared"], Value::Int(0));
    // The key that was to be moved was there already.
    assert_eq!(c.int(&["DOC.COUNT", "t"]), DOCUMENTS as i64);
}

#[test]
fn a_build_goes_on_when_its_client_goes_away() {
    let server = Server::start();
    fill(&server);
    let mut c = server.resp2();
    let build = Build::halfway(&server, CREATE);
    let clients = c.text(&["CLIENT", "LIST"]).unwrap_or_default();
    let blocked = clients
        .lines()
        .find(|line| line.to_lowercase().contains("cmd=doc.create"))
        .unwrap_or_default();
    let id = blocked.split(['=', ' ']).nth(1).unwrap_or_default();
    assert_eq!(c.int(&["CLIENT", "UNBLOCK", id]), 0, "it cannot be let go by others");
    assert_eq!(c.int(&["CLIENT", "KILL", "ID", id]), 1);
    assert!(build.answer().is_err());
    pace(&mut c, "1000");
    wait_until("it is declared", || c.info_number("folio", "folio_builds") == 0);
    assert!(c.text(&["DOC.SCHEMA", "t"]).unwrap_or_default().contains("mail"));
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
}

#[test]
fn a_pause_of_writes_puts_the_end_off() {
    let server = Server::start();
    fill(&server);
    let mut c = server.resp2();
    let build = Build::halfway(&server, CREATE);
    c.call(&["CLIENT", "PAUSE", "600000", "WRITE"]);
    pace(&mut c, "1000");
    wait_until("all are done", || done(&mut c, "t") == Some(DOCUMENTS as i64));
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert!(!build.is_answered());
    assert!(!c.text(&["DOC.SCHEMA", "t"]).unwrap_or_default().contains("mail"));
    c.call(&["CLIENT", "UNPAUSE"]);
    assert_eq!(build.answer(), Ok(Value::Okay));
    assert_eq!(c.int(&["DOC.COUNT", "t", "WHERE", "n = 7"]), DOCUMENTS as i64 / 100);
}

#[test]
fn few_documents_and_those_that_have_to_move_are_indexed_in_one_stop() {
    let server = Server::start();
    let mut c = server.resp2();
    pace(&mut c, "0");
    fill(&server);
    c.call(&["DOC.CREATE", "ten", "PREFIX", "t:1", "FIELD", "n", "int", "INDEX", "SORTED"]);
    assert_eq!(c.int(&["DOC.COUNT", "ten", "WHERE", "n >= 0"]), 1_110);
    for n in 0..999 {
        c.call(&["DOC.SET", &format!("few:{n}"), r#"{"n":1}"#]);
    }
    c.call(&["DOC.CREATE", "few", "FIELD", "n", "int", "INDEX", "SET"]);
    assert_eq!(c.int(&["DOC.COUNT", "few", "WHERE", "n = 1"]), 999);
}

fn declared(server: &Server) {
    fill(server);
    assert_eq!(Build::send(server, CREATE).answer(), Ok(Value::Okay));
}

#[test]
fn a_declaration_is_changed_between_commands() {
    let (server, fresh) = (Server::start(), Server::start());
    declared(&server);
    let mut c = server.resp3();
    let alter = "DOC.ALTER t DROP FIELD tags ADD FIELD s string INDEX SET DROP INDEX pair ADD INDEX each ON 2 tags[*] n";
    let alter: Vec<&str> = alter.split(' ').collect();
    let build = Build::halfway(&server, &alter);
    let mut old = server.resp2();
    assert!(c.text(&["DOC.SCHEMA", "t"]).unwrap_or_default().contains("pair"));
    let find = ["DOC.COUNT", "t", "WHERE", "s = 'word 3'"];
    assert!(c.int(&find) > 100, "the old declaration answers");
    change(&mut c);
    let error = c.error(&["DOC.SET", "t:x", r#"{"s":5}"#]);
    assert_eq!(error, "SCHEMA field s is declared string, found 5");
    let error = c.error(&["DOC.SET", "t:x", r#"{"tags":5}"#]);
    assert_eq!(error, "SCHEMA field tags is declared array<string>, found 5");
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
    assert_eq!(build.end(&server), Ok(Value::Okay));
    assert!(state(&mut old, "t").is_none());
    let plan = format!("{:?}", c.call(&[&["DOC.EXPLAIN", "t", "COUNT"], &find[2..]].concat()));
    assert!(plan.contains("set index"), "{plan}");
    // What came of it is what one would have declared from the start.
    let schema = c.text(&["DOC.SCHEMA", "t"]).unwrap_or_default();
    let mut other = fresh.resp3();
    fill(&fresh);
    change(&mut other);
    assert_eq!(other.text(&["DOC.CREATE", "t", "DEFINITION", &schema]).as_deref(), Some("OK"));
    assert_eq!(held(&mut c), held(&mut other));
    // The same again changes nothing.
    let same = ["DOC.ALTER", "t", "DEFINITION", &schema];
    assert_eq!(c.text(&same).as_deref(), Some("OK"));
}

#[test]
fn a_change_that_documents_break_names_the_first_ten() {
    let server = Server::start();
    declared(&server);
    let mut c = server.resp3();
    let before = held(&mut c);
    let ten = |keys: &str| format!("({keys} and 2990 more)");
    let first = ten("t:0, t:1, t:2, t:3, t:4, t:5, t:6, t:7, t:8, t:9");
    for (change, code, what) in [
        ("ADD FIELD s int", "SCHEMA", format!("field s is declared int, found \"word 0\" {first}")),
        ("ADD FIELD x int REQUIRED", "SCHEMA", format!("field x is required, and missing {first}")),
        (
            "DROP INDEX pair SET MODE STRICT",
            "SCHEMA",
            format!("member s is not declared, and the collection is STRICT {first}"),
        ),
        (
            "ADD INDEX once ON 1 n UNIQUE",
            "UNIQUE",
            format!("documents hold the same value at n {first}"),
        ),
    ] {
        let command: Vec<&str> = ["DOC.ALTER", "t"].into_iter().chain(change.split(' ')).collect();
        assert_eq!(c.error(&command), format!("{code} {what}"));
        // In one stop as well.
        let script = format!("return redis.pcall('{}')", command.join("','"));
        assert_eq!(c.error(&["EVAL", &script, "0"]), format!("{code} {what}"));
        assert_eq!(held(&mut c), before, "{change}");
    }
    // What the server itself brought against the declaration is in nobody's way.
    c.call(&["COPY", "t:1", "t:copy"]);
    c.call(&["DOC.ALTER", "t", "ADD", "INDEX", "more", "ON", "1", "s"]);
    assert_eq!(c.map(&["DOC.INFO", "t"])["invalid"], Value::Int(2));
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
    for (change, error) in [
        ("ADD FIELD n int", "SCHEMA field n is declared twice, first as n"),
        ("DROP FIELD x", "SCHEMA field x is not declared"),
        ("DROP INDEX x", "SCHEMA index 'x' is not declared"),
        ("SET PREFIX x", "ERR SET takes MODE, TTL, IDS, CHANGES or VALIDATE, not 'PREFIX'"),
    ] {
        let command: Vec<&str> = ["DOC.ALTER", "t"].into_iter().chain(change.split(' ')).collect();
        assert_eq!(c.error(&command), error);
    }
    c.call(&["DOC.SET", "open:1", "{}"]);
    let error = c.error(&["DOC.ALTER", "open", "SET", "MODE", "STRICT"]);
    assert_eq!(error, "NOCOLLECTION collection 'open' is not declared: DOC.CREATE declares it");
}

#[test]
fn indexes_that_stay_are_not_built_again_unless_all_are_asked_for() {
    let server = Server::start();
    declared(&server);
    let mut c = server.resp3();
    let bytes = |c: &mut Client| {
        let state = state(c, "t").expect("it is being built");
        reply::map(redis::ProtocolVersion::RESP2, state).remove("bytes")
    };
    let build = Build::halfway(&server, &["DOC.ALTER", "t", "DROP", "INDEX", "pair"]);
    assert_eq!(bytes(&mut server.resp2()), Some(Value::Int(0)));
    assert_eq!(build.end(&server), Ok(Value::Okay));
    let before = held(&mut c);
    let build = Build::halfway(&server, &["DOC.REINDEX", "t"]);
    assert_ne!(bytes(&mut server.resp2()), Some(Value::Int(0)));
    let told = "BUILDING a declaration of collection 't' is being built";
    assert_eq!(c.error(&["DOC.REINDEX", "t"]), told);
    assert_eq!(c.error(&["DOC.ALTER", "t", "SET", "MODE", "STRICT"]), told);
    assert_eq!(build.end(&server), Ok(Value::Okay));
    assert_eq!(held(&mut c), before);
    for command in [&["MULTI"][..], &["DOC.REINDEX", "t"], &["EXEC"]] {
        c.call(command);
    }
    assert_eq!(held(&mut c), before);
    // A conflict that the server made is no reason not to.
    c.call(&["COPY", "t:1", "t:copy"]);
    assert_eq!(c.text(&["DOC.REINDEX", "t"]).as_deref(), Some("OK"));
    let build = Build::halfway(&server, &["DOC.REINDEX", "t"]);
    c.call(&["DOC.DROP", "t"]);
    assert!(build.end(&server).expect_err("it is gone").contains("BUILDING"));
    assert!(c.error(&["DOC.REINDEX", "t"]).starts_with("NOCOLLECTION "));
}

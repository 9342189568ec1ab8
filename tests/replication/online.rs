//! A declaration that is built on a primary reaches its replicas when it is done; a change of roles gives it up.

use folio_tests::Server;
use folio_tests::builds::{Build, CREATE, DOCUMENTS, fill, state};
use folio_tests::replica::{follow, in_sync, wait_until};
use redis::Value;

use super::world::options;

fn declares_mail(server: &Server) -> bool {
    server.resp2().text(&["DOC.SCHEMA", "t"]).unwrap_or_default().contains("mail")
}

/// All that two servers can be compared by.
fn held(server: &Server) -> Vec<Value> {
    let mut c = server.resp3();
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
    let info = c.map(&["DOC.INFO", "t"]);
    let mut held = vec![c.call(&["DOC.VERIFY", "t", "DIGEST"]), c.call(&["DOC.SCHEMA", "t"])];
    held.extend(["version", "seq", "documents", "declared"].map(|line| info[line].clone()));
    held
}

#[test]
fn a_replica_declares_when_its_primary_has() {
    let (primary, replica) = (options().start(), options().start());
    fill(&primary);
    follow(&replica, &primary);
    in_sync(&primary, &replica);
    let build = Build::halfway(&primary, CREATE);
    let mut p = primary.resp2();
    for n in 0..200 {
        p.call(&["DOC.SET", &format!("t:new{n}"), &format!(r#"{{"n":{n},"mail":"{n}@new"}}"#)]);
        p.call(&["RENAME", &format!("t:{n}"), &format!("t:renamed{n}")]);
        p.call(&["DEL", &format!("t:{}", n + 1_000)]);
    }
    in_sync(&primary, &replica);
    assert!(!declares_mail(&replica));
    // A full sync meanwhile has the old definition too.
    let late = options().start();
    follow(&late, &primary);
    in_sync(&primary, &late);
    assert!(!declares_mail(&late));
    assert_eq!(build.end(&primary), Ok(Value::Okay));
    p.call(&["RENAME", "t:renamed3", "t:again"]);
    for replica in [&replica, &late] {
        in_sync(&primary, replica);
        assert!(declares_mail(replica));
        assert_eq!(held(replica), held(&primary));
    }
    let offered = replica.log().contains("CRITICAL") || late.log().contains("CRITICAL");
    assert!(!offered, "no effect was refused");
}

#[test]
fn what_is_emptied_while_it_is_built_goes_on_with_the_same_numbers_everywhere() {
    let (primary, replica) = (options().start(), options().start());
    follow(&replica, &primary);
    let mut p = primary.resp2();
    for n in 0..100 {
        p.call(&["DOC.SET", "other:1", &format!(r#"{{"n":{n}}}"#)]);
    }
    p.call(&["DEL", "other:1"]);
    fill(&primary);
    let build = Build::halfway(&primary, CREATE);
    let keys: Vec<String> = (1..DOCUMENTS).map(|n| format!("t:{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    p.call(&[&["DEL"], &keys[..]].concat());
    // The last one leaves, and comes again: on the replica the collection is founded anew.
    p.call(&["RENAME", "t:0", "x"]);
    p.call(&["RENAME", "x", "t:0"]);
    assert_eq!(build.end(&primary), Ok(Value::Okay));
    p.call(&["COPY", "t:0", "t:1"]);
    p.call(&["DEL", "t:0"]);
    p.call(&["RENAME", "t:1", "t:0"]);
    in_sync(&primary, &replica);
    assert_eq!(held(&replica), held(&primary));
}

#[test]
fn a_server_that_becomes_a_replica_gives_its_builds_up() {
    let (primary, other) = (options().start(), options().start());
    fill(&primary);
    fill(&other);
    let build = Build::halfway(&other, CREATE);
    let mut o = other.resp2();
    follow(&other, &primary);
    assert!(build.answer().is_err());
    wait_until("it is given up", || o.info_number("folio", "folio_builds") == 0);
    in_sync(&primary, &other);
    assert!(state(&mut o, "t").is_none());
    // A replica is not asked, not even one that is being written to.
    assert_eq!(Build::send(&primary, CREATE).answer(), Ok(Value::Okay));
    in_sync(&primary, &other);
    assert_eq!(held(&other), held(&primary));
    o.call(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(held(&other), held(&primary));
}

#[test]
fn a_changed_declaration_reaches_replicas_and_each_server_indexes_anew_by_itself() {
    let (primary, replica) = (options().start(), options().start());
    follow(&replica, &primary);
    fill(&primary);
    assert_eq!(Build::send(&primary, CREATE).answer(), Ok(Value::Okay));
    let alter = "DOC.ALTER t ADD INDEX s_n ON 2 s n DROP INDEX pair ADD FIELD s string";
    let build = Build::halfway(&primary, &alter.split(' ').collect::<Vec<_>>());
    let mut p = primary.resp2();
    // Redis brings what no declaration allows; the replica judges nothing.
    p.call(&["COPY", "t:1", "t:copy"]);
    p.call(&["DEL", "t:2"]);
    assert_eq!(build.end(&primary), Ok(Value::Okay));
    in_sync(&primary, &replica);
    assert_eq!(held(&replica), held(&primary));
    for server in [&primary, &replica] {
        let build = Build::halfway(server, &["DOC.REINDEX", "t"]);
        if server.url() == replica.url() {
            for n in 0..100 {
                p.call(&["DOC.UPDATE", &format!("t:{}", n + 5), "SET", "n", "7"]);
            }
            in_sync(&primary, &replica);
        }
        assert_eq!(build.end(server), Ok(Value::Okay));
    }
    in_sync(&primary, &replica);
    assert_eq!(held(&replica), held(&primary));
    // What the primary declares comes before what the replica is doing.
    let build = Build::halfway(&replica, &["DOC.REINDEX", "t"]);
    p.call(&["DOC.ALTER", "t", "DROP", "INDEX", "s_n"]);
    assert!(build.answer().expect_err("the primary decides").contains("BUILDING"));
    in_sync(&primary, &replica);
    assert_eq!(held(&replica), held(&primary));
    assert!(!replica.log().contains("CRITICAL"), "no effect was refused");
}

//! Rules that change while connections are open, users who come and go, and those whom no rule binds: the append-only file
//! and the primary.

use folio_tests::replica::{follow, wait_until};
use folio_tests::{Client, Options, Server};

const NOPERM: &str = "NOPERM this user may not read every key of collection 'users'";

fn world(server: &Server) -> Client {
    let mut admin = server.resp2();
    admin.call(&["DOC.CREATE", "users", "FIELD", "email", "string", "UNIQUE"]);
    admin.call(&["DOC.SET", "users:1", r#"{"email":"ada@x"}"#]);
    admin.call(&["DOC.SET", "users:2", r#"{"email":"eve@x"}"#]);
    admin
}

fn set_user(admin: &mut Client, name: &str, rules: &str) {
    let words = format!("ACL SETUSER {name} {rules}");
    admin.call(&words.split(' ').collect::<Vec<_>>());
}

fn log_in(server: &Server, name: &str) -> Client {
    let mut client = server.resp2();
    client.call(&["AUTH", name, "any"]);
    client
}

#[test]
fn a_change_of_rules_is_seen_by_the_next_command() {
    let server = Server::start();
    let mut admin = world(&server);
    set_user(&mut admin, "u", "on nopass +@all");
    let mut client = log_in(&server, "u");
    for _ in 0..50 {
        for (rules, may) in [
            ("~users:*", true),
            ("resetkeys", false),
            ("~users:1*", false),
            ("%R~u*", true),
            ("resetkeys %W~*", false),
            ("allkeys", true),
            ("resetkeys (+doc.count ~users:*)", true),
            ("clearselectors (+doc.find ~users:*)", false),
            ("-@all +doc.count ~users:*", true),
            ("reset on nopass +@all (~users:*)", false),
        ] {
            set_user(&mut admin, "u", rules);
            let answer = client.try_call(&["DOC.COUNT", "users"]);
            assert_eq!(answer.is_ok(), may, "{rules}: {answer:?}");
        }
    }
}

#[test]
fn a_script_that_changes_its_users_rules_feels_them() {
    let server = Server::start();
    let mut admin = world(&server);
    set_user(&mut admin, "u", "on nopass ~users:* +@all");
    let mut client = log_in(&server, "u");
    client.call(&["MULTI"]);
    client.call(&["ACL", "SETUSER", "u", "resetkeys"]);
    client.call(&["DOC.COUNT", "users"]);
    let answer = client.try_call(&["EXEC"]);
    assert!(format!("{answer:?}").contains("may not read every key"), "{answer:?}");
}

#[test]
fn a_user_who_is_switched_off_cannot_come_in_and_keeps_what_the_server_leaves() {
    let server = Server::start();
    let mut admin = world(&server);
    set_user(&mut admin, "u", "on nopass ~users:* +@all");
    let mut client = log_in(&server, "u");
    set_user(&mut admin, "u", "off");
    let refused = server.resp2().error(&["AUTH", "u", "any"]);
    assert!(refused.starts_with("WRONGPASS"), "{refused}");
    // The server leaves open connections their rights; so does Folio.
    assert!(client.try_call(&["DOC.GET", "users:1"]).is_ok());
    assert_eq!(client.int(&["DOC.COUNT", "users"]), 2);
    set_user(&mut admin, "u", "resetkeys");
    assert_eq!(client.error(&["DOC.COUNT", "users"]), NOPERM);
    admin.call(&["ACL", "DELUSER", "u"]);
    assert!(client.try_call(&["DOC.COUNT", "users"]).is_err());
}

#[test]
fn more_users_than_are_kept_are_all_told_apart() {
    const USERS: usize = 1_100;
    let server = Server::start();
    let mut admin = world(&server);
    for at in 0..USERS {
        let keys = if at % 2 == 0 { "~users:*" } else { "~users:1*" };
        set_user(&mut admin, &format!("u{at}"), &format!("on nopass {keys} +@all"));
    }
    let mut client = server.resp2();
    for _ in 0..2 {
        for at in 0..USERS {
            client.call(&["AUTH", &format!("u{at}"), "any"]);
            assert_eq!(client.try_call(&["DOC.COUNT", "users"]).is_ok(), at % 2 == 0, "u{at}");
        }
    }
}

#[test]
fn a_refusal_stands_in_the_servers_log() {
    let server = Server::start();
    let mut admin = world(&server);
    set_user(&mut admin, "u", "on nopass ~users:1* +@all");
    let mut client = log_in(&server, "u");
    assert_eq!(client.error(&["DOC.COUNT", "users"]), NOPERM);
    let log = format!("{:?}", admin.call(&["ACL", "LOG"]));
    assert!(log.contains("users:") && log.contains("key"), "{log}");
    assert_eq!(client.error(&["DOC.COUNT", "nothing"]), NOPERM.replace("users", "nothing"));
}

#[test]
fn the_append_only_file_and_the_primary_are_bound_by_no_rule() {
    let primary = Options::new().appendonly().start();
    let replica = Server::start();
    let (mut p, mut r) = (world(&primary), replica.resp2());
    for client in [&mut p, &mut r] {
        set_user(client, "default", "resetkeys ~none:*");
    }
    follow(&replica, &primary);
    wait_until("the link is up", || r.info("replication", "master_link_status") == "up");
    set_user(&mut p, "default", "allkeys");
    p.call(&["DOC.CREATE", "late", "FIELD", "n", "int", "UNIQUE"]);
    p.call(&["DOC.SET", "late:1", r#"{"n":1}"#]);
    p.call(&["DOC.DROP", "users"]);
    p.call(&["WAIT", "1", "5000"]);
    assert_eq!(r.texts(&["DOC.LIST"]), Vec::<String>::new());
    set_user(&mut p, "default", "resetkeys ~none:*");
    p.call(&["DEBUG", "LOADAOF"]);
    for client in [&mut p, &mut r] {
        set_user(client, "default", "allkeys");
        assert_eq!(client.texts(&["DOC.LIST"]), ["late", "users"]);
        assert_eq!(client.int(&["DOC.COUNT", "late"]), 1);
        assert!(client.text(&["DOC.SCHEMA", "users"]).is_some_and(|it| !it.contains("UNIQUE")));
        assert!(client.text(&["DOC.SCHEMA", "late"]).is_some_and(|it| it.contains("int")));
    }
}

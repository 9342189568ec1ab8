//! Files of so many documents that their indexes are built by threads while they are read.

use folio_tests::pipeline::{Pipeline, words};
use folio_tests::replica::{follow, in_sync};
use folio_tests::{Client, Options, Server};
use redis::Value;

/// Of each collection; some thousands more than threads are used from.
const DOCUMENTS: usize = 14_000;
const COLLECTIONS: [&str; 3] = ["users", "shop", "open"];
const FIELDS: &str = "FIELD mail string UNIQUE FIELD n int INDEX SORTED FIELD tags array<string> INDEX SET \
                      FIELD price decimal INDEX SORTED";

fn fill(server: &Server) {
    let mut pipeline = Pipeline::connect(server.url()).expect("the server listens");
    let mut commands = Vec::new();
    for name in ["users", "shop"] {
        let create = format!("DOC.CREATE {name} {FIELDS}");
        commands.push(words(&create.split_whitespace().collect::<Vec<_>>()));
    }
    for n in 0..DOCUMENTS {
        for name in COLLECTIONS {
            // Born in another order than that of their keys and values.
            let n = n * 11 % DOCUMENTS;
            let json = format!(
                r#"{{"mail":"someone-{n}@example.org","n":{},"tags":["t{}","x"],"price":"{n}.50"}}"#,
                n % 90,
                n % 13
            );
            let mut command = words(&["DOC.SET", &format!("{name}:{n}"), &json]);
            if n.is_multiple_of(5) {
                command.extend(words(&["EX", "1000"]));
            }
            commands.push(command);
        }
    }
    for chunk in commands.chunks(1_000) {
        pipeline.ask(chunk);
    }
}

/// What is there, and whether the indexes are exact.
fn state(c: &mut Client) -> Vec<Value> {
    let mut state = vec![c.call(&["DBSIZE"])];
    for name in COLLECTIONS {
        assert_eq!(c.call(&["DOC.VERIFY", name]), Value::Array(vec![]), "{name}");
        state.push(c.call(&["DOC.VERIFY", name, "DIGEST"]));
        state.push(c.call(&[
            "DOC.FIND",
            name,
            "WHERE",
            "n = 7",
            "WITHVERSION",
            "LIMIT",
            "0",
            "50",
        ]));
    }
    state
}

#[test]
fn a_large_file_is_indexed_while_it_is_read() {
    let mut server = Options::new().appendonly().start();
    fill(&server);
    let before = state(&mut server.resp3());
    assert_eq!(before[0], Value::Int((COLLECTIONS.len() * DOCUMENTS) as i64));
    server.resp3().call(&["DEBUG", "RELOAD"]);
    assert_eq!(state(&mut server.resp3()), before, "DEBUG RELOAD");
    for preamble in ["yes", "no"] {
        server.resp3().call(&["CONFIG", "SET", "aof-use-rdb-preamble", preamble]);
        super::rewrite_only(&mut server.resp2());
        server.restart_without_saving();
        assert_eq!(state(&mut server.resp3()), before, "a file with preamble {preamble}");
    }
    for load in ["disabled", "swapdb"] {
        let replica = Options::new().config("repl-diskless-load", load).start();
        follow(&replica, &server);
        in_sync(&server, &replica);
        assert_eq!(state(&mut replica.resp3()), before, "a sync, {load}");
    }
}

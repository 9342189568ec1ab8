//! `DOC.INFO` and `MEMORY USAGE` against the allocator's own count.
//!
//! What `DOC.INFO` tells is Folio's: documents, table, indexes. The server's own for each key (its name, its place in the
//! database, the two boxes around the value) is what as many tiny strings under the same keys take.

use folio_tests::generate::Random;
use folio_tests::reply::{self, int, list};
use folio_tests::{Client, Server, users};
use redis::ProtocolVersion;

use crate::{declare_users, rest, send, set, start};

const DOCUMENTS: u64 = 10_000;
/// Parts of a hundred by which what is told may be off.
const PERCENT: f64 = 5.0;

/// Bytes that DOC.INFO tells of a collection: documents, table, indexes.
fn told(c: &mut Client, collection: &str) -> [i64; 3] {
    let lines = c.map(&["DOC.INFO", collection]);
    let indexes = list(lines["indexes"].clone());
    let bytes =
        indexes.into_iter().map(|index| int(&reply::map(ProtocolVersion::RESP3, index)["bytes"]));
    [int(&lines["document_bytes"]), int(&lines["table_bytes"]), bytes.sum()]
}

fn used(c: &mut Client) -> i64 {
    rest(c, |_| true)
}

/// What the server takes for these keys with a tiny string each; nothing is left of them.
fn of_strings(server: &Server, keys: impl Iterator<Item = String>) -> i64 {
    let mut c = server.resp3();
    let before = used(&mut c);
    send(server, keys.map(|key| vec!["SET".to_owned(), key, "x".to_owned()]));
    let taken = used(&mut c) - before;
    c.call(&["FLUSHALL", "SYNC"]);
    taken
}

/// Fills a collection `c` by `fill` and compares what is told with what is taken.
fn check(name: &str, create: &str, json: impl Fn(u64) -> String) {
    let server = start();
    let key = |n: u64| format!("c:{n}");
    let strings = of_strings(&server, (0..DOCUMENTS).map(key));
    let mut c = server.resp3();
    let before = used(&mut c);
    if !create.is_empty() {
        c.call(&create.split_whitespace().collect::<Vec<_>>());
    }
    send(&server, (0..DOCUMENTS).map(|n| set(key(n), json(n))));
    compare(name, told(&mut c, "c"), used(&mut c) - before - strings, DOCUMENTS);
}

#[track_caller]
fn compare(name: &str, told: [i64; 3], taken: i64, documents: u64) {
    let each = |bytes: i64| bytes as f64 / documents as f64;
    let sum: i64 = told.iter().sum();
    let off = 100.0 * (sum - taken) as f64 / taken as f64;
    println!(
        "{name}: taken {:.1} bytes a document, told {:.1} (document {:.1}, table {:.1}, indexes {:.1}): {off:+.2} %",
        each(taken),
        each(sum),
        each(told[0]),
        each(told[1]),
        each(told[2]),
    );
    assert!(off.abs() <= PERCENT, "{name}: told {told:?}, taken {taken}");
}

#[test]
fn small_documents() {
    check("small, no index", "", |n| format!(r#"{{"n":{n}}}"#));
    let create = "DOC.CREATE c FIELD n int INDEX SORTED";
    check("small, one sorted index", create, |n| format!(r#"{{"n":{n}}}"#));
}

#[test]
fn documents_with_arrays() {
    let create =
        "DOC.CREATE c FIELD tags array<string> INDEX SET FIELD sizes array<int> INDEX SORTED";
    check("arrays", create, |n| {
        let mut random = Random::new(n);
        let tags: Vec<String> = (0..random.below(12))
            .map(|_| format!("\"tag number {}\"", random.below(2_000)))
            .collect();
        let sizes: Vec<String> =
            (0..random.below(12)).map(|_| random.below(100_000).to_string()).collect();
        format!(r#"{{"tags":[{}],"sizes":[{}]}}"#, tags.join(","), sizes.join(","))
    });
}

#[test]
fn documents_with_few_values() {
    let create = "DOC.CREATE c FIELD a string INDEX SET FIELD b int INDEX SORTED FIELD d string INDEX SORTED";
    check("few values", create, |n| {
        let mut random = Random::new(n);
        let [a, b, d] = [5, 10, 400].map(|values| random.below(values));
        format!(r#"{{"a":"value {a}","b":{b},"d":"a longer value {d}"}}"#)
    });
}

#[test]
fn documents_with_unique_strings() {
    let create =
        "DOC.CREATE c FIELD a string UNIQUE FIELD b string INDEX SET FIELD d string INDEX SORTED";
    check("unique strings", create, |n| {
        let mut random = Random::new(n);
        let mut text = || format!("{:x}", random.bits()).repeat(1 + random.below(4));
        format!(r#"{{"a":"{n}{}","b":"{}","d":"{}"}}"#, text(), text(), text())
    });
}

#[test]
fn documents_with_a_ttl() {
    let server = start();
    let key = |n: u64| format!("c:{n}");
    let timed = |key: String, n: u64| [key, "100".to_owned() + &n.to_string()];
    let mut c = server.resp3();
    let empty = used(&mut c);
    send(
        &server,
        (0..DOCUMENTS).map(|n| {
            let [key, seconds] = timed(key(n), n);
            vec!["SET".to_owned(), key, "x".to_owned(), "EX".to_owned(), seconds]
        }),
    );
    let strings = used(&mut c) - empty;
    c.call(&["FLUSHALL", "SYNC"]);
    let before = used(&mut c);
    send(
        &server,
        (0..DOCUMENTS).map(|n| {
            let [key, seconds] = timed(key(n), n);
            [set(key, format!(r#"{{"n":{n}}}"#)), vec!["EX".to_owned(), seconds]].concat()
        }),
    );
    compare("with a TTL", told(&mut c, "c"), used(&mut c) - before - strings, DOCUMENTS);
}

#[test]
fn users_before_and_after_many_changes() {
    let server = start();
    let strings = of_strings(&server, (0..DOCUMENTS).map(users::key));
    let mut c = server.resp3();
    let before = used(&mut c);
    declare_users(&mut c);
    send(&server, (0..DOCUMENTS).map(|n| set(users::key(n), users::json(n))));
    compare(
        "users, six indexes",
        told(&mut c, "users"),
        used(&mut c) - before - strings,
        DOCUMENTS,
    );

    let mut random = Random::new(1);
    let mut there = vec![true; DOCUMENTS as usize];
    let changes: Vec<Vec<String>> = (0..50_000)
        .map(|step| {
            let n = random.below(DOCUMENTS as usize);
            there[n] = random.chance(75);
            let n_wide = n as u64;
            if !there[n] {
                return vec!["DEL".to_owned(), users::key(n_wide)];
            }
            set(users::key(n_wide), users::revised(n_wide, 1 + step))
        })
        .collect();
    send(&server, changes);
    let left: Vec<u64> = (0..DOCUMENTS).filter(|n| there[*n as usize]).collect();
    assert_eq!(c.int(&["DOC.COUNT", "users"]), left.len() as i64);
    let (told, taken) = (told(&mut c, "users"), used(&mut c) - before);
    let plain = start();
    let strings = of_strings(&plain, left.iter().map(|n| users::key(*n)));
    compare("users, after 50,000 changes", told, taken - strings, left.len() as u64);
}

#[test]
fn memory_usage_is_what_a_key_takes() {
    let server = start();
    let mut c = server.resp3();
    let before = used(&mut c);
    send(&server, (0..DOCUMENTS).map(|n| set(users::key(n), users::json(n))));
    let taken = used(&mut c) - before;
    let usage: i64 = (0..DOCUMENTS).map(|n| c.int(&["MEMORY", "USAGE", &users::key(n)])).sum();
    let [documents, table, _] = told(&mut c, "users");
    compare("MEMORY USAGE and the table", [usage, table, 0], taken, DOCUMENTS);
    assert!(usage > documents, "the key itself and the server's boxes count too");
}

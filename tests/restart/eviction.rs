//! Thousands of documents evicted under each policy of maxmemory, while writes go on: what is left is whole, and so are the
//! indexes, here, on the replica, and after a restart from the append-only file.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use std::collections::{BTreeMap, BTreeSet};

use folio_tests::replica::{follow, in_sync};
use folio_tests::{Client, Options, Server, reply};
use redis::{ProtocolVersion, Value};
use serde_json::Value as Json;

/// Documents before memory gets scarce, and batches of writes while it is.
const DOCUMENTS: usize = 5_000;
const BATCHES: usize = 400;
/// Evictions under each policy that evicts.
const EVICTED_MIN: i64 = 2_000;
const POLICIES: [&str; 8] = [
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];

/// Two writes in one script, of which the second takes the email of a document that may be gone.
const SCRIPT: &str = "
    local first = redis.call('DOC.SET', KEYS[1], ARGV[1], 'EX', '9000')
    local second = redis.pcall('DOC.SET', KEYS[2], ARGV[2], 'EX', '9000')
    if type(second) == 'table' and second.err and string.sub(second.err, 1, 6) ~= 'UNIQUE' then return second end
    return first";

fn create(c: &mut Client) {
    let create = "DOC.CREATE shop FIELD email string UNIQUE FIELD city string INDEX SET FIELD age int INDEX SORTED \
                  FIELD tags array<string> INDEX SET FIELD items[*].qty int INDEX SORTED";
    c.call(&create.split_whitespace().collect::<Vec<_>>());
}

fn document(n: usize) -> String {
    format!(
        r#"{{"email":"{n}@example.org","city":"c{}","age":{},"tags":["t{}","t{}"],"items":[{{"qty":{}}},{{"qty":{}}}],"pad":"{}"}}"#,
        n % 37,
        n % 90,
        n % 11,
        n % 13,
        n % 17,
        n % 19,
        "p".repeat(n % 900)
    )
}

/// Whether the document of this number is given a time to live.
fn is_timed(n: usize) -> bool {
    !n.is_multiple_of(5)
}

fn set(n: usize) -> Vec<String> {
    let mut words = vec!["DOC.SET".to_owned(), format!("shop:{n}"), document(n)];
    words.extend(
        is_timed(n).then(|| ["EX".to_owned(), (5_000 + n).to_string()]).into_iter().flatten(),
    );
    words
}

fn used(c: &mut Client) -> i64 {
    c.info_number("memory", "used_memory") - c.info_number("memory", "mem_not_counted_for_evict")
}

/// Whether a write was taken; it may be refused for want of memory, and for nothing else.
fn is_taken(c: &mut Client, words: &[impl redis::ToRedisArgs]) -> bool {
    match c.try_call(words) {
        Ok(_) => true,
        Err(error) => {
            assert!(matches!(error.code(), Some("OOM" | "EXECABORT")), "{error}");
            false
        }
    }
}

/// Writes in each way while memory is scarce; gives how many were taken, of how many.
fn press(c: &mut Client) -> (usize, usize) {
    let mut taken = 0;
    for batch in 0..BATCHES {
        let n = DOCUMENTS + 10 * batch;
        taken += usize::from(is_taken(c, &set(n)));
        c.call(&["MULTI"]);
        is_taken(c, &set(n + 1));
        is_taken(c, &["DOC.UPDATE", &format!("shop:{}", n + 1), "INCR", "age", "1"]);
        is_taken(c, &["DOC.DEL", &format!("shop:{}", batch * 7)]);
        taken += usize::from(is_taken(c, &["EXEC"]));
        let keys = [format!("shop:{}", n + 2), format!("shop:{}", n + 3)];
        let (first, second) = (document(n + 2), document(batch * 3));
        let words = ["EVAL", SCRIPT, "2", &keys[0], &keys[1], &first, &second];
        taken += usize::from(is_taken(c, &words));
    }
    (taken, 3 * BATCHES)
}

/// All documents as the server's own commands tell them, with their times.
fn documents(c: &mut Client) -> BTreeMap<String, (Json, bool)> {
    let answer = reply::list(c.call(&["SCAN", "0", "COUNT", "1000000", "TYPE", "folio-doc"]));
    let keys: BTreeSet<String> = reply::texts(answer[1].clone()).into_iter().collect();
    let mut found = BTreeMap::new();
    for key in keys {
        let json = c.json(&["DOC.GET", &key]);
        let is_timed = c.int(&["PTTL", &key]) > 0;
        found.insert(key, (json, is_timed));
    }
    found
}

/// The values of a path with `[*]` or without, counted by document.
fn counts<'a>(
    documents: impl Iterator<Item = &'a Json>,
    values: impl Fn(&Json) -> Vec<Json>,
) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for document in documents {
        let values: BTreeSet<String> = values(document).iter().map(Json::to_string).collect();
        for value in values {
            *counts.entry(value).or_insert(0) += 1;
        }
    }
    counts
}

/// Each index tells of each value how many documents have it, and `DOC.INFO` how many entries there are.
fn assert_indexes(c: &mut Client, documents: &BTreeMap<String, (Json, bool)>) {
    type Values = fn(&Json) -> Vec<Json>;
    let all: [(&str, &str, Values); 5] = [
        ("email", "email", |json| vec![json["email"].clone()]),
        ("city", "city", |json| vec![json["city"].clone()]),
        ("age", "age", |json| vec![json["age"].clone()]),
        ("tags[*]", "tags[*]", |json| json["tags"].as_array().unwrap().clone()),
        ("items[*].qty", "items[*].qty", |json| {
            json["items"].as_array().unwrap().iter().map(|item| item["qty"].clone()).collect()
        }),
    ];
    let protocol = ProtocolVersion::RESP3;
    let mut info = c.map(&["DOC.INFO", "shop"]);
    let timed = documents.values().filter(|(_, is_timed)| *is_timed).count();
    assert_eq!(info["documents"], Value::Int(documents.len() as i64));
    assert_eq!(info["with_ttl"], Value::Int(timed as i64));
    assert_eq!(info["due"], Value::Int(0));
    let told = reply::list(info.remove("indexes").unwrap());
    let told: Vec<_> = told.into_iter().map(|index| reply::map(protocol, index)).collect();
    assert_eq!(told.len(), all.len());
    for (path, shown, values) in all {
        let counts = counts(documents.values().map(|(json, _)| json), values);
        let index = told.iter().find(|index| reply::text(&index["path"]) == shown).unwrap();
        assert_eq!(index["values"], Value::Int(counts.len() as i64), "{path}");
        assert_eq!(index["entries"], Value::Int(counts.values().sum()), "{path}");
        assert_eq!(index["conflicts"], Value::Int(0), "{path}");
        for (value, count) in &counts {
            let filter = format!("{path} = $v");
            let words = ["DOC.COUNT", "shop", "WHERE", &filter, "PARAMS", "1", "v", value];
            assert_eq!(c.int(&words), *count, "{path} = {value}");
        }
    }
}

fn digest(c: &mut Client) -> Value {
    c.call(&["DOC.VERIFY", "shop", "DIGEST"])
}

/// Loads, makes memory scarce, writes on, and compares everything.
fn evict(policy: &str) {
    let log = Options::new().config("appendonly", "yes").config("appendfsync", "no");
    let mut server = log.config("repl-diskless-sync-delay", "0").start();
    let replica = Server::start();
    let mut c = server.resp3();
    let mut r = replica.resp3();
    follow(&replica, &server);
    in_sync(&server, &replica);
    create(&mut c);
    let empty = used(&mut c);
    for n in 0..DOCUMENTS {
        c.try_call(&set(n)).unwrap();
    }
    let (full, before) = (used(&mut c), digest(&mut c));
    c.call(&["CONFIG", "SET", "maxmemory-policy", policy]);
    c.call(&["CONFIG", "SET", "maxmemory", &(empty + (full - empty) / 2).to_string()]);
    let (taken, tried) = press(&mut c);
    c.call(&["CONFIG", "SET", "maxmemory", "0"]);
    let evicted = c.info_number("stats", "evicted_keys");
    println!("{policy}: {evicted} evicted, {taken} of {tried} writes taken");

    let documents = documents(&mut c);
    let untimed = |n: &usize| !is_timed(*n) && !documents.contains_key(&format!("shop:{n}"));
    let lost: Vec<usize> = (0..DOCUMENTS).filter(untimed).collect();
    // What the writes themselves have removed.
    let deleted: BTreeSet<usize> = (0..BATCHES).map(|batch| batch * 7).collect();
    match policy.split_once('-') {
        None => {
            assert_eq!((taken, evicted), (0, 0));
            assert_eq!(digest(&mut c), before, "a refused write changes nothing");
        }
        Some(("volatile", _)) => {
            assert!(evicted >= EVICTED_MIN, "{evicted}");
            assert!(lost.iter().all(|n| deleted.contains(n)), "no time to live: {lost:?}");
        }
        // How many writes find room depends on what else a server keeps in memory: on Valkey 8.1 a third of them do.
        Some(_) => assert!(evicted >= EVICTED_MIN && taken > 0 && !lost.is_empty()),
    }
    assert_eq!(c.call(&["DOC.VERIFY", "shop"]), Value::Array(vec![]));
    assert_indexes(&mut c, &documents);
    let after = digest(&mut c);
    in_sync(&server, &replica);
    assert_eq!(r.call(&["DOC.VERIFY", "shop"]), Value::Array(vec![]));
    assert_eq!(digest(&mut r), after, "on the replica");
    server.restart_without_saving();
    let mut c = server.resp3();
    assert_eq!(c.call(&["DOC.VERIFY", "shop"]), Value::Array(vec![]));
    assert_eq!(digest(&mut c), after, "after a restart");
    assert_freed(&mut c, &documents);
}

/// The unique values of what is gone are free, those of what is left are not.
fn assert_freed(c: &mut Client, documents: &BTreeMap<String, (Json, bool)>) {
    let held: BTreeSet<&str> =
        documents.values().filter_map(|(json, _)| json["email"].as_str()).collect();
    for n in (0..DOCUMENTS).step_by(97) {
        let email = format!("{n}@example.org");
        let outcome = c.try_call(&["DOC.SET", &format!("shop:again{n}"), &document(n)]);
        let code = outcome.as_ref().err().and_then(|error| error.code());
        assert_eq!(code, held.contains(&*email).then_some("UNIQUE"), "{email}: {outcome:?}");
    }
    assert_eq!(c.call(&["DOC.VERIFY", "shop"]), Value::Array(vec![]));
}

#[test]
fn eviction_leaves_the_indexes_whole_under_each_policy() {
    for policy in POLICIES {
        evict(policy);
    }
}

/// Every command that writes is refused when memory is out, but for those that delete; and one that makes indexes beside those
/// that are there.
#[test]
fn only_what_deletes_is_taken_when_memory_is_out() {
    let server = Server::start();
    let mut c = server.resp3();
    create(&mut c);
    for n in 0..20 {
        c.try_call(&set(n)).unwrap();
    }
    let before = digest(&mut c);
    c.call(&["CONFIG", "SET", "maxmemory", "1"]);
    let names = c.texts(&["COMMAND", "LIST", "FILTERBY", "PATTERN", "doc.*"]);
    assert!(names.len() > 15, "{names:?}");
    let mut refused = 0;
    for name in names {
        let info = reply::list(c.call(&["COMMAND", "INFO", &name]));
        let about = reply::list(info[0].clone());
        let Value::Int(arity) = about[1] else { panic!("{name}: {about:?}") };
        let Value::Set(flags) = &about[2] else { panic!("{name}: {about:?}") };
        let flags: Vec<String> = flags.iter().map(reply::text).collect();
        let is_write = flags.iter().any(|flag| flag == "write");
        let deletes = ["doc.del", "doc.deletemany", "doc.drop", "doc.function|delete"]
            .contains(&name.to_lowercase().as_str());
        // Arguments that fit nothing: whoever looks at them has let the command in.
        let mut words: Vec<&str> = name.split('|').collect();
        words.resize(usize::try_from(arity.abs()).unwrap(), "nosuch");
        let error = c.try_call(&words).err();
        let is_refused = error.as_ref().and_then(|error| error.code()) == Some("OOM");
        let indexes = name.eq_ignore_ascii_case("DOC.REINDEX");
        assert_eq!(is_refused, (is_write && !deletes) || indexes, "{name}: {error:?}");
        refused += usize::from(is_refused);
    }
    assert!(refused >= 4, "{refused}");
    assert_eq!(digest(&mut c), before);
    assert_eq!(c.int(&["DOC.DEL", "shop:1"]), 1);
    assert_eq!(c.int(&["DOC.COUNT", "shop", "WHERE", "email = '1@example.org'"]), 0);
    assert_eq!(c.text(&["DOC.DROP", "shop", "DOCUMENTS"]).as_deref(), Some("OK"));
    assert_eq!(c.int(&["DBSIZE"]), 0);
}

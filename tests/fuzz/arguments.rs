//! Commands of random words to a server: whatever they are, it answers, catches no panic, and its indexes agree with its
//! documents. What a primary tells its replicas (`DOC._..`) is believed, whatever it says, so where an administrator sends
//! that nothing is asked of the indexes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use folio_tests::generate::Random;
use folio_tests::planted::faulty;
use folio_tests::{Client, Options, Server, reply};
use redis::Value;

use super::count;

/// Commands of one run.
const OPERATIONS: usize = 20_000;
/// Commands between two looks at the indexes.
const VERIFY_EVERY: usize = 1_000;
/// Commands within which a planted panic is met.
const FAULT_WITHIN: usize = 1_000;

/// Calls that are in order, of which some words are changed.
const CALLS: [&str; 62] = [
    "DOC.SET c:1 {\"n\":1,\"s\":\"a\",\"t\":[\"x\",\"y\"]}",
    "DOC.SET c:2 {\"n\":2.5} NX EX 1000",
    "DOC.SET c:2 {\"n\":3,\"s\":null} IFVERSION 1 KEEPTTL",
    "DOC.SET d:1 {\"e\":\"ada@example.com\",\"o\":{\"q\":7}} PX 60000",
    "DOC.GET c:1 n t[*]",
    "DOC.GET c:1 n $..*",
    "DOC.MGET c:1 c:2 d:1 PATHS 2 n s",
    "DOC.MSET c:1 {\"n\":1} c:2 {\"n\":2} c:1 {\"s\":\"b\"}",
    "DOC.UPDATE c:1 INCR n 1 SET s \"b\" UNSET t[0]",
    "DOC.UPDATE c:1 UPSERT IF n>1 MUL n 2 MIN n 1 MAX n 9 TOGGLE b NOW at 30s RENAME s r RETURN OLD",
    "DOC.UPDATE c:3 UPSERT PUSH t 1 POP t -1 ADD t \"a\" PULL t 1 MERGE {\"a\":{\"b\":null}} EX 100",
    "DOC.UPDATE c:2 PATCH [{\"op\":\"add\",\"path\":\"/t/0\",\"value\":1}] PERSIST IF n=$x PARAMS 1 x 1",
    "DOC.SET c:1 {\"n\":2} IF n=1 IFVERSION 2",
    "DOC.DEL c:9 IFVERSION 0",
    "DOC.UPDATE c:2 IFVERSION 3 SET o.q[0] {\"a\":1}",
    "DOC.DEL c:1 IFVERSION 4",
    "DOC.INSERT c {\"n\":1} ID 9 EX 100",
    "DOC.INSERT d {}",
    "DOC.CREATE g TTL 60 IDS SEQUENCE FIELD n int",
    "DOC.ALTER g SET TTL 0 SET IDS ULID",
    "DOC.UPDATEMANY c WHERE n>=$a PARAMS 1 a 1 ORDER 1 n LIMIT 3 INCR n 1 SET s \"b\"",
    "DOC.DELETEMANY c WHERE n>=$a PARAMS 1 a 2 LIMIT 1 SCAN",
    "DOC.CLAIM c WHERE n>=0 NOW at 30s RETURN OLD WITHVERSION TIMEOUT 100",
    "DOC.TXN c:1 c:2 [{\"op\":\"update\",\"key\":\"c:1\",\"ops\":[[\"INCR\",\"n\",1]]},{\"op\":\"del\",\"key\":\"c:2\"}]",
    "DOC.DEL c:1 c:2 SOFT EX 100",
    "DOC.UNDELETE c:1 c:2 KEEPTTL",
    "DOC.FIND c WHERE _deleted>=$a PARAMS 1 a 1 ORDER 1 n WITHDELETED",
    "DOC.META c:2",
    "DOC.CREATE c FIELD n int INDEX SORTED FIELD s string NULLABLE INDEX SET FIELD t array<string> INDEX SET",
    "DOC.CREATE d PREFIX d: STRICT FIELD e string UNIQUE REQUIRED FIELD o.q int INDEX SORTED",
    "DOC.CREATE f FIELD a int MIN 0 MAX 9 DEFAULT 1 FIELD b string NOCASE ENUM 2 x y FIELD c array<string> PATTERN ^a MINLEN 1 MAXLEN 3",
    "DOC.CREATE f FIELD t datetime AUTO UPDATED FIELD d duration MAX 1h IMMUTABLE FIELD i ip UNIQUE FIELD u uuid FIELD m email FIELD l url",
    "DOC.CREATE f DEFINITION {\"fields\":[{\"path\":\"n\",\"type\":\"int\"}]}",
    "DOC.ALTER c ADD FIELD u int INDEX SORTED DROP FIELD s ADD INDEX i ON 2 n u DESC UNIQUE WHERE n>1",
    "DOC.ALTER d SET MODE OPEN DROP INDEX i",
    "DOC.ALTER c ADD MIGRATION 1 UP up DOWN f DROP MIGRATION 2",
    "DOC.CREATE f SCHEMA 1 MIGRATION 1 UP up",
    "DOC.MIGRATE c TO 1 LAZY",
    "DOC.MIGRATE c TO 0",
    "DOC.REINDEX c",
    "DOC.DROP c",
    "DOC.DROP d DOCUMENTS",
    "DOC.LIST c*",
    "DOC.INFO c",
    "DOC.SCHEMA d",
    "DOC.VERIFY c",
    "DOC.FIND c WHERE n>=$a PARAMS 1 a 1 ORDER 2 n DESC s LIMIT 0 10 SELECT 2 n t TOTAL",
    "DOC.FIND d KEYSONLY SCAN",
    "DOC.COUNT c WHERE s=$a PARAMS 1 a \"b\"",
    "DOC.AGGREGATE c WHERE n>=$a PARAMS 1 a 1 GROUP 2 s bucket(n,2) AS b REDUCE 3 count() quantile(n,0.5) AS q sum(n*$a) \
     HAVING q>$a ORDER 2 b DESC q LIMIT 0 10 SCAN",
    "DOC.AGGREGATE c GROUP 1 t[*] REDUCE 4 collect(n) distinct(t[*]) first(_key) stddev(o.q[0])",
    "DOC.DISTINCT c t[*] WHERE s=$a PARAMS 1 a \"b\" SCAN",
    "DOC.FUNCTION LOAD REPLACE STEPS 500 MEMORY 70000 up return{n=#(doc.t)+1},doc.n",
    "DOC.FUNCTION LOAD f return{n=(...)}",
    "DOC.FUNCTION DELETE f",
    "DOC.FUNCTION LIST",
    "DOC.FUNCTION DUMP up",
    "DOC.FUNCTION RESTORE [{\"name\":\"f\",\"source\":\"return{s=1}\",\"steps\":9,\"memory\":99999}] REPLACE",
    "DOC.CALL c:1 IFVERSION 1 IF n>1 up 1 [2]",
    "DOC.UPDATE c:1 CALL f [1] INCR n 1 CALL up []",
    "DOC._APPLY c:3 9 9 1 1 -1 {\"n\":4}",
    "DOC._STATE {}",
];

/// Words that come in place of others.
const WORDS: [&str; 48] = [
    "",
    "0",
    "1",
    "-1",
    "2",
    "3",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e3",
    "c",
    "d",
    "c:1",
    "c:2",
    "c:",
    ":",
    "d:1",
    "x:y:z",
    "n",
    "s",
    "t[*]",
    "`a b`",
    "o.q",
    "a..b",
    "{}",
    "{\"n\":",
    "{\"n\":1,\"n\":2}",
    "[]",
    "null",
    "\"a\"",
    "n = 1",
    "s IN ('a', 'b')",
    "NOT t HAS 'x'",
    "((n",
    "n = $a",
    "WHERE",
    "PARAMS",
    "ORDER",
    "LIMIT",
    "SELECT",
    "FIELD",
    "PREFIX",
    "INDEX",
    "UNIQUE",
    "IFVERSION",
    "EX",
    "PXAT",
    "SCAN",
];

/// A word of a call that is in order, or another, or bytes.
fn changed(word: &str, random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0 | 1 => random.pick(&WORDS).into(),
        2 => (0..random.below(12)).map(|_| random.bits() as u8).collect(),
        3 => word.to_lowercase().into(),
        _ => word.into(),
    }
}

fn call(names: &[String], calls: &[&str], random: &mut Random) -> Vec<Vec<u8>> {
    if random.chance(20) {
        let mut words: Vec<Vec<u8>> = vec![random.pick(names).into()];
        words.extend((0..random.below(12)).map(|_| random.pick(&WORDS).into()));
        return words;
    }
    let text = random.pick(calls);
    let mut words = text.split(' ');
    let name = words.next().unwrap_or_default().into();
    let mut call = vec![name];
    for word in words {
        match random.below(40) {
            0 => {}
            1 => call.extend([changed(word, random), random.pick(&WORDS).into()]),
            _ => call.push(changed(word, random)),
        }
    }
    call
}

fn shown(call: &[Vec<u8>]) -> String {
    let words: Vec<String> = call.iter().map(|word| word.escape_ascii().to_string()).collect();
    words.join(" ")
}

/// The server's own refusal of an unknown command of a family holds the word as it is, and a client reads UTF-8.
fn keep_readable(call: &mut [Vec<u8>]) {
    if let [family, word, ..] = call
        && family.eq_ignore_ascii_case(b"DOC.FUNCTION")
        && str::from_utf8(word).is_err()
    {
        *word = b"LOAD".to_vec();
    }
}

/// Whether a command is one of those between servers.
fn is_internal(name: &[u8]) -> bool {
    name.to_ascii_uppercase().starts_with(b"DOC._")
}

/// Sends so many commands, and looks after the server in between; how many were not refused.
fn send(
    server: &Server,
    calls: &[&str],
    with_internal: bool,
    operations: usize,
    random: &mut Random,
) -> usize {
    let mut c = server.resp3();
    let Value::Array(names) = c.call(&["COMMAND", "LIST", "FILTERBY", "MODULE", "folio"]) else {
        panic!("COMMAND LIST gives an array")
    };
    let mut names: Vec<String> = names.iter().map(reply::text).collect();
    // The server calls one of a family by both names.
    names.retain(|name| !name.contains('|'));
    // The server lists them in an order of its own at every start.
    names.sort();
    let mut taken = 0;
    for at in 0..operations {
        let mut call = call(&names, calls, random);
        keep_readable(&mut call);
        if !with_internal && is_internal(&call[0]) {
            continue;
        }
        match c.try_call(&call) {
            Ok(_) => taken += 1,
            Err(error) => {
                // The server's own refusals and Folio's have a code; a lost connection has none.
                let code = error.code().unwrap_or_default();
                let is_refusal = !code.is_empty() && code != "INTERNAL" && !error.is_io_error();
                assert!(is_refusal, "{}: {error}", shown(&call));
            }
        }
        if at % VERIFY_EVERY == 0 {
            verify(&mut c, with_internal);
        }
    }
    verify(&mut c, with_internal);
    taken
}

fn verify(c: &mut Client, with_internal: bool) {
    let info = c.text(&["INFO", "folio"]).unwrap_or_default();
    assert!(info.contains("folio_caught_panics:0"), "{info}");
    if let Value::Array(collections) = c.call(&["DOC.LIST"]) {
        for name in &collections {
            let faults = c.call(&["DOC.VERIFY", &reply::text(name)]);
            assert!(with_internal || faults == Value::Array(vec![]), "{faults:?}");
        }
    }
    // Names and prefixes that random words gave would refuse every other in time.
    if c.int(&["DBSIZE"]) > 200 {
        c.call(&["FLUSHALL"]);
    }
}

#[test]
fn random_arguments_are_answered() {
    let mut random = Random::from_environment();
    let operations = count("OPERATIONS", OPERATIONS);
    for with_internal in [false, true] {
        let server = Server::start();
        let taken = send(&server, &CALLS, with_internal, operations / 2, &mut random);
        println!("arguments: {} commands, {taken} of them not refused", operations / 2);
        // Had all been refused, nothing would have been tested but refusals.
        assert!(taken * 10 > operations, "{taken} of {operations}");
    }
}

#[test]
fn random_arguments_find_a_planted_panic() {
    let server = faulty(Options::new()).start();
    let mut random = Random::new(1);
    let calls = [&CALLS[..], &["DOC._PANIC BEFORE c:1 {\"n\":1}"]].concat();
    let sent =
        catch_unwind(AssertUnwindSafe(|| send(&server, &calls, true, FAULT_WITHIN, &mut random)));
    assert!(sent.is_err(), "DOC._PANIC passed for a right command");
}

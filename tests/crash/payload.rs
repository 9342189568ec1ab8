//! Payloads of RESTORE with wrong bytes and a right checksum, so that Folio itself has to judge them: a refusal or a document,
//! never a crash, and no memory is lost over either.

use std::env;

use crc::{CRC_64_REDIS, Crc};
use folio_tests::generate::{self, Random};
use folio_tests::naive::{Json, NaiveSchema};
use folio_tests::pipeline::words;
use folio_tests::{Options, Pipeline, Server};
use redis::Value;

/// Payloads of a run without `PAYLOADS`.
const PAYLOADS: usize = 10_000;
/// Payloads between two looks at everything.
const BATCH: usize = 100;
/// Documents whose payloads are spoiled.
const DOCUMENTS: usize = 60;
/// The version and the checksum.
const FOOTER: usize = 10;
/// What lookups, buffers and the hash table of keys may keep: a tenth of what the payloads hold.
const KEPT_MAX: i64 = 200_000;

const CHECKSUM: Crc<u64> = Crc::<u64>::new(&CRC_64_REDIS);

/// Documents of all kinds, in collections and outside, and their payloads.
fn payloads(pipeline: &mut Pipeline, random: &mut Random) -> Vec<Vec<u8>> {
    let create = "DOC.CREATE typed FIELD n int INDEX SORTED FIELD s string UNIQUE";
    pipeline.call(&create.split(' ').collect::<Vec<_>>());
    let mut texts: Vec<String> = (0..DOCUMENTS)
        .map(|_| generate::document(random, &NaiveSchema::default()).print())
        .collect();
    texts.push("{}".to_owned());
    texts.push(format!(r#"{{"long":"{}"}}"#, "é𝄞".repeat(5_000)));
    texts.push(format!(r#"{{"deep":{}1{}}}"#, "[".repeat(100), "]".repeat(100)));
    let members: Vec<String> = (0..500).map(|n| format!(r#""k{n}":{n}"#)).collect();
    texts.push(format!("{{{}}}", members.join(",")));
    let mut payloads = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let name = random.pick(&["typed", "notes", "notes"]);
        let mut key = format!("{name}:{at}");
        let ttl: &[&str] = if random.chance(20) { &["EX", "5000"] } else { &[] };
        let set = [&["DOC.SET", &key, text], ttl].concat();
        if matches!(pipeline.call(&set), Value::ServerError(_)) {
            key = format!("notes:{at}");
            pipeline.call(&["DOC.SET", &key, text]);
        }
        for _ in 0..random.below(3) {
            pipeline.call(&["DOC.UPDATE", &key, "SET", "more", "1", "INCR", "more", "1"]);
        }
        if random.chance(15) {
            // Outside of all collections.
            pipeline.call(&["RENAME", &key, &format!("stray{at}")]);
            key = format!("stray{at}");
        }
        let Value::BulkString(payload) = pipeline.call(&["DUMP", &key]) else {
            panic!("{key} has no payload")
        };
        payloads.push(payload);
    }
    payloads
}

/// Changes some bytes, and makes the checksum right again. The first byte, the kind of value, stays: other kinds are Redis's.
fn spoil(payload: &[u8], random: &mut Random) -> Vec<u8> {
    let (value, footer) = payload.split_at(payload.len() - FOOTER);
    let mut value = value.to_vec();
    let changes = if random.chance(70) { 1 } else { 2 + random.below(3) };
    for _ in 0..changes {
        // Where the numbers stand as often as in a long text.
        let end = if random.chance(50) { value.len().min(60) } else { value.len() };
        let at = 1 + random.below(end.max(2) - 1);
        let run = (at + 1 + random.below(20)).min(value.len());
        if at >= value.len() {
            continue;
        }
        match random.below(8) {
            0 | 1 => value[at] ^= 1 << random.below(8),
            2 => value[at] = random.bits() as u8,
            3 => value.truncate(at),
            4 => value.insert(at, random.bits() as u8),
            5 => {
                let copy = value[at..run].to_vec();
                value.splice(at..at, copy);
            }
            6 => drop(value.drain(at..run)),
            _ => value[at..run].fill(random.pick(&[0, 0xff, b'"', b'[', b'{', 0x80])),
        }
    }
    value.extend(&footer[..2]);
    let checksum = CHECKSUM.checksum(&value);
    value.extend(checksum.to_le_bytes());
    value
}

fn verify(pipeline: &mut Pipeline) {
    for name in ["typed", "notes", "fresh"] {
        let reply = pipeline.call(&["DOC.VERIFY", name]);
        let is_there = !matches!(&reply, Value::ServerError(e) if e.code() == "NOCOLLECTION");
        assert!(!is_there || reply == Value::Array(vec![]), "{name}: {reply:?}");
    }
}

fn used_memory(server: &Server) -> i64 {
    server.resp2().info_number("memory", "used_memory")
}

/// Restores spoiled payloads and takes away what came of them. Gives how many were taken.
fn restore(
    pipeline: &mut Pipeline,
    payloads: &[Vec<u8>],
    count: usize,
    random: &mut Random,
) -> usize {
    let mut taken = 0;
    for at in 0..count {
        let payload = spoil(&random.pick(payloads), random);
        let key = format!("{}:new", random.pick(&["typed", "notes", "fresh"]));
        let command: [&[u8]; 5] = [b"RESTORE", key.as_bytes(), b"0", &payload, b"REPLACE"];
        if pipeline.call(&command) == Value::Okay {
            taken += 1;
            let kind = folio_tests::reply::text(&pipeline.call(&["TYPE", &key]));
            assert_eq!(kind, "folio-doc", "{payload:?}");
            let text = folio_tests::reply::text(&pipeline.call(&["DOC.GET", &key]));
            assert!(matches!(Json::parse(&text), Ok(Json::Object(_))), "{text}");
            let meta = pipeline.ask(&[words(&["DOC.META", &key]), words(&["DUMP", &key])]);
            assert!(meta.iter().all(|reply| !matches!(reply, Value::ServerError(_))), "{meta:?}");
            pipeline.call(&["DOC.UPDATE", &key, "SET", "n", "1"]);
            if at.is_multiple_of(2) {
                verify(pipeline);
            }
            pipeline.call(&["DEL", &key]);
        }
        if at.is_multiple_of(BATCH) {
            verify(pipeline);
        }
    }
    verify(pipeline);
    taken
}

#[test]
fn spoiled_payloads_are_refused_or_documents() {
    let mut random = Random::from_environment();
    let given = env::var("PAYLOADS").ok().and_then(|count| count.parse().ok());
    let count = given.unwrap_or(PAYLOADS);
    let server = Options::new().start();
    let mut pipeline = Pipeline::connect(server.url()).expect("the server listens");
    let payloads = payloads(&mut pipeline, &mut random);
    // The checksum that is made here is the server's.
    let whole: [&[u8]; 5] = [b"RESTORE", b"notes:whole", b"0", &payloads[0], b"REPLACE"];
    assert_eq!(pipeline.call(&whole), Value::Okay);
    let (value, footer) = payloads[0].split_at(payloads[0].len() - 8);
    assert_eq!(CHECKSUM.checksum(value).to_le_bytes(), footer);
    let documents = pipeline.call(&["DBSIZE"]);
    // Buffers grow to the size that is needed.
    let mut taken = restore(&mut pipeline, &payloads, count / 4, &mut random);
    let before = used_memory(&server);
    taken += restore(&mut pipeline, &payloads, count - count / 4, &mut random);
    let kept = used_memory(&server) - before;
    println!("{taken} of {count} payloads were taken, {kept} bytes more are used");
    assert!(taken > count / 50 && taken < count, "{taken} of {count}");
    assert!(kept < KEPT_MAX, "{kept} bytes are used by nothing");
    assert_eq!(pipeline.call(&["DBSIZE"]), documents);
    let log = server.log();
    assert!(!log.contains("a defect") && !log.contains("BUG REPORT"), "{log}");
}

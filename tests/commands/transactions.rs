//! Random transactions against a model of them: a map of what stands under each key.

use std::collections::BTreeMap;

use folio_tests::generate::Random;
use folio_tests::reply::{int, json, list};
use folio_tests::{Pipeline, Server};
use redis::Value;
use serde_json::{Value as Json, json};

/// Transactions of one run.
const TRANSACTIONS: usize = 100_000;
/// Transactions that are sent before their replies are looked at.
const BATCH: usize = 500;
const KEYS: usize = 6;

/// Documents by key.
type Model = BTreeMap<String, Json>;

/// The number of a document, if it has one.
fn number(document: Option<&Json>) -> Option<i64> {
    document?.get("n")?.as_i64()
}

/// One operation, and what it makes of `now`; the code of its error, where it is refused. `before` is what stood there when the
/// transaction began.
fn operation(
    random: &mut Random,
    before: &Model,
    now: &mut Model,
) -> (Json, Result<(), &'static str>) {
    let key = format!("u:{}", random.below(KEYS));
    let value = match random.below(3) {
        0 => json!({"n": random.below(4)}),
        _ => json!({"n": random.below(4), "email": format!("{}@x", random.below(8))}),
    };
    let is_there = now.contains_key(&key);
    match random.below(12) {
        0..4 => {
            now.insert(key.clone(), value.clone());
            (json!({"op": "set", "key": key, "value": value}), Ok(()))
        }
        4 | 5 => {
            let operation = json!({"op": "insert", "key": key, "value": value});
            if is_there {
                return (operation, Err("EXISTS"));
            }
            now.insert(key, value);
            (operation, Ok(()))
        }
        6..9 => {
            let upsert = random.chance(50);
            let by = random.below(3) as i64 + 1;
            let operation =
                json!({"op": "update", "key": key, "ops": [["INCR", "n", by]], "upsert": upsert});
            if !is_there && !upsert {
                return (operation, Err("NOTFOUND"));
            }
            let document = now.entry(key).or_insert_with(|| json!({}));
            document["n"] = json!(number(Some(document)).unwrap_or(0) + by);
            (operation, Ok(()))
        }
        9 | 10 => {
            now.remove(&key);
            (json!({"op": "del", "key": key}), Ok(()))
        }
        _ => {
            let least = random.below(3) as i64;
            let operation =
                json!({"op": "check", "key": key, "if": "n >= $least", "params": {"least": least}});
            let holds = number(before.get(&key)).is_some_and(|n| n >= least);
            (operation, if holds { Ok(()) } else { Err("CHECK") })
        }
    }
}

/// Whether two documents have the same email.
fn has_twins(model: &Model) -> bool {
    let mut emails: Vec<&str> = model.values().filter_map(|it| it.get("email")?.as_str()).collect();
    emails.sort_unstable();
    emails.windows(2).any(|pair| pair[0] == pair[1])
}

/// A transaction, and the code of its error, if it is refused; `model` is what stands there afterwards.
fn transaction(random: &mut Random, model: &mut Model) -> (Json, Option<&'static str>) {
    let (mut now, mut operations, mut refused) = (model.clone(), Vec::new(), None);
    for _ in 0..=random.below(5) {
        let (operation, outcome) = operation(random, model, &mut now);
        operations.push(operation);
        refused = refused.or(outcome.err());
    }
    let refused = refused.or(has_twins(&now).then_some("UNIQUE"));
    if refused.is_none() {
        *model = now;
    }
    (Json::Array(operations), refused)
}

#[test]
fn random_transactions_do_what_a_map_does() {
    let mut random = Random::from_environment();
    let server = Server::start();
    let mut c = server.resp3();
    c.call(&[
        "DOC.CREATE",
        "u",
        "FIELD",
        "email",
        "string",
        "UNIQUE",
        "FIELD",
        "n",
        "int",
        "INDEX",
        "SORTED",
    ]);
    let mut pipeline = Pipeline::connect(server.url()).expect("the server listens");
    let keys: Vec<String> = (0..KEYS).map(|at| format!("u:{at}")).collect();
    let (mut model, mut made, mut done) = (Model::new(), 0, 0);
    while done < TRANSACTIONS {
        let (mut commands, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..BATCH {
            let (operations, refused) = transaction(&mut random, &mut model);
            let words = ["DOC.TXN".to_owned()].into_iter().chain(keys.iter().cloned());
            commands.push(words.chain([operations.to_string()]).map(String::into_bytes).collect());
            expected.push((operations, refused));
        }
        for (reply, (operations, refused)) in pipeline.ask(&commands).iter().zip(&expected) {
            match (reply, refused) {
                (Value::Array(replies), None) => {
                    assert_eq!(Some(replies.len()), operations.as_array().map(Vec::len));
                    made += 1;
                }
                (Value::ServerError(error), Some(code)) => {
                    assert_eq!(error.code(), *code, "{operations}");
                }
                _ => panic!("{operations}\n  gave     {reply:?}\n  expected {refused:?}"),
            }
        }
        done += BATCH;
        let held = list(c.call(&["DOC.MGET", "u:0", "u:1", "u:2", "u:3", "u:4", "u:5"]));
        for (key, held) in keys.iter().zip(held) {
            let held = (held != Value::Nil).then(|| json(&held));
            assert_eq!(held.as_ref(), model.get(key), "{key}");
        }
        assert_eq!(c.call(&["DOC.VERIFY", "u"]), Value::Array(vec![]));
    }
    assert_eq!(int(&c.call(&["DOC.COUNT", "u"])), model.len() as i64);
    assert!((TRANSACTIONS / 4..TRANSACTIONS * 3 / 4).contains(&made), "{made} of {done} were made");
}

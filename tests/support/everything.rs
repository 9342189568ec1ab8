//! Everything that a server holds, as text that two servers are compared by, or one with what another wrote long ago.

use std::fmt::Write as _;

use redis::Value;

use crate::Pipeline;
use crate::pipeline::{Words, words};
use crate::reply::texts;

/// The databases that are looked at.
const DATABASES: usize = 4;

/// The value of a name in a flat list of pairs.
pub fn member<'a>(reply: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Array(flat) = reply else { return None };
    let mut pairs = flat.chunks_exact(2);
    let is_it = |reply: &Value| matches!(reply, Value::BulkString(text) if text == name.as_bytes());
    pairs.find(|pair| is_it(&pair[0])).map(|pair| &pair[1])
}

/// A reply as JSON.
fn shown(reply: &Value) -> serde_json::Value {
    match reply {
        Value::Nil => serde_json::Value::Null,
        Value::Int(number) => (*number).into(),
        Value::BulkString(text) => String::from_utf8_lossy(text).into(),
        Value::SimpleString(text) => text.as_str().into(),
        Value::Okay => "OK".into(),
        Value::Array(items) => items.iter().map(shown).collect(),
        // The words of an error may change, its code does not.
        Value::ServerError(error) => error.code().into(),
        other => format!("{other:?}").into(),
    }
}

/// Everything that can be seen of every database, each of whose collections is verified.
///
/// # Panics
/// An index differs from its documents.
pub fn everything(pipeline: &mut Pipeline) -> String {
    let mut names = Vec::new();
    for db in 0..DATABASES {
        names.extend([
            words(&["SELECT", &db.to_string()]),
            words(&["KEYS", "*"]),
            words(&["DOC.LIST"]),
        ]);
    }
    let names = pipeline.ask(&names);
    let mut questions: Vec<Words> = Vec::new();
    for (db, replies) in names.chunks_exact(3).enumerate() {
        let (mut keys, collections) = (texts(replies[1].clone()), texts(replies[2].clone()));
        keys.sort_unstable();
        if keys.is_empty() && collections.is_empty() {
            continue;
        }
        questions.push(words(&["SELECT", &db.to_string()]));
        for key in &keys {
            questions.push(words(&["TYPE", key]));
            questions.push(words(&["PEXPIRETIME", key]));
            questions.push(words(&["DOC.META", key]));
            questions.push(words(&["DOC.GET", key]));
        }
        for name in &collections {
            questions.push(words(&["DOC.VERIFY", name]));
            questions.push(words(&["DOC.SCHEMA", name]));
            questions.push(words(&["DOC.INFO", name]));
            questions.push(words(&["DOC.FIND", name, "WITHVERSION", "SCAN"]));
            questions.push(words(&["DOC.FIND", name, "SCAN", "ORDER", "1", "n", "DESC"]));
            let deleted = ["DOC.FIND", name, "WHERE", "_deleted IS NOT MISSING", "WITHDELETED"];
            questions.push(words(&deleted));
            questions.push(words(&["DOC.COUNT", name, "WHERE", "n >= 2 AND s = 'a'", "SCAN"]));
        }
    }
    let answers = pipeline.ask(&questions);
    let mut seen = String::new();
    for (question, answer) in questions.iter().zip(answers) {
        let question: Vec<_> = question.iter().map(|word| String::from_utf8_lossy(word)).collect();
        let question = question.join(" ");
        if question.starts_with("DOC.VERIFY") {
            assert_eq!(answer, Value::Array(vec![]), "{question}");
            continue;
        }
        let has_rows =
            |answer| member(answer, "results").is_some_and(|it| *it != Value::Array(vec![]));
        if question.ends_with("WITHDELETED") && !has_rows(&answer) {
            // What older files hold was asked before there was a mark.
            continue;
        }
        let answer = match question.split(' ').next() {
            Some("DOC.INFO") => {
                only(&answer, &["declared", "documents", "with_ttl", "version", "seq"])
            }
            Some("DOC.META") => {
                let mut names =
                    ["collection", "version", "seq", "created", "updated", "expires"].to_vec();
                // What older files hold was asked before paths had a TTL, and documents a schema version.
                if member(&answer, "path_expires").is_some_and(|it| *it != Value::Array(vec![])) {
                    names.push("path_expires");
                }
                if member(&answer, "schema").is_some_and(|it| *it != Value::Int(0)) {
                    names.push("schema");
                }
                only(&answer, &names)
            }
            _ => answer,
        };
        let _ = writeln!(seen, "{question} -> {}", shown(&answer));
    }
    seen
}

/// What of a map lasts: not how many bytes something takes.
fn only(map: &Value, names: &[&str]) -> Value {
    let found = names.iter().filter_map(|name| member(map, name).cloned());
    Value::Array(found.collect())
}

//! `INFO folio`: what an operator sees.

use std::collections::BTreeMap;

use folio_tests::builds::{Build, CREATE, DOCUMENTS, fill};
use folio_tests::{Client, Server};
use redis::Value;

type Pairs = BTreeMap<String, String>;

/// The fields of sections. A field that is told twice is a defect.
fn fields(c: &mut Client, sections: &[&str]) -> BTreeMap<String, String> {
    let text = c.text(&[&["INFO"], sections].concat()).expect("a text");
    let mut fields = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line:?} is no field"));
        assert!(fields.insert(name.to_owned(), value.to_owned()).is_none(), "{name} comes twice");
    }
    fields
}

fn pairs(text: &str) -> Pairs {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("{pair:?} in {text:?}"));
        (name.to_owned(), value.to_owned())
    };
    text.split(',').filter(|pair| !pair.is_empty()).map(pair).collect()
}

fn number(pairs: &Pairs, name: &str) -> u64 {
    let text = pairs.get(name).unwrap_or_else(|| panic!("no {name} in {pairs:?}"));
    text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number"))
}

/// What is told of one of several things, by its collection.
fn of_collection(fields: &BTreeMap<String, String>, kind: &str, name: &str) -> Option<Pairs> {
    let of_kind = |field: &String| field.starts_with(&format!("folio_{kind}_"));
    let lines = fields.iter().filter(|(field, _)| of_kind(field)).map(|(_, value)| pairs(value));
    lines.into_iter().find(|pairs| pairs["name"] == name)
}

#[test]
fn commands_are_counted_with_their_failures_and_times() {
    let server = Server::start();
    let mut c = server.resp3();
    for n in 0..20 {
        c.call(&["DOC.SET", &format!("t:{n}"), r#"{"n":1}"#]);
    }
    c.error(&["DOC.SET", "t:1", "{"]);
    c.error(&["DOC.COUNT", "nowhere"]);
    c.call(&["MULTI"]);
    c.call(&["DOC.GET", "t:1"]);
    c.call(&["EXEC"]);
    c.call(&["DOC.FUNCTION", "LIST"]);
    // That asks where the keys are, and runs nothing.
    c.call(&["COMMAND", "GETKEYS", "DOC.MGET", "t:1", "t:2", "PATHS", "1", "n"]);
    let all = fields(&mut c, &["folio"]);
    let set = pairs(&all["folio_cmdstat_doc.set"]);
    assert_eq!((number(&set, "calls"), number(&set, "failures")), (21, 1));
    assert!(number(&set, "usec") > 0);
    assert_eq!(number(&pairs(&all["folio_cmdstat_doc.count"]), "failures"), 1);
    assert_eq!(number(&pairs(&all["folio_cmdstat_doc.get"]), "calls"), 1);
    assert_eq!(number(&pairs(&all["folio_cmdstat_doc.function|list"]), "calls"), 1);
    assert!(!all.contains_key("folio_cmdstat_doc.mget"), "{all:?}");
    assert_eq!((all["folio_commands"].as_str(), &*all["folio_command_failures"]), ("24", "2"));
    let histogram = pairs(&all["folio_latency_doc.set"]);
    let mut ends: Vec<(u64, u64)> = histogram
        .iter()
        .map(|(end, calls)| (end.parse().unwrap_or(u64::MAX), calls.parse().expect("a number")))
        .collect();
    ends.sort_unstable();
    assert!(ends.iter().all(|(end, _)| end.is_power_of_two() || *end == u64::MAX), "{ends:?}");
    assert!(ends.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1), "{ends:?}");
    assert_eq!(ends.last().map(|last| last.1), Some(21));
    c.call(&["CONFIG", "SET", "folio.latency-tracking", "0"]);
    c.call(&["DOC.SET", "t:1", "{}"]);
    let later = fields(&mut c, &["folio"]);
    assert_eq!(number(&pairs(&later["folio_cmdstat_doc.set"]), "calls"), 22);
    assert_eq!(later["folio_latency_doc.set"], all["folio_latency_doc.set"]);
}

#[test]
fn errors_and_refused_writes_are_told_by_code() {
    let server = Server::start();
    let mut c = server.resp3();
    c.call(&["DOC.CREATE", "u", "FIELD", "mail", "string", "UNIQUE", "FIELD", "n", "int"]);
    c.call(&["DOC.SET", "u:1", r#"{"mail":"a"}"#]);
    c.error(&["DOC.SET", "u:2", r#"{"mail":"a"}"#]);
    c.error(&["DOC.SET", "u:2", r#"{"n":"a"}"#]);
    c.error(&["DOC.INSERT", "u", r#"{"n":"a"}"#]);
    c.error(&["DOC.TXN", "1", "u:9", "no list"]);
    c.call(&["SET", "u:string", "text"]);
    c.error(&["DOC.GET", "u:string"]);
    c.error(&["DOC.FIND", "u", "WHERE", "n = ("]);
    let all = fields(&mut c, &["folio"]);
    let errors = pairs(&all["folio_errors"]);
    let refused = pairs(&all["folio_refused_writes_by_code"]);
    assert_eq!(number(&errors, "UNIQUE"), 1);
    assert_eq!(number(&errors, "SCHEMA"), 2);
    assert_eq!(number(&errors, "WRONGTYPE"), 1);
    assert_eq!(number(&errors, "FILTER"), 1);
    assert_eq!((number(&refused, "UNIQUE"), number(&refused, "SCHEMA")), (1, 2));
    assert!(!refused.contains_key("FILTER") && !refused.contains_key("WRONGTYPE"), "{refused:?}");
    let sum: u64 = refused.keys().map(|code| number(&refused, code)).sum();
    assert_eq!(all["folio_refused_writes"], sum.to_string());
    let sum: u64 = errors.keys().map(|code| number(&errors, code)).sum();
    assert_eq!(all["folio_command_failures"], sum.to_string());
}

#[test]
fn collections_are_told_by_name_and_in_sum() {
    let server = Server::start();
    let mut c = server.resp3();
    c.call(&["DOC.CREATE", "a,b=\"c\\", "PREFIX", "x:", "FIELD", "n", "int", "INDEX", "SORTED"]);
    for n in 0..200 {
        c.call(&["DOC.SET", &format!("x:{n}"), &format!(r#"{{"n":{n}}}"#)]);
    }
    c.call(&["DOC.SET", "open:1", r#"{"n":1}"#]);
    c.call(&["SELECT", "3"]);
    c.call(&["DOC.SET", "open:1", r#"{"n":1}"#]);
    let all = fields(&mut c, &["folio"]);
    let odd = of_collection(&all, "collection", "a%2Cb%3D\"c\\").expect("it is there");
    assert_eq!((number(&odd, "documents"), number(&odd, "declared")), (200, 1));
    assert_eq!((number(&odd, "indexes"), number(&odd, "db")), (1, 0));
    c.call(&["SELECT", "0"]);
    let told = c.map(&["DOC.INFO", "a,b=\"c\\"]);
    assert_eq!(Value::Int(number(&odd, "document_bytes") as i64), told["document_bytes"]);
    // So few values are counted one by one.
    let indexes = format!("{:?}", told["indexes"]);
    assert!(indexes.contains(&format!("int({})", odd["index_bytes"])), "{indexes}");
    assert_eq!(all["folio_collections"], "3");
    assert_eq!(all["folio_documents"], "202");
    assert_eq!(all["folio_index_bytes"], odd["index_bytes"]);
    let listed = |all: &BTreeMap<String, String>| {
        all.keys().filter(|name| name.starts_with("folio_collection_")).count()
    };
    assert_eq!(listed(&all), 3);
    c.call(&["CONFIG", "SET", "folio.info-collections-max", "1"]);
    let all = fields(&mut c, &["folio"]);
    assert_eq!((listed(&all), all["folio_documents"].as_str()), (1, "202"));
    assert!(
        of_collection(&all, "collection", "a%2Cb%3D\"c\\").is_some(),
        "a declared one is first"
    );
    c.call(&["CONFIG", "SET", "folio.info-collections-max", "0"]);
    assert_eq!(listed(&fields(&mut c, &["folio"])), 0);
}

#[test]
fn sections_can_be_asked_for_one_by_one() {
    let server = Server::start();
    let mut c = server.resp3();
    c.call(&["DOC.SET", "t:1", "{}"]);
    let names = |c: &mut Client, sections: &[&str]| -> Vec<String> {
        let text = c.text(&[&["INFO"], sections].concat()).expect("a text");
        text.lines().filter_map(|line| line.strip_prefix("# ")).map(str::to_owned).collect()
    };
    let all = [
        "folio",
        "folio_commands",
        "folio_latency",
        "folio_errors",
        "folio_collections",
        "folio_builds",
        "folio_migrations",
    ];
    assert_eq!(names(&mut c, &["folio"]), all);
    for section in &all[1..] {
        assert_eq!(names(&mut c, &[section]), [*section]);
    }
    assert_eq!(names(&mut c, &["folio_errors", "server"]), ["Server", "folio_errors"]);
    let all = fields(&mut c, &["folio_collections"]);
    assert_eq!(all.len(), 1);
}

#[test]
fn builds_and_migrations_are_told_while_they_last() {
    let server = Server::start();
    let mut c = server.resp3();
    fill(&server);
    assert!(of_collection(&fields(&mut c, &["folio"]), "build", "t").is_none());
    let build = Build::halfway(&server, CREATE);
    let told = of_collection(&fields(&mut c, &["folio_builds"]), "build", "t").expect("a build");
    let done = number(&told, "done");
    assert!(done > 50 && done < DOCUMENTS as u64, "{told:?}");
    assert_eq!(number(&told, "documents"), DOCUMENTS as u64);
    build.end(&server).expect("it ends");
    assert!(of_collection(&fields(&mut c, &["folio"]), "build", "t").is_none());
    c.call(&["DOC.FUNCTION", "LOAD", "up", "return {v = 2}"]);
    c.call(&["DOC.ALTER", "t", "ADD", "MIGRATION", "1", "UP", "up"]);
    c.call(&["DOC.MIGRATE", "t", "TO", "1", "LAZY"]);
    c.call(&["DOC.UPDATE", "t:1", "SET", "s", "\"x\""]);
    let all = fields(&mut c, &["folio"]);
    let told = of_collection(&all, "migration", "t").expect("a migration");
    assert_eq!((number(&told, "version"), number(&told, "lazy")), (1, 1));
    assert_eq!(number(&told, "pending"), DOCUMENTS as u64 - 1);
    assert_eq!((number(&told, "stopped"), all["folio_migrations_stopped"].as_str()), (0, "0"));
}

#[test]
fn what_indexes_take_is_told_about_right_without_a_walk() {
    let server = Server::start();
    let mut c = server.resp3();
    c.call(&[
        "DOC.CREATE",
        "t",
        "FIELD",
        "n",
        "int",
        "INDEX",
        "SORTED",
        "FIELD",
        "s",
        "string",
        "INDEX",
        "SET",
    ]);
    let mut pipeline = folio_tests::Pipeline::connect(server.url()).expect("the server is there");
    let commands: Vec<_> = (0..20_000)
        .map(|n| {
            let text = format!(r#"{{"n":{n},"s":"a text that is long enough {}"}}"#, n / 2);
            folio_tests::pipeline::words(&["DOC.SET", &format!("t:{n}"), &text])
        })
        .collect();
    pipeline.ask(&commands);
    let about = c.info_number("folio", "folio_index_bytes") as f64;
    let bucket = c.map(&["DOC.INFO", "t"]);
    let exact: i64 = folio_tests::reply::list(bucket["indexes"].clone())
        .into_iter()
        .map(|index| {
            let index = folio_tests::reply::map(redis::ProtocolVersion::RESP3, index);
            folio_tests::reply::int(&index["bytes"])
        })
        .sum();
    let ratio = about / exact as f64;
    assert!((0.85..1.15).contains(&ratio), "{about} of {exact}");
}

//! What the engine's steps cost on real documents, without a server: `cargo bench`.
//!
//! The 34,006 cities of tests/data stand in a declared collection with five indexes; each
//! benchmark is one step of a command. Times of the whole command come on top of these.

#![forbid(unsafe_code)]

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::Path as FilePath;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use flate2::read::GzDecoder;
use folio_engine::Limits;
use folio_engine::doc::{Document, Parsed};
use folio_engine::exec::{self, Aggregate, Direction, Find, Named, Request};
use folio_engine::path::Path;
use folio_engine::query::{Params, Scope, bind, parse};
use folio_engine::schema::Definition;
use folio_engine::store::{Prepared, Store};
use folio_engine::update::{self, Op};
use folio_tests::users;

/// Midnight, 1 January 2026.
const NOW_MS: i64 = 1_767_225_600_000;

const DEFINITION: &str = r#"{"collection":"cities","fields":[
    {"path":"name","type":"string","index":"set"},
    {"path":"countrycode","type":"string","index":"set"},
    {"path":"timezone","type":"string","index":"set"},
    {"path":"population","type":"int","index":"sorted"},
    {"path":"alternatenames","type":"array<string>","index":"set"}]}"#;

/// The cities' lines, with their keys.
fn lines() -> Vec<(Vec<u8>, String)> {
    let root = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/cities.jsonl.gz");
    let mut text = String::new();
    let file = File::open(root).expect("the data is part of the project");
    GzDecoder::new(file).read_to_string(&mut text).expect("the data is compressed text");
    let keyed = text.lines().enumerate();
    keyed.map(|(n, line)| (format!("cities:{n}").into_bytes(), line.to_owned())).collect()
}

fn declared() -> Store {
    let limits = Limits::default();
    let definition = Definition::from_json(DEFINITION.as_bytes(), &limits);
    let mut store = Store::new(1);
    store.create(0, definition.expect("the definition is valid")).expect("nothing stands there");
    store
}

fn write(store: &mut Store, key: &[u8], old: Option<&Document>, parsed: &Parsed) -> Document {
    match store.prepare(0, key, old, parsed, NOW_MS, None).expect("the document is valid") {
        Prepared::Ready(delta) => store.commit(delta),
        other => panic!("{other:?}"),
    }
}

fn parsed(json: &str) -> Parsed {
    let mut parsed = Parsed::default();
    parsed.parse(json.as_bytes(), &Limits::default()).expect("the document is valid");
    parsed
}

fn filled(lines: &[(Vec<u8>, String)]) -> Store {
    let mut store = declared();
    for (key, line) in lines {
        write(&mut store, key, None, &parsed(line));
    }
    store
}

fn documents(c: &mut Criterion) {
    let lines = lines();
    let limits = Limits::default();
    let near_400 = lines.iter().min_by_key(|(_, line)| line.len().abs_diff(400));
    let line = &near_400.expect("there are cities").1;
    let mut buffers = Parsed::default();
    c.bench_function("parse a document of 400 bytes", |b| {
        b.iter(|| buffers.parse(black_box(line.as_bytes()), &limits));
    });

    c.bench_function("write 34,006 new documents, five indexes", |b| {
        let all: Vec<(&[u8], Parsed)> = lines.iter().map(|(k, l)| (&k[..], parsed(l))).collect();
        let load = |mut store: Store| {
            for (key, parsed) in &all {
                write(&mut store, key, None, parsed);
            }
            store
        };
        b.iter_batched(declared, load, BatchSize::PerIteration);
    });

    let mut store = filled(&lines);
    let (key, line) = &lines[1_000];
    let line = line.replace("\"population\":", "\"population\":1");
    let versions = [parsed(&line), parsed(&lines[1_000].1)];
    // What stands there comes out of the table under its id.
    let collection = store.collection(0, "cities").expect("it was declared");
    let id = collection.live().select(1_000).expect("there are as many");
    let mut held = collection.document(id).expect("the id is live").clone();
    let mut turn = 0;
    c.bench_function("change one sorted value of a document", |b| {
        b.iter(|| {
            let old = held.clone();
            held = write(&mut store, key, Some(&old), &versions[turn % 2]);
            turn += 1;
        });
    });
}

/// A declaration of the cities with an index on each of the first members.
fn declared_with(indexes: usize) -> Store {
    const MEMBERS: [(&str, &str); 10] = [
        ("name", "string"),
        ("geonameid", "int"),
        ("alternatenames", "array<string>"),
        ("countrycode", "string"),
        ("timezone", "string"),
        ("population", "int"),
        ("latitude", "float"),
        ("longitude", "float"),
        ("elevation", "int"),
        ("admin1code", "string"),
    ];
    let field =
        |(path, ty): &(&str, &str)| format!(r#"{{"path":"{path}","type":"{ty}","index":"set"}}"#);
    let fields = MEMBERS[..indexes].iter().map(field);
    let fields = fields.collect::<Vec<_>>().join(",");
    let json = format!(r#"{{"collection":"cities","fields":[{fields}]}}"#);
    let definition = Definition::from_json(json.as_bytes(), &Limits::default());
    let mut store = Store::new(1);
    store.create(0, definition.expect("the definition is valid")).expect("nothing stands there");
    store
}

/// An update of a field that no index covers is to cost the same with ten indexes as with none.
fn unindexed(c: &mut Criterion) {
    let lines = lines();
    let key = b"cities:1000";
    let line = lines[1_000].1.trim_end_matches('}');
    let versions = [1, 2].map(|hits| parsed(&format!(r#"{line},"hits":{hits}}}"#)));
    let mut group = c.benchmark_group("update a field that no index covers");
    for indexes in [0, 10] {
        let mut store = declared_with(indexes);
        let mut held = write(&mut store, key, None, &versions[0]);
        let mut turn = 1;
        group.bench_function(format!("{indexes} indexes"), |b| {
            b.iter(|| {
                let parsed = &versions[turn % 2];
                let prepared = store.prepare_update(0, key, &held, parsed, NOW_MS, None);
                let Ok(Prepared::Ready(delta)) = prepared else { panic!("it is another document") };
                held = store.commit(delta);
                turn += 1;
            });
        });
    }
}

/// What operations make of a text, before it is parsed and written.
fn updates(c: &mut Criterion) {
    let lines = lines();
    let (definition, limits) = (Definition::new("open"), Limits::default());
    let scope = update::Scope {
        definition: &definition,
        now_ms: NOW_MS,
        limits: &limits,
        functions: None,
        pace: None,
    };
    let path = |text: &str| Path::parse(text, 8).expect("a path");
    let number = |text: &str| Box::from(text.as_bytes());

    let near_400 = lines.iter().min_by_key(|(_, line)| line.len().abs_diff(400));
    let city = parsed(&near_400.expect("there are cities").1);
    let one = [Op::Incr(path("population"), number("1"))];
    c.bench_function("increase one number of a document of 400 bytes", |b| {
        b.iter(|| update::apply(black_box(city.view()), &one, &scope));
    });

    let numbers = vec!["1"; 500_000].join(",");
    let large = parsed(&format!(r#"{{"numbers":[{numbers}],"hits":0}}"#));
    let mut group = c.benchmark_group("updates of 1 MB");
    group.sample_size(10);
    let cases = [
        ("increase a number 1,000 times behind it", Op::Incr(path("hits"), number("1"))),
        ("push 1,000 elements to 500,000", Op::Push(path("numbers"), number("1"))),
        ("take 1,000 elements from the front of 500,000", Op::Pop(path("numbers"), Some(0))),
    ];
    for (name, op) in cases {
        let ops = vec![op; 1_000];
        group.bench_function(name, |b| {
            b.iter(|| update::apply(black_box(large.view()), &ops, &scope));
        });
    }
    let add = vec![Op::Add(path("numbers"), number("2")); 64];
    group.bench_function("look 64 times for an element among 500,000", |b| {
        b.iter(|| update::apply(black_box(large.view()), &add, &scope));
    });
}

fn queries(c: &mut Criterion) {
    let store = filled(&lines());
    let collection = store.collection(0, "cities").expect("it was declared");
    let limits = Limits::default();
    let filter = |text: &str| {
        let ast = parse(text, &limits).expect("the filter is well formed");
        bind(
            &ast,
            &Scope {
                definition: collection.definition(),
                params: &Params::default(),
                now_ms: 0,
                limits: &Limits::default(),
                functions: None,
            },
        )
        .expect("its types fit")
    };
    let largest =
        vec![(Path::parse("population", 8).expect("a path").into(), Direction::Descending)];

    let text = "population BETWEEN 1000000 AND 2000000 AND countrycode NOT IN ('CN', 'IN')";
    c.bench_function("read and bind a filter", |b| b.iter(|| filter(black_box(text))));
    let find = |text: &str, limit| Find {
        filter: Some(filter(text)),
        order: largest.clone(),
        limit: Some((0, limit)),
        ..Find::default()
    };
    let cases = [
        ("find the ten largest of a country", find("countrycode = 'JP'", 10)),
        ("find by name or other name", find("name = 'Paris' OR alternatenames HAS 'Paris'", 100)),
        ("find the ten largest of all", find("population > 0", 10)),
    ];
    for (name, find) in &cases {
        c.bench_function(name, |b| b.iter(|| exec::find(collection, black_box(find), &limits)));
    }
    let counts = [
        ("count a range", "population BETWEEN 1000000 AND 2000000"),
        ("count a range less two sets", text),
    ];
    for (name, text) in counts {
        let filter = filter(text);
        c.bench_function(name, |b| {
            b.iter(|| exec::count(collection, black_box(Some(&filter)), false, &limits));
        });
    }
}

/// Workload U: 100,000 users of 400 bytes in a hundred cities.
fn users_filled() -> Store {
    let json = format!(r#"{{"collection":"users","fields":[{}]}}"#, users::FIELDS);
    let limits = Limits::default();
    let definition = Definition::from_json(json.as_bytes(), &limits);
    let mut store = Store::new(1);
    store.create(0, definition.expect("the definition is valid")).expect("nothing stands there");
    for n in 0..100_000 {
        write(&mut store, users::key(n).as_bytes(), None, &parsed(&users::json(n)));
    }
    store
}

fn aggregates(c: &mut Criterion) {
    let store = users_filled();
    let collection = store.collection(0, "users").expect("it was declared");
    let limits = Limits::default();
    let params = Params::default();
    let scope = Scope {
        definition: collection.definition(),
        params: &params,
        now_ms: 0,
        limits: &limits,
        functions: None,
    };
    let cases = [
        ("average score by city, from indexes", Some("city"), "avg(score)", None),
        ("count by city, from an index", Some("city"), "count()", None),
        (
            "average score by city above an age, from indexes",
            Some("city"),
            "avg(score)",
            Some("age > 50"),
        ),
        ("average score, from a column", None, "avg(score)", None),
        ("first name by city, from documents", Some("city"), "first(name)", None),
    ];
    for (name, key, reducer, filter) in cases {
        let named = |text| Named { text, name: None };
        let read = |text: &str| Arc::new(parse(text, &limits).expect("it is well formed"));
        let request = Request {
            filter: filter.map(read),
            keys: key.into_iter().map(named).collect(),
            reducers: vec![named(reducer)],
            scan: true,
            ..Request::default()
        };
        let bound = Aggregate::bind(&request, &scope).expect("it is well formed");
        c.bench_function(name, |b| {
            b.iter(|| exec::aggregate(collection, black_box(&bound), &limits));
        });
    }
}

criterion_group!(benches, documents, unindexed, updates, queries, aggregates);
criterion_main!(benches);

//! Allocations of the engine's steps, counted: seconds differ from machine to machine, these do not. Each step is what a command
//! does between its arguments and its reply; a number that grows is a change to be looked at.
//!
//! Workload U, 5,000 users, six indexes. Of each step the mean over many is compared with the most that it may take, which is what it
//! took when it was written, rounded up: indexes and tables grow now and then.

#![forbid(unsafe_code)]

use folio_engine::Limits;
use folio_engine::doc::{Document, Parsed};
use folio_engine::exec::{self, Aggregate, Direction, Find, Named, Request};
use folio_engine::path::Path;
use folio_engine::query::{Params, Scope, bind, parse};
use folio_engine::schema::Definition;
use folio_engine::store::{Prepared, Store};
use folio_tests::users;

/// Midnight, 1 January 2026.
const NOW_MS: i64 = 1_767_225_600_000;
const USERS: u64 = 5_000;
/// How often each step is taken.
const TIMES: u64 = 1_000;

/// Users that are kept, and the buffers that a command reads JSON into.
struct Users {
    store: Store,
    held: Vec<Document>,
    parsed: Parsed,
    limits: Limits,
}

impl Users {
    fn filled(fields: &str) -> Self {
        let limits = Limits::default();
        let json = format!(r#"{{"collection":"users","fields":[{fields}]}}"#);
        let definition = Definition::from_json(json.as_bytes(), &limits).expect("it is valid");
        let mut store = Store::new(1);
        store.create(0, definition).expect("nothing stands there");
        let mut users = Users { store, held: Vec::new(), parsed: Parsed::default(), limits };
        for n in 0..USERS {
            let document = users.write(n, &users::json(n), None);
            users.held.push(document);
        }
        users
    }

    /// What `DOC.SET` does of a document that is born, or of another text of one that is there.
    fn write(&mut self, n: u64, json: &str, old: Option<&Document>) -> Document {
        self.parsed.parse(json.as_bytes(), &self.limits).expect("the document is valid");
        let key = users::key(n);
        let prepared = self.store.prepare(0, key.as_bytes(), old, &self.parsed, NOW_MS, None);
        match prepared.expect("nothing speaks against it") {
            Prepared::Ready(delta) => self.store.commit(delta),
            other => panic!("{other:?}"),
        }
    }

    /// Gives the nth user that is there another text.
    fn overwrite(&mut self, n: u64, json: &str) {
        let at = n as usize;
        let old = self.held[at].clone();
        self.held[at] = self.write(n, json, Some(&old));
    }
}

/// The mean of allocations of a step, texts made beforehand.
fn mean(mut step: impl FnMut(u64)) -> f64 {
    let counted = allocation_counter::measure(|| (0..TIMES).for_each(&mut step));
    counted.count_total as f64 / TIMES as f64
}

/// The texts of some users, each with an ending of its own.
fn texts(revision: u64, ending: &str) -> Vec<String> {
    let text = |n| {
        let json = users::revised(n, revision);
        format!("{}{ending}", &json[..json.len() - 2])
    };
    (0..USERS + TIMES).map(text).collect()
}

/// Writes: name, allocations, the most that they may be.
fn writes() -> Vec<(&'static str, f64, f64)> {
    let plain = texts(0, "\"}");
    let revised = texts(1, "\"}");
    let biographies = texts(0, " and more\"}");
    let mut steps = Vec::new();
    for (fields, is_indexed) in [("", false), (users::FIELDS, true)] {
        let mut users = Users::filled(fields);
        let name = |plain, indexed| if is_indexed { indexed } else { plain };
        let most = |plain: f64, indexed: f64| if is_indexed { indexed } else { plain };
        let born = mean(|n| drop(users.write(USERS + n, &plain[(USERS + n) as usize], None)));
        steps.push((name("new, no index", "new, six indexes"), born, most(3.5, 16.0)));
        let same = mean(|n| users.overwrite(n, &biographies[n as usize]));
        steps.push((name("biography, no index", "biography, six indexes"), same, 3.0));
        let over = mean(|n| users.overwrite(n, &revised[n as usize]));
        steps.push((
            name("all values, no index", "all values, six indexes"),
            over,
            most(3.0, 24.5),
        ));
    }
    steps
}

/// Queries over the users with six indexes.
fn queries() -> Vec<(&'static str, f64, f64)> {
    let users = Users::filled(users::FIELDS);
    let collection = users.store.collection(0, "users").expect("it was declared");
    let limits = &users.limits;
    let params = Params::default();
    let scope = Scope {
        definition: collection.definition(),
        params: &params,
        now_ms: 0,
        limits,
        functions: None,
    };
    let filter = |text: &str| {
        bind(&parse(text, limits).expect("it is well formed"), &scope).expect("its types fit")
    };
    let by = |path| vec![(Path::parse(path, 8).expect("a path").into(), Direction::Descending)];
    let find = |text: &str, order| {
        let find =
            Find { filter: Some(filter(text)), order, limit: Some((0, 10)), ..Find::default() };
        mean(|_| drop(exec::find(collection, &find, limits).expect("it is no scan")))
    };
    let count = |text: &str| {
        let filter = filter(text);
        mean(|_| drop(exec::count(collection, Some(&filter), false, limits)))
    };
    let request = Request {
        keys: vec![Named { text: "city", name: None }],
        reducers: vec![Named { text: "avg(score)", name: None }],
        scan: true,
        ..Request::default()
    };
    let aggregate = Aggregate::bind(&request, &scope).expect("it is well formed");
    let city = "city = 'City 07'";
    let text = "city = 'City 07' AND age BETWEEN 30 AND 40";
    vec![
        ("read an equality", mean(|_| drop(parse(city, limits))), 11.0),
        ("read and bind an equality", mean(|_| drop(filter(city))), 23.0),
        ("read two conditions", mean(|_| drop(parse(text, limits))), 19.0),
        ("read and bind two conditions", mean(|_| drop(filter(text))), 46.0),
        ("email equality", find("email = 'user.0000007@example.com'", vec![]), 10.0),
        ("city equality, ten", find(city, vec![]), 12.0),
        ("city and ages, ten by score", find(text, by("score")), 55.0),
        ("count of an age range", count("age BETWEEN 30 AND 40"), 4.0),
        (
            "average score by city",
            mean(|_| drop(exec::aggregate(collection, &aggregate, limits))),
            643.0,
        ),
    ]
}

#[test]
fn steps_take_no_more_allocations_than_they_did() {
    let steps: Vec<_> = writes().into_iter().chain(queries()).collect();
    let mut more = Vec::new();
    for (name, found, most) in steps {
        println!("{name:<30} {found:>8.2} of {most}");
        if found > most {
            more.push(format!("{name}: {found:.2} of {most}"));
        }
    }
    assert!(more.is_empty(), "{more:?}");
}

#[test]
fn a_write_that_touches_no_index_takes_the_same_with_six_as_with_none() {
    let biographies = texts(0, " and more\"}");
    let of = |fields| {
        let mut users = Users::filled(fields);
        mean(|n| users.overwrite(n, &biographies[n as usize]))
    };
    let (six, none) = (of(users::FIELDS), of(""));
    assert!((six - none).abs() < 0.01, "{six} and {none}");
}

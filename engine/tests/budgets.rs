//! What queries spend, counted in looks at a clock: all that takes time looks at it in proportion to its work, and an answer
//! after its time is none.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Arc;

use folio_engine::doc::Parsed;
use folio_engine::exec::{self, Aggregate, Distinct, Find, Means, Named, Request};
use folio_engine::query::{self, Filter, Params, Scope};
use folio_engine::schema::Definition;
use folio_engine::store::{Prepared, Store};
use folio_engine::{Code, Limits, Result};

fn store(fields: &str, documents: impl IntoIterator<Item = String>) -> Store {
    let mut store = Store::new(1);
    let json = format!(r#"{{"collection":"t","fields":[{fields}]}}"#);
    let definition = Definition::from_json(json.as_bytes(), &Limits::default()).unwrap();
    store.create(0, definition).unwrap();
    let mut parsed = Parsed::default();
    for (at, json) in documents.into_iter().enumerate() {
        parsed.parse(json.as_bytes(), &store.limits).unwrap();
        let key = format!("t:{at}");
        match store.prepare(0, key.as_bytes(), None, &parsed, 1, None).unwrap() {
            Prepared::Ready(delta) => store.commit(delta),
            other => panic!("{other:?}"),
        };
    }
    store
}

/// `[0,1,2..]`, so many numbers.
fn numbers(count: usize) -> String {
    let mut text = String::from("[");
    for n in 0..count {
        write!(text, "{}{n}", if n == 0 { "" } else { "," }).unwrap();
    }
    text + "]"
}

/// Something asked of a store within some means.
type Asked<'a> = &'a dyn Fn(&Store, Means<'_>) -> Result<u64>;

/// How often `asked` looks at the clock where there is time enough.
fn looks(store: &Store, asked: Asked<'_>) -> u64 {
    let looks = Cell::new(0);
    let elapsed_us = || {
        looks.set(looks.get() + 1);
        0
    };
    let limits = limits();
    asked(store, Means { limits: &limits, elapsed_us: Some(&elapsed_us), functions: None })
        .unwrap();
    looks.get()
}

/// An answer whose time is over at half of its looks, or near the last of them, is none.
#[track_caller]
fn is_cut(store: &Store, asked: Asked<'_>, looks: u64) {
    // A profile looks once more, for what it tells.
    for most in [looks / 2, looks - 2] {
        let (limits, seen) = (limits(), Cell::new(0));
        let elapsed_us = || {
            seen.set(seen.get() + 1);
            if seen.get() > most { u64::MAX } else { 0 }
        };
        let error =
            asked(store, Means { limits: &limits, elapsed_us: Some(&elapsed_us), functions: None });
        assert_eq!(error.unwrap_err().code, Code::Timeout);
        assert_eq!(seen.get(), most + 1, "nobody looks again");
    }
}

#[track_caller]
fn costs(store: &Store, asked: Asked<'_>, expected: std::ops::Range<u64>) {
    let looks = looks(store, asked);
    assert!(expected.contains(&looks), "{looks} looks");
    is_cut(store, asked, looks);
}

fn limits() -> Limits {
    Limits { query_ms_max: 1_000, ..Limits::default() }
}

fn filter(store: &Store, text: &str, params: &[(&str, &str)]) -> Filter {
    let ast = query::parse(text, &store.limits).unwrap();
    let params = params.iter().map(|(name, json)| (*name, json.as_bytes()));
    let params = Params::new(params, &store.limits).unwrap();
    let definition = store.collection(0, "t").unwrap().definition();
    let scope =
        Scope { definition, params: &params, now_ms: 0, limits: &store.limits, functions: None };
    query::bind(&ast, &scope).unwrap()
}

fn count(filter: Filter) -> impl Fn(&Store, Means<'_>) -> Result<u64> {
    move |store, means| exec::count(store.collection(0, "t").unwrap(), Some(&filter), true, means)
}

fn find(filter: Option<Filter>) -> impl Fn(&Store, Means<'_>) -> Result<u64> {
    let find = Find { filter, scan: true, ..Find::default() };
    move |store, means| {
        let found = exec::find(store.collection(0, "t").unwrap(), &find, means)?;
        Ok(found.ids.len() as u64)
    }
}

fn aggregate(
    store: &Store,
    key: &str,
    reducers: &[String],
    having: Option<&str>,
) -> impl Fn(&Store, Means<'_>) -> Result<u64> {
    let named = |text| Named { text, name: None };
    let request = Request {
        with_deleted: false,
        filter: None::<Arc<query::Ast>>,
        keys: [key].into_iter().filter(|key| !key.is_empty()).map(named).collect(),
        reducers: reducers.iter().map(|it| named(it)).collect(),
        having,
        order: Vec::new(),
        limit: None,
        scan: true,
    };
    let definition = store.collection(0, "t").unwrap().definition();
    let scope = Scope {
        definition,
        params: &Params::default(),
        now_ms: 0,
        limits: &store.limits,
        functions: None,
    };
    let bound = Aggregate::bind(&request, &scope).unwrap();
    move |store, means| {
        let rows = exec::aggregate(store.collection(0, "t").unwrap(), &bound, means)?;
        Ok(rows.len() as u64)
    }
}

fn any_of(count: usize, predicate: impl Fn(usize) -> String) -> String {
    (0..count).map(predicate).collect::<Vec<_>>().join(" OR ")
}

#[test]
fn an_answer_after_its_time_is_none() {
    let store = store("", [r#"{"n":1}"#.to_owned()]);
    let late = || u64::MAX;
    let limits = limits();
    let means = Means { limits: &limits, elapsed_us: Some(&late), functions: None };
    let one = filter(&store, "n = 1", &[]);
    let collection = store.collection(0, "t").unwrap();
    let path = distinct_of(&store, "n");
    for (what, late) in [
        ("find", find(None)(&store, means).is_err()),
        ("count", count(one)(&store, means).is_err()),
        ("group", aggregate(&store, "n", &["count()".to_owned()], None)(&store, means).is_err()),
        ("distinct", exec::distinct(collection, &path, means).is_err()),
    ] {
        assert!(late, "{what}");
    }
}

fn distinct_of(store: &Store, path: &str) -> Distinct {
    let definition = store.collection(0, "t").unwrap().definition();
    let scope = Scope {
        definition,
        params: &Params::default(),
        now_ms: 0,
        limits: &store.limits,
        functions: None,
    };
    Distinct::bind(path, None, true, &scope).unwrap()
}

fn distinct(store: &Store, path: &str) -> impl Fn(&Store, Means<'_>) -> Result<u64> {
    let asked = distinct_of(store, path);
    move |store, means| {
        let values = exec::distinct(store.collection(0, "t").unwrap(), &asked, means)?;
        Ok(values.len() as u64)
    }
}

#[test]
fn predicates_and_elements_of_one_document_look_at_the_clock() {
    let store = store("", [format!(r#"{{"t":{}}}"#, numbers(1_000))]);
    // 50 predicates of 1,000 elements each, and what is computed of each.
    let computed = filter(&store, &any_of(50, |n| format!("t[*] + 1 = {}", 5_000 + n)), &[]);
    costs(&store, &count(computed.clone()), 150..600);
    costs(&store, &find(Some(computed)), 150..600);
    let plain = filter(&store, &any_of(50, |n| format!("t[{n}] = 'x' OR t[*] LIKE '%{n}_'")), &[]);
    costs(&store, &count(plain), 45..100);
    // Each of 50 values is looked for among the elements by itself, and all are there.
    let all = (0..50).map(|n| (900 + n).to_string()).collect::<Vec<_>>().join(", ");
    costs(&store, &count(filter(&store, &format!("t HAS ALL ({all})"), &[])), 40..80);
    let any = filter(&store, "ANY t WHERE (@ < 0 OR @ + 1 < 0 OR @ * 2 < 0)", &[]);
    costs(&store, &count(any), 4..40);
}

#[test]
fn groups_of_elements_look_at_the_clock() {
    // Each of 300 elements is added in each of 300 groups.
    let store = store("", [format!(r#"{{"t":{}}}"#, numbers(300))]);
    costs(&store, &aggregate(&store, "t[*]", &["sum(t[*])".to_owned()], None), 88..150);
}

#[test]
fn columns_look_at_the_clock() {
    let field = r#"{"path":"i","type":"int","index":"sorted"}"#;
    let store = store(field, (0..3_000).map(|n| format!(r#"{{"i":{n}}}"#)));
    let quantiles: Vec<String> = (0..20).map(|n| format!("quantile(i, 0.{})", 10 + n)).collect();
    // Each number is read from the column once; sorting them is one look.
    costs(&store, &aggregate(&store, "", &quantiles, None), 75..200);
    costs(&store, &aggregate(&store, "i", &["count()".to_owned()], None), 40..80);
}

#[test]
fn rows_look_at_the_clock() {
    let store = store("", (0..200).map(|n| format!(r#"{{"i":{n}}}"#)));
    let having = any_of(100, |n| format!("i - {n} < 0 - 1000"));
    let reducers = ["count()".to_owned()];
    costs(&store, &aggregate(&store, "i", &reducers, Some(&having)), 100..200);
}

#[test]
fn distinct_elements_by_an_index_cost_one_walk_over_a_document() {
    let field = r#"{"path":"t","type":"array<int>","index":"set"}"#;
    let long = format!(r#"{{"t":{}}}"#, numbers(2_000));
    let empty = (0..300).map(|_| r#"{"t":[]}"#.to_owned());
    let store = store(field, std::iter::once(long).chain(empty));
    let asked = distinct(&store, "t[*]");
    // Eight steps a key and one an element; a walk for each key would be 2,000 looks.
    costs(&store, &asked, 12..40);
}

//! Plans and limits of queries: which index answers which predicate, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use folio_engine::doc::Parsed;
use folio_engine::exec::{self, Direction, Find};
use folio_engine::path::Path;
use folio_engine::query::{self, Filter, Params, Scope};
use folio_engine::schema::Definition;
use folio_engine::store::{Prepared, Store};
use folio_engine::{Code, Limits, plan};

const CITIES: &str = r#"{"collection":"cities","fields":[
    {"path":"country","type":"string","index":"set"},
    {"path":"population","type":"int","index":"sorted"},
    {"path":"names","type":"array<string>","index":"set"},
    {"path":"id","type":"int","unique":true}]}"#;

/// 20,000 cities: 100 countries, every population its own, half of them with names.
fn cities() -> Store {
    let mut store = Store::new(1);
    let definition = Definition::from_json(CITIES.as_bytes(), &Limits::default()).unwrap();
    store.create(0, definition).unwrap();
    let mut parsed = Parsed::default();
    for n in 0..20_000 {
        let names =
            if n % 2 == 0 { format!(r#","names":["n{}","all"]"#, n % 7) } else { String::new() };
        let json = format!(
            r#"{{"id":{n},"country":"C{}","population":{},"note":{}{names}}}"#,
            n % 100,
            n * 37 % 20_011,
            n % 3
        );
        parsed.parse(json.as_bytes(), &store.limits).unwrap();
        let key = format!("cities:{n}");
        match store.prepare(0, key.as_bytes(), None, &parsed, 1, None).unwrap() {
            Prepared::Ready(delta) => store.commit(delta),
            other => panic!("{other:?}"),
        };
    }
    store
}

fn filter(store: &Store, text: &str) -> Filter {
    let ast = query::parse(text, &store.limits).unwrap();
    let definition = store.collection(0, "cities").unwrap().definition();
    let scope = Scope {
        definition,
        params: &Params::default(),
        now_ms: 0,
        limits: &store.limits,
        functions: None,
    };
    query::bind(&ast, &scope).unwrap()
}

fn find(store: &Store, text: &str, order: &str, limit: Option<(u64, u64)>) -> Find {
    let order =
        order.split(',').filter(|part| !part.is_empty()).map(|part| match part.strip_prefix('-') {
            Some(path) => (Path::parse(path, 9).unwrap().into(), Direction::Descending),
            None => (Path::parse(part, 9).unwrap().into(), Direction::Ascending),
        });
    let order = order.collect();
    let filter = (!text.is_empty()).then(|| filter(store, text));
    Find { filter, order, limit, ..Find::default() }
}

#[track_caller]
fn plan_is(store: &Store, text: &str, order: &str, limit: Option<(u64, u64)>, expected: &[&str]) {
    let find = find(store, text, order, limit);
    let lines =
        plan::explain(store.collection(0, "cities").unwrap(), &find, false, &store.limits, None);
    let lines: Vec<&str> = lines[1..].iter().map(|line| line.trim_start()).collect();
    assert_eq!(lines, expected);
}

#[test]
fn every_kind_of_predicate_finds_its_index() {
    let store = cities();
    let birth = "in the order of birth";
    plan_is(
        &store,
        "country = 'C7'",
        "",
        None,
        &[birth, "set index country: country = 'C7' (200)"],
    );
    plan_is(
        &store,
        "country IN ('C7', 'C8')",
        "",
        None,
        &[birth, "set index country: country IN ('C7', 'C8') (400)"],
    );
    plan_is(
        &store,
        "names HAS 'n0'",
        "",
        None,
        &[birth, "set index names[*]: names HAS 'n0' (1429)"],
    );
    plan_is(
        &store,
        "country IS MISSING",
        "",
        None,
        &[birth, "set index country: country IS MISSING (0)"],
    );
    plan_is(&store, "id = 5", "", None, &[birth, "set index id: id = 5 (1)"]);
    plan_is(
        &store,
        "population BETWEEN 100 AND 199",
        "",
        None,
        &[birth, "sorted index population: population BETWEEN 100 AND 199 (100)"],
    );
    plan_is(
        &store,
        "NOT country = 'C7' AND names HAS 'n1'",
        "",
        None,
        &[
            birth,
            "intersect (at most 1428)",
            "set index names[*]: names HAS 'n1' (1428)",
            "all but",
            "set index country: country = 'C7' (200)",
        ],
    );
    plan_is(
        &store,
        "country = 'C7' OR population < 10",
        "",
        None,
        &[
            birth,
            "unite (at most 210)",
            "set index country: country = 'C7' (200)",
            "sorted index population: population < 10 (10)",
        ],
    );
    plan_is(
        &store,
        "country = 'C7' AND note = 1",
        "",
        None,
        &[
            birth,
            "check note = 1",
            "no field note is declared, and no index is over it",
            "set index country: country = 'C7' (200)",
        ],
    );
    plan_is(
        &store,
        "note = 1",
        "",
        None,
        &[
            birth,
            "check note = 1",
            "no field note is declared, and no index is over it",
            "scan 20000 documents: no index answers; refused without SCAN beyond 10000 (folio.scan-max)",
        ],
    );
}

#[test]
fn a_wide_range_beside_a_narrow_set_is_checked_by_its_column() {
    let store = cities();
    plan_is(
        &store,
        "country = 'C7' AND population > 9000",
        "-population",
        Some((0, 10)),
        &[
            "sort by population descending (column), keep 10",
            "check population > 9000",
            "the sorted index over population yields more than the candidates: each is checked",
            "set index country: country = 'C7' (200)",
        ],
    );
    // Nearly all: what is left is less to gather, and is taken away.
    plan_is(
        &store,
        "country = 'C7' AND population > 10",
        "",
        None,
        &[
            "in the order of birth",
            "intersect (at most 200)",
            "set index country: country = 'C7' (200)",
            "all but",
            "sorted index population: NOT population > 10 (11)",
        ],
    );
}

#[test]
fn an_order_is_walked_when_that_is_shorter() {
    let store = cities();
    let everything = "all documents (20000)";
    plan_is(
        &store,
        "",
        "-population",
        Some((0, 10)),
        &["walk sorted index population descending", everything],
    );
    plan_is(
        &store,
        "NOT country = 'C7'",
        "population",
        Some((0, 10)),
        &[
            "walk sorted index population ascending",
            "all but",
            "set index country: country = 'C7' (200)",
        ],
    );
    plan_is(
        &store,
        "country = 'C7'",
        "population,id",
        None,
        &[
            "sort by population ascending (column), id ascending (document)",
            "set index country: country = 'C7' (200)",
        ],
    );
}

#[test]
fn a_scan_beyond_its_limit_is_refused_unless_asked_for() {
    let store = cities();
    let collection = store.collection(0, "cities").unwrap();
    let mut scan = find(&store, "note = 1", "", None);
    let error = exec::find(collection, &scan, &store.limits).unwrap_err();
    assert_eq!(error.code, Code::NoIndex);
    assert!(error.message.contains("10000 documents (folio.scan-max)"), "{error}");
    let count = exec::count(collection, scan.filter.as_ref(), false, &store.limits);
    assert_eq!(count.unwrap_err().code, Code::NoIndex);
    scan.scan = true;
    assert_eq!(exec::find(collection, &scan, &store.limits).unwrap().ids.len(), 6667);
    assert_eq!(exec::count(collection, scan.filter.as_ref(), true, &store.limits), Ok(6667));
    let by_note = find(&store, "", "note", Some((0, 3)));
    assert_eq!(exec::find(collection, &by_note, &store.limits).unwrap_err().code, Code::NoIndex);
    let few = find(&store, "note = 1", "", Some((0, 3)));
    assert_eq!(exec::find(collection, &few, &store.limits).unwrap().ids.len(), 3);
}

#[test]
fn an_answer_beyond_the_limit_of_rows_is_refused_whole() {
    let store = cities();
    let collection = store.collection(0, "cities").unwrap();
    let limits = Limits { rows_max: 100, ..Limits::default() };
    for order in ["", "population", "country,id"] {
        let all = find(&store, "country = 'C7'", order, None);
        let error = exec::find(collection, &all, &limits).unwrap_err();
        assert_eq!(error.code, Code::Limited, "{order}");
        assert!(error.message.contains("100 rows (folio.rows-max)"), "{error}");
        let some = find(&store, "country = 'C7'", order, Some((0, 100)));
        assert_eq!(exec::find(collection, &some, &limits).unwrap().ids.len(), 100, "{order}");
    }
}

#[test]
fn documents_that_a_wide_range_lets_through_are_counted_as_well() {
    let store = cities();
    let collection = store.collection(0, "cities").unwrap();
    let wide = filter(&store, "population >= 0 AND note = 1");
    let error = exec::count(collection, Some(&wide), false, &store.limits).unwrap_err();
    assert_eq!(error.code, Code::NoIndex);
    let narrow = filter(&store, "country = 'C7' AND note = 1");
    assert_eq!(exec::count(collection, Some(&narrow), false, &store.limits), Ok(67));
}

#[test]
fn documents_that_are_read_for_a_sort_alone_are_counted() {
    let store = cities();
    let collection = store.collection(0, "cities").unwrap();
    // A column decides the range; the order is in the documents.
    let by_note = find(&store, "country = 'C7' AND population >= 50", "note", Some((0, 3)));
    let limits = Limits { scan_max: 100, ..Limits::default() };
    assert_eq!(exec::find(collection, &by_note, &limits).unwrap_err().code, Code::NoIndex);
    let limits = Limits { scan_max: 200, ..limits };
    let (found, profile) = exec::profile(collection, &by_note, &limits).unwrap();
    assert_eq!((found.ids.len(), profile.examined), (3, profile.passed));
    // What the filter has read is not counted once more for the order.
    let by_note = find(&store, "country = 'C7' AND note >= 0", "note", Some((0, 3)));
    assert_eq!(exec::profile(collection, &by_note, &limits).unwrap().1.examined, 200);
}

#[test]
fn a_total_beside_a_later_page_counts_no_document_twice() {
    let store = cities();
    let collection = store.collection(0, "cities").unwrap();
    let limits = Limits { scan_max: 250, ..Limits::default() };
    let mut page = find(&store, "country = 'C7' AND note >= 0", "", Some((0, 5)));
    page.with_total = true;
    let first = exec::find(collection, &page, &limits).unwrap();
    assert_eq!(first.total, Some(200));
    page.after = first.cursor;
    page.limit = Some((0, 190));
    let next = exec::find(collection, &page, &limits).unwrap();
    assert_eq!((next.ids.len(), next.total), (190, Some(200)));
    let limits = Limits { scan_max: 150, ..limits };
    assert_eq!(exec::find(collection, &page, &limits).unwrap_err().code, Code::NoIndex);
}

#[test]
fn an_order_by_too_many_paths_is_refused() {
    let store = cities();
    let many = vec!["note"; 17].join(",");
    let error = exec::find(
        store.collection(0, "cities").unwrap(),
        &find(&store, "", &many, None),
        &store.limits,
    );
    assert_eq!(error.unwrap_err().code, Code::Limited);
}

//! The proof that indexes are used: every kind of predicate of docs/query-language.md with the index that serves it, or the
//! reason why none does. docs/indexes.md has the same table.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use std::time::Instant;

use folio_engine::collection::Collection;
use folio_engine::doc::Parsed;
use folio_engine::exec::{self, Aggregate, Direction, Distinct, Find, Named, Profile, Request};
use folio_engine::query::{self, Filter, Params, Scope};
use folio_engine::schema::Definition;
use folio_engine::store::{Prepared, Store};
use folio_engine::{Limits, plan};

const FIELDS: [&str; 11] = [
    r#"{"path":"n","type":"int","nullable":true,"index":"sorted"}"#,
    r#"{"path":"s","type":"string","index":"sorted"}"#,
    r#"{"path":"c","type":"string","index":"set"}"#,
    r#"{"path":"b","type":"bool","index":"set"}"#,
    r#"{"path":"j","type":"json","nullable":true,"index":"sorted"}"#,
    r#"{"path":"d","type":"decimal","index":"sorted"}"#,
    r#"{"path":"t","type":"datetime","index":"sorted"}"#,
    r#"{"path":"tags","type":"array<string>","index":"set"}"#,
    r#"{"path":"name","type":"string","index":"substring"}"#,
    r#"{"path":"items[*].sku","type":"string","index":"set"}"#,
    r#"{"path":"plain","type":"int"}"#,
];
const INDEXES: &str = r#"{"name":"both","on":[{"path":"k"},{"path":"n"}]},
    {"name":"some","on":[{"path":"u"}],"where":"c = 'c1'"}"#;
const DOCUMENTS: u64 = 400;

/// The collection `c` with all kinds of indexes, or with none.
fn store(is_indexed: bool) -> Store {
    let fields = FIELDS.map(|field| match field.find(r#","index""#) {
        Some(at) if !is_indexed => format!("{}}}", &field[..at]),
        _ => field.to_owned(),
    });
    let indexes = if is_indexed { INDEXES } else { "" };
    let json =
        format!(r#"{{"collection":"c","fields":[{}],"indexes":[{indexes}]}}"#, fields.join(","));
    let definition = Definition::from_json(json.as_bytes(), &Limits::default()).unwrap();
    let mut store = Store::new(1);
    store.create(0, definition).unwrap();
    let mut parsed = Parsed::default();
    for at in 0..DOCUMENTS {
        parsed.parse(document(at).as_bytes(), &store.limits).unwrap();
        let expires = (at % 4 == 0).then_some(1_000_000 + at as i64);
        match store.prepare(0, format!("c:{at}").as_bytes(), None, &parsed, 1, expires).unwrap() {
            Prepared::Ready(delta) => store.commit(delta),
            other => panic!("{other:?}"),
        };
    }
    store.lapse(0, "c", 1_000);
    store
}

fn document(at: u64) -> String {
    let json = ["1", "\"text\"", "true", "[1,2]", "{\"x\":1}", "null", "1.5"][(at % 7) as usize];
    let decimal = if at.is_multiple_of(2) { format!("\"{at}.50\"") } else { at.to_string() };
    let tags = ["[]", r#"["x"]"#, r#"["x","y"]"#, r#"["z"]"#][(at % 4) as usize];
    let number = if at % 50 == 9 { String::new() } else { format!(r#""n":{at},"#) };
    format!(
        r#"{{{number}"s":"name of no. {at}","c":"c{}","b":{},"j":{json},"d":{decimal},"t":{},
            "tags":{tags},"name":"Street {at} North","items":[{{"sku":"k{}","qty":{}}},{{"sku":"k1"}}],
            "plain":{},"k":{},"u":{at}}}"#,
        at % 40,
        at.is_multiple_of(3),
        at * 1000,
        at % 20,
        at % 5,
        at % 3,
        at % 10,
    )
}

fn collection(store: &Store) -> &Collection {
    store.collection(0, "c").unwrap()
}

fn bound(store: &Store, text: &str) -> Filter {
    let (filter_bytes_max, patterns_max) = (usize::MAX, usize::MAX);
    let limits = Limits { filter_bytes_max, patterns_max, ..Limits::default() };
    let ast = query::parse(text, &limits).unwrap();
    let definition = collection(store).definition();
    let scope = Scope {
        definition,
        params: &Params::default(),
        now_ms: 1_000,
        limits: &limits,
        functions: None,
    };
    query::bind(&ast, &scope).unwrap()
}

fn find(store: &Store, text: &str) -> Find {
    Find { filter: Some(bound(store, text)), scan: true, ..Find::default() }
}

/// The plan of a search in lines, and what it took to count.
fn planned(store: &Store, text: &str) -> (Vec<String>, Profile) {
    let find = find(store, text);
    let lines = plan::explain(collection(store), &find, false, &store.limits, None);
    let counted = Find { limit: Some((0, 0)), with_total: true, ..find };
    (lines, exec::profile(collection(store), &counted, &store.limits).unwrap().1)
}

/// What serves a predicate.
enum Served {
    /// An index that answers it: no document is read.
    Whole(&'static str),
    /// An index that gives candidates, each of which is checked.
    Candidates(&'static str),
    /// None, for a reason.
    Not(&'static str),
}

use Served::{Candidates, Not, Whole};

/// Every kind of predicate.
const KINDS: &[(&str, Served)] = &[
    // Comparisons.
    ("c = 'c7'", Whole("set index c: c = 'c7'")),
    ("n = 7", Whole("sorted index n: n = 7")),
    ("n != 7", Whole("sorted index n: n = 7")),
    ("c != 'c7'", Whole("set index c: c = 'c7'")),
    ("n < 7", Whole("sorted index n: n < 7")),
    ("n >= 390", Whole("sorted index n: n >= 390")),
    ("c > 'c7'", Not("the set index over c knows no order: INDEX SORTED does")),
    ("n BETWEEN 5 AND 9", Whole("sorted index n: n BETWEEN 5 AND 9")),
    ("n NOT BETWEEN 5 AND 9", Whole("sorted index n: n BETWEEN 5 AND 9")),
    ("n > 5 AND n < 9", Whole("sorted index n: n > 5 AND n < 9")),
    ("n < 5 OR n > 390", Whole("sorted index n: n < 5 OR n > 390")),
    ("c IN ('c1', 'c2')", Whole("set index c: c IN ('c1', 'c2')")),
    ("c NOT IN ('c1', 'c2')", Whole("set index c: c IN ('c1', 'c2')")),
    ("b", Whole("set index b: b = TRUE")),
    ("d = 12.5", Whole("sorted index d: d = 12.5")),
    ("t < '1970-01-01T00:00:09Z'", Whole("sorted index t: t < '1970-01-01T00:00:09Z'")),
    ("j = 1", Whole("sorted index j: j = 1")),
    ("plain = 1", Not("no index over plain")),
    ("other = 1", Not("no field other is declared, and no index is over it")),
    ("n + 1 = 7", Not("computed: an index answers a path alone against constants")),
    ("n > plain", Not("computed: an index answers a path alone against constants")),
    // Kinds.
    ("n IS MISSING", Whole("sorted index n: n IS MISSING")),
    ("n IS NULL", Whole("sorted index n: n IS NULL")),
    ("n IS NOT NULL", Whole("sorted index n: n IS NULL")),
    ("b IS TRUE", Whole("set index b: b IS TRUE")),
    ("b IS NOT FALSE", Whole("set index b: b IS FALSE")),
    ("j IS STRING", Whole("sorted index j: j IS STRING")),
    ("j IS NUMBER", Whole("sorted index j: j IS NUMBER")),
    ("j IS BOOLEAN", Whole("sorted index j: j IS BOOLEAN")),
    ("j IS ARRAY", Whole("sorted index j: j IS ARRAY")),
    ("j IS OBJECT", Whole("sorted index j: j IS OBJECT")),
    ("j IS NOT STRING", Whole("sorted index j: j IS STRING")),
    ("s IS NUMBER", Whole("sorted index s: s IS NUMBER")),
    ("d IS STRING", Candidates("sorted index d: d IS STRING or of the other kind")),
    ("c IS STRING", Not("the set index over c knows no order: INDEX SORTED does")),
    // Strings.
    ("s STARTS WITH 'name of no. 7'", Whole("sorted index s: s STARTS WITH 'name of no. 7'")),
    ("s LIKE 'name of no. 7%'", Whole("sorted index s: s LIKE 'name of no. 7%'")),
    ("s LIKE 'name of no. 7'", Whole("sorted index s: s LIKE 'name of no. 7'")),
    ("s LIKE 'name of no. 7_'", Candidates("sorted index s: s STARTS WITH 'name of no. 7'")),
    ("s MATCHES '^name of no. 7.$'", Candidates("sorted index s: s STARTS WITH 'name of no'")),
    ("s MATCHES '^name of no[.] (7|8)'", Candidates("index s: s STARTS WITH 'name of no. 7' OR")),
    ("s ILIKE 'nam%'", Candidates("sorted index s: s STARTS WITH 'NAM' OR s STARTS WITH")),
    ("s CONTAINS '7'", Not("no index over parts of s: INDEX SUBSTRING is one")),
    ("name CONTAINS '77 No'", Candidates("substring index name: a part of '77 no'")),
    ("name ENDS WITH '7 North'", Candidates("substring index name: a part of '7 north'")),
    ("name LIKE '%77%north'", Candidates("substring index name: a part of 'north'")),
    ("name ILIKE '%77 NORTH'", Candidates("substring index name: a part of '77 north'")),
    ("name MATCHES '77 (North|South)'", Candidates("substring index name: a part of '77 '")),
    ("name STARTS WITH 'Street 77'", Candidates("substring index name: a part of 'street 77'")),
    ("name = 'Street 77 North'", Candidates("substring index name: a part of 'street 77 north'")),
    ("name CONTAINS 'N'", Not("the pattern requires no part of three bytes")),
    // Arrays.
    ("tags HAS 'x'", Whole("set index tags[*]: tags HAS 'x'")),
    ("tags NOT HAS 'x'", Whole("set index tags[*]: tags HAS 'x'")),
    ("tags HAS ANY ('x', 'z')", Whole("set index tags[*]: tags HAS ANY ('x', 'z')")),
    ("tags HAS ALL ('x', 'y')", Whole("set index tags[*]: tags HAS 'y'")),
    ("tags HAS ALL ()", Not("no index tells one array from another")),
    ("tags[*] = 'y'", Whole("set index tags[*]: tags[*] = 'y'")),
    ("tags[*] IS MISSING", Whole("set index tags[*]: tags[*] IS MISSING")),
    ("tags IS MISSING", Not("the index is over its elements: tags HAS, or tags[*]")),
    ("items[*].sku = 'k7'", Whole("set index items[*].sku: items[*].sku = 'k7'")),
    ("ANY items WHERE (sku = 'k7')", Whole("set index items[*].sku: ANY items WHERE (sku = 'k7')")),
    (
        "ANY items WHERE (sku = 'k7' AND qty > 2)",
        Candidates("set index items[*].sku: ANY items WHERE (sku = 'k7')"),
    ),
    ("ALL items WHERE (sku = 'k1')", Not("an array without elements satisfies ALL")),
    // Several paths, and some documents.
    ("k = 3 AND n < 90", Whole("sorted index both (k, n): k = 3 AND n < 90")),
    ("c = 'c1' AND u > 200", Whole("sorted index some (u): u > 200")),
    ("u > 200", Not("the sorted index over u has only some documents")),
    // Metadata.
    ("_seq > 390", Whole("order of birth: _seq > 390")),
    ("_seq BETWEEN 5 AND 9 OR _seq = 12", Whole("order of birth: _seq BETWEEN 5 AND 9 OR")),
    (
        "_expires < '1970-01-01T00:16:40.009Z'",
        Whole("order of lapsing: _expires < '1970-01-01T00:16:40.009Z'"),
    ),
    ("_expires IS MISSING", Whole("order of lapsing: NOT _expires IS MISSING")),
    ("_expires IS NOT MISSING", Whole("order of lapsing: NOT _expires IS MISSING")),
    ("_deleted IS MISSING", Whole("those marked as deleted")),
    ("_deleted IS NOT MISSING", Whole("those marked as deleted")),
    ("_valid IS FALSE", Whole("those that break a rule")),
    ("_valid", Whole("those that break a rule")),
    ("_key = 'c:7'", Not("no index over keys: DOC.GET finds a document by its key")),
    ("_id LIKE '7%'", Not("no index over keys: DOC.GET finds a document by its key")),
    ("_version > 5", Not("no index over _version")),
    ("_created <= now()", Not("no index over _created")),
    ("_updated <= now()", Not("no index over _updated")),
    // Joins.
    ("n < 90 AND c = 'c7'", Whole("intersect")),
    ("n < 9 OR c = 'c7'", Whole("unite")),
    ("NOT (n < 300 OR c = 'c7')", Whole("intersect")),
    ("NOT (n >= 9 AND c != 'c7')", Whole("unite")),
    ("n < 90 AND plain = 1", Candidates("sorted index n: n < 90")),
    ("n < 9 OR plain = 1", Not("plain = 1: no index over plain")),
];

#[test]
fn every_kind_of_predicate_is_served_by_its_index() {
    let (indexed, plain) = (store(true), store(false));
    for (text, served) in KINDS {
        let (lines, profile) = planned(&indexed, text);
        let shown = lines.join("\n");
        let is_scan = shown.contains("scan 400 documents");
        let is_checked = lines.iter().any(|line| line.starts_with("  check "));
        let (expected, is_as_said) = match served {
            Whole(expected) => (expected, !is_scan && !is_checked && profile.examined == 0),
            Candidates(expected) => {
                (expected, !is_scan && is_checked && profile.examined <= DOCUMENTS)
            }
            Not(expected) => (expected, is_scan && is_checked),
        };
        assert!(is_as_said && shown.contains(expected), "{text} {profile:?}\n{shown}");
        // Some are served wholly by the indexes and none by the documents alone.
        let (found, all) = (find(&indexed, text), find(&plain, text));
        let found = exec::find(collection(&indexed), &found, &indexed.limits).unwrap();
        let all = exec::find(collection(&plain), &all, &plain.limits).unwrap();
        assert_eq!(found.ids, all.ids, "{text}\n{shown}");
        assert_eq!(profile.passed, all.ids.len() as u64, "{text}\n{shown}");
    }
}

#[test]
fn the_table_of_the_documentation_has_every_kind() {
    let page = std::fs::read_to_string("../docs/indexes.md").unwrap();
    for (text, _) in KINDS {
        assert!(page.contains(&format!("`{}`", text.replace('|', "\\|"))), "{text}");
    }
}

#[test]
fn a_count_of_what_is_indexed_reads_no_document() {
    let store = store(true);
    for text in [
        "n < 300 AND c = 'c7' AND tags HAS 'x'",
        "c = 'c7' AND s > 'name of no. 2'",
        "c = 'c7' AND s BETWEEN 'name of no. 2' AND 'name of no. 3'",
        "s > 'name of no. 2' AND s < 'name of no. 3' AND n > 9",
        "c = 'c1' AND tags HAS ANY ('x', 'z')",
        "c = 'c1' AND b AND u < 300 AND n != 5",
        "k = 3 AND n > 50 AND c != 'c3'",
        "_seq > 10 AND n < 20 AND _expires IS MISSING",
        "c = 'c7' AND (n < 9 OR NOT tags HAS 'y')",
    ] {
        let (lines, profile) = planned(&store, text);
        assert_eq!(profile.examined, 0, "{text}\n{}", lines.join("\n"));
    }
    // What one index counts is not gathered.
    for text in ["n > 5 AND n < 300", "n != 5", "c = 'c7'", "tags HAS 'x'", "_seq > 5", "NOT b"] {
        let filter = bound(&store, text);
        let access = plan::access_of(collection(&store), Some(&filter), false);
        assert!(access.counted[access.root.unwrap()], "{text}");
        let counted = exec::count(collection(&store), Some(&filter), false, &store.limits);
        assert_eq!(counted, Ok(access.expected(DOCUMENTS)), "{text}");
    }
}

#[test]
fn births_are_walked_in_either_direction() {
    let store = store(true);
    let order = |text: &str, direction, limit| {
        let by = (query::parse_subject("_seq", &store.limits).unwrap(), direction);
        Find { order: vec![by], limit: Some((0, limit)), ..find(&store, text) }
    };
    for (direction, line) in [
        (Direction::Ascending, "  in the order of birth"),
        (Direction::Descending, "  in the order of birth, last first"),
    ] {
        for text in ["c = 'c7'", "plain = 1", "_seq > 100 AND plain = 1", "n != 8"] {
            let all = order(text, direction, 1000);
            let lines = plan::explain(collection(&store), &all, false, &store.limits, None);
            assert_eq!(lines[1], line, "{text}");
            let all = exec::find(collection(&store), &all, &store.limits).unwrap().ids;
            assert!(all.is_sorted_by(|a, b| (a < b) == (direction == Direction::Ascending)));
            assert!(all.len() > 2, "{text}");
            let (mut page, mut ids) = (order(text, direction, 3), Vec::new());
            loop {
                let found = exec::find(collection(&store), &page, &store.limits).unwrap();
                ids.extend(found.ids);
                let Some(cursor) = found.cursor else { break };
                page.after = Some(cursor);
            }
            assert_eq!(ids, all, "{text}");
        }
    }
}

#[test]
fn an_aggregate_says_how_groups_are_formed_and_does_so() {
    let store = store(true);
    let (limits, params) = (Limits { scan_max: 100, ..Limits::default() }, Params::default());
    let definition = collection(&store).definition();
    let scope =
        Scope { definition, params: &params, now_ms: 1_000, limits: &limits, functions: None };
    let named = |texts: &[&'static str]| {
        texts.iter().map(|text| Named { text, name: None }).collect::<Vec<_>>()
    };
    let explained = |filter: &str, keys: &[&'static str], reducers: &[&'static str]| {
        let filter = (!filter.is_empty()).then(|| query::parse(filter, &limits).unwrap().into());
        let (keys, reducers) = (named(keys), named(reducers));
        let request = Request { filter, keys, reducers, ..Request::default() };
        let bound = Aggregate::bind(&request, &scope).unwrap();
        let lines = exec::explain_aggregate(collection(&store), &bound, &limits, None);
        // What reads more documents than the limit is refused, and nothing else is.
        let profile = exec::profile_aggregate(collection(&store), &bound, &limits);
        let examined = profile.map_or(u64::MAX, |(_, profile)| profile.examined);
        (lines[1..].to_vec(), examined)
    };
    let all = "  all documents (400)";
    assert_eq!(
        explained("", &[], &["count()"]),
        (["  one group", "  count(): how many each group has", all].map(String::from).to_vec(), 0)
    );
    let (lines, examined) = explained("n < 300", &["c"], &["count()", "max(n)"]);
    let group = "  group by c: the values of set index c";
    assert_eq!(
        lines[..3],
        [group, "  count(): how many each group has", "  max(n): the column of n"]
    );
    assert_eq!((&lines[3..], examined), (&["  sorted index n: n < 300 (294)".to_owned()][..], 0));
    for (filter, keys, reducers, why) in [
        ("plain = 1", &["c"][..], &["count()"][..], "the filter is not answered by indexes alone"),
        ("", &["plain"], &["count()"], "no index has the values of plain"),
        ("", &["c", "b"], &["count()"], "an index has the groups of one key, not of 2"),
        ("", &["bucket(n, 10)"], &["count()"], "bucket(n, 10) is computed"),
        ("", &["tags[*]"], &["count()"], "tags[*] leads to several values"),
        ("", &["c"], &["collect(n)"], "no column has what collect(n) asks for"),
        ("", &[], &["sum(plain)"], "no column has what sum(plain) asks for"),
    ] {
        let (lines, examined) = explained(filter, keys, reducers);
        assert!(lines[0].ends_with(&format!(", by document: {why}")), "{lines:?}");
        let refused = "refused without SCAN beyond 100 (folio.scan-max)";
        assert!(lines.iter().any(|line| line.contains(refused)), "{lines:?}");
        assert_eq!(examined, u64::MAX, "{lines:?}");
    }
    let distinct = |path: &str| {
        let bound = Distinct::bind(path, None, false, &scope).unwrap();
        let lines = exec::explain_distinct(collection(&store), &bound, &limits, None);
        (lines, exec::distinct(collection(&store), &bound, &limits).is_ok())
    };
    let (lines, is_answered) = distinct("c");
    assert!(is_answered);
    assert_eq!(lines, ["distinct c of c", "  the values of set index c", all]);
    let (lines, is_answered) = distinct("plain");
    assert!(!is_answered && lines[1] == "  by document: no index has the values of plain");
}

#[test]
fn a_long_filter_is_planned_and_run_in_a_time_in_proportion_to_it() {
    let store = store(true);
    let terms = |count: usize, word: &str, term: &dyn Fn(usize) -> String| {
        (0..count).map(term).collect::<Vec<_>>().join(word)
    };
    let began = Instant::now();
    for text in [
        terms(5_000, " OR ", &|at| format!("c = 'c{at}' OR n = {at} OR tags HAS 'x{at}'")),
        terms(2_000, " OR ", &|at| format!("(n = {at} AND c = 'c{at}')")),
        terms(5_000, " AND ", &|at| format!("NOT tags[*] = 'x{at}' AND c != 'c{at}'")),
        terms(5_000, " AND ", &|at| format!("other{at} IS MISSING")),
        terms(500, " OR ", &|at| format!("name LIKE '%north{at}%' OR s LIKE 'a%{at}'")),
        format!("c IN ({}) AND n > 5", terms(10_000, ", ", &|at| format!("'c{at}'"))),
        format!("n IN ({}) AND c = 'c1'", terms(10_000, ", ", &|at| at.to_string())),
        format!("n NOT IN ({})", terms(10_000, ", ", &|at| at.to_string())),
    ] {
        let (lines, _) = planned(&store, &text);
        assert!(lines.iter().map(String::len).sum::<usize>() < 1 << 20);
    }
    // Passes that are quadratic in the terms take minutes here.
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

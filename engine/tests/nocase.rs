//! Fields declared NOCASE: a collection of them answers as one whose documents were folded before they were written.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use folio_engine::collection::Collection;
use folio_engine::doc::Parsed;
use folio_engine::exec::{self, Aggregate, Direction, Distinct, Find, Named, Request};
use folio_engine::index::DocId;
use folio_engine::path::Path;
use folio_engine::query::{self, Params, Scope};
use folio_engine::schema::Definition;
use folio_engine::store::{Prepared, Store};
use folio_engine::value::case::folded;
use folio_engine::{Error, Limits, plan};
use proptest::prelude::*;

/// Fields and indexes of a collection; `N` stands where NOCASE does.
const PLAIN: &str =
    r#""fields":[{"path":"s","type":"string" N},{"path":"a","type":"array<string>" N}]"#;
const INDEXED: [&str; 5] = [
    PLAIN,
    r#""fields":[{"path":"s","type":"string" N,"index":"set"},{"path":"a","type":"array<string>" N,"index":"set"}]"#,
    r#""fields":[{"path":"s","type":"string" N,"index":"sorted"},{"path":"a","type":"array<string>" N,"index":"sorted"}]"#,
    r#""fields":[{"path":"s","type":"string" N,"index":"substring"},{"path":"a","type":"array<string>" N,"index":"substring"}]"#,
    r#""fields":[{"path":"s","type":"string" N},{"path":"a","type":"array<string>" N}],
        "indexes":[{"name":"i","on":[{"path":"s"},{"path":"n","order":"desc"}]},
                   {"name":"j","on":[{"path":"a"},{"path":"s"}],"where":"s >= 'AK'"}]"#,
];

fn store(declared: &str, nocase: bool, documents: &[String]) -> Result<Store, Error> {
    let declared = declared.replace(" N", if nocase { r#","nocase":true"# } else { "" });
    let json = format!(r#"{{"collection":"c",{declared}}}"#);
    let definition = Definition::from_json(json.as_bytes(), &Limits::default())?;
    let mut store = Store::new(1);
    store.create(0, definition)?;
    let mut parsed = Parsed::default();
    for (at, json) in documents.iter().enumerate() {
        parsed.parse(json.as_bytes(), &store.limits)?;
        let key = format!("c:{at}");
        match store.prepare(0, key.as_bytes(), None, &parsed, 1, None)? {
            Prepared::Ready(delta) => store.commit(delta),
            other => panic!("{other:?}"),
        };
    }
    assert_eq!(collection(&store).verify(), Vec::<String>::new());
    Ok(store)
}

fn collection(store: &Store) -> &Collection {
    store.collection(0, "c").unwrap()
}

fn scope<'s>(store: &'s Store, params: &'s Params) -> Scope<'s> {
    let definition = collection(store).definition();
    Scope { definition, params, now_ms: 0, limits: &store.limits, functions: None }
}

/// The documents that a query finds, in order.
fn found(store: &Store, filter: &str, order: &str, limit: Option<(u64, u64)>) -> Vec<DocId> {
    let params = Params::default();
    let ast = query::parse(filter, &store.limits).unwrap();
    let filter = Some(query::bind(&ast, &scope(store, &params)).unwrap());
    let order = order.split_whitespace().map(|path| match path.strip_prefix('-') {
        Some(path) => (Path::parse(path, 9).unwrap().into(), Direction::Descending),
        None => (Path::parse(path, 9).unwrap().into(), Direction::Ascending),
    });
    let find = Find { filter, order: order.collect(), limit, ..Find::default() };
    exec::find(collection(store), &find, &store.limits).unwrap().ids
}

fn texts(rows: Vec<Box<[u8]>>) -> Vec<String> {
    rows.into_iter().map(|row| String::from_utf8(row.into()).unwrap()).collect()
}

fn distinct(store: &Store, path: &str, filter: &str) -> Vec<String> {
    let params = Params::default();
    let ast = query::parse(filter, &store.limits).unwrap();
    let asked = Distinct::bind(path, Some(&ast), true, &scope(store, &params)).unwrap();
    texts(exec::distinct(collection(store), &asked, &store.limits).unwrap())
}

fn aggregate(store: &Store, group: &str, having: &str) -> Vec<String> {
    let params = Params::default();
    let named = |text| Named { text, name: None };
    let reducers = ["count()", "min(s)", "max(s)", "countDistinct(a[*])", "distinct(a[*])"];
    let first = Named { text: "first(s)", name: Some("first") };
    let request = Request {
        keys: vec![named(group)],
        reducers: reducers.into_iter().map(named).chain([first]).collect(),
        having: Some(having),
        scan: true,
        ..Request::default()
    };
    let asked = Aggregate::bind(&request, &scope(store, &params)).unwrap();
    texts(exec::aggregate(collection(store), &asked, &store.limits).unwrap())
}

/// Questions; `A` and `B` stand for words.
const FILTERS: [&str; 30] = [
    "s = 'A'",
    "s != 'A'",
    "'A' < s",
    "s <= 'A'",
    "s > 'A'",
    "s >= 'A'",
    "s BETWEEN 'A' AND 'B'",
    "s IN ('A', 'B')",
    "s IN ()",
    "s STARTS WITH 'A'",
    "s ENDS WITH 'A'",
    "s CONTAINS 'A'",
    "s LIKE 'A%B'",
    "s LIKE '_A%'",
    "s ILIKE '%A_'",
    "s MATCHES '^A'",
    "s MATCHES 'A.*B|B$'",
    "a HAS 'A'",
    "a HAS ANY ('A', 'B')",
    "a HAS ALL ('A', 'B')",
    "a[*] < 'A'",
    "a[0] = 'A'",
    "a[*] STARTS WITH 'A'",
    "ANY a WHERE (@ >= 'A' AND @ CONTAINS 'B')",
    "ALL a WHERE (@ != 'A')",
    "s = t OR t > a[0]",
    "a[*] <= s",
    "s BETWEEN t AND 'A'",
    "s BETWEEN t AND t",
    "s >= 'ak' AND a HAS 'A'",
];

fn word() -> impl Strategy<Value = String> {
    "[aAbBkK\u{212a}éÉsſßẞ]{0,3}|ab[kKéÉ\u{212a}]{3,7}|AB[kKéÉ]{3,7}"
}

fn document() -> impl Strategy<Value = String> {
    let words = proptest::collection::vec(word(), 0..4);
    (word(), word(), words, 0..3, 0..6).prop_map(|(s, t, a, n, kind)| {
        let a: Vec<String> = a.iter().map(|word| format!(r#""{word}""#)).collect();
        let a = a.join(",");
        match kind {
            0 => format!(r#"{{"t":"{t}","n":{n}}}"#),
            1 => format!(r#"{{"s":"{s}","t":{n},"n":{n},"a":[]}}"#),
            _ => format!(r#"{{"s":"{s}","t":"{t}","n":{n},"a":[{a}]}}"#),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn it_answers_as_if_all_had_been_folded(
        documents in proptest::collection::vec(document(), 1..40),
        words in proptest::collection::vec((word(), word()), 2),
    ) {
        let like: Vec<String> = documents.iter().map(|json| folded(json)).collect();
        let like = store(PLAIN, false, &like).unwrap();
        for declared in INDEXED {
            let store = store(declared, true, &documents).unwrap();
            for (a, b) in &words {
                for filter in FILTERS {
                    // The words come in last, so that a letter of theirs is not taken for one to be replaced.
                    let parts: Vec<&str> = filter.split('\'').collect();
                    let of = |part: &&str| part.replace('A', "\0").replace('B', "\u{1}");
                    let text: Vec<String> = parts.iter().enumerate().map(|(at, part)| {
                        if at % 2 == 0 { (*part).to_owned() } else { of(part) }
                    }).collect();
                    let asked = text.join("'").replace('\0', a).replace('\u{1}', b);
                    let (a, b) = (folded(a), folded(b));
                    let folded = text.join("'").replace('\0', &a).replace('\u{1}', &b);
                    for (order, limit) in [("", None), ("s", Some((1, 9))), ("-a[*] s", None), ("-s n", None)] {
                        let expected = found(&like, &folded, order, limit);
                        prop_assert_eq!(found(&store, &asked, order, limit), expected, "{} {}", asked, order);
                    }
                }
                let asked = format!("s >= '{a}'");
                for path in ["s", "a[*]"] {
                    let values = distinct(&store, path, &asked);
                    let values: Vec<String> = values.iter().map(|text| folded(text)).collect();
                    prop_assert_eq!(values, distinct(&like, path, &folded(&asked)), "{}", path);
                    let having = |a: &str, b: &str| {
                        format!("`min(s)` <= '{a}' OR `distinct(a[*])` HAS '{b}'")
                    };
                    let rows = aggregate(&store, path, &having(a, b));
                    let expected = aggregate(&like, path, &having(&folded(a), &folded(b)));
                    // Names of results have letters in both cases.
                    let all_folded = |rows: Vec<String>| -> Vec<String> {
                        rows.iter().map(|row| folded(row)).collect()
                    };
                    let (rows, expected) = (all_folded(rows), all_folded(expected));
                    prop_assert_eq!(rows, expected, "{}", path);
                }
            }
        }
    }
}

#[test]
fn the_text_of_the_earliest_born_stands_for_equals() {
    let documents =
        ["Ab", "aB", "AB", "c"].map(|word| format!(r#"{{"s":"{word}","a":["{word}"]}}"#));
    for declared in INDEXED {
        let store = store(declared, true, &documents).unwrap();
        assert_eq!(distinct(&store, "s", "s != ''"), [r#""Ab""#, r#""c""#]);
        assert_eq!(distinct(&store, "a[*]", "s > 'a'"), [r#""Ab""#, r#""c""#]);
        let rows = aggregate(&store, "s", "`count()` > 1");
        let expected = r#"{"s":"Ab","count()":3,"min(s)":"Ab","max(s)":"Ab","countDistinct(a[*])":1,"distinct(a[*])":["Ab"],"first":"Ab"}"#;
        assert_eq!(rows, [expected]);
    }
}

#[test]
fn unique_takes_no_case_either() {
    let field = r#""fields":[{"path":"s","type":"string" N,"unique":true}]"#;
    let array = r#""fields":[{"path":"a","type":"array<string>" N,"unique":true}]"#;
    let both = r#""fields":[{"path":"s","type":"string" N}],
        "indexes":[{"name":"u","on":[{"path":"s"},{"path":"n"}],"unique":true}]"#;
    let two = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
    let held = |declared: &str, documents: &[String]| {
        store(declared, true, documents).map(|_| ()).map_err(|error| error.to_string())
    };
    let is_held = |what: &str| Err(format!("UNIQUE the {what} held by c:0"));
    assert_eq!(
        held(field, &two(r#"{"s":"Kelvin"}"#, r#"{"s":"\u212aELVIN"}"#)),
        is_held("value at s is")
    );
    assert_eq!(held(field, &two(r#"{"s":"STRASSE"}"#, r#"{"s":"straße"}"#)), Ok(()));
    assert_eq!(
        held(array, &two(r#"{"a":["x","X"]}"#, r#"{"a":["y","x"]}"#)),
        is_held("value at a[*] is")
    );
    assert_eq!(
        held(both, &two(r#"{"s":"É","n":1}"#, r#"{"s":"é","n":1.0}"#)),
        is_held("values at s, n are")
    );
    assert_eq!(held(both, &two(r#"{"s":"É","n":1}"#, r#"{"s":"é","n":2}"#)), Ok(()));
}

#[test]
fn it_is_declared_of_strings_alone() {
    for ty in ["int", "json", "datetime", "array<decimal>"] {
        let field = format!(r#""fields":[{{"path":"s","type":"{ty}" N}}]"#);
        let error = store(&field, true, &[]).unwrap_err().to_string();
        let expected =
            format!("SCHEMA field s is declared {ty}; NOCASE is for string, array<string>");
        assert_eq!(error, expected);
    }
    let store = store(PLAIN, true, &[]).unwrap();
    let json = collection(&store).definition().to_json();
    let expected = concat!(
        r#"{"collection":"c","prefix":"c:","mode":"open","fields":[{"path":"s","type":"string","nocase":true},"#,
        r#"{"path":"a","type":"array<string>","nocase":true}]}"#
    );
    assert_eq!(json, expected);
}

#[test]
fn a_plan_reads_what_keys_can_tell() {
    let store = store(INDEXED[2], true, &[r#"{"s":"Andrew"}"#.to_owned()]).unwrap();
    let params = Params::default();
    let explained = |filter: &str| {
        let ast = query::parse(filter, &store.limits).unwrap();
        let filter = Some(query::bind(&ast, &scope(&store, &params)).unwrap());
        let find = Find { filter, ..Find::default() };
        plan::explain(collection(&store), &find, false, &store.limits, None)
    };
    let lines = explained("s ILIKE 'AND%w'");
    assert!(
        lines.iter().any(|line| line.contains("sorted index s: s STARTS WITH 'AND' (1)")),
        "{lines:?}"
    );
    let lines = explained("s = 'ANDREW'");
    assert!(
        lines.iter().any(|line| line.contains("sorted index s: s = 'ANDREW' (1)")),
        "{lines:?}"
    );
}

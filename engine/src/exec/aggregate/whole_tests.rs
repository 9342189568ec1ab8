//! Tests of limits, of distinct values, and of answers from indexes and from documents.

use super::*;

const INDEXED: &str = r#"{"path":"city","type":"string","index":"set"},{"path":"n","type":"int","index":"sorted"},
    {"path":"f","type":"float","index":"sorted"},{"path":"s","type":"string","index":"sorted"}"#;
const PLAIN: &str = r#"{"path":"city","type":"string"},{"path":"n","type":"int"},{"path":"f","type":"float"},
    {"path":"s","type":"string"}"#;

#[test]
fn documents_count_where_no_index_tells() {
    let documents: Vec<String> =
        (0..50).map(|n| format!(r#"{{"city":"c{}","n":{n},"note":{n}}}"#, n % 3)).collect();
    let mut store = store(INDEXED, &documents);
    store.limits.scan_max = 10;
    let told = Ask { group: "city", reduce: "avg(n) AS a; max(n); count()", ..Ask::default() };
    assert_eq!(ask(&store, told).unwrap().len(), 3);
    assert_eq!(ask(&store, Ask { filter: Some("n > 20"), ..told }).unwrap().len(), 3);
    for reads in [
        Ask { reduce: "sum(note)", ..told },
        Ask { group: "note", ..told },
        Ask { group: "city; n", ..told },
        Ask { filter: Some("n > 20"), reduce: "first(n)", ..told },
        Ask { filter: Some("note > 20"), ..told },
    ] {
        assert!(error(&store, reads).starts_with("NOINDEX "));
        assert!(ask(&store, Ask { scan: true, ..reads }).is_ok());
    }
    // Few enough, each read once.
    let few = Ask { filter: Some("n < 10 AND note >= 0"), reduce: "sum(note)", ..Ask::default() };
    assert_eq!(ask(&store, few).unwrap(), [r#"{"sum(note)":45}"#]);
}

#[test]
fn limits_are_named() {
    let documents: Vec<String> =
        (0..50).map(|n| format!(r#"{{"n":{n},"t":"text {n}"}}"#)).collect();
    let mut few = store(PLAIN, &documents);
    few.limits.groups_max = 5;
    let limited =
        |store: &Store, group, reduce| error(store, Ask { group, reduce, ..Ask::default() });
    assert_eq!(
        limited(&few, "n", "count()"),
        "LIMITED more groups than the limit of 5 (folio.groups-max)"
    );
    few.limits.groups_max = 50;
    few.limits.query_bytes_max = 1_000;
    for reduce in ["collect(n)", "distinct(t)", "countDistinct(t)", "quantile(n, 0.5)"] {
        let expected = "LIMITED the query holds more than 1000 bytes (folio.query-bytes-max)";
        assert_eq!(limited(&few, "", reduce), expected);
    }
    assert!(limited(&few, "n", "count()").starts_with("LIMITED "));
    few.limits.query_bytes_max = 100_000;
    few.limits.rows_max = 49;
    assert!(limited(&few, "n", "count()").contains("folio.rows-max"));
    // What is held no longer does not count.
    let documents: Vec<String> = (0..5_000).map(|n| format!(r#"{{"t":"{n:099}"}}"#)).collect();
    let mut growing = store("", &documents);
    growing.limits.query_bytes_max = 5_000;
    assert!(ask(&growing, Ask { reduce: "max(t)", ..Ask::default() }).is_ok());
}

fn list(store: &Store, path: &str, filter: Option<&str>) -> Result<Vec<String>> {
    let collection = store.collection(0, "t").unwrap();
    let params = Params::default();
    let definition = collection.definition();
    let scope =
        Scope { definition, params: &params, now_ms: 0, limits: &store.limits, functions: None };
    let filter = filter.map(|text| query::parse(text, &store.limits)).transpose()?;
    let bound = Distinct::bind(path, filter.as_ref(), false, &scope)?;
    let texts = distinct(collection, &bound, &store.limits)?;
    Ok(texts.into_iter().map(|text| String::from_utf8(text.into()).unwrap()).collect())
}

#[test]
fn distinct_values_ascend_and_the_first_of_equals_stands() {
    let documents = [
        r#"{"a":1.0,"t":["x","y"]}"#,
        r#"{"a":1,"t":["x",1.0]}"#,
        r#"{"a":null,"t":[1]}"#,
        r#"{"t":[]}"#,
        r#"{"a":"b","t":[null]}"#,
        r#"{"a":[1,2]}"#,
    ];
    let indexed = r#"{"path":"a","type":"json","nullable":true,"index":"set"},{"path":"t","type":"json"},
        {"path":"t[*]","type":"json","nullable":true,"index":"sorted"}"#;
    for fields in ["", indexed] {
        let store = of(fields, &documents);
        assert_eq!(list(&store, "a", None).unwrap(), ["null", "1.0", r#""b""#, "[1,2]"]);
        assert_eq!(list(&store, "t[*]", None).unwrap(), ["null", "1.0", r#""x""#, r#""y""#]);
        assert_eq!(list(&store, "a", Some("a = 1")).unwrap(), ["1.0"]);
        assert_eq!(list(&store, "t[*]", Some("a IS NULL")).unwrap(), ["1"]);
        assert_eq!(list(&store, "t", Some("a = 1")).unwrap(), [r#"["x",1.0]"#, r#"["x","y"]"#]);
        assert_eq!(list(&store, "_version", Some("a = 1")).unwrap(), ["1", "2"]);
        assert_eq!(list(&store, "nothing", None).unwrap(), [""; 0]);
        assert!(list(&store, "a b", None).unwrap_err().code == Code::Path);
    }
    let mut store = of(indexed, &documents);
    store.limits.scan_max = 2;
    assert_eq!(list(&store, "a", None).unwrap().len(), 4);
    assert_eq!(list(&store, "t", None).unwrap_err().code, Code::NoIndex);
    store.limits.rows_max = 3;
    assert!(list(&store, "a", None).unwrap_err().to_string().contains("folio.rows-max"));
}

/// A document's members, as JSON texts.
#[derive(Debug, Clone)]
struct Made {
    city: Option<&'static str>,
    n: Option<String>,
    f: Option<String>,
    s: Option<&'static str>,
}

impl Made {
    fn json(&self) -> String {
        let member = |name: &str, value: Option<String>| value.map(|it| format!("\"{name}\":{it}"));
        let text = |it: &str| format!("\"{it}\"");
        let members = [
            member("city", self.city.map(text)),
            member("n", self.n.clone()),
            member("f", self.f.clone()),
            member("s", self.s.map(text)),
        ];
        format!("{{{}}}", members.into_iter().flatten().collect::<Vec<_>>().join(","))
    }
}

fn made() -> impl Strategy<Value = Made> {
    let city = prop::option::of(prop::sample::select(vec![
        "",
        "Bern",
        "Rome",
        "Rome and more",
        "Rome and less",
    ]));
    let n = prop::option::of(prop_oneof![
        (-20i64..20).prop_map(|n| n.to_string()),
        any::<i32>().prop_map(|n| (9_007_199_254_740_993 + i64::from(n)).to_string()),
        (-5i64..5).prop_map(|n| format!("{n}.0")),
    ]);
    let f = prop::option::of(prop_oneof![
        (-100i64..100).prop_map(|n| format!("{}", n as f64 / 8.0)),
        (-1e6f64..1e6).prop_map(|n| n.to_string()),
    ]);
    let s = prop::option::of(prop::sample::select(vec!["a", "abcdef", "abcdeg", "abcde", "z"]));
    (city, n, f, s).prop_map(|(city, n, f, s)| Made { city, n, f, s })
}

fn exact(text: &str) -> BigDecimal {
    text.parse().unwrap()
}

/// The rows of `GROUP 1 city REDUCE count() sum(n) sum(f) min(n) max(s) AS c s d l g`, one value after the other.
fn naive(documents: &[Made]) -> Vec<(Option<&'static str>, Vec<String>)> {
    let mut groups: BTreeMap<Option<&str>, Vec<&Made>> = BTreeMap::new();
    for document in documents {
        groups.entry(document.city).or_default().push(document);
    }
    let row = |members: &Vec<&Made>| {
        let numbers = members.iter().filter_map(|it| it.n.as_deref());
        let sum: BigDecimal = numbers.clone().map(exact).sum();
        let doubles: BigDecimal = members
            .iter()
            .filter_map(|it| it.f.as_deref())
            .map(|text| BigDecimal::try_from(text.parse::<f64>().unwrap()).unwrap())
            .sum();
        let mut least: Option<&str> = None;
        for number in numbers {
            if least.is_none_or(|least| exact(number) < exact(least)) {
                least = Some(number);
            }
        }
        let greatest = members.iter().filter_map(|it| it.s).max();
        vec![
            members.len().to_string(),
            sum.normalized().to_plain_string(),
            doubles.to_string(),
            least.unwrap_or("null").to_owned(),
            greatest.map_or("null".to_owned(), |it| format!("\"{it}\"")),
        ]
    };
    groups.iter().map(|(city, members)| (*city, row(members))).collect()
}

proptest! {
    #[test]
    fn rows_are_those_of_a_naive_computation(documents in prop::collection::vec(made(), 0..60)) {
        let texts: Vec<String> = documents.iter().map(Made::json).collect();
        let reduce = "count() AS c; sum(n) AS s; sum(f) AS d; min(n) AS l; max(s) AS g";
        let asked = Ask { group: "city", reduce, ..Ask::default() };
        let found = ask(&store(INDEXED, &texts), asked).unwrap();
        prop_assert_eq!(&found, &ask(&store(PLAIN, &texts), asked).unwrap());
        let expected = naive(&documents);
        prop_assert_eq!(found.len(), expected.len());
        for (row, (city, values)) in found.iter().zip(expected) {
            let mut parsed = Parsed::default();
            parsed.parse(row.as_bytes(), &Limits::default()).unwrap();
            let member = |name| parsed.view().member(name).map(|it| String::from_utf8(it.bytes().to_vec()).unwrap());
            prop_assert_eq!(member("city"), city.map(|it| format!("\"{it}\"")));
            for (name, value) in ["c", "s", "l", "g"].iter().zip([0, 1, 3, 4].map(|at| &values[at])) {
                prop_assert_eq!(member(name), Some(value.clone()));
            }
            let (found, expected): (f64, f64) = (member("d").unwrap().parse().unwrap(), values[2].parse().unwrap());
            prop_assert!((found - expected).abs() <= expected.abs() * 1e-15, "{} {}", found, expected);
        }
    }

    #[test]
    fn indexes_change_no_answer(
        documents in prop::collection::vec(made(), 0..60),
        filter in prop::option::of(prop::sample::select(vec!["n > 0", "city = 'Rome'", "f < 10 AND n IS NOT MISSING", "s IN ('a', 'z')"])),
        group in prop::sample::select(vec!["", "city", "n", "s", "city; s", "bucket(n, 7)"]),
        reduce in prop::sample::subsequence(vec![
            "count()", "count(n)", "count(s)", "sum(n)", "sum(f)", "avg(n)", "avg(f)", "min(n)", "max(n)", "min(s)",
            "max(s)", "min(f)", "stddev(f)", "quantile(n, 0.3)", "quantile(f, 0.5)", "sum(s)", "distinct(s)", "first(n)",
            "max(city)", "sum(n + f)",
        ], 1..4),
    ) {
        let texts: Vec<String> = documents.iter().map(Made::json).collect();
        let reduce = reduce.join(";");
        let asked = Ask { filter, group, reduce: &reduce, ..Ask::default() };
        let (indexed, plain) = (store(INDEXED, &texts), store(PLAIN, &texts));
        prop_assert_eq!(ask(&indexed, asked), ask(&plain, asked));
        for path in ["city", "n", "s"] {
            prop_assert_eq!(list(&indexed, path, filter), list(&plain, path, filter));
        }
    }
}

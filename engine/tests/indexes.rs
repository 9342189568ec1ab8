//! Indexes that are declared by themselves, through the doors of the store: compound, partial, unique and substring ones.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use folio_engine::collection::Collection;
use folio_engine::doc::{Document, Parsed, Touched};
use folio_engine::exec::{self, Direction, Find};
use folio_engine::index::Index;
use folio_engine::path::Path;
use folio_engine::query::{self, Params, Scope};
use folio_engine::schema::Definition;
use folio_engine::store::{Prepared, Store};
use folio_engine::{Error, Limits, plan};

fn parsed(json: &str) -> Parsed {
    let mut parsed = Parsed::default();
    parsed.parse(json.as_bytes(), &Limits::default()).unwrap();
    parsed
}

/// A store with the collection `c` of these indexes.
fn store(indexes: &str) -> Store {
    let json = format!(
        r#"{{"collection":"c","fields":[{{"path":"s","type":"string","nullable":true}},
            {{"path":"n","type":"int","nullable":true}},{{"path":"tags","type":"array<string>"}}],
            "indexes":[{indexes}]}}"#
    );
    let definition = Definition::from_json(json.as_bytes(), &Limits::default()).unwrap();
    let mut store = Store::new(1);
    store.create(0, definition).unwrap();
    store
}

fn set(
    store: &mut Store,
    key: &str,
    old: Option<&Document>,
    json: &str,
) -> Result<Document, Error> {
    match store.prepare(0, key.as_bytes(), old, &parsed(json), 1, None)? {
        Prepared::Ready(delta) => Ok(store.commit(delta)),
        Prepared::Unchanged { .. } => Ok(old.unwrap().clone()),
        other @ Prepared::Held { .. } => panic!("{other:?}"),
    }
}

fn collection(store: &Store) -> &Collection {
    store.collection(0, "c").unwrap()
}

#[track_caller]
fn clean(store: &Store) {
    assert_eq!(collection(store).verify(), Vec::<String>::new());
}

#[track_caller]
fn taken(result: Result<Document, Error>) {
    result.unwrap();
}

#[track_caller]
fn refused(result: Result<Document, Error>, what: &str) {
    assert_eq!(result.unwrap_err().to_string(), what);
}

#[test]
fn values_together_are_unique_unless_one_is_not_there() {
    let mut store =
        store(r#"{"name":"u","on":[{"path":"s"},{"path":"n","order":"desc"}],"unique":true}"#);
    taken(set(&mut store, "c:1", None, r#"{"s":"a long text","n":1}"#));
    taken(set(&mut store, "c:2", None, r#"{"s":"a long text","n":2}"#));
    taken(set(&mut store, "c:3", None, r#"{"s":"another text","n":1}"#));
    let held = "UNIQUE the values at s, n are held by c:1";
    refused(set(&mut store, "c:4", None, r#"{"s":"a long text","n":1.0}"#), held);
    for (at, nothing) in
        [r#"{"s":"x"}"#, r#"{"n":1}"#, r#"{"s":"x","n":null}"#, "{}"].iter().enumerate()
    {
        taken(set(&mut store, &format!("c:a{at}"), None, nothing));
        taken(set(&mut store, &format!("c:b{at}"), None, nothing));
    }
    assert_eq!(collection(&store).indexes()[0].conflicts(), 0);
    // Redis's own commands cannot be refused.
    let copy = set(&mut store, "d:1", None, r#"{"s":"a long text","n":1}"#).unwrap();
    store.adopt(0, b"c:copy", &copy, None);
    assert_eq!(collection(&store).indexes()[0].conflicts(), 1);
    assert_eq!(collection(&store).invalid().len(), 2);
    clean(&store);
    store.forget(0, b"c:copy", &copy);
    assert_eq!(collection(&store).indexes()[0].conflicts(), 0);
    clean(&store);
}

#[test]
fn nulls_that_are_not_distinct_are_values_and_so_is_missing() {
    let unique =
        |on: &str| format!(r#"{{"name":"u","on":[{on}],"unique":true,"nulls":"not distinct"}}"#);
    let mut both = store(&unique(r#"{"path":"s"},{"path":"n"}"#));
    taken(set(&mut both, "c:1", None, r#"{"s":"x"}"#));
    taken(set(&mut both, "c:2", None, r#"{"s":"x","n":null}"#));
    refused(
        set(&mut both, "c:3", None, r#"{"s":"x"}"#),
        "UNIQUE the values at s, n are held by c:1",
    );
    refused(
        set(&mut both, "c:3", None, r#"{"n":null,"s":"x"}"#),
        "UNIQUE the values at s, n are held by c:2",
    );
    taken(set(&mut both, "c:3", None, "{}"));
    refused(set(&mut both, "c:4", None, "{}"), "UNIQUE the values at s, n are held by c:3");
    clean(&both);
    let mut one = store(&unique(r#"{"path":"n"}"#));
    taken(set(&mut one, "c:1", None, "{}"));
    refused(set(&mut one, "c:2", None, r#"{"s":"x"}"#), "UNIQUE the value at n is held by c:1");
    clean(&one);
}

#[test]
fn a_filter_says_which_documents_are_in_an_index_and_have_to_be_unique() {
    let mut store =
        store(r#"{"name":"open","on":[{"path":"n"}],"unique":true,"where":"s = 'open'"}"#);
    let entries = |store: &Store| collection(store).indexes()[0].entries();
    let first = set(&mut store, "c:1", None, r#"{"s":"open","n":1}"#).unwrap();
    let second = set(&mut store, "c:2", None, r#"{"s":"closed","n":1}"#).unwrap();
    assert_eq!(entries(&store), 1);
    // A document that enters the index, though what it is over stays.
    let enters = set(&mut store, "c:2", Some(&second), r#"{"s":"open","n":1}"#);
    refused(enters, "UNIQUE the value at n is held by c:1");
    taken(set(&mut store, "c:1", Some(&first), r#"{"s":"closed","n":1}"#));
    assert_eq!(entries(&store), 0);
    taken(set(&mut store, "c:2", Some(&second), r#"{"s":"open","n":1}"#));
    assert_eq!(entries(&store), 1);
    clean(&store);
}

#[test]
fn a_declaration_over_documents_that_share_values_is_refused() {
    let mut store = Store::new(1);
    for key in ["c:1", "c:2"] {
        taken(set(&mut store, key, None, r#"{"a":1,"b":"x"}"#));
    }
    let json = r#"{"collection":"c","indexes":[{"name":"u","on":[{"path":"a"},{"path":"b"}],"unique":true}]}"#;
    let definition = Definition::from_json(json.as_bytes(), &Limits::default()).unwrap();
    let error = store.create(0, definition.clone()).unwrap_err();
    assert_eq!(error.to_string(), "UNIQUE documents hold the same values at a, b (c:1, c:2)");
    let partial = json.replace(r#""unique":true"#, r#""unique":true,"where":"b = 'y'""#);
    let partial = Definition::from_json(partial.as_bytes(), &Limits::default()).unwrap();
    store.create(0, partial).unwrap();
    clean(&store);
}

#[test]
fn only_what_decides_the_keys_counts_as_a_change() {
    let store = store(
        r#"{"name":"a","on":[{"path":"s"},{"path":"tags"}],"where":"items[*].x = 1 AND y LIKE 'a%'"}"#,
    );
    let source = collection(&store).indexes()[0].source();
    let same = |a: &str, b: &str| {
        let (a, b) = (parsed(a), parsed(b));
        source.same_text(&Touched::between(a.view(), b.view()))
    };
    let whole = r#"{"s":"a","tags":["x"],"items":[{"x":1}],"y":"ab"}"#;
    assert!(same(whole, &whole.replace(r#""y""#, r#""n":5,"y""#)));
    for (from, to) in
        [("\"a\"", "\"b\""), ("[\"x\"]", "[]"), ("{\"x\":1}", "{\"x\":2}"), ("ab", "b")]
    {
        assert!(!same(whole, &whole.replace(from, to)), "{from}");
    }
    assert!(!same(whole, "{}"));
}

#[test]
fn each_element_gives_a_key_of_its_own() {
    let mut store = store(r#"{"name":"a","on":[{"path":"n"},{"path":"tags"},{"path":"s"}]}"#);
    for (at, (json, expected)) in [
        (r#"{"n":1,"tags":["x","y","x"],"s":"z"}"#, 2),
        (r#"{"n":1,"tags":[],"s":"z"}"#, 1),
        ("{}", 1),
        (r#"{"tags":["a longer tag","x"]}"#, 2),
    ]
    .into_iter()
    .enumerate()
    {
        let before = collection(&store).indexes()[0].entries();
        taken(set(&mut store, &format!("c:{at}"), None, json));
        assert_eq!(collection(&store).indexes()[0].entries() - before, expected, "{json}");
    }
    clean(&store);
}

#[test]
fn a_document_of_too_many_parts_is_found_under_what_stands_for_them() {
    let mut store = store(r#"{"name":"t","on":[{"path":"s"}],"using":"substring"}"#);
    // 64 letters to the third: more parts than one document may have.
    let letters: Vec<char> =
        ('!'..='z').filter(|letter| !"\"\\".contains(*letter)).take(64).collect();
    let mut text = String::new();
    for a in &letters {
        for b in &letters {
            for c in &letters {
                text.extend([a, b, c]);
            }
        }
    }
    let large = set(&mut store, "c:1", None, &format!(r#"{{"s":"{text}"}}"#)).unwrap();
    assert_eq!(collection(&store).indexes()[0].entries(), 1);
    taken(set(&mut store, "c:2", None, r#"{"s":"abcabc"}"#));
    assert_eq!(collection(&store).indexes()[0].entries(), 4);
    clean(&store);
    taken(set(&mut store, "c:1", Some(&large), r#"{"s":"ab"}"#));
    clean(&store);
}

/// A small generator, so that a failure repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn document(&mut self) -> String {
        let members = [
            ("s", vec!["\"open\"", "\"closed\"", "\"A much longer text\"", "null", "5"]),
            ("n", vec!["1", "2", "9007199254740993", "null", "\"x\"", "1.5"]),
            ("tags", vec!["[]", "[\"a\",\"b\"]", "[\"open\",\"a\",\"open\"]", "\"a\"", "[1]"]),
            ("x", vec!["1", "\"Straße und Weg\"", "[1,2]", "{\"y\":1}", "true"]),
        ];
        let mut parts = Vec::new();
        for (name, values) in &members {
            let at = self.below(values.len() as u64 + 1) as usize;
            parts.extend(values.get(at).map(|value| format!("\"{name}\":{value}")));
        }
        format!("{{{}}}", parts.join(","))
    }
}

const ALL_KINDS: &str = r#"{"name":"a","on":[{"path":"s"},{"path":"n","order":"desc"}]},
    {"name":"b","on":[{"path":"n","order":"desc"},{"path":"tags","order":"desc"},{"path":"x"}]},
    {"name":"c","on":[{"path":"x"}],"where":"s = 'open' OR n IS MISSING"},
    {"name":"d","on":[{"path":"s"},{"path":"n"}],"unique":true,"where":"tags HAS 'open'"},
    {"name":"e","on":[{"path":"x"}],"using":"substring"},
    {"name":"f","on":[{"path":"tags"}],"using":"substring","where":"n = 1"},
    {"name":"g","on":[{"path":"n"},{"path":"x"}],"unique":true,"nulls":"not distinct"},
    {"name":"h","on":[{"path":"tags"}],"using":"set","where":"s LIKE '%text'"}"#;

#[test]
fn indexes_stay_exact_through_any_row_of_events() {
    let mut random = Random(7);
    let mut store = store(ALL_KINDS);
    let mut held: BTreeMap<String, Document> = BTreeMap::new();
    for step in 0..6_000 {
        let key = format!("c:{}", random.below(60));
        let old = held.get(&key).cloned();
        match random.below(10) {
            0..6 => {
                let json = random.document();
                if let Ok(new) = set(&mut store, &key, old.as_ref(), &json) {
                    held.insert(key, new);
                }
            }
            6..8 => {
                if let Some(old) = held.remove(&key) {
                    store.forget(0, key.as_bytes(), &old);
                }
            }
            _ if old.is_none() => {
                // What Redis brings is judged by nothing.
                let json = random.document();
                let brought = Document::new(&parsed(&json), folio_engine::doc::Stamp::default());
                store.adopt(0, key.as_bytes(), &brought, None);
                held.insert(key, brought);
            }
            _ => {}
        }
        if step % 100 == 0 {
            clean(&store);
        }
    }
    clean(&store);
    let conflicts: u64 = collection(&store).indexes().iter().map(Index::conflicts).sum();
    assert!(conflicts > 0, "what Redis brings shares values");
    // Built whole, over the same documents, they are the same.
    let before = collection(&store).digest();
    let definition = collection(&store).definition().clone();
    store.drop_collection(0, "c").unwrap();
    store.create_applied(0, definition).unwrap();
    clean(&store);
    assert_eq!(collection(&store).digest().indexes, before.indexes);
}

/// `c` with every kind of index, and without any.
fn stores(documents: usize) -> (Store, Store) {
    let mut random = Random(11);
    let kinds = format!(
        r#"{ALL_KINDS},{{"name":"i","on":[{{"path":"s","order":"desc"}},{{"path":"n","order":"desc"}},
        {{"path":"x"}}]}},{{"name":"j","on":[{{"path":"x"}},{{"path":"n"}}],"where":"s = 'open'"}}"#
    );
    let (mut indexed, mut plain) = (store(&kinds), store(""));
    for at in 0..documents {
        let json = random.document();
        for store in [&mut indexed, &mut plain] {
            let key = format!("c:{at}");
            let brought = Document::new(&parsed(&json), folio_engine::doc::Stamp::default());
            store.adopt(0, key.as_bytes(), &brought, None);
        }
    }
    clean(&indexed);
    (indexed, plain)
}

const PREDICATES: [&str; 22] = [
    "s = 'open'",
    "s = 'open'",
    "s IN ('open', 'closed')",
    "s > 'a'",
    "s IS NULL",
    "n = 1",
    "n IN (1, 2, 9007199254740993)",
    "n > 1",
    "n <= 2",
    "n IS MISSING",
    "tags HAS 'open'",
    "tags HAS 'a'",
    "tags HAS ANY ('a', 'b')",
    "x = 1",
    "x >= 0",
    "x IS MISSING",
    "x ILIKE '%STRA_e%'",
    "x CONTAINS 'Weg'",
    "x MATCHES '(?i)UND|weg'",
    "s LIKE '%text'",
    "tags[*] CONTAINS 'ope'",
    "(s = 'open' OR n IS MISSING)",
];

static NO_PARAMS: LazyLock<Params> = LazyLock::new(Params::default);

fn scope<'s>(definition: &'s Definition, limits: &'s Limits) -> Scope<'s> {
    Scope { definition, params: &NO_PARAMS, now_ms: 0, limits, functions: None }
}

/// Pages of a few rows each, one after the other, are the whole answer, and each tells the same total.
fn assert_pages(store: &Store, find: &Find, text: &str) {
    let all = Find { limit: None, ..find.clone() };
    let whole = exec::find(collection(store), &all, &store.limits).unwrap();
    let rows = 1 + whole.ids.len() as u64 / 3;
    let mut page = Find { limit: Some((0, rows)), ..find.clone() };
    let mut ids = Vec::new();
    loop {
        let found = exec::find(collection(store), &page, &store.limits).unwrap();
        assert_eq!(found.total, whole.total, "{text}");
        ids.extend(found.ids);
        assert!(ids.len() <= whole.ids.len(), "{text} {:?}", find.order);
        let Some(cursor) = found.cursor else { break };
        page.after = Some(cursor);
    }
    assert_eq!(ids, whole.ids, "{text} {:?}", find.order);
}

#[test]
fn indexes_of_their_own_answer_as_a_search_through_all_does() {
    let (indexed, plain) = stores(700);
    let mut random = Random(23);
    let mut used: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..4_000 {
        let count = 1 + random.below(4) as usize;
        let predicates: Vec<String> = (0..count)
            .map(|_| {
                let not = if random.below(8) == 0 { "NOT " } else { "" };
                format!("{not}{}", PREDICATES[random.below(22) as usize])
            })
            .collect();
        let text = predicates.join(if random.below(6) == 0 { " OR " } else { " AND " });
        let order =
            ["", "n", "-n", "s,-n", "-s,n", "x", "n,x", "-n,-x", "s,n,-x", "-s,-n,x", "x,n"]
                [random.below(11) as usize];
        let limit = [None, Some((0, 5)), Some((3, 10))][random.below(3) as usize];
        let answer = |store: &Store| {
            let ast = query::parse(&text, &store.limits).unwrap();
            let definition = collection(store).definition();
            let filter = query::bind(&ast, &scope(definition, &store.limits)).unwrap();
            let order = order.split(',').filter(|path| !path.is_empty()).map(|path| {
                let direction = if path.starts_with('-') {
                    Direction::Descending
                } else {
                    Direction::Ascending
                };
                (Path::parse(path.trim_start_matches('-'), 9).unwrap().into(), direction)
            });
            let find = Find {
                filter: Some(filter),
                order: order.collect(),
                limit,
                with_total: true,
                scan: true,
                ..Find::default()
            };
            assert_pages(store, &find, &text);
            let counted = exec::count(collection(store), find.filter.as_ref(), true, &store.limits);
            let lines = plan::explain(collection(store), &find, false, &store.limits, None);
            let found = exec::find(collection(store), &find, &store.limits).unwrap();
            ((found.ids, found.total), counted, lines)
        };
        let (found, counted, lines) = answer(&indexed);
        let (expected, expected_count, _) = answer(&plain);
        let lines_text = lines.join("\n");
        assert_eq!(found, expected, "{text} ORDER {order} {limit:?}\n{lines_text}");
        assert_eq!(counted, expected_count, "{text}\n{lines_text}");
        for line in lines {
            if let Some((kind, rest)) = line.trim_start().split_once(" index ") {
                let name = rest.split(' ').next().unwrap_or_default();
                *used.entry(format!("{kind} {name}")).or_default() += 1;
            }
        }
    }
    for kind in ["sorted a", "sorted b", "sorted c", "sorted d", "sorted g", "sorted i", "sorted j"]
    {
        assert!(used.contains_key(kind), "{kind} {used:?}");
    }
    for kind in
        ["substring e", "substring f", "set h", "walk sorted a", "walk sorted i", "walk sorted j"]
    {
        assert!(used.contains_key(kind), "{kind} {used:?}");
    }
}

#[track_caller]
fn planned(store: &Store, text: &str, order: &[(&str, Direction)], expected: &[&str]) {
    let ast = query::parse(text, &store.limits).unwrap();
    let definition = collection(store).definition();
    let filter = query::bind(&ast, &scope(definition, &store.limits)).unwrap();
    let order = order.iter().map(|(path, way)| (Path::parse(path, 9).unwrap().into(), *way));
    let find = Find { filter: Some(filter), order: order.collect(), ..Find::default() };
    let lines = plan::explain(collection(store), &find, false, &store.limits, None);
    assert_eq!(lines[1..], *expected, "{text}");
}

#[test]
fn a_plan_says_what_an_index_of_its_own_answers() {
    let (store, _) = stores(200);
    planned(
        &store,
        "s = 'open' AND n > 1 AND n < 5",
        &[],
        &[
            "  in the order of birth",
            "  sorted index a (s, n DESC): s = 'open' AND n > 1 AND n < 5 (7)",
        ],
    );
    planned(
        &store,
        "s = 'open' AND x = 1",
        &[("n", Direction::Ascending)],
        &["  walk sorted index j (x, n) ascending", "  sorted index j (x, n): x = 1 (5)"],
    );
    planned(
        &store,
        "x CONTAINS 'Weg'",
        &[],
        &[
            "  in the order of birth",
            "  check x CONTAINS 'Weg'",
            "  substring index e (x): a part of 'weg' (at most 32)",
        ],
    );
}

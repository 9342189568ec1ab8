//! Filters: any text and any MessagePack, which are read, written both ways and read again; and trees that are drawn, which
//! mean the same to the engine and to the naive model.

use std::sync::LazyLock;

use folio_engine::Limits;
use folio_engine::doc::Parsed;
use folio_engine::query::{self, Ast, Filter, Params};
use folio_engine::schema::Definition;

use crate::generate::extended::Language;
use crate::generate::{self, Random};
use crate::naive::meta::{Facts, Scope};
use crate::naive::{Json, NaiveSchema};
use crate::world::definition;

/// A field of each type.
const DEFINITION: &[u8] = br#"{"collection":"c","fields":[
    {"path":"s","type":"string"},{"path":"n","type":"int"},{"path":"f","type":"float"},
    {"path":"b","type":"bool"},{"path":"d","type":"decimal"},{"path":"w","type":"datetime"},
    {"path":"j","type":"json"},{"path":"t","type":"array<string>"},{"path":"o.i[*].q","type":"int"}]}"#;

/// Documents that a filter which can be bound is asked about.
const DOCUMENTS: [&str; 4] = [
    "{}",
    r#"{"s":null,"n":null,"f":null,"b":null,"d":null,"w":null,"j":null,"t":null,"o":null}"#,
    r#"{"s":"a","n":7,"f":-0.5,"b":true,"d":"12.50","w":"2026-01-01T00:00:00Z","j":[1],"t":["a",""],"o":{"i":[{"q":1},{}]}}"#,
    r#"{"s":"it's","n":-1,"f":1e300,"b":false,"d":0.1,"w":0,"j":{"a":1},"t":[],"o":{"i":[]},"x":[1,"a",null,true]}"#,
];

/// When filters are asked.
const NOW_MS: i64 = 1_769_860_800_000;

static BOUND_TO: LazyLock<Definition> = LazyLock::new(|| {
    Definition::from_json(DEFINITION, &Limits::default()).expect("the definition is in order")
});

/// Limits that a filter may exceed by what writing it anew, in the other form, or a NOT around it adds. Each `+` of a text
/// makes its tree deeper.
fn wide() -> Limits {
    let own = Limits::default();
    Limits {
        filter_bytes_max: 16 * own.filter_bytes_max,
        filter_depth_max: own.filter_bytes_max,
        ..own
    }
}

fn read(text: &str) -> Ast {
    query::parse(text, &wide()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Reads any text as a filter.
pub fn text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(tree) = query::parse(text, &Limits::default()) {
        check(&tree);
    }
}

/// Reads any bytes as the tree of a filter.
pub fn msgpack(bytes: &[u8]) {
    if let Ok(tree) = query::read_tree(bytes, &Limits::default()) {
        check(&tree);
    }
}

/// That what is written in either form reads back to the same tree.
fn check_written(tree: &Ast) {
    let written = tree.to_string();
    let again = read(&written);
    assert_eq!(&again, tree, "{written}");
    assert_eq!(again.to_string(), written);
    let packed = query::write_tree(tree);
    assert!(matches!(packed[0], 0x90..=0x9F), "{written}");
    let again = query::read_tree(&packed, &wide());
    let again = again.unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(&again, tree, "{written}");
    assert_eq!(query::write_tree(&again), packed, "{written}");
}

/// That a filter is written as it reads, and that a document satisfies it or its negation.
fn check(tree: &Ast) {
    check_written(tree);
    let written = tree.to_string();
    let bound = |tree: &Ast| bind(tree, &BOUND_TO, &Params::default());
    let negated = bound(&read(&format!("NOT ({written})")));
    match (bound(tree), negated) {
        (Ok(filter), Ok(negated)) => {
            for document in DOCUMENTS {
                let (holds, fails) = (holds(&filter, document), holds(&negated, document));
                assert_ne!(holds, fails, "{written} of {document}");
            }
        }
        (Err(_), Err(_)) => {}
        (one, other) => panic!("{written}: {one:?}, but with NOT {other:?}"),
    }
}

fn bind(tree: &Ast, definition: &Definition, params: &Params) -> folio_engine::Result<Filter> {
    query::bind(
        tree,
        &query::Scope {
            definition,
            params,
            now_ms: NOW_MS,
            limits: &Limits::default(),
            functions: None,
        },
    )
}

fn holds(filter: &Filter, document: &str) -> bool {
    let mut parsed = Parsed::default();
    parsed.parse(document.as_bytes(), &Limits::default()).expect("the documents are JSON");
    filter.matches(parsed.view())
}

/// Draws a schema, documents and filters; each filter holds on a document for the engine where it does for the model.
pub fn tree(bytes: &[u8]) {
    let mut random = Random::from_bytes(bytes);
    let schema = generate::schema(&mut random, 0);
    let declared = definition(&schema);
    let documents: Vec<Json> = (0..4).map(|_| generate::document(&mut random, &schema)).collect();
    for _ in 0..8 {
        one_tree(&mut random, &schema, &declared, &documents);
        if !random.has_given() {
            break;
        }
    }
}

fn one_tree(random: &mut Random, schema: &NaiveSchema, declared: &Definition, documents: &[Json]) {
    let language = Language { metadata: Vec::new(), ..Language::whole() };
    let filter = generate::filter_in(random, schema, 4, &language);
    let with_params = filter.to_text_with_params(random);
    let params = with_params.params.iter().map(|(name, json)| (name.as_str(), json.as_bytes()));
    let params = Params::new(params, &Limits::default()).expect("drawn parameters are JSON");
    let bind = |tree: &Ast, params: &Params| {
        bind(tree, declared, params).unwrap_or_else(|error| panic!("{error}: {tree}"))
    };
    let (tree, plain) = (read(&with_params.text), read(&filter.to_text()));
    check_written(&tree);
    check_written(&plain);
    let (tree, plain) = (bind(&tree, &params), bind(&plain, &Params::default()));
    for document in documents {
        let text = document.print();
        let facts = Facts { is_valid: true, ..Facts::default() };
        let expected = filter.holds_in(&Scope::document(document, schema, &facts, NOW_MS));
        assert_eq!(holds(&tree, &text), expected, "{} of {text}", with_params.text);
        assert_eq!(holds(&plain, &text), expected, "{} of {text}", filter.to_text());
    }
}

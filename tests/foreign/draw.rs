//! Collections and questions of the subset that every engine knows: what differs by design is not drawn, see docs/testing.md.
//!
//! ```text
//! n   integers: 1, 1.0 and 1e2 among them, up to the bounds of an i64
//! x   fractions: 2.5 and 25e-1, six decimals at most
//! s   strings of letters of several scripts; no NUL, no letter that folds otherwise than it has a lower case
//! b   booleans
//! o   an object: o.n integers, o.s ASCII strings, o.l an array of objects with k
//! a   arrays of all these
//! ```
//!
//! At each of them stands now and then a value of another kind, a null, or nothing.

use folio_tests::generate::Random;
use folio_tests::naive::filter_text::FilterText;
use folio_tests::naive::{
    Comparison, Filter, Json, Kind, Literal, NaiveField, NaiveIndex, NaiveSchema, OrderBy, Path,
    TextTest, operand,
};

/// Documents in the order of their birth, and what is declared of them.
pub struct Collection {
    pub schema: NaiveSchema,
    pub documents: Vec<Json>,
}

/// What every engine is asked.
pub struct Question {
    pub filter: Filter,
    /// The filter as Folio is asked it.
    pub text: FilterText,
    pub order: Vec<OrderBy>,
    /// Rows passed over, and rows given at most.
    pub page: Option<(usize, usize)>,
}

const DOCUMENTS: usize = 60;
/// How deep filters are nested at most.
const DEPTH: usize = 2;

const INTEGERS: [&str; 14] = [
    "0",
    "1",
    "1.0",
    "-1",
    "2",
    "3",
    "7",
    "1e2",
    "-0",
    "-0.0",
    "9007199254740992",
    "9007199254740993",
    "-9223372036854775808",
    "9223372036854775807",
];
const FRACTIONS: [&str; 12] = [
    "0.5",
    "-1.5",
    "2.5",
    "25e-1",
    "0.1",
    "3",
    "3.000001",
    "-0.0",
    "100.25",
    "1E2",
    "12345678.125",
    "9007199254740992",
];
const STRINGS: [&str; 17] = [
    "",
    "a",
    "A",
    "ab",
    "abc",
    "b",
    "it's",
    "\"q\\",
    "é",
    "É",
    "straße",
    "50%_\\",
    "line\nbreak",
    "\u{fffd}",
    "\u{1d11e}",
    "1",
    "true",
];
const WORDS: [&str; 12] =
    ["", "a", "A", "ab", "aB", "Abc", "x_y", "100%", "\\", "it", "It is", "Z9"];
/// At a path of one value no two different arrays and no two different objects stand: SQL has no order of these.
const ODD: [&str; 6] = ["true", "false", "\"x\"", "7", "[]", "{}"];

/// The values that stand at a path by nature.
#[derive(Clone, Copy)]
enum Nature {
    Integer,
    Fraction,
    String,
    Word,
    Bool,
    /// Any of these.
    Element,
}

/// What filters ask for, some of them twice as often.
const PATHS: [(&str, Nature); 14] = [
    ("n", Nature::Integer),
    ("n", Nature::Integer),
    ("x", Nature::Fraction),
    ("x", Nature::Fraction),
    ("s", Nature::String),
    ("s", Nature::String),
    ("b", Nature::Bool),
    ("o.n", Nature::Integer),
    ("o.s", Nature::Word),
    ("o.s", Nature::Word),
    ("a[*]", Nature::Element),
    ("a[1]", Nature::Element),
    ("o.l[*].k", Nature::Integer),
    ("none", Nature::Integer),
];
/// What is ordered by. SQL has no order of whole arrays and objects.
const ORDERED: [&str; 10] = ["n", "x", "s", "b", "o.n", "o.s", "a[1]", "a[*]", "o.l[*].k", "none"];

fn json(text: &str) -> Json {
    Json::parse(text).expect("the tables hold JSON")
}

fn of_nature(nature: Nature, random: &mut Random) -> Json {
    match nature {
        Nature::Integer => json(random.pick(&INTEGERS)),
        Nature::Fraction => json(random.pick(&FRACTIONS)),
        Nature::String => Json::String(random.pick(&STRINGS).to_owned()),
        Nature::Word => Json::String(random.pick(&WORDS).to_owned()),
        Nature::Bool => Json::Bool(random.chance(50)),
        Nature::Element => {
            let natures = [Nature::Integer, Nature::Fraction, Nature::String, Nature::Bool];
            let nature = random.pick(&natures);
            of_nature(nature, random)
        }
    }
}

fn of_kind(kind: &Kind, nature: Nature, random: &mut Random) -> Json {
    match kind {
        Kind::Int => of_nature(Nature::Integer, random),
        Kind::Float => {
            let nature = random.pick(&[Nature::Integer, Nature::Fraction]);
            of_nature(nature, random)
        }
        Kind::Bool => of_nature(Nature::Bool, random),
        Kind::String if matches!(nature, Nature::Word) => of_nature(nature, random),
        Kind::String => of_nature(Nature::String, random),
        Kind::Array(element) => array(random, |random| of_kind(element, nature, random)),
        other => unreachable!("{other:?} is of Folio alone"),
    }
}

fn array(random: &mut Random, mut element: impl FnMut(&mut Random) -> Json) -> Json {
    Json::Array((0..random.below(5)).map(|_| element(random)).collect())
}

impl Collection {
    /// A collection with none to four indexes.
    pub fn draw(random: &mut Random) -> Self {
        let schema = schema(random);
        let documents = (0..DOCUMENTS).map(|_| document(&schema, random)).collect();
        Self { schema, documents }
    }
}

fn schema(random: &mut Random) -> NaiveSchema {
    let element = random.pick(&[Kind::String, Kind::Int, Kind::Float]);
    let mut candidates = vec![
        ("n", random.pick(&[Kind::Int, Kind::Float])),
        ("x", Kind::Float),
        ("s", Kind::String),
        ("b", Kind::Bool),
        ("o.n", Kind::Int),
        ("o.s", Kind::String),
        ("o.l[*].k", Kind::Float),
        ("a", Kind::Array(Box::new(element))),
    ];
    let mut schema = NaiveSchema::default();
    let (indexes, plain) = (random.below(5), random.below(2));
    for at in 0..indexes + plain {
        let (path, kind) = candidates.swap_remove(random.below(candidates.len()));
        let mut field = NaiveField::new(path, kind);
        field.nullable = random.chance(60);
        let index = random.pick(&[NaiveIndex::Set, NaiveIndex::Sorted]);
        field.index = (at < indexes).then_some(index);
        schema.fields.push(field);
    }
    schema
}

/// A value for a path: of the declared type where there is one, else of any kind, by nature mostly.
fn value(path: &str, nature: Nature, schema: &NaiveSchema, random: &mut Random) -> Option<Json> {
    let path = Path::plain(path);
    if let Some(field) = schema.fields.iter().find(|field| field.path == path) {
        return match random.below(100) {
            0..15 => None,
            15..30 if field.nullable => Some(Json::Null),
            _ => Some(of_kind(&field.kind, nature, random)),
        };
    }
    match random.below(100) {
        0..15 => None,
        15..25 => Some(Json::Null),
        25..35 => Some(json(random.pick(&ODD))),
        _ => Some(of_nature(nature, random)),
    }
}

fn document(schema: &NaiveSchema, random: &mut Random) -> Json {
    let mut members = Vec::new();
    let mut add = |name: &str, value: Option<Json>| {
        members.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("n", value("n", Nature::Integer, schema, random));
    add("x", value("x", Nature::Fraction, schema, random));
    add("s", value("s", Nature::String, schema, random));
    add("b", value("b", Nature::Bool, schema, random));
    add("o", object(schema, random));
    add("a", elements(schema, random));
    Json::Object(members)
}

fn object(schema: &NaiveSchema, random: &mut Random) -> Option<Json> {
    let is_parent = schema.fields.iter().any(|field| field.path.text().starts_with("o."));
    match random.below(100) {
        0..10 => return None,
        10..20 if !is_parent => return Some(json(random.pick(&ODD))),
        _ => {}
    }
    let item = |random: &mut Random| {
        if random.chance(10) && schema.kind_of(&Path::plain("o.l[*].k")).is_none() {
            return json(random.pick(&ODD));
        }
        let k = value("o.l[*].k", Nature::Integer, schema, random);
        Json::Object(k.map(|k| ("k".to_owned(), k)).into_iter().collect())
    };
    let parts = [
        ("n", value("o.n", Nature::Integer, schema, random)),
        ("s", value("o.s", Nature::Word, schema, random)),
        ("l", random.chance(80).then(|| array(random, item))),
    ];
    let parts = parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?)));
    Some(Json::Object(parts.collect()))
}

fn elements(schema: &NaiveSchema, random: &mut Random) -> Option<Json> {
    if schema.kind_of(&Path::plain("a")).is_some() {
        return value("a", Nature::Element, schema, random);
    }
    match random.below(100) {
        0..10 => None,
        10..15 => Some(Json::Null),
        15..25 => Some(json(random.pick(&ODD))),
        _ => Some(array(random, |random| {
            if random.chance(10) { Json::Null } else { of_nature(Nature::Element, random) }
        })),
    }
}

impl Question {
    /// A question that can be asked of a collection so declared.
    pub fn draw(schema: &NaiveSchema, random: &mut Random) -> Self {
        let filter = filter(schema, DEPTH, random);
        let text = filter.to_text_with_params(random);
        let by = |random: &mut Random| OrderBy {
            path: Path::plain(random.pick(&ORDERED)),
            descending: random.chance(50),
        };
        let order = (0..random.below(4)).map(|_| by(random)).collect();
        let page = random.chance(50).then(|| (random.below(8), random.below(15)));
        Self { filter, text, order, page }
    }
}

/// A filter that can be bound, nested so deep at most.
pub fn filter(schema: &NaiveSchema, depth: usize, random: &mut Random) -> Filter {
    let parts = |random: &mut Random| {
        (0..=1 + random.below(2)).map(|_| filter(schema, depth - 1, random)).collect()
    };
    match random.below(100) {
        0..25 if depth > 0 => Filter::And(parts(random)),
        25..50 if depth > 0 => Filter::Or(parts(random)),
        50..62 if depth > 0 => Filter::Not(Box::new(filter(schema, depth - 1, random))),
        _ => loop {
            let predicate = predicate(schema, random);
            if predicate.check(schema).is_ok() {
                return predicate;
            }
        },
    }
}

fn predicate(schema: &NaiveSchema, random: &mut Random) -> Filter {
    let (name, nature) = random.pick(&PATHS);
    let path = Path::plain(name);
    match random.below(100) {
        0..35 => {
            let comparison = random.pick(&[
                Comparison::Equal,
                Comparison::NotEqual,
                Comparison::Less,
                Comparison::LessOrEqual,
                Comparison::Greater,
                Comparison::GreaterOrEqual,
            ]);
            Filter::Compare(path, comparison, literal(nature, random))
        }
        35..44 => Filter::Between(path, literal(nature, random), literal(nature, random)),
        44..53 => {
            let literals = (0..random.below(5)).map(|_| literal(nature, random)).collect();
            Filter::In(path, literals)
        }
        53..65 => has(random),
        65..83 => text(random),
        83..88 => Filter::IsNull(path),
        88..93 => Filter::IsMissing(path),
        93..97 if schema.kind_of(&path).is_none() => Filter::IsBool(path, random.chance(50)),
        _ => Filter::Bare(Path::plain(random.pick(&["b", "b", "b", name]))),
    }
}

fn has(random: &mut Random) -> Filter {
    let path = Path::plain("a");
    let nature = random.pick(&[Nature::Element, Nature::Integer, Nature::String]);
    let literals = (0..random.below(4)).map(|_| literal(nature, random)).collect();
    match random.below(3) {
        0 => Filter::Has(path, literal(nature, random)),
        1 => Filter::HasAny(path, literals),
        _ => Filter::HasAll(path, literals),
    }
}

fn text(random: &mut Random) -> Filter {
    let (name, nature) = random.pick(&[
        ("s", Nature::String),
        ("o.s", Nature::Word),
        ("a[*]", Nature::String),
        ("a[1]", Nature::String),
    ]);
    let Json::String(whole) = of_nature(nature, random) else {
        unreachable!("these natures are strings")
    };
    let test = random.pick(&TextTest::ALL);
    let operand = operand::draw(test, &whole, random);
    Filter::Text(Path::plain(name), test, Literal::String(operand))
}

/// A literal, of another nature than the path's now and then.
fn literal(nature: Nature, random: &mut Random) -> Literal {
    let nature = if random.chance(8) { Nature::Element } else { nature };
    match of_nature(nature, random) {
        Json::Bool(truth) => Literal::Bool(truth),
        Json::Number(text) => Literal::Number(text),
        Json::String(text) => Literal::String(text),
        other => unreachable!("{other:?} is no scalar"),
    }
}

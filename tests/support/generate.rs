//! Seeded generators: documents, schemas, filters and orders over six fields with a dozen values
//! each, so that collisions, near misses and odd spellings are common.
//!
//! ```text
//! n      numbers: 1, 1.0, 1e0, integers beyond 2^53, fractions
//! s      strings: quotes, escapes, NUL, astral characters, letters of several foldings
//! when   datetimes: one instant under several offsets, milliseconds
//! price  decimals: 12.5, "12.50", 1.25e1
//! tags   arrays
//! o      an object: o.x a number, o.y.z a string, o.items[*].sku, o.items[*].qty
//! ```

pub mod aggregate;
pub mod constrained;
pub mod extended;
pub mod indexed;
pub mod updates;

use extended::Language;

use crate::naive::{
    Comparison, Filter, Json, Kind, Literal, NaiveField, NaiveIndex, NaiveSchema, OrderBy, Path,
    TextTest, operand,
};

/// A small random generator (`SplitMix64`), the same on every machine.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
    /// Bytes that are drawn first, two at a time, the last one first.
    given: Vec<u8>,
}

impl Random {
    /// A generator with a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed, given: Vec::new() }
    }

    /// A generator that gives what these bytes say while they last, so that a fuzzer decides each draw.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self { state: bytes.len() as u64, given: bytes.iter().rev().copied().collect() }
    }

    /// Whether bytes to draw from are left.
    pub fn has_given(&self) -> bool {
        !self.given.is_empty()
    }

    /// A generator seeded by the variable `SEED`, else by the clock. Prints the seed first.
    pub fn from_environment() -> Self {
        let given = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
            now.as_nanos() as u64
        });
        println!("SEED={seed}");
        Self::new(seed)
    }

    /// The next 64 bits; 16 where the bytes were given.
    pub fn bits(&mut self) -> u64 {
        if let Some(low) = self.given.pop() {
            return u64::from(low) | u64::from(self.given.pop().unwrap_or(0)) << 8;
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from 0 to below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.bits() % 100 < percent
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

const NUMBERS: [&str; 16] = [
    "1",
    "1.0",
    "1e0",
    "0",
    "-0.0",
    "-1.5",
    "2",
    "2.5",
    "25e-1",
    "100",
    "1E2",
    "9007199254740992",
    "9007199254740993",
    "9007199254740992.0",
    "18446744073709551615",
    "1e300",
];
const INTEGERS: [&str; 12] = [
    "1",
    "1.0",
    "1e0",
    "0",
    "-0",
    "-1",
    "2",
    "1e2",
    "9007199254740992",
    "9007199254740993",
    "-9223372036854775808",
    "18446744073709551615",
];
const STRINGS: [&str; 17] = [
    "",
    "a",
    "A",
    "ab",
    "it's",
    "\"q\\",
    "é",
    "\u{fffd}",
    "\u{1d11e}",
    "a\u{0}b",
    "line\nbreak",
    "1",
    "50%_\\",
    "STRASSE",
    "straße",
    "Kg",
    "\u{212a}g",
];
const DATETIMES: [&str; 12] = [
    "\"2026-01-01T00:00:00Z\"",
    "\"2026-01-01T01:00:00+01:00\"",
    "\"2025-12-31T18:30:00-05:30\"",
    "1767225600000",
    "\"2026-01-01T00:00:00.000Z\"",
    "\"2026-01-01T00:00:00.000000001Z\"",
    "\"2026-01-01T00:00:00.001Z\"",
    "1767225600001",
    "0",
    "-1",
    "\"1969-12-31T23:59:59.999Z\"",
    "\"2026-06-30T12:00:00-00:00\"",
];
const DECIMALS: [&str; 14] = [
    "12.5",
    "\"12.5\"",
    "\"12.50\"",
    "\"12.500\"",
    "1.25e1",
    "\"0.1\"",
    "0.1",
    "0.10000000000000000001",
    "\"0.10000000000000000001\"",
    "0",
    "\"-3\"",
    "-3.0",
    "9007199254740993",
    "\"123456789012345678901234567890.5\"",
];
const ODD: [&str; 10] = [
    "true",
    "false",
    "\"x\"",
    "\"12.5\"",
    "7",
    "[]",
    "[1]",
    "{}",
    "{\"b\":1,\"a\":2}",
    "{\"a\":2}",
];

/// The paths that filters and orders draw from, each with the values that stand there by nature.
const PATHS: [(&str, Nature); 17] = [
    ("n", Nature::Number),
    ("n", Nature::Number),
    ("s", Nature::String),
    ("s", Nature::String),
    ("when", Nature::Datetime),
    ("price", Nature::Decimal),
    ("tags", Nature::Tag),
    ("tags[*]", Nature::Tag),
    ("tags[1]", Nature::Tag),
    ("o", Nature::Odd),
    ("o.x", Nature::Number),
    ("o.y.z", Nature::String),
    ("o.items", Nature::Odd),
    ("o.items[*].sku", Nature::String),
    ("o.items[*].qty", Nature::Number),
    ("o.items[0].qty", Nature::Number),
    ("none", Nature::Odd),
];

/// The paths that what is asked of strings draws from, most of the time.
const TEXT_PATHS: [(&str, Nature); 10] = [
    ("s", Nature::String),
    ("s", Nature::String),
    ("s", Nature::String),
    ("o.y.z", Nature::String),
    ("o.items[*].sku", Nature::String),
    ("o.items[0].sku", Nature::String),
    ("tags[*]", Nature::Tag),
    ("tags[1]", Nature::Tag),
    ("when", Nature::Datetime),
    ("price", Nature::Decimal),
];

#[derive(Clone, Copy)]
enum Nature {
    Number,
    String,
    Datetime,
    Decimal,
    Tag,
    Odd,
}

fn parse(text: &str) -> Json {
    Json::parse(text).expect("the tables hold JSON")
}

fn string(random: &mut Random) -> Json {
    Json::String(random.pick(&STRINGS).to_owned())
}

fn of_kind(kind: &Kind, random: &mut Random) -> Json {
    match kind {
        Kind::String | Kind::Nocase => string(random),
        Kind::Int => parse(random.pick(&INTEGERS)),
        Kind::Float => parse(random.pick(&NUMBERS)),
        Kind::Bool => Json::Bool(random.chance(50)),
        Kind::Decimal => parse(random.pick(&DECIMALS)),
        Kind::Datetime => parse(random.pick(&DATETIMES)),
        Kind::Json => parse(random.pick(&ODD)),
        Kind::Array(element) => array(random, |random| of_kind(element, random)),
    }
}

/// A value of a field, mostly such as it may be.
fn of_field(field: &NaiveField, random: &mut Random) -> Json {
    let mut value = of_kind(&field.kind, random);
    for _ in 0..4 {
        if !field.rules.break_on(&value, &field.kind) {
            break;
        }
        value = of_kind(&field.kind, random);
    }
    value
}

fn of_nature(nature: Nature, random: &mut Random) -> Json {
    match nature {
        Nature::String => string(random),
        Nature::Datetime => parse(random.pick(&DATETIMES)),
        Nature::Decimal => parse(random.pick(&DECIMALS)),
        Nature::Tag if random.chance(50) => string(random),
        Nature::Number | Nature::Tag => parse(random.pick(&NUMBERS)),
        Nature::Odd => parse(random.pick(&ODD)),
    }
}

fn array(random: &mut Random, mut element: impl FnMut(&mut Random) -> Json) -> Json {
    let count = random.below(4);
    Json::Array((0..count).map(|_| element(random)).collect())
}

/// A value for a path: of the declared type where there is one, else of any kind, by nature mostly.
fn value(path: &str, nature: Nature, schema: &NaiveSchema, random: &mut Random) -> Option<Json> {
    let path = Path::plain(path);
    let field = schema.fields.iter().find(|field| field.path == path);
    if let Some(field) = field {
        if field.nullable && random.chance(15) {
            return Some(Json::Null);
        }
        let is_missing = !field.required && random.chance(15);
        return (!is_missing).then(|| of_field(field, random));
    }
    match random.below(100) {
        0..15 => None,
        15..25 => Some(Json::Null),
        25..35 => Some(of_nature(Nature::Odd, random)),
        _ => Some(of_nature(nature, random)),
    }
}

/// A document that satisfies the types, REQUIRED and NULLABLE of a schema from `schema`.
pub fn document(random: &mut Random, schema: &NaiveSchema) -> Json {
    let mut members = Vec::new();
    let mut add = |name: &str, value: Option<Json>| {
        members.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("n", value("n", Nature::Number, schema, random));
    add("s", value("s", Nature::String, schema, random));
    add("when", value("when", Nature::Datetime, schema, random));
    add("price", value("price", Nature::Decimal, schema, random));
    add("tags", tags(random, schema));
    add("o", object(random, schema));
    if random.chance(20) {
        members.reverse();
    }
    Json::Object(members)
}

fn tags(random: &mut Random, schema: &NaiveSchema) -> Option<Json> {
    let is_declared = |path: &str| schema.fields.iter().any(|f| f.path == Path::plain(path));
    if is_declared("tags") {
        return value("tags", Nature::Tag, schema, random);
    }
    let wild = !is_declared("tags[*]");
    match random.below(100) {
        0..15 => None,
        15..20 => Some(Json::Null),
        20..30 if wild => Some(of_nature(Nature::Odd, random)),
        _ if wild => Some(array(random, |random| {
            let nature = if random.chance(15) { Nature::Odd } else { Nature::Tag };
            of_nature(nature, random)
        })),
        _ => Some(array(random, |random| {
            value("tags[*]", Nature::Tag, schema, random).unwrap_or_else(|| string(random))
        })),
    }
}

fn object(random: &mut Random, schema: &NaiveSchema) -> Option<Json> {
    let is_parent = schema.fields.iter().any(|field| field.path.text().starts_with("o."));
    match random.below(100) {
        0..10 if !is_parent => return None,
        10..20 if !is_parent => return Some(of_nature(Nature::Odd, random)),
        _ => {}
    }
    let mut members = Vec::new();
    let mut add = |name: &str, value: Option<Json>| {
        members.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("x", value("o.x", Nature::Number, schema, random));
    let z = value("o.y.z", Nature::String, schema, random);
    add("y", z.map(|z| Json::Object(vec![("z".to_owned(), z)])));
    add("items", Some(array(random, |random| item(random, schema))));
    Some(Json::Object(members))
}

fn item(random: &mut Random, schema: &NaiveSchema) -> Json {
    if random.chance(10) {
        return of_nature(Nature::Tag, random);
    }
    let sku = value("o.items[*].sku", Nature::String, schema, random);
    let qty = value("o.items[*].qty", Nature::Number, schema, random);
    let members = [("sku", sku), ("qty", qty)].into_iter();
    Json::Object(members.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// A schema of up to `indexes` indexed fields and about as many without an index. No UNIQUE, no
/// STRICT and no REQUIRED: those are for tests that ask for them.
pub fn schema(random: &mut Random, indexes: usize) -> NaiveSchema {
    let array = |kind| Kind::Array(Box::new(kind));
    let mut candidates = vec![
        ("n", random.pick(&[Kind::Int, Kind::Float])),
        ("s", Kind::String),
        ("when", random.pick(&[Kind::Datetime, Kind::Datetime, Kind::Json])),
        ("price", Kind::Decimal),
        ("o.x", random.pick(&[Kind::Int, Kind::Float, Kind::Bool])),
        ("o.y.z", random.pick(&[Kind::String, Kind::Decimal])),
        ("o.items[*].sku", Kind::String),
        ("o.items[*].qty", Kind::Float),
        match random.below(4) {
            0 => ("tags", array(Kind::String)),
            1 => ("tags", array(Kind::Int)),
            2 => ("tags[*]", Kind::String),
            _ => ("tags", array(Kind::Datetime)),
        },
    ];
    let mut schema = NaiveSchema::default();
    let plain = random.below(3);
    for at in 0..(indexes + plain).min(candidates.len()) {
        let (path, kind) = candidates.swap_remove(random.below(candidates.len()));
        let mut field = NaiveField::new(path, kind);
        if random.chance(35) {
            field.kind = field.kind.nocase();
        }
        field.nullable = random.chance(60);
        if at < indexes && field.kind != Kind::Json {
            let is_text = match &field.kind {
                Kind::Array(element) => element.nocase() == Kind::Nocase,
                kind => kind.nocase() == Kind::Nocase,
            };
            let index = match random.below(5) {
                0 if is_text => NaiveIndex::Substring,
                at if at < 3 => NaiveIndex::Set,
                _ => NaiveIndex::Sorted,
            };
            field.index = Some(index);
        }
        schema.fields.push(field);
    }
    schema
}

/// A filter that can be bound to the schema, nested at most `depth` deep, whose predicates are of
/// a path and literals.
pub fn filter(random: &mut Random, schema: &NaiveSchema, depth: usize) -> Filter {
    filter_in(random, schema, depth, &Language::default())
}

/// As `filter`, with the predicates that the language has beside those.
pub fn filter_in(
    random: &mut Random,
    schema: &NaiveSchema,
    depth: usize,
    language: &Language,
) -> Filter {
    let parts = |random: &mut Random| {
        let count = 1 + random.below(3);
        (0..count).map(|_| filter_in(random, schema, depth - 1, language)).collect()
    };
    match random.below(100) {
        0..22 if depth > 0 => Filter::And(parts(random)),
        22..42 if depth > 0 => Filter::Or(parts(random)),
        42..55 if depth > 0 => {
            Filter::Not(Box::new(filter_in(random, schema, depth - 1, language)))
        }
        _ => loop {
            let predicate = if !language.is_empty() && random.chance(50) {
                extended::predicate(random, schema, language)
            } else {
                predicate(random, schema)
            };
            if predicate.check(schema).is_ok() {
                return predicate;
            }
        },
    }
}

fn predicate(random: &mut Random, schema: &NaiveSchema) -> Filter {
    if random.chance(4) {
        return Filter::Valid(random.chance(50));
    }
    let (name, nature) = paths(schema, random);
    let path = Path::plain(name);
    let literal = |random: &mut Random| literal(&path, nature, schema, random);
    match random.below(100) {
        0..30 => {
            let comparison = random.pick(&[
                Comparison::Equal,
                Comparison::Equal,
                Comparison::NotEqual,
                Comparison::Less,
                Comparison::LessOrEqual,
                Comparison::Greater,
                Comparison::GreaterOrEqual,
            ]);
            let literal = literal(random);
            Filter::Compare(path, comparison, literal)
        }
        30..38 => {
            let (least, greatest) = (literal(random), literal(random));
            Filter::Between(path, least, greatest)
        }
        38..47 => {
            let literals = (0..random.below(5)).map(|_| literal(random)).collect();
            Filter::In(path, literals)
        }
        47..63 => has(random, schema),
        63..80 => text(random, schema),
        80..86 => Filter::IsNull(path),
        86..92 => Filter::IsMissing(path),
        92..96 if schema.kind_of(&path).is_none() => Filter::IsBool(path, random.chance(50)),
        _ => Filter::Bare(path),
    }
}

/// HAS, HAS ANY or HAS ALL.
fn has(random: &mut Random, schema: &NaiveSchema) -> Filter {
    // The language does not say whether a field declared to be no array may be asked HAS.
    let is_open = schema.kind_of(&Path::plain("tags[*]")).is_none();
    let name = random.pick(&["tags", "tags", "tags", "o.items", "none", "tags[*]"]);
    let path = Path::plain(if is_open || name != "tags[*]" { name } else { "tags" });
    let element = path.every();
    let literal = |random: &mut Random| literal(&element, Nature::Tag, schema, random);
    let mut literals: Vec<_> = (0..random.below(4)).map(|_| literal(random)).collect();
    // Few arrays have several values that were drawn apart from them.
    if literals.len() > 1 && random.chance(40) {
        literals[1] = literals[0].clone();
        literals.truncate(2);
    }
    match random.below(5) {
        0 | 1 => Filter::Has(path, literal(random)),
        2 => Filter::HasAny(path, literals),
        _ => Filter::HasAll(path, literals),
    }
}

/// What is asked of a string and its parts.
fn text(random: &mut Random, schema: &NaiveSchema) -> Filter {
    let (name, nature) =
        if random.chance(15) { paths(schema, random) } else { random.pick(&TEXT_PATHS) };
    let whole = match of_nature(nature, random) {
        Json::String(text) => text,
        _ => random.pick(&STRINGS).to_owned(),
    };
    let test = random.pick(&TextTest::ALL);
    let operand = operand::draw(test, &whole, random);
    Filter::Text(Path::plain(name), test, Literal::String(operand))
}

fn literal(path: &Path, nature: Nature, schema: &NaiveSchema, random: &mut Random) -> Literal {
    loop {
        let value = match schema.kind_of(path) {
            Some(kind) if random.chance(90) => of_kind(kind, random),
            _ => of_nature(nature, random),
        };
        match value {
            Json::Bool(truth) => return Literal::Bool(truth),
            Json::Number(text) => return Literal::Number(text),
            Json::String(text) => return Literal::String(text),
            // A declared array is compared with no literal; this one will be refused by `check`.
            _ if matches!(schema.kind_of(path), Some(Kind::Array(_))) => {
                return Literal::Bool(true);
            }
            _ => {}
        }
    }
}

/// An order over none to three paths.
pub fn order(random: &mut Random, schema: &NaiveSchema) -> Vec<OrderBy> {
    let count = random.below(4);
    let by = |random: &mut Random| {
        let (name, _) = paths(schema, random);
        OrderBy { path: Path::plain(name), descending: random.chance(50) }
    };
    (0..count).map(|_| by(random)).collect()
}

/// One of the paths. Of an array of datetimes neither the whole nor `tags[1]` is asked for.
fn paths(schema: &NaiveSchema, random: &mut Random) -> (&'static str, Nature) {
    let is_open = match schema.kind_of(&Path::plain("tags")) {
        Some(Kind::Array(element)) => **element != Kind::Datetime,
        _ => true,
    };
    loop {
        let drawn = random.pick(&PATHS);
        if is_open || !matches!(drawn.0, "tags" | "tags[1]") {
            return drawn;
        }
    }
}

#[cfg(test)]
#[path = "generate_tests.rs"]
mod tests;

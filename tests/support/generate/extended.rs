//! Predicates beyond those of a path and literals: arithmetic and paths on both sides, instants,
//! elements of arrays, type tests, metadata. Each is switched on by itself.

use super::{Nature, PATHS, Random, literal, order, paths};
use crate::naive::{
    Comparison, Filter, JsonKind, Kind, Literal, Meta, NaiveSchema, Operator, OrderBy, Path,
    TextTest, Value, operand,
};

/// What filters and orders may be drawn from beside predicates of a path and literals.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each switches a part of the language on")]
pub struct Language {
    /// Arithmetic, and paths on both sides.
    pub computed: bool,
    /// `time(..)` and `duration(..)`.
    pub time: bool,
    /// `now()`: for those who know the instant that the command will see.
    pub now: bool,
    /// `ANY .. WHERE`, `ALL .. WHERE` and type tests.
    pub elements: bool,
    /// The metadata whose values the model knows.
    pub metadata: Vec<Meta>,
}

impl Language {
    /// All of it.
    pub fn whole() -> Self {
        let metadata = Meta::ALL.to_vec();
        Self { computed: true, time: true, now: true, elements: true, metadata }
    }

    /// Whether there is nothing beside predicates of a path and literals.
    pub fn is_empty(&self) -> bool {
        !self.computed && !self.time && !self.now && !self.elements && self.metadata.is_empty()
    }
}

/// Paths whose values are numbers, as a rule, under most schemas.
const NUMERIC: [&str; 10] = [
    "n",
    "n",
    "n",
    "o.x",
    "o.x",
    "price",
    "o.items[0].qty",
    "o.items[*].qty",
    "tags[*]",
    "tags[1]",
];
/// Numbers that sums and products of those in documents come near to.
const CONSTANTS: [&str; 16] = [
    "1",
    "1",
    "2",
    "2",
    "0",
    "-1",
    "3",
    "0.5",
    "2.5",
    "12.5",
    "0.1",
    "10",
    "100",
    "9007199254740993",
    "18446744073709551615",
    "1e300",
];
const TIMES: [&str; 6] = [
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00.001+01:00",
    "2026-01-01",
    "1970-01-01",
    "2026-06-30T12:00:00-00:00",
    "2025-12-31T23:59:59.999999999Z",
];
const MILLISECONDS: [&str; 4] = ["0", "-1", "1767225600000", "1767225600001"];
const DURATIONS: [&str; 10] =
    ["1ms", "1ns", "1us", "-30m", "1.5h", "1d 3h", "180d", "PT1H30M", "P1DT12H", "0s"];
const SIGNS: [Comparison; 7] = [
    Comparison::Equal,
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
];

/// One of the predicates that are switched on; it may not fit the schema.
pub fn predicate(random: &mut Random, schema: &NaiveSchema, language: &Language) -> Filter {
    loop {
        match random.below(10) {
            0..4 if language.computed => return computed(random, language),
            4..6 if language.time || language.now => return timed(random, language),
            6..8 if language.elements => return elements(random, schema, 1),
            8 if language.elements => {
                let path = Path::plain(paths(schema, random).0);
                return Filter::IsKind(path, random.pick(&JsonKind::ALL));
            }
            9 if !language.metadata.is_empty() => return of_metadata(random, language),
            _ => {}
        }
    }
}

/// An order over none to three paths, metadata among them.
pub fn order_in(random: &mut Random, schema: &NaiveSchema, language: &Language) -> Vec<OrderBy> {
    let mut order = order(random, schema);
    for by in &mut order {
        if !language.metadata.is_empty() && random.chance(25) {
            by.path = Path::of_meta(random.pick(&language.metadata));
        }
    }
    order
}

fn plain(path: &str) -> Value {
    Value::Path(Path::plain(path))
}

fn number(text: &str) -> Value {
    Value::Constant(Literal::Number(text.to_owned()))
}

/// A predicate over values: arithmetic, or paths on both sides.
fn computed(random: &mut Random, language: &Language) -> Filter {
    match random.below(100) {
        0..45 => {
            let left = sum(random, language, 2);
            let right = if random.chance(60) { constant(random) } else { sum(random, language, 1) };
            Filter::CompareValues(left, random.pick(&SIGNS), right)
        }
        45..65 => {
            let (left, right) = (any_path(random), any_path(random));
            Filter::CompareValues(left, random.pick(&SIGNS), right)
        }
        65..80 => {
            let subject = sum(random, language, 1);
            let least = if random.chance(50) { number("-1") } else { sum(random, language, 1) };
            let greatest = if random.chance(50) { number("1e2") } else { sum(random, language, 1) };
            Filter::BetweenValues(subject, least, greatest)
        }
        80..92 => {
            let subject = sum(random, language, 1);
            let literal = |random: &mut Random| Literal::Number(random.pick(&CONSTANTS).to_owned());
            let literals = (0..random.below(12)).map(|_| literal(random)).collect();
            Filter::InValues(subject, literals)
        }
        // A path alone, and constants that are computed.
        _ => {
            let path = plain(random.pick(&NUMERIC));
            let operator = operator(random);
            let constant = Value::computed(constant(random), operator, constant(random));
            Filter::CompareValues(path, random.pick(&SIGNS), constant)
        }
    }
}

fn any_path(random: &mut Random) -> Value {
    let all = PATHS.map(|(path, _)| path);
    plain(if random.chance(60) { random.pick(&NUMERIC) } else { random.pick(&all) })
}

fn operator(random: &mut Random) -> Operator {
    random.pick(&[
        Operator::Add,
        Operator::Add,
        Operator::Subtract,
        Operator::Subtract,
        Operator::Multiply,
        Operator::Divide,
        Operator::Remainder,
    ])
}

fn constant(random: &mut Random) -> Value {
    number(random.pick(&CONSTANTS))
}

/// A value, computed at most so many times over each other.
pub(super) fn sum(random: &mut Random, language: &Language, depth: usize) -> Value {
    match random.below(100) {
        0..60 if depth > 0 => {
            let left = sum(random, language, depth - 1);
            let operator = operator(random);
            let right =
                if random.chance(60) { constant(random) } else { sum(random, language, depth - 1) };
            Value::computed(left, operator, right)
        }
        0..66 if depth > 0 => Value::Negated(Box::new(sum(random, language, depth - 1))),
        66..70 => constant(random),
        70..75 if language.metadata.contains(&Meta::Sequence) => {
            Value::Path(Path::of_meta(Meta::Sequence))
        }
        _ => plain(random.pick(&NUMERIC)),
    }
}

fn instant(random: &mut Random, language: &Language) -> Literal {
    let is_now = language.now && (!language.time || random.chance(25));
    if is_now {
        Literal::Now
    } else if random.chance(25) {
        Literal::Time(Box::new(Literal::Number(random.pick(&MILLISECONDS).to_owned())))
    } else {
        Literal::Time(Box::new(Literal::String(random.pick(&TIMES).to_owned())))
    }
}

/// What an instant is compared with.
fn dated(random: &mut Random, language: &Language) -> Path {
    let known = [Meta::Created, Meta::Updated, Meta::Expires];
    let metadata: Vec<Meta> =
        known.into_iter().filter(|meta| language.metadata.contains(meta)).collect();
    if !metadata.is_empty() && random.chance(25) {
        return Path::of_meta(random.pick(&metadata));
    }
    Path::plain(random.pick(&["when", "when", "when", "when", "when", "n", "price", "tags[*]"]))
}

/// A predicate in which an instant takes part, or a duration.
fn timed(random: &mut Random, language: &Language) -> Filter {
    let path = dated(random, language);
    let instant = |random: &mut Random| Value::Constant(instant(random, language));
    let duration = |random: &mut Random| {
        Value::Constant(Literal::Duration(random.pick(&DURATIONS).to_owned()))
    };
    let moved = |random: &mut Random, value: Value| {
        let sign = random.pick(&[Operator::Add, Operator::Subtract]);
        Value::computed(value, sign, duration(random))
    };
    let literal = |random: &mut Random| self::instant(random, language);
    let sign = random.pick(&SIGNS);
    match random.below(100) {
        0..25 => Filter::Compare(path, sign, literal(random)),
        25..40 => {
            let value = instant(random);
            Filter::CompareValues(Value::Path(path), sign, moved(random, value))
        }
        40..55 => {
            let value = moved(random, Value::Path(path));
            Filter::CompareValues(value, sign, instant(random))
        }
        55..70 => {
            let middle = instant(random);
            let (day, before) =
                (Value::Constant(Literal::Duration("1d".to_owned())), middle.clone());
            let least = Value::computed(before, Operator::Subtract, day.clone());
            let greatest = Value::computed(middle, Operator::Add, day);
            Filter::BetweenValues(Value::Path(path), least, greatest)
        }
        70..80 => {
            let literals = (0..=random.below(3)).map(|_| literal(random)).collect();
            Filter::In(path, literals)
        }
        80..88 => {
            let age = Value::computed(instant(random), Operator::Subtract, Value::Path(path));
            Filter::CompareValues(age, sign, duration(random))
        }
        88..94 => {
            let tags = Path::plain("tags");
            // Elements are numbers more often than datetimes.
            let one = Literal::Number("1".to_owned());
            let literals = vec![literal(random), one];
            if random.chance(50) {
                Filter::HasAny(tags, literals)
            } else {
                Filter::HasAll(tags, literals)
            }
        }
        _ => Filter::CompareValues(plain("n"), sign, duration(random)),
    }
}

/// `ANY .. WHERE` or `ALL .. WHERE`.
fn elements(random: &mut Random, schema: &NaiveSchema, depth: usize) -> Filter {
    let name = random.pick(&["o.items", "o.items", "o.items", "tags", "tags", "none"]);
    let part = Box::new(of_element(random, schema, name, depth));
    let path = Path::plain(name);
    if random.chance(60) { Filter::AnyWhere(path, part) } else { Filter::AllWhere(path, part) }
}

/// A filter over the elements of an array.
fn of_element(random: &mut Random, schema: &NaiveSchema, array: &str, depth: usize) -> Filter {
    let parts = |random: &mut Random| {
        (0..2).map(|_| of_element(random, schema, array, depth - 1)).collect()
    };
    match random.below(100) {
        0..25 if depth > 0 => return Filter::And(parts(random)),
        25..45 if depth > 0 => return Filter::Or(parts(random)),
        45..55 if depth > 0 => {
            return Filter::Not(Box::new(of_element(random, schema, array, depth - 1)));
        }
        _ => {}
    }
    let (name, nature) = if array == "o.items" {
        random.pick(&[
            ("sku", Nature::String),
            ("@.sku", Nature::String),
            ("qty", Nature::Number),
            ("@.qty", Nature::Number),
            ("@", Nature::Tag),
        ])
    } else {
        random.pick(&[
            ("@", Nature::Tag),
            ("@", Nature::Tag),
            ("@", Nature::Number),
            ("x", Nature::Odd),
        ])
    };
    let path = if name.starts_with('@') { Path::of_element(name) } else { Path::plain(name) };
    // The path from the document, by which literals are drawn.
    let member = name.trim_start_matches(['@', '.']);
    let whole =
        if member.is_empty() { format!("{array}[*]") } else { format!("{array}[*].{member}") };
    let whole = Path::plain(&whole);
    let drawn = |random: &mut Random| literal(&whole, nature, schema, random);
    let sign = random.pick(&SIGNS);
    match random.below(100) {
        0..40 => {
            let literal = drawn(random);
            Filter::Compare(path, sign, literal)
        }
        40..50 => Filter::In(path, (0..3).map(|_| drawn(random)).collect()),
        50..65 => {
            let value = Value::computed(Value::Path(path), operator(random), constant(random));
            Filter::CompareValues(value, sign, constant(random))
        }
        65..75 => {
            let test = random.pick(&TextTest::ALL);
            let drawn = operand::draw(test, random.pick(&super::STRINGS), random);
            Filter::Text(path, test, Literal::String(drawn))
        }
        75..82 => Filter::IsKind(path, random.pick(&JsonKind::ALL)),
        82..90 => Filter::IsMissing(path),
        90..95 => Filter::IsNull(path),
        _ => Filter::Bare(path),
    }
}

fn of_metadata(random: &mut Random, language: &Language) -> Filter {
    let meta = random.pick(&language.metadata);
    let path = Path::of_meta(meta);
    let sign = random.pick(&SIGNS);
    match meta.kind() {
        Kind::String | Kind::Nocase => {
            let part = random.pick(&["1", "2", "a", "", ":", "k"]).to_owned();
            match random.below(3) {
                0 => Filter::Compare(path, sign, Literal::String(part)),
                1 => {
                    let text = Literal::String(format!("%{part}%"));
                    Filter::Text(path, random.pick(&[TextTest::Like, TextTest::Ilike]), text)
                }
                _ => {
                    let tests = [TextTest::StartsWith, TextTest::EndsWith, TextTest::Contains];
                    Filter::Text(path, random.pick(&tests), Literal::String(part))
                }
            }
        }
        Kind::Int => {
            let count = Literal::Number(random.below(60).to_string());
            if random.chance(50) {
                return Filter::Compare(path, sign, count);
            }
            let divisor = number(random.pick(&["2", "3", "5"]));
            let rest = Value::computed(Value::Path(path), Operator::Remainder, divisor);
            Filter::CompareValues(rest, sign, number("1"))
        }
        Kind::Bool => Filter::IsBool(path, random.chance(50)),
        _ if random.chance(30) => Filter::IsMissing(path),
        _ => {
            let text = Literal::Number(random.pick(&MILLISECONDS).to_owned());
            Filter::Compare(path, sign, text)
        }
    }
}

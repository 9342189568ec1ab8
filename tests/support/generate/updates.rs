//! Operations of DOC.UPDATE: mostly such as fit a document, on the fields that documents have and on others.

use super::{Nature, ODD, Random, document, of_kind, of_nature, parse};
use crate::naive::{Change, Json, Kind, NaiveSchema, Path};

/// The paths that operations work on, each with the values that stand there by nature.
const PATHS: [(&str, Nature); 20] = [
    ("n", Nature::Number),
    ("n", Nature::Number),
    ("s", Nature::String),
    ("s", Nature::String),
    ("when", Nature::Datetime),
    ("price", Nature::Decimal),
    ("price", Nature::Decimal),
    ("tags", Nature::Odd),
    ("tags[0]", Nature::Tag),
    ("tags[1]", Nature::Tag),
    ("tags[2]", Nature::Tag),
    ("o", Nature::Odd),
    ("o.x", Nature::Number),
    ("o.x", Nature::Number),
    ("o.y.z", Nature::String),
    ("o.items", Nature::Odd),
    ("o.items[0].qty", Nature::Number),
    ("none", Nature::Odd),
    ("none.a[0]", Nature::Number),
    ("tags[0].a", Nature::Odd),
];
/// Paths of names.
const TIMED: [&str; 11] =
    ["n", "s", "when", "price", "tags", "o", "o.x", "o.y", "o.y.z", "o.items", "none"];
/// Paths of numbers.
const NUMBERS: [(&str, Nature); 8] = [
    ("n", Nature::Number),
    ("n", Nature::Number),
    ("price", Nature::Decimal),
    ("price", Nature::Decimal),
    ("o.x", Nature::Number),
    ("o.items[0].qty", Nature::Number),
    ("tags[0]", Nature::Tag),
    ("none", Nature::Odd),
];
/// Paths of arrays.
const ARRAYS: [&str; 6] = ["tags", "tags", "tags", "o.items", "none", "s"];
const OPERANDS: [&str; 12] = [
    "1",
    "-1",
    "2",
    "-2",
    "0.5",
    "0",
    "10",
    "1.0",
    "0.1",
    "-0.25",
    "1e300",
    "18446744073709551615",
];
const DECIMAL_OPERANDS: [&str; 4] = ["\"0.10\"", "\"-2\"", "\"1.5\"", "\"100000000000000000000\""];
const DURATIONS: [&str; 7] = ["", "30s", "-1d", "1d 3h", "PT90M", "5ms", "-2h"];
const POINTERS: [&str; 16] = [
    "/n",
    "/n",
    "/s",
    "/price",
    "/tags",
    "/tags/0",
    "/tags/0",
    "/tags/1",
    "/tags/-",
    "/o",
    "/o/x",
    "/o/y/z",
    "/o/items/0",
    "/none",
    "/none/a",
    "/tags/00",
];

/// An operation that a document may be given.
pub fn change(random: &mut Random, schema: &NaiveSchema, held: Option<&Json>) -> Change {
    let (name, nature) = random.pick(&PATHS);
    let path = Path::plain(name);
    match random.below(100) {
        0..14 => {
            let value = value(random, schema, &path, nature);
            Change::Set(path, value)
        }
        14..22 => Change::Unset(path),
        22..40 => arithmetic(random, schema),
        40..54 => {
            let value = value(random, schema, &path, nature);
            if random.chance(50) { Change::Min(path, value) } else { Change::Max(path, value) }
        }
        54..72 => of_array(random, schema, held),
        72..77 => Change::Rename(path, Path::plain(random.pick(&PATHS).0)),
        77..81 => {
            Change::Toggle(Path::plain(random.pick(&["o.x", "o.x", "none", "none", "tags[0]"])))
        }
        81..86 => {
            let path =
                Path::plain(random.pick(&["when", "when", "when", "n", "price", "o.y.z", "s"]));
            Change::Now(path, random.pick(&DURATIONS).to_owned())
        }
        86..93 => Change::Merge(merged(random, schema)),
        _ => {
            let count = 1 + random.below(3);
            Change::Patch(Json::Array((0..count).map(|_| patched(random, schema, held)).collect()))
        }
    }
}

/// A time to live of a part, mostly of one that is there, so many milliseconds long.
pub fn ttl(random: &mut Random, held: Option<&Json>, after_ms: &[i64]) -> Change {
    let is_there = |path: &&str| held.is_none_or(|it| !Path::plain(path).values(it).is_empty());
    let there: Vec<&str> = TIMED.into_iter().filter(is_there).collect();
    let path = if there.is_empty() || random.chance(15) {
        random.pick(&PATHS).0
    } else {
        random.pick(&there)
    };
    let after_ms = (!random.chance(15)).then(|| random.pick(after_ms));
    Change::Ttl(Path::plain(path), after_ms)
}

/// A value of the path's type, mostly.
fn value(random: &mut Random, schema: &NaiveSchema, path: &Path, nature: Nature) -> Json {
    match schema.kind_of(path) {
        Some(kind) if random.chance(93) => of_kind(kind, random),
        _ if random.chance(10) => Json::Null,
        _ => of_nature(nature, random),
    }
}

fn arithmetic(random: &mut Random, schema: &NaiveSchema) -> Change {
    let (name, _) = random.pick(&NUMBERS);
    let path = Path::plain(name);
    let is_decimal = schema.kind_of(&path) == Some(&Kind::Decimal);
    let operands: &[&str] =
        if is_decimal && random.chance(50) { &DECIMAL_OPERANDS } else { &OPERANDS };
    let by = parse(random.pick(operands));
    if random.chance(60) { Change::Incr(path, by) } else { Change::Mul(path, by) }
}

fn of_array(random: &mut Random, schema: &NaiveSchema, held: Option<&Json>) -> Change {
    let path = Path::plain(random.pick(&ARRAYS));
    // ADD and PULL are about elements that are there, often.
    let there: Vec<Json> = match held {
        Some(held) => path.every().values(held).into_iter().cloned().collect(),
        None => Vec::new(),
    };
    let element = if !there.is_empty() && random.chance(60) {
        random.pick(&there)
    } else {
        value(random, schema, &path.every(), Nature::Tag)
    };
    match random.below(4) {
        0 => Change::Push(path, element),
        1 => {
            let index = random.pick(&[None, None, Some(0), Some(1), Some(-1), Some(-2), Some(7)]);
            Change::Pop(path, index)
        }
        2 => Change::Add(path, element),
        _ => Change::Pull(path, element),
    }
}

/// Some members of another document, and nulls.
fn merged(random: &mut Random, schema: &NaiveSchema) -> Json {
    let Json::Object(mut members) = document(random, schema) else {
        unreachable!("documents are objects")
    };
    members.retain(|_| random.chance(40));
    for (_, value) in &mut members {
        if random.chance(20) {
            *value = Json::Null;
        }
    }
    if random.chance(20) {
        members.push(("none".to_owned(), parse(random.pick(&ODD))));
    }
    if random.chance(10) {
        members.push(("deep".to_owned(), parse(r#"{"a":{"b":null,"c":1},"d":null}"#)));
    }
    Json::Object(members)
}

/// One change of a JSON Patch.
fn patched(random: &mut Random, schema: &NaiveSchema, held: Option<&Json>) -> Json {
    let verb = random.pick(&["add", "add", "remove", "replace", "replace", "move", "copy", "test"]);
    let pointer = random.pick(&POINTERS);
    let path =
        Path::plain(&pointer[1..].replace("/-", "/0").replace("/00", "/0").replace('/', "."));
    let path = as_indexes(&path);
    let text = |text: &str| Json::String(text.to_owned());
    let mut members = vec![("op".to_owned(), text(verb)), ("path".to_owned(), text(pointer))];
    match verb {
        "add" | "replace" => {
            let nature = if pointer.starts_with("/tags") { Nature::Tag } else { Nature::Odd };
            members.push(("value".to_owned(), value(random, schema, &path, nature)));
        }
        "move" | "copy" => members.push(("from".to_owned(), text(random.pick(&POINTERS)))),
        "test" => {
            let there = held.and_then(|held| path.values(held).first().copied().cloned());
            let tested = there.filter(|_| random.chance(80));
            let tested = tested.unwrap_or_else(|| value(random, schema, &path, Nature::Odd));
            members.push(("value".to_owned(), tested));
        }
        _ => {}
    }
    Json::Object(members)
}

/// The same with indexes for names that are numbers.
fn as_indexes(path: &Path) -> Path {
    use crate::naive::Step;
    let step = |step: &Step| match step {
        Step::Name(name) => name.parse().map_or_else(|_| Step::Name(name.clone()), Step::Index),
        step => step.clone(),
    };
    Path(path.0.iter().map(step).collect())
}

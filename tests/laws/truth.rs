//! Predicates that are true of a document by the way they are built: out of the values that it has.

use folio_tests::generate::Random;
use folio_tests::naive::Json;
use folio_tests::naive::{
    Comparison, Filter, JsonKind, Kind, Literal, NaiveSchema, Path, TextTest, Value,
};

const PATHS: [&str; 12] = [
    "n",
    "s",
    "when",
    "price",
    "tags[*]",
    "tags[1]",
    "o.x",
    "o.y.z",
    "o.items[*].sku",
    "o.items[*].qty",
    "o.items[0].qty",
    "none",
];

/// A filter that holds of this document.
pub fn of(random: &mut Random, schema: &NaiveSchema, document: &Json) -> Filter {
    let mut parts: Vec<Filter> =
        (0..=random.below(3)).map(|_| predicate(random, schema, document)).collect();
    if random.chance(25) {
        let anything = Filter::IsNull(Path::plain(random.pick(&PATHS)));
        let either = Filter::Or(vec![parts.swap_remove(0), anything]);
        parts.push(if random.chance(50) {
            either
        } else {
            Filter::Not(Box::new(Filter::Not(Box::new(either))))
        });
    }
    Filter::And(parts)
}

fn predicate(random: &mut Random, schema: &NaiveSchema, document: &Json) -> Filter {
    let path = Path::plain(random.pick(&PATHS));
    let values = path.values(document);
    if values.is_empty() {
        return Filter::IsMissing(path);
    }
    let value = random.pick(&values);
    let kind = schema.kind_of(&path);
    match value {
        Json::Null => Filter::IsNull(path),
        _ if random.chance(10) => of_kind(path, value),
        Json::Bool(truth) if random.chance(50) && kind.is_none() => Filter::IsBool(path, *truth),
        Json::Bool(truth) => of_scalar(random, path, Literal::Bool(*truth)),
        Json::Number(text) => of_scalar(random, path, Literal::Number(text.clone())),
        Json::String(text) if random.chance(40) && is_text(kind) => of_text(random, path, text),
        Json::String(text) => of_scalar(random, path, Literal::String(text.clone())),
        Json::Array(_) | Json::Object(_) => of_kind(path, value),
    }
}

fn is_text(kind: Option<&Kind>) -> bool {
    matches!(kind, None | Some(Kind::String | Kind::Json))
}

fn of_kind(path: Path, value: &Json) -> Filter {
    let kind = match value {
        Json::Null => return Filter::IsNull(path),
        Json::Bool(_) => JsonKind::Boolean,
        Json::Number(_) => JsonKind::Number,
        Json::String(_) => JsonKind::String,
        Json::Array(_) => JsonKind::Array,
        Json::Object(_) => JsonKind::Object,
    };
    Filter::IsKind(path, kind)
}

fn of_scalar(random: &mut Random, path: Path, value: Literal) -> Filter {
    let element = path.0.split_last().filter(|_| path.text() == "tags[*]");
    match (random.below(7), element) {
        (0, Some((_, array))) => Filter::Has(Path(array.to_vec()), value),
        (1, Some((_, array))) => Filter::HasAny(Path(array.to_vec()), vec![value]),
        (2, Some((_, array))) => {
            let is_it = Filter::Compare(Path::of_element("@"), Comparison::Equal, value);
            Filter::AnyWhere(Path(array.to_vec()), Box::new(is_it))
        }
        (3, _) => Filter::Between(path, value.clone(), value),
        (4, _) => Filter::In(path, vec![value]),
        (5, _) => {
            let signs = [Comparison::LessOrEqual, Comparison::GreaterOrEqual];
            Filter::Compare(path, random.pick(&signs), value)
        }
        (6, None) if !path.is_multiple() => {
            Filter::CompareValues(Value::Path(path.clone()), Comparison::Equal, Value::Path(path))
        }
        _ => Filter::Compare(path, Comparison::Equal, value),
    }
}

/// A part of the string, each code point of a pattern as itself.
fn of_text(random: &mut Random, path: Path, whole: &str) -> Filter {
    let letters: Vec<char> = whole.chars().collect();
    let from = random.below(letters.len() + 1);
    let to = from + random.below(letters.len() - from + 1);
    let part = |letters: &[char]| letters.iter().collect::<String>();
    let escaped = |letters: &[char]| -> String {
        let escape = |letter: &char| match letter {
            '%' | '_' | '\\' => format!("\\{letter}"),
            letter => letter.to_string(),
        };
        letters.iter().map(escape).collect()
    };
    let (test, asked) = match random.below(6) {
        0 => (TextTest::StartsWith, part(&letters[..to])),
        1 => (TextTest::EndsWith, part(&letters[from..])),
        2 => (TextTest::Contains, part(&letters[from..to])),
        3 => (TextTest::Like, format!("%{}%", escaped(&letters[from..to]))),
        4 => (TextTest::Ilike, format!("{}%", escaped(&letters[..to]))),
        _ => (TextTest::Matches, regex::escape(&part(&letters[from..to]))),
    };
    Filter::Text(path, test, Literal::String(asked))
}

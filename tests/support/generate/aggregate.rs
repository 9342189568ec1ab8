//! Aggregates, drawn over the same fields.

use super::extended::{self, Language};
use super::{Nature, Random, filter_in, literal, paths};
use crate::naive::{
    Aggregate, Comparison, Filter, GroupKey, Kind, Literal, Meta, NaiveSchema, Operator, Path,
    Reducer, Reduction, RowOrder, Value, Width,
};

/// Keys that several documents share.
const KEYS: [&str; 8] =
    ["n", "s", "when", "price", "o.x", "tags[*]", "o.items[*].sku", "o.items[0].qty"];
/// What reducers are asked of.
const VALUES: [&str; 9] =
    ["n", "n", "o.x", "o.items[*].qty", "price", "s", "when", "tags[*]", "none"];

/// An aggregate of up to two keys and one to three reducers, each with a name.
pub fn aggregate(random: &mut Random, schema: &NaiveSchema, language: &Language) -> Aggregate {
    let filter = random.chance(50).then(|| filter_in(random, schema, 2, language));
    let mut keys: Vec<GroupKey> = Vec::new();
    for at in 0..random.below(3) {
        let key = key(random, schema, language, format!("k{at}"));
        let has_several = keys.iter().any(|key| key.path.is_multiple());
        if !(has_several && key.path.is_multiple()) {
            keys.push(key);
        }
    }
    let count = 1 + random.below(3);
    let reductions: Vec<Reduction> = (0..count)
        .map(|at| {
            let reducer = reducer(random, schema, language);
            Reduction { reducer, name: Some(format!("r{at}")) }
        })
        .collect();
    let having = random.chance(30).then(|| having(random, schema, &keys, &reductions));
    let names = keys.iter().filter_map(|key| key.name.clone());
    // Two results that rounding may tell apart cannot be put in order.
    let exact = reductions.iter().filter(|reduction| is_exact(&reduction.reducer));
    let names: Vec<String> = names.chain(exact.filter_map(|it| it.name.clone())).collect();
    let mut order = Vec::new();
    if !names.is_empty() {
        for _ in 0..random.below(3) {
            order.push(RowOrder { name: random.pick(&names), descending: random.chance(50) });
        }
    }
    let limit = random.chance(30).then(|| (random.below(3), random.below(6)));
    Aggregate { filter, keys, reductions, having, order, limit }
}

/// What the distinct values are asked of.
pub fn distinct(random: &mut Random, schema: &NaiveSchema, language: &Language) -> Path {
    if !language.metadata.is_empty() && random.chance(15) {
        return Path::of_meta(random.pick(&language.metadata));
    }
    Path::plain(paths(schema, random).0)
}

fn key(random: &mut Random, schema: &NaiveSchema, language: &Language, name: String) -> GroupKey {
    let path = if !language.metadata.is_empty() && random.chance(12) {
        Path::of_meta(random.pick(&language.metadata))
    } else {
        Path::plain(random.pick(&KEYS))
    };
    let kind = path.meta().map(Meta::kind).or_else(|| schema.kind_of(&path).cloned());
    let width = match &kind {
        None | Some(Kind::Json) if random.chance(50) => dated(random),
        None | Some(Kind::Int | Kind::Float | Kind::Decimal) => numbered(random),
        Some(Kind::Datetime) => dated(random),
        _ => return GroupKey { path, bucket: None, name: Some(name) },
    };
    GroupKey { path, bucket: random.chance(50).then_some(width), name: Some(name) }
}

fn dated(random: &mut Random) -> Width {
    match random.below(6) {
        0 => Width::Month,
        1 => Width::Year,
        _ => Width::Duration(random.pick(&["1h", "1d", "1w", "90m", "1ms", "PT1H"]).to_owned()),
    }
}

fn numbered(random: &mut Random) -> Width {
    Width::Number(random.pick(&["1", "2", "10", "0.1", "2.5", "1e3", "3"]).to_owned())
}

fn reducer(random: &mut Random, schema: &NaiveSchema, language: &Language) -> Reducer {
    let value = value(random, schema, language);
    let is_number = is_number(&value, schema);
    match random.below(13) {
        0 => Reducer::Count,
        1 => Reducer::CountOf(value),
        2 => Reducer::Least(value),
        3 => Reducer::Greatest(value),
        4 => Reducer::First(value),
        5 => Reducer::Last(value),
        6 => Reducer::Collect(value),
        7 => Reducer::Distinct(value),
        8 => Reducer::CountDistinct(value),
        9 if is_number => Reducer::Sum(value),
        10 if is_number => Reducer::Average(value),
        12 if is_number => {
            let at = random.pick(&["0", "0.25", "0.5", "0.9", "1", "0.333"]);
            Reducer::Quantile(value, at.to_owned())
        }
        // Small numbers, whose sums are no overflow.
        _ if is_number && !value.is_computed() => {
            let hundred = Value::Constant(Literal::Number("100".to_owned()));
            let small = Value::computed(value, Operator::Remainder, hundred);
            if random.chance(50) { Reducer::Sum(small) } else { Reducer::Deviation(small) }
        }
        _ => Reducer::Count,
    }
}

/// What a reducer is asked of: a path, metadata, or something computed.
fn value(random: &mut Random, schema: &NaiveSchema, language: &Language) -> Value {
    match random.below(100) {
        0..10 if !language.metadata.is_empty() => {
            Value::Path(Path::of_meta(random.pick(&language.metadata)))
        }
        10..30 if language.computed => loop {
            let value = extended::sum(random, language, 2);
            let zero = Value::Constant(Literal::Number("0".to_owned()));
            let as_filter = Filter::CompareValues(value.clone(), Comparison::Equal, zero);
            if !value.paths().is_empty() && as_filter.check(schema).is_ok() {
                return value;
            }
        },
        _ => Value::Path(Path::plain(random.pick(&VALUES))),
    }
}

/// Whether there are numbers among the values, and they may be asked for.
fn is_number(value: &Value, schema: &NaiveSchema) -> bool {
    let Value::Path(path) = value else { return true };
    let kind = path.meta().map(Meta::kind).or_else(|| schema.kind_of(path).cloned());
    matches!(kind, None | Some(Kind::Int | Kind::Float | Kind::Decimal | Kind::Datetime))
}

/// Whether the result is one value and not a sum that may be rounded in more than one way.
fn is_exact(reducer: &Reducer) -> bool {
    matches!(
        reducer,
        Reducer::Count
            | Reducer::CountOf(_)
            | Reducer::CountDistinct(_)
            | Reducer::Least(_)
            | Reducer::Greatest(_)
    )
}

/// A filter over rows: of counts, or of keys.
fn having(
    random: &mut Random,
    schema: &NaiveSchema,
    keys: &[GroupKey],
    reductions: &[Reduction],
) -> Filter {
    let counts = reductions.iter().filter(|it| {
        matches!(it.reducer, Reducer::Count | Reducer::CountOf(_) | Reducer::CountDistinct(_))
    });
    let counts: Vec<String> = counts.filter_map(|it| it.name.clone()).collect();
    let signs = [Comparison::Greater, Comparison::LessOrEqual, Comparison::Equal];
    if !counts.is_empty() && random.chance(60) {
        let count = Literal::Number((1 + random.below(2)).to_string());
        return Filter::Compare(Path::plain(&random.pick(&counts)), random.pick(&signs), count);
    }
    let names = keys.iter().filter_map(|key| key.name.clone());
    let names: Vec<String> = names.chain(["r0".to_owned()]).collect();
    let name = Path::plain(&random.pick(&names));
    let plain = keys.iter().find(|key| {
        key.bucket.is_none() && key.path.meta().is_none() && key.name == Some(name.text())
    });
    match plain {
        Some(key) if random.chance(60) => {
            let literal = literal(&key.path, Nature::Number, schema, random);
            let sign = random.pick(&signs);
            let of_documents = Filter::Compare(key.path.clone(), sign, literal.clone());
            if of_documents.check(schema).is_ok() {
                return Filter::Compare(name, sign, literal);
            }
            Filter::IsMissing(name)
        }
        _ if random.chance(50) => Filter::IsMissing(name),
        _ => Filter::Not(Box::new(Filter::IsNull(name))),
    }
}

//! Indexes that are declared by themselves, and questions that meet them.

use super::extended::Language;
use super::{PATHS, Random, STRINGS, filter, filter_in, literal};
use crate::naive::{
    Comparison, Filter, Kind, Literal, NaiveIndex, NaiveNamed, NaiveSchema, OrderBy, Path, Step,
    TextTest, operand,
};

/// Declares up to so many of them, over the fields that are declared and others.
pub fn declare(random: &mut Random, schema: &mut NaiveSchema, most: usize, unique: bool) {
    for at in 0..random.below(most + 1) {
        let mut index = if random.chance(25) { substring(random, schema) } else { None };
        if index.is_none() {
            index = Some(compound(random, schema, unique));
        }
        if let Some(mut index) = index {
            index.name = format!("i{at}");
            if random.chance(35) {
                index.filter = Some(part(random, schema));
            }
            schema.indexes.push(index);
        }
    }
}

fn named(on: Vec<OrderBy>, kind: NaiveIndex) -> NaiveNamed {
    NaiveNamed {
        name: String::new(),
        on,
        kind,
        unique: false,
        nulls_not_distinct: false,
        filter: None,
    }
}

fn on(random: &mut Random, path: &str) -> OrderBy {
    OrderBy { path: Path::plain(path), descending: random.chance(35) }
}

/// An index of the parts of strings, if a path with strings is drawn.
fn substring(random: &mut Random, schema: &NaiveSchema) -> Option<NaiveNamed> {
    let path = random.pick(&["s", "s", "o.y.z", "o.items[*].sku", "tags[*]", "tags", "none"]);
    let (_, kind) = schema.indexed(&Path::plain(path));
    let has_strings = matches!(kind, None | Some(Kind::String | Kind::Nocase | Kind::Json));
    let on = OrderBy { path: Path::plain(path), descending: false };
    has_strings.then(|| named(vec![on], NaiveIndex::Substring))
}

/// An index over one to three paths.
fn compound(random: &mut Random, schema: &NaiveSchema, unique: bool) -> NaiveNamed {
    let count = random.pick(&[1, 2, 2, 2, 3]);
    let mut paths: Vec<OrderBy> = Vec::new();
    while paths.len() < count {
        let (path, _) = random.pick(&PATHS);
        let drawn = on(random, path);
        let is_multiple = |by: &OrderBy| schema.indexed(&by.path).0.is_multiple();
        let has_several = paths.iter().any(is_multiple);
        // One element of an array is not indexed.
        let is_element = drawn.path.0.iter().any(|step| matches!(step, Step::Index(_)));
        let is_there = paths.iter().any(|by| by.path == drawn.path);
        if !(is_there || is_element || has_several && is_multiple(&drawn)) {
            paths.push(drawn);
        }
    }
    let is_set = count == 1 && random.chance(30);
    if is_set {
        paths[0].descending = false;
    }
    let mut index = named(paths, if is_set { NaiveIndex::Set } else { NaiveIndex::Sorted });
    index.unique = unique && count > 1 && random.chance(40);
    index.nulls_not_distinct = index.unique && random.chance(40);
    index
}

/// A filter that decides by the document alone.
fn part(random: &mut Random, schema: &NaiveSchema) -> Filter {
    let language = Language { computed: true, elements: true, ..Language::default() };
    loop {
        let drawn = if random.chance(70) {
            filter(random, schema, 0)
        } else {
            filter_in(random, schema, 1, &language)
        };
        if !drawn.to_text().contains("_valid") {
            return drawn;
        }
    }
}

/// A filter and an order such as one of the declared indexes is for; none where there is no such index.
pub fn question(random: &mut Random, schema: &NaiveSchema) -> Option<(Filter, Vec<OrderBy>)> {
    if schema.indexes.is_empty() {
        return None;
    }
    let index = random.pick(&schema.indexes);
    let mut parts: Vec<Filter> = index.filter.iter().cloned().collect();
    let mut order = Vec::new();
    if index.kind == NaiveIndex::Substring {
        parts.push(of_text(random, schema, &schema.indexed(&index.on[0].path).0));
    } else {
        let fixed = random.below(index.on.len() + 1);
        for by in &index.on[..fixed] {
            parts.extend(of_value(random, schema, &by.path, true));
        }
        if let Some(by) = index.on.get(fixed).filter(|_| random.chance(50)) {
            parts.extend(of_value(random, schema, &by.path, false));
        }
        let is_turned = random.chance(50);
        order = index.on[fixed.min(index.on.len() - 1)..].to_vec();
        for by in &mut order {
            by.path = schema.indexed(&by.path).0;
            by.descending ^= is_turned;
        }
        order.truncate(1 + random.below(3));
    }
    if parts.is_empty() || random.chance(25) {
        parts.push(filter(random, schema, 1));
    }
    Some((Filter::And(parts), order))
}

fn of_text(random: &mut Random, schema: &NaiveSchema, path: &Path) -> Filter {
    loop {
        let test = random.pick(&TextTest::ALL);
        let whole = random.pick(&STRINGS);
        let asked = Literal::String(operand::draw(test, whole, random));
        let drawn = Filter::Text(path.clone(), test, asked);
        if drawn.check(schema).is_ok() {
            return drawn;
        }
    }
}

/// What asks one value or a few, or a range; none where the type of the path takes none.
fn of_value(
    random: &mut Random,
    schema: &NaiveSchema,
    path: &Path,
    is_fixed: bool,
) -> Option<Filter> {
    let text = path.text();
    let (_, nature) = PATHS.iter().find(|(name, _)| *name == text).copied()?;
    let (whole, _) = schema.indexed(path);
    let value = |random: &mut Random| literal(&whole, nature, schema, random);
    let drawn = match random.below(10) {
        0 if is_fixed => Filter::IsNull(whole.clone()),
        1 if is_fixed => Filter::IsMissing(whole.clone()),
        2 | 3 if is_fixed => {
            Filter::In(whole.clone(), (0..=random.below(4)).map(|_| value(random)).collect())
        }
        _ if is_fixed => Filter::Compare(whole.clone(), Comparison::Equal, value(random)),
        0 | 1 => Filter::Between(whole.clone(), value(random), value(random)),
        2 if matches!(schema.kind_of(&whole), None | Some(Kind::String | Kind::Nocase)) => {
            of_text(random, schema, &whole)
        }
        at => {
            let signs = [
                Comparison::Less,
                Comparison::LessOrEqual,
                Comparison::Greater,
                Comparison::GreaterOrEqual,
            ];
            Filter::Compare(whole.clone(), signs[at % 4], value(random))
        }
    };
    drawn.check(schema).is_ok().then_some(drawn)
}

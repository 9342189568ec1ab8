//! `DOC.AGGREGATE`: documents put into groups, a row for each.

use std::cmp::Ordering;

use bigdecimal::BigDecimal;

use super::{
    filter::Filter,
    json::Json,
    meta::{Facts, Scope},
    model::{NaiveCollection, distinct_values},
    order::compare,
    path::{Path, Step},
    reduce::{Overflow, Reducer, show},
    schema::{Kind, NaiveField, NaiveSchema},
    time::{self, Width},
    value::{Number, Scalar, decimal, is_decimal, scalar},
};

/// What documents are put into groups by.
#[derive(Clone, Debug)]
pub struct GroupKey {
    /// The path of the key, or of what is put into buckets.
    pub path: Path,
    /// The width of the buckets.
    pub bucket: Option<Width>,
    /// The name of the key in rows, if not its text.
    pub name: Option<String>,
}

/// A reducer and the name of its result.
#[derive(Clone, Debug)]
pub struct Reduction {
    /// What is computed.
    pub reducer: Reducer,
    /// The name of the result in rows, if not its text.
    pub name: Option<String>,
}

/// One name of ORDER over rows.
#[derive(Clone, Debug)]
pub struct RowOrder {
    /// The name of a key or of a result.
    pub name: String,
    /// Whether greater values come first.
    pub descending: bool,
}

/// An aggregate.
#[derive(Clone, Debug, Default)]
pub struct Aggregate {
    /// Which documents.
    pub filter: Option<Filter>,
    /// What groups them.
    pub keys: Vec<GroupKey>,
    /// What is computed of each group.
    pub reductions: Vec<Reduction>,
    /// Which rows.
    pub having: Option<Filter>,
    /// How rows are sorted.
    pub order: Vec<RowOrder>,
    /// From which row on, and how many at most.
    pub limit: Option<(usize, usize)>,
}

impl GroupKey {
    /// As the language writes it.
    pub fn text(&self) -> String {
        match &self.bucket {
            Some(width) => format!("bucket({}, {})", self.path.text(), width.text()),
            None => self.path.text(),
        }
    }

    /// The name in rows.
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.text())
    }

    /// The type of the values in rows.
    fn kind(&self, collection: &NaiveCollection) -> Option<Kind> {
        let kind = collection.kind_of(&self.path);
        match &self.bucket {
            None => kind,
            Some(Width::Number(_)) => kind.filter(|kind| *kind == Kind::Decimal),
            Some(_) => Some(Kind::Datetime),
        }
    }

    /// The groups that a document is in, missing values among them.
    fn values(&self, scope: &Scope<'_>, collection: &NaiveCollection) -> Vec<Option<Json>> {
        let kind = scope.kind_of(&self.path);
        let values = scope.shown_values(&self.path).into_iter();
        let values: Vec<Option<Json>> = match &self.bucket {
            None => values.map(Some).collect(),
            Some(width) => values.map(|value| bucket(&value, kind.as_ref(), width)).collect(),
        };
        let has_missing = values.is_empty() || values.contains(&None);
        let present = values.into_iter().flatten().collect();
        let present = distinct_values(present, self.kind(collection).as_ref());
        let missing = has_missing.then_some(None);
        missing.into_iter().chain(present.into_iter().map(Some)).collect()
    }
}

/// The beginning of the bucket that a value lies in, as it stands in a row.
fn bucket(value: &Json, kind: Option<&Kind>, width: &Width) -> Option<Json> {
    let open = matches!(kind, None | Some(Kind::Json));
    if let Width::Number(_) = width {
        return match scalar(value, kind)? {
            // Digit for digit, whatever the nearest double is.
            Scalar::Number(_) => {
                let Json::Number(text) = value else { return None };
                let beginning = width.beginning(&decimal(text)?)?.normalized();
                Some(Json::Number(beginning.to_string()))
            }
            Scalar::Decimal(exact) => {
                Some(Json::String(width.beginning(&exact)?.normalized().to_plain_string()))
            }
            _ => None,
        };
    }
    match scalar(value, if open { Some(&Kind::Datetime) } else { kind })? {
        Scalar::Instant(nanoseconds) => {
            time::text(&width.beginning(&time::from_nanoseconds(nanoseconds))?).map(Json::String)
        }
        _ => None,
    }
}

impl Reduction {
    /// The name in rows.
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.reducer.text())
    }
}

impl Aggregate {
    /// How far the language fixes each member of a row.
    pub fn precisions(&self) -> Vec<(String, Precision)> {
        let of_key = |key: &GroupKey| match key.bucket {
            None => Precision::Text,
            Some(_) => Precision::Value,
        };
        let keys = self.keys.iter().map(|key| (key.name(), of_key(key)));
        let results = self.reductions.iter().map(|it| (it.name(), it.reducer.precision()));
        keys.chain(results).collect()
    }

    /// The words that follow the collection's name, without parameters.
    pub fn arguments(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(filter) = &self.filter {
            words.extend(["WHERE".to_owned(), filter.to_text()]);
        }
        let named = |text: String, name: &Option<String>| {
            let name = name.iter().flat_map(|name| ["AS".to_owned(), name.clone()]);
            std::iter::once(text).chain(name).collect::<Vec<_>>()
        };
        if !self.keys.is_empty() {
            words.extend(["GROUP".to_owned(), self.keys.len().to_string()]);
            words.extend(self.keys.iter().flat_map(|key| named(key.text(), &key.name)));
        }
        words.extend(["REDUCE".to_owned(), self.reductions.len().to_string()]);
        for reduction in &self.reductions {
            words.extend(named(reduction.reducer.text(), &reduction.name));
        }
        if let Some(having) = &self.having {
            words.extend(["HAVING".to_owned(), having.to_text()]);
        }
        if !self.order.is_empty() {
            words.extend(["ORDER".to_owned(), self.order.len().to_string()]);
        }
        for by in &self.order {
            words.extend([by.name.clone(), (if by.descending { "DESC" } else { "ASC" }).into()]);
        }
        if let Some((offset, count)) = self.limit {
            words.extend(["LIMIT".to_owned(), offset.to_string(), count.to_string()]);
        }
        words
    }
}

/// The documents that have these keys, by birth.
struct Group<'a> {
    keys: Vec<Option<Json>>,
    members: Vec<Scope<'a>>,
}

impl NaiveCollection {
    /// `DOC.AGGREGATE`: the rows in order, each a JSON object.
    pub fn aggregate(&self, aggregate: &Aggregate, now_ms: i64) -> Result<Vec<Json>, Overflow> {
        let rows = self.by_birth(aggregate.filter.as_ref(), now_ms);
        let kinds: Vec<_> = aggregate.keys.iter().map(|key| key.kind(self)).collect();
        let mut groups: Vec<Group<'_>> = Vec::new();
        if aggregate.keys.is_empty() {
            groups.push(Group { keys: Vec::new(), members: Vec::new() });
        }
        for (document, facts) in &rows {
            let scope = self.scope(document, facts, now_ms);
            for keys in combinations(&aggregate.keys, &scope, self) {
                let is_it = |group: &&mut Group<'_>| {
                    compare_keys(&group.keys, &keys, &kinds) == Ordering::Equal
                };
                match groups.iter_mut().find(is_it) {
                    Some(group) => group.members.push(scope.clone()),
                    None => groups.push(Group { keys, members: vec![scope.clone()] }),
                }
            }
        }
        groups.sort_by(|left, right| compare_keys(&left.keys, &right.keys, &kinds));
        let (offset, count) = aggregate.limit.unwrap_or((0, usize::MAX));
        if aggregate.having.is_none() && aggregate.order.is_empty() {
            // Rows behind those that are asked for are nobody's overflow.
            groups.truncate(offset.saturating_add(count));
        }
        let row = |group: &Group<'_>| row(aggregate, group, &kinds);
        let mut found = groups.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let schema = self.row_schema(aggregate, now_ms);
        let facts = Facts::default();
        if let Some(having) = &aggregate.having {
            found.retain(|row| having.holds_in(&Scope::document(row, &schema, &facts, now_ms)));
        }
        // A stable sort: ties stand in the order of the keys.
        found.sort_by(|left, right| compare_rows(left, right, &aggregate.order, &schema));
        Ok(found.into_iter().skip(offset).take(count).collect())
    }

    /// The types of the members of rows, for HAVING and ORDER.
    fn row_schema(&self, aggregate: &Aggregate, now_ms: i64) -> NaiveSchema {
        let facts = Facts::default();
        let scope = Scope::document(&Json::Null, &self.schema, &facts, now_ms);
        let keys = aggregate.keys.iter().map(|key| (key.name(), key.kind(self)));
        let results = aggregate.reductions.iter();
        let results = results.map(|it| (it.name(), it.reducer.result_kind(&scope)));
        let fields = keys.chain(results).filter_map(|(name, kind)| {
            let mut field = NaiveField::new("x", kind?);
            field.path = Path(vec![Step::Name(name)]);
            Some(field)
        });
        NaiveSchema { fields: fields.collect(), strict: false, indexes: Vec::new() }
    }
}

/// Each combination of the values of the keys; only one key has several.
fn combinations(
    keys: &[GroupKey],
    scope: &Scope<'_>,
    collection: &NaiveCollection,
) -> Vec<Vec<Option<Json>>> {
    let mut found = vec![Vec::new()];
    for key in keys {
        let values = key.values(scope, collection);
        found = found
            .iter()
            .flat_map(|before: &Vec<Option<Json>>| {
                values.iter().map(|value| [before.clone(), vec![value.clone()]].concat())
            })
            .collect();
    }
    found
}

fn compare_keys(left: &[Option<Json>], right: &[Option<Json>], kinds: &[Option<Kind>]) -> Ordering {
    let pairs = left.iter().zip(right).zip(kinds);
    pairs
        .map(|((left, right), kind)| compare(left.as_ref(), right.as_ref(), kind.as_ref()))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn row(aggregate: &Aggregate, group: &Group<'_>, kinds: &[Option<Kind>]) -> Result<Json, Overflow> {
    let mut members = Vec::new();
    for ((key, value), kind) in aggregate.keys.iter().zip(&group.keys).zip(kinds) {
        members.extend(value.as_ref().map(|value| (key.name(), show(value, kind.as_ref()))));
    }
    for reduction in &aggregate.reductions {
        members.push((reduction.name(), reduction.reducer.reduce(&group.members)?));
    }
    Ok(Json::Object(members))
}

fn compare_rows(left: &Json, right: &Json, order: &[RowOrder], schema: &NaiveSchema) -> Ordering {
    for by in order {
        let kind = schema.kind_of(&Path(vec![Step::Name(by.name.clone())]));
        let ordering = compare(left.member(&by.name), right.member(&by.name), kind);
        if ordering.is_ne() {
            return if by.descending { ordering.reverse() } else { ordering };
        }
    }
    Ordering::Equal
}

/// How far the language fixes what stands in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// To the letter: it stands as a document writes it, or it is a count.
    Text,
    /// Its value: numbers, decimals and instants may be written in more than one way.
    Value,
    /// Its value, or where a double went into it (the model writes an exponent then) a double near it.
    Near,
}

/// Whether rows that were found are those of the model, as far as the language fixes them. `precisions` are those of
/// [`Aggregate::precisions`].
pub fn rows_agree(expected: &[Json], found: &[Json], precisions: &[(String, Precision)]) -> bool {
    let of = |name: &String| {
        let known = precisions.iter().find(|(known, _)| known == name);
        known.map_or(Precision::Text, |(_, precision)| *precision)
    };
    let members_agree = |((name, left), (other, right)): (&(String, Json), &(String, Json))| {
        name == other && values_agree(left, right, of(name))
    };
    let rows_agree = |(expected, found): (&Json, &Json)| match (expected, found) {
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(members_agree)
        }
        _ => false,
    };
    expected.len() == found.len() && expected.iter().zip(found).all(rows_agree)
}

/// Whether values that were found are those of the model.
pub fn lists_agree(expected: &[Json], found: &[Json], precision: Precision) -> bool {
    let agree = |(left, right)| values_agree(left, right, precision);
    expected.len() == found.len() && expected.iter().zip(found).all(agree)
}

fn values_agree(expected: &Json, found: &Json, precision: Precision) -> bool {
    if precision == Precision::Text {
        return expected == found;
    }
    match (expected, found) {
        (Json::Number(left), Json::Number(right)) => {
            let is_rounded = precision == Precision::Near && left.contains('e');
            let (left, right) = (Number::read(left), Number::read(right));
            left == right || (is_rounded && are_near(left.double(), right.double()))
        }
        (Json::String(left), Json::String(right)) if is_decimal(left) && is_decimal(right) => {
            let value = |text: &str| -> Option<BigDecimal> { decimal(text) };
            value(left) == value(right)
        }
        (Json::Array(left), Json::Array(right)) => lists_agree(left, right, precision),
        (Json::Object(left), Json::Object(right)) => {
            let agree = |(name, value): &(String, Json)| {
                found.member(name).is_some_and(|found| values_agree(value, found, precision))
            };
            left.len() == right.len() && left.iter().all(agree)
        }
        (left, right) => left == right,
    }
}

/// Whether two doubles are one but for the rounding of a few steps.
fn are_near(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-14 * left.abs().max(right.abs())
}

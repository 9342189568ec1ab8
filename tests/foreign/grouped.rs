//! Groups and distinct values: `GROUP BY` with counts, sums, means and extremes, `HAVING`, `DISTINCT`.
//!
//! A value comes as its rank, its number and its text, as the tables have it. So does an extreme: the extreme rank says of
//! which kind it is, and the extreme number and text which value of that kind.

use std::str::FromStr;

use bigdecimal::{BigDecimal, ToPrimitive};
use folio_tests::engine::Engine as Folio;
use folio_tests::generate::Random;
use folio_tests::naive::filter_text::FilterText;
use folio_tests::naive::{
    Aggregate, Comparison, Filter, GroupKey, Json, Literal, NaiveSchema, Path, Reducer, Reduction,
    Value,
};

use super::draw::filter;
use super::sql::{Columns, Fault, Translation};

/// A row of an answer. All columns are cast to text, or null.
pub type Row = Vec<Option<String>>;

/// What is grouped by, at most one of them with `[*]`.
const KEYS: [&str; 9] = ["n", "x", "s", "b", "o.n", "o.s", "a[1]", "a[*]", "o.l[*].k"];
/// What is computed of.
const VALUES: [&str; 6] = ["n", "x", "s", "b", "o.n", "o.s"];
const SUMMED: &str = "x";

/// What is asked.
#[derive(Debug)]
pub enum Grouped {
    /// DISTINCT of a path.
    Distinct(FilterText, Filter, Path),
    /// An aggregate, with its filter as Folio is asked it.
    Aggregate(FilterText, Aggregate),
}

impl Grouped {
    pub fn draw(schema: &NaiveSchema, random: &mut Random) -> Self {
        let mut filter = filter(schema, 1, random);
        if random.chance(25) {
            let text = filter.to_text_with_params(random);
            return Self::Distinct(text, filter, Path::plain(random.pick(&KEYS)));
        }
        let mut keys: Vec<GroupKey> = Vec::new();
        for at in 0..random.below(3) {
            let path = Path::plain(random.pick(&KEYS));
            let has_several = keys.iter().any(|key| key.path.is_multiple());
            if !(has_several && path.is_multiple()) {
                keys.push(GroupKey { path, bucket: None, name: Some(format!("k{at}")) });
            }
        }
        let reduction = |(at, reducer)| Reduction { reducer, name: Some(format!("r{at}")) };
        let reducers = (0..2).map(|_| reducer(random));
        let reducers: Vec<Reducer> = std::iter::once(Reducer::Count).chain(reducers).collect();
        let is_sum = |it: &Reducer| matches!(it, Reducer::Sum(_) | Reducer::Average(_));
        if reducers.iter().any(is_sum) {
            filter = Filter::And(vec![filter, summable()]);
        }
        let text = filter.to_text_with_params(random);
        let least = Literal::Number((1 + random.below(3)).to_string());
        let having = Filter::Compare(Path::plain("r0"), Comparison::GreaterOrEqual, least);
        Self::Aggregate(
            text,
            Aggregate {
                filter: Some(filter),
                keys,
                reductions: reducers.into_iter().enumerate().map(reduction).collect(),
                having: random.chance(40).then_some(having),
                ..Aggregate::default()
            },
        )
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Distinct(..) => "DISTINCT",
            Self::Aggregate(_, aggregate) if aggregate.having.is_some() => "HAVING",
            Self::Aggregate(_, aggregate) if aggregate.keys.is_empty() => "one group",
            Self::Aggregate(..) => "GROUP",
        }
    }

    /// The statement; none where the engine cannot express the filter.
    pub fn statement(&self, translation: Translation) -> Option<String> {
        match self {
            Self::Distinct(_, filter, path) => {
                let filter = translation.filter(filter)?;
                let (from, columns) = source(path);
                let Columns { rank, number, text } = columns;
                Some(format!(
                    "SELECT {} FROM (SELECT DISTINCT {rank} AS rank, {number} AS number, {text} AS text \
                     FROM {from} WHERE {filter} AND {rank} > 0) AS found ORDER BY rank, number, text;",
                    cast(&["rank", "number", "text"])
                ))
            }
            Self::Aggregate(_, aggregate) => self::aggregate(translation, aggregate),
        }
    }

    /// What Folio says otherwise than the rows of the answer.
    pub fn difference(&self, folio: Folio<'_>, answer: &[Row]) -> Option<String> {
        match self {
            Self::Distinct(text, _, path) => {
                let found = folio.distinct(path, Some(text));
                let agree = found.len() == answer.len()
                    && found.iter().zip(answer).all(|(value, row)| is_value(Some(value), row));
                (!agree).then(|| format!("DISTINCT {}: {found:?}", path.text()))
            }
            Self::Aggregate(text, aggregate) => {
                let found = folio.aggregate(aggregate, Some(text));
                let agree = found.as_ref().is_ok_and(|found| {
                    found.len() == answer.len()
                        && found
                            .iter()
                            .zip(answer)
                            .all(|(row, other)| is_row(aggregate, row, other))
                });
                (!agree).then(|| format!("{}: {found:?}", aggregate.arguments().join(" ")))
            }
        }
    }
}

fn reducer(random: &mut Random) -> Reducer {
    let value = Value::Path(Path::plain(random.pick(&VALUES)));
    let summed = Value::Path(Path::plain(SUMMED));
    match random.below(6) {
        0 => Reducer::CountOf(value),
        1 => Reducer::CountDistinct(value),
        2 => Reducer::Least(value),
        3 => Reducer::Greatest(value),
        4 => Reducer::Sum(summed),
        _ => Reducer::Average(summed),
    }
}

/// Numbers whose sum no engine has to round much.
fn summable() -> Filter {
    let bound = |text: &str| Literal::Number(text.to_owned());
    Filter::Between(Path::plain(SUMMED), bound("-1000000000"), bound("1000000000"))
}

/// Where the values of a path come from, a row for each; those of an array once each, and a missing one where it has none.
fn source(path: &Path) -> (String, Columns) {
    let name = path.text();
    if !path.is_multiple() {
        return ("\"values\"".to_owned(), Columns::of(&format!("{name} ")));
    }
    let from = format!(
        "\"values\" LEFT JOIN (SELECT DISTINCT id AS element_id, rank AS element_rank, \
         number AS element_number, text AS element_text FROM elements WHERE path = '{name}') \
         AS element ON element_id = id"
    );
    let rank = "coalesce(element_rank, 0)".to_owned();
    let (number, text) = ("element_number".to_owned(), "element_text".to_owned());
    (from, Columns { rank, number, text })
}

fn cast(columns: &[&str]) -> String {
    // Each under a name of its own: an answer of DuckDB is a map.
    let cast = |(at, column): (usize, &&str)| format!("CAST({column} AS VARCHAR) AS c{at}");
    columns.iter().enumerate().map(cast).collect::<Vec<_>>().join(", ")
}

fn aggregate(translation: Translation, aggregate: &Aggregate) -> Option<String> {
    let filter = translation.filter(aggregate.filter.as_ref()?)?;
    let multiple = aggregate.keys.iter().find(|key| key.path.is_multiple());
    let from = multiple.map_or("\"values\"".to_owned(), |key| source(&key.path).0);
    let keys: Vec<String> = aggregate
        .keys
        .iter()
        .flat_map(|key| {
            let Columns { rank, number, text } = source(&key.path).1;
            [rank, number, text]
        })
        .collect();
    let results = aggregate.reductions.iter().flat_map(|it| result(translation, &it.reducer));
    let columns: Vec<String> = keys.iter().cloned().chain(results).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let having = match &aggregate.having {
        Some(Filter::Compare(_, _, Literal::Number(least))) => {
            format!(" HAVING count(*) >= {least}")
        }
        _ => String::new(),
    };
    let (group, order) = if keys.is_empty() {
        (String::new(), String::new())
    } else {
        let keys = keys.join(", ");
        (format!(" GROUP BY {keys}"), format!(" ORDER BY {keys}"))
    };
    Some(format!("SELECT {} FROM {from} WHERE {filter}{group}{having}{order};", cast(&columns)))
}

/// The columns of a result.
fn result(translation: Translation, reducer: &Reducer) -> Vec<String> {
    let Some(Value::Path(path)) = reducer.value() else { return vec!["count(*)".to_owned()] };
    let Columns { rank, number, text } = source(path).1;
    // What is missing has the rank 0, null the rank 1.
    let least = u8::from(translation.fault != Some(Fault::CountsNulls));
    let present = format!("CASE WHEN {rank} > {least} THEN {rank} END");
    let extreme =
        |name: &str| [&present, &number, &text].map(|column| format!("{name}({column})")).to_vec();
    match reducer {
        Reducer::CountOf(_) => vec![format!("count({present})")],
        Reducer::CountDistinct(_) => vec![format!(
            "count(DISTINCT {number}) + count(DISTINCT {text}) \
             + count(DISTINCT CASE WHEN {rank} IN (2, 3, 6, 7) THEN {rank} END)"
        )],
        Reducer::Least(_) => extreme("min"),
        Reducer::Greatest(_) => extreme("max"),
        Reducer::Sum(_) => vec![format!("coalesce(sum({number}), 0)")],
        Reducer::Average(_) => vec![format!("avg({number})")],
        other => unreachable!("{other:?} is of Folio alone"),
    }
}

fn is_row(aggregate: &Aggregate, found: &Json, row: &Row) -> bool {
    let mut rest = row.as_slice();
    let mut take = |count: usize| {
        let (taken, others) = rest.split_at(count);
        rest = others;
        taken
    };
    let keys = aggregate.keys.iter().all(|key| is_value(found.member(&key.name()), take(3)));
    keys && aggregate.reductions.iter().all(|it| {
        let value = found.member(&it.name());
        match it.reducer {
            Reducer::Least(_) | Reducer::Greatest(_) => is_value(value, take(3)),
            Reducer::Sum(_) | Reducer::Average(_) => is_near(value, take(1)[0].as_deref()),
            _ => is_number(value, take(1)[0].as_deref()),
        }
    })
}

/// Whether a value is the one that has this rank, number and text. An extreme of none has no rank, and is null.
fn is_value(value: Option<&Json>, cells: &[Option<String>]) -> bool {
    let [rank, number, text] = cells else { return false };
    match (rank.as_deref(), value) {
        (Some("0"), None)
        | (Some("1") | None, Some(Json::Null))
        | (Some("2"), Some(Json::Bool(false)))
        | (Some("3"), Some(Json::Bool(true)))
        | (Some("6"), Some(Json::Array(_)))
        | (Some("7"), Some(Json::Object(_))) => true,
        (Some("4"), value @ Some(Json::Number(_))) => is_number(value, number.as_deref()),
        (Some("5"), Some(Json::String(string))) => text.as_ref() == Some(string),
        _ => false,
    }
}

fn is_number(value: Option<&Json>, cell: Option<&str>) -> bool {
    let (Some(Json::Number(value)), Some(cell)) = (value, cell) else { return false };
    BigDecimal::from_str(value).ok() == BigDecimal::from_str(cell).ok()
}

/// Whether a number is the other but for the rounding of sums.
fn is_near(value: Option<&Json>, cell: Option<&str>) -> bool {
    let double = |text: &str| BigDecimal::from_str(text).ok()?.to_f64();
    match (value, cell) {
        (Some(Json::Null), None) => true,
        (Some(Json::Number(value)), Some(cell)) => {
            let Some((left, right)) = double(value).zip(double(cell)) else { return false };
            (left - right).abs() <= 1e-12 * left.abs().max(right.abs()).max(1.0)
        }
        _ => false,
    }
}

//! The engine against `SQLite` and `DuckDB`, over what all three know: random documents, random questions, the same answers.
//!
//! `QUERIES` sets how many questions are asked (60,000), `SEED` repeats a run. What differs by design, and how the
//! translation accounts for it, stands in docs/testing.md, "Foreign engines".

mod draw;
mod duckdb;
mod folio;
mod grouped;
mod sql;
mod sqlite;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, panic, thread};

use draw::{Collection, Question};
use folio::Folio;
use folio_tests::generate::Random;
use folio_tests::naive::{Comparison, Filter, Json};
use grouped::{Grouped, Row};
use sql::{Engine, Fault, Translation};

/// Questions to one collection.
const ROUND: usize = 300;
/// Questions to one collection about groups.
const GROUPED: usize = 60;
/// What has to happen, each in one of so many questions at least.
const KINDS: [&str; 35] = [
    "AND",
    "OR",
    "NOT",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "BETWEEN",
    "IN",
    "HAS",
    "HAS ANY",
    "HAS ALL",
    "StartsWith",
    "EndsWith",
    "Contains",
    "Like",
    "Ilike",
    "Matches",
    "IS NULL",
    "IS MISSING",
    "IS TRUE",
    "IS FALSE",
    "path",
    "[*]",
    "ORDER",
    "ORDER in mixed directions",
    "LIMIT",
    "some match",
    "all or none match",
    "DISTINCT",
    "GROUP",
    "HAVING",
    "one group",
];
const SELDOM: usize = 250;

/// How often each kind of thing happened.
type Tally = BTreeMap<&'static str, usize>;

fn queries() -> usize {
    env::var("QUERIES").ok().and_then(|count| count.parse().ok()).unwrap_or(60_000)
}

#[test]
fn the_engine_answers_as_sqlite_and_duckdb_do() {
    let mut random = Random::from_environment();
    let queries = queries();
    let seeds: Vec<u64> = (0..queries.div_ceil(ROUND)).map(|_| random.bits()).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut tally = Tally::new();
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            round(*seed, &Engine::ALL, None, &mut tally)?;
        }
        Ok::<Tally, String>(tally)
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let tallies: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let mut tally = Tally::new();
    for result in tallies {
        let part = result.unwrap_or_else(|payload| panic::resume_unwind(payload));
        for (kind, count) in part.unwrap_or_else(|difference| panic!("{difference}")) {
            *tally.entry(kind).or_insert(0) += count;
        }
    }
    let asked = seeds.len() * ROUND;
    println!("{asked} questions: {tally:?}");
    // A run in which something never happened has not tested it.
    for kind in KINDS {
        let count = tally.get(kind).copied().unwrap_or(0);
        assert!(count * SELDOM >= asked, "{kind} happened {count} times in {asked}");
    }
}

#[test]
fn planted_faults_are_found() {
    for (engine, fault) in Engine::ALL.into_iter().flat_map(|e| Fault::ALL.map(|f| (e, f))) {
        let mut tally = Tally::new();
        let find = |seed| round(seed, &[engine], Some(fault), &mut tally).err();
        let found = (0..20).find_map(find);
        let difference = found.unwrap_or_else(|| panic!("{engine:?} passed with {fault:?}"));
        let signs: &[&str] = match fault {
            Fault::LessForLessOrEqual => &["LessOrEqual", "Between"],
            Fault::TiesAscending => &["descending: true"],
            Fault::CountsNulls => &["count(", "min("],
        };
        let is_it = signs.iter().any(|sign| difference.contains(sign));
        assert!(is_it, "{fault:?} has nothing to do with it: {difference}");
    }
}

/// Asks these engines the same questions to one collection, and gives the first difference.
fn round(
    seed: u64,
    engines: &[Engine],
    fault: Option<Fault>,
    tally: &mut Tally,
) -> Result<(), String> {
    let mut random = Random::new(seed);
    let collection = Collection::draw(&mut random);
    let questions: Vec<Question> =
        (0..ROUND).map(|_| Question::draw(&collection.schema, &mut random)).collect();
    let grouped: Vec<Grouped> =
        (0..GROUPED).map(|_| Grouped::draw(&collection.schema, &mut random)).collect();
    let folio = Folio::holding(&collection);
    for &engine in engines {
        let translation = Translation { engine, fault };
        let translated = questions
            .iter()
            .filter_map(|question| Some((question, translation.question(question)?)));
        let (asked, statements): (Vec<&Question>, Vec<String>) = translated.unzip();
        let ask = match engine {
            Engine::Sqlite => sqlite::ask,
            Engine::DuckDb => duckdb::ask,
        };
        let about_groups = grouped
            .iter()
            .filter_map(|question| Some((question, question.statement(translation)?)));
        let (about_groups, more): (Vec<&Grouped>, Vec<String>) = about_groups.unzip();
        let all = [statements.as_slice(), more.as_slice()].concat();
        let answers = ask(&collection.documents, &all);
        let (answers, of_groups) = answers.split_at(statements.len());
        let answers: Vec<Vec<usize>> = answers.iter().map(|rows| ids(rows)).collect();
        let told = |difference: String, filter: &dyn std::fmt::Debug, statement: &str| {
            let documents: Vec<String> = collection.documents.iter().map(Json::print).collect();
            format!(
                "{engine:?}, round {seed}: {difference}\n{filter:?}\n{statement}\n{:?}\n{}",
                collection.schema,
                documents.join("\n")
            )
        };
        for ((question, statement), answer) in asked.iter().zip(&statements).zip(&answers) {
            compare(&folio, question, answer)
                .map_err(|difference| told(difference, &question.filter, statement))?;
        }
        for ((question, statement), answer) in about_groups.iter().zip(&more).zip(of_groups) {
            if let Some(found) = question.difference(folio.engine(), answer) {
                let difference = format!("Folio finds {found}\nthe other {answer:?}");
                return Err(told(difference, question, statement));
            }
        }
        let name = match engine {
            Engine::Sqlite => "asked of SQLite",
            Engine::DuckDb => "asked of DuckDB",
        };
        *tally.entry(name).or_insert(0) += asked.len();
        if engine == Engine::DuckDb {
            asked.iter().zip(&answers).for_each(|(question, answer)| {
                count(question, answer.len(), collection.documents.len(), tally);
            });
            for question in &about_groups {
                *tally.entry(question.kind()).or_insert(0) += 1;
            }
        }
    }
    Ok(())
}

/// The ids of rows that have nothing else.
fn ids(rows: &[Row]) -> Vec<usize> {
    let id = |row: &Row| row.first()?.as_ref()?.parse().ok();
    rows.iter().map(|row| id(row).expect("an id stands in each row")).collect()
}

/// Compares what Folio says with the ids of all that match, in order.
fn compare(folio: &Folio, question: &Question, answer: &[usize]) -> Result<(), String> {
    let found = folio.ask(question);
    let (offset, most) = question.page.unwrap_or((0, usize::MAX));
    let page: Vec<usize> = answer.iter().skip(offset).take(most).copied().collect();
    if found.rows == page && found.total == answer.len() && found.count == answer.len() {
        return Ok(());
    }
    Err(format!(
        "WHERE {} {:?} ORDER {:?} LIMIT {:?}\nFolio finds {:?} of {}, counts {}\nthe other {page:?} of {}",
        question.text.text,
        question.text.params,
        question.order,
        question.page,
        found.rows,
        found.total,
        found.count,
        answer.len(),
    ))
}

fn count(question: &Question, matched: usize, documents: usize, tally: &mut Tally) {
    let mut add = |kind: &'static str| *tally.entry(kind).or_insert(0) += 1;
    add(if matched == 0 || matched == documents { "all or none match" } else { "some match" });
    if let [first, rest @ ..] = &question.order[..] {
        add("ORDER");
        if rest.iter().any(|by| by.descending != first.descending) {
            add("ORDER in mixed directions");
        }
    }
    if question.page.is_some() {
        add("LIMIT");
    }
    if question.filter.to_text().contains("[*]") {
        add("[*]");
    }
    let mut left = vec![&question.filter];
    while let Some(filter) = left.pop() {
        add(kind(filter));
        match filter {
            Filter::And(parts) | Filter::Or(parts) => left.extend(parts),
            Filter::Not(part) => left.push(part),
            _ => {}
        }
    }
}

fn kind(filter: &Filter) -> &'static str {
    match filter {
        Filter::And(_) => "AND",
        Filter::Or(_) => "OR",
        Filter::Not(_) => "NOT",
        Filter::Compare(_, comparison, _) => match comparison {
            Comparison::Equal => "=",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        },
        Filter::Between(..) => "BETWEEN",
        Filter::In(..) => "IN",
        Filter::Has(..) => "HAS",
        Filter::HasAny(..) => "HAS ANY",
        Filter::HasAll(..) => "HAS ALL",
        Filter::Text(_, test, _) => KINDS
            .into_iter()
            .find(|kind| format!("{test:?}") == *kind)
            .unwrap_or("another test of strings"),
        Filter::IsNull(_) => "IS NULL",
        Filter::IsMissing(_) => "IS MISSING",
        Filter::IsBool(_, true) => "IS TRUE",
        Filter::IsBool(_, false) => "IS FALSE",
        Filter::Bare(_) => "path",
        other => unreachable!("{other:?} is of Folio alone"),
    }
}

//! Laws that hold of every collection, whatever the answers are: the engine in process against itself, with no model.
//!
//! | variable | sets |
//! |---|---|
//! | `CHECKS` | checks of each law (50,000) |
//! | `SEED` | repeats a run; printed first |

mod ask;
mod truth;

use std::env;
use std::panic::catch_unwind;

use folio_tests::generate::extended::Language;
use folio_tests::generate::{self, Random, aggregate, extended, indexed};
use folio_tests::naive::{Filter, Json, Meta, NaiveIndex, NaiveSchema};

use ask::{Asker, Question};

/// Documents of a collection.
const DOCUMENTS: usize = 40;
/// Checks over one collection before the next is drawn.
const ROUND: usize = 100;
/// Questions that are asked before a new declaration and after it.
const QUESTIONS: usize = 20;
/// A fault is found within so many checks.
const FAULT_WITHIN: usize = 2_000;

/// A law: a check of a collection.
type Law = fn(&mut Random, &Case);

/// A collection, as one that has indexes and as one that has none.
struct Case {
    schema: NaiveSchema,
    documents: Vec<Json>,
    indexed: Asker,
    bare: Asker,
}

impl Case {
    fn draw(random: &mut Random, is_faulty: bool) -> Self {
        let count = random.below(4);
        let mut schema = generate::schema(random, count);
        indexed::declare(random, &mut schema, 3, false);
        let documents: Vec<Json> =
            (0..DOCUMENTS).map(|_| generate::document(random, &schema)).collect();
        let indexed = Asker::new(&schema, &documents, is_faulty);
        let bare = Asker::new(&without_indexes(&schema), &documents, false);
        Self { schema, documents, indexed, bare }
    }

    fn filter(&self, random: &mut Random) -> Filter {
        match indexed::question(random, &self.schema) {
            Some((filter, _)) if random.chance(40) => filter,
            _ => generate::filter_in(random, &self.schema, 2, &language()),
        }
    }

    fn question(&self, random: &mut Random) -> Question {
        let (filter, order) = match indexed::question(random, &self.schema) {
            Some(drawn) if random.chance(50) => drawn,
            _ => {
                let filter = self.filter(random);
                (filter, extended::order_in(random, &self.schema, &language()))
            }
        };
        let limit = random.chance(50).then(|| (random.below(4), 1 + random.below(12)));
        Question {
            filter: filter.to_text_with_params(random),
            order,
            limit,
            distinct: aggregate::distinct(random, &self.schema, &language()),
            aggregate: aggregate::aggregate(random, &self.schema, &language()),
        }
    }
}

/// The whole language; of metadata those that a document keeps through a new declaration.
fn language() -> Language {
    let metadata = vec![Meta::Key, Meta::Id, Meta::Valid];
    Language { now: false, metadata, ..Language::whole() }
}

fn without_indexes(schema: &NaiveSchema) -> NaiveSchema {
    let mut bare = NaiveSchema { indexes: Vec::new(), ..schema.clone() };
    for field in &mut bare.fields {
        field.index = None;
    }
    bare
}

/// |q| = |q AND p| + |q AND NOT p|
fn complement(random: &mut Random, case: &Case) {
    let (q, p) = (case.filter(random), case.filter(random));
    let with = Filter::And(vec![q.clone(), p.clone()]).to_text_with_params(random);
    let without =
        Filter::And(vec![q.clone(), Filter::Not(Box::new(p))]).to_text_with_params(random);
    let q = q.to_text_with_params(random);
    let [all, some, others] = [&q, &with, &without].map(|text| case.indexed.count(text));
    assert_eq!(all, some + others, "{q:?} is {all}, {with:?} {some}, {without:?} {others}");
}

fn indexed_or_not(random: &mut Random, case: &Case) {
    let question = case.question(random);
    question.check_same(&case.indexed, &case.bare);
}

/// The collection is declared anew, with other indexes or with one less.
fn come_and_go(random: &mut Random, case: &Case) {
    let mut other = case.schema.clone();
    if random.chance(50) {
        other.indexes.clear();
        indexed::declare(random, &mut other, 3, false);
    } else if let Some(field) = other.fields.first_mut() {
        let has_none = field.index.is_none();
        field.index = has_none.then_some(NaiveIndex::Sorted);
    }
    let mut asker = Asker::new(&case.schema, &case.documents, case.indexed.is_faulty);
    let questions: Vec<Question> = (0..QUESTIONS).map(|_| case.question(random)).collect();
    let before: Vec<_> = questions.iter().map(|question| question.ask(&asker)).collect();
    asker.is_faulty = false;
    asker.redeclare(&other);
    for (question, before) in questions.iter().zip(before) {
        before.check_same(&question.ask(&asker), question);
    }
}

fn pages(random: &mut Random, case: &Case) {
    let question = case.question(random);
    let whole = case.indexed.find(&question, None, None);
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = case.indexed.find(&question, Some((0, 1 + random.below(15))), after.as_ref());
        rows.extend(page.keys);
        after = page.cursor;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(rows, whole.keys, "{question:?}\n{}", whole.plan);
}

fn built_true(random: &mut Random, case: &Case) {
    let at = random.below(DOCUMENTS);
    let filter = truth::of(random, &case.schema, &case.documents[at]);
    let text = filter.to_text_with_params(random);
    let found = case.indexed.keys(&text);
    let is_there = found.iter().any(|key| key.ends_with(&format!(":{at}")));
    assert!(is_there, "{text:?} does not find {}\n{found:?}", case.documents[at].print());
}

fn checks() -> usize {
    env::var("CHECKS").ok().and_then(|count| count.parse().ok()).unwrap_or(50_000)
}

/// Checks a law `CHECKS` times, `at_once` of them by one call.
fn hold(law: Law, at_once: usize) {
    let mut random = Random::from_environment();
    let checks = checks();
    for _ in 0..checks.div_ceil(ROUND) {
        let case = Case::draw(&mut random, false);
        for _ in 0..ROUND / at_once {
            law(&mut random, &case);
        }
    }
    println!("{checks} checks");
}

#[test]
fn a_filter_and_its_complement_share_out_what_is_found() {
    hold(complement, 1);
}

#[test]
fn indexes_change_no_answer() {
    hold(indexed_or_not, 1);
}

#[test]
fn an_index_that_comes_or_goes_changes_no_answer() {
    hold(come_and_go, QUESTIONS);
}

#[test]
fn pages_tile_the_sorted_whole() {
    hold(pages, 1);
}

#[test]
fn a_predicate_built_true_of_a_document_returns_it() {
    hold(built_true, 1);
}

#[test]
fn each_law_notices_a_lost_document() {
    let laws: [(&str, Law); 5] = [
        ("complement", complement),
        ("indexed or not", indexed_or_not),
        ("come and go", come_and_go),
        ("pages", pages),
        ("built true", built_true),
    ];
    for (name, law) in laws {
        let found = (0..FAULT_WITHIN / ROUND).any(|seed| {
            let broken = || {
                let mut random = Random::new(seed as u64);
                let case = Case::draw(&mut random, true);
                (0..ROUND).for_each(|_| law(&mut random, &case));
            };
            catch_unwind(broken).is_err()
        });
        assert!(found, "{name} holds of an engine that loses documents");
    }
}

//! What is drawn fits, and holds often enough.

use super::*;
use crate::naive::aggregate::rows_agree;
use crate::naive::{Facts, NaiveCollection, Scope, Value};

#[test]
fn documents_fit_their_schema_and_filters_can_be_bound() {
    let mut random = Random::new(7);
    for round in 0..2_000 {
        let schema = schema(&mut random, round % 5);
        let document = document(&mut random, &schema);
        assert_eq!(schema.breach(&document), None, "{schema:?} {}", document.print());
        assert_eq!(Json::parse(&document.print()), Ok(document.clone()));
        let filter = filter(&mut random, &schema, 3);
        assert_eq!(filter.check(&schema), Ok(()), "{filter:?}");
        let negated = Filter::Not(Box::new(filter.clone()));
        assert_ne!(filter.holds(&document, &schema, true), negated.holds(&document, &schema, true));
    }
}

#[test]
fn filters_hold_often_enough_to_tell_faults() {
    let mut random = Random::new(11);
    let mut held = 0;
    for _ in 0..5_000 {
        let schema = schema(&mut random, 2);
        let document = document(&mut random, &schema);
        held += usize::from(filter(&mut random, &schema, 2).holds(&document, &schema, true));
    }
    assert!((1_000..4_000).contains(&held), "{held} of 5000");
}

#[test]
fn what_is_asked_of_strings_and_arrays_holds_and_fails() {
    let mut random = Random::new(13);
    let mut tally = std::collections::BTreeMap::<String, (u32, u32)>::new();
    for round in 0..20_000 {
        let schema = schema(&mut random, round % 4);
        let document = document(&mut random, &schema);
        let drawn = if round % 2 == 0 { text } else { has };
        let filter = drawn(&mut random, &schema);
        let name = match &filter {
            Filter::Text(_, test, _) => format!("{test:?}"),
            Filter::HasAny(..) => "HasAny".to_owned(),
            Filter::HasAll(_, literals) => format!("HasAll {}", literals.len().min(2)),
            _ => continue,
        };
        if filter.check(&schema).is_ok() {
            let (count, held) = tally.entry(name).or_default();
            *count += 1;
            *held += u32::from(filter.holds(&document, &schema, true));
        }
    }
    assert_eq!(tally.len(), 10);
    for (name, (count, held)) in tally {
        assert!(count > 500, "{name}: {count}");
        assert!(held * 100 > count && held * 100 < count * 75, "{name}: {held} of {count}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut random = Random::new(seed);
        let schema = schema(&mut random, 4);
        let document = document(&mut random, &schema);
        let filter = filter(&mut random, &schema, 3).to_text_with_params(&mut random);
        (document.print(), filter.text, filter.params, format!("{:?}", order(&mut random, &schema)))
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3).0, run(4).0);
}

/// Metadata such as a collection's documents have.
fn facts(random: &mut Random) -> Facts {
    let sequence = random.below(60) as u64;
    let expires_ms = random.chance(50).then_some(1_767_225_600_000);
    let (key, id) = (format!("things:k{sequence}"), format!("k{sequence}"));
    let (created_ms, updated_ms) = (-1, 1_767_225_600_000);
    Facts { key, id, sequence, version: 7, created_ms, updated_ms, expires_ms, is_valid: true }
}

/// What kind of predicate the drawn one is.
fn name(filter: &Filter) -> &'static str {
    match filter {
        Filter::CompareValues(left, _, right) => match (left, right) {
            (Value::Path(_), Value::Path(_)) => "two paths",
            (Value::Path(_), _) => "path and constants",
            _ => "arithmetic",
        },
        Filter::BetweenValues(..) => "between",
        Filter::InValues(..) => "in",
        Filter::AnyWhere(..) => "any",
        Filter::AllWhere(..) => "all",
        Filter::IsKind(..) => "kind",
        Filter::HasAny(..) | Filter::HasAll(..) => "has",
        Filter::Compare(path, ..) | Filter::In(path, _) if path.meta().is_none() => "instants",
        _ => "metadata",
    }
}

#[test]
fn what_else_the_language_has_holds_and_fails() {
    let mut random = Random::new(17);
    let language = Language::whole();
    let mut tally = std::collections::BTreeMap::<&str, (u32, u32)>::new();
    for round in 0..60_000 {
        let schema = schema(&mut random, round % 4);
        let document = document(&mut random, &schema);
        let filter = extended::predicate(&mut random, &schema, &language);
        if filter.check(&schema).is_err() {
            continue;
        }
        let facts = facts(&mut random);
        let now_ms = 1_767_225_600_000;
        let scope = Scope::document(&document, &schema, &facts, now_ms);
        let holds = filter.holds_in(&scope);
        assert_ne!(Filter::Not(Box::new(filter.clone())).holds_in(&scope), holds);
        let (count, held) = tally.entry(name(&filter)).or_default();
        *count += 1;
        *held += u32::from(holds);
        let written = filter.to_text_with_params(&mut random);
        assert!(written.params.iter().all(|(name, _)| written.text.contains(&format!("${name}"))));
    }
    assert_eq!(tally.len(), 11, "{tally:?}");
    for (name, (count, held)) in tally {
        assert!(count > 500, "{name}: {count}");
        assert!(held * 25 > count && held * 100 < count * 80, "{name}: {held} of {count}");
    }
}

#[test]
fn filters_of_the_whole_language_can_be_bound() {
    let mut random = Random::new(19);
    let language = Language::whole();
    let mut held = 0;
    for round in 0..3_000 {
        let schema = schema(&mut random, round % 5);
        let document = document(&mut random, &schema);
        let filter = filter_in(&mut random, &schema, 2, &language);
        assert_eq!(filter.check(&schema), Ok(()), "{filter:?}");
        let facts = facts(&mut random);
        held += u32::from(filter.holds_in(&Scope::document(&document, &schema, &facts, 0)));
    }
    assert!((600..2_400).contains(&held), "{held} of 3000");
}

#[test]
fn aggregates_have_rows_and_few_overflow() {
    let mut random = Random::new(29);
    let language = Language::whole();
    let (mut overflows, mut rows, mut grouped) = (0, 0, 0);
    for round in 0..1_500 {
        let schema = schema(&mut random, round % 5);
        let mut collection = NaiveCollection::new(schema.clone());
        for at in 0..12 {
            let document = document(&mut random, &schema);
            collection.set(&format!("k{at}"), document, None, 0).unwrap();
        }
        let aggregate = aggregate::aggregate(&mut random, &schema, &language);
        match collection.aggregate(&aggregate, 0) {
            Ok(found) => {
                rows += found.len();
                grouped += usize::from(found.len() > 1);
                assert!(rows_agree(&found, &found, &aggregate.precisions()));
            }
            Err(_) => overflows += 1,
        }
        let path = Path::plain(paths(&schema, &mut random).0);
        let distinct = collection.distinct(&path, None, 0);
        assert!(distinct.len() <= 12 * 4);
        let order = extended::order_in(&mut random, &schema, &language);
        assert_eq!(collection.find(None, &order, None, 0).len(), 12);
    }
    assert!(rows > 3_000 && grouped > 500, "{rows} {grouped}");
    assert!(overflows < 300, "{overflows}");
}

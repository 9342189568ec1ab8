//! The engine against the naive model: random operations in process, every answer compared, every index recomputed.
//!
//! A keyspace of plain values stands in for the server's: it holds the documents, lets them lapse, and tells the store what
//! Redis would. `OPERATIONS` sets how many are run (2,000,000), `SEED` repeats a run.

mod keys;
mod updates;

use folio_tests::generate::Random;
use folio_tests::world::{Kind, World};

/// Operations over one schema before the next is drawn.
const ROUND: usize = 2_000;
/// Operations between two recomputations of all indexes.
const VERIFY_EVERY: usize = 500;

fn operations() -> usize {
    let given = std::env::var("OPERATIONS").ok().and_then(|count| count.parse().ok());
    given.unwrap_or(2_000_000)
}

#[test]
fn the_engine_does_what_the_model_does() {
    let mut random = Random::from_environment();
    let operations = operations();
    let mut counts = std::collections::BTreeMap::new();
    let mut drawn = std::collections::BTreeMap::new();
    let mut done = 0;
    while done < operations {
        let seed = random.bits();
        let mut world = World::new(seed);
        for step in 0..ROUND.min(operations - done) {
            world.step();
            if step % VERIFY_EVERY == 0 {
                world.verify();
            }
        }
        world.verify();
        for (verb, count) in world.operations() {
            *drawn.entry(verb.clone()).or_insert(0) += count;
        }
        for (kind, count) in world.counts {
            *counts.entry(kind).or_insert(0) += count;
        }
        done += ROUND;
    }
    println!("{done} operations: {counts:?}; of updates {drawn:?}");
    assert_eq!(drawn.len(), 17, "each operation of DOC.UPDATE is drawn");
    // A run in which something never happened has not tested it.
    for kind in Kind::ALL {
        let count = counts.get(&kind).copied().unwrap_or(0);
        assert!(count * 2_000 >= operations, "{kind:?} happened {count} times in {operations}");
    }
}

#[test]
fn a_planted_fault_is_found() {
    let found = (0..20).any(|seed| {
        std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            world.forget_renames = true;
            for _ in 0..ROUND {
                world.step();
            }
            world.verify();
        })
        .is_err()
    });
    assert!(found, "a store that is not told of renames passed for a right one");
}

//! Sequences of operations and questions, on the engine and on the naive model: see [`crate::world`].

use crate::generate::Random;
use crate::world::World;

/// Steps between two recomputations of all indexes.
const VERIFY_EVERY: usize = 64;

/// Documents under one schema, and questions about them: the planner and what it chooses, against a plain search.
pub fn plan(bytes: &[u8]) {
    run(bytes, World::ask);
}

/// Whatever can happen to a store, step by step.
pub fn operations(bytes: &[u8]) {
    run(bytes, World::step);
}

fn run(bytes: &[u8], step: fn(&mut World)) {
    let mut world = World::drawn(Random::from_bytes(bytes), 1);
    let mut steps = 0;
    while world.has_given() {
        step(&mut world);
        steps += 1;
        if steps % VERIFY_EVERY == 0 {
            world.verify();
        }
    }
    world.verify();
}

//! Everything compared: what a check asks a server.

use folio_tests::generate::Random;

use crate::op::Op;
use crate::world::{DATABASES, World};

/// Filters tried on each collection.
const FILTERS: usize = 3;

/// What to ask so that nothing is left out: every collection verified, every document read, filters over the
/// declared fields. The selected database is as before afterwards.
pub fn questions(world: &World, seed: u64) -> Vec<Op> {
    let mut random = Random::new(seed);
    let mut ops = Vec::new();
    for (db, space) in world.spaces.iter().enumerate().take(DATABASES) {
        ops.extend([Op::Select(db), Op::List { pattern: None }, Op::Scan]);
        let (must, may) = space.names();
        for name in must.into_iter().chain(may) {
            ops.push(Op::Verify { name: name.clone() });
            ops.push(Op::Digest { name: name.clone() });
            ops.push(Op::Find { name: name.clone(), seed: 0 });
            ops.push(Op::Info { name: name.clone() });
            ops.push(Op::KeysDeleted { name: name.clone(), seed: random.bits() });
            ops.push(Op::Schema { name: name.clone() });
            for _ in 0..FILTERS {
                ops.push(Op::Find { name: name.clone(), seed: random.bits().max(1) });
                ops.push(Op::Count { name: name.clone(), seed: random.bits().max(1) });
            }
        }
        for (key, ..) in space.docs() {
            ops.push(Op::Meta { key: key.clone() });
        }
        for (key, ..) in space.deleted() {
            ops.push(Op::GetDeleted { key: key.clone() });
            ops.push(Op::MetaDeleted { key: key.clone() });
        }
        for key in space.strays() {
            ops.push(Op::Get { key, path: None });
        }
    }
    ops.push(Op::Select(world.db));
    ops
}

/// Whether the answer to a question is the same, byte for byte, on a replica and after a reload. Collections
/// of which all documents have lapsed may be gone there; a stray's numbers belong to no collection.
pub fn is_lasting(op: &Op, world: &World) -> bool {
    match op {
        Op::Find { name, .. } | Op::KeysDeleted { name, .. } | Op::Digest { name } => {
            world.space().names().0.contains(name)
        }
        Op::Meta { key } | Op::MetaDeleted { key } => world.space().slot(key).is_some(),
        _ => false,
    }
}

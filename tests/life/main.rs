//! The server against a model of it: random operations of every kind, each reply compared, everything
//! recomputed each thousand operations, on a replica and over reloads too. Each seed has servers of other settings.
//!
//! | variable | sets |
//! |---|---|
//! | `SEED` | where the seeds of a run begin; printed first |
//! | `OPERATIONS` | how many are run, over 16 seeds (200,000); `FOLIO_LIFE_OPERATIONS` says so for this suite alone |
//! | `FOLIO_MODULE_FAULTY` | the module with planted faults, which have to be found |

#![forbid(unsafe_code)]

mod ask;
mod check;
mod evict;
mod expect;
mod kinds;
mod many;
mod migrate;
mod native;
mod op;
mod read;
mod regressions;
mod run;
mod settle;
mod setup;
mod shrink;
mod soft;
mod source;
mod step;
mod stream;
mod told;
mod update;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

use folio_engine::planted::Fault;
use folio_tests::generate::Random;

use op::Op;
use run::{Kept, Rig, Run, Stop, replay};
use setup::Setup;
use source::Source;

/// Seeds of one run.
const SEEDS: usize = 16;
/// Operations of the whole run.
const OPERATIONS: usize = 200_000;
/// Operations within which a planted fault is found.
const FAULT_WITHIN: usize = 20_000;
/// Of all that were run, so many are of each kind at least: one in so many.
const LEAST_OF_EACH: usize = 20_000;

fn operations() -> usize {
    let given = |name| env::var(name).ok().and_then(|count| count.parse().ok());
    given("FOLIO_LIFE_OPERATIONS").or_else(|| given("OPERATIONS")).unwrap_or(OPERATIONS)
}

/// What a run came to.
#[derive(Default)]
struct Tally {
    operations: usize,
    commands: usize,
    slow: usize,
    kinds: BTreeMap<&'static str, usize>,
}

/// Runs operations until there were enough, or one made a difference: the script up to it, and what it was.
fn run(
    kept: Kept,
    setup: &Setup,
    seed: u64,
    operations: usize,
    tally: &mut Tally,
) -> Result<(), (Vec<Op>, String)> {
    let mut rig = Rig::start(kept, setup);
    let mut random = Random::new(seed);
    let end = tally.operations + operations;
    while tally.operations < end {
        let mut source = Source::new(random.bits(), rig.abilities());
        let mut script = Vec::new();
        let mut run = match Run::begin(&mut rig) {
            Ok(run) => run,
            Err(stop) => return Err((script, format!("{stop:?}"))),
        };
        let mut outcome = Ok(());
        while outcome.is_ok() && tally.operations < end {
            let op = source.draw(&run.world);
            for kind in op.kinds() {
                *tally.kinds.entry(kind).or_insert(0) += 1;
            }
            outcome = run.step(script.len(), &op);
            script.push(op);
            // A script that is made shorter has other batches, and is to wait in the same places.
            script.extend(std::mem::take(&mut run.passed).then_some(Op::Pass));
            for kind in run.happened.drain(..) {
                *tally.kinds.entry(kind).or_insert(0) += 1;
            }
            tally.operations += 1;
        }
        if outcome.is_ok() {
            outcome = run.step(script.len(), &Op::Check);
        }
        tally.commands += run.commands;
        match outcome {
            Ok(()) => {}
            Err(Stop::Slow) => tally.slow += 1,
            Err(Stop::Fault(_, text)) => return Err((script, text)),
        }
    }
    Ok(())
}

/// Runs half of the seeds, each with the next of these ways to keep data.
fn run_seeds(kepts: &[Kept], salt: u64) {
    let mut random = Random::from_environment();
    let began = std::time::Instant::now();
    let mut tally = Tally::default();
    for at in 0..SEEDS / 2 {
        let (seed, kept) = (random.bits() ^ salt, kepts[at % kepts.len()]);
        let setup = Setup::drawn(seed, kept);
        println!("{kept:?} {seed}: {setup}");
        let outcome = run(kept, &setup, seed, operations() / SEEDS, &mut tally);
        if let Err((script, text)) = outcome {
            println!("{kept:?} {seed}: {text}\nshrinking {} operations", script.len());
            let first = text;
            let (script, text) = shrink::shrink(|| Rig::start(kept, &setup), script);
            // What was wrong stands last: of a long report often only the end is kept.
            let (printed, lines) = (shrink::printed(&script), script.len());
            panic!(
                "{printed}\n{kept:?} {seed}, {setup}\nat first: {first}\nmade short, {lines} operations: {text}"
            );
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{} operations, {} commands in {seconds:.0} s, {:.0} operations/s, {} times too slow: {:?}",
        tally.operations,
        tally.commands,
        tally.operations as f64 / seconds,
        tally.slow,
        tally.kinds
    );
    assert_each_happened(&tally, kepts);
}

/// A run in which something never happened has not tested it.
fn assert_each_happened(tally: &Tally, kepts: &[Kept]) {
    let mut wanted = Vec::from(kinds::KINDS);
    let has_replica = kepts.contains(&Kept::Replica);
    wanted.extend(if has_replica { kinds::SYNCS } else { kinds::RELOADS });
    wanted.extend(kinds::POLICIES.iter().flat_map(|(tried, took)| [tried, took]));
    for kind in wanted {
        let count = tally.kinds.get(kind).copied().unwrap_or(0);
        assert!(
            count * LEAST_OF_EACH >= tally.operations,
            "{kind} happened {count} times in {}",
            tally.operations
        );
    }
}

#[test]
fn a_server_and_its_replica_do_what_the_model_does() {
    run_seeds(&[Kept::Replica], 1);
}

#[test]
fn a_server_that_is_reloaded_does_what_the_model_does() {
    run_seeds(&[Kept::Snapshot, Kept::Log, Kept::PlainLog], 2);
}

#[test]
fn faults_that_were_found_once_do_not_come_back() {
    for (what, script) in regressions::SCRIPTS {
        let script = shrink::read(script);
        for kept in [Kept::Snapshot, Kept::Log, Kept::PlainLog, Kept::Replica] {
            let has_reload = script.iter().any(Op::is_reload);
            if kept == Kept::Replica && has_reload {
                continue;
            }
            // Whatever the script leaves is read back too.
            let end = (kept != Kept::Replica && !has_reload).then_some(Op::Restart);
            let script: Vec<Op> = script.iter().cloned().chain(end).collect();
            let mut rig = Rig::start(kept, &Setup::plain());
            let mut outcomes = (0..5).map(|_| replay(&mut rig, &script));
            let outcome = outcomes.find(|outcome| !matches!(outcome, Err(Stop::Slow)));
            assert!(matches!(outcome, Some(Ok(()))), "{what}, {kept:?}: {outcome:?}");
        }
    }
}

#[test]
fn planted_faults_are_found() {
    for fault in Fault::ALL {
        let kept = match fault {
            // The suites of replication, of access control, of crashes and of changes find them: nothing here stages a sync, has few
            // rights or is cut short, and on Valkey entries are only counted. The last two are seen by a sanitizer alone: `cargo xtask soak asan`.
            Fault::Staging
            | Fault::Acl
            | Fault::Log
            | Fault::Changes
            | Fault::Leak
            | Fault::Freed => continue,
            Fault::Replica => Kept::Replica,
            _ => Kept::Snapshot,
        };
        let name = fault.name();
        let faulty = Setup::faulty(fault);
        let mut tally = Tally::default();
        // A fault that ends the server, or keeps it from answering, is found too.
        let outcome =
            catch_unwind(AssertUnwindSafe(|| run(kept, &faulty, 7, FAULT_WITHIN, &mut tally)));
        match outcome {
            Ok(Ok(())) => panic!("the fault '{name}' passed {FAULT_WITHIN} operations"),
            Ok(Err((_, text))) => {
                println!("'{name}' was found after {} operations: {text}", tally.operations);
            }
            Err(_) => println!("'{name}' ended the run"),
        }
    }
}

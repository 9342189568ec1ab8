//! The fuzz targets without a fuzzer: the inputs of `fuzz/seeds`, and changes of them drawn from a seed; and random
//! arguments to a server.
//!
//! | variable | sets |
//! |---|---|
//! | `SEED` | repeats a run; printed first |
//! | `INPUTS` | how many changed inputs each target gets (2,000) |
//! | `OPERATIONS` | how many commands of random arguments are sent (20,000) |

#![forbid(unsafe_code)]

mod arguments;

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::time::Instant;

use folio_tests::fuzz::{TARGETS, Target};
use folio_tests::generate::Random;

/// Inputs of each target.
const INPUTS: usize = 2_000;
/// Bytes of an input.
const BYTES_MAX: usize = 2_048;

fn count(variable: &str, usual: usize) -> usize {
    env::var(variable).ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// The inputs that are kept for a target, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder of it");
    let folder = root.join("fuzz/seeds").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{target}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).expect("a readable file")).collect()
}

fn feed(name: &str, target: Target, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        println!("{name} fails on b\"{}\"", input.escape_ascii());
        resume_unwind(panic);
    }
}

#[test]
fn inputs_that_are_kept_pass() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for seed in &seeds {
            feed(name, target, seed);
        }
    }
}

#[test]
fn changed_inputs_pass() {
    let mut random = Random::from_environment();
    let inputs = count("INPUTS", INPUTS);
    for (name, target) in TARGETS {
        let began = Instant::now();
        let seeds = seeds(name);
        for _ in 0..inputs {
            feed(name, target, &changed(&seeds, &mut random));
        }
        println!("{name}: {inputs} inputs in {:.1} s", began.elapsed().as_secs_f64());
    }
}

/// One of the seeds with some bytes changed, put in, taken out, or taken from another.
fn changed(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = random.pick(seeds);
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        let end = (at + random.below(9)).min(input.len());
        match random.below(5) {
            0 if at < input.len() => input[at] = random.bits() as u8,
            1 => input.insert(at, random.pick(br#"{}[]",:.`\0917eE+-ntf'$ ()<=>*"#)),
            2 => drop(input.drain(at..end)),
            3 => {
                let again = input[at..end].to_vec();
                input.splice(at..at, again);
            }
            _ => {
                let other = random.pick(seeds);
                let from = random.below(other.len() + 1);
                let to = (from + random.below(40)).min(other.len());
                input.splice(at..end, other[from..to].iter().copied());
            }
        }
    }
    input.truncate(BYTES_MAX);
    input
}

#[test]
fn a_wrong_body_is_found() {
    let wrong: Target = |input| assert!(!input.contains(&b'9'));
    let mut random = Random::new(1);
    let seeds = seeds("json");
    let found = (0..200).any(|_| {
        let input = changed(&seeds, &mut random);
        catch_unwind(|| wrong(&input)).is_err()
    });
    assert!(found, "200 inputs held no 9");
}

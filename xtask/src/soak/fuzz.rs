//! libFuzzer on each target, then random arguments to a server.
//!
//! `fuzz/` is one program for all targets, in a workspace of its own, because all that it is made of is built with
//! libFuzzer's counters. What a target finds lies in `target/fuzz/found`; a finding that is repaired goes to
//! `fuzz/seeds`, which `tests/fuzz` runs in CI.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::report;
use super::suites::seed;
use crate::setup::{self, Need};
use crate::{Result, paths, shell, test};

/// For how long all targets run together, unless told.
const TIME: Duration = Duration::from_secs(80 * 60);
/// What stable Rust takes to lay libFuzzer's counters into a program.
const FLAGS: [&str; 8] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // Without it the linker drops the tables that nobody in the program names.
    "-Clink-dead-code",
    "-Ccodegen-units=1",
];
/// Bytes of an input.
const BYTES_MAX: usize = 4_096;
/// Random commands that the server gets a minute, about.
const COMMANDS_A_MINUTE: u64 = 500_000;

/// What became of one target.
struct Outcome {
    name: String,
    line: String,
    has_found: bool,
}

/// Runs every target for its share of the time.
pub fn fuzz(time: Option<Duration>) -> Result {
    setup::require(&[Need {
        what: "a C++ compiler (libFuzzer is built with it)",
        is_there: &|| paths::program(&["c++", "g++", "clang++"]).is_some(),
        packages: &["g++"],
    }])?;
    let folder = paths::target().join("fuzz");
    let program = build(&folder)?;
    let names = targets()?;
    let share = time.unwrap_or(TIME) / (names.len() as u32 + 1);
    let seed = seed();
    println!("SEED={seed}");
    let mut outcomes = Vec::new();
    for name in names {
        outcomes.push(run(&program, &folder, name, share, seed)?);
    }
    let arguments = arguments(share, seed);
    println!("\nsoak fuzz: SEED={seed}, {} s a target", share.as_secs());
    for outcome in &outcomes {
        println!("  {}: {}", outcome.name, outcome.line);
    }
    match &arguments {
        Ok(lines) => lines.iter().for_each(|line| println!("  {line}")),
        Err(error) => println!("  arguments: {error}"),
    }
    let found = outcomes.iter().filter(|outcome| outcome.has_found).count();
    if found > 0 {
        let found_in = paths::shown(&folder.join("found"));
        return Err(format!("{found} targets have found something: see {found_in}").into());
    }
    arguments.map(|_| ())
}

fn build(folder: &Path) -> Result<PathBuf> {
    let host = shell::output(Command::new("rustc").arg("-vV"))?;
    let host =
        host.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc has a host")?;
    let mut cargo = shell::cargo(&["build", "--release", "--target", host]);
    cargo.arg("--manifest-path").arg(paths::root().join("fuzz/Cargo.toml"));
    // With a target, build scripts and macros go without the counters.
    cargo.arg("--target-dir").arg(folder).env("RUSTFLAGS", FLAGS.join(" "));
    shell::run(&mut cargo)?;
    Ok(folder.join(host).join("release/folio-fuzz"))
}

/// The targets: each has a folder of seeds.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(paths::root().join("fuzz/seeds"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn run(program: &Path, folder: &Path, name: String, time: Duration, seed: u64) -> Result<Outcome> {
    let (corpus, found) = (folder.join("corpus").join(&name), folder.join("found").join(&name));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&found)?;
    let before = fs::read_dir(&found)?.count();
    let source = paths::root().join("fuzz");
    let mut command = Command::new(program);
    command.env("FOLIO_FUZZ_TARGET", &name).arg(&corpus).arg(source.join("seeds").join(&name));
    command.arg(format!("-max_total_time={}", time.as_secs()));
    command.arg(format!("-max_len={BYTES_MAX}")).arg(format!("-seed={}", seed as u32 | 1));
    command.arg(format!("-artifact_prefix={}/", found.display()));
    command.args(["-print_final_stats=1", "-print_funcs=0", "-timeout=20", "-rss_limit_mb=2048"]);
    let words = source.join(format!("{name}.dict"));
    if words.exists() {
        command.arg(format!("-dict={}", words.display()));
    }
    println!("{name}: {} s", time.as_secs());
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let output = child.stderr.take().expect("the output is piped");
    let (mut executions, mut last) = (String::new(), String::new());
    for line in BufReader::new(output).lines() {
        // Anything may stand in an input that is shown.
        let Ok(line) = line else { continue };
        if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            count.trim().clone_into(&mut executions);
        } else if line.starts_with('#') && line.contains("cov: ") {
            last = line;
        } else if !line.starts_with("INFO:") && !line.starts_with('#') {
            println!("  {line}");
        }
    }
    let status = child.wait()?;
    let has_found = !status.success() || fs::read_dir(&found)?.count() > before;
    let covered = last.split_once("cov: ").map_or("", |(_, rest)| rest);
    let covered = covered.split(' ').next().unwrap_or_default();
    let verdict = if has_found { "something found" } else { "nothing found" };
    let line = format!("{executions} executions, {covered} edges, {verdict}");
    println!("{name}: {line}");
    Ok(Outcome { name, line, has_found })
}

/// The suite that sends random arguments to a server, for about this time.
fn arguments(time: Duration, seed: u64) -> Result<Vec<String>> {
    let modules = test::Modules::build()?;
    let commands = (time.as_secs() * COMMANDS_A_MINUTE / 60).to_string();
    let mut cargo = shell::cargo(&["test", "--package", "folio-tests", "--test", "fuzz"]);
    cargo.args(["arguments", "--", "--nocapture"]).env("SEED", seed.to_string());
    modules.name_to(&mut cargo);
    report::figures(cargo.env("OPERATIONS", commands))
}

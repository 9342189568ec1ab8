//! Which lines the tests run: every test over instrumented builds of the engine, the module and the client.
//!
//! Servers are killed, and a killed process writes no profile at its end. So the counters lie in the profile itself, mapped
//! into memory (`%c`, which needs counters that can be moved), and what a server counted is there however it ended;
//! builds of the same code share a few files (`%4m`).
//!
//! Lines of unit tests do not count: a file's code ends with `#[cfg(test)]`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use serde_json::Value;

use crate::setup::{self, Need};
use crate::test::Modules;
use crate::{Result, paths, shell};

/// Folders and the share of their lines, in percent, that is to run.
const GOALS: [(&str, f64); 3] =
    [("engine/src/", 95.0), ("module/src/", 90.0), ("client/src/", 90.0)];
/// Operations of the randomized suites: enough for each kind to happen, under slow counters.
const OPERATIONS: usize = 40_000;

/// How often each line ran, file by file.
type Lines = BTreeMap<String, BTreeMap<usize, u64>>;

/// Builds, runs every test, prints the table, and fails below the goals.
pub fn coverage() -> Result {
    let tools = tools()?;
    let folder = paths::target().join("coverage");
    let profiles = folder.join("profiles");
    let _ = fs::remove_dir_all(&profiles);
    fs::create_dir_all(&profiles)?;
    let compiler = wrap_compiler(&folder)?;
    let cargo = |arguments: &[&str]| {
        let mut cargo = shell::cargo(arguments);
        cargo.arg("--target-dir").arg(&folder).env("RUSTC_WORKSPACE_WRAPPER", &compiler);
        cargo.env("LLVM_PROFILE_FILE", profiles.join("%4m%c.profraw"));
        cargo
    };
    let modules = build(&folder, cargo)?;
    let mut objects = vec![modules.right.clone(), modules.faulty.clone()];
    let tests = ["test", "--workspace", "--exclude", "xtask", "--exclude", "folio-benches"];
    let mut listing = cargo(&tests);
    listing.args(["--no-run", "--message-format", "json"]);
    objects.extend(executables(&shell::output(&mut listing)?));
    let mut run = cargo(&tests);
    modules.name_to(&mut run);
    run.arg("--no-fail-fast").env("OPERATIONS", OPERATIONS.to_string());
    let passed = shell::run(&mut run);
    let lines = merge(&tools, &folder, &profiles, &objects)?;
    fs::write(folder.join("uncovered.txt"), uncovered(&lines))?;
    print(&lines);
    println!("lines that did not run: {}", paths::shown(&folder.join("uncovered.txt")));
    passed?;
    check_goals(&lines)
}

/// A compiler that instruments the workspace's own crates.
fn wrap_compiler(folder: &Path) -> Result<PathBuf> {
    let script = folder.join("rustc");
    let flags = "-C instrument-coverage -C llvm-args=-runtime-counter-relocation";
    fs::write(&script, format!("#!/bin/sh\nexec \"$@\" {flags}\n"))?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    Ok(script)
}

fn build(folder: &Path, cargo: impl Fn(&[&str]) -> Command) -> Result<Modules> {
    let made = |features: &str, name: &str| -> Result<PathBuf> {
        let mut build = cargo(&["build", "--package", "folio-module", "--features", features]);
        shell::run(&mut build)?;
        let kept = folder.join(name);
        fs::copy(folder.join("debug/libfolio_module.so"), &kept)?;
        Ok(kept)
    };
    let faulty = made("planted-faults", "faulty.so")?;
    Ok(Modules::new(made("", "folio.so")?, faulty))
}

/// The programs that cargo built, from its messages.
fn executables(messages: &str) -> Vec<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).collect()
}

/// LLVM's tools in the version of the compiler, whose profiles no older one reads.
fn tools() -> Result<PathBuf> {
    let version = shell::output(Command::new("rustc").arg("-vV"))?;
    let version = version.lines().find_map(|line| line.strip_prefix("LLVM version: "));
    let major = version.and_then(|version| version.split('.').next()).ok_or("rustc has an LLVM")?;
    let folder = PathBuf::from(format!("/usr/lib/llvm-{major}/bin"));
    if let Some(own) = in_toolchain()? {
        return Ok(own);
    }
    setup::require(&[Need {
        what: &format!(
            "llvm-profdata and llvm-cov of LLVM {major} (or rustup component add llvm-tools)"
        ),
        is_there: &|| folder.join("llvm-cov").exists(),
        packages: &[&format!("llvm-{major}")],
    }])?;
    Ok(folder)
}

/// The tools of rustup's component `llvm-tools`, where it is installed.
fn in_toolchain() -> Result<Option<PathBuf>> {
    let folder = shell::output(Command::new("rustc").args(["--print", "target-libdir"]))?;
    let folder = Path::new(folder.trim()).with_file_name("bin");
    Ok(folder.join("llvm-cov").exists().then_some(folder))
}

fn merge(tools: &Path, folder: &Path, profiles: &Path, objects: &[PathBuf]) -> Result<Lines> {
    let merged = folder.join("merged.profdata");
    let mut merge = Command::new(tools.join("llvm-profdata"));
    merge.args(["merge", "--sparse", "--output"]).arg(&merged);
    merge.args(paths::files(profiles, "profraw"));
    shell::output(&mut merge)?;
    let mut export = Command::new(tools.join("llvm-cov"));
    export.args(["export", "--format", "lcov", "--instr-profile"]).arg(merged);
    for object in objects {
        export.arg("--object").arg(object);
    }
    let mut lines = parse(&shell::output(&mut export)?);
    lines.retain(|name, lines| {
        let source = fs::read_to_string(paths::root().join(name)).unwrap_or_default();
        let end = source.lines().position(|line| line == "#[cfg(test)]").unwrap_or(usize::MAX);
        lines.retain(|line, _| *line <= end);
        !lines.is_empty() && !name.ends_with("_tests.rs")
    });
    Ok(lines)
}

/// Reads `SF:file`, `DA:line,count`; only the files of the goals, by their paths from the root.
fn parse(report: &str) -> Lines {
    let mut lines = Lines::new();
    let mut file = None;
    for entry in report.lines() {
        if let Some(path) = entry.strip_prefix("SF:") {
            let name = Path::new(path).strip_prefix(paths::root()).unwrap_or(Path::new(path));
            let name = name.to_string_lossy().into_owned();
            file = GOALS.iter().any(|(folder, _)| name.starts_with(folder)).then_some(name);
        } else if let (Some(name), Some(entry)) = (&file, entry.strip_prefix("DA:"))
            && let Some((line, count)) = entry.split_once(',')
        {
            let (line, count) = (line.parse().unwrap_or(0), count.parse::<u64>().unwrap_or(0));
            let most = lines.entry(name.clone()).or_default().entry(line).or_insert(0);
            *most = (*most).max(count);
        }
    }
    lines
}

/// The lines and those that ran, of all files whose names begin so.
fn share(lines: &Lines, prefix: &str) -> (usize, usize) {
    let counts = lines.iter().filter(|(name, _)| name.starts_with(prefix));
    let counts: Vec<u64> = counts.flat_map(|(_, counts)| counts.values().copied()).collect();
    (counts.len(), counts.iter().filter(|count| **count > 0).count())
}

fn percent((all, ran): (usize, usize)) -> f64 {
    if all == 0 { 0.0 } else { 100.0 * ran as f64 / all as f64 }
}

fn print(lines: &Lines) {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(["file", "lines", "not run", "%"]);
    let mut add = |name: &str, prefix: &str| {
        let (all, ran) = share(lines, prefix);
        let percent = format!("{:.1}", percent((all, ran)));
        table.add_row([name.to_owned(), all.to_string(), (all - ran).to_string(), percent]);
    };
    for name in lines.keys() {
        add(name, name);
    }
    for (folder, goal) in GOALS {
        add(&format!("{folder} (goal: {goal} %)"), folder);
    }
    for column in 1..4 {
        let column = table.column_mut(column).expect("the table has four columns");
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
}

/// The lines that did not run, with their text.
fn uncovered(lines: &Lines) -> String {
    let mut text = String::new();
    for (name, counts) in lines {
        let source = fs::read_to_string(paths::root().join(name)).unwrap_or_default();
        let source: Vec<&str> = source.lines().collect();
        for (line, _) in counts.iter().filter(|(_, count)| **count == 0) {
            let code = source.get(line - 1).copied().unwrap_or_default();
            let _ = writeln!(text, "{name}:{line}: {code}");
        }
    }
    text
}

fn check_goals(lines: &Lines) -> Result {
    let missed = GOALS.iter().filter(|(folder, goal)| percent(share(lines, folder)) < *goal);
    let missed: Vec<String> =
        missed.map(|(folder, goal)| format!("{folder} is below {goal} %")).collect();
    if missed.is_empty() {
        println!("soak coverage: every goal is reached");
        return Ok(());
    }
    Err(missed.join(", ").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_by_the_best_that_any_build_did() {
        let root = paths::root().display();
        let report = format!(
            "SF:{root}/engine/src/a.rs\nDA:1,0\nDA:2,0\nend_of_record\n\
             SF:{root}/engine/src/a.rs\nDA:1,7\nDA:2,0\nend_of_record\nSF:/elsewhere/b.rs\nDA:1,1\n"
        );
        let lines = parse(&report);
        assert_eq!(lines.len(), 1);
        assert_eq!(share(&lines, "engine/"), (2, 1));
        assert!((percent((2, 1)) - 50.0).abs() < 1e-9);
        assert!(check_goals(&lines).is_err());
    }
}

//! What a reader should not have to check: form, lints, sizes, generated documents.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{Result, paths, shell};

/// A function that does not fit on a screen is read in pieces.
const FUNCTION_LINES_MAX: usize = 70;
/// A file longer than this holds more than one thing that can be named.
const FILE_LINES_MAX: usize = 600;
/// The command reference, which the module's table gives.
const REFERENCE: &str = "docs/commands.md";

/// What is promised, with the tests that hold it.
const GUARANTEES: &str = "docs/guarantees.md";

/// Checks everything and lists all that is wrong; with `write`, rewrites what can be rewritten.
pub fn tidy(write: bool) -> Result {
    let check: &[&str] = if write { &[] } else { &["--check"] };
    let fmt = [&["fmt", "--all"], check].concat();
    // A workspace of its own.
    let fmt_fuzz = [&["fmt", "--manifest-path", "fuzz/Cargo.toml"], check].concat();
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    let client = ["--package", "folio", "--package", "folio-derive"];
    let doc = [&["doc", "--no-deps", "--all-features", "--quiet"][..], &client].concat();
    let mut faults = Vec::new();
    for chore in [&fmt[..], &fmt_fuzz, &clippy, &doc] {
        let mut cargo = shell::cargo(chore);
        if let Err(error) = shell::run(cargo.env("RUSTDOCFLAGS", "-D warnings")) {
            faults.push(error.to_string());
        }
    }
    for path in paths::files(paths::root(), "rs") {
        check_source(&path, &mut faults)?;
    }
    check_places(&mut faults)?;
    check_reference(write, &mut faults)?;
    check_guarantees(&mut faults)?;
    if faults.is_empty() {
        println!("tidy: nothing to say");
        return Ok(());
    }
    Err(format!("tidy found {}:\n  {}", faults.len(), faults.join("\n  ")).into())
}

fn check_source(path: &Path, faults: &mut Vec<String>) -> Result {
    let source = fs::read_to_string(path)?;
    let name = relative(path);
    if !name.starts_with("module/src/ffi") {
        for (number, line) in source.lines().enumerate() {
            if is_unsafe(line) {
                faults.push(format!("{name}:{}: unsafe outside module/src/ffi", number + 1));
            }
        }
    }
    if name.starts_with("tests/") || name.contains("/tests") || name.starts_with("benches/") {
        return Ok(());
    }
    let lines: Vec<&str> = source.lines().collect();
    let length = lines.iter().position(|line| *line == "#[cfg(test)]").unwrap_or(lines.len());
    if length > FILE_LINES_MAX {
        faults.push(format!("{name}: {length} lines exceed the limit of {FILE_LINES_MAX}"));
    }
    for (start, length) in long_functions(&lines[..length]) {
        let limit = FUNCTION_LINES_MAX;
        let start = start + 1;
        faults.push(format!("{name}:{start}: {length} lines of function exceed {limit}"));
    }
    Ok(())
}

/// Where functions begin that are too long, and their lengths. Formatted source makes this easy:
/// a function ends with the first closing brace that stands as deep as its own line.
fn long_functions(lines: &[&str]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        if !is_function(line) {
            continue;
        }
        let depth = line.len() - line.trim_start().len();
        let ends = |l: &&str| l.trim() == "}" && l.len() - l.trim_start().len() == depth;
        let Some(end) = lines[start..].iter().position(ends) else { continue };
        // A body in one line, or none, has no closing brace of its own.
        let next = lines[start + 1..start + end]
            .iter()
            .any(|l| is_function(l) && l.len() - l.trim_start().len() == depth);
        if !next && end + 1 > FUNCTION_LINES_MAX {
            found.push((start, end + 1));
        }
    }
    found
}

fn is_function(line: &str) -> bool {
    let mut words = line.trim_start().split(' ');
    let qualifiers =
        ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern", "\"C\""];
    words.find(|word| !qualifiers.contains(word)) == Some("fn")
}

fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let followers = [" {", " fn", " impl", " extern", " trait"];
    let keyword = followers.iter().any(|after| code.contains(&format!("unsafe{after}")));
    keyword || code.contains(&format!("#[{}(", "unsafe"))
}

/// Paths of the machine that something was written on mean nothing on another.
fn check_places(faults: &mut Vec<String>) -> Result {
    let mut places: Vec<String> =
        ["home", "root", "Users", "work"].map(|f| format!("/{f}/")).into();
    places.push(paths::root().display().to_string());
    let listed = shell::output(Command::new("git").arg("ls-files").current_dir(paths::root()))?;
    for name in listed.lines() {
        let Ok(text) = fs::read_to_string(paths::root().join(name)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if places.iter().any(|place| begins_a_path(line, place)) {
                faults.push(format!("{name}:{}: a path of some machine", number + 1));
            }
        }
    }
    Ok(())
}

/// Whether `place` stands in the line as the beginning of an absolute path.
fn begins_a_path(line: &str, place: &str) -> bool {
    let inside =
        |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || "._-*}>".contains(c));
    line.match_indices(place).any(|(at, _)| !inside(&line[..at]))
}

fn check_reference(write: bool, faults: &mut Vec<String>) -> Result {
    let arguments = ["run", "--quiet", "--package", "folio-tests", "--bin", "command-reference"];
    let generated = shell::output(&mut shell::cargo(&arguments))?;
    let path = paths::root().join(REFERENCE);
    if fs::read_to_string(&path).is_ok_and(|current| current == generated) {
        return Ok(());
    }
    if write {
        fs::write(path, generated)?;
        println!("rewrote {REFERENCE}");
    } else {
        faults.push(format!("{REFERENCE} is not what the module's table gives: tidy --write"));
    }
    Ok(())
}

/// A promise is worth as much as the tests that it names.
fn check_guarantees(faults: &mut Vec<String>) -> Result {
    let text = fs::read_to_string(paths::root().join(GUARANTEES))?;
    for (theme, test) in tests_named(&text) {
        let folder = if theme == "engine" { theme.to_owned() } else { format!("tests/{theme}") };
        let defines = |path: &Path| {
            let needle = format!("fn {test}()");
            fs::read_to_string(path).is_ok_and(|source| source.contains(&needle))
        };
        let files = paths::files(&paths::root().join(folder), "rs");
        if !files.iter().any(|path| defines(path)) {
            faults.push(format!("{GUARANTEES}: there is no test {theme}::{test}"));
        }
    }
    Ok(())
}

/// Theme and name of each test that a text names as `` `theme::test` ``.
fn tests_named(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    quoted
        .filter_map(|name| name.split_once("::"))
        .filter(|(theme, test)| is_name(theme) && is_name(test) && !test.is_empty())
        .filter(|names| *names != ("theme", "test") && *names != ("engine", "test"))
        .collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(paths::root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!("pub fn short() {{}}\n\npub fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_of_seventy_lines_passes_and_one_of_seventy_one_does_not() {
        let fits = function(70);
        assert_eq!(long_functions(&fits.lines().collect::<Vec<_>>()), vec![]);
        let long = function(71);
        assert_eq!(long_functions(&long.lines().collect::<Vec<_>>()), vec![(2, 71)]);
    }

    #[test]
    fn the_keyword_is_seen_and_words_about_it_are_not() {
        assert!(is_unsafe(&format!("    {} {{ call() }}", "unsafe")));
        assert!(!is_unsafe("#![forbid(unsafe_code)]"));
        assert!(!is_unsafe(&format!("// why {} {{}} is wrong", "unsafe")));
    }

    #[test]
    fn tests_are_named_in_back_quotes() {
        let text = "as `theme::test`: `life::it_lives` and `DOC.VERIFY`, `a::B`, life::no";
        assert_eq!(tests_named(text), [("life", "it_lives")]);
    }

    #[test]
    fn a_path_inside_another_is_none_of_a_machine() {
        let home = format!("/{}/", "home");
        assert!(begins_a_path(&format!("see {home}me"), &home));
        assert!(!begins_a_path(&format!("docs{home}index.html"), &home));
    }
}

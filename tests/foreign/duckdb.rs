//! `DuckDB`, its command line: one process for a collection and all that is asked of it.
//!
//! The script goes in by a file and the answers come out as a line of JSON for each row, with a line of our own after each
//! statement. The program is what `cargo xtask setup` installed, or what `FOLIO_DUCKDB` names.

use std::env;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use folio_tests::naive::Json;
use serde_json::{Map, Value};
use tempfile::NamedTempFile;

use super::grouped::Row;
use super::sql::Engine;

/// What stands after the answer of each statement.
const END: &str = "-- end\n";

/// What each statement gives over these documents.
pub fn ask(documents: &[Json], statements: &[String]) -> Vec<Vec<Row>> {
    let tables = Engine::DuckDb.tables(documents);
    // Planning is nearly all that so few documents take, and the answer is the same.
    let mut script = format!("SET threads = 1;\nPRAGMA disable_optimizer;\n{tables}.print {END}");
    for statement in statements {
        let _ = write!(script, "{statement}\n.print {END}");
    }
    let printed = run(&script);
    let mut parts = printed.split(END).map(rows);
    parts.next();
    let answers: Vec<Vec<Row>> = parts.take(statements.len()).collect();
    assert_eq!(answers.len(), statements.len(), "an answer for each statement");
    answers
}

fn rows(text: &str) -> Vec<Row> {
    let cell = |value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => panic!("{other} is not cast to text"),
    };
    let row = |line: &str| match serde_json::from_str::<Map<String, Value>>(line) {
        Ok(row) => row.into_iter().map(|(_, value)| cell(value)).collect(),
        Err(error) => panic!("{error}: {line}"),
    };
    // What the statements before the first question print is no row.
    text.lines().filter(|line| line.starts_with('{')).map(row).collect()
}

/// What a script prints.
fn run(script: &str) -> String {
    let mut file = NamedTempFile::new().expect("the system has room for a file");
    file.write_all(script.as_bytes()).expect("the system has room for a script");
    let mut command = Command::new(program());
    command.args(["-no-init", "-bail", "-batch", "-jsonlines", "-f"]).arg(file.path());
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "DuckDB ended with {}: {errors}", output.status);
    String::from_utf8(output.stdout).expect("DuckDB prints UTF-8")
}

fn program() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = || tests.join("../target/tools/duckdb/duckdb_cli/duckdb");
    let program = env::var_os("FOLIO_DUCKDB").map_or_else(installed, PathBuf::from);
    assert!(
        program.is_file(),
        "there is no {}: `cargo xtask setup` installs it",
        program.display()
    );
    program
}

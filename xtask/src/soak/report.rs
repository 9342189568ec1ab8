//! What a suite prints, passed on and kept: its figures are said once more at the end.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::Result;

/// What libtest says of its own accord, which is no figure.
const HARNESS: [&str; 6] =
    ["running ", "test ", "test result:", "successes:", "failures:", "SEED="];

/// Runs a test binary with its output shown, and gives the lines in which the suites say what they did.
pub fn figures(command: &mut Command) -> Result<Vec<String>> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().expect("the output is piped");
    let mut figures = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        // A test that runs beside others may print behind the name of another.
        let said = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "));
        let text = said.map_or(line.as_str(), |(_, said)| said).trim();
        let is_harness = text.is_empty() || matches!(text, "ok" | "FAILED");
        if !is_harness && !HARNESS.iter().any(|prefix| text.starts_with(prefix)) {
            figures.push(text.to_owned());
        }
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(figures);
    }
    Err(format!("the suite failed: {status}").into())
}

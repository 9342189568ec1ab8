//! Blocks that are not run, so that none is left out by mistake: what each may be, and what else proves it.

use std::fs;

use crate::console::root;
use crate::page::Shown;

/// Blocks that nothing runs: forms, drawings, excerpts of what other places print.
const FORMS: &[&str] = &["text", "conf", "json", "lua", "yaml"];

/// Commands that change the machine or take minutes, and what runs them besides.
const RUN_ELSEWHERE: &[(&str, &str)] = &[
    ("cargo xtask run", "cargo xtask ci"),
    ("cargo xtask test", "cargo xtask ci"),
    ("cargo build --release -p folio-module", "cargo xtask run"),
    ("redis-server --loadmodule target/release/libfolio_module.so", "tests/harness, each server"),
    ("docker build --tag folio .", "nothing: it takes an image registry"),
    ("docker run --publish 127.0.0.1:6379:6379 --volume folio:/data folio", "nothing, as above"),
];

/// What is wrong with a block of this page that is not run.
pub fn fault(page: &str, block: &Shown) -> Option<String> {
    match block.info.as_str() {
        form if FORMS.contains(&form) => None,
        "rust" | "rust,no_run" => {
            let client = fs::read_to_string(root().join("client/src/lib.rs")).unwrap_or_default();
            let is_compiled = client.contains(&format!("include_str!(\"../../{page}\")"));
            (!is_compiled).then(|| "client/src/lib.rs does not have the page compiled".to_owned())
        }
        "sh" => block.text.iter().find_map(|line| unknown(line)),
        other => Some(format!("`{other}` is no kind of block that is run, or known not to be")),
    }
}

/// A command that nobody is known to run.
fn unknown(line: &str) -> Option<String> {
    let line = line.trim();
    let command = line.split("  #").next().unwrap_or_default().trim();
    let is_known = RUN_ELSEWHERE.iter().any(|(known, _)| *known == command);
    let is_command = !command.is_empty() && !command.starts_with('#');
    (is_command && !is_known).then(|| format!("nothing runs `{command}`: make it a console's"))
}

#[test]
fn a_block_that_nothing_proves_is_found() {
    let found = |info: &str, text: &str| {
        let text = text.lines().map(str::to_owned).collect();
        fault("docs/page.md", &Shown { line: 1, info: info.to_owned(), text }).is_some()
    };
    assert!(!found("text", "anything") && !found("sh", "# why\n\ncargo xtask run    # it builds"));
    assert!(found("", "") && found("bash", "") && found("sh", "cargo xtask run\nrm -r x"));
    assert!(found("rust", "") && found("rust,ignore", ""));
    let text = vec!["fn main() {}".to_owned()];
    let block = Shown { line: 1, info: "rust,no_run".to_owned(), text };
    assert_eq!(fault("README.md", &block), None);
}

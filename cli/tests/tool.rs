//! Runs the tool, and reads what it says.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// The tool, pointed at a server.
pub fn folio(url: &str, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_folio"));
    command.env_remove("FOLIO_URL").args(["--url", url]).args(words);
    command
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        Self { code: output.status.code().unwrap_or(-1), out, err }
    }
}

/// Runs it to its end.
pub fn run(url: &str, words: &[&str]) -> Ran {
    run_with(url, words, b"")
}

/// Runs it to its end with something on standard input.
pub fn run_with(url: &str, words: &[&str], input: &[u8]) -> Ran {
    let mut command = folio(url, words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the tool starts");
    let mut stdin = child.stdin.take().expect("its input is piped");
    let input = input.to_vec();
    // It may end before it has read all.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the tool ends");
    writer.join().expect("the input is written");
    Ran::of(&output)
}

//! `folio shell`: scripts, and the prompt in a terminal.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::query::users;
use crate::tool::{run, run_with};

#[test]
fn a_script_is_carried_out_line_by_line() {
    let server = users();
    let script = "\
# a comment, and an empty line

count users where tags has 'vip';
\\set min 40
find users where age >= $min select email
\\explain
distinct users age where age < $min
aggregate users reduce avg(age) as mean
DOC.SET users:4 '{\"email\":\"new\",\"age\":5}'
find users order by age limit 1
\\next
\\l
";
    let ran = run_with(server.url(), &["shell", "--quiet", "--style", "json"], script.as_bytes());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let expected = "\
1
{\"key\":\"users:2\",\"document\":{\"email\":\"grace@example.com\"}}
find users, 100 rows
  in the order of birth
  sorted index age: age >= 40 (1)
18
36
{\"document\":{\"mean\":33}}
4
{\"key\":\"users:4\",\"document\":{\"email\":\"new\",\"age\":5}}
{\"key\":\"users:3\",\"document\":{\"email\":\"l'aquila@example.com\",\"age\":18,\"tags\":[]}}
";
    assert!(ran.out.starts_with(expected), "{}", ran.out);
    assert!(ran.out.contains("│ users      ┆ 4         ┆ yes      ┆ 3       │"), "{}", ran.out);
}

#[test]
fn a_script_ends_with_the_first_failure() {
    let server = users();
    let ran = run_with(server.url(), &["shell"], b"find users wher age\nDOC.DEL users:1\n");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
    assert_eq!(ran.err, "folio: wher begins no clause\n  find users wher age\n             ^\n");
    let ran = run(server.url(), &["shell", "-c", "EXISTS users:1", "-c", "SELECT 1", "-c", "PING"]);
    assert!(ran.out.starts_with("1\n") && !ran.out.contains("PONG"), "{ran:?}");
    assert!(ran.err.contains("SELECT changes the connection"), "{ran:?}");
}

#[test]
fn answers_are_json_for_programs() {
    let server = users();
    let ran = run(server.url(), &["shell", "--json", "-c", "count users", "-c", "\\d users"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "3", "{ran:?}");
    assert!(lines[1].starts_with("{\"schema\":{\"collection\":\"users\""), "{ran:?}");
}

/// A terminal, in which keys are pressed slowly enough to be read one after the other.
#[test]
fn the_prompt_completes_and_remembers() {
    let server = users();
    let home = tempfile::tempdir().expect("a folder");
    let tool = env!("CARGO_BIN_EXE_folio");
    let type_in = |keys: &[&str]| {
        let command = format!("{tool} --url {} shell", server.url());
        let mut terminal = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env("HOME", home.path())
            .env("XDG_STATE_HOME", home.path())
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script is there");
        let mut input = terminal.stdin.take().expect("piped");
        for key in keys {
            std::thread::sleep(Duration::from_millis(500));
            input.write_all(key.as_bytes()).expect("typed");
        }
        std::thread::sleep(Duration::from_millis(500));
        input.write_all(b"\\q\r").expect("typed");
        let output = terminal.wait_with_output().expect("it ends");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let seen = type_in(&["find us\t", "where ema\t", "= 'ada@example.com' sel\t", "age\r"]);
    assert!(seen.contains("│ users:1 ┆ 36  │"), "{seen}");
    let history = std::fs::read_to_string(home.path().join("folio/history")).expect("a history");
    assert!(history.contains("find users where email = 'ada@example.com' select age"), "{history}");
    // The arrow that points upwards brings the last line back.
    let seen = type_in(&["\x1b[A", "\x1b[A", "\r"]);
    assert!(seen.contains("│ users:1 ┆ 36  │"), "{seen}");
}

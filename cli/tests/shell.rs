//! `folio shell`: scripts, and the prompt in a terminal.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
fn words_that_nobody_knows_are_told() {
    let server = users();
    for word in ["DOC.FNID users", "cities where a = 1"] {
        let ran = run(server.url(), &["shell", "-c", word]);
        let name = word.split(' ').next().unwrap_or_default();
        let told =
            format!("folio: {name} is no command of the server; \\? lists what is understood\n");
        assert_eq!((ran.code, ran.err), (2, told));
    }
    let ran = run(server.url(), &["shell", "-c", "help", "-c", "exit", "-c", "PING"]);
    assert!(ran.code == 0 && ran.out.contains("\\explain") && !ran.out.contains("PONG"), "{ran:?}");
}

#[test]
fn answers_are_json_for_programs() {
    let server = users();
    let ran = run(server.url(), &["shell", "--json", "-c", "count users", "-c", "\\d users"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "3", "{ran:?}");
    assert!(lines[1].starts_with("{\"schema\":{\"collection\":\"users\""), "{ran:?}");
}

/// What the editor writes when it has begun to read keys: it takes what is pasted as a whole.
const READY: &str = "\x1b[?2004h";

/// A line without anything in it, drawn anew.
const READY_LINE: &str = "\r\x1b[Kfolio> \r";

/// A terminal with the tool in it.
struct Terminal {
    child: Child,
    input: ChildStdin,
    seen: Arc<Mutex<String>>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves it running.
        let _ = self.child.kill();
    }
}

impl Terminal {
    fn open(url: &str, home: &Path) -> Self {
        let command = format!("{} --url {url} shell", env!("CARGO_BIN_EXE_folio"));
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .envs([("HOME", home), ("XDG_STATE_HOME", home), ("TERM", Path::new("xterm"))])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script is there");
        let input = child.stdin.take().expect("piped");
        let mut output = child.stdout.take().expect("piped");
        let seen = Arc::<Mutex<String>>::default();
        let written = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut part) {
                written.lock().expect("whole").push_str(&String::from_utf8_lossy(&part[..length]));
            }
        });
        let terminal = Self { child, input, seen };
        terminal.wait_for(READY);
        terminal
    }

    /// Waits until this is drawn, and forgets what was drawn up to then.
    fn wait_for(&self, text: &str) {
        let begun = Instant::now();
        loop {
            let mut seen = self.seen.lock().expect("whole");
            if let Some(at) = seen.find(text) {
                seen.drain(..at + text.len());
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "no {text:?} in {seen:?}");
            drop(seen);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses keys, and waits until this is drawn.
    fn press(&mut self, keys: &str, drawn: &str) {
        self.input.write_all(keys.as_bytes()).expect("typed");
        self.wait_for(drawn);
    }

    fn leave(mut self) {
        self.input.write_all(b"\\q\r").expect("typed");
        let begun = Instant::now();
        let ended = loop {
            if let Some(ended) = self.child.try_wait().expect("it is a child") {
                break ended;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(ended.success());
    }
}

#[test]
fn the_prompt_completes_and_remembers() {
    let server = users();
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(server.url(), home.path());
    // A blank that is no space is one letter of several bytes.
    terminal.press("find\u{3000}us\t\x15", READY_LINE);
    terminal.press("find us\t", "find users ");
    terminal.press("where ema\t", "where email ");
    terminal.press("= 'ada@example.com' sel\t", "select ");
    terminal.press("age\r", "│ users:1 ┆ 36  │");
    terminal.wait_for(READY);
    terminal.press("find users limit ten\r", "limit takes a number");
    terminal.wait_for(READY);
    terminal.press("AUTH ada secret\r", "AUTH changes the connection");
    terminal.wait_for(READY);
    terminal.leave();
    let history = std::fs::read_to_string(home.path().join("folio/history")).expect("a history");
    assert!(history.contains("find users where email = 'ada@example.com' select age"), "{history}");
    assert!(!history.contains("secret"), "{history}");
    // The arrow that points upwards brings lines back.
    let mut terminal = Terminal::open(server.url(), home.path());
    terminal.press("\x1b[A", "limit ten");
    terminal.press("\x1b[A", "select age");
    terminal.press("\r", "│ users:1 ┆ 36  │");
    terminal.wait_for(READY);
    terminal.leave();
}

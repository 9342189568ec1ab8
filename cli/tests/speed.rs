//! How fast an import is beside a client that does nothing but send: it writes the same `DOC.SET` commands, made before the
//! clock runs, into a socket, and another thread counts the replies.
//!
//! A million lines, as they are measured for the documentation:
//!
//! ```sh
//! cargo build --release -p folio-cli -p folio-module
//! FOLIO_MODULE=$PWD/target/release/libfolio_module.so FOLIO_TOOL=$PWD/target/release/folio FOLIO_SPEED_LINES=1000000 \
//!     cargo test -p folio-cli --test cli speed -- --nocapture
//! ```

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Instant;

use folio_tests::Server;

/// What an import has to reach of the raw client's speed.
const SHARE_MIN: f64 = 0.5;
/// The same of a tool without optimization, while other tests run beside this one.
const SHARE_MIN_UNOPTIMIZED: f64 = 0.1;

fn document(number: usize) -> String {
    format!(
        "{{\"id\":{number},\"name\":\"Ada Lovelace {number}\",\"email\":\"ada{number}@example.org\",\
         \"age\":{},\"balance\":{}.10,\"tags\":[\"math\",\"poetry\"],\
         \"address\":{{\"city\":\"London\",\"zip\":\"W1\"}}}}",
        number % 90,
        number % 1000
    )
}

/// Lines a second of the raw client.
fn raw(server: &Server, lines: usize) -> f64 {
    let mut commands = String::new();
    for number in 0..lines {
        let (key, document) = (format!("raw:{number}"), document(number));
        let (key_length, length) = (key.len(), document.len());
        write!(
            commands,
            "*3\r\n$7\r\nDOC.SET\r\n${key_length}\r\n{key}\r\n${length}\r\n{document}\r\n"
        )
        .unwrap();
    }
    let address = server.url().trim_start_matches("redis://").split('/').next().unwrap().to_owned();
    let mut stream = TcpStream::connect(address.rsplit('@').next().unwrap()).unwrap();
    let mut replies = stream.try_clone().unwrap();
    let started = Instant::now();
    let counting = std::thread::spawn(move || {
        let (mut buffer, mut count) = (vec![0; 1 << 18], 0);
        while count < lines {
            let read = replies.read(&mut buffer).unwrap();
            assert!(read > 0, "the server closes the connection");
            assert!(!buffer[..read].contains(&b'-'), "the server refuses a document");
            count += buffer[..read].split(|byte| *byte == b'\n').count() - 1;
        }
    });
    stream.write_all(commands.as_bytes()).unwrap();
    counting.join().unwrap();
    lines as f64 / started.elapsed().as_secs_f64()
}

/// Lines a second of the tool, with its start and its end.
fn tool(server: &Server, lines: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines.jsonl");
    let text: String = (0..lines).fold(String::new(), |mut text, number| {
        text.push_str(&document(number));
        text.push('\n');
        text
    });
    std::fs::write(&file, text).unwrap();
    let tool = std::env::var("FOLIO_TOOL").unwrap_or(env!("CARGO_BIN_EXE_folio").into());
    let mut command = Command::new(tool);
    command.args(["--url", server.url(), "import", "-c", "tool"]).arg(&file);
    let started = Instant::now();
    let output = command.output().unwrap();
    let seconds = started.elapsed().as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    lines as f64 / seconds
}

#[test]
fn an_import_keeps_up_with_a_client_that_only_sends() {
    let lines = std::env::var("FOLIO_SPEED_LINES").map_or(100_000, |text| text.parse().unwrap());
    let server = Server::start();
    let raw = raw(&server, lines);
    let tool = tool(&server, lines);
    let count = server.resp3().int(&["DOC.COUNT", "tool"]);
    assert_eq!(count, lines as i64);
    let share = tool / raw;
    println!("{lines} lines: raw {raw:.0} a second, import {tool:.0} a second, share {share:.2}");
    let is_optimized = std::env::var_os("FOLIO_TOOL").is_some();
    assert!(share > if is_optimized { SHARE_MIN } else { SHARE_MIN_UNOPTIMIZED }, "{share}");
}

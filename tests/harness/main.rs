//! The harness itself: servers start, keep their data when asked to, and end.

#![forbid(unsafe_code)]

use std::fs;
use std::net::TcpStream;

use folio_tests::{Options, Server};

fn address(server: &Server) -> String {
    server.url().trim_start_matches("redis://").to_owned()
}

#[test]
fn a_server_has_the_module_and_ends_with_its_value() {
    let server = Server::start();
    let modules = format!("{:?}", server.resp2().call(&["MODULE", "LIST"]));
    // redis shows names as byte strings
    assert!(modules.contains("bulk-string('\"folio\"')"), "{modules}");
    let (address, folder) = (address(&server), server.folder().to_path_buf());
    drop(server);
    assert!(TcpStream::connect(address).is_err());
    assert!(fs::metadata(folder).is_err());
}

#[test]
fn a_restart_keeps_what_was_saved() {
    let mut server = Server::start();
    server.resp3().call(&["SET", "a", "1"]);
    server.restart();
    assert_eq!(server.resp3().text(&["GET", "a"]).as_deref(), Some("1"));
    server.resp2().call(&["SET", "a", "2"]);
    server.restart_without_saving();
    assert_eq!(server.resp2().text(&["GET", "a"]).as_deref(), Some("1"));
}

#[test]
fn an_append_only_file_outlives_a_crash() {
    let mut server = Options::new().appendonly().start();
    server.resp2().call(&["SET", "a", "1"]);
    server.kill();
    server.start_again();
    assert_eq!(server.resp2().text(&["GET", "a"]).as_deref(), Some("1"));
}

#[test]
fn an_error_is_the_servers_whole_line() {
    let server = Server::start();
    let mut client = server.resp2();
    client.call(&["SET", "a", "x"]);
    assert_eq!(
        client.error(&["LPUSH", "a", "1"]),
        "WRONGTYPE Operation against a key holding the wrong kind of value"
    );
}

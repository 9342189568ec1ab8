//! One command to a server on this machine, as bytes: what is asked before a client can connect.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::Result;

/// Sends one command, behind AUTH if there is a password, and gives the reply as it comes over the wire.
pub fn ask(port: u16, command: &str) -> Result<String> {
    let Some(password) = password() else { return send(port, &[command]) };
    let auth = format!("*2\r\n$4\r\nAUTH\r\n${}\r\n{password}", password.len());
    let replies = send(port, &[&auth, command])?;
    // A server without a password refuses AUTH, and that is fine.
    Ok(replies.split_once("\r\n").map_or_else(String::new, |(_, reply)| reply.to_owned()))
}

/// Where a client connects to; with the password if the server asks for one.
pub fn url(port: u16) -> Result<String> {
    let asks = send(port, &["PING"])?.starts_with("-NOAUTH");
    let mut user = String::new();
    if let Some(password) = password().filter(|_| asks) {
        let escaped: Vec<String> = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
        user = format!(":{}@", escaped.concat());
    }
    Ok(format!("redis://{user}127.0.0.1:{port}"))
}

/// The password of the demo's server: `FOLIO_DEMO_PASSWORD`.
fn password() -> Option<String> {
    env::var("FOLIO_DEMO_PASSWORD").ok().filter(|password| !password.is_empty())
}

fn send(port: u16, commands: &[&str]) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    // QUIT closes the connection, so that the reply has an end.
    stream.write_all(format!("{}\r\nQUIT\r\n", commands.join("\r\n")).as_bytes())?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

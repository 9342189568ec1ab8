//! Every error that a server can answer with, and what the client makes of it.

use folio::{Error, Folio};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::transport::runtime;

/// A server that answers every command with the same line, but for what a connection is opened with.
async fn answering(line: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(answer(client, line));
        }
    });
    format!("redis://{address}/?protocol=resp2")
}

async fn answer(mut client: TcpStream, line: &'static str) {
    let (mut seen, mut buffer) = (Vec::new(), [0; 4_096]);
    while let Ok(count @ 1..) = client.read(&mut buffer).await {
        seen.extend_from_slice(&buffer[..count]);
        while let Some((name, length)) = command(&seen) {
            seen.drain(..length);
            let text = if name == "CLIENT" { "+OK".to_owned() } else { format!("-{line}") };
            if client.write_all(format!("{text}\r\n").as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

/// The name of the first command, and how many bytes it has; `None` if it is not whole.
fn command(bytes: &[u8]) -> Option<(String, usize)> {
    let text = String::from_utf8_lossy(bytes);
    let (head, _) = text.split_once("\r\n")?;
    let count: usize = head.strip_prefix('*')?.parse().ok()?;
    let (mut at, mut name) = (head.len() + 2, None);
    for _ in 0..count {
        let (length, _) = text.get(at..)?.strip_prefix('$')?.split_once("\r\n")?;
        let begin = at + 1 + length.len() + 2;
        let end = begin + length.parse::<usize>().ok()?;
        let word = text.get(begin..end)?;
        text.get(end..end + 2)?;
        name.get_or_insert_with(|| word.to_ascii_uppercase());
        at = end + 2;
    }
    Some((name?, at))
}

/// What an error is, in a word.
fn kind(error: &Error) -> &'static str {
    match error {
        Error::NotFound { .. } => "not found",
        Error::AlreadyExists { .. } => "already exists",
        Error::UniqueViolation(_) => "unique violation",
        Error::VersionConflict { .. } => "version conflict",
        Error::Validation(_) => "validation",
        Error::UnindexedQuery(_) => "unindexed query",
        Error::IndexBuilding(_) => "index building",
        Error::Function(_) => "function",
        Error::ModuleMissing => "module missing",
        Error::Server(_) => "server",
        _ => "another",
    }
}

/// Line, kind, whether it is worth another try.
const LINES: [(&str, &str, bool); 45] = [
    // Folio's own: docs/commands.md.
    ("NOTFOUND no document under 'users:1'", "not found", false),
    ("EXISTS 'users:1' is there already", "already exists", false),
    ("UNIQUE the value at email is held by users:2", "unique violation", false),
    ("UNIQUE documents hold the same value", "server", false),
    ("VERSION expected version 3 of 'users:1', found 4", "version conflict", false),
    ("SCHEMA field age is declared int, found \"old\"", "validation", false),
    ("SCHEMA DEFAULT: field n is 6, above the maximum of 5", "server", false),
    ("NOINDEX no index answers", "unindexed query", false),
    ("BUILDING a declaration of 'users' is being built", "index building", true),
    ("CHECK operation 2: the condition does not hold of 'users:1'", "server", false),
    ("FILTER expected a path at position 3", "server", false),
    ("PATH expected a name at position 0", "server", false),
    ("JSON expected a value at position 1", "server", false),
    ("TOOBIG a document of 9 bytes exceeds the limit of 8", "server", false),
    ("LIMITED more than 10000 documents", "server", false),
    ("TIMEOUT the query took longer than 5 ms", "server", false),
    ("CURSOR it is of another query", "server", false),
    ("NOCOLLECTION there is no collection 'users'", "server", false),
    ("COLLECTIONEXISTS 'users' is declared otherwise", "server", false),
    ("OVERFLOW the number leaves the range of an int", "server", false),
    ("FUNCTION function 'text.slug', line 3: attempt to index nil with 'x'", "function", false),
    ("TEST operation 1 of the patch", "server", false),
    // The server's.
    ("ERR unknown command 'DOC.SET', with args beginning with: 'a' ", "module missing", false),
    ("ERR syntax error", "server", false),
    ("ERR wrong number of arguments for 'doc.set' command", "server", false),
    ("WRONGTYPE Operation against a key holding the wrong kind of value", "server", false),
    ("OOM command not allowed when used memory > 'maxmemory'.", "server", false),
    ("NOAUTH Authentication required.", "server", false),
    ("WRONGPASS invalid username-password pair or user is disabled.", "server", false),
    ("NOPERM this user has no permissions to run the 'doc.set' command", "server", false),
    ("LOADING Redis is loading the dataset in memory", "server", true),
    ("BUSY Redis is busy running a script.", "server", true),
    ("READONLY You can't write against a read only replica.", "server", true),
    ("MASTERDOWN Link with MASTER is down", "server", true),
    ("MISCONF Redis is configured to save RDB snapshots", "server", false),
    ("NOREPLICAS Not enough good replicas to write.", "server", false),
    ("EXECABORT Transaction discarded because of previous errors.", "server", false),
    ("NOSCRIPT No matching script.", "server", false),
    ("UNBLOCKED force unblock from blocking operation", "server", false),
    ("MOVED 3999 127.0.0.1:6381", "server", false),
    ("ASK 3999 127.0.0.1:6381", "server", false),
    ("TRYAGAIN Multiple keys request during rehashing of slot", "server", true),
    ("CLUSTERDOWN The cluster is down", "server", true),
    ("CROSSSLOT Keys in request don't hash to the same slot", "server", false),
    ("LATERCODE of a version that is not there yet", "server", false),
];

#[test]
fn every_refusal_has_its_code_and_says_that_nothing_changed() {
    runtime().block_on(async {
        for (line, expected, is_retryable) in LINES {
            let db = Folio::connect(&answering(line).await).await;
            let db = db.unwrap_or_else(|error| panic!("{line}: {error}"));
            let code = line.split(' ').next();
            let code = if expected == "module missing" { None } else { code };
            for db in [db.clone(), db.pooled(), db.read_from_replica()] {
                let write = db.set("users:1", &json!({})).await.expect_err(line);
                let read = db.get::<serde_json::Value>("users:1").await.expect_err(line);
                for error in [write, read] {
                    assert_eq!((kind(&error), error.code()), (expected, code), "{error:?}");
                    assert_eq!(error.is_retryable(), is_retryable, "{error:?}");
                    assert!(!error.is_ambiguous(), "{error:?}");
                }
            }
        }
    });
}

#[test]
fn a_server_that_speaks_no_protocol_is_a_broken_connection() {
    runtime().block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            }
        });
        let outcome = async {
            let db = Folio::connect(&format!("redis://{address}")).await?;
            db.set("users:1", &json!({})).await
        };
        let error = outcome.await.expect_err("it is no server of this kind");
        assert!(matches!(error, Error::Connection { .. }), "{error:?}");
    });
}

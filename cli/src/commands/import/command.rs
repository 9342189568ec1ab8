//! The command that a document is sent with.

use redis::Cmd;

/// What happens to a document whose key holds one already.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The new one takes its place
    Replace,
    /// The line is rejected
    Insert,
    /// The line is skipped, and counted
    Skip,
    /// Its members are merged into the one that is there (RFC 7396)
    Merge,
}

/// How long a document is to live.
#[derive(Clone, Copy, Debug)]
pub enum Ttl {
    /// As the collection declares it.
    Declared,
    Seconds(u64),
    Milliseconds(u64),
}

/// A command for a document.
pub struct Command {
    pub command: Cmd,
    /// Whether it comes to the same when it is sent twice.
    pub can_repeat: bool,
}

/// Writes a document under a key.
pub fn set(mode: Mode, key: &str, document: &str, ttl: Ttl) -> Command {
    let mut command = Cmd::with_capacity(6, key.len() + document.len() + 32);
    match mode {
        Mode::Merge => command.arg("DOC.UPDATE").arg(key).arg("UPSERT").arg("MERGE").arg(document),
        _ => command.arg("DOC.SET").arg(key).arg(document),
    };
    if matches!(mode, Mode::Insert | Mode::Skip) {
        command.arg("NX");
    }
    let can_repeat = matches!(mode, Mode::Replace | Mode::Merge);
    Command { command: with_ttl(command, ttl), can_repeat }
}

/// Creates a document under an id that the server makes.
pub fn insert(collection: &str, document: &str, ttl: Ttl) -> Command {
    let mut command = Cmd::with_capacity(5, collection.len() + document.len() + 32);
    command.arg("DOC.INSERT").arg(collection).arg(document);
    Command { command: with_ttl(command, ttl), can_repeat: false }
}

fn with_ttl(mut command: Cmd, ttl: Ttl) -> Cmd {
    match ttl {
        Ttl::Declared => {}
        Ttl::Seconds(count) => {
            command.arg("EX").arg(count);
        }
        Ttl::Milliseconds(count) => {
            command.arg("PX").arg(count);
        }
    }
    command
}

//! The commands. `table` declares every one of them once; a file here is one command or a few that belong together.

mod aggregate;
mod alter;
mod apply;
mod args;
mod buckets;
mod collections;
mod condition;
mod create;
mod delete;
mod explain;
#[cfg(feature = "planted-faults")]
pub(crate) mod fault;
mod find;
mod function;
mod get;
mod insert;
mod many;
mod migrate;
mod mset;
mod operations;
mod options;
mod query;
mod reference;
mod set;
pub(crate) mod shapes;
pub(crate) mod slowlog;
mod spec;
mod table;
mod transaction;
mod txn;
mod update;
mod write;

use std::fmt;

use folio_engine::{Code, Error};

use crate::acl::Right;

pub use reference::reference_markdown;

pub(crate) use args::{Args, Words, of_document};
pub(crate) use migrate::migrate_document;
pub(crate) use spec::{Access, Argument, Command, Kind};
pub(crate) use table::TABLE;

/// What a command ends with. On success it has sent its reply.
pub(crate) type Answer = Result<(), Refusal>;

/// Why a command did nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// An error of the engine or of the arguments.
    Error(Error),
    /// The key holds a value of another type.
    WrongType,
    /// The key of the collection's change stream, which is this one, holds a value of another type.
    NoStream(Box<str>),
    /// The user is no administrator.
    NotPermitted,
    /// The user may not do that to every key.
    NotAllKeys(Right),
    /// The user may not do that to every key of a collection.
    Forbidden {
        /// What the user calls it; nothing else is told of it.
        collection: Box<str>,
        /// What it takes.
        right: Right,
    },
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Error(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Error(error) => error.fmt(f),
            Refusal::WrongType => {
                f.write_str("WRONGTYPE Operation against a key holding the wrong kind of value")
            }
            Refusal::NoStream(key) => {
                let key = args::shown(key.as_bytes());
                write!(
                    f,
                    "WRONGTYPE the key {key} of the collection's change stream holds another type"
                )
            }
            Refusal::NotPermitted => f.write_str(
                "NOPERM this command is Folio's own: replicas and administrators may run it",
            ),
            Refusal::NotAllKeys(right) => {
                write!(f, "NOPERM this user may not {right} every key, as functions do")
            }
            Refusal::Forbidden { collection, right } => {
                let name = args::shown(collection.as_bytes());
                write!(f, "NOPERM this user may not {right} every key of collection {name}")
            }
        }
    }
}

/// The error that names an absent collection.
pub(crate) fn no_collection(db: u32, name: &str) -> Refusal {
    let hint = if name.ends_with(':') {
        "a collection's name comes without ':'"
    } else {
        "DOC.LIST names them"
    };
    let what = format!("no collection '{name}' in database {db}; {hint}");
    Error::new(Code::NoCollection, what).into()
}

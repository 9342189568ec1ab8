//! What replicas and append-only files get.

use super::super::apply;
use super::super::spec::{Access, Argument, Command, Kind};
use super::{JSON, KEY, one_key};

/// `DOC._APPLY`.
pub(super) const DOC_APPLY: Command = Command {
    name: "DOC._APPLY",
    summary: "Internal: puts a document with the numbers and times that a primary gave it. Judges nothing.",
    complexity: "as DOC.SET",
    since: "0.1.0",
    flags: "write deny-oom admin fast",
    categories: "write fast admin dangerous",
    tips: "",
    arity: -4,
    keys: Some(one_key(Access::Overwrite)),
    right: None,
    arguments: &[
        KEY,
        Argument::new("numbers", Kind::String),
        JSON,
        Argument::word("DELETED").optional(),
        Argument::new("timed", Kind::String).after("TIMED").optional(),
    ],
    reply: "OK. The numbers are `version,seq,created,updated,expires`, with `,schema` behind them where the schema version is not 0, or five words, as older files have them. Times are milliseconds since 1970, `expires` is -1 for none; with DELETED the document is marked as deleted, at the time `updated`; TIMED tells which of its paths have a TTL, as a JSON object of paths and instants. Replicas and the append-only file get every write in this form",
    errors: &["`NOPERM` the user is no administrator", "`JSON` the text is not well-formed"],
    example: ("DOC._APPLY users:1 7,3,1700000000000,1700000000000,-1 '{\"name\":\"Ada\"}'", "OK"),
    run: apply::apply,
};

/// `DOC._STATE`.
pub(super) const DOC_STATE: Command = Command {
    name: "DOC._STATE",
    summary: "Internal: sets definitions and counters of the selected database, as a rewritten append-only file holds them.",
    complexity: "O(N) in the number of fields of all collections",
    since: "0.1.0",
    flags: "write deny-oom admin",
    categories: "write slow admin dangerous",
    tips: "",
    arity: 2,
    keys: None,
    right: None,
    arguments: &[JSON],
    reply: "OK",
    errors: &[
        "`NOPERM` the user is no administrator, or may not read and write every key",
        "`SCHEMA` the text is not of that form",
    ],
    example: ("DOC._STATE '{\"floor\":{\"version\":0,\"seq\":0},\"collections\":[]}'", "OK"),
    run: apply::set_state,
};

//! Functions that run beside the documents.

use super::super::function;
use super::super::spec::{Access, Argument, Command, Kind};
use super::documents::{IF, IF_VERSION};
use super::{JSON, KEY, PARAMS, one_key};

const NAME: Argument = Argument::new("name", Kind::String);
const REPLACE: Argument = Argument::word("REPLACE").optional();
const NOT_ALLOWED: &str = "`NOPERM` the user may not read and write every key";

/// `DOC.FUNCTION LOAD`.
pub(super) const LOAD: Command = Command {
    name: "DOC.FUNCTION LOAD",
    summary: "Loads a function, which is written in Luau, for all databases of the server.",
    complexity: "O(N) in the bytes of the source",
    since: "0.1.0",
    flags: "write deny-oom",
    categories: "write slow dangerous",
    tips: "request_policy:all_shards response_policy:all_succeeded",
    arity: -4,
    keys: None,
    right: None,
    arguments: &[
        REPLACE,
        Argument::new("n", Kind::Integer).after("STEPS").optional(),
        Argument::new("bytes", Kind::Integer).after("MEMORY").optional(),
        NAME,
        Argument::new("source", Kind::String),
    ],
    reply: "OK, also when the function is there already, with the same source and bounds. The source is the body of a function: `doc` is the document, `...` are the other arguments. STEPS and MEMORY bound each call, and are the settings `folio.function-steps-max` and `folio.function-bytes-max` where they are left out; what was loaded keeps its bounds when these are lowered. Names are letters, digits and `_`, in parts joined by `.`. Functions are in snapshots, in the append-only file and on replicas, and FLUSHALL leaves them. Needs permission to read and write every key",
    errors: &[
        "`FUNCTION` the source cannot be compiled; the name is none; a function of the name is loaded, without REPLACE; with it, a declaration uses the function",
        "`TOOBIG` the source is longer than `folio.function-source-bytes-max`",
        "`LIMITED` STEPS or MEMORY exceeds its setting, or 1,024 functions are loaded",
        NOT_ALLOWED,
    ],
    example: ("DOC.FUNCTION LOAD birthday 'return {age = doc.age + 1}'", "OK"),
    run: function::load,
};

/// `DOC.FUNCTION DELETE`.
pub(super) const DELETE: Command = Command {
    name: "DOC.FUNCTION DELETE",
    summary: "Takes a function away.",
    complexity: "O(N) in the number of declared fields of all collections",
    since: "0.1.0",
    flags: "write",
    categories: "write slow dangerous",
    tips: "request_policy:all_shards response_policy:all_succeeded",
    arity: 3,
    keys: None,
    right: None,
    arguments: &[NAME],
    reply: "OK. Needs permission to read and write every key",
    errors: &[
        "`FUNCTION` no function of the name is loaded, or a declaration uses it",
        NOT_ALLOWED,
    ],
    example: ("DOC.FUNCTION DELETE birthday", "OK"),
    run: function::delete,
};

/// `DOC.FUNCTION LIST`.
pub(super) const LIST: Command = Command {
    name: "DOC.FUNCTION LIST",
    summary: "Lists the functions that are loaded.",
    complexity: "O(N M) in the number of functions and of declared fields of all collections",
    since: "0.1.0",
    flags: "readonly",
    categories: "read slow",
    tips: "request_policy:all_shards",
    arity: 2,
    keys: None,
    right: None,
    arguments: &[],
    reply: "an array of maps, in the order of names: `name`, `steps`, `memory` (the bounds of a call), `bytes` (of the source), `uses` (an array of the declarations that use it, in words). Needs permission to read every key",
    errors: &["`NOPERM` the user may not read every key"],
    example: (
        "DOC.FUNCTION LIST",
        "1)  1) \"name\"\n    2) \"birthday\"\n    3) \"steps\"\n    4) (integer) 100000\n    ..",
    ),
    run: function::list,
};

/// `DOC.FUNCTION DUMP`.
pub(super) const DUMP: Command = Command {
    name: "DOC.FUNCTION DUMP",
    summary: "Gives functions as one text, in the form that DOC.FUNCTION RESTORE reads.",
    complexity: "O(N) in the bytes of the sources",
    since: "0.1.0",
    flags: "readonly",
    categories: "read slow",
    tips: "request_policy:all_shards",
    arity: -2,
    keys: None,
    right: None,
    arguments: &[NAME.optional().multiple()],
    reply: "a JSON array of objects with `name`, `source`, `steps` and `memory`: of the functions named, else of all, in the order of names. Needs permission to read every key",
    errors: &[
        "`FUNCTION` no function of that name is loaded",
        "`NOPERM` the user may not read every key",
    ],
    example: (
        "DOC.FUNCTION DUMP birthday",
        "\"[{\\\"name\\\":\\\"birthday\\\",\\\"source\\\":\\\"return {age = doc.age + 1}\\\",\\\"steps\\\":100000,\\\"memory\\\":4194304}]\"",
    ),
    run: function::dump,
};

/// `DOC.FUNCTION RESTORE`.
pub(super) const RESTORE: Command = Command {
    name: "DOC.FUNCTION RESTORE",
    summary: "Loads the functions of a text that DOC.FUNCTION DUMP gave, all or none.",
    complexity: "O(N) in the bytes of the sources",
    since: "0.1.0",
    flags: "write deny-oom",
    categories: "write slow dangerous",
    tips: "request_policy:all_shards response_policy:all_succeeded",
    arity: -3,
    keys: None,
    right: None,
    arguments: &[JSON, REPLACE],
    reply: "OK. Needs permission to read and write every key",
    errors: &[
        "`JSON` the text is not well-formed; `ERR` it is of another form",
        "the errors of DOC.FUNCTION LOAD",
    ],
    example: (
        "DOC.FUNCTION RESTORE '[{\"name\":\"older\",\"source\":\"return {age = doc.age + 1}\",\"steps\":1000,\"memory\":65536}]'",
        "OK",
    ),
    run: function::restore,
};

/// `DOC.CALL`.
pub(super) const DOC_CALL: Command = Command {
    name: "DOC.CALL",
    summary: "Calls a function on one document, and merges what it gives into the document (RFC 7396). The TTL stays.",
    complexity: "within the bounds of the function, and as of DOC.UPDATE with one MERGE",
    since: "0.1.0",
    flags: "write deny-oom",
    categories: "write slow",
    tips: "",
    arity: -3,
    keys: Some(one_key(Access::Update)),
    right: None,
    arguments: &[
        KEY,
        IF_VERSION,
        IF,
        PARAMS,
        Argument::new("function", Kind::String),
        Argument::new("arg", Kind::String).optional().multiple(),
    ],
    reply: "what the function replies, its second result, as JSON text; the document's version, an integer, where it replies nothing; null when IF is not met. Its first result is a merge patch: an object, or nothing, which changes nothing. Each argument is JSON. What comes to the same text keeps the version. The conditions stand before the function",
    errors: &[
        "`NOTFOUND` the key is absent, without IF",
        "`FUNCTION` no function of that name is loaded, it fails or takes more than its bounds (with the line), or what it gives is no object",
        "`JSON` an argument is not well-formed; with its number and the byte",
        "`SCHEMA`, `UNIQUE`, `VERSION`, `FILTER`, `TOOBIG`, `LIMITED` as for DOC.UPDATE",
    ],
    example: ("DOC.CALL users:1 birthday", "(integer) 3"),
    run: function::call,
};

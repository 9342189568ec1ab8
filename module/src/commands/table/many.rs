//! Several documents at once.

use super::super::spec::{Access, Argument, Command, Keys, Kind};
use super::super::{many, txn};
use super::documents::OPERATIONS;
use super::queries::{ORDER, TIMEOUT};
use super::{COLLECTION, KEY, PARAMS, SCAN, WITH_VERSION};
use crate::acl::Right;

const WHICH: Argument = Argument::new("filter", Kind::String).after("WHERE");
const AT_MOST: Argument = Argument::new("count", Kind::Integer).after("LIMIT").optional();
const OPERATION: Argument = Argument::one_of("operation", OPERATIONS).multiple();

/// What a search for documents to change can answer.
const ERRORS: &[&str] = &[
    "`LIMITED` more than 10,000 documents would be changed, or `folio.query-bytes-max` bytes of them: use LIMIT",
    "`NOCOLLECTION`, `FILTER`, `PATH`, `NOINDEX`, `TIMEOUT` as for DOC.FIND",
    "the errors of DOC.UPDATE, with the key of the document",
];

/// `DOC.UPDATEMANY`.
pub(super) const DOC_UPDATEMANY: Command = Command {
    name: "DOC.UPDATEMANY",
    summary: "Applies operations to every document that a filter holds of, all or none.",
    complexity: "as of DOC.FIND, and as of DOC.UPDATE for each document",
    since: "0.1.0",
    flags: "write deny-oom",
    categories: "write slow",
    tips: "request_policy:all_shards response_policy:special",
    arity: -5,
    keys: None,
    right: Some(Right::Both),
    arguments: &[COLLECTION, WHICH, PARAMS, ORDER, AT_MOST, SCAN, TIMEOUT, OPERATION],
    reply: "a map: `matched`, how many documents were found; `changed`, how many of them have another text now. Uniqueness is judged as all of them will stand. LIMIT takes the first so many, in the order of birth or of ORDER",
    errors: ERRORS,
    example: (
        "DOC.UPDATEMANY users WHERE 'age >= 18' SET adult true",
        "1) \"matched\"\n2) (integer) 1\n3) \"changed\"\n4) (integer) 1",
    ),
    run: many::update,
};

/// `DOC.DELETEMANY`.
pub(super) const DOC_DELETEMANY: Command = Command {
    name: "DOC.DELETEMANY",
    summary: "Removes every document that a filter holds of, all or none.",
    complexity: "as of DOC.FIND, plus O(log M) for each index of each document",
    since: "0.1.0",
    flags: "write",
    categories: "write slow",
    tips: "request_policy:all_shards response_policy:special",
    arity: -4,
    keys: None,
    right: Some(Right::Both),
    arguments: &[COLLECTION, WHICH, PARAMS, ORDER, AT_MOST, SCAN, TIMEOUT],
    reply: "a map: `matched` and `changed`, both how many documents were removed. LIMIT takes the first so many, in the order of birth or of ORDER",
    errors: &[
        "`LIMITED` more than 10,000 documents would be removed: use LIMIT",
        "`NOCOLLECTION`, `FILTER`, `PATH`, `NOINDEX`, `TIMEOUT` as for DOC.FIND",
    ],
    example: (
        "DOC.DELETEMANY users WHERE 'age < 0'",
        "1) \"matched\"\n2) (integer) 0\n3) \"changed\"\n4) (integer) 0",
    ),
    run: many::delete,
};

/// `DOC.CLAIM`.
pub(super) const DOC_CLAIM: Command = Command {
    name: "DOC.CLAIM",
    summary: "Finds documents and updates them in one step, and replies with them.",
    complexity: "as of DOC.FIND, and as of DOC.UPDATE for each document",
    since: "0.1.0",
    flags: "write deny-oom",
    categories: "write slow",
    tips: "request_policy:all_shards response_policy:special",
    arity: -5,
    keys: None,
    right: Some(Right::Both),
    arguments: &[
        COLLECTION,
        WHICH,
        PARAMS,
        ORDER,
        AT_MOST,
        SCAN,
        TIMEOUT,
        OPERATION,
        Argument::one_of("return", &[Argument::word("NEW"), Argument::word("OLD")])
            .after("RETURN")
            .optional(),
        WITH_VERSION,
    ],
    reply: "a map: `results`, an array of `[key, json]` (with WITHVERSION `[key, json, version]`), each document as it is after the update, or with RETURN OLD as it was before. Without LIMIT one document at most; in the order of birth or of ORDER",
    errors: ERRORS,
    example: (
        "DOC.CLAIM jobs WHERE \"state = 'waiting'\" SET state '\"running\"' NOW lease 30s",
        "1) \"results\"\n2) 1) 1) \"jobs:1\"\n      2) ..",
    ),
    run: many::claim,
};

/// `DOC.TXN`.
pub(super) const DOC_TXN: Command = Command {
    name: "DOC.TXN",
    summary: "Does operations on several documents, all or none.",
    complexity: "as of DOC.SET, DOC.UPDATE and DOC.DEL, for each operation",
    since: "0.1.0",
    flags: "write deny-oom",
    categories: "write",
    tips: "",
    arity: -3,
    keys: Some(Keys { last: -2, access: Access::Update, step: 1, before: &[] }),
    right: None,
    arguments: &[KEY.multiple(), Argument::new("operations", Kind::String)],
    reply: "an array: for `set`, `insert` and `update` the document's version, for `call` what the function replies or else the version, for `del` how many were removed, for `check` OK. The operations are a JSON or MessagePack array, told in transactions.md. Conditions are asked of what stood there before; uniqueness is judged as all documents will stand",
    errors: &[
        "`CHECK` a condition does not hold",
        "`EXISTS` `insert` finds a document; `NOTFOUND` `update` or `call` finds none",
        "`ERR` an operation cannot be read, or names another key than those given",
        "the errors of DOC.SET and DOC.UPDATE. An error names the operation by its number, from 1",
    ],
    example: (
        "DOC.TXN stock:7 '[{\"op\":\"update\",\"key\":\"stock:7\",\"if\":\"qty > 0\",\"ops\":[[\"INCR\",\"qty\",-1]]}]'",
        "1) (integer) 2",
    ),
    run: txn::transact,
};

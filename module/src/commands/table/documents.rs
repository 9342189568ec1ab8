//! Documents by their keys.

use super::super::spec::{Access, Argument, Command, Keys, Kind};
use super::super::{delete, get, insert, mset, set, update};
use super::{COLLECTION, COUNT, JSON, KEY, PARAMS, PATH, WITH_DELETED, WITH_VERSION, one_key};
use crate::acl::Right;

pub(super) const IF_VERSION: Argument =
    Argument::new("version", Kind::Integer).after("IFVERSION").optional();

pub(super) const IF: Argument = Argument::new("filter", Kind::String).after("IF").optional();
const NUMBER: Argument = Argument::new("number", Kind::String);
const PATH_JSON: &[Argument] = &[PATH, JSON];
const PATH_NUMBER: &[Argument] = &[PATH, NUMBER];
const EX: Argument = Argument::new("seconds", Kind::Integer).after("EX");
const PX: Argument = Argument::new("milliseconds", Kind::Integer).after("PX");
const EXAT: Argument = Argument::new("unix-time-seconds", Kind::UnixTime).after("EXAT");
const PXAT: Argument = Argument::new("unix-time-milliseconds", Kind::UnixTime).after("PXAT");

/// `DOC.SET`.
pub(super) const DOC_SET: Command = Command {
    name: "DOC.SET",
    summary: "Writes a whole document. Its collection, the key's prefix, is founded on first use unless it was declared.",
    complexity: "O(N) in the bytes of the document, plus O(log M) for each index whose value changes, M being the documents of the collection",
    since: "0.1.0",
    flags: "write deny-oom fast",
    categories: "write fast",
    tips: "",
    arity: -3,
    keys: Some(one_key(Access::Update)),
    right: None,
    arguments: &[
        KEY,
        JSON,
        Argument::one_of("condition", &[Argument::word("NX"), Argument::word("XX")]).optional(),
        IF_VERSION,
        IF,
        PARAMS,
        Argument::one_of("expiration", &[EX, PX, EXAT, PXAT, Argument::word("KEEPTTL")]).optional(),
    ],
    reply: "the document's version, an integer; null when NX, XX or IF is not met. IF is decided on the document that is there, and no filter holds of an absent one. `IFVERSION 0`: the key must be absent. Without a TTL option the document gets the TTL that its collection declares; where it declares none, an old TTL is dropped. The same text again keeps the version and changes nothing but the TTL. A time in the past writes, then deletes",
    errors: &[
        "`JSON` the text is not well-formed; with the byte",
        "`SCHEMA` the document breaks the collection's declaration",
        "`UNIQUE` another document holds the value; its key is named to those who may read it",
        "`VERSION` IFVERSION names another version than the document has; an absent one has 0",
        "`FILTER` the filter cannot be read, or does not fit a declared type; with the position",
        "`TOOBIG` beyond `folio.document-bytes-max` or `folio.depth-max`",
        "`LIMITED` an array has more than `folio.index-entries-max` elements to index",
    ],
    example: ("DOC.SET users:1 '{\"name\":\"Ada\",\"age\":36}' EX 3600", "(integer) 1"),
    run: set::set,
};

/// `DOC.INSERT`.
pub(super) const DOC_INSERT: Command = Command {
    name: "DOC.INSERT",
    summary: "Creates a document, under an id that is given or that the server makes.",
    complexity: "as of DOC.SET",
    since: "0.1.0",
    flags: "write deny-oom fast",
    categories: "write fast",
    tips: "request_policy:all_shards response_policy:special nondeterministic_output",
    arity: -3,
    keys: None,
    right: Some(Right::Both),
    arguments: &[
        COLLECTION,
        JSON,
        Argument::new("id", Kind::String).after("ID").optional(),
        Argument::one_of("expiration", &[EX, PX, EXAT, PXAT]).optional(),
        WITH_VERSION,
    ],
    reply: "the id: the key without the collection's prefix; with WITHVERSION an array of the id and the document's version. Without ID it is made as the collection declares it: IDS UUID7 (the default), ULID, or SEQUENCE, the next decimal number that is free. A collection that is not there is founded. Without a TTL option the document gets the TTL that its collection declares, if it does. In a cluster ids are made by the node that is asked, and go into its own collection: a sequence is a node's own",
    errors: &[
        "`EXISTS` a document stands there; or a sequence meets 1,000 keys of other types in a row",
        "`KEY` the id is empty, or keys that begin so belong to another collection",
        "`OVERFLOW` a sequence has reached 9007199254740992",
        "the errors of DOC.SET",
    ],
    example: ("DOC.INSERT users '{\"name\":\"Ada\"}' ID ada", "\"ada\""),
    run: insert::insert,
};

/// `DOC.GET`.
pub(super) const DOC_GET: Command = Command {
    name: "DOC.GET",
    summary: "Reads a document, one path of it, or an object of several paths.",
    complexity: "O(N) in the bytes of the reply; with paths, O(N) in the bytes of the document; JSONPath up to `folio.jsonpath-nodes-max` values",
    since: "0.1.0",
    flags: "readonly fast",
    categories: "read fast",
    tips: "",
    arity: -2,
    keys: Some(one_key(Access::Read)),
    right: None,
    arguments: &[KEY, PATH.optional().multiple(), WITH_VERSION, WITH_DELETED],
    reply: "JSON text; null when the key is absent, or the one path asked leads to nothing. A path with `[*]` gives an array. A path that begins with `$` is JSONPath (RFC 9535, see jsonpath.md) and gives an array of what it selects, empty where that is nothing. An object calls a path by its text. The last words may be WITHVERSION, which makes the reply an array of that text and the document's version, and WITHDELETED, which reads a document that is marked as deleted too; a member of such a name stands in back-quotes",
    errors: &[
        "`PATH` a path cannot be read; with the position",
        "`TOOBIG` a path is longer or deeper than its limit, or a regular expression in it is larger than `folio.regex-bytes-max`",
        "`LIMITED` JSONPath looks at more than `folio.jsonpath-nodes-max` values",
    ],
    example: ("DOC.GET users:1 name", "\"\\\"Ada\\\"\""),
    run: get::get,
};

/// `DOC.MGET`.
pub(super) const DOC_MGET: Command = Command {
    name: "DOC.MGET",
    summary: "Reads several documents, or the same paths of each.",
    complexity: "O(N) in the bytes of the reply; with paths, O(N) in the bytes of the documents; JSONPath up to `folio.jsonpath-nodes-max` values over all of them",
    since: "0.1.0",
    flags: "readonly fast getkeys-api",
    categories: "read fast",
    tips: "request_policy:multi_shard",
    arity: -2,
    keys: Some(Keys { last: -1, access: Access::Read, step: 1, before: &get::MGET_OPTIONS }),
    right: None,
    arguments: &[
        KEY.multiple(),
        Argument::block("paths", &[COUNT, PATH.multiple()]).after("PATHS").optional(),
        WITH_VERSION,
        WITH_DELETED,
    ],
    reply: "an array with, for each key in the order asked, what DOC.GET replies",
    errors: &[
        "`PATH` a path cannot be read; with the position",
        "`TOOBIG` a path is longer or deeper than its limit, or a regular expression in it is larger than `folio.regex-bytes-max`",
        "`LIMITED` JSONPath looks at more than `folio.jsonpath-nodes-max` values",
    ],
    example: ("DOC.MGET users:1 users:2 PATHS 1 age", "1) \"36\"\n2) (nil)"),
    run: get::mget,
};

/// `DOC.MSET`.
pub(super) const DOC_MSET: Command = Command {
    name: "DOC.MSET",
    summary: "Writes several whole documents, all or none.",
    complexity: "as of DOC.SET, for each document",
    since: "0.1.0",
    flags: "write deny-oom",
    categories: "write",
    tips: "",
    arity: -3,
    keys: Some(Keys { last: -1, access: Access::Update, step: 2, before: &[] }),
    right: None,
    arguments: &[Argument::block("document", &[KEY, JSON]).multiple()],
    reply: "an array of the documents' versions, in the order given. Uniqueness is judged as all of them will stand: two documents may exchange their values. A key that comes twice is written once, with its last document. TTLs are those of the collections or none, as by DOC.SET",
    errors: &[
        "`ERR` more than 10,000 documents",
        "`JSON`, `SCHEMA`, `UNIQUE`, `KEY`, `TOOBIG`, `LIMITED` as for DOC.SET, with the key of the document",
    ],
    example: (
        "DOC.MSET users:1 '{\"name\":\"Ada\"}' users:2 '{\"name\":\"Alan\"}'",
        "1) (integer) 1\n2) (integer) 2",
    ),
    run: mset::mset,
};

/// `DOC.MSETNX`.
pub(super) const DOC_MSETNX: Command = Command {
    name: "DOC.MSETNX",
    summary: "Creates several documents, all or none.",
    arguments: &[Argument::block("document", &[KEY, JSON]).multiple()],
    reply: "as of DOC.MSET",
    errors: &[
        "`EXISTS` a document stands under one of the keys, which is named",
        "the errors of DOC.MSET",
    ],
    example: (
        "DOC.MSETNX users:1 '{\"name\":\"Ada\"}' users:2 '{\"name\":\"Alan\"}'",
        "1) (integer) 1\n2) (integer) 2",
    ),
    run: mset::mset_new,
    ..DOC_MSET
};

/// `DOC.UPDATE`.
pub(super) const DOC_UPDATE: Command = Command {
    name: "DOC.UPDATE",
    summary: "Applies operations to one document in the order given, all or none. The TTL stays unless an operation sets it.",
    complexity: "O(N) in the bytes of the document for each operation, all together within `folio.update-bytes-max`, plus O(log M) for each index whose value changes",
    since: "0.1.0",
    flags: "write deny-oom fast",
    categories: "write fast",
    tips: "",
    arity: -3,
    keys: Some(one_key(Access::Update)),
    right: None,
    arguments: &[
        KEY,
        Argument::word("UPSERT").optional(),
        IF_VERSION,
        IF,
        PARAMS,
        Argument::one_of("operation", OPERATIONS).multiple(),
        Argument::one_of("return", &[Argument::word("NEW"), Argument::word("OLD")])
            .after("RETURN")
            .optional(),
        WITH_VERSION,
    ],
    reply: "the document's version, or with RETURN its text after or before the update, with WITHVERSION besides an array of that text and its version; null when IF is not met, and for the text before a birth. UPSERT begins an absent document as `{}`, judged whole as DOC.SET does; `IFVERSION 0` with it: the key must be absent. What comes to the same text keeps the version and changes nothing but the TTL. At most 1,000 operations. What each does is told in updates.md",
    errors: &[
        "`NOTFOUND` the key is absent, without UPSERT and IF",
        "`PATH` a path cannot be read, holds `[*]`, or does not fit the document",
        "`OVERFLOW` a number leaves the range of its type, or a time the years 0000 to 9999",
        "`TEST` a `test` of PATCH fails",
        "`FUNCTION` the function of CALL fails or is not loaded; `TIMEOUT` functions take longer than `folio.query-ms-max` together",
        "`LIMITED` the operations go through more than `folio.update-bytes-max` bytes, or as for DOC.SET",
        "`JSON`, `SCHEMA`, `UNIQUE`, `VERSION`, `FILTER`, `TOOBIG` as for DOC.SET. The error of an operation names its number",
    ],
    example: (
        "DOC.UPDATE users:1 IF 'age < 40' SET address.city '\"London\"' INCR age 1",
        "(integer) 2",
    ),
    run: update::update,
};

const PATH_SECONDS: &[Argument] = &[
    PATH,
    Argument::one_of("seconds", &[Argument::new("seconds", Kind::Integer), Argument::word("NONE")]),
];
const PATH_MILLISECONDS: &[Argument] = &[
    PATH,
    Argument::one_of(
        "milliseconds",
        &[Argument::new("milliseconds", Kind::Integer), Argument::word("NONE")],
    ),
];

/// The operations of an update.
pub(super) const OPERATIONS: &[Argument] = &[
    Argument::block("set", PATH_JSON).after("SET"),
    PATH.after("UNSET"),
    Argument::block("incr", PATH_NUMBER).after("INCR"),
    Argument::block("mul", PATH_NUMBER).after("MUL"),
    Argument::block("min", PATH_JSON).after("MIN"),
    Argument::block("max", PATH_JSON).after("MAX"),
    Argument::block("push", PATH_JSON).after("PUSH"),
    Argument::block("pop", &[PATH, Argument::new("index", Kind::Integer).optional()]).after("POP"),
    Argument::block("add", PATH_JSON).after("ADD"),
    Argument::block("pull", PATH_JSON).after("PULL"),
    Argument::block("rename", &[PATH, Argument::new("newpath", Kind::String)]).after("RENAME"),
    PATH.after("TOGGLE"),
    Argument::block("now", &[PATH, Argument::new("duration", Kind::String).optional()])
        .after("NOW"),
    Argument::block("ttl", PATH_SECONDS).after("TTL"),
    Argument::block("pttl", PATH_MILLISECONDS).after("PTTL"),
    JSON.after("MERGE"),
    JSON.after("PATCH"),
    Argument::block("call", &[Argument::new("function", Kind::String), JSON]).after("CALL"),
    EX,
    PX,
    EXAT,
    PXAT,
    Argument::word("PERSIST"),
];

/// `DOC.DEL`.
pub(super) const DOC_DEL: Command = Command {
    name: "DOC.DEL",
    summary: "Removes documents, or one if it has the version expected; or marks them as deleted.",
    complexity: "O(N) in the number of keys, plus O(log M) for each index of each document",
    since: "0.1.0",
    flags: "write fast getkeys-api",
    categories: "write fast",
    tips: "request_policy:multi_shard response_policy:agg_sum",
    arity: -2,
    keys: Some(Keys { last: -1, access: Access::Remove, step: 1, before: &delete::DEL_OPTIONS }),
    right: None,
    arguments: &[
        KEY.multiple(),
        IF_VERSION,
        Argument::one_of(
            "deletion",
            &[
                Argument::block("soft", &[Argument::one_of("expiration", &[EX, PX]).optional()])
                    .after("SOFT"),
                Argument::word(get::WITH_DELETED),
            ],
        )
        .optional(),
    ],
    reply: "how many there were, an integer. IFVERSION goes with one key; 0 stands for an absent one. SOFT marks the documents as deleted, with a new version: they are absent to whatever is not asked WITHDELETED until DOC.UNDELETE brings them back; after EX or PX, which stand right behind SOFT, the server removes them for good. A document that is marked already is absent; with WITHDELETED it is removed for good. The options are no keys here. soft-delete.md tells all of it",
    errors: &[
        "`VERSION` IFVERSION names another version than the document has; an absent one has 0",
        "`KEY` SOFT is of a document whose key names no collection",
    ],
    example: ("DOC.DEL users:1 users:2", "(integer) 1"),
    run: delete::del,
};

/// `DOC.UNDELETE`.
pub(super) const DOC_UNDELETE: Command = Command {
    name: "DOC.UNDELETE",
    summary: "Brings back documents that DOC.DEL SOFT has marked as deleted, all or none.",
    complexity: "O(N) in the bytes of the documents, plus O(log M) for each unique index of each document",
    since: "0.1.0",
    flags: "write deny-oom fast getkeys-api",
    categories: "write fast",
    tips: "request_policy:multi_shard response_policy:agg_sum",
    arity: -2,
    keys: Some(Keys {
        last: -1,
        access: Access::Update,
        step: 1,
        before: &delete::UNDELETE_OPTIONS,
    }),
    right: None,
    arguments: &[KEY.multiple(), Argument::word("KEEPTTL").optional()],
    reply: "how many came back, an integer; keys that are absent, or hold a document that is not marked, are passed over. Each gets a new version and keeps its birth number. A TTL is taken away unless KEEPTTL is given. KEEPTTL is no key here",
    errors: &[
        "`UNIQUE` another document holds a value by now, or two of these hold the same; its key is named to those who may read it",
        "`SCHEMA` a document breaks what the collection declares by now",
        "`KEY` a document's key names no collection",
    ],
    example: ("DOC.UNDELETE users:1", "(integer) 0"),
    run: delete::undelete,
};

/// `DOC.META`.
pub(super) const DOC_META: Command = Command {
    name: "DOC.META",
    summary: "Tells what is known of a document besides its text.",
    complexity: "O(1)",
    since: "0.1.0",
    flags: "readonly fast",
    categories: "read fast",
    tips: "",
    arity: -2,
    keys: Some(one_key(Access::Read)),
    right: None,
    arguments: &[KEY, WITH_DELETED],
    reply: "a map: `collection` (null where the key names none), `version` (the collection's change number at this document's last change, so it grows by leaps and never comes twice), `seq` (the birth number; RENAME, MOVE, COPY and RESTORE are births, with a new version too), `schema` (the schema version that it was written for, or migrated to: docs/migrations.md), `created`, `updated`, `expires` (milliseconds since 1970; null without a TTL), `path_expires` (a map of the paths that have a TTL of their own, and when each lapses), `bytes` (of the document alone); null when the key is absent. With WITHDELETED also of a document that is marked as deleted, and the map has `deleted` before `bytes`: when it was marked, null if it is not",
    errors: &[],
    example: (
        "DOC.META users:1",
        " 1) \"collection\"\n 2) \"users\"\n 3) \"version\"\n 4) (integer) 2\n ..",
    ),
    run: get::meta,
};

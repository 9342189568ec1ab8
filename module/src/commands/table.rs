//! Every command, once. Registration, `COMMAND DOCS`, ACLs, cluster routing and docs/commands.md all read this.
//!
//! A collection's name is no key: ACL patterns and cluster slots would misread it. Such commands carry a request
//! policy instead, from which clients of a cluster see that every node has to be asked.

use super::spec::{Access, Argument, Command, Keys, Kind};
use super::{apply, collections, create, delete, find, get, set, update};
use crate::acl::Right;

const KEY: Argument = Argument::new("key", Kind::Key);
const COLLECTION: Argument = Argument::new("collection", Kind::String);
const JSON: Argument = Argument::new("json", Kind::String);
const PATH: Argument = Argument::new("path", Kind::String);
const COUNT: Argument = Argument::new("n", Kind::Integer);

const IF_VERSION: Argument = Argument::new("version", Kind::Integer).after("IFVERSION").optional();
const WHERE: Argument = Argument::new("filter", Kind::String).after("WHERE").optional();
const PARAMS: Argument = Argument::block(
    "params",
    &[
        COUNT,
        Argument::block(
            "param",
            &[Argument::new("name", Kind::String), Argument::new("value", Kind::String)],
        )
        .multiple(),
    ],
)
.after("PARAMS")
.optional();
const SCAN: Argument = Argument::word("SCAN").optional();

const fn one_key(access: Access) -> Keys {
    Keys { last: 0, access, before: None }
}

/// What every query can answer.
const QUERY_ERRORS: &[&str] = &[
    "`NOCOLLECTION` the collection is not there",
    "`FILTER` the filter cannot be read, or does not fit a declared type; with the position",
    "`PATH` a path cannot be read",
    "`NOINDEX` more than `folio.scan-max` documents would be read because no index decides on them, also behind one that lets many through, and SCAN is not given",
    "`LIMITED` a limit on the answer",
];

/// The commands, by what they are about.
pub(crate) const TABLE: &[Command] = &[
    Command {
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
            Argument::one_of(
                "expiration",
                &[
                    Argument::new("seconds", Kind::Integer).after("EX"),
                    Argument::new("milliseconds", Kind::Integer).after("PX"),
                    Argument::new("unix-time-seconds", Kind::UnixTime).after("EXAT"),
                    Argument::new("unix-time-milliseconds", Kind::UnixTime).after("PXAT"),
                    Argument::word("KEEPTTL"),
                ],
            )
            .optional(),
        ],
        reply: "the document's version, an integer; null when NX or XX is not met. `IFVERSION 0`: the key must be absent. Without a TTL option an old TTL is dropped. The same text again keeps the version and changes nothing but the TTL. A time in the past writes, then deletes",
        errors: &[
            "`JSON` the text is not well-formed; with the byte",
            "`SCHEMA` the document breaks the collection's declaration",
            "`UNIQUE` another document holds the value; its key is named to those who may read it",
            "`VERSION` IFVERSION names another version than the document has; an absent one has 0",
            "`TOOBIG` beyond `folio.document-bytes-max` or `folio.depth-max`",
            "`LIMITED` an array has more than `folio.index-entries-max` elements to index",
        ],
        example: ("DOC.SET users:1 '{\"name\":\"Ada\",\"age\":36}' EX 3600", "(integer) 1"),
        run: set::set,
    },
    Command {
        name: "DOC.GET",
        summary: "Reads a document, one path of it, or an object of several paths.",
        complexity: "O(N) in the bytes of the reply; with paths, O(N) in the bytes of the document",
        since: "0.1.0",
        flags: "readonly fast",
        categories: "read fast",
        tips: "",
        arity: -2,
        keys: Some(one_key(Access::Read)),
        right: None,
        arguments: &[KEY, PATH.optional().multiple()],
        reply: "JSON text; null when the key is absent, or the one path asked leads to nothing. A path with `[*]` gives an array",
        errors: &["`PATH` a path cannot be read"],
        example: ("DOC.GET users:1 name", "\"\\\"Ada\\\"\""),
        run: get::get,
    },
    Command {
        name: "DOC.MGET",
        summary: "Reads several documents, or the same paths of each.",
        complexity: "O(N) in the bytes of the reply; with paths, O(N) in the bytes of the documents",
        since: "0.1.0",
        flags: "readonly fast getkeys-api",
        categories: "read fast",
        tips: "request_policy:multi_shard",
        arity: -2,
        keys: Some(Keys { last: -1, access: Access::Read, before: Some("PATHS") }),
        right: None,
        arguments: &[
            KEY.multiple(),
            Argument::block("paths", &[COUNT, PATH.multiple()]).after("PATHS").optional(),
        ],
        reply: "an array with, for each key in the order asked, what DOC.GET replies",
        errors: &["`PATH` a path cannot be read"],
        example: ("DOC.MGET users:1 users:2 PATHS 1 age", "1) \"36\"\n2) (nil)"),
        run: get::mget,
    },
    Command {
        name: "DOC.UPDATE",
        summary: "Applies operations to one document in the order given, all or none. The TTL stays.",
        complexity: "O(N) in the bytes of the document for each operation, plus O(log M) for each index whose value changes",
        since: "0.1.0",
        flags: "write deny-oom fast",
        categories: "write fast",
        tips: "",
        arity: -4,
        keys: Some(one_key(Access::Update)),
        right: None,
        arguments: &[
            KEY,
            IF_VERSION,
            Argument::one_of(
                "operation",
                &[
                    Argument::block("set", &[PATH, JSON]).after("SET"),
                    Argument::new("path", Kind::String).after("UNSET"),
                    Argument::block("incr", &[PATH, Argument::new("number", Kind::String)])
                        .after("INCR"),
                ],
            )
            .multiple(),
            Argument::one_of("return", &[Argument::word("NEW"), Argument::word("OLD")])
                .after("RETURN")
                .optional(),
        ],
        reply: "the document's version, or with RETURN its text after or before the change. SET makes missing parents; INCR of what is missing puts the number",
        errors: &[
            "`NOTFOUND` the key is absent",
            "`PATH` a path cannot be read, holds `[*]`, or does not fit the document",
            "`OVERFLOW` a sum leaves the range of its type",
            "`JSON`, `SCHEMA`, `UNIQUE`, `VERSION`, `TOOBIG`, `LIMITED` as for DOC.SET",
        ],
        example: ("DOC.UPDATE users:1 SET address.city '\"London\"' INCR age 1", "(integer) 2"),
        run: update::update,
    },
    Command {
        name: "DOC.DEL",
        summary: "Removes documents.",
        complexity: "O(N) in the number of keys, plus O(log M) for each index of each document",
        since: "0.1.0",
        flags: "write fast",
        categories: "write fast",
        tips: "request_policy:multi_shard response_policy:agg_sum",
        arity: -2,
        keys: Some(Keys { last: -1, access: Access::Remove, before: None }),
        right: None,
        arguments: &[KEY.multiple()],
        reply: "how many there were, an integer",
        errors: &[],
        example: ("DOC.DEL users:1 users:2", "(integer) 1"),
        run: delete::del,
    },
    Command {
        name: "DOC.META",
        summary: "Tells what is known of a document besides its text.",
        complexity: "O(1)",
        since: "0.1.0",
        flags: "readonly fast",
        categories: "read fast",
        tips: "",
        arity: 2,
        keys: Some(one_key(Access::Read)),
        right: None,
        arguments: &[KEY],
        reply: "a map: `collection` (null where the key names none), `version` (the collection's change number at this document's last change, so it grows by leaps and never comes twice), `seq` (the birth number; RENAME, MOVE, COPY and RESTORE are births, with a new version too), `created`, `updated`, `expires` (milliseconds since 1970; null without a TTL), `bytes` (of the document alone); null when the key is absent",
        errors: &[],
        example: (
            "DOC.META users:1",
            " 1) \"collection\"\n 2) \"users\"\n 3) \"version\"\n 4) (integer) 2\n ..",
        ),
        run: get::meta,
    },
    Command {
        name: "DOC.CREATE",
        summary: "Declares a collection: its prefix, and the types, constraints and indexes of its fields. Documents under the prefix move in.",
        complexity: "O(N log N) in the documents that are there already, in one piece: no other client is served meanwhile",
        since: "0.1.0",
        flags: "write deny-oom",
        categories: "write slow",
        tips: "request_policy:all_shards response_policy:all_succeeded",
        arity: -2,
        keys: None,
        right: Some(Right::Both),
        arguments: &[
            COLLECTION,
            Argument::one_of(
                "definition",
                &[
                    JSON.after("DEFINITION"),
                    Argument::block(
                        "options",
                        &[
                            Argument::new("prefix", Kind::String).after("PREFIX").optional(),
                            Argument::one_of(
                                "mode",
                                &[Argument::word("OPEN"), Argument::word("STRICT")],
                            )
                            .after("MODE")
                            .optional(),
                            Argument::block(
                                "field",
                                &[
                                    PATH,
                                    Argument::new("type", Kind::String),
                                    Argument::word("REQUIRED").optional(),
                                    Argument::word("NULLABLE").optional(),
                                    Argument::word("UNIQUE").optional(),
                                    Argument::one_of(
                                        "index",
                                        &[Argument::word("SET"), Argument::word("SORTED")],
                                    )
                                    .after("INDEX")
                                    .optional(),
                                ],
                            )
                            .after("FIELD")
                            .repeated()
                            .optional(),
                        ],
                    ),
                ],
            )
            .optional(),
        ],
        reply: "OK, also when the collection is declared in the same way already. Permission is needed for the keys that begin with the name and `:` too, which have no other place afterwards, and for the prefix of a collection that stands in the way. Types: `string int float bool decimal datetime json`, and `array<T>` of each",
        errors: &[
            "`COLLECTIONEXISTS` it is declared in another way",
            "`SCHEMA` the definition is not valid, or a document breaks it (the first ones are named)",
            "`UNIQUE` two documents hold the same value",
            "`PATH` a path cannot be read",
            "`LIMITED` more than `folio.fields-max` fields",
        ],
        example: (
            "DOC.CREATE users FIELD email string REQUIRED UNIQUE FIELD age int INDEX SORTED",
            "OK",
        ),
        run: create::create,
    },
    Command {
        name: "DOC.DROP",
        summary: "Takes a collection's declaration and indexes away; its documents stay, as an open collection, unless DOCUMENTS is given.",
        complexity: "O(N) in the documents of the collection",
        since: "0.1.0",
        flags: "write",
        categories: "write slow dangerous",
        tips: "request_policy:all_shards response_policy:all_succeeded",
        arity: -2,
        keys: None,
        right: Some(Right::Write),
        arguments: &[COLLECTION, Argument::word("DOCUMENTS").optional()],
        reply: "OK",
        errors: &["`NOCOLLECTION` the collection is not there, or not declared"],
        example: ("DOC.DROP users", "OK"),
        run: collections::drop_collection,
    },
    Command {
        name: "DOC.LIST",
        summary: "Lists the collections of the selected database that the user may read, those that are declared and those that hold documents.",
        complexity: "O(N log N) in the number of collections",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        tips: "request_policy:all_shards nondeterministic_output_order",
        arity: -1,
        keys: None,
        right: None,
        arguments: &[Argument::new("pattern", Kind::Pattern).optional()],
        reply: "an array of names, in order; of those collections whose every key the user may read. The pattern is one of KEYS",
        errors: &[],
        example: ("DOC.LIST u*", "1) \"users\""),
        run: collections::list,
    },
    Command {
        name: "DOC.SCHEMA",
        summary: "Prints a collection's definition, in the form that DOC.CREATE reads after DEFINITION.",
        complexity: "O(N) in the number of fields",
        since: "0.1.0",
        flags: "readonly fast",
        categories: "read fast",
        tips: "request_policy:all_shards response_policy:special",
        arity: 2,
        keys: None,
        right: Some(Right::Read),
        arguments: &[COLLECTION],
        reply: "JSON text",
        errors: &["`NOCOLLECTION` the collection is not there"],
        example: (
            "DOC.SCHEMA users",
            "\"{\\\"collection\\\":\\\"users\\\",\\\"prefix\\\":\\\"users:\\\",\\\"mode\\\":\\\"open\\\",\\\"fields\\\":[]}\"",
        ),
        run: collections::schema,
    },
    Command {
        name: "DOC.INFO",
        summary: "Tells counts and sizes of a collection and of each of its indexes.",
        complexity: "O(N) in the entries of all indexes",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        tips: "request_policy:all_shards response_policy:special nondeterministic_output",
        arity: 2,
        keys: None,
        right: Some(Right::Read),
        arguments: &[COLLECTION],
        reply: "a map: `collection`, `prefix`, `declared`, `documents`, `due` (lapsed, not yet removed), `with_ttl`, `invalid` (documents that `_valid IS FALSE` finds: what the server's own COPY, RENAME, MOVE and RESTORE brought against the declaration, or with a unique value that another holds), `version`, `seq`, `document_bytes`, `table_bytes`, and `indexes`, an array of maps of `path`, `kind`, `unique`, `values` (distinct keys), `entries` (pairs of key and document), `conflicts` (values that several documents hold although the index is unique: the server's own COPY, RENAME, MOVE and RESTORE are never refused) and `bytes`. Bytes are the blocks that the allocator takes, as `used_memory` counts them: of the documents, of the table, of each index. What the server itself takes for a key (its name, its place in the database, two boxes around the value) is not among them; `MEMORY USAGE` counts it for one key",
        errors: &["`NOCOLLECTION` the collection is not there"],
        example: (
            "DOC.INFO users",
            "1) \"collection\"\n2) \"users\"\n3) \"prefix\"\n4) \"users:\"\n..",
        ),
        run: collections::info,
    },
    Command {
        name: "DOC.VERIFY",
        summary: "Recomputes every index of a collection from the documents and reports each difference. With DIGEST, gives digests to compare with those of a replica, of a reloaded server or of another one.",
        complexity: "O(N log N) in the documents, for each index, in one piece: no other client is served meanwhile; with DIGEST O(N) in the bytes of the documents and the entries of the indexes",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        tips: "request_policy:all_shards response_policy:special",
        arity: -2,
        keys: None,
        right: Some(Right::Read),
        arguments: &[COLLECTION, Argument::word("DIGEST").optional()],
        reply: "an array of differences, which is empty unless Folio has a defect. With DIGEST a map of 128-bit numbers as hexadecimal text: `documents`, over each document's key, version, birth number and text; `times`, over key, created, updated and expires; `indexes`, an array of maps of `path`, `kind` and `digest`, each over the pairs of a value and a document's key that the index holds. Documents that have lapsed do not count, nor does any order. A replica that has caught up gives the same three; two servers that were sent the same commands give the same `documents` and `indexes`. Digests find accidents, not forgeries",
        errors: &["`NOCOLLECTION` the collection is not there"],
        example: ("DOC.VERIFY users", "(empty array)"),
        run: collections::verify,
    },
    Command {
        name: "DOC.FIND",
        summary: "Finds the documents of a collection that a filter holds of.",
        complexity: "O(R log R) in the matches when they are ordered without an index, O(R) otherwise; without any usable index O(N) in the documents of the collection",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        tips: "request_policy:all_shards response_policy:special",
        arity: -2,
        keys: None,
        right: Some(Right::Read),
        arguments: &[
            COLLECTION,
            WHERE,
            PARAMS,
            Argument::block(
                "order",
                &[
                    COUNT,
                    Argument::block(
                        "by",
                        &[
                            PATH,
                            Argument::one_of(
                                "direction",
                                &[Argument::word("ASC"), Argument::word("DESC")],
                            )
                            .optional(),
                        ],
                    )
                    .multiple(),
                ],
            )
            .after("ORDER")
            .optional(),
            Argument::block(
                "limit",
                &[Argument::new("offset", Kind::Integer), Argument::new("count", Kind::Integer)],
            )
            .after("LIMIT")
            .optional(),
            Argument::block("select", &[COUNT, PATH.multiple()]).after("SELECT").optional(),
            Argument::word("WITHTOTAL").optional(),
            Argument::word("WITHVERSION").optional(),
            SCAN,
        ],
        reply: "a map: `results`, an array of `[key, json]` (with WITHVERSION `[key, json, version]`), and with WITHTOTAL `total`, how many there are without LIMIT. Without ORDER by birth. SELECT makes each json an object of the paths. The filter language is in query-language.md; each parameter's value is JSON",
        errors: QUERY_ERRORS,
        example: (
            "DOC.FIND users WHERE 'age >= $min' PARAMS 1 min 18 ORDER 1 age DESC LIMIT 0 10 SELECT 1 name",
            "1) \"results\"\n2) 1) 1) \"users:1\"\n      2) \"{\\\"name\\\":\\\"Ada\\\"}\"",
        ),
        run: find::find,
    },
    Command {
        name: "DOC.COUNT",
        summary: "Counts the documents of a collection that a filter holds of.",
        complexity: "O(log N) for one range of a sorted index or one value of a set index; else as DOC.FIND without ORDER",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        tips: "request_policy:all_shards response_policy:agg_sum",
        arity: -2,
        keys: None,
        right: Some(Right::Read),
        arguments: &[COLLECTION, WHERE, PARAMS, SCAN],
        reply: "an integer",
        errors: QUERY_ERRORS,
        example: ("DOC.COUNT users WHERE 'age BETWEEN 18 AND 65'", "(integer) 1"),
        run: find::count,
    },
    Command {
        name: "DOC.EXISTS",
        summary: "Tells whether a filter holds of any document of a collection.",
        complexity: "as DOC.COUNT",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        tips: "request_policy:all_shards response_policy:agg_logical_or",
        arity: -2,
        keys: None,
        right: Some(Right::Read),
        arguments: &[COLLECTION, WHERE, PARAMS, SCAN],
        reply: "1 or 0",
        errors: QUERY_ERRORS,
        example: ("DOC.EXISTS users WHERE 'name = $name' PARAMS 1 name '\"Ada\"'", "(integer) 1"),
        run: find::exists,
    },
    Command {
        name: "DOC.EXPLAIN",
        summary: "Shows how DOC.FIND or DOC.COUNT would be run with these arguments, without running it.",
        complexity: "O(N) in the length of the filter, plus O(log M) for each of its predicates",
        since: "0.1.0",
        flags: "readonly",
        categories: "read slow",
        tips: "request_policy:all_shards response_policy:special nondeterministic_output",
        arity: -3,
        keys: None,
        right: Some(Right::Read),
        arguments: &[
            COLLECTION,
            Argument::one_of("command", &[Argument::word("FIND"), Argument::word("COUNT")]),
            Argument::new("argument", Kind::String).optional().multiple(),
        ],
        reply: "an array of lines, one for each node of the plan, indented by its depth",
        errors: &["those of the command that is explained, but for `NOINDEX` and `LIMITED`"],
        example: ("DOC.EXPLAIN users COUNT WHERE 'age > 40'", "1) \"count ..\""),
        run: find::explain,
    },
    Command {
        name: "DOC._APPLY",
        summary: "Internal: puts a document with the numbers and times that a primary gave it. Judges nothing.",
        complexity: "as DOC.SET",
        since: "0.1.0",
        flags: "write deny-oom admin fast",
        categories: "write fast admin dangerous",
        tips: "",
        arity: 8,
        keys: Some(one_key(Access::Overwrite)),
        right: None,
        arguments: &[
            KEY,
            Argument::new("version", Kind::Integer),
            Argument::new("seq", Kind::Integer),
            Argument::new("created", Kind::UnixTime),
            Argument::new("updated", Kind::UnixTime),
            Argument::new("expires", Kind::UnixTime),
            JSON,
        ],
        reply: "OK. Times are milliseconds since 1970, `expires` is -1 for none. Replicas and the append-only file get every write in this form",
        errors: &["`NOPERM` the user is no administrator", "`JSON` the text is not well-formed"],
        example: (
            "DOC._APPLY users:1 7 3 1700000000000 1700000000000 -1 '{\"name\":\"Ada\"}'",
            "OK",
        ),
        run: apply::apply,
    },
    Command {
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
    },
];

#[cfg(test)]
mod tests {
    use super::super::reference_markdown;
    use super::*;

    fn find(name: &str) -> &'static Command {
        TABLE.iter().find(|command| command.name == name).unwrap()
    }

    #[test]
    fn syntax_reads_like_the_manual() {
        assert_eq!(
            find("DOC.SET").syntax(),
            "DOC.SET key json [NX|XX] [IFVERSION version] [EX seconds|PX milliseconds|\
             EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]"
        );
        assert_eq!(find("DOC.MGET").syntax(), "DOC.MGET key [key ...] [PATHS n path [path ...]]");
        assert_eq!(
            find("DOC.COUNT").syntax(),
            "DOC.COUNT collection [WHERE filter] [PARAMS n name value [name value ...]] [SCAN]"
        );
    }

    #[test]
    fn names_are_in_order_of_use_and_told_once() {
        for (at, command) in TABLE.iter().enumerate() {
            assert!(TABLE[..at].iter().all(|other| other.name != command.name));
            assert!(command.name.starts_with("DOC."), "{}", command.name);
            assert!(reference_markdown().contains(&command.syntax()), "{}", command.name);
        }
    }

    #[test]
    fn writes_that_can_grow_memory_are_refused_when_it_is_out() {
        for command in TABLE {
            let deletes = ["DOC.DEL", "DOC.DROP"].contains(&command.name);
            let is_write = command.flags.contains("write");
            assert_eq!(
                command.flags.contains("deny-oom"),
                is_write && !deletes,
                "{}",
                command.name
            );
            assert_ne!(is_write, command.flags.contains("readonly"), "{}", command.name);
        }
    }

    #[test]
    fn commands_that_name_a_collection_say_what_they_do_to_it() {
        for command in TABLE {
            let names_one = command.arguments.first().is_some_and(|it| it.name == COLLECTION.name);
            assert_eq!(names_one, command.right.is_some(), "{}", command.name);
            let writes = command.right.is_some_and(Right::writes);
            assert!(!writes || command.flags.contains("write"), "{}", command.name);
        }
    }

    #[test]
    fn commands_without_keys_say_whom_to_ask() {
        for command in TABLE.iter().filter(|command| !command.name.starts_with("DOC._")) {
            let asks_all = command.tips.contains("request_policy:all_shards");
            assert_eq!(asks_all, command.keys.is_none(), "{}", command.name);
        }
    }
}

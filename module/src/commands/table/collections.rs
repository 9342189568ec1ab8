//! Collections: declared, listed, looked at.

use super::super::spec::{Argument, Command, Kind};
use super::super::{alter, collections, create, migrate, options};
use super::{COLLECTION, JSON, PATH};
use crate::acl::Right;

/// `DOC.CREATE`.
pub(super) const DOC_CREATE: Command = Command {
    name: "DOC.CREATE",
    summary: "Declares a collection: its prefix, the types, constraints and indexes of its fields, and indexes over several of them. Documents under the prefix move in.",
    complexity: "O(N log N) in the documents that are there already. Over 1,000 or more of an open collection that has the prefix they are indexed in slices (`folio.build-slice-us` of each millisecond) between other clients' commands; else, and in MULTI, in scripts and on replicas, in one piece",
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
                        create::MODE.after("MODE").optional(),
                        options::SECONDS.after("TTL").optional(),
                        options::STRATEGY.after("IDS").optional(),
                        create::TELLS.optional(),
                        create::FUNCTION.after("VALIDATE").optional(),
                        migrate::VERSION.after("SCHEMA").optional(),
                        migrate::MIGRATION.after("MIGRATION").repeated().optional(),
                        create::FIELD.after("FIELD").repeated().optional(),
                        create::INDEX.repeated().optional(),
                    ],
                ),
            ],
        )
        .optional(),
    ],
    reply: "OK, also when the collection is declared in the same way already. Over many documents the client is answered when they are indexed, and others are served meanwhile: docs/indexes.md tells what they see. Permission is needed for the keys that begin with the name and `:` too, which have no other place afterwards, and for the prefix of a collection that stands in the way. Types: `string int float bool decimal datetime date time duration uuid email url ip json`, and `array<T>` of each; what they, the constraints, TTL and IDS mean: docs/schema.md. Indexes: docs/indexes.md. CHANGES: docs/changes.md. COMPUTED, VALIDATE: docs/functions.md. SCHEMA, the schema version of what is written, and MIGRATION: docs/migrations.md",
    errors: &[
        "`COLLECTIONEXISTS` it is declared in another way",
        "`SCHEMA` the definition is not valid, or a document breaks it (the first ten are named)",
        "`UNIQUE` documents hold the same value (the first ten are named)",
        "`BUILDING` another declaration of the collection, or of one that has its keys, is being built; or this one was given up: the collection was dropped, all data were loaded anew, or the server has become a replica",
        "`FUNCTION` a function that it names is not loaded, or fails on a document",
        "`PATH` a path cannot be read",
        "`TOOBIG` a PATTERN takes more than `folio.regex-bytes-max`",
        "`LIMITED` more than `folio.fields-max` fields, or more than `folio.indexes-max` indexes",
    ],
    example: (
        "DOC.CREATE users FIELD email string REQUIRED UNIQUE FIELD age int INDEX SORTED",
        "OK",
    ),
    run: create::create,
};

/// `DOC.ALTER`.
pub(super) const DOC_ALTER: Command = Command {
    name: "DOC.ALTER",
    summary: "Changes a collection's declaration: fields and indexes come and go, in the order in which it is said, or it is given whole. Indexes that stay as they are are not built again. `SET TTL 0`: none.",
    complexity: "O(N log N) in the documents; over 1,000 or more in slices between other clients' commands, as DOC.CREATE",
    since: "0.1.0",
    flags: "write deny-oom",
    categories: "write slow",
    tips: "request_policy:all_shards response_policy:all_succeeded",
    arity: -4,
    keys: None,
    right: Some(Right::Both),
    arguments: &[
        COLLECTION,
        Argument::one_of(
            "change",
            &[
                JSON.after("DEFINITION"),
                create::FIELD.after("ADD FIELD"),
                PATH.after("DROP FIELD"),
                create::NAMED.after("ADD INDEX"),
                Argument::new("index", Kind::String).after("DROP INDEX"),
                create::FUNCTION.after("SET VALIDATE"),
                Argument::word("DROP VALIDATE"),
                migrate::MIGRATION.after("ADD MIGRATION"),
                migrate::VERSION.after("DROP MIGRATION"),
                create::MODE.after("SET MODE"),
                options::SECONDS.after("SET TTL"),
                options::STRATEGY.after("SET IDS"),
                create::SET_CHANGES,
            ],
        )
        .multiple(),
    ],
    reply: "OK, when it is in force, also when nothing is changed by it. Queries use the old declaration until then, and writes are judged by both. Documents that break the old declaration already, which the server's own commands bring, stay as they are and are in nobody's way. `SET CHANGES` alone looks at no document and is in force at once: docs/changes.md; so do migrations that come and go: docs/migrations.md",
    errors: &[
        "`NOCOLLECTION` the collection is not there, or not declared",
        "`FUNCTION` a function that it names is not loaded, or fails on a document",
        "`SCHEMA` the definition is not valid, what is to be dropped is not there, or documents break a new constraint (the first ten are named)",
        "`UNIQUE` documents hold the same value (the first ten are named)",
        "`PATH` a path cannot be read",
        "`LIMITED` more than `folio.fields-max` fields, or more than `folio.indexes-max` indexes",
        "`BUILDING` another declaration of the collection is being built; or this one was given up, as one of DOC.CREATE",
    ],
    example: ("DOC.ALTER users ADD FIELD city string INDEX SET DROP FIELD age", "OK"),
    run: alter::alter,
};

/// `DOC.MIGRATE`.
pub(super) const DOC_MIGRATE: Command = Command {
    name: "DOC.MIGRATE",
    summary: "Sets the schema version in force, and brings every document of the collection there by the functions of its migrations; with LAZY only those that are written.",
    complexity: "O(N) calls of functions in the documents, in slices (`folio.build-slice-us` of each millisecond) between other clients' commands",
    since: "0.1.0",
    flags: "write deny-oom",
    categories: "write slow",
    tips: "request_policy:all_shards response_policy:all_succeeded",
    arity: -4,
    keys: None,
    right: Some(Right::Both),
    arguments: &[COLLECTION, migrate::VERSION.after("TO"), Argument::word("LAZY").optional()],
    reply: "OK, when every document has the version; with LAZY, in MULTI and in scripts at once. A document that fails stops it, named, and stays as it is: what was migrated before it is, and DOC.INFO tells how many are ahead. The version stays in force: the same command tries again, and it goes on by itself when that document is written whole or removed, after a restart and after a failover. A client that goes away ends nothing. What readers see meanwhile, and what updates do: docs/migrations.md",
    errors: &[
        "`NOCOLLECTION` the collection is not there, or not declared; it was dropped meanwhile, or all data were loaded anew",
        "`SCHEMA` no MIGRATION leads to the version from that in force, or from one that documents have; or a document comes out against the declaration (it is named)",
        "`FUNCTION` a function fails on a document (it is named)",
        "`UNIQUE`, `TOOBIG` and others of DOC.CALL: of a document, which is named",
        "`BUILDING` a declaration of the collection is being built; another version was put in force meanwhile; or the server has become a replica",
    ],
    example: ("DOC.MIGRATE users TO 2", "OK"),
    run: migrate::migrate,
};

/// `DOC.REINDEX`.
pub(super) const DOC_REINDEX: Command = Command {
    name: "DOC.REINDEX",
    summary: "Builds all indexes of a declared collection anew, on the server that is asked and on no other; the old ones answer until they are done.",
    complexity: "O(N log N) in the documents; over 1,000 or more in slices between other clients' commands, as DOC.CREATE",
    since: "0.1.0",
    flags: "readonly deny-oom",
    categories: "read slow",
    tips: "request_policy:all_shards response_policy:all_succeeded",
    arity: 2,
    keys: None,
    right: Some(Right::Read),
    arguments: &[COLLECTION],
    reply: "OK, when the new indexes have taken the place of the old ones. Never needed unless DOC.VERIFY reports a difference; a collection that has shrunk far gets denser indexes",
    errors: &[
        "`NOCOLLECTION` the collection is not there, or not declared",
        "`BUILDING` a declaration of the collection is being built; or this was given up, as one of DOC.CREATE",
    ],
    example: ("DOC.REINDEX users", "OK"),
    run: alter::reindex,
};

/// `DOC.DROP`.
pub(super) const DOC_DROP: Command = Command {
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
    reply: "OK. A declaration of the collection that is being built is given up; over an open collection that is all. `DOC.DROP shop.*` takes all declarations of the bucket `shop` away, those of the collections whose names begin with `shop.`, or none; with DOCUMENTS the documents of its open collections go too. It needs permission for all keys that begin with `shop.`, and for the prefix of each of the collections",
    errors: &[
        "`NOCOLLECTION` the collection is not there, or not declared",
        "`WRONGTYPE` with DOCUMENTS: the key of the collection's change stream holds another type",
    ],
    example: ("DOC.DROP users", "OK"),
    run: collections::drop_collection,
};

/// `DOC.LIST`.
pub(super) const DOC_LIST: Command = Command {
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
};

/// `DOC.SCHEMA`.
pub(super) const DOC_SCHEMA: Command = Command {
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
};

/// `DOC.INFO`.
pub(super) const DOC_INFO: Command = Command {
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
    reply: "of `shop.*`, a bucket: a map of what the collections whose names begin with `shop.` come to together, `bucket`, `collections`, `documents`, `due`, `with_ttl`, `document_bytes`, `table_bytes`, `index_bytes`; it needs permission for all keys that begin with `shop.`, and for the prefix of each of the collections. Of a collection a map: `collection`, `prefix`, `declared`, `documents`, `due` (lapsed, not yet removed), `deleted` (marked as deleted, and not due: `documents` has neither), `with_ttl`, `with_path_ttl` (documents that have parts with a TTL of their own), `invalid` (documents that `_valid IS FALSE` finds: what the server's own COPY, RENAME, MOVE and RESTORE brought against the declaration, or with a unique value that another holds), `version`, `seq`, `document_bytes`, `table_bytes`, and `indexes`, an array of maps of `name` (of one declared by itself), `path` (all of them), `kind`, `unique`, `where` (of one with a filter), `values` (distinct keys), `entries` (pairs of key and document), `conflicts` (values that several documents hold although the index is unique: the server's own COPY, RENAME, MOVE and RESTORE are never refused) and `bytes`; and `building`, an array that is empty unless a declaration is being built: then it holds a map of its `definition` as JSON, `done` of the `documents`, `invalid` (those found to break it) and `bytes`; and `migration`, an array that is empty unless the collection has had a schema version or a migration: then it holds a map of the `version` in force, the `state` (`running`, `lazy`, `stopped`, `done`), how many documents are `ahead`, how many were `migrated` by themselves since that version, or other migrations, were declared (or the server started), how many `documents` have each of the `versions` (due and deleted ones among them), and where it is stopped the key, `stopped_at`, and the `error`; and `functions`, an array of maps of the functions that the declaration names: `name`, and its `use` in words; and of a collection that tells of its changes the number of the last one, `changes`; and `refused`, the last ten writes of its documents that a constraint, a limit or malformed text refused since the server started, the newest first, as maps of `key`, `at` (milliseconds since 1970) and `error`. Bytes are the blocks that the allocator takes, as `used_memory` counts them: of the documents, of the table, of each index. What the server itself takes for a key (its name, its place in the database, two boxes around the value) is not among them; `MEMORY USAGE` counts it for one key",
    errors: &["`NOCOLLECTION` the collection is not there"],
    example: (
        "DOC.INFO users",
        "1) \"collection\"\n2) \"users\"\n3) \"prefix\"\n4) \"users:\"\n..",
    ),
    run: collections::info,
};

/// `DOC.VERIFY`.
pub(super) const DOC_VERIFY: Command = Command {
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
    reply: "an array of differences, which is empty unless Folio has a defect. With DIGEST a map of 128-bit numbers as hexadecimal text: `documents`, over each document's key, version, birth number, text and parts with a TTL, and whether it is marked as deleted; `times`, over key, created, updated and expires; `indexes`, an array of maps of `name` (of one declared by itself), `path`, `kind` and `digest`, each over the pairs of a value and a document's key that the index holds. Documents that have lapsed do not count, nor does any order. A replica that has caught up gives the same three; two servers that were sent the same commands give the same `documents` and `indexes`. Digests find accidents, not forgeries",
    errors: &["`NOCOLLECTION` the collection is not there"],
    example: ("DOC.VERIFY users", "(empty array)"),
    run: collections::verify,
};

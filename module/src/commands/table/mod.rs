//! Every command, once. Registration, `COMMAND DOCS`, ACLs, cluster routing and docs/commands.md all read this.
//!
//! A collection's name is no key: ACL patterns and cluster slots would misread it. Such commands carry a request
//! policy instead, from which clients of a cluster see that every node has to be asked.

mod collections;
mod documents;
mod functions;
mod internal;
mod many;
mod queries;

use super::get;
use super::spec::{Access, Argument, Command, Keys, Kind};

const KEY: Argument = Argument::new("key", Kind::Key);
const COLLECTION: Argument = Argument::new("collection", Kind::String);
const JSON: Argument = Argument::new("json", Kind::String);
const PATH: Argument = Argument::new("path", Kind::String);
const COUNT: Argument = Argument::new("n", Kind::Integer);

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
const WITH_DELETED: Argument = Argument::word(get::WITH_DELETED).optional();
const WITH_VERSION: Argument = Argument::word(get::WITH_VERSION).optional();

const fn one_key(access: Access) -> Keys {
    Keys { last: 0, access, step: 1, before: &[] }
}

/// The commands, by what they are about.
pub(crate) const TABLE: &[Command] = &[
    documents::DOC_SET,
    documents::DOC_INSERT,
    documents::DOC_GET,
    documents::DOC_MGET,
    documents::DOC_MSET,
    documents::DOC_MSETNX,
    documents::DOC_UPDATE,
    functions::DOC_CALL,
    documents::DOC_DEL,
    documents::DOC_UNDELETE,
    many::DOC_UPDATEMANY,
    many::DOC_DELETEMANY,
    many::DOC_CLAIM,
    many::DOC_TXN,
    documents::DOC_META,
    collections::DOC_CREATE,
    collections::DOC_ALTER,
    collections::DOC_MIGRATE,
    collections::DOC_DROP,
    collections::DOC_LIST,
    collections::DOC_SCHEMA,
    collections::DOC_INFO,
    collections::DOC_VERIFY,
    collections::DOC_REINDEX,
    queries::DOC_FIND,
    queries::DOC_KEYS,
    queries::DOC_COUNT,
    queries::DOC_EXISTS,
    queries::DOC_DISTINCT,
    queries::DOC_AGGREGATE,
    queries::DOC_EXPLAIN,
    queries::DOC_PROFILE,
    queries::DOC_SLOWLOG,
    functions::LOAD,
    functions::DELETE,
    functions::LIST,
    functions::DUMP,
    functions::RESTORE,
    internal::DOC_APPLY,
    internal::DOC_STATE,
];

#[cfg(test)]
mod tests {
    use super::super::reference_markdown;
    use super::*;
    use crate::acl::Right;

    fn find(name: &str) -> &'static Command {
        TABLE.iter().find(|command| command.name == name).unwrap()
    }

    #[test]
    fn syntax_reads_like_the_manual() {
        assert_eq!(
            find("DOC.SET").syntax(),
            "DOC.SET key json [NX|XX] [IFVERSION version] [IF filter] \
             [PARAMS n name value [name value ...]] [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]"
        );
        assert_eq!(
            find("DOC.MGET").syntax(),
            "DOC.MGET key [key ...] [PATHS n path [path ...]] [WITHVERSION] [WITHDELETED]"
        );
        assert_eq!(
            find("DOC.COUNT").syntax(),
            "DOC.COUNT collection [WHERE filter] [PARAMS n name value [name value ...]] [SCAN] [TIMEOUT milliseconds] [WITHDELETED]"
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
    fn what_can_grow_memory_is_refused_when_it_is_out() {
        for command in TABLE {
            // It writes no key, and builds indexes.
            let builds = command.name == "DOC.REINDEX";
            let deleting = ["DOC.DEL", "DOC.DELETEMANY", "DOC.DROP", "DOC.FUNCTION DELETE"];
            let deletes = deleting.contains(&command.name);
            let is_write = command.flags.contains("write");
            assert_eq!(
                command.flags.contains("deny-oom"),
                builds || (is_write && !deletes),
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

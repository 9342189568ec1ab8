//! Queries.

use super::super::spec::{Argument, Command, Kind};
use super::super::{aggregate, explain, find, slowlog};
use super::{COLLECTION, COUNT, PARAMS, PATH, SCAN, WHERE, WITH_DELETED, WITH_VERSION};
use crate::acl::Right;

/// What every query can answer.
const QUERY_ERRORS: &[&str] = &[
    "`NOCOLLECTION` the collection is not there",
    "`FILTER` the filter cannot be read, or does not fit a declared type; with the position",
    "`PATH` a path cannot be read",
    "`NOINDEX` more than `folio.scan-max` documents would be read because no index decides on them, also behind one that lets many through, and SCAN is not given",
    "`LIMITED` a limit on the answer, or on what a query may hold (`folio.query-bytes-max`)",
    "`TIMEOUT` the query takes longer than TIMEOUT or `folio.query-ms-max`",
    "`CURSOR` AFTER is given no cursor, or one of another query",
];

/// What a query over all documents found can answer.
const REDUCE_ERRORS: &[&str] = &[
    "`NOCOLLECTION` the collection is not there",
    "`FILTER` a filter or value cannot be read, or does not fit a declared type; with the position",
    "`PATH` a path cannot be read",
    "`NOINDEX` more than `folio.scan-max` documents would be read because no index or column has what is asked of them, whatever chose them, and SCAN is not given. One read for a text in a row does not count",
    "`LIMITED` more than `folio.groups-max` groups, `folio.rows-max` rows or `folio.query-bytes-max` bytes of values, groups and rows",
    "`TIMEOUT` the query takes longer than TIMEOUT or `folio.query-ms-max`",
    "`OVERFLOW` a sum of integers is beyond i64 and u64, or another result beyond the range of its numbers",
];

const AS: Argument = Argument::new("name", Kind::String).after("AS").optional();
const DIRECTION: Argument =
    Argument::one_of("direction", &[Argument::word("ASC"), Argument::word("DESC")]).optional();
pub(super) const ORDER: Argument = Argument::block(
    "order",
    &[
        COUNT,
        Argument::block(
            "by",
            &[
                PATH,
                Argument::one_of("direction", &[Argument::word("ASC"), Argument::word("DESC")])
                    .optional(),
            ],
        )
        .multiple(),
    ],
)
.after("ORDER")
.optional();
const LIMIT: Argument = Argument::block(
    "limit",
    &[Argument::new("offset", Kind::Integer), Argument::new("count", Kind::Integer)],
)
.after("LIMIT")
.optional();
pub(super) const TIMEOUT: Argument =
    Argument::new("milliseconds", Kind::Integer).after("TIMEOUT").optional();
const EXPLAINED: &[Argument] = &[
    COLLECTION,
    Argument::one_of(
        "command",
        &[
            Argument::word("FIND"),
            Argument::word("KEYS"),
            Argument::word("COUNT"),
            Argument::word("EXISTS"),
            Argument::word("AGGREGATE"),
            Argument::word("DISTINCT"),
        ],
    ),
    Argument::new("argument", Kind::String).optional().multiple(),
];

/// `DOC.FIND`.
pub(super) const DOC_FIND: Command = Command {
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
        ORDER,
        LIMIT,
        Argument::new("cursor", Kind::String).after("AFTER").optional(),
        Argument::block("select", &[COUNT, PATH.multiple()]).after("SELECT").optional(),
        Argument::word("WITHTOTAL").optional(),
        WITH_VERSION,
        SCAN,
        TIMEOUT,
        WITH_DELETED,
    ],
    reply: "a map: `results`, an array of `[key, json]` (with WITHVERSION `[key, json, version]`); with WITHTOTAL `total`, how many there are without LIMIT; `cursor` where LIMIT cut the answer (or, where documents would have to be read to know, may have cut it): AFTER goes on behind the last row. Without ORDER by birth; ORDER takes paths and metadata. SELECT makes each json an object of the paths. The filter language is in query-language.md, as text and as a MessagePack tree; each parameter's value is JSON. TIMEOUT lowers `folio.query-ms-max` for this query. WITHDELETED, here and in the queries below, finds documents that are marked as deleted too: soft-delete.md",
    errors: QUERY_ERRORS,
    example: (
        "DOC.FIND users WHERE 'age >= $min' PARAMS 1 min 18 ORDER 1 age DESC LIMIT 0 10 SELECT 1 name",
        "1) \"results\"\n2) 1) 1) \"users:1\"\n      2) \"{\\\"name\\\":\\\"Ada\\\"}\"",
    ),
    run: find::find,
};

/// `DOC.KEYS`.
pub(super) const DOC_KEYS: Command = Command {
    name: "DOC.KEYS",
    summary: "Lists the keys of the documents of a collection that a filter holds of.",
    complexity: "as DOC.FIND",
    since: "0.1.0",
    flags: "readonly",
    categories: "read slow",
    tips: "request_policy:all_shards nondeterministic_output_order",
    arity: -2,
    keys: None,
    right: Some(Right::Read),
    arguments: &[COLLECTION, WHERE, PARAMS, ORDER, LIMIT, SCAN, TIMEOUT, WITH_DELETED],
    reply: "an array of keys, by birth unless ORDER says otherwise",
    errors: QUERY_ERRORS,
    example: ("DOC.KEYS users WHERE 'age > 40'", "1) \"users:1\""),
    run: find::keys,
};

/// `DOC.COUNT`.
pub(super) const DOC_COUNT: Command = Command {
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
    arguments: &[COLLECTION, WHERE, PARAMS, SCAN, TIMEOUT, WITH_DELETED],
    reply: "an integer",
    errors: QUERY_ERRORS,
    example: ("DOC.COUNT users WHERE 'age BETWEEN 18 AND 65'", "(integer) 1"),
    run: find::count,
};

/// `DOC.EXISTS`.
pub(super) const DOC_EXISTS: Command = Command {
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
    arguments: &[COLLECTION, WHERE, PARAMS, SCAN, TIMEOUT, WITH_DELETED],
    reply: "1 or 0",
    errors: QUERY_ERRORS,
    example: ("DOC.EXISTS users WHERE 'name = $name' PARAMS 1 name '\"Ada\"'", "(integer) 1"),
    run: find::exists,
};

/// `DOC.DISTINCT`.
pub(super) const DOC_DISTINCT: Command = Command {
    name: "DOC.DISTINCT",
    summary: "Lists the distinct values that a path leads to in the documents of a collection.",
    complexity: "O(V log V) in the distinct values where an index over the path has them; else O(N log V) in the documents found",
    since: "0.1.0",
    flags: "readonly",
    categories: "read slow",
    tips: "request_policy:all_shards response_policy:special",
    arity: -3,
    keys: None,
    right: Some(Right::Read),
    arguments: &[COLLECTION, PATH, WHERE, PARAMS, SCAN, TIMEOUT, WITH_DELETED],
    reply: "an array of JSON texts in ascending order; of equal values the text in the earliest born document. Null is a value, missing is none. A path with `[*]` gives its elements; metadata may stand for the path",
    errors: REDUCE_ERRORS,
    example: ("DOC.DISTINCT users age WHERE 'age > 30'", "1) \"36\""),
    run: aggregate::distinct,
};

/// `DOC.AGGREGATE`.
pub(super) const DOC_AGGREGATE: Command = Command {
    name: "DOC.AGGREGATE",
    summary: "Puts the documents that a filter holds of into groups, and computes counts, sums, means, extremes, lists and quantiles of each.",
    complexity: "O(N) in the documents found and O(G log G) in the groups. No document is read where indexes have it all: at most one key, a path with an index, and of paths with sorted indexes counts, extremes and, unless they are decimals or instants, sums, means, deviations and quantiles",
    since: "0.1.0",
    flags: "readonly",
    categories: "read slow",
    tips: "request_policy:all_shards response_policy:special",
    arity: -4,
    keys: None,
    right: Some(Right::Read),
    arguments: &[
        COLLECTION,
        WHERE,
        PARAMS,
        Argument::block(
            "group",
            &[COUNT, Argument::block("by", &[Argument::new("key", Kind::String), AS]).multiple()],
        )
        .after("GROUP")
        .optional(),
        Argument::block(
            "reduce",
            &[
                COUNT,
                Argument::block("result", &[Argument::new("reducer", Kind::String), AS]).multiple(),
            ],
        )
        .after("REDUCE"),
        Argument::new("filter", Kind::String).after("HAVING").optional(),
        Argument::block(
            "order",
            &[
                COUNT,
                Argument::block("by", &[Argument::new("name", Kind::String), DIRECTION]).multiple(),
            ],
        )
        .after("ORDER")
        .optional(),
        LIMIT,
        SCAN,
        TIMEOUT,
        WITH_DELETED,
    ],
    reply: "a map: `results`, an array of rows, each the JSON text of an object of the keys and the results. Without GROUP there is one row; without ORDER rows ascend by their keys. Keys, reducers and the names of results are in query-language.md",
    errors: REDUCE_ERRORS,
    example: (
        "DOC.AGGREGATE users GROUP 1 city REDUCE 2 count() AS n avg(age) HAVING 'n > 1' ORDER 1 n DESC",
        "1) \"results\"\n2) 1) \"{\\\"city\\\":\\\"Rome\\\",\\\"n\\\":2,\\\"avg(age)\\\":36.5}\"",
    ),
    run: aggregate::aggregate,
};

/// `DOC.EXPLAIN`.
pub(super) const DOC_EXPLAIN: Command = Command {
    name: "DOC.EXPLAIN",
    summary: "Shows how a query would be run with these arguments, without running it, and why indexes were not used.",
    complexity: "O(N) in the length of the filter, plus O(log M) for each of its predicates",
    since: "0.1.0",
    flags: "readonly",
    categories: "read slow",
    tips: "request_policy:all_shards response_policy:special nondeterministic_output",
    arity: -3,
    keys: None,
    right: Some(Right::Read),
    arguments: EXPLAINED,
    reply: "an array of lines, one for each node of the plan, indented by its depth; of AGGREGATE and DISTINCT also how groups are formed and where values come from. indexes.md tells how to read them",
    errors: &["those of the command that is explained, but for `NOINDEX`, `LIMITED` and `TIMEOUT`"],
    example: ("DOC.EXPLAIN users COUNT WHERE 'age > 40'", "1) \"count ..\""),
    run: explain::explain,
};

/// `DOC.PROFILE`.
pub(super) const DOC_PROFILE: Command = Command {
    name: "DOC.PROFILE",
    summary: "Runs a query and shows its plan with the documents that each step yielded and the microseconds that it took, in place of the answer.",
    complexity: "that of the command",
    since: "0.1.0",
    flags: "readonly",
    categories: "read slow",
    tips: "request_policy:all_shards response_policy:special nondeterministic_output",
    arity: -3,
    keys: None,
    right: Some(Right::Read),
    arguments: EXPLAINED,
    reply: "the lines of DOC.EXPLAIN, each step's with what it came to, and the totals last",
    errors: &["those of the command that is run"],
    example: ("DOC.PROFILE users COUNT WHERE 'age > 40'", "1) \"count ..\""),
    run: explain::profile,
};

/// `DOC.SLOWLOG`.
pub(super) const DOC_SLOWLOG: Command = Command {
    name: "DOC.SLOWLOG",
    summary: "Shows, counts or forgets the queries that took longer than `folio.slowlog-slower-than` microseconds, with their plans.",
    complexity: "O(N) in the entries shown",
    since: "0.1.0",
    flags: "readonly admin",
    categories: "read slow admin dangerous",
    tips: "request_policy:all_shards response_policy:special nondeterministic_output",
    arity: -2,
    keys: None,
    right: None,
    arguments: &[Argument::one_of(
        "action",
        &[
            Argument::block("get", &[Argument::new("count", Kind::Integer).optional()])
                .after("GET"),
            Argument::word("LEN"),
            Argument::word("RESET"),
        ],
    )],
    reply: "GET: an array of maps, the latest first: `id`, `time_ms` (milliseconds since 1970, at its end), `elapsed_us` (microseconds), `command` (its arguments, cut short), `plan` (the lines of DOC.EXPLAIN); at most `folio.slowlog-max-len`. LEN: an integer. RESET: OK",
    errors: &[],
    example: ("DOC.SLOWLOG LEN", "(integer) 0"),
    run: slowlog::slowlog,
};

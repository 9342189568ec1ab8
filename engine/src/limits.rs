//! A limit on everything that a user can make large, each a named constant with its reason, each a setting
//! `folio.<name>` of the server.

/// The limits in force. [`Limits::default`] holds the constants of this file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one document's JSON text, before and after minifying.
    pub document_bytes_max: usize,
    /// Arrays and objects open at once in one document.
    pub depth_max: usize,
    /// Bytes that the operations of one command may go through, each all of a document's.
    pub update_bytes_max: usize,
    /// Bytes of one filter's text or MessagePack, and of one JSONPath.
    pub filter_bytes_max: usize,
    /// Parentheses, NOTs and minus signs open at once in one filter's text, or arrays in its MessagePack; filters,
    /// parentheses and calls in one JSONPath.
    pub filter_depth_max: usize,
    /// Bytes of memory that one LIKE pattern or regular expression may take.
    pub regex_bytes_max: usize,
    /// LIKE patterns and regular expressions in one filter.
    pub patterns_max: usize,
    /// Steps of one path.
    pub path_steps_max: usize,
    /// Values that one command may look at to answer JSONPath.
    pub jsonpath_nodes_max: usize,
    /// Declared fields of one collection.
    pub fields_max: usize,
    /// Indexes of one collection, those of its fields included.
    pub indexes_max: usize,
    /// Values that one document may put into one index (elements of an array).
    pub index_entries_max: usize,
    /// Documents whose text a query may read because no index or column decides.
    pub scan_max: usize,
    /// Rows of one answer.
    pub rows_max: usize,
    /// Groups of one aggregate.
    pub groups_max: usize,
    /// Milliseconds that one query may take; 0 for any time.
    pub query_ms_max: usize,
    /// Bytes that one query may hold: what it sorts, gathers and answers.
    pub query_bytes_max: usize,
    /// Bytes of one function's source.
    pub function_source_bytes_max: usize,
    /// Steps that one call of a function may take which is loaded from now on.
    pub function_steps_max: usize,
    /// Bytes that one call of a function may allocate which is loaded from now on.
    pub function_bytes_max: usize,
}

/// 16 MiB, as `MongoDB`: larger things are files.
pub const DOCUMENT_BYTES_MAX: usize = 16 << 20;
/// 128 levels, as `serde_json` and RedisJSON: deeper ones are attacks.
pub const DEPTH_MAX: usize = 128;
/// 1 GiB, some tenths of a second: 1,000 operations on a document of 1 MiB, or 64 on one of 16 MiB.
pub const UPDATE_BYTES_MAX: usize = 1 << 30;
/// 64 KiB of text: long lists belong into a parameter.
pub const FILTER_BYTES_MAX: usize = 64 << 10;
/// 64 open parentheses, NOTs or arrays.
pub const FILTER_DEPTH_MAX: usize = 64;
/// 1 MiB: what a person writes takes some kilobytes.
pub const REGEX_BYTES_MAX: usize = 1 << 20;
/// 64 patterns in one filter: each may take `REGEX_BYTES_MAX`, and takes its time before the query begins.
pub const PATTERNS_MAX: usize = 64;
/// 16 paths in one ORDER: each costs memory for every candidate.
pub const ORDER_PATHS_MAX: usize = 16;
/// 32 steps: a path is written by a person.
pub const PATH_STEPS_MAX: usize = 32;
/// 1,000,000 values, some tenths of a second.
pub const JSONPATH_NODES_MAX: usize = 1_000_000;
/// 256 fields, so that an index number fits a byte.
pub const FIELDS_MAX: usize = 256;
/// 64 indexes: each makes every birth dearer.
pub const INDEXES_MAX: usize = 64;
/// 16 paths in one index: a person thinks of two or three.
pub const INDEX_PATHS_MAX: usize = 16;
/// 64 conditions joined by AND in the filter of one index: each is looked for among those of every query.
pub const INDEX_CONDITIONS_MAX: usize = 64;
/// 1,024 values in one ENUM: longer lists are documents of their own.
pub const ENUM_VALUES_MAX: usize = 1_024;
/// 10,000 entries: one document must not stall the server.
pub const INDEX_ENTRIES_MAX: usize = 10_000;
/// 10,000 documents, some milliseconds.
pub const SCAN_MAX: usize = 10_000;
/// 100,000 rows, some tens of megabytes.
pub const ROWS_MAX: usize = 100_000;
/// 100,000 groups, as many as an answer may have rows.
pub const GROUPS_MAX: usize = 100_000;
/// 10 seconds: nobody else is served meanwhile.
pub const QUERY_MS_MAX: usize = 10_000;
/// 256 MiB: what the largest answer of `ROWS_MAX` rows of some kilobytes takes.
pub const QUERY_BYTES_MAX: usize = 256 << 20;
/// 64 KiB of source: a function that a person reads has some lines.
pub const FUNCTION_SOURCE_BYTES_MAX: usize = 64 << 10;
/// 100,000 calls and turns of loops: far more than a value takes, and soon over.
pub const FUNCTION_STEPS_MAX: usize = 100_000;
/// 4 MiB: room for the words of a long text.
pub const FUNCTION_BYTES_MAX: usize = 4 << 20;
/// 1,024 functions on one server: each stays compiled.
pub const FUNCTIONS_MAX: usize = 1_024;
/// 64 bytes of a function's name: it stands in every error.
pub const FUNCTION_NAME_BYTES_MAX: usize = 64;

impl Default for Limits {
    fn default() -> Self {
        Limits {
            document_bytes_max: DOCUMENT_BYTES_MAX,
            depth_max: DEPTH_MAX,
            update_bytes_max: UPDATE_BYTES_MAX,
            filter_bytes_max: FILTER_BYTES_MAX,
            filter_depth_max: FILTER_DEPTH_MAX,
            regex_bytes_max: REGEX_BYTES_MAX,
            patterns_max: PATTERNS_MAX,
            path_steps_max: PATH_STEPS_MAX,
            jsonpath_nodes_max: JSONPATH_NODES_MAX,
            fields_max: FIELDS_MAX,
            indexes_max: INDEXES_MAX,
            index_entries_max: INDEX_ENTRIES_MAX,
            scan_max: SCAN_MAX,
            rows_max: ROWS_MAX,
            groups_max: GROUPS_MAX,
            query_ms_max: QUERY_MS_MAX,
            query_bytes_max: QUERY_BYTES_MAX,
            function_source_bytes_max: FUNCTION_SOURCE_BYTES_MAX,
            function_steps_max: FUNCTION_STEPS_MAX,
            function_bytes_max: FUNCTION_BYTES_MAX,
        }
    }
}

impl Limits {
    /// No limit: for what was accepted once, whatever limits are in force now.
    pub fn none() -> Self {
        Limits {
            document_bytes_max: usize::MAX,
            depth_max: usize::MAX,
            update_bytes_max: usize::MAX,
            filter_bytes_max: usize::MAX,
            filter_depth_max: usize::MAX,
            regex_bytes_max: usize::MAX,
            patterns_max: usize::MAX,
            path_steps_max: usize::MAX,
            fields_max: usize::MAX,
            indexes_max: usize::MAX,
            index_entries_max: usize::MAX,
            scan_max: usize::MAX,
            rows_max: usize::MAX,
            groups_max: usize::MAX,
            jsonpath_nodes_max: usize::MAX,
            query_ms_max: 0,
            query_bytes_max: usize::MAX,
            function_source_bytes_max: usize::MAX,
            function_steps_max: usize::MAX,
            function_bytes_max: usize::MAX,
        }
    }
}

//! A limit on everything that a user can make large, each a named constant with its reason, each a setting
//! `folio.<name>` of the server.

/// The limits in force. [`Limits::default`] holds the constants of this file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one document's JSON text, before and after minifying.
    pub document_bytes_max: usize,
    /// Arrays and objects open at once in one document.
    pub depth_max: usize,
    /// Bytes of one filter's text.
    pub filter_bytes_max: usize,
    /// Parentheses and NOTs open at once in one filter.
    pub filter_depth_max: usize,
    /// Bytes of memory that one LIKE pattern or regular expression may take.
    pub regex_bytes_max: usize,
    /// Steps of one path.
    pub path_steps_max: usize,
    /// Declared fields of one collection.
    pub fields_max: usize,
    /// Entries that one document may put into one index (elements of an array).
    pub index_entries_max: usize,
    /// Documents whose text a query may read because no index or column decides.
    pub scan_max: usize,
    /// Rows of one answer.
    pub rows_max: usize,
}

/// 16 MiB, as `MongoDB`: larger things are files.
pub const DOCUMENT_BYTES_MAX: usize = 16 << 20;
/// 128 levels, as `serde_json` and RedisJSON: deeper ones are attacks.
pub const DEPTH_MAX: usize = 128;
/// 64 KiB of text: long lists belong into a parameter.
pub const FILTER_BYTES_MAX: usize = 64 << 10;
/// 64 open parentheses or NOTs.
pub const FILTER_DEPTH_MAX: usize = 64;
/// 1 MiB: what a person writes takes some kilobytes.
pub const REGEX_BYTES_MAX: usize = 1 << 20;
/// 16 paths in one ORDER: each costs memory for every candidate.
pub const ORDER_PATHS_MAX: usize = 16;
/// 32 steps: a path is written by a person.
pub const PATH_STEPS_MAX: usize = 32;
/// 256 fields, so that an index number fits a byte.
pub const FIELDS_MAX: usize = 256;
/// 10,000 entries: one document must not stall the server.
pub const INDEX_ENTRIES_MAX: usize = 10_000;
/// 10,000 documents, some milliseconds.
pub const SCAN_MAX: usize = 10_000;
/// 100,000 rows, some tens of megabytes.
pub const ROWS_MAX: usize = 100_000;

impl Default for Limits {
    fn default() -> Self {
        Limits {
            document_bytes_max: DOCUMENT_BYTES_MAX,
            depth_max: DEPTH_MAX,
            filter_bytes_max: FILTER_BYTES_MAX,
            filter_depth_max: FILTER_DEPTH_MAX,
            regex_bytes_max: REGEX_BYTES_MAX,
            path_steps_max: PATH_STEPS_MAX,
            fields_max: FIELDS_MAX,
            index_entries_max: INDEX_ENTRIES_MAX,
            scan_max: SCAN_MAX,
            rows_max: ROWS_MAX,
        }
    }
}

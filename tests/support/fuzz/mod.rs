//! What a fuzzer is let loose on: functions from any bytes to nothing, which panic where Folio does wrong.
//!
//! `cargo xtask soak fuzz` has libFuzzer choose the bytes; `tests/fuzz` runs the same functions in CI, over the inputs of
//! `fuzz/seeds` and changes of them. Whatever a fuzzer has found once stands there as an input of its own.

mod filter;
mod json;
mod jsonpath;
mod operations;
mod path;

/// A body: it panics on an input on which Folio does wrong.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its folder of seeds too.
pub const TARGETS: [(&str, Target); 8] = [
    ("json", json::json),
    ("path", path::path),
    ("jsonpath", jsonpath::jsonpath),
    ("filter-text", filter::text),
    ("filter-msgpack", filter::msgpack),
    ("filter-tree", filter::tree),
    ("plan", operations::plan),
    ("operations", operations::operations),
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(own, _)| *own == name).map(|(_, target)| *target)
}

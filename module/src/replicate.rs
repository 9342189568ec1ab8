//! Effects, as replicas and the append-only file get them: absolute times, and the numbers that were given. A
//! replica never decides.

use folio_engine::doc::Document;
use folio_engine::function::Bounds;
use folio_engine::planted::{self, Fault};

use crate::datatype;
use crate::ffi::{Argument, Ctx};

/// A document was written.
pub(crate) fn written(
    ctx: &Ctx<'_>,
    name: Argument<'_>,
    document: &Document,
    expires_ms: Option<i64>,
) {
    if planted::is(Fault::Log) && document.version().is_multiple_of(64) {
        return;
    }
    let numbers = datatype::numbers_text(document, expires_ms);
    if document.timed().is_empty() {
        ctx.replicate_apply(name, &numbers, document.text(), document.is_deleted());
        return;
    }
    let words = datatype::apply_words(name.bytes(), &numbers, document);
    let words: Vec<&[u8]> = words.iter().map(|word| &**word).collect();
    ctx.replicate_words(c"DOC._APPLY", &words);
}

/// A document was removed.
pub(crate) fn removed(ctx: &Ctx<'_>, name: Argument<'_>) {
    ctx.replicate_key(c"DEL", name);
}

/// Only a TTL was changed.
pub(crate) fn retimed(ctx: &Ctx<'_>, name: Argument<'_>, expires_ms: Option<i64>) {
    match expires_ms {
        Some(at) => ctx.replicate_key_number(c"PEXPIREAT", name, at),
        None => ctx.replicate_key(c"PERSIST", name),
    }
}

/// A collection was declared.
pub(crate) fn declared(ctx: &Ctx<'_>, name: &str, definition: &str) {
    let words = [name.as_bytes(), b"DEFINITION", definition.as_bytes()];
    ctx.replicate_words(c"DOC.CREATE", &words);
}

/// A declaration was changed into this one.
pub(crate) fn altered(ctx: &Ctx<'_>, name: &str, definition: &str) {
    let words = [name.as_bytes(), b"DEFINITION", definition.as_bytes()];
    ctx.replicate_words(c"DOC.ALTER", &words);
}

/// A declaration was dropped.
pub(crate) fn undeclared(ctx: &Ctx<'_>, name: &str) {
    ctx.replicate_words(c"DOC.DROP", &[name.as_bytes()]);
}

/// A function was loaded, with these bounds.
pub(crate) fn function_loaded(ctx: &Ctx<'_>, name: &str, source: &str, bounds: Bounds) {
    let (steps, bytes) = (bounds.steps.to_string(), bounds.bytes.to_string());
    let words = ["LOAD", "REPLACE", "STEPS", &steps, "MEMORY", &bytes, name, source];
    ctx.replicate_words(c"DOC.FUNCTION", &words.map(str::as_bytes));
}

/// A function was taken away.
pub(crate) fn function_deleted(ctx: &Ctx<'_>, name: &str) {
    ctx.replicate_words(c"DOC.FUNCTION", &[b"DELETE", name.as_bytes()]);
}

/// Definitions and counters of the selected database were set.
pub(crate) fn state_set(ctx: &Ctx<'_>, json: &[u8]) {
    ctx.replicate_words(c"DOC._STATE", &[json]);
}

/// Definitions and counters of the selected database, for the append-only file alone.
pub(crate) fn state_kept(ctx: &Ctx<'_>, json: &[u8]) {
    ctx.append_text(c"DOC._STATE", json);
}

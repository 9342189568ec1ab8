//! What a document is on disk.
//!
//! ```text
//! value (encoding 5)   birth number, version, created, updated since then, 1 if it is deleted, 2 and its parts with a TTL
//!                      if it has any, 3 and its schema version if that is not 0, text: all in one s
//!       (encoding 4)   the same without schema versions: there were none
//!       (encoding 3)   the same without parts with a TTL: none had any
//!       (encoding 2)   the same without the mark: none was deleted
//!       (encoding 1)   format u, birth number u, version u, created i, updated i, text s
//! auxiliary            count u, then for each database: number u, definitions and counters as JSON s; with the first, functions
//! rewritten AOF        DOC._STATE json (of every database, before the first document)
//!                      DOC._APPLY key version,seq,created,updated,-1[,schema] json [DELETED] [TIMED json]; the server adds
//!                      PEXPIREAT
//! ```
//!
//! `u` and `i` are the server's own integers, `s` its strings: each costs the server several reads, so a value is one. Every
//! older form is read for ever. What is read is validated like a user's text, so a corrupted payload is refused. Where there
//! is no document, a rewrite asks modules for nothing; so DOC._STATE also begins the file that continues a rewritten one
//! (`lifecycle::child_born`).

use std::borrow::Cow;
use std::cell::Cell;
use std::mem;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use folio_engine::doc::timed::timed_to_json;
use folio_engine::doc::{Document, Parsed, Stamp};
use folio_engine::store::NUMBER_END;
use folio_engine::{Limits, Result};
use smallvec::SmallVec;

use crate::ffi::{self, Aof, Argument, Digest, Loaded, Rdb};
use crate::stamp::{Marks, STAMP_BYTES_MAX, read_marks, read_stamp, write_stamp};
use crate::state::{self, Pending};

/// The encoding that the server writes beside the type.
pub(crate) const ENCODING: i32 = 5;
/// The layout of a value's fields in the first encoding.
const FORMAT: u64 = 1;
/// Databases that one auxiliary section can name: more than any server has.
const DATABASES_MAX: u64 = 1 << 20;

thread_local! {
    /// Buffers that parsing reuses.
    static SCRATCH: Cell<Parsed> = Cell::default();
}

/// Parses `text` and hands it to `body`.
pub(crate) fn with_parsed<R>(
    text: &[u8],
    limits: &Limits,
    body: impl FnOnce(&Parsed) -> R,
) -> Result<R> {
    with_timed(text, &[], limits, body)
}

/// The same of a document whose parts have these TTLs.
pub(crate) fn with_timed<R>(
    text: &[u8],
    timed: &[u8],
    limits: &Limits,
    body: impl FnOnce(&Parsed) -> R,
) -> Result<R> {
    let mut parsed = SCRATCH.take();
    let result = parsed.parse(text, limits).map(|()| {
        parsed.set_timed(timed);
        body(&parsed)
    });
    SCRATCH.set(parsed);
    result
}

/// Limits for text that was accepted once: no setting refuses what is stored.
pub(crate) fn stored_limits() -> Limits {
    Limits {
        document_bytes_max: u32::MAX as usize,
        depth_max: 1 << 16,
        path_steps_max: 1 << 16,
        indexes_max: usize::MAX,
        // Of the filters of indexes.
        filter_bytes_max: usize::MAX,
        filter_depth_max: usize::MAX,
        regex_bytes_max: usize::MAX,
        patterns_max: usize::MAX,
        function_source_bytes_max: usize::MAX,
        ..Limits::default()
    }
}

/// Reads a value; `None` refuses the payload.
pub(crate) fn load(rdb: &Rdb, encoding: i32) -> Option<Document> {
    let (stamp, bytes) = match encoding {
        1 => load_fields(rdb)?,
        2..=ENCODING => (None, rdb.load_bytes()?),
        _ => {
            ffi::log(true, "a document was written by a later version of Folio");
            return None;
        }
    };
    let (stamp, marks, text) = match stamp {
        Some(stamp) => (stamp, Marks::default(), &bytes[..]),
        None => read_value(&bytes, encoding)?,
    };
    if stamp.seq.max(stamp.version) > NUMBER_END {
        return None;
    }
    let stamp = Stamp { is_deleted: marks.is_deleted, schema: marks.schema, ..stamp };
    let document =
        with_timed(text, marks.timed, &stored_limits(), |parsed| Document::new(parsed, stamp))
            .ok()?;
    state::with_logged(|state| {
        state.pending = None;
        // Outside of a load this is RESTORE, which may still refuse the value; `appeared` tells if not.
        if state.is_loading {
            let mut key = mem::take(&mut state.spare_key);
            key.clear();
            key.extend_from_slice(rdb.key().bytes());
            let db = u32::try_from(rdb.db()).unwrap_or(0);
            state.pending = Some(Pending { db, key, document: document.clone() });
        }
    });
    Some(document)
}

/// Reads a value that is one string: the older the encoding, the fewer marks there are before the text.
fn read_value(bytes: &[u8], encoding: i32) -> Option<(Stamp, Marks<'_>, &[u8])> {
    let (stamp, rest) = read_stamp(bytes)?;
    let (marks, text) = if encoding == 2 { (Marks::default(), rest) } else { read_marks(rest)? };
    let is_of_its_time =
        (encoding > 3 || marks.timed.is_empty()) && (encoding > 4 || marks.schema == 0);
    is_of_its_time.then_some((stamp, marks, text))
}

/// Reads a value's fields in the first encoding: its numbers, and its text.
fn load_fields(rdb: &Rdb) -> Option<(Option<Stamp>, Loaded)> {
    if rdb.load_unsigned()? != FORMAT {
        ffi::log(true, "a document was written by a later version of Folio");
        return None;
    }
    let (seq, version) = (rdb.load_unsigned()?, rdb.load_unsigned()?);
    let (created_ms, updated_ms) = (rdb.load_signed()?, rdb.load_signed()?);
    let stamp = Stamp { seq, version, created_ms, updated_ms, ..Stamp::default() };
    Some((Some(stamp), rdb.load_bytes()?))
}

/// Writes a value.
pub(crate) fn save(rdb: &Rdb, document: &Document) {
    let length = STAMP_BYTES_MAX + document.timed().len() + document.text().len();
    let mut bytes = Vec::with_capacity(length);
    write_stamp(document, &mut bytes);
    bytes.extend_from_slice(document.text());
    rdb.save_bytes(&bytes);
}

/// Writes definitions and counters. A count is always written: an empty section cannot be read back.
pub(crate) fn save_state(rdb: &Rdb) {
    let mut databases = Vec::new();
    state::with_logged(|state| databases = state.store.save_state());
    rdb.save_unsigned(databases.len() as u64);
    for (db, json) in databases {
        rdb.save_unsigned(u64::from(db));
        rdb.save_bytes(json.as_bytes());
    }
}

/// Reads definitions and counters; false refuses the file.
pub(crate) fn load_state(rdb: &Rdb, encoding: i32) -> bool {
    if !(1..=ENCODING).contains(&encoding) {
        ffi::log(true, "definitions were written by a later version of Folio");
        return false;
    }
    load_databases(rdb).is_some()
}

fn load_databases(rdb: &Rdb) -> Option<()> {
    let count = rdb.load_unsigned().filter(|count| *count <= DATABASES_MAX)?;
    for _ in 0..count {
        let db = u32::try_from(rdb.load_unsigned()?).ok()?;
        let json = rdb.load_bytes()?;
        let outcome = state::with(|state| state.load_state(db, &json)).and_then(|outcome| outcome);
        if let Err(error) = outcome {
            ffi::log(true, &format!("definitions of database {db} cannot be read: {error}"));
            return None;
        }
    }
    Some(())
}

/// The numbers that `DOC._APPLY` takes, in its order: version, birth number, created, updated, expires.
fn numbers(document: &Document, expires_ms: Option<i64>) -> [i64; 5] {
    [
        document.version() as i64,
        document.seq() as i64,
        document.created_ms(),
        document.updated_ms(),
        expires_ms.unwrap_or(-1),
    ]
}

/// The same as `DOC._APPLY` is told them, with the schema version behind them if that is not 0: joined by commas in one word,
/// which costs the server less than five.
pub(crate) fn numbers_text(document: &Document, expires_ms: Option<i64>) -> SmallVec<[u8; 128]> {
    let (mut text, mut buffer) = (SmallVec::new(), itoa::Buffer::new());
    for number in numbers(document, expires_ms) {
        if !text.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(buffer.format(number).as_bytes());
    }
    if document.schema() != 0 {
        text.push(b',');
        text.extend_from_slice(buffer.format(document.schema()).as_bytes());
    }
    text
}

/// Writes a value into a rewritten append-only file.
pub(crate) fn rewrite(aof: &Aof, key: Argument<'_>, document: &Document) {
    /// The process that has written the definitions: each rewrite is a fork of its own.
    static WRITTEN_BY: AtomicU32 = AtomicU32::new(0);
    let process = process::id();
    if WRITTEN_BY.swap(process, Ordering::Relaxed) != process {
        let mut databases = Vec::new();
        state::with_logged(|state| databases = state.store.save_state());
        for (db, json) in databases {
            aof.emit_select(db);
            aof.emit_state(json.as_bytes());
        }
        aof.emit_select(aof.db());
    }
    let numbers = numbers_text(document, None);
    if document.timed().is_empty() {
        aof.emit_apply(key, &numbers, document.text(), document.is_deleted());
    } else {
        let words = apply_words(key.bytes(), &numbers, document);
        let words: Vec<&[u8]> = words.iter().map(|word| &**word).collect();
        aof.emit_words(c"DOC._APPLY", &words);
    }
}

/// The words of `DOC._APPLY` for a document that has parts with a TTL.
pub(crate) fn apply_words<'d>(
    key: &'d [u8],
    numbers: &'d [u8],
    document: &'d Document,
) -> Vec<Cow<'d, [u8]>> {
    let mut words: Vec<Cow<'_, [u8]>> = vec![key.into(), numbers.into(), document.text().into()];
    if document.is_deleted() {
        words.push(b"DELETED"[..].into());
    }
    words.push(b"TIMED"[..].into());
    words.push(timed_to_json(document.timed()).into_bytes().into());
    words
}

/// What DEBUG DIGEST compares between servers: text, numbers and marks.
pub(crate) fn digest(digest: &Digest, document: &Document) {
    digest.add(document.text());
    for number in numbers(document, None) {
        digest.add(&number.to_be_bytes());
    }
    if document.is_deleted() {
        digest.add(b"deleted");
    }
    if !document.timed().is_empty() {
        digest.add(document.timed());
    }
    if document.schema() != 0 {
        digest.add(&document.schema().to_be_bytes());
    }
    digest.end_sequence();
}

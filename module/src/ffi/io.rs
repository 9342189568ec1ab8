//! The streams of a value's life on disk: RDB files and RESTORE payloads, the rewritten AOF, DEBUG DIGEST.

use std::ffi::{CStr, c_char, c_longlong};
use std::ops::Deref;
use std::slice;

use redis_module::raw;

use super::context::apply_format;
use super::{Argument, OwnedString};

/// A block that the server allocated for a loaded string, freed with this.
pub(crate) struct Loaded {
    start: *mut c_char,
    length: usize,
}

impl Deref for Loaded {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: owned: the server allocated that many bytes for us.
        unsafe { slice::from_raw_parts(self.start.cast(), self.length) }
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        let free = api!(RedisModule_Free);
        // SAFETY: owned: the server's allocation, freed once.
        unsafe { free(self.start.cast()) };
    }
}

/// An RDB stream, being written or read. A read gives `None` once the stream is at fault.
pub(crate) struct Rdb {
    raw: *mut raw::RedisModuleIO,
}

impl Rdb {
    /// Takes a stream that lives as long as the callback in which this is made and dropped.
    pub(super) fn new(raw: *mut raw::RedisModuleIO) -> Self {
        Rdb { raw }
    }

    /// The database of the value, -1 where the server does not know.
    pub(crate) fn db(&self) -> i32 {
        let db_of = api!(RedisModule_GetDbIdFromIO);
        // SAFETY: server: a live stream.
        unsafe { db_of(self.raw) }
    }

    /// The key of the value; empty where the server does not know.
    pub(crate) fn key(&self) -> Argument<'_> {
        let key_of = api!(RedisModule_GetKeyNameFromIO);
        // SAFETY: server: a live stream.
        Argument::new(unsafe { key_of(self.raw) }.cast_mut())
    }

    pub(crate) fn save_unsigned(&self, number: u64) {
        let save = api!(RedisModule_SaveUnsigned);
        // SAFETY: server: a live stream.
        unsafe { save(self.raw, number) };
    }

    pub(crate) fn save_bytes(&self, bytes: &[u8]) {
        let save = api!(RedisModule_SaveStringBuffer);
        // SAFETY: server: a live stream; borrow: that many bytes.
        unsafe { save(self.raw, bytes.as_ptr().cast(), bytes.len()) };
    }

    fn is_at_fault(&self) -> bool {
        let is_error = api!(RedisModule_IsIOError);
        // SAFETY: server: a live stream.
        unsafe { is_error(self.raw) != 0 }
    }

    pub(crate) fn load_unsigned(&self) -> Option<u64> {
        let load = api!(RedisModule_LoadUnsigned);
        // SAFETY: server: a live stream.
        let number = unsafe { load(self.raw) };
        (!self.is_at_fault()).then_some(number)
    }

    pub(crate) fn load_signed(&self) -> Option<i64> {
        let load = api!(RedisModule_LoadSigned);
        // SAFETY: server: a live stream.
        let number = unsafe { load(self.raw) };
        (!self.is_at_fault()).then_some(number)
    }

    pub(crate) fn load_bytes(&self) -> Option<Loaded> {
        let load = api!(RedisModule_LoadStringBuffer);
        let mut length = 0;
        // SAFETY: server: a live stream; borrow: a place for the length.
        let start = unsafe { load(self.raw, &raw mut length) };
        (!start.is_null()).then_some(Loaded { start, length })
    }
}

/// The append-only file while it is rewritten.
pub(crate) struct Aof {
    raw: *mut raw::RedisModuleIO,
}

impl Aof {
    /// Takes a stream that lives as long as the callback in which this is made and dropped.
    pub(super) fn new(raw: *mut raw::RedisModuleIO) -> Self {
        Aof { raw }
    }

    /// The database of the value.
    pub(crate) fn db(&self) -> u32 {
        Rdb { raw: self.raw }.db().try_into().unwrap_or(0)
    }

    /// Writes `DOC._APPLY key numbers text [DELETED]`.
    pub(crate) fn emit_apply(
        &self,
        key: Argument<'_>,
        numbers: &[u8],
        text: &[u8],
        is_deleted: bool,
    ) {
        let emit = api!(RedisModule_EmitAOF);
        // SAFETY: borrow: the arguments are those that the format names, copied by the server.
        unsafe {
            emit(
                self.raw,
                c"DOC._APPLY".as_ptr(),
                apply_format(is_deleted).as_ptr(),
                key.raw,
                numbers.as_ptr(),
                numbers.len(),
                text.as_ptr(),
                text.len(),
                // A format that does not name it leaves it unread.
                c"DELETED".as_ptr(),
            );
        };
    }

    /// Writes `command` with so many byte strings.
    pub(crate) fn emit_words(&self, command: &CStr, words: &[&[u8]]) {
        let emit = api!(RedisModule_EmitAOF);
        let owned: Vec<OwnedString> = words.iter().map(|word| OwnedString::new(word)).collect();
        let mut pointers: Vec<_> = owned.iter().map(|string| string.raw).collect();
        // SAFETY: owned: a vector of live strings and its length, as the format says; the server copies.
        unsafe {
            emit(self.raw, command.as_ptr(), c"v".as_ptr(), pointers.as_mut_ptr(), pointers.len());
        };
    }

    /// Writes `DOC._STATE text`.
    pub(crate) fn emit_state(&self, text: &[u8]) {
        let emit = api!(RedisModule_EmitAOF);
        // SAFETY: borrow: a buffer and its length, as the format says.
        unsafe {
            emit(self.raw, c"DOC._STATE".as_ptr(), c"b".as_ptr(), text.as_ptr(), text.len());
        };
    }

    /// Writes `SELECT db`.
    pub(crate) fn emit_select(&self, db: u32) {
        let emit = api!(RedisModule_EmitAOF);
        // SAFETY: borrow: a number, as the format says.
        unsafe {
            emit(self.raw, c"SELECT".as_ptr(), c"l".as_ptr(), c_longlong::from(db));
        };
    }
}

/// The digest of one value, for DEBUG DIGEST.
pub(crate) struct Digest {
    raw: *mut raw::RedisModuleDigest,
}

impl Digest {
    /// Takes a digest that lives as long as the callback in which this is made and dropped.
    pub(super) fn new(raw: *mut raw::RedisModuleDigest) -> Self {
        Digest { raw }
    }

    /// Adds one element.
    pub(crate) fn add(&self, bytes: &[u8]) {
        let add = api!(RedisModule_DigestAddStringBuffer);
        // SAFETY: server: a live digest; borrow: that many bytes.
        unsafe { add(self.raw, bytes.as_ptr().cast(), bytes.len()) };
    }

    /// Ends a sequence of elements whose order counts.
    pub(crate) fn end_sequence(&self) {
        let end = api!(RedisModule_DigestEndSequence);
        // SAFETY: server: a live digest.
        unsafe { end(self.raw) };
    }
}

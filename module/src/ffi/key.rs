//! An open key, and documents as the keyspace holds them: one pointer to a counted allocation.

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr;

use folio_engine::doc::{Document, Header};
use redis_module::raw;
use triomphe::ThinArc;

use super::datatype;

/// What a key is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading; counts as a use of the key.
    Read,
    /// Reading that leaves the key's last use as it is.
    Peek,
    /// Reading and writing.
    Write,
}

impl Access {
    pub(super) fn bits(self) -> c_int {
        let bits = match self {
            Access::Read => raw::REDISMODULE_READ,
            Access::Peek => raw::REDISMODULE_READ | raw::REDISMODULE_OPEN_KEY_NOTOUCH,
            Access::Write => raw::REDISMODULE_READ | raw::REDISMODULE_WRITE,
        };
        bits as c_int
    }
}

/// A document that the keyspace owns, on loan.
pub(crate) struct Loan<'a> {
    document: ManuallyDrop<Document>,
    lifetime: PhantomData<&'a Document>,
}

impl Deref for Loan<'_> {
    type Target = Document;

    fn deref(&self) -> &Document {
        &self.document
    }
}

/// Turns a document into the pointer that the keyspace holds; the pointer owns one count.
pub(super) fn into_raw(document: Document) -> *mut c_void {
    ThinArc::into_raw(document.into_thin()).cast_mut()
}

/// Takes back a pointer of [`into_raw`] and the count that it owns.
///
/// # Safety
/// `raw` comes from `into_raw` and is given up by its holder.
pub(super) unsafe fn from_raw(raw: *const c_void) -> Document {
    // SAFETY: the caller's promise.
    let thin: ThinArc<Header, u8> = unsafe { ThinArc::from_raw(raw) };
    Document::from_thin(thin)
}

/// Borrows the document behind a pointer of [`into_raw`].
///
/// # Safety
/// `raw` comes from `into_raw`, and its holder keeps it for `'a`.
pub(super) unsafe fn lend<'a>(raw: *const c_void) -> Loan<'a> {
    // SAFETY: the caller's promise; the count stays the holder's, because nothing here drops it.
    let document = ManuallyDrop::new(unsafe { from_raw(raw) });
    Loan { document, lifetime: PhantomData }
}

/// What stands under a key.
pub(crate) enum Value<'a> {
    /// Nothing.
    Empty,
    /// A document.
    Document(Loan<'a>),
    /// A value of another type.
    Other,
}

/// A key opened in the context's database, closed when this is dropped.
pub(crate) struct Key<'c> {
    pub(super) raw: *mut raw::RedisModuleKey,
    lifetime: PhantomData<&'c ()>,
}

impl Key<'_> {
    /// Takes a key of `OpenKey`: null for an absent key that was opened for reading.
    pub(super) fn new(raw: *mut raw::RedisModuleKey) -> Self {
        Key { raw, lifetime: PhantomData }
    }

    /// What stands under the key. The loan ends with the next change of the key.
    pub(crate) fn value(&self) -> Value<'_> {
        if self.raw.is_null() {
            return Value::Empty;
        }
        let key_type = api!(RedisModule_KeyType);
        // SAFETY: server: an open key.
        let kind = unsafe { key_type(self.raw) };
        if kind == raw::REDISMODULE_KEYTYPE_EMPTY as c_int {
            return Value::Empty;
        }
        if kind != raw::REDISMODULE_KEYTYPE_MODULE as c_int {
            return Value::Other;
        }
        let type_of = api!(RedisModule_ModuleTypeGetType);
        // SAFETY: server: an open key.
        if unsafe { type_of(self.raw) } != datatype::document_type() {
            return Value::Other;
        }
        let value_of = api!(RedisModule_ModuleTypeGetValue);
        // SAFETY: server: an open key that holds a module's value.
        let value = unsafe { value_of(self.raw) };
        // SAFETY: the type says that the value is a document's, which the keyspace keeps while it is not changed.
        Value::Document(unsafe { lend(value) })
    }

    /// The key's database, right even where the selected one is not.
    pub(crate) fn db(&self) -> u32 {
        let db_of = api!(RedisModule_GetDbIdFromModuleKey);
        // SAFETY: server: an open key.
        u32::try_from(unsafe { db_of(self.raw) }).unwrap_or(0)
    }

    /// When the key lapses, in milliseconds since 1970.
    pub(crate) fn expires_ms(&self) -> Option<i64> {
        if self.raw.is_null() {
            return None;
        }
        let expire_of = api!(RedisModule_GetAbsExpire);
        // SAFETY: server: an open key.
        let expires = unsafe { expire_of(self.raw) };
        (expires != i64::from(raw::REDISMODULE_NO_EXPIRE)).then_some(expires)
    }

    /// Sets when the key lapses, or that it does not. The key holds a value and is open for writing.
    pub(crate) fn set_expires_ms(&self, expires_ms: Option<i64>) {
        let set = api!(RedisModule_SetAbsExpire);
        let expires = expires_ms.unwrap_or(i64::from(raw::REDISMODULE_NO_EXPIRE));
        // SAFETY: server: an open key.
        unsafe { set(self.raw, expires) };
    }

    /// Puts `document` under the key in place of whatever is there. Drops a TTL, calls `unlink2` for an old
    /// document and notifies `new`: never call this while the state is borrowed.
    pub(crate) fn set(&self, document: Document) {
        let set = api!(RedisModule_ModuleTypeSetValue);
        let value = into_raw(document);
        // SAFETY: server: a key open for writing; owned: the keyspace takes over the value's count.
        let status = unsafe { set(self.raw, datatype::document_type(), value) };
        if status != raw::REDISMODULE_OK as c_int {
            // SAFETY: owned: a refused value is still ours.
            drop(unsafe { from_raw(value) });
        }
    }

    /// Puts `document` in place of the document that is there; calls nothing and keeps the TTL.
    pub(crate) fn replace(&self, document: Document) {
        let replace = api!(RedisModule_ModuleTypeReplaceValue);
        let value = into_raw(document);
        let mut old = ptr::null_mut();
        // SAFETY: server: a key open for writing; owned: the keyspace takes over the value's count.
        let status = unsafe { replace(self.raw, datatype::document_type(), value, &raw mut old) };
        let wasted = if status == raw::REDISMODULE_OK as c_int { old } else { value };
        if !wasted.is_null() {
            // SAFETY: owned: the keyspace gave up the old value, or refused the new one.
            drop(unsafe { from_raw(wasted) });
        }
    }

    /// Removes the key. Calls `unlink2`: never call this while the state is borrowed.
    pub(crate) fn delete(&self) {
        let delete = api!(RedisModule_DeleteKey);
        // SAFETY: server: a key open for writing.
        unsafe { delete(self.raw) };
    }
}

impl Drop for Key<'_> {
    fn drop(&mut self) {
        if self.raw.is_null() {
            return;
        }
        let close = api!(RedisModule_CloseKey);
        // SAFETY: server: an open key, closed once.
        unsafe { close(self.raw) };
    }
}

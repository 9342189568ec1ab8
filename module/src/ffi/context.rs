//! What one callback may do: its arguments, its database, replication, other commands.

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_longlong};
use std::marker::PhantomData;
use std::{ptr, slice};

use redis_module::raw;

use super::key::Key;

/// A string of the server, for the duration of the callback that it came with.
#[derive(Clone, Copy)]
pub(crate) struct Argument<'a> {
    pub(super) raw: *mut raw::RedisModuleString,
    lifetime: PhantomData<&'a [u8]>,
}

impl<'a> Argument<'a> {
    /// Takes a pointer that the server keeps valid and unchanged for `'a`.
    pub(super) fn new(raw: *mut raw::RedisModuleString) -> Self {
        Argument { raw, lifetime: PhantomData }
    }

    /// The bytes, where the server keeps them.
    pub(crate) fn bytes(self) -> &'a [u8] {
        if self.raw.is_null() {
            return &[];
        }
        let mut length = 0;
        let string_ptr_len = api!(RedisModule_StringPtrLen);
        // SAFETY: server: the string is live, by the type's invariant.
        let start = unsafe { string_ptr_len(self.raw, &raw mut length) };
        // SAFETY: server: that many bytes, unchanged for `'a`.
        unsafe { slice::from_raw_parts(start.cast(), length) }
    }
}

/// A string made for a call, freed with it.
pub(crate) struct OwnedString {
    pub(super) raw: *mut raw::RedisModuleString,
}

impl OwnedString {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let create = api!(RedisModule_CreateString);
        // SAFETY: borrow: the bytes are copied. Without a context the string is freed by hand.
        let raw = unsafe { create(ptr::null_mut(), bytes.as_ptr().cast(), bytes.len()) };
        OwnedString { raw }
    }

    /// The string, while this lives.
    pub(crate) fn argument(&self) -> Argument<'_> {
        Argument::new(self.raw)
    }
}

impl Drop for OwnedString {
    fn drop(&mut self) {
        let free = api!(RedisModule_FreeString);
        // SAFETY: owned: made by `new`, freed once.
        unsafe { free(ptr::null_mut(), self.raw) };
    }
}

/// The context of one callback.
pub(crate) struct Ctx<'a> {
    pub(super) raw: *mut raw::RedisModuleCtx,
    argv: &'a [*mut raw::RedisModuleString],
    pub(super) replied: Cell<bool>,
}

impl<'a> Ctx<'a> {
    /// The context of a callback without arguments; `raw` lives for `'a`.
    pub(super) fn new(raw: *mut raw::RedisModuleCtx) -> Self {
        Ctx { raw, argv: &[], replied: Cell::new(false) }
    }

    /// The context of a command; both pointers live for `'a`.
    pub(super) fn of_command(
        raw: *mut raw::RedisModuleCtx,
        argv: *mut *mut raw::RedisModuleString,
        length: c_int,
    ) -> Self {
        let count = usize::try_from(length).unwrap_or(0);
        if argv.is_null() || count == 0 {
            return Ctx::new(raw);
        }
        // SAFETY: server: that many strings stand at `argv` for the duration of the command.
        let argv = unsafe { slice::from_raw_parts(argv, count) };
        Ctx { raw, argv, replied: Cell::new(false) }
    }

    /// How many arguments there are, the command's name included.
    pub(crate) fn argument_count(&self) -> usize {
        self.argv.len()
    }

    /// The argument at `index`, the command's name being 0.
    ///
    /// # Panics
    /// When there is none.
    pub(crate) fn argument(&self, index: usize) -> Argument<'a> {
        Argument::new(self.argv[index])
    }

    /// The arguments as the server keeps them, and how many there are.
    pub(super) fn raw_arguments(&self) -> (*mut *mut raw::RedisModuleString, c_int) {
        (self.argv.as_ptr().cast_mut(), self.argv.len() as c_int)
    }

    /// The database that the client has selected.
    pub(crate) fn db(&self) -> u32 {
        let selected = api!(RedisModule_GetSelectedDb);
        // SAFETY: server: the context is live.
        u32::try_from(unsafe { selected(self.raw) }).unwrap_or(0)
    }

    /// Selects a database; false where there is none of that number.
    pub(crate) fn select(&self, db: u32) -> bool {
        let select = api!(RedisModule_SelectDb);
        let Ok(db) = c_int::try_from(db) else { return false };
        // SAFETY: server: the context is live.
        unsafe { select(self.raw, db) == raw::REDISMODULE_OK as c_int }
    }

    fn has_flag(&self, flag: u32) -> bool {
        let flags = api!(RedisModule_GetContextFlags);
        // SAFETY: server: the context is live.
        let set = unsafe { flags(self.raw) };
        set as u32 & flag != 0
    }

    /// Whether the command comes from the append-only file or from the primary. (While a replica loads a full sync
    /// beside the data that it serves, clients' commands run too.)
    pub(crate) fn is_replay(&self) -> bool {
        let is_from_file = self.has_flag(raw::REDISMODULE_CTX_FLAGS_LOADING)
            && !self.has_flag(raw::REDISMODULE_CTX_FLAGS_ASYNC_LOADING);
        is_from_file || self.has_flag(raw::REDISMODULE_CTX_FLAGS_REPLICATED)
    }

    /// Whether the server follows a primary.
    pub(crate) fn is_replica(&self) -> bool {
        self.has_flag(raw::REDISMODULE_CTX_FLAGS_SLAVE)
    }

    /// Whether the server holds as much as `maxmemory` lets it: commands that could take more are refused.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.has_flag(raw::REDISMODULE_CTX_FLAGS_OOM)
    }

    /// Whether the command may answer its client later: not in a transaction or a script, not for another module, and not
    /// where it comes from a primary or a file.
    pub(crate) fn may_block(&self) -> bool {
        let denied = raw::REDISMODULE_CTX_FLAGS_DENY_BLOCKING
            | raw::REDISMODULE_CTX_FLAGS_MULTI
            | raw::REDISMODULE_CTX_FLAGS_LUA
            | raw::REDISMODULE_CTX_FLAGS_LOADING;
        !self.has_flag(denied) && !self.is_replay()
    }

    /// Whether the server asks where the keys of a command are, instead of running it.
    pub(super) fn is_keys_request(&self) -> bool {
        let asks = api!(RedisModule_IsKeysPositionRequest);
        // SAFETY: server: the context is live.
        unsafe { asks(self.raw) != 0 }
    }

    /// Answers a keys request: the argument at `index` is a key, `flags` says what is done with it.
    pub(super) fn tell_key(&self, index: usize, flags: u32) {
        let tell = api!(RedisModule_KeyAtPosWithFlags);
        // SAFETY: server: the context is live.
        unsafe { tell(self.raw, index as c_int, flags as c_int) };
    }

    /// Opens `name` in the selected database.
    ///
    /// With [`Access::Write`](super::Access::Write), and on a primary in every mode, a lapsed key is removed
    /// first, which calls `unlink2`: never call this while the state is borrowed.
    pub(crate) fn open(&self, name: Argument<'_>, access: super::Access) -> Key<'_> {
        let open = api!(RedisModule_OpenKey);
        // SAFETY: server: context and name are live.
        let raw = unsafe { open(self.raw, name.raw, access.bits()) };
        Key::new(raw.cast())
    }

    /// Wakes those who WATCH the key and those who track it.
    pub(crate) fn signal_modified(&self, name: Argument<'_>) {
        let signal = api!(RedisModule_SignalModifiedKey);
        // SAFETY: server: context and name are live.
        unsafe { signal(self.raw, name.raw) };
    }

    /// Publishes a keyspace event of Folio's own.
    pub(crate) fn notify(&self, event: &CStr, name: Argument<'_>) {
        self.publish(raw::REDISMODULE_NOTIFY_MODULE, event, name);
    }

    /// Publishes one of the server's own keyspace events (`del`, `expire`, `persist`).
    pub(crate) fn notify_generic(&self, event: &CStr, name: Argument<'_>) {
        self.publish(raw::REDISMODULE_NOTIFY_GENERIC, event, name);
    }

    fn publish(&self, class: c_int, event: &CStr, name: Argument<'_>) {
        let notify = api!(RedisModule_NotifyKeyspaceEvent);
        // SAFETY: server: context and name are live; the event's name is a C string.
        unsafe { notify(self.raw, class, event.as_ptr(), name.raw) };
    }

    /// Replicates `DOC._APPLY key numbers text [DELETED]`.
    pub(crate) fn replicate_apply(
        &self,
        name: Argument<'_>,
        numbers: &[u8],
        text: &[u8],
        is_deleted: bool,
    ) {
        let replicate = api!(RedisModule_Replicate);
        // SAFETY: borrow: the arguments are those that the format names, copied by the server.
        unsafe {
            replicate(
                self.raw,
                c"DOC._APPLY".as_ptr(),
                apply_format(is_deleted).as_ptr(),
                name.raw,
                numbers.as_ptr(),
                numbers.len(),
                text.as_ptr(),
                text.len(),
                // A format that does not name it leaves it unread.
                c"DELETED".as_ptr(),
            )
        };
    }

    /// Replicates `command key`.
    pub(crate) fn replicate_key(&self, command: &CStr, name: Argument<'_>) {
        let replicate = api!(RedisModule_Replicate);
        // SAFETY: server: a command's name and one live string, as the format says.
        unsafe { replicate(self.raw, command.as_ptr(), c"s".as_ptr(), name.raw) };
    }

    /// Replicates `command key number`.
    pub(crate) fn replicate_key_number(&self, command: &CStr, name: Argument<'_>, number: i64) {
        let replicate = api!(RedisModule_Replicate);
        let number: c_longlong = number;
        // SAFETY: server: a command's name, one live string and a number, as the format says.
        unsafe { replicate(self.raw, command.as_ptr(), c"sl".as_ptr(), name.raw, number) };
    }

    /// Writes `command text` for the selected database into the append-only file, and sends replicas nothing.
    pub(crate) fn append_text(&self, command: &CStr, text: &[u8]) {
        let replicate = api!(RedisModule_Replicate);
        // SAFETY: borrow: a command's name, a buffer and its length, as the format says; the server copies.
        unsafe { replicate(self.raw, command.as_ptr(), c"Rb".as_ptr(), text.as_ptr(), text.len()) };
    }

    /// A number of INFO; 0 where there is none.
    pub(crate) fn server_number(&self, section: &CStr, field: &CStr) -> i64 {
        let get = api!(RedisModule_GetServerInfo);
        // SAFETY: server: a live context; borrow: a C string.
        let info = unsafe { get(self.raw, section.as_ptr()) };
        let field_of = api!(RedisModule_ServerInfoGetFieldSigned);
        let mut error = 0;
        // SAFETY: owned: made above; borrow: a C string and a place for the error.
        let number = unsafe { field_of(info, field.as_ptr(), &raw mut error) };
        let free = api!(RedisModule_FreeServerInfo);
        // SAFETY: owned: made above, freed once.
        unsafe { free(self.raw, info) };
        number
    }

    /// Replicates `command` with byte strings.
    pub(crate) fn replicate_words(&self, command: &CStr, words: &[&[u8]]) {
        let replicate = api!(RedisModule_Replicate);
        let owned: Vec<OwnedString> = words.iter().map(|word| OwnedString::new(word)).collect();
        let mut pointers: Vec<_> = owned.iter().map(|string| string.raw).collect();
        // SAFETY: owned: a vector of live strings and its length, as the format says; the server copies.
        unsafe {
            replicate(
                self.raw,
                command.as_ptr(),
                c"v".as_ptr(),
                pointers.as_mut_ptr(),
                pointers.len(),
            )
        };
    }
}

/// Whether nothing may be replicated now but by a command: clients are paused, or a failover is under way.
pub(crate) fn is_quiet() -> bool {
    let avoid = api!(RedisModule_AvoidReplicaTraffic);
    // SAFETY: table: takes nothing.
    unsafe { avoid() != 0 }
}

/// The arguments of `DOC._APPLY` for the server: a key, numbers, a text, and a word for a document that is marked.
pub(super) fn apply_format(is_deleted: bool) -> &'static CStr {
    if is_deleted { c"sbbc" } else { c"sbb" }
}

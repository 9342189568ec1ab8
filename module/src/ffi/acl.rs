//! Users, as the server's access control lists know them.

use std::ffi::c_int;
use std::io;
use std::ptr;

use redis_module::raw;

use super::api::c_string;
use super::{Ctx, OwnedString};
use crate::acl::Right;

/// Who runs a command.
pub(crate) enum Caller {
    /// The server itself, for the append-only file, a primary or another module: it may do everything.
    Server,
    /// A user of the server, by its name.
    User(OwnedString, User),
    /// A user whom the server's lists do not know, because another module made it.
    Stranger,
}

/// A user, found by name or made here.
pub(crate) struct User {
    raw: *mut raw::RedisModuleUser,
}

// SAFETY: server: whoever runs a command holds the server's lock, and users are used by nobody else.
unsafe impl Send for User {}
// SAFETY: server: the same.
unsafe impl Sync for User {}
// SAFETY: server: the same is true of strings, whose count is not atomic.
unsafe impl Send for OwnedString {}

impl Drop for User {
    fn drop(&mut self) {
        let free = api!(RedisModule_FreeModuleUser);
        // SAFETY: owned: a handle made by one of the constructors, freed once. Of a user found by name only the handle goes.
        unsafe { free(self.raw) };
    }
}

fn key_flags(right: Right) -> c_int {
    let read = if right.reads() { raw::REDISMODULE_CMD_KEY_ACCESS } else { 0 };
    let write = if right.writes() { raw::REDISMODULE_CMD_KEY_UPDATE } else { 0 };
    (read | write) as c_int
}

impl User {
    /// The user of that name.
    fn named(name: &OwnedString) -> Option<Self> {
        let find = api!(RedisModule_GetModuleUserFromUserName);
        // SAFETY: owned: a live string.
        let raw = unsafe { find(name.raw) };
        (!raw.is_null()).then_some(User { raw })
    }

    /// A user whom nobody can log in as, without any rights.
    pub(crate) fn without_rights() -> Self {
        let create = api!(RedisModule_CreateModuleUser);
        // SAFETY: borrow: a C string, which the server copies.
        let raw = unsafe { create(c"folio".as_ptr()) };
        User { raw }
    }

    /// Gives a rule of `ACL SETUSER` to a user that was made here; false where the server refuses it.
    pub(crate) fn add_rule(&self, rule: &[u8]) -> bool {
        let Ok(rule) = str::from_utf8(rule) else { return false };
        let rule = c_string(rule);
        let set = api!(RedisModule_SetModuleUserACL);
        // SAFETY: owned: a live user; borrow: a C string.
        unsafe { set(self.raw, rule.as_ptr()) == raw::REDISMODULE_OK as c_int }
    }

    /// The user's rules as ACL LIST shows them. The server makes the string when it is first asked for, and another one after
    /// each change of the rules: while the string is kept, its address stands for these rules.
    pub(crate) fn description(&self) -> OwnedString {
        let describe = api!(RedisModule_GetModuleUserACLString);
        // SAFETY: server: a live user. The string comes with a count of its own.
        let raw = unsafe { describe(self.raw) };
        OwnedString { raw }
    }

    /// Whether the user may run the command of `ctx`, with keys and all.
    pub(crate) fn may_run(&self, ctx: &Ctx<'_>) -> bool {
        let (argv, count) = ctx.raw_arguments();
        let check = api!(RedisModule_ACLCheckCommandPermissions);
        // SAFETY: owned: a live user; server: the command's own arguments.
        unsafe { check(self.raw, argv, count) == raw::REDISMODULE_OK as c_int }
    }

    /// Whether the user may run the command of that name, which takes no keys.
    pub(crate) fn may_run_named(&self, command: &[u8]) -> bool {
        let command = OwnedString::new(command);
        let mut argv = [command.raw];
        let check = api!(RedisModule_ACLCheckCommandPermissions);
        // SAFETY: owned: a live user and one live string.
        unsafe { check(self.raw, argv.as_mut_ptr(), 1) == raw::REDISMODULE_OK as c_int }
    }

    /// Whether any of the user's selectors allows `right` on the key.
    pub(crate) fn may_touch(&self, key: &[u8], right: Right) -> bool {
        let key = OwnedString::new(key);
        let check = api!(RedisModule_ACLCheckKeyPermissions);
        // SAFETY: owned: a live user and a live string.
        unsafe { check(self.raw, key.raw, key_flags(right)) == raw::REDISMODULE_OK as c_int }
    }

    /// Whether any of the user's selectors allows `right` on every key that begins with `prefix`, as the server judges it;
    /// `None` from those before 8.0.
    pub(crate) fn may_touch_all(&self, prefix: &[u8], right: Right) -> Option<bool> {
        let check = newer_api!(RedisModule_ACLCheckKeyPrefixPermissions)?;
        let prefix = OwnedString::new(prefix);
        // SAFETY: owned: a live user and a live string.
        let status = unsafe { check(self.raw, prefix.raw, key_flags(right)) };
        Some(status == raw::REDISMODULE_OK as c_int)
    }
}

impl OwnedString {
    /// Whether both are the same string of the server, not only equal ones.
    pub(crate) fn is_same(&self, other: &OwnedString) -> bool {
        ptr::eq(self.raw, other.raw)
    }
}

impl Ctx<'_> {
    /// Who runs the command.
    pub(crate) fn caller(&self) -> Caller {
        let Some(name) = self.user_name() else { return Caller::Server };
        match User::named(&name) {
            Some(user) => Caller::User(name, user),
            None => Caller::Stranger,
        }
    }

    /// The name of the user who runs the command; `None` where the server does by itself.
    ///
    /// The server's own function of that purpose reads through a null pointer where there is no user. So connections are
    /// found by their number; scripts, other modules and the append-only file have none.
    fn user_name(&self) -> Option<OwnedString> {
        let id_of = api!(RedisModule_GetClientId);
        // SAFETY: server: the context is live.
        let id = unsafe { id_of(self.raw) };
        let name_of = api!(RedisModule_GetClientUserNameById);
        // SAFETY: server: the context is live, and any number may be asked for.
        let raw = unsafe { name_of(self.raw, id) };
        if !raw.is_null() {
            return Some(OwnedString { raw });
        }
        if self.is_replay() || !self.has_user() {
            return None;
        }
        let current = api!(RedisModule_GetCurrentUserName);
        // SAFETY: server: the context is live and its client has a user.
        let raw = unsafe { current(self.raw) };
        Some(OwnedString { raw })
    }

    /// Whether the context's client has a user. Asked by a call in the user's name of a command that does not exist: the
    /// server looks for the user first, and says which of the two it missed.
    fn has_user(&self) -> bool {
        let call = api!(RedisModule_Call);
        // SAFETY: server: a live context; borrow: C strings. The format takes no argument.
        let reply = unsafe { call(self.raw, c"DOC._NOBODY".as_ptr(), c"C".as_ptr()) };
        if reply.is_null() {
            return io::Error::last_os_error().kind() != io::ErrorKind::Unsupported;
        }
        let free = api!(RedisModule_FreeCallReply);
        // SAFETY: owned: made by the call, freed once.
        unsafe { free(reply) };
        true
    }

    /// Notes in the server's ACL LOG that `user` was refused what begins with `prefix`.
    pub(crate) fn log_refusal(&self, user: &User, prefix: &[u8]) {
        let prefix = OwnedString::new(prefix);
        let add = api!(RedisModule_ACLAddLogEntry);
        let reason = raw::RedisModuleACLLogEntryReason_REDISMODULE_ACL_LOG_KEY;
        // SAFETY: server: the context is live; owned: a live user and a live string, which the server copies.
        unsafe { add(self.raw, user.raw, prefix.raw, reason) };
    }
}

//! Registration of the commands, with everything that the table says of them.
//!
//! The server calls a command by a bare function pointer, so each entry of the table needs a function of its own:
//! `entry::<N>` runs entry N.

use std::ffi::{CString, c_char, c_int};
use std::ptr;

use redis_module::raw;

use super::api::c_string;
use super::{Ctx, log};
use crate::commands::{Access, Args, Argument, Command, Kind, TABLE, Words};
use crate::{changes, guard, info};

type Entry =
    extern "C" fn(*mut raw::RedisModuleCtx, *mut *mut raw::RedisModuleString, c_int) -> c_int;

macro_rules! entries {
    ($($index:literal)*) => { [$(entry::<$index>),*] };
}

/// One function an entry of the table; the length is checked here, while compiling.
const ENTRIES: [Entry; TABLE.len()] = entries!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39);

extern "C" fn entry<const INDEX: usize>(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    length: c_int,
) -> c_int {
    let ctx = Ctx::of_command(ctx, argv, length);
    let command = &TABLE[INDEX];
    if command.flags.contains("getkeys-api") && ctx.is_keys_request() {
        guard::callback(command.name, || tell_keys(command, &ctx));
        return raw::REDISMODULE_OK as c_int;
    }
    let begun = info::Begun::now(INDEX);
    let is_done = guard::command(command.name, &ctx, || {
        let words: Words<'_> = (command.words()..ctx.argument_count())
            .map(|index| ctx.argument(index).bytes())
            .collect();
        let run = || (command.run)(&ctx, &mut Args::new(&words));
        if command.writes() { changes::in_own_command(&ctx, run) } else { run() }
    });
    begun.end(is_done);
    raw::REDISMODULE_OK as c_int
}

/// Tells where the keys are: from the first argument to the option that ends them.
fn tell_keys(command: &Command, ctx: &Ctx<'_>) {
    let Some(keys) = command.keys else { return };
    let (end, flags) = (keys.before, access_flags(keys.access));
    for index in 1..ctx.argument_count() {
        let word = ctx.argument(index).bytes();
        if end.iter().any(|end| word.eq_ignore_ascii_case(end.as_bytes())) {
            return;
        }
        ctx.tell_key(index, flags);
    }
}

/// Registers every command; false, and a line in the log, where the server refuses one.
pub(super) fn commands(ctx: &Ctx<'_>) -> bool {
    #[cfg(feature = "planted-faults")]
    if !create_faulty(ctx) {
        return false;
    }
    TABLE.iter().zip(ENTRIES).all(|(command, entry)| {
        let done = create(ctx, command, entry) && describe(ctx, command);
        if !done {
            log(true, &format!("the server refuses the command {}", command.name));
        }
        done
    })
}

/// The one command that only modules for tests have.
#[cfg(feature = "planted-faults")]
fn create_faulty(ctx: &Ctx<'_>) -> bool {
    extern "C" fn entry(
        ctx: *mut raw::RedisModuleCtx,
        argv: *mut *mut raw::RedisModuleString,
        length: c_int,
    ) -> c_int {
        let ctx = Ctx::of_command(ctx, argv, length);
        guard::command("DOC._PANIC", &ctx, || {
            let words: Words<'_> =
                (1..ctx.argument_count()).map(|index| ctx.argument(index).bytes()).collect();
            crate::commands::fault::panic(&ctx, &mut Args::new(&words))
        });
        raw::REDISMODULE_OK as c_int
    }
    let create = api!(RedisModule_CreateCommand);
    // SAFETY: server: a live context; borrow: two C strings, which the server copies.
    let status =
        unsafe { create(ctx.raw, c"DOC._PANIC".as_ptr(), Some(entry), c"write".as_ptr(), 2, 2, 1) };
    status == raw::REDISMODULE_OK as c_int
}

/// The command of which `command` is one: made with the first of them. Null where the server refuses it.
fn family(ctx: &Ctx<'_>, name: &str) -> *mut raw::RedisModuleCommand {
    let name = c_string(name);
    let get = api!(RedisModule_GetCommand);
    // SAFETY: server: a live context; borrow: a C string.
    let made = unsafe { get(ctx.raw, name.as_ptr()) };
    if !made.is_null() {
        return made;
    }
    let create = api!(RedisModule_CreateCommand);
    // SAFETY: server: a live context; borrow: two C strings, which the server copies. It runs none but its own commands.
    unsafe { create(ctx.raw, name.as_ptr(), None, c"".as_ptr(), 0, 0, 0) };
    // SAFETY: server: a live context; borrow: a C string.
    unsafe { get(ctx.raw, name.as_ptr()) }
}

fn create(ctx: &Ctx<'_>, command: &Command, entry: Entry) -> bool {
    let flags = c_string(command.flags);
    let (first, last, step) = command.keys.map_or((0, 0, 0), |keys| {
        (1, if keys.last < 0 { keys.last } else { 1 + keys.last }, keys.step)
    });
    let (name, flags) = (c_string(command.own_name()), flags.as_ptr());
    let status = if let Some(of) = command.family() {
        let family = family(ctx, of);
        if family.is_null() {
            return false;
        }
        let create = api!(RedisModule_CreateSubcommand);
        // SAFETY: server: a live command; borrow: two C strings, which the server copies.
        unsafe { create(family, name.as_ptr(), Some(entry), flags, first, last, step) }
    } else {
        let create = api!(RedisModule_CreateCommand);
        // SAFETY: server: a live context; borrow: two C strings, which the server copies.
        unsafe { create(ctx.raw, name.as_ptr(), Some(entry), flags, first, last, step) }
    };
    status == raw::REDISMODULE_OK as c_int
}

/// The strings and lists that a description points to, until the server has copied them.
#[derive(Default)]
struct Held {
    strings: Vec<CString>,
    lists: Vec<Vec<raw::RedisModuleCommandArg>>,
}

impl Held {
    fn string(&mut self, text: &str) -> *const c_char {
        self.strings.push(c_string(text));
        self.strings.last().map_or(ptr::null(), |string| string.as_ptr())
    }

    /// A list that ends with an entry of nulls. Recurses as deep as the table does.
    fn list(&mut self, arguments: &[Argument], has_keys: bool) -> *mut raw::RedisModuleCommandArg {
        if arguments.is_empty() {
            return ptr::null_mut();
        }
        let mut list: Vec<_> =
            arguments.iter().map(|argument| self.argument(argument, has_keys)).collect();
        list.push(NO_ARGUMENT);
        self.lists.push(list);
        self.lists.last_mut().map_or(ptr::null_mut(), Vec::as_mut_ptr)
    }

    fn argument(&mut self, argument: &Argument, has_keys: bool) -> raw::RedisModuleCommandArg {
        let flags = [
            (argument.is_optional, raw::REDISMODULE_CMD_ARG_OPTIONAL),
            (argument.is_multiple, raw::REDISMODULE_CMD_ARG_MULTIPLE),
            (argument.repeats_token, raw::REDISMODULE_CMD_ARG_MULTIPLE_TOKEN),
        ];
        let flags = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum::<u32>();
        raw::RedisModuleCommandArg {
            name: self.string(&argument.name.to_ascii_lowercase()),
            type_: kind(argument.kind),
            key_spec_index: if argument.kind == Kind::Key && has_keys { 0 } else { -1 },
            token: argument.token.map_or(ptr::null(), |token| self.string(token)),
            flags: flags as c_int,
            subargs: self.list(argument.parts, has_keys),
            ..NO_ARGUMENT
        }
    }
}

const NO_ARGUMENT: raw::RedisModuleCommandArg = raw::RedisModuleCommandArg {
    name: ptr::null(),
    type_: raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_STRING,
    key_spec_index: -1,
    token: ptr::null(),
    summary: ptr::null(),
    since: ptr::null(),
    flags: 0,
    deprecated_since: ptr::null(),
    subargs: ptr::null_mut(),
    display_text: ptr::null(),
};

fn kind(kind: Kind) -> raw::RedisModuleCommandArgType {
    match kind {
        Kind::Key => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_KEY,
        Kind::String => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_STRING,
        Kind::Integer => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_INTEGER,
        Kind::UnixTime => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_UNIX_TIME,
        Kind::Pattern => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_PATTERN,
        Kind::Token => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_PURE_TOKEN,
        Kind::OneOf => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_ONEOF,
        Kind::Block => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_BLOCK,
    }
}

/// What the server is told of what a command does with its keys.
fn access_flags(access: Access) -> u32 {
    match access {
        Access::Read => raw::REDISMODULE_CMD_KEY_RO | raw::REDISMODULE_CMD_KEY_ACCESS,
        Access::Overwrite => raw::REDISMODULE_CMD_KEY_OW | raw::REDISMODULE_CMD_KEY_UPDATE,
        Access::Update => {
            raw::REDISMODULE_CMD_KEY_RW
                | raw::REDISMODULE_CMD_KEY_ACCESS
                | raw::REDISMODULE_CMD_KEY_UPDATE
        }
        Access::Remove => raw::REDISMODULE_CMD_KEY_RM | raw::REDISMODULE_CMD_KEY_DELETE,
    }
}

/// The one key spec of a command, and the entry of zeros that ends the list.
fn key_specs(command: &Command) -> Option<[raw::RedisModuleCommandKeySpec; 2]> {
    let keys = command.keys?;
    let flags = access_flags(keys.access);
    let incomplete = if keys.before.is_empty() { 0 } else { raw::REDISMODULE_CMD_KEY_INCOMPLETE };
    let range = raw::RedisModuleCommandKeySpec__bindgen_ty_2__bindgen_ty_1 {
        lastkey: keys.last,
        keystep: keys.step,
        limit: 0,
    };
    let spec = raw::RedisModuleCommandKeySpec {
        notes: ptr::null(),
        flags: u64::from(flags | incomplete),
        begin_search_type: raw::RedisModuleKeySpecBeginSearchType_REDISMODULE_KSPEC_BS_INDEX,
        bs: raw::RedisModuleCommandKeySpec__bindgen_ty_1 {
            index: raw::RedisModuleCommandKeySpec__bindgen_ty_1__bindgen_ty_1 { pos: 1 },
        },
        find_keys_type: raw::RedisModuleKeySpecFindKeysType_REDISMODULE_KSPEC_FK_RANGE,
        fk: raw::RedisModuleCommandKeySpec__bindgen_ty_2 { range },
    };
    let end = raw::RedisModuleCommandKeySpec {
        flags: 0,
        begin_search_type: raw::RedisModuleKeySpecBeginSearchType_REDISMODULE_KSPEC_BS_INVALID,
        find_keys_type: raw::RedisModuleKeySpecFindKeysType_REDISMODULE_KSPEC_FK_OMITTED,
        ..spec
    };
    Some([spec, end])
}

fn describe(ctx: &Ctx<'_>, command: &Command) -> bool {
    let name = c_string(&command.name.replace(' ', "|"));
    let get = api!(RedisModule_GetCommand);
    // SAFETY: server: a live context; borrow: a C string.
    let registered = unsafe { get(ctx.raw, name.as_ptr()) };
    if registered.is_null() {
        return false;
    }
    let version = raw::RedisModuleCommandInfoVersion {
        version: 1,
        sizeof_historyentry: size_of::<raw::RedisModuleCommandHistoryEntry>(),
        sizeof_keyspec: size_of::<raw::RedisModuleCommandKeySpec>(),
        sizeof_arg: size_of::<raw::RedisModuleCommandArg>(),
    };
    let mut held = Held::default();
    let mut specs = key_specs(command);
    let tips = command.tips;
    let description = raw::RedisModuleCommandInfo {
        version: &raw const version,
        summary: held.string(command.summary),
        complexity: held.string(command.complexity),
        since: held.string(command.since),
        history: ptr::null_mut(),
        tips: if tips.is_empty() { ptr::null() } else { held.string(tips) },
        arity: command.arity,
        key_specs: specs.as_mut().map_or(ptr::null_mut(), |specs| specs.as_mut_ptr()),
        args: held.list(command.arguments, command.keys.is_some()),
    };
    let set = api!(RedisModule_SetCommandInfo);
    // SAFETY: server: a live command; borrow: `held`, `specs` and `version` outlive the call, which copies.
    let status = unsafe { set(registered, &raw const description) };
    if let Some(categorize) = newer_api!(RedisModule_SetCommandACLCategories) {
        let categories = c_string(command.categories);
        // SAFETY: server: a live command; borrow: a C string. A server that knows a category less keeps its own.
        unsafe { categorize(registered, categories.as_ptr()) };
    }
    status == raw::REDISMODULE_OK as c_int
}

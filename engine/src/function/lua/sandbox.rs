//! The state that functions run in: its globals, the library, and nothing else.

use std::sync::Arc;

use mlua::chunk::{ChunkMode, Compiler};
use mlua::{
    AnyUserData, Function, Lua, LuaOptions, LuaString, Result, StdLib, Table, Value, VmState,
};

use super::document::{Part, Session, register};
use super::json;

/// The chunk that a function is, as errors name it.
pub(super) const FUNCTION_CHUNK: &str = "function";
/// The chunks of the prelude and the library.
pub(super) const LIBRARY_CHUNK: &str = "folio";

/// Built-in functions that would run without a step, and take as long as their arguments are large.
const DISABLED: [&str; 10] = [
    "bit32.band",
    "bit32.bor",
    "bit32.btest",
    "bit32.bxor",
    "math.max",
    "math.min",
    "string.char",
    "string.sub",
    "table.unpack",
    "unpack",
];

const PRELUDE: &str = include_str!("prelude.luau");

/// The library of `lua/`, in the order in which it is loaded: a file may use those before it.
const LIBRARY: [(&str, &str); 5] = [
    ("text", include_str!("../../../../lua/text.luau")),
    ("email", include_str!("../../../../lua/email.luau")),
    ("url", include_str!("../../../../lua/url.luau")),
    ("geo", include_str!("../../../../lua/geo.luau")),
    ("date", include_str!("../../../../lua/date.luau")),
];

/// A state that is ready for functions.
#[derive(Debug)]
pub(super) struct Sandbox {
    pub(super) lua: Lua,
    pub(super) globals: Table,
    /// The metatable of tables that are arrays.
    pub(super) array: Table,
    /// What every call is given as its document: the whole text of the one that it is about. Nothing outlives a call, so it is
    /// made once.
    pub(super) doc: AnyUserData,
}

/// How sources are compiled.
pub(super) fn compiler() -> Compiler {
    Compiler::new()
        .set_optimization_level(2)
        .set_debug_level(1)
        .set_type_info_level(0)
        .set_disabled_builtins(DISABLED)
}

impl Sandbox {
    /// Makes the state. Its collector stands still from here on.
    pub(super) fn new(session: &Arc<Session>) -> Result<Sandbox> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::UTF8 | StdLib::BIT | StdLib::MATH;
        let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(false))?;
        lua.set_compiler(compiler());
        register(&lua, session)?;
        let array = lua.create_table()?;
        array.set_readonly(true);
        let host = json::functions(&lua, session, &array)?;
        let globals: Table = chunk(&lua, PRELUDE, lua.globals())?.call(&host)?;
        for (name, source) in LIBRARY {
            let library: Table = chunk(&lua, source, handle(&lua, &globals)?)?.call(&host)?;
            globals.raw_set(name, library)?;
        }
        freeze(&lua, &globals)?;
        let metered = Arc::clone(session);
        lua.set_interrupt(move |lua| metered.meter.step(lua).map(|()| VmState::Continue));
        let doc = lua.create_any_userdata(Part { start: 0, end: 0 })?;
        lua.gc_collect()?;
        lua.gc_stop();
        Ok(Sandbox { lua, globals, array, doc })
    }
}

/// Another handle of a table. A clone would share a counter, of which mlua keeps a pointer past its end: a sanitizer takes that
/// for lost.
pub(super) fn handle(lua: &Lua, table: &Table) -> Result<Table> {
    const NAME: &str = "folio.handle";
    lua.set_named_registry_value(NAME, table)?;
    lua.named_registry_value(NAME)
}

/// A chunk of ours.
fn chunk(lua: &Lua, source: &str, globals: Table) -> Result<Function> {
    let chunk = lua.load(source).set_name(format!("={LIBRARY_CHUNK}")).set_mode(ChunkMode::Text);
    chunk.set_environment(globals).into_function()
}

/// Makes the globals, all tables in them and what texts find their methods in read-only.
fn freeze(lua: &Lua, globals: &Table) -> Result<()> {
    globals.for_each(|_: Value, value: Value| {
        if let Value::Table(table) = value {
            table.set_readonly(true);
        }
        Ok(())
    })?;
    globals.set_readonly(true);
    globals.set_safeenv(true);
    if let Some(metatable) = lua.type_metatable::<LuaString>() {
        metatable.set_readonly(false);
        metatable.raw_set("__index", globals.raw_get::<Table>("string")?)?;
        metatable.raw_set("__metatable", false)?;
        metatable.set_readonly(true);
    }
    Ok(())
}

//! Functions in Luau.
//!
//! ```text
//!   source -> bytecode -> one closure a function, all in one state with frozen globals
//!   call   =  copy the document's text, run, write the results as JSON, collect garbage where there is much
//! ```
//! A source is the body of `function(doc, ...)`, so it has no upvalues; the globals and all they hold are read-only; there is
//! nothing else in which a call could leave something. `meter` says how calls are bounded, `sandbox` what they reach,
//! `document` how they see documents, `value` what they may give.

mod document;
mod failure;
mod json;
mod meter;
mod sandbox;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use mlua::chunk::ChunkMode;
use mlua::{Value, Variadic};

use self::document::{Part, Session, to_lua_whole};
use self::failure::failure;
use self::meter::GARBAGE_BYTES;
use self::sandbox::{FUNCTION_CHUNK, Sandbox, compiler, handle};
use self::value::Writer;
use super::{Bounds, Call, Function, Outcome, Runtime};
use crate::error::{Code, Error, Result};
use crate::value::raw::{Kind, Raw};

/// Runs functions in Luau. One state, so one call at a time.
#[derive(Debug)]
pub struct LuaRuntime {
    state: Arc<State>,
}

impl LuaRuntime {
    /// A runtime without functions. Compiles the library. Error: `INTERNAL`, if the library does not load.
    pub fn new() -> Result<LuaRuntime> {
        let session = Arc::<Session>::default();
        session.meter.start(0, Bounds { steps: u64::MAX, bytes: u64::MAX }, true, 0);
        let broken = |error| {
            Error::new(Code::Internal, format!("the library of functions does not load: {error}"))
        };
        let sandbox = Sandbox::new(&session).map_err(broken)?;
        let kept = Mutex::new(sandbox.lua.used_memory());
        Ok(LuaRuntime { state: Arc::new(State { sandbox, session, kept }) })
    }
}

impl Runtime for LuaRuntime {
    fn compile(&self, name: &str, source: &str, bounds: Bounds) -> Result<Arc<dyn Function>> {
        let state = &self.state;
        let _turn = state.turn();
        let wrong = |error| failure(name, &error, None, "the source does not fit into memory");
        let bytecode = compiled(source).map_err(wrong)?;
        let lua = &state.sandbox.lua;
        lua.set_memory_limit(0).map_err(wrong)?;
        state.session.meter.start(0, Bounds { steps: u64::MAX, bytes: u64::MAX }, true, 0);
        let globals = handle(lua, &state.sandbox.globals).map_err(wrong)?;
        let chunk = lua.load(bytecode).set_name(format!("={FUNCTION_CHUNK}"));
        let chunk = chunk.set_mode(ChunkMode::Binary).set_environment(globals);
        let function = chunk.call::<mlua::Function>(()).map_err(wrong)?;
        Ok(Arc::new(LuaFunction {
            name: name.into(),
            source_bytes: source.len(),
            bounds,
            function,
            state: Arc::clone(state),
        }))
    }
}

/// The bytecode of a chunk that gives the function whose body is `source`. Nothing bounds compiling but the source's length
/// and Luau's limit of a thousand levels, which take more than the stack that a server may have left: so it has one of its
/// own.
fn compiled(source: &str) -> mlua::Result<Vec<u8>> {
    const STACK_BYTES: usize = 64 << 20;
    let compile = || {
        let compiler = compiler();
        // Alone first: what ends a function within the source must not end ours.
        compiler.compile(source)?;
        compiler.compile(format!("return function(doc, ...) {source}\nend"))
    };
    thread::scope(|scope| {
        let running = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, compile);
        let ended = running.map_err(mlua::Error::external)?.join();
        ended.unwrap_or_else(|_| Err(mlua::Error::runtime("the source cannot be compiled")))
    })
}

/// What all functions of a runtime share.
#[derive(Debug)]
struct State {
    sandbox: Sandbox,
    session: Arc<Session>,
    /// Bytes in use when garbage was last collected. Who holds it has the state for itself.
    kept: Mutex<usize>,
}

impl State {
    fn turn(&self) -> MutexGuard<'_, usize> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Frees what calls have left, once it is much.
    fn collect(&self, kept: &mut usize) -> mlua::Result<()> {
        let lua = &self.sandbox.lua;
        lua.set_memory_limit(0)?;
        if lua.used_memory() > kept.saturating_add(GARBAGE_BYTES) {
            lua.gc_collect()?;
            lua.gc_stop();
            *kept = lua.used_memory();
        }
        Ok(())
    }
}

/// One function, compiled.
struct LuaFunction {
    name: Box<str>,
    source_bytes: usize,
    bounds: Bounds,
    function: mlua::Function,
    state: Arc<State>,
}

impl fmt::Debug for LuaFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LuaFunction").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Function for LuaFunction {
    fn call(&self, call: &Call<'_>) -> Result<Outcome> {
        let mut kept = self.state.turn();
        let bounds = if call.is_judging { self.bounds } else { self.bounds.doubled() };
        let outcome = self.run(call, bounds);
        let collected = self.state.collect(&mut kept);
        let meter = &self.state.session.meter;
        outcome.and_then(|outcome| collected.map(|()| outcome)).map_err(|error| {
            let over = || format!("more than {} steps (folio.function-steps-max)", bounds.steps);
            let large = format!("more than {} bytes (folio.function-bytes-max)", bounds.bytes);
            failure(&self.name, &error, meter.is_over().then(over), &large)
        })
    }
}

impl LuaFunction {
    fn run(&self, call: &Call<'_>, bounds: Bounds) -> mlua::Result<Outcome> {
        let State { sandbox, session, .. } = &*self.state;
        let lua = &sandbox.lua;
        let limit =
            session.meter.start(lua.used_memory(), bounds, call.is_judging, self.source_bytes);
        lay_out(&mut session.text(), call);
        lua.set_memory_limit(limit)?;
        sandbox.doc.borrow_mut::<Part>()?.end = call.doc.text().len();
        let doc = &sandbox.doc;
        let (value, reply): (Value, Value) = if call.args.is_empty() {
            self.function.call(doc)?
        } else {
            self.function.call((doc, self.arguments(call)?))?
        };
        let text = session.text();
        let array = &sandbox.array;
        let writer = Writer { session, text: &text, array, bytes_max: bounds.bytes };
        Ok(Outcome { value: writer.json(&value)?, reply: writer.json(&reply)? })
    }

    /// The arguments as Lua values: objects and arrays are parts of the session's text.
    fn arguments(&self, call: &Call<'_>) -> mlua::Result<Variadic<Value>> {
        let State { sandbox, session, .. } = &*self.state;
        let text = session.text();
        let mut start = call.doc.text().len();
        let value = |raw: &Raw<'_>| {
            let end = start + raw.bytes().len();
            let own = Raw::new(&text[start..end]);
            start = end;
            if own.kind() == Kind::Null {
                Ok(Value::Nil)
            } else {
                to_lua_whole(&sandbox.lua, &text, own)
            }
        };
        call.args.iter().map(value).collect()
    }
}

/// The document's text and the arguments', one behind the other.
fn lay_out(text: &mut Vec<u8>, call: &Call<'_>) {
    /// A buffer beyond this is let go of.
    const KEPT_BYTES: usize = 1 << 20;
    text.clear();
    text.shrink_to(KEPT_BYTES);
    text.extend_from_slice(call.doc.text());
    for arg in call.args {
        text.extend_from_slice(arg.bytes());
    }
}

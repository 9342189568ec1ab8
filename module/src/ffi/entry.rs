//! `RedisModule_OnLoad`: where the server comes in.

use std::ffi::c_int;

use redis_module::raw;

use super::{Ctx, blocks, datatype, events, info, log, register, settings, stream};
use crate::{config, guard, state};

/// What `MODULE LIST` shows: 1.2.3 as 10203.
const VERSION: c_int = 100;

/// Called once by the server, which unloads the module again when this does not return 0.
#[unsafe(no_mangle)]
pub extern "C" fn RedisModule_OnLoad(
    ctx: *mut raw::RedisModuleCtx,
    argv: *mut *mut raw::RedisModuleString,
    length: c_int,
) -> c_int {
    // First of all: it fills the table of functions, the allocator's among them.
    // SAFETY: server: a live context; borrow: a C string.
    let status = unsafe {
        raw::Export_RedisModule_Init(
            ctx,
            c"folio".as_ptr(),
            VERSION,
            raw::REDISMODULE_APIVER_1 as c_int,
        )
    };
    if status != raw::REDISMODULE_OK as c_int {
        // Nothing else makes it fail. The log is there already: the name is looked up after the functions.
        log(
            true,
            "folio is loaded already: is loadmodule both in redis.conf and on the command line?",
        );
        return status;
    }
    guard::install_hook();
    let ctx = Ctx::of_command(ctx, argv, length);
    let loaded = guard::callback("load", || start(&ctx));
    let status = if loaded == Some(true) { raw::REDISMODULE_OK } else { raw::REDISMODULE_ERR };
    status as c_int
}

fn start(ctx: &Ctx<'_>) -> bool {
    // IO errors: a broken RESTORE payload is refused; else the server would exit.
    // Asynchronous loads: `staging` keeps what a full sync brings apart from what is served.
    // Signals: a command that changes nothing wakes no watcher.
    let options = raw::REDISMODULE_OPTIONS_HANDLE_IO_ERRORS
        | raw::REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD
        | raw::REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED;
    let set_options = api!(RedisModule_SetModuleOptions);
    // SAFETY: server: a live context.
    unsafe { set_options(ctx.raw, options as c_int) };
    #[cfg(feature = "planted-faults")]
    if let Ok(fault) = std::env::var("FOLIO_FAULT")
        && !folio_engine::planted::plant(&fault)
    {
        log(true, &format!("FOLIO_FAULT names no fault: {fault}"));
        return false;
    }
    blocks::learn();
    state::init(super::api::random_seed());
    let arguments: Vec<_> =
        (0..ctx.argument_count()).map(|index| ctx.argument(index).bytes()).collect();
    if let Err(error) = config::from_arguments(&arguments) {
        log(true, &error);
        return false;
    }
    stream::keep_context(ctx);
    datatype::register(ctx)
        && register::commands(ctx)
        && events::subscribe(ctx)
        && settings::register(ctx)
        && info::register(ctx)
}

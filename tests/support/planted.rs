//! Tests of the tests: against a module with a planted fault they have to fail.

use std::cell::Cell;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

use folio_engine::planted::Fault;

use crate::Options;

thread_local! {
    /// The fault of the servers that this thread starts.
    static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Servers started with these options have the module with planted faults, and none of them is chosen: what it has besides
/// is `DOC._PANIC`.
#[must_use]
pub fn faulty(options: Options) -> Options {
    let module = env::var("FOLIO_MODULE_FAULTY").expect(
        "FOLIO_MODULE_FAULTY is to name the module with planted faults: `cargo xtask test` builds it",
    );
    options.module(module)
}

/// Servers started with these options have the fault.
#[must_use]
pub fn with_fault(options: Options, fault: Fault) -> Options {
    faulty(options).environment("FOLIO_FAULT", fault.name())
}

/// The options of this thread's servers.
pub(crate) fn options(plain: Options) -> Options {
    match FAULT.get() {
        Some(fault) => with_fault(plain, fault),
        None => plain,
    }
}

/// Runs a test on servers with the fault; it has to fail.
pub fn has_to_fail(fault: Fault, test: impl FnOnce()) {
    // A module that cannot be loaded would fail every test.
    with_fault(Options::new(), fault).start().resp2().call(&["DOC.LIST"]);
    FAULT.set(Some(fault));
    let outcome = catch_unwind(AssertUnwindSafe(test));
    FAULT.set(None);
    assert!(outcome.is_err(), "the fault '{}' passed", fault.name());
    println!("'{}' was found", fault.name());
}

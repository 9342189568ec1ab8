//! One program for all targets: `FOLIO_FUZZ_TARGET` names the one that is run.
#![no_main]

use std::env;
use std::sync::LazyLock;

use folio_tests::fuzz::{self, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = env::var("FOLIO_FUZZ_TARGET").expect("FOLIO_FUZZ_TARGET names a target");
    fuzz::target(&name).unwrap_or_else(|| panic!("there is no target {name}"))
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));

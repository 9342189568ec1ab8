//! All that CI runs.

use crate::{Result, run, setup, test, tidy};

/// Tidy, build and test, and the demo with its answers checked.
pub fn ci() -> Result {
    setup::setup()?;
    tidy::tidy(false)?;
    test::test(None)?;
    run::run(&run::Options::short())
}

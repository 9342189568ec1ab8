//! All that CI runs.

use crate::{Result, run, setup, test, tidy};

/// Tidy, build and test on every server that can be had, and the demo with its answers checked.
pub fn ci() -> Result {
    setup::setup()?;
    setup::duckdb()?;
    tidy::tidy(false)?;
    let servers = test::everywhere()?;
    run::run(&run::Options::short())?;
    println!("\n{servers}");
    Ok(())
}

//! All that CI runs.

use crate::{Result, dist, run, setup, test, tidy};

/// Tidy, build and test on every server that can be had, the demo with its answers checked, and all that can be taken away
/// installed and used once.
pub fn ci() -> Result {
    setup::setup()?;
    setup::duckdb()?;
    setup::examples()?;
    tidy::tidy(false)?;
    let servers = test::everywhere()?;
    run::run(&run::Options::short())?;
    dist::dist(&dist::Options::checked())?;
    println!("\n{servers}");
    Ok(())
}

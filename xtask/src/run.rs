//! The demo: a server with real data, and what one can ask it.

use clap::Args;

use crate::server::Server;
use crate::{Result, demo, paths, setup, shell};

/// How `cargo xtask run` is called.
#[derive(Args)]
pub struct Options {
    /// The port of the server
    #[arg(long, default_value_t = 6379)]
    port: u16,
    /// A server of its own on a free port, stopped at the end: what CI runs
    #[arg(long)]
    short: bool,
}

impl Options {
    /// What CI asks for.
    pub fn short() -> Self {
        Self { port: 0, short: true }
    }
}

/// Builds, starts, loads, shows, and leaves the server running.
pub fn run(options: &Options) -> Result {
    setup::setup()?;
    shell::run(&mut shell::cargo(&["build", "--release", "--package", "folio-module"]))?;
    let module = paths::module("release");
    let server = if options.short {
        Server::start_temporary(&module)?
    } else {
        Server::find_or_start(&module, options.port)?
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let shown = runtime.block_on(demo::show(server.port()));
    if options.short {
        server.stop()?;
        return shown;
    }
    shown?;
    say_goodbye(server.port());
    Ok(())
}

fn say_goodbye(port: u16) {
    println!("\nThe server is running on port {port}; the data stays in target/demo. Try:\n");
    println!("  redis-cli -p {port} DOC.COUNT cities WHERE \"population > 1000000\"");
    println!(
        "  redis-cli -p {port} DOC.FIND cities WHERE \"countrycode = 'IS'\" ORDER 1 population DESC"
    );
    println!("\nIt stops with:  redis-cli -p {port} SHUTDOWN\n");
}

//! The demo: a server with real data, and what one can ask it.

use std::path::Path;

use clap::Args;

use crate::server::{self, Server};
use crate::{Result, demo, paths, setup, shell, wire};

/// How `cargo xtask run` is called.
#[derive(Args)]
pub struct Options {
    /// The port of the server [default: 6379]
    #[arg(long)]
    port: Option<u16>,
    /// A server of its own on a free port, stopped at the end: what CI runs
    #[arg(long)]
    short: bool,
}

impl Options {
    /// What CI asks for.
    pub fn short() -> Self {
        Self { port: None, short: true }
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
    let shown = wire::url(server.port()).and_then(|url| runtime.block_on(demo::show(&url)));
    if options.short {
        server.stop()?;
        return shown;
    }
    shown?;
    say_goodbye(&module, server.port());
    Ok(())
}

fn say_goodbye(module: &Path, port: u16) {
    println!("\nThe server is running on port {port}. Try:\n");
    println!("  redis-cli -p {port} DOC.COUNT cities WHERE \"population > 1000000\"");
    println!(
        "  redis-cli -p {port} DOC.FIND cities WHERE \"countrycode = 'IS'\" ORDER 1 population DESC"
    );
    let folder = server::folder();
    let config = server::config(&folder);
    let program = paths::redis_server().unwrap_or_else(|| "redis-server".into());
    let on_path = paths::program(&["redis-server", "valkey-server"]).as_ref() == Some(&program);
    let name = program.file_name().filter(|_| on_path).unwrap_or(program.as_os_str());
    let load = if server::names_module(&config) {
        String::new()
    } else {
        // From the root: the server loads it after it has gone to its data's folder.
        let module = module.strip_prefix(paths::root()).map_or_else(
            |_| module.display().to_string(),
            |module| format!("\"$PWD\"/{}", module.display()),
        );
        format!(" --loadmodule {module}")
    };
    let (config, data) = (paths::shown(&config), paths::shown(&folder));
    println!("\nTo stop it:\n\n  redis-cli -p {port} SHUTDOWN\n");
    println!("To start it again without the demo:\n");
    println!("  {} {config} --port {port} --dir {data}{load}\n", name.display());
    println!("Its data is in {data}, its log is {}.\n", paths::shown(&server::log(&folder)));
    println!("docs/first-steps.md goes on from here. The tool, with a prompt that completes:\n");
    println!("  cargo build --release -p folio-cli");
    println!("  target/release/folio --url redis://127.0.0.1:{port} shell\n");
}

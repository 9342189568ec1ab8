//! The tests, on the servers that one asks for.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::images::{SERVERS, Server};
use crate::{Result, docker, paths, setup, shell};

/// Where a process of this machine is meant.
const LOCAL: &str = "local";
/// The suites that CI runs on each of the servers, in containers. The others need no server, start one for each byte of a
/// file, or measure what one allocator takes: they run on the machine's own.
const ON_EACH: &[&str] =
    &["acl", "changes", "client", "commands", "hostile", "life", "replication", "restart"];
/// Operations of the suite `life` in CI, over all servers in containers.
const LIFE_OPERATIONS: usize = 200_000;
/// Where the random runs of CI begin: a change is judged by itself, not by what a new seed finds that was there before. New
/// seeds are for `cargo xtask test` and `cargo xtask soak`.
const SEED: u64 = 20_260_101;

/// How `cargo xtask test` is called.
#[derive(Args)]
pub struct Options {
    /// A folder of tests/ or a part of a test's name; all tests without it
    theme: Option<String>,
    /// Where to run: local, redis-7.0, redis-8.0, valkey-8.1 (in containers), or all of them; may be given several times
    #[arg(long = "server", value_name = "NAME", default_value = LOCAL, value_parser = names())]
    servers: Vec<String>,
}

fn names() -> Vec<&'static str> {
    let images = SERVERS.iter().map(|server| server.name);
    [LOCAL, "all"].into_iter().chain(images).collect()
}

/// Tests on one server: in containers of it, or on the machine's own where none is named.
type Run = (Option<Server>, Vec<String>);

/// Runs every test, or those of a theme, on each of the servers, over a module built for it.
pub fn test(options: &Options) -> Result {
    setup::setup()?;
    if options.theme.as_deref().is_none_or(|theme| theme == "foreign") {
        setup::duckdb()?;
    }
    if options.theme.as_deref().is_none_or(|theme| theme == "docs") {
        setup::examples()?;
    }
    let is_asked = |name: &str| options.servers.iter().any(|asked| asked == name || asked == "all");
    let selection = selection(options.theme.as_deref());
    let mut runs: Vec<Run> = Vec::new();
    if is_asked(LOCAL) {
        runs.push((None, selection.clone()));
    }
    let images: Vec<Server> = SERVERS.into_iter().filter(|server| is_asked(server.name)).collect();
    if images.is_empty() || has_docker()? {
        for server in images {
            server.ensure_image()?;
            runs.push((Some(server), selection.clone()));
        }
    } else {
        let names: Vec<&str> = images.iter().map(|server| server.name).collect();
        println!("skipped: no Docker engine answers, so nothing is run on {}", names.join(", "));
    }
    if runs.is_empty() {
        return Ok(());
    }
    Modules::build()?.test_all(&runs)
}

/// All that CI tests, from the same seeds always: everything on the machine's own server, and what servers differ in on each of them. Gives the servers
/// that it ran on, in words.
pub fn everywhere() -> Result<String> {
    let names = SERVERS.map(|server| server.name).join(", ");
    let local = setup::server_version()?;
    let mut runs: Vec<Run> = vec![(None, selection(None))];
    if !has_docker()? {
        Modules::build()?.test_all(&runs)?;
        return Ok(format!(
            "the tests ran on this machine's {local} alone; no Docker engine answers, so nothing ran on {names}"
        ));
    }
    SERVERS.into_iter().try_for_each(Server::make_image)?;
    let on_each: Vec<String> =
        ON_EACH.iter().flat_map(|suite| ["--test".to_owned(), (*suite).to_owned()]).collect();
    runs.extend(SERVERS.map(|server| (Some(server), on_each.clone())));
    let mut modules = Modules::build()?;
    modules.life_operations = Some(LIFE_OPERATIONS / SERVERS.len());
    modules.seed = Some(SEED);
    modules.test_all(&runs)?;
    let suites = ON_EACH.join(", ");
    Ok(format!("all tests ran on this machine's {local}; {suites} in containers of {names} too"))
}

/// Whether Docker answers, and an error where it has to.
fn has_docker() -> Result<bool> {
    let answers = docker::answers();
    if !answers && env::var("FOLIO_TEST_REQUIRE").is_ok_and(|what| what == "docker") {
        return Err("FOLIO_TEST_REQUIRE=docker, and no Docker engine answers".into());
    }
    Ok(answers)
}

/// What of the workspace's tests is run.
fn selection(theme: Option<&str>) -> Vec<String> {
    let words = match theme {
        Some(theme) if is_suite(theme) => vec!["--test", theme],
        Some(theme) => vec![theme],
        None => vec![],
    };
    words.into_iter().map(str::to_owned).collect()
}

/// Whether the theme is a folder of tests with a binary of its own.
pub fn is_suite(theme: &str) -> bool {
    let mut folders = ["tests", "cli/tests"].iter().map(|folder| paths::root().join(folder));
    folders.any(|folder| folder.join(theme).join("main.rs").exists())
}

/// The builds of the module that the suites run on.
pub struct Modules {
    /// The one that is tested.
    pub right: PathBuf,
    /// The one with the faults that the tests have to find.
    pub faulty: PathBuf,
    /// Operations of the suite `life` in containers, if not as many as it runs by itself.
    life_operations: Option<usize>,
    /// Where the random runs begin, if neither where the environment says nor at the clock.
    seed: Option<u64>,
}

impl Modules {
    /// Those of the paths given.
    pub fn new(right: PathBuf, faulty: PathBuf) -> Self {
        Self { right, faulty, life_operations: None, seed: None }
    }

    /// They share all that they depend on; the right one is built last and takes the other's place.
    pub fn build() -> Result<Self> {
        let arguments = ["build", "--package", "folio-module", "--features", "planted-faults"];
        shell::run(&mut shell::cargo(&arguments))?;
        let built = paths::module("debug");
        let folder = paths::target().join("faulty");
        fs::create_dir_all(&folder)?;
        let faulty = folder.join(built.file_name().ok_or("the module is a file")?);
        fs::copy(&built, &faulty)?;
        shell::run(&mut shell::cargo(&["build", "--workspace"]))?;
        let right = env::var_os("FOLIO_MODULE").map_or(built, PathBuf::from);
        if !right.exists() {
            return Err(format!("the build left no {}", right.display()).into());
        }
        Ok(Self::new(right, faulty))
    }

    /// Tells suites that run on this machine's own server where that and the modules are.
    pub fn name_to(&self, suites: &mut Command) {
        suites.env("FOLIO_MODULE", &self.right).env("FOLIO_MODULE_FAULTY", &self.faulty);
        suites.env("FOLIO_TEST_SERVER", LOCAL);
        if let Some(program) = paths::redis_server() {
            suites.env("FOLIO_REDIS_SERVER", program);
        }
    }

    /// Makes all these runs, and says then which of them failed.
    fn test_all(&self, runs: &[Run]) -> Result {
        let mut failed = Vec::new();
        for (server, selection) in runs {
            if let Err(error) = self.test(*server, selection) {
                failed.push(format!("on {}: {error}", server.map_or(LOCAL, |server| server.name)));
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(failed.join("\n").into()) }
    }

    /// Runs tests on a server.
    fn test(&self, server: Option<Server>, selection: &[String]) -> Result {
        let mut cargo = shell::cargo(&["test", "--workspace", "--no-fail-fast"]);
        cargo.args(selection);
        self.name_to(&mut cargo);
        if let (Some(seed), None) = (self.seed, env::var_os("SEED")) {
            // Each server has runs of its own.
            let at = SERVERS.iter().position(|each| Some(each.name) == server.map(|s| s.name));
            cargo.env("SEED", (seed + at.map_or(0, |at| at as u64 + 1)).to_string());
        }
        let Some(server) = server else {
            println!("on this machine's server:");
            return shell::run(&mut cargo);
        };
        println!("in containers of {}:", server.name);
        if let Some(operations) = self.life_operations {
            cargo.env("FOLIO_LIFE_OPERATIONS", operations.to_string());
        }
        docker::sweep()?;
        let outcome = shell::run(cargo.env("FOLIO_TEST_SERVER", server.name));
        docker::sweep()?;
        outcome
    }
}

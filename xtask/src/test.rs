//! The tests.

use std::env;
use std::fs;
use std::path::PathBuf;

use crate::{Result, paths, setup, shell};

/// Runs every test, or those of a theme, over a module built for it.
pub fn test(theme: Option<&str>) -> Result {
    setup::setup()?;
    let faulty = faulty_module()?;
    shell::run(&mut shell::cargo(&["build", "--workspace"]))?;
    let module = env::var_os("FOLIO_MODULE").map_or_else(|| paths::module("debug"), PathBuf::from);
    if !module.exists() {
        return Err(format!("the build left no {}", module.display()).into());
    }
    let mut cargo = shell::cargo(&["test", "--workspace", "--no-fail-fast"]);
    match theme {
        Some(theme) if is_suite(theme) => {
            cargo = shell::cargo(&["test", "--package", "folio-tests", "--test", theme]);
        }
        Some(theme) => {
            cargo.arg(theme);
        }
        None => {}
    }
    if let Some(server) = paths::redis_server() {
        cargo.env("FOLIO_REDIS_SERVER", server);
    }
    shell::run(cargo.env("FOLIO_MODULE", module).env("FOLIO_MODULE_FAULTY", faulty))
}

/// Builds the module with the faults that the tests have to find. It shares everything that it depends on with the
/// right one, which is built after it and takes its place.
fn faulty_module() -> Result<PathBuf> {
    let arguments = ["build", "--package", "folio-module", "--features", "planted-faults"];
    shell::run(&mut shell::cargo(&arguments))?;
    let built = paths::module("debug");
    let folder = paths::target().join("faulty");
    fs::create_dir_all(&folder)?;
    let kept = folder.join(built.file_name().ok_or("the module is a file")?);
    fs::copy(built, &kept)?;
    Ok(kept)
}

/// Whether the theme is a folder of tests with a binary of its own.
fn is_suite(theme: &str) -> bool {
    paths::root().join("tests").join(theme).join("main.rs").exists()
}

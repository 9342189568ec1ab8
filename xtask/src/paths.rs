//! Where things are.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the project")
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The module that a `debug` or `release` build gives.
pub fn module(profile: &str) -> PathBuf {
    let name =
        if cfg!(target_os = "macos") { "libfolio_module.dylib" } else { "libfolio_module.so" };
    target().join(profile).join(name)
}

/// A path as one would type it in the project's folder.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The first program of these names that PATH leads to.
pub fn program(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    names.iter().find_map(|name| folders.iter().map(|f| f.join(name)).find(|p| p.is_file()))
}

/// The server's program: `FOLIO_REDIS_SERVER`, or what PATH has.
pub fn redis_server() -> Option<PathBuf> {
    env::var_os("FOLIO_REDIS_SERVER")
        .map(PathBuf::from)
        .or_else(|| program(&["redis-server", "valkey-server"]))
}

/// Where `DuckDB` is installed: below the project's own target folder, wherever cargo builds, since the tests look there.
pub fn duckdb_folder() -> PathBuf {
    root().join("target/tools/duckdb")
}

/// Where the packages of Python are installed that the examples in Python take, and their tests.
pub fn python_folder() -> PathBuf {
    root().join("target/tools/python")
}

/// `DuckDB`'s program: `FOLIO_DUCKDB`, or what is installed.
pub fn duckdb() -> PathBuf {
    let installed = || duckdb_folder().join("duckdb_cli/duckdb");
    env::var_os("FOLIO_DUCKDB").map_or_else(installed, PathBuf::from)
}

/// The files below `folder` with this extension, in order; built and hidden ones apart.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = folder.read_dir() else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            if name.starts_with('.') || path == target() || name == "target" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some(OsStr::new(extension)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

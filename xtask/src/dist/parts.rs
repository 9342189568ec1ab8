//! The parts of all that is taken away, in one folder, which is also what the archive holds.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::configuration;
use crate::{Result, paths, shell};

/// The list of checksums.
pub const SUMS: &str = "SHA256SUMS";
/// What is taken as it is from the project's folder.
const COPIED: [&str; 3] = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];
/// Shells, and the names under which they look for completions.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "folio.bash"), ("zsh", "_folio"), ("fish", "folio.fish")];

/// What was built and gathered.
pub struct Parts {
    /// Where they are: below the folder of the release build, where cargo-deb looks.
    pub folder: PathBuf,
    /// Of the project.
    pub version: &'static str,
    /// The time that all files get, in seconds since 1970.
    pub epoch: u64,
}

impl Parts {
    /// Builds, and gathers all of them anew.
    pub fn make() -> Result<Self> {
        let epoch = epoch()?;
        shell::run(&mut shell::cargo(&["build", "--release", "--package", "folio-module"]))?;
        shell::run(&mut shell::cargo(&["build", "--release", "--package", "folio-cli"]))?;
        let release = paths::target().join("release");
        let folder = release.join("package");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(folder.join("completions"))?;
        strip(&paths::module("release"), &folder.join("folio.so"))?;
        let tool = folder.join("folio");
        strip(&release.join("folio"), &tool)?;
        for (of, name) in COMPLETIONS {
            let text = shell::output(Command::new(&tool).args(["completions", of]))?;
            fs::write(folder.join("completions").join(name), text)?;
        }
        shell::output(Command::new(&tool).args(["man", "--folder"]).arg(folder.join("man")))?;
        for name in COPIED {
            fs::copy(paths::root().join(name), folder.join(name))?;
        }
        fs::write(folder.join("folio.conf"), configuration::of_folder()?)?;
        fs::write(folder.join("README.md"), include_str!("README.md"))?;
        let files = files(&folder)?;
        write_sums(&folder, &files)?;
        Ok(Self { folder, version: env!("CARGO_PKG_VERSION"), epoch })
    }
}

/// The time of the commit, or what `SOURCE_DATE_EPOCH` says: the same sources give the same bytes, whenever they are packed.
fn epoch() -> Result<u64> {
    let mut log = Command::new("git");
    log.args(["log", "-1", "--format=%ct"]).current_dir(paths::root());
    let text = match env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => shell::output(&mut log).map_err(|error| {
            format!("no commit has a time, and SOURCE_DATE_EPOCH none: {error}")
        })?,
    };
    text.trim().parse().map_err(|_| format!("{text:?} is no time in seconds since 1970").into())
}

/// Takes a program without the tables that lead to lines of the sources, which are most of its bytes. The names of functions
/// stay: the traces of a panic and of a profiler have them.
fn strip(from: &Path, to: &Path) -> Result {
    let mut strip = Command::new("strip");
    shell::output(strip.args(["--strip-debug", "-o"]).arg(to).arg(from))?;
    Ok(())
}

/// All files below the folder, in order.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir()? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// Writes the list of checksums into the folder, as `sha256sum --check` reads it.
pub fn write_sums(folder: &Path, files: &[PathBuf]) -> Result {
    let mut sums = String::new();
    for file in files {
        let digest = Sha256::digest(fs::read(file)?);
        for byte in digest {
            write!(sums, "{byte:02x}")?;
        }
        writeln!(sums, "  {}", file.strip_prefix(folder)?.display())?;
    }
    fs::write(folder.join(SUMS), sums)?;
    Ok(())
}

//! The Debian package, by cargo-deb. What goes where is said in `cli/Cargo.toml`.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::configuration;
use super::parts::{self, Parts};
use crate::setup::{self, Need};
use crate::{Result, paths, shell};

/// The version of cargo-deb that is known to do it right.
const CARGO_DEB: &str = "3.8.0";

/// Packs the parts, and gives the package's path.
pub fn make(parts: &Parts, output: &Path) -> Result<PathBuf> {
    setup::require(&[Need {
        what: "dpkg-shlibdeps (it tells which packages of Debian the programs need)",
        is_there: &|| paths::program(&["dpkg-shlibdeps"]).is_some(),
        packages: &["dpkg-dev"],
    }])?;
    let cargo_deb = cargo_deb()?;
    let own = paths::target().join("release/package-deb");
    fs::create_dir_all(&own)?;
    fs::write(own.join("module.conf"), configuration::to_include()?)?;
    fs::write(own.join("folio.conf"), configuration::of_example()?)?;
    compress(&parts.folder.join("man"), &own.join("man"))?;
    let architecture = shell::output(Command::new("dpkg").arg("--print-architecture"))?;
    let path = output.join(format!("folio_{}_{}.deb", parts.version, architecture.trim()));
    let mut pack = Command::new(cargo_deb);
    pack.current_dir(paths::root()).env("SOURCE_DATE_EPOCH", parts.epoch.to_string());
    // The parts are built and stripped.
    pack.args(["--package", "folio-cli", "--locked", "--no-build", "--no-strip", "--quiet"]);
    shell::run(pack.arg("--output").arg(&path))?;
    println!("made {}", paths::shown(&path));
    Ok(path)
}

/// Compresses each man page, as Debian has them.
fn compress(from: &Path, to: &Path) -> Result {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for page in parts::files(from)? {
        let mut name = page.file_name().ok_or("a page has a name")?.to_owned();
        name.push(".gz");
        let mut gzip = GzEncoder::new(File::create(to.join(name))?, Compression::best());
        gzip.write_all(&fs::read(page)?)?;
        gzip.finish()?;
    }
    Ok(())
}

/// The program, which is installed into the folder of what is built if it is not there.
fn cargo_deb() -> Result<PathBuf> {
    let folder = paths::root().join("target/tools");
    let program = folder.join("bin/cargo-deb");
    let version = shell::output(Command::new(&program).arg("--version"));
    if !version.is_ok_and(|version| version.split_whitespace().any(|word| word == CARGO_DEB)) {
        let install = ["install", "cargo-deb", "--version", CARGO_DEB, "--locked", "--root"];
        shell::run(shell::cargo(&install).arg(&folder))?;
    }
    Ok(program)
}

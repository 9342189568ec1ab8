//! A release of Debian beside the machine's own: its packages, without installing one.
//!
//! apt works on lists and caches of its own under `target/`, as if nothing were installed; the mirror is the one
//! that the machine's own sources name.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Result, paths, shell};

/// With what Debian signs its releases.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Lists as old as this are fetched again.
const LISTS_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// A release whose lists are there.
pub struct Archive {
    folder: PathBuf,
}

impl Archive {
    /// Fetches the release's lists unless they are of today.
    pub fn open(release: &str) -> Result<Self> {
        let archive = Self { folder: paths::target().join("images/apt").join(release) };
        for folder in ["lists/partial", "archives/partial"] {
            fs::create_dir_all(archive.folder.join(folder))?;
        }
        let signed = if Path::new(KEYRING).exists() {
            format!("[signed-by={KEYRING}] ")
        } else {
            String::new()
        };
        let source = format!("deb {signed}{} {release} main\n", mirror()?);
        let sources = archive.folder.join("sources.list");
        let fetched = archive.folder.join("fetched");
        let age = fs::metadata(&fetched).ok().and_then(|m| m.modified().ok()?.elapsed().ok());
        let is_same = fs::read_to_string(&sources).is_ok_and(|text| text == source);
        if !is_same || age.is_none_or(|age| age > LISTS_AGE) {
            println!("fetching the lists of {release}");
            fs::write(sources, source)?;
            shell::output(&mut archive.apt(&["update", "-qq", "--error-on=any"]))?;
            fs::write(fetched, "")?;
        }
        Ok(archive)
    }

    /// The packages and all that they need, as `name=version`, in order.
    pub fn closure(&self, packages: &[&str]) -> Result<Vec<String>> {
        let plan = shell::output(self.apt(&["install", "--simulate"]).args(packages))?;
        // Inst libc6 (2.36-9+deb12u10 Debian:12.11/oldstable [amd64])
        let package = |line: &str| {
            let (name, rest) = line.strip_prefix("Inst ")?.split_once(" (")?;
            Some(format!("{name}={}", rest.split(' ').next()?))
        };
        let mut packages: Vec<String> = plan.lines().filter_map(package).collect();
        packages.sort();
        Ok(packages)
    }

    /// The files of the packages and of all that they need, in one folder.
    pub fn fetch(&self, packages: &[&str]) -> Result<Vec<PathBuf>> {
        println!("fetching {} and what is needed for it", packages.join(", "));
        shell::output(&mut self.apt(&["clean"]))?;
        let fetch = ["install", "--download-only", "-qq", "--yes"];
        shell::output(self.apt(&fetch).args(packages))?;
        let files = self.folder.join("archives").read_dir()?.flatten().map(|entry| entry.path());
        Ok(files.filter(|path| path.extension() == Some(OsStr::new("deb"))).collect())
    }

    fn apt(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("apt-get");
        let mut option = |name: &str, value: &OsStr| {
            let mut setting = OsString::from(format!("{name}="));
            setting.push(value);
            command.arg("-o").arg(setting);
        };
        for (name, file) in [
            ("Dir::Etc::SourceList", "sources.list"),
            ("Dir::State::Lists", "lists"),
            ("Dir::Cache", ""),
            ("Dir::Cache::Archives", "archives"),
        ] {
            option(name, self.folder.join(file).as_os_str());
        }
        for (name, value) in [
            ("Dir::Etc::SourceParts", "/dev/null"),
            ("Dir::Etc::Preferences", "/dev/null"),
            ("Dir::Etc::PreferencesParts", "/dev/null"),
            ("Dir::State::Status", "/dev/null"),
            ("Acquire::Languages", "none"),
            ("APT::Install-Recommends", "false"),
        ] {
            option(name, OsStr::new(value));
        }
        command.args(arguments).env("LC_ALL", "C");
        command
    }
}

/// Debian's mirror, as the machine's own sources name it.
fn mirror() -> Result<String> {
    let mut command = Command::new("apt-get");
    command.args(["indextargets", "--format", "$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)"]);
    let targets = shell::output(command.arg("Created-By: Packages"))?;
    let found = targets.lines().find_map(|line| {
        let (codename, mirror) = line.strip_prefix("Debian main ")?.split_once(' ')?;
        // The archive itself, not what is laid over it: bookworm, not bookworm-security.
        (!codename.contains('-')).then_some(mirror)
    });
    let advice = "the apt sources name no mirror of Debian, or `apt-get update` was never run";
    found.map(str::to_owned).ok_or_else(|| advice.into())
}

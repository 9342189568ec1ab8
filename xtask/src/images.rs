//! Images of the servers that the tests run on, made of Debian's packages alone: no registry of images is asked.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::archive::Archive;
use crate::{Result, docker, paths, shell};

/// On an image: the packages that it was made of.
const PACKAGES_LABEL: &str = "folio-test.packages";
/// The folders that a package may fill under either of two names.
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];
/// What a server does without: documentation, and character sets that only iconv reads.
const LEFT_OUT: [&str; 2] = ["usr/share", "usr/lib/*/gconv"];

/// A whole Debian with a server in it, whose dpkg and apt work: what the project's package is installed in.
pub const DEBIAN: &str = "folio-test/debian:trixie";

/// A server that the tests run on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Server {
    /// As `FOLIO_TEST_SERVER` and the command line have it.
    pub name: &'static str,
    /// The release of Debian whose package it is.
    release: &'static str,
    package: &'static str,
}

/// Each of them.
pub const SERVERS: [Server; 3] = [
    Server { name: "redis-7.0", release: "bookworm", package: "redis-server" },
    Server { name: "redis-8.0", release: "trixie", package: "redis-server" },
    Server { name: "valkey-8.1", release: "trixie", package: "valkey-server" },
];

impl Server {
    /// The image's name.
    pub fn image(self) -> String {
        format!("folio-test/{}", self.name.replacen('-', ":", 1))
    }

    /// Makes the image if there is none.
    pub fn ensure_image(self) -> Result {
        if docker::has_image(&self.image()) { Ok(()) } else { self.make_image() }
    }

    /// Makes the image unless there is one of the packages that the archive has now. One that was not made here is
    /// left alone.
    pub fn make_image(self) -> Result {
        make(&self.image(), self.release, &[self.package], |folder, files, label| {
            fill(folder, files)?;
            for left_out in LEFT_OUT {
                remove(folder, left_out)?;
            }
            docker::import(folder, &self.image(), label)
        })
    }
}

/// Makes the image of [`DEBIAN`] if there is none.
pub fn ensure_debian() -> Result {
    if docker::has_image(DEBIAN) {
        return Ok(());
    }
    // The second is every package that no Debian is without, dpkg and apt among them.
    make(DEBIAN, "trixie", &["redis-server", "?essential"], |folder, files, label| {
        fill(folder, files)?;
        fs::create_dir_all(folder.join("var/lib/dpkg/info"))?;
        fs::create_dir_all(folder.join("var/lib/dpkg/updates"))?;
        fs::write(folder.join("var/lib/dpkg/status"), "")?;
        let policy = folder.join("usr/sbin/policy-rc.d");
        fs::write(&policy, "#!/bin/sh\n# No service is started with its package.\nexit 101\n")?;
        fs::set_permissions(policy, Permissions::from_mode(0o755))?;
        let unpacked = format!("{DEBIAN}-unpacked");
        docker::import(folder, &unpacked, label)?;
        let archives = files[0].parent().ok_or("packages are fetched into a folder")?;
        let installed = docker::commit_run(
            &unpacked,
            DEBIAN,
            archives,
            "dpkg --force-depends --force-unsafe-io --install /mnt/*.deb",
        );
        docker::remove_image(&unpacked)?;
        installed
    })
}

/// Makes an image of the packages unless there is one of the same.
fn make(
    image: &str,
    release: &str,
    packages: &[&str],
    build: impl Fn(&Path, &[PathBuf], (&str, &str)) -> Result,
) -> Result {
    let made_of = docker::has_image(image).then(|| docker::label(image, PACKAGES_LABEL));
    let made_of = made_of.transpose()?;
    if made_of.as_deref() == Some("") {
        println!("{image} was not made here, and is taken as it is");
        return Ok(());
    }
    let archive = match Archive::open(release) {
        Ok(archive) => archive,
        Err(error) if made_of.is_some() => {
            println!("{image} stays as it is: {error}");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let closure = archive.closure(packages)?;
    if made_of.as_ref() == Some(&closure.join(" ")) {
        println!("{image} is there");
        return Ok(());
    }
    let folder = paths::target().join("images").join(image.replace(['/', ':'], "-"));
    build(&folder, &archive.fetch(packages)?, (PACKAGES_LABEL, &closure.join(" ")))?;
    fs::remove_dir_all(&folder)?;
    println!("made {image} of {} packages", closure.len());
    Ok(())
}

/// Makes every image that is missing or of older packages.
pub fn images() -> Result {
    if !docker::answers() {
        return Err("no Docker engine answers".into());
    }
    SERVERS.into_iter().try_for_each(Server::make_image)
}

/// Unpacks packages into a new folder.
fn fill(folder: &Path, packages: &[PathBuf]) -> Result {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    for name in MERGED {
        fs::create_dir_all(folder.join("usr").join(name))?;
        symlink(Path::new("usr").join(name), folder.join(name))?;
    }
    for package in packages {
        let mut unpack = Command::new("dpkg-deb");
        shell::output(unpack.arg("--extract").arg(package).arg(folder))?;
    }
    Ok(())
}

/// Removes what stands under a path, in which `*` is any one folder.
fn remove(folder: &Path, path: &str) -> Result {
    let Some((parent, rest)) = path.split_once("/*/") else {
        let path = folder.join(path);
        return if path.exists() { Ok(fs::remove_dir_all(path)?) } else { Ok(()) };
    };
    for entry in folder.join(parent).read_dir()? {
        remove(&entry?.path(), rest)?;
    }
    Ok(())
}

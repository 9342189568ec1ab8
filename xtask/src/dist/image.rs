//! The image: the server that the tests run on in containers, with the parts in it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::configuration::{self, INSTALLED_MODULE};
use super::parts::Parts;
use crate::docker::docker;
use crate::images::SERVERS;
use crate::{Result, paths, shell};

/// The server, of [`SERVERS`].
const SERVER: &str = "redis-8.0";
/// Who runs it. The server's image has no list of users.
const USERS: &str = "root:x:0:0:root:/:/usr/sbin/nologin\n\
                     redis:x:999:999:redis:/data:/usr/sbin/nologin\n";
const GROUPS: &str = "root:x:0:\nredis:x:999:\n";

/// Makes the image, and gives its name.
pub fn make(parts: &Parts) -> Result<String> {
    let server = SERVERS.into_iter().find(|server| server.name == SERVER);
    let server = server.ok_or("the image's server is one of those that the tests run on")?;
    server.ensure_image()?;
    let folder = paths::target().join("release/package-image");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let root = folder.join("root");
    place(&parts.folder.join("folio.so"), &root.join(&INSTALLED_MODULE[1..]), 0o755)?;
    place(&parts.folder.join("folio"), &root.join("usr/bin/folio"), 0o755)?;
    let doc = root.join("usr/share/doc/folio");
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        place(&parts.folder.join(name), &doc.join(name), 0o644)?;
    }
    fs::create_dir_all(root.join("etc/folio"))?;
    fs::write(root.join("etc/folio/folio.conf"), configuration::of_image()?)?;
    fs::write(root.join("etc/passwd"), USERS)?;
    fs::write(root.join("etc/group"), GROUPS)?;
    fs::create_dir_all(folder.join("data"))?;
    fs::write(folder.join("Dockerfile"), include_str!("Dockerfile"))?;
    let name = format!("folio:{}", parts.version);
    let base = format!("SERVER={}", server.image());
    let mut build = docker(&["build", "--quiet", "--tag", &name, "--build-arg", &base]);
    shell::output(build.arg(&folder))?;
    println!("made the image {name}");
    Ok(name)
}

/// Copies a file to where it has to be, in folders that everybody may enter.
fn place(from: &Path, to: &Path, mode: u32) -> Result {
    fs::create_dir_all(to.parent().ok_or("a file is in a folder")?)?;
    fs::copy(from, to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// Writes the image to a file, for `docker load`.
pub fn save(image: &str, parts: &Parts, output: &Path) -> Result {
    let path = output.join(format!("folio-{}-image.tar.gz", parts.version));
    let mut save = docker(&["save", image]).stdout(Stdio::piped()).spawn()?;
    let mut archive = save.stdout.take().ok_or("its output is piped")?;
    let mut gzip = GzEncoder::new(File::create(&path)?, Compression::default());
    io::copy(&mut archive, &mut gzip)?;
    gzip.finish()?;
    if !save.wait()?.success() {
        return Err(format!("docker save {image} failed").into());
    }
    println!("made {}", paths::shown(&path));
    Ok(())
}

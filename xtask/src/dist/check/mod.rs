//! Installs what was made, each where nothing else of the project is, and uses it once.

mod place;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use tar::Archive;

use self::place::Place;
use super::parts::SUMS;
use crate::docker::{self, Container, docker};
use crate::{Result, images, paths, shell};

/// How long a container may last in which nobody ends anything.
const CONTAINER_SECONDS: &str = "600";
/// How long Docker may take until it has found a server healthy.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(60);

/// Unpacks the archive into an empty folder, and does what its README says.
pub fn tarball(archive: &Path) -> Result {
    let folder = paths::target().join(format!("dist-check-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let checked = in_folder(archive, &folder);
    fs::remove_dir_all(&folder)?;
    checked?;
    println!("the archive was unpacked and used");
    Ok(())
}

fn in_folder(archive: &Path, folder: &Path) -> Result {
    Archive::new(GzDecoder::new(fs::File::open(archive)?)).unpack(folder)?;
    let unpacked = folder.read_dir()?.next().ok_or("the archive is empty")??.path();
    shell::output(Command::new("sha256sum").args(["--check", SUMS]).current_dir(&unpacked))?;
    let readme = fs::read_to_string(unpacked.join("README.md"))?;
    let line = readme.lines().find(|line| line.starts_with("redis-server "));
    let line = line.ok_or("the README starts no server")?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let server = paths::redis_server().ok_or("there is no redis-server")?;
    let mut start = Command::new(server);
    start.args(line.split(' ').skip(1)).args(["--port", &port.to_string()]);
    start.current_dir(&unpacked).stdin(Stdio::null());
    start.stdout(fs::File::create(folder.join("server.log"))?);
    let _server = Process(start.spawn()?);
    let place = Place::of_machine(unpacked.join("folio"), port)?;
    let used = place.wait_until_ready().and_then(|()| place.fill()).and_then(|()| place.ask());
    used.map_err(|error| {
        let log = fs::read_to_string(folder.join("server.log")).unwrap_or_default();
        format!("{error}\nThe server's log:\n{log}").into()
    })
}

/// A process that ends when this is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Installs the package into a Debian that has a server, without network, and loads it there.
pub fn deb(package: &Path) -> Result {
    docker::sweep()?;
    images::ensure_debian()?;
    let sleep = ["--network=none", images::DEBIAN, "sleep", CONTAINER_SECONDS];
    let container = Container::start(&sleep)?;
    let package = package.to_str().ok_or("the package's path is text")?;
    shell::output(&mut docker(&["cp", package, &format!("{}:/folio.deb", container.id)]))?;
    let place = Place::of_container(&container.id);
    place.run("apt-get", &["install", "--yes", "--no-install-recommends", "/folio.deb"], "")?;
    let include = "echo include /etc/folio/module.conf >> /etc/redis/redis.conf";
    place.run("sh", &["-c", include], "")?;
    place.run("service", &["redis-server", "start"], "")?;
    place.wait_until_ready()?;
    place.fill()?;
    place.ask()?;
    place.run("service", &["redis-server", "stop"], "")?;
    place.run("apt-get", &["purge", "--yes", "folio"], "")?;
    let left =
        "! ls -d /usr/bin/folio /etc/folio /usr/lib/redis/modules/folio.so 2>/dev/null | grep .";
    place.run("sh", &["-c", left], "").map_err(|error| format!("it left files behind: {error}"))?;
    println!("the Debian package was installed, used and removed");
    Ok(())
}

/// Runs the image, and another container of it over what the first has written.
pub fn image(image: &str) -> Result {
    docker::sweep()?;
    let first = Container::start(&["--network=none", image])?;
    let place = Place::of_container(&first.id);
    place.wait_until_ready()?;
    place.fill()?;
    place.ask()?;
    wait_until_healthy(&first)?;
    shell::output(&mut docker(&["stop", &first.id]))?;
    let second = Container::start(&["--network=none", "--volumes-from", &first.id, image])?;
    let place = Place::of_container(&second.id);
    place.wait_until_ready()?;
    place.ask()?;
    println!("the image was run, and run again over the same volume");
    Ok(())
}

fn wait_until_healthy(container: &Container) -> Result {
    let inspect = ["inspect", "--format", "{{.State.Health.Status}}", &container.id];
    let deadline = Instant::now() + HEALTH_TIMEOUT;
    loop {
        let status = shell::output(&mut docker(&inspect))?;
        if status.trim() == "healthy" {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("Docker finds the server {}", status.trim()).into());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

//! The demo's server: found where it was left, or started.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::{Result, paths};

/// How long a server may take until it answers; a loaded one reads its data first.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running server on this machine.
pub struct Server {
    port: u16,
    folder: PathBuf,
    /// The process, for a server that stops with the chore.
    child: Option<Child>,
}

impl Server {
    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The demo's server if it is still running, with the module that was just built; else a new
    /// one on `port`, or on the next that is free.
    pub fn find_or_start(module: &Path, port: u16) -> Result<Self> {
        let folder = paths::target().join("demo");
        fs::create_dir_all(&folder)?;
        let noted = fs::read_to_string(folder.join("port")).ok();
        let noted = noted.and_then(|text| text.trim().parse().ok());
        if let Some(port) = noted.filter(|port| is_ours(*port, &folder)) {
            let server = Self { port, folder: folder.clone(), child: None };
            if !is_newer(module, &folder.join("port")) {
                println!("the demo's server is running on port {port}");
                return Ok(server);
            }
            println!("the module is newer than the server on port {port}: restarting it");
            server.stop()?;
        }
        let free = (port..=u16::MAX).find(|port| is_free(*port)).ok_or("no port is free")?;
        if free != port {
            println!("port {port} is taken by something else: taking {free}");
        }
        let mut server = Self::start(module, free, folder)?;
        fs::write(server.folder.join("port"), free.to_string())?;
        // It outlives the chore.
        server.child = None;
        Ok(server)
    }

    /// An empty server on a free port, whose data goes with it.
    pub fn start_temporary(module: &Path) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let folder = paths::target().join(format!("demo-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Self::start(module, port, folder)
    }

    fn start(module: &Path, port: u16, folder: PathBuf) -> Result<Self> {
        let program = paths::redis_server().ok_or("there is no redis-server: cargo xtask setup")?;
        let log = File::create(folder.join("server.log"))?;
        let child = Command::new(program)
            .arg(paths::root().join("redis.conf"))
            .args(["--port", &port.to_string(), "--daemonize", "no", "--logfile", ""])
            .arg("--dir")
            .arg(&folder)
            .arg("--loadmodule")
            .arg(module)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Its own group, so that an interrupt of the chore does not reach it.
            .process_group(0)
            .spawn()?;
        let mut server = Self { port, folder, child: Some(child) };
        server.wait_until_ready()?;
        println!("started {} on port {port}", server.version());
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if ask(self.port, "PING").is_ok_and(|reply| reply.starts_with("+PONG")) {
                return Ok(());
            }
            let child = self.child.as_mut().expect("a server being started is a child");
            let ended = child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(15).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                return Err(format!("the server does not start:\n{}", tail.join("\n")).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn version(&self) -> String {
        let info = ask(self.port, "INFO server").unwrap_or_default();
        let value = |name: &str| info.lines().find_map(|line| line.strip_prefix(name));
        match (value("valkey_version:"), value("redis_version:")) {
            (Some(version), _) => format!("Valkey {version}"),
            (None, version) => format!("Redis {}", version.unwrap_or("of unknown version")),
        }
    }

    /// Stops it. A temporary server's data goes; the demo's is saved.
    pub fn stop(mut self) -> Result {
        let temporary = self.child.is_some();
        // The connection closes without a reply when the server ends.
        let _ = ask(self.port, if temporary { "SHUTDOWN NOSAVE" } else { "SHUTDOWN SAVE" });
        if let Some(mut child) = self.child.take() {
            child.wait()?;
            fs::remove_dir_all(&self.folder)?;
            return Ok(());
        }
        let deadline = Instant::now() + START_TIMEOUT;
        while !is_free(self.port) {
            if Instant::now() > deadline {
                return Err(format!("the server on port {} does not stop", self.port).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Server {
    /// A chore that fails leaves no temporary server behind.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Whether the server on this port keeps its data in `folder` and has the module.
fn is_ours(port: u16, folder: &Path) -> bool {
    let dir = ask(port, "CONFIG GET dir").unwrap_or_default();
    let modules = ask(port, "MODULE LIST").unwrap_or_default();
    let there = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    dir.lines().any(|line| Path::new(line) == there) && modules.contains("folio")
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|m| m.modified());
    time(file).unwrap_or(SystemTime::UNIX_EPOCH) > time(than).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

/// Sends one inline command and gives the reply as it comes over the wire.
fn ask(port: u16, command: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    // QUIT closes the connection, so that the reply has an end.
    stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes())?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

//! The demo's server: found where it was left, or started.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::wire::ask;
use crate::{Result, paths, process};

/// The server's usual port.
const PORT: u16 = 6379;
/// How long a server may take until it answers; a loaded one reads its data first.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running server on this machine.
pub struct Server {
    port: u16,
    folder: PathBuf,
    /// The process, for a server that stops with the chore.
    child: Option<Child>,
    /// Locked while a run uses the demo's server: another run waits.
    turn: Option<File>,
}

impl Server {
    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The demo's server if it is still running, with the module that was just built; else a new
    /// one on `port`, or on the next that is free.
    pub fn find_or_start(module: &Path, port: Option<u16>) -> Result<Self> {
        let folder = folder();
        fs::create_dir_all(&folder)?;
        // Two runs at once would start two servers, and spoil each other's answers.
        let turn = File::create(folder.join("lock"))?;
        turn.lock()?;
        let noted = fs::read_to_string(folder.join("port")).ok();
        let noted: Option<u16> = noted.and_then(|text| text.trim().parse().ok());
        let mut wanted = port.unwrap_or(PORT);
        if let Some(running) = noted
            && is_ours(running, &folder)?
        {
            if let Some(port) = port.filter(|port| *port != running) {
                return Err(format!(
                    "the demo's server is running already, on port {running} (not {port}): stop it first to move it"
                )
                .into());
            }
            let mut server =
                Self { port: running, folder: folder.clone(), child: None, turn: None };
            if !is_newer(module, &folder.join("port")) {
                println!("the demo's server is running on port {running}");
                server.turn = Some(turn);
                return Ok(server);
            }
            println!("the module is newer than the server on port {running}: restarting it");
            server.stop()?;
            wanted = running;
        }
        // Two servers on the same files destroy them.
        if let Some(pid) = process::server_in(&folder) {
            let shown = paths::shown(&folder);
            return Err(format!(
                "a server, process {pid}, keeps its data in {shown}: stop it first"
            )
            .into());
        }
        let free = (wanted..=u16::MAX).find(|port| is_free(*port)).ok_or("no port is free")?;
        if free != wanted {
            println!("port {wanted} is taken by something else: taking {free}");
        }
        // First, so that a server that is slow to start is found by the next run.
        fs::write(folder.join("port"), free.to_string())?;
        let mut server = Self::start(module, free, folder)?;
        // It outlives the chore.
        server.child = None;
        server.turn = Some(turn);
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
        let config = config(&folder);
        if !config.exists() {
            // A copy, so that CONFIG REWRITE leaves the project's file alone.
            fs::copy(paths::root().join("redis.conf"), &config)?;
        }
        let log_path = log(&folder);
        // What it says before it has opened its log goes there too.
        let log = File::options().create(true).append(true).open(&log_path)?;
        let mut command = Command::new(program);
        command.arg(&config).args(["--port", &port.to_string(), "--daemonize", "no"]);
        command.arg("--dir").arg(&folder).arg("--logfile").arg(log_path);
        command.arg("--pidfile").arg(process::pid_file(&folder));
        if !names_module(&config) {
            command.arg("--loadmodule").arg(module);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Its own group, so that an interrupt of the chore does not reach it.
            .process_group(0)
            .spawn()?;
        let mut server = Self { port, folder, child: Some(child), turn: None };
        server.wait_until_ready()?;
        println!("started {} on port {port}", server.version());
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let reply = ask(self.port, "PING").unwrap_or_default();
            if reply.starts_with("+PONG") {
                return Ok(());
            }
            if asks_for_password(&reply) {
                return Err(password_needed(self.port).into());
            }
            let child = self.child.as_mut().expect("a server being started is a child");
            let ended = child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let log = fs::read_to_string(log(&self.folder)).unwrap_or_default();
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
        while !is_free(self.port) || process::server_in(&self.folder).is_some() {
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

/// Where the demo's server keeps its data.
pub fn folder() -> PathBuf {
    paths::target().join("demo")
}

/// The configuration of the server in this folder.
pub fn config(folder: &Path) -> PathBuf {
    folder.join("redis.conf")
}

/// Where the server in this folder logs.
pub fn log(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// Whether a configuration loads the module itself, as one does after CONFIG REWRITE.
pub fn names_module(config: &Path) -> bool {
    let text = fs::read_to_string(config).unwrap_or_default();
    let loads = |line: &str| line.trim_start().to_lowercase().starts_with("loadmodule");
    text.lines().any(|line| loads(line) && line.contains("folio_module"))
}

/// Whether the server on this port keeps its data in `folder` and has the module. One that is there
/// and does not say is an error, lest a second one be started on the same data.
fn is_ours(port: u16, folder: &Path) -> Result<bool> {
    let Some(dir) = answer(port, "CONFIG GET dir")? else { return Ok(false) };
    let there = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    if !dir.lines().any(|line| Path::new(line) == there) {
        return Ok(false);
    }
    let modules = answer(port, "MODULE LIST")?.unwrap_or_default();
    if modules.contains("folio") {
        return Ok(true);
    }
    let shown = paths::shown(folder);
    Err(format!(
        "a server on port {port} keeps its data in {shown} and lacks the module: stop it first"
    )
    .into())
}

/// The reply of the server on this port once it has loaded its data; none if nothing answers.
fn answer(port: u16, command: &str) -> Result<Option<String>> {
    let deadline = Instant::now() + START_TIMEOUT;
    let mut told = false;
    loop {
        let Ok(reply) = ask(port, command) else { return Ok(None) };
        if asks_for_password(&reply) {
            return Err(password_needed(port).into());
        }
        let is_loading = reply.starts_with("-LOADING");
        if !is_loading && !reply.starts_with('-') {
            return Ok(Some(reply));
        }
        if !is_loading || Instant::now() > deadline {
            let reason = reply.lines().next().unwrap_or_default();
            return Err(format!(
                "the server on port {port} does not say where its data is: {reason}"
            )
            .into());
        }
        if !told {
            println!("the server on port {port} is loading its data: waiting");
            told = true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn asks_for_password(reply: &str) -> bool {
    reply.starts_with("-NOAUTH") || reply.starts_with("-NOPERM")
}

fn password_needed(port: u16) -> String {
    format!(
        "a server on port {port} keeps its data in {} and asks for a password: stop it first, or give FOLIO_DEMO_PASSWORD",
        paths::shown(&folder())
    )
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|m| m.modified());
    time(file).unwrap_or(SystemTime::UNIX_EPOCH) > time(than).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
}

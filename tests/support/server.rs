//! A private server with the module, for one test.
//!
//! The server listens on a free port of 127.0.0.1, keeps its data in a temporary folder and is
//! stopped, by its own process and by nothing broader, when the value is dropped.
//!
//! | variable | names |
//! |---|---|
//! | `FOLIO_TEST_URL` | a server that is running with the module loaded, for [`Server::shared`] |
//! | `FOLIO_REDIS_SERVER` | the server's program; else `redis-server` from PATH |
//! | `FOLIO_MODULE` | the module; else the newer of those in `target/debug` and `target/release` |

use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use redis::{ProtocolVersion, Value};
use tempfile::TempDir;

use crate::Client;

/// How long a server may take until it answers, its data read.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a start is tried again when another process took the port meanwhile.
const START_TRIES: usize = 5;

/// How a private server is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    arguments: Vec<String>,
    module_arguments: Vec<String>,
    module: Option<PathBuf>,
    environment: Vec<(String, String)>,
}

impl Options {
    /// A server that writes nothing to disk unless told to.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of the server's configuration, such as `maxmemory` `10mb`.
    #[must_use]
    pub fn config(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([format!("--{name}"), value.into()]);
        self
    }

    /// With an append-only file that is synced at each command.
    #[must_use]
    pub fn appendonly(self) -> Self {
        self.config("appendonly", "yes").config("appendfsync", "always")
    }

    /// Arguments of the module itself.
    #[must_use]
    pub fn module_arguments(mut self, arguments: &[&str]) -> Self {
        self.module_arguments.extend(arguments.iter().map(ToString::to_string));
        self
    }

    /// Another module than the one that is tested.
    #[must_use]
    pub fn module(mut self, path: impl AsRef<Path>) -> Self {
        self.module = Some(path.as_ref().to_owned());
        self
    }

    /// A variable of the server's environment.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts a server of one's own with these options.
    pub fn start(self) -> Server {
        Server::start_with(self)
    }
}

/// A server with the module. A private one ends with the value; a shared one is left alone.
#[derive(Debug)]
pub struct Server {
    url: String,
    private: Option<Private>,
}

#[derive(Debug)]
struct Private {
    options: Options,
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl Server {
    /// A private server without persistence.
    pub fn start() -> Self {
        Self::start_with(Options::new())
    }

    /// The server that `FOLIO_TEST_URL` names, else a private one.
    ///
    /// For tests that keep to keys of their own, flush nothing and restart nothing.
    pub fn shared() -> Self {
        match env::var("FOLIO_TEST_URL") {
            Ok(url) if !url.is_empty() => Self { url, private: None },
            _ => Self::start(),
        }
    }

    fn start_with(options: Options) -> Self {
        let folder = TempDir::with_prefix("folio-test-").expect("a temporary folder can be made");
        let mut private = Private { options, port: 0, folder, process: None };
        for _ in 0..START_TRIES {
            private.port = free_port();
            if private.try_start() {
                let url = format!("redis://127.0.0.1:{}", private.port);
                return Self { url, private: Some(private) };
            }
        }
        panic!("the server does not start:\n{}", private.log());
    }

    /// The address, for any client.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new connection that speaks RESP2.
    pub fn resp2(&self) -> Client {
        Client::connect(&self.url, ProtocolVersion::RESP2)
    }

    /// A new connection that speaks RESP3.
    pub fn resp3(&self) -> Client {
        Client::connect(&self.url, ProtocolVersion::RESP3)
    }

    /// The folder with the server's data and log.
    ///
    /// This and all the methods below are for a test's own server.
    pub fn folder(&self) -> &Path {
        self.own().folder.path()
    }

    /// What the server has logged since its last start.
    pub fn log(&self) -> String {
        self.own().log()
    }

    /// Ends the server in order with its data saved as RDB, and starts it on the same data.
    pub fn restart(&mut self) {
        self.shut_down("SAVE");
        self.start_again();
    }

    /// Ends the server in order without saving, and starts it on what the AOF or an earlier
    /// save holds.
    pub fn restart_without_saving(&mut self) {
        self.shut_down("NOSAVE");
        self.start_again();
    }

    /// Ends the server at once, as a crash would. [`start_again`](Self::start_again) follows.
    pub fn kill(&mut self) {
        let mut process = self.own_mut().process.take().expect("the server is running");
        process.kill().expect("an own process can be killed");
        process.wait().expect("an own process can be waited for");
    }

    /// Ends the server in order; `how` is `SAVE` or `NOSAVE`.
    pub fn shut_down(&mut self, how: &str) {
        // The server closes the connection instead of answering.
        let _ = self.resp2().try_call(&["SHUTDOWN", how]);
        let mut process = self.own_mut().process.take().expect("the server is running");
        let deadline = Instant::now() + START_TIMEOUT;
        while process.try_wait().expect("an own process can be waited for").is_none() {
            assert!(Instant::now() < deadline, "the server does not end:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts an ended server again on the same port and data.
    pub fn start_again(&mut self) {
        let private = self.own_mut();
        assert!(private.process.is_none(), "the server is running");
        assert!(private.try_start(), "the server does not start again:\n{}", private.log());
    }

    /// The same where the data may be refused; false when the server has ended over them.
    pub fn try_start_again(&mut self) -> bool {
        let private = self.own_mut();
        assert!(private.process.is_none(), "the server is running");
        private.spawn();
        private.outlives_its_data() && private.wait_until_ready()
    }

    fn own(&self) -> &Private {
        self.private.as_ref().expect("the server is this test's own")
    }

    fn own_mut(&mut self) -> &mut Private {
        self.private.as_mut().expect("the server is this test's own")
    }
}

impl Private {
    /// Starts the process and waits until it answers; false if it ended before.
    fn try_start(&mut self) -> bool {
        self.spawn();
        self.wait_until_ready()
    }

    /// Whether the server gets as far as to take connections. Nobody connects before: a connection to a
    /// server that ends may be answered by nobody.
    fn outlives_its_data(&mut self) -> bool {
        let deadline = Instant::now() + START_TIMEOUT;
        while !self.log().contains("Ready to accept connections") {
            if self.log().contains("Unrecoverable error, aborting now") {
                // Redis 7.0 then has its own checker look at the file, which never ends where a module's section is cut.
                let mut process = self.process.take().expect("the server was started");
                let _ = process.kill();
                process.wait().expect("an own process can be waited for");
                return false;
            }
            let process = self.process.as_mut().expect("the server was started");
            if process.try_wait().expect("an own process can be waited for").is_some() {
                self.process = None;
                return false;
            }
            assert!(
                Instant::now() < deadline,
                "the server does not read its data:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(2));
        }
        true
    }

    fn spawn(&mut self) {
        let log = File::create(self.folder.path().join("server.log")).expect("a log can be made");
        let errors = log.try_clone().expect("a file can be opened twice");
        let mut command = Command::new(program());
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--daemonize", "no", "--logfile", "", "--enable-debug-command", "yes"]);
        command.arg("--dir").arg(self.folder.path());
        if !self.options.arguments.iter().any(|argument| argument == "--save") {
            command.args(["--save", ""]);
        }
        command.args(&self.options.arguments);
        let module = self.options.module.clone().unwrap_or_else(module);
        command.arg("--loadmodule").arg(module).args(&self.options.module_arguments);
        command.envs(self.options.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let process = command.spawn();
        self.process = Some(process.unwrap_or_else(|error| panic!("{command:?}: {error}")));
    }

    fn wait_until_ready(&mut self) -> bool {
        let deadline = Instant::now() + START_TIMEOUT;
        let url = format!("redis://127.0.0.1:{}", self.port);
        loop {
            let process = self.process.as_mut().expect("the server was started");
            if process.try_wait().expect("an own process can be waited for").is_some() {
                self.process = None;
                return false;
            }
            if answering_process(&url) == Some(process.id()) {
                return true;
            }
            assert!(Instant::now() < deadline, "the server does not answer:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Nothing is lost: the folder goes too.
            let _ = process.kill();
            let _ = process.wait();
        }
        if thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}

fn program() -> PathBuf {
    env::var_os("FOLIO_REDIS_SERVER").map_or_else(|| "redis-server".into(), PathBuf::from)
}

/// The process that answers at this address, once its data is read.
///
/// Two tests may be given the same port; then one of the servers ends, and it must not take the
/// other for itself.
fn answering_process(url: &str) -> Option<u32> {
    let client = redis::Client::open(url).expect("the address is well formed");
    let mut connection = client.get_connection_with_timeout(START_TIMEOUT).ok()?;
    // While the data is read, the answer is an error: LOADING.
    redis::cmd("PING").query::<Value>(&mut connection).ok()?;
    let info: String = redis::cmd("INFO").arg("server").query(&mut connection).ok()?;
    info.lines().find_map(|line| line.strip_prefix("process_id:"))?.trim().parse().ok()
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// The module that is tested.
fn module() -> PathBuf {
    if let Some(path) = env::var_os("FOLIO_MODULE") {
        let path = PathBuf::from(path);
        assert!(path.exists(), "FOLIO_MODULE: there is no {}", path.display());
        return path;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder of it");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let built = |profile| root.join(&target).join(profile).join("libfolio_module.so");
    let age = |path: &PathBuf| fs::metadata(path).and_then(|m| m.modified());
    let candidates = ["debug", "release"].map(built).into_iter().filter(|path| path.exists());
    candidates
        .max_by_key(|path| age(path).unwrap_or(SystemTime::UNIX_EPOCH))
        .expect("the module is not built: run `cargo xtask test`, or set FOLIO_MODULE")
}

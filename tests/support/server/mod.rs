//! A private server with the module, for one test.
//!
//! The server listens on a free port of 127.0.0.1, keeps its data in a temporary folder and is
//! stopped, by its own process or container and by nothing broader, when the value is dropped.
//!
//! | variable | names |
//! |---|---|
//! | `FOLIO_TEST_URL` | a server that is running with the module loaded, for [`Server::shared`] |
//! | `FOLIO_TEST_SERVER` | the image to run in containers, such as `redis-8.0`; else, and for `local`, a process of this machine |
//! | `FOLIO_REDIS_SERVER` | the program of that process; else `redis-server` from PATH |
//! | `FOLIO_TEST_ORDERLY` | if it is set, a server ends in order, so that a sanitizer can say what was left |
//! | `FOLIO_MODULE` | the module; else the newer of those in `target/debug` and `target/release` |

mod container;
mod launch;
mod version;

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use redis::{ProtocolVersion, Value};
use tempfile::TempDir;

use crate::{Client, planted};

pub use launch::module;
use launch::{Launch, Running};
pub use version::{Maker, Version};

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
    is_plain: bool,
    environment: Vec<(String, String)>,
}

impl Options {
    /// A server that writes nothing to disk unless told to.
    pub fn new() -> Self {
        planted::options(Self::default())
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

    /// Without any module: what Folio is compared with.
    #[must_use]
    pub fn without_module(mut self) -> Self {
        self.is_plain = true;
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
    running: Option<Running>,
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
        let mut private = Private { options, port: 0, folder, running: None };
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

    /// Who made the server, and its version.
    pub fn version(&self) -> Version {
        Version::of(&mut self.resp2())
    }

    /// Whether it is run in a container, where a start takes longer.
    pub fn is_in_container(&self) -> bool {
        matches!(self.own().running, Some(Running::Container(_)))
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
        self.own_mut().running.take().expect("the server is running").kill();
    }

    /// Ends the server in order; `how` is `SAVE` or `NOSAVE`.
    pub fn shut_down(&mut self, how: &str) {
        // The server closes the connection instead of answering.
        let _ = self.resp2().try_call(&["SHUTDOWN", how]);
        let deadline = Instant::now() + START_TIMEOUT;
        while !self.own_mut().has_ended() {
            assert!(Instant::now() < deadline, "the server does not end:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts an ended server again on the same data, and on the same port unless another process took it meanwhile.
    pub fn start_again(&mut self) {
        let private = self.own_mut();
        assert!(private.running.is_none(), "the server is running");
        for _ in 0..START_TRIES {
            if private.try_start() {
                self.url = format!("redis://127.0.0.1:{}", self.own().port);
                return;
            }
            if !private.log().contains("Address already in use") {
                break;
            }
            private.port = free_port();
        }
        panic!("the server does not start again:\n{}", private.log());
    }

    /// The same without waiting until it answers: it may be killed while it reads its data.
    pub fn begin_to_start(&mut self) {
        let private = self.own_mut();
        assert!(private.running.is_none(), "the server is running");
        private.launch();
    }

    /// The same where the data may be refused; false when the server has ended over them.
    pub fn try_start_again(&mut self) -> bool {
        let private = self.own_mut();
        assert!(private.running.is_none(), "the server is running");
        private.launch();
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
    /// Starts the server and waits until it answers; false if it ended before.
    fn try_start(&mut self) -> bool {
        self.launch();
        self.wait_until_ready()
    }

    /// Whether the server gets as far as to take connections. Nobody connects before: a connection to a
    /// server that ends may be answered by nobody.
    fn outlives_its_data(&mut self) -> bool {
        let deadline = Instant::now() + START_TIMEOUT;
        while !self.log().contains("Ready to accept connections") {
            if self.log().contains("Unrecoverable error, aborting now") {
                // Redis 7.0 then has its own checker look at the file, which never ends where a module's section is cut.
                self.running.take().expect("the server was started").kill();
                return false;
            }
            if self.has_ended() {
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

    fn launch(&mut self) {
        let named = || self.options.module.clone().unwrap_or_else(module);
        let module = (!self.options.is_plain).then(named);
        let launch =
            Launch { port: self.port, folder: self.folder.path(), options: &self.options, module };
        self.running = Some(launch.start());
    }

    fn wait_until_ready(&mut self) -> bool {
        let deadline = Instant::now() + START_TIMEOUT;
        let url = format!("redis://127.0.0.1:{}", self.port);
        let folder = fs::canonicalize(self.folder.path()).expect("the folder is there");
        loop {
            if self.has_ended() {
                return false;
            }
            if answering_folder(&url).is_some_and(|answering| answering == folder) {
                return true;
            }
            assert!(Instant::now() < deadline, "the server does not answer:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether the server has ended by itself; what is left of it is then put away.
    fn has_ended(&mut self) -> bool {
        let running = self.running.as_mut().expect("the server was started");
        let has_ended = running.has_ended();
        if has_ended {
            self.running.take().expect("asked above").kill();
        }
        has_ended
    }

    fn log(&self) -> String {
        fs::read_to_string(launch::log(self.folder.path())).unwrap_or_default()
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            if env::var_os("FOLIO_TEST_ORDERLY").is_some() {
                running.end();
            } else {
                // Nothing is lost: the folder goes too.
                running.kill();
            }
        }
        if thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}

/// The data's folder of the server that answers at this address, once its data is read.
///
/// Two tests may be given the same port; then one of the servers ends, and it must not take the
/// other for itself.
fn answering_folder(url: &str) -> Option<PathBuf> {
    let client = redis::Client::open(url).expect("the address is well formed");
    let mut connection = client.get_connection_with_timeout(START_TIMEOUT).ok()?;
    // While the data is read, the answer is an error: LOADING.
    redis::cmd("PING").query::<Value>(&mut connection).ok()?;
    let mut setting: Vec<String> =
        redis::cmd("CONFIG").arg(&["GET", "dir"]).query(&mut connection).ok()?;
    setting.pop().map(PathBuf::from)
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}

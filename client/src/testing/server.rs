//! A server for tests.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::StartError;
use super::launch::{self, Process};
use crate::{Folio, Result};

/// How long a server may take until it takes connections.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How often the log is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(5);
/// How many ports are tried: another process may take one between the choice and the start.
const TRIES: usize = 5;
/// How many lines of the log stand in an error.
const LINES: usize = 20;

/// A server with the module, for tests: of its own, on a free port of 127.0.0.1, without anything of before, and
/// without persistence. It ends when the value is dropped, and with the program however that ends.
///
/// ```no_run
/// use folio::testing::Server;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::start()?;
/// let db = server.connect().await?;
/// # Ok(())
/// # }
/// ```
///
/// One server for all tests of a program stands in a `static`; each test keeps to a [bucket](Folio::bucket) of its own.
///
/// ```no_run
/// use std::sync::LazyLock;
///
/// use folio::testing::Server;
///
/// static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start().expect("a server"));
///
/// # async fn example() -> folio::Result<()> {
/// let db = SERVER.connect().await?.bucket("orders-are-paid-once")?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    url: String,
    // The process before its folder: fields are dropped in order.
    _process: Process,
    folder: TempDir,
}

impl Server {
    /// Starts the server that `FOLIO_REDIS_SERVER` names, else `redis-server` or `valkey-server` from `PATH`, with the
    /// module that `FOLIO_MODULE` names, and waits until it takes connections.
    ///
    /// ```no_run
    /// let server = folio::testing::Server::start().expect("a server and the module");
    /// ```
    pub fn start() -> Result<Self, StartError> {
        Self::builder().start()
    }

    /// Begins a server of which more is to be said.
    ///
    /// ```no_run
    /// let server = folio::testing::Server::builder()
    ///     .program("/opt/valkey/bin/valkey-server")
    ///     .module("target/debug/libfolio_module.so")
    ///     .config("maxmemory", "64mb")
    ///     .start()
    ///     .expect("both are there");
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Its address, for [`Folio::builder`] or any other client.
    ///
    /// ```no_run
    /// # fn example(server: folio::testing::Server) -> folio::Result<()> {
    /// let db = folio::Folio::builder(server.url()).pool(2).lazy()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Connects to it. A connection belongs to the runtime in which it was opened, so each test opens its own.
    ///
    /// ```no_run
    /// # async fn example(server: folio::testing::Server) -> folio::Result<()> {
    /// let db = server.connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(&self) -> Result<Folio> {
        let db = Folio::connect(&self.url).await?;
        db.check().await?;
        Ok(db)
    }

    /// What it has logged.
    ///
    /// ```no_run
    /// # fn example(server: folio::testing::Server) {
    /// println!("{}", server.log());
    /// # }
    /// ```
    pub fn log(&self) -> String {
        log(&self.folder)
    }
}

/// What is said of a server before it is started; [`Server::builder`] begins it.
///
/// ```
/// let builder = folio::testing::Server::builder().program("valkey-server");
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "nothing is started yet"]
pub struct Builder {
    program: Option<PathBuf>,
    module: Option<PathBuf>,
    settings: Vec<String>,
}

impl Builder {
    /// The program to run: a path, or a name that is looked for in `PATH`.
    ///
    /// ```
    /// let builder = folio::testing::Server::builder().program("valkey-server");
    /// ```
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// The module to load.
    ///
    /// ```
    /// let builder = folio::testing::Server::builder().module("/usr/lib/folio/libfolio_module.so");
    /// ```
    pub fn module(mut self, path: impl Into<PathBuf>) -> Self {
        self.module = Some(path.into());
        self
    }

    /// A line of the server's configuration, the module's `folio.*` too.
    ///
    /// ```
    /// let builder = folio::testing::Server::builder().config("folio.scan-max", "100");
    /// ```
    pub fn config(mut self, name: &str, value: &str) -> Self {
        self.settings.extend([format!("--{name}"), value.into()]);
        self
    }

    /// Starts it, and waits until it takes connections. If another process takes the port meanwhile, it is given another
    /// one.
    ///
    /// ```no_run
    /// let server = folio::testing::Server::builder().start().expect("a server and the module");
    /// ```
    pub fn start(self) -> Result<Server, StartError> {
        let program = launch::program(self.program)?;
        let module = launch::module(self.module)?;
        let mut tries = 1;
        loop {
            let port = free_port()?;
            let folder = TempDir::with_prefix("folio-")?;
            let mut arguments: Vec<String> =
                ["--bind", "127.0.0.1", "--daemonize", "no", "--save", "", "--appendonly", "no"]
                    .map(String::from)
                    .into();
            let [folder_path, module_path] = [folder.path(), &module].map(|it| it.display());
            arguments.extend(["--port".into(), port.to_string()]);
            arguments.extend(["--dir".into(), folder_path.to_string()]);
            arguments.extend(["--loadmodule".into(), module_path.to_string()]);
            arguments.extend(self.settings.iter().cloned());
            // What says that it is ready, where it is looked for.
            arguments.extend(["--loglevel", "notice", "--logfile", ""].map(String::from));
            let mut process = Process::start(&program, &arguments, File::create(path(&folder))?)?;
            match wait(&mut process, &folder) {
                Err(StartError::Ended { log })
                    if tries < TRIES && log.contains("Address already in use") =>
                {
                    tries += 1;
                }
                outcome => {
                    let url = format!("redis://127.0.0.1:{port}");
                    return outcome.map(|()| Server { url, _process: process, folder });
                }
            }
        }
    }
}

/// Waits until the server says of itself that it takes connections. Another one may stand at the port.
fn wait(process: &mut Process, folder: &TempDir) -> Result<(), StartError> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        if log(folder).contains("Ready to accept connections") {
            return Ok(());
        }
        if process.has_ended()? {
            return Err(StartError::Ended { log: last_lines(&log(folder)) });
        }
        if Instant::now() > deadline {
            return Err(StartError::Late { log: last_lines(&log(folder)) });
        }
        thread::sleep(LOOK);
    }
}

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("server.log")
}

fn log(folder: &TempDir) -> String {
    fs::read(path(folder)).map(|log| String::from_utf8_lossy(&log).into()).unwrap_or_default()
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// A port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

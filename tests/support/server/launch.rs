//! How a server is run: as a process of this machine, or in a container.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::Options;
use super::container::Container;

/// The value of `FOLIO_TEST_SERVER` that asks for a process, as none does.
const LOCAL: &str = "local";

/// One life of a server: where, on what, with which module.
pub struct Launch<'o> {
    pub port: u16,
    pub folder: &'o Path,
    pub options: &'o Options,
    /// None for a server without any.
    pub module: Option<PathBuf>,
}

impl Launch<'_> {
    /// Starts it where the run asks for.
    pub fn start(&self) -> Running {
        // What the server said in an earlier life is not what it says now.
        let log = File::create(log(self.folder)).expect("a log can be made");
        match env::var("FOLIO_TEST_SERVER") {
            Ok(name) if !name.is_empty() && name != LOCAL => {
                Running::Container(Box::new(Container::start(&name, self)))
            }
            _ => Running::Process(self.spawn(log)),
        }
    }

    /// The same everywhere: a container has the folder and the module under their own paths.
    pub fn arguments(&self) -> Vec<String> {
        let options = self.options;
        let fixed = ["--bind", "127.0.0.1", "--daemonize", "no", "--enable-debug-command", "yes"];
        let mut arguments: Vec<String> = fixed.map(String::from).into();
        let path = |path: &Path| path.to_str().expect("paths of tests are text").to_owned();
        arguments.extend(["--port".into(), self.port.to_string()]);
        arguments.extend(["--dir".into(), path(self.folder)]);
        if !options.arguments.iter().any(|argument| argument == "--save") {
            arguments.extend(["--save".into(), String::new()]);
        }
        arguments.extend(options.arguments.iter().cloned());
        if let Some(module) = &self.module {
            arguments.extend(["--loadmodule".into(), path(module)]);
            arguments.extend(options.module_arguments.iter().cloned());
        }
        arguments
    }

    fn spawn(&self, log: File) -> Child {
        let program = env::var_os("FOLIO_REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
        let errors = log.try_clone().expect("a file can be opened twice");
        let mut command = Command::new(program);
        command.args(["--logfile", ""]).args(self.arguments());
        command.envs(self.options.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }
}

/// A server that was started.
#[derive(Debug)]
pub enum Running {
    Process(Child),
    Container(Box<Container>),
}

impl Running {
    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        match self {
            Self::Process(child) => {
                child.try_wait().expect("an own process can be waited for").is_some()
            }
            Self::Container(container) => container.has_ended(),
        }
    }

    /// Asks it to end in order, and waits until it has.
    pub fn end(mut self) {
        if let Self::Process(child) = &self {
            let asked = Command::new("kill").arg(child.id().to_string()).status();
            let deadline = Instant::now() + super::START_TIMEOUT;
            while asked.is_ok() && Instant::now() < deadline && !self.has_ended() {
                thread::sleep(Duration::from_millis(5));
            }
        }
        self.kill();
    }

    /// Ends it at once, as a crash would, and waits until it is gone.
    pub fn kill(self) {
        match self {
            Self::Process(mut child) => {
                child.kill().expect("an own process can be killed");
                child.wait().expect("an own process can be waited for");
            }
            Self::Container(container) => container.remove(),
        }
    }
}

/// Where a server logs that keeps its data in this folder.
pub fn log(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// The module that is tested.
pub fn module() -> PathBuf {
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

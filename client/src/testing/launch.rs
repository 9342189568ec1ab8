//! A process that ends with this one.
//!
//! `Drop` sees to it in the ordinary case, and after a panic. It does not run when the tests are killed, or when the
//! value stands in a `static`. So a shell stands beside the server that reads from a pipe of which this process alone
//! holds the other end: when the pipe is closed, for whatever reason, it kills the server.
//!
//! ```text
//!   this process --pipe--> sh: read, else kill
//!         \--- child ----> server (its number is that of the shell which started both)
//! ```

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::StartError;

/// Begins the watch and becomes the server: `$$` is its number. A line that is read ends the watch; a signal that ends the
/// program does not. What runs in the background reads nothing unless it is said from where.
const WATCHED: &str = r#"exec 3<&0 </dev/null
(trap '' HUP INT TERM; read -r _ <&3 || kill -9 $$) >/dev/null 2>&1 &
exec "$@" 3<&-"#;

/// A server that was started.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts a program, whose output goes to a file.
    pub(super) fn start(program: &Path, arguments: &[String], log: File) -> io::Result<Self> {
        let errors = log.try_clone()?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WATCHED, "sh"]).arg(program).args(arguments);
        command.stdin(Stdio::piped()).stdout(log).stderr(errors);
        command.spawn().map(Self)
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // To wait for it would close the pipe.
        let pipe = self.0.stdin.take();
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
        // Its number may be another's from here on, so nothing is to be killed any more.
        if let Some(mut pipe) = pipe {
            let _ = pipe.write_all(b"\n");
        }
    }
}

/// The program to run: what was said, else what the environment says, else what is found.
pub(super) fn program(named: Option<PathBuf>) -> Result<PathBuf, StartError> {
    let named = named.or_else(|| variable("FOLIO_REDIS_SERVER"));
    match named {
        Some(program) => find(&program).ok_or(StartError::NotThere(program)),
        None => ["redis-server", "valkey-server"]
            .iter()
            .find_map(|name| find(Path::new(name)))
            .ok_or(StartError::NoProgram),
    }
}

/// The module to load: what was said, else what the environment says.
pub(super) fn module(named: Option<PathBuf>) -> Result<PathBuf, StartError> {
    let module = named.or_else(|| variable("FOLIO_MODULE")).ok_or(StartError::NoModule)?;
    // The server runs in another folder.
    std::path::absolute(&module)
        .ok()
        .filter(|path| path.is_file())
        .ok_or(StartError::NotThere(module))
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A path as it is; a mere name as `PATH` has it.
fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

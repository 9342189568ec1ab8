//! A shell for the console's blocks of one page: a folder that was empty, the page's server, and the programs that
//! the page speaks of.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Seconds that one command may take.
const SECONDS: &str = "120";

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the commands of one page share.
pub struct Console {
    url: String,
    /// Where they are run.
    folder: TempDir,
    /// What stands before the machine's own programs, and what the commands print.
    tools: TempDir,
    /// How the last one ended.
    code: i32,
}

/// How a command went.
pub struct Ran {
    pub code: i32,
    pub lines: Vec<String>,
}

impl Console {
    pub fn new(url: &str) -> Self {
        let folder = TempDir::with_prefix("folio-page-").expect("a folder can be made");
        let tools = TempDir::with_prefix("folio-tools-").expect("a folder can be made");
        let link = |to: &Path, name: &Path| symlink(to, name).expect("a link can be made");
        link(Path::new(env!("CARGO_BIN_EXE_folio")), &tools.path().join("folio"));
        let examples = root().join("examples").canonicalize().expect("there are examples");
        link(&examples, &folder.path().join("examples"));
        let console = Self { url: url.to_owned(), folder, tools, code: 0 };
        console.write_redis_cli();
        console
    }

    /// The machine's redis-cli, told which server is meant. What is printed for the reader is printed as at a terminal.
    fn write_redis_cli(&self) {
        let script = format!(
            "#!/bin/bash\n[ /proc/self/fd/1 -ef '{}' ] && form=--no-raw || form=--raw\n\
             PATH=\"${{PATH#*:}}\" exec redis-cli -u '{}' $form \"$@\"\n",
            self.output().display(),
            self.url,
        );
        let path = self.tools.path().join("redis-cli");
        fs::write(&path, script).expect("a file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }

    fn output(&self) -> PathBuf {
        self.tools.path().join("output")
    }

    /// Runs a command to its end; `$?` is the code of the one before.
    pub fn run(&mut self, command: &str) -> Ran {
        let output = self.output();
        drop(fs::remove_file(&output));
        let opened = OpenOptions::new().create(true).append(true).open(&output);
        let out: File = opened.expect("a file can be made");
        let err = out.try_clone().expect("a file can be had twice");
        let script = format!("(exit {})\n{command}", self.code);
        let python = root().join("target/tools/python");
        let path = env::var("PATH").unwrap_or_default();
        let status = Command::new("timeout")
            .args([SECONDS, "bash", "-c", &script])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", self.tools.path().display()))
            .env("HOME", self.folder.path())
            .env("FOLIO_URL", &self.url)
            .env("PYTHONPATH", python)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NODE_PATH", "/usr/share/nodejs")
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "dumb")
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .status()
            .expect("a shell starts");
        self.code = status.code().unwrap_or(-1);
        let printed = fs::read(&output).expect("the output is ours");
        let text = String::from_utf8_lossy(&printed).into_owned();
        let lines = text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect();
        Ran { code: self.code, lines }
    }
}

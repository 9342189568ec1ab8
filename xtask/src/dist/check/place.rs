//! Where something was installed: this machine, or a container.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Result, paths};

/// How many seconds a command may take.
const COMMAND_SECONDS: &str = "120";
/// How long a server may take until it answers.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// What is put into the server.
const LINES: &str = r#"{"name":"Ada","age":36}
{"name":"Grace","age":45}
{"name":"Alan","age":41}
"#;

/// A place, and how one gets there.
pub struct Place {
    /// What stands before each command.
    way: Vec<String>,
    /// The tool, and the server's own.
    tool: String,
    cli: String,
    port: u16,
}

impl Place {
    /// This machine, with the tool somewhere.
    pub fn of_machine(tool: PathBuf, port: u16) -> Result<Self> {
        let cli = paths::program(&["redis-cli", "valkey-cli"]).ok_or("there is no redis-cli")?;
        let text = |path: PathBuf| path.display().to_string();
        Ok(Self { way: Vec::new(), tool: text(tool), cli: text(cli), port })
    }

    /// A container.
    pub fn of_container(id: &str) -> Self {
        let way = ["docker", "exec", "--interactive", id].map(str::to_owned).into();
        Self { way, tool: "folio".into(), cli: "redis-cli".into(), port: 6379 }
    }

    /// Runs a program with something on its standard input, and gives what it printed.
    pub fn run(&self, program: &str, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = Command::new("timeout");
        command.arg(COMMAND_SECONDS).args(&self.way).arg(program).args(arguments);
        command.env_remove("FOLIO_URL");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        // So short that it fits into the pipe, whether it is read or not.
        let written = child.stdin.take().ok_or("its input is piped")?.write_all(input.as_bytes());
        let output = child.wait_with_output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if !output.status.success() {
            let said = [text(&output.stdout), text(&output.stderr)].concat();
            let line = [&[program][..], arguments].concat().join(" ");
            return Err(format!("{line} failed: {}\n{said}", output.status).into());
        }
        written?;
        Ok(text(&output.stdout))
    }

    fn folio(&self, arguments: &[&str], input: &str) -> Result<String> {
        let url = format!("redis://127.0.0.1:{}", self.port);
        self.run(&self.tool, &[&["--url", url.as_str()][..], arguments].concat(), input)
    }

    fn redis(&self, arguments: &[&str]) -> Result<String> {
        // With the first, an error is an exit code.
        let port = self.port.to_string();
        self.run(&self.cli, &[&["-e", "-p", port.as_str()][..], arguments].concat(), "")
    }

    /// Waits until the server answers.
    pub fn wait_until_ready(&self) -> Result {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            match self.redis(&["PING"]) {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    /// Declares a collection and reads documents into it.
    pub fn fill(&self) -> Result {
        self.redis(&["DOC.CREATE", "people", "FIELD", "age", "int", "INDEX", "SORTED"])?;
        self.folio(&["import", "--collection", "people", "--id", "name", "-"], LINES)?;
        Ok(())
    }

    /// Asks for what [`fill`](Self::fill) has put in.
    pub fn ask(&self) -> Result {
        let version = concat!("folio ", env!("CARGO_PKG_VERSION"));
        expect("folio --version", &self.folio(&["--version"], "")?, &[version])?;
        let find = ["DOC.FIND", "people", "WHERE", "age > 40", "ORDER", "1", "age"];
        expect("DOC.FIND", &self.redis(&find)?, &["Alan", "Grace"])?;
        let query = ["query", "people", "age > 40", "--order", "age", "--json"];
        expect("folio query", &self.folio(&query, "")?, &["Alan", "Grace"])?;
        let export = ["export", "people", "--order", "age"];
        expect("folio export", &self.folio(&export, "")?, &["Ada", "Alan", "Grace"])
    }
}

/// Fails if an answer does not hold these parts in their order.
fn expect(question: &str, answer: &str, parts: &[&str]) -> Result {
    let mut rest = answer;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return Err(format!("{question} lacks {part:?}:\n{answer}").into());
        };
        rest = after;
    }
    Ok(())
}

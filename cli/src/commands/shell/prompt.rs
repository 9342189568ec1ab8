//! The prompt itself: lines are edited, remembered and completed.

use std::path::PathBuf;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use tokio::runtime::Handle;

use crate::outcome::{Failure, Outcome};
use crate::output::note;

use super::complete::Helper;
use super::session::{Flow, Session};

/// Lines that are remembered.
const HISTORY_LINES_MAX: usize = 10_000;

type Lines = Editor<Helper, FileHistory>;

/// Asks until somebody leaves.
pub async fn run(mut session: Session<'_>) -> Result<Outcome, Failure> {
    let server = server(&session).await?;
    note(&format!("{server}\n\\? lists what is understood, tab completes, ctrl-d leaves\n"));
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .auto_add_history(false)
        .history_ignore_space(true)
        .max_history_size(HISTORY_LINES_MAX)
        .map_err(unedited)?
        .build();
    let mut lines: Lines = Editor::with_config(config).map_err(unedited)?;
    let history = history();
    if let Some(path) = &history {
        // There is none the first time.
        let _ = lines.load_history(path);
    }
    loop {
        lines.set_helper(Some(Helper::new(session.db.clone(), Handle::current())));
        let prompt = match session.database {
            Some(number) => format!("folio[{number}]> "),
            None => "folio> ".to_owned(),
        };
        let (read, back) = read(lines, prompt).await?;
        lines = back;
        match read {
            Ok(statement) => {
                if !is_secret(&statement) {
                    let _ = lines.add_history_entry(statement.as_str());
                }
                match session.carry_out(&statement).await {
                    Ok(Flow::GoOn) => {}
                    Ok(Flow::End) => break,
                    Err(failure) => failure.print(session.context.out.is_json()),
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(unedited(error)),
        }
        if let Some(path) = &history
            && let Err(error) = lines.append_history(path)
        {
            note(&format!("folio: the history is not kept: {}: {error}", path.display()));
        }
    }
    Ok(Outcome::Done)
}

/// Reads a line on a thread that may wait.
async fn read(
    mut lines: Lines,
    prompt: String,
) -> Result<(Result<String, ReadlineError>, Lines), Failure> {
    let reading = tokio::task::spawn_blocking(move || (lines.readline(&prompt), lines));
    reading.await.map_err(|error| Failure::Data(error.to_string()))
}

fn unedited(error: ReadlineError) -> Failure {
    match error {
        ReadlineError::Io(error) => Failure::Io(error),
        other => Failure::Data(format!("the terminal: {other}")),
    }
}

/// Whether a line may hold a password.
fn is_secret(statement: &str) -> bool {
    let words: Vec<String> =
        statement.split_whitespace().take(2).map(str::to_ascii_uppercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(
        &words[..],
        ["AUTH" | "HELLO" | "MIGRATE", ..] | ["ACL", "SETUSER"] | ["CONFIG", "SET"]
    )
}

/// Where lines are remembered.
fn history() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir)?.join("folio");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

/// Which server answers, and that it has the module.
async fn server(session: &Session<'_>) -> Result<String, Failure> {
    session.db.check().await?;
    let info: String = session.db.cmd("INFO").arg("server").read().await?;
    let field = |name: &str| {
        info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    };
    let server = match (field("valkey_version"), field("redis_version")) {
        (Some(version), _) => format!("Valkey {version}"),
        (None, Some(version)) => format!("Redis {version}"),
        (None, None) => "a server".to_owned(),
    };
    let version = env!("CARGO_PKG_VERSION");
    Ok(format!("folio {version}, {server} on port {}", field("tcp_port").unwrap_or("?")))
}

//! What a prompt remembers, and how a statement is carried out.

use std::time::Instant;

use folio::Folio;

use crate::ask::question::Question;
use crate::ask::token::Fault;
use crate::ask::{Answer, Parameters, Style, question::Verb, sentence};
use crate::commands::query::{ROWS_DEFAULT, send, summary};
use crate::context::Context;
use crate::outcome::Failure;
use crate::output::{inline, line, note, show, width};

use super::meta;

/// Characters of a statement that are shown on each side of what cannot be read.
const AROUND_CHARS_MAX: usize = 100;

/// Whether there is to be another statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    GoOn,
    End,
}

/// Commands that change what a connection is: this one is shared with everything else that the shell does.
const OF_CONNECTIONS: [&str; 12] = [
    "AUTH",
    "RESET",
    "QUIT",
    "SELECT",
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH",
    "SUBSCRIBE",
    "PSUBSCRIBE",
    "MONITOR",
    "HELLO",
];

/// What is remembered from one statement to the next.
pub struct Session<'c> {
    pub context: &'c Context,
    pub db: Folio,
    pub database: Option<u32>,
    pub style: Style,
    pub shows_time: bool,
    pub parameters: Parameters,
    /// The last question that was asked.
    pub last: Option<Question>,
    /// Where its next page begins.
    pub cursor: Option<String>,
}

impl<'c> Session<'c> {
    pub fn new(context: &'c Context, style: Style, parameters: Parameters) -> Self {
        let (db, shows_time) = (context.db.clone(), !context.options.quiet);
        let (database, last, cursor) = (None, None, None);
        Self { context, db, database, style, shows_time, parameters, last, cursor }
    }

    /// Carries a statement out, and shows what it comes to.
    pub async fn carry_out(&mut self, statement: &str) -> Result<Flow, Failure> {
        let statement = statement.trim().trim_end_matches(';').trim_end();
        if statement.is_empty() || statement.starts_with('#') {
            return Ok(Flow::GoOn);
        }
        if let Some(rest) = statement.strip_prefix('\\') {
            return meta::carry_out(self, rest).await;
        }
        // What people type at any prompt.
        if ["help", "quit", "exit"].contains(&statement.to_ascii_lowercase().as_str()) {
            return meta::carry_out(self, &statement.to_ascii_lowercase()).await;
        }
        let first = statement.split_whitespace().next().unwrap_or_default();
        if Verb::from_word(first).is_some() {
            let question = sentence::read(statement).map_err(|fault| misread(statement, &fault))?;
            self.ask(question).await?;
        } else {
            self.command(statement).await?;
        }
        Ok(Flow::GoOn)
    }

    /// Asks, and shows the rows; not more than a screen or two unless it is said how many.
    pub async fn ask(&mut self, mut question: Question) -> Result<(), Failure> {
        if question.verb == Verb::Find && question.limit.is_none() {
            question.limit = Some(ROWS_DEFAULT);
        }
        let words = question.words(&self.parameters).map_err(|fault| unreadable(&fault))?;
        self.last = Some(question);
        self.cursor = None;
        self.send(&words).await
    }

    /// Shows how the server answers a question.
    pub async fn explain(&mut self, question: &Question, profile: bool) -> Result<(), Failure> {
        let words =
            question.explained(profile, &self.parameters).map_err(|fault| unreadable(&fault))?;
        self.last = Some(question.clone());
        self.send(&words).await
    }

    /// A command of the server, its words quoted as in other shells.
    async fn command(&mut self, statement: &str) -> Result<(), Failure> {
        let words = shlex::split(statement)
            .ok_or_else(|| Failure::Usage("a quote is not closed".to_owned()))?;
        let name = words.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
        if OF_CONNECTIONS.contains(&name.as_str()) {
            return Err(Failure::Usage(format!(
                "{name} changes the connection, which others use too: \\use N selects a database, DOC.TXN writes several documents, `folio watch` follows changes"
            )));
        }
        self.send(&words).await
    }

    async fn send(&mut self, words: &[String]) -> Result<(), Failure> {
        let begun = Instant::now();
        let answer = match send(&self.db, words).await {
            Err(failure) if is_unknown(&failure) && self.db.check().await.is_ok() => {
                let name = &words[0];
                return Err(Failure::Usage(format!(
                    "{name} is no command of the server; \\? lists what is understood"
                )));
            }
            answer => Answer::read(&words[0], answer?),
        };
        let time = begun.elapsed();
        if self.context.out.is_json() {
            line(&answer.to_json())?;
        } else {
            let shown = answer.show(self.style, width());
            if self.style == Style::Json { line(&shown)? } else { show(&shown)? }
        }
        if self.shows_time && !self.context.out.is_json() {
            line(&summary(&answer, time.as_secs_f64() * 1000.0))?;
        }
        self.cursor = answer.cursor().map(str::to_owned);
        if self.cursor.is_some() && !self.context.options.quiet && !self.context.out.is_json() {
            note("there are more: \\next shows them");
        }
        Ok(())
    }
}

/// Whether the server does not know the command.
fn is_unknown(failure: &Failure) -> bool {
    match failure {
        Failure::Server(folio::Error::ModuleMissing) => true,
        Failure::Server(error) => error.to_string().starts_with("ERR unknown command"),
        _ => false,
    }
}

/// A sentence that cannot be read, with a mark below the place.
pub fn misread(statement: &str, fault: &Fault) -> Failure {
    // Of a long one what stands around the place.
    let start = fault.position.saturating_sub(AROUND_CHARS_MAX);
    let before: String = statement.chars().skip(start).take(fault.position - start).collect();
    let behind: String = statement.chars().skip(fault.position).take(AROUND_CHARS_MAX).collect();
    let (before, behind) = (inline(&before), inline(&behind));
    let gap = " ".repeat(console::measure_text_width(&before));
    Failure::Usage(format!("{}\n  {before}{behind}\n  {gap}^", fault.what))
}

fn unreadable(fault: &Fault) -> Failure {
    Failure::Usage(format!("{} at position {} of the filter", fault.what, fault.position))
}

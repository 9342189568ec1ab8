//! Pages of documents, each behind the last row of the one before.

use folio::redis::Value;

use super::Args;
use crate::context::Context;
use crate::outcome::Failure;

/// Documents that are read at once at most.
const PAGE_ROWS_MAX: u64 = 1000;
/// What a page should come to: pages of large documents have fewer of them.
const PAGE_BYTES: u64 = 4 << 20;

/// Some documents.
pub struct Page {
    pub rows: Vec<Row>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<String>,
}

pub struct Row {
    pub key: String,
    /// The document, or of a selection the object of its fields.
    pub text: String,
}

impl Page {
    pub fn bytes(&self) -> u64 {
        self.rows.iter().map(|row| row.text.len() as u64).sum()
    }
}

/// Asks for pages.
pub struct Pages<'a> {
    args: &'a Args,
    context: &'a Context,
    size: u64,
    read: u64,
}

impl<'a> Pages<'a> {
    pub fn new(args: &'a Args, context: &'a Context) -> Self {
        // The first page is small, as nothing is known yet of how large documents are.
        Self { args, context, size: PAGE_ROWS_MAX / 10, read: 0 }
    }

    /// How many documents have been read.
    pub fn written(&self) -> u64 {
        self.read
    }

    /// The first page, or the one behind a cursor.
    pub async fn next(&mut self, cursor: Option<&str>) -> Result<Page, Failure> {
        let left = self.args.limit.map_or(u64::MAX, |limit| limit - self.read);
        let mut page = loop {
            match self.ask(cursor, self.size.min(left)).await {
                // The documents of a page may be too large together.
                Err(Failure::Server(error)) if error.code() == Some("LIMITED") && self.size > 1 => {
                    self.size = (self.size / 4).max(1);
                }
                page => break page?,
            }
        };
        let (rows, bytes) = (page.rows.len() as u64, page.bytes());
        let fitting = (rows * PAGE_BYTES).checked_div(bytes).unwrap_or(PAGE_ROWS_MAX);
        self.size = fitting.clamp(1, PAGE_ROWS_MAX);
        self.read += rows;
        if self.args.limit.is_some_and(|limit| self.read >= limit) {
            page.cursor = None;
        }
        Ok(page)
    }

    async fn ask(&self, cursor: Option<&str>, count: u64) -> Result<Page, Failure> {
        let args = self.args;
        let mut command = self.context.db.cmd("DOC.FIND").arg(&args.collection);
        if let Some(filter) = &args.filter {
            command = command.arg(("WHERE", filter));
        }
        if !args.params.is_empty() {
            command = command.arg("PARAMS").arg(args.params.len());
            for (name, value) in &args.params {
                command = command.arg((name, value));
            }
        }
        if let Some(path) = &args.order {
            command = command.arg(("ORDER", 1, path));
            command = command.arg(if args.desc { "DESC" } else { "ASC" });
        }
        command = command.arg(("LIMIT", 0, count));
        if let Some(cursor) = cursor {
            command = command.arg(("AFTER", cursor));
        }
        if !args.select.is_empty() {
            command = command.arg("SELECT").arg(args.select.len());
            for path in &args.select {
                command = command.arg(path);
            }
        }
        // An export is there to read everything.
        command = command.arg("SCAN");
        if args.with_deleted {
            command = command.arg("WITHDELETED");
        }
        read(command.read_value().await?)
    }
}

/// The answer of `DOC.FIND`, over either protocol.
fn read(answer: Value) -> Result<Page, Failure> {
    let entries = match answer {
        Value::Map(entries) => entries,
        Value::Array(flat) => {
            let mut entries = Vec::new();
            let mut flat = flat.into_iter();
            while let (Some(name), Some(value)) = (flat.next(), flat.next()) {
                entries.push((name, value));
            }
            entries
        }
        _ => return Err(unknown()),
    };
    let mut page = Page { rows: Vec::new(), cursor: None };
    for (name, value) in entries {
        match (text(name)?.as_str(), value) {
            ("results", Value::Array(rows)) => {
                page.rows = rows.into_iter().map(row).collect::<Result<_, _>>()?;
            }
            ("cursor", value) => page.cursor = Some(text(value)?),
            _ => {}
        }
    }
    Ok(page)
}

fn row(row: Value) -> Result<Row, Failure> {
    let Value::Array(cells) = row else { return Err(unknown()) };
    match <[Value; 2]>::try_from(cells) {
        Ok([key, document]) => Ok(Row { key: text(key)?, text: text(document)? }),
        Err(_) => Err(unknown()),
    }
}

fn text(value: Value) -> Result<String, Failure> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|error| {
            let told = String::from_utf8_lossy(error.as_bytes()).into_owned();
            Failure::Data(format!("the key '{told}' is no UTF-8, and cannot be written as JSON"))
        }),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Ok(text),
        _ => Err(unknown()),
    }
}

fn unknown() -> Failure {
    folio::Error::Reply("DOC.FIND answers in a form that is not known".into()).into()
}

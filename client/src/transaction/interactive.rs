//! A transaction that reads before it writes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redis::Value;

use super::part::{Action, Before, Part};
use super::{Done, send};
use crate::command::{Command, Repeat};
use crate::executor::sealed::Sealed;
use crate::{Error, Executor, Folio, Reply, Result};

use std::borrow::Cow;

/// Reads and writes that come true together; [`Folio::begin`] begins one.
///
/// It stands where `&db` does in every call that takes an executor.
///
/// - **Writes** are kept here until [`commit`](Transaction::commit) sends them as one command. Until then nobody sees
///   them, and nothing is held on the server: a transaction that is dropped has done nothing. An answer that would be a
///   version is 0 before, and a document that was put can be put again with it; whether a document that is to be changed is there is told by the commit.
/// - **Reads by key** see what is committed, or the whole document that this transaction has put. A document that it has
///   changed otherwise cannot be read in it: [`Error::Usage`].
/// - **Guards**: the commit is refused with [`Error::VersionConflict`], and nothing is done, if a document that was
///   read by its key, or came with its version in a search, has changed since. Begin anew then.
/// - **Searches** see what is committed, none of its own writes, and are no guard against documents that come to fit
///   later (phantoms).
///
/// What answers with documents that it changes (`RETURN`, `DOC.CLAIM`), what changes those that a filter finds, and soft
/// deletes have no place in it: [`Error::Usage`].
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// use folio::untyped::Write;
///
/// let tx = db.begin().await?;
/// let stock: Option<serde_json::Value> = tx.get("stock:7").await?;
/// let left = stock.and_then(|it| it["qty"].as_i64()).unwrap_or(0);
/// if left > 0 {
///     tx.write(Write::update("stock:7").change(("SET", "qty", left - 1))).await?;
///     tx.write(Write::insert("orders:9", &serde_json::json!({"item": 7}))?).await?;
/// }
/// tx.commit().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a transaction that is dropped has done nothing"]
pub struct Transaction {
    db: Folio,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The versions of what was read; 0 where there was nothing.
    guards: BTreeMap<String, u64>,
    parts: Vec<Part>,
    own: HashMap<String, Own>,
}

/// What the transaction has made of a document.
#[derive(Debug, Clone)]
enum Own {
    Text(String),
    Gone,
    /// Only the server can tell.
    Changed,
}

impl Folio {
    /// Begins a transaction. Nothing is sent by it.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let tx = db.begin().await?;
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::unused_async, reason = "another server may have to be told")]
    pub async fn begin(&self) -> Result<Transaction> {
        Ok(Transaction { db: self.on_primary(), state: Mutex::default() })
    }
}

impl Transaction {
    /// Does all of its writes, or none, if nothing that it has read has changed since. The answer has what each write
    /// has done, in order.
    ///
    /// One that has only read asks whether all of it still stands.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let tx = db.begin().await?;
    /// let ada: Option<serde_json::Value> = tx.get("users:ada").await?;
    /// let done = tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn commit(self) -> Result<Vec<Done>> {
        let State { guards, parts: writes, .. } =
            self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut parts = Vec::with_capacity(guards.len() + writes.len());
        for (key, version) in &guards {
            parts.push(Part::check(key, *version)?);
        }
        parts.extend(writes);
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        send(&self.db, &parts).await
    }

    /// Gives it up. Dropping it does the same.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let tx = db.begin().await?;
    /// tx.rollback();
    /// # Ok(())
    /// # }
    /// ```
    pub fn rollback(self) {}

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the commit depend on the version that the document has now, unless it does already. To be called before the
    /// document is read: should it change in between, the commit is refused.
    async fn guard(&self, key: &str) -> Result<u64> {
        if let Some(version) = self.state().guards.get(key) {
            return Ok(*version);
        }
        let meta = self.db.execute(Command::read("DOC.META").key(key)).await?;
        let version = version_of(meta)?;
        Ok(*self.state().guards.entry(key.into()).or_insert(version))
    }

    /// A read of documents by their keys. Those that the transaction has put are answered here.
    async fn read(&self, command: Command) -> Result<Reply> {
        let keys: Vec<String> = keys(&command)?;
        let is_whole = command.args().skip(keys.len()).all(|word| word == b"WITHVERSION");
        for key in &keys {
            let own = self.state().own.get(key).cloned();
            match own {
                None => {}
                Some(own) if is_whole && keys.len() == 1 => return own.answer(&command, key),
                Some(_) => return Err(changed(key)),
            }
        }
        if is_whole && has_versions(&command) {
            return self.read_versions(command, &keys).await;
        }
        for key in &keys {
            self.guard(key).await?;
        }
        self.db.execute(command).await
    }

    /// Reads documents whose answers carry the versions that guard them.
    async fn read_versions(&self, command: Command, keys: &[String]) -> Result<Reply> {
        let is_one = command.name() == "DOC.GET";
        let answer = self.db.execute(command).await?;
        let found = if is_one { vec![answer.clone()] } else { answer.clone().list()? };
        for (key, found) in keys.iter().zip(found) {
            let version = found.versioned()?.map_or(0, |(_, version)| version);
            self.state().guards.entry(key.clone()).or_insert(version);
        }
        Ok(answer)
    }

    /// A search. The versions of its rows, where it asks for them, are guards.
    async fn search(&self, command: Command) -> Result<Reply> {
        let has_versions = has_versions(&command);
        let answer = self.db.execute(command).await?;
        if has_versions {
            let found = answer.clone().rows()?;
            let mut state = self.state();
            for row in found.rows {
                if let Some(version) = row.version {
                    state.guards.entry(row.key).or_insert(version);
                }
            }
        }
        Ok(answer)
    }

    /// Keeps a write, and answers what can be answered before it is done.
    async fn keep(&self, command: &Command) -> Result<Reply> {
        let parts = {
            let state = self.state();
            Part::among(command, |key| match state.own.get(key) {
                None => Before::Untouched,
                Some(Own::Gone) => Before::Removed,
                Some(Own::Text(_) | Own::Changed) => Before::Written,
            })?
        };
        let mut answer = Value::Int(0);
        for part in parts {
            match &part.action {
                Action::Put(text) => self.own(&part, Own::Text(text.clone())),
                Action::Update | Action::Call => self.own(&part, Own::Changed),
                Action::Delete => {
                    let own = self.state().own.get(&part.key).cloned();
                    let was_there = match own {
                        None => self.guard(&part.key).await? > 0,
                        Some(own) => !matches!(own, Own::Gone),
                    };
                    answer = Value::Int(i64::from(was_there));
                    self.own(&part, Own::Gone);
                }
                Action::Check => {}
            }
            self.state().parts.push(part);
        }
        Ok(Reply::new(answer))
    }

    fn own(&self, part: &Part, own: Own) {
        self.state().own.insert(part.key.clone(), own);
    }
}

impl Own {
    /// The answer to a read of the whole document, or of its version, which is still to be given.
    fn answer(self, command: &Command, key: &str) -> Result<Reply> {
        let answer = match (self, command.name()) {
            (Own::Text(text), "DOC.GET") if has_versions(command) => {
                Value::Array(vec![Value::BulkString(text.into_bytes()), Value::Int(0)])
            }
            (Own::Text(text), "DOC.GET") => Value::BulkString(text.into_bytes()),
            (Own::Text(_), "DOC.META") => {
                let name = Value::SimpleString("version".into());
                Value::Map(vec![(name, Value::Int(0))])
            }
            (Own::Gone, "DOC.GET" | "DOC.META") => Value::Nil,
            _ => return Err(changed(key)),
        };
        Ok(Reply::new(answer))
    }
}

fn changed(key: &str) -> Error {
    let what =
        format!("{key} was changed in this transaction, and is read again when it is committed");
    Error::Usage(what.into())
}

fn has_versions(command: &Command) -> bool {
    command.args().any(|word| word.eq_ignore_ascii_case(b"WITHVERSION"))
}

fn keys(command: &Command) -> Result<Vec<String>> {
    let text = |key: &[u8]| {
        let wrong = |_| Error::Usage("a key that is no UTF-8 has no place in a transaction".into());
        String::from_utf8(key.to_vec()).map_err(wrong)
    };
    command.keys().map(text).collect()
}

/// The version in an answer of `DOC.META`; 0 where there is no document.
fn version_of(meta: Reply) -> Result<u64> {
    if meta.is_nil() {
        return Ok(0);
    }
    for (name, value) in meta.entries()? {
        if name == "version" {
            return value.to();
        }
    }
    Err(Error::Reply("DOC.META without a version".into()))
}

impl Sealed for Transaction {}

impl Executor for Transaction {
    async fn execute(&self, command: Command) -> Result<Reply> {
        match command.name() {
            "DOC.GET" | "DOC.MGET" | "DOC.META" => self.read(command).await,
            "DOC.FIND" => self.search(command).await,
            _ if command.repeats() == Repeat::Read => self.db.execute(command).await,
            _ => self.keep(&command).await,
        }
    }

    async fn execute_all(&self, commands: Vec<Command>) -> Result<Vec<Result<Reply>>> {
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands {
            answers.push(self.execute(command).await);
        }
        Ok(answers)
    }

    fn is_deferred(&self) -> bool {
        true
    }

    fn named<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.db.named(name)
    }
}

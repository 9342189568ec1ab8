//! Writes of single documents as parts of something greater.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Argument;
use crate::command::Command;
use crate::{Arguments, Error, Executor, Operation, Result, Transaction, reply};

/// A write of one document, not yet sent: for [`Folio::atomic`](crate::Folio::atomic) and [`Transaction::write`].
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// use folio::untyped::Write;
///
/// let ada = serde_json::json!({"name": "Ada"});
/// db.atomic((Write::insert("users:ada", &ada)?, Write::delete("guests:ada"))).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a write does nothing until it is sent"]
pub struct Write {
    key: String,
    build: fn(&str) -> Command,
    arguments: Vec<Vec<u8>>,
    condition: Vec<Vec<u8>>,
}

impl Write {
    fn new(key: &str, build: fn(&str) -> Command) -> Self {
        Self { key: key.into(), build, arguments: Vec::new(), condition: Vec::new() }
    }

    /// Puts a whole document.
    ///
    /// ```
    /// use folio::untyped::Write;
    ///
    /// let write = Write::set("users:ada", &serde_json::json!({"age": 36}))?;
    /// # Ok::<(), folio::Error>(())
    /// ```
    pub fn set<T: Serialize + ?Sized>(key: &str, document: &T) -> Result<Self> {
        let mut write = Self::new(key, |key| Command::write("DOC.SET").key(key));
        write.arguments.push(serde_json::to_vec(document).map_err(Error::Encode)?);
        Ok(write)
    }

    /// Puts a whole document where none is, else [`Error::AlreadyExists`].
    ///
    /// ```
    /// use folio::untyped::Write;
    ///
    /// let write = Write::insert("users:ada", &serde_json::json!({"age": 36}))?;
    /// # Ok::<(), folio::Error>(())
    /// ```
    pub fn insert<T: Serialize + ?Sized>(key: &str, document: &T) -> Result<Self> {
        let mut write = Self::set(key, document)?;
        write.arguments.push(b"NX".to_vec());
        Ok(write)
    }

    /// Changes a document that is there, else [`Error::NotFound`], by what [`change`](Write::change) adds.
    ///
    /// ```
    /// let write = folio::untyped::Write::update("users:ada").change(("INCR", "age", 1));
    /// ```
    pub fn update(key: &str) -> Self {
        Self::new(key, |key| Command::write("DOC.UPDATE").key(key))
    }

    /// The same; a document that is not there begins as an empty one.
    ///
    /// ```
    /// let write = folio::untyped::Write::upsert("users:ada").change(("INCR", "visits", 1));
    /// ```
    pub fn upsert(key: &str) -> Self {
        Self::new(key, |key| Command::write("DOC.UPDATE").key(key).arg("UPSERT"))
    }

    /// Calls a function on the server with a document that is there, else [`Error::NotFound`], and these arguments: a
    /// tuple, `()` or a list. Its reply is [`Done::Replied`](crate::Done::Replied).
    ///
    /// ```
    /// let write = folio::untyped::Write::call("stock:7", "stock.take", (2,))?;
    /// # Ok::<(), folio::Error>(())
    /// ```
    pub fn call(key: &str, function: &str, arguments: impl Arguments) -> Result<Self> {
        let mut write = Self::new(key, |key| Command::write("DOC.CALL").key(key));
        write.arguments.push(function.into());
        write.arguments.extend(arguments.texts()?.into_iter().map(String::into_bytes));
        Ok(write)
    }

    /// Removes a document, if there is one.
    ///
    /// ```
    /// let write = folio::untyped::Write::delete("users:ada");
    /// ```
    pub fn delete(key: &str) -> Self {
        Self::new(key, |key| Command::write("DOC.DEL").key(key))
    }

    /// Adds an operation of an update, as `DOC.UPDATE` takes them; values are JSON.
    ///
    /// ```
    /// use folio::untyped::Write;
    ///
    /// let write = Write::update("jobs:1").change(("SET", "state", "\"done\"")).change(("NOW", "at"));
    /// ```
    pub fn change(mut self, operation: impl Argument) -> Self {
        push(&mut self.arguments, operation);
        self
    }

    /// Only if the document has this version, else [`Error::VersionConflict`]; 0: if there is none.
    ///
    /// ```
    /// let write = folio::untyped::Write::delete("users:ada").if_version(7);
    /// ```
    pub fn if_version(mut self, version: u64) -> Self {
        push(&mut self.condition, ("IFVERSION", version));
        self
    }

    /// Only if this filter holds of the document that is there.
    ///
    /// ```
    /// let write = folio::untyped::Write::delete("users:ada").when("age > 30");
    /// ```
    pub fn when(mut self, filter: &str) -> Self {
        push(&mut self.condition, ("IF", filter));
        self
    }
}

fn push(words: &mut Vec<Vec<u8>>, argument: impl Argument) {
    let mut command = redis::cmd("");
    argument.add_to(&mut command);
    words.extend(command.args_iter().skip(1).map(|word| match word {
        redis::Arg::Simple(word) => word.to_vec(),
        _ => Vec::new(),
    }));
}

impl Operation for Write {
    fn command<E: Executor>(self, on: &E) -> Result<Command> {
        let mut command = (self.build)(&on.named(&self.key));
        // Behind the conditions stands a function with its arguments, and all else in front of them.
        let (first, last) = match command.name() {
            "DOC.CALL" => (&self.condition, &self.arguments),
            _ => (&self.arguments, &self.condition),
        };
        for word in first.iter().chain(last) {
            command.push(word.as_slice());
        }
        Ok(command)
    }
}

impl Transaction {
    /// Reads a document; `None` if there is none. Its version guards the commit.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let tx = db.begin().await?;
    /// let ada: Option<serde_json::Value> = tx.get("users:ada").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let key = self.named(key);
        let text = self.execute(Command::read("DOC.GET").key(&key)).await?.bytes()?;
        text.map(|text| reply::document(&key, &text)).transpose()
    }

    /// Keeps a write until the commit.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let tx = db.begin().await?;
    /// tx.write(folio::untyped::Write::delete("users:ada")).await?;
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn write(&self, write: Write) -> Result<()> {
        let command = write.command(self)?;
        self.execute(command).await.map(drop)
    }
}

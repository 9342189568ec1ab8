//! Documents by their keys.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Definition;
use crate::ops::{call_command, replied};
use crate::{Arguments, Command, Error, Executor, Folio, Reply, Result, reply};

/// How many documents [`Folio::set_many`] has under way at once: enough to hide the way to the
/// server, few enough to keep both ends' buffers small.
const SET_MANY_CHUNK: usize = 500;

impl Folio {
    /// Declares a collection. The identical definition again is no error.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// use folio::untyped::{Definition, Field, Index};
    ///
    /// db.create(&Definition::new("users").field(Field::new("age", "int").index(Index::Sorted)))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(&self, definition: &Definition) -> Result<()> {
        self.cmd("DOC.CREATE").arg(definition.arguments_for(self)).query().await
    }

    /// Writes a whole document and gives its version.
    ///
    /// The same text again changes nothing and keeps the version. An earlier TTL is dropped, as
    /// `SET` does; the collection's own applies, if it has one.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let version = db.set("users:ada", &serde_json::json!({"age": 36})).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set<T: Serialize + ?Sized>(&self, key: &str, document: &T) -> Result<u64> {
        let text = serde_json::to_vec(document).map_err(Error::Encode)?;
        self.cmd("DOC.SET").key(&self.named(key)).arg(text).query().await
    }

    /// Creates a document under an id that the server makes, and gives the id: the key without the
    /// collection's prefix.
    ///
    /// The collection decides how ids are made: [`Definition::ids`]. It need not be declared.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let id = db.insert("users", &serde_json::json!({"name": "Ada"})).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn insert<T: Serialize + ?Sized>(
        &self,
        collection: &str,
        document: &T,
    ) -> Result<String> {
        let text = serde_json::to_vec(document).map_err(Error::Encode)?;
        self.cmd("DOC.INSERT").arg(&*self.named(collection)).arg(text).query().await
    }

    /// Creates a document under this id. Where one stands already, that is an error of the code `EXISTS`.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// db.insert_as("users", "ada", &serde_json::json!({"name": "Ada"})).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn insert_as<T: Serialize + ?Sized>(
        &self,
        collection: &str,
        id: &str,
        document: &T,
    ) -> Result<()> {
        let text = serde_json::to_vec(document).map_err(Error::Encode)?;
        let _: String = self
            .cmd("DOC.INSERT")
            .arg(&*self.named(collection))
            .arg(text)
            .arg(("ID", id))
            .query()
            .await?;
        Ok(())
    }

    /// Writes many documents in the order given, 500 under way at a time.
    ///
    /// Each document stands for itself: the answer holds, in order, its version or why it was
    /// refused. An error of the whole call is one of the connection, or a value that is no JSON;
    /// then documents that stand before it may have been written.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let people = [("users:ada", 36), ("users:grace", 85)];
    /// let people = people.map(|(key, age)| (key, serde_json::json!({"age": age})));
    /// for outcome in db.set_many(&people).await? {
    ///     println!("version {}", outcome?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_many<K: AsRef<str>, T: Serialize>(
        &self,
        documents: &[(K, T)],
    ) -> Result<Vec<Result<u64>>> {
        let mut outcomes = Vec::with_capacity(documents.len());
        for chunk in documents.chunks(SET_MANY_CHUNK) {
            let mut commands = Vec::with_capacity(chunk.len());
            for (key, document) in chunk {
                let text = serde_json::to_vec(document).map_err(Error::Encode)?;
                let key = self.named(key.as_ref());
                commands.push(Command::write("DOC.SET").key(&key).arg(text));
            }
            let replies = self.execute_all(commands).await?;
            outcomes.extend(replies.into_iter().map(|reply| reply?.to()));
        }
        Ok(outcomes)
    }

    /// Reads a document; `None` if there is none.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// #[derive(serde::Deserialize)]
    /// struct User {
    ///     age: u32,
    /// }
    /// let ada: Option<User> = db.get("users:ada").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let text =
            Reply::new(self.cmd("DOC.GET").key(&self.named(key)).read_value().await?).bytes()?;
        text.map(|text| reply::document(key, &text)).transpose()
    }

    /// Reads a document, marked as deleted or not; `None` if there is none.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// db.delete_soft("users:ada").await?;
    /// let ada: Option<serde_json::Value> = db.get_with_deleted("users:ada").await?;
    /// assert!(ada.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_with_deleted<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let call = self.cmd("DOC.GET").key(&self.named(key)).arg("WITHDELETED");
        let text = Reply::new(call.read_value().await?).bytes()?;
        text.map(|text| reply::document(key, &text)).transpose()
    }

    /// Marks a document as deleted; `false` if there was none.
    ///
    /// It is absent from here on to all but [`Folio::get_with_deleted`] and queries
    /// `with_deleted()`, and its unique values are free, until [`Folio::undelete`] brings it back.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let was_there = db.delete_soft("users:ada").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_soft(&self, key: &str) -> Result<bool> {
        let marked: u64 = self.cmd("DOC.DEL").key(&self.named(key)).arg("SOFT").query().await?;
        Ok(marked > 0)
    }

    /// Marks a document as deleted, and has the server remove it for good after some time, to the
    /// millisecond; `false` if there was none.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let thirty_days = std::time::Duration::from_secs(30 * 86_400);
    /// let was_there = db.delete_soft_for("users:ada", thirty_days).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_soft_for(&self, key: &str, time: Duration) -> Result<bool> {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let command = self.cmd("DOC.DEL").key(&self.named(key)).arg(("SOFT", "PX", milliseconds));
        let marked: u64 = command.query().await?;
        Ok(marked > 0)
    }

    /// Brings a document back that was marked as deleted, without a TTL; `false` if there was none.
    ///
    /// Fails with the server's `UNIQUE` if another document holds one of its values by now.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let is_back = db.undelete("users:ada").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn undelete(&self, key: &str) -> Result<bool> {
        let brought: u64 = self.cmd("DOC.UNDELETE").key(&self.named(key)).query().await?;
        Ok(brought > 0)
    }

    /// Calls a function on the server with a document and these arguments, a tuple, `()` or a list, and gives what it has
    /// replied: its second result. Where that is nothing, an `Option` is `None`.
    ///
    /// What the function gives first is merged into the document (RFC 7396). Fails with [`Error::NotFound`] if there is
    /// no document.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let left: u64 = db.call("stock:7", "stock.take", (2,)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn call<R: DeserializeOwned>(
        &self,
        key: &str,
        function: &str,
        arguments: impl Arguments,
    ) -> Result<R> {
        let command = call_command(&self.named(key), None, function, &arguments.texts()?);
        replied(key, self.execute(command).await?)
    }

    /// Removes a document; `false` if there was none.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let was_there = db.delete("users:ada").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, key: &str) -> Result<bool> {
        let removed: u64 = self.cmd("DOC.DEL").key(&self.named(key)).query().await?;
        Ok(removed > 0)
    }
}

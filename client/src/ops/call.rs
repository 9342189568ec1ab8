//! Calling a function on one document.

use std::marker::PhantomData;

use redis::Value;
use serde::de::DeserializeOwned;

use super::place::{Place, explained};
use crate::command::Repeat;
use crate::{Arguments, Command, Document, Error, Executor, Operation, Reply, Result, reply};

/// A call of a function on the server with one document, not yet carried out; [`Get::call`](super::Get::call) begins it.
///
/// The function sees the document as it is when the call is carried out, and what it gives is merged into it (RFC 7396),
/// all in one step.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::Article;
/// # async fn example(db: folio::Folio, id: folio::Id<Article>) -> folio::Result<()> {
/// let left: u32 = Article::get(id).call("stock.take", (2,)).reply(&db).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing until it is run"]
pub struct FunctionCall<T> {
    id: String,
    function: String,
    arguments: Result<Vec<String>>,
    version: Option<u64>,
    model: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for FunctionCall<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FunctionCall")
            .field("id", &self.id)
            .field("function", &self.function)
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}

impl<T: Document> FunctionCall<T> {
    pub(crate) fn new(id: String, function: &str, arguments: &impl Arguments) -> Self {
        let (function, arguments) = (function.into(), arguments.texts());
        Self { id, function, arguments, version: None, model: PhantomData }
    }

    /// Only if the document has this version; else [`Error::VersionConflict`].
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, user: User) -> folio::Result<()> {
    /// let birthday = User::get(&user.id).call("birthday", ()).if_version(user.version);
    /// birthday.run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn if_version(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Carries it out, and gives the document's version; `None` where the function has replied something, which
    /// [`reply`](FunctionCall::reply) gives. Fails with [`Error::NotFound`] if there is no document.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// User::get(id).call("birthday", ()).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self, db: &impl Executor) -> Result<Option<u64>> {
        match self.answer(db).await?.into_value() {
            Value::Int(version) => Ok(u64::try_from(version).ok()),
            _ => Ok(None),
        }
    }

    /// Carries it out, and gives what the function has replied: its second result. Where that is nothing, an `Option` is
    /// `None`. Fails with [`Error::NotFound`] if there is no document, and with [`Error::Decode`] where the reply is no
    /// `R`; the call stands then.
    ///
    /// A transaction carries out nothing before it is committed, so that `reply` is [`Error::Usage`] in it: the commit
    /// gives it, as [`Done::Replied`](crate::Done::Replied).
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Article;
    /// # async fn example(db: folio::Folio, id: folio::Id<Article>) -> folio::Result<()> {
    /// let left: Option<u32> = Article::get(id).call("stock.take", (2,)).reply(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn reply<R: DeserializeOwned>(self, db: &impl Executor) -> Result<R> {
        if db.is_deferred() {
            let what = "what a function replies in a transaction is told when that is committed";
            return Err(Error::Usage(what.into()));
        }
        let key = Place::of::<T>(db).key(&self.id);
        replied(&key, self.answer(db).await?)
    }

    async fn answer(self, db: &impl Executor) -> Result<Reply> {
        let answer = db.execute(Operation::command(self, db)?).await;
        answer.map_err(|error| explained::<T>(error, None))
    }
}

impl<T: Document> Operation for FunctionCall<T> {
    fn command<E: Executor>(self, on: &E) -> Result<Command> {
        let key = Place::of::<T>(on).key(&self.id);
        Ok(command(&key, self.version, &self.function, &self.arguments?))
    }
}

/// The command that calls a function with JSON texts.
pub(crate) fn command(
    key: &str,
    version: Option<u64>,
    function: &str,
    arguments: &[String],
) -> Command {
    let mut command = Command::write("DOC.CALL").key(key);
    if let Some(version) = version {
        command = command.arg(("IFVERSION", version)).repeat(Repeat::Guarded);
    }
    command.push(function);
    for argument in arguments {
        command.push(argument.as_str());
    }
    command
}

/// What a function has replied. The answer is a version where it is nothing, which reads as null does.
pub(crate) fn replied<R: DeserializeOwned>(key: &str, answer: Reply) -> Result<R> {
    match answer.into_value() {
        Value::Int(_) => reply::document(key, b"null"),
        text => reply::document(key, &Reply::new(text).bytes()?.unwrap_or_default()),
    }
}

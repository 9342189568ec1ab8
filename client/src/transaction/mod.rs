//! Several documents at once: [`Folio::atomic`] in one command, [`Folio::begin`] with reads in between.
//!
//! Both come to one `DOC.TXN`. Nothing is held on the server meanwhile, so there is nothing to roll back.

mod interactive;
mod part;
pub(crate) mod text;

use redis::Value;
use serde::de::DeserializeOwned;

use crate::command::{Command, Repeat};
use crate::{Error, Executor, Folio, Reply, Result, reply};

pub use interactive::Transaction;
use part::Action;
pub(crate) use part::Part;

/// A write of one document that can be part of [`Folio::atomic`].
///
/// What the typed calls of a document make is one, and so is an [`untyped::Write`](crate::untyped::Write).
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// use folio::untyped::Write;
///
/// let sell = Write::update("stock:7").when("qty >= 2").change(("INCR", "qty", -2));
/// let order = Write::insert("orders:1", &serde_json::json!({"item": 7, "qty": 2}))?;
/// db.atomic((sell, order)).await?;
/// # Ok(())
/// # }
/// ```
pub trait Operation {
    /// The command that would do it alone.
    #[doc(hidden)]
    fn command<E: Executor>(self, on: &E) -> Result<Command>;
}

/// Several [`Operation`]s: a tuple of up to eight, or a list.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// use folio::untyped::Write;
///
/// let sold = ["stock:7", "stock:8"].map(|key| Write::update(key).change(("INCR", "qty", -1)));
/// db.atomic(Vec::from(sold)).await?;
/// # Ok(())
/// # }
/// ```
pub trait Operations {
    /// The commands that would do them one by one.
    #[doc(hidden)]
    fn commands<E: Executor>(self, on: &E) -> Result<Vec<Command>>;
}

impl<O: Operation> Operations for Vec<O> {
    fn commands<E: Executor>(self, on: &E) -> Result<Vec<Command>> {
        self.into_iter().map(|operation| operation.command(on)).collect()
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: Operation),+> Operations for ($($name,)+) {
            #[expect(non_snake_case, reason = "a variable for each type")]
            fn commands<E: Executor>(self, on: &E) -> Result<Vec<Command>> {
                let ($($name,)+) = self;
                Ok(vec![$($name.command(on)?),+])
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D F);
tuples!(A B C D F G);
tuples!(A B C D F G H);
tuples!(A B C D F G H I);

/// What an operation of a transaction has done.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// use folio::{Done, untyped::Write};
///
/// let done = db.atomic((Write::delete("users:1"), Write::delete("users:2"))).await?;
/// println!("{} were there", done.iter().filter(|it| **it == Done::Removed(true)).count());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Done {
    /// The document has this version now.
    Written(u64),
    /// Whether there was a document to remove.
    Removed(bool),
    /// What a function has replied, as JSON; where it has replied nothing the document is [`Written`](Done::Written).
    Replied(Box<str>),
}

impl Done {
    /// What a function has replied; `None` if nothing, or if none was called.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// use folio::untyped::Write;
    ///
    /// let done = db.atomic(vec![Write::call("stock:7", "stock.take", (2,))?]).await?;
    /// let left: Option<u64> = done[0].reply()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reply<R: DeserializeOwned>(&self) -> Result<Option<R>> {
        match self {
            Self::Replied(json) => reply::document("a reply", json.as_bytes()).map(Some),
            Self::Written(_) | Self::Removed(_) => Ok(None),
        }
    }
}

impl Folio {
    /// Does all of these writes or none of them, in one command.
    ///
    /// Conditions are asked of what stood there before; unique values are judged as all documents
    /// will stand. Where a condition does not hold, that is an error of the code `CHECK`. The
    /// answer has what each operation has done, in order.
    ///
    /// It is sent again after a broken connection only if nothing in it could then be done twice:
    /// if each write is an insertion or expects a version.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// use folio::untyped::Write;
    ///
    /// let from = Write::update("accounts:1").when("balance >= 10").change(("INCR", "balance", -10));
    /// let to = Write::update("accounts:2").change(("INCR", "balance", 10));
    /// db.atomic((from, to)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn atomic(&self, operations: impl Operations) -> Result<Vec<Done>> {
        let commands = operations.commands(self)?;
        let mut parts = Vec::with_capacity(commands.len());
        for command in &commands {
            parts.extend(Part::of(command)?);
        }
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        send(self, &parts).await
    }
}

/// Sends the operations, of which there is one at least.
pub(crate) async fn send(on: &Folio, parts: &[Part]) -> Result<Vec<Done>> {
    let answers = on.execute(command(parts)).await?.list()?;
    if answers.len() != parts.len() {
        return Err(Error::Reply("not as many answers as operations".into()));
    }
    let mut done = Vec::with_capacity(parts.len());
    for (answer, part) in answers.into_iter().zip(parts) {
        done.extend(outcome(answer, &part.action)?);
    }
    Ok(done)
}

fn outcome(answer: Reply, action: &Action) -> Result<Option<Done>> {
    Ok(match action {
        Action::Check => None,
        Action::Delete => Some(Done::Removed(answer.to::<u64>()? > 0)),
        Action::Call => Some(called(answer)?),
        Action::Put(_) | Action::Update => Some(Done::Written(answer.to()?)),
    })
}

/// A version, or what the function has replied.
fn called(answer: Reply) -> Result<Done> {
    match answer.into_value() {
        version @ Value::Int(_) => Reply::new(version).to().map(Done::Written),
        text => Ok(Done::Replied(Reply::new(text).to::<String>()?.into())),
    }
}

fn command(parts: &[Part]) -> Command {
    let mut command = Command::new("DOC.TXN", repeat(parts));
    let mut keys: Vec<&str> = parts.iter().map(|part| part.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        command.push_key(key);
    }
    let operations: Vec<&str> = parts.iter().map(|part| part.json.as_str()).collect();
    command.arg(format!("[{}]", operations.join(",")))
}

/// Whether a second sending does nothing once the first was carried out.
///
/// What is inserted is there then, and a version has gone on unless the write came to the same text: each write that is
/// checked so either refuses the whole or does nothing again. All have to be: somebody else may have removed meanwhile
/// what one of them has inserted, and a write beside it would be done twice.
fn repeat(parts: &[Part]) -> Repeat {
    let checked = |part: &Part| {
        let mut checks = parts.iter().filter(|check| check.action == Action::Check);
        part.is_guarded || checks.any(|check| check.is_guarded && check.key == part.key)
    };
    if parts.iter().all(|part| part.action == Action::Check) {
        Repeat::Read
    } else if parts.iter().filter(|part| part.action != Action::Check).all(checked) {
        Repeat::Guarded
    } else {
        Repeat::Never
    }
}

#[cfg(test)]
mod tests {
    use super::part::Before;
    use super::*;

    fn parts(commands: &[Command]) -> Vec<Part> {
        commands.iter().flat_map(|command| Part::of(command).unwrap()).collect()
    }

    fn set(key: &str) -> Command {
        Command::write("DOC.SET").key(key).arg("{}")
    }

    #[test]
    fn only_what_cannot_be_done_twice_is_sent_again() {
        let insert = |key| set(key).arg("NX");
        let delete = |key| Command::write("DOC.DEL").key(key);
        let guarded = |key| set(key).arg(("IFVERSION", 3));
        let check = |key| Part::check(key, 3).unwrap();
        assert_eq!(repeat(&parts(&[set("a"), insert("b")])), Repeat::Never);
        assert_eq!(repeat(&parts(&[insert("a"), insert("b")])), Repeat::Guarded);
        assert_eq!(repeat(&parts(&[insert("a"), guarded("b")])), Repeat::Guarded);
        assert_eq!(repeat(&parts(&[insert("b"), delete("b")])), Repeat::Never);
        assert_eq!(repeat(&parts(&[guarded("a"), guarded("b")])), Repeat::Guarded);
        assert_eq!(repeat(&parts(&[guarded("a"), set("b")])), Repeat::Never);
        assert_eq!(repeat(&[vec![check("a")], parts(&[set("a")])].concat()), Repeat::Guarded);
        assert_eq!(repeat(&[vec![check("a")], parts(&[set("b")])].concat()), Repeat::Never);
        assert_eq!(repeat(&[check("a")]), Repeat::Read);
    }

    #[test]
    fn commands_become_operations() {
        let json = |command: Command| {
            let parts = parts(&[command]);
            parts.into_iter().map(|part| part.json).collect::<Vec<_>>().join(" ")
        };
        let set = set("a").arg(("NX", "EX", 5));
        assert_eq!(json(set), r#"{"op":"insert","key":"a","value":{},"ex":5}"#);
        let update = Command::write("DOC.UPDATE").key("a").arg(("UPSERT", "IF", "n > $n"));
        let update = update.arg(("PARAMS", 1, "n", "12.50", "set", "b.c", "\"x\""));
        let update = update.arg(("NOW", "at", "PT5M", "POP", "list", "PERSIST"));
        assert_eq!(
            json(update),
            r#"{"op":"update","key":"a","if":"n > $n","params":{"n":12.50},"upsert":true,"#
                .to_owned()
                + r#""ops":[["SET","b.c","x"],["NOW","at","PT5M"],["POP","list"],["PERSIST"]]}"#
        );
        let call = Command::write("DOC.CALL").key("a").arg(("ifversion", 7, "if.x", 5, "[]"));
        let told = r#"{"op":"call","key":"a","ifVersion":7,"function":"if.x","args":[5,[]]}"#;
        assert_eq!(json(call), told);
        let call = Command::write("DOC.UPDATE").key("a").arg(("CALL", "f", "[5]", "PERSIST"));
        let told = r#"{"op":"update","key":"a","ops":[["CALL","f",[5]],["PERSIST"]]}"#;
        assert_eq!(json(call), told);
        let delete = Command::write("DOC.DEL").key("a").arg(("IFVERSION", 7));
        assert_eq!(json(delete), r#"{"op":"del","key":"a","ifVersion":7}"#);
        let keep = self::set("a").arg(("XX", "KEEPTTL"));
        assert_eq!(
            json(keep),
            r#"{"op":"check","key":"a","exists":true} {"op":"set","key":"a","value":{},"keepttl":true}"#
        );
    }

    #[test]
    fn behind_another_write_nothing_is_asked_that_it_has_answered() {
        let json = |command: &Command, before: Before| {
            let parts = Part::among(command, |_| before)?;
            Ok::<_, Error>(parts.into_iter().map(|part| part.json).collect::<Vec<_>>().join(" "))
        };
        let replace = set("a").arg(("XX", "IFVERSION", 0));
        let plain = r#"{"op":"set","key":"a","value":{}}"#;
        assert_eq!(json(&replace, Before::Written).unwrap(), plain);
        let error = json(&replace, Before::Removed).unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        assert_eq!(json(&set("a").arg(("IFVERSION", 0)), Before::Removed).unwrap(), plain);
        let asked = r#"{"op":"set","key":"a","value":{},"ifVersion":0}"#;
        assert_eq!(json(&set("a").arg(("IFVERSION", 0)), Before::Untouched).unwrap(), asked);
        let asked = r#"{"op":"set","key":"a","value":{},"ifVersion":7}"#;
        assert_eq!(json(&set("a").arg(("IFVERSION", 7)), Before::Written).unwrap(), asked);
    }

    #[test]
    fn what_a_transaction_cannot_do_is_refused() {
        let refused = [
            Command::write("DOC.UPDATE").key("a").arg(("SET", "n", 1, "RETURN", "NEW")),
            Command::write("DOC.DEL").key("a").key("b"),
            Command::write("DOC.DEL").key("a").arg("SOFT"),
            Command::write("DOC.UPDATEMANY").arg(("users", "SET", "n", 1)),
            Command::write("DOC.UPDATE").key("a").arg(("SET", "n")),
        ];
        for command in refused {
            let error = Part::of(&command).unwrap_err();
            assert!(matches!(error, Error::Usage(_)), "{error:?}");
        }
    }
}

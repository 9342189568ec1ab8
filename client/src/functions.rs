//! Functions on the server: loaded, listed, carried over, taken away.

use std::borrow::Cow;

use serde::Deserialize;

use crate::untyped::value;
use crate::{Command, Error, Executor, Folio, Result, reply};

/// A function as a program brings it: its name, and the body of its source in Luau.
///
/// [`Folio::sync_with`] and [`Functions::ensure`] see to it that it is loaded.
///
/// ```
/// use folio::Function;
///
/// let slug = Function::new("text.slug", "return text.slug(doc.title)").steps(1_000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    name: Cow<'static, str>,
    source: Cow<'static, str>,
    steps: Option<u64>,
    memory: Option<u64>,
}

impl Function {
    /// Of its name and its source, such as `include_str!("slug.luau")`.
    ///
    /// ```
    /// let birthday = folio::Function::new("birthday", "return {age = doc.age + 1}");
    /// ```
    pub fn new(name: impl Into<Cow<'static, str>>, source: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), source: source.into(), steps: None, memory: None }
    }

    /// How many steps one call may take; as many as the server allows if nothing is said.
    ///
    /// ```
    /// let birthday = folio::Function::new("birthday", "return {age = doc.age + 1}").steps(100);
    /// ```
    #[must_use]
    pub fn steps(self, steps: u64) -> Self {
        Self { steps: Some(steps), ..self }
    }

    /// How many bytes one call may allocate; as many as the server allows if nothing is said.
    ///
    /// ```
    /// let birthday = folio::Function::new("birthday", "return {age = doc.age + 1}").memory(65_536);
    /// ```
    #[must_use]
    pub fn memory(self, bytes: u64) -> Self {
        Self { memory: Some(bytes), ..self }
    }

    /// What it is called.
    ///
    /// ```
    /// assert_eq!(folio::Function::new("age", "return doc.age").name(), "age");
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    fn command(&self, replaces: bool) -> Command {
        let mut command = Command::write("DOC.FUNCTION").arg("LOAD");
        if replaces {
            command.push("REPLACE");
        }
        for (word, bound) in [("STEPS", self.steps), ("MEMORY", self.memory)] {
            if let Some(bound) = bound {
                command.push((word, bound));
            }
        }
        command.arg((&*self.name, &*self.source))
    }

    /// Whether this is the one that a server has: the bounds as well, where they are said.
    fn is(&self, dumped: &Dumped) -> bool {
        let fits = |asked: Option<u64>, has: u64| asked.is_none_or(|asked| asked == has);
        self.source == dumped.source
            && fits(self.steps, dumped.steps)
            && fits(self.memory, dumped.memory)
    }
}

/// A function in the form that `DOC.FUNCTION DUMP` gives.
#[derive(Deserialize)]
struct Dumped {
    source: String,
    steps: u64,
    memory: u64,
}

/// A function that is loaded: of [`Functions::list`].
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// for function in db.functions().list().await? {
///     println!("{} of {} bytes is used by {:?}", function.name, function.bytes, function.uses);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct FunctionInfo {
    /// What it is called.
    pub name: String,
    /// How many steps one call may take.
    pub steps: u64,
    /// How many bytes one call may allocate.
    pub memory: u64,
    /// How many bytes its source has.
    pub bytes: u64,
    /// Which declarations use it, in words.
    pub uses: Vec<String>,
}

/// The functions of a server; [`Folio::functions`] leads to them.
///
/// They are of all databases and buckets. Whoever loads one has to be permitted to read and write every key.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// db.functions().load("birthday", "return {age = doc.age + 1}").run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Functions<'a> {
    db: &'a Folio,
}

/// The loading of a function, not yet carried out; [`Functions::load`] begins it.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let source = "return {age = doc.age + 1}";
/// db.functions().load("birthday", source).replace().steps(100).memory(65_536).run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is loaded until it is run"]
pub struct Load<'a> {
    db: &'a Folio,
    function: Function,
    replaces: bool,
}

impl Folio {
    /// Leads to the functions of the server.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let loaded = db.functions().list().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn functions(&self) -> Functions<'_> {
        Functions { db: self }
    }
}

impl<'a> Functions<'a> {
    /// Begins to load a function: its name, and the body of its source. The same function again is no error.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// db.functions().load("birthday", "return {age = doc.age + 1}").run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn load(
        &self,
        name: impl Into<Cow<'static, str>>,
        source: impl Into<Cow<'static, str>>,
    ) -> Load<'a> {
        Load { db: self.db, function: Function::new(name, source), replaces: false }
    }

    /// Loads the functions that are not loaded yet, in order, and takes no other one's place: where another one is loaded
    /// under a name, that is [`Error::Function`](crate::Error::Function), since declarations and programs may count on
    /// it. Bounds that are not said are no difference.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// use folio::Function;
    ///
    /// db.functions().ensure([Function::new("birthday", "return {age = doc.age + 1}")]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ensure(&self, functions: impl IntoIterator<Item = Function>) -> Result<()> {
        let db = self.db.on_primary();
        for function in functions {
            let Err(refused) = db.execute(function.command(false)).await else { continue };
            if !matches!(refused, Error::Function(_)) {
                return Err(refused);
            }
            // What the server allows may have changed since it was loaded.
            match dumped(&db, &function.name).await {
                Ok(Some(stands)) if function.is(&stands) => {}
                Ok(_) | Err(Error::Function(_)) => return Err(refused),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes a function away. Fails with [`Error::Function`](crate::Error::Function) if none of the name is loaded, and while
    /// a declaration uses it.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// db.functions().delete("birthday").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, name: &str) -> Result<()> {
        let command = Command::write("DOC.FUNCTION").arg(("DELETE", name));
        self.db.execute(command).await.map(drop)
    }

    /// The functions that are loaded, by their names.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let idle = db.functions().list().await?.into_iter().filter(|it| it.uses.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self) -> Result<Vec<FunctionInfo>> {
        let answer = self.db.execute(Command::read("DOC.FUNCTION").arg("LIST")).await?;
        value::read(answer.into_value())
    }

    /// Functions as one text, for [`restore`](Functions::restore): those of these names, or all if there are none.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio, other: folio::Folio) -> folio::Result<()> {
    /// let all = db.functions().dump(&[]).await?;
    /// let some = db.functions().dump(&["text.slug", "birthday"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn dump(&self, names: &[&str]) -> Result<String> {
        let mut command = Command::read("DOC.FUNCTION").arg("DUMP");
        for name in names {
            command.push(*name);
        }
        self.db.execute(command).await?.to()
    }

    /// Loads the functions of a text that [`dump`](Functions::dump) gave, all or none, and takes no other one's place.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio, other: folio::Folio) -> folio::Result<()> {
    /// other.functions().restore(&db.functions().dump(&[]).await?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn restore(&self, text: &str) -> Result<()> {
        let command = Command::write("DOC.FUNCTION").arg(("RESTORE", text));
        self.db.execute(command).await.map(drop)
    }

    /// The same; a function of the same name that no declaration uses is replaced.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio, text: String) -> folio::Result<()> {
    /// db.functions().restore_over(&text).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn restore_over(&self, text: &str) -> Result<()> {
        let command = Command::write("DOC.FUNCTION").arg(("RESTORE", text, "REPLACE"));
        self.db.execute(command).await.map(drop)
    }
}

/// What a server has under a name.
async fn dumped(db: &Folio, name: &str) -> Result<Option<Dumped>> {
    let answer = db.execute(Command::read("DOC.FUNCTION").arg(("DUMP", name))).await?;
    let text = answer.bytes()?.unwrap_or_default();
    reply::document::<Vec<Dumped>>(name, &text).map(|mut all| all.pop())
}

impl Load<'_> {
    /// In place of another one of the name, unless a declaration uses that: what it has computed would be stale.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// db.functions().load("birthday", "return {age = doc.age + 2}").replace().run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn replace(self) -> Self {
        Self { replaces: true, ..self }
    }

    /// How many steps one call may take; as many as the server allows if nothing is said.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// db.functions().load("birthday", "return {age = doc.age + 1}").steps(100).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn steps(self, steps: u64) -> Self {
        Self { function: self.function.steps(steps), ..self }
    }

    /// How many bytes one call may allocate; as many as the server allows if nothing is said.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// db.functions().load("birthday", "return {age = doc.age + 1}").memory(65_536).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn memory(self, bytes: u64) -> Self {
        Self { function: self.function.memory(bytes), ..self }
    }

    /// Loads it. Fails with [`Error::Function`](crate::Error::Function), which has the line, if the source cannot be
    /// compiled, and where another one is loaded under the name.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// db.functions().load("birthday", "return {age = doc.age + 1}").run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self) -> Result<()> {
        self.db.execute(self.function.command(self.replaces)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_loaded_with_the_bounds_that_were_said() {
        let sent = |function: &Function, replaces| {
            let command = function.command(replaces);
            let words = command.args().map(String::from_utf8_lossy).collect::<Vec<_>>();
            words.join(" ")
        };
        let plain = Function::new("f", "return 1");
        assert_eq!(sent(&plain, false), "LOAD f return 1");
        let bound = plain.clone().steps(5).memory(70_000);
        assert_eq!(sent(&bound, true), "LOAD REPLACE STEPS 5 MEMORY 70000 f return 1");
        let stands = Dumped { source: "return 1".into(), steps: 9, memory: 70_000 };
        assert!(plain.is(&stands) && !bound.is(&stands) && bound.steps(9).is(&stands));
        assert!(!Function::new("f", "return 2").is(&stands));
    }
}

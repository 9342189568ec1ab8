//! Other declarations, those among them that take something away.

use std::fmt;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};

use super::Step;
use crate::schema::{declared, members, with_migrations};
use crate::{Command, Document, Error, Executor, Folio, Result};

/// How long a declaration over many documents may take at least, whatever the time limit of other commands.
pub(super) const BUILD_TIMEOUT: Duration = Duration::from_secs(3_600);
/// How often one looks whether another one is over.
pub(super) const LOOK: Duration = Duration::from_millis(50);

type Edit = Box<dyn Fn(&mut Json) -> Result<()> + Send + Sync>;

/// Another declaration of a collection; [`Step::alter`] begins it.
///
/// What is said applies in order to what is declared when it is run. What stands so already is no error, so that a run
/// that goes on may say it again.
///
/// ```
/// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
/// let city = serde_json::json!({"path": "city", "type": "string", "index": "sorted"});
/// step.alter("shop.users").drop_index("by_city").drop_field("address.city").put_field(city).run().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is declared yet"]
pub struct Alter<'s> {
    step: &'s Step,
    collection: String,
    edits: Vec<Edit>,
}

impl Step {
    /// Begins another declaration of a collection. Unlike [`Folio::sync`] it may take away what is declared.
    ///
    /// ```
    /// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
    /// step.alter("shop.users").drop_field("nick").run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn alter(&self, collection: &str) -> Alter<'_> {
        let collection = self.named(collection).into_owned();
        Alter { step: self, collection, edits: Vec::new() }
    }
}

impl Alter<'_> {
    fn edit(mut self, edit: impl Fn(&mut Json) -> Result<()> + Send + Sync + 'static) -> Self {
        self.edits.push(Box::new(edit));
        self
    }

    /// A field is declared no more. Documents keep what they have there.
    ///
    /// ```
    /// # fn example(step: folio::migrate::Step) {
    /// let alter = step.alter("shop.users").drop_field("nick");
    /// # }
    /// ```
    pub fn drop_field(self, path: &str) -> Self {
        self.remove("fields", "path", path.to_owned())
    }

    /// An index that is declared by itself is no more.
    ///
    /// ```
    /// # fn example(step: folio::migrate::Step) {
    /// let alter = step.alter("shop.users").drop_index("by_city");
    /// # }
    /// ```
    pub fn drop_index(self, name: &str) -> Self {
        self.remove("indexes", "name", name.to_owned())
    }

    /// A field has another type. The documents have to fit it, or the server refuses it.
    ///
    /// ```
    /// # fn example(step: folio::migrate::Step) {
    /// let alter = step.alter("shop.orders").change_type("total", "decimal");
    /// # }
    /// ```
    pub fn change_type(self, path: &str, field_type: &str) -> Self {
        let (path, field_type) = (path.to_owned(), field_type.to_owned());
        self.edit(move |definition| {
            let fields = definition.get_mut("fields").and_then(Json::as_array_mut);
            let mut fields = fields.into_iter().flatten();
            let field = fields.find(|field| field["path"] == path.as_str());
            let missing = || Error::Usage(format!("no field {path} is declared").into());
            field.ok_or_else(missing)?["type"] = field_type.as_str().into();
            Ok(())
        })
    }

    /// A field is declared, in place of one of its path, in the form that `DOC.SCHEMA` prints.
    ///
    /// ```
    /// # fn example(step: folio::migrate::Step) {
    /// let field = serde_json::json!({"path": "email", "type": "email", "required": true, "unique": true});
    /// let alter = step.alter("shop.users").put_field(field);
    /// # }
    /// ```
    pub fn put_field(self, field: Json) -> Self {
        self.put("fields", "path", field)
    }

    /// An index is declared, in place of one of its name, in the form that `DOC.SCHEMA` prints.
    ///
    /// ```
    /// # fn example(step: folio::migrate::Step) {
    /// let on = serde_json::json!([{"path": "city"}, {"path": "age", "order": "desc"}]);
    /// let alter = step.alter("shop.users").put_index(serde_json::json!({"name": "by_city", "on": on}));
    /// # }
    /// ```
    pub fn put_index(self, index: Json) -> Self {
        self.put("indexes", "name", index)
    }

    /// All is declared as a type says, whatever is lost by it. A migration outlives the type as it is now: what it says
    /// later is declared then.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # fn example(step: folio::migrate::Step) {
    /// let alter = step.alter("shop.users").as_type::<shop::User>();
    /// # }
    /// ```
    pub fn as_type<T: Document>(self) -> Self {
        let wanted = crate::schema::Wanted::of(&T::DEFINITION, self.step.db()).json;
        self.edit(move |definition| {
            *definition = with_migrations(wanted.clone(), definition);
            Ok(())
        })
    }

    /// Declares it, and waits until it is in force, which takes a while over many documents.
    ///
    /// ```
    /// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
    /// step.alter("shop.users").drop_field("nick").run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self) -> Result<()> {
        let Some(mut book) = self.step.enter().await? else { return Ok(()) };
        if self.step.is_dry_run() {
            self.wanted().await?;
            book.tried.declare(&self.collection);
            return book.ledger.end_part(&[]).await;
        }
        let deadline = Instant::now() + BUILD_TIMEOUT;
        loop {
            // Whoever has lost the lock declares nothing.
            let state = book.ledger.state.clone();
            book.ledger.write(state, &[]).await?;
            // Anew on each try: what was under way has declared something since.
            let Some(wanted) = self.wanted().await? else { break };
            match declare(&self.collection, &wanted, self.step.db()).await {
                Err(Error::IndexBuilding(_)) if Instant::now() < deadline => sleep(LOOK).await,
                outcome => break outcome?,
            }
        }
        book.ledger.end_part(&[]).await
    }

    /// The declaration as it is to be; none if it stands so.
    async fn wanted(&self) -> Result<Option<Json>> {
        let stands = match declared(&self.collection, self.step.db()).await {
            Err(error) if error.code() == Some("NOCOLLECTION") => {
                json!({"collection": self.collection})
            }
            stands => stands?,
        };
        let mut wanted = stands.clone();
        for edit in &self.edits {
            edit(&mut wanted)?;
        }
        Ok((wanted != stands).then_some(wanted))
    }

    fn remove(self, list: &'static str, key: &'static str, name: String) -> Self {
        self.edit(move |definition| {
            if let Some(all) = definition.get_mut(list).and_then(Json::as_array_mut) {
                all.retain(|it| it[key] != name.as_str());
            }
            Ok(())
        })
    }

    fn put(self, list: &'static str, key: &'static str, one: Json) -> Self {
        self.edit(move |definition| {
            let mut all: Vec<Json> = members(definition, list).cloned().collect();
            match all.iter_mut().find(|it| it[key] == one[key]) {
                Some(before) => before.clone_from(&one),
                None => all.push(one.clone()),
            }
            definition[list] = all.into();
            Ok(())
        })
    }
}

/// Gives a collection another declaration, or its first one. The client of a declaration that is being built is answered
/// nothing else meanwhile, so it has a connection to itself.
async fn declare(collection: &str, definition: &Json, db: &Folio) -> Result<()> {
    let db = db.pooled().with_timeout(BUILD_TIMEOUT.max(db.timeout()));
    let text = definition.to_string();
    let told = |word| Command::write(word).arg((collection, "DEFINITION", text.as_str()));
    match db.execute(told("DOC.ALTER")).await {
        Err(error) if error.code() == Some("NOCOLLECTION") => {
            db.execute(told("DOC.CREATE")).await.map(drop)
        }
        altered => altered.map(drop),
    }
}

impl fmt::Debug for Alter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alter").field("collection", &self.collection).finish_non_exhaustive()
    }
}

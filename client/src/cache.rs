//! Cache-aside: documents as copies of what is dear to get, and a few of them in the program itself.
//!
//! ```text
//! get_or_load --> local, for a while --> document on the server --> load
//!                   ^                          |                      |
//!                   +--- forgets what the <----+ change stream        +--> put as a document, where none is
//! ```

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::command::{Command, Repeat};
use crate::ops::{Get, Put};
use crate::watch::{Changes, Reading, Watch};
use crate::{Document, DocumentId, Error, Executor, Folio, Result, reply};

/// How many documents a cache without [`Cache::local`] keeps track of at a time.
const FLIGHTS: usize = 1_024;
/// What passes after a change stream could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// Documents of one collection as a cache of what is elsewhere.
///
/// [`get_or_load`](Cache::get_or_load) looks in the program ([`local`](Cache::local)), then on the server, then asks
/// `load`, and keeps what it gives in both. Of several tasks that miss the same document at once, one asks; the others
/// wait for it. Clones share everything.
///
/// **When a local copy is out of date**: if the collection is declared with `CHANGES`, the cache follows its stream and
/// forgets a copy as soon as the change of its document arrives, mostly within a millisecond; on a gap it forgets all.
/// That keeps a connection of the pool. If the collection tells no changes, or the user may not read them, only the time
/// given to `local` bounds how old a copy can be: [`is_followed`](Cache::is_followed) tells which.
///
/// ```no_run
/// # async fn fetch(_: &str) -> folio::Result<serde_json::Value> { Ok(serde_json::json!({})) }
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// use std::time::Duration;
///
/// let cache = folio::Cache::<serde_json::Value>::of(&db, "weather")
///     .local(10_000, Duration::from_secs(30))
///     .expire_in(Duration::from_secs(3_600));
/// let weather = cache.get_or_load("paris", || fetch("paris")).await?;
/// # Ok(())
/// # }
/// ```
pub struct Cache<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    db: Folio,
    collection: String,
    prefix: String,
    codec: Codec<T>,
    /// How long a copy is good; zero where there is no local cache.
    local_ttl: Duration,
    server_ttl: Option<Duration>,
    copies: quick_cache::sync::Cache<String, Kept<T>>,
    /// Copies of an earlier one are forgotten.
    generation: AtomicU64,
    following: OnceCell<Option<Following>>,
}

/// Ends with the cache.
struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A document as it was on the server.
struct Kept<T> {
    value: Arc<T>,
    made: Instant,
    generation: u64,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), made: self.made, generation: self.generation }
    }
}

/// How documents are read and put.
pub(crate) struct Codec<T> {
    pub(crate) read: fn(Folio, Name) -> Perhaps<T>,
    pub(crate) put: fn(Folio, Stored<T>) -> Perhaps<T>,
}

/// What comes to a document, or to none.
type Perhaps<T> = BoxFuture<'static, Result<Option<T>>>;

/// A document's id, and its key on the server.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) id: String,
    pub(crate) key: String,
}

/// What is to be put; if it is only where no document is, `None` answers that there is one.
pub(crate) struct Stored<T> {
    pub(crate) name: Name,
    pub(crate) document: T,
    pub(crate) ttl: Option<Duration>,
    pub(crate) only_new: bool,
}

impl<T> Cache<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// A cache in the collection of this name.
    ///
    /// ```no_run
    /// # fn example(db: folio::Folio) {
    /// let cache = folio::Cache::<serde_json::Value>::of(&db, "weather");
    /// # }
    /// ```
    pub fn of(db: &Folio, collection: &str) -> Self {
        let codec = Codec {
            read: |db, name| read(db, name.key).boxed(),
            put: |db, stored| put(db, stored).boxed(),
        };
        Self::with_codec(db, collection, format!("{collection}:"), codec)
    }
}

impl<T: Document> Cache<T> {
    /// A cache in the collection of a type. What it puts is validated as by [`Document::insert`], and gets the id that
    /// is asked for.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// # async fn fetch(code: &str) -> folio::Result<Country> {
    /// #     Ok(Country { code: code.into(), name: code.into() })
    /// # }
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let cache = folio::Cache::<Country>::new(&db).local(300, std::time::Duration::from_secs(60));
    /// let iceland = cache.get_or_load("IS", || fetch("IS")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(db: &Folio) -> Self {
        let codec = Codec {
            read: |db, name| async move { Get::<T>::new(name.id).maybe(&db).await }.boxed(),
            put: |db, stored| put_document(db, stored).boxed(),
        };
        Self::with_codec(db, T::DEFINITION.collection, T::DEFINITION.key_prefix(), codec)
    }
}

async fn put_document<T: Document>(db: Folio, stored: Stored<T>) -> Result<Option<T>> {
    let Stored { name, mut document, ttl, only_new } = stored;
    if let Some(id) = T::Id::from_text(&name.id) {
        document.set_document_id(id);
    }
    let mut put = if only_new { Put::insert(document) } else { Put::save(document) };
    if let Some(ttl) = ttl {
        put = put.expire_in(ttl);
    }
    match put.run(&db).await {
        Err(Error::AlreadyExists { .. }) if only_new => Ok(None),
        outcome => outcome.map(Some),
    }
}

async fn read<T: DeserializeOwned>(db: Folio, key: String) -> Result<Option<T>> {
    let text = db.execute(Command::read("DOC.GET").key(&key)).await?.bytes()?;
    text.map(|text| reply::document(&key, &text)).transpose()
}

async fn put<T: Serialize>(db: Folio, stored: Stored<T>) -> Result<Option<T>> {
    let Stored { name: Name { key, .. }, document, ttl, only_new } = stored;
    let text = serde_json::to_vec(&document).map_err(Error::Encode)?;
    let mut command = Command::write("DOC.SET").key(&key).arg(text);
    if only_new {
        command = command.arg("NX").repeat(Repeat::Guarded);
    }
    if let Some(ttl) = ttl {
        command = command.arg(("PX", u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)));
    }
    let answer = db.execute(command).await?;
    Ok((!answer.is_nil()).then_some(document))
}

impl<T: Send + Sync + 'static> Cache<T> {
    pub(crate) fn with_codec(
        db: &Folio,
        collection: &str,
        prefix: String,
        codec: Codec<T>,
    ) -> Self {
        let shared = Shared {
            db: db.on_primary(),
            collection: collection.into(),
            prefix,
            codec,
            local_ttl: Duration::ZERO,
            server_ttl: None,
            copies: quick_cache::sync::Cache::new(FLIGHTS),
            generation: AtomicU64::new(0),
            following: OnceCell::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Changes what is shared, which nobody has used yet; else a cache of its own comes of it.
    fn with(self, change: impl FnOnce(&mut Shared<T>)) -> Self {
        let Shared { db, collection, prefix, codec, local_ttl, server_ttl, .. } = &*self.shared;
        let codec = Codec { read: codec.read, put: codec.put };
        let mut shared = Shared {
            db: db.clone(),
            collection: collection.clone(),
            prefix: prefix.clone(),
            codec,
            local_ttl: *local_ttl,
            server_ttl: *server_ttl,
            copies: quick_cache::sync::Cache::new(
                usize::try_from(self.shared.copies.capacity()).unwrap_or(FLIGHTS),
            ),
            generation: AtomicU64::new(0),
            following: OnceCell::new(),
        };
        change(&mut shared);
        Self { shared: Arc::new(shared) }
    }

    /// Keeps about so many documents in the program, each for so long at most. To be said before the cache is used.
    ///
    /// ```no_run
    /// # fn example(db: folio::Folio) {
    /// use std::time::Duration;
    ///
    /// let cache = folio::Cache::<serde_json::Value>::of(&db, "weather").local(500, Duration::from_secs(5));
    /// # }
    /// ```
    #[must_use]
    pub fn local(self, documents: usize, ttl: Duration) -> Self {
        self.with(|shared| {
            shared.copies = quick_cache::sync::Cache::new(documents.max(1));
            shared.local_ttl = ttl;
        })
    }

    /// What the cache puts on the server lapses after this time; else as the collection is declared. To be said before
    /// the cache is used.
    ///
    /// ```no_run
    /// # fn example(db: folio::Folio) {
    /// use std::time::Duration;
    ///
    /// let cache = folio::Cache::<serde_json::Value>::of(&db, "weather").expire_in(Duration::from_secs(60));
    /// # }
    /// ```
    #[must_use]
    pub fn expire_in(self, ttl: Duration) -> Self {
        self.with(|shared| shared.server_ttl = Some(ttl))
    }

    /// The document of an id, if it is in the program or on the server.
    ///
    /// ```no_run
    /// # async fn example(cache: folio::Cache<serde_json::Value>) -> folio::Result<()> {
    /// let perhaps = cache.get("paris").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, id: impl fmt::Display) -> Result<Option<Arc<T>>> {
        let missing = || async { Err(Missing::Nothing) };
        match self.shared.find(self.shared.name(&id), missing).await {
            Ok(value) => Ok(Some(value)),
            Err(Missing::Nothing) => Ok(None),
            Err(Missing::Error(error)) => Err(error),
        }
    }

    /// The document of an id: from the program, from the server, else what `load` gives, which is put on the server
    /// unless somebody else has been faster: then his is the answer. An error of `load` is kept nowhere: whoever waits
    /// asks next.
    ///
    /// ```no_run
    /// # async fn fetch(_: &str) -> folio::Result<serde_json::Value> { Ok(serde_json::json!({})) }
    /// # async fn example(cache: folio::Cache<serde_json::Value>) -> folio::Result<()> {
    /// let weather = cache.get_or_load("paris", || fetch("paris")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_load<E, L, F>(&self, id: impl fmt::Display, load: L) -> Result<Arc<T>, E>
    where
        E: From<Error>,
        L: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        self.shared.find(self.shared.name(&id), load).await
    }

    /// Writes a document through: on the server at once, and a local copy is forgotten.
    ///
    /// ```no_run
    /// # async fn example(cache: folio::Cache<serde_json::Value>) -> folio::Result<()> {
    /// cache.put("paris", serde_json::json!({"celsius": 21})).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn put(&self, id: impl fmt::Display, document: T) -> Result<()> {
        let (shared, name) = (&self.shared, self.shared.name(&id));
        let (key, ttl) = (name.key.clone(), shared.server_ttl);
        let stored = Stored { name, document, ttl, only_new: false };
        let outcome = (shared.codec.put)(shared.db.clone(), stored).await;
        // Whatever came of it: it may have been written.
        shared.copies.remove(&key);
        outcome.map(drop)
    }

    /// Removes a document here and on the server; `false` if there was none there.
    ///
    /// ```no_run
    /// # async fn example(cache: folio::Cache<serde_json::Value>) -> folio::Result<()> {
    /// let was_there = cache.remove("paris").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove(&self, id: impl fmt::Display) -> Result<bool> {
        let Name { key, .. } = self.shared.name(&id);
        let answer = self.shared.db.execute(Command::write("DOC.DEL").key(&key)).await;
        self.shared.copies.remove(&key);
        Ok(answer?.to::<u64>()? > 0)
    }

    /// Forgets all local copies.
    ///
    /// ```no_run
    /// # fn example(cache: folio::Cache<serde_json::Value>) {
    /// cache.forget_all();
    /// # }
    /// ```
    pub fn forget_all(&self) {
        self.shared.forget_all();
    }

    /// Whether changes on the server are followed, so that they reach local copies at once. That is found out when the
    /// cache is first used.
    ///
    /// ```no_run
    /// # async fn example(cache: folio::Cache<serde_json::Value>) -> folio::Result<()> {
    /// if !cache.is_followed().await? {
    ///     println!("copies may be as old as the time given to `local`");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn is_followed(&self) -> Result<bool> {
        self.shared.follow().await
    }
}

/// Why [`Cache::get`] has found nothing.
enum Missing {
    Nothing,
    Error(Error),
}

impl From<Error> for Missing {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl<T: Send + Sync + 'static> Shared<T> {
    fn name(&self, id: &impl fmt::Display) -> Name {
        let id = id.to_string();
        Name { key: self.db.named(&format!("{}{id}", self.prefix)).into_owned(), id }
    }

    /// Whether a copy may be given to who began to ask at this instant: one that was made since is as good as his own.
    fn is_good(&self, copy: &Kept<T>, asked: Instant) -> bool {
        copy.generation == self.generation.load(Ordering::Acquire)
            && (copy.made >= asked || copy.made.elapsed() < self.local_ttl)
    }

    async fn find<E, L, F>(self: &Arc<Self>, name: Name, load: L) -> Result<Arc<T>, E>
    where
        E: From<Error>,
        L: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        if !self.local_ttl.is_zero() {
            self.follow().await?;
        }
        let asked = Instant::now();
        let place = loop {
            match self.copies.get_value_or_guard_async(&name.key).await {
                Ok(copy) if self.is_good(&copy, asked) => return Ok(copy.value),
                Ok(_) => {
                    self.copies.remove_if(&name.key, |copy| !self.is_good(copy, asked));
                }
                Err(place) => break place,
            }
        };
        let generation = self.generation.load(Ordering::Acquire);
        let value = Arc::new(self.fetch(name, load).await?);
        // A place that was forgotten meanwhile takes no copy: the document has changed since it was read.
        let copy = Kept { value: Arc::clone(&value), made: Instant::now(), generation };
        let _ = place.insert(copy);
        Ok(value)
    }

    async fn fetch<E, L, F>(&self, name: Name, load: L) -> Result<T, E>
    where
        E: From<Error>,
        L: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        if let Some(document) = (self.codec.read)(self.db.clone(), name.clone()).await? {
            return Ok(document);
        }
        let (document, ttl) = (load().await?, self.server_ttl);
        let stored = Stored { name: name.clone(), document, ttl, only_new: true };
        if let Some(document) = (self.codec.put)(self.db.clone(), stored).await? {
            return Ok(document);
        }
        // Somebody else was faster; should his have gone already, so would this one.
        let theirs = (self.codec.read)(self.db.clone(), name.clone()).await?;
        theirs.ok_or_else(|| Error::NotFound { key: name.key.into() }.into())
    }

    fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.copies.clear();
    }

    /// Follows the collection's changes, if that can be done and is not done yet.
    async fn follow(self: &Arc<Self>) -> Result<bool> {
        let following = self.following.get_or_try_init(|| async {
            let reading = Reading::<()> { decode: |_| Ok(()), prefix: String::new() };
            let watch = Watch::new(&self.collection, reading);
            match watch.open(&self.db).await {
                Ok(changes) => {
                    let task = tokio::spawn(forget(Arc::downgrade(self), changes));
                    Ok(Some(Following(task)))
                }
                Err(Error::Usage(_)) => Ok(None),
                Err(error) if matches!(error.code(), Some("NOCOLLECTION" | "NOPERM")) => Ok(None),
                Err(error) => Err(error),
            }
        });
        following.await.map(Option::is_some)
    }
}

/// Forgets the copies of documents that change.
async fn forget<T: Send + Sync + 'static>(cache: Weak<Shared<T>>, mut changes: Changes<()>) {
    loop {
        let change = changes.next().await;
        let Some(cache) = cache.upgrade() else { return };
        match change.as_ref().map(|change| change.event()) {
            Ok(Some(event)) if !event.key.is_empty() => {
                cache.copies.remove(event.key.as_str());
            }
            Ok(_) => cache.forget_all(),
            Err(_) => {
                cache.forget_all();
                drop(cache);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl<T> Clone for Cache<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> fmt::Debug for Cache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("collection", &self.shared.collection).finish_non_exhaustive()
    }
}

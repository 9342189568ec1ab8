//! Documents found and changed in one step.

use super::find::{Query, query};
use super::place::{Place, explained};
use crate::change::{self, Change};
use crate::codec::decode;
use crate::{Changes, Document, Executor, Filter, Orders, Result};

/// A claim whose changes are still to be told; [`Document::claim`] begins one.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::{Job, State};
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let free = Job::state().eq(State::Waiting) | Job::lease().lt(folio::now());
/// let lease = Job::lease().set_now_plus(std::time::Duration::from_secs(30));
/// let jobs = Job::claim(free).update((Job::state().set(State::Running), lease)).run(&db).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a claim does nothing until it is run"]
pub struct Claim<T> {
    query: Query<T>,
}

/// A claim; [`Claim::update`] makes it.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::{Job, State};
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let claim = Job::claim(Job::state().eq(State::Waiting)).update(Job::state().set(State::Running));
/// let job: Option<Job> = claim.run(&db).await?.pop().transpose()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a claim does nothing until it is run"]
pub struct Claiming<T> {
    query: Query<T>,
    changes: Vec<Change<T>>,
}

impl<T: Document> Claim<T> {
    pub(crate) fn new(filter: Filter<T>) -> Self {
        let mut query = query(Some(filter));
        query.limit = Some(1);
        Self { query }
    }

    /// Which ones come first; by birth where nothing is said.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::{Job, State};
    /// let claim = Job::claim(Job::state().eq(State::Waiting)).order_by(Job::id().asc());
    /// ```
    pub fn order_by(mut self, orders: impl Orders<T>) -> Self {
        self.query.orders.extend(orders.into_orders());
        self
    }

    /// At most so many; one where nothing is said.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::{Job, State};
    /// let claim = Job::claim(Job::state().eq(State::Waiting)).limit(10);
    /// ```
    pub fn limit(mut self, documents: u64) -> Self {
        self.query.limit = Some(documents);
        self
    }

    /// Allows the server to read more documents than `folio.scan-max` where no index answers.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::{Job, State};
    /// let claim = Job::claim(Job::lease().lt(folio::now())).allow_scan();
    /// ```
    pub fn allow_scan(mut self) -> Self {
        self.query.scan = true;
        self
    }

    /// What is changed in the documents that are claimed.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::{Job, State};
    /// let claim = Job::claim(Job::state().eq(State::Waiting)).update(Job::state().set(State::Running));
    /// ```
    pub fn update(self, changes: impl Changes<T>) -> Claiming<T> {
        Claiming { query: self.query, changes: changes.into_changes() }
    }
}

impl<T: Document> Claiming<T> {
    /// Carries it out, and gives the documents as they are afterwards. No two clients get the same one.
    ///
    /// One that does not fit its type is claimed all the same: in its place stands [`Error::Decode`](crate::Error::Decode)
    /// with its key, and it keeps none of the others from being given.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::{Job, State};
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let claim = Job::claim(Job::state().eq(State::Waiting)).update(Job::state().set(State::Running));
    /// for job in claim.run(&db).await? {
    ///     match job {
    ///         Ok(job) => println!("{} is ours", job.id),
    ///         Err(error) => println!("{error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self, db: &impl Executor) -> Result<Vec<Result<T>>> {
        let place = Place::of::<T>(db);
        let mut command = self.query.write("DOC.CLAIM", &place)?;
        change::add(&mut command, &self.changes)?;
        command.push("WITHVERSION");
        let reply = db.execute(command).await;
        let found = reply.map_err(|error| explained::<T>(error, None))?.rows()?;
        let documents = found.rows.into_iter().map(|row| {
            decode(&row.key, place.id(&row.key), &row.text, row.version.unwrap_or_default())
        });
        Ok(documents.collect())
    }
}

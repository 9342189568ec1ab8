//! Read, change, write; again if somebody else was faster.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use super::Get;
use crate::{Document, Error, Executor, Result};

/// How often it is tried again where nothing is said.
const RETRIES: u32 = 3;

/// A change by a closure under an optimistic lock; [`Get::modify`] begins it, awaiting it carries it out.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
/// User::get(id)
///     .modify(&db, |user| {
///         user.tags.sort();
///         Ok(())
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a change does nothing until it is awaited"]
pub struct Modify<'a, T, E, F> {
    get: Get<T>,
    db: &'a E,
    change: F,
    retries: u32,
}

impl<T, E, F> fmt::Debug for Modify<'_, T, E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modify").field("retries", &self.retries).finish_non_exhaustive()
    }
}

impl<'a, T, E, F> Modify<'a, T, E, F>
where
    T: Document,
    E: Executor,
    F: FnMut(&mut T) -> Result<()> + Send,
{
    pub(super) fn new(get: Get<T>, db: &'a E, change: F) -> Self {
        Self { get, db, change, retries: RETRIES }
    }

    /// How often it is tried again before the conflict is an error; 3 where nothing is said.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let rename = |user: &mut User| {
    ///     user.name = user.name.to_uppercase();
    ///     Ok(())
    /// };
    /// let user = User::get(id).modify(&db, rename).retries(10).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    async fn run(mut self) -> Result<T> {
        loop {
            let mut tracked = self.get.clone().tracked(self.db).await?;
            (self.change)(&mut tracked)?;
            match tracked.save(self.db).await {
                Ok(()) => return Ok(tracked.into_inner()),
                Err(Error::VersionConflict { .. }) if self.retries > 0 => self.retries -= 1,
                Err(error) => return Err(error),
            }
        }
    }
}

impl<'a, T, E, F> IntoFuture for Modify<'a, T, E, F>
where
    T: Document,
    E: Executor,
    F: FnMut(&mut T) -> Result<()> + Send + 'a,
{
    type Output = Result<T>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

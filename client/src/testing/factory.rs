//! Documents for tests.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Document, Executor, Result};

type Make<T> = Arc<dyn Fn(u64) -> T + Send + Sync>;

/// Makes documents that differ by a number, from 1 on.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::{Address, User};
/// use folio::Id;
/// use folio::testing::Factory;
///
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let users = Factory::new(|n| User {
///     id: Id::new(),
///     tenant: "acme".into(),
///     email: format!("user{n}@example.org"),
///     name: format!("user {n}"),
///     age: 30,
///     tags: Vec::new(),
///     address: Address::default(),
///     nickname: None,
///     balance: 0,
///     visits: 0,
///     active: true,
///     version: 0,
/// });
/// let children = users.with(|user| user.age = 9);
/// let ada: User = users.create(&db).await?;
/// let class: Vec<User> = children.create_many(30, &db).await?;
/// # Ok(())
/// # }
/// ```
pub struct Factory<T> {
    make: Make<T>,
    next: Arc<AtomicU64>,
}

impl<T: 'static> Factory<T> {
    /// Makes documents by a closure, which is given the number of each.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// use folio::testing::Factory;
    ///
    /// let countries = Factory::new(|n| Country { code: format!("C{n}"), name: format!("country {n}") });
    /// assert_eq!(countries.build().code, "C1");
    /// ```
    pub fn new(make: impl Fn(u64) -> T + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), next: Arc::new(AtomicU64::new(1)) }
    }

    /// A variation. It counts on with the factory that it is of, so that what has to be unique is.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// use folio::testing::Factory;
    ///
    /// let countries = Factory::new(|n| Country { code: format!("C{n}"), name: String::new() });
    /// let named = countries.with(|country| country.name = format!("the {}", country.code));
    /// assert_eq!(countries.build().code, "C1");
    /// assert_eq!(named.build().name, "the C2");
    /// ```
    #[must_use]
    pub fn with(&self, change: impl Fn(&mut T) + Send + Sync + 'static) -> Self {
        let make = Arc::clone(&self.make);
        let changed = move |n| {
            let mut document = make(n);
            change(&mut document);
            document
        };
        Self { make: Arc::new(changed), next: Arc::clone(&self.next) }
    }

    /// Makes one, and writes it nowhere.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # fn example(countries: folio::testing::Factory<shop::Country>) {
    /// let iceland = countries.build();
    /// # }
    /// ```
    pub fn build(&self) -> T {
        (self.make)(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Makes several.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # fn example(countries: folio::testing::Factory<shop::Country>) {
    /// assert_eq!(countries.build_many(5).len(), 5);
    /// # }
    /// ```
    pub fn build_many(&self, count: usize) -> Vec<T> {
        (0..count).map(|_| self.build()).collect()
    }
}

impl<T: Document> Factory<T> {
    /// Makes one, inserts it, and gives it with its id and version.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, countries: folio::testing::Factory<Country>) -> folio::Result<()> {
    /// let iceland = countries.create(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(&self, db: &impl Executor) -> Result<T> {
        self.build().insert(db).await
    }

    /// Makes several and inserts them, in their order.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, countries: folio::testing::Factory<Country>) -> folio::Result<()> {
    /// let nordic = countries.create_many(5, &db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_many(&self, count: usize, db: &impl Executor) -> Result<Vec<T>> {
        let mut created = Vec::with_capacity(count);
        for _ in 0..count {
            created.push(self.create(db).await?);
        }
        Ok(created)
    }
}

impl<T> Clone for Factory<T> {
    /// It counts on with the original.
    fn clone(&self) -> Self {
        Self { make: Arc::clone(&self.make), next: Arc::clone(&self.next) }
    }
}

impl<T> fmt::Debug for Factory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factory").field("next", &self.next).finish_non_exhaustive()
    }
}

//! The way to the server, as its users see it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

#[cfg(feature = "sentinel")]
use crate::transport::{Address, Sentinels};
use crate::transport::{Database, Origin, Server, Settings};
use crate::{Error, Result};

/// How long a command waits for its answer before it is [`Error::Timeout`], if nothing else is said.
///
/// ```
/// assert_eq!(folio::RESPONSE_TIMEOUT.as_secs(), 30);
/// ```
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// How many connections the pool has at most, if nothing else is said.
const POOL_SIZE: u32 = 10;
/// How long a task waits for one of them.
const POOL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one try to open a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server with the Folio module, and how it is spoken to.
///
/// Clones share their connections; share them freely between tasks. What a method such as
/// [`Folio::with_timeout`] changes, it changes for the value that it returns.
///
/// Commands travel over one multiplexed connection for each database, which comes back by itself
/// when it breaks. What needs a connection of its own takes one of a pool: change streams,
/// declarations, [sessions](Folio::session), and all commands of [`Folio::pooled`].
///
/// ```no_run
/// # async fn example() -> folio::Result<()> {
/// let db = folio::Folio::connect("redis://localhost:6379").await?;
/// let background = db.clone();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Folio {
    server: Arc<Server>,
    database: Arc<Database>,
    timeout: Duration,
    bucket: Option<Arc<str>>,
    is_pooled: bool,
    reads_from_replica: bool,
}

impl Folio {
    /// Connects to `redis://[user:password@]host[:port][/database]`.
    ///
    /// Speaks RESP3 unless the address says `?protocol=resp2`. Fails with [`Error::Connection`]
    /// if the server cannot be reached; whether it has loaded the module shows with the first
    /// command, and [`Folio::check`] asks.
    ///
    /// ```no_run
    /// # async fn example() -> folio::Result<()> {
    /// let db = folio::Folio::connect("redis://localhost:6379/2").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self> {
        Self::builder(url).connect().await
    }

    /// Begins a connection of which more is to be said than its address.
    ///
    /// ```no_run
    /// # async fn example() -> folio::Result<()> {
    /// use std::time::Duration;
    ///
    /// let db = folio::Folio::builder("redis://localhost:6379")
    ///     .timeout(Duration::from_secs(2))
    ///     .pool(20)
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(url: &str) -> Builder {
        let settings = Settings {
            timeout: RESPONSE_TIMEOUT,
            connect_timeout: CONNECT_TIMEOUT,
            pool_size: POOL_SIZE,
            pool_timeout: POOL_TIMEOUT,
        };
        Builder {
            url: url.into(),
            replicas: Vec::new(),
            settings,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// The same server with another time limit for each command: opening a connection and
    /// sending again what may be sent again are within it.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let quick = db.with_timeout(std::time::Duration::from_millis(200));
    /// quick.check().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// Another database of the same server, over connections of its own.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let archive = db.database(3)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn database(&self, number: u32) -> Result<Self> {
        let database = self.server.database(i64::from(number))?;
        Ok(Self { database, ..self.clone() })
    }

    /// The same database, within a bucket: its name and a `.` stand before the names of all
    /// collections and before all keys. So `users` is the collection `tenant-a.users`, and its
    /// documents stand under `tenant-a.users:`.
    ///
    /// What [`Folio::cmd`] sends stands as it is, and so do keys in errors and answers. A bucket
    /// within a bucket is `a.b`. Fails with [`Error::Usage`] where the name is empty or has a `*`.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let tenant = db.bucket("tenant-a")?;
    /// let users: u64 = tenant.count("users", "").load().await?;
    /// tenant.cmd("DOC.DROP").arg("tenant-a.*").query::<()>().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn bucket(&self, name: &str) -> Result<Self> {
        if name.is_empty() || name.contains('*') {
            return Err(Error::Usage(format!("'{name}' is no name of a bucket").into()));
        }
        let bucket = Some(self.name_in_bucket(name).into());
        Ok(Self { bucket, ..self.clone() })
    }

    /// The same database over the pool: each command has a connection to itself, so that a very
    /// large answer holds up no other.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let everything: Vec<String> = db.pooled().cmd("DOC.KEYS").arg("users").read().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn pooled(&self) -> Self {
        Self { is_pooled: true, ..self.clone() }
    }

    /// The same database, whose reads go to a replica: to each of [`Builder::replica`] in turn, or to those that the
    /// sentinels know. Writes, transactions, change streams and caches stay with the primary.
    ///
    /// **A replica is a little behind**, so a read may not see what was written just before, and of two reads the later
    /// one may see less. What is read here and written with its version is refused if it was stale, and nothing is lost.
    /// A replica that cannot be reached is left alone for two seconds; the next one answers, and where there is none
    /// the primary.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example() -> folio::Result<()> {
    /// let db = folio::Folio::builder("redis://one").replica("redis://two").connect().await?;
    /// let relaxed = db.read_from_replica();
    /// let adults = User::find(User::age().gte(18)).count(&relaxed).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn read_from_replica(&self) -> Self {
        Self { reads_from_replica: true, ..self.clone() }
    }

    /// The same, whose reads go to the primary: for what has to see its own writes.
    pub(crate) fn on_primary(&self) -> Self {
        Self { reads_from_replica: false, ..self.clone() }
    }

    /// Whether the server answers, and has loaded the module: else [`Error::ModuleMissing`].
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// db.check().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check(&self) -> Result<()> {
        self.cmd("DOC.SLOWLOG").arg("LEN").read().await
    }

    /// The shared connection beneath, opened if it has to be; a clone of it is as good as the original.
    ///
    /// The way out to what this crate has no method for. Never use it for `WATCH`, for what blocks or
    /// for `SELECT`: it is shared. It does not open itself anew: ask for it again.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut connection = db.redis().await?;
    /// let pong: String = folio::redis::cmd("PING").query_async(&mut connection).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn redis(&self) -> Result<redis::aio::MultiplexedConnection> {
        self.database.connection().await
    }

    pub(crate) fn bucket_name(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    pub(crate) fn name_in_bucket(&self, name: &str) -> String {
        match &self.bucket {
            Some(bucket) => format!("{bucket}.{name}"),
            None => name.into(),
        }
    }

    pub(crate) fn lanes(&self) -> &Database {
        &self.database
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn reads_from_replica(&self) -> bool {
        self.reads_from_replica
    }

    pub(crate) fn is_pooled(&self) -> bool {
        self.is_pooled
    }
}

impl fmt::Debug for Folio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folio").finish_non_exhaustive()
    }
}

/// What is said of a connection before it is opened; [`Folio::builder`] begins it.
///
/// ```
/// let builder = folio::Folio::builder("redis://localhost:6379").pool(4);
/// ```
#[derive(Clone)]
#[must_use = "nothing is opened until it is awaited"]
pub struct Builder {
    url: String,
    replicas: Vec<String>,
    settings: Settings,
    #[cfg(feature = "tls")]
    tls: Option<crate::Tls>,
}

impl Builder {
    /// How long a command may take; 30 seconds if nothing is said.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let builder = folio::Folio::builder("redis://db").timeout(Duration::from_secs(2));
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// How long one try to open a connection may take; 5 seconds if nothing is said.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let builder = folio::Folio::builder("redis://db").connect_timeout(Duration::from_secs(1));
    /// ```
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// How many connections the pool of each database has at most; 10 if nothing is said. They are
    /// opened as they are needed. Each change stream that is open keeps one.
    ///
    /// ```
    /// let builder = folio::Folio::builder("redis://db").pool(20);
    /// ```
    pub fn pool(mut self, connections: u32) -> Self {
        self.settings.pool_size = connections.max(1);
        self
    }

    /// How long a task waits for a connection of the pool before it is [`Error::Pool`]; 5 seconds if
    /// nothing is said.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let builder = folio::Folio::builder("redis://db").pool_timeout(Duration::from_secs(1));
    /// ```
    pub fn pool_timeout(mut self, timeout: Duration) -> Self {
        self.settings.pool_timeout = timeout;
        self
    }

    /// A server that follows the primary, for [`Folio::read_from_replica`]; several are asked in turn. Its address has
    /// the user and the password that it wants; the database is the primary's.
    ///
    /// ```
    /// let builder = folio::Folio::builder("redis://one").replica("redis://two").replica("redis://three");
    /// ```
    pub fn replica(mut self, url: &str) -> Self {
        self.replicas.push(url.into());
        self
    }

    /// Whom to trust and what to show, of an address that begins with `rediss://`.
    ///
    /// ```no_run
    /// # fn example() -> std::io::Result<()> {
    /// let tls = folio::Tls::new().root(std::fs::read("ca.pem")?);
    /// let builder = folio::Folio::builder("rediss://db").tls(tls);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: crate::Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Opens the shared connection.
    ///
    /// ```no_run
    /// # async fn example() -> folio::Result<()> {
    /// let db = folio::Folio::builder("redis://localhost:6379").connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(self) -> Result<Folio> {
        let db = self.lazy()?;
        db.database.open().await?;
        Ok(db)
    }

    /// Leaves opening the shared connection to the first command.
    ///
    /// ```no_run
    /// # fn example() -> folio::Result<()> {
    /// let db = folio::Folio::builder("redis://localhost:6379").lazy()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn lazy(self) -> Result<Folio> {
        let origin = self.origin()?;
        let timeout = self.settings.timeout;
        let server = Server::new(origin, self.settings);
        let database = server.default_database()?;
        Ok(Folio {
            server: Arc::new(server),
            database,
            timeout,
            bucket: None,
            is_pooled: false,
            reads_from_replica: false,
        })
    }

    /// Where the servers are.
    fn origin(&self) -> Result<Origin> {
        let replicas = self.replicas.iter().map(|url| self.info(url)).collect::<Result<_>>()?;
        #[cfg(feature = "sentinel")]
        if let Some(address) = crate::transport::address(&self.url) {
            let Address { info, sentinels, name } = address?;
            let secured = sentinels.into_iter().map(|info| self.secured(info));
            let addresses = secured.collect::<Result<_>>()?;
            let sentinels = Sentinels::new(name, addresses, self.settings.connect_timeout);
            let info = self.secured(with_protocol(info, &self.url))?;
            return Ok(Origin { info, replicas, sentinels: Some(Arc::new(sentinels)) });
        }
        Ok(Origin {
            info: self.info(&self.url)?,
            replicas,
            #[cfg(feature = "sentinel")]
            sentinels: None,
        })
    }

    fn info(&self, url: &str) -> Result<ConnectionInfo> {
        #[cfg(feature = "tls")]
        crate::tls::choose_arithmetic();
        let info = url.into_connection_info().map_err(|error| Error::from_redis(&error, false))?;
        self.secured(with_protocol(info, url))
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "with TLS it does more")]
    fn secured(&self, info: ConnectionInfo) -> Result<ConnectionInfo> {
        Ok(info)
    }

    #[cfg(feature = "tls")]
    fn secured(&self, info: ConnectionInfo) -> Result<ConnectionInfo> {
        let Some(tls) = &self.tls else { return Ok(info) };
        tls.clone().with(info).map_err(|error| Error::from_redis(&error, false))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("Builder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// RESP3, unless the address says otherwise.
fn with_protocol(info: ConnectionInfo, url: &str) -> ConnectionInfo {
    if url.contains("protocol=") {
        return info;
    }
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    info.set_redis_settings(settings)
}

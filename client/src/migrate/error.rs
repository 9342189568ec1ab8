//! What stops migrations.

use crate::Error;

/// What stops migrations: of [`Error::Migration`]. What was done before stands, and the next run goes on behind it.
///
/// ```no_run
/// use folio::Error;
/// use folio::migrate::{MigrationError, Migrations};
///
/// # async fn example(db: folio::Folio, migrations: Migrations) {
/// if let Err(Error::Migration(error)) = migrations.run(&db).await {
///     match *error {
///         MigrationError::Failed { version, key: Some(key), .. } => println!("{version} stops at {key}"),
///         other => println!("{other}"),
///     }
/// }
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// Another program runs them.
    #[error("the migrations '{migrations}' are being run by another program")]
    Locked {
        /// Their name.
        migrations: String,
    },
    /// The lock has lapsed: this program was out of reach of the server for too long. Nothing is written without it.
    #[error("the lock of the migrations '{migrations}' has lapsed")]
    LockLost {
        /// Their name.
        migrations: String,
    },
    /// What was applied is not what this program has.
    #[error("{0}")]
    History(String),
    /// It cannot be taken back.
    #[error("migration {version} '{name}' has no way down")]
    NoDown {
        /// Its version.
        version: u64,
        /// Its name.
        name: String,
    },
    /// A step has failed.
    #[error("migration {version} '{name}'{}: {source}", at(.key.as_deref()))]
    Failed {
        /// Its version.
        version: u64,
        /// Its name.
        name: String,
        /// The document that it has failed at, of which nothing is changed; `None` if it was at no single one.
        key: Option<String>,
        /// Why.
        source: Error,
    },
}

fn at(key: Option<&str>) -> String {
    key.map(|key| format!(" at {key}")).unwrap_or_default()
}

impl From<MigrationError> for Error {
    fn from(error: MigrationError) -> Self {
        Self::Migration(Box::new(error))
    }
}

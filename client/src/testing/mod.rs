//! For the tests of programs that use this crate: servers of their own, and documents to fill them with.
//!
//! ```no_run
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
//! # use shop::Country;
//! use folio::testing::{Factory, Server};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::start()?;
//! let db = server.connect().await?;
//! db.sync::<Country>().await?;
//!
//! let countries = Factory::new(|n| Country { code: format!("C{n}"), name: format!("country {n}") });
//! let ten = countries.create_many(10, &db).await?;
//! assert_eq!(ten[9].name, "country 10");
//! # Ok(())
//! # }
//! ```

mod error;
mod factory;
mod launch;
mod server;

pub use error::StartError;
pub use factory::Factory;
pub use server::{Builder, Server};

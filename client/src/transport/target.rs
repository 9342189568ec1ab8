//! Where connections lead to: to an address, or to whichever server the sentinels call the primary.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, RedisError};

#[cfg(feature = "sentinel")]
use std::sync::Arc;

#[cfg(feature = "sentinel")]
use super::sentinel::Sentinels;

/// Where connections to a database lead to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    client: Client,
    #[cfg(feature = "sentinel")]
    sentinels: Option<Arc<Sentinels>>,
}

impl Target {
    /// An address.
    pub(super) fn fixed(info: ConnectionInfo) -> Result<Self, RedisError> {
        let client = Client::open(info)?;
        Ok(Self {
            client,
            #[cfg(feature = "sentinel")]
            sentinels: None,
        })
    }

    /// The primary, wherever it is. `info` tells what is said to it.
    #[cfg(feature = "sentinel")]
    pub(super) fn primary(
        info: ConnectionInfo,
        sentinels: Arc<Sentinels>,
    ) -> Result<Self, RedisError> {
        Ok(Self { client: Client::open(info)?, sentinels: Some(sentinels) })
    }

    pub(super) fn info(&self) -> &ConnectionInfo {
        self.client.get_connection_info()
    }

    /// Whether another server may take the place of the one that is gone.
    #[cfg(feature = "sentinel")]
    pub(super) fn may_move(&self) -> bool {
        self.sentinels.is_some()
    }

    /// Whether another server may take the place of the one that is gone.
    #[cfg(not(feature = "sentinel"))]
    #[expect(clippy::unused_self, reason = "with sentinels it may")]
    pub(super) fn may_move(&self) -> bool {
        false
    }

    /// Opens a connection. Boxed: it is rare, and would make the future of every call larger and deeper.
    pub(super) fn open<'a>(
        &'a self,
        config: &'a AsyncConnectionConfig,
    ) -> BoxFuture<'a, Result<MultiplexedConnection, RedisError>> {
        #[cfg(feature = "sentinel")]
        if let Some(sentinels) = &self.sentinels {
            return sentinels.open_primary(self.info(), config).boxed();
        }
        self.client.get_multiplexed_async_connection_with_config(config).boxed()
    }
}

/// The code of a server that takes no writes because it follows another.
pub(super) const READONLY: &str = "READONLY";

/// Whether a server has refused a write because it only follows another. Nothing was done.
pub(super) fn is_demoted(error: &RedisError) -> bool {
    error.code() == Some(READONLY)
}

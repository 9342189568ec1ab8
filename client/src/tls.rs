//! TLS: addresses that begin with `rediss://`.

use std::fmt;

use redis::{Client, ClientTlsConfig, ConnectionInfo, RedisResult, TlsCertificates};

/// Whom to trust, and what to show, over TLS. The feature `tls` brings it.
///
/// Without it the certificates that the system trusts are trusted, and none is shown.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use folio::{Folio, Tls};
///
/// let tls = Tls::new().root(std::fs::read("ca.pem")?);
/// let db = Folio::builder("rediss://localhost:6380").tls(tls).connect().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Tls {
    root: Option<Vec<u8>>,
    client: Option<(Vec<u8>, Vec<u8>)>,
}

impl Tls {
    /// What the system trusts, and no certificate of one's own.
    ///
    /// ```
    /// let tls = folio::Tls::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the certificates of this PEM text instead of the system's.
    ///
    /// ```no_run
    /// # fn example() -> std::io::Result<()> {
    /// let tls = folio::Tls::new().root(std::fs::read("ca.pem")?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn root(self, pem: impl Into<Vec<u8>>) -> Self {
        Self { root: Some(pem.into()), ..self }
    }

    /// Shows a certificate, and proves it with its key, both as PEM text.
    ///
    /// ```no_run
    /// # fn example() -> std::io::Result<()> {
    /// let tls = folio::Tls::new().client(std::fs::read("me.pem")?, std::fs::read("me.key")?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn client(self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        Self { client: Some((certificate.into(), key.into())), ..self }
    }

    /// The address with what is trusted and shown.
    pub(crate) fn with(self, info: ConnectionInfo) -> RedisResult<ConnectionInfo> {
        let client = self.client;
        let client_tls =
            client.map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key });
        let certificates = TlsCertificates { client_tls, root_cert: self.root };
        Ok(Client::build_with_tls(info, certificates)?.get_connection_info().clone())
    }
}

/// Has ring do the arithmetic, unless the program has chosen something else.
pub(crate) fn choose_arithmetic() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Whoever was faster has chosen.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is nobody's business.
        f.debug_struct("Tls")
            .field("root", &self.root.is_some())
            .field("client", &self.client.is_some())
            .finish()
    }
}

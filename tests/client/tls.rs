//! TLS, with certificates of the test's own.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use folio::{Error, Folio, Tls};
use folio_tests::{Options, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::transport::runtime;

/// An authority, and what it has issued for `localhost`, as PEM.
struct Certificates {
    folder: TempDir,
    root: String,
    certificate: String,
    key: String,
}

impl Certificates {
    fn new() -> Self {
        let folder = TempDir::with_prefix("folio-tls-").expect("a temporary folder can be made");
        let mut authority = CertificateParams::default();
        // What it issues would look like its own else.
        authority.distinguished_name.push(DnType::CommonName, "an authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("there is a generator");
        let authority = CertifiedIssuer::self_signed(authority, key).expect("it signs itself");
        let key = KeyPair::generate().expect("there is a generator");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).expect("they are names");
        let signed = params.signed_by(&key, &authority).expect("the authority signs");
        let (root, certificate) = (authority.pem(), signed.pem());
        let certificates = Self { folder, root, certificate, key: key.serialize_pem() };
        for (name, pem) in [
            ("root.pem", &certificates.root),
            ("server.pem", &certificates.certificate),
            ("server.key", &certificates.key),
        ] {
            std::fs::write(certificates.folder.path().join(name), pem).expect("it is written");
        }
        certificates
    }

    /// A server that speaks TLS too, and the address for it.
    fn server(&self, asks_clients: bool) -> (Server, String) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let path = |name: &str| {
            let path: &Path = &self.folder.path().join(name);
            path.to_str().expect("it is UTF-8").to_owned()
        };
        let server = Options::new()
            .config("tls-port", &port.to_string())
            .config("tls-cert-file", &path("server.pem"))
            .config("tls-key-file", &path("server.key"))
            .config("tls-ca-cert-file", &path("root.pem"))
            .config("tls-auth-clients", if asks_clients { "yes" } else { "no" })
            .start();
        (server, format!("rediss://localhost:{port}"))
    }
}

/// Whether servers are processes of this machine, which see its files.
fn is_local() -> bool {
    !std::env::var("FOLIO_TEST_SERVER").is_ok_and(|image| !image.is_empty() && image != "local")
}

async fn connect(url: &str, tls: Option<Tls>) -> folio::Result<Folio> {
    let mut builder = Folio::builder(url).connect_timeout(std::time::Duration::from_secs(2));
    if let Some(tls) = tls {
        builder = builder.tls(tls);
    }
    builder.connect().await
}

#[test]
fn both_lanes_go_over_tls_to_whom_is_trusted() {
    if !is_local() {
        return;
    }
    let certificates = Certificates::new();
    let (_server, url) = certificates.server(false);
    runtime().block_on(async {
        let trusting = Tls::new().root(certificates.root.clone());
        let db = connect(&url, Some(trusting)).await.expect("it is trusted");
        db.check().await.expect("it answers");
        db.pooled().check().await.expect("it answers");
        let mistrusting = connect(&url, None).await.expect_err("nobody knows the authority");
        assert!(matches!(mistrusting, Error::Connection { .. }), "{mistrusting:?}");
        let other = Certificates::new();
        let error = connect(&url, Some(Tls::new().root(other.root))).await;
        assert!(matches!(error, Err(Error::Connection { .. })), "{error:?}");
    });
}

#[test]
fn a_client_shows_its_certificate_where_it_is_asked_for() {
    if !is_local() {
        return;
    }
    let certificates = Certificates::new();
    let (_server, url) = certificates.server(true);
    runtime().block_on(async {
        let nameless = Tls::new().root(certificates.root.clone());
        let error = connect(&url, Some(nameless.clone())).await;
        assert!(matches!(error, Err(Error::Connection { .. })), "{error:?}");
        let named = nameless.client(certificates.certificate.clone(), certificates.key.clone());
        assert_eq!(format!("{named:?}"), "Tls { root: true, client: true }");
        let db = connect(&url, Some(named)).await.expect("it is known");
        db.check().await.expect("it answers");
        let wrong = Tls::new().root("no certificate");
        let error = connect(&url, Some(wrong)).await.expect_err("it cannot be read");
        assert!(!error.is_ambiguous(), "{error:?}");
    });
}

//! TLS: the server at an `https://` address must have a certificate that the system trusts.
//!
//! These are the same certificates that stores of objects are checked by, and dbt's connection: the system's own, or
//! those in the file that the variable `SSL_CERT_FILE` names.

use std::error::Error;
use std::io;
use std::time::Duration;

use clickhouse::Client;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;

/// Connections that are used say so to the network after this long; as the client does without TLS.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// ClickHouse closes connections that nothing used for three seconds.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// A client for TLS only; an error if there are no trusted certificates.
pub(super) fn client() -> io::Result<Client> {
    let mut connector = HttpConnector::new();
    connector.set_keepalive(Some(KEEP_ALIVE));
    connector.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_platform_verifier(ring::default_provider())?
        .https_only()
        .enable_http1()
        .wrap_connector(connector);
    let client = HttpClient::builder(TokioExecutor::new()).pool_idle_timeout(IDLE_TIMEOUT).build(connector);
    Ok(Client::with_http_client(client))
}

/// The TLS error behind an error, if there is one.
pub(crate) fn objection<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(objection) = error.downcast_ref() {
        return Some(objection);
    }
    match error.downcast_ref::<io::Error>() {
        // Its source is that of the error that it holds.
        Some(error) => objection(error.get_ref()?),
        None => objection(error.source()?),
    }
}

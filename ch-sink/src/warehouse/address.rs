//! The address of the server, and what answers there.

use std::time::Duration;

use tokio::net::TcpStream;
use url::{ParseError, Url};

use super::TLS_SCHEME;
use crate::WarehouseError;

/// An address that can be shown: nothing but scheme, host and port.
pub(super) fn check_url(url: &str) -> Result<(), WarehouseError> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix(TLS_SCHEME));
    let problem = match rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest)) {
        None => "it does not begin with http:// or https://",
        Some("") => "it names no host",
        Some(rest) if rest.contains('@') => "it holds a user; give user and password by their own options",
        Some(rest) if rest.contains(['?', '#', '/']) => "it has a path or parameters",
        Some(rest) if rest.contains(|c: char| c.is_whitespace() || c.is_control()) => "it holds white space",
        Some(_) => match Url::parse(url) {
            Ok(url) if url.port() == Some(0) => "its port is not a number from 1 to 65535",
            Ok(_) => return Ok(()),
            Err(ParseError::InvalidPort) => "its port is not a number from 1 to 65535",
            Err(ParseError::EmptyHost) => "it names no host",
            Err(_) => "its host is not one",
        },
    };
    Err(WarehouseError::InvalidUrl { problem })
}

/// A user's name or password that a header of HTTP can hold.
pub(super) fn check_credential(name: &'static str, value: &str) -> Result<(), WarehouseError> {
    if value.contains(|c: char| c.is_ascii_control()) {
        return Err(WarehouseError::InvalidCredential { name });
    }
    Ok(())
}

/// Why there was no answer: whether something accepts connections there.
pub(super) async fn silence(url: &str, limit: Duration) -> &'static str {
    match connection(url, limit).await {
        Some(_) => "something listens there, but it sent no answer",
        None => "no connection was made",
    }
}

/// The start of the greeting that servers of other protocols send.
pub(super) async fn greeting(url: &str, limit: Duration) -> Option<String> {
    let connection = connection(url, limit).await?;
    let mut words = [0; 64];
    tokio::time::timeout(limit, connection.readable()).await.ok()?.ok()?;
    let read = connection.try_read(&mut words).ok().filter(|read| *read > 0)?;
    let words = String::from_utf8_lossy(&words[..read]);
    Some(words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned())
}

async fn connection(url: &str, limit: Duration) -> Option<TcpStream> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let connecting = TcpStream::connect((host, url.port_or_known_default()?));
    tokio::time::timeout(limit, connecting).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_may_hold_secrets_are_refused_without_being_repeated() {
        for url in ["http://u:geheim@host", "http://host/?password=geheim", "geheim", "http://", "http://a b"]
        {
            let error = check_url(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("geheim"), "{error}");
        }
        for url in ["http://127.0.0.1:8123", "https://[::1]:8443/", "http://clickhouse"] {
            check_url(url).unwrap();
        }
    }

    #[test]
    fn an_address_has_a_host_and_a_port_that_there_can_be() {
        for (url, problem) in [
            ("http://127.0.0.1:99999", "port"),
            ("http://127.0.0.1:0", "port"),
            ("http://127.0.0.1:http", "port"),
            ("http://127.0.0.1:-1", "port"),
            ("http://:8123", "names no host"),
            ("http://[::1", "host"),
            ("127.0.0.1:8123", "http://"),
            ("tcp://127.0.0.1:9000", "http://"),
            ("http://a\nb", "white space"),
        ] {
            let error = check_url(url).unwrap_err().to_string();
            assert!(error.contains(problem) && error.contains("CLICKHOUSE_URL"), "{url}: {error}");
        }
    }

    #[test]
    fn what_would_break_a_header_is_refused_by_its_name() {
        for value in ["a\nb", "a\r\nX-Evil: 1", "a\0", "a\u{7f}"] {
            let error =
                check_credential("the password (CLICKHOUSE_PASSWORD)", value).unwrap_err().to_string();
            assert!(error.contains("CLICKHOUSE_PASSWORD") && !error.contains(value), "{error}");
        }
        check_credential("", "pass wörd").unwrap();
    }
}

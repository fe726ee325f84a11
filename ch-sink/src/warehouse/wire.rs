//! Compression of rows on the wire.

use std::net::{IpAddr, SocketAddr};

/// How blocks of rows are compressed on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireCompression {
    /// Not at all: on one machine or a fast network any compression costs more than it saves.
    None,
    /// LZ4: about a third of the bytes.
    Lz4,
    /// Zstandard, for slow networks: less than LZ4, for more CPU time.
    Zstd,
}

impl WireCompression {
    /// What suits a server at this address: none on this machine, LZ4 elsewhere.
    pub fn for_url(url: &str) -> WireCompression {
        if is_loopback(url) { WireCompression::None } else { WireCompression::Lz4 }
    }

    pub(super) fn of_client(self) -> clickhouse::Compression {
        match self {
            WireCompression::None => clickhouse::Compression::None,
            WireCompression::Lz4 => clickhouse::Compression::Lz4,
            // The fastest of its ordinary levels.
            WireCompression::Zstd => clickhouse::Compression::Zstd(1),
        }
    }
}

fn is_loopback(url: &str) -> bool {
    let server = url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/');
    let host = match server.parse::<SocketAddr>() {
        Ok(address) => return address.ip().is_loopback(),
        Err(_) => server.rsplit_once(':').map_or(server, |(host, _)| host),
    };
    let address = server.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_on_the_way_to_other_machines_rows_are_compressed() {
        for url in [
            "http://127.0.0.1:8123",
            "http://localhost:8123/",
            "https://LOCALHOST",
            "http://[::1]:8123",
            "http://127.0.0.2",
        ] {
            assert_eq!(WireCompression::for_url(url), WireCompression::None, "{url}");
        }
        for url in [
            "http://clickhouse:8123",
            "https://10.0.0.1:8443",
            "http://localhost.example",
            "http://[2001:db8::1]",
        ] {
            assert_eq!(WireCompression::for_url(url), WireCompression::Lz4, "{url}");
        }
    }
}

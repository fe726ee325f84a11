//! `file://` URLs: paths, percent-encoded.

use crate::{SourceError, percent};

/// The path of the URL `file://` and `rest`.
pub(crate) fn path(rest: &str) -> Result<String, SourceError> {
    let invalid = |problem| SourceError::InvalidFileUrl { problem };
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(invalid("it names another host, or a relative path"));
    }
    let path = percent::decode(path).ok_or_else(|| invalid("a % is not followed by two hex digits"))?;
    String::from_utf8(path).map_err(|_| invalid("the path is not UTF-8"))
}

/// The URL of a path.
pub(crate) fn of(path: &str) -> String {
    format!("file://{}", percent::encode(path, b"/-._~!$&'()+,;=:@"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_come_back() {
        for path in ["/a b/ключ%.jsonl", "/plain/2026-03-01.jsonl.gz", "/x?y#z"] {
            let url = super::of(path);
            assert_eq!(super::path(url.strip_prefix("file://").unwrap()).unwrap(), path);
        }
    }
}

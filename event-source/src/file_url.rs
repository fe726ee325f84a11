//! `file://` URLs: paths, percent-encoded.

use std::fmt::Write;

use crate::SourceError;

/// The path of the URL `file://` and `rest`.
pub(crate) fn path(rest: &str) -> Result<String, SourceError> {
    let invalid = |problem| SourceError::InvalidFileUrl { problem };
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(invalid("it names another host, or a relative path"));
    }
    let path = percent_decoded(path).ok_or_else(|| invalid("a % is not followed by two hex digits"))?;
    String::from_utf8(path).map_err(|_| invalid("the path is not UTF-8"))
}

/// The URL of a path.
pub(crate) fn of(path: &str) -> String {
    let mut url = "file://".to_owned();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()+,;=:@".contains(&byte) {
            url.push(byte.into());
        } else {
            write!(url, "%{byte:02X}").expect("writing to a string");
        }
    }
    url
}

fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            decoded.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let hex = |digit: u8| char::from(digit).to_digit(16);
        decoded.push((hex(digits[0])? * 16 + hex(digits[1])?) as u8);
        rest = after;
    }
    Some(decoded)
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

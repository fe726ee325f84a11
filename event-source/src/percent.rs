//! Percent-encoding, as URLs have it.

use std::fmt::Write;

/// The text with every byte but letters, digits and those in `kept` as `%XX`.
pub(crate) fn encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(byte.into());
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string");
        }
    }
    encoded
}

/// The bytes that were encoded; `None` where a `%` is not followed by two hex digits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
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
    fn what_was_encoded_is_decoded() {
        for text in ["a b/ключ%.jsonl", "plain/2026-03-01.jsonl.gz", "x?y#z+\u{1}", "", "%2F"] {
            let encoded = super::encode(text, b"/.-_");
            assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_%".contains(&byte)));
            assert_eq!(super::decode(&encoded).unwrap(), text.as_bytes());
        }
        assert_eq!((super::decode("%2"), super::decode("%zz")), (None, None));
    }
}

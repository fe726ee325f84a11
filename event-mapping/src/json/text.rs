//! Escapes: read and written.

/// Appends the characters that a string's text spells; its escapes have been checked.
pub(crate) fn unescape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(backslash) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..backslash]);
        let (character, length) = read_escape(&rest.as_bytes()[backslash..]).unwrap_or(('\u{fffd}', 1));
        out.push(character);
        rest = &rest[backslash + length..];
    }
    out.push_str(rest);
}

/// Whether a string's text, whose escapes have been checked, spells another text.
pub(crate) fn spells(mut text: &str, mut expected: &str) -> bool {
    while let Some(backslash) = memchr::memchr(b'\\', text.as_bytes()) {
        let Some(rest) = expected.strip_prefix(&text[..backslash]) else { return false };
        let (character, length) = read_escape(&text.as_bytes()[backslash..]).unwrap_or(('\u{fffd}', 1));
        let Some(rest) = rest.strip_prefix(character) else { return false };
        (text, expected) = (&text[backslash + length..], rest);
    }
    text == expected
}

/// The character of the escape that some bytes begin with, and its length; `None` where it spells none.
pub(super) fn read_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let short = match bytes.get(1)? {
        b'u' => return read_unicode_escape(bytes),
        plain @ (b'"' | b'\\' | b'/') => char::from(*plain),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    };
    Some((short, 2))
}

fn read_unicode_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let first = hex4(bytes.get(2..6)?)?;
    if !(0xd800..0xdc00).contains(&first) {
        // What is left without a character is a low surrogate on its own.
        return Some((char::from_u32(first)?, 6));
    }
    if bytes.get(6..8)? != b"\\u" {
        return None;
    }
    let second = hex4(bytes.get(8..12)?)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + low)?, 12))
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}

/// Appends a text as a JSON string.
pub(crate) fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20)) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 15)]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

//! Where strings, numbers and whole values end: strict RFC 8259.

use super::Kind;
use super::text::read_escape;

/// The deepest nesting that is read; the line's object is level 1.
pub(super) const MAX_DEPTH: u32 = 128;

/// The text is not JSON of bearable depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of every byte that a string scan stops at: `"`, `\` and control characters. Bytes after the first one that
/// is marked may be marked wrongly.
#[inline]
fn stops(word: u64) -> u64 {
    let quote = word ^ (ONES * u64::from(b'"'));
    let backslash = word ^ (ONES * u64::from(b'\\'));
    let zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    (zero(quote) | zero(backslash) | below_space) & HIGHS
}

/// The place of the closing quote of the string whose text begins at `at`, and whether the text has escapes.
#[inline]
pub(super) fn string_end(bytes: &[u8], mut at: usize) -> Result<(usize, bool), Refused> {
    let mut is_escaped = false;
    loop {
        while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let found = stops(u64::from_le_bytes(*chunk));
            if found != 0 {
                at += (found.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
        }
        match *bytes.get(at).ok_or(Refused)? {
            b'"' => return Ok((at, is_escaped)),
            b'\\' => {
                is_escaped = true;
                at += read_escape(&bytes[at..]).ok_or(Refused)?.1;
            }
            ..0x20 => return Err(Refused),
            _ => at += 1,
        }
    }
}

/// The place after any blanks. A line has no newlines; a text that holds JSON may.
#[inline]
pub(super) fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r' | b'\n') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The place after the number, `true`, `false` or `null` at `at`, and what it is.
#[inline]
fn literal(bytes: &[u8], at: usize) -> Result<(usize, Kind), Refused> {
    let (word, kind): (&[u8], _) = match bytes.get(at) {
        Some(b'-' | b'0'..=b'9') => return Ok((number_end(bytes, at)?, Kind::Number)),
        Some(b't') => (b"true", Kind::True),
        Some(b'f') => (b"false", Kind::False),
        Some(b'n') => (b"null", Kind::Null),
        _ => return Err(Refused),
    };
    if bytes[at..].starts_with(word) { Ok((at + word.len(), kind)) } else { Err(Refused) }
}

fn digits(bytes: &[u8], at: usize) -> Result<usize, Refused> {
    let count = bytes[at.min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 { Err(Refused) } else { Ok(at + count) }
}

/// The place after the number at `at`.
pub(super) fn number_end(bytes: &[u8], mut at: usize) -> Result<usize, Refused> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(bytes, at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Ok(at)
}

/// Steps over the value at `at`, inside `depth` levels: the place after it and what it is.
#[inline]
pub(super) fn value(bytes: &[u8], at: usize, depth: u32) -> Result<(usize, Kind), Refused> {
    match bytes.get(at) {
        Some(b'"') => {
            let (end, is_escaped) = string_end(bytes, at + 1)?;
            Ok((end + 1, if is_escaped { Kind::Escaped } else { Kind::String }))
        }
        Some(b'{') => Ok((nested(bytes, at, depth)?, Kind::Object)),
        Some(b'[') => Ok((nested(bytes, at, depth)?, Kind::Array)),
        _ => literal(bytes, at),
    }
}

/// The place after the key at `at`, its colon and blanks.
#[inline]
fn key(bytes: &[u8], at: usize) -> Result<usize, Refused> {
    if bytes.get(at) != Some(&b'"') {
        return Err(Refused);
    }
    let (end, _) = string_end(bytes, at + 1)?;
    colon(bytes, end + 1)
}

/// The place after a colon and the blanks around it.
#[inline]
pub(super) fn colon(bytes: &[u8], at: usize) -> Result<usize, Refused> {
    let at = blanks(bytes, at);
    if bytes.get(at) == Some(&b':') { Ok(blanks(bytes, at + 1)) } else { Err(Refused) }
}

/// The place after the object or array at `at`, inside `outer` levels.
fn nested(bytes: &[u8], mut at: usize, outer: u32) -> Result<usize, Refused> {
    // The open levels, the innermost the lowest bit: 1 is an object. MAX_DEPTH of them fit.
    let mut open_objects: u128 = 0;
    let mut depth = 0;
    loop {
        match bytes.get(at) {
            Some(bracket @ (b'{' | b'[')) => {
                if outer + depth == MAX_DEPTH {
                    return Err(Refused);
                }
                let is_object = *bracket == b'{';
                at = blanks(bytes, at + 1);
                let close = if is_object { b'}' } else { b']' };
                if bytes.get(at) == Some(&close) {
                    at += 1;
                } else {
                    open_objects = open_objects << 1 | u128::from(is_object);
                    depth += 1;
                    if is_object {
                        at = key(bytes, at)?;
                    }
                    continue;
                }
            }
            Some(b'"') => at = string_end(bytes, at + 1)?.0 + 1,
            _ => at = literal(bytes, at)?.0,
        }
        // A value has ended: close what ends with it, up to the next value.
        loop {
            if depth == 0 {
                return Ok(at);
            }
            at = blanks(bytes, at);
            let is_object = open_objects & 1 == 1;
            match bytes.get(at) {
                Some(b',') => {
                    at = blanks(bytes, at + 1);
                    if is_object {
                        at = key(bytes, at)?;
                    }
                    break;
                }
                Some(b'}') if is_object => {}
                Some(b']') if !is_object => {}
                _ => return Err(Refused),
            }
            at += 1;
            open_objects >>= 1;
            depth -= 1;
        }
    }
}

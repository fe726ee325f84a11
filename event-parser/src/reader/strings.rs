//! Strings: where they end, and their escapes.

use super::LineError;

/// The closing quote of the string whose opening quote is at `open`; and whether it has escapes, all of which are
/// valid.
pub(super) fn end(line: &[u8], open: usize) -> Result<(usize, bool), LineError> {
    let mut at = open + 1;
    let mut is_escaped = false;
    loop {
        match line.get(at) {
            None => return Err(LineError::Syntax { at: line.len(), expected: "a closing `\"`" }),
            Some(b'"') => return Ok((at, is_escaped)),
            Some(b'\\') => {
                is_escaped = true;
                at += read_escape(line, at)?.1;
            }
            Some(..0x20) => {
                return Err(LineError::Syntax {
                    at,
                    expected: "an escape (\\n, \\t, \\u00XX) for this character",
                });
            }
            Some(_) => at += 1,
        }
    }
}

/// The character of the escape at `at`, and its length in the line.
pub(super) fn read_escape(line: &[u8], at: usize) -> Result<(char, usize), LineError> {
    let short = match line.get(at + 1) {
        Some(b'u') => return read_unicode_escape(line, at),
        Some(plain @ (b'"' | b'\\' | b'/')) => char::from(*plain),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        _ => {
            return Err(LineError::Syntax {
                at: at + 1,
                expected: "one of \" \\ / b f n r t u after a backslash",
            });
        }
    };
    Ok((short, 2))
}

fn read_unicode_escape(line: &[u8], at: usize) -> Result<(char, usize), LineError> {
    let unpaired = |at| LineError::Syntax {
        at,
        expected: "a surrogate pair, like \\ud83d\\ude00, instead of a lone surrogate",
    };
    let first = hex4(line, at + 2)?;
    let (code, length) = match first {
        0xd800..0xdc00 => {
            if line.get(at + 6) != Some(&b'\\') || line.get(at + 7) != Some(&b'u') {
                return Err(unpaired(at));
            }
            let second = hex4(line, at + 8)?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(unpaired(at));
            }
            (0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12)
        }
        code => (code, 6),
    };
    // The only codes left that are not characters are lone low surrogates.
    char::from_u32(code).map(|character| (character, length)).ok_or_else(|| unpaired(at))
}

fn hex4(line: &[u8], at: usize) -> Result<u32, LineError> {
    (at..at + 4).try_fold(0, |code, at| {
        let digit = line.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let digit = digit.ok_or(LineError::Syntax { at, expected: "four hexadecimal digits after \\u" })?;
        Ok(code << 4 | digit)
    })
}

/// Whether all escapes of a text are valid; `backslashes` are those of the text.
pub(crate) fn are_escapes_valid(text: &[u8], backslashes: &[u32]) -> bool {
    let mut passed = 0;
    for backslash in backslashes {
        // A second backslash belongs to the escape of the first.
        if *backslash >= passed {
            match escape_length(text, *backslash as usize) {
                Some(length) => passed = *backslash + length,
                None => return false,
            }
        }
    }
    true
}

/// The length of the escape at `at`, if it is valid.
#[inline]
fn escape_length(text: &[u8], at: usize) -> Option<u32> {
    if SHORT[usize::from(*text.get(at + 1)?)] {
        return Some(2);
    }
    if let Some([b'\\', b'u', digits @ ..]) = text.get(at..).and_then(|rest| rest.first_chunk::<6>()) {
        let [first, second, third, fourth] = digits.map(|digit| HEX[usize::from(digit)]);
        let is_surrogate = first == 0xd && second >= 8;
        if first | second | third | fourth < NO_HEX && !is_surrogate {
            return Some(6);
        }
    }
    read_escape(text, at).ok().map(|(_, length)| length as u32)
}

/// Whether a backslash and this byte are an escape.
const SHORT: [bool; 256] = {
    let mut short = [false; 256];
    let bytes = b"\"\\/bfnrt";
    let mut number = 0;
    while number < bytes.len() {
        short[bytes[number] as usize] = true;
        number += 1;
    }
    short
};

/// The value of a byte that is not a hexadecimal digit.
const NO_HEX: u8 = 16;

/// The value of each byte as a hexadecimal digit.
const HEX: [u8; 256] = {
    let mut values = [NO_HEX; 256];
    let mut value = 0;
    while value < NO_HEX {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        values[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Appends the unescaped form of a string's text, whose escapes are valid.
pub(super) fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..backslash]);
        let (character, length) = read_escape(rest, backslash).expect("the escape has been read before");
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[backslash + length..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16384))]

        #[test]
        fn the_length_of_an_escape_is_what_the_strict_parser_reads(
            escape in r#"\\(["\\/bfnrtuU0]|u[0-9a-fA-FdD]{0,5}|u[dD][89abAB][0-9a-f]{2}\\u[dD][c-fC-F][0-9a-f]{2}|[ -~])"#,
            after in "[0-9a-f\\\\u\"]{0,8}",
        ) {
            let text = escape + &after;
            let expected = read_escape(text.as_bytes(), 0).ok().map(|(_, length)| length as u32);
            prop_assert_eq!(escape_length(text.as_bytes(), 0), expected, "{}", text);
        }
    }
}

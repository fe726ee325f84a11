//! The grammar of numbers.

use super::LineError;

/// The end of the number that begins at `start` with a minus or a digit.
pub(crate) fn end(line: &[u8], start: usize) -> Result<usize, LineError> {
    let mut at = start;
    if line[at] == b'-' {
        at += 1;
    }
    if line.get(at) == Some(&b'0') {
        at += 1;
        if let Some(b'0'..=b'9') = line.get(at) {
            return Err(LineError::Syntax { at, expected: "a number without leading zeros" });
        }
    } else {
        at = digits(line, at)?;
    }
    if line.get(at) == Some(&b'.') {
        at = digits(line, at + 1)?;
    }
    if let Some(b'e' | b'E') = line.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = line.get(at) {
            at += 1;
        }
        at = digits(line, at)?;
    }
    Ok(at)
}

/// Steps over one digit or more.
fn digits(line: &[u8], at: usize) -> Result<usize, LineError> {
    match line[at..].iter().take_while(|byte| byte.is_ascii_digit()).count() {
        0 => Err(LineError::Syntax { at, expected: "a digit" }),
        count => Ok(at + count),
    }
}

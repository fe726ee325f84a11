//! Errors that stop the reading of a line.

use event_schema::Reason;
use event_schema::value::is_invisible;

use crate::batch::Violation;

/// A line that is not a JSON object, or nests too deep. Positions are counted from the chunk's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineError {
    /// The grammar expects something else at a position.
    Syntax {
        /// Where.
        at: usize,
        /// What the grammar expects.
        expected: &'static str,
    },
    /// Objects and arrays nest deeper than the limit.
    TooDeep {
        /// Where the level past the limit opens.
        at: usize,
    },
    /// The line's value is not an object.
    NotAnObject,
}

impl LineError {
    /// The violation of the line whose text in the chunk is from `start` to before `end`.
    #[cold]
    pub(crate) fn into_violation(self, chunk: &[u8], start: usize, end: usize) -> Violation {
        let text = &chunk[start..end];
        let (reason, message) = match self {
            LineError::Syntax { at, expected } => (
                Reason::InvalidJson,
                format!(
                    "expected {expected} at column {}, found {}",
                    at - start + 1,
                    found(text, at - start)
                ),
            ),
            LineError::TooDeep { at } => (
                Reason::NestingTooDeep,
                format!(
                    "expected at most {} levels of objects and arrays, found one more at column {}",
                    super::MAX_DEPTH,
                    at - start + 1
                ),
            ),
            LineError::NotAnObject => (
                Reason::NotAnObject,
                format!(
                    "expected a JSON object, like {{\"event_id\": …}}, found {}",
                    found(text, first_byte(text))
                ),
            ),
        };
        Violation::of_line(reason, message)
    }
}

fn first_byte(text: &[u8]) -> usize {
    text.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r')).unwrap_or(0)
}

/// The character at a position, for a message.
fn found(text: &[u8], at: usize) -> String {
    let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else {
        return "the end of the line".to_owned();
    };
    // A character takes at most four bytes; the line is UTF-8, though `at` may be inside a character.
    match String::from_utf8_lossy(&rest[..rest.len().min(4)]).chars().next() {
        Some(control) if control.is_control() => {
            format!("the control character U+{:04X}", u32::from(control))
        }
        Some(invisible) if is_invisible(invisible) => {
            format!("the invisible character U+{:04X}", u32::from(invisible))
        }
        Some(character) => format!("`{character}`"),
        None => "nothing".to_owned(),
    }
}

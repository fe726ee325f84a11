//! The event contract a second time: slow, plain, and independent of the loader.
//!
//! The loader is written for speed; this is written to be obviously right. It shares no code with
//! `event-schema` or `event-parser`, so that a mistake in either shows as a difference between the two.
//! Everything here reads one line at a time, copies freely and asks `serde_json` for a second opinion.

mod calendar;
mod event;
mod fields;
mod json;
mod lines;
#[cfg(test)]
mod tests;

pub(crate) use calendar::{date, timestamp};
pub(crate) use lines::split;

/// How a source is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The day the file belongs to: year, month (1–12), day (1–31).
    pub batch_date: (i32, u32, u32),
    /// The longest line that is accepted, in bytes without its ending.
    pub max_line_bytes: usize,
}

impl Options {
    /// The contract's defaults, for the day file of `batch_date` (year, month, day).
    pub fn for_date(batch_date: (i32, u32, u32)) -> Self {
        Self { batch_date, max_line_bytes: 1 << 20 }
    }
}

/// The contract's defaults and 2026-01-01, the day of the corpus and of the generated lines.
impl Default for Options {
    fn default() -> Self {
        Self::for_date((2026, 1, 1))
    }
}

/// One stored value, in the plainest form that loses nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Absent, in a nullable column.
    Null,
    /// A string; a UUID in lower case with hyphens.
    Text(Vec<u8>),
    /// An integer; a timestamp in milliseconds and a date in days since 1970-01-01; a decimal in 1/10000.
    Int(i64),
    /// A 64-bit float. Compared by value: `-0.0` equals `0.0`.
    Float(f64),
    /// A truth value.
    Bool(bool),
}

impl Value {
    /// The text value of `text`.
    pub fn text(text: impl AsRef<[u8]>) -> Self {
        Self::Text(text.as_ref().to_vec())
    }
}

/// An accepted line.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The table's name within the `raw` database: `events`, `purchases`, …
    pub table: &'static str,
    /// The line's number in its source, from 1.
    pub line: u64,
    /// All columns of the raw table in its order, save those that the load itself adds
    /// (`batch_date`, `source_file`, `source_line`, `load_id`).
    pub columns: Vec<(&'static str, Value)>,
}

/// A refused line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The line's number in its source, from 1.
    pub line: u64,
    /// Where the line begins in its source.
    pub byte_offset: u64,
    /// The first violation's reason.
    pub reason: &'static str,
    /// The first violation's field, `''` where the line as a whole is refused.
    pub field: String,
    /// Every violation: reason and field's path, in the contract's order.
    pub violations: Vec<(&'static str, String)>,
    /// The line without its ending; of one that is too long, the first 64 KiB.
    pub raw: Vec<u8>,
}

/// What became of a whole source.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Accepted lines, in order.
    pub rows: Vec<Row>,
    /// Refused lines, in order.
    pub rejects: Vec<Reject>,
    /// All lines, blank ones included.
    pub lines: u64,
    /// Lines of only spaces, tabs and carriage returns.
    pub blank_lines: u64,
}

/// All reasons a line can be refused for, in the contract's order.
pub const REASONS: [&str; 10] = [
    "invalid_utf8",
    "line_too_long",
    "invalid_json",
    "nesting_too_deep",
    "not_an_object",
    "duplicate_field",
    "missing_field",
    "wrong_type",
    "invalid_value",
    "out_of_range",
];

/// Of a line that is too long, this much is kept, in bytes.
pub(crate) const KEPT_OF_LONG_LINE: usize = 64 << 10;

/// Reads a whole source by the contract.
pub fn read(bytes: &[u8], options: &Options) -> Outcome {
    let mut outcome = Outcome::default();
    for line in split(bytes) {
        outcome.lines += 1;
        if line.is_blank() {
            outcome.blank_lines += 1;
            continue;
        }
        match read_line(line.text, options) {
            Ok((table, columns)) => outcome.rows.push(Row { table, line: line.number, columns }),
            Err(violations) => {
                let (reason, field) = violations[0].clone();
                let kept = if reason == "line_too_long" { KEPT_OF_LONG_LINE } else { usize::MAX };
                let raw = line.text[..line.text.len().min(kept)].to_vec();
                let byte_offset = line.offset;
                outcome.rejects.push(Reject {
                    line: line.number,
                    byte_offset,
                    reason,
                    field,
                    violations,
                    raw,
                });
            }
        }
    }
    outcome
}

/// A table's name and its row's columns.
type Accepted = (&'static str, Vec<(&'static str, Value)>);
/// Reasons with the path of the field, at least one.
type Violations = Vec<(&'static str, String)>;

/// The checks of a line in their order; each of those here ends the reading of the line.
fn read_line(line: &[u8], options: &Options) -> Result<Accepted, Violations> {
    let whole_line = |reason| vec![(reason, String::new())];
    if line.len() > options.max_line_bytes {
        return Err(whole_line("line_too_long"));
    }
    let text = std::str::from_utf8(line).map_err(|_| whole_line("invalid_utf8"))?;
    json::check(text).map_err(whole_line)?;
    let text = text.trim_matches([' ', '\t', '\r']);
    if !text.starts_with('{') {
        return Err(whole_line("not_an_object"));
    }
    event::read(text, options)
}

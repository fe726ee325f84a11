//! Events as lines of the contract: what `load` takes without a mapping.

use event_parser::Violation;
use event_schema::Reason;

use super::{Mapper, Origin, Sink, Value};
use crate::compile::{FieldValue, PROPERTIES};
use crate::json::write_string;

/// Contract lines of mapped events, and what was wrong with others. Its memory is reused.
#[derive(Debug, Default)]
pub struct ContractLines {
    /// Whole lines.
    lines: Vec<u8>,
    /// Where each line begins, with its origin.
    starts: Vec<(usize, Origin)>,
    /// The payload of the line that is written.
    payload: Vec<u8>,
    /// The members of it that no field took.
    kept: Vec<u8>,
    /// Violations of the event that is written.
    failed: Vec<Violation>,
    /// Violations of elements that were rejected: those of one event after another.
    rejected: Vec<(Origin, Vec<Violation>)>,
    origin: Origin,
    has_payload: bool,
}

impl ContractLines {
    /// Maps a line: valid UTF-8, not blank, without its ending. Its events are added to the lines.
    ///
    /// # Errors
    /// The line as a whole is rejected.
    pub fn map(&mut self, mapper: &mut Mapper, line: &str) -> Result<(), Violation> {
        mapper.map(line, self)
    }

    /// The lines, each with its `\n`.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// How many lines there are.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// Each line with its `\n`, and where it comes from.
    pub(super) fn each(&self) -> impl Iterator<Item = (&[u8], Origin)> {
        let ends = self.starts.iter().skip(1).map(|(start, _)| *start).chain([self.lines.len()]);
        self.starts.iter().zip(ends).map(|((start, origin), end)| (&self.lines[*start..end], *origin))
    }

    /// The violations of each element that was rejected, in the order of the source.
    pub fn rejected(&self) -> impl Iterator<Item = &[Violation]> {
        self.rejected.iter().map(|(_, violations)| violations.as_slice())
    }

    /// Forgets lines and violations; keeps the memory.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.starts.clear();
        self.rejected.clear();
    }

    fn start(&self) -> usize {
        self.starts.last().map_or(0, |(start, _)| *start)
    }
}

/// Appends a member of an object whose opening bracket is the last byte before its first member.
fn member(name: &str, value: Value<'_>, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Text(text) => write_string(text.as_bytes(), out),
        Value::Number(text) | Value::Object(text) | Value::Array(text) => {
            out.extend_from_slice(text.as_bytes());
        }
    }
    out.push(b',');
}

/// Appends a member as it stands.
fn member_as_it_stands(key: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    out.push(b':');
    out.extend_from_slice(value.as_bytes());
    out.push(b',');
}

/// Ends an object whose members each have a comma after them.
fn close(out: &mut Vec<u8>) {
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(b'}');
}

impl Sink for ContractLines {
    fn begin(&mut self, origin: Origin) {
        self.origin = origin;
        self.starts.push((self.lines.len(), origin));
        self.lines.push(b'{');
        self.payload.clear();
        self.payload.push(b'{');
        self.kept.clear();
        self.has_payload = true;
    }

    fn set(&mut self, field: &FieldValue, value: Value<'_>) {
        let out = if field.in_payload { &mut self.payload } else { &mut self.lines };
        member(field.field.name, value, out);
    }

    fn set_properties(&mut self, value: Value<'_>) {
        member(PROPERTIES, value, &mut self.lines);
        self.has_payload = false;
    }

    fn fail(&mut self, field: &FieldValue, reason: Reason, message: String) {
        self.failed.push(Violation::of_field(reason, field.path.as_str(), message));
    }

    fn fail_properties(&mut self, reason: Reason, message: String) {
        self.failed.push(Violation::of_field(reason, PROPERTIES, message));
    }

    fn keep(&mut self, in_payload: bool, key: &str, value: &str) {
        member_as_it_stands(key, value, if in_payload { &mut self.payload } else { &mut self.kept });
    }

    fn end(&mut self) {
        if !self.failed.is_empty() {
            // It is no line of the contract.
            self.lines.truncate(self.start());
            self.starts.pop();
            self.rejected.push((self.origin, std::mem::take(&mut self.failed)));
            return;
        }
        if self.has_payload && self.payload.len() > 1 {
            close(&mut self.payload);
            self.lines.extend_from_slice(b"\"properties\":");
            self.lines.extend_from_slice(&self.payload);
            self.lines.push(b',');
        }
        self.lines.extend_from_slice(&self.kept);
        close(&mut self.lines);
        self.lines.push(b'\n');
    }

    fn reject(&mut self, violation: Violation) {
        self.rejected.push((Origin::default(), vec![violation]));
    }
}

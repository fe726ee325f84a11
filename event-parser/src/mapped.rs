//! Lines of other formats: a [`LineMapper`] says where the contract's fields are in a line, and the parser does the rest.
//!
//! The parser keeps what it does for lines of the contract: it cuts bytes into lines, counts them, skips blank ones, and
//! rejects lines that are too long or not UTF-8. The mapper gets each other line, and gives its events, field by field, to
//! an [`EventBuilder`]. They are then checked by the same rules, with the same messages, and fill the same columns. A
//! rejected line is kept as it came.
//!
//! ```
//! use event_parser::mapped::{EventBuilder, FieldId, FieldValue, LineMapper, MappedParser, SourceLine};
//! use event_parser::{Batch, Options, Violation};
//!
//! /// Lines like `opened u-42 2026-03-01T09:30:00Z 018f2c6e-7b1a-7c3d-9e4f-0123456789ab`.
//! struct Words([FieldId; 4]);
//!
//! impl LineMapper for Words {
//!     fn map(&mut self, line: SourceLine<'_>, events: &mut EventBuilder<'_>) -> Result<(), Violation> {
//!         events.begin(0);
//!         for (field, word) in self.0.iter().zip(line.text.split(' ')) {
//!             events.set(*field, FieldValue::String(word));
//!         }
//!         events.end();
//!         Ok(())
//!     }
//! }
//!
//! let fields = ["event_type", "user_id", "event_time", "event_id"];
//! let words = Words(fields.map(|name| FieldId::envelope(name).expect("the contract has it")));
//! let mut parser = MappedParser::new("events.txt", Options::new("2026-03-01".parse()?), words);
//! let mut batch = Batch::default();
//! let lines = b"opened u-42 2026-03-01T09:30:00Z 018f2c6e-7b1a-7c3d-9e4f-0123456789ab\nopened u-42 yesterday\n";
//! parser.push(lines, &mut batch);
//! parser.finish(&mut batch);
//! assert_eq!(batch.rows(), 1);
//! let violations: Vec<_> = batch.rejects()[0].violations.iter().map(ToString::to_string).collect();
//! assert_eq!(violations, ["missing_field event_id", "invalid_value event_time"]);
//! # Ok::<(), event_schema::value::DateError>(())
//! ```

use std::sync::Arc;

use event_schema::Reason;
use event_schema::registry::{ENVELOPE, Field};

use crate::Options;
use crate::arch::{Backend, Simd, Task};
use crate::batch::{Batch, Violation};
use crate::check::Checker;
use crate::chunk::{Rejects, check_utf8};
use crate::contract::{EVENT_TYPE, FIRST_OF_PAYLOAD, PROPERTIES};
use crate::payload_kind::PayloadKind;
use crate::reader::{self, Arena, KeyTables, Line, LineLocation, LineSlots, Slot, SlotKind, UnknownMember};
use crate::slot_rows::{SlotRows, all_kinds};
use crate::split::{self, ParseChunk, Progress, Splitter};

/// Reads the lines of another format.
pub trait LineMapper {
    /// Reads one line and gives its events to `events`: none, one or several. An error rejects the line as a whole, and
    /// its events are forgotten.
    fn map(&mut self, line: SourceLine<'_>, events: &mut EventBuilder<'_>) -> Result<(), Violation>;

    /// Adds to a violation that the contract's rules have found in an event, e.g. where the value stood in the line.
    /// `tag` is what the event was begun with.
    fn explain(&mut self, line: SourceLine<'_>, tag: u32, violation: &mut Violation) {
        let _ = (line, tag, violation);
    }
}

/// A line of the source: UTF-8, not blank, not too long.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SourceLine<'a> {
    /// The line without its ending.
    pub text: &'a str,
    /// Its number in the source, from 1.
    pub number: u64,
    /// Its first byte in the source.
    pub byte_offset: u64,
}

/// A field of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FieldId {
    slot: u8,
    /// The index of the payload that has the field; `None` for the envelope.
    payload: Option<u8>,
}

impl FieldId {
    /// The envelope's field of that name.
    pub fn envelope(name: &str) -> Option<FieldId> {
        let slot = position(&ENVELOPE, name)?;
        Some(FieldId { slot: slot as u8, payload: None })
    }

    /// The payload's field of that name, for events of a type that the contract knows.
    pub fn payload(event_type: &str, name: &str) -> Option<FieldId> {
        let kind = PayloadKind::of(event_type.as_bytes())?;
        let field = position(kind.event_type().fields, name)?;
        Some(FieldId { slot: (FIRST_OF_PAYLOAD + field) as u8, payload: Some(kind as u8) })
    }
}

fn position(fields: &[Field], name: &str) -> Option<usize> {
    fields.iter().position(|field| field.name == name)
}

/// The value of a field. It is copied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldValue<'a> {
    /// A string without its quotes, unescaped.
    String(&'a str),
    /// A JSON number as it is written: amounts are read from this text, never through a float.
    Number(&'a str),
    /// A boolean.
    Bool(bool),
    /// `null`, which is the same as absent.
    Null,
    /// An object as JSON text. `properties` are stored byte for byte.
    Object(&'a str),
    /// An array, which no field of the contract allows.
    Array,
}

/// Builds the events of a line.
#[derive(Debug)]
pub struct EventBuilder<'a> {
    events: &'a mut Events,
    /// The index of the line in the chunk.
    line: usize,
    number: u64,
    is_open: bool,
}

impl EventBuilder<'_> {
    /// Begins an event; `tag` is the mapper's, for [`LineMapper::explain`]. An event that is not ended is forgotten.
    pub fn begin(&mut self, tag: u32) {
        self.is_open = true;
        let Events { rows, origins, payload, .. } = &mut *self.events;
        *payload = None;
        origins.truncate(rows.count());
        let location =
            LineLocation { number: self.number, byte_offset: 0, start: origins.len() as u32, end: 0 };
        origins.push(EventOrigin { line: self.line, tag });
        let (row, arena) = rows.next(location);
        let first = arena.unknown.len() as u32;
        row.unknown = (first, first);
    }

    /// Sets a field of the event. A second value for the same field is a violation (`duplicate_field`). The fields of a
    /// payload count only if the event's type is the one that has them.
    pub fn set(&mut self, field: FieldId, value: FieldValue<'_>) {
        let slot = self.events.slot(value);
        self.set_slot(field, slot);
    }

    /// Says that a field has a value that cannot be converted: the event is rejected for this reason, in the place of what
    /// the field's rule would find.
    pub fn fail(&mut self, field: FieldId, reason: Reason, message: impl Into<String>) {
        let failures = &mut self.events.rows.arena.failures;
        let start = failures.len() as u32;
        failures.push((reason, message.into()));
        self.set_slot(field, Slot { kind: SlotKind::Failed, start, end: start });
    }

    fn set_slot(&mut self, field: FieldId, slot: Slot) {
        debug_assert!(self.is_open, "an event has been begun");
        if let Some(payload) = field.payload {
            debug_assert!(
                self.events.payload.is_none_or(|set| set == payload),
                "the fields of one event are of one payload"
            );
            self.events.payload = Some(payload);
        }
        self.events.rows.current().0.set(usize::from(field.slot), slot);
    }

    /// Keeps a member that no field takes, for the column `extra`: its key, with the quotes, and its value as JSON text.
    pub fn keep_unknown(&mut self, in_payload: bool, key: &str, value: &str) {
        let text = &mut self.events.text;
        let key = append(text, key);
        let value = append(text, value);
        let (row, arena) = self.events.rows.current();
        arena.unknown.push(UnknownMember { in_payload, key, value });
        row.unknown.1 = arena.unknown.len() as u32;
    }

    /// Ends the event.
    pub fn end(&mut self) {
        self.is_open = false;
        self.events.end();
    }

    /// Rejects a part of the line alone, e.g. one element of several: the line is kept with this violation.
    pub fn reject(&mut self, violation: Violation) {
        self.events.rejected.push((self.line, violation));
    }
}

/// The line and the tag of an event.
#[derive(Debug, Clone, Copy)]
struct EventOrigin {
    line: usize,
    tag: u32,
}

/// The events of a chunk. The memory is reused from chunk to chunk.
#[derive(Debug, Default)]
struct Events {
    /// The texts of the values, one after another.
    text: Vec<u8>,
    rows: SlotRows,
    /// Where each event comes from; the location of its row has the index as `start`.
    origins: Vec<EventOrigin>,
    rejected: Vec<(usize, Violation)>,
    /// The payload whose fields the current event has.
    payload: Option<u8>,
    keys: KeyTables,
}

impl Events {
    fn clear(&mut self) {
        self.text.clear();
        self.rows.clear();
        self.origins.clear();
        self.rejected.clear();
        self.payload = None;
    }

    fn slot(&mut self, value: FieldValue<'_>) -> Slot {
        let (kind, text) = match value {
            FieldValue::String(text) => (SlotKind::PlainString, text),
            FieldValue::Number(text) => (SlotKind::Number, text),
            FieldValue::Object(text) => (SlotKind::Object, text),
            FieldValue::Bool(value) => (SlotKind::of_boolean(value), ""),
            FieldValue::Null => (SlotKind::Null, ""),
            FieldValue::Array => (SlotKind::Array, ""),
        };
        let (start, end) = append(&mut self.text, text);
        Slot { kind, start, end }
    }

    /// Completes the current row: its kind follows from the event's type, and its payload from `properties` where no
    /// field of the payload was set.
    fn end(&mut self) {
        let Events { text, rows, payload, keys, .. } = self;
        let (row, arena) = rows.current();
        let event_type = row.slots[EVENT_TYPE];
        if event_type.kind.is_string() {
            row.kind = PayloadKind::of(&text[event_type.start as usize..event_type.end as usize]);
        }
        let properties = row.slots[PROPERTIES];
        match (row.kind, *payload) {
            // The fields of another payload are not those of this event.
            (kind, Some(set)) if kind.is_none_or(|kind| kind as u8 != set) => {
                row.slots[FIRST_OF_PAYLOAD..].fill(Slot::default());
            }
            (Some(kind), None) if properties.kind == SlotKind::Object => {
                read_payload(text, properties, kind, keys, row, arena);
            }
            (Some(_), Some(_)) if properties.kind == SlotKind::Absent => {
                row.slots[PROPERTIES].kind = SlotKind::Object;
            }
            _ => {}
        }
        row.unknown.1 = arena.unknown.len() as u32;
        *payload = None;
        rows.keep();
    }

    /// Forgets the events from `row` on.
    fn truncate(&mut self, row: usize) {
        self.rows.truncate(row);
        self.origins.truncate(row);
        self.payload = None;
    }
}

/// Reads an object as the payload of a row.
fn read_payload(
    text: &[u8],
    properties: Slot,
    kind: PayloadKind,
    keys: &KeyTables,
    row: &mut LineSlots,
    arena: &mut Arena,
) {
    let object = &text[..properties.end as usize];
    match reader::read_payload_at((object, properties.start), kind, keys, row, arena) {
        Ok(()) => reader::unescape(object, row, arena),
        Err(error) => {
            let violation = error.into_violation(object, properties.start as usize, properties.end as usize);
            let start = arena.failures.len() as u32;
            arena.failures.push((violation.reason, violation.message));
            row.slots[PROPERTIES] = Slot { kind: SlotKind::Failed, start, end: start };
        }
    }
}

fn append(buffer: &mut Vec<u8>, text: &str) -> (u32, u32) {
    let start = buffer.len() as u32;
    buffer.extend_from_slice(text.as_bytes());
    (start, buffer.len() as u32)
}

/// Parses one source of another format. It is used like [`Parser`](crate::Parser).
#[derive(Debug)]
pub struct MappedParser<M>(Splitter<MappedChunks<M>>);

impl<M: LineMapper> MappedParser<M> {
    /// A parser for the source of that name.
    pub fn new(source: &str, options: Options, mapper: M) -> MappedParser<M> {
        let options = options.clamped();
        let chunks = MappedChunks {
            backend: options.backend,
            source: source.into(),
            max_line_bytes: options.max_line_bytes,
            lines: Vec::new(),
            events: Events::default(),
            checker: Checker::new(source, options.batch_date),
            mapper,
        };
        MappedParser(Splitter::new(chunks, &options))
    }

    /// See [`Parser::seek`](crate::Parser::seek).
    pub fn seek(&mut self, line: u64, byte_offset: u64) {
        self.0.seek(line, byte_offset);
    }

    /// See [`Parser::push`](crate::Parser::push).
    pub fn push(&mut self, bytes: &[u8], batch: &mut Batch) -> usize {
        self.0.push(bytes, batch)
    }

    /// See [`Parser::finish`](crate::Parser::finish).
    pub fn finish(&mut self, batch: &mut Batch) {
        self.0.finish(batch);
    }

    /// The mapper.
    pub fn mapper(&self) -> &M {
        &self.0.chunk.mapper
    }

    /// The mapper.
    pub fn mapper_mut(&mut self) -> &mut M {
        &mut self.0.chunk.mapper
    }
}

/// Maps and checks the lines of a chunk.
#[derive(Debug)]
struct MappedChunks<M> {
    backend: Backend,
    source: Arc<str>,
    max_line_bytes: usize,
    /// The lines that have events or rejects.
    lines: Vec<LineLocation>,
    events: Events,
    checker: Checker,
    mapper: M,
}

impl<M: LineMapper> ParseChunk for MappedChunks<M> {
    fn parse(&mut self, bytes: &[u8], length: usize, progress: &mut Progress, batch: &mut Batch) {
        let first_reject = batch.rejects().len();
        self.lines.clear();
        self.events.clear();
        let mut start = 0;
        while start < length {
            let newline = memchr::memchr(b'\n', &bytes[start..length]);
            let line_end = newline.map_or(length, |newline| start + newline);
            let text = &bytes[start..line_end];
            let text = text.strip_suffix(b"\r").filter(|_| newline.is_some()).unwrap_or(text);
            progress.lines += 1;
            batch.lines += 1;
            if split::is_blank(text) {
                batch.blank_lines += 1;
            } else {
                let location = LineLocation {
                    number: progress.lines,
                    byte_offset: progress.byte_offset + start as u64,
                    start: start as u32,
                    end: (start + text.len()) as u32,
                };
                self.map(bytes, location, batch);
            }
            start = line_end + 1;
        }
        self.reject_parts(bytes, batch);
        let MappedChunks { backend, events, checker, mapper, lines, source, .. } = self;
        backend.run(CheckEvents {
            bytes,
            rejects: Rejects { bytes, source },
            lines,
            events,
            checker,
            mapper,
            batch,
        });
        batch.sort_rejects(first_reject);
        progress.byte_offset += length as u64;
    }

    fn reject_overlong(&mut self, kept: &[u8], length: u64, progress: &Progress, batch: &mut Batch) {
        let rejects = Rejects { bytes: kept, source: &self.source };
        rejects.add_overlong(progress, self.max_line_bytes, length, batch);
    }
}

impl<M: LineMapper> MappedChunks<M> {
    /// Maps one line that is not blank.
    fn map(&mut self, bytes: &[u8], location: LineLocation, batch: &mut Batch) {
        let rejects = Rejects { bytes, source: &self.source };
        let text = &bytes[location.start as usize..location.end as usize];
        if text.len() > self.max_line_bytes {
            return rejects.add_too_long(location, self.max_line_bytes, batch);
        }
        if let Err(violation) = check_utf8(text) {
            return rejects.add(location, vec![violation], batch);
        }
        let (first_event, first_rejected) = (self.events.rows.count(), self.events.rejected.len());
        let line = self.lines.len();
        self.lines.push(location);
        let mut builder =
            EventBuilder { events: &mut self.events, line, number: location.number, is_open: false };
        let mapped = self.mapper.map(source_line(bytes, location), &mut builder);
        if let Err(violation) = mapped {
            self.events.truncate(first_event);
            self.events.rejected.truncate(first_rejected);
            rejects.add(location, vec![violation], batch);
        }
    }

    /// Rejects the parts of lines that the mapper has rejected.
    fn reject_parts(&mut self, bytes: &[u8], batch: &mut Batch) {
        let rejects = Rejects { bytes, source: &self.source };
        for (line, violation) in self.events.rejected.drain(..) {
            rejects.add(self.lines[line], vec![violation], batch);
        }
    }
}

fn source_line(bytes: &[u8], location: LineLocation) -> SourceLine<'_> {
    let text = &bytes[location.start as usize..location.end as usize];
    SourceLine {
        text: std::str::from_utf8(text).expect("the line has been checked"),
        number: location.number,
        byte_offset: location.byte_offset,
    }
}

/// Checks the events of a chunk.
struct CheckEvents<'a, M> {
    bytes: &'a [u8],
    rejects: Rejects<'a>,
    lines: &'a [LineLocation],
    events: &'a Events,
    checker: &'a mut Checker,
    mapper: &'a mut M,
    batch: &'a mut Batch,
}

impl<M: LineMapper> Task for CheckEvents<'_, M> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "compiled for each instruction set")]
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let CheckEvents { bytes, rejects, lines, events, checker, mapper, batch } = self;
        let mut reject = |row: &LineSlots, mut violations: Vec<Violation>, batch: &mut Batch| {
            let EventOrigin { line, tag } = events.origins[row.location.start as usize];
            let location = lines[line];
            for violation in &mut violations {
                mapper.explain(source_line(bytes, location), tag, violation);
            }
            rejects.add(location, violations, batch);
        };
        for kind in all_kinds() {
            if events.rows.of(kind).len() > 0 {
                checker.check_rows(simd, &events.text, kind, &events.rows, batch, &mut reject);
            }
        }
    }
}

/// What the strict parser finds wrong with a line that should be one JSON object: not RFC 8259, nested too deep, or
/// another value.
///
/// # Errors
/// The same violation as for a line of the contract.
pub fn check_json(text: &str) -> Result<(), Violation> {
    let (bytes, length) = (text.as_bytes(), text.len());
    let line = Line { bytes, start: 0, end: length, quotes: &[] };
    let (mut row, mut arena) = (LineSlots::default(), Arena::default());
    reader::read_strictly(line, &KeyTables::default(), &mut row, &mut arena)
        .map_err(|error| error.into_violation(bytes, 0, length))
}

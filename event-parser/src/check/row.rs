//! The slow path: one row, whose fields are all checked, so that a bad line is reported with all its violations.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

use event_schema::Reason;
use event_schema::registry::{ENVELOPE, Field, Order, Rule};

use super::rules::TimeReader;
use super::{EventKind, Limits, RowContext, extra, message};
use crate::arch::Simd;
use crate::batch::{Batch, EnvelopeColumns, Violation};
use crate::columns::{Dictionary, Fixed, Strings};
use crate::contract::{FIRST_OF_PAYLOAD, contains, index_of};
use crate::payload_kind::PayloadKind;
use crate::reader::{Arena, LineSlots, Slot, SlotKind, UnknownMember};
use crate::span::Span;

/// A field and its slot in a row. A constant, so that checks are compiled for the field's rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct CheckedField {
    field: &'static Field,
    slot: usize,
    is_required_by_type: bool,
}

impl CheckedField {
    /// A field of the envelope, as events of a type have it. Fails to compile where the registry has no such field.
    pub(super) const fn envelope(kind: Option<PayloadKind>, name: &str) -> CheckedField {
        let slot = index_of(&ENVELOPE, name);
        let is_required_by_type = match kind {
            Some(kind) => contains(kind.event_type().required_envelope, name),
            None => false,
        };
        CheckedField { field: &ENVELOPE[slot], slot, is_required_by_type }
    }

    /// A field of a payload. Fails to compile where the registry has no such field.
    pub(super) const fn payload(kind: PayloadKind, name: &str) -> CheckedField {
        let fields = kind.event_type().fields;
        let index = index_of(fields, name);
        CheckedField { field: &fields[index], slot: FIRST_OF_PAYLOAD + index, is_required_by_type: false }
    }

    pub(super) const fn name(self) -> &'static str {
        self.field.name
    }

    pub(super) const fn rule(self) -> Rule {
        self.field.rule
    }

    pub(super) const fn slot(self) -> usize {
        self.slot
    }

    /// Whether the field is optional in general, but required for events of this type.
    pub(super) const fn is_required_by_type(self) -> bool {
        self.is_required_by_type
    }

    /// Whether events of this type have to have it.
    pub(super) const fn is_required(self) -> bool {
        self.field.required || self.is_required_by_type
    }

    fn path(self) -> String {
        let parent = if self.slot >= FIRST_OF_PAYLOAD { "properties." } else { "" };
        format!("{parent}{}", self.field.name)
    }
}

/// One row under check: its values, and the violations found so far.
pub(super) struct RowCheck<'a, S> {
    pub(super) simd: S,
    row: &'a LineSlots,
    unknown: &'a [UnknownMember],
    bytes: &'a [u8],
    arena: &'a Arena,
    pub(super) limits: &'a Limits,
    pub(super) times: &'a mut TimeReader,
    violations: Vec<Violation>,
}

impl<'a, S: Simd> RowCheck<'a, S> {
    #[inline(always)]
    fn new(context: RowContext<'a, S>, times: &'a mut TimeReader, row: &'a LineSlots) -> RowCheck<'a, S> {
        let RowContext { simd, bytes, arena, limits, .. } = context;
        RowCheck {
            simd,
            row,
            unknown: arena.unknown(row),
            bytes,
            arena,
            limits,
            times,
            violations: Vec::new(),
        }
    }

    /// What stands in a field.
    #[inline(always)]
    pub(super) fn slot(&self, field: CheckedField) -> Slot {
        self.row.slots[field.slot]
    }

    /// The text of a slot.
    #[inline(always)]
    pub(super) fn text_of(&self, slot: Slot) -> Span<'a> {
        let is_in_arena = slot.kind == SlotKind::Unescaped;
        let buffer = if is_in_arena { self.arena.unescaped.as_slice() } else { self.bytes };
        Span::new(buffer, slot.start, slot.end)
    }

    #[inline(always)]
    pub(super) fn violation_count(&self) -> usize {
        self.violations.len()
    }

    #[inline(always)]
    pub(super) fn is_valid(&self) -> bool {
        self.violations.is_empty()
    }

    /// Adds a violation of a field's rule.
    #[cold]
    #[inline(never)]
    pub(super) fn add_violation(&mut self, field: CheckedField, reason: Reason) {
        let slot = self.slot(field);
        let message =
            message::of_field(field.field, slot, &self.text_of(slot), reason, self.limits.batch_date);
        self.push_violation(field, reason, message);
    }

    /// Adds that an optional field is missing that events of this type need.
    #[cold]
    pub(super) fn add_missing_for_type(&mut self, field: CheckedField) {
        let message = message::of_field_needed_by_type(field.field, self.slot(field));
        self.push_violation(field, Reason::MissingField, message);
    }

    /// Adds that the later of two fields is not later.
    #[cold]
    pub(super) fn add_order_violation(&mut self, order: Order, later: CheckedField) {
        let message = message::of_order(order, &self.text_of(self.slot(later)));
        self.push_violation(later, Reason::InvalidValue, message);
    }

    #[cold]
    fn push_violation(&mut self, field: CheckedField, reason: Reason, message: String) {
        self.violations.push(Violation { reason, field: field.path(), message });
    }

    /// The slot of a field that is there, once, and not null. Where it is not, that is a violation if the field is
    /// required.
    #[inline(always)]
    pub(super) fn present(&mut self, field: CheckedField) -> Option<Slot> {
        let slot = self.slot(field);
        match slot.kind {
            SlotKind::Absent | SlotKind::Null => {
                if field.field.required {
                    self.add_violation(field, Reason::MissingField);
                }
                None
            }
            SlotKind::Repeated => {
                self.add_violation(field, Reason::DuplicateField);
                None
            }
            SlotKind::Failed => {
                self.add_failure(field, slot);
                None
            }
            _ => Some(slot),
        }
    }

    /// Adds what a mapper has found wrong with a field.
    #[cold]
    #[inline(never)]
    fn add_failure(&mut self, field: CheckedField, slot: Slot) {
        let (reason, message) = self.arena.failures[slot.start as usize].clone();
        self.push_violation(field, reason, message);
    }

    /// The unescaped bytes of a string; an empty optional one is absent.
    #[inline(always)]
    pub(super) fn string(&mut self, field: CheckedField) -> Option<Span<'a>> {
        let slot = self.present(field)?;
        if !slot.kind.is_string() {
            self.add_violation(field, Reason::WrongType);
            return None;
        }
        let text = self.text_of(slot);
        (field.field.required || !text.is_empty()).then_some(text)
    }

    /// The value that was read, or a violation with the reason that was found.
    #[inline(always)]
    pub(super) fn accept<T>(&mut self, field: CheckedField, read: Result<T, Reason>) -> Option<T> {
        read.map_err(|reason| self.add_violation(field, reason)).ok()
    }

    /// Appends the unknown members as JSON.
    #[inline(always)]
    pub(super) fn append_extra(&self, column: &mut Strings) {
        if self.unknown.is_empty() {
            column.push_empty();
        } else {
            extra::push(self.bytes, self.unknown, column);
        }
    }

    /// Appends where the row comes from.
    #[inline(always)]
    pub(super) fn append_origin(
        &self,
        shared: SharedIndices,
        source_file: &mut Dictionary,
        source_line: &mut Fixed<u64>,
    ) {
        source_file.push_index(shared.source);
        source_line.push(self.row.location.number);
    }
}

/// Indices in the columns of a table that are the same for all rows of one check.
#[derive(Debug, Clone, Copy)]
pub(super) struct SharedIndices {
    /// Of the source's name.
    source: u32,
    /// Of the event type's name; `None` where rows may be of many types.
    type_name: Option<u32>,
}

impl SharedIndices {
    #[inline(always)]
    fn new(source: Span<'_>, kind: Option<PayloadKind>, columns: &mut EnvelopeColumns) -> SharedIndices {
        let type_name =
            kind.map(|kind| columns.event_type.index_of(Span::from(kind.event_type().name.as_bytes())));
        SharedIndices { type_name, source: columns.source_file.index_of(source) }
    }

    /// Appends the event's type.
    #[inline(always)]
    pub(super) fn append_event_type(self, event_type: Option<Span<'_>>, column: &mut Dictionary) {
        match self.type_name {
            Some(index) => column.push_index(index),
            None => column.push_span(event_type.unwrap_or_default()),
        }
    }
}

/// Appends valid rows of one type of event to their table; gives the violations of the others to `reject`.
#[inline(always)]
pub(super) fn check_rows_of<'a, E: EventKind, S: Simd>(
    context: RowContext<'a, S>,
    times: &mut TimeReader,
    rows: impl Iterator<Item = &'a LineSlots>,
    batch: &mut Batch,
    mut reject: impl FnMut(&LineSlots, Vec<Violation>, &mut Batch),
) {
    let shared = SharedIndices::new(context.source, E::KIND, E::envelope(batch));
    for row in rows {
        let mut check = RowCheck::new(context, times, row);
        E::check_row(&mut check, shared, batch);
        if !check.is_valid() {
            reject(row, check.violations, batch);
        }
    }
}

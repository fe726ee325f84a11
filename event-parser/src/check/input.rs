//! Reading one field: its JSON type, its spelling, its range.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

use event_schema::Reason;
use event_schema::registry::{ENVELOPE, Field, JsonType, Rule};
use event_schema::value::{Date, Timestamp, check_text, is_upper_letters, parse_amount, parse_date};

use super::number::{read_integer, read_share};
use super::time::TimeReader;
use super::{Context, message};
use crate::arch::Simd;
use crate::batch::Violation;
use crate::span::Span;
use crate::walk::{Known, PROPERTIES, Row, Slot, SlotKind, Unknown};

/// What a rule may depend on besides the value.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) batch_date: Date,
    /// Events from this instant on are out of range.
    pub(super) event_time_end: i64,
}

impl Scope {
    pub(super) fn new(batch_date: Date) -> Scope {
        Scope { batch_date, event_time_end: batch_date.start_millis() + 2 * 86_400_000 }
    }
}

/// A field and the place of its slot in a row. Constants, so that reading a field is compiled for its rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input {
    pub(super) field: &'static Field,
    place: usize,
}

impl Input {
    /// The envelope's fields.
    pub(super) const fn envelope() -> [Input; ENVELOPE.len()] {
        Input::all(&ENVELOPE, 0)
    }

    /// The fields of a payload.
    pub(super) const fn payload<const N: usize>(known: Known) -> [Input; N] {
        let fields: &'static [Field] = known.event_type().fields;
        let Some(fields) = fields.first_chunk::<N>() else { panic!("rows name every field of the registry") };
        assert!(known.event_type().fields.len() == N, "rows name every field of the registry");
        Input::all(fields, ENVELOPE.len())
    }

    const fn all<const N: usize>(fields: &'static [Field; N], first_place: usize) -> [Input; N] {
        let mut inputs = [Input { field: &fields[0], place: 0 }; N];
        let mut at = 0;
        while at < N {
            inputs[at] = Input { field: &fields[at], place: first_place + at };
            at += 1;
        }
        inputs
    }

    /// Its slot.
    pub(super) const fn place(self) -> usize {
        self.place
    }

    const fn is_in_payload(self) -> bool {
        self.place >= ENVELOPE.len()
    }
}

/// Reads the fields of one row, and collects what is wrong with them.
pub(super) struct Inputs<'a, S> {
    simd: S,
    pub(super) row: &'a Row,
    pub(super) unknown: &'a [Unknown],
    bytes: &'a [u8],
    unescaped: &'a [u8],
    scope: &'a Scope,
    times: &'a mut TimeReader,
    violations: Vec<Violation>,
}

impl<'a, S: Simd> Inputs<'a, S> {
    #[inline(always)]
    pub(super) fn new(context: Context<'a, S>, times: &'a mut TimeReader, row: &'a Row) -> Inputs<'a, S> {
        let Context { simd, bytes, shelf, scope, .. } = context;
        Inputs {
            simd,
            row,
            unknown: shelf.unknown(row),
            bytes,
            unescaped: &shelf.unescaped,
            scope,
            times,
            violations: Vec::new(),
        }
    }

    /// What stands in a field.
    #[inline(always)]
    fn slot(&self, input: Input) -> Slot {
        self.row.slots[input.place]
    }

    /// What stands in a slot.
    #[inline(always)]
    fn text_of(&self, slot: Slot) -> Span<'a> {
        let buffer = if slot.kind == SlotKind::Unescaped { self.unescaped } else { self.bytes };
        Span::new(buffer, slot.start, slot.end)
    }

    /// The payload, byte for byte.
    #[inline(always)]
    pub(super) fn verbatim(&self) -> Span<'a> {
        let slot = self.row.slots[PROPERTIES];
        if slot.kind == SlotKind::Object { self.text_of(slot) } else { Span::from(&b"{}"[..]) }
    }

    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    #[inline(always)]
    pub(super) fn is_good(&self) -> bool {
        self.violations.is_empty()
    }

    /// Notes a breach of a field's rule.
    #[cold]
    #[inline(never)]
    fn breach(&mut self, input: Input, reason: Reason) {
        let text = self.text_of(self.slot(input));
        let message = message::of_field(input.field, self.slot(input), &text, reason, self.scope.batch_date);
        self.note(input, reason, message);
    }

    #[cold]
    fn note(&mut self, input: Input, reason: Reason, message: String) {
        let path = if input.is_in_payload() { "properties." } else { "" };
        self.violations.push(Violation { reason, field: format!("{path}{}", input.field.name), message });
    }

    /// The slot of a field that is there, once, and not null; its absence is a breach where it is required.
    #[inline(always)]
    fn present(&mut self, input: Input) -> Option<Slot> {
        match self.slot(input).kind {
            SlotKind::Twice => {
                self.breach(input, Reason::DuplicateField);
                None
            }
            SlotKind::Absent | SlotKind::Null => {
                if input.field.required {
                    self.breach(input, Reason::MissingField);
                }
                None
            }
            _ => Some(self.slot(input)),
        }
    }

    /// The unescaped bytes of a string; an optional one that is empty is absent.
    #[inline(always)]
    fn string(&mut self, input: Input) -> Option<Span<'a>> {
        let slot = self.present(input)?;
        if !slot.kind.is_string() {
            self.breach(input, Reason::WrongType);
            return None;
        }
        let text = self.text_of(slot);
        (input.field.required || !text.is_empty()).then_some(text)
    }

    /// The value of `read`, or a breach for the reason it gives.
    #[inline(always)]
    fn good<T>(&mut self, input: Input, read: Result<T, Reason>) -> Option<T> {
        read.map_err(|reason| self.breach(input, reason)).ok()
    }

    #[inline(always)]
    pub(super) fn uuid(&mut self, input: Input) -> u128 {
        let Some(text) = self.string(input) else { return 0 };
        let id = match text.bytes().try_into() {
            Ok(text) => self.simd.uuid(text),
            Err(_) => None,
        };
        self.good(input, id.ok_or(Reason::InvalidValue)).unwrap_or_default()
    }

    /// A bounded text; `None` where it is absent or bad.
    #[inline(always)]
    pub(super) fn text(&mut self, input: Input) -> Option<Span<'a>> {
        let text = self.string(input)?;
        let max = input.field.rule.max_bytes();
        let is_good = if self.slot(input).kind == SlotKind::CleanString {
            // The index has seen that there is no control character in the line.
            text.len() <= max
        } else {
            check_text(&text, max).is_ok()
        };
        let is_good = is_good && !text.is_empty();
        self.good(input, if is_good { Ok(text) } else { Err(Reason::InvalidValue) })
    }

    /// An optional text that this event's type requires: absent, null and empty are all missing.
    #[inline(always)]
    pub(super) fn not_empty(&mut self, input: Input) -> Option<Span<'a>> {
        let breaches = self.violations.len();
        let text = self.text(input);
        if text.is_none() && self.violations.len() == breaches {
            self.note(input, Reason::MissingField, message::of_needed_field(input.field, self.slot(input)));
        }
        text
    }

    /// A code of capital letters; empty where it is absent or bad.
    #[inline(always)]
    pub(super) fn letters(&mut self, input: Input) -> Span<'a> {
        let Rule::Letters(count) = input.field.rule else { unreachable!("{} is no code", input.field.name) };
        let Some(text) = self.string(input) else { return Span::EMPTY };
        let is_good = text.len() == count && is_upper_letters(&text);
        self.good(input, if is_good { Ok(text) } else { Err(Reason::InvalidValue) }).unwrap_or_default()
    }

    /// Milliseconds since 1970, before two days after the batch date; 0 where it is bad.
    #[inline(always)]
    pub(super) fn event_time(&mut self, input: Input) -> i64 {
        self.time_before(input, self.scope.event_time_end).unwrap_or_default()
    }

    /// Milliseconds since 1970; `None` where it is absent or bad.
    #[inline(always)]
    pub(super) fn time(&mut self, input: Input) -> Option<i64> {
        self.time_before(input, Timestamp::END_MILLIS)
    }

    #[inline(always)]
    fn time_before(&mut self, input: Input, end: i64) -> Option<i64> {
        let text = self.string(input)?;
        let in_range = |millis: &i64| (Timestamp::MIN_MILLIS..end).contains(millis);
        let read =
            self.times.read(text).and_then(|millis| Some(millis).filter(in_range).ok_or(Reason::OutOfRange));
        self.good(input, read)
    }

    /// Days since 1970-01-01; `None` where it is absent or bad.
    #[inline(always)]
    pub(super) fn date(&mut self, input: Input) -> Option<u16> {
        self.string(input).and_then(|text| self.good(input, parse_date(&text)))
    }

    /// 1/10000 of the currency's unit; 0 where it is bad.
    #[inline(always)]
    pub(super) fn amount(&mut self, input: Input) -> i64 {
        let Some(slot) = self.present(input) else { return 0 };
        let read = if slot.kind.is_string() || slot.kind == SlotKind::Number {
            parse_amount(&self.text_of(slot))
        } else {
            Err(Reason::WrongType)
        };
        self.good(input, read).unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn boolean(&mut self, input: Input) -> bool {
        match self.present(input).map(|slot| slot.kind) {
            Some(SlotKind::True) => true,
            Some(SlotKind::False) | None => false,
            Some(_) => {
                self.breach(input, Reason::WrongType);
                false
            }
        }
    }

    #[inline(always)]
    pub(super) fn integer(&mut self, input: Input) -> Option<u32> {
        let slot = self.present(input)?;
        let read = if slot.kind == SlotKind::Number {
            read_integer(self.text_of(slot), input.field.rule.integer_range())
        } else {
            Err(Reason::WrongType)
        };
        self.good(input, read)
    }

    #[inline(always)]
    pub(super) fn share(&mut self, input: Input) -> Option<f64> {
        let slot = self.present(input)?;
        let read = if slot.kind == SlotKind::Number {
            read_share(self.text_of(slot))
        } else {
            Err(Reason::WrongType)
        };
        self.good(input, read)
    }

    /// Whether an object or nothing stands there.
    #[inline(always)]
    pub(super) fn object(&mut self, input: Input) -> bool {
        debug_assert_eq!(input.field.rule.json_type(), JsonType::Object);
        if self.slot(input).kind == SlotKind::Object {
            return true;
        }
        let breaches = self.violations.len();
        if self.present(input).is_some() {
            self.breach(input, Reason::WrongType);
        }
        self.violations.len() == breaches
    }

    /// Notes a breach of the order of two fields that are both good alone; it is the later one's.
    #[inline(always)]
    pub(super) fn in_order<T: Ord>(
        &mut self,
        known: Known,
        earlier: Option<T>,
        (later, value): (Input, Option<T>),
    ) {
        let (Some(order), Some(earlier), Some(value)) = (known.event_type().order, earlier, value) else {
            return;
        };
        debug_assert_eq!(later.field.name, order.later);
        if earlier > value || (earlier == value && !order.may_be_equal) {
            let text = self.text_of(self.slot(later));
            let message = message::of_order(order, &text);
            self.note(later, Reason::InvalidValue, message);
        }
    }
}

//! Reading one field: its JSON type, its spelling, its range.

use event_schema::Reason;
use event_schema::registry::{Field, JsonType, Rule};
use event_schema::value::{
    Date, Timestamp, check_text, is_upper_letters, parse_amount, parse_date, parse_uuid,
};

use super::message;
use super::time::TimeReader;
use crate::batch::Violation;
use crate::walk::{Fields, Known, Slot, SlotKind};

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

/// A field and what stands in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input {
    pub(super) field: &'static Field,
    pub(super) slot: Slot,
    in_payload: bool,
}

/// Reads the fields of one line, and collects what is wrong with them.
pub(super) struct Inputs<'a> {
    line: &'a [u8],
    fields: &'a Fields,
    scope: &'a Scope,
    times: &'a mut TimeReader,
    violations: Vec<Violation>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(
        line: &'a [u8],
        fields: &'a Fields,
        scope: &'a Scope,
        times: &'a mut TimeReader,
    ) -> Inputs<'a> {
        Inputs { line, fields, scope, times, violations: Vec::new() }
    }

    pub(super) fn envelope<const N: usize>(&self, fields: &'static [Field; N]) -> [Input; N] {
        std::array::from_fn(|place| Input {
            field: &fields[place],
            slot: self.fields.envelope.slots[place],
            in_payload: false,
        })
    }

    /// The payload's fields. Where the event has no payload their slots are empty.
    pub(super) fn payload<const N: usize>(&self, known: Known) -> [Input; N] {
        let fields: &'static [Field; N] =
            known.event_type().fields.try_into().expect("rows name every field of the registry");
        std::array::from_fn(|place| Input {
            field: &fields[place],
            slot: self.fields.payload.slots[place],
            in_payload: true,
        })
    }

    /// What stands in a slot.
    pub(super) fn text_of(&self, slot: Slot) -> &'a [u8] {
        self.fields.text(self.line, slot)
    }

    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    pub(super) fn is_good(&self) -> bool {
        self.violations.is_empty()
    }

    /// Notes a breach of a field's rule.
    #[cold]
    #[inline(never)]
    fn breach(&mut self, input: Input, reason: Reason) {
        let text = self.text_of(input.slot);
        let message = message::of_field(input.field, input.slot, text, reason, self.scope.batch_date);
        self.note(input, reason, message);
    }

    #[cold]
    fn note(&mut self, input: Input, reason: Reason, message: String) {
        let path = if input.in_payload { "properties." } else { "" };
        self.violations.push(Violation { reason, field: format!("{path}{}", input.field.name), message });
    }

    /// The slot of a field that is there, once, and not null; its absence is a breach where it is required.
    fn present(&mut self, input: Input) -> Option<Slot> {
        match input.slot.kind {
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
            _ => Some(input.slot),
        }
    }

    /// The unescaped bytes of a string; an optional one that is empty is absent.
    fn string(&mut self, input: Input) -> Option<&'a [u8]> {
        let slot = self.present(input)?;
        if !slot.kind.is_string() {
            self.breach(input, Reason::WrongType);
            return None;
        }
        let text = self.text_of(slot);
        (input.field.required || !text.is_empty()).then_some(text)
    }

    /// The value of `read`, or a breach for the reason it gives.
    fn good<T>(&mut self, input: Input, read: Result<T, Reason>) -> Option<T> {
        read.map_err(|reason| self.breach(input, reason)).ok()
    }

    pub(super) fn uuid(&mut self, input: Input) -> u128 {
        self.string(input).and_then(|text| self.good(input, parse_uuid(text))).unwrap_or_default()
    }

    /// A bounded text; `None` where it is absent or bad.
    pub(super) fn text(&mut self, input: Input) -> Option<&'a [u8]> {
        let text = self.string(input)?;
        let max = input.field.rule.max_bytes();
        let is_good = if input.slot.kind == SlotKind::CleanString {
            // The index has seen that there is no control character in the line.
            text.len() <= max
        } else {
            check_text(text, max).is_ok()
        };
        let is_good = is_good && !text.is_empty();
        self.good(input, if is_good { Ok(text) } else { Err(Reason::InvalidValue) })
    }

    /// An optional text that this event's type requires: absent, null and empty are all missing.
    pub(super) fn not_empty(&mut self, input: Input) -> Option<&'a [u8]> {
        let breaches = self.violations.len();
        let text = self.text(input);
        if text.is_none() && self.violations.len() == breaches {
            self.note(input, Reason::MissingField, message::of_needed_field(input.field, input.slot));
        }
        text
    }

    /// A code of capital letters; empty where it is absent or bad.
    pub(super) fn letters(&mut self, input: Input) -> &'a [u8] {
        let Rule::Letters(count) = input.field.rule else { unreachable!("{} is no code", input.field.name) };
        let Some(text) = self.string(input) else { return b"" };
        let is_good = text.len() == count && is_upper_letters(text);
        self.good(input, if is_good { Ok(text) } else { Err(Reason::InvalidValue) }).unwrap_or_default()
    }

    /// Milliseconds since 1970, before two days after the batch date; 0 where it is bad.
    pub(super) fn event_time(&mut self, input: Input) -> i64 {
        self.time_before(input, self.scope.event_time_end).unwrap_or_default()
    }

    /// Milliseconds since 1970; `None` where it is absent or bad.
    pub(super) fn time(&mut self, input: Input) -> Option<i64> {
        self.time_before(input, Timestamp::END_MILLIS)
    }

    fn time_before(&mut self, input: Input, end: i64) -> Option<i64> {
        let text = self.string(input)?;
        let in_range = |millis: &i64| (Timestamp::MIN_MILLIS..end).contains(millis);
        let read =
            self.times.read(text).and_then(|millis| Some(millis).filter(in_range).ok_or(Reason::OutOfRange));
        self.good(input, read)
    }

    /// Days since 1970-01-01; `None` where it is absent or bad.
    pub(super) fn date(&mut self, input: Input) -> Option<u16> {
        self.string(input).and_then(|text| self.good(input, parse_date(text)))
    }

    /// 1/10000 of the currency's unit; 0 where it is bad.
    pub(super) fn amount(&mut self, input: Input) -> i64 {
        let Some(slot) = self.present(input) else { return 0 };
        let read = if slot.kind.is_string() || slot.kind == SlotKind::Number {
            parse_amount(self.text_of(slot))
        } else {
            Err(Reason::WrongType)
        };
        self.good(input, read).unwrap_or_default()
    }

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

    pub(super) fn integer(&mut self, input: Input) -> Option<u32> {
        let slot = self.present(input)?;
        let read = if slot.kind == SlotKind::Number {
            read_integer(self.text_of(slot), input.field.rule.integer_range())
        } else {
            Err(Reason::WrongType)
        };
        self.good(input, read)
    }

    pub(super) fn share(&mut self, input: Input) -> Option<f64> {
        let slot = self.present(input)?;
        let read = if slot.kind == SlotKind::Number {
            read_share(self.text_of(slot))
        } else {
            Err(Reason::WrongType)
        };
        self.good(input, read)
    }

    /// The slot of an object or of nothing; `None` where it is bad.
    pub(super) fn object(&mut self, input: Input) -> Option<Slot> {
        debug_assert_eq!(input.field.rule.json_type(), JsonType::Object);
        let breaches = self.violations.len();
        match self.present(input) {
            None if self.violations.len() == breaches => Some(Slot::default()),
            None => None,
            Some(slot) if slot.kind == SlotKind::Object => Some(slot),
            Some(_) => {
                self.breach(input, Reason::WrongType);
                None
            }
        }
    }

    /// Notes a breach of the order of two fields that are both good alone; it is the later one's.
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
            let text = self.text_of(later.slot);
            let message = message::of_order(order, text);
            self.note(later, Reason::InvalidValue, message);
        }
    }
}

/// An integer of a number's text, in a range.
fn read_integer(text: &[u8], (min, max): (u32, u32)) -> Result<u32, Reason> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Reason::WrongType);
    }
    // JSON has no leading zeros: more than ten digits are past 32 bits.
    let value = match digits.len() {
        0..=10 => digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')),
        _ => u64::MAX,
    };
    let in_range = (u64::from(min)..=u64::from(max)).contains(&value) && (!is_negative || value == 0);
    if in_range { Ok(value as u32) } else { Err(Reason::OutOfRange) }
}

/// A number from 0 to 1, as the nearest 64-bit float.
fn read_share(text: &[u8]) -> Result<f64, Reason> {
    let value: f64 = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .expect("a JSON number is a number in Rust");
    // Adding zero makes -0 a plain 0.
    if (0.0..=1.0).contains(&value) { Ok(value + 0.0) } else { Err(Reason::OutOfRange) }
}

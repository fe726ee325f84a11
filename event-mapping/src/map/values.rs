//! What a field's value is.

use event_schema::registry::{Field, JsonType};

use super::Event;
use super::reading::Slot;
use crate::compile::{Fixed, How, Located, Source};
use crate::convert::{self, Failed, Input};
use crate::json::Kind;

/// Texts that are made on the way, reused from value to value.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// A value that was unescaped.
    pub(crate) input: String,
    /// Another, of conversions of two values.
    pub(crate) other: String,
    /// A value that a conversion made.
    pub(crate) made: String,
    /// What a made id is made of.
    pub(crate) name: Vec<u8>,
    /// What is kept of an object.
    pub(crate) kept: String,
    /// What is kept of members whose names are the contract's.
    pub(crate) clashes: String,
}

/// A field's value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Got<'a> {
    Absent,
    /// `null` or `""`.
    Empty(u32),
    /// What stands in an entry.
    Entry(u32),
    /// The text that was made.
    Text,
    /// The number that was made.
    Number,
    Boolean(bool),
    Fixed(&'a Fixed),
}

/// Why there is no value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault<'a> {
    /// The place stands twice.
    Twice,
    /// The conversion cannot be done.
    Failed(&'a Source),
}

impl Source {
    /// Whether what is `null` or `""` is given to the contract's checks as it stands; else as `null`.
    pub(super) fn shows_what_is_empty(&self, field: &Field) -> bool {
        let is_one_place =
            matches!(self.how, How::Verbatim) && self.at.len() == 1 && self.otherwise.is_none();
        is_one_place || field.rule.json_type() == JsonType::String
    }
}

impl<'a> Event<'a> {
    /// The value that a source gives.
    pub(super) fn evaluate(&mut self, source: &'a Source) -> Result<Got<'a>, Fault<'a>> {
        let got = self.evaluate_one(source);
        let Some(otherwise) = &source.otherwise else { return got };
        match got {
            Ok(Got::Absent) | Err(Fault::Failed(_)) => self.evaluate(otherwise),
            Ok(empty @ Got::Empty(_)) => match self.evaluate(otherwise)? {
                Got::Absent => Ok(empty),
                got => Ok(got),
            },
            got => got,
        }
    }

    fn evaluate_one(&mut self, source: &'a Source) -> Result<Got<'a>, Fault<'a>> {
        let failed = |Failed| Fault::Failed(source);
        match &source.how {
            How::Value(fixed) => return Ok(Got::Fixed(fixed)),
            How::MadeId(of) => return self.made_id(of),
            How::Share(of, out_of) | How::IsWhole(of, out_of) => {
                let (Some(of), Some(out_of)) = (self.find(of)?, self.find(out_of)?) else {
                    return Ok(Got::Absent);
                };
                let texts = &mut *self.texts;
                texts.made.clear();
                let of = self.reading.input(of, &mut texts.input);
                let out_of = self.reading.input(out_of, &mut texts.other);
                return match (convert::share(of, out_of).map_err(failed)?, &source.how) {
                    (None, _) => Ok(Got::Absent),
                    (Some(share), How::IsWhole(..)) => Ok(Got::Boolean(share >= 1.0)),
                    (Some(share), _) => {
                        convert::write_share(share, &mut texts.made);
                        Ok(Got::Number)
                    }
                };
            }
            _ => {}
        }
        let mut empty = None;
        for located in &source.at {
            match self.slots.get(located.slot) {
                Slot::Empty => {}
                Slot::Twice => return Err(Fault::Twice),
                Slot::At(entry) if self.reading.is_nothing(entry) => {
                    // Nothing stands there: there is nothing to keep.
                    self.take(entry);
                    empty.get_or_insert(entry);
                }
                Slot::At(entry) => return self.convert(source, entry).map_err(failed),
            }
        }
        Ok(empty.map_or(Got::Absent, Got::Empty))
    }

    /// What stands at a place, if it is something.
    fn find(&mut self, located: &Located) -> Result<Option<u32>, Fault<'a>> {
        match self.slots.get(located.slot) {
            Slot::Empty => Ok(None),
            Slot::Twice => Err(Fault::Twice),
            Slot::At(entry) => Ok((!self.reading.is_nothing(entry)).then_some(entry)),
        }
    }

    fn made_id(&mut self, of: &[Located]) -> Result<Got<'a>, Fault<'a>> {
        self.texts.made.clear();
        if of.is_empty() {
            let element = self.reading.entries.value(self.reading.line, self.reading.entry(self.root));
            convert::write_made_id(&self.program.namespace, element.as_bytes(), &mut self.texts.made);
            return Ok(Got::Text);
        }
        self.texts.name.clear();
        let mut is_something = false;
        for (number, located) in of.iter().enumerate() {
            if number > 0 {
                // Texts of the contract have no control characters: the parts cannot run into each other.
                self.texts.name.push(0x1f);
            }
            if let Some(entry) = self.find(located)? {
                is_something = true;
                let texts = &mut *self.texts;
                let part = match self.reading.input(entry, &mut texts.input) {
                    Input::Nested => self.reading.entries.value(self.reading.line, self.reading.entry(entry)),
                    input => input.scalar().unwrap_or_default(),
                };
                texts.name.extend_from_slice(part.as_bytes());
            }
        }
        if !is_something {
            return Ok(Got::Absent);
        }
        convert::write_made_id(&self.program.namespace, &self.texts.name, &mut self.texts.made);
        Ok(Got::Text)
    }

    /// Converts what stands in an entry, and takes it, if its value is given whole.
    fn convert(&mut self, source: &'a Source, entry: u32) -> Result<Got<'a>, Failed> {
        let texts = &mut *self.texts;
        texts.made.clear();
        let input = self.reading.input(entry, &mut texts.input);
        let out = &mut texts.made;
        let mut is_whole = true;
        let got = match &source.how {
            How::Verbatim => Got::Entry(entry),
            How::Text => {
                out.push_str(input.scalar()?);
                Got::Text
            }
            How::Uuid => {
                convert::write_uuid(input, out)?;
                Got::Text
            }
            How::Epoch(unit) => {
                convert::write_epoch(input, *unit, out)?;
                Got::Text
            }
            How::LocalTime(zone) => {
                convert::write_local_time(input, zone, out)?;
                Got::Text
            }
            How::Duration(unit) => {
                convert::write_duration(input, *unit, out)?;
                Got::Number
            }
            How::MinorUnits(digits) => {
                convert::write_minor_units(input, *digits, out)?;
                Got::Text
            }
            How::Date(plus) => {
                is_whole = false;
                convert::write_date(input, *plus, out)?;
                Got::Text
            }
            How::Lower | How::Upper | How::SnakeCase | How::LastSegment => {
                let text = input.scalar()?;
                match &source.how {
                    How::Lower => convert::write_lower(text, out),
                    How::Upper => convert::write_upper(text, out),
                    How::SnakeCase => convert::write_snake_case(text, out),
                    _ => out.push_str(convert::last_segment(text)),
                }
                is_whole = matches!(input, Input::Text(_)) && *out == text;
                Got::Text
            }
            How::OneOf(table) => {
                is_whole = false;
                let text = input.scalar()?;
                table.iter().find(|(key, _)| key == text).map_or(Got::Absent, |(_, value)| Got::Fixed(value))
            }
            How::MadeId(_) | How::Share(..) | How::IsWhole(..) | How::Value(_) => {
                unreachable!("they have no place")
            }
        };
        if is_whole {
            self.take(entry);
        }
        Ok(got)
    }
}

impl super::reading::Reading<'_> {
    /// What stands in an entry, for a conversion.
    fn input<'t>(&'t self, entry: u32, buffer: &'t mut String) -> Input<'t> {
        match self.entry(entry).kind {
            Kind::True => Input::Boolean(true),
            Kind::False => Input::Boolean(false),
            Kind::Number => Input::Number(self.entries.value(self.line, self.entry(entry))),
            Kind::String | Kind::Escaped | Kind::Embedded => Input::Text(self.text(entry, buffer)),
            Kind::Null | Kind::Object | Kind::Array => Input::Nested,
        }
    }
}

//! Slots become typed values by the contract's rules: a row in the batch, or the line's violations.
//!
//! Every field is read once, in the contract's order. A field that breaks its rule is noted and reading goes
//! on, so that a bad line is reported with all that is wrong with it.

mod extra;
mod input;
mod message;
mod rows;
mod time;

use event_schema::registry::ENVELOPE;
use event_schema::value::Date;

use crate::batch::{Batch, EnvelopeColumns, Violation};
use crate::walk::{Fields, Known, SlotKind};
use input::{Inputs, Scope};
use time::TimeReader;

/// What all lines of a source share.
#[derive(Debug)]
pub(crate) struct Checker {
    source: String,
    scope: Scope,
    times: TimeReader,
    /// Where the column `extra` is put together.
    extra: Vec<u8>,
}

/// A line whose envelope has been read.
struct Line<'a> {
    inputs: Inputs<'a>,
    envelope: Envelope<'a>,
    extra: &'a [u8],
    source: &'a [u8],
    number: u64,
}

/// The envelope's values; those of bad fields are empty.
struct Envelope<'a> {
    event_id: u128,
    event_type: &'a [u8],
    user_id: &'a [u8],
    event_time: i64,
    session_id: &'a [u8],
    platform: &'a [u8],
    app_version: &'a [u8],
    country: &'a [u8],
}

impl Checker {
    pub(crate) fn new(source: &str, batch_date: Date) -> Checker {
        Checker {
            source: source.to_owned(),
            scope: Scope::new(batch_date),
            times: TimeReader::default(),
            extra: Vec::new(),
        }
    }

    /// Puts a walked line into the batch.
    ///
    /// Errors: every violation of the line, in the contract's order; nothing is put into the batch then.
    pub(crate) fn check(
        &mut self,
        text: &[u8],
        fields: &Fields,
        line_number: u64,
        batch: &mut Batch,
    ) -> Result<(), Vec<Violation>> {
        let mut inputs = Inputs::new(text, fields, &self.scope, &mut self.times);
        let [
            event_id,
            event_type,
            user_id,
            event_time,
            session_id,
            platform,
            app_version,
            country,
            properties,
        ] = inputs.envelope(&ENVELOPE);

        let event_id = inputs.uuid(event_id);
        let routed = inputs.text(event_type);
        let needs_session_id = routed
            .and_then(Known::of)
            .is_some_and(|known| known.event_type().required_envelope.contains(&session_id.field.name));
        let envelope = Envelope {
            event_id,
            event_type: routed.unwrap_or_default(),
            user_id: inputs.text(user_id).unwrap_or_default(),
            event_time: inputs.event_time(event_time),
            session_id: if needs_session_id { inputs.not_empty(session_id) } else { inputs.text(session_id) }
                .unwrap_or_default(),
            platform: inputs.text(platform).unwrap_or_default(),
            app_version: inputs.text(app_version).unwrap_or_default(),
            country: inputs.letters(country),
        };
        // Where the event's type is bad, or the payload is none, there is nothing to check it by.
        let (Some(_), Some(properties)) = (routed, inputs.object(properties)) else {
            return Err(inputs.into_violations());
        };

        self.extra.clear();
        extra::collect(text, fields, properties.kind == SlotKind::Object, &mut self.extra);
        let line = Line {
            inputs,
            envelope,
            extra: &self.extra,
            source: self.source.as_bytes(),
            number: line_number,
        };
        rows::read(line, properties, batch)
    }
}

impl Line<'_> {
    /// Appends the envelope to a table's columns; or answers the violations, where there are any.
    fn push_row(self, columns: &mut EnvelopeColumns) -> Result<(), Vec<Violation>> {
        if !self.inputs.is_good() {
            return Err(self.inputs.into_violations());
        }
        let Envelope {
            event_id,
            event_type,
            user_id,
            event_time,
            session_id,
            platform,
            app_version,
            country,
        } = self.envelope;
        // The Native layout has the upper half first.
        columns.event_id.push(event_id.rotate_left(64));
        columns.event_type.push(event_type);
        columns.user_id.push(user_id);
        columns.event_time.push(event_time);
        columns.session_id.push(session_id);
        columns.platform.push(platform);
        columns.app_version.push(app_version);
        columns.country.push(country);
        columns.extra.push(self.extra);
        columns.source_file.push(self.source);
        columns.source_line.push(self.number);
        Ok(())
    }
}

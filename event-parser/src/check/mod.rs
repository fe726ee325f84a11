//! Stage 3: slots become typed values by the contract's rules: a row in the batch, or the line's violations.
//!
//! Every field is read once, in the contract's order. A field that breaks its rule is noted and reading goes
//! on, so that a bad line is reported with all that is wrong with it.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

mod extra;
mod input;
mod message;
mod number;
mod rows;
mod time;

use event_schema::registry::ENVELOPE;
use event_schema::value::Date;

use crate::arch::Simd;
use crate::batch::{Batch, EnvelopeColumns, Violation};
use crate::chunk::Rows;
use crate::span::Span;
use crate::walk::{Known, Place, Row, Shelf};
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

/// What all rows of a chunk share.
#[derive(Debug, Clone, Copy)]
struct Context<'a, S> {
    simd: S,
    bytes: &'a [u8],
    shelf: &'a Shelf,
    scope: &'a Scope,
    source: &'a [u8],
}

/// A row whose envelope has been read.
struct Line<'a, S> {
    inputs: Inputs<'a, S>,
    envelope: Envelope<'a>,
    extra: Span<'a>,
    number: u64,
}

/// The envelope's values; those of bad fields are empty.
struct Envelope<'a> {
    event_id: u128,
    event_type: Span<'a>,
    user_id: Span<'a>,
    event_time: i64,
    session_id: Span<'a>,
    platform: Span<'a>,
    app_version: Span<'a>,
    country: Span<'a>,
}

/// What becomes of a row: it is in the batch, or it has violations, in the contract's order. Never none.
type Checked = Result<(), Vec<Violation>>;

impl Checker {
    pub(crate) fn new(source: &str, batch_date: Date) -> Checker {
        Checker {
            source: source.to_owned(),
            scope: Scope::new(batch_date),
            times: TimeReader::default(),
            extra: Vec::new(),
        }
    }

    /// Puts the rows of a chunk into the batch; those that break a rule go to `reject`, with every violation.
    #[inline(always)]
    pub(crate) fn check<S: Simd>(
        &mut self,
        simd: S,
        bytes: &[u8],
        rows: &Rows,
        batch: &mut Batch,
        reject: impl Fn(Place, Vec<Violation>, &mut Batch),
    ) {
        let Checker { source, scope, times, extra } = self;
        let context = Context { simd, bytes, shelf: &rows.shelf, scope, source: source.as_bytes() };
        rows::check_all(context, times, extra, rows, batch, reject);
    }
}

impl<'a, S: Simd> Line<'a, S> {
    /// Reads a row's envelope. Events of the type may need a session.
    #[inline(always)]
    fn read(
        context: Context<'a, S>,
        times: &'a mut TimeReader,
        extra: &'a mut Vec<u8>,
        known: Option<Known>,
        row: &'a Row,
    ) -> Result<Line<'a, S>, Vec<Violation>> {
        let mut inputs = Inputs::new(context, times, row);
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
        let needs_session_id =
            known.is_some_and(|known| known.event_type().required_envelope.contains(&session_id.field.name));
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
        if !inputs.object(properties) || routed.is_none() {
            return Err(inputs.into_violations());
        }
        let extra = if row.unknown.0 == row.unknown.1 {
            Span::EMPTY
        } else {
            extra.clear();
            extra::collect(context.bytes, context.shelf.unknown(row), extra);
            Span::from(extra.as_slice())
        };
        Ok(Line { inputs, envelope, extra, number: row.place.number })
    }

    /// Appends the envelope to a table's columns; or answers the violations, where there are any.
    #[inline(always)]
    fn push_row(self, source_index: u32, columns: &mut EnvelopeColumns) -> Checked {
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
        columns.event_type.push_span(event_type);
        columns.user_id.push_span(user_id);
        columns.event_time.push(event_time);
        columns.session_id.push_span(session_id);
        columns.platform.push_span(platform);
        columns.app_version.push_span(app_version);
        columns.country.push_span(country);
        columns.extra.push_span(self.extra);
        columns.source_file.push_index(source_index);
        columns.source_line.push(self.number);
        Ok(())
    }
}

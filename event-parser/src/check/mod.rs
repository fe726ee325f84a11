//! Stage 3: slots become typed values by the contract's rules: a row in the batch, or the line's violations.
//!
//! Every field is read once, in the contract's order. A field that breaks its rule is noted and reading goes
//! on, so that a bad line is reported with all that is wrong with it.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions and each payload")]

mod bulk;
mod extra;
mod input;
mod message;
mod number;
mod rows;
mod time;

use event_schema::value::Date;

use crate::arch::Simd;
use crate::batch::{Batch, EnvelopeColumns, Violation};
use crate::rows::Rows;
use crate::span::Span;
use crate::walk::{Known, Place, Shelf};
use input::{Input, Inputs, Scope};
use time::TimeReader;

/// What all lines of a source share.
#[derive(Debug)]
pub(crate) struct Checker {
    source: String,
    scope: Scope,
    times: TimeReader,
    buffers: bulk::Buffers,
}

/// What all rows of a chunk share.
#[derive(Debug, Clone, Copy)]
struct Context<'a, S> {
    simd: S,
    bytes: &'a [u8],
    shelf: &'a Shelf,
    scope: &'a Scope,
    source: Span<'a>,
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

impl Checker {
    pub(crate) fn new(source: &str, batch_date: Date) -> Checker {
        Checker {
            source: source.to_owned(),
            scope: Scope::new(batch_date),
            times: TimeReader::default(),
            buffers: bulk::Buffers::default(),
        }
    }

    /// Puts rows of one type of event into the batch; those that break a rule go to `reject`, with every violation.
    #[inline(always)]
    pub(crate) fn check_rows<S: Simd>(
        &mut self,
        simd: S,
        bytes: &[u8],
        known: Option<Known>,
        rows: &Rows,
        batch: &mut Batch,
        reject: impl Fn(Place, Vec<Violation>, &mut Batch),
    ) {
        let Checker { source, scope, times, .. } = self;
        let context =
            Context { simd, bytes, shelf: &rows.shelf, scope, source: Span::from(source.as_bytes()) };
        rows::check(context, times, known, rows.of(known), batch, reject);
    }
}

impl<'a> Envelope<'a> {
    /// Reads a row's envelope. `None` where there is nothing to check the payload by.
    #[inline(always)]
    fn read<S: Simd>(inputs: &mut Inputs<'a, S>, known: Option<Known>) -> Option<Envelope<'a>> {
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
        ] = const { Input::envelope() };

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
        // Where the event's type is bad, or the payload is none, nothing says what the payload should be.
        (inputs.object(properties) && routed.is_some()).then_some(envelope)
    }

    /// Appends it to a table's columns.
    #[inline(always)]
    fn push<S: Simd>(&self, shared: &mut Shared<'_>, inputs: &Inputs<'_, S>, columns: &mut EnvelopeColumns) {
        // The Native layout has the upper half first.
        columns.event_id.push(self.event_id.rotate_left(64));
        match shared.type_index {
            Some(index) => columns.event_type.push_index(index),
            None => columns.event_type.push_span(self.event_type),
        }
        columns.user_id.push_span(self.user_id);
        columns.event_time.push(self.event_time);
        columns.session_id.push_span(self.session_id);
        columns.platform.push_span(self.platform);
        columns.app_version.push_span(self.app_version);
        columns.country.push_span(self.country);
        if inputs.unknown.is_empty() {
            columns.extra.push_empty();
        } else {
            extra::push(shared.bytes, inputs.unknown, &mut columns.extra);
        }
        columns.source_file.push_index(shared.source_index);
        columns.source_line.push(inputs.row.place.number);
    }
}

/// What rows that are checked together share.
struct Shared<'a> {
    bytes: &'a [u8],
    /// The indices of the source's and the type's names in their columns; rows of many types have no one name.
    source_index: u32,
    type_index: Option<u32>,
}

impl<'a> Shared<'a> {
    #[inline(always)]
    fn new<S: Simd>(
        context: Context<'a, S>,
        known: Option<Known>,
        columns: &mut EnvelopeColumns,
    ) -> Shared<'a> {
        Shared {
            bytes: context.bytes,
            type_index: known
                .map(|known| columns.event_type.index_of(Span::from(known.event_type().name.as_bytes()))),
            source_index: columns.source_file.index_of(context.source),
        }
    }
}

//! Values become columns: they are checked by the contract's rules and appended to the batch, or the line is rejected
//! with every violation.
//!
//! - [`rules`]: a file for each kind of rule.
//! - [`payloads`]: which rules and columns the fields of each event type have, generated from the registry.
//! - [`bulk`]: the fast path, many rows column by column.
//! - [`row`]: the slow path, one row at a time.

#![expect(clippy::inline_always, reason = "compiled for each instruction set and event type")]

mod bulk;
mod extra;
mod message;
mod payloads;
mod row;
mod rules;

use event_schema::value::Date;

use crate::arch::Simd;
use crate::batch::{Batch, EnvelopeColumns, Violation};
use crate::payload_kind::PayloadKind;
use crate::reader::{Arena, LineSlots};
use crate::slot_rows::SlotRows;
use crate::span::Span;
use bulk::ColumnPass;
use row::{RowCheck, SharedIndices};
use rules::TimeReader;

/// Checks the lines of one source.
#[derive(Debug)]
pub(crate) struct Checker {
    source: String,
    limits: Limits,
    times: TimeReader,
    buffers: bulk::Buffers,
}

/// What a rule may depend on besides the value.
#[derive(Debug)]
struct Limits {
    batch_date: Date,
    /// Events from this instant on are out of range, in milliseconds since 1970-01-01T00:00:00Z.
    event_time_end: i64,
}

/// What all rows of a chunk share.
#[derive(Debug, Clone, Copy)]
struct RowContext<'a, S> {
    simd: S,
    bytes: &'a [u8],
    arena: &'a Arena,
    limits: &'a Limits,
    source: Span<'a>,
}

impl Checker {
    pub(crate) fn new(source: &str, batch_date: Date) -> Checker {
        let limits = Limits { batch_date, event_time_end: batch_date.start_millis() + 2 * 86_400_000 };
        Checker {
            source: source.to_owned(),
            limits,
            times: TimeReader::default(),
            buffers: bulk::Buffers::default(),
        }
    }

    /// Appends valid rows of one type of event to the batch; gives the violations of the others to `reject`.
    #[inline(always)]
    pub(crate) fn check_rows<S: Simd>(
        &mut self,
        simd: S,
        bytes: &[u8],
        kind: Option<PayloadKind>,
        rows: &SlotRows,
        batch: &mut Batch,
        reject: impl FnMut(&LineSlots, Vec<Violation>, &mut Batch),
    ) {
        let Checker { source, limits, times, .. } = self;
        let context =
            RowContext { simd, bytes, arena: &rows.arena, limits, source: Span::from(source.as_bytes()) };
        payloads::check_rows(context, times, kind, rows.of(kind), batch, reject);
    }
}

/// A type of event: how its rows are checked, and which columns they fill. [`payloads`] implements it, generated from
/// the registry. All functions have to be `#[inline(always)]`.
trait EventKind {
    /// `None` for the events of all other types.
    const KIND: Option<PayloadKind>;

    /// The envelope's columns of its table.
    fn envelope(batch: &mut Batch) -> &mut EnvelopeColumns;

    /// Checks all fields of a row, and appends it to the table if there is no violation.
    fn check_row<S: Simd>(row: &mut RowCheck<'_, S>, shared: SharedIndices, batch: &mut Batch);

    /// Visits the columns of the table.
    fn pass_columns<P: ColumnPass>(pass: &mut P, batch: &mut Batch);
}

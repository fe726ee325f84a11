//! Builds batches within a fixed memory budget, and sends their tables in few, large blocks.
//!
//! When the batch is full, its largest table is sent, and the others stay and grow. So a small table is sent at the end, in
//! one block, and a large one in blocks as large as the memory allows:
//!
//! - sending the largest table frees the most memory: at least a sixth of the batch, since there are six tables. A table
//!   that is smaller than that in the whole load is one block;
//! - the batch is full at three quarters of the budget, so that it can grow while a block is sent.
//!
//! | memory | estimated as |
//! |---|---|
//! | rows, in the batch or in flight | 1.2 × their bytes: columns grow in steps |
//! | a block while it is encoded | [`SORTING_BYTES`] or [`COLUMNS_BYTES`] a row |
//! | everything else | [`FIXED_BYTES`]: pieces in flight, buffers, runtime |

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use event_mapping::SourceParser;
use event_parser::Batch;
use tokio::sync::mpsc;

use super::tally::LoadTally;
use crate::blocks::{BatchTable, TableRows};

/// Pieces in flight (a few of 1 MiB for each table that is sent), read-ahead, the runtime.
const FIXED_BYTES: usize = 48 << 20;
/// The smallest budget for rows, whatever the options say.
const LEAST_BYTES: usize = 12 << 20;
/// The largest budget for rows: string columns have 32-bit offsets.
const MOST_BYTES: usize = 4 << 30;
/// Bytes that sorting takes for each row.
const SORTING_BYTES: usize = 12;
/// Bytes that the columns of rejected lines take for each line. They are not sorted.
const COLUMNS_BYTES: usize = 128;

/// A batch within a memory budget, and the channel to which its tables are sent.
pub(super) struct BatchBuilder {
    batch: Batch,
    /// Figures of the tables that were sent. Lines are counted in the batch until the end.
    tally: LoadTally,
    /// The budget for rows and for encoding them.
    memory_bytes: usize,
    in_flight: Arc<InFlight>,
    sent: u64,
    sender: mpsc::Sender<Outgoing>,
}

/// Rows of one table that are to be stored.
pub(super) struct Outgoing {
    pub(super) rows: Arc<TableRows>,
    /// From 1.
    pub(super) number: u64,
    /// Released when the rows are stored, or the load fails.
    _memory: Reservation,
}

/// The receiver is gone: the load has failed elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stopped;

impl BatchBuilder {
    /// For a load that may take `memory_bytes` in all, buffers included.
    pub(super) fn new(memory_bytes: usize, sender: mpsc::Sender<Outgoing>) -> BatchBuilder {
        let memory_bytes = memory_bytes.saturating_sub(FIXED_BYTES).clamp(LEAST_BYTES, MOST_BYTES);
        BatchBuilder {
            batch: Batch::default(),
            tally: LoadTally::default(),
            memory_bytes,
            in_flight: Arc::default(),
            sent: 0,
            sender,
        }
    }

    /// The batch, to be parsed into.
    pub(super) fn batch(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// Counts what a mapping has dropped of a source that was read to its end.
    pub(super) fn add_dropped_of(&mut self, parser: &SourceParser) {
        parser.add_dropped_to(&mut self.tally.parsed);
    }

    /// Sends the largest table if the batch is full, and waits until there is memory for more. Call it after each read.
    pub(super) fn send_if_full(&mut self) -> Result<(), Stopped> {
        let (filled, largest) = (row_bytes(self.batch.bytes()), self.largest());
        if filled + encoding_bytes(largest, &self.batch) >= self.memory_bytes / 4 * 3 {
            return self.send(largest);
        }
        self.in_flight.wait_for(|bytes| filled + bytes <= self.memory_bytes);
        Ok(())
    }

    /// Sends what is left, the largest table first, and returns the figures of the load.
    pub(super) fn finish(mut self) -> LoadTally {
        loop {
            let table = self.largest();
            // The receiver is gone only where storing has failed; it reports why.
            if table.rows(&self.batch) == 0 || self.send(table).is_err() {
                break;
            }
        }
        // Only the lines: all rows have left.
        self.tally.parsed.add(&self.batch);
        self.tally
    }

    fn largest(&self) -> BatchTable {
        BatchTable::all().max_by_key(|table| table.bytes(&self.batch)).expect("a batch has tables")
    }

    /// Waits for memory, and sends a table's rows.
    fn send(&mut self, table: BatchTable) -> Result<(), Stopped> {
        let encoding = encoding_bytes(table, &self.batch);
        let filled = row_bytes(self.batch.bytes());
        self.in_flight.wait_for(|bytes| filled + encoding + bytes <= self.memory_bytes);
        let memory = self.in_flight.take(row_bytes(table.bytes(&self.batch)) + encoding);
        let rows = table.take(&mut self.batch);
        rows.add_to(&mut self.tally.parsed);
        self.sent += 1;
        let outgoing = Outgoing { rows: Arc::new(rows), number: self.sent, _memory: memory };
        self.sender.blocking_send(outgoing).map_err(|_| Stopped)
    }
}

/// Memory that rows take.
fn row_bytes(bytes: usize) -> usize {
    bytes + bytes / 5
}

/// Memory that encoding the rows as a block takes.
fn encoding_bytes(table: BatchTable, batch: &Batch) -> usize {
    let bytes_per_row = match table {
        BatchTable::Entity(_) => SORTING_BYTES,
        BatchTable::Rejects => COLUMNS_BYTES,
    };
    table.rows(batch) * bytes_per_row
}

/// The memory of all rows in flight.
#[derive(Default)]
struct InFlight {
    bytes: Mutex<usize>,
    freed: Condvar,
}

impl InFlight {
    /// Waits until `fits` accepts the bytes in flight, or none are.
    fn wait_for(&self, fits: impl Fn(usize) -> bool) {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.freed.wait_while(bytes, |bytes| *bytes > 0 && !fits(*bytes)));
    }

    fn take(self: &Arc<Self>, bytes: usize) -> Reservation {
        *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) += bytes;
        Reservation { from: Arc::clone(self), bytes }
    }
}

/// Memory that is free again when this is dropped.
struct Reservation {
    from: Arc<InFlight>,
    bytes: usize,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        *self.from.bytes.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.from.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use event_parser::{Options, Parser, Reject};
    use event_schema::registry::TableId;
    use tokio::task::spawn_blocking;
    use uuid::Uuid;

    use super::*;

    /// The least that there is: [`LEAST_BYTES`] for rows.
    const MEMORY_BYTES: usize = 0;
    /// What a full batch holds at the least: encoding a block takes less than a quarter of a column's bytes.
    const FULL_BYTES: usize = LEAST_BYTES / 2;

    /// A line of `raw.events`, `raw.task_results`, `raw.sessions`, or none that is accepted.
    fn line(number: usize) -> String {
        let (event_type, properties) = match number % 100 {
            0..60 => ("page_view", "{}"),
            60..98 => ("task_result", r#"{"task_id":"t","is_correct":true}"#),
            98 => ("session", r#"{"started_at":"2026-03-01T09:00:00Z"}"#),
            _ => ("session", "{}"),
        };
        format!(
            "{{\"event_id\":\"00000000-0000-0000-0000-{number:012x}\",\"event_type\":\"{event_type}\",\"user_id\":\"u\",\
             \"event_time\":\"2026-03-01T09:00:00Z\",\"session_id\":\"{}\",\"properties\":{properties}}}\n",
            "s".repeat(200)
        )
    }

    /// Fills with so many lines; what leaves, and what was counted.
    async fn fill(lines: usize) -> (Vec<(BatchTable, usize, usize)>, LoadTally) {
        let (sender, mut outgoing) = mpsc::channel(1);
        let mut builder = BatchBuilder::new(MEMORY_BYTES, sender);
        let filled = spawn_blocking(move || {
            let options = Options::new("2026-03-01".parse().unwrap()).with_batch_bytes(usize::MAX);
            let mut parser = Parser::new("day", options);
            for number in 0..lines {
                parser.push(line(number).as_bytes(), builder.batch());
                builder.send_if_full().unwrap();
                let bytes = *builder.in_flight.bytes.lock().unwrap();
                assert!(row_bytes(builder.batch.bytes()) + bytes <= LEAST_BYTES);
            }
            builder.finish()
        });
        let mut left = Vec::new();
        while let Some(Outgoing { rows, number, .. }) = outgoing.recv().await {
            assert_eq!(number, left.len() as u64 + 1);
            let bytes = match &*rows {
                TableRows::Entity(table) => table.bytes(),
                TableRows::Rejects(rejects) => rejects.iter().map(Reject::memory_bytes).sum(),
            };
            left.push((rows.table(), rows.count(), bytes));
        }
        (left, filled.await.unwrap())
    }

    fn lines(tally: LoadTally) -> u64 {
        tally.into_staged(Uuid::nil(), String::new(), Duration::ZERO).record.stats.lines
    }

    #[tokio::test]
    async fn what_fits_into_the_memory_leaves_at_the_end_in_one_block_a_table() {
        let (left, tally) = fill(500).await;
        let mut tables: Vec<BatchTable> = left.iter().map(|(table, ..)| *table).collect();
        assert_eq!(tables[0], BatchTable::Entity(TableId::Events), "the largest goes first");
        tables.sort_by_key(|table| table.name());
        tables.dedup();
        assert_eq!((tables.len(), left.len()), (4, 4));
        assert_eq!((lines(tally), left.iter().map(|(_, rows, _)| rows).sum::<usize>()), (500, 500));
    }

    #[tokio::test]
    async fn beyond_the_memory_large_tables_leave_and_small_ones_stay() {
        let (left, tally) = fill(100_000).await;
        let of = |table: BatchTable| {
            left.iter().filter(move |(left, ..)| *left == table).map(|(_, rows, _)| *rows)
        };
        for (table, rows) in [
            (BatchTable::Entity(TableId::Events), 60_000),
            (BatchTable::Entity(TableId::TaskResults), 38_000),
            (BatchTable::Entity(TableId::Sessions), 1000),
            (BatchTable::Rejects, 1000),
            (BatchTable::Entity(TableId::Purchases), 0),
        ] {
            assert_eq!((of(table).sum::<usize>(), tally.rows(table)), (rows, rows as u64), "{table:?}");
        }
        assert_eq!(lines(tally), 100_000);
        for (table, _, bytes) in &left[..left.len() - 4] {
            assert!(*bytes >= FULL_BYTES / BatchTable::all().count(), "{table:?} left with {bytes} bytes");
        }
        // Both take less than a sixth of the memory.
        assert_eq!(
            (of(BatchTable::Entity(TableId::Sessions)).count(), of(BatchTable::Rejects).count()),
            (1, 1)
        );
        let whole: usize = left.iter().map(|(.., bytes)| bytes).sum();
        let fewest = whole / FULL_BYTES;
        assert!(left.len() <= 4 + 2 * fewest, "{} blocks where {fewest} could hold all", left.len());
    }

    #[tokio::test]
    async fn who_fills_hears_that_nobody_stores_any_more() {
        let (sender, outgoing) = mpsc::channel(1);
        let mut builder = BatchBuilder::new(MEMORY_BYTES, sender);
        drop(outgoing);
        let sent = spawn_blocking(move || {
            let mut parser = Parser::new("day", Options::new("2026-03-01".parse().unwrap()));
            parser.push(line(0).as_bytes(), &mut builder.batch);
            builder.send(BatchTable::Entity(TableId::Events))
        });
        assert!(sent.await.unwrap().is_err());
    }
}

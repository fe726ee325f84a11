//! Sources → bytes → batches → blocks → the server, with all steps at work at once.
//!
//! One thread reads, decompresses and parses into a batch while the batch before it is sorted, encoded and sent,
//! table by table side by side. There are [`BATCHES`] batches, which go round: that is what bounds the memory.
//!
//! | memory | at most |
//! |---|---|
//! | batches | [`BATCHES`] × 1.2 × a full batch: a batch that keeps more for reuse is given up |
//! | sorting | 0.6 × a full batch: 36 bytes for a row, which has at least 60 |
//! | all else | [`FIXED_BYTES`]: pieces on their way, buffers, runtime |

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event_parser::{Batch, Options, Parser};
use event_schema::registry::ENTITIES;
use event_source::{Source, SourceError};
use futures_util::future::try_join_all;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::tally::Tally;
use super::{Day, LoadOptions};
use crate::LoadError;
use crate::blocks::{self, Constants, Part};
use crate::native;
use crate::warehouse::{CommittedSource, Identity};

/// One is filled while the other is sent.
const BATCHES: usize = 2;
/// Pieces of a block that wait to be sent.
const PIECES: usize = 2;
/// Pieces of all tables on their way (five of 1 MiB each at the most), the read buffer, the runtime.
const FIXED_BYTES: usize = 48 << 20;
/// A full batch, however little memory is allowed.
const SMALLEST_BATCH_BYTES: usize = 4 << 20;
/// A full batch, however much memory is allowed: its columns of strings have 32-bit offsets.
const LARGEST_BATCH_BYTES: usize = 1 << 30;
/// Decompressed bytes read at once.
const READ_BYTES: usize = 1 << 20;
/// Between two reports of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// How far a load has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Stored (compressed) bytes read.
    pub bytes_read: u64,
    /// Those there are; `None` if a source is a stream.
    pub bytes_total: Option<u64>,
    /// Lines stored or rejected so far.
    pub lines: u64,
    /// Rows stored so far.
    pub accepted: u64,
    /// Lines rejected so far.
    pub rejected: u64,
}

/// Reads, parses and stores everything.
pub(super) async fn run(
    day: &Day<'_>,
    sources: &[Source],
    progress: impl Fn(Progress),
) -> Result<Tally, LoadError> {
    let meters = Meters::default();
    let options = parser_options(day.options);
    let batch_bytes = options.batch_bytes;
    let (full_sender, mut full) = mpsc::channel(BATCHES);
    let (free, free_receiver) = mpsc::channel(BATCHES);
    for _ in 0..BATCHES {
        free.try_send(Slot::default()).expect("the channel has room for all batches");
    }
    let reading = spawn_blocking({
        let (sources, bytes) = (sources.to_vec(), Arc::clone(&meters.bytes));
        move || read(&sources, &options, &bytes, free_receiver, &full_sender)
    });

    let storing = async {
        let mut tally = Tally::default();
        let mut number = 0;
        while let Some(Slot { batch, high_water }) = full.recv().await {
            let batch = Arc::new(batch);
            try_join_all(Part::all().map(|part| store(day, part, &batch, number))).await?;
            number += 1;
            tally.add(&batch);
            meters.set(&tally);
            // Nobody waits for a batch once everything is read.
            let _ = free.send(Slot::recycled(batch, high_water, batch_bytes)).await;
        }
        let sources = day.joined(reading.await)?.map_err(|error| day.source_failed(error))?;
        tally.set_sources(sources);
        Ok(tally)
    };
    let bytes_total = sources.iter().map(Source::size).sum();
    tokio::select! {
        result = storing => result,
        never = report_forever(&meters, bytes_total, progress) => never,
    }
}

/// Sorts, encodes and sends one table of a batch; again, from the batch, until the server has acknowledged it. Its
/// token, by which the server knows it, is the load's, the table's and the batch's number.
pub(super) async fn store(
    day: &Day<'_>,
    part: Part,
    batch: &Arc<Batch>,
    number: u64,
) -> Result<(), LoadError> {
    if part.rows(batch) == 0 {
        return Ok(());
    }
    let table = day.warehouse.rows_table(part.table());
    let (doing, statement) = (format!("insert into {table}"), format!("INSERT INTO {table} FORMAT Native"));
    let token = format!("{}-{}-{number}", day.load_id, part.table());
    let send = async || {
        let (sender, pieces) = mpsc::channel(PIECES);
        let encoding = spawn_blocking({
            let batch = Arc::clone(batch);
            let constants = Constants::new(day.options.batch_date, day.load_id);
            move || {
                part.with_block(&batch, &constants, |block| {
                    native::encode(block, |piece| sender.blocking_send(piece).is_ok())
                })
            }
        });
        let whole = async { matches!(encoding.await, Ok(Ok(()))) };
        day.warehouse.insert(&doing, &statement, Identity::Token(&token), pieces, whole).await
    };
    day.warehouse.retrying(send).await.map_err(|error| day.failed(error))
}

/// Reads and parses the sources into free batches and hands the full ones on; what was read, in the end.
///
/// Ends early, with less, if nobody takes the batches any more: the other side has failed then, and says why.
fn read(
    sources: &[Source],
    options: &Options,
    bytes_read: &Arc<AtomicU64>,
    mut free: mpsc::Receiver<Slot>,
    full: &mpsc::Sender<Slot>,
) -> Result<Vec<CommittedSource>, SourceError> {
    let mut committed = Vec::with_capacity(sources.len());
    let mut buffer = vec![0; READ_BYTES];
    let Some(mut slot) = free.blocking_recv() else { return Ok(committed) };
    for source in sources {
        let mut reader = source.open_counting(Arc::clone(bytes_read))?;
        let mut parser = Parser::new(source.name(), options.clone());
        loop {
            let read = reader.read_some(&mut buffer)?;
            if read == 0 {
                break;
            }
            let mut rest = &buffer[..read];
            while !rest.is_empty() {
                let taken = parser.push(rest, &mut slot.batch);
                rest = &rest[taken..];
                if slot.batch.bytes() >= options.batch_bytes {
                    if full.blocking_send(slot).is_err() {
                        return Ok(committed);
                    }
                    slot = match free.blocking_recv() {
                        Some(slot) => slot,
                        None => return Ok(committed),
                    };
                }
            }
        }
        parser.finish(&mut slot.batch);
        let fingerprint = reader.fingerprint().expect("the source was read to its end").clone();
        committed.push(CommittedSource::new(source, fingerprint));
    }
    // If this is not taken, the other side has failed.
    let _ = full.blocking_send(slot);
    Ok(committed)
}

/// Parses as the load is to be, into batches that fit the memory.
fn parser_options(options: &LoadOptions) -> Options {
    // 2 × 1.2 for the batches and 0.6 for sorting: see above.
    let batch_bytes = options.memory_bytes.saturating_sub(FIXED_BYTES) / 3;
    Options {
        max_line_bytes: options.max_line_bytes,
        batch_bytes: batch_bytes.clamp(SMALLEST_BATCH_BYTES, LARGEST_BATCH_BYTES),
        ..Options::new(options.batch_date)
    }
}

/// A batch that goes round.
#[derive(Default)]
struct Slot {
    batch: Batch,
    /// The most bytes that each table has had, which is what it keeps.
    high_water: [usize; ENTITIES.len()],
}

impl Slot {
    /// The batch emptied; or a new one, if tables that were full at different times keep too much together.
    fn recycled(batch: Arc<Batch>, mut high_water: [usize; ENTITIES.len()], batch_bytes: usize) -> Slot {
        let Some(mut batch) = Arc::into_inner(batch) else { return Slot::default() };
        for (most, bytes) in high_water.iter_mut().zip(blocks::bytes_by_table(&batch)) {
            *most = bytes.max(*most);
        }
        if high_water.iter().sum::<usize>() > batch_bytes + batch_bytes / 5 {
            return Slot::default();
        }
        batch.clear();
        Slot { batch, high_water }
    }
}

/// Figures for people to look at; nothing is ordered by them.
#[derive(Default)]
struct Meters {
    bytes: Arc<AtomicU64>,
    lines: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
}

impl Meters {
    fn set(&self, tally: &Tally) {
        self.lines.store(tally.counts().lines(), Ordering::Relaxed);
        self.accepted.store(tally.counts().accepted_rows(), Ordering::Relaxed);
        self.rejected.store(tally.counts().rejected_lines(), Ordering::Relaxed);
    }
}

async fn report_forever<T>(meters: &Meters, bytes_total: Option<u64>, progress: impl Fn(Progress)) -> T {
    let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
    loop {
        ticks.tick().await;
        progress(Progress {
            bytes_read: meters.bytes.load(Ordering::Relaxed),
            bytes_total,
            lines: meters.lines.load(Ordering::Relaxed),
            accepted: meters.accepted.load(Ordering::Relaxed),
            rejected: meters.rejected.load(Ordering::Relaxed),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of `raw.events` or `raw.sessions`, long enough to fill batches soon.
    fn line(number: usize, is_session: bool) -> String {
        let (event_type, properties) = if is_session {
            ("session", r#"{"started_at":"2026-03-01T09:00:00Z"}"#)
        } else {
            ("page_view", "{}")
        };
        format!(
            "{{\"event_id\":\"00000000-0000-0000-0000-{number:012x}\",\"event_type\":\"{event_type}\",\"user_id\":\"u\",\
             \"event_time\":\"2026-03-01T09:00:00Z\",\"session_id\":\"{}\",\"properties\":{properties}}}\n",
            "s".repeat(200)
        )
    }

    #[test]
    fn a_batch_that_keeps_too_much_is_given_up() {
        let options = Options { batch_bytes: 100_000, ..Options::new("2026-03-01".parse().unwrap()) };
        let mut parser = Parser::new("day", options.clone());
        let mut fill = |mut slot: Slot, is_session| {
            for number in 0.. {
                let line = line(number, is_session);
                // A full batch takes nothing more.
                if parser.push(line.as_bytes(), &mut slot.batch) == 0 {
                    break;
                }
            }
            assert!(slot.batch.rejects().is_empty() && slot.batch.bytes() >= options.batch_bytes);
            Slot::recycled(Arc::new(slot.batch), slot.high_water, options.batch_bytes)
        };
        let mut slot = Slot::default();
        for _ in 0..3 {
            slot = fill(slot, false);
            // The same mix of tables again and again: its memory is worth keeping.
            assert!(slot.high_water[0] > 0, "{:?}", slot.high_water);
        }
        slot = fill(slot, true);
        assert_eq!(slot.high_water, [0; ENTITIES.len()]);
    }
}

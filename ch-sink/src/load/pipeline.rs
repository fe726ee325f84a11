//! The pipeline: sources → bytes → columns → blocks → server. All steps run at the same time.
//!
//! One thread reads and parses into a batch ([`BatchBuilder`]); compressed sources are decompressed by another. Each table
//! leaves the batch in as few blocks as there is memory for, to be sorted, encoded and sent while another is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use event_mapping::{Mapping, SourceParser};
use event_parser::Options;
use event_source::{ReadBuffer, Source, SourceError};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tracing::{Instrument as _, Span, debug, info, info_span};

use super::Day;
use super::batch_builder::{BatchBuilder, Outgoing};
use super::tally::LoadTally;
use crate::LoadError;
use crate::blocks::{BatchTable, Constants, TableRows};
use crate::native::{self, Buffers};
use crate::record::CommittedSource;

/// Pieces of a block that may be queued.
const PIECES: usize = 2;
/// One is encoded while the server stores another. More at once would delay the largest, which comes first.
const TABLES_AT_ONCE: usize = 2;
/// Decompressed bytes read at once.
const READ_BYTES: usize = 1 << 20;
/// Between two reports of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// How far a load has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Stored (compressed) bytes read.
    pub bytes_read: u64,
    /// Those there are; `None` if a source is a stream.
    pub bytes_total: Option<u64>,
    /// Lines read so far.
    pub lines: u64,
    /// Rows stored so far.
    pub accepted: u64,
    /// Rejected lines stored so far.
    pub rejected: u64,
}

/// Reads, parses and stores everything.
pub(super) async fn run(
    day: &Day<'_>,
    sources: &[Source],
    progress: impl Fn(Progress),
) -> Result<LoadTally, LoadError> {
    let meters = Arc::new(Meters::default());
    let (sender, mut outgoing) = mpsc::channel(1);
    let reading = spawn_blocking({
        let (sources, meters) = (sources.to_vec(), Arc::clone(&meters));
        let builder = BatchBuilder::new(day.options.memory_bytes, sender);
        // The builder decides when a batch is full.
        let options = Options::new(day.options.batch_date)
            .with_max_line_bytes(day.options.max_line_bytes)
            .with_batch_bytes(usize::MAX);
        let mapping = day.options.mapping.clone();
        let span = Span::current();
        move || span.in_scope(|| read(&sources, &options, mapping.as_ref(), builder, &meters))
    });

    let buffers = Buffers::default();
    let storing = async {
        stream::poll_fn(|context| outgoing.poll_recv(context))
            .map(Ok)
            .try_for_each_concurrent(TABLES_AT_ONCE, |outgoing| {
                store_outgoing(day, outgoing, &buffers, &meters)
            })
            .await?;
        day.joined(reading.await)?.map_err(|error| day.source_failed(error))
    };
    let bytes_total = sources.iter().map(Source::size).sum();
    tokio::select! {
        result = storing => result,
        never = report_forever(&meters, bytes_total, progress) => never,
    }
}

async fn store_outgoing(
    day: &Day<'_>,
    outgoing: Outgoing,
    buffers: &Buffers,
    meters: &Meters,
) -> Result<(), LoadError> {
    let Outgoing { rows, number, .. } = &outgoing;
    store(day, rows, *number, buffers).await?;
    let meter = match rows.table() {
        BatchTable::Entity(_) => &meters.accepted,
        BatchTable::Rejects => &meters.rejected,
    };
    meter.fetch_add(rows.count() as u64, Ordering::Relaxed);
    Ok(())
}

/// Sorts and encodes the rows of a table into `buffers` and sends them, again and again until the server has acknowledged
/// the block. The server knows it by its token: the load's id, the table and the block's number.
pub(super) async fn store(
    day: &Day<'_>,
    rows: &Arc<TableRows>,
    number: u64,
    buffers: &Buffers,
) -> Result<(), LoadError> {
    if rows.count() == 0 {
        return Ok(());
    }
    let reader_table = rows.table().name();
    let table = day.warehouse.rows_table(reader_table);
    let (doing, statement) = (format!("insert into {table}"), format!("INSERT INTO {table} FORMAT Native"));
    let token = format!("{}-{}-{number}", day.load_id, reader_table);
    let send = async || {
        let (sender, pieces) = mpsc::channel(PIECES);
        let encoding = spawn_blocking({
            let (rows, buffers) = (Arc::clone(rows), buffers.clone());
            let constants = Constants::new(day.options.batch_date, day.load_id);
            move || {
                rows.with_block(&constants, |block| {
                    native::encode(block, &buffers, |piece| sender.blocking_send(piece).is_ok())
                })
            }
        });
        let whole = async { matches!(encoding.await, Ok(Ok(()))) };
        day.warehouse.insert(&doing, &statement, &token, pieces, whole).await
    };
    let began = Instant::now();
    let stored = async {
        debug!(rows = rows.count(), "sending");
        day.warehouse.retrying(send).await?;
        debug!(rows = rows.count(), ms = began.elapsed().as_millis() as u64, "stored");
        Ok(())
    };
    let span = info_span!("block", table = reader_table, number);
    stored.instrument(span).await.map_err(|error| day.failed(error))
}

/// Reads and parses the sources, sends full tables, and returns the figures.
///
/// Ends early if the receiver is gone: storing has failed then, and reports why.
fn read(
    sources: &[Source],
    options: &Options,
    mapping: Option<&Arc<Mapping>>,
    mut builder: BatchBuilder,
    meters: &Meters,
) -> Result<LoadTally, SourceError> {
    let mut committed = Vec::with_capacity(sources.len());
    let mut buffer = ReadBuffer::new(READ_BYTES);
    for source in sources {
        let began = Instant::now();
        let lines_before = builder.batch().lines;
        let mut reader = source.open_counting(Arc::clone(&meters.bytes))?;
        let mut parser = SourceParser::new(source.name(), options.clone(), mapping);
        loop {
            let read = reader.read_some(&mut buffer)?;
            if read == 0 {
                break;
            }
            parser.push(&buffer[..read], builder.batch());
            meters.lines.store(builder.batch().lines, Ordering::Relaxed);
            if builder.send_if_full().is_err() {
                return Ok(builder.finish());
            }
        }
        parser.finish(builder.batch());
        builder.add_dropped_of(&parser);
        let fingerprint = reader.fingerprint().expect("the source was read to its end").clone();
        let (lines, ms) = (builder.batch().lines - lines_before, began.elapsed().as_millis() as u64);
        info!(source = source.name(), bytes = fingerprint.size, lines, ms, "read");
        committed.push(CommittedSource::new(source, fingerprint));
    }
    let mut tally = builder.finish();
    tally.sources = committed;
    Ok(tally)
}

/// Figures for progress only: relaxed atomics.
#[derive(Default)]
struct Meters {
    bytes: Arc<AtomicU64>,
    lines: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
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

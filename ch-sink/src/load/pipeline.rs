//! Sources → bytes → columns → blocks → the server, with all steps at work at once.
//!
//! One thread reads and parses into a batch ([`Filling`]); compressed sources are decompressed by another. Each table
//! leaves the batch in as few blocks as there is memory for, to be sorted, encoded and sent while another is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event_parser::{Options, Parser};
use event_source::{ReadBuffer, Source, SourceError};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::Day;
use super::filling::{Filling, Outgoing};
use super::tally::Tally;
use crate::LoadError;
use crate::blocks::{BatchTable, Constants, TableRows};
use crate::native::{self, Buffers};
use crate::record::CommittedSource;

/// Pieces of a block that wait to be sent.
const PIECES: usize = 2;
/// One is encoded while the server stores another. More at once would all be late, and the largest, which comes first,
/// the last.
const TABLES_AT_ONCE: usize = 2;
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
) -> Result<Tally, LoadError> {
    let meters = Arc::new(Meters::default());
    let (sender, mut outgoing) = mpsc::channel(1);
    let reading = spawn_blocking({
        let (sources, meters) = (sources.to_vec(), Arc::clone(&meters));
        let filling = Filling::new(day.options.memory_bytes, sender);
        // When a batch is full is decided here.
        let options = Options::new(day.options.batch_date)
            .with_max_line_bytes(day.options.max_line_bytes)
            .with_batch_bytes(usize::MAX);
        move || read(&sources, &options, filling, &meters)
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
    day.warehouse.retrying(send).await.map_err(|error| day.failed(error))
}

/// Reads and parses the sources, and hands on what fills the memory; what was read, in the end.
///
/// Ends early, with less, if nobody takes the rows any more: the other side has failed then, and says why.
fn read(
    sources: &[Source],
    options: &Options,
    mut filling: Filling,
    meters: &Meters,
) -> Result<Tally, SourceError> {
    let mut committed = Vec::with_capacity(sources.len());
    let mut buffer = ReadBuffer::new(READ_BYTES);
    for source in sources {
        let mut reader = source.open_counting(Arc::clone(&meters.bytes))?;
        let mut parser = Parser::new(source.name(), options.clone());
        loop {
            let read = reader.read_some(&mut buffer)?;
            if read == 0 {
                break;
            }
            parser.push(&buffer[..read], filling.batch());
            meters.lines.store(filling.batch().lines, Ordering::Relaxed);
            if filling.make_room().is_err() {
                return Ok(filling.finish());
            }
        }
        parser.finish(filling.batch());
        let fingerprint = reader.fingerprint().expect("the source was read to its end").clone();
        committed.push(CommittedSource::new(source, fingerprint));
    }
    let mut tally = filling.finish();
    tally.sources = committed;
    Ok(tally)
}

/// Figures for people to look at; nothing is ordered by them.
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

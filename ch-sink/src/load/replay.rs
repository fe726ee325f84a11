//! Replay: parses a day's rejected lines again, after the contract or the lines were corrected.

use std::collections::BTreeMap;
use std::io;
use std::iter::Peekable;
use std::sync::Arc;

use bytes::Bytes;
use event_mapping::SourceParser;
use event_parser::{Batch, Options};
use event_schema::registry::{REPLAYED_LINES, TableId};
use event_schema::value::Date;
use serde::Serialize;
use uuid::Uuid;

use super::{Day, LoadOptions, cleanup, commit, pipeline};
use crate::LoadError;
use crate::blocks::BatchTable;
use crate::native::Buffers;
use crate::record::LoadRecord;
use crate::warehouse::{
    Commit, Proposal, Refusal, RejectFilter, RejectKey, RejectedLine, RejectsIn, Warehouse,
};

/// The batch is sent at this size.
const BATCH_BYTES: usize = 64 << 20;
/// How many times a replay starts over because the day was loaded again meanwhile.
const MOST_ATTEMPTS: u32 = 3;

/// Lines to be parsed in the place of those that were rejected, in the order of [`crate::read_rejects`].
pub type EditedLines = Box<dyn Iterator<Item = io::Result<(RejectKey, Vec<u8>)>>>;

/// How a replay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReplayStatus {
    /// The accepted lines have joined the day.
    Committed,
    /// No line was accepted; nothing was changed.
    NothingAccepted,
}

/// What a replay did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReplayReport {
    /// How it ended.
    pub status: ReplayStatus,
    /// The day.
    pub batch_date: Date,
    /// The load that holds the accepted rows; none if nothing was accepted.
    pub load_id: Option<Uuid>,
    /// Lines parsed again.
    pub lines: u64,
    /// Accepted rows, by table.
    pub accepted: BTreeMap<String, u64>,
    /// Lines that are still rejected, by the reason that they are listed with.
    pub still_rejected: BTreeMap<String, u64>,
    /// Lines of which only the start is kept, and nothing was put in its place: they can only be replayed from an edited
    /// file, or loaded again.
    pub cut_lines: u64,
    /// How long it took.
    pub seconds: f64,
    /// Warnings about a replay that succeeded.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// Parses the rejected lines of the day of `options` again. The accepted ones join the day as one more load, under
/// the source and line they came from; the others stay listed as they were.
///
/// With `edited` its lines are parsed instead, and rejected lines that it does not have are left alone. Again, it
/// changes nothing: lines that were accepted are rejected no more. If the day is loaded again meanwhile, the replay
/// begins anew with what was rejected of that.
pub async fn replay_rejects(
    warehouse: &Warehouse,
    options: &LoadOptions,
    filter: &RejectFilter,
    edited: Option<&dyn Fn() -> io::Result<EditedLines>>,
) -> Result<ReplayReport, LoadError> {
    let mut attempt = 1;
    loop {
        let edited = edited.map(|open| open()).transpose().map_err(|error| LoadError::Edited { error })?;
        match Box::pin(replay_once(warehouse, options, filter, edited)).await {
            Err(LoadError::DayChanged { .. }) if attempt < MOST_ATTEMPTS => attempt += 1,
            outcome => return outcome,
        }
    }
}

async fn replay_once(
    warehouse: &Warehouse,
    options: &LoadOptions,
    filter: &RejectFilter,
    edited: Option<EditedLines>,
) -> Result<ReplayReport, LoadError> {
    let batch_date = options.batch_date;
    let day = Day::new(warehouse, options);
    let latest = warehouse.latest_commit(batch_date).await.map_err(|error| day.failed(error))?;
    let base = latest.ok_or(LoadError::NotLoaded { batch_date })?;
    let mut replay = Replay::new(&day, edited);
    let result = replay.run(&base, filter).await;
    let outcome = match result {
        Ok(()) if replay.accepted.is_empty() => return Ok(replay.report(ReplayStatus::NothingAccepted)),
        Ok(()) => replay.commit(&base).await,
        Err(error) => Err((error, true)),
    };
    match outcome {
        Ok(standing) => {
            let mut report = replay.report(ReplayStatus::Committed);
            if standing == crate::warehouse::Standing::Replaced {
                report.warnings.push(format!("another load of {batch_date} was committed after this replay"));
            }
            report.warnings.extend(cleanup::sweep(warehouse).await);
            Ok(report)
        }
        Err((error, is_certain)) => {
            if is_certain {
                cleanup::discard_all(&day).await;
            }
            Err(error)
        }
    }
}

struct Replay<'a> {
    day: &'a Day<'a>,
    edited: Option<Peekable<EditedLines>>,
    /// Of the source that the last line came from.
    parser: Option<(String, SourceParser)>,
    batch: Batch,
    batches: u64,
    buffers: Buffers,
    /// Accepted lines of the batch.
    keys: Vec<RejectKey>,
    lines: u64,
    accepted: BTreeMap<String, u64>,
    /// By the reason for which they had been rejected.
    mended: BTreeMap<String, u64>,
    still_rejected: BTreeMap<String, u64>,
    cut_lines: u64,
}

impl<'a> Replay<'a> {
    fn new(day: &'a Day<'a>, edited: Option<EditedLines>) -> Replay<'a> {
        Replay {
            day,
            edited: edited.map(Iterator::peekable),
            parser: None,
            batch: Batch::default(),
            batches: 0,
            buffers: Buffers::default(),
            keys: Vec::new(),
            lines: 0,
            accepted: BTreeMap::new(),
            mended: BTreeMap::new(),
            still_rejected: BTreeMap::new(),
            cut_lines: 0,
        }
    }

    /// Parses and stores, page by page.
    async fn run(&mut self, base: &Commit, filter: &RejectFilter) -> Result<(), LoadError> {
        let rejects =
            RejectsIn::Commit { batch_date: self.day.options.batch_date, load_ids: base.load_ids.clone() };
        let mut after: Option<RejectKey> = None;
        loop {
            let page = self.day.warehouse.reject_page(&rejects, filter, after.as_ref()).await;
            let page = page.map_err(|error| self.day.failed(error))?;
            for line in &page {
                self.parse(line)?;
            }
            let is_last = page.is_empty();
            if is_last || self.batch.bytes() >= BATCH_BYTES {
                self.flush().await?;
            }
            match page.into_iter().next_back() {
                Some(last) => after = Some(last.key),
                None => return Ok(()),
            }
        }
    }

    /// Parses one line, or what was put in its place.
    fn parse(&mut self, line: &RejectedLine) -> Result<(), LoadError> {
        let mut text = match &mut self.edited {
            None => Some(line.raw.clone()),
            Some(edited) => take(edited, &line.key)?,
        };
        // The start of a line may parse as an event, but it is not the line.
        if line.is_cut() && text.as_ref() == Some(&line.raw) {
            self.cut_lines += 1;
            text = None;
        }
        let Some(mut text) = text else {
            *self.still_rejected.entry(line.reason.clone()).or_default() += 1;
            return Ok(());
        };
        text.push(b'\n');
        let options = self.day.options;
        let RejectKey { source_file, source_line, .. } = &line.key;
        let parser = match &mut self.parser {
            Some((source, parser)) if source == source_file => parser,
            other => {
                let options = Options::new(options.batch_date)
                    .with_max_line_bytes(options.max_line_bytes)
                    .with_batch_bytes(usize::MAX);
                let parser = SourceParser::new(source_file, options, self.day.options.mapping.as_ref());
                &mut other.insert((source_file.clone(), parser)).1
            }
        };
        let before = self.batch.rows();
        parser.seek(*source_line, line.byte_offset);
        parser.push(&text, &mut self.batch);
        self.lines += 1;
        let counts = if self.batch.rows() > before {
            self.keys.push(line.key.clone());
            &mut self.mended
        } else {
            &mut self.still_rejected
        };
        *counts.entry(line.reason.clone()).or_default() += 1;
        Ok(())
    }

    /// Stores the accepted rows, and which lines they were.
    async fn flush(&mut self) -> Result<(), LoadError> {
        #[derive(Serialize)]
        struct Row<'a> {
            batch_date: Date,
            load_id: Uuid,
            rejected_by: &'a str,
            source_file: &'a str,
            source_line: u64,
        }
        let Day { warehouse, options, load_id, .. } = *self.day;
        let mut batch = std::mem::take(&mut self.batch);
        for id in TableId::ALL {
            let rows = Arc::new(BatchTable::Entity(id).take(&mut batch));
            pipeline::store(self.day, &rows, self.batches, &self.buffers).await?;
            if rows.count() > 0 {
                *self.accepted.entry(id.name().to_owned()).or_default() += rows.count() as u64;
            }
        }
        let keys = std::mem::take(&mut self.keys);
        if !keys.is_empty() {
            let row = |key: &RejectKey| {
                let row = Row {
                    batch_date: options.batch_date,
                    load_id,
                    rejected_by: &key.load,
                    source_file: &key.source_file,
                    source_line: key.source_line,
                };
                let mut line = serde_json::to_vec(&row).expect("a key is JSON");
                line.push(b'\n');
                line
            };
            let rows: Bytes = keys.iter().flat_map(row).collect();
            let statement = format!("INSERT INTO {}", warehouse.rows_table(REPLAYED_LINES.table));
            let token = format!("{load_id}-{}-{}", REPLAYED_LINES.table, self.batches);
            let send = async || {
                warehouse.insert_json("note the replayed lines", &statement, &token, rows.clone()).await
            };
            warehouse.retrying(send).await.map_err(|error| self.day.failed(error))?;
        }
        self.batches += 1;
        Ok(())
    }

    /// The day's commit with the replayed lines; an error tells whether their rows may go.
    async fn commit(&self, base: &Commit) -> Result<crate::warehouse::Standing, (LoadError, bool)> {
        let Day { warehouse, options, load_id, started } = *self.day;
        let mut stats = base.record.stats.clone();
        for (table, rows) in &self.accepted {
            *stats.accepted.entry(table.clone()).or_default() += rows;
        }
        for (reason, lines) in &self.mended {
            let rejected = stats.rejected.entry(reason.clone()).or_default();
            *rejected = rejected.saturating_sub(*lines);
        }
        stats.rejected.retain(|_, lines| *lines > 0);
        let record = LoadRecord::new(
            base.record.sources.clone(),
            stats,
            base.record.mapping.clone(),
            started.elapsed().as_secs_f64(),
        );
        let mut load_ids = base.load_ids.clone();
        load_ids.push(load_id);
        let commit = Commit { commit_id: Uuid::now_v7(), load_ids, record };
        let proposal = Proposal {
            batch_date: options.batch_date,
            commit: &commit,
            fresh: &[load_id],
            base: Some(base.commit_id),
            replayed: self.mended.values().sum(),
            rejected: 0,
        };
        match commit::commit(warehouse, &proposal).await {
            Ok(standing) => Ok(standing),
            Err(error) => {
                let is_certain = error.is_certain();
                // The base may have been swept as well: then the day has changed, too.
                let is_changed = matches!(
                    &error,
                    commit::NotCommitted::Refused {
                        refusal: Refusal::DayChanged | Refusal::RowsDiffer { .. },
                        ..
                    }
                ) && self.has_changed(base).await;
                if is_changed {
                    return Err((LoadError::DayChanged { batch_date: options.batch_date }, is_certain));
                }
                Err((error.explain(warehouse, options.batch_date, &[load_id]).await, is_certain))
            }
        }
    }

    async fn has_changed(&self, base: &Commit) -> bool {
        let latest = self.day.warehouse.latest_commit(self.day.options.batch_date).await;
        latest.is_ok_and(|latest| latest.is_none_or(|latest| latest.commit_id != base.commit_id))
    }

    fn report(&self, status: ReplayStatus) -> ReplayReport {
        ReplayReport {
            status,
            batch_date: self.day.options.batch_date,
            load_id: (status == ReplayStatus::Committed).then_some(self.day.load_id),
            lines: self.lines,
            accepted: self.accepted.clone(),
            still_rejected: self.still_rejected.clone(),
            cut_lines: self.cut_lines,
            seconds: self.day.started.elapsed().as_secs_f64(),
            warnings: Vec::new(),
        }
    }
}

/// The edited line of that key, if there is one. Those before it are not listed any more: they were mended earlier.
fn take(edited: &mut Peekable<EditedLines>, key: &RejectKey) -> Result<Option<Vec<u8>>, LoadError> {
    loop {
        match edited.peek() {
            Some(Ok((found, _))) if found < key => {
                edited.next();
            }
            Some(Ok((found, _))) if found > key => return Ok(None),
            None => return Ok(None),
            Some(_) => {
                let next = edited.next().expect("it was just looked at");
                return next.map(|(_, text)| Some(text)).map_err(|error| LoadError::Edited { error });
            }
        }
    }
}

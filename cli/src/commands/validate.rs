//! `validate`: checks day files against the contract, without a warehouse.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ch_sink::{misdated_events_warning, misdated_names_warning};
use event_mapping::{Mapping, SourceParser};
use event_parser::{Backend, Batch, LoadStats, Options, ParseStats, Reject};
use event_schema::Reason;
use event_schema::value::{Date, visible};
use event_source::{LeftOut, ReadBuffer, Reader, Source};
use indicatif::ProgressBar;
use serde::Serialize;
use tracing::info;

use super::days::date_of_or;
use super::mapping::mapping_of;
use super::{Talk, remove_spooled, resolve, today};
use crate::args;
use crate::failure::{Code, Failure, Outcome};
use crate::logging::warn;
use crate::output::{counts, dropped_of, thousands};
use crate::progress;

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 20;
/// Rows are only counted: a small batch stays in the cache.
const BATCH_BYTES: usize = 1 << 20;

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    /// Files beside the sources that were not read.
    left_out: Vec<String>,
    /// As they are stored (compressed).
    bytes: u64,
    #[serde(flatten)]
    stats: LoadStats,
    examples: Vec<Example>,
}

#[derive(Debug, Serialize)]
struct Example {
    source: String,
    line: u64,
    byte_offset: u64,
    reason: &'static str,
    field: String,
    message: String,
    /// Each `reason field`.
    violations: Vec<String>,
    /// The start of the line.
    raw: String,
}

/// What is checked as one day.
struct Day {
    tally: ParseStats,
    sources: Vec<Source>,
    /// Whether somebody has said which day it is, or a name has.
    is_dated: bool,
}

pub(crate) fn run(args: &args::Validate, talk: Talk) -> Outcome {
    let mapping = mapping_of(&args.mapped)?;
    let resolved = resolve(&args.sources, &args.reading, talk)?;
    let sources = &resolved.sources;
    let total = sources.iter().map(Source::size).sum::<Option<u64>>();
    let bar = progress::bytes(total, talk.quiet);
    info!("indexing lines with {}", Backend::default().name());
    let (mut tally, mut days) = (ParseStats::with_examples(args.examples), BTreeMap::new());
    let checked = check_all(sources, args, &bar, &mut tally, &mut days, mapping.as_ref());
    bar.finish_and_clear();
    let bytes = checked?;
    remove_spooled(&resolved);
    talk.output.print(&Report::new(&tally, bytes, resolved.left_out), as_text)?;
    for (batch_date, day) in &days {
        for warning in warnings(*batch_date, day).iter().filter(|_| !args.limits.allow_misdated) {
            warn(format_args!("{batch_date}: {warning}"));
        }
    }
    days.iter().try_for_each(|(batch_date, day)| verdict(*batch_date, day, &args.limits))
}

/// Checks the sources one after another; answers how many stored bytes were read.
fn check_all(
    sources: &[Source],
    args: &args::Validate,
    bar: &ProgressBar,
    tally: &mut ParseStats,
    days: &mut BTreeMap<Date, Day>,
    mapping: Option<&Arc<Mapping>>,
) -> Result<u64, Failure> {
    let bytes_read = Arc::new(AtomicU64::new(0));
    for source in sources {
        let batch_date = match args.batch_date {
            Some(batch_date) => batch_date,
            None => date_of_or(source, today()?)?,
        };
        bar.suspend(|| info!("{}: checked as the day file of {batch_date}", source.name()));
        bar.set_message(source.name().to_owned());
        let reader = source.open_counting(Arc::clone(&bytes_read))?;
        let options = Options::new(batch_date)
            .with_max_line_bytes(args.limits.max_line_bytes as usize)
            .with_batch_bytes(BATCH_BYTES);
        let day = days.entry(batch_date).or_insert_with(|| Day {
            tally: ParseStats::default(),
            sources: Vec::new(),
            is_dated: false,
        });
        day.sources.push(source.clone());
        day.is_dated |= args.batch_date.is_some() || !source.dates_in_name().is_empty();
        let seen = || bar.set_position(bytes_read.load(Ordering::Relaxed));
        let parser = SourceParser::new(source.name(), options, mapping);
        check(reader, parser, [&mut *tally, &mut day.tally], seen)?;
    }
    Ok(bytes_read.load(Ordering::Relaxed))
}

fn check(
    mut reader: Reader,
    mut parser: SourceParser,
    tallies: [&mut ParseStats; 2],
    seen: impl Fn(),
) -> Outcome {
    let [all, day] = tallies;
    let mut add = |batch: &Batch| {
        all.add(batch);
        day.add(batch);
    };
    let (mut batch, mut buffer) = (Batch::default(), ReadBuffer::new(READ_BYTES));
    loop {
        let read = reader.read_some(&mut buffer)?;
        seen();
        let mut piece = &buffer[..read];
        while !piece.is_empty() {
            let taken = parser.push(piece, &mut batch);
            piece = &piece[taken..];
            add(&batch);
            batch.clear();
        }
        if read == 0 {
            parser.finish(&mut batch);
            add(&batch);
            parser.add_dropped_to(all);
            parser.add_dropped_to(day);
            return Ok(());
        }
    }
}

impl Report {
    fn new(tally: &ParseStats, bytes: u64, left_out: Vec<LeftOut>) -> Report {
        Report {
            left_out: left_out.into_iter().map(|other| other.name).collect(),
            bytes,
            stats: tally.totals().clone(),
            examples: tally.examples().iter().map(Example::new).collect(),
        }
    }
}

impl Example {
    fn new(reject: &Reject) -> Example {
        let first = reject.first();
        Example {
            source: reject.source.to_string(),
            line: reject.line,
            byte_offset: reject.byte_offset,
            reason: first.reason.as_str(),
            field: first.field.clone(),
            message: first.message.clone(),
            violations: reject.violations.iter().map(ToString::to_string).collect(),
            raw: String::from_utf8_lossy(&reject.raw).into_owned(),
        }
    }
}

fn as_text(report: &Report) -> String {
    let stats = &report.stats;
    let mut text = format!(
        "{} lines: {} accepted, {} rejected, {} blank{}\n",
        thousands(stats.lines),
        thousands(stats.accepted_rows()),
        thousands(stats.rejected_lines()),
        thousands(stats.blank_lines),
        dropped_of(stats)
    );
    text.push_str(&counts(stats.accepted.iter().map(|(table, rows)| (table.as_str(), *rows))));
    for reason in Reason::ALL {
        let Some(count) = stats.rejected.get(reason.as_str()) else { continue };
        writeln!(text, "\nrejected, {reason}: {}", thousands(*count)).expect("writing to a string");
        for example in report.examples.iter().filter(|example| example.reason == reason.as_str()) {
            let Example { source, line, byte_offset, field, message, raw, .. } = example;
            let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
            writeln!(
                text,
                "  {source}:{line} (byte {byte_offset})\n    {field}{message}\n    {}",
                visible(raw)
            )
            .expect("writing to a string");
        }
    }
    text
}

/// What a load of the day would warn of, or refuse for its date. Here these are warnings only.
fn warnings(batch_date: Date, day: &Day) -> Vec<String> {
    if !day.is_dated {
        return Vec::new();
    }
    let dates = day.tally.dates();
    let of_names = misdated_names_warning(batch_date, &day.sources);
    let mut warnings: Vec<String> =
        of_names.into_iter().chain(misdated_events_warning(batch_date, dates)).collect();
    if dates.are_all_far_from(batch_date) {
        warnings.push("a load would be refused: no event is of the date or a day beside it".to_owned());
    }
    if today().ok().and_then(|today| today.plus_days(1)).is_some_and(|tomorrow| batch_date > tomorrow) {
        warnings.push("a load would be refused: the date is later than tomorrow".to_owned());
    }
    warnings
}

/// The same verdict that a load of the day would come to.
fn verdict(batch_date: Date, day: &Day, limits: &args::Limits) -> Outcome {
    let (tally, stats) = (&day.tally, day.tally.totals());
    let refused = |why: String| {
        Err(Failure::new(Code::BadData, format_args!("a load of {batch_date} would be refused: {why}")))
    };
    let dates = tally.dates_out_of_range();
    let out_of_range = match dates.total() {
        0 => String::new(),
        some if some < stats.rejected_lines() => format!("; the events of {some} of these are of {dates}"),
        _ => format!("; the events are of {dates}: check the batch date"),
    };
    if stats.reject_ratio() > limits.max_reject_ratio {
        return refused(format!(
            "{} of {} lines ({:.2} %) are rejected, more than --max-reject-ratio {} allows{out_of_range}",
            stats.rejected_lines(),
            stats.checked_lines(),
            stats.reject_ratio() * 100.0,
            limits.max_reject_ratio
        ));
    }
    if stats.accepted_rows() == 0 && !limits.allow_empty {
        return refused(format!("no valid event (allowed by --allow-empty){out_of_range}"));
    }
    Ok(())
}

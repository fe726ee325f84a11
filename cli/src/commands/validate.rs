//! `validate`: checks day files against the contract, without a warehouse.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event_parser::{Batch, Options, Parser, Reject, Tally};
use event_schema::Reason;
use event_schema::value::Date;
use event_source::{ReadBuffer, Reader, Source};
use indicatif::ProgressBar;
use serde::Serialize;

use super::{Talk, remove_spooled, resolve, today};
use crate::args;
use crate::failure::{Code, Failure, Outcome};
use crate::output::{counts, one_line, thousands};
use crate::progress;

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 20;
/// Rows are only counted: a small batch stays in the cache.
const BATCH_BYTES: usize = 1 << 20;

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    lines: u64,
    blank_lines: u64,
    /// As they are stored (compressed).
    bytes: u64,
    accepted: BTreeMap<&'static str, u64>,
    rejected: BTreeMap<&'static str, u64>,
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

pub(crate) fn run(args: &args::Validate, talk: Talk) -> Outcome {
    let resolved = resolve(&args.sources, &args.reading, talk)?;
    let sources = &resolved.sources;
    let total = sources.iter().map(Source::size).sum::<Option<u64>>();
    let bar = progress::bytes(total, talk.quiet);
    if talk.verbose {
        talk.say(format_args!("indexing lines with {}", event_parser::backend()));
    }
    let mut tally = Tally::with_examples(args.examples);
    let checked = check_all(sources, args, talk, &bar, &mut tally);
    bar.finish_and_clear();
    let bytes = checked?;
    remove_spooled(&resolved, talk);
    talk.output.print(&Report::new(&tally, bytes), as_text)?;
    verdict(&tally, &args.limits)
}

/// Checks the sources one after another; answers how many stored bytes were read.
fn check_all(
    sources: &[Source],
    args: &args::Validate,
    talk: Talk,
    bar: &ProgressBar,
    tally: &mut Tally,
) -> Result<u64, Failure> {
    let bytes_read = Arc::new(AtomicU64::new(0));
    for source in sources {
        let batch_date = match args.batch_date.or_else(|| date_in_name(source.name())) {
            Some(date) => date,
            None => today()?,
        };
        if talk.verbose {
            let what = format!("{}: checked as the day file of {batch_date}", source.name());
            bar.suspend(|| talk.say(what));
        }
        bar.set_message(source.name().to_owned());
        let reader = source.open_counting(Arc::clone(&bytes_read))?;
        let options = Options {
            max_line_bytes: args.limits.max_line_bytes as usize,
            batch_bytes: BATCH_BYTES,
            ..Options::new(batch_date)
        };
        let seen = || bar.set_position(bytes_read.load(Ordering::Relaxed));
        check(reader, Parser::new(source.name(), options), tally, seen)?;
    }
    Ok(bytes_read.load(Ordering::Relaxed))
}

fn check(mut reader: Reader, mut parser: Parser, tally: &mut Tally, seen: impl Fn()) -> Outcome {
    let (mut batch, mut buffer) = (Batch::default(), ReadBuffer::new(READ_BYTES));
    loop {
        let read = reader.read_some(&mut buffer)?;
        seen();
        let mut piece = &buffer[..read];
        while !piece.is_empty() {
            let taken = parser.push(piece, &mut batch);
            piece = &piece[taken..];
            tally.add(&batch);
            batch.clear();
        }
        if read == 0 {
            parser.finish(&mut batch);
            tally.add(&batch);
            return Ok(());
        }
    }
}

impl Report {
    fn new(tally: &Tally, bytes: u64) -> Report {
        Report {
            lines: tally.lines(),
            blank_lines: tally.blank_lines(),
            bytes,
            accepted: tally.accepted().collect(),
            rejected: tally.rejected().iter().map(|(reason, lines)| (reason.as_str(), *lines)).collect(),
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
    let rejected: u64 = report.rejected.values().sum();
    let accepted: u64 = report.accepted.values().sum();
    let mut text = format!(
        "{} lines: {} accepted, {} rejected, {} blank\n",
        thousands(report.lines),
        thousands(accepted),
        thousands(rejected),
        thousands(report.blank_lines)
    );
    text.push_str(&counts(report.accepted.iter().map(|(table, rows)| (*table, *rows))));
    for reason in Reason::ALL {
        let Some(count) = report.rejected.get(reason.as_str()) else { continue };
        writeln!(text, "\nrejected, {reason}: {}", thousands(*count)).expect("writing to a string");
        for example in report.examples.iter().filter(|example| example.reason == reason.as_str()) {
            let Example { source, line, byte_offset, field, message, raw, .. } = example;
            let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
            writeln!(
                text,
                "  {source}:{line} (byte {byte_offset})\n    {field}{message}\n    {}",
                one_line(raw)
            )
            .expect("writing to a string");
        }
    }
    text
}

/// The same verdict that a load of these sources would come to.
fn verdict(tally: &Tally, limits: &args::Limits) -> Outcome {
    let ratio = tally.reject_ratio();
    if ratio > limits.max_reject_ratio {
        let (rejected, lines) = (tally.rejected_lines(), tally.filled_lines());
        let message = format!(
            "{rejected} of {lines} lines ({:.2} %) are rejected, more than --max-reject-ratio {} allows: a load \
             would be refused",
            ratio * 100.0,
            limits.max_reject_ratio
        );
        return Err(Failure::new(Code::BadData, message));
    }
    if tally.accepted_rows() == 0 && !limits.allow_empty {
        let message = "no valid event: a load would be refused without --allow-empty";
        return Err(Failure::new(Code::BadData, message));
    }
    Ok(())
}

/// The first `YYYY-MM-DD` in a file's name.
fn date_in_name(source: &str) -> Option<Date> {
    let name = Path::new(source).file_name()?.to_str()?;
    (0..name.len()).find_map(|at| name.get(at..at + 10)?.parse().ok())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_day_files_name_tells_its_date() {
        let date = |name| super::date_in_name(name).map(|date| date.to_string());
        assert_eq!(date("days/2026-03-01.jsonl.gz").as_deref(), Some("2026-03-01"));
        assert_eq!(date("2026-01-01/events-2026-03-02.part3.jsonl").as_deref(), Some("2026-03-02"));
        assert_eq!(date("ключ-2026-13-40.jsonl"), None);
        assert_eq!(date("-"), None);
    }
}

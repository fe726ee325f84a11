//! `validate`: checks day files against the contract, without a warehouse.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use event_parser::{Batch, Options, Parser, Reject};
use event_schema::Reason;
use event_schema::value::Date;
use event_source::Source;
use indicatif::ProgressBar;
use serde::Serialize;

use super::{Talk, today};
use crate::args;
use crate::failure::{Code, Failure, Outcome};
use crate::output::{counts, one_line, thousands};
use crate::progress;

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 20;
/// Rows are only counted: a small batch stays in the cache.
const BATCH_BYTES: usize = 1 << 20;
/// The most bytes of a line that an example shows.
const SHOWN_BYTES: usize = 200;

/// What was found.
#[derive(Debug, Default, Serialize)]
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
    let sources = event_source::resolve(&args.sources)?;
    let total = sources.iter().map(Source::size).sum::<Option<u64>>();
    let bar = progress::bytes(total, talk.quiet);
    if talk.verbose {
        talk.say(format_args!("indexing lines with {}", event_parser::backend()));
    }
    let mut report = Report::default();
    let checked = check_all(&sources, args, talk, &bar, &mut report);
    bar.finish_and_clear();
    checked?;
    talk.output.print(&report, as_text)?;
    verdict(&report, &args.limits)
}

fn check_all(
    sources: &[Source],
    args: &args::Validate,
    talk: Talk,
    bar: &ProgressBar,
    report: &mut Report,
) -> Outcome {
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
        check(source, batch_date, args, bar, report)?;
    }
    Ok(())
}

fn check(
    source: &Source,
    batch_date: Date,
    args: &args::Validate,
    bar: &ProgressBar,
    report: &mut Report,
) -> Outcome {
    let max_line_bytes = args.limits.max_line_bytes as usize;
    let options = Options { max_line_bytes, batch_bytes: BATCH_BYTES, ..Options::new(batch_date) };
    let mut parser = Parser::new(source.name(), options);
    let mut batch = Batch::default();
    let counter = std::sync::Arc::default();
    let mut reader = source.open_counting(std::sync::Arc::clone(&counter))?;
    let (before, mut buffer) = (report.bytes, vec![0; READ_BYTES]);
    loop {
        let read = reader.read_some(&mut buffer)?;
        report.bytes = before + counter.load(std::sync::atomic::Ordering::Relaxed);
        bar.set_position(report.bytes);
        let mut piece = &buffer[..read];
        while !piece.is_empty() {
            let taken = parser.push(piece, &mut batch);
            piece = &piece[taken..];
            report.add(&mut batch, args.examples);
        }
        if read == 0 {
            parser.finish(&mut batch);
            report.add(&mut batch, args.examples);
            return Ok(());
        }
    }
}

impl Report {
    /// Counts a batch and clears it.
    fn add(&mut self, batch: &mut Batch, most_examples: usize) {
        self.lines += batch.lines;
        self.blank_lines += batch.blank_lines;
        for (table, rows) in batch.rows_by_table() {
            *self.accepted.entry(table).or_default() += rows as u64;
        }
        for reject in batch.rejects() {
            let count = self.rejected.entry(reject.first().reason.as_str()).or_default();
            *count += 1;
            if *count <= most_examples as u64 {
                self.examples.push(Example::new(reject));
            }
        }
        batch.clear();
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
            raw: String::from_utf8_lossy(&reject.raw[..reject.raw.len().min(SHOWN_BYTES)]).into_owned(),
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
fn verdict(report: &Report, limits: &args::Limits) -> Outcome {
    let rejected: u64 = report.rejected.values().sum();
    let lines = report.lines - report.blank_lines;
    let ratio = rejected as f64 / lines.max(1) as f64;
    if ratio > limits.max_reject_ratio {
        let message = format!(
            "{rejected} of {lines} lines ({:.2} %) are rejected, more than --max-reject-ratio {} allows: a load \
             would be refused",
            ratio * 100.0,
            limits.max_reject_ratio
        );
        return Err(Failure::new(Code::BadData, message));
    }
    if report.accepted.values().all(|rows| *rows == 0) && !limits.allow_empty {
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

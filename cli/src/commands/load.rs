//! `load`: days into the warehouse.

use std::fmt::Write;
use std::sync::Arc;

use ch_sink::{LoadOptions, LoadReport, LoadStatus, Need, Progress};
use event_mapping::Mapping;
use event_schema::value::Date;
use event_source::{Resolved, Source};
use tracing::{Level, enabled, info};
use uuid::Uuid;

use super::mapping::mapping_of;
use super::{Talk, connect, days, remove_spooled, resolve, runtime, source_options};
use crate::args;
use crate::failure::{Code, Failure, Outcome};
use crate::logging::warn;
use crate::output::{Output, counts, dropped_of, thousands};
use crate::progress;

pub(crate) fn run(args: &args::Load, talk: Talk) -> Outcome {
    match args.batch_date {
        Some(batch_date) if args.commit => commit(args, batch_date, talk),
        Some(batch_date) => {
            let mapping = mapping_of(&args.mapped)?;
            let resolved = resolve(&args.sources, &args.reading, talk)?;
            print(&load(args, batch_date, &resolved, mapping, talk)?, talk)
        }
        None => load_each(args, talk),
    }
}

/// Loads one day after another, each by itself, up to the first that fails.
fn load_each(args: &args::Load, talk: Talk) -> Outcome {
    let mapping = mapping_of(&args.mapped)?;
    let resolved = resolve(&args.sources, &args.reading, talk)?;
    let days = days::by_date(resolved, &source_options(&args.reading), args.from, args.to)?;
    let dates: Vec<Date> = days.keys().copied().collect();
    if let Some(last) = dates.last().filter(|_| !args.limits.allow_misdated) {
        // Fail now, not after the days before it.
        runtime()?.block_on(async {
            let warehouse = connect(&args.connection, Need::Load).await?;
            Ok::<_, Failure>(ch_sink::refuse_future_date(&warehouse, *last).await?)
        })?;
    }
    for (index, (batch_date, resolved)) in days.into_iter().enumerate() {
        let report = load(args, batch_date, &resolved, mapping.clone(), talk)
            .map_err(|failure| failure.and(not_reached(&dates[..index], &dates[index + 1..])))?;
        print_one_of_many(&report, talk)?;
    }
    Ok(())
}

/// Which days are loaded and which are not, when one has failed.
fn not_reached(before: &[Date], after: &[Date]) -> String {
    let days = |dates: &[Date]| match dates {
        [] => String::new(),
        [only] => only.to_string(),
        [first, .., last] => format!("{} days from {first} to {last}", dates.len()),
    };
    let mut text = String::new();
    if !before.is_empty() {
        write!(text, "\nloaded before it: {}", days(before)).expect("writing to a string");
    }
    if !after.is_empty() {
        write!(text, "\nnot loaded: {}; the same command again goes on with them", days(after))
            .expect("writing to a string");
    }
    text
}

/// Loads or stages one day.
fn load(
    args: &args::Load,
    batch_date: Date,
    resolved: &Resolved,
    mapping: Option<Arc<Mapping>>,
    talk: Talk,
) -> Result<LoadReport, Failure> {
    let mut options = options(args, batch_date);
    options.mapping = mapping;
    let sources = &resolved.sources;
    let bar = progress::bytes(sources.iter().map(Source::size).sum(), talk.quiet);
    bar.set_message(batch_date.to_string());
    let show = |progress: Progress| bar.set_position(progress.bytes_read);
    if enabled!(Level::INFO) {
        let names: Vec<&str> = sources.iter().map(Source::name).collect();
        info!("{batch_date} is to hold: {}", names.join(", "));
    }
    let runtime = runtime()?;
    let report = runtime.block_on(async {
        let need = if args.stage { Need::Stage } else { Need::Load };
        let warehouse = connect(&args.connection, need).await?;
        let mut report = if args.stage {
            ch_sink::stage(&warehouse, &options, sources, show).await?
        } else {
            ch_sink::load(&warehouse, &options, sources, show).await?
        };
        report.left_out = resolved.left_out.iter().map(|other| other.name.clone()).collect();
        Ok::<_, Failure>(report)
    });
    // After a failure a thread may still be blocked on a pipe: do not wait for it.
    runtime.shutdown_background();
    bar.finish_and_clear();
    // A retry reuses what was downloaded.
    if report.as_ref().err().is_none_or(|failure| failure.code() != Code::Temporary) {
        remove_spooled(resolved);
    }
    report
}

fn options(args: &args::Load, batch_date: Date) -> LoadOptions {
    let mut options = LoadOptions::new(batch_date);
    options.max_reject_ratio = args.limits.max_reject_ratio;
    options.max_line_bytes = args.limits.max_line_bytes as usize;
    options.allow_empty = args.limits.allow_empty;
    options.allow_misdated = args.limits.allow_misdated;
    options.force = args.force;
    options.memory_bytes = (args.memory as usize) << 20;
    options
}

/// Commits what was staged.
fn commit(args: &args::Load, batch_date: Date, talk: Talk) -> Outcome {
    let load_ids = args.sources.iter().map(|id| load_id(id)).collect::<Result<Vec<_>, _>>()?;
    let report = runtime()?.block_on(async {
        let warehouse = connect(&args.connection, Need::CommitStaged).await?;
        Ok::<_, Failure>(ch_sink::commit_staged(&warehouse, &options(args, batch_date), &load_ids).await?)
    })?;
    print(&report, talk)
}

fn load_id(text: &str) -> Result<Uuid, Failure> {
    text.parse().map_err(|_| {
        let message = format_args!(
            "expected the id of a staged load after --commit, as `load --stage` prints it, found {text:?}"
        );
        Failure::new(Code::Usage, message)
    })
}

fn print(report: &LoadReport, talk: Talk) -> Outcome {
    warn_of(report);
    talk.output.print(report, as_text)
}

/// As one of several results: JSON takes a line.
fn print_one_of_many(report: &LoadReport, talk: Talk) -> Outcome {
    warn_of(report);
    match talk.output {
        Output::Text => talk.output.print(report, as_text),
        Output::Json => crate::output::print_json_line(report),
    }
}

fn warn_of(report: &LoadReport) {
    for warning in &report.warnings {
        warn(format_args!("{}: {warning}", report.batch_date));
    }
}

fn as_text(report: &LoadReport) -> String {
    let LoadReport { batch_date, load_id, seconds, .. } = report;
    let rejected: u64 = report.stats.rejected_lines();
    let done = match report.status {
        LoadStatus::Staged => "is staged: `load --commit` makes it the day",
        LoadStatus::AlreadyLoaded => "holds these sources already; nothing was changed",
        _ => "is loaded",
    };
    let mut text = format!(
        "{batch_date} {done} (load {load_id}, {seconds:.1} s)\n  {} lines, {} rejected, {} blank{}, {} bytes read\n",
        thousands(report.stats.lines),
        thousands(rejected),
        thousands(report.stats.blank_lines),
        dropped_of(&report.stats),
        thousands(report.bytes)
    );
    text.push_str(&counts(report.stats.accepted.iter().map(|(table, rows)| (table.as_str(), *rows))));
    let dates = report.events_by_date;
    if dates.day_before + dates.day_after + dates.earlier > 0 {
        writeln!(text, "  events by date").expect("writing to a string");
        text.push_str(&counts([
            ("of the day", dates.date),
            ("of the day before", dates.day_before),
            ("of the day after", dates.day_after),
            ("earlier", dates.earlier),
        ]));
    }
    if rejected > 0 {
        writeln!(text, "  rejected").expect("writing to a string");
        text.push_str(&counts(report.stats.rejected.iter().map(|(reason, lines)| (reason.as_str(), *lines))));
    }
    text
}

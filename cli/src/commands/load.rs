//! `load`: a day into the warehouse.

use std::fmt::Write;

use ch_sink::{LoadOptions, LoadReport, LoadStatus, Need, Progress};
use event_source::Source;
use uuid::Uuid;

use super::{Talk, connect, remove_spooled, resolve, runtime};
use crate::args;
use crate::failure::{Code, Failure, Outcome};
use crate::output::{counts, thousands};
use crate::progress;

pub(crate) fn run(args: &args::Load, talk: Talk) -> Outcome {
    let options = LoadOptions {
        max_reject_ratio: args.limits.max_reject_ratio,
        max_line_bytes: args.limits.max_line_bytes as usize,
        allow_empty: args.limits.allow_empty,
        force: args.force,
        memory_bytes: (args.memory as usize) << 20,
        ..LoadOptions::new(args.batch_date)
    };
    if args.commit {
        return commit(args, &options, talk);
    }
    let resolved = resolve(&args.sources, &args.reading, talk)?;
    let sources = &resolved.sources;
    let bar = progress::bytes(sources.iter().map(Source::size).sum(), talk.quiet);
    bar.set_message(args.batch_date.to_string());
    let show = |progress: Progress| bar.set_position(progress.bytes_read);
    if talk.verbose {
        let names: Vec<&str> = sources.iter().map(Source::name).collect();
        talk.say(format_args!("{} is to hold: {}", args.batch_date, names.join(", ")));
    }
    let runtime = runtime()?;
    let report = runtime.block_on(async {
        let need = if args.stage { Need::Stage } else { Need::Load };
        let warehouse = connect(&args.connection, need, talk).await?;
        let report = if args.stage {
            ch_sink::stage(&warehouse, &options, sources, show).await?
        } else {
            ch_sink::load(&warehouse, &options, sources, show).await?
        };
        Ok::<_, Failure>(report)
    });
    // After a failure a thread may still wait for a pipe to bring something: nobody waits for it.
    runtime.shutdown_background();
    bar.finish_and_clear();
    // What is to be tried again finds what was downloaded.
    if report.as_ref().err().is_none_or(|failure| failure.code() != Code::Temporary) {
        remove_spooled(&resolved, talk);
    }
    print(&report?, talk)
}

/// Commits what was staged.
fn commit(args: &args::Load, options: &LoadOptions, talk: Talk) -> Outcome {
    let load_ids = args.sources.iter().map(|id| load_id(id)).collect::<Result<Vec<_>, _>>()?;
    let report = runtime()?.block_on(async {
        let warehouse = connect(&args.connection, Need::CommitStaged, talk).await?;
        Ok::<_, Failure>(ch_sink::commit_staged(&warehouse, options, &load_ids).await?)
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
    for warning in &report.warnings {
        talk.say(format_args!("schoolbell: {warning}"));
    }
    talk.output.print(report, as_text)
}

fn as_text(report: &LoadReport) -> String {
    let LoadReport { batch_date, load_id, seconds, .. } = report;
    let rejected: u64 = report.rejected.values().sum();
    let done = match report.status {
        LoadStatus::Staged => "is staged: `load --commit` makes it the day",
        LoadStatus::AlreadyLoaded => "holds these sources already; nothing was changed",
        _ => "is loaded",
    };
    let mut text = format!(
        "{batch_date} {done} (load {load_id}, {seconds:.1} s)\n  {} lines, {} rejected, {} blank, {} bytes read\n",
        thousands(report.lines),
        thousands(rejected),
        thousands(report.blank_lines),
        thousands(report.bytes)
    );
    text.push_str(&counts(report.accepted.iter().map(|(table, rows)| (table.as_str(), *rows))));
    if rejected > 0 {
        writeln!(text, "  rejected").expect("writing to a string");
        text.push_str(&counts(report.rejected.iter().map(|(reason, lines)| (reason.as_str(), *lines))));
    }
    text
}

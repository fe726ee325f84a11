//! `generate`: realistic day files.

use event_generator::{Compression, FilesError, Layout, Plan, Summary, write_files};
use event_schema::value::Date;
use serde::Serialize;
use std::path::PathBuf;

use super::{Talk, today};
use crate::args;
use crate::failure::{Code, Failure, Outcome};
use crate::output::thousands;
use crate::progress;

/// What was written.
#[derive(Debug, Serialize)]
struct Report {
    files: Vec<PathBuf>,
    exchange_rates: PathBuf,
    lines: u64,
    /// As they are stored (compressed).
    bytes: u64,
}

pub(crate) fn run(args: &args::Generate, talk: Talk) -> Outcome {
    let plan = Plan {
        seed: args.seed,
        reject_share: args.reject_share,
        ..Plan::new(first_day(args)?, args.days, args.users)
    };
    let compression = match args.compress {
        None => Compression::None,
        Some(args::Compress::Gz) => Compression::Gz,
        Some(args::Compress::Zst) => Compression::Zst,
    };
    let layout = Layout { compression, parts: args.parts, overwrite: args.force, ..Layout::default() };
    let bar = progress::files(u64::from(args.days) * u64::from(args.parts), talk.quiet);
    let summary = write_files(&plan, &args.out, layout, |_| bar.inc(1));
    bar.finish_and_clear();
    let summary = summary.map_err(failure)?;
    talk.output.print(&report(summary), |report| {
        format!(
            "{} lines ({} bytes) in {} files under {}, with the exchange rates that fit\n",
            thousands(report.lines),
            thousands(report.bytes),
            report.files.len(),
            args.out.display()
        )
    })
}

/// The day asked for, or the one from which the days reach yesterday.
fn first_day(args: &args::Generate) -> Result<Date, Failure> {
    if let Some(start) = args.start {
        return Ok(start);
    }
    let days = i32::try_from(args.days).ok();
    let start = days.and_then(|days| today().ok()?.plus_days(-days));
    start.ok_or_else(|| Failure::new(Code::Usage, format_args!("--days {} reaches past 1970", args.days)))
}

fn report(summary: Summary) -> Report {
    Report {
        lines: summary.files.iter().map(|file| file.stats.lines).sum(),
        bytes: summary.files.iter().map(|file| file.bytes_on_disk).sum(),
        files: summary.files.into_iter().map(|file| file.path).collect(),
        exchange_rates: summary.rates,
    }
}

fn failure(error: FilesError) -> Failure {
    match error {
        FilesError::Io { path, source } => Failure::writing(&path, source),
        FilesError::IsThere(_) => {
            Failure::new(Code::Usage, error).and("; or replace what is there with --force")
        }
        error => Failure::new(Code::Usage, error),
    }
}

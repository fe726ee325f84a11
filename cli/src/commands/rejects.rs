//! `rejects`: a day's rejected lines, listed, exported, and replayed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use ch_sink::{
    EditedLines, LoadOptions, Need, RejectCount, RejectFilter, RejectKey, RejectedLine, RejectsOf,
    ReplayReport, ReplayStatus, count_rejects, read_rejects, replay_rejects,
};
use event_schema::value::{Date, visible};
use serde::Serialize;
use uuid::Uuid;

use super::mapping::mapping_of;
use super::{Talk, connect, runtime};
use crate::args;
use crate::failure::{Code, Failure, Outcome};
use crate::logging::warn;
use crate::output::{OutFile, counts, thousands};

pub(crate) fn run(command: &args::Rejects, talk: Talk) -> Outcome {
    match command {
        args::Rejects::List { of, limit, filter, connection } => list(of, *limit, filter, connection, talk),
        args::Rejects::Export { of, out, filter, connection } => {
            export(of, out.as_deref(), filter, connection, talk)
        }
        args::Rejects::Replay(replay) => self::replay(replay, talk),
    }
}

#[derive(Debug, Serialize)]
struct List {
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load_id: Option<Uuid>,
    /// All that fit the filter, shown or not.
    lines: u64,
    rejected: BTreeMap<String, u64>,
    by_field: Vec<RejectCount>,
    shown: Vec<Shown>,
}

#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    key: RejectKey,
    byte_offset: u64,
    reason: String,
    field: String,
    message: String,
    violations: Vec<String>,
    /// What is not UTF-8 is shown as `�`; `rejects export` gives the bytes.
    raw: String,
}

fn list(
    of: &args::RejectsOf,
    limit: usize,
    filter: &args::RejectFilter,
    connection: &args::Connection,
    talk: Talk,
) -> Outcome {
    let (of, filter) = (whose(of), filter_of(filter));
    let mut shown = Vec::new();
    let by_field = runtime()?.block_on(async {
        let warehouse = connect(connection, Need::Rejects).await?;
        let by_field = count_rejects(&warehouse, of, &filter).await?;
        if limit > 0 {
            let show = |line: &RejectedLine| {
                shown.push(Shown::new(line));
                shown.len() < limit
            };
            read_rejects(&warehouse, of, &filter, show).await?;
        }
        Ok::<_, Failure>(by_field)
    })?;
    let mut rejected: BTreeMap<String, u64> = BTreeMap::new();
    for count in &by_field {
        *rejected.entry(count.reason.clone()).or_default() += count.lines;
    }
    let (batch_date, load_id) = match of {
        RejectsOf::Day(batch_date) => (Some(batch_date), None),
        RejectsOf::Load(load_id) => (None, Some(load_id)),
    };
    let lines = rejected.values().sum();
    talk.output.print(&List { batch_date, load_id, lines, rejected, by_field, shown }, as_text)
}

fn as_text(list: &List) -> String {
    let mut text = format!("{} rejected lines\n", thousands(list.lines));
    let labels: Vec<(String, u64)> = list
        .by_field
        .iter()
        .map(|RejectCount { reason, field, lines }| {
            (format!("{reason} {field}").trim_end().to_owned(), *lines)
        })
        .collect();
    text.push_str(&counts(labels.iter().map(|(label, lines)| (label.as_str(), *lines))));
    for Shown { key, byte_offset, reason, field, message, raw, .. } in &list.shown {
        let RejectKey { source_file, source_line, .. } = key;
        let field = if field.is_empty() { String::new() } else { format!(" {field}") };
        writeln!(
            text,
            "\n{source_file}:{source_line} (byte {byte_offset}): {reason}{field}\n    {message}\n    {}",
            visible(&raw.chars().take(200).collect::<String>())
        )
        .expect("writing to a string");
    }
    if list.lines > list.shown.len() as u64 && !list.shown.is_empty() {
        writeln!(text, "\n… --limit shows more, `rejects export` gives all").expect("writing to a string");
    }
    text
}

impl Shown {
    fn new(line: &RejectedLine) -> Shown {
        let RejectedLine { key, byte_offset, reason, field, message, violations, raw } = line.clone();
        let raw = String::from_utf8_lossy(&raw).into_owned();
        Shown { key, byte_offset, reason, field, message, violations, raw }
    }
}

/// What an export has written.
#[derive(Debug, Default, Serialize)]
struct Exported {
    lines: u64,
    /// Of which only the first 64 KiB are kept.
    cut_lines: u64,
    /// Which are no UTF-8, and so no JSON.
    not_utf8_lines: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origins: Option<PathBuf>,
}

/// Where exported lines go.
enum Lines {
    File(OutFile),
    Stdout(BufWriter<io::StdoutLock<'static>>),
}

impl Lines {
    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let out: &mut dyn Write = match self {
            Lines::File(file) => file,
            Lines::Stdout(stdout) => stdout,
        };
        out.write_all(line)?;
        out.write_all(b"\n")
    }
}

fn export(
    of: &args::RejectsOf,
    out: Option<&Path>,
    filter: &args::RejectFilter,
    connection: &args::Connection,
    talk: Talk,
) -> Outcome {
    let mut lines = match out {
        Some(path) => Lines::File(OutFile::create(path)?),
        None => Lines::Stdout(BufWriter::new(io::stdout().lock())),
    };
    let mut origins = out.map(|path| OutFile::create(&origins_of(path))).transpose()?;
    let mut exported =
        Exported { out: out.map(Path::to_owned), origins: out.map(origins_of), ..Exported::default() };
    let mut written = Ok(());
    let write = |line: &RejectedLine| {
        exported.lines += 1;
        exported.cut_lines += u64::from(line.is_cut());
        exported.not_utf8_lines += u64::from(std::str::from_utf8(&line.raw).is_err());
        written = lines.write_line(&line.raw).and_then(|()| {
            let Some(origins) = &mut origins else { return Ok(()) };
            serde_json::to_writer(&mut *origins, &line.key)?;
            origins.write_all(b"\n")
        });
        written.is_ok()
    };
    runtime()?.block_on(async {
        let warehouse = connect(connection, Need::Rejects).await?;
        read_rejects(&warehouse, whose(of), &filter_of(filter), write).await?;
        Ok::<_, Failure>(())
    })?;
    let failed = |error| match out {
        Some(path) => Failure::writing(path, error),
        None => Failure::doing("write the rejected lines", error),
    };
    match lines {
        Lines::File(file) => {
            written.map_err(failed)?;
            // A file without its origins cannot be replayed: they are there first.
            origins.map_or(Ok(()), OutFile::finish)?;
            file.finish()?;
        }
        Lines::Stdout(mut stdout) => match written.and_then(|()| stdout.flush()) {
            // Whoever reads it (`| head`) has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            flushed => flushed.map_err(failed)?,
        },
    }
    for (lines, what) in [
        (exported.cut_lines, "were too long: only their first 64 KiB are kept"),
        (exported.not_utf8_lines, "are not UTF-8: their bytes are as they came, and no JSON"),
    ] {
        if lines > 0 {
            warn(format_args!("{lines} of the lines {what}"));
        }
    }
    match out {
        None => Ok(()),
        Some(path) => talk.output.print(&exported, |exported| {
            format!(
                "{} rejected lines are in {}; after an edit: rejects replay --from\n",
                thousands(exported.lines),
                path.display()
            )
        }),
    }
}

fn replay(args: &args::Replay, talk: Talk) -> Outcome {
    let mut options = LoadOptions::new(args.batch_date);
    options.max_line_bytes = args.max_line_bytes as usize;
    options.mapping = mapping_of(&args.mapped)?;
    if let Some(mapping) =
        options.mapping.as_ref().filter(|mapping| mapping.definition().input.each.is_some())
    {
        return Err(Failure::new(
            Code::Usage,
            format_args!(
                "the mapping {} makes several events of a line: a replay would load those again that the day has; load \
                 the day again instead",
                mapping.name()
            ),
        ));
    }
    let open = args.from.as_ref().map(|path| {
        // An error of the files is better told before anything is done.
        check_origins(path).map(|()| move || edited_lines(path))
    });
    let open = open.transpose()?;
    let open: Option<&dyn Fn() -> io::Result<EditedLines>> = match &open {
        Some(open) => Some(open),
        None => None,
    };
    let report = runtime()?.block_on(async {
        let warehouse = connect(&args.connection, Need::Replay).await?;
        Ok::<_, Failure>(replay_rejects(&warehouse, &options, &filter_of(&args.filter), open).await?)
    })?;
    for warning in &report.warnings {
        warn(format_args!("{warning}"));
    }
    if report.cut_lines > 0 {
        warn(format_args!(
            "{} lines were too long and kept only in part: load the day again with a larger \
             --max-line-bytes, or replay them --from an edited file",
            report.cut_lines
        ));
    }
    talk.output.print(&report, replayed)
}

fn replayed(report: &ReplayReport) -> String {
    let still: u64 = report.still_rejected.values().sum();
    let mut text = match (report.status, report.load_id) {
        (ReplayStatus::Committed, Some(load_id)) => {
            format!("{} has the mended lines (load {load_id})\n", report.batch_date)
        }
        _ => format!("{}: no line was accepted; nothing was changed\n", report.batch_date),
    };
    text.push_str(&counts(report.accepted.iter().map(|(table, rows)| (table.as_str(), *rows))));
    writeln!(text, "  {} still rejected", thousands(still)).expect("writing to a string");
    text.push_str(&counts(report.still_rejected.iter().map(|(reason, lines)| (reason.as_str(), *lines))));
    text
}

/// The file that says where each line of an exported one came from.
fn origins_of(lines: &Path) -> PathBuf {
    let mut path = lines.as_os_str().to_owned();
    path.push(".origins");
    path.into()
}

/// That there is an origin for every line, and that they are in the order of an export.
fn check_origins(path: &Path) -> Result<(), Failure> {
    let doing = |error| Failure::doing(format_args!("read {} and its origins", path.display()), error);
    let mut last: Option<RejectKey> = None;
    for line in edited_lines(path).map_err(doing)? {
        let (key, _) = line.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => Failure::new(Code::Usage, error),
            _ => doing(error),
        })?;
        if last.as_ref().is_some_and(|last| *last >= key) {
            let message = format!("{} is not in the order of its export", origins_of(path).display());
            return Err(Failure::new(Code::Usage, message));
        }
        last = Some(key);
    }
    Ok(())
}

/// The lines of an edited file, each with the key of the line it stands for; blank ones are left out.
fn edited_lines(path: &Path) -> io::Result<EditedLines> {
    let origins = origins_of(path);
    let mut keys = BufReader::new(File::open(&origins)?).split(b'\n');
    let mut lines = BufReader::new(File::open(path)?).split(b'\n');
    let differs = format!(
        "{} does not have as many lines as {}: edit lines in their place, and empty those that are to stay rejected",
        path.display(),
        origins.display()
    );
    let mut next = move || -> io::Result<Option<(RejectKey, Vec<u8>)>> {
        let invalid = |problem: String| io::Error::new(io::ErrorKind::InvalidData, problem);
        match (keys.next().transpose()?, lines.next().transpose()?) {
            (None, None) => Ok(None),
            (Some(key), Some(line)) => {
                let key = serde_json::from_slice(&key)
                    .map_err(|error| invalid(format!("{}: {error}", origins.display())))?;
                Ok(Some((key, line)))
            }
            _ => Err(invalid(differs.clone())),
        }
    };
    let lines = std::iter::from_fn(move || next().transpose());
    let is_blank = |line: &[u8]| line.iter().all(u8::is_ascii_whitespace);
    Ok(Box::new(lines.filter(move |line| !matches!(line, Ok((_, text)) if is_blank(text)))))
}

fn whose(of: &args::RejectsOf) -> RejectsOf {
    match (of.batch_date, of.load) {
        (_, Some(load_id)) => RejectsOf::Load(load_id),
        (Some(batch_date), None) => RejectsOf::Day(batch_date),
        (None, None) => unreachable!("clap asks for one of them"),
    }
}

fn filter_of(filter: &args::RejectFilter) -> RejectFilter {
    let args::RejectFilter { reason, field, source } = filter.clone();
    RejectFilter { reason, field, source }
}

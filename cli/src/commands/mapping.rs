//! `mapping`, and the mapping that other commands read lines with.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use event_mapping::{Mapping, Trial, builtin};
use event_parser::mapped::MappedParser;
use event_parser::{Batch, Options, ParseStats};
use event_schema::value::visible;
use event_source::{ReadBuffer, Source};
use serde::Serialize;

use super::days::date_of_or;
use super::{Talk, remove_spooled, resolve, today};
use crate::args::{self, Mapped, Try};
use crate::failure::{Code, Failure, Outcome};
use crate::output::{self, Column, counts, dropped_of, thousands};

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 20;
/// How many members that no rule looks at are shown.
const SHOWN_MEMBERS: usize = 40;

pub(crate) fn run(command: &args::Mapping, talk: Talk) -> Outcome {
    match command {
        args::Mapping::List => list(talk),
        args::Mapping::Show { mapping } => {
            let mapping = open(mapping)?;
            output::print(mapping.definition().to_toml().as_bytes())
        }
        args::Mapping::Try(args) => try_out(args, talk),
    }
}

/// The mapping that was named, if one was.
pub(crate) fn mapping_of(mapped: &Mapped) -> Result<Option<Arc<Mapping>>, Failure> {
    mapped.mapping.as_deref().map(open).transpose()
}

/// A built-in mapping, or one from a file. Files that it extends are looked for beside it.
fn open(name: &str) -> Result<Arc<Mapping>, Failure> {
    if let Some(mapping) = Mapping::builtin(name) {
        return Ok(Arc::new(mapping));
    }
    let path = Path::new(name);
    let text = fs::read_to_string(path).map_err(|error| {
        let message = format_args!(
            "there is no mapping {name:?}: as a file it cannot be read ({error}); built in are {}",
            builtin::NAMES.join(", ")
        );
        Failure::new(Code::Usage, message)
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut find = |beside: &str| fs::read_to_string(folder.join(beside)).map_err(|error| error.to_string());
    let mapping = Mapping::from_toml(name, &text, &mut find).map_err(|faults| {
        let mut message = format!("the mapping {name} cannot be used:");
        for fault in faults {
            write!(message, "\n  {}", visible(&fault.to_string())).expect("writing to a string");
        }
        Failure::new(Code::Usage, message)
    })?;
    Ok(Arc::new(mapping))
}

#[derive(Debug, Serialize)]
struct Listed {
    name: &'static str,
    reads: String,
    hash: String,
}

fn list(talk: Talk) -> Outcome {
    let all: Vec<Listed> = builtin::NAMES
        .into_iter()
        .map(|name| Listed {
            name,
            reads: builtin::about(name).unwrap_or_default(),
            hash: Mapping::builtin(name).map(|mapping| mapping.hash()).unwrap_or_default(),
        })
        .collect();
    talk.output.print(&all, |all| {
        let rows: Vec<Vec<String>> =
            all.iter().map(|listed| vec![listed.name.to_owned(), listed.reads.clone()]).collect();
        output::table(&[Column::left("name"), Column::left("reads")], &rows)
    })
}

/// What was found beside the events.
#[derive(Debug, Default)]
struct Tried {
    stats: ParseStats,
    events: u64,
    by_rule: Vec<u64>,
    /// Members that no rule looks at, with the lines that have them.
    unseen: BTreeMap<String, u64>,
}

fn try_out(args: &Try, talk: Talk) -> Outcome {
    let mapping = open(&args.mapping)?;
    let resolved = resolve(&args.sources, &args.reading, talk)?;
    let mut tried = Tried { stats: ParseStats::with_examples(args.examples), ..Tried::default() };
    for source in &resolved.sources {
        try_source(source, args, &mapping, &mut tried)?;
    }
    remove_spooled(&resolved);
    if !talk.quiet {
        eprint!("{}", tried.as_text(&mapping));
    }
    Ok(())
}

fn try_source(source: &Source, args: &Try, mapping: &Arc<Mapping>, tried: &mut Tried) -> Outcome {
    let batch_date = match args.batch_date {
        Some(batch_date) => batch_date,
        None => date_of_or(source, today()?)?,
    };
    let options = Options::new(batch_date);
    let trial = Trial::new(Arc::clone(mapping), options.clone());
    let mut parser = MappedParser::new(source.name(), options, trial);
    let (mut reader, mut buffer) = (source.open()?, ReadBuffer::new(READ_BYTES));
    let mut batch = Batch::default();
    loop {
        let read = reader.read_some(&mut buffer)?;
        let mut piece = &buffer[..read];
        while !piece.is_empty() {
            let taken = parser.push(piece, &mut batch);
            piece = &piece[taken..];
            tried.take(parser.mapper_mut(), &mut batch)?;
        }
        if read == 0 {
            parser.finish(&mut batch);
            tried.take(parser.mapper_mut(), &mut batch)?;
            break;
        }
    }
    tried.finish(parser.mapper());
    Ok(())
}

impl Tried {
    /// Prints the events so far.
    fn take(&mut self, trial: &mut Trial, batch: &mut Batch) -> Outcome {
        self.stats.add(batch);
        batch.clear();
        output::print(trial.lines())?;
        self.events += trial.count();
        trial.clear();
        Ok(())
    }

    /// Takes the figures of a source that was read to its end.
    fn finish(&mut self, trial: &Trial) {
        let taken = trial.mapper().taken_by_rule();
        self.by_rule.resize(taken.len(), 0);
        for (sum, lines) in self.by_rule.iter_mut().zip(taken) {
            *sum += lines;
        }
        for (word, lines) in trial.mapper().dropped() {
            self.stats.add_dropped(word, lines);
        }
        for (member, lines) in trial.unseen() {
            *self.unseen.entry(member.clone()).or_default() += lines;
        }
    }

    fn as_text(&self, mapping: &Mapping) -> String {
        let stats = self.stats.totals();
        let mut text = format!(
            "{} lines: {} events, {} rejected, {} blank{}\n",
            thousands(stats.lines),
            thousands(self.events),
            thousands(stats.rejected_lines()),
            thousands(stats.blank_lines),
            dropped_of(stats)
        );
        text.push_str("  taken by rule\n");
        for (number, (rule, lines)) in mapping.definition().rules.iter().zip(&self.by_rule).enumerate() {
            writeln!(text, "    {:>3}. {:>12}  {}", number + 1, thousands(*lines), rule.summary())
                .expect("writing to a string");
        }
        if !stats.rejected.is_empty() {
            text.push_str("  rejected\n");
            text.push_str(&counts(stats.rejected.iter().map(|(reason, lines)| (reason.as_str(), *lines))));
        }
        for reject in self.stats.examples() {
            let first = reject.first();
            writeln!(
                text,
                "    {}:{}: {first}: {}\n      {}",
                reject.source,
                reject.line,
                first.message,
                visible(&String::from_utf8_lossy(&reject.raw))
            )
            .expect("writing to a string");
        }
        if !self.unseen.is_empty() {
            text.push_str("  no rule looks at (kept as it stands)\n");
            let mut members: Vec<_> = self.unseen.iter().collect();
            members.sort_by_key(|(_, lines)| std::cmp::Reverse(**lines));
            let shown = members.iter().take(SHOWN_MEMBERS);
            for (member, lines) in shown {
                writeln!(text, "    {:>12}  {}", thousands(**lines), visible(member))
                    .expect("writing to a string");
            }
            if members.len() > SHOWN_MEMBERS {
                writeln!(text, "    and {} more", members.len() - SHOWN_MEMBERS)
                    .expect("writing to a string");
            }
        }
        text
    }
}

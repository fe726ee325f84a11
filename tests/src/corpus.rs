//! The corpus: event lines with the outcome that the contract asks for, one text file per theme.
//!
//! `corpus/README.md` describes the notation. A [`Case`] can be held against anything that produces
//! the neutral [`Outcome`]: the reference, or the loader's own parser through an adapter.

mod notation;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::reference::{self, KEPT_OF_LONG_LINE, Options, Outcome, Reject, Row, Value};

/// A small source with the outcome expected of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The case's own words for what it shows.
    pub name: String,
    /// Where the case stands: the file within the corpus.
    pub file: PathBuf,
    /// Where the case stands: the line of its name.
    pub line: usize,
    /// The bytes of the source.
    pub input: Vec<u8>,
    /// How the source is to be read.
    pub options: Options,
    /// What is expected of each line of the source, blank ones included.
    pub expected: Vec<Expected>,
}

/// What is expected of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// A row.
    Accept {
        /// The table's name within `raw`.
        table: String,
        /// The columns that the case lists, by name.
        columns: Vec<(String, Value)>,
    },
    /// A refusal.
    Reject {
        /// Every violation, reason and field's path, in the contract's order.
        violations: Vec<(String, String)>,
        /// The byte offset, where the case lists it. (It is always checked against the source as well.)
        offset: Option<u64>,
        /// The raw line, where the case lists it. (It is always checked against the source as well.)
        raw: Option<Vec<u8>>,
    },
    /// A blank line.
    Blank,
}

/// A mistake in a corpus file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// A line of a file does not follow the notation.
    #[error("{}:{line}: {problem} (see the corpus's README.md)", file.display())]
    Notation {
        /// The file within the corpus.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// The folder of the corpus.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// All cases of the corpus, by file and line.
///
/// # Panics
/// Where a file of the corpus does not follow its notation; the message names the file and line.
pub fn cases() -> Vec<Case> {
    load(&folder()).unwrap_or_else(|error| panic!("{error}"))
}

/// All cases of the `*.case` files under a folder, by file and line.
pub fn load(folder: &Path) -> Result<Vec<Case>, CorpusError> {
    let mut files = Vec::new();
    find_files(folder, &mut files)?;
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path)
            .map_err(|source| CorpusError::Unreadable { path: path.clone(), source })?;
        let file = path.strip_prefix(folder).unwrap_or(&path);
        cases.extend(parse::file(file, &text)?);
    }
    Ok(cases)
}

fn find_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), CorpusError> {
    let unreadable = |source| CorpusError::Unreadable { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            find_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "case") {
            files.push(path);
        }
    }
    Ok(())
}

impl Case {
    /// Holds an outcome against what is expected; the error tells every difference and where the case stands.
    pub fn check(&self, outcome: &Outcome) -> Result<(), String> {
        let differences = self.differences(outcome);
        if differences.is_empty() {
            return Ok(());
        }
        let mut report = format!("{}:{}: {}", self.file.display(), self.line, self.name);
        for difference in differences {
            let _ = write!(report, "\n  {difference}");
        }
        let shown = String::from_utf8_lossy(&self.input[..self.input.len().min(1000)]);
        let _ = write!(report, "\n  input: {shown:?}");
        Err(report)
    }

    fn differences(&self, outcome: &Outcome) -> Vec<String> {
        let mut differences = Vec::new();
        let mut expect = |what: &str, expected: usize, found: u64| {
            if expected as u64 != found {
                differences.push(format!("expected {expected} {what}, found {found}"));
            }
        };
        let count = |wanted: fn(&Expected) -> bool| self.expected.iter().filter(|e| wanted(e)).count();
        let blank = |e: &Expected| matches!(e, Expected::Blank);
        let accept = |e: &Expected| matches!(e, Expected::Accept { .. });
        let reject = |e: &Expected| matches!(e, Expected::Reject { .. });
        expect("lines", self.expected.len(), outcome.lines);
        expect("blank lines", count(blank), outcome.blank_lines);
        expect("rows", count(accept), outcome.rows.len() as u64);
        expect("rejects", count(reject), outcome.rejects.len() as u64);

        let lines = reference::split(&self.input);
        for (expected, line) in self.expected.iter().zip(&lines) {
            let rows: Vec<&Row> = outcome.rows.iter().filter(|row| row.line == line.number).collect();
            let rejects: Vec<&Reject> =
                outcome.rejects.iter().filter(|reject| reject.line == line.number).collect();
            let mut differ = |text: String| differences.push(format!("line {}: {text}", line.number));
            match (expected, &rows[..], &rejects[..]) {
                (Expected::Accept { table, columns }, [row], []) => {
                    row_differences(table, columns, row).into_iter().for_each(differ);
                }
                (Expected::Reject { violations, offset, raw }, [], [reject]) => {
                    let found: Vec<_> =
                        reject.violations.iter().map(|(r, f)| ((*r).to_owned(), f.clone())).collect();
                    if *violations != found {
                        differ(format!("expected the violations {violations:?}, found {found:?}"));
                    }
                    if found.first() != Some(&(reject.reason.to_owned(), reject.field.clone())) {
                        let (reason, field) = (reject.reason, &reject.field);
                        differ(format!(
                            "reason {reason:?} and field {field:?} are not the first violation's"
                        ));
                    }
                    let offset = offset.unwrap_or(line.offset);
                    if reject.byte_offset != offset {
                        differ(format!("expected the byte offset {offset}, found {}", reject.byte_offset));
                    }
                    let kept = if reject.reason == "line_too_long" { KEPT_OF_LONG_LINE } else { usize::MAX };
                    let in_source = &line.text[..line.text.len().min(kept)];
                    let raw = raw.as_deref().unwrap_or(in_source);
                    if reject.raw != raw {
                        differ(format!(
                            "expected {} raw bytes, found {}: {:?}",
                            raw.len(),
                            reject.raw.len(),
                            String::from_utf8_lossy(&reject.raw[..reject.raw.len().min(200)]),
                        ));
                    }
                }
                (Expected::Blank, [], []) => {}
                (expected, rows, rejects) => {
                    differ(format!("expected {expected:?}, found the rows {rows:?} and rejects {rejects:?}"));
                }
            }
        }
        differences
    }
}

fn row_differences(table: &str, columns: &[(String, Value)], row: &Row) -> Vec<String> {
    let mut differences = Vec::new();
    if row.table != table {
        differences.push(format!("expected a row of {table}, found one of {}", row.table));
    }
    for (name, expected) in columns {
        match row.columns.iter().find(|(column, _)| column == name) {
            None => differences.push(format!("there is no column {name} in {}", row.table)),
            Some((_, found)) if found != expected => {
                differences.push(format!("{name}: expected {}, found {}", show(expected), show(found)));
            }
            Some(_) => {}
        }
    }
    differences
}

/// A value as a person reads it, cut to a readable length.
fn show(value: &Value) -> String {
    match value {
        Value::Text(bytes) => {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
            format!("{shown:?} ({} bytes)", bytes.len())
        }
        other => format!("{other:?}"),
    }
}

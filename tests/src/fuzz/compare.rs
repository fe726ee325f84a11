//! One source read by the reference and by the parser, and the first thing in which they differ.
//!
//! Nothing is copied to compare: the parser's columns are looked at where they lie.

use std::cell::Cell;
use std::hash::{BuildHasher, Hash, Hasher};
use std::panic::{self, AssertUnwindSafe};

use event_parser::Batch;
use foldhash::fast::FixedState;

use crate::parsed::{self, Backend};
use crate::reference::{self, Options, Outcome};

/// How a source is read: the parser's verdict must not depend on any of it but the options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Batch date and line limit.
    pub options: Options,
    /// The source comes in pieces of these lengths, in turn.
    pub pieces: Vec<usize>,
    /// A batch of so many bytes is full.
    pub batch_bytes: usize,
}

/// What the reference says of a source, and on how many lines each backend agreed.
#[derive(Debug)]
pub struct Agreed {
    /// The reference's outcome.
    pub outcome: Outcome,
}

/// Reads a source with the reference and with each backend; the error tells the first difference.
///
/// # Errors
/// Where a backend differs from the reference, the backends' messages differ from each other, or anything panics.
pub fn agree(source: &[u8], reading: &Reading, backends: &[Backend]) -> Result<Agreed, String> {
    let outcome = catch(|| reference::read(source, &reading.options))
        .map_err(|panic| format!("the reference contradicts itself: {panic}"))?;
    let mut messages = None;
    for backend in backends {
        let name = backend.name();
        let found = catch(|| compare(source, reading, &outcome, *backend))
            .unwrap_or_else(|panic| Err(format!("the parser panics: {panic}")))
            .map_err(|difference| format!("{name}: {difference}"))?;
        if *messages.get_or_insert(found) != found {
            return Err(format!("{name}: its messages are not those of {}", backends[0].name()));
        }
    }
    Ok(Agreed { outcome })
}

thread_local! {
    /// Whether a panic of this thread is caught and told as a difference.
    static CATCHES: Cell<bool> = const { Cell::new(false) };
}

/// Keeps quiet of panics that become differences: thousands may be met while a source is made short.
pub fn hush_caught_panics() {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !CATCHES.get() {
            loud(panic);
        }
    }));
}

/// Runs what may panic and answers with the panic's message.
fn catch<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    CATCHES.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    CATCHES.set(false);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "no message".to_owned())
    })
}

/// Holds one backend against an outcome; answers with a digest of its messages.
pub(super) fn compare(
    source: &[u8],
    reading: &Reading,
    expected: &Outcome,
    backend: Backend,
) -> Result<u64, String> {
    let mut check = Check::new(expected);
    let Reading { options, pieces, batch_bytes } = reading;
    parsed::each_batch(source, options, pieces, *batch_bytes, backend, |batch| check.take(batch));
    check.finish()
}

struct Check<'a> {
    expected: &'a Outcome,
    /// By line number: the place of its row among the expected ones, plus one; 0 where there is none (any more).
    rows: Vec<u32>,
    rejects: usize,
    lines: u64,
    blank_lines: u64,
    messages: <FixedState as BuildHasher>::Hasher,
    difference: Option<String>,
}

impl<'a> Check<'a> {
    fn new(expected: &'a Outcome) -> Check<'a> {
        let mut rows = vec![0; expected.lines as usize + 1];
        for (at, row) in expected.rows.iter().enumerate() {
            rows[row.line as usize] = at as u32 + 1;
        }
        let messages = FixedState::default().build_hasher();
        Check { expected, rows, rejects: 0, lines: 0, blank_lines: 0, messages, difference: None }
    }

    fn take(&mut self, batch: &Batch) {
        self.lines += batch.lines;
        self.blank_lines += batch.blank_lines;
        if self.difference.is_none() {
            self.difference = self.rows(batch).and_then(|()| self.rejects(batch)).err();
        }
    }

    fn rows(&mut self, batch: &Batch) -> Result<(), String> {
        for table in parsed::tables(batch) {
            for row in 0..table.rows() {
                let line = table.line(row);
                let place = self.rows.get_mut(line as usize).map_or(0, std::mem::take);
                if place == 0 {
                    return Err(format!("a row of {} for line {line}, where none is due", table.name));
                }
                let expected = &self.expected.rows[place as usize - 1];
                if !table.is(row, expected) {
                    let found = table.row(row);
                    let columns =
                        expected.columns.iter().zip(&found.columns).find(|(due, found)| due != found);
                    return Err(format!(
                        "line {line}: a row of {} for one of {}; due and found: {columns:?}",
                        found.table, expected.table
                    ));
                }
            }
        }
        Ok(())
    }

    fn rejects(&mut self, batch: &Batch) -> Result<(), String> {
        for reject in batch.rejects() {
            let due = self.expected.rejects.get(self.rejects);
            self.rejects += 1;
            let is_due = due.is_some_and(|due| {
                (due.line, due.byte_offset) == (reject.line, reject.byte_offset)
                    && due.raw == reject.raw
                    && due.violations.len() == reject.violations.len()
                    && due.violations.iter().zip(&reject.violations).all(|((reason, field), found)| {
                        *reason == found.reason.as_str() && *field == found.field
                    })
            });
            if !is_due {
                let found = parsed::reject(reject);
                return Err(format!("the rejected line due and the one found: {due:?}, {found:?}"));
            }
            for violation in &reject.violations {
                violation.message.hash(&mut self.messages);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<u64, String> {
        if let Some(difference) = self.difference {
            return Err(difference);
        }
        let counts = (self.lines, self.blank_lines, self.rejects);
        let due = (self.expected.lines, self.expected.blank_lines, self.expected.rejects.len());
        if counts != due {
            return Err(format!("lines, blank and rejected ones due: {due:?}, found: {counts:?}"));
        }
        match self.rows.iter().position(|place| *place != 0) {
            Some(line) => Err(format!("line {line}: no row where one is due")),
            None => Ok(self.messages.finish()),
        }
    }
}

//! The parser against the [`reference`](mod@crate::reference), on as many changed lines as one has time for.
//!
//! Work comes in *rounds* of about [`ROUND_LINES`] lines. A round draws fresh lines (generated days in every
//! spelling, lines of the property tests, the corpus), and makes small sources of them: most of a source's lines are
//! of one kind, as a producer's are, and most lines are changed, by an edit that keeps their shape or by damage.
//! Each source is read once by the reference and once by each backend of the parser, cut at random places and in
//! batches of random size. Verdict, reasons, every violation, every column, raw lines, offsets and counts must be
//! the same; so must the backends' messages.
//!
//! A round is a pure function of its number and the seed: what was found once is found again.

mod compare;
mod edit;
mod minimise;
mod pool;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

use fastrand::Rng;

pub use compare::{Agreed, Reading, agree, hush_caught_panics};
use pool::Pool;

use crate::lines::{Mutation, SHORT_LINE_LIMIT};
use crate::parsed::Backend;
use crate::reference::Options;

/// Lines of a round, about.
pub const ROUND_LINES: u64 = 500_000;

/// What to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Lines to compare, at least.
    pub lines: u64,
    /// Two seeds give two different runs.
    pub seed: u64,
    /// The first round; rounds before it are left out.
    pub first_round: u64,
    /// Threads to work on.
    pub threads: usize,
}

/// What was compared, without a difference.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Lines that were read by the reference and by every backend.
    pub lines: u64,
    /// Of those, the lines that were changed; the others stood as they were drawn.
    pub changed: u64,
    /// Sources that the lines came in.
    pub sources: u64,
    /// Lines by what became of them: a table's name, `blank`, or a reason.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// The names of the backends.
    pub backends: Vec<&'static str>,
}

/// A source on which parser and reference differ.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The round that found it.
    pub round: u64,
    /// What differs, for the source made short.
    pub what: String,
    /// The source, made as short as it goes.
    pub source: Vec<u8>,
    /// How it was read.
    pub reading: Reading,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { round, what, source, reading } = self;
        writeln!(f, "round {round}: {what}")?;
        writeln!(f, "in pieces of {:?}, batches of {} bytes", reading.pieces, reading.batch_bytes)?;
        write!(f, "the source, {} bytes: {}", source.len(), source.escape_ascii())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { lines, changed, sources, outcomes, backends } = self;
        writeln!(
            f,
            "{lines} lines in {sources} sources, {changed} of them changed, no difference from the reference"
        )?;
        for backend in backends {
            writeln!(f, "  {lines:>12} lines by {backend}")?;
        }
        for (outcome, lines) in outcomes {
            writeln!(f, "  {lines:>12} {outcome}")?;
        }
        Ok(())
    }
}

impl Report {
    fn add(&mut self, other: &Report) {
        self.lines += other.lines;
        self.changed += other.changed;
        self.sources += other.sources;
        for (outcome, lines) in &other.outcomes {
            *self.outcomes.entry(outcome).or_default() += lines;
        }
    }
}

/// Carries a plan out; `progress` is told the lines compared so far, now and then.
///
/// # Errors
/// The first difference that was found.
pub fn run(plan: &Plan, progress: impl Fn(u64) + Sync) -> Result<Report, Box<Difference>> {
    let backends = Backend::all();
    let (next_round, compared) = (AtomicU64::new(plan.first_round), AtomicU64::new(0));
    let is_over = AtomicBool::new(false);
    let total = Mutex::new(Report {
        backends: backends.iter().map(|backend| backend.name()).collect(),
        ..Report::default()
    });
    let found = Mutex::new(None);
    let work = || {
        while !is_over.load(Relaxed) {
            let mut round = Round::new(plan.seed, next_round.fetch_add(1, Relaxed));
            let mut report = Report::default();
            while report.lines < ROUND_LINES && !is_over.load(Relaxed) {
                let (source, reading) = round.source(&mut report);
                let lines_before = report.lines;
                match agree(&source, &reading, &backends) {
                    Ok(agreed) => report.count(&agreed),
                    Err(_) => {
                        is_over.store(true, Relaxed);
                        let difference = shorten(round.number, &source, &reading, &backends);
                        found.lock().expect("no thread panics").get_or_insert(difference);
                        break;
                    }
                }
                let lines = report.lines - lines_before;
                let so_far = compared.fetch_add(lines, Relaxed) + lines;
                if so_far >= plan.lines {
                    is_over.store(true, Relaxed);
                }
                if so_far / ROUND_LINES > (so_far - lines) / ROUND_LINES {
                    progress(so_far);
                }
            }
            total.lock().expect("no thread panics").add(&report);
        }
    };
    thread::scope(|scope| {
        for _ in 0..plan.threads.max(1) {
            scope.spawn(work);
        }
    });
    match found.into_inner().expect("no thread panics") {
        Some(difference) => Err(Box::new(difference)),
        None => Ok(total.into_inner().expect("no thread panics")),
    }
}

impl Report {
    fn count(&mut self, agreed: &Agreed) {
        self.sources += 1;
        self.lines += agreed.outcome.lines;
        *self.outcomes.entry("blank").or_default() += agreed.outcome.blank_lines;
        for row in &agreed.outcome.rows {
            *self.outcomes.entry(row.table).or_default() += 1;
        }
        for reject in &agreed.outcome.rejects {
            *self.outcomes.entry(reject.reason).or_default() += 1;
        }
    }
}

/// Inputs to begin with, for a fuzzer that changes bytes: sources of a few lines of every kind, each after the byte
/// that [`by_first_byte`] takes off.
pub fn sources() -> Vec<Vec<u8>> {
    let pool = Pool::new(0);
    let some = |family: &Vec<Vec<u8>>| -> Vec<Vec<u8>> {
        let chunks = family.chunks(3).step_by(family.len().div_ceil(3 * 80));
        chunks.enumerate().map(|(n, lines)| [&[n as u8][..], &lines.join(&b'\n')].concat()).collect()
    };
    pool.families.iter().flat_map(some).collect()
}

/// How to read an input of a fuzzer that changes bytes: its first byte says where the rest, the source, is cut.
pub fn by_first_byte(input: &[u8]) -> Option<(&[u8], Reading)> {
    let (first, source) = input.split_first()?;
    let (piece, is_small) = (usize::from(first >> 1), first & 1 == 1);
    let pieces = if piece == 0 { vec![usize::MAX] } else { vec![piece, 3 * piece + 1] };
    let options = Options { max_line_bytes: 1 << 10, ..Options::default() };
    Some((source, Reading { options, pieces, batch_bytes: if is_small { 1 } else { usize::MAX } }))
}

/// Makes a source that shows a difference short, and says what differs then.
fn shorten(round: u64, source: &[u8], reading: &Reading, backends: &[Backend]) -> Difference {
    let source = minimise::minimise(source, |source| agree(source, reading, backends).is_err());
    let mut reading = reading.clone();
    let simple = Reading { pieces: vec![usize::MAX], batch_bytes: usize::MAX, ..reading.clone() };
    if agree(&source, &simple, backends).is_err() {
        reading = simple;
    }
    let what =
        agree(&source, &reading, backends).err().unwrap_or_else(|| "nothing the second time".to_owned());
    Difference { round, what, source, reading }
}

/// A round's draws.
struct Round {
    number: u64,
    pool: Pool,
    rng: Rng,
}

impl Round {
    fn new(seed: u64, number: u64) -> Round {
        let mut seeds = Rng::with_seed(seed);
        let seed = seeds.u64(..) ^ number;
        Round { number, pool: Pool::new(seed), rng: Rng::with_seed(seed) }
    }

    /// A source, and how to read it. Counts its changed lines.
    fn source(&mut self, report: &mut Report) -> (Vec<u8>, Reading) {
        let Round { pool, rng, .. } = self;
        let lines = if rng.u8(..4) == 0 { rng.usize(1..4) } else { rng.usize(4..300) };
        let (family, guests) = (pool.family(rng), pool.family(rng));
        // Many lines of few shapes, which the parser learns in one chunk and reads together in the next ones.
        let is_uniform = rng.bool();
        let family = if is_uniform {
            let from = rng.usize(..family.len());
            &family[from..family.len().min(from + [1, 2, 6][rng.usize(..3)])]
        } else {
            family
        };
        // Of a hundred lines: damaged ones, and lines as they were drawn.
        let damaged = [1, 10, 60][rng.usize(..3)];
        let as_drawn = if is_uniform { [20, 39][rng.usize(..2)] } else { [1, 1, 1, 10][rng.usize(..4)] };
        let mut source = if rng.u8(..16) == 0 { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        for _ in 0..lines {
            let from = if rng.u8(..32) == 0 { guests } else { family };
            let mut line = from[rng.usize(..from.len())].clone();
            let lot = rng.u8(..100);
            if lot < damaged {
                for _ in 0..[1, 1, 1, 2, 4][rng.usize(..5)] {
                    Mutation::draw(rng).apply(&mut line);
                }
            } else if lot < 100 - as_drawn {
                for _ in 0..[1, 1, 2, 3][rng.usize(..4)] {
                    edit::edit(&mut line, &pool.values, rng);
                }
            }
            report.changed += u64::from(lot < 100 - as_drawn);
            source.extend_from_slice(&line);
            source.extend_from_slice(match rng.u8(..64) {
                0 => b"\r\n",
                1 => b"\r\r\n",
                2 => b"\n \t\r\n",
                _ => b"\n",
            });
        }
        if rng.u8(..4) == 0 {
            source.pop();
        }
        let pieces = match rng.u8(..6) {
            0 => vec![usize::MAX],
            1 => (0..4).map(|_| rng.usize(1..200)).collect(),
            2..5 => (0..4).map(|_| rng.usize(500..20_000)).collect(),
            _ => (0..4).map(|_| rng.usize(1..200_000)).collect(),
        };
        let batch_bytes = [1 << 30, 1 << 30, 20_000, 1][rng.usize(..4)];
        let options = Options { max_line_bytes: SHORT_LINE_LIMIT, ..Options::default() };
        (source, Reading { options, pieces, batch_bytes })
    }
}

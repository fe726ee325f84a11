//! How fast one core parses a file: `cargo run --release -p event-parser --example speed FILE [ROUNDS [BACKEND]]`.
//!
//! User CPU time, the best and the median of all rounds, for each set of instructions. For work on the parser;
//! claims come from `cargo xtask bench parser`, beside rivals.

use std::hint::black_box;

use event_parser::{Backend, Batch, Options, Parser};
use rustix::time::{ClockId, clock_gettime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which file?")?;
    let rounds: usize = arguments.next().map_or(Ok(9), |rounds| rounds.parse())?;
    let wanted = arguments.next();
    let day = std::fs::read(path)?;
    let lines = memchr::memchr_iter(b'\n', &day).count();
    let backends = event_parser::backends();
    let backends: Vec<Backend> = backends
        .into_iter()
        .filter(|one| wanted.as_ref().is_none_or(|wanted| one.name() == wanted))
        .collect();
    let mut times = vec![Vec::new(); backends.len()];
    let mut counts = vec![(0, 0); backends.len()];
    // As a load has it: the batch is used again.
    let mut batch = Batch::default();
    for _ in 0..rounds {
        for ((backend, times), counts) in backends.iter().zip(&mut times).zip(&mut counts) {
            let begun = cpu_seconds();
            *counts = black_box(parse(black_box(&day), *backend, &mut batch));
            times.push(cpu_seconds() - begun);
        }
    }
    for ((backend, times), (rows, rejects)) in backends.iter().zip(&mut times).zip(counts) {
        times.sort_by(f64::total_cmp);
        let (best, median) = (times[0], times[times.len() / 2]);
        let rate = |seconds: f64| day.len() as f64 / seconds / 1e6;
        println!(
            "{:9} best {:6.0} MB/s, median {:6.0} MB/s, {:5.1} ns a line; {rows} rows, {rejects} rejected",
            backend.name(),
            rate(best),
            rate(median),
            best * 1e9 / lines as f64
        );
    }
    Ok(())
}

fn parse(day: &[u8], backend: Backend, batch: &mut Batch) -> (usize, usize) {
    let batch_date = "2026-03-01".parse().expect("a date");
    let options = Options { batch_bytes: 16 << 20, backend, ..Options::new(batch_date) };
    let mut parser = Parser::new("day", options);
    let (mut rows, mut rejects) = (0, 0);
    let mut add = |batch: &mut Batch| {
        rows += batch.rows_by_table().iter().map(|(_, rows)| rows).sum::<usize>();
        rejects += batch.rejects().len();
        batch.clear();
    };
    let mut rest = day;
    while !rest.is_empty() {
        let taken = parser.push(rest, batch);
        rest = &rest[taken..];
        add(batch);
    }
    parser.finish(batch);
    add(batch);
    (rows, rejects)
}

/// CPU seconds of this process: other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

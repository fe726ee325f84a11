//! The speed of one core on a file: `cargo run --release -p event-parser --example speed FILE [ROUNDS [BACKEND]]`.
//!
//! CPU time, the best and the median of all rounds, for each instruction set. For work on the parser; published numbers
//! come from `cargo xtask bench parser`, which measures other libraries in the same run.

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
    let backends = Backend::available();
    let backends: Vec<Backend> = backends
        .into_iter()
        .filter(|one| wanted.as_ref().is_none_or(|wanted| one.name() == wanted))
        .collect();
    let mut times = vec![Vec::new(); backends.len()];
    let mut counts = vec![(0, 0); backends.len()];
    // As in a load, the batch is reused.
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
    let options = Options::new(batch_date).with_batch_bytes(16 << 20).with_backend(backend);
    let mut parser = Parser::new("day", options);
    let (mut rows, mut rejects) = (0, 0);
    let mut add = |batch: &mut Batch| {
        rows += batch.rows();
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

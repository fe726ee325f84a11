//! Our parser, as a load uses it: batches are filled, handed on, and used again.

use std::hint::black_box;
use std::thread;

use event_parser::{Backend, Batch, Options, Parser, backends};

use crate::Contestant;
use crate::files::DAY;

pub(crate) fn contestants() -> Vec<Contestant> {
    // The fastest first: it is what a load uses.
    let mut contestants: Vec<Contestant> = Vec::new();
    for backend in backends().into_iter().rev() {
        let name = format!("event-parser, {}", backend.name());
        contestants.push((name, Box::new(move |day| columns(day, backend))));
    }
    contestants.push(("event-parser, two threads on two halves".into(), Box::new(two_halves)));
    contestants
}

fn columns(day: &[u8], backend: Backend) -> usize {
    let options = Options { batch_bytes: 16 << 20, backend, ..Options::new(DAY.parse().expect("a date")) };
    let (mut parser, mut batch, mut rows) = (Parser::new("day", options), Batch::default(), 0);
    let mut rest = day;
    while !rest.is_empty() {
        let taken = parser.push(rest, &mut batch);
        rest = &rest[taken..];
        rows += count(&batch);
        batch.clear();
    }
    parser.finish(&mut batch);
    rows + count(&batch)
}

fn count(batch: &Batch) -> usize {
    black_box(batch).rows_by_table().iter().map(|(_, rows)| rows).sum()
}

fn two_halves(day: &[u8]) -> usize {
    let middle = memchr::memrchr(b'\n', &day[..day.len() / 2]).map_or(0, |newline| newline + 1);
    let (first, second) = day.split_at(middle);
    thread::scope(|scope| {
        let other = scope.spawn(|| columns(second, Backend::default()));
        columns(first, Backend::default()) + other.join().expect("the parser does not panic")
    })
}

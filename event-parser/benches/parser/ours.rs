//! Our parser, as a load uses it: batches are filled, handed on and reused.

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Mutex;
use std::thread;

use event_parser::{Backend, Batch, Options, Parser};

use crate::Contestant;
use crate::files::DAY;

pub(crate) fn contestants() -> Vec<Contestant> {
    // The fastest first: it is what a load uses.
    let mut contestants: Vec<Contestant> = Vec::new();
    for backend in Backend::available().into_iter().rev() {
        let name = format!("event-parser, {}", backend.name());
        let batch = RefCell::default();
        contestants.push((name, Box::new(move |day| columns(day, backend, &mut batch.borrow_mut()))));
    }
    let batches = [Mutex::default(), Mutex::default()];
    let name = "event-parser, two threads on two halves";
    contestants.push((name.into(), Box::new(move |day| two_halves(day, &batches))));
    contestants
}

/// Reads a day into a batch that keeps its memory from round to round, as the batches of a load do.
fn columns(day: &[u8], backend: Backend, batch: &mut Batch) -> usize {
    let options = Options::new(DAY.parse().expect("a date")).with_batch_bytes(16 << 20).with_backend(backend);
    let (mut parser, mut rows) = (Parser::new("day", options), 0);
    let mut rest = day;
    while !rest.is_empty() {
        let taken = parser.push(rest, batch);
        rest = &rest[taken..];
        rows += count(batch);
        batch.clear();
    }
    parser.finish(batch);
    rows += count(batch);
    batch.clear();
    rows
}

fn count(batch: &Batch) -> usize {
    black_box(batch).rows()
}

fn two_halves(day: &[u8], batches: &[Mutex<Batch>; 2]) -> usize {
    let middle = memchr::memrchr(b'\n', &day[..day.len() / 2]).map_or(0, |newline| newline + 1);
    let (first, second) = day.split_at(middle);
    let read = |half, number: usize| {
        let mut batch = batches[number].lock().expect("the parser does not panic");
        columns(half, Backend::default(), &mut batch)
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| read(second, 1));
        read(first, 0) + other.join().expect("the parser does not panic")
    })
}

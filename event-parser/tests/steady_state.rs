//! Once its buffers have grown, the parser allocates nothing for accepted lines.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use event_generator::{Generator, Plan};
use event_parser::{Backend, Batch, Options, Parser};

/// The system's allocator, with a count of its calls.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Pushes the day in pieces, as a reader does, and clears full batches.
fn push(parser: &mut Parser, day: &[u8], batch: &mut Batch) -> usize {
    let mut rows = 0;
    for mut piece in day.chunks(1 << 20) {
        while !piece.is_empty() {
            let taken = parser.push(piece, batch);
            piece = &piece[taken..];
            if !piece.is_empty() {
                rows += batch.rows();
                batch.clear();
            }
        }
    }
    rows
}

/// The most passes until the buffers have grown and all recurring structures have templates.
const MOST_PASSES: usize = 400;
/// So many passes in a row without an allocation count as the steady state.
const QUIET_PASSES: usize = 16;

#[test]
fn the_steady_state_allocates_nothing() {
    let date = "2026-03-01".parse().expect("a date");
    let plan = Plan { reject_share: 0.0, ..Plan::new(date, 1, 2_500) };
    let mut day = Vec::new();
    let generator = Generator::new(plan).expect("the plan is sound");
    generator.write_day(date, 0, 1, &mut day).expect("memory takes any bytes");
    for backend in Backend::available() {
        let options = Options::new(date).with_batch_bytes(256 << 10).with_backend(backend);
        let (mut parser, mut batch) = (Parser::new("day", options), Batch::default());
        let mut pass = || {
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            let rows = push(&mut parser, &day, &mut batch);
            assert!(rows > 4_000, "{backend:?}: {rows}");
            assert!(batch.rejects().is_empty());
            // Every pass fills its batches with the same lines.
            batch.clear();
            ALLOCATIONS.load(Ordering::Relaxed) - before
        };
        // Rare structures are learnt now and then: a single quiet pass may be chance.
        let (mut passes, mut quiet) = (0, 0);
        while quiet < QUIET_PASSES && passes < MOST_PASSES {
            quiet = if pass() == 0 { quiet + 1 } else { 0 };
            passes += 1;
        }
        println!("{backend:?}: nothing allocated after {} passes", passes - quiet);
        assert!(passes > QUIET_PASSES, "{backend:?} has not allocated at all: the count does not work");
        assert_eq!(quiet, QUIET_PASSES, "{backend:?} still allocates");
    }
}

//! JSON Lines of events in, columns and rejected lines out. No IO.
//!
//! Bytes are pushed as they come, cut anywhere. They pass through these rooms:
//!
//! 1. `split`: bytes → chunks of whole lines; `chunk` takes each of them through the next three.
//! 2. `index`: one pass notes where a chunk's quotes, newlines and odd bytes are.
//! 3. `shapes` and `walk`: lines that look like others before are read together, their values where those had them, into
//!    the sheet of their type (`sheet`); others are read one at a time, from token to token, each into a row of slots
//!    (`rows`). Known keys are put into slots, unknown ones are noted for the column `extra`.
//! 4. `check`: values by the contract's rules, straight into the [`columns`] of a [`Batch`]; or the line's violations,
//!    all of them, with messages.
//!
//! `arch` has the few operations that are done with AVX-512, AVX2 or SSE2 where the processor has them.
//!
//! ```
//! use event_parser::{Batch, Options, Parser};
//!
//! let mut parser = Parser::new("events.jsonl", Options::new("2026-03-01".parse()?));
//! let mut batch = Batch::default();
//! let line = br#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"lesson_opened",
//! "#; // … a producer's engineer pressed Enter in the middle of a line
//! assert_eq!(parser.push(line, &mut batch), line.len());
//! parser.finish(&mut batch);
//! let reject = &batch.rejects()[0];
//! assert_eq!((reject.line, reject.first().reason.as_str()), (1, "invalid_json"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arch;
mod batch;
mod check;
mod chunk;
pub mod columns;
mod dates;
mod index;
mod rows;
mod shapes;
mod sheet;
mod span;
mod split;
mod tally;
mod walk;

pub use arch::Backend;

pub use batch::{
    AbTestAssignments, Batch, EnvelopeColumns, Events, NamedView, Purchases, Reject, Sessions, Table,
    TaskResults, Violation,
};
pub use dates::EventDates;
pub use split::{KEPT_BYTES, Options, Parser};
pub use tally::Tally;

/// The instructions that lines are parsed with on this processor, unless [`Options::backend`] says otherwise:
/// `AVX-512`, `AVX2`, `SSE2` or `portable`.
pub fn backend() -> &'static str {
    Backend::default().name()
}

/// The instructions that this processor has, the fastest last. Tests, benchmarks and fuzzing go through them all.
pub fn backends() -> Vec<Backend> {
    Backend::available()
}

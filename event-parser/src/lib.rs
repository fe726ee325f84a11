#![doc = include_str!("../README.md")]

mod arch;
mod batch;
mod check;
mod chunk;
mod column_batch;
pub mod columns;
mod contract;
mod dates;
mod index;
mod load_stats;
pub mod mapped;
mod options;
mod parser;
mod payload_kind;
mod reader;
mod slot_rows;
mod span;
mod split;
mod stats;
mod templates;

pub use arch::Backend;
pub use batch::{
    AbTestAssignments, Batch, EnvelopeColumns, Events, NamedView, Purchases, Reject, Sessions, Table,
    TaskResults, Violation,
};
pub use dates::EventDates;
pub use load_stats::LoadStats;
pub use options::Options;
pub use parser::Parser;
pub use split::KEPT_BYTES;
pub use stats::ParseStats;

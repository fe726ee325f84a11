//! Parses JSON Lines of events into columns.

pub mod batch;
pub mod columns;

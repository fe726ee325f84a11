#![doc = include_str!("../README.md")]

mod compact;
mod day;
mod draw;
mod experiment;
mod fact;
mod files;
mod mistake;
mod money;
mod person;
mod plain;
mod plan;
mod rates;
mod stats;
mod style;
mod typed;
mod visit;
mod walk;
mod world;

pub use day::{Generator, WriteError};
pub use files::{Compression, FilesError, Layout, RATES_FILE, Summary, WrittenFile, write_files};
pub use plan::{Plan, PlanError, Spelling};
pub use rates::exchange_rates_csv;
pub use stats::DayStats;

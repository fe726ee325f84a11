//! Realistic day files of an `EdTech` product, of any size, from a seed.
//!
//! Users arrive, learn, try, buy, renew, take part in experiments and leave; their devices send events
//! late, twice, or broken. Everything about a user's day is a pure function of the plan, the user and the
//! day, so days are made in any order and in parallel, in bounded memory, and always the same.
//!
//! - [`Plan`]: what to generate. [`Generator`]: one day into any writer. [`write_files`]: all days as files
//!   on all cores, with the [exchange rates](exchange_rates_csv) that fit.
//! - [`DayStats`]: exact counts of what was written, to hold a loader against.
//!
//! Inside, a day goes through these rooms: `person` (who is there), `visit` and `walk` (what they do, with
//! `money` and `experiment`), `fact` (what happened, in small copies that are sorted by time), and then one
//! of the spellings: `compact` and `typed` (the same bytes, the first only faster), `style` (other clients'
//! JSON), `mistake` (lines that a loader must reject).
//!
//! ```
//! use event_generator::{Generator, Plan};
//!
//! let plan = Plan::new("2026-03-01".parse()?, 7, 50);
//! let mut lines = Vec::new();
//! let stats = Generator::new(plan)?.write_day("2026-03-02".parse()?, 0, 1, &mut lines)?;
//! assert_eq!(stats.bytes, lines.len() as u64);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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

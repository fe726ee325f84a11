//! The event contract of Schoolbell, written down once.
//!
//! Three rooms:
//!
//! - [`registry`]: the contract as data. Entity → fields → JSON type, rule, ClickHouse type, unit and
//!   doc line. [`generate`] turns it into the `raw` DDL, a JSON Schema, dbt's sources and the reference
//!   page, so none of them can disagree.
//! - [`value`]: the meaning of a field's text: times, dates, amounts, UUIDs, bounded strings. Readers and
//!   writers of events share these rules.
//! - [`event`]: typed events for services that *produce* them. What they serialise always validates.
//!
//! This crate does no IO and knows nothing of lines, columns or servers.
//!
//! ```
//! use event_schema::event::{Envelope, Event, EventId, Payload, TaskResult};
//! use event_schema::value::Timestamp;
//!
//! let event = Event::new(
//!     Envelope::new(EventId::now(), "u-42".parse()?, Timestamp::from_millis(1_772_357_400_000)?),
//!     Payload::TaskResult(TaskResult::new("algebra-1/7".parse()?, true)),
//! );
//! assert!(event.to_line().starts_with(r#"{"event_id":""#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod event;
pub mod generate;
mod reason;
pub mod registry;
pub mod value;

pub use reason::Reason;

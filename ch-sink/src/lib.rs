//! Columns to ClickHouse: sorted Native blocks, and the commit protocol that makes a day appear whole.
//!
//! The rooms, in the order data flows through them:
//!
//! - `order`: the rows of a batch in the order of the tables' sorting key;
//! - `blocks`: which columns make up a table's block, and in which order;
//! - `native`: a block as bytes, a piece at a time;
//! - `warehouse`: the connection: whose tables there are, grants, inserts, commits, partitions;
//! - `refusal`: what a refusal of the server means;
//! - `record`: what a load has read and stored, as it is kept in the warehouse and reported;
//! - `rules`: which commit holds and what may be removed, as functions without IO;
//! - [`load()`]: a day from its sources to its commit, and the cleaning up afterwards.
//!
//! What holds:
//!
//! - **One row is the commit.** Rows of a load cannot be seen until `raw.loads` names it, in one insert, after
//!   every source was read to its end, every insert acknowledged, and the rows counted in the server.
//! - **A load touches its own rows only**, and those of loads that a newer commit has replaced or that died
//!   long ago. Two loads of one day do not know of each other: the later commit holds.
//! - **Bounded memory**, by [`LoadOptions::memory_bytes`], whatever the size of the day.

mod blocks;
mod error;
mod load;
mod native;
mod order;
mod record;
mod refusal;
mod rejected;
mod rules;
mod warehouse;

pub use error::{ErrorClass, LoadError, WarehouseError};
pub use event_parser::LoadStats;
pub use load::{
    EditedLines, EventsByDate, LeftoverLoads, LoadOptions, LoadReport, LoadStatus, Progress, RejectsOf,
    ReplayReport, ReplayStatus, UnloadReport, UnloadStatus, commit_staged, count_rejects, leftover_loads,
    load, misdated_events_warning, misdated_names_warning, read_rejects, refuse_future_date, replay_rejects,
    stage, unload,
};
pub use record::{CommittedSource, LoadRecord};
pub use refusal::RefusalKind;
pub use rejected::{Example, Rejected};
pub use warehouse::{
    Commit, ConnectOptions, Disk, Grant, Inspection, LoadedDay, Need, OLDEST_SERVER, Object, ObjectState,
    RejectCount, RejectFilter, RejectKey, RejectedLine, Retry, Secret, TablesError, Waiting, WaitingLoads,
    Warehouse, WireCompression,
};

//! Columns to ClickHouse: sorted Native blocks, and the commit protocol that makes a day appear whole.
//!
//! The rooms, in the order data flows through them:
//!
//! - `order`: the rows of a batch in the order of the tables' sorting key;
//! - `blocks`: which columns make up a table's block, and in which order;
//! - `native`: a block as bytes, a piece at a time;
//! - `warehouse`: the connection: whose tables there are, grants, inserts, commits, partitions;
//! - `refusal`: what a refusal of the server means;
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
mod refusal;
mod warehouse;

pub use error::{ErrorClass, LoadError, WarehouseError};
pub use load::{
    EditedLines, EventsByDate, Example, LeftoverLoads, LoadOptions, LoadReport, LoadStatus, Progress,
    Rejected, RejectsOf, ReplayReport, ReplayStatus, UnloadReport, UnloadStatus, commit_staged,
    count_rejects, leftover_loads, load, misdated_events_warning, misdated_names_warning, read_rejects,
    refuse_future_date, replay_rejects, stage, unload,
};
pub use refusal::RefusalKind;
pub use warehouse::{
    Commit, CommittedSource, ConnectOptions, Disk, Grant, Inspection, LoadedDay, Need, OLDEST_SERVER, Object,
    ObjectState, RejectCount, RejectFilter, RejectKey, RejectedLine, Retry, Secret, TablesError, Waiting,
    WaitingLoads, Warehouse, WireCompression,
};

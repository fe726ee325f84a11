#![doc = include_str!("../README.md")]

// In the order of the data: `load` reads and parses, `order` sorts, `blocks` chooses columns, `native` encodes, and
// `warehouse` sends, commits and asks. `rules` decides without IO which commit holds and what may be removed; `record`
// is what is kept of a load; `refusal` classifies errors of the server.
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
    RejectCount, RejectFilter, RejectKey, RejectedLine, Retry, Secret, TablesError, WaitingLoads, Warehouse,
    WireCompression,
};

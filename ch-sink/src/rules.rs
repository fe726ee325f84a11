//! The decisions of the protocol, as functions of what was seen: which commit holds, what may be swept.
//!
//! No IO. The model in `rules/model.rs` runs the same functions through every interleaving of a small case.

use std::time::Duration;

use event_schema::registry::REJECTED_EVENTS;
use event_schema::value::Date;
use serde::Deserialize;
use uuid::Uuid;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

/// A load that has written nothing for so long is dead. Longer than any load takes: a day is loaded in minutes.
const DEAD_AFTER: Duration = Duration::from_secs(24 * 3600);
/// What is kept longer: the rejected lines of a load that failed, to be looked at, and a staged load, which may wait
/// for others over a long weekend.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// What decides of a row of `raw.loads`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub(crate) struct CommitRow {
    pub(crate) batch_date: Date,
    /// In milliseconds.
    pub(crate) committed_at: i64,
    pub(crate) commit_id: Uuid,
    pub(crate) load_ids: Vec<Uuid>,
}

/// A load's rows in one table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct StoredLoad {
    /// The reader's table.
    pub(crate) table: String,
    pub(crate) batch_date: Date,
    pub(crate) load_id: Uuid,
    /// By the server's clock, in milliseconds.
    pub(crate) last_written: i64,
    #[serde(deserialize_with = "flag")]
    pub(crate) is_staged: bool,
    /// Whether it was given up: it cannot be committed any more.
    #[serde(deserialize_with = "flag")]
    pub(crate) is_condemned: bool,
}

/// The clocks at which a load's age is looked at, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clocks {
    pub(crate) server: i64,
    pub(crate) client: i64,
}

/// What is to become of a load's rows in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    /// Readers are shown them.
    Shown,
    /// A commit named the load, and the one that holds does not: it never will be named again.
    Superseded,
    /// No commit named the load, and it has been silent for too long.
    Dead,
    /// No commit named the load yet: it may be at work.
    AtWork,
}

/// The commit of these, all of one date, that holds: the latest, ties broken by the id as the engine compares it
/// (its lower half first).
pub(crate) fn holding<'a>(commits: impl IntoIterator<Item = &'a CommitRow>) -> Option<&'a CommitRow> {
    commits.into_iter().max_by_key(|commit| {
        let (upper, lower) = commit.commit_id.as_u64_pair();
        (commit.committed_at, lower, upper)
    })
}

/// What is to become of a load's rows, by the commits of all dates.
pub(crate) fn fate(stored: &StoredLoad, commits: &[CommitRow], clocks: Clocks) -> Fate {
    let of_the_date = || commits.iter().filter(|commit| commit.batch_date == stored.batch_date);
    let names = |commit: &CommitRow| commit.load_ids.contains(&stored.load_id);
    if holding(of_the_date()).is_some_and(names) {
        return Fate::Shown;
    }
    if of_the_date().any(names) {
        return Fate::Superseded;
    }
    if is_dead(stored, clocks) { Fate::Dead } else { Fate::AtWork }
}

/// Whether a load that no commit names has been silent for too long: by the time in its id, which its own machine
/// made, and by its last block, whose time is the server's. A clock that jumps can make it look old by one of them,
/// but not by all three comparisons, unless the load, the server and the sweeper share the clock.
fn is_dead(stored: &StoredLoad, clocks: Clocks) -> bool {
    // An id without a time in it is not one of ours.
    let Some(began) = stored.load_id.get_timestamp().filter(|_| stored.load_id.get_version_num() == 7) else {
        return false;
    };
    let (seconds, nanos) = began.to_unix();
    let began = seconds as i64 * 1000 + i64::from(nanos / 1_000_000);
    let is_rejects = stored.table == REJECTED_EVENTS.table;
    if stored.is_condemned && !is_rejects {
        return true;
    }
    let is_kept = stored.is_staged || is_rejects;
    let limit = if is_kept { KEPT_FOR } else { DEAD_AFTER }.as_millis() as i64;
    let silent = [clocks.server - began, clocks.client - began, clocks.server - stored.last_written];
    silent.into_iter().all(|age| age > limit)
}

/// What a second look allows to be dropped of what the first one found: what no reader is shown in both, for the same
/// reason. Between the two every query has ended that had begun before the first.
pub(crate) fn to_drop(first: &[(StoredLoad, Fate)], second: &[(StoredLoad, Fate)]) -> Vec<StoredLoad> {
    let same = |(stored, fate): &(StoredLoad, Fate)| {
        let before =
            first.iter().find(|(load, _)| (&load.table, load.load_id) == (&stored.table, stored.load_id));
        before.is_some_and(|(_, before)| before == fate)
    };
    second
        .iter()
        .filter(|(_, fate)| matches!(fate, Fate::Superseded | Fate::Dead))
        .filter(|found| same(found))
        .map(|(stored, _)| stored.clone())
        .collect()
}

fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    u8::deserialize(deserializer).map(|flag| flag != 0)
}

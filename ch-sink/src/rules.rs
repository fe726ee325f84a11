//! The decisions of the protocol, as pure functions: which commit holds, what may be swept.
//!
//! The model in `rules/model.rs` checks the same functions in every interleaving of small cases.

use std::time::Duration;

use event_schema::registry::REJECTED_EVENTS;
use event_schema::value::Date;
use serde::Deserialize;
use uuid::Uuid;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

/// A load that has written nothing for this long is abandoned. Loads take minutes.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Rejected lines of failed loads, and staged loads, are kept longer: somebody looks at the former after a weekend, and the
/// latter may wait for others.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// The columns of `raw.loads` that the rules need.
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
    /// Whether it was marked as abandoned: it cannot be committed any more.
    #[serde(deserialize_with = "flag")]
    pub(crate) is_abandoned: bool,
}

/// The clocks by which a load's age is measured, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clocks {
    pub(crate) server: i64,
    pub(crate) client: i64,
}

/// What is to become of a load's rows in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    /// Readers see them.
    Visible,
    /// A commit named the load, and the latest one does not: it will never be named again.
    Superseded,
    /// No commit named the load, and it has written nothing for too long.
    Abandoned,
    /// No commit named the load yet: it may be running.
    InProgress,
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
        return Fate::Visible;
    }
    if of_the_date().any(names) {
        return Fate::Superseded;
    }
    if is_expired(stored, clocks) { Fate::Abandoned } else { Fate::InProgress }
}

/// Whether a load that no commit names has expired: by the time in its id, from its own machine, and by its last block,
/// whose time is the server's. A clock that jumps can make it look old in one comparison, but not in all three, unless the
/// load, the server and the sweeper share the clock.
fn is_expired(stored: &StoredLoad, clocks: Clocks) -> bool {
    // An id without a time in it is not one of ours.
    let Some(began) = stored.load_id.get_timestamp().filter(|_| stored.load_id.get_version_num() == 7) else {
        return false;
    };
    let (seconds, nanos) = began.to_unix();
    let began = seconds as i64 * 1000 + i64::from(nanos / 1_000_000);
    let is_rejects = stored.table == REJECTED_EVENTS.table;
    if stored.is_abandoned && !is_rejects {
        return true;
    }
    let is_kept = stored.is_staged || is_rejects;
    let limit = if is_kept { KEPT_FOR } else { ABANDONED_AFTER }.as_millis() as i64;
    let silent = [clocks.server - began, clocks.client - began, clocks.server - stored.last_written];
    silent.into_iter().all(|age| age > limit)
}

/// What can be dropped: what is invisible in both lists, for the same reason. Every query that had begun before the first
/// list has ended before the second.
pub(crate) fn to_drop(first: &[(StoredLoad, Fate)], second: &[(StoredLoad, Fate)]) -> Vec<StoredLoad> {
    let same = |(stored, fate): &(StoredLoad, Fate)| {
        let before =
            first.iter().find(|(load, _)| (&load.table, load.load_id) == (&stored.table, stored.load_id));
        before.is_some_and(|(_, before)| before == fate)
    };
    second
        .iter()
        .filter(|(_, fate)| matches!(fate, Fate::Superseded | Fate::Abandoned))
        .filter(|found| same(found))
        .map(|(stored, _)| stored.clone())
        .collect()
}

fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    u8::deserialize(deserializer).map(|flag| flag != 0)
}

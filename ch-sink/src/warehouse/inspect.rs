//! The state of the warehouse: loaded days, waiting loads, disks.

use event_schema::registry::{DEAD_LOADS, LOADS, STAGED_LOADS};
use event_schema::value::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Warehouse;
use crate::WarehouseError;
use crate::record::{LoadRecord, select_list};

/// A day that is loaded: the row of `raw.loads` that holds. Serialises to the JSON of `schoolbell loads list`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadedDay {
    /// The day.
    pub batch_date: Date,
    /// When it was committed, by the server's clock: `2026-03-02T04:10:07.123Z`.
    pub committed_at: String,
    /// The loads that make it up.
    pub load_ids: Vec<Uuid>,
    /// What they have read and stored.
    #[serde(flatten)]
    pub record: LoadRecord,
}

/// Staged loads of a date that no commit has named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingLoads {
    /// The day.
    pub batch_date: Date,
    /// The loads.
    pub load_ids: Vec<Uuid>,
    /// When the first of them was staged, by the server's clock.
    pub since: String,
}

/// A disk of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Its name in the server.
    pub name: String,
    /// Bytes that are free.
    pub free_bytes: u64,
    /// All its bytes.
    pub total_bytes: u64,
}

/// How times are told: RFC 3339.
const TIME: &str = "%FT%T.%fZ";

impl Warehouse {
    /// The days that are loaded, in their order; a missing bound is open.
    pub async fn loaded_days(
        &self,
        from: Option<Date>,
        to: Option<Date>,
    ) -> Result<Vec<LoadedDay>, WarehouseError> {
        let sql = format!(
            "SELECT formatDateTime(committed_at, '{TIME}', 'UTC') AS committed_at, {} FROM (\
             SELECT * FROM {} WHERE batch_date BETWEEN '{}' AND '{}' \
             ORDER BY batch_date, committed_at DESC, commit_id DESC LIMIT 1 BY batch_date) ORDER BY batch_date",
            select_list(&LOADS, &["commit_id", "committed_at"]),
            self.bookkeeping(LOADS.table),
            from.unwrap_or(Date::MIN),
            to.unwrap_or(Date::MAX)
        );
        let mut days: Vec<LoadedDay> = self.fetch("list the loads", &sql).await?;
        // Of a day that was taken back no load is named.
        days.retain(|day| !day.load_ids.is_empty());
        Ok(days)
    }

    /// The staged loads that wait for a commit, by date.
    pub async fn waiting_loads(&self) -> Result<Vec<WaitingLoads>, WarehouseError> {
        let sql = format!(
            "SELECT batch_date, groupUniqArray(load_id) AS load_ids, \
             formatDateTime(min(staged_at), '{TIME}', 'UTC') AS since FROM {} \
             WHERE load_id NOT IN (SELECT load_id FROM {}) \
             AND load_id NOT IN (SELECT arrayJoin(load_ids) FROM {}) GROUP BY batch_date ORDER BY batch_date",
            self.bookkeeping(STAGED_LOADS.table),
            self.bookkeeping(DEAD_LOADS.table),
            self.bookkeeping(LOADS.table)
        );
        self.fetch("list the staged loads", &sql).await
    }

    /// The disks of the server that have a size.
    pub async fn disks(&self) -> Result<Vec<Disk>, WarehouseError> {
        let sql = "SELECT name, free_space AS free_bytes, total_space AS total_bytes FROM system.disks \
                   WHERE total_space > 0 AND NOT is_remote ORDER BY name";
        self.fetch("look at the disks", sql).await
    }
}

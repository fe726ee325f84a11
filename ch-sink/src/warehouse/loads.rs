//! `raw.loads`: the commits.

use event_schema::registry::LOADS;
use event_schema::value::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{StagedLoad, Warehouse};
use crate::WarehouseError;
use crate::record::{LoadRecord, select_list};
use crate::rules::CommitRow;

/// One row of `raw.loads`, without what the server adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// The commit's id (UUIDv7).
    pub commit_id: Uuid,
    /// The loads that make up the day.
    pub load_ids: Vec<Uuid>,
    /// What they have read and stored.
    #[serde(flatten)]
    pub record: LoadRecord,
}

/// How a commit stands that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Readers see it.
    Holds,
    /// A later one of the same date holds.
    Replaced,
}

#[derive(Deserialize)]
struct FoundCommit {
    holds: u8,
}

impl Commit {
    /// The commit that names these loads, with the sum of what they have read.
    pub(crate) fn of(loads: &[StagedLoad]) -> Commit {
        Commit {
            commit_id: Uuid::now_v7(),
            load_ids: loads.iter().map(|load| load.load_id).collect(),
            record: LoadRecord::sum(loads.iter().map(|load| &load.record)),
        }
    }
}

impl Warehouse {
    /// The commit that holds for a date: the latest; `None` also where that names no load, for the day was taken back.
    pub async fn latest_commit(&self, batch_date: Date) -> Result<Option<Commit>, WarehouseError> {
        let sql = format!(
            "SELECT {} FROM {} WHERE batch_date = '{batch_date}' ORDER BY committed_at DESC, commit_id DESC LIMIT 1",
            select_list(&LOADS, &["batch_date", "committed_at"]),
            self.bookkeeping(LOADS.table)
        );
        let latest: Option<Commit> = self.fetch("read the latest commit", &sql).await?.pop();
        Ok(latest.filter(|commit| !commit.load_ids.is_empty()))
    }

    /// Whether a commit can be read, and if so whether it holds.
    pub(crate) async fn find_commit(
        &self,
        batch_date: Date,
        commit_id: Uuid,
    ) -> Result<Option<Standing>, WarehouseError> {
        let sql = format!(
            "SELECT argMax(commit_id, (committed_at, commit_id)) = '{commit_id}' AS holds \
             FROM {} WHERE batch_date = '{batch_date}' HAVING countIf(commit_id = '{commit_id}') > 0",
            self.bookkeeping(LOADS.table)
        );
        let found: Vec<FoundCommit> = self.fetch("read the commit back", &sql).await?;
        let standing =
            |found: &FoundCommit| if found.holds != 0 { Standing::Holds } else { Standing::Replaced };
        Ok(found.first().map(standing))
    }

    /// What decides of the commits of a date.
    pub(crate) async fn commits(&self, batch_date: Date) -> Result<Vec<CommitRow>, WarehouseError> {
        self.commits_where(&format!("batch_date = '{batch_date}'")).await
    }

    /// What decides of the commits that meet a condition.
    pub(super) async fn commits_where(&self, condition: &str) -> Result<Vec<CommitRow>, WarehouseError> {
        let sql = format!(
            "SELECT batch_date, toUnixTimestamp64Milli(committed_at) AS committed_at, commit_id, load_ids \
             FROM {} WHERE {condition}",
            self.bookkeeping(LOADS.table)
        );
        self.fetch("read the commits", &sql).await
    }
}

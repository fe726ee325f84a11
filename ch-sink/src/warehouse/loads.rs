//! `raw.loads`: the commits.

use std::collections::BTreeMap;

use event_schema::registry::LOADS;
use event_schema::value::Date;
use event_source::{Fingerprint, Source};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{StagedLoad, Warehouse};
use crate::WarehouseError;
use crate::load::rules::CommitRow;

/// One row of `raw.loads`, without what the server adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// The commit's id (UUIDv7).
    pub commit_id: Uuid,
    /// The loads that make up the day.
    pub load_ids: Vec<Uuid>,
    /// What was loaded.
    pub sources: Vec<CommittedSource>,
    /// Lines read, blank ones included.
    pub lines: u64,
    /// Blank lines.
    pub blank_lines: u64,
    /// Rows stored, by table.
    pub accepted_rows: BTreeMap<String, u64>,
    /// Lines rejected, by reason.
    pub rejected_rows: BTreeMap<String, u64>,
    /// How long the load took.
    pub seconds: f64,
    /// The version of Schoolbell that loaded it.
    pub version: String,
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

/// A source of a committed load.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommittedSource {
    /// Its name.
    pub name: String,
    /// Its stored (compressed) bytes.
    pub size: u64,
    /// A hash of them.
    pub etag: String,
}

impl Commit {
    /// The commit that names these loads, with the sum of what they have read.
    pub(crate) fn of(loads: &[StagedLoad]) -> Commit {
        fn sum<'a>(counts: impl Iterator<Item = &'a BTreeMap<String, u64>>) -> BTreeMap<String, u64> {
            let mut total = BTreeMap::new();
            for (name, count) in counts.flatten() {
                *total.entry(name.clone()).or_default() += count;
            }
            total
        }
        Commit {
            commit_id: Uuid::now_v7(),
            load_ids: loads.iter().map(|load| load.load_id).collect(),
            sources: loads.iter().flat_map(|load| load.sources.clone()).collect(),
            lines: loads.iter().map(|load| load.lines).sum(),
            blank_lines: loads.iter().map(|load| load.blank_lines).sum(),
            accepted_rows: sum(loads.iter().map(|load| &load.accepted_rows)),
            rejected_rows: sum(loads.iter().map(|load| &load.rejected_rows)),
            seconds: loads.iter().map(|load| load.seconds).sum(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Rows of all tables.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted_rows.values().sum()
    }

    /// Lines rejected.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected_rows.values().sum()
    }

    /// The share of rejected lines, of those that are not blank; 0 where there are none.
    pub(crate) fn reject_ratio(&self) -> f64 {
        self.rejected() as f64 / (self.lines - self.blank_lines).max(1) as f64
    }

    /// Whether it is of exactly these sources, in whatever order.
    pub(crate) fn is_of(&self, sources: &[CommittedSource]) -> bool {
        let sorted = |sources: &[CommittedSource]| {
            let mut sources = sources.to_vec();
            sources.sort_unstable();
            sources
        };
        sorted(&self.sources) == sorted(sources)
    }
}

impl CommittedSource {
    pub(crate) fn new(source: &Source, Fingerprint { size, etag }: Fingerprint) -> CommittedSource {
        CommittedSource { name: source.name().to_owned(), size, etag }
    }
}

impl Warehouse {
    /// The commit that holds for a date: the latest; `None` also where that names no load, for the day was taken back.
    pub async fn latest_commit(&self, batch_date: Date) -> Result<Option<Commit>, WarehouseError> {
        let sql = format!(
            "SELECT commit_id, load_ids, sources, lines, blank_lines, accepted_rows, rejected_rows, seconds, version \
             FROM {} WHERE batch_date = '{batch_date}' ORDER BY committed_at DESC, commit_id DESC LIMIT 1",
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

//! `raw.loads`: the commits, and the partitions of loads that they name or do not.

use std::collections::BTreeMap;

use bytes::Bytes;
use event_schema::generate::data_table;
use event_schema::registry::LOADS;
use event_schema::value::Date;
use event_source::{Fingerprint, Source};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::Warehouse;
use crate::WarehouseError;

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

/// A load's rows of one date, in whatever tables.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Partition {
    /// Its day, as text: it is only ever put into statements.
    batch_date: String,
    load_id: Uuid,
}

impl CommittedSource {
    pub(crate) fn new(source: &Source, Fingerprint { size, etag }: Fingerprint) -> CommittedSource {
        CommittedSource { name: source.name().to_owned(), size, etag }
    }
}

impl Warehouse {
    /// The commit that holds for a date: the latest.
    pub async fn latest_commit(&self, batch_date: Date) -> Result<Option<Commit>, WarehouseError> {
        let sql = format!(
            "SELECT commit_id, load_ids, sources, lines, blank_lines, accepted_rows, rejected_rows, seconds, version \
             FROM {} WHERE batch_date = '{batch_date}' ORDER BY committed_at DESC, commit_id DESC LIMIT 1",
            self.loads()
        );
        Ok(self.fetch("read the latest commit", &sql).await?.pop())
    }

    /// Inserts the commit's row; when that returns, it can be read.
    pub(crate) async fn commit(&self, batch_date: Date, commit: &Commit) -> Result<(), WarehouseError> {
        #[derive(Serialize)]
        struct Row<'a> {
            batch_date: Date,
            #[serde(flatten)]
            commit: &'a Commit,
        }
        let row = serde_json::to_vec(&Row { batch_date, commit }).expect("a commit is JSON");
        let (sender, pieces) = mpsc::channel(1);
        // There is room for the one piece, so it is there before anyone waits for it.
        sender.try_send(Bytes::from(row)).expect("an empty channel takes a piece");
        drop(sender);
        let format = format!("({}) FORMAT JSONEachRow", written_columns());
        self.insert(&self.loads(), &format, pieces, async { true }).await
    }

    /// Whether a commit can be read.
    pub(crate) async fn has_commit(&self, batch_date: Date, commit_id: Uuid) -> Result<bool, WarehouseError> {
        let sql = format!(
            "SELECT count() FROM {} WHERE batch_date = '{batch_date}' AND commit_id = '{commit_id}'",
            self.loads()
        );
        Ok(self.fetch_one::<u64>("read the commit back", &sql).await? > 0)
    }

    /// The partitions of `table` whose load a former commit of the date named and the latest does not.
    ///
    /// Never one that no commit named: it may be another's who is still writing.
    pub(crate) async fn superseded(
        &self,
        table: &str,
        batch_date: Date,
    ) -> Result<Vec<Partition>, WarehouseError> {
        // One look at the commits: between two, another load could become the latest.
        let condition = format!(
            "batch_date = '{batch_date}' AND load_id IN \
             (SELECT arrayJoin(arrayFilter(id -> NOT has(latest, id), named)) FROM \
             (SELECT argMax(load_ids, (committed_at, commit_id)) AS latest, groupUniqArrayArray(load_ids) AS named \
             FROM {} WHERE batch_date = '{batch_date}'))",
            self.loads()
        );
        self.partitions(table, &condition, "1").await
    }

    /// The partitions of `table` whose load was never committed, began more than `hours` ago (by the time in its
    /// id, which the client made), and has written nothing for as long (by the server's clock).
    pub(crate) async fn dead(&self, table: &str, hours: u32) -> Result<Vec<Partition>, WarehouseError> {
        // An id without a time in it is not one of ours.
        let condition = format!(
            "UUIDv7ToDateTime(load_id) > toDateTime64(0, 3) \
             AND UUIDv7ToDateTime(load_id) < now64(3) - INTERVAL {hours} HOUR \
             AND load_id NOT IN (SELECT arrayJoin(load_ids) FROM {})",
            self.loads()
        );
        let idle = format!("max(modification_time) < now() - INTERVAL {hours} HOUR");
        self.partitions(table, &condition, &idle).await
    }

    /// The partitions whose date and load meet a condition, and whose parts meet another.
    async fn partitions(
        &self,
        table: &str,
        condition: &str,
        of_parts: &str,
    ) -> Result<Vec<Partition>, WarehouseError> {
        let sql = format!(
            "SELECT extract(partition, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') AS batch_date, \
             toUUIDOrZero(extract(partition, '[0-9a-f]{{8}}-[0-9a-f-]{{27}}')) AS load_id \
             FROM system.parts WHERE active AND database = '{}' AND table = '{}' AND {condition} \
             GROUP BY batch_date, load_id HAVING {of_parts}",
            self.databases.raw(),
            data_table(table),
        );
        self.fetch("list partitions", &sql).await
    }

    /// Removes a partition; nothing if the table has none of it.
    pub(crate) async fn drop_load(&self, table: &str, partition: &Partition) -> Result<(), WarehouseError> {
        let Partition { batch_date, load_id } = partition;
        let batch_date = batch_date.parse().map_err(|error| WarehouseError::Unexpected {
            doing: "find loads to remove".to_owned(),
            problem: format!("{error}"),
        })?;
        self.drop_partition(table, batch_date, *load_id).await
    }

    fn loads(&self) -> String {
        format!("{}.{}", self.databases.raw(), LOADS.table)
    }
}

/// The columns of a commit that are written; the server's clock gives the time.
fn written_columns() -> String {
    let names: Vec<&str> =
        LOADS.columns.iter().map(|column| column.name).filter(|name| *name != "committed_at").collect();
    names.join(", ")
}

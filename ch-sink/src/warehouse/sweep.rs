//! The queries of a sweep: partitions that are not visible, the commits of their dates, and running queries.

use std::collections::BTreeSet;

use bytes::Bytes;
use event_schema::generate::data_table;
use event_schema::registry::{DEAD_LOADS, LOADS, REJECTED_EVENTS, REPLAYED_LINES, STAGED_LOADS, TableId};
use event_schema::value::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Warehouse, literal};
use crate::WarehouseError;
use crate::rules::{CommitRow, StoredLoad};

/// The readers' tables whose rows lie in a partition a load.
pub(crate) const TABLES: [&str; TableId::COUNT + 2] = {
    let mut tables = [REJECTED_EVENTS.table; TableId::COUNT + 2];
    let mut index = 0;
    while index < TableId::COUNT {
        tables[index] = TableId::ALL[index].name();
        index += 1;
    }
    tables[index + 1] = REPLAYED_LINES.table;
    tables
};

/// Queries that run longer than this are not waited for.
const LONGEST_QUERY_SECONDS: u32 = 24 * 3600;
/// ClickHouse's number of an interface: queries of a `clickhouse local` that serves others.
const INTERFACE_LOCAL: u32 = 6;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Partitions that are not visible to readers.
    pub(crate) stored: Vec<StoredLoad>,
    /// Every commit of their dates.
    pub(crate) commits: Vec<CommitRow>,
    /// The server's clock, in milliseconds.
    pub(crate) server_now: i64,
}

impl Warehouse {
    /// The partitions that are not visible to readers, and the commits of their dates, read after them.
    pub(crate) async fn invisible(&self) -> Result<Found, WarehouseError> {
        #[derive(Deserialize)]
        struct Now {
            now: i64,
        }
        let loads = self.bookkeeping(LOADS.table);
        let tables: Vec<String> = TABLES.iter().map(|table| format!("'{}'", data_table(table))).collect();
        let stored: Vec<StoredLoad> = self
            .fetch(
                "list partitions",
                &format!(
                    "SELECT reader AS table, batch_date, load_id, last_written, \
                     load_id IN (SELECT load_id FROM {}) AS is_staged, \
                     load_id IN (SELECT load_id FROM {}) AS is_abandoned FROM (\
                     SELECT extract(table, '^(.*)_data$') AS reader, \
                     extract(partition, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') AS batch_date, \
                     toUUIDOrZero(extract(partition, '[0-9a-f]{{8}}-[0-9a-f-]{{27}}')) AS load_id, \
                     1000 * toUnixTimestamp(max(modification_time)) AS last_written \
                     FROM {} WHERE active AND database = '{}' AND table IN ({}) \
                     GROUP BY reader, batch_date, load_id) \
                     WHERE load_id NOT IN (SELECT arrayJoin(load_ids) FROM (SELECT argMax(load_ids, \
                     (committed_at, commit_id)) AS load_ids FROM {loads} GROUP BY batch_date))",
                    self.bookkeeping(STAGED_LOADS.table),
                    self.bookkeeping(DEAD_LOADS.table),
                    self.system_table("parts"),
                    self.databases.raw(),
                    tables.join(", "),
                ),
            )
            .await?;
        if stored.is_empty() {
            return Ok(Found::default());
        }
        let dates: BTreeSet<String> = stored.iter().map(|load| format!("'{}'", load.batch_date)).collect();
        let of_the_dates = format!("batch_date IN ({})", dates.into_iter().collect::<Vec<_>>().join(", "));
        let commits = self.commits_where(&of_the_dates).await?;
        let now: Vec<Now> =
            self.fetch("read the clock", "SELECT toUnixTimestamp64Milli(now64(3)) AS now").await?;
        Ok(Found { stored, commits, server_now: now.first().map_or(0, |now| now.now) })
    }

    /// Marks loads as abandoned: from now on none of them can be committed.
    pub(crate) async fn abandon(&self, loads: &[(Date, Uuid)]) -> Result<(), WarehouseError> {
        #[derive(Serialize)]
        struct Row {
            batch_date: Date,
            load_id: Uuid,
        }
        let rows = loads.iter().flat_map(|(batch_date, load_id)| {
            let row = Row { batch_date: *batch_date, load_id: *load_id };
            let mut line = serde_json::to_vec(&row).expect("a date and an id are JSON");
            line.push(b'\n');
            line
        });
        let rows: Bytes = rows.collect();
        let statement = format!("INSERT INTO {} (batch_date, load_id)", self.bookkeeping(DEAD_LOADS.table));
        let token = Uuid::now_v7().to_string();
        // A row written twice does no harm.
        self.retrying(async || {
            self.insert_json("mark loads as abandoned", &statement, &token, rows.clone()).await
        })
        .await
    }

    /// The queries that run now and may read a view or commit a day.
    pub(crate) async fn running_queries(&self) -> Result<Vec<String>, WarehouseError> {
        #[derive(Deserialize)]
        struct Running {
            query_id: String,
        }
        // Blocks on their way into a table read nothing; a server's own chores neither.
        let sql = format!(
            "SELECT DISTINCT query_id FROM {} WHERE query_id != queryID() AND initial_query_id != queryID() \
             AND NOT is_internal AND interface != {INTERFACE_LOCAL} AND elapsed < {LONGEST_QUERY_SECONDS} \
             AND NOT match(query, '^INSERT INTO {}\\\\.[a-z_]+ FORMAT ')",
            self.system_table("processes"),
            self.databases.raw()
        );
        let running: Vec<Running> = self.fetch("look at the running queries", &sql).await?;
        Ok(running.into_iter().map(|running| running.query_id).collect())
    }

    /// Whether one of these queries still runs.
    pub(crate) async fn is_running(&self, query_ids: &[String]) -> Result<bool, WarehouseError> {
        #[derive(Deserialize)]
        struct Running {
            running: u64,
        }
        let ids: Vec<String> = query_ids.iter().map(|id| literal(id)).collect();
        let sql = format!(
            "SELECT count() AS running FROM {} WHERE query_id IN ({})",
            self.system_table("processes"),
            ids.join(", ")
        );
        let running: Vec<Running> = self.fetch("look at the running queries", &sql).await?;
        Ok(running.iter().any(|running| running.running > 0))
    }
}

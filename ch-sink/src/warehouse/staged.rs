//! `raw.staged_loads`: loads that are stored whole and wait for a commit.

use std::collections::BTreeMap;

use bytes::Bytes;
use event_schema::registry::{DEAD_LOADS, STAGED_LOADS};
use event_schema::value::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CommittedSource, Warehouse};
use crate::WarehouseError;

/// One row of `raw.staged_loads`, without what the server adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StagedLoad {
    pub(crate) load_id: Uuid,
    pub(crate) sources: Vec<CommittedSource>,
    pub(crate) lines: u64,
    pub(crate) blank_lines: u64,
    pub(crate) accepted_rows: BTreeMap<String, u64>,
    pub(crate) rejected_rows: BTreeMap<String, u64>,
    pub(crate) seconds: f64,
    pub(crate) version: String,
}

impl StagedLoad {
    /// Lines that were rejected.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected_rows.values().sum()
    }
}

impl Warehouse {
    /// Notes that a load is stored whole. A row written twice is one load all the same: it is known by its id.
    pub(crate) async fn note_staged(
        &self,
        batch_date: Date,
        load: &StagedLoad,
    ) -> Result<(), WarehouseError> {
        #[derive(Serialize)]
        struct Row<'a> {
            batch_date: Date,
            #[serde(flatten)]
            load: &'a StagedLoad,
        }
        let columns: Vec<&str> = STAGED_LOADS
            .columns
            .iter()
            .map(|column| column.name)
            .filter(|name| *name != "staged_at")
            .collect();
        let statement =
            format!("INSERT INTO {} ({})", self.bookkeeping(STAGED_LOADS.table), columns.join(", "));
        let row = Bytes::from(serde_json::to_vec(&Row { batch_date, load }).expect("a load is JSON"));
        let token = load.load_id.to_string();
        self.retrying(async || {
            self.insert_json("note the staged load", &statement, &token, row.clone()).await
        })
        .await
    }

    /// The staged loads of a date that are not swept, in the order they were staged; committed ones too.
    pub(crate) async fn staged_loads(&self, batch_date: Date) -> Result<Vec<StagedLoad>, WarehouseError> {
        let columns: Vec<&str> = STAGED_LOADS
            .columns
            .iter()
            .map(|column| column.name)
            .filter(|name| !["staged_at", "batch_date"].contains(name))
            .collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE batch_date = '{batch_date}' AND load_id NOT IN (SELECT load_id FROM {}) \
             ORDER BY staged_at, load_id LIMIT 1 BY load_id",
            columns.join(", "),
            self.bookkeeping(STAGED_LOADS.table),
            self.bookkeeping(DEAD_LOADS.table),
        );
        self.fetch("list the staged loads", &sql).await
    }
}

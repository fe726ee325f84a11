//! `raw.staged_loads`: loads that are stored whole and wait for a commit.

use bytes::Bytes;
use event_schema::registry::{DEAD_LOADS, STAGED_LOADS};
use event_schema::value::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Warehouse;
use crate::WarehouseError;
use crate::record::{self, LoadRecord, select_list};

/// One row of `raw.staged_loads`, without what the server adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StagedLoad {
    pub(crate) load_id: Uuid,
    #[serde(flatten)]
    pub(crate) record: LoadRecord,
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
        let row = Bytes::from(record::row(&STAGED_LOADS, &Row { batch_date, load }));
        let token = load.load_id.to_string();
        self.retrying(async || {
            self.insert_json("note the staged load", &statement, &token, row.clone()).await
        })
        .await
    }

    /// The staged loads of a date that are not swept, in the order they were staged; committed ones too.
    pub(crate) async fn staged_loads(&self, batch_date: Date) -> Result<Vec<StagedLoad>, WarehouseError> {
        let sql = format!(
            "SELECT {} FROM {} WHERE batch_date = '{batch_date}' AND load_id NOT IN (SELECT load_id FROM {}) \
             ORDER BY staged_at, load_id LIMIT 1 BY load_id",
            select_list(&STAGED_LOADS, &["staged_at", "batch_date"]),
            self.bookkeeping(STAGED_LOADS.table),
            self.bookkeeping(DEAD_LOADS.table),
        );
        self.fetch("list the staged loads", &sql).await
    }
}

//! What loads have left in the tables of events: how many rows, of which dates.

use std::collections::BTreeMap;

use event_parser::EventDates;
use event_schema::registry::ENTITIES;
use event_schema::value::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{Commit, Warehouse, date, id_array};
use crate::WarehouseError;

/// The rows of some loads as the server has them.
#[derive(Debug, Default)]
pub(crate) struct StoredEvents {
    rows: BTreeMap<String, u64>,
    pub(crate) dates: EventDates,
}

impl StoredEvents {
    /// The first table that does not have the rows which the commit has counted: its name, the rows it has, and those
    /// it should have.
    pub(crate) fn differs_from(&self, commit: &Commit) -> Option<(&'static str, u64, u64)> {
        let of = |rows: &BTreeMap<String, u64>, table| rows.get(table).copied().unwrap_or_default();
        let tables = ENTITIES.into_iter().map(|entity| entity.table);
        let mut counts = tables.map(|table| (table, of(&self.rows, table), of(&commit.accepted_rows, table)));
        counts.find(|(_, stored, counted)| stored != counted)
    }
}

impl Warehouse {
    /// Counts the rows of these loads, committed or not.
    pub(crate) async fn stored_events(
        &self,
        batch_date: Date,
        load_ids: &[Uuid],
    ) -> Result<StoredEvents, WarehouseError> {
        #[derive(Deserialize)]
        struct Row {
            name: String,
            #[serde(deserialize_with = "date")]
            day: Date,
            events: u64,
        }
        let ids = id_array(load_ids);
        let tables: Vec<String> = ENTITIES
            .into_iter()
            .map(|entity| {
                format!(
                    "SELECT '{}' AS name, toDate(event_time) AS day, count() AS events FROM {} \
                     WHERE batch_date = '{batch_date}' AND load_id IN {ids} GROUP BY day",
                    entity.table,
                    self.rows_table(entity.table)
                )
            })
            .collect();
        let rows: Vec<Row> = self.fetch("count the day's rows", &tables.join(" UNION ALL ")).await?;
        let mut stored = StoredEvents::default();
        for Row { name, day, events } in rows {
            *stored.rows.entry(name).or_default() += events;
            stored.dates.add(day, events);
        }
        Ok(stored)
    }

    /// Today, in UTC, by the server's clock.
    pub(crate) async fn today(&self) -> Result<Date, WarehouseError> {
        let days: u16 = self.fetch_one("read the clock", "SELECT toUInt16(toDate(now('UTC')))").await?;
        Ok(Date::from_days(days))
    }
}

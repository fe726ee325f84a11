//! Dates, asked of the server: those of stored events, and today's.

use event_parser::EventDates;
use event_schema::registry::TableId;
use event_schema::value::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{Warehouse, id_array};
use crate::WarehouseError;

impl Warehouse {
    /// The dates of the events of these loads, committed or not.
    pub(crate) async fn event_dates(
        &self,
        batch_date: Date,
        load_ids: &[Uuid],
    ) -> Result<EventDates, WarehouseError> {
        #[derive(Deserialize)]
        struct Row {
            day: Date,
            events: u64,
        }
        let ids = id_array(load_ids);
        let tables: Vec<String> = TableId::ALL
            .into_iter()
            .map(|id| {
                format!(
                    "SELECT toDate(event_time) AS day, count() AS events FROM {} \
                     WHERE batch_date = '{batch_date}' AND load_id IN {ids} GROUP BY day",
                    self.rows_table(id.name())
                )
            })
            .collect();
        let rows: Vec<Row> = self.fetch("look at the events' dates", &tables.join(" UNION ALL ")).await?;
        let mut dates = EventDates::default();
        for Row { day, events } in rows {
            dates.add(day, events);
        }
        Ok(dates)
    }

    /// Today, in UTC, by the server's clock.
    pub(crate) async fn today(&self) -> Result<Date, WarehouseError> {
        let days: u16 = self.fetch_one("read the clock", "SELECT toUInt16(toDate(now('UTC')))").await?;
        Ok(Date::from_days(days))
    }
}

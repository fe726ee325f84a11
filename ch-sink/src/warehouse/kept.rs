//! Compares the rows that a commit has counted with those that are stored, and finds what removes rows.

use event_parser::LoadStats;
use event_schema::registry::REPLAYED_LINES;
use event_schema::value::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{Commit, StagedLoad, Warehouse, id_array, literal};
use crate::WarehouseError;
use crate::blocks::BatchTable;

/// A table that does not hold the rows that were counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowsGone {
    /// The table, with its database.
    pub(crate) table: String,
    /// Rows that are there.
    pub(crate) stored: u64,
    /// Rows that were counted.
    pub(crate) counted: u64,
}

impl Warehouse {
    /// The first table that does not hold the rows of a commit; `None` while all do.
    pub(crate) async fn gone_of_commit(
        &self,
        batch_date: Date,
        commit: &Commit,
    ) -> Result<Option<RowsGone>, WarehouseError> {
        self.gone(batch_date, &commit.load_ids, &commit.record.stats).await
    }

    /// The first table that does not hold the rows of a staged load; `None` while all do.
    pub(crate) async fn gone_of_staged(
        &self,
        batch_date: Date,
        load: &StagedLoad,
    ) -> Result<Option<RowsGone>, WarehouseError> {
        self.gone(batch_date, &[load.load_id], &load.record.stats).await
    }

    async fn gone(
        &self,
        batch_date: Date,
        load_ids: &[Uuid],
        counted: &LoadStats,
    ) -> Result<Option<RowsGone>, WarehouseError> {
        #[derive(Deserialize)]
        struct Counts {
            stored: Vec<u64>,
            replayed: u64,
        }
        let count = |table: &str| {
            let rows = self.rows_table(table);
            format!("(SELECT count() FROM {rows} WHERE batch_date = '{batch_date}' AND load_id IN all_loads)")
        };
        let sql = format!(
            "WITH {} AS all_loads SELECT array({}) AS stored, {} AS replayed",
            id_array(load_ids),
            BatchTable::all().map(|table| count(table.name())).collect::<Vec<_>>().join(", "),
            count(REPLAYED_LINES.table)
        );
        let counts: Vec<Counts> = self.fetch("count the rows that were loaded", &sql).await?;
        let Some(Counts { stored, replayed }) = counts.into_iter().next() else { return Ok(None) };
        let gone = BatchTable::all().zip(stored).find_map(|(table, stored)| {
            let counted = match table {
                BatchTable::Entity(id) => counted.rows_of(id),
                // Lines that a replay has accepted are rows of both.
                BatchTable::Rejects => counted.rejected_lines() + replayed,
            };
            (stored != counted).then(|| RowsGone { table: self.data_table(table.name()), stored, counted })
        });
        Ok(gone)
    }

    /// What removes or hides rows of a table, as part of a message; `None` if nothing is found.
    pub(crate) async fn what_removes_rows(&self, table: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Table {
            engine_full: String,
        }
        #[derive(Deserialize)]
        struct Policy {
            short_name: String,
        }
        let (database, name) = table.split_once('.')?;
        let of = |database_column: &str| {
            format!("WHERE {database_column} = {} AND table = {}", literal(database), literal(name))
        };
        // This only explains an error: queries that fail are left out.
        let sql = format!("SELECT engine_full FROM system.tables {}", of("database"));
        let tables: Vec<Table> = self.fetch("look at the table", &sql).await.ok()?;
        if let Some(ttl) = tables.first().and_then(|table| removing_ttl(&table.engine_full)) {
            return Some(format!(
                "its TTL ({ttl}) removes rows that are older: do not load such days, or take it away (ALTER TABLE \
                 {table} REMOVE TTL)"
            ));
        }
        let sql = format!("SELECT short_name FROM system.row_policies {}", of("database"));
        let policies: Vec<Policy> = self.fetch("look at the row policies", &sql).await.ok()?;
        let policy = policies.first()?;
        Some(format!(
            "the row policy {} hides rows from the user: give it one that shows all",
            policy.short_name
        ))
    }
}

/// The part of a table's TTL that removes rows. Rows that are moved or packed stay.
fn removing_ttl(engine: &str) -> Option<String> {
    let (_, ttl) = engine.split_once(" TTL ")?;
    let ttl = ttl.split(" SETTINGS ").next().unwrap_or(ttl);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (index, character) in ttl.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&ttl[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&ttl[start..]);
    let keeps =
        |part: &&&str| ![" TO DISK ", " TO VOLUME ", " RECOMPRESS "].iter().any(|word| part.contains(word));
    parts.iter().find(keeps).map(|part| part.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_ttl_that_removes_rows_is_named() {
        for (engine, ttl) in [
            ("MergeTree ORDER BY a SETTINGS b = 1", None),
            ("MergeTree ORDER BY a TTL t + toIntervalDay(1) SETTINGS b = 1", Some("t + toIntervalDay(1)")),
            (
                "MergeTree ORDER BY a TTL f(t, 1) TO VOLUME 'x', g(t, 2) DELETE WHERE h = 1",
                Some("g(t, 2) DELETE WHERE h = 1"),
            ),
            ("MergeTree ORDER BY a TTL t TO DISK 'x', t RECOMPRESS CODEC(ZSTD(3)) SETTINGS b = 1", None),
        ] {
            assert_eq!(removing_ttl(engine).as_deref(), ttl, "{engine}");
        }
    }
}

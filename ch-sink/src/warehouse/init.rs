//! Making and upgrading the tables of `raw`.

use std::collections::HashMap;

use event_schema::generate::{DEDUPLICATION_WINDOW, StoredTable, column_definition, ddl, stored_tables};
use event_schema::registry::Column;
use serde::Deserialize;

use super::Warehouse;
use crate::WarehouseError;

#[derive(Deserialize)]
struct FoundColumn {
    table: String,
    name: String,
    #[serde(rename = "type")]
    ty: String,
}

impl Warehouse {
    /// Makes the tables and views of `raw`, and adds the columns that older tables lack.
    ///
    /// Can be run again without harm, also by several at once. A column of another type is an error; no column is
    /// ever changed or removed.
    pub async fn init(&self) -> Result<(), WarehouseError> {
        // Views come last: they name columns that may have to be added first.
        let (views, tables): (Vec<_>, Vec<_>) = ddl(&self.databases, self.cluster.as_ref())
            .into_iter()
            .partition(|statement| statement.contains(" VIEW "));
        for statement in tables {
            self.execute("make the tables", &statement).await?;
        }
        self.upgrade().await?;
        for statement in views {
            self.execute("make the views", &statement).await?;
        }
        Ok(())
    }

    async fn upgrade(&self) -> Result<(), WarehouseError> {
        let raw = self.databases.raw();
        let found = self.columns_by_table().await?;
        let tables = stored_tables();
        let missing: Vec<String> = tables
            .iter()
            .map(|table| {
                missing_columns(
                    &format!("{raw}.{}", table.name),
                    &self.on_cluster(),
                    table,
                    found.get(&table.name),
                )
            })
            .collect::<Result<Vec<_>, _>>()?
            .concat();
        for statement in missing {
            self.execute("add a column", &statement).await?;
        }
        if self.cluster.is_some() {
            // Replicated tables are made with it.
            return Ok(());
        }
        for table in tables.iter().filter(|table| table.by_load) {
            let statement = format!(
                "ALTER TABLE {raw}.{} MODIFY SETTING non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}",
                table.name
            );
            self.execute("let the tables remember blocks", &statement).await?;
        }
        Ok(())
    }

    /// The types of the columns of `raw`, by table and column.
    async fn columns_by_table(&self) -> Result<HashMap<String, HashMap<String, String>>, WarehouseError> {
        let sql = format!(
            "SELECT table, name, type FROM system.columns WHERE database = '{}'",
            self.databases.raw()
        );
        let mut tables: HashMap<String, HashMap<String, String>> = HashMap::new();
        for column in self.fetch::<FoundColumn>("read the tables' columns", &sql).await? {
            tables.entry(column.table).or_default().insert(column.name, column.ty);
        }
        Ok(tables)
    }
}

/// The statements that add what `table` lacks; an error if a column has another type.
fn missing_columns(
    name: &str,
    on_cluster: &str,
    table: &StoredTable,
    found: Option<&HashMap<String, String>>,
) -> Result<Vec<String>, WarehouseError> {
    let mut statements = Vec::new();
    let mut before: Option<&Column> = None;
    for column in &table.columns {
        let expected = column.ty.to_string();
        match found.and_then(|found| found.get(column.name)) {
            Some(found) if without_blanks(found) == without_blanks(&expected) => {}
            Some(found) => {
                return Err(WarehouseError::TypeDiffers {
                    table: name.to_owned(),
                    column: column.name.to_owned(),
                    found: found.clone(),
                    expected,
                });
            }
            None => statements.push(format!(
                "ALTER TABLE {name}{on_cluster} ADD COLUMN IF NOT EXISTS {} {}",
                column_definition(column),
                before.map_or("FIRST".to_owned(), |before| format!("AFTER {}", before.name)),
            )),
        }
        before = Some(column);
    }
    Ok(statements)
}

/// Versions of the server break the names of long types differently.
fn without_blanks(ty: &str) -> String {
    ty.split_whitespace().collect()
}

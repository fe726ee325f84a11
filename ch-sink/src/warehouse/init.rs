//! Making and upgrading the tables of `raw`.

use std::collections::HashMap;

use event_schema::generate::{
    DEDUPLICATION_WINDOW, Definition, StoredTable, column_definition, comment, create_database, data_table,
    definitions, distributed_table, stored_tables,
};
use serde::Deserialize;

use super::{Inspection, Need, ObjectState, Warehouse};
use crate::WarehouseError;

impl Warehouse {
    /// Makes the tables and views of `raw`, and upgrades those of earlier versions. Whether anything was to be done.
    ///
    /// Nothing is changed if something under their names is somebody else's or a newer program's, or if the user lacks
    /// a grant for any of it. Can be run again without harm, also by several at once. If it breaks off, every other
    /// command is refused until it was run to its end. No column is ever changed or removed.
    pub async fn init(&self) -> Result<bool, WarehouseError> {
        let raw = self.databases.raw();
        let inspection = self.inspect().await?;
        inspection.check_own(&raw)?;
        let statements = self.plan(&inspection).await?;
        if statements.is_empty() {
            return Ok(false);
        }
        self.check_grants(Need::Init).await?;
        for statement in statements {
            self.execute("make the tables", &statement).await?;
        }
        // Somebody else may have been at it at the same time.
        self.inspect().await?.check(&raw)?;
        Ok(true)
    }

    /// The statements that make what is missing and upgrade what is behind: tables, and then the views, which name
    /// columns that may have to be added first.
    async fn plan(&self, inspection: &Inspection) -> Result<Vec<String>, WarehouseError> {
        let raw = self.databases.raw();
        let states: HashMap<&str, &ObjectState> =
            inspection.objects.iter().map(|object| (object.name.as_str(), &object.state)).collect();
        let mut statements = Vec::new();
        for definition in definitions(&self.databases, self.cluster.as_ref()) {
            let name = format!("{raw}.{}", definition.name);
            match states.get(name.as_str()) {
                None | Some(ObjectState::Missing) => statements.push(definition.create),
                Some(ObjectState::Behind { .. }) if definition.is_view => {
                    statements.push(definition.replace());
                }
                Some(ObjectState::Behind { .. }) => statements.push(self.upgrade(&definition).await?),
                Some(_) => {}
            }
        }
        if inspection.is_empty() {
            statements.insert(0, create_database(&self.databases, self.cluster.as_ref()));
        }
        Ok(statements)
    }

    /// The one statement that makes an earlier table one of this version.
    async fn upgrade(&self, definition: &Definition) -> Result<String, WarehouseError> {
        #[derive(Deserialize)]
        struct Column {
            name: String,
        }
        let (raw, name) = (self.databases.raw(), &definition.name);
        let (mut changes, mut settings) = (Vec::new(), Vec::new());
        // A table over shards stores nothing: it has the columns of the table behind it.
        let stored = stored_tables();
        let columns_of = |table: &&StoredTable| {
            table.name == *name
                || name
                    .strip_suffix(&distributed_table(""))
                    .is_some_and(|reader| table.name == data_table(reader))
        };
        if let Some(table) = stored.iter().find(columns_of) {
            let sql =
                format!("SELECT name FROM system.columns WHERE database = '{raw}' AND table = '{name}'");
            let found: Vec<Column> = self.fetch("look at the columns", &sql).await?;
            let mut before = "FIRST".to_owned();
            for column in &table.columns {
                if !found.iter().any(|found| found.name == column.name) {
                    changes.push(format!("ADD COLUMN IF NOT EXISTS {} {before}", column_definition(column)));
                }
                before = format!("AFTER {}", column.name);
            }
            // Replicated tables are made with it. It comes last: settings take every comma behind them.
            if table.by_load && table.name == *name && self.cluster.is_none() {
                settings.push(format!(
                    "MODIFY SETTING non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}"
                ));
            }
        }
        changes.push(format!("MODIFY COMMENT {}", comment(name)));
        changes.extend(settings);
        Ok(format!("ALTER TABLE {raw}.{name}{} {}", self.on_cluster(), changes.join(", ")))
    }
}

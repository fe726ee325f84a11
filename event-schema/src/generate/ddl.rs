//! The DDL of `raw`: tables that loads write to, views that readers use.
//!
//! Rows are stored in `…_data`, partitioned by batch date and load. A reader's view shows, for every date,
//! only the loads that the date's latest row in `raw.loads` names: inserting that one row is the commit.

use super::Databases;
use crate::registry::{Bookkeeping, Column, ENTITIES, LOADS, REJECTED_EVENTS};

/// The name of the table behind a reader's view.
pub fn data_table(view: &str) -> String {
    format!("{view}_data")
}

/// A table of `raw` that rows are stored in.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTable {
    /// Its name in `raw`.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

/// The tables of `raw` that rows are stored in (the others are views of them).
pub fn stored_tables() -> Vec<StoredTable> {
    let data = |view: &str, columns| StoredTable { name: data_table(view), columns };
    let mut tables = vec![StoredTable { name: LOADS.table.to_owned(), columns: LOADS.columns.to_vec() }];
    tables.extend(ENTITIES.map(|entity| data(entity.table, entity.columns())));
    tables.push(data(REJECTED_EVENTS.table, REJECTED_EVENTS.columns.to_vec()));
    tables
}

/// The statements that make the `raw` database, in order. Each can be run again without harm.
pub fn ddl(databases: &Databases) -> Vec<String> {
    let raw = databases.raw();
    let mut statements = vec![format!("CREATE DATABASE IF NOT EXISTS {raw}"), loads(&raw)];
    for entity in ENTITIES {
        let key = "user_id, event_time, event_id";
        statements.extend(table_and_view(&raw, entity.table, &entity.columns(), key));
    }
    let Bookkeeping { table, columns, .. } = REJECTED_EVENTS;
    statements.extend(table_and_view(&raw, table, columns, "source_file, source_line"));
    statements
}

fn loads(raw: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {raw}.{}\n(\n{}\n)\nENGINE = MergeTree\nORDER BY (batch_date, committed_at, commit_id)\nCOMMENT '{}'",
        LOADS.table,
        column_list(LOADS.columns),
        LOADS.doc
    )
}

fn table_and_view(raw: &str, view: &str, columns: &[Column], key: &str) -> [String; 2] {
    let data = data_table(view);
    let table = format!(
        "CREATE TABLE IF NOT EXISTS {raw}.{data}\n(\n{}\n)\nENGINE = MergeTree\nPARTITION BY (batch_date, load_id)\nORDER BY ({key})",
        column_list(columns)
    );
    let names = columns.iter().map(|column| column.name).collect::<Vec<_>>().join(",\n    ");
    // A load is of one date, so its id alone says whether a row is shown. This form costs the least a row, and
    // the partition key prunes by it: parts of other loads are not read.
    let view = format!(
        "CREATE OR REPLACE VIEW {raw}.{view} AS\n\
         SELECT\n    {names}\n\
         FROM {raw}.{data}\n\
         WHERE load_id IN\n(\n    \
             SELECT arrayJoin(load_ids)\n    \
             FROM\n    (\n        \
                 SELECT batch_date, argMax(load_ids, (committed_at, commit_id)) AS load_ids\n        \
                 FROM {raw}.{loads}\n        \
                 GROUP BY batch_date\n    )\n)",
        loads = LOADS.table
    );
    [table, view]
}

fn column_list(columns: &[Column]) -> String {
    let definitions: Vec<String> =
        columns.iter().map(|column| format!("    {}", column_definition(column))).collect();
    definitions.join(",\n")
}

/// A column as `CREATE TABLE` and `ADD COLUMN` take it: name, type, default, comment.
pub fn column_definition(column: &Column) -> String {
    // Docs are the registry's own text; doubling the quote is all a literal of them can need.
    let comment = column.doc.replace('\'', "''");
    let default = match column.name {
        // The server's clock: the one clock all loads share.
        "committed_at" => " DEFAULT now64(3, 'UTC')",
        _ => "",
    };
    format!("{} {}{default} COMMENT '{comment}'", column.name, column.ty)
}

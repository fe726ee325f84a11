//! The DDL of `raw`: tables that loads write to, views that readers use.
//!
//! Rows are stored in `…_data`, partitioned by batch date and load. A reader's view shows, for every date,
//! only the loads that the date's latest row in `raw.loads` names: inserting that one row is the commit.
//!
//! A reader's view reads an inner one, `…_all`, and that is no whim. The server takes its snapshot of a table when
//! it analyses the query that names it. The outer view is analysed first: the loads that are shown become a
//! constant there, before the inner view, and with it the snapshot of the rows, is looked at. The other way round
//! a query that straddles a commit would show a load whose rows its snapshot does not have yet. A query takes one
//! snapshot of `raw.loads`, whatever it reads: all its views show the same loads.

use super::{Cluster, Databases};
use crate::registry::{
    Bookkeeping, Column, ColumnType, DEAD_LOADS, ENTITIES, Entity, LOADS, REJECTED_EVENTS, REPLAYED_LINES,
    STAGED_LOADS, Scalar,
};

/// How many blocks of each table the server remembers by their tokens, so that none is stored twice. A load of
/// 100 GB has about a thousand a table; a block is sent again within minutes.
pub const DEDUPLICATION_WINDOW: u32 = 10_000;

/// The name of the table behind a reader's view.
pub fn data_table(view: &str) -> String {
    format!("{view}_data")
}

/// The name of the view of all rows of a reader's view, committed or not.
pub fn all_view(view: &str) -> String {
    format!("{view}_all")
}

/// The name of the table over all shards of a cluster, through which a reader's view is filled and read.
pub fn distributed_table(view: &str) -> String {
    format!("{view}_distributed")
}

/// A table of `raw` that rows are stored in.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTable {
    /// Its name in `raw`.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Whether it has a partition a load, and remembers blocks by their tokens.
    pub by_load: bool,
}

/// The tables of `raw` that rows are stored in (the others are views of them).
pub fn stored_tables() -> Vec<StoredTable> {
    let kept = [LOADS, STAGED_LOADS, DEAD_LOADS].map(|kept| StoredTable {
        name: kept.table.to_owned(),
        columns: kept.columns.to_vec(),
        by_load: false,
    });
    let views = views().into_iter().map(|view| StoredTable {
        name: data_table(view.name),
        columns: view.columns,
        by_load: true,
    });
    kept.into_iter().chain(views).collect()
}

/// The statements that make the `raw` database, in order. Each can be run again without harm.
///
/// On a cluster the tables of rows are replicated and sharded, those of the bookkeeping are whole on every server.
pub fn ddl(databases: &Databases, cluster: Option<&Cluster>) -> Vec<String> {
    let place = Place { raw: databases.raw(), cluster };
    let mut statements = vec![format!("CREATE DATABASE IF NOT EXISTS {}{}", place.raw, place.on_cluster())];
    statements.push(place.bookkeeping(&LOADS, "batch_date, committed_at, commit_id", None));
    statements.push(place.bookkeeping(&STAGED_LOADS, "batch_date, load_id", Some("staged_at")));
    statements.push(place.bookkeeping(&DEAD_LOADS, "load_id", Some("condemned_at")));
    // Views come last, and first the inner ones: they name what is made before them.
    let views = views();
    statements.extend(views.iter().flat_map(|view| place.tables(view)));
    let (all, shown): (Vec<_>, Vec<_>) = views.iter().map(|view| place.views(view)).unzip();
    statements.into_iter().chain(all).chain(shown).collect()
}

/// A reader's view and what is known of its rows.
struct View {
    name: &'static str,
    columns: Vec<Column>,
    sorting_key: &'static str,
    /// What decides the shard of a row.
    sharding_key: &'static str,
}

fn views() -> Vec<View> {
    let entity = |entity: &Entity| View {
        name: entity.table,
        columns: entity.columns(),
        sorting_key: sorting_key(entity),
        sharding_key: "user_id",
    };
    let lines = |kept: &Bookkeeping, sorting_key| View {
        name: kept.table,
        columns: kept.columns.to_vec(),
        sorting_key,
        sharding_key: "source_line",
    };
    let mut views: Vec<View> = ENTITIES.into_iter().map(entity).collect();
    views.push(lines(&REJECTED_EVENTS, "source_file, source_line"));
    views.push(lines(&REPLAYED_LINES, "rejected_by, source_file, source_line"));
    views
}

/// Where the tables are made.
struct Place<'a> {
    raw: String,
    cluster: Option<&'a Cluster>,
}

impl Place<'_> {
    fn on_cluster(&self) -> String {
        self.cluster.map(|cluster| format!(" ON CLUSTER '{cluster}'")).unwrap_or_default()
    }

    /// A table whose rows are never replaced; `kept_since` is the column from which their year counts.
    fn bookkeeping(&self, kept: &Bookkeeping, key: &str, kept_since: Option<&str>) -> String {
        let engine = match self.cluster {
            // The same path on all shards: every server has every row.
            Some(_) => format!(
                "ReplicatedMergeTree('/clickhouse/tables/{}/{}', '{{shard}}-{{replica}}')",
                self.raw, kept.table
            ),
            None => "MergeTree".to_owned(),
        };
        let ttl = kept_since
            .map(|column| format!("\nTTL toDateTime({column}) + INTERVAL 1 YEAR"))
            .unwrap_or_default();
        format!(
            "CREATE TABLE IF NOT EXISTS {}.{}{}\n(\n{}\n)\nENGINE = {engine}\nORDER BY ({key}){ttl}\nCOMMENT '{}'",
            self.raw,
            kept.table,
            self.on_cluster(),
            column_list(kept.columns),
            kept.doc
        )
    }

    /// The table of a view's rows, and on a cluster the one over all shards.
    fn tables(&self, view: &View) -> Vec<String> {
        let View { name, columns, sorting_key, sharding_key } = view;
        let (raw, on_cluster, data) = (&self.raw, self.on_cluster(), data_table(name));
        let (engine, settings) = match self.cluster {
            Some(_) => {
                ("ReplicatedMergeTree", format!("replicated_deduplication_window = {DEDUPLICATION_WINDOW}"))
            }
            None => ("MergeTree", format!("non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}")),
        };
        let mut tables = vec![format!(
            "CREATE TABLE IF NOT EXISTS {raw}.{data}{on_cluster}\n(\n{}\n)\nENGINE = {engine}\n\
             PARTITION BY (batch_date, load_id)\nORDER BY ({sorting_key})\nSETTINGS {settings}",
            column_list(columns)
        )];
        if let Some(cluster) = self.cluster {
            tables.push(format!(
                "CREATE TABLE IF NOT EXISTS {raw}.{}{on_cluster}\nAS {raw}.{data}\n\
                 ENGINE = Distributed('{cluster}', '{raw}', '{data}', sipHash64({sharding_key}))",
                distributed_table(name)
            ));
        }
        tables
    }

    /// The view of all rows, and the reader's one over it.
    fn views(&self, view: &View) -> (String, String) {
        let View { name, columns, .. } = view;
        let (raw, on_cluster, all) = (&self.raw, self.on_cluster(), all_view(name));
        let rows = if self.cluster.is_some() { distributed_table(name) } else { data_table(name) };
        let names = columns.iter().map(|column| column.name).collect::<Vec<_>>().join(",\n    ");
        // A load is of one date, so its id alone says whether a row is shown, and the partition key prunes by it:
        // parts of other loads are not read. `arrayConcat` makes a plain constant of the subquery.
        let shown = format!(
            "load_id IN\n(\n    \
                 arrayConcat((\n        \
                     SELECT groupArrayArray(load_ids)\n        \
                     FROM\n        (\n            \
                         SELECT argMax(load_ids, (committed_at, commit_id)) AS load_ids\n            \
                         FROM {raw}.{}\n            \
                         GROUP BY batch_date\n        )\n    ))\n)",
            LOADS.table
        );
        // One set for all shards.
        let global = if self.cluster.is_some() { "GLOBAL " } else { "" };
        let replayed = match *name {
            name if name == REJECTED_EVENTS.table => format!(
                "\n    AND (load_id, source_file, source_line) {global}NOT IN\n    (\n        \
                     SELECT rejected_by, source_file, source_line\n        \
                     FROM {raw}.{}\n        \
                     WHERE {shown}\n    )",
                all_view(REPLAYED_LINES.table)
            ),
            _ => String::new(),
        };
        (
            format!(
                "CREATE OR REPLACE VIEW {raw}.{all}{on_cluster} AS\nSELECT\n    {names}\nFROM {raw}.{rows}"
            ),
            format!(
                "CREATE OR REPLACE VIEW {raw}.{name}{on_cluster} AS\nSELECT\n    {names}\nFROM {raw}.{all}\n\
                 WHERE {shown}{replayed}"
            ),
        )
    }
}

fn column_list(columns: &[Column]) -> String {
    let definitions: Vec<String> =
        columns.iter().map(|column| format!("    {}", column_definition(column))).collect();
    definitions.join(",\n")
}

/// The sorting key of an entity's table; a load's blocks come in its order.
pub fn sorting_key(_: &Entity) -> &'static str {
    "user_id, event_time, event_id"
}

/// The codec of a column of `raw`; `None` is the server's default, LZ4. Chosen by `cargo xtask bench
/// warehouse`: docs/benchmarks/warehouse.md.
pub fn codec(column: &Column) -> Option<&'static str> {
    match (column.name, column.ty) {
        // Random bits: compressing them is tried in vain.
        ("event_id", _) => Some("NONE"),
        // Numbers that are near to each other: only the bits in which they differ.
        ("source_line", _) | (_, ColumnType::Plain(Scalar::DateTime)) => Some("T64, LZ4"),
        _ => None,
    }
}

/// A column as `CREATE TABLE` and `ADD COLUMN` take it: name, type, default, comment, codec.
pub fn column_definition(column: &Column) -> String {
    // Docs are the registry's own text; doubling the quote is all a literal of them can need.
    let comment = column.doc.replace('\'', "''");
    let default = match column.name {
        // The server's clock: the one clock all loads share.
        "committed_at" | "staged_at" | "condemned_at" => " DEFAULT now64(3, 'UTC')",
        _ => "",
    };
    let codec = codec(column).map(|codec| format!(" CODEC({codec})")).unwrap_or_default();
    format!("{} {}{default} COMMENT '{comment}'{codec}", column.name, column.ty)
}

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

use super::versions::{TABLES_VERSION, mark};
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
    /// Its sorting key.
    pub sorting_key: &'static str,
    /// Whether it has a partition a load, and remembers blocks by their tokens.
    pub by_load: bool,
}

/// A table or view of `raw` and the statement that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its name in `raw`.
    pub name: String,
    /// Whether it is a view, which is replaced where a table is altered.
    pub is_view: bool,
    /// `CREATE … IF NOT EXISTS`: leaves whatever has that name as it is.
    pub create: String,
}

impl Definition {
    /// The statement that puts a view in the place of an earlier one.
    pub fn replace(&self) -> String {
        self.create.replacen("CREATE VIEW IF NOT EXISTS", "CREATE OR REPLACE VIEW", 1)
    }
}

/// The tables of `raw` that rows are stored in (the others are views of them).
pub fn stored_tables() -> Vec<StoredTable> {
    let kept = BOOKKEEPING.map(|(kept, sorting_key, _)| StoredTable {
        name: kept.table.to_owned(),
        columns: kept.columns.to_vec(),
        sorting_key,
        by_load: false,
    });
    let views = views().into_iter().map(|view| StoredTable {
        name: data_table(view.name),
        columns: view.columns,
        sorting_key: view.sorting_key,
        by_load: true,
    });
    kept.into_iter().chain(views).collect()
}

/// The tables whose rows are never replaced, their sorting keys, and the column from which the year counts that rows
/// are kept for.
const BOOKKEEPING: [(Bookkeeping, &str, Option<&str>); 3] = [
    (LOADS, "batch_date, committed_at, commit_id", None),
    (STAGED_LOADS, "batch_date, load_id", Some("staged_at")),
    (DEAD_LOADS, "load_id", Some("condemned_at")),
];

/// The statements that make the `raw` database, in order. Each can be run again without harm, and changes nothing that
/// is there.
///
/// On a cluster the tables of rows are replicated and sharded, those of the bookkeeping are whole on every server.
pub fn ddl(databases: &Databases, cluster: Option<&Cluster>) -> Vec<String> {
    let made = definitions(databases, cluster).into_iter().map(|definition| definition.create);
    std::iter::once(create_database(databases, cluster)).chain(made).collect()
}

/// The statement that makes the database.
pub fn create_database(databases: &Databases, cluster: Option<&Cluster>) -> String {
    let place = Place { raw: databases.raw(), cluster };
    format!("CREATE DATABASE IF NOT EXISTS {}{}", place.raw, place.on_cluster())
}

/// All tables and views of `raw`, in the order in which they are made.
pub fn definitions(databases: &Databases, cluster: Option<&Cluster>) -> Vec<Definition> {
    let place = Place { raw: databases.raw(), cluster };
    let kept = BOOKKEEPING.iter().map(|(kept, key, kept_since)| place.bookkeeping(kept, key, *kept_since));
    // Views come last, and first the inner ones: they name what is made before them.
    let views = views();
    let tables = views.iter().flat_map(|view| place.tables(view));
    let (all, shown): (Vec<_>, Vec<_>) = views.iter().map(|view| place.views(view)).unzip();
    kept.chain(tables).chain(all).chain(shown).collect()
}

/// A reader's view and what is known of its rows.
struct View {
    name: &'static str,
    doc: &'static str,
    columns: Vec<Column>,
    sorting_key: &'static str,
    /// What decides the shard of a row.
    sharding_key: &'static str,
}

fn views() -> Vec<View> {
    let entity = |entity: &Entity| View {
        name: entity.table,
        doc: entity.doc,
        columns: entity.columns(),
        sorting_key: sorting_key(entity),
        sharding_key: "user_id",
    };
    let lines = |kept: &Bookkeeping, sorting_key| View {
        name: kept.table,
        doc: kept.doc,
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
    fn bookkeeping(&self, kept: &Bookkeeping, key: &str, kept_since: Option<&str>) -> Definition {
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
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {}.{}{}\n(\n{}\n)\nENGINE = {engine}\nORDER BY ({key}){ttl}\nCOMMENT {}",
            self.raw,
            kept.table,
            self.on_cluster(),
            column_list(kept.columns),
            comment(kept.table)
        );
        Definition { name: kept.table.to_owned(), is_view: false, create }
    }

    /// The table of a view's rows, and on a cluster the one over all shards.
    fn tables(&self, view: &View) -> Vec<Definition> {
        let View { name, columns, sorting_key, sharding_key, .. } = view;
        let (raw, on_cluster, data) = (&self.raw, self.on_cluster(), data_table(name));
        let (engine, settings) = match self.cluster {
            Some(_) => {
                ("ReplicatedMergeTree", format!("replicated_deduplication_window = {DEDUPLICATION_WINDOW}"))
            }
            None => ("MergeTree", format!("non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}")),
        };
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {raw}.{data}{on_cluster}\n(\n{}\n)\nENGINE = {engine}\n\
             PARTITION BY (batch_date, load_id)\nORDER BY ({sorting_key})\nSETTINGS {settings}\nCOMMENT {}",
            column_list(columns),
            comment(&data)
        );
        let mut tables = vec![Definition { name: data.clone(), is_view: false, create }];
        if let Some(cluster) = self.cluster {
            let name = distributed_table(name);
            let create = format!(
                "CREATE TABLE IF NOT EXISTS {raw}.{name}{on_cluster}\nAS {raw}.{data}\n\
                 ENGINE = Distributed('{cluster}', '{raw}', '{data}', sipHash64({sharding_key}))\nCOMMENT {}",
                comment(&name)
            );
            tables.push(Definition { name, is_view: false, create });
        }
        tables
    }

    /// The view of all rows, and the reader's one over it.
    fn views(&self, view: &View) -> (Definition, Definition) {
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
        let create = |name: &str, reads: &str| Definition {
            name: name.to_owned(),
            is_view: true,
            create: format!(
                "CREATE VIEW IF NOT EXISTS {raw}.{name}{on_cluster} AS\nSELECT\n    {names}\nFROM {raw}.{reads}\n\
                 COMMENT {}",
                comment(name)
            ),
        };
        (create(&all, &rows), create(name, &format!("{all}\nWHERE {shown}{replayed}")))
    }
}

/// The comment of a table or view, as a literal: [`mark`] and what it is for.
pub fn comment(name: &str) -> String {
    let of_rows = views().into_iter().find_map(|view| {
        let View { name: reader, doc, .. } = view;
        match name {
            _ if name == reader => Some(doc.to_owned()),
            _ if name == data_table(reader) => Some(format!("The rows of `{reader}`, a partition a load.")),
            _ if name == distributed_table(reader) => Some(format!("The rows of `{reader}` on all shards.")),
            _ if name == all_view(reader) => Some(format!("All rows of `{reader}`, committed or not.")),
            _ => None,
        }
    });
    let kept =
        || BOOKKEEPING.iter().find(|(kept, ..)| kept.table == name).map(|(kept, ..)| kept.doc.to_owned());
    let doc = of_rows.or_else(kept).expect("only the contract's tables are made");
    // Docs are the registry's own text; doubling the quote is all a literal of them can need.
    format!("'{}{}'", mark(TABLES_VERSION), doc.replace('\'', "''"))
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

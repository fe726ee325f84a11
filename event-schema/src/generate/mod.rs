//! What is generated from the registry: DDL, JSON Schema, dbt's sources, the reference page.
//!
//! All but the DDL are files of the repository, made by `cargo xtask codegen` and checked for drift.

mod cluster;
mod databases;
mod dbt_sources;
mod ddl;
mod json_schema;
mod reference;
mod versions;

#[cfg(test)]
mod tests;

pub use cluster::{Cluster, ClusterError};
pub use databases::{Databases, PrefixError};
pub use dbt_sources::dbt_sources;
pub use ddl::{
    DEDUPLICATION_WINDOW, Definition, StoredTable, all_view, codec, column_definition, comment,
    create_database, data_table, ddl, definitions, distributed_table, sorting_key, stored_tables,
};
pub use json_schema::json_schema;
pub use reference::reference;
pub use versions::{Shape, TABLES_VERSION, mark, marked_version, shape};

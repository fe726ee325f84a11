//! What is generated from the registry: DDL, JSON Schema, dbt's sources, the reference page.
//!
//! All but the DDL are files of the repository, made by `cargo xtask codegen` and checked for drift.

mod cluster;
mod databases;
mod dbt_sources;
mod ddl;
mod json_schema;
mod reference;

#[cfg(test)]
mod tests;

pub use cluster::{Cluster, ClusterError};
pub use databases::{Databases, PrefixError};
pub use dbt_sources::dbt_sources;
pub use ddl::{
    DEDUPLICATION_WINDOW, StoredTable, all_view, codec, column_definition, data_table, ddl,
    distributed_table, sorting_key, stored_tables,
};
pub use json_schema::json_schema;
pub use reference::reference;

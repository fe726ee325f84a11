//! What a user needs to be granted, and what it lacks.

use std::collections::BTreeMap;
use std::fmt;

use event_schema::generate::{all_view, data_table, distributed_table};
use event_schema::registry::{DEAD_LOADS, LOADS, REJECTED_EVENTS, REPLAYED_LINES, STAGED_LOADS};
use serde::{Deserialize, Serialize};

use super::{TABLES, Warehouse};
use crate::WarehouseError;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// Making and upgrading the tables.
    Init,
    /// Loading a day.
    Load,
    /// Storing a part of a day.
    Stage,
    /// Committing what was staged.
    CommitStaged,
    /// Taking a day back.
    Unload,
    /// Reading rejected lines.
    Rejects,
    /// Loading rejected lines again.
    Replay,
    /// Reading the commits.
    Loads,
    /// Making the report: reading what dbt builds, and what was loaded and rejected.
    Report,
    /// Reading what dbt builds. It works for a user who may not see `raw` at all.
    Marts,
    /// Looking at what there is, whatever it is.
    Inspect,
}

/// A right to do something with a table, or with all of a database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Grant {
    /// What may be done, such as `SELECT` or `ALTER DELETE`.
    pub privilege: &'static str,
    /// `database.table` or `database.*`; of `TABLE ENGINE` the engine.
    pub on: String,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ON {}", self.privilege, self.on)
    }
}

/// What `init` needs on the whole database. Views are replaced at once, which the server does by a table that it drops.
const INIT: [&str; 9] = [
    "CREATE DATABASE",
    "CREATE TABLE",
    "CREATE VIEW",
    "DROP TABLE",
    "DROP VIEW",
    "ALTER ADD COLUMN",
    "ALTER MODIFY COMMENT",
    "ALTER SETTINGS",
    "SELECT",
];

/// Grants as they are said in a sentence: those of one privilege together.
pub(crate) fn in_words(grants: &[Grant]) -> String {
    let mut tables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for grant in grants {
        tables.entry(grant.privilege).or_default().push(&grant.on);
    }
    let words: Vec<String> =
        tables.iter().map(|(privilege, tables)| format!("{privilege} ON {}", tables.join(", "))).collect();
    words.join("; ")
}

impl Warehouse {
    /// What a user has to be granted for that. Reading marts is left to the marts' own grants.
    pub fn grants_for(&self, need: Need) -> Vec<Grant> {
        let raw = self.databases.raw();
        let on_raw = |privilege: &'static str, table: &str| Grant { privilege, on: format!("{raw}.{table}") };
        let select =
            |tables: &[&str]| -> Vec<Grant> { tables.iter().map(|table| on_raw("SELECT", table)).collect() };
        let insert =
            |tables: &[&str]| -> Vec<Grant> { tables.iter().map(|table| on_raw("INSERT", table)).collect() };
        let rows = |privilege: &'static str| -> Vec<Grant> {
            let tables =
                TABLES.iter().filter(|table| **table != REPLAYED_LINES.table || privilege == "SELECT");
            tables.flat_map(|table| self.row_tables(table)).map(|table| on_raw(privilege, &table)).collect()
        };
        let commit =
            || [select(&[LOADS.table, DEAD_LOADS.table]), rows("SELECT"), insert(&[LOADS.table])].concat();
        let rejects = || {
            let views = [all_view(REJECTED_EVENTS.table), all_view(REPLAYED_LINES.table)];
            let tables =
                [REJECTED_EVENTS, REPLAYED_LINES].iter().flat_map(|kept| self.row_tables(kept.table));
            let of_lines = views.into_iter().chain(tables).map(|table| on_raw("SELECT", &table));
            select(&[LOADS.table]).into_iter().chain(of_lines).collect::<Vec<_>>()
        };
        let mut grants = match need {
            Need::Init => {
                let engines: &[&str] = match self.cluster {
                    Some(_) => &["ReplicatedMergeTree", "Distributed"],
                    None => &["MergeTree"],
                };
                let engines = engines.iter().map(|engine| ("TABLE ENGINE", (*engine).to_owned()));
                INIT.iter()
                    .map(|privilege| (*privilege, format!("{raw}.*")))
                    .chain(engines)
                    .map(|(privilege, on)| Grant { privilege, on })
                    .collect()
            }
            Need::Load => [commit(), rows("INSERT")].concat(),
            Need::Stage => [
                select(&[LOADS.table, DEAD_LOADS.table, STAGED_LOADS.table]),
                rows("SELECT"),
                rows("INSERT"),
                insert(&[STAGED_LOADS.table]),
            ]
            .concat(),
            Need::CommitStaged => {
                [commit(), select(&[STAGED_LOADS.table]), insert(&[DEAD_LOADS.table])].concat()
            }
            Need::Unload => commit(),
            Need::Rejects => rejects(),
            Need::Replay => {
                let noted = self.row_tables(REPLAYED_LINES.table);
                let noted = noted.iter().map(|table| on_raw("INSERT", table)).collect();
                [commit(), rejects(), rows("INSERT"), noted].concat()
            }
            Need::Report => [rejects(), rows("SELECT")].concat(),
            Need::Loads => select(&[LOADS.table]),
            Need::Marts | Need::Inspect => Vec::new(),
        };
        grants.sort();
        grants.dedup();
        grants
    }

    /// What lets a load remove the rows that nobody reads any more. Without it they stay.
    pub fn grants_for_sweeps(&self) -> Vec<Grant> {
        let raw = self.databases.raw();
        let on = |privilege: &'static str, table: &str| Grant { privilege, on: format!("{raw}.{table}") };
        let system = |table: &str| Grant { privilege: "SELECT", on: format!("system.{table}") };
        let mut grants: Vec<Grant> =
            TABLES.iter().map(|table| on("ALTER DELETE", &data_table(table))).collect();
        grants.extend([
            on("SELECT", STAGED_LOADS.table),
            on("INSERT", DEAD_LOADS.table),
            system("parts"),
            system("processes"),
        ]);
        grants
    }

    /// Which of some grants the user lacks. Usually none, which is asked for at once.
    pub async fn missing_grants(&self, grants: &[Grant]) -> Result<Vec<Grant>, WarehouseError> {
        if grants.is_empty() || self.has_grants(grants).await? {
            return Ok(Vec::new());
        }
        let mut missing = Vec::new();
        for grant in grants {
            if !self.has_grants(std::slice::from_ref(grant)).await? {
                missing.push(grant.clone());
            }
        }
        Ok(missing)
    }

    /// An error that names what the user lacks, if it lacks anything.
    pub(super) async fn check_grants(&self, need: Need) -> Result<(), WarehouseError> {
        let missing = self.missing_grants(&self.grants_for(need)).await?;
        if missing.is_empty() {
            return Ok(());
        }
        Err(WarehouseError::MissingGrants { user: self.user.clone(), missing: in_words(&missing) })
    }

    async fn has_grants(&self, grants: &[Grant]) -> Result<bool, WarehouseError> {
        #[derive(Deserialize)]
        struct Answer {
            result: u8,
        }
        let list: Vec<String> = grants.iter().map(Grant::to_string).collect();
        let sql = format!("CHECK GRANT {}", list.join(", "));
        let answers: Vec<Answer> = self.fetch("tell what the user may do", &sql).await?;
        Ok(answers.iter().all(|answer| answer.result != 0))
    }

    /// The tables behind a reader's table.
    fn row_tables(&self, table: &str) -> Vec<String> {
        let spread = self.cluster.is_some().then(|| distributed_table(table));
        std::iter::once(data_table(table)).chain(spread).collect()
    }
}

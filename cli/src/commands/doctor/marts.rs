//! Whether the marts were built, to the end, from what is loaded now.

use std::collections::{BTreeMap, BTreeSet};

use ch_sink::{LoadedDay, Warehouse};
use event_schema::value::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{Check, count};
use crate::commands::{BUILD_MARTS, unread};
use crate::failure::Failure;

const NAME: &str = "marts";

/// The loads of each date.
type Loads = BTreeMap<Date, BTreeSet<Uuid>>;

/// When the tables were made, by the server's clock, and what failed then.
#[derive(Debug, Deserialize)]
struct Build {
    /// When the list of loads that it began with was made.
    began: String,
    /// Of the mart that was built first.
    first_mart: String,
    /// Whether every mart was built after the list of loads was made.
    is_whole: u8,
    /// What failed in the last run of dbt that has ended.
    failed: Vec<String>,
}

pub(super) async fn check(warehouse: &Warehouse, loads: &[LoadedDay]) -> Check {
    look_at(warehouse, loads).await.unwrap_or_else(|failure| Check::error(NAME, failure))
}

/// The same, where a failure to look is no finding.
pub(super) async fn look_at(warehouse: &Warehouse, loads: &[LoadedDay]) -> Result<Check, Failure> {
    let ids = |day: &LoadedDay| (day.batch_date, day.load_ids.iter().copied().collect());
    let loaded: Loads = loads.iter().map(ids).collect();
    let Some(build) = last_build(warehouse).await? else {
        return Ok(if loaded.is_empty() {
            Check::ok(NAME, "not built: no day is loaded")
        } else {
            Check::failed(NAME, "not built yet", BUILD_MARTS)
        });
    };
    let Build { began, first_mart, is_whole, failed } = build;
    if is_whole == 0 {
        return Ok(Check::failed(
            NAME,
            format!("the build that began at {began} has not ended: the oldest mart is of {first_mart}"),
            "wait if it runs; else look at what dbt said, and run `dbt build` again",
        ));
    }
    if !failed.is_empty() {
        return Ok(Check::failed(
            NAME,
            format!("built at {began}; of the last run of dbt failed: {}", failed.join(", ")),
            "look at what dbt said, mend the data or the model, and run `dbt build` again",
        ));
    }
    let seen = built_from(warehouse).await?;
    let latest = seen.keys().next_back();
    let built_from = format!(
        "built at {began} from {}{}",
        count(seen.len(), "day"),
        latest.map(|date| format!(", the latest {date}")).unwrap_or_default()
    );
    let dates: BTreeSet<Date> = seen.keys().chain(loaded.keys()).copied().collect();
    let changed: Vec<String> = dates
        .into_iter()
        .filter(|date| seen.get(date) != loaded.get(date))
        .map(|date| date.to_string())
        .collect();
    Ok(match changed.as_slice() {
        [] => Check::ok(NAME, built_from),
        [first, others @ ..] => Check::failed(
            NAME,
            format!(
                "{built_from}; changed since: {first}{}",
                match others {
                    [] => String::new(),
                    [other] => format!(" and {other}"),
                    others => format!(" and {} other days", others.len()),
                }
            ),
            BUILD_MARTS,
        ),
    })
}

/// The last build; `None` where none has made a mart.
async fn last_build(warehouse: &Warehouse) -> Result<Option<Build>, Failure> {
    let staging = warehouse.databases().staging();
    // dbt makes them; a table that is not there cannot be asked.
    let of_dbt = ["stg_loads", "schoolbell_marts", "schoolbell_runs"];
    let names = of_dbt.map(|name| format!("'{name}'")).join(", ");
    let tables = format!("SELECT name FROM system.tables WHERE database = '{staging}' AND name IN ({names})");
    let found: Vec<serde_json::Value> = rows(warehouse, "look for the marts", &tables).await?;
    if found.len() < of_dbt.len() {
        return Ok(None);
    }
    let sql = format!(
        "WITH (SELECT metadata_modification_time FROM system.tables \
         WHERE database = '{staging}' AND name = 'stg_loads') AS list_made_at \
         SELECT toString(assumeNotNull(list_made_at)) AS began, toString(toDateTime(min(built_at))) AS first_mart, \
         toDateTime(min(built_at)) >= assumeNotNull(list_made_at) AS is_whole, \
         (SELECT argMax(failed, at) FROM {staging}.schoolbell_runs WHERE state = 'ended') AS failed \
         FROM {staging}.schoolbell_marts FINAL HAVING count() > 0"
    );
    Ok(rows(warehouse, "read what the marts were built from", &sql).await?.pop())
}

/// The loads that the last build began with.
async fn built_from(warehouse: &Warehouse) -> Result<Loads, Failure> {
    #[derive(Deserialize)]
    struct Row {
        batch_date: String,
        load_ids: BTreeSet<Uuid>,
    }
    let sql = format!(
        "SELECT toString(batch_date) AS batch_date, load_ids FROM {}.stg_loads WHERE notEmpty(load_ids)",
        warehouse.databases().staging()
    );
    let rows: Vec<Row> = rows(warehouse, "read stg_loads (built by dbt)", &sql).await?;
    let load = |row: Row| (row.batch_date.parse().expect("the server writes a date"), row.load_ids);
    Ok(rows.into_iter().map(load).collect())
}

async fn rows<T: serde::de::DeserializeOwned>(
    warehouse: &Warehouse,
    doing: &str,
    sql: &str,
) -> Result<Vec<T>, Failure> {
    let answer = warehouse.read(doing, sql, "JSONEachRow").await.map_err(unread)?;
    let rows = serde_json::Deserializer::from_slice(&answer).into_iter().collect::<Result<_, _>>();
    Ok(rows.expect("the server writes a row of JSON a line"))
}

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

/// When the tables were made, by the server's clock.
#[derive(Debug, Deserialize)]
struct Times {
    /// Of the list of loads that a build begins with; `None` where dbt has not run.
    began: Option<String>,
    /// Of the mart that was built first; `None` where there is none.
    first_mart: Option<String>,
    /// Whether every mart is newer than the list of loads.
    is_whole: u8,
}

pub(super) async fn check(warehouse: &Warehouse, loads: &[LoadedDay]) -> Check {
    let ids = |day: &LoadedDay| (day.batch_date, day.load_ids.iter().copied().collect());
    match look(warehouse, &loads.iter().map(ids).collect()).await {
        Ok(check) => check,
        Err(failure) => Check::error(NAME, failure),
    }
}

async fn look(warehouse: &Warehouse, loaded: &Loads) -> Result<Check, Failure> {
    let times = times(warehouse).await?;
    let (Some(began), Some(first_mart)) = (times.began, times.first_mart) else {
        return Ok(if loaded.is_empty() {
            Check::ok(NAME, "not built: no day is loaded")
        } else {
            Check::failed(NAME, "not built yet", BUILD_MARTS)
        });
    };
    if times.is_whole == 0 {
        return Ok(Check::failed(
            NAME,
            format!("the build that began at {began} has not ended: the oldest mart is of {first_mart}"),
            "wait if it runs; else look at what dbt said, and run `dbt build` again",
        ));
    }
    let built = built_from(warehouse).await?;
    let latest = built.keys().next_back();
    let built_from = format!(
        "built at {began} from {}{}",
        count(built.len(), "day"),
        latest.map(|date| format!(", the latest {date}")).unwrap_or_default()
    );
    let dates: BTreeSet<Date> = built.keys().chain(loaded.keys()).copied().collect();
    let changed: Vec<String> = dates
        .into_iter()
        .filter(|date| built.get(date) != loaded.get(date))
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

async fn times(warehouse: &Warehouse) -> Result<Times, Failure> {
    let databases = warehouse.databases();
    let (staging, marts) = (databases.staging(), databases.marts());
    let is_list = format!("database = '{staging}' AND name = 'stg_loads'");
    let is_mart = format!("database = '{marts}' AND startsWith(name, 'fct_') AND NOT position(name, '__')");
    let sql = format!(
        "SELECT if(countIf({is_list}) > 0, toString(maxIf(metadata_modification_time, {is_list})), NULL) AS began, \
         if(countIf({is_mart}) > 0, toString(minIf(metadata_modification_time, {is_mart})), NULL) AS first_mart, \
         minIf(metadata_modification_time, {is_mart}) >= maxIf(metadata_modification_time, {is_list}) AS is_whole \
         FROM system.tables WHERE database IN ('{staging}', '{marts}')"
    );
    Ok(rows(warehouse, "look for the marts", &sql).await?.pop().expect("an aggregate has a row"))
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

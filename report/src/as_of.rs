//! What the figures are as of: what the marts were built from, and when, by their own account; and what is to be doubted.

use std::collections::BTreeMap;

use event_schema::generate::Databases;
use event_schema::value::Date;
use metrics_sql::sql::quote_text;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::tables::MARTS;

/// A row of a query's answer, by column.
pub type Row = Map<String, Value>;

/// The statements that [`AsOf::new`] needs the rows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Questions {
    /// What each mart was built from: a row a mart.
    pub marts: String,
    /// The days that were loaded after one of them was built: one row.
    pub newer_loads: String,
    /// The latest run of dbt: one row, or none.
    pub last_run: String,
}

impl Questions {
    /// Of the marts that the page reads.
    pub fn new(databases: &Databases) -> Questions {
        let (raw, staging) = (databases.raw(), databases.staging());
        let names: Vec<String> = MARTS.iter().copied().map(quote_text).collect();
        let marts = format!("{staging}.schoolbell_marts FINAL WHERE mart IN ({})", names.join(", "));
        Questions {
            marts: format!(
                "SELECT mart, as_of_date, formatDateTime(built_at, '%F %R') AS built, toString(loaded_until) AS loaded, \
                 timezone, currency FROM {marts} ORDER BY built_at DESC, mart"
            ),
            newer_loads: format!(
                "SELECT min(batch_date) AS first, max(batch_date) AS last, count() AS days FROM \
                 (SELECT batch_date, max(committed_at) AS at FROM {raw}.loads GROUP BY batch_date) \
                 WHERE at > (SELECT min(loaded_until) FROM {marts})"
            ),
            last_run: format!(
                "SELECT countIf(state = 'ended') AS ended, toString(toDateTime(min(at))) AS began, \
                 toString(toDateTime(max(at))) AS seen, arrayStringConcat(arraySort(groupUniqArrayArray(failed)), ', ') AS failed \
                 FROM {staging}.schoolbell_runs GROUP BY run_id ORDER BY min(at) DESC LIMIT 1"
            ),
        }
    }
}

/// What the figures of a page are as of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AsOf {
    /// The last date that any of the marts has.
    #[serde(rename = "as_of")]
    pub date: Date,
    /// When the latest of the marts was built, UTC: `YYYY-MM-DD hh:mm`.
    pub built_at: String,
    /// The zone whose days are counted.
    pub time_zone: String,
    /// The currency of money, ISO 4217.
    pub currency: String,
    /// What the reader should know before reading, a sentence each.
    pub warnings: Vec<String>,
}

impl AsOf {
    /// From the rows that the [`Questions`] gave; `None` where no mart was ever built.
    pub fn new(marts: &[Row], newer_loads: &[Row], last_run: &[Row]) -> Option<AsOf> {
        let latest = marts.first()?;
        let date = marts.iter().filter_map(|mart| text(mart, "as_of_date").parse().ok()).max()?;
        let [built_at, time_zone, currency] =
            ["built", "timezone", "currency"].map(|column| text(latest, column).to_owned());
        let mut warnings = differing(marts);
        warnings.extend(newer_loads.first().and_then(newer));
        warnings.extend(last_run.first().and_then(unfinished));
        Some(AsOf { date, built_at, time_zone, currency, warnings })
    }
}

/// The text in a column.
fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// The marts that were built from something else than the latest one.
fn differing(marts: &[Row]) -> Vec<String> {
    let Some(latest) = marts.first() else { return Vec::new() };
    let [latest_date, latest_loaded] = ["as_of_date", "loaded"].map(|column| text(latest, column));
    let mut others: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for mart in marts {
        let [date, loaded] = ["as_of_date", "loaded"].map(|column| text(mart, column));
        if (date, loaded) != (latest_date, latest_loaded) {
            others.entry((date, loaded)).or_default().push(text(mart, "mart"));
        }
    }
    let sentence = |((date, loaded), mut names): ((&str, &str), Vec<&str>)| {
        names.sort_unstable();
        let only = if date < latest_date { "only " } else { "" };
        let names = names.join(", ");
        format!(
            "{names}: {only}as of {date}, from loads up to {loaded} UTC; the others are of another build."
        )
    };
    others.into_iter().map(sentence).collect()
}

fn newer(loads: &Row) -> Option<String> {
    let days = loads.get("days").and_then(|days| days.as_u64().or_else(|| days.as_str()?.parse().ok()))?;
    let (first, last) = (text(loads, "first"), text(loads, "last"));
    match days {
        0 => None,
        1 => Some(format!("The day {first} was loaded after the marts were built: run `dbt build`.")),
        _ => Some(format!(
            "{days} days from {first} to {last} were loaded after the marts were built: run `dbt build`."
        )),
    }
}

fn unfinished(run: &Row) -> Option<String> {
    let has_ended = run.get("ended").is_some_and(|ended| ended != 0 && ended != "0");
    let [began, seen, failed] = ["began", "seen", "failed"].map(|column| text(run, column));
    if !has_ended {
        return Some(format!(
            "The dbt run that began at {began} UTC has not ended (last seen at {seen} UTC): figures may be of two builds."
        ));
    }
    (!failed.is_empty()).then(|| format!("The last dbt run, which ended at {seen} UTC, failed: {failed}."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(rows: serde_json::Value) -> Vec<Row> {
        serde_json::from_value(rows).expect("rows are objects")
    }

    fn mart(name: &str, date: &str, loaded: &str) -> serde_json::Value {
        json!({"mart": name, "as_of_date": date, "built": "2026-04-01 02:00", "loaded": loaded, "timezone": "UTC",
               "currency": "USD"})
    }

    #[test]
    fn one_build_has_one_date_and_no_warning() {
        let marts = rows(json!([mart("a", "2026-03-31", "x"), mart("b", "2026-03-31", "x")]));
        let loads = rows(json!([{"first": "1970-01-01", "last": "1970-01-01", "days": 0}]));
        let run = rows(json!([{"ended": 1, "began": "b", "seen": "s", "failed": ""}]));
        let as_of = AsOf::new(&marts, &loads, &run).unwrap();
        let AsOf { date, built_at, time_zone, currency, warnings } = as_of;
        assert_eq!(date.to_string(), "2026-03-31");
        assert_eq!([built_at, time_zone, currency], ["2026-04-01 02:00", "UTC", "USD"]);
        assert_eq!(warnings, Vec::<String>::new());
    }

    #[test]
    fn nothing_built_is_as_of_no_date() {
        assert_eq!(AsOf::new(&[], &[], &[]), None);
    }

    #[test]
    fn what_is_behind_newer_failed_or_cut_is_told() {
        let marts = rows(json!([
            mart("a", "2026-03-31", "10:00"),
            mart("c", "2026-03-30", "09:00"),
            mart("b", "2026-03-30", "09:00")
        ]));
        let loads = rows(json!([{"first": "2026-04-01", "last": "2026-04-02", "days": "2"}]));
        let run =
            rows(json!([{"ended": 1, "began": "b", "seen": "2026-04-01 03:00:00", "failed": "int_money"}]));
        let as_of = AsOf::new(&marts, &loads, &run).unwrap();
        assert_eq!(as_of.date.to_string(), "2026-03-31");
        assert_eq!(
            as_of.warnings,
            [
                "b, c: only as of 2026-03-30, from loads up to 09:00 UTC; the others are of another build.",
                "2 days from 2026-04-01 to 2026-04-02 were loaded after the marts were built: run `dbt build`.",
                "The last dbt run, which ended at 2026-04-01 03:00:00 UTC, failed: int_money.",
            ]
        );
        let run = rows(json!([{"ended": "0", "began": "02:00", "seen": "02:10", "failed": ""}]));
        let as_of = AsOf::new(&marts, &[], &run).unwrap();
        let cut = "The dbt run that began at 02:00 UTC has not ended (last seen at 02:10 UTC): figures may be of two builds.";
        assert_eq!(as_of.warnings[1..], [cut]);
    }
}

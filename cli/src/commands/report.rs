//! `report`: the marts as one HTML file.

use std::io::Write as _;

use ch_sink::{Need, Warehouse};
use event_schema::generate::Databases;
use report::{AsOf, Document, Meta, Questions, Range, Row};
use serde_json::json;

use super::{BUILD_MARTS, Talk, check_dates, connect, metrics, runtime, unread};
use crate::args;
use crate::failure::{Code, Failure, Outcome};
use crate::output::{OutFile, print};

pub(crate) fn run(args: &args::Report, talk: Talk) -> Outcome {
    check_dates(args.from, args.to)?;
    let custom = metrics::read(&args.custom)?;
    let databases = &args.connection.names.database_prefix;
    let page = runtime()?.block_on(async {
        let warehouse = connect(&args.connection, Need::Report).await?;
        let as_of = as_of(&warehouse, databases).await?;
        let range = Range { from: args.from, to: args.to.map_or(as_of.date, |to| to.min(as_of.date)) };
        let meta = Meta {
            as_of,
            from: first_date(&warehouse, databases, range).await?,
            to: range.to.to_string(),
            week_start: week_start(&warehouse, databases).await?.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut document = Document::new(meta, &custom);
        for table in report::tables(range, databases, &custom) {
            let doing = format!("read {} (built by dbt)", table.name());
            let answer = warehouse.read(&doing, table.sql(), "JSONColumns").await.map_err(unread)?;
            document.add(table, &answer).expect("the server writes columns as JSON");
        }
        Ok::<_, Failure>(report::page(&document))
    })?;
    let Some(out) = &args.out else { return print(page.as_bytes()) };
    let mut file = OutFile::create(out)?;
    file.write_all(page.as_bytes()).map_err(|error| Failure::writing(out, error))?;
    file.finish()?;
    talk.output.print(&json!({ "file": out, "bytes": page.len() }), |_| format!("{}\n", out.display()))
}

/// What the figures are as of.
async fn as_of(warehouse: &Warehouse, databases: &Databases) -> Result<AsOf, Failure> {
    let questions = Questions::new(databases);
    let marts = rows(warehouse, "the list of marts", &questions.marts).await?;
    let newer_loads = rows(warehouse, "the loads", &questions.newer_loads).await?;
    let last_run = rows(warehouse, "the runs of dbt", &questions.last_run).await?;
    AsOf::new(&marts, &newer_loads, &last_run)
        .ok_or_else(|| Failure::new(Code::Usage, format_args!("no mart is built yet; {BUILD_MARTS}")))
}

/// The first date that has figures within the range.
async fn first_date(warehouse: &Warehouse, databases: &Databases, range: Range) -> Result<String, Failure> {
    let sql = format!(
        "SELECT minOrNull(activity_date) AS first FROM {}.fct_activity_daily WHERE activity_date BETWEEN '{}' AND '{}'",
        databases.marts(),
        range.first(),
        range.to
    );
    let first = rows(warehouse, "the first date", &sql).await?;
    Ok(first
        .first()
        .and_then(|row| row["first"].as_str())
        .map_or_else(|| range.first().to_string(), str::to_owned))
}

/// On which day the weeks of the marts start.
async fn week_start(warehouse: &Warehouse, databases: &Databases) -> Result<&'static str, Failure> {
    let sql = format!(
        "SELECT toDayOfWeek(max(cohort_start)) AS day FROM {}.fct_retention WHERE cohort_period = 'week'",
        databases.marts()
    );
    let day = rows(warehouse, "the weeks", &sql).await?.first().and_then(|row| row["day"].as_u64());
    Ok(if day == Some(7) { "sunday" } else { "monday" })
}

/// The rows of a query.
async fn rows(warehouse: &Warehouse, what: &str, sql: &str) -> Result<Vec<Row>, Failure> {
    let doing = format!("read {what} (built by dbt)");
    let answer = warehouse.read(&doing, sql, "JSONEachRow").await.map_err(unread)?;
    let rows = serde_json::Deserializer::from_slice(&answer).into_iter();
    Ok(rows.collect::<Result<_, _>>().expect("the server writes a row of JSON a line"))
}

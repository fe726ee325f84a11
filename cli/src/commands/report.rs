//! `report`: the marts as one HTML file.

use std::io::Write as _;

use ch_sink::{Need, Warehouse};
use metrics_sql::{Target, render_query};
use report::{Part, Range, Row};
use serde_json::json;

use super::metrics::plain;
use super::{Talk, check_dates, connect, runtime, unread};
use crate::args;
use crate::failure::{Failure, Outcome};
use crate::output::{OutFile, print};

pub(crate) fn run(args: &args::Report, talk: Talk) -> Outcome {
    check_dates(args.from, args.to)?;
    let range = Range { from: args.from, to: args.to };
    let target = Target::Plain(plain(&args.connection.names));
    let page = runtime()?.block_on(async {
        let warehouse = connect(&args.connection, Need::Marts, talk).await?;
        let mut answers: Vec<(Part, Vec<Row>)> = Vec::new();
        for part in report::parts(range) {
            let sql = render_query(part.query(), &target);
            let rows = rows(&warehouse, part.title(), &sql).await?;
            answers.push((part, rows));
        }
        let staging = args.connection.names.database_prefix.staging();
        let sql = format!("SELECT max(batch_date) AS as_of FROM {staging}.stg_loads");
        let loads = rows(&warehouse, "the loads", &sql).await?;
        let as_of = loads.first().and_then(|row| row["as_of"].as_str()).unwrap_or_default();
        Ok::<_, Failure>(report::page(as_of, &answers))
    })?;
    let Some(out) = &args.out else { return print(page.as_bytes()) };
    let mut file = OutFile::create(out)?;
    file.write_all(page.as_bytes()).map_err(|error| Failure::writing(out, error))?;
    file.finish()?;
    talk.output.print(&json!({ "file": out, "bytes": page.len() }), |_| format!("{}\n", out.display()))
}

/// The rows of a query.
async fn rows(warehouse: &Warehouse, what: &str, sql: &str) -> Result<Vec<Row>, Failure> {
    let doing = format!("read {what} (built by dbt)");
    let answer = warehouse.read(&doing, sql, "JSONEachRow").await.map_err(unread)?;
    let rows = serde_json::Deserializer::from_slice(&answer).into_iter();
    Ok(rows.collect::<Result<_, _>>().expect("the server writes a row of JSON a line"))
}

//! `metrics`: the catalogue, and the figures in the marts.

use std::fmt::Write as _;
use std::fs;

use ch_sink::{Need, Warehouse};
use metrics_sql::catalogue::{self, Metric, Slice};
use metrics_sql::custom;
use metrics_sql::{CustomMetric, Plain, Target, models, render, render_query};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{BUILD_MARTS, Talk, check_dates, connect, runtime, unread};
use crate::args::{self, Figures, Metrics};
use crate::failure::{Code, Failure, Outcome};
use crate::logging::warn;
use crate::output::{Output, print};

pub(crate) fn run(metrics: &Metrics, talk: Talk) -> Outcome {
    match metrics {
        Metrics::List { custom } => list(&read(custom)?, talk),
        Metrics::Show { name, custom } => show(&catalogue::find(name, &read(custom)?)?, talk),
        Metrics::Sql { name, slice, custom, reporting, names } => {
            sql(name, slice, &read(custom)?, reporting, names, talk)
        }
        Metrics::Query { name, slice, custom, format, connection } => {
            query(&catalogue::find(name, &read(custom)?)?, slice, *format, connection, talk)
        }
    }
}

/// The user's own definitions.
pub(super) fn read(custom: &args::Custom) -> Result<Vec<CustomMetric>, Failure> {
    let Some(path) = &custom.definitions else { return Ok(Vec::new()) };
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::doing(format_args!("read {}", path.display()), error))?;
    custom::read(&path.to_string_lossy(), &text).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::new(Code::Usage, errors.join("\n"))
    })
}

/// A metric as `list` and `show` print it.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    mart: String,
    unit: Option<&'static str>,
    #[serde(rename = "type")]
    ty: String,
    description: String,
    /// The columns that tell rows of the mart apart.
    grain: Vec<String>,
    /// What `--by` takes.
    by: Vec<String>,
    /// Whether `--from` and `--to` are taken.
    has_dates: bool,
    /// The models it is made from, directly.
    reads: Vec<String>,
}

impl From<&Metric> for Entry {
    fn from(metric: &Metric) -> Entry {
        let (mart, column) = (metric.mart(), metric.column());
        Entry {
            name: metric.name(),
            mart: mart.id.name.as_str().to_owned(),
            unit: column.unit,
            ty: column.ty.to_string(),
            description: column.doc.clone(),
            grain: mart.grain.iter().map(|key| key.as_str().to_owned()).collect(),
            by: metric.can_be_read_by(),
            has_dates: metric.has_dates(),
            reads: mart.reads().iter().map(|model| model.name.as_str().to_owned()).collect(),
        }
    }
}

fn list(custom: &[CustomMetric], talk: Talk) -> Outcome {
    let entries: Vec<Entry> = catalogue::metrics(custom).iter().map(Entry::from).collect();
    talk.output.print(&entries, |entries| {
        let mut out = String::new();
        let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
        let mut mart = "";
        for entry in entries {
            if entry.mart != mart {
                mart = &entry.mart;
                writeln!(out, "{mart}").expect("writing to a string");
            }
            writeln!(out, "    {:<width$}  {}", entry.name, entry.description).expect("writing to a string");
        }
        out
    })
}

fn show(metric: &Metric, talk: Talk) -> Outcome {
    talk.output.print(&Entry::from(metric), |entry| {
        let dates = if entry.has_dates { "--from, --to" } else { "none" };
        let list = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        format!(
            "{}\n{}\n\n    mart     {}: {}\n    unit     {}\n    type     {}\n    grain    {}\n    --by     {}\n    \
             dates    {dates}\n    made of  {}\n",
            entry.name,
            entry.description,
            entry.mart,
            metric.mart().description,
            entry.unit.unwrap_or("none"),
            entry.ty,
            list(&entry.grain),
            list(&entry.by),
            list(&entry.reads),
        )
    })
}

/// A query, as `sql` prints it.
#[derive(Debug, Serialize)]
struct Statement<'a> {
    name: &'a str,
    sql: String,
}

fn sql(
    name: &str,
    slice: &args::Slice,
    custom: &[CustomMetric],
    reporting: &args::Reporting,
    names: &args::Names,
    talk: Talk,
) -> Outcome {
    check_dates(slice.from, slice.to)?;
    let as_of_date = reporting.as_of_date.map(|date| date.to_string());
    let target = Target::Plain(Plain {
        reporting_timezone: reporting.reporting_timezone.clone(),
        reporting_currency: reporting.reporting_currency.clone(),
        as_of_date,
        ..plain(names)
    });
    let own = models().into_iter().chain(custom.iter().flat_map(custom::models));
    let sql = match own.into_iter().find(|model| model.id.name.as_str() == name) {
        Some(model) => render(&model, &target),
        None => render_query(&catalogue::find(name, custom)?.query(&slice.into())?, &target),
    };
    talk.output.print(&Statement { name, sql }, |statement| statement.sql.clone() + "\n")
}

/// The databases of the command line, and every option as it is unless said otherwise.
pub(super) fn plain(names: &args::Names) -> Plain {
    Plain { as_of_date: None, ..Plain::with_prefix(names.database_prefix.prefix(), "") }
}

impl From<&args::Slice> for Slice {
    fn from(slice: &args::Slice) -> Slice {
        Slice { from: slice.from, to: slice.to, by: slice.by.clone() }
    }
}

/// Figures, as `query --output json` prints them.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    metric: String,
    unit: Option<&'static str>,
    /// As the server wrote them: money keeps every digit.
    rows: Vec<&'a RawValue>,
}

fn query(
    metric: &Metric,
    slice: &args::Slice,
    format: Option<Figures>,
    connection: &args::Connection,
    talk: Talk,
) -> Outcome {
    check_dates(slice.from, slice.to)?;
    let sql = render_query(&metric.query(&slice.into())?, &Target::Plain(plain(&connection.names)));
    let format = format.unwrap_or(match talk.output {
        Output::Text => Figures::Table,
        Output::Json => Figures::Json,
    });
    let name = match format {
        Figures::Table => "PrettyCompactNoEscapesMonoBlock",
        Figures::Csv => "CSVWithNames",
        Figures::Json => "JSONEachRow",
    };
    let doing = format!("read {} (built by dbt)", metric.mart().id.name.as_str());
    let (answer, has_rows) = runtime()?.block_on(async {
        let warehouse = connect(connection, Need::Marts).await?;
        let answer = warehouse.read(&doing, &sql, name).await.map_err(unread)?;
        let has_rows = has_rows(&answer, format);
        if !has_rows {
            warn(format_args!("{}", why_no_rows(metric, slice, connection, &warehouse).await?));
        }
        Ok::<_, Failure>((answer, has_rows))
    })?;
    if format == Figures::Table && !has_rows {
        return Ok(());
    }
    if format != Figures::Json {
        return print(&answer);
    }
    let text = String::from_utf8_lossy(&answer);
    let rows = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .expect("the server writes a row of JSON a line");
    let answer = Answer { metric: metric.name(), unit: metric.column().unit, rows };
    Output::Json.print(&answer, |_| String::new())
}

/// Whether an answer has more than a header.
fn has_rows(answer: &[u8], format: Figures) -> bool {
    let lines = answer.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    match format {
        Figures::Table | Figures::Json => lines > 0,
        Figures::Csv => lines > 1,
    }
}

/// What to say of a query that has no rows: which dates have some.
async fn why_no_rows(
    metric: &Metric,
    slice: &args::Slice,
    connection: &args::Connection,
    warehouse: &Warehouse,
) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Range {
        row_count: u64,
        first: Option<String>,
        last: Option<String>,
    }
    let mart = metric.mart().id.name.as_str();
    let empty = format!("{mart} has no rows; {BUILD_MARTS}");
    let Some(date) = metric.date_name() else { return Ok(empty) };
    let all = Slice { from: None, to: None, by: slice.by.clone() };
    let rows = render_query(&metric.query(&all)?, &Target::Plain(plain(&connection.names)));
    let sql = format!(
        "SELECT count() AS row_count, toString(min({date})) AS first, toString(max({date})) AS last FROM ({rows})"
    );
    let answer = warehouse.read("look for rows", &sql, "JSONEachRow").await.map_err(unread)?;
    let range: Range = serde_json::from_slice(&answer).expect("the server writes a row of JSON");
    Ok(match range {
        Range { row_count: 0, .. } => empty,
        Range { first, last, .. } => format!(
            "no row is of these dates; {} has rows from {} to {}",
            metric.name(),
            first.unwrap_or_default(),
            last.unwrap_or_default()
        ),
    })
}

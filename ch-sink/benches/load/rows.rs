//! Typed rows: each line by `serde_json` into a struct, each struct by the `clickhouse` crate into `RowBinary`.
//!
//! It checks JSON and the fields' types, times, dates and amounts, for they have to be converted, and no rule of the
//! contract beyond. A bad line is skipped; unknown fields are lost.

use std::borrow::Cow;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use clickhouse::insert::Insert;
use clickhouse::{Client, Compression, Row};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// Inserts a day file.
pub(crate) fn insert(url: &str, database: &str, date: &str, file: &Path) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::default().with_url(url).with_database(database).with_user("default");
        let client = client.with_compression(Compression::None);
        let mut tables = Tables {
            day: Day { date: days(date)?, load_id: Uuid::now_v7(), file: &file.display().to_string() },
            events: client.insert("events_data").await?,
            purchases: client.insert("purchases_data").await?,
            task_results: client.insert("task_results_data").await?,
            sessions: client.insert("sessions_data").await?,
            assignments: client.insert("ab_test_assignments_data").await?,
        };
        let mut lines = BufReader::with_capacity(1 << 20, File::open(file)?);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            tables.take(&line, number).await?;
        }
        tables.events.end().await?;
        tables.purchases.end().await?;
        tables.task_results.end().await?;
        tables.sessions.end().await?;
        tables.assignments.end().await?;
        Ok(())
    })
}

/// A row: the columns that all tables have, and its own.
macro_rules! row {
    ($name:ident { $($(#[$attribute:meta])* $column:ident: $ty:ty),* $(,)? }) => {
        #[derive(Row, Serialize)]
        struct $name<'a> {
            batch_date: u16,
            #[serde(with = "clickhouse::serde::uuid")]
            event_id: Uuid,
            event_type: &'a str,
            user_id: &'a str,
            event_time: i64,
            session_id: &'a str,
            platform: &'a str,
            app_version: &'a str,
            country: &'a str,
            extra: &'a str,
            source_file: &'a str,
            source_line: u64,
            #[serde(with = "clickhouse::serde::uuid")]
            load_id: Uuid,
            $($(#[$attribute])* $column: $ty),*
        }

        impl<'a> $name<'a> {
            #[allow(clippy::too_many_arguments, reason = "a value a column")]
            fn new(row: &Envelope<'a>, $($column: $ty),*) -> $name<'a> {
                let Envelope { day, line, number, event_time } = *row;
                $name {
                    batch_date: day.date,
                    event_id: line.event_id,
                    event_type: &line.event_type,
                    user_id: &line.user_id,
                    event_time,
                    session_id: text(line.session_id.as_ref()),
                    platform: text(line.platform.as_ref()),
                    app_version: text(line.app_version.as_ref()),
                    country: text(line.country.as_ref()),
                    extra: "",
                    source_file: day.file,
                    source_line: number,
                    load_id: day.load_id,
                    $($column),*
                }
            }
        }
    };
}

row!(EventRow { properties: &'a str });
row!(PurchaseRow {
    kind: &'a str,
    purchase_id: &'a str,
    plan: &'a str,
    amount: i64,
    currency: &'a str,
    period_start: Option<u16>,
    period_end: Option<u16>,
    is_trial: bool,
});
row!(TaskResultRow {
    task_id: &'a str,
    course_id: &'a str,
    lesson_id: &'a str,
    is_correct: bool,
    score: Option<f64>,
    attempt: Option<u16>,
    duration_ms: Option<u32>,
    hints_used: Option<u16>,
});
row!(SessionRow { started_at: i64, ended_at: Option<i64>, device: &'a str, os: &'a str, referrer: &'a str });
row!(AssignmentRow { experiment_id: &'a str, variant: &'a str });

/// What is the same in every row.
struct Day<'a> {
    date: u16,
    load_id: Uuid,
    file: &'a str,
}

/// What is known of a row before its payload is read.
#[derive(Clone, Copy)]
struct Envelope<'a> {
    day: &'a Day<'a>,
    line: &'a Line<'a>,
    number: u64,
    event_time: i64,
}

struct Tables<'a> {
    day: Day<'a>,
    events: Insert<EventRow<'static>>,
    purchases: Insert<PurchaseRow<'static>>,
    task_results: Insert<TaskResultRow<'static>>,
    sessions: Insert<SessionRow<'static>>,
    assignments: Insert<AssignmentRow<'static>>,
}

impl Tables<'_> {
    /// Writes a line's row, if it can be read.
    async fn take(&mut self, line: &[u8], number: u64) -> clickhouse::error::Result<()> {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return Ok(()) };
        let Some(event_time) = millis(&line.event_time) else { return Ok(()) };
        let row = &Envelope { day: &self.day, line: &line, number, event_time };
        let payload = line.properties.map_or("{}", RawValue::get);
        match &*line.event_type {
            "purchase" => {
                let Ok(read) = serde_json::from_str::<Purchase<'_>>(payload) else { return Ok(()) };
                let (Some(amount), Ok(start), Ok(end)) =
                    (amount(&read.amount), days(&read.period_start), days(&read.period_end))
                else {
                    return Ok(());
                };
                let is_trial = read.is_trial.unwrap_or_default();
                let (id, plan, currency) = (&read.purchase_id, &read.plan, &read.currency);
                let row = PurchaseRow::new(
                    row,
                    "purchase",
                    id,
                    plan,
                    amount,
                    currency,
                    Some(start),
                    Some(end),
                    is_trial,
                );
                self.purchases.write(&row).await
            }
            "refund" => {
                let Ok(read) = serde_json::from_str::<Refund<'_>>(payload) else { return Ok(()) };
                let Some(amount) = amount(&read.amount) else { return Ok(()) };
                let (id, currency) = (&read.purchase_id, &read.currency);
                let row = PurchaseRow::new(row, "refund", id, "", amount, currency, None, None, false);
                self.purchases.write(&row).await
            }
            "task_result" => {
                let Ok(read) = serde_json::from_str::<TaskResult<'_>>(payload) else { return Ok(()) };
                let (course, lesson) = (text(read.course_id.as_ref()), text(read.lesson_id.as_ref()));
                let TaskResult { is_correct, score, attempt, duration_ms, hints_used, .. } = read;
                let row = TaskResultRow::new(
                    row,
                    &read.task_id,
                    course,
                    lesson,
                    is_correct,
                    score,
                    attempt,
                    duration_ms,
                    hints_used,
                );
                self.task_results.write(&row).await
            }
            "session" => {
                let Ok(read) = serde_json::from_str::<Session<'_>>(payload) else { return Ok(()) };
                let Some(started) = millis(&read.started_at) else { return Ok(()) };
                let ended = read.ended_at.as_deref().and_then(millis);
                let (device, os, referrer) =
                    (text(read.device.as_ref()), text(read.os.as_ref()), text(read.referrer.as_ref()));
                self.sessions.write(&SessionRow::new(row, started, ended, device, os, referrer)).await
            }
            "ab_test_assignment" => {
                let Ok(read) = serde_json::from_str::<Assignment<'_>>(payload) else { return Ok(()) };
                self.assignments.write(&AssignmentRow::new(row, &read.experiment_id, &read.variant)).await
            }
            _ => self.events.write(&EventRow::new(row, payload)).await,
        }
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    event_id: Uuid,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    session_id: Option<Cow<'a, str>>,
    platform: Option<Cow<'a, str>>,
    app_version: Option<Cow<'a, str>>,
    country: Option<Cow<'a, str>>,
    properties: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Purchase<'a> {
    #[serde(borrow)]
    purchase_id: Cow<'a, str>,
    #[serde(borrow)]
    plan: Cow<'a, str>,
    #[serde(borrow)]
    amount: Cow<'a, str>,
    #[serde(borrow)]
    currency: Cow<'a, str>,
    #[serde(borrow)]
    period_start: Cow<'a, str>,
    #[serde(borrow)]
    period_end: Cow<'a, str>,
    is_trial: Option<bool>,
}

#[derive(Deserialize)]
struct Refund<'a> {
    #[serde(borrow)]
    purchase_id: Cow<'a, str>,
    #[serde(borrow)]
    amount: Cow<'a, str>,
    #[serde(borrow)]
    currency: Cow<'a, str>,
}

#[derive(Deserialize)]
struct TaskResult<'a> {
    #[serde(borrow)]
    task_id: Cow<'a, str>,
    is_correct: bool,
    course_id: Option<Cow<'a, str>>,
    lesson_id: Option<Cow<'a, str>>,
    score: Option<f64>,
    attempt: Option<u16>,
    duration_ms: Option<u32>,
    hints_used: Option<u16>,
}

#[derive(Deserialize)]
struct Session<'a> {
    #[serde(borrow)]
    started_at: Cow<'a, str>,
    ended_at: Option<Cow<'a, str>>,
    device: Option<Cow<'a, str>>,
    os: Option<Cow<'a, str>>,
    referrer: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Assignment<'a> {
    #[serde(borrow)]
    experiment_id: Cow<'a, str>,
    #[serde(borrow)]
    variant: Cow<'a, str>,
}

fn text<'a>(value: Option<&'a Cow<'_, str>>) -> &'a str {
    value.map_or("", |text| &**text)
}

/// Milliseconds since 1970.
fn millis(text: &str) -> Option<i64> {
    Some(text.parse::<Timestamp>().ok()?.as_millisecond())
}

/// Days since 1970.
fn days(text: &str) -> Result<u16, Box<dyn Error>> {
    let days = text.parse::<Date>()?.since(Date::constant(1970, 1, 1))?.get_days();
    Ok(days.try_into()?)
}

/// An amount in ten-thousandths.
fn amount(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = (fraction.len() <= 4).then(|| format!("{whole}{fraction:0<4}"))?;
    digits.parse().ok()
}

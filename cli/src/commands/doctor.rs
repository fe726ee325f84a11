//! `doctor`: whether all is well, a line a check, each with its fix.

mod marts;

use std::fmt::Write as _;

use ch_sink::{Inspection, LoadedDay, Need, TablesError, Warehouse};
use event_schema::generate::TABLES_VERSION;
use event_schema::value::Date;
use serde::Serialize;

use super::loads::gaps;
use super::{Talk, connect, runtime, today};
use crate::args::{self, OnlyCheck};
use crate::failure::{Code, Failure, Outcome};

/// A disk with a smaller share of room left is nearly full.
const LEAST_FREE_SHARE: f64 = 0.05;

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// What was found.
    message: String,
    /// What to do about it; `None` where nothing is wrong, or the message says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, message: impl Into<String>) -> Check {
        Check { name, ok: true, message: message.into(), fix: None }
    }

    fn failed(name: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Check {
        Check { name, ok: false, message: message.into(), fix: Some(fix.into()) }
    }

    /// What could not be looked at.
    fn error(name: &'static str, error: impl Into<Failure>) -> Check {
        Check { name, ok: false, message: error.into().to_string(), fix: None }
    }
}

/// All checks. Serialises to the JSON of `schoolbell doctor`.
#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Check>,
}

pub(crate) fn run(args: &args::Doctor, talk: Talk) -> Outcome {
    let checks = runtime()?.block_on(async {
        match args.only {
            None => Ok(look(&args.connection).await),
            Some(OnlyCheck::Marts) => look_at_marts(&args.connection).await.map(|check| vec![check]),
        }
    })?;
    let failed = checks.iter().filter(|check| !check.ok).count();
    let report = Report { ok: failed == 0, checks };
    talk.output.print(&report, as_text)?;
    if failed == 0 {
        return Ok(());
    }
    let of = report.checks.len();
    Err(Failure::new(Code::BadData, format_args!("{failed} of {of} checks failed")))
}

/// What cannot be looked at is no failed check here: whoever asks for one check acts by it.
async fn look_at_marts(connection: &args::Connection) -> Result<Check, Failure> {
    let warehouse = connect(connection, Need::Loads).await?;
    let loads = warehouse.loaded_days(None, None).await?;
    marts::look_at(&warehouse, &loads).await
}

async fn look(connection: &args::Connection) -> Vec<Check> {
    let reached = async {
        let warehouse = connect(connection, Need::Inspect).await?;
        let inspection = warehouse.inspect().await?;
        Ok::<_, Failure>((warehouse, inspection))
    };
    let (warehouse, inspection) = match reached.await {
        Ok(reached) => reached,
        // Nothing else can be looked at.
        Err(failure) => return vec![Check::error("server", failure)],
    };
    let mut checks = vec![
        server(connection, &inspection),
        grants(&warehouse).await,
        tables(&inspection, &warehouse.databases().raw()),
    ];
    if !checks.iter().all(|check| check.ok || check.name == "grants") {
        return checks;
    }
    match warehouse.loaded_days(None, None).await {
        Ok(loads) => {
            checks.push(dates(&loads, today()));
            checks.push(marts::check(&warehouse, &loads).await);
        }
        Err(error) => checks.push(Check::error("dates", error)),
    }
    checks.push(staged(&warehouse).await);
    checks.push(sweep(&warehouse).await);
    checks.push(disk(&warehouse).await);
    checks
}

fn server(connection: &args::Connection, inspection: &Inspection) -> Check {
    const NAME: &str = "server";
    match inspection.check_server(&connection.url) {
        Ok(()) => Check::ok(
            NAME,
            format!(
                "ClickHouse {} at {} lets {} in",
                inspection.server_version, connection.url, connection.user
            ),
        ),
        Err(error) => Check::failed(NAME, error.to_string(), "upgrade ClickHouse"),
    }
}

/// Whether the user may load days and have what they replace removed.
async fn grants(warehouse: &Warehouse) -> Check {
    const NAME: &str = "grants";
    let needed = [warehouse.grants_for(Need::Load), warehouse.grants_for_sweeps()].concat();
    match warehouse.missing_grants(&needed).await {
        Ok(missing) if missing.is_empty() => {
            Check::ok(NAME, "the user may load days and remove what they replace")
        }
        Ok(missing) => {
            let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
            let found = format!("the user lacks {}", missing.join(", "));
            Check::failed(NAME, found, "have them granted: docs/grants.md")
        }
        Err(error) => Check::error(NAME, error),
    }
}

/// Whether the tables are Schoolbell's, and of this version.
fn tables(inspection: &Inspection, raw: &str) -> Check {
    const NAME: &str = "tables";
    let Err(error) = inspection.check(raw) else {
        let count = inspection.objects.len();
        return Check::ok(
            NAME,
            format!("the {count} tables and views of {raw} are of version {TABLES_VERSION}"),
        );
    };
    let fix = match error {
        TablesError::NotMade { .. } | TablesError::Behind { .. } => "schoolbell init",
        TablesError::Newer { .. } => "the newer schoolbell",
        _ => "other databases: --database-prefix",
    };
    Check::failed(NAME, error.to_string(), fix)
}

/// Whether dates are missing between those that are loaded, or are yet to come.
fn dates(loads: &[LoadedDay], today: Result<Date, Failure>) -> Check {
    const NAME: &str = "dates";
    let (Some(first), Some(last)) = (loads.first(), loads.last()) else {
        return Check::failed(NAME, "no day is loaded", "schoolbell load --batch-date YYYY-MM-DD SOURCE");
    };
    let tomorrow = match today {
        Ok(today) => today.plus_days(1),
        Err(failure) => return Check::error(NAME, failure),
    };
    let last = last.batch_date;
    if tomorrow.is_some_and(|tomorrow| tomorrow < last) {
        let found = format!("{last} is loaded, and yet to come; the marts end there");
        return Check::failed(NAME, found, format!("schoolbell unload --batch-date {last}"));
    }
    let gaps = gaps(loads, None, None);
    if gaps.is_empty() {
        let found = format!("{} in a row from {} to {last}", count(loads.len(), "day"), first.batch_date);
        return Check::ok(NAME, found);
    }
    let gaps: Vec<String> = gaps.iter().map(ToString::to_string).collect();
    Check::failed(
        NAME,
        format!("missing: {}", gaps.join(", ")),
        "load these days; a day without events by --allow-empty",
    )
}

/// Whether staged loads wait for a commit.
async fn staged(warehouse: &Warehouse) -> Check {
    const NAME: &str = "staged loads";
    let waiting = match warehouse.waiting_loads().await {
        Ok(waiting) => waiting,
        Err(error) => return Check::error(NAME, error),
    };
    let Some(first) = waiting.first() else { return Check::ok(NAME, "none waits for a commit") };
    let found: Vec<String> = waiting
        .iter()
        .map(|day| format!("{} of {} since {}", count(day.load_ids.len(), "load"), day.batch_date, day.since))
        .collect();
    Check::failed(
        NAME,
        format!("wait for a commit: {}", found.join(", ")),
        format!(
            "schoolbell load --batch-date {} --commit; or leave them: they are removed after a week",
            first.batch_date
        ),
    )
}

/// Whether rows are there that nobody reads.
async fn sweep(warehouse: &Warehouse) -> Check {
    const NAME: &str = "sweep";
    let leftover = match ch_sink::leftover_loads(warehouse).await {
        Ok(leftover) => leftover,
        Err(error) => return Check::error(NAME, error),
    };
    if leftover.superseded + leftover.abandoned == 0 {
        return Check::ok(NAME, "nothing is left of former loads");
    }
    Check::failed(
        NAME,
        format!(
            "rows of {} replaced and {} abandoned loads are still there",
            leftover.superseded, leftover.abandoned
        ),
        "the next load removes them; if they stay, a query runs for hours, or the loader may not read \
         system.processes and system.parts",
    )
}

/// Whether the server's disks have room.
async fn disk(warehouse: &Warehouse) -> Check {
    const NAME: &str = "disk";
    let disks = match warehouse.disks().await {
        Ok(disks) => disks,
        Err(error) => return Check::error(NAME, error),
    };
    let share = |disk: &ch_sink::Disk| disk.free_bytes as f64 / disk.total_bytes.max(1) as f64;
    let found: Vec<String> = disks
        .iter()
        .map(|disk| {
            let (free, total) = (gib(disk.free_bytes), gib(disk.total_bytes));
            format!("{free:.1} of {total:.1} GiB free on {} ({:.0} %)", disk.name, 100.0 * share(disk))
        })
        .collect();
    let found = found.join(", ");
    if disks.iter().any(|disk| share(disk) < LEAST_FREE_SHARE) {
        return Check::failed(NAME, found, "give the server a larger disk, or remove what else is on it");
    }
    Check::ok(NAME, if found.is_empty() { "the server has no disk of its own".to_owned() } else { found })
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// `1 day`, `2 days`.
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn as_text(report: &Report) -> String {
    let width = report.checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for Check { name, ok, message, fix } in &report.checks {
        let mark = if *ok { "ok  " } else { "FAIL" };
        writeln!(text, "{mark}  {name:<width$}  {message}").expect("writing to a string");
        if let Some(fix) = fix {
            writeln!(text, "      {:<width$}  fix: {fix}", "").expect("writing to a string");
        }
    }
    text
}

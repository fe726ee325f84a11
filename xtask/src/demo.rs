//! `demo`: the whole product on this machine, from generated day files to the numbers.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use local_clickhouse::{Server, service};

use crate::run::{output, run as run_program};
use crate::tools::python::DBT;
use crate::{dbt, repo, tools};

pub(crate) const DOES: &str =
    "the whole product: a local ClickHouse, generated weeks, load, dbt, the numbers and charts";

/// Enough for a full 30-day window and some days after it.
const DAYS: &str = "45";
const USERS: &str = "2000";

/// The last days, as a user would ask for them.
const LAST_DAYS: &str = "
    SELECT activity_date, dau, wau, mau, round(dau_mau, 3) AS dau_mau, new_users, returning_users,
           resurrected_users, dormant_users
    FROM (
        SELECT * FROM marts.fct_activity_daily WHERE segment = 'overall' ORDER BY activity_date DESC LIMIT 14
    )
    ORDER BY activity_date
    FORMAT PrettyCompactMonoBlock";

pub(crate) fn run(_: &[String]) -> Result<()> {
    eprintln!(
        "The whole product on this machine. The first run installs tools and compiles, which takes some minutes."
    );
    step("tools: ClickHouse and dbt", || {
        tools::engine::ensure()?;
        DBT.ensure().map(drop)
    })?;
    let schoolbell = step("build schoolbell", repo::schoolbell)?;
    // A fresh folder each time: what an earlier demo left is of no use to this one.
    let folder = repo::target_dir()?.join("demo");
    // Someone may be looking at the last one's tables still.
    service::stop(&folder.join("warehouse"))?;
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    let server = step("start a local ClickHouse", || {
        Ok(Server::builder().data_dir(folder.join("warehouse")).host_executable(&schoolbell).start()?)
    })?;
    let days = folder.join("days");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&schoolbell);
        command.arg("--quiet").args(arguments);
        output(connect(&mut command, &server), "run `cargo xtask demo` again")
    };
    let out = days.to_str().context("the target folder's name is UTF-8")?;
    step(&format!("generate {DAYS} days of {USERS} users"), || {
        run(&["generate", "--out", out, "--days", DAYS, "--users", USERS]).map(drop)
    })?;
    step("load them, a day at a time", || {
        run(&["init"])?;
        for (date, file) in day_files(&days)? {
            run(&["load", "--batch-date", &date, &file])?;
        }
        Ok(())
    })?;
    step("dbt build: staging, intermediate tables, marts, and their tests", || {
        let mut command = dbt::command()?;
        command.args(["build", "--quiet", "--target-path"]).arg(folder.join("dbt"));
        command.arg("--log-path").arg(folder.join("dbt"));
        run_program(connect(&mut command, &server), "run `cargo xtask setup`")
    })?;
    let page = folder.join("report.html");
    step("report: one HTML file with the charts", || {
        run(&["report", "--out", page.to_str().context("the target folder's name is UTF-8")?]).map(drop)
    })?;
    let table = server.query(LAST_DAYS)?;
    server.stop()?;
    report(&table, &folder)
}

fn report(table: &str, folder: &Path) -> Result<()> {
    let warehouse = folder.join("warehouse");
    let mut stdout = std::io::stdout().lock();
    write!(
        stdout,
        "\nDaily, weekly and monthly active users, computed by dbt from the day files:\n\n{table}\n\
         Where to look next:\n\
         \x20 the charts           {page}\n\
         \x20 the day files        {days}\n\
         \x20 ask ClickHouse       cargo xtask warehouse start --data {warehouse}\n\
         \x20                      curl http://127.0.0.1:8123 -d 'SELECT * FROM marts.fct_activity_daily LIMIT 5'\n\
         \x20                      cargo xtask warehouse stop --data {warehouse}\n\
         \x20 rejected lines       SELECT reason, count() FROM raw.rejected_events GROUP BY reason\n\
         \x20 loads                SELECT * FROM raw.loads\n\
         \x20 your own day file    README.md, \"Load your own events\"\n",
        page = folder.join("report.html").display(),
        days = folder.join("days").display(),
        warehouse = warehouse.display(),
    )?;
    Ok(())
}

/// Dates and paths of the generated day files, in order.
fn day_files(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path().into_os_string().into_string().ok().context("day files have UTF-8 names")?;
        if let Some(stem) = path.strip_suffix(".jsonl") {
            let date = stem.rsplit(std::path::MAIN_SEPARATOR).next().context("a path has a last part")?;
            files.push((date.to_owned(), path.clone()));
        }
    }
    files.sort();
    Ok(files)
}

fn connect<'a>(command: &'a mut Command, server: &Server) -> &'a mut Command {
    command
        .env("CLICKHOUSE_URL", server.url())
        .env("CLICKHOUSE_USER", "default")
        .env("CLICKHOUSE_PASSWORD", "")
        .env("SCHOOLBELL_DATABASE_PREFIX", "")
}

/// Runs a part of the demo and says how long it took.
fn step<T>(name: &str, run: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("-- {name}");
    let begun = Instant::now();
    let done = run().with_context(|| name.to_owned())?;
    eprintln!("   {:.1} s", begun.elapsed().as_secs_f64());
    Ok(done)
}

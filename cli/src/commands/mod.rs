//! One module a command.

mod days;
mod doctor;
mod generate;
mod init;
mod load;
mod loads;
mod mapping;
mod metrics;
mod rejects;
mod report;
mod unload;
mod validate;
mod warehouse;

use std::time::Duration;

use ch_sink::{ConnectOptions, Need, Retry, Secret, Warehouse, WarehouseError, WireCompression};
use clap::CommandFactory;
use event_schema::value::{Date, Timestamp, visible};
use event_source::Resolved;

use crate::args::{self, Args, Command, Connection, Reading};
use crate::environment;
use crate::failure::{Code, Failure, Outcome};
use crate::logging::{self, warn};

/// Runs the command that was asked for.
pub(crate) fn run(args: Args) -> Outcome {
    logging::start(args.verbose, args.quiet, args.log_format)?;
    let talk = Talk { output: args.output, quiet: args.quiet, verbose: args.verbose > 0 };
    match args.command {
        Command::Init(init) => init::run(&init, talk),
        Command::Validate(validate) => validate::run(&validate, talk),
        Command::Load(load) => load::run(&load, talk),
        Command::Unload(unload) => unload::run(&unload, talk),
        Command::Loads(loads) => loads::run(&loads, talk),
        Command::Doctor(doctor) => doctor::run(&doctor, talk),
        Command::Rejects(rejects) => rejects::run(&rejects, talk),
        Command::Mapping(mapping) => mapping::run(&mapping, talk),
        Command::Generate(generate) => generate::run(&generate, talk),
        Command::Metrics(metrics) => metrics::run(&metrics, talk),
        Command::Report(report) => report::run(&report, talk),
        Command::Warehouse(warehouse) => warehouse::run(&warehouse, talk),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "schoolbell", &mut script);
            crate::output::print(&script)
        }
    }
}

/// How a command prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk {
    pub(crate) output: crate::output::Output,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

impl Talk {}

/// The password's variable; there is no flag for it, since arguments can be seen by every user of a machine.
const PASSWORD_ENV: &str = "CLICKHOUSE_PASSWORD";

/// Connects to the warehouse that flags and environment name, for what the command is going to do there.
async fn connect(connection: &Connection, need: Need) -> Result<Warehouse, Failure> {
    let password = environment::variable(PASSWORD_ENV)?.unwrap_or_default();
    let wire_compression = match connection.wire_compression {
        None => WireCompression::for_url(&connection.url),
        Some(args::WireCompression::None) => WireCompression::None,
        Some(args::WireCompression::Lz4) => WireCompression::Lz4,
        Some(args::WireCompression::Zstd) => WireCompression::Zstd,
    };
    let options = ConnectOptions::new(&connection.url)
        .with_user(&connection.user, Secret::new(password))
        .with_databases(connection.names.database_prefix.clone())
        .with_cluster(connection.cluster.clone())
        .with_retry(Retry::for_at_most(Duration::from_secs(connection.retry_seconds)))
        .with_wire_compression(wire_compression);
    Ok(Warehouse::connect(options, need).await?)
}

/// The failure to read what dbt builds: where it is not there, it is to be built.
fn unread(error: WarehouseError) -> Failure {
    match &error {
        WarehouseError::Refused { doing, .. } if error.is_about_tables() => Failure::new(
            error.class().into(),
            format_args!("cannot {doing}: it is not there yet; {BUILD_MARTS}"),
        ),
        _ => error.into(),
    }
}

/// What makes the marts.
const BUILD_MARTS: &str = "build the marts after a load, with `dbt build --project-dir dbt --profiles-dir dbt`, and check \
                           the database prefix";

/// Refuses an empty range of dates.
fn check_dates(from: Option<Date>, to: Option<Date>) -> Outcome {
    match (from, to) {
        (Some(from), Some(to)) if from > to => Err(Failure::new(
            Code::Usage,
            format_args!("--from {from} is after --to {to}: no date is from the one to the other"),
        )),
        _ => Ok(()),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::Temporary, format_args!("cannot start threads: {error}")))
}

/// How sources are read.
fn source_options(reading: &Reading) -> event_source::Options {
    let options = event_source::Options::default()
        .with_jobs(reading.jobs.into())
        .with_retry_timeout(Duration::from_secs(reading.source_timeout.into()));
    match &reading.spool {
        Some(folder) => options.with_spool(folder),
        None => options,
    }
}

/// The sources that were named; says what is left out of a folder or prefix.
fn resolve(names: &[String], reading: &Reading, talk: Talk) -> Result<Resolved, Failure> {
    let resolved = event_source::resolve(names, &source_options(reading))?;
    let left_out = &resolved.left_out;
    if let [first, ..] = left_out.as_slice() {
        let which = if talk.verbose { "" } else { ", such as this one (all of them: -v)" };
        let shown = if talk.verbose { left_out.as_slice() } else { std::slice::from_ref(first) };
        let lines: Vec<String> = shown.iter().map(|other| visible(&other.to_string())).collect();
        warn(format_args!(
            "{} of the files there are left out{which}; name them if they are meant:\n  {}",
            left_out.len(),
            lines.join("\n  ")
        ));
    }
    Ok(resolved)
}

/// Removes what was downloaded. Failing to do so is a warning only.
fn remove_spooled(resolved: &Resolved) {
    if let Err(error) = resolved.remove_spooled() {
        warn(format_args!("{error}; what was downloaded is still there"));
    }
}

/// Today, in UTC.
fn today() -> Result<Date, Failure> {
    let now =
        Timestamp::now().map_err(|error| Failure::new(Code::Defect, format!("the system clock: {error}")))?;
    let days = u16::try_from(now.millis() / 86_400_000).expect("a timestamp's day is before 2149");
    Ok(Date::from_days(days))
}

//! The command line.

mod generate;
mod local_warehouse;
mod mapping;
mod warehouse_state;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use event_schema::Reason;
use event_schema::generate::{Cluster, ClusterError, Databases, PrefixError};
use event_schema::value::Date;
use uuid::Uuid;

use crate::logging::LogFormat;
use crate::output::Output;
pub(crate) use generate::{Compress, Generate};
pub(crate) use local_warehouse::{DataFolder, Warehouse};
pub(crate) use mapping::{Mapped, Mapping, Try};
pub(crate) use warehouse_state::{Doctor, Loads, OnlyCheck, Unload};

/// Daily analytics for EdTech products: raw events in, numbers out.
///
/// Results go to stdout, progress and diagnostics to stderr. Exit codes: 0 done, 2 usage, 65 bad data, 66 a source is not there,
/// 70 a defect of schoolbell, 75 temporary (try again), 77 access denied.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    pub(crate) output: Output,
    /// Log more on stderr: -v what is done, step by step, -vv each block, request and attempt. The variable
    /// `SCHOOLBELL_LOG` chooses by crate: `ch_sink=debug,event_source=info`
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// How the log is written
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,
    /// Say nothing on stderr but errors; draw no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make or upgrade the `raw` tables
    Init(Init),
    /// Check day files without loading them
    Validate(Validate),
    /// Load a day: afterwards the warehouse holds exactly these sources for that date
    Load(Load),
    /// Take a day back: readers no longer see it, and the marts lose it with the next build
    Unload(Unload),
    /// What is loaded
    #[command(subcommand)]
    Loads(Loads),
    /// Whether all is well, and what to do where it is not; exits with 65 then
    Doctor(Doctor),
    /// A day's rejected lines: list them, export them, and take them back when they are mended
    #[command(subcommand)]
    Rejects(Rejects),
    /// Mappings: how lines of other shapes become events
    #[command(subcommand)]
    Mapping(Mapping),
    /// Write realistic day files, for trying out and for tests
    Generate(Generate),
    /// What is measured, how, and the figures
    #[command(subcommand)]
    Metrics(Metrics),
    /// Write one HTML file with the charts of the marts
    Report(Report),
    /// Run a local ClickHouse on loopback, for trying out and for tests
    #[command(subcommand)]
    Warehouse(Warehouse),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// How to reach ClickHouse. The password comes from the variable `CLICKHOUSE_PASSWORD` only.
#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// ClickHouse's HTTP address
    #[arg(long, env = "CLICKHOUSE_URL", default_value = "http://127.0.0.1:8123", hide_env_values = true)]
    pub(crate) url: String,
    /// The user to log in as
    #[arg(long, env = "CLICKHOUSE_USER", default_value = "default", hide_env_values = true)]
    pub(crate) user: String,
    #[command(flatten)]
    pub(crate) names: Names,
    /// Spread the tables over the servers of this cluster
    #[arg(long, env = "SCHOOLBELL_CLUSTER", hide_env_values = true, value_parser = cluster, value_name = "NAME")]
    pub(crate) cluster: Option<Cluster>,
    /// How long to try again when ClickHouse is out of reach
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    pub(crate) retry_seconds: u64,
    /// How rows are compressed on their way [default: none to this machine, lz4 to others]
    #[arg(long, value_name = "METHOD")]
    pub(crate) wire_compression: Option<WireCompression>,
}

/// How rows are compressed on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum WireCompression {
    /// Not at all
    None,
    /// About a third of the bytes, for little CPU time
    Lz4,
    /// Fewer bytes, for more: for slow networks
    Zstd,
}

/// The names of the databases.
#[derive(Debug, clap::Args)]
pub(crate) struct Names {
    /// What stands before the names of the databases `raw`, `staging` and `marts`
    #[arg(
        long,
        env = "SCHOOLBELL_DATABASE_PREFIX",
        default_value = "",
        hide_default_value = true,
        value_parser = databases,
        value_name = "PREFIX"
    )]
    pub(crate) database_prefix: Databases,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// Print the DDL instead of running it
    #[arg(long)]
    pub(crate) print: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// What is too much of a bad thing.
#[derive(Debug, clap::Args)]
pub(crate) struct Limits {
    /// The largest share of rejected lines, of those that are not blank
    #[arg(long, default_value_t = 0.01, value_parser = share, value_name = "SHARE")]
    pub(crate) max_reject_ratio: f64,
    /// The most bytes of a line, up to 64 MiB
    #[arg(
        long,
        default_value_t = 1 << 20,
        value_parser = clap::value_parser!(u32).range(1..=1 << 26),
        value_name = "BYTES"
    )]
    pub(crate) max_line_bytes: u32,
    /// Accept a day without any valid event
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// Accept a date later than tomorrow, and events of which none is of the date or a day beside it
    #[arg(long)]
    pub(crate) allow_misdated: bool,
}

/// How sources are read.
#[derive(Debug, clap::Args)]
pub(crate) struct Reading {
    /// Download objects into this folder first, as a whole, and go on there where an earlier run broke off
    #[arg(long, value_name = "DIR")]
    pub(crate) spool: Option<PathBuf>,
    /// How many pieces of objects, of 8 MiB each, are downloaded at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N")]
    pub(crate) jobs: u16,
    /// How long a store that fails, throttles or is silent is tried again
    #[arg(
        long,
        default_value_t = 120,
        value_parser = clap::value_parser!(u32).range(0..=86_400),
        value_name = "SECONDS"
    )]
    pub(crate) source_timeout: u32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Validate {
    /// Paths, folders, globs, - for standard input, or URLs (s3://, gs://, az://, file://) of objects or prefixes,
    /// or globs in them; .gz and .zst are unpacked
    #[arg(required = true, value_name = "SOURCE")]
    pub(crate) sources: Vec<String>,
    /// The date of the day file [default: the one in the file's name, else today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) batch_date: Option<Date>,
    /// How many examples of each reason to show
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub(crate) examples: u64,
    #[command(flatten)]
    pub(crate) mapped: Mapped,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Load {
    /// The date of the day file [default: the one in each source's name: as many days as there are, one after another]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) batch_date: Option<Date>,
    /// Without --batch-date: the first date that is loaded
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "batch_date")]
    pub(crate) from: Option<Date>,
    /// Without --batch-date: the last date that is loaded
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "batch_date")]
    pub(crate) to: Option<Date>,
    /// A day's sources, all of them: paths, folders, globs, - for standard input, or URLs (s3://, gs://, az://,
    /// file://) of objects or prefixes, or globs in them; .gz and .zst are unpacked. With
    /// --commit: the loads that make up the day, by their ids [default: all that are staged]
    #[arg(required_unless_present = "commit", value_name = "SOURCE")]
    pub(crate) sources: Vec<String>,
    /// Store the rows and leave it to --commit to show them: for many loads of a day's parts, on many machines
    #[arg(long, conflicts_with = "commit")]
    pub(crate) stage: bool,
    /// Make staged loads the day, all at once
    #[arg(long, requires = "batch_date")]
    pub(crate) commit: bool,
    /// Load even where the same sources are committed for that date already
    #[arg(long)]
    pub(crate) force: bool,
    /// The memory that the load may take; the more, the larger the blocks that the warehouse is given
    #[arg(
        long,
        default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(64..=4096),
        value_name = "MIB"
    )]
    pub(crate) memory: u32,
    #[command(flatten)]
    pub(crate) mapped: Mapped,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) limits: Limits,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rejects {
    /// Count rejected lines by reason and field, and show the first ones
    List {
        #[command(flatten)]
        of: RejectsOf,
        /// How many lines to show
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: usize,
        #[command(flatten)]
        filter: RejectFilter,
        #[command(flatten)]
        connection: Connection,
    },
    /// Write the rejected lines as they came, byte for byte, one a line; of lines that were too long the first 64 KiB
    Export {
        #[command(flatten)]
        of: RejectsOf,
        /// The file to write, for an edit and `rejects replay --from`; FILE.origins says where each line came from
        /// [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        filter: RejectFilter,
        #[command(flatten)]
        connection: Connection,
    },
    /// Parse a day's rejected lines again, after the contract or the lines were mended; those that are accepted join
    /// the day
    Replay(Replay),
}

/// Whose rejected lines.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct RejectsOf {
    /// Those of this day, as it is committed
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) batch_date: Option<Date>,
    /// Those of this load, also if it failed
    #[arg(long, value_name = "LOAD_ID")]
    pub(crate) load: Option<Uuid>,
}

/// Which of them.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RejectFilter {
    /// Only those rejected for this reason
    #[arg(long, value_parser = PossibleValuesParser::new(Reason::ALL.map(Reason::as_str)))]
    pub(crate) reason: Option<String>,
    /// Only those rejected for this field, like properties.amount; '' for lines as a whole
    #[arg(long)]
    pub(crate) field: Option<String>,
    /// Only those of this source, as it was named
    #[arg(long)]
    pub(crate) source: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    /// The date of the day file
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) batch_date: Date,
    /// Lines to parse in the place of those that were rejected: an edited export, each line in its place; an empty
    /// line leaves its one rejected
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// The most bytes of a line, up to 64 MiB
    #[arg(
        long,
        default_value_t = 1 << 20,
        value_parser = clap::value_parser!(u32).range(1..=1 << 26),
        value_name = "BYTES"
    )]
    pub(crate) max_line_bytes: u32,
    #[command(flatten)]
    pub(crate) mapped: Mapped,
    #[command(flatten)]
    pub(crate) filter: RejectFilter,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Metrics {
    /// List every metric: name, mart and meaning
    List {
        #[command(flatten)]
        custom: Custom,
    },
    /// Show a metric's definition: meaning, unit, what it can be read by
    Show {
        /// The metric, or MART.METRIC
        #[arg(value_name = "METRIC")]
        name: String,
        #[command(flatten)]
        custom: Custom,
    },
    /// Print the SQL that reads a metric, or that makes a model such as `fct_activity_daily`
    Sql {
        /// The metric, MART.METRIC, or a model of dbt
        #[arg(value_name = "METRIC|MODEL")]
        name: String,
        #[command(flatten)]
        slice: Slice,
        #[command(flatten)]
        custom: Custom,
        #[command(flatten)]
        reporting: Reporting,
        #[command(flatten)]
        names: Names,
    },
    /// Print a metric's figures, as dbt has last built them
    Query {
        /// The metric, or MART.METRIC
        #[arg(value_name = "METRIC")]
        name: String,
        #[command(flatten)]
        slice: Slice,
        #[command(flatten)]
        custom: Custom,
        /// How the figures are printed [default: that of --output]
        #[arg(long, value_enum, value_name = "FORMAT")]
        format: Option<Figures>,
        #[command(flatten)]
        connection: Connection,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    /// The file to write [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The first date shown
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<Date>,
    /// The last date shown
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: Option<Date>,
    #[command(flatten)]
    pub(crate) custom: Custom,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Metrics beyond Schoolbell's own.
#[derive(Debug, clap::Args)]
pub(crate) struct Custom {
    /// A file with definitions of your own, such as dbt/metrics.toml
    #[arg(long, env = "SCHOOLBELL_METRICS", value_name = "FILE")]
    pub(crate) definitions: Option<PathBuf>,
}

/// Which rows of a metric.
#[derive(Debug, clap::Args)]
pub(crate) struct Slice {
    /// The first date
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<Date>,
    /// The last date
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: Option<Date>,
    /// A segment (platform, country, …) or a period (day, week, month); `metrics show` tells which there are
    #[arg(long, value_delimiter = ',', value_name = "SEGMENT|PERIOD")]
    pub(crate) by: Vec<String>,
}

/// The options of the marts; those of dbt's vars.
#[derive(Debug, clap::Args)]
pub(crate) struct Reporting {
    /// The zone whose days, weeks and months are counted
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    pub(crate) reporting_timezone: String,
    /// The currency of money
    #[arg(long, default_value = "USD", value_name = "CODE")]
    pub(crate) reporting_currency: String,
    /// The last date that counts [default: the latest batch date loaded]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of_date: Option<Date>,
}

/// How figures are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Figures {
    /// A table for people
    Table,
    /// Comma-separated values with a header
    Csv,
    /// One JSON document
    Json,
}

fn databases(prefix: &str) -> Result<Databases, PrefixError> {
    Databases::with_prefix(prefix)
}

fn cluster(name: &str) -> Result<Cluster, ClusterError> {
    Cluster::new(name)
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a share from 0 to 1, like 0.01".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        super::Args::command().debug_assert();
    }
}

//! What looks at what is loaded, and takes it back.

use clap::Subcommand;
use event_schema::value::Date;

use super::Connection;

#[derive(Debug, clap::Args)]
pub(crate) struct Unload {
    /// The date to take back
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) batch_date: Date,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Loads {
    /// A line a date: rows by table, rejected lines, sources, when it was loaded; and the dates between that are missing
    List {
        /// The first date
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Option<Date>,
        /// The last date
        #[arg(long, value_name = "YYYY-MM-DD")]
        to: Option<Date>,
        #[command(flatten)]
        connection: Connection,
    },
}

/// A check that can be asked for alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OnlyCheck {
    /// Whether the marts were built, to the end, from what is loaded now: a build would have nothing to do
    Marts,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// Look at this alone
    #[arg(long, value_enum, value_name = "CHECK")]
    pub(crate) only: Option<OnlyCheck>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

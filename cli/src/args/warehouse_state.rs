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

#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) connection: Connection,
}

//! The arguments of `warehouse`: a local ClickHouse.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Warehouse {
    /// Start it in the background; returns when it answers
    Start {
        #[command(flatten)]
        data: DataFolder,
        /// The port of the HTTP protocol; 0 is any free one
        #[arg(long, default_value_t = 8123, value_name = "N")]
        http_port: u16,
        /// The port of the native protocol; 0 is any free one
        #[arg(long, default_value_t = 9000, value_name = "N")]
        tcp_port: u16,
    },
    /// Stop it in good order; what it holds stays. Without --data also the one that was started elsewhere
    Stop {
        #[command(flatten)]
        data: DataFolder,
    },
    /// Say whether it runs, and where; exits with 66 where none runs
    Status {
        #[command(flatten)]
        data: DataFolder,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct DataFolder {
    /// The folder that keeps the tables, from the working directory; made if need be [default: schoolbell-warehouse]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

impl DataFolder {
    /// The folder that is meant.
    pub(crate) fn path(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| PathBuf::from("schoolbell-warehouse"))
    }
}

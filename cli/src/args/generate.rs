//! `generate`.

use std::path::PathBuf;

use clap::ValueEnum;
use event_schema::value::Date;

use super::share;

#[derive(Debug, clap::Args)]
pub(crate) struct Generate {
    /// The folder to write into; made if need be
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The first day [default: so that the last day is yesterday]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) start: Option<Date>,
    /// How many days
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub(crate) days: u32,
    /// How many users the product has gathered before the first day
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..), value_name = "N")]
    pub(crate) users: u64,
    /// Another seed makes another world
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// The share of lines that break the contract
    #[arg(long, default_value_t = 0.002, value_parser = share, value_name = "SHARE")]
    pub(crate) reject_share: f64,
    /// Compress the files
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) compress: Option<Compress>,
    /// Replace files that are there
    #[arg(long)]
    pub(crate) force: bool,
    /// How many files to write a day
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) parts: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Compress {
    /// gzip
    Gz,
    /// Zstandard
    Zst,
}

//! `--mapping`, and the commands about mappings.

use clap::Subcommand;
use event_schema::value::Date;

use super::Reading;

/// How lines become events.
#[derive(Debug, clap::Args)]
pub(crate) struct Mapped {
    /// Read lines of another shape by this mapping: a built-in one (`mapping list`) or a TOML file
    #[arg(long, env = "SCHOOLBELL_MAPPING", value_name = "NAME|FILE")]
    pub(crate) mapping: Option<String>,
}

/// The commands about mappings.
#[derive(Debug, Subcommand)]
pub(crate) enum Mapping {
    /// The built-in mappings, with what each reads
    List,
    /// Print a mapping's rules as TOML, those of the mappings that it extends included
    Show {
        /// A built-in mapping or a TOML file
        #[arg(value_name = "NAME|FILE")]
        mapping: String,
    },
    /// Print the events that a mapping makes, as lines that `load` takes without a mapping; on stderr what each rule took,
    /// what was dropped and rejected, and what no rule looks at
    Try(Try),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Try {
    /// A built-in mapping or a TOML file
    #[arg(long, env = "SCHOOLBELL_MAPPING", value_name = "NAME|FILE")]
    pub(crate) mapping: String,
    /// Paths, folders, globs, - for standard input, or URLs; .gz and .zst are unpacked
    #[arg(required = true, value_name = "SOURCE")]
    pub(crate) sources: Vec<String>,
    /// The date of the day file [default: the one in the file's name, else today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) batch_date: Option<Date>,
    /// How many examples of each reason to show
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub(crate) examples: u64,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

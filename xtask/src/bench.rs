//! `bench`: how fast Schoolbell is, beside its rivals, in one interleaved run.

mod clickhouse;
mod contestant;
mod machine;
mod parser;

use anyhow::{Context, Result, bail};

pub(crate) const DOES: &str = "measure against rivals in the same run, as a Markdown table";
pub(crate) const ARGUMENTS: &str = "parser [--short] [--write]";

/// How to run a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Options {
    /// Little data and few rounds: to see that it works, not to publish.
    is_short: bool,
    /// Write the result to its page in the docs.
    write: bool,
}

/// Runs a benchmark by its name.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (name, flags) = arguments.split_first().context(format!("usage: cargo xtask bench {ARGUMENTS}"))?;
    let mut options = Options::default();
    for flag in flags {
        match &**flag {
            "--short" => options.is_short = true,
            "--write" => options.write = true,
            _ => bail!("{flag} is not known; usage: cargo xtask bench {ARGUMENTS}"),
        }
    }
    if options == (Options { is_short: true, write: true }) {
        bail!("a short run's numbers are not for the docs: leave out --short or --write");
    }
    match &**name {
        "parser" => parser::run(options),
        _ => bail!("there is no benchmark {name}; usage: cargo xtask bench {ARGUMENTS}"),
    }
}

/// The middle one of some measurements; of two in the middle, the greater.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

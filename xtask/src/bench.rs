//! `bench`: how fast Schoolbell is: beside its rivals and other ways in one interleaved run, and as history grows.

mod clickhouse;
mod contestant;
mod cpu;
mod load;
mod machine;
mod marts;
mod parser;
mod warehouse;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::repo;
use crate::run::{cargo, output};

pub(crate) const DOES: &str = "measure against rivals in the same run, as a Markdown table";
pub(crate) const ARGUMENTS: &str = "parser|load|marts|warehouse [--short] [--write]";

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
        "load" => load::run(options),
        "marts" => marts::run(options),
        "warehouse" => warehouse::run(options),
        _ => bail!("there is no benchmark {name}; usage: cargo xtask bench {ARGUMENTS}"),
    }
}

/// Builds a package's benchmark as users' programs are built, and answers where it is.
fn build(root: &Path, package: &str, bench: &str) -> Result<PathBuf> {
    let arguments = ["bench", "--locked", "--package", package, "--bench", bench, "--no-run"];
    let mut command = cargo();
    command.args(arguments).arg("--message-format=json-render-diagnostics").current_dir(root);
    let messages = output(&mut command, repo::CARGO)?;
    let executable = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["kind"][0] == "bench")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    executable.context("`cargo bench` names the program that it built")
}

/// Prints a page, and puts it into the docs if that is wanted.
fn publish(page: &str, path: &str, options: Options) -> Result<()> {
    if options.write {
        let file = repo::root()?.join(path);
        fs::create_dir_all(file.parent().context("the page lies in a folder")?)?;
        fs::write(&file, page).with_context(|| format!("cannot write {}", file.display()))?;
        eprintln!("written: {path}");
    }
    print!("{page}");
    Ok(())
}

/// The middle one of some measurements; of two in the middle, the greater.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

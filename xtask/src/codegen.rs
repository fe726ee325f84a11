//! `codegen`: the committed files that are made from the event contract, the metric definitions and the sources.

mod api;
mod parser;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use event_schema::generate;
use metrics_sql::custom::{self, CustomMetric};

use crate::{repo, tools};

pub(crate) const DOES: &str = "write the generated files, or only check that they are up to date (--check)";

/// What every generated file says of itself in its first lines; the first letter may be a capital.
const MARK: &str = "enerated by `cargo xtask codegen`";

/// How many of a file's first lines may have the mark.
const HEADER_LINES: usize = 8;

/// Folders in which every marked file must be one that is generated.
const FOLDERS: [&str; 4] = ["dbt/models", "docs", "event-parser/src", "report/assets"];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let root = repo::root()?;
    let files = generated_files()?;
    match arguments {
        [] => write(&root, &files),
        [check] if check == "--check" => compare(&root, &files),
        _ => bail!("usage: cargo xtask codegen [--check]"),
    }
}

/// Every generated file, by its path from the root.
fn generated_files() -> Result<BTreeMap<PathBuf, String>> {
    let schema = serde_json::to_string_pretty(&generate::json_schema())? + "\n";
    let of_the_contract = [
        ("dbt/models/staging/_sources.yml", generate::dbt_sources()),
        ("docs/events.md", generate::reference()),
        ("docs/event.schema.json", schema),
    ];
    let of_the_metrics = metrics_sql::generated_files(&custom_metrics()?);
    let of_the_metrics = of_the_metrics.into_iter().map(|file| (file.path, file.contents));
    let of_the_report = tools::report_web::bundle()?.into_iter();
    Ok(of_the_contract
        .map(|(path, contents)| (path.into(), contents))
        .into_iter()
        .chain(parser::files(&repo::root()?)?.into_iter().map(|(path, contents)| (path.into(), contents)))
        .chain(of_the_metrics)
        .chain(of_the_report)
        .chain(api::files(&repo::root()?)?.into_iter().map(|(path, contents)| (path.into(), contents)))
        .collect())
}

/// The metrics that the user of the dbt project has defined.
fn custom_metrics() -> Result<Vec<CustomMetric>> {
    let path = repo::root()?.join(custom::FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    custom::read(custom::FILE, &text).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow!("{}", errors.join("\n"))
    })
}

fn write(root: &Path, files: &BTreeMap<PathBuf, String>) -> Result<()> {
    for (path, contents) in files {
        if fs::read_to_string(root.join(path)).is_ok_and(|committed| committed == *contents) {
            continue;
        }
        let full = root.join(path);
        let folder = full.parent().context("a generated file lies in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        fs::write(&full, contents).with_context(|| format!("write {}", full.display()))?;
        eprintln!("wrote {}", path.display());
    }
    for path in left_over(root, files)? {
        fs::remove_file(root.join(&path)).with_context(|| format!("remove {}", path.display()))?;
        eprintln!("removed {}", path.display());
    }
    Ok(())
}

fn compare(root: &Path, files: &BTreeMap<PathBuf, String>) -> Result<()> {
    let differs = |(path, contents): &(&PathBuf, &String)| {
        !fs::read_to_string(root.join(path)).is_ok_and(|committed| committed == **contents)
    };
    let mut stale: Vec<PathBuf> = files.iter().filter(differs).map(|(path, _)| path.clone()).collect();
    stale.extend(left_over(root, files)?);
    if stale.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = stale.iter().map(|path| path.display().to_string()).collect();
    bail!("out of date: {}\nrun `cargo xtask codegen` and commit what it writes", list.join(", "));
}

/// Files that say they are generated, but no longer are.
fn left_over(root: &Path, files: &BTreeMap<PathBuf, String>) -> Result<Vec<PathBuf>> {
    let mut left_over = Vec::new();
    let mut folders: Vec<PathBuf> =
        FOLDERS.iter().map(|folder| root.join(folder)).filter(|f| f.exists()).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let from_root = path.strip_prefix(root).context("the folder lies in the repository")?.to_owned();
            let is_generated = fs::read_to_string(&path).is_ok_and(|text| header(&text).is_some());
            if is_generated && !files.contains_key(&from_root) {
                left_over.push(from_root);
            }
        }
    }
    Ok(left_over)
}

/// The line in which a file says that it is generated, and from what; `None` if it is written by hand.
pub(crate) fn header(text: &str) -> Option<&str> {
    text.lines().take(HEADER_LINES).find(|line| line.contains(MARK))
}

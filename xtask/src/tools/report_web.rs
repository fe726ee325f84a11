//! The report page's script and style, bundled by esbuild, and a headless Chromium to open reports in: all from npm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{key_of, npm};
use crate::repo;
use crate::run::{become_program, run};

const PACKAGE_JSON: &str = include_str!("../../../report/web/package.json");
const PACKAGE_LOCK: &str = include_str!("../../../report/web/package-lock.json");
const MEND: &str = "install Node.js 20 or later with npm";
/// Where the bundle is committed, and what it consists of.
const ASSETS: &str = "report/assets";
const FILES: [&str; 3] = ["report.js", "report.css", "report.licences.txt"];

/// Finds the packages, or installs them; their folder `node_modules`.
pub(crate) fn ensure() -> Result<PathBuf> {
    let folder = super::ensure("report-web", &key_of(&[PACKAGE_JSON, PACKAGE_LOCK]), |folder| {
        npm::install(folder, PACKAGE_JSON, PACKAGE_LOCK, MEND).map(drop)
    })?;
    Ok(folder.join("node_modules"))
}

/// The bundle's files as they should be committed, by their path from the root.
pub(crate) fn bundle() -> Result<Vec<(PathBuf, String)>> {
    let folder = repo::root()?.join("target/report-web");
    run(script("build.mjs")?.arg(&folder).arg(ensure()?), MEND)?;
    FILES
        .iter()
        .map(|name| {
            let path = folder.join(name);
            let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            Ok((Path::new(ASSETS).join(name), text))
        })
        .collect()
}

/// Opens a report in a headless Chromium; prints what it finds as JSON, and leaves screenshots in `shots`.
pub(crate) fn check(report: &Path, shots: &Path) -> Result<()> {
    become_program(script("check.mjs")?.arg(report).arg(shots).arg(ensure()?), MEND)
}

fn script(name: &str) -> Result<Command> {
    let mut command = Command::new("node");
    command.arg(repo::root()?.join("report/web").join(name));
    Ok(command)
}

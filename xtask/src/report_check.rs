//! `report-check`: a report, opened in a headless browser as a reader would.

use std::path::Path;

use anyhow::{Result, bail};

use crate::tools;

pub(crate) const DOES: &str = "open a report in a headless Chromium: console, accessibility, layout, screenshots of desktop, phone, dark and print";

/// Prints what is found as JSON.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let [report, screenshots] = arguments else {
        bail!("usage: cargo xtask report-check REPORT.html SCREENSHOT_FOLDER")
    };
    tools::report_web::check(Path::new(report), Path::new(screenshots))
}

//! `setup`: all tools that the tests and the demo need.

use anyhow::Result;

use crate::tools;

pub(crate) const DOES: &str = "install what tests and demo need into the cache (again: at once)";

/// Installs what is missing and says where everything is.
pub(crate) fn run(_: &[String]) -> Result<()> {
    println!("ClickHouse  {}", tools::engine::ensure()?);
    println!("Azurite     {}", tools::azurite::ensure()?.display());
    println!("Report      {}", tools::report_web::ensure()?.display());
    for environment in tools::python::ENVIRONMENTS {
        println!("{:<11} {}", environment.name, environment.ensure()?.folder().display());
    }
    Ok(())
}

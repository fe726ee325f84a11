//! `lint`: everything that is checked without running Schoolbell.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{cargo, run as run_program};
use crate::{fmt, repo, tools};

pub(crate) const DOES: &str =
    "check layout, lints, docs, and the dependencies' licences, sources and advisories";

/// Runs every check, also after a failed one, and fails if one did.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let root = repo::root()?;
    let checks: [(&str, &dyn Fn() -> Result<()>); 6] = [
        ("layout", &|| fmt::run(&["--check".into()])),
        ("clippy", &|| clippy(&root)),
        ("the fuzzer alone", &|| fuzzer_alone(&root)),
        ("rustdoc", &|| rustdoc(&root)),
        ("ruff", &|| fmt::ruff(&root, &["check"])),
        ("cargo-deny", &|| dependencies(&root)),
    ];
    let mut failed = Vec::new();
    for (name, check) in checks {
        eprintln!("== {name}");
        if let Err(error) = check() {
            eprintln!("{name}: {error:#}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn clippy(root: &Path) -> Result<()> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    run_program(cargo().args(arguments).current_dir(root), "add it with `rustup component add clippy`")
}

/// `cargo xtask fuzz` builds the tests' library without what runs the product: the workspace's build does not show
/// whether that still works.
fn fuzzer_alone(root: &Path) -> Result<()> {
    let arguments =
        ["check", "--package", "integration-tests", "--no-default-features", "--bin", "fuzz", "--locked"];
    run_program(cargo().args(arguments).current_dir(root), repo::CARGO)
}

fn rustdoc(root: &Path) -> Result<()> {
    let arguments = ["doc", "--workspace", "--no-deps", "--locked"];
    run_program(cargo().args(arguments).env("RUSTDOCFLAGS", "-D warnings").current_dir(root), repo::CARGO)
}

fn dependencies(root: &Path) -> Result<()> {
    let program = tools::cargo_deny::ensure()?;
    let deny = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(["--locked", "--log-level", "warn"]).args(arguments).current_dir(root);
        run_program(&mut command, "run `cargo xtask lint` again")
    };
    deny(&["check", "licenses", "bans", "sources"])?;
    if let Err(error) = deny(&["fetch", "db"]) {
        eprintln!("The advisory database could not be reached ({error:#}): advisories are NOT checked.");
        return Ok(());
    }
    deny(&["check", "--disable-fetch", "advisories"])
}

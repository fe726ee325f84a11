//! `lint`: everything that is checked without running Schoolbell.

use std::path::Path;

use anyhow::Result;

use crate::run::{cargo, run as run_program};
use crate::steps::Steps;
use crate::tools::python::LINT;
use crate::{fmt, repo, tidy};

pub(crate) const DOES: &str =
    "check layout, house rules, lints, docs, and the dependencies' licences, sources and advisories";

/// Runs every check, also after a failed one, and fails if one did.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    run_steps(&mut steps);
    eprint!("====\n{}", steps.summary());
    steps.check()
}

/// Runs every check as a step.
pub(crate) fn run_steps(steps: &mut Steps) {
    let mut check = |name: &str, check: fn(&Path) -> Result<()>| {
        steps.run(&format!("lint: {name}"), || check(&repo::root()?));
    };
    check("layout", |_| fmt::run(&["--check".into()]));
    check("rules of the repository", tidy::check);
    check("ruff", |root| fmt::ruff(root, &["check"]));
    check("clippy", clippy);
    check("the fuzzer alone", fuzzer_alone);
    check("rustdoc", rustdoc);
    check("packages", packages);
    check("cargo-deny", dependencies);
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

/// Whether each crate can be packed for the registry: it says what it is, and has a version of each crate it uses.
fn packages(root: &Path) -> Result<()> {
    let arguments =
        ["package", "--workspace", "--locked", "--offline", "--no-verify", "--allow-dirty", "--quiet"];
    run_program(cargo().args(arguments).current_dir(root), repo::CARGO)
}

fn dependencies(root: &Path) -> Result<()> {
    let deny = |arguments: &[&str]| {
        let mut command = LINT.ensure()?.command("cargo-deny");
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

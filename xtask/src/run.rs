//! Other programs: run with an error that says which one failed, how, and what to do.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Result, anyhow, bail};

/// The Cargo that runs this program.
///
/// What it has said about this package is not passed on: build scripts that ask for it (that of `ring`) would run
/// again, and much be built anew, each time builds from here and from a shell take turns.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_"))
        {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs a program to its end, its output on ours (stdout on stderr: ours is for results). `mend` is what to do if it
/// is not there.
pub(crate) fn run(command: &mut Command, mend: &str) -> Result<()> {
    let status =
        command.stdin(Stdio::null()).stdout(io::stderr()).status().map_err(|e| absent(command, &e, mend))?;
    check(command, status)
}

/// Runs a program to its end and returns what it says on stdout.
pub(crate) fn output(command: &mut Command, mend: &str) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| absent(command, &e, mend))?;
    check(command, output.status)?;
    Ok(String::from_utf8(output.stdout)?)
}

/// Goes on as another program, with our streams and its exit code; returns only if that fails.
pub(crate) fn become_program(command: &mut Command, mend: &str) -> Result<()> {
    let error = command.exec();
    Err(absent(command, &error, mend))
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

fn absent(command: &Command, error: &io::Error, mend: &str) -> anyhow::Error {
    let program = command.get_program().display();
    if error.kind() == io::ErrorKind::NotFound {
        return anyhow!("`{program}` is not there: {mend}");
    }
    anyhow!("`{program}` cannot be run ({error}): {mend}")
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// What follows the command's name without the `--` that ends Cargo's own arguments.
pub(crate) fn passed_on(arguments: &[String]) -> &[String] {
    match arguments {
        [first, rest @ ..] if first == "--" => rest,
        all => all,
    }
}

//! `help`: the commands, one a line.

use std::io::Write;

use crate::COMMANDS;

/// Lists the commands on stdout.
pub(crate) fn run(_: &[String]) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "Usage: cargo xtask COMMAND\n")?;
    for command in COMMANDS {
        let usage = format!("{} {}", command.name, command.arguments);
        writeln!(stdout, "  {usage:<32} {}", command.does)?;
    }
    Ok(())
}

//! One module a command.

mod generate;
mod init;
mod load;
mod validate;
mod warehouse;

use clap::CommandFactory;
use event_schema::value::{Date, Timestamp};

use crate::args::{Args, Command};
use crate::failure::{Code, Failure, Outcome};

/// Runs the command that was asked for.
pub(crate) fn run(args: Args) -> Outcome {
    let talk = Talk { output: args.output, quiet: args.quiet, verbose: args.verbose > 0 };
    match args.command {
        Command::Init(init) => init::run(&init, talk),
        Command::Validate(validate) => validate::run(&validate, talk),
        Command::Load(load) => load::run(&load, talk),
        Command::Generate(generate) => generate::run(&generate, talk),
        Command::Warehouse(warehouse) => warehouse::run(&warehouse, talk),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "schoolbell", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// How a command talks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk {
    pub(crate) output: crate::output::Output,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

impl Talk {
    /// Says something on stderr, unless it is to be quiet.
    pub(crate) fn say(self, text: impl std::fmt::Display) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }
}

/// Today, in UTC.
fn today() -> Result<Date, Failure> {
    let now =
        Timestamp::now().map_err(|error| Failure::new(Code::Defect, format!("the system clock: {error}")))?;
    let days = u16::try_from(now.millis() / 86_400_000).expect("a timestamp's day is before 2149");
    Ok(Date::from_days(days))
}

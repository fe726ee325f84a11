//! The environment: an empty variable counts as unset; an unusable one is named in the error, but its value is not shown.

use std::env::{self, VarError};
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use crate::failure::{Code, Failure};

/// The value of a variable; `None` where it is unset or empty.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(unusable(name, "it is not UTF-8")),
    }
}

/// The failure of a variable that cannot be used. Its value may be a secret and is not shown.
pub(crate) fn unusable(name: &str, problem: &str) -> Failure {
    Failure::new(Code::Usage, format_args!("the variable {name} cannot be used: {problem}"))
}

/// The command line without the variables that are empty: its arguments fall back to their defaults.
pub(crate) fn without_empty(command: Command) -> Command {
    let is_empty = |name: &OsStr| env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|argument| {
            if argument.get_env().is_some_and(is_empty) {
                argument.env(None::<&'static str>)
            } else {
                argument
            }
        })
        .mut_subcommands(without_empty)
}

/// The failure of a variable, if the command line is wrong because of one; `None` if it is wrong by itself.
pub(crate) fn failure_of(error: &clap::Error, command: &Command) -> Option<Failure> {
    if !matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
        return None;
    }
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = shown.split_whitespace().next()?;
    let is_given = |given: String| given == flag || given.starts_with(&format!("{flag}="));
    if env::args_os().any(|given| is_given(given.to_string_lossy().into_owned())) {
        return None;
    }
    let argument = find(command, flag.strip_prefix("--")?)?;
    let name = argument.get_env()?.to_string_lossy();
    let meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
    Some(unusable(&name, &format!("it is no value of {flag} ({meaning})")))
}

fn find<'a>(command: &'a Command, long: &str) -> Option<&'a Arg> {
    let of_subcommands = || command.get_subcommands().find_map(|command| find(command, long));
    command.get_arguments().find(|argument| argument.get_long() == Some(long)).or_else(of_subcommands)
}

/// Libraries that check certificates read these by themselves, and take an empty one for the name of a file that is not
/// there: then nobody would be trusted.
const READ_BY_LIBRARIES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Runs the program anew, in the same process, without those of them that are empty. Returns where none is.
pub(crate) fn drop_empty_variables() {
    let is_empty = |name: &&str| env::var_os(name).is_some_and(|value| value.is_empty());
    let empty: Vec<&str> = READ_BY_LIBRARIES.into_iter().filter(is_empty).collect();
    if empty.is_empty() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut command = process::Command::new(program);
    command.args(env::args_os().skip(1));
    for name in empty {
        command.env_remove(name);
    }
    // Where that cannot be done, what needs a certificate says what is missing.
    let _ = command.exec();
}

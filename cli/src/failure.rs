//! Failures, and their exit codes (those of `sysexits.h`), which tell a scheduler what to do.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use ch_sink::{ErrorClass, LoadError, WarehouseError};
use event_schema::value::visible;
use event_source::SourceError;
use metrics_sql::catalogue::CatalogueError;

/// The exit code of a failed command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// The command line is wrong.
    Usage = 2,
    /// The data is bad: too many rejects, no valid event, a corrupt source.
    BadData = 65,
    /// A source is not there.
    NoInput = 66,
    /// A defect of Schoolbell.
    Defect = 70,
    /// Trying again is right.
    Temporary = 75,
    /// Access denied.
    Denied = 77,
}

/// A failed command: what happened and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    message: String,
}

pub(crate) type Outcome = Result<(), Failure>;

impl Failure {
    pub(crate) fn new(code: Code, message: impl fmt::Display) -> Failure {
        Failure { code, message: message.to_string() }
    }

    /// An error of the system, as it is seen from what was being done.
    pub(crate) fn doing(what: impl fmt::Display, error: io::Error) -> Failure {
        let failure = Failure::from(error);
        Failure { message: format!("{what}: {failure}"), ..failure }
    }

    /// A file that cannot be written. A folder that is not there is then named wrongly: it is no source.
    pub(crate) fn writing(path: &Path, error: io::Error) -> Failure {
        let is_place = matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
        );
        let failure = Failure::doing(format_args!("cannot write {}", path.display()), error);
        if is_place { Failure { code: Code::Usage, ..failure } } else { failure }
    }

    /// The failure with more to say.
    #[must_use]
    pub(crate) fn and(self, more: impl fmt::Display) -> Failure {
        Failure { message: format!("{}{more}", self.message), ..self }
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Failure {
        // Names of files and objects may have any characters.
        Failure::new(ErrorClass::from(error.kind()).into(), visible(&error.to_string()))
    }
}

impl From<WarehouseError> for Failure {
    fn from(error: WarehouseError) -> Failure {
        Failure::new(error.class().into(), error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        Failure::new(error.class().into(), error)
    }
}

impl From<CatalogueError> for Failure {
    fn from(error: CatalogueError) -> Failure {
        Failure::new(Code::Usage, error)
    }
}

impl From<ErrorClass> for Code {
    fn from(class: ErrorClass) -> Code {
        match class {
            ErrorClass::Usage => Code::Usage,
            ErrorClass::BadData => Code::BadData,
            ErrorClass::NotFound => Code::NoInput,
            ErrorClass::Temporary => Code::Temporary,
            ErrorClass::AccessDenied => Code::Denied,
            _ => Code::Defect,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        let code = match error.kind() {
            io::ErrorKind::PermissionDenied => Code::Denied,
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Code::NoInput,
            _ => Code::Temporary,
        };
        Failure::new(code, error)
    }
}

/// Ends the program after a panic, which is always a defect of ours, in whatever thread.
pub(crate) fn report_defect(panic: &std::panic::PanicHookInfo<'_>) {
    eprintln!("schoolbell: a defect of schoolbell, please report it: {panic}");
    std::process::exit(Code::Defect as i32);
}

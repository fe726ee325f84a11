//! Variables that are empty are as good as unset.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

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
    let mut command = Command::new(program);
    command.args(env::args_os().skip(1));
    for name in empty {
        command.env_remove(name);
    }
    // Where that cannot be done, what needs a certificate says what is missing.
    let _ = command.exec();
}

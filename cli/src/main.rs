//! The binary `schoolbell`.

use std::process::ExitCode;

fn main() -> ExitCode {
    schoolbell::main()
}

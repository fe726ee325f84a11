//! The test programs of the workspace, built by Cargo. We run them ourselves: Cargo would run one after another.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::repo;
use crate::run::{cargo, output};

/// The binary of the integration tests' package that is the program `schoolbell`.
const SCHOOLBELL: &str = "schoolbell-under-test";

/// What Cargo has built.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) tests: Vec<Program>,
    /// The binary `schoolbell`, as the tests were built with it.
    pub(super) schoolbell: PathBuf,
}

/// A program that runs the tests of a library or a binary, or a file of integration tests.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Program {
    /// The package's folder, and after a slash the name of a target that is not the package's library.
    pub(super) name: String,
    /// The package's folder, where the tests are run.
    folder: PathBuf,
    executable: PathBuf,
}

impl Program {
    /// The program in the surroundings that Cargo gives a test.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder);
        // A snapshot that differs is a failure, not a new snapshot.
        command.env("INSTA_UPDATE", "no");
        command
    }
}

/// Builds all tests of the workspace, and the program that integration tests run.
pub(super) fn build(root: &Path) -> Result<Programs> {
    let arguments = ["test", "--workspace", "--locked", "--no-run", "--message-format"];
    let mut command = cargo();
    command.args(arguments).arg("json-render-diagnostics").current_dir(root);
    let messages: Vec<Value> = output(&mut command, repo::CARGO)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .context("`cargo test` reports what it built as JSON lines")?;
    let built = messages.iter().find_map(under_test).context("`cargo test` builds schoolbell-under-test")?;
    Ok(Programs { tests: messages.iter().filter_map(test).collect(), schoolbell: by_its_name(&built)? })
}

/// The test program that a message of Cargo's is about.
fn test(message: &Value) -> Option<Program> {
    if message["profile"]["test"] != true {
        return None;
    }
    let executable = message["executable"].as_str()?.into();
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    let mut name = folder.file_name()?.to_str()?.to_owned();
    if message["target"]["kind"][0] != "lib" {
        name = format!("{name}/{}", message["target"]["name"].as_str()?);
    }
    Some(Program { name, folder, executable })
}

fn under_test(message: &Value) -> Option<PathBuf> {
    let is_it = message["target"]["name"] == SCHOOLBELL && message["profile"]["test"] != true;
    message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
}

/// A link to the binary under the name that users call it by.
fn by_its_name(built: &Path) -> Result<PathBuf> {
    let folder = built.with_file_name("under-test");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let link = folder.join(format!("schoolbell{}", env::consts::EXE_SUFFIX));
    if fs::read_link(&link).is_ok_and(|target| target == built) {
        return Ok(link);
    }
    // A link elsewhere, from before the repository was moved.
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link).with_context(|| format!("cannot remove {}", link.display()))?;
    }
    symlink(built, &link).with_context(|| format!("cannot make {}", link.display()))?;
    Ok(link)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::{test, under_test};

    #[test]
    fn tests_and_the_program_are_found_among_what_cargo_reports() {
        let message = |kind: &str, name: &str, is_test: bool| {
            json!({
                "reason": "compiler-artifact",
                "manifest_path": "/r/tests/Cargo.toml",
                "target": { "kind": [kind], "name": name },
                "profile": { "test": is_test },
                "executable": format!("/r/target/debug/{name}"),
            })
        };
        let names = |kind, name, is_test| test(&message(kind, name, is_test)).map(|program| program.name);
        assert_eq!(names("lib", "integration_tests", true).unwrap(), "tests");
        assert_eq!(names("test", "it", true).unwrap(), "tests/it");
        assert_eq!(names("bin", "schoolbell-under-test", false), None);

        let program = under_test(&message("bin", "schoolbell-under-test", false)).unwrap();
        assert_eq!(program, Path::new("/r/target/debug/schoolbell-under-test"));
        assert_eq!(under_test(&message("bin", "schoolbell-under-test", true)), None, "its own unit tests");
    }
}

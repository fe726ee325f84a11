//! Which ClickHouse engine there is to run.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{EngineError, Place};

/// Names an engine: the path of a `clickhouse` binary or of a `libchdb.so`.
pub const ENGINE_ENV: &str = "SCHOOLBELL_CLICKHOUSE";
/// Moves the cache folder (see [`cache_dir`]).
pub const CACHE_ENV: &str = "SCHOOLBELL_CACHE";

/// The npm package that carries the pinned engine library.
pub const ENGINE_PACKAGE: &str = "@chdb/lib-linux-x64-gnu";
/// The pinned version of [`ENGINE_PACKAGE`].
pub const ENGINE_VERSION: &str = "26.7.3-stable.1";
/// The `package.json` that asks for [`ENGINE_PACKAGE`] at [`ENGINE_VERSION`].
pub const PACKAGE_JSON: &str = include_str!("../engine/package.json");
/// Its lock file, with the package's integrity hash.
pub const PACKAGE_LOCK: &str = include_str!("../engine/package-lock.json");

/// The oldest major version of an installed `clickhouse` that is tried. That its `clickhouse local` can open
/// ports (`SYSTEM START LISTEN`, new in the course of 2026) is checked apart from the number.
pub const MINIMUM_VERSION: u32 = 26;

/// A ClickHouse engine on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// An installed `clickhouse` binary.
    Binary {
        /// Its path.
        path: PathBuf,
        /// What it says of its version.
        version: String,
    },
    /// An engine library (`libchdb.so`), to be run inside a host executable.
    Library {
        /// Its path.
        path: PathBuf,
    },
}

impl Engine {
    /// Finds an engine: the one that [`ENGINE_ENV`] names, else an installed `clickhouse` that is new enough,
    /// else the pinned library in the cache.
    pub fn find() -> Result<Self, EngineError> {
        if let Some(path) = set(ENGINE_ENV) {
            return Self::named(path);
        }
        let mut looked = Vec::new();
        match Self::installed() {
            Ok(engine) => return Ok(engine),
            Err(places) => looked.extend(places),
        }
        let (place, reason) = match pinned_library() {
            Some(path) if path.is_file() => return Ok(Self::Library { path }),
            Some(path) => (path.display().to_string(), "not there".into()),
            None => ("the cache".into(), format!("none of {CACHE_ENV}, XDG_CACHE_HOME and HOME is set")),
        };
        looked.push(Place { place, reason });
        Err(EngineError::NotFound { looked })
    }

    /// The first `clickhouse` in PATH that can be used, or why each one there cannot.
    pub fn installed() -> Result<Self, Vec<Place>> {
        let path = env::var_os("PATH").unwrap_or_default();
        let mut refused = Vec::new();
        for candidate in
            env::split_paths(&path).map(|folder| folder.join("clickhouse")).filter(|c| c.is_file())
        {
            match Self::binary(&candidate) {
                Ok(engine) => return Ok(engine),
                Err(reason) => refused.push(Place { place: candidate.display().to_string(), reason }),
            }
        }
        if refused.is_empty() {
            refused.push(Place { place: "`clickhouse` in PATH".into(), reason: "not there".into() });
        }
        Err(refused)
    }

    fn named(path: PathBuf) -> Result<Self, EngineError> {
        if !path.is_file() {
            return Err(EngineError::Named { path, reason: "there is no such file".into() });
        }
        let path = path.canonicalize().unwrap_or(path);
        if path.extension().is_some_and(|extension| extension == "so") {
            return Ok(Self::Library { path });
        }
        Self::binary(&path).map_err(|reason| EngineError::Named { path, reason })
    }

    /// The `clickhouse` binary at `path`, or why it cannot be used.
    fn binary(path: &Path) -> Result<Self, String> {
        let version = run(path, &["local", "--version"])?;
        let major = major_version(&version).ok_or_else(|| {
            format!("`clickhouse local --version` says {:?}, not a version", version.trim())
        })?;
        let version = version.trim().to_owned();
        if major < MINIMUM_VERSION {
            return Err(format!("too old: {version} ({MINIMUM_VERSION} or newer is needed)"));
        }
        run(path, &["local", "--listen_host=127.0.0.1", "--http_port=0", "--query=SYSTEM START LISTEN HTTP"])
            .map_err(|why| format!("its `clickhouse local` cannot open ports: {why}"))?;
        Ok(Self::Binary { path: path.to_owned(), version })
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary { path, version } => write!(f, "{} ({version})", path.display()),
            Self::Library { path } => write!(f, "{}", path.display()),
        }
    }
}

/// Schoolbell's cache: [`CACHE_ENV`], else `$XDG_CACHE_HOME/schoolbell`, else `$HOME/.cache/schoolbell`; `None`
/// if none of the three variables is set.
pub fn cache_dir() -> Option<PathBuf> {
    set(CACHE_ENV)
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("schoolbell")))
        .or_else(|| set("HOME").map(|home| home.join(".cache").join("schoolbell")))
}

/// Where the pinned engine library belongs, be it there or not.
pub fn pinned_library() -> Option<PathBuf> {
    Some(cache_dir()?.join("engine").join(ENGINE_VERSION).join("libchdb.so"))
}

/// A variable's value; an empty one counts as unset.
fn set(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// What a short-lived command prints, or why it failed.
fn run(program: &Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
    Err(format!("{}: {said}", output.status))
}

/// The 26 of `ClickHouse local version 26.7.2.1 (official build).`
fn major_version(text: &str) -> Option<u32> {
    let number = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version() {
        for (text, expected) in [
            ("ClickHouse local version 26.7.2.1 (official build).\n", Some(26)),
            ("ClickHouse client version 18.16.1.\n", Some(18)),
            ("24.8\n", Some(24)),
            ("unknown command\n", None),
            ("", None),
        ] {
            assert_eq!(major_version(text), expected, "{text:?}");
        }
    }

    /// The constants, `package.json` and the lock file speak of one package, and the lock names no registry.
    #[test]
    fn constants_agree_with_the_lock() {
        let asked: serde_json::Value = serde_json::from_str(PACKAGE_JSON).expect("package.json is JSON");
        assert_eq!(asked["dependencies"][ENGINE_PACKAGE], ENGINE_VERSION);
        let lock: serde_json::Value = serde_json::from_str(PACKAGE_LOCK).expect("package-lock.json is JSON");
        let locked = &lock["packages"][format!("node_modules/{ENGINE_PACKAGE}")];
        assert_eq!(locked["version"], ENGINE_VERSION);
        assert!(locked["integrity"].as_str().is_some_and(|hash| hash.starts_with("sha512-")), "{locked}");
        assert_eq!(
            lock["packages"].as_object().map(serde_json::Map::len),
            Some(2),
            "one package and the root"
        );
        assert!(!PACKAGE_LOCK.contains("://"), "the lock must not name a registry");
    }

    #[test]
    fn not_found_says_where_it_looked_and_what_to_do() {
        let error = EngineError::NotFound {
            looked: vec![
                Place { place: "/usr/bin/clickhouse".into(), reason: "too old: 18.16.1".into() },
                Place { place: "the cache".into(), reason: "not there".into() },
            ],
        };
        assert_eq!(
            error.to_string(),
            "no ClickHouse engine found; looked at:\n  - /usr/bin/clickhouse: too old: 18.16.1\n  - the cache: \
             not there\nRun `cargo xtask setup`, or install ClickHouse 26 or newer"
        );
    }
}

//! The product as its users have it: the binary `schoolbell`, a real ClickHouse, and dbt.
//!
//! Every test binary starts one server of its own; every test takes a [`World`] with databases of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use local_clickhouse::{Builder, QueryError, Server};
use serde_json::Value;
use tempfile::TempDir;

use crate::dbt;

/// A test's own databases on the test binary's server, and a folder of its own.
#[derive(Debug)]
pub struct World {
    prefix: String,
    url: String,
    folder: TempDir,
    variables: Vec<(&'static str, OsString)>,
}

impl World {
    /// Databases whose names begin with `name_`, with the `raw` tables made.
    ///
    /// # Panics
    /// Where the engine or the binary is missing: the message names the mend.
    pub fn new(name: &str) -> World {
        World::at(name, &server_url())
    }

    /// The same on another server: one that the test may kill.
    ///
    /// # Panics
    /// Where the binary is missing, or the server does not answer.
    pub fn at(name: &str, url: &str) -> World {
        let world = World::without_tables(name, url);
        world.succeed(&["init"]);
        world
    }

    /// The same on a server (`None`: the test binary's), before `init`.
    ///
    /// # Panics
    /// Where the engine is missing: the message names the mend.
    pub fn without_tables<'a>(name: &str, url: impl Into<Option<&'a str>>) -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = url.into().map_or_else(server_url, str::to_owned);
        World { prefix: format!("{name}_"), url, folder, variables: Vec::new() }
    }

    /// The server's HTTP address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The test's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file in the test's folder, as text.
    pub fn path(&self, name: &str) -> String {
        self.folder().join(name).to_str().expect("the temporary folder's name is UTF-8").to_owned()
    }

    /// The database of that layer: `raw`, `staging` or `marts`.
    pub fn database(&self, layer: &str) -> String {
        format!("{}{layer}", self.prefix)
    }

    /// Sets an environment variable, also one of the connection's, for what the test runs from now on.
    pub fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.variables.push((name, value.into()));
    }

    /// `schoolbell` with the test's connection, ready for arguments.
    pub fn schoolbell(&self) -> Command {
        let mut command = Command::new(schoolbell());
        self.connect(&mut command);
        command.current_dir(self.folder());
        command
    }

    /// Another program with the test's connection, in the test's folder, that finds `schoolbell` in its PATH.
    ///
    /// # Panics
    /// Where the test's folder cannot be written.
    pub fn with_schoolbell(&self, program: &str) -> Command {
        let programs = self.folder().join("bin");
        let link = programs.join("schoolbell");
        if !link.exists() {
            std::fs::create_dir_all(&programs).expect("the test's folder can be written");
            std::os::unix::fs::symlink(schoolbell(), link).expect("the test's folder can be written");
        }
        let others = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&others)));
        let mut command = Command::new(program);
        self.connect(&mut command);
        command.env("PATH", path.expect("no folder's name has a colon")).current_dir(self.folder());
        command
    }

    /// Runs `schoolbell` and answers its exit code, stdout and stderr.
    ///
    /// # Panics
    /// Where it cannot be run, or is killed.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        Finished::of(self.schoolbell().args(arguments), arguments)
    }

    /// Runs `schoolbell`, which is to succeed, and answers its stdout.
    ///
    /// # Panics
    /// Where it fails.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let finished = self.run(arguments);
        assert_eq!(finished.code, 0, "schoolbell {arguments:?}: {}", finished.stderr);
        finished.stdout
    }

    /// Loads sources as a day, which is to succeed, and answers the JSON summary.
    ///
    /// # Panics
    /// Where it fails.
    pub fn load(&self, batch_date: &str, sources: &[&str]) -> Value {
        let arguments = [&["load", "--output", "json", "--batch-date", batch_date], sources].concat();
        serde_json::from_str(&self.succeed(&arguments)).expect("load prints JSON")
    }

    /// Runs dbt from the pinned environment, which is to succeed.
    ///
    /// # Panics
    /// Where it fails.
    pub fn dbt(&self, arguments: &[&str]) {
        let finished = self.try_dbt(arguments);
        assert_eq!(finished.code, 0, "dbt {arguments:?}:\n{}{}", finished.stdout, finished.stderr);
    }

    /// Runs dbt from the pinned environment and answers its exit code, stdout and stderr.
    ///
    /// # Panics
    /// Where it cannot be run, or is killed.
    pub fn try_dbt(&self, arguments: &[&str]) -> Finished {
        let mut command = Command::new("dbt");
        self.connect(&mut command);
        let [target, log] = ["dbt-target", "dbt-logs"].map(|name| self.path(name));
        dbt::run(&[arguments, &["--target-path", &target, "--log-path", &log]].concat(), &command)
    }

    /// dbt from the pinned environment with the test's connection, in a process of its own, ready to be run.
    pub fn dbt_command(&self, arguments: &[&str]) -> Command {
        let mut command = xtask();
        command.args(["dbt", "--"]).args(arguments);
        command.arg("--target-path").arg(self.folder().join("dbt-target"));
        command.arg("--log-path").arg(self.folder().join("dbt-logs"));
        self.connect(&mut command);
        command
    }

    /// Runs `cargo xtask`, which is to succeed.
    ///
    /// # Panics
    /// Where it fails.
    pub fn xtask(&self, arguments: &[&str]) {
        let mut command = xtask();
        self.connect(&mut command);
        let finished = Finished::of(command.args(arguments), arguments);
        assert_eq!(finished.code, 0, "cargo xtask {arguments:?}:\n{}{}", finished.stdout, finished.stderr);
    }

    /// The rows that a query gives, as JSON arrays; `{raw}`, `{staging}` and `{marts}` stand for the test's
    /// databases.
    ///
    /// # Panics
    /// Where the server refuses the query.
    pub fn query(&self, sql: &str) -> Vec<Value> {
        let body = self.text(sql, "JSONCompactEachRow&output_format_json_quote_64bit_integers=0");
        body.lines().map(|line| serde_json::from_str(line).expect("a row is a JSON array")).collect()
    }

    /// As [`World::query`]; nothing where the server is down or refuses.
    pub fn try_query(&self, sql: &str) -> Option<Vec<Value>> {
        let body = self.try_text(sql, "JSONCompactEachRow&output_format_json_quote_64bit_integers=0").ok()?;
        body.lines().map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// All rows of a mart as they are exported, in the order of all its columns.
    ///
    /// # Panics
    /// Where the server refuses the query.
    pub fn exported(&self, mart: &str) -> String {
        self.text(&format!("SELECT * FROM {{marts}}.{mart} ORDER BY ALL"), "TabSeparatedWithNamesAndTypes")
    }

    fn text(&self, sql: &str, format: &str) -> String {
        self.try_text(sql, format).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn try_text(&self, sql: &str, format: &str) -> Result<String, QueryError> {
        let sql = ["raw", "staging", "marts"]
            .iter()
            .fold(sql.to_owned(), |sql, layer| sql.replace(&format!("{{{layer}}}"), &self.database(layer)));
        let url = format!("{}/?default_format={format}", self.url);
        local_clickhouse::query(&url, &sql)
    }

    /// What the tables hold, to be compared: rows and a hash of every column but where they came from, by table, and
    /// the rejected lines.
    ///
    /// # Panics
    /// Where the server refuses the query.
    pub fn contents(&self) -> Vec<Value> {
        ["events", "purchases", "task_results", "sessions", "ab_test_assignments", "rejected_events"]
            .iter()
            .flat_map(|table| {
                self.query(&format!(
                    "SELECT '{table}', count(), sum(sipHash64(* EXCEPT (load_id, source_file, source_line))) \
                     FROM {{raw}}.{table}"
                ))
            })
            .collect()
    }

    fn connect(&self, command: &mut Command) {
        command
            .env("CLICKHOUSE_URL", &self.url)
            .env("CLICKHOUSE_USER", "default")
            .env("CLICKHOUSE_PASSWORD", "")
            .env("SCHOOLBELL_DATABASE_PREFIX", &self.prefix)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
    }
}

/// A program that has run to its end.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code.
    pub code: i32,
    /// Its results.
    pub stdout: String,
    /// Its talk.
    pub stderr: String,
}

impl Finished {
    /// Runs a program to its end; `arguments` are for the message where it is ended by a signal.
    ///
    /// # Panics
    /// Where it cannot be run, or is killed.
    pub fn of(command: &mut Command, arguments: &[&str]) -> Finished {
        let Output { status, stdout, stderr } = command
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{} cannot be run: {error}", command.get_program().display()));
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        let code = status.code().unwrap_or_else(|| panic!("{arguments:?} was ended by {status}: {stderr}"));
        Finished { code, stdout: stdout.into_owned(), stderr: stderr.into_owned() }
    }
}

/// A program under limits that a shell sets first. Where they cannot be set it does not run.
pub fn limited(limits: &str, program: &Command) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limits} && exec \"$@\""), "sh"]);
    command.arg(program.get_program()).args(program.get_args());
    if let Some(folder) = program.get_current_dir() {
        command.current_dir(folder);
    }
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// The test binary's server, started once. It ends with the test binary, whose end of its pipe closes then.
fn server_url() -> String {
    static SERVER: Mutex<Option<Server>> = Mutex::new(None);
    let mut server = SERVER.lock().expect("no test panics while it starts the server");
    let server = server.get_or_insert_with(|| {
        let binary = std::env::current_exe().expect("this test's path");
        // Not a temporary folder: the server outlives every test that could remove it.
        let name = binary.file_name().expect("a file has a name").to_string_lossy();
        let name = name.rsplit_once('-').map_or(&*name, |(name, _hash)| name);
        own_server(name)
    });
    server.url()
}

/// A server for a test that may kill it: on an empty folder of its own, at any free port.
///
/// # Panics
/// Where the engine is missing: the message names the mend.
pub fn own_server(name: &str) -> Server {
    server_with(name, |builder| builder)
}

/// The same, with what `configure` adds to it.
///
/// # Panics
/// Where the engine is missing: the message names the mend.
pub fn server_with(name: &str, configure: impl FnOnce(Builder) -> Builder) -> Server {
    let data = warehouse_folder(name);
    if data.exists() {
        std::fs::remove_dir_all(&data).expect("remove the tables of an earlier run");
    }
    start_server(&data, configure)
}

/// Starts a server that was killed again: with its tables, at the port it had.
///
/// # Panics
/// Where it does not start.
pub fn restart_server(name: &str, http_port: u16) -> Server {
    start_server(&warehouse_folder(name), |builder| builder.http_port(http_port))
}

fn start_server(data: &Path, configure: impl FnOnce(Builder) -> Builder) -> Server {
    configure(Server::builder().data_dir(data).host_executable(schoolbell()))
        .start()
        .unwrap_or_else(|error| panic!("{error}\nto install what is missing: cargo xtask setup"))
}

fn warehouse_folder(name: &str) -> PathBuf {
    profile_folder().join("test-warehouses").join(name)
}

/// The program. Cargo has built it: it is a binary of this package, like the tests that run it.
fn schoolbell() -> PathBuf {
    let path = profile_folder().join(format!("schoolbell-under-test{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is not there: run `cargo test -p integration-tests`", path.display());
    path
}

/// target/PROFILE, of the running test.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("this test's path");
    test.ancestors().nth(2).expect("a test lies in target/PROFILE/deps").to_owned()
}

/// `cargo xtask`: as it runs these tests, or else built anew.
pub(crate) fn xtask() -> Command {
    let mut command = if let Some(running) = std::env::var_os("SCHOOLBELL_XTASK") {
        Command::new(running)
    } else {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg("xtask");
        cargo
    };
    command.current_dir(repository());
    command
}

/// A program of one of the pinned Python environments (`science python`, `s3 moto_server`), ready for arguments.
/// It starts in the repository's root.
///
/// Where the environment is missing it is made, as `cargo xtask setup` would.
pub fn python(environment: &str, program: &str) -> Command {
    let mut command = xtask();
    command.args(["python", environment, program]);
    command
}

/// A chore of `cargo xtask`, ready to run. It starts in the repository's root.
pub fn chore(arguments: &[&str]) -> Command {
    let mut command = xtask();
    command.args(arguments);
    command
}

/// The repository's root.
pub fn repository() -> PathBuf {
    let manifest = std::env::var("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    Path::new(&manifest).parent().expect("the package lies in the repository").to_owned()
}

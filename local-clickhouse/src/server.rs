//! One running engine, and how it is started and stopped.

use std::env;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::config;
use crate::data_dir::{DataDir, State};
use crate::engine::Engine;
use crate::error::{Doing, IoError, StartError, StopError};
use crate::host::{HOST_ARGUMENT, can_host};
use crate::log::ErrorLog;
use crate::query::{self, QueryError};

/// Until an engine answers; it usually takes less than a second, a large data folder on a slow disk longer.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Until an engine that was told to end is killed; running queries are waited for.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an engine whose owner died may still be ending when the next one is started on its data folder.
const TAKEOVER_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a server that holds the data folder may go without an answer before it is reported as running.
const LIMBO_TIMEOUT: Duration = Duration::from_secs(20);
/// Between two looks at a condition that nothing notifies of.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Until a `/ping` is given up.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// How a [`Server`] is to be started.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    data_dir: PathBuf,
    http_port: u16,
    tcp_port: u16,
    host_executable: Option<PathBuf>,
    engine: Option<Engine>,
    extra_config: Option<String>,
    start_timeout: Duration,
    stop_timeout: Duration,
    detached: bool,
}

impl Builder {
    /// The folder that keeps the tables; made if need be. Default: `clickhouse-data` in the working directory.
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = path.into();
        self
    }

    /// The port of the HTTP protocol; 0 (the default) is any free one.
    pub fn http_port(mut self, port: u16) -> Self {
        self.http_port = port;
        self
    }

    /// The port of the native protocol; 0 (the default) is any free one.
    pub fn tcp_port(mut self, port: u16) -> Self {
        self.tcp_port = port;
        self
    }

    /// The program to run an engine library in: one whose `main` begins with [`crate::run_if_host`]. Default: the
    /// running program, if it has called that function.
    pub fn host_executable(mut self, path: impl Into<PathBuf>) -> Self {
        self.host_executable = Some(path.into());
        self
    }

    /// The engine to run. Default: what [`Engine::find`] finds.
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = Some(engine);
        self
    }

    /// A ClickHouse configuration (`<clickhouse>…</clickhouse>`) that is merged into the one that every engine
    /// gets, for example for `<remote_servers>`.
    pub fn extra_config(mut self, xml: impl Into<String>) -> Self {
        self.extra_config = Some(xml.into());
        self
    }

    /// How long to wait for the engine's first answer; one minute by default.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// How long to wait for the engine's end before it is killed; half a minute by default.
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.stop_timeout = timeout;
        self
    }

    /// Says in the state file that the process exists for this server alone.
    pub(crate) fn detached(mut self) -> Self {
        self.detached = true;
        self
    }

    /// Starts the engine and returns when it answers on both ports.
    pub fn start(self) -> Result<Server, StartError> {
        let program = self.program()?;
        let data = self.acquire()?;
        self.write_config(&data)?;
        let mut running = self.start_until_free(&program, &data)?;
        let mut server = match self.wait_until_ready(&mut running, &data) {
            Ok((http_port, tcp_port)) => {
                Server { data, running, http_port, tcp_port, stop_timeout: self.stop_timeout }
            }
            Err(error) => {
                running.kill();
                return Err(error);
            }
        };
        let state = State {
            url: server.url(),
            tcp: server.tcp_address(),
            pid: server.pid(),
            owner: std::process::id(),
            detached: self.detached,
        };
        // On failure the drop of `server` ends the engine.
        server
            .data
            .publish(&state)
            .doing(|| format!("write the state file in {}", server.data.root().display()))?;
        Ok(server)
    }

    /// Locks the data folder. A server there that does not answer is one that starts or ends: waited for, so that
    /// the answer is the lasting one.
    fn acquire(&self) -> Result<DataDir, StartError> {
        let deadline = Instant::now() + LIMBO_TIMEOUT;
        let agent = query::agent(PING_TIMEOUT);
        loop {
            match DataDir::acquire(&self.data_dir) {
                Err(StartError::AlreadyRunning { ref url, .. })
                    if Instant::now() < deadline && !url.as_ref().is_some_and(|url| ping(&agent, url)) =>
                {
                    thread::sleep(POLL_INTERVAL);
                }
                outcome => return outcome,
            }
        }
    }

    /// The program to run, and the arguments that come before those for the engine.
    fn program(&self) -> Result<(PathBuf, Vec<std::ffi::OsString>), StartError> {
        let engine = match &self.engine {
            Some(engine) => engine.clone(),
            None => Engine::find()?,
        };
        match engine {
            Engine::Binary { path, .. } => Ok((path, vec!["local".into()])),
            Engine::Library { path } => {
                Ok((host_program(self.host_executable.as_deref())?, vec![HOST_ARGUMENT.into(), path.into()]))
            }
        }
    }

    fn write_config(&self, data: &DataDir) -> Result<(), IoError> {
        let write =
            |path: PathBuf, text: &str| fs::write(&path, text).doing(|| format!("write {}", path.display()));
        write(data.config_file(), config::CONFIG)?;
        let extra = data.extra_config_file();
        if let Some(xml) = &self.extra_config {
            if let Some(folder) = extra.parent() {
                fs::create_dir_all(folder).doing(|| format!("make {}", folder.display()))?;
            }
            return write(extra, xml);
        }
        remove_if_there(&extra)
    }

    /// Starts the engine, again and again for a bounded time if the former one on this folder is still ending: its
    /// owner (who had the lock that we have now) is dead then.
    fn start_until_free(
        &self,
        program: &(PathBuf, Vec<std::ffi::OsString>),
        data: &DataDir,
    ) -> Result<Running, StartError> {
        let takeover_ends = Instant::now() + TAKEOVER_TIMEOUT;
        loop {
            let mut running = self.spawn(program, data)?;
            let give_up = running.begun + self.start_timeout;
            let early_end = running.ended_before(|| data.ready_file().exists(), give_up);
            match early_end {
                Some(_) if is_locked_by_another(&running.log.tail_after_end()) => {
                    if Instant::now() > takeover_ends {
                        return Err(StartError::AlreadyRunning {
                            data_dir: data.root().to_owned(),
                            pid: None,
                            url: None,
                        });
                    }
                    thread::sleep(10 * POLL_INTERVAL);
                }
                // Anything else is told apart by the wait for its answer.
                _ => return Ok(running),
            }
        }
    }

    fn spawn(
        &self,
        (program, arguments): &(PathBuf, Vec<std::ffi::OsString>),
        data: &DataDir,
    ) -> Result<Running, StartError> {
        // What is in this file from here on was written by this child: the folder is locked.
        remove_if_there(&data.ready_file())?;
        let mut child = Command::new(program)
            .args(arguments)
            .args(config::arguments(data, self.http_port, self.tcp_port))
            .current_dir(data.root())
            // The engine's time zone; `<timezone>` in the configuration is not for `clickhouse local`.
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A Ctrl-C in the terminal is for the owner, who then stops the engine in good order.
            .process_group(0)
            .spawn()
            .doing(|| format!("run {}", program.display()))?;
        let stdin = child.stdin.take();
        let stderr = child.stderr.take().expect("standard error is piped");
        match ErrorLog::follow(stderr, data.log_file()) {
            Ok(log) => Ok(Running { child, stdin, log, begun: Instant::now() }),
            Err(source) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(IoError { doing: format!("write {}", data.log_file().display()), source }.into())
            }
        }
    }

    /// Waits for the engine's report of its ports and its first answer; returns the HTTP and the native port.
    ///
    /// The report proves that the ports are those of our child: it alone can have written the file, and it does so
    /// after both were opened, which fails if another process listens there. As long as it lives, what answers
    /// there is it.
    fn wait_until_ready(&self, running: &mut Running, data: &DataDir) -> Result<(u16, u16), StartError> {
        let deadline = running.begun + self.start_timeout;
        let agent = query::agent(PING_TIMEOUT);
        let mut ports = None;
        loop {
            if ports.is_none() {
                ports = read_report(&data.ready_file());
            }
            let answers = ports.is_some_and(|(http, _)| ping(&agent, &url(http)));
            // After the answer: only then is it known to be the child's.
            if let Some(status) = running.child.try_wait().doing(|| "look after the engine".into())? {
                return Err(self.early_end(status, running.log.tail_after_end()));
            }
            match ports {
                Some(ports) if answers => return Ok(ports),
                _ if Instant::now() > deadline => {
                    running.kill();
                    let stderr = running.log.tail_after_end();
                    return Err(StartError::Timeout { after: self.start_timeout, stderr });
                }
                _ => thread::sleep(POLL_INTERVAL),
            }
        }
    }

    /// Why the engine ended before it answered.
    fn early_end(&self, status: ExitStatus, stderr: String) -> StartError {
        let taken = [self.http_port, self.tcp_port].into_iter().find(|port| {
            *port != 0 && stderr.contains(&format!("Address already in use: 127.0.0.1:{port} "))
        });
        match taken {
            Some(port) => StartError::PortInUse { port },
            None => StartError::DiedAtStart { status: status.to_string(), stderr },
        }
    }
}

/// A ClickHouse that this process started, and that ends with it.
///
/// Dropping it stops it like [`Server::stop`], with nothing said of a failure.
#[derive(Debug)]
pub struct Server {
    data: DataDir,
    running: Running,
    http_port: u16,
    tcp_port: u16,
    stop_timeout: Duration,
}

impl Server {
    /// A server to be started; any free ports unless told otherwise.
    pub fn builder() -> Builder {
        Builder {
            data_dir: PathBuf::from("clickhouse-data"),
            http_port: 0,
            tcp_port: 0,
            host_executable: None,
            engine: None,
            extra_config: None,
            start_timeout: START_TIMEOUT,
            stop_timeout: STOP_TIMEOUT,
            detached: false,
        }
    }

    /// The HTTP address, such as `http://127.0.0.1:8123`.
    pub fn url(&self) -> String {
        url(self.http_port)
    }

    /// What the server answers to a query.
    pub fn query(&self, sql: &str) -> Result<String, QueryError> {
        query::query(&self.url(), sql)
    }

    /// The native protocol's address, such as `127.0.0.1:9000`.
    pub fn tcp_address(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.tcp_port)
    }

    /// The port of the HTTP protocol.
    pub fn http_port(&self) -> u16 {
        self.http_port
    }

    /// The port of the native protocol.
    pub fn tcp_port(&self) -> u16 {
        self.tcp_port
    }

    /// The engine's process.
    pub fn pid(&self) -> u32 {
        self.running.child.id()
    }

    /// The folder that keeps the tables, absolute.
    pub fn data_dir(&self) -> &Path {
        self.data.root()
    }

    /// How the engine ended, if it did without being asked to.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.running.child.try_wait()
    }

    /// Ends the engine in good order: running queries are waited for, within the builder's `stop_timeout`.
    pub fn stop(mut self) -> Result<(), StopError> {
        self.data.withdraw();
        self.running.stop(self.stop_timeout)
    }

    /// Kills the engine on the spot (SIGKILL), as a crash would.
    pub fn kill(mut self) {
        self.data.withdraw();
        self.running.kill();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.data.withdraw();
        // Killed if it does not end: nothing is left to say it to. Already ended is the common case (`stop`).
        let _ = self.running.stop(self.stop_timeout);
    }
}

/// An engine's process and what this one has of it.
#[derive(Debug)]
struct Running {
    child: Child,
    /// The engine lives as long as this pipe is open.
    stdin: Option<ChildStdin>,
    log: ErrorLog,
    begun: Instant,
}

impl Running {
    /// Waits until `ready` holds, the child ends or the time is over; how it ended, if it did.
    fn ended_before(&mut self, ready: impl Fn() -> bool, deadline: Instant) -> Option<ExitStatus> {
        while !ready() && Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(POLL_INTERVAL);
        }
        None
    }

    fn stop(&mut self, timeout: Duration) -> Result<(), StopError> {
        self.stdin = None;
        if self.ended_before(|| false, Instant::now() + timeout).is_some() {
            return Ok(());
        }
        self.kill();
        Err(StopError::Killed { pid: self.child.id(), after: timeout })
    }

    fn kill(&mut self) {
        // All fail only if it has ended already. The group, for an engine behind a wrapper script.
        if let (Ok(None), Ok(pid)) = (self.child.try_wait(), i32::try_from(self.child.id())) {
            let _ = Pid::from_raw(pid).map(|group| kill_process_group(group, Signal::KILL));
        }
        let _ = self.child.wait();
    }
}

/// The host executable: the one given, or this program if it can host.
pub(crate) fn host_program(given: Option<&Path>) -> Result<PathBuf, StartError> {
    match given {
        // Absolute: the engine's working directory is its data folder.
        Some(path) => {
            Ok(path.canonicalize().doing(|| format!("find the host executable {}", path.display()))?)
        }
        None if can_host() => Ok(env::current_exe().doing(|| "find this program's file".into())?),
        None => Err(StartError::NoHost),
    }
}

/// Whether this is how an engine complains of another one on its data folder (its error 76).
fn is_locked_by_another(stderr: &str) -> bool {
    stderr.contains("Code: 76.") && stderr.contains("Another server instance")
}

/// The HTTP and the native port of the engine's report, once it is written to its end.
fn read_report(path: &Path) -> Option<(u16, u16)> {
    let text = fs::read_to_string(path).ok()?;
    let (http, tcp) = text.strip_suffix('\n')?.split_once('\t')?;
    Some((http.parse().ok()?, tcp.parse().ok()?))
}

/// The HTTP address on loopback.
fn url(port: u16) -> String {
    format!("http://{}:{port}", Ipv4Addr::LOCALHOST)
}

fn ping(agent: &ureq::Agent, url: &str) -> bool {
    agent.get(format!("{url}/ping")).call().is_ok_and(|answer| answer.status().is_success())
}

fn remove_if_there(path: &Path) -> Result<(), IoError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
    .doing(|| format!("remove {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_once_it_is_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("ready.tsv");
        assert_eq!(read_report(&path), None);
        for (text, expected) in
            [("", None), ("8123\t90", None), ("8123\n", None), ("8123\t9000\n", Some((8123, 9000)))]
        {
            fs::write(&path, text).expect("the file can be written");
            assert_eq!(read_report(&path), expected, "{text:?}");
        }
    }

    /// A program that never called `run_if_host` (such as this test's) would run itself, not an engine.
    #[test]
    fn a_program_that_cannot_host_is_not_run() {
        assert!(matches!(host_program(None), Err(StartError::NoHost)));
    }
}

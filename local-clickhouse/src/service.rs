//! A server in the background, which outlives the program that starts it: `schoolbell warehouse`.
//!
//! [`start`] runs the host executable once more as a *supervisor*: a process of its own session that owns a
//! [`Server`] until it is told to end. It reports through its standard output whether the server answers, and
//! goes on without any of the starter's streams.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::data_dir::{self, State};
use crate::error::{Doing, IoError, StartError, StopError};
use crate::registry;
use crate::server::{Server, host_program};

/// The first argument that makes a host executable a supervisor.
pub(crate) const SUPERVISOR_ARGUMENT: &str = "__warehouse-supervisor";

/// Until a supervisor reports: longer than all that it waits for itself.
const REPORT_TIMEOUT: Duration = Duration::from_secs(120);
/// Until a supervisor that was told to end is killed: longer than it waits for its engine.
const STOP_TIMEOUT: Duration = Duration::from_secs(45);
/// Between two looks at the locks.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// What the supervisor writes beside the engine's files.
const LOG_FILE: &str = "supervisor.log";

/// How a background server is to be started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Options {
    /// The folder that keeps the tables; made if need be.
    pub data_dir: PathBuf,
    /// The port of the HTTP protocol; 0 is any free one.
    pub http_port: u16,
    /// The port of the native protocol; 0 is any free one.
    pub tcp_port: u16,
    /// The program to run as supervisor and engine: one whose `main` begins with [`crate::run_if_host`]. Default:
    /// the running program, if it has called that function.
    pub host_executable: Option<PathBuf>,
}

/// A background server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The HTTP address, such as `http://127.0.0.1:8123`.
    pub url: String,
    /// The native protocol's address, such as `127.0.0.1:9000`.
    pub tcp: String,
    /// The engine's process. SIGTERM ends it in good order, SIGKILL is a crash.
    pub pid: u32,
    /// The data folder, absolute.
    pub data: PathBuf,
}

impl Status {
    fn new(state: State, data: PathBuf) -> Self {
        Self { url: state.url, tcp: state.tcp, pid: state.pid, data }
    }
}

/// What a supervisor reports to its starter, as one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
enum Report {
    Answers(Status),
    PortInUse { port: u16 },
    AlreadyRunning { data_dir: PathBuf, pid: Option<u32>, url: Option<String> },
    DiedAtStart { status: String, stderr: String },
    Timeout { after: Duration, stderr: String },
    Other(String),
}

impl From<StartError> for Report {
    fn from(error: StartError) -> Self {
        match error {
            StartError::PortInUse { port } => Self::PortInUse { port },
            StartError::AlreadyRunning { data_dir, pid, url } => Self::AlreadyRunning { data_dir, pid, url },
            StartError::DiedAtStart { status, stderr } => Self::DiedAtStart { status, stderr },
            StartError::Timeout { after, stderr } => Self::Timeout { after, stderr },
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<Report> for Result<Status, StartError> {
    fn from(report: Report) -> Self {
        Err(match report {
            Report::Answers(status) => return Ok(status),
            Report::PortInUse { port } => StartError::PortInUse { port },
            Report::AlreadyRunning { data_dir, pid, url } => {
                StartError::AlreadyRunning { data_dir, pid, url }
            }
            Report::DiedAtStart { status, stderr } => StartError::DiedAtStart { status, stderr },
            Report::Timeout { after, stderr } => StartError::Timeout { after, stderr },
            Report::Other(message) => StartError::Supervisor { message },
        })
    }
}

/// Starts a background server and returns when it answers.
pub fn start(options: &Options) -> Result<Status, StartError> {
    // Said here already, where it is an error of its own type.
    crate::Engine::find()?;
    let host = host_program(options.host_executable.as_deref())?;
    let data = &options.data_dir;
    std::fs::create_dir_all(data).doing(|| format!("make the data folder {}", data.display()))?;
    let data = data.canonicalize().doing(|| format!("open the data folder {}", data.display()))?;
    let log = data.join(LOG_FILE);
    let errors =
        File::options().append(true).create(true).open(&log).doing(|| format!("open {}", log.display()))?;
    let options = Options { data_dir: data, host_executable: Some(host.clone()), ..options.clone() };
    let options =
        serde_json::to_string(&options).map_err(io::Error::from).doing(|| "tell the supervisor".into())?;
    let mut supervisor = Command::new(&host)
        .args([SUPERVISOR_ARGUMENT, &options])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .doing(|| format!("run {}", host.display()))?;

    let stdout = supervisor.stdout.take().expect("standard output is piped");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line).map(|_| line);
        // The receiver is gone after a time-out only.
        let _ = sender.send(read);
    });
    let failed = |message: String| Err(StartError::Supervisor { message });
    let Ok(line) = receiver.recv_timeout(REPORT_TIMEOUT) else {
        let _ = supervisor.kill();
        let _ = supervisor.wait();
        return failed(format!("no report within {REPORT_TIMEOUT:?}; see {}", log.display()));
    };
    if let Ok(report) = line.and_then(|line| serde_json::from_str::<Report>(&line).map_err(io::Error::from)) {
        // Reaped at its end, should this process live to see it.
        thread::spawn(move || supervisor.wait());
        return report.into();
    }
    let _ = supervisor.kill();
    let ended = supervisor.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
    failed(format!("it ended without a report ({ended}); see {}", log.display()))
}

/// The server that answers for this data folder, background or not; `None` if there is none.
pub fn status(data_dir: &Path) -> io::Result<Option<Status>> {
    let state = data_dir::running(data_dir)?;
    state.map(|state| Ok(Status::new(state, data_dir.canonicalize()?))).transpose()
}

/// The background servers that this user runs, wherever they were started.
pub fn running() -> Vec<Status> {
    let state = |data_dir: &Path| data_dir::running(data_dir).ok().flatten().filter(|state| state.detached);
    let folders = registry::noted(|data_dir| state(data_dir).is_some());
    folders.into_iter().filter_map(|data_dir| Some(Status::new(state(&data_dir)?, data_dir))).collect()
}

/// Ends the background server on this data folder in good order, and returns when it has ended; what it was, or
/// `None` if there was none.
pub fn stop(data_dir: &Path) -> Result<Option<Status>, StopError> {
    let held = || data_dir::is_held(data_dir).doing(|| format!("look at the lock in {}", data_dir.display()));
    let state =
        data_dir::running(data_dir).doing(|| format!("read the state file in {}", data_dir.display()))?;
    let Some(state) = state else {
        return if held()? { Err(StopError::Unknown { data_dir: data_dir.to_owned() }) } else { Ok(None) };
    };
    let data = data_dir.canonicalize().doing(|| format!("open the data folder {}", data_dir.display()))?;
    let owner = state.owner;
    if !state.detached {
        return Err(StopError::NotDetached { data_dir: data, owner });
    }
    signal(owner, Signal::TERM)?;
    let deadline = Instant::now() + STOP_TIMEOUT;
    while held()? {
        if Instant::now() > deadline {
            signal(state.pid, Signal::KILL)?;
            signal(owner, Signal::KILL)?;
            return Err(StopError::Killed { pid: state.pid, after: STOP_TIMEOUT });
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(Some(Status::new(state, data)))
}

/// Runs a server in the foreground until SIGTERM or SIGINT; `ready` is told when it answers.
pub fn run(options: &Options, ready: impl FnOnce(&Status)) -> Result<(), RunError> {
    // Before the engine starts, so that no signal is missed.
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGCHLD])
        .doing(|| "listen for signals".into())
        .map_err(|error| RunError::Start(error.into()))?;
    let mut builder = Server::builder()
        .data_dir(&options.data_dir)
        .http_port(options.http_port)
        .tcp_port(options.tcp_port)
        .detached();
    if let Some(host) = &options.host_executable {
        builder = builder.host_executable(host);
    }
    let mut server = builder.start()?;
    if let Err(error) = registry::note(server.data_dir()) {
        // It is found in its folder all the same.
        eprintln!("this server cannot be noted among the user's: {error}");
    }
    ready(&Status {
        url: server.url(),
        tcp: server.tcp_address(),
        pid: server.pid(),
        data: server.data_dir().to_owned(),
    });
    loop {
        for signal in signals.wait() {
            if signal != SIGCHLD {
                return Ok(server.stop()?);
            }
            // Ours, or of another child.
            if let Ok(Some(status)) = server.ended() {
                return if status.success() {
                    Ok(())
                } else {
                    Err(RunError::Ended { status: status.to_string() })
                };
            }
        }
    }
}

/// What ended a server in the foreground other than a signal to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It did not stop as told.
    #[error(transparent)]
    Stop(#[from] StopError),
    /// The engine ended by itself.
    #[error("the ClickHouse engine ended without being told to ({status})")]
    Ended {
        /// How it ended.
        status: String,
    },
}

/// The supervisor's `main`; its argument is the [`Options`] as JSON.
pub(crate) fn supervise(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let outcome = detach().and_then(|()| {
        let options = arguments.next().and_then(|options| options.into_string().ok()).unwrap_or_default();
        Ok(serde_json::from_str::<Options>(&options)?)
    });
    let options = match outcome {
        Ok(options) => options,
        Err(error) => return fail(&error.to_string(), Some(Report::Other(error.to_string()))),
    };
    let outcome = run(&options, |status| {
        report(&Report::Answers(status.clone()));
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(RunError::Start(error)) => fail(&error.to_string(), Some(error.into())),
        Err(error) => fail(&error.to_string(), None),
    }
}

/// Leaves the starter's session and its working directory, which could not be unmounted otherwise.
fn detach() -> io::Result<()> {
    rustix::process::setsid()?;
    std::env::set_current_dir("/")
}

/// Reports to the starter, and lets go of its pipe.
fn report(report: &Report) {
    let line = serde_json::to_string(report).expect("a report has no map with keys other than strings");
    let mut stdout = io::stdout().lock();
    // The starter may be gone by now: the server runs all the same, and `status` finds it.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    drop(stdout);
    if let Ok(null) = File::options().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(&null);
    }
}

/// Says what failed in the log, and to the starter if it still waits.
fn fail(message: &str, to_starter: Option<Report>) -> ExitCode {
    eprintln!("{message}");
    if let Some(failure) = to_starter {
        report(&failure);
    }
    ExitCode::FAILURE
}

fn signal(process: u32, signal: Signal) -> Result<(), IoError> {
    let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return Ok(()) };
    match kill_process(pid, signal) {
        // It ended in between.
        Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
        Err(error) => Err(error).doing(|| format!("signal process {process}")),
    }
}

//! What the tests of real engines share.

// Each test binary has its own copy and uses a part of it.
#![allow(dead_code)]

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use local_clickhouse::{Builder, Server};

/// The host executable of this crate.
pub(crate) const HOST: &str = env!("CARGO_BIN_EXE_local-clickhouse-host");

/// A server on `data` with any free ports.
pub(crate) fn builder(data: &Path) -> Builder {
    Server::builder().data_dir(data).host_executable(HOST)
}

/// Asks the engine at `url`; panics with its words if it refuses.
pub(crate) fn query(url: &str, sql: &str) -> String {
    let config = ureq::Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build();
    let mut response = ureq::Agent::from(config).post(url).send(sql).expect("the engine answers");
    let status = response.status();
    let body = response.body_mut().read_to_string().expect("the answer is text");
    assert!(status.is_success(), "{sql}: {body}");
    body
}

/// Makes a database, a table and three rows in it.
pub(crate) fn write_rows(url: &str) {
    query(url, "CREATE DATABASE school");
    query(url, "CREATE TABLE school.lessons (id UInt32, name String) ENGINE = MergeTree ORDER BY id");
    query(url, "INSERT INTO school.lessons VALUES (1, 'one'), (2, 'two'), (3, 'three')");
}

/// The rows of [`write_rows`], as the engine has them.
pub(crate) fn read_rows(url: &str) -> String {
    query(url, "SELECT groupArray(name) FROM (SELECT name FROM school.lessons ORDER BY id)")
}

/// What [`read_rows`] returns if all is there.
pub(crate) const ROWS: &str = "['one','two','three']\n";

/// Waits, bounded, until something holds.
pub(crate) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "after 30 s still not: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process runs; one that has ended and is not yet reaped does not.
pub(crate) fn lives(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

/// Sends a signal.
pub(crate) fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
    rustix::process::kill_process(pid, signal).expect("the process can be signalled");
}

//! The background server, and that nothing of it outlives its owner.

mod common;

use std::fs;
use std::path::Path;

use common::{HOST, ROWS, builder, lives, query, read_rows, signal, wait_until, write_rows};
use local_clickhouse::service::{self, Options, Status};
use local_clickhouse::{StartError, StopError};
use rustix::process::Signal;

fn options(data: &Path) -> Options {
    Options { data_dir: data.to_owned(), http_port: 0, tcp_port: 0, host_executable: Some(HOST.into()) }
}

/// The process that owns the engine, of the state file.
fn supervisor(data: &Path) -> u32 {
    let state = fs::read(data.join("server.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    state["owner"].as_u64().and_then(|pid| u32::try_from(pid).ok()).unwrap()
}

/// Stops the server at the end of a test, whichever way that ends.
struct Stopped<'a>(&'a Path);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let _ = service::stop(self.0);
    }
}

#[test]
fn start_status_stop() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let _stopped = Stopped(data);
    assert_eq!(service::status(data).unwrap(), None);
    assert_eq!(service::stop(data).unwrap(), None);

    let started = service::start(&options(data)).unwrap();
    assert_eq!(started.data, data.canonicalize().unwrap());
    assert!(lives(started.pid));
    write_rows(&started.url);
    assert_eq!(service::status(data).unwrap().as_ref(), Some(&started));
    let json = serde_json::to_value(&started).unwrap();
    let mut keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["data", "pid", "tcp", "url"]);

    match service::start(&options(data)) {
        Err(StartError::AlreadyRunning { url, pid, .. }) => {
            assert_eq!((url.as_deref(), pid), (Some(started.url.as_str()), Some(started.pid)));
        }
        other => panic!("{other:?}"),
    }

    let owner = supervisor(data);
    assert_eq!(service::stop(data).unwrap().as_ref(), Some(&started));
    assert!(!lives(started.pid));
    wait_until("the supervisor ends", || !lives(owner));
    assert_eq!(service::status(data).unwrap(), None);
    assert_eq!(service::stop(data).unwrap(), None);

    let again = service::start(&options(data)).unwrap();
    assert_eq!(read_rows(&again.url), ROWS);
}

#[test]
fn a_failed_start_is_told_with_its_reason() {
    let foreign = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = foreign.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let refused = service::start(&Options { http_port: port, ..options(folder.path()) });
    assert!(matches!(refused, Err(StartError::PortInUse { port: named }) if named == port), "{refused:?}");
    assert_eq!(service::status(folder.path()).unwrap(), None);
}

#[test]
fn of_two_starts_at_once_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let _stopped = Stopped(data);
    let outcomes: Vec<Result<Status, StartError>> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..2).map(|_| scope.spawn(|| service::start(&options(data)))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 1), "{won:?} {lost:?}");
    assert!(matches!(lost[0], Err(StartError::AlreadyRunning { .. })), "{lost:?}");
    assert_eq!(query(&won[0].as_ref().unwrap().url, "SELECT 1"), "1\n");
}

/// SIGKILL to the owner: nothing of it runs a line of clean-up code.
#[test]
fn an_engine_does_not_outlive_its_killed_owner() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let _stopped = Stopped(data);
    let started = service::start(&options(data)).unwrap();
    write_rows(&started.url);
    signal(supervisor(data), Signal::KILL);
    wait_until("the engine ends", || !lives(started.pid));
    assert_eq!(service::status(data).unwrap(), None, "a state file that nobody has locked is not believed");
    let again = service::start(&options(data)).unwrap();
    assert_eq!(read_rows(&again.url), ROWS);
}

/// The engine of a dead owner first finishes the query that it runs; the next start waits for it.
#[test]
fn a_start_waits_for_the_engine_of_a_dead_owner() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let _stopped = Stopped(data);
    let started = service::start(&options(data)).unwrap();
    write_rows(&started.url);
    let asking = std::thread::spawn({
        let url = started.url.clone();
        move || query(&url, "SELECT count(sleepEachRow(1)) FROM numbers(3) SETTINGS max_block_size = 1")
    });
    wait_until("the query runs", || {
        query(&started.url, "SELECT count() FROM system.processes WHERE query LIKE '%count(sleepEachRow%'")
            == "2\n"
    });
    signal(supervisor(data), Signal::KILL);
    wait_until("the owner is dead", || service::status(data).unwrap().is_none());
    assert!(lives(started.pid), "the engine waits for its query");
    let again = service::start(&options(data)).unwrap();
    assert_ne!(again.pid, started.pid);
    assert!(!lives(started.pid));
    assert_eq!(read_rows(&again.url), ROWS);
    assert_eq!(asking.join().unwrap(), "3\n");
}

#[test]
fn a_crash_of_the_engine_ends_its_supervisor() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let _stopped = Stopped(data);
    let started = service::start(&options(data)).unwrap();
    write_rows(&started.url);
    let owner = supervisor(data);
    signal(started.pid, Signal::KILL);
    // At once: the supervisor may not have noticed yet.
    let again = service::start(&options(data)).unwrap();
    assert_eq!(read_rows(&again.url), ROWS);
    wait_until("the supervisor ends", || !lives(owner));
    let said = fs::read_to_string(data.join("supervisor.log")).unwrap();
    assert!(said.contains("ended without being told to (signal: 9"), "{said}");
}

/// Left alone, the engine would die of the signal and leave the query of the moment without its answer.
#[test]
fn sigterm_to_the_engine_is_a_stop_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let _stopped = Stopped(data);
    let started = service::start(&options(data)).unwrap();
    let owner = supervisor(data);
    let asking = std::thread::spawn({
        let url = started.url.clone();
        move || query(&url, "SELECT count(sleepEachRow(1)) FROM numbers(2) SETTINGS max_block_size = 1")
    });
    wait_until("the query runs", || {
        query(&started.url, "SELECT count() FROM system.processes WHERE query LIKE '%count(sleepEachRow%'")
            == "2\n"
    });
    signal(started.pid, Signal::TERM);
    assert_eq!(asking.join().unwrap(), "2\n");
    wait_until("the engine and its supervisor end", || !lives(started.pid) && !lives(owner));
    assert_eq!(service::status(data).unwrap(), None);
}

#[test]
fn a_server_of_another_program_is_seen_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = builder(folder.path()).start().unwrap();
    let seen = service::status(folder.path()).unwrap().expect("it is seen");
    assert_eq!((seen.url, seen.pid), (server.url(), server.pid()));
    let refused = service::stop(folder.path());
    assert!(
        matches!(refused, Err(StopError::NotDetached { owner, .. }) if owner == std::process::id()),
        "{refused:?}"
    );
    assert_eq!(query(&server.url(), "SELECT 1"), "1\n");
}

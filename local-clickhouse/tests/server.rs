//! A real engine: started, asked, stopped, killed, and in the way of another.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use common::{HOST, ROWS, builder, lives, query, read_rows, wait_until, write_rows};
use local_clickhouse::{Engine, StartError, StopError};

#[test]
fn answers_on_both_ports_of_loopback_only() {
    let data = tempfile::tempdir().unwrap();
    let server = builder(data.path()).start().unwrap();
    assert_eq!(server.url(), format!("http://127.0.0.1:{}", server.http_port()));
    assert_eq!(query(&server.url(), "SELECT getServerPort('tcp_port')"), format!("{}\n", server.tcp_port()));

    // An engine tells those who speak HTTP to its native port so.
    let mut native = TcpStream::connect(server.tcp_address()).unwrap();
    native.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    native.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("clickhouse-client"), "{answer}");

    for port in [server.http_port(), server.tcp_port()] {
        assert!(TcpStream::connect(("127.0.0.2", port)).is_err(), "port {port} is open beyond 127.0.0.1");
    }
    server.stop().unwrap();
}

#[test]
fn rows_outlive_a_stop_and_a_crash() {
    let data = tempfile::tempdir().unwrap();
    let server = builder(data.path()).start().unwrap();
    write_rows(&server.url());
    server.stop().unwrap();

    let server = builder(data.path()).start().unwrap();
    assert_eq!(read_rows(&server.url()), ROWS);
    query(
        &server.url(),
        "CREATE TABLE school.again ENGINE = MergeTree ORDER BY id AS SELECT * FROM school.lessons",
    );
    let pid = server.pid();
    server.kill();
    assert!(!lives(pid));

    let server = builder(data.path()).start().unwrap();
    assert_eq!(read_rows(&server.url()), ROWS);
    assert_eq!(query(&server.url(), "SELECT count() FROM school.again"), "3\n");
}

#[test]
fn dropping_a_server_ends_it() {
    let data = tempfile::tempdir().unwrap();
    let server = builder(data.path()).start().unwrap();
    let pid = server.pid();
    assert!(lives(pid));
    drop(server);
    assert!(!lives(pid));
}

#[test]
fn a_taken_port_is_named() {
    let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = foreign.local_addr().unwrap().port();
    let data = tempfile::tempdir().unwrap();
    for builder in [builder(data.path()).http_port(port), builder(data.path()).tcp_port(port)] {
        match builder.start() {
            Err(StartError::PortInUse { port: named }) => assert_eq!(named, port),
            other => panic!("{other:?}"),
        }
    }
}

/// The one that answers there is a ClickHouse too, and in perfect health: only not ours.
#[test]
fn another_clickhouse_is_not_taken_for_ours() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other = builder(first.path()).start().unwrap();
    let refused = builder(second.path()).http_port(other.http_port()).start();
    assert!(
        matches!(refused, Err(StartError::PortInUse { port }) if port == other.http_port()),
        "{refused:?}"
    );
    assert_eq!(query(&other.url(), "SELECT 1"), "1\n");
}

#[test]
fn a_data_folder_has_one_server() {
    let data = tempfile::tempdir().unwrap();
    let server = builder(data.path()).start().unwrap();
    match builder(data.path()).start() {
        Err(StartError::AlreadyRunning { data_dir, pid, url }) => {
            assert_eq!(data_dir, data.path().canonicalize().unwrap());
            assert_eq!((pid, url), (Some(server.pid()), Some(server.url())));
        }
        other => panic!("{other:?}"),
    }
    server.stop().unwrap();
    builder(data.path()).start().unwrap();
}

#[test]
fn queries_and_parts_are_logged() {
    let data = tempfile::tempdir().unwrap();
    // Twice: a log table must not stand in the way of the next start.
    for _ in 0..2 {
        let server = builder(data.path()).start().unwrap();
        query(&server.url(), "CREATE TABLE default.t (n UInt8) ENGINE = MergeTree ORDER BY n");
        query(&server.url(), "INSERT INTO default.t SETTINGS async_insert = 0 VALUES (1)");
        query(&server.url(), "SYSTEM FLUSH LOGS");
        let logged =
            "SELECT count() FROM system.query_log WHERE type = 'QueryFinish' AND query_kind = 'Create'";
        assert_eq!(query(&server.url(), logged), "1\n");
        let parts = "SELECT count() FROM system.part_log WHERE event_type = 'NewPart' AND table = 't'";
        assert_eq!(query(&server.url(), parts), "1\n");
        query(&server.url(), "DROP TABLE default.t SYNC");
        server.stop().unwrap();
    }
}

#[test]
fn memory_is_bounded_and_times_are_utc() {
    let data = tempfile::tempdir().unwrap();
    let server = builder(data.path()).start().unwrap();
    let bound =
        "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage_to_ram_ratio'";
    assert_eq!(query(&server.url(), bound), "0.6\n");
    assert_eq!(query(&server.url(), "SELECT serverTimezone()"), "UTC\n");
}

#[test]
fn settings_can_be_added_for_one_start() {
    let data = tempfile::tempdir().unwrap();
    let xml = "<clickhouse><remote_servers><pair><shard><replica><host>127.0.0.1</host><port>9000</port></replica>\
               </shard></pair></remote_servers><max_server_memory_usage_to_ram_ratio>0.3\
               </max_server_memory_usage_to_ram_ratio></clickhouse>";
    let known = "SELECT count() FROM system.clusters WHERE cluster = 'pair'";
    let server = builder(data.path()).extra_config(xml).start().unwrap();
    assert_eq!(query(&server.url(), known), "1\n");
    let bound =
        "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage_to_ram_ratio'";
    assert_eq!(query(&server.url(), bound), "0.3\n", "the added setting holds");
    server.stop().unwrap();
    let server = builder(data.path()).start().unwrap();
    assert_eq!(query(&server.url(), known), "0\n");
}

#[test]
fn the_last_words_of_a_failed_start_are_told() {
    let data = tempfile::tempdir().unwrap();
    match builder(data.path()).extra_config("<clickhouse><unclosed></clickhouse>").start() {
        Err(StartError::DiedAtStart { stderr, .. }) => assert!(stderr.contains("extra.xml"), "{stderr}"),
        other => panic!("{other:?}"),
    }
    builder(data.path()).start().unwrap();
}

#[test]
fn a_start_that_takes_too_long_leaves_nothing_behind() {
    let data = tempfile::tempdir().unwrap();
    let after = Duration::from_millis(1);
    let late = builder(data.path()).start_timeout(after).start();
    assert!(matches!(late, Err(StartError::Timeout { after: told, .. }) if told == after), "{late:?}");
    // A process left behind would hold the folder.
    builder(data.path()).start().unwrap();
}

#[test]
fn a_stop_waits_for_queries_within_its_bound() {
    let data = tempfile::tempdir().unwrap();
    let bound = Duration::from_secs(2);
    let server = builder(data.path()).stop_timeout(bound).start().unwrap();
    let (url, pid) = (server.url(), server.pid());
    let endless = "SELECT sleepEachRow(1) FROM numbers(100000) SETTINGS max_block_size = 1 FORMAT Null";
    let asking = std::thread::spawn({
        let url = url.clone();
        // It is cut short, and may fail in any way.
        move || std::panic::catch_unwind(|| query(&url, endless))
    });
    wait_until("the query runs", || {
        query(&url, "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow(1)%100000%'")
            == "2\n"
    });
    let begun = Instant::now();
    let stopped = server.stop();
    assert!(matches!(stopped, Err(StopError::Killed { pid: named, .. }) if named == pid), "{stopped:?}");
    assert!(begun.elapsed() >= bound);
    assert!(!lives(pid));
    let _ = asking.join();
}

/// An installed `clickhouse` is run with the same arguments; without one, a script around the engine library is.
#[test]
fn an_installed_clickhouse_serves_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let engine = match Engine::find().unwrap() {
        Engine::Library { path } => {
            let script = folder.path().join("clickhouse");
            let (argument, library) = (local_clickhouse::HOST_ARGUMENT, path.display());
            let text = format!("#!/bin/sh\nshift\nexec '{HOST}' {argument} '{library}' \"$@\"\n");
            fs::write(&script, text).unwrap();
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
            Engine::Binary { path: script, version: "of the library".into() }
        }
        installed => installed,
    };
    let data = folder.path().join("data");
    let server = local_clickhouse::Server::builder().data_dir(&data).engine(engine.clone()).start().unwrap();
    write_rows(&server.url());
    server.stop().unwrap();
    let server = local_clickhouse::Server::builder().data_dir(&data).engine(engine).start().unwrap();
    assert_eq!(read_rows(&server.url()), ROWS);
}

//! "Committed already" is said only of rows that are there; and what takes rows away is named.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use event_generator::{Layout, Plan, write_files};
use integration_tests::world::World;
use serde_json::{Value, json};

const DAY: &str = "2026-03-01";
const FILE: &str = "2026-03-01.jsonl";

/// A world with a day in a file, of all tables and with rejected lines.
fn world(name: &str) -> World {
    let world = World::new(name);
    let plan = Plan { reject_share: 0.02, ..Plan::new(DAY.parse().unwrap(), 1, 3000) };
    write_files(&plan, world.folder(), Layout::default(), |_| ()).unwrap();
    world
}

fn load(world: &World, more: &[&str]) -> (Value, String) {
    let arguments =
        [&["load", "--output", "json", "--max-reject-ratio", "1", "--batch-date", DAY], more].concat();
    let finished = world.run(&arguments);
    assert_eq!(finished.code, 0, "{more:?}: {}", finished.stderr);
    (serde_json::from_str(&finished.stdout).unwrap(), finished.stderr)
}

/// The tables were truncated, and the same file again was "loaded already".
#[test]
fn a_day_whose_rows_are_gone_is_loaded_again() {
    let world = world("rows_gone");
    load(&world, &[FILE]);
    let whole = world.contents();
    let tables =
        ["events", "purchases", "task_results", "sessions", "ab_test_assignments", "rejected_events"];
    for table in tables {
        assert_eq!(load(&world, &[FILE]).0["status"], "already_loaded", "{table}");
        world.query(&format!("TRUNCATE TABLE {{raw}}.{table}_data"));
        let (report, told) = load(&world, &[FILE]);
        assert_eq!(report["status"], "committed", "{table}");
        assert!(told.contains(&format!("{table}_data had 0 of the ")), "{told}");
        assert!(told.contains("the day was loaded again"), "{told}");
        assert_eq!(world.contents(), whole, "{table}");
    }
    // Some rows, not all; and twice as many.
    world.query("DELETE FROM {raw}.events_data WHERE cityHash64(event_id) % 2 = 0");
    assert_eq!(load(&world, &[FILE]).0["status"], "committed");
    world.query("INSERT INTO {raw}.sessions_data SELECT * FROM {raw}.sessions_data");
    assert_eq!(load(&world, &[FILE]).0["status"], "committed");
    assert_eq!(world.contents(), whole);
}

#[test]
fn a_stream_whose_rows_are_gone_is_loaded_again() {
    let world = world("stream_rows_gone");
    let lines = fs::read(world.path(FILE)).unwrap();
    let load = || {
        let mut command = world.schoolbell();
        command.args(["load", "--output", "json", "--max-reject-ratio", "1", "--batch-date", DAY, "-"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&lines).unwrap();
        let output = child.wait_with_output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["status"].clone()
    };
    assert_eq!((load(), load()), (json!("committed"), json!("already_loaded")));
    let whole = world.contents();
    world.query("TRUNCATE TABLE {raw}.events_data");
    assert_eq!(load(), json!("committed"));
    assert_eq!(world.contents(), whole);
}

#[test]
fn staged_rows_that_are_gone_are_staged_again() {
    let world = world("staged_rows_gone");
    let staged = load(&world, &["--stage", FILE]).0;
    assert_eq!(load(&world, &["--stage", FILE]).0["load_id"], staged["load_id"]);
    world.query("TRUNCATE TABLE {raw}.task_results_data");
    let (again, told) = load(&world, &["--stage", FILE]);
    assert_ne!(again["load_id"], staged["load_id"]);
    assert!(told.contains("task_results_data had 0 of the "), "{told}");
    assert_eq!(load(&world, &["--commit"]).0["load_id"], again["load_id"]);
    let whole = world.contents();

    // Committed, and then gone: there is nothing left to commit. Staged again, there is.
    world.query("TRUNCATE TABLE {raw}.task_results_data");
    let refused = world.run(&["load", "--batch-date", DAY, "--commit", "--max-reject-ratio", "1"]);
    assert_eq!(refused.code, 66, "{}", refused.stderr);
    assert!(refused.stderr.contains("stage its sources again"), "{}", refused.stderr);
    load(&world, &["--stage", FILE]);
    assert_eq!(load(&world, &["--commit"]).0["status"], "committed");
    assert_eq!(world.contents(), whole);
}

/// Lines that a replay has accepted are in two tables: they are counted once.
#[test]
fn a_day_with_replayed_lines_is_not_taken_for_a_damaged_one() {
    let world = world("replayed_rows");
    load(&world, &[FILE]);
    world.succeed(&["rejects", "export", "--batch-date", DAY, "--out", "bad.jsonl"]);
    let bad = fs::read(world.path("bad.jsonl")).unwrap();
    let lines = String::from_utf8_lossy(&bad).lines().count();
    let good = r#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"2026-03-01T09:30:00Z"}"#;
    // The others stay as they are.
    fs::write(world.path("bad.jsonl"), format!("{good}{}", "\n".repeat(lines))).unwrap();
    world.succeed(&["rejects", "replay", "--batch-date", DAY, "--from", "bad.jsonl"]);
    assert_eq!(load(&world, &[FILE]).0["status"], "already_loaded");
}

/// "Load the day again" was said for ever, and could not help.
#[test]
fn a_ttl_that_removes_the_rows_is_named() {
    let world = world("ttl");
    world.query("ALTER TABLE {raw}.events_data MODIFY TTL event_time + INTERVAL 1 DAY DELETE");
    for arguments in [&["load"][..], &["load", "--stage"]] {
        let arguments = [arguments, &["--max-reject-ratio", "1", "--batch-date", DAY, FILE]].concat();
        let refused = world.run(&arguments);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        for told in ["events_data has 0 rows", "its TTL (event_time + toIntervalDay(1))", "REMOVE TTL"] {
            assert!(refused.stderr.contains(told), "{told} in: {}", refused.stderr);
        }
        assert!(!refused.stderr.contains("load the day again"), "{}", refused.stderr);
    }
    // One that lets the day alone is nobody's business.
    world.query("ALTER TABLE {raw}.events_data MODIFY TTL event_time + INTERVAL 90 YEAR DELETE");
    load(&world, &[FILE]);
}

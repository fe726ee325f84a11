//! Loads that are killed, refused, or not alone: the day is whole, the old one or the new one.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use event_generator::{Generator, Plan};
use integration_tests::world::World;
use serde_json::{Value, json};

const DAY: &str = "2026-03-01";

/// A day's lines of another world each seed.
fn lines(seed: u64) -> Vec<u8> {
    let plan = Plan { seed, ..Plan::new(DAY.parse().unwrap(), 1, 2000) };
    let mut lines = Vec::new();
    Generator::new(plan).unwrap().write_day(DAY.parse().unwrap(), 0, 1, &mut lines).unwrap();
    lines
}

/// Rows, a hash of them and how many loads they are of, in every table.
fn contents(world: &World) -> Vec<Value> {
    ["events", "purchases", "task_results", "sessions", "ab_test_assignments", "rejected_events"]
        .iter()
        .flat_map(|table| {
            world.query(&format!(
                "SELECT '{table}', count(), sum(sipHash64(* EXCEPT (load_id, source_file))), uniqExact(load_id) \
                 FROM {{raw}}.{table}"
            ))
        })
        .collect()
}

#[test]
fn two_loads_of_one_date_at_once_leave_one_of_them_whole() {
    let world = World::new("at_once");
    let mut whole = Vec::new();
    for (name, seed) in [("a.jsonl", 1), ("b.jsonl", 2)] {
        fs::write(world.path(name), lines(seed)).unwrap();
        world.load(DAY, &[name]);
        whole.push(contents(&world));
    }
    for _ in 0..5 {
        let both = ["a.jsonl", "b.jsonl"].map(|name| {
            let mut load = world.schoolbell();
            load.args(["load", "--quiet", "--force", "--batch-date", DAY, name]).stdout(Stdio::null());
            load.spawn().unwrap()
        });
        for mut load in both {
            assert!(load.wait().unwrap().success());
        }
        let found = contents(&world);
        assert!(whole.contains(&found), "{found:?} is neither of {whole:?}");
    }
}

#[test]
fn a_killed_load_leaves_the_day_as_it_was_and_the_next_one_is_whole() {
    let world = World::new("killed");
    let (old, new) = (lines(1), lines(2));
    fs::write(world.path("old.jsonl"), &old).unwrap();
    world.load(DAY, &["old.jsonl"]);
    let before = contents(&world);

    let mut load = world.schoolbell();
    load.args(["load", "--batch-date", DAY, "-"]).stdin(Stdio::piped());
    let mut load = load.spawn().unwrap();
    // Its standard input stays open: the load cannot have come to its end.
    load.stdin.as_mut().unwrap().write_all(&new).unwrap();
    load.kill().unwrap();
    load.wait().unwrap();
    assert_eq!(contents(&world), before);

    fs::write(world.path("new.jsonl"), &new).unwrap();
    world.load(DAY, &["new.jsonl"]);
    let after = contents(&world);
    assert_ne!(after, before);
    let alone = World::new("killed_alone");
    fs::write(alone.path("new.jsonl"), &new).unwrap();
    alone.load(DAY, &["new.jsonl"]);
    assert_eq!(after, contents(&alone));
}

#[test]
fn a_refused_commit_is_told_with_the_servers_words_and_leaves_no_rows() {
    let world = World::new("refused");
    fs::write(world.path("day.jsonl"), lines(1)).unwrap();
    world.query("ALTER TABLE {raw}.loads ADD CONSTRAINT nobody CHECK lines = 0");
    let failed = world.run(&["load", "--batch-date", DAY, "day.jsonl"]);
    assert_ne!(failed.code, 0);
    assert!(failed.stderr.contains("nobody"), "{}", failed.stderr);
    assert_eq!(world.query("SELECT count() FROM {raw}.events_data"), [json!([0])]);

    world.query("ALTER TABLE {raw}.loads DROP CONSTRAINT nobody");
    assert_eq!(world.load(DAY, &["day.jsonl"])["status"], "committed");
}

#[test]
fn what_a_load_wrote_lately_is_never_swept() {
    let world = World::new("sweep");
    fs::write(world.path("day.jsonl"), lines(1)).unwrap();
    // A load that began two days ago by its own clock, and wrote a moment ago.
    let began = SystemTime::now() - Duration::from_secs(48 * 3600);
    let began = began.duration_since(UNIX_EPOCH).unwrap();
    let hex = format!("{:012x}70008000000000000000", began.as_millis());
    let id = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    world.query(&format!(
        "INSERT INTO {{raw}}.events_data (batch_date, load_id) VALUES ('2026-02-28', '{id}')"
    ));
    world.load(DAY, &["day.jsonl"]);
    let kept = world.query(&format!("SELECT count() FROM {{raw}}.events_data WHERE load_id = '{id}'"));
    assert_eq!(kept, [json!([1])]);
    assert_eq!(world.query("SELECT count() FROM {raw}.events WHERE batch_date = '2026-02-28'"), [json!([0])]);
}

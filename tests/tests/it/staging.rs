//! Many hands: loads staged one by one, and the one commit that makes them the day.

use std::fs;

use event_generator::{Layout, Plan, write_files};
use integration_tests::world::World;
use serde_json::{Value, json};

const DAY: &str = "2026-03-01";
const TABLES: [&str; 6] =
    ["events", "purchases", "task_results", "sessions", "ab_test_assignments", "rejected_events"];

/// Writes the day in three files and answers their names.
fn generate(world: &World, folder: &str, seed: u64) -> Vec<String> {
    let plan = Plan { seed, ..Plan::new(DAY.parse().unwrap(), 1, 2000) };
    write_files(&plan, &world.folder().join(folder), Layout { parts: 3, ..Layout::default() }, |_| ())
        .unwrap();
    let mut names: Vec<String> = fs::read_dir(world.path(folder))
        .unwrap()
        .map(|entry| format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap()))
        .filter(|name| name.contains(DAY))
        .collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    names
}

fn contents(world: &World) -> Vec<Value> {
    let contents = |table: &&str| {
        world.query(&format!(
            "SELECT '{table}', count(), sum(sipHash64(* EXCEPT (load_id))) FROM {{raw}}.{table}"
        ))
    };
    TABLES.iter().flat_map(contents).collect()
}

fn stage(world: &World, name: &str) -> Value {
    world.load(DAY, &["--stage", name])
}

#[test]
fn loads_staged_apart_are_the_same_day_as_one_load() {
    let (world, alone) = (World::new("staged"), World::new("staged_alone"));
    let parts = generate(&world, "parts", 5);
    generate(&alone, "parts", 5);
    let at_once = alone.load(DAY, &["parts/*.jsonl"]);

    let staged: Vec<Value> = parts.iter().map(|part| stage(&world, part)).collect();
    assert!(staged.iter().all(|report| report["status"] == "staged"), "{staged:?}");
    // Staged again: the same load.
    assert_eq!(stage(&world, &parts[1])["load_id"], staged[1]["load_id"]);
    assert!(contents(&world).iter().all(|table| table[1] == 0), "nothing can be seen yet");

    let committed = world.load(DAY, &["--commit"]);
    assert_eq!(committed["status"], "committed");
    assert_eq!(contents(&world), contents(&alone));
    for key in ["sources", "lines", "blank_lines", "bytes", "accepted", "rejected"] {
        assert_eq!(committed[key], at_once[key], "{key}");
    }
    let loads = world.query("SELECT load_ids FROM {raw}.loads");
    let ids: Vec<&Value> = staged.iter().map(|report| &report["load_id"]).collect();
    assert_eq!(loads, [json!([ids])]);

    // Again, in every form: nothing changes.
    assert_eq!(world.load(DAY, &["--commit"])["status"], "already_loaded");
    let by_id: Vec<&str> = ids.iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(world.load(DAY, &[&["--commit"], &by_id[..]].concat())["status"], "already_loaded");
    assert_eq!(world.load(DAY, &["parts/*.jsonl"])["status"], "already_loaded");
    for part in &parts {
        stage(&world, part);
    }
    assert_eq!(world.load(DAY, &["--commit"])["status"], "already_loaded");
    assert_eq!(world.query("SELECT count() FROM {raw}.loads"), [json!([1])]);
    assert_eq!(contents(&world), contents(&alone));
    let stored = world.query("SELECT uniqExact(load_id) FROM {raw}.events_data");
    assert_eq!(stored, [json!([3])], "what was staged in vain is gone");
}

#[test]
fn what_is_staged_twice_is_never_committed_twice() {
    let world = World::new("staged_twice");
    let parts = generate(&world, "parts", 6);
    let first = stage(&world, &parts[0]);
    // A worker that was started twice, and one whose file was mended meanwhile.
    let twin = world.load(DAY, &["--stage", "--force", &parts[0]]);
    assert_ne!(twin["load_id"], first["load_id"]);
    stage(&world, &parts[1]);
    let committed = world.load(DAY, &["--commit"]);
    assert_eq!(committed["sources"].as_array().unwrap().len(), 2);
    assert_eq!(committed["load_id"], first["load_id"]);

    let old = stage(&world, &parts[2]);
    let mut lines = fs::read(world.path(&parts[2])).unwrap();
    lines.extend_from_slice(b"\n");
    fs::write(world.path(&parts[2]), lines).unwrap();
    let new = stage(&world, &parts[2]);
    assert_ne!(old["load_id"], new["load_id"]);
    let refused = world.run(&["load", "--batch-date", DAY, "--commit"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains(&parts[2]), "{}", refused.stderr);
    let committed = world.load(DAY, &["--commit", new["load_id"].as_str().unwrap()]);
    assert_eq!((&committed["status"], &committed["lines"]), (&json!("committed"), &new["lines"]));
}

#[test]
fn a_commit_looks_at_the_limits_of_all_that_was_staged() {
    let world = World::new("staged_limits");
    let parts = generate(&world, "parts", 7);
    fs::write(world.path("bad.jsonl"), "no event\n".repeat(400)).unwrap();
    // A stage alone has no verdict: a bad part may be a small one of a good day.
    let staged: Vec<Value> = ["bad.jsonl"]
        .into_iter()
        .chain(parts.iter().map(String::as_str))
        .map(|name| stage(&world, name))
        .collect();
    let refused = world.run(&["load", "--batch-date", DAY, "--commit"]);
    assert_eq!(refused.code, 65, "{}", refused.stderr);
    assert!(refused.stderr.contains("--max-reject-ratio"), "{}", refused.stderr);
    assert_eq!(world.query("SELECT count() FROM {raw}.loads"), [json!([0])]);
    let committed = world.load(DAY, &["--commit", "--max-reject-ratio", "0.5"]);
    assert_eq!(committed["sources"].as_array().unwrap().len(), 4);
    let bad: Vec<u64> =
        staged.iter().filter_map(|report| report["rejected"]["invalid_json"].as_u64()).collect();
    assert_eq!(committed["rejected"]["invalid_json"], bad.iter().sum::<u64>());
    // A stricter limit does not undo a day that was loaded.
    let finished = world.run(&["load", "--batch-date", DAY, "--commit", "--max-reject-ratio", "0"]);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(finished.stderr.contains("the day stays as it is"), "{}", finished.stderr);
}

#[test]
fn what_is_not_staged_cannot_be_committed() {
    let world = World::new("not_staged");
    let commit = |more: &[&str]| {
        let finished = world.run(&[&["load", "--batch-date", DAY, "--commit"], more].concat());
        (finished.code, finished.stderr)
    };
    assert_eq!(commit(&[]).0, 66);
    let (code, told) = commit(&["018f2c6e-7b1a-7c3d-9e4f-0123456789ab"]);
    assert_eq!(code, 66, "{told}");
    assert!(told.contains("018f2c6e-7b1a-7c3d-9e4f-0123456789ab"), "{told}");
    assert_eq!(commit(&["day.jsonl"]).0, 2);
    assert_eq!(commit(&["--stage"]).0, 2);

    // Rows that are lost between staging and commit: the server's count says so.
    let parts = generate(&world, "parts", 8);
    let staged = stage(&world, &parts[0]);
    let id = staged["load_id"].as_str().unwrap();
    world.query(&format!("ALTER TABLE {{raw}}.sessions_data DROP PARTITION ('{DAY}', '{id}')"));
    let (code, told) = commit(&[]);
    assert_eq!(code, 75, "{told}");
    assert!(told.contains("sessions_data has 0 rows"), "{told}");
    assert_eq!(world.query("SELECT count() FROM {raw}.loads"), [json!([0])]);
}

#[test]
fn a_day_of_hundreds_of_loads_is_committed_by_one_row() {
    const LOADS: u64 = 400;
    let world = World::new("staged_many");
    let line = r#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"2026-03-01T09:30:00Z"}"#;
    fs::write(world.path("one.jsonl"), line).unwrap();
    let first = stage(&world, "one.jsonl");
    // As many workers would have staged as many files: the same, under other ids and names.
    world.query(&format!(
        "INSERT INTO {{raw}}.staged_loads (batch_date, load_id, sources, lines, blank_lines, accepted_rows, \
         rejected_rows, seconds, version) SELECT batch_date, generateUUIDv7(number), \
         [(toString(number), sources[1].2, toString(number))], lines, blank_lines, accepted_rows, rejected_rows, \
         seconds, version FROM {{raw}}.staged_loads AS staged, numbers({LOADS} - 1) AS others"
    ));
    let id = first["load_id"].as_str().unwrap();
    world.query(&format!(
        "INSERT INTO {{raw}}.events_data SELECT one.* REPLACE (staged.load_id AS load_id) \
         FROM {{raw}}.events_data AS one, {{raw}}.staged_loads AS staged WHERE staged.load_id != '{id}' \
         SETTINGS max_partitions_per_insert_block = 0"
    ));
    let committed = world.load(DAY, &["--commit"]);
    assert_eq!((&committed["status"], &committed["lines"]), (&json!("committed"), &json!(LOADS)));
    let shown = world.query("SELECT count(), uniqExact(load_id) FROM {raw}.events");
    assert_eq!(shown, [json!([LOADS, LOADS])]);
    assert_eq!(world.query("SELECT count() FROM {raw}.rejected_events"), [json!([0])]);
    world.succeed(&["rejects", "list", "--batch-date", DAY]);
    assert_eq!(world.load(DAY, &["--commit"])["status"], "already_loaded");
}

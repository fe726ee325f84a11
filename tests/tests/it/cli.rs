//! The command line as its users meet it: results on stdout, talk on stderr, exit codes.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use integration_tests::world::{World, limited};
use serde_json::{Value, json};

const GOOD: &str = r#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"2026-03-01T09:30:00Z"}"#;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn validate_counts_and_shows_examples_without_a_warehouse() {
    let world = World::new("validate");
    fs::write(world.path("2026-03-01.jsonl"), format!("{GOOD}\n\n[1]\n{{\"user_id\":\"\"}}\n[2]\n")).unwrap();
    let arguments = ["validate", "--output", "json", "--examples", "1", "2026-03-01.jsonl"];
    let finished = world.run(&arguments);
    assert_eq!(finished.code, 65, "{}", finished.stderr);
    let report = json(&finished.stdout);
    assert_eq!(report["lines"], 5);
    assert_eq!(report["blank_lines"], 1);
    assert_eq!(report["accepted"]["events"], 1);
    assert_eq!(report["rejected"], json!({ "missing_field": 1, "not_an_object": 2 }));
    let examples = report["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 2);
    assert_eq!((&examples[0]["line"], &examples[0]["reason"]), (&json!(3), &json!("not_an_object")));
    let violations = [
        "missing_field event_id",
        "missing_field event_type",
        "invalid_value user_id",
        "missing_field event_time",
    ];
    assert_eq!(examples[1]["violations"], json!(violations));
    assert!(finished.stderr.contains("--max-reject-ratio"), "{}", finished.stderr);

    let text = world.run(&["validate", "--max-reject-ratio", "1", "2026-03-01.jsonl"]);
    assert_eq!(text.code, 0, "{}", text.stderr);
    insta::assert_snapshot!(text.stdout);
}

/// What is read is twice as much as the program may have of memory, whatever that is for.
#[test]
fn validate_keeps_neither_the_lines_nor_a_line_without_an_end() {
    const MEMORY_KIB: usize = 128 << 10;
    let world = World::new("validate_memory");
    let validate = |piece: &[u8], code: i32| {
        let mut program = world.schoolbell();
        program.args(["validate", "--batch-date", "2026-03-01", "--output", "json", "-"]);
        let mut child = limited(&format!("ulimit -d {MEMORY_KIB}"), &program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        for _ in 0..(2 * MEMORY_KIB * 1024).div_ceil(piece.len()) {
            stdin.write_all(piece).unwrap();
        }
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        json(&String::from_utf8(output.stdout).unwrap())
    };
    let lines = format!("{GOOD}\n").repeat(8 << 10);
    let report = validate(lines.as_bytes(), 0);
    assert_eq!(report["accepted"]["events"], report["lines"]);
    let report = validate(&vec![b'a'; 1 << 20], 65);
    assert_eq!((&report["lines"], &report["rejected"]), (&json!(1), &json!({ "line_too_long": 1 })));
}

#[test]
fn a_batch_date_decides_what_is_too_late() {
    let world = World::new("batch_date");
    fs::write(world.path("day.jsonl"), GOOD).unwrap();
    for (date, code) in [("2026-02-27", 65), ("2026-02-28", 0), ("2030-01-01", 0)] {
        assert_eq!(world.run(&["validate", "--batch-date", date, "day.jsonl"]).code, code, "{date}");
    }
}

#[test]
fn standard_input_is_a_source() {
    let world = World::new("stdin");
    let load = |lines: &str| {
        let mut child = world
            .schoolbell()
            .args(["load", "--batch-date", "2026-03-01", "--output", "json", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        json(&String::from_utf8(output.stdout).unwrap())
    };
    let report = load(GOOD);
    assert_eq!(report["sources"][0]["name"], "-");
    let rows = world.query("SELECT source_file, source_line, user_id FROM {raw}.events");
    assert_eq!(rows, [json!(["-", 1, "u"])]);

    let again = load(GOOD);
    assert_eq!((&again["status"], &again["load_id"]), (&json!("already_loaded"), &report["load_id"]));
    assert_eq!(world.query("SELECT count() FROM {raw}.events_data"), [json!([1])]);
    assert_eq!(load(&format!("{GOOD}\n"))["status"], "committed");
    assert_eq!(world.query("SELECT count() FROM {raw}.loads"), [json!([2])]);
}

#[test]
fn unknown_fields_are_kept_and_sources_named() {
    let world = World::new("extra");
    let line = GOOD.replace(r#""user_id""#, r#""lang" : [1, 2],"user_id""#);
    fs::create_dir(world.path("in")).unwrap();
    fs::write(world.path("in/a.jsonl"), line).unwrap();
    world.load("2026-03-01", &["in/*.jsonl"]);
    let rows = world.query("SELECT extra, source_file, properties, toString(event_id) FROM {raw}.events");
    let id = "018f2c6e-7b1a-7c3d-9e4f-0123456789ab";
    assert_eq!(rows, [json!([r#"{"lang":[1, 2]}"#, "in/a.jsonl", "{}", id])]);
}

#[test]
fn init_prints_its_ddl_and_can_be_run_again() {
    let world = World::new("init");
    let ddl = world.succeed(&["init", "--print"]);
    assert!(
        ddl.contains(&format!("CREATE TABLE IF NOT EXISTS {}.events_data", world.database("raw"))),
        "{ddl}"
    );
    world.succeed(&["init"]);
    world.query("ALTER TABLE {raw}.events_data DROP COLUMN extra");
    world.succeed(&["init"]);
    world.query("SELECT extra FROM {raw}.events");
}

#[test]
fn a_load_before_init_says_what_to_do() {
    let world = World::new("before_init");
    fs::write(world.path("day.jsonl"), GOOD).unwrap();
    let output = world
        .schoolbell()
        .env("SCHOOLBELL_DATABASE_PREFIX", "nobody_")
        .args(["load", "--batch-date", "2026-03-01", "day.jsonl"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("schoolbell init"), "{stderr}");
}

#[test]
fn wrong_usage_is_told_and_leaves_2() {
    let world = World::new("usage");
    fs::write(world.path("day.jsonl"), GOOD).unwrap();
    for arguments in [
        &["load", "day.jsonl"][..],
        &["load", "--batch-date", "yesterday", "day.jsonl"],
        &["load", "--batch-date", "2026-03-01"],
        &["validate", "--max-reject-ratio", "2", "day.jsonl"],
        &["validate", "ftp://host/day.jsonl"],
        &["sing"],
    ] {
        let finished = world.run(arguments);
        assert_eq!(finished.code, 2, "{arguments:?}: {}", finished.stderr);
        assert!(finished.stdout.is_empty() && !finished.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn generate_writes_the_same_days_again() {
    let world = World::new("generate");
    let generate = |folder: &str, more: &[&str]| {
        let arguments =
            ["generate", "--output", "json", "--start", "2026-03-01", "--days", "2", "--users", "50"];
        json(&world.succeed(&[&arguments[..], &["--out", folder], more].concat()))
    };
    let report = generate("a", &[]);
    generate("b", &[]);
    generate("c", &["--seed", "2"]);
    let read = |folder: &str| fs::read(world.path(&format!("{folder}/2026-03-02.jsonl"))).unwrap();
    assert_eq!(read("a"), read("b"));
    assert_ne!(read("a"), read("c"));
    assert_eq!(report["files"].as_array().unwrap().len(), 2);
    let lines: usize = ["2026-03-01", "2026-03-02"]
        .iter()
        .map(|day| {
            fs::read(world.path(&format!("a/{day}.jsonl"))).unwrap().split(|byte| *byte == b'\n').count() - 1
        })
        .sum();
    assert_eq!(report["lines"], lines);
    assert!(
        fs::read_to_string(world.path("a/exchange_rates.csv"))
            .unwrap()
            .starts_with("from_currency,to_currency,valid_from,rate\n")
    );
}

#[test]
fn a_warehouse_of_ones_own_starts_answers_and_stops() {
    let world = World::new("own_warehouse");
    let start =
        ["warehouse", "start", "--data", "own", "--http-port", "0", "--tcp-port", "0", "--output", "json"];
    let started = json(&world.succeed(&start));
    let url = started["url"].as_str().unwrap();
    assert_eq!(local_clickhouse::query(url, "SELECT 6 * 7").unwrap().trim(), "42");
    for key in ["tcp", "pid", "data"] {
        assert!(!started[key].is_null(), "{started}");
    }
    let status = world.succeed(&["warehouse", "status", "--data", "own", "--output", "json"]);
    assert_eq!(json(&status), started);
    let second = world.run(&start);
    assert_eq!(second.code, 75);
    assert!(second.stderr.contains(url), "{}", second.stderr);
    world.succeed(&["warehouse", "stop", "--data", "own"]);
    assert_ne!(world.run(&["warehouse", "status", "--data", "own"]).code, 0);
    assert!(local_clickhouse::query(url, "SELECT 1").is_err());
}

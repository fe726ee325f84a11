//! What dbt says where something is wrong before it builds: options, connection, warehouse, another run.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use integration_tests::days::Line;
use integration_tests::world::{Finished, World};
use serde_json::{Value, json};

/// Two days, and an experiment of two variants.
fn world(name: &str) -> World {
    let world = World::new(name);
    for day in ["2026-03-01", "2026-03-02"] {
        let time = format!("{day}T10:00:00Z");
        let lesson = Line::new("lesson_opened", "a", &time, json!({}));
        let assignments = ["old", "new"].map(|variant| {
            let properties = json!({ "experiment_id": "pricing", "variant": variant });
            Line::new("ab_test_assignment", &format!("{variant}-{day}"), &time, properties)
        });
        let [old, new] = assignments;
        fs::write(world.path("day.jsonl"), format!("{lesson}\n{old}\n{new}\n")).unwrap();
        world.load(day, &["day.jsonl"]);
    }
    world
}

fn run(world: &World, vars: &Value) -> Finished {
    world.try_dbt(&["run", "--select", "stg_loads", "--vars", &vars.to_string()])
}

fn assert_says(finished: &Finished, said: &str) {
    // dbt indents what a macro says.
    let stdout = finished.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(stdout.contains(said), "not said: {said}\n{}{}", finished.stdout, finished.stderr);
}

#[test]
fn a_var_that_does_not_hold_stops_the_build_before_it_begins() {
    let world = world("bad_vars");
    for (vars, said) in [
        (
            json!({ "reporting_timezon": "UTC" }),
            "There is no var 'reporting_timezon' (its value is 'UTC'). Did you mean reporting_timezone? The vars are \
             ab_control_variants, ab_expected_shares, ab_min_users,",
        ),
        (
            json!({ "as_of_date": "2026-02-30" }),
            "The var as_of_date is '2026-02-30'; it must be a date YYYY-MM-DD that the calendar has, or empty for",
        ),
        (
            json!({ "as_of_date": "2030-01-01" }),
            "The var as_of_date is '2030-01-01'; it must not be after 2026-03-02, the last date that had ended in UTC",
        ),
        (
            json!({ "reporting_timezone": "Asia/Almati" }),
            "The var reporting_timezone is 'Asia/Almati'; it must be a zone of the tz database, such as Asia/Almaty.",
        ),
        (
            json!({ "ab_window_days": 0 }),
            "The var ab_window_days is '0'; it must be a whole number from 1 to 999.",
        ),
        (
            json!({ "ab_control_variants": { "pricing": "odl" } }),
            "The var ab_control_variants names the variant 'odl' of the experiment 'pricing', which nobody was ever \
             assigned to; its variants are: old, new.",
        ),
        (
            json!({ "ab_expected_shares": { "princing": { "old": 0.5, "new": 0.5 } } }),
            "The var ab_expected_shares names the experiment 'princing', which nobody was ever assigned to; experiments \
             are: pricing.",
        ),
        (
            json!({ "ab_expected_shares": { "pricing": { "old": 1, "new": 0 } } }),
            "The var ab_expected_shares.pricing.new is '0'; it must be a map from experiment to shares by variant",
        ),
    ] {
        let finished = run(&world, &vars);
        assert_eq!(finished.code, 2, "{vars}: {}", finished.stdout);
        assert_says(&finished, said);
    }
    let built =
        world.query("SELECT count() FROM system.tables WHERE database = '{staging}' AND name = 'stg_loads'");
    assert_eq!(built, [json!([0])], "something was built");
}

#[test]
fn a_warehouse_that_is_not_there_is_told() {
    let mut world = world("no_warehouse");
    world.set("SCHOOLBELL_DATABASE_PREFIX", "nowhere_");
    let finished = run(&world, &json!({}));
    assert_eq!(finished.code, 2);
    assert_says(
        &finished,
        "There is no warehouse: the table nowhere_raw.loads does not exist. Run `schoolbell init` first, then load a day. \
         (The database's name comes from SCHOOLBELL_DATABASE_PREFIX, which is 'nowhere_'.)",
    );
    world.query("DROP DATABASE IF EXISTS nowhere_staging");
}

#[test]
fn a_url_without_a_scheme_and_a_wrong_user_are_told() {
    let mut world = world("bad_connection");
    world.set("CLICKHOUSE_USER", "nobody");
    let finished = run(&world, &json!({}));
    assert_ne!(finished.code, 0);
    assert_says(
        &finished,
        "nobody: Authentication failed: password is incorrect, or there is no user with such name",
    );
    world.set("CLICKHOUSE_URL", "localhost:8123");
    let finished = run(&world, &json!({}));
    assert_eq!(finished.code, 2);
    assert_says(
        &finished,
        "'CLICKHOUSE_URL as http(s)://host[:port], such as http://localhost:8123; it has another form'",
    );
}

#[test]
fn two_builds_at_once_are_one() {
    let world = world("two_builds");
    let first = start(&world);
    let started = "SELECT toString(run_id) FROM {staging}.schoolbell_runs WHERE state = 'started'";
    let run_id = wait_for(&world, started);
    // Held where it is: it must not end before the second one looks, however slowly that one starts.
    let held = Paused::new(first.id());
    // With a folder of its own, as on another machine.
    let finished = run(&World::new("two_builds"), &json!({}));
    drop(held);
    assert_eq!(finished.code, 2, "{}", finished.stdout);
    assert_says(&finished, "Another dbt run is building these databases: dbt build");
    assert_says(&finished, &format!("run {run_id}, since "));
    assert_says(&finished, "Wait until it has ended. If it was killed, it is forgotten at ");
    let output = first.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    world.dbt(&["run", "--select", "stg_loads"]);

    // One that was killed keeps others out for a while only, or until it is told to be forgotten.
    let killed = |seconds: u32| {
        world.query(&format!(
            "INSERT INTO {{staging}}.schoolbell_runs (run_id, state, at) SELECT generateUUIDv4(), 'alive', now64(3) - {seconds}"
        ));
    };
    killed(301);
    world.dbt(&["run", "--select", "stg_loads"]);
    killed(100);
    assert_eq!(run(&world, &json!({})).code, 2);
    world.dbt(&["run-operation", "forget_runs"]);
    world.dbt(&["run", "--select", "stg_loads"]);
}

/// A process that does nothing until this is dropped.
struct Paused(u32);

impl Paused {
    fn new(process: u32) -> Self {
        signal("STOP", process);
        Self(process)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        signal("CONT", self.0);
    }
}

fn signal(name: &str, process: u32) {
    let status =
        Command::new("kill").args(["-s", name, &process.to_string()]).status().expect("kill can be run");
    assert!(status.success(), "kill -s {name} {process}: {status}");
}

/// A build that runs on while others are tried.
fn start(world: &World) -> std::process::Child {
    let mut command: Command =
        world.dbt_command(&["build", "--resource-type", "model", "--resource-type", "seed"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dbt can be run")
}

/// The first value of a query's first row, once there is one.
fn wait_for(world: &World, sql: &str) -> String {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(300) {
        if let Some(row) = world.try_query(sql).and_then(|rows| rows.into_iter().next()) {
            return row[0].as_str().expect("a text").to_owned();
        }
        std::thread::yield_now();
    }
    panic!("there is no row after five minutes: {sql}");
}

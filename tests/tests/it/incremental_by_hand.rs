//! Incremental builds step by step, on days small enough to follow: what each load must change, a build that was cut
//! off, other options, and nothing to do. `incremental.rs` draws such sequences at random.

use std::fs;

use integration_tests::days::Line;
use integration_tests::world::World;
use serde_json::{Value, json};

const TABLES: [&str; 5] = ["events", "purchases", "task_results", "sessions", "ab_test_assignments"];

/// Loads lines as a day.
fn load(world: &World, batch_date: &str, file: &str, lines: &[&Line]) {
    let text = lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n");
    fs::write(world.path(file), text).unwrap();
    world.load(batch_date, &["--allow-empty", "--allow-misdated", file]);
}

/// Builds the models (not the tests), and compares what is kept by changes with what its definition says of all rows.
fn build(world: &World, vars: &Value) {
    world.dbt(&["run", "--vars", &vars.to_string()]);
    let zone = vars.get("reporting_timezone").and_then(Value::as_str).unwrap_or("UTC");
    for table in TABLES {
        let staged = world
            .query(&format!("SELECT * FROM {{staging}}.stg_{table} ORDER BY user_id, event_time, event_id"));
        let expected = world.query(&format!(
            "SELECT * FROM {{raw}}.{table} ORDER BY user_id, event_time, event_id, batch_date, source_file, source_line \
             LIMIT 1 BY user_id, event_time, event_id"
        ));
        assert_eq!(staged, expected, "{table}");
    }
    let kept = world.query(
        "SELECT user_id, activity_date, platform, country, first_event_time, last_event_time \
         FROM {staging}.int_user_activity_daily ORDER BY ALL",
    );
    let expected = world.query(&format!(
        "SELECT user_id, toDate(event_time, '{zone}') AS activity_date, platform, country, min(event_time), max(event_time) \
         FROM (SELECT user_id, event_time, platform, country FROM {{staging}}.stg_events \
               UNION ALL SELECT user_id, event_time, platform, country FROM {{staging}}.stg_task_results \
               UNION ALL SELECT user_id, event_time, platform, country FROM {{staging}}.stg_sessions) \
         GROUP BY ALL ORDER BY ALL"
    ));
    assert_eq!(kept, expected, "int_user_activity_daily in {zone}");
    let tasks = "activity_date, segment, segment_value, attempts, solved, learners, tasks_attempted";
    let kept = world.query(&format!("SELECT {tasks} FROM {{staging}}.int_task_success_daily ORDER BY ALL"));
    let expected = world.query(&format!(
        "SELECT toDate(event_time, '{zone}') AS activity_date, pair.1, pair.2, count(), countIf(is_correct), \
                uniqExact(user_id), uniqExact((user_id, task_id)) \
         FROM {{staging}}.stg_task_results \
         ARRAY JOIN [('overall', ''), ('platform', platform), ('country', country), ('course', course_id)] AS pair \
         GROUP BY ALL ORDER BY ALL"
    ));
    assert_eq!(kept, expected, "int_task_success_daily in {zone}");
}

/// What the models were last built from, by their own account.
fn versions(world: &World) -> Vec<Value> {
    world.query("SELECT model, version, rebuilt_in FROM {staging}.schoolbell_builds FINAL ORDER BY model")
}

/// The files that the rows of an event's user come from.
fn files_of(world: &World, user: &str) -> Vec<Value> {
    world.query(&format!(
        "SELECT source_file FROM {{staging}}.stg_events WHERE user_id = '{user}' ORDER BY ALL"
    ))
}

fn marts(world: &World) -> Vec<(String, String)> {
    let names = world.query("SELECT table FROM system.tables WHERE database = '{marts}' ORDER BY table");
    let names = names.iter().map(|row| row[0].as_str().unwrap());
    names.map(|name| (name.to_owned(), world.exported(name))).collect()
}

#[test]
fn what_a_load_changes_is_built_and_nothing_else() {
    let world = World::new("by_hand");
    let event = |user, time| Line::new("lesson_opened", user, time, json!({}));
    let task = |user, time, correct: bool| {
        let properties = json!({"task_id": "t", "course_id": "c", "is_correct": correct, "duration_ms": 5});
        // An event stays the same, whatever a later copy of it says.
        Line { event_id: event(user, time).event_id ^ 1, ..Line::new("task_result", user, time, properties) }
    };
    let copy = |line: &Line| Line { properties: json!({"copy": true}), ..line.clone() };
    let utc = json!({});
    world.dbt(&["seed"]);

    let first = event("first", "2026-03-01T09:00:00Z");
    let gone = event("gone", "2026-03-01T23:30:00Z");
    load(&world, "2026-03-01", "1.jsonl", &[&first, &gone, &task("first", "2026-03-01T10:00:00Z", false)]);
    build(&world, &utc);

    // A day before the next is there; it tells again what the first day told, and what a day between will tell.
    let between = event("between", "2026-03-02T12:00:00Z");
    let late = event("late", "2026-02-10T00:00:00Z");
    let solved = task("first", "2026-03-02T20:00:00Z", true);
    load(&world, "2026-03-03", "3.jsonl", &[&copy(&first), &copy(&between), &late, &solved]);
    build(&world, &utc);
    assert_eq!(files_of(&world, "first"), [json!(["1.jsonl"])]);
    assert_eq!(files_of(&world, "between"), [json!(["3.jsonl"])]);
    let before = versions(&world);
    build(&world, &utc);
    assert_eq!(versions(&world), before, "a build without a load changes nothing");

    // The day between comes: its rows are earlier than those already there.
    load(&world, "2026-03-02", "2.jsonl", &[&between, &task("first", "2026-03-02T20:00:00Z", false)]);
    build(&world, &utc);
    assert_eq!(files_of(&world, "between"), [json!(["2.jsonl"])]);
    assert_ne!(versions(&world), before);

    // The first day comes again with less: a copy takes the place of one event, and the other is no more.
    load(&world, "2026-03-01", "1-again.jsonl", &[&task("other", "2026-03-01T10:00:00Z", true)]);
    build(&world, &utc);
    assert_eq!(files_of(&world, "first"), [json!(["3.jsonl"])]);
    assert!(files_of(&world, "gone").is_empty());

    // A build that ends before it has deleted what no longer stands, and before it has written down what it did.
    world.query("CREATE TABLE {staging}.builds_before AS {staging}.schoolbell_builds ENGINE = Memory");
    world.query("INSERT INTO {staging}.builds_before SELECT * FROM {staging}.schoolbell_builds FINAL");
    world.query("CREATE TABLE {staging}.events_before AS {staging}.stg_events ENGINE = Memory");
    world.query("INSERT INTO {staging}.events_before SELECT * FROM {staging}.stg_events");
    let new = event("new", "2026-03-02T13:00:00Z");
    load(&world, "2026-03-02", "2-again.jsonl", &[&new]);
    build(&world, &utc);
    assert_eq!(files_of(&world, "between"), [json!(["3.jsonl"])]);
    world.query(
        "INSERT INTO {staging}.stg_events SELECT * FROM {staging}.events_before \
         WHERE load_id NOT IN (SELECT load_id FROM {staging}.stg_events)",
    );
    world.query("TRUNCATE TABLE {staging}.schoolbell_builds");
    world.query("INSERT INTO {staging}.schoolbell_builds SELECT * FROM {staging}.builds_before");
    assert_eq!(files_of(&world, "between").len(), 2, "what the cut-off build left");
    build(&world, &utc);
    assert_eq!(files_of(&world, "between"), [json!(["3.jsonl"])]);

    // A day of nothing; then other options, which need no refresh by hand.
    load(&world, "2026-03-03", "3-again.jsonl", &[]);
    build(&world, &utc);
    assert!(files_of(&world, "between").is_empty() && files_of(&world, "late").is_empty());
    let elsewhere = json!({"reporting_timezone": "Asia/Kolkata", "as_of_date": "2026-03-02"});
    load(
        &world,
        "2026-03-03",
        "3-more.jsonl",
        &[&gone, &late, &event("first", "2026-03-02T18:30:00Z"), &solved],
    );
    build(&world, &elsewhere);
    // No event counts that is dated after the date as of which is reported.
    let last = world.query("SELECT max(activity_date) FROM {marts}.fct_activity_daily");
    assert_eq!(last, [json!(["2026-03-02"])]);

    // More of the same zone comes, and is built by what it changes.
    load(&world, "2026-03-04", "4.jsonl", &[&event("late", "2026-02-09T18:29:59.999Z"), &solved]);
    build(&world, &elsewhere);
    let built = marts(&world);
    assert_eq!(built.len(), 8, "{built:?}");
    world.dbt(&["run", "--full-refresh", "--vars", &elsewhere.to_string()]);
    assert_eq!(built, marts(&world), "a full refresh makes the same");
}

//! `doctor`: each thing that can be wrong is found, and its fix helps.

use std::collections::BTreeMap;
use std::fs;

use integration_tests::days::Line;
use integration_tests::world::World;
use serde_json::{Value, json};

fn write(world: &World, day: &str) -> String {
    let line = Line::new("lesson_opened", "u1", &format!("{day}T12:00:00Z"), json!({}));
    fs::write(world.path(&format!("{day}.jsonl")), format!("{line}\n")).unwrap();
    format!("{day}.jsonl")
}

/// The checks by name: `ok`, or what was found and its fix.
fn checks(world: &World) -> BTreeMap<String, String> {
    let finished = world.run(&["doctor", "--output", "json"]);
    let report: Value = serde_json::from_str(&finished.stdout).expect("doctor prints JSON");
    assert_eq!(finished.code, if report["ok"] == true { 0 } else { 65 }, "{}", finished.stderr);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let check = |check: &Value| {
        let found = if check["ok"] == true {
            "ok".to_owned()
        } else {
            format!("{} -> {}", text(&check["message"]), text(&check["fix"]))
        };
        (text(&check["name"]), found)
    };
    report["checks"].as_array().unwrap().iter().map(check).collect()
}

/// Asserts that a check has failed, and says all this.
#[track_caller]
fn says(checks: &BTreeMap<String, String>, name: &str, parts: &[&str]) {
    let found = &checks[name];
    assert!(parts.iter().all(|part| found.contains(part)), "{name}: {found}");
}

#[test]
fn a_doctor_finds_what_is_wrong_and_what_to_do() {
    let world = World::without_tables("doctor", None);
    says(&checks(&world), "tables", &["has no tables of Schoolbell", "-> schoolbell init"]);
    world.succeed(&["init"]);
    says(&checks(&world), "dates", &["no day is loaded", "schoolbell load"]);

    for day in ["2026-03-01", "2026-03-04"] {
        world.succeed(&["load", &write(&world, day)]);
    }
    let found = checks(&world);
    says(&found, "dates", &["missing: 2026-03-02 to 2026-03-03 (2 days)"]);
    says(&found, "marts", &["not built yet", "dbt build"]);
    assert_eq!((found["server"].as_str(), found["sweep"].as_str()), ("ok", "ok"));

    for day in ["2026-03-02", "2026-03-03"] {
        world.succeed(&["load", &write(&world, day)]);
    }
    world.dbt(&["seed"]);
    world.dbt(&["run"]);
    let found = checks(&world);
    assert!(found.values().all(|found| found == "ok"), "{found:?}");
    // A mart that nothing has changed is built, too, though its table stays.
    world.dbt(&["run", "--select", "stg_loads", "path:models/marts"]);
    assert_eq!(checks(&world)["marts"], "ok");
    let alone = world.run(&["doctor", "--only", "marts"]);
    assert_eq!((alone.code, alone.stdout.lines().count()), (0, 1), "{}", alone.stdout);

    let staged = write(&world, "2026-03-05");
    world.succeed(&["load", "--stage", "--batch-date", "2026-03-05", &staged]);
    says(&checks(&world), "staged loads", &["1 load of 2026-03-05", "load --batch-date 2026-03-05 --commit"]);
    world.succeed(&["load", "--batch-date", "2026-03-05", "--commit"]);
    let found = checks(&world);
    assert_eq!(found["staged loads"], "ok");
    says(&found, "marts", &["from 4 days, the latest 2026-03-04; changed since: 2026-03-05"]);
    assert_eq!(world.run(&["doctor", "--only", "marts"]).code, 65);

    // As after a load of a binary that died behind its commit: a commit that names nothing hides the day.
    world.query(
        "INSERT INTO {raw}.loads (batch_date, commit_id, committed_at, load_ids) \
         SELECT '2026-03-05', generateUUIDv7(), now64(3) + 1, []",
    );
    says(
        &checks(&world),
        "sweep",
        &["rows of 1 replaced and 0 abandoned loads", "the next load removes them"],
    );
    world.succeed(&["load", "2026-03-01.jsonl"]);
    assert_eq!(checks(&world)["sweep"], "ok");

    let later = write(&world, "2062-03-05");
    world.succeed(&["load", "--allow-misdated", "--batch-date", "2062-03-05", &later]);
    says(
        &checks(&world),
        "dates",
        &["2062-03-05 is loaded, and yet to come", "unload --batch-date 2062-03-05"],
    );
    world.succeed(&["unload", "--batch-date", "2062-03-05"]);
    let found = checks(&world);
    assert!(found.values().all(|found| found == "ok"), "{found:?}");
    let text = world.succeed(&["doctor"]);
    assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
}

#[test]
fn a_doctor_without_a_server_says_so() {
    let mut world = World::new("doctor_alone");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    world.set("CLICKHOUSE_URL", format!("http://127.0.0.1:{port}"));
    let finished = world.run(&["doctor", "--retry-seconds", "1"]);
    assert_eq!(finished.code, 65, "{}", finished.stderr);
    assert!(finished.stdout.starts_with("FAIL  server"), "{}", finished.stdout);
    assert!(finished.stdout.contains(&port.to_string()), "{}", finished.stdout);
}

//! What users are told when something is wrong, word by word.

use std::fmt::Write as _;
use std::fs;

use integration_tests::days::Line;
use integration_tests::world::World;
use serde_json::json;

/// A text without what differs from run to run: ids and the server's port.
fn settled(world: &World, text: &str) -> String {
    let port = world.url().rsplit_once(':').expect("an address has a port").1;
    let text = text.replace(port, "PORT").replace(&world.database(""), "");
    let mut settled = String::new();
    let mut rest = text.as_str();
    while let Some(character) = rest.chars().next() {
        let is_id = rest.get(..36).is_some_and(|id| {
            id.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
        });
        let (shown, length) =
            if is_id { ("ID", 36) } else { (&rest[..character.len_utf8()], character.len_utf8()) };
        settled.push_str(shown);
        rest = &rest[length..];
    }
    settled
}

/// Runs commands, and gives each with its exit code and what it said on stderr.
fn told(world: &World, commands: &[&[&str]]) -> String {
    let mut told = String::new();
    for arguments in commands {
        let finished = world.run(arguments);
        let stderr = settled(world, &finished.stderr);
        writeln!(told, "$ schoolbell {}\n{stderr}exit code {}\n", arguments.join(" "), finished.code)
            .unwrap();
    }
    told
}

#[test]
fn bad_days() {
    let world = World::new("bad_days");
    let opened = |user: &str, time: &str| Line::new("lesson_opened", user, time, json!({})).to_string();
    let purchase = |amount: &str| {
        let properties = json!({"purchase_id": "p", "plan": "pro", "amount": amount, "currency": "USD"});
        Line::new("purchase", "u", "2026-03-01T12:00:00Z", properties).to_string()
    };
    let lines = [
        opened("u1", "2026-03-01T12:00:00Z"),
        "not json".to_owned(),
        "{\"a\":1}".to_owned(),
        "\u{feff}{}".to_owned(),
        "[1]".to_owned(),
        "{\"a\":1}".to_owned(),
        purchase("9,99"),
        purchase("\u{feff}9.99"),
        purchase("-5"),
    ];
    fs::write(world.path("bad.jsonl"), lines.join("\n")).unwrap();
    let later = ["a", "b", "c"].map(|user| opened(user, "2026-04-05T12:00:00Z"));
    fs::write(world.path("april.jsonl"), later.join("\n")).unwrap();
    fs::write(world.path("blank.jsonl"), "\n\n").unwrap();
    fs::write(world.path("2026-02-28.jsonl"), opened("u", "2026-02-28T12:00:00Z")).unwrap();
    let day = |source: &'static str| ["load", "--batch-date", "2026-03-01", source];
    let told = told(
        &world,
        &[
            &day("bad.jsonl"),
            &["load", "--stage", "--batch-date", "2026-03-01", "bad.jsonl"],
            &["load", "--commit", "--batch-date", "2026-03-01"],
            &day("april.jsonl"),
            &["validate", "--batch-date", "2026-03-01", "april.jsonl"],
            &day("blank.jsonl"),
            &day("2026-02-28.jsonl"),
            &["load", "--batch-date", "2026-02-01", "2026-02-28.jsonl"],
            &["load", "bad.jsonl"],
            &["rejects", "list", "--batch-date", "2026-02-01"],
            &["report"],
        ],
    );
    insta::assert_snapshot!(told);
}

#[test]
fn unknown_figures() {
    let world = World::new("unknown_figures");
    let told = told(
        &world,
        &[
            &["metrics", "show", "daus"],
            &["metrics", "query", "fct_revenu.net_revenue"],
            &["metrics", "query", "fct_activity_daily"],
            &["metrics", "sql", "fct_activty_daily"],
            &["metrics", "query", "dau", "--by", "platfrom"],
            &["metrics", "query", "dau"],
        ],
    );
    insta::assert_snapshot!(told);
}

/// A query without rows says which dates have some; what is nothing in CSV is empty.
#[test]
fn figures_of_no_day() {
    let world = World::new("no_figures");
    let line = Line::new("lesson_opened", "u", "2026-03-01T12:00:00Z", json!({}));
    fs::write(world.path("2026-03-01.jsonl"), line.to_string()).unwrap();
    world.succeed(&["load", "2026-03-01.jsonl"]);
    world.dbt(&["seed"]);
    world.dbt(&["run"]);
    let told = told(
        &world,
        &[
            &["metrics", "query", "dau", "--from", "2026-04-01"],
            &["metrics", "query", "dau", "--to", "2026-02-01", "--format", "csv"],
            &["metrics", "query", "dau", "--to", "2026-02-01", "--output", "json"],
            &["metrics", "query", "fct_ab_test_results.p_value"],
            &["metrics", "query", "dau"],
        ],
    );
    insta::assert_snapshot!(told);
    let csv = world.succeed(&["metrics", "query", "arppu", "--format", "csv"]);
    assert_eq!(csv, "\"period_start\",\"arppu\"\n\"2026-03-01\",\n");
}

//! The report, opened in a real browser: charts drawn, switches that work, figures equal to the marts'.

use std::fs;

use integration_tests::world::{Finished, World, chore};
use serde_json::{Value, json};

/// The document that the page reads.
pub(crate) fn embedded_data(page: &str) -> Value {
    let (_, rest) =
        page.split_once(r#"<script id="data" type="application/json">"#).expect("the page has data");
    let (data, _) = rest.split_once("</script>").expect("the data ends");
    serde_json::from_str(data).expect("the data is JSON")
}

/// What a headless browser finds in a report: `problems`, and what is `shown`.
pub(crate) fn open(report: &str, screenshots: &str) -> Value {
    let arguments = ["report-check", report, screenshots];
    let finished = Finished::of(&mut chore(&arguments), &arguments);
    assert_eq!(finished.code, 0, "{}{}", finished.stdout, finished.stderr);
    serde_json::from_str(&finished.stdout).expect("report-check prints JSON")
}

#[test]
fn a_browser_shows_the_figures_of_the_marts() {
    let world = World::new("report");
    world.succeed(&[
        "generate",
        "--out",
        "days",
        "--start",
        "2026-01-01",
        "--days",
        "40",
        "--users",
        "300",
        "--seed",
        "7",
    ]);
    world.succeed(&["load", "days/*.jsonl"]);
    world.dbt(&["build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]);
    let report = world.path("report.html");
    world.succeed(&["report", "--out", &report]);
    let page = fs::read_to_string(&report).unwrap();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());

    let seen = open(&report, &world.path("screenshots"));
    assert_eq!(seen["problems"], json!([]));
    let shown = &seen["shown"];
    let row = &world.query(
        "SELECT dau, wau, mau, formatDateTime(activity_date, '%b %e, %Y') FROM {marts}.fct_activity_daily \
         WHERE segment = 'overall' ORDER BY activity_date DESC LIMIT 1",
    )[0];
    let tiles = &shown["tiles"];
    assert_eq!(
        [&tiles["Daily learners"], &tiles["Weekly learners"], &tiles["Monthly learners"]],
        [&row[0].to_string(), &row[1].to_string(), &row[2].to_string()],
    );
    assert!(shown["charts"].as_u64().unwrap() >= 12, "{shown}");
    // What is said to those who do not see the chart, and the table behind it.
    let date = row[3].as_str().unwrap().replace("  ", " ");
    let said = format!("{date}: Daily {}, Weekly {}, Monthly {}", row[0], row[1], row[2]);
    assert_eq!(shown["readout"]["said"], json!(said));
    assert_eq!(
        shown["readout"]["lastRow"],
        json!([date, row[0].to_string(), row[1].to_string(), row[2].to_string()])
    );

    let switches = &shown["switches"];
    assert_eq!(switches["day"][0], "Active learners");
    assert_eq!(switches["week"][0], "Weekly active learners");
    assert!(switches["legend"].as_array().unwrap().contains(&json!("web")), "{switches}");
    assert!(
        switches["rolling"].as_array().unwrap().contains(&json!("Rolling retention, all cohorts together"))
    );
    assert_eq!(switches["address"], "#?period=week&segment=platform");
    for name in ["desktop", "phone", "dark", "print"] {
        assert!(world.folder().join("screenshots").join(name).with_extension("png").exists(), "{name}");
    }
}

#[test]
fn one_day_of_one_event_looks_right_and_newer_loads_are_told() {
    let world = World::new("report_small");
    let load = |date: &str| {
        let line = format!(
            r#"{{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"{date}T09:30:00Z"}}"#
        );
        fs::write(world.path("day.jsonl"), line).unwrap();
        world.load(date, &["day.jsonl"]);
    };
    load("2026-03-01");
    world.dbt(&["build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]);
    let report = world.path("report.html");
    world.succeed(&["report", "--out", &report]);
    let seen = open(&report, &world.path("screenshots"));
    assert_eq!(seen["problems"], json!([]));
    let tiles = &seen["shown"]["tiles"];
    assert_eq!((&tiles["Daily learners"], &tiles["Stickiness"]), (&json!("1"), &json!("–")));

    load("2026-03-02");
    let data = embedded_data(&world.succeed(&["report"]));
    assert_eq!(data["meta"]["as_of"], "2026-03-01");
    let told = "The day 2026-03-02 was loaded after the marts were built: run `dbt build`.";
    assert_eq!(data["meta"]["warnings"], json!([told]));
}

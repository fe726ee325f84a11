//! The page of made-up answers: complete, within its size, and safe whatever names stand in it.

use std::collections::BTreeSet;

use metrics_sql::custom;
use serde_json::{Value, json};

use super::*;
use event_schema::generate::Databases;

fn meta() -> Meta {
    let as_of = AsOf {
        date: "2026-03-31".parse().unwrap(),
        built_at: "2026-04-01 02:30".to_owned(),
        time_zone: "UTC".to_owned(),
        currency: "USD".to_owned(),
        warnings: Vec::new(),
    };
    Meta {
        as_of,
        from: "2026-01-01".to_owned(),
        to: "2026-03-31".to_owned(),
        week_start: "monday".to_owned(),
        version: "0.0.0".to_owned(),
    }
}

fn all_tables() -> Vec<Table> {
    tables(Range { from: None, to: "2026-03-31".parse().unwrap() }, &Databases::default(), &[])
}

fn table(name: &str) -> Table {
    all_tables().into_iter().find(|table| table.name() == name).unwrap()
}

fn document(name: &str, answer: &Value) -> Document {
    let mut document = Document::new(meta(), &[]);
    document.add(table(name), answer.to_string().as_bytes()).unwrap();
    document
}

#[test]
fn every_mart_that_is_read_is_asked_for_its_build() {
    let sql: Vec<_> = all_tables().iter().map(|table| table.sql().to_owned()).collect();
    let read: BTreeSet<&str> = sql
        .iter()
        .flat_map(|sql| sql.split("marts.").skip(1))
        .map(|rest| rest.split_once(' ').map_or(rest, |(mart, _)| mart))
        .collect();
    assert_eq!(read, BTreeSet::from(crate::tables::MARTS));
}

#[test]
fn names_from_outside_cannot_end_the_data() {
    let hostile = "</script><script>alert('x')</script><!--";
    let page = page(&document("experiments", &json!({ "experiment_id": [hostile], "variant": [hostile] })));
    assert_eq!(page.matches("<script").count(), 2, "the data and the page's own");
    assert!(page.contains("\\u003c/script>\\u003cscript>alert('x')"));
}

#[test]
fn the_policy_lets_in_only_the_pages_own_script_and_style() {
    let page = page(&Document::new(meta(), &[]));
    let (_, policy) = page.split_once("Content-Security-Policy\" content=\"").unwrap();
    let (policy, _) = policy.split_once('"').unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    for fetched in ["src=\"http", "href=\"http", "@import", "url(http"] {
        assert!(!page.contains(fetched), "{fetched}");
    }
}

#[test]
fn texts_stand_once_and_the_largest_values_stay() {
    let values: Vec<String> = (0..20).map(|place| format!("C{place:02}")).collect();
    let mut segments = vec!["country"; 20];
    segments.push("overall");
    let mut names: Vec<&str> = values.iter().map(String::as_str).collect();
    names.push("");
    let sizes: Vec<u32> = (0..21).collect();
    let document =
        document("activity", &json!({ "segment": segments, "segment_value": names, "mau": sizes }));
    let read: Value = serde_json::from_str(&document.to_json()).unwrap();
    let activity = &read["tables"]["activity"];
    assert_eq!(activity["rows"], 13);
    assert_eq!(activity["left_out"], json!({ "country": 8 }));
    assert_eq!(
        activity["columns"]["segment"],
        json!({ "values": ["country", "overall"], "codes": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] })
    );
    assert_eq!(activity["columns"]["segment_value"]["values"][0], "C08");
}

#[test]
fn a_large_document_leaves_out_small_values_until_it_fits() {
    let rows = 400_000;
    let values: Vec<String> = (0..rows).map(|row| format!("V{:02}", row % 40)).collect();
    let answer =
        json!({ "segment": vec!["country"; rows], "segment_value": values, "mau": vec![123_456; rows] });
    let text = document("activity", &answer).to_json();
    assert!(text.len() <= 1_500_000, "{} bytes", text.len());
    assert!(text.len() > 500_000, "{} bytes", text.len());
}

#[test]
fn own_metrics_are_read_and_named() {
    let own = custom::read(
        "metrics.toml",
        "[[metric]]\nname = \"lessons_opened\"\ndescription = \"Lessons opened.\"\nentity = \"events\"\nmeasure = \"count\"\ndimensions = [\"platform\"]\n",
    )
    .unwrap();
    let all = tables(Range { from: None, to: "2026-03-31".parse().unwrap() }, &Databases::default(), &own);
    assert!(all.last().unwrap().sql().contains("marts.fct_lessons_opened"));
    let read: Value = serde_json::from_str(&Document::new(meta(), &own).to_json()).unwrap();
    assert_eq!(read["custom_metrics"][0]["title"], "Lessons opened");
    assert_eq!(read["custom_metrics"][0]["unit"], "count");
}

//! Rejects come back: listed, exported as they came, edited, and replayed into the day.

use std::fs;

use integration_tests::world::World;
use serde_json::{Value, json};

const DAY: &str = "2026-03-01";
const GOOD: &str = r#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"2026-03-01T09:30:00Z"}"#;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A day of two sources, with lines of several kinds rejected; one that is no UTF-8, one that is too long.
fn load_day(world: &World) -> Value {
    let a = [
        GOOD.as_bytes(),
        br#"{"event_type":"opened"}"#,
        b"\xff\xfe not UTF-8\r",
        &GOOD.replace("opened", &"x".repeat(300)).into_bytes(),
    ];
    fs::write(world.path("a.jsonl"), [a.join(&b'\n'), b"\n".to_vec()].concat()).unwrap();
    let long = GOOD.replace("\"u\"", &format!("\"u\",\"padding\":\"{}\"", "p".repeat(70_000)));
    fs::write(world.path("b.jsonl"), format!("no event\n\n{long}\n{GOOD}\n")).unwrap();
    world.load(DAY, &["--max-reject-ratio", "1", "--max-line-bytes", "66000", "a.jsonl", "b.jsonl"])
}

fn list(world: &World, more: &[&str]) -> Value {
    json(&world.succeed(&[&["rejects", "list", "--output", "json"], more].concat()))
}

fn replay(world: &World, more: &[&str]) -> Value {
    json(&world.succeed(&[&["rejects", "replay", "--output", "json", "--batch-date", DAY], more].concat()))
}

fn commits(world: &World) -> Value {
    world.query("SELECT count() FROM {raw}.loads").remove(0)[0].clone()
}

#[test]
fn rejects_are_listed_by_day_and_by_load_with_filters() {
    let world = World::new("rejects_list");
    let report = load_day(&world);
    let of_the_day = list(&world, &["--batch-date", DAY]);
    assert_eq!((&of_the_day["lines"], &of_the_day["rejected"]), (&json!(5), &report["rejected"]));
    let lines: Vec<Value> = of_the_day["shown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| json!([line["source_file"], line["source_line"], line["reason"], line["field"]]))
        .collect();
    assert_eq!(
        lines,
        [
            json!(["a.jsonl", 2, "missing_field", "event_id"]),
            json!(["a.jsonl", 3, "invalid_utf8", ""]),
            json!(["a.jsonl", 4, "invalid_value", "event_type"]),
            json!(["b.jsonl", 1, "invalid_json", ""]),
            json!(["b.jsonl", 3, "line_too_long", ""]),
        ]
    );
    let violations = json!(["missing_field event_id", "missing_field user_id", "missing_field event_time"]);
    assert_eq!(of_the_day["shown"][0]["violations"], violations);
    let filtered = |more: &[&str]| list(&world, &[&["--batch-date", DAY], more].concat())["lines"].clone();
    assert_eq!(filtered(&["--reason", "invalid_value"]), 1);
    assert_eq!(filtered(&["--field", "event_id"]), 1);
    assert_eq!(filtered(&["--field", ""]), 3);
    assert_eq!(filtered(&["--source", "b.jsonl"]), 2);
    assert_eq!(filtered(&["--source", "it's \\ nothing"]), 0);
    assert_eq!(list(&world, &["--batch-date", DAY, "--limit", "2"])["shown"].as_array().unwrap().len(), 2);

    // A load that failed shows what was wrong with it.
    let failed = world.run(&["load", "--batch-date", "2026-03-02", "--output", "json", "a.jsonl"]);
    assert_eq!(failed.code, 65);
    let (_, id) = failed.stderr.trim_end().rsplit_once("schoolbell rejects list --load ").unwrap();
    let of_the_load = list(&world, &["--load", id]);
    assert_eq!(of_the_load["lines"], 3, "{}", failed.stderr);
    assert_eq!(world.run(&["rejects", "list", "--batch-date", "2026-03-02"]).code, 66);
    assert_eq!(world.run(&["rejects", "list"]).code, 2);
    let text = world.succeed(&["rejects", "list", "--batch-date", DAY]);
    assert!(text.starts_with("5 rejected lines\n") && text.contains("a.jsonl:2 (byte "), "{text}");
}

#[test]
fn an_export_is_the_lines_byte_for_byte() {
    let world = World::new("rejects_export");
    load_day(&world);
    let output = world.schoolbell().args(["rejects", "export", "--batch-date", DAY]).output().unwrap();
    assert!(output.status.success());
    let lines: Vec<&[u8]> = output.stdout.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 6, "five lines, each with its newline");
    assert_eq!(lines[0], br#"{"event_type":"opened"}"#);
    assert_eq!(lines[1], b"\xff\xfe not UTF-8");
    assert_eq!(lines[3], b"no event");
    assert_eq!((lines[4].len(), lines[5].len()), (64 << 10, 0));
    let nowhere = world.run(&["rejects", "export", "--batch-date", DAY, "--out", "none/bad.jsonl"]);
    assert_eq!(nowhere.code, 2, "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("cannot write none/bad.jsonl"), "{}", nowhere.stderr);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("64 KiB") && told.contains("UTF-8"), "{told}");
}

#[test]
fn mended_lines_join_the_day_where_they_came_from_and_only_once() {
    let world = World::new("rejects_replay");
    let report = load_day(&world);
    // Nothing was mended: nothing changes.
    let nothing = replay(&world, &[]);
    assert_eq!((&nothing["status"], &nothing["cut_lines"]), (&json!("nothing_accepted"), &json!(1)));
    assert_eq!(commits(&world), 1);

    world.succeed(&["rejects", "export", "--batch-date", DAY, "--out", "bad.jsonl"]);
    let bad = fs::read(world.path("bad.jsonl")).unwrap();
    let mut lines: Vec<&[u8]> = bad.split(|byte| *byte == b'\n').collect();
    let mended = GOOD.replace("\"u\"", "\"mended\"");
    // The first is mended, the second is left as it was, the third is left alone, the fourth is mended.
    lines[0] = mended.as_bytes();
    lines[2] = b" ";
    lines[3] = mended.as_bytes();
    fs::write(world.path("bad.jsonl"), lines.join(&b'\n')).unwrap();
    let replayed = replay(&world, &["--from", "bad.jsonl"]);
    assert_eq!((&replayed["status"], &replayed["accepted"]), (&json!("committed"), &json!({ "events": 2 })));
    let rows = world.query(
        "SELECT source_file, source_line, load_id FROM {raw}.events WHERE user_id = 'mended' ORDER BY ALL",
    );
    let id = &replayed["load_id"];
    assert_eq!(rows, [json!(["a.jsonl", 2, id]), json!(["b.jsonl", 1, id])]);
    assert_eq!(world.query("SELECT count() FROM {raw}.events"), [json!([4])]);
    let listed = list(&world, &["--batch-date", DAY]);
    assert_eq!(listed["rejected"], json!({ "invalid_utf8": 1, "invalid_value": 1, "line_too_long": 1 }));
    assert_eq!(world.query("SELECT count() FROM {raw}.rejected_events"), [json!([3])]);
    let commit = world.query(
        "SELECT load_ids, lines, accepted_rows['events'], arraySum(mapValues(rejected_rows)) FROM {raw}.loads \
         ORDER BY committed_at DESC LIMIT 1",
    );
    assert_eq!(commit, [json!([[report["load_id"], id], report["lines"], 4, 3])]);

    // Again, also from the same file: nothing changes. And the sources are loaded as before.
    assert_eq!(replay(&world, &["--from", "bad.jsonl"])["status"], "nothing_accepted");
    assert_eq!(replay(&world, &[])["status"], "nothing_accepted");
    assert_eq!(world.load(DAY, &["a.jsonl", "b.jsonl"])["status"], "already_loaded");
    assert_eq!(commits(&world), 2);
    assert_eq!(world.query("SELECT count() FROM {raw}.events"), [json!([4])]);

    // A file that has lost lines would put others in their place.
    fs::write(world.path("bad.jsonl"), format!("{GOOD}\n")).unwrap();
    let refused = world.run(&["rejects", "replay", "--batch-date", DAY, "--from", "bad.jsonl"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("as many lines"), "{}", refused.stderr);

    // Loaded anew, the day has no memory of what was replayed into it.
    world.load(
        DAY,
        &["--force", "--max-reject-ratio", "1", "--max-line-bytes", "66000", "a.jsonl", "b.jsonl"],
    );
    assert_eq!(list(&world, &["--batch-date", DAY])["lines"], 5);
    assert_eq!(world.query("SELECT count() FROM {raw}.events"), [json!([2])]);
    assert_eq!(world.query("SELECT uniqExact(load_id) FROM {raw}.events_data"), [json!([1])]);
    assert_eq!(world.query("SELECT count() FROM {raw}.replayed_lines_data"), [json!([0])]);
}

#[test]
fn lines_that_the_contract_takes_by_now_are_accepted_as_they_came() {
    let world = World::new("rejects_contract");
    // Rejected by a contract that did not know them: as if it had been, for it is the same one today.
    fs::write(world.path("day.jsonl"), format!("{GOOD}\n[]\n")).unwrap();
    world.load(DAY, &["--max-reject-ratio", "1", "day.jsonl"]);
    let line = GOOD.replace("\"u\"", "\"late\"");
    world.query(&format!(
        "INSERT INTO {{raw}}.rejected_events_data SELECT * REPLACE ('{line}' AS raw, 7 AS source_line) \
         FROM {{raw}}.rejected_events"
    ));
    let replayed = replay(&world, &[]);
    assert_eq!(replayed["accepted"], json!({ "events": 1 }));
    assert_eq!(replayed["still_rejected"], json!({ "not_an_object": 1 }));
    let row = world.query("SELECT source_file, source_line FROM {raw}.events WHERE user_id = 'late'");
    assert_eq!(row, [json!(["day.jsonl", 7])]);
}

/// An event, then blanks up to more than what is kept, then what makes it none.
#[test]
fn what_is_kept_of_a_line_is_not_taken_for_it() {
    let world = World::new("rejects_cut");
    let long = format!("{}{}no event", GOOD.replace("\"u\"", "\"long\""), " ".repeat(70_000));
    let short = GOOD.replace("\"u\"", "\"short\"");
    fs::write(world.path("day.jsonl"), format!("{long}\n{short}\n")).unwrap();
    let limits = ["--max-reject-ratio", "1", "--allow-empty", "--max-line-bytes", "10"];
    world.load(DAY, &[&limits[..], &["day.jsonl"]].concat());
    world.succeed(&["rejects", "export", "--batch-date", DAY, "--out", "bad.jsonl"]);
    // The short one was kept whole, and the limit is another now.
    for (from, status, accepted) in [
        (&["--from", "bad.jsonl"][..], "committed", json!({ "events": 1 })),
        (&["--from", "bad.jsonl"], "nothing_accepted", json!({})),
        (&[], "nothing_accepted", json!({})),
    ] {
        let replayed = replay(&world, from);
        assert_eq!(replayed["status"], status, "{from:?}");
        assert_eq!((&replayed["accepted"], &replayed["cut_lines"]), (&accepted, &json!(1)), "{from:?}");
    }
    assert_eq!(world.query("SELECT user_id FROM {raw}.events"), [json!(["short"])]);
}

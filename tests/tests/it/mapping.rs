//! Lines of another shape are loaded by a mapping: what it gives is in the tables, what it drops is counted, and the day
//! knows by which mapping it was loaded.

use std::fs;

use integration_tests::world::{Finished, World};
use serde_json::{Value, json};

const DAY: &str = "2026-03-01";

/// A company's own file: which calls are purchases.
const ACME: &str = r#"version = 1
name = "acme"
extends = "segment"

[[rule]]
when = [{ at = "/type", is = "track" }, { at = "/event", is = "Order Completed" }]
event_type = "purchase"
purchase_id = "/properties/order_id"
amount = { at = "/properties/cents", as = "minor_units", digits = 2 }
currency = "/properties/currency"
plan = { value = "course" }
period_start = { at = "/timestamp", as = "date" }
period_end = { at = "/timestamp", as = "date", plus = "P1M" }
properties = "/properties"
"#;

/// Calls of a day: a purchase, some lessons, a profile, and one that no rule takes.
fn calls() -> String {
    let mut calls = vec![
        json!({"type": "track", "event": "Order Completed", "messageId": "m-1", "userId": "u-1",
            "timestamp": "2026-03-01T09:30:00Z",
            "properties": {"order_id": "o-1", "cents": 1999, "currency": "USD", "coupon": "spring"}}),
        json!({"type": "identify", "messageId": "m-2", "userId": "u-1", "timestamp": "2026-03-01T09:30:00Z"}),
        json!({"type": "batch", "messageId": "m-3", "userId": "u-1", "timestamp": "2026-03-01T09:30:00Z"}),
    ];
    for lesson in 0..200 {
        calls.push(json!({"type": "track", "event": "Lesson Opened", "messageId": format!("l-{lesson}"),
            "userId": format!("u-{}", lesson % 7), "timestamp": "2026-03-01T10:00:00.5Z",
            "properties": {"lesson": lesson}}));
    }
    calls.iter().flat_map(|call| [call.to_string(), "\n".to_owned()]).collect()
}

fn write(world: &World, name: &str, text: &str) {
    fs::write(world.folder().join(name), text).unwrap();
}

#[test]
fn a_day_is_loaded_by_a_mapping() {
    let world = World::new("mapping");
    write(&world, "acme.toml", ACME);
    write(&world, "calls.jsonl", &calls());

    let validate =
        ["validate", "--output", "json", "--batch-date", DAY, "--mapping", "acme.toml", "calls.jsonl"];
    let checked: Value = serde_json::from_str(&world.succeed(&validate)).unwrap();
    let loaded = world.load(DAY, &["--mapping", "acme.toml", "calls.jsonl"]);
    for report in [&checked, &loaded] {
        assert_eq!(report["lines"], 203);
        assert_eq!(
            (&report["accepted"]["events"], &report["accepted"]["purchases"]),
            (&json!(200), &json!(1))
        );
        assert_eq!(report["rejected"], json!({"unmapped": 1}));
        assert_eq!(report["dropped"], json!({"no event": 1}));
    }

    // Values are those of the source, and what no field took is kept.
    let purchase = world.query(
        "SELECT purchase_id, toString(amount), currency, plan, toString(period_start), toString(period_end), extra, \
         source_line FROM {raw}.purchases",
    );
    let [Value::Array(purchase)] = purchase.as_slice() else { panic!("one purchase: {purchase:?}") };
    assert_eq!(
        purchase[..6],
        json!(["o-1", "19.99", "USD", "course", "2026-03-01", "2026-04-01"]).as_array().unwrap()[..]
    );
    let kept: Value = serde_json::from_str(purchase[6].as_str().unwrap()).unwrap();
    assert_eq!(kept["properties"], json!({"coupon": "spring"}));
    assert_eq!((&kept["type"], &kept["messageId"]), (&json!("track"), &json!("m-1")));
    assert_eq!(purchase[7], 1);

    // A rejected line is the line as it came.
    let rejects = world.query("SELECT reason, source_line, raw, message FROM {raw}.rejected_events");
    assert_eq!(rejects[0][0], "unmapped");
    assert_eq!(rejects[0][1], 3);
    assert_eq!(rejects[0][2].as_str(), calls().lines().nth(2));
    assert!(rejects[0][3].as_str().unwrap().contains("`/type` is `\"batch\"`"), "{rejects:?}");

    // The commit has the mapping; the same sources by the same mapping are the same load, by another they are not.
    let commits =
        world.query("SELECT mapping, toString(dropped_lines) FROM {raw}.loads ORDER BY committed_at");
    assert_eq!(commits[0][1], "{'no event':1}");
    assert!(commits[0][0].as_str().unwrap().starts_with("acme "), "{commits:?}");
    let again = world.load(DAY, &["--mapping", "acme.toml", "calls.jsonl"]);
    assert_eq!((&again["status"], &again["dropped"]), (&json!("already_loaded"), &loaded["dropped"]));
    // A comment is no other mapping.
    write(&world, "acme.toml", &format!("# Orders are purchases.\n{ACME}"));
    assert_eq!(world.load(DAY, &["--mapping", "acme.toml", "calls.jsonl"])["status"], "already_loaded");

    // What the mapping makes of the lines loads natively to the same rows.
    let columns = "* EXCEPT (load_id, source_file, source_line)";
    let rows = |world: &World| -> Vec<Value> {
        ["events", "purchases"]
            .iter()
            .flat_map(|table| {
                world.query(&format!("SELECT count(), sum(sipHash64({columns})) FROM {{raw}}.{table}"))
            })
            .collect()
    };
    let by_mapping = rows(&world);
    let tried = world.run(&["mapping", "try", "--batch-date", DAY, "--mapping", "acme.toml", "calls.jsonl"]);
    assert_eq!(tried.code, 0, "{}", tried.stderr);
    for part in ["203 lines: 201 events, 1 rejected", "1 dropped (no event 1)", "purchase, where", "unmapped"]
    {
        assert!(tried.stderr.contains(part), "{part}: {}", tried.stderr);
    }
    write(&world, "events.jsonl", &tried.stdout);
    assert_eq!(world.load(DAY, &["events.jsonl"])["status"], "committed");
    assert_eq!(rows(&world), by_mapping);

    // By another mapping they are another load.
    let mut other = world.schoolbell();
    let arguments = ["load", "--output", "json", "--batch-date", DAY, "calls.jsonl"];
    other.args(arguments).env("SCHOOLBELL_MAPPING", "segment");
    let finished = Finished::of(&mut other, &arguments);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let other: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((&other["status"], &other["accepted"]["events"]), (&json!("committed"), &json!(201)));
}

#[test]
fn a_mended_mapping_takes_rejected_lines_back() {
    let world = World::new("mapping_replay");
    write(&world, "acme.toml", ACME);
    write(&world, "calls.jsonl", &calls());
    world.load(DAY, &["--mapping", "acme.toml", "calls.jsonl"]);
    let mended = format!(
        "{ACME}\n[[rule]]\nwhen = [{{ at = \"/type\", is = \"batch\" }}]\nevent_type = \"batch_sent\"\n"
    );
    write(&world, "mended.toml", &mended);
    let replay = ["rejects", "replay", "--output", "json", "--batch-date", DAY, "--mapping", "mended.toml"];
    let report: Value = serde_json::from_str(&world.succeed(&replay)).unwrap();
    assert_eq!((&report["status"], &report["accepted"]), (&json!("committed"), &json!({"events": 1})));
    let found =
        world.query("SELECT event_type, source_line FROM {raw}.events WHERE event_type = 'batch_sent'");
    assert_eq!(found, [json!(["batch_sent", 3])]);
    let each = world.run(&["rejects", "replay", "--batch-date", DAY, "--mapping", "caliper"]);
    assert_eq!(each.code, 2, "{}", each.stderr);
}

#[test]
fn mappings_are_shown_and_their_faults_told() {
    let world = World::without_tables("mapping_show", None);
    let list = world.succeed(&["mapping", "list"]);
    for name in event_mapping::builtin::NAMES {
        assert!(list.contains(name), "{name}: {list}");
        // What is shown can be copied and edited.
        write(&world, "copy.toml", &world.succeed(&["mapping", "show", name]));
        let copy = world.succeed(&["mapping", "show", "copy.toml"]);
        assert_eq!(copy, fs::read_to_string(world.folder().join("copy.toml")).unwrap());
    }
    write(&world, "day.jsonl", "{}\n");
    write(
        &world,
        "bad.toml",
        "version = 1\nname = \"bad\"\n[[rule]]\nevent_type = \"purchase\"\nscore = \"/s\"\nuser_id = { at = \"/u\", as = \"uper\" }\n",
    );
    for command in ["validate", "load"] {
        let finished = world.run(&[command, "--batch-date", DAY, "--mapping", "bad.toml", "day.jsonl"]);
        assert_eq!(finished.code, 2, "{command}: {}", finished.stderr);
        for part in ["bad.toml:6:", "did you mean `upper`"] {
            assert!(finished.stderr.contains(part), "{command}: {}", finished.stderr);
        }
    }
    let missing = world.run(&["validate", "--mapping", "segmnt", "day.jsonl"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("built in are segment, posthog"), "{}", missing.stderr);
}

//! The date of a load: wrong ones noticed, days taken back, many days by one command, and what is loaded.

use std::fs;

use integration_tests::days::Line;
use integration_tests::proxy::Proxy;
use integration_tests::s3::Bucket;
use integration_tests::world::{Finished, World};
use serde_json::{Value, json};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Lessons opened by `u1`, `u2`, … at noon of these days.
fn lines(days: &[&str]) -> String {
    let line = |(user, day): (usize, &&str)| {
        Line::new("lesson_opened", &format!("u{}", user + 1), &format!("{day}T12:00:00Z"), json!({}))
            .to_string()
            + "\n"
    };
    days.iter().enumerate().map(line).collect()
}

/// Writes a file of events of these days.
fn write(world: &World, file: &str, days: &[&str]) {
    let path = world.folder().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, lines(days)).unwrap();
}

/// Events that readers see, by batch date.
fn loaded(world: &World) -> Vec<Value> {
    world.query(
        "SELECT toString(batch_date), count() FROM {raw}.events GROUP BY batch_date ORDER BY batch_date",
    )
}

fn fails(world: &World, code: i32, arguments: &[&str]) -> String {
    let finished = world.run(arguments);
    assert_eq!(finished.code, code, "{arguments:?}: {}{}", finished.stdout, finished.stderr);
    finished.stderr
}

/// A day after which the marts would end in 2062, and `unload`, which takes it back, through dbt.
#[test]
fn a_date_to_come_is_refused_and_a_day_that_was_let_in_is_taken_back() {
    let world = World::new("misdated");
    for day in ["2026-03-01", "2026-03-02", "2026-03-03"] {
        write(&world, &format!("{day}.jsonl"), &[day]);
    }
    world.succeed(&["load", "2026-03-0*.jsonl"]);
    write(&world, "x.jsonl", &["2026-03-03"]);

    let wrong = ["load", "--batch-date", "2062-03-03", "x.jsonl"];
    let refused = fails(&world, 2, &wrong);
    assert!(refused.contains("later than tomorrow") && refused.contains("--allow-misdated"), "{refused}");
    assert!(refused.contains("2062-03-03"), "{refused}");
    assert_eq!(fails(&world, 2, &[&wrong[..], &["--stage"]].concat()), refused);
    assert_eq!(world.query("SELECT count() FROM {raw}.loads"), [json!([3])]);

    world.succeed(&[&wrong[..], &["--allow-misdated"]].concat());
    world.dbt(&["build"]);
    let unload = ["unload", "--output", "json", "--batch-date", "2062-03-03"];
    let report = json(&world.succeed(&unload));
    let removed =
        json!({"ab_test_assignments": 0, "events": 1, "purchases": 0, "sessions": 0, "task_results": 0});
    assert_eq!(report, json!({"status": "unloaded", "batch_date": "2062-03-03", "removed": removed}));
    // At once for readers, and its rows are gone.
    assert_eq!(loaded(&world), ["2026-03-01", "2026-03-02", "2026-03-03"].map(|day| json!([day, 1])));
    assert_eq!(world.query("SELECT count() FROM {raw}.events_data"), [json!([3])]);
    assert_eq!(
        world.query(
            "SELECT load_ids, sources, lines, accepted_rows['events'], rejected_rows \
             FROM {raw}.loads WHERE batch_date = '2062-03-03' ORDER BY committed_at DESC LIMIT 1"
        ),
        [json!([[], [], 0, 0, {}])]
    );
    world.dbt(&["build"]);
    let days = "SELECT toString(max(activity_date)), count() FROM {marts}.fct_activity_daily WHERE segment = 'overall'";
    assert_eq!(world.query(days), [json!(["2026-03-03", 3])]);

    // Again, and for a day that never was, nothing is changed.
    let commits = world.query("SELECT count() FROM {raw}.loads");
    assert_eq!(json(&world.succeed(&unload))["status"], "not_loaded");
    let never = world.succeed(&["unload", "--batch-date", "2026-02-01"]);
    assert_eq!(never, "2026-02-01 is not loaded; nothing was changed\n");
    assert_eq!(world.query("SELECT count() FROM {raw}.loads"), commits);
}

#[test]
fn a_day_that_was_taken_back_is_as_if_it_had_never_been_loaded() {
    let world = World::new("taken_back");
    write(&world, "day.jsonl", &["2026-03-01"]);
    let first = world.load("2026-03-01", &["day.jsonl"]);
    world.succeed(&["unload", "--batch-date", "2026-03-01"]);
    assert_eq!(loaded(&world), [] as [Value; 0]);
    for arguments in [
        &["rejects", "list", "--batch-date", "2026-03-01"][..],
        &["rejects", "replay", "--batch-date", "2026-03-01"],
        &["load", "--batch-date", "2026-03-01", "--commit"],
    ] {
        fails(&world, 66, arguments);
    }
    // The very same sources are loaded, not known again.
    let again = world.load("2026-03-01", &["day.jsonl"]);
    assert_eq!(again["status"], "committed");
    assert_ne!(again["load_id"], first["load_id"]);
    assert_eq!(loaded(&world), [json!(["2026-03-01", 1])]);
}

/// The file of the tenth under the eleventh: it replaced the day in silence.
#[test]
fn a_file_of_another_day_is_told_with_its_numbers() {
    let world = World::new("other_day");
    write(&world, "2026-06-10.jsonl", &["2026-06-10", "2026-06-10", "2026-06-09"]);
    let load = ["load", "--output", "json", "--batch-date", "2026-06-11", "2026-06-10.jsonl"];
    let finished = world.run(&load);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    for said in [
        "the name of 2026-06-10.jsonl holds 2026-06-10, not 2026-06-11",
        "only 0 of the 3 events (0.0 %) are of 2026-06-11; the events are of 2026-06-10 (2), 2026-06-09 (1)",
    ] {
        assert!(finished.stderr.contains(said), "{}", finished.stderr);
    }
    let report = json(&finished.stdout);
    assert_eq!(report["events_by_date"], json!({"date": 0, "day_before": 2, "day_after": 0, "earlier": 1}));
    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    let mut expected = [
        "status",
        "batch_date",
        "load_id",
        "sources",
        "left_out",
        "lines",
        "blank_lines",
        "bytes",
        "accepted",
        "rejected",
        "dropped",
        "events_by_date",
        "seconds",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    // The second time they are known again: what is said is the same.
    let again = world.run(&load);
    assert!(again.stderr.contains("holds 2026-06-10, not 2026-06-11"), "{}", again.stderr);
    let mut again = json(&again.stdout);
    assert_eq!(again["status"], "already_loaded");
    again["status"] = json!("committed");
    assert_eq!(again, report);

    // Half of the events are enough, and a name without a date says nothing.
    write(&world, "part.jsonl", &["2026-06-10", "2026-06-11"]);
    let finished = world.run(&["load", "--batch-date", "2026-06-11", "part.jsonl"]);
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""));
}

#[test]
fn a_day_none_of_whose_events_is_near_it_is_refused() {
    let world = World::new("far_day");
    write(&world, "june.jsonl", &["2026-06-01", "2026-06-01", "2026-06-03"]);
    let load = ["load", "--batch-date", "2026-06-05", "june.jsonl"];
    let refused = fails(&world, 65, &load);
    let why = "none of its 3 events is of 2026-06-05 or a day beside it; the events are of 2026-06-01 (2), 2026-06-03 (1)";
    assert!(refused.contains(why) && refused.contains("--allow-misdated"), "{refused}");
    // Its lines are good: that a load would refuse them is a warning.
    let validated = fails(&world, 0, &["validate", "--batch-date", "2026-06-05", "june.jsonl"]);
    for said in ["the events are of 2026-06-01 (2), 2026-06-03 (1)", "a load would be refused"] {
        assert!(validated.contains(said), "{validated}");
    }
    assert_eq!(world.query("SELECT count() FROM {raw}.events_data"), [json!([0])]);

    // A part may hold late events only: the day as a whole is looked at.
    world.succeed(&[&load[..], &["--stage"]].concat());
    let commit = ["load", "--batch-date", "2026-06-05", "--commit"];
    assert_eq!(fails(&world, 65, &commit), refused);
    write(&world, "more.jsonl", &["2026-06-04"]);
    world.succeed(&["load", "--batch-date", "2026-06-05", "--stage", "more.jsonl"]);
    let committed = world.run(&[&commit[..], &["--output", "json"]].concat());
    assert_eq!(committed.code, 0, "{}", committed.stderr);
    assert!(committed.stderr.contains("only 0 of the 4 events"), "{}", committed.stderr);
    let dates = json!({"date": 0, "day_before": 1, "day_after": 0, "earlier": 3});
    assert_eq!(json(&committed.stdout)["events_by_date"], dates);

    let allowed = json(&world.succeed(&[&load[..], &["--allow-misdated", "--output", "json"]].concat()));
    assert_eq!(allowed["status"], "committed");
}

/// All events are after the batch date's end: the contract rejects them, and the message says which day they are of.
#[test]
fn a_whole_file_of_a_later_day_is_named() {
    let world = World::new("later_day");
    write(&world, "april.jsonl", &["2026-04-05"; 4]);
    for command in ["load", "validate"] {
        let refused = fails(&world, 65, &[command, "--batch-date", "2026-03-01", "april.jsonl"]);
        assert!(refused.contains("are of 2026-04-05"), "{command}: {refused}");
    }
    let load = ["load", "--batch-date", "2026-03-01", "--max-reject-ratio", "1", "april.jsonl"];
    let refused = fails(&world, 65, &load);
    assert!(refused.contains("the events are of 2026-04-05"), "{refused}");
}

#[test]
fn many_days_are_loaded_one_after_another_by_the_dates_in_their_names() {
    let world = World::new("many_days");
    for day in ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-05"] {
        write(&world, &format!("days/{day}.part1.jsonl"), &[day]);
        write(&world, &format!("days/{day}.part2.jsonl"), &[day, day]);
    }
    fs::write(world.path("days/notes.txt"), "").unwrap();
    let load = |arguments: &[&str]| {
        let out = world.succeed(&[&["load", "--output", "json"], arguments].concat());
        let day = |line: &str| {
            let report = json(line);
            assert_eq!(report["left_out"], json!(["days/notes.txt"]));
            json!([report["batch_date"], report["status"], report["accepted"]["events"]])
        };
        out.lines().map(day).collect::<Vec<_>>()
    };
    let day = |day: &str, status: &str| json!([day, status, 3]);
    assert_eq!(
        load(&["--to", "2026-03-02", "days"]),
        ["2026-03-01", "2026-03-02"].map(|d| day(d, "committed"))
    );
    assert_eq!(
        load(&["--from", "2026-03-02", "days"]),
        [day("2026-03-02", "already_loaded"), day("2026-03-03", "committed"), day("2026-03-05", "committed")]
    );
    assert_eq!(loaded(&world).len(), 4);

    let none = fails(&world, 66, &["load", "--from", "2026-03-06", "days"]);
    assert!(none.contains("2026-03-01 to 2026-03-05"), "{none}");
    fails(&world, 2, &["load", "--from", "2026-03-06", "--to", "2026-03-01", "days"]);
    fails(&world, 2, &["load", "--from", "2026-03-01", "--batch-date", "2026-03-01", "days"]);

    let listed = json(&world.succeed(&["loads", "list", "--output", "json"]));
    assert_eq!(listed["gaps"], json!([{"from": "2026-03-04", "to": "2026-03-04", "days": 1}]));
    let loads = listed["loads"].as_array().unwrap();
    let batch_dates: Vec<&Value> = loads.iter().map(|load| &load["batch_date"]).collect();
    assert_eq!(batch_dates, ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-05"]);
    assert_eq!(loads[3]["accepted"]["events"], 3);
    assert_eq!(loads[3]["sources"][1]["name"], "days/2026-03-05.part2.jsonl");
    let text = world.succeed(&["loads", "list", "--from", "2026-03-02", "--to", "2026-03-07"]);
    // When they were loaded is another time each run.
    let without_time = |line: &str| {
        let end = if line.starts_with("20") { line.len() - "2026-03-01 09:30".len() } else { line.len() };
        line[..end].trim_end().to_owned() + "\n"
    };
    let text: String = text.lines().map(without_time).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn the_first_day_that_fails_ends_the_load_and_says_what_is_left() {
    let world = World::new("days_fail");
    for day in ["2026-03-01", "2026-03-03", "2026-03-04"] {
        write(&world, &format!("{day}.jsonl"), &[day]);
    }
    fs::write(world.path("2026-03-02.jsonl"), "no event\n").unwrap();
    let finished = world.run(&["load", "--output", "json", "2026-03-*.jsonl"]);
    assert_eq!(finished.code, 65, "{}", finished.stderr);
    assert_eq!(finished.stdout.lines().count(), 1);
    for said in
        ["2026-03-02 was not loaded", "loaded before it: 2026-03-01", "2 days from 2026-03-03 to 2026-03-04"]
    {
        assert!(finished.stderr.contains(said), "{}", finished.stderr);
    }
    assert_eq!(loaded(&world), [json!(["2026-03-01", 1])]);
    fs::remove_file(world.path("2026-03-02.jsonl")).unwrap();
    let again = world.succeed(&["load", "--output", "json", "2026-03-*.jsonl"]);
    let statuses: Vec<Value> = again.lines().map(|line| json(line)["status"].clone()).collect();
    assert_eq!(statuses, ["already_loaded", "committed", "committed"]);

    // A day to come is refused before the days before it are loaded.
    write(&world, "2026-03-09.jsonl", &["2026-03-09"]);
    write(&world, "2062-03-10.jsonl", &["2026-03-10"]);
    fails(&world, 2, &["load", "2026-03-09.jsonl", "2062-03-10.jsonl"]);
    assert_eq!(loaded(&world).len(), 3);
}

#[test]
fn a_name_without_a_date_or_with_two_asks_for_one() {
    let world = World::new("no_date");
    write(&world, "day.jsonl", &["2026-03-01"]);
    write(&world, "2026-03-01_2026-03-02.jsonl", &["2026-03-01"]);
    write(&world, "2026-03-01.jsonl", &["2026-03-01"]);
    for (source, said) in [
        ("day.jsonl", "holds no date"),
        ("-", "holds no date"),
        ("2026-03-01_2026-03-02.jsonl", "more than one date, 2026-03-01 and 2026-03-02"),
    ] {
        let refused = fails(&world, 2, &["load", "2026-03-01.jsonl", source]);
        assert!(refused.contains(said) && refused.contains("--batch-date"), "{source}: {refused}");
    }
    assert_eq!(world.query("SELECT count() FROM {raw}.loads"), [json!([0])]);
    world.succeed(&["load", "--batch-date", "2026-03-01", "2026-03-01_2026-03-02.jsonl"]);
}

/// Objects of days that are loaded already are not asked for, and do not keep the others from coming.
#[test]
fn many_days_of_a_bucket_are_loaded_by_one_command() {
    let (world, bucket) = (World::new("bucket_days"), Bucket::new("bucket-days"));
    let proxy = Proxy::to(bucket.server());
    let days: Vec<String> = (1..=12).map(|day| format!("2026-03-{day:02}")).collect();
    for day in &days {
        bucket.put(&format!("events/date={day}/part.jsonl"), lines(&[day]).as_bytes());
    }
    let load = |more: &[&str]| {
        let prefix = bucket.url("events/");
        let arguments = [&["load", "--output", "json", "--jobs", "2", &prefix], more].concat();
        let mut command = world.schoolbell();
        Bucket::connect(&mut command, &proxy.url());
        let finished = Finished::of(command.args(&arguments), &arguments);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        finished.stdout.lines().map(|line| json(line)["status"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(load(&["--from", "2026-03-03", "--to", "2026-03-10"]), ["committed"; 8]);
    let spool = ["--spool", "spool"];
    let mut expected = vec!["already_loaded"; 12];
    for index in [0, 1, 10, 11] {
        expected[index] = "committed";
    }
    assert_eq!(load(&spool), expected);
    assert_eq!(loaded(&world), days.iter().map(|day| json!([day, 1])).collect::<Vec<_>>());
    let left = fs::read_dir(world.path("spool")).unwrap().count();
    assert_eq!(left, 0, "what was spooled is removed");
}

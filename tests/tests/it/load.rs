//! A load makes the warehouse hold exactly the day it was given, or leaves it as it was.

use std::fmt::Write;
use std::fs;

use event_generator::{Compression, Layout, Plan, write_files};
use event_schema::Reason;
use integration_tests::corpus;
use integration_tests::proxy::{Head, Proxy};
use integration_tests::reference::{self, Options};
use integration_tests::world::{Finished, World};
use serde_json::{Value, json};

const TABLES: [&str; 5] = ["events", "purchases", "task_results", "sessions", "ab_test_assignments"];
const DAY: &str = "2026-03-01";

/// Writes the day into a folder of the world, and answers the glob of its files.
fn generate(world: &World, folder: &str, seed: u64, compression: Compression, parts: u32) -> String {
    let plan = Plan { seed, ..Plan::new(DAY.parse().unwrap(), 1, 3000) };
    let layout = Layout { compression, parts, ..Layout::default() };
    write_files(&plan, &world.folder().join(folder), layout, |_| ()).unwrap();
    format!("{folder}/{DAY}*.jsonl*")
}

/// Rows and a hash of every column but where they came from, by table.
fn contents(world: &World) -> Vec<Value> {
    TABLES
        .iter()
        .flat_map(|table| {
            world.query(&format!(
                "SELECT '{table}', count(), sum(sipHash64(* EXCEPT (load_id, source_file, source_line))) \
                 FROM {{raw}}.{table}"
            ))
        })
        .collect()
}

#[test]
fn rows_that_are_compressed_on_their_way_are_the_same() {
    let world = World::new("wire");
    let sources = generate(&world, "days", 3, Compression::None, 1);
    world.load(DAY, &[&sources]);
    let expected = contents(&world);
    let server = world.url().strip_prefix("http://").unwrap().parse().unwrap();
    for (method, is_compressed) in
        [(None, false), (Some("none"), false), (Some("lz4"), true), (Some("zstd"), true)]
    {
        let proxy = Proxy::to(server);
        let mut arguments = vec!["load", "--force", "--batch-date", DAY, &sources];
        arguments.extend(method.iter().flat_map(|method| ["--wire-compression", *method]));
        let mut load = world.schoolbell();
        load.args(&arguments).env("CLICKHOUSE_URL", proxy.url());
        let finished = Finished::of(&mut load, &arguments);
        assert_eq!(finished.code, 0, "{method:?}: {}", finished.stderr);
        assert_eq!(contents(&world), expected, "{method:?}");
        let requests = proxy.requests();
        let mut inserts =
            requests.iter().map(Head::target).filter(|target| target.contains("FORMAT+Native")).peekable();
        assert!(inserts.peek().is_some(), "{method:?}: no block went through the proxy");
        assert!(inserts.all(|target| target.contains("decompress=1") == is_compressed), "{method:?}");
    }
}

#[test]
fn a_day_in_every_form_gives_the_same_tables() {
    let world = World::new("forms");
    let forms = [
        ("plain", Compression::None, 1),
        ("gz", Compression::Gz, 1),
        ("zst", Compression::Zst, 1),
        ("parts", Compression::None, 4),
        ("gz_parts", Compression::Gz, 3),
    ];
    let mut first: Option<(Vec<Value>, Value)> = None;
    for (folder, compression, parts) in forms {
        let sources = generate(&world, folder, 7, compression, parts);
        let report = world.load(DAY, &[&sources]);
        assert_eq!(report["status"], "committed", "{folder}");
        assert_eq!(report["sources"].as_array().unwrap().len(), parts as usize);
        let found = (contents(&world), json!([report["lines"], report["accepted"], report["rejected"]]));
        assert!(found.0.iter().all(|table| table[1].as_u64() > Some(0)), "{folder}: {:?}", found.0);
        match &first {
            None => first = Some(found),
            Some(first) => assert_eq!(&found, first, "{folder}"),
        }
    }
}

#[test]
fn a_day_loaded_again_is_the_last_one_and_nothing_else() {
    let world = World::new("again");
    let first = generate(&world, "first", 1, Compression::None, 1);
    let second = generate(&world, "second", 2, Compression::Gz, 2);

    let loaded = world.load(DAY, &[&first]);
    let once = contents(&world);
    let again = world.load(DAY, &[&first]);
    assert_eq!(again["status"], "already_loaded");
    assert_eq!(again["load_id"], loaded["load_id"]);
    assert_eq!(contents(&world), once);

    assert_eq!(world.load(DAY, &["--force", &first])["status"], "committed");
    assert_eq!(contents(&world), once);

    let replaced = world.load(DAY, &[&second]);
    assert_eq!(replaced["status"], "committed");
    assert_ne!(contents(&world), once);
    let only_second = World::new("only_second");
    let same = generate(&only_second, "second", 2, Compression::Gz, 2);
    only_second.load(DAY, &[&same]);
    assert_eq!(contents(&world), contents(&only_second));

    // The former loads are gone from the disk, and `raw.loads` tells the story.
    for table in TABLES.iter().chain(&["rejected_events"]) {
        let loads = world.query(&format!("SELECT DISTINCT load_id FROM {{raw}}.{table}_data"));
        assert_eq!(loads, [json!([replaced["load_id"]])], "{table}");
    }
    let commits = world.query(
        "SELECT load_ids, accepted_rows['events'], arrayMap(source -> source.1, sources) \
         FROM {raw}.loads ORDER BY committed_at, commit_id",
    );
    assert_eq!(commits.len(), 3);
    assert_eq!(commits[2][0], json!([replaced["load_id"]]));
    assert_eq!(commits[2][1], replaced["accepted"]["events"]);
    assert_eq!(commits[2][2].as_array().unwrap().len(), 2);
}

#[test]
fn days_do_not_touch_each_other() {
    let world = World::new("days");
    let plan = Plan::new(DAY.parse().unwrap(), 3, 500);
    write_files(&plan, &world.folder().join("days"), Layout::default(), |_| ()).unwrap();
    for day in ["2026-03-02", "2026-03-01", "2026-03-03", "2026-03-02"] {
        world.load(day, &[&format!("days/{day}.jsonl")]);
    }
    let rows =
        world.query("SELECT batch_date, count() FROM {raw}.events GROUP BY batch_date ORDER BY batch_date");
    let days: Vec<&str> = rows.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(days, ["2026-03-01", "2026-03-02", "2026-03-03"]);
}

#[test]
fn rejects_are_kept_with_all_that_is_known_of_them() {
    let world = World::new("rejects");
    // One line of every reason, from the corpus; good lines to stay below the limit of rejects.
    let mut file: Vec<u8> = Vec::new();
    let mut expected: Vec<Value> = Vec::new();
    let mut line_number = 0;
    let batch_date = "2026-01-01";
    let cases = corpus::cases();
    // Without a mapping no line is unmapped.
    for reason in Reason::ALL.into_iter().filter(|reason| *reason != Reason::Unmapped) {
        let folder = format!("reject/{reason}");
        let (input, reject) = cases
            .iter()
            .filter(|case| case.file.parent().is_some_and(|parent| parent.ends_with(&folder)))
            .filter(|case| case.options == Options::default() && case.input.ends_with(b"\n"))
            .find_map(|case| {
                let mut outcome = reference::read(&case.input, &case.options);
                let reject = outcome.rejects.pop()?;
                // One line alone, without a byte-order mark: it will not stand first.
                (outcome.lines == 1 && reject.byte_offset == 0).then_some((&case.input, reject))
            })
            .unwrap_or_else(|| panic!("the corpus has a line that is rejected for {reason}"));
        assert_eq!(reject.reason, reason.as_str());
        line_number += 1;
        let violations: Vec<String> = reject
            .violations
            .iter()
            .map(|(reason, field)| format!("{reason} {field}").trim_end().to_owned())
            .collect();
        expected.push(json!([
            line_number,
            file.len(),
            reason.as_str(),
            reject.field,
            violations,
            hex(&reject.raw)
        ]));
        file.extend_from_slice(input);
    }
    let good = br#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"2026-01-01T09:30:00Z"}"#;
    file.extend_from_slice(&[&good[..], b"\n\n"].concat().repeat(2000));
    fs::write(world.path("day.jsonl"), &file).unwrap();

    let report = world.load(batch_date, &["day.jsonl"]);
    assert_eq!(report["lines"], 10 + 4000);
    assert_eq!(report["blank_lines"], 2000);
    assert_eq!(report["accepted"]["events"], 2000);
    let rejects = world.query(
        "SELECT source_line, byte_offset, reason, field, violations, hex(raw) \
         FROM {raw}.rejected_events WHERE notEmpty(message) AND source_file = 'day.jsonl' ORDER BY source_line",
    );
    for (reject, expected) in rejects.iter().zip(&expected) {
        assert_eq!(reject, expected);
    }
    assert_eq!(rejects.len(), expected.len());
}

/// Parts and bytes of columns of each table; nothing has merged them.
fn parts(world: &World) -> Vec<(String, u64, u64)> {
    let rows = world.query(
        "SELECT table, count(), sum(data_uncompressed_bytes) FROM system.parts \
         WHERE active AND database = '{raw}' AND table LIKE '%_data' GROUP BY table",
    );
    let number = |value: &Value| value.as_u64().unwrap();
    rows.iter().map(|row| (row[0].as_str().unwrap().to_owned(), number(&row[1]), number(&row[2]))).collect()
}

#[test]
fn a_day_within_the_memory_is_one_part_a_table_and_a_larger_one_as_many_as_it_has_to_be() {
    const MIB: u64 = 1 << 20;
    let world = World::new("blocks");
    for table in TABLES.iter().chain(&["rejected_events"]) {
        world.query(&format!("SYSTEM STOP MERGES {{raw}}.{table}_data"));
    }
    let plan = Plan { reject_share: 0.005, ..Plan::new(DAY.parse().unwrap(), 1, 60_000) };
    write_files(&plan, &world.folder().join("large"), Layout::default(), |_| ()).unwrap();
    let file = format!("large/{DAY}.jsonl");

    let report = world.load(DAY, &[&file]);
    let one_block = parts(&world);
    assert_eq!(one_block.len(), 6, "{one_block:?}");
    assert!(one_block.iter().all(|(_, parts, _)| *parts == 1), "{one_block:?}");

    let again = world.load(DAY, &["--memory", "64", "--force", &file]);
    assert_eq!(again["accepted"], report["accepted"]);
    let blocks = parts(&world);
    // docs/load.md: a block is a twelfth of the memory without 48 MiB, if it is not a table's last.
    let least_bytes = (64 - 48) * MIB / 12;
    for (table, parts, bytes) in &blocks {
        assert!(*parts <= 1 + bytes / least_bytes, "{table}: {parts} parts of {bytes} bytes");
    }
    let of = |name: &str| blocks.iter().find(|(table, ..)| table == name).unwrap();
    let (_, events, events_bytes) = of("events_data");
    assert!(*events > 1 && *events_bytes > 16 * MIB / 2, "{blocks:?}");
    assert_eq!((of("purchases_data").1, of("ab_test_assignments_data").1), (1, 1));
}

#[test]
fn too_many_rejects_fail_the_load_and_change_nothing() {
    let world = World::new("limit");
    let good = generate(&world, "good", 3, Compression::None, 1);
    world.load(DAY, &[&good]);
    let before = contents(&world);
    let commits = world.query("SELECT * FROM {raw}.loads");

    let mut bytes = fs::read(world.path(&format!("good/{DAY}.jsonl"))).unwrap();
    let lines = bytes.split(|byte| *byte == b'\n').count();
    bytes.extend_from_slice(&b"not json\n".repeat(lines / 50));
    fs::write(world.path("bad.jsonl"), bytes).unwrap();
    let failed = world.run(&["load", "--batch-date", DAY, "bad.jsonl"]);
    assert_eq!(failed.code, 65, "{}", failed.stderr);
    assert!(failed.stderr.contains("--max-reject-ratio"), "{}", failed.stderr);

    fs::write(world.path("blank.jsonl"), "\n \n").unwrap();
    assert_eq!(world.run(&["load", "--batch-date", DAY, "blank.jsonl"]).code, 65);

    let cut = generate(&world, "cut", 4, Compression::Gz, 1);
    let gz = world.path(&format!("cut/{DAY}.jsonl.gz"));
    let whole = fs::read(&gz).unwrap();
    fs::write(&gz, &whole[..whole.len() - 100]).unwrap();
    let failed = world.run(&["load", "--batch-date", DAY, &cut]);
    assert_eq!(failed.code, 65, "{}", failed.stderr);
    assert!(failed.stderr.contains(&format!("cut/{DAY}.jsonl.gz")), "{}", failed.stderr);

    assert_eq!(world.run(&["load", "--batch-date", DAY, "nothing-here.jsonl"]).code, 66);
    assert_eq!(world.run(&["load", "--batch-date", "2026-02-30", "bad.jsonl"]).code, 2);

    assert_eq!(contents(&world), before);
    assert_eq!(world.query("SELECT * FROM {raw}.loads"), commits);

    let passed = world.load(DAY, &["--max-reject-ratio", "0.5", "bad.jsonl"]);
    assert_eq!(passed["status"], "committed");
    assert_eq!(world.load("2026-03-02", &["--allow-empty", "blank.jsonl"])["status"], "committed");
}

#[test]
fn a_warehouse_out_of_reach_is_temporary_and_named() {
    let world = World::new("unreachable");
    fs::write(world.path("day.jsonl"), "{}\n").unwrap();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = world.schoolbell();
    let output = command
        .env("CLICKHOUSE_URL", format!("http://127.0.0.1:{port}"))
        .env("CLICKHOUSE_PASSWORD", "open sesame")
        .args(["load", "--batch-date", DAY, "day.jsonl"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(75), "{stderr}");
    assert!(stderr.contains(&port.to_string()) && !stderr.contains("open sesame"), "{stderr}");
}

/// As ClickHouse's function of that name.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02X}").unwrap();
        hex
    })
}

//! `init` touches only what is Schoolbell's own: what is somebody else's is named and left alone, what an earlier
//! version made is upgraded, what a newer one made is refused.

use std::fs;
use std::net::SocketAddr;

use event_generator::{Layout, Plan, write_files};
use integration_tests::proxy::{Fault, Proxy, Rule};
use integration_tests::world::{Finished, World};
use serde_json::{Value, json};

const DAY: &str = "2026-03-01";
const LINE: &str = r#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"2026-03-01T09:30:00Z"}"#;
/// What `init` of version 1 made, which had no marks.
const VERSION_1: &str = include_str!("files/tables_of_version_1.sql");

fn run_all(world: &World, statements: &str) {
    for statement in statements.split(";\n").filter(|statement| !statement.trim().is_empty()) {
        world.query(statement);
    }
}

/// Everything in the database, to the letter.
fn objects(world: &World) -> Vec<Value> {
    world.query(
        "SELECT name, create_table_query, total_rows FROM system.tables WHERE database = '{raw}' ORDER BY name",
    )
}

/// The statement of `init` that makes a table or view, changed.
fn ddl_of(world: &World, name: &str, from: &str, to: &str) -> String {
    let ddl = world.succeed(&["init", "--print"]);
    let name = format!("IF NOT EXISTS {}.{name}\n", world.database("raw"));
    let view = name.replace('\n', " AS\n");
    let statement =
        ddl.split(";\n").find(|statement| statement.contains(&name) || statement.contains(&view)).unwrap();
    assert!(statement.contains(from), "{statement}");
    statement.replace(from, to)
}

#[test]
fn what_is_somebody_elses_is_named_and_left_as_it_is() {
    /// A name, the statements that make it, and what is said of it.
    type Kind = (&'static str, Box<dyn Fn(&World) -> String>, &'static [&'static str]);
    let mark = "COMMENT 'schoolbell/raw/3: ";
    let kinds: Vec<Kind> = vec![
        // Names that anybody would give. They became empty views.
        (
            "tables",
            Box::new(|_| {
                "CREATE TABLE {raw}.purchases (id UInt64, note String) ENGINE = MergeTree ORDER BY id;\n\
                 INSERT INTO {raw}.purchases SELECT number, 'precious' FROM numbers(1000);\n\
                 CREATE TABLE {raw}.sessions (id UInt64) ENGINE = MergeTree ORDER BY id;\n\
                 INSERT INTO {raw}.sessions SELECT number FROM numbers(500)"
                    .to_owned()
            }),
            &["purchases is of the engine MergeTree", "sessions is of the engine MergeTree"],
        ),
        // A table where rows are to be stored. It got our columns, and was never swept.
        (
            "data",
            Box::new(|_| "CREATE TABLE {raw}.events_data (a Int32) ENGINE = MergeTree ORDER BY a".to_owned()),
            &["events_data is partitioned by nothing, not by batch_date, load_id"],
        ),
        (
            "views",
            Box::new(|_| {
                "CREATE TABLE {raw}.notes (event_id UUID) ENGINE = MergeTree ORDER BY event_id;\n\
                 CREATE VIEW {raw}.events AS SELECT event_id FROM {raw}.notes;\n\
                 CREATE MATERIALIZED VIEW {raw}.task_results ENGINE = MergeTree ORDER BY event_id \
                 AS SELECT event_id FROM {raw}.notes;\n\
                 CREATE DICTIONARY {raw}.sessions (id UInt64, name String) PRIMARY KEY id \
                 SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(0)"
                    .to_owned()
            }),
            &[
                "events selects from views_raw.notes, not from views_raw.events_all, views_raw.loads",
                "task_results is of the engine MaterializedView",
                "sessions is of the engine Dictionary",
            ],
        ),
        // It would throw rows away.
        (
            "engine",
            Box::new(|world| {
                ddl_of(world, "events_data", "ENGINE = MergeTree", "ENGINE = ReplacingMergeTree")
            }),
            &["events_data is of the engine ReplacingMergeTree"],
        ),
        // With a mark, which anyone can copy.
        (
            "key",
            Box::new(|world| ddl_of(world, "loads", "ORDER BY (batch_date, ", "ORDER BY (")),
            &["loads is ordered by committed_at, commit_id, not by"],
        ),
        (
            "type",
            Box::new(|world| ddl_of(world, "purchases_data", "Decimal(18, 4)", "Float64")),
            &["purchases_data has the column amount of type Float64, not Decimal(18, 4)"],
        ),
        // All but a column is right, and there is no mark.
        (
            "unmarked",
            Box::new(move |world| {
                let ddl = ddl_of(world, "staged_loads", mark, "COMMENT 'mine: ");
                ddl.replace("    version String", "    revision String")
            }),
            &["staged_loads has the column revision, which none of Schoolbell's had, and bears no mark"],
        ),
    ];
    for (name, make, told) in kinds {
        let world = World::without_tables(name, None);
        world.query("CREATE DATABASE {raw}");
        run_all(&world, &make(&world));
        let before = objects(&world);
        for arguments in [&["init"][..], &["rejects", "list", "--batch-date", DAY]] {
            let refused = world.run(arguments);
            assert_eq!(refused.code, 2, "{name}: {}", refused.stderr);
            for told in told.iter().chain(&["nothing was changed", "SCHOOLBELL_DATABASE_PREFIX"]) {
                assert!(refused.stderr.contains(told), "{name}: {told} in: {}", refused.stderr);
            }
        }
        assert_eq!(objects(&world), before, "{name}");
    }
}

#[test]
fn a_database_that_could_not_hold_the_tables_is_refused() {
    let world = World::without_tables("memory_database", None);
    world.query("CREATE DATABASE {raw} ENGINE = Memory");
    let refused = world.run(&["init"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("is a database of the engine Memory"), "{}", refused.stderr);
    assert!(objects(&world).is_empty());
}

#[test]
fn tables_of_other_names_are_nobodys_business() {
    let world = World::without_tables("neighbours", None);
    run_all(
        &world,
        "CREATE DATABASE {raw};\nCREATE TABLE {raw}.notes (id UInt64) ENGINE = Log;\n\
         INSERT INTO {raw}.notes SELECT number FROM numbers(3)",
    );
    world.succeed(&["init"]);
    fs::write(world.path("day.jsonl"), LINE).unwrap();
    world.load(DAY, &["day.jsonl"]);
    assert_eq!(world.query("SELECT count() FROM {raw}.notes"), [json!([3])]);
    // Again, it says that there is nothing to do.
    let again: Value = serde_json::from_str(&world.succeed(&["init", "--output", "json"])).unwrap();
    assert_eq!(again, json!({ "database": world.database("raw"), "version": 3, "changed": false }));
}

#[test]
fn a_warehouse_of_the_previous_release_is_upgraded_with_all_that_it_holds() {
    let now = World::new("release_now");
    let plan = Plan::new(DAY.parse().unwrap(), 1, 300);
    write_files(&plan, now.folder(), Layout::default(), |_| ()).unwrap();
    let day = format!("{DAY}.jsonl");
    now.load(DAY, &["--max-reject-ratio", "1", &day]);

    let before = World::without_tables("release_before", None);
    run_all(&before, VERSION_1);
    for table in objects(&now).iter().filter_map(|object| object[0].as_str()) {
        if table == "loads" || table.ends_with("_data") {
            let from = now.database("raw");
            let columns = before.query(&format!(
                "SELECT arrayStringConcat(groupArray(name), ', ') FROM system.columns \
                 WHERE database = '{{raw}}' AND table = '{table}'"
            ));
            let columns = columns[0][0].as_str().unwrap();
            before.query(&format!(
                "INSERT INTO {{raw}}.{table} ({columns}) SELECT {columns} FROM {from}.{table} \
                 SETTINGS max_partitions_per_insert_block = 0"
            ));
        }
    }
    fs::copy(now.path(&day), before.path(&day)).unwrap();
    // Whatever works with the tables is refused, and changes nothing.
    let objects_before = objects(&before);
    for arguments in [
        &["load", "--batch-date", DAY, &day][..],
        &["load", "--batch-date", DAY, "--stage", &day],
        &["load", "--batch-date", DAY, "--commit"],
        &["rejects", "list", "--batch-date", DAY],
        &["rejects", "export", "--batch-date", DAY],
        &["rejects", "replay", "--batch-date", DAY],
        &["metrics", "query", "dau"],
        &["report"],
    ] {
        let refused = before.run(arguments);
        assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("run `schoolbell init`"), "{arguments:?}: {}", refused.stderr);
        assert!(refused.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(objects(&before), objects_before);
    let doctor = before.run(&["doctor"]);
    assert_eq!(doctor.code, 65, "{}", doctor.stderr);
    assert!(
        doctor.stdout.contains("FAIL  tables") && doctor.stdout.contains("schoolbell init"),
        "{}",
        doctor.stdout
    );

    before.succeed(&["init"]);
    assert_eq!(before.contents(), now.contents());
    assert_eq!(before.load(DAY, &["--max-reject-ratio", "1", &day])["status"], "already_loaded");
    // What was upgraded is what is made anew.
    let made = |world: &World| -> Vec<Value> {
        let own = world.database("raw");
        let query = format!(
            "SELECT name, replaceAll(create_table_query, '{own}', 'raw') FROM system.tables \
             WHERE database = '{{raw}}' ORDER BY name"
        );
        world.query(&query)
    };
    assert_eq!(made(&before), made(&now));
}

#[test]
fn a_broken_off_upgrade_is_refused_until_it_was_run_to_its_end() {
    let mut world = World::without_tables("half_upgraded", None);
    let (url, address) = (world.url().to_owned(), world.url().strip_prefix("http://").unwrap().to_owned());
    let proxy = Proxy::to(address.parse::<SocketAddr>().unwrap());
    fs::write(world.path("day.jsonl"), LINE).unwrap();
    let mut broken = 0;
    for request in (0..).step_by(5) {
        world.query("DROP DATABASE IF EXISTS {raw} SYNC");
        run_all(&world, VERSION_1);
        proxy.reset();
        let body = "Code: 497. DB::Exception: no longer. (ACCESS_DENIED) (version 26.7.2.1)".to_owned();
        proxy.add(Rule::new(|_| true, Fault::Answer { status: 500, body }).skip(request));
        world.set("CLICKHOUSE_URL", proxy.url());
        let code = world.run(&["init"]).code;
        world.set("CLICKHOUSE_URL", &url);
        if code == 0 {
            break;
        }
        assert_eq!(code, 77);
        let refused = world.run(&["load", "--batch-date", DAY, "day.jsonl"]);
        assert_eq!(refused.code, 2, "request {request}: {}", refused.stderr);
        assert!(refused.stderr.contains("behind this version"), "{}", refused.stderr);
        world.succeed(&["init"]);
        world.load(DAY, &["day.jsonl"]);
        broken += 1;
    }
    assert!(broken > 3, "{broken}");
}

#[test]
fn tables_of_a_newer_release_are_left_to_it() {
    let world = World::new("newer");
    fs::write(world.path("day.jsonl"), LINE).unwrap();
    world.query("ALTER TABLE {raw}.loads MODIFY COMMENT 'schoolbell/raw/99: Commits, in another way.'");
    let before = objects(&world);
    for arguments in [&["init"][..], &["load", "--batch-date", DAY, "day.jsonl"]] {
        let refused = world.run(arguments);
        assert_eq!(refused.code, 2, "{arguments:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("made by a newer schoolbell (version 99"), "{}", refused.stderr);
    }
    assert_eq!(objects(&world), before);
}

#[test]
fn a_column_that_is_missing_is_told_with_its_mend() {
    let world = World::new("missing_column");
    fs::write(world.path("day.jsonl"), LINE).unwrap();
    world.query("ALTER TABLE {raw}.events_data DROP COLUMN extra, DROP COLUMN country");
    let refused = world.run(&["load", "--batch-date", DAY, "day.jsonl"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    for told in ["events_data lacks country, extra", "run `schoolbell init`"] {
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }
    world.succeed(&["init"]);
    world.load(DAY, &["day.jsonl"]);
}

#[test]
fn a_server_that_is_too_old_is_told_with_what_is_needed() {
    let world = World::without_tables("old_server", None);
    let proxy = Proxy::to(world.url().strip_prefix("http://").unwrap().parse::<SocketAddr>().unwrap());
    for arguments in [&["init"][..], &["metrics", "query", "dau"]] {
        let body =
            r#"{"server_version":"25.8.2.29","database_engine":"","objects":[],"columns":[]}"#.to_owned();
        proxy.reset();
        proxy.add(Rule::new(|_| true, Fault::Answer { status: 200, body }));
        let mut command = world.schoolbell();
        let refused = Finished::of(command.env("CLICKHOUSE_URL", proxy.url()).args(arguments), arguments);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        let told = "version 25.8.2.29, but Schoolbell needs 26 or later";
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
        assert_eq!(proxy.requests().len(), 1, "it is asked once");
    }
}

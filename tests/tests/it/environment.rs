//! A variable that is empty is as good as unset; one that cannot be used is named, and its value never shown.

use std::fs;

use integration_tests::world::World;

const DAY: &str = "2026-03-01";
const LINE: &str = r#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"2026-03-01T09:30:00Z"}"#;

#[test]
fn empty_variables_are_as_good_as_unset() {
    let mut world = World::new("empty_variables");
    fs::write(world.path("day.jsonl"), LINE).unwrap();
    for name in ["CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD", "SCHOOLBELL_CLUSTER", "SCHOOLBELL_METRICS"] {
        world.set(name, "");
    }
    world.load(DAY, &["day.jsonl"]);
    world.succeed(&["metrics", "list"]);
    // The address falls back to that of a server on this machine.
    world.set("CLICKHOUSE_URL", "");
    let refused = world.run(&["init", "--retry-seconds", "0", "--user", "nobody"]);
    assert!(refused.stderr.contains("http://127.0.0.1:8123"), "{}", refused.stderr);
}

#[test]
fn unusable_variables_are_named_and_not_shown() {
    for (name, value) in [
        ("CLICKHOUSE_URL", "http://127.0.0.1:99999"),
        ("CLICKHOUSE_URL", "http://127.0.0.1:0"),
        ("CLICKHOUSE_URL", "127.0.0.1:8123"),
        ("CLICKHOUSE_URL", "clickhouse.example.com"),
        ("CLICKHOUSE_URL", "http://"),
        ("CLICKHOUSE_URL", "http://geheim@127.0.0.1:8123"),
        ("CLICKHOUSE_USER", "geheim\nX-Evil: 1"),
        ("CLICKHOUSE_PASSWORD", "geheim\n"),
        ("CLICKHOUSE_PASSWORD", "geheim\r\nX-Evil: 1"),
        ("SCHOOLBELL_DATABASE_PREFIX", "ge-heim"),
        ("SCHOOLBELL_CLUSTER", "ge heim"),
    ] {
        let mut world = World::without_tables("unusable_variable", None);
        world.set(name, value);
        let refused = world.run(&["init"]);
        assert_eq!(refused.code, 2, "{name}={value}: {}", refused.stderr);
        assert!(refused.stderr.contains(name), "{name}={value}: {}", refused.stderr);
        for part in ["geheim", "ge-heim", "ge heim", "99999", "example.com"] {
            assert!(!refused.stderr.contains(part), "{name}={value}: {}", refused.stderr);
        }
        // What the flags say instead is not the variable's fault.
        let flagged = world.run(&["init", "--print", "--database-prefix", "1"]);
        assert_eq!(flagged.code, 2);
        assert!(!flagged.stderr.contains("the variable SCHOOLBELL_DATABASE_PREFIX"), "{}", flagged.stderr);
    }
}

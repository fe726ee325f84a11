//! `schoolbell warehouse`: found from wherever it is asked for.

use integration_tests::world::World;
use serde_json::Value;

const PORTS: [&str; 4] = ["--http-port", "0", "--tcp-port", "0"];

/// A world whose servers are noted apart from those of the machine's user.
fn world(name: &str) -> World {
    let mut world = World::without_tables(name, None);
    world.set("XDG_STATE_HOME", world.path("state"));
    world
}

fn start(world: &World, folder: &str) -> Value {
    let arguments = [&["warehouse", "start", "--output", "json", "--data", folder], &PORTS[..]].concat();
    serde_json::from_str(&world.succeed(&arguments)).unwrap()
}

/// It said "no warehouse runs" and exited with 0, while one did.
#[test]
fn a_warehouse_is_stopped_from_elsewhere() {
    let world = world("elsewhere");
    let started = start(&world, "there");
    let url = started["url"].as_str().unwrap();
    assert!(world.succeed(&["warehouse", "status"]).contains(url));
    // A folder that is named is meant.
    let other = world.succeed(&["warehouse", "stop", "--data", "here"]);
    assert!(other.contains("no warehouse runs in here") && other.contains("there"), "{other}");
    let stopped = world.succeed(&["warehouse", "stop"]);
    assert!(stopped.contains("stopped") && stopped.contains("there"), "{stopped}");
    assert!(local_clickhouse::query(url, "SELECT 1").is_err());
    // And it is forgotten.
    assert!(world.succeed(&["warehouse", "stop"]).contains("no warehouse runs in schoolbell-warehouse"));
    assert_eq!(world.run(&["warehouse", "status"]).code, 66);
}

#[test]
fn of_several_that_run_elsewhere_one_is_to_be_named() {
    let world = world("several");
    start(&world, "one");
    start(&world, "two");
    for command in ["stop", "status"] {
        let refused = world.run(&["warehouse", command]);
        assert_eq!(refused.code, 66, "{}", refused.stderr);
        for told in ["--data", "one", "two"] {
            assert!(refused.stderr.contains(told), "{told} in: {}", refused.stderr);
        }
    }
    world.succeed(&["warehouse", "stop", "--data", "one"]);
    world.succeed(&["warehouse", "stop"]);
}

//! Tables spread over two servers: a load through `Distributed` gives the same day as one into plain tables.
//!
//! The local engine has no Keeper: the cluster's own DDL is run without replication, statement by statement on both
//! servers. What that leaves out is said in `docs/load.md`.

use std::net::TcpListener;

use event_generator::{Layout, Plan, write_files};
use integration_tests::world::{self, World};
use local_clickhouse::Server;
use serde_json::{Value, json};

const DAY: &str = "2026-03-01";
const TABLES: [&str; 6] =
    ["events", "purchases", "task_results", "sessions", "ab_test_assignments", "rejected_events"];

/// Two servers that know of each other as the cluster `two`.
fn two_servers() -> [Server; 2] {
    let free: Vec<TcpListener> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let ports: Vec<u16> = free.iter().map(|free| free.local_addr().unwrap().port()).collect();
    drop(free);
    let shard = |port| format!("<shard><replica><host>127.0.0.1</host><port>{port}</port></replica></shard>");
    let shards: String = ports.iter().map(shard).collect();
    let config = format!("<clickhouse><remote_servers><two>{shards}</two></remote_servers></clickhouse>");
    [0, 1].map(|index| {
        world::server_with(&format!("cluster_{index}"), |builder| {
            builder.tcp_port(ports[index]).extra_config(config.clone())
        })
    })
}

fn contents(server: &Server, raw: &str) -> Vec<String> {
    let contents = |table: &&str| {
        let sql = format!("SELECT count(), sum(sipHash64(* EXCEPT load_id)) FROM {raw}.{table}");
        format!("{table} {}", server.query(&sql).unwrap())
    };
    TABLES.iter().map(contents).collect()
}

#[test]
fn a_day_over_two_servers_is_the_same_day() {
    let servers = two_servers();
    let world = World::at("plain", &servers[0].url());
    let plan = Plan::new(DAY.parse().unwrap(), 1, 2000);
    write_files(&plan, &world.folder().join("days"), Layout { parts: 2, ..Layout::default() }, |_| ())
        .unwrap();
    world.load(DAY, &["days/*.jsonl"]);
    let on_one = contents(&servers[0], "plain_raw");

    let run = |arguments: &[&str]| {
        let mut command = world.schoolbell();
        let output = command
            .env("SCHOOLBELL_DATABASE_PREFIX", "spread_")
            .env("SCHOOLBELL_CLUSTER", "two")
            .args(arguments)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {stderr}");
        (String::from_utf8(output.stdout).unwrap(), stderr)
    };
    let (ddl, _) = run(&["init", "--print"]);
    for statement in ddl.split(";\n").filter(|statement| !statement.trim().is_empty()) {
        let statement = statement
            .replace(" ON CLUSTER 'two'", "")
            .replace("replicated_deduplication_window", "non_replicated_deduplication_window");
        // The engine and its path and replica.
        let statement = match statement.split_once("ReplicatedMergeTree") {
            Some((before, rest)) => {
                let rest = match rest.strip_prefix('(') {
                    Some(arguments) => arguments.split_once(')').unwrap().1,
                    None => rest,
                };
                format!("{before}MergeTree{rest}")
            }
            None => statement,
        };
        for server in &servers {
            server.query(&statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    let load = ["load", "--output", "json", "--batch-date", DAY];
    let report = |stdout: &str| serde_json::from_str::<Value>(stdout).unwrap();
    let (stdout, _) = run(&[&load[..], &["days/*.jsonl"]].concat());
    assert_eq!(report(&stdout)["status"], "committed");
    assert_eq!(contents(&servers[0], "spread_raw"), on_one);
    let rows: Vec<u64> = servers
        .iter()
        .map(|server| {
            server.query("SELECT count() FROM spread_raw.events_data").unwrap().trim().parse().unwrap()
        })
        .collect();
    assert!(rows.iter().all(|rows| *rows > 0), "both servers hold rows: {rows:?}");
    let users = "SELECT count() FROM (SELECT user_id FROM spread_raw.events_distributed GROUP BY user_id \
                 HAVING uniqExact(_shard_num) > 1)";
    assert_eq!(servers[0].query(users).unwrap().trim(), "0", "a user's rows are on one server");

    // By two hands, and again.
    let mut names: Vec<String> = std::fs::read_dir(world.path("days"))
        .unwrap()
        .map(|entry| format!("days/{}", entry.unwrap().file_name().to_str().unwrap()))
        .filter(|name| name.contains(DAY))
        .collect();
    names.sort();
    for name in &names {
        let (stdout, _) = run(&[&load[..], &["--stage", name]].concat());
        assert_eq!(report(&stdout)["status"], "staged");
    }
    let (stdout, stderr) = run(&[&load[..], &["--commit", "--force"]].concat());
    assert_eq!(report(&stdout)["status"], "committed");
    assert_eq!(contents(&servers[0], "spread_raw"), on_one);
    // What it replaced stays: that needs ON CLUSTER, and Keeper. It says so.
    assert!(stderr.contains("a later load will remove them"), "{stderr}");
    assert_eq!(report(&stdout)["sources"].as_array().map(Vec::len), Some(2), "{}", json!(stdout));
}

//! `https://` addresses of ClickHouse and of a store: who is trusted, and what is said to who is not.

use std::fs;
use std::net::SocketAddr;

use event_generator::{Layout, Plan, write_files};
use integration_tests::s3::Bucket;
use integration_tests::tls::{Authority, Front};
use integration_tests::world::{Finished, World};
use serde_json::json;

const DAY: &str = "2026-03-01";
/// The least that dbt builds.
const SEED: [&str; 3] = ["build", "--select", "exchange_rates"];
const COMMITS: &str = "SELECT count() FROM {raw}.loads";

fn address(world: &World) -> SocketAddr {
    world.url().strip_prefix("http://").expect("an HTTP address").parse().expect("of a number and a port")
}

/// Has all that the test runs trust the certificates in a file, and no others.
fn trust(world: &mut World, file: String) {
    world.set("SSL_CERT_FILE", file);
    world.set("SSL_CERT_DIR", "");
}

#[test]
fn a_day_is_loaded_and_read_through_tls_that_an_authority_of_ones_own_vouches_for() {
    let mut world = World::new("tls");
    let plan = Plan::new(DAY.parse().unwrap(), 1, 500);
    write_files(&plan, &world.folder().join("days"), Layout::default(), |_| ()).unwrap();
    world.load(DAY, &["days/*.jsonl"]);
    // So that the pinned environment is there, whatever certificates it is fetched by.
    world.dbt(&SEED);
    let loaded = world.contents();
    assert_eq!(world.query(COMMITS), [json!([1])]);

    let authority = Authority::new("school");
    let front = Front::of(address(&world), &authority, "localhost");
    let file = world.path("authority.pem");
    fs::write(&file, &authority.pem).unwrap();
    world.set("CLICKHOUSE_URL", front.url("localhost"));
    trust(&mut world, file);
    world.succeed(&["load", "--force", "--batch-date", DAY, "days/*.jsonl"]);
    assert_eq!(world.query(COMMITS), [json!([2])]);
    assert_eq!(world.contents(), loaded);
    assert!(world.succeed(&["rejects", "list", "--batch-date", DAY]).contains(DAY));
    let by_schoolbell = front.accepted();
    assert!(by_schoolbell > 0);
    world.dbt(&SEED);
    assert!(front.accepted() > by_schoolbell, "dbt speaks TLS too");
}

#[test]
fn who_is_not_trusted_is_told_nothing_and_not_asked_again() {
    let mut world = World::new("tls_untrusted");
    let authority = Authority::new("school");
    let front = Front::of(address(&world), &authority, "localhost");
    let mut refused = |url: String, certificates: &str, problem: &str| {
        let file = world.path("certificates.pem");
        fs::write(&file, certificates).unwrap();
        world.set("CLICKHOUSE_URL", &url);
        trust(&mut world, file);
        let finished = world.run(&["init"]);
        assert_eq!(finished.code, 77, "{problem}: {}", finished.stderr);
        for part in [&url, problem, "SSL_CERT_FILE"] {
            assert!(finished.stderr.contains(part), "{part} in: {}", finished.stderr);
        }
        assert!(!finished.stderr.contains("tried"), "{}", finished.stderr);
    };
    refused(front.url("localhost"), &Authority::new("stranger").pem, "UnknownIssuer");
    // It is vouched for, but by another name.
    refused(front.url("127.0.0.1"), &authority.pem, "not valid for name");
    refused(front.url("localhost"), "", "nothing to check its certificate by");
    assert_eq!(front.accepted(), 0);
}

#[test]
fn a_port_without_tls_is_told_from_a_server_that_is_down() {
    let mut world = World::new("tls_plain");
    world.set("CLICKHOUSE_URL", format!("https://{}", address(&world)));
    let finished = world.run(&["init"]);
    assert_eq!(finished.code, 2, "{}", finished.stderr);
    assert!(finished.stderr.contains("does not speak TLS"), "{}", finished.stderr);
}

#[test]
fn a_store_is_trusted_as_clickhouse_is() {
    let mut world = World::new("tls_store");
    let bucket = Bucket::new("tls-store");
    let plan = Plan::new(DAY.parse().unwrap(), 1, 50);
    write_files(&plan, world.folder(), Layout::default(), |_| ()).unwrap();
    bucket.put("day.jsonl", &fs::read(world.path(&format!("{DAY}.jsonl"))).unwrap());

    let authority = Authority::new("school");
    let front = Front::of(bucket.server(), &authority, "localhost");
    let mut validate = |certificates: &str| {
        let file = world.path("certificates.pem");
        fs::write(&file, certificates).unwrap();
        trust(&mut world, file);
        let mut command = world.schoolbell();
        Bucket::connect(&mut command, &front.url("localhost"));
        command.env_remove("AWS_ALLOW_HTTP");
        let arguments = ["validate", "--batch-date", DAY, &bucket.url("day.jsonl")];
        Finished::of(command.args(arguments), &arguments)
    };
    let trusted = validate(&authority.pem);
    assert_eq!(trusted.code, 0, "{}", trusted.stderr);
    let accepted = front.accepted();
    assert!(accepted > 0);

    let refused = validate(&Authority::new("stranger").pem);
    assert_eq!(refused.code, 77, "{}", refused.stderr);
    for part in ["UnknownIssuer", "SSL_CERT_FILE", &bucket.url("day.jsonl")] {
        assert!(refused.stderr.contains(part), "{part} in: {}", refused.stderr);
    }
    assert!(!refused.stderr.contains("trying again"), "{}", refused.stderr);
    assert_eq!(front.accepted(), accepted);
}

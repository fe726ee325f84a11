//! The log of a load: what it tells at each level, in both formats, and that it never holds a secret.

use std::fs;
use std::process::Command;

use integration_tests::proxy::{Fault, Head, Proxy, Rule};
use integration_tests::s3::{Bucket, SECRET};
use integration_tests::users::{PASSWORD, User, UserServer};
use integration_tests::world::{Finished, World};
use serde_json::Value;

const DAY: &str = "2026-03-01";
const LINE: &str = r#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"2026-03-01T09:30:00Z"}"#;
/// The token of temporary credentials, which is sent in a header.
const TOKEN: &str = "geheim-token";

/// A server with a password and a store with keys, both behind proxies that refuse now and then.
struct Scene {
    world: World,
    _server: UserServer,
    warehouse: Proxy,
    bucket: Bucket,
    store: Proxy,
}

impl Scene {
    fn new(name: &'static str) -> Scene {
        let user = User { name: "nightly", ..User::default() };
        let server = UserServer::new(name, &[user]);
        let url = server.server.url();
        let world = World::at(name, &url);
        let warehouse = Proxy::to(url.strip_prefix("http://").unwrap().parse().unwrap());
        let bucket = Bucket::new(&name.replace('_', "-"));
        bucket.put("day.jsonl", LINE.as_bytes());
        let store = Proxy::to(bucket.server());
        Scene { world, _server: server, warehouse, bucket, store }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.schoolbell();
        Bucket::connect(&mut command, &self.store.url());
        command
            .env("AWS_SESSION_TOKEN", TOKEN)
            .env("CLICKHOUSE_URL", self.warehouse.url())
            .env("CLICKHOUSE_USER", "nightly")
            .env("CLICKHOUSE_PASSWORD", PASSWORD)
            .args(arguments);
        command
    }

    /// Loads the day while both refuse twice.
    fn load(&self, variable: Option<&str>, more: &[&str]) -> Finished {
        for proxy in [&self.warehouse, &self.store] {
            proxy.reset();
        }
        let is_insert = |head: &Head| head.target().contains("FORMAT+Native");
        let is_read = |head: &Head| head.field("Range").is_some();
        let away = || Fault::Answer { status: 503, body: "503 away".to_owned() };
        self.warehouse.add(Rule::new(is_insert, away()).times(2));
        self.store.add(Rule::new(is_read, away()).times(2));
        let url = self.bucket.url("day.jsonl");
        let arguments = [&["load", "--force", "--batch-date", DAY, &*url], more].concat();
        let mut command = self.command(&arguments);
        if let Some(filters) = variable {
            command.env("SCHOOLBELL_LOG", filters);
        }
        let finished = Finished::of(&mut command, &arguments);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert_no_secret(&finished);
        // The requests that the log tells of did hold them.
        let of_store = self.store.requests();
        assert!(of_store.iter().all(|head| head.field("X-Amz-Security-Token").is_some_and(|it| it == TOKEN)));
        finished
    }
}

fn assert_no_secret(finished: &Finished) {
    let said = format!("{}{}", finished.stdout, finished.stderr);
    for secret in [SECRET, TOKEN, PASSWORD, "geheim", "AKIDEXAMPLE", "Signature=", "AWS4-HMAC"] {
        assert!(!said.contains(secret), "{secret} in: {said}");
    }
}

#[test]
fn a_log_in_json_tells_every_step_and_why_it_waited() {
    let scene = Scene::new("log_json");
    let finished = scene.load(None, &["-vv", "--log-format", "json"]);
    let events: Vec<Value> =
        finished.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let spans_of = |event: &Value| -> Vec<String> {
        let spans = event["spans"].as_array().into_iter().flatten();
        spans.map(|span| span["name"].as_str().unwrap().to_owned()).collect()
    };
    for (span, message) in [
        ("load", "read"),
        ("source", "opened"),
        ("block", "stored"),
        ("commit", "committed"),
        ("sweep", "asked the server"),
    ] {
        let found =
            |event: &&Value| event["message"] == message && spans_of(event).contains(&span.to_owned());
        assert!(events.iter().any(|event| found(&event)), "{message} in {span}: {}", finished.stderr);
    }
    // Each attempt that failed, with its cause and the wait; the first of each as a warning.
    for (target, cause) in [("ch_sink", "503 away"), ("event_source", "503")] {
        let retries: Vec<&Value> = events
            .iter()
            .filter(|event| event["target"].as_str().unwrap().starts_with(target))
            .filter(|event| event["message"].as_str().unwrap().contains("trying again for"))
            .collect();
        assert_eq!(retries.len(), 2, "{target}: {}", finished.stderr);
        assert!(retries.iter().all(|event| event["wait_ms"].is_u64()), "{retries:?}");
        assert!(retries[0]["message"].as_str().unwrap().contains(cause), "{retries:?}");
        assert_eq!((&retries[0]["level"], &retries[1]["level"]), (&"WARN".into(), &"DEBUG".into()));
    }
}

#[test]
fn the_levels_of_a_log_in_text() {
    let scene = Scene::new("log_text");
    let warned = scene.load(None, &[]).stderr;
    assert!(!warned.is_empty());
    for line in warned.lines() {
        assert!(line.starts_with("schoolbell: ") && line.contains("trying again for"), "{warned}");
    }
    assert_eq!(scene.load(None, &["--quiet"]).stderr, "");
    let steps = scene.load(None, &["-v"]).stderr;
    assert!(steps.contains(" INFO load{batch_date=2026-03-01 load_id=") && steps.contains("read"), "{steps}");
    assert!(!steps.contains("DEBUG"), "{steps}");
    assert!(scene.load(None, &["-vv"]).stderr.contains("DEBUG"));
    // The variable wins; and whatever it asks for, libraries that see headers are not heard.
    let chosen = scene.load(Some("ch_sink=debug,event_source=off"), &[]).stderr;
    assert!(chosen.contains("asked the server") && !chosen.contains("asked the store"), "{chosen}");
    let traced = scene.load(Some("trace"), &[]).stderr;
    assert!(traced.contains("asked the store"), "{traced}");
}

#[test]
fn what_is_refused_at_once_does_not_show_a_secret_either() {
    let scene = Scene::new("log_refused");
    let day = scene.bucket.url("day.jsonl");
    let with_secret = day.replace("s3://", "s3://key:geheim@");
    for format in ["text", "json"] {
        let log = ["-vv", "--log-format", format];
        let refused = |name: &str, value: &str, source: &str| {
            let limits = ["--source-timeout", "1", "--retry-seconds", "1"];
            let arguments = [&["load", "--batch-date", DAY, source], &limits[..], &log[..]].concat();
            let mut command = scene.command(&arguments);
            let finished = Finished::of(command.env(name, value), &arguments);
            assert_ne!(finished.code, 0, "{name} {source}");
            assert!(!finished.stderr.is_empty());
            assert_no_secret(&finished);
            finished.stderr
        };
        refused("CLICKHOUSE_URL", "http://nightly:geheim@127.0.0.1:8123", &day);
        refused("CLICKHOUSE_PASSWORD", "geheim-and-wrong", &day);
        refused("AWS_ENDPOINT_URL", "http://key:geheim@127.0.0.1:1", &day);
        refused("CLICKHOUSE_USER", "nightly", &with_secret);
        let filters = refused("SCHOOLBELL_LOG", "geheim=loud", &day);
        assert!(filters.contains("SCHOOLBELL_LOG"), "{filters}");
    }
    // A failure in JSON is an event like all others.
    fs::write(scene.world.path("bad.jsonl"), "{}\n").unwrap();
    let failed = scene.world.run(&["load", "--batch-date", DAY, "bad.jsonl", "--log-format", "json"]);
    let event: Value = serde_json::from_str(failed.stderr.trim()).expect(&failed.stderr);
    assert_eq!((&event["level"], &event["exit_code"]), (&"ERROR".into(), &65.into()), "{event}");
}

//! Addresses where nobody answers, or somebody else does: it ends within 15 seconds, says which, and tells of waiting
//! as it happens.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::proxy::{Fault, Head, Proxy, Rule};
use integration_tests::world::{Finished, World, own_server};

const DAY: &str = "2026-03-01";
const LINE: &str = r#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"opened","user_id":"u","event_time":"2026-03-01T09:30:00Z"}"#;
/// A word on it and a start of the program, beside the 15 seconds.
const PATIENCE: Duration = Duration::from_secs(18);

fn load_at(world: &World, url: &str, more: &[&str]) -> (Finished, Duration) {
    fs::write(world.path("day.jsonl"), LINE).unwrap();
    let arguments = [&["load", "--batch-date", DAY, "day.jsonl"], more].concat();
    let mut command = world.schoolbell();
    let started = Instant::now();
    let finished = Finished::of(command.env("CLICKHOUSE_URL", url).args(&arguments), &arguments);
    assert!(started.elapsed() < PATIENCE, "{:?}: {}", started.elapsed(), finished.stderr);
    (finished, started.elapsed())
}

/// Something that takes connections, reads what comes, and says this to each.
fn listener(words: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            thread::spawn(move || {
                let said = client.write_all(words);
                // Held open until the other side has enough.
                let _ = said.and_then(|()| client.read_to_end(&mut Vec::new()));
            });
        }
    });
    format!("http://{address}")
}

#[test]
fn a_listener_that_never_answers_is_given_up_whatever_the_retries() {
    let world = World::without_tables("silent", None);
    let url = listener(b"");
    for retries in ["0", "6", "600"] {
        let (refused, _) = load_at(&world, &url, &["--retry-seconds", retries]);
        assert_eq!(refused.code, 75, "{}", refused.stderr);
        let told =
            format!("{url} does not answer: something listens there, but it sent no answer within 15 s");
        assert!(refused.stderr.contains(&told), "{}", refused.stderr);
        assert!(refused.stderr.contains("has not answered for 10 s"), "told meanwhile: {}", refused.stderr);
    }
}

#[test]
fn what_is_no_clickhouse_is_told_at_once() {
    let world = World::new("no_clickhouse");
    let server = own_server("no_clickhouse");
    let native = format!("http://{}", server.tcp_address());
    let page = |status: u16, body: &str| {
        let proxy = Proxy::to(SocketAddr::from(([127, 0, 0, 1], server.http_port())));
        proxy.add(Rule::new(|_| true, Fault::Answer { status, body: body.to_owned() }));
        proxy
    };
    let (missing, welcome) = (page(404, "<html>404 Not Found</html>"), page(200, "<html>It works!</html>"));
    let ssh = listener(b"SSH-2.0-OpenSSH_9.6\r\n");
    for (url, told) in [
        (native.as_str(), "the native protocol"),
        (&missing.url(), "<html>404 Not Found</html>"),
        (&welcome.url(), "<html>It works!</html>"),
        (&ssh, "does not speak HTTP"),
    ] {
        let (refused, took) = load_at(&world, url, &[]);
        assert_eq!(refused.code, 2, "{told}: {}", refused.stderr);
        assert!(took < Duration::from_secs(10), "{told}: {took:?}");
        for told in [url, told, "is not the address of ClickHouse's HTTP interface", "CLICKHOUSE_URL"] {
            assert!(refused.stderr.contains(told), "{told} in: {}", refused.stderr);
        }
    }
}

#[test]
fn a_proxy_without_its_server_and_an_empty_port_are_tried_again_and_told() {
    let world = World::new("gateway");
    let proxy = Proxy::to(world.url().strip_prefix("http://").unwrap().parse().unwrap());
    proxy.add(Rule::new(|_| true, Fault::Answer { status: 502, body: "502 Bad Gateway".to_owned() }));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, told) in [(proxy.url(), "502 Bad Gateway"), (format!("http://{nobody}"), "Connection refused")]
    {
        let (refused, _) = load_at(&world, &url, &["--retry-seconds", "2"]);
        assert_eq!(refused.code, 75, "{}", refused.stderr);
        let waiting = format!("ClickHouse at {url} does not answer (");
        for told in [&*waiting, told, "trying again for 1 s", "tried"] {
            assert!(refused.stderr.contains(told), "{told} in: {}", refused.stderr);
        }
        let (quiet, _) = load_at(&world, &url, &["--retry-seconds", "1", "--quiet"]);
        assert_eq!(quiet.stderr.lines().count(), 1, "{}", quiet.stderr);
    }
}

#[test]
fn a_server_that_goes_away_in_the_middle_is_told_while_it_is_away() {
    let world = World::new("goes_away");
    let address: SocketAddr = world.url().strip_prefix("http://").unwrap().parse().unwrap();
    let proxy = Proxy::to(address);
    fs::write(world.path("day.jsonl"), LINE).unwrap();
    let is_insert = |head: &Head| head.target().contains("FORMAT+Native");
    proxy.add(Rule::new(is_insert, Fault::Answer { status: 503, body: "503 away".to_owned() }).times(4));
    let mut command = world.schoolbell();
    command.env("CLICKHOUSE_URL", proxy.url()).args(["load", "--batch-date", DAY, "day.jsonl"]);
    let mut child =
        command.stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let told = lines.next().unwrap().unwrap();
    assert!(child.try_wait().unwrap().is_none(), "it is told while it goes on");
    assert!(told.contains("does not answer (503 away), trying again for 1"), "{told}");
    assert!(child.wait().unwrap().success());
}

//! Stores that fail, and objects that are damaged: each load is a clean one, or leaves the day untouched.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use event_generator::{Generator, Plan};
use integration_tests::proxy::{Fault, Head, Proxy, Rule};
use integration_tests::s3::Bucket;
use integration_tests::world::{Finished, World, limited};
use serde_json::Value;

const DAY: &str = "2026-03-01";
const PIECE: usize = 8 << 20;
const MEBIBYTE: u64 = 1 << 20;

/// A day's lines of another world each seed, of at least so many bytes.
fn lines(seed: u64, least: usize) -> Vec<u8> {
    let users = least as u64 / 300 + 500;
    let plan = Plan { seed, ..Plan::new(DAY.parse().unwrap(), 1, users) };
    let mut lines = Vec::new();
    Generator::new(plan).unwrap().write_day(DAY.parse().unwrap(), 0, 1, &mut lines).unwrap();
    assert!(lines.len() >= least, "{} bytes", lines.len());
    lines
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// With a checksum, as the `zstd` program writes.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A day that is loaded, a bucket, and a proxy before it.
struct Scene {
    world: World,
    bucket: Bucket,
    proxy: Proxy,
    before: (Vec<Value>, Vec<Value>),
}

impl Scene {
    fn new(name: &str) -> Scene {
        let (world, bucket) = (World::new(name), Bucket::new(&name.replace('_', "-")));
        let proxy = Proxy::to(bucket.server());
        fs::write(world.path("old.jsonl"), lines(99, 0)).unwrap();
        world.load(DAY, &["old.jsonl"]);
        let before = state(&world);
        Scene { world, bucket, proxy, before }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.schoolbell();
        Bucket::connect(&mut command, &self.proxy.url());
        command.args(["load", "--batch-date", DAY]).args(arguments);
        command
    }

    fn load(&self, arguments: &[&str]) -> Finished {
        Finished::of(&mut self.command(arguments), arguments)
    }

    /// The load fails with that code and words, and the day is as it was.
    fn assert_untouched(&self, what: &str, finished: &Finished, code: i32, words: &str) {
        assert_eq!(finished.code, code, "{what}: {}", finished.stderr);
        assert!(finished.stderr.contains(words), "{what}: {}", finished.stderr);
        assert!(state(&self.world) == self.before, "{what}: the day was touched");
    }

    /// The load succeeds, and the day is that of the same bytes in a local file.
    fn assert_clean(&self, what: &str, finished: &Finished, clean: &[Value]) {
        assert_eq!(finished.code, 0, "{what}: {}", finished.stderr);
        assert_eq!(self.world.contents(), clean, "{what}");
    }

    /// Runs a load and kills it when it asks for bytes after so many such requests.
    fn kill_at_read(&self, read: u64, arguments: &[&str]) {
        let (reached, is_reached) = channel();
        let (go_on, may_go_on) = channel::<()>();
        let wait = move |_: &Head| {
            reached.send(()).unwrap();
            // Ends when the other end goes, once the load is dead.
            let _ = may_go_on.recv();
        };
        self.proxy.reset();
        self.proxy.add(Rule::new(reads, Fault::First(Box::new(wait))).skip(read).times(1));
        let mut load = self.command(arguments).stdout(Stdio::null()).spawn().unwrap();
        is_reached.recv_timeout(Duration::from_secs(120)).unwrap();
        load.kill().unwrap();
        load.wait().unwrap();
        drop(go_on);
        self.proxy.reset();
        assert!(state(&self.world) == self.before, "the day was touched");
    }

    /// The load, run by a shell that first does `limit`.
    fn load_limited(&self, limit: &str, arguments: &[&str]) -> Finished {
        Finished::of(&mut limited(limit, &self.command(arguments)), arguments)
    }

    fn ranges(&self) -> Vec<(u64, u64)> {
        let range = |head: &Head| {
            let (first, last) = head.field("Range")?.strip_prefix("bytes=")?.split_once('-')?;
            Some((first.parse().unwrap(), last.parse().unwrap()))
        };
        self.proxy.requests().iter().filter_map(range).collect()
    }
}

/// The tables as a load of these bytes from a local file leaves them; every call takes another name.
fn clean(name: &str, bytes: &[u8]) -> Vec<Value> {
    let world = World::new(&format!("{name}_clean"));
    fs::write(world.path("day.jsonl"), bytes).unwrap();
    world.load(DAY, &["day.jsonl"]);
    world.contents()
}

fn state(world: &World) -> (Vec<Value>, Vec<Value>) {
    (world.contents(), world.query("SELECT * FROM {raw}.loads"))
}

/// A request for an object's bytes.
fn reads(head: &Head) -> bool {
    head.method() == "GET" && head.field("Range").is_some()
}

fn any(_: &Head) -> bool {
    true
}

fn busy(status: u16) -> Fault {
    let body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    Fault::Answer { status, body: body.to_owned() }
}

#[test]
fn what_passes_is_waited_out() {
    let scene = Scene::new("waited_out");
    let day = lines(1, 2 * PIECE + 1);
    scene.bucket.put("day/a.jsonl", &day);
    let whole = clean("waited_out", &day);
    let cut = |after| Fault::CutAnswer { after };
    let drip = Fault::Drip { bytes: 256 << 10, every: Duration::from_millis(1) };
    let faults: [(&str, Vec<Rule>); 8] = [
        ("throttled", vec![Rule::new(any, busy(503)).times(4), Rule::new(reads, busy(503)).times(3)]),
        ("failing", vec![Rule::new(any, busy(500)).times(2), Rule::new(reads, busy(502)).skip(1).times(2)]),
        ("too many", vec![Rule::new(reads, busy(429)).times(2)]),
        (
            "cut",
            vec![
                Rule::new(any, cut(10)).times(1),
                Rule::new(reads, cut(3 * MEBIBYTE)).times(2),
                Rule::new(reads, cut(100)).times(2),
                Rule::new(reads, cut(5 * MEBIBYTE)).times(1),
            ],
        ),
        ("cut listings", vec![Rule::new(|head| !reads(head), cut(700)).times(2)]),
        ("truncated", vec![Rule::new(reads, Fault::ShortenBody { to: MEBIBYTE }).times(5)]),
        ("slow", vec![Rule::new(reads, drip)]),
        ("silent", vec![Rule::new(any, Fault::Delay(Duration::from_secs(4))).times(2)]),
    ];
    for (what, rules) in faults {
        scene.proxy.reset();
        for rule in rules {
            scene.proxy.add(rule);
        }
        let mut command = scene.command(&["--force", &scene.bucket.url("day/")]);
        let finished = Finished::of(command.env("AWS_READ_TIMEOUT", "2 seconds"), &[what]);
        scene.assert_clean(what, &finished, &whole);
        if what == "cut" {
            // Taken up at the byte reached, and not at a piece's first.
            let resumed =
                scene.ranges().iter().filter(|(first, _)| first % PIECE as u64 > 2 * MEBIBYTE).count();
            assert!(resumed >= 2, "{:?}", scene.ranges());
        }
    }
}

#[test]
fn what_does_not_pass_is_temporary_after_the_time_that_was_given() {
    let scene = Scene::new("lasting");
    scene.bucket.put("day.jsonl", &lines(1, 0));
    let closed = || Fault::CutAnswer { after: 0 };
    for (what, rule, words) in [
        ("throttled", Rule::new(any, busy(503)), "503"),
        ("throttled reads", Rule::new(reads, busy(503)), "SlowDown"),
        ("closed", Rule::new(any, closed()), "does not answer"),
        ("truncated", Rule::new(reads, Fault::ShortenBody { to: 0 }), "before its last byte"),
    ] {
        scene.proxy.reset();
        scene.proxy.add(rule);
        let begun = Instant::now();
        let finished = scene.load(&["--source-timeout", "2", &scene.bucket.url("day.jsonl")]);
        assert!(begun.elapsed() >= Duration::from_secs(2), "{what}: given up early");
        scene.assert_untouched(what, &finished, 75, words);
        assert!(scene.proxy.requests().len() >= 3, "{what}: tried again");
        assert!(finished.stderr.contains("trying again"), "{what}: {}", finished.stderr);
    }
}

#[test]
fn what_will_not_pass_fails_at_once_in_the_stores_words() {
    let scene = Scene::new("at_once");
    scene.bucket.put("day.jsonl", &lines(1, 0));
    let answer = |status, code: &str| {
        let body = format!("<Error><Code>{code}</Code><Message>In these words</Message></Error>");
        Fault::Answer { status, body }
    };
    for (what, rule, code, words) in [
        ("denied", Rule::new(reads, answer(403, "AccessDenied")), 77, "AccessDenied: In these words"),
        ("not known", Rule::new(reads, answer(401, "Unauthorized")), 77, "In these words"),
        ("run out", Rule::new(reads, answer(400, "ExpiredToken")), 77, "ExpiredToken"),
        ("wrong", Rule::new(reads, answer(400, "AuthorizationHeaderMalformed")), 2, "In these words"),
        ("gone", Rule::new(reads, answer(404, "NoSuchKey")), 65, "removed"),
    ] {
        scene.proxy.reset();
        scene.proxy.add(rule);
        let finished = scene.load(&[&scene.bucket.url("day.jsonl")]);
        scene.assert_untouched(what, &finished, code, words);
        assert_eq!(scene.ranges().len(), 1, "{what}: asked once");
    }
}

#[test]
fn an_object_that_changes_while_it_is_read_fails_the_load() {
    let scene = Scene::new("changes");
    let (old, new) = (lines(1, 3 * PIECE), lines(2, 3 * PIECE));
    for (what, spool) in [("replaced", false), ("removed", false), ("replaced", true), ("shortened", false)] {
        scene.proxy.reset();
        scene.bucket.put("day.jsonl", &old);
        let bucket = scene.bucket.clone();
        let change = match what {
            "replaced" => Some(new.clone()),
            "shortened" => Some(new[..PIECE].to_vec()),
            _ => None,
        };
        let happen = move |_: &Head| match &change {
            Some(bytes) => bucket.put("day.jsonl", bytes),
            None => bucket.delete("day.jsonl"),
        };
        scene.proxy.add(Rule::new(reads, Fault::First(Box::new(happen))).skip(2).times(1));
        let url = scene.bucket.url("day.jsonl");
        let spooled: &[&str] = if spool { &["--spool", "spool"] } else { &[] };
        let finished = scene.load(&[&["--jobs", "1", &url], spooled].concat());
        scene.assert_untouched(what, &finished, 65, "changed while it was read");
    }
    let left = fs::read_dir(scene.world.folder().join("spool")).unwrap().count();
    assert_eq!(left, 0, "what cannot be of use is removed");
}

#[test]
fn damaged_objects_fail_the_load() {
    let scene = Scene::new("damaged");
    let day = lines(1, 0);
    let (gz, zst) = (gzip(&day), zstd(&day));
    let flipped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        bytes
    };
    for (what, name, bytes) in [
        ("truncated", "a.jsonl.gz", gz[..gz.len() - 9].to_vec()),
        ("truncated", "a.jsonl.zst", zst[..zst.len() / 2].to_vec()),
        ("corrupt", "a.jsonl.gz", flipped(&gz)),
        ("corrupt", "a.jsonl.zst", flipped(&zst)),
        ("followed by garbage", "a.jsonl.gz", [&gz[..], b"garbage"].concat()),
        ("not gzip", "a.jsonl.gz", day.clone()),
        ("empty", "a.jsonl.zst", Vec::new()),
    ] {
        scene.bucket.put(name, &bytes);
        for spool in [&[][..], &["--spool", "spool"]] {
            let finished = scene.load(&[&[&*scene.bucket.url(name)][..], spool].concat());
            scene.assert_untouched(what, &finished, 65, name);
        }
    }
    // What is no text is named for what it is; of text that can hardly be events, it is told.
    let mut archive = vec![0; 512];
    archive[..9].copy_from_slice(b"day.jsonl");
    archive[148..156].copy_from_slice(b"        ");
    let sum: u32 = archive.iter().map(|byte| u32::from(*byte)).sum();
    archive[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    archive.extend_from_slice(&day);
    let array = String::from_utf8(day.clone()).unwrap().trim_end().replace('\n', ",\n");
    for (name, bytes, words) in [
        // The first event would be lost in the archive's header.
        ("archive.jsonl.gz", gzip(&archive), "is a tar archive"),
        ("twice.jsonl.gz", gzip(&gz), "is still gzip inside"),
        ("twice.jsonl.zst", zstd(&gz), "is still gzip inside"),
        ("tail.jsonl.gz", [&gz[..], b"\n"].concat(), "other bytes follow (\"\\n\")"),
        ("array.jsonl", format!("[{array}]").into_bytes(), "jq -c '.[]'"),
        ("table.jsonl", b"event_id,event_type\n1,2\n".to_vec(), "CSV"),
    ] {
        scene.bucket.put(name, &bytes);
        let finished = scene.load(&[&scene.bucket.url(name)]);
        scene.assert_untouched(name, &finished, 65, words);
    }
    // Members and frames one after another are one file.
    let (first, second) = day.split_at(day.len() / 2);
    let whole = clean("damaged", &day);
    scene.bucket.put("whole.gz", &[gzip(first), gzip(second)].concat());
    let finished = scene.load(&[&scene.bucket.url("whole.gz")]);
    scene.assert_clean("two members", &finished, &whole);
    scene.bucket.put("padded.gz", &[&gzip(&day)[..], &[0; 512]].concat());
    let finished = scene.load(&["--force", &scene.bucket.url("padded.gz")]);
    scene.assert_clean("zeros behind it", &finished, &whole);
}

#[test]
fn a_download_that_was_killed_is_taken_up() {
    let scene = Scene::new("taken_up");
    let (day, other) = (lines(1, 4 * PIECE), lines(2, 4 * PIECE));
    scene.bucket.put("day.jsonl", &day);
    let url = scene.bucket.url("day.jsonl");
    let arguments = ["--jobs", "1", "--spool", "spool", &url];
    scene.kill_at_read(3, &arguments);
    // Another load is at work there as long as its lock is held.
    let folder = fs::read_dir(scene.world.folder().join("spool")).unwrap().next().unwrap().unwrap().path();
    let lock = fs::File::open(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    scene.assert_untouched("two at once", &scene.load(&arguments), 75, "in use by another load");
    drop(lock);
    scene.proxy.reset();
    let finished = scene.load(&arguments);
    scene.assert_clean("taken up", &finished, &clean("taken_up", &day));
    let first = scene.ranges()[0].0;
    assert!(first >= 2 * PIECE as u64, "begun again at byte {first}");
    assert_eq!(fs::read_dir(scene.world.folder().join("spool")).unwrap().count(), 0);

    // What became wrong on the disk meanwhile, and another object of that name, are not taken up.
    let scene = Scene { before: state(&scene.world), ..scene };
    scene.bucket.put("day.jsonl", &other);
    let whole = clean("taken_up_other", &other);
    scene.kill_at_read(3, &arguments);
    let folder = fs::read_dir(scene.world.folder().join("spool")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(folder.join("000000")).unwrap();
    bytes[PIECE + 17] ^= 1;
    fs::write(folder.join("000000"), bytes).unwrap();
    let finished = scene.load(&arguments);
    scene.assert_clean("damaged on the disk", &finished, &whole);
    assert_eq!(scene.ranges()[0].0, PIECE as u64, "the first piece is well");

    let scene = Scene { before: state(&scene.world), ..scene };
    scene.bucket.put("day.jsonl", &day);
    scene.proxy.reset();
    let finished = scene.load(&arguments);
    scene.assert_clean("another object", &finished, &clean("taken_up_again", &day));
    assert_eq!(scene.ranges()[0].0, 0);
}

#[test]
fn a_full_disk_in_the_spool_folder_leaves_the_day_untouched() {
    let scene = Scene::new("full");
    scene.bucket.put("day.jsonl", &lines(1, 2 * PIECE));
    // No file may grow beyond 10,000 blocks of 512 bytes: writing fails as it does on a full disk.
    let arguments = ["--spool", "spool", &scene.bucket.url("day.jsonl")];
    let finished = scene.load_limited(r#"trap "" XFSZ && ulimit -f 10000"#, &arguments);
    scene.assert_untouched("full", &finished, 75, "has no room");
    assert_eq!(
        fs::read_dir(scene.world.folder().join("spool")).unwrap().count(),
        0,
        "the disk is given back"
    );
}

#[test]
fn a_bomb_of_one_line_is_rejected_within_bounded_memory() {
    let scene = Scene::new("bomb");
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let piece = vec![b'a'; 1 << 20];
    for _ in 0..1024 {
        bomb.write_all(&piece).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 2 << 20, "{} bytes", bomb.len());
    scene.bucket.put("bomb.gz", &bomb);
    // The program's own memory, whatever it is for, may not exceed 256 MiB.
    let finished = scene.load_limited("ulimit -d 262144", &[&scene.bucket.url("bomb.gz")]);
    scene.assert_untouched("bomb", &finished, 65, "line_too_long");
}

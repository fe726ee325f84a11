//! Keys of objects are bytes: exactly those are listed, matched and read, and a foreign key harms nobody.

use std::process::Command;

use integration_tests::azure::Container;
use integration_tests::proxy::{Head, Proxy};
use integration_tests::s3::Bucket;
use integration_tests::world::{Finished, World};
use serde_json::Value;

const LINE: &[u8] = br#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"lesson_opened","user_id":"u-1","event_time":"2026-03-01T09:30:00Z"}
"#;

/// A store as a test sees it.
struct Store<'a> {
    world: &'a World,
    put: &'a dyn Fn(&str, &[u8]),
    /// The URL of a key.
    url: &'a dyn Fn(&str) -> String,
    connect: &'a dyn Fn(&mut Command),
}

impl Store<'_> {
    /// Stores an object of so many lines, each a good event.
    fn put(&self, key: &str, lines: usize) {
        (self.put)(key, &LINE.repeat(lines));
    }

    fn validate(&self, key: &str) -> Finished {
        let url = (self.url)(key);
        let arguments = ["validate", "--output", "json", &url];
        let mut command = self.world.schoolbell();
        (self.connect)(command.args(arguments));
        Finished::of(&mut command, &arguments)
    }

    /// How many lines there are in what a key, prefix or pattern stands for.
    #[track_caller]
    fn lines(&self, key: &str) -> u64 {
        let finished = self.validate(key);
        assert_eq!(finished.code, 0, "{key:?}: {}", finished.stderr);
        let report: Value = serde_json::from_str(&finished.stdout).unwrap();
        report["lines"].as_u64().unwrap()
    }
}

/// Keys that are names of their own wherever keys are bytes. A normalising client reads another object for some, cannot
/// list the others.
const KEYS: [&str; 14] = [
    "lead/x.jsonl",
    "p/x.jsonl",
    "p//x.jsonl",
    "p/sub//deep///x.jsonl",
    "p/a b.jsonl",
    "p/a+b.jsonl",
    "p/a%20b.jsonl",
    "p/a%2Fb.jsonl",
    "p/hash#.jsonl",
    "p/ключ.jsonl",
    // The same to look at, composed and decomposed.
    "p/\u{e9}.jsonl",
    "p/e\u{301}.jsonl",
    "p/'\"<&>.jsonl",
    "p/x:y@z,=;$!~(1).jsonl",
];

/// Puts an object of another length at every key, and reads each by its key; then the prefix.
fn check_keys(store: &Store<'_>, more: &[&str]) {
    let keys: Vec<&str> = KEYS.iter().chain(more).copied().collect();
    for (place, key) in keys.iter().enumerate() {
        store.put(key, place + 1);
    }
    for (place, key) in keys.iter().enumerate() {
        assert_eq!(store.lines(key), place as u64 + 1, "{key:?}");
    }
    let below = |folder: &str| -> u64 {
        let places = keys.iter().enumerate().filter(|(_, key)| key.starts_with(folder));
        places.map(|(place, _)| place as u64 + 1).sum()
    };
    for folder in ["p/", "p", "p//", "p/sub/", "lead/", "p/**"] {
        let prefix = folder.trim_end_matches("**");
        let prefix = if prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
        assert_eq!(store.lines(folder), below(&prefix), "{folder}");
    }
    assert_eq!(store.lines("p//*.jsonl"), 3);

    // Characters of patterns stand in brackets where they are meant.
    for (key, lines) in
        [("g/star*.jsonl", 3), ("g/star1.jsonl", 5), ("g/ask?[1].jsonl", 7), ("g/ask11.jsonl", 9)]
    {
        store.put(key, lines);
    }
    for (pattern, lines) in [
        ("g/star[*].jsonl", 3),
        ("g/star*.jsonl", 8),
        ("g/star?.jsonl", 8),
        ("g/ask[?][[]1].jsonl", 7),
        ("g/ask?[1].jsonl", 9),
    ] {
        assert_eq!(store.lines(pattern), lines, "{pattern}");
    }
}

#[test]
fn keys_of_s3_are_bytes() {
    let (world, bucket) = (World::new("keys_s3"), Bucket::new("keys-s3"));
    let endpoint = format!("http://{}", bucket.server());
    let store = Store {
        world: &world,
        put: &|key, bytes| bucket.put(key, bytes),
        url: &|key| bucket.url(key),
        connect: &|command| Bucket::connect(command, &endpoint),
    };
    check_keys(&store, &["/lead/x.jsonl", "//x.jsonl", "p/tab\there.jsonl", "p/\u{1}\u{7f}.jsonl"]);
    assert_eq!(store.lines("/lead/*"), 15);

    // A name that ends in a slash is an object like any other, unless it is empty: then it stands for a folder.
    store.put("whole/", 4);
    assert_eq!(store.lines("whole/"), 4);
    store.put("marked/", 0);
    store.put("marked/x.jsonl", 2);
    store.put("marked/deep/", 0);
    for source in ["marked/", "marked", "marked/*", "marked/**"] {
        assert_eq!(store.lines(source), 2, "{source}");
    }
    // As a folder it has day files, and so these are meant; the object is told, and has a name of its own.
    store.put("both/", 3);
    store.put("both/x.jsonl", 2);
    let both = store.validate("both/");
    assert_eq!(both.code, 0, "{}", both.stderr);
    assert!(both.stderr.contains("1 of the files there are left out"), "{}", both.stderr);
    assert_eq!((store.lines("both/"), store.lines("bot[h]/")), (2, 3));
}

/// The server speaks S3; the requests are those to Google's XML API.
#[test]
fn keys_of_googles_store_are_bytes() {
    let (world, bucket) = (World::new("keys_google"), Bucket::new("keys-google"));
    let endpoint = format!("http://{}", bucket.server());
    let store = Store {
        world: &world,
        put: &|key, bytes| bucket.put_for_all(key, bytes),
        url: &|key| bucket.url(key).replace("s3://", "gs://"),
        connect: &|command| {
            command
                .env("GOOGLE_BASE_URL", &endpoint)
                .env("GOOGLE_ALLOW_HTTP", "true")
                .env("GOOGLE_SKIP_SIGNATURE", "true");
        },
    };
    check_keys(&store, &["/lead/x.jsonl", "p/tab\there.jsonl"]);
}

#[test]
fn keys_of_azures_store_are_bytes() {
    let (world, container) = (World::new("keys_azure"), Container::new("keys-azure"));
    let endpoint = format!("http://{}", container.server());
    let store = Store {
        world: &world,
        put: &|key, bytes| container.put(key, bytes),
        url: &|key| container.url(key),
        connect: &|command| Container::connect(command, &endpoint),
    };
    check_keys(&store, &[]);
}

#[test]
fn a_glob_lists_its_literal_beginning_and_nothing_else() {
    let (world, bucket) = (World::new("keys_glob"), Bucket::new("keys-glob"));
    let proxy = Proxy::to(bucket.server());
    let store = Store {
        world: &world,
        put: &|key, bytes| bucket.put(key, bytes),
        url: &|key| bucket.url(key),
        connect: &|command| Bucket::connect(command, &proxy.url()),
    };
    for (key, lines) in [
        ("g/2026-03-01.jsonl", 3),
        ("g/2026-03-01.jsonl.part", 4),
        ("g/archive//old.jsonl", 5),
        ("g/\u{2}.jsonl", 6),
        ("g/../up.jsonl", 7),
    ] {
        store.put(key, lines);
    }
    assert_eq!(store.lines("g/2026-03-01.jsonl*"), 7);
    let listings = |head: &Head| {
        let query = head.target().split_once('?')?.1.to_owned();
        query
            .contains("list-type")
            .then(|| query.split('&').find_map(|part| part.strip_prefix("prefix=").map(str::to_owned)))
    };
    let listed: Vec<Option<String>> = proxy.requests().iter().filter_map(listings).collect();
    assert_eq!(listed, [Some("g%2F2026-03-01.jsonl".to_owned())]);
    // All of the folder, but for the one whose way begins with a dot.
    assert_eq!(store.lines("g/"), 3 + 5 + 6);

    // No address can have `..` in it: exactly that object is refused, before anything is read.
    for source in ["g/../up.jsonl", "g/.*/up.jsonl"] {
        proxy.reset();
        let finished = store.validate(source);
        assert_eq!(finished.code, 2, "{source}: {}", finished.stderr);
        assert!(finished.stderr.contains(&bucket.url("g/../up.jsonl")), "{source}: {}", finished.stderr);
        assert!(finished.stderr.contains("copy it to another key"), "{source}: {}", finished.stderr);
        assert!(proxy.requests().iter().all(|head| listings(head).is_some()));
    }
}

#[test]
fn a_key_is_kept_as_it_is_with_its_rows_and_is_known_again() {
    let (world, bucket) = (World::new("keys_kept"), Bucket::new("keys-kept"));
    let endpoint = format!("http://{}", bucket.server());
    let key = "d//\u{e9}e\u{301} +%2F.jsonl";
    bucket.put(key, LINE);
    bucket.put("d/\u{e9}e\u{301} +%2F.jsonl", LINE);
    let load = || {
        let arguments = ["load", "--output", "json", "--batch-date", "2026-03-01", &bucket.url("d/")];
        let mut command = world.schoolbell();
        Bucket::connect(&mut command, &endpoint);
        let finished = Finished::of(command.args(arguments), &arguments);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        serde_json::from_str::<Value>(&finished.stdout).unwrap()
    };
    assert_eq!(load()["status"], "committed");
    assert_eq!(load()["status"], "already_loaded");
    let names = world.query("SELECT source_file FROM {raw}.events ORDER BY source_file");
    let expected = [key, "d/\u{e9}e\u{301} +%2F.jsonl"].map(|key| serde_json::json!([bucket.url(key)]));
    assert_eq!(names, expected);
}

//! Day files in real stores: found, read and known again.

use std::io::Write;
use std::process::Command;
use std::sync::Arc;

use event_generator::{Generator, Plan};
use integration_tests::azure::Container;
use integration_tests::proxy::{Fault, Head, Proxy, Rule};
use integration_tests::s3::{Bucket, SECRET};
use integration_tests::world::{Finished, World};
use serde_json::{Value, json};

const DAY: &str = "2026-03-01";

/// A day's lines in `parts` files of another world each seed.
fn parts(seed: u64, users: u64, parts: u32) -> Vec<Vec<u8>> {
    let plan = Plan { seed, ..Plan::new(DAY.parse().unwrap(), 1, users) };
    let generator = Generator::new(plan).unwrap();
    let write = |part| {
        let mut lines = Vec::new();
        generator.write_day(DAY.parse().unwrap(), part, parts, &mut lines).unwrap();
        lines
    };
    (0..parts).map(write).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// Writes a file into the world's folder.
fn write(world: &World, name: &str, bytes: &[u8]) {
    let path = world.folder().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn command(world: &World, endpoint: &str, arguments: &[&str]) -> Command {
    let mut command = world.schoolbell();
    Bucket::connect(&mut command, endpoint);
    command.args(arguments);
    command
}

fn load(world: &World, endpoint: &str, arguments: &[&str]) -> Finished {
    let arguments = [&["load", "--output", "json", "--batch-date", DAY], arguments].concat();
    Finished::of(&mut command(world, endpoint, &arguments), &arguments)
}

fn loaded(world: &World, endpoint: &str, arguments: &[&str]) -> Value {
    let finished = load(world, endpoint, arguments);
    assert_eq!(finished.code, 0, "{arguments:?}: {}", finished.stderr);
    serde_json::from_str(&finished.stdout).unwrap()
}

fn names(report: &Value) -> Vec<&str> {
    report["sources"].as_array().unwrap().iter().map(|source| source["name"].as_str().unwrap()).collect()
}

#[test]
fn a_day_in_a_bucket_gives_the_tables_of_the_same_files_on_disk() {
    let (world, bucket) = (World::new("bucket"), Bucket::new("bucket"));
    let proxy = Proxy::to(bucket.server());
    // The first is of several pieces.
    let [large, middle, small] =
        [parts(1, 60_000, 1), parts(2, 4000, 1), parts(3, 500, 1)].map(|parts| parts.concat());
    assert!(large.len() > 18 << 20, "{} bytes are too few for three pieces", large.len());
    let files = [
        ("day/2026-03-01-a.jsonl", large.clone()),
        ("day/2026-03-01-b.jsonl.gz", gzip(&middle)),
        ("day/deep/2026-03-01-c.jsonl.zst", zstd(&small)),
    ];
    for (name, bytes) in &files {
        write(&world, name, bytes);
        bucket.put(name, bytes);
    }
    bucket.put("day/_SUCCESS", b"");
    bucket.put("day/exchange_rates.csv", b"date,currency,rate\n");
    bucket.put("day-after/2026-03-02.jsonl", &small);

    let local = world.load(DAY, &["day"]);
    let expected = world.contents();
    let urls: Vec<String> = files.iter().map(|(name, _)| bucket.url(name)).collect();
    for (how, arguments) in [
        (&["--jobs", "1"][..], vec![bucket.url("day/")]),
        (&["--spool", "spool"], vec![bucket.url("day")]),
        (&["--jobs", "3"], vec![bucket.url("day/2026-*"), bucket.url("day/deep/*.zst")]),
        (&["--jobs", "64"], vec![bucket.url("day/**/2026-0[3]-01-?.jsonl*")]),
        (&["--jobs", "2", "--spool", "spool"], urls.clone()),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let report = loaded(&world, &proxy.url(), &[&["--force"], how, &arguments].concat());
        assert_eq!(names(&report), urls, "{how:?} {arguments:?}");
        for figure in ["lines", "accepted", "rejected", "bytes"] {
            assert_eq!(report[figure], local[figure], "{how:?} {arguments:?}: {figure}");
        }
        assert_eq!(world.contents(), expected, "{how:?} {arguments:?}");
    }
    assert_eq!(
        std::fs::read_dir(world.folder().join("spool")).unwrap().count(),
        0,
        "the spool folder is left empty"
    );

    // Every request for bytes names the state that was seen first.
    let requests = proxy.requests();
    let reads: Vec<&Head> =
        requests.iter().filter(|head| head.method() == "GET" && !is_listing(head)).collect();
    assert!(reads.iter().all(|head| is_conditional(head) && is_ranged(head)));
    let stored = world.query("SELECT DISTINCT source_file FROM {raw}.events ORDER BY source_file");
    assert_eq!(stored, urls.iter().map(|url| json!([url])).collect::<Vec<_>>());
}

/// The server speaks S3. What is asked of Google's XML API here is the same in both: lists, ranges, `If-Match`.
#[test]
fn a_day_in_googles_store_is_found_and_read_as_one_in_s3() {
    let bucket = Bucket::new("google");
    let google = |command: &mut Command, endpoint: &str| {
        command
            .env("GOOGLE_BASE_URL", endpoint)
            .env("GOOGLE_ALLOW_HTTP", "true")
            .env("GOOGLE_SKIP_SIGNATURE", "true");
    };
    check_another_store(
        &World::new("google"),
        &Proxy::to(bucket.server()),
        &|key, bytes| bucket.put_for_all(key, bytes),
        &|key| bucket.url(key).replace("s3://", "gs://"),
        &google,
    );
}

#[test]
fn a_day_in_azures_store_is_found_and_read_as_one_in_s3() {
    let container = Container::new("azure");
    check_another_store(
        &World::new("azure"),
        &Proxy::to(container.server()),
        &|key, bytes| container.put(key, bytes),
        &|key| container.url(key),
        &Container::connect,
    );
}

/// A day in another store than S3: it is found and read as files are, each request for bytes conditional on the state
/// that was seen first; it is known again, and what is not there is told.
fn check_another_store(
    world: &World,
    proxy: &Proxy,
    put: &dyn Fn(&str, &[u8]),
    url: &dyn Fn(&str) -> String,
    connect: &dyn Fn(&mut Command, &str),
) {
    let [plain, packed] = [1, 2].map(|seed| parts(seed, 2000, 1).concat());
    let files = [("day/2026-03-01-a.jsonl", plain), ("day/2026-03-01-b.jsonl.gz", gzip(&packed))];
    for (name, bytes) in &files {
        write(world, name, bytes);
        put(name, bytes);
    }
    let local = world.load(DAY, &["day"]);
    let expected = world.contents();

    let load = |arguments: &[&str]| {
        let arguments = [&["load", "--output", "json", "--batch-date", DAY], arguments].concat();
        let mut command = world.schoolbell();
        connect(command.args(&arguments), &proxy.url());
        Finished::of(&mut command, &arguments)
    };
    let report = |finished: &Finished| serde_json::from_str::<Value>(&finished.stdout).unwrap();
    for prefix in [url("day/"), url("day/2026-03-01-*")] {
        let finished = load(&["--force", &prefix]);
        assert_eq!(finished.code, 0, "{prefix}: {}", finished.stderr);
        let report = report(&finished);
        assert_eq!(names(&report), files.each_ref().map(|(name, _)| url(name)), "{prefix}");
        for figure in ["lines", "accepted", "rejected", "bytes"] {
            assert_eq!(report[figure], local[figure], "{prefix}: {figure}");
        }
        assert_eq!(world.contents(), expected, "{prefix}");
    }
    let requests = proxy.requests();
    let mut reads = requests.iter().filter(|head| head.method() == "GET" && !is_listing(head)).peekable();
    assert!(reads.peek().is_some(), "nothing was read through the proxy");
    assert!(reads.all(|head| is_conditional(head) && is_ranged(head)));

    let again = load(&[&url("day/")]);
    assert_eq!(
        (again.code, report(&again)["status"].as_str()),
        (0, Some("already_loaded")),
        "{}",
        again.stderr
    );
    put(files[0].0, &parts(3, 300, 1).concat());
    let changed = load(&[&url("day/")]);
    assert_eq!(
        (changed.code, report(&changed)["status"].as_str()),
        (0, Some("committed")),
        "{}",
        changed.stderr
    );
    let missing = load(&["--force", &url("day/none.jsonl")]);
    assert_eq!(missing.code, 66, "{}", missing.stderr);
    assert!(missing.stderr.contains(&url("day/none.jsonl")), "{}", missing.stderr);
}

fn is_listing(head: &Head) -> bool {
    // S3's and Google's; Azure's.
    ["list-type=2", "comp=list"].iter().any(|query| head.target().contains(query))
}

fn is_conditional(head: &Head) -> bool {
    head.field("If-Match").is_some()
}

/// Azure has a field of its own for it.
fn is_ranged(head: &Head) -> bool {
    ["Range", "x-ms-range"].iter().any(|field| head.field(field).is_some())
}

#[test]
fn what_is_left_out_of_a_prefix_is_told() {
    let (world, bucket) = (World::new("left_out"), Bucket::new("left-out"));
    let endpoint = format!("http://{}", bucket.server());
    bucket.put("day/a.jsonl", &parts(1, 300, 1).concat());
    bucket.put("day/rates.csv", b"date\n");
    let finished = load(&world, &endpoint, &[&bucket.url("day/")]);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(finished.stderr.contains(&bucket.url("day/rates.csv")), "{}", finished.stderr);
}

#[test]
fn the_same_objects_are_known_without_reading_them() {
    let (world, bucket) = (World::new("known"), Bucket::new("known"));
    let proxy = Proxy::to(bucket.server());
    let [one, other] = [1, 2].map(|seed| parts(seed, 500, 1).concat());
    bucket.put("day/a.jsonl", &one);
    bucket.put("day/b.jsonl.gz", &gzip(&other));
    let first = loaded(&world, &proxy.url(), &[&bucket.url("day/")]);
    let etags: Vec<&Value> =
        first["sources"].as_array().unwrap().iter().map(|source| &source["etag"]).collect();
    assert!(etags.iter().all(|etag| etag.as_str().unwrap().len() == 32), "{etags:?}");

    proxy.reset();
    let again = loaded(&world, &proxy.url(), &[&bucket.url("day/")]);
    assert_eq!((&again["status"], &again["load_id"]), (&json!("already_loaded"), &first["load_id"]));
    // Named one by one it is the same day.
    let again = loaded(&world, &proxy.url(), &[&bucket.url("day/b.jsonl.gz"), &bucket.url("day/a.jsonl")]);
    assert_eq!(again["status"], "already_loaded");
    let reads = proxy.requests().into_iter().filter(|head| head.method() == "GET" && !is_listing(head));
    assert_eq!(reads.count(), 0, "nothing was read");

    bucket.put("day/a.jsonl", &other);
    let changed = loaded(&world, &proxy.url(), &[&bucket.url("day/")]);
    assert_eq!(changed["status"], "committed");
}

#[test]
fn pieces_are_asked_for_side_by_side_within_the_window() {
    let (world, bucket) = (World::new("window"), Bucket::new("window"));
    let proxy = Arc::new(Proxy::to(bucket.server()));
    for number in 0..30 {
        bucket.put(&format!("day/{number:02}.jsonl"), &parts(number, 300, 1).concat());
    }
    for (jobs, least, most) in [("1", 1, 2), ("6", 3, 7)] {
        proxy.reset();
        let report = loaded(&world, &proxy.url(), &["--force", "--jobs", jobs, &bucket.url("day/")]);
        assert_eq!(report["sources"].as_array().unwrap().len(), 30);
        let at_once = proxy.most_at_once();
        assert!((least..=most).contains(&at_once), "--jobs {jobs}: {at_once} requests at once");
    }
}

#[test]
fn what_is_missing_or_denied_is_told_by_the_exit_code() {
    let (world, bucket) = (World::new("missing"), Bucket::new("missing"));
    let endpoint = format!("http://{}", bucket.server());
    bucket.put("other/rates.csv", b"date\n");
    for (argument, code, words) in [
        (bucket.url("no/such.jsonl"), 66, "404"),
        (bucket.url("no/such/"), 66, "no day file"),
        (bucket.url("no/*.jsonl"), 66, "matches"),
        (bucket.url("other/"), 66, "1 other"),
        ("s3://no-such-bucket/day.jsonl".to_owned(), 66, "NoSuchBucket"),
        ("s3://user:geheim@bucket/day.jsonl".to_owned(), 2, "credential"),
        ("s3://bucket/day.jsonl?X-Amz-Signature=geheim".to_owned(), 2, "credential"),
        ("https://host/day.jsonl?sig=geheim".to_owned(), 2, "https://"),
    ] {
        let finished = load(&world, &endpoint, &[&argument]);
        assert_eq!(finished.code, code, "{argument}: {}", finished.stderr);
        assert!(finished.stderr.contains(words), "{argument}: {}", finished.stderr);
        assert!(!finished.stderr.contains("geheim"), "{}", finished.stderr);
    }
    assert_eq!(world.query("SELECT count() FROM {raw}.loads"), [json!([0])]);

    // Refused lists are refusals like any other.
    let proxy = Proxy::to(bucket.server());
    for (status, body) in
        [(403, "<Error><Code>AccessDenied</Code><Message>Not you</Message></Error>"), (401, "")]
    {
        proxy.add(Rule::new(is_listing, Fault::Answer { status, body: body.to_owned() }).times(2));
        for argument in [bucket.url("other/"), bucket.url("oth*/*")] {
            let finished = load(&world, &proxy.url(), &[&argument]);
            assert_eq!(finished.code, 77, "{argument}: {}", finished.stderr);
            assert!(finished.stderr.contains("denies access"), "{argument}: {}", finished.stderr);
        }
    }

    // Unencrypted endpoints are to be allowed.
    let mut plain = command(&world, &endpoint, &["validate", &bucket.url("other/")]);
    let finished = Finished::of(plain.env_remove("AWS_ALLOW_HTTP"), &["validate"]);
    assert_eq!(finished.code, 2, "{}", finished.stderr);
    assert!(finished.stderr.contains("AWS_ALLOW_HTTP"), "{}", finished.stderr);
}

#[test]
fn credentials_are_found_where_awss_tools_find_them_and_never_shown() {
    let (world, bucket) = (World::new("secrets"), Bucket::new("secrets"));
    let proxy = Proxy::to(bucket.server());
    bucket.put("day.jsonl", &parts(1, 300, 1).concat());
    std::fs::write(
        world.path("credentials"),
        format!("[nightly]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = {SECRET}\n"),
    )
    .unwrap();
    let arguments = ["load", "-v", "--batch-date", DAY, &bucket.url("day.jsonl")];
    let mut by_profile = command(&world, &proxy.url(), &arguments);
    by_profile.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    by_profile.env("AWS_PROFILE", "nightly").env("AWS_SHARED_CREDENTIALS_FILE", world.path("credentials"));
    for (mut command, key) in
        [(command(&world, &proxy.url(), &arguments), "AKIDEXAMPLE"), (by_profile, "AKIDPROFILE")]
    {
        proxy.reset();
        let finished = Finished::of(&mut command, &arguments);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert!(!format!("{}{}", finished.stdout, finished.stderr).contains(SECRET));
        let signed = proxy
            .requests()
            .iter()
            .all(|head| head.field("Authorization").is_some_and(|by| by.contains(key)));
        assert!(signed, "every request is signed with {key}");
    }
    let stored = world.query("SELECT toString(tuple(*)) FROM {raw}.loads");
    assert!(!stored[0].to_string().contains(SECRET) && !stored[0].to_string().contains("AKID"));

    // Nobody gives any: the machine's own role is asked for, where nothing listens.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut without = command(&world, &proxy.url(), &arguments);
    without.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    without.env("AWS_METADATA_ENDPOINT", format!("http://{closed}"));
    let finished = Finished::of(&mut without, &arguments);
    assert_eq!(finished.code, 77, "{}", finished.stderr);
    assert!(finished.stderr.contains("AWS_ACCESS_KEY_ID"), "{}", finished.stderr);
}

//! The environment of stores: what is empty is unset, what cannot be used is named, and its value is never shown.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use integration_tests::azure::Container;
use integration_tests::proxy::{Fault, Head, Proxy, Rule};
use integration_tests::s3::Bucket;
use integration_tests::world::{Finished, World};

const LINE: &[u8] = br#"{"event_id":"018f2c6e-7b1a-7c3d-9e4f-0123456789ab","event_type":"lesson_opened","user_id":"u-1","event_time":"2026-03-01T09:30:00Z"}
"#;

/// A bucket with a day in it, and how to ask for that.
struct Scene {
    world: World,
    bucket: Bucket,
    endpoint: String,
}

impl Scene {
    fn new(name: &str) -> Scene {
        let (world, bucket) = (World::new(name), Bucket::new(&name.replace('_', "-")));
        let endpoint = format!("http://{}", bucket.server());
        bucket.put_for_all("day.jsonl", LINE);
        Scene { world, bucket, endpoint }
    }

    /// `validate` of the day in the store of that scheme, in a good environment but for these variables.
    fn validate(&self, scheme: &str, variables: &[(&str, &str)]) -> Finished {
        let mut command = self.world.schoolbell();
        Bucket::connect(&mut command, &self.endpoint);
        command.env("GOOGLE_BASE_URL", &self.endpoint).env("GOOGLE_ALLOW_HTTP", "true");
        command.env("GOOGLE_SKIP_SIGNATURE", "true");
        if scheme == "az" {
            Container::connect(&mut command, &self.endpoint);
        }
        command.envs(variables.iter().copied());
        let url = self.bucket.url("day.jsonl").replace("s3://", &format!("{scheme}://"));
        let arguments = ["validate", &url];
        Finished::of(command.args(arguments), &arguments)
    }
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let scene = Scene::new("empty_variables");
    for (scheme, variables) in [
        // The other name of the endpoint, and what would be sent empty.
        ("s3", &[("AWS_ENDPOINT", ""), ("AWS_ENDPOINT_URL_S3", ""), ("AWS_SESSION_TOKEN", "")][..]),
        ("s3", &[("AWS_PROFILE", ""), ("AWS_SKIP_SIGNATURE", ""), ("AWS_READ_TIMEOUT", "")]),
        ("s3", &[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", ""), ("AWS_PROXY_URL", "")]),
        ("s3", &[("HTTP_PROXY", ""), ("https_proxy", ""), ("ALL_PROXY", ""), ("NO_PROXY", "")]),
        ("s3", &[("SSL_CERT_FILE", ""), ("SSL_CERT_DIR", "")]),
        ("s3", &[("AWS_WEB_IDENTITY_TOKEN_FILE", ""), ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")]),
        ("gs", &[("GOOGLE_SERVICE_ACCOUNT", ""), ("GOOGLE_TIMEOUT", ""), ("GOOGLE_BEARER_TOKEN", "")]),
    ] {
        let finished = scene.validate(scheme, variables);
        assert_eq!(finished.code, 0, "{variables:?}: {}", finished.stderr);
    }

    // An endpoint that is empty is the store's own: nobody answers for it, through a proxy that refuses.
    let refused = Proxy::to(scene.bucket.server());
    refused.add(Rule::new(|_| true, Fault::Answer { status: 403, body: "no way out".to_owned() }));
    for (scheme, variables) in [
        ("s3", [("AWS_ENDPOINT_URL", ""), ("AWS_PROXY_URL", &*refused.url())]),
        ("gs", [("GOOGLE_BASE_URL", ""), ("GOOGLE_PROXY_URL", &*refused.url())]),
        ("az", [("AZURE_STORAGE_ENDPOINT", ""), ("AZURE_PROXY_URL", &*refused.url())]),
    ] {
        let mut command = scene.world.schoolbell();
        Bucket::connect(&mut command, "");
        Container::connect(&mut command, "");
        command.env("GOOGLE_SKIP_SIGNATURE", "true").envs(variables);
        let arguments = ["validate", "--source-timeout", "1", &format!("{scheme}://bucket/x.jsonl")];
        let finished = Finished::of(command.args(arguments), &arguments);
        assert_eq!(finished.code, 75, "{variables:?}: {}", finished.stderr);
        let host = match scheme {
            "s3" => "https://s3.eu-central-1.amazonaws.com",
            "gs" => "https://storage.googleapis.com",
            _ => "https://devstoreaccount1.blob.core.windows.net",
        };
        assert!(finished.stderr.contains(host), "{variables:?}: {}", finished.stderr);
    }
    assert!(refused.requests().iter().all(|head| head.method() == "CONNECT"));
}

#[test]
fn a_session_token_is_sent_only_where_there_is_one() {
    let scene = Scene::new("session_token");
    let proxy = Proxy::to(scene.bucket.server());
    for (token, sent) in [("", None), ("token/EXAMPLE", Some("token/EXAMPLE"))] {
        proxy.reset();
        let finished =
            scene.validate("s3", &[("AWS_SESSION_TOKEN", token), ("AWS_ENDPOINT_URL", &proxy.url())]);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let requests = proxy.requests();
        assert!(!requests.is_empty());
        assert!(requests.iter().all(|head| head.field("x-amz-security-token") == sent), "{token:?}");
    }
}

#[test]
fn a_value_that_cannot_be_used_is_refused_by_its_variable() {
    let scene = Scene::new("unusable_variables");
    for (scheme, name, value) in [
        ("s3", "AWS_ENDPOINT_URL", "127.0.0.1:9000"),
        ("s3", "AWS_ENDPOINT_URL", "s3.geheim.com"),
        ("s3", "AWS_ENDPOINT_URL", "http://"),
        ("s3", "AWS_ENDPOINT_URL", "http://127.0.0.1:99999"),
        ("s3", "AWS_ENDPOINT_URL", "http://geheim:geheim@127.0.0.1:9000"),
        ("s3", "AWS_ENDPOINT_URL", "ftp://127.0.0.1:9000"),
        ("s3", "AWS_ENDPOINT", "http://127.0.0.1:-1"),
        ("s3", "AWS_ENDPOINT_URL_S3", "nowhere"),
        ("s3", "AWS_SECRET_ACCESS_KEY", "geheim\ngeheim"),
        ("s3", "AWS_ACCESS_KEY_ID", "AKID\r"),
        ("s3", "AWS_SESSION_TOKEN", "geheim\n"),
        ("s3", "AWS_REGION", "eu central"),
        ("s3", "AWS_SKIP_SIGNATURE", "geheim"),
        ("s3", "AWS_ALLOW_HTTP", "ja"),
        ("s3", "AWS_READ_TIMEOUT", "geheim"),
        ("s3", "AWS_PROXY_URL", "http://geheim:99999"),
        ("s3", "AWS_PROFILE", "geheim"),
        ("s3", "AWS_S3_EXPRESS", "true"),
        ("s3", "HTTP_PROXY", "geheim:99999"),
        ("s3", "https_proxy", "socks5://geheim:1"),
        ("s3", "SSL_CERT_FILE", "geheim.pem"),
        ("s3", "SSL_CERT_DIR", "geheim"),
        ("gs", "GOOGLE_BASE_URL", "127.0.0.1:5"),
        ("gs", "GOOGLE_BASE_URL", "https://geheim:5/?x"),
        ("gs", "GOOGLE_BEARER_TOKEN", "geheim\n"),
        ("gs", "GOOGLE_SKIP_SIGNATURE", "geheim"),
        ("gs", "GOOGLE_ALLOW_HTTP", "geheim"),
        ("az", "AZURE_STORAGE_ENDPOINT", "127.0.0.1:10000"),
        ("az", "AZURE_STORAGE_ACCOUNT_NAME", "geheim/../x"),
        ("az", "AZURE_STORAGE_ACCOUNT_KEY", "geheim\n"),
        ("az", "AZURE_STORAGE_SAS_TOKEN", "geheim"),
        ("az", "AZURE_CLIENT_SECRET", "geheim\n"),
        ("az", "IDENTITY_ENDPOINT", "geheim"),
    ] {
        let finished = scene.validate(scheme, &[(name, value)]);
        assert_eq!(finished.code, 2, "{name}={value:?}: {}", finished.stderr);
        assert!(finished.stderr.contains(name), "{name}={value:?}: {}", finished.stderr);
        assert!(!finished.stderr.contains("geheim"), "{name}: {}", finished.stderr);
        assert_eq!(finished.stderr.lines().count(), 1, "{name}: {}", finished.stderr);
    }
    // What only half is there, and a file that is not.
    for (scheme, variables, name) in [
        ("s3", [("AWS_SECRET_ACCESS_KEY", ""), ("AWS_X", "")], "AWS_SECRET_ACCESS_KEY"),
        ("az", [("AZURE_STORAGE_ACCOUNT_NAME", ""), ("AWS_X", "")], "AZURE_STORAGE_ACCOUNT_NAME"),
        (
            "gs",
            [("GOOGLE_APPLICATION_CREDENTIALS", "/no/geheim.json"), ("GOOGLE_SKIP_SIGNATURE", "false")],
            "GOOGLE_APPLICATION_CREDENTIALS",
        ),
    ] {
        let finished = scene.validate(scheme, &variables);
        assert_eq!(finished.code, 2, "{variables:?}: {}", finished.stderr);
        assert!(finished.stderr.contains(name), "{variables:?}: {}", finished.stderr);
        assert!(!finished.stderr.contains("geheim"), "{}", finished.stderr);
    }
}

#[test]
fn an_endpoint_where_nobody_answers_is_named_and_the_waiting_told() {
    let scene = Scene::new("nobody_answers");
    // Nobody listens; somebody listens and says nothing.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for (address, words) in [(closed, "refused"), (silent.local_addr().unwrap(), "nothing came for 6 s")] {
        let mut command = scene.world.schoolbell();
        Bucket::connect(&mut command, &format!("http://{address}"));
        let arguments = ["validate", "--source-timeout", "6", &scene.bucket.url("day.jsonl")];
        let begun = Instant::now();
        let finished = Finished::of(command.args(arguments), &arguments);
        assert_eq!(finished.code, 75, "{}", finished.stderr);
        assert!(begun.elapsed() < Duration::from_secs(15), "it took {:?}", begun.elapsed());
        assert!(finished.stderr.contains(&format!("http://{address}")), "{}", finished.stderr);
        assert!(finished.stderr.to_lowercase().contains(words), "{}", finished.stderr);
        assert!(finished.stderr.contains("; trying again for "), "{}", finished.stderr);
    }
}

/// The waiting is told as it happens: before the load ends.
#[test]
fn a_store_that_goes_away_is_told_at_once() {
    let scene = Scene::new("goes_away");
    let proxy = Proxy::to(scene.bucket.server());
    let (reached, is_reached) = channel();
    let (come_back, returned) = channel::<()>();
    let wait = move |_: &Head| {
        reached.send(()).unwrap();
        let _ = returned.recv();
    };
    let reads = |head: &Head| head.field("Range").is_some();
    proxy.add(Rule::new(reads, Fault::CutAnswer { after: 0 }).times(1));
    proxy.add(Rule::new(reads, Fault::First(Box::new(wait))).times(1));
    let mut command = scene.world.schoolbell();
    Bucket::connect(&mut command, &proxy.url());
    command.args(["validate", &scene.bucket.url("day.jsonl")]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    // The second request waits until it is let go, so the program has not ended.
    is_reached.recv_timeout(Duration::from_secs(60)).unwrap();
    let mut said = [0; 400];
    let length = running.stderr.as_mut().unwrap().read(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said[..length]).into_owned();
    assert!(said.contains(&proxy.url()) && said.contains("trying again for 1"), "{said}");
    assert!(running.try_wait().unwrap().is_none());
    drop(come_back);
    assert!(running.wait().unwrap().success());
}

#[test]
fn refusals_say_what_to_mend() {
    let scene = Scene::new("refusals");
    let proxy = Proxy::to(scene.bucket.server());
    let error = |code: &str, more: &str| {
        format!("<Error><Code>{code}</Code><Message>In these words</Message>{more}</Error>")
    };
    for (status, body, code, mend) in [
        (301, error("PermanentRedirect", "<Region>ap-south-1</Region>"), 2, "set AWS_REGION=ap-south-1"),
        (
            400,
            error("AuthorizationHeaderMalformed", "<Region>us-west-2</Region>"),
            2,
            "set AWS_REGION=us-west-2",
        ),
        (403, error("InvalidAccessKeyId", ""), 77, "InvalidAccessKeyId: In these words"),
        (403, error("InvalidObjectState", ""), 2, "restore it first"),
        (400, error("KeyTooLongError", ""), 2, "KeyTooLongError: In these words"),
    ] {
        proxy.reset();
        proxy.add(Rule::new(|_| true, Fault::Answer { status, body }));
        let finished = scene.validate("s3", &[("AWS_ENDPOINT_URL", &proxy.url())]);
        assert_eq!(finished.code, code, "{mend}: {}", finished.stderr);
        assert!(finished.stderr.contains(mend), "{mend}: {}", finished.stderr);
    }
    // What answers is no store.
    for (url, body) in [("day.jsonl", ""), ("day/", "<html><body>Welcome</body></html>"), ("d*", "{}")] {
        proxy.reset();
        proxy.add(Rule::new(|_| true, Fault::Answer { status: 200, body: body.to_owned() }));
        let mut command: Command = scene.world.schoolbell();
        Bucket::connect(&mut command, &proxy.url());
        let arguments = ["validate", &scene.bucket.url(url)];
        let finished = Finished::of(command.args(arguments), &arguments);
        assert_eq!(finished.code, 2, "{url}: {}", finished.stderr);
        assert!(finished.stderr.contains("no such store"), "{url}: {}", finished.stderr);
    }
}

//! An S3 server: the pinned moto, one for a test binary, which ends with it. Every test takes a [`Bucket`] of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::world::python;

/// Making the environment, where it is missing, takes longer than the server's start.
const START_DEADLINE: Duration = Duration::from_secs(300);
/// What the server says once it listens.
const LISTENS: &str = "Running on http://";
/// Ends its program when its own standard input ends, as it does with the process at the other end of the pipe.
const UNTIL_STDIN_ENDS: &str = r#""$@" & program=$!; read -r _; kill $program"#;

/// A bucket of the test binary's server.
#[derive(Debug, Clone)]
pub struct Bucket {
    name: String,
    server: SocketAddr,
}

impl Bucket {
    /// An empty bucket of that name; every test takes another.
    ///
    /// # Panics
    /// Where the server does not start or refuses.
    pub fn new(name: &str) -> Bucket {
        let bucket = Bucket { name: name.to_owned(), server: server() };
        bucket.send("PUT", "", &[], &[]);
        bucket
    }

    /// The server's address.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// `s3://BUCKET/key`.
    pub fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// Stores an object, or another one of its name.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        self.send("PUT", key, &[], bytes);
    }

    /// Stores an object that all may read, whoever they are.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn put_for_all(&self, key: &str, bytes: &[u8]) {
        self.put(key, bytes);
        self.send("PUT", &format!("{key}?acl"), &[("x-amz-acl", "public-read")], &[]);
    }

    /// Removes an object.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn delete(&self, key: &str) {
        self.send("DELETE", key, &[], &[]);
    }

    /// What `schoolbell` needs to find the server, or a proxy before it, at `endpoint`.
    pub fn connect(command: &mut Command, endpoint: &str) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        command
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    }

    fn send(&self, method: &str, key: &str, fields: &[(&str, &str)], body: &[u8]) {
        let Bucket { name, server } = self;
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{server}/{name}/{key}"))
            // The server looks at who it is, and not at the signature.
            .header("Authorization", OWNER);
        let request = fields.iter().fold(request, |request, (field, value)| request.header(*field, *value));
        let request = request.body(body).expect("keys of tests need no encoding");
        ureq::run(request).unwrap_or_else(|error| panic!("{method} {name}/{key}: {error}"));
    }
}

/// The secret key that tests connect with, which must not be seen anywhere.
pub const SECRET: &str = "geheim/EXAMPLEKEY";

/// How the one who makes buckets and objects signs.
const OWNER: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260301/us-east-1/s3/aws4_request, \
                     SignedHeaders=host, Signature=0";

/// The server's address; it is started at the first call.
fn server() -> SocketAddr {
    static SERVER: Mutex<Option<(Child, SocketAddr)>> = Mutex::new(None);
    let mut server = SERVER.lock().expect("no test panics while it starts the server");
    server.get_or_insert_with(start).1
}

fn start() -> (Child, SocketAddr) {
    let mut moto = python("s3", "moto_server");
    moto.args(["-H", "127.0.0.1", "-p", "0"]);
    let mut command = Command::new("sh");
    command.args(["-c", UNTIL_STDIN_ENDS, "sh"]).arg(moto.get_program()).args(moto.get_args());
    command.current_dir(moto.get_current_dir().expect("it starts in the repository"));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a shell");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let (sender, lines) = channel();
    thread::spawn(move || {
        let mut line = String::new();
        while stderr.read_line(&mut line).is_ok_and(|read| read > 0) {
            let listens = line.contains(LISTENS);
            // Nobody waits any more after the deadline.
            let _ = sender.send(std::mem::take(&mut line));
            if listens {
                break;
            }
        }
        // It logs every request, and would wait if nobody read that.
        let mut rest = [0; 4096];
        while stderr.read(&mut rest).is_ok_and(|read| read > 0) {}
    });
    let mut said = String::new();
    let address = loop {
        match lines.recv_timeout(START_DEADLINE) {
            Ok(line) => {
                said.push_str(&line);
                if let Some((_, address)) = line.split_once(LISTENS) {
                    break address.trim().parse().expect("the server says its address and port");
                }
            }
            Err(RecvTimeoutError::Timeout) => panic!("moto_server does not start: {said}"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("moto_server ended: {said}\nto install what is missing: cargo xtask setup")
            }
        }
    };
    (child, address)
}

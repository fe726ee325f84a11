//! An S3 server: the pinned moto, one for a test binary, which ends with it. Every test takes a [`Bucket`] of its own.

use std::net::SocketAddr;
use std::process::Command;

use crate::service::Service;
use crate::world::python;

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

    /// Stores an object, or another one of its name, whatever bytes the key has.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        self.send("PUT", &encoded(key), &[], bytes);
    }

    /// Stores an object that all may read, whoever they are.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn put_for_all(&self, key: &str, bytes: &[u8]) {
        self.put(key, bytes);
        self.send("PUT", &format!("{}?acl", encoded(key)), &[("x-amz-acl", "public-read")], &[]);
    }

    /// Removes an object.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn delete(&self, key: &str) {
        self.send("DELETE", &encoded(key), &[], &[]);
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

    fn send(&self, method: &str, target: &str, fields: &[(&str, &str)], body: &[u8]) {
        let Bucket { name, server } = self;
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{server}/{name}/{target}"))
            // The server looks at who it is, and not at the signature.
            .header("Authorization", OWNER);
        let request = fields.iter().fold(request, |request, (field, value)| request.header(*field, *value));
        let request = request.body(body).expect("a target is encoded");
        ureq::run(request).unwrap_or_else(|error| panic!("{method} {name}/{target}: {error}"));
    }
}

/// A key as it stands in a request.
pub(crate) fn encoded(key: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    key.bytes().map(encode).collect()
}

/// The secret key that tests connect with, which must not be seen anywhere.
pub const SECRET: &str = "geheim/EXAMPLEKEY";

/// How the one who makes buckets and objects signs.
const OWNER: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260301/us-east-1/s3/aws4_request, \
                     SignedHeaders=host, Signature=0";

/// The server's address; it is started at the first call.
fn server() -> SocketAddr {
    static SERVER: Service = Service::new();
    SERVER.address(|| {
        let mut moto = python("s3", "moto_server");
        moto.args(["-H", "127.0.0.1", "-p", "0"]);
        (moto, "Running on http://")
    })
}

//! An Azure Blob Storage: the pinned Azurite, one for a test binary, which ends with it. Every test takes a [`Container`]
//! of its own.

use std::net::SocketAddr;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use ring::hmac;

use crate::s3::encoded;
use crate::service::Service;
use crate::world::xtask;

/// The account that every Azurite has, and its key, which is no secret.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const API_VERSION: &str = "2021-12-02";

/// A container of the test binary's server.
#[derive(Debug, Clone)]
pub struct Container {
    name: String,
    server: SocketAddr,
}

impl Container {
    /// An empty container of that name; every test takes another.
    ///
    /// # Panics
    /// Where the server does not start or refuses.
    pub fn new(name: &str) -> Container {
        let container = Container { name: name.to_owned(), server: server() };
        container.put_signed(name, Some("container"), &[], &[]);
        container
    }

    /// The server's address.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// `az://CONTAINER/key`.
    pub fn url(&self, key: &str) -> String {
        format!("az://{}/{key}", self.name)
    }

    /// Stores a blob, or another one of its name, whatever bytes the key has.
    ///
    /// # Panics
    /// Where the server refuses.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        self.put_signed(
            &format!("{}/{}", self.name, encoded(key)),
            None,
            &[("x-ms-blob-type", "BlockBlob")],
            bytes,
        );
    }

    /// What `schoolbell` needs to find the server, or a proxy before it, at `endpoint`.
    pub fn connect(command: &mut Command, endpoint: &str) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AZURE_") {
                command.env_remove(name);
            }
        }
        command
            .env("AZURE_STORAGE_ENDPOINT", format!("{endpoint}/{ACCOUNT}"))
            .env("AZURE_ALLOW_HTTP", "true")
            .env("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
            .env("AZURE_STORAGE_ACCOUNT_KEY", KEY);
    }

    /// A request that is signed with the account's key:
    /// <https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>.
    fn put_signed(&self, path: &str, kind: Option<&str>, fields: &[(&str, &str)], body: &[u8]) {
        let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let fields = [fields, &[("x-ms-date", &date), ("x-ms-version", API_VERSION)]].concat();
        let length = if body.is_empty() { String::new() } else { body.len().to_string() };
        let signed_fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let signed_query = kind.map(|kind| format!("\nrestype:{kind}")).unwrap_or_default();
        // The empty lines are of fields that are not sent.
        let signed = format!(
            "PUT\n\n\n{length}\n\n\n\n\n\n\n\n\n{}/{ACCOUNT}/{ACCOUNT}/{path}{signed_query}",
            signed_fields.concat()
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(KEY).expect("Base64"));
        let signature = BASE64_STANDARD.encode(hmac::sign(&key, signed.as_bytes()));

        let query = kind.map(|kind| format!("?restype={kind}")).unwrap_or_default();
        let request = ureq::http::Request::builder()
            .method("PUT")
            .uri(format!("http://{}/{ACCOUNT}/{path}{query}", self.server))
            .header("Authorization", format!("SharedKey {ACCOUNT}:{signature}"));
        let request = fields.iter().fold(request, |request, (field, value)| request.header(*field, *value));
        let request = request.body(body).expect("a path is encoded");
        ureq::run(request).unwrap_or_else(|error| panic!("PUT {path}: {error}"));
    }
}

/// The server's address; it is started at the first call.
fn server() -> SocketAddr {
    static SERVER: Service = Service::new();
    SERVER.address(|| {
        let mut azurite = xtask();
        azurite.args(["azurite", "--blobHost", "127.0.0.1", "--blobPort", "0"]);
        // It keeps nothing, and tells nobody.
        azurite.args(["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"]);
        (azurite, "successfully listens on http://")
    })
}

//! From a URL to its store, with the credentials and settings that the store's own tools would find.

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use super::{FIRST_WAIT, LONGEST_WAIT, Patience, failure, install_crypto, profile, wait_for};
use crate::url::{Service, StoreUrl};
use crate::{Options, SourceError};

/// So often the library tries a request again before we hear of it, and go on with that.
const REQUEST_RETRIES: usize = 3;
/// Whoever gives credentials gives them soon, or is not there.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(5);

/// The stores of a run, each bucket's made once.
#[derive(Debug)]
pub(crate) struct Stores {
    patience: Patience,
    made: HashMap<(Service, String), Store>,
}

/// A bucket.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) client: Arc<dyn ObjectStore>,
    pub(crate) patience: Patience,
}

impl Stores {
    pub(crate) fn new(options: &Options) -> Stores {
        Stores { patience: Patience::new(options), made: HashMap::new() }
    }

    /// The store of a URL's bucket; an error if no credentials are found or the settings are wrong.
    pub(crate) fn get(&mut self, url: &StoreUrl) -> Result<Store, SourceError> {
        let key = (url.service, url.bucket.clone());
        if let Some(store) = self.made.get(&key) {
            return Ok(store.clone());
        }
        install_crypto();
        let client = match url.service {
            Service::S3 => s3(url, self.patience.timeout),
            Service::Gcs => gcs(url, self.patience.timeout),
            Service::Azure => azure(url, self.patience.timeout),
        }?;
        let store = Store { client, patience: self.patience };
        self.made.insert(key, store.clone());
        Ok(store)
    }
}

/// The store that a builder makes, once it is known that someone gives credentials: who does not, is not to be
/// asked for as long as a store is.
///
/// The builders have no trait in common.
macro_rules! build {
    ($builder:expr, $url:expr, $timeout:expr, $skip_signature:expr, $mend:literal) => {{
        let (mut builder, url): (_, &StoreUrl) = ($builder.with_retry(retries($timeout)), $url);
        let refused =
            |error| SourceError::StoreSettings { name: url.root.clone(), problem: failure::words(&error) };
        let is_public = builder.get_config_value(&$skip_signature).is_some_and(|skip| is_true(&skip));
        if !is_public {
            let asking = builder.clone().with_retry(retries(CREDENTIALS_TIMEOUT)).build().map_err(refused)?;
            let credentials = Arc::clone(asking.credentials());
            let provider = Arc::clone(&credentials);
            wait_for(async move { provider.get_credential().await.map(drop) }).map_err(|error| {
                SourceError::NoCredentials {
                    name: url.root.clone(),
                    words: failure::words(&error),
                    mend: $mend,
                }
            })?;
            builder = builder.with_credentials(credentials);
        }
        Ok(Arc::new(builder.build().map_err(refused)?))
    }};
}

fn s3(url: &StoreUrl, timeout: Duration) -> Result<Arc<dyn ObjectStore>, SourceError> {
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(&url.bucket);
    for (key, value) in profile::settings() {
        if builder.get_config_value(&key).is_none() {
            builder = builder.with_config(key, value);
        }
    }
    for (key, value) in client_settings("AWS") {
        builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
    }
    let endpoints = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint];
    let endpoint = endpoints.iter().find_map(|key| builder.get_config_value(key));
    let allow_http = builder.get_config_value(&AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"))
        && !allow_http.is_some_and(|allow| is_true(&allow))
    {
        let problem = "the endpoint is http://, unencrypted; set AWS_ALLOW_HTTP=true to allow that";
        return Err(SourceError::StoreSettings { name: url.root.clone(), problem: problem.to_owned() });
    }
    build!(
        builder,
        url,
        timeout,
        AmazonS3ConfigKey::SkipSignature,
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role; \
         AWS_SKIP_SIGNATURE=true reads a public bucket"
    )
}

fn gcs(url: &StoreUrl, timeout: Duration) -> Result<Arc<dyn ObjectStore>, SourceError> {
    let mut builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(&url.bucket);
    for (key, value) in client_settings("GOOGLE") {
        builder = builder.with_config(GoogleConfigKey::Client(key), value);
    }
    build!(
        builder,
        url,
        timeout,
        GoogleConfigKey::SkipSignature,
        "GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login, or give the machine a service \
         account; GOOGLE_SKIP_SIGNATURE=true reads a public bucket"
    )
}

fn azure(url: &StoreUrl, timeout: Duration) -> Result<Arc<dyn ObjectStore>, SourceError> {
    let mut builder = MicrosoftAzureBuilder::from_env();
    builder = if url.bucket.contains('@') {
        builder.with_url(&url.root)
    } else {
        builder.with_container_name(&url.bucket)
    };
    for (key, value) in client_settings("AZURE") {
        builder = builder.with_config(AzureConfigKey::Client(key), value);
    }
    build!(
        builder,
        url,
        timeout,
        AzureConfigKey::SkipSignature,
        "AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or \
         AZURE_USE_AZURE_CLI=true, or give the machine an identity; AZURE_SKIP_SIGNATURE=true reads a public container"
    )
}

/// The library tries requests again that were throttled, failed in the server, or never answered.
fn retries(timeout: Duration) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: FIRST_WAIT, max_backoff: LONGEST_WAIT, base: 2.0 },
        max_retries: REQUEST_RETRIES,
        retry_timeout: timeout,
    }
}

/// Settings of the HTTP client that the environment leaves open: a long answer is well, a silent one is not.
fn client_settings(prefix: &str) -> impl Iterator<Item = (ClientConfigKey, &'static str)> {
    [
        (ClientConfigKey::ConnectTimeout, "CONNECT_TIMEOUT", "5 seconds"),
        (ClientConfigKey::ReadTimeout, "READ_TIMEOUT", "30 seconds"),
        (ClientConfigKey::Timeout, "TIMEOUT", "300 seconds"),
    ]
    .into_iter()
    .filter(move |(_, name, _)| env::var_os(format!("{prefix}_{name}")).is_none())
    .map(|(key, _, value)| (key, value))
}

/// As the library reads switches.
fn is_true(text: &str) -> bool {
    ["1", "true", "on", "yes", "y"].iter().any(|yes| text.eq_ignore_ascii_case(yes))
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client may show its credentials.
        f.debug_struct("Store").field("patience", &self.patience).finish_non_exhaustive()
    }
}

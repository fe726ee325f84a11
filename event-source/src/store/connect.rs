//! From a URL to its store, with the credentials and settings that the store's own tools would find.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ::url::Url;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Aws};
use object_store::azure::{AzureConfigKey as Azure, MicrosoftAzureBuilder};
use object_store::client::CredentialProvider;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey as Google};
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, RetryConfig};

use super::client::{Access, Client};
use super::settings::{Key, Settings, unusable, variable};
use super::{FIRST_WAIT, LONGEST_WAIT, Patience, failure, http_client, install_crypto, profile, wait_for};
use crate::url::{Service, StoreUrl};
use crate::{Options, SourceError};

/// How many times the library retries getting credentials before it reports an error.
const CREDENTIALS_RETRIES: usize = 3;
/// The time limit of a credentials provider.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(5);
/// As long as a listener that says nothing is waited for.
const CREDENTIALS_DEADLINE: Duration = Duration::from_secs(15);

const AWS_MEND: &str = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role; \
                        AWS_SKIP_SIGNATURE=true reads a public bucket";
const GOOGLE_MEND: &str = "GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login, or give the \
                           machine a service account; GOOGLE_SKIP_SIGNATURE=true reads a public bucket";
const AZURE_MEND: &str = "AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or AZURE_USE_AZURE_CLI=true, or give \
                          the machine an identity; AZURE_SKIP_SIGNATURE=true reads a public container";

/// Hosts of Azure's clouds behind an account's name and the service's.
const AZURE_CLOUDS: [&str; 4] =
    ["core.windows.net", "fabric.microsoft.com", "core.chinacloudapi.cn", "core.usgovcloudapi.net"];
/// The account, its key, which is no secret, and the address of Azure's emulator, unless the environment says otherwise.
const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const EMULATOR_ADDRESS: &str = "http://127.0.0.1:10000";

/// The stores of a run, each bucket's made once.
#[derive(Debug)]
pub(crate) struct Stores {
    patience: Patience,
    made: HashMap<(Service, String), Store>,
}

/// A bucket.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) client: Arc<Client>,
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
            Service::S3 => s3(url),
            Service::Gcs => gcs(url),
            Service::Azure => azure(url),
        }?;
        let store = Store { client: Arc::new(client), patience: self.patience };
        self.made.insert(key, store.clone());
        Ok(store)
    }
}

fn s3(url: &StoreUrl) -> Result<Client, SourceError> {
    let mut settings = Settings::<Aws>::of_environment()?;
    profile::add_to(&mut settings)?;
    for (one, other, missing) in [
        (Aws::AccessKeyId, Aws::SecretAccessKey, "AWS_SECRET_ACCESS_KEY"),
        (Aws::SecretAccessKey, Aws::AccessKeyId, "AWS_ACCESS_KEY_ID"),
    ] {
        if settings.get(one).is_some() && settings.get(other).is_none() {
            return Err(unusable(missing, "it is not set, though the other half of the credentials is"));
        }
    }
    let region = settings.get(Aws::Region).or(settings.get(Aws::DefaultRegion)).unwrap_or("us-east-1");
    let endpoint = settings.address(Aws::S3Endpoint).or(settings.address(Aws::Endpoint));
    let is_host = settings.is_on(Aws::VirtualHostedStyleRequest);
    let bucket = match (endpoint, is_host) {
        // It is the bucket's own then.
        (Some(endpoint), true) => endpoint,
        (Some(endpoint), false) => format!("{endpoint}/{}", url.bucket),
        (None, true) => format!("https://{}.s3.{region}.amazonaws.com", url.bucket),
        (None, false) => format!("https://s3.{region}.amazonaws.com/{}", url.bucket),
    };
    check_encrypted(url, &bucket, &settings, Aws::Client(ClientConfigKey::AllowHttp))?;
    let options = settings.client_options();
    let access = if settings.is_on(Aws::SkipSignature) {
        Access::Public
    } else {
        let builder = AmazonS3Builder::new().with_bucket_name(&url.bucket).with_retry(retries());
        let builder = settings.apply(builder, |builder, key, value| builder.with_config(key, value));
        let made = builder.with_client_options(options.clone()).build();
        let credentials = Arc::clone(made.map_err(|error| refused(url, &error))?.credentials());
        ask_for(url, Arc::clone(&credentials), AWS_MEND)?;
        Access::Aws {
            credentials,
            region: region.to_owned(),
            signs_content: !settings.is_on(Aws::UnsignedPayload),
            requester_pays: settings
                .get(Aws::RequestPayer)
                .is_some_and(|value| value.eq_ignore_ascii_case("requester"))
                || settings.is_on(Aws::RequestPayer),
        }
    };
    client(url, &bucket, access, &options)
}

fn gcs(url: &StoreUrl) -> Result<Client, SourceError> {
    let settings = Settings::<Google>::of_environment()?;
    let endpoint = settings.address(Google::BaseUrl);
    let endpoint = endpoint.unwrap_or_else(|| "https://storage.googleapis.com".to_owned());
    let bucket = format!("{endpoint}/{}", url.bucket);
    check_encrypted(url, &bucket, &settings, Google::Client(ClientConfigKey::AllowHttp))?;
    let options = settings.client_options();
    let access = if settings.is_on(Google::SkipSignature) {
        Access::Public
    } else {
        let builder = || GoogleCloudStorageBuilder::new().with_bucket_name(&url.bucket);
        let whole = settings.apply(builder(), |builder, key, value| builder.with_config(key, value));
        let made = whole.with_retry(retries()).with_client_options(options.clone()).build();
        let made = made.map_err(|error| {
            let fails = |key, value: &str| {
                let is_credential =
                    [Google::ServiceAccount, Google::ServiceAccountKey, Google::ApplicationCredentials]
                        .contains(&key);
                is_credential && builder().with_config(key, value).build().is_err()
            };
            match settings.culprit(fails) {
                Some(variable) => unusable(variable, failure::words(&error)),
                None => refused(url, &error),
            }
        })?;
        let credentials = Arc::clone(made.credentials());
        ask_for(url, Arc::clone(&credentials), GOOGLE_MEND)?;
        Access::Google(credentials)
    };
    client(url, &bucket, access, &options)
}

fn azure(url: &StoreUrl) -> Result<Client, SourceError> {
    let mut settings = Settings::<Azure>::of_environment()?;
    // The machine's identity is asked for there.
    if let (Some(address), None) = (variable("IDENTITY_ENDPOINT"), settings.get(Azure::MsiEndpoint)) {
        settings.add("IDENTITY_ENDPOINT".to_owned(), Azure::MsiEndpoint, address)?;
    }
    let (container, account, endpoint) = azure_place(url, &settings)?;
    let bucket = format!("{endpoint}/{container}");
    let mut options = settings.client_options();
    let is_emulator = settings.is_on(Azure::UseEmulator);
    if is_emulator {
        options = options.with_allow_http(true);
    } else {
        check_encrypted(url, &bucket, &settings, Azure::Client(ClientConfigKey::AllowHttp))?;
    }
    let access = if settings.is_on(Azure::SkipSignature) {
        Access::Public
    } else {
        let builder = MicrosoftAzureBuilder::new().with_retry(retries());
        let builder = settings.apply(builder, |builder, key, value| match key {
            // The library would look for the emulator's address by itself.
            Azure::UseEmulator => builder,
            _ => builder.with_config(key, value),
        });
        let mut builder = builder.with_container_name(container).with_account(&account);
        let has_credential =
            [Azure::AccessKey, Azure::SasKey, Azure::Token].iter().any(|key| settings.get(*key).is_some());
        if is_emulator && !has_credential {
            builder = builder.with_access_key(EMULATOR_KEY);
        }
        let made = builder.with_client_options(options.clone()).build();
        let credentials = Arc::clone(made.map_err(|error| refused(url, &error))?.credentials());
        ask_for(url, Arc::clone(&credentials), AZURE_MEND)?;
        Access::Azure { credentials, account }
    };
    client(url, &bucket, access, &options)
}

/// The container, the account, and the account's address.
fn azure_place<'a>(
    url: &'a StoreUrl,
    settings: &Settings<Azure>,
) -> Result<(&'a str, String, String), SourceError> {
    let (container, host) = match url.bucket.split_once('@') {
        Some((container, host)) => (container, Some(host)),
        None => (url.bucket.as_str(), None),
    };
    let named = settings.get(Azure::AccountName).map(str::to_owned);
    if settings.is_on(Azure::UseEmulator) {
        let account = named.unwrap_or_else(|| EMULATOR_ACCOUNT.to_owned());
        let address = variable("AZURITE_BLOB_STORAGE_URL").unwrap_or_else(|| EMULATOR_ADDRESS.to_owned());
        Azure::Endpoint.check(&address).map_err(|problem| unusable("AZURITE_BLOB_STORAGE_URL", problem))?;
        let address = format!("{}/{account}", address.trim_end_matches('/'));
        return Ok((container, account, address));
    }
    let (account, address) = match host {
        Some(host) => azure_host(host).ok_or_else(|| SourceError::InvalidUrl {
            scheme: url.root.split("://").next().unwrap_or_default().to_owned(),
            problem: "its host is none of Azure's; after the @ stands ACCOUNT.dfs.core.windows.net"
                .to_owned(),
        })?,
        None => {
            let account = named.ok_or_else(|| {
                unusable("AZURE_STORAGE_ACCOUNT_NAME", "it is not set, and the URL names no account")
            })?;
            let cloud =
                if settings.is_on(Azure::UseFabricEndpoint) { AZURE_CLOUDS[1] } else { AZURE_CLOUDS[0] };
            let address = format!("https://{account}.blob.{cloud}");
            (account, address)
        }
    };
    Ok((container, account, settings.address(Azure::Endpoint).unwrap_or(address)))
}

/// The account and its address, of `ACCOUNT.dfs.CLOUD` and `ACCOUNT.blob.CLOUD`.
fn azure_host(host: &str) -> Option<(String, String)> {
    let (account, rest) = host.split_once('.')?;
    let (service, cloud) = rest.split_once('.')?;
    if ["dfs", "blob"].contains(&service) && AZURE_CLOUDS.contains(&cloud) {
        return Some((account.to_owned(), format!("https://{account}.blob.{cloud}")));
    }
    // A workspace's private link: the zone belongs to the account's name.
    let is_zone = service.starts_with('z') && cloud.ends_with(AZURE_CLOUDS[1]);
    is_zone.then(|| (format!("{account}.{service}"), format!("https://{host}")))
}

/// An error for an address that is not encrypted, unless the environment allows that.
fn check_encrypted<K: Key>(
    url: &StoreUrl,
    address: &str,
    settings: &Settings<K>,
    allow: K,
) -> Result<(), SourceError> {
    if address.starts_with("http://") && !settings.is_on(allow) {
        let problem =
            format!("the endpoint is http://, unencrypted; set {}ALLOW_HTTP=true to allow that", K::PREFIX);
        return Err(SourceError::StoreSettings { name: url.root.clone(), problem });
    }
    Ok(())
}

fn client(
    url: &StoreUrl,
    bucket: &str,
    access: Access,
    options: &ClientOptions,
) -> Result<Client, SourceError> {
    let http = http_client(options).map_err(|error| refused(url, &error))?;
    // As it will be written in requests.
    let bucket = match Url::parse(bucket) {
        Ok(address) => address.as_str().trim_end_matches('/').to_owned(),
        Err(error) => {
            let problem = format!("{bucket} is no address: {error}");
            return Err(SourceError::StoreSettings { name: url.root.clone(), problem });
        }
    };
    Ok(Client::new(http, url.service, bucket, access))
}

fn refused(url: &StoreUrl, error: &object_store::Error) -> SourceError {
    SourceError::StoreSettings { name: url.root.clone(), problem: failure::words(error) }
}

/// An error unless someone gives credentials: who does not, is not to be asked for as long as a store is.
fn ask_for<T: Send + Sync + 'static>(
    url: &StoreUrl,
    provider: Arc<dyn CredentialProvider<Credential = T>>,
    mend: &'static str,
) -> Result<(), SourceError> {
    let answer = wait_for(async move {
        tokio::time::timeout(CREDENTIALS_DEADLINE, async move { provider.get_credential().await.map(drop) })
            .await
    });
    let words = match answer {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => failure::words(&error),
        Err(_) => format!("whoever was asked was silent for {} s", CREDENTIALS_DEADLINE.as_secs()),
    };
    Err(SourceError::NoCredentials { name: url.root.clone(), words, mend })
}

/// How the library asks for credentials again.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: FIRST_WAIT, max_backoff: LONGEST_WAIT, base: 2.0 },
        max_retries: CREDENTIALS_RETRIES,
        retry_timeout: CREDENTIALS_TIMEOUT,
    }
}

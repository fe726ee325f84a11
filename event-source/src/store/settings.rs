//! A store's settings in the environment. Each is checked by itself, so that one that cannot be used is named, its value
//! never; an empty one is as good as none.

use std::env;
use std::fs;
use std::str::FromStr;

use ::url::Url;
use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::{AzureAccessKey, AzureConfigKey, split_sas};
use object_store::gcp::GoogleConfigKey;
use object_store::{ClientConfigKey, ClientOptions};

use crate::SourceError;

/// Settings of the HTTP client where the environment has none: a long answer is well, a silent one is not.
const CLIENT_DEFAULTS: [(ClientConfigKey, &str); 3] = [
    (ClientConfigKey::ConnectTimeout, "5 seconds"),
    (ClientConfigKey::ReadTimeout, "30 seconds"),
    (ClientConfigKey::Timeout, "300 seconds"),
];

/// Variables that the HTTP client reads by itself.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// What can be a value of a setting.
#[derive(Clone, Copy)]
enum Kind {
    /// `http://` or `https://`, a host, perhaps a port and a path.
    Address,
    /// Yes or no.
    Switch,
    /// Visible ASCII characters: it is sent in a header, or is part of an address.
    Word,
    /// Letters, digits and `-`: it is part of a host's name.
    Label,
    /// Base64.
    AccessKey,
    /// `name=value&…`.
    SharedAccessSignature,
    /// Of the HTTP client.
    Client(ClientConfigKey),
    /// Whoever needs it says what is wrong with it.
    Any,
    /// It changes what is asked of a store in a way that is not known here.
    Unsupported,
    /// It has no meaning here: of writing objects, or said by the URL.
    Ignored,
}

/// The settings of a kind of store.
pub(super) trait Key: FromStr + PartialEq + Copy {
    /// What their variables begin with.
    const PREFIX: &str;

    /// The setting of the HTTP client that it is.
    fn client(self) -> Option<ClientConfigKey>;

    /// Whether the value has a meaning here; an error says why it cannot be used, without repeating it.
    fn check(self, value: &str) -> Result<bool, String>;
}

/// A setting, and what is called so where it was found.
struct Setting<K> {
    place: String,
    key: K,
    value: String,
}

/// The settings that were found, each well by itself.
pub(super) struct Settings<K>(Vec<Setting<K>>);

impl<K: Key> Settings<K> {
    /// Those of the environment.
    pub(super) fn of_environment() -> Result<Settings<K>, SourceError> {
        check_shared()?;
        let mut variables = Vec::new();
        for (name, value) in env::vars_os() {
            let (Ok(name), false) = (name.into_string(), value.is_empty()) else { continue };
            if name.starts_with(K::PREFIX)
                && let Ok(key) = name.to_ascii_lowercase().parse::<K>()
            {
                variables.push((name, key, value));
            }
        }
        // Of two that mean the same, always the same one holds: the last by name.
        variables.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut settings = Settings(Vec::new());
        for (name, key, value) in variables {
            let value = value.into_string().map_err(|_| unusable(&name, "it is not UTF-8"))?;
            settings.add(name, key, value)?;
        }
        Ok(settings)
    }

    /// One more; an error if it cannot be used. `place` is the variable, or where else it was found.
    pub(super) fn add(&mut self, place: String, key: K, value: String) -> Result<(), SourceError> {
        if key.check(&value).map_err(|problem| unusable(&place, problem))? {
            self.0.push(Setting { place, key, value });
        }
        Ok(())
    }

    /// The value of a setting.
    pub(super) fn get(&self, key: K) -> Option<&str> {
        self.0.iter().rev().find(|setting| setting.key == key).map(|setting| &*setting.value)
    }

    /// Whether a switch is on.
    pub(super) fn is_on(&self, key: K) -> bool {
        self.get(key).and_then(switch).unwrap_or(false)
    }

    /// The address of a setting, normalised and without a slash at its end.
    pub(super) fn address(&self, key: K) -> Option<String> {
        let url = Url::parse(self.get(key)?).expect("addresses are checked when they are found");
        Some(url.as_str().trim_end_matches('/').to_owned())
    }

    /// All of them, for one of the library's builders.
    pub(super) fn apply<B>(&self, builder: B, with: impl Fn(B, K, &str) -> B) -> B {
        self.0.iter().fold(builder, |builder, setting| with(builder, setting.key, &setting.value))
    }

    /// The first that makes `fails` fail by itself, by its variable.
    pub(super) fn culprit(&self, fails: impl Fn(K, &str) -> bool) -> Option<&str> {
        self.0.iter().find(|setting| fails(setting.key, &setting.value)).map(|setting| &*setting.place)
    }

    /// Those of the HTTP client.
    pub(super) fn client_options(&self) -> ClientOptions {
        let defaults = CLIENT_DEFAULTS
            .iter()
            .fold(ClientOptions::new(), |options, (key, value)| options.with_config(*key, *value));
        self.0.iter().fold(defaults, |options, setting| match setting.key.client() {
            Some(key) => options.with_config(key, setting.value.as_str()),
            None => options,
        })
    }
}

/// A setting that cannot be used, called as where it was found.
pub(super) fn unusable(place: &str, problem: impl Into<String>) -> SourceError {
    SourceError::UnusableSetting { setting: place.to_owned(), problem: problem.into() }
}

/// A variable that is not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Variables of all stores, which the HTTP client reads by itself, and would pass over in silence.
fn check_shared() -> Result<(), SourceError> {
    for name in PROXIES {
        if let Some(value) = variable(name) {
            // As with curl, the scheme may be left out.
            let address = if value.contains("://") { value } else { format!("http://{value}") };
            proxy(&address).map_err(|problem| unusable(name, problem))?;
        }
    }
    if let Some(file) = variable("SSL_CERT_FILE") {
        fs::File::open(file).map_err(|error| unusable("SSL_CERT_FILE", error.to_string()))?;
    }
    if let Some(folders) = variable("SSL_CERT_DIR") {
        let readable = env::split_paths(&folders).any(|folder| fs::read_dir(folder).is_ok());
        if !readable {
            return Err(unusable("SSL_CERT_DIR", "none of its folders can be read"));
        }
    }
    Ok(())
}

/// Whether the value can be used; false where it has no meaning here.
fn check(kind: Kind, value: &str) -> Result<bool, String> {
    let is_well = |well: bool, problem: &str| if well { Ok(true) } else { Err(problem.to_owned()) };
    match kind {
        Kind::Address => address(value).map(|()| true),
        Kind::Switch => is_well(switch(value).is_some(), "it is neither true nor false"),
        Kind::Word => is_well(
            value.bytes().all(|byte| byte.is_ascii_graphic()),
            "it has a space, a line break or other bytes than ASCII",
        ),
        Kind::Label => is_well(
            value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            "it has other characters than letters, digits and -",
        ),
        Kind::AccessKey => is_well(AzureAccessKey::try_new(value).is_ok(), "it is not Base64"),
        Kind::SharedAccessSignature => {
            let is_one_line = !value.contains(|character: char| character.is_control());
            is_well(is_one_line && split_sas(value).is_ok(), "it is no shared access signature")
        }
        Kind::Client(key) => client(key, value).map(|()| true),
        Kind::Any => Ok(true),
        Kind::Unsupported => Err("it is not supported; unset it".to_owned()),
        Kind::Ignored => Ok(false),
    }
}

fn address(value: &str) -> Result<(), String> {
    if value.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return Err("the address has a space or a line break".to_owned());
    }
    if !value.contains("://") {
        return Err("the address has no scheme; write http://HOST:PORT or https://HOST".to_owned());
    }
    let url = Url::parse(value).map_err(|error| format!("the address is not one: {error}"))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err("the address is neither http:// nor https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "the address holds a user or password; give credentials by their own variables".to_owned()
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the address has a ? or #".to_owned());
    }
    Ok(())
}

/// Unlike a store's, its address may hold a user and password.
fn proxy(address: &str) -> Result<(), String> {
    let url = Url::parse(address).map_err(|error| format!("the address is not one: {error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(()),
        _ => Err("only http:// and https:// proxies are known".to_owned()),
    }
}

fn client(key: ClientConfigKey, value: &str) -> Result<(), String> {
    use ClientConfigKey::{
        AllowHttp, AllowInvalidCertificates, ConnectTimeout, Http1Only, Http2KeepAliveInterval,
        Http2KeepAliveTimeout, Http2KeepAliveWhileIdle, Http2Only, NoSystemCertificates, PoolIdleTimeout,
        RandomizeAddresses, ReadTimeout, Timeout,
    };
    // The library tells in the value's words what is wrong.
    let options = ClientOptions::new().with_no_system_certificates(true).with_config(key, value);
    if super::http_client(&options).is_ok() {
        return Ok(());
    }
    Err(match key {
        AllowHttp
        | AllowInvalidCertificates
        | Http1Only
        | Http2KeepAliveWhileIdle
        | Http2Only
        | NoSystemCertificates
        | RandomizeAddresses => "it is neither true nor false",
        ConnectTimeout
        | Http2KeepAliveInterval
        | Http2KeepAliveTimeout
        | PoolIdleTimeout
        | ReadTimeout
        | Timeout => "it is no time with its unit, such as 30s",
        _ => "it cannot be understood",
    }
    .to_owned())
}

/// As the library reads switches.
fn switch(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 5]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match (is_one_of(["1", "true", "on", "yes", "y"]), is_one_of(["0", "false", "off", "no", "n"])) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

impl Key for AmazonS3ConfigKey {
    const PREFIX: &str = "AWS_";

    fn client(self) -> Option<ClientConfigKey> {
        if let Self::Client(key) = self { Some(key) } else { None }
    }

    fn check(self, value: &str) -> Result<bool, String> {
        let kind = match self {
            Self::Endpoint
            | Self::S3Endpoint
            | Self::StsEndpoint
            | Self::MetadataEndpoint
            | Self::ContainerCredentialsFullUri => Kind::Address,
            Self::VirtualHostedStyleRequest
            | Self::UnsignedPayload
            | Self::ImdsV1Fallback
            | Self::SkipSignature => Kind::Switch,
            Self::AccessKeyId
            | Self::SecretAccessKey
            | Self::Token
            | Self::ContainerCredentialsRelativeUri
            | Self::RoleArn
            | Self::RoleSessionName => Kind::Word,
            Self::Region | Self::DefaultRegion => Kind::Label,
            Self::RequestPayer if !value.eq_ignore_ascii_case("requester") => Kind::Switch,
            Self::RequestPayer | Self::ContainerAuthorizationTokenFile | Self::WebIdentityTokenFile => {
                Kind::Any
            }
            Self::S3Express if switch(value) == Some(false) => Kind::Ignored,
            Self::S3Express => Kind::Unsupported,
            Self::Client(key) => Kind::Client(key),
            // Objects are read with the customer's key, and written with any other.
            _ if self.as_ref() == "aws_sse_customer_key_base64" => Kind::Unsupported,
            _ => Kind::Ignored,
        };
        check(kind, value)
    }
}

impl Key for GoogleConfigKey {
    const PREFIX: &str = "GOOGLE_";

    fn client(self) -> Option<ClientConfigKey> {
        if let Self::Client(key) = self { Some(key) } else { None }
    }

    fn check(self, value: &str) -> Result<bool, String> {
        let kind = match self {
            Self::BaseUrl => Kind::Address,
            Self::SkipSignature => Kind::Switch,
            Self::BearerToken => Kind::Word,
            Self::ServiceAccount | Self::ServiceAccountKey | Self::ApplicationCredentials => Kind::Any,
            Self::Client(key) => Kind::Client(key),
            _ => Kind::Ignored,
        };
        check(kind, value)
    }
}

impl Key for AzureConfigKey {
    const PREFIX: &str = "AZURE_";

    fn client(self) -> Option<ClientConfigKey> {
        if let Self::Client(key) = self { Some(key) } else { None }
    }

    fn check(self, value: &str) -> Result<bool, String> {
        let kind = match self {
            Self::Endpoint | Self::MsiEndpoint | Self::AuthorityHost | Self::FabricTokenServiceUrl => {
                Kind::Address
            }
            Self::SkipSignature | Self::UseEmulator | Self::UseFabricEndpoint | Self::UseAzureCli => {
                Kind::Switch
            }
            Self::AccountName => Kind::Label,
            Self::AccessKey => Kind::AccessKey,
            Self::SasKey => Kind::SharedAccessSignature,
            Self::ClientId
            | Self::ClientSecret
            | Self::AuthorityId
            | Self::Token
            | Self::ObjectId
            | Self::MsiResourceId
            | Self::FabricWorkloadHost
            | Self::FabricSessionToken
            | Self::FabricClusterIdentifier => Kind::Word,
            Self::FederatedTokenFile | Self::CredentialType => Kind::Any,
            Self::EncryptionKey => Kind::Unsupported,
            Self::Client(key) => Kind::Client(key),
            _ => Kind::Ignored,
        };
        check(kind, value)
    }
}

#[cfg(test)]
mod tests {
    use object_store::aws::AmazonS3ConfigKey as Aws;
    use object_store::azure::AzureConfigKey as Azure;
    use object_store::client::ClientConfigKey as Client;
    use object_store::gcp::GoogleConfigKey as Google;

    use super::{Key, Settings};

    #[track_caller]
    fn refused(key: impl Key, value: &str) {
        let problem = key.check(value).expect_err(value);
        assert!(!problem.contains(value), "{problem}");
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_its_value() {
        for address in [
            "127.0.0.1:9000",
            "s3.example.com",
            "http://",
            "http://127.0.0.1:99999",
            "ftp://host/x",
            "http://host:9000\n",
            "http://a host",
            "https://user:geheim@host",
            "https://host/?token=geheim",
        ] {
            refused(Aws::Endpoint, address);
            refused(Google::BaseUrl, address);
            refused(Azure::Endpoint, address);
        }
        for word in ["line\nbreak", "line\r\n", "two words", "gehe\u{ef}m"] {
            refused(Aws::SecretAccessKey, word);
            refused(Aws::Token, word);
            refused(Google::BearerToken, word);
            refused(Azure::ClientSecret, word);
        }
        refused(Aws::Region, "eu/central");
        refused(Aws::SkipSignature, "perhaps");
        refused(Aws::RequestPayer, "perhaps");
        refused(Aws::S3Express, "true");
        refused(Azure::AccessKey, "not Base64!");
        refused(Azure::SasKey, "no-signature");
        refused(Aws::Client(Client::AllowHttp), "ture");
        refused(Aws::Client(Client::ReadTimeout), "soon");
        refused(Google::Client(Client::ProxyUrl), "http://:99999");
    }

    #[test]
    fn what_can_be_used_is_taken() {
        let mut settings = Settings(Vec::new());
        for (key, value) in [
            (Aws::Endpoint, "HTTP://Host:9000/"),
            (Aws::SecretAccessKey, "a/b+c="),
            (Aws::RequestPayer, "requester"),
            (Aws::SkipSignature, "No"),
            (Aws::Client(Client::ReadTimeout), "30 seconds"),
            (Aws::Client(Client::AllowHttp), "yes"),
            (Aws::Checksum, "of uploads"),
        ] {
            settings.add("AWS_X".to_owned(), key, value.to_owned()).unwrap();
        }
        assert_eq!(settings.address(Aws::Endpoint).unwrap(), "http://host:9000");
        assert!(settings.is_on(Aws::Client(Client::AllowHttp)) && !settings.is_on(Aws::SkipSignature));
        assert_eq!(settings.get(Aws::Checksum), None);
    }
}

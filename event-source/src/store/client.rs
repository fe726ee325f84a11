//! Requests to one bucket. Keys are sent byte by byte as they are.
//!
//! The `object_store` crate gives credentials, signatures and the HTTP client, but not the requests: its type of keys
//! cannot have an empty part, a slash at either end, or a control character, and a listing that has one such key fails.

use std::fmt;
use std::time::Instant;

use ::url::Url;
use futures_util::StreamExt;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use object_store::aws::{AwsAuthorizer, AwsCredential, AwsCredentialProvider};
use object_store::azure::{AzureAuthorizer, AzureCredential, AzureCredentialProvider};
use object_store::client::{HttpClient, HttpRequest, HttpRequestBody, HttpResponse};
use object_store::gcp::GcpCredentialProvider;
use tracing::debug;

use super::failure;
use crate::url::Service;
use crate::{SourceError, percent};

/// What stands in an address as it is; everything else is percent-encoded. Signatures are of addresses in this form.
const UNRESERVED: &[u8] = b"-._~";
/// How many bytes of an error response are read.
const ERROR_BYTES: usize = 64 << 10;
/// Since this version Azure tells which names XML cannot hold.
const AZURE_VERSION: (&str, &str) = ("x-ms-version", "2021-12-02");

/// One bucket, and what gives access to it.
pub(crate) struct Client {
    http: HttpClient,
    service: Service,
    /// The bucket's address, without a slash at its end.
    bucket: String,
    access: Access,
}

/// How requests are signed.
pub(super) enum Access {
    /// Not at all.
    Public,
    Aws {
        credentials: AwsCredentialProvider,
        region: String,
        signs_content: bool,
        requester_pays: bool,
    },
    Google(GcpCredentialProvider),
    Azure {
        credentials: AzureCredentialProvider,
        account: String,
    },
}

impl Client {
    /// `bucket` is the bucket's address, as [`Url`] writes it.
    pub(super) fn new(http: HttpClient, service: Service, bucket: String, access: Access) -> Client {
        Client { http, service, bucket, access }
    }

    pub(super) fn service(&self) -> Service {
        self.service
    }

    /// The address that requests go to, without the bucket.
    pub(super) fn endpoint(&self) -> String {
        Url::parse(&self.bucket).map_or_else(|_| String::new(), |url| url.origin().ascii_serialization())
    }

    /// The region that requests are signed for; of S3 alone.
    pub(super) fn region(&self) -> Option<&str> {
        match &self.access {
            Access::Aws { region, .. } => Some(region),
            _ => None,
        }
    }

    /// The address of an object; an error if there is none for its key. `name` is its URL.
    pub(super) fn address(&self, name: &str, key: &str) -> Result<String, SourceError> {
        let address = format!("{}/{}", self.bucket, percent::encode(key, &[UNRESERVED, b"/"].concat()));
        // A `.` or `..` between slashes is a way through folders in an address, encoded or not.
        let is_as_written = Url::parse(&address).is_ok_and(|url| url.as_str() == address);
        if is_as_written {
            Ok(address)
        } else {
            Err(SourceError::KeyWithoutAddress { name: name.to_owned() })
        }
    }

    /// The address of a query about the bucket.
    pub(super) fn query(&self, parameters: &[(&str, &str)]) -> String {
        let parameters: Vec<String> = parameters
            .iter()
            .map(|(parameter, value)| format!("{parameter}={}", percent::encode(value, UNRESERVED)))
            .collect();
        format!("{}?{}", self.bucket, parameters.join("&"))
    }

    /// Sends one request; an error response is an error. `name` is the object's URL, for messages.
    pub(super) async fn ask(
        &self,
        name: &str,
        method: Method,
        address: &str,
        fields: &[(HeaderName, String)],
    ) -> Result<HttpResponse, SourceError> {
        let refused = |problem: &str| SourceError::StoreRefused {
            name: name.to_owned(),
            words: problem.to_owned(),
            mend: "check the key and the endpoint".to_owned(),
        };
        let mut request = Request::builder().method(method).uri(address);
        for (field, value) in fields {
            request = request.header(field, value);
        }
        let mut request =
            request.body(HttpRequestBody::empty()).map_err(|error| refused(&error.to_string()))?;
        let head = request.headers_mut();
        match self.service {
            Service::S3 => {}
            // Without this it unpacks what it holds as `Content-Encoding: gzip`, and ranges do not fit then.
            Service::Gcs => drop(head.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))),
            Service::Azure => drop(head.insert(AZURE_VERSION.0, HeaderValue::from_static(AZURE_VERSION.1))),
        }
        self.sign(name, &mut request).await?;
        let (method, began) = (request.method().clone(), Instant::now());
        let answer = self.http.execute(request).await;
        let answer = answer.map_err(|error| failure::of_request(name, self, &error))?;
        // Neither the address, which may hold a signature, nor headers.
        debug!(%method, object = name, status = answer.status().as_u16(), ms = began.elapsed().as_millis() as u64, "asked the store");
        // Nothing that is asked for here comes in parts but what a range is asked of.
        if matches!(answer.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        let mut text = Vec::new();
        let mut pieces = body.bytes_stream();
        while let Some(Ok(piece)) = pieces.next().await {
            text.extend_from_slice(&piece);
            if text.len() > ERROR_BYTES {
                text.truncate(ERROR_BYTES);
                break;
            }
        }
        let text = String::from_utf8_lossy(&text);
        Err(failure::of_answer(name, self, head.status, &head.headers, &text))
    }

    async fn sign(&self, name: &str, request: &mut HttpRequest) -> Result<(), SourceError> {
        let failed = |error: object_store::Error| failure::of_credentials(name, self, &error);
        let malformed = || SourceError::StoreDenied {
            name: name.to_owned(),
            words: "the credentials that were given cannot be sent: they have other bytes than ASCII"
                .to_owned(),
        };
        match &self.access {
            Access::Public => {}
            Access::Aws { credentials, region, signs_content, requester_pays } => {
                let credential = credentials.get_credential().await.map_err(failed)?;
                let AwsCredential { key_id, token, .. } = &*credential;
                if !is_sendable(key_id) || !token.as_deref().is_none_or(is_sendable) {
                    return Err(malformed());
                }
                AwsAuthorizer::new(&credential, "s3", region)
                    .with_sign_payload(*signs_content)
                    .with_request_payer(*requester_pays)
                    .try_authorize(request, None)
                    .map_err(failed)?;
            }
            Access::Google(credentials) => {
                let credential = credentials.get_credential().await.map_err(failed)?;
                if !credential.bearer.is_empty() {
                    let mut value = HeaderValue::try_from(format!("Bearer {}", credential.bearer))
                        .map_err(|_| malformed())?;
                    value.set_sensitive(true);
                    request.headers_mut().insert(AUTHORIZATION, value);
                }
            }
            Access::Azure { credentials, account } => {
                let credential = credentials.get_credential().await.map_err(failed)?;
                if matches!(&*credential, AzureCredential::BearerToken(token) if !is_sendable(token)) {
                    return Err(malformed());
                }
                AzureAuthorizer::new(&credential, account).try_authorize(request).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// Whether it can be the value of a header.
fn is_sendable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What gives access is not shown.
        f.debug_struct("Client").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

//! Classifies errors of stores by what the user should do.

use std::error::Error;

use http::{HeaderMap, StatusCode};
use object_store::client::HttpError;

use super::Client;
use crate::SourceError;

/// Characters kept of an answer that is not understood.
const WORDS: usize = 300;

const CHECK: &str = "check the bucket's name, region and endpoint";
const NO_STORE: &str = "what answers there is no such store: check the endpoint";

/// What an answer means that is an error. `name` is the URL that it is about.
pub(super) fn of_answer(
    name: &str,
    client: &Client,
    status: StatusCode,
    head: &HeaderMap,
    body: &str,
) -> SourceError {
    let field = |field: &str| head.get(field).and_then(|value| value.to_str().ok());
    let code = element(body, "Code").or(field("x-ms-error-code")).unwrap_or_default();
    let (name, words) = (name.to_owned(), words_of(status, code, body));
    let refused = |mend: String| SourceError::StoreRefused { name: name.clone(), words: words.clone(), mend };
    // The bucket is elsewhere: said by a field, or in the body, with whatever status.
    let region = field("x-amz-bucket-region").or(element(body, "Region"));
    if let (Some(region), Some(own)) = (region, client.region())
        && region != own
        && (status.is_redirection() || status == StatusCode::BAD_REQUEST)
    {
        return refused(format!("the bucket is in another region than {own}: set AWS_REGION={region}"));
    }
    match (status.as_u16(), code) {
        (_, "InvalidObjectState" | "BlobArchived" | "BlobBeingRehydrated") => {
            refused("the object is in an archive: restore it first".to_owned())
        }
        // S3's answer to credentials that have run out.
        (400, "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired") | (401 | 403, _) => {
            SourceError::StoreDenied { name, words }
        }
        (404, _) => SourceError::ObjectNotFound { name, words },
        (412, _) => {
            SourceError::Changed { name, change: format!("another object has its name now ({words})") }
        }
        // A range that the object does not have.
        (416, _) => SourceError::Changed { name, change: format!("it became shorter ({words})") },
        (501, _) => refused(NO_STORE.to_owned()),
        (408 | 429 | 500.., _) => unavailable(&name, client, words),
        _ => refused(CHECK.to_owned()),
    }
}

/// What it means that no answer came, or that it broke off.
pub(super) fn of_request(name: &str, client: &Client, error: &HttpError) -> SourceError {
    let words = words(error);
    let refused = |mend: &str| SourceError::StoreRefused {
        name: name.to_owned(),
        words: words.clone(),
        mend: mend.to_owned(),
    };
    if words.starts_with("invalid peer certificate") {
        return SourceError::StoreUntrusted { name: name.to_owned(), words };
    }
    if words.contains("InvalidContentType") {
        return refused("the endpoint does not speak TLS: is it http://?");
    }
    if words.starts_with("invalid HTTP") {
        return refused(NO_STORE);
    }
    if words.contains("redirect") || words.contains("builder error") {
        return refused(CHECK);
    }
    unavailable(name, client, words)
}

/// What it means that the credentials could not be renewed, or not be used.
pub(super) fn of_credentials(name: &str, client: &Client, error: &object_store::Error) -> SourceError {
    let words = words(error);
    match error {
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            SourceError::StoreDenied { name: name.to_owned(), words }
        }
        _ => unavailable(name, client, format!("its credentials could not be renewed: {words}")),
    }
}

/// The store does not answer as it should; another time it may.
pub(super) fn unavailable(name: &str, client: &Client, words: impl Into<String>) -> SourceError {
    SourceError::StoreUnavailable { name: name.to_owned(), endpoint: client.endpoint(), words: words.into() }
}

/// What answers is no store, or not one that is understood.
pub(super) fn not_a_store(name: &str, words: impl Into<String>) -> SourceError {
    SourceError::StoreRefused { name: name.to_owned(), words: words.into(), mend: NO_STORE.to_owned() }
}

/// An error of the library in the words of its innermost cause, which knows most, and has no URL in it.
pub(super) fn words(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    let innermost = innermost.to_string();
    let text = innermost.strip_prefix("Server returned non-2xx status code: ").unwrap_or(&innermost);
    let (status, body) = text.split_once(": ").unwrap_or((text, ""));
    match (element(body, "Code"), element(body, "Message")) {
        (Some(code), Some(message)) => format!("{status}: {code}: {message}"),
        _ => shown(text.trim_end_matches([':', ' '])),
    }
}

/// An answer in the store's own words: status, code and message.
fn words_of(status: StatusCode, code: &str, body: &str) -> String {
    // Azure's messages go on with the request's number.
    let message = element(body, "Message").and_then(|message| message.lines().next());
    match (code, message) {
        ("", _) if body.trim().is_empty() => status.to_string(),
        ("", _) => format!("{status}: {}", shown(body.trim())),
        (code, Some(message)) => format!("{status}: {code}: {}", shown(message)),
        (code, None) => format!("{status}: {code}"),
    }
}

/// Not too much of a text, on one line.
fn shown(text: &str) -> String {
    let one_line = |character: char| if character.is_control() { ' ' } else { character };
    text.chars().take(WORDS).map(one_line).collect()
}

/// The text of the first XML element of that name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_stores_own() {
        let body = "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Not you\nNumber 7</Message></Error>";
        assert_eq!(
            words_of(StatusCode::FORBIDDEN, "AccessDenied", body),
            "403 Forbidden: AccessDenied: Not you"
        );
        assert_eq!(words_of(StatusCode::BAD_GATEWAY, "", " "), "502 Bad Gateway");
        assert_eq!(words_of(StatusCode::BAD_GATEWAY, "", "no\nroute"), "502 Bad Gateway: no route");

        let answer = "Server returned non-2xx status code: 403 Forbidden: <Error><Code>AccessDenied</Code>\
                      <Message>Not you</Message></Error>";
        let error = object_store::Error::Generic { store: "S3", source: answer.into() };
        assert_eq!(words(&error), "403 Forbidden: AccessDenied: Not you");
        let error = object_store::Error::Generic { store: "S3", source: "no\nroute to host".into() };
        assert_eq!(words(&error), "no route to host");
    }
}

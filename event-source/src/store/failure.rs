//! A store's errors, by what they mean to the one who started the program.

use std::error::Error;

use crate::SourceError;

/// Characters kept of an answer that is not understood.
const WORDS: usize = 300;

/// What the error of a request about `name` means.
pub(super) fn explain(name: &str, error: &object_store::Error) -> SourceError {
    let (name, words) = (name.to_owned(), words(error));
    // A resumed request's answer is wrapped once more.
    let said = chain(error).filter_map(|error| error.downcast_ref()).last().unwrap_or(error);
    match said {
        object_store::Error::NotFound { .. } => SourceError::ObjectNotFound { name, words },
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            SourceError::StoreDenied { name, words }
        }
        object_store::Error::Precondition { .. } => {
            SourceError::Changed { name, change: format!("another object has its name now ({words})") }
        }
        object_store::Error::Generic { .. } | object_store::Error::JoinError { .. } => {
            match status(error) {
                // A range that the object does not have: it has become shorter.
                Some(416) => SourceError::Changed { name, change: format!("it became shorter ({words})") },
                // No such bucket.
                Some(404) => SourceError::ObjectNotFound { name, words },
                // Of lists the library makes no difference between refusals.
                Some(401 | 403) => SourceError::StoreDenied { name, words },
                // S3's answer to credentials that have run out.
                Some(400) if ["ExpiredToken", "InvalidToken"].iter().any(|code| words.contains(code)) => {
                    SourceError::StoreDenied { name, words }
                }
                Some(status @ 300..=499) if ![408, 429].contains(&status) => {
                    SourceError::StoreRefused { name, words }
                }
                None if words.starts_with("invalid peer certificate") => {
                    SourceError::StoreUntrusted { name, words }
                }
                // Google Cloud Storage unpacks what it holds as `Content-Encoding: gzip`, and ranges do not fit then.
                None if words.contains("non-partial") => SourceError::StoreRefused { name, words },
                None if words.contains("redirect") || words.contains("builder error") => {
                    SourceError::StoreRefused { name, words }
                }
                _ => SourceError::StoreUnavailable { name, words },
            }
        }
        _ => SourceError::StoreRefused { name, words },
    }
}

/// The error in the store's own words: status, code and message, without the request.
pub(super) fn words(error: &(dyn Error + 'static)) -> String {
    // The innermost error knows most, and has no URL in it.
    let innermost = chain(error).last().expect("a chain has its first error").to_string();
    let text = innermost.strip_prefix("Server returned non-2xx status code: ").unwrap_or(&innermost);
    let (status, body) = text.split_once(": ").unwrap_or((text, ""));
    match (element(body, "Code"), element(body, "Message")) {
        // Azure's messages go on with the request's number.
        (Some(code), Some(message)) => {
            format!("{status}: {code}: {}", message.lines().next().unwrap_or_default())
        }
        (Some(code), None) => format!("{status}: {code}"),
        _ => {
            let text = text.trim_end_matches([':', ' ']);
            text.chars()
                .take(WORDS)
                .map(|character| if character.is_control() { ' ' } else { character })
                .collect()
        }
    }
}

/// The HTTP status of an answer that was an error.
fn status(error: &object_store::Error) -> Option<u16> {
    // The library's own type for it is not public; its words are.
    let mut texts = chain(error).map(ToString::to_string);
    texts.find_map(|text| text.strip_prefix("Server returned non-2xx status code: ")?.get(..3)?.parse().ok())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        error.source()
    })
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
        let answer = "Server returned non-2xx status code: 403 Forbidden: <?xml version=\"1.0\"?>\n<Error>\
                      <Code>AccessDenied</Code><Message>Not you</Message></Error>";
        let error = object_store::Error::Generic { store: "S3", source: answer.into() };
        assert_eq!(words(&error), "403 Forbidden: AccessDenied: Not you");
        assert_eq!(status(&error), Some(403));
        let error = object_store::Error::Generic {
            store: "S3",
            source: "Server returned non-2xx status code: 503 Busy: ".into(),
        };
        assert_eq!((&*words(&error), status(&error)), ("503 Busy", Some(503)));
        let error = object_store::Error::Generic { store: "S3", source: "no\nroute to host".into() };
        assert_eq!((&*words(&error), status(&error)), ("no route to host", None));
    }
}

//! What a URL stands for: an object, the day files below a prefix, or what matches a pattern.

use std::sync::Arc;

use futures_util::StreamExt;
use glob::Pattern;
use http::header::{CONTENT_LENGTH, ETAG, LAST_MODIFIED, RANGE};
use http::{HeaderMap, Method};

use super::listing::{self, Meta, Page};
use super::{Client, Object, Store, Tries, failure, wait_for};
use crate::day_files::{self, Found, LeftOut, WhyLeftOut};
use crate::pattern::AS_IN_A_SHELL;
use crate::url::{Service, StoreUrl};
use crate::{ErrorKind, SourceError};

/// The longest page of a listing that is read: a thousand keys (Azure: five thousand) and their states take far less.
const PAGE_BYTES: usize = 64 << 20;

/// The objects that `url` stands for, by name; and what is below a prefix and no day file.
///
/// An object wins over a prefix of the same name. Prefixes are folders: `day` stands for what begins with `day/`.
pub(crate) fn list(store: &Store, url: &StoreUrl) -> Result<(Vec<Object>, Vec<LeftOut>), SourceError> {
    if url.is_pattern() {
        return Ok((matching(store, url)?, Vec::new()));
    }
    let mut missing = None;
    if !url.key.is_empty() && !url.key.ends_with('/') {
        match head(store, url) {
            Ok(meta) => return Ok((vec![object(store, url, &url.key, meta)?], Vec::new())),
            Err(SourceError::ObjectNotFound { words, .. }) => missing = Some(words),
            Err(error) => return Err(error),
        }
    }
    below(store, url, missing)
}

fn head(store: &Store, url: &StoreUrl) -> Result<Meta, SourceError> {
    let name = url.of(&url.key);
    let (store, address) = (store.clone(), store.client.address(&name, &url.key)?);
    wait_for(async move {
        let client = &store.client;
        let mut tries = Tries::new(client, &name, store.patience);
        loop {
            let answer = tries.answer(client.ask(&name, Method::HEAD, &address, &[])).await;
            match answer.flatten() {
                Ok(answer) => return meta(&name, client, answer.headers()),
                Err(error @ (SourceError::StoreDenied { .. } | SourceError::StoreRefused { .. })) => {
                    // The answer has no body, and so no words: they come with another request.
                    let fields = [(RANGE, "bytes=0-0".to_owned())];
                    let asked = tries.answer(client.ask(&name, Method::GET, &address, &fields)).await;
                    return Err(match asked.flatten() {
                        Err(
                            worded @ (SourceError::StoreDenied { .. } | SourceError::StoreRefused { .. }),
                        ) => worded,
                        _ => error,
                    });
                }
                Err(error) => tries.again(error).await?,
            }
        }
    })
}

/// The state of an object by the head of an answer.
fn meta(name: &str, client: &Client, head: &HeaderMap) -> Result<Meta, SourceError> {
    let field = |field: &str| head.get(field).and_then(|value| value.to_str().ok());
    // Of Azure's accounts whose folders are things of their own.
    let is_folder = client.service() == Service::Azure
        && (field("x-ms-resource-type").is_some_and(|kind| kind != "file")
            || field("x-ms-meta-hdi_isfolder") == Some("true"));
    if is_folder {
        return Err(SourceError::ObjectNotFound { name: name.to_owned(), words: "a folder".to_owned() });
    }
    let size = field(CONTENT_LENGTH.as_str()).and_then(|size| size.parse().ok());
    let size =
        size.ok_or_else(|| failure::not_a_store(name, "its answer does not tell the object's size"))?;
    let etag = field(ETAG.as_str()).filter(|etag| !etag.is_empty()).map(str::to_owned);
    let modified = field(LAST_MODIFIED.as_str()).and_then(listing::timestamp);
    Ok(Meta { size, etag, modified })
}

/// Everything whose key begins so, in the order of bytes, whatever the store's.
fn everything(store: &Store, url: &StoreUrl, beginning: &str) -> Result<Vec<(String, Meta)>, SourceError> {
    let (name, prefix, store) = (url.of(beginning), beginning.to_owned(), store.clone());
    let mut found = wait_for(async move {
        let client = &store.client;
        let mut tries = Tries::new(client, &name, store.patience);
        let (mut found, mut next) = (Vec::new(), None::<String>);
        loop {
            let asked = tries.answer(page(client, &name, &prefix, next.as_deref())).await;
            match asked.flatten() {
                Ok(page) => {
                    found.extend(page.objects);
                    match page.next {
                        None => return Ok(found),
                        same if same == next => {
                            return Err(failure::not_a_store(&name, "its listing does not go on"));
                        }
                        other => next = other,
                    }
                    tries.progress();
                }
                Err(error) => tries.again(error).await?,
            }
        }
    })?;
    found.retain(|(key, _): &(String, Meta)| key.starts_with(beginning));
    found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// One page of a listing.
async fn page(client: &Client, name: &str, beginning: &str, next: Option<&str>) -> Result<Page, SourceError> {
    let (mut query, next_name) = match client.service() {
        Service::Azure => (vec![("restype", "container"), ("comp", "list")], "marker"),
        // XML cannot hold every key as it is.
        Service::S3 | Service::Gcs => {
            (vec![("list-type", "2"), ("encoding-type", "url")], "continuation-token")
        }
    };
    if !beginning.is_empty() {
        query.push(("prefix", beginning));
    }
    query.extend(next.map(|next| (next_name, next)));
    let answer = client.ask(name, Method::GET, &client.query(&query), &[]).await?;
    let (mut text, mut pieces) = (Vec::new(), answer.into_body().bytes_stream());
    while let Some(piece) = pieces.next().await {
        text.extend_from_slice(&piece.map_err(|error| failure::of_request(name, client, &error))?);
        if text.len() > PAGE_BYTES {
            return Err(failure::not_a_store(name, "its listing does not end"));
        }
    }
    let text = String::from_utf8(text).map_err(|_| failure::not_a_store(name, "its listing is not UTF-8"))?;
    listing::read(&text).map_err(|problem| match problem.as_str() {
        listing::BREAKS_OFF => failure::unavailable(name, client, problem),
        _ => failure::not_a_store(name, problem),
    })
}

fn below(
    store: &Store,
    url: &StoreUrl,
    missing: Option<String>,
) -> Result<(Vec<Object>, Vec<LeftOut>), SourceError> {
    let folder = match url.key.as_str() {
        key if key.is_empty() || key.ends_with('/') => key.to_owned(),
        key => format!("{key}/"),
    };
    let listed = match (everything(store, url, &folder), &missing) {
        // Who may read objects need not be allowed to list them: the object is what was asked for.
        (Err(error), Some(words)) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(SourceError::ObjectNotFound { name: url.of(&url.key), words: words.clone() });
        }
        (Err(SourceError::ObjectNotFound { words, .. }), _) => {
            return Err(SourceError::ObjectNotFound { name: url.of(&url.key), words });
        }
        (listed, _) => listed?,
    };
    let (mut objects, mut others, mut own) = (Vec::new(), Vec::new(), None);
    // Consoles and Hadoop keep folders as empty objects.
    for (key, meta) in listed.into_iter().filter(|(key, meta)| !is_folder_marker(key, meta)) {
        match day_files::classify(&key[folder.len()..]) {
            // A slash at its end is part of its key.
            _ if key == folder => own = Some((key, meta)),
            Found::DayFile => objects.push(object(store, url, &key, meta)?),
            Found::Other(why) if meta.size > 0 => others.push(LeftOut { name: url.of(&key), why }),
            Found::Other(_) | Found::Hidden => {}
        }
    }
    if let Some((key, meta)) = own {
        if objects.is_empty() && url.key == key {
            return Ok((vec![object(store, url, &key, meta)?], others));
        }
        others.insert(0, LeftOut { name: url.of(&key), why: WhyLeftOut::OtherName });
    }
    match (objects.is_empty(), missing) {
        (false, _) => Ok((objects, others)),
        (true, Some(words)) if others.is_empty() => {
            Err(SourceError::ObjectNotFound { name: url.of(&url.key), words })
        }
        (true, _) => Err(SourceError::NoDayFiles { name: url.of(&folder), others: others.len() as u64 }),
    }
}

fn matching(store: &Store, url: &StoreUrl) -> Result<Vec<Object>, SourceError> {
    let name = url.of(&url.key);
    let pattern = Pattern::new(&url.key)
        .map_err(|error| SourceError::InvalidPattern { pattern: name.clone(), problem: error.to_string() })?;
    let found = everything(store, url, &url.pattern_beginning())?;
    let matching = found
        .into_iter()
        .filter(|(key, meta)| pattern.matches_with(key, AS_IN_A_SHELL) && !is_folder_marker(key, meta));
    let objects =
        matching.map(|(key, meta)| object(store, url, &key, meta)).collect::<Result<Vec<_>, _>>()?;
    if objects.is_empty() { Err(SourceError::NotFound { name, pattern: true }) } else { Ok(objects) }
}

/// What stands for a folder where there are none.
fn is_folder_marker(key: &str, meta: &Meta) -> bool {
    key.ends_with('/') && meta.size == 0
}

fn object(store: &Store, url: &StoreUrl, key: &str, meta: Meta) -> Result<Object, SourceError> {
    Object::new(url.of(key), Arc::clone(&store.client), key, meta)
}

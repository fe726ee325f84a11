//! What a URL stands for: an object, the day files below a prefix, or what matches a pattern.

use std::sync::Arc;

use futures_util::TryStreamExt;
use glob::Pattern;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::{Object, Store, failure, persist, wait_for};
use crate::day_files::{self, Found};
use crate::pattern::AS_IN_A_SHELL;
use crate::url::StoreUrl;
use crate::{ErrorKind, SourceError};

/// The objects that `url` stands for, by name; and the URLs below a prefix that are no day files.
///
/// An object wins over a prefix of the same name. Prefixes are folders: `day` stands for what begins with `day/`.
pub(crate) fn list(store: &Store, url: &StoreUrl) -> Result<(Vec<Object>, Vec<String>), SourceError> {
    if url.is_pattern() {
        return Ok((matching(store, url)?, Vec::new()));
    }
    let mut missing = None;
    if !url.key.is_empty() && !url.key.ends_with('/') {
        match head(store, url) {
            Ok(meta) => return Ok((vec![object(store, url, meta)], Vec::new())),
            Err(SourceError::ObjectNotFound { words, .. }) => missing = Some(words),
            Err(error) => return Err(error),
        }
    }
    below(store, url, missing)
}

fn head(store: &Store, url: &StoreUrl) -> Result<ObjectMeta, SourceError> {
    let name = url.of(&url.key);
    let (location, store) = (path(url, &url.key)?, store.clone());
    wait_for(async move {
        persist(store.patience, || async {
            store.client.head(&location).await.map_err(|error| failure::explain(&name, &error))
        })
        .await
    })
}

/// Everything that begins with `folder`, which ends in `/` or is empty.
fn everything(store: &Store, url: &StoreUrl, folder: &str) -> Result<Vec<ObjectMeta>, SourceError> {
    let name = url.of(folder);
    let (prefix, store) = (path(url, folder)?, store.clone());
    let found = wait_for(async move {
        persist(store.patience, || async {
            let list = store.client.list((!prefix.is_root()).then_some(&prefix));
            list.try_collect::<Vec<_>>().await.map_err(|error| failure::explain(&name, &error))
        })
        .await
    });
    let mut found = found?;
    // The order of bytes, whatever the store's. Folders' own markers are no files.
    found.retain(|meta| {
        meta.location.as_ref().len() > folder.len() && meta.location.as_ref().starts_with(folder)
    });
    found.sort_unstable_by(|one, other| one.location.as_ref().cmp(other.location.as_ref()));
    Ok(found)
}

fn below(
    store: &Store,
    url: &StoreUrl,
    missing: Option<String>,
) -> Result<(Vec<Object>, Vec<String>), SourceError> {
    let folder = match url.key.as_str() {
        "" => String::new(),
        key => format!("{}/", key.trim_end_matches('/')),
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
    let (mut objects, mut others) = (Vec::new(), Vec::new());
    for meta in listed {
        match day_files::classify(&meta.location.as_ref()[folder.len()..]) {
            Found::DayFile => objects.push(object(store, url, meta)),
            // Consoles and Hadoop keep folders as empty objects.
            Found::Other if meta.size > 0 => others.push(url.of(meta.location.as_ref())),
            Found::Other | Found::Hidden => {}
        }
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
    let found = everything(store, url, url.pattern_folder())?;
    let matching =
        found.into_iter().filter(|meta| pattern.matches_with(meta.location.as_ref(), AS_IN_A_SHELL));
    let objects: Vec<Object> = matching.map(|meta| object(store, url, meta)).collect();
    if objects.is_empty() { Err(SourceError::NotFound { name, pattern: true }) } else { Ok(objects) }
}

fn object(store: &Store, url: &StoreUrl, meta: ObjectMeta) -> Object {
    Object::new(url.of(meta.location.as_ref()), Arc::clone(&store.client), meta)
}

fn path(url: &StoreUrl, key: &str) -> Result<Path, SourceError> {
    Path::parse(key)
        .map_err(|error| SourceError::StoreSettings { name: url.of(key), problem: error.to_string() })
}

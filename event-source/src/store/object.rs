//! One object in one state. Every request for its bytes is conditional on that state.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};

use super::{Backoff, Patience, failure};
use crate::raw::Fingerprint;
use crate::{ErrorKind, SourceError};

/// A piece that takes longer than this is given up, however steadily its bytes trickle.
const PIECE_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// An object as it was when it was named.
#[derive(Debug)]
pub(crate) struct Object {
    url: String,
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
}

impl Object {
    pub(super) fn new(url: String, store: Arc<dyn ObjectStore>, meta: ObjectMeta) -> Object {
        Object { url, store, meta }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn size(&self) -> u64 {
        self.meta.size
    }

    /// Size and ETag; of a store without ETags, the time of modification.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let etag = match &self.meta.e_tag {
            Some(etag) => bare(etag).to_owned(),
            None => format!("modified:{}", self.meta.last_modified.to_rfc3339()),
        };
        Fingerprint { size: self.meta.size, etag }
    }

    /// Appends the bytes of `range` to `buffer`, which is empty. What breaks off is taken up at the byte reached,
    /// as long as the patience lasts since the last byte.
    pub(super) async fn fetch(
        &self,
        range: Range<u64>,
        buffer: &mut Vec<u8>,
        patience: Patience,
    ) -> Result<(), SourceError> {
        let fetching = async {
            let (mut reached, mut since, mut backoff) = (buffer.len(), Instant::now(), Backoff::new());
            loop {
                let error = match self.attempt(&range, buffer).await {
                    Ok(()) if range.start + buffer.len() as u64 == range.end => return Ok(()),
                    Ok(()) => self.unavailable("the answer ended before its last byte"),
                    Err(error) => error,
                };
                if error.kind() != ErrorKind::Unavailable {
                    return Err(error);
                }
                if buffer.len() > reached {
                    (reached, since, backoff) = (buffer.len(), Instant::now(), Backoff::new());
                }
                patience.wait(since, error, &mut backoff).await?;
            }
        };
        match tokio::time::timeout(PIECE_DEADLINE, fetching).await {
            Ok(result) => result,
            Err(_) => Err(self.unavailable("its bytes come too slowly")),
        }
    }

    /// Asks for what `buffer` lacks of `range`, and appends what comes.
    async fn attempt(&self, range: &Range<u64>, buffer: &mut Vec<u8>) -> Result<(), SourceError> {
        let explain = |error| self.explain(&error);
        let missing = range.start + buffer.len() as u64..range.end;
        let mut options = GetOptions { range: Some(GetRange::Bounded(missing)), ..GetOptions::default() };
        match &self.meta.e_tag {
            Some(etag) => options.if_match = Some(quoted(etag)),
            None => options.if_unmodified_since = Some(self.meta.last_modified),
        }
        let answer = self.store.get_opts(&self.meta.location, options).await.map_err(explain)?;
        // Some stores do not know the condition.
        let etags = (self.meta.e_tag.as_deref().map(bare), answer.meta.e_tag.as_deref().map(bare));
        if matches!(etags, (Some(seen), Some(now)) if seen != now) || answer.meta.size != self.meta.size {
            let (seen, now) = (describe(&self.meta), describe(&answer.meta));
            let change = format!("it was {seen} and is {now} now");
            return Err(SourceError::Changed { name: self.url.clone(), change });
        }
        let mut stream = answer.into_stream();
        while let Some(bytes) = stream.next().await {
            let bytes = bytes.map_err(explain)?;
            if (buffer.len() + bytes.len()) as u64 > range.end - range.start {
                return Err(self.unavailable("the answer has more bytes than were asked for"));
            }
            buffer.extend_from_slice(&bytes);
        }
        Ok(())
    }

    /// What was there when it was named and is not any more has changed.
    fn explain(&self, error: &object_store::Error) -> SourceError {
        match failure::explain(&self.url, error) {
            SourceError::ObjectNotFound { name, words } => {
                SourceError::Changed { name, change: format!("it was removed ({words})") }
            }
            error => error,
        }
    }

    fn unavailable(&self, words: &str) -> SourceError {
        SourceError::StoreUnavailable { name: self.url.clone(), words: words.to_owned() }
    }
}

fn describe(meta: &ObjectMeta) -> String {
    format!("{} bytes with ETag {}", meta.size, meta.e_tag.as_deref().map_or("none", bare))
}

/// An ETag as people write it: without its quotes.
fn bare(etag: &str) -> &str {
    etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"')).unwrap_or(etag)
}

/// An ETag as HTTP wants it. Listings of some stores (Azure's) leave out the quotes.
fn quoted(etag: &str) -> String {
    if etag.ends_with('"') { etag.to_owned() } else { format!("\"{etag}\"") }
}

//! One object in one state. Every request for its bytes is conditional on that state.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MATCH, IF_UNMODIFIED_SINCE, RANGE};
use http::{HeaderMap, HeaderName, Method, StatusCode};

use super::listing::Meta;
use super::{Client, Patience, Tries, failure};
use crate::SourceError;
use crate::raw::Fingerprint;

/// A piece that takes longer than this is given up, however steadily its bytes trickle.
const PIECE_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// An object as it was when it was named.
#[derive(Debug)]
pub(crate) struct Object {
    url: String,
    address: String,
    client: Arc<Client>,
    meta: Meta,
}

impl Object {
    /// An error if requests cannot name the key, or the store does not tell its state.
    pub(super) fn new(
        url: String,
        client: Arc<Client>,
        key: &str,
        meta: Meta,
    ) -> Result<Object, SourceError> {
        if meta.etag.is_none() && meta.modified.is_none() {
            return Err(failure::not_a_store(&url, "it tells neither ETag nor time of modification"));
        }
        let address = client.address(&url, key)?;
        Ok(Object { url, address, client, meta })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where it is, by whatever URL it was named.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn size(&self) -> u64 {
        self.meta.size
    }

    /// Size and ETag; of a store without ETags, the time of modification.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let etag = match (&self.meta.etag, self.meta.modified) {
            (Some(etag), _) => bare(etag).to_owned(),
            (None, modified) => {
                let modified = modified.unwrap_or_default();
                format!("modified:{}", modified.strftime("%Y-%m-%dT%H:%M:%S+00:00"))
            }
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
            let mut tries = Tries::new(&self.client, &self.url, patience);
            loop {
                let error = match self.attempt(&range, buffer, &mut tries).await {
                    Ok(()) if range.start + buffer.len() as u64 == range.end => return Ok(()),
                    Ok(()) => self.unavailable("the answer ended before its last byte"),
                    Err(error) => error,
                };
                tries.again(error).await?;
            }
        };
        match tokio::time::timeout(PIECE_DEADLINE, fetching).await {
            Ok(result) => result,
            Err(_) => Err(self.unavailable("its bytes come too slowly")),
        }
    }

    /// Asks for what `buffer` lacks of `range`, and appends what comes.
    async fn attempt(
        &self,
        range: &Range<u64>,
        buffer: &mut Vec<u8>,
        tries: &mut Tries<'_>,
    ) -> Result<(), SourceError> {
        let missing = range.start + buffer.len() as u64..range.end;
        let fields = [(RANGE, format!("bytes={}-{}", missing.start, missing.end - 1)), self.meta.condition()];
        let asked = self.client.ask(&self.url, Method::GET, &self.address, &fields);
        let answer = tries.answer(asked).await?.map_err(gone)?;
        self.check(answer.status(), answer.headers(), &missing)?;
        let mut pieces = answer.into_body().bytes_stream();
        while let Some(piece) = tries.answer(pieces.next()).await? {
            let piece = piece.map_err(|error| failure::of_request(&self.url, &self.client, &error))?;
            if (buffer.len() + piece.len()) as u64 > range.end - range.start {
                return Err(self.unavailable("the answer has more bytes than were asked for"));
            }
            buffer.extend_from_slice(&piece);
            tries.progress();
        }
        Ok(())
    }

    /// An error unless the answer is of that part of the object, in the state that was seen first.
    fn check(&self, status: StatusCode, head: &HeaderMap, asked: &Range<u64>) -> Result<(), SourceError> {
        let field = |name: &HeaderName| head.get(name).and_then(|value| value.to_str().ok());
        let part = field(&CONTENT_RANGE).and_then(content_range);
        let whole = field(&CONTENT_LENGTH).and_then(|length| length.parse().ok()).map(|length| (0, length));
        let (start, size) = match (status, part, whole) {
            (StatusCode::PARTIAL_CONTENT, Some(part), _) => part,
            // A range of all bytes need not be answered as one.
            (StatusCode::OK, _, Some(whole)) if asked.start == 0 && asked.end == self.meta.size => whole,
            _ => {
                let words = "its answer is not the part of the object that was asked for";
                return Err(failure::not_a_store(&self.url, words));
            }
        };
        let etag = field(&ETAG);
        // Some stores do not know the condition.
        let is_other =
            matches!((self.meta.etag.as_deref(), etag), (Some(seen), Some(now)) if bare(seen) != bare(now));
        if is_other || size != self.meta.size {
            let (seen, now) = (describe(self.meta.size, self.meta.etag.as_deref()), describe(size, etag));
            let change = format!("it was {seen} and is {now} now");
            return Err(SourceError::Changed { name: self.url.clone(), change });
        }
        if start != asked.start {
            return Err(self.unavailable("the answer begins at another byte than was asked for"));
        }
        Ok(())
    }

    fn unavailable(&self, words: &str) -> SourceError {
        failure::unavailable(&self.url, &self.client, words)
    }
}

impl Meta {
    /// The field of a request that only this state meets.
    fn condition(&self) -> (HeaderName, String) {
        match &self.etag {
            Some(etag) => (IF_MATCH, quoted(etag)),
            None => {
                let modified = self.modified.unwrap_or_default();
                (IF_UNMODIFIED_SINCE, modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
            }
        }
    }
}

/// What was there when it was named and is not any more has changed.
fn gone(error: SourceError) -> SourceError {
    match error {
        SourceError::ObjectNotFound { name, words } => {
            SourceError::Changed { name, change: format!("it was removed ({words})") }
        }
        error => error,
    }
}

/// The first byte and the object's size, of `bytes FIRST-LAST/SIZE`.
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.trim().parse().ok()?, size.trim().parse().ok()?))
}

fn describe(size: u64, etag: Option<&str>) -> String {
    format!("{size} bytes with ETag {}", etag.map_or("none", bare))
}

/// An ETag as people write it: without its quotes.
fn bare(etag: &str) -> &str {
    etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"')).unwrap_or(etag)
}

/// An ETag as HTTP wants it. Listings of some stores (Azure's) leave out the quotes.
fn quoted(etag: &str) -> String {
    if etag.ends_with('"') { etag.to_owned() } else { format!("\"{etag}\"") }
}

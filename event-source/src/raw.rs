//! A source's bytes as they are stored: counted as they are read, and known by their fingerprint at the end.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::SourceError;
use crate::file::{self, StoredFile};
use crate::store::Download;

/// What identifies a source's stored bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// How many bytes.
    pub size: u64,
    /// Of a file, `xxh3-128:` and the hash in 32 hex digits. Of an object, its ETag without the quotes; in stores
    /// without ETags `modified:` and the time.
    pub etag: String,
}

/// A file, stream or object with a buffer and a counter.
pub(crate) struct Raw {
    name: String,
    input: Input,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that are not consumed yet.
    unread: Range<usize>,
    read: u64,
    counter: Arc<AtomicU64>,
    /// Why reading failed. What goes through a decompressor comes out as another error.
    failure: Option<SourceError>,
}

enum Input {
    File(StoredFile),
    Object(Download),
}

impl Raw {
    /// `path` is that of a regular file; a stream has none.
    pub(crate) fn file(
        name: &str,
        file: File,
        path: Option<PathBuf>,
        counter: Arc<AtomicU64>,
    ) -> io::Result<Raw> {
        Ok(Raw::new(name.to_owned(), Input::File(StoredFile::new(file, path)?), counter))
    }

    /// An object's bytes in a file that nobody else changes.
    pub(crate) fn copy(name: &str, file: File, of: Fingerprint) -> Raw {
        Raw::new(name.to_owned(), Input::File(StoredFile::copy(file, of)), Arc::default())
    }

    pub(crate) fn object(download: Download, counter: Arc<AtomicU64>) -> Raw {
        Raw::new(download.object().url().to_owned(), Input::Object(download), counter)
    }

    fn new(name: String, input: Input, counter: Arc<AtomicU64>) -> Raw {
        Raw { name, input, buffer: Vec::new(), unread: 0..0, read: 0, counter, failure: None }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes handed on to the decompressor.
    pub(crate) fn bytes_consumed(&self) -> u64 {
        self.read - self.unread.len() as u64
    }

    /// Why reading failed, if it is that what failed.
    pub(crate) fn take_failure(&mut self) -> Option<SourceError> {
        self.failure.take()
    }

    /// The next bytes, up to `wanted` of them; fewer only before the end. They are not consumed.
    pub(crate) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.unread.len() < wanted && self.read_more()? > 0 {}
        let unread = &self.buffer[self.unread.clone()];
        Ok(&unread[..unread.len().min(wanted)])
    }

    /// The fingerprint, once everything was read; an error if the source is no longer what it was.
    pub(crate) fn finish(&self) -> Result<Fingerprint, SourceError> {
        if let Some(change) = self.change() {
            return Err(SourceError::Changed { name: self.name.clone(), change });
        }
        Ok(match &self.input {
            Input::File(file) => file.fingerprint(),
            Input::Object(download) => download.object().fingerprint(),
        })
    }

    /// What changed since the start. An object cannot: its requests would have failed.
    pub(crate) fn change(&self) -> Option<String> {
        match &self.input {
            Input::File(file) => file.change(),
            Input::Object(_) => None,
        }
    }

    /// More bytes behind those that are not consumed yet; how many.
    fn read_more(&mut self) -> io::Result<usize> {
        let Raw { input, buffer, unread, .. } = self;
        let read = match input {
            Input::File(file) => {
                file.read_more(buffer, unread).map_err(|error| file.explain(&self.name, error))
            }
            Input::Object(download) => {
                // A few bytes at the most: whoever wants more behind them has looked at them.
                let left = buffer[unread.clone()].to_vec();
                download.next(std::mem::take(buffer)).map(|mut piece| {
                    let read = piece.len();
                    piece.splice(0..0, left);
                    *unread = 0..piece.len();
                    *buffer = piece;
                    read
                })
            }
        };
        self.account(read)
    }

    fn account(&mut self, read: Result<usize, SourceError>) -> io::Result<usize> {
        match read {
            Ok(read) => {
                self.read += read as u64;
                // A figure for people to look at; nothing is ordered by it.
                self.counter.fetch_add(read as u64, Ordering::Relaxed);
                Ok(read)
            }
            Err(error) => {
                let message = error.to_string();
                self.failure = Some(error);
                Err(io::Error::other(message))
            }
        }
    }
}

impl Read for Raw {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let (true, Input::File(file)) = (self.unread.is_empty(), &mut self.input)
            && into.len() >= file::BUFFER_BYTES
        {
            // Past the buffer: nobody else wants these bytes.
            let read = file.read(into).map_err(|error| file.explain(&self.name, error));
            return self.account(read);
        }
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Raw {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.unread.is_empty() {
            self.read_more()?;
        }
        Ok(&self.buffer[self.unread.clone()])
    }

    fn consume(&mut self, bytes: usize) {
        self.unread.start = (self.unread.start + bytes).min(self.unread.end);
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("name", &self.name).field("read", &self.read).finish_non_exhaustive()
    }
}

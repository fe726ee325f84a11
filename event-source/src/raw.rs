//! A source's bytes as they are stored: counted and hashed as they are read.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use xxhash_rust::xxh3::Xxh3;

use crate::SourceError;

/// Bytes asked of the operating system at once, for a decompressor.
const BUFFER_BYTES: usize = 256 << 10;

/// What identifies a source's stored bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// How many bytes.
    pub size: u64,
    /// `xxh3-128:` and the hash in 32 hex digits.
    pub etag: String,
}

/// A file or stream with a buffer, a counter and a hash.
pub(crate) struct Raw {
    name: String,
    file: File,
    /// The path and what was there at the start; `None` for a stream, which cannot be compared.
    at_start: Option<(PathBuf, Stamp)>,
    buffer: Box<[u8]>,
    /// The bytes of `buffer` that are not consumed yet.
    unread: std::ops::Range<usize>,
    read: u64,
    counter: Arc<AtomicU64>,
    hash: Box<Xxh3>,
    failed: bool,
}

/// What is compared to tell whether a file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn new(metadata: &Metadata) -> Stamp {
        Stamp { size: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl Raw {
    /// `path` is that of a regular file.
    pub(crate) fn new(
        name: &str,
        file: File,
        path: Option<PathBuf>,
        counter: Arc<AtomicU64>,
    ) -> io::Result<Raw> {
        let at_start = match path {
            Some(path) => Some((path, Stamp::new(&file.metadata()?))),
            None => None,
        };
        Ok(Raw {
            name: name.to_owned(),
            file,
            at_start,
            buffer: vec![0; BUFFER_BYTES].into(),
            unread: 0..0,
            read: 0,
            counter,
            hash: Box::new(Xxh3::new()),
            failed: false,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes taken from the operating system.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Bytes handed on to the decompressor.
    pub(crate) fn bytes_consumed(&self) -> u64 {
        self.read - self.unread.len() as u64
    }

    /// Whether the operating system failed to read, rather than the bytes being wrong.
    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// The first bytes, up to `wanted` of them; to be called before anything is consumed.
    pub(crate) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.unread.end < wanted {
            match self.read_more()? {
                0 => break,
                more => self.unread.end += more,
            }
        }
        Ok(&self.buffer[self.unread.start..self.unread.end.min(wanted)])
    }

    /// The fingerprint, once everything was read; an error if the file is no longer what it was.
    pub(crate) fn finish(&self) -> Result<Fingerprint, SourceError> {
        match self.change() {
            Some(change) => Err(SourceError::Changed { name: self.name.clone(), change }),
            None => {
                Ok(Fingerprint { size: self.read, etag: format!("xxh3-128:{:032x}", self.hash.digest128()) })
            }
        }
    }

    /// What changed since the start: in the file that is open, or in what its path leads to by now.
    pub(crate) fn change(&self) -> Option<String> {
        let (path, before) = self.at_start.as_ref()?;
        for now in [self.file.metadata(), fs::metadata(path)] {
            let Ok(now) = now else { return Some("it was removed".to_owned()) };
            let now = Stamp::new(&now);
            if now.size != before.size {
                return Some(format!("it had {} bytes and has {} now", before.size, now.size));
            }
            if now.modified != before.modified {
                return Some("its time of modification is another".to_owned());
            }
        }
        (self.read > before.size).then(|| format!("it had {} bytes and {} were read", before.size, self.read))
    }

    /// Reads to the end of `buffer`.
    fn read_more(&mut self) -> io::Result<usize> {
        let end = self.unread.end;
        let result = retry_interrupted(|| self.file.read(&mut self.buffer[end..]));
        let read = result.inspect_err(|_| self.failed = true)?;
        account(&mut self.hash, &self.counter, &mut self.read, &self.buffer[end..end + read]);
        Ok(read)
    }
}

impl Read for Raw {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.unread.is_empty() && into.len() >= self.buffer.len() {
            // Past the buffer: nobody else wants these bytes.
            let result = retry_interrupted(|| self.file.read(into));
            let read = result.inspect_err(|_| self.failed = true)?;
            account(&mut self.hash, &self.counter, &mut self.read, &into[..read]);
            return Ok(read);
        }
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Raw {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.unread.is_empty() {
            self.unread = 0..0;
            self.unread.end = self.read_more()?;
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

fn account(hash: &mut Xxh3, counter: &AtomicU64, total: &mut u64, bytes: &[u8]) {
    hash.update(bytes);
    *total += bytes.len() as u64;
    // A figure for people to look at; nothing is ordered by it.
    counter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
}

fn retry_interrupted(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

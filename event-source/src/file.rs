//! A file or stream of this machine: hashed as it is read, and looked at again to tell whether it changed.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::ops::Range;
use std::path::PathBuf;
use std::time::SystemTime;

use xxhash_rust::xxh3::Xxh3;

use crate::SourceError;
use crate::raw::Fingerprint;

/// Bytes asked of the operating system at once, for a decompressor.
pub(crate) const BUFFER_BYTES: usize = 256 << 10;

/// A file or stream.
pub(crate) struct StoredFile {
    file: File,
    identity: Identity,
    read: u64,
}

enum Identity {
    /// The content itself. The path and what was there at the start; `None` for a stream, which cannot be
    /// compared.
    Hash(Box<Xxh3>, Option<(PathBuf, Stamp)>),
    /// It is a copy of something known.
    Copy(Fingerprint),
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

impl StoredFile {
    /// `path` is that of a regular file.
    pub(crate) fn new(file: File, path: Option<PathBuf>) -> io::Result<StoredFile> {
        let at_start = match path {
            Some(path) => Some((path, Stamp::new(&file.metadata()?))),
            None => None,
        };
        Ok(StoredFile { file, identity: Identity::Hash(Box::new(Xxh3::new()), at_start), read: 0 })
    }

    /// A copy of what has this fingerprint.
    pub(crate) fn copy(file: File, of: Fingerprint) -> StoredFile {
        StoredFile { file, identity: Identity::Copy(of), read: 0 }
    }

    /// Reads to the end of `buffer`, behind the bytes in it that are `unread`.
    pub(crate) fn read_more(&mut self, buffer: &mut Vec<u8>, unread: &mut Range<usize>) -> io::Result<usize> {
        buffer.resize(BUFFER_BYTES, 0);
        // A few bytes at the most: whoever wants more behind them has looked at them.
        buffer.copy_within(unread.clone(), 0);
        *unread = 0..unread.len();
        let read = self.read(&mut buffer[unread.end..])?;
        unread.end += read;
        Ok(read)
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = loop {
            match self.file.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        if let Identity::Hash(hash, _) = &mut self.identity {
            hash.update(&into[..read]);
        }
        self.read += read as u64;
        Ok(read)
    }

    /// The operating system's answer about the source `name`.
    pub(crate) fn explain(&self, name: &str, error: io::Error) -> SourceError {
        SourceError::from_io(name, self.read, error)
    }

    /// The fingerprint of what was read.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        match &self.identity {
            Identity::Hash(hash, _) => {
                Fingerprint { size: self.read, etag: format!("xxh3-128:{:032x}", hash.digest128()) }
            }
            Identity::Copy(of) => of.clone(),
        }
    }

    /// What changed since the start: in the file that is open, or in what its path leads to by now.
    pub(crate) fn change(&self) -> Option<String> {
        let (path, before) = match &self.identity {
            Identity::Hash(_, at_start) => at_start.as_ref()?,
            Identity::Copy(of) => {
                let is_whole = self.file.metadata().is_ok_and(|now| now.len() == of.size);
                return (!is_whole)
                    .then(|| "its copy in the spool folder was changed by someone else".to_owned());
            }
        };
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
}

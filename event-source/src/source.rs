//! One source: its name, and how it is opened.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::raw::{Fingerprint, Raw};
use crate::reader::Reader;
use crate::{ErrorKind, SourceError};

/// Something to read events from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: String,
    place: Place,
    size: Option<u64>,
}

/// Where a source's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Stdin,
    /// A path that is read but once: a pipe, a terminal.
    Stream(PathBuf),
    File(PathBuf),
}

impl Source {
    pub(crate) fn stdin() -> Source {
        Source { name: "-".to_owned(), place: Place::Stdin, size: None }
    }

    /// A path that is there; an error for a directory, or a file that may not be read.
    pub(crate) fn path(name: String, path: PathBuf) -> Result<Source, SourceError> {
        let fail = |error| SourceError::from_io(&name, 0, error);
        let metadata = fs::metadata(&path).map_err(fail)?;
        if metadata.is_dir() {
            return Err(SourceError::IsDirectory { name });
        }
        if !metadata.is_file() {
            return Ok(Source { name, place: Place::Stream(path), size: None });
        }
        // Better to hear of it now than after an hour's reading of the files before it.
        File::open(&path).map_err(fail)?;
        Ok(Source { name, place: Place::File(path), size: Some(metadata.len()) })
    }

    /// The source as it was named; of a glob, the path that matched.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stored (compressed) size in bytes when it was named; `None` for a stream.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Where the file is; `None` for a stream.
    pub(crate) fn file(&self) -> Option<&PathBuf> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Stdin | Place::Stream(_) => None,
        }
    }

    /// Opens the source for reading.
    pub fn open(&self) -> Result<Reader, SourceError> {
        self.open_counting(Arc::default())
    }

    /// Opens the source for reading; stored (compressed) bytes are added to `counter` as they are read.
    pub fn open_counting(&self, counter: Arc<AtomicU64>) -> Result<Reader, SourceError> {
        Reader::new(self.open_raw(counter)?)
    }

    /// The fingerprint of the stored bytes, read for it alone; `None` for a stream, which can be read but
    /// once. Equal to [`Reader::fingerprint`] after the end.
    pub fn fingerprint(&self) -> Result<Option<Fingerprint>, SourceError> {
        if self.file().is_none() {
            return Ok(None);
        }
        let mut raw = self.open_raw(Arc::default())?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            match raw.read(&mut buffer) {
                Ok(0) => return raw.finish().map(Some),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(SourceError::from_io(&self.name, raw.bytes_read(), error)),
            }
        }
    }

    fn open_raw(&self, counter: Arc<AtomicU64>) -> Result<Raw, SourceError> {
        let file = match &self.place {
            // A handle of its own, without the standard library's small buffer.
            Place::Stdin => io::stdin().as_fd().try_clone_to_owned().map(File::from),
            Place::Stream(path) | Place::File(path) => File::open(path),
        };
        file.and_then(|file| Raw::new(&self.name, file, self.file().cloned(), counter)).map_err(|error| {
            match SourceError::from_io(&self.name, 0, error) {
                // It was there when it was named.
                error if error.kind() == ErrorKind::NotFound => {
                    SourceError::Changed { name: self.name.clone(), change: "it was removed".to_owned() }
                }
                error => error,
            }
        })
    }
}

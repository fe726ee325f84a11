//! One source: its name, and how it is opened.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use event_schema::value::Date;
use tracing::info_span;

use crate::ReadBuffer;
use crate::date_in_name;
use crate::raw::{Fingerprint, Raw};
use crate::reader::Reader;
use crate::spool::Spool;
use crate::store::{Download, Object, Window};
use crate::{ErrorKind, SourceError};

/// Something to read events from.
#[derive(Debug, Clone)]
pub struct Source {
    name: String,
    place: Place,
    size: Option<u64>,
}

/// Where a source's bytes are.
#[derive(Debug, Clone)]
enum Place {
    Stdin,
    /// A path that is read but once: a pipe, a terminal.
    Stream(PathBuf),
    File(PathBuf),
    /// One of the objects that are read together.
    Object(Arc<Objects>, usize),
}

/// What two sources have in common that are one.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    Stdin,
    Path(PathBuf),
    Address(String),
}

/// The objects that are read together.
#[derive(Debug)]
pub(crate) struct Objects {
    pub(crate) window: Arc<Window>,
    pub(crate) spool: Option<Spool>,
}

impl Objects {
    fn get(&self, index: usize) -> &Object {
        &self.window.objects()[index]
    }
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
        // Fail now, not after an hour of reading the files before it.
        File::open(&path).map_err(fail)?;
        Ok(Source { name, place: Place::File(path), size: Some(metadata.len()) })
    }

    pub(crate) fn object(objects: &Arc<Objects>, index: usize) -> Source {
        let object = objects.get(index);
        let (name, size) = (object.url().to_owned(), Some(object.size()));
        Source { name, place: Place::Object(Arc::clone(objects), index), size }
    }

    /// The source as it was named; of a glob or folder the path that was found; of an object its URL. Never holds
    /// credentials.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stored (compressed) size in bytes when it was named; `None` for a stream.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// The dates, `YYYY-MM-DD`, in its name: those of the file or object itself, or where that has none, those of the
    /// folders it is in. In their order, each once.
    pub fn dates_in_name(&self) -> Vec<Date> {
        date_in_name::dates(&self.name)
    }

    /// The object; `None` for a file or a stream.
    pub(crate) fn shared_object(&self) -> Option<Arc<Object>> {
        match &self.place {
            Place::Object(objects, index) => Some(Arc::clone(&objects.window.objects()[*index])),
            Place::Stdin | Place::Stream(_) | Place::File(_) => None,
        }
    }

    /// Tells it from every other, whatever it is called.
    pub(crate) fn identity(&self) -> Result<Identity, SourceError> {
        Ok(match &self.place {
            Place::Stdin => Identity::Stdin,
            Place::File(path) | Place::Stream(path) => {
                let path = fs::canonicalize(path);
                Identity::Path(path.map_err(|error| SourceError::from_io(&self.name, 0, error))?)
            }
            Place::Object(objects, index) => Identity::Address(objects.get(*index).address().to_owned()),
        })
    }

    /// Opens the source for reading.
    pub fn open(&self) -> Result<Reader, SourceError> {
        self.open_counting(Arc::default())
    }

    /// Opens the source for reading; stored (compressed) bytes are added to `counter` as they are read. With a spool
    /// folder the first object that is opened waits until all objects are in it, which is when they count.
    pub fn open_counting(&self, counter: Arc<AtomicU64>) -> Result<Reader, SourceError> {
        // What is logged while the source is read, on whatever thread, says which it is.
        let span = info_span!("source", name = self.name);
        let raw = span.in_scope(|| self.open_raw(counter))?;
        Reader::new(raw, span)
    }

    /// The fingerprint of the stored bytes; `None` for a stream, which can be read but once. A file is read for it;
    /// of an object it is known. Equal to [`Reader::fingerprint`] after the end.
    pub fn fingerprint(&self) -> Result<Option<Fingerprint>, SourceError> {
        match &self.place {
            Place::Object(objects, index) => return Ok(Some(objects.get(*index).fingerprint())),
            Place::Stdin | Place::Stream(_) => return Ok(None),
            Place::File(_) => {}
        }
        let mut raw = self.open_raw(Arc::default())?;
        let mut buffer = ReadBuffer::new(1 << 20);
        loop {
            match raw.read(&mut buffer) {
                Ok(0) => return raw.finish().map(Some),
                Ok(_) => {}
                Err(error) => {
                    let failure = raw.take_failure();
                    return Err(failure
                        .unwrap_or_else(|| SourceError::from_io(&self.name, raw.bytes_consumed(), error)));
                }
            }
        }
    }

    fn open_raw(&self, counter: Arc<AtomicU64>) -> Result<Raw, SourceError> {
        let (file, path) = match &self.place {
            Place::Object(objects, index) => return open_object(objects, *index, counter),
            // A handle of its own, without the standard library's small buffer.
            Place::Stdin => (io::stdin().as_fd().try_clone_to_owned().map(File::from), None),
            Place::Stream(path) => (File::open(path), None),
            Place::File(path) => (File::open(path), Some(path.clone())),
        };
        file.and_then(|file| Raw::file(&self.name, file, path, counter)).map_err(|error| {
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

fn open_object(objects: &Arc<Objects>, index: usize, counter: Arc<AtomicU64>) -> Result<Raw, SourceError> {
    let Some(spool) = &objects.spool else {
        let download = Download::new(Arc::clone(&objects.window), index, 0);
        return Ok(Raw::object(download, counter));
    };
    let file = spool.open(&objects.window, index, &counter)?;
    let object = objects.get(index);
    Ok(Raw::copy(object.url(), file, object.fingerprint()))
}

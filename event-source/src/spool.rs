//! The spool folder: objects as files, downloaded as a whole before they are read.
//!
//! Every set of URLs has a folder of its own in it, so that another run of the same load finds what an earlier one
//! has downloaded. Beside each file lies a journal: whose bytes they are (URL, size, ETag), and a hash of every piece.
//! A run takes up what its journal and its bytes agree on.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_128;

use crate::SourceError;
use crate::store::{Download, Object, PIECE_BYTES, Window};

/// Folders that were not used for this long are removed.
const ABANDONED_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);
/// The prefix of the folders of loads.
const PREFIX: &str = "schoolbell-";
/// The file whose lock says that a load is at work in its folder.
const LOCK: &str = "lock";

/// One load's folder in the spool folder.
#[derive(Debug)]
pub(crate) struct Spool {
    parent: PathBuf,
    folder: PathBuf,
    /// The folder's lock, once everything is there.
    complete: Mutex<Option<File>>,
}

impl Spool {
    /// Nothing is made yet.
    pub(crate) fn new(parent: PathBuf, objects: &[Arc<Object>]) -> Spool {
        let urls: Vec<&str> = objects.iter().map(|object| object.url()).collect();
        let folder = parent.join(format!("{PREFIX}{:032x}", xxh3_128(urls.join("\n").as_bytes())));
        Spool { parent, folder, complete: Mutex::new(None) }
    }

    /// An object's file. All objects are downloaded at the first call; stored bytes are added to `counter`.
    pub(crate) fn open(
        &self,
        window: &Arc<Window>,
        index: usize,
        counter: &AtomicU64,
    ) -> Result<File, SourceError> {
        let mut complete = self.complete.lock().unwrap_or_else(PoisonError::into_inner);
        if complete.is_none() {
            *complete = Some(self.download_all(window, counter)?);
        }
        File::open(self.data(index)).map_err(|error| self.failed(error))
    }

    /// Removes the load's folder.
    pub(crate) fn remove(&self) -> Result<(), SourceError> {
        let lock = self.complete.lock().unwrap_or_else(PoisonError::into_inner).take();
        let removed = match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.map_err(|error| self.failed(error)),
        };
        drop(lock);
        removed
    }

    fn download_all(&self, window: &Arc<Window>, counter: &AtomicU64) -> Result<File, SourceError> {
        let failed = |error| self.failed(error);
        // Events are private data.
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed)?;
        let lock = self.lock()?;
        sweep(&self.parent, &self.folder).map_err(failed)?;
        let objects = window.objects();
        let mut copies = Vec::with_capacity(objects.len());
        for (index, object) in objects.iter().enumerate() {
            copies.push(Copy::resume(&self.data(index), object).map_err(failed)?);
        }
        let needed = objects.iter().zip(&copies).map(|(object, copy)| object.size() - copy.reached).sum();
        self.check_room(needed)?;
        for (index, copy) in copies.into_iter().enumerate() {
            counter.fetch_add(copy.reached, Ordering::Relaxed);
            // An empty object has an empty file.
            if copy.reached < objects[index].size() || objects[index].size() == 0 {
                self.download(window, index, copy, counter)?;
            }
        }
        Ok(lock)
    }

    fn download(
        &self,
        window: &Arc<Window>,
        index: usize,
        mut copy: Copy,
        counter: &AtomicU64,
    ) -> Result<(), SourceError> {
        let mut download = Download::new(Arc::clone(window), index, copy.reached);
        let mut writer = copy.writer().map_err(|error| self.failed(error))?;
        let mut piece = Vec::new();
        loop {
            piece = download.next(piece)?;
            if piece.is_empty() {
                return Ok(());
            }
            if let Err(error) = writer.write(&piece) {
                let error = self.failed(error);
                if matches!(error, SourceError::SpoolFull { .. }) {
                    // Free the disk for others.
                    let _ = fs::remove_dir_all(&self.folder);
                }
                return Err(error);
            }
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
    }

    /// An error if the file system has no room; checked before the download starts.
    fn check_room(&self, needed: u64) -> Result<(), SourceError> {
        let system = rustix::fs::statvfs(&self.folder).map_err(|error| self.failed(error.into()))?;
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        if free < needed {
            let problem = format!("{needed} bytes are to be downloaded and {free} are free");
            return Err(SourceError::SpoolFull { folder: self.parent.clone(), problem });
        }
        Ok(())
    }

    fn lock(&self) -> Result<File, SourceError> {
        let failed = |error| self.failed(error);
        let lock = writable().create(true).truncate(false).open(self.folder.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(SourceError::SpoolBusy { folder: self.parent.clone() });
            }
            Err(TryLockError::Error(error)) => return Err(self.failed(error)),
        }
        // Says when the folder was last of use.
        lock.set_modified(std::time::SystemTime::now()).map_err(failed)?;
        Ok(lock)
    }

    fn data(&self, index: usize) -> PathBuf {
        self.folder.join(format!("{index:06}"))
    }

    fn failed(&self, error: io::Error) -> SourceError {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let folder = self.parent.clone();
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => {
                SourceError::SpoolFull { folder, problem: error.to_string() }
            }
            _ => SourceError::Spool { folder, error },
        }
    }
}

/// An object's file and journal.
struct Copy {
    data: PathBuf,
    journal: PathBuf,
    /// What the journal has to say so far.
    known: String,
    /// So many bytes are there and well.
    reached: u64,
}

impl Copy {
    /// Takes up what an earlier run has left of this very object.
    fn resume(data: &Path, object: &Object) -> io::Result<Copy> {
        let journal = data.with_extension("journal");
        let mut copy = Copy { data: data.to_owned(), journal, known: header(object), reached: 0 };
        let text = match fs::read_to_string(&copy.journal) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(copy),
            result => result?,
        };
        // Another object's, or another state of it: it is overwritten.
        let Some(hashes) = text.strip_prefix(&copy.known) else { return Ok(copy) };
        let mut file = match File::open(data) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(copy),
            result => result?,
        };
        let mut piece = Vec::new();
        for hash in hashes.lines() {
            piece.clear();
            Read::by_ref(&mut file).take(PIECE_BYTES).read_to_end(&mut piece)?;
            if piece.is_empty() || line(&piece).trim_end() != hash {
                break;
            }
            copy.known.push_str(&line(&piece));
            copy.reached += piece.len() as u64;
        }
        Ok(copy)
    }

    /// Goes on behind the bytes that are well.
    fn writer(&mut self) -> io::Result<Writer> {
        let data = writable().create(true).truncate(false).open(&self.data)?;
        data.set_len(self.reached)?;
        let mut journal = writable().create(true).truncate(true).open(&self.journal)?;
        journal.write_all(self.known.as_bytes())?;
        Ok(Writer { data, journal, at: self.reached })
    }
}

struct Writer {
    data: File,
    journal: File,
    at: u64,
}

impl Writer {
    /// The journal comes second: what it tells is there.
    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.data.write_all_at(piece, self.at)?;
        self.at += piece.len() as u64;
        self.journal.write_all(line(piece).as_bytes())
    }
}

fn header(object: &Object) -> String {
    let fingerprint = object.fingerprint();
    format!("{}\n{} bytes, {}\n", object.url(), fingerprint.size, fingerprint.etag)
}

/// A piece's line in the journal.
fn line(piece: &[u8]) -> String {
    format!("{:032x}\n", xxh3_128(piece))
}

/// For the user that runs this alone.
fn writable() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// Removes the folders of loads that were never taken up again.
fn sweep(parent: &Path, own: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        let is_ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if !is_ours || path == own {
            continue;
        }
        // A folder without a lock is being made or removed by someone else.
        let Ok(lock) = File::open(path.join(LOCK)) else { continue };
        let age = lock.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age > ABANDONED_AFTER && lock.try_lock().is_ok() {
            fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

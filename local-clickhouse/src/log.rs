//! Keeps what an engine writes to its standard error: the end of it in memory, the most of it in a bounded file.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// How much is kept in memory, in bytes.
const TAIL: usize = 16 << 10;
/// How large the file grows before it makes place for the next one, in bytes; one former file is kept.
const FILE_LIMIT: u64 = 4 << 20;

/// Reads a child's standard error to its end, in a thread of its own.
#[derive(Debug)]
pub(crate) struct ErrorLog {
    tail: Arc<Mutex<VecDeque<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl ErrorLog {
    /// Begins to read; the file is written anew.
    pub(crate) fn follow(source: impl Read + Send + 'static, path: PathBuf) -> io::Result<Self> {
        let file = File::create(&path)?;
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let shared = Arc::clone(&tail);
        let reader = thread::Builder::new()
            .name("clickhouse-stderr".into())
            .spawn(move || pump(source, &shared, BoundedFile { path, file, written: 0 }))?;
        Ok(Self { tail, reader: Some(reader) })
    }

    /// The last that was written. All of it, if the child has ended: waits for the reader then.
    pub(crate) fn tail_after_end(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            // It fails only by a panic, and then the tail is what it is.
            let _ = reader.join();
        }
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = tail.iter().copied().collect();
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }
}

struct BoundedFile {
    path: PathBuf,
    file: File,
    written: u64,
}

impl BoundedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.written > FILE_LIMIT {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            self.file = File::create(&self.path)?;
            self.written = 0;
        }
        self.written += bytes.len() as u64;
        self.file.write_all(bytes)
    }
}

fn pump(mut source: impl Read, tail: &Mutex<VecDeque<u8>>, mut file: BoundedFile) {
    let mut buffer = [0; 4096];
    loop {
        let bytes = match source.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => &buffer[..n],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        // A full disk must not stop the reading: the engine would block on a full pipe.
        let _ = file.write(bytes);
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(bytes);
        let excess = tail.len().saturating_sub(TAIL);
        tail.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_files_are_bounded() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("engine.log");
        let source = io::repeat(b'x').take(3 * FILE_LIMIT).chain(&b"the end"[..]);
        let mut log = ErrorLog::follow(source, path.clone()).expect("the log begins");
        let tail = log.tail_after_end();
        assert_eq!(tail.len(), TAIL);
        assert!(tail.ends_with("xthe end"));
        for file in [path.clone(), path.with_extension("log.1")] {
            let size = file.metadata().expect("both files are there").len();
            assert!(size <= FILE_LIMIT + 4096, "{} has {size} bytes", file.display());
        }
        assert_eq!(fs::read_dir(folder.path()).expect("the folder can be read").count(), 2);
    }
}

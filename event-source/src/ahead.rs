//! Decompression on a thread of its own, a few chunks ahead of the reader.

use std::io;
use std::ops::Range;
use std::panic;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use tracing::Span;

use crate::SourceError;
use crate::decoder::Decoder;
use crate::raw::Fingerprint;

/// Decompressed bytes of a chunk.
const CHUNK_BYTES: usize = 256 << 10;
/// Chunks that wait to be read.
const CHUNKS_AHEAD: usize = 3;

/// What a thread decompresses.
#[derive(Debug)]
pub(crate) struct ReadAhead {
    name: String,
    chunks: Receiver<Chunk>,
    /// Buffers that were read, to be filled again.
    free: Sender<Vec<u8>>,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that are not read yet.
    unread: Range<usize>,
    end: Option<Fingerprint>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Chunk {
    /// So many bytes in the front of a buffer.
    Bytes(Vec<u8>, usize),
    /// The source was well to its end, or why not.
    End(Result<Fingerprint, SourceError>),
}

impl ReadAhead {
    pub(crate) fn start(decoder: Decoder) -> Result<ReadAhead, SourceError> {
        let name = decoder.name().to_owned();
        let (sender, chunks) = sync_channel(CHUNKS_AHEAD);
        let (free, spare) = channel();
        let thread = thread::Builder::new()
            .name("decompress".to_owned())
            .spawn({
                let span = Span::current();
                move || span.in_scope(|| decompress(decoder, &sender, &spare))
            })
            .map_err(|error| SourceError::Io { name: name.clone(), offset: 0, error })?;
        Ok(ReadAhead {
            name,
            chunks,
            free,
            buffer: Vec::new(),
            unread: 0..0,
            end: None,
            thread: Some(thread),
        })
    }

    /// Bytes into the front of `buffer`, and how many; 0 is the end, unless `buffer` is empty.
    pub(crate) fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        if buffer.is_empty() || self.end.is_some() {
            return Ok(0);
        }
        if self.unread.is_empty() {
            let read = std::mem::take(&mut self.buffer);
            if !read.is_empty() {
                // A thread that has come to the end takes none.
                let _ = self.free.send(read);
            }
            match self.chunks.recv() {
                Ok(Chunk::Bytes(buffer, length)) => (self.buffer, self.unread) = (buffer, 0..length),
                Ok(Chunk::End(end)) => {
                    self.end = Some(end?);
                    return Ok(0);
                }
                Err(_) => return Err(self.failed_before()),
            }
        }
        let unread = &self.buffer[self.unread.clone()];
        let length = unread.len().min(buffer.len());
        buffer[..length].copy_from_slice(&unread[..length]);
        self.unread.start += length;
        Ok(length)
    }

    /// The fingerprint, once the end was read.
    pub(crate) fn fingerprint(&self) -> Option<&Fingerprint> {
        self.end.as_ref()
    }

    /// Nothing more comes, and no end: the thread has panicked, or its error was not taken for the end that it is.
    fn failed_before(&mut self) -> SourceError {
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            panic::resume_unwind(panic);
        }
        let error = io::Error::other("it failed before, and was read on");
        SourceError::Io { name: self.name.clone(), offset: 0, error }
    }
}

/// Decompresses to the end, or until nobody reads any more.
fn decompress(mut decoder: Decoder, chunks: &SyncSender<Chunk>, spare: &Receiver<Vec<u8>>) {
    loop {
        let mut buffer = spare.try_recv().unwrap_or_else(|_| vec![0; CHUNK_BYTES]);
        let mut length = 0;
        let end = loop {
            match decoder.read_some(&mut buffer[length..]) {
                Ok(0) if length == buffer.len() => break None,
                Ok(0) => break Some(Ok(decoder.fingerprint().expect("this is the end").clone())),
                Ok(read) => length += read,
                Err(error) => break Some(Err(error)),
            }
        };
        // What came before an error is read before it.
        if length > 0 && chunks.send(Chunk::Bytes(buffer, length)).is_err() {
            return;
        }
        if let Some(end) = end {
            let _ = chunks.send(Chunk::End(end));
            return;
        }
    }
}

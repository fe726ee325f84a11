//! Pieces of objects, downloaded concurrently and handed over in order.
//!
//! All sources of a load share a window of pieces that are being downloaded or wait to be read: near the end of one object,
//! the first pieces of the next one are in flight. Each open object has at least one piece, so that no reader waits for
//! another.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tracing::{Instrument as _, debug_span};

use super::{Object, Patience, runtime};
use crate::{Options, SourceError};

/// Bytes asked of a store at once: enough that a request's delay does not count.
pub(crate) const PIECE_BYTES: u64 = 8 << 20;

/// All objects that are to be read, in their order, and the pieces that they share.
#[derive(Debug)]
pub(crate) struct Window {
    objects: Vec<Arc<Object>>,
    permits: Arc<Semaphore>,
    ahead: Mutex<Ahead>,
    /// A pool of buffers: fresh memory would cost more than the copying.
    spare: Arc<Mutex<Vec<Vec<u8>>>>,
    patience: Patience,
}

impl Window {
    pub(crate) fn new(objects: Vec<Arc<Object>>, options: &Options) -> Window {
        Window {
            objects,
            permits: Arc::new(Semaphore::new(options.jobs.clamp(1, Semaphore::MAX_PERMITS))),
            ahead: Mutex::default(),
            spare: Arc::default(),
            patience: Patience::new(options),
        }
    }

    pub(crate) fn objects(&self) -> &[Arc<Object>] {
        &self.objects
    }

    /// Asks for pieces of an object as long as the window has room; whether all of it was asked for.
    fn fill(&self, index: usize, queue: &mut Queue, is_open: bool) -> bool {
        let object = &self.objects[index];
        while queue.asked < object.size() {
            let permit = Arc::clone(&self.permits).try_acquire_owned().ok();
            if permit.is_none() && (!is_open || !queue.pieces.is_empty()) {
                return false;
            }
            let range = queue.asked..(queue.asked + PIECE_BYTES).min(object.size());
            queue.asked = range.end;
            queue.pieces.push_back(self.ask(object, range, permit));
        }
        true
    }

    fn ask(&self, object: &Arc<Object>, range: Range<u64>, permit: Option<OwnedSemaphorePermit>) -> Piece {
        let (sender, receiver) = sync_channel(1);
        let (object, spare, patience) = (Arc::clone(object), Arc::clone(&self.spare), self.patience);
        let span = debug_span!(parent: None, "download", object = object.url(), first_byte = range.start);
        let download = async move {
            let mut buffer = lock(&spare).pop().unwrap_or_default();
            buffer.clear();
            buffer.reserve_exact((range.end - range.start) as usize);
            let fetched = object.fetch(range, &mut buffer, patience).await;
            // Nobody is there to miss it if the reader has gone.
            drop(sender.send(fetched.map(|()| buffer)));
        };
        let task = runtime().spawn(download.instrument(span));
        Piece { receiver, task: task.abort_handle(), permit }
    }
}

/// Objects whose first pieces are asked for before they are opened, by their place.
#[derive(Debug, Default)]
struct Ahead {
    queues: HashMap<usize, Queue>,
    /// Those that were opened since: nothing is asked ahead for them.
    opened: HashSet<usize>,
}

/// Pieces of one object that were asked for, in order.
#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Piece>,
    /// All bytes up to here were asked for.
    asked: u64,
}

/// A piece on its way, or there.
#[derive(Debug)]
struct Piece {
    receiver: Receiver<Result<Vec<u8>, SourceError>>,
    task: AbortHandle,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One object's bytes in order.
#[derive(Debug)]
pub(crate) struct Download {
    window: Arc<Window>,
    index: usize,
    queue: Queue,
    /// Of the piece that the reader has: the window has room again when it is given back.
    permit: Option<OwnedSemaphorePermit>,
}

impl Download {
    /// From byte `start` on.
    pub(crate) fn new(window: Arc<Window>, index: usize, start: u64) -> Download {
        let mut ahead = lock(&window.ahead);
        ahead.opened.insert(index);
        let asked = ahead.queues.remove(&index).filter(|_| start == 0);
        drop(ahead);
        let queue = asked.unwrap_or_else(|| Queue { asked: start, ..Queue::default() });
        Download { window, index, queue, permit: None }
    }

    pub(crate) fn object(&self) -> &Object {
        &self.window.objects[self.index]
    }

    /// The next piece, up to [`PIECE_BYTES`]; empty at the end. The former one is given back.
    pub(crate) fn next(&mut self, former: Vec<u8>) -> Result<Vec<u8>, SourceError> {
        if former.capacity() > 0 {
            lock(&self.window.spare).push(former);
        }
        self.permit = None;
        if self.window.fill(self.index, &mut self.queue, true) {
            self.ask_ahead();
        }
        let Some(mut piece) = self.queue.pieces.pop_front() else { return Ok(Vec::new()) };
        let bytes = piece.receiver.recv().expect("downloading does not panic")?;
        self.permit = piece.permit.take();
        Ok(bytes)
    }

    /// Begins with the objects after this one.
    fn ask_ahead(&self) {
        let mut ahead = lock(&self.window.ahead);
        let Ahead { queues, opened } = &mut *ahead;
        for index in (self.index + 1..self.window.objects.len()).filter(|index| !opened.contains(index)) {
            if !self.window.fill(index, queues.entry(index).or_default(), false) {
                break;
            }
        }
    }
}

/// Ignores poison: every change is one call, so the state is consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

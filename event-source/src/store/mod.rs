//! Object stores: S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage.
//!
//! - `connect`: a URL's store, with the credentials that its own tools would find; `profile` reads AWS's files;
//! - `list`: what a URL, a prefix or a pattern stands for;
//! - `object`: one object in one state; every request for it is conditional on that state;
//! - `window`: pieces of objects, downloaded side by side and handed over in order;
//! - `failure`: a store's errors, by what they mean.

mod connect;
mod failure;
mod list;
mod object;
mod profile;
mod window;

use std::future::Future;
use std::sync::{Mutex, Once, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::{ErrorKind, Options, SourceError};

use connect::Store;
pub(crate) use connect::Stores;
pub(crate) use list::list;
pub(crate) use object::Object;
pub(crate) use window::{Download, PIECE_BYTES, Window};

/// The first wait before something is tried again; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait before something is tried again.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Between two words about a store that fails.
const SILENCE: Duration = Duration::from_secs(15);

/// The threads that talk to stores, whoever waits for them. They end with the process.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("object-store")
            .enable_all()
            .build()
            .expect("the operating system gives a process two threads")
    })
}

/// Gives the stores' HTTP client the cryptography of TLS, unless this process has chosen one already.
fn install_crypto() {
    static INSTALLED: Once = Once::new();
    // An error says that there is one.
    INSTALLED.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// Runs something on the runtime's threads and waits for it, from whatever thread.
fn wait_for<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    // Nobody is there to miss the result if this thread has gone.
    runtime().spawn(async move { drop(sender.send(work.await)) });
    receiver.recv().expect("talking to a store does not panic")
}

/// Waits that grow from one to the next, each by chance up to half as long, so that many do not come back at once.
struct Backoff {
    next: Duration,
}

impl Backoff {
    fn new() -> Backoff {
        Backoff { next: FIRST_WAIT }
    }

    async fn wait(&mut self) {
        let wait = self.next.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.next = (self.next * 2).min(LONGEST_WAIT);
        tokio::time::sleep(wait).await;
    }
}

/// How long a store is tried again, and who hears of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    timeout: Duration,
    on_retry: fn(&SourceError),
}

impl Patience {
    pub(crate) fn new(options: &Options) -> Patience {
        Patience { timeout: options.retry_timeout, on_retry: options.on_retry }
    }

    /// Waits before the next try; fails with the last one's error if none came through since `since` for too long.
    async fn wait(
        &self,
        since: Instant,
        error: SourceError,
        backoff: &mut Backoff,
    ) -> Result<(), SourceError> {
        /// When something was said last: many pieces can fail at once.
        static SAID: Mutex<Option<Instant>> = Mutex::new(None);
        if since.elapsed() >= self.timeout {
            return Err(error);
        }
        let is_due = {
            let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
            let is_due = said.is_none_or(|at| at.elapsed() >= SILENCE);
            if is_due {
                *said = Some(Instant::now());
            }
            is_due
        };
        if is_due {
            (self.on_retry)(&error);
        }
        backoff.wait().await;
        Ok(())
    }
}

/// Does something again until it succeeds, fails for good, or has failed for too long.
///
/// The library tries each request a few times by itself.
async fn persist<T, F>(patience: Patience, mut work: impl FnMut() -> F) -> Result<T, SourceError>
where
    F: Future<Output = Result<T, SourceError>>,
{
    let (begun, mut backoff) = (Instant::now(), Backoff::new());
    loop {
        match work().await {
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                patience.wait(begun, error, &mut backoff).await?;
            }
            result => return result,
        }
    }
}

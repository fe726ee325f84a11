//! How long a store is waited for and tried again, and who hears of it.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::{Client, FIRST_WAIT, LONGEST_WAIT, failure};
use crate::notice::{Notice, OnNotice};
use crate::{ErrorKind, Options, SourceError};

/// Between two notices about stores that fail.
const BETWEEN_NOTICES: Duration = Duration::from_secs(15);
/// So long a silence is no notice worth.
const SILENCE: Duration = Duration::from_secs(5);
/// What a try has at the least, however little patience is left.
const SHORTEST_TRY: Duration = Duration::from_secs(5);

/// How long a store is tried again, and who hears of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    timeout: Duration,
    on_notice: OnNotice,
}

impl Patience {
    pub(crate) fn new(options: &Options) -> Patience {
        Patience { timeout: options.retry_timeout, on_notice: options.on_notice }
    }

    fn tell(&self, error: &SourceError, left: Duration) {
        /// When something was told last: many pieces can fail at once.
        static TOLD: Mutex<Option<Instant>> = Mutex::new(None);
        let is_due = {
            let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
            let is_due = told.is_none_or(|at| at.elapsed() >= BETWEEN_NOTICES);
            if is_due {
                *told = Some(Instant::now());
            }
            is_due
        };
        if is_due {
            (self.on_notice)(&Notice::Waiting { error, left });
        }
    }
}

/// The tries of one request, since anything came last.
pub(super) struct Tries<'a> {
    client: &'a Client,
    /// The URL that it is about.
    name: &'a str,
    patience: Patience,
    since: Instant,
    /// It grows from one to the next.
    next_wait: Duration,
}

impl<'a> Tries<'a> {
    pub(super) fn new(client: &'a Client, name: &'a str, patience: Patience) -> Tries<'a> {
        Tries { client, name, patience, since: Instant::now(), next_wait: FIRST_WAIT }
    }

    /// Something came: patience begins anew.
    pub(super) fn progress(&mut self) {
        (self.since, self.next_wait) = (Instant::now(), FIRST_WAIT);
    }

    /// Waits for the store as long as patience lasts. A longer silence is told meanwhile.
    pub(super) async fn answer<T>(&self, work: impl Future<Output = T>) -> Result<T, SourceError> {
        let begun = Instant::now();
        let deadline = (self.since + self.patience.timeout).max(begun + SHORTEST_TRY);
        let silent = |since: Instant| {
            let words = format!("nothing came for {} s", since.elapsed().as_secs_f64().round());
            failure::unavailable(self.name, self.client, words)
        };
        let mut work = pin!(work);
        if let Ok(result) = timeout_at(deadline.min(begun + SILENCE), &mut work).await {
            return Ok(result);
        }
        if begun.elapsed() >= SILENCE && Instant::now() < deadline {
            self.patience.tell(&silent(begun), deadline - Instant::now());
        }
        timeout_at(deadline, work).await.map_err(|_| silent(begun))
    }

    /// Waits before the next try; fails with the last one's error where that is for good, or nothing came for too long.
    ///
    /// Waits are by chance up to half as long, so that many do not come back at once.
    pub(super) async fn again(&mut self, error: SourceError) -> Result<(), SourceError> {
        if error.kind() != ErrorKind::Unavailable {
            return Err(error);
        }
        let Some(left) = self.patience.timeout.checked_sub(self.since.elapsed()) else { return Err(error) };
        self.patience.tell(&error, left);
        let wait = self.next_wait.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.next_wait = (self.next_wait * 2).min(LONGEST_WAIT);
        sleep(wait).await;
        Ok(())
    }
}

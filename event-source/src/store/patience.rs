//! Retries of a store within a time limit, with warnings.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tracing::{debug, warn};

use super::{Client, FIRST_WAIT, LONGEST_WAIT, failure};
use crate::{ErrorKind, Options, SourceError};

/// Between two warnings about stores that fail.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(15);
/// A silence this long is no warning worth.
const SILENCE: Duration = Duration::from_secs(5);
/// The shortest time limit of an attempt, however little time is left.
const SHORTEST_TRY: Duration = Duration::from_secs(5);

/// How long a store is tried again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    timeout: Duration,
}

impl Patience {
    pub(crate) fn new(options: &Options) -> Patience {
        Patience { timeout: options.retry_timeout }
    }
}

/// Logs that a store fails or is silent: as a warning a few times a minute at the most, for many pieces can fail at once.
fn log_failure(error: &SourceError, left: Duration, wait: Duration) {
    /// The time of the last warning.
    static WARNED: Mutex<Option<Instant>> = Mutex::new(None);
    let is_due = {
        let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = warned.is_none_or(|at| at.elapsed() >= BETWEEN_WARNINGS);
        if is_due {
            *warned = Some(Instant::now());
        }
        is_due
    };
    let (wait_ms, left) = (wait.as_millis() as u64, left.as_secs_f64().ceil());
    if is_due {
        warn!(wait_ms, "{error}; trying again for {left} s");
    } else {
        debug!(wait_ms, "{error}; trying again for {left} s");
    }
}

/// The attempts of one request since it last made progress.
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

    /// Something came: the time limit starts over.
    pub(super) fn progress(&mut self) {
        (self.since, self.next_wait) = (Instant::now(), FIRST_WAIT);
    }

    /// Waits for the store within the time limit. A longer silence is logged.
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
            log_failure(&silent(begun), deadline - Instant::now(), Duration::ZERO);
        }
        timeout_at(deadline, work).await.map_err(|_| silent(begun))
    }

    /// Waits before the next attempt. Fails with the last error if it is permanent, or nothing came for too long.
    ///
    /// Waits have jitter of up to one half, so that many clients do not retry at once.
    pub(super) async fn again(&mut self, error: SourceError) -> Result<(), SourceError> {
        if error.kind() != ErrorKind::Unavailable {
            return Err(error);
        }
        let Some(left) = self.patience.timeout.checked_sub(self.since.elapsed()) else { return Err(error) };
        let wait = self.next_wait.mul_f64(0.5 + fastrand::f64() / 2.0);
        log_failure(&error, left, wait);
        self.next_wait = (self.next_wait * 2).min(LONGEST_WAIT);
        sleep(wait).await;
        Ok(())
    }
}

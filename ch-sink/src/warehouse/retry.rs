//! Trying again, where that is right: with growing, jittered pauses, and not for ever.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Warehouse;
use crate::WarehouseError;

/// The first pause, before jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause, before jitter.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Between two words about the same server: several operations may wait for it at once.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// How long one operation is tried again after its first failure, and who is told of it.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// From the first failure to the start of the last attempt.
    pub total: Duration,
    /// Is called while it is waited for the server, as it happens.
    pub on_wait: fn(&Waiting<'_>),
}

impl Default for Retry {
    /// Two minutes: a restart of the server, or a night's hiccup of the network. Nobody is told.
    fn default() -> Retry {
        Retry { total: Duration::from_secs(120), on_wait: |_| () }
    }
}

/// Why it is waited for the server.
#[derive(Debug)]
pub struct Waiting<'a> {
    url: &'a str,
    why: Why<'a>,
}

#[derive(Debug)]
enum Why<'a> {
    /// The last attempt failed; there will be others for so long.
    Failed(&'a WarehouseError, Duration),
    /// It was asked to do something for so long, and is given up after so long.
    NoAnswer(&'a str, Duration, Duration),
}

impl fmt::Display for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClickHouse at {} ", self.url)?;
        match &self.why {
            Why::Failed(WarehouseError::Refused { doing, message, .. }, left) => {
                write!(f, "refuses to {doing} ({message}), trying again for {} s", left.as_secs())
            }
            Why::Failed(error, left) => {
                let problem = match error {
                    WarehouseError::Unreachable { problem, .. }
                    | WarehouseError::NotClickHouse { problem, .. } => {
                        format!(" ({problem})")
                    }
                    WarehouseError::TimedOut { doing, after } => {
                        format!(" (asked to {doing} {} s ago)", after.as_secs())
                    }
                    _ => String::new(),
                };
                write!(f, "does not answer{problem}, trying again for {} s", left.as_secs())
            }
            Why::NoAnswer(doing, since, limit) => write!(
                f,
                "has not answered for {} s, since it was asked to {doing}; waiting for up to {} s",
                since.as_secs(),
                limit.as_secs()
            ),
        }
    }
}

/// Tells of waiting, however many operations wait, not all the time.
#[derive(Debug, Clone)]
pub(crate) struct Announcer {
    url: Arc<str>,
    on_wait: fn(&Waiting<'_>),
    last: Arc<Mutex<Option<Instant>>>,
}

impl Announcer {
    pub(super) fn new(url: &str, on_wait: fn(&Waiting<'_>)) -> Announcer {
        Announcer { url: url.into(), on_wait, last: Arc::default() }
    }

    fn say(&self, why: Why<'_>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < SAY_AGAIN_AFTER) {
            return;
        }
        *last = Some(Instant::now());
        (self.on_wait)(&Waiting { url: &self.url, why });
    }

    /// Says that an operation has had no answer yet.
    pub(super) fn no_answer(&self, doing: &str, since: Duration, limit: Duration) {
        self.say(Why::NoAnswer(doing, since, limit));
    }
}

/// The pauses of one operation.
#[derive(Debug)]
pub(crate) struct Pauses {
    total: Duration,
    announcer: Announcer,
    first_failure: Option<Instant>,
    attempts: u32,
}

impl Pauses {
    pub(super) fn new(total: Duration, announcer: Announcer) -> Pauses {
        Pauses { total, announcer, first_failure: None, attempts: 0 }
    }

    /// Waits after a failure; the error, if it is of no use to try again, or too late.
    pub(crate) async fn after(&mut self, error: WarehouseError) -> Result<(), WarehouseError> {
        if !error.passes_soon() {
            return Err(error);
        }
        let since = *self.first_failure.get_or_insert_with(Instant::now);
        let pause = pause(self.attempts, fastrand::f64());
        self.attempts += 1;
        if since.elapsed() + pause > self.total {
            return Err(WarehouseError::GaveUp {
                attempts: self.attempts,
                after: since.elapsed(),
                error: Box::new(error),
            });
        }
        self.announcer.say(Why::Failed(&error, self.total.saturating_sub(since.elapsed())));
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Tries something that does no harm when it is done twice, until it succeeds, fails for good, or its time is
    /// over.
    pub(super) async fn retrying<T>(
        mut self,
        attempt: impl AsyncFn() -> Result<T, WarehouseError>,
    ) -> Result<T, WarehouseError> {
        loop {
            match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => self.after(error).await?,
            }
        }
    }
}

impl Warehouse {
    /// The pauses of one operation.
    pub(crate) fn pauses(&self) -> Pauses {
        Pauses::new(self.retry.total, self.announcer.clone())
    }

    /// Tries something that does no harm when it is done twice, until it succeeds, fails for good, or its time is
    /// over.
    pub(crate) async fn retrying<T>(
        &self,
        attempt: impl AsyncFn() -> Result<T, WarehouseError>,
    ) -> Result<T, WarehouseError> {
        self.pauses().retrying(attempt).await
    }
}

/// The pause after a number of attempts: doubled each time, and between half of that and all of it, by chance (0
/// to 1), so that many clients do not come back at the same instant.
fn pause(attempts: u32, chance: f64) -> Duration {
    let full = FIRST_PAUSE.saturating_mul(1 << attempts.min(16)).min(LONGEST_PAUSE);
    full.mul_f64(0.5 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::RefusalKind;

    #[test]
    fn pauses_grow_to_a_limit_and_are_spread() {
        let millis = |attempts, chance| pause(attempts, chance).as_millis();
        assert_eq!([millis(0, 0.0), millis(0, 1.0), millis(3, 0.0), millis(3, 1.0)], [50, 100, 400, 800]);
        assert_eq!([millis(7, 1.0), millis(40, 1.0), millis(u32::MAX, 0.0)], [10_000, 10_000, 5_000]);
    }

    #[tokio::test]
    async fn only_what_may_pass_is_tried_again_and_not_for_ever() {
        const BUSY: RefusalKind = RefusalKind::Busy;
        static SAID: AtomicU32 = AtomicU32::new(0);
        let announcer = Announcer::new("http://host", |waiting| {
            assert!(waiting.to_string().contains("http://host refuses to insert (the server's words)"));
            SAID.fetch_add(1, Ordering::Relaxed);
        });
        let tries = |kind, succeeds_at, total| {
            let pauses = Pauses::new(total, announcer.clone());
            async move {
                let attempts = Cell::new(0);
                let outcome = pauses.retrying(async || {
                    attempts.set(attempts.get() + 1);
                    if attempts.get() == succeeds_at {
                        return Ok(());
                    }
                    let (doing, message) = ("insert".to_owned(), "the server's words".to_owned());
                    Err(WarehouseError::Refused { doing, kind, message })
                });
                (outcome.await.map_err(|error| error.to_string()), attempts.get())
            }
        };
        assert_eq!(tries(BUSY, 3, Duration::from_secs(60)).await, (Ok(()), 3));
        assert_eq!(SAID.load(Ordering::Relaxed), 1, "it is told as it happens, but not at every attempt");
        for kind in [RefusalKind::Statement, RefusalKind::Quota, RefusalKind::Full, RefusalKind::Unknown] {
            let (refused, attempts) = tries(kind, 3, Duration::from_secs(60)).await;
            assert_eq!(attempts, 1);
            assert!(refused.unwrap_err().contains("the server's words"));
        }
        let (given_up, attempts) = tries(BUSY, u32::MAX, Duration::from_millis(200)).await;
        let given_up = given_up.unwrap_err();
        assert!(given_up.contains("the server's words") && given_up.contains("times"), "{given_up}");
        assert!((2..=5).contains(&attempts), "{attempts}");
    }
}

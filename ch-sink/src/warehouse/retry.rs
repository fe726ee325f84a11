//! Retries with exponential backoff and jitter, within a time limit.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::Warehouse;
use crate::WarehouseError;

/// The first pause, before jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause, before jitter.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Between two warnings about the same server: several operations may wait for it at once.
const WARN_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// How long one operation is tried again after its first failure.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Retry {
    /// From the first failure to the start of the last attempt.
    pub total: Duration,
}

impl Retry {
    /// No longer than that.
    pub fn for_at_most(total: Duration) -> Retry {
        Retry { total }
    }
}

impl Default for Retry {
    /// Two minutes: a restart of the server, or a night's hiccup of the network.
    fn default() -> Retry {
        Retry::for_at_most(Duration::from_secs(120))
    }
}

/// Why an operation waits for the server, as a warning says it.
#[derive(Debug)]
struct Waiting<'a> {
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

/// Logs that operations wait: at most one warning every few seconds, however many of them wait; the others are debug
/// events.
#[derive(Debug, Clone)]
pub(crate) struct WaitLog {
    url: Arc<str>,
    last_warning: Arc<Mutex<Option<Instant>>>,
}

impl WaitLog {
    pub(super) fn new(url: &str) -> WaitLog {
        WaitLog { url: url.into(), last_warning: Arc::default() }
    }

    fn is_due(&self) -> bool {
        let mut last = self.last_warning.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= WARN_AGAIN_AFTER);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }

    /// An attempt has failed; the next one follows after `wait`, others for as long as `left`.
    fn failed(&self, error: &WarehouseError, attempt: u32, wait: Duration, left: Duration) {
        let wait_ms = wait.as_millis() as u64;
        let waiting = Waiting { url: &self.url, why: Why::Failed(error, left) };
        if self.is_due() {
            warn!(attempt, wait_ms, "{waiting}");
        } else {
            debug!(attempt, wait_ms, "{waiting}");
        }
    }

    /// An operation has had no answer yet.
    pub(super) fn no_answer(&self, doing: &str, since: Duration, limit: Duration) {
        let waiting = Waiting { url: &self.url, why: Why::NoAnswer(doing, since, limit) };
        if self.is_due() {
            warn!("{waiting}");
        } else {
            debug!("{waiting}");
        }
    }
}

/// The backoff of one operation.
#[derive(Debug)]
pub(crate) struct Backoff {
    total: Duration,
    log: WaitLog,
    first_failure: Option<Instant>,
    attempts: u32,
}

impl Backoff {
    pub(super) fn new(total: Duration, log: WaitLog) -> Backoff {
        Backoff { total, log, first_failure: None, attempts: 0 }
    }

    /// Waits after a failure. Returns the error if it is not temporary, or the time is over.
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
        self.log.failed(&error, self.attempts, pause, self.total.saturating_sub(since.elapsed()));
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
    /// The backoff of one operation.
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(self.retry.total, self.wait_log.clone())
    }

    /// Tries something that does no harm when it is done twice, until it succeeds, fails for good, or its time is
    /// over.
    pub(crate) async fn retrying<T>(
        &self,
        attempt: impl AsyncFn() -> Result<T, WarehouseError>,
    ) -> Result<T, WarehouseError> {
        self.backoff().retrying(attempt).await
    }
}

/// The pause after a number of attempts: doubled each time, with jitter (`chance` from 0 to 1 chooses between half and all
/// of it), so that many clients do not retry at the same instant.
fn pause(attempts: u32, chance: f64) -> Duration {
    let full = FIRST_PAUSE.saturating_mul(1 << attempts.min(16)).min(LONGEST_PAUSE);
    full.mul_f64(0.5 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io;

    use tracing::Level;

    use super::*;
    use crate::RefusalKind;

    /// What is logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }
    }

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn pauses_grow_to_a_limit_and_are_spread() {
        let millis = |attempts, chance| pause(attempts, chance).as_millis();
        assert_eq!([millis(0, 0.0), millis(0, 1.0), millis(3, 0.0), millis(3, 1.0)], [50, 100, 400, 800]);
        assert_eq!([millis(7, 1.0), millis(40, 1.0), millis(u32::MAX, 0.0)], [10_000, 10_000, 5_000]);
    }

    #[tokio::test]
    async fn only_what_may_pass_is_tried_again_and_not_for_ever() {
        const BUSY: RefusalKind = RefusalKind::Busy;
        let log = Log::default();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_max_level(Level::DEBUG).with_writer({
                let log = log.clone();
                move || log.clone()
            });
        let _guard = tracing::subscriber::set_default(subscriber.finish());
        let wait_log = WaitLog::new("http://host");
        let tries = |kind, succeeds_at, total| {
            let backoff = Backoff::new(total, wait_log.clone());
            async move {
                let attempts = Cell::new(0);
                let outcome = backoff.retrying(async || {
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
        let logged = log.take();
        let lines: Vec<&str> = logged.lines().collect();
        let words = "http://host refuses to insert (the server's words), trying again for";
        assert!(lines.iter().all(|line| line.contains(words) && line.contains("wait_ms=")), "{logged}");
        assert!(
            lines[0].contains("WARN") && lines[1].contains("DEBUG"),
            "one warning, not one an attempt: {logged}"
        );
        assert_eq!(lines.len(), 2, "{logged}");
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

//! Trying again, where that is right: with growing, jittered pauses, and not for ever.

use std::time::{Duration, Instant};

use super::Warehouse;
use crate::{ErrorClass, WarehouseError};

/// The first pause, before jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause, before jitter.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long one operation is tried again after its first failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// From the first failure to the start of the last attempt.
    pub total: Duration,
}

impl Default for Retry {
    /// Two minutes: a restart of the server, or a night's hiccup of the network.
    fn default() -> Retry {
        Retry { total: Duration::from_secs(120) }
    }
}

/// The pauses of one operation.
#[derive(Debug)]
pub(crate) struct Pauses {
    total: Duration,
    first_failure: Option<Instant>,
    attempts: u32,
}

impl Pauses {
    pub(crate) fn new(retry: Retry) -> Pauses {
        Pauses { total: retry.total, first_failure: None, attempts: 0 }
    }

    /// Waits after a failure; the error, if it is of no use to try again, or too late.
    pub(crate) async fn after(&mut self, error: WarehouseError) -> Result<(), WarehouseError> {
        if error.class() != ErrorClass::Temporary {
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
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

impl Warehouse {
    /// Tries something that does no harm when it is done twice, until it succeeds, fails for good, or its time is
    /// over.
    pub(crate) async fn retrying<T>(
        &self,
        attempt: impl AsyncFn() -> Result<T, WarehouseError>,
    ) -> Result<T, WarehouseError> {
        retrying(self.retry, attempt).await
    }
}

/// As [`Warehouse::retrying`].
pub(crate) async fn retrying<T>(
    retry: Retry,
    attempt: impl AsyncFn() -> Result<T, WarehouseError>,
) -> Result<T, WarehouseError> {
    let mut pauses = Pauses::new(retry);
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => pauses.after(error).await?,
        }
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

    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_are_spread() {
        let millis = |attempts, chance| pause(attempts, chance).as_millis();
        assert_eq!([millis(0, 0.0), millis(0, 1.0), millis(3, 0.0), millis(3, 1.0)], [50, 100, 400, 800]);
        assert_eq!([millis(7, 1.0), millis(40, 1.0), millis(u32::MAX, 0.0)], [10_000, 10_000, 5_000]);
    }

    #[tokio::test]
    async fn only_what_may_pass_is_tried_again_and_not_for_ever() {
        const BUSY: u32 = 202;
        const SYNTAX: u32 = 62;
        let tries = |code, succeeds_at, total| async move {
            let attempts = Cell::new(0);
            let outcome = retrying(Retry { total }, async || {
                attempts.set(attempts.get() + 1);
                if attempts.get() == succeeds_at {
                    return Ok(());
                }
                let (doing, message) = ("insert".to_owned(), "the server's words".to_owned());
                Err(WarehouseError::Refused { doing, code, message })
            });
            (outcome.await.map_err(|error| error.to_string()), attempts.get())
        };
        assert_eq!(tries(BUSY, 3, Duration::from_secs(60)).await, (Ok(()), 3));
        let (refused, attempts) = tries(SYNTAX, 3, Duration::from_secs(60)).await;
        assert_eq!(attempts, 1);
        assert!(refused.unwrap_err().contains("the server's words"));
        let (given_up, attempts) = tries(BUSY, u32::MAX, Duration::from_millis(200)).await;
        let given_up = given_up.unwrap_err();
        assert!(given_up.contains("the server's words") && given_up.contains("times"), "{given_up}");
        assert!((2..=5).contains(&attempts), "{attempts}");
    }
}

//! Removing what nobody reads: rows of failed, superseded and dead loads.

use std::time::Duration;

use crate::WarehouseError;
use crate::blocks::Part;

use super::Day;

/// A load that has not been committed for so long is dead. Longer than any load takes: a day is loaded in
/// minutes.
const DEAD_AFTER_HOURS: u32 = 24;
/// The rejected lines of a load that failed can be looked at for so long.
const REJECTS_KEPT_HOURS: u32 = 7 * 24;
/// A failed load reports its error after this long, whether its rows could be removed or not.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(30);

/// Removes the rows of a load that failed, its rejects excepted: they tell what was wrong.
pub(super) async fn discard(day: &Day<'_>) {
    discard_parts(day, Part::all().filter(|part| *part != Part::Rejects)).await;
}

/// Removes all rows of a load that was not needed.
pub(super) async fn discard_all(day: &Day<'_>) {
    discard_parts(day, Part::all()).await;
}

/// What cannot be removed now is swept by a later load, and cannot be seen meanwhile.
async fn discard_parts(day: &Day<'_>, parts: impl Iterator<Item = Part>) {
    let drop_all = async {
        for part in parts {
            // The load's own outcome is the one to report.
            let _ = day.warehouse.drop_partition(part.table(), day.options.batch_date, day.load_id).await;
        }
    };
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, drop_all).await;
}

/// Removes the loads that this day's commits have superseded, and the dead ones of any day. The warnings say what
/// could not be removed.
pub(super) async fn after_commit(day: &Day<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    for result in [drop_superseded(day).await, sweep_dead(day).await] {
        if let Err(error) = result {
            warnings.push(format!(
                "the day is committed, but rows that nobody reads are left for a later load to remove: {error}"
            ));
        }
    }
    warnings
}

async fn drop_superseded(day: &Day<'_>) -> Result<(), WarehouseError> {
    for part in Part::all() {
        for partition in day.warehouse.superseded(part.table(), day.options.batch_date).await? {
            day.warehouse.drop_load(part.table(), &partition).await?;
        }
    }
    Ok(())
}

async fn sweep_dead(day: &Day<'_>) -> Result<(), WarehouseError> {
    for part in Part::all() {
        let hours = if part == Part::Rejects { REJECTS_KEPT_HOURS } else { DEAD_AFTER_HOURS };
        for partition in day.warehouse.dead(part.table(), hours).await? {
            day.warehouse.drop_load(part.table(), &partition).await?;
        }
    }
    Ok(())
}

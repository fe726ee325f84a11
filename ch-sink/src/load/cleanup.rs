//! Garbage collection: removes rows of failed, superseded and abandoned loads.
//!
//! A sweep, step by step; the proof is in `docs/load.md`:
//!
//! 1. list the partitions that are not visible to readers;
//! 2. mark expired loads among them as abandoned: from then on none of them can be committed;
//! 3. wait for the queries that run now: readers of the former commit, and commits in flight;
//! 4. list again, and drop what is in both lists.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use event_schema::registry::REJECTED_EVENTS;
use serde::Serialize;
use tracing::{Instrument as _, info, info_span};

use super::Day;
use crate::WarehouseError;
use crate::rules::{self, Clocks, Fate, StoredLoad};
use crate::warehouse::{Found, TABLES, Warehouse};

/// How long a load waits for readers of what it has replaced. If one takes longer, a later load sweeps.
const WAIT_FOR_READERS: Duration = Duration::from_secs(5);
/// Between two checks whether a query still runs.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// A failed load tries to remove its rows for this long before it reports its error.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(30);

/// Removes the rows of a load that failed, except rejected lines: they show what was wrong.
pub(super) async fn discard(day: &Day<'_>) {
    discard_tables(day, TABLES.into_iter().filter(|table| *table != REJECTED_EVENTS.table)).await;
}

/// Removes all rows of a load that was not needed.
pub(super) async fn discard_all(day: &Day<'_>) {
    discard_tables(day, TABLES.into_iter()).await;
}

/// What cannot be removed now is not visible, and a later load sweeps it.
async fn discard_tables(day: &Day<'_>, tables: impl Iterator<Item = &'static str>) {
    let drop_all = async {
        for table in tables {
            // The load's own outcome is the one to report.
            let _ = day.warehouse.drop_partition(table, day.options.batch_date, day.load_id).await;
        }
    };
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, drop_all).await;
}

/// Sweeps; the warnings say what could not be removed.
pub(super) async fn sweep(warehouse: &Warehouse) -> Vec<String> {
    match try_sweep(warehouse).instrument(info_span!("sweep")).await {
        Ok(()) => Vec::new(),
        Err(error) => vec![format!(
            "the day is loaded, but unused rows could not be removed; a later load will remove them: {error}"
        )],
    }
}

async fn try_sweep(warehouse: &Warehouse) -> Result<(), WarehouseError> {
    let first = fates(warehouse.invisible().await?);
    let mut dead: Vec<_> = first
        .iter()
        .filter(|(_, fate)| *fate == Fate::Abandoned)
        .map(|(stored, _)| (stored.batch_date, stored.load_id))
        .collect();
    dead.sort_unstable();
    dead.dedup();
    if !dead.is_empty() {
        warehouse.abandon(&dead).await?;
    }
    if !first.iter().any(|(_, fate)| matches!(fate, Fate::Abandoned | Fate::Superseded)) {
        return Ok(());
    }
    if !have_readers_ended(warehouse).await? {
        info!("queries that may read superseded loads still run: their partitions are left to a later load");
        return Ok(());
    }
    for stored in rules::to_drop(&first, &fates(warehouse.invisible().await?)) {
        let StoredLoad { table, batch_date, load_id, .. } = &stored;
        warehouse.drop_partition(table, *batch_date, *load_id).await?;
        info!(table, %batch_date, %load_id, "dropped a partition");
    }
    Ok(())
}

/// Loads that are not visible to readers and whose rows are still stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LeftoverLoads {
    /// A newer commit of their date has replaced them.
    pub superseded: u64,
    /// They ended before their commit.
    pub abandoned: u64,
}

/// Counts the loads that the next sweep is to remove.
pub async fn leftover_loads(warehouse: &Warehouse) -> Result<LeftoverLoads, WarehouseError> {
    let fates = fates(warehouse.invisible().await?);
    let loads = |wanted: Fate| {
        let loads = fates.iter().filter(|(_, fate)| *fate == wanted).map(|(stored, _)| stored.load_id);
        loads.collect::<BTreeSet<_>>().len() as u64
    };
    Ok(LeftoverLoads { superseded: loads(Fate::Superseded), abandoned: loads(Fate::Abandoned) })
}

fn fates(found: Found) -> Vec<(StoredLoad, Fate)> {
    let client = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as i64);
    let clocks = Clocks { server: found.server_now, client };
    let fate = |stored: StoredLoad| {
        let fate = rules::fate(&stored, &found.commits, clocks);
        (stored, fate)
    };
    found.stored.into_iter().map(fate).collect()
}

/// Waits for the queries that run now; whether all of them have ended in time.
async fn have_readers_ended(warehouse: &Warehouse) -> Result<bool, WarehouseError> {
    let running = warehouse.running_queries().await?;
    let give_up = Instant::now() + WAIT_FOR_READERS;
    while !running.is_empty() && warehouse.is_running(&running).await? {
        if Instant::now() > give_up {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
    Ok(true)
}

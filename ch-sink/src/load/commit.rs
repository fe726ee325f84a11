//! The end of a load: commits it, or finds out why that is refused.

use event_schema::value::Date;
use tracing::{Instrument as _, info, info_span};
use uuid::Uuid;

use crate::warehouse::{Proposal, Refusal, Standing, Warehouse};
use crate::{LoadError, WarehouseError};

/// Why a commit was not made.
#[derive(Debug)]
pub(crate) enum NotCommitted {
    /// A condition does not hold. `for_good` if no attempt can still be in flight.
    Refused { refusal: Refusal, for_good: bool },
    /// The server refused the statement.
    Failed(WarehouseError),
    /// Whether the row is there is not known.
    Unknown(WarehouseError),
}

impl NotCommitted {
    /// Whether the load's rows can be removed: no commit can name them any more.
    pub(crate) fn is_certain(&self) -> bool {
        match self {
            NotCommitted::Refused { for_good, .. } => *for_good,
            NotCommitted::Failed(_) => true,
            NotCommitted::Unknown(_) => false,
        }
    }

    /// The error that is reported to the user.
    pub(crate) async fn explain(self, warehouse: &Warehouse, batch_date: Date, fresh: &[Uuid]) -> LoadError {
        let load_id = fresh.first().copied().unwrap_or_default();
        match self {
            NotCommitted::Unknown(error) => LoadError::CommitUnknown { batch_date, error },
            NotCommitted::Failed(error) => LoadError::Warehouse { batch_date, error },
            NotCommitted::Refused { refusal: Refusal::Abandoned, .. } => {
                LoadError::Swept { batch_date, load_id }
            }
            NotCommitted::Refused { refusal: Refusal::Named, .. } => {
                LoadError::CommittedBefore { batch_date, load_id }
            }
            NotCommitted::Refused { refusal: Refusal::DayChanged, .. } => {
                LoadError::DayChanged { batch_date }
            }
            NotCommitted::Refused { refusal: Refusal::RowsDiffer { table, sent }, .. } => {
                let mut stored = 0;
                for load_id in fresh {
                    stored += warehouse.count(table, batch_date, *load_id).await.unwrap_or_default();
                }
                let table = warehouse.data_table(table);
                LoadError::rows_differ(warehouse, batch_date, load_id, table, stored, sent).await
            }
        }
    }
}

impl LoadError {
    /// With the cause, if something is known to remove the rows.
    pub(super) async fn rows_differ(
        warehouse: &Warehouse,
        batch_date: Date,
        load_id: Uuid,
        table: String,
        stored: u64,
        sent: u64,
    ) -> LoadError {
        let cause = if stored < sent { warehouse.what_removes_rows(&table).await } else { None };
        LoadError::RowsDiffer { batch_date, load_id, table, stored, sent, cause }
    }
}

/// Writes the row and reads it back; retried while the server is out of reach.
pub(crate) async fn commit(warehouse: &Warehouse, proposal: &Proposal<'_>) -> Result<Standing, NotCommitted> {
    let Proposal { batch_date, commit, .. } = proposal;
    let span = info_span!("commit", %batch_date, commit_id = %commit.commit_id);
    let committing = async {
        let outcome = try_commit(warehouse, proposal).await;
        match &outcome {
            Ok(standing) => info!(
                loads = commit.load_ids.len(),
                rows = commit.record.stats.accepted_rows(),
                ?standing,
                "committed"
            ),
            Err(reason) => info!(?reason, "not committed"),
        }
        outcome
    };
    committing.instrument(span).await
}

async fn try_commit(warehouse: &Warehouse, proposal: &Proposal<'_>) -> Result<Standing, NotCommitted> {
    let mut backoff = warehouse.backoff();
    let mut for_good = true;
    loop {
        let written = warehouse.try_commit(proposal).await;
        // Also after an error: the row may be stored although the answer was lost.
        let found = warehouse.find_commit(proposal.batch_date, proposal.commit.commit_id).await;
        let error = match (written, found) {
            (_, Ok(Some(standing))) => return Ok(standing),
            (Ok(()), Ok(None)) => match warehouse.refusal(proposal).await {
                Ok(Some(refusal)) => return Err(NotCommitted::Refused { refusal, for_good }),
                // Every condition holds by now: try again.
                Ok(None) => WarehouseError::TimedOut {
                    doing: "commit the day".to_owned(),
                    after: std::time::Duration::ZERO,
                },
                Err(error) => return Err(NotCommitted::Unknown(error)),
            },
            // An explicit refusal is final, unless an earlier attempt may still be in flight.
            (Err(error), Ok(None)) if error.is_final() => {
                return Err(if for_good {
                    NotCommitted::Failed(error)
                } else {
                    NotCommitted::Unknown(error)
                });
            }
            (Err(error), Ok(None)) => {
                for_good = false;
                error
            }
            (_, Err(error)) => return Err(NotCommitted::Unknown(error)),
        };
        backoff.after(error).await.map_err(NotCommitted::Unknown)?;
    }
}

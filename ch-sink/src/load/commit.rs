//! The end of a load: its row is written, or it is known why not.

use event_schema::value::Date;
use uuid::Uuid;

use crate::warehouse::{Proposal, Refusal, Standing, Warehouse};
use crate::{LoadError, WarehouseError};

/// Why a commit was not made.
#[derive(Debug)]
pub(crate) enum NotCommitted {
    /// Something that must hold does not. `for_good` if no attempt can still be on its way.
    Refused { refusal: Refusal, for_good: bool },
    /// The server refused the statement.
    Failed(WarehouseError),
    /// Whether the row is there is not known.
    Unknown(WarehouseError),
}

impl NotCommitted {
    /// Whether the load's rows may go: nothing can name them any more.
    pub(crate) fn is_certain(&self) -> bool {
        match self {
            NotCommitted::Refused { for_good, .. } => *for_good,
            NotCommitted::Failed(_) => true,
            NotCommitted::Unknown(_) => false,
        }
    }

    /// As it is told to the user.
    pub(crate) async fn explain(self, warehouse: &Warehouse, batch_date: Date, fresh: &[Uuid]) -> LoadError {
        let load_id = fresh.first().copied().unwrap_or_default();
        match self {
            NotCommitted::Unknown(error) => LoadError::CommitUnknown { batch_date, error },
            NotCommitted::Failed(error) => LoadError::Warehouse { batch_date, error },
            NotCommitted::Refused { refusal: Refusal::Dead, .. } => LoadError::Swept { batch_date, load_id },
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
    /// With what takes the rows away, if something does.
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

/// Writes the row and reads it back, again and again while the server is out of reach.
pub(crate) async fn commit(warehouse: &Warehouse, proposal: &Proposal<'_>) -> Result<Standing, NotCommitted> {
    let mut pauses = warehouse.pauses();
    let mut for_good = true;
    loop {
        let written = warehouse.try_commit(proposal).await;
        // Also after an error: the row may be there although the answer was lost.
        let found = warehouse.find_commit(proposal.batch_date, proposal.commit.commit_id).await;
        let error = match (written, found) {
            (_, Ok(Some(standing))) => return Ok(standing),
            (Ok(()), Ok(None)) => match warehouse.refusal(proposal).await {
                Ok(Some(refusal)) => return Err(NotCommitted::Refused { refusal, for_good }),
                // What had stood against it is gone: so try again.
                Ok(None) => WarehouseError::TimedOut {
                    doing: "commit the day".to_owned(),
                    after: std::time::Duration::ZERO,
                },
                Err(error) => return Err(NotCommitted::Unknown(error)),
            },
            // A refusal that the server spelt out is no doubt; unless an earlier attempt is.
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
        pauses.after(error).await.map_err(NotCommitted::Unknown)?;
    }
}

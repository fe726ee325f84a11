//! The commit: one statement that checks every condition and inserts the row.
//!
//! It runs in the server, so that a client that is suspended between check and insert (a closed laptop, a paused
//! container) cannot commit a load that was swept meanwhile. While it runs, `system.processes` shows it: a sweep
//! that waits for older queries waits for it, too.

use event_schema::registry::{Column, DEAD_LOADS, LOADS, REJECTED_EVENTS, REPLAYED_LINES, TableId};
use event_schema::value::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Commit, Warehouse, id_array, literal};
use crate::WarehouseError;
use crate::record;

/// A proposed commit of a date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proposal<'a> {
    pub(crate) batch_date: Date,
    pub(crate) commit: &'a Commit,
    /// The loads of the commit that no other may have named: all, or all but those of `base`.
    pub(crate) fresh: &'a [Uuid],
    /// The commit whose loads are named again. It must still be the latest: otherwise they may be removed.
    pub(crate) base: Option<Uuid>,
    /// Lines that a fresh load has taken from what others had rejected.
    pub(crate) replayed: u64,
    /// Lines that the fresh loads have rejected.
    pub(crate) rejected: u64,
}

/// Why a proposal did not become the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A load was swept as dead.
    Abandoned,
    /// A load was committed already.
    Named,
    /// Another commit holds than the one that the proposal builds on.
    DayChanged,
    /// The server does not have the rows that were sent to a table.
    RowsDiffer { table: &'static str, sent: u64 },
}

/// What a statement calls the loads of the commit, and the fresh ones.
const ALL: &str = "all_loads";
const FRESH: &str = "fresh_loads";

impl Proposal<'_> {
    /// `WITH …`: gives [`ALL`] and [`FRESH`] their values, once for all conditions.
    fn with_loads(&self) -> String {
        format!("WITH {} AS {ALL}, {} AS {FRESH}", id_array(&self.commit.load_ids), id_array(self.fresh))
    }

    /// The conditions, each with the refusal that it means if it does not hold, in the order of explanation.
    fn conditions(&self, warehouse: &Warehouse) -> Vec<(Refusal, String)> {
        let Proposal { batch_date, commit, base, replayed, rejected, .. } = self;
        let loads = warehouse.bookkeeping(LOADS.table);
        let of_the_date = format!("FROM {loads} WHERE batch_date = '{batch_date}'");
        let mut conditions = vec![
            (
                Refusal::Abandoned,
                format!(
                    "(SELECT count() FROM {} WHERE load_id IN {ALL}) = 0",
                    warehouse.bookkeeping(DEAD_LOADS.table)
                ),
            ),
            (Refusal::Named, format!("(SELECT countIf(hasAny(load_ids, {FRESH})) {of_the_date}) = 0")),
        ];
        if let Some(base) = base {
            conditions.push((
                Refusal::DayChanged,
                format!(
                    "(SELECT argMax(commit_id, (committed_at, commit_id)) {of_the_date}) = toUUID('{base}')"
                ),
            ));
        }
        let mut rows = |table: &'static str, ids: &str, sent: u64| {
            let condition = format!(
                "(SELECT count() FROM {} WHERE batch_date = '{batch_date}' AND load_id IN {ids}) = {sent}",
                warehouse.rows_table(table)
            );
            conditions.push((Refusal::RowsDiffer { table, sent }, condition));
        };
        for id in TableId::ALL {
            rows(id.name(), ALL, commit.record.stats.rows_of(id));
        }
        rows(REJECTED_EVENTS.table, FRESH, *rejected);
        rows(REPLAYED_LINES.table, FRESH, *replayed);
        conditions
    }
}

impl Warehouse {
    /// Writes the row if every condition holds. Read it back afterwards: it may be stored even if this fails.
    ///
    /// Sent twice, it is written once: the server runs one query of an id at a time, and the statement writes
    /// nothing if the row is there.
    pub(crate) async fn try_commit(&self, proposal: &Proposal<'_>) -> Result<(), WarehouseError> {
        #[derive(Serialize)]
        struct Row<'a> {
            batch_date: Date,
            #[serde(flatten)]
            commit: &'a Commit,
        }
        let Proposal { batch_date, commit, .. } = *proposal;
        let loads = self.bookkeeping(LOADS.table);
        // By the server's clock; but after the latest commit, also if the clock was set back.
        let now = format!(
            "greatest(now64(3, 'UTC'), addMilliseconds((SELECT max(committed_at) FROM {loads} \
             WHERE batch_date = '{batch_date}'), 1))"
        );
        // Functions, where a table function would need a grant of its own (CREATE TEMPORARY TABLE).
        let value = |column: &Column| match column.name {
            "committed_at" => now.clone(),
            name => format!("JSONExtract(committed, '{name}', {})", literal(&column.ty.to_string())),
        };
        let columns: Vec<&str> = LOADS.columns.iter().map(|column| column.name).collect();
        let values: Vec<String> = LOADS.columns.iter().map(value).collect();
        let mut conditions = vec![format!(
            "(SELECT count() FROM {loads} WHERE batch_date = '{batch_date}' AND commit_id = '{}') = 0",
            commit.commit_id
        )];
        conditions.extend(proposal.conditions(self).into_iter().map(|(_, condition)| condition));
        let row = record::row(&LOADS, &Row { batch_date, commit });
        // The row is part of the statement, and that is what is sent: as data it would come after a statement in the
        // address, which has no room for the ids of many loads.
        let statement = format!(
            "INSERT INTO {loads} ({}) {}, {} AS committed SELECT {} WHERE {}",
            columns.join(", "),
            proposal.with_loads(),
            literal(&row),
            values.join(", "),
            conditions.join(" AND ")
        );
        let id = commit.commit_id.to_string();
        self.execute_once("commit the day", &statement, &id).await
    }

    /// Why a proposal was refused: the first thing that does not hold. `None` if by now everything does.
    pub(crate) async fn refusal(&self, proposal: &Proposal<'_>) -> Result<Option<Refusal>, WarehouseError> {
        #[derive(Deserialize)]
        struct Verdicts {
            holds: Vec<u8>,
        }
        let (refusals, conditions): (Vec<_>, Vec<_>) = proposal.conditions(self).into_iter().unzip();
        let sql = format!("{} SELECT array({}) AS holds", proposal.with_loads(), conditions.join(", "));
        let verdicts: Vec<Verdicts> = self.fetch("ask why the commit was refused", &sql).await?;
        let holds = verdicts.into_iter().next().map(|verdicts| verdicts.holds).unwrap_or_default();
        Ok(refusals.into_iter().zip(holds).find(|(_, holds)| *holds == 0).map(|(refusal, _)| refusal))
    }
}

//! Rejected lines: counted, and read a page at a time.

use std::fmt::Write;

use event_schema::generate::all_view;
use event_schema::registry::{REJECTED_EVENTS, REPLAYED_LINES};
use event_schema::value::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Warehouse, id_array, literal};
use crate::WarehouseError;
use crate::rejected::Example;

/// Lines read at once; each has at most 64 KiB.
const PAGE_LINES: u64 = 1000;

/// Which rejected lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectFilter {
    /// Rejected for this reason.
    pub reason: Option<String>,
    /// Rejected for this field, like `properties.amount`; empty for the line as a whole.
    pub field: Option<String>,
    /// Of this source.
    pub source: Option<String>,
}

/// Whose rejected lines, as the server is asked for them: rows that do not change while they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RejectsIn {
    /// Those of the loads that a commit of the date names, and that no replay among these has accepted.
    Commit { batch_date: Date, load_ids: Vec<Uuid> },
    /// Those of a load, committed or not.
    Load(Uuid),
}

/// The identity of a rejected line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RejectKey {
    /// The load that has rejected it, as text.
    #[serde(rename = "load_id")]
    pub load: String,
    /// Its source.
    pub source_file: String,
    /// Its line there, from 1.
    pub source_line: u64,
}

/// A rejected line as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedLine {
    /// Where it came from.
    pub key: RejectKey,
    /// Where it begins in the source, in bytes.
    pub byte_offset: u64,
    /// Why it was rejected.
    pub reason: String,
    /// The field; empty for the line as a whole.
    pub field: String,
    /// What was expected and what stood there.
    pub message: String,
    /// Every violation, each `reason field`.
    pub violations: Vec<String>,
    /// Its bytes; of a line that is too long the first 64 KiB.
    pub raw: Vec<u8>,
}

impl RejectedLine {
    /// Whether only its start was kept. (A line that was too long for a small limit may be kept whole.)
    pub fn is_cut(&self) -> bool {
        self.reason == event_schema::Reason::LineTooLong.as_str()
            && self.raw.len() >= event_parser::KEPT_BYTES
    }

    /// As an example for a message.
    pub(crate) fn example(self) -> Example {
        Example {
            source: self.key.source_file,
            line: self.key.source_line,
            reason: self.reason,
            field: self.field,
            message: self.message,
        }
        .cut()
    }
}

/// How many lines were rejected for a reason and a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectCount {
    /// The first violation's reason.
    pub reason: String,
    /// Its field; empty for the line as a whole.
    pub field: String,
    /// How many lines.
    pub lines: u64,
}

impl RejectsIn {
    fn rows(&self, warehouse: &Warehouse, filter: &RejectFilter) -> String {
        let raw = warehouse.databases.raw();
        let lines = all_view(REJECTED_EVENTS.table);
        let mut rows = match self {
            RejectsIn::Load(load_id) => format!("{raw}.{lines} WHERE load_id = '{load_id}'"),
            RejectsIn::Commit { batch_date, load_ids } => {
                let ids = id_array(load_ids);
                let global = if warehouse.cluster.is_some() { "GLOBAL " } else { "" };
                format!(
                    "{raw}.{lines} WHERE batch_date = '{batch_date}' AND load_id IN {ids} \
                     AND (load_id, source_file, source_line) {global}NOT IN \
                     (SELECT rejected_by, source_file, source_line FROM {raw}.{} \
                     WHERE batch_date = '{batch_date}' AND load_id IN {ids})",
                    all_view(REPLAYED_LINES.table)
                )
            }
        };
        let RejectFilter { reason, field, source } = filter;
        for (column, wanted) in [("reason", reason), ("field", field), ("source_file", source)] {
            if let Some(wanted) = wanted {
                write!(rows, " AND {column} = {}", literal(wanted)).expect("writing to a string");
            }
        }
        rows
    }
}

impl Warehouse {
    /// How many lines were rejected, by reason and field, the most frequent first.
    pub(crate) async fn reject_counts(
        &self,
        rejects: &RejectsIn,
        filter: &RejectFilter,
    ) -> Result<Vec<RejectCount>, WarehouseError> {
        let sql = format!(
            "SELECT reason, field, count() AS lines FROM {} GROUP BY reason, field ORDER BY lines DESC, reason, field",
            rejects.rows(self, filter)
        );
        self.fetch("count rejected lines", &sql).await
    }

    /// The rejected lines that come after a key, in the order of their keys: a page of them.
    pub(crate) async fn reject_page(
        &self,
        rejects: &RejectsIn,
        filter: &RejectFilter,
        after: Option<&RejectKey>,
    ) -> Result<Vec<RejectedLine>, WarehouseError> {
        let after = after.map_or(String::new(), |RejectKey { load, source_file, source_line }| {
            format!(
                " AND (toString(rejected.load_id), toString(source_file), source_line) > ({}, {}, {source_line})",
                literal(load),
                literal(source_file)
            )
        });
        let end = format!(
            "WHERE 1{after} ORDER BY toString(rejected.load_id), source_file, source_line LIMIT {PAGE_LINES}"
        );
        self.rejected_lines(&rejects.rows(self, filter), &end).await
    }

    /// The first rejected line of each reason.
    pub(crate) async fn reject_examples(
        &self,
        rejects: &RejectsIn,
    ) -> Result<Vec<RejectedLine>, WarehouseError> {
        let end = "ORDER BY reason, source_file, source_line LIMIT 1 BY reason";
        self.rejected_lines(&rejects.rows(self, &RejectFilter::default()), end).await
    }

    /// Rejected lines of some rows; `end` says which of them, and in which order.
    async fn rejected_lines(&self, rows: &str, end: &str) -> Result<Vec<RejectedLine>, WarehouseError> {
        #[derive(Deserialize)]
        struct Row {
            #[serde(flatten)]
            key: RejectKey,
            byte_offset: u64,
            reason: String,
            field: String,
            message: String,
            violations: Vec<String>,
            raw_hex: String,
        }
        // Bytes that are not UTF-8 cannot be JSON strings; hexadecimal digits can.
        let sql = format!(
            "SELECT toString(rejected.load_id) AS load_id, source_file, source_line, byte_offset, reason, field, message, \
             violations, hex(raw) AS raw_hex FROM (SELECT * FROM {rows}) AS rejected {end}"
        );
        let rows: Vec<Row> = self.fetch("read rejected lines", &sql).await?;
        let line = |row: Row| {
            let Row { key, byte_offset, reason, field, message, violations, raw_hex } = row;
            let raw = from_hex(&raw_hex)?;
            Some(RejectedLine { key, byte_offset, reason, field, message, violations, raw })
        };
        rows.into_iter().map(line).collect::<Option<Vec<_>>>().ok_or_else(|| WarehouseError::Unexpected {
            doing: "read rejected lines".to_owned(),
            problem: "its hexadecimal digits are none".to_owned(),
        })
    }
}

/// The bytes that an even number of hexadecimal digits spells.
fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_read() {
        assert_eq!(from_hex("00fFa0"), Some(vec![0, 255, 160]));
        assert_eq!((from_hex(""), from_hex("0"), from_hex("0g")), (Some(Vec::new()), None, None));
    }
}

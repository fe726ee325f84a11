//! What was read and stored: the record that staged loads, commits and loaded days hold.

use std::collections::BTreeSet;

use event_parser::LoadStats;
use event_schema::registry::Bookkeeping;
use event_source::{Fingerprint, Source};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What one load, or all loads of a day, have read and stored: the columns that `raw.staged_loads` and `raw.loads` have
/// in common.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadRecord {
    /// What was read.
    pub sources: Vec<CommittedSource>,
    /// How much of it there was, and what became of it.
    #[serde(flatten)]
    pub stats: LoadStats,
    /// The mapping that the lines were read with, by name and hash; empty for none.
    #[serde(default)]
    pub mapping: String,
    /// How long it took.
    pub seconds: f64,
    /// The version of Schoolbell that loaded it.
    pub version: String,
}

/// A source of a load.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommittedSource {
    /// Its name.
    pub name: String,
    /// Its stored (compressed) bytes.
    pub size: u64,
    /// A hash of them.
    pub etag: String,
}

impl CommittedSource {
    pub(crate) fn new(source: &Source, Fingerprint { size, etag }: Fingerprint) -> CommittedSource {
        CommittedSource { name: source.name().to_owned(), size, etag }
    }
}

impl LoadRecord {
    /// What this version has loaded.
    pub(crate) fn new(
        sources: Vec<CommittedSource>,
        stats: LoadStats,
        mapping: String,
        seconds: f64,
    ) -> LoadRecord {
        LoadRecord { sources, stats, mapping, seconds, version: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// The sum of several loads, committed by this version.
    pub(crate) fn sum<'a>(records: impl Iterator<Item = &'a LoadRecord> + Clone) -> LoadRecord {
        let mappings: BTreeSet<&str> = records.clone().map(|record| record.mapping.as_str()).collect();
        LoadRecord::new(
            records.clone().flat_map(|record| record.sources.clone()).collect(),
            records.clone().map(|record| &record.stats).sum(),
            mappings.into_iter().filter(|mapping| !mapping.is_empty()).collect::<Vec<_>>().join(", "),
            records.map(|record| record.seconds).sum(),
        )
    }

    /// Whether it is of exactly these sources, in whatever order, by the same mapping.
    pub(crate) fn is_of(&self, sources: &[CommittedSource], mapping: &str) -> bool {
        let sorted = |sources: &[CommittedSource]| {
            let mut sources = sources.to_vec();
            sources.sort_unstable();
            sources
        };
        self.mapping == mapping && sorted(&self.sources) == sorted(sources)
    }

    /// Stored (compressed) bytes of the sources.
    pub(crate) fn bytes(&self) -> u64 {
        self.sources.iter().map(|source| source.size).sum()
    }
}

/// What the figure in a column is called in [`LoadStats`] and in JSON.
fn figure(column: &str) -> &str {
    match column {
        "accepted_rows" => "accepted",
        "rejected_rows" => "rejected",
        "dropped_lines" => "dropped",
        column => column,
    }
}

/// The columns of a table without some, as a `SELECT` that gives them the names that records have.
pub(crate) fn select_list(table: &Bookkeeping, without: &[&str]) -> String {
    let columns = table.columns.iter().map(|column| column.name).filter(|name| !without.contains(name));
    let selected = columns.map(|column| match figure(column) {
        figure if figure == column => column.to_owned(),
        figure => format!("{column} AS {figure}"),
    });
    selected.collect::<Vec<_>>().join(", ")
}

/// A record as a row of a table: a JSON object with the names of its columns.
pub(crate) fn row(table: &Bookkeeping, record: &impl Serialize) -> String {
    let record = serde_json::to_value(record).expect("records have string keys");
    let column = |name: &'static str| Some((name.to_owned(), record.get(figure(name))?.clone()));
    let row: Map<String, Value> = table.columns.iter().filter_map(|found| column(found.name)).collect();
    Value::Object(row).to_string()
}

#[cfg(test)]
mod tests {
    use event_schema::registry::{LOADS, STAGED_LOADS};

    use super::*;

    #[test]
    fn a_record_is_written_and_read_by_the_names_of_columns() {
        let mut stats = LoadStats::default();
        stats.lines = 3;
        stats.accepted.insert("events".to_owned(), 2);
        stats.rejected.insert("not_json".to_owned(), 1);
        stats.dropped.insert("profile".to_owned(), 4);
        let record = LoadRecord::new(Vec::new(), stats, "segment 0a1b".to_owned(), 1.5);
        let version = env!("CARGO_PKG_VERSION");
        let row: Value = serde_json::from_str(&row(&LOADS, &record)).unwrap();
        assert_eq!(
            row,
            serde_json::json!({
                "sources": [], "lines": 3, "blank_lines": 0, "accepted_rows": {"events": 2},
                "rejected_rows": {"not_json": 1}, "dropped_lines": {"profile": 4}, "mapping": "segment 0a1b", "seconds": 1.5, "version": version,
            })
        );
        assert_eq!(
            select_list(&STAGED_LOADS, &["batch_date", "staged_at"]),
            "load_id, sources, lines, blank_lines, accepted_rows AS accepted, rejected_rows AS rejected, \
             dropped_lines AS dropped, mapping, seconds, version"
        );
    }
}

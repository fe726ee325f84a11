//! The figures of a load: numbers of lines, rows and rejected lines.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::AddAssign;

use event_schema::registry::TableId;
use serde::{Deserialize, Serialize};

/// How many lines were read, and what became of them: the figures of a batch, a load, or all loads of a day.
///
/// The keys of the maps are strings, not [`TableId`] and [`Reason`](event_schema::Reason), because another version of
/// Schoolbell may have written them.
///
/// To add a figure, add a field here and a line in [`AddAssign`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoadStats {
    /// Lines read, blank ones included.
    pub lines: u64,
    /// Blank lines.
    pub blank_lines: u64,
    /// Rows accepted, by table.
    pub accepted: BTreeMap<String, u64>,
    /// Lines rejected, by the reason of their first violation.
    pub rejected: BTreeMap<String, u64>,
    /// Lines that a mapping has dropped, by its rule's word.
    #[serde(default)]
    pub dropped: BTreeMap<String, u64>,
}

impl LoadStats {
    /// Rows accepted, of all tables.
    pub fn accepted_rows(&self) -> u64 {
        self.accepted.values().sum()
    }

    /// Rows accepted, of one table.
    pub fn rows_of(&self, table: TableId) -> u64 {
        self.accepted.get(table.name()).copied().unwrap_or_default()
    }

    /// Lines rejected.
    pub fn rejected_lines(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Lines dropped.
    pub fn dropped_lines(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Lines that were accepted or rejected: neither blank nor dropped. Where a mapping makes several events of a line,
    /// each counts.
    pub fn checked_lines(&self) -> u64 {
        self.accepted_rows() + self.rejected_lines()
    }

    /// The share of rejected lines among the checked ones; 0 where there are none.
    pub fn reject_ratio(&self) -> f64 {
        self.rejected_lines() as f64 / self.checked_lines().max(1) as f64
    }
}

impl AddAssign<&LoadStats> for LoadStats {
    fn add_assign(&mut self, other: &LoadStats) {
        let LoadStats { lines, blank_lines, accepted, rejected, dropped } = other;
        self.lines += lines;
        self.blank_lines += blank_lines;
        add_counts(&mut self.accepted, accepted);
        add_counts(&mut self.rejected, rejected);
        add_counts(&mut self.dropped, dropped);
    }
}

impl<'a> Sum<&'a LoadStats> for LoadStats {
    fn sum<I: Iterator<Item = &'a LoadStats>>(stats: I) -> LoadStats {
        stats.fold(LoadStats::default(), |mut sum, stats| {
            sum += stats;
            sum
        })
    }
}

fn add_counts(sums: &mut BTreeMap<String, u64>, counts: &BTreeMap<String, u64>) {
    for (name, count) in counts {
        add_count(sums, name, *count);
    }
}

/// Adds to the count of that name.
pub(crate) fn add_count(counts: &mut BTreeMap<String, u64>, name: &str, more: u64) {
    match counts.get_mut(name) {
        Some(count) => *count += more,
        None => {
            counts.insert(name.to_owned(), more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_has_every_figure() {
        let counts = |name: &str, count| BTreeMap::from([(name.to_owned(), count)]);
        let one = LoadStats {
            lines: 10,
            blank_lines: 1,
            accepted: counts("events", 5),
            rejected: counts("too_long", 2),
            dropped: counts("noise", 1),
        };
        let other = LoadStats {
            lines: 2,
            accepted: counts("sessions", 1),
            rejected: counts("too_long", 1),
            ..LoadStats::default()
        };
        let sum: LoadStats = [&one, &other].into_iter().sum();
        assert_eq!((sum.lines, sum.blank_lines, sum.dropped.values().sum::<u64>()), (12, 1, 1));
        assert_eq!(
            (sum.accepted_rows(), sum.rows_of(TableId::Sessions), sum.rejected["too_long"]),
            (6, 1, 3)
        );
        assert_eq!((sum.checked_lines(), sum.dropped_lines()), (9, 1));
        assert!((sum.reject_ratio() - 3.0 / 9.0).abs() < 1e-9);
        assert!(LoadStats::default().reject_ratio() < f64::MIN_POSITIVE, "no line is no rejected line");
    }
}

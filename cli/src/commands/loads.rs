//! `loads`: what is loaded.

use ch_sink::{LoadRecord, LoadedDay, Need};
use event_schema::registry::TableId;
use event_schema::value::Date;
use serde::Serialize;

use super::{Talk, check_dates, connect, runtime};
use crate::args;
use crate::failure::{Failure, Outcome};
use crate::output::{Column, table, thousands};

pub(crate) fn run(command: &args::Loads, talk: Talk) -> Outcome {
    let args::Loads::List { from, to, connection } = command;
    check_dates(*from, *to)?;
    let loads = runtime()?.block_on(async {
        let warehouse = connect(connection, Need::Loads).await?;
        Ok::<_, Failure>(warehouse.loaded_days(*from, *to).await?)
    })?;
    let gaps = gaps(&loads, *from, *to);
    talk.output.print(&List { loads, gaps }, as_text)
}

/// What is loaded, and what is missing between.
#[derive(Debug, Serialize)]
struct List {
    loads: Vec<LoadedDay>,
    gaps: Vec<Gap>,
}

/// Dates in a row that are not loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Gap {
    from: Date,
    to: Date,
    days: u32,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Gap { from, to, days } = self;
        if *days == 1 { write!(f, "{from}") } else { write!(f, "{from} to {to} ({days} days)") }
    }
}

/// The dates between the loaded ones that are not loaded; also those after `from` and before `to`, where they are given.
pub(super) fn gaps(loads: &[LoadedDay], from: Option<Date>, to: Option<Date>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut push = |first: Date, end: Date| {
        if let (Some(last), true) = (end.plus_days(-1), first < end) {
            gaps.push(Gap { from: first, to: last, days: u32::from(end.days() - first.days()) });
        }
    };
    let mut expected = from.or_else(|| loads.first().map(|load| load.batch_date));
    for load in loads {
        if let Some(expected) = expected {
            push(expected, load.batch_date);
        }
        expected = load.batch_date.plus_days(1);
    }
    if let (Some(expected), Some(end)) = (expected, to.and_then(|to| to.plus_days(1))) {
        push(expected, end);
    }
    gaps
}

fn as_text(list: &List) -> String {
    let mut columns = vec![Column::left("batch_date")];
    columns.extend(TableId::ALL.map(|id| Column::right(id.name())));
    columns.extend([Column::right("rejected"), Column::right("sources"), Column::left("loaded at (UTC)")]);
    let mut lines: Vec<(Date, Vec<String>)> = list
        .loads
        .iter()
        .map(|load| {
            let mut cells = vec![load.batch_date.to_string()];
            let LoadRecord { stats, sources, .. } = &load.record;
            cells.extend(TableId::ALL.map(|id| thousands(stats.rows_of(id))));
            cells.push(thousands(stats.rejected_lines()));
            cells.push(thousands(sources.len() as u64));
            cells.push(load.committed_at.get(..16).unwrap_or_default().replace('T', " "));
            (load.batch_date, cells)
        })
        .collect();
    lines.extend(list.gaps.iter().map(|gap| (gap.from, vec![format!("missing: {gap}")])));
    lines.sort_by_key(|(date, _)| *date);
    if lines.is_empty() {
        return "no day is loaded\n".to_owned();
    }
    table(&columns, &lines.into_iter().map(|(_, cells)| cells).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(dates: &[&str]) -> Vec<LoadedDay> {
        let day = |date: &&str| LoadedDay {
            batch_date: date.parse().unwrap(),
            committed_at: String::new(),
            load_ids: Vec::new(),
            record: LoadRecord::default(),
        };
        dates.iter().map(day).collect()
    }

    #[test]
    fn dates_that_are_missing_are_found() {
        let found = |dates: &[&str], from: Option<&str>, to: Option<&str>| {
            let date = |text: &str| text.parse::<Date>().unwrap();
            let gaps = gaps(&loaded(dates), from.map(date), to.map(date));
            gaps.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        let days = ["2026-02-27", "2026-02-28", "2026-03-02", "2026-03-06"];
        let between = "2026-03-01; 2026-03-03 to 2026-03-05 (3 days)";
        assert_eq!(found(&days, None, None), between);
        assert_eq!(found(&days, Some("2026-02-27"), Some("2026-03-06")), between);
        assert_eq!(
            found(&days, Some("2026-02-26"), Some("2026-03-08")),
            format!("2026-02-26; {between}; 2026-03-07 to 2026-03-08 (2 days)")
        );
        assert_eq!(found(&[], Some("2026-03-01"), Some("2026-03-02")), "2026-03-01 to 2026-03-02 (2 days)");
        assert_eq!(found(&[], None, Some("2026-03-02")), "");
        assert_eq!(found(&["2149-06-06"], None, Some("2149-06-06")), "");
    }
}

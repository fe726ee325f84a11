//! `fct_retention`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Cell, Facts, Period, Table};

/// `fct_retention`: how many of those who came first in a period come back in a later one.
pub fn retention(facts: &Facts) -> Table {
    let mut mart = Table::new(
        "fct_retention",
        &["cohort_period", "cohort_start", "period_index"],
        &[
            "cohort_users",
            "retained_users",
            "retention_rate",
            "retained_or_later_users",
            "rolling_retention_rate",
            "is_complete",
        ],
    );
    let Some(as_of) = facts.as_of else { return mart };
    for (period, last_index) in [(Period::Day, 90), (Period::Week, 52), (Period::Month, 24)] {
        let mut active: BTreeMap<&str, BTreeSet<Date>> = BTreeMap::new();
        for event in &facts.activity {
            active.entry(&event.user).or_default().insert(period.start(event.date));
        }
        let mut cohorts: BTreeMap<Date, Vec<BTreeSet<Date>>> = BTreeMap::new();
        for periods in active.into_values() {
            let first = *periods.first().expect("an active user has a period");
            cohorts.entry(first).or_default().push(periods);
        }
        for (cohort, users) in cohorts {
            for index in 0..=last_index {
                let start = period.nth(cohort, index);
                if start > as_of {
                    break;
                }
                let retained = users.iter().filter(|periods| periods.contains(&start)).count();
                let or_later =
                    users.iter().filter(|periods| periods.iter().any(|active| *active >= start)).count();
                mart.push(vec![
                    Cell::text(period.name()),
                    Cell::Date(cohort),
                    Cell::Index(index as u64),
                    Cell::count(users.len()),
                    Cell::count(retained),
                    Cell::ratio(retained, users.len()),
                    Cell::count(or_later),
                    Cell::ratio(or_later, users.len()),
                    Cell::Bool(period.last_day(start) <= as_of),
                ]);
            }
        }
    }
    mart
}

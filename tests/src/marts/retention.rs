//! `fct_retention`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Cell, Facts, Period, Table};

/// A segment and one of its values.
type Segment = (&'static str, String);

/// `fct_retention`: how many of those who came first in a period come back in a later one.
pub fn retention(facts: &Facts) -> Table {
    let mut mart = Table::new(
        "fct_retention",
        &["cohort_period", "cohort_start", "segment", "segment_value", "period_index"],
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
    let first_active = facts.first_active_dates();
    for period in Period::all(facts.week_start) {
        let mut active: BTreeMap<&str, BTreeSet<Date>> = BTreeMap::new();
        for event in &facts.activity {
            active.entry(&event.user).or_default().insert(period.start(event.date));
        }
        // A user is in the cohort of each segment value of the rows on their first date.
        let mut cohorts: BTreeMap<(Date, Segment), BTreeSet<&str>> = BTreeMap::new();
        for event in facts.activity.iter().filter(|event| event.date == first_active[&*event.user]) {
            for segment in event.segments() {
                cohorts.entry((period.start(event.date), segment)).or_default().insert(&event.user);
            }
        }
        for ((cohort, (segment, value)), users) in cohorts {
            for index in 0..=last_index(period) {
                let start = period.nth(cohort, index);
                if start > as_of {
                    break;
                }
                let retained = users.iter().filter(|user| active[*user].contains(&start)).count();
                let or_later =
                    users.iter().filter(|user| active[*user].iter().any(|active| *active >= start)).count();
                mart.push(vec![
                    Cell::text(period.name()),
                    Cell::Date(cohort),
                    Cell::text(segment),
                    Cell::text(&value),
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

fn last_index(period: Period) -> i64 {
    match period {
        Period::Day => 90,
        Period::Week(_) => 52,
        Period::Month => 24,
    }
}

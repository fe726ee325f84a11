//! `fct_conversion`.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Cell, Facts, Table, days_after};

const HORIZONS: [u64; 8] = [0, 1, 3, 7, 14, 30, 60, 90];

/// `fct_conversion`: how many of those who came, or tried, on a date have paid within so many days.
pub fn conversion(facts: &Facts) -> Table {
    let mut mart = Table::new(
        "fct_conversion",
        &["conversion", "cohort_date", "horizon_days"],
        &["cohort_users", "converted_users", "conversion_rate", "is_complete"],
    );
    let Some(as_of) = facts.as_of else { return mart };
    let mut trials = BTreeMap::new();
    for trial in facts.purchases.iter().filter(|purchase| purchase.is_trial) {
        let date = trials.entry(&*trial.event.user).or_insert(trial.event.date);
        *date = trial.event.date.min(*date);
    }
    let mut paid: BTreeMap<&str, Vec<Date>> = BTreeMap::new();
    for purchase in facts.paid() {
        paid.entry(&purchase.event.user).or_default().push(purchase.event.date);
    }
    let first_paid =
        |user: &str, from: Date| paid.get(user)?.iter().copied().filter(|date| *date >= from).min();

    for (name, cohort_dates) in [("activity_to_paid", facts.first_active_dates()), ("trial_to_paid", trials)]
    {
        // Each cohort's users as the date of their conversion.
        let mut cohorts: BTreeMap<Date, Vec<Option<Date>>> = BTreeMap::new();
        for (user, date) in cohort_dates {
            let from = if name == "trial_to_paid" { date } else { Date::MIN };
            cohorts.entry(date).or_default().push(first_paid(user, from));
        }
        for (cohort, users) in cohorts {
            for horizon in HORIZONS {
                let last = days_after(cohort, horizon as i64);
                let converted = users.iter().flatten().filter(|date| **date <= last).count();
                mart.push(vec![
                    Cell::text(name),
                    Cell::Date(cohort),
                    Cell::Index(horizon),
                    Cell::count(users.len()),
                    Cell::count(converted),
                    Cell::ratio(converted, users.len()),
                    Cell::Bool(last <= as_of),
                ]);
            }
        }
    }
    mart
}

//! `fct_activity_daily`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Cell, Facts, Period, Table, days_after};

type Users<'a> = BTreeSet<&'a str>;
/// The users active in a segment's value, by date.
type ActiveUsers<'a> = BTreeMap<Date, Users<'a>>;

/// `fct_activity_daily`: active users of 1, 7 and 30 days, and where each day's users come from.
pub fn activity_daily(facts: &Facts) -> Table {
    let mut mart = Table::new(
        "fct_activity_daily",
        &["activity_date", "segment", "segment_value"],
        &[
            "dau",
            "wau",
            "mau",
            "dau_wau",
            "dau_mau",
            "wau_mau",
            "is_mau_window_full",
            "new_users",
            "returning_users",
            "resurrected_users",
            "dormant_users",
        ],
    );
    let Some((first_day, as_of)) = facts.span() else { return mart };
    let first_active = facts.first_active_dates();
    let mut segments: BTreeMap<(&'static str, String), ActiveUsers<'_>> = BTreeMap::new();
    segments.entry(("overall", String::new())).or_default();
    for event in &facts.activity {
        for segment in event.segments() {
            segments.entry(segment).or_default().entry(event.date).or_default().insert(&event.user);
        }
    }
    let anywhere = &segments[&("overall", String::new())];

    for ((segment, value), days) in &segments {
        for date in Period::Day.starts(first_day, as_of) {
            let yesterday = days_after(date, -1);
            let [today, week, month] = [1, 7, 30].map(|length| active_in(days, date, length));
            if *segment != "overall" && month.is_empty() {
                continue;
            }
            let new = today.iter().filter(|user| first_active[*user] == date).count();
            let returning = today.iter().filter(|user| on(anywhere, yesterday).contains(*user)).count();
            let dormant = on(days, yesterday).difference(on(anywhere, date)).count();
            mart.push(vec![
                Cell::Date(date),
                Cell::text(segment),
                Cell::text(value),
                Cell::count(today.len()),
                Cell::count(week.len()),
                Cell::count(month.len()),
                Cell::ratio(today.len(), week.len()),
                Cell::ratio(today.len(), month.len()),
                Cell::ratio(week.len(), month.len()),
                Cell::Bool(days_after(date, -29) >= first_day),
                Cell::count(new),
                Cell::count(returning),
                Cell::count(today.len() - new - returning),
                Cell::count(dormant),
            ]);
        }
    }
    mart
}

fn active_in<'a>(days: &ActiveUsers<'a>, last: Date, length: i64) -> Users<'a> {
    days.range(days_after(last, 1 - length)..=last).flat_map(|(_, users)| users).copied().collect()
}

fn on<'a, 'b>(days: &'b ActiveUsers<'a>, date: Date) -> &'b Users<'a> {
    static NOBODY: Users<'static> = Users::new();
    days.get(&date).unwrap_or(&NOBODY)
}

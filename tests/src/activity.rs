//! `fct_activity_daily` a second time: sets of users, day by day, without SQL.
//!
//! Slow on purpose. Each number is computed as its definition reads, from the lines of the day files as the
//! plain [`reference`](crate::reference) reads them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::reference::{Row, Value};

/// A day file's rows.
#[derive(Debug, Clone)]
pub struct DayFile {
    /// The date of the file.
    pub batch_date: Date,
    /// Its name.
    pub source: String,
    /// Its accepted lines.
    pub rows: Vec<Row>,
}

/// A row of the mart.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityDay {
    /// `activity_date`.
    pub date: Date,
    /// `segment`: `overall`, `platform` or `country`.
    pub segment: &'static str,
    /// `segment_value`.
    pub value: String,
    /// Distinct users of 1, 7 and 30 days.
    pub active: [u64; 3],
    /// `is_mau_window_full`.
    pub is_mau_window_full: bool,
    /// New, returning, resurrected and dormant users.
    pub lifecycle: [u64; 4],
}

type Users = BTreeSet<Vec<u8>>;
/// The users active in a segment's value, by date.
type ActiveUsers = BTreeMap<Date, Users>;

/// The mart of these day files, in the order of its key.
pub fn activity_daily(files: &[DayFile], zone: &TimeZone) -> Vec<ActivityDay> {
    let Some(as_of) = files.iter().map(|file| file.batch_date).max() else { return Vec::new() };
    let mut segments: BTreeMap<(&'static str, Vec<u8>), ActiveUsers> = BTreeMap::new();
    let mut first_active: HashMap<Vec<u8>, Date> = HashMap::new();
    let mut first_money: Option<Date> = None;
    for (_, row) in deduplicated(files) {
        let date = date_of(row, zone);
        if date > as_of {
            continue;
        }
        if row.table == "purchases" {
            let is_refund = text(row, "kind") == b"refund";
            let is_paid = *column(row, "is_trial") == Value::Bool(false) && integer(row, "amount") > 0;
            if is_refund || is_paid {
                first_money = Some(first_money.map_or(date, |first| first.min(date)));
            }
        } else if row.table != "ab_test_assignments" {
            let user = text(row, "user_id");
            let first = first_active.entry(user.to_vec()).or_insert(date);
            *first = date.min(*first);
            for (segment, value) in [
                ("overall", &b""[..]),
                ("platform", text(row, "platform")),
                ("country", text(row, "country")),
            ] {
                let days = segments.entry((segment, value.to_vec())).or_default();
                days.entry(date).or_default().insert(user.to_vec());
            }
        }
    }
    let first_activity = first_active.values().min().copied();
    let Some(first_day) = first_activity.into_iter().chain(first_money).min() else { return Vec::new() };

    let anywhere = segments.get(&("overall", Vec::new())).cloned().unwrap_or_default();
    segments.entry(("overall", Vec::new())).or_default();
    let mut mart = Vec::new();
    for ((segment, value), days) in &segments {
        for date in dates(first_day, as_of) {
            let [today, week, month] = [1, 7, 30].map(|length| active_in(days, date, length));
            if *segment != "overall" && month.is_empty() {
                continue;
            }
            let (everyone, yesterday) = (on(&anywhere, date), on(&anywhere, before(date, 1)));
            let count =
                |wanted: &dyn Fn(&Vec<u8>) -> bool| today.iter().filter(|user| wanted(user)).count() as u64;
            let new = count(&|user| first_active[user] == date);
            let returning = count(&|user| yesterday.contains(user));
            let dormant =
                on(days, before(date, 1)).iter().filter(|user| !everyone.contains(*user)).count() as u64;
            mart.push(ActivityDay {
                date,
                segment,
                value: String::from_utf8(value.clone()).expect("lines are UTF-8"),
                active: [today.len() as u64, week.len() as u64, month.len() as u64],
                is_mau_window_full: before(date, 29) >= first_day,
                lifecycle: [new, returning, today.len() as u64 - new - returning, dormant],
            });
        }
    }
    mart.sort_by(|one, other| {
        (one.date, one.segment, &one.value).cmp(&(other.date, other.segment, &other.value))
    });
    mart
}

/// One row of each event, with its file: the earliest by batch date, source and line.
pub fn deduplicated(files: &[DayFile]) -> Vec<(&DayFile, &Row)> {
    let mut order: Vec<&DayFile> = files.iter().collect();
    order.sort_by_key(|file| (file.batch_date, &file.source));
    let mut seen = BTreeSet::new();
    let rows = order.into_iter().flat_map(|file| file.rows.iter().map(move |row| (file, row)));
    rows.filter(|(_, row)| {
        seen.insert((row.table, text(row, "user_id"), text(row, "event_id"), integer(row, "event_time")))
    })
    .collect()
}

fn active_in(days: &ActiveUsers, last: Date, length: i64) -> Users {
    days.range(before(last, length - 1)..=last).flat_map(|(_, users)| users).cloned().collect()
}

fn on(days: &ActiveUsers, date: Date) -> &Users {
    static NOBODY: Users = Users::new();
    days.get(&date).unwrap_or(&NOBODY)
}

fn dates(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(jiff::Span::new().days(1)).take_while(move |date| *date <= last)
}

fn before(date: Date, days: i64) -> Date {
    date.checked_sub(jiff::Span::new().days(days)).expect("dates are far from the calendar's ends")
}

fn date_of(row: &Row, zone: &TimeZone) -> Date {
    let time = Timestamp::from_millisecond(integer(row, "event_time")).expect("the contract bounds times");
    time.to_zoned_datetime(zone.clone()).date()
}

fn column<'a>(row: &'a Row, name: &str) -> &'a Value {
    let column = row.columns.iter().find(|(column, _)| *column == name);
    &column.unwrap_or_else(|| panic!("{} has no column {name}", row.table)).1
}

fn text<'a>(row: &'a Row, name: &str) -> &'a [u8] {
    match column(row, name) {
        Value::Text(text) => text,
        other => panic!("{name} is {other:?}"),
    }
}

fn integer(row: &Row, name: &str) -> i64 {
    match column(row, name) {
        Value::Int(integer) => *integer,
        other => panic!("{name} is {other:?}"),
    }
}

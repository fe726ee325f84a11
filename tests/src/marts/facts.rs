//! What happened: each event once, dated in a time zone, up to the last date that counts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
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

/// What all events have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Who did it.
    pub user: String,
    /// Its id, in lower case.
    pub event_id: String,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// The date of that in the facts' time zone.
    pub date: Date,
    /// On which platform, empty where unknown.
    pub platform: String,
    /// In which country, empty where unknown.
    pub country: String,
}

impl Event {
    /// The order of events: by time, and by id as text where that is the same.
    pub fn order(&self) -> (i64, &str) {
        (self.at, &self.event_id)
    }

    /// The segments every daily mart has, with the event's values of them.
    pub fn segments(&self) -> [(&'static str, String); 3] {
        [("overall", String::new()), ("platform", self.platform.clone()), ("country", self.country.clone())]
    }
}

/// An answer to a task.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) event: Event,
    pub(super) task: String,
    pub(super) course: String,
    pub(super) is_correct: bool,
    pub(super) number: Option<i64>,
    pub(super) duration_ms: Option<i64>,
}

/// A purchase, paid or not.
#[derive(Debug, Clone)]
pub(super) struct Purchase {
    pub(super) event: Event,
    pub(super) id: String,
    pub(super) plan: String,
    /// In 1/10000 of the currency's unit.
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) period_start: Date,
    pub(super) period_end: Date,
    pub(super) is_trial: bool,
}

impl Purchase {
    /// The same purchase, whatever the events and users that tell it.
    fn identity(&self) -> (&str, Date, Date) {
        (&self.id, self.period_start, self.period_end)
    }

    pub(super) fn is_paid(&self) -> bool {
        !self.is_trial && self.amount > 0
    }
}

/// Money given back.
#[derive(Debug, Clone)]
pub(super) struct Refund {
    pub(super) event: Event,
    pub(super) purchase_id: String,
    /// The paid purchase it names: the latest of that id that is not after it, else the earliest. `None` where no
    /// purchase has the id.
    pub(super) named: Option<Purchase>,
    /// In 1/10000 of the currency's unit.
    pub(super) amount: i64,
    pub(super) currency: String,
}

/// A user put into a variant of an experiment.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) event: Event,
    pub(super) experiment: String,
    pub(super) variant: String,
}

/// Everything that counts, each list in the order of time and event id, then of user: two users may have an event of
/// the same time and id, and which of two such purchases a refund names is not to depend on the file they stand in.
#[derive(Debug)]
pub struct Facts {
    /// The zone whose days these are.
    pub zone: TimeZone,
    /// The last date that counts; `None` where no day was loaded.
    pub as_of: Option<Date>,
    /// The day that weeks begin with: a Monday unless it is set.
    pub week_start: Weekday,
    /// Events, task results and sessions.
    pub activity: Vec<Event>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) purchases: Vec<Purchase>,
    pub(super) refunds: Vec<Refund>,
    pub(super) assignments: Vec<Assignment>,
}

impl Facts {
    /// The facts in these day files, in that zone, up to `as_of`: else to the last date of the zone that had ended when
    /// the date of the latest file ended in UTC.
    ///
    /// # Panics
    /// Where that lies beyond the calendar.
    pub fn new(files: &[DayFile], zone: &TimeZone, as_of: Option<Date>) -> Facts {
        let last_file = files.iter().map(|file| file.batch_date).max();
        let as_of = as_of.or_else(|| last_file.map(|date| last_ended(date, zone)));
        let mut facts = Facts {
            zone: zone.clone(),
            as_of,
            week_start: Weekday::Monday,
            activity: Vec::new(),
            attempts: Vec::new(),
            purchases: Vec::new(),
            refunds: Vec::new(),
            assignments: Vec::new(),
        };
        for (_, row) in deduplicated(files) {
            let event = event(row, zone);
            if as_of.is_none_or(|as_of| event.date <= as_of) {
                facts.add(event, row);
            }
        }
        by_time(&mut facts.activity, |event| event);
        by_time(&mut facts.attempts, |attempt| &attempt.event);
        by_time(&mut facts.purchases, |purchase| &purchase.event);
        by_time(&mut facts.refunds, |refund| &refund.event);
        by_time(&mut facts.assignments, |assignment| &assignment.event);
        facts.drop_repeated_purchases();
        facts.give_refunds_to_their_buyers();
        facts
    }

    fn add(&mut self, event: Event, row: &Row) {
        match row.table {
            "purchases" if text(row, "kind") == "purchase" => self.purchases.push(Purchase {
                id: text(row, "purchase_id"),
                plan: text(row, "plan"),
                amount: integer(row, "amount"),
                currency: text(row, "currency"),
                period_start: date(integer(row, "period_start")),
                period_end: date(integer(row, "period_end")),
                is_trial: boolean(row, "is_trial"),
                event,
            }),
            "purchases" => self.refunds.push(Refund {
                purchase_id: text(row, "purchase_id"),
                named: None,
                amount: integer(row, "amount"),
                currency: text(row, "currency"),
                event,
            }),
            "ab_test_assignments" => self.assignments.push(Assignment {
                experiment: text(row, "experiment_id"),
                variant: text(row, "variant"),
                event,
            }),
            "task_results" => {
                self.activity.push(event.clone());
                self.attempts.push(Attempt {
                    task: text(row, "task_id"),
                    course: text(row, "course_id"),
                    is_correct: boolean(row, "is_correct"),
                    number: optional_integer(row, "attempt"),
                    duration_ms: optional_integer(row, "duration_ms"),
                    event,
                });
            }
            _ => self.activity.push(event),
        }
    }

    /// Purchases that were told before do not count.
    fn drop_repeated_purchases(&mut self) {
        let mut told = BTreeSet::new();
        // They stand in the order of time and id.
        self.purchases.retain(|purchase| {
            let (id, start, end) = purchase.identity();
            told.insert((id.to_owned(), start, end))
        });
    }

    /// A refund is of the user, platform and country of the purchase it names. Refunds of trials do not count.
    fn give_refunds_to_their_buyers(&mut self) {
        let ids: BTreeSet<&str> = self.purchases.iter().map(|purchase| &*purchase.id).collect();
        let mut refunds = std::mem::take(&mut self.refunds);
        refunds.retain_mut(|refund| {
            let mut paid = self.paid().filter(|paid| paid.id == refund.purchase_id).peekable();
            let earliest = paid.peek().copied();
            let before = paid.filter(|paid| paid.event.at <= refund.event.at).last();
            let Some(named) = before.or(earliest) else { return !ids.contains(&*refund.purchase_id) };
            refund.event.user.clone_from(&named.event.user);
            refund.event.platform.clone_from(&named.event.platform);
            refund.event.country.clone_from(&named.event.country);
            refund.named = Some(named.clone());
            true
        });
        self.refunds = refunds;
    }

    /// The first and the last date of most marts' daily rows: from the first activity to the last date that counts.
    /// `None` where there is none.
    pub fn span(&self) -> Option<(Date, Date)> {
        Some((self.activity.iter().map(|event| event.date).min()?, self.as_of?))
    }

    /// The same where money is told: from the first money on, where that is earlier.
    pub fn span_of_money(&self) -> Option<(Date, Date)> {
        let activity = self.activity.iter().map(|event| event.date);
        let paid = self.paid().map(|purchase| purchase.event.date);
        let refunded = self.refunds.iter().map(|refund| refund.event.date);
        Some((activity.chain(paid).chain(refunded).min()?, self.as_of?))
    }

    /// The paid purchases.
    pub(super) fn paid(&self) -> impl Iterator<Item = &Purchase> {
        self.purchases.iter().filter(|purchase| purchase.is_paid())
    }

    /// Each user's first date of activity.
    pub fn first_active_dates(&self) -> BTreeMap<&str, Date> {
        let mut first = BTreeMap::new();
        for event in &self.activity {
            let date = first.entry(&*event.user).or_insert(event.date);
            *date = event.date.min(*date);
        }
        first
    }
}

/// Event id, user and time of every purchase that was told before, with the id of the event that counts.
pub fn repeated_purchases(files: &[DayFile]) -> Vec<(String, String, i64, String)> {
    /// Time, event id, and user.
    type Told = (i64, String, String);
    let mut told: BTreeMap<(String, i64, i64), Vec<Told>> = BTreeMap::new();
    for (_, row) in deduplicated(files) {
        if row.table == "purchases" && text(row, "kind") == "purchase" {
            let key = (text(row, "purchase_id"), integer(row, "period_start"), integer(row, "period_end"));
            let event = (integer(row, "event_time"), text(row, "event_id"), text(row, "user_id"));
            told.entry(key).or_default().push(event);
        }
    }
    let mut repeated = Vec::new();
    for mut events in told.into_values() {
        events.sort();
        let counted = events[0].1.clone();
        repeated.extend(events.into_iter().skip(1).map(|(at, id, user)| (id, user, at, counted.clone())));
    }
    repeated
}

/// The last date of a zone that had ended when this date ended in UTC.
///
/// # Panics
/// Where that lies beyond the calendar.
pub fn last_ended(date: Date, zone: &TimeZone) -> Date {
    let end = super::days_after(date, 1).to_zoned_datetime(TimeZone::UTC).expect("UTC has every instant");
    super::days_after(end.with_time_zone(zone.clone()).date(), -1)
}

fn by_time<T>(facts: &mut [T], event: impl Fn(&T) -> &Event) {
    facts.sort_by(|one, other| {
        let [one, other] = [event(one), event(other)];
        one.order().cmp(&other.order()).then_with(|| one.user.cmp(&other.user))
    });
}

/// One row of each event, with its file: the earliest by batch date, source and line.
pub fn deduplicated(files: &[DayFile]) -> Vec<(&DayFile, &Row)> {
    let mut seen = BTreeSet::new();
    let rows = in_order(files).into_iter().flat_map(|file| file.rows.iter().map(move |row| (file, row)));
    rows.filter(|(_, row)| {
        seen.insert((row.table, text(row, "user_id"), text(row, "event_id"), integer(row, "event_time")))
    })
    .collect()
}

fn in_order(files: &[DayFile]) -> Vec<&DayFile> {
    let mut order: Vec<&DayFile> = files.iter().collect();
    order.sort_by_key(|file| (file.batch_date, &file.source));
    order
}

/// Event id, table, user and time of every event whose id another user or time bears too, in order.
pub fn event_id_conflicts(files: &[DayFile]) -> BTreeSet<(String, &'static str, String, i64)> {
    let mut bearers: BTreeMap<String, BTreeSet<(&'static str, String, i64)>> = BTreeMap::new();
    for row in files.iter().flat_map(|file| &file.rows) {
        let bearer = (row.table, text(row, "user_id"), integer(row, "event_time"));
        bearers.entry(text(row, "event_id")).or_default().insert(bearer);
    }
    let mut conflicts = BTreeSet::new();
    for (id, bearers) in bearers {
        let distinct: BTreeSet<_> = bearers.iter().map(|(_, user, at)| (user, at)).collect();
        if distinct.len() > 1 {
            conflicts.extend(bearers.iter().map(|(table, user, at)| (id.clone(), *table, user.clone(), *at)));
        }
    }
    conflicts
}

fn event(row: &Row, zone: &TimeZone) -> Event {
    let at = integer(row, "event_time");
    let time = Timestamp::from_millisecond(at).expect("the contract bounds times");
    Event {
        user: text(row, "user_id"),
        event_id: text(row, "event_id"),
        at,
        date: time.to_zoned_datetime(zone.clone()).date(),
        platform: text(row, "platform"),
        country: text(row, "country"),
    }
}

/// A date from days since 1970-01-01.
fn date(days: i64) -> Date {
    super::days_after(Date::constant(1970, 1, 1), days)
}

fn column<'a>(row: &'a Row, name: &str) -> &'a Value {
    let column = row.columns.iter().find(|(column, _)| *column == name);
    &column.unwrap_or_else(|| panic!("{} has no column {name}", row.table)).1
}

fn text(row: &Row, name: &str) -> String {
    match column(row, name) {
        Value::Text(text) => String::from_utf8(text.clone()).expect("lines are UTF-8"),
        other => panic!("{name} is {other:?}"),
    }
}

fn integer(row: &Row, name: &str) -> i64 {
    optional_integer(row, name).unwrap_or_else(|| panic!("{name} is absent"))
}

fn optional_integer(row: &Row, name: &str) -> Option<i64> {
    match column(row, name) {
        Value::Int(integer) => Some(*integer),
        Value::Null => None,
        other => panic!("{name} is {other:?}"),
    }
}

fn boolean(row: &Row, name: &str) -> bool {
    match column(row, name) {
        Value::Bool(value) => *value,
        other => panic!("{name} is {other:?}"),
    }
}

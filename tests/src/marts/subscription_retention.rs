//! `fct_subscription_retention`.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::facts::Purchase;
use super::{Cell, Facts, Period, Table, days_after, months_after};

/// `fct_subscription_retention`: how many subscribers are inside a paid period so many months on.
///
/// A paid period counts for so many days of grace after its end.
pub fn subscription_retention(facts: &Facts, grace_days: i64) -> Table {
    let mut mart = Table::new(
        "fct_subscription_retention",
        &["cohort_month", "segment", "segment_value", "month_index"],
        &["cohort_subscribers", "eligible_subscribers", "retained_subscribers", "retention_rate"],
    );
    let Some(as_of) = facts.as_of else { return mart };
    let mut kept: BTreeMap<&str, Vec<&Purchase>> = BTreeMap::new();
    for purchase in facts.paid().filter(|purchase| !is_fully_refunded(purchase, facts)) {
        kept.entry(&purchase.event.user).or_default().push(purchase);
    }
    let mut cohorts: BTreeMap<(Date, &'static str, String), Vec<Subscriber<'_>>> = BTreeMap::new();
    for periods in kept.into_values() {
        // The purchases stand in the order of time and id, and the first of the least is taken.
        let first = periods.iter().min_by_key(|purchase| purchase.period_start).expect("one was pushed");
        let month = Period::Month.start(first.period_start);
        for (segment, value) in [("overall", String::new()), ("plan", first.plan.clone())] {
            let subscriber = Subscriber { start: first.period_start, periods: periods.clone() };
            cohorts.entry((month, segment, value)).or_default().push(subscriber);
        }
    }
    for ((month, segment, value), subscribers) in cohorts {
        for index in 0..=36 {
            let dates = subscribers.iter().map(|one| (one, months_after(one.start, index)));
            let eligible: Vec<_> = dates.filter(|(_, date)| *date <= as_of).collect();
            let retained =
                eligible.iter().filter(|(one, date)| one.is_subscribed_on(*date, grace_days)).count();
            if eligible.is_empty() {
                continue;
            }
            mart.push(vec![
                Cell::Date(month),
                Cell::text(segment),
                Cell::text(&value),
                Cell::Index(index as u64),
                Cell::count(subscribers.len()),
                Cell::count(eligible.len()),
                Cell::count(retained),
                Cell::ratio(retained, eligible.len()),
            ]);
        }
    }
    mart
}

struct Subscriber<'a> {
    /// When the first paid period begins.
    start: Date,
    periods: Vec<&'a Purchase>,
}

impl Subscriber<'_> {
    fn is_subscribed_on(&self, date: Date, grace_days: i64) -> bool {
        self.periods
            .iter()
            .any(|paid| paid.period_start <= date && date < days_after(paid.period_end, grace_days))
    }
}

/// Whether the refunds that name this purchase, in its own currency, reach its amount.
fn is_fully_refunded(purchase: &Purchase, facts: &Facts) -> bool {
    let refunded: i64 = facts
        .refunds
        .iter()
        .filter(|refund| refund.currency == purchase.currency)
        .filter(|refund| refund.named.as_ref().is_some_and(|named| named.event == purchase.event))
        .map(|refund| refund.amount)
        .sum();
    refunded >= purchase.amount
}

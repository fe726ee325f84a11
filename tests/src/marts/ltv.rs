//! `fct_ltv`.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Cell, Facts, Period, Rates, Table, Unit};

/// `fct_ltv`: what a cohort has brought in by each month of its life.
pub fn ltv(facts: &Facts, rates: &Rates) -> Table {
    let mut mart = Table::new(
        "fct_ltv",
        &["cohort_month", "month_index"],
        &["cohort_users", "net_revenue", "cumulative_net_revenue", "ltv", "is_complete"],
    );
    let Some(as_of) = facts.as_of else { return mart };
    let month_of = |date| Period::Month.start(date);
    let mut cohort_of: BTreeMap<&str, Date> = BTreeMap::new();
    let mut cohort_users: BTreeMap<Date, usize> = BTreeMap::new();
    for (user, date) in facts.first_active_dates() {
        cohort_of.insert(user, month_of(date));
        *cohort_users.entry(month_of(date)).or_default() += 1;
    }
    // By cohort and the month it counts in.
    let mut net: BTreeMap<(Date, Date), Unit> = BTreeMap::new();
    let paid = facts.paid().map(|paid| (&paid.event, 1, paid.amount, &paid.currency));
    let refunds = facts.refunds.iter().map(|refund| (&refund.event, -1, refund.amount, &refund.currency));
    for (event, sign, amount, currency) in paid.chain(refunds) {
        if let Some(cohort) = cohort_of.get(&*event.user) {
            let month = month_of(event.date).max(*cohort);
            *net.entry((*cohort, month)).or_default() += sign * rates.convert(amount, currency, event.date);
        }
    }
    for (cohort, users) in cohort_users {
        let mut cumulative = 0;
        for index in 0..=36 {
            let month = Period::Month.nth(cohort, index);
            if month > as_of {
                break;
            }
            let net = net.get(&(cohort, month)).copied().unwrap_or_default();
            cumulative += net;
            mart.push(vec![
                Cell::Date(cohort),
                Cell::Index(index as u64),
                Cell::count(users),
                Cell::Money(net),
                Cell::Money(cumulative),
                Cell::money_ratio(cumulative, users),
                Cell::Bool(Period::Month.last_day(month) <= as_of),
            ]);
        }
    }
    mart
}

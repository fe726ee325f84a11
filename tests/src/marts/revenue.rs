//! `fct_revenue`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::facts::Purchase;
use super::{Cell, Facts, Period, Rates, Table, Unit};

/// A row's figures.
#[derive(Default)]
struct Figures<'a> {
    active: BTreeSet<&'a str>,
    paying: BTreeSet<&'a str>,
    new_paying: usize,
    purchases: usize,
    gross: Unit,
    refunds: Unit,
}

/// `fct_revenue`: who pays, and what comes in and goes back, by day, week and month.
pub fn revenue(facts: &Facts, rates: &Rates) -> Table {
    let mut mart = Table::new(
        "fct_revenue",
        &["period", "period_start", "segment", "segment_value"],
        &[
            "is_complete",
            "active_users",
            "paying_users",
            "new_paying_users",
            "purchases",
            "gross_revenue",
            "refunds",
            "net_revenue",
            "conversion_rate",
            "arpu",
            "arppu",
        ],
    );
    let Some((first_day, as_of)) = facts.span_of_money() else { return mart };
    for period in Period::all(facts.week_start) {
        let mut rows: BTreeMap<(Date, &'static str, String), Figures<'_>> = BTreeMap::new();
        for start in period.starts(first_day, as_of) {
            rows.entry((start, "overall", String::new())).or_default();
        }
        for event in &facts.activity {
            for (segment, value) in event.segments() {
                let row = rows.entry((period.start(event.date), segment, value)).or_default();
                row.active.insert(&event.user);
            }
        }
        let mut have_paid = BTreeSet::new();
        for purchase in facts.paid() {
            let event = &purchase.event;
            let is_first = have_paid.insert(&event.user);
            for (segment, value) in segments(purchase) {
                let row = rows.entry((period.start(event.date), segment, value)).or_default();
                row.paying.insert(&event.user);
                row.new_paying += usize::from(is_first);
                row.purchases += 1;
                row.gross += rates.convert(purchase.amount, &purchase.currency, event.date);
            }
        }
        for refund in &facts.refunds {
            let event = &refund.event;
            let segments = match &refund.named {
                Some(purchase) => segments(purchase),
                None => event.segments().into_iter().chain([("plan", String::new())]).collect(),
            };
            for (segment, value) in segments {
                let row = rows.entry((period.start(event.date), segment, value)).or_default();
                row.refunds += rates.convert(refund.amount, &refund.currency, event.date);
            }
        }
        for ((start, segment, value), row) in &rows {
            // A plan's active users are everybody's, so they alone are no reason for a row of the plan.
            if *segment != "overall" && row.active.is_empty() && row.purchases == 0 && row.refunds == 0 {
                continue;
            }
            let active = if *segment == "plan" {
                rows[&(*start, "overall", String::new())].active.len()
            } else {
                row.active.len()
            };
            let net = row.gross - row.refunds;
            mart.push(vec![
                Cell::text(period.name()),
                Cell::Date(*start),
                Cell::text(segment),
                Cell::text(value),
                Cell::Bool(period.last_day(*start) <= as_of),
                Cell::count(active),
                Cell::count(row.paying.len()),
                Cell::count(row.new_paying),
                Cell::count(row.purchases),
                Cell::Money(row.gross),
                Cell::Money(row.refunds),
                Cell::Money(net),
                Cell::ratio(row.paying.len(), active),
                Cell::money_ratio(net, active),
                Cell::money_ratio(net, row.paying.len()),
            ]);
        }
    }
    mart
}

fn segments(purchase: &Purchase) -> Vec<(&'static str, String)> {
    purchase.event.segments().into_iter().chain([("plan", purchase.plan.clone())]).collect()
}

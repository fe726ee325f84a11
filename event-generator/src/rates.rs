//! Exchange rates that fit a plan's money.

use std::fmt::Write as _;

use event_schema::value::Date;

use crate::draw::{Draw, Topic, key};
use crate::person::start;
use crate::plan::{Day, Plan, date};
use crate::world::CURRENCIES;

/// The seed file of the rates: `from_currency,to_currency,valid_from,rate`, sorted, the rate being US dollars for one
/// unit.
///
/// Every currency that occurs has a rate from the first of the month before the plan begins, and a new one
/// each month until it ends. The rates of a month do not depend on how many days are asked for.
pub fn exchange_rates_csv(plan: &Plan) -> String {
    let mut csv = "from_currency,to_currency,valid_from,rate\n".to_owned();
    let last = start(plan) + plan.days as Day - 1;
    for (number, currency) in CURRENCIES.iter().enumerate() {
        let mut from = first_of_month(first_of_month(date(start(plan))).plus_days(-1).unwrap_or(Date::MIN));
        while Day::from(from.days()) <= last {
            let rate =
                if number == 0 { currency.rate } else { moved(plan.seed, currency.rate, number, from) };
            let (units, millionths) = (rate / 1_000_000, rate % 1_000_000);
            writeln!(csv, "{},USD,{from},{units}.{millionths:06}", currency.code)
                .expect("a string takes any text");
            let Some(next) = from.plus_days(31).map(first_of_month) else { break };
            from = next;
        }
    }
    csv
}

fn first_of_month(date: Date) -> Date {
    let (_, _, day) = date.ymd();
    date.plus_days(1 - day as i32).expect("a month that has a day of the range after 1970 begins in it")
}

/// The rate of a month: within 6 % of the middle, never 0.
fn moved(seed: u64, rate: u64, currency: usize, month: Date) -> u64 {
    let month_key = key(key(seed, Topic::Rate, currency as u64), Topic::Rate, u64::from(month.days()));
    let basis_points = u64::from(9400 + Draw::new(month_key).below(1201));
    (rate * basis_points / 10_000).max(1)
}

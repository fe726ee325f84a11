//! Staging and the eight marts a second time: sets, maps and loops, without SQL.
//!
//! Slow on purpose. Each number is computed as its definition reads, from the lines of the day files as the
//! plain [`reference`](crate::reference) reads them; nothing is shared with `metrics-sql`. Only the statistics
//! of A/B tests are left to scipy, which is handed every user's values.
//!
//! - [`DayFile`]s, deduplicated and in a time zone, become [`Facts`];
//! - one room a mart turns facts into a [`Table`];
//! - [`Table::assert_is_in`] holds a warehouse against it.

mod ab_test_results;
mod activity;
mod calendar;
mod conversion;
mod facts;
mod ltv;
mod money;
mod retention;
mod revenue;
mod subscription_retention;
mod table;
mod task_success;

pub use ab_test_results::{AbOptions, ab_test_results};
pub use activity::activity_daily;
pub use calendar::{Period, days_after, months_after};
pub use conversion::conversion;
pub use facts::{DayFile, Event, Facts, deduplicated, event_id_conflicts, last_ended, repeated_purchases};
pub use ltv::ltv;
pub use money::{Rates, Unit};
pub use retention::retention;
pub use revenue::revenue;
pub use subscription_retention::subscription_retention;
pub use table::{Cell, Table};
pub use task_success::task_success_daily;

/// The seven marts that need nothing but facts and exchange rates, without days of grace; [`ab_test_results`] is the
/// eighth.
pub fn all_but_ab_tests(facts: &Facts, rates: &Rates) -> Vec<Table> {
    vec![
        activity_daily(facts),
        task_success_daily(facts),
        retention(facts),
        revenue(facts, rates),
        conversion(facts),
        ltv(facts, rates),
        subscription_retention(facts, 0),
    ]
}

//! `fct_ab_test_results`: users' values here, statistics by scipy.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::Stdio;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::facts::Assignment;
use super::money::to_f64;
use super::{Cell, Facts, Rates, Table, days_after};
use crate::world;

const DAY_MS: i64 = 86_400_000;

/// The options of A/B tests, as the vars of the same names.
#[derive(Debug, Clone)]
pub struct AbOptions {
    /// `ab_window_days`.
    pub window_days: i64,
    /// `ab_control_variants`: by experiment.
    pub control_variants: BTreeMap<String, String>,
    /// `ab_expected_shares`: by experiment and variant.
    pub expected_shares: BTreeMap<String, BTreeMap<String, f64>>,
    /// `ab_min_users`.
    pub min_users: u64,
}

impl Default for AbOptions {
    fn default() -> AbOptions {
        AbOptions {
            window_days: 14,
            control_variants: BTreeMap::new(),
            expected_shares: BTreeMap::new(),
            min_users: 30,
        }
    }
}

/// An experiment as the script takes it.
#[derive(Debug, Serialize)]
struct Experiment {
    experiment_id: String,
    control: String,
    excluded_users: u64,
    expected_shares: Option<BTreeMap<String, f64>>,
    min_users: u64,
    /// How many users each variant seen has, analysed or not yet, who saw no other.
    assigned: BTreeMap<String, u64>,
    /// Those of them whose window is over.
    variants: BTreeMap<String, Vec<Values>>,
    /// Of those whose seventh day is over: 1 where they were active on it, else 0.
    retention_d7: BTreeMap<String, Vec<f64>>,
}

/// What a user did inside the window and, of what has a before, before it.
#[derive(Debug, Serialize)]
struct Values {
    conversion: [f64; 2],
    revenue_per_user: [f64; 2],
    active_days: [f64; 2],
    correct: [f64; 2],
    attempts: [f64; 2],
}

/// A row as the script gives it.
#[derive(Debug, Deserialize)]
struct Found {
    experiment_id: String,
    metric: String,
    method: String,
    variant: String,
    control_variant: String,
    users: u64,
    control_users: u64,
    excluded_users: u64,
    warnings: Vec<String>,
    /// The largest of the values it comes from.
    scale: f64,
    statistics: BTreeMap<String, Option<f64>>,
}

/// The columns that are statistics, in the order of the mart.
const STATISTICS: [&str; 12] = [
    "value",
    "control_value",
    "absolute_difference",
    "relative_lift",
    "standard_error",
    "ci_low",
    "ci_high",
    "degrees_of_freedom",
    "p_value",
    "p_value_adjusted",
    "minimum_detectable_effect",
    "srm_p_value",
];

/// Those that follow from the difference in standard errors.
const OF_THE_TEST: [&str; 3] = ["degrees_of_freedom", "p_value", "p_value_adjusted"];

/// `fct_ab_test_results`: every variant against its experiment's control.
///
/// # Panics
/// Where the pinned scipy cannot be run.
pub fn ab_test_results(facts: &Facts, rates: &Rates, options: &AbOptions) -> Table {
    let figures =
        [&["control_variant", "users", "control_users"][..], &STATISTICS, &["excluded_users", "warnings"]];
    let mut mart = Table::new(
        "fct_ab_test_results",
        &["experiment_id", "metric", "method", "variant"],
        &figures.concat(),
    );
    for row in scipy(&experiments(facts, rates, options)) {
        let mut cells = vec![
            Cell::Text(row.experiment_id),
            Cell::Text(row.metric),
            Cell::Text(row.method),
            Cell::Text(row.variant),
            Cell::Text(row.control_variant),
            Cell::Count(row.users),
            Cell::Count(row.control_users),
        ];
        let scale = row.scale.max(1.0);
        // What CUPED leaves of users who do nearly what they did before is small beside their values, whose rounding
        // then counts in every multiple of the standard error.
        let in_errors = row.statistics["standard_error"].map_or(1.0, |error| (0.01 * scale / error).max(1.0));
        cells.extend(STATISTICS.map(|name| {
            let scale = if OF_THE_TEST.contains(&name) { in_errors } else { scale };
            Cell::Statistic(row.statistics[name], scale)
        }));
        cells.push(Cell::Count(row.excluded_users));
        cells.push(Cell::Texts(row.warnings));
        mart.push(cells);
    }
    mart
}

fn experiments(facts: &Facts, rates: &Rates, options: &AbOptions) -> Vec<Experiment> {
    let Some(as_of) = facts.as_of else { return Vec::new() };
    let end = days_after(as_of, 1).to_zoned_datetime(facts.zone.clone()).expect("every zone has that day");
    let end = end.timestamp().as_millisecond();
    let mut assignments: BTreeMap<&str, Vec<&Assignment>> = BTreeMap::new();
    for assignment in &facts.assignments {
        assignments.entry(&assignment.experiment).or_default().push(assignment);
    }
    let mut experiments = Vec::new();
    for (id, assignments) in assignments {
        let seen: BTreeSet<&str> = assignments.iter().map(|assignment| &*assignment.variant).collect();
        let in_any_case = seen.iter().copied().find(|variant| variant.eq_ignore_ascii_case("control"));
        let control = match options.control_variants.get(id) {
            Some(control) => control,
            None if seen.contains("control") => "control",
            None => in_any_case.unwrap_or_else(|| seen.first().expect("an experiment has an assignment")),
        };
        let mut assigned: BTreeMap<String, u64> = by_variant(&seen);
        let mut variants: BTreeMap<String, Vec<Values>> = by_variant(&seen);
        let mut retention_d7: BTreeMap<String, Vec<f64>> = by_variant(&seen);
        let mut excluded_users = 0;
        let users: BTreeSet<&str> = assignments.iter().map(|assignment| &*assignment.event.user).collect();
        for user in users {
            let mut own = assignments.iter().filter(|assignment| assignment.event.user == user);
            // Facts stand in the order of time and id.
            let first = own.next().expect("the user has an assignment");
            if own.any(|other| other.variant != first.variant) {
                excluded_users += 1;
                continue;
            }
            *assigned.get_mut(&first.variant).expect("the variant was seen") += 1;
            if first.event.at + options.window_days * DAY_MS <= end {
                let values = values(facts, rates, first, options.window_days);
                variants.get_mut(&first.variant).expect("the variant was seen").push(values);
            }
            let day_7 = days_after(first.event.date, 7);
            if day_7 <= as_of {
                let mut activity = facts.activity.iter().filter(|event| event.user == user);
                let is_active = activity.any(|event| event.date == day_7);
                let of_variant = retention_d7.get_mut(&first.variant).expect("the variant was seen");
                of_variant.push(f64::from(u8::from(is_active)));
            }
        }
        experiments.push(Experiment {
            experiment_id: id.to_owned(),
            control: control.to_owned(),
            excluded_users,
            expected_shares: options.expected_shares.get(id).cloned(),
            min_users: options.min_users,
            assigned,
            variants,
            retention_d7,
        });
    }
    experiments
}

/// What the assigned user did in the window from the assignment's instant on, and in as many days before it.
fn values(facts: &Facts, rates: &Rates, assignment: &Assignment, window_days: i64) -> Values {
    let user = &assignment.event.user;
    let (at, length) = (assignment.event.at, window_days * DAY_MS);
    let windows = [at..at + length, at - length..at];
    let both = |value: &dyn Fn(&std::ops::Range<i64>) -> f64| [value(&windows[0]), value(&windows[1])];

    let paid: Vec<_> = facts.paid().filter(|paid| paid.event.user == *user).collect();
    let refunds: Vec<_> = facts.refunds.iter().filter(|refund| refund.event.user == *user).collect();
    let activity: Vec<_> = facts.activity.iter().filter(|event| event.user == *user).collect();
    let attempts: Vec<_> = facts.attempts.iter().filter(|attempt| attempt.event.user == *user).collect();
    Values {
        conversion: both(&|window| {
            f64::from(u8::from(paid.iter().any(|paid| window.contains(&paid.event.at))))
        }),
        revenue_per_user: both(&|window| {
            let paid = paid.iter().filter(|paid| window.contains(&paid.event.at));
            let refunds = refunds.iter().filter(|refund| window.contains(&refund.event.at));
            let gross: i128 =
                paid.map(|paid| rates.convert(paid.amount, &paid.currency, paid.event.date)).sum();
            let refunded: i128 =
                refunds.map(|refund| rates.convert(refund.amount, &refund.currency, refund.event.date)).sum();
            to_f64(gross - refunded)
        }),
        active_days: both(&|window| {
            let dates = activity.iter().filter(|event| window.contains(&event.at)).map(|event| event.date);
            dates.collect::<BTreeSet<Date>>().len() as f64
        }),
        correct: both(&|window| {
            let inside = attempts.iter().filter(|attempt| window.contains(&attempt.event.at));
            inside.filter(|attempt| attempt.is_correct).count() as f64
        }),
        attempts: both(&|window| {
            attempts.iter().filter(|attempt| window.contains(&attempt.event.at)).count() as f64
        }),
    }
}

fn scipy(experiments: &[Experiment]) -> Vec<Found> {
    let mut python = world::python("science", "python")
        .arg("tests/science/ab_test_results.py")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("scipy cannot be run: {error}"));
    let input = serde_json::to_vec(experiments).expect("experiments are JSON");
    let mut stdin = python.stdin.take().expect("stdin is a pipe");
    // The script reads to the end before it writes.
    stdin.write_all(&input).expect("the script reads");
    drop(stdin);
    let output = python.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "tests/science/ab_test_results.py: {}", output.status);
    serde_json::from_slice(&output.stdout).expect("the script writes JSON rows")
}

/// Something empty for each variant.
fn by_variant<T: Default>(seen: &BTreeSet<&str>) -> BTreeMap<String, T> {
    seen.iter().map(|variant| ((*variant).to_owned(), T::default())).collect()
}

//! Experiments that are hard to read: tiny, equal, without a control, and ending to the millisecond.

use fastrand::Rng;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::line::start_of;
use super::{Line, customers, hostile_names};
use crate::marts::days_after;

const DAY_MS: i64 = 86_400_000;

/// Where the windows of an A/B test end with the last date that counts.
#[derive(Debug, Clone)]
pub struct WindowEnd {
    /// That date.
    pub as_of: Date,
    /// In this zone.
    pub zone: TimeZone,
    /// How long they are.
    pub window_days: i64,
}

/// Assignments between two dates, and what some of the assigned do at the edges of their windows.
pub(super) fn lines(
    rng: &mut Rng,
    customers: usize,
    (first, last): (Date, Date),
    ends: &[WindowEnd],
) -> Vec<Line> {
    let mut lines = Vec::new();
    hostile(rng, customers, (first, last), &mut lines);
    small(rng, first, &mut lines);
    edges(rng, ends, &mut lines);
    lines
}

fn line(rng: &mut Rng, event_type: &'static str, user: &str, at: i64, properties: serde_json::Value) -> Line {
    Line {
        event_id: rng.u128(..),
        event_type,
        user: user.to_owned(),
        at,
        platform: String::new(),
        country: String::new(),
        properties,
    }
}

fn assigned(rng: &mut Rng, experiment: &str, user: &str, at: i64, variant: &str) -> Line {
    line(rng, "ab_test_assignment", user, at, json!({ "experiment_id": experiment, "variant": variant }))
}

/// Experiments of hostile names whose variants, of other such names, share out the customers.
fn hostile(rng: &mut Rng, customers: usize, (first, last): (Date, Date), lines: &mut Vec<Line>) {
    let variants = hostile_names(128);
    for (place, experiment) in hostile_names(256).iter().enumerate() {
        let own: Vec<&String> = (0..3).map(|n| &variants[(place * 3 + n) % variants.len()]).collect();
        // One of them is large, the others are for their names.
        let users = if place == 0 { customers } else { 6 };
        for user in 0..users {
            let user = customers::name((user + place) % customers);
            let at = rng.i64(start_of(first)..start_of(last));
            let variant = own[rng.usize(..3)];
            lines.push(assigned(rng, experiment, &user, at, variant));
        }
    }
}

/// Experiments with too little in them.
fn small(rng: &mut Rng, first: Date, lines: &mut Vec<Line>) {
    let at = start_of(days_after(first, 20));
    // One user is no variance.
    lines.push(assigned(rng, "tiny", &customers::name(0), at, "control"));
    for user in 1..4 {
        lines.push(assigned(rng, "tiny", &customers::name(user), at, "more"));
    }
    // Nobody does anything: no variance, no attempt.
    for user in 0..6 {
        let variant = ["control", "same"][user % 2];
        lines.push(assigned(rng, "nothing-happens", &format!("silent-{user}"), at, variant));
    }
    // The control has its name in another case.
    for user in 0..9 {
        let variant = ["Control", "CONTROL", "a"][user % 3];
        lines.push(assigned(rng, "another-case", &customers::name(user), at, variant));
    }
    // Everybody does the same: every task solved, the same number of days.
    for user in 0..8 {
        let (name, variant) = (format!("equal-{user}"), ["a", "b"][user % 2]);
        lines.push(assigned(rng, "everybody-the-same", &name, at, variant));
        for day in 0..3 {
            let answer = json!({ "task_id": "t", "is_correct": day > 0 });
            lines.push(line(rng, "task_result", &name, at + day * DAY_MS + 1000, answer));
        }
    }
    // All of variant c were in another one too.
    for user in 0..5 {
        let name = customers::name(user);
        lines.push(assigned(rng, "one-empty-variant", &name, at, ["a", "b"][user % 2]));
        if user < 2 {
            lines.push(assigned(rng, "one-empty-variant", &name, at, "c"));
        }
    }
    for user in 0..3 {
        lines.push(assigned(rng, "only-one-variant", &customers::name(user), at, "control"));
    }
}

/// Windows that end with the last date that counts, some milliseconds before, and one after; purchases and answers
/// at both edges of both windows.
fn edges(rng: &mut Rng, ends: &[WindowEnd], lines: &mut Vec<Line>) {
    for (place, WindowEnd { as_of, zone, window_days }) in ends.iter().enumerate() {
        let window = window_days * DAY_MS;
        let end = days_after(*as_of, 1).to_zoned_datetime(zone.clone()).expect("the zone has that day");
        for off in -4..=1 {
            let at = end.timestamp().as_millisecond() - window + off;
            let user = format!("edge-{place}-{off}");
            lines.push(assigned(rng, "edges", &user, at, ["control", "late"][(off + 4) as usize % 2]));
            for moment in [at - window - 1, at - window, at - 1, at, at + window - 1, at + window] {
                if rng.bool() {
                    let answer = json!({ "task_id": "edge", "is_correct": rng.bool(), "duration_ms": 7 });
                    lines.push(line(rng, "task_result", &user, moment, answer));
                }
                if rng.u8(..3) == 0 {
                    let purchase = json!({
                        "purchase_id": format!("{user}-{moment}"),
                        "plan": "edge",
                        "amount": rng.u32(1..100_000),
                        "currency": "EUR",
                        "period_start": "2026-01-31",
                        "period_end": "2026-02-28",
                    });
                    lines.push(line(rng, "purchase", &user, moment, purchase));
                }
            }
        }
    }
}

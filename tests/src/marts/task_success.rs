//! `fct_task_success_daily`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::facts::Attempt;
use super::{Cell, Facts, Period, Table};

/// `fct_task_success_daily`: how much of what learners tried they solved.
pub fn task_success_daily(facts: &Facts) -> Table {
    let mut mart = Table::new(
        "fct_task_success_daily",
        &["activity_date", "segment", "segment_value"],
        &[
            "attempts",
            "solved",
            "success_rate",
            "learners",
            "tasks_attempted",
            "tasks_solved",
            "task_success_rate",
            "first_attempts",
            "first_attempt_success_rate",
            "median_duration_ms",
        ],
    );
    let Some((first_day, as_of)) = facts.span() else { return mart };
    let mut groups: BTreeMap<(Date, &'static str, String), Vec<&Attempt>> = BTreeMap::new();
    for date in Period::Day.starts(first_day, as_of) {
        groups.insert((date, "overall", String::new()), Vec::new());
    }
    for attempt in &facts.attempts {
        let segments = attempt.event.segments().into_iter().chain([("course", attempt.course.clone())]);
        for (segment, value) in segments {
            groups.entry((attempt.event.date, segment, value)).or_default().push(attempt);
        }
    }
    for ((date, segment, value), attempts) in groups {
        let solved: Vec<&&Attempt> = attempts.iter().filter(|attempt| attempt.is_correct).collect();
        let learners: BTreeSet<&str> = attempts.iter().map(|attempt| &*attempt.event.user).collect();
        let task = |attempt: &Attempt| (attempt.event.user.clone(), attempt.task.clone());
        let tasks_attempted: BTreeSet<_> = attempts.iter().map(|attempt| task(attempt)).collect();
        let tasks_solved: BTreeSet<_> = solved.iter().map(|attempt| task(attempt)).collect();
        let first: Vec<&&Attempt> = attempts.iter().filter(|attempt| attempt.number == Some(1)).collect();
        let first_solved = first.iter().filter(|attempt| attempt.is_correct).count();
        let durations = attempts.iter().filter_map(|attempt| attempt.duration_ms).collect();
        mart.push(vec![
            Cell::Date(date),
            Cell::text(segment),
            Cell::text(value),
            Cell::count(attempts.len()),
            Cell::count(solved.len()),
            Cell::ratio(solved.len(), attempts.len()),
            Cell::count(learners.len()),
            Cell::count(tasks_attempted.len()),
            Cell::count(tasks_solved.len()),
            Cell::ratio(tasks_solved.len(), tasks_attempted.len()),
            Cell::count(first.len()),
            Cell::ratio(first_solved, first.len()),
            Cell::Rate(median(durations)),
        ]);
    }
    mart
}

/// The middle one, or the mean of the middle two; `None` of nothing.
fn median(mut numbers: Vec<i64>) -> Option<f64> {
    numbers.sort_unstable();
    let (below, above) = (numbers.get(numbers.len().checked_sub(1)? / 2)?, numbers.get(numbers.len() / 2)?);
    Some((*below + *above) as f64 / 2.0)
}

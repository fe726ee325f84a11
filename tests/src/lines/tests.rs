//! What the generators yield, judged by the reference.

use std::collections::BTreeSet;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::{SHORT_LINE_LIMIT, any_file, any_line, mutated_line};
use crate::reference::{Options, Outcome, REASONS, read};

/// Draws so many sources and reads them all. The draws are the same in every run.
fn outcomes(strategy: &impl Strategy<Value = Vec<u8>>, count: usize) -> Vec<Outcome> {
    let options = Options { max_line_bytes: SHORT_LINE_LIMIT, ..Options::default() };
    let mut runner = TestRunner::deterministic();
    let mut draw = || strategy.new_tree(&mut runner).expect("the strategy yields a value").current();
    (0..count).map(|_| read(&draw(), &options)).collect()
}

fn accepted(outcomes: &[Outcome]) -> usize {
    outcomes.iter().map(|outcome| outcome.rows.len()).sum()
}

#[test]
fn most_lines_are_events_of_every_table_and_every_reason_occurs() {
    let outcomes = outcomes(&any_line(), 6000);
    let share = accepted(&outcomes) as f64 / 6000.0;
    assert!((0.3..0.9).contains(&share), "{share} of the lines are accepted");
    let tables: BTreeSet<_> =
        outcomes.iter().flat_map(|outcome| &outcome.rows).map(|row| row.table).collect();
    assert_eq!(tables.len(), 5, "{tables:?}");
    let reasons: BTreeSet<_> = violations(&outcomes).map(|(reason, _)| reason).collect();
    let missing: Vec<_> = REASONS.iter().filter(|reason| !reasons.contains(*reason)).collect();
    assert!(missing.is_empty(), "no line is refused for {missing:?}");
    let extra = outcomes.iter().flat_map(|outcome| &outcome.rows).filter(|row| {
        row.columns
            .iter()
            .any(|(name, value)| *name == "extra" && *value != crate::reference::Value::text(""))
    });
    assert!(extra.count() > 500, "unknown fields are common");
    let several = outcomes.iter().flat_map(|outcome| &outcome.rejects).filter(|r| r.violations.len() > 1);
    assert!(several.count() > 50, "several violations in a line are not rare");
}

#[test]
fn every_field_is_refused_for_its_value_now_and_then() {
    let outcomes = outcomes(&any_line(), 10_000);
    let refused: BTreeSet<String> = violations(&outcomes).map(|(_, field)| field).collect();
    let mut fields = vec![
        "event_id",
        "event_type",
        "user_id",
        "event_time",
        "session_id",
        "platform",
        "app_version",
        "country",
        "properties",
    ];
    fields.extend([
        "properties.purchase_id",
        "properties.plan",
        "properties.amount",
        "properties.currency",
        "properties.period_start",
        "properties.period_end",
        "properties.is_trial",
        "properties.task_id",
        "properties.is_correct",
        "properties.course_id",
        "properties.lesson_id",
        "properties.score",
        "properties.attempt",
        "properties.duration_ms",
        "properties.hints_used",
        "properties.started_at",
        "properties.ended_at",
        "properties.device",
        "properties.os",
        "properties.referrer",
        "properties.experiment_id",
        "properties.variant",
    ]);
    let never: Vec<_> = fields.iter().filter(|field| !refused.contains(**field)).collect();
    assert!(never.is_empty(), "never refused: {never:?}");
}

fn violations(outcomes: &[Outcome]) -> impl Iterator<Item = (&'static str, String)> {
    outcomes.iter().flat_map(|outcome| &outcome.rejects).flat_map(|reject| reject.violations.clone())
}

#[test]
fn mutated_lines_are_refused_and_accepted() {
    let outcomes = outcomes(&mutated_line(), 3000);
    let share = accepted(&outcomes) as f64 / 3000.0;
    assert!((0.02..0.7).contains(&share), "{share} of the lines are accepted");
    let reasons: BTreeSet<_> = violations(&outcomes).map(|(reason, _)| reason).collect();
    assert!(reasons.len() >= 8, "{reasons:?}");
}

#[test]
fn files_hold_blank_lines_rows_and_rejects() {
    let outcomes = outcomes(&any_file(), 300);
    let mixed = outcomes.iter().filter(|o| o.blank_lines > 0 && !o.rows.is_empty() && !o.rejects.is_empty());
    assert!(mixed.count() > 100);
    assert!(outcomes.iter().any(|outcome| outcome.lines == 0), "an empty source occurs");
    for outcome in &outcomes {
        let parts = outcome.rows.len() as u64 + outcome.rejects.len() as u64 + outcome.blank_lines;
        assert_eq!(outcome.lines, parts);
    }
    let offset_3 = |o: &&Outcome| o.rejects.first().is_some_and(|reject| reject.byte_offset == 3);
    assert!(outcomes.iter().filter(offset_3).count() > 1, "a byte-order mark before a refused line occurs");
}

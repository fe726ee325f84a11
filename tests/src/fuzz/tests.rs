//! The fuzzer finds what differs, and makes it short.

use super::compare::compare;
use super::minimise::minimise;
use super::*;
use crate::reference::{self, Value};

fn plain(source: &[u8]) -> (Vec<u8>, Reading) {
    let reading = Reading { options: Options::default(), pieces: vec![usize::MAX], batch_bytes: usize::MAX };
    (source.to_vec(), reading)
}

fn some_day() -> (Vec<u8>, Reading) {
    let pool = Pool::new(7);
    plain(&pool.families[0].join(&b'\n'))
}

#[test]
fn a_changed_outcome_is_noticed_whatever_changes() {
    let (source, reading) = some_day();
    let due = reference::read(&source, &reading.options);
    let differs = |due: &reference::Outcome| {
        Backend::all().into_iter().all(|backend| compare(&source, &reading, due, backend).is_err())
    };
    assert!(!differs(&due), "the day is read as the reference reads it");
    assert!(due.rows.len() > 100 && due.rejects.len() > 2, "the day has rows and rejected lines");
    for row in [0, due.rows.len() - 1] {
        for column in 0..due.rows[row].columns.len() {
            let mut changed = due.clone();
            changed.rows[row].columns[column].1 = match &due.rows[row].columns[column].1 {
                Value::Text(text) => Value::Text([&text[..], b"x"].concat()),
                Value::Int(value) => Value::Int(value + 1),
                Value::Float(value) => Value::Float(value + 1e-9),
                Value::Bool(value) => Value::Bool(!value),
                Value::Null => Value::Int(0),
            };
            assert!(differs(&changed), "{:?}", due.rows[row].columns[column]);
        }
    }
    let change = |change: fn(&mut reference::Outcome)| {
        let mut changed = due.clone();
        change(&mut changed);
        assert!(differs(&changed), "{changed:?}");
    };
    change(|outcome| outcome.lines += 1);
    change(|outcome| outcome.blank_lines += 1);
    change(|outcome| drop(outcome.rows.pop()));
    change(|outcome| drop(outcome.rejects.pop()));
    change(|outcome| outcome.rows[0].table = "sessions_of_old");
    change(|outcome| outcome.rows[0].line = outcome.rows[1].line);
    change(|outcome| outcome.rejects[0].line += 1);
    change(|outcome| outcome.rejects[0].byte_offset += 1);
    change(|outcome| outcome.rejects[0].raw.push(b' '));
    change(|outcome| outcome.rejects[0].violations.push(("wrong_type", String::new())));
    change(|outcome| outcome.rejects[0].violations[0].1.push('x'));
}

#[test]
fn what_differs_is_made_short() {
    let (source, _) = some_day();
    let short = minimise(&source, |source| source.windows(8).any(|eight| eight == b"purchase"));
    assert_eq!(short.escape_ascii().to_string(), "purchase");
}

#[test]
fn a_round_changes_most_lines_and_meets_every_outcome() {
    let plan = Plan { lines: 60_000, seed: 3, first_round: 0, threads: 1 };
    let report = run(&plan, |_| ()).unwrap_or_else(|difference| panic!("{difference}"));
    assert!(report.changed * 10 > report.lines * 7, "{report}");
    let tables = ["events", "purchases", "task_results", "sessions", "ab_test_assignments"];
    let rare = ["blank"].into_iter().chain(tables).chain(reference::REASONS);
    let missing: Vec<_> =
        rare.filter(|outcome| report.outcomes.get(outcome).is_none_or(|n| *n == 0)).collect();
    assert!(missing.is_empty(), "{missing:?}: {report}");
    let accepted: u64 = tables.iter().map(|table| report.outcomes[table]).sum();
    assert!(accepted * 4 > report.lines, "more than a quarter of the lines are accepted: {report}");
}

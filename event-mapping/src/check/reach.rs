//! Rules that no line can reach: their conditions contradict each other, or an earlier rule takes all that meets them.

use crate::definition::{Condition, Constant, Rule, Test};
use crate::read::Faults;

pub(super) fn check(rules: &[Rule], faults: &mut Faults) {
    if !faults.is_empty() {
        // Conditions that could not be read are not there.
        return;
    }
    for (number, rule) in rules.iter().enumerate() {
        if contradicts_itself(&rule.when) {
            faults.add(rule.span, "this rule can never be reached: its conditions contradict each other");
            continue;
        }
        // A file may replace the rules of the one that it extends.
        let earlier = rules[..number].iter().filter(|earlier| earlier.span.file == rule.span.file);
        if earlier.into_iter().any(|earlier| takes_all(&earlier.when, &rule.when)) {
            faults.add(
                rule.span,
                "this rule can never be reached: an earlier one takes every line that meets its conditions",
            );
        }
    }
}

/// Whether every line that meets `later` meets `earlier` as well.
fn takes_all(earlier: &[Condition], later: &[Condition]) -> bool {
    earlier.iter().all(|one| later.iter().any(|other| one.at == other.at && follows(&other.test, &one.test)))
}

/// Whether what meets one test meets the other.
fn follows(from: &Test, test: &Test) -> bool {
    match (from, test) {
        (from, test) if from == test => true,
        (Test::Is(values), test) => values.iter().all(|value| meets(value, test)),
        (Test::IsNot(values), Test::IsNot(fewer)) => fewer.iter().all(|value| values.contains(value)),
        (Test::StartsWith(affix) | Test::EndsWith(affix), Test::Exists(true)) => !affix.is_empty(),
        (Test::StartsWith(longer), Test::StartsWith(start)) => longer.starts_with(start.as_str()),
        (Test::EndsWith(longer), Test::EndsWith(end)) => longer.ends_with(end.as_str()),
        (Test::Exists(false), Test::IsNot(_)) => true,
        _ => false,
    }
}

/// Whether a value meets a test.
fn meets(value: &Constant, test: &Test) -> bool {
    match (test, value) {
        (Test::Is(values), value) => values.contains(value),
        (Test::IsNot(values), value) => !values.contains(value),
        (Test::Exists(exists), value) => *exists == (*value != Constant::Text(String::new())),
        (Test::StartsWith(start), Constant::Text(value)) => value.starts_with(start.as_str()),
        (Test::EndsWith(end), Constant::Text(value)) => value.ends_with(end.as_str()),
        _ => false,
    }
}

fn contradicts_itself(when: &[Condition]) -> bool {
    when.iter().enumerate().any(|(number, one)| {
        when[..number].iter().any(|other| one.at == other.at && excludes(&one.test, &other.test))
    })
}

/// Whether nothing meets both tests.
fn excludes(one: &Test, other: &Test) -> bool {
    match (one, other) {
        (Test::Is(values), test) | (test, Test::Is(values)) => !values.iter().any(|value| meets(value, test)),
        (Test::Exists(one), Test::Exists(other)) => one != other,
        (Test::Exists(false), Test::StartsWith(text) | Test::EndsWith(text))
        | (Test::StartsWith(text) | Test::EndsWith(text), Test::Exists(false)) => !text.is_empty(),
        (Test::StartsWith(one), Test::StartsWith(other)) => {
            !one.starts_with(other.as_str()) && !other.starts_with(one.as_str())
        }
        (Test::EndsWith(one), Test::EndsWith(other)) => {
            !one.ends_with(other.as_str()) && !other.ends_with(one.as_str())
        }
        _ => false,
    }
}
